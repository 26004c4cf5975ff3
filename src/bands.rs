//! Edges in any order become rows: piece by piece they are put in order of bands of sources; then each band, which lies
//! in as many places as there are pieces, is sorted by source, and each row by target. Bands and pieces follow from the
//! shapes alone, and what a row holds is ordered in full, so the result is the same on any threads.

use std::ops::Range;

use rayon::prelude::*;

use crate::builder::Report;
use crate::similarity::{filled_soon, room, spare};
use crate::{Edge, Error, Graph};

/// Edges up to which all is done on the calling thread.
const SMALL: usize = 1 << 15;
/// Edges in a piece: so many and their copies fit a core's own cache.
const PIECE: usize = 1 << 16;
/// The most pieces, above which they are larger.
const MOST_PIECES: usize = 1 << 9;
/// Edges of a band, and nodes, where there are few.
const BAND_EDGES: usize = 1 << 13;
const BAND_NODES: usize = 1 << 16;
/// The most bands: a piece writes to all of them in turn.
const MOST_BANDS: usize = 1 << 10;
/// Edges of one node above which threads share their sort.
const LONG_ROW: usize = 1 << 17;

/// Edges without their source, in one number that is ordered by target, then relation, then weight.
trait Key: Copy + Ord + Default + Send + Sync {
    fn new(edge: Edge, relation: u8) -> Self;
    /// Target and relation.
    fn place(self) -> (u32, u8);
    fn weight(self) -> f32;
}

/// Where no edge has a relation.
impl Key for u64 {
    fn new(edge: Edge, _: u8) -> Self {
        u64::from(edge.target) << 32 | u64::from(edge.weight.to_bits())
    }

    fn place(self) -> (u32, u8) {
        ((self >> 32) as u32, 0)
    }

    fn weight(self) -> f32 {
        f32::from_bits(self as u32)
    }
}

impl Key for u128 {
    fn new(edge: Edge, relation: u8) -> Self {
        let place = u64::from(edge.target) << 8 | u64::from(relation);
        u128::from(place) << 32 | u128::from(edge.weight.to_bits())
    }

    fn place(self) -> (u32, u8) {
        ((self >> 40) as u32, (self >> 32) as u8)
    }

    fn weight(self) -> f32 {
        f32::from_bits(self as u32)
    }
}

/// Edges, each piece of them in order of bands.
pub(crate) struct Bands {
    node_count: usize,
    edges: Vec<Edge>,
    /// As many, or none.
    relations: Vec<u8>,
    /// Edges of a piece; the last one may have fewer.
    piece: usize,
    /// Nodes of a band are 2 to the power of this; the last one may have fewer.
    shift: u32,
    /// Of each piece, where in it each band begins, and the end.
    starts: Vec<Vec<usize>>,
}

/// Where the rows of one band go.
struct Output<'a> {
    lengths: &'a mut [u32],
    strengths: &'a mut [f32],
    targets: &'a mut [u32],
    weights: &'a mut [f32],
    relations: &'a mut [u8],
}

impl Bands {
    /// Checks edges and puts each piece of them in order.
    pub(crate) fn of(
        node_count: usize,
        mut edges: Vec<Edge>,
        mut relations: Vec<u8>,
        report: &Report<'_>,
    ) -> Result<Self, Error> {
        let wanted = (edges.len() / BAND_EDGES).max(node_count / BAND_NODES).clamp(1, MOST_BANDS);
        let shift = node_count.div_ceil(wanted).next_power_of_two().ilog2();
        let piece = PIECE.max(edges.len().div_ceil(MOST_PIECES));
        let typed = !relations.is_empty();
        let mut rest = &mut relations[..];
        let pieces = edges.chunks_mut(piece).map(|edges| {
            let count = if typed { edges.len() } else { 0 };
            (edges, rest.split_off_mut(..count).unwrap_or_default())
        });
        let small = pieces.len() == 1;
        let starts = each(small, pieces.enumerate().collect(), |(index, (edges, relations))| {
            let starts = part(node_count, shift, index * piece, edges, relations);
            report.step(edges.len());
            starts
        })?;
        Ok(Self { node_count, edges, relations, piece, shift, starts })
    }

    fn count(&self) -> usize {
        self.node_count.div_ceil(1 << self.shift)
    }

    /// Where the edges of `band` are.
    fn places(&self, band: usize) -> impl Iterator<Item = Range<usize>> + Clone + '_ {
        self.starts.iter().enumerate().map(move |(piece, starts)| {
            let start = piece * self.piece;
            start + starts[band]..start + starts[band + 1]
        })
    }

    /// The graph of these edges.
    pub(crate) fn graph(self, report: &Report<'_>) -> Result<Graph, Error> {
        if self.relations.is_empty() { self.rows::<u64>(report) } else { self.rows::<u128>(report) }
    }

    fn rows<K: Key>(self, report: &Report<'_>) -> Result<Graph, Error> {
        let small = self.edges.len() <= SMALL;
        let sizes: Vec<_> = (0..self.count()).map(|band| self.places(band).map(|range| range.len()).sum()).collect();
        let mut graph = Graph {
            offsets: ready(self.node_count + 1)?,
            targets: ready(self.edges.len())?,
            weights: ready(self.edges.len())?,
            relations: if self.relations.is_empty() { None } else { Some(ready(self.edges.len())?) },
            out_strengths: ready(self.node_count)?,
            incoming: Default::default(),
        };
        let outputs = outputs(&mut graph, &sizes, 1 << self.shift);
        let kept = each(small, outputs.into_iter().enumerate().collect(), |(band, output)| {
            let kept = self.sort::<K>(band, output);
            report.step(sizes[band]);
            kept
        })?;
        drop(self);
        close_gaps(&mut graph, &sizes, &kept)?;
        for (node, &sum) in graph.out_strengths.iter().enumerate() {
            Error::check_magnitude("out-strength of the node", Some(node), sum)?;
        }
        Ok(graph)
    }

    /// Writes the rows of `band`, repeated edges as one, and says how many edges that leaves.
    fn sort<K: Key>(&self, band: usize, output: Output<'_>) -> Result<usize, Error> {
        let first = band << self.shift;
        let row = |edge: &Edge| edge.source as usize - first;
        let mut ends = room(0usize, output.lengths.len() + 1)?;
        for range in self.places(band) {
            self.edges[range].iter().for_each(|edge| ends[row(edge) + 1] += 1);
        }
        for row in 1..ends.len() {
            ends[row] += ends[row - 1];
        }
        // Each is where its row begins and, once that is filled, where it ends.
        let mut keys = room(K::default(), output.targets.len())?;
        for range in self.places(band) {
            let relations = self.relations.get(range.clone()).unwrap_or_default();
            for (index, edge) in self.edges[range].iter().enumerate() {
                let place = &mut ends[row(edge)];
                keys[*place] = K::new(*edge, relations.get(index).copied().unwrap_or(0));
                *place += 1;
            }
        }
        Ok(output.fill(&mut keys, &ends))
    }
}

impl Output<'_> {
    fn fill<K: Key>(self, mut keys: &mut [K], ends: &[usize]) -> usize {
        let (mut kept, mut start) = (0, 0);
        for (row, &end) in ends[..self.lengths.len()].iter().enumerate() {
            let keys = keys.split_off_mut(..end - start).unwrap_or_default();
            if keys.len() > LONG_ROW {
                keys.par_sort_unstable()
            } else {
                keys.sort_unstable()
            }
            let (before, mut strength) = (kept, 0.0);
            for repeated in keys.chunk_by(|a, b| a.place() == b.place()) {
                let weight = repeated.iter().map(|key| f64::from(key.weight())).sum::<f64>() as f32;
                let (target, relation) = repeated[0].place();
                self.targets[kept] = target;
                self.weights[kept] = weight;
                if let Some(place) = self.relations.get_mut(kept) {
                    *place = relation;
                }
                strength += f64::from(weight);
                kept += 1;
            }
            // What does not fit 32 bits is refused when all are counted.
            self.lengths[row] = (kept - before) as u32;
            self.strengths[row] = strength as f32;
            start = end;
        }
        kept
    }
}

/// Checks `edges`, which stand at `position` of all, and puts them in order of bands. Where each band begins.
fn part(
    node_count: usize,
    shift: u32,
    position: usize,
    edges: &mut [Edge],
    relations: &mut [u8],
) -> Result<Vec<usize>, Error> {
    let bands = node_count.div_ceil(1 << shift);
    let mut starts = room(0, bands + 1)?;
    for (index, edge) in edges.iter().enumerate() {
        check(node_count, position + index, edge)?;
        starts[(edge.source >> shift) as usize + 1] += 1;
    }
    if bands == 1 {
        return Ok(starts);
    }
    for band in 1..=bands {
        starts[band] += starts[band - 1];
    }
    let mut next = room(0, bands)?;
    next.copy_from_slice(&starts[..bands]);
    let mut parted = room(Edge::new(0, 0, 0.0), edges.len())?;
    let mut kinds = room(0, relations.len())?;
    for (index, edge) in edges.iter().enumerate() {
        let place = &mut next[(edge.source >> shift) as usize];
        parted[*place] = *edge;
        if let Some(kind) = relations.get(index) {
            kinds[*place] = *kind;
        }
        *place += 1;
    }
    edges.copy_from_slice(&parted);
    relations.copy_from_slice(&kinds);
    Ok(starts)
}

fn check(node_count: usize, position: usize, edge: &Edge) -> Result<(), Error> {
    for (what, node) in [("edge source", edge.source), ("edge target", edge.target)] {
        if node as usize >= node_count {
            return Err(Error::Index { what, position, len: node_count, found: node as usize });
        }
    }
    Error::check_magnitude("edge weight", Some(position), edge.weight)
}

/// What each band writes: as much as it has edges, before any of them turns out to be a repeated one.
fn outputs<'a>(graph: &'a mut Graph, sizes: &[usize], nodes: usize) -> Vec<Output<'a>> {
    let lengths = graph.offsets[1..].chunks_mut(nodes);
    let (mut targets, mut weights) = (&mut graph.targets[..], &mut graph.weights[..]);
    let mut relations = graph.relations.as_deref_mut().unwrap_or_default();
    let rows = lengths.zip(graph.out_strengths.chunks_mut(nodes)).zip(sizes);
    rows.map(|((lengths, strengths), &size)| Output {
        lengths,
        strengths,
        targets: targets.split_off_mut(..size).unwrap_or_default(),
        weights: weights.split_off_mut(..size).unwrap_or_default(),
        relations: relations.split_off_mut(..size).unwrap_or_default(),
    })
    .collect()
}

/// Moves what each band has `kept` to the end of what the one before has, and makes offsets of lengths.
fn close_gaps(graph: &mut Graph, sizes: &[usize], kept: &[usize]) -> Result<(), Error> {
    let (mut from, mut to) = (0, 0);
    for (&size, &kept) in sizes.iter().zip(kept) {
        if from != to {
            graph.targets.copy_within(from..from + kept, to);
            graph.weights.copy_within(from..from + kept, to);
            if let Some(relations) = &mut graph.relations {
                relations.copy_within(from..from + kept, to);
            }
        }
        from += size;
        to += kept;
    }
    Error::check_range("distinct edges", 0, u32::MAX as usize, to)?;
    let mut end = 0;
    for offset in &mut graph.offsets {
        end += *offset;
        *offset = end;
    }
    cut(&mut graph.targets, to);
    cut(&mut graph.weights, to);
    if let Some(relations) = &mut graph.relations {
        cut(relations, to);
    }
    Ok(())
}

fn cut<T>(all: &mut Vec<T>, len: usize) {
    all.truncate(len);
    all.shrink_to_fit();
}

/// So many zeros, of which many are written by all threads: most of that time is the system's, which gives the memory.
fn ready<T: Copy + Default + Send + Sync>(len: usize) -> Result<Vec<T>, Error> {
    if len <= SMALL {
        return room(T::default(), len);
    }
    let mut all = spare(len)?;
    filled_soon(&mut all);
    rayon::iter::repeat_n(T::default(), len).collect_into_vec(&mut all);
    Ok(all)
}

/// What `task` makes of each, or the first refusal in order.
fn each<I: Send, O: Send>(
    small: bool,
    items: Vec<I>,
    task: impl Fn(I) -> Result<O, Error> + Sync + Send,
) -> Result<Vec<O>, Error> {
    let made: Vec<_> =
        if small { items.into_iter().map(task).collect() } else { items.into_par_iter().map(task).collect() };
    made.into_iter().collect()
}
