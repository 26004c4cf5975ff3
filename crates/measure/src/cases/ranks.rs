//! Walks over graphs that end near their seeds: personalised PageRank, and heat.

use std::hint::black_box;
use std::sync::Arc;

use ecphory::{Dangling, HeatKernel, PageRank, Seed, Workspace};
use rayon::prelude::*;

use super::check;
use super::spreading::graph;
use crate::data::{self, Csr};
use crate::{Case, Clock, Contender, Limits, Unit, Work, scalar};

/// Of personalised PageRank by iterations: the share of a walk that restarts at the seeds in every step.
pub const RESTART: f64 = 0.5;
/// Of `ppr_power` and `heat`: how far all nodes together may be from the solution.
pub const TOLERANCE: f64 = 1e-8;
/// How much further sums of f32 may take them.
const ROUNDING: f64 = 1e-6;
/// Of one call that stands for so many iterations: it takes the most that it can be asked for.
const FINEST: f64 = 1e-12;
/// Of `ppr_batch16`: cues, and how far all nodes of each together may be from the solution.
const BATCH: (u32, f64) = (16, 1e-6);
/// Of `heat`: steps on average.
pub const TIME: f64 = 1.0;

/// Walks over a graph by name that take edges in proportion to their weights and restart at the seeds: the edges by
/// target, and what `ppr_iteration` and `ppr_power` are to find.
#[derive(Debug, Clone)]
pub struct Walk {
    /// As lines name it.
    pub name: &'static str,
    /// The edges by source.
    pub csr: Arc<Csr>,
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
    pub fn new(name: &'static str, csr: impl Into<Arc<Csr>>) -> Self {
        let csr = csr.into();
        let seeds = parts(data::seeds(csr.nodes()));
        let shares = flow(&csr, 1.0 - RESTART);
        let mut random = data::Random::new(5);
        let masses: Vec<f64> = (0..csr.nodes()).map(|_| 0.5 + random.unit()).collect();
        let all: f64 = masses.iter().sum();
        let start: Arc<[f32]> = masses.iter().map(|mass| (mass / all) as f32).collect();
        let wide: Vec<f64> = start.iter().map(|&mass| mass.into()).collect();
        let mut after = outflow(&csr, &shares, &wide);
        seeds.iter().for_each(|&(node, mass)| after[node as usize] += RESTART * mass);
        let solution = solve(&csr, &shares, &seeds, TOLERANCE * 1e-3);
        let ([offsets, sources], shares) = by_target(&csr, &shares);
        let [after, solution] = [after, solution].map(Into::into);
        Self { name, csr, offsets, sources, shares, seeds, start, after, solution }
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
        check_all(who, found, &self.solution, TOLERANCE).map(|_| ())
    }
}

/// How far all of `found` together are from what is expected, where that is at most `most`.
///
/// # Errors
/// Who is wrong, and by how much.
pub fn check_all(who: &str, found: &[f64], expected: &[f64], most: f64) -> Result<f64, String> {
    if found.len() != expected.len() {
        return Err(format!("{who}: expected {} answers, found {}", expected.len(), found.len()));
    }
    let off: f64 = found.iter().zip(expected).map(|(found, exact)| (found - exact).abs()).sum();
    // NaN is not within.
    if off <= most { Ok(off) } else { Err(format!("{who}: expected at most {most} off in all, found {off}")) }
}

/// [`check_all`] of ours: what they may be off, and [`ROUNDING`].
fn check_ours(found: &[f32], expected: &[f64], tolerance: f64) -> Result<f64, String> {
    let wide: Vec<f64> = found.iter().map(|&rank| rank.into()).collect();
    check_all("ecphory", &wide, expected, tolerance + ROUNDING)
}

/// Activations as parts of 1.
fn parts(seeds: [(u32, f32); 3]) -> [(u32, f64); 3] {
    let all: f64 = seeds.iter().map(|seed| f64::from(seed.1)).sum();
    seeds.map(|(node, activation)| (node, f64::from(activation) / all))
}

/// The sum of the weights of the edges out of each node.
fn strengths(csr: &Csr) -> Vec<f64> {
    (0..csr.nodes() as u32).map(|node| csr.neighbours(node).map(|edge| f64::from(edge.1)).sum()).collect()
}

/// What part of what is at the source each edge carries, `all` of it those of a node together.
fn flow(csr: &Csr, all: f64) -> Vec<f64> {
    let strengths = strengths(csr);
    csr.edges().map(|(source, _, weight)| all * f64::from(weight) / strengths[source as usize]).collect()
}

/// What flows out of each node along its edges, in f64.
fn outflow(csr: &Csr, shares: &[f64], now: &[f64]) -> Vec<f64> {
    let mut next = vec![0.0; now.len()];
    for ((source, target, _), share) in csr.edges().zip(shares) {
        next[target as usize] += share * now[source as usize];
    }
    next
}

fn at_seeds(nodes: usize, seeds: &[(u32, f64)]) -> Vec<f64> {
    let mut now = vec![0.0; nodes];
    seeds.iter().for_each(|&(node, mass)| now[node as usize] += mass);
    now
}

/// One step in f64, of which nothing is lost.
fn step(csr: &Csr, shares: &[f64], seeds: &[(u32, f64)], now: &[f64]) -> Vec<f64> {
    let mut next = outflow(csr, shares, now);
    let missing = 1.0 - next.iter().sum::<f64>();
    seeds.iter().for_each(|&(node, mass)| next[node as usize] += missing * mass);
    next
}

/// Within `end`, all nodes together.
fn solve(csr: &Csr, shares: &[f64], seeds: &[(u32, f64)], end: f64) -> Vec<f64> {
    // What is off after so many iterations is that part of what was.
    let iterations = end.log(1.0 - RESTART).ceil() as usize;
    (0..iterations).fold(at_seeds(csr.nodes(), seeds), |now, _| step(csr, shares, seeds, &now))
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

/// [`scalar::inflow`] on `threads` threads, some rows at a time.
fn inflow<T>(walk: &Walk, shares: &[T], now: &[T], next: &mut [T], threads: usize)
where
    T: Copy + Send + Sync + std::ops::Mul<Output = T> + std::iter::Sum,
{
    let rows = walk.nodes().div_ceil(if threads == 1 { 1 } else { 16 * threads });
    let part = |(part, next): (usize, &mut [T])| {
        let offsets = &walk.offsets[part * rows..=part * rows + next.len()];
        scalar::inflow(offsets, &walk.sources, shares, now, next);
    };
    if threads == 1 {
        part((0, next));
    } else {
        next.par_chunks_mut(rows).enumerate().for_each(part);
    }
}

/// PageRank as the cases have it.
fn page_rank() -> PageRank {
    PageRank::default().alpha(RESTART).dangling(Dangling::ToSeeds)
}

/// A cue as the library has it.
fn cue(seeds: [(u32, f32); 3]) -> [Seed; 3] {
    seeds.map(|(node, activation)| Seed::new(node, activation))
}

/// `ppr_iteration`, on `threads` threads: ours, of many iterations in one call, and the plain loop in f32. What binds
/// is reading edges, 8 bytes each, and reading and writing 12 bytes for each node.
///
/// # Errors
/// That our answer is wrong.
pub fn ppr_iteration(limits: &Limits, walk: &Walk, threads: usize) -> Result<Case<'static>, String> {
    let (edges, bytes) = (walk.sources.len(), 8 * walk.sources.len() + 12 * walk.nodes());
    let least = limits.least_ns(limits.level(bytes, threads), bytes as f64, threads);
    let mut case = Case::new(walk.work("ppr_iteration"), threads, Unit::Edges, edges as f64).at_least(least);
    let (ours, note) = our_iterations(walk, threads)?;
    case.add_noted(ours, note);
    let (own, shares, restart) = (walk.clone(), walk.narrow_shares(), walk.restart());
    let mut next = vec![f32::NAN; walk.nodes()];
    let plain = move |next: &mut [f32]| {
        inflow(&own, &shares[..], &own.start, next, threads);
        restart.iter().for_each(|&(node, mass)| next[node as usize] += mass);
    };
    case.try_add("scalar", None, || {
        plain(&mut next);
        walk.check_iteration("scalar", &next)?;
        let clock = Clock::for_threads(threads);
        Ok(Contender::new("scalar", clock, move || plain(black_box(&mut next))))
    });
    Ok(case)
}

/// The library does no single iteration. It is asked for as many as it does in one call, and that time is shared among
/// them.
fn our_iterations(walk: &Walk, threads: usize) -> Result<(Contender<'static>, String), String> {
    let (ours, seeds, mut workspace) = (graph(&walk.csr), cue(data::seeds(walk.nodes())), Workspace::new());
    let found = page_rank().power(&ours, &seeds, FINEST, &mut workspace).map_err(|error| error.to_string())?;
    check_ours(found.ranks, &walk.solution, FINEST)?;
    let each = u64::from(found.sweeps);
    let note = format!("{each} of one call, its set-up and the way back within; restarts what is lost");
    let clock = Clock::for_threads(threads);
    let sample = move |times: u64| {
        let calls = times.div_ceil(each);
        let start = clock.now();
        for _ in 0..calls {
            _ = black_box(page_rank().power(&ours, black_box(&seeds), FINEST, &mut workspace));
        }
        (clock.now() - start).mul_f64(times as f64 / (calls * each) as f64)
    };
    Ok((Contender::timing_itself("ecphory", sample), note))
}

/// `ppr_power`, on `threads` threads: ours in f32, and the plain loop in f64. How many iterations it takes is up to
/// whoever solves it, so nothing is said about a limit.
///
/// # Errors
/// That our answer is wrong.
pub fn ppr_power(walk: &Walk, threads: usize) -> Result<Case<'static>, String> {
    let (edges, clock) = (walk.sources.len() as f64, Clock::for_threads(threads));
    let mut case = Case::new(walk.work("ppr_power"), threads, Unit::NsPer("edge"), edges);
    let (ours, seeds, mut workspace) = (graph(&walk.csr), cue(data::seeds(walk.nodes())), Workspace::new());
    let found = page_rank().power(&ours, &seeds, TOLERANCE, &mut workspace).map_err(|error| error.to_string())?;
    let note = reached(check_ours(found.ranks, &walk.solution, TOLERANCE)?, found.sweeps);
    let by_us = move || _ = black_box(page_rank().power(&ours, black_box(&seeds), TOLERANCE, &mut workspace));
    case.add_noted(Contender::new("ecphory", clock, by_us), note);
    let own = walk.clone();
    let plain = move || {
        let flow = |now: &[f64], next: &mut [f64]| inflow(&own, &own.shares, now, next, threads);
        scalar::ppr_power(own.nodes(), flow, &own.seeds, TOLERANCE)
    };
    case.try_add("scalar", None, || {
        walk.check_solution("scalar", &plain())?;
        Ok(Contender::new("scalar", clock, move || _ = black_box(plain())))
    });
    Ok(case)
}

/// Of ours, which are in f32 where others are in f64.
fn reached(off: f64, sweeps: u32) -> String {
    format!("f32: {off:.0e} off in all after {sweeps} iterations")
}

/// `ppr_batch16` on one thread: so many cues in one call of ours, in a call each, and the plain loop in f64, a cue at a
/// time. The nodes of each cue are one further than those of the cue before.
///
/// # Errors
/// That our answer is wrong.
pub fn ppr_batch(walk: &Walk) -> Result<Case<'static>, String> {
    let ((count, tolerance), nodes) = (BATCH, walk.nodes() as u32);
    let mut case = Case::new(walk.work(&format!("ppr_batch{count}")), 1, Unit::NsPer("cue"), f64::from(count));
    let seeds = |by: u32| data::seeds(walk.nodes()).map(|(node, activation)| ((node + by) % nodes, activation));
    let cues: Vec<_> = (0..count).map(|by| cue(seeds(by))).collect();
    let (own, mut workspace) = (Arc::new(graph(&walk.csr)), Workspace::new());
    let error = |error: ecphory::Error| error.to_string();
    let shares = flow(&walk.csr, 1.0 - RESTART);
    let exact: Vec<_> = (0..count).map(|by| solve(&walk.csr, &shares, &parts(seeds(by)), tolerance * 1e-3)).collect();
    let found = page_rank().power_each(&own, &cues, tolerance, &mut workspace).map_err(error)?;
    let sweeps = found.sweeps;
    exact.iter().enumerate().try_for_each(|(at, exact)| check_ours(found.of(at), exact, tolerance).map(|_| ()))?;
    let ours = (own.clone(), cues.clone());
    case.add_noted(
        Contender::new("ecphory", Clock::Thread, move || {
            _ = black_box(page_rank().power_each(&ours.0, black_box(&ours.1), tolerance, &mut workspace));
        }),
        format!("{sweeps} iterations of all"),
    );
    let (mut single, mut most) = (Workspace::new(), 0);
    for (cue, exact) in cues.iter().zip(&exact) {
        let found = page_rank().power(&own, cue, tolerance, &mut single).map_err(error)?;
        check_ours(found.ranks, exact, tolerance)?;
        most = most.max(found.sweeps);
    }
    let one_by_one = move || {
        cues.iter().for_each(|cue| _ = black_box(page_rank().power(&own, black_box(cue), tolerance, &mut single)));
    };
    case.add_noted(
        Contender::new("ecphory-singles", Clock::Thread, one_by_one),
        format!("a call for each, {most} iterations at most"),
    );
    let (own, all) = (walk.clone(), (0..count).map(|by| parts(seeds(by))).collect::<Vec<_>>());
    let plain = move |seeds: &[(u32, f64)]| {
        let flow = |now: &[f64], next: &mut [f64]| inflow(&own, &own.shares, now, next, 1);
        scalar::ppr_power(own.nodes(), flow, seeds, tolerance)
    };
    case.try_add("scalar", None, || {
        let right =
            |(seeds, exact): (&[(u32, f64); 3], &Vec<f64>)| check_all("scalar", &plain(seeds), exact, tolerance);
        all.iter().zip(&exact).try_for_each(|one| right(one).map(|_| ()))?;
        Ok(Contender::new("scalar", Clock::Thread, move || all.iter().for_each(|seeds| _ = black_box(plain(seeds)))))
    });
    Ok(case)
}

/// What `heat` is to find, in f64.
#[must_use]
pub fn heated(walk: &Walk) -> Vec<f64> {
    let shares = flow(&walk.csr, 1.0);
    let (mut now, mut weight) = (at_seeds(walk.nodes(), &walk.seeds), (-TIME).exp());
    let mut ranks: Vec<f64> = now.iter().map(|mass| weight * mass).collect();
    let mut steps = 0.0;
    // From there on every weight is less than half of the one before.
    while steps <= 2.0 * TIME || weight > TOLERANCE * 1e-3 {
        steps += 1.0;
        weight *= TIME / steps;
        now = step(&walk.csr, &shares, &walk.seeds, &now);
        ranks.iter_mut().zip(&now).for_each(|(rank, mass)| *rank += weight * mass);
    }
    ranks
}

/// `heat`, on one thread: ours in f32, and the plain loop in f64, until what is left of the series is at most
/// [`TOLERANCE`]. `exact` is [`heated`].
///
/// # Errors
/// That our answer is wrong.
pub fn heat(walk: &Walk, exact: &[f64]) -> Result<Case<'static>, String> {
    let mut case = Case::new(walk.work("heat"), 1, Unit::NsPer("edge"), walk.sources.len() as f64);
    let (ours, seeds, mut workspace) = (graph(&walk.csr), cue(data::seeds(walk.nodes())), Workspace::new());
    let kernel = HeatKernel::new(TIME).dangling(Dangling::ToSeeds);
    let found = kernel.sweep(&ours, &seeds, TOLERANCE, &mut workspace).map_err(|error| error.to_string())?;
    let note = reached(check_ours(found.ranks, exact, TOLERANCE)?, found.sweeps);
    let by_us = move || _ = black_box(kernel.sweep(&ours, black_box(&seeds), TOLERANCE, &mut workspace));
    case.add_noted(Contender::new("ecphory", Clock::Thread, by_us), note);
    let (own, shares) = (walk.clone(), walk.shares.iter().map(|share| share / (1.0 - RESTART)).collect::<Vec<_>>());
    let plain = move || {
        let flow = |now: &[f64], next: &mut [f64]| inflow(&own, &shares[..], now, next, 1);
        scalar::heat(own.nodes(), flow, &own.seeds, TIME, TOLERANCE)
    };
    case.try_add("scalar", None, || {
        check_all("scalar", &plain(), exact, TOLERANCE)?;
        Ok(Contender::new("scalar", Clock::Thread, move || _ = black_box(plain())))
    });
    Ok(case)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_ends_where_it_is_known_to_and_the_plain_loop_gets_there() {
        // From 0 half of what is there restarts, and half goes on to 1, which has no edge: all restarts.
        let mut walk = Walk::new("two", Csr::from_edges(2, vec![(0, 1, 0.3)]));
        assert_eq!(walk.seeds.map(|seed| seed.0), [0, 0, 1]);
        assert_eq!(*walk.shares, [1.0 - RESTART]);
        let flow = |now: &[f64], next: &mut [f64]| inflow(&walk, &walk.shares, now, next, 1);
        let plain = scalar::ppr_power(2, flow, &walk.seeds, TOLERANCE);
        walk.check_solution("plain", &plain).unwrap();
        // p0 = (1 - p0 / 2) * .75 and p1 = p0 / 2 + (1 - p0 / 2) * .25.
        walk.solution = [6.0 / 11.0, 5.0 / 11.0].into();
        walk.check_solution("plain", &plain).unwrap();
        assert!(walk.check_solution("plain", &[0.5, 0.5]).is_err());
        assert!(walk.check_solution("plain", &[f64::NAN; 2]).is_err());
    }

    #[test]
    fn heat_is_at_two_nodes_that_lead_to_each_other_what_it_is_known_to_be() {
        let walk = Walk::new("two", Csr::from_edges(2, vec![(0, 1, 0.3), (1, 0, 0.7)]));
        // .75 at the one, of which cosh(t) e^-t is left, and sinh(t) e^-t of the .25 at the other.
        let [stays, goes] = [TIME.cosh(), TIME.sinh()].map(|part| part * (-TIME).exp());
        let known = [0.75 * stays + 0.25 * goes, 0.25 * stays + 0.75 * goes];
        check_all("exact", &heated(&walk), &known, 1e-7).unwrap();
        heat(&walk, &known).unwrap();
    }

    #[test]
    fn edges_by_target_are_the_same_edges() {
        let csr = data::pl1k();
        let walk = Walk::new("pl1k", csr.clone());
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
