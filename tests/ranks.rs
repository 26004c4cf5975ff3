//! What holds of ranks on any graph, and what can be asked of them.

mod common;
#[path = "common/ranks.rs"]
mod ranks;

use common::on_threads;
use ecphory::{
    Dangling, Edge, Error, Graph, HeatKernel, NearRanks, OverflowPolicy, PageRank, Seed, Stopped, Workspace,
};
use proptest::prelude::*;
use ranks::{SEEDS, Sample, dense, distance, heat_rounding, power_rounding, push_rounding};

fn sum(ranks: impl Iterator<Item = f32>) -> f64 {
    ranks.map(f64::from).sum()
}

/// Nodes, edges among them and seeds, one of which at least is above 0.
fn network() -> impl Strategy<Value = (Sample, Vec<Seed>)> {
    let edges = prop::collection::vec((any::<u32>(), any::<u32>(), 0.01f32..2.0), 0..150);
    let seeds = prop::collection::vec((any::<u32>(), 0.01f32..4.0), 1..5);
    (1usize..60, edges, seeds).prop_map(|(nodes, edges, seeds)| {
        let node = |any: u32| any % nodes as u32;
        let edges = edges.into_iter().map(|(source, target, weight)| Edge::new(node(source), node(target), weight));
        let seeds = seeds.into_iter().map(|(at, activation)| Seed::new(node(at), activation));
        (Sample { nodes, edges: edges.collect() }, seeds.collect())
    })
}

fn page_rank() -> impl Strategy<Value = (f64, Dangling)> {
    (prop_oneof![Just(0.15), 0.05f64..1.0], prop_oneof![Just(Dangling::ToSeeds), Just(Dangling::Evenly)])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_of_the_seeds_is_lost((sample, seeds) in network(), (alpha, dangling) in page_rank(), digits in 0i32..9) {
        let (graph, mut workspace) = (sample.graph(), Workspace::new());
        let page_rank = PageRank::default().alpha(alpha).dangling(dangling);
        let near = page_rank.push(&graph, &seeds, 10f64.powi(-digits)).unwrap();
        let all = sum(near.ranks.iter().copied()) + near.residual;
        prop_assert!((all - 1.0).abs() <= push_rounding(&near, alpha), "{} and {}", all, near.residual);
        // However few sweeps there were, and however many.
        let power = page_rank.power(&graph, &seeds, 10f64.powi(-digits), &mut workspace).unwrap();
        let all = sum(power.ranks.iter().copied());
        prop_assert!((all - 1.0).abs() <= power_rounding(alpha), "{}", all);
        let kernel = HeatKernel::new(4.0 * alpha).dangling(dangling);
        let heat = kernel.sweep(&graph, &seeds, 10f64.powi(-digits), &mut workspace).unwrap();
        let (all, rounding) = (sum(heat.ranks.iter().copied()), heat_rounding(4.0 * alpha, heat.sweeps));
        prop_assert!(all <= 1.0 + rounding && all + heat.error >= 1.0 - rounding, "{}", all);
    }

    #[test]
    fn a_cue_among_others_has_the_ranks_that_it_has_alone((sample, seeds) in network(),
                                                          (alpha, dangling) in page_rank(), digits in 0i32..9) {
        let graph = sample.graph();
        let (mut many, mut one) = (Workspace::new(), Workspace::new());
        let (page_rank, tolerance) = (PageRank::default().alpha(alpha).dangling(dangling), 10f64.powi(-digits));
        let first = [Seed::new(0, 1.0)];
        let each = page_rank.power_each(&graph, &[&first[..], &seeds], tolerance, &mut many).unwrap();
        let single = page_rank.power(&graph, &seeds, tolerance, &mut one).unwrap();
        let found = each.cue(1).unwrap();
        prop_assert!(found.error <= tolerance && found.stopped.is_none());
        let exact: Vec<_> = single.ranks.iter().map(|&rank| f64::from(rank)).collect();
        let most = found.error + single.error + 2.0 * power_rounding(alpha);
        prop_assert!(distance(found.ranks, &exact) <= most);
        let pushed = page_rank.push_each(&graph, &[&first[..], &seeds], tolerance).unwrap();
        prop_assert_eq!(&pushed[1], &page_rank.push(&graph, &seeds, tolerance).unwrap());
    }

    /// What a residual at u brings v is what one at v would bring u, times the ratio of the weights of both: Andersen,
    /// Chung and Lang (2006), lemma 3 and theorem 4, here of weights too.
    #[test]
    fn where_links_go_both_ways_no_rank_lacks_more_than_its_edges_times_epsilon((sample, seeds) in network(),
            (alpha, dangling) in page_rank(), digits in 0i32..7, alike in any::<bool>()) {
        let mut both = std::collections::BTreeMap::new();
        for edge in &sample.edges {
            let weight = if alike { 1.0 } else { edge.weight };
            both.insert((edge.source, edge.target), weight);
            both.insert((edge.target, edge.source), weight);
        }
        // A seed that leads nowhere is none here.
        seeds.iter().for_each(|seed| _ = both.entry((seed.node, seed.node)).or_insert(1.0));
        let edges = both.into_iter().map(|((source, target), weight)| Edge::new(source, target, weight)).collect();
        let sample = Sample { edges, ..sample };
        let (graph, epsilon) = (sample.graph(), 10f64.powi(-digits));
        let exact = sample.ranks(&seeds, alpha, dangling);
        let near = PageRank::default().alpha(alpha).dangling(dangling).push(&graph, &seeds, epsilon).unwrap();
        let edges_of = |node: usize| graph.edges_of(node as u32).len() as f64;
        let weights_of = |node: usize| graph.edges_of(node as u32).map(|edge| f64::from(edge.weight)).sum::<f64>();
        let with_edges = (0..sample.nodes).filter(|&node| edges_of(node) > 0.0);
        let steepest = with_edges.map(|node| edges_of(node) / weights_of(node)).fold(0.0, f64::max);
        for (node, (found, exact)) in dense(&near, sample.nodes).into_iter().zip(exact).enumerate() {
            let most = if alike { epsilon * edges_of(node) } else { epsilon * weights_of(node) * steepest };
            prop_assert!(exact - found <= most + push_rounding(&near, alpha), "node {}: {} of {}", node, found, exact);
        }
    }
}

#[test]
fn a_seed_with_so_many_edges_that_epsilon_lets_none_push_keeps_what_it_has() {
    let hub = (1..=1000).map(|node| Edge::new(0, node, 1.0));
    let graph = Graph::from_edges(1003, hub.chain([Edge::new(1001, 1002, 1.0)])).unwrap();
    for dangling in [Dangling::ToSeeds, Dangling::Evenly] {
        let page_rank = PageRank::default().dangling(dangling);
        for epsilon in [1.001e-3, 2e-3, 1.0] {
            let near = page_rank.push(&graph, &[Seed::new(0, 5.0)], epsilon).unwrap();
            assert_eq!((near.nodes.len(), near.edges, near.residual), (0, 0, 1.0), "{epsilon}");
            assert!(near.stopped.is_none() && !near.swept);
        }
        let near = page_rank.push(&graph, &[Seed::new(0, 5.0)], 0.99e-3).unwrap();
        assert!(near.nodes == [0] && near.ranks[0] >= 0.1499 && near.edges >= 1000);
    }
    // Beside another one, which does push: what is left at the hub is its share, and what comes back to it.
    let near = PageRank::default().push(&graph, &[Seed::new(0, 3.0), Seed::new(1001, 1.0)], 1.001e-3).unwrap();
    assert!(!near.nodes.contains(&0) && near.nodes.contains(&1001));
    assert!(near.residual >= 0.75 && sum(near.ranks.iter().copied()) + near.residual >= 1.0 - 1e-6);
}

/// A node that leads to itself, whose ranks are exact at once, and others.
fn loop_and_others() -> Sample {
    let mut sample = Sample::random(21, 300, 6);
    sample.edges.retain(|edge| edge.source != 0);
    sample.edges.push(Edge::new(0, 0, 1.0));
    sample
}

#[test]
fn each_cue_tells_how_far_it_is_and_whether_something_ended_it_before() {
    let graph = loop_and_others().graph();
    let edges = graph.edge_count() as u64;
    let mut cues = vec![vec![Seed::new(1, 1.0)]; 40];
    cues[3] = vec![Seed::new(0, 1.0)];
    cues[17] = vec![];
    cues[32..].fill(vec![Seed::new(0, 2.0)]);
    let (mut workspace, mut one) = (Workspace::new(), Workspace::new());
    let page_rank = PageRank::default().work_most(2 * edges);
    let found = page_rank.power_each(&graph, &cues, 1e-6, &mut workspace).unwrap();
    assert_eq!((found.sweeps, found.edges, found.stopped), (2, 5 * edges, Some(Stopped::Work)));
    for (cue, ranks) in found.iter().enumerate() {
        let whole = [3, 17].contains(&cue) || cue >= 32;
        assert_eq!((ranks.stopped.is_none(), ranks.error <= 1e-6), (whole, whole), "cue {cue}");
        assert!(ranks == found.cue(cue).unwrap() && ranks.ranks == found.of(cue));
        // Where nothing but loops is in a group, one sweep is enough; so it is alone.
        assert_eq!((ranks.sweeps, ranks.edges), if cue < 32 { (2, 2 * edges) } else { (1, edges) }, "cue {cue}");
        let single = page_rank.power(&graph, &cues[cue], 1e-6, &mut one).unwrap();
        assert_eq!(single.stopped, ranks.stopped, "cue {cue}");
        assert!((single.error - ranks.error).abs() <= 2.0 * power_rounding(0.15));
    }
    assert_eq!((found.iter().len(), found.cue(40), found.of(40).len()), (40, None, 0));
    assert!(found.error == found.cue(0).unwrap().error);
    let heat = HeatKernel::new(3.0).work_most(edges).sweep_each(&graph, &cues, 1e-6, &mut workspace).unwrap();
    let stopped: Vec<_> = heat.iter().filter(|ranks| ranks.stopped.is_none()).map(|ranks| ranks.error).collect();
    assert_eq!(stopped, [0.0]);
}

#[test]
fn the_best_ranks_come_first_with_ties_by_lower_node_and_none_of_nothing() {
    let sample = Sample::random(22, 400, 3);
    let (graph, mut workspace) = (sample.graph(), Workspace::new());
    let sorted = |ranks: &[f64]| {
        let mut order: Vec<_> = (0..ranks.len() as u32).filter(|&node| ranks[node as usize] > 0.0).collect();
        order.sort_by(|&a, &b| ranks[b as usize].total_cmp(&ranks[a as usize]).then(a.cmp(&b)));
        order
    };
    let wide = |ranks: &[f32]| ranks.iter().map(|&rank| f64::from(rank)).collect::<Vec<_>>();
    let nodes = |best: Vec<Seed>| best.into_iter().map(|seed| seed.node).collect::<Vec<_>>();
    let near = PageRank::default().push(&graph, &SEEDS, 1e-3).unwrap();
    let found = PageRank::default().power(&graph, &SEEDS, 1e-3, &mut workspace).unwrap();
    let (pushed, all) = (sorted(&dense(&near, 400)), sorted(&wide(found.ranks)));
    assert!(pushed.len() < all.len() && all.len() < 400, "some nodes are not reached");
    for k in [0, 1, 5, all.len() - 1, all.len(), usize::MAX] {
        assert_eq!(nodes(near.top_k(k).unwrap()), pushed[..k.min(pushed.len())]);
        assert_eq!(nodes(found.top_k(k).unwrap()), all[..k.min(all.len())]);
    }
    assert!(
        near.iter().map(|seed| (seed.node, seed.activation)).eq(near.nodes.iter().copied().zip(near.ranks.clone()))
    );
    assert!(found.iter().len() == 400 && found.iter().all(|seed| seed.activation == found.ranks[seed.node as usize]));
    let cues = [&SEEDS[..], &[], &[Seed::new(7, 1.0)]];
    let each = PageRank::default().power_each(&graph, &cues, 1e-3, &mut workspace).unwrap();
    let best: Vec<Vec<u32>> = each.top_k(5).unwrap().into_iter().map(nodes).collect();
    let expected = (0..3).map(|cue| sorted(&wide(each.of(cue))).into_iter().take(5).collect());
    assert!(best.iter().cloned().eq(expected.collect::<Vec<Vec<u32>>>()) && best[1].is_empty() && best[2].len() == 5);
    // All alike.
    let ring = Graph::from_edges(9, (0..9).map(|node| Edge::new(node, (node + 1) % 9, 1.0))).unwrap();
    let seeds: Vec<_> = (0..9).map(|node| Seed::new(node, 1.0)).collect();
    let found = PageRank::default().power(&ring, &seeds, 1e-6, &mut workspace).unwrap();
    assert_eq!(nodes(found.top_k(4).unwrap()), [0, 1, 2, 3]);
}

#[test]
fn a_batch_pushes_what_each_cue_does_by_itself_on_one_thread_and_seven() {
    let sample = Sample::random(23, 3000, 6);
    let graph = sample.graph();
    let cues: Vec<Vec<_>> = (0..25).map(|i| vec![Seed::new(i * 71, 1.0), Seed::new(4 + i, 0.5)]).collect();
    let cues = [cues, vec![vec![]]].concat();
    for (epsilon, swept) in [(1e-2, false), (1e-4, false), (1e-7, true)] {
        for page_rank in [PageRank::default(), PageRank::default().dangling(Dangling::Evenly).work_most(100)] {
            let single = |seeds: &Vec<Seed>| page_rank.push(&graph, seeds, epsilon).unwrap();
            let singles: Vec<NearRanks> = cues.iter().map(single).collect();
            assert!(singles.iter().any(|near| near.swept) == (swept && singles[0].edges > 100));
            for threads in [1, 7] {
                assert!(on_threads(threads, || page_rank.push_each(&graph, &cues, epsilon)).unwrap() == singles);
            }
        }
    }
    assert_eq!(PageRank::default().push_each(&graph, &[[]; 0], 1e-3), Ok(vec![]));
}

#[test]
fn a_batch_of_pushes_is_refused_before_the_first_of_them() {
    let graph = Sample::random(24, 100_000, 4).graph();
    let cues = [vec![Seed::new(1, 1.0)], vec![Seed::new(100_000, 1.0)]];
    let refusal = PageRank::default().push_each(&graph, &cues, 1e-3);
    assert_eq!(refusal, Err(Error::Index { what: "seed", position: 0, len: 100_000, found: 100_000 }));
    let refusal = PageRank::default().push_each(&graph, &cues[..1], 0.0).unwrap_err();
    assert!(matches!(refusal, Error::Value { what: "epsilon", .. }), "{refusal}");
    // Of 32 bytes for each node, or of those that so many edges reach.
    let strict = PageRank::default().on_overflow(OverflowPolicy::Grow { max: 1 << 20 });
    let refusal = strict.push_each(&graph, &cues[..1], 1e-9).unwrap_err();
    assert!(matches!(refusal, Error::OutOfMemory { .. }), "{refusal}");
    assert!(strict.work_most(100).push_each(&graph, &cues[..1], 1e-9).is_ok());
}
