//! Spreads that the clock ends, and what they have found by then.

mod common;

use std::time::{Duration, Instant};

use common::{bits, numbers};
use ecphory::{Activation, Edge, Fire, Graph, Inhibition, Seed, Spread, Stopped};

const DEGREE: u32 = 8;

/// Eight edges out of each node, all of different targets, to everywhere.
fn graph(nodes: u32) -> Graph {
    let weights = numbers(5, (nodes * DEGREE) as usize);
    let edge = |(i, weight): (u32, f32)| {
        let (node, turn) = (i / DEGREE, i % DEGREE);
        Edge::new(node, (node.wrapping_mul(31) + 1 + turn * 9973) % nodes, weight.abs() + 0.05)
    };
    Graph::from_edges(nodes as usize, (0..).zip(weights).map(edge)).unwrap()
}

fn best_first(nodes: u32) -> Spread<'static> {
    Spread::default().fire(Fire::BestFirst { nodes }).hops(1024).threshold(0.0)
}

fn assert_same(found: &Activation, expected: &Activation) {
    assert_eq!(found.nodes, expected.nodes);
    assert_eq!(bits(&found.activations), bits(&expected.activations));
    assert_eq!(found.edges, expected.edges);
}

#[test]
fn best_first_stops_in_its_course_with_what_as_many_firings_find() {
    let graph = graph(100_000);
    let seeds = [Seed::new(3, 1.0), Seed::new(77, 0.7)];
    let whole = graph.spread(&seeds, &best_first(u32::MAX)).unwrap();
    assert_eq!((whole.stopped, whole.edges), (None, graph.edge_count() as u64));
    // Whenever this thread waits for its turn, a deadline may pass before the start; some do not, and then one that
    // comes before the end leaves some fired and some not.
    let midway = (0..200).find_map(|turn| {
        let deadline = Instant::now() + Duration::from_micros(200 << (turn % 8));
        let found = graph.spread(&seeds, &best_first(u32::MAX).deadline(deadline)).unwrap();
        (found.stopped == Some(Stopped::Deadline) && found.edges > 0).then_some(found)
    });
    let midway = midway.expect("a deadline between the first node that fires and the last");
    assert!(midway.edges < whole.edges, "{} of {} edges", midway.edges, whole.edges);
    assert!(midway.nodes[..] == whole.nodes[..midway.len()], "reached in the order of the whole");
    let fired = (midway.edges / u64::from(DEGREE)) as u32;
    assert_same(&midway, &graph.spread(&seeds, &best_first(fired)).unwrap());
}

#[test]
fn parts_of_best_first_are_the_whole_to_the_bit() {
    let graph = graph(30_000);
    let seeds = [Seed::new(3, 1.0), Seed::new(77, 0.7), Seed::new(3, 0.5)];
    let later = Instant::now() + Duration::from_secs(3600);
    let crowd = Inhibition::new(5, 0.01);
    for spread in [
        best_first(u32::MAX),
        best_first(9000),
        best_first(u32::MAX).work_most(50_000).retain(0.5),
        best_first(u32::MAX).hops(5).inhibition(crowd),
        best_first(12_345).threshold(1e-6).inhibition(crowd),
    ] {
        let whole = graph.spread(&seeds, &spread).unwrap();
        let found = graph.spread(&seeds, &spread.deadline(later)).unwrap();
        assert!(whole.edges > 3 * 4096, "several parts: {} edges", whole.edges);
        assert_eq!(found.stopped, whole.stopped);
        assert_same(&found, &whole);
    }
}

#[test]
fn one_deadline_is_for_all_cues_of_a_batch() {
    let graph = graph(1000);
    let cues: Vec<_> = (0..40).map(|node| [Seed::new(node, 1.0)]).collect();
    for late in graph.spread_batch(&cues, &best_first(u32::MAX).deadline(Instant::now())).unwrap() {
        assert_eq!((late.len(), late.edges, late.stopped), (1, 0, Some(Stopped::Deadline)));
    }
    let later = best_first(u32::MAX).deadline(Instant::now() + Duration::from_secs(3600));
    let singles = cues.iter().map(|seeds| graph.spread(seeds, &best_first(u32::MAX)));
    assert_eq!(graph.spread_batch(&cues, &later).unwrap(), singles.collect::<Result<Vec<_>, _>>().unwrap());
}
