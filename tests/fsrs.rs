//! FSRS-6 against values of its other implementations and against its definition in f64.

mod common;

use common::{bits, numbers, on_threads};
use ecphory::{Error, Fsrs};

/// The library splits a batch into tasks of this many memories.
const TASK_MEMORIES: usize = 1 << 19;

/// Within `allowed` ulp of f32.
fn assert_near(expected: f64, found: f32, allowed: f64, what: &str) {
    let exponent = (expected.to_bits() >> 52 & 0x7FF) as i32 - 1023;
    let off = (expected - f64::from(found)).abs() / f64::powi(2.0, exponent.max(-126) - 23);
    assert!(off <= allowed, "{what}: expected {expected}, found {found}, {off} ulp away");
}

/// Reviews a single memory.
fn review(fsrs: &Fsrs, state: (f32, f32), days: f32, grade: u8) -> (f32, f32) {
    let (mut stability, mut difficulty) = ([state.0], [state.1]);
    fsrs.review(&mut stability, &mut difficulty, &[days], &[grade]).unwrap();
    (stability[0], difficulty[0])
}

/// py-fsrs 6.3.2, tests/test_basic.py, test_custom_scheduler_args: intervals in days at a retention of 0.9, which are
/// stabilities in whole days. Stabilities and difficulties from running it.
#[test]
fn a_history_of_py_fsrs_gives_its_intervals_and_states() {
    let history = [
        (0.0, 3, 2.3065, 2.118103970459016, None),
        (0.006_944_444_5, 3, 2.3065, 2.111214235785395, Some(2)),
        (2.0, 3, 10.971048263078135, 2.1043313908464483, Some(11)),
        (11.0, 3, 46.316858440073425, 2.0974554287524403, Some(46)),
        (46.0, 3, 162.99981577472244, 2.0905863426205262, Some(163)),
        (163.0, 3, 497.8765551245907, 2.083724125574744, Some(498)),
        (498.0, 1, 6.890412507565338, 7.383202320049203, None),
        (0.006_944_444_5, 1, 2.154598374301973, 9.125104766121234, None),
        (0.006_944_444_5, 3, 2.154598374301973, 9.11120803065195, Some(2)),
        (2.0, 3, 3.9831233795187773, 9.097325191918136, Some(4)),
        (4.0, 3, 7.236254476883319, 9.083456236023055, Some(7)),
        (7.0, 3, 12.483043578674472, 9.06960114908387, Some(12)),
        (12.0, 3, 20.77035728499242, 9.055759917231622, Some(21)),
    ];
    let mut state = (0.0, 0.0);
    for (days, grade, stability, difficulty, interval) in history {
        state = review(&Fsrs::default(), state, days, grade);
        // Each review begins with the f32 that the last one left.
        assert_near(stability, state.0, 6.0, "stability");
        assert_near(difficulty, state.1, 3.0, "difficulty");
        if let Some(interval) = interval {
            assert_eq!(state.0.round() as i32, interval);
        }
    }
}

/// The crate fsrs 6.6.2, src/inference.rs, test_memory_state: with its parameters, and with those of the same day 0.
#[test]
fn a_history_of_the_crate_fsrs_gives_its_states() {
    let mut frozen = Fsrs::PARAMETERS;
    frozen[17..20].fill(0.0);
    for (parameters, expected) in [(Fsrs::PARAMETERS, 53.62691), (frozen, 53.335106)] {
        let fsrs = Fsrs::new(parameters).unwrap();
        let reviews = [(0.0, 1), (0.0, 3), (1.0, 3), (3.0, 3), (8.0, 3), (21.0, 3)];
        let state = reviews.iter().fold((0.0, 0.0), |state, &(days, grade)| review(&fsrs, state, days, grade));
        // Its own test allows 1e-4.
        assert!((state.0 - expected).abs() < 1e-4, "{state:?}");
        assert!((state.1 - 6.3574867).abs() < 1e-6, "{state:?}");
    }
}

/// py-fsrs 6.3.2, run: stability, difficulty, days, grade; stability and difficulty after that.
#[test]
fn single_reviews_have_the_values_of_py_fsrs() {
    let reviews = [
        (0.001, 10.0, 1.0, 1, 0.001, 9.985228369296838),
        (0.001, 10.0, 1.0, 2, 0.009448085390921023, 9.985228369296838),
        (0.001, 10.0, 1.0, 4, 0.027309310157392724, 9.985228369296838),
        (0.212, 6.4133, 0.0, 1, 0.08335671711031604, 8.806304468856837),
        (0.212, 6.4133, 0.0, 2, 0.212, 7.604209769076838),
        (0.212, 6.4133, 0.0, 3, 0.24668918777567272, 6.402115069296838),
        (0.212, 6.4133, 0.0, 4, 0.42437996387663374, 5.200020369516838),
        (1.2931, 5.5, 3.0, 1, 0.4290827595564398, 8.506108969296838),
        (1.2931, 5.5, 3.0, 3, 7.598550728458864, 5.489728369296839),
        (2.3065, 2.118, 2.0, 1, 0.6075819374946797, 7.394468566896838),
        (2.3065, 2.118, 2.0, 2, 7.513381317206229, 4.7527894680968386),
        (2.3065, 2.118, 2.0, 3, 10.964433683415747, 2.1111103692968385),
        (2.3065, 2.118, 2.0, 4, 18.52194399566935, 1.0),
        (8.2956, 1.0, 8.0, 3, 38.90514998232684, 1.0),
        (53.62691, 6.3574867, 55.0, 1, 2.916928014230323, 8.787959016677279),
        (53.62691, 6.3574867, 55.0, 2, 95.93345078232036, 7.567158299637058),
        (53.62691, 6.3574867, 55.0, 4, 185.37935468109046, 5.125556865556619),
        (365.0, 9.9, 30.0, 3, 374.28165180176865, 9.885328369296838),
        (2.5, 3.0, 1000.0, 1, 1.458968708079233, 7.6843759692968385),
        (2.5, 3.0, 1000.0, 4, 131.0329156580303, 1.0),
    ];
    for (stability, difficulty, days, grade, expected_stability, expected_difficulty) in reviews {
        let found = review(&Fsrs::default(), (stability, difficulty), days, grade);
        let what = format!("S {stability}, D {difficulty}, {days} days, grade {grade}");
        // What is given is rounded to f32, half an ulp for each of the two.
        assert_near(expected_stability, found.0, 2.0, &what);
        assert_near(expected_difficulty, found.1, 2.0, &what);
    }
    for (grade, stability, difficulty) in
        [(1, 0.212, 6.4133), (2, 1.2931, 5.112170705601056), (3, 2.3065, 2.118103970459016), (4, 8.2956, 1.0)]
    {
        let found = review(&Fsrs::default(), (0.0, f32::NAN), f32::NAN, grade);
        assert_near(stability, found.0, 0.51, "first stability");
        assert_near(difficulty, found.1, 0.51, "first difficulty");
    }
}

/// py-fsrs 6.3.2, run; and the crate fsrs 6.6.2, src/inference.rs, test_current_retrievability, w20 0.2.
#[test]
fn retrievability_has_the_values_of_py_fsrs_and_of_the_crate() {
    let mut crates = Fsrs::PARAMETERS;
    crates[20] = 0.2;
    let py = [
        (1.0, 5.0, 0.7605275627180896),
        (5.0, 10.0, 0.8458846451494336),
        (10.0, 30.0, 0.8093881035731708),
        (100.0, 365.0, 0.7908969875893878),
        (36500.0, 36500.0, 0.9),
    ];
    let of_crate = [(1.0, 0.0, 1.0), (1.0, 1.0, 0.9), (1.0, 2.0, 0.84028935), (1.0, 3.0, 0.7985001)];
    for (parameters, values, allowed) in [(Fsrs::PARAMETERS, &py[..], 0.69), (crates, &of_crate, 1.5)] {
        let fsrs = Fsrs::new(parameters).unwrap();
        for &(stability, days, expected) in values {
            let mut left = [7.0];
            fsrs.retrievability(&[stability], &[days], &mut left).unwrap();
            assert_near(expected, left[0], allowed, &format!("S {stability}, {days} days"));
        }
    }
}

#[test]
fn a_later_review_strengthens_more_and_stability_is_where_nine_tenths_are_left() {
    let fsrs = Fsrs::default();
    let after = [1.0, 5.0, 10.0, 20.0, 100.0].map(|days| review(&fsrs, (10.0, 5.0), days, 3).0);
    assert!(after.is_sorted() && after[0] > 10.0 && after[4] > 2.0 * after[1], "{after:?}");
    let stabilities: Vec<_> = numbers(3, 1000).iter().map(|x| (x * 7.0).exp()).collect();
    let mut left = vec![0.0; 1000];
    fsrs.retrievability(&stabilities, &stabilities, &mut left).unwrap();
    assert!(left.iter().all(|&left| left == 0.9), "{left:?}");
}

/// Memories as one column each.
#[derive(Clone, PartialEq, Debug)]
struct Memories {
    stabilities: Vec<f32>,
    difficulties: Vec<f32>,
    days: Vec<f32>,
    grades: Vec<u8>,
}

impl Memories {
    fn some(count: usize) -> Self {
        let uniform = |seed| numbers(seed, count);
        Self {
            stabilities: uniform(1).iter().map(|&x| if x > 0.8 { 0.0 } else { (x * 6.0).exp() }).collect(),
            difficulties: uniform(2).iter().map(|x| 5.5 + 4.5 * x).collect(),
            days: uniform(3).iter().map(|x| ((x + 0.7) * 50.0).max(0.0)).collect(),
            grades: uniform(4).iter().map(|x| (2.5 + 2.5 * x) as u8).collect(),
        }
    }

    fn reviewed(&self) -> Self {
        let mut after = self.clone();
        let (stabilities, difficulties) = (&mut after.stabilities, &mut after.difficulties);
        Fsrs::default().review(stabilities, difficulties, &self.days, &self.grades).unwrap();
        after
    }
}

#[test]
fn a_memory_becomes_the_same_bits_alone_and_among_many_on_one_thread_and_on_seven() {
    let memories = Memories::some(2 * TASK_MEMORIES + 3);
    let (one, seven) = (on_threads(1, || memories.reviewed()), on_threads(7, || memories.reviewed()));
    assert!(bits(&one.stabilities) == bits(&seven.stabilities));
    assert!(bits(&one.difficulties) == bits(&seven.difficulties));
    for at in (0..memories.days.len()).step_by(9973).chain([TASK_MEMORIES - 1, TASK_MEMORIES]) {
        let state = (memories.stabilities[at], memories.difficulties[at]);
        let alone = review(&Fsrs::default(), state, memories.days[at], memories.grades[at]);
        assert_eq!(alone, (one.stabilities[at], one.difficulties[at]), "memory {at}");
        if memories.grades[at] == 0 {
            assert_eq!(alone, state);
        }
    }
    let left = || {
        let mut left = vec![0.0; memories.days.len()];
        Fsrs::default().retrievability(&memories.stabilities, &memories.days, &mut left).unwrap();
        left
    };
    assert!(bits(&on_threads(1, left)) == bits(&on_threads(7, left)));
}

#[test]
fn parameters_out_of_their_range_are_refused_by_position() {
    for position in 0..21 {
        for bad in [-1.0, 1e6, f64::NAN, f64::INFINITY] {
            let mut parameters = Fsrs::PARAMETERS;
            parameters[position] = bad;
            let Err(Error::Value { what, position: at, .. }) = Fsrs::new(parameters) else {
                panic!("expected a refusal of {bad} at {position}")
            };
            assert_eq!((what, at), ("parameter of FSRS-6", Some(position)));
        }
    }
    let mut parameters = Fsrs::PARAMETERS;
    parameters[20] = 0.0;
    let error = Fsrs::new(parameters).unwrap_err();
    assert_eq!(error.to_string(), "parameter of FSRS-6 at position 20: expected 0.1 to 0.8, found 0");
    assert_eq!(*Fsrs::new(Fsrs::PARAMETERS).unwrap().parameters(), Fsrs::PARAMETERS);
}

/// The ends of the ranges of py-fsrs 6.3.2, fsrs/scheduler.py, LOWER_BOUNDS_PARAMETERS and UPPER_BOUNDS_PARAMETERS.
#[test]
fn the_ends_of_ranges_are_within_them_as_f64_and_as_f32() {
    let lowest = [
        0.001, 0.001, 0.001, 0.001, 1.0, 0.001, 0.001, 0.001, 0.0, 0.0, 0.001, 0.001, 0.001, 0.001, 0.0, 0.0, 1.0, 0.0,
        0.0, 0.0, 0.1,
    ];
    let highest = [
        100.0, 100.0, 100.0, 100.0, 10.0, 4.0, 4.0, 0.75, 4.5, 0.8, 3.5, 5.0, 0.25, 0.9, 4.0, 1.0, 6.0, 2.0, 2.0, 0.8,
        0.8,
    ];
    for (ends, beyond) in [(lowest, -1e-6), (highest, 1e-6)] {
        assert!(Fsrs::new(ends).is_ok());
        // 0.8f32 is more than 0.8, and 0.9f32 less than 0.9.
        let rounded = ends.map(|end| f64::from(end as f32));
        assert_eq!(*Fsrs::new(rounded).unwrap().parameters(), rounded);
        for position in 0..21 {
            let mut parameters = ends;
            parameters[position] += beyond * parameters[position].max(1e-3);
            assert!(Fsrs::new(parameters).is_err(), "{parameters:?}");
        }
    }
}

#[test]
fn wrong_lengths_and_grades_are_refused_and_memories_untouched() {
    let fsrs = Fsrs::default();
    let (mut stabilities, mut difficulties) = ([3.0; 4], [5.0; 4]);
    let length = |what| Err(Error::Length { what, expected: 4, found: 3 });
    assert_eq!(fsrs.review(&mut stabilities, &mut [5.0; 3], &[1.0; 4], &[3; 4]), length("difficulties"));
    assert_eq!(fsrs.review(&mut stabilities, &mut difficulties, &[1.0; 3], &[3; 4]), length("elapsed days"));
    assert_eq!(fsrs.review(&mut stabilities, &mut difficulties, &[1.0; 4], &[3; 3]), length("grades"));
    assert_eq!(fsrs.retrievability(&stabilities, &[1.0; 3], &mut [0.0; 4]), length("elapsed days"));
    assert_eq!(fsrs.retrievability(&stabilities, &[1.0; 4], &mut [0.0; 3]), length("retrievabilities"));
    let refused = fsrs.review(&mut stabilities, &mut difficulties, &[1.0; 4], &[3, 4, 5, 9]).unwrap_err();
    assert_eq!(refused.to_string(), "grade at position 2: expected a whole number from 0 to 4, found 5");
    assert_eq!((stabilities, difficulties), ([3.0; 4], [5.0; 4]));
    assert_eq!(fsrs.review(&mut [], &mut [], &[], &[]), Ok(()));
    assert_eq!(fsrs.retrievability(&[], &[], &mut []), Ok(()));
}

#[test]
fn ends_give_what_the_table_says() {
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let stabilities = [0.0, -1.0, 5.0, 5.0, nan, 5.0, inf];
    let days = [3.0, 3.0, -2.0, inf, 1.0, nan, 5.0];
    let mut left = [7.0; 7];
    Fsrs::default().retrievability(&stabilities, &days, &mut left).unwrap();
    assert_eq!(left[..4], [0.0, 0.0, 1.0, 0.0]);
    assert!(left[4].is_nan() && left[5].is_nan() && left[6] == 1.0);
    let fsrs = Fsrs::default();
    for state in [(nan, 5.0), (5.0, nan)] {
        let found = review(&fsrs, state, 3.0, 3);
        assert!(found.0.is_nan() && found.1.is_nan());
    }
    assert!(review(&fsrs, (5.0, 5.0), nan, 1).0.is_nan());
    assert_eq!(review(&fsrs, (5.0, 5.0), -4.0, 3), review(&fsrs, (5.0, 5.0), 0.0, 3));
    assert_eq!(review(&fsrs, (1e9, 0.0), 3.0, 3), review(&fsrs, (36_500.0, 1.0), 3.0, 3));
    assert!(review(&fsrs, (5.0, 5.0), inf, 3).0 > review(&fsrs, (5.0, 5.0), 1e6, 3).0);
    assert_eq!(review(&fsrs, (7.0, 4.0), 3.0, 0), (7.0, 4.0));
}
