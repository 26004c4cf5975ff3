//! Walks that restart, as other libraries take them.

use std::panic::resume_unwind;
use std::time::Duration;

use ecphory_measure::cases::check;
use ecphory_measure::cases::ranks::{RESTART, Walk};
use ecphory_measure::data::Csr;
use ecphory_measure::{Case, Clock, Contender, pin_to_first};
use graph::prelude::{CsrLayout, DirectedCsrGraph, GraphBuilder, PageRankConfig, page_rank};
use sprs::CsMatI;
use sprs::prod::mul_acc_mat_vec_csr;

use super::frontier::digraph;

/// Iterations after which nothing changes in f32.
const MANY: usize = 64;

/// Adds `sprs`: a product that adds to what restarts.
pub fn join_sprs(case: &mut Case<'static>, walk: &Walk) {
    case.try_add("sprs", None, || sprs(walk));
}

fn sprs(walk: &Walk) -> Result<Contender<'static>, String> {
    let parts = (walk.offsets.to_vec(), walk.sources.to_vec(), walk.narrow_shares().to_vec());
    let shares = CsMatI::<f32, u32>::try_new((walk.nodes(), walk.nodes()), parts.0, parts.1, parts.2)
        .map_err(|(.., error)| format!("sprs: {error}"))?;
    let (start, restart) = (walk.start.clone(), walk.restart());
    let step = move |next: &mut [f32]| {
        next.fill(0.0);
        restart.iter().for_each(|&(node, mass)| next[node as usize] += mass);
        mul_acc_mat_vec_csr(shares.view(), &start[..], next);
    };
    let mut next = vec![f32::NAN; walk.nodes()];
    step(&mut next);
    walk.check_iteration("sprs", &next)?;
    Ok(Contender::new("sprs", Clock::Thread, move || step(std::hint::black_box(&mut next))))
}

/// Adds `graph`, which is asked for so many iterations as the work is to be done times, and for some at least, so that
/// what it does before the first is a small part. It starts as many threads in every iteration as there are CPUs for
/// the one that asks: `threads` are allowed.
pub fn join_graph(case: &mut Case<'static>, csr: &Csr, threads: usize) {
    let started = if threads == 1 { "a thread".into() } else { format!("{threads} threads") };
    let note = format!("no weights, restarts anywhere, in place; starts {started} in every iteration");
    case.try_add("graph", Some(note), || graph(csr, threads));
}

fn graph(csr: &Csr, threads: usize) -> Result<Contender<'static>, String> {
    let edges = csr.edges().map(|(source, target, _)| (source, target));
    let graph: DirectedCsrGraph<u32> = GraphBuilder::new().csr_layout(CsrLayout::Sorted).edges(edges).build();
    let rank = move |times: usize| page_rank(&graph, PageRankConfig::new(times, 0.0, (1.0 - RESTART) as f32));
    let mut equal = csr.clone();
    equal.weights.fill(1.0);
    check("graph", &rank(MANY).0, &anywhere(&equal, MANY), |_, exact| 1e-4 * exact)?;
    let clock = if threads == 1 { Clock::Process } else { Clock::Wall };
    let timed = move |times: u64| {
        let start = clock.now();
        let (_, iterations, _) = std::hint::black_box(rank(times.max(10) as usize));
        (clock.now() - start).mul_f64(times as f64 / iterations as f64)
    };
    let sample = move |times: u64| {
        if threads == 1 {
            return timed(times);
        }
        // Whoever waits here is bound to one CPU, and so would all be that it starts.
        let unbound = || {
            pin_to_first(threads);
            timed(times)
        };
        std::thread::scope(|scope| scope.spawn(unbound).join()).unwrap_or_else(|panic| resume_unwind(panic))
    };
    Ok(Contender::timing_itself("graph", sample))
}

/// Adds `petgraph`, which is asked for so many iterations as the work is to be done times.
pub fn join_petgraph(case: &mut Case<'static>, csr: &Csr) {
    let note = "no weights, restarts anywhere, asks every pair of nodes";
    case.try_add("petgraph", Some(note.into()), || petgraph(csr));
}

fn petgraph(csr: &Csr) -> Result<Contender<'static>, String> {
    let graph = digraph(csr);
    let rank = move |times: u64| petgraph::algo::page_rank(&graph, (1.0 - RESTART) as f32, times as usize);
    check("petgraph", &rank(2), &petgraph_ranks(csr, 2), |_, exact| 1e-4 * exact)?;
    let sample = move |times: u64| -> Duration {
        let start = Clock::Thread.now();
        std::hint::black_box(rank(times));
        Clock::Thread.now() - start
    };
    Ok(Contender::timing_itself("petgraph", sample))
}

/// PageRank in f64: what is there restarts at all nodes alike, and what is at nodes without edges is lost.
pub fn anywhere(csr: &Csr, iterations: usize) -> Vec<f64> {
    let nodes = csr.nodes() as f64;
    let mut now = vec![1.0 / nodes; csr.nodes()];
    for _ in 0..iterations {
        let mut next = vec![RESTART / nodes; csr.nodes()];
        for (node, &mass) in now.iter().enumerate() {
            let all: f64 = csr.neighbours(node as u32).map(|edge| f64::from(edge.1)).sum();
            for (target, weight) in csr.neighbours(node as u32) {
                next[target as usize] += (1.0 - RESTART) * mass * f64::from(weight) / all;
            }
        }
        now = next;
    }
    now
}

/// What petgraph computes, in f64: nodes without an edge to a node give it what others would get by a restart.
fn petgraph_ranks(csr: &Csr, iterations: usize) -> Vec<f64> {
    let nodes = csr.nodes() as f64;
    let mut now = vec![1.0 / nodes; csr.nodes()];
    for _ in 0..iterations {
        let mut next = vec![0.0; csr.nodes()];
        for (node, &mass) in now.iter().enumerate() {
            let degree = csr.neighbours(node as u32).count() as f64;
            let elsewhere = if degree == 0.0 { 1.0 - RESTART } else { RESTART } * mass / nodes;
            next.iter_mut().for_each(|rank| *rank += elsewhere);
            for (target, _) in csr.neighbours(node as u32) {
                next[target as usize] += (1.0 - RESTART) * mass / degree - elsewhere;
            }
        }
        let all: f64 = next.iter().sum();
        now = next.into_iter().map(|rank| rank / all).collect();
    }
    now
}

/// `ranks` as parts of 1.
pub fn parts(mut ranks: Vec<f64>) -> Vec<f64> {
    let all: f64 = ranks.iter().sum();
    ranks.iter_mut().for_each(|rank| *rank /= all);
    ranks
}
