//! Contenders on the same work, one sample of each in every round, in shuffled order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::Clock;
use crate::data::Random;

/// How much time a measurement may take.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Samples of each contender.
    pub rounds: usize,
    /// What one sample lasts at least, unless one run lasts longer.
    pub sample: Duration,
}

impl Effort {
    /// For figures that are kept.
    pub const FULL: Self = Self { rounds: 15, sample: Duration::from_millis(4) };
    /// For a first look.
    pub const QUICK: Self = Self { rounds: 5, sample: Duration::from_millis(1) };
}

/// One of those who do the same work.
pub struct Contender<'a> {
    name: String,
    /// Does the work so many times and returns what that took.
    sample: Box<dyn FnMut(u64) -> Duration + 'a>,
}

impl<'a> Contender<'a> {
    /// Does the work once per call.
    pub fn new(name: impl Into<String>, clock: Clock, mut work: impl FnMut() + 'a) -> Self {
        Self::of_loop(name, clock, move |times| (0..times).for_each(|_| work()))
    }

    /// Does the work as many times as it is told: for work of few instructions, where a call would be felt.
    pub fn of_loop(name: impl Into<String>, clock: Clock, mut work: impl FnMut(u64) + 'a) -> Self {
        Self::timing_itself(name, move |times| {
            let start = clock.now();
            work(times);
            clock.now() - start
        })
    }

    /// Does the work so many times and says what that took: for threads and processes of its own.
    pub fn timing_itself(name: impl Into<String>, sample: impl FnMut(u64) -> Duration + 'a) -> Self {
        Self { name: name.into(), sample: Box::new(sample) }
    }
}

/// What one contender took, in nanoseconds for the work done once.
#[derive(Debug, Clone, PartialEq)]
pub struct Times {
    /// Who.
    pub name: String,
    /// The shortest sample.
    pub best_ns: f64,
    /// The middle sample.
    pub median_ns: f64,
    /// Half the distance between the quartiles, as a share of the median: what to think of small differences.
    pub noise: f64,
}

/// Contenders on one piece of work.
#[derive(Default)]
pub struct Contest<'a> {
    contenders: Vec<Contender<'a>>,
}

impl<'a> Contest<'a> {
    /// Nobody yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// And this one.
    pub fn add(&mut self, contender: Contender<'a>) -> &mut Self {
        self.contenders.push(contender);
        self
    }

    /// Warms everyone up, then takes a sample of each per round, in an order shuffled anew each time. In the order of
    /// joining; of whom panics, that, for it takes part no longer.
    pub fn run(&mut self, effort: Effort) -> Vec<Result<Times, LeftOut>> {
        let mut entries: Vec<_> = self
            .contenders
            .iter_mut()
            .map(|Contender { name, sample }| {
                let times = caught(name, || calibrate(sample, effort.sample));
                Entry { name, sample, state: times.map(|times| (times, Vec::new())) }
            })
            .collect();
        let mut order: Vec<usize> = (0..entries.len()).collect();
        let mut random = Random::new(0x5eed + CONTESTS.fetch_add(1, Ordering::Relaxed));
        for _ in 0..effort.rounds.max(1) {
            random.shuffle(&mut order);
            order.iter().for_each(|&who| entries[who].sample());
        }
        let times = |entry: Entry<'_, '_>| entry.state.map(|(_, samples)| Times::of(entry.name, samples));
        entries.into_iter().map(times).collect()
    }
}

/// Run so far: no two have the same orders.
static CONTESTS: AtomicU64 = AtomicU64::new(0);

/// A contender that is warm, and its samples; or why it takes part no longer.
struct Entry<'c, 'a> {
    name: &'c str,
    sample: &'c mut Box<dyn FnMut(u64) -> Duration + 'a>,
    state: Result<(u64, Vec<f64>), LeftOut>,
}

impl Entry<'_, '_> {
    fn sample(&mut self) {
        let Ok((times, samples)) = &mut self.state else { return };
        match caught(self.name, || (self.sample)(*times)) {
            Ok(took) => samples.push(took.as_secs_f64() * 1e9 / *times as f64),
            Err(left_out) => self.state = Err(left_out),
        }
    }
}

/// Who takes no part in a case, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// The name that its lines would have.
    pub who: String,
    /// What was expected and what was found.
    pub why: String,
}

/// What `work` returns.
///
/// # Errors
/// That `who` panicked in it.
pub fn caught<R>(who: &str, work: impl FnOnce() -> R) -> Result<R, LeftOut> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or(payload.downcast_ref::<&str>().copied()).unwrap_or("without a message");
        LeftOut { who: who.into(), why: format!("{who}: panicked: {text}") }
    })
}

/// Work that takes no time at all is not done more often for a sample.
const MOST: u64 = 1 << 32;

/// How many times the work is to be done for a sample of at least `wanted`. The runs it takes to know warm up.
fn calibrate(sample: &mut dyn FnMut(u64) -> Duration, wanted: Duration) -> u64 {
    let mut times = 1;
    loop {
        let mut took = sample(times);
        if took >= wanted {
            // Once more, for that run may have been cold, or one of its threads late.
            took = took.min(sample(times));
        }
        if took >= wanted || times >= MOST {
            return times;
        }
        let missing = wanted.as_secs_f64() / took.as_secs_f64().max(1e-9);
        // A little above what is missing, so that the next try is the last; never by more than tenfold, for a first run
        // may have been cold.
        times = (times as f64 * (missing * 1.05).clamp(1.5, 10.0)).ceil() as u64;
    }
}

impl Times {
    fn of(name: &str, mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let at = |share: f64| samples[((samples.len() - 1) as f64 * share).round() as usize];
        let median_ns = at(0.5);
        Self { name: name.into(), best_ns: samples[0], median_ns, noise: (at(0.75) - at(0.25)) / 2.0 / median_ns }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_contender_works_in_every_round_and_as_often_as_it_is_told() {
        let mut done = [0u64; 2];
        let [first, second] = &mut done;
        let mut contest = Contest::new();
        contest.add(Contender::timing_itself("slow", |times| {
            *first += times;
            Duration::from_millis(3) * times as u32
        }));
        contest.add(Contender::timing_itself("fast", |times| {
            *second += times;
            Duration::from_micros(100) * times as u32
        }));
        let times = contest.run(Effort { rounds: 4, sample: Duration::from_millis(1) });
        drop(contest);
        let medians: Vec<_> =
            times.into_iter().map(Result::unwrap).map(|times| (times.name, times.median_ns)).collect();
        assert_eq!(medians, [("slow".into(), 3e6), ("fast".into(), 1e5)]);
        assert_eq!(done[0], 6);
        assert!(done[1] >= 4 * 10);
    }

    #[test]
    fn orders_differ_from_run_to_run() {
        let order = std::cell::RefCell::new(Vec::new());
        let mut contest = Contest::new();
        for who in 0..8 {
            let order = &order;
            contest.add(Contender::timing_itself("", move |_| {
                order.borrow_mut().push(who);
                Duration::from_millis(2)
            }));
        }
        let mut run = || {
            contest.run(Effort { rounds: 4, sample: Duration::from_millis(1) });
            order.take()
        };
        assert_ne!(run(), run());
    }

    #[test]
    fn who_panics_takes_part_no_longer_and_the_others_do() {
        let mut left = 5;
        let mut contest = Contest::new();
        contest.add(Contender::timing_itself("cold", |_| panic!("no page {}", 7)));
        contest.add(Contender::timing_itself("tired", |_| {
            left -= 1;
            assert!(left > 0, "tired");
            Duration::from_millis(2)
        }));
        contest.add(Contender::timing_itself("steady", |_| Duration::from_millis(2)));
        let found: Vec<_> = contest
            .run(Effort { rounds: 9, sample: Duration::from_millis(1) })
            .into_iter()
            .map(|times| times.map(|times| times.median_ns).map_err(|left_out| left_out.why))
            .collect();
        assert_eq!(found, [Err("cold: panicked: no page 7".into()), Err("tired: panicked: tired".into()), Ok(2e6)]);
    }

    #[test]
    fn the_median_is_the_middle_and_noise_half_of_the_middle_half() {
        let times = Times::of("", vec![5.0, 1.0, 2.0, 4.0, 3.0]);
        assert_eq!((times.best_ns, times.median_ns), (1.0, 3.0));
        assert_eq!(times.noise, 1.0 / 3.0);
    }
}
