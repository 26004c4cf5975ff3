//! Numbers as elements of reduced types: the errors that are stated, and what is refused.

mod common;
#[path = "common/oracle.rs"]
mod oracle;

use common::numbers;
use ecphory::{AsRows, Error, Metric, Rows, Search, quantize_bits, quantize_i8};
use proptest::prelude::*;

/// Finite numbers of every size.
fn finite() -> impl Strategy<Value = f32> {
    let any = any::<u32>().prop_map(f32::from_bits).prop_filter("finite", |x| x.is_finite());
    prop_oneof![4 => -1.0f32..1.0, 1 => Just(0.0), 1 => Just(-0.0), 1 => Just(f32::MAX), 1 => Just(1e-45), 3 => any]
}

/// Rows whose numbers are of one size, so that more than one of them survives.
fn rows() -> impl Strategy<Value = (usize, Vec<f32>)> {
    let row = |dim| {
        (prop::collection::vec(finite(), dim), -140i32..120)
            .prop_map(|(row, exponent)| row.iter().map(|x| (f64::from(*x) * f64::powi(2.0, exponent)) as f32).collect())
            .prop_filter("finite", |row: &Vec<f32>| row.iter().all(|x| x.is_finite()))
    };
    (1usize..40, 0usize..6).prop_flat_map(move |(dim, count)| {
        prop::collection::vec(row(dim), count).prop_map(move |rows| (dim, rows.concat()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_scale_times_an_i8_is_the_number_within_half_a_scale((dim, data) in rows()) {
        let quantized = quantize_i8(&data, dim).unwrap();
        prop_assert_eq!((quantized.dim(), quantized.elements().len()), (dim, data.len()));
        prop_assert_eq!(quantized.scales().len(), data.len() / dim);
        for (row, numbers) in data.chunks(dim).enumerate() {
            let (scale, elements) = (quantized.scales()[row], &quantized.elements()[row * dim..][..dim]);
            let largest = numbers.iter().map(|x| f64::from(x.abs())).fold(0.0, f64::max);
            prop_assert!(scale > 0.0 && scale.is_finite());
            if largest == 0.0 {
                prop_assert!(scale == 1.0 && elements.iter().all(|&x| x == 0));
                continue;
            }
            // No element would need more, and of the next lower scale the largest would.
            prop_assert!(f64::from(scale) * 127.0 >= largest && f64::from(scale.next_down()) * 127.0 < largest);
            for (&x, &element) in numbers.iter().zip(elements) {
                prop_assert!(element >= -127);
                let error = (f64::from(scale) * f64::from(element) - f64::from(x)).abs();
                prop_assert!(error <= f64::from(scale) / 2.0 * (1.0 + f64::powi(2.0, -20)), "{} as {}", x, element);
            }
        }
    }

    #[test]
    fn a_bit_says_whether_its_number_is_above_zero((dim, data) in rows()) {
        let bits = quantize_bits(&data, dim).unwrap();
        let bytes = dim.div_ceil(8);
        prop_assert_eq!(bits.len(), data.len() / dim * bytes);
        for (row, numbers) in bits.chunks(bytes).zip(data.chunks(dim)) {
            for bit in 0..8 * bytes {
                let is_set = row[bit / 8] >> (bit % 8) & 1 == 1;
                prop_assert_eq!(is_set, numbers.get(bit).is_some_and(|&x| x > 0.0));
            }
        }
    }
}

#[test]
fn rows_on_several_threads_are_quantized_as_each_alone() {
    let dim = 100;
    let data = numbers(1, 30_000 * dim);
    let (all, bits) = (quantize_i8(&data, dim).unwrap(), quantize_bits(&data, dim).unwrap());
    for row in (0..30_000).step_by(997).chain([10_484, 10_485, 10_486, 29_999]) {
        let numbers = &data[row * dim..][..dim];
        let alone = quantize_i8(numbers, dim).unwrap();
        assert_eq!((alone.elements(), alone.scales()), (&all.elements()[row * dim..][..dim], &all.scales()[row..=row]));
        assert_eq!(quantize_bits(numbers, dim).unwrap(), bits[row * 13..][..13]);
    }
}

#[test]
fn scores_of_quantized_rows_are_near_those_of_the_numbers() {
    let dim = 384;
    let (queries, data) = (numbers(1, 12 * dim), numbers(2, 50 * dim));
    let quantized = quantize_i8(&data, dim).unwrap();
    let scores = Search::new(Metric::Dot).matrix(&queries, &quantized).unwrap();
    for (i, &score) in scores.iter().enumerate() {
        let (query, row) = (&queries[i / 50 * dim..][..dim], i % 50);
        let (exact, bound) = oracle::score(Metric::Dot, query, &data[row * dim..][..dim]);
        let half = f64::from(quantized.scales()[row]) / 2.0 * (1.0 + 1e-6);
        let lost: f64 = query.iter().map(|q| f64::from(q.abs()) * half).sum();
        assert!((exact - f64::from(score)).abs() <= bound * 1.01 + lost, "expected {exact} +- {lost}, found {score}");
    }
    // Each row is nearest to itself, as numbers and as i8.
    let (own, both) = (Search::new(Metric::SquaredEuclidean), quantized.as_rows());
    for (row, top) in own.top_k_each(&data, &quantized, 1).unwrap().iter().enumerate() {
        assert_eq!(top.hits[0].row, row);
    }
    for (row, top) in own.top_k_each(&quantized, &both, 1).unwrap().iter().enumerate() {
        assert_eq!((top.hits[0].row, top.hits[0].score), (row, 0.0));
    }
}

#[test]
fn parts_that_were_kept_are_the_same_rows() {
    let (dim, data) = (7, numbers(1, 70));
    let quantized = quantize_i8(&data, dim).unwrap();
    let expected = Search::new(Metric::Cosine).scores(&data[..dim], &quantized).unwrap();
    let (elements, scales) = quantized.clone().into_parts();
    let again = Rows::new(&elements, dim).unwrap().scaled(&scales).unwrap();
    assert_eq!(Search::new(Metric::Cosine).scores(&data[..dim], &again).unwrap(), expected);
    assert_eq!((again.len(), again.row(9)), (10, Some(&quantized.elements()[63..])));
}

#[test]
fn what_is_no_number_and_what_is_no_row_are_refused_by_name() {
    let refused = |found: Error| found.to_string();
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    for (wrong, shown) in [(nan, "NaN"), (inf, "inf"), (-inf, "-inf")] {
        let found = refused(quantize_i8(&[1.0, 2.0, wrong, nan], 2).unwrap_err());
        assert_eq!(found, format!("number at position 2: expected a finite number, found {shown}"));
    }
    let found = refused(quantize_bits(&[inf, -inf, nan], 3).unwrap_err());
    assert_eq!(found, "number at position 2: expected a number, found NaN");
    assert_eq!(quantize_bits(&[inf, -inf], 2).unwrap(), [1]);
    let partial = Error::PartialRow { what: "rows", dim: 2, stride: 2, found: 3 };
    assert_eq!(quantize_i8(&[1.0; 3], 2).unwrap_err(), partial);
    assert_eq!(quantize_bits(&[1.0; 3], 2).unwrap_err(), partial);
    assert!(matches!(quantize_i8(&[], 0).unwrap_err(), Error::Range { what: "dim", found: 0, .. }));
    assert!(matches!(quantize_bits(&[], 0).unwrap_err(), Error::Range { what: "dim", found: 0, .. }));
    let none = quantize_i8(&[], 3).unwrap();
    assert_eq!((none.as_rows().len(), none.dim(), quantize_bits(&[], 3).unwrap().len()), (0, 3, 0));
}

#[cfg(feature = "half")]
mod halves {
    use ecphory::{quantize_bf16, quantize_f16};
    use half::{bf16, f16};

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn halves_are_the_nearest_with_even_ones_where_two_are(data in prop::collection::vec(finite(), 0..40)) {
            let small: Vec<f32> = data.iter().copied().filter(|x| x.abs() < 65_520.0).collect();
            for (&x, half) in small.iter().zip(quantize_f16(&small).unwrap()) {
                let error = (f64::from(half) - f64::from(x)).abs();
                prop_assert!(error <= f64::from(x.abs()) * f64::powi(2.0, -11) || error <= f64::powi(2.0, -25));
                prop_assert_eq!(half.to_bits(), f16::from_f32(x).to_bits());
            }
            let small: Vec<f32> = data.iter().copied().filter(|x| x.abs() < 3.39e38).collect();
            for (&x, half) in small.iter().zip(quantize_bf16(&small).unwrap()) {
                let error = (f64::from(half) - f64::from(x)).abs();
                prop_assert!(error <= f64::from(x.abs()) * f64::powi(2.0, -8) || error <= f64::powi(2.0, -134));
                prop_assert_eq!(half.to_bits(), bf16::from_f32(x).to_bits());
            }
        }
    }

    #[test]
    fn numbers_that_would_become_infinite_are_refused_and_those_that_are_stay() {
        let odd = [f32::INFINITY, f32::NEG_INFINITY, -0.0, 65_519.996, f32::NAN];
        let (f16s, bf16s) = (quantize_f16(&odd).unwrap(), quantize_bf16(&odd).unwrap());
        assert_eq!(f16s[..4], [f16::INFINITY, f16::NEG_INFINITY, f16::from_f32(-0.0), f16::MAX]);
        assert_eq!(bf16s[..3], [bf16::INFINITY, bf16::NEG_INFINITY, bf16::from_f32(-0.0)]);
        assert!(f16s[4].is_nan() && bf16s[4].is_nan() && f16s[2].is_sign_negative() && bf16s[2].is_sign_negative());
        let refused = quantize_f16(&[0.0, -65_520.0]).unwrap_err().to_string();
        assert_eq!(refused, "number at position 1: expected a number that f16 holds, found -65520");
        let most = f32::from_bits(0x7F7F_7FFF);
        assert_eq!(quantize_bf16(&[most]).unwrap(), [bf16::MAX]);
        assert!(matches!(
            quantize_bf16(&[1.0, most.next_up()]).unwrap_err(),
            Error::Value { what: "number", position: Some(1), .. }
        ));
    }
}
