use std::borrow::Cow;
use std::fmt;

use rayon::prelude::*;

use crate::quantize::quantize_row;
use crate::similarity::room;
use crate::tasks::rows_of_task;
use crate::{Error, Rows};

/// Copies of rows of `f32` in `i8`, a quarter of their bytes, among which [`Search::top_k`](crate::Search::top_k) looks
/// for the rows that can be hits at all: it reads and scores those alone, and finds the same hits, to the bit, as
/// without. [`Prepared::with_companion`](crate::Prepared::with_companion) puts it beside its rows.
///
/// Of each row `x` and its copy `x'`, a scale times integers, it knows no less than `|x - x'|`, the residual, and
/// `|x'|`, the length. By Cauchy and Schwarz `q.x` is at most `q'.x' + |q - q'| |x'| + |q| |x - x'|`, to which all that
/// roundings may add is added. For one query and fast scores; [`TopK::rescored_rows`](crate::TopK::rescored_rows) tells
/// how many rows were scored. Where those of a task are more than 1024 and a quarter of it so far, the rest is scored
/// without a look at copies.
///
/// The parts of it are what to keep in a file: [`Companion::elements`] and three `f32` for each row,
/// [`Companion::scales`], [`Companion::residuals`] and [`Companion::lengths`], in bytes as [`Rows`] says; read back,
/// they are taken as they are, borrowed or owned.
///
/// ```
/// use ecphory::{Companion, Metric, Prepared, Rows, Search};
///
/// let data: Vec<f32> = (0..4000 * 8).map(|i| (i as f32 * 0.37).sin()).collect();
/// let rows = Rows::new(&data, 8)?;
/// let companion = Companion::new(&rows)?;
/// let prepared = Prepared::new(rows)?.with_companion(&companion)?;
///
/// let search = Search::new(Metric::Cosine);
/// let (query, k) = (&data[80..88], 3);
/// let best = search.top_k(query, &prepared, k)?;
/// assert_eq!(best.hits, search.top_k(query, &rows, k)?.hits);
/// assert!(best.rescored_rows < rows.len());
/// # Ok::<(), ecphory::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Companion<'a> {
    elements: Cow<'a, [i8]>,
    scales: Cow<'a, [f32]>,
    residuals: Cow<'a, [f32]>,
    lengths: Cow<'a, [f32]>,
    dim: usize,
}

type Parts<'a> = (Cow<'a, [i8]>, Cow<'a, [f32]>, Cow<'a, [f32]>, Cow<'a, [f32]>);

impl fmt::Debug for Companion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Companion").field("len", &self.len()).field("dim", &self.dim).finish()
    }
}

/// What of a [`Companion`] belongs to some rows.
#[derive(Clone, Copy)]
pub struct Copies<'a> {
    pub elements: &'a [i8],
    pub scales: &'a [f32],
    pub residuals: &'a [f32],
    pub lengths: &'a [f32],
}

impl<'a> Copies<'a> {
    pub fn part(&self, first: usize, len: usize, dim: usize) -> Self {
        let padded = padded_dim(dim);
        let of = |facts: &'a [f32]| &facts[first..first + len];
        Self {
            elements: &self.elements[first * padded..(first + len) * padded],
            scales: of(self.scales),
            residuals: of(self.residuals),
            lengths: of(self.lengths),
        }
    }
}

/// Elements of a copy.
pub fn padded_dim(dim: usize) -> usize {
    dim.next_multiple_of(64)
}

impl Companion<'static> {
    /// Copies of `rows`, large ones made on the threads of rayon. A row that is not finite is scored at every query.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] where there is no memory for the copies.
    pub fn new(rows: &Rows<'_>) -> Result<Self, Error> {
        let (dim, len) = (rows.dim(), rows.len());
        let padded = padded_dim(dim);
        let mut elements = room(0, len.saturating_mul(padded))?;
        let (mut scales, mut residuals, mut lengths) = (room(1.0, len)?, room(f32::INFINITY, len)?, room(0.0, len)?);
        let each = rows_of_task(rows.row_bytes());
        let facts = (scales.par_chunks_mut(each), residuals.par_chunks_mut(each), lengths.par_chunks_mut(each));
        let parts = (elements.par_chunks_mut(each * padded), facts);
        parts.into_par_iter().enumerate().for_each(|(part, (elements, (scales, residuals, lengths)))| {
            let facts = scales.iter_mut().zip(residuals).zip(lengths);
            for (i, (copy, ((scale, residual), length))) in elements.chunks_mut(padded).zip(facts).enumerate() {
                let Some(row) = rows.row(part * each + i).filter(|row| row.iter().all(|x| x.is_finite())) else {
                    continue;
                };
                *scale = quantize_row(row, &mut copy[..dim]);
                (*residual, *length) = measure(row, &copy[..dim], *scale);
            }
        });
        let [scales, residuals, lengths] = [scales, residuals, lengths].map(Cow::Owned);
        Ok(Self { elements: Cow::Owned(elements), scales, residuals, lengths, dim })
    }
}

impl<'a> Companion<'a> {
    /// From parts that were made before, of the same rows: those of others, or others than they are said to be, make
    /// wrong hits, which is not checked. Slices are borrowed, vectors taken; nothing is copied.
    ///
    /// # Errors
    /// [`Error::Range`] where `dim` is 0; [`Error::Length`] where elements are not whole copies, or there is
    /// not one scale, residual and length for each; [`Error::Value`] for a scale that is not finite or not above 0.
    pub fn from_parts(
        dim: usize,
        elements: impl Into<Cow<'a, [i8]>>,
        scales: impl Into<Cow<'a, [f32]>>,
        residuals: impl Into<Cow<'a, [f32]>>,
        lengths: impl Into<Cow<'a, [f32]>>,
    ) -> Result<Self, Error> {
        let (elements, scales, residuals, lengths) = (elements.into(), scales.into(), residuals.into(), lengths.into());
        Error::check_range("dim", 1, isize::MAX as usize / 64, dim)?;
        Error::check_length("elements", scales.len().saturating_mul(padded_dim(dim)), elements.len())?;
        Error::check_length("residuals", scales.len(), residuals.len())?;
        Error::check_length("lengths", scales.len(), lengths.len())?;
        scales.iter().enumerate().try_for_each(|(row, &scale)| Error::check_positive("scale", Some(row), scale))?;
        Ok(Self { elements, scales, residuals, lengths, dim })
    }

    /// Elements, scales, residuals and lengths, borrowed where they were.
    pub fn into_parts(self) -> Parts<'a> {
        (self.elements, self.scales, self.residuals, self.lengths)
    }

    /// Of all copies, one after the other, each filled up with zeros to a multiple of 64.
    pub fn elements(&self) -> &[i8] {
        &self.elements
    }

    /// One for each row.
    pub fn scales(&self) -> &[f32] {
        &self.scales
    }

    /// One for each row: no less than the norm of the row minus its copy, infinite where the row is not finite.
    pub fn residuals(&self) -> &[f32] {
        &self.residuals
    }

    /// One for each row: no less than the norm of its copy, and above it by 2^-21 of it at most.
    pub fn lengths(&self) -> &[f32] {
        &self.lengths
    }

    /// Elements of a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// How many rows there are copies of.
    pub fn len(&self) -> usize {
        self.scales.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.scales.is_empty()
    }

    /// Bytes of all parts: of a row its dim rounded up to a multiple of 64, and 12.
    pub fn bytes(&self) -> usize {
        self.elements.len() + 3 * size_of::<f32>() * self.len()
    }

    /// The copies as rows of their own, each a scale times its integers.
    pub fn rows(&self) -> Rows<'_, i8> {
        let padded = padded_dim(self.dim);
        let rows = Rows::with_stride(&self.elements, self.dim, padded);
        rows.expect("as many elements as copies have").with_scales(&self.scales)
    }

    pub(crate) fn copies(&self) -> Copies<'_> {
        Copies { elements: &self.elements, scales: &self.scales, residuals: &self.residuals, lengths: &self.lengths }
    }
}

/// No less than `|row - copy|` and `|copy|`: what f64 loses of a sum is far below 2^-24 of it.
fn measure(row: &[f32], copy: &[i8], scale: f32) -> (f32, f32) {
    let (mut left, mut squares) = (0.0f64, 0.0f64);
    for (&x, &element) in row.iter().zip(copy) {
        let near = f64::from(scale) * f64::from(element);
        left += (f64::from(x) - near) * (f64::from(x) - near);
        squares += near * near;
    }
    let above = |norm: f64| (norm * (1.0 + 2f64.powi(-24))) as f32;
    (above(left.sqrt()).next_up(), above(squares.sqrt()).next_up())
}
