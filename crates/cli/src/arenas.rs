use std::thread;

use ecphory::{ArenaConfig, ArenaStats};
use serde::Serialize;

/// What the arenas of this process did.
#[derive(Debug, Serialize)]
pub struct Arenas {
    pub capacity_bytes: usize,
    pub threads: Vec<Figures>,
    pub all: Figures,
}

/// Figures of one thread's arena; of all, the highest water and the sum of the counts.
#[derive(Debug, Serialize)]
pub struct Figures {
    pub thread: String,
    pub live_arenas: u64,
    pub high_water_bytes: usize,
    pub utilisation: f64,
    pub overflows: u64,
    pub heap_loans: u64,
}

impl Figures {
    fn new(thread: impl Into<String>, stats: ArenaStats) -> Self {
        Self {
            thread: thread.into(),
            live_arenas: stats.live_arenas,
            high_water_bytes: stats.high_water_mark,
            utilisation: stats.utilization(),
            overflows: stats.overflow_count,
            heap_loans: stats.heap_loan_count,
        }
    }
}

impl Arenas {
    /// The calling thread's arena and those of rayon's threads.
    pub fn read() -> Self {
        let main = thread::current().id();
        let workers = rayon::broadcast(|context| (context.index(), thread::current().id(), ArenaStats::of_thread()));
        let mut threads = vec![Figures::new("main", ArenaStats::of_thread())];
        // A pool may count the calling thread among its workers.
        threads.extend(
            workers
                .into_iter()
                .filter(|&(_, id, _)| id != main)
                .map(|(index, _, stats)| Figures::new(format!("worker {index}"), stats)),
        );
        Self {
            capacity_bytes: ArenaConfig::current().capacity_bytes(),
            threads,
            all: Figures::new("all", ArenaStats::of_all_threads()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_figures_for_the_calling_thread_and_each_worker_once() {
        let arenas = Arenas::read();
        let names: Vec<_> = arenas.threads.iter().map(|figures| figures.thread.as_str()).collect();
        let expected: Vec<_> = (0..rayon::current_num_threads()).map(|index| format!("worker {index}")).collect();
        assert_eq!(names[0], "main");
        assert_eq!(names[1..], expected);
    }

    #[test]
    fn a_thread_of_the_pool_is_not_counted_twice() {
        let arenas = rayon::scope(|_| Arenas::read());
        assert_eq!(arenas.threads.len(), rayon::current_num_threads());
    }
}
