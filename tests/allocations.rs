//! Small calls take their scratch from the arena and nothing from the heap; results take memory by what is reached, and
//! where there is none, that is an error.

mod common;
#[path = "common/oracle.rs"]
mod oracle;
#[path = "common/samples.rs"]
mod samples;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use common::{numbers, on_threads};
use ecphory::{
    Ages, AsRows, BaseLevel, Companion, Decay, Edge, Error, Fire, Graph, Meets, Metric, OverflowPolicy, Packing,
    PageRank, Precision, Prepared, Presentations, Rows, Search, Seed, Selected, Spread, quantize_bits, quantize_i8,
    similarity_batch,
};
use samples::Sample;

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

fn small_calls_take_nothing<Q: Sample + Meets<T>, T: Sample>() {
    let (dim, count, ids) = (70, 150, [7, 0, 149, 7]);
    let (queries, data, filter) = (Q::drawn(1, 70 * dim), T::drawn(2, count * dim), [u64::MAX - 5; 3]);
    let (scales, mut scores) = (samples::scales(3, count), vec![0.0; 70 * count]);
    let plain = Rows::new(&data, dim).unwrap();
    let scaled = T::scaled(plain, &scales).filtered(&filter).unwrap();
    for &metric in T::METRICS {
        for precision in [Precision::Fast, Precision::Precise] {
            let search = Search::new(metric).precision(precision).on_overflow(OverflowPolicy::Error);
            for rows in [plain, scaled] {
                search.scores_into(&queries[..dim], &rows, &mut scores[..count]).unwrap(); // The arena is born.
                assert_eq!(taken(|| search.scores_into(&queries[..dim], &rows, &mut scores[..count]).unwrap()), 0);
                for many in [1, 2, 12, 70] {
                    let (queries, into) = (&queries[..many * dim], &mut scores[..many * count]);
                    assert_eq!(taken(|| search.matrix_into(queries, &rows, into).unwrap()), 0, "{many} queries");
                }
                for packing in [Packing::InPlace, Packing::Whole, Packing::Tiled] {
                    let (search, into) = (search.packing(packing), &mut scores[..4]);
                    let gathered = taken(|| search.gather_into(&queries[..dim], &rows, &ids, into).unwrap());
                    assert_eq!(gathered, 0, "{packing:?}");
                }
            }
        }
    }
}

#[test]
fn small_calls_of_every_type_take_nothing_from_the_heap() {
    small_calls_take_nothing::<f32, i8>();
    small_calls_take_nothing::<i8, i8>();
    small_calls_take_nothing::<u8, u8>();
    #[cfg(feature = "half")]
    {
        use half::{bf16, f16};
        small_calls_take_nothing::<f32, f16>();
        small_calls_take_nothing::<f16, f16>();
        small_calls_take_nothing::<f32, bf16>();
        small_calls_take_nothing::<bf16, bf16>();
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
    let timed = PageRank::default().deadline(later);
    all.push(("push in time".to_string(), Box::new(move || timed.push(graph, &seeds, 0.01).map(drop))));
    let found = graph.spread(&seeds, &Spread::default()).unwrap();
    all.push(("the most active".to_string(), Box::new(move || found.top_k(2).map(drop))));
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
        let least = if name == "the most active" { 1 } else { 2 };
        assert!(refusals(&name, &answer) >= least, "{name}");
    }
}

/// How many blocks an answer takes, each of which was refused once.
fn refusals(name: &str, answer: &Answer<'_>) -> usize {
    answer().unwrap();
    let taken = (0..).find(|&left| {
        LEFT.set(left);
        let answered = answer();
        LEFT.set(usize::MAX);
        assert!(matches!(answered, Ok(()) | Err(Error::OutOfMemory { .. })), "{name}: {answered:?}");
        answered.is_ok()
    });
    taken.unwrap()
}

/// Vectors, of which those of `large` are more than one task.
struct Vectors {
    small: Vec<f32>,
    large: Vec<f32>,
    bits: Vec<u8>,
}

const DIM: usize = 16;

fn boxed<'v, T>(call: impl Fn() -> Result<T, Error> + 'v) -> Answer<'v> {
    Box::new(move || call().map(drop))
}

/// Searches and what makes rows ready for them: by what name, and how many blocks at least it takes.
fn searches(vectors: &Vectors) -> Vec<(&'static str, usize, Answer<'_>)> {
    let Vectors { small, large, bits } = vectors;
    let (rows, many, search) =
        (Rows::new(small, DIM).unwrap(), Rows::new(large, DIM).unwrap(), Search::new(Metric::Dot));
    let (query, queries, ids) = (&small[..DIM], &large[..130 * DIM], [3, 7, 0, 3]);
    let beyond: Vec<u32> = (0..70_000).collect();
    let packed = search.packing(Packing::Whole);
    let companion = Companion::new(&many).unwrap();
    vec![
        ("scores", 1, boxed(move || search.scores(query, &rows))),
        ("scores of bits", 1, boxed(|| Search::new(Metric::Hamming).scores(&bits[..2], &Rows::new(bits, 2)?))),
        ("scores in tasks", 1, boxed(move || search.scores(query, &many))),
        ("cosines", 1, boxed(move || similarity_batch(query, &rows))),
        ("matrix", 1, boxed(move || search.matrix(&queries[..9 * DIM], &rows))),
        ("matrix in tasks", 1, boxed(move || search.matrix(&queries[..9 * DIM], &many))),
        ("gather", 1, boxed(move || search.gather(query, &rows, &ids))),
        ("gather on a loan", 2, boxed(move || packed.gather(query, &many, &beyond[..60_000]))),
        ("best", 3, boxed(move || search.top_k(query, &rows, 5))),
        ("best in tasks", 7, boxed(move || search.top_k(query, &many, 5))),
        (
            "best among copies",
            7,
            boxed(move || search.top_k(query, &Prepared::new(many)?.with_companion(&companion)?, 5)),
        ),
        ("best of each", 12, boxed(move || search.top_k_each(&queries[..9 * DIM], &rows, 5))),
        (
            "best of each in tasks",
            500,
            boxed(move || search.top_k_each(queries, &Rows::new(&large[..2100 * DIM], DIM)?, 3)),
        ),
        ("norms", 1, boxed(move || Prepared::new(rows))),
        ("norms in tasks", 1, boxed(move || Prepared::new(many))),
        ("copies", 4, boxed(move || Companion::new(&rows))),
        ("copies in tasks", 4, boxed(move || Companion::new(&many))),
        ("bytes", 2, boxed(|| quantize_i8(small, DIM))),
        ("bits", 1, boxed(|| quantize_bits(small, DIM))),
        #[cfg(feature = "half")]
        ("f16", 1, boxed(|| ecphory::quantize_f16(small))),
        #[cfg(feature = "half")]
        ("bf16", 1, boxed(|| ecphory::quantize_bf16(small))),
    ]
}

#[test]
fn a_search_that_no_memory_is_left_for_is_an_error_at_whichever_block() {
    let vectors = Vectors { small: numbers(1, 70 * DIM), large: numbers(2, 70_000 * DIM), bits: vec![7; 140] };
    // One thread does all of it, so that each of its blocks is refused once.
    on_threads(1, || {
        for (name, least, answer) in searches(&vectors) {
            let refused = refusals(name, &answer);
            assert!(refused >= least, "{name}: {refused}");
        }
    });
}

/// More than one task of them.
const MEMORIES: usize = (1 << 19) + 7;

/// Decay of all kinds, of memories in one task and in two.
fn forgetting() -> Vec<(&'static str, usize, Answer<'static>)> {
    let decay = Decay::half_life_seconds(1.0).unwrap();
    let selects = move |count: usize| {
        boxed(move || {
            let mut strengths = vec![8.0; 0];
            strengths.try_reserve_exact(count).map_err(|_| Error::OutOfMemory { needed: 0, capacity: 0 })?;
            strengths.resize(count, 8.0);
            let found = decay.apply_and_select(&mut strengths, Ages::Uniform(1.0), Selected::AtLeast(1.0));
            let left = if found.is_ok() { 4.0 } else { 8.0 };
            assert!(strengths.iter().all(|&strength| strength == left), "written though refused");
            found
        })
    };
    vec![("selected", 3, selects(70)), ("selected in tasks", 3, selects(MEMORIES))]
}

#[test]
fn decay_that_no_memory_is_left_for_is_an_error_at_whichever_block_and_nothing_is_written() {
    let offsets: Vec<u32> = (0..=MEMORIES as u32).collect();
    let mut levels = vec![0.0; MEMORIES];
    on_threads(1, || {
        for (name, least, answer) in forgetting() {
            let refused = refusals(name, &answer);
            assert!(refused >= least, "{name}: {refused}");
        }
        let presentations = Presentations::new(&offsets).unwrap();
        let level = BaseLevel::new(0.5).unwrap();
        LEFT.set(0);
        let answered = level.exact(&presentations, Ages::Uniform(1.0), &mut levels);
        LEFT.set(usize::MAX);
        assert!(matches!(answered, Err(Error::OutOfMemory { .. })) && levels[0] == 0.0, "{answered:?}");
    });
}
