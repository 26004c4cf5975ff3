use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a payload holds under a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A number; NaN equals nothing. Integers are the nearest number of f64, which up to 2^53 is themselves.
    Number(f64),
    /// A text.
    Text(String),
    /// Several texts: a memory of two places is of each.
    Texts(Vec<String>),
}

impl Value {
    /// The names that it stands for in sequences and contexts: its texts, a number or a flag as it is written.
    pub(crate) fn names(&self) -> Vec<Cow<'_, str>> {
        match self {
            Self::Text(text) => vec![text.into()],
            Self::Texts(texts) => texts.iter().map(Into::into).collect(),
            // Of no sign, where it is 0.
            Self::Number(number) if !number.is_nan() => vec![(number + 0.0).to_string().into()],
            Self::Number(_) => Vec::new(),
            Self::Flag(flag) => vec![flag.to_string().into()],
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<String>> for Value {
    fn from(texts: Vec<String>) -> Self {
        Self::Texts(texts)
    }
}

impl From<&[&str]> for Value {
    fn from(texts: &[&str]) -> Self {
        Self::Texts(texts.iter().map(|&text| text.into()).collect())
    }
}

impl From<Vec<&str>> for Value {
    fn from(texts: Vec<&str>) -> Self {
        texts[..].into()
    }
}

impl<const N: usize> From<[&str; N]> for Value {
    fn from(texts: [&str; N]) -> Self {
        texts[..].into()
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

macro_rules! from_numbers {
    ($($number:ty),*) => {
        $(impl From<$number> for Value {
            fn from(number: $number) -> Self {
                // Beyond 2^53 there are fewer of f64 than of what counts one by one.
                Self::Number(number as f64)
            }
        })*
    };
}

from_numbers!(f64, f32, i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

/// What is known of a memory, by key.
pub type Payload = BTreeMap<String, Value>;

/// A memory as it is given to a graph.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Memory {
    pub(crate) vector: Vec<f32>,
    pub(crate) text: String,
    pub(crate) created_ms: Option<i64>,
    pub(crate) used_ms: Option<i64>,
    pub(crate) pinned: bool,
    pub(crate) payload: Payload,
}

impl Memory {
    /// One with the vector of its text, or whatever stands for it, elements from -1e15 to 1e15; without words, and made
    /// nobody knows when.
    pub fn new(vector: Vec<f32>) -> Self {
        Self { vector, text: String::new(), created_ms: None, used_ms: None, pinned: false, payload: Payload::new() }
    }

    /// Its words.
    pub fn text(self, text: impl Into<String>) -> Self {
        Self { text: text.into(), ..self }
    }

    /// When it was made, in milliseconds since the Unix epoch, or `None`: no date points to what was made nobody knows
    /// when, and no [`Filter::Created`](crate::Filter) lets it pass that has a bound.
    pub fn created_ms(self, created_ms: impl Into<Option<i64>>) -> Self {
        Self { created_ms: created_ms.into(), ..self }
    }

    /// When it was last used; when it was made, unless this says otherwise. What was used nobody knows when does not
    /// fade.
    pub fn used_ms(self, used_ms: impl Into<Option<i64>>) -> Self {
        Self { used_ms: used_ms.into(), ..self }
    }

    /// Pinned memories do not fade.
    pub fn pinned(self) -> Self {
        Self { pinned: true, ..self }
    }

    /// Its words, as they were given.
    pub fn words(&self) -> &str {
        &self.text
    }

    /// When it was made.
    pub fn made_at_ms(&self) -> Option<i64> {
        self.created_ms
    }

    /// When it was last used, as far as anybody knows.
    pub fn last_used_ms(&self) -> Option<i64> {
        self.used_ms.or(self.created_ms)
    }

    /// Whether it is pinned.
    pub fn is_pinned(&self) -> bool {
        self.pinned
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
