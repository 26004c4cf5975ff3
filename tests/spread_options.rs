//! What options make of spreading activation, against published numbers and against loops in f64 over dense matrices.

mod common;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::{bits, numbers};
use ecphory::{
    Activation, Aggregate, ArenaReport, Edge, Error, Fire, Graph, Inhibition, Kernel, OverflowPolicy, Seed, Spread,
    Stopped, Weighting,
};

fn graph(nodes: usize, edges: &[(u32, u32, f32)]) -> Graph {
    Graph::from_edges(nodes, edges.iter().map(|&(source, target, weight)| Edge::new(source, target, weight))).unwrap()
}

fn plain() -> Spread<'static> {
    Spread::default().threshold(0.0).transmission(1.0).retain(0.0).weighting(Weighting::AsGiven)
}

fn dense(found: &Activation, nodes: usize) -> Vec<f64> {
    let mut all = vec![0.0; nodes];
    found.iter().for_each(|seed| all[seed.node as usize] = f64::from(seed.activation));
    all
}

fn assert_near(found: &[f64], expected: &[f64], bound: f64) {
    assert_eq!(found.len(), expected.len());
    for (node, (found, expected)) in found.iter().zip(expected).enumerate() {
        let off = (found - expected).abs();
        assert!(off <= bound * expected.abs().max(1e-3), "node {node}: expected {expected}, found {found}");
    }
}

/// Some 200 nodes, 8 edges out of each but a few, as the seed says.
fn random_graph(seed: u64) -> (usize, Vec<(u32, u32, f32)>) {
    let (nodes, any) = (200usize, numbers(seed, 3 * 1600));
    let node = |x: f32| ((x + 1.0) * 0.499 * nodes as f32) as u32;
    let edges = any.chunks_exact(3).map(|x| (node(x[0]), node(x[1]), x[2].abs() + 0.01));
    let edges: BTreeMap<_, _> = edges.map(|(source, target, weight)| ((source, target), weight)).collect();
    (nodes, edges.into_iter().map(|((source, target), weight)| (source, target, weight)).collect())
}

/// ACT-R's tutorial, unit 5: the fan experiment. S = 1.6, W = 1 shared by two sources, F = 0.63; 0.845 s beside
/// retrieval.
#[test]
fn retrieval_takes_the_time_that_act_r_publishes_for_each_fan() {
    // Persons 0..3 of fan 1, 2, 3 facts; locations 3..6 likewise; facts from 6 on.
    let expected = [[1.0994, 1.1566, 1.2048], [1.1566, 1.2266, 1.2856], [1.2048, 1.2856, 1.3538]];
    for (person, row) in expected.iter().enumerate() {
        for (location, &seconds) in row.iter().enumerate() {
            let mut edges = vec![(0, 2, 1.0), (1, 2, 1.0)];
            edges.extend((0..person as u32).map(|other| (0, 3 + other, 1.0)));
            edges.extend((0..location as u32).map(|other| (1, 6 + other, 1.0)));
            let found = graph(9, &edges).fan_activation(&[Seed::new(0, 0.5), Seed::new(1, 0.5)], 1.6).unwrap();
            assert_eq!(found.nodes[0], 2);
            let time = 0.845 + 0.63 * (-f64::from(found.activations[0])).exp();
            assert!((time - seconds).abs() < 6e-5, "fans {person}, {location}: expected {seconds}, found {time}");
        }
    }
    // The lawyer in the store: S_ji = 0.91, A = 0.91, 0.2543 s of retrieval as the tutorial's trace rounds it.
    let lawyer = graph(3, &[(0, 2, 1.0), (1, 2, 1.0)]);
    let a = f64::from(lawyer.fan_activation(&[Seed::new(0, 0.5), Seed::new(1, 0.5)], 1.6).unwrap().activations[0]);
    assert!((a - 0.91).abs() < 5e-3 && (0.63 * (-a).exp() - 0.2543).abs() < 1e-4);
    // The hippie in the bank: 0.21 and 0.50, A = 0.36.
    let hippie = graph(6, &[(0, 2, 1.0), (0, 3, 1.0), (0, 4, 1.0), (1, 2, 1.0), (1, 5, 1.0)]);
    let a = hippie.fan_activation(&[Seed::new(0, 0.5), Seed::new(1, 0.5)], 1.6).unwrap().activations[0];
    assert!((a - 0.36).abs() < 5e-3, "{a}");
}

#[test]
fn each_link_counts_for_its_fan_and_repeated_sources_add() {
    // Two links to one node, of two relations, and one to another: a fan of four.
    let edges = [(0, 1, 1), (0, 1, 2), (0, 2, 1)].map(|(source, target, kind)| (Edge::new(source, target, 9.0), kind));
    let graph = Graph::builder(3).related(edges).unwrap().build().unwrap();
    let link = 2.0 - 4f64.ln();
    let activations = |sources: &[Seed]| dense(&graph.fan_activation(sources, 2.0).unwrap(), 3);
    assert_near(&activations(&[Seed::new(0, 0.5)]), &[0.0, link, 0.5 * link], 1e-6);
    let twice = [Seed::new(0, 0.5), Seed::new(0, 0.25)];
    assert_near(&activations(&twice), &[0.0, 1.5 * link, 0.75 * link], 1e-6);
    assert_eq!(graph.fan_activation(&twice, 2.0).unwrap().edges, 6);
}

/// spreadr's documented sequences: a' = (1 - decay) (r a + (1 - r) shares). What keeps all is linked to itself.
#[test]
fn activation_moves_as_spreadr_publishes() {
    let two = graph(2, &[(0, 1, 1.0), (1, 1, 1.0)]);
    let share = |r: f32, decay: f32| {
        plain()
            .weighting(Weighting::ByOutStrength)
            .fire(Fire::EveryHop)
            .retain(r * (1.0 - decay))
            .transmission((1.0 - r) * (1.0 - decay))
    };
    let after = |graph: &Graph, spread: Spread<'_>, hops| {
        dense(&graph.spread(&[Seed::new(0, 20.0)], &spread.hops(hops)).unwrap(), graph.node_count())
    };
    for (hops, expected) in (1..).zip([[10.0, 10.0], [5.0, 15.0], [2.5, 17.5], [1.25, 18.75]]) {
        assert_eq!(after(&two, share(0.5, 0.0), hops), expected);
    }
    for (hops, expected) in (1..).zip([[5.0, 5.0], [1.25, 3.75], [0.3125, 2.1875]]) {
        assert_eq!(after(&two, share(0.5, 0.5), hops), expected);
    }
    // Its first issue: five nodes, the last of which leads nowhere.
    let edges =
        [(0, 1, 1.0), (0, 4, 1.0), (1, 3, 1.0), (1, 4, 1.0), (3, 0, 1.0), (3, 1, 1.0), (3, 2, 1.0), (4, 4, 1.0)];
    let five = graph(5, &edges);
    let third = 5.0 / 3.0;
    let expected = [[0.0, 10.0, 0.0, 0.0, 10.0], [0.0, 0.0, 0.0, 5.0, 15.0], [third, third, third, 0.0, 15.0]];
    for (hops, expected) in (1..).zip(expected) {
        assert_near(&after(&five, share(0.0, 0.0), hops), &expected, 2e-7);
    }
}

#[test]
fn without_loss_what_all_nodes_have_together_stays_the_same() {
    for seed in 0..5 {
        let (nodes, mut edges) = random_graph(seed);
        edges.extend(
            (0..nodes as u32)
                .filter(|&node| !edges.iter().any(|edge| edge.0 == node))
                .map(|node| (node, node, 1.0))
                .collect::<Vec<_>>(),
        );
        let graph = graph(nodes, &edges);
        let spread = plain().weighting(Weighting::ByOutStrength).fire(Fire::EveryHop).retain(0.25).transmission(0.75);
        for hops in [0, 1, 3, 20] {
            let found = graph.spread(&[Seed::new(3, 1.0), Seed::new(9, 2.0)], &spread.hops(hops)).unwrap();
            let sum: f64 = found.activations.iter().map(|&a| f64::from(a)).sum();
            assert!((sum - 3.0).abs() < 1e-5, "after {hops} hops: {sum}");
        }
    }
}

#[test]
fn more_hops_and_lower_thresholds_never_make_a_node_less_active() {
    let (nodes, edges) = random_graph(7);
    let graph = graph(nodes, &edges);
    for (fire, aggregate) in [(Fire::EveryHop, Aggregate::Sum), (Fire::EveryHop, Aggregate::Max)] {
        let mut before = vec![0.0; nodes];
        for hops in 0..6 {
            let spread = Spread::default().fire(fire).aggregate(aggregate).hops(hops);
            let after = dense(&graph.spread(&[Seed::new(3, 1.0)], &spread).unwrap(), nodes);
            assert!(before.iter().zip(&after).all(|(before, after)| before <= after), "{hops} hops");
            before = after;
        }
        before.fill(0.0);
        for threshold in [1.0, 0.3, 0.1, 0.01, 0.0] {
            let spread = Spread::default().fire(fire).aggregate(aggregate).threshold(threshold);
            let after = dense(&graph.spread(&[Seed::new(3, 1.0)], &spread).unwrap(), nodes);
            assert!(before.iter().zip(&after).all(|(before, after)| before <= after), "threshold {threshold}");
            before = after;
        }
    }
}

#[test]
fn the_largest_share_is_that_of_the_best_path() {
    let (nodes, edges) = random_graph(11);
    let graph = graph(nodes, &edges);
    let hops = 4;
    let mut best = vec![0.0f64; nodes];
    best[5] = 1.0;
    for _ in 0..hops {
        let before = best.clone();
        for &(source, target, weight) in &edges {
            let path = before[source as usize] * f64::from(weight.min(1.0)) * f64::from(0.8f32);
            best[target as usize] = best[target as usize].max(path);
        }
    }
    let capped: Vec<_> = edges.iter().map(|&(source, target, weight)| (source, target, weight.min(1.0))).collect();
    let capped = self::graph(nodes, &capped);
    drop(graph);
    let spread = plain().aggregate(Aggregate::Max).fire(Fire::EveryHop).retain(1.0).transmission(0.8);
    let found = capped.spread(&[Seed::new(5, 1.0)], &spread.hops(hops)).unwrap();
    assert_near(&dense(&found, nodes), &best, 1e-6);
    // Best first, each node fires once, with what the best path to it left.
    let first = spread.fire(Fire::BestFirst { nodes: u32::MAX }).hops(1024);
    let all = capped.spread(&[Seed::new(5, 1.0)], &spread.hops(64)).unwrap();
    assert_eq!(dense(&capped.spread(&[Seed::new(5, 1.0)], &first).unwrap(), nodes), dense(&all, nodes));
}

/// The definition, node by node, over a sorted list in place of a queue.
fn best_first(
    nodes: usize,
    edges: &[(u32, u32, f32)],
    seeds: &[Seed],
    budget: usize,
    hops: usize,
) -> (Vec<f64>, usize) {
    let (mut activation, mut hop, mut fired) = (vec![0.0; nodes], vec![usize::MAX; nodes], vec![false; nodes]);
    for seed in seeds {
        activation[seed.node as usize] += f64::from(seed.activation);
        hop[seed.node as usize] = 0;
    }
    let mut firings = 0;
    while firings < budget {
        let ready = (0..nodes).filter(|&node| !fired[node] && activation[node] >= 0.02 && hop[node] < hops);
        let Some(node) = ready.max_by(|&a, &b| f64::total_cmp(&activation[a], &activation[b])) else { break };
        (fired[node], firings) = (true, firings + 1);
        let out = edges.iter().filter(|edge| edge.0 as usize == node);
        let strength: f64 = out.clone().map(|edge| f64::from(edge.2)).sum();
        let passed = activation[node] * f64::from(0.8f32) / strength;
        activation[node] *= 0.5;
        for edge in out {
            let target = edge.1 as usize;
            activation[target] += passed * f64::from(edge.2);
            if !fired[target] {
                hop[target] = hop[target].min(hop[node] + 1);
            }
        }
    }
    (activation, firings)
}

#[test]
fn the_most_active_fire_first_as_the_definition_says() {
    for seed in 0..8 {
        let (nodes, edges) = random_graph(seed);
        let graph = graph(nodes, &edges);
        let seeds = [Seed::new(3, 1.0), Seed::new(77, 0.7), Seed::new(120, 0.71)];
        for (budget, hops) in [(0, 3), (1, 3), (10, 3), (50, 2), (1000, 1), (1000, 3)] {
            let (expected, firings) = best_first(nodes, &edges, &seeds, budget, hops);
            let spread = Spread::default().threshold(0.02).retain(0.5).hops(hops as u32);
            let found = graph.spread(&seeds, &spread.fire(Fire::BestFirst { nodes: budget as u32 })).unwrap();
            assert_near(&dense(&found, nodes), &expected, 1e-5);
            let more = best_first(nodes, &edges, &seeds, budget + 1, hops).1 > firings;
            assert_eq!(found.stopped, more.then_some(Stopped::Budget), "budget {budget}, {hops} hops");
        }
    }
}

#[test]
fn the_strongest_edges_and_the_factor_of_fan_are_what_a_smaller_graph_says() {
    let (nodes, edges) = random_graph(21);
    let graph = graph(nodes, &edges);
    let seeds = [Seed::new(3, 1.0), Seed::new(77, 0.7)];
    for most in [0, 1, 3, 7, 100] {
        let mut kept = Vec::new();
        for node in 0..nodes as u32 {
            let mut out: Vec<_> = edges.iter().copied().filter(|edge| edge.0 == node).collect();
            out.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.1.cmp(&b.1)));
            kept.extend(out.into_iter().take(most));
        }
        let spread = plain().hops(3).retain(1.0);
        let expected = self::graph(nodes, &kept).spread(&seeds, &spread).unwrap();
        let found = graph.spread(&seeds, &spread.fan_out_most(most as u32)).unwrap();
        assert_near(&dense(&found, nodes), &dense(&expected, nodes), 1e-6);
    }
    let by_fan = edges.iter().map(|&(source, target, _)| {
        let fan = edges.iter().filter(|edge| edge.0 == source).count() as f64 + 1.0;
        (source, target, (f64::from(2.25f32) - fan.ln()).max(0.0) as f32)
    });
    let expected = self::graph(nodes, &by_fan.collect::<Vec<_>>()).spread(&seeds, &plain().hops(2)).unwrap();
    let found = graph.spread(&seeds, &plain().hops(2).weighting(Weighting::ByFan { strength: 2.25 })).unwrap();
    assert_near(&dense(&found, nodes), &dense(&expected, nodes), 1e-5);
}

#[test]
fn factors_of_relations_are_what_a_graph_of_weights_so_changed_says() {
    let (nodes, edges) = random_graph(61);
    let relation = |source: u32, target: u32| (source * 7 + target) as u8 % 5;
    let related =
        edges.iter().map(|&(source, target, weight)| (Edge::new(source, target, weight), relation(source, target)));
    // Twice as much of another relation beside each edge of relation 1, and that one carries nothing.
    let beside = edges.iter().filter(|edge| relation(edge.0, edge.1) == 1);
    let beside = beside.map(|&(source, target, weight)| (Edge::new(source, target, 2.0 * weight), 200));
    let graph = Graph::builder(nodes).related(related.chain(beside)).unwrap().build().unwrap();
    let mut factors = [1.0; 256];
    factors[..5].copy_from_slice(&[0.5, 0.25, 0.0, 1.0, 2.0]);
    factors[200] = 0.0;
    let changed: Vec<_> = edges
        .iter()
        .map(|&(source, target, weight)| (source, target, weight * factors[relation(source, target) as usize]))
        .filter(|edge| edge.2 > 0.0)
        .collect();
    let seeds = [Seed::new(3, 1.0), Seed::new(77, 0.7)];
    for fire in [Fire::Once, Fire::EveryHop, Fire::BestFirst { nodes: 40 }] {
        let spread = plain().hops(3).retain(1.0).fire(fire);
        let expected = self::graph(nodes, &changed).spread(&seeds, &spread).unwrap();
        let found = graph.spread(&seeds, &spread.relations(&factors)).unwrap();
        assert_eq!(found.nodes, expected.nodes, "{fire:?}");
        assert_near(&dense(&found, nodes), &dense(&expected, nodes), 1e-6);
    }
    // Without factors all edges count alike, and parallel ones add up.
    let both: Vec<_> = edges
        .iter()
        .map(|&(source, target, weight)| {
            (source, target, if relation(source, target) == 1 { 3.0 * weight } else { weight })
        })
        .collect();
    let expected = self::graph(nodes, &both).spread(&seeds, &Spread::default()).unwrap();
    let found = graph.spread(&seeds, &Spread::default()).unwrap();
    assert_near(&dense(&found, nodes), &dense(&expected, nodes), 1e-6);
    // A graph without relations has relation 0 alone.
    let halved: Vec<_> = edges.iter().map(|&(source, target, weight)| (source, target, 0.5 * weight)).collect();
    let spread = plain().hops(2);
    let expected = self::graph(nodes, &halved).spread(&seeds, &spread).unwrap();
    let found = self::graph(nodes, &edges).spread(&seeds, &spread.relations(&factors)).unwrap();
    assert_near(&dense(&found, nodes), &dense(&expected, nodes), 1e-6);
}

#[test]
fn inhibition_and_squashing_are_what_their_source_says() {
    let (nodes, edges) = random_graph(31);
    let graph = graph(nodes, &edges);
    let spread = plain().weighting(Weighting::ByOutStrength).retain(0.5).transmission(0.8).fire(Fire::EveryHop).hops(1);
    let mut state = graph.spread(&[Seed::new(3, 1.0), Seed::new(9, 0.4)], &spread.hops(0)).unwrap();
    for _ in 0..3 {
        let seeds: Vec<_> = state.iter().collect();
        let bare = graph.spread(&seeds, &spread).unwrap();
        let mut sorted: Vec<_> = bare.activations.iter().map(|&u| f64::from(u)).collect();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let squashed = |u: f64| {
            let above: f64 = sorted.iter().take(7).filter(|&&top| top > u).map(|top| top - u).sum();
            1.0 / (1.0 + (-5.0 * ((u - f64::from(0.15f32) * above).max(0.0) - 0.5)).exp())
        };
        let expected: Vec<_> = bare.activations.iter().map(|&u| squashed(f64::from(u))).collect();
        state = graph.spread(&seeds, &spread.inhibition(Inhibition::default())).unwrap();
        assert_eq!(state.nodes, bare.nodes);
        let found: Vec<_> = state.activations.iter().map(|&a| f64::from(a)).collect();
        assert_near(&found, &expected, 1e-6);
    }
}

#[test]
fn squashing_wakes_what_received_nothing_unless_the_threshold_is_above_its_floor() {
    // The second seed has nothing and nothing leads to it.
    let graph = graph(4, &[(0, 3, 1.0), (1, 2, 1.0)]);
    let spread = Spread::default().hops(2).inhibition(Inhibition::default());
    let floor = 1.0 / (1.0 + 2.5f64.exp());
    assert!((floor - 0.0759).abs() < 5e-5);
    let seeds = [Seed::new(0, 1.0), Seed::new(1, 0.0)];
    let after = |spread: Spread<'_>| graph.spread(&seeds, &spread).unwrap();
    let once = dense(&after(spread.hops(1)), 4);
    assert!((once[1] - floor).abs() < 1e-6 && once[2] == 0.0, "{once:?}");
    assert_eq!(after(spread).nodes, [0, 1, 3, 2]);
    assert_eq!(after(spread.threshold(0.075)).nodes, [0, 1, 3, 2]);
    assert_eq!(after(spread.threshold(0.077)).nodes, [0, 1, 3]);
}

#[test]
fn a_threshold_that_nothing_reaches_leaves_of_the_seeds_what_is_retained() {
    let graph = graph(3, &[(0, 1, 1.0), (1, 2, 1.0)]);
    let spread = Spread::default().threshold(2.0).hops(3);
    for (fire, retain, left) in
        [(Fire::Once, 1.0, 0.5), (Fire::EveryHop, 0.5, 0.0625), (Fire::BestFirst { nodes: 9 }, 0.5, 0.5)]
    {
        let found = graph.spread(&[Seed::new(0, 0.5)], &spread.fire(fire).retain(retain)).unwrap();
        assert_eq!((found.nodes, found.activations, found.edges), (vec![0], vec![left], 0), "{fire:?}");
    }
}

#[test]
fn all_edges_of_a_node_count_as_work_whatever_may_pass() {
    let graph = graph(9, &(1..9).map(|node| (0, node, node as f32)).collect::<Vec<_>>());
    let spread = Spread::default().hops(1).fan_out_most(2);
    let found = graph.spread(&[Seed::new(0, 1.0)], &spread).unwrap();
    assert_eq!((found.nodes, found.edges), (vec![0, 7, 8], 8));
    let found = graph.spread(&[Seed::new(0, 1.0)], &spread.work_most(7)).unwrap();
    assert_eq!((found.nodes, found.edges, found.stopped), (vec![0], 0, Some(Stopped::Work)));
}

#[test]
fn no_more_edges_are_walked_than_may_be_and_enough_change_no_bit() {
    let (nodes, edges) = random_graph(41);
    let graph = graph(nodes, &edges);
    let seeds = [Seed::new(3, 1.0), Seed::new(77, 0.7)];
    for fire in [Fire::Once, Fire::EveryHop, Fire::BestFirst { nodes: 1000 }] {
        let spread = Spread::default().fire(fire).threshold(0.0);
        let whole = graph.spread(&seeds, &spread).unwrap();
        assert_eq!(whole.stopped, None);
        for most in [0, 1, 20, 100, whole.edges - 1] {
            let found = graph.spread(&seeds, &spread.work_most(most)).unwrap();
            assert!(found.edges <= most && found.stopped == Some(Stopped::Work), "{fire:?} with {most}");
        }
        let enough = graph.spread(&seeds, &spread.work_most(whole.edges)).unwrap();
        assert_eq!(enough, whole);
    }
}

#[test]
fn a_deadline_far_away_changes_no_bit_and_one_that_has_passed_leaves_the_seeds() {
    let (nodes, edges) = random_graph(51);
    let graph = graph(nodes, &edges);
    let seeds = [Seed::new(3, 1.0), Seed::new(77, 0.7), Seed::new(3, 0.5)];
    let (later, past) = (Instant::now() + Duration::from_secs(3600), Instant::now());
    let kinds = [Fire::Once, Fire::EveryHop, Fire::BestFirst { nodes: 20 }];
    for (fire, hops) in kinds.into_iter().flat_map(|fire| [0, 1, 2, 5].map(|hops| (fire, hops))) {
        for spread in [Spread::default(), Spread::default().work_most(150).inhibition(Inhibition::new(3, 0.1))] {
            let spread = spread.fire(fire).hops(hops);
            let (whole, found) =
                (graph.spread(&seeds, &spread).unwrap(), graph.spread(&seeds, &spread.deadline(later)).unwrap());
            assert_eq!(bits(&found.activations), bits(&whole.activations));
            assert_eq!(found, whole, "{spread:?}");
            let late = graph.spread(&seeds, &spread.deadline(past)).unwrap();
            assert_eq!(late.nodes, [3, 77]);
            let hops_missed = hops > 0;
            assert_eq!(late.stopped, hops_missed.then_some(Stopped::Deadline));
            assert_eq!(late.edges, 0);
        }
    }
}

#[test]
fn scratch_follows_the_work_that_is_allowed_and_not_the_graph() {
    let nodes = 1_000_000;
    let graph = Graph::from_edges(nodes, (1..nodes as u32).map(|node| Edge::new(node - 1, node, 1.0))).unwrap();
    let strict = Spread::default().on_overflow(OverflowPolicy::Error).threshold(0.0);
    let seeds = [Seed::new(0, 1.0), Seed::new(999_000, 1.0)];
    assert!(matches!(graph.spread(&seeds, &strict), Err(Error::OutOfMemory { .. })));
    let found = graph.spread(&seeds, &strict.work_most(1000)).unwrap();
    assert_eq!(found.nodes, [0, 999_000, 1, 999_001, 2, 999_002, 3, 999_003]);
    assert!(graph.spread(&seeds, &strict.hops(1)).is_ok());
    let high =
        ArenaReport::now().kernels.iter().find(|kernel| kernel.kernel == Kernel::Spreading).unwrap().high_water_mark;
    assert!(high <= 33 * 1024, "{high} bytes for the 1,002 nodes that can be reached");
}

#[test]
fn options_outside_their_range_are_refused_by_name() {
    let graph = graph(3, &[(0, 1, 1.0)]);
    let mut factors = [1.0; 256];
    factors[9] = -1.0;
    let base = Spread::default();
    for (name, spread) in [
        ("fan strength", base.weighting(Weighting::ByFan { strength: f32::NAN })),
        ("relation factor", base.relations(&factors)),
        ("inhibition", base.inhibition(Inhibition::new(3, -0.1))),
        ("steepness", base.inhibition(Inhibition::default().squashed(f32::INFINITY, 0.0))),
        ("midpoint", base.inhibition(Inhibition::default().squashed(1.0, -0.5))),
    ] {
        let refusal = graph.spread(&[Seed::new(0, 1.0)], &spread).unwrap_err();
        assert!(matches!(refusal, Error::Value { what, .. } if what == name), "{name}: {refusal}");
    }
    let crowd = graph.spread(&[], &base.inhibition(Inhibition::new(65, 0.1)));
    assert_eq!(crowd, Err(Error::Range { what: "competitors", min: 0, max: 64, found: 65 }));
    let refusal = graph.fan_activation(&[Seed::new(0, 1.0)], f32::NAN).unwrap_err();
    assert!(matches!(refusal, Error::Value { what: "fan strength", .. }));
    assert_eq!(
        graph.fan_activation(&[Seed::new(3, 1.0)], 1.0),
        Err(Error::Index { what: "seed", position: 0, len: 3, found: 3 })
    );
}
