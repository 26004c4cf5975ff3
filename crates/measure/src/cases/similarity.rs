//! Queries against rows of f32.

use std::sync::Arc;

use ecphory::{ArenaStats, Packing, Prepared, Rows, Search};
use rayon::prelude::*;

use super::check;
use crate::{Case, Clock, Contender, Dtype, Limits, Metric, Unit, Work, data, scalar};

/// Dimensions in use: SIFT, small sentence models, the usual ones, large ones, and one that no register divides.
pub const DIMS: [usize; 5] = [100, 128, 384, 768, 1536];

/// The metrics of f32.
pub const METRICS: [Metric; 3] = [Metric::Cosine, Metric::Dot, Metric::Sql2];

/// The seed of the ids of `gather`.
pub const IDS: u64 = 3;

/// The work of one case of f32: `m` queries, `n` rows.
#[must_use]
pub fn work(case: &str, [m, n, dim]: [usize; 3], metric: Metric, k: Option<usize>) -> Work {
    Work::Similarity { case: case.into(), m, n, dim, dtype: Dtype::F32, metric, k, of: None }
}

/// The work of `gather`: `count` rows by their ids, of so many.
#[must_use]
pub fn gather_work(count: usize, of: usize, dim: usize, metric: Metric) -> Work {
    Work::Similarity { case: "gather".into(), m: 1, n: count, dim, dtype: Dtype::F32, metric, k: None, of: Some(of) }
}

/// Queries and rows of one dimension, in -1 to 1.
#[derive(Debug, Clone)]
pub struct Vectors {
    /// `[m][dim]`.
    pub queries: Arc<[f32]>,
    /// `[n][dim]`.
    pub rows: Arc<[f32]>,
    /// Queries.
    pub m: usize,
    /// Rows.
    pub n: usize,
    /// Elements of each.
    pub dim: usize,
}

impl Vectors {
    /// The same at every run.
    #[must_use]
    pub fn new(m: usize, n: usize, dim: usize) -> Self {
        let (queries, rows) = (data::elements(1, m * dim).into(), data::elements(2, n * dim).into());
        Self { queries, rows, m, n, dim }
    }

    /// Queries, rows, and elements of each.
    #[must_use]
    pub fn shape(&self) -> [usize; 3] {
        [self.m, self.n, self.dim]
    }

    /// Bytes of the rows.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.rows.len() * 4
    }

    /// Every score in f64, one query after the other, and how far an f32 answer may be from it: a sum of `dim` products
    /// in f32 errs by `dim` roundings at most (Higham 2002, section 3.1), a cosine by two such sums.
    #[must_use]
    pub fn expected(&self, metric: Metric) -> Vec<f64> {
        let each = |query: &[f32]| self.rows.chunks(self.dim).map(|row| exact(metric, query, row)).collect::<Vec<_>>();
        self.queries.chunks(self.dim).flat_map(each).collect()
    }

    /// Whether f32 answers are right, for numbers in -1 to 1.
    ///
    /// # Errors
    /// Who is wrong, and where.
    pub fn check(&self, who: &str, found: &[f32], expected: &[f64], metric: Metric) -> Result<(), String> {
        let dim = self.dim as f64;
        let magnitude = match metric {
            Metric::Cosine => 2.0,
            Metric::Sql2 => 4.0 * dim,
            _ => dim,
        };
        check(who, found, expected, |_, _| (dim + 8.0) * magnitude / f64::from(1 << 24))
    }
}

impl Vectors {
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
            best.sort_unstable_by(|a, b| if metric == Metric::Sql2 { a.total_cmp(b) } else { b.total_cmp(a) });
            let theirs: Vec<f32> = rows.iter().map(|&row| scores[row as usize] as f32).collect();
            self.check(who, &theirs, &best[..k], metric)?;
        }
        Ok(())
    }
}

fn exact(metric: Metric, query: &[f32], row: &[f32]) -> f64 {
    let pairs = || query.iter().zip(row).map(|(&x, &y)| (f64::from(x), f64::from(y)));
    let dot = || pairs().map(|(x, y)| x * y).sum::<f64>();
    let squares = |of: fn((f64, f64)) -> f64| pairs().map(|pair| of(pair) * of(pair)).sum::<f64>();
    match metric {
        Metric::Cosine => dot() / (squares(|pair| pair.0).sqrt() * squares(|pair| pair.1).sqrt()),
        Metric::Sql2 => squares(|(x, y)| x - y),
        _ => dot(),
    }
}

/// Floating-point operations per element of a row.
fn operations(metric: Metric) -> f64 {
    match metric {
        Metric::Cosine => 4.0,
        Metric::Sql2 => 3.0,
        _ => 2.0,
    }
}

/// Bytes of rows that a case reads and operations that it does, or none for other work.
#[must_use]
pub fn amounts(of: &Work) -> Option<(f64, f64)> {
    let &Work::Similarity { m, n, dim, metric, .. } = of else { return None };
    let bytes = 4.0 * (n * dim) as f64;
    Some((bytes, operations(metric) * (m * n * dim) as f64))
}

/// The metric as the library has it.
#[must_use]
pub fn ours(metric: Metric) -> ecphory::Metric {
    match metric {
        Metric::Cosine => ecphory::Metric::Cosine,
        Metric::Sql2 => ecphory::Metric::SquaredEuclidean,
        _ => ecphory::Metric::Dot,
    }
}

/// The plain loop over two vectors.
#[must_use]
pub fn plain(metric: Metric) -> fn(&[f32], &[f32]) -> f32 {
    match metric {
        Metric::Cosine => scalar::cosine,
        Metric::Sql2 => scalar::squared_euclidean,
        _ => scalar::dot,
    }
}

/// A contender that fills scores, checked against `expected` before it is let in.
///
/// # Errors
/// That its scores are wrong.
pub fn scoring<'a>(
    name: &str,
    threads: usize,
    vectors: &Vectors,
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

/// `1xN` or `MxN`: ours, for cosines also with norms taken beforehand, and the plain loop query by query, which shares
/// pieces of the rows out.
///
/// # Errors
/// That our answer is wrong.
pub fn scores(
    limits: &Limits,
    vectors: &Vectors,
    expected: &[f64],
    metric: Metric,
    threads: usize,
) -> Result<Case<'static>, String> {
    let (name, unit) = if vectors.m == 1 { ("1xN", Unit::Bytes) } else { ("MxN", Unit::Operations) };
    let (bytes, flops) = (vectors.bytes(), operations(metric) * (vectors.m * vectors.rows.len()) as f64);
    let amount = if vectors.m == 1 { bytes as f64 } else { flops };
    let least = limits.least_ns(limits.level(bytes, threads), bytes as f64, flops, threads);
    let mut case = Case::new(work(name, vectors.shape(), metric, None), threads, unit, amount).at_least(least);
    let (v, search) = (vectors.clone(), Search::new(ours(metric)));
    let by_us = move |scores: &mut [f32]| {
        let rows = Rows::new(&v.rows, v.dim).expect("whole rows");
        search.matrix_into(&v.queries, &rows, scores).expect("scores of good rows");
    };
    case.add(scoring("ecphory", threads, vectors, expected, metric, by_us)?);
    if metric == Metric::Cosine {
        let (v, norms) = (vectors.clone(), norms(vectors));
        let by_us = move |scores: &mut [f32]| {
            let rows = prepared(&v, &norms);
            search.matrix_into(&v.queries, &rows, scores).expect("scores of good rows");
        };
        case.add_noted(scoring("ecphory-prepared", threads, vectors, expected, metric, by_us)?, PREPARED);
    }
    let (v, plain, piece) = (vectors.clone(), plain(metric), piece(vectors.n, threads));
    let by_loop = move |scores: &mut [f32]| {
        for (query, scores) in v.queries.chunks(v.dim).zip(scores.chunks_mut(v.n)) {
            in_pieces(piece, scores, &v.rows, v.dim, |scores, rows| {
                scores.iter_mut().zip(rows.chunks(v.dim)).for_each(|(score, row)| *score = plain(query, row));
            });
        }
    };
    case.try_add("scalar", None, || scoring("scalar", threads, vectors, expected, metric, by_loop));
    Ok(case)
}

const PREPARED: &str = "norms of rows taken beforehand";

fn norms(vectors: &Vectors) -> Vec<f32> {
    let rows = Rows::new(&vectors.rows, vectors.dim).expect("whole rows");
    Prepared::new(rows).expect("norms of good rows").norms().to_vec()
}

fn prepared<'a>(vectors: &'a Vectors, norms: &'a [f32]) -> Prepared<'a> {
    Prepared::from_parts(Rows::new(&vectors.rows, vectors.dim).expect("whole rows"), norms).expect("a norm for each")
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
pub fn top_k(
    limits: &Limits,
    vectors: &Vectors,
    metric: Metric,
    k: usize,
    threads: usize,
) -> Result<Case<'static>, String> {
    let bytes = vectors.bytes();
    let least = limits.least_ns(
        limits.level(bytes, threads),
        bytes as f64,
        operations(metric) * vectors.rows.len() as f64,
        threads,
    );
    let mut case =
        Case::new(work("topk", vectors.shape(), metric, Some(k)), threads, Unit::Bytes, bytes as f64).at_least(least);
    let (search, v) = (Search::new(ours(metric)), vectors.clone());
    let by_us = move || {
        let rows = Rows::new(&v.rows, v.dim).expect("whole rows");
        search.top_k(&v.queries, &rows, k).expect("the best of good rows")
    };
    let (v, plain, piece) = (vectors.clone(), plain(metric), piece(vectors.n, threads));
    let by_loop = move || {
        let mut all: Vec<(usize, f32)> = (0..v.n).map(|row| (row, 0.0)).collect();
        let score = |hit: &mut (usize, f32)| hit.1 = plain(&v.queries, &v.rows[hit.0 * v.dim..][..v.dim]);
        let ascending = metric == Metric::Sql2;
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
    };
    let expected = vectors.expected(metric);
    let ours = by_us();
    let rows = |rows: &mut dyn Iterator<Item = usize>| rows.map(|row| row as u32).collect::<Vec<_>>();
    vectors.check_best("ecphory", &rows(&mut ours.hits.iter().map(|hit| hit.row)), &expected, metric, k)?;
    let of_hits: Vec<_> = ours.hits.iter().map(|hit| expected[hit.row]).collect();
    vectors.check("ecphory", &ours.hits.iter().map(|hit| hit.score).collect::<Vec<_>>(), &of_hits, metric)?;
    let clock = Clock::for_threads(threads);
    case.add(Contender::new("ecphory", clock, move || _ = std::hint::black_box(by_us())));
    if metric == Metric::Cosine {
        let (v, norms) = (vectors.clone(), norms(vectors));
        let by_us = move || search.top_k(&v.queries, &prepared(&v, &norms), k).expect("the best of good rows");
        if by_us() != ours {
            return Err("ecphory-prepared: expected the hits without norms, found others".into());
        }
        case.add_noted(Contender::new("ecphory-prepared", clock, move || _ = std::hint::black_box(by_us())), PREPARED);
    }
    case.try_add("scalar", None, || {
        vectors.check_best("scalar", &rows(&mut by_loop().iter().map(|hit| hit.0)), &expected, metric, k)?;
        Ok(Contender::new("scalar", clock, move || _ = std::hint::black_box(by_loop())))
    });
    Ok(case)
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
    let flops = operations(metric) * (count * vectors.dim) as f64;
    // The same ids every time: what they name stays as near as its size allows.
    let least = limits.least_ns(limits.level(bytes, threads), bytes as f64, flops, threads);
    let work = gather_work(count, vectors.n, vectors.dim, metric);
    let mut case = Case::new(work, threads, Unit::Bytes, bytes as f64).at_least(least);
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
    let (v, plain, piece) = (vectors.clone(), plain(metric), piece(count, threads));
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
