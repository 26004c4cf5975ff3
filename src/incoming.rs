//! Edges by target, for kernels that pull. They are laid out in an order of nodes of their own, in which those with the
//! most edges come first: what many rows read lies close together. Within so many nodes as are near each other, those
//! with the most edges in come first: rows of about one length follow each other, and hold their edges by columns.

use std::sync::OnceLock;

use rayon::prelude::*;

use crate::similarity::room;
use crate::{Error, Graph, ffi};

/// Nodes up to which they are put in order on the calling thread.
const SMALL: usize = 1 << 15;

/// Nodes among which those with the most edges in come first.
const WINDOW: usize = 256;

/// Rows that hold their edges by columns, as ecphory.h has it: where each has as many edges as the next or more, and
/// the first no more than `COLUMNS`.
pub(crate) const ROWS: usize = 8;
const COLUMNS: usize = 32;

/// The edges into each node, made when first asked for. They follow from the rest of the graph, so a graph that has
/// them equals one that has not.
#[derive(Clone, Default)]
pub(crate) struct Lazy(OnceLock<InEdges>);

impl PartialEq for Lazy {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[derive(Clone)]
struct InEdges {
    order: Vec<u32>,
    place: Vec<u32>,
    offsets: Vec<u32>,
    sources: Vec<u32>,
    shares: Vec<f32>,
    out_strengths: Vec<f32>,
}

/// The edges into node `order[v]` stand at `offsets[v]..offsets[v + 1]`, by ascending source, but where rows hold them
/// by columns ([`ROWS`]). All but `place` is in the order of nodes in here, and sources are places in it.
#[derive(Clone, Copy)]
pub(crate) struct Incoming<'a> {
    /// `[node_count]`: the caller's index of each node, by edges in and out, the most first, ties by lower index; then
    /// among each [`WINDOW`] by edges in.
    pub order: &'a [u32],
    /// `[node_count]`: where in `order` the caller's nodes are.
    pub place: &'a [u32],
    /// `[node_count + 1]`.
    pub offsets: &'a [u32],
    /// `[edge_count]`.
    pub sources: &'a [u32],
    /// `[edge_count]`: the weight of each edge, divided by the sum of its source's, both in f64, then rounded once: by
    /// 2^-24 of it, or by 2^-150 where f32 has no more digits. 0 where that sum is.
    pub shares: &'a [f32],
    /// `[node_count]`: the sum of the weights of the edges out of each node.
    pub out_strengths: &'a [f32],
}

impl Incoming<'_> {
    pub fn node_count(&self) -> usize {
        self.order.len()
    }

    /// As ecphory.h has it, in the order of nodes in here. What it promises there is what `InEdges::of` established.
    pub fn raw(&self) -> ffi::ecp_incoming {
        ffi::ecp_incoming {
            offsets: self.offsets.as_ptr(),
            sources: self.sources.as_ptr(),
            shares: self.shares.as_ptr(),
            node_count: self.node_count(),
        }
    }
}

impl Graph {
    /// Makes the edges by target that [`PageRank::power`](crate::PageRank::power), a [`HeatKernel`](crate::HeatKernel)
    /// and a push that becomes sweeps walk, so that the first of them does not: it would, at a time that grows with the
    /// graph and that no deadline ends. On the calling thread, but for putting many nodes in order. The graph keeps
    /// them, and so do clones: 8 bytes for each edge and 16 for each node, while it makes them 4 more for each node.
    /// Does nothing where they are made.
    ///
    /// ```
    /// use ecphory::{Edge, Graph};
    ///
    /// let graph = Graph::from_edges(3, [Edge::new(0, 1, 0.5), Edge::new(2, 1, 1.0)])?;
    /// let before = graph.bytes();
    /// graph.prepare_sweeps()?;
    /// assert_eq!(graph.bytes() - before, 8 * 2 + 16 * 3 + 4);
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn prepare_sweeps(&self) -> Result<(), Error> {
        self.incoming().map(drop)
    }

    /// Bytes of memory that it holds; those of edges by target too, once [`Graph::prepare_sweeps`] or a first sweep has
    /// made them.
    pub fn bytes(&self) -> usize {
        let own = self.offsets.capacity() + self.targets.capacity() + self.weights.capacity();
        let relations = self.relations.as_ref().map_or(0, Vec::capacity);
        let by_target = self.incoming.0.get().map_or(0, InEdges::numbers);
        4 * (own + self.out_strengths.capacity() + by_target) + relations
    }

    /// The edges into each node. The first call makes them; calls that meet there make them each for itself and one is
    /// kept, for a thread of the pool that waited for another could hold up the task that it waits for.
    pub(crate) fn incoming(&self) -> Result<Incoming<'_>, Error> {
        let Lazy(made) = &self.incoming;
        let InEdges { order, place, offsets, sources, shares, out_strengths } = match made.get() {
            Some(edges) => edges,
            None => {
                let edges = InEdges::of(self)?;
                made.get_or_init(|| edges)
            }
        };
        Ok(Incoming { order, place, offsets, sources, shares, out_strengths })
    }
}

impl InEdges {
    /// How many it has, of four bytes each.
    fn numbers(&self) -> usize {
        let nodes = self.order.capacity() + self.place.capacity() + self.offsets.capacity();
        nodes + self.out_strengths.capacity() + self.sources.capacity() + self.shares.capacity()
    }

    fn of(graph: &Graph) -> Result<Self, Error> {
        let (nodes, edges) = (graph.node_count(), graph.edge_count());
        let mut degrees = room(0u32, nodes)?;
        for &target in &graph.targets {
            degrees[target as usize] += 1;
        }
        let order = by_degree(graph, &degrees)?;
        let mut place = room(0u32, nodes)?;
        let mut offsets = room(0u32, nodes + 1)?;
        let mut out_strengths = room(0f32, nodes)?;
        // Where each row ends; then, edge by edge from the last on, where it begins.
        let mut end = 0;
        for (index, &node) in order.iter().enumerate() {
            let node = node as usize;
            end += degrees[node];
            (place[node], offsets[index], out_strengths[index]) = (index as u32, end, graph.out_strengths[node]);
        }
        offsets[nodes] = end;
        drop(degrees);
        let mut sources = room(0u32, edges)?;
        let mut shares = room(0f32, edges)?;
        for (source, &node) in order.iter().enumerate().rev() {
            let row = graph.row(node);
            let weights = &graph.weights[row.clone()];
            let sum: f64 = weights.iter().copied().map(f64::from).sum();
            for (&target, &weight) in graph.targets[row].iter().zip(weights).rev() {
                let free = &mut offsets[place[target as usize] as usize];
                *free -= 1;
                sources[*free as usize] = source as u32;
                shares[*free as usize] = if sum == 0.0 { 0.0 } else { (f64::from(weight) / sum) as f32 };
            }
        }
        for first in (0..nodes.saturating_sub(ROWS - 1)).step_by(ROWS) {
            by_columns(&offsets[first..=first + ROWS], &mut sources, &mut shares);
        }
        Ok(Self { order, place, offsets, sources, shares, out_strengths })
    }
}

/// Puts the edges of `ROWS` rows that may stand by columns so.
fn by_columns(offsets: &[u32], sources: &mut [u32], shares: &mut [f32]) {
    let mut lengths = [0; ROWS];
    for (length, ends) in lengths.iter_mut().zip(offsets.windows(2)) {
        *length = (ends[1] - ends[0]) as usize;
    }
    if lengths[0] > COLUMNS || !lengths.is_sorted_by(|one, next| one >= next) {
        return;
    }
    let edges = offsets[0] as usize..offsets[ROWS] as usize;
    let mut rows = [(0, 0.0); ROWS * COLUMNS];
    for (edge, (&source, &share)) in rows.iter_mut().zip(sources[edges.clone()].iter().zip(&shares[edges.clone()])) {
        *edge = (source, share);
    }
    let place = |column: usize, row: usize| rows[(offsets[row] - offsets[0]) as usize + column];
    let cells = (0..COLUMNS).flat_map(|column| (0..ROWS).map(move |row| (column, row)));
    let taken = cells.filter(|&(column, row)| column < lengths[row]).map(|(column, row)| place(column, row));
    for ((source, share), edge) in sources[edges.clone()].iter_mut().zip(&mut shares[edges]).zip(taken) {
        (*source, *share) = edge;
    }
}

/// Nodes by edges in and out, the most first, ties by lower index; then in each window by edges in.
fn by_degree(graph: &Graph, incoming: &[u32]) -> Result<Vec<u32>, Error> {
    let mut keys = room(0u64, incoming.len())?;
    for (node, (key, &degree)) in keys.iter_mut().zip(incoming).enumerate() {
        let degree = degree.saturating_add(graph.offsets[node + 1] - graph.offsets[node]);
        *key = u64::from(u32::MAX - degree) << 32 | node as u64;
    }
    if keys.len() > SMALL {
        keys.par_sort_unstable()
    } else {
        keys.sort_unstable()
    }
    let mut order = room(0u32, keys.len())?;
    order.iter_mut().zip(&keys).for_each(|(node, &key)| *node = key as u32);
    let by_edges_in = |window: &mut [u32]| window.sort_by_key(|&node| std::cmp::Reverse(incoming[node as usize]));
    order.chunks_mut(WINDOW).for_each(by_edges_in);
    Ok(order)
}

#[cfg(test)]
mod tests {
    use crate::{Edge, Graph};

    /// Where edge `i` of row `row` stands.
    fn edge_of(offsets: &[u32], row: usize, i: usize) -> usize {
        let length = |row: usize| (offsets[row + 1] - offsets[row]) as usize;
        let first = row / 8 * 8;
        let rows: Vec<_> = (first..(first + 8).min(offsets.len() - 1)).map(length).collect();
        if rows.len() < 8 || rows[0] > 32 || rows.windows(2).any(|pair| pair[0] < pair[1]) {
            return offsets[row] as usize + i;
        }
        let before: usize = (0..i).map(|column| rows.iter().filter(|&&length| length > column).count()).sum();
        offsets[first] as usize + before + row - first
    }

    /// Target, source and share of each, as the caller counts nodes, row by row.
    fn triples(graph: &Graph) -> Vec<(u32, u32, f32)> {
        let incoming = graph.incoming().unwrap();
        let mut triples = Vec::new();
        for (row, &target) in incoming.order.iter().enumerate() {
            for i in 0..(incoming.offsets[row + 1] - incoming.offsets[row]) as usize {
                let edge = edge_of(incoming.offsets, row, i);
                triples.push((target, incoming.order[incoming.sources[edge] as usize], incoming.shares[edge]));
            }
        }
        triples
    }

    #[test]
    fn incoming_edges_are_those_by_target_then_source_nodes_with_the_most_first_and_short_rows_by_columns() {
        let mut state = 1u32;
        let mut draw = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        for (nodes, edges) in [(1, 0), (1, 3), (7, 4), (50, 400), (40_000, 90_000)] {
            let mut edge = || (Edge::new(draw(nodes), draw(nodes).min(draw(nodes)), draw(9) as f32), draw(2) as u8);
            let drawn: Vec<_> = (0..edges).map(|_| edge()).collect();
            let graph = Graph::builder(nodes as usize).related(drawn).unwrap().build().unwrap();
            let all: Vec<_> = (0..nodes).flat_map(|node| graph.edges_of(node).collect::<Vec<_>>()).collect();
            let mut degrees = vec![0; nodes as usize];
            all.iter().flat_map(|edge| [edge.source, edge.target]).for_each(|node| degrees[node as usize] += 1);
            let mut order: Vec<_> = (0..nodes).collect();
            order.sort_by_key(|&node| std::cmp::Reverse(degrees[node as usize]));
            let mut edges_in = vec![0; nodes as usize];
            all.iter().for_each(|edge| edges_in[edge.target as usize] += 1);
            for near in order.chunks_mut(256) {
                near.sort_by_key(|&node| std::cmp::Reverse(edges_in[node as usize]));
            }
            let incoming = graph.incoming().unwrap();
            assert!(incoming.order == order, "{nodes} nodes");
            assert!((0..nodes).all(|node| order[incoming.place[node as usize] as usize] == node), "{nodes} nodes");
            let strengths = order.iter().map(|&node| graph.out_strength(node).unwrap());
            assert!(incoming.out_strengths.iter().copied().eq(strengths), "{nodes} nodes");
            // Stable: edges of several relations stay in their order.
            let place = |node: u32| incoming.place[node as usize];
            let mut sums = vec![0.0; nodes as usize];
            all.iter().for_each(|edge| sums[edge.source as usize] += f64::from(edge.weight));
            let share = |edge: &Edge| {
                if edge.weight == 0.0 { 0.0 } else { f64::from(edge.weight) / sums[edge.source as usize] }
            };
            let mut expected: Vec<_> = all.iter().map(|edge| (edge.target, edge.source, share(edge) as f32)).collect();
            expected.sort_by_key(|&(target, source, _)| (place(target), place(source)));
            assert!(triples(&graph) == expected, "{nodes} nodes");
            assert_eq!(incoming.offsets.len(), nodes as usize + 1);
        }
    }

    #[test]
    fn a_graph_that_was_asked_for_incoming_edges_equals_one_that_was_not_and_keeps_them_in_clones() {
        let graph = || Graph::from_edges(3, [Edge::new(0, 1, 0.5), Edge::new(2, 1, 1.0)]).unwrap();
        let asked = graph();
        assert_eq!(triples(&asked), [(1, 0, 1.0), (1, 2, 1.0)]);
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
