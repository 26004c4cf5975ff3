use std::hint::black_box;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use ecphory::{ArenaReport, ArenaStats, Metric, Rows, Search, arena};

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

/// What it costs to read the figures of all threads, where there are very many, all of whom have an arena.
fn scrape(c: &mut Criterion) {
    const THREADS: usize = 10_000;
    let gate = Mutex::new(());
    let (sender, born) = mpsc::channel();
    thread::scope(|threads| {
        // Threads wait for it, and go on when it is dropped, in a panic too.
        let closed = gate.lock().unwrap();
        for _ in 0..THREADS {
            let (sender, gate) = (sender.clone(), &gate);
            let life = move || {
                sender.send(arena::scope(|scratch| scratch.fill(64, 1u8).is_ok())).unwrap();
                drop(gate.lock());
            };
            thread::Builder::new().stack_size(32 << 10).spawn_scoped(threads, life).unwrap();
        }
        assert!(born.iter().take(THREADS).all(|answer| answer == Ok(true)));
        let mut group = c.benchmark_group(format!("scrape of {THREADS} threads"));
        group.bench_function("totals", |b| b.iter(ArenaStats::of_all_threads));
        group.bench_function("report", |b| b.iter(ArenaReport::now));
        drop(closed);
    });
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group! { name = benches; config = quick(); targets = scope, small_call, scrape }
criterion_main!(benches);
