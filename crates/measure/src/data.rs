//! The vectors, graphs and ages that everyone works on: the same at every run.

use std::collections::HashSet;

/// Xorshift64* (Vigna 2016): small, and the same everywhere.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// `seed` may be any number.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// In 0 to 1, without 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    /// Puts `items` in any order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

/// `count` elements in -1 to 1.
#[must_use]
pub fn elements(seed: u64, count: usize) -> Vec<f32> {
    let mut random = Random::new(seed);
    (0..count).map(|_| (random.unit() * 2.0 - 1.0) as f32).collect()
}

/// `count` of the rows below `rows`, in any order, some more than once.
#[must_use]
pub fn ids(seed: u64, count: usize, rows: usize) -> Vec<u32> {
    let mut random = Random::new(seed);
    (0..count).map(|_| random.below(rows) as u32).collect()
}

/// `count` ages in seconds, up to 90 days.
#[must_use]
pub fn ages(seed: u64, count: usize) -> Vec<f32> {
    let mut random = Random::new(seed);
    (0..count).map(|_| (random.unit() * 90.0 * 86_400.0) as f32).collect()
}

/// A graph in compressed rows: the edges of `u` are `offsets[u]..offsets[u + 1]`, by ascending target.
#[derive(Debug, Clone, PartialEq)]
pub struct Csr {
    /// `[nodes + 1]`.
    pub offsets: Vec<u32>,
    /// `[edges]`.
    pub targets: Vec<u32>,
    /// `[edges]`.
    pub weights: Vec<f32>,
}

impl Csr {
    /// From distinct edges in any order.
    #[must_use]
    pub fn from_edges(nodes: usize, mut edges: Vec<(u32, u32, f32)>) -> Self {
        edges.sort_unstable_by_key(|&(source, target, _)| (source, target));
        let mut offsets = vec![0u32; nodes + 1];
        for &(source, ..) in &edges {
            offsets[source as usize + 1] += 1;
        }
        for node in 0..nodes {
            offsets[node + 1] += offsets[node];
        }
        Self {
            offsets,
            targets: edges.iter().map(|edge| edge.1).collect(),
            weights: edges.iter().map(|edge| edge.2).collect(),
        }
    }

    /// Nodes.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Edges, as source, target and weight, by ascending source and target.
    pub fn edges(&self) -> impl Iterator<Item = (u32, u32, f32)> + '_ {
        (0..self.nodes() as u32).flat_map(|node| self.neighbours(node).map(move |(to, weight)| (node, to, weight)))
    }

    /// Targets and weights of the edges of `node`.
    pub fn neighbours(&self, node: u32) -> impl Iterator<Item = (u32, f32)> + '_ {
        let range = self.offsets[node as usize] as usize..self.offsets[node as usize + 1] as usize;
        self.targets[range.clone()].iter().copied().zip(self.weights[range].iter().copied())
    }
}

/// `pl1k`: 1,000 nodes, 10,000 edges whose ends follow a power law.
#[must_use]
pub fn pl1k() -> Csr {
    power_law(1000, 10_000)
}

/// `pl100k`: 100,000 nodes, 1,000,000 edges whose ends follow a power law.
#[must_use]
pub fn pl100k() -> Csr {
    power_law(100_000, 1_000_000)
}

/// Node `i` is drawn in proportion to `i^(-2/3)` at both ends, so the share of nodes with `d` edges falls as
/// `d^-2.5`.
fn power_law(nodes: usize, edges: usize) -> Csr {
    let mut random = Random::new(1);
    distinct(nodes, edges, |random| [(); 2].map(|()| (nodes as f64 * random.unit().powi(3)) as u32), &mut random)
}

/// `rmat20`: 2^20 nodes, 10,000,000 edges by R-MAT (Chakrabarti et al. 2004) with a, b, c = .57, .19, .19, ids
/// permuted.
#[must_use]
pub fn rmat20() -> Csr {
    let (scale, edges) = (20, 10_000_000);
    let mut random = Random::new(2);
    let mut ids: Vec<u32> = (0..1u32 << scale).collect();
    random.shuffle(&mut ids);
    let draw = |random: &mut Random| {
        let mut edge = [0u32; 2];
        for _ in 0..scale {
            let quadrant = random.unit();
            let [down, right] = [quadrant >= 0.76, (0.57..0.76).contains(&quadrant) || quadrant >= 0.95];
            edge = [edge[0] << 1 | u32::from(down), edge[1] << 1 | u32::from(right)];
        }
        edge.map(|node| ids[node as usize])
    };
    distinct(1 << scale, edges, draw, &mut random)
}

/// `count` distinct edges between different nodes, weights in 0.1 to 1.
fn distinct(nodes: usize, count: usize, draw: impl Fn(&mut Random) -> [u32; 2], random: &mut Random) -> Csr {
    let mut seen = HashSet::with_capacity(count);
    let mut edges = Vec::with_capacity(count);
    while edges.len() < count {
        let [source, target] = draw(random);
        if source != target && seen.insert(u64::from(source) << 32 | u64::from(target)) {
            edges.push((source, target, 0.1 + 0.9 * random.unit() as f32));
        }
    }
    Csr::from_edges(nodes, edges)
}

/// The three seeds of `spread3`: nodes a tenth, three tenths and six tenths into the graph.
#[must_use]
pub fn seeds(nodes: usize) -> [(u32, f32); 3] {
    [(0.1, 1.0), (0.3, 0.8), (0.6, 0.6)].map(|(share, activation)| ((share * nodes as f64) as u32, activation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_has_the_edges_it_promises_in_ascending_order_and_is_the_same_again() {
        let graph = pl1k();
        assert_eq!((graph.nodes(), graph.targets.len(), graph.weights.len()), (1000, 10_000, 10_000));
        let edges: Vec<_> = graph.edges().collect();
        assert!(edges.is_sorted_by(|a, b| (a.0, a.1) < (b.0, b.1)));
        assert!(edges.iter().all(|&(from, to, w)| from != to && to < 1000 && (0.1..=1.0).contains(&w)));
        assert_eq!(graph, pl1k());
    }

    #[test]
    fn a_power_law_has_hubs() {
        let graph = pl1k();
        let mut degrees: Vec<_> = graph.offsets.windows(2).map(|pair| pair[1] - pair[0]).collect();
        degrees.sort_unstable();
        assert!(degrees[999] > 10 * degrees[500], "{} against {}", degrees[999], degrees[500]);
    }
}
