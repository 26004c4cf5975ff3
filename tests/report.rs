//! What arenas tell. One test at a time: the figures are of the whole process.

mod common;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::thread;

use common::numbers;
use ecphory::{ArenaReport, ArenaStats, Edge, Graph, Kernel, KernelReport, Metric, OverflowPolicy};
use ecphory::{Packing, Rows, Search, Seed, Spread, arena};

const CAPACITY: usize = 2 << 20;

/// Runs `test` on a thread of its own, while no other runs, and gives what it told of every kernel before and after.
fn alone(test: impl FnOnce() + Send) -> [Vec<KernelReport>; 2] {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let before = ArenaReport::now().kernels;
    thread::scope(|threads| threads.spawn(test).join()).unwrap();
    [before, ArenaReport::now().kernels]
}

/// The needs that `kernel` has had in between, as `(largest of the bucket, scopes)`.
fn between([before, after]: &[Vec<KernelReport>; 2], kernel: Kernel) -> Vec<(usize, u64)> {
    let at = Kernel::ALL.iter().position(|&other| other == kernel).unwrap();
    let needs = after[at].needs.since(&before[at].needs);
    needs.buckets().filter(|bucket| bucket.1 > 0).collect()
}

fn gather(ids: usize, policy: OverflowPolicy) {
    let data = numbers(1, 64 * 4);
    let ids = vec![2; ids];
    let search = Search::new(Metric::Dot).packing(Packing::Whole).on_overflow(policy);
    let _ = search.gather(&data[..64], &Rows::new(&data, 64).unwrap(), &ids);
}

#[test]
fn every_outermost_scope_is_counted_once_by_its_need_under_the_kernel_that_opened_it() {
    let told = alone(|| {
        gather(3, OverflowPolicy::Error); // 4 x 256 bytes
        gather(3, OverflowPolicy::Error);
        let graph = Graph::from_edges(16, [Edge::new(0, 1, 1.0)]).unwrap();
        graph.spread(&[Seed::new(0, 1.0)], &Spread::default()).unwrap(); // 3 x 64 bytes
        arena::scope(|scratch| {
            scratch.fill(100, 0u8).unwrap();
            gather(3, OverflowPolicy::Error);
            arena::scope(|inner| inner.fill(1000, 0u8).unwrap()[0]).unwrap();
        })
        .unwrap();
    });
    assert_eq!(between(&told, Kernel::Similarity), [(1024, 2)]);
    assert_eq!(between(&told, Kernel::Spreading), [(192, 1)]);
    assert_eq!(between(&told, Kernel::Decay), []);
    assert_eq!(between(&told, Kernel::Caller), [(128 + 1024, 1)]);
}

#[test]
fn refused_needs_are_counted_with_what_they_would_have_held() {
    let told = alone(|| {
        gather(8191, OverflowPolicy::Error); // 2 MiB: fits
        gather(8192, OverflowPolicy::Error);
        gather(8192, OverflowPolicy::Heap); // The loan is no scope of the arena.
        arena::scope(|scratch| {
            scratch.fill(64, 0u8).unwrap();
            gather(8191, OverflowPolicy::Error);
            gather(10, OverflowPolicy::Error);
        })
        .unwrap();
    });
    assert_eq!(between(&told, Kernel::Similarity), [(CAPACITY, 1), (CAPACITY + CAPACITY / 16, 2)]);
    assert_eq!(between(&told, Kernel::Caller), [(CAPACITY + CAPACITY / 16, 1)]);
    let [before, after] = told;
    assert_eq!(after[0].needs.since(&before[0].needs).above(CAPACITY), 2);
    assert_eq!(after[0].overflows.error - before[0].overflows.error, 2, "one of them inside a caller's scope");
    assert_eq!(after[0].overflows.heap - before[0].overflows.heap, 1);
    assert_eq!(after[0].heap_loan_bytes - before[0].heap_loan_bytes, 8193 * 256);
    assert!(after[0].high_water_mark >= CAPACITY);
}

#[test]
fn rows_of_powers_of_two_are_exact_counts() {
    let sizes = [1, 2, 15, 16, 17, 63, 64, 1023, 1024, 1025, 4095, 4096, 8191, 8192, 9000, 16_383, 20_000];
    let told = alone(|| sizes.iter().for_each(|&ids| gather(ids, OverflowPolicy::Error)));
    let needs = told[1][0].needs.since(&told[0][0].needs);
    assert_eq!(needs.count(), sizes.len() as u64);
    for power in 6..=32 {
        let exact = sizes.iter().filter(|&&ids| 256 * (ids + 1) > 1 << power).count();
        assert_eq!(needs.above(1 << power), exact as u64, "2^{power}");
    }
}

#[test]
fn a_call_that_grows_its_arena_is_one_scope_of_its_need() {
    let told = alone(|| {
        for _ in 0..3 {
            gather(10_000, OverflowPolicy::Grow { max: 8 << 20 });
        }
    });
    assert_eq!(between(&told, Kernel::Similarity).iter().map(|bucket| bucket.1).sum::<u64>(), 3);
    assert_eq!(told[1][0].overflows.grow - told[0][0].overflows.grow, 1);
    assert_eq!(told[1][0].high_water_mark, 10_001 * 256);
}

#[test]
fn a_tiled_gather_needs_no_more_than_there_is_and_all_of_it_if_it_must() {
    let told = alone(|| {
        let data = numbers(1, 64 * 4);
        let rows = Rows::new(&data, 64).unwrap();
        let ids: Vec<u32> = (0..16_000).map(|id| id % 4).collect();
        let whole = Search::new(Metric::Cosine).gather(&data[..64], &rows, &ids).unwrap();
        let tiled = Search::new(Metric::Cosine).packing(Packing::Tiled).on_overflow(OverflowPolicy::Error);
        assert_eq!(tiled.gather(&data[..64], &rows, &ids).unwrap(), whole);
        arena::scope(|scratch| {
            scratch.fill(CAPACITY - 512, 0u8).unwrap();
            assert_eq!(tiled.gather(&data[..64], &rows, &ids[..100]).unwrap(), whole[..100]);
            scratch.fill(64, 0u8).unwrap();
            tiled.gather(&data[..64], &rows, &ids[..100]).unwrap_err();
        })
        .unwrap();
    });
    let [before, after] = &told;
    assert_eq!(after[0].overflows.error - before[0].overflows.error, 1);
    assert!(between(&told, Kernel::Similarity).contains(&(CAPACITY, 1)), "{:?}", between(&told, Kernel::Similarity));
}

#[test]
fn threads_have_rows_of_their_own_while_they_live() {
    alone(|| {
        let rows = || ArenaReport::now().threads;
        assert_eq!(rows().len(), 0);
        gather(7, OverflowPolicy::Error);
        let mine = rows();
        assert_eq!(mine, [ArenaStats::of_thread()]);
        let (peak, rewinds, blocks) = (mine[0].high_water_mark, mine[0].rewind_count, mine[0].allocation_count);
        assert_eq!((peak, rewinds, blocks, mine[0].nesting_max), (2048, 1, 2, 1));
        thread::scope(|threads| {
            threads.spawn(|| {
                gather(3, OverflowPolicy::Error);
                assert_eq!(rows().len(), 2);
            });
        });
        let report = ArenaReport::now();
        assert_eq!((report.total.capacity_per_thread, report.total.live_arenas <= 2), (CAPACITY, true));
        assert_eq!(report.needs().count(), report.kernels.iter().map(|kernel| kernel.needs.count()).sum::<u64>());
    });
}

/// Lines of one family: what follows its name, and the value.
fn samples<'t>(text: &'t str, family: &str) -> Vec<(&'t str, u64)> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(family)?.rsplit_once(' '));
    lines.map(|(labels, value)| (labels, value.parse().unwrap())).collect()
}

#[test]
fn the_text_for_scrapers_names_each_family_once_and_holds_what_the_report_does() {
    alone(|| {
        gather(3, OverflowPolicy::Error);
        gather(9000, OverflowPolicy::Heap);
        let report = ArenaReport::now();
        let text = report.open_metrics();
        assert!(text.ends_with("# EOF\n"));
        let mut families = BTreeMap::new();
        for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let (name, kind) = line.split_once(' ').unwrap();
            assert_eq!(families.insert(name, kind), None, "{name} twice");
            let written = text.lines().filter(|line| line.starts_with(name)).count();
            assert!(written > 0, "{name} without a sample");
            assert!(text.contains(&format!("# HELP {name} ")));
            if let Some(unit) = name.strip_suffix("_bytes") {
                assert!(text.contains(&format!("# UNIT {name} bytes")), "{unit}");
            }
        }
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            let family = ["_total", "_bucket"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
            let kind = families.get(family).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(
                (*kind == "counter", *kind == "histogram"),
                (name.ends_with("_total"), name.ends_with("_bucket"))
            );
            assert!(!line.contains("thread"), "a thread is no label: {line}");
        }
        assert_eq!(samples(&text, "ecphory_arena_rewinds_total"), [("", report.total.rewind_count)]);
        let lent: u64 = samples(&text, "ecphory_arena_fallback_bytes_total").iter().map(|sample| sample.1).sum();
        assert_eq!(lent, report.total.heap_loan_bytes);
        let outcome = (r#"{kernel="similarity",outcome="heap"}"#, report.kernels[0].overflows.heap);
        assert!(samples(&text, "ecphory_arena_overflows_total").contains(&outcome));
        let buckets = samples(&text, "ecphory_arena_scope_bytes_bucket");
        let similarity: Vec<_> = buckets.iter().filter(|bucket| bucket.0.contains("similarity")).collect();
        assert_eq!(similarity.len(), 28);
        assert!(similarity.is_sorted_by_key(|bucket| bucket.1), "buckets add up");
        let needs = &report.kernels[0].needs;
        let fitting = needs.count() - needs.above(CAPACITY);
        assert!(buckets.contains(&(r#"{kernel="similarity",le="2097152.0"}"#, fitting)));
        assert!(buckets.contains(&(r#"{kernel="similarity",le="+Inf"}"#, needs.count())));
    });
}

#[cfg(feature = "serde")]
#[test]
fn a_report_is_read_as_it_was_written() {
    alone(|| {
        gather(3, OverflowPolicy::Error);
        let report = ArenaReport::now();
        let text = serde_json::to_string(&report).unwrap();
        assert_eq!(serde_json::from_str::<ArenaReport>(&text).unwrap(), report);
    });
}

#[cfg(feature = "metrics")]
mod recorder {
    use std::sync::{Arc, Mutex};

    use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

    use super::*;

    /// What was handed over, by name and labels.
    #[derive(Default)]
    struct Kept(Arc<Mutex<BTreeMap<String, u64>>>);

    struct Cell(String, Arc<Mutex<BTreeMap<String, u64>>>);

    impl Cell {
        fn keep(&self, value: u64) {
            self.1.lock().unwrap().insert(self.0.clone(), value);
        }
    }

    impl metrics::CounterFn for Cell {
        fn increment(&self, _: u64) {
            panic!("expected counters to be set to what they are");
        }
        fn absolute(&self, value: u64) {
            self.keep(value);
        }
    }

    impl metrics::GaugeFn for Cell {
        fn increment(&self, _: f64) {
            panic!("expected gauges to be set");
        }
        fn decrement(&self, _: f64) {
            panic!("expected gauges to be set");
        }
        fn set(&self, value: f64) {
            self.keep(value as u64);
        }
    }

    impl Kept {
        fn cell(&self, key: &Key) -> Arc<Cell> {
            let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
            Arc::new(Cell(format!("{} {}", key.name(), labels.join(" ")), self.0.clone()))
        }
    }

    impl Recorder for Kept {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
            Counter::from_arc(self.cell(key))
        }
        fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::from_arc(self.cell(key))
        }
        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            panic!("expected buckets as counters")
        }
    }

    #[test]
    fn the_recorder_of_the_crate_metrics_is_handed_every_figure() {
        alone(|| {
            gather(3, OverflowPolicy::Error);
            let (kept, report) = (Kept::default(), ArenaReport::now());
            metrics::with_local_recorder(&kept, || report.record());
            let kept = kept.0.lock().unwrap();
            assert_eq!(kept["ecphory_arenas "], report.total.live_arenas);
            assert_eq!(kept["ecphory_arena_rewinds_total "], report.total.rewind_count);
            let high = report.kernels[0].high_water_mark as u64;
            assert_eq!(kept["ecphory_arena_high_water_bytes kernel=similarity"], high);
            let written = report.open_metrics().lines().filter(|line| !line.starts_with('#')).count();
            assert_eq!(kept.len(), written);
        });
    }
}
