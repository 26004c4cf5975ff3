#![allow(unsafe_code)]

use rayon::prelude::*;

use crate::{ArenaConfig, Error, Kernel, OverflowPolicy, Rows, Seed, arena, ffi};

/// Elements that one rayon task reads: 4 MB, well above the cost of a task. Smaller batches stay on the calling thread.
/// A split depends on shapes and the capacity of arenas alone, so needs and results do not depend on the number of
/// threads.
const TASK_ELEMENTS: usize = 1 << 20;

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

/// How a gather packs its rows into scratch. Scores are the same bits either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Packing {
    /// All rows of a task at once.
    #[default]
    Whole,
    /// As many at a time as fit the thread's arena, all if they do: an arena that holds the query and one row is
    /// enough.
    Tiled,
}

impl Packing {
    fn code(self) -> u32 {
        match self {
            Self::Whole => ffi::ECP_PACKING_WHOLE,
            Self::Tiled => ffi::ECP_PACKING_TILED,
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

/// Scores of one query against rows.
///
/// NaN in a query or row makes the score NaN. Each score errs by at most `(2 dim + 8) 2^-24` for a cosine, and
/// otherwise by `(dim + 4) 2^-24` times the sum of magnitudes (Higham 2002, section 3.1) and `dim 2^-149` for
/// products below f32. It is the same bits wherever the row stands and however many threads work, and may differ
/// within that bound between CPU tiers.
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
}

impl Search {
    /// A search by `metric`, with [`OverflowPolicy::Heap`].
    pub fn new(metric: Metric) -> Self {
        Self { metric, overflow: OverflowPolicy::default(), packing: Packing::default() }
    }

    /// What to do when scratch does not fit the arena.
    pub fn on_overflow(self, overflow: OverflowPolicy) -> Self {
        Self { overflow, ..self }
    }

    /// How [`Search::gather`] packs its rows into scratch.
    pub fn packing(self, packing: Packing) -> Self {
        Self { packing, ..self }
    }

    /// The score of every row: `[rows]`, score `i` of row `i`. `query` is `[dim]`.
    ///
    /// # Errors
    /// As [`Search::scores_into`].
    pub fn scores(&self, query: &[f32], rows: &Rows<'_>) -> Result<Vec<f32>, Error> {
        let mut scores = vec![0.0; rows.len()];
        self.scores_into(query, rows, &mut scores)?;
        Ok(scores)
    }

    /// The score of every row into `scores`: `[rows]`. `query` is `[dim]`. Scratch: the query, 4 `dim` bytes.
    ///
    /// # Errors
    /// [`Error::Length`] for a query or `scores` of another length; [`Error::OutOfMemory`] by the policy;
    /// [`Error::ThreadEnding`]; [`Error::UnknownTier`]. `scores` is then untouched, unless a worker thread that
    /// already held scratch, or whose arena could not be mapped, was what refused: then it is unspecified.
    pub fn scores_into(&self, query: &[f32], rows: &Rows<'_>, scores: &mut [f32]) -> Result<(), Error> {
        Error::check_length("query", rows.dim(), query.len())?;
        Error::check_length("scores", rows.len(), scores.len())?;
        let rows_per_task = (TASK_ELEMENTS / rows.dim()).max(1);
        if scores.len() <= rows_per_task {
            return self.call_scores(query, rows.as_slice(), scores);
        }
        // SAFETY: takes any numbers and only computes.
        arena::admit(Kernel::Similarity, self.overflow, unsafe { ffi::ecp_scores_need(rows.dim()) })?;
        scores
            .par_chunks_mut(rows_per_task)
            .zip(rows.as_slice().par_chunks(rows_per_task * rows.dim()))
            .try_for_each(|(scores, rows)| self.call_scores(query, rows, scores))
    }

    fn call_scores(&self, query: &[f32], rows: &[f32], scores: &mut [f32]) -> Result<(), Error> {
        assert_eq!(rows.len(), query.len() * scores.len());
        arena::with_scratch(self.overflow, |scratch| {
            // SAFETY: ecphory.h asks for
            // - query[dim], rows[row_count][dim], scores[row_count]: the assertion above, in release too;
            // - nothing written that overlaps anything else: `scores` is `&mut`, `scratch` a local of `with_scratch`.
            unsafe {
                let (query, dim) = (query.as_ptr(), query.len());
                let (rows, count) = (rows.as_ptr(), scores.len());
                ffi::ecp_scores(self.metric.code(), query, dim, rows, count, scores.as_mut_ptr(), scratch)
            }
        })
    }

    /// The scores of the rows `ids`, in their order: `[ids]`. `query` is `[dim]`.
    ///
    /// # Errors
    /// As [`Search::gather_into`].
    pub fn gather(&self, query: &[f32], rows: &Rows<'_>, ids: &[u32]) -> Result<Vec<f32>, Error> {
        let mut scores = vec![0.0; ids.len()];
        self.gather_into(query, rows, ids, &mut scores)?;
        Ok(scores)
    }

    /// The scores of the rows `ids` into `scores`: `[ids]`, such as the neighbours of a node. Ids may repeat. The rows
    /// are packed into scratch first: 4 `dim` bytes for the query and each id. Up to 4 MB of rows are one task on this
    /// thread: 1,000 rows of 768 elements need 3,075,072 bytes, more than the default arena, so under the default
    /// policy they run on a heap loan, and with [`Packing::Tiled`] in the arena, some at a time. More rows are split
    /// over rayon; under the default policy into tasks that fit an arena. Scores are the same bits as those of
    /// [`Search::scores`].
    ///
    /// # Errors
    /// As [`Search::scores_into`], and [`Error::Index`] for an id that is not a row; nothing is then written.
    pub fn gather_into(&self, query: &[f32], rows: &Rows<'_>, ids: &[u32], scores: &mut [f32]) -> Result<(), Error> {
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
        // SAFETY: takes any numbers and only computes.
        arena::admit(Kernel::Similarity, self.overflow, unsafe { ffi::ecp_gather_need(rows.dim(), packed) })?;
        scores
            .par_chunks_mut(ids_per_task)
            .zip(ids.par_chunks(ids_per_task))
            .try_for_each(|(scores, ids)| self.call_gather(query, rows, ids, scores))
    }

    /// Rows that one task packs. Where a heap loan would help, no more than an arena holds, so that none is needed; but
    /// where an overflow is refused, refused are all gathers above some size, not those between two.
    fn gathered_per_task(&self, dim: usize) -> usize {
        let most = (TASK_ELEMENTS / dim).max(1);
        let capacity = ArenaConfig::current().capacity_bytes();
        // SAFETY: takes any numbers and only computes.
        let query = unsafe { ffi::ecp_scores_need(dim) };
        let fitting = capacity.saturating_sub(query) / (dim * size_of::<f32>());
        if self.overflow == OverflowPolicy::Heap && fitting > 0 { most.min(fitting) } else { most }
    }

    /// `ids` are all below `rows.len()`.
    fn call_gather(&self, query: &[f32], rows: &Rows<'_>, ids: &[u32], scores: &mut [f32]) -> Result<(), Error> {
        assert!(query.len() == rows.dim() && ids.len() == scores.len());
        arena::with_scratch(self.overflow, |scratch| {
            // SAFETY: ecphory.h asks for
            // - query[dim], ids[id_count], scores[id_count]: the assertion above, in release too;
            // - rows[row_count][dim]: `Rows` is a whole number of rows of `dim`;
            // - ids below row_count: `gather_into`, the only caller, has looked at each;
            // - nothing written that overlaps anything else: `scores` is `&mut`, `scratch` a local of `with_scratch`.
            unsafe {
                let (query, dim) = (query.as_ptr(), query.len());
                let (data, count) = (rows.as_slice().as_ptr(), rows.len());
                let (ids, id_count) = (ids.as_ptr(), ids.len());
                let (scores, packing) = (scores.as_mut_ptr(), self.packing.code());
                ffi::ecp_gather(self.metric.code(), query, dim, data, count, ids, id_count, scores, packing, scratch)
            }
        })
    }

    /// The `k` nearest rows, or all there are: as sorting every score would find them. `query` is `[dim]`; `k` may be
    /// 0. Infinite scores order as numbers. Scratch of a task: the query, 1 KiB of scores, 16 bytes for each hit.
    ///
    /// # Errors
    /// As [`Search::scores`].
    pub fn top_k(&self, query: &[f32], rows: &Rows<'_>, k: usize) -> Result<TopK, Error> {
        Error::check_length("query", rows.dim(), query.len())?;
        let rows_per_task = (TASK_ELEMENTS / rows.dim()).max(1);
        if rows.len() <= rows_per_task {
            return self.call_top_k(query, rows.as_slice(), 0, k);
        }
        // SAFETY: takes any numbers and only computes.
        arena::admit(Kernel::Similarity, self.overflow, unsafe { ffi::ecp_top_k_need(rows.dim(), rows_per_task, k) })?;
        let parts = rows
            .as_slice()
            .par_chunks(rows_per_task * rows.dim())
            .enumerate()
            .map(|(task, part)| self.call_top_k(query, part, task * rows_per_task, k))
            .collect::<Result<Vec<_>, _>>()?;
        let nan_rows = parts.iter().map(|part| part.nan_rows).sum();
        let mut hits: Vec<_> = parts.into_iter().flat_map(|part| part.hits).collect();
        hits.sort_unstable_by(|a, b| self.metric.order(a, b));
        hits.truncate(k);
        Ok(TopK { hits, nan_rows })
    }

    fn call_top_k(&self, query: &[f32], rows: &[f32], first_row: usize, k: usize) -> Result<TopK, Error> {
        let count = rows.len() / query.len();
        let mut hits = vec![ffi::ecp_hit { row: 0, score: 0.0, reserved: 0 }; k.min(count)];
        let mut found = ffi::ecp_top_k_result { hit_count: 0, nan_rows: 0 };
        arena::with_scratch(self.overflow, |scratch| {
            // SAFETY: ecphory.h asks for
            // - query[dim], rows[row_count][dim]: `count` was divided by the query's length, rounding down;
            // - hits[min(k, row_count)]: allocated above;
            // - nothing written that overlaps anything else: all three are locals.
            unsafe {
                let (query, dim) = (query.as_ptr(), query.len());
                let hits = hits.as_mut_ptr();
                ffi::ecp_top_k(self.metric.code(), query, dim, rows.as_ptr(), count, k, hits, &mut found, scratch)
            }
        })?;
        let hits = hits[..found.hit_count].iter();
        let hits = hits.map(|hit| Hit { row: first_row + hit.row as usize, score: hit.score }).collect();
        Ok(TopK { hits, nan_rows: found.nan_rows })
    }
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
pub fn similarity_batch(query: &[f32], rows: &Rows<'_>) -> Result<Vec<f32>, Error> {
    Search::new(Metric::Cosine).scores(query, rows)
}

/// [`similarity_batch`] into `scores`, `[rows]`; allocates nothing for small batches that fit the arena.
///
/// # Errors
/// As [`similarity_batch`], and [`Error::Length`] for `scores` of another length; see [`Search::scores_into`] for what
/// `scores` then holds.
pub fn similarity_batch_into(query: &[f32], rows: &Rows<'_>, scores: &mut [f32]) -> Result<(), Error> {
    Search::new(Metric::Cosine).scores_into(query, rows, scores)
}
