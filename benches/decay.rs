use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ecphory::{Ages, BaseLevel, Decay, DecayParams, Fsrs, Presentations, Selected};

const DAY: f32 = 86_400.0;
const NOW: i64 = 1_700_000_000_123;

fn decay(c: &mut Criterion) {
    // Decayed in place again and again, strengths would sink into subnormals but for the floor.
    let laws = [
        ("exponential", Decay::half_life_seconds(7.0 * DAY).unwrap().floor(0.1).unwrap()),
        ("power", Decay::power(DAY, 0.5).unwrap().floor(0.1).unwrap()),
        ("hyperbolic", Decay::hyperbolic(DAY).unwrap().floor(0.1).unwrap()),
        ("stretched", Decay::stretched(DAY, 0.5).unwrap().floor(0.1).unwrap()),
        ("savings", Decay::ebbinghaus().floor(0.1).unwrap()),
        ("stability", Decay::stability_seconds(7.0 * DAY).unwrap().floor(0.1).unwrap()),
    ];
    for (name, law) in laws {
        let mut group = c.benchmark_group(format!("decay, {name}"));
        for (name, count) in [("10,000", 10_000), ("1,000,000", 1_000_000)] {
            let ages: Vec<_> = (0..count).map(|i| 90.0 * DAY * i as f32 / count as f32).collect();
            let mut strengths = vec![1.0; count];
            group.throughput(Throughput::Elements(count as u64));
            group.bench_function(name, |b| {
                b.iter(|| law.apply(&mut strengths, Ages::Seconds(black_box(&ages))).unwrap());
            });
        }
    }
    ways(c);
    models(c);
}

/// Exponential decay of 10,000 memories by other ways than ages, in place.
fn ways(c: &mut Criterion) {
    let law = Decay::half_life_seconds(7.0 * DAY).unwrap().floor(0.1).unwrap();
    let ages: Vec<_> = (0..10_000).map(|i| 90.0 * DAY * i as f32 / 10_000.0).collect();
    let mut strengths = vec![1.0; ages.len()];
    let mut decayed = strengths.clone();
    let mut group = c.benchmark_group("decay, exponential, 10,000");
    group.throughput(Throughput::Elements(ages.len() as u64));
    group.bench_function("one age for all", |b| {
        b.iter(|| law.apply(&mut strengths, Ages::Uniform(black_box(1.0))).unwrap());
    });
    group.bench_function("into another slice", |b| {
        b.iter(|| law.apply_into(&strengths, Ages::Seconds(black_box(&ages)), &mut decayed).unwrap());
    });
    let times: Vec<_> = ages.iter().map(|&age| NOW - (age * 1000.0) as i64).collect();
    group.bench_function("Unix milliseconds", |b| {
        b.iter(|| law.apply(&mut strengths, Ages::UnixMilliseconds { now: NOW, times: black_box(&times) }).unwrap());
    });
    let half_lives = DecayParams::half_lives_seconds((1..=10_000).map(|i| i as f32 * 60.0).collect()).unwrap();
    let each = half_lives.law().floor(0.1).unwrap();
    group.bench_function("a half-life for each", |b| {
        b.iter(|| each.apply(&mut strengths, Ages::Seconds(black_box(&ages))).unwrap());
    });
    for (name, threshold) in [("none selected", 0.05), ("half selected", 0.5)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                strengths.fill(1.0);
                law.apply_and_select(&mut strengths, Ages::Seconds(&ages), Selected::Below(threshold)).unwrap()
            });
        });
    }
}

/// FSRS-6 and ACT-R's base level, of 10,000 memories.
fn models(c: &mut Criterion) {
    let fsrs = Fsrs::default();
    let stabilities: Vec<_> = (0..10_000).map(|i| 0.5 + i as f32 / 100.0).collect();
    let days: Vec<_> = (0..10_000).map(|i| 1.0 + (i % 97) as f32).collect();
    let grades: Vec<_> = (0..10_000).map(|i| if i % 8 == 0 { 1 } else { 2 + (i % 3) as u8 }).collect();
    let mut left = vec![0.0; 10_000];
    let mut group = c.benchmark_group("models of memory, 10,000");
    group.throughput(Throughput::Elements(10_000));
    group.bench_function("FSRS-6, retrievability", |b| {
        b.iter(|| fsrs.retrievability(black_box(&stabilities), &days, &mut left).unwrap());
    });
    let (mut reviewed, mut difficulties) = (stabilities.clone(), vec![5.0; 10_000]);
    group.bench_function("FSRS-6, review", |b| {
        b.iter(|| {
            reviewed.copy_from_slice(&stabilities);
            difficulties.fill(5.0);
            fsrs.review(&mut reviewed, &mut difficulties, &days, &grades).unwrap();
        });
    });
    let offsets: Vec<_> = (0..=10_000).map(|i| 10 * i).collect();
    let presentations = Presentations::new(&offsets).unwrap();
    let ages: Vec<_> = (0..100_000).map(|i| 1.0 + (i % 1009) as f32 * 977.0).collect();
    group.bench_function("ACT-R, ten presentations each", |b| {
        let level = BaseLevel::new(0.5).unwrap();
        b.iter(|| level.exact(&presentations, Ages::Seconds(black_box(&ages)), &mut left).unwrap());
    });
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group! { name = benches; config = quick(); targets = decay }
criterion_main!(benches);
