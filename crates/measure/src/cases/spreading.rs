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
/// Of personalised PageRank: the share of a walk that restarts at the seeds in every step.
pub const RESTART: f64 = 0.5;
/// Of `ppr_power`: how far all nodes together may be from the solution.
pub const TOLERANCE: f64 = 1e-8;

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

/// Walks over a graph by name that take edges in proportion to their weights and restart at the seeds: the edges by
/// target, and what `ppr_iteration` and `ppr_power` are to find.
#[derive(Debug, Clone)]
pub struct Walk {
    /// As lines name it.
    pub name: &'static str,
    /// `[nodes + 1]`: the edges into `v` are `offsets[v]..offsets[v + 1]`, by ascending source.
    pub offsets: Arc<[u32]>,
    /// `[edges]`.
    pub sources: Arc<[u32]>,
    /// `[edges]`: what part of what is at the source an edge carries, `1 - RESTART` in all of a node that has edges.
    pub shares: Arc<[f64]>,
    /// Where walks begin and restart, 1 in all.
    pub seeds: [(u32, f64); 3],
    /// What `ppr_iteration` starts from: something at every node, 1 in all.
    pub start: Arc<[f32]>,
    /// Every node after one iteration from `start`, in f64. What is at nodes without edges is lost.
    pub after: Arc<[f64]>,
    /// Every node in the end, in f64. What is at nodes without edges restarts at the seeds.
    pub solution: Arc<[f64]>,
}

impl Walk {
    /// Over `csr` under its name.
    #[must_use]
    pub fn new(name: &'static str, csr: &Csr) -> Self {
        let all: f64 = data::seeds(csr.nodes()).iter().map(|seed| f64::from(seed.1)).sum();
        let seeds = data::seeds(csr.nodes()).map(|(node, activation)| (node, f64::from(activation) / all));
        let strengths: Vec<f64> =
            (0..csr.nodes() as u32).map(|node| csr.neighbours(node).map(|edge| f64::from(edge.1)).sum()).collect();
        let shares: Vec<f64> = csr
            .edges()
            .map(|(source, _, weight)| (1.0 - RESTART) * f64::from(weight) / strengths[source as usize])
            .collect();
        let mut random = data::Random::new(5);
        let masses: Vec<f64> = (0..csr.nodes()).map(|_| 0.5 + random.unit()).collect();
        let all: f64 = masses.iter().sum();
        let start: Arc<[f32]> = masses.iter().map(|mass| (mass / all) as f32).collect();
        let wide: Vec<f64> = start.iter().map(|&mass| mass.into()).collect();
        let mut after = outflow(csr, &shares, &wide);
        seeds.iter().for_each(|&(node, mass)| after[node as usize] += RESTART * mass);
        let solution = solve(csr, &shares, &seeds);
        let ([offsets, sources], shares) = by_target(csr, &shares);
        let [after, solution] = [after, solution].map(Into::into);
        Self { name, offsets, sources, shares, seeds, start, after, solution }
    }

    /// The work of `case` on it.
    #[must_use]
    pub fn work(&self, case: &str) -> Work {
        Work::Spreading { case: case.into(), graph: self.name.into() }
    }

    /// Nodes.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The shares in f32.
    #[must_use]
    pub fn narrow_shares(&self) -> Arc<[f32]> {
        self.shares.iter().map(|&share| share as f32).collect()
    }

    /// What every iteration adds at the seeds, in f32.
    #[must_use]
    pub fn restart(&self) -> [(u32, f32); 3] {
        self.seeds.map(|(node, mass)| (node, (RESTART * mass) as f32))
    }

    /// Whether one iteration is right: sums of f32 in any order.
    ///
    /// # Errors
    /// Who is wrong, and where.
    pub fn check_iteration(&self, who: &str, found: &[f32]) -> Result<(), String> {
        check(who, found, &self.after, |_, exact| 1e-4 * exact)
    }

    /// Whether a solution is within [`TOLERANCE`], all nodes together.
    ///
    /// # Errors
    /// Who is wrong, and by how much.
    pub fn check_solution(&self, who: &str, found: &[f64]) -> Result<(), String> {
        if found.len() != self.nodes() {
            return Err(format!("{who}: expected {} answers, found {}", self.nodes(), found.len()));
        }
        let off: f64 = found.iter().zip(self.solution.iter()).map(|(found, exact)| (found - exact).abs()).sum();
        // NaN is not within.
        if off <= TOLERANCE {
            Ok(())
        } else {
            Err(format!("{who}: expected at most {TOLERANCE} off in all, found {off}"))
        }
    }
}

/// What flows out of each node along its edges, in f64.
fn outflow(csr: &Csr, shares: &[f64], now: &[f64]) -> Vec<f64> {
    let mut next = vec![0.0; now.len()];
    for ((source, target, _), share) in csr.edges().zip(shares) {
        next[target as usize] += share * now[source as usize];
    }
    next
}

fn solve(csr: &Csr, shares: &[f64], seeds: &[(u32, f64)]) -> Vec<f64> {
    let mut now = vec![0.0; csr.nodes()];
    seeds.iter().for_each(|&(node, mass)| now[node as usize] += mass);
    // What is off after so many iterations is that part of what was.
    let iterations = (TOLERANCE * 1e-3).log(1.0 - RESTART).ceil() as usize;
    for _ in 0..iterations {
        let mut next = outflow(csr, shares, &now);
        let missing = 1.0 - next.iter().sum::<f64>();
        seeds.iter().for_each(|&(node, mass)| next[node as usize] += missing * mass);
        now = next;
    }
    now
}

/// The same edges by target: offsets, sources and shares.
fn by_target(csr: &Csr, shares: &[f64]) -> ([Arc<[u32]>; 2], Arc<[f64]>) {
    let mut offsets = vec![0u32; csr.nodes() + 1];
    csr.targets.iter().for_each(|&target| offsets[target as usize + 1] += 1);
    (0..csr.nodes()).for_each(|node| offsets[node + 1] += offsets[node]);
    let mut free = offsets.clone();
    let (mut sources, mut sorted) = (vec![0; shares.len()], vec![0.0; shares.len()]);
    for ((source, target, _), share) in csr.edges().zip(shares) {
        let at = free[target as usize] as usize;
        (sources[at], sorted[at]) = (source, *share);
        free[target as usize] += 1;
    }
    ([offsets.into(), sources.into()], sorted.into())
}

/// `ppr_iteration`: the plain loop in f32, on `threads` threads by rayon, some rows at a time. What binds is reading
/// edges, 8 bytes each, and reading and writing 12 bytes for each node.
#[must_use]
pub fn ppr_iteration(limits: &Limits, walk: &Walk, threads: usize) -> Case<'static> {
    let (edges, bytes) = (walk.sources.len(), 8 * walk.sources.len() + 12 * walk.nodes());
    let least = limits.least_ns(limits.level(bytes, threads), bytes as f64, threads);
    let mut case = Case::new(walk.work("ppr_iteration"), threads, Unit::Edges, edges as f64).at_least(least);
    let (own, shares, restart) = (walk.clone(), walk.narrow_shares(), walk.restart());
    let mut next = vec![f32::NAN; walk.nodes()];
    let rows = walk.nodes().div_ceil(if threads == 1 { 1 } else { 16 * threads });
    let plain = move |next: &mut [f32]| {
        let part = |(part, next): (usize, &mut [f32])| {
            let offsets = &own.offsets[part * rows..=part * rows + next.len()];
            scalar::inflow(offsets, &own.sources, &shares, &own.start, next);
        };
        if threads == 1 {
            part((0, next));
        } else {
            next.par_chunks_mut(rows).enumerate().for_each(part);
        }
        restart.iter().for_each(|&(node, mass)| next[node as usize] += mass);
    };
    case.try_add("scalar", None, || {
        plain(&mut next);
        walk.check_iteration("scalar", &next)?;
        let clock = Clock::for_threads(threads);
        Ok(Contender::new("scalar", clock, move || plain(std::hint::black_box(&mut next))))
    });
    case
}

/// `ppr_power`: the plain loop in f64, on one thread. How many iterations it takes is up to whoever solves it, so
/// nothing is said about a limit.
#[must_use]
pub fn ppr_power(walk: &Walk) -> Case<'static> {
    let edges = walk.sources.len() as f64;
    let mut case = Case::new(walk.work("ppr_power"), 1, Unit::NsPer("edge"), edges);
    let own = walk.clone();
    let plain = move || scalar::ppr_power([&own.offsets, &own.sources], &own.shares, &own.seeds, TOLERANCE);
    case.try_add("scalar", None, || {
        walk.check_solution("scalar", &plain())?;
        Ok(Contender::new("scalar", Clock::Thread, move || _ = std::hint::black_box(plain())))
    });
    case
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_ends_where_it_is_known_to_and_the_plain_loop_gets_there() {
        // From 0 half of what is there restarts, and half goes on to 1, which has no edge: all restarts.
        let mut walk = Walk::new("two", &Csr::from_edges(2, vec![(0, 1, 0.3)]));
        assert_eq!(walk.seeds.map(|seed| seed.0), [0, 0, 1]);
        assert_eq!(*walk.shares, [1.0 - RESTART]);
        let plain = scalar::ppr_power([&walk.offsets, &walk.sources], &walk.shares, &walk.seeds, TOLERANCE);
        walk.check_solution("plain", &plain).unwrap();
        // p0 = (1 - p0 / 2) * .75 and p1 = p0 / 2 + (1 - p0 / 2) * .25.
        walk.solution = [6.0 / 11.0, 5.0 / 11.0].into();
        walk.check_solution("plain", &plain).unwrap();
        assert!(walk.check_solution("plain", &[0.5, 0.5]).is_err());
        assert!(walk.check_solution("plain", &[f64::NAN; 2]).is_err());
    }

    #[test]
    fn edges_by_target_are_the_same_edges() {
        let csr = data::pl1k();
        let walk = Walk::new("pl1k", &csr);
        let mut leaving = vec![0.0; csr.nodes()];
        walk.sources.iter().zip(walk.shares.iter()).for_each(|(&from, share)| leaving[from as usize] += share);
        for (node, sum) in leaving.into_iter().enumerate() {
            let expected = if csr.neighbours(node as u32).next().is_some() { 1.0 - RESTART } else { 0.0 };
            assert!((sum - expected).abs() < 1e-12);
        }
        let ends: Vec<_> = csr.edges().filter(|edge| edge.1 == 7).map(|edge| edge.0).collect();
        assert_eq!(walk.sources[walk.offsets[7] as usize..walk.offsets[8] as usize], ends);
    }
}
