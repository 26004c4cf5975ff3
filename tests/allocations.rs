//! Small calls take their scratch from the arena and nothing from the heap.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use common::numbers;
use ecphory::{AsRows, Metric, OverflowPolicy, Packing, Precision, Prepared, Rows, Search, quantize_i8};

struct Counting;

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: the system's allocator, whose contract is handed on; a constant thread-local without a destructor allocates
// nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.set(TAKEN.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Blocks that this thread takes from the heap while `work` runs.
fn taken(work: impl FnOnce()) -> usize {
    let before = TAKEN.get();
    work();
    TAKEN.get() - before
}

#[test]
fn small_calls_into_scores_of_the_caller_take_nothing_from_the_heap() {
    let dim = 100;
    let (queries, data, ids) = (numbers(1, 70 * dim), numbers(2, 200 * dim), [7, 0, 199, 7]);
    let (mut scores, filter) = (vec![0.0; 70 * 200], [u64::MAX - 5; 4]);
    let rows = Rows::new(&data, dim).unwrap();
    let quantized = quantize_i8(&data, dim).unwrap();
    let bytes = Prepared::new(quantized.as_rows()).unwrap().filtered(&filter).unwrap();
    let prepared = Prepared::new(rows).unwrap().filtered(&filter).unwrap();
    Search::new(Metric::Dot).scores_into(&queries[..dim], &rows, &mut scores[..200]).unwrap(); // The arena is born.
    assert!(taken(|| drop(vec![1u8; 10])) == 1, "blocks are counted");
    for metric in [Metric::Cosine, Metric::Dot, Metric::SquaredEuclidean] {
        for precision in [Precision::Fast, Precision::Precise] {
            let search = Search::new(metric).precision(precision).on_overflow(OverflowPolicy::Error);
            assert_eq!(taken(|| search.scores_into(&queries[..dim], &rows, &mut scores[..200]).unwrap()), 0);
            for count in [1, 2, 7, 70] {
                let (queries, into) = (&queries[..count * dim], &mut scores[..count * 200]);
                assert_eq!(taken(|| search.matrix_into(queries, &rows, into).unwrap()), 0, "{count} queries");
                assert_eq!(taken(|| search.matrix_into(queries, &prepared, into).unwrap()), 0, "{count} queries");
            }
            for count in [1, 12] {
                let (queries, into) = (&queries[..count * dim], &mut scores[..count * 200]);
                assert_eq!(taken(|| search.matrix_into(queries, &bytes, into).unwrap()), 0, "{count} queries of i8");
                let own = Rows::new(&quantized.elements()[..count * dim], dim).unwrap();
                assert_eq!(taken(|| search.matrix_into(&own, &bytes, into).unwrap()), 0, "{count} queries, both of i8");
            }
            for packing in [Packing::InPlace, Packing::Whole, Packing::Tiled] {
                let (search, into) = (search.packing(packing), &mut scores[..4]);
                assert_eq!(taken(|| search.gather_into(&queries[..dim], &rows, &ids, into).unwrap()), 0, "{packing:?}");
            }
        }
    }
}
