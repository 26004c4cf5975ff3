use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ecphory::{Metric, Rows, Search};

const METRICS: [(&str, Metric); 2] = [("cosine", Metric::Cosine), ("dot", Metric::Dot)];

fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Numbers in -1 to 1, the same at every run.
fn numbers(count: usize) -> Vec<f32> {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    (0..count).map(|_| (xorshift(&mut state) >> 40) as f32 / (1 << 23) as f32 - 1.0).collect()
}

fn bytes(elements: usize) -> Throughput {
    Throughput::Bytes((elements * size_of::<f32>()) as u64)
}

fn scores(c: &mut Criterion) {
    for (name, metric) in METRICS {
        let mut group = c.benchmark_group(format!("similarity 1 x 1,000, {name}"));
        for dim in [128, 384, 768] {
            let (query, data, mut scores) = (numbers(dim), numbers(1000 * dim), vec![0.0; 1000]);
            let rows = Rows::new(&data, dim).unwrap();
            let search = Search::new(metric);
            group.throughput(bytes(data.len()));
            group.bench_function(format!("dim {dim}"), |b| {
                b.iter(|| search.scores_into(black_box(&query), &rows, &mut scores).unwrap());
            });
        }
    }
}

fn gather(c: &mut Criterion) {
    // Ten times as many rows as are asked for, so that they are not all in cache.
    let (dim, count) = (768, 10_000);
    let (query, data, mut scores) = (numbers(dim), numbers(count * dim), vec![0.0; 1000]);
    let rows = Rows::new(&data, dim).unwrap();
    let mut state = 1;
    let ids: Vec<_> = (0..1000).map(|_| (xorshift(&mut state) % count as u64) as u32).collect();
    let mut group = c.benchmark_group("gather 1,000 of 10,000 x 768");
    group.throughput(bytes(ids.len() * dim));
    for (name, metric) in METRICS {
        let search = Search::new(metric);
        group.bench_function(name, |b| {
            b.iter(|| search.gather_into(black_box(&query), &rows, &ids, &mut scores).unwrap());
        });
    }
}

fn top_k(c: &mut Criterion) {
    let dim = 384;
    let (query, data) = (numbers(dim), numbers(10_000 * dim));
    let rows = Rows::new(&data, dim).unwrap();
    let mut group = c.benchmark_group("top 10 of 10,000 x 384");
    group.throughput(bytes(data.len()));
    for (name, metric) in METRICS {
        let search = Search::new(metric);
        group.bench_function(name, |b| b.iter(|| search.top_k(black_box(&query), &rows, 10).unwrap()));
    }
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group! { name = benches; config = quick(); targets = scores, gather, top_k }
criterion_main!(benches);
