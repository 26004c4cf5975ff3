//! The building of graphs against a map of edges.

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::on_threads;
use ecphory::{
    Ages, Companion, Decay, Edge, Error, Graph, PageRank, Prepared, Progress, Rows, Seed, Spread, Workspace,
    quantize_i8,
};
use proptest::prelude::*;

/// A number below 2^31 for each call: the same at every run.
fn drawn(seed: u64) -> impl FnMut(u32) -> u32 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as u32 % below
    }
}

/// `count` edges with relations, of which one in eight leads out of node 7 and many are repeated.
fn edges(seed: u64, nodes: u32, count: usize) -> Vec<(Edge, u8)> {
    let mut draw = drawn(seed);
    let edge = |_| {
        let source = if draw(8) == 0 { 7 % nodes } else { draw(nodes) };
        let target = if draw(4) == 0 { draw(nodes).min(3) } else { draw(nodes) };
        (Edge::new(source, target, draw(1 << 20) as f32 / 65_536.0), draw(3) as u8)
    };
    (0..count).map(edge).collect()
}

/// Rows by the definition: weights of each source, target and relation, the smallest first, summed in f64.
fn oracle(edges: &[(Edge, u8)]) -> Vec<(u32, u32, u8, u32)> {
    let mut weights = BTreeMap::<_, Vec<f32>>::new();
    for (edge, relation) in edges {
        weights.entry((edge.source, edge.target, *relation)).or_default().push(edge.weight);
    }
    let sum = |mut all: Vec<f32>| {
        all.sort_unstable_by(f32::total_cmp);
        (all.into_iter().map(f64::from).sum::<f64>() as f32).to_bits()
    };
    weights.into_iter().map(|((source, target, relation), all)| (source, target, relation, sum(all))).collect()
}

fn rows(graph: &Graph) -> Vec<(u32, u32, u8, u32)> {
    let row = |source| {
        let relations = graph.relations_of(source).map(<[u8]>::to_vec);
        let edge = move |(index, edge): (usize, Edge)| {
            (source, edge.target, relations.as_ref().map_or(0, |all| all[index]), edge.weight.to_bits())
        };
        graph.edges_of(source).enumerate().map(edge)
    };
    (0..graph.node_count() as u32).flat_map(row).collect()
}

fn without_relations(edges: &[(Edge, u8)]) -> Vec<(Edge, u8)> {
    edges.iter().map(|&(edge, _)| (edge, 0)).collect()
}

proptest! {
    #[test]
    fn small_graphs_hold_what_the_map_holds(seed in any::<u64>(), nodes in 1u32..40, count in 0usize..200) {
        let edges = edges(seed, nodes, count);
        let graph = Graph::builder(nodes as usize).related(edges.iter().copied()).unwrap().build().unwrap();
        prop_assert_eq!(rows(&graph), oracle(&edges));
        let plain = Graph::from_edges(nodes as usize, edges.iter().map(|&(edge, _)| edge)).unwrap();
        prop_assert_eq!(rows(&plain), oracle(&without_relations(&edges)));
        prop_assert_eq!(plain.relations_of(0), None);
    }
}

/// Shapes of one piece and several, with few bands and many, and bands that end in the middle.
#[test]
fn graphs_of_many_pieces_and_bands_hold_what_the_map_holds_on_one_thread_and_seven() {
    for (nodes, count) in [(1, 40_000), (1000, 70_000), (70_001, 40_000), (300_000, 200_000), (200_000, 5)] {
        let edges = edges(3, nodes, count);
        let build = || Graph::builder(nodes as usize).related(edges.iter().copied()).unwrap().build().unwrap();
        let one = on_threads(1, build);
        assert!(rows(&one) == oracle(&edges), "{nodes} nodes, {count} edges");
        assert!(one == on_threads(7, build), "{nodes} nodes, {count} edges");
        let plain = on_threads(7, || Graph::from_edges(nodes as usize, edges.iter().map(|&(edge, _)| edge)).unwrap());
        assert!(rows(&plain) == oracle(&without_relations(&edges)), "{nodes} nodes, {count} edges");
        let strength = |node| plain.edges_of(node).map(|edge| f64::from(edge.weight)).sum::<f64>() as f32;
        assert!((0..nodes).all(|node| plain.out_strength(node) == Some(strength(node))));
    }
}

#[test]
fn a_node_with_most_of_the_edges_has_a_row_like_any_other() {
    let mut draw = drawn(5);
    let star: Vec<_> = (0..200_000).map(|_| (Edge::new(1, draw(150_000), 1.0), 0)).collect();
    let graph = Graph::from_edges(150_000, star.iter().map(|&(edge, _)| edge)).unwrap();
    assert!(rows(&graph) == oracle(&star));
}

#[test]
fn a_graph_does_not_depend_on_the_order_or_the_calls_by_which_edges_were_added() {
    let edges = edges(9, 5000, 100_000);
    let expected = Graph::builder(5000).related(edges.iter().copied()).unwrap().build().unwrap();
    let (front, back) = edges.split_at(33_333);
    let turned = Graph::builder(5000).related(back.iter().rev().copied()).unwrap();
    assert!(turned.related(front.iter().copied()).unwrap().build().unwrap() == expected);
}

#[test]
fn edges_added_without_a_relation_have_relation_0_where_others_have_one() {
    let edge = |weight| Edge::new(0, 1, weight);
    let builder = || Graph::builder(2).edges([edge(1.0)]).unwrap().related([(edge(2.0), 3), (edge(4.0), 0)]).unwrap();
    let graph = builder().edges([edge(8.0)]).unwrap().build().unwrap();
    assert_eq!(graph.relations_of(0), Some(&[0, 3][..]));
    assert_eq!(graph.edges_of(0).collect::<Vec<_>>(), [edge(13.0), edge(2.0)]);
    assert_eq!(graph.relations_of(1), Some(&[][..]));
    assert_eq!(graph.relations_of(u32::MAX), Some(&[][..]));
    assert_eq!(Graph::builder(2).related([]).unwrap().build().unwrap(), Graph::from_edges(2, []).unwrap());
}

#[test]
fn the_first_edge_that_is_none_is_refused_by_its_position_on_any_threads() {
    let mut all: Vec<_> = edges(1, 1000, 300_000).into_iter().map(|(edge, _)| edge).collect();
    (all[299_000].weight, all[200_123].target, all[200_124].source) = (-1.0, 1000, 2000);
    for threads in [1, 7] {
        let error = on_threads(threads, || Graph::from_edges(1000, all.iter().copied()).unwrap_err());
        assert_eq!(error, Error::Index { what: "edge target", position: 200_123, len: 1000, found: 1000 });
    }
}

#[test]
fn progress_never_goes_back_and_ends_with_all_of_it() {
    for count in [0, 3, 300_000] {
        let mut told: Vec<Progress> = Vec::new();
        let edges = edges(2, 50_000, count).into_iter().map(|(edge, _)| edge);
        let builder = Graph::builder(50_000).edges(edges).unwrap();
        let calls = AtomicUsize::new(0);
        let builder = builder.on_progress(|now| {
            assert_eq!(calls.fetch_add(1, Ordering::Relaxed), told.len());
            told.push(now);
        });
        builder.build().unwrap();
        assert!(told.is_sorted_by_key(|now| now.done), "{told:?}");
        assert!(told.iter().all(|now| now.total == 2 * count + 1), "{told:?}");
        assert_eq!(told.last().unwrap().done, 2 * count + 1);
        assert!(count < 300_000 || told.len() > 4, "{told:?}");
    }
}

#[test]
fn the_share_that_is_done_of_a_graph_without_edges_is_a_number() {
    let mut told = Vec::new();
    let builder = Graph::builder(5).on_progress(|now| told.push(now.done * 100 / now.total));
    builder.build().unwrap();
    assert_eq!(told.last(), Some(&100));
}

#[test]
fn a_builder_that_is_refused_tells_nothing_of_an_end() {
    let mut told = Vec::new();
    let builder = Graph::builder(1).edges([Edge::new(0, 1, 1.0)]).unwrap().on_progress(|now| told.push(now.done));
    assert!(builder.build().is_err());
    assert!(told.iter().all(|&done| done < 3), "{told:?}");
}

#[test]
fn rows_that_are_there_make_the_graph_that_their_edges_make() {
    for typed in [false, true] {
        let drawn = edges(5, 300, 4000);
        let builder = Graph::builder(300);
        let builder = if typed {
            builder.related(drawn).unwrap()
        } else {
            builder.edges(drawn.into_iter().map(|(edge, _)| edge)).unwrap()
        };
        let graph = builder.build().unwrap();
        let relations = graph.relations().map(<[u8]>::to_vec);
        assert_eq!(relations.is_some(), typed);
        let (offsets, targets) = (graph.offsets().to_vec(), graph.targets().to_vec());
        let rows = Graph::from_csr(offsets, targets, graph.weights().to_vec(), relations).unwrap();
        assert!(rows == graph && rows.out_strength(7) == graph.out_strength(7));
    }
    let bare = Graph::from_csr(vec![0, 0], vec![], vec![], None).unwrap();
    assert_eq!((bare.node_count(), bare.edge_count()), (1, 0));
}

#[test]
fn rows_that_are_none_are_refused_by_name_and_position() {
    let refused = |offsets: &[u32], targets: &[u32], weights: &[f32], kinds: Option<&[u8]>| {
        let kinds = kinds.map(<[u8]>::to_vec);
        Graph::from_csr(offsets.to_vec(), targets.to_vec(), weights.to_vec(), kinds).unwrap_err()
    };
    let most = u32::MAX as usize;
    for offsets in [&[][..], &[0]] {
        let expected = Error::Range { what: "node count", min: 1, max: most, found: 0 };
        assert_eq!(refused(offsets, &[], &[], None), expected);
    }
    let (two, first) = ([1.0; 2], Error::Range { what: "first offset", min: 0, max: 0, found: 1 });
    assert_eq!(refused(&[1, 2, 2], &[0, 1], &two, None), first);
    let order = |what, position, least, found| Error::Order { what, position, least, found };
    assert_eq!(refused(&[0, 2, 1], &[0, 1], &two, None), order("offset", 2, 2, 1));
    for last in [1, 3] {
        let expected = Error::Length { what: "edges, by the last offset", expected: 2, found: last };
        assert_eq!(refused(&[0, 1, last as u32], &[0, 1], &two, None), expected);
    }
    let length = |what, expected, found| Error::Length { what, expected, found };
    assert_eq!(refused(&[0, 2, 2], &[0, 1], &[1.0; 3], None), length("edge weights", 2, 3));
    assert_eq!(refused(&[0, 2, 2], &[0, 1], &two, Some(&[1])), length("edge relations", 2, 1));
    let index = Error::Index { what: "edge target", position: 1, len: 2, found: 2 };
    assert_eq!(refused(&[0, 2, 2], &[0, 2], &two, None), index);
    assert_eq!(refused(&[0, 2, 2], &[1, 1], &two, None), order("edge target", 1, 2, 1));
    assert_eq!(refused(&[0, 2, 2], &[1, 0], &two, Some(&[3, 4])), order("edge target", 1, 1, 0));
    assert_eq!(refused(&[0, 2, 2], &[1, 1], &two, Some(&[3, 3])), order("relation", 1, 4, 3));
    for weight in [-1.0, f32::NAN, f32::INFINITY] {
        let refusal = refused(&[0, 0, 1], &[0], &[weight], None);
        assert!(matches!(refusal, Error::Value { what: "edge weight", position: Some(0), .. }), "{refusal}");
    }
    let refusal = refused(&[0, 0, 2], &[0, 1], &[f32::MAX; 2], None);
    assert!(matches!(refusal, Error::Value { what: "out-strength of the node", position: Some(1), .. }), "{refusal}");
}

#[test]
fn edges_that_no_memory_holds_are_refused() {
    let endless = std::iter::repeat_n(Edge::new(0, 0, 1.0), usize::MAX);
    let error = Graph::builder(1).edges(endless.clone()).unwrap_err();
    assert!(matches!(error, Error::OutOfMemory { capacity: 0, .. }), "{error}");
    assert_eq!(error.to_string(), format!("out of memory: {} bytes needed, the system did not give them", usize::MAX));
    assert!(Graph::builder(1).related(endless.map(|edge| (edge, 0))).is_err());
}

#[test]
fn debug_says_how_much_there_is_and_not_all_of_it() {
    let edges = (0..30_000).map(|i| Edge::new(i / 3, i * 7 % 10_000, 1.0));
    let graph = Graph::from_edges(10_000, edges).unwrap();
    let numbers = vec![0.5; 64_000];
    let rows = Rows::new(&numbers, 64).unwrap();
    let companion = Companion::new(&rows).unwrap();
    let prepared = Prepared::new(rows).unwrap().with_companion(&companion).unwrap();
    let (mut one, mut many) = (Workspace::new(), Workspace::new());
    let seeds = [Seed::new(3, 1.0)];
    let ranks = PageRank::default().power(&graph, &seeds, 1e-3, &mut one).unwrap();
    let each = PageRank::default().power_each(&graph, &[seeds; 3], 1e-3, &mut many).unwrap();
    let (factors, times) = ([0.25; 256], vec![7; 9000]);
    let spread = Spread::default().relations(&factors).hops(9).threshold(0.0);
    for (text, holds) in [
        (format!("{graph:?}"), "nodes: 10000, edges: 30000, relations: false"),
        (format!("{rows:?}"), "len: 1000, dim: 64, stride: 64, elements: \"f32\", filtered: false"),
        (format!("{prepared:?}"), "companion: true"),
        (format!("{companion:?}"), "len: 1000, dim: 64"),
        (format!("{:?}", quantize_i8(&numbers, 64).unwrap()), "len: 1000, dim: 64"),
        (format!("{ranks:?}"), "10000 in all], sweeps: "),
        (format!("{each:?}"), "nodes: 10000, cues: 3, sweeps: "),
        (format!("{:?}", PageRank::default().push(&graph, &seeds, 1e-7).unwrap()), " in all], residual: "),
        (format!("{:?}", graph.spread(&seeds, &spread).unwrap()), " in all], edges: "),
        (format!("{spread:?}"), "256 in all]"),
        (format!("{:?}", Decay::half_lives_seconds(&numbers).unwrap()), "64000 in all]"),
        (format!("{:?}", Ages::Seconds(&numbers)), "64000 in all]"),
        (format!("{:?}", Ages::UnixMilliseconds { now: 9, times: &times }), "now: 9, times: ["),
        (format!("{one:?}"), "bytes: 120000"),
    ] {
        assert!(text.contains(holds), "expected {holds}, found {text}");
        assert!(text.len() < 700, "{} bytes: {text}", text.len());
    }
    let few = Graph::from_edges(8, (1..8).map(|node| Edge::new(0, node, 1.0))).unwrap();
    let woken = format!("{:?}", few.spread(&[Seed::new(0, 1.0)], &Spread::default()).unwrap());
    assert!(woken.contains("nodes: [0, 1, 2, 3, 4, 5, 6, 7]"), "{woken}");
}
