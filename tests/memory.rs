//! What is said about memory, against what the allocator gives.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use common::{bits, numbers, on_threads};
use ecphory::{Edge, Graph, HeatKernel, PageRank, Seed, Workspace};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator, whose contract is handed on; counters allocate nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(held, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Tests take turns: counts are of all threads.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What `work` makes, the bytes that are held for it afterwards, and the most that were at any time.
fn held<R>(work: impl FnOnce() -> R) -> (R, usize, usize) {
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let made = work();
    (made, HELD.load(Ordering::Relaxed).saturating_sub(before), PEAK.load(Ordering::Relaxed) - before)
}

const NODES: usize = 20_000;

/// What is not counted out: jobs of threads, starts of cues, sums of blocks.
const ROOM: usize = 100_000;

fn edges() -> Vec<Edge> {
    let any = numbers(1, 3 * 4 * NODES);
    let node = |x: f32| (((x + 1.0) * 0.5 * NODES as f32) as usize).min(NODES - 1) as u32;
    any.chunks_exact(3).map(|x| Edge::new(node(x[0]), node(x[1] * x[1].abs()), x[2].abs() + 0.01)).collect()
}

#[test]
fn a_graph_says_what_it_holds_with_and_without_edges_by_target() {
    let _alone = alone();
    let given = edges();
    let (graph, bytes, _) = held(|| on_threads(2, || Graph::from_edges(NODES, given.iter().copied()).unwrap()));
    let (nodes, edges) = (graph.node_count(), graph.edge_count());
    assert_eq!(graph.bytes(), 8 * nodes + 4 + 8 * edges);
    assert!(bytes.abs_diff(graph.bytes()) < ROOM, "{bytes} for {}", graph.bytes());
    let own = graph.bytes();
    let ((), more, peak) = held(|| graph.prepare_sweeps().unwrap());
    let for_sweeps = 16 * nodes + 4 + 8 * edges;
    assert_eq!(graph.bytes() - own, for_sweeps);
    // Threads of the pool before may end, and free what is theirs, only now.
    assert!(more.abs_diff(for_sweeps) < ROOM, "{more} bytes for {for_sweeps}");
    assert!(peak <= for_sweeps + 4 * nodes + ROOM, "{peak} bytes for {for_sweeps}");
    let ((), again, peak) = held(|| graph.prepare_sweeps().unwrap());
    assert_eq!((again, peak), (0, 0));
    let copied = graph.clone();
    assert_eq!(copied.bytes(), graph.bytes());
    let related = given[..1000].iter().map(|&edge| (edge, 3));
    let related = Graph::builder(NODES).related(related).unwrap().build().unwrap();
    assert_eq!(related.bytes(), 8 * nodes + 4 + 9 * related.edge_count());
}

#[test]
fn a_builder_takes_the_keys_of_a_row_beside_edges_and_the_graph() {
    let _alone = alone();
    // All edges out of one node, so that all of them are sorted at once.
    let hub: Vec<_> = (0..NODES as u32).map(|node| Edge::new(7, node, 1.0)).collect();
    for (keys, typed) in [(8, false), (16, true)] {
        let (graph, _, peak) = held(|| {
            let builder = Graph::builder(NODES);
            let builder = if typed {
                builder.related(hub.iter().map(|&edge| (edge, 1))).unwrap()
            } else {
                builder.edges(hub.iter().copied()).unwrap()
            };
            builder.build().unwrap()
        });
        let given = if typed { 13 } else { 12 };
        let stated = (given + keys) * NODES + graph.bytes();
        // Where each row ends is 8 for each node of a band.
        assert!(peak >= stated && peak <= stated + 8 * NODES + ROOM, "{peak} for {stated}");
    }
}

/// 16 cues in a group, of a seed each.
fn cues(groups: usize) -> Vec<[Seed; 1]> {
    (0..16 * groups).map(|cue| [Seed::new((cue * 37 % NODES) as u32, 1.0)]).collect()
}

#[test]
fn many_cues_take_what_sweeps_pass_on_for_the_groups_at_work_and_ranks_for_all() {
    let _alone = alone();
    let graph = Graph::from_edges(NODES, edges()).unwrap();
    graph.prepare_sweeps().unwrap();
    let cues = cues(9);
    let mut before = None;
    for threads in [1, 3, 16] {
        let (found, _, peak) = held(|| {
            on_threads(threads, || {
                let mut workspace = Workspace::new();
                let found = PageRank::default().power_each(&graph, &cues, 1e-2, &mut workspace).unwrap();
                let ranks: Vec<_> = (0..cues.len()).step_by(17).map(|cue| bits(found.of(cue))).collect();
                let heat = HeatKernel::new(2.0).sweep_each(&graph, &cues, 1e-2, &mut workspace).unwrap();
                (ranks, bits(heat.of(100)), workspace.bytes())
            })
        });
        let bytes = 64 * NODES * 9 + 128 * NODES * threads.min(9);
        assert!((bytes..bytes + 9 * 512).contains(&found.2), "{} for {bytes} on {threads}", found.2);
        let copied = 4 * NODES * (found.0.len() + 1);
        assert!(peak <= bytes + copied + threads * ROOM, "{peak} for {bytes} on {threads} threads");
        let found = (found.0, found.1);
        assert!(before.is_none_or(|before| before == found), "{threads} threads");
        before = Some(found);
    }
}

#[test]
fn a_workspace_lets_go_of_what_is_too_small_before_it_takes_more() {
    let _alone = alone();
    let graph = Graph::from_edges(NODES, edges()).unwrap();
    graph.prepare_sweeps().unwrap();
    let mut workspace = Workspace::new();
    let run = |groups: usize, workspace: &mut Workspace| {
        on_threads(1, || _ = PageRank::default().power_each(&graph, &cues(groups), 0.5, workspace).unwrap());
        workspace.bytes()
    };
    let small = run(2, &mut workspace);
    let (large, more, peak) = held(|| run(4, &mut workspace));
    assert!(more.abs_diff(large - small) < ROOM && peak <= large - small + ROOM, "{peak} for {}", large - small);
    let (again, _, peak) = held(|| run(3, &mut workspace));
    assert!(again == large && peak < ROOM, "{peak}");
}

#[test]
fn a_batch_that_is_swept_takes_workspaces_for_as_many_cues_as_there_are_threads() {
    let _alone = alone();
    let graph = Graph::from_edges(NODES, edges()).unwrap();
    graph.prepare_sweeps().unwrap();
    let cues = cues(2);
    let (found, results, peak) = held(|| on_threads(3, || PageRank::default().push_each(&graph, &cues, 1e-9).unwrap()));
    assert!(found.iter().filter(|near| near.swept).count() > 16);
    // For each at work: a workspace, what the push found, ranks, and scratch where that is lent.
    let each = (12 + 12 + 8 + 32) * NODES;
    assert!(peak <= results + 3 * each + 3 * ROOM, "{peak} beside {results}");
}
