//! `spread3` the way projects do it on petgraph: activations in a map, and a queue of nodes that were reached.

use std::collections::{HashMap, HashSet, VecDeque};

use ecphory_measure::cases::spreading::{HOPS, Known, THRESHOLD, TRANSMISSION};
use ecphory_measure::data::Csr;
use ecphory_measure::{Case, Clock, Contender};
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

/// The graph as petgraph has it.
pub fn digraph(csr: &Csr) -> DiGraph<(), f32> {
    let mut graph = DiGraph::with_capacity(csr.nodes(), csr.targets.len());
    (0..csr.nodes()).for_each(|_| _ = graph.add_node(()));
    graph.extend_with_edges(csr.edges());
    graph
}

/// Adds `petgraph`.
pub fn join(case: &mut Case<'static>, known: &Known) {
    case.try_add("petgraph", Some("HashMap, HashSet and VecDeque".into()), || {
        let (graph, seeds) = (digraph(&known.csr), known.seeds);
        let work = move || spread(&graph, &seeds);
        let mut dense = vec![0.0; known.csr.nodes()];
        work().into_iter().for_each(|(node, activation)| dense[node.index()] = activation);
        known.check("petgraph", &dense)?;
        Ok(Contender::new("petgraph", Clock::Thread, move || _ = std::hint::black_box(work())))
    });
}

fn spread(graph: &DiGraph<(), f32>, seeds: &[(u32, f32)]) -> HashMap<NodeIndex, f32> {
    let mut activations = HashMap::new();
    let mut fired = HashSet::new();
    let mut frontier = VecDeque::new();
    for &(node, activation) in seeds {
        *activations.entry(NodeIndex::from(node)).or_insert(0.0) += activation;
        frontier.push_back(NodeIndex::from(node));
    }
    for _ in 0..HOPS {
        // All of a hop fire with what they had before it.
        let mut firing = Vec::new();
        while let Some(node) = frontier.pop_front() {
            let activation = activations[&node];
            if activation >= THRESHOLD && fired.insert(node) {
                firing.push((node, activation));
            }
        }
        for (node, activation) in firing {
            for edge in graph.edges(node) {
                *activations.entry(edge.target()).or_insert(0.0) += TRANSMISSION * activation * edge.weight();
                if !fired.contains(&edge.target()) {
                    frontier.push_back(edge.target());
                }
            }
        }
    }
    activations
}
