//! What does not fit is refused by its name, and nothing is written.

use ecphory::{Error, Meets, Prepared, Rows, Search};

use crate::case::{Case, Threshold};
use crate::piece::{Piece, alone, other_metric};

fn is_length(error: &Error, of: &str, lengths: (usize, usize)) -> bool {
    matches!(error, Error::Length { what, expected, found } if *what == of && (*expected, *found) == lengths)
}

pub fn all_refused<Q: Piece + Meets<T>, T: Piece>(
    case: &Case,
    search: &Search,
    queries: &Rows<'_, Q>,
    rows: &Rows<'_, T>,
) {
    views(rows);
    ids_and_threshold(case, search, queries, rows);
    let (dim, len) = (rows.dim(), rows.len());
    let wrong = usize::from(case.misuse) % 7;
    let query = case.query.elements::<Q>(dim + wrong - wrong.min(1) * 3.min(dim), dim);
    if query.len() != dim {
        let lengths = (dim, query.len());
        assert!(is_length(&search.scores(&query, rows).unwrap_err(), "query", lengths));
        assert!(is_length(&search.gather(&query, rows, &[]).unwrap_err(), "query", lengths));
        assert!(is_length(&search.top_k(&query, rows, case.k()).unwrap_err(), "query", lengths));
        let is_whole = query.len().is_multiple_of(dim);
        let many = search.matrix(&query, rows);
        let each = search.top_k_each(&query, rows, case.k());
        assert!(matches!(many, Err(Error::PartialRow { what: "queries", .. })) != is_whole);
        assert!(matches!(each, Err(Error::PartialRow { what: "queries", .. })) != is_whole);
    }
    let exact = case.query.elements::<Q>(dim, dim);
    let mut out = vec![9.0; len + wrong];
    if wrong > 0 {
        let lengths = (len, len + wrong);
        assert!(is_length(&search.scores_into(&exact, rows, &mut out).unwrap_err(), "scores", lengths));
        assert!(is_length(&search.matrix_into(&exact, rows, &mut out).unwrap_err(), "scores", lengths));
        let wrong_ids = search.gather_into(&exact, rows, &[], &mut out).unwrap_err();
        assert!(is_length(&wrong_ids, "scores", (0, len + wrong)));
    }
    let search = Search::new(other_metric::<T>());
    assert!(matches!(search.scores_into(&exact, rows, &mut out[..len]), Err(Error::Metric { .. })));
    assert!(matches!(search.top_k(&exact, rows, case.k()), Err(Error::Metric { .. })));
    assert!(out.iter().all(|&score| score == 9.0));
}

fn views<T: Piece>(rows: &Rows<'_, T>) {
    let (dim, stride, len, all) = (rows.dim(), rows.stride(), rows.len(), rows.as_slice());
    assert!(matches!(Rows::new(all, 0), Err(Error::Range { what: "dim", .. })));
    assert!(matches!(Rows::with_stride(all, dim, dim - 1), Err(Error::Range { what: "stride", .. })));
    assert!(matches!(Rows::with_stride(all, dim, usize::MAX), Err(Error::Range { what: "stride", .. })));
    assert!(matches!(Rows::with_stride(all, usize::MAX, usize::MAX), Err(Error::Range { what: "dim", .. })));
    if let Some((_, short)) = all.split_last() {
        let rest = short.len() % stride;
        let cut = Rows::with_stride(short, dim, stride);
        assert!(matches!(cut, Err(Error::PartialRow { what: "rows", .. })) == (rest != 0 && rest != dim));
    }
    assert!(rows.row(len).is_none() && rows.row(usize::MAX).is_none());
    let (words, numbers) = (vec![!0; len.div_ceil(64) + 1], vec![1.0; len + 1]);
    assert!(is_length(&rows.filtered(&words).unwrap_err(), "filter", (words.len() - 1, words.len())));
    let bytes = vec![0i8; len];
    let scaled = Rows::new(&bytes, 1).unwrap().scaled(&numbers);
    assert!(is_length(&scaled.unwrap_err(), "scales", (len, len + 1)));
    let normed = Prepared::from_parts(Rows::new(&bytes, 1).unwrap(), &numbers);
    assert!(is_length(&normed.unwrap_err(), "norms", (len, len + 1)));
}

fn ids_and_threshold<Q: Piece + Meets<T>, T: Piece>(
    case: &Case,
    search: &Search,
    queries: &Rows<'_, Q>,
    rows: &Rows<'_, T>,
) {
    if queries.is_empty() {
        return;
    }
    let query = alone(queries, 0);
    let mut out = vec![9.0; case.ids.len()];
    let result = search.packing(case.packing()).gather_into(&query, rows, &case.ids, &mut out);
    match case.ids.iter().position(|&id| id as usize >= rows.len()) {
        None => result.unwrap(),
        Some(at) => {
            let expected = Error::Index { what: "row id", position: at, len: rows.len(), found: case.ids[at] as usize };
            assert_eq!(result, Err(expected));
            assert!(out.iter().all(|&score| score == 9.0), "ids were refused, and scores written");
        }
    }
    if let Threshold::Given(bar) = case.threshold
        && bar.is_nan()
    {
        let best = search.threshold(bar).top_k(&query, rows, case.k());
        assert!(matches!(best, Err(Error::Value { what: "threshold", .. })));
    }
    // As many hits as there are, where more are asked for than any memory holds.
    let all = search.top_k(&query, rows, usize::MAX).unwrap();
    assert_eq!(all.hits.len() + all.nan_rows, rows.len());
}
