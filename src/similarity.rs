#![allow(unsafe_code)]

use rayon::prelude::*;

use crate::hits::Bar;
use crate::meeting::{Meeting, raw_rows};
use crate::tasks::{Task, Tasks, rows_of_task};
use crate::{
    ArenaConfig, AsQueries, AsRows, Element, Error, Hit, Kernel, Meets, Metric, Number, OverflowPolicy, Rows, TopK,
    arena, ffi, tier,
};

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

/// Scores of queries against rows.
///
/// NaN in a query or row makes the score NaN. With [`Precision::Fast`] a score errs by at most `(2 dim + 8) 2^-24` for
/// a cosine, and otherwise by `(dim + 4) 2^-24` times the sum of magnitudes (Higham 2002, section 3.1) and `dim 2^-149`
/// for products below f32. Sums of many lanes err far less: dot products of 1536 drawn elements by less than `3 * 2^-24
/// |q| |x|`; where all elements are equal, which roundings in f32 do not average out, by up to `dim/16 + 5` of those
/// units, and among many queries by up to 77. With [`Precision::Precise`] it is the f64 score rounded once: a
/// cosine errs by less than `2^-24`. Scores are the same bits wherever the row stands, with norms taken by the same CPU
/// tier or without, and however many threads work; they may differ within those bounds between CPU tiers, and between a
/// query alone and the same among many in [`Search::matrix`] (7 against `f32` rows, against others 20 at the latest).
///
/// That is so of reduced types too, as the numbers they stand for, with these differences:
///
/// - `i8` with `i8`, and bits, are summed exactly, whatever the precision, and rounded once, from f64 where there are
///   scales or quotients. A fast cosine errs by less than `2^-23`; a distance at unequal scales by `2^-49` of the sum
///   of both squared lengths more. Scores among many queries are the bits of each query alone.
/// - `f32` with `i8`: sums are multiplied by the scale; a fast distance is that of `scale * x` rounded to f32, infinite
///   where that is.
/// - `bf16` with `bf16`, fast cosines and dot products, where the CPU multiplies bf16 (tier `v4x`): elements and
///   products below `2^-126` count as 0, which adds up to `dim 2^-126 (1 + max|q| + max|x|)` to the error of a dot
///   product.
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
    /// distance at most. With `k` as large as there are rows it is a range search, and scratch is then for as many hits
    /// as a task has rows, however few are hits: a smaller `k` is less of it. NaN is refused by the calls that look at
    /// it.
    pub fn threshold(self, threshold: f32) -> Self {
        Self { threshold: Some(threshold), ..self }
    }

    /// The score of every row: `[rows]`, score `i` of row `i`, NaN where a filter keeps the row out. `query` is
    /// `[dim]`.
    ///
    /// # Errors
    /// As [`Search::scores_into`], and [`Error::OutOfMemory`] where there is no memory for the scores.
    pub fn scores<R: AsRows>(
        &self,
        query: &(impl AsQueries<R::Element> + ?Sized),
        rows: &R,
    ) -> Result<Vec<f32>, Error> {
        let mut scores = room(0.0, rows.as_rows().len())?;
        self.scores_into(query, rows, &mut scores)?;
        Ok(scores)
    }

    /// The score of every row into `scores`: `[rows]`. `query` is `[dim]`. Scratch: the query, as many elements as fill
    /// whole cache lines of a row, of 4 bytes each; of 1 where `i8` meets `i8`, and of bits.
    ///
    /// # Errors
    /// [`Error::Length`] for a query or `scores` of another length, and for rows that are not one query;
    /// [`Error::Metric`] for a metric that is not of such elements; [`Error::OutOfMemory`] by the policy;
    /// [`Error::ThreadEnding`]; [`Error::UnknownTier`]. `scores` is then untouched, unless a worker thread that
    /// already held scratch, or whose arena could not be mapped, was what refused: then it is unspecified.
    pub fn scores_into<R: AsRows>(
        &self,
        query: &(impl AsQueries<R::Element> + ?Sized),
        rows: &R,
        scores: &mut [f32],
    ) -> Result<(), Error> {
        let meeting = Meeting::of_one(self.metric, query.given(), rows.as_rows())?;
        Error::check_length("scores", meeting.scores(), scores.len())?;
        self.call_matrix(meeting, scores)
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
    /// As [`Search::matrix_into`], and [`Error::OutOfMemory`] where there is no memory for the scores.
    pub fn matrix<R: AsRows>(
        &self,
        queries: &(impl AsQueries<R::Element> + ?Sized),
        rows: &R,
    ) -> Result<Vec<f32>, Error> {
        let meeting = Meeting::of_many(self.metric, queries.given(), rows.as_rows())?;
        let mut scores = room(0.0, meeting.scores())?;
        self.call_matrix(meeting, &mut scores)?;
        Ok(scores)
    }

    /// The score of every query and row into `scores`: `[queries][rows]`. `queries` is `[queries][dim]`. Rows are read
    /// once for every 64 queries, and large work is split over rayon by both. Scratch of a task: 16 KiB, and for each
    /// of at most 64 queries, their number rounded up to a multiple of 16 and one more, what one takes; as much for
    /// each of 64 rows of a reduced type; where `i8` meets `i8` instead 128 bytes for each query. For few queries
    /// (up to 6 against `f32` rows, 9 of `i8` or `bf16` on both sides, else 10, and 17 to 19), for precise ones of
    /// numbers and for bits: for each what one takes, and 128 bytes.
    ///
    /// # Errors
    /// As [`Search::scores_into`], and [`Error::PartialRow`] for queries that are not whole.
    pub fn matrix_into<R: AsRows>(
        &self,
        queries: &(impl AsQueries<R::Element> + ?Sized),
        rows: &R,
        scores: &mut [f32],
    ) -> Result<(), Error> {
        let meeting = Meeting::of_many(self.metric, queries.given(), rows.as_rows())?;
        // As many scores as cannot be counted cannot be there.
        Error::check_length("scores", meeting.scores(), scores.len())?;
        self.call_matrix(meeting, scores)
    }

    fn call_matrix<Q: Meets<T>, T: Element>(
        &self,
        meeting: Meeting<'_, Q, T>,
        scores: &mut [f32],
    ) -> Result<(), Error> {
        assert_eq!(scores.len(), meeting.queries().len() * meeting.rows().len());
        let (search, stride) = (self.raw(None), meeting.rows().len());
        let out = Output(scores.as_mut_ptr());
        let call = |task: Task| {
            let (out, (queries, rows)) = (&out, meeting.part(&task).raw());
            arena::with_scratch(self.overflow, |scratch| {
                // SAFETY: ecphory.h asks for
                // - queries and rows: both of a `Meeting`, and so of one dim, of types that meet and the metric's kind;
                //   what their pointers lead to is as long as `raw_rows` says;
                // - row_count scores of every stride, from those of the task's first query and row on: the task's
                //   queries are some of the meeting's and its rows some of `stride`, and the assertion above, in
                //   release too;
                // - nothing written that overlaps anything else: `scores` is `&mut`, of which tasks write those of
                //   their own queries and rows alone; `scratch` is a local of `with_scratch`.
                unsafe {
                    let to = out.0.add(task.queries.start * stride + task.rows.start);
                    ffi::ecp_scores(&search, &queries, &rows, to, stride, scratch)
                }
            })
        };
        let tasks = Tasks::new(meeting.queries().len(), meeting.rows(), 0);
        if tasks.len() <= 1 {
            return if tasks.len() == 0 { tier::ready() } else { call(tasks.at(0)) };
        }
        tier::ready()?;
        let (most_queries, most_rows) = tasks.largest();
        let (queries, rows) = meeting.raw_of(most_queries, most_rows);
        // SAFETY: reads the three, and only computes.
        let need = unsafe { ffi::ecp_scores_need(&search, &queries, &rows) };
        arena::admit(Kernel::Similarity, self.overflow, need)?;
        (0..tasks.len()).into_par_iter().try_for_each(|task| call(tasks.at(task)))
    }

    /// The scores of the rows `ids`, in their order: `[ids]`. `query` is `[dim]`.
    ///
    /// # Errors
    /// As [`Search::gather_into`], and [`Error::OutOfMemory`] where there is no memory for the scores.
    pub fn gather<R: AsRows>(
        &self,
        query: &(impl AsQueries<R::Element> + ?Sized),
        rows: &R,
        ids: &[u32],
    ) -> Result<Vec<f32>, Error> {
        let mut scores = room(0.0, ids.len())?;
        self.gather_into(query, rows, ids, &mut scores)?;
        Ok(scores)
    }

    /// The scores of the rows `ids` into `scores`: `[ids]`, such as the neighbours of a node; NaN where a filter keeps
    /// the row out. Ids are `u32`, as nodes of a graph are: rows from 2^32 on have none. They may repeat. Rows are read
    /// in place, or packed into scratch first where [`Search::packing`] says so: then the bytes of each id's row beside
    /// those for the query. Up to 4 MB of rows are one task on this thread: packed, 1,000 rows of 768 elements need
    /// 3,075,072 bytes, more than the default arena, so under the default policy they run on a heap loan, and with
    /// [`Packing::Tiled`] in the arena, some at a time. More rows are split over rayon; under the default policy into
    /// tasks that fit an arena. Scores are the same bits as those of [`Search::scores`].
    ///
    /// # Errors
    /// As [`Search::scores_into`], and [`Error::Index`] for an id that is not a row; nothing is then written.
    pub fn gather_into<R: AsRows>(
        &self,
        query: &(impl AsQueries<R::Element> + ?Sized),
        rows: &R,
        ids: &[u32],
        scores: &mut [f32],
    ) -> Result<(), Error> {
        let meeting = Meeting::of_one(self.metric, query.given(), rows.as_rows())?;
        Error::check_length("scores", ids.len(), scores.len())?;
        let len = meeting.rows().len();
        if let Some(position) = ids.iter().position(|&id| id as usize >= len) {
            return Err(Error::Index { what: "row id", position, len, found: ids[position] as usize });
        }
        if ids.len() <= rows_of_task(meeting.rows().row_bytes()) {
            return self.call_gather(meeting, ids, scores);
        }
        let ids_per_task = self.gathered_per_task(meeting);
        let packed = if self.packing == Packing::Tiled { 1 } else { ids_per_task };
        arena::admit(Kernel::Similarity, self.overflow, self.gather_need(meeting, packed))?;
        scores
            .par_chunks_mut(ids_per_task)
            .zip(ids.par_chunks(ids_per_task))
            .try_for_each(|(scores, ids)| self.call_gather(meeting, ids, scores))
    }

    fn gather_need<Q: Meets<T>, T: Element>(&self, meeting: Meeting<'_, Q, T>, count: usize) -> usize {
        let (query, rows) = meeting.raw();
        // SAFETY: reads the three, and only computes.
        unsafe { ffi::ecp_gather_need(&self.raw(None), &query, &rows, count) }
    }

    /// Rows that one task gathers. Where a heap loan would help, no more than an arena holds, so that none is needed;
    /// but where an overflow is refused, refused are all gathers above some size, not those between two.
    fn gathered_per_task<Q: Meets<T>, T: Element>(&self, meeting: Meeting<'_, Q, T>) -> usize {
        let most = rows_of_task(meeting.rows().row_bytes());
        if self.packing == Packing::InPlace || self.overflow != OverflowPolicy::Heap {
            return most;
        }
        let capacity = ArenaConfig::current().capacity_bytes();
        let (mut fitting, mut beyond) = (0, most + 1);
        while beyond - fitting > 1 {
            let middle = fitting.midpoint(beyond);
            let fits = self.gather_need(meeting, middle) <= capacity;
            (fitting, beyond) = if fits { (middle, beyond) } else { (fitting, middle) };
        }
        if fitting > 0 { fitting } else { most }
    }

    /// `ids` are all below the number of rows.
    fn call_gather<Q: Meets<T>, T: Element>(
        &self,
        meeting: Meeting<'_, Q, T>,
        ids: &[u32],
        scores: &mut [f32],
    ) -> Result<(), Error> {
        assert!(meeting.queries().len() == 1 && ids.len() == scores.len());
        let (search, (query, rows)) = (self.raw(None), meeting.raw());
        arena::with_scratch(self.overflow, |scratch| {
            // SAFETY: ecphory.h asks for
            // - a query of one row, ids[id_count], scores[id_count]: the assertion above, in release too;
            // - query and rows: both of a `Meeting`, and so of one dim, of types that meet and the metric's kind; what
            //   their pointers lead to is as long as `raw_rows` says;
            // - ids below row_count: `gather_into`, the only caller, has looked at each;
            // - nothing written that overlaps anything else: `scores` is `&mut`, `scratch` a local of `with_scratch`.
            unsafe {
                let scores = scores.as_mut_ptr();
                ffi::ecp_gather(&search, &query, &rows, ids.as_ptr(), ids.len(), scores, scratch)
            }
        })
    }

    /// The `k` nearest rows, or all there are: as sorting every score would find them, of rows that a filter admits and
    /// that the threshold does. `query` is `[dim]`; `k` may be 0. Infinite scores order as numbers; rows that score NaN
    /// are left out and counted. Scratch of a task: the query, 1 KiB of scores, and 16 bytes for each of `k` hits or of
    /// the task's rows, of which there may be fewer.
    ///
    /// # Errors
    /// [`Error::Length`] for a query of another length, and for rows that are not one query; [`Error::Metric`] for a
    /// metric that is not of such elements; [`Error::Value`] for a threshold of NaN; [`Error::OutOfMemory`] by the
    /// policy, and where there is no memory for hits: those of every task are held until they are merged;
    /// [`Error::ThreadEnding`]; [`Error::UnknownTier`].
    pub fn top_k<R: AsRows>(
        &self,
        query: &(impl AsQueries<R::Element> + ?Sized),
        rows: &R,
        k: usize,
    ) -> Result<TopK, Error> {
        let meeting = Meeting::of_one(self.metric, query.given(), rows.as_rows())?;
        Ok(self.best_of_each(meeting, k)?.swap_remove(0))
    }

    /// The `k` nearest rows of every query: `[queries]`, each as [`Search::top_k`] finds them among the scores of
    /// [`Search::matrix`]. `queries` is `[queries][dim]`. Scratch of a task: that of [`Search::matrix_into`], and for
    /// each of at most 64 queries 40 bytes and 16 for each of `k` hits or of the task's rows, of which there may be
    /// fewer.
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
    pub fn top_k_each<R: AsRows>(
        &self,
        queries: &(impl AsQueries<R::Element> + ?Sized),
        rows: &R,
        k: usize,
    ) -> Result<Vec<TopK>, Error> {
        self.best_of_each(Meeting::of_many(self.metric, queries.given(), rows.as_rows())?, k)
    }

    fn best_of_each<Q: Meets<T>, T: Element>(&self, meeting: Meeting<'_, Q, T>, k: usize) -> Result<Vec<TopK>, Error> {
        let threshold = match self.threshold {
            Some(found) if found.is_nan() => {
                return Err(Error::Value { what: "threshold", position: None, expected: "a number", found });
            }
            given => given,
        };
        let meeting = if self.precision == Precision::Fast { meeting } else { meeting.without_copies() };
        let search = self.raw(threshold);
        let bar = (meeting.queries().len() == 1).then(|| Bar::new(self.metric, search.threshold));
        let call = |task: Task| {
            let threshold = bar.as_ref().map_or(search.threshold, Bar::score);
            let search = ffi::ecp_search { threshold, ..search };
            let mut best = self.call_top_k(&search, meeting.part(&task), k)?;
            if let Some(bar) = &bar {
                bar.raise(&best[0].hits, k);
            }
            best.iter_mut().flat_map(|best| &mut best.hits).for_each(|hit| hit.row += task.rows.start);
            Ok(best)
        };
        let tasks = Tasks::new(meeting.queries().len(), meeting.rows(), k);
        if tasks.len() <= 1 {
            return if tasks.len() == 0 { tier::ready().map(|()| Vec::new()) } else { call(tasks.at(0)) };
        }
        tier::ready()?;
        let (most_queries, most_rows) = tasks.largest();
        let (queries, rows) = meeting.raw_of(most_queries, most_rows);
        let copies = meeting.raw_copies();
        let rows = ffi::ecp_rows { companion: pointer_to(copies.as_ref()), ..rows };
        // SAFETY: reads the three, and only computes.
        let need = unsafe { ffi::ecp_top_k_need(&search, &queries, &rows, k) };
        arena::admit(Kernel::Similarity, self.overflow, need)?;
        let mut best = room(Vec::new(), tasks.query_blocks)?;
        best.par_iter_mut().enumerate().try_for_each(|(block, best)| {
            let part_of = |part| tasks.at(block * tasks.row_parts + part);
            *best = self.merged_parts(tasks.row_parts, k, |part| call(part_of(part)))?;
            Ok(())
        })?;
        let mut all = spare(meeting.queries().len())?;
        best.into_iter().for_each(|block| all.extend(block));
        Ok(all)
    }

    /// The best `k` of each query of a block, whose parts `call` finds: held until they are merged, and no longer.
    fn merged_parts(
        &self,
        count: usize,
        k: usize,
        call: impl Fn(usize) -> Result<Vec<TopK>, Error> + Sync,
    ) -> Result<Vec<TopK>, Error> {
        let mut parts = room(Vec::new(), count)?;
        parts.par_iter_mut().enumerate().try_for_each(|(part, found)| call(part).map(|best| *found = best))?;
        let mut all = spare(parts[0].len())?;
        for query in 0..parts[0].len() {
            all.push(TopK::merged(self.metric, parts.iter().map(|part| &part[query]), k)?);
        }
        Ok(all)
    }

    fn call_top_k<Q: Meets<T>, T: Element>(
        &self,
        search: &ffi::ecp_search,
        meeting: Meeting<'_, Q, T>,
        k: usize,
    ) -> Result<Vec<TopK>, Error> {
        let (count, kept) = (meeting.queries().len(), k.min(meeting.rows().len()));
        let mut hits = room(ffi::ecp_hit { row: 0, score: 0.0, reserved: 0 }, count.saturating_mul(kept))?;
        let mut found = room(ffi::ecp_top_k_result { hit_count: 0, nan_rows: 0, rescored_rows: 0 }, count)?;
        let (queries, rows) = meeting.raw();
        let copies = meeting.raw_copies();
        let rows = ffi::ecp_rows { companion: pointer_to(copies.as_ref()), ..rows };
        arena::with_scratch(self.overflow, |scratch| {
            // SAFETY: ecphory.h asks for
            // - queries and rows: both of a `Meeting`, and so of one dim, of types that meet and the metric's kind;
            //   what their pointers lead to is as long as `raw_rows` says; no queries at all it refuses;
            // - rows' companion: none, or `raw_copies`, of as many copies, each of the rows' dim rounded up;
            // - hits[query_count][min(k, row_count)], results[query_count]: allocated above;
            // - nothing written that overlaps anything else: all three are locals.
            unsafe { ffi::ecp_top_k(search, &queries, &rows, k, hits.as_mut_ptr(), found.as_mut_ptr(), scratch) }
        })?;
        let mut best = spare(count)?;
        for (query, found) in found.iter().enumerate() {
            let mut own = spare(found.hit_count)?;
            let hits = &hits[query * kept..][..found.hit_count];
            own.extend(hits.iter().map(|hit| Hit { row: hit.row as usize, score: hit.score }));
            let (nan_rows, rescored_rows) = (found.nan_rows, found.rescored_rows);
            best.push(TopK { hits: own, nan_rows, rescored_rows, scored_by: Some(self.metric) });
        }
        Ok(best)
    }

    /// As ecphory.h has it; without a threshold every score is a hit.
    fn raw(&self, threshold: Option<f32>) -> ffi::ecp_search {
        ffi::ecp_search {
            metric: self.metric.code(),
            precision: self.precision.code(),
            packing: self.packing.code(),
            threshold: threshold.unwrap_or(self.metric.farthest()),
        }
    }
}

fn pointer_to<T>(one: Option<&T>) -> *const T {
    one.map_or(std::ptr::null(), std::ptr::from_ref)
}

/// Scores that tasks write, each its own.
struct Output(*mut f32);

// SAFETY: a pointer into a `&mut [f32]` that its owner does not touch while tasks write through it, each to the scores
// of its own rows.
unsafe impl Sync for Output {}

/// So many of `value`: a product of two lengths, which may be more than there is memory for.
pub(crate) fn room<T: Clone>(value: T, len: usize) -> Result<Vec<T>, Error> {
    let mut all = spare(len)?;
    filled_soon(&mut all);
    all.resize(len, value);
    Ok(all)
}

/// Nothing yet, with room for so many.
pub(crate) fn spare<T>(len: usize) -> Result<Vec<T>, Error> {
    let mut all = Vec::new();
    let needed = len.saturating_mul(size_of::<T>());
    all.try_reserve_exact(len).map_err(|_| Error::OutOfMemory { needed, capacity: 0 })?;
    Ok(all)
}

/// Asks for huge pages where all that there is room for is about to be written; of room for the worst case, of which
/// little is, each would be a waste.
pub(crate) fn filled_soon<T>(all: &mut Vec<T>) {
    arena::prefer_huge_pages(all.as_mut_ptr().cast(), all.capacity() * size_of::<T>());
}

/// Gives room that is not needed back, unless there is none to move to.
pub(crate) fn fit<T: Copy>(all: &mut Vec<T>) {
    if all.len() < all.capacity()
        && let Ok(mut fitting) = spare(all.len())
    {
        fitting.extend_from_slice(all);
        *all = fitting;
    }
}

/// The norm of every row as a cosine takes it: `[rows]`.
pub(crate) fn norms<T: Number>(rows: &Rows<'_, T>) -> Result<Vec<f32>, Error> {
    tier::ready()?;
    let mut norms = room(0.0, rows.len())?;
    let each = Tasks::new(1, rows, 0).rows_each;
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
/// [`Error::Length`] for a query that is not as long as the rows, and for rows that are not one query;
/// [`Error::Metric`] for rows of bits, which have no cosine; [`Error::UnknownTier`]; [`Error::OutOfMemory`] where there
/// is no memory for the scores, and when both the arena and the heap are full; [`Error::ThreadEnding`].
pub fn similarity_batch<R: AsRows>(query: &(impl AsQueries<R::Element> + ?Sized), rows: &R) -> Result<Vec<f32>, Error> {
    Search::new(Metric::Cosine).scores(query, rows)
}

/// [`similarity_batch`] into `scores`, `[rows]`; allocates nothing for small batches that fit the arena.
///
/// # Errors
/// As [`similarity_batch`], and [`Error::Length`] for `scores` of another length; see [`Search::scores_into`] for what
/// `scores` then holds.
pub fn similarity_batch_into<R: AsRows>(
    query: &(impl AsQueries<R::Element> + ?Sized),
    rows: &R,
    scores: &mut [f32],
) -> Result<(), Error> {
    Search::new(Metric::Cosine).scores_into(query, rows, scores)
}
