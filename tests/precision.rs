//! How exact scores are: the bounds that the documentation states beyond those of any order of sums.

mod common;
#[path = "common/oracle.rs"]
mod oracle;

use common::{bits, numbers};
use ecphory::{Metric, Precision, Rows, Search};
use oracle::{METRICS, U};

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum()
}

fn norm(a: &[f32]) -> f64 {
    dot(a, a).sqrt()
}

/// Vectors of length 1 but for the rounding of their elements.
fn units(seed: u64, dim: usize, count: usize) -> Vec<f32> {
    let mut all = numbers(seed, dim * count);
    for vector in all.chunks_mut(dim) {
        let length = norm(vector);
        vector.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
    all
}

/// The largest error of a dot product, of queries one by one and of all at once, in units of `U |q| |x|`.
fn worst(queries: &[f32], rows: &[f32], dim: usize) -> [f64; 2] {
    let view = Rows::new(rows, dim).unwrap();
    let search = Search::new(Metric::Dot);
    let together = search.matrix(queries, &view).unwrap();
    let alone = queries.chunks(dim).flat_map(|query| search.scores(query, &view).unwrap()).collect();
    [alone, together].map(|scores: Vec<f32>| {
        let pairs = queries.chunks(dim).flat_map(|query| rows.chunks(dim).map(move |row| (query, row)));
        let error =
            |((q, x), &score): ((&[f32], &[f32]), &f32)| (dot(q, x) - f64::from(score)).abs() / (U * norm(q) * norm(x));
        pairs.zip(&scores).map(error).fold(0.0, f64::max)
    })
}

#[test]
fn precise_cosines_of_unit_vectors_are_within_6e_8() {
    for dim in [1, 2, 31, 128, 384, 768, 1536, 4096] {
        let mut rows = units(1, dim, 40);
        let queries = units(2, dim, 7);
        // Some near a query and some near its opposite, where f32 has fewest digits.
        for (near, sign) in [(3, 1.0), (5, -1.0)] {
            for (x, q) in rows[near * dim..][..dim].iter_mut().zip(&queries) {
                *x = q * sign + *x * 1e-3;
            }
        }
        let view = Rows::new(&rows, dim).unwrap();
        let search = Search::new(Metric::Cosine).precision(Precision::Precise);
        let scores = search.matrix(&queries, &view).unwrap();
        for (query, scores) in queries.chunks(dim).zip(scores.chunks(view.len())) {
            assert_eq!(bits(&search.scores(query, &view).unwrap()), bits(scores));
            for (row, &score) in rows.chunks(dim).zip(scores) {
                let exact = dot(query, row) / (norm(query) * norm(row));
                assert!((exact - f64::from(score)).abs() <= 6e-8, "dim {dim}: expected {exact}, found {score}");
            }
        }
    }
}

#[test]
fn precise_scores_are_the_f64_score_rounded_once() {
    for dim in [1, 5, 64, 771] {
        let (query, rows) = (numbers(1, dim), numbers(2, 30 * dim));
        let view = Rows::new(&rows, dim).unwrap();
        for metric in METRICS {
            let scores = Search::new(metric).precision(Precision::Precise).scores(&query, &view).unwrap();
            for (row, &score) in rows.chunks(dim).zip(&scores) {
                let (exact, _) = oracle::score(metric, &query, row);
                let magnitude: f64 = query.iter().zip(row).map(|(&q, &x)| f64::from(q * x).abs() + 1.0).sum();
                let bound = exact.abs() * U + 4.0 * (dim + 4) as f64 * f64::EPSILON * magnitude;
                assert!((exact - f64::from(score)).abs() <= bound, "{metric:?}, {dim}: {exact} against {score}");
            }
        }
    }
}

#[test]
fn fast_dot_products_of_1536_drawn_elements_err_by_less_than_three_units_of_roundoff() {
    let dim = 1536;
    let (queries, rows) = (units(1, dim, 33), units(2, dim, 100));
    let [alone, together] = worst(&queries, &rows, dim);
    assert!(alone < 3.0 && together < 3.0, "alone {alone}, together {together}");
    let positive = |all: &[f32]| all.iter().map(|x| x.abs()).collect::<Vec<_>>();
    let [alone, together] = worst(&positive(&queries), &positive(&rows), dim);
    assert!(alone < 3.0 && together < 3.0, "of one sign: alone {alone}, together {together}");
}

/// Equal elements round every addition the same way. A sum of n products errs by at most n U of their magnitudes
/// (Higham 2002, section 3.1): alone, 16 lanes and chains at least share them and five more additions join those;
/// together, parts of 64 are summed, then 12 of them twice, and those two.
#[test]
fn dot_products_of_equal_elements_err_by_the_length_of_a_part_and_not_of_the_row() {
    let dim = 1536;
    for step in 0..40 {
        let (q, x) = (0.5 + step as f32 / 79.0, 0.5 + (step * 17 % 40) as f32 / 83.0);
        let [alone, together] = worst(&vec![q; 7 * dim], &vec![x; dim], dim);
        let (of_lane, of_part) = ((dim / 16 + 5) as f64, (64 + 12 + 1) as f64);
        assert!(alone <= of_lane && together <= of_part, "{q} and {x}: alone {alone}, together {together}");
    }
}
