//! Elements of every type, made of bits and of numbers.

use ecphory::{Companion, Element, Metric, Number, Prepared, Rows};
use half::{bf16, f16};

use crate::samples::Sample;

pub trait Piece: Sample {
    const IS_BITS: bool = false;

    fn of_bits(bits: u32) -> Self;

    fn of_number(x: f32) -> Self;

    /// The norms, where such rows have them.
    fn norms(_: &Rows<'_, Self>) -> Option<Vec<f32>> {
        None
    }

    /// With norms that were taken, where such rows may have them.
    fn with_norms<R>(rows: Rows<'_, Self>, norms: &[f32], then: impl FnOnce(Rows<'_, Self>) -> R) -> R;

    /// With a companion, where such rows may have one.
    fn among_copies(_: Rows<'_, Self>, _: impl FnOnce(Rows<'_, Self>)) {}
}

fn taken<T: Number>(rows: &Rows<'_, T>) -> Option<Vec<f32>> {
    Some(Prepared::new(*rows).unwrap().norms().to_vec())
}

fn together<T: Number, R>(rows: Rows<'_, T>, norms: &[f32], then: impl FnOnce(Rows<'_, T>) -> R) -> R {
    use ecphory::AsRows;
    then(Prepared::from_parts(rows, norms).unwrap().as_rows())
}

macro_rules! numbers {
    ($($piece:ty: $of_bits:expr, $of_number:expr, { $($more:tt)* };)*) => {$(
        impl Piece for $piece {
            fn of_bits(bits: u32) -> Self {
                $of_bits(bits)
            }

            fn of_number(x: f32) -> Self {
                $of_number(x)
            }

            fn norms(rows: &Rows<'_, Self>) -> Option<Vec<f32>> {
                taken(rows)
            }

            fn with_norms<R>(rows: Rows<'_, Self>, norms: &[f32], then: impl FnOnce(Rows<'_, Self>) -> R) -> R {
                together(rows, norms, then)
            }

            $($more)*
        }
    )*};
}

numbers! {
    f32: f32::from_bits, |x| x, {
        fn among_copies(rows: Rows<'_, f32>, then: impl FnOnce(Rows<'_, f32>)) {
            use ecphory::AsRows;
            let made = Companion::new(&rows).unwrap();
            let [scales, residuals, lengths] = [made.scales(), made.residuals(), made.lengths()].map(<[f32]>::to_vec);
            let kept = Companion::from_parts(rows.dim(), made.elements().to_vec(), scales, residuals, lengths).unwrap();
            assert!(kept == made);
            then(Prepared::new(rows).unwrap().with_companion(&kept).unwrap().as_rows());
        }
    };
    f16: |bits| f16::from_bits(bits as u16), f16::from_f32, {};
    bf16: |bits| bf16::from_bits(bits as u16), bf16::from_f32, {};
    i8: |bits| bits as i8, |x: f32| (x * 64.0) as i8, {};
}

impl Piece for u8 {
    const IS_BITS: bool = true;

    fn of_bits(bits: u32) -> u8 {
        bits as u8
    }

    fn of_number(x: f32) -> u8 {
        (x * 64.0) as i32 as u8
    }

    fn with_norms<R>(rows: Rows<'_, u8>, _: &[f32], then: impl FnOnce(Rows<'_, u8>) -> R) -> R {
        then(rows)
    }
}

/// A metric that is not one of such elements.
pub fn other_metric<T: Piece>() -> Metric {
    if T::IS_BITS { Metric::Dot } else { Metric::Jaccard }
}

/// Rows of the same shape, which may be scaled.
pub fn view<'a, T: Piece>(elements: &'a [T], (dim, stride): (usize, usize), scales: Option<&'a [f32]>) -> Rows<'a, T> {
    let rows = Rows::with_stride(elements, dim, stride).unwrap();
    scales.map_or(rows, |scales| T::scaled(rows, scales))
}

/// One of the rows, alone.
pub fn alone<'a, T: Element + Sample>(rows: &Rows<'a, T>, i: usize) -> Rows<'a, T> {
    let one = Rows::new(rows.row(i).unwrap(), rows.dim()).unwrap();
    rows.scales().map_or(one, |scales| T::scaled(one, &scales[i..=i]))
}
