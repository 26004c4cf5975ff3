//! The best rows through copies of them in `i8`.

use std::any::Any;
use std::hint::black_box;

use ecphory::{Companion, Prepared, Rows, Search, TopK};

use super::ours::Ours;
use super::similarity::Vectors;
use crate::{Case, Clock, Contender};

const GOOD: &str = "good rows";

/// `ecphory-companion`, of rows of f32, which must find `expected`.
///
/// # Errors
/// That it found others.
pub fn join<T: Ours>(
    case: &mut Case<'static>,
    vectors: &Vectors<T>,
    search: Search,
    k: usize,
    clock: Clock,
    expected: &TopK,
) -> Result<(), String> {
    let Some(v) = (vectors as &dyn Any).downcast_ref::<Vectors<f32>>() else { return Ok(()) };
    let v = v.clone();
    let rows = Rows::new(&v.rows, v.dim).expect(GOOD);
    let companion = Companion::new(&rows).expect(GOOD);
    let norms = Prepared::new(rows).expect(GOOD).norms().to_vec();
    let bytes = companion.bytes();
    let by_us = move || {
        let rows = Rows::new(&v.rows, v.dim).expect(GOOD);
        let prepared = Prepared::from_parts(rows, &norms).and_then(|rows| rows.with_companion(&companion));
        search.top_k(&v.queries[..], &prepared.expect(GOOD), k).expect(GOOD)
    };
    let found = by_us();
    if found.hits != expected.hits {
        return Err("ecphory-companion: expected the hits without it, found others".into());
    }
    let note = format!("copies of {bytes} bytes made beforehand; {} rows scored", found.rescored_rows);
    case.add_noted(Contender::new("ecphory-companion", clock, move || _ = black_box(by_us())), note);
    Ok(())
}
