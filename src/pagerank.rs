#![allow(unsafe_code)]

use std::time::Instant;

use rayon::prelude::*;

use crate::deadlines::{Limits, PART, passed};
use crate::similarity::{fit, room, spare};
use crate::sweeps::{Ended, LANES, Step, Sweep, starts, sweep_each, sweep_one};
use crate::tasks::in_turn;
use crate::{EachRanks, Error, Graph, Kernel, NearRanks, OverflowPolicy, Ranks, Seed, Stopped, Workspace, arena, ffi};

/// A push walks so many times the graph before sweeps over all of it are less work.
const PUSH_SWEEPS: u64 = 8;

/// Edges that all pushes of a batch may walk up to which it stays on the calling thread.
const SMALL_BATCH: u64 = 1 << 15;

/// What becomes of a node's share that has no edge to go by: its weights are all 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dangling {
    /// It goes back to the seeds, as in networkx.
    ToSeeds,
    /// It goes to all nodes alike, as in Langville and Meyer, "Google's PageRank and Beyond" (2006).
    Evenly,
}

/// Personalised PageRank: `p = alpha * e + (1 - alpha) * P^T p`, where `e` is the seeds, divided by their sum, and `P`
/// has each node's weights, divided by theirs, however large or small they are. A share in `P` is rounded to f32, or
/// the sum it is divided by: by at most 2^-24 of it, which makes up to `2^-24 / alpha` of all ranks. Where there are no
/// seeds, or all are 0, `e` is 0, and so are all ranks.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct PageRank {
    alpha: f64,
    dangling: Dangling,
    work_most: u64,
    deadline: Option<Instant>,
    overflow: OverflowPolicy,
}

impl Default for PageRank {
    /// alpha 0.15, a damping of 0.85, as Brin and Page have it; dangling to the seeds, so that nothing unrelated is
    /// ranked; no limit of work or time.
    fn default() -> Self {
        Self {
            alpha: 0.15,
            dangling: Dangling::ToSeeds,
            work_most: u64::MAX,
            deadline: None,
            overflow: OverflowPolicy::default(),
        }
    }
}

impl PageRank {
    /// The share that stays with the seeds: 0.001 to 1, one less the damping.
    pub fn alpha(self, alpha: f64) -> Self {
        Self { alpha, ..self }
    }

    /// What becomes of the share of nodes that lead nowhere.
    pub fn dangling(self, dangling: Dangling) -> Self {
        Self { dangling, ..self }
    }

    /// Edges that may be walked; no limit at first. A node whose edges are more than are left does not push, nor do
    /// those after it; of sweeps none begins that walks more, and each walks all edges once, for 16 cues together, in
    /// [`PageRank::power_each`] for each 16. What ranks lack then, the result tells as ever.
    pub fn work_most(self, edges: u64) -> Self {
        Self { work_most: edges, ..self }
    }

    /// The moment after which no sweep begins: the clock is looked at before each. Of a push it is looked at before
    /// it begins, and then after every 4,096 edges and pushes, or as many as nodes have been reached where those are
    /// more; what is found has the bits of a push without, up to there. The first sweeps over a graph make its edges by
    /// target, which no deadline ends: [`Graph::prepare_sweeps`] makes them before. A push takes 20 bytes more from the
    /// heap for each node that it can reach.
    pub fn deadline(self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// What to do when the scratch of [`PageRank::push`] does not fit the arena.
    pub fn on_overflow(self, overflow: OverflowPolicy) -> Self {
        Self { overflow, ..self }
    }

    /// Ranks near `seeds`, by forward push (Andersen, Chung and Lang, "Local Graph Partitioning using PageRank
    /// Vectors", 2006, without its lazy half step): no node is left with a residual above `epsilon` (1e-12 to 1) times
    /// its edges, 1 where it has none; what [`Dangling::Evenly`] shares may add as much again. The work, at most
    /// `1 / (alpha * epsilon)` edges and those back to the seeds, and the scratch, at most 48 bytes for each of the
    /// former or 32 for each node of the graph, do not depend on how large the graph is. Where it comes to more than
    /// eight times the graph, sweeps over all of it take over, in memory from the heap: each lets every node push at
    /// once, until one has begun with no residual above `epsilon`, so that ranks are no less than where pushing may
    /// end. On the calling thread, but for sweeps.
    ///
    /// A node with more than `1 / epsilon` edges never pushes, with 1e-3 one of 1,001, for no residual is above 1. A
    /// seed pushes if its share of the seeds' sum is more than `epsilon` times its edges; if none does, nothing is
    /// ranked and [`NearRanks::residual`] has all.
    ///
    /// Where each edge has one back of the same weight, all weights are alike and no seed is without edges, no rank
    /// lacks more than `epsilon` times its node's edges, beside rounding, as Andersen, Chung and Lang show; where
    /// weights are not alike, no more than `epsilon` times its node's weights times the most edges that a node has for
    /// its weights. Of other graphs [`NearRanks::residual`] alone tells.
    ///
    /// ```
    /// use ecphory::{Edge, Graph, PageRank, Seed};
    ///
    /// let graph = Graph::from_edges(3, [Edge::new(0, 1, 1.0), Edge::new(1, 0, 1.0), Edge::new(1, 2, 1.0)])?;
    /// let near = PageRank::default().push(&graph, &[Seed::new(0, 1.0)], 1e-6)?;
    /// let sum: f64 = near.ranks.iter().map(|&rank| f64::from(rank)).sum();
    /// assert!((sum + near.residual - 1.0).abs() < 1e-5 && near.residual < 1e-5);
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Index`] and [`Error::Value`] for seeds, as [`Graph::spread`]; [`Error::Value`] for `epsilon` and alpha
    /// outside their range; [`Error::OutOfMemory`] by the policy, and where the system has none for results and sweeps;
    /// [`Error::ThreadEnding`]; [`Error::UnknownTier`].
    pub fn push(&self, graph: &Graph, seeds: &[Seed], epsilon: f64) -> Result<NearRanks, Error> {
        self.check_push(graph, &[seeds], epsilon)?;
        self.push_in_parts(PART, &passed(self.deadline), graph, seeds, epsilon)
    }

    /// [`PageRank::push`] of several cues, each by itself and with its own limit of work, on the threads of the current
    /// rayon pool; few cues with little to push stay on the calling thread. One deadline is for all. Where a push
    /// becomes sweeps, it takes 12 bytes from the heap for each node: of as many cues at once as there are threads.
    ///
    /// # Errors
    /// As [`PageRank::push`]; every cue is checked before the first one is pushed.
    pub fn push_each<S: AsRef<[Seed]> + Sync>(
        &self,
        graph: &Graph,
        cues: &[S],
        epsilon: f64,
    ) -> Result<Vec<NearRanks>, Error> {
        self.check_push(graph, cues, epsilon)?;
        let options = self.raw(graph, epsilon);
        let need = cues.iter().map(|seeds| push_need(graph, seeds.as_ref(), &options)).max();
        arena::admit(Kernel::Spreading, self.overflow, need.unwrap_or(0))?;
        let run = |(found, seeds): (&mut NearRanks, &S)| {
            *found = self.push_in_parts(PART, &passed(self.deadline), graph, seeds.as_ref(), epsilon)?;
            Ok(())
        };
        let mut all = room(NearRanks::default(), cues.len())?;
        let each = options.edges_most.min((1.0 / (self.alpha * epsilon)) as u64);
        if each.saturating_mul(cues.len() as u64) <= SMALL_BATCH {
            all.iter_mut().zip(cues).try_for_each(run)?;
        } else {
            let tasks = cues.len().min(rayon::current_num_threads());
            in_turn((0..tasks).into_par_iter(), all.iter_mut().zip(cues), |_, cue| run(cue))?;
        }
        Ok(all)
    }

    /// Where there is a deadline, in parts, with a look at the clock, `late`, before each.
    fn push_in_parts(
        &self,
        part: u64,
        late: &(dyn Fn() -> bool + Sync),
        graph: &Graph,
        seeds: &[Seed],
        epsilon: f64,
    ) -> Result<NearRanks, Error> {
        let limits = Limits { edges_most: self.work_most, late };
        let starts = starts(&[seeds])?;
        let mut options = self.raw(graph, epsilon);
        let mut past = None;
        let too_late = self.deadline.is_some() && late();
        if too_late {
            options.edges_most = 0; // Seeds have all.
        } else if self.deadline.is_some() {
            options.pause_after = part;
            past = Some(Past::new(push_most(graph, seeds, &options))?);
        }
        let mut pushed = Pushed::new(push_most(graph, seeds, &options))?;
        let stopped = loop {
            self.call_push(graph, seeds, &options, past.as_mut(), &mut pushed)?;
            let result = &pushed.result;
            options.pause_after = part.max(result.reached_count as u64);
            match result.stopped {
                ffi::ECP_STOPPED_NO => break None,
                ffi::ECP_STOPPED_PAUSED if late() => break Some(Stopped::Deadline),
                ffi::ECP_STOPPED_PAUSED => {}
                _ if too_late => break Some(Stopped::Deadline),
                // Where neither forbids it, sweeps take over.
                _ => match limits.stop(result.edges, graph.edge_count() as u64) {
                    Some(stopped) => break Some(stopped),
                    None => return self.sweep_on(&Sweep::new(graph, 1, starts)?, &pushed, &limits, epsilon),
                },
            }
        };
        Ok(pushed.near(stopped))
    }

    fn raw(&self, graph: &Graph, epsilon: f64) -> ffi::ecp_push_options {
        let size = (graph.node_count() + graph.edge_count()) as u64;
        ffi::ecp_push_options {
            alpha: self.alpha,
            epsilon,
            edges_most: self.work_most.min(PUSH_SWEEPS * size),
            pause_after: 0,
            dangling: match self.dangling {
                Dangling::ToSeeds => ffi::ECP_DANGLING_TO_SEEDS,
                Dangling::Evenly => ffi::ECP_DANGLING_EVENLY,
            },
            reserved: 0,
        }
    }

    /// To `pushed` what was reached, all of it. Goes on from `past`, where it is given, and what `pushed` holds then.
    fn call_push(
        &self,
        graph: &Graph,
        seeds: &[Seed],
        options: &ffi::ecp_push_options,
        past: Option<&mut Past>,
        pushed: &mut Pushed,
    ) -> Result<(), Error> {
        let (raw, past) = (graph.raw(), past.map_or(std::ptr::null_mut(), Past::raw));
        let Pushed { nodes, ranks, residuals, result } = pushed;
        arena::with_scratch(self.overflow, |scratch| {
            // SAFETY: ecphory.h asks for
            // - a graph as it describes, with out_strengths: `Graph` is one by construction and cannot be changed;
            // - seeds[seed_count], nodes below node_count and magnitudes: `check`; the layout: asserted beside `Seed`;
            // - options in their ranges: checked by `push`;
            // - reached, estimates and residuals [ecp_push_most]: capacities by `Pushed::new`, of the same arguments
            //   but for pause_after, which plays no part in it;
            // - past NULL, or with arrays [ecp_push_most]: capacities by `Past::new`, in the same way; zeroes before
            //   the first call, and then as the last call left it, as is reached: neither is touched between them;
            // - nothing written that overlaps anything else: all are borrowed for this call alone, apart.
            unsafe {
                let (start, reached): (_, *mut u32) = (seeds.as_ptr().cast(), nodes.as_mut_ptr());
                let (p, r): (*mut f32, *mut f32) = (ranks.as_mut_ptr(), residuals.as_mut_ptr());
                ffi::ecp_push(&raw, start, seeds.len(), options, past, reached, p, r, result, scratch)
            }
        })?;
        // SAFETY: the kernel has written the first `reached_count` elements of each, at most ecp_push_most.
        unsafe {
            nodes.set_len(result.reached_count);
            ranks.set_len(result.reached_count);
            residuals.set_len(result.reached_count);
        }
        Ok(())
    }

    /// Every node pushes at once, until none has pushed more than `epsilon`: what is left then may be more at a node to
    /// which many lead, but ranks are no less than those before that sweep, which left no residual above `epsilon`.
    fn sweep_on(
        &self,
        sweep: &Sweep<'_>,
        pushed: &Pushed,
        limits: &Limits<'_>,
        epsilon: f64,
    ) -> Result<NearRanks, Error> {
        let result = &pushed.result;
        let (incoming, rest) = (sweep.incoming, 1.0 - self.alpha);
        let (nodes, mut workspace) = (incoming.node_count(), Workspace::new());
        let [mut x, mut next, ranks] = workspace.zeroed(nodes)?;
        x.fill((result.evenly / nodes as f64) as f32);
        for ((&node, &rank), &residual) in pushed.nodes.iter().zip(&pushed.ranks).zip(&pushed.residuals) {
            let place = incoming.place[node as usize] as usize;
            ranks[place] = rank;
            x[place] += residual;
        }
        let mut lost = [0.0; LANES];
        for ((held, rank), &strength) in x.iter().zip(ranks.iter_mut()).zip(incoming.out_strengths) {
            *rank += (self.alpha * f64::from(*held)) as f32;
            lost[0] += if strength == 0.0 { f64::from(*held) } else { 0.0 };
        }
        let (mut residual, mut sweeps, mut stopped) = ((result.residual + result.evenly) * rest, 0, None);
        while sweeps < sweeps_for(self.alpha, epsilon) {
            // The first was allowed, if with another look at the clock.
            stopped = limits.stop(result.edges + sweep.edges(sweeps), sweep.edges(1));
            if stopped.is_some() {
                break;
            }
            let step = Step { keep: 1.0, gain: self.alpha as f32, ..Step::passing(rest, &lost, self.dangling, nodes) };
            let totals = sweep.step(&step, x, next, ranks)?;
            std::mem::swap(&mut x, &mut next);
            (lost, sweeps) = (totals.lost, sweeps + 1);
            residual = rest * totals.change[0] / self.alpha;
            if totals.peak[0] <= epsilon {
                break;
            }
        }
        let edges = result.edges + sweep.edges(sweeps);
        sweep.by_node(ranks, x);
        // Ranks add up to 1, so none has more to gain than all lack; that knows what was too small to change a rank.
        let residual = residual.max(1.0 - ranks.iter().copied().map(f64::from).sum::<f64>());
        let ranked = (0..).zip(ranks.iter().copied()).filter(|(_, rank)| *rank > 0.0);
        let count = ranked.clone().count();
        let (mut nodes, mut ranks) = (spare(count)?, spare(count)?);
        nodes.extend(ranked.clone().map(|(node, _)| node));
        ranks.extend(ranked.map(|(_, rank)| rank));
        Ok(NearRanks { nodes, ranks, residual, edges, swept: true, stopped })
    }

    /// Ranks of all nodes, by power iteration over edges by their targets, in `workspace`: within `tolerance`, 1e-12
    /// to 1, of exact ranks, summed over all nodes, or within [`Ranks::error`] where a limit ended it before. To that
    /// comes rounding: of each rank at most 40 times `2^-24 / alpha` of it, however many edges lead to a node. Sweeps
    /// are split over the threads of the current rayon pool; the bits do not depend on how many there are. It always
    /// ends: the error shrinks by `1 - alpha` at each sweep, or faster; without seeds above 0 at once. The first call
    /// for a graph makes its edges by target, which the graph keeps, if [`Graph::prepare_sweeps`] has not: 8 bytes for
    /// each edge and 16 for each node, beside the 12 for each node of [`Workspace`].
    ///
    /// ```
    /// use ecphory::{Edge, Graph, PageRank, Seed, Workspace};
    ///
    /// let graph = Graph::from_edges(2, [Edge::new(0, 1, 1.0), Edge::new(1, 0, 1.0)])?;
    /// let mut workspace = Workspace::new();
    /// let found = PageRank::default().alpha(0.5).power(&graph, &[Seed::new(0, 1.0)], 1e-6, &mut workspace)?;
    /// assert!(found.error <= 1e-6 && (found.ranks[0] - 2.0 / 3.0).abs() < 1e-6);
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`PageRank::push`]; [`Error::OutOfMemory`] only where the system has none: it takes no scratch.
    pub fn power<'w>(
        &self,
        graph: &Graph,
        seeds: &[Seed],
        tolerance: f64,
        workspace: &'w mut Workspace,
    ) -> Result<Ranks<'w>, Error> {
        self.check(graph, &[seeds])?;
        check_tolerance(tolerance)?;
        let limits = Limits { edges_most: self.work_most, late: &passed(self.deadline) };
        sweep_one(graph, seeds, workspace, |sweep, arrays| self.sweep(sweep, tolerance, &limits, arrays))
    }

    /// [`PageRank::power`] of several cues, 16 of which share each sweep: one pass over the edges for all of them.
    /// Groups of 16 and the rows of each run on the threads of the current rayon pool, as many groups at once as there
    /// are threads; the bits do not depend on how many. [`Workspace`] says what memory that takes. Ranks are those of
    /// [`PageRank::power`] within the bounds of both. [`EachRanks::cue`] tells of each cue how far it has come, and so
    /// which are whole where a limit ended sweeps: of groups in turn the first ones.
    ///
    /// ```
    /// use ecphory::{Edge, Graph, PageRank, Seed, Workspace};
    ///
    /// let graph = Graph::from_edges(2, [Edge::new(0, 1, 1.0), Edge::new(1, 0, 1.0)])?;
    /// let mut workspace = Workspace::new();
    /// let cues = [[Seed::new(0, 1.0)], [Seed::new(1, 1.0)]];
    /// let found = PageRank::default().alpha(0.5).power_each(&graph, &cues, 1e-6, &mut workspace)?;
    /// assert!((found.of(1)[1] - 2.0 / 3.0).abs() < 1e-6);
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`PageRank::power`]; every cue is checked before the first sweep.
    pub fn power_each<'w, S: AsRef<[Seed]> + Sync>(
        &self,
        graph: &Graph,
        cues: &[S],
        tolerance: f64,
        workspace: &'w mut Workspace,
    ) -> Result<EachRanks<'w>, Error> {
        self.check(graph, cues)?;
        check_tolerance(tolerance)?;
        let limits = Limits { edges_most: self.work_most, late: &passed(self.deadline) };
        sweep_each(graph, cues, workspace, |sweep, arrays| self.sweep(sweep, tolerance, &limits, arrays))
    }

    fn sweep(
        &self,
        sweep: &Sweep<'_>,
        tolerance: f64,
        limits: &Limits<'_>,
        [mut x, mut next, ranks]: [&mut [f32]; 3],
    ) -> Result<Ended, Error> {
        let rest = 1.0 - self.alpha;
        let mut lost = sweep.begin(1.0, x, ranks);
        let (mut sweeps, mut errors, mut stopped) = (0, sweep.errors(|_| 2.0 * rest), None);
        while errors.iter().any(|&error| error > tolerance) && sweeps < sweeps_for(self.alpha, tolerance / 2.0) {
            stopped = sweep.stop(limits, sweeps);
            if stopped.is_some() {
                break;
            }
            let mut step = Step::passing(rest, &lost, self.dangling, sweep.incoming.node_count());
            step.to_starts.iter_mut().for_each(|to| *to += self.alpha);
            let totals = sweep.step(&step, x, next, ranks)?;
            std::mem::swap(&mut x, &mut next);
            (lost, sweeps) = (totals.lost, sweeps + 1);
            // What is left of the geometric series, and what theory says without looking.
            let most = 2.0 * rest.powi(sweeps as i32);
            errors = sweep.errors(|lane| (totals.change[lane] * rest / self.alpha).min(most));
        }
        sweep.by_node(ranks, x);
        Ok(sweep.ended(sweeps, errors, stopped, tolerance))
    }

    fn check_push<S: AsRef<[Seed]>>(&self, graph: &Graph, cues: &[S], epsilon: f64) -> Result<(), Error> {
        self.check(graph, cues)?;
        Error::check_within("epsilon", (1e-12, 1.0), "1e-12 to 1", epsilon)
    }

    fn check<S: AsRef<[Seed]>>(&self, graph: &Graph, cues: &[S]) -> Result<(), Error> {
        Error::check_within("alpha", (1e-3, 1.0), "0.001 to 1", self.alpha)?;
        cues.iter().try_for_each(|seeds| graph.check_seeds(seeds.as_ref()))
    }
}

/// The nodes that a push can reach.
fn push_most(graph: &Graph, seeds: &[Seed], options: &ffi::ecp_push_options) -> usize {
    // SAFETY: as ecp_push in `call_push`, of which this asks for a part and writes nothing.
    unsafe { ffi::ecp_push_most(&graph.raw(), seeds.as_ptr().cast(), seeds.len(), options) }
}

/// Scratch bytes of a push.
fn push_need(graph: &Graph, seeds: &[Seed], options: &ffi::ecp_push_options) -> usize {
    // SAFETY: as ecp_push in `call_push`, of which this asks for a part and writes nothing.
    unsafe { ffi::ecp_push_need(&graph.raw(), seeds.as_ptr().cast(), seeds.len(), options) }
}

/// What a push writes, and then goes on from.
struct Pushed {
    nodes: Vec<u32>,
    ranks: Vec<f32>,
    residuals: Vec<f32>,
    result: ffi::ecp_push_result,
}

impl Pushed {
    /// Room that is not reached is not touched either.
    fn new(most: usize) -> Result<Self, Error> {
        let (nodes, ranks, residuals) = (spare(most)?, spare(most)?, spare(most)?);
        Ok(Self { nodes, ranks, residuals, result: ffi::ecp_push_result::default() })
    }

    /// Nodes that have a rank.
    fn near(self, stopped: Option<Stopped>) -> NearRanks {
        let Self { mut nodes, mut ranks, result, .. } = self;
        let mut ranked = ranks.iter().map(|&rank| rank > 0.0);
        nodes.retain(|_| ranked.next() == Some(true));
        ranks.retain(|&rank| rank > 0.0);
        fit(&mut nodes);
        fit(&mut ranks);
        let residual = result.residual + result.evenly;
        NearRanks { nodes, ranks, residual, edges: result.edges, swept: false, stopped }
    }
}

/// How far a push has come, beside what it has told.
struct Past {
    estimates: Vec<f64>,
    residuals: Vec<f64>,
    waiting: Vec<u32>,
    progress: ffi::ecp_push_past,
}

impl Past {
    fn new(most: usize) -> Result<Self, Error> {
        let (estimates, residuals, waiting) = (spare(most)?, spare(most)?, spare(most)?);
        Ok(Self { estimates, residuals, waiting, progress: ffi::ecp_push_past::default() })
    }

    /// As ecphory.h has it.
    fn raw(&mut self) -> *mut ffi::ecp_push_past {
        self.progress.estimates = self.estimates.as_mut_ptr();
        self.progress.residuals = self.residuals.as_mut_ptr();
        self.progress.waiting = self.waiting.as_mut_ptr();
        &mut self.progress
    }
}

/// Sweeps after which `(1 - alpha)^sweeps` is no more than `end`.
fn sweeps_for(alpha: f64, end: f64) -> u32 {
    if alpha >= 1.0 { 1 } else { (end.ln() / (1.0 - alpha).ln()).ceil().max(1.0) as u32 }
}

pub(crate) fn check_tolerance(tolerance: f64) -> Result<(), Error> {
    Error::check_within("tolerance", (1e-12, 1.0), "1e-12 to 1", tolerance)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::{Edge, HeatKernel};

    /// 800 nodes, five edges out of most, and none out of every ninth.
    fn graph() -> Graph {
        let edge = |i: u32| {
            let target = i.wrapping_mul(2_654_435_761) >> 7;
            Edge::new(i / 5, target % 800, 1.0 / (1 + target % 13) as f32)
        };
        Graph::from_edges(800, (0..4000).map(edge).filter(|edge| edge.source % 9 != 4)).unwrap()
    }

    const SEEDS: [Seed; 2] = [Seed { node: 3, activation: 2.0 }, Seed { node: 77, activation: 0.5 }];

    fn kinds() -> [PageRank; 3] {
        let some = PageRank::default().deadline(Instant::now());
        [some, some.dangling(Dangling::Evenly), some.work_most(900)]
    }

    /// Late at the look after so many.
    fn after(looks: &AtomicU32, last: u32) -> impl Fn() -> bool + Sync {
        move || looks.fetch_add(1, Ordering::Relaxed) >= last
    }

    #[test]
    fn parts_of_any_size_push_what_one_push_does_to_the_bit() {
        let graph = graph();
        for page_rank in kinds() {
            for epsilon in [1e-2, 1e-4, 1e-7] {
                let whole = PageRank { deadline: None, ..page_rank }.push(&graph, &SEEDS, epsilon).unwrap();
                for part in [1, 7, 100, 5000] {
                    let looks = AtomicU32::new(0);
                    let late = after(&looks, u32::MAX);
                    let found = page_rank.push_in_parts(part, &late, &graph, &SEEDS, epsilon).unwrap();
                    assert_eq!(found, whole, "{part}, {epsilon}");
                    assert!(part > 7 || epsilon > 1e-3 || looks.load(Ordering::Relaxed) > 3);
                }
            }
        }
    }

    #[test]
    fn a_push_that_the_clock_ends_at_any_look_is_one_of_as_many_edges_and_tells_what_it_lacks() {
        let graph = graph();
        for page_rank in kinds() {
            for (last, epsilon) in (0..60).flat_map(|last| [(last, 1e-4), (last, 1e-7)]) {
                let looks = AtomicU32::new(0);
                let found = page_rank.push_in_parts(50, &after(&looks, last), &graph, &SEEDS, epsilon).unwrap();
                assert!(last > 0 || (found.edges, found.ranks.len(), found.stopped) == (0, 0, Some(Stopped::Deadline)));
                let sum: f64 = found.ranks.iter().map(|&rank| f64::from(rank)).sum();
                assert!((sum + found.residual - 1.0).abs() < 1e-5, "{last}, {epsilon}: {sum} and {}", found.residual);
                if found.stopped == Some(Stopped::Deadline) && !found.swept && page_rank.dangling == Dangling::ToSeeds {
                    let fewer = PageRank { deadline: None, ..page_rank }.work_most(found.edges);
                    let fewer = fewer.push(&graph, &SEEDS, epsilon).unwrap();
                    assert_eq!(fewer.stopped, Some(Stopped::Work));
                    assert_eq!(NearRanks { stopped: found.stopped, ..fewer }, found);
                }
            }
        }
    }

    #[test]
    fn sweeps_that_the_clock_ends_at_any_look_have_what_as_many_find() {
        let graph = graph();
        let edges = graph.edge_count() as u64;
        let sweep = Sweep::new(&graph, 1, starts(&[SEEDS]).unwrap()).unwrap();
        let (mut timed, mut worked) = (Workspace::new(), Workspace::new());
        for last in 0..9 {
            let looks = AtomicU32::new(0);
            let limits = Limits { edges_most: u64::MAX, late: &after(&looks, last) };
            let ended = PageRank::default().sweep(&sweep, 1e-9, &limits, timed.zeroed(800).unwrap()).unwrap();
            assert_eq!((ended.sweeps, ended.stopped[0]), (last, Some(Stopped::Deadline)));
            let limit = u64::from(last) * edges + edges - 1;
            let found = PageRank::default().work_most(limit).power(&graph, &SEEDS, 1e-9, &mut worked).unwrap();
            assert_eq!((found.sweeps, found.edges, found.stopped), (last, ended.edges, Some(Stopped::Work)));
            assert!(found.ranks == timed.ranks && found.error == ended.errors[0]);
            looks.store(0, Ordering::Relaxed);
            let kernel = HeatKernel::new(9.0);
            let ended = kernel.run(&sweep, 1e-9, &limits, timed.zeroed(800).unwrap()).unwrap();
            assert_eq!((ended.sweeps, ended.stopped[0]), (last, Some(Stopped::Deadline)));
            let found = kernel.work_most(limit).sweep(&graph, &SEEDS, 1e-9, &mut worked).unwrap();
            assert_eq!((found.sweeps, found.edges, found.stopped), (last, ended.edges, Some(Stopped::Work)));
            assert!(found.ranks == timed.ranks && found.error == ended.errors[0]);
        }
    }
}
