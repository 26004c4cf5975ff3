use std::borrow::Cow;
use std::fmt;

use crate::companion::{Copies, padded_dim};
use crate::{Companion, Element, Error, Number, similarity};

/// Rows of equal length: a checked view of `[len][dim]` elements, row `i` from element `i * stride` on. Of `f32`, and
/// of the reduced types of [`Element`]: rows of `u8` are bits, eight to an element.
///
/// Rows may begin at any address where an element may, and scores are the same bits at each. Data that begins a line of
/// the cache, with a stride of whole lines (64 bytes), is what reads best: no register then takes bytes of two lines.
/// Of rows of other bytes registers as wide as a line are put together from two, and narrower ones are left to the CPU.
///
/// Elements are in the byte order of the machine, as slices are. Kept in a file that other machines read, they are best
/// written by `to_le_bytes`, which on little-endian machines changes nothing; `i8` and bits, of which number `i` of a
/// row is bit `i % 8` of its byte `i / 8`, are bytes and have no order.
///
/// ```
/// use ecphory::{Metric, Rows, Search};
///
/// let rows = Rows::new(&[1.0, 2.0, 3.0, 4.0], 2)?;
/// assert_eq!((rows.len(), rows.row(1)), (2, Some(&[3.0, 4.0][..])));
///
/// // The first two of every three elements, and of those rows all but the second.
/// let data = [1.0, 0.0, 9.0, 0.0, 1.0, 9.0, 0.6, 0.8];
/// let some = Rows::with_stride(&data, 2, 3)?.filtered(&[0b101])?;
/// let best = Search::new(Metric::Dot).top_k(&[0.0, 1.0], &some, 3)?;
/// assert_eq!(best.hits.iter().map(|hit| hit.row).collect::<Vec<_>>(), [2, 0]);
/// # Ok::<(), ecphory::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Rows<'a, T: Element = f32> {
    data: &'a [T],
    len: usize,
    dim: usize,
    stride: usize,
    scales: Option<&'a [f32]>,
    norms: Option<&'a [f32]>,
    filter: Option<&'a [u64]>,
    copies: Option<Copies<'a>>,
    /// Whether these are some of more bytes than caches hold.
    beyond: bool,
}

impl<T: Element> fmt::Debug for Rows<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = f.debug_struct("Rows");
        rows.field("len", &self.len).field("dim", &self.dim).field("stride", &self.stride);
        rows.field("elements", &std::any::type_name::<T>()).field("filtered", &self.filter.is_some()).finish()
    }
}

/// Bytes that the caches of a core hold.
const CACHES: usize = 32 << 20;

impl<'a, T: Element> Rows<'a, T> {
    /// A view of `data` as rows of `dim` elements, one after the other. No rows at all is fine; any values are.
    ///
    /// # Errors
    /// [`Error::Range`] where `dim` is 0; [`Error::PartialRow`] where `data` is not a whole number of rows.
    pub fn new(data: &'a [T], dim: usize) -> Result<Self, Error> {
        Self::with_stride(data, dim, dim)
    }

    /// A view of `data` as rows of `dim` elements that begin `stride` elements apart. What stands between them is not
    /// read; the last row may end `data`.
    ///
    /// # Errors
    /// [`Error::Range`] where `dim` is 0 or `stride` below `dim`; [`Error::PartialRow`] where `data` ends within a row
    /// or within what follows one.
    pub fn with_stride(data: &'a [T], dim: usize, stride: usize) -> Result<Self, Error> {
        let most = isize::MAX as usize / size_of::<T>();
        Error::check_range("dim", 1, most, dim)?;
        Error::check_range("stride", dim, most, stride)?;
        let rest = data.len() % stride;
        if rest != 0 && rest != dim {
            return Err(Error::PartialRow { what: "rows", dim, stride, found: data.len() });
        }
        Ok(Self { len: data.len().div_ceil(stride), stride, ..Self::dense(data, dim) })
    }

    /// `data` is a whole number of rows of `dim`.
    pub(crate) fn dense(data: &'a [T], dim: usize) -> Self {
        let (len, beyond) = (data.len() / dim, size_of_val(data) > CACHES);
        Self { data, len, dim, stride: dim, scales: None, norms: None, filter: None, copies: None, beyond }
    }

    /// The same rows, of which only those take part whose bit is 1: bit `i % 64` of word `i / 64` for row `i`. Rows
    /// that do not are no hits, and score NaN where every row has a score. Numbers of rows stay what they were.
    ///
    /// # Errors
    /// [`Error::Length`] for another number of words than 64 rows each, rounded up.
    pub fn filtered(self, words: &'a [u64]) -> Result<Self, Error> {
        Error::check_length("filter", self.len.div_ceil(64), words.len())?;
        Ok(Self { filter: Some(words), ..self })
    }

    /// How many rows there are, filtered or not.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Elements in a row; bytes of bits.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Elements from the beginning of a row to that of the next.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// The scales of scaled rows.
    pub fn scales(&self) -> Option<&'a [f32]> {
        self.scales
    }

    /// The norms of prepared rows.
    pub fn norms(&self) -> Option<&'a [f32]> {
        self.norms
    }

    /// The filter's words, where there is one.
    pub fn filter(&self) -> Option<&'a [u64]> {
        self.filter
    }

    /// All elements, with what stands between rows.
    pub fn as_slice(&self) -> &'a [T] {
        self.data
    }

    /// Row `index`, or `None` past the end.
    pub fn row(&self, index: usize) -> Option<&'a [T]> {
        let start = index.checked_mul(self.stride).filter(|_| index < self.len)?;
        self.data.get(start..start + self.dim)
    }

    pub(crate) fn copies(&self) -> Option<Copies<'a>> {
        self.copies
    }

    pub(crate) fn is_beyond_caches(&self) -> bool {
        self.beyond
    }

    /// Bytes of a row that a search for the best reads.
    pub(crate) fn searched_bytes(&self) -> usize {
        if self.copies.is_some() { padded_dim(self.dim) } else { self.row_bytes() }
    }

    pub(crate) fn without_copies(self) -> Self {
        Self { copies: None, ..self }
    }

    pub(crate) fn row_bytes(&self) -> usize {
        self.dim * size_of::<T>()
    }

    /// At most `count` rows from `first`, a multiple of 64.
    pub(crate) fn part(&self, first: usize, count: usize) -> Self {
        let len = count.min(self.len - first);
        let data = &self.data[first * self.stride..];
        Self {
            data: &data[..data.len().min(len * self.stride)],
            len,
            scales: self.scales.map(|scales| &scales[first..first + len]),
            norms: self.norms.map(|norms| &norms[first..first + len]),
            filter: self.filter.map(|words| &words[first / 64..(first + len).div_ceil(64)]),
            copies: self.copies.map(|copies| copies.part(first, len, self.dim)),
            ..*self
        }
    }
}

impl<'a> Rows<'a, i8> {
    /// The same rows, of which row `i` stands for `scales[i]` times its elements.
    ///
    /// ```
    /// use ecphory::{Metric, Rows, Search};
    ///
    /// let rows = Rows::new(&[3i8, 4, 6, 8], 2)?.scaled(&[0.5, 0.25])?;
    /// assert_eq!(Search::new(Metric::Dot).scores(&[1.0, 0.0], &rows)?, [1.5, 1.5]);
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Length`] where there is not one scale for each row; [`Error::Value`] for one that is not finite or not
    /// above 0.
    pub fn scaled(self, scales: &'a [f32]) -> Result<Self, Error> {
        Error::check_length("scales", self.len, scales.len())?;
        scales.iter().enumerate().try_for_each(|(row, &scale)| Error::check_positive("scale", Some(row), scale))?;
        Ok(self.with_scales(scales))
    }

    /// `scales` are one for each row, finite and above 0.
    pub(crate) fn with_scales(self, scales: &'a [f32]) -> Self {
        Self { scales: Some(scales), ..self }
    }
}

/// Rows with their norms beside them, taken once: a cosine then costs what a dot product costs, in the same bits as
/// without where the same CPU tier took them, and else within the same bound. [`Precision::Precise`](crate::Precision)
/// takes norms of its own.
///
/// Norms are all that is stored, and those of the elements: the scales of rows of `i8` do not touch cosines. No sums of
/// `i8` are, which some CPUs need to multiply bytes with signs: for one query its own sum does, and for many a row's is
/// taken once for 64 of them. A dot product needs nothing else of a row, nor does a squared Euclidean distance, but for
/// that of `i8` with `i8`: it takes the sum of each row's squares again, at every query, or once for 64 of many.
///
/// The parts of it are what to keep in a file: the elements, and [`Prepared::norms`], one `f32` for each row, in its
/// order, in bytes as [`Rows`] says. Norms of rows that f32 does not measure (zero, NaN, infinite, or with a sum of
/// squares outside [2^-60, 2^100]) are 0, and such rows are measured at every query.
///
/// ```
/// use ecphory::{Metric, Prepared, Rows, Search};
///
/// let data = [3.0, 4.0, 0.0, 0.0, 1.0, 0.0];
/// let rows = Rows::new(&data, 2)?;
/// let prepared = Prepared::new(rows)?;
/// assert_eq!(prepared.norms(), [5.0, 0.0, 1.0]);
///
/// let search = Search::new(Metric::Cosine);
/// assert_eq!(search.scores(&[1.0, 0.0], &prepared)?, search.scores(&[1.0, 0.0], &rows)?);
///
/// let kept = prepared.norms().to_vec(); // As read from a file.
/// let again = Prepared::from_parts(rows, &kept)?;
/// assert_eq!(again.norms(), prepared.norms());
/// # Ok::<(), ecphory::Error>(())
/// ```
#[derive(Clone)]
pub struct Prepared<'a, T: Number = f32> {
    rows: Rows<'a, T>,
    norms: Cow<'a, [f32]>,
}

impl<T: Number> fmt::Debug for Prepared<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut prepared = f.debug_struct("Prepared");
        prepared.field("rows", &self.rows).field("companion", &self.rows.copies.is_some()).finish()
    }
}

impl<'a, T: Number> Prepared<'a, T> {
    /// Takes the norms of `rows`, large ones on the threads of rayon. Nothing is copied: `rows` stay where they are.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] where there is no memory for the norms; [`Error::UnknownTier`].
    pub fn new(rows: Rows<'a, T>) -> Result<Self, Error> {
        Ok(Self { rows, norms: Cow::Owned(similarity::norms(&rows)?) })
    }

    /// From norms that were taken before, of the same rows: those of others make wrong cosines, which is not checked.
    ///
    /// # Errors
    /// [`Error::Length`] where there is not one norm for each row.
    pub fn from_parts(rows: Rows<'a, T>, norms: impl Into<Cow<'a, [f32]>>) -> Result<Self, Error> {
        let norms = norms.into();
        Error::check_length("norms", rows.len(), norms.len())?;
        Ok(Self { rows, norms })
    }

    /// The rows, without their norms.
    pub fn rows(&self) -> &Rows<'a, T> {
        &self.rows
    }

    /// How many rows there are, filtered or not.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Elements in a row.
    pub fn dim(&self) -> usize {
        self.rows.dim()
    }

    /// One for each row.
    pub fn norms(&self) -> &[f32] {
        &self.norms
    }

    /// The rows, and their norms, borrowed where they were.
    pub fn into_parts(self) -> (Rows<'a, T>, Cow<'a, [f32]>) {
        (self.rows, self.norms)
    }

    /// As [`Rows::filtered`].
    ///
    /// # Errors
    /// As [`Rows::filtered`].
    pub fn filtered(self, words: &'a [u64]) -> Result<Self, Error> {
        Ok(Self { rows: self.rows.filtered(words)?, ..self })
    }
}

impl<'a> Prepared<'a> {
    /// The same rows, with their companion beside them.
    ///
    /// # Errors
    /// [`Error::Length`] for a companion of another dim or of another number of rows.
    pub fn with_companion(self, companion: &'a Companion<'_>) -> Result<Self, Error> {
        Error::check_length("companion", self.rows.dim(), companion.dim())?;
        Error::check_length("companion's rows", self.rows.len(), companion.len())?;
        Ok(Self { rows: Rows { copies: Some(companion.copies()), ..self.rows }, ..self })
    }
}

/// What a search takes: [`Rows`], [`Prepared`] ones, or [`Quantized`](crate::Quantized) ones.
pub trait AsRows: sealed::Sealed {
    /// What the rows are made of.
    type Element: Element;

    /// The rows, with their scales and norms where they have them.
    fn as_rows(&self) -> Rows<'_, Self::Element>;
}

impl<T: Element> AsRows for Rows<'_, T> {
    type Element = T;

    fn as_rows(&self) -> Rows<'_, T> {
        *self
    }
}

impl<T: Number> AsRows for Prepared<'_, T> {
    type Element = T;

    fn as_rows(&self) -> Rows<'_, T> {
        Rows { norms: Some(&self.norms), ..self.rows }
    }
}

impl AsRows for crate::Quantized {
    type Element = i8;

    fn as_rows(&self) -> Rows<'_, i8> {
        self.rows()
    }
}

mod sealed {
    pub trait Sealed {}

    impl<T: super::Element> Sealed for super::Rows<'_, T> {}
    impl<T: super::Number> Sealed for super::Prepared<'_, T> {}
    impl Sealed for crate::Quantized {}
}
