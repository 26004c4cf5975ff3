use std::fmt;

use rayon::prelude::*;

use crate::similarity::room;
use crate::tasks::rows_of_task;
use crate::{Error, Rows};

/// Rows of `i8` with a scale each, owned: a search takes them as they are, as rows and as queries.
///
/// The parts of it are what to keep in a file: [`Quantized::elements`] and [`Quantized::scales`], which
/// [`Rows::new`] and [`Rows::scaled`] take back.
#[derive(Clone, PartialEq)]
pub struct Quantized {
    elements: Vec<i8>,
    scales: Vec<f32>,
    dim: usize,
}

impl fmt::Debug for Quantized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quantized").field("len", &self.scales.len()).field("dim", &self.dim).finish()
    }
}

impl Quantized {
    /// The rows, one after the other.
    pub fn elements(&self) -> &[i8] {
        &self.elements
    }

    /// One for each row.
    pub fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// Elements in a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// Elements and scales.
    pub fn into_parts(self) -> (Vec<i8>, Vec<f32>) {
        (self.elements, self.scales)
    }

    /// As rows with scales, which may be [filtered](Rows::filtered) and [prepared](crate::Prepared).
    pub fn rows(&self) -> Rows<'_, i8> {
        Rows::dense(&self.elements, self.dim).with_scales(&self.scales)
    }
}

/// Rows of `dim` numbers as rows of `i8`, each with the least scale of f32 that leaves its elements in [-127, 127];
/// large ones on the threads of rayon. The scale times an element is the number, with an error of at most
/// `scale / 2 (1 + 2^-20)`. A row of zeros has scale 1.
///
/// ```
/// use ecphory::quantize_i8;
///
/// let rows = quantize_i8(&[254.0, -4.1, 0.0, 0.0], 2)?;
/// assert_eq!((rows.elements(), rows.scales()), (&[127, -2, 0, 0][..], &[2.0, 1.0][..]));
/// # Ok::<(), ecphory::Error>(())
/// ```
///
/// # Errors
/// As [`Rows::new`], [`Error::Value`] for a number that is not finite, and [`Error::OutOfMemory`].
pub fn quantize_i8(data: &[f32], dim: usize) -> Result<Quantized, Error> {
    let rows = Rows::new(data, dim)?;
    refuse(data, "a finite number", |x| !x.is_finite())?;
    let (mut elements, mut scales) = (room(0, data.len())?, room(0.0, rows.len())?);
    let each = rows_of_task(rows.row_bytes());
    let parts = (elements.par_chunks_mut(each * dim), scales.par_chunks_mut(each), data.par_chunks(each * dim));
    parts.into_par_iter().for_each(|(elements, scales, data)| {
        for ((elements, scale), row) in elements.chunks_mut(dim).zip(scales).zip(data.chunks(dim)) {
            *scale = quantize_row(row, elements);
        }
    });
    Ok(Quantized { elements, scales, dim })
}

/// The scale of `row`, whose elements are written.
pub fn quantize_row(row: &[f32], elements: &mut [i8]) -> f32 {
    /// Added to a number of less than 2^51, it leaves the nearest integer in the lowest bits, ties to even.
    const INTEGERS: f64 = 1.5 * (1u64 << 52) as f64;

    let largest = row.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
    if largest == 0.0 {
        elements.fill(0);
        return 1.0;
    }
    let exact = f64::from(largest) / 127.0;
    let nearest = exact as f32;
    let scale = if f64::from(nearest) < exact { nearest.next_up() } else { nearest };
    let inverse = 1.0 / f64::from(scale);
    for (element, &x) in elements.iter_mut().zip(row) {
        *element = (f64::from(x) * inverse + INTEGERS).to_bits() as i8;
    }
    scale
}

/// Rows of `dim` numbers as bits, 1 where a number is above 0: bit `i % 8` of byte `i / 8` of a row, whose last byte is
/// filled up with 0. `[rows][dim / 8, rounded up]`.
///
/// ```
/// use ecphory::{Metric, Rows, Search, quantize_bits};
///
/// let bits = quantize_bits(&[1.0, -1.0, 0.0, 0.5, 1.0, -1.0, -0.5, 0.5], 4)?;
/// assert_eq!(bits, [0b1001, 0b1001]);
/// assert_eq!(Search::new(Metric::Hamming).scores(&[0b1000u8], &Rows::new(&bits, 1)?)?, [1.0, 1.0]);
/// # Ok::<(), ecphory::Error>(())
/// ```
///
/// # Errors
/// As [`Rows::new`], [`Error::Value`] for NaN, and [`Error::OutOfMemory`].
pub fn quantize_bits(data: &[f32], dim: usize) -> Result<Vec<u8>, Error> {
    let (rows, bytes) = (Rows::new(data, dim)?, dim.div_ceil(8));
    refuse(data, "a number", f32::is_nan)?;
    let mut bits = room(0, rows.len() * bytes)?;
    let each = rows_of_task(rows.row_bytes());
    bits.par_chunks_mut(each * bytes).zip(data.par_chunks(each * dim)).for_each(|(bits, data)| {
        for (bits, row) in bits.chunks_mut(bytes).zip(data.chunks(dim)) {
            for (byte, eight) in bits.iter_mut().zip(row.chunks(8)) {
                *byte = eight.iter().rev().fold(0, |byte, &x| byte << 1 | u8::from(x > 0.0));
            }
        }
    });
    Ok(bits)
}

/// Numbers as `half::f16`, rounded to nearest, ties to even: with an error of at most 2^-11 of the number, and below
/// 2^-14 of 2^-25. NaN and infinities stay what they are.
///
/// # Errors
/// [`Error::Value`] for a finite number that f16 would round to infinity: of a magnitude of 65,520 or more;
/// [`Error::OutOfMemory`].
#[cfg(feature = "half")]
pub fn quantize_f16(data: &[f32]) -> Result<Vec<half::f16>, Error> {
    refuse(data, "a number that f16 holds", |x| x.is_finite() && x.abs() >= 65_520.0)?;
    halves(data)
}

/// Numbers as `half::bf16`, rounded to nearest, ties to even: with an error of at most 2^-8 of the number, and below
/// 2^-126 of 2^-134. NaN and infinities stay what they are.
///
/// # Errors
/// [`Error::Value`] for a finite number that bf16 would round to infinity: of a magnitude of 2^128 (1 - 2^-9) or more;
/// [`Error::OutOfMemory`].
#[cfg(feature = "half")]
pub fn quantize_bf16(data: &[f32]) -> Result<Vec<half::bf16>, Error> {
    /// Halfway from the largest bf16 to the next, which there is not.
    const BEYOND: f32 = f32::from_bits(0x7F7F_8000);
    refuse(data, "a number that bf16 holds", |x| x.is_finite() && x.abs() >= BEYOND)?;
    halves(data)
}

#[cfg(feature = "half")]
fn halves<T: Copy + Default>(data: &[f32]) -> Result<Vec<T>, Error>
where
    [T]: half::slice::HalfFloatSliceExt,
{
    use half::slice::HalfFloatSliceExt;

    let mut halves = room(T::default(), data.len())?;
    halves.convert_from_f32_slice(data);
    Ok(halves)
}

/// The first of `data` that is not as `expected`.
fn refuse(data: &[f32], expected: &'static str, is_wrong: impl Fn(f32) -> bool) -> Result<(), Error> {
    let Some(position) = data.iter().position(|&x| is_wrong(x)) else { return Ok(()) };
    Err(Error::Value { what: "number", position: Some(position), expected, found: data[position] })
}
