//! Queries against rows, of f32 and of smaller types.

use std::sync::Arc;

use ecphory::{ArenaStats, Packing, Rows, Search, bench};
use rayon::prelude::*;

use super::ours::Ours;
use super::{check, companion};
use crate::{Case, Clock, Contender, Dtype, Kind, Limits, Metric, Pair, Unit, Work, data};

/// Dimensions in use: SIFT, small sentence models, the usual ones, large ones, and one that no register divides.
pub const DIMS: [usize; 5] = [100, 128, 384, 768, 1536];

/// The metrics of numbers.
pub const METRICS: [Metric; 3] = [Metric::Cosine, Metric::Dot, Metric::Sql2];

/// The seed of the ids of `gather`.
pub const IDS: u64 = 3;

/// The work of one case of f32: `m` queries, `n` rows.
#[must_use]
pub fn work(case: &str, shape: [usize; 3], metric: Metric, k: Option<usize>) -> Work {
    work_of::<f32>(case, shape, metric, k)
}

/// The work of one case: `m` queries, `n` rows.
#[must_use]
pub fn work_of<T: Kind>(case: &str, [m, n, dim]: [usize; 3], metric: Metric, k: Option<usize>) -> Work {
    Work::Similarity { case: case.into(), m, n, dim, dtype: T::DTYPE, metric, k, of: None }
}

/// The work of `gather`: `count` rows by their ids, of so many.
#[must_use]
pub fn gather_work(count: usize, of: usize, dim: usize, metric: Metric) -> Work {
    Work::Similarity { case: "gather".into(), m: 1, n: count, dim, dtype: Dtype::F32, metric, k: None, of: Some(of) }
}

/// Queries and rows of one dimension.
#[derive(Debug)]
pub struct Vectors<T = f32> {
    /// `[m][dim]`.
    pub queries: Arc<[T]>,
    /// `[n][dim]`.
    pub rows: Arc<[T]>,
    /// Queries.
    pub m: usize,
    /// Rows.
    pub n: usize,
    /// Elements of each.
    pub dim: usize,
}

impl<T> Clone for Vectors<T> {
    fn clone(&self) -> Self {
        let Self { m, n, dim, .. } = *self;
        Self { queries: self.queries.clone(), rows: self.rows.clone(), m, n, dim }
    }
}

impl Vectors {
    /// Of f32, in -1 to 1, the same at every run.
    #[must_use]
    pub fn new(m: usize, n: usize, dim: usize) -> Self {
        Self::drawn([m, n, dim])
    }
}

impl<T: Kind> Vectors<T> {
    /// The same at every run; of a shape as [`Vectors::shape`] tells it.
    #[must_use]
    pub fn drawn([m, n, dim]: [usize; 3]) -> Self {
        let dim = dim / T::HELD;
        let (queries, rows) = (T::draw(1, m * dim).into(), T::draw(2, n * dim).into());
        Self { queries, rows, m, n, dim }
    }

    /// Queries, rows, and dimensions of each: elements, or bits.
    #[must_use]
    pub fn shape(&self) -> [usize; 3] {
        [self.m, self.n, self.dim * T::HELD]
    }

    /// Bytes of the rows.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.rows)
    }

    /// Every score in f64, one query after the other.
    #[must_use]
    pub fn expected(&self, metric: Metric) -> Vec<f64> {
        T::expected(metric, &self.queries, &self.rows, self.dim)
    }

    /// Whether answers are right, for elements as they are drawn.
    ///
    /// # Errors
    /// Who is wrong, and where.
    pub fn check(&self, who: &str, found: &[f32], expected: &[f64], metric: Metric) -> Result<(), String> {
        check(who, found, expected, |_, expected| T::bound(metric, self.dim, expected))
    }
    /// Whether those are the `k` best rows of each query, best first. The last places, and those of rows that score
    /// nearly the same, may be won by rounding, so scores are what is compared.
    ///
    /// # Errors
    /// Who is wrong, and where.
    pub fn check_best(
        &self,
        who: &str,
        found: &[u32],
        expected: &[f64],
        metric: Metric,
        k: usize,
    ) -> Result<(), String> {
        let k = k.min(self.n);
        if found.len() != k * self.m {
            return Err(format!("{who}: expected {k} rows for each of {} queries, found {}", self.m, found.len()));
        }
        for (rows, scores) in found.chunks(k).zip(expected.chunks(self.n)) {
            let mut distinct = rows.to_vec();
            distinct.sort_unstable();
            distinct.dedup();
            if distinct.len() != k || distinct.iter().any(|&row| row as usize >= self.n) {
                return Err(format!("{who}: expected {k} different rows, found {rows:?}"));
            }
            let mut best = scores.to_vec();
            best.sort_unstable_by(|a, b| if is_distance(metric) { a.total_cmp(b) } else { b.total_cmp(a) });
            let theirs: Vec<f32> = rows.iter().map(|&row| scores[row as usize] as f32).collect();
            self.check(who, &theirs, &best[..k], metric)?;
        }
        Ok(())
    }
}

/// Whether the smaller is the nearer.
#[must_use]
pub fn is_distance(metric: Metric) -> bool {
    matches!(metric, Metric::Sql2 | Metric::Hamming)
}

/// Operations per element of a row.
fn operations(metric: Metric) -> f64 {
    match metric {
        Metric::Cosine => 4.0,
        Metric::Sql2 => 3.0,
        _ => 2.0,
    }
}

/// Bytes of rows that a case of f32 reads and operations that it does, or none for other work.
#[must_use]
pub fn amounts(of: &Work) -> Option<(f64, f64)> {
    let &Work::Similarity { m, n, dim, metric, dtype: Dtype::F32, .. } = of else { return None };
    let bytes = 4.0 * (n * dim) as f64;
    Some((bytes, operations(metric) * (m * n * dim) as f64))
}

/// The metric as the library has it.
#[must_use]
pub fn ours(metric: Metric) -> ecphory::Metric {
    match metric {
        Metric::Cosine => ecphory::Metric::Cosine,
        Metric::Sql2 => ecphory::Metric::SquaredEuclidean,
        Metric::Dot => ecphory::Metric::Dot,
        Metric::Hamming => ecphory::Metric::Hamming,
        Metric::Jaccard => ecphory::Metric::Jaccard,
    }
}

/// A contender that fills scores, checked against `expected` before it is let in.
///
/// # Errors
/// That its scores are wrong.
pub fn scoring<'a, T: Kind>(
    name: &str,
    threads: usize,
    vectors: &Vectors<T>,
    expected: &[f64],
    metric: Metric,
    mut score: impl FnMut(&mut [f32]) + 'a,
) -> Result<Contender<'a>, String> {
    let mut scores = vec![f32::NAN; expected.len()];
    score(&mut scores);
    vectors.check(name, &scores, expected, metric)?;
    Ok(Contender::new(name, Clock::for_threads(threads), move || score(std::hint::black_box(&mut scores))))
}

/// Rows of the pieces that `threads` threads take in turn: several each, for one may be held up, but none so small that
/// sharing costs more than it gains; all where there is one thread.
#[must_use]
pub fn piece(n: usize, threads: usize) -> usize {
    if threads == 1 { n } else { n.div_ceil(8 * threads).clamp(1024.min(n), n) }
}

/// Bytes that fit every core's first level of cache, which is faster than any limit here.
const FIRST_LEVEL: usize = 32 << 10;

/// With the least time for reading so many bytes of rows, and for so many elements of all pairs of a query and a row.
fn bounded<T: Kind>(
    case: Case<'static>,
    limits: &Limits,
    [bytes, pairs]: [usize; 2],
    metric: Metric,
    threads: usize,
) -> Case<'static> {
    if bytes <= FIRST_LEVEL {
        return case;
    }
    let reading = limits.least_ns(limits.level(bytes, threads), bytes as f64, threads);
    let computing = T::arithmetic(limits).and_then(|of| limits.operations(of, threads));
    case.at_least(computing.map_or(reading, |rate| reading.max(operations(metric) * pairs as f64 / rate)))
}

/// `1xN` or `MxN`: ours, for cosines also with norms taken beforehand, for one query of a smaller type also with that
/// in f32; and the plain loop query by query, which shares pieces of the rows out and has no part in what would take it
/// minutes.
///
/// # Errors
/// That our answer is wrong.
pub fn scores<T: Ours>(
    limits: &Limits,
    vectors: &Vectors<T>,
    expected: &[f64],
    metric: Metric,
    threads: usize,
) -> Result<Case<'static>, String> {
    let operated = if T::DTYPE == Dtype::I8 { Unit::Integers } else { Unit::Operations };
    let (name, unit) = if vectors.m == 1 { ("1xN", Unit::Bytes) } else { ("MxN", operated) };
    let (bytes, pairs) = (vectors.bytes(), vectors.m * vectors.rows.len());
    let amount = if vectors.m == 1 { bytes as f64 } else { operations(metric) * pairs as f64 };
    let case = Case::new(work_of::<T>(name, vectors.shape(), metric, None), threads, unit, amount);
    let mut case = bounded::<T>(case, limits, [bytes, pairs], metric, threads);
    add_ours(&mut case, vectors, expected, metric, threads)?;
    if pairs <= PLAIN_PAIRS {
        let (v, plain, piece) = (vectors.clone(), T::plain(metric), piece(vectors.n, threads));
        let by_loop = move |scores: &mut [f32]| {
            for (query, scores) in v.queries.chunks(v.dim).zip(scores.chunks_mut(v.n)) {
                in_pieces(piece, scores, &v.rows, v.dim, |scores, rows| {
                    scores.iter_mut().zip(rows.chunks(v.dim)).for_each(|(score, row)| *score = plain(query, row));
                });
            }
        };
        case.try_add("scalar", None, || scoring("scalar", threads, vectors, expected, metric, by_loop));
    }
    Ok(case)
}

/// Elements of pairs that the plain loop is asked for.
const PLAIN_PAIRS: usize = 1 << 32;

fn add_ours<T: Ours>(
    case: &mut Case<'static>,
    vectors: &Vectors<T>,
    expected: &[f64],
    metric: Metric,
    threads: usize,
) -> Result<(), String> {
    let (v, search) = (vectors.clone(), Search::new(ours(metric)));
    let by_us = move |scores: &mut [f32]| T::scores(&search, &v, None, scores);
    case.add(scoring("ecphory", threads, vectors, expected, metric, by_us)?);
    if let Some(norms) = norms(vectors, metric) {
        let v = vectors.clone();
        let by_us = move |scores: &mut [f32]| T::scores(&search, &v, Some(&norms), scores);
        case.add_noted(scoring("ecphory-prepared", threads, vectors, expected, metric, by_us)?, PREPARED);
    }
    if let Some(query) = if vectors.m == 1 { T::widened(vectors) } else { None } {
        let v = vectors.clone();
        let by_us = move |scores: &mut [f32]| T::widened_scores(&search, &query, &v, scores);
        case.add_noted(scoring("ecphory-f32-query", threads, vectors, expected, metric, by_us)?, "the query in f32");
    }
    Ok(())
}

const PREPARED: &str = "norms of rows taken beforehand";

/// What a cosine needs of rows, where they have it.
fn norms<T: Ours>(vectors: &Vectors<T>, metric: Metric) -> Option<Vec<f32>> {
    if metric == Metric::Cosine { T::norms(vectors) } else { None }
}

/// And ours once more, one query after the other.
///
/// # Errors
/// That our answer is wrong.
pub fn add_singles(
    case: &mut Case<'static>,
    vectors: &Vectors,
    expected: &[f64],
    metric: Metric,
    threads: usize,
) -> Result<(), String> {
    let (v, search) = (vectors.clone(), Search::new(ours(metric)));
    let by_us = move |scores: &mut [f32]| {
        let rows = Rows::new(&v.rows, v.dim).expect("whole rows");
        for (query, scores) in v.queries.chunks(v.dim).zip(scores.chunks_mut(v.n)) {
            search.scores_into(query, &rows, scores).expect("scores of good rows");
        }
    };
    case.add_noted(scoring("ecphory-singles", threads, vectors, expected, metric, by_us)?, "a call for each query");
    Ok(())
}

/// And a call across the border that does nothing: what a small call cannot be faster than.
pub fn add_empty_call(case: &mut Case<'static>) {
    let calls = Contender::of_loop("empty-call", Clock::Thread, |times| (0..times).for_each(|_| bench::empty_call()));
    case.add_noted(calls, "a call that does nothing");
}

/// `work` on pieces of so many scores and of what they are of, `size` of it each; on the pool's threads where there are
/// several.
fn in_pieces<T: Sync>(piece: usize, scores: &mut [f32], of: &[T], size: usize, work: impl Fn(&mut [f32], &[T]) + Sync) {
    if scores.len() <= piece {
        return work(scores, of);
    }
    scores.par_chunks_mut(piece).zip(of.par_chunks(piece * size)).for_each(|(scores, of)| work(scores, of));
}

/// `topk`: ours, and the plain loop with a sort of all scores, on many threads by rayon.
///
/// # Errors
/// That our answer is wrong.
pub fn top_k<T: Ours>(
    limits: &Limits,
    vectors: &Vectors<T>,
    metric: Metric,
    k: usize,
    threads: usize,
) -> Result<Case<'static>, String> {
    let bytes = vectors.bytes();
    let work = work_of::<T>("topk", vectors.shape(), metric, Some(k));
    let case = Case::new(work, threads, Unit::Bytes, bytes as f64);
    let mut case = bounded::<T>(case, limits, [bytes, vectors.rows.len()], metric, threads);
    let (search, v) = (Search::new(ours(metric)), vectors.clone());
    let by_us = move || T::best(&search, &v, None, k);
    let by_loop = sorted(vectors, metric, k, threads);
    let expected = vectors.expected(metric);
    let ours = by_us();
    let rows = |rows: &mut dyn Iterator<Item = usize>| rows.map(|row| row as u32).collect::<Vec<_>>();
    vectors.check_best("ecphory", &rows(&mut ours.hits.iter().map(|hit| hit.row)), &expected, metric, k)?;
    let of_hits: Vec<_> = ours.hits.iter().map(|hit| expected[hit.row]).collect();
    vectors.check("ecphory", &ours.hits.iter().map(|hit| hit.score).collect::<Vec<_>>(), &of_hits, metric)?;
    let clock = Clock::for_threads(threads);
    case.add(Contender::new("ecphory", clock, move || _ = std::hint::black_box(by_us())));
    if let Some(norms) = norms(vectors, metric) {
        let v = vectors.clone();
        let by_us = move || T::best(&search, &v, Some(&norms), k);
        if by_us() != ours {
            return Err("ecphory-prepared: expected the hits without norms, found others".into());
        }
        case.add_noted(Contender::new("ecphory-prepared", clock, move || _ = std::hint::black_box(by_us())), PREPARED);
    }
    companion::join(&mut case, vectors, search, k, clock, &ours)?;
    case.try_add("scalar", None, || {
        vectors.check_best("scalar", &rows(&mut by_loop().iter().map(|hit| hit.0)), &expected, metric, k)?;
        Ok(Contender::new("scalar", clock, move || _ = std::hint::black_box(by_loop())))
    });
    Ok(case)
}

/// The plain loop over all rows, sorted.
fn sorted<T: Kind>(
    vectors: &Vectors<T>,
    metric: Metric,
    k: usize,
    threads: usize,
) -> impl Fn() -> Vec<(usize, f32)> + use<T> {
    let (v, plain, piece) = (vectors.clone(), T::plain(metric), piece(vectors.n, threads));
    move || {
        let mut all: Vec<(usize, f32)> = (0..v.n).map(|row| (row, 0.0)).collect();
        let score = |hit: &mut (usize, f32)| hit.1 = plain(&v.queries, &v.rows[hit.0 * v.dim..][..v.dim]);
        let ascending = is_distance(metric);
        let nearest = |a: &(usize, f32), b: &(usize, f32)| {
            if ascending { a.1.total_cmp(&b.1) } else { b.1.total_cmp(&a.1) }
        };
        if piece == v.n {
            all.iter_mut().for_each(score);
            all.sort_by(nearest);
        } else {
            all.par_chunks_mut(piece).for_each(|hits| hits.iter_mut().for_each(score));
            all.par_sort_by(nearest);
        }
        all.truncate(k);
        all
    }
}

/// `gather`: ours and the plain loop over `count` ids of the rows, drawn at random.
///
/// # Errors
/// That our answer is wrong.
pub fn gather(
    limits: &Limits,
    vectors: &Vectors,
    metric: Metric,
    count: usize,
    threads: usize,
) -> Result<Case<'static>, String> {
    let ids: Arc<[u32]> = data::ids(IDS, count, vectors.n).into();
    let all = vectors.expected(metric);
    let expected: Vec<_> = ids.iter().map(|&id| all[id as usize]).collect();
    let bytes = count * vectors.dim * 4;
    let work = gather_work(count, vectors.n, vectors.dim, metric);
    let case = Case::new(work, threads, Unit::Bytes, bytes as f64);
    // The same ids every time: what they name stays as near as its size allows.
    let mut case = bounded::<f32>(case, limits, [bytes, count * vectors.dim], metric, threads);
    let (v, search, wanted) = (vectors.clone(), Search::new(ours(metric)), ids.clone());
    let by_us = move |scores: &mut [f32]| {
        let rows = Rows::new(&v.rows, v.dim).expect("whole rows");
        search.gather_into(&v.queries, &rows, &wanted, scores).expect("scores of good ids");
    };
    case.add(scoring("ecphory", threads, vectors, &expected, metric, by_us)?);
    let (v, search, wanted) = (vectors.clone(), search.packing(Packing::Whole), ids.clone());
    let by_us = move |scores: &mut [f32]| {
        let rows = Rows::new(&v.rows, v.dim).expect("whole rows");
        search.gather_into(&v.queries, &rows, &wanted, scores).expect("scores of good ids");
    };
    let loans = || ArenaStats::of_all_threads().heap_loan_count;
    let before = loans();
    let packed = scoring("ecphory-packed", threads, vectors, &expected, metric, by_us)?;
    // Its answer was asked for once.
    let where_to = if loans() > before { "rows packed into a heap loan" } else { "rows packed into scratch" };
    case.add_noted(packed, where_to);
    let (v, plain, piece): (_, Pair<f32>, _) = (vectors.clone(), f32::plain(metric), piece(count, threads));
    let by_loop = move |scores: &mut [f32]| {
        in_pieces(piece, scores, &ids, 1, |scores, ids| {
            for (score, &id) in scores.iter_mut().zip(ids) {
                *score = plain(&v.queries, &v.rows[id as usize * v.dim..][..v.dim]);
            }
        });
    };
    case.try_add("scalar", None, || scoring("scalar", threads, vectors, &expected, metric, by_loop));
    Ok(case)
}
