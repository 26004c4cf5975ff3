//! What decay refuses, by name and place.

use ecphory::{Ages, Decay, DecayParams, Error};

#[test]
fn owned_parameters_are_checked_once_by_name_and_position() {
    let value = |outcome: Result<DecayParams, Error>| match outcome {
        Err(Error::Value { what, position, .. }) => (what, position),
        other => panic!("expected a refusal, found {other:?}"),
    };
    let bad = || vec![1.0, -1.0];
    let good = || vec![1.0, 1.0];
    assert_eq!(value(DecayParams::half_lives_seconds(bad())), ("half-life in seconds", Some(1)));
    assert_eq!(value(DecayParams::stabilities_seconds(bad())), ("stability in seconds", Some(1)));
    assert_eq!(value(DecayParams::hyperbolics(bad())), ("scale in seconds", Some(1)));
    assert_eq!(value(DecayParams::powers(good(), bad())), ("exponent", Some(1)));
    assert_eq!(value(DecayParams::stretched(good(), bad())), ("shape", Some(1)));
    assert_eq!(value(DecayParams::savings(good(), bad())), ("c", Some(1)));
    let lengths = [
        DecayParams::powers(good(), vec![1.0]),
        DecayParams::stretched(good(), vec![1.0]),
        DecayParams::savings(good(), vec![1.0]),
    ];
    for (outcome, what) in lengths.into_iter().zip(["exponents", "shapes", "c"]) {
        assert_eq!(outcome, Err(Error::Length { what, expected: 2, found: 1 }));
    }
    let short = Error::Length { what: "k and c", expected: 3, found: 2 };
    let two = DecayParams::savings(good(), good()).unwrap();
    assert_eq!(two.law().apply(&mut [1.0; 3], Ages::Uniform(1.0)), Err(short));
}

#[test]
fn parameters_that_are_not_finite_and_positive_are_refused_by_name_and_position() {
    for bad in [0.0, -0.0, -1.0, f32::INFINITY, f32::NAN] {
        let refused = |outcome: Result<Decay<'_>, Error>, name: &str, place: Option<usize>| match outcome {
            Err(Error::Value { what, position, expected: "a finite number above 0", found }) => {
                assert_eq!((what, position, found.to_bits()), (name, place, f32::to_bits(bad)));
            }
            other => panic!("expected a refusal of {bad}, found {other:?}"),
        };
        refused(Decay::half_life_seconds(bad), "half-life in seconds", None);
        refused(Decay::half_lives_seconds(&[1.0, bad]), "half-life in seconds", Some(1));
        refused(Decay::power(bad, 1.0), "scale in seconds", None);
        refused(Decay::power(1.0, bad), "exponent", None);
        refused(Decay::powers(&[1.0, 1.0, bad], &[1.0; 3]), "scale in seconds", Some(2));
        refused(Decay::powers(&[1.0; 3], &[1.0, bad, 1.0]), "exponent", Some(1));
    }
    let error = Decay::half_life_seconds(-1.0).unwrap_err();
    assert_eq!(error.to_string(), "half-life in seconds: expected a finite number above 0, found -1");
    for bad in [-0.5, f32::INFINITY, f32::NAN] {
        let refusal = Decay::half_life_seconds(1.0).unwrap().floor(bad).unwrap_err();
        assert!(matches!(refusal, Error::Value { what: "floor", expected: "a finite number of 0 or more", .. }));
    }
}

#[test]
fn wrong_lengths_are_refused_and_strengths_untouched() {
    let mut strengths = [7.0; 4];
    let decay = Decay::half_life_seconds(1.0).unwrap();
    let ages = Error::Length { what: "ages", expected: 4, found: 3 };
    assert_eq!(decay.apply(&mut strengths, Ages::Seconds(&[9.0; 3])), Err(ages.clone()));
    assert_eq!(decay.apply(&mut strengths, Ages::UnixMilliseconds { now: 9, times: &[0; 3] }), Err(ages.clone()));
    assert_eq!(ages.to_string(), "ages: expected 4 elements, found 3");
    let half_lives = Error::Length { what: "half-lives", expected: 4, found: 1 };
    let each = Decay::half_lives_seconds(&[1.0]).unwrap();
    assert_eq!(each.apply(&mut strengths, Ages::Seconds(&[9.0; 4])), Err(half_lives));
    let both = Error::Length { what: "scales and exponents", expected: 4, found: 1 };
    let each = Decay::powers(&[1.0], &[1.0]).unwrap();
    assert_eq!(each.apply(&mut strengths, Ages::Seconds(&[9.0; 4])), Err(both));
    let exponents = Error::Length { what: "exponents", expected: 2, found: 1 };
    assert_eq!(Decay::powers(&[1.0; 2], &[1.0]), Err(exponents));
    assert_eq!(strengths, [7.0; 4]);
}
