use ecphory::Seed;

/// What few of many nodes have.
#[derive(Default)]
pub(crate) struct Few {
    /// A bit for each node that has something: most are asked for in vain.
    bits: Vec<u64>,
    /// By ascending node.
    nodes: Vec<Seed>,
}

impl Few {
    /// Of `count` nodes, all distinct.
    pub fn new(count: usize, mut nodes: Vec<Seed>) -> Self {
        let mut bits = vec![0; count.div_ceil(64)];
        nodes.iter().for_each(|seed| bits[seed.node as usize / 64] |= 1 << (seed.node % 64));
        if !nodes.is_sorted_by_key(|seed| seed.node) {
            nodes.sort_unstable_by_key(|seed| seed.node);
        }
        Self { bits, nodes }
    }

    /// What a node has, or 0.
    pub fn of(&self, node: u32) -> f32 {
        if self.bits.get(node as usize / 64).is_none_or(|word| word >> (node % 64) & 1 == 0) {
            return 0.0;
        }
        let place = self.nodes.binary_search_by_key(&node, |seed| seed.node);
        place.map_or(0.0, |place| self.nodes[place].activation)
    }
}
