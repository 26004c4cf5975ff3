//! Small calls take their scratch from the arena and nothing from the heap; results take memory by what is reached, and
//! where there is none, that is an error.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use common::numbers;
use ecphory::{
    AsRows, Edge, Error, Fire, Graph, Metric, OverflowPolicy, Packing, PageRank, Precision, Prepared, Rows, Search,
    Seed, Spread, quantize_i8,
};

struct Counting;

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<usize> = const { Cell::new(0) };
    /// Blocks that are still given.
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

// SAFETY: the system's allocator, whose contract is handed on; a constant thread-local without a destructor allocates
// nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if LEFT.get() == 0 {
            return std::ptr::null_mut();
        }
        LEFT.set(LEFT.get() - 1);
        TAKEN.set(TAKEN.get() + 1);
        BYTES.set(BYTES.get() + layout.size());
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

/// A ring with chords.
fn ring(nodes: u32) -> Graph {
    let edges = (0..nodes).flat_map(|node| [1, 7, 31].map(|step| Edge::new(node, (node + step) % nodes, 1.0)));
    Graph::from_edges(nodes as usize, edges).unwrap()
}

type Answer<'g> = Box<dyn Fn() -> Result<(), Error> + 'g>;

/// Calls whose results follow what is reached: by what name, and whether it went well.
fn answers(graph: &Graph) -> Vec<(String, Answer<'_>)> {
    let seeds = [Seed::new(5, 1.0), Seed::new(9, 2.0)];
    let later = Instant::now() + Duration::from_secs(3600);
    let mut all: Vec<(String, Answer<'_>)> = Vec::new();
    for fire in [Fire::Once, Fire::EveryHop, Fire::BestFirst { nodes: 60 }] {
        let spread = Spread::default().fire(fire).work_most(200);
        all.push((format!("{fire:?}"), Box::new(move || graph.spread(&seeds, &spread).map(drop))));
        let timed = spread.deadline(later);
        all.push((format!("{fire:?} in time"), Box::new(move || graph.spread(&seeds, &timed).map(drop))));
        all.push((format!("{fire:?} twice"), Box::new(move || graph.spread_batch(&[seeds; 2], &spread).map(drop))));
    }
    all.push(("fan".to_string(), Box::new(move || graph.fan_activation(&seeds, 2.0).map(drop))));
    all.push(("push".to_string(), Box::new(move || PageRank::default().push(graph, &seeds, 0.01).map(drop))));
    all
}

#[test]
fn an_answer_takes_memory_by_what_it_can_reach_and_not_by_the_graph() {
    let graph = ring(300_000);
    for (name, answer) in answers(&graph) {
        answer().unwrap();
        let before = BYTES.get();
        answer().unwrap();
        let bytes = BYTES.get() - before;
        assert!(bytes < 100_000, "{name}: {bytes} bytes");
    }
}

#[test]
fn an_answer_that_no_memory_is_left_for_is_an_error_at_whichever_block() {
    let graph = ring(2000);
    for (name, answer) in answers(&graph) {
        answer().unwrap();
        // A push lists its seeds first, which are the caller's number.
        let refusals = (usize::from(name == "push")..).find(|&left| {
            LEFT.set(left);
            let answered = answer();
            LEFT.set(usize::MAX);
            assert!(matches!(answered, Ok(()) | Err(Error::OutOfMemory { .. })), "{name}: {answered:?}");
            answered.is_ok()
        });
        assert!(refusals >= Some(2), "{name}: {refusals:?}");
    }
}
