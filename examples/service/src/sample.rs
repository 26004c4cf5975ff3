use ecphory::{Edge, Error, Graph};

use crate::Memory;

/// What is remembered, and its embedding: food, places, people, work. A model's would have hundreds of numbers.
const MEMORIES: [(&str, [f32; 4]); 5] = [
    ("the custard tarts were best warm", [0.9, 0.1, 0.0, 0.0]),
    ("the bakery is behind the old tram depot", [0.4, 0.8, 0.0, 0.0]),
    ("Ana knows the baker", [0.2, 0.0, 0.9, 0.0]),
    ("Ana is moving to Porto in May", [0.0, 0.6, 0.8, 0.0]),
    ("the release is on Monday", [0.0, 0.0, 0.1, 0.9]),
];

const LINKS: [(u32, u32, f32); 4] = [(0, 1, 0.9), (1, 2, 0.6), (2, 3, 0.8), (3, 4, 0.2)];

pub fn memory() -> Result<Memory, Error> {
    let both_ways = |(a, b, weight)| [Edge::new(a, b, weight), Edge::new(b, a, weight)];
    Ok(Memory {
        texts: MEMORIES.iter().map(|(text, _)| text.to_string()).collect(),
        vectors: MEMORIES.iter().flat_map(|(_, vector)| *vector).collect(),
        dim: 4,
        graph: Graph::from_edges(MEMORIES.len(), LINKS.into_iter().flat_map(both_ways))?,
    })
}
