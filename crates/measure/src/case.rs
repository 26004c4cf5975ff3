//! One piece of work, everyone who does it, and what that says.

use crate::{Contender, Contest, Effort, LeftOut, Line, Times, Work, caught};

/// What a rate counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes that must be read, in GB/s.
    Bytes,
    /// Operations, in GFLOP/s.
    Operations,
    /// Operations on integers, in GOP/s.
    Integers,
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
            Self::Integers => "GOP/s".into(),
            Self::Edges => "Medges/s".into(),
            Self::NsPer(thing) => format!("ns/{thing}"),
        }
    }

    /// `amount` done in `ns`.
    #[must_use]
    pub fn rate(self, amount: f64, ns: f64) -> f64 {
        match self {
            Self::Bytes | Self::Operations | Self::Integers => amount / ns,
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
    /// What a reader must know of everyone.
    of_all: Option<String>,
    left_out: Vec<LeftOut>,
}

impl<'a> Case<'a> {
    /// Work that holds `amount` of what `unit` counts.
    #[must_use]
    pub fn new(work: Work, threads: usize, unit: Unit, amount: f64) -> Self {
        let (contest, notes, left_out) = (Contest::new(), Vec::new(), Vec::new());
        Self { work, threads, unit, amount, least_ns: None, contest, notes, of_all: None, left_out }
    }

    /// The least time in ns that this machine could take for it.
    #[must_use]
    pub fn at_least(self, least_ns: f64) -> Self {
        Self { least_ns: Some(least_ns), ..self }
    }

    /// What a reader must know of everyone's time; each note ends with it.
    #[must_use]
    pub fn noted(self, of_all: Option<&str>) -> Self {
        Self { of_all: of_all.map(Into::into), ..self }
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

    /// And the one whom `make` makes and finds right; where it does not, or panics, the case goes on without it.
    pub fn try_add(
        &mut self,
        who: &str,
        note: Option<String>,
        make: impl FnOnce() -> Result<Contender<'a>, String>,
    ) -> &mut Self {
        match caught(who, make) {
            Ok(Ok(contender)) => {
                self.contest.add(contender);
                self.notes.push(note);
            }
            Ok(Err(why)) => self.left_out.push(LeftOut { who: who.into(), why }),
            Err(left_out) => self.left_out.push(left_out),
        }
        self
    }

    /// One line for each contender, in the order of joining, and who was left out.
    pub fn run(mut self, effort: Effort) -> (Vec<Line>, Vec<LeftOut>) {
        let mut lines = Vec::new();
        let mut left_out = std::mem::take(&mut self.left_out);
        for (times, note) in self.contest.run(effort).into_iter().zip(self.notes.clone()) {
            match times {
                Ok(times) => lines.push(self.line(times, note)),
                Err(panicked) => left_out.push(panicked),
            }
        }
        (lines, left_out)
    }

    fn line(&self, times: Times, note: Option<String>) -> Line {
        let rate = self.unit.rate(self.amount, times.median_ns);
        let notes: Vec<String> = note.into_iter().chain(self.of_all.clone()).collect();
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
            note: (!notes.is_empty()).then(|| notes.join("; ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn rates_grow_with_speed_and_times_per_thing_fall_and_both_are_shares_of_a_limit() {
        assert_eq!(Unit::Bytes.rate(100.0, 50.0), 2.0);
        assert_eq!(Unit::Edges.rate(100.0, 50.0), 2000.0);
        assert_eq!(Unit::NsPer("element").rate(100.0, 50.0), 0.5);
        assert_eq!(Unit::Bytes.share(2.0, 4.0), 0.5);
        assert_eq!(Unit::NsPer("element").share(0.5, 0.25), 0.5);
    }

    #[test]
    fn what_is_true_of_everyone_is_in_every_note() {
        let contender = |name: &str| Contender::timing_itself(name, Duration::from_millis);
        let case = Case::new(Work::Decay { case: "power".into(), n: 1 }, 1, Unit::NsPer("memory"), 1.0);
        let mut case = case.noted(Some("of all"));
        case.add(contender("first")).add_noted(contender("last"), "a note");
        let notes: Vec<_> = case.run(Effort::QUICK).0.into_iter().map(|line| line.note.unwrap()).collect();
        assert_eq!(notes, ["of all", "a note; of all"]);
    }

    #[test]
    fn who_is_wrong_or_panics_is_left_out_and_the_others_are_measured() {
        let contender = |name: &str| Contender::timing_itself(name, Duration::from_millis);
        let mut case = Case::new(Work::Decay { case: "power".into(), n: 1 }, 1, Unit::NsPer("memory"), 1.0);
        case.add(contender("first"));
        case.try_add("wrong", None, || Err("wrong: expected 1, found 2".into()));
        case.try_add("broken", None, || panic!("no such thing"));
        case.try_add("late", None, || Ok(Contender::timing_itself("late", |_| panic!("too late"))));
        case.try_add("last", Some("a note".into()), || Ok(contender("last")));
        let (lines, left_out) = case.run(Effort::QUICK);
        let lines: Vec<_> = lines.iter().map(|line| (line.who.as_str(), line.note.as_deref())).collect();
        assert_eq!(lines, [("first", None), ("last", Some("a note"))]);
        let left_out: Vec<_> = left_out.iter().map(|left_out| left_out.why.as_str()).collect();
        let [wrong, broken] = ["wrong: expected 1, found 2", "broken: panicked: no such thing"];
        assert_eq!(left_out, [wrong, broken, "late: panicked: too late"]);
    }
}
