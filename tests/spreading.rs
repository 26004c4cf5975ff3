//! Spreading activation against a dense oracle in f64, and the building of graphs.

mod common;

use common::{bits, on_threads};
use ecphory::{
    Activation, Aggregate, ArenaStats, Edge, Error, Fan, Fire, Graph, OverflowPolicy, Seed, Spread, Weighting,
};
use proptest::prelude::*;

/// Unit roundoff of f32.
const U: f64 = 1.0 / 16_777_216.0;

#[derive(Debug, Clone, Copy)]
struct Options {
    hops: u32,
    threshold: f32,
    retain: f32,
    transmission: f32,
    fire: Fire,
    weighting: Weighting,
    aggregate: Aggregate,
}

/// Everything passed on at every hop and nothing kept.
const PLAIN: Options = Options {
    hops: 1,
    threshold: 0.0,
    retain: 0.0,
    transmission: 1.0,
    fire: Fire::EveryHop,
    weighting: Weighting::AsGiven,
    aggregate: Aggregate::Sum,
};

impl Options {
    fn spread(self) -> Spread<'static> {
        Spread::default()
            .hops(self.hops)
            .threshold(self.threshold)
            .retain(self.retain)
            .transmission(self.transmission)
            .fire(self.fire)
            .weighting(self.weighting)
            .aggregate(self.aggregate)
    }

    /// What `Graph::spread` promises where no node has more than `sources` edges into it. All quantities are sums and
    /// products of numbers that are not negative, so relative errors only add: each rounding is a factor between 1 - U
    /// and 1 + U. There are, in a hop, one of a weight that is a sum, one of the out-strength, one of what a source
    /// passes on for each weight, one of its product with that, `sources - 1` of their sum and one when what is
    /// retained is added, which has had no more: 4 and `sources`, without sums 4; before them one for each seed; and
    /// what f64 does to some of them, a part in 2^28 of U.
    fn promised_error(self, sources: usize, seeds: usize) -> f64 {
        let each_hop = if self.aggregate == Aggregate::Sum { sources as f64 + 4.0 } else { 4.0 };
        (1.0 - 1.001 * U).powf(-(seeds as f64 + f64::from(self.hops) * each_hop)) - 1.0
    }

    fn joined(self, a: f64, b: f64) -> f64 {
        if self.aggregate == Aggregate::Sum { a + b } else { a.max(b) }
    }
}

/// What a dense matrix says.
struct Dense {
    activation: Vec<f64>,
    /// The hop at which a node was first passed anything above zero; seeds at 0.
    reached_at: Vec<Option<u32>>,
    /// The smallest relative distance of any activation from the threshold.
    nearest_to_threshold: f64,
}

fn oracle(nodes: usize, edges: &[Edge], seeds: &[Seed], options: Options) -> Dense {
    let mut weight = vec![vec![0.0; nodes]; nodes];
    for edge in edges {
        weight[edge.source as usize][edge.target as usize] += f64::from(edge.weight);
    }
    let mut dense =
        Dense { activation: vec![0.0; nodes], reached_at: vec![None; nodes], nearest_to_threshold: f64::INFINITY };
    for seed in seeds {
        dense.activation[seed.node as usize] += f64::from(seed.activation);
        dense.reached_at[seed.node as usize] = Some(0);
    }
    let (threshold, mut fired) = (f64::from(options.threshold), vec![false; nodes]);
    for hop in 1..=options.hops {
        let mut received = vec![0.0; nodes];
        for source in 0..nodes {
            let activation = dense.activation[source];
            if threshold > 0.0 {
                let distance = (activation / threshold - 1.0).abs();
                dense.nearest_to_threshold = dense.nearest_to_threshold.min(distance);
            }
            if activation == 0.0 || activation < threshold || (options.fire == Fire::Once && fired[source]) {
                continue;
            }
            fired[source] = true;
            let strength: f64 = weight[source].iter().sum();
            let share = if options.weighting == Weighting::AsGiven { 1.0 } else { 1.0 / strength };
            for target in (0..nodes).filter(|&target| weight[source][target] > 0.0) {
                let amount = activation * weight[source][target] * share;
                received[target] = options.joined(received[target], amount);
                dense.reached_at[target].get_or_insert(hop);
            }
        }
        for (activation, received) in dense.activation.iter_mut().zip(received) {
            let kept = f64::from(options.retain) * *activation;
            *activation = options.joined(kept, f64::from(options.transmission) * received);
        }
    }
    dense
}

fn in_place_of_nodes(found: &Activation, nodes: usize) -> Vec<f32> {
    let mut all = vec![0.0; nodes];
    found.iter().for_each(|seed| all[seed.node as usize] = seed.activation);
    all
}

/// The most edges into any node.
fn into_any(nodes: usize, edges: &[Edge]) -> usize {
    let into = |node: usize| edges.iter().filter(|edge| edge.target as usize == node).count();
    (0..nodes).map(into).max().unwrap_or(0)
}

/// False where the oracle cannot tell whether a node reaches the threshold.
fn agrees(nodes: usize, edges: &[Edge], seeds: &[Seed], options: Options) -> bool {
    let dense = oracle(nodes, edges, seeds, options);
    let bound = options.promised_error(into_any(nodes, edges), seeds.len());
    if dense.nearest_to_threshold <= 4.0 * bound {
        return false;
    }
    let found = Graph::from_edges(nodes, edges.iter().copied()).unwrap().spread(seeds, &options.spread()).unwrap();
    for (node, (found, exact)) in in_place_of_nodes(&found, nodes).into_iter().zip(&dense.activation).enumerate() {
        let off = (f64::from(found) - exact).abs();
        assert!(off <= bound * exact, "node {node}: expected {exact}, found {found}, {options:?}");
    }
    let hops: Vec<_> = found.nodes.iter().map(|&node| dense.reached_at[node as usize]).collect();
    assert!(hops.iter().all(Option::is_some) && hops.is_sorted(), "reached out of order: {hops:?}");
    assert_eq!(hops.len(), dense.reached_at.iter().flatten().count(), "each node reached stands there once");
    let mut seeded: Vec<u32> = Vec::new();
    for seed in seeds {
        if !seeded.contains(&seed.node) {
            seeded.push(seed.node);
        }
    }
    assert_eq!(found.nodes[..seeded.len()], seeded, "seeds come first, as they were given");
    true
}

fn edge() -> impl Strategy<Value = (u32, u32, f32)> {
    (any::<u32>(), any::<u32>(), prop_oneof![0.01f32..2.0, Just(1.0f32)])
}

fn options() -> impl Strategy<Value = Options> {
    let shares =
        (prop_oneof![Just(0.0f32), 0.01f32..1.5], prop_oneof![Just(0.0f32), Just(1.0), 0.1f32..1.5], 0.1f32..1.5);
    (0u32..6, shares, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(hops, (threshold, retain, transmission), once, given, most)| Options {
            hops,
            threshold,
            retain,
            transmission,
            fire: if once { Fire::Once } else { Fire::EveryHop },
            weighting: if given { Weighting::AsGiven } else { Weighting::ByOutStrength },
            aggregate: if most { Aggregate::Max } else { Aggregate::Sum },
        },
    )
}

/// Nodes, edges among them, seeds.
fn network() -> impl Strategy<Value = (usize, Vec<Edge>, Vec<Seed>)> {
    let edges = prop::collection::vec(edge(), 0..150);
    let seeds = prop::collection::vec((any::<u32>(), prop_oneof![Just(0.0f32), 0.01f32..4.0]), 0..5);
    (1usize..70, edges, seeds).prop_map(|(nodes, edges, seeds)| {
        let node = |any: u32| any % nodes as u32;
        let edges = edges.into_iter().map(|(source, target, weight)| Edge::new(node(source), node(target), weight));
        let seeds = seeds.into_iter().map(|(at, activation)| Seed::new(node(at), activation));
        (nodes, edges.collect(), seeds.collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_graphs_spread_as_the_dense_oracle_says((nodes, edges, seeds) in network(), options in options()) {
        prop_assume!(agrees(nodes, &edges, &seeds, options));
    }

    /// Either run is within the promise of what is exact, which does not depend on what nodes are called: they differ
    /// by both together at most.
    #[test]
    fn nodes_by_other_names_have_the_same_activation((nodes, edges, seeds) in network(), options in options(),
                                                     keys in prop::collection::vec(any::<u64>(), 70)) {
        let (sources, dense) = (into_any(nodes, &edges), oracle(nodes, &edges, &seeds, options));
        let bound = options.promised_error(sources, seeds.len());
        prop_assume!(dense.nearest_to_threshold > 4.0 * bound);
        let mut order: Vec<_> = (0..nodes).collect();
        order.sort_by_key(|&node| keys[node]);
        let name = |node: u32| order[node as usize] as u32;
        let renamed = edges.iter().map(|edge| Edge::new(name(edge.source), name(edge.target), edge.weight));
        let started: Vec<_> = seeds.iter().map(|seed| Seed::new(name(seed.node), seed.activation)).collect();
        let one = Graph::from_edges(nodes, edges.iter().copied()).unwrap().spread(&seeds, &options.spread()).unwrap();
        let other = Graph::from_edges(nodes, renamed).unwrap().spread(&started, &options.spread()).unwrap();
        prop_assert_eq!((one.edges, one.len()), (other.edges, other.len()));
        let (one, other) = (in_place_of_nodes(&one, nodes), in_place_of_nodes(&other, nodes));
        for (node, exact) in dense.activation.iter().enumerate() {
            let (one, other) = (f64::from(one[node]), f64::from(other[order[node]]));
            prop_assert!((one - other).abs() <= 2.0 * bound * exact, "node {}: {} and {}", node, one, other);
        }
    }

    /// Where each fires at every hop, more can only come of more; where it fires once, it may have fired too early.
    /// With all retained the sums of one spread are the same, bit by bit, as those of one with more hops begins.
    #[test]
    fn more_hops_leave_no_node_less_where_all_is_retained((nodes, edges, seeds) in network(), options in options()) {
        let graph = Graph::from_edges(nodes, edges.iter().copied()).unwrap();
        let after = |hops| {
            let found = graph.spread(&seeds, &Options { retain: 1.0, hops, ..options }.spread()).unwrap();
            in_place_of_nodes(&found, nodes)
        };
        let (fewer, more) = (after(options.hops), after(options.hops + 1));
        prop_assert!(fewer.iter().zip(&more).all(|(fewer, more)| fewer <= more), "{:?} and {:?}", fewer, more);
    }

    /// Sums are taken in the order in which nodes were reached, so rounding may differ: of both as promised.
    #[test]
    fn a_lower_threshold_leaves_no_node_less_where_all_fire_at_every_hop(
        (nodes, edges, seeds) in network(), options in options(), part in 0f32..1.0,
    ) {
        let high = Options { fire: Fire::EveryHop, ..options };
        let low = Options { threshold: high.threshold * part, ..high };
        let bound = high.promised_error(into_any(nodes, &edges), seeds.len());
        let sharp = |options| oracle(nodes, &edges, &seeds, options).nearest_to_threshold > 4.0 * bound;
        prop_assume!(sharp(high) && sharp(low));
        let graph = Graph::from_edges(nodes, edges.iter().copied()).unwrap();
        let after = |options: Options| in_place_of_nodes(&graph.spread(&seeds, &options.spread()).unwrap(), nodes);
        for (node, (less, more)) in after(high).into_iter().zip(after(low)).enumerate() {
            let most = f64::from(more) * (1.0 + bound) / (1.0 - bound);
            prop_assert!(f64::from(less) <= most, "node {}: {} and {}", node, less, more);
        }
    }

    #[test]
    fn the_order_of_edges_does_not_change_the_graph(
        (nodes, edges, _) in network(), doubled in any::<bool>(), keys in prop::collection::vec(any::<u64>(), 300),
    ) {
        let edges = if doubled { edges.repeat(2) } else { edges };
        let mut shuffled: Vec<_> = edges.iter().copied().zip(keys).collect();
        shuffled.sort_by_key(|(_, key)| *key);
        let expected = Graph::from_edges(nodes, edges).unwrap();
        prop_assert_eq!(Graph::from_edges(nodes, shuffled.into_iter().map(|(edge, _)| edge)).unwrap(), expected);
    }

    #[test]
    fn a_graph_holds_the_sum_of_each_pair_and_of_each_node((nodes, edges, _) in network()) {
        let graph = Graph::from_edges(nodes, edges.iter().copied()).unwrap();
        let mut count = 0;
        for source in 0..nodes as u32 {
            let out = || edges.iter().filter(move |edge| edge.source == source);
            let neighbours: Vec<_> = graph.edges_of(source).map(|edge| (edge.target, edge.weight)).collect();
            prop_assert!(neighbours.is_sorted_by(|a, b| a.0 < b.0));
            prop_assert!(out().all(|edge| neighbours.iter().any(|&(target, _)| target == edge.target)));
            for &(target, weight) in &neighbours {
                let exact: f64 = out().filter(|edge| edge.target == target).map(|edge| f64::from(edge.weight)).sum();
                prop_assert!(exact > 0.0 && (f64::from(weight) - exact).abs() <= 1.01 * U * exact);
            }
            let strength: f64 = out().map(|edge| f64::from(edge.weight)).sum();
            let found = f64::from(graph.out_strength(source).unwrap());
            prop_assert!((found - strength).abs() <= 2.01 * U * strength);
            count += neighbours.len();
        }
        prop_assert_eq!(graph.edge_count(), count);
        prop_assert_eq!(graph.node_count(), nodes);
    }
}

/// A ring with chords, and cues all over it.
fn ring(nodes: u32) -> (Graph, Vec<Vec<Seed>>) {
    let edges = (0..nodes).flat_map(|node| {
        [1, 7, 31].map(|step| Edge::new(node, (node + step) % nodes, 1.0 / (1 + (node ^ step) % 5) as f32))
    });
    let cue = |start: u32| (0..start % 4).map(|i| Seed::new((start * 13 + i) % nodes, 0.3 + i as f32)).collect();
    (Graph::from_edges(nodes as usize, edges).unwrap(), (0..97).map(cue).collect())
}

#[test]
fn graphs_of_every_size_around_a_word_of_bits_fire_each_node_once() {
    for nodes in (1u32..=130).chain([1023, 1024, 1025]) {
        let graph = Graph::from_edges(nodes as usize, (1..nodes).map(|node| Edge::new(node - 1, node, 1.0))).unwrap();
        let options = Options { hops: nodes.min(1024), retain: 1.0, fire: Fire::Once, ..PLAIN };
        let found = graph.spread(&[Seed::new(0, 1.0)], &options.spread()).unwrap();
        // Down a chain in which each node fires once, everyone ends with what the first one had.
        assert_eq!(found.nodes, (0..nodes).collect::<Vec<_>>());
        assert_eq!(found.activations, vec![1.0; nodes as usize]);
    }
}

#[test]
fn a_node_that_has_fired_echoes_only_under_every_hop() {
    let graph = Graph::from_edges(2, [Edge::new(0, 1, 1.0), Edge::new(1, 0, 1.0)]).unwrap();
    let spread = |fire, hops| {
        let options = Options { hops, retain: 1.0, fire, ..PLAIN };
        in_place_of_nodes(&graph.spread(&[Seed::new(0, 1.0)], &options.spread()).unwrap(), 2)
    };
    assert_eq!(spread(Fire::Once, 1), [1.0, 1.0]);
    assert_eq!(spread(Fire::Once, 2), [2.0, 1.0]);
    assert_eq!(spread(Fire::Once, 9), [2.0, 1.0]);
    assert_eq!(spread(Fire::EveryHop, 2), [2.0, 2.0]);
    assert_eq!(spread(Fire::EveryHop, 3), [4.0, 4.0]);
}

#[test]
fn an_activation_equal_to_the_threshold_is_passed_on_and_less_is_not() {
    let graph = Graph::from_edges(2, [Edge::new(0, 1, 1.0)]).unwrap();
    let below = f32::from_bits(0.5f32.to_bits() - 1);
    let options = Options { threshold: 0.5, retain: 1.0, ..PLAIN };
    assert_eq!(graph.spread(&[Seed::new(0, 0.5)], &options.spread()).unwrap().activations, [0.5, 0.5]);
    let found = graph.spread(&[Seed::new(0, below)], &options.spread()).unwrap();
    assert_eq!((found.nodes, found.activations), (vec![0], vec![below]));
}

#[test]
fn a_source_keeps_what_spreadr_publishes_for_its_source() {
    // One link from node 1 to node 2, activation 20, retention 0.5 (spreadr, Siew 2019). Only the source is compared:
    // in spreadr a node with no way out keeps everything, here it keeps its share as every node does.
    let graph = Graph::from_edges(2, [Edge::new(0, 1, 1.0)]).unwrap();
    for (hops, source) in (1..).zip([10.0, 5.0, 2.5, 1.25]) {
        let options = Options { hops, retain: 0.5, transmission: 0.5, ..PLAIN };
        let found = graph.spread(&[Seed::new(0, 20.0)], &options.spread()).unwrap();
        assert_eq!((found.nodes[0], found.activations[0]), (0, source));
    }
}

#[test]
fn out_strength_shares_one_activation_among_all_links() {
    let edges = [Edge::new(0, 1, 3.0), Edge::new(0, 2, 1.0), Edge::new(3, 0, 0.0)];
    let graph = Graph::from_edges(4, edges).unwrap();
    let options = Options { retain: 1.0, weighting: Weighting::ByOutStrength, ..PLAIN };
    let found = graph.spread(&[Seed::new(0, 8.0), Seed::new(3, 1.0)], &options.spread()).unwrap();
    assert_eq!(in_place_of_nodes(&found, 4), [8.0, 6.0, 2.0, 1.0]);
    // The same shares, however small the weights.
    for scale in [1e-37f32, 1e-40, 1e-42] {
        let edges = [Edge::new(0, 1, scale), Edge::new(0, 2, scale), Edge::new(0, 3, 0.0)];
        let graph = Graph::from_edges(4, edges).unwrap();
        let found = graph.spread(&[Seed::new(0, 8.0)], &options.spread()).unwrap();
        assert_eq!(in_place_of_nodes(&found, 4), [8.0, 4.0, 4.0, 0.0], "weights of {scale}");
    }
}

#[test]
fn no_hops_give_the_seeds_back_and_no_seeds_give_nothing() {
    let (graph, _) = ring(40);
    let seeds = [Seed::new(9, 1.0), Seed::new(3, 0.0), Seed::new(9, 0.5), Seed::new(39, 2.0)];
    let found = graph.spread(&seeds, &Spread::default().hops(0)).unwrap();
    assert_eq!((found.nodes, found.activations), (vec![9, 3, 39], vec![1.5, 0.0, 2.0]));
    let nothing = graph.spread(&[], &Spread::default().hops(1024)).unwrap();
    assert!(nothing.is_empty() && nothing == Activation::default());
    let cues: [&[Seed]; 0] = [];
    assert_eq!(graph.spread_batch(&cues, &Spread::default()), Ok(vec![]));
}

#[test]
fn activation_saturates_at_the_largest_float() {
    let edges = [Edge::new(0, 1, 2.0), Edge::new(1, 0, f32::MAX), Edge::new(1, 2, 0.5)];
    let graph = Graph::from_edges(3, edges).unwrap();
    let options = Options { hops: 50, retain: 1e30, transmission: 1e30, ..PLAIN };
    let seeds = [Seed::new(0, f32::MAX), Seed::new(0, f32::MAX)];
    assert_eq!(graph.spread(&seeds, &options.spread().hops(0)).unwrap().activations, [f32::MAX]);
    assert_eq!(graph.spread(&seeds, &options.spread()).unwrap().activations, [f32::MAX; 3]);
    let still = Options { retain: 1.0, transmission: 0.0, ..PLAIN };
    let found = graph.spread(&[Seed::new(2, 3.0), Seed::new(0, 1.0)], &still.spread()).unwrap();
    assert_eq!(in_place_of_nodes(&found, 3), [1.0, 0.0, 3.0]);
}

#[test]
fn a_batch_holds_the_bits_of_each_cue_by_itself_on_one_thread_and_seven() {
    let (graph, cues) = ring(5000);
    for spread in [Spread::default(), Spread::default().hops(9).fire(Fire::EveryHop).weighting(Weighting::AsGiven)] {
        let singles: Vec<_> = cues.iter().map(|seeds| graph.spread(seeds, &spread).unwrap()).collect();
        for threads in [1, 7] {
            let batch = on_threads(threads, || graph.spread_batch(&cues, &spread)).unwrap();
            assert_eq!(batch.len(), singles.len());
            for (found, single) in batch.iter().zip(&singles) {
                assert_eq!(found.nodes, single.nodes);
                assert_eq!(bits(&found.activations), bits(&single.activations));
            }
        }
    }
}

#[test]
fn the_most_active_nodes_come_first_with_ties_by_lower_node() {
    let mut found = Activation::default();
    found.nodes = vec![4, 2, 9, 1, 7];
    found.activations = vec![1.0, 3.0, 1.0, f32::NAN, 0.0];
    let nodes = |k| found.top_k(k).unwrap().iter().map(|seed| seed.node).collect::<Vec<_>>();
    assert_eq!(nodes(0), []);
    assert_eq!(nodes(3), [2, 4, 9]);
    assert_eq!(nodes(usize::MAX), [2, 4, 9, 7, 1]);
    assert_eq!((found.len(), found.iter().len(), found.is_empty()), (5, 5, false));
}

#[test]
fn edges_that_are_not_edges_are_refused_by_position() {
    let good = Edge::new(0, 1, 1.0);
    let refuse = |edge| Graph::from_edges(3, [good, edge, good]).unwrap_err();
    let source = refuse(Edge::new(3, 0, 1.0));
    assert_eq!(source, Error::Index { what: "edge source", position: 1, len: 3, found: 3 });
    assert_eq!(source.to_string(), "edge source at position 1: expected an index below 3, found 3");
    let target = Error::Index { what: "edge target", position: 1, len: 3, found: u32::MAX as usize };
    assert_eq!(refuse(Edge::new(0, u32::MAX, 1.0)), target);
    for weight in [-1.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
        let Error::Value { what: "edge weight", position: Some(1), found, .. } = refuse(Edge::new(0, 1, weight)) else {
            panic!("{weight} must be refused as a weight");
        };
        assert_eq!(found.to_bits(), weight.to_bits());
    }
    let error = refuse(Edge::new(0, 1, -1.0)).to_string();
    assert_eq!(error, "edge weight at position 1: expected a finite number of 0 or more, found -1");
}

#[test]
fn repeated_edges_add_up_to_the_same_weight_in_any_order() {
    // Exactly halfway between two f32, and then a little that f64 only sees if it is added up first.
    let weights = [1.0, f32::powi(2.0, -24), f32::powi(2.0, -53), f32::powi(2.0, -53)];
    let graph = |order: [usize; 4]| Graph::from_edges(1, order.map(|i| Edge::new(0, 0, weights[i]))).unwrap();
    let expected = graph([0, 1, 2, 3]);
    assert_eq!(expected.edges_of(0).collect::<Vec<_>>(), [Edge::new(0, 0, 1.0 + f32::EPSILON)]);
    for order in [[3, 2, 1, 0], [2, 0, 3, 1], [1, 0, 3, 2], [2, 3, 0, 1], [0, 2, 1, 3]] {
        assert_eq!(graph(order), expected, "{order:?}");
    }
}

#[test]
fn sums_of_weights_beyond_f32_are_refused() {
    for edges in
        [[Edge::new(2, 1, f32::MAX), Edge::new(2, 1, f32::MAX)], [Edge::new(2, 0, f32::MAX), Edge::new(2, 1, f32::MAX)]]
    {
        let Err(Error::Value { what: "out-strength of the node", position: Some(2), found, .. }) =
            Graph::from_edges(3, edges)
        else {
            panic!("a sum of {edges:?} is not finite");
        };
        assert_eq!(found, f32::INFINITY);
    }
    let fits = Graph::from_edges(2, [Edge::new(0, 0, f32::MAX), Edge::new(1, 0, f32::MAX)]).unwrap();
    assert_eq!(fits.out_strength(1), Some(f32::MAX));
}

#[test]
fn a_graph_needs_a_node_and_no_edge() {
    let range = Error::Range { what: "node count", min: 1, max: u32::MAX as usize, found: 0 };
    assert_eq!(Graph::from_edges(0, []), Err(range.clone()));
    assert_eq!(range.to_string(), "node count: expected 1 to 2^32 - 1, found 0");
    assert!(Graph::from_edges(u32::MAX as usize + 1, []).is_err());
    let lone = Graph::from_edges(1, []).unwrap();
    assert_eq!((lone.node_count(), lone.edge_count(), lone.out_strength(0)), (1, 0, Some(0.0)));
    assert_eq!((lone.edges_of(0).len(), lone.edges_of(1).len(), lone.edges_of(u32::MAX).len()), (0, 0, 0));
    assert_eq!(lone.out_strength(1), None);
    assert_eq!(lone.spread(&[Seed::new(0, 1.0)], &Spread::default()).unwrap().activations, [1.0]);
}

#[test]
fn seeds_that_are_not_seeds_are_refused_by_position() {
    let (graph, _) = ring(40);
    let good = Seed::new(0, 1.0);
    let index = Error::Index { what: "seed", position: 1, len: 40, found: 40 };
    let bad = [good, Seed::new(40, 1.0)];
    assert_eq!(graph.spread(&bad, &Spread::default()), Err(index.clone()));
    assert_eq!(graph.spread_batch(&[&[good][..], &bad], &Spread::default()), Err(index));
    for activation in [-0.5, f32::NAN, f32::INFINITY] {
        let refusal = graph.spread(&[good, good, Seed::new(3, activation)], &Spread::default()).unwrap_err();
        assert!(matches!(refusal, Error::Value { what: "seed activation", position: Some(2), .. }), "{refusal}");
    }
}

#[test]
fn options_outside_their_range_are_refused_by_name() {
    let (graph, cues) = ring(40);
    let hops = Error::Range { what: "hops", min: 0, max: 1024, found: 1025 };
    assert_eq!(graph.spread(&cues[1], &Spread::default().hops(1025)), Err(hops.clone()));
    assert_eq!(graph.spread_batch(&cues, &Spread::default().hops(1025)), Err(hops));
    assert!(graph.spread(&cues[1], &Spread::default().hops(1024)).is_ok());
    for bad in [-1.0, f32::NAN, f32::INFINITY] {
        for (name, spread) in [
            ("threshold", Spread::default().threshold(bad)),
            ("retain", Spread::default().retain(bad)),
            ("transmission", Spread::default().transmission(bad)),
        ] {
            let refusal = graph.spread(&cues[1], &spread).unwrap_err();
            assert!(matches!(refusal, Error::Value { what, position: None, .. } if what == name), "{refusal}");
        }
    }
}

#[test]
fn what_does_not_fit_the_arena_of_a_fan_is_as_the_policy_says() {
    let links = 300_000;
    let hub = Graph::from_edges(links, (1..links as u32).map(|node| Edge::new(0, node, 1.0))).unwrap();
    let lent = hub.fan_activation(&[Seed::new(0, 1.0)], 20.0).unwrap();
    assert_eq!(lent.len(), links - 1);
    for policy in [OverflowPolicy::Error, OverflowPolicy::Grow { max: 1 << 20 }] {
        let refused = hub.fan_activation(&[Seed::new(0, 1.0)], Fan::new(20.0).on_overflow(policy));
        assert!(matches!(refused, Err(Error::OutOfMemory { .. })), "{policy:?}: {refused:?}");
    }
    let grown = Fan::new(20.0).on_overflow(OverflowPolicy::Grow { max: 64 << 20 });
    assert_eq!(hub.fan_activation(&[Seed::new(0, 1.0)], grown), Ok(lent));
}

#[test]
fn what_a_weak_node_passes_over_a_heavy_edge_keeps_its_digits() {
    let heavy = Graph::from_edges(2, [Edge::new(0, 1, 1e10)]).unwrap();
    let spread = Spread::default().hops(1).threshold(0.0).weighting(Weighting::AsGiven);
    let found = heavy.spread(&[Seed::new(0, 2e-44)], &spread).unwrap();
    let exact = f64::from(0.8f32) * f64::from(2e-44f32) * 1e10;
    assert!((f64::from(found.activations[1]) - exact).abs() <= exact * 1e-6, "{found:?}");
}

#[test]
fn few_cues_over_a_small_graph_stay_on_the_calling_thread() {
    let graph = Graph::from_edges(10, [Edge::new(0, 1, 1.0)]).unwrap();
    let before = ArenaStats::of_thread().rewind_count;
    graph.spread_batch(&[[Seed::new(0, 1.0)]; 5], &Spread::default()).unwrap();
    assert_eq!(ArenaStats::of_thread().rewind_count, before + 5);
}
