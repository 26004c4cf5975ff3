//! Strengths wearing off, in place.

use std::sync::Arc;
use std::time::Duration;

use ecphory::{Ages, Decay};
use rayon::prelude::*;

use super::check;
use crate::{Case, Clock, Contender, Limits, Unit, Work, data, scalar};

const DAY: f32 = 86_400.0;

/// A law of forgetting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// Half is left after [`HALF_LIFE`].
    Exponential,
    /// `(1 + age / SCALE)^-EXPONENT`.
    Power,
}

/// Of the exponential law, in seconds.
pub const HALF_LIFE: f32 = 365.0 * DAY;
/// Of the power law, in seconds.
pub const SCALE: f32 = 30.0 * DAY;
/// Of the power law.
pub const EXPONENT: f32 = 0.5;

impl Law {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Exponential, Self::Power];

    /// As lines name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exponential => "exponential",
            Self::Power => "power",
        }
    }

    /// What is left after `age`, in f64.
    #[must_use]
    pub fn retention(self, age: f32) -> f64 {
        match self {
            Self::Exponential => (-f64::from(age) / f64::from(HALF_LIFE)).exp2(),
            Self::Power => (1.0 + f64::from(age) / f64::from(SCALE)).powf(-f64::from(EXPONENT)),
        }
    }

    fn ours(self) -> Decay<'static> {
        let law = match self {
            Self::Exponential => Decay::half_life_seconds(HALF_LIFE),
            Self::Power => Decay::power(SCALE, EXPONENT),
        };
        law.expect("constants of a law")
    }
}

/// Passes over the same strengths before they are set to 1 again, outside the measured time: so often multiplied, none
/// has become so small that arithmetic would slow down.
const PASSES: u64 = 64;

/// Whether strengths of 1 have become what the law says. Of many, some 100,000 all over them are looked at, and the
/// last ones.
///
/// # Errors
/// Who is wrong, and where.
pub fn right(who: &str, law: Law, strengths: &[f32], ages: &[f32], tolerance: f64) -> Result<(), String> {
    let n = ages.len();
    if strengths.len() != n {
        return Err(format!("{who}: expected {n} strengths, found {}", strengths.len()));
    }
    // An odd step meets every lane of a register.
    let shown: Vec<_> = (0..n).step_by((n / 100_000) | 1).chain(n.saturating_sub(100)..n).collect();
    let found: Vec<_> = shown.iter().map(|&at| strengths[at]).collect();
    let expected: Vec<_> = shown.iter().map(|&at| law.retention(ages[at])).collect();
    check(who, &found, &expected, |_, exact| exact * tolerance)
}

/// A contender that decays strengths in place, checked against the law within `tolerance`, relative, before it is let
/// in.
///
/// # Errors
/// That its strengths are wrong.
pub fn decaying<'a>(
    name: &str,
    threads: usize,
    law: Law,
    ages: &Arc<[f32]>,
    tolerance: f64,
    mut apply: impl FnMut(&mut [f32], &[f32]) + 'a,
) -> Result<Contender<'a>, String> {
    let ages = ages.clone();
    let mut strengths = vec![1.0; ages.len()];
    apply(&mut strengths, &ages);
    right(name, law, &strengths, &ages, tolerance)?;
    let clock = Clock::for_threads(threads);
    Ok(Contender::timing_itself(name, move |times| {
        let mut took = Duration::ZERO;
        let mut left = times;
        while left > 0 {
            let now = left.min(PASSES);
            strengths.fill(1.0);
            let start = clock.now();
            (0..now).for_each(|_| apply(std::hint::black_box(&mut strengths), &ages));
            took += clock.now() - start;
            left -= now;
        }
        took
    }))
}

/// The work of one case.
#[must_use]
pub fn work(law: Law, n: usize) -> Work {
    Work::Decay { case: law.name().into(), n }
}

/// Ours and the plain loop, on many threads in tasks. What binds is reading strengths and ages and writing strengths.
///
/// # Errors
/// That our answer is wrong.
pub fn decay(limits: &Limits, law: Law, ages: &Arc<[f32]>, threads: usize) -> Result<Case<'static>, String> {
    let (n, bytes) = (ages.len(), 12.0 * ages.len() as f64);
    let level = limits.level(8 * n, threads);
    let least = limits.least_ns(level, bytes, threads);
    let mut case = Case::new(work(law, n), threads, Unit::NsPer("memory"), n as f64).at_least(least);
    let ours = law.ours();
    let by_us = move |strengths: &mut [f32], ages: &[f32]| {
        ours.apply(strengths, Ages::Seconds(ages)).expect("as many ages as strengths");
    };
    case.add(decaying("ecphory", threads, law, ages, 2e-7, by_us)?);
    let by_loop = move |strengths: &mut [f32], ages: &[f32]| {
        in_tasks(strengths, ages, |strengths, ages| match law {
            Law::Exponential => scalar::exponential(strengths, ages, HALF_LIFE),
            Law::Power => scalar::power(strengths, ages, SCALE, EXPONENT),
        });
    };
    case.try_add("scalar", None, || decaying("scalar", threads, law, ages, 1e-6, by_loop));
    Ok(case)
}

/// Memories that one thread decays at a time, as many as ours gives to one.
const TASK: usize = 1 << 19;

/// `apply` to all, on the threads of the pool where there is more than one task.
pub fn in_tasks(strengths: &mut [f32], ages: &[f32], apply: impl Fn(&mut [f32], &[f32]) + Sync) {
    if strengths.len() <= TASK {
        return apply(strengths, ages);
    }
    strengths.par_chunks_mut(TASK).zip(ages.par_chunks(TASK)).for_each(|(strengths, ages)| apply(strengths, ages));
}

/// The ages of `n` memories.
#[must_use]
pub fn ages(n: usize) -> Arc<[f32]> {
    data::ages(4, n).into()
}
