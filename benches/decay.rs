use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ecphory::{Ages, Decay};

const DAY: f32 = 86_400.0;

fn decay(c: &mut Criterion) {
    // Decayed in place again and again, strengths would sink into subnormals but for the floor.
    let laws = [
        ("exponential", Decay::half_life_seconds(7.0 * DAY).unwrap().floor(0.1).unwrap()),
        ("power", Decay::power(DAY, 0.5).unwrap().floor(0.1).unwrap()),
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
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group! { name = benches; config = quick(); targets = decay }
criterion_main!(benches);
