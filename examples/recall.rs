//! One recall, end to end: the cue finds what resembles it, activation spreads from there, and age wears it down.

use ecphory::{Ages, Decay, Edge, Error, Graph, Metric, Rows, Search, Spread};

const DAY: f32 = 86_400.0;

/// What is remembered, its embedding (food, places, people; a model's would have hundreds of numbers), days unused.
const MEMORIES: [(&str, [f32; 3], f32); 5] = [
    ("the custard tarts were best warm", [0.9, 0.1, 0.0], 2.0),
    ("the bakery is behind the old tram depot", [0.4, 0.8, 0.0], 40.0),
    ("Ana knows the baker", [0.2, 0.0, 0.9], 5.0),
    ("Ana is moving to Porto in May", [0.0, 0.6, 0.8], 1.0),
    ("the library closes early on Fridays", [0.0, 0.8, 0.0], 3.0),
];

fn main() -> Result<(), Error> {
    let vectors = MEMORIES.map(|(_, vector, _)| vector);
    let both_ways = |(a, b, weight)| [Edge::new(a, b, weight), Edge::new(b, a, weight)];
    let graph = Graph::from_edges(5, [(0, 1, 0.9), (1, 2, 0.6), (2, 3, 0.8)].into_iter().flat_map(both_ways))?;

    let cue = [1.0, 0.0, 0.0];
    let nearest = Search::new(Metric::Cosine).top_k(&cue, &Rows::new(vectors.as_flattened(), 3)?, 1)?;
    let mut woken = graph.spread(&nearest.seeds()?, &Spread::default().hops(3))?;
    let fresh = woken.activations.clone();

    let ages: Vec<_> = woken.nodes.iter().map(|&node| MEMORIES[node as usize].2 * DAY).collect();
    Decay::half_life_seconds(30.0 * DAY)?.apply(&mut woken.activations, Ages::Seconds(&ages))?;

    println!("woken  aged   memory");
    for ((node, fresh), aged) in woken.nodes.iter().zip(&fresh).zip(&woken.activations) {
        println!("{fresh:.3}  {aged:.3}  {}", MEMORIES[*node as usize].0);
    }
    Ok(())
}
