//! Arenas that grow, and threads that may ask the system for nothing. Arenas of 64 KiB.

mod common;

use std::sync::OnceLock;
use std::thread;

use common::{bits, numbers, on_threads};
use ecphory::{ArenaConfig, ArenaReport, ArenaStats, Edge, Error, Graph, Kernel, Metric, OverflowPolicy};
use ecphory::{Packing, Rows, Search, Seed, Spread, arena};

const CAPACITY: usize = 64 << 10;
const DIM: usize = 48;

/// Runs `test` on a thread of its own, whose arena is as new, after the configuration that is for the whole process.
fn fresh(test: impl FnOnce() + Send) {
    static INSTALLED: OnceLock<Result<(), Error>> = OnceLock::new();
    assert_eq!(INSTALLED.get_or_init(|| ArenaConfig::new().capacity(CAPACITY).install()), &Ok(()));
    thread::scope(|threads| threads.spawn(test).join()).unwrap();
}

fn gather(ids: usize, policy: OverflowPolicy) -> Result<Vec<u32>, Error> {
    let data = numbers(1, 40 * DIM);
    let ids: Vec<u32> = (0..ids as u32).map(|id| id * 7 % 40).collect();
    let search = Search::new(Metric::Cosine).packing(Packing::Whole).on_overflow(policy);
    search.gather(&data[..DIM], &Rows::new(&data, DIM)?, &ids).map(|scores| bits(&scores))
}

/// Bytes that `gather` of so many ids needs.
fn need(ids: usize) -> usize {
    4 * DIM * (ids + 1)
}

#[test]
fn a_call_that_does_not_fit_grows_the_arena_to_a_power_of_two_and_runs_in_it() {
    fresh(|| {
        let (grow, expected) = (OverflowPolicy::Grow { max: 1 << 20 }, gather(1000, OverflowPolicy::Heap));
        let before = ArenaStats::of_thread();
        assert_eq!((before.capacity, before.heap_loan_count), (CAPACITY, 1));
        assert_eq!(gather(1000, grow), expected);
        let after = ArenaStats::of_thread();
        assert_eq!((after.capacity, after.high_water_mark), (need(1000).next_power_of_two(), need(1000)));
        assert_eq!((after.heap_loan_count, after.overflow_count), (1, before.overflow_count + 1));
        // From now on it fits.
        assert_eq!(gather(1000, OverflowPolicy::Error), expected);
        assert_eq!(gather(10, grow), gather(10, OverflowPolicy::Error));
        let end = ArenaStats::of_thread();
        assert_eq!((end.capacity, end.overflow_count), (after.capacity, after.overflow_count));
    });
}

#[test]
fn a_graph_too_large_for_the_arena_grows_it() {
    fresh(|| {
        let graph = Graph::from_edges(20_000, [Edge::new(7, 8, 1.0)]).unwrap();
        let seeds = [Seed::new(7, 1.0)];
        let grow = |max| Spread::default().on_overflow(OverflowPolicy::Grow { max });
        let refused = graph.spread(&seeds, &grow(CAPACITY)).unwrap_err();
        assert!(matches!(refused, Error::OutOfMemory { needed, capacity: CAPACITY } if needed > 8 * 20_000));
        assert_eq!(graph.spread(&seeds, &grow(1 << 20)).unwrap().nodes, [7, 8]);
        assert_eq!(ArenaStats::of_thread().capacity, 1 << 18);
    });
}

#[test]
fn a_need_beyond_the_largest_size_is_an_error_and_leaves_the_arena_as_it_is() {
    fresh(|| {
        let max = need(1000) - 64;
        let refused = Error::OutOfMemory { needed: need(1000), capacity: CAPACITY };
        assert_eq!(gather(1000, OverflowPolicy::Grow { max }), Err(refused));
        assert_eq!(ArenaStats::of_thread().capacity, CAPACITY);
        // The largest size bounds the power of two as well.
        assert!(gather(1000, OverflowPolicy::Grow { max: need(1000) }).is_ok());
        assert_eq!(ArenaStats::of_thread().capacity, need(1000));
    });
}

#[test]
fn under_an_open_scope_a_call_runs_on_a_loan_and_the_arena_grows_when_the_outermost_ends() {
    fresh(|| {
        let grow = OverflowPolicy::Grow { max: 1 << 20 };
        let expected = gather(1000, OverflowPolicy::Heap);
        let before = ArenaStats::of_thread();
        arena::scope(|outer| {
            let held = outer.fill(5000, 9u8).unwrap();
            let found = arena::scope(|inner| {
                let held = inner.fill(100, 3u8).unwrap();
                let found = gather(1000, grow);
                assert_eq!(held, [3; 100]);
                found
            });
            assert_eq!(found, Ok(expected.clone()));
            assert_eq!(ArenaStats::of_thread().capacity, CAPACITY, "an arena with live blocks stays where it is");
            assert_eq!(ArenaStats::of_thread().heap_loan_count, before.heap_loan_count + 1);
            assert_eq!(held, [9; 5000]);
        })
        .unwrap();
        let after = ArenaStats::of_thread();
        let held = 5056 + 128;
        assert_eq!((after.capacity, after.current_usage), ((held + need(1000)).next_power_of_two(), 0));
        assert_eq!(gather(1000, OverflowPolicy::Error), expected);
    });
}

#[test]
fn an_arena_that_grows_when_a_scope_ends_has_no_more_than_the_largest_size() {
    fresh(|| {
        let max = need(1000) + 5056 + 64;
        arena::scope(|scratch| {
            scratch.fill(5000, 1u8).unwrap();
            gather(1000, OverflowPolicy::Grow { max }).unwrap();
        })
        .unwrap();
        assert_eq!(ArenaStats::of_thread().capacity, max);
    });
}

#[test]
fn tasks_of_a_large_gather_grow_the_arenas_of_their_threads() {
    fresh(|| {
        let data = numbers(1, 8 * 64);
        let rows = Rows::new(&data, 64).unwrap();
        let ids: Vec<u32> = (0..40_000).map(|id| id % 8).collect();
        let search = Search::new(Metric::Dot).packing(Packing::Whole);
        let run = |policy| search.on_overflow(policy).gather(&data[..64], &rows, &ids);
        let expected = run(OverflowPolicy::Heap).unwrap();
        let refused = run(OverflowPolicy::Grow { max: 1 << 20 });
        assert!(matches!(refused, Err(Error::OutOfMemory { capacity: CAPACITY, .. })), "tasks need 4 MiB");
        on_threads(2, || {
            assert_eq!(bits(&run(OverflowPolicy::Grow { max: 8 << 20 }).unwrap()), bits(&expected));
            let capacities = rayon::broadcast(|_| ArenaStats::of_thread().capacity);
            assert!(capacities.contains(&(8 << 20)), "{capacities:?}");
        });
    });
}

#[test]
fn a_frozen_thread_works_in_the_arena_it_has_and_asks_for_no_more() {
    fresh(|| {
        let unborn = |needed| Error::OutOfMemory { needed, capacity: 0 };
        assert_eq!(arena::frozen(|| gather(10, OverflowPolicy::Heap)), Err(unborn(need(10))));
        assert_eq!(arena::frozen(|| arena::scope(|_| ())), Err(unborn(CAPACITY)));
        assert_eq!(ArenaStats::of_thread().live_arenas, 0);
        let expected = gather(10, OverflowPolicy::Error);
        arena::frozen(|| {
            assert_eq!(gather(10, OverflowPolicy::Heap), expected);
            let refused = Error::OutOfMemory { needed: need(1000), capacity: CAPACITY };
            assert_eq!(gather(1000, OverflowPolicy::Heap), Err(refused.clone()));
            assert_eq!(arena::frozen(|| gather(1000, OverflowPolicy::Grow { max: 1 << 20 })), Err(refused.clone()));
            assert_eq!(gather(1000, OverflowPolicy::Heap), Err(refused));
            assert_eq!(arena::scope(|scratch| scratch.fill(7, 7u8).unwrap()[6]), Ok(7));
        });
        assert_eq!(ArenaStats::of_thread().heap_loan_count, 0);
        assert!(gather(1000, OverflowPolicy::Heap).is_ok());
    });
}

#[test]
fn what_became_of_overflows_is_counted_by_policy() {
    fresh(|| {
        let of_similarity = || ArenaReport::now().kernels.into_iter().find(|k| k.kernel == Kernel::Similarity).unwrap();
        let before = of_similarity().overflows;
        gather(1000, OverflowPolicy::Error).unwrap_err();
        gather(1000, OverflowPolicy::Heap).unwrap();
        std::panic::catch_unwind(|| gather(1000, OverflowPolicy::Panic)).unwrap_err();
        gather(1000, OverflowPolicy::Grow { max: 1 << 20 }).unwrap();
        // Other tests of this file overflow at the same time.
        let after = of_similarity().overflows;
        assert!(after.error > before.error && after.heap > before.heap);
        assert!(after.panic > before.panic && after.grow > before.grow);
        assert!(after.total() >= before.total() + 4);
    });
}

#[test]
fn many_queries_grow_an_arena_to_their_need_and_then_fit() {
    fresh(|| {
        let (queries, data) = (numbers(1, 64 * DIM), numbers(2, 40 * DIM));
        let rows = Rows::new(&data, DIM).unwrap();
        let search = Search::new(Metric::Cosine);
        let run = |policy| {
            let search = search.on_overflow(policy);
            let best = search.top_k_each(&queries, &rows, 40)?;
            search.matrix(&queries, &rows).map(|scores| (bits(&scores), best))
        };
        // Blocks of scores, queries turned over and one more, and of each query its best hits.
        let needed = (16 << 10) + (64 + 1) * 4 * DIM + 64 * (40 + 16 * 40);
        let expected = run(OverflowPolicy::Heap).unwrap();
        assert_eq!(ArenaStats::of_thread().capacity, CAPACITY);
        let refused = Error::OutOfMemory { needed, capacity: CAPACITY };
        assert_eq!(run(OverflowPolicy::Grow { max: needed - 64 }), Err(refused));
        assert_eq!(run(OverflowPolicy::Grow { max: 1 << 20 }), Ok(expected.clone()));
        let after = ArenaStats::of_thread();
        assert_eq!((after.capacity, after.high_water_mark), (needed.next_power_of_two(), needed));
        assert_eq!(run(OverflowPolicy::Error), Ok(expected));
    });
}
