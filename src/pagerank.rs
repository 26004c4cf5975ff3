#![allow(unsafe_code)]

use rayon::prelude::*;

use crate::similarity::{fit, spare};
use crate::sweeps::{LANES, Step, Sweep, starts};
use crate::{Error, Graph, OverflowPolicy, Seed, Workspace, arena, ffi};

/// A push walks so many times the graph before sweeps over all of it are less work.
const PUSH_SWEEPS: u64 = 8;

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
/// the sum it is divided by: by at most 2^-24 of it, which makes up to `2^-24 / alpha` of all ranks.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct PageRank {
    alpha: f64,
    dangling: Dangling,
    overflow: OverflowPolicy,
}

impl Default for PageRank {
    /// alpha 0.15, a damping of 0.85, as Brin and Page have it; dangling to the seeds, so that nothing unrelated is
    /// ranked.
    fn default() -> Self {
        Self { alpha: 0.15, dangling: Dangling::ToSeeds, overflow: OverflowPolicy::default() }
    }
}

/// Ranks of the nodes near some seeds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NearRanks {
    /// Nodes of rank above 0: in the order reached, or, after sweeps, ascending.
    pub nodes: Vec<u32>,
    /// The rank of each, never above the exact one but for the rounding of shares that [`PageRank`] states and, after
    /// sweeps, for that of [`PageRank::power`] and 2^-24 of it for each sweep.
    pub ranks: Vec<f32>,
    /// What all ranks together may still gain, and so what each of them may: the exact rank of any node, of those left
    /// out too, is no more than this above its rank here, but for the same rounding. With all ranks it is 1 or more.
    pub residual: f64,
    /// Edges that were walked, those of sweeps too.
    pub edges: u64,
    /// Whether pushing became more work than sweeps over the whole graph, which then took over.
    pub swept: bool,
}

/// Ranks of all nodes, in the workspace.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Ranks<'w> {
    /// By node.
    pub ranks: &'w [f32],
    /// Sweeps that were taken.
    pub sweeps: u32,
    /// How far from exact ranks these are at most, summed over all nodes, rounding left out.
    pub error: f64,
}

/// Ranks of all nodes for each of several cues, in the workspace.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EachRanks<'w> {
    all: &'w [f32],
    nodes: usize,
    cues: usize,
    /// Sweeps that were taken, over 16 cues side by side, at most.
    pub sweeps: u32,
    /// As [`Ranks::error`], of the cue that is farthest.
    pub error: f64,
}

impl<'w> EachRanks<'w> {
    /// How many cues there are.
    pub fn len(&self) -> usize {
        self.cues
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.cues == 0
    }

    /// Ranks of all nodes for one cue, by node; none where there is no such cue.
    pub fn of(&self, cue: usize) -> &'w [f32] {
        if cue < self.cues { &self.all[cue * self.nodes..][..self.nodes] } else { &[] }
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
    /// [`Error::Index`] and [`Error::Value`] for seeds, as [`Graph::spread`], and where all are 0; [`Error::Value`] for
    /// `epsilon` and alpha outside their range; [`Error::OutOfMemory`] by the policy, and where the system has none for
    /// sweeps; [`Error::ThreadEnding`]; [`Error::UnknownTier`].
    pub fn push(&self, graph: &Graph, seeds: &[Seed], epsilon: f64) -> Result<NearRanks, Error> {
        self.check(graph, &[seeds])?;
        Error::check_within("epsilon", (1e-12, 1.0), "1e-12 to 1", epsilon)?;
        let starts = starts(&[seeds])?;
        let size = (graph.node_count() + graph.edge_count()) as u64;
        let options = ffi::ecp_push_options {
            alpha: self.alpha,
            epsilon,
            edges_most: PUSH_SWEEPS * size,
            dangling: match self.dangling {
                Dangling::ToSeeds => ffi::ECP_DANGLING_TO_SEEDS,
                Dangling::Evenly => ffi::ECP_DANGLING_EVENLY,
            },
            reserved: 0,
        };
        let (mut pushed, residuals, result) = self.call_push(graph, seeds, &options)?;
        if result.stopped != ffi::ECP_STOPPED_NO {
            return self.sweep_on(&Sweep::new(graph, 1, starts)?, &pushed, &residuals, result.evenly, epsilon);
        }
        let mut ranked = pushed.ranks.iter().map(|&rank| rank > 0.0);
        pushed.nodes.retain(|_| ranked.next() == Some(true));
        pushed.ranks.retain(|&rank| rank > 0.0);
        fit(&mut pushed.nodes);
        fit(&mut pushed.ranks);
        Ok(pushed)
    }

    /// What was reached, all of it, its residuals, and the result.
    fn call_push(
        &self,
        graph: &Graph,
        seeds: &[Seed],
        options: &ffi::ecp_push_options,
    ) -> Result<(NearRanks, Vec<f32>, ffi::ecp_push_result), Error> {
        let raw = graph.raw();
        // SAFETY: as ecp_push below, of which this asks for a part and writes nothing.
        let most = unsafe { ffi::ecp_push_most(&raw, seeds.as_ptr().cast(), seeds.len(), options) };
        let (mut nodes, mut ranks, mut residuals) = (spare(most)?, spare(most)?, spare(most)?);
        let mut result = ffi::ecp_push_result::default();
        arena::with_scratch(self.overflow, |scratch| {
            // SAFETY: ecphory.h asks for
            // - a graph as it describes, with out_strengths: `Graph` is one by construction and cannot be changed;
            // - seeds[seed_count], nodes below node_count and magnitudes, not all 0: `check` and `starts`; the layout:
            //   asserted beside `Seed`;
            // - options in their ranges: checked by `push`;
            // - reached, estimates and residuals [ecp_push_most]: the capacities above;
            // - nothing written that overlaps anything else: all are locals.
            unsafe {
                let (start, reached): (_, *mut u32) = (seeds.as_ptr().cast(), nodes.as_mut_ptr());
                let (p, r): (*mut f32, *mut f32) = (ranks.as_mut_ptr(), residuals.as_mut_ptr());
                ffi::ecp_push(&raw, start, seeds.len(), options, reached, p, r, &mut result, scratch)
            }
        })?;
        // SAFETY: the kernel has written the first `reached_count` elements of each, at most `most`.
        unsafe {
            nodes.set_len(result.reached_count);
            ranks.set_len(result.reached_count);
            residuals.set_len(result.reached_count);
        }
        let residual = result.residual + result.evenly;
        Ok((NearRanks { nodes, ranks, residual, edges: result.edges, swept: false }, residuals, result))
    }

    /// Every node pushes at once, until none has pushed more than `epsilon`: what is left then may be more at a node to
    /// which many lead, but ranks are no less than those before that sweep, which left no residual above `epsilon`.
    fn sweep_on(
        &self,
        sweep: &Sweep<'_>,
        pushed: &NearRanks,
        residuals: &[f32],
        evenly: f64,
        epsilon: f64,
    ) -> Result<NearRanks, Error> {
        let (incoming, rest) = (sweep.incoming, 1.0 - self.alpha);
        let (nodes, mut workspace) = (incoming.node_count(), Workspace::new());
        let [mut x, mut next, ranks] = workspace.zeroed(nodes)?;
        x.fill((evenly / nodes as f64) as f32);
        for ((&node, &rank), &residual) in pushed.nodes.iter().zip(&pushed.ranks).zip(residuals) {
            let place = incoming.place[node as usize] as usize;
            ranks[place] = rank;
            x[place] += residual;
        }
        let mut lost = [0.0; LANES];
        for ((held, rank), &strength) in x.iter().zip(ranks.iter_mut()).zip(incoming.out_strengths) {
            *rank += (self.alpha * f64::from(*held)) as f32;
            lost[0] += if strength == 0.0 { f64::from(*held) } else { 0.0 };
        }
        let (mut residual, mut sweeps) = (pushed.residual * rest, 0);
        while sweeps < sweeps_for(self.alpha, epsilon) {
            let step = Step { keep: 1.0, gain: self.alpha as f32, ..Step::passing(rest, &lost, self.dangling, nodes) };
            let totals = sweep.step(&step, x, next, ranks)?;
            std::mem::swap(&mut x, &mut next);
            (lost, sweeps) = (totals.lost, sweeps + 1);
            residual = rest * totals.change[0] / self.alpha;
            if totals.peak[0] <= epsilon {
                break;
            }
        }
        let edges = pushed.edges + u64::from(sweeps) * incoming.sources.len() as u64;
        sweep.by_node(ranks, x);
        // Ranks add up to 1, so none has more to gain than all lack; that knows what was too small to change a rank.
        let residual = residual.max(1.0 - ranks.iter().copied().map(f64::from).sum::<f64>());
        let ranked = (0..).zip(ranks.iter().copied()).filter(|(_, rank)| *rank > 0.0);
        let count = ranked.clone().count();
        let (mut nodes, mut ranks) = (spare(count)?, spare(count)?);
        nodes.extend(ranked.clone().map(|(node, _)| node));
        ranks.extend(ranked.map(|(_, rank)| rank));
        Ok(NearRanks { nodes, ranks, residual, edges, swept: true })
    }

    /// Ranks of all nodes, by power iteration over edges by their targets, in `workspace`: within `tolerance`, 1e-12
    /// to 1, of exact ranks, summed over all nodes. To that comes rounding: of each rank at most 40 times
    /// `2^-24 / alpha` of it, however many edges lead to a node. Sweeps are split over the threads of the current rayon
    /// pool; the bits do not depend on how many there are. It always ends: the error shrinks by `1 - alpha` at each
    /// sweep, or faster. The first call for a graph makes its edges by target, which it keeps.
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
        let sweep = Sweep::new(graph, 1, starts(&[seeds])?)?;
        let (sweeps, error) = self.sweep(&sweep, tolerance, workspace.zeroed(graph.node_count())?)?;
        Ok(Ranks { ranks: &workspace.ranks, sweeps, error })
    }

    /// [`PageRank::power`] of several cues, 16 of which share each sweep: one pass over the edges for all of them.
    /// Groups of 16 and the rows of each run on the threads of the current rayon pool. The workspace holds 192 bytes
    /// for each node and group. Ranks are those of [`PageRank::power`] within the bounds of both.
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
        let group = |cues: &[S]| Sweep::new(graph, LANES, starts(cues)?);
        let groups = cues.chunks(LANES).map(group).collect::<Result<Vec<_>, _>>()?;
        let each = graph.node_count() * LANES;
        let [x, next, ranks] = workspace.zeroed(groups.len().saturating_mul(each))?;
        let arrays = x.par_chunks_mut(each).zip(next.par_chunks_mut(each)).zip(ranks.par_chunks_mut(each));
        type Arrays<'a> = ((&'a mut [f32], &'a mut [f32]), &'a mut [f32]);
        let run =
            |(group, ((x, next), ranks)): (&Sweep<'_>, Arrays<'_>)| self.sweep(group, tolerance, [x, next, ranks]);
        let ends = groups.par_iter().zip(arrays).map(run).collect::<Result<Vec<_>, _>>()?;
        let (sweeps, error) = ends.into_iter().fold((0, 0.0f64), |all, one| (all.0.max(one.0), all.1.max(one.1)));
        Ok(EachRanks { all: &workspace.ranks, nodes: graph.node_count(), cues: cues.len(), sweeps, error })
    }

    /// How many sweeps it took, and how far from exact ranks these are at most.
    fn sweep(&self, sweep: &Sweep<'_>, tolerance: f64, arrays: [&mut [f32]; 3]) -> Result<(u32, f64), Error> {
        let ([mut x, mut next, ranks], rest) = (arrays, 1.0 - self.alpha);
        let mut lost = sweep.begin(1.0, x, ranks);
        let (mut sweeps, mut error) = (0, 2.0 * rest);
        while error > tolerance && sweeps < sweeps_for(self.alpha, tolerance / 2.0) {
            let mut step = Step::passing(rest, &lost, self.dangling, sweep.incoming.node_count());
            step.to_starts.iter_mut().for_each(|to| *to += self.alpha);
            let totals = sweep.step(&step, x, next, ranks)?;
            std::mem::swap(&mut x, &mut next);
            (lost, sweeps) = (totals.lost, sweeps + 1);
            // What is left of the geometric series, and what theory says without looking.
            let moved = totals.change.iter().copied().fold(0.0, f64::max);
            error = (moved * rest / self.alpha).min(2.0 * rest.powi(sweeps as i32));
        }
        sweep.by_node(ranks, x);
        Ok((sweeps, error))
    }

    fn check<S: AsRef<[Seed]>>(&self, graph: &Graph, cues: &[S]) -> Result<(), Error> {
        Error::check_within("alpha", (1e-3, 1.0), "0.001 to 1", self.alpha)?;
        cues.iter().try_for_each(|seeds| graph.check_seeds(seeds.as_ref()))
    }
}

/// Sweeps after which `(1 - alpha)^sweeps` is no more than `end`.
fn sweeps_for(alpha: f64, end: f64) -> u32 {
    if alpha >= 1.0 { 1 } else { (end.ln() / (1.0 - alpha).ln()).ceil().max(1.0) as u32 }
}

fn check_tolerance(tolerance: f64) -> Result<(), Error> {
    Error::check_within("tolerance", (1e-12, 1.0), "1e-12 to 1", tolerance)
}

/// Heat kernel ranks: `e^-t * sum over k of t^k / k! * (P^T)^k e`, `e` and `P` as of [`PageRank`] (Chung, "The heat
/// kernel as the pagerank of a graph", PNAS 104, 2007).
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct HeatKernel {
    t: f64,
    dangling: Dangling,
}

impl HeatKernel {
    /// After time `t`, 0 to 64: so many steps from the seeds on average. Dangling shares go to the seeds.
    pub fn new(t: f64) -> Self {
        Self { t, dangling: Dangling::ToSeeds }
    }

    /// What becomes of the share of nodes that lead nowhere.
    pub fn dangling(self, dangling: Dangling) -> Self {
        Self { dangling, ..self }
    }

    /// Ranks of all nodes, in `workspace`: their sum is 1 less what the tail of the series has, at most `tolerance`
    /// (1e-12 to 1), and they lack no more than that. To that comes rounding, of each rank at most
    /// `2^-24 * (40 * (t + 1) + sweeps)` of it. Sweeps as in [`PageRank::power`].
    ///
    /// ```
    /// use ecphory::{Edge, Graph, HeatKernel, Seed, Workspace};
    ///
    /// let graph = Graph::from_edges(2, [Edge::new(0, 1, 1.0), Edge::new(1, 0, 1.0)])?;
    /// let mut workspace = Workspace::new();
    /// let found = HeatKernel::new(1.0).sweep(&graph, &[Seed::new(0, 1.0)], 1e-6, &mut workspace)?;
    /// assert!((found.ranks[0] - (-1f32).exp() * 1f32.cosh()).abs() < 1e-6);
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`PageRank::power`]; [`Error::Value`] for `t` outside its range.
    pub fn sweep<'w>(
        &self,
        graph: &Graph,
        seeds: &[Seed],
        tolerance: f64,
        workspace: &'w mut Workspace,
    ) -> Result<Ranks<'w>, Error> {
        Error::check_within("time", (0.0, 64.0), "0 to 64", self.t)?;
        check_tolerance(tolerance)?;
        graph.check_seeds(seeds)?;
        let (sweep, nodes) = (Sweep::new(graph, 1, starts(&[seeds])?)?, graph.node_count());
        let [mut x, mut next, ranks] = workspace.zeroed(nodes)?;
        // Of what has taken so many steps: e^-t t^k / k!.
        let (mut weight, mut sweeps) = ((-self.t).exp(), 0);
        let mut lost = sweep.begin(weight, x, ranks);
        // The terms after the next one fall by t / (sweeps + 2) each, or faster.
        let tail = |weight: f64, sweeps: u32| {
            let ratio = self.t / f64::from(sweeps + 2);
            if ratio < 1.0 { weight * self.t / f64::from(sweeps + 1) / (1.0 - ratio) } else { 1.0 }
        };
        while tail(weight, sweeps) > tolerance {
            sweeps += 1;
            weight *= self.t / f64::from(sweeps);
            let step = Step { keep: 1.0, gain: weight as f32, ..Step::passing(1.0, &lost, self.dangling, nodes) };
            lost = sweep.step(&step, x, next, ranks)?.lost;
            std::mem::swap(&mut x, &mut next);
        }
        sweep.by_node(ranks, x);
        Ok(Ranks { ranks: &workspace.ranks, sweeps, error: tail(weight, sweeps) })
    }
}
