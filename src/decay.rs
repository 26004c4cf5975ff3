#![allow(unsafe_code)]

use std::fmt;
use std::mem::MaybeUninit;

use rayon::prelude::*;

use crate::brief::Few;
use crate::similarity::{fit, room, spare};
use crate::{Error, arena, ffi};

/// Memories that one rayon task decays; fewer stay on the calling thread.
pub(crate) const TASK_MEMORIES: usize = 1 << 19;

/// How old each memory is.
#[derive(Clone, Copy)]
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
    /// Seconds that passed for all of them: under shared parameters one multiplication.
    Uniform(f32),
}

impl fmt::Debug for Ages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(ages) => f.debug_tuple("Seconds").field(&Few(ages)).finish(),
            Self::UnixMilliseconds { now, times } => {
                f.debug_struct("UnixMilliseconds").field("now", now).field("times", &Few(times)).finish()
            }
            Self::Uniform(seconds) => f.debug_tuple("Uniform").field(seconds).finish(),
        }
    }
}

impl Ages<'_> {
    /// None where there is one for all.
    pub(crate) fn len(&self) -> Option<usize> {
        match self {
            Self::Seconds(ages) => Some(ages.len()),
            Self::UnixMilliseconds { times, .. } => Some(times.len()),
            Self::Uniform(_) => None,
        }
    }

    pub(crate) fn raw(&self, from: usize, to: usize) -> ffi::ecp_ages {
        let none = ffi::ecp_ages::default();
        match self {
            Self::Seconds(ages) => ffi::ecp_ages { seconds: ages[from..to].as_ptr(), ..none },
            &Self::UnixMilliseconds { now, times } => {
                ffi::ecp_ages { unix_milliseconds: times[from..to].as_ptr(), now, ..none }
            }
            Self::Uniform(age) => ffi::ecp_ages { uniform: age, ..none },
        }
    }
}

/// What [`Decay::apply`], or a [`BaseLevel`](crate::BaseLevel), met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct DecayReport {
    /// Ages below 0, taken as 0.
    pub negative_ages: usize,
    /// Ages that are NaN, and made the strength NaN.
    pub nan_ages: usize,
}

impl DecayReport {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self { negative_ages: self.negative_ages + other.negative_ages, nan_ages: self.nan_ages + other.nan_ages }
    }
}

/// Which memories [`Decay::apply_and_select`] names. NaN strengths are neither.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Selected {
    /// Those whose strength is then below.
    Below(f32),
    /// Those whose strength is then that or more.
    AtLeast(f32),
}

/// A law by which strengths fall with age. Its parameters are checked here, once.
///
/// `strength' = max(strength * R(age), min(strength, floor))`: a strength already below the floor stays as it is.
/// What a memory becomes does not depend on those beside it.
///
/// | age | result | strength | result |
/// |---|---|---|---|
/// | below 0 | as age 0; counted | negative | rises towards 0 |
/// | NaN | NaN; counted | NaN | NaN |
/// | infinite, or nothing is left | 0, or the floor | infinite | infinite |
/// | denormal | as any other | 0, denormal | as any other |
///
/// Where two of these meet, NaN comes first and an infinite strength next: it stays, at an infinite age too. A negative
/// strength is below any floor, so an infinite age makes it 0.
///
/// How far from the law taken in exact arithmetic results are, in ulp, at most; half of that and half an ulp where a
/// result is no normal number:
///
/// | law | R | ulp |
/// |---|---|---|
/// | [`half_life_seconds`](Self::half_life_seconds) | `2^(-age / half_life)` | 0.67 |
/// | [`stability_seconds`](Self::stability_seconds) | `0.9^(age / stability)` | 0.67 |
/// | [`power`](Self::power) | `(1 + age / scale)^-exponent` | 0.67 + 0.0163 exponent up to 16, 0.501 up to 100 |
/// | [`hyperbolic`](Self::hyperbolic) | `1 / (1 + age / scale)` | 0.501 |
/// | [`stretched`](Self::stretched) | `e^-((age / scale)^shape)` | 0.65 for shapes up to 100 |
/// | [`savings`](Self::savings) | `k / (k + log10(minutes)^c)` | 0.7 for c up to 100 |
///
/// Larger exponents and shapes are computed alike, and no bound is stated of them: that of `1 + age / scale`, half of
/// 2^-52, counts as many times.
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
    law: Law,
    parameters: Parameters<'a>,
    floor: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Law {
    Exponential,
    Power,
    Hyperbolic,
    Stretched,
    Savings,
    Stability,
}

#[derive(Clone, Copy, PartialEq)]
enum Parameters<'a> {
    Shared([f32; 1], [f32; 1]),
    /// The second are empty where a law has one parameter.
    Each(&'a [f32], &'a [f32]),
}

impl Law {
    fn raw(self) -> u32 {
        match self {
            Self::Exponential => ffi::ECP_LAW_EXPONENTIAL,
            Self::Power => ffi::ECP_LAW_POWER,
            Self::Hyperbolic => ffi::ECP_LAW_HYPERBOLIC,
            Self::Stretched => ffi::ECP_LAW_STRETCHED,
            Self::Savings => ffi::ECP_LAW_SAVINGS,
            Self::Stability => ffi::ECP_LAW_STABILITY,
        }
    }

    /// What errors name the parameters, and both together.
    fn names(self) -> (&'static str, Option<&'static str>, &'static str) {
        match self {
            Self::Exponential => ("half-life in seconds", None, "half-lives"),
            Self::Power => ("scale in seconds", Some("exponent"), "scales and exponents"),
            Self::Hyperbolic => ("scale in seconds", None, "scales"),
            Self::Stretched => ("scale in seconds", Some("shape"), "scales and shapes"),
            Self::Savings => ("k", Some("c"), "k and c"),
            Self::Stability => ("stability in seconds", None, "stabilities"),
        }
    }

    fn shared(self, first: f32, second: Option<f32>) -> Result<Decay<'static>, Error> {
        let (first_name, second_name, _) = self.names();
        Error::check_positive(first_name, None, first)?;
        if let (Some(name), Some(second)) = (second_name, second) {
            Error::check_positive(name, None, second)?;
        }
        let parameters = Parameters::Shared([first], [second.unwrap_or(0.0)]);
        Ok(Decay { law: self, parameters, floor: 0.0 })
    }

    fn check_each(self, first: &[f32], second: &[f32]) -> Result<(), Error> {
        let (first_name, second_name, _) = self.names();
        check_all(first_name, first)?;
        second_name.map_or(Ok(()), |name| check_all(name, second))
    }
}

impl fmt::Debug for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared(first, second) => (Few(first), Few(second)).fmt(f),
            Self::Each(first, second) => (Few(first), Few(second)).fmt(f),
        }
    }
}

impl Decay<'static> {
    /// Exponential: `R = 2^(-age / half_life_seconds)`. Half is left after one half-life; not `e^-1`. The law of what
    /// wears off at a rate of its own, as of radioactive decay; people forget more slowly the longer they remember.
    ///
    /// # Errors
    /// [`Error::Value`] unless the half-life is finite and above 0.
    pub fn half_life_seconds(half_life_seconds: f32) -> Result<Self, Error> {
        Law::Exponential.shared(half_life_seconds, None)
    }

    /// Power law: `R = (1 + age / scale_seconds)^-exponent`, after Wickelgren, "Single-trace fragility theory of memory
    /// dynamics", Memory & Cognition 2 (1974), without its exponential factor. Of the laws with two parameters it fits
    /// what people forget best in Wixted & Ebbesen, "On the form of forgetting", Psychological Science 2 (1991).
    ///
    /// # Errors
    /// [`Error::Value`] unless both are finite and above 0.
    pub fn power(scale_seconds: f32, exponent: f32) -> Result<Self, Error> {
        Law::Power.shared(scale_seconds, Some(exponent))
    }

    /// Hyperbolic: `R = 1 / (1 + age / scale_seconds)`. Half is left after one scale. As delayed rewards lose value in
    /// Mazur, "An adjusting procedure for studying delayed reinforcement" (1987); also a power law of exponent 1, and
    /// FSRS before its version 4.5 with a scale of nine stabilities.
    ///
    /// # Errors
    /// [`Error::Value`] unless the scale is finite and above 0.
    pub fn hyperbolic(scale_seconds: f32) -> Result<Self, Error> {
        Law::Hyperbolic.shared(scale_seconds, None)
    }

    /// Stretched exponential: `R = e^-((age / scale_seconds)^shape)`. A shape of 1 is exponential with `e^-1` left
    /// after one scale; below 1 what is old falls more slowly. Kohlrausch's law (1854); among the 105 that Rubin &
    /// Wenzel, "One hundred years of forgetting", Psychological Review 103 (1996), fit to what people forget.
    ///
    /// # Errors
    /// [`Error::Value`] unless both are finite and above 0.
    pub fn stretched(scale_seconds: f32, shape: f32) -> Result<Self, Error> {
        Law::Stretched.shared(scale_seconds, Some(shape))
    }

    /// Logarithmic savings: `R = k / (k + log10(minutes)^c)`, and 1 up to a minute, after Ebbinghaus, "Ueber das
    /// Gedaechtnis" (1885).
    ///
    /// # Errors
    /// [`Error::Value`] unless both are finite and above 0.
    pub fn savings(k: f32, c: f32) -> Result<Self, Error> {
        Law::Savings.shared(k, Some(c))
    }

    /// [`Decay::savings`] with Ebbinghaus' own figures, `k` 1.84 and `c` 1.25.
    pub fn ebbinghaus() -> Self {
        Self { law: Law::Savings, parameters: Parameters::Shared([1.84], [1.25]), floor: 0.0 }
    }

    /// Retrievability of the two-component model of Wozniak, Gorzelanczyk & Murakowski, "Two components of long-term
    /// memory", Acta Neurobiologiae Experimentalis 55 (1995): `R = 0.9^(age / stability_seconds)`. Stability is the
    /// time after which nine tenths are left; what a review makes of it is [`Fsrs`](crate::Fsrs)'s, or the caller's.
    ///
    /// # Errors
    /// [`Error::Value`] unless the stability is finite and above 0.
    pub fn stability_seconds(stability_seconds: f32) -> Result<Self, Error> {
        Law::Stability.shared(stability_seconds, None)
    }
}

impl<'a> Decay<'a> {
    /// [`Decay::half_life_seconds`] with a half-life for each memory. [`DecayParams`] checks once for many passes.
    ///
    /// # Errors
    /// [`Error::Value`] unless all are finite and above 0.
    pub fn half_lives_seconds(half_lives_seconds: &'a [f32]) -> Result<Self, Error> {
        Law::Exponential.check_each(half_lives_seconds, &[])?;
        Ok(Self { law: Law::Exponential, parameters: Parameters::Each(half_lives_seconds, &[]), floor: 0.0 })
    }

    /// [`Decay::power`] with a scale and an exponent for each memory.
    ///
    /// # Errors
    /// [`Error::Value`] unless all are finite and above 0; [`Error::Length`] unless there are as many of one as of
    /// the other.
    pub fn powers(scales_seconds: &'a [f32], exponents: &'a [f32]) -> Result<Self, Error> {
        Error::check_length("exponents", scales_seconds.len(), exponents.len())?;
        Law::Power.check_each(scales_seconds, exponents)?;
        Ok(Self { law: Law::Power, parameters: Parameters::Each(scales_seconds, exponents), floor: 0.0 })
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
        self.check(strengths.len(), &ages)?;
        if strengths.len() <= TASK_MEMORIES {
            return self.call(Memories::InPlace(strengths), &ages, 0, None);
        }
        let tasks = strengths.par_chunks_mut(TASK_MEMORIES).enumerate();
        tasks
            .map(|(task, part)| self.call(Memories::InPlace(part), &ages, task * TASK_MEMORIES, None))
            .try_reduce(DecayReport::default, |a, b| Ok(a.plus(b)))
    }

    /// What [`Decay::apply`] would make of `strengths`, in `decayed`: strengths at the time of reading, which no write
    /// follows.
    ///
    /// # Errors
    /// As [`Decay::apply`], and [`Error::Length`] unless `decayed` are as many as `strengths`.
    pub fn apply_into(&self, strengths: &[f32], ages: Ages<'_>, decayed: &mut [f32]) -> Result<DecayReport, Error> {
        self.check(strengths.len(), &ages)?;
        Error::check_length("decayed", strengths.len(), decayed.len())?;
        if strengths.len() <= TASK_MEMORIES {
            return self.call(Memories::Apart(strengths, decayed), &ages, 0, None);
        }
        let tasks = decayed.par_chunks_mut(TASK_MEMORIES).zip(strengths.par_chunks(TASK_MEMORIES)).enumerate();
        tasks
            .map(|(task, (to, from))| self.call(Memories::Apart(from, to), &ages, task * TASK_MEMORIES, None))
            .try_reduce(DecayReport::default, |a, b| Ok(a.plus(b)))
    }

    /// [`Decay::apply`], and the ids of memories whose strength is then below a threshold, or not: positions in
    /// `strengths`, ascending. On the way, room for as many ids as there are memories.
    ///
    /// # Errors
    /// As [`Decay::apply`]; [`Error::Value`] of a threshold that is NaN; [`Error::Range`] of more memories than ids;
    /// [`Error::OutOfMemory`]. Nothing is then written.
    pub fn apply_and_select(
        &self,
        strengths: &mut [f32],
        ages: Ages<'_>,
        selected: Selected,
    ) -> Result<(DecayReport, Vec<u32>), Error> {
        self.check(strengths.len(), &ages)?;
        Error::check_range("strengths", 0, u32::MAX as usize, strengths.len())?;
        let (above, threshold) = match selected {
            Selected::Below(threshold) => (0, threshold),
            Selected::AtLeast(threshold) => (1, threshold),
        };
        if threshold.is_nan() {
            return Err(Error::Value { what: "threshold", position: None, expected: "a number", found: threshold });
        }
        // All before anything is written; a system that gives memory as it is touched gives as much as is selected.
        let mut ids = spare(strengths.len())?;
        let mut counts = room(0usize, strengths.len().div_ceil(TASK_MEMORIES))?;
        let places = &mut ids.spare_capacity_mut()[..strengths.len()];
        let select = |task: usize, part: &mut [f32], ids: &mut [MaybeUninit<u32>], count: &mut usize| {
            assert_eq!(part.len(), ids.len());
            let from = task * TASK_MEMORIES;
            let first_id = u32::try_from(from).expect("as many as ids");
            let ids = ids.as_mut_ptr().cast();
            let mut selection = ffi::ecp_selection { threshold, above, first_id, ids, id_count: 0 };
            let report = self.call(Memories::InPlace(part), &ages, from, Some(&mut selection))?;
            *count = selection.id_count;
            Ok(report)
        };
        let report = match &mut counts[..] {
            [] => DecayReport::default(),
            [count] => select(0, strengths, places, count)?,
            counts => {
                let parts = strengths.par_chunks_mut(TASK_MEMORIES).zip(places.par_chunks_mut(TASK_MEMORIES));
                let tasks = parts.zip(counts).enumerate();
                tasks
                    .map(|(task, ((part, ids), count))| select(task, part, ids, count))
                    .try_reduce(DecayReport::default, |a, b| Ok(a.plus(b)))?
            }
        };
        let mut selected = 0;
        for (task, &count) in counts.iter().enumerate() {
            let from = task * TASK_MEMORIES;
            places.copy_within(from..from + count, selected);
            selected += count;
        }
        // SAFETY: within the capacity, and written: of each task as many as it told, from its first on, side by side
        // now.
        unsafe { ids.set_len(selected) };
        fit(&mut ids);
        Ok((report, ids))
    }

    fn check(&self, count: usize, ages: &Ages<'_>) -> Result<(), Error> {
        ages.len().map_or(Ok(()), |len| Error::check_length("ages", count, len))?;
        if let Parameters::Each(first, _) = self.parameters {
            Error::check_length(self.law.names().2, count, first.len())?;
        }
        arena::enter()
    }

    /// Memories are those from `from` on; ages and parameters are all of them. `selection` has room for as many ids.
    fn call(
        &self,
        memories: Memories<'_>,
        ages: &Ages<'_>,
        from: usize,
        selection: Option<&mut ffi::ecp_selection>,
    ) -> Result<DecayReport, Error> {
        let (strengths, decayed, count) = memories.raw();
        let to = from + count;
        let (first, second): (&[f32], &[f32]) = match &self.parameters {
            Parameters::Shared(first, second) => (first, second),
            Parameters::Each(first, []) => (&first[from..to], &[]),
            Parameters::Each(first, second) => (&first[from..to], &second[from..to]),
        };
        let law = ffi::ecp_law {
            kind: self.law.raw(),
            floor: self.floor,
            first: first.as_ptr(),
            second: second.as_ptr(),
            parameter_count: first.len(),
        };
        let ages = ages.raw(from, to);
        let selection = selection.map_or(std::ptr::null_mut(), std::ptr::from_mut);
        let mut report = ffi::ecp_decay_report { negative_ages: 0, nan_ages: 0 };
        // SAFETY: ecphory.h asks for
        // - strengths[count] and decayed[count], the same or apart: `Memories::raw` took them from one slice, or from a
        //   shared and a unique one of the same length;
        // - ages[count], or one: `raw` sliced them with the same bounds, or points to the one of `ages`;
        // - parameters [1] or [count], finite and above 0: sliced alike, checked at construction, `second` as long as
        //   `first` where the law has it;
        // - selection NULL, or one with ids[count]: the only caller that has one compared their numbers;
        // - nothing written that overlaps anything else: what is written is `&mut` or a local, the rest are locals or
        //   shared borrows.
        Error::check(unsafe { ffi::ecp_decay(&law, &ages, strengths, decayed, count, selection, &mut report) })?;
        Ok(DecayReport { negative_ages: report.negative_ages, nan_ages: report.nan_ages })
    }
}

/// What is read, and what is written.
enum Memories<'a> {
    InPlace(&'a mut [f32]),
    /// Of one length.
    Apart(&'a [f32], &'a mut [f32]),
}

impl Memories<'_> {
    fn raw(self) -> (*const f32, *mut f32, usize) {
        match self {
            Self::InPlace(strengths) => {
                let (to, count) = (strengths.as_mut_ptr(), strengths.len());
                (to.cast_const(), to, count)
            }
            Self::Apart(strengths, decayed) => (strengths.as_ptr(), decayed.as_mut_ptr(), strengths.len()),
        }
    }
}

/// Parameters of a law for each memory, checked once: [`DecayParams::law`] looks at none of them again.
///
/// ```
/// use ecphory::{Ages, DecayParams};
///
/// let half_lives = DecayParams::half_lives_seconds(vec![60.0, 3600.0])?;
/// let mut strengths = [1.0, 1.0];
/// half_lives.law().apply(&mut strengths, Ages::Uniform(3600.0))?;
/// assert_eq!(strengths, [2.0f32.powi(-60), 0.5]);
/// # Ok::<(), ecphory::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct DecayParams {
    law: Law,
    first: Vec<f32>,
    second: Vec<f32>,
}

impl fmt::Debug for DecayParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DecayParams").field(&self.law).field(&Few(&self.first)).field(&Few(&self.second)).finish()
    }
}

impl DecayParams {
    /// Of [`Decay::half_life_seconds`].
    ///
    /// # Errors
    /// [`Error::Value`] unless all are finite and above 0.
    pub fn half_lives_seconds(half_lives_seconds: Vec<f32>) -> Result<Self, Error> {
        Self::checked(Law::Exponential, half_lives_seconds, Vec::new())
    }

    /// Of [`Decay::stability_seconds`].
    ///
    /// # Errors
    /// [`Error::Value`] unless all are finite and above 0.
    pub fn stabilities_seconds(stabilities_seconds: Vec<f32>) -> Result<Self, Error> {
        Self::checked(Law::Stability, stabilities_seconds, Vec::new())
    }

    /// Of [`Decay::hyperbolic`].
    ///
    /// # Errors
    /// [`Error::Value`] unless all are finite and above 0.
    pub fn hyperbolics(scales_seconds: Vec<f32>) -> Result<Self, Error> {
        Self::checked(Law::Hyperbolic, scales_seconds, Vec::new())
    }

    /// Of [`Decay::power`].
    ///
    /// # Errors
    /// [`Error::Value`] unless all are finite and above 0; [`Error::Length`] unless there are as many of one as of
    /// the other.
    pub fn powers(scales_seconds: Vec<f32>, exponents: Vec<f32>) -> Result<Self, Error> {
        Error::check_length("exponents", scales_seconds.len(), exponents.len())?;
        Self::checked(Law::Power, scales_seconds, exponents)
    }

    /// Of [`Decay::stretched`].
    ///
    /// # Errors
    /// As [`DecayParams::powers`].
    pub fn stretched(scales_seconds: Vec<f32>, shapes: Vec<f32>) -> Result<Self, Error> {
        Error::check_length("shapes", scales_seconds.len(), shapes.len())?;
        Self::checked(Law::Stretched, scales_seconds, shapes)
    }

    /// Of [`Decay::savings`].
    ///
    /// # Errors
    /// As [`DecayParams::powers`].
    pub fn savings(k: Vec<f32>, c: Vec<f32>) -> Result<Self, Error> {
        Error::check_length("c", k.len(), c.len())?;
        Self::checked(Law::Savings, k, c)
    }

    fn checked(law: Law, first: Vec<f32>, second: Vec<f32>) -> Result<Self, Error> {
        law.check_each(&first, &second)?;
        Ok(Self { law, first, second })
    }

    /// The law with these parameters, and no floor.
    pub fn law(&self) -> Decay<'_> {
        Decay { law: self.law, parameters: Parameters::Each(&self.first, &self.second), floor: 0.0 }
    }
}

fn check_all(what: &'static str, values: &[f32]) -> Result<(), Error> {
    values.iter().enumerate().try_for_each(|(position, &value)| Error::check_positive(what, Some(position), value))
}
