//! ACT-R's base level against its definition in f64.

mod common;

use common::{bits, numbers, on_threads};
use ecphory::{Ages, BaseLevel, DecayReport, Error, Presentations};

const NOW: i64 = 1_700_000_000_123;

/// Half an ulp and what powers in f32 miss.
fn assert_near(expected: f64, found: f32, what: &str) {
    let exponent = (expected.to_bits() >> 52 & 0x7FF) as i32 - 1023;
    let bound = f64::powi(2.0, exponent - 24) + 8.3e-8;
    assert!((expected - f64::from(found)).abs() <= bound, "{what}: expected {expected}, found {found}");
}

/// Some memories, among them one with very many presentations and some with none.
struct Histories {
    offsets: Vec<u32>,
    seconds: Vec<f32>,
    times: Vec<i64>,
    counts: Vec<u32>,
    lifetimes: Vec<f32>,
}

impl Histories {
    fn some(memories: usize) -> Self {
        let lens = numbers(1, memories).into_iter().enumerate().map(|(i, x)| match i % 50 {
            13 => 3000,
            7 => 0,
            _ => ((x + 1.0) * 8.0) as u32,
        });
        let mut offsets = vec![0];
        lens.for_each(|len| offsets.push(offsets[offsets.len() - 1] + len));
        let presentations = offsets[memories] as usize;
        let seconds: Vec<_> = numbers(2, presentations).iter().map(|x| ((x + 1.0) * 9.0).exp()).collect();
        let times = seconds.iter().map(|&second| NOW - (f64::from(second) * 1000.0) as i64).collect();
        let counts =
            offsets.windows(2).zip(numbers(3, memories)).map(|(pair, x)| pair[1] - pair[0] + (x * 9.0).max(0.0) as u32);
        Self { counts: counts.collect(), lifetimes: vec![1e8; memories], offsets, seconds, times }
    }

    /// ln of the sum of powers, and of what the formula of Petrov 2006 adds.
    fn exact(&self, memory: usize, stamps: bool, others: bool, d: f64) -> f64 {
        let (mut sum, mut oldest) = (0.0, 0.0f64);
        let listed = self.offsets[memory] as usize..self.offsets[memory + 1] as usize;
        for at in listed.clone() {
            let age = if stamps { (NOW - self.times[at]) as f64 / 1000.0 } else { self.seconds[at].into() };
            sum += age.powf(-d);
            oldest = oldest.max(age);
        }
        let lifetime = f64::from(self.lifetimes[memory]);
        let rest = f64::from(self.counts[memory]) - listed.len() as f64;
        if others && rest > 0.0 {
            sum += rest * (lifetime.powf(1.0 - d) - oldest.powf(1.0 - d)) / ((1.0 - d) * (lifetime - oldest));
        }
        f64::ln(sum)
    }

    fn found(&self, stamps: bool, others: bool, d: f32) -> Vec<f32> {
        let presentations = Presentations::new(&self.offsets).unwrap();
        let ages = match stamps {
            true => Ages::UnixMilliseconds { now: NOW, times: &self.times },
            false => Ages::Seconds(&self.seconds),
        };
        let mut found = vec![0.0; presentations.memories()];
        let level = BaseLevel::new(d).unwrap();
        let report = match others {
            true => level.newest(&presentations, ages, &self.counts, Ages::Seconds(&self.lifetimes), &mut found),
            false => level.exact(&presentations, ages, &mut found),
        };
        assert_eq!(report, Ok(DecayReport::default()));
        found
    }
}

/// Ten presentations, d 0.5: the formulas of Anderson & Lebiere 1998 and of Petrov 2006 in f64.
#[test]
fn published_formulas_give_their_values() {
    let ages = [10.0, 50.0, 200.0, 1000.0, 5000.0, 20_000.0, 86_400.0, 2e5, 4e5, 6e5];
    let level = BaseLevel::new(0.5).unwrap();
    let mut found = [0.0];
    level.exact(&Presentations::new(&[0, 10]).unwrap(), Ages::Seconds(&ages), &mut found).unwrap();
    assert_near(-0.5281310852964204, found[0], "exact");
    level.optimized(&[10], Ages::Seconds(&[6e5]), &mut found).unwrap();
    assert_near(-3.6566101935451507, found[0], "optimized");
    let newest = [
        (1, -1.0806608340650103),
        (2, -0.73789734403476),
        (3, -0.6049354880372497),
        (5, -0.5345127462191446),
        (10, -0.5281310852964204),
    ];
    for (k, expected) in newest {
        let offsets = [0, k as u32];
        let presentations = Presentations::new(&offsets).unwrap();
        level.newest(&presentations, Ages::Seconds(&ages[..k]), &[10], Ages::Uniform(6e5), &mut found).unwrap();
        assert_near(expected, found[0], &format!("the {k} newest"));
    }
}

/// PyACTUp 2.2.5 (PyPI pyactup, of the ACT-R group at Carnegie Mellon), run: `base_level_activation` of a chunk that
/// was learned so long ago, with `optimized_learning` False and True.
const OF_PYACTUP: [(&[f32], f32, f64, f64); 9] = [
    (&STEADY, 0.25, 0.4825860796608488, 0.6401847943860828),
    (&STEADY, 0.5, -1.1044620296573222, -0.6812889172512873),
    (&STEADY, 0.75, -2.6814424378278865, -1.715080556436876),
    (&BURST, 0.25, -1.1147428100622068, -0.8270648465007215),
    (&BURST, 0.5, -4.532070713094365, -3.8389317503391056),
    (&BURST, 0.75, -7.949398616102429, -6.563116581725708),
    (&RECENT, 0.25, 1.1062848788596122, 0.7458274383888583),
    (&RECENT, 0.5, 0.8443457838053144, 0.0),
    (&RECENT, 0.75, 0.7753746300999599, -0.458145365937078),
];
const STEADY: [f32; 8] = [300.0, 400.0, 500.0, 600.0, 700.0, 800.0, 900.0, 1000.0];
const BURST: [f32; 10] =
    [863_945.0, 863_966.0, 863_979.0, 863_987.0, 863_992.0, 863_995.0, 863_997.0, 863_998.0, 863_999.0, 864_000.0];
const RECENT: [f32; 5] = [0.5, 5.0, 20.0, 50.0, 100.0];

/// The same, with `optimized_learning` 1, 2 or 3. There PyACTUp takes when the oldest listed one was for its age, which
/// differs unless it is half as old as the first: here it is.
const NEWEST_OF_PYACTUP: [(&[f32], usize, f32, f64); 9] = [
    (&[50.0, 55.0, 70.0, 90.0, 100.0], 1, 0.25, 0.5558954458515831),
    (&[50.0, 55.0, 70.0, 90.0, 100.0], 1, 0.5, -0.4942135279655094),
    (&[50.0, 55.0, 70.0, 90.0, 100.0], 1, 0.75, -1.5409176412818084),
    (&[20.0, 50.0, 90.0, 100.0], 2, 0.25, 0.42699937756239126),
    (&[20.0, 50.0, 90.0, 100.0], 2, 0.5, -0.5119216758148937),
    (&[20.0, 50.0, 90.0, 100.0], 2, 0.75, -1.429532442090927),
    (&[5.0, 30.0, 50.0, 80.0, 100.0], 3, 0.25, 0.7681656948297547),
    (&[5.0, 30.0, 50.0, 80.0, 100.0], 3, 0.5, 0.005508512869538053),
    (&[5.0, 30.0, 50.0, 80.0, 100.0], 3, 0.75, -0.6718455863042756),
];

#[test]
fn histories_have_the_values_of_pyactup_in_every_way() {
    let mut found = [0.0];
    for (ages, d, exact, optimized) in OF_PYACTUP {
        let offsets = [0, ages.len() as u32];
        let level = BaseLevel::new(d).unwrap();
        level.exact(&Presentations::new(&offsets).unwrap(), Ages::Seconds(ages), &mut found).unwrap();
        assert_near(exact, found[0], &format!("all of {ages:?}, d {d}"));
        level.optimized(&offsets[1..], Ages::Uniform(ages[ages.len() - 1]), &mut found).unwrap();
        assert_near(optimized, found[0], &format!("{} until {ages:?}, d {d}", ages.len()));
    }
    for (ages, k, d, newest) in NEWEST_OF_PYACTUP {
        let (offsets, lifetime) = ([0, k as u32], Ages::Uniform(ages[ages.len() - 1]));
        let presentations = Presentations::new(&offsets).unwrap();
        let (level, counts) = (BaseLevel::new(d).unwrap(), [ages.len() as u32]);
        level.newest(&presentations, Ages::Seconds(&ages[..k]), &counts, lifetime, &mut found).unwrap();
        assert_near(newest, found[0], &format!("{k} newest of {ages:?}, d {d}"));
    }
}

#[test]
fn many_memories_of_every_length_are_within_the_bound() {
    let histories = Histories::some(2000);
    for (stamps, others) in [(false, false), (true, false), (false, true), (true, true)] {
        for d in [0.5, 0.1, 0.9] {
            let found = histories.found(stamps, others, d);
            for (memory, &found) in found.iter().enumerate() {
                let expected = histories.exact(memory, stamps, others, d.into());
                if expected.is_infinite() {
                    assert_eq!(f64::from(found), expected);
                } else {
                    assert_near(expected, found, &format!("memory {memory}, d {d}"));
                }
            }
        }
    }
}

#[test]
fn newest_of_all_has_the_bits_of_exact_and_of_none_those_of_optimized() {
    let mut histories = Histories::some(500);
    histories.counts = histories.offsets.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(bits(&histories.found(false, true, 0.4)) == bits(&histories.found(false, false, 0.4)));
    let level = BaseLevel::new(0.4).unwrap();
    let (mut newest, mut optimized) = (vec![0.0; 500], vec![0.0; 500]);
    let lifetimes = Ages::Seconds(&histories.lifetimes);
    level.optimized(&histories.counts, lifetimes, &mut optimized).unwrap();
    let none = Presentations::new(&[0; 501]).unwrap();
    level.newest(&none, Ages::Seconds(&[]), &histories.counts, lifetimes, &mut newest).unwrap();
    assert!(bits(&newest) == bits(&optimized));
}

#[test]
fn one_thread_and_seven_give_the_same_bits_and_report() {
    let mut histories = Histories::some(100_000);
    assert!(histories.seconds.len() > 3 << 19);
    for (stamps, others) in [(false, false), (true, true)] {
        let run = || histories.found(stamps, others, 0.5);
        assert!(bits(&on_threads(1, run)) == bits(&on_threads(7, run)));
    }
    histories.seconds.iter_mut().step_by(1001).for_each(|age| *age = f32::NAN);
    let run = || {
        let presentations = Presentations::new(&histories.offsets).unwrap();
        let mut found = vec![0.0; presentations.memories()];
        let level = BaseLevel::new(0.5).unwrap().least_age_seconds(2.0).unwrap();
        (level.exact(&presentations, Ages::Seconds(&histories.seconds), &mut found).unwrap(), bits(&found))
    };
    let (one, seven) = (on_threads(1, run), on_threads(7, run));
    assert!(one == seven);
    assert_eq!(one.0.nan_ages, histories.seconds.len().div_ceil(1001));
}

#[test]
fn ends_give_what_the_table_says() {
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    let ages = [4.0, nan, inf, -3.0, 0.0];
    let presentations = Presentations::new(&[0, 1, 1, 2, 3, 4, 5]).unwrap();
    let level = BaseLevel::new(0.5).unwrap();
    let mut found = [7.0; 6];
    let report = level.exact(&presentations, Ages::Seconds(&ages), &mut found).unwrap();
    assert_eq!((report.negative_ages, report.nan_ages), (1, 1));
    assert_near(-f64::ln(2.0), found[0], "4 seconds");
    assert!(found[1] == -inf && found[2].is_nan() && found[3] == -inf && found[4] == inf && found[5] == inf);
    let held = level.least_age_seconds(0.25).unwrap();
    held.exact(&presentations, Ages::Seconds(&ages), &mut found).unwrap();
    assert_near(f64::ln(2.0), found[5], "a quarter of a second");
    assert!(found[4] == found[5] && found[2].is_nan());
    level.exact(&presentations, Ages::Uniform(4.0), &mut found).unwrap();
    assert!(found[0] == found[5] && found[1] == -inf);
    level.optimized(&[3, 0, 3, 3], Ages::Seconds(&[4.0, 4.0, inf, nan]), &mut found[..4]).unwrap();
    assert_near(f64::ln(3.0), found[0], "three in 4 seconds");
    assert!(found[1] == -inf && found[2] == -inf && found[3].is_nan());
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_written() {
    assert_eq!(Presentations::new(&[]), Err(Error::Length { what: "offsets", expected: 1, found: 0 }));
    assert_eq!(Presentations::new(&[1, 2]), Err(Error::Range { what: "the first offset", min: 0, max: 0, found: 1 }));
    let order = Error::Order { what: "offsets", position: 2, least: 5, found: 4 };
    assert_eq!(Presentations::new(&[0, 5, 4]), Err(order));
    for bad in [0.0, 1.0, -0.5, f32::NAN, f32::INFINITY] {
        let expected = "a number above 0 and below 1";
        assert!(matches!(BaseLevel::new(bad), Err(Error::Value { what: "d", expected: e, .. }) if e == expected));
    }
    let level = BaseLevel::new(0.5).unwrap();
    assert!(level.least_age_seconds(f32::INFINITY).is_err() && level.least_age_seconds(-1.0).is_err());
    let presentations = Presentations::new(&[0, 1, 3]).unwrap();
    assert_eq!((presentations.memories(), presentations.len(), presentations.is_empty()), (2, 3, false));
    let three = Ages::Seconds(&[1.0; 3]);
    let mut found = [7.0; 2];
    let length = |what, expected, found| Err(Error::Length { what, expected, found });
    assert_eq!(level.exact(&presentations, Ages::Seconds(&[1.0; 2]), &mut found), length("ages", 3, 2));
    assert_eq!(level.exact(&presentations, three, &mut found[..1]), length("base levels", 2, 1));
    assert_eq!(level.newest(&presentations, three, &[1], three, &mut found), length("counts", 2, 1));
    assert_eq!(level.newest(&presentations, three, &[1; 2], three, &mut found), length("lifetimes", 2, 3));
    assert_eq!(level.optimized(&[1; 3], three, &mut found), length("base levels", 3, 2));
    assert_eq!(found, [7.0; 2]);
    let none = Presentations::new(&[0]).unwrap();
    assert_eq!(level.exact(&none, Ages::Seconds(&[]), &mut []), Ok(DecayReport::default()));
}
