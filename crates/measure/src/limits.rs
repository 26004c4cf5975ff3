//! What this machine can do at most, measured in this process: the roofs that kernels stand under (Williams, Waterman
//! and Patterson 2009).

use std::fs;
use std::hint::black_box;
use std::thread;

use ecphory::bench;

use crate::cases::one_and_all;
use crate::threads::together;
use crate::{Contender, Contest, Effort, Line, Work, pin, thread_count};

/// Where data lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// A core's own cache.
    L2,
    /// The cache that cores share.
    L3,
    /// Memory.
    Dram,
}

impl Level {
    const ALL: [Self; 3] = [Self::L2, Self::L3, Self::Dram];

    /// As tables print it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::L2 => "L2",
            Self::L3 => "L3",
            Self::Dram => "DRAM",
        }
    }
}

/// What products and their sums are computed of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arithmetic {
    /// f32.
    MultiplyAdd,
    /// i8, by an instruction of its own.
    I8Dot,
    /// bf16, by an instruction of its own.
    Bf16Dot,
}

impl Arithmetic {
    const ALL: [Self; 3] = [Self::MultiplyAdd, Self::I8Dot, Self::Bf16Dot];

    /// As lines name its case, as people do, and what its rate counts.
    fn names(self) -> [&'static str; 3] {
        match self {
            Self::MultiplyAdd => ["multiply_add", "f32 multiply-add", "GFLOP/s"],
            Self::I8Dot => ["i8_dot", "i8 dot", "GOP/s"],
            Self::Bf16Dot => ["bf16_dot", "bf16 dot", "GFLOP/s"],
        }
    }

    fn work(self) -> fn(usize) -> u64 {
        match self {
            Self::MultiplyAdd => bench::multiply_adds,
            Self::I8Dot => bench::i8_dots,
            Self::Bf16Dot => bench::bf16_dots,
        }
    }
}

/// One thread, and all at once.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Reach {
    one: f64,
    all: f64,
}

impl Reach {
    fn of(self, threads: usize) -> f64 {
        if threads == 1 { self.one } else { self.all }
    }
}

/// The limits. Rates are per second in units of 10^9.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How many threads "all" are.
    pub threads: usize,
    /// Bytes of the second level of one core, and of the third.
    pub caches: [usize; 2],
    /// One addition that waits for the one before, ns.
    pub add_ns: f64,
    /// One call across the border, ns.
    pub call_ns: f64,
    /// None where the tier has no instruction for it.
    operations: [Option<Reach>; 3],
    reads: [Reach; 3],
}

impl Limits {
    /// Measures them all; takes seconds. `step` hears what is being measured.
    pub fn measure(effort: Effort, mut step: impl FnMut(&str)) -> Self {
        let (threads, caches) = (thread_count(), caches());
        let reads = Level::ALL.map(|level| {
            step(&format!("read bandwidth of {}", level.name()));
            Reach { one: read(level, caches, 1, effort), all: read(level, caches, threads, effort) }
        });
        step("arithmetic");
        let compute = |work: fn(usize) -> u64, threads| {
            let ns = best(threads, effort, |_| (), |(), times| _ = black_box(work(1000 * times as usize)));
            work(1) as f64 * 1000.0 * threads as f64 / ns
        };
        let operations = Arithmetic::ALL.map(|kind| {
            let work = kind.work();
            (work(1) > 0).then(|| Reach { one: compute(work, 1), all: compute(work, threads) })
        });
        let per_run = |count: usize, work: fn(usize)| {
            best(1, effort, |_| (), |(), times| (0..times).for_each(|_| work(count))) / count as f64
        };
        Self {
            threads,
            caches,
            operations,
            add_ns: per_run(1 << 12, |count| _ = black_box(bench::dependent_adds(count))),
            call_ns: per_run(1 << 12, |count| (0..count).for_each(|_| bench::empty_call())),
            reads,
        }
    }

    /// Where so many bytes lie that `threads` threads read again and again, each its share.
    #[must_use]
    pub fn level(&self, bytes: usize, threads: usize) -> Level {
        match bytes {
            bytes if bytes <= self.caches[0] * threads => Level::L2,
            bytes if bytes <= self.caches[1] => Level::L3,
            _ => Level::Dram,
        }
    }

    /// Read bandwidth in GB/s of one thread or, for more than one, of all.
    #[must_use]
    pub fn bandwidth(&self, level: Level, threads: usize) -> f64 {
        self.reads[level as usize].of(threads)
    }

    /// Products and sums, in 10^9 per second, of one thread or, for more than one, of all; none where the tier has no
    /// instruction for them.
    #[must_use]
    pub fn operations(&self, of: Arithmetic, threads: usize) -> Option<f64> {
        self.operations[of as usize].map(|reach| reach.of(threads))
    }

    /// f32 products and sums in GFLOP/s of one thread or, for more than one, of all.
    #[must_use]
    pub fn flops(&self, threads: usize) -> f64 {
        self.operations(Arithmetic::MultiplyAdd, threads).unwrap_or_default()
    }

    /// The least time in ns for reading so many bytes that lie in `level`.
    #[must_use]
    pub fn least_ns(&self, level: Level, bytes: f64, threads: usize) -> f64 {
        bytes / self.bandwidth(level, threads)
    }
}

/// GB/s at which `threads` threads read what lies in `level`: the better of plain and prefetched loads.
fn read(level: Level, [l2, l3]: [usize; 2], threads: usize, effort: Effort) -> f64 {
    let bytes = match level {
        Level::L2 => l2 / 2,
        // Well beyond the second level, and not so much that others' data in the third is felt.
        Level::L3 => (4 * l2).min(l3 / 2 / threads).max(2 * l2),
        Level::Dram => ((4 * l3) / threads).clamp(64 << 20, 512 << 20),
    };
    let ns = [false, true].map(|prefetched| {
        let work = |words: &mut Vec<u64>, times| {
            // From a cache line on: a register that lies in two is two reads.
            let skipped = words.as_ptr().align_offset(64);
            let words = &words[skipped..skipped + bytes / 8];
            (0..times).for_each(|_| _ = black_box(bench::read(black_box(words), prefetched)));
        };
        best(threads, effort, |_| vec![1u64; bytes / 8 + 8], work)
    });
    (bytes * threads) as f64 / ns[0].min(ns[1])
}

/// The best time in ns of `work` done once on each of `threads` threads at the same time, each pinned, on data that it
/// made itself.
fn best<D: Send>(
    threads: usize,
    effort: Effort,
    make: impl Fn(usize) -> D + Sync,
    work: impl Fn(&mut D, u64) + Sync,
) -> f64 {
    // Each on the CPU that will read it, for memory may lie near one of them.
    let made = |index| {
        pin(index);
        make(index)
    };
    let mut data: Vec<D> = thread::scope(|scope| {
        let made = &made;
        let made: Vec<_> = (0..threads).map(|index| scope.spawn(move || made(index))).collect();
        made.into_iter().map(|thread| thread.join().expect("a thread that only makes data")).collect()
    });
    let mut contest = Contest::new();
    contest.add(Contender::timing_itself("", |times| together(&mut data, |data| work(data, times))));
    contest.run(effort).remove(0).expect("work that only reads and computes").best_ns
}

/// Bytes of one core's second level of cache and of the third, as Linux tells them; else usual sizes.
fn caches() -> [usize; 2] {
    [2, 3].map(|wanted| {
        let told = (0..8).find_map(|index| {
            let folder = format!("/sys/devices/system/cpu/cpu0/cache/index{index}");
            let read = |name: &str| fs::read_to_string(format!("{folder}/{name}")).ok();
            let level = read("level")?.trim().parse::<usize>().ok()?;
            let size = read("size")?.trim().strip_suffix('K')?.parse::<usize>().ok()?;
            (level == wanted).then_some(size << 10)
        });
        told.unwrap_or(if wanted == 2 { 1 << 20 } else { 16 << 20 })
    })
}

#[cfg(test)]
impl Limits {
    /// For tests that measure nothing.
    pub(crate) fn of_nothing() -> Self {
        let (reads, operations) = ([Reach { one: 1.0, all: 1.0 }; 3], [Some(Reach { one: 1.0, all: 1.0 }); 3]);
        let (threads, caches, add_ns, call_ns) = (1, [1, 2], 1.0, 1.0);
        Self { threads, caches, add_ns, call_ns, operations, reads }
    }
}

impl Limits {
    /// As lines: the time of one byte, operation, addition or call.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let line = |case: &str, threads: usize, unit: &str, rate: f64, ns: f64| Line {
            work: Work::Limits { case: case.into() },
            threads,
            who: "machine".into(),
            best_ns: ns,
            median_ns: ns,
            noise: 0.0,
            rate,
            unit: unit.into(),
            limit: None,
            of_limit: None,
            note: Some("the best seen".into()),
        };
        let rate = |case: &str, threads: usize, unit: &str, rate: f64| line(case, threads, unit, rate, 1.0 / rate);
        let mut lines = Vec::new();
        for threads in one_and_all() {
            for level in Level::ALL {
                let case = format!("read {}", level.name());
                lines.push(rate(&case, threads, "GB/s", self.bandwidth(level, threads)));
            }
            lines.extend(Arithmetic::ALL.into_iter().filter_map(|of| {
                let [case, _, unit] = of.names();
                Some(rate(case, threads, unit, self.operations(of, threads)?))
            }));
        }
        lines.extend([("add", self.add_ns), ("call", self.call_ns)].map(|(case, ns)| line(case, 1, "ns", ns, ns)));
        lines
    }

    /// For people: one line for each limit.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("limits of this machine, best seen; all = {} threads\n", self.threads);
        let sizes = [self.caches[0], self.caches[1], 0];
        for (level, bytes) in Level::ALL.into_iter().zip(sizes) {
            let name = if bytes == 0 { level.name().into() } else { format!("{} ({} KiB)", level.name(), bytes >> 10) };
            let (one, all) = (self.bandwidth(level, 1), self.bandwidth(level, self.threads));
            text += &format!("  read {name:<18}{one:>10.1} GB/s{:>10.1} GB/s all\n", all);
        }
        for of in Arithmetic::ALL {
            let [_, name, unit] = of.names();
            let rates = self.operations[of as usize].map_or_else(
                || format!("{:>18}", "not in this tier"),
                |Reach { one, all }| format!("{one:>10.1} {unit:<7}{all:>7.1} {unit} all"),
            );
            text += &format!("  {name:<23}{rates}\n");
        }
        text + &format!(
            "  dependent add          {:>10.2} ns\n  empty call             {:>10.2} ns\n",
            self.add_ns, self.call_ns
        )
    }
}
