use ecphory::{ArenaConfig, Error, Metric, OverflowPolicy, Packing, Rows, Search};
use serde::Serialize;

use super::Row;
use super::calls::need;

/// The sizing that the default arena was chosen by, and what is found of it here.
#[derive(Debug, Serialize)]
pub struct Claims {
    /// No kernel takes longer.
    pub kernel_us: f64,
    /// How far a rate may be from what was claimed of it, in points of percent.
    pub tolerance_points: f64,
    /// Whether every rate is as near. None where rates are not those that were claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rates_hold: Option<bool>,
    pub workload: Workload,
}

/// The workload that is said to need about as much as 1.5 of the arenas that are recommended for it.
#[derive(Debug, Serialize)]
pub struct Workload {
    pub dim: usize,
    pub candidates: usize,
    pub claimed_bytes: usize,
    pub default_capacity_bytes: usize,
    /// With its rows packed into scratch.
    pub gathered_bytes: usize,
    /// With its rows read in place.
    pub in_place_bytes: usize,
}

/// Bytes of an arena, and the overflow rate claimed of it in percent.
pub const RATES: [(usize, f64); 4] = [(512 << 10, 12.3), (1 << 20, 2.1), (2 << 20, 0.1), (4 << 20, 0.0)];

/// The overflow rate claimed of arenas of `capacity` bytes, in percent.
pub fn rate(capacity: usize) -> Option<f64> {
    RATES.iter().find(|rate| rate.0 == capacity).map(|rate| rate.1)
}

impl Claims {
    pub fn check(sizes: &[Row]) -> Result<Self, Error> {
        let tolerance_points = 0.25;
        let off = |row: &Row| row.claimed_percent.map(|claimed| (row.size.rate.share * 100.0 - claimed).abs());
        let rates_hold = sizes.iter().filter_map(off).map(|off| off <= tolerance_points).reduce(|a, b| a && b);
        Ok(Self { kernel_us: 100.0, tolerance_points, rates_hold, workload: Workload::measure()? })
    }
}

impl Workload {
    fn measure() -> Result<Self, Error> {
        let (dim, candidates) = (768, 1000);
        let vectors = vec![1.0; candidates * dim];
        let (rows, query) = (Rows::new(&vectors, dim)?, &vectors[..dim]);
        let ids: Vec<u32> = (0..candidates as u32).collect();
        let mut scores = vec![0.0; candidates];
        let search = Search::new(Metric::Cosine).on_overflow(OverflowPolicy::Error);
        let packs = search.packing(Packing::Whole);
        Ok(Self {
            dim,
            candidates,
            claimed_bytes: 3_010_000,
            default_capacity_bytes: ArenaConfig::default().capacity_bytes(),
            gathered_bytes: need(&mut || packs.gather_into(query, &rows, &ids, &mut scores))?,
            in_place_bytes: need(&mut || search.scores_into(query, &rows, &mut scores))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_claimed_workload_does_not_fit_the_default_arena_unless_rows_are_read_in_place() {
        let workload = Workload::measure().unwrap();
        assert_eq!((workload.gathered_bytes, workload.in_place_bytes), (3_075_072, 3072));
        assert!(workload.gathered_bytes > workload.default_capacity_bytes);
    }
}
