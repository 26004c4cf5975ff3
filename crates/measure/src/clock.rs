//! What time is taken from, and where a thread runs.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// What a sample is timed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Time that the calling thread spent on a CPU: for work on one thread, blind to others that take the CPU away.
    /// Where the system does not tell it, wall time.
    Thread,
    /// Time that all threads of the process spent on CPUs: for work on one CPU by threads of its own, which begin and
    /// end with it. Where the system does not tell it, wall time.
    Process,
    /// Time that passed: for work on many threads.
    Wall,
}

impl Clock {
    /// The clock for work on `threads` threads.
    #[must_use]
    pub fn for_threads(threads: usize) -> Self {
        if threads == 1 { Self::Thread } else { Self::Wall }
    }

    /// Time since some moment of the process.
    #[must_use]
    pub fn now(self) -> Duration {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        match self {
            Self::Wall => None,
            cpu => cpu.cpu_time(),
        }
        .unwrap_or_else(|| START.elapsed())
    }

    #[cfg(target_os = "linux")]
    fn cpu_time(self) -> Option<Duration> {
        use rustix::time::{ClockId, clock_gettime};
        let time = clock_gettime(if self == Self::Thread { ClockId::ThreadCPUTime } else { ClockId::ProcessCPUTime });
        Some(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    }

    #[cfg(not(target_os = "linux"))]
    fn cpu_time(self) -> Option<Duration> {
        None
    }
}

/// Binds the calling thread to the `index`-th of the CPUs it may run on, modulo their number. Returns whether the
/// system does so.
pub fn pin(index: usize) -> bool {
    bind(|allowed| vec![allowed[index % allowed.len()]])
}

/// Binds the calling thread, and those that it starts, to the first `count` of the CPUs it may run on. Returns whether
/// the system does so.
pub fn pin_to_first(count: usize) -> bool {
    bind(|allowed| allowed[..count.clamp(1, allowed.len())].to_vec())
}

#[cfg(target_os = "linux")]
fn bind(which: impl FnOnce(&[usize]) -> Vec<usize>) -> bool {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    // As the first thread that asks may run, which is not pinned yet; later ones may be.
    static ALLOWED: LazyLock<Vec<usize>> = LazyLock::new(|| {
        let set = sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
        (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect()
    });
    // While it is still known how many there are.
    _ = thread_count();
    if ALLOWED.is_empty() {
        return false;
    }
    let mut set = CpuSet::new();
    which(&ALLOWED).into_iter().for_each(|cpu| set.set(cpu));
    sched_setaffinity(None, &set).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn bind(_: impl FnOnce(&[usize]) -> Vec<usize>) -> bool {
    false
}

/// How many threads "all" are here: as many as could run at once before any was pinned.
#[must_use]
pub fn thread_count() -> usize {
    static COUNT: LazyLock<usize> = LazyLock::new(|| std::thread::available_parallelism().map_or(1, usize::from));
    *COUNT
}
