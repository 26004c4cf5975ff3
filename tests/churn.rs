//! Arenas under load: nested kernels in join trees, panics, and more threads than a process ever has at once. One test
//! at a time, for the figures are of the whole process.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use common::numbers;
use ecphory::{ArenaConfig, ArenaStats, Metric, OverflowPolicy, Packing, Rows, Search, arena};

/// While it is held, no other test runs. Arenas are small: most of what a thread costs here is its arena's pages.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    if ArenaConfig::current() != ArenaConfig::new().capacity(CAPACITY) {
        ArenaConfig::new().capacity(CAPACITY).install().unwrap();
    }
    one
}

const CAPACITY: usize = 256 << 10;
const DIM: usize = 20;

/// Rows that a kernel gathers, and what it answers where nothing else runs.
struct Work {
    data: Vec<f32>,
    ids: Vec<u32>,
    expected: Vec<f32>,
}

impl Work {
    fn new() -> Self {
        let data = numbers(3, DIM * 30);
        let ids = vec![7, 0, 29, 3, 3, 11];
        let mut work = Self { data, ids, expected: vec![0.0; 6] };
        work.expected = work.scores().to_vec();
        work
    }

    fn scores(&self) -> [f32; 6] {
        let mut scores = [f32::NAN; 6];
        let rows = Rows::new(&self.data, DIM).unwrap();
        let search = Search::new(Metric::Dot).packing(Packing::Whole).on_overflow(OverflowPolicy::Error);
        search.gather_into(&self.data[5..5 + DIM], &rows, &self.ids, &mut scores).unwrap();
        scores
    }

    /// A kernel; whether it answered what it always does.
    fn holds(&self) -> bool {
        self.scores() == *self.expected
    }

    /// A kernel in every node of a tree of joins. A node holds scratch while its halves run, here or on a thread that
    /// stole one, and looks at it after. Answers how many kernels ran.
    fn tree(&self, depth: usize, seed: usize) -> usize {
        let size = 16 + seed * 31 % 700;
        let below = arena::scope(|scratch| {
            let held = scratch.fill(size, seed as u8).unwrap();
            assert!(self.holds(), "a kernel inside a scope");
            let below = match depth {
                0 => 0,
                _ => {
                    let (one, other) =
                        rayon::join(|| self.tree(depth - 1, seed * 2 + 1), || self.tree(depth - 1, seed * 2 + 2));
                    one + other
                }
            };
            assert!(held.iter().all(|&byte| byte == seed as u8), "scratch was overwritten");
            below
        });
        below.unwrap() + 1
    }
}

#[test]
fn a_million_nested_kernels_in_join_trees_leave_each_other_alone() {
    let _one = alone();
    let work = Work::new();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    let mut kernels = 0;
    for round in 0.. {
        kernels += pool.install(|| work.tree(13, round));
        if kernels >= 1_000_000 {
            break;
        }
    }
    pool.broadcast(|_| assert_eq!(ArenaStats::of_thread().current_usage, 0));
}

#[test]
fn a_hundred_thousand_panics_through_scopes_give_all_scratch_back() {
    let _one = alone();
    struct Silent;
    let work = Work::new();
    let before = ArenaStats::of_thread();
    let fall = |depth: usize| {
        arena::scope(|scratch| {
            let held = scratch.fill(100 + depth, 1u8).unwrap();
            let inner = arena::scope(|scratch| {
                scratch.fill(1000, 2u8).unwrap();
                assert!(work.holds());
                // Without the hook that would print it.
                std::panic::resume_unwind(Box::new(Silent));
            });
            assert!(inner.is_ok() && held.is_empty(), "a scope that panicked returned");
        })
    };
    for round in 0..100_000 {
        let panic = catch_unwind(AssertUnwindSafe(|| fall(round % 500))).unwrap_err();
        assert!(panic.is::<Silent>());
        assert_eq!(ArenaStats::of_thread().current_usage, 0);
    }
    let after = ArenaStats::of_thread();
    assert_eq!(after.rewind_count - before.rewind_count, 300_000);
    assert_eq!(after.high_water_mark, before.high_water_mark.max(1024 + 640 + 640));
    assert!(work.holds());
}

/// Bytes of memory that this process has.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[test]
fn a_hundred_thousand_threads_leave_no_arena_and_no_memory() {
    let _one = alone();
    let work = Work::new();
    let spawn = |count: usize| {
        for _ in 0..count / 10 {
            thread::scope(|threads| {
                let life = || assert!(work.holds());
                let spawn = |_| thread::Builder::new().stack_size(32 << 10).spawn_scoped(threads, life).unwrap();
                let running: Vec<_> = (0..10).map(spawn).collect();
                // The scope alone would not wait for what threads do when they end.
                running.into_iter().for_each(|thread| thread.join().unwrap());
            });
        }
    };
    spawn(10_000);
    let before = ArenaStats::of_all_threads();
    #[cfg(target_os = "linux")]
    let resident_before = resident();
    spawn(90_000);
    let after = ArenaStats::of_all_threads();
    assert_eq!((after.live_arenas, after.capacity), (before.live_arenas, before.capacity));
    assert_eq!(after.rewind_count - before.rewind_count, 90_000);
    #[cfg(target_os = "linux")]
    assert!(resident() < resident_before + (1 << 20), "from {resident_before} to {} bytes", resident());
}
