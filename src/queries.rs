use std::sync::Arc;

use crate::{Element, Meets, Number, Prepared, Quantized, Rows};

/// Queries of rows of `T`: a slice, an array or a vector of elements, one query after the other; or [`Rows`], which may
/// stand apart or have scales, and whose filter is not looked at. Of `T` itself, or of `f32` where rows are of a
/// reduced number.
///
/// ```
/// use ecphory::{Metric, Rows, Search, quantize_i8};
///
/// let rows = quantize_i8(&[127.0, 0.0, 0.0, -127.0], 2)?;
/// let search = Search::new(Metric::Dot);
/// assert_eq!(search.scores(&[0.5, 1.5], &rows)?, [63.5, -190.5]);
/// assert_eq!(search.scores(&[1i8, 2], &rows)?, [127.0, -254.0]);
/// assert_eq!(search.scores(&Rows::new(&[1i8, 2], 2)?.scaled(&[0.5])?, &rows)?, [63.5, -127.0]);
/// # Ok::<(), ecphory::Error>(())
/// ```
pub trait AsQueries<T: Element>: sealed::Sealed<T> {}

pub(crate) mod sealed {
    use crate::{Element, Error, Meets, Rows};

    pub trait Sealed<T: Element> {
        type Element: Meets<T>;

        fn given(&self) -> Given<'_, Self::Element>;
    }

    /// Elements that say no dim, or rows that do.
    pub enum Given<'a, Q: Element> {
        Elements(&'a [Q]),
        Rows(Rows<'a, Q>),
    }

    impl<'a, Q: Element> Given<'a, Q> {
        /// As a single row of `dim`.
        pub fn one(self, dim: usize) -> Result<Rows<'a, Q>, Error> {
            match self {
                Self::Elements(query) => {
                    Error::check_length("query", dim, query.len())?;
                    Ok(Rows::dense(query, dim))
                }
                Self::Rows(rows) => {
                    Error::check_length("query", dim, rows.dim())?;
                    Error::check_length("queries", 1, rows.len())?;
                    Ok(rows)
                }
            }
        }

        /// As rows of `dim`, or none.
        pub fn many(self, dim: usize) -> Result<Rows<'a, Q>, Error> {
            match self {
                Self::Elements(queries) if queries.len().is_multiple_of(dim) => Ok(Rows::dense(queries, dim)),
                Self::Elements(queries) => {
                    Err(Error::PartialRow { what: "queries", dim, stride: dim, found: queries.len() })
                }
                Self::Rows(rows) => {
                    Error::check_length("queries", dim, rows.dim())?;
                    Ok(rows)
                }
            }
        }
    }
}

use sealed::{Given, Sealed};

impl<T: Element, Q: Meets<T>> AsQueries<T> for [Q] {}

impl<T: Element, Q: Meets<T>> Sealed<T> for [Q] {
    type Element = Q;

    fn given(&self) -> Given<'_, Q> {
        Given::Elements(self)
    }
}

impl<T: Element, Q: Meets<T>, const N: usize> AsQueries<T> for [Q; N] {}

impl<T: Element, Q: Meets<T>, const N: usize> Sealed<T> for [Q; N] {
    type Element = Q;

    fn given(&self) -> Given<'_, Q> {
        Given::Elements(self)
    }
}

impl<T: Element, Q: Meets<T>> AsQueries<T> for Vec<Q> {}

impl<T: Element, Q: Meets<T>> Sealed<T> for Vec<Q> {
    type Element = Q;

    fn given(&self) -> Given<'_, Q> {
        Given::Elements(self)
    }
}

impl<T: Element, Q: Meets<T>> AsQueries<T> for Rows<'_, Q> {}

impl<T: Element, Q: Meets<T>> Sealed<T> for Rows<'_, Q> {
    type Element = Q;

    fn given(&self) -> Given<'_, Q> {
        Given::Rows(*self)
    }
}

impl<T: Element, Q: Meets<T> + Number> AsQueries<T> for Prepared<'_, Q> {}

impl<T: Element, Q: Meets<T> + Number> Sealed<T> for Prepared<'_, Q> {
    type Element = Q;

    fn given(&self) -> Given<'_, Q> {
        Given::Rows(*self.rows())
    }
}

impl AsQueries<i8> for Quantized {}

impl Sealed<i8> for Quantized {
    type Element = i8;

    fn given(&self) -> Given<'_, i8> {
        Given::Rows(self.rows())
    }
}

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<T: Element, S: AsQueries<T> + ?Sized> AsQueries<T> for $pointer {}

        impl<T: Element, S: AsQueries<T> + ?Sized> Sealed<T> for $pointer {
            type Element = S::Element;

            fn given(&self) -> Given<'_, S::Element> {
                (**self).given()
            }
        }
    )*};
}

pointers!(&S, Box<S>, Arc<S>);
