#![allow(unsafe_code)]

use rayon::prelude::*;

use crate::tasks::{TASK_ELEMENTS, Task, Tasks};
use crate::{ArenaConfig, AsRows, Error, Kernel, OverflowPolicy, Rows, Seed, arena, ffi, tier};

/// How a query and a row are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Metric {
    /// Cosine of the angle, in [-1, 1] up to rounding; higher is nearer. A zero vector scores 0 against every finite
    /// one, and an infinity anywhere makes NaN. Norms from f32's smallest to its largest numbers neither under- nor
    /// overflow.
    Cosine,
    /// Dot product; higher is nearer. Beyond f32 it is infinite.
    Dot,
    /// Squared Euclidean distance; lower is nearer. Beyond f32 it is infinite.
    SquaredEuclidean,
}

impl Metric {
    fn code(self) -> u32 {
        match self {
            Self::Cosine => ffi::ECP_METRIC_COSINE,
            Self::Dot => ffi::ECP_METRIC_DOT,
            Self::SquaredEuclidean => ffi::ECP_METRIC_SQUARED_EUCLIDEAN,
        }
    }

    /// Nearest first, ties by lower row. Neither score is NaN.
    fn order(self, a: &Hit, b: &Hit) -> std::cmp::Ordering {
        let scores = a.score.partial_cmp(&b.score).unwrap_or(std::cmp::Ordering::Equal);
        let nearest = if self == Self::SquaredEuclidean { scores } else { scores.reverse() };
        nearest.then(a.row.cmp(&b.row))
    }
}

/// Where a gather reads its rows. Scores are the same bits every way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Packing {
    /// Where they are: scratch for the query alone.
    #[default]
    InPlace,
    /// Packed into scratch first, all rows of a task at once.
    Whole,
    /// Packed into scratch as many at a time as fit the thread's arena, all if they do: an arena that holds the query
    /// and one row is enough.
    Tiled,
}

impl Packing {
    fn code(self) -> u32 {
        match self {
            Self::InPlace => ffi::ECP_PACKING_IN_PLACE,
            Self::Whole => ffi::ECP_PACKING_WHOLE,
            Self::Tiled => ffi::ECP_PACKING_TILED,
        }
    }
}

/// How exact scores are; [`Search`] has the bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Precision {
    /// Sums in f32.
    #[default]
    Fast,
    /// Sums in f64, rounded once: about half as fast where rows are in a cache, as fast where they are in memory.
    Precise,
}

impl Precision {
    fn code(self) -> u32 {
        match self {
            Self::Fast => ffi::ECP_PRECISION_FAST,
            Self::Precise => ffi::ECP_PRECISION_PRECISE,
        }
    }
}

/// A row found, and its score.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// Index of the row.
    pub row: usize,
    /// Its score under the metric of the search.
    pub score: f32,
}

/// The best rows of a search.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct TopK {
    /// Nearest first, ties by lower row.
    pub hits: Vec<Hit>,
    /// Rows that scored NaN: left out of `hits`.
    pub nan_rows: usize,
}

impl TopK {
    /// The hits as seeds of a spread, node `i` standing for row `i`, activated by its score. For a cosine or dot
    /// product; hits of a score of 0 or less are left out, for activation is never negative. A distance is not an
    /// activation: the farthest would wake most.
    ///
    /// ```
    /// use ecphory::{Metric, Rows, Search, Seed};
    ///
    /// let rows = Rows::new(&[1.0, 0.0, 0.6, 0.8, -1.0, 0.0], 2)?;
    /// let best = Search::new(Metric::Cosine).top_k(&[1.0, 0.0], &rows, 3)?;
    /// assert_eq!(best.seeds(), [Seed::new(0, 1.0), Seed::new(1, 0.6)]);
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    #[must_use]
    pub fn seeds(&self) -> Vec<Seed> {
        let awake = self.hits.iter().filter(|hit| hit.score > 0.0);
        // A row beyond u32 is no node of any graph: the spread will say so.
        awake.map(|hit| Seed::new(hit.row.try_into().unwrap_or(u32::MAX), hit.score)).collect()
    }
}

/// Scores of queries against rows.
///
/// NaN in a query or row makes the score NaN. With [`Precision::Fast`] a score errs by at most `(2 dim + 8) 2^-24` for
/// a cosine, and otherwise by `(dim + 4) 2^-24` times the sum of magnitudes (Higham 2002, section 3.1) and `dim 2^-149`
/// for products below f32. Sums of many lanes err far less: dot products of 1536 drawn elements by less than `3 * 2^-24
/// |q| |x|`; where all elements are equal, which roundings in f32 do not average out, by up to `dim/16 + 5` of those
/// units, and among six or more queries by up to 77. With [`Precision::Precise`] it is the f64 score rounded once: a
/// cosine errs by less than `2^-24`. Scores are the same bits wherever the row stands, with norms taken by the same CPU
/// tier or without, and however many threads work; they may differ within those bounds between CPU tiers, and between a
/// query alone and the same among six or more in [`Search::matrix`].
///
/// ```
/// use ecphory::{Metric, Rows, Search};
///
/// let rows = Rows::new(&[1.0, 0.0, 0.0, 1.0, 0.6, 0.8], 2)?;
/// let search = Search::new(Metric::Cosine);
/// assert_eq!(search.scores(&[0.0, 2.0], &rows)?, [0.0, 1.0, 0.8]);
/// assert_eq!(search.top_k(&[0.0, 2.0], &rows, 1)?.hits[0].row, 1);
/// # Ok::<(), ecphory::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Search {
    metric: Metric,
    overflow: OverflowPolicy,
    packing: Packing,
    precision: Precision,
    threshold: Option<f32>,
}

impl Search {
    /// A search by `metric`, with [`OverflowPolicy::Heap`], [`Precision::Fast`] and no threshold.
    pub fn new(metric: Metric) -> Self {
        Self {
            metric,
            overflow: OverflowPolicy::default(),
            packing: Packing::default(),
            precision: Precision::default(),
            threshold: None,
        }
    }

    /// What to do when scratch does not fit the arena.
    pub fn on_overflow(self, overflow: OverflowPolicy) -> Self {
        Self { overflow, ..self }
    }

    /// Where [`Search::gather`] reads its rows.
    pub fn packing(self, packing: Packing) -> Self {
        Self { packing, ..self }
    }

    /// How exact scores are.
    pub fn precision(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Hits of [`Search::top_k`] are those rows alone that score `threshold` or nearer: at least so much, for a
    /// distance at most. With `k` as large as there are rows it is a range search. NaN is refused by the calls that
    /// look at it.
    pub fn threshold(self, threshold: f32) -> Self {
        Self { threshold: Some(threshold), ..self }
    }

    /// The score of every row: `[rows]`, score `i` of row `i`, NaN where a filter keeps the row out. `query` is
    /// `[dim]`.
    ///
    /// # Errors
    /// As [`Search::scores_into`].
    pub fn scores(&self, query: &[f32], rows: &impl AsRows) -> Result<Vec<f32>, Error> {
        let mut scores = vec![0.0; rows.as_rows().len()];
        self.scores_into(query, rows, &mut scores)?;
        Ok(scores)
    }

    /// The score of every row into `scores`: `[rows]`. `query` is `[dim]`. Scratch: the query, 4 `dim` bytes.
    ///
    /// # Errors
    /// [`Error::Length`] for a query or `scores` of another length; [`Error::OutOfMemory`] by the policy;
    /// [`Error::ThreadEnding`]; [`Error::UnknownTier`]. `scores` is then untouched, unless a worker thread that
    /// already held scratch, or whose arena could not be mapped, was what refused: then it is unspecified.
    pub fn scores_into(&self, query: &[f32], rows: &impl AsRows, scores: &mut [f32]) -> Result<(), Error> {
        let rows = rows.as_rows();
        Error::check_length("query", rows.dim(), query.len())?;
        Error::check_length("scores", rows.len(), scores.len())?;
        self.call_matrix(query, 1, rows, scores)
    }

    /// The score of every query and row: `[queries][rows]`. `queries` is `[queries][dim]`, one after the other.
    ///
    /// ```
    /// use ecphory::{Metric, Rows, Search};
    ///
    /// let rows = Rows::new(&[1.0, 0.0, 0.0, 1.0, 0.6, 0.8], 2)?;
    /// let scores = Search::new(Metric::Dot).matrix(&[1.0, 0.0, 0.0, 2.0], &rows)?;
    /// assert_eq!(scores, [1.0, 0.0, 0.6, 0.0, 2.0, 1.6]);
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Search::matrix_into`].
    pub fn matrix(&self, queries: &[f32], rows: &impl AsRows) -> Result<Vec<f32>, Error> {
        let view = rows.as_rows();
        let mut scores = room(0.0, query_count(queries, view)?.saturating_mul(view.len()))?;
        self.matrix_into(queries, rows, &mut scores)?;
        Ok(scores)
    }

    /// The score of every query and row into `scores`: `[queries][rows]`. `queries` is `[queries][dim]`. Rows are read
    /// once for every 64 queries, and large work is split over rayon by both. Scratch of a task: 16 KiB, and for each
    /// of at most 64 queries 4 `dim` bytes, their number rounded up to a multiple of 16; for fewer than six, and
    /// precise ones, not rounded up, and 128 bytes more for each.
    ///
    /// # Errors
    /// As [`Search::scores_into`], and [`Error::PartialRow`] for queries that are not whole.
    pub fn matrix_into(&self, queries: &[f32], rows: &impl AsRows, scores: &mut [f32]) -> Result<(), Error> {
        let rows = rows.as_rows();
        let count = query_count(queries, rows)?;
        // As many scores as cannot be counted cannot be there.
        Error::check_length("scores", count.saturating_mul(rows.len()), scores.len())?;
        self.call_matrix(queries, count, rows, scores)
    }

    /// `queries` are `count` whole ones, `scores` as many times `rows.len()`.
    fn call_matrix(&self, queries: &[f32], count: usize, rows: Rows<'_>, scores: &mut [f32]) -> Result<(), Error> {
        assert!(queries.len() == count * rows.dim() && scores.len() == count * rows.len());
        let (search, stride) = (self.raw(None), rows.len());
        let out = Output(scores.as_mut_ptr());
        let call = |task: Task| {
            let (out, queries) = (&out, &queries[task.queries.start * rows.dim()..task.queries.end * rows.dim()]);
            let some = raw_rows(&rows.part(task.rows.start, task.rows.len()));
            arena::with_scratch(self.overflow, |scratch| {
                // SAFETY: ecphory.h asks for
                // - queries[query_count][dim]: sliced above to as many;
                // - row_count scores of every stride, from those of the task's first query and row on: the task's
                //   queries are some of `count` and its rows some of `stride`, and the assertion above, in release too;
                // - rows: `raw_rows` of a `Rows`, which is what it says;
                // - nothing written that overlaps anything else: `scores` is `&mut`, of which tasks write those of
                //   their own queries and rows alone; `scratch` is a local of `with_scratch`.
                unsafe {
                    let to = out.0.add(task.queries.start * stride + task.rows.start);
                    ffi::ecp_scores(&search, queries.as_ptr(), task.queries.len(), &some, to, stride, scratch)
                }
            })
        };
        let tasks = Tasks::new(count, rows, 0);
        if tasks.len() <= 1 {
            return if tasks.len() == 0 { tier::ready() } else { call(tasks.at(0)) };
        }
        tier::ready()?;
        let largest = tasks.at(tasks.len() - 1).queries.len().max(tasks.at(0).queries.len());
        // SAFETY: reads the search alone, and only computes.
        let need = unsafe { ffi::ecp_scores_need(&search, rows.dim(), largest) };
        arena::admit(Kernel::Similarity, self.overflow, need)?;
        (0..tasks.len()).into_par_iter().try_for_each(|task| call(tasks.at(task)))
    }

    /// The scores of the rows `ids`, in their order: `[ids]`. `query` is `[dim]`.
    ///
    /// # Errors
    /// As [`Search::gather_into`].
    pub fn gather(&self, query: &[f32], rows: &impl AsRows, ids: &[u32]) -> Result<Vec<f32>, Error> {
        let mut scores = vec![0.0; ids.len()];
        self.gather_into(query, rows, ids, &mut scores)?;
        Ok(scores)
    }

    /// The scores of the rows `ids` into `scores`: `[ids]`, such as the neighbours of a node; NaN where a filter keeps
    /// the row out. Ids may repeat. Rows are read in place, or packed into scratch first where [`Search::packing`] says
    /// so: then 4 `dim` bytes for each id beside those for the query. Up to 4 MB of rows are one task on this thread:
    /// packed, 1,000 rows of 768 elements need 3,075,072 bytes, more than the default arena, so under the default
    /// policy they run on a heap loan, and with [`Packing::Tiled`] in the arena, some at a time. More rows are split
    /// over rayon; under the default policy into tasks that fit an arena. Scores are the same bits as those of
    /// [`Search::scores`].
    ///
    /// # Errors
    /// As [`Search::scores_into`], and [`Error::Index`] for an id that is not a row; nothing is then written.
    pub fn gather_into(&self, query: &[f32], rows: &impl AsRows, ids: &[u32], scores: &mut [f32]) -> Result<(), Error> {
        let rows = rows.as_rows();
        Error::check_length("query", rows.dim(), query.len())?;
        Error::check_length("scores", ids.len(), scores.len())?;
        let len = rows.len();
        if let Some(position) = ids.iter().position(|&id| id as usize >= len) {
            return Err(Error::Index { what: "row id", position, len, found: ids[position] as usize });
        }
        if ids.len() <= (TASK_ELEMENTS / rows.dim()).max(1) {
            return self.call_gather(query, rows, ids, scores);
        }
        let ids_per_task = self.gathered_per_task(rows.dim());
        let packed = if self.packing == Packing::Tiled { 1 } else { ids_per_task };
        // SAFETY: reads the search alone, and only computes.
        let need = unsafe { ffi::ecp_gather_need(&self.raw(None), rows.dim(), packed) };
        arena::admit(Kernel::Similarity, self.overflow, need)?;
        scores
            .par_chunks_mut(ids_per_task)
            .zip(ids.par_chunks(ids_per_task))
            .try_for_each(|(scores, ids)| self.call_gather(query, rows, ids, scores))
    }

    /// Rows that one task gathers. Where a heap loan would help, no more than an arena holds, so that none is needed;
    /// but where an overflow is refused, refused are all gathers above some size, not those between two.
    fn gathered_per_task(&self, dim: usize) -> usize {
        let most = (TASK_ELEMENTS / dim).max(1);
        let capacity = ArenaConfig::current().capacity_bytes();
        // SAFETY: reads the search alone, and only computes.
        let query = unsafe { ffi::ecp_gather_need(&self.raw(None), dim, 0) };
        let fitting = capacity.saturating_sub(query) / (dim * size_of::<f32>());
        let packs = self.packing != Packing::InPlace;
        if packs && self.overflow == OverflowPolicy::Heap && fitting > 0 { most.min(fitting) } else { most }
    }

    /// `ids` are all below `rows.len()`.
    fn call_gather(&self, query: &[f32], rows: Rows<'_>, ids: &[u32], scores: &mut [f32]) -> Result<(), Error> {
        assert!(query.len() == rows.dim() && ids.len() == scores.len());
        let (search, rows) = (self.raw(None), raw_rows(&rows));
        arena::with_scratch(self.overflow, |scratch| {
            // SAFETY: ecphory.h asks for
            // - query[dim], ids[id_count], scores[id_count]: the assertion above, in release too;
            // - rows: `raw_rows` of a `Rows`, which is what it says;
            // - ids below row_count: `gather_into`, the only caller, has looked at each;
            // - nothing written that overlaps anything else: `scores` is `&mut`, `scratch` a local of `with_scratch`.
            unsafe {
                let (query, scores) = (query.as_ptr(), scores.as_mut_ptr());
                ffi::ecp_gather(&search, query, &rows, ids.as_ptr(), ids.len(), scores, scratch)
            }
        })
    }

    /// The `k` nearest rows, or all there are: as sorting every score would find them, of rows that a filter admits and
    /// that the threshold does. `query` is `[dim]`; `k` may be 0. Infinite scores order as numbers; rows that score NaN
    /// are left out and counted. Scratch of a task: the query, 1 KiB of scores, 16 bytes for each hit.
    ///
    /// # Errors
    /// As [`Search::scores`], and [`Error::Value`] for a threshold of NaN.
    pub fn top_k(&self, query: &[f32], rows: &impl AsRows, k: usize) -> Result<TopK, Error> {
        let rows = rows.as_rows();
        Error::check_length("query", rows.dim(), query.len())?;
        Ok(self.best_of_each(query, 1, rows, k)?.swap_remove(0))
    }

    /// The `k` nearest rows of every query: `[queries]`, each as [`Search::top_k`] finds them among the scores of
    /// [`Search::matrix`]. `queries` is `[queries][dim]`. Scratch of a task: that of [`Search::matrix_into`], and for
    /// each of at most 64 queries 40 bytes and 16 for each hit.
    ///
    /// ```
    /// use ecphory::{Metric, Rows, Search};
    ///
    /// let rows = Rows::new(&[1.0, 0.0, 0.0, 1.0, 0.6, 0.8], 2)?;
    /// let best = Search::new(Metric::Dot).top_k_each(&[1.0, 0.0, 0.0, 2.0], &rows, 1)?;
    /// assert_eq!(best.iter().map(|one| one.hits[0].row).collect::<Vec<_>>(), [0, 1]);
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Search::top_k`], and [`Error::PartialRow`] for queries that are not whole.
    pub fn top_k_each(&self, queries: &[f32], rows: &impl AsRows, k: usize) -> Result<Vec<TopK>, Error> {
        let rows = rows.as_rows();
        let count = query_count(queries, rows)?;
        self.best_of_each(queries, count, rows, k)
    }

    fn best_of_each(&self, queries: &[f32], count: usize, rows: Rows<'_>, k: usize) -> Result<Vec<TopK>, Error> {
        let threshold = match self.threshold {
            Some(found) if found.is_nan() => {
                return Err(Error::Value { what: "threshold", position: None, expected: "a number", found });
            }
            given => given,
        };
        let search = self.raw(threshold);
        let call = |task: Task| {
            let queries = &queries[task.queries.start * rows.dim()..task.queries.end * rows.dim()];
            self.call_top_k(&search, queries, task.queries.len(), rows.part(task.rows.start, task.rows.len()), k).map(
                |mut best| {
                    let hits = best.iter_mut().flat_map(|best| &mut best.hits);
                    hits.for_each(|hit| hit.row += task.rows.start);
                    best
                },
            )
        };
        let tasks = Tasks::new(count, rows, k);
        if tasks.len() <= 1 {
            return if tasks.len() == 0 { tier::ready().map(|()| Vec::new()) } else { call(tasks.at(0)) };
        }
        tier::ready()?;
        let (first, last) = (tasks.at(0), tasks.at(tasks.len() - 1));
        let largest = first.queries.len().max(last.queries.len());
        // SAFETY: reads the search alone, and only computes.
        let need = unsafe { ffi::ecp_top_k_need(&search, rows.dim(), largest, first.rows.len(), k) };
        arena::admit(Kernel::Similarity, self.overflow, need)?;
        // The hits of the parts of a block are held until they are merged, and no longer.
        let blocks = (0..tasks.query_blocks).into_par_iter().map(|block| {
            let parts = (0..tasks.row_parts).into_par_iter().map(|part| call(tasks.at(block * tasks.row_parts + part)));
            let parts = parts.collect::<Result<Vec<_>, _>>()?;
            let queries = 0..parts[0].len();
            Ok(queries.map(|query| self.best_of_parts(parts.iter().map(|part| &part[query]), k)).collect::<Vec<_>>())
        });
        Ok(blocks.collect::<Result<Vec<_>, Error>>()?.into_iter().flatten().collect())
    }

    fn best_of_parts<'p>(&self, parts: impl Iterator<Item = &'p TopK> + Clone, k: usize) -> TopK {
        let nan_rows = parts.clone().map(|part| part.nan_rows).sum();
        let mut hits: Vec<_> = parts.flat_map(|part| part.hits.iter().copied()).collect();
        hits.sort_unstable_by(|a, b| self.metric.order(a, b));
        hits.truncate(k);
        TopK { hits, nan_rows }
    }

    fn call_top_k(
        &self,
        search: &ffi::ecp_search,
        queries: &[f32],
        count: usize,
        rows: Rows<'_>,
        k: usize,
    ) -> Result<Vec<TopK>, Error> {
        let kept = k.min(rows.len());
        assert_eq!(queries.len(), count * rows.dim());
        let mut hits = room(ffi::ecp_hit { row: 0, score: 0.0, reserved: 0 }, count.saturating_mul(kept))?;
        let mut found = vec![ffi::ecp_top_k_result { hit_count: 0, nan_rows: 0 }; count];
        let rows = raw_rows(&rows);
        arena::with_scratch(self.overflow, |scratch| {
            // SAFETY: ecphory.h asks for
            // - queries[query_count][dim]: the assertion above, in release too;
            // - rows: `raw_rows` of a `Rows`, which is what it says;
            // - hits[query_count][min(k, row_count)], results[query_count]: allocated above;
            // - nothing written that overlaps anything else: all three are locals.
            unsafe {
                let (hits, found) = (hits.as_mut_ptr(), found.as_mut_ptr());
                ffi::ecp_top_k(search, queries.as_ptr(), count, &rows, k, hits, found, scratch)
            }
        })?;
        let hit = |hit: &ffi::ecp_hit| Hit { row: hit.row as usize, score: hit.score };
        let best = found.iter().enumerate().map(|(query, found)| TopK {
            hits: hits[query * kept..][..found.hit_count].iter().map(hit).collect(),
            nan_rows: found.nan_rows,
        });
        Ok(best.collect())
    }

    /// As ecphory.h has it; without a threshold every score is a hit.
    fn raw(&self, threshold: Option<f32>) -> ffi::ecp_search {
        let none = if self.metric == Metric::SquaredEuclidean { f32::INFINITY } else { f32::NEG_INFINITY };
        ffi::ecp_search {
            metric: self.metric.code(),
            precision: self.precision.code(),
            packing: self.packing.code(),
            threshold: threshold.unwrap_or(none),
        }
    }
}

/// Scores that tasks write, each its own.
struct Output(*mut f32);

// SAFETY: a pointer into a `&mut [f32]` that its owner does not touch while tasks write through it, each to the scores
// of its own rows.
unsafe impl Sync for Output {}

/// So many of `value`: a product of two lengths, which may be more than there is memory for.
fn room<T: Clone>(value: T, len: usize) -> Result<Vec<T>, Error> {
    let mut all = Vec::new();
    let needed = len.saturating_mul(size_of::<T>());
    all.try_reserve_exact(len).map_err(|_| Error::OutOfMemory { needed, capacity: 0 })?;
    all.resize(len, value);
    Ok(all)
}

/// Whole queries among `queries`.
fn query_count(queries: &[f32], rows: Rows<'_>) -> Result<usize, Error> {
    let dim = rows.dim();
    if !queries.len().is_multiple_of(dim) {
        return Err(Error::PartialRow { what: "queries", dim, stride: dim, found: queries.len() });
    }
    Ok(queries.len() / dim)
}

fn raw_rows(rows: &Rows<'_>) -> ffi::ecp_rows {
    ffi::ecp_rows {
        elements: rows.as_slice().as_ptr(),
        row_count: rows.len(),
        dim: rows.dim(),
        stride: rows.stride(),
        norms: rows.norms().map_or(std::ptr::null(), <[f32]>::as_ptr),
        filter: rows.filter().map_or(std::ptr::null(), <[u64]>::as_ptr),
    }
}

/// The norm of every row as a cosine takes it: `[rows]`.
pub(crate) fn norms(rows: &Rows<'_>) -> Result<Vec<f32>, Error> {
    tier::ready()?;
    let mut norms = vec![0.0; rows.len()];
    let each = Tasks::new(1, *rows, 0).rows_each;
    norms.par_chunks_mut(each).enumerate().try_for_each(|(task, norms)| {
        let rows = raw_rows(&rows.part(task * each, each));
        assert_eq!(norms.len(), rows.row_count);
        // SAFETY: ecphory.h asks for
        // - rows: `raw_rows` of a `Rows`, which is what it says;
        // - norms[row_count]: the assertion above, in release too; nothing else overlaps a `&mut`.
        Error::check(unsafe { ffi::ecp_norms(&rows, norms.as_mut_ptr()) })
    })?;
    Ok(norms)
}

/// Cosine similarity of `query`, `[dim]`, with every one of `rows`: `[rows]`.
///
/// For other metrics, ids, the best `k` and overflow policies see [`Search`].
///
/// ```
/// use ecphory::{Rows, similarity_batch};
///
/// let scores = similarity_batch(&[3.0, 4.0], &Rows::new(&[3.0, 4.0, -4.0, 3.0, 0.0, 0.0], 2)?)?;
/// assert_eq!(scores, [1.0, 0.0, 0.0]);
/// # Ok::<(), ecphory::Error>(())
/// ```
///
/// # Errors
/// [`Error::Length`] for a query that is not as long as the rows; [`Error::UnknownTier`]; [`Error::OutOfMemory`] when
/// both the arena and the heap are full; [`Error::ThreadEnding`].
pub fn similarity_batch(query: &[f32], rows: &impl AsRows) -> Result<Vec<f32>, Error> {
    Search::new(Metric::Cosine).scores(query, rows)
}

/// [`similarity_batch`] into `scores`, `[rows]`; allocates nothing for small batches that fit the arena.
///
/// # Errors
/// As [`similarity_batch`], and [`Error::Length`] for `scores` of another length; see [`Search::scores_into`] for what
/// `scores` then holds.
pub fn similarity_batch_into(query: &[f32], rows: &impl AsRows, scores: &mut [f32]) -> Result<(), Error> {
    Search::new(Metric::Cosine).scores_into(query, rows, scores)
}
