use crate::Error;

/// Rows of equal length, one after the other: a checked view of `[len][dim]` numbers.
///
/// ```
/// let rows = ecphory::Rows::new(&[1.0, 2.0, 3.0, 4.0], 2)?;
/// assert_eq!((rows.len(), rows.row(1)), (2, Some(&[3.0, 4.0][..])));
/// # Ok::<(), ecphory::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    data: &'a [f32],
    dim: usize,
}

impl<'a> Rows<'a> {
    /// A view of `data` as rows of `dim` elements. No rows at all is fine; any values are.
    ///
    /// # Errors
    /// [`Error::Range`] where `dim` is 0; [`Error::PartialRow`] where `data` is not a whole number of rows.
    pub fn new(data: &'a [f32], dim: usize) -> Result<Self, Error> {
        Error::check_range("dim", 1, isize::MAX as usize / size_of::<f32>(), dim)?;
        if !data.len().is_multiple_of(dim) {
            return Err(Error::PartialRow { dim, found: data.len() });
        }
        Ok(Self { data, dim })
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.data.len() / self.dim
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Elements in a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// All elements, row after row.
    pub fn as_slice(&self) -> &'a [f32] {
        self.data
    }

    /// Row `index`, or `None` past the end.
    pub fn row(&self, index: usize) -> Option<&'a [f32]> {
        self.data.chunks_exact(self.dim).nth(index)
    }
}
