use std::fmt::Write;

use crate::{Kernel, NeedHistogram, arena, ffi};

/// Figures of one thread's arena, or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ArenaStats {
    /// Bytes of the arena; of all, summed over live arenas.
    pub capacity: usize,
    /// Bytes in use now; of all, summed over live arenas.
    pub current_usage: usize,
    /// Most bytes ever in use; of all, the largest of any thread there is or was.
    pub high_water_mark: usize,
    /// Requests that did not fit; of all, over all threads ever.
    pub overflow_count: u64,
    /// Scopes ended, kernels' own and those of refused calls included; of all, over all threads ever.
    pub rewind_count: u64,
    /// Blocks of scratch handed out, kernels' own included; of all, over all threads ever.
    pub allocation_count: u64,
    /// Calls that were lent a heap block ([`OverflowPolicy::Heap`](crate::OverflowPolicy::Heap)); of all, over all
    /// threads ever.
    pub heap_loan_count: u64,
    /// Bytes of all those blocks.
    pub heap_loan_bytes: u64,
    /// Arenas that exist: of one thread 0 or 1.
    pub live_arenas: u64,
    /// Bytes of one arena; of one thread 0 where it has none, of all those that new threads get.
    pub capacity_per_thread: usize,
    /// Scopes of one thread open at once, at most; a kernel's call is one.
    pub nesting_max: usize,
}

impl ArenaStats {
    /// Figures of the calling thread; all zero where it has no arena yet.
    pub fn of_thread() -> Self {
        arena::stats(false).into()
    }

    /// Figures of all threads. Nobody is stopped: others may be working, and each figure is one that was true at some
    /// moment. Counters never go down, but by what a signal handler counted while its thread was counting too.
    pub fn of_all_threads() -> Self {
        arena::stats(true).into()
    }

    /// High-water mark as a share of one arena's capacity, 0 to 1; 0 where there is no arena. Above 1 where some arenas
    /// have grown.
    pub fn utilization(&self) -> f64 {
        if self.capacity_per_thread == 0 { 0.0 } else { self.high_water_mark as f64 / self.capacity_per_thread as f64 }
    }
}

impl From<ffi::ecp_arena_stats> for ArenaStats {
    fn from(stats: ffi::ecp_arena_stats) -> Self {
        Self {
            capacity: stats.capacity,
            current_usage: stats.current_usage,
            high_water_mark: stats.high_water_mark,
            overflow_count: stats.overflow_count,
            rewind_count: stats.rewind_count,
            allocation_count: stats.allocation_count,
            heap_loan_count: stats.heap_loan_count,
            heap_loan_bytes: stats.heap_loan_bytes,
            live_arenas: stats.live_arenas,
            capacity_per_thread: stats.capacity_per_thread,
            nesting_max: stats.nesting_max,
        }
    }
}

/// Requests that did not fit, by the policy of the call, that is by what it was to do then. What cannot be done (a heap
/// that is full, a need beyond the largest arena) ends as an error all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Overflows {
    /// To return an error; in [`arena::frozen`] whatever the policy but `Panic`.
    pub error: u64,
    /// To run on a heap loan.
    pub heap: u64,
    /// To panic.
    pub panic: u64,
    /// To grow the arena.
    pub grow: u64,
}

impl Overflows {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.named().iter().fold(0, |sum, outcome| sum.saturating_add(outcome.1))
    }

    fn named(&self) -> [(&'static str, u64); 4] {
        [("error", self.error), ("heap", self.heap), ("panic", self.panic), ("grow", self.grow)]
    }
}

/// What the scratch of one kernel was, over all threads there are and were.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct KernelReport {
    /// The kernel, or scopes of callers.
    pub kernel: Kernel,
    /// Most bytes in use in an outermost scope of it.
    pub high_water_mark: usize,
    /// Its requests that did not fit, inside a caller's scope or not.
    pub overflows: Overflows,
    /// Calls of it that were lent a heap block.
    pub heap_loan_count: u64,
    /// Bytes of all those blocks.
    pub heap_loan_bytes: u64,
    /// What its outermost scopes needed, refused needs included. What a kernel needs inside a caller's scope is part of
    /// that scope's need.
    pub needs: NeedHistogram,
}

impl KernelReport {
    fn read(kernel: Kernel) -> Self {
        let stats = arena::stats_of_kernel(kernel);
        let [error, heap, panic, grow] = stats.overflow_counts;
        Self {
            kernel,
            high_water_mark: stats.high_water_mark,
            overflows: Overflows { error, heap, panic, grow },
            heap_loan_count: stats.heap_loan_count,
            heap_loan_bytes: stats.heap_loan_bytes,
            needs: NeedHistogram::from_counts(&stats.need_counts),
        }
    }
}

/// All that arenas tell: per thread, in all, and per kernel.
///
/// ```
/// use ecphory::{ArenaReport, Metric, Rows, Search};
///
/// Search::new(Metric::Dot).scores(&[1.0; 48], &Rows::new(&[0.5; 96], 48)?)?;
/// let report = ArenaReport::now();
/// assert_eq!(report.kernels[0].needs.largest(), Some(192));
/// assert!(report.open_metrics().contains("ecphory_arena_high_water_bytes{kernel=\"similarity\"} 192"));
/// # Ok::<(), ecphory::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ArenaReport {
    /// Each thread that has an arena, in no order.
    pub threads: Vec<ArenaStats>,
    /// As [`ArenaStats::of_all_threads`].
    pub total: ArenaStats,
    /// As [`Kernel::ALL`].
    pub kernels: Vec<KernelReport>,
}

impl ArenaReport {
    /// What can be told now. Stops nobody; reads the counts of every thread, so for a look many times a second take
    /// [`ArenaStats::of_all_threads`].
    #[must_use]
    pub fn now() -> Self {
        Self {
            threads: arena::stats_of_each().into_iter().map(ArenaStats::from).collect(),
            total: ArenaStats::of_all_threads(),
            kernels: Kernel::ALL.iter().map(|&kernel| KernelReport::read(kernel)).collect(),
        }
    }

    /// Needs of all kernels together: what an arena of one size for everyone is to hold.
    #[must_use]
    pub fn needs(&self) -> NeedHistogram {
        let mut all = NeedHistogram::new();
        self.kernels.iter().for_each(|kernel| all.merge(&kernel.needs));
        all
    }

    /// The report as text for a scraper, in the format OpenMetrics 1.0, which Prometheus reads too. No figure has a
    /// thread as a label. Buckets of `ecphory_arena_scope_bytes` are the powers of two from 64 bytes to 4 GiB.
    #[must_use]
    pub fn open_metrics(&self) -> String {
        let mut text = String::new();
        for family in self.families() {
            let Family { name, kind, unit, help, .. } = family;
            let _ = writeln!(text, "# TYPE {name} {kind}");
            if !unit.is_empty() {
                let _ = writeln!(text, "# UNIT {name} {unit}");
            }
            let _ = writeln!(text, "# HELP {name} {help}");
            for sample in family.samples {
                let _ = writeln!(text, "{name}{}{} {}", sample.suffix, sample.labels_text(), sample.value);
            }
        }
        text + "# EOF\n"
    }

    /// Hands the report to the recorder that the program has installed for the crate `metrics`: gauges, and counters
    /// that are set to what they are now. To be called once for each scrape, or every some seconds.
    #[cfg(feature = "metrics")]
    pub fn record(&self) {
        for family in self.families() {
            for sample in &family.samples {
                let name = format!("{}{}", family.name, sample.suffix);
                let labels: Vec<_> =
                    sample.labels.iter().map(|(key, value)| metrics::Label::new(*key, value.clone())).collect();
                if family.kind == "gauge" {
                    metrics::gauge!(name, labels).set(sample.value as f64);
                } else {
                    metrics::counter!(name, labels).absolute(sample.value);
                }
            }
        }
    }

    fn families(&self) -> Vec<Family> {
        let total = &self.total;
        let counted = |suffix, value: fn(&KernelReport) -> u64| {
            let each = self.kernels.iter();
            each.map(|kernel| Sample::new(suffix, [("kernel", kernel.kernel.name())], value(kernel)))
                .collect::<Vec<_>>()
        };
        let overflows = self.kernels.iter().flat_map(|kernel| {
            let name = kernel.kernel.name();
            kernel
                .overflows
                .named()
                .map(|(outcome, count)| Sample::new("_total", [("kernel", name), ("outcome", outcome)], count))
        });
        vec![
            Family::gauge("ecphory_arenas", "", "Threads that have an arena.", total.live_arenas),
            Family::gauge("ecphory_arena_capacity_bytes", "bytes", "Of all arenas.", total.capacity as u64),
            Family::gauge("ecphory_arena_used_bytes", "bytes", "In use now.", total.current_usage as u64),
            Family {
                samples: counted("", |kernel| kernel.high_water_mark as u64),
                ..Family::gauge("ecphory_arena_high_water_bytes", "bytes", "Most ever in use by one thread.", 0)
            },
            Family::gauge(
                "ecphory_arena_nesting_depth_max",
                "",
                "Scopes of one thread at once.",
                total.nesting_max as u64,
            ),
            Family::counter("ecphory_arena_rewinds", "", "Scopes ended.", total.rewind_count),
            Family::counter("ecphory_arena_allocations", "", "Blocks of scratch handed out.", total.allocation_count),
            Family {
                samples: overflows.collect(),
                ..Family::counter("ecphory_arena_overflows", "", "Requests that did not fit.", 0)
            },
            Family {
                samples: counted("_total", |kernel| kernel.heap_loan_count),
                ..Family::counter("ecphory_arena_fallbacks", "", "Calls that were lent a heap block.", 0)
            },
            Family {
                samples: counted("_total", |kernel| kernel.heap_loan_bytes),
                ..Family::counter("ecphory_arena_fallback_bytes", "bytes", "Of heap blocks lent.", 0)
            },
            Family {
                name: "ecphory_arena_scope_bytes",
                kind: "histogram",
                unit: "bytes",
                help: "What outermost scopes needed, refused needs included.",
                samples: self.kernels.iter().flat_map(need_samples).collect(),
            },
        ]
    }
}

/// Cumulative counts up to each power of two, all, and none of a sum: needs are not added up.
fn need_samples(kernel: &KernelReport) -> Vec<Sample> {
    let name = kernel.kernel.name();
    let all = kernel.needs.count();
    let up_to = |power: u32| {
        let edge = 1u64 << power;
        let count = all - kernel.needs.above(usize::try_from(edge).unwrap_or(usize::MAX));
        Sample::new("_bucket", [("kernel", name), ("le", &format!("{edge}.0"))], count)
    };
    let mut samples: Vec<_> = (6..=32).map(up_to).collect();
    samples.push(Sample::new("_bucket", [("kernel", name), ("le", "+Inf")], all));
    samples
}

/// Figures of one name.
struct Family {
    name: &'static str,
    kind: &'static str,
    unit: &'static str,
    help: &'static str,
    samples: Vec<Sample>,
}

impl Family {
    fn gauge(name: &'static str, unit: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, kind: "gauge", unit, help, samples: vec![Sample::new("", [], value)] }
    }

    fn counter(name: &'static str, unit: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, kind: "counter", unit, help, samples: vec![Sample::new("_total", [], value)] }
    }
}

struct Sample {
    suffix: &'static str,
    labels: Vec<(&'static str, String)>,
    value: u64,
}

impl Sample {
    fn new<const N: usize>(suffix: &'static str, labels: [(&'static str, &str); N], value: u64) -> Self {
        Self { suffix, labels: labels.map(|(key, value)| (key, value.to_owned())).into(), value }
    }

    fn labels_text(&self) -> String {
        let labels: Vec<_> = self.labels.iter().map(|(key, value)| format!("{key}=\"{value}\"")).collect();
        if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) }
    }
}
