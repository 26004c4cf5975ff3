use ecphory::Seed;

use crate::graph::check_vector;
use crate::{Error, MemoryGraph};

/// What is to be recalled: a vector, words, scores of one's own, or several of them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[must_use]
pub struct Cue<'a> {
    pub(crate) vector: Option<&'a [f32]>,
    pub(crate) text: &'a str,
    pub(crate) scores: &'a [Seed],
    pub(crate) now_ms: Option<i64>,
}

impl<'a> Cue<'a> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// By similarity to this vector, elements from -1e15 to 1e15.
    pub fn vector(self, vector: &'a [f32]) -> Self {
        Self { vector: Some(vector), ..self }
    }

    /// By words, and by the contexts and dates that they name.
    pub fn text(self, text: &'a str) -> Self {
        Self { text, ..self }
    }

    /// By scores of one's own, finite and 0 or more; memories left out have 0.
    pub fn scores(self, scores: &'a [Seed]) -> Self {
        Self { scores, ..self }
    }

    /// The moment of recall, in milliseconds since the epoch, from which ages are taken. Without it nothing has faded.
    pub fn now_ms(self, now_ms: i64) -> Self {
        Self { now_ms: Some(now_ms), ..self }
    }
}

impl MemoryGraph {
    pub(crate) fn check_cue(&self, cue: &Cue<'_>) -> Result<(), Error> {
        if cue.vector.is_none() && cue.text.is_empty() && cue.scores.is_empty() {
            return Err(Error::EmptyCue);
        }
        cue.vector.map_or(Ok(()), |vector| check_vector("cue", self.dim, vector))?;
        for (position, seed) in cue.scores.iter().enumerate() {
            if seed.node as usize >= self.len() {
                return Err(Error::NoMemory { found: seed.node, len: self.len() });
            }
            if !(seed.activation.is_finite() && seed.activation >= 0.0) {
                let (what, found) = ("scores", seed.activation);
                return Err(Error::Value { what, position, expected: "a finite number, 0 or more", found });
            }
        }
        Ok(())
    }
}
