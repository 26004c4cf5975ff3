use std::time::Duration;

/// Where activation came from.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Source {
    /// Another memory.
    Memory(u32),
    /// The sequence that it is a part of, by name.
    Sequence(String),
    /// What the cue names, or asks for.
    Context(String),
}

/// What a memory received, and by which way.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Received {
    /// From where.
    pub from: Source,
    /// What lay before that, the nearest first, by the strongest at each step, to what the cue itself woke; empty where
    /// the cue woke `from`.
    pub before: Vec<Source>,
    /// By which relation.
    pub relation: String,
    /// How much.
    pub activation: f32,
}

/// What each part of a cue has brought a memory to begin with: its standard score, cut, times its weight.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Seeds {
    /// By similarity.
    pub similarity: f32,
    /// By keywords.
    pub keywords: f32,
    /// By the caller's score.
    pub given: f32,
}

/// A memory that came back, and why.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Hit {
    /// Its id.
    pub memory: u32,
    /// What it was ordered by.
    pub score: f32,
    /// Its similarity to the cue's vector, if that has one, as [`Similarity`](crate::Similarity) has it.
    pub similarity: Option<f32>,
    /// What BM25 gives it for the cue's words.
    pub keywords: f32,
    /// The caller's score, if it gave one: all that it gave of this memory together.
    pub given: Option<f32>,
    /// What it began with.
    pub seed: f32,
    /// What that is the sum of.
    pub seeds: Seeds,
    /// What it received, the most first; so many as [`Options::told_most`](crate::Options::told_most) says.
    pub received: Vec<Received>,
    /// What it received by ways that are not told; by [`Spreading::PageRank`](crate::Spreading), where nothing leads to
    /// it, its own rank as a seed, which elsewhere is among what led to it.
    pub received_otherwise: f32,
    /// What it lost because it only asks.
    pub question: f32,
    /// What likeness to the best, and rare words shared with them, brought it: below 0 for those that have less of
    /// that than others.
    pub associated: f32,
    /// What of its score has not faded, from 0.01 to 1; a score below 0 does not fade.
    pub retained: f32,
    /// By which law it fades, if it may: how long ago it was used, and that law.
    pub fading: Option<Fading>,
    /// Its rank by similarity alone, from 1, if the cue has a vector.
    pub similarity_rank: Option<usize>,
    /// Its rank by seeds alone, from 1.
    pub seed_rank: usize,
}

/// How a memory fades.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Fading {
    /// Seconds since it was last used: 0 where that is in the future or not known, or the memory is pinned.
    pub age_seconds: f32,
    /// The law, with its parameters.
    pub law: String,
    /// How much of its score may fade, from 0 to 1.
    pub weight: f32,
}

/// What kept a memory from coming back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HeldBy {
    /// A filter.
    Filter,
    /// Its age.
    Retention,
}

/// A memory that would have come back.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct HeldBack {
    /// Its id.
    pub memory: u32,
    /// What kept it.
    pub by: HeldBy,
    /// The rank that it would have had, from 1.
    pub rank: usize,
}

/// How long each step took.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Timings {
    /// Similarity, keywords, and their fusion.
    pub seeds: Duration,
    /// What they woke.
    pub spreading: Duration,
    /// What is like the best.
    pub association: Duration,
    /// Ordering and explaining.
    pub telling: Duration,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Recall {
    /// The best first, ties by lower id.
    pub hits: Vec<Hit>,
    /// What would have been among them, by rank.
    pub held_back: Vec<HeldBack>,
    /// How long it took.
    pub timings: Timings,
    /// Whether a deadline left steps out.
    pub stopped_early: bool,
}
