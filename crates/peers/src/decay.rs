//! Strengths wearing off: other vector maths.

use std::sync::Arc;

use ecphory_measure::cases::decay::{EXPONENT, HALF_LIFE, Law, SCALE, ages, decay, decaying, in_tasks, work};
use ecphory_measure::cases::forgetting::{self, Memories, ROUNDS, Way, timed};
use ecphory_measure::cases::{check, one_and_all};
use ecphory_measure::suite::Plan;
use ecphory_measure::{Case, Contender, Level, Limits};
use fsrs::{FSRS, FSRSItem, FSRSReview, MemoryState, current_retrievability};

use crate::absent::not_here;
use crate::python;

pub fn plans() -> Vec<Plan> {
    say_who_is_absent();
    let mut plans = Vec::new();
    for law in Law::ALL {
        for n in [10_000, 1_000_000, 100_000_000] {
            // So few stay on one thread.
            for threads in if n == 10_000 { vec![1] } else { one_and_all() } {
                plans.push(Plan::new(work(law, n), threads, move |limits| contest(limits, law, n, threads)));
            }
        }
    }
    for way in Way::ALL {
        plans.push(Plan::new(forgetting::work(way, 10_000), 1, move |limits| contest_of(limits, way)));
    }
    plans
}

/// FSRS-6 as the crate fsrs has it; of the other ways, ours and the plain loop.
fn contest_of(limits: &Limits, way: Way) -> Result<Case<'static>, String> {
    let memories = Memories::new(10_000);
    let mut case = forgetting::case(limits, way, &memories, 1)?;
    match way {
        Way::Review => {
            let note = "of items that it is given to keep; in f32";
            case.try_add("fsrs", Some(note.into()), || fsrs_review(&memories));
        }
        Way::Retrievability => {
            let note = "computes its factor, one more power, for every memory";
            case.try_add("fsrs", Some(note.into()), || fsrs_retrievability(&memories));
        }
        _ => {}
    }
    Ok(case)
}

type Batch = (Vec<FSRSItem>, Vec<Option<MemoryState>>, Vec<MemoryState>);

/// Its own batch: each memory's reviews from the state that it has.
fn fsrs_review(memories: &Arc<Memories>) -> Result<Contender<'static>, String> {
    let model = FSRS::new(&[]).map_err(|error| error.to_string())?;
    let all = memories.clone();
    let restore = move |(items, states, _): &mut Batch| {
        let review = |round: usize, i: usize| FSRSReview {
            rating: all.grades[round][i].into(),
            delta_t: all.days[round][i] as u32,
        };
        *items = (0..all.stabilities.len())
            .map(|i| FSRSItem { reviews: (0..ROUNDS).map(|round| review(round, i)).collect() })
            .collect();
        let each = all.stabilities.iter().zip(&all.difficulties);
        *states = each.map(|(&stability, &difficulty)| Some(MemoryState { stability, difficulty })).collect();
    };
    let apply = move |(items, states, found): &mut Batch| {
        *found =
            model.memory_state_batch(std::mem::take(items), std::mem::take(states)).expect("reviews as it has them");
    };
    let right = |(_, _, found): &Batch| {
        let stabilities: Vec<_> = found.iter().map(|state| state.stability).collect();
        // Five reviews in f32, one from the other.
        check("fsrs", &stabilities, &memories.reviewed(), |_, exact| exact * 2e-4)
    };
    timed("fsrs", 1, ((Vec::new(), Vec::new(), Vec::new()), restore, 1), apply, right)
}

fn fsrs_retrievability(memories: &Arc<Memories>) -> Result<Contender<'static>, String> {
    let all = memories.clone();
    let decay = ecphory::Fsrs::PARAMETERS[20] as f32;
    let apply = move |to: &mut Vec<f32>| {
        for (to, (&stability, &days)) in to.iter_mut().zip(all.stabilities.iter().zip(&all.days[0])) {
            *to = current_retrievability(MemoryState { stability, difficulty: 5.0 }, days, decay);
        }
    };
    let right = |to: &Vec<f32>| check("fsrs", to, &memories.left(), |_, exact| exact * 3e-6);
    timed("fsrs", 1, (vec![0.0; memories.stabilities.len()], |_| (), 1), apply, right)
}

fn contest(limits: &Limits, law: Law, n: usize, threads: usize) -> Result<Case<'static>, String> {
    let ages = ages(n);
    let mut case = decay(limits, law, &ages, threads)?;
    for vectors in [sleef(), libmvec()].into_iter().flatten() {
        case.try_add(vectors.name, None, || vectors.contender(law, &ages, threads));
    }
    // Who computes one element at a time is bound by that; from memory they would only take longer to say so, as the
    // plain loop does.
    if limits.level(8 * n, threads) != Level::Dram {
        let by_std = move |strengths: &mut [f32], ages: &[f32]| in_tasks(strengths, ages, |s, a| by_std(law, s, a));
        case.try_add("std", None, || decaying("std", threads, law, &ages, 1e-6, by_std));
        if law == Law::Power {
            add_fsrs(&mut case, &ages, threads);
        }
        if threads == 1 {
            python::decay(&mut case, law, &ages);
        }
    }
    Ok(case)
}

fn by_std(law: Law, strengths: &mut [f32], ages: &[f32]) {
    let each = strengths.iter_mut().zip(ages);
    match law {
        Law::Exponential => {
            let rate = (-std::f64::consts::LN_2 / f64::from(HALF_LIFE)) as f32;
            each.for_each(|(strength, age)| *strength *= (age * rate).exp());
        }
        Law::Power => each.for_each(|(strength, age)| *strength *= (1.0 + age * (1.0 / SCALE)).powf(-EXPONENT)),
    }
}

/// FSRS-6 has the same law with the scale `stability / factor`, where the factor makes 0.9 of what is left after
/// `stability`.
fn add_fsrs(case: &mut Case<'static>, ages: &Arc<[f32]>, threads: usize) {
    let factor = 0.9f64.powf(-1.0 / f64::from(EXPONENT)) - 1.0;
    // Any unit of time will do, as long as both have it.
    let state = MemoryState { stability: (f64::from(SCALE) * factor) as f32, difficulty: 5.0 };
    let each = move |strengths: &mut [f32], ages: &[f32]| {
        for (strength, age) in strengths.iter_mut().zip(ages) {
            *strength *= current_retrievability(state, *age, EXPONENT);
        }
    };
    let all = move |strengths: &mut [f32], ages: &[f32]| in_tasks(strengths, ages, each);
    let note = "computes its factor, one more power, for every memory";
    // Its factor is a difference of f32 near 1, so it is some ulp off.
    case.try_add("fsrs", Some(note.into()), || decaying("fsrs", threads, Law::Power, ages, 1e-6, all));
}

type Exponential = unsafe extern "C" fn(*mut f32, *const f32, usize, f32);
type Power = unsafe extern "C" fn(*mut f32, *const f32, usize, f32, f32);

/// Functions of a library of vector maths in one width.
#[derive(Clone, Copy)]
struct Vectors {
    name: &'static str,
    exponential: Exponential,
    /// What half-lives are divided into.
    rate: f64,
    power: Power,
    /// Of the library's own functions, and of what f32 makes of their arguments.
    tolerance: f64,
}

impl Vectors {
    fn contender(self, law: Law, ages: &Arc<[f32]>, threads: usize) -> Result<Contender<'static>, String> {
        let all = move |strengths: &mut [f32], ages: &[f32]| in_tasks(strengths, ages, |s, a| self.apply(law, s, a));
        decaying(self.name, threads, law, ages, self.tolerance, all)
    }

    fn apply(&self, law: Law, strengths: &mut [f32], ages: &[f32]) {
        assert_eq!(strengths.len(), ages.len());
        let (n, to, from) = (strengths.len(), strengths.as_mut_ptr(), ages.as_ptr());
        match law {
            Law::Exponential => {
                let rate = (self.rate / f64::from(HALF_LIFE)) as f32;
                // SAFETY: strengths[n] and ages[n], which do not overlap; whoever made `self` asked the CPU.
                unsafe { (self.exponential)(to, from, n, rate) }
            }
            // SAFETY: as above.
            Law::Power => unsafe { (self.power)(to, from, n, 1.0 / SCALE, -EXPONENT) },
        }
    }
}

/// The functions `peers_<library>_<law>_<width>` of the widest width that this CPU has.
#[cfg(any(sleef, libmvec))]
macro_rules! widest {
    (
        $name:literal,
        $rate:expr,
        $tolerance:expr,
        $wide:ident,
        $wide_power:ident,
        $narrow:ident,
        $narrow_power:ident
    ) => {{
        unsafe extern "C" {
            fn $wide(strengths: *mut f32, ages: *const f32, n: usize, rate: f32);
            fn $wide_power(strengths: *mut f32, ages: *const f32, n: usize, per_scale: f32, exponent: f32);
            fn $narrow(strengths: *mut f32, ages: *const f32, n: usize, rate: f32);
            fn $narrow_power(strengths: *mut f32, ages: *const f32, n: usize, per_scale: f32, exponent: f32);
        }
        let of = |exponential: Exponential, power: Power| {
            Some(Vectors { name: $name, exponential, rate: $rate, power, tolerance: $tolerance })
        };
        if is_x86_feature_detected!("avx512f") {
            of($wide, $wide_power)
        } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            of($narrow, $narrow_power)
        } else {
            None
        }
    }};
}

/// Functions of at most 1 ulp.
#[cfg(sleef)]
fn sleef() -> Option<Vectors> {
    widest!(
        "sleef",
        -1.0,
        3e-7,
        peers_sleef_exponential_avx512,
        peers_sleef_power_avx512,
        peers_sleef_exponential_avx2,
        peers_sleef_power_avx2
    )
}

#[cfg(not(sleef))]
fn sleef() -> Option<Vectors> {
    None
}

/// Functions of at most 4 ulp.
#[cfg(libmvec)]
fn libmvec() -> Option<Vectors> {
    widest!(
        "libmvec",
        -std::f64::consts::LN_2,
        7e-7,
        peers_libmvec_exponential_avx512,
        peers_libmvec_power_avx512,
        peers_libmvec_exponential_avx2,
        peers_libmvec_power_avx2
    )
}

#[cfg(not(libmvec))]
fn libmvec() -> Option<Vectors> {
    None
}

fn say_who_is_absent() {
    if sleef().is_none() {
        not_here("sleef", if cfg!(sleef) { "needs AVX2" } else { "x86-64, apt install libsleef-dev" });
    }
    if libmvec().is_none() {
        not_here("libmvec", if cfg!(libmvec) { "needs AVX2" } else { "x86-64 with glibc" });
    }
}
