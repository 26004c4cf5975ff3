//! Models of memory, and decay by other ways than one law and ages in seconds.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use ecphory::{Ages, BaseLevel, Decay, DecayParams, Fsrs, Presentations};

use super::check;
use crate::data::Random;
use crate::{Case, Clock, Contender, Limits, Unit, Work};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// [`ROUNDS`] reviews of each memory by FSRS-6, one after the other.
    Review,
    /// What FSRS-6 says is left.
    Retrievability,
    /// ACT-R's, exact, of [`LISTED`] presentations a memory.
    BaseLevel,
    /// Decay by a stability.
    Stability,
    /// Exponential decay by moments in Unix milliseconds.
    Milliseconds,
    /// Exponential decay, each memory by its own half-life.
    HalfLives,
}

/// Reviews of each memory.
pub const ROUNDS: usize = 5;
/// Presentations of each memory.
pub const LISTED: usize = 10;

const DAY: f32 = 86_400.0;
const NOW: i64 = 1_700_000_000_123;
/// Passes over the same strengths before they are set to 1 again, outside the measured time.
const PASSES: u64 = 64;

impl Way {
    /// All there are.
    pub const ALL: [Self; 6] =
        [Self::Review, Self::Retrievability, Self::BaseLevel, Self::Stability, Self::Milliseconds, Self::HalfLives];

    /// As lines name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Review => "fsrs_review",
            Self::Retrievability => "fsrs_retrievability",
            Self::BaseLevel => "base_level",
            Self::Stability => "stability",
            Self::Milliseconds => "milliseconds",
            Self::HalfLives => "half_lives",
        }
    }

    /// How much is done for a memory, and what of.
    fn amount(self) -> (usize, &'static str) {
        match self {
            Self::Review => (ROUNDS, "review"),
            Self::BaseLevel => (LISTED, "presentation"),
            _ => (1, "memory"),
        }
    }

    /// Bytes read and written for a memory.
    fn bytes(self) -> usize {
        match self {
            Self::Review => 21 * ROUNDS,
            Self::BaseLevel => 4 * LISTED + 8,
            Self::Milliseconds | Self::HalfLives => 16,
            Self::Retrievability | Self::Stability => 12,
        }
    }
}

/// The work of one case.
#[must_use]
pub fn work(way: Way, n: usize) -> Work {
    Work::Decay { case: way.name().into(), n }
}

/// Memories with all that any way asks for, the same in every run.
pub struct Memories {
    /// In days.
    pub stabilities: Vec<f32>,
    /// From 1 to 10.
    pub difficulties: Vec<f32>,
    /// Whole days before each round of reviews.
    pub days: Vec<Vec<f32>>,
    /// Of each round, from 1 to 4, most of them 3.
    pub grades: Vec<Vec<u8>>,
    half_lives: Vec<f32>,
    seconds: Vec<f32>,
    times: Vec<i64>,
    offsets: Vec<u32>,
    presented: Vec<f32>,
}

impl Memories {
    /// So many.
    #[must_use]
    pub fn new(n: usize) -> Arc<Self> {
        let mut numbers = Random::new(5);
        let mut drawn =
            |count: usize, of: fn(f64) -> f64| -> Vec<f32> { (0..count).map(|_| of(numbers.unit()) as f32).collect() };
        let seconds = drawn(n, |x| x * 365.0 * f64::from(DAY));
        let grade = |x: f32| 1 + u8::from(x > 0.15) + u8::from(x > 0.25) + u8::from(x > 0.85);
        Arc::new(Self {
            stabilities: drawn(n, |x| (x * 8.0).exp2()),
            difficulties: drawn(n, |x| 1.0 + 9.0 * x),
            days: (0..ROUNDS).map(|_| drawn(n, |x| (x * 6.0).exp2().floor())).collect(),
            grades: (0..ROUNDS).map(|_| drawn(n, |x| x).into_iter().map(grade).collect()).collect(),
            half_lives: drawn(n, |x| (30.0 + 700.0 * x) * f64::from(DAY)),
            times: seconds.iter().map(|&age| NOW - (f64::from(age) * 1000.0) as i64).collect(),
            seconds,
            offsets: (0..=n).map(|memory| (memory * LISTED) as u32).collect(),
            presented: drawn(n * LISTED, |x| (x * 24.0).exp2()),
        })
    }

    /// Stabilities after all reviews, by the definition.
    #[must_use]
    pub fn reviewed(&self) -> Vec<f64> {
        let mut state = self.state();
        self.review_by_loop(&mut state);
        state.0
    }

    fn state(&self) -> (Vec<f64>, Vec<f64>) {
        let wide = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect();
        (wide(&self.stabilities), wide(&self.difficulties))
    }

    fn review_by_loop(&self, (stabilities, difficulties): &mut (Vec<f64>, Vec<f64>)) {
        for (days, grades) in self.days.iter().zip(&self.grades) {
            let states = stabilities.iter_mut().zip(difficulties.iter_mut());
            for ((s, d), (&days, &grade)) in states.zip(days.iter().zip(grades)) {
                (*s, *d) = review(*s, *d, days.into(), grade);
            }
        }
    }

    /// What FSRS-6 says is left after the first round's days.
    #[must_use]
    pub fn left(&self) -> Vec<f64> {
        self.stabilities.iter().zip(&self.days[0]).map(|(&s, &days)| left(s.into(), days.into())).collect()
    }
}

const W: [f64; 21] = Fsrs::PARAMETERS;

/// One over every memory, which writes what it finds.
type Pass = Box<dyn FnMut(&mut Vec<f32>)>;

fn left(stability: f64, days: f64) -> f64 {
    let factor = 0.9f64.powf(-1.0 / W[20]) - 1.0;
    (1.0 + factor * days / stability).powf(-W[20])
}

/// After a day or more.
fn review(s: f64, d: f64, days: f64, grade: u8) -> (f64, f64) {
    let (lost, grade) = (1.0 - left(s, days), f64::from(grade));
    let weight = if grade == 2.0 { W[15] } else { 1.0 } * if grade == 4.0 { W[16] } else { 1.0 };
    let next = if grade == 1.0 {
        let growth = (s + 1.0).powf(W[13]) - 1.0;
        (W[11] * d.powf(-W[12]) * growth * (W[14] * lost).exp()).min(s / (W[17] * W[18]).exp())
    } else {
        s * (1.0 + W[8].exp() * (11.0 - d) * s.powf(-W[9]) * (W[10] * lost).exp_m1() * weight)
    };
    let easiest = W[4] - (3.0 * W[5]).exp() + 1.0;
    let harder = W[7] * easiest + (1.0 - W[7]) * (d - W[6] * (grade - 3.0) * (10.0 - d) / 9.0);
    (next.clamp(0.001, 36_500.0), harder.clamp(1.0, 10.0))
}

/// Who does `apply` to a state, which is first looked at by `right`; `restore`, outside the measured time, comes before
/// every so many of them.
///
/// # Errors
/// What `right` says.
pub fn timed<'a, S: 'a>(
    name: &str,
    threads: usize,
    (mut state, restore, every): (S, impl Fn(&mut S) + 'a, u64),
    mut apply: impl FnMut(&mut S) + 'a,
    right: impl FnOnce(&S) -> Result<(), String>,
) -> Result<Contender<'a>, String> {
    restore(&mut state);
    apply(&mut state);
    right(&state)?;
    let clock = Clock::for_threads(threads);
    Ok(Contender::timing_itself(name, move |times| {
        let mut took = Duration::ZERO;
        let mut left = times;
        while left > 0 {
            let now = left.min(every);
            restore(&mut state);
            let start = clock.now();
            (0..now).for_each(|_| apply(black_box(&mut state)));
            took += clock.now() - start;
            left -= now;
        }
        took
    }))
}

/// Ours, and on one thread the plain loop.
///
/// # Errors
/// That our answer is wrong.
pub fn case(limits: &Limits, way: Way, memories: &Arc<Memories>, threads: usize) -> Result<Case<'static>, String> {
    let (n, (each, what)) = (memories.stabilities.len(), way.amount());
    let level = limits.level(n * way.bytes(), threads);
    let least = limits.least_ns(level, (n * way.bytes()) as f64, threads);
    let mut case = Case::new(work(way, n), threads, Unit::NsPer(what), (n * each) as f64).at_least(least);
    case.add(ours(way, memories, threads)?);
    if threads == 1 {
        case.try_add("scalar", None, || by_loop(way, memories));
    }
    Ok(case)
}

fn ours(way: Way, memories: &Arc<Memories>, threads: usize) -> Result<Contender<'static>, String> {
    let (all, of, n) = (memories.clone(), memories.clone(), memories.stabilities.len());
    if way == Way::Review {
        let restore = move |state: &mut (Vec<f32>, Vec<f32>)| {
            state.0.copy_from_slice(&of.stabilities);
            state.1.copy_from_slice(&of.difficulties);
        };
        let apply = move |(stabilities, difficulties): &mut (Vec<f32>, Vec<f32>)| {
            for (days, grades) in all.days.iter().zip(&all.grades) {
                Fsrs::default().review(stabilities, difficulties, days, grades).expect("whole columns");
            }
        };
        let right = |state: &(Vec<f32>, Vec<f32>)| near("ecphory", &state.0, &memories.reviewed(), 2e-6);
        return timed("ecphory", threads, ((vec![0.0; n], vec![0.0; n]), restore, 1), apply, right);
    }
    // Strengths, or what is written apart.
    let restore = |state: &mut Vec<f32>| state.fill(1.0);
    let right = |state: &Vec<f32>| near("ecphory", state, &expected(way, memories), 3e-7);
    let apply: Pass = match way {
        Way::Retrievability => Box::new(move |to| {
            Fsrs::default().retrievability(&all.stabilities, &all.days[0], to).expect("whole columns");
        }),
        Way::BaseLevel => Box::new(move |to| {
            let presentations = Presentations::new(&all.offsets).expect("offsets in order");
            let level = BaseLevel::new(0.5).expect("a constant");
            level.exact(&presentations, Ages::Seconds(&all.presented), to).expect("whole columns");
        }),
        Way::Stability => {
            let law = Decay::stability_seconds(30.0 * DAY).expect("a constant");
            Box::new(move |to| {
                law.apply(to, Ages::Seconds(&all.seconds)).expect("whole columns");
            })
        }
        Way::HalfLives => {
            let parameters = DecayParams::half_lives_seconds(all.half_lives.clone()).expect("half-lives above 0");
            Box::new(move |to| {
                parameters.law().apply(to, Ages::Seconds(&all.seconds)).expect("whole columns");
            })
        }
        _ => {
            let law = Decay::half_life_seconds(365.0 * DAY).expect("a constant");
            Box::new(move |to| {
                let ages = Ages::UnixMilliseconds { now: NOW, times: &all.times };
                law.apply(to, ages).expect("whole columns");
            })
        }
    };
    timed("ecphory", threads, (vec![0.0; n], restore, PASSES), apply, right)
}

fn by_loop(way: Way, memories: &Arc<Memories>) -> Result<Contender<'static>, String> {
    let (all, n) = (memories.clone(), memories.stabilities.len());
    if way == Way::Review {
        let of = memories.clone();
        let restore = move |state: &mut (Vec<f64>, Vec<f64>)| *state = of.state();
        let apply = move |state: &mut (Vec<f64>, Vec<f64>)| all.review_by_loop(state);
        return timed("scalar", 1, ((Vec::new(), Vec::new()), restore, 1), apply, |_| Ok(()));
    }
    let restore = |state: &mut Vec<f32>| state.fill(1.0);
    let right = |state: &Vec<f32>| near("scalar", state, &expected(way, memories), 3e-6);
    let apply = move |to: &mut Vec<f32>| match way {
        Way::BaseLevel => {
            for (to, ages) in to.iter_mut().zip(all.presented.chunks(LISTED)) {
                *to = ages.iter().map(|age| f64::from(1.0 / age.sqrt())).sum::<f64>().ln() as f32;
            }
        }
        _ => to.iter_mut().enumerate().for_each(|(i, to)| *to *= retention(way, &all, i)),
    };
    timed("scalar", 1, (vec![0.0; n], restore, PASSES), apply, right)
}

/// In f32, as a loop has it.
fn retention(way: Way, all: &Memories, i: usize) -> f32 {
    match way {
        Way::Retrievability => {
            let factor = (0.9f64.powf(-1.0 / W[20]) - 1.0) as f32;
            (1.0 + factor * all.days[0][i] / all.stabilities[i]).powf(-W[20] as f32)
        }
        Way::Stability => 0.9f32.powf(all.seconds[i] / (30.0 * DAY)),
        Way::HalfLives => (-all.seconds[i] / all.half_lives[i]).exp2(),
        _ => (-((NOW - all.times[i]) as f32) / (365_000.0 * DAY)).exp2(),
    }
}

fn expected(way: Way, all: &Memories) -> Vec<f64> {
    let seconds = all.seconds.iter().map(|&second| f64::from(second));
    let half_life = 365.0 * f64::from(DAY);
    match way {
        Way::Review => all.reviewed(),
        Way::Retrievability => all.left(),
        Way::BaseLevel => {
            let of = |ages: &[f32]| ages.iter().map(|&age| f64::from(age).powf(-0.5)).sum::<f64>().ln();
            all.presented.chunks(LISTED).map(of).collect()
        }
        Way::Stability => seconds.map(|age| 0.9f64.powf(age / (30.0 * f64::from(DAY)))).collect(),
        Way::HalfLives => seconds.zip(&all.half_lives).map(|(age, &half)| (-age / f64::from(half)).exp2()).collect(),
        Way::Milliseconds => all.times.iter().map(|at| (-((NOW - at) as f64) / 1000.0 / half_life).exp2()).collect(),
    }
}

/// Relative, and as much where numbers are below 1: base levels may be near 0.
fn near(who: &str, found: &[f32], expected: &[f64], tolerance: f64) -> Result<(), String> {
    check(who, found, expected, |_, exact| tolerance * exact.abs().max(1.0))
}
