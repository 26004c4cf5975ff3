use std::sync::OnceLock;

use crate::{Error, ffi};

/// A directed, weighted edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Edge {
    /// Where activation comes from.
    pub source: u32,
    /// Where it goes to.
    pub target: u32,
    /// How strongly; finite, 0 or more.
    pub weight: f32,
}

impl Edge {
    /// An edge from `source` to `target`.
    pub fn new(source: u32, target: u32, weight: f32) -> Self {
        Self { source, target, weight }
    }
}

/// A graph in CSR form, checked once: out-edges of each node by ascending target, `u32` offsets and targets, `f32`
/// weights.
#[derive(Debug, Clone)]
pub struct Graph {
    offsets: Vec<u32>,
    targets: Vec<u32>,
    weights: Vec<f32>,
    out_strengths: Vec<f32>,
    incoming: OnceLock<Incoming>,
}

impl PartialEq for Graph {
    fn eq(&self, other: &Self) -> bool {
        (&self.offsets, &self.targets, &self.weights) == (&other.offsets, &other.targets, &other.weights)
    }
}

/// Edges by the node they lead to, by ascending source.
#[derive(Debug, Clone)]
pub(crate) struct Incoming {
    offsets: Vec<u32>,
    sources: Vec<u32>,
    weights: Vec<f32>,
}

impl Incoming {
    fn of(graph: &Graph) -> Self {
        let mut offsets = vec![0; graph.node_count() + 1];
        graph.targets.iter().for_each(|&target| offsets[target as usize + 1] += 1);
        (0..graph.node_count()).for_each(|node| offsets[node + 1] += offsets[node]);
        let (mut next, edges) = (offsets.clone(), graph.edge_count());
        let (mut sources, mut weights) = (vec![0; edges], vec![0.0; edges]);
        for source in 0..graph.node_count() as u32 {
            for edge in graph.edges_of(source) {
                let at = next[edge.target as usize] as usize;
                (sources[at], weights[at]) = (source, edge.weight);
                next[edge.target as usize] += 1;
            }
        }
        Self { offsets, sources, weights }
    }

    /// As ecphory.h has it; what it promises there is what `of` established.
    pub fn raw(&self) -> ffi::ecp_incoming {
        ffi::ecp_incoming {
            offsets: self.offsets.as_ptr(),
            sources: self.sources.as_ptr(),
            weights: self.weights.as_ptr(),
            node_count: self.offsets.len() - 1,
        }
    }
}

impl Graph {
    /// A graph of `node_count` nodes (1 to 2^32 - 1) from edges in any order. Weights of repeated edges are summed, in
    /// f64; the graph does not depend on the order of the edges.
    ///
    /// ```
    /// use ecphory::{Edge, Graph};
    ///
    /// let graph = Graph::from_edges(3, [Edge::new(2, 0, 1.0), Edge::new(0, 1, 0.5), Edge::new(2, 0, 0.25)])?;
    /// assert_eq!(graph.edge_count(), 2);
    /// assert_eq!(graph.edges_of(2).collect::<Vec<_>>(), [Edge::new(2, 0, 1.25)]);
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Range`] for `node_count`, or more than 2^32 - 1 distinct edges; [`Error::Index`] for a source or
    /// target that is not a node; [`Error::Value`] for a weight that is negative or not finite, and for a node whose
    /// weights do not sum to a finite f32.
    pub fn from_edges(node_count: usize, edges: impl IntoIterator<Item = Edge>) -> Result<Self, Error> {
        Error::check_range("node count", 1, u32::MAX as usize, node_count)?;
        let mut edges: Vec<_> = edges.into_iter().collect();
        for (position, edge) in edges.iter().enumerate() {
            for (what, node) in [("edge source", edge.source), ("edge target", edge.target)] {
                if node as usize >= node_count {
                    return Err(Error::Index { what, position, len: node_count, found: node as usize });
                }
            }
            Error::check_magnitude("edge weight", Some(position), edge.weight)?;
        }
        edges.sort_unstable_by_key(|edge| (edge.source, edge.target, edge.weight.to_bits()));
        Self::from_sorted(node_count, &edges)
    }

    fn from_sorted(node_count: usize, edges: &[Edge]) -> Result<Self, Error> {
        let same = |a: &Edge, b: &Edge| a.source == b.source && a.target == b.target;
        let mut graph = Self {
            offsets: Vec::with_capacity(node_count + 1),
            targets: Vec::with_capacity(edges.len()),
            weights: Vec::with_capacity(edges.len()),
            out_strengths: vec![0.0; node_count],
            incoming: OnceLock::new(),
        };
        graph.offsets.push(0);
        let mut strength = 0.0;
        for repeated in edges.chunk_by(same) {
            let Edge { source, target, .. } = repeated[0];
            if graph.offsets.len() <= source as usize {
                graph.offsets.resize(source as usize + 1, graph.targets.len() as u32);
                strength = 0.0;
            }
            let weight = repeated.iter().map(|edge| f64::from(edge.weight)).sum::<f64>() as f32;
            strength += f64::from(weight);
            graph.targets.push(target);
            graph.weights.push(weight);
            graph.out_strengths[source as usize] = strength as f32;
        }
        Error::check_range("distinct edges", 0, u32::MAX as usize, graph.targets.len())?;
        graph.offsets.resize(node_count + 1, graph.targets.len() as u32);
        for (node, &sum) in graph.out_strengths.iter().enumerate() {
            Error::check_magnitude("out-strength of the node", Some(node), sum)?;
        }
        Ok(graph)
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.offsets.len() - 1
    }

    /// How many distinct edges there are.
    pub fn edge_count(&self) -> usize {
        self.targets.len()
    }

    /// The edges out of `source`, by ascending target; none where there is no such node.
    pub fn edges_of(&self, source: u32) -> impl ExactSizeIterator<Item = Edge> + '_ {
        let node = source as usize;
        let range = match self.offsets.get(node..node.saturating_add(2)) {
            Some(&[first, end]) => first as usize..end as usize,
            _ => 0..0,
        };
        let targets = self.targets[range.clone()].iter().zip(&self.weights[range]);
        targets.map(move |(&target, &weight)| Edge { source, target, weight })
    }

    /// The sum of the weights of the edges out of `node`, or `None` where there is no such node.
    pub fn out_strength(&self, node: u32) -> Option<f32> {
        self.out_strengths.get(node as usize).copied()
    }

    /// Built when first asked for.
    pub(crate) fn incoming(&self) -> &Incoming {
        self.incoming.get_or_init(|| Incoming::of(self))
    }

    pub(crate) fn out_strengths(&self) -> &[f32] {
        &self.out_strengths
    }

    /// The graph as ecphory.h has it. What it promises there is what construction established.
    pub(crate) fn raw(&self) -> ffi::ecp_graph {
        ffi::ecp_graph {
            offsets: self.offsets.as_ptr(),
            targets: self.targets.as_ptr(),
            weights: self.weights.as_ptr(),
            out_strengths: self.out_strengths.as_ptr(),
            relations: std::ptr::null(),
            node_count: self.node_count(),
        }
    }
}
