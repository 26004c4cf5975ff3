//! Searches of every kind that the safe API takes, checked by what needs no tolerance: whichever way a row is met its
//! score is the same bits, the best rows are those that sorting finds, what is refused is named and writes nothing.
//! And by an oracle in f64, within the bounds that `Search` documents.
//!
//! All that is read lies before a page that cannot be, so that a kernel which reads on is seen.

#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../../tests/common/oracle.rs"]
mod oracle;
#[path = "../../tests/common/samples.rs"]
mod samples;

#[path = "similarity/case.rs"]
mod case;
#[path = "similarity/expected.rs"]
mod expected;
#[path = "similarity/misuse.rs"]
mod misuse;
#[path = "similarity/pages.rs"]
mod pages;
#[path = "similarity/piece.rs"]
mod piece;
#[path = "similarity/quantizers.rs"]
mod quantizers;

use std::cell::RefCell;

use case::{Case, Threshold};
use ecphory::{ArenaConfig, Error, Meets, OverflowPolicy, Precision, Rows, Search, TopK};
use expected::{assert_best, assert_near, assert_same, sorted};
use half::{bf16, f16};
use libfuzzer_sys::fuzz_target;
use pages::Pages;
use piece::{Piece, alone, view};

thread_local! {
    static PAGES: RefCell<Pages> = RefCell::new(Pages::map());
}

fuzz_target!(
    init: {
        // Small, so that what does not fit is met.
        ArenaConfig::new().capacity(1 << 16).install().unwrap();
    },
    |case: Case| {
        PAGES.with_borrow_mut(|pages| match case.types % 8 {
            0 => run::<f32, f32>(&case, pages),
            1 => run::<f16, f16>(&case, pages),
            2 => run::<bf16, bf16>(&case, pages),
            3 => run::<i8, i8>(&case, pages),
            4 => run::<u8, u8>(&case, pages),
            5 => run::<f32, f32>(&case, pages),
            6 if case.types / 8 % 2 == 0 => run::<f32, f16>(&case, pages),
            6 => run::<f32, bf16>(&case, pages),
            _ => run::<f32, i8>(&case, pages),
        });
    }
);

/// A search, what it is given, and what each query scores with each row, one by one.
struct Given<'a, Q: Piece, T: Piece> {
    case: &'a Case,
    /// With a heap loan where scratch does not fit.
    search: Search,
    queries: Rows<'a, Q>,
    /// Without a filter.
    rows: Rows<'a, T>,
    filter: Option<&'a [u64]>,
    scores: Vec<Vec<f32>>,
}

fn run<Q: Piece + Meets<T>, T: Piece>(case: &Case, pages: &mut Pages) {
    let (dim, stride) = (case.dim(), case.stride());
    let reach = |count: usize| if count == 0 { 0 } else { (count - 1) * stride + dim };
    let mut elements = case.row.elements::<T>(reach(case.rows()), stride);
    let mut queries = case.query.elements::<Q>(reach(case.queries()), stride);
    // Nothing between rows is looked at: there it is NaN, of floats.
    elements.chunks_mut(stride).for_each(|row| row.iter_mut().skip(dim).for_each(|x| *x = T::of_bits(!0)));
    queries.chunks_mut(stride).for_each(|row| row.iter_mut().skip(dim).for_each(|x| *x = Q::of_bits(!0)));
    let scales = case.scales(0, case.rows()).map(|all| pages.scales.last(&all));
    let query_scales = case.scales(1, case.queries()).map(|all| pages.query_scales.last(&all));
    let rows = view(pages.rows.last(&elements), (dim, stride), scales);
    let queries = view(pages.query.last(&queries), (dim, stride), query_scales);
    let filter = case.filter_words(rows.len()).map(|words| pages.filter.last(&words));
    let search = case.search(T::IS_BITS);
    let scores = (0..queries.len()).map(|i| search.scores(&alone(&queries, i), &rows).unwrap()).collect();
    let given = Given { case, search, queries, rows, filter, scores };

    given.every_row_alone();
    given.near_the_oracle();
    let bare = given.filtered(rows);
    match case.way % 8 {
        0..=2 => given.each_way(&bare, pages.ids.last(&given.ids())),
        3 | 4 => {
            let norms = T::norms(&rows);
            let norms = pages.norms.last(norms.as_deref().unwrap_or(&[]));
            T::with_norms(bare, norms, |rows| given.each_way(&rows, pages.ids.last(&given.ids())));
        }
        5 => T::among_copies(bare, |rows| given.each_way(&rows, pages.ids.last(&given.ids()))),
        6 => misuse::all_refused(case, &given.search, &given.queries, &given.rows),
        _ => quantizers::all_hold(case),
    }
}

impl<Q: Piece + Meets<T>, T: Piece> Given<'_, Q, T> {
    fn filtered<'r>(&'r self, rows: Rows<'r, T>) -> Rows<'r, T> {
        self.filter.map_or(rows, |words| rows.filtered(words).unwrap())
    }

    fn is_in(&self, row: usize) -> bool {
        self.filter.is_none_or(|words| words[row / 64] >> (row % 64) & 1 == 1)
    }

    /// Some that are rows.
    fn ids(&self) -> Vec<u32> {
        let len = self.rows.len() as u32;
        let mut ids: Vec<u32> = self.case.ids.iter().filter_map(|id| id.checked_rem(len)).collect();
        ids.extend((0..len).rev().step_by(1 + self.case.ids.len() % 3));
        // More than one task of rows that are long.
        if len > 0 && self.rows.dim() > 4000 {
            ids.extend((0..1100).map(|i| i * 7 % len));
        }
        ids
    }

    fn every_row_alone(&self) {
        for (i, scores) in self.scores.iter().enumerate().take(2) {
            for row in some(self.rows.len()) {
                let found = self.search.scores(&alone(&self.queries, i), &alone(&self.rows, row)).unwrap();
                assert_same("a row alone", &scores[row..=row], &found);
            }
        }
    }

    fn near_the_oracle(&self) {
        let how = (self.case.metric(T::IS_BITS), self.case.precision());
        for query in some(self.queries.len()).take(3) {
            for row in some(self.rows.len()) {
                assert_near(how, (&self.queries, query), (&self.rows, row), self.scores[query][row]);
            }
        }
    }

    /// What a policy refuses is no result.
    #[track_caller]
    fn admitted<R>(&self, result: Result<R, Error>) -> Option<R> {
        match result {
            Err(Error::OutOfMemory { needed, capacity }) if self.case.overflow() != OverflowPolicy::Heap => {
                assert!(needed > 0 && capacity > 0);
                None
            }
            other => Some(other.unwrap()),
        }
    }

    /// `rows` are the same rows, filtered, and as they are or with what belongs to them.
    fn each_way(&self, rows: &Rows<'_, T>, ids: &[u32]) {
        let search = self.search.on_overflow(self.case.overflow()).packing(self.case.packing());
        for (i, scores) in self.scores.iter().enumerate().take(2) {
            let query = alone(&self.queries, i);
            let expected: Vec<f32> = (0..rows.len()).map(|row| self.seen(scores, row)).collect();
            self.into_room("scores", &expected, |out| search.scores_into(&query, rows, out));
            if rows.norms().is_none() && query.scales().is_none() {
                self.into_room("a slice", &expected, |out| search.scores_into(query.as_slice(), rows, out));
            }
            let gathered: Vec<f32> = ids.iter().map(|&id| expected[id as usize]).collect();
            self.into_room("gather", &gathered, |out| search.gather_into(&query, rows, ids, out));
        }
        self.best_rows(search, rows);
        self.among_many(search, rows);
    }

    fn seen(&self, scores: &[f32], row: usize) -> f32 {
        if self.is_in(row) { scores[row] } else { f32::NAN }
    }

    /// Scores as expected, and nothing beside them written; where they are refused nothing at all.
    #[track_caller]
    fn into_room(&self, what: &str, expected: &[f32], call: impl FnOnce(&mut [f32]) -> Result<(), Error>) {
        const UNTOUCHED: f32 = 9e9;
        let len = expected.len();
        let mut room = vec![UNTOUCHED; len + 32];
        let result = call(&mut room[16..16 + len]);
        let is_untouched = |some: &[f32]| some.iter().all(|score| score.to_bits() == UNTOUCHED.to_bits());
        assert!(is_untouched(&room[..16]) && is_untouched(&room[16 + len..]), "{what}: wrote beside its scores");
        match self.admitted(result) {
            Some(()) => assert_same(what, expected, &room[16..16 + len]),
            None => assert!(is_untouched(&room), "{what}: refused, and wrote"),
        }
    }

    fn threshold(&self, query: usize) -> Option<f32> {
        match self.case.threshold {
            Threshold::None => None,
            Threshold::Given(bar) => Some(bar).filter(|bar| !bar.is_nan()),
            Threshold::OfRow(row) => {
                let scores = &self.scores[query];
                (!scores.is_empty()).then(|| scores[usize::from(row) % scores.len()]).filter(|bar| !bar.is_nan())
            }
        }
    }

    fn best_of(&self, scores: &[f32], threshold: Option<f32>) -> (Vec<(usize, u32)>, usize) {
        sorted(self.case.metric(T::IS_BITS), scores, |row| self.is_in(row), threshold, self.case.k())
    }

    fn best_rows(&self, search: Search, rows: &Rows<'_, T>) {
        for (i, scores) in self.scores.iter().enumerate().take(2) {
            let bar = self.threshold(i);
            let search = bar.map_or(search, |bar| search.threshold(bar));
            let Some(best) = self.admitted(search.top_k(&alone(&self.queries, i), rows, self.case.k())) else {
                continue;
            };
            assert_best("top_k", &self.best_of(scores, bar), &best);
        }
    }

    /// Whether many queries score what each does alone.
    fn is_exact(&self) -> bool {
        let integers = T::IS_BITS || std::any::type_name::<Q>() == "i8";
        self.queries.len() < 7 || integers || self.case.precision() == Precision::Precise
    }

    fn among_many(&self, search: Search, rows: &Rows<'_, T>) {
        let Some(matrix) = self.admitted(search.matrix(&self.queries, rows)) else { return };
        let len = rows.len();
        assert_eq!(matrix.len(), self.queries.len() * len);
        let scores = |query: usize| &matrix[query * len..][..len];
        let how = (self.case.metric(T::IS_BITS), self.case.precision());
        for query in 0..self.queries.len() {
            for row in (0..len).filter(|&row| !self.is_in(row)) {
                assert!(scores(query)[row].is_nan(), "the matrix scored what a filter keeps out");
            }
            if self.is_exact() {
                let expected: Vec<f32> = (0..len).map(|row| self.seen(&self.scores[query], row)).collect();
                assert_same("matrix", &expected, scores(query));
            } else if query < 3 || query + 1 == self.queries.len() {
                for row in some(len).filter(|&row| self.is_in(row)) {
                    assert_near(how, (&self.queries, query), (&self.rows, row), scores(query)[row]);
                }
            }
        }
        for row in some(len).take(3).filter(|&row| self.is_in(row)) {
            let Some(one) = self.admitted(search.matrix(&self.queries, &alone(&self.rows, row))) else { continue };
            let column: Vec<f32> = (0..self.queries.len()).map(|query| scores(query)[row]).collect();
            assert_same("a row alone among many queries", &column, &one);
        }
        let bar = if self.queries.is_empty() { None } else { self.threshold(0) };
        let search = bar.map_or(search, |bar| search.threshold(bar));
        let Some(best) = self.admitted(search.top_k_each(&self.queries, rows, self.case.k())) else { return };
        self.best_of_each(&best, |query| self.best_of(scores(query), bar));
    }

    fn best_of_each(&self, best: &[TopK], expected: impl Fn(usize) -> (Vec<(usize, u32)>, usize)) {
        assert_eq!(best.len(), self.queries.len());
        for (query, best) in best.iter().enumerate() {
            assert_best("top_k_each", &expected(query), best);
        }
    }
}

/// The first few, and the last, and some between.
fn some(len: usize) -> impl Iterator<Item = usize> {
    (0..len).filter(move |&i| i < 3 || i + 2 >= len || i.is_multiple_of(1 + len / 5))
}
