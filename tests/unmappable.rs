//! Arenas that the system has no memory for. One test, for the configuration is the whole process's.

use std::panic::catch_unwind;

use ecphory::{ArenaConfig, ArenaStats, Error, Metric, OverflowPolicy, Rows, Search, arena};

#[test]
fn an_arena_that_cannot_be_mapped_is_out_of_memory_until_another_capacity_is_installed() {
    ArenaConfig::new().capacity(1 << 46).install().unwrap();
    let (data, query) = ([1.0; 3 * 48], [2.0; 48]);
    let rows = Rows::new(&data, 48).unwrap();
    let search = Search::new(Metric::Dot);
    let strict = search.on_overflow(OverflowPolicy::Error);
    if arena::scope(|_| ()).is_ok() {
        return; // This system lends 64 TiB of address space without looking (vm.overcommit_memory=1).
    }
    assert_eq!(arena::scope(|_| ()), Err(Error::OutOfMemory { needed: 1 << 46, capacity: 0 }));
    assert_eq!(strict.scores(&query, &rows), Err(Error::OutOfMemory { needed: 192, capacity: 0 }));
    assert!(catch_unwind(|| search.on_overflow(OverflowPolicy::Panic).scores(&query, &rows)).is_err());
    let before = ArenaStats::of_all_threads();
    assert_eq!(search.scores(&query, &rows), Ok(vec![96.0; 3]));
    let after = ArenaStats::of_all_threads();
    assert_eq!((after.heap_loan_count, after.overflow_count), (before.heap_loan_count + 1, before.overflow_count + 1));
    assert_eq!((after.live_arenas, after.capacity, ArenaStats::of_thread().capacity), (0, 0, 0));

    ArenaConfig::new().install().unwrap();
    assert_eq!(strict.scores(&query, &rows), Ok(vec![96.0; 3]));
    assert_eq!(ArenaStats::of_thread().capacity, 2 << 20);
}
