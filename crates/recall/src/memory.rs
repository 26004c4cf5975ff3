use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a payload holds under a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A number; NaN equals nothing.
    Number(f64),
    /// A text.
    Text(String),
    /// Several texts: a memory of two places is of each.
    Texts(Vec<String>),
}

impl Value {
    /// The texts it holds.
    pub(crate) fn texts(&self) -> &[String] {
        match self {
            Self::Text(text) => std::slice::from_ref(text),
            Self::Texts(texts) => texts,
            Self::Flag(_) | Self::Number(_) => &[],
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// What is known of a memory, by key.
pub type Payload = BTreeMap<String, Value>;

/// A memory as it is given to a graph.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Memory {
    pub(crate) vector: Vec<f32>,
    pub(crate) text: String,
    pub(crate) created_ms: i64,
    pub(crate) used_ms: i64,
    pub(crate) pinned: bool,
    pub(crate) payload: Payload,
}

impl Memory {
    /// One with the vector of its text, or whatever stands for it, elements from -1e15 to 1e15; without words, made at the
    /// epoch.
    pub fn new(vector: Vec<f32>) -> Self {
        Self { vector, text: String::new(), created_ms: 0, used_ms: 0, pinned: false, payload: Payload::new() }
    }

    /// Its words.
    pub fn text(self, text: impl Into<String>) -> Self {
        Self { text: text.into(), ..self }
    }

    /// When it was made, in milliseconds since the Unix epoch.
    pub fn created_ms(self, created_ms: i64) -> Self {
        Self { created_ms, used_ms: created_ms, ..self }
    }

    /// When it was last used, where that is after it was made.
    pub fn used_ms(self, used_ms: i64) -> Self {
        Self { used_ms, ..self }
    }

    /// Pinned memories do not fade.
    pub fn pinned(self) -> Self {
        Self { pinned: true, ..self }
    }

    /// Its words, as they were given.
    pub fn words(&self) -> &str {
        &self.text
    }

    /// What is known of it.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// What is known of it under a key.
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.payload.insert(key.into(), value.into());
        self
    }
}
