use ecphory::{ArenaConfig, Error, Kernel, Metric, NeedHistogram, OverflowPolicy, Packing, Rows, Search};
use ecphory_measure::Bar;
use ecphory_measure::data::{self, Random};
use serde::Serialize;

use super::calls::{self, Calls};
use crate::failure::Failure;

const DIM: usize = 768;
const ROWS: usize = 2048;
/// Candidates are Weibull-distributed and one at least: the tail of the claimed rates falls faster than a log-normal's.
const SHAPE: f64 = 0.858;
const SCALE: f64 = 71.1;
/// No draw is larger: the distribution has less than one in 2^52 beyond.
const MOST: usize = 5000;

/// What was drawn.
#[derive(Debug, Serialize)]
pub struct Facts {
    name: &'static str,
    pub shape: f64,
    pub scale: f64,
    pub dim: usize,
    pub scopes: usize,
}

impl Facts {
    pub fn new(scopes: usize) -> Self {
        Self { name: "seed", shape: SHAPE, scale: SCALE, dim: DIM, scopes }
    }
}

/// Gathers of as many candidates as are drawn, so many times, in arenas that refuse none.
pub fn run(scopes: usize, bar: &Bar) -> Result<Calls, Failure> {
    ArenaConfig::new().capacity(4 * DIM * (MOST + 1)).install()?;
    let drawn: Vec<_> = candidates().take(scopes).collect();
    let mut gather = gatherer();
    Calls::run("gather", Kernel::Similarity, scopes, 0, bar, |scope| gather(drawn[scope]))
}

/// What so many gathers need, none of which runs: for arenas of any size.
pub fn needs(scopes: usize) -> Result<NeedHistogram, Error> {
    let mut needs = NeedHistogram::new();
    let mut gather = gatherer();
    for count in candidates().take(scopes) {
        needs.record(calls::need(&mut || gather(count))?);
    }
    Ok(needs)
}

/// Packs and scores so many rows, [`MOST`] at most.
fn gatherer() -> impl FnMut(usize) -> Result<(), Error> {
    let (vectors, query, ids) = (data::elements(1, ROWS * DIM), data::elements(2, DIM), data::ids(3, MOST, ROWS));
    let mut scores = vec![0.0; MOST];
    let search = Search::new(Metric::Cosine).packing(Packing::Whole).on_overflow(OverflowPolicy::Error);
    move |count| search.gather_into(&query, &Rows::new(&vectors, DIM)?, &ids[..count], &mut scores[..count])
}

/// Candidates of one cue after the other, the same at every run.
fn candidates() -> impl Iterator<Item = usize> {
    let mut random = Random::new(6);
    std::iter::repeat_with(move || {
        let draw = SCALE * (-(1.0 - random.unit()).ln()).powf(1.0 / SHAPE);
        (draw.round() as usize).clamp(1, MOST)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_candidates_are_drawn_as_the_distribution_says() {
        let draws = 200_000;
        for count in [20, 71, 169, 339] {
            let above = candidates().take(draws).filter(|&drawn| drawn > count).count() as f64 / draws as f64;
            let expected = (-((count as f64 + 0.5) / SCALE).powf(SHAPE)).exp();
            // Five standard deviations.
            let reach = 5.0 * (expected * (1.0 - expected) / draws as f64).sqrt();
            assert!((above - expected).abs() < reach, "above {count}: expected {expected} +- {reach}, found {above}");
        }
    }
}
