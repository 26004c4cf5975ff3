//! Spreads, pushes and sweeps that the clock or the work ends, and what they have found by then.

mod common;

use std::time::{Duration, Instant};

use common::{bits, numbers};
use ecphory::{
    Activation, Dangling, Edge, Fire, Graph, HeatKernel, Inhibition, PageRank, Seed, Spread, Stopped, Workspace,
};

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

/// Ranks and what they lack come to one, but for rounding.
fn assert_whole(ranks: &[f32], lacking: f64) {
    let sum: f64 = ranks.iter().map(|&rank| f64::from(rank)).sum();
    assert!((sum + lacking - 1.0).abs() < 1e-5, "{sum} and {lacking}");
}

#[test]
fn a_push_stops_where_its_work_is_done_and_has_a_certificate_all_the_same() {
    let graph = graph(3000);
    let (seeds, edges) = ([Seed::new(3, 1.0), Seed::new(77, 0.7)], graph.edge_count() as u64);
    let mut workspace = Workspace::new();
    for dangling in [Dangling::ToSeeds, Dangling::Evenly] {
        let page_rank = PageRank::default().dangling(dangling);
        let exact = page_rank.power(&graph, &seeds, 1e-9, &mut workspace).unwrap();
        let whole = page_rank.push(&graph, &seeds, 1e-7).unwrap();
        assert!(whole.swept && whole.stopped.is_none());
        let mut last = 1.0;
        for most in [0, 7, 8, 100, 5000, 5 * edges, 9 * edges, 10 * edges, whole.edges - 1] {
            let found = page_rank.work_most(most).push(&graph, &seeds, 1e-7).unwrap();
            assert_eq!((found.stopped, found.swept), (Some(Stopped::Work), most >= 10 * edges), "{most}");
            assert!(found.edges <= most && found.edges + edges.max(8) > most, "{} of {most}", found.edges);
            assert!(found.residual <= last && (found.residual < 1.0 || most < 8));
            last = found.residual;
            assert_whole(&found.ranks, found.residual);
            for (&node, &rank) in found.nodes.iter().zip(&found.ranks) {
                let (exact, rank) = (f64::from(exact.ranks[node as usize]), f64::from(rank));
                assert!(rank <= exact + 1e-6 && exact <= rank + found.residual + 1e-6);
            }
            assert_eq!(page_rank.work_most(most).push(&graph, &seeds, 1e-7).unwrap(), found);
        }
        for enough in [whole.edges, u64::MAX] {
            assert_eq!(page_rank.work_most(enough).push(&graph, &seeds, 1e-7).unwrap(), whole);
        }
    }
}

#[test]
fn a_push_that_stops_lacks_what_it_has_yet_to_share_evenly_too() {
    let whole = graph(3000);
    let some = (0..3000).filter(|node| node % 3 > 0).flat_map(|node| whole.edges_of(node));
    let graph = Graph::from_edges(3000, some).unwrap();
    for dangling in [Dangling::ToSeeds, Dangling::Evenly] {
        for most in [8, 100, 1000, 5000] {
            let page_rank = PageRank::default().dangling(dangling).work_most(most);
            let found = page_rank.push(&graph, &[Seed::new(4, 1.0)], 1e-7).unwrap();
            assert_eq!((found.stopped, found.swept), (Some(Stopped::Work), false));
            assert_whole(&found.ranks, found.residual);
        }
    }
}

#[test]
fn a_push_that_is_in_time_has_the_bits_of_one_without_a_clock_and_one_that_is_not_tells_what_it_lacks() {
    let graph = graph(30_000);
    let seeds = [Seed::new(3, 1.0), Seed::new(77, 0.7)];
    let later = Instant::now() + Duration::from_secs(3600);
    for epsilon in [1e-3, 1e-6] {
        let whole = PageRank::default().push(&graph, &seeds, epsilon).unwrap();
        assert_eq!(PageRank::default().deadline(later).push(&graph, &seeds, epsilon).unwrap(), whole);
        let late = PageRank::default().deadline(Instant::now()).push(&graph, &seeds, epsilon).unwrap();
        assert_eq!((late.nodes.len(), late.edges, late.stopped), (0, 0, Some(Stopped::Deadline)));
        assert!((late.residual - 1.0).abs() < 1e-9);
    }
    let midway = (0..200).find_map(|turn| {
        let deadline = Instant::now() + Duration::from_micros(200 << (turn % 8));
        let found = PageRank::default().deadline(deadline).push(&graph, &seeds, 1e-6).unwrap();
        (found.stopped == Some(Stopped::Deadline) && found.edges > 0 && !found.swept).then_some(found)
    });
    let midway = midway.expect("a deadline between the first node that pushes and the last");
    assert_whole(&midway.ranks, midway.residual);
    let mut fewer = PageRank::default().work_most(midway.edges).push(&graph, &seeds, 1e-6).unwrap();
    fewer.stopped = midway.stopped;
    assert_eq!(fewer, midway);
}

#[test]
fn sweeps_stop_before_the_one_that_is_too_much_and_tell_how_far_from_exact_they_are() {
    let graph = graph(3000);
    let (seeds, edges) = ([Seed::new(3, 1.0), Seed::new(77, 0.7)], graph.edge_count() as u64);
    let (mut one, mut many, mut exact) = (Workspace::new(), Workspace::new(), Workspace::new());
    let off = |found: &[f32], exact: &[f32]| -> f64 {
        found.iter().zip(exact).map(|(&found, &exact)| (f64::from(found) - f64::from(exact)).abs()).sum()
    };
    let cues = vec![seeds; 17];
    for (sweeps, limit) in [(0, 0), (0, edges - 1), (1, edges), (1, 2 * edges - 1), (4, 4 * edges)] {
        let page_rank = PageRank::default().work_most(limit);
        let ranks = PageRank::default().power(&graph, &seeds, 1e-9, &mut exact).unwrap().ranks;
        let found = page_rank.power(&graph, &seeds, 1e-6, &mut one).unwrap();
        assert_eq!((found.sweeps, found.edges), (sweeps, u64::from(sweeps) * edges));
        assert!(found.stopped == Some(Stopped::Work) && off(found.ranks, ranks) <= found.error + 1e-5);
        assert!(found.error > 1e-6 && found.error <= 2.0 * 0.85f64.powi(sweeps as i32) + 1e-9);
        let each = page_rank.power_each(&graph, &cues, 1e-6, &mut many).unwrap();
        assert_eq!((each.sweeps, each.edges, each.stopped), (sweeps, 2 * found.edges, found.stopped));
        assert!(off(each.of(16), found.ranks) < 1e-5 && (each.error - found.error).abs() < 1e-5);
        let kernel = HeatKernel::new(6.0).work_most(limit);
        let ranks = HeatKernel::new(6.0).sweep(&graph, &seeds, 1e-9, &mut exact).unwrap().ranks;
        let found = kernel.sweep(&graph, &seeds, 1e-6, &mut one).unwrap();
        assert_eq!((found.sweeps, found.edges), (sweeps, u64::from(sweeps) * edges));
        assert!(found.stopped == Some(Stopped::Work) && off(found.ranks, ranks) <= found.error + 1e-5);
        let each = kernel.sweep_each(&graph, &cues, 1e-6, &mut many).unwrap();
        assert_eq!((each.sweeps, each.edges, each.stopped), (sweeps, 2 * found.edges, found.stopped));
        assert!(off(each.of(16), found.ranks) < 1e-5 && each.error == found.error);
    }
}

#[test]
fn no_sweep_begins_after_the_deadline_and_a_later_one_changes_nothing() {
    let graph = graph(3000);
    let cues = vec![[Seed::new(3, 1.0), Seed::new(77, 0.7)]; 17];
    let (mut timed, mut free) = (Workspace::new(), Workspace::new());
    let (late, later) = (Instant::now(), Instant::now() + Duration::from_secs(3600));
    let (page_rank, kernel) = (PageRank::default(), HeatKernel::new(6.0));
    let stopped = Some(Stopped::Deadline);
    let found = page_rank.deadline(late).power(&graph, &cues[0], 1e-6, &mut timed).unwrap();
    assert_eq!((found.sweeps, found.stopped, found.error), (0, stopped, 2.0 * 0.85));
    let found = page_rank.deadline(late).power_each(&graph, &cues, 1e-6, &mut timed).unwrap();
    assert_eq!((found.sweeps, found.stopped), (0, stopped));
    let found = kernel.deadline(late).sweep(&graph, &cues[0], 1e-6, &mut timed).unwrap();
    assert_eq!((found.sweeps, found.stopped, found.error), (0, stopped, 1.0));
    let found = kernel.deadline(late).sweep_each(&graph, &cues, 1e-6, &mut timed).unwrap();
    assert_eq!((found.sweeps, found.stopped), (0, stopped));
    let found = page_rank.deadline(later).power(&graph, &cues[0], 1e-6, &mut timed).unwrap();
    assert!(found.stopped.is_none() && found == page_rank.power(&graph, &cues[0], 1e-6, &mut free).unwrap());
    let found = kernel.deadline(later).sweep_each(&graph, &cues, 1e-6, &mut timed).unwrap();
    assert!(found.stopped.is_none() && found == kernel.sweep_each(&graph, &cues, 1e-6, &mut free).unwrap());
}
