//! PageRank and heat kernels against published numbers and against loops in f64.

mod common;
#[path = "common/ranks.rs"]
mod ranks;

use common::{bits, on_threads};
use ecphory::{Dangling, Edge, Error, Graph, HeatKernel, OverflowPolicy, PageRank, Seed, Workspace};
use ranks::{ROUNDING, SEEDS, Sample, assert_certified, dense, distance, heat_rounding, power_rounding, push_rounding};

fn graph(nodes: usize, edges: &[(u32, u32)]) -> Graph {
    Graph::from_edges(nodes, edges.iter().map(|&(source, target)| Edge::new(source, target, 1.0))).unwrap()
}

/// Langville and Meyer's six pages, numbered from 0; the second leads nowhere.
fn six() -> Graph {
    graph(6, &[(0, 1), (0, 2), (2, 0), (2, 1), (2, 4), (3, 4), (3, 5), (4, 3), (4, 5), (5, 3)])
}

fn uniform(nodes: u32) -> Vec<Seed> {
    (0..nodes).map(|node| Seed::new(node, 1.0)).collect()
}

/// Within rounding: see `PageRank::power`.
fn assert_ranks(graph: &Graph, seeds: &[Seed], alpha: f64, dangling: Dangling, expected: &[f64]) {
    let page_rank = PageRank::default().alpha(alpha).dangling(dangling);
    let mut workspace = Workspace::new();
    let found = page_rank.power(graph, seeds, 1e-9, &mut workspace).unwrap();
    assert!(found.error <= 1e-9 && found.sweeps > 0);
    for (node, (&found, expected)) in found.ranks.iter().zip(expected).enumerate() {
        let bound = 4.0 / 16_777_216.0 / alpha * expected + 1e-9;
        assert!((f64::from(found) - expected).abs() < bound, "node {node}: expected {expected}, found {found}");
    }
    let near = page_rank.push(graph, seeds, 1e-9).unwrap();
    for (node, rank) in dense(&near, graph.node_count()).into_iter().enumerate() {
        assert!((rank - expected[node]).abs() < 1e-6, "node {node}: expected {}, pushed {rank}", expected[node]);
    }
}

#[test]
fn ranks_are_those_that_are_published() {
    // networkx 3.6.1: `pagerank(complete_graph(4), personalization={0: 1, 1: 1, 2: 4, 3: 4})`, as its own test has it.
    let k4: Vec<_> = (0..4).flat_map(|a| (0..4).filter(move |&b| a != b).map(move |b| (a, b))).collect();
    let seeds = [1.0, 1.0, 4.0, 4.0].into_iter().zip(0..).map(|(activation, node)| Seed::new(node, activation));
    let (low, high) = (0.232_467_326_156_675_9, 0.267_532_673_843_324_1);
    assert_ranks(&graph(4, &k4), &seeds.collect::<Vec<_>>(), 0.15, Dangling::ToSeeds, &[low, low, high, high]);
    // Langville and Meyer, "Deeper Inside PageRank", Internet Mathematics 1 (2004), and "Google's PageRank and Beyond"
    // (2006), at a damping of 0.9: 0.03721 0.05396 0.04151 0.3751 0.206 0.2862. The digits are those on which networkx
    // 3.6.1 and igraph 1.0.0 agree. Where all pages are seeds alike, both rules of dangling are one.
    let book = [0.0372119651, 0.0539573494, 0.0415056534, 0.3750808151, 0.2059983319, 0.2862458852];
    for dangling in [Dangling::ToSeeds, Dangling::Evenly] {
        assert_ranks(&six(), &uniform(6), 0.1, dangling, &book);
    }
    // networkx 3.6.1: `pagerank(six, 0.85, {0: 1})`; igraph 1.0.0: `personalized_pagerank(reset=[1, 0, 0, 0, 0, 0])`.
    let to_seeds = [0.3605949817, 0.1966745129, 0.1532528672, 0.1120846010, 0.0910576012, 0.0863354359];
    assert_ranks(&six(), &[Seed::new(0, 2.0)], 0.15, Dangling::ToSeeds, &to_seeds);
    // networkx 3.6.1: the same with `dangling={node: 1 for node in six}`.
    let evenly = [0.1977874398, 0.1318471017, 0.1027380013, 0.2368000080, 0.1484274432, 0.1824000062];
    assert_ranks(&six(), &[Seed::new(0, 2.0)], 0.15, Dangling::Evenly, &evenly);
}

/// `scipy.sparse.linalg.expm_multiply(t * (P.T - I), e)` of scipy 1.17.1, for `six` and its first page.
const SCIPY: [(f64, Dangling, [f64; 6]); 6] = [
    (
        1.0,
        Dangling::ToSeeds,
        [0.508402976162, 0.238891845956, 0.206405836964, 0.006840530501, 0.033289004156, 0.006169806262],
    ),
    (
        1.0,
        Dangling::Evenly,
        [0.419621933871, 0.244025792519, 0.210733918954, 0.036470000595, 0.056770332663, 0.032378021398],
    ),
    (
        5.0,
        Dangling::ToSeeds,
        [0.303784452823, 0.224608271487, 0.165413463412, 0.114293509629, 0.102787891151, 0.089112411499],
    ),
    (
        5.0,
        Dangling::Evenly,
        [0.069576088680, 0.117168545239, 0.080253965329, 0.307403802422, 0.188751105426, 0.236846492905],
    ),
    (
        20.0,
        Dangling::ToSeeds,
        [0.092495271095, 0.068416738703, 0.050230953541, 0.343982537363, 0.185850651897, 0.259023847401],
    ),
    (
        20.0,
        Dangling::Evenly,
        [0.000547025938, 0.000950512574, 0.000637186544, 0.443345188048, 0.221958435652, 0.332561651244],
    ),
];

#[test]
fn heat_is_what_scipy_makes_of_the_exponential() {
    let mut workspace = Workspace::new();
    for (t, dangling, expected) in SCIPY {
        let kernel = HeatKernel::new(t).dangling(dangling);
        let found = kernel.sweep(&six(), &[Seed::new(0, 3.0)], 1e-9, &mut workspace).unwrap();
        for (node, (&found, expected)) in found.ranks.iter().zip(expected).enumerate() {
            let off = (f64::from(found) - expected).abs();
            assert!(
                off <= 2e-6 * expected + 1e-9,
                "t {t}, {dangling:?}, node {node}: expected {expected}, found {found}"
            );
        }
    }
}

#[test]
fn weights_and_nodes_of_any_size_lose_no_heat() {
    // Weights of 2^90 among a thousand nodes, over 64 steps: each in turn is beyond what f32 holds of the other.
    let ring = (0..1000).flat_map(|node| [1, 7].map(|step| Edge::new(node, (node + step) % 1000, 2f32.powi(90))));
    let graph = Graph::from_edges(1000, ring).unwrap();
    let mut workspace = Workspace::new();
    let found = HeatKernel::new(64.0).sweep(&graph, &uniform(1000), 1e-9, &mut workspace).unwrap();
    assert!(found.ranks.iter().all(|&rank| (f64::from(rank) - 1e-3).abs() < 1e-8), "{:?}", &found.ranks[..3]);
}

/// One page and many, with links from it to each, from each to it, or both, of weights that f32 rounds.
fn star(leaves: u32, out: bool, back: bool) -> Sample {
    let edges = (1..=leaves).flat_map(|leaf| [(out, 0, leaf), (back, leaf, 0)]).filter(|edge| edge.0);
    let edges = edges.map(|(_, source, target)| Edge::new(source, target, 0.1 + 0.3 * (source ^ target) as f32));
    Sample { nodes: leaves as usize + 1, edges: edges.collect() }
}

#[test]
fn a_node_with_many_links_has_its_rank_within_the_stated_rounding() {
    let mut workspace = Workspace::new();
    let assert_near = |what: &str, found: &[f32], exact: &[f64], roundings: f64, error: f64| {
        for (node, (&found, exact)) in found.iter().zip(exact).enumerate() {
            let off = (f64::from(found) - exact).abs();
            let bound = exact * roundings * ROUNDING + error;
            assert!(off <= bound, "{what}, node {node}: {off} of at most {bound}");
        }
    };
    for (leaves, out, back) in
        [(10_000, true, true), (10_000, false, true), (10_000, true, false), (100_000, true, true)]
    {
        let sample = star(leaves, out, back);
        let graph = sample.graph();
        for seeds in [vec![Seed::new(0, 1.0)], uniform(leaves + 1)] {
            let exact = sample.ranks(&seeds, 0.5, Dangling::ToSeeds);
            let page_rank = PageRank::default().alpha(0.5);
            let found = page_rank.power(&graph, &seeds, 1e-9, &mut workspace).unwrap();
            assert_near("power", found.ranks, &exact, 40.0 / 0.5, 1e-9);
            let found =
                page_rank.power_each(&graph, &[&seeds[..], &[Seed::new(1, 1.0)]], 1e-9, &mut workspace).unwrap();
            assert_near("each", found.of(0), &exact, 40.0 / 0.5, 1e-9);
            assert_certified(&page_rank.push(&graph, &seeds, 1e-6).unwrap(), &exact, 0.5);
            let near = page_rank.push(&graph, &seeds, 1e-11).unwrap();
            assert_certified(&near, &exact, 0.5);
            let exact = sample.heat(&seeds, 3.0, Dangling::ToSeeds);
            let found = HeatKernel::new(3.0).sweep(&graph, &seeds, 1e-9, &mut workspace).unwrap();
            assert_near("heat", found.ranks, &exact, 40.0 * 4.0 + f64::from(found.sweeps), 1e-9);
            let cues = [&seeds[..], &[Seed::new(1, 1.0)]];
            let found = HeatKernel::new(3.0).sweep_each(&graph, &cues, 1e-9, &mut workspace).unwrap();
            assert_near("heats", found.of(0), &exact, 40.0 * 4.0 + f64::from(found.sweeps), 1e-9);
        }
    }
}

#[test]
fn weights_near_the_ends_of_f32_have_the_ranks_of_others() {
    let mut workspace = Workspace::new();
    for size in [1e-42f32, 1e-38, 1e35] {
        let mut sample = Sample::random(13, 300, 5);
        sample.edges.iter_mut().for_each(|edge| edge.weight *= size);
        let graph = sample.graph();
        for dangling in [Dangling::ToSeeds, Dangling::Evenly] {
            let page_rank = PageRank::default().dangling(dangling);
            let exact = sample.ranks(&SEEDS, 0.15, dangling);
            let found = page_rank.power(&graph, &SEEDS, 1e-9, &mut workspace).unwrap();
            assert!(distance(found.ranks, &exact) <= 1e-9 + 40.0 * ROUNDING / 0.15, "{size}");
            let found = page_rank.power_each(&graph, &[SEEDS], 1e-9, &mut workspace).unwrap();
            assert!(distance(found.of(0), &exact) <= 1e-9 + 40.0 * ROUNDING / 0.15, "{size}");
            for epsilon in [1e-4, 1e-9] {
                let near = page_rank.push(&graph, &SEEDS, epsilon).unwrap();
                assert_certified(&near, &exact, 0.15);
                assert!(near.residual <= epsilon * (graph.edge_count() + 2 * sample.nodes) as f64 + 2e-6, "{size}");
            }
            let exact = sample.heat(&SEEDS, 3.0, dangling);
            let found = HeatKernel::new(3.0).dangling(dangling).sweep(&graph, &SEEDS, 1e-9, &mut workspace).unwrap();
            let rounding = (160.0 + f64::from(found.sweeps)) * ROUNDING;
            assert!(distance(found.ranks, &exact) <= 1e-9 + rounding, "{size}");
        }
    }
}

#[test]
fn ranks_that_sweeps_took_over_lack_no_more_than_their_residual_at_any_node_to_which_many_lead() {
    // A ring of pages that all link to one, which links to few: what many pass on at once comes together there.
    let nodes = 3000;
    let ring = (1..nodes).flat_map(|node| [(node, node % (nodes - 1) + 1), (node, 0)]);
    let edges = ring.chain((1..=5).map(|few| (0, few * 500)));
    let edges = edges.map(|(source, target)| Edge::new(source, target, 1.0)).collect();
    let sample = Sample { nodes: nodes as usize, edges };
    let graph = sample.graph();
    let mut swept = 0;
    for alpha in [0.01, 0.15] {
        for dangling in [Dangling::ToSeeds, Dangling::Evenly] {
            let exact = sample.ranks(&SEEDS, alpha, dangling);
            for epsilon in [1e-3, 1e-5, 3e-6, 1e-6, 1e-7, 1e-9] {
                let near = PageRank::default().alpha(alpha).dangling(dangling).push(&graph, &SEEDS, epsilon).unwrap();
                assert_certified(&near, &exact, alpha);
                swept += u32::from(near.swept);
            }
        }
    }
    assert!((4..24).contains(&swept), "both ways were taken: {swept} of 24 were swept");
}

#[test]
fn ranks_are_within_their_tolerance_of_exact_ones() {
    let mut workspace = Workspace::new();
    for (seed, nodes, degree) in [(1, 30, 2), (2, 200, 8), (3, 2000, 20), (4, 20_000, 8)] {
        let sample = Sample::random(seed, nodes, degree);
        let graph = sample.graph();
        for (alpha, dangling) in [(0.15, Dangling::ToSeeds), (0.5, Dangling::Evenly), (1.0, Dangling::Evenly)] {
            let exact = sample.ranks(&SEEDS, alpha, dangling);
            for tolerance in [1e-1, 1e-3, 1e-8] {
                let page_rank = PageRank::default().alpha(alpha).dangling(dangling);
                let found = page_rank.power(&graph, &SEEDS, tolerance, &mut workspace).unwrap();
                let off = distance(found.ranks, &exact);
                let most = found.error + power_rounding(alpha);
                assert!(off <= most && found.error <= tolerance, "{nodes} nodes, {tolerance}: {off}");
            }
        }
    }
}

#[test]
fn heat_spreads_as_the_series_says_and_lacks_its_tail() {
    let mut workspace = Workspace::new();
    for (seed, nodes) in [(5, 40), (6, 3000)] {
        let sample = Sample::random(seed, nodes, 7);
        for (t, dangling) in
            [(0.0, Dangling::ToSeeds), (1.0, Dangling::Evenly), (5.0, Dangling::ToSeeds), (64.0, Dangling::Evenly)]
        {
            let exact = sample.heat(&SEEDS, t, dangling);
            for tolerance in [1e-2, 1e-8] {
                let kernel = HeatKernel::new(t).dangling(dangling);
                let found = kernel.sweep(&sample.graph(), &SEEDS, tolerance, &mut workspace).unwrap();
                let off = distance(found.ranks, &exact);
                assert!(off <= found.error + 1e-5 && found.error <= tolerance, "t {t}, {tolerance}: {off}");
                let sum: f64 = found.ranks.iter().map(|&rank| f64::from(rank)).sum();
                assert!(sum <= 1.0 + 1e-5 && sum >= 1.0 - found.error - 1e-5);
            }
        }
    }
}

#[test]
fn pushed_ranks_lack_no_more_than_their_residual_and_are_one_with_it() {
    let sample = Sample::random(7, 3000, 6);
    let graph = sample.graph();
    let mut swept = 0;
    for dangling in [Dangling::ToSeeds, Dangling::Evenly] {
        let exact = sample.ranks(&SEEDS, 0.15, dangling);
        for epsilon in [1.0, 1e-2, 1e-4, 1e-6, 1e-9] {
            let near = PageRank::default().dangling(dangling).push(&graph, &SEEDS, epsilon).unwrap();
            let found = dense(&near, sample.nodes);
            assert_certified(&near, &exact, 0.15);
            let sum: f64 = found.iter().sum();
            assert!((sum + near.residual - 1.0).abs() < 1e-5, "{epsilon}: {sum} and {}", near.residual);
            assert!(near.residual <= epsilon * (graph.edge_count() + 2 * sample.nodes) as f64 + 2e-6);
            swept += u32::from(near.swept);
        }
    }
    assert!((2..=6).contains(&swept), "both ways were taken: {swept} of 10 were swept");
}

#[test]
fn work_near_the_seeds_does_not_depend_on_how_large_the_graph_is() {
    let ring = |nodes: u32| {
        let edges = (0..nodes).flat_map(|node| [1, 2].map(|step| Edge::new(node, (node + step) % nodes, 1.0)));
        Graph::from_edges(nodes as usize, edges).unwrap()
    };
    let strict = PageRank::default().on_overflow(OverflowPolicy::Error);
    let near = |nodes| strict.push(&ring(nodes), &[Seed::new(0, 1.0)], 1e-3).unwrap();
    assert_eq!(near(10_000), near(1_000_000));
}

#[test]
fn many_cues_side_by_side_have_the_ranks_of_each_by_itself() {
    let sample = Sample::random(8, 3000, 9);
    let graph = sample.graph();
    let cues: Vec<Vec<_>> = (0..37).map(|i| vec![Seed::new(i * 71, 1.0), Seed::new(4 + i, 0.5)]).collect();
    let (mut many, mut one) = (Workspace::new(), Workspace::new());
    for dangling in [Dangling::ToSeeds, Dangling::Evenly] {
        let page_rank = PageRank::default().dangling(dangling);
        for count in [0, 1, 16, 17, 37] {
            let found = page_rank.power_each(&graph, &cues[..count], 1e-7, &mut many).unwrap();
            assert_eq!((found.len(), found.is_empty(), found.of(count).len()), (count, count == 0, 0));
            for (cue, seeds) in cues[..count].iter().enumerate() {
                let single = page_rank.power(&graph, seeds, 1e-7, &mut one).unwrap();
                let single: Vec<_> = single.ranks.iter().map(|&rank| f64::from(rank)).collect();
                let (off, rounding) = (distance(found.of(cue), &single), 2.0 * power_rounding(0.15));
                assert!(off <= 1e-7 + 1e-7 + rounding, "cue {cue} of {count}: {off}");
            }
        }
    }
}

#[test]
fn heat_of_many_cues_side_by_side_is_that_of_each_by_itself() {
    let sample = Sample::random(14, 3000, 9);
    let graph = sample.graph();
    let cues: Vec<Vec<_>> = (0..37).map(|i| vec![Seed::new(i * 71, 1.0), Seed::new(4 + i, 0.5)]).collect();
    let (mut many, mut one) = (Workspace::new(), Workspace::new());
    for (t, dangling) in [(0.0, Dangling::Evenly), (2.0, Dangling::ToSeeds), (9.0, Dangling::Evenly)] {
        let kernel = HeatKernel::new(t).dangling(dangling);
        for count in [0, 1, 16, 17, 37] {
            let found = kernel.sweep_each(&graph, &cues[..count], 1e-7, &mut many).unwrap();
            assert_eq!((found.len(), found.is_empty(), found.of(count).len()), (count, count == 0, 0));
            for (cue, seeds) in cues[..count].iter().enumerate() {
                let single = kernel.sweep(&graph, seeds, 1e-7, &mut one).unwrap();
                // As many sweeps, so that what the tail has is left out of both alike; and the rounding of both.
                assert_eq!((single.sweeps, single.error), (found.sweeps, found.error));
                let roundings = 2.0 * (40.0 * (t + 1.0) + f64::from(found.sweeps));
                for (&found, &single) in found.of(cue).iter().zip(single.ranks) {
                    let (found, single) = (f64::from(found), f64::from(single));
                    let most = found.max(single) * roundings * ROUNDING;
                    assert!((found - single).abs() <= most, "cue {cue} of {count}: {found} and {single}");
                }
            }
        }
    }
}

#[test]
fn no_seeds_or_seeds_of_nothing_rank_nothing_and_are_in_no_others_way() {
    let (graph, mut workspace) = (Sample::random(15, 300, 4).graph(), Workspace::new());
    let (bytes, mut asked) = (graph.bytes(), false);
    for dangling in [Dangling::ToSeeds, Dangling::Evenly] {
        let (page_rank, kernel) = (PageRank::default().dangling(dangling), HeatKernel::new(2.0).dangling(dangling));
        for none in [&[][..], &[Seed::new(2, 0.0)]] {
            let near = page_rank.push(&graph, none, 1e-3).unwrap();
            assert_eq!((near.nodes.len(), near.residual, near.edges, near.stopped), (0, 0.0, 0, None));
            let found = page_rank.power(&graph, none, 1e-3, &mut workspace).unwrap();
            assert!(found.ranks == [0.0; 300] && (found.sweeps, found.edges, found.error) == (0, 0, 0.0));
            let found = kernel.sweep(&graph, none, 1e-3, &mut workspace).unwrap();
            assert!(found.ranks == [0.0; 300] && (found.sweeps, found.edges, found.error) == (0, 0, 0.0));
            let each = page_rank.power_each(&graph, &[none; 3], 1e-3, &mut workspace).unwrap();
            assert!(each.of(2) == [0.0; 300] && (each.sweeps, each.edges, each.error) == (0, 0, 0.0));
            let each = kernel.sweep_each(&graph, &[none; 3], 1e-3, &mut workspace).unwrap();
            assert!(each.of(2) == [0.0; 300] && (each.sweeps, each.edges, each.error) == (0, 0, 0.0));
            assert!(asked || graph.bytes() == bytes, "edges by target were made for nothing");
            asked = true;
            let alone = bits(page_rank.power_each(&graph, &[&SEEDS[..]], 1e-3, &mut workspace).unwrap().of(0));
            let each = page_rank.power_each(&graph, &[none, &SEEDS, none], 1e-3, &mut workspace).unwrap();
            assert!(each.of(0) == [0.0; 300] && bits(each.of(1)) == alone);
            let each = kernel.sweep_each(&graph, &[none, &SEEDS], 1e-3, &mut workspace).unwrap();
            assert!(each.of(0) == [0.0; 300] && each.of(1) != [0.0; 300]);
        }
    }
}

#[test]
fn ranks_do_not_depend_on_how_nodes_are_numbered_but_for_rounding() {
    let sample = Sample::random(12, 2000, 7);
    // 1201 and 2000 share no factor.
    let number = |node: u32| node * 1201 % 2000;
    let renumbered = sample.edges.iter().map(|edge| Edge::new(number(edge.source), number(edge.target), edge.weight));
    let (graph, other) = (sample.graph(), Graph::from_edges(sample.nodes, renumbered).unwrap());
    let seeds = SEEDS.map(|seed| Seed::new(number(seed.node), seed.activation));
    let (mut here, mut there) = (Workspace::new(), Workspace::new());
    let off = |ranks: &[f64], others: &[f64]| -> f64 {
        (0..).zip(ranks).map(|(node, rank)| (rank - others[number(node) as usize]).abs()).sum()
    };
    let wide = |ranks: &[f32]| ranks.iter().map(|&rank| f64::from(rank)).collect::<Vec<_>>();
    for dangling in [Dangling::ToSeeds, Dangling::Evenly] {
        let page_rank = PageRank::default().dangling(dangling);
        let power = wide(page_rank.power(&graph, &SEEDS, 1e-8, &mut here).unwrap().ranks);
        let renumbered = wide(page_rank.power(&other, &seeds, 1e-8, &mut there).unwrap().ranks);
        assert!(off(&power, &renumbered) <= 2.0 * (1e-8 + power_rounding(0.15)));
        let kernel = HeatKernel::new(4.0).dangling(dangling);
        let heat = kernel.sweep(&graph, &SEEDS, 1e-8, &mut here).unwrap();
        let (heat, sweeps) = (wide(heat.ranks), heat.sweeps);
        let renumbered = wide(kernel.sweep(&other, &seeds, 1e-8, &mut there).unwrap().ranks);
        assert!(off(&heat, &renumbered) <= 2.0 * (1e-8 + heat_rounding(4.0, sweeps)));
        // Pushed in another order, and within the residual of both all the same.
        let near = page_rank.push(&graph, &SEEDS, 1e-5).unwrap();
        let renumbered = page_rank.push(&other, &seeds, 1e-5).unwrap();
        let apart = off(&dense(&near, sample.nodes), &dense(&renumbered, sample.nodes));
        let rounding = push_rounding(&near, 0.15) + push_rounding(&renumbered, 0.15);
        assert!(apart <= near.residual + renumbered.residual + rounding, "{apart}");
        // Pushed and pulled.
        let pulled: f64 = dense(&near, sample.nodes).iter().zip(&power).map(|(near, rank)| (near - rank).abs()).sum();
        let rounding = push_rounding(&near, 0.15) + power_rounding(0.15);
        assert!(pulled <= near.residual + 1e-8 + rounding, "{pulled}");
    }
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let sample = Sample::random(9, 60_000, 5);
    let graph = sample.graph();
    let cues: Vec<_> = (0..20).map(|i| [Seed::new(i * 71, 1.0)]).collect();
    let run = |threads| {
        on_threads(threads, || {
            let mut workspace = Workspace::new();
            let power = bits(PageRank::default().power(&graph, &SEEDS, 1e-6, &mut workspace).unwrap().ranks);
            let heat = bits(HeatKernel::new(3.0).sweep(&graph, &SEEDS, 1e-6, &mut workspace).unwrap().ranks);
            let near = PageRank::default().push(&graph, &SEEDS, 1e-9).unwrap();
            assert!(near.swept);
            let each = PageRank::default().power_each(&graph, &cues, 1e-3, &mut workspace).unwrap();
            let each = bits(each.of(17));
            let heats = HeatKernel::new(3.0).sweep_each(&graph, &cues, 1e-3, &mut workspace).unwrap();
            (power, heat, bits(&near.ranks), each, bits(heats.of(17)))
        })
    };
    let (one, seven) = (run(1), run(7));
    assert!(one == seven);
}

#[test]
fn what_is_outside_its_range_is_refused_by_name() {
    let (graph, mut workspace) = (six(), Workspace::new());
    let seeds = [Seed::new(0, 1.0)];
    for alpha in [0.0, 1e-4, 1.1, f64::NAN] {
        for refusal in [
            PageRank::default().alpha(alpha).push(&graph, &seeds, 1e-3).unwrap_err(),
            PageRank::default().alpha(alpha).power(&graph, &seeds, 1e-3, &mut workspace).unwrap_err(),
        ] {
            assert!(matches!(refusal, Error::Value { what: "alpha", expected: "0.001 to 1", .. }), "{refusal}");
        }
    }
    for end in [0.0, 1e-13, 2.0, f64::NAN] {
        let refusal = PageRank::default().push(&graph, &seeds, end).unwrap_err();
        assert!(matches!(refusal, Error::Value { what: "epsilon", .. }), "{refusal}");
        let refusal = PageRank::default().power(&graph, &seeds, end, &mut workspace).unwrap_err();
        assert!(matches!(refusal, Error::Value { what: "tolerance", .. }), "{refusal}");
    }
    let refusal = HeatKernel::new(65.0).sweep(&graph, &seeds, 1e-3, &mut workspace).unwrap_err();
    assert!(matches!(refusal, Error::Value { what: "time", .. }), "{refusal}");
    let refusal = HeatKernel::new(1.0).sweep_each(&graph, &[seeds], 2.0, &mut workspace).unwrap_err();
    assert!(matches!(refusal, Error::Value { what: "tolerance", .. }), "{refusal}");
    let refusal = HeatKernel::new(1.0).sweep_each(&graph, &[[Seed::new(6, 1.0)]], 1e-3, &mut workspace);
    assert_eq!(refusal, Err(Error::Index { what: "seed", position: 0, len: 6, found: 6 }));
    let refusal = PageRank::default().power_each(&graph, &[&seeds[..], &[Seed::new(6, 1.0)]], 1e-3, &mut workspace);
    assert_eq!(refusal, Err(Error::Index { what: "seed", position: 0, len: 6, found: 6 }));
    assert_eq!(workspace.bytes(), 0);
}

#[test]
fn a_workspace_serves_one_call_after_the_other() {
    let (large, small) = (Sample::random(10, 500, 4).graph(), six());
    let mut workspace = Workspace::new();
    let _ = PageRank::default().power(&large, &SEEDS, 1e-3, &mut workspace).unwrap();
    let bytes = workspace.bytes();
    let again = bits(PageRank::default().power(&small, &SEEDS, 1e-3, &mut workspace).unwrap().ranks);
    assert_eq!((workspace.bytes(), bytes), (bytes, 3 * 4 * 500));
    let mut fresh = Workspace::new();
    assert_eq!(bits(PageRank::default().power(&small, &SEEDS, 1e-3, &mut fresh).unwrap().ranks), again);
}
