#![allow(unsafe_code)]

use rayon::prelude::*;

use crate::{Error, arena, ffi};

/// Memories that one rayon task decays; fewer stay on the calling thread.
const TASK_MEMORIES: usize = 1 << 19;

/// How old each memory is.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Ages<'a> {
    /// Seconds. Below 0 counts as 0, NaN gives NaN; the report counts both. Infinite ages are fine.
    Seconds(&'a [f32]),
    /// Moments from which age runs until `now`, all in Unix milliseconds; a moment after `now` is an age below 0.
    /// Differences are taken in i64 and saturate there.
    UnixMilliseconds {
        /// The present moment.
        now: i64,
        /// When each memory was last strengthened.
        times: &'a [i64],
    },
}

impl Ages<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Seconds(ages) => ages.len(),
            Self::UnixMilliseconds { times, .. } => times.len(),
        }
    }

    fn raw(&self, from: usize, to: usize) -> ffi::ecp_ages {
        match self {
            Self::Seconds(ages) => {
                ffi::ecp_ages { seconds: ages[from..to].as_ptr(), unix_milliseconds: std::ptr::null(), now: 0 }
            }
            &Self::UnixMilliseconds { now, times } => {
                ffi::ecp_ages { seconds: std::ptr::null(), unix_milliseconds: times[from..to].as_ptr(), now }
            }
        }
    }
}

/// What [`Decay::apply`] met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DecayReport {
    /// Ages below 0, taken as 0.
    pub negative_ages: usize,
    /// Ages that are NaN, and made the strength NaN.
    pub nan_ages: usize,
}

/// A law by which strengths fall with age. Its parameters are checked here, once.
///
/// `strength' = max(strength * R(age), min(strength, floor))`: a strength already below the floor stays as it is.
/// Results are within 0.67 ulp of the exponential law taken in exact arithmetic, and within 0.67 + 0.0163 exponent of
/// the power law, 0.501 where the exponent is above 16 and up to 100; where a result is no normal number, within half an
/// ulp and half of that. What a memory becomes does not depend on those beside it.
/// NaN strengths stay NaN, infinite ones infinite.
///
/// ```
/// use ecphory::{Ages, Decay};
///
/// let mut strengths = [1.0, 1.0, 0.05];
/// let day = 86_400.0;
/// Decay::half_life_seconds(day)?.floor(0.1)?.apply(&mut strengths, Ages::Seconds(&[day, 9.0 * day, day]))?;
/// assert_eq!(strengths, [0.5, 0.1, 0.05]);
/// # Ok::<(), ecphory::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct Decay<'a> {
    parameters: Parameters<'a>,
    floor: f32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Parameters<'a> {
    HalfLife([f32; 1]),
    HalfLives(&'a [f32]),
    Power([f32; 1], [f32; 1]),
    Powers(&'a [f32], &'a [f32]),
}

impl Decay<'static> {
    /// Exponential: `R = 2^(-age / half_life_seconds)`. Half is left after one half-life; not `e^-1`.
    ///
    /// # Errors
    /// [`Error::Value`] unless the half-life is finite and above 0.
    pub fn half_life_seconds(half_life_seconds: f32) -> Result<Self, Error> {
        Error::check_positive("half-life in seconds", None, half_life_seconds)?;
        Ok(Self { parameters: Parameters::HalfLife([half_life_seconds]), floor: 0.0 })
    }

    /// Power law: `R = (1 + age / scale_seconds)^-exponent`, after Wickelgren, "Single-trace fragility theory of memory
    /// dynamics", Memory & Cognition 2 (1974), without its exponential factor.
    ///
    /// # Errors
    /// [`Error::Value`] unless both are finite and above 0.
    pub fn power(scale_seconds: f32, exponent: f32) -> Result<Self, Error> {
        Error::check_positive("scale in seconds", None, scale_seconds)?;
        Error::check_positive("exponent", None, exponent)?;
        Ok(Self { parameters: Parameters::Power([scale_seconds], [exponent]), floor: 0.0 })
    }
}

impl<'a> Decay<'a> {
    /// [`Decay::half_life_seconds`] with a half-life for each memory.
    ///
    /// # Errors
    /// [`Error::Value`] unless all are finite and above 0.
    pub fn half_lives_seconds(half_lives_seconds: &'a [f32]) -> Result<Self, Error> {
        check_all("half-life in seconds", half_lives_seconds)?;
        Ok(Self { parameters: Parameters::HalfLives(half_lives_seconds), floor: 0.0 })
    }

    /// [`Decay::power`] with a scale and an exponent for each memory.
    ///
    /// # Errors
    /// [`Error::Value`] unless all are finite and above 0; [`Error::Length`] unless there are as many of one as of
    /// the other.
    pub fn powers(scales_seconds: &'a [f32], exponents: &'a [f32]) -> Result<Self, Error> {
        Error::check_length("exponents", scales_seconds.len(), exponents.len())?;
        check_all("scale in seconds", scales_seconds)?;
        check_all("exponent", exponents)?;
        Ok(Self { parameters: Parameters::Powers(scales_seconds, exponents), floor: 0.0 })
    }

    /// The strength below which nothing falls; 0 at first, which is none.
    ///
    /// # Errors
    /// [`Error::Value`] unless finite and 0 or more.
    pub fn floor(self, floor: f32) -> Result<Self, Error> {
        Error::check_magnitude("floor", None, floor)?;
        Ok(Self { floor, ..self })
    }

    /// Decays `strengths` in place, each by its age. Needs no scratch.
    ///
    /// # Errors
    /// [`Error::Length`] unless `ages`, and parameters given for each memory, are as many as `strengths`;
    /// [`Error::ThreadEnding`]; [`Error::UnknownTier`]. Nothing is then written.
    pub fn apply(&self, strengths: &mut [f32], ages: Ages<'_>) -> Result<DecayReport, Error> {
        Error::check_length("ages", strengths.len(), ages.len())?;
        match self.parameters {
            Parameters::HalfLives(each) => Error::check_length("half-lives", strengths.len(), each.len())?,
            Parameters::Powers(each, _) => Error::check_length("scales and exponents", strengths.len(), each.len())?,
            Parameters::HalfLife(_) | Parameters::Power(..) => {}
        }
        arena::enter()?;
        if strengths.len() <= TASK_MEMORIES {
            return self.call(strengths, &ages, 0);
        }
        let tasks = strengths.par_chunks_mut(TASK_MEMORIES).enumerate();
        tasks.map(|(task, part)| self.call(part, &ages, task * TASK_MEMORIES)).try_reduce(
            DecayReport::default,
            |a, b| {
                Ok(DecayReport { negative_ages: a.negative_ages + b.negative_ages, nan_ages: a.nan_ages + b.nan_ages })
            },
        )
    }

    /// `strengths` are those from `from` on; ages and parameters are all of them.
    fn call(&self, strengths: &mut [f32], ages: &Ages<'_>, from: usize) -> Result<DecayReport, Error> {
        let to = from + strengths.len();
        let (kind, first, second): (u32, &[f32], &[f32]) = match &self.parameters {
            Parameters::HalfLife(shared) => (ffi::ECP_LAW_EXPONENTIAL, shared, &[]),
            Parameters::HalfLives(each) => (ffi::ECP_LAW_EXPONENTIAL, &each[from..to], &[]),
            Parameters::Power(scale, exponent) => (ffi::ECP_LAW_POWER, scale, exponent),
            Parameters::Powers(scales, exponents) => (ffi::ECP_LAW_POWER, &scales[from..to], &exponents[from..to]),
        };
        let law = ffi::ecp_law {
            kind,
            floor: self.floor,
            first: first.as_ptr(),
            second: second.as_ptr(),
            parameter_count: first.len(),
        };
        let ages = ages.raw(from, to);
        let mut report = ffi::ecp_decay_report { negative_ages: 0, nan_ages: 0 };
        // SAFETY: ecphory.h asks for
        // - strengths[count] and ages[count]: `raw` sliced the ages with the same bounds;
        // - parameters [1] or [count], finite and above 0: sliced alike, checked at construction, `second` as long as
        //   `first` where the law has it;
        // - nothing written that overlaps anything else: `strengths` is `&mut`, the rest are locals or shared borrows.
        Error::check(unsafe { ffi::ecp_decay(&law, &ages, strengths.as_mut_ptr(), strengths.len(), &mut report) })?;
        Ok(DecayReport { negative_ages: report.negative_ages, nan_ages: report.nan_ages })
    }
}

fn check_all(what: &'static str, values: &[f32]) -> Result<(), Error> {
    values.iter().enumerate().try_for_each(|(position, &value)| Error::check_positive(what, Some(position), value))
}
