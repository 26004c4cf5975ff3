#![allow(unsafe_code)]

use rayon::prelude::*;

use crate::deadlines::Limits;
use crate::incoming::{Incoming, ROWS};
use crate::similarity::{room, spare};
use crate::tasks::in_turn;
use crate::workspace::zero;
use crate::{Dangling, EachRanks, Error, Graph, Ranks, Seed, Stopped, Workspace, arena, ffi};

/// Cues that one sweep takes side by side.
pub(crate) const LANES: usize = ffi::ECP_SWEEP_CUES as usize;

/// Edges, times cues, of a block of rows, which one task sweeps, and the most rows, times cues; a few rows that have
/// more are one too. The same whatever the threads, and so are the sums of blocks.
const BLOCK: usize = 1 << 16;

/// Edges, times cues, up to which a sweep stays on the calling thread.
const SMALL_SWEEP: usize = 1 << 17;

/// What a sweep came to, for each cue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Totals {
    /// How far ranks moved, summed.
    pub change: [f64; LANES],
    /// What stands at nodes that lead nowhere.
    pub lost: [f64; LANES],
    /// The largest sum of any node.
    pub peak: [f64; LANES],
}

impl Totals {
    const NONE: Self = Self { change: [0.0; LANES], lost: [0.0; LANES], peak: [0.0; LANES] };

    fn and(mut self, other: Self) -> Self {
        for lane in 0..LANES {
            self.change[lane] += other.change[lane];
            self.lost[lane] += other.lost[lane];
            self.peak[lane] = self.peak[lane].max(other.peak[lane]);
        }
        self
    }
}

/// The share of a cue that begins at a node: shares of one cue add up to 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    pub node: u32,
    pub lane: usize,
    pub share: f64,
}

/// Shares of up to [`LANES`] cues; none of a cue whose activations are all 0.
pub(crate) fn starts<S: AsRef<[Seed]>>(cues: &[S]) -> Result<Vec<Start>, Error> {
    let mut all = spare(cues.iter().map(|cue| cue.as_ref().len()).sum())?;
    for (lane, cue) in cues.iter().enumerate() {
        let sum: f64 = cue.as_ref().iter().map(|seed| f64::from(seed.activation)).sum();
        let share = |seed: &Seed| Start { node: seed.node, lane, share: f64::from(seed.activation) / sum };
        all.extend(cue.as_ref().iter().filter(|seed| seed.activation > 0.0).map(share));
    }
    Ok(all)
}

/// What the sweeps of up to [`LANES`] cues have come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ended {
    pub sweeps: u32,
    pub edges: u64,
    pub errors: [f64; LANES],
    /// Of each cue whose error had not come to the tolerance.
    pub stopped: [Option<Stopped>; LANES],
}

impl Ended {
    /// Nothing swept, and nothing left to.
    pub const NONE: Self = Self { sweeps: 0, edges: 0, errors: [0.0; LANES], stopped: [None; LANES] };
}

/// Sweeps of one cue, which `run` does; none where it wakes nothing.
pub(crate) fn sweep_one<'w>(
    graph: &Graph,
    seeds: &[Seed],
    workspace: &'w mut Workspace,
    run: impl Fn(&Sweep<'_>, [&mut [f32]; 3]) -> Result<Ended, Error>,
) -> Result<Ranks<'w>, Error> {
    let starts = starts(&[seeds])?;
    let arrays = workspace.zeroed(graph.node_count())?;
    let ended = if starts.is_empty() { Ended::NONE } else { run(&Sweep::new(graph, 1, starts)?, arrays)? };
    Ok(Ranks::of(&workspace.ranks, &ended, 0))
}

/// Sweeps of [`LANES`] cues side by side, of which `run` does those of one group, on the threads of the current rayon
/// pool: as many groups at once as it has threads.
pub(crate) fn sweep_each<'w, S: AsRef<[Seed]> + Sync>(
    graph: &Graph,
    cues: &[S],
    workspace: &'w mut Workspace,
    run: impl Fn(&Sweep<'_>, [&mut [f32]; 3]) -> Result<Ended, Error> + Sync,
) -> Result<EachRanks<'w>, Error> {
    if cues.iter().any(|cue| cue.as_ref().iter().any(|seed| seed.activation > 0.0)) {
        // Before groups would each make its own.
        graph.prepare_sweeps()?;
    }
    let each = graph.node_count().saturating_mul(LANES);
    let count = cues.len().div_ceil(LANES);
    let tasks = count.min(rayon::current_num_threads());
    let (passing, ranks, ended) = workspace.for_groups(count, tasks, each)?;
    let groups = cues.chunks(LANES).zip(ranks.chunks_mut(each)).zip(ended);
    in_turn(passing.par_chunks_mut(2 * each), groups, |passing, ((cues, ranks), ended)| {
        zero(ranks);
        let starts = starts(cues)?;
        if !starts.is_empty() {
            let (x, next) = passing.split_at_mut(each);
            zero(x);
            *ended = run(&Sweep::new(graph, LANES, starts)?, [x, next, ranks])?;
        }
        Ok(())
    })?;
    Ok(EachRanks::of_cues(workspace, graph, cues.len()))
}

/// What one sweep does: `sums = scale * (what comes in) + evenly + to_starts * share`, `ranks = keep * ranks + gain *
/// sums`.
pub(crate) struct Step {
    pub scale: f64,
    pub evenly: [f64; LANES],
    pub to_starts: [f64; LANES],
    pub keep: f32,
    pub gain: f32,
}

impl Step {
    /// One that passes on `scale` of what each node has, what stands at dangling nodes included.
    pub fn passing(scale: f64, lost: &[f64; LANES], dangling: Dangling, nodes: usize) -> Self {
        let back = lost.map(|lost| scale * lost);
        let (evenly, to_starts) = match dangling {
            Dangling::ToSeeds => ([0.0; LANES], back),
            Dangling::Evenly => (back.map(|back| back / nodes as f64), [0.0; LANES]),
        };
        Self { scale, evenly, to_starts, keep: 0.0, gain: 1.0 }
    }
}

/// Edges by target and cues to sweep over them, 1 or [`LANES`] side by side, in the order of nodes of [`Incoming`].
pub(crate) struct Sweep<'a> {
    pub incoming: Incoming<'a>,
    lanes: usize,
    starts: Vec<Start>,
    /// Which cues have any.
    woken: [bool; LANES],
    /// Where each block of rows ends.
    ends: Vec<usize>,
}

/// Where each block ends. Of rows alone the first block would have most edges, for the rows of most come first.
fn ends(offsets: &[u32], each: usize) -> Result<Vec<usize>, Error> {
    let rows = offsets.len() - 1;
    let mut ends = spare(1 + 2 * (offsets[rows] as usize + rows) / each)?;
    let mut first = 0;
    while first < rows {
        let most = (offsets[first] as usize).saturating_add(each);
        let fitting = offsets[first + 1..].partition_point(|&edge| edge as usize <= most).min(each);
        // Rows that hold their edges by columns stay together.
        let whole = (fitting / ROWS).max(1) * ROWS;
        first = if first + fitting == rows { rows } else { rows.min(first + whole) };
        ends.push(first);
    }
    Ok(ends)
}

impl<'a> Sweep<'a> {
    /// `starts` are of the caller's nodes.
    pub fn new(graph: &'a Graph, lanes: usize, mut starts: Vec<Start>) -> Result<Self, Error> {
        let incoming = graph.incoming()?;
        starts.iter_mut().for_each(|start| start.node = incoming.place[start.node as usize]);
        // In place, and in one order whatever that of the seeds.
        starts.sort_unstable_by_key(|start| (start.node, start.lane, start.share.to_bits()));
        let mut woken = [false; LANES];
        starts.iter().for_each(|start| woken[start.lane] = true);
        let ends = ends(incoming.offsets, BLOCK / lanes)?;
        Ok(Self { incoming, lanes, starts, woken, ends })
    }

    /// What ends it before another sweep, after `sweeps`.
    pub fn stop(&self, limits: &Limits<'_>, sweeps: u32) -> Option<Stopped> {
        limits.stop(self.edges(sweeps), self.edges(1))
    }

    /// Edges that so many sweeps walk.
    pub fn edges(&self, sweeps: u32) -> u64 {
        u64::from(sweeps) * self.incoming.sources.len() as u64
    }

    /// What each cue lacks by `of`; 0 for those that wake nothing.
    pub fn errors(&self, of: impl Fn(usize) -> f64) -> [f64; LANES] {
        std::array::from_fn(|lane| if self.woken[lane] { of(lane) } else { 0.0 })
    }

    /// What so many sweeps have come to, which `stopped` ended where a cue lacks more than `tolerance`.
    pub fn ended(&self, sweeps: u32, errors: [f64; LANES], stopped: Option<Stopped>, tolerance: f64) -> Ended {
        let stopped = errors.map(|error| stopped.filter(|_| error > tolerance));
        Ended { sweeps, edges: self.edges(sweeps), errors, stopped }
    }

    /// `ranks` become those of the caller's nodes, cue after cue; through `x`, which is as long.
    pub fn by_node(&self, ranks: &mut [f32], x: &mut [f32]) {
        let (nodes, lanes) = (self.incoming.node_count(), self.lanes);
        // So many nodes at a time that what is read of each is still near when the next cue reads on.
        for (block, places) in self.incoming.place.chunks(LANES).enumerate() {
            for lane in 0..lanes {
                let to = &mut x[lane * nodes + block * LANES..][..places.len()];
                let from = places.iter().map(|&place| ranks[place as usize * lanes + lane]);
                to.iter_mut().zip(from).for_each(|(to, rank)| *to = rank);
            }
        }
        ranks.copy_from_slice(x);
    }

    /// What the starts are to the first sweep, and `gain` times them to `ranks`; returns what of them stands at nodes
    /// that lead nowhere.
    pub fn begin(&self, gain: f64, x: &mut [f32], ranks: &mut [f32]) -> [f64; LANES] {
        let mut lost = [0.0; LANES];
        for &Start { node, lane, share } in &self.starts {
            let at = node as usize * self.lanes + lane;
            ranks[at] += (gain * share) as f32;
            x[at] += share as f32;
            if self.incoming.out_strengths[node as usize] == 0.0 {
                lost[lane] += share;
            }
        }
        lost
    }

    /// One sweep from `x`, which leaves the `x` of the next in `next`.
    pub fn step(&self, step: &Step, x: &[f32], next: &mut [f32], ranks: &mut [f32]) -> Result<Totals, Error> {
        arena::enter()?;
        let values = self.incoming.node_count() * self.lanes;
        assert!(next.len() == values && ranks.len() == values);
        let (mut sums, mut ranks, mut first) = (next, ranks, 0);
        let blocks = self.ends.iter().filter_map(|&end| {
            let (from, values) = (first, (end - first) * self.lanes);
            first = end;
            Some((from, sums.split_off_mut(..values)?, ranks.split_off_mut(..values)?))
        });
        let run = |(first, sums, ranks): (usize, &mut [f32], &mut [f32])| self.block(step, first, x, sums, ranks);
        let work = (self.incoming.sources.len() + self.incoming.node_count()).saturating_mul(self.lanes);
        if work <= SMALL_SWEEP {
            return blocks.map(run).try_fold(Totals::NONE, |all, block| Ok(all.and(block?)));
        }
        let mut each = spare(self.ends.len())?;
        each.extend(blocks);
        let mut totals = room(Totals::NONE, each.len())?;
        each.into_par_iter().zip(&mut totals).try_for_each(|(block, totals)| {
            *totals = run(block)?;
            Ok(())
        })?;
        Ok(totals.into_iter().fold(Totals::NONE, Totals::and))
    }

    /// The rows from `first` on whose sums and ranks are given.
    fn block(
        &self,
        step: &Step,
        first: usize,
        x: &[f32],
        sums: &mut [f32],
        ranks: &mut [f32],
    ) -> Result<Totals, Error> {
        let (rows, lanes) = (sums.len() / self.lanes, self.lanes);
        let (incoming, evenly) = (self.incoming.raw(), step.evenly.map(|evenly| evenly as f32));
        let (scale, end) = (step.scale as f32, first + rows);
        assert!(x.len() == self.incoming.node_count() * lanes && end <= self.incoming.node_count());
        // SAFETY: ecphory.h asks for
        // - edges by targets as it describes: `Incoming` is built so from a checked graph;
        // - lanes of 1 or 16: what `starts` and this file alone make a `Sweep` with, else the call is refused;
        // - evenly [lanes]: 16 of them; x [node_count][lanes]: asserted above; sums [end - first][lanes]: by `rows`;
        // - nothing written that overlaps anything else: `sums` is `&mut`.
        let status = unsafe {
            let sums = sums.as_mut_ptr();
            ffi::ecp_pull(&incoming, first, end, lanes, scale, evenly.as_ptr(), x.as_ptr(), sums)
        };
        Error::check(status)?;
        let from = self.starts.partition_point(|start| (start.node as usize) < first);
        let to = self.starts.partition_point(|start| (start.node as usize) < end);
        for start in &self.starts[from..to] {
            let sum = &mut sums[(start.node as usize - first) * lanes + start.lane];
            *sum += (step.to_starts[start.lane] * start.share) as f32;
        }
        assert_eq!(sums.len(), ranks.len());
        let strengths = &self.incoming.out_strengths[first..end];
        let mut flat = [0.0; 3 * LANES];
        // SAFETY: ecphory.h asks for
        // - lanes of 1 or 16, as above; out_strengths [rows]: sliced so;
        // - sums and ranks [rows][lanes]: `rows` comes from the one, and they are asserted to be as long;
        // - totals [3][lanes]: 3 * 16 of them;
        // - nothing written that overlaps anything else: `ranks` is `&mut`, `flat` is a local.
        let status = unsafe {
            let (sums, ranks) = (sums.as_ptr(), ranks.as_mut_ptr());
            ffi::ecp_settle(rows, lanes, strengths.as_ptr(), step.keep, step.gain, sums, ranks, flat.as_mut_ptr())
        };
        Error::check(status)?;
        let mut totals = Totals::NONE;
        totals.change[..lanes].copy_from_slice(&flat[..lanes]);
        totals.lost[..lanes].copy_from_slice(&flat[lanes..2 * lanes]);
        totals.peak[..lanes].copy_from_slice(&flat[2 * lanes..3 * lanes]);
        Ok(totals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_follow_each_other_to_the_last_row_with_no_more_edges_than_asked_for_but_where_a_few_rows_have_them() {
        let lengths = [900, 3, 3, 3, 3, 3, 3, 3, 40, 30, 30, 30, 20, 9, 5, 5, 2, 2, 1].into_iter().chain([0; 100]);
        let mut offsets = vec![0u32];
        offsets.extend(lengths.scan(0, |end, length| {
            *end += length;
            Some(*end)
        }));
        assert_eq!(ends(&offsets, 64).unwrap(), [8, 16, 80, 119]);
        assert_eq!(ends(&offsets, 200).unwrap(), [8, 119]);
        assert_eq!(ends(&offsets, 1 << 16).unwrap(), [119]);
        assert_eq!(ends(&[0], 64).unwrap(), [0; 0]);
        assert_eq!(ends(&[0, 9], 4).unwrap(), [1]);
    }
}
