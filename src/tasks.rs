use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::{Element, Error, Rows};

/// Bytes of rows that one rayon task reads: well above the cost of a task. Smaller batches stay on the calling thread.
/// A split depends on shapes and the capacity of arenas alone, so needs and results do not depend on the number of
/// threads.
pub const TASK_BYTES: usize = 4 << 20;

/// Rows of so many bytes that one task reads: one at least.
pub fn rows_of_task(row_bytes: usize) -> usize {
    (TASK_BYTES / row_bytes).max(1)
}

/// Runs each of `items` once, with one of `slots`: as many are at work at once as there are slots, and no more where a
/// thread that waits within one begins another.
pub fn in_turn<S: Send, I: Send>(
    slots: impl IndexedParallelIterator<Item = S>,
    items: impl Iterator<Item = I> + Send,
    run: impl Fn(&mut S, I) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let items = Mutex::new(items);
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    slots.with_max_len(1).try_for_each(|mut slot| {
        while let Some(item) = next() {
            run(&mut slot, item)?;
        }
        Ok(())
    })
}

/// Some queries and some rows.
pub struct Task {
    pub queries: Range<usize>,
    pub rows: Range<usize>,
}

/// How queries and rows are split: the same way for all calls of one shape, whatever the threads.
pub struct Tasks {
    queries: usize,
    pub query_blocks: usize,
    rows: usize,
    /// A multiple of 64, the rows of a word of a filter.
    pub rows_each: usize,
    pub row_parts: usize,
}

impl Tasks {
    /// Queries that share a task: fewer would be made ready for few rows, and more share no more of them.
    const QUERIES: usize = 64;

    /// No more parts, for each holds `k` hits of each query.
    const PARTS: usize = 64;

    pub fn new<T: Element>(queries: usize, rows: &Rows<'_, T>, k: usize) -> Self {
        // Many queries make each row dearer, and are made ready in each task.
        let each = match queries {
            1 if k > 0 => rows_of_task(rows.searched_bytes()),
            0..8 => rows_of_task(rows.row_bytes()),
            _ => 1024,
        };
        let each = if k > 0 { each.max(rows.len() / Self::PARTS) } else { each };
        let rows_each = each.next_multiple_of(64);
        let few = queries.saturating_mul(rows.len()).saturating_mul(rows.row_bytes()) <= 4 * TASK_BYTES;
        // Between one and two blocks are one: a block of few queries would be scored in another way.
        let query_blocks = if few { queries.min(1) } else { (queries / Self::QUERIES).max(queries.min(1)) };
        Self { queries, query_blocks, rows: rows.len(), rows_each, row_parts: rows.len().div_ceil(rows_each).max(1) }
    }

    pub fn len(&self) -> usize {
        self.query_blocks * self.row_parts
    }

    pub fn at(&self, task: usize) -> Task {
        let (block, part) = (task / self.row_parts, task % self.row_parts);
        let first = block * Self::QUERIES;
        let end = if block + 1 == self.query_blocks { self.queries } else { first + Self::QUERIES };
        let row = part * self.rows_each;
        Task { queries: first..end, rows: row..(row + self.rows_each).min(self.rows) }
    }

    /// The most queries and rows of any task.
    pub fn largest(&self) -> (usize, usize) {
        let (first, last) = (self.at(0), self.at(self.len() - 1));
        (first.queries.len().max(last.queries.len()), first.rows.len())
    }
}
