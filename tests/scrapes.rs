//! Figures read while threads come and go: no counter ever goes down, and in the end none was lost. Alone in a process,
//! whose figures they are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use ecphory::{ArenaReport, Edge, Graph, Metric, OverflowPolicy, Packing, Rows, Search, Seed, Spread, arena};

const WORKERS: usize = 3;
const LIVES: usize = 600;
const KINDS: usize = 3;

/// A figure of all threads, and whether it is the largest of any and not a sum.
type Figure = (String, u64, bool);

fn figures() -> Vec<Figure> {
    let ArenaReport { total, kernels, .. } = ArenaReport::now();
    let mut all = vec![
        ("overflows".to_owned(), total.overflow_count, false),
        ("rewinds".to_owned(), total.rewind_count, false),
        ("allocations".to_owned(), total.allocation_count, false),
        ("heap loans".to_owned(), total.heap_loan_count, false),
        ("bytes of heap loans".to_owned(), total.heap_loan_bytes, false),
        ("high water".to_owned(), total.high_water_mark as u64, true),
        ("nesting".to_owned(), total.nesting_max as u64, true),
    ];
    for kernel in &kernels {
        let mut add = |what: &str, value, peak| all.push((format!("{what} of {}", kernel.kernel.name()), value, peak));
        add("errors", kernel.overflows.error, false);
        add("overflows to the heap", kernel.overflows.heap, false);
        add("overflows that grew", kernel.overflows.grow, false);
        add("heap loans", kernel.heap_loan_count, false);
        add("bytes of heap loans", kernel.heap_loan_bytes, false);
        add("high water", kernel.high_water_mark as u64, true);
        for (edge, count) in kernel.needs.buckets() {
            add(&format!("needs up to {edge}"), count, false);
        }
    }
    all
}

/// What a thread does from its first kernel to its end: everything that is counted.
fn live(kind: usize, data: &[f32], graph: &Graph) {
    let rows = Rows::new(data, 8).unwrap();
    let search = |policy| Search::new(Metric::Dot).packing(Packing::Whole).on_overflow(policy);
    let many: Vec<u32> = (0..500).cycle().take(70_000).collect();
    for round in 0..6 {
        search(OverflowPolicy::Error).gather(&data[..8], &rows, &many[..1 + round * 37]).unwrap();
        search(OverflowPolicy::Error).top_k(&data[..8], &rows, 1 + kind).unwrap();
        graph.spread(&[Seed::new(0, 1.0)], &Spread::default()).unwrap();
        let outcome = arena::scope(|scratch| {
            scratch.fill(100 << kind, 1u8)?;
            scratch.fill(1 << 30, 1u8).unwrap_err();
            search(OverflowPolicy::Error).scores(&data[..8], &rows)?;
            arena::scope(|scratch| scratch.fill(10, 1u8).map(|_| ()))?
        });
        outcome.unwrap().unwrap();
    }
    // More than an arena: a call on the heap, one that is refused, or a larger arena.
    let policy = [OverflowPolicy::Heap, OverflowPolicy::Error, OverflowPolicy::Grow { max: 8 << 20 }][kind];
    let wide = Graph::from_edges(400_000, [Edge::new(0, 1, 1.0)]).unwrap();
    let _ = wide.spread(&[Seed::new(0, 1.0)], &Spread::default().on_overflow(policy));
}

#[test]
fn no_counter_goes_down_while_threads_come_and_go_and_none_is_lost() {
    let data: Vec<f32> = (0..8 * 500).map(|i| (i % 17) as f32).collect();
    let graph = Graph::from_edges(300, [Edge::new(0, 1, 1.0), Edge::new(1, 299, 1.0)]).unwrap();
    let life = |kind| thread::scope(|threads| threads.spawn(|| live(kind, &data, &graph)).join().unwrap());
    let before = figures();
    (0..KINDS).for_each(life);
    let once = figures();

    let working = AtomicUsize::new(WORKERS);
    let mut scrapes = 0;
    thread::scope(|threads| {
        for worker in 0..WORKERS {
            let (life, working) = (&life, &working);
            threads.spawn(move || {
                (0..LIVES).for_each(|i| life((worker + i) % KINDS));
                working.fetch_sub(1, Ordering::Release);
            });
        }
        let mut last = once.clone();
        while working.load(Ordering::Acquire) > 0 {
            let now = figures();
            for ((what, now, _), (_, last, _)) in now.iter().zip(&last) {
                assert!(now >= last, "{what}: expected at least {last}, found {now}");
            }
            last = now;
            scrapes += 1;
        }
    });
    assert!(scrapes > 100, "expected many scrapes, found {scrapes}");

    // Each kind of life was led as often as the others.
    let times = (WORKERS * LIVES / KINDS) as u64;
    for (((what, before, peak), (_, once, _)), (_, after, _)) in before.iter().zip(&once).zip(figures()) {
        let expected = if *peak { *once } else { once + (once - before) * times };
        assert_eq!(after, expected, "{what}");
    }
    assert!(once.iter().filter(|(_, value, _)| *value > 0).count() > 20, "expected many figures above 0: {once:?}");
}
