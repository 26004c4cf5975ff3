//! The types of elements of vectors: how each is drawn, what its scores are in f64, how far an answer may be from that,
//! and the plain loop.

use std::fmt::Debug;

use half::{bf16, f16};

use crate::{Arithmetic, Dtype, Limits, Metric, data, scalar};

/// Two vectors compared.
pub type Pair<T> = fn(&[T], &[T]) -> f32;

/// A type of elements.
pub trait Kind: Copy + Debug + Send + Sync + 'static {
    /// As lines name it.
    const DTYPE: Dtype;

    /// How much of what a dimension counts one element holds.
    const HELD: usize = 1;

    /// `count` elements, the same at every run: numbers evenly in -1 to 1, rounded, or of i8 in -127 to 127; bits of
    /// which half are set.
    #[must_use]
    fn draw(seed: u64, count: usize) -> Vec<Self>;

    /// Every score in f64, one query after the other.
    #[must_use]
    fn expected(metric: Metric, queries: &[Self], rows: &[Self], dim: usize) -> Vec<f64>;

    /// How far an answer for elements so drawn may be from what is expected.
    #[must_use]
    fn bound(metric: Metric, dim: usize, expected: f64) -> f64;

    /// The plain loop.
    #[must_use]
    fn plain(metric: Metric) -> Pair<Self>;

    /// What the machine is fastest at of all that computes products of them and their sums.
    #[must_use]
    fn arithmetic(limits: &Limits) -> Option<Arithmetic>;
}

/// A sum of `dim` products in f32 errs by `dim` roundings at most (Higham 2002, section 3.1), a cosine by two such
/// sums.
fn bound_of_sums(metric: Metric, dim: usize) -> f64 {
    let dim = dim as f64;
    let magnitude = match metric {
        Metric::Cosine => 2.0,
        Metric::Sql2 => 4.0 * dim,
        _ => dim,
    };
    (dim + 8.0) * magnitude * HALF_ULP
}

/// One rounding to f32, relative.
const HALF_ULP: f64 = 1.0 / (1 << 24) as f64;

fn plain_of_numbers<T: Copy + Into<f32>>(metric: Metric) -> Pair<T> {
    match metric {
        Metric::Cosine => scalar::cosine,
        Metric::Sql2 => scalar::squared_euclidean,
        _ => scalar::dot,
    }
}

impl Kind for f32 {
    const DTYPE: Dtype = Dtype::F32;

    fn draw(seed: u64, count: usize) -> Vec<Self> {
        data::elements(seed, count)
    }

    fn expected(metric: Metric, queries: &[Self], rows: &[Self], dim: usize) -> Vec<f64> {
        of_numbers(metric, queries, rows, dim)
    }

    fn bound(metric: Metric, dim: usize, _: f64) -> f64 {
        bound_of_sums(metric, dim)
    }

    fn plain(metric: Metric) -> Pair<Self> {
        plain_of_numbers(metric)
    }

    fn arithmetic(_: &Limits) -> Option<Arithmetic> {
        Some(Arithmetic::MultiplyAdd)
    }
}

/// Nobody multiplies it: all widen it to f32.
impl Kind for f16 {
    const DTYPE: Dtype = Dtype::F16;

    fn draw(seed: u64, count: usize) -> Vec<Self> {
        data::elements(seed, count).into_iter().map(Self::from_f32).collect()
    }

    fn expected(metric: Metric, queries: &[Self], rows: &[Self], dim: usize) -> Vec<f64> {
        of_numbers(metric, queries, rows, dim)
    }

    fn bound(metric: Metric, dim: usize, _: f64) -> f64 {
        bound_of_sums(metric, dim)
    }

    fn plain(metric: Metric) -> Pair<Self> {
        plain_of_numbers(metric)
    }

    fn arithmetic(_: &Limits) -> Option<Arithmetic> {
        Some(Arithmetic::MultiplyAdd)
    }
}

impl Kind for bf16 {
    const DTYPE: Dtype = Dtype::Bf16;

    fn draw(seed: u64, count: usize) -> Vec<Self> {
        data::elements(seed, count).into_iter().map(Self::from_f32).collect()
    }

    fn expected(metric: Metric, queries: &[Self], rows: &[Self], dim: usize) -> Vec<f64> {
        of_numbers(metric, queries, rows, dim)
    }

    fn bound(metric: Metric, dim: usize, _: f64) -> f64 {
        bound_of_sums(metric, dim)
    }

    fn plain(metric: Metric) -> Pair<Self> {
        plain_of_numbers(metric)
    }

    fn arithmetic(limits: &Limits) -> Option<Arithmetic> {
        let own = limits.operations(Arithmetic::Bf16Dot, 1).map(|_| Arithmetic::Bf16Dot);
        own.or(Some(Arithmetic::MultiplyAdd))
    }
}

impl Kind for i8 {
    const DTYPE: Dtype = Dtype::I8;

    fn draw(seed: u64, count: usize) -> Vec<Self> {
        data::elements(seed, count).into_iter().map(|x| (x * 127.0).round() as i8).collect()
    }

    fn expected(metric: Metric, queries: &[Self], rows: &[Self], dim: usize) -> Vec<f64> {
        of_numbers(metric, queries, rows, dim)
    }

    /// Sums are integers, rounded once; a cosine has a few roundings more, some of them of roots that are estimated.
    fn bound(metric: Metric, _: usize, expected: f64) -> f64 {
        if metric == Metric::Cosine { 16.0 * HALF_ULP } else { expected.abs() * HALF_ULP }
    }

    fn plain(metric: Metric) -> Pair<Self> {
        match metric {
            Metric::Cosine => scalar::cosine_i8,
            Metric::Sql2 => scalar::squared_euclidean_i8,
            _ => scalar::dot_i8,
        }
    }

    fn arithmetic(limits: &Limits) -> Option<Arithmetic> {
        limits.operations(Arithmetic::I8Dot, 1).map(|_| Arithmetic::I8Dot)
    }
}

/// Eight bits.
impl Kind for u8 {
    const DTYPE: Dtype = Dtype::B1;
    const HELD: usize = 8;

    fn draw(seed: u64, count: usize) -> Vec<Self> {
        let mut random = data::Random::new(seed);
        (0..count).map(|_| (random.bits() >> 32) as Self).collect()
    }

    fn expected(metric: Metric, queries: &[Self], rows: &[Self], dim: usize) -> Vec<f64> {
        let exact = |query: &[Self], row: &[Self]| {
            let count = |of: fn(u8, u8) -> u8| {
                f64::from(query.iter().zip(row).map(|(&x, &y)| of(x, y).count_ones()).sum::<u32>())
            };
            match (metric, count(|x, y| x | y)) {
                (Metric::Jaccard, 0.0) => 1.0,
                (Metric::Jaccard, either) => count(|x, y| x & y) / either,
                _ => count(|x, y| x ^ y),
            }
        };
        let each = |query| rows.chunks(dim).map(move |row| exact(query, row));
        queries.chunks(dim).flat_map(each).collect()
    }

    /// Numbers of bits are exact, quotients rounded, some of them as distances.
    fn bound(metric: Metric, _: usize, _: f64) -> f64 {
        if metric == Metric::Jaccard { 4.0 * HALF_ULP } else { 0.0 }
    }

    fn plain(metric: Metric) -> Pair<Self> {
        if metric == Metric::Jaccard { scalar::jaccard } else { scalar::hamming }
    }

    fn arithmetic(_: &Limits) -> Option<Arithmetic> {
        None
    }
}

/// Each row is widened once for all queries.
fn of_numbers<T: Copy + Into<f64>>(metric: Metric, queries: &[T], rows: &[T], dim: usize) -> Vec<f64> {
    let widen = |numbers: &[T]| numbers.iter().map(|&x| x.into()).collect::<Vec<f64>>();
    let (queries, n) = (widen(queries), rows.len() / dim);
    let mut scores = vec![0.0; queries.len() / dim * n];
    for (i, row) in rows.chunks(dim).enumerate() {
        let row = widen(row);
        queries.chunks(dim).enumerate().for_each(|(q, query)| scores[q * n + i] = exact(metric, query, &row));
    }
    scores
}

fn exact(metric: Metric, query: &[f64], row: &[f64]) -> f64 {
    let dot = |a, b| sum(a, b, |x, y| x * y);
    match metric {
        Metric::Cosine => dot(query, row) / (dot(query, query).sqrt() * dot(row, row).sqrt()),
        Metric::Sql2 => sum(query, row, |x, y| (x - y) * (x - y)),
        _ => dot(query, row),
    }
}

/// Eight sums side by side, for a matrix of scores is long to wait for.
fn sum(a: &[f64], b: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
    let ((a, last_a), (b, last_b)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut sums = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for i in 0..8 {
            sums[i] += term(a[i], b[i]);
        }
    }
    sums.iter().sum::<f64>() + last_a.iter().zip(last_b).map(|(&x, &y)| term(x, y)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_a_few_numbers_and_bits_are_those_of_a_pencil() {
        let of = |metric| <i8 as Kind>::expected(metric, &[3, 4], &[4, 3, -3, -4, 0, 1], 2);
        assert_eq!(of(Metric::Dot), [24.0, -25.0, 4.0]);
        assert_eq!(of(Metric::Cosine), [0.96, -1.0, 0.8]);
        assert_eq!(of(Metric::Sql2), [2.0, 100.0, 18.0]);
        let of = |metric| <u8 as Kind>::expected(metric, &[0b1100, 0, 0, 0], &[0b1010, 1, 0, 0], 2);
        assert_eq!(of(Metric::Hamming), [3.0, 2.0, 3.0, 0.0]);
        assert_eq!(of(Metric::Jaccard), [0.25, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn long_sums_are_of_all_elements() {
        let numbers: Vec<f64> = (1..=19).map(f64::from).collect();
        assert_eq!(sum(&numbers, &numbers, |x, _| x), 190.0);
        assert_eq!(sum(&numbers[..3], &numbers[..3], |x, y| x * y), 14.0);
    }

    fn plain_is_right<T: Kind>(metrics: &[Metric]) {
        let (queries, rows) = (T::draw(1, 2 * 30), T::draw(2, 7 * 30));
        for &metric in metrics {
            let expected = T::expected(metric, &queries, &rows, 30);
            for (at, expected) in expected.into_iter().enumerate() {
                let found = T::plain(metric)(&queries[at / 7 * 30..][..30], &rows[at % 7 * 30..][..30]);
                let off = (f64::from(found) - expected).abs();
                assert!(off <= T::bound(metric, 30, expected), "{} {metric}: {found} for {expected}", T::DTYPE);
            }
        }
    }

    #[test]
    fn plain_loops_are_within_the_bounds_of_their_types() {
        let of_numbers = [Metric::Cosine, Metric::Dot, Metric::Sql2];
        plain_is_right::<f32>(&of_numbers);
        plain_is_right::<f16>(&of_numbers);
        plain_is_right::<bf16>(&of_numbers);
        plain_is_right::<i8>(&of_numbers);
        plain_is_right::<u8>(&[Metric::Hamming, Metric::Jaccard]);
    }
}
