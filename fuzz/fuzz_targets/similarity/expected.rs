//! What calls are compared with.

use ecphory::{Metric, Precision, Rows, TopK};

use crate::piece::Piece;
use crate::samples::{exact, scale_of};

/// The same bits, or both NaN.
pub fn is_same(a: f32, b: f32) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

#[track_caller]
pub fn assert_same(what: &str, expected: &[f32], found: &[f32]) {
    assert_eq!(expected.len(), found.len(), "{what}");
    for (i, (&a, &b)) in expected.iter().zip(found).enumerate() {
        assert!(is_same(a, b), "{what}, at {i}: expected {a:e}, found {b:e}");
    }
}

/// Rows with the bits of their scores, and how many scored NaN, of a search among `scores` that `is_in` lets take part.
pub fn sorted(
    metric: Metric,
    scores: &[f32],
    is_in: impl Fn(usize) -> bool,
    threshold: Option<f32>,
    k: usize,
) -> (Vec<(usize, u32)>, usize) {
    let lowest_first = matches!(metric, Metric::SquaredEuclidean | Metric::Hamming);
    let mut rows: Vec<_> = scores.iter().copied().enumerate().filter(|&(row, _)| is_in(row)).collect();
    let all = rows.len();
    rows.retain(|(_, score)| !score.is_nan());
    let nan_rows = all - rows.len();
    let passes = |score: f32| threshold.is_none_or(|bar| if lowest_first { score <= bar } else { score >= bar });
    rows.retain(|&(_, score)| passes(score));
    // Stable: ties stay by row.
    rows.sort_by(|(_, a), (_, b)| {
        let rising = a.partial_cmp(b).unwrap();
        if lowest_first { rising } else { rising.reverse() }
    });
    rows.truncate(k);
    (rows.into_iter().map(|(row, score)| (row, score.to_bits())).collect(), nan_rows)
}

#[track_caller]
pub fn assert_best(what: &str, expected: &(Vec<(usize, u32)>, usize), found: &TopK) {
    let hits: Vec<_> = found.hits.iter().map(|hit| (hit.row, hit.score.to_bits())).collect();
    assert_eq!((&expected.0, expected.1), (&hits, found.nan_rows), "{what}");
}

/// That a score is as near to that of f64 as documented. Where f64 has NaN or an infinity, that.
#[track_caller]
pub fn assert_near<Q: Piece, T: Piece>(
    (metric, precision): (Metric, Precision),
    (queries, query): (&Rows<'_, Q>, usize),
    (rows, row): (&Rows<'_, T>, usize),
    found: f32,
) {
    let (q, x) = (queries.row(query).unwrap(), rows.row(row).unwrap());
    let scale = scale_of(rows, row);
    let (score, bound) = exact(metric, precision, (q, scale_of(queries, query)), (x, scale));
    let largest = |all: &mut dyn Iterator<Item = f64>| all.map(f64::abs).fold(0.0, f64::max);
    let is_finite = q.iter().all(|x| x.real().is_finite()) && x.iter().all(|x| x.real().is_finite());
    let what = || format!("{metric:?}, {precision:?}, dim {}: expected {score:e}, found {found:e}", q.len());
    if score.is_nan() || !is_finite && metric == Metric::Cosine {
        return assert!(found.is_nan(), "{}", what());
    }
    if score.is_infinite() || T::IS_BITS {
        return assert!(f64::from(found) == score, "{}", what());
    }
    // What is lost below f32, by fast products of bf16 more.
    let (dim, sizes) =
        (q.len() as f64, [largest(&mut q.iter().map(|x| x.real())), largest(&mut x.iter().map(|x| x.real()))]);
    let is_bf16 = [std::any::type_name::<Q>(), std::any::type_name::<T>()].iter().all(|name| name.ends_with("bf16"));
    let flushes = is_bf16 && precision == Precision::Fast && metric != Metric::SquaredEuclidean;
    let lost = if flushes { dim * f64::powi(2.0, -126) * (1.0 + sizes[0] + sizes[1]) } else { 0.0 };
    let bound = bound + lost + (dim * scale.max(1.0) + 1.0) * f64::powi(2.0, -149);
    if found.is_infinite() {
        // What rounds to infinity is half a unit above the largest f32, and more.
        let towards = if found > 0.0 { score } else { -score };
        return assert!(towards + bound >= f64::powi(2.0, 128) - f64::powi(2.0, 103), "{} +- {bound:e}", what());
    }
    assert!((score - f64::from(found)).abs() <= bound, "{} +- {bound:e}", what());
}
