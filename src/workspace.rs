use std::fmt;

use rayon::prelude::*;

use crate::Error;
use crate::similarity::{filled_soon, spare};
use crate::sweeps::Ended;

/// Numbers up to which memory is written on the calling thread.
const SMALL: usize = 1 << 15;

/// Bytes of a line of the caches, which what 16 cues have at a node fills: read at random, it is to be one, not two.
const LINE: usize = 64;

/// The memory of dense sweeps. It grows to what is asked of it, and serves one call after the other, over graphs of any
/// size, without asking the system again. Over `n` nodes it comes to
///
/// | for | bytes |
/// |---|---|
/// | one cue | 12 `n` |
/// | more, in `g` groups of 16, on `t` threads | 64 `n g`, and 128 `n` for each of `t` groups, or of all `g` if fewer |
///
/// of which 4 for each node and cue are ranks, which results borrow, and the rest is what sweeps at work read and
/// write: a thousand cues over a million nodes on 8 threads take 4.0 GB and 1.0 GB. The edges by target that sweeps
/// walk are the graph's: see [`Graph::bytes`](crate::Graph::bytes).
#[derive(Default)]
pub struct Workspace {
    /// What sweeps read and write, for each task at work.
    passing: Vec<f32>,
    pub(crate) ranks: Vec<f32>,
    /// What each group has come to.
    pub(crate) ended: Vec<Ended>,
}

/// A workspace for groups of cues: what each task passes on, ranks of all groups, what they come to.
pub(crate) type Groups<'w> = (&'w mut [f32], &'w mut [f32], &'w mut [Ended]);

impl fmt::Debug for Workspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workspace").field("bytes", &self.bytes()).finish()
    }
}

impl Workspace {
    /// One that holds nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        let numbers = self.passing.capacity() + self.ranks.capacity();
        numbers * size_of::<f32>() + self.ended.capacity() * size_of::<Ended>()
    }

    /// Room for one cue: what sweeps read and write, and ranks, all zero.
    pub(crate) fn zeroed(&mut self, nodes: usize) -> Result<[&mut [f32]; 3], Error> {
        hold(&mut self.passing, nodes.saturating_mul(2))?;
        hold(&mut self.ranks, nodes)?;
        zero(&mut self.passing);
        zero(&mut self.ranks);
        let (x, next) = self.passing.split_at_mut(nodes);
        Ok([x, next, &mut self.ranks])
    }

    /// Room for `groups`, of which `tasks` are at work at once, of `each` ranks. Numbers are what they were.
    pub(crate) fn for_groups(&mut self, groups: usize, tasks: usize, each: usize) -> Result<Groups<'_>, Error> {
        let passing = tasks.saturating_mul(each).saturating_mul(2);
        hold(&mut self.passing, passing.saturating_add(LINE / size_of::<f32>() - 1))?;
        hold(&mut self.ranks, groups.saturating_mul(each))?;
        if self.ended.capacity() < groups {
            self.ended = spare(groups)?;
        }
        self.ended.clear();
        self.ended.resize(groups, Ended::NONE);
        let skipped = self.passing.as_ptr().align_offset(LINE);
        Ok((&mut self.passing[skipped..][..passing], &mut self.ranks, &mut self.ended))
    }
}

/// `array` has `len` numbers, whatever they are.
fn hold(array: &mut Vec<f32>, len: usize) -> Result<(), Error> {
    if array.capacity() < len {
        // Nothing of it is kept, so it is given back before more is asked for.
        *array = Vec::new();
        *array = spare(len)?;
        filled_soon(array);
    }
    array.truncate(len);
    let missing = len - array.len();
    if missing <= SMALL {
        array.resize(len, 0.0);
    } else {
        array.par_extend(rayon::iter::repeat_n(0.0, missing));
    }
    Ok(())
}

pub(crate) fn zero(array: &mut [f32]) {
    if array.len() <= SMALL {
        array.fill(0.0);
    } else {
        array.par_chunks_mut(SMALL).for_each(|part| part.fill(0.0));
    }
}
