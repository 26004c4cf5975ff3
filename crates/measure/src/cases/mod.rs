//! Ecphory's own cases, each with the plain loop beside it. Whoever measures others adds them to these.

pub mod arena;
pub mod decay;
pub mod similarity;
pub mod spreading;

use crate::thread_count;

/// One thread, and all there are where that is more.
#[must_use]
pub fn one_and_all() -> Vec<usize> {
    let all = thread_count();
    if all > 1 { vec![1, all] } else { vec![1] }
}

/// Whether every one of `found` is within its bound of what is expected, or where the first is that is not.
///
/// # Errors
/// Who is wrong, where, and by how much.
pub fn check(who: &str, found: &[f32], expected: &[f64], bound: impl Fn(usize, f64) -> f64) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!("{who}: expected {} answers, found {}", expected.len(), found.len()));
    }
    let wrong = (0..found.len()).find(|&at| {
        let off = (f64::from(found[at]) - expected[at]).abs();
        // NaN is not within.
        off.is_nan() || off > bound(at, expected[at])
    });
    match wrong {
        None => Ok(()),
        Some(at) => Err(format!("{who}: expected {} at position {at}, found {}", expected[at], found[at])),
    }
}
