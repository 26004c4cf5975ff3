use std::fmt;

use crate::brief::Few;
use crate::sweeps::Ended;
use crate::{Graph, Stopped, Workspace};

/// Ranks of the nodes near some seeds.
#[derive(Clone, PartialEq)]
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
    pub(crate) fn of(workspace: &'w Workspace, ended: Ended) -> Self {
        let Ended { sweeps, edges, error, stopped } = ended;
        Self { ranks: &workspace.ranks, sweeps, edges, error, stopped }
    }
}

/// Ranks of all nodes for each of several cues, in the workspace.
#[derive(Clone, Copy, PartialEq)]
pub struct EachRanks<'w> {
    all: &'w [f32],
    nodes: usize,
    cues: usize,
    /// Sweeps that were taken, over 16 cues side by side, at most.
    pub sweeps: u32,
    /// Edges that were walked: those of the graph, at each sweep over 16 cues.
    pub edges: u64,
    /// As [`Ranks::error`], of the cue that is farthest.
    pub error: f64,
    /// What ended the sweeps of any cues before their error came to the tolerance.
    pub stopped: Option<Stopped>,
}

impl<'w> EachRanks<'w> {
    pub(crate) fn of_cues(workspace: &'w Workspace, graph: &Graph, cues: usize, ended: Ended) -> Self {
        let Ended { sweeps, edges, error, stopped } = ended;
        Self { all: &workspace.ranks, nodes: graph.node_count(), cues, sweeps, edges, error, stopped }
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
