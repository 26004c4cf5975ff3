//! Kernels under memory graphs: cue similarity, spreading activation, decay.
//!
//! *Ecphory* (Semon 1904) is the step in which a cue wakes a stored trace. Agent memories and cognitive graph stores
//! write its three kernels again and again; here they are once, in Zig, compiled for every CPU tier and picked at run
//! time, behind a safe API that spreads large work over the current rayon pool.
//!
//! ```
//! use ecphory::{Ages, Decay, Edge, Graph, Metric, Rows, Search, Spread};
//!
//! # fn main() -> Result<(), ecphory::Error> {
//! // Three memories, two of them linked.
//! let vectors = [1.0, 0.0, 0.6, 0.8, 0.0, 1.0];
//! let rows = Rows::new(&vectors, 2)?;
//! let graph = Graph::from_edges(3, [Edge::new(1, 2, 0.5)])?;
//!
//! let best = Search::new(Metric::Cosine).top_k(&[0.6, 0.8], &rows, 1)?;
//! let mut woken = graph.spread(&best.seeds()?, &Spread::default().hops(1))?;
//! let ages: Vec<f32> = woken.nodes.iter().map(|&node| 86_400.0 * node as f32).collect();
//! Decay::half_life_seconds(86_400.0)?.apply(&mut woken.activations, Ages::Seconds(&ages))?;
//!
//! assert_eq!(woken.nodes, [1, 2]);
//! # Ok(())
//! # }
//! ```
//!
//! Rows are of `f32`, or of fewer bytes: `i8` with a scale each, bits, and with the feature `half` also `half::f16` and
//! `half::bf16` ([`Element`], [`quantize_i8`], [`quantize_bits`]).
//!
//! Scratch comes from a bump arena of the calling thread ([`arena`]); what happens when it is too small for a kernel is
//! the caller's [`OverflowPolicy`]. Results are the same bits for any number of threads. No function here panics on
//! what it is given, but under [`OverflowPolicy::Panic`].

#![deny(missing_docs, unsafe_code)]

mod activation;
pub mod arena;
mod bands;
mod base_level;
#[cfg(feature = "bench")]
pub mod bench;
mod brief;
mod builder;
mod checksum;
mod companion;
mod csr;
mod deadlines;
mod decay;
mod element;
mod error;
mod fan;
mod ffi;
mod fsrs;
mod graph;
mod heat;
mod hits;
mod incoming;
mod meeting;
mod metric;
mod needs;
mod pagerank;
pub mod planner;
mod quantize;
mod queries;
mod ranks;
mod replace;
mod report;
mod rows;
mod saved;
mod similarity;
mod spreading;
mod sweeps;
mod tasks;
pub mod tier;
mod workspace;

pub use activation::Activation;
pub use arena::{ArenaConfig, OverflowPolicy};
pub use base_level::{BaseLevel, Presentations};
pub use builder::{GraphBuilder, Progress};
pub use companion::Companion;
pub use decay::{Ages, Decay, DecayParams, DecayReport, Selected};
pub use element::{Element, Meets, Number};
pub use error::Error;
pub use fan::Fan;
pub use fsrs::Fsrs;
pub use graph::{Edge, Graph};
pub use heat::HeatKernel;
pub use hits::{Hit, TopK};
pub use metric::Metric;
pub use needs::{Kernel, NeedHistogram};
pub use pagerank::{Dangling, PageRank};
pub use quantize::{Quantized, quantize_bits, quantize_i8};
#[cfg(feature = "half")]
pub use quantize::{quantize_bf16, quantize_f16};
pub use queries::AsQueries;
pub use ranks::{EachRanks, NearRanks, Ranks};
pub use report::{ArenaReport, ArenaStats, KernelReport, Overflows};
pub use rows::{AsRows, Prepared, Rows};
pub use similarity::{Packing, Precision, Search, similarity_batch, similarity_batch_into};
pub use spreading::{Aggregate, Fire, Inhibition, Seed, Spread, Stopped, Weighting};
pub use workspace::Workspace;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
