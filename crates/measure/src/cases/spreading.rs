//! Activation over graphs.

use std::sync::Arc;

use ecphory::{Activation, Edge, Graph, Seed, Spread, Weighting};
use rayon::prelude::*;

use super::check;
use crate::data::{self, Csr};
use crate::{Case, Clock, Contender, Limits, Unit, Work, scalar};

/// Of `spread3`.
pub const HOPS: u32 = 3;
/// Of `spread3`.
pub const THRESHOLD: f32 = 0.1;
/// Of `spread3`.
pub const TRANSMISSION: f32 = 0.8;

/// A graph by name, with what `spread3` is to find in it.
#[derive(Debug, Clone)]
pub struct Known {
    /// As lines name it.
    pub name: &'static str,
    /// The edges.
    pub csr: Arc<Csr>,
    /// The three cues.
    pub seeds: [(u32, f32); 3],
    /// Every node's activation in f64.
    pub expected: Arc<[f64]>,
    /// Edges that carry activation.
    pub walked: u64,
}

impl Known {
    /// `csr` under its name.
    #[must_use]
    pub fn new(name: &'static str, csr: impl Into<Arc<Csr>>) -> Self {
        let csr = csr.into();
        let seeds = data::seeds(csr.nodes());
        Self::of_cue(name, csr, seeds)
    }

    fn of_cue(name: &'static str, csr: Arc<Csr>, seeds: [(u32, f32); 3]) -> Self {
        let (expected, walked) = exact(&csr, &seeds);
        Self { name, csr, seeds, expected: expected.into(), walked }
    }

    /// The work of `case` on it.
    #[must_use]
    pub fn work(&self, case: &str) -> Work {
        Work::Spreading { case: case.into(), graph: self.name.into() }
    }

    /// Whether the activations of all nodes are right: sums of f32 in any order, over three hops.
    ///
    /// # Errors
    /// Who is wrong, and where.
    pub fn check(&self, who: &str, activations: &[f32]) -> Result<(), String> {
        check(who, activations, &self.expected, |_, exact| 1e-4 * exact)
    }
}

/// `spread3` in f64, over dense arrays, hop by hop.
fn exact(csr: &Csr, seeds: &[(u32, f32)]) -> (Vec<f64>, u64) {
    let mut now = vec![0.0; csr.nodes()];
    seeds.iter().for_each(|&(node, activation)| now[node as usize] += f64::from(activation));
    let (mut fired, mut walked) = (vec![false; csr.nodes()], 0);
    for _ in 0..HOPS {
        let mut next = now.clone();
        for node in 0..csr.nodes() {
            if fired[node] || now[node] < f64::from(THRESHOLD) {
                continue;
            }
            fired[node] = true;
            for (target, weight) in csr.neighbours(node as u32) {
                next[target as usize] += f64::from(TRANSMISSION) * now[node] * f64::from(weight);
                walked += 1;
            }
        }
        now = next;
    }
    (now, walked)
}

/// Cues that are spread side by side on many threads.
pub const CUES: u32 = 64;

/// `spread3` of [`CUES`] cues side by side on `threads` threads, the three nodes of each one further than those of the
/// cue before: ours by `spread_batch`, and the plain loop by rayon, a cue at a time.
///
/// # Errors
/// That our answer is wrong.
pub fn spread3_batch(limits: &Limits, known: &Known, threads: usize) -> Result<Case<'static>, String> {
    let (csr, nodes) = (known.csr.clone(), known.csr.nodes() as u32);
    let cues: Vec<[(u32, f32); 3]> =
        (0..CUES).map(|cue| known.seeds.map(|(node, activation)| ((node + cue) % nodes, activation))).collect();
    let ours = graph(&csr);
    let seeds: Vec<_> = cues.iter().map(|cue| cue.map(|(node, activation)| Seed::new(node, activation))).collect();
    let (spread, plain) = (options(), |cue: &_| scalar::spread(&csr, cue, HOPS, THRESHOLD, TRANSMISSION).0);
    let found = ours.spread_batch(&seeds, &spread).map_err(|error| error.to_string())?;
    let (mut walked, mut wrong) = (0, Ok(()));
    for (cue, found) in cues.iter().zip(&found) {
        let known = Known::of_cue(known.name, csr.clone(), *cue);
        known.check("ecphory", &dense(found, csr.nodes()))?;
        wrong = wrong.and_then(|()| known.check("scalar", &plain(cue)));
        walked += known.walked;
    }
    // Edges that several cues walk are read from where the first of them left them.
    let bytes = 8 * csr.targets.len().min(walked as usize);
    let least = limits.least_ns(limits.level(bytes, threads), 8.0 * walked as f64, threads);
    let mut case = Case::new(known.work("spread3"), threads, Unit::Edges, walked as f64).at_least(least);
    let (note, clock) = (format!("{CUES} cues side by side"), Clock::for_threads(threads));
    let by_us = move || _ = std::hint::black_box(ours.spread_batch(std::hint::black_box(&seeds), &spread));
    case.add_noted(Contender::new("ecphory", clock, by_us), note.clone());
    let csr = known.csr.clone();
    case.try_add("scalar", Some(note), || {
        wrong?;
        let spread = move |cue: &[(u32, f32); 3]| scalar::spread(&csr, cue, HOPS, THRESHOLD, TRANSMISSION).0;
        Ok(Contender::new("scalar", clock, move || {
            // All are kept until the last is there, as ours are.
            _ = std::hint::black_box(cues.par_iter().map(&spread).collect::<Vec<_>>());
        }))
    });
    Ok(case)
}

/// Every node's activation.
fn dense(found: &Activation, nodes: usize) -> Vec<f32> {
    let mut dense = vec![0.0; nodes];
    found.iter().for_each(|seed| dense[seed.node as usize] = seed.activation);
    dense
}

/// The options of `spread3` as the library has them.
pub fn options() -> Spread<'static> {
    let spread = Spread::default().hops(HOPS).threshold(THRESHOLD).transmission(TRANSMISSION);
    spread.retain(1.0).weighting(Weighting::AsGiven)
}

/// The graph as the library has it.
///
/// # Panics
/// Never: the graphs of [`data`] are sound.
#[must_use]
pub fn graph(csr: &Csr) -> Graph {
    let edges = csr.edges().map(|(source, target, weight)| Edge::new(source, target, weight));
    Graph::from_edges(csr.nodes(), edges).expect("a sound graph")
}

/// `spread3`: ours and the plain loop over dense arrays, on one thread. What binds is reading the edges walked, 8 bytes
/// each.
///
/// # Errors
/// That our answer is wrong.
pub fn spread3(limits: &Limits, known: &Known) -> Result<Case<'static>, String> {
    let (csr, seeds) = (known.csr.clone(), known.seeds);
    // The same edges every time: they stay as near as their number allows.
    let level = limits.level(8 * known.walked as usize, 1);
    let least = limits.least_ns(level, 8.0 * known.walked as f64, 1);
    let mut case = Case::new(known.work("spread3"), 1, Unit::Edges, known.walked as f64).at_least(least);
    let (ours, cue, spread) = (graph(&csr), seeds.map(|(node, activation)| Seed::new(node, activation)), options());
    let found = ours.spread(&cue, &spread).map_err(|error| error.to_string())?;
    known.check("ecphory", &dense(&found, csr.nodes()))?;
    case.add(Contender::new("ecphory", Clock::Thread, move || {
        _ = std::hint::black_box(ours.spread(std::hint::black_box(&cue), &spread));
    }));
    let plain = move || scalar::spread(&csr, &seeds, HOPS, THRESHOLD, TRANSMISSION);
    case.try_add("scalar", None, || {
        known.check("scalar", &plain().0)?;
        Ok(Contender::new("scalar", Clock::Thread, move || _ = std::hint::black_box(plain())))
    });
    Ok(case)
}
