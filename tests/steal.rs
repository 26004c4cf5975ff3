//! A rayon worker that waits runs other tasks on top of the frame that waits: both have scratch in one arena.

mod common;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use common::numbers;
use ecphory::{ArenaStats, Metric, OverflowPolicy, Packing, Rows, Search, arena};

const ROUNDS: usize = 300;

/// What the tasks of a round tell each other.
#[derive(Default)]
struct Latches {
    other_worker_busy: AtomicBool,
    stolen_task_done: AtomicBool,
}

fn open(latch: &AtomicBool) {
    latch.store(true, Ordering::Release);
}

fn wait_for(latch: &AtomicBool, what: &str) {
    let start = Instant::now();
    while !latch.load(Ordering::Acquire) {
        assert!(start.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        thread::yield_now();
    }
}

/// What the waiting task found when it went on.
struct Found {
    thread: ThreadId,
    intact: bool,
    usage: usize,
}

/// Holds scratch and waits for the other worker, which waits for the task that only this thread is left to run.
fn waiting_task(latches: &Latches, size: usize, mark: u8) -> Found {
    let found = arena::scope(|scratch| {
        let held = scratch.fill(size, mark).unwrap();
        let usage = ArenaStats::of_thread().current_usage;
        rayon::join(
            || wait_for(&latches.other_worker_busy, "the other worker took its half"),
            || {
                open(&latches.other_worker_busy);
                wait_for(&latches.stolen_task_done, "the third task ran");
            },
        );
        let usage_is_as_before = ArenaStats::of_thread().current_usage == usage;
        let more = scratch.fill(size, !mark).unwrap();
        let intact = held.iter().all(|&byte| byte == mark) && more.iter().all(|&byte| byte == !mark);
        Found { thread: thread::current().id(), intact: intact && usage_is_as_before, usage: 0 }
    });
    Found { usage: ArenaStats::of_thread().current_usage, ..found.unwrap() }
}

/// Runs a kernel and a scope of its own, and says where.
fn stolen_task(data: &[f32], mark: u8) -> (ThreadId, bool) {
    let (dim, rows) = (50, Rows::new(data, 50).unwrap());
    let ids: Vec<u32> = (0..rows.len() as u32).collect();
    let search = Search::new(Metric::SquaredEuclidean).packing(Packing::Whole).on_overflow(OverflowPolicy::Error);
    let scores = search.gather(&data[..dim], &rows, &ids).unwrap();
    let intact = arena::scope(|scratch| {
        let held = scratch.fill(100_000, mark).unwrap();
        let nearest = search.top_k(&data[..dim], &rows, 5).unwrap();
        nearest.hits[0].row == 0 && scores[0] == 0.0 && held.iter().all(|&byte| byte == mark)
    });
    (thread::current().id(), intact.unwrap())
}

#[test]
fn scratch_of_a_waiting_task_survives_a_task_that_its_thread_runs_meanwhile() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let data = Arc::new(numbers(1, 60 * 50));
    for round in 0..ROUNDS {
        let latches = Arc::new(Latches::default());
        let (size, mark) = (64 + round * 211 % 50_000, round as u8);
        let (waiting, stolen) = (mpsc::channel(), mpsc::channel());
        let its_latches = latches.clone();
        pool.spawn(move || waiting.0.send(waiting_task(&its_latches, size, mark)).unwrap());
        // From here on the other worker waits, so the waiting task's thread is the only one that can run what follows.
        wait_for(&latches.other_worker_busy, "the other worker took its half");
        let (its_latches, data) = (latches.clone(), data.clone());
        pool.spawn(move || {
            stolen.0.send(stolen_task(&data, mark ^ 0x5A)).unwrap();
            open(&its_latches.stolen_task_done);
        });
        let limit = Duration::from_secs(60);
        let (thread, stolen_intact) = stolen.1.recv_timeout(limit).expect("the third task ran");
        let found = waiting.1.recv_timeout(limit).expect("the waiting task went on");
        assert_eq!(thread, found.thread, "round {round}: the third task must run on the waiting task's thread");
        assert!(stolen_intact, "round {round}: the third task's scratch was overwritten");
        assert!(found.intact, "round {round}: the waiting task's scratch was overwritten");
        assert_eq!(found.usage, 0, "round {round}: scratch was not given back");
    }
}
