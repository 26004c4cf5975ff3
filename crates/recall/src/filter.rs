use serde::{Deserialize, Serialize};

use crate::Error;
use crate::memory::{Memory, Value};

/// Which memories may be recalled. As JSON: `{"and": [{"eq": {"key": "speaker", "value": "Ann"}}, "pinned"]}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Filter {
    /// What the key holds is the value, or has it among its texts.
    Eq {
        /// The payload's key.
        key: String,
        /// The value.
        value: Value,
    },
    /// What the key holds is one of the values, or has one among its texts.
    In {
        /// The payload's key.
        key: String,
        /// The values.
        values: Vec<Value>,
    },
    /// The key holds a number from `least` to `most`, both within; no bound where one is left out.
    Range {
        /// The payload's key.
        key: String,
        /// The smallest.
        #[serde(default)]
        least: Option<f64>,
        /// The largest.
        #[serde(default)]
        most: Option<f64>,
    },
    /// The key holds something.
    Exists {
        /// The payload's key.
        key: String,
    },
    /// It was made from the first moment on, and before the second; milliseconds since the epoch. Without either it
    /// holds for all; with one, not for what was made nobody knows when.
    Created {
        /// The first moment.
        #[serde(default)]
        from_ms: Option<i64>,
        /// The moment after the last.
        #[serde(default)]
        until_ms: Option<i64>,
    },
    /// It is pinned.
    Pinned,
    /// It is one of these; an id that no memory has is an error.
    Ids(Vec<u32>),
    /// All of these hold; where there are none, it holds.
    And(Vec<Filter>),
    /// One of these holds; where there are none, it does not.
    Or(Vec<Filter>),
    /// This does not hold.
    Not(Box<Filter>),
}

/// Whether what a key holds is the value, or has it among its texts.
fn equals(held: &Value, value: &Value) -> bool {
    match (held, value) {
        (Value::Texts(held), Value::Text(text)) => held.contains(text),
        (held, value) => held == value,
    }
}

impl Filter {
    pub(crate) fn check(&self, len: usize) -> Result<(), Error> {
        match self {
            Self::Ids(ids) => match ids.iter().find(|&&id| id as usize >= len) {
                Some(&found) => Err(Error::NoMemory { found, len }),
                None => Ok(()),
            },
            Self::And(filters) | Self::Or(filters) => filters.iter().try_for_each(|filter| filter.check(len)),
            Self::Not(filter) => filter.check(len),
            _ => Ok(()),
        }
    }

    /// A bit for each memory that it lets pass: bit `i % 64` of word `i / 64`. Ids are below how many there are.
    pub(crate) fn bits(&self, memories: &[Memory]) -> Vec<u64> {
        let each = |passes: &dyn Fn(&Memory) -> bool| -> Vec<u64> {
            let word = |memories: &[Memory]| {
                memories.iter().enumerate().fold(0, |word, (bit, memory)| word | u64::from(passes(memory)) << bit)
            };
            memories.chunks(64).map(word).collect()
        };
        let held =
            |key: &str, holds: &dyn Fn(&Value) -> bool| each(&|memory| memory.payload.get(key).is_some_and(holds));
        match self {
            Self::Eq { key, value } => held(key, &|held| equals(held, value)),
            Self::In { key, values } => held(key, &|held| values.iter().any(|value| equals(held, value))),
            Self::Range { key, least, most } => held(key, &|held| match held {
                Value::Number(held) => {
                    least.is_none_or(|least| *held >= least) && most.is_none_or(|most| *held <= most)
                }
                _ => false,
            }),
            Self::Exists { key } => held(key, &|_| true),
            Self::Created { from_ms, until_ms } => each(&|memory| {
                let is = |known: &dyn Fn(i64) -> bool| memory.created_ms.is_some_and(known);
                from_ms.is_none_or(|from| is(&|made| made >= from))
                    && until_ms.is_none_or(|until| is(&|made| made < until))
            }),
            Self::Pinned => each(&|memory| memory.pinned),
            Self::Ids(ids) => {
                let mut bits = vec![0; memories.len().div_ceil(64)];
                ids.iter().for_each(|&id| bits[id as usize / 64] |= 1 << (id % 64));
                bits
            }
            Self::And(filters) => combined(filters, memories, true, |all, one| *all &= one),
            Self::Or(filters) => combined(filters, memories, false, |all, one| *all |= one),
            Self::Not(filter) => {
                let mut bits = combined(&[], memories, true, |_, _| {});
                bits.iter_mut().zip(filter.bits(memories)).for_each(|(bits, not)| *bits &= !not);
                bits
            }
        }
    }
}

/// What `combine` makes of the filters' words, beginning with all memories or none.
fn combined(filters: &[Filter], memories: &[Memory], all: bool, combine: impl Fn(&mut u64, u64)) -> Vec<u64> {
    let full = |part: &[Memory]| if all { u64::MAX >> (64 - part.len()) } else { 0 };
    let mut bits: Vec<u64> = memories.chunks(64).map(full).collect();
    for filter in filters {
        bits.iter_mut().zip(filter.bits(memories)).for_each(|(bits, more)| combine(bits, more));
    }
    bits
}
