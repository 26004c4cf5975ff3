//! From f32 to reduced types: what is refused, and how far from the numbers the others are.

use ecphory::{Error, Metric, Rows, Search, quantize_bf16, quantize_bits, quantize_f16, quantize_i8};
use half::{bf16, f16};

use crate::case::Case;
use crate::expected::assert_same;

/// The first number that is not as it must be.
fn refused(data: &[f32], is_wrong: impl Fn(f32) -> bool) -> Option<usize> {
    data.iter().position(|&x| is_wrong(x))
}

fn assert_refused<R: std::fmt::Debug>(result: Result<R, Error>, at: Option<usize>) -> Option<R> {
    match (result, at) {
        (Err(Error::Value { position, .. }), Some(at)) => {
            assert_eq!(position, Some(at));
            None
        }
        (other, None) => Some(other.unwrap()),
        (other, Some(at)) => panic!("expected number {at} to be refused, found {other:?}"),
    }
}

pub fn all_hold(case: &Case) {
    let dim = case.dim().min(100);
    let data = case.row.elements::<f32>(case.rows().min(10) * dim, dim);
    integers(&data, dim);
    if let Some(bits) = assert_refused(quantize_bits(&data, dim), refused(&data, f32::is_nan)) {
        let bytes = dim.div_ceil(8);
        for (bits, row) in bits.chunks(bytes).zip(data.chunks(dim)) {
            let bit = |i: usize| row.get(i).is_some_and(|&x| x > 0.0);
            assert!((0..8 * bytes).all(|i| (bits[i / 8] >> (i % 8) & 1 == 1) == bit(i)));
        }
    }
    let beyond = |x: f32, limit: f64| x.is_finite() && f64::from(x).abs() >= limit;
    if let Some(halves) = assert_refused(quantize_f16(&data), refused(&data, |x| beyond(x, 65_520.0))) {
        for (half, &x) in halves.iter().zip(&data) {
            assert_eq!(half.is_nan(), x.is_nan());
            assert!(x.is_nan() || half.to_bits() == f16::from_f32(x).to_bits(), "{x:e}: found {half}");
        }
    }
    let limit = f64::powi(2.0, 128) * (1.0 - f64::powi(2.0, -9));
    if let Some(halves) = assert_refused(quantize_bf16(&data), refused(&data, |x| beyond(x, limit))) {
        for (half, &x) in halves.iter().zip(&data) {
            assert_eq!(half.is_nan(), x.is_nan());
            assert!(x.is_nan() || half.to_bits() == bf16::from_f32(x).to_bits(), "{x:e}: found {half}");
        }
    }
}

fn integers(data: &[f32], dim: usize) {
    let Some(made) = assert_refused(quantize_i8(data, dim), refused(data, |x| !x.is_finite())) else { return };
    for ((elements, row), &scale) in made.elements().chunks(dim).zip(data.chunks(dim)).zip(made.scales()) {
        let exact = f64::from(scale);
        assert!(scale > 0.0 && scale.is_finite());
        for (&element, &x) in elements.iter().zip(row) {
            let error = (exact * f64::from(element) - f64::from(x)).abs();
            assert!(
                element >= -127 && error <= exact / 2.0 * (1.0 + f64::powi(2.0, -20)),
                "{x:e} by {scale:e}: {element}"
            );
        }
    }
    let rows = Rows::new(made.elements(), dim).unwrap().scaled(made.scales()).unwrap();
    let Some(query) = data.get(..dim) else { return };
    for metric in [Metric::Cosine, Metric::Dot, Metric::SquaredEuclidean] {
        let search = Search::new(metric);
        assert_same("quantized", &search.scores(query, &rows).unwrap(), &search.scores(query, &made).unwrap());
        let each = search.matrix(&made, &made).unwrap();
        assert_same("quantized queries", &search.matrix(&rows, &rows).unwrap(), &each);
    }
}
