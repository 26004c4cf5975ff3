//! Personalised PageRank near one seed, by pushing on what is left there.

use std::hint::black_box;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread;

use ecphory::{Dangling, Graph, OverflowPolicy, PageRank, Seed};

use super::spreading::graph;
use crate::data::Csr;
use crate::{Case, Clock, Contender, Limits, Unit, Work, scalar};

/// What stays at each step.
pub const ALPHA: f64 = 0.15;
/// What may be left at a node for each of its edges.
pub const EPSILON: f64 = 1e-6;
/// Edges of the seed at least.
const DEGREE: usize = 10;

/// The first node from a tenth of the nodes on that has some edges.
fn seed(csr: &Csr) -> Result<u32, String> {
    let nodes = csr.nodes() as u32;
    let found = (nodes / 10..nodes).find(|&node| csr.neighbours(node).count() >= DEGREE);
    found.ok_or_else(|| format!("expected a node with {DEGREE} edges, found none"))
}

/// What is left at the nodes when `ranks` have been kept, in f64: of what reached a node, what it has not passed on;
/// with what rounding of f32 may have made of it. What is at nodes without edges went back to the seed.
fn left(csr: &Csr, seed: u32, ranks: &[f32]) -> Vec<(f64, f64)> {
    let mut flow = vec![0.0; csr.nodes()];
    for (node, &rank) in (0..).zip(ranks).filter(|(_, rank)| **rank != 0.0) {
        let passed = (1.0 - ALPHA) * f64::from(rank);
        let strength: f64 = csr.neighbours(node).map(|edge| f64::from(edge.1)).sum();
        if strength == 0.0 {
            flow[seed as usize] += passed;
        }
        csr.neighbours(node).for_each(|(target, weight)| {
            flow[target as usize] += passed * f64::from(weight) / strength;
        });
    }
    let of = |(node, (&rank, flow)): (u32, (&f32, f64))| {
        let begun = if node == seed { 1.0 } else { 0.0 };
        (begun + (flow - f64::from(rank)) / ALPHA, 1e-5 * (flow + f64::from(rank)) / ALPHA)
    };
    (0..).zip(ranks.iter().zip(flow)).map(of).collect()
}

/// Whether ranks are those of a push that ended when it had to: then nothing is left that is below 0 or above
/// [`EPSILON`] for each edge. Returns what is left in all.
fn check_push(who: &str, csr: &Csr, seed: u32, ranks: &[f32]) -> Result<f64, String> {
    if ranks.len() != csr.nodes() {
        return Err(format!("{who}: expected {} answers, found {}", csr.nodes(), ranks.len()));
    }
    let left = left(csr, seed, ranks);
    for (node, &(left, rounding)) in (0..).zip(&left) {
        let most = EPSILON * csr.neighbours(node).count().max(1) as f64;
        // NaN is not within.
        if !(-rounding..=most + rounding).contains(&left) {
            return Err(format!("{who}: expected 0 to {most} left at node {node}, found {left}"));
        }
    }
    Ok(left.iter().map(|left| left.0).sum())
}

fn note(edges: u64, left: f64) -> String {
    format!("{edges} edges, {left:.1e} left in all")
}

/// Where scratch does not fit the thread's arena, each call asks the system for it. This one has done so before: on a
/// thread of its own for each sample, for the arena of the others is not to grow.
fn grown(push: PageRank, ours: Arc<Graph>, from: [Seed; 1]) -> Contender<'static> {
    let call = move || _ = black_box(push.push(&ours, black_box(&from), EPSILON));
    Contender::timing_itself("ecphory-grown", move |times| {
        let sample = || {
            call();
            let start = Clock::Thread.now();
            (0..times).for_each(|_| call());
            Clock::Thread.now() - start
        };
        thread::scope(|scope| scope.spawn(sample).join()).unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// `ppr_push` from one seed, on one thread: ours and the plain loop over dense arrays. What is counted is the edges
/// that ours pushes over, some of them often, and what binds is reading those edges, 8 bytes each.
///
/// # Errors
/// That our answer is wrong.
pub fn ppr_push(limits: &Limits, name: &'static str, csr: &Arc<Csr>) -> Result<Case<'static>, String> {
    let (csr, seed) = (csr.clone(), seed(csr)?);
    let (ours, from) = (Arc::new(graph(&csr)), [Seed::new(seed, 1.0)]);
    let push = PageRank::default().alpha(ALPHA).dangling(Dangling::ToSeeds);
    let found = push.push(&ours, &from, EPSILON).map_err(|error| error.to_string())?;
    let mut ranks = vec![0.0; csr.nodes()];
    found.nodes.iter().zip(&found.ranks).for_each(|(&node, &rank)| ranks[node as usize] = rank);
    let left = check_push("ecphory", &csr, seed, &ranks)?;
    if (left - found.residual).abs() > 1e-4 {
        return Err(format!("ecphory: expected {left} left in all, found {}", found.residual));
    }
    let bytes = 8 * csr.targets.len().min(found.edges as usize);
    let least = limits.least_ns(limits.level(bytes, 1), 8.0 * found.edges as f64, 1);
    let work = Work::Spreading { case: "ppr_push".into(), graph: name.into() };
    let mut case = Case::new(work, 1, Unit::Edges, found.edges as f64).at_least(least);
    let by = if found.swept { ", by sweeps in the end" } else { "" };
    let grown = grown(push.on_overflow(OverflowPolicy::Grow { max: usize::MAX }), ours.clone(), from);
    let by_us = move || _ = black_box(push.push(&ours, black_box(&from), EPSILON));
    case.add_noted(Contender::new("ecphory", Clock::Thread, by_us), note(found.edges, left) + by);
    case.add_noted(grown, "in an arena that has grown to the need");
    let strengths: Vec<f32> =
        (0..csr.nodes() as u32).map(|node| csr.neighbours(node).map(|edge| edge.1).sum()).collect();
    let (ranks, edges) = scalar::push(&csr, &strengths, seed, ALPHA as f32, EPSILON as f32);
    let right = check_push("scalar", &csr, seed, &ranks);
    case.try_add("scalar", right.as_ref().ok().map(|&left| note(edges, left)), || {
        right?;
        Ok(Contender::new("scalar", Clock::Thread, move || {
            _ = black_box(scalar::push(&csr, &strengths, black_box(seed), ALPHA as f32, EPSILON as f32));
        }))
    });
    Ok(case)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;

    #[test]
    fn a_push_is_checked_by_what_it_leaves() {
        let csr = data::pl1k();
        let seed = seed(&csr).unwrap();
        let strengths: Vec<f32> = (0..1000).map(|node| csr.neighbours(node).map(|edge| edge.1).sum()).collect();
        let plain = |epsilon| scalar::push(&csr, &strengths, seed, ALPHA as f32, epsilon).0;
        let mut ranks = plain(EPSILON as f32);
        let left = check_push("plain", &csr, seed, &ranks).unwrap();
        let all: f64 = ranks.iter().map(|&rank| f64::from(rank)).sum();
        assert!((all + left - 1.0).abs() < 1e-4, "{all} and {left}");
        assert!(check_push("too early", &csr, seed, &plain(1e-4)).is_err());
        ranks[17] *= 1.01;
        assert!(check_push("too much", &csr, seed, &ranks).is_err());
        ranks[17] = f32::NAN;
        assert!(check_push("nothing", &csr, seed, &ranks).is_err());
    }
}
