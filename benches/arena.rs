use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use ecphory::{Metric, Rows, Search, arena};

fn scope(c: &mut Criterion) {
    let mut group = c.benchmark_group("arena");
    group.bench_function("empty scope", |b| b.iter(|| arena::scope(|scratch| _ = black_box(scratch)).unwrap()));
    group.bench_function("scope with 3 + 4 + 8 KB", |b| {
        b.iter(|| {
            let three = |scratch: &arena::Scratch<'_>| {
                for bytes in [3 << 10, 4 << 10, 8 << 10] {
                    black_box(scratch.alloc::<u8>(bytes)?.as_mut_ptr());
                }
                Ok::<_, ecphory::Error>(())
            };
            arena::scope(three).unwrap().unwrap();
        });
    });
}

/// What a call costs where there is little to compute.
fn small_call(c: &mut Criterion) {
    let numbers: Vec<_> = (0..17 * 384).map(|i| (i % 251) as f32 - 125.0).collect();
    let (query, data) = numbers.split_at(384);
    let (rows, search, mut scores) = (Rows::new(data, 384).unwrap(), Search::new(Metric::Cosine), [0.0; 16]);
    c.bench_function("small call: cosine 1 x 16 x 384", |b| {
        b.iter(|| search.scores_into(black_box(query), &rows, &mut scores).unwrap());
    });
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group! { name = benches; config = quick(); targets = scope, small_call }
criterion_main!(benches);
