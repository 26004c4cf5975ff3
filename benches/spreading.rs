use std::collections::HashSet;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use ecphory::{Edge, Graph, Seed, Spread};

fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// In 0 to 1, without 1.
fn unit(state: &mut u64) -> f64 {
    (xorshift(state) >> 11) as f64 / (1u64 << 53) as f64
}

/// Distinct edges, the same at every run. Node `i` is drawn in proportion to `i^(-2/3)` at both ends, so the share of
/// nodes with `d` edges falls as `d^-2.5`.
fn power_law(nodes: usize, edges: usize) -> Graph {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    let mut seen = HashSet::new();
    let mut drawn = Vec::with_capacity(edges);
    while drawn.len() < edges {
        let [source, target] = [(); 2].map(|()| (nodes as f64 * unit(&mut state).powi(3)) as u32);
        if source != target && seen.insert((source, target)) {
            drawn.push(Edge::new(source, target, 0.1 + 0.9 * unit(&mut state) as f32));
        }
    }
    Graph::from_edges(nodes, drawn).unwrap()
}

fn spread(c: &mut Criterion) {
    for (name, nodes, edges) in
        [("1,000 nodes, 10,000 edges", 1000, 10_000), ("100,000 nodes, 1,000,000 edges", 100_000, 1_000_000)]
    {
        let graph = power_law(nodes, edges);
        let node = |share: f64| (share * nodes as f64) as u32;
        let seeds = [Seed::new(node(0.1), 1.0), Seed::new(node(0.3), 0.8), Seed::new(node(0.6), 0.6)];
        let mut group = c.benchmark_group(format!("spread 3 seeds, 3 hops, {name}"));
        // The default stops where hardly anything is felt; without a threshold nearly the whole graph is reached.
        for (name, options) in [("default", Spread::default()), ("no threshold", Spread::default().threshold(0.0))] {
            let reached = graph.spread(&seeds, &options).unwrap().len();
            group.bench_function(format!("{name} ({reached} reached)"), |b| {
                b.iter(|| graph.spread(black_box(&seeds), &options).unwrap());
            });
        }
    }
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group! { name = benches; config = quick(); targets = spread }
criterion_main!(benches);
