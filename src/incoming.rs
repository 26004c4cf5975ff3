use std::sync::OnceLock;

use crate::similarity::room;
use crate::{Error, Graph};

/// The edges into each node by ascending source, made when first asked for. It follows from the rest of the graph, so
/// a graph that has it equals one that has not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lazy(OnceLock<InEdges>);

impl PartialEq for Lazy {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[derive(Debug, Clone)]
struct InEdges {
    offsets: Vec<u32>,
    sources: Vec<u32>,
    weights: Vec<f32>,
}

/// The edges into node `v` stand at `offsets[v]..offsets[v + 1]`, by ascending source, weights as given.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(test), expect(dead_code, reason = "kernels that pull are to come"))]
pub(crate) struct Incoming<'a> {
    /// `[node_count + 1]`.
    pub offsets: &'a [u32],
    /// `[edge_count]`.
    pub sources: &'a [u32],
    /// `[edge_count]`.
    pub weights: &'a [f32],
}

impl Graph {
    /// The edges into each node. The first call makes them; calls that meet there make them each for itself and one is
    /// kept, for a thread of the pool that waited for another could hold up the task that it waits for.
    #[cfg_attr(not(test), expect(dead_code, reason = "kernels that pull are to come"))]
    pub(crate) fn incoming(&self) -> Result<Incoming<'_>, Error> {
        let Lazy(made) = &self.incoming;
        let InEdges { offsets, sources, weights } = match made.get() {
            Some(edges) => edges,
            None => {
                let edges = InEdges::of(self)?;
                made.get_or_init(|| edges)
            }
        };
        Ok(Incoming { offsets, sources, weights })
    }
}

impl InEdges {
    fn of(graph: &Graph) -> Result<Self, Error> {
        let (nodes, edges) = (graph.node_count(), graph.edge_count());
        let mut offsets = room(0u32, nodes + 1)?;
        let mut sources = room(0u32, edges)?;
        let mut weights = room(0f32, edges)?;
        for &target in &graph.targets {
            offsets[target as usize] += 1;
        }
        // Each becomes where its row ends, then, edge by edge from the last on, where it begins.
        let mut end = 0;
        for offset in &mut offsets {
            end += *offset;
            *offset = end;
        }
        for source in (0..nodes).rev() {
            for edge in (graph.offsets[source] as usize..graph.offsets[source + 1] as usize).rev() {
                let place = &mut offsets[graph.targets[edge] as usize];
                *place -= 1;
                sources[*place as usize] = source as u32;
                weights[*place as usize] = graph.weights[edge];
            }
        }
        Ok(Self { offsets, sources, weights })
    }
}

#[cfg(test)]
mod tests {
    use crate::{Edge, Graph};

    fn triples(graph: &Graph) -> Vec<(u32, u32, f32)> {
        let incoming = graph.incoming().unwrap();
        let rows = incoming.offsets.windows(2).enumerate();
        let edges = rows.flat_map(|(target, row)| (row[0] as usize..row[1] as usize).map(move |edge| (target, edge)));
        edges.map(|(target, edge)| (target as u32, incoming.sources[edge], incoming.weights[edge])).collect()
    }

    #[test]
    fn incoming_edges_are_the_edges_by_target_then_source() {
        let mut state = 1u32;
        let mut draw = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        for (nodes, edges) in [(1, 0), (1, 3), (7, 4), (50, 400)] {
            let drawn: Vec<_> = (0..edges).map(|_| Edge::new(draw(nodes), draw(nodes), draw(9) as f32)).collect();
            let graph = Graph::from_edges(nodes as usize, drawn).unwrap();
            let edges = (0..nodes).flat_map(|node| graph.edges_of(node).collect::<Vec<_>>());
            let mut expected: Vec<_> = edges.map(|edge| (edge.target, edge.source, edge.weight)).collect();
            expected.sort_by_key(|&(target, source, _)| (target, source));
            assert_eq!(triples(&graph), expected);
            assert_eq!(graph.incoming().unwrap().offsets.len(), nodes as usize + 1);
        }
    }

    #[test]
    fn a_graph_that_was_asked_for_incoming_edges_equals_one_that_was_not_and_keeps_them_in_clones() {
        let graph = || Graph::from_edges(3, [Edge::new(0, 1, 0.5), Edge::new(2, 1, 1.0)]).unwrap();
        let asked = graph();
        assert_eq!(triples(&asked), [(1, 0, 0.5), (1, 2, 1.0)]);
        assert_eq!(asked, graph());
        assert_eq!(triples(&asked.clone()), triples(&graph()));
    }

    #[test]
    fn threads_that_ask_at_once_see_the_same_incoming_edges() {
        let graph = Graph::from_edges(1000, (0..1000).map(|node| Edge::new(node, node / 2, 1.0))).unwrap();
        let seen = std::thread::scope(|scope| {
            let asking: Vec<_> =
                (0..4).map(|_| scope.spawn(|| graph.incoming().unwrap().sources.as_ptr() as usize)).collect();
            asking.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
    }
}
