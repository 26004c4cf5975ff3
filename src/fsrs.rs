#![allow(unsafe_code)]

use rayon::prelude::*;

use crate::decay::TASK_MEMORIES;
use crate::{Error, arena, ffi};

/// FSRS-6, the model of memory of the Free Spaced Repetition Scheduler: what is left of memories after some days, and
/// what a review makes of their stability and difficulty. Its 21 parameters are checked here, once.
///
/// Memories are arrays: stability in days, after which retrievability is 0.9, and 0 before the first review; difficulty
/// from 1 to 10; days elapsed since the last review; the grade of this one, 1 again, 2 hard, 3 good, 4 easy. A review
/// strengthens the more, the less was left: that is the spacing effect. After Ye, Su & Cao, "A Stochastic Shortest Path
/// Algorithm for Optimizing Spaced Repetition Scheduling" (KDD 2022), in its sixth version.
///
/// With `F = 0.9^(-1/w20) - 1`, `R = (1 + F days / S)^-w20`, a review of grade `G` makes
///
/// | of | that was | |
/// |---|---|---|
/// | stability `S` | recalled | `S (1 + h e^w8 (11 - D) S^-w9 (e^(w10 (1 - R)) - 1))`, `h` w15 if hard, w16 if easy |
/// | | forgotten | `min(w11 D^-w12 ((S + 1)^w13 - 1) e^(w14 (1 - R)), S / e^(w17 w18))` |
/// | | reviewed less than a day ago | `S max(e^(w17 (G - 3 + w18)) S^-w19, 1 unless forgotten)` |
/// | | never reviewed | `w(G - 1)` |
/// | difficulty `D` | reviewed | `w7 (w4 - e^(3 w5) + 1) + (1 - w7)(D - w6 (G - 3)(10 - D) / 9)` |
/// | | never reviewed | `w4 - e^(w5 (G - 1)) + 1` |
///
/// with stability held to 0.001..=36500 and difficulty to 1..=10, before and after. Both are within 0.51 ulp of that in
/// exact arithmetic, retrievability within 0.69 ulp.
///
/// The ceiling of 36500 days is that of the crate fsrs; py-fsrs has none. Days are as given: py-fsrs takes whole ones,
/// rounded down, so round them down where its figures are wanted. A review after 0.9 of a day is one on the same day.
///
/// | memory | retrievability | reviewed |
/// |---|---|---|
/// | stability 0 (for retrievability: or below) | 0, unless days are NaN | as never reviewed, whatever else it has |
/// | grade 0 | | stays as it is |
/// | days below 0 | 1 | as after 0 days |
/// | days infinite | 0, also of an infinite stability | as if nothing were left |
/// | a number that is NaN | NaN | stability and difficulty NaN |
///
/// ```
/// use ecphory::Fsrs;
///
/// let fsrs = Fsrs::default();
/// // A new memory, and one of stability 10 after 30 days; both recalled.
/// let (mut stabilities, mut difficulties) = ([0.0, 10.0], [0.0, 5.0]);
/// let days = [0.0, 30.0];
/// let mut left = [0.0; 2];
/// fsrs.retrievability(&stabilities, &days, &mut left)?;
/// assert_eq!(left, [0.0, 0.8093881]);
/// fsrs.review(&mut stabilities, &mut difficulties, &days, &[3, 3])?;
/// assert_eq!((stabilities[0], difficulties[0]), (2.3065, 2.118104));
/// assert!(stabilities[1] > 40.0);
/// # Ok::<(), ecphory::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct Fsrs {
    parameters: [f64; 21],
}

impl Default for Fsrs {
    /// Of [`Fsrs::PARAMETERS`].
    fn default() -> Self {
        Self { parameters: Self::PARAMETERS }
    }
}

impl Fsrs {
    /// The parameters of FSRS-6 as published, fitted to many people's reviews: those of py-fsrs 6.3.2 and of the crate
    /// fsrs 6.6.2.
    pub const PARAMETERS: [f64; 21] = [
        0.212, 1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194, 0.001, 1.8722, 0.1666, 0.796, 1.4835, 0.0614, 0.2629,
        1.6483, 0.6014, 1.8729, 0.5425, 0.0912, 0.0658, 0.1542,
    ];

    /// Of one's own parameters, `w0` to `w20`.
    ///
    /// # Errors
    /// [`Error::Value`] of one whose nearest f32 is not within its range, which py-fsrs 6.3.2 has too: 0.001 to 100 of
    /// `w0` to `w3`, 1 to 10 of `w4`, 0.1 to 0.8 of `w20`; the error names that of each other. So what was kept as f32,
    /// as the crate fsrs has it, is within the same ranges.
    pub fn new(parameters: [f64; 21]) -> Result<Self, Error> {
        for (position, (&parameter, &(min, max, expected))) in parameters.iter().zip(&RANGES).enumerate() {
            let found = parameter as f32;
            if !(min..=max).contains(&found) {
                let what = "parameter of FSRS-6";
                return Err(Error::Value { what, position: Some(position), expected, found });
            }
        }
        Ok(Self { parameters })
    }

    /// `w0` to `w20`.
    #[must_use]
    pub fn parameters(&self) -> &[f64; 21] {
        &self.parameters
    }

    /// How likely each memory is to be recalled after so many days, in `retrievabilities`; all `[memories]`. Needs no
    /// scratch.
    ///
    /// # Errors
    /// [`Error::Length`] unless all are as many; [`Error::ThreadEnding`]; [`Error::UnknownTier`]. Nothing is then
    /// written.
    pub fn retrievability(
        &self,
        stabilities: &[f32],
        elapsed_days: &[f32],
        retrievabilities: &mut [f32],
    ) -> Result<(), Error> {
        Error::check_length("elapsed days", stabilities.len(), elapsed_days.len())?;
        Error::check_length("retrievabilities", stabilities.len(), retrievabilities.len())?;
        arena::enter()?;
        if stabilities.len() <= TASK_MEMORIES {
            return self.left(stabilities, elapsed_days, retrievabilities);
        }
        let given = stabilities.par_chunks(TASK_MEMORIES).zip(elapsed_days.par_chunks(TASK_MEMORIES));
        given
            .zip(retrievabilities.par_chunks_mut(TASK_MEMORIES))
            .try_for_each(|((stabilities, days), to)| self.left(stabilities, days, to))
    }

    /// Reviews memories, each by its grade; all `[memories]`, stabilities and difficulties in place. Needs no scratch.
    ///
    /// # Errors
    /// [`Error::Length`] unless all are as many; [`Error::Value`] of a grade above 4; [`Error::ThreadEnding`];
    /// [`Error::UnknownTier`]. Nothing is then written.
    pub fn review(
        &self,
        stabilities: &mut [f32],
        difficulties: &mut [f32],
        elapsed_days: &[f32],
        grades: &[u8],
    ) -> Result<(), Error> {
        let count = stabilities.len();
        Error::check_length("difficulties", count, difficulties.len())?;
        Error::check_length("elapsed days", count, elapsed_days.len())?;
        Error::check_length("grades", count, grades.len())?;
        // All at once: to end at the first would be slower.
        if grades.iter().fold(0, |most, &grade| most.max(grade)) > 4 {
            let position = grades.iter().position(|&grade| grade > 4);
            let found = position.map_or(0.0, |at| f32::from(grades[at]));
            return Err(Error::Value { what: "grade", position, expected: "a whole number from 0 to 4", found });
        }
        arena::enter()?;
        if count <= TASK_MEMORIES {
            return self.reviewed(stabilities, difficulties, elapsed_days, grades);
        }
        let states = stabilities.par_chunks_mut(TASK_MEMORIES).zip(difficulties.par_chunks_mut(TASK_MEMORIES));
        let given = elapsed_days.par_chunks(TASK_MEMORIES).zip(grades.par_chunks(TASK_MEMORIES));
        states.zip(given).try_for_each(|((stabilities, difficulties), (days, grades))| {
            self.reviewed(stabilities, difficulties, days, grades)
        })
    }

    /// All of one length.
    fn left(&self, stabilities: &[f32], days: &[f32], to: &mut [f32]) -> Result<(), Error> {
        let memories = ffi::ecp_fsrs {
            parameters: self.parameters.as_ptr(),
            stabilities: stabilities.as_ptr().cast_mut(),
            difficulties: std::ptr::null_mut(),
            elapsed_days: days.as_ptr(),
            grades: std::ptr::null(),
            count: stabilities.len(),
        };
        // SAFETY: ecphory.h asks for
        // - parameters[21], finite, the last above 0: checked at construction;
        // - stabilities[count], elapsed_days[count], retrievabilities[count]: slices of one length, of which only the
        //   last is written, and is `&mut`; difficulties and grades are not looked at.
        Error::check(unsafe { ffi::ecp_fsrs_retrievability(&memories, to.as_mut_ptr()) })
    }

    /// All of one length.
    fn reviewed(
        &self,
        stabilities: &mut [f32],
        difficulties: &mut [f32],
        days: &[f32],
        grades: &[u8],
    ) -> Result<(), Error> {
        let memories = ffi::ecp_fsrs {
            parameters: self.parameters.as_ptr(),
            stabilities: stabilities.as_mut_ptr(),
            difficulties: difficulties.as_mut_ptr(),
            elapsed_days: days.as_ptr(),
            grades: grades.as_ptr(),
            count: stabilities.len(),
        };
        // SAFETY: ecphory.h asks for
        // - parameters[21], finite, the last above 0: checked at construction;
        // - four arrays of [count]: slices of one length; the two that are written are `&mut`, so apart from all else.
        Error::check(unsafe { ffi::ecp_fsrs_review(&memories) })
    }
}

const OF_STABILITY: (f32, f32, &str) = (0.001, 100.0, "0.001 to 100");

/// The ranges that py-fsrs 6.3.2 lets parameters have.
const RANGES: [(f32, f32, &str); 21] = [
    OF_STABILITY,
    OF_STABILITY,
    OF_STABILITY,
    OF_STABILITY,
    (1.0, 10.0, "1 to 10"),
    (0.001, 4.0, "0.001 to 4"),
    (0.001, 4.0, "0.001 to 4"),
    (0.001, 0.75, "0.001 to 0.75"),
    (0.0, 4.5, "0 to 4.5"),
    (0.0, 0.8, "0 to 0.8"),
    (0.001, 3.5, "0.001 to 3.5"),
    (0.001, 5.0, "0.001 to 5"),
    (0.001, 0.25, "0.001 to 0.25"),
    (0.001, 0.9, "0.001 to 0.9"),
    (0.0, 4.0, "0 to 4"),
    (0.0, 1.0, "0 to 1"),
    (1.0, 6.0, "1 to 6"),
    (0.0, 2.0, "0 to 2"),
    (0.0, 2.0, "0 to 2"),
    (0.0, 0.8, "0 to 0.8"),
    (0.1, 0.8, "0.1 to 0.8"),
];
