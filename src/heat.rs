use std::time::Instant;

use crate::deadlines::{Limits, passed};
use crate::pagerank::check_tolerance;
use crate::sweeps::{Ended, Step, Sweep, sweep_each, sweep_one};
use crate::{Dangling, EachRanks, Error, Graph, Ranks, Seed, Workspace};

/// Heat kernel ranks: `e^-t * sum over k of t^k / k! * (P^T)^k e`, `e` and `P` as of [`PageRank`](crate::PageRank)
/// (Chung, "The heat kernel as the pagerank of a graph", PNAS 104, 2007).
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct HeatKernel {
    t: f64,
    dangling: Dangling,
    work_most: u64,
    deadline: Option<Instant>,
}

impl HeatKernel {
    /// After time `t`, 0 to 64: so many steps from the seeds on average. Dangling shares go to the seeds.
    pub fn new(t: f64) -> Self {
        Self { t, dangling: Dangling::ToSeeds, work_most: u64::MAX, deadline: None }
    }

    /// What becomes of the share of nodes that lead nowhere.
    pub fn dangling(self, dangling: Dangling) -> Self {
        Self { dangling, ..self }
    }

    /// As [`PageRank::work_most`](crate::PageRank::work_most).
    pub fn work_most(self, edges: u64) -> Self {
        Self { work_most: edges, ..self }
    }

    /// As [`PageRank::deadline`](crate::PageRank::deadline).
    pub fn deadline(self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// Ranks of all nodes, in `workspace`: their sum is 1 less what the tail of the series has, at most `tolerance`
    /// (1e-12 to 1), or what [`Ranks::error`] tells where a limit ended it before, and they lack no more than that. To
    /// that comes rounding, of each rank at most `2^-24 * (40 * (t + 1) + sweeps)` of it. Sweeps as in
    /// [`PageRank::power`](crate::PageRank::power).
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
    /// As [`PageRank::power`](crate::PageRank::power); [`Error::Value`] for `t` outside its range.
    pub fn sweep<'w>(
        &self,
        graph: &Graph,
        seeds: &[Seed],
        tolerance: f64,
        workspace: &'w mut Workspace,
    ) -> Result<Ranks<'w>, Error> {
        self.check(graph, &[seeds], tolerance)?;
        let limits = Limits { edges_most: self.work_most, late: &passed(self.deadline) };
        sweep_one(graph, seeds, workspace, |sweep, arrays| self.run(sweep, tolerance, &limits, arrays))
    }

    /// [`HeatKernel::sweep`] of several cues, 16 of which share each sweep, as [`PageRank::power_each`] has it. Ranks
    /// are those of [`HeatKernel::sweep`] within the bounds of both.
    ///
    /// [`PageRank::power_each`]: crate::PageRank::power_each
    ///
    /// ```
    /// use ecphory::{Edge, Graph, HeatKernel, Seed, Workspace};
    ///
    /// let graph = Graph::from_edges(2, [Edge::new(0, 1, 1.0), Edge::new(1, 0, 1.0)])?;
    /// let mut workspace = Workspace::new();
    /// let cues = [[Seed::new(0, 1.0)], [Seed::new(1, 1.0)]];
    /// let found = HeatKernel::new(1.0).sweep_each(&graph, &cues, 1e-6, &mut workspace)?;
    /// assert!((found.of(1)[1] - (-1f32).exp() * 1f32.cosh()).abs() < 1e-6);
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`HeatKernel::sweep`]; every cue is checked before the first sweep.
    pub fn sweep_each<'w, S: AsRef<[Seed]> + Sync>(
        &self,
        graph: &Graph,
        cues: &[S],
        tolerance: f64,
        workspace: &'w mut Workspace,
    ) -> Result<EachRanks<'w>, Error> {
        self.check(graph, cues, tolerance)?;
        let limits = Limits { edges_most: self.work_most, late: &passed(self.deadline) };
        sweep_each(graph, cues, workspace, |sweep, arrays| self.run(sweep, tolerance, &limits, arrays))
    }

    fn check<S: AsRef<[Seed]>>(&self, graph: &Graph, cues: &[S], tolerance: f64) -> Result<(), Error> {
        Error::check_within("time", (0.0, 64.0), "0 to 64", self.t)?;
        check_tolerance(tolerance)?;
        cues.iter().try_for_each(|seeds| graph.check_seeds(seeds.as_ref()))
    }

    pub(crate) fn run(
        &self,
        sweep: &Sweep<'_>,
        tolerance: f64,
        limits: &Limits<'_>,
        [mut x, mut next, ranks]: [&mut [f32]; 3],
    ) -> Result<Ended, Error> {
        let nodes = sweep.incoming.node_count();
        // Of what has taken so many steps: e^-t t^k / k!.
        let (mut weight, mut sweeps) = ((-self.t).exp(), 0);
        let mut lost = sweep.begin(weight, x, ranks);
        // The terms after the next one fall by t / (sweeps + 2) each, or faster.
        let tail = |weight: f64, sweeps: u32| {
            let ratio = self.t / f64::from(sweeps + 2);
            if ratio < 1.0 { (weight * self.t / f64::from(sweeps + 1) / (1.0 - ratio)).min(1.0) } else { 1.0 }
        };
        let mut stopped = None;
        while tail(weight, sweeps) > tolerance {
            stopped = sweep.stop(limits, sweeps);
            if stopped.is_some() {
                break;
            }
            sweeps += 1;
            weight *= self.t / f64::from(sweeps);
            let step = Step { keep: 1.0, gain: weight as f32, ..Step::passing(1.0, &lost, self.dangling, nodes) };
            lost = sweep.step(&step, x, next, ranks)?.lost;
            std::mem::swap(&mut x, &mut next);
        }
        sweep.by_node(ranks, x);
        Ok(sweep.ended(sweeps, sweep.errors(|_| tail(weight, sweeps)), stopped, tolerance))
    }
}
