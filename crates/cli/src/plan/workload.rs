use clap::Args;
use ecphory::{Ages, Decay, Edge, Error, Graph, Kernel, Metric, OverflowPolicy, Packing, Rows, Search, Seed, Spread};
use ecphory::{ArenaConfig, planner};
use ecphory_measure::Bar;
use ecphory_measure::data::{self, Random};
use serde::Serialize;

use super::calls::Calls;
use super::within;
use crate::failure::Failure;

/// Kinds of calls in a workload.
pub const CALLS: usize = 4;

const EDGES_PER_NODE: usize = 10;

/// A recall, described by its sizes.
#[derive(Debug, Clone, Copy, Args, Serialize)]
pub struct Workload {
    /// Elements of a vector.
    #[arg(long, value_name = "N", default_value_t = 768)]
    pub dim: usize,
    /// Rows that a query is compared with.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub candidates: usize,
    /// Nodes of the graph; each has ten edges.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub nodes: usize,
    /// Memories that fade.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub memories: usize,
    /// Calls that hold scratch on one thread at once.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub nesting: usize,
}

impl Workload {
    pub fn check(&self) -> Result<(), Failure> {
        within("--dim", 1, 65_536, self.dim)?;
        within("--candidates", 1, (1 << 28) / self.dim, self.candidates)?;
        within("--nodes", 1, 1_000_000, self.nodes)?;
        within("--memories", 1, 10_000_000, self.memories)?;
        within("--nesting", 1, 16, self.nesting)
    }

    /// Each of its calls so many times, in arenas that refuse none.
    pub fn run(&self, scopes: usize, bar: &Bar) -> Result<Vec<Calls>, Failure> {
        // A gather packs up to 4 MB of rows at once; a spread keeps some numbers for each node.
        let most = 8 * self.dim + (4 << 20) + 32 * self.nodes;
        ArenaConfig::new().capacity(self.nesting * most + planner::SMALLEST).install()?;
        let calls = |call, kernel, run: &mut dyn FnMut() -> Result<(), Error>| {
            Calls::run(call, kernel, scopes, self.nesting - 1, bar, |_| run())
        };

        let vectors = data::elements(1, self.candidates * self.dim);
        let (rows, query) = (Rows::new(&vectors, self.dim)?, data::elements(2, self.dim));
        let ids = data::ids(3, self.candidates, self.candidates);
        let mut scores = vec![0.0; self.candidates];
        let search = Search::new(Metric::Cosine).on_overflow(OverflowPolicy::Error);
        let packs = search.packing(Packing::Whole);
        let gathers = calls("gather", Kernel::Similarity, &mut || packs.gather_into(&query, &rows, &ids, &mut scores))?;
        let in_place = calls("scores", Kernel::Similarity, &mut || search.scores_into(&query, &rows, &mut scores))?;

        let graph = self.graph()?;
        let spread = Spread::default().on_overflow(OverflowPolicy::Error);
        let seeds = data::seeds(self.nodes).map(|(node, activation)| Seed::new(node, activation));
        let spreads = calls("spread", Kernel::Spreading, &mut || graph.spread(&seeds, &spread).map(drop))?;

        let (mut strengths, ages) = (vec![1.0; self.memories], data::ages(4, self.memories));
        // What fades again and again would be denormal soon, which is slow on some CPUs.
        let law = Decay::half_life_seconds(30.0 * 86_400.0)?.floor(0.1)?;
        let fades = calls("decay", Kernel::Decay, &mut || law.apply(&mut strengths, Ages::Seconds(&ages)).map(drop))?;
        Ok(vec![gathers, in_place, spreads, fades])
    }

    fn graph(&self) -> Result<Graph, Error> {
        let mut random = Random::new(5);
        let sources = (0..self.nodes as u32).flat_map(|node| [node; EDGES_PER_NODE]);
        Graph::from_edges(
            self.nodes,
            sources.map(|node| Edge::new(node, random.below(self.nodes) as u32, 0.1 + 0.9 * random.unit() as f32)),
        )
    }
}
