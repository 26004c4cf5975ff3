//! What similarity is compared with: f64, one element at a time, and sorting; it shares nothing with the kernels.

#![allow(dead_code)]

use ecphory::{Metric, TopK};

pub const METRICS: [Metric; 3] = [Metric::Cosine, Metric::Dot, Metric::SquaredEuclidean];

/// Unit roundoff of f32.
pub const U: f64 = 1.0 / 16_777_216.0;

/// What f64 holds exactly.
pub trait Real: Copy {
    fn real(self) -> f64;
}

impl<T: Copy + Into<f64>> Real for T {
    fn real(self) -> f64 {
        self.into()
    }
}

/// The score, and how far the documentation lets an f32 score be from it.
pub fn score(metric: Metric, query: &[impl Real], row: &[impl Real]) -> (f64, f64) {
    let (mut dot, mut query_squares, mut row_squares, mut magnitude, mut distance) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (&q, &r) in query.iter().zip(row) {
        let (q, r) = (q.real(), r.real());
        dot += q * r;
        query_squares += q * q;
        row_squares += r * r;
        magnitude += (q * r).abs();
        distance += (q - r) * (q - r);
    }
    let dim = query.len() as f64;
    let below = dim * f64::powi(2.0, -149);
    match metric {
        Metric::Cosine => {
            let norms = f64::sqrt(query_squares) * f64::sqrt(row_squares);
            (if norms == 0.0 { 0.0 } else { dot / norms }, (2.0 * dim + 8.0) * U)
        }
        Metric::Dot => (dot, (dim + 4.0) * U * magnitude + below),
        Metric::SquaredEuclidean => (distance, (dim + 4.0) * U * distance + below),
        other => panic!("no oracle for {other:?}"),
    }
}

pub fn assert_near(metric: Metric, query: &[impl Real], row: &[impl Real], found: f32) {
    let (exact, bound) = score(metric, query, row);
    assert!(
        (exact - f64::from(found)).abs() <= bound,
        "{metric:?}, dim {}: expected {exact} +- {bound}, found {found}",
        query.len()
    );
}

/// What sorting every score finds: rows with the bits of their scores, and how many rows scored NaN.
pub fn sorted(metric: Metric, scores: &[f32], k: usize) -> (Vec<(usize, u32)>, usize) {
    let mut rows: Vec<_> = scores.iter().copied().enumerate().filter(|(_, score)| !score.is_nan()).collect();
    let nan_rows = scores.len() - rows.len();
    rows.sort_by(|(_, a), (_, b)| {
        let ascending = a.partial_cmp(b).expect("no NaN");
        let lowest_first = metric == Metric::SquaredEuclidean || metric == Metric::Hamming;
        if lowest_first { ascending } else { ascending.reverse() }
    });
    rows.truncate(k);
    (rows.into_iter().map(|(row, score)| (row, score.to_bits())).collect(), nan_rows)
}

pub fn as_pairs(top: &TopK) -> (Vec<(usize, u32)>, usize) {
    (top.hits.iter().map(|hit| (hit.row, hit.score.to_bits())).collect(), top.nan_rows)
}
