//! Work on many threads at once, each bound to a CPU of its own.

use std::panic::resume_unwind;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use crate::{Clock, pin, thread_count};

/// What `work` returns on a rayon pool of `threads` pinned threads.
///
/// # Errors
/// That the pool could not be made.
pub fn in_pool<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> Result<R, String> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).start_handler(|index| _ = pin(index)).build();
    Ok(pool.map_err(|error| format!("no pool of {threads} threads: {error}"))?.install(work))
}

/// Does `work` on all of `data` at the same time, each on a pinned thread of its own: from the first one's start to the
/// last one's end. Where that would be time spent waiting for a turn, as of one thread beside other programs or of more
/// threads than CPUs, the time that each had a CPU, on average.
///
/// # Panics
/// Where `work` does.
pub fn together<D: Send>(data: &mut [D], work: impl Fn(&mut D) + Sync) -> Duration {
    let ready = Barrier::new(data.len());
    let clock = if data.len() > thread_count() { Clock::Thread } else { Clock::for_threads(data.len()) };
    let (ready, work) = (&ready, &work);
    let spans: Vec<_> = thread::scope(|scope| {
        let running: Vec<_> = data
            .iter_mut()
            .enumerate()
            .map(|(index, data)| {
                scope.spawn(move || {
                    pin(index);
                    ready.wait();
                    let start = clock.now();
                    work(data);
                    (start, clock.now())
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    if clock == Clock::Thread {
        return spans.iter().map(|(start, end)| *end - *start).sum::<Duration>() / data.len() as u32;
    }
    let start = spans.iter().map(|span| span.0).min().unwrap_or_default();
    spans.iter().map(|span| span.1).max().unwrap_or_default() - start
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn many_threads_are_timed_by_what_each_worked_and_few_by_what_passed() {
        let work = |_: &mut ()| thread::sleep(Duration::from_millis(20));
        let many = 2 * thread_count();
        assert!(together(&mut vec![(); many], work) < Duration::from_millis(10));
        let few = thread_count();
        assert!(few == 1 || together(&mut vec![(); few], work) >= Duration::from_millis(20));
    }
}
