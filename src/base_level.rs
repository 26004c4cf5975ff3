#![allow(unsafe_code)]

use std::fmt;

use rayon::prelude::*;

use crate::brief::Few;
use crate::decay::TASK_MEMORIES;
use crate::similarity::spare;
use crate::{Ages, DecayReport, Error, arena, ffi};

/// Which presentations are of which memory: those of memory `i` are `offsets[i]..offsets[i + 1]`. Checked here, once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Presentations<'a> {
    offsets: &'a [u32],
}

impl fmt::Debug for Presentations<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Presentations").field(&Few(self.offsets)).finish()
    }
}

impl<'a> Presentations<'a> {
    /// `offsets [memories + 1]`, from 0 on and never falling; the last is the number of presentations.
    ///
    /// # Errors
    /// [`Error::Length`] of no offsets; [`Error::Range`] of a first one that is not 0; [`Error::Order`] of one that is
    /// less than the one before.
    pub fn new(offsets: &'a [u32]) -> Result<Self, Error> {
        let Some(&first) = offsets.first() else {
            return Err(Error::Length { what: "offsets", expected: 1, found: 0 });
        };
        Error::check_range("the first offset", 0, 0, first as usize)?;
        if let Some(at) = offsets.windows(2).position(|pair| pair[1] < pair[0]) {
            let (least, found) = (offsets[at].into(), offsets[at + 1].into());
            return Err(Error::Order { what: "offsets", position: at + 1, least, found });
        }
        Ok(Self { offsets })
    }

    /// How many memories there are.
    #[must_use]
    pub fn memories(&self) -> usize {
        self.offsets.len() - 1
    }

    /// How many presentations they have together.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets[self.memories()] as usize
    }

    /// Whether no memory was presented.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// ACT-R's base-level activation: `B = ln(sum of age^-d)` over the presentations of a memory, ages in seconds; after
/// Anderson & Lebiere, "The Atomic Components of Thought" (1998). ACT-R's own `d` is 0.5.
///
/// | way | B | takes |
/// |---|---|---|
/// | [`exact`](Self::exact) | as above | all ages |
/// | [`newest`](Self::newest) | `ln(sum + (n - k)(L^(1-d) - t_k^(1-d)) / ((1-d)(L - t_k)))` | `k` newest, `n`, `L` |
/// | [`optimized`](Self::optimized) | `ln(n / (1 - d)) - d ln L` | `n`, `L` |
///
/// `n` is the number of presentations and `L` the age of the first.
///
/// The second is Petrov's, "Computationally efficient approximation of the base-level learning equation in ACT-R"
/// (2006): the presentations that are not listed lie as if evenly between `t_k`, the age of the oldest one listed, and
/// `L`. The third takes all as if evenly between now and `L`: it is near for a memory presented at a steady rate, and
/// far off where presentations came together long ago. Where as many are listed as there are, `newest` has the bits of
/// `exact`; where none is, those of `optimized`.
///
/// | presentations | B | age | counts as |
/// |---|---|---|---|
/// | none | negative infinity | below 0 | 0; counted |
/// | all infinitely old | negative infinity | 0 | the least age; without one, B is infinite |
/// | one whose age is NaN | NaN; counted | denormal, huge | as any other |
///
/// How far from exact arithmetic results are, at most: half an ulp and 8.3e-8, `optimized` half an ulp and 1e-10. That
/// is absolute, as B is a logarithm that may be near 0; from 1 on it is 1.2 ulp.
///
/// ```
/// use ecphory::{Ages, BaseLevel, Presentations};
///
/// // Two memories: one presented 10 and 1000 seconds ago, one 50 seconds ago.
/// let presentations = Presentations::new(&[0, 2, 3])?;
/// let mut base_levels = [0.0; 2];
/// BaseLevel::new(0.5)?.exact(&presentations, Ages::Seconds(&[10.0, 1000.0, 50.0]), &mut base_levels)?;
/// let exact = [(10f32.powf(-0.5) + 1000f32.powf(-0.5)).ln(), 50f32.powf(-0.5).ln()];
/// assert!(base_levels.iter().zip(exact).all(|(found, exact)| (found - exact).abs() < 1e-6));
/// # Ok::<(), ecphory::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct BaseLevel {
    d: f32,
    least_age: f32,
}

/// What is known of memories.
#[derive(Clone, Copy)]
struct Histories<'a> {
    /// None are listed where there are no offsets.
    listed: Option<(&'a [u32], Ages<'a>)>,
    /// None where all are listed.
    all: Option<(&'a [u32], Ages<'a>)>,
}

impl BaseLevel {
    /// Of the exponent `d` of forgetting, and no least age.
    ///
    /// # Errors
    /// [`Error::Value`] unless `d` is above 0 and below 1.
    pub fn new(d: f32) -> Result<Self, Error> {
        if d > 0.0 && d < 1.0 {
            return Ok(Self { d, least_age: 0.0 });
        }
        Err(Error::Value { what: "d", position: None, expected: "a number above 0 and below 1", found: d })
    }

    /// What younger presentations count as, in seconds: without it, what is presented now is infinitely active.
    ///
    /// # Errors
    /// [`Error::Value`] unless finite and 0 or more.
    pub fn least_age_seconds(self, least_age: f32) -> Result<Self, Error> {
        Error::check_magnitude("least age in seconds", None, least_age)?;
        Ok(Self { least_age, ..self })
    }

    /// From all presentations: `ages [presentations.len()]`, `base_levels [presentations.memories()]`. No scratch.
    ///
    /// # Errors
    /// [`Error::Length`] unless there are as many ages as presentations and base levels as memories;
    /// [`Error::OutOfMemory`]; [`Error::ThreadEnding`]; [`Error::UnknownTier`]. Nothing is then written.
    pub fn exact(
        &self,
        presentations: &Presentations<'_>,
        ages: Ages<'_>,
        base_levels: &mut [f32],
    ) -> Result<DecayReport, Error> {
        check_ages("ages", presentations.len(), &ages)?;
        Error::check_length("base levels", presentations.memories(), base_levels.len())?;
        self.each(&Histories { listed: Some((presentations.offsets, ages)), all: None }, base_levels)
    }

    /// From the newest presentations alone, the `counts [memories]` of all, and `lifetimes [memories]`, the ages of the
    /// first. Fewer than are listed count as those; a lifetime less than the oldest listed age counts as that.
    ///
    /// # Errors
    /// As [`BaseLevel::exact`], and [`Error::Length`] unless there are as many counts and lifetimes as memories.
    pub fn newest(
        &self,
        presentations: &Presentations<'_>,
        ages: Ages<'_>,
        counts: &[u32],
        lifetimes: Ages<'_>,
        base_levels: &mut [f32],
    ) -> Result<DecayReport, Error> {
        let memories = presentations.memories();
        check_ages("ages", presentations.len(), &ages)?;
        Error::check_length("counts", memories, counts.len())?;
        check_ages("lifetimes", memories, &lifetimes)?;
        Error::check_length("base levels", memories, base_levels.len())?;
        let histories = Histories { listed: Some((presentations.offsets, ages)), all: Some((counts, lifetimes)) };
        self.each(&histories, base_levels)
    }

    /// From `counts [memories]` of presentations and `lifetimes [memories]`, the ages of the first.
    ///
    /// # Errors
    /// [`Error::Length`] unless there are as many lifetimes and base levels as counts; [`Error::OutOfMemory`];
    /// [`Error::ThreadEnding`]; [`Error::UnknownTier`]. Nothing is then written.
    pub fn optimized(
        &self,
        counts: &[u32],
        lifetimes: Ages<'_>,
        base_levels: &mut [f32],
    ) -> Result<DecayReport, Error> {
        check_ages("lifetimes", counts.len(), &lifetimes)?;
        Error::check_length("base levels", counts.len(), base_levels.len())?;
        self.each(&Histories { listed: None, all: Some((counts, lifetimes)) }, base_levels)
    }

    fn each(&self, histories: &Histories<'_>, base_levels: &mut [f32]) -> Result<DecayReport, Error> {
        arena::enter()?;
        if histories.work(0, base_levels.len()) <= TASK_MEMORIES {
            return self.call(histories, 0, base_levels);
        }
        // Of two parts in turn, the second's first memory was too many for the first.
        let most = 2 * (histories.work(0, base_levels.len()) / TASK_MEMORIES) + 1;
        let (mut parts, mut rest, mut from) = (spare(most)?, base_levels, 0);
        while !rest.is_empty() {
            let count = histories.part(from, rest.len());
            let (part, others) = rest.split_at_mut(count);
            parts.push((from, part));
            (rest, from) = (others, from + count);
        }
        parts
            .into_par_iter()
            .map(|(from, part)| self.call(histories, from, part))
            .try_reduce(DecayReport::default, |a, b| Ok(a.plus(b)))
    }

    /// Of the memories from `from` on.
    fn call(&self, histories: &Histories<'_>, from: usize, base_levels: &mut [f32]) -> Result<DecayReport, Error> {
        let (count, null) = (base_levels.len(), std::ptr::null());
        let ages =
            histories.listed.as_ref().map(|(offsets, ages)| ages.raw(0, ages.len().map_or(0, |_| last(offsets))));
        let lifetimes = histories.all.as_ref().map(|(_, lifetimes)| lifetimes.raw(from, from + count));
        let level = ffi::ecp_base_level {
            d: self.d,
            least_age: self.least_age,
            offsets: histories.listed.map_or(null, |(offsets, _)| offsets[from..=from + count].as_ptr()),
            ages: ages.as_ref().map_or(std::ptr::null(), std::ptr::from_ref),
            counts: histories.all.map_or(null, |(counts, _)| counts[from..from + count].as_ptr()),
            lifetimes: lifetimes.as_ref().map_or(std::ptr::null(), std::ptr::from_ref),
            memory_count: count,
        };
        let mut report = ffi::ecp_decay_report { negative_ages: 0, nan_ages: 0 };
        // SAFETY: ecphory.h asks for
        // - offsets[count + 1], never falling, or NULL: sliced so, checked by `Presentations::new`;
        // - ages of all presentations that offsets name, or one for all: `exact` and `newest` compared their number
        //   with the last offset; one for all is pointed to in `histories`, which outlives the call;
        // - counts[count] and lifetimes[count], or one for all, or NULL: sliced so, as whoever made `histories`
        //   compared;
        // - activations[count]: `base_levels` itself;
        // - d above 0 and below 1, a finite least age: checked at construction;
        // - nothing written that overlaps anything else: what is written is `&mut` or a local, the rest are locals or
        //   shared borrows.
        Error::check(unsafe { ffi::ecp_base_levels(&level, base_levels.as_mut_ptr(), &mut report) })?;
        Ok(DecayReport { negative_ages: report.negative_ages, nan_ages: report.nan_ages })
    }
}

impl Histories<'_> {
    /// What so many memories from `from` on cost, in presentations.
    fn work(&self, from: usize, count: usize) -> usize {
        count + self.listed.map_or(0, |(offsets, _)| (offsets[from + count] - offsets[from]) as usize)
    }

    /// How many of the next `most` memories one task takes.
    fn part(&self, from: usize, most: usize) -> usize {
        let (mut fits, mut too_many) = (1, most + 1);
        while fits + 1 < too_many {
            let half = fits.midpoint(too_many);
            if self.work(from, half) <= TASK_MEMORIES { fits = half } else { too_many = half }
        }
        fits
    }
}

fn last(offsets: &[u32]) -> usize {
    offsets[offsets.len() - 1] as usize
}

fn check_ages(what: &'static str, expected: usize, ages: &Ages<'_>) -> Result<(), Error> {
    ages.len().map_or(Ok(()), |found| Error::check_length(what, expected, found))
}
