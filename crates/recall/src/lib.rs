#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod association;
mod comparison;
mod copies;
mod cue;
mod english;
mod error;
pub mod eval;
mod few;
mod figures;
mod filter;
mod graph;
mod hits;
mod index;
mod keywords;
mod language;
mod links;
mod memory;
mod methods;
mod options;
mod ranking;
mod recall;
mod relation;
mod room;
mod scoring;
mod telling;
mod tuning;
mod waking;
mod weights;
mod whitening;

pub use cue::Cue;
pub use error::Error;
pub use filter::Filter;
pub use graph::{MemoryGraph, Schema};
pub use hits::{Fading, HeldBack, HeldBy, Hit, Recall, Received, Seeds, Source, Timings};
pub use language::Language;
pub use links::{Link, Progress};
pub use memory::{Memory, Payload, Value};
pub use options::{Options, Similarity, Spreading};
pub use weights::Weights;
