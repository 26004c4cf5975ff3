//! Threads that come and go, and the arenas they leave. One test at a time, each on threads that have ended before the
//! next begins: the figures are of the whole process.

mod common;

use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::thread;

use common::numbers;
use ecphory::{Ages, ArenaStats, Decay, Error, Metric, OverflowPolicy, Packing, Rows, Search, arena, similarity_batch};

/// Runs `test` while no other runs, on a thread of its own, and waits until that thread has ended.
fn alone(test: impl FnOnce() + Send + 'static) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let live = ArenaStats::of_all_threads().live_arenas;
    if let Err(panic) = thread::spawn(test).join() {
        std::panic::resume_unwind(panic);
    }
    assert_eq!(ArenaStats::of_all_threads().live_arenas, live, "an arena outlived its thread");
}

/// Runs `work` with a rayon pool, and waits until its threads have ended, which dropping a pool does not.
fn with_pool<R: Send>(count: usize, work: impl FnOnce(&rayon::ThreadPool) -> R) -> R {
    let mut threads = Vec::new();
    let start = |worker: rayon::ThreadBuilder| {
        threads.push(thread::Builder::new().spawn(|| worker.run())?);
        Ok(())
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count).spawn_handler(start).build().unwrap();
    let result = work(&pool);
    drop(pool);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    result
}

/// Bytes of memory that this process has.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

/// A kernel that touches 12 KiB of scratch.
fn short_life() {
    let data = vec![0.5; 60 * 50];
    let rows = Rows::new(&data, 50).unwrap();
    let ids: Vec<u32> = (0..60).collect();
    let search = Search::new(Metric::Dot).packing(Packing::Whole).on_overflow(OverflowPolicy::Error);
    let scores = search.gather(&data[..50], &rows, &ids).unwrap();
    assert_eq!(scores, vec![12.5; 60]);
}

#[test]
fn ten_thousand_threads_leave_no_arena_and_no_memory() {
    alone(|| {
        let spawn = |count: usize| (0..count).for_each(|_| thread::spawn(short_life).join().unwrap());
        spawn(500);
        let before = ArenaStats::of_all_threads();
        #[cfg(target_os = "linux")]
        let resident_before = resident();
        spawn(10_000);
        let after = ArenaStats::of_all_threads();
        assert_eq!((after.live_arenas, after.capacity), (before.live_arenas, before.capacity));
        assert_eq!((after.current_usage, after.rewind_count), (before.current_usage, before.rewind_count + 10_000));
        #[cfg(target_os = "linux")]
        assert!(resident() < resident_before + (4 << 20), "from {resident_before} to {} bytes", resident());
    });
}

#[test]
fn threads_that_live_at_once_have_an_arena_each() {
    alone(|| {
        let before = ArenaStats::of_all_threads();
        let barrier = Arc::new(Barrier::new(9));
        let life = |barrier: Arc<Barrier>| {
            arena::scope(|scratch| {
                scratch.fill(1000, 1u8).unwrap();
                barrier.wait();
                barrier.wait();
            })
            .unwrap();
        };
        let threads = [(); 8].map(|()| {
            let barrier = barrier.clone();
            thread::spawn(move || life(barrier))
        });
        barrier.wait();
        let checked = ArenaStats::of_all_threads();
        barrier.wait();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(checked.live_arenas - before.live_arenas, 8);
        assert_eq!(checked.current_usage - before.current_usage, 8 * 1024);
        assert_eq!(checked.capacity - before.capacity, 8 * (2 << 20));
        assert_eq!(ArenaStats::of_all_threads().live_arenas, before.live_arenas);
    });
}

#[test]
fn counters_of_ended_threads_stay_in_the_totals() {
    alone(|| {
        let before = ArenaStats::of_all_threads();
        let life = || {
            arena::scope(|scratch| {
                scratch.alloc::<u8>(3 << 20).unwrap_err();
                scratch.alloc::<u8>(2 << 20).unwrap();
                assert_eq!(similarity_batch(&[2.0], &Rows::new(&[3.0], 1).unwrap()), Ok(vec![1.0]));
            })
            .unwrap();
        };
        (0..20).for_each(|_| thread::spawn(life).join().unwrap());
        let after = ArenaStats::of_all_threads();
        assert_eq!(after.overflow_count - before.overflow_count, 40);
        assert_eq!(after.heap_loan_count - before.heap_loan_count, 20);
        assert_eq!(after.rewind_count - before.rewind_count, 40);
        assert_eq!((after.high_water_mark, after.utilization()), (2 << 20, 1.0));
    });
}

/// What each call answers while the thread ends.
fn calls_at_the_end() -> Vec<Result<(), Error>> {
    vec![
        similarity_batch(&[2.0], &Rows::new(&[3.0], 1).unwrap()).map(|scores| assert_eq!(scores, [1.0])),
        arena::scope(|scratch| scratch.fill(100, 1u8).map(|block| assert_eq!(block, [1; 100]))).flatten(),
        arena::trim().map(|_| ()),
        Decay::half_life_seconds(1.0).unwrap().apply(&mut [1.0], Ages::Seconds(&[1.0])).map(|_| ()),
    ]
}

struct AtTheEnd(std::sync::mpsc::Sender<Vec<Result<(), Error>>>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        self.0.send(calls_at_the_end()).unwrap();
    }
}

thread_local! {
    static AT_THE_END: std::cell::RefCell<Option<AtTheEnd>> = const { std::cell::RefCell::new(None) };
}

/// When a thread ran its first kernel: before or after it made a thread local whose destructor calls the library.
#[derive(Clone, Copy, PartialEq)]
enum Kernel {
    Before,
    After,
    Never,
}

/// What calls answer in that destructor.
fn while_ending(kernel: Kernel) -> Vec<Result<(), Error>> {
    let (sender, receiver) = std::sync::mpsc::channel();
    let life = move || {
        let leave = || AT_THE_END.with_borrow_mut(|slot| *slot = Some(AtTheEnd(sender)));
        if kernel == Kernel::Before {
            short_life();
        }
        leave();
        if kernel == Kernel::After {
            short_life();
        }
    };
    thread::spawn(life).join().unwrap();
    receiver.recv().unwrap()
}

#[test]
fn calls_while_a_thread_ends_work_or_are_refused() {
    alone(|| {
        let answers: Vec<_> =
            [Kernel::Before, Kernel::After, Kernel::Never].map(while_ending).into_iter().flatten().collect();
        assert_eq!(answers.len(), 12);
        assert!(answers.iter().all(|answer| matches!(answer, Ok(()) | Err(Error::ThreadEnding))), "{answers:?}");
        // Whichever way a system orders destructors, one of the orders comes after the arena is gone.
        assert!(answers.contains(&Err(Error::ThreadEnding)) && answers.contains(&Ok(())), "{answers:?}");
        assert_eq!(Error::ThreadEnding.to_string(), "the thread is ending: its arena has been released");
    });
}

#[test]
fn trimming_gives_memory_back_on_every_thread_of_a_pool_and_arenas_go_on() {
    alone(|| {
        let (dim, count) = (64, 3 * (1 << 20) / 64);
        let (query, data) = (numbers(1, dim), numbers(2, dim * count));
        let rows = Rows::new(&data, dim).unwrap();
        with_pool(3, |pool| {
            let search = || Search::new(Metric::Cosine).top_k(&query, &rows, 1000).unwrap();
            let fill = || arena::scope(|scratch| scratch.fill(2 << 20, 1u8).map(|block| block.len())).unwrap();
            let expected = pool.install(search);
            pool.broadcast(|_| assert_eq!(fill(), Ok(2 << 20)));
            #[cfg(target_os = "linux")]
            let full = resident();
            let trimmed = pool.broadcast(|_| arena::trim().unwrap());
            #[cfg(target_os = "linux")]
            {
                assert!(trimmed.iter().all(|&bytes| bytes == 2 << 20), "{trimmed:?}");
                assert!(full - resident() > 5 << 20, "from {full} to {} bytes", resident());
            }
            assert_eq!(trimmed.len(), 3);
            assert_eq!(pool.install(search), expected);
            pool.broadcast(|_| assert_eq!(ArenaStats::of_thread().live_arenas, 1));
        });
    });
}

#[test]
fn trimming_is_refused_while_scratch_is_held() {
    alone(|| {
        assert_eq!(arena::trim(), Ok(0));
        arena::scope(|scratch| {
            assert!(arena::trim().is_ok());
            let held = scratch.fill(5000, 7u8).unwrap();
            let refusal = arena::trim().unwrap_err();
            assert!(matches!(refusal, Error::AlreadyInUse { .. }));
            assert_eq!(
                refusal.to_string(),
                "already in use: scratch of 5056 bytes; trim where this thread's scopes hold none"
            );
            assert_eq!(held, [7; 5000]);
        })
        .unwrap();
        assert_eq!(arena::trim().unwrap() > 0, cfg!(target_os = "linux"));
    });
}

/// Runs alone in a process of its own, started by the test below.
#[test]
fn child_that_exits_inside_a_scope() {
    if std::env::var_os("ECPHORY_TEST_EXIT").is_none() {
        return;
    }
    struct Slow;
    impl Drop for Slow {
        fn drop(&mut self) {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
    thread_local! {
        static SLOW: std::cell::RefCell<Option<Slow>> = const { std::cell::RefCell::new(None) };
    }
    SLOW.with_borrow_mut(|slow| *slow = Some(Slow));
    let _ = arena::scope(|scratch| {
        let block = scratch.fill(1 << 20, 1u8).unwrap();
        std::thread::scope(|threads| -> () {
            threads.spawn(move || {
                for round in 0u64.. {
                    block.fill(std::hint::black_box(round as u8));
                }
            });
            std::thread::sleep(std::time::Duration::from_millis(20));
            std::process::exit(0)
        })
    });
}

#[test]
fn exiting_inside_a_scope_leaves_other_threads_what_it_handed_out() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_exits_inside_a_scope"])
        .env("ECPHORY_TEST_EXIT", "1")
        .output()
        .unwrap();
    assert!(child.status.success(), "{}: {}", child.status, String::from_utf8_lossy(&child.stderr));
}
