//! Arenas of 64 KiB: scopes, what happens when they are full, and what can be told of it.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::OnceLock;

use common::{bits, numbers};
use ecphory::arena::{self, Scratch};
use ecphory::{
    ArenaConfig, ArenaStats, Edge, Error, Graph, Metric, OverflowPolicy, Packing, Rows, Search, Seed, Spread,
};

const CAPACITY: usize = 64 << 10;
const DIM: usize = 48;

/// Every test calls it first: a configuration is for the whole process and comes before the first arena.
fn small_arenas() -> Result<(), Error> {
    static INSTALLED: OnceLock<Result<(), Error>> = OnceLock::new();
    INSTALLED.get_or_init(|| ArenaConfig::new().capacity(CAPACITY).install()).clone()
}

fn blocks(bytes: usize) -> usize {
    bytes.next_multiple_of(64)
}

/// What differs between two moments of this thread: overflows, heap loans.
fn since(before: ArenaStats) -> (u64, u64) {
    let now = ArenaStats::of_thread();
    (now.overflow_count - before.overflow_count, now.heap_loan_count - before.heap_loan_count)
}

/// A kernel of the library, with what it needs and its results as bits.
struct Kernel {
    name: &'static str,
    need: usize,
    run: Box<dyn Fn(OverflowPolicy) -> Result<Vec<u32>, Error>>,
}

fn kernels() -> Vec<Kernel> {
    let rows = numbers(1, 40 * DIM);
    let ids: Vec<u32> = (0..40).rev().collect();
    let (scored, gathered, sorted) = (rows.clone(), rows.clone(), rows.clone());
    let edges = (0..999).flat_map(|node| [Edge::new(node, node + 1, 1.0), Edge::new(node, node / 2, 0.5)]);
    let graph = Graph::from_edges(1000, edges).unwrap();
    let search = |policy| Search::new(Metric::Cosine).on_overflow(policy);
    let (many, many_sorted) = (numbers(2, 64 * DIM), numbers(2, 64 * DIM));
    let (met, met_sorted) = (rows.clone(), rows);
    let run_scores = move |policy| search(policy).scores(&scored[..DIM], &Rows::new(&scored, DIM)?).map(|s| bits(&s));
    let run_gather = move |policy| {
        let rows = Rows::new(&gathered, DIM)?;
        search(policy).packing(Packing::Whole).gather(&gathered[..DIM], &rows, &ids).map(|s| bits(&s))
    };
    let run_top_k = move |policy| {
        let top = search(policy).top_k(&sorted[..DIM], &Rows::new(&sorted, DIM)?, 30)?;
        Ok(top.hits.iter().flat_map(|hit| [hit.row as u32, hit.score.to_bits()]).collect())
    };
    let run_matrix = move |policy| search(policy).matrix(&many, &Rows::new(&met, DIM)?).map(|s| bits(&s));
    let run_top_k_each = move |policy| {
        let best = search(policy).top_k_each(&many_sorted, &Rows::new(&met_sorted, DIM)?, 3)?;
        Ok(best.iter().flat_map(|top| &top.hits).flat_map(|hit| [hit.row as u32, hit.score.to_bits()]).collect())
    };
    let run_spread = move |policy| {
        let found = graph.spread(&[Seed::new(500, 1.0)], &Spread::default().hops(8).on_overflow(policy))?;
        Ok([found.nodes, bits(&found.activations)].concat())
    };
    let spread_need = 2 * blocks(4 * 1000) + blocks(4 * 1000usize.div_ceil(32));
    let matrix_need = (64 + 1) * 4 * DIM + (16 << 10);
    vec![
        Kernel { name: "scores", need: blocks(4 * DIM), run: Box::new(run_scores) },
        Kernel { name: "gather", need: blocks(4 * DIM) + blocks(4 * DIM * 40), run: Box::new(run_gather) },
        Kernel { name: "top_k", need: blocks(4 * DIM) + 1024 + blocks(16 * 30), run: Box::new(run_top_k) },
        Kernel { name: "matrix", need: matrix_need, run: Box::new(run_matrix) },
        Kernel { name: "top_k_each", need: matrix_need + 64 * (40 + 16 * 3), run: Box::new(run_top_k_each) },
        Kernel { name: "spread", need: spread_need, run: Box::new(run_spread) },
    ]
}

/// Runs `work` while all but `free` bytes of the arena are held.
fn with_free<R>(free: usize, work: impl FnOnce() -> R) -> R {
    arena::scope(|scratch| {
        let held = scratch.fill(CAPACITY - free, 0xA5u8).unwrap();
        let result = work();
        assert!(held.iter().all(|&byte| byte == 0xA5), "a kernel wrote into scratch that was held");
        result
    })
    .unwrap()
}

#[test]
fn a_capacity_is_installed_before_the_first_arena_and_refused_after() {
    assert_eq!(small_arenas(), Ok(()));
    assert_eq!(ArenaConfig::current().capacity_bytes(), CAPACITY);
    arena::scope(|_| ()).unwrap();
    assert_eq!(ArenaStats::of_thread().capacity, CAPACITY);
    let refusal = ArenaConfig::new().install().unwrap_err();
    assert!(matches!(refusal, Error::AlreadyInUse { bytes: CAPACITY, .. }));
    assert_eq!(
        refusal.to_string(),
        format!("already in use: an arena of {CAPACITY} bytes; install before the first call")
    );
    for found in [0, 63, (1 << 46) + 1, usize::MAX] {
        let range = Error::Range { what: "arena capacity in bytes", min: 64, max: 1 << 46, found };
        assert_eq!(ArenaConfig::new().capacity(found).install(), Err(range));
    }
    assert_eq!(ArenaConfig::current().capacity_bytes(), CAPACITY);
    assert_eq!(ArenaConfig::new().capacity_bytes(), 2 << 20);
}

#[test]
fn a_full_arena_under_error_refuses_with_what_is_held_and_the_calls_own_need() {
    small_arenas().unwrap();
    for Kernel { name, need, run } in kernels() {
        for free in [0, need - 64] {
            let before = ArenaStats::of_thread();
            let expected = Error::OutOfMemory { needed: CAPACITY - free + need, capacity: CAPACITY };
            assert_eq!(with_free(free, || run(OverflowPolicy::Error)), Err(expected), "{name} with {free} free");
            assert_eq!(since(before), (1, 0), "{name}");
        }
        let before = ArenaStats::of_thread();
        assert_eq!(with_free(need, || run(OverflowPolicy::Error)), run(OverflowPolicy::Error), "{name}");
        assert_eq!(since(before), (0, 0), "{name}");
    }
    let refusal = Error::OutOfMemory { needed: 70, capacity: 64 };
    assert_eq!(
        refusal.to_string(),
        "out of memory: 70 bytes of scratch needed, the thread's arena has 64 \
         (ArenaConfig makes arenas larger; a kernel's OverflowPolicy may lend a block or grow the arena)"
    );
}

#[test]
fn a_full_arena_under_heap_gives_the_same_bits_on_one_loan() {
    small_arenas().unwrap();
    for Kernel { name, need, run } in kernels() {
        let unconstrained = run(OverflowPolicy::Error).unwrap();
        for free in [0, 64, need - 64] {
            let before = ArenaStats::of_thread();
            assert!(with_free(free, || run(OverflowPolicy::Heap)).unwrap() == unconstrained, "{name}, {free} free");
            assert_eq!(since(before), (1, 1), "{name}");
        }
    }
}

#[test]
fn a_full_arena_under_panic_panics_and_gives_everything_back() {
    small_arenas().unwrap();
    for Kernel { name, need, run } in kernels() {
        let before = ArenaStats::of_thread();
        let panic = catch_unwind(AssertUnwindSafe(|| with_free(64, || run(OverflowPolicy::Panic)))).unwrap_err();
        let message = panic.downcast_ref::<String>().expect("a message");
        let refusal = Error::OutOfMemory { needed: CAPACITY - 64 + need, capacity: CAPACITY };
        assert_eq!(message, &format!("{refusal} (OverflowPolicy::Panic)"), "{name}");
        assert_eq!((since(before), ArenaStats::of_thread().current_usage), ((1, 0), 0), "{name}");
        assert_eq!(run(OverflowPolicy::Panic), run(OverflowPolicy::Error), "{name} fits again");
    }
}

#[test]
fn a_refused_call_leaves_its_outputs_untouched() {
    small_arenas().unwrap();
    let data = numbers(1, 4 * DIM);
    let rows = Rows::new(&data, DIM).unwrap();
    for metric in [Metric::Cosine, Metric::Dot, Metric::SquaredEuclidean] {
        let search = Search::new(metric).on_overflow(OverflowPolicy::Error);
        let mut scores = [7.0; 4];
        with_free(0, || search.scores_into(&data[..DIM], &rows, &mut scores)).unwrap_err();
        let packs = search.packing(Packing::Whole);
        with_free(blocks(4 * DIM), || packs.gather_into(&data[..DIM], &rows, &[0, 1, 2, 3], &mut scores)).unwrap_err();
        with_free(0, || search.gather_into(&data[..DIM], &rows, &[0, 1, 2, 3], &mut scores)).unwrap_err();
        let mut all = [7.0; 4 * 4];
        for queries in [1, 2, 4] {
            let into = &mut all[..4 * queries];
            with_free(0, || search.matrix_into(&data[..queries * DIM], &rows, into)).unwrap_err();
        }
        assert_eq!(all, [7.0; 4 * 4]);
        assert_eq!(scores, [7.0; 4]);
    }
}

#[test]
fn tasks_of_a_large_gather_fit_the_arenas() {
    small_arenas().unwrap();
    for dim in [64, 100, 1000] {
        let (data, ids) = (numbers(1, 8 * dim), vec![3u32; (1 << 20) / dim + 1]);
        let rows = Rows::new(&data, dim).unwrap();
        let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        one_thread.install(|| {
            let before = ArenaStats::of_thread();
            let search = Search::new(Metric::Dot).packing(Packing::Whole);
            let scores = search.gather(&data[..dim], &rows, &ids).unwrap();
            assert_eq!(bits(&scores), bits(&vec![scores[0]; ids.len()]));
            assert_eq!(since(before), (0, 0));
        });
    }
}

#[test]
fn a_batch_whose_tasks_do_not_fit_is_refused_before_any_task_runs() {
    small_arenas().unwrap();
    let dim = 64;
    let (data, ids) = (numbers(1, 8 * dim), vec![3u32; (1 << 20) / dim + 1]);
    let rows = Rows::new(&data, dim).unwrap();
    let mut scores = vec![7.0; ids.len()];
    let refused = Error::OutOfMemory { needed: 256 + (4 << 20), capacity: CAPACITY };
    let search = Search::new(Metric::Dot).packing(Packing::Whole);
    let strict = search.on_overflow(OverflowPolicy::Error);
    let before = ArenaStats::of_thread();
    assert_eq!(strict.gather_into(&data[..dim], &rows, &ids, &mut scores), Err(refused));
    assert_eq!(since(before), (1, 0));
    assert!(scores.iter().all(|&score| score == 7.0));
    let panic = || search.on_overflow(OverflowPolicy::Panic).gather(&data[..dim], &rows, &ids);
    assert!(catch_unwind(AssertUnwindSafe(panic)).is_err());
    let one = search.scores(&data[..dim], &rows).unwrap()[3];
    with_free(256, || search.gather_into(&data[..dim], &rows, &ids, &mut scores)).unwrap();
    assert!(scores.iter().all(|score| score.to_bits() == one.to_bits()));

    let graph = Graph::from_edges(10_000, [Edge::new(1, 2, 1.0)]).unwrap();
    let cues = [[Seed::new(1, 1.0)]; 3];
    let needed = 2 * blocks(40_000) + blocks(4 * 10_000usize.div_ceil(32));
    let strict = Spread::default().on_overflow(OverflowPolicy::Error);
    assert_eq!(graph.spread_batch(&cues, &strict), Err(Error::OutOfMemory { needed, capacity: CAPACITY }));
    assert_eq!(graph.spread_batch(&cues, &Spread::default()).unwrap().len(), 3);
}

#[test]
fn scopes_nest_and_give_back_what_they_took() {
    small_arenas().unwrap();
    let usage = || ArenaStats::of_thread().current_usage;
    arena::scope(|outer| {
        let first = outer.fill(100, 1u8).unwrap();
        assert_eq!(usage(), 128);
        let sum = arena::scope(|inner| {
            let second = inner.fill(50, 2u32).unwrap();
            assert_eq!(usage(), 128 + 256);
            second.iter().sum::<u32>()
        });
        assert_eq!((sum, usage()), (Ok(100), 128));
        let third = outer.copy(&[3.5f64; 9]).unwrap();
        assert_eq!((usage(), &*third), (128 + 128, &[3.5; 9][..]));
        assert_eq!(first, [1; 100]);
    })
    .unwrap();
    assert_eq!(usage(), 0);
}

#[test]
fn an_outer_scope_hands_nothing_out_while_an_inner_one_is_open() {
    small_arenas().unwrap();
    arena::scope(|outer| {
        let refusal = arena::scope(|inner| {
            assert_eq!(inner.fill(1, 1u8).unwrap(), [1]);
            assert!(outer.fill(1, 1u8).is_err() && outer.copy(&[1u8]).is_err());
            outer.alloc::<u8>(1).unwrap_err()
        })
        .unwrap();
        assert_eq!(refusal, Error::NotInnermost { innermost: 2, found: 1 });
        let text = "scratch: expected the innermost scope of the thread (depth 2), found the one at depth 1";
        assert_eq!(refusal.to_string(), text);
        assert_eq!(outer.fill(1, 1u8).unwrap(), [1]);
    })
    .unwrap();
}

#[test]
fn blocks_are_aligned_and_apart() {
    small_arenas().unwrap();
    #[derive(Clone, Copy)]
    #[repr(align(64))]
    struct Line(#[allow(dead_code)] u8);
    fn place<'s, T: Copy + 's>(scratch: &Scratch<'s>, len: usize) -> std::ops::Range<usize> {
        let block = scratch.alloc::<T>(len).unwrap();
        assert_eq!(block.len(), len);
        let start = block.as_ptr() as usize;
        start..start + size_of_val(block)
    }
    arena::scope(|scratch| {
        let mut places = Vec::new();
        for len in [1, 63, 64, 65, 3] {
            places.extend([place::<u8>(scratch, len), place::<u64>(scratch, len), place::<Line>(scratch, len)]);
        }
        assert!(places.iter().all(|place| place.start % 64 == 0));
        assert!(places.is_sorted_by(|a, b| a.end <= b.start));
        assert_eq!(place::<u32>(scratch, 0).len(), 0);
        assert_eq!(place::<()>(scratch, usize::MAX).len(), 0);
    })
    .unwrap();
}

#[test]
fn hostile_sizes_are_out_of_memory_and_take_nothing() {
    small_arenas().unwrap();
    arena::scope(|scratch| {
        scratch.fill(64, 0u8).unwrap();
        let refused = |outcome: Result<usize, Error>| {
            assert!(matches!(outcome, Err(Error::OutOfMemory { needed, capacity: CAPACITY }) if needed > CAPACITY));
        };
        for less in (0..200).chain([usize::MAX / 2, usize::MAX / 2 + 1]) {
            refused(scratch.alloc::<u8>(usize::MAX - less).map(|block| block.len()));
            refused(scratch.alloc::<u64>(usize::MAX - less).map(|block| block.len()));
            refused(scratch.alloc::<u64>(usize::MAX / 8 + 100 - less.min(50)).map(|block| block.len()));
            refused(scratch.alloc::<[u64; 8]>(usize::MAX / 64 + 1).map(|block| block.len()));
            refused(scratch.fill(usize::MAX - less, 1u32).map(|block| block.len()));
        }
        assert_eq!(ArenaStats::of_thread().current_usage, 64);
        let exactly = Error::OutOfMemory { needed: 64 + CAPACITY, capacity: CAPACITY };
        assert_eq!(scratch.alloc::<u8>(CAPACITY - 63).unwrap_err(), exactly);
        assert_eq!(scratch.alloc::<u8>(CAPACITY - 64).unwrap().len(), CAPACITY - 64);
        assert_eq!(
            scratch.alloc::<u8>(1).unwrap_err(),
            Error::OutOfMemory { needed: CAPACITY + 64, capacity: CAPACITY }
        );
        assert_eq!(scratch.alloc::<u8>(0).unwrap().len(), 0);
    })
    .unwrap();
}

#[test]
fn ten_thousand_panics_through_scopes_leave_nothing_in_use() {
    small_arenas().unwrap();
    arena::scope(|outer| {
        let kept = outer.fill(1000, 9u8).unwrap();
        let before = ArenaStats::of_thread();
        for round in 0..10_000usize {
            let panic = catch_unwind(AssertUnwindSafe(|| {
                arena::scope(|scratch| {
                    scratch.fill(1 + round % 5000, 1u8).unwrap();
                    arena::scope(|scratch| {
                        scratch.fill(1 + round % 70, 2u8).unwrap();
                        resume_unwind(Box::new(round))
                    })
                })
            }));
            assert_eq!(panic.unwrap_err().downcast_ref(), Some(&round));
            assert_eq!(ArenaStats::of_thread().current_usage, before.current_usage);
        }
        assert_eq!(ArenaStats::of_thread().rewind_count - before.rewind_count, 20_000);
        assert_eq!(outer.fill(10, 3u8).unwrap(), [3; 10]);
        assert_eq!(kept, [9; 1000]);
    })
    .unwrap();
    assert_eq!(ArenaStats::of_thread().current_usage, 0);
}

#[test]
fn kernels_inside_a_scope_leave_its_scratch_alone() {
    small_arenas().unwrap();
    for Kernel { name, need, run } in kernels() {
        let alone = run(OverflowPolicy::Error).unwrap();
        for free in [need, need + 64, CAPACITY] {
            assert!(with_free(free, || run(OverflowPolicy::Error)).unwrap() == alone, "{name}, {free} free");
        }
    }
}

#[test]
fn figures_of_a_thread_start_at_zero_and_follow_it() {
    small_arenas().unwrap();
    std::thread::spawn(|| {
        let fresh = ArenaStats::of_thread();
        assert_eq!(fresh, ArenaStats::default());
        assert_eq!(fresh.utilization(), 0.0);
        arena::scope(|scratch| {
            scratch.fill(CAPACITY / 2, 0u8).unwrap();
            assert_eq!(ArenaStats::of_thread().high_water_mark, CAPACITY / 2);
            scratch.alloc::<u8>(CAPACITY).unwrap_err();
        })
        .unwrap();
        let stats = ArenaStats::of_thread();
        assert_eq!((stats.capacity, stats.current_usage, stats.high_water_mark), (CAPACITY, 0, CAPACITY / 2));
        assert_eq!((stats.overflow_count, stats.rewind_count, stats.heap_loan_count), (1, 1, 0));
        assert_eq!((stats.live_arenas, stats.utilization()), (1, 0.5));
        with_free(0, || ());
        assert_eq!(ArenaStats::of_thread().utilization(), 1.0);
        with_free(CAPACITY, || ());
        assert_eq!(ArenaStats::of_thread().high_water_mark, CAPACITY);
    })
    .join()
    .unwrap();
}

#[test]
fn figures_of_all_threads_hold_those_of_each() {
    small_arenas().unwrap();
    let before = ArenaStats::of_all_threads();
    arena::scope(|scratch| {
        scratch.fill(3000, 0u8).unwrap();
        scratch.alloc::<u8>(CAPACITY).unwrap_err();
        let (own, all) = (ArenaStats::of_thread(), ArenaStats::of_all_threads());
        assert_eq!(own.current_usage, blocks(3000));
        assert!(all.current_usage >= own.current_usage && all.high_water_mark >= own.high_water_mark);
        assert!(all.live_arenas >= 1 && all.capacity >= CAPACITY && all.capacity % CAPACITY == 0);
        assert!(all.overflow_count > before.overflow_count);
    })
    .unwrap();
    let all = ArenaStats::of_all_threads();
    assert!(all.rewind_count > before.rewind_count);
    assert!(all.utilization() > 0.0 && all.utilization() <= 1.0);
}
