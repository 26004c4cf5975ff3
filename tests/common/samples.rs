//! Elements of every type to draw, and what their scores are compared with.

#![allow(dead_code)]

use std::any::type_name;

use ecphory::{AsRows, Element, Metric, Number, Precision, Prepared, Rows};

use crate::common::numbers;
use crate::oracle::{Real, U, score};

pub const OF_BITS: [Metric; 2] = [Metric::Hamming, Metric::Jaccard];

pub trait Sample: Element + Real {
    const METRICS: &'static [Metric] = &crate::oracle::METRICS;

    fn drawn(seed: u64, len: usize) -> Vec<Self>;

    /// With scales, where such rows may have them.
    fn scaled<'a>(rows: Rows<'a, Self>, scales: &'a [f32]) -> Rows<'a, Self>;

    /// With norms, where such rows may have them.
    fn prepared<R>(rows: Rows<'_, Self>, then: impl FnOnce(Rows<'_, Self>) -> R) -> R;
}

fn prepare<T: Number, R>(rows: Rows<'_, T>, then: impl FnOnce(Rows<'_, T>) -> R) -> R {
    then(Prepared::new(rows).unwrap().as_rows())
}

impl Sample for i8 {
    fn drawn(seed: u64, len: usize) -> Vec<i8> {
        // The last bits of f32 numbers drawn from a range are as good as drawn; -128 is among them.
        numbers(seed, len).iter().map(|x| (x * 8_388_608.0) as i32 as i8).collect()
    }

    fn scaled<'a>(rows: Rows<'a, i8>, scales: &'a [f32]) -> Rows<'a, i8> {
        rows.scaled(scales).unwrap()
    }

    fn prepared<R>(rows: Rows<'_, i8>, then: impl FnOnce(Rows<'_, i8>) -> R) -> R {
        prepare(rows, then)
    }
}

impl Sample for u8 {
    const METRICS: &'static [Metric] = &OF_BITS;

    fn drawn(seed: u64, len: usize) -> Vec<u8> {
        numbers(seed, len).iter().map(|x| (x * 8_388_608.0) as i32 as u8).collect()
    }

    fn scaled<'a>(rows: Rows<'a, u8>, _: &'a [f32]) -> Rows<'a, u8> {
        rows
    }

    fn prepared<R>(rows: Rows<'_, u8>, then: impl FnOnce(Rows<'_, u8>) -> R) -> R {
        then(rows)
    }
}

macro_rules! floats {
    ($($float:ty: $from:expr;)*) => {$(
        impl Sample for $float {
            fn drawn(seed: u64, len: usize) -> Vec<Self> {
                numbers(seed, len).into_iter().map($from).collect()
            }

            fn scaled<'a>(rows: Rows<'a, Self>, _: &'a [f32]) -> Rows<'a, Self> {
                rows
            }

            fn prepared<R>(rows: Rows<'_, Self>, then: impl FnOnce(Rows<'_, Self>) -> R) -> R {
                prepare(rows, then)
            }
        }
    )*};
}

floats! { f32: |x| x; }

#[cfg(feature = "half")]
floats! { half::f16: half::f16::from_f32; half::bf16: half::bf16::from_f32; }

/// Scales between a quarter and four, none of them a power of two.
pub fn scales(seed: u64, len: usize) -> Vec<f32> {
    numbers(seed, len).iter().map(|x| x.mul_add(1.87, 2.13)).collect()
}

/// The scale of row `row`: 1 for all but scaled ones.
pub fn scale_of<T: Element>(rows: &Rows<'_, T>, row: usize) -> f64 {
    rows.scales().map_or(1.0, |scales| f64::from(scales[row]))
}

/// The score of a query and a row, with their scales, and how far the documentation lets a score be from it.
pub fn exact<Q: Sample, T: Sample>(
    metric: Metric,
    precision: Precision,
    (query, query_scale): (&[Q], f64),
    (row, row_scale): (&[T], f64),
) -> (f64, f64) {
    if OF_BITS.contains(&metric) {
        return (of_bits(metric, query, row), 0.0);
    }
    let [of_rows, of_queries] = [type_name::<T>(), type_name::<Q>()];
    let (integers, fast) = ((of_queries, of_rows) == ("i8", "i8"), precision == Precision::Fast);
    // What a fast distance from scaled i8 rounds first.
    let is_rounded = of_rows == "i8" && !integers && fast && metric == Metric::SquaredEuclidean;
    let stands = |scaled: f64| if is_rounded { f64::from(scaled as f32) } else { scaled };
    let queried: Vec<f64> = query.iter().map(|q| query_scale * q.real()).collect();
    let elements: Vec<f64> = row.iter().map(|x| stands(row_scale * x.real())).collect();
    let (exact, bound) = score(metric, &queried, &elements);
    let lengths: f64 = queried.iter().chain(&elements).map(|x| x * x).sum();
    let of_f64 = match metric {
        Metric::Cosine => 1e-14,
        _ if integers => f64::powi(2.0, -49) * lengths,
        _ => (row.len() + 4) as f64 * f64::EPSILON * lengths,
    };
    match (fast, integers) {
        (true, false) => (exact, bound),
        (true, true) if metric == Metric::Cosine => (exact, 2.0 * U),
        _ => (exact, exact.abs() * U + of_f64),
    }
}

/// Bits one by one, and the quotient rounded as f32.
fn of_bits<Q: Sample, T: Sample>(metric: Metric, query: &[Q], row: &[T]) -> f64 {
    let (mut differ, mut both, mut either) = (0u64, 0u64, 0u64);
    for (q, x) in query.iter().zip(row) {
        for bit in 0..8 {
            let [q, x] = [q.real() as u64, x.real() as u64].map(|byte| byte / (1 << bit) % 2 == 1);
            differ += u64::from(q != x);
            both += u64::from(q && x);
            either += u64::from(q || x);
        }
    }
    match metric {
        Metric::Hamming => differ as f64,
        _ if either == 0 => 1.0,
        _ => f64::from((both as f64 / either as f64) as f32),
    }
}
