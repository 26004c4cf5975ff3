//! The library, asked about rows of each type.

use ecphory::{Element, Prepared, Rows, Search, TopK};
use half::{bf16, f16};

use super::similarity::Vectors;
use crate::{Dtype, Kind};

const ROWS: &str = "whole rows";
const GOOD: &str = "good rows";

/// A type of elements that the library has.
pub trait Ours: Kind + Element {
    /// Norms of the rows; none of bits.
    #[must_use]
    fn norms(_: &Vectors<Self>) -> Option<Vec<f32>> {
        None
    }

    /// Every query against every row, with or without norms taken beforehand.
    fn scores(search: &Search, v: &Vectors<Self>, _norms: Option<&[f32]>, scores: &mut [f32]) {
        search.matrix_into(&v.queries[..], &rows(v), scores).expect(GOOD);
    }

    /// The best rows of one query.
    fn best(search: &Search, v: &Vectors<Self>, _norms: Option<&[f32]>, k: usize) -> TopK {
        search.top_k(&v.queries[..], &rows(v), k).expect(GOOD)
    }

    /// The same queries in f32, of which rows of smaller numbers may be asked.
    #[must_use]
    fn widened(_: &Vectors<Self>) -> Option<Vec<f32>> {
        None
    }

    /// [`Ours::scores`] of queries in f32.
    fn widened_scores(search: &Search, _queries: &[f32], v: &Vectors<Self>, scores: &mut [f32]) {
        Self::scores(search, v, None, scores);
    }
}

fn rows<T: Ours>(v: &Vectors<T>) -> Rows<'_, T> {
    Rows::new(&v.rows, v.dim).expect(ROWS)
}

macro_rules! numbers {
    ($($number:ident)*) => {
        $(impl Ours for $number {
            fn norms(v: &Vectors<Self>) -> Option<Vec<f32>> {
                Some(Prepared::new(rows(v)).expect(GOOD).norms().to_vec())
            }

            fn scores(search: &Search, v: &Vectors<Self>, norms: Option<&[f32]>, scores: &mut [f32]) {
                let (queries, rows) = (&v.queries[..], rows(v));
                let done = match norms {
                    None => search.matrix_into(queries, &rows, scores),
                    Some(norms) => search.matrix_into(queries, &Prepared::from_parts(rows, norms).expect(ROWS), scores),
                };
                done.expect(GOOD);
            }

            fn best(search: &Search, v: &Vectors<Self>, norms: Option<&[f32]>, k: usize) -> TopK {
                let (query, rows) = (&v.queries[..], rows(v));
                let best = match norms {
                    None => search.top_k(query, &rows, k),
                    Some(norms) => search.top_k(query, &Prepared::from_parts(rows, norms).expect(ROWS), k),
                };
                best.expect(GOOD)
            }

            fn widened(v: &Vectors<Self>) -> Option<Vec<f32>> {
                (Self::DTYPE != Dtype::F32).then(|| v.queries.iter().map(|&x| x.into()).collect())
            }

            fn widened_scores(search: &Search, queries: &[f32], v: &Vectors<Self>, scores: &mut [f32]) {
                search.matrix_into(queries, &rows(v), scores).expect(GOOD);
            }
        })*
    };
}

numbers! { f32 f16 bf16 i8 }

impl Ours for u8 {}
