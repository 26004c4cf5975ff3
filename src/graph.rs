use std::fmt;
use std::ops::Range;

use crate::{Error, GraphBuilder, ffi, incoming};

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
/// weights, and, if they were given, relations of a byte each. With the sum of each node's weights that is 8 bytes for
/// each node and each edge, and one more for an edge's relation; for sweeps it keeps edges by target too, another 8 for
/// each edge and 16 for each node ([`Graph::prepare_sweeps`]). [`Graph::bytes`] says what it comes to.
#[derive(Clone, PartialEq)]
pub struct Graph {
    pub(crate) offsets: Vec<u32>,
    pub(crate) targets: Vec<u32>,
    pub(crate) weights: Vec<f32>,
    pub(crate) relations: Option<Vec<u8>>,
    pub(crate) out_strengths: Vec<f32>,
    pub(crate) incoming: incoming::Lazy,
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut graph = f.debug_struct("Graph");
        graph.field("nodes", &self.node_count()).field("edges", &self.edge_count());
        graph.field("relations", &self.relations.is_some()).finish()
    }
}

impl Graph {
    /// A graph of `node_count` nodes (1 to 2^32 - 1) from edges in any order. Weights of repeated edges are summed, in
    /// f64; the graph does not depend on the order of the edges. [`Graph::builder`] does the same and more.
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
    /// weights do not sum to a finite f32; [`Error::OutOfMemory`].
    pub fn from_edges(node_count: usize, edges: impl IntoIterator<Item = Edge>) -> Result<Self, Error> {
        Self::builder(node_count).edges(edges)?.build()
    }

    /// Builds a graph of `node_count` nodes, with relations of edges or with a look at how far it has come.
    ///
    /// ```
    /// use ecphory::{Edge, Graph};
    ///
    /// let ring = (0..1000).map(|node| Edge::new(node, (node + 1) % 1000, 0.5));
    /// let mut shown = 0;
    /// let graph = Graph::builder(1000).edges(ring)?.on_progress(|now| shown = now.done * 100 / now.total).build()?;
    /// assert_eq!((graph.edge_count(), shown), (1000, 100));
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    pub fn builder<'p>(node_count: usize) -> GraphBuilder<'p> {
        GraphBuilder::new(node_count)
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.offsets.len() - 1
    }

    /// How many distinct edges there are.
    pub fn edge_count(&self) -> usize {
        self.targets.len()
    }

    pub(crate) fn row(&self, node: u32) -> Range<usize> {
        let node = node as usize;
        match self.offsets.get(node..node.saturating_add(2)) {
            Some(&[first, end]) => first as usize..end as usize,
            _ => 0..0,
        }
    }

    /// The edges out of `source`, by ascending target, then relation; none where there is no such node.
    pub fn edges_of(&self, source: u32) -> impl ExactSizeIterator<Item = Edge> + '_ {
        let range = self.row(source);
        let targets = self.targets[range.clone()].iter().zip(&self.weights[range]);
        targets.map(move |(&target, &weight)| Edge { source, target, weight })
    }

    /// The relation of each of [`Graph::edges_of`], or `None` where the graph was built without.
    pub fn relations_of(&self, source: u32) -> Option<&[u8]> {
        self.relations.as_deref().map(|relations| &relations[self.row(source)])
    }

    /// The sum of the weights of the edges out of `node`, or `None` where there is no such node.
    pub fn out_strength(&self, node: u32) -> Option<f32> {
        self.out_strengths.get(node as usize).copied()
    }

    /// The graph as ecphory.h has it. What it promises there is what construction established.
    pub(crate) fn raw(&self) -> ffi::ecp_graph {
        ffi::ecp_graph {
            offsets: self.offsets.as_ptr(),
            targets: self.targets.as_ptr(),
            weights: self.weights.as_ptr(),
            out_strengths: self.out_strengths.as_ptr(),
            relations: self.relations.as_ref().map_or(std::ptr::null(), |relations| relations.as_ptr()),
            node_count: self.node_count(),
        }
    }
}
