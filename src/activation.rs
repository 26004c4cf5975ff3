use std::fmt;

use crate::brief::Few;
use crate::similarity::{fit, spare};
use crate::{Error, Seed, Stopped};

/// Every node reached, in the order in which it was reached (seeds first), and its activation.
#[derive(Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Activation {
    /// Indices of the nodes.
    pub nodes: Vec<u32>,
    /// The activation of each.
    pub activations: Vec<f32>,
    /// Edges that were walked.
    pub edges: u64,
    /// What ended the spread before its hops did; none where they, or the nodes to fire, came to their end.
    pub stopped: Option<Stopped>,
}

impl fmt::Debug for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = f.debug_struct("Activation");
        all.field("nodes", &Few(&self.nodes)).field("activations", &Few(&self.activations));
        all.field("edges", &self.edges).field("stopped", &self.stopped).finish()
    }
}

impl Activation {
    /// How many nodes were reached.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether none was: there were no seeds.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Nodes with their activation.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Seed> + Clone + '_ {
        seeds(&self.nodes, &self.activations)
    }

    /// The `k` most active nodes, most active first, ties by lower node; NaN, if you put one there, comes last.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] where the system has no 8 bytes for each node reached.
    pub fn top_k(&self, k: usize) -> Result<Vec<Seed>, Error> {
        top_k(self.iter(), k)
    }
}

/// Nodes with what each has.
pub(crate) fn seeds<'a>(nodes: &'a [u32], values: &'a [f32]) -> impl ExactSizeIterator<Item = Seed> + Clone + 'a {
    nodes.iter().zip(values).map(|(&node, &activation)| Seed { node, activation })
}

/// The `k` of `all` with the most, by value, ties by lower node, NaN last.
pub(crate) fn top_k(all: impl Iterator<Item = Seed> + Clone, k: usize) -> Result<Vec<Seed>, Error> {
    let key = |seed: &Seed| if seed.activation.is_nan() { f32::NEG_INFINITY } else { seed.activation };
    let order = |a: &Seed, b: &Seed| key(b).total_cmp(&key(a)).then(a.node.cmp(&b.node));
    let mut best = spare(all.clone().count())?;
    best.extend(all);
    if k < best.len() {
        best.select_nth_unstable_by(k, order);
        best.truncate(k);
    }
    best.sort_unstable_by(order);
    fit(&mut best);
    Ok(best)
}
