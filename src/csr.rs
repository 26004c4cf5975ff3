//! Graphs whose rows are there already.

use crate::similarity::room;
use crate::{Error, Graph};

impl Graph {
    /// A graph in CSR form as it is, checked once: the edges out of node `v` are those from `offsets[v]` to
    /// `offsets[v + 1]`, by ascending target, or, where there are relations, target and then relation, none of them
    /// twice. Takes the arrays for its own, and 4 bytes more for each node.
    ///
    /// ```
    /// use ecphory::{Edge, Graph};
    ///
    /// let graph = Graph::from_csr(vec![0, 2, 2, 3], vec![1, 2, 0], vec![0.5, 0.25, 1.0], None)?;
    /// let edges = [Edge::new(0, 1, 0.5), Edge::new(0, 2, 0.25), Edge::new(2, 0, 1.0)];
    /// assert_eq!(graph, Graph::from_edges(3, edges)?);
    /// assert_eq!((graph.offsets(), graph.targets()), (&[0, 2, 2, 3][..], &[1, 2, 0][..]));
    /// assert_eq!((graph.weights(), graph.relations()), (&[0.5, 0.25, 1.0][..], None));
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Range`] for offsets that are not of 1 to 2^32 - 1 nodes, which have one more, or do not begin with 0;
    /// [`Error::Order`] for one that is less than the one before it; [`Error::Length`] where targets are not as many as
    /// the last one says, or weights or relations not as many as targets; [`Error::Index`] for a target that is not a
    /// node; [`Error::Order`] for a target or relation that does not ascend; [`Error::Value`] for a weight that is
    /// negative or not finite, and for a node whose weights do not sum to a finite f32; each by its position;
    /// [`Error::OutOfMemory`].
    pub fn from_csr(
        offsets: Vec<u32>,
        targets: Vec<u32>,
        weights: Vec<f32>,
        relations: Option<Vec<u8>>,
    ) -> Result<Self, Error> {
        let nodes = offsets.len().saturating_sub(1);
        Error::check_range("node count", 1, u32::MAX as usize, nodes)?;
        Error::check_range("first offset", 0, 0, offsets[0] as usize)?;
        if let Some(node) = (0..nodes).find(|&node| offsets[node + 1] < offsets[node]) {
            let (least, found) = (offsets[node], offsets[node + 1]);
            return Err(Error::Order { what: "offset", position: node + 1, least: least.into(), found: found.into() });
        }
        Error::check_length("edges, by the last offset", targets.len(), offsets[nodes] as usize)?;
        Error::check_length("edge weights", targets.len(), weights.len())?;
        if let Some(relations) = &relations {
            Error::check_length("edge relations", targets.len(), relations.len())?;
        }
        let mut out_strengths = room(0.0, nodes)?;
        let kind = |edge: usize| relations.as_ref().map_or(0, |relations| u64::from(relations[edge]));
        // What must ascend: the target, then the relation.
        let place = |edge: usize| (targets[edge], kind(edge));
        for (node, sum) in out_strengths.iter_mut().enumerate() {
            let mut strength = 0.0;
            let row = offsets[node] as usize..offsets[node + 1] as usize;
            for edge in row.clone() {
                if targets[edge] as usize >= nodes {
                    let found = targets[edge] as usize;
                    return Err(Error::Index { what: "edge target", position: edge, len: nodes, found });
                }
                if edge > row.start && place(edge) <= place(edge - 1) {
                    return Err(unordered(edge, relations.is_some(), place(edge - 1), place(edge)));
                }
                Error::check_magnitude("edge weight", Some(edge), weights[edge])?;
                strength += f64::from(weights[edge]);
            }
            *sum = strength as f32;
            Error::check_magnitude("out-strength of the node", Some(node), *sum)?;
        }
        Ok(Self { offsets, targets, weights, relations, out_strengths, incoming: Default::default() })
    }

    /// Where the edges of each node begin, and the end: one more than there are nodes. As [`Graph::from_csr`] takes
    /// them, as are the other three.
    pub fn offsets(&self) -> &[u32] {
        &self.offsets
    }

    /// Where each edge goes to.
    pub fn targets(&self) -> &[u32] {
        &self.targets
    }

    /// The weight of each edge.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// The relation of each edge, or `None` where the graph was built without.
    pub fn relations(&self) -> Option<&[u8]> {
        self.relations.as_deref()
    }
}

/// What is wrong with an edge's target and relation after those of the edge before it.
fn unordered(position: usize, typed: bool, before: (u32, u64), found: (u32, u64)) -> Error {
    if typed && found.0 == before.0 {
        return Error::Order { what: "relation", position, least: before.1 + 1, found: found.1 };
    }
    let least = u64::from(before.0) + u64::from(!typed);
    Error::Order { what: "edge target", position, least, found: found.0.into() }
}
