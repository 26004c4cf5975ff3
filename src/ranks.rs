use std::fmt;

use crate::activation::{seeds, top_k};
use crate::brief::Few;
use crate::similarity::spare;
use crate::sweeps::{Ended, LANES};
use crate::{Error, Graph, Seed, Stopped, Workspace};

/// Ranks of the nodes near some seeds.
#[derive(Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct NearRanks {
    /// Nodes of rank above 0: in the order reached, or, after sweeps, ascending.
    pub nodes: Vec<u32>,
    /// The rank of each, never above the exact one but for the rounding of shares that [`PageRank`](crate::PageRank)
    /// states and, after sweeps, for that of [`PageRank::power`](crate::PageRank::power) and 2^-24 of it for each
    /// sweep.
    pub ranks: Vec<f32>,
    /// What all ranks together may still gain, and so what each of them may: the exact rank of any node, of those left
    /// out too, is no more than this above its rank here, but for the same rounding. With all ranks it is 1 or more;
    /// without seeds it is 0.
    pub residual: f64,
    /// Edges that were walked, those of sweeps too.
    pub edges: u64,
    /// Whether pushing became more work than sweeps over the whole graph, which then took over.
    pub swept: bool,
    /// What ended it before ranks were as near as `epsilon` asks for; what they may still gain, `residual` tells.
    pub stopped: Option<Stopped>,
}

impl NearRanks {
    /// Nodes with their rank, in the order of [`NearRanks::nodes`].
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Seed> + Clone + '_ {
        seeds(&self.nodes, &self.ranks)
    }

    /// The `k` nodes of highest rank, highest first, ties by lower node.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] where the system has no 8 bytes for each node that has a rank.
    pub fn top_k(&self, k: usize) -> Result<Vec<Seed>, Error> {
        top_k(self.iter(), k)
    }
}

/// Ranks of all nodes, in the workspace.
#[derive(Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Ranks<'w> {
    /// By node.
    pub ranks: &'w [f32],
    /// Sweeps that were taken.
    pub sweeps: u32,
    /// Edges that were walked: those of the graph, at each sweep.
    pub edges: u64,
    /// How far from exact ranks these are at most, summed over all nodes, rounding left out.
    pub error: f64,
    /// What ended the sweeps before that came to the tolerance.
    pub stopped: Option<Stopped>,
}

impl<'w> Ranks<'w> {
    /// Of one of the cues that have `ended` together.
    pub(crate) fn of(ranks: &'w [f32], ended: &Ended, lane: usize) -> Self {
        let Ended { sweeps, edges, errors, stopped } = ended;
        Self { ranks, sweeps: *sweeps, edges: *edges, error: errors[lane], stopped: stopped[lane] }
    }

    /// All nodes, ascending, with their rank.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Seed> + Clone + use<'w> {
        self.ranks.iter().enumerate().map(|(node, &rank)| Seed { node: node as u32, activation: rank })
    }

    /// The `k` nodes of highest rank, highest first, ties by lower node; of those that have a rank above 0.
    ///
    /// ```
    /// use ecphory::{Edge, Graph, PageRank, Seed, Workspace};
    ///
    /// let graph = Graph::from_edges(4, [Edge::new(0, 2, 1.0), Edge::new(0, 1, 1.0)])?;
    /// let mut workspace = Workspace::new();
    /// let found = PageRank::default().power(&graph, &[Seed::new(0, 1.0)], 1e-6, &mut workspace)?;
    /// let best: Vec<_> = found.top_k(10)?.iter().map(|seed| seed.node).collect();
    /// assert_eq!(best, [0, 1, 2]);
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] where the system has no 8 bytes for each node that has a rank.
    pub fn top_k(&self, k: usize) -> Result<Vec<Seed>, Error> {
        top_k(self.iter().filter(|seed| seed.activation > 0.0), k)
    }
}

/// Ranks of all nodes for each of several cues, in the workspace.
#[derive(Clone, Copy, PartialEq)]
pub struct EachRanks<'w> {
    all: &'w [f32],
    ended: &'w [Ended],
    nodes: usize,
    cues: usize,
    /// Sweeps that were taken, over 16 cues side by side, at most.
    pub sweeps: u32,
    /// Edges that were walked: those of the graph, at each sweep over 16 cues.
    pub edges: u64,
    /// As [`Ranks::error`], of the cue that is farthest.
    pub error: f64,
    /// What ended the sweeps of any cues before their error came to the tolerance: of which, [`EachRanks::cue`] says.
    pub stopped: Option<Stopped>,
}

impl<'w> EachRanks<'w> {
    pub(crate) fn of_cues(workspace: &'w Workspace, graph: &Graph, cues: usize) -> Self {
        let (all, ended) = (&workspace.ranks[..], &workspace.ended[..]);
        Self {
            all,
            ended,
            nodes: graph.node_count(),
            cues,
            sweeps: ended.iter().map(|ended| ended.sweeps).max().unwrap_or(0),
            edges: ended.iter().map(|ended| ended.edges).sum(),
            error: ended.iter().flat_map(|ended| ended.errors).fold(0.0, f64::max),
            stopped: ended.iter().flat_map(|ended| ended.stopped).find_map(|stopped| stopped),
        }
    }

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

    /// Ranks of one cue with what its sweeps have come to: its own error, and whether that is above the tolerance
    /// because something ended them. Sweeps and edges are those that it shared with up to 15 others. `None` where there
    /// is no such cue.
    ///
    /// ```
    /// use ecphory::{Edge, Graph, PageRank, Seed, Workspace};
    ///
    /// let graph = Graph::from_edges(2, [Edge::new(0, 1, 1.0), Edge::new(1, 0, 1.0)])?;
    /// let mut workspace = Workspace::new();
    /// let cues = [vec![Seed::new(0, 1.0)], vec![]];
    /// let found = PageRank::default().work_most(1).power_each(&graph, &cues, 1e-6, &mut workspace)?;
    /// let whole: Vec<_> = found.iter().map(|ranks| ranks.stopped.is_none()).collect();
    /// assert_eq!(whole, [false, true]);
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    pub fn cue(&self, cue: usize) -> Option<Ranks<'w>> {
        (cue < self.cues).then(|| Ranks::of(self.of(cue), &self.ended[cue / LANES], cue % LANES))
    }

    /// [`EachRanks::cue`] of each, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Ranks<'w>> + use<'w> {
        let each = *self;
        (0..self.cues).map(move |cue| Ranks::of(each.of(cue), &each.ended[cue / LANES], cue % LANES))
    }

    /// [`Ranks::top_k`] of each cue.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] where the system has no memory for them, or no 8 bytes for each node.
    pub fn top_k(&self, k: usize) -> Result<Vec<Vec<Seed>>, Error> {
        let mut all = spare(self.cues)?;
        for ranks in self.iter() {
            all.push(ranks.top_k(k)?);
        }
        Ok(all)
    }
}

impl fmt::Debug for NearRanks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut near = f.debug_struct("NearRanks");
        near.field("nodes", &Few(&self.nodes)).field("ranks", &Few(&self.ranks)).field("residual", &self.residual);
        near.field("edges", &self.edges).field("swept", &self.swept).field("stopped", &self.stopped).finish()
    }
}

impl fmt::Debug for Ranks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ranks = f.debug_struct("Ranks");
        ranks.field("ranks", &Few(self.ranks)).field("sweeps", &self.sweeps).field("edges", &self.edges);
        ranks.field("error", &self.error).field("stopped", &self.stopped).finish()
    }
}

impl fmt::Debug for EachRanks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut each = f.debug_struct("EachRanks");
        each.field("nodes", &self.nodes).field("cues", &self.cues).field("sweeps", &self.sweeps);
        each.field("edges", &self.edges).field("error", &self.error).field("stopped", &self.stopped).finish()
    }
}
