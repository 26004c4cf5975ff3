//! One piece of work, everyone who does it, and what that says.

use crate::{Contender, Contest, Effort, Line, Times, Work};

/// What a rate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes that must be read, in GB/s.
    Bytes,
    /// Operations, in GFLOP/s.
    Operations,
    /// Edges walked, in millions per second.
    Edges,
    /// Nanoseconds for each of the things named.
    NsPer(&'static str),
}

impl Unit {
    /// As lines and tables print it.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Bytes => "GB/s".into(),
            Self::Operations => "GFLOP/s".into(),
            Self::Edges => "Medges/s".into(),
            Self::NsPer(thing) => format!("ns/{thing}"),
        }
    }

    /// `amount` done in `ns`.
    #[must_use]
    pub fn rate(self, amount: f64, ns: f64) -> f64 {
        match self {
            Self::Bytes | Self::Operations => amount / ns,
            Self::Edges => amount / ns * 1e3,
            Self::NsPer(_) => ns / amount,
        }
    }

    /// `rate` as a share of the most, or the least, there can be.
    fn share(self, rate: f64, limit: f64) -> f64 {
        if matches!(self, Self::NsPer(_)) { limit / rate } else { rate / limit }
    }
}

/// One piece of work on so many threads.
pub struct Case<'a> {
    work: Work,
    threads: usize,
    unit: Unit,
    /// How much of what the unit counts is in the work done once.
    amount: f64,
    /// The least time in ns that this machine could take.
    least_ns: Option<f64>,
    contest: Contest<'a>,
    notes: Vec<Option<String>>,
}

impl<'a> Case<'a> {
    /// Work that holds `amount` of what `unit` counts.
    #[must_use]
    pub fn new(work: Work, threads: usize, unit: Unit, amount: f64) -> Self {
        Self { work, threads, unit, amount, least_ns: None, contest: Contest::new(), notes: Vec::new() }
    }

    /// The least time in ns that this machine could take for it.
    #[must_use]
    pub fn at_least(self, least_ns: f64) -> Self {
        Self { least_ns: Some(least_ns), ..self }
    }

    /// And this one does it too.
    pub fn add(&mut self, contender: Contender<'a>) -> &mut Self {
        self.contest.add(contender);
        self.notes.push(None);
        self
    }

    /// And this one, of whom a reader must know something to compare.
    pub fn add_noted(&mut self, contender: Contender<'a>, note: impl Into<String>) -> &mut Self {
        self.contest.add(contender);
        self.notes.push(Some(note.into()));
        self
    }

    /// One line for each contender, in the order of joining.
    pub fn run(mut self, effort: Effort) -> Vec<Line> {
        let times = self.contest.run(effort);
        times.into_iter().zip(&self.notes).map(|(times, note)| self.line(times, note.clone())).collect()
    }

    fn line(&self, times: Times, note: Option<String>) -> Line {
        let rate = self.unit.rate(self.amount, times.median_ns);
        let limit = self.least_ns.map(|least| self.unit.rate(self.amount, least));
        Line {
            work: self.work.clone(),
            threads: self.threads,
            who: times.name,
            best_ns: times.best_ns,
            median_ns: times.median_ns,
            noise: times.noise,
            rate,
            unit: self.unit.name(),
            limit,
            of_limit: limit.map(|limit| self.unit.share(rate, limit)),
            note,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_grow_with_speed_and_times_per_thing_fall_and_both_are_shares_of_a_limit() {
        assert_eq!(Unit::Bytes.rate(100.0, 50.0), 2.0);
        assert_eq!(Unit::Edges.rate(100.0, 50.0), 2000.0);
        assert_eq!(Unit::NsPer("element").rate(100.0, 50.0), 0.5);
        assert_eq!(Unit::Bytes.share(2.0, 4.0), 0.5);
        assert_eq!(Unit::NsPer("element").share(0.5, 0.25), 0.5);
    }
}
