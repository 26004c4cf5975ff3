//! Whether recall finds what answers a question: against fixed controls, over conversations.
//!
//! A folder holds `turns.jsonl` (one turn a line: `conversation`, `session`, `date_time`, `dia_id`, `speaker`, `text`),
//! `turns.f32` (their vectors, little-endian, in the same order), `questions.jsonl` (`conversation`, `question`,
//! `category`, `evidence`: the `dia_id` of turns) and `questions.f32`: LoCoMo's own fields (Maharana and others,
//! "Evaluating Very Long-Term Conversational Memory of LLM Agents", ACL 2024). `dia_id`, `text` and `question` have to
//! be there; without `conversation`, `session` or `category` these are 0, without `date_time` or `speaker` nothing is
//! known of them, and a question without `evidence` is left out.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::english::{dates, day_number};
use crate::{Error, Memory, MemoryGraph, Schema};

pub use crate::figures::{Category, Found, Interval, KS, Line};
pub use crate::methods::{CONTROL, Method, STRONGEST, methods};
pub use crate::tuning::{Fold, Tuned};

/// Why a folder cannot be read, or what recall said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// A file that is not what it should be.
    #[error("{file}: {why}")]
    File {
        /// Its path.
        file: String,
        /// What was expected, and found.
        why: String,
    },
    /// Weights are to be chosen on some conversations and judged on another.
    #[error("tuning: expected two conversations or more with questions, found {found}")]
    OneConversation {
        /// How many there are.
        found: usize,
    },
    /// What recall said.
    #[error(transparent)]
    Recall(#[from] Error),
}

#[derive(Deserialize)]
struct Turn {
    #[serde(default)]
    conversation: u64,
    #[serde(default)]
    session: u64,
    #[serde(default)]
    date_time: String,
    dia_id: String,
    #[serde(default)]
    speaker: String,
    text: String,
}

#[derive(Deserialize)]
struct Question {
    #[serde(default)]
    conversation: u64,
    question: String,
    #[serde(default)]
    category: u8,
    #[serde(default)]
    evidence: Vec<String>,
}

/// A question whose evidence there is.
pub(crate) struct Asked {
    pub text: String,
    pub vector: Vec<f32>,
    pub category: u8,
    /// Distinct turns of its conversation.
    pub evidence: Vec<u32>,
}

pub(crate) struct Conversation {
    /// As the folder has it.
    pub number: u64,
    pub graph: MemoryGraph,
    pub asked: Vec<Asked>,
}

/// Conversations and what is asked about them.
pub struct Evidence {
    pub(crate) conversations: Vec<Conversation>,
    /// Names of turns that no turn has.
    pub unresolved: usize,
    /// Questions left out, of whose evidence nothing is there.
    pub without_evidence: usize,
}

fn file_error(path: &Path, why: impl ToString) -> EvalError {
    EvalError::File { file: path.display().to_string(), why: why.to_string() }
}

fn lines<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Vec<T>, EvalError> {
    let text = fs::read_to_string(path).map_err(|error| file_error(path, error))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let parsed = lines.map(|(number, line)| {
        serde_json::from_str(line).map_err(|error| file_error(path, format!("line {}: {error}", number + 1)))
    });
    parsed.collect()
}

/// One vector for each line; their dimension.
fn vectors(path: &Path, count: usize) -> Result<(Vec<f32>, usize), EvalError> {
    let bytes = fs::read(path).map_err(|error| file_error(path, error))?;
    if count == 0 || bytes.is_empty() || bytes.len() % (4 * count) != 0 {
        let why = format!("expected {count} vectors of f32, found {} bytes", bytes.len());
        return Err(file_error(path, why));
    }
    let (elements, dim) = (bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)), bytes.len() / 4 / count);
    let elements: Vec<f32> = elements.collect();
    if let Some(at) = elements.iter().position(|element| !element.is_finite()) {
        let (found, vector, place) = (elements[at], at / dim + 1, at % dim);
        return Err(file_error(
            path,
            format!("vector {vector}, element {place}: expected a finite number, found {found}"),
        ));
    }
    Ok((elements, dim))
}

/// "1:56 pm on 8 May, 2023"; none where no date is named.
fn moment(text: &str) -> Option<i64> {
    let date = dates(text).into_iter().next()?;
    let day = day_number(date.year.unwrap_or(1970), date.month.unwrap_or(1), date.day.unwrap_or(1));
    let clock = text.split_once(':').map(|(hour, rest)| (hour.trim().parse::<i64>(), rest));
    let minutes = match clock {
        Some((Ok(hour), rest)) => {
            let minute: i64 = rest.get(..2).and_then(|minute| minute.parse().ok()).unwrap_or(0);
            (hour % 12 + if rest.to_lowercase().contains("pm") { 12 } else { 0 }) * 60 + minute
        }
        _ => 0,
    };
    Some((day * 1440 + minutes) * 60_000)
}

impl Evidence {
    /// Reads a folder.
    ///
    /// # Errors
    /// [`EvalError::File`] for a file that is not there or not as it should be; [`EvalError::Recall`] for vectors that
    /// are not finite.
    pub fn read(folder: &Path) -> Result<Self, EvalError> {
        let turns: Vec<Turn> = lines(&folder.join("turns.jsonl"))?;
        let questions: Vec<Question> = lines(&folder.join("questions.jsonl"))?;
        let (turn_vectors, dim) = vectors(&folder.join("turns.f32"), turns.len())?;
        let path = folder.join("questions.f32");
        let (question_vectors, of_questions) = vectors(&path, questions.len())?;
        if of_questions != dim {
            return Err(file_error(&path, format!("expected vectors of {dim} elements, found {of_questions}")));
        }
        let mut graphs: BTreeMap<u64, (MemoryGraph, HashMap<String, u32>)> = BTreeMap::new();
        for (turn, vector) in turns.into_iter().zip(turn_vectors.chunks_exact(dim)) {
            let entry = graphs.entry(turn.conversation);
            let (graph, ids) = match entry {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(entry) => {
                    let schema = Schema::new().sequence("session").context("speaker");
                    entry.insert((MemoryGraph::new(dim, schema)?, HashMap::new()))
                }
            };
            let memory = Memory::new(vector.to_vec()).text(turn.text).created_ms(moment(&turn.date_time));
            let memory = memory.with("session", &*turn.session.to_string());
            let memory = if turn.speaker.is_empty() { memory } else { memory.with("speaker", &*turn.speaker) };
            ids.insert(turn.dia_id, graph.insert(memory)?);
        }
        let mut evidence = Self { conversations: Vec::new(), unresolved: 0, without_evidence: 0 };
        let mut asked: BTreeMap<u64, Vec<Asked>> = BTreeMap::new();
        for (question, vector) in questions.into_iter().zip(question_vectors.chunks_exact(dim)) {
            let ids = graphs.get(&question.conversation).map(|(_, ids)| ids);
            let named = question.evidence.iter().flat_map(|named| named.split([';', ' '])).filter(|id| !id.is_empty());
            let mut found = Vec::new();
            for id in named {
                match ids.and_then(|ids| ids.get(id)) {
                    Some(&id) => found.push(id),
                    None => evidence.unresolved += 1,
                }
            }
            found.sort_unstable();
            found.dedup();
            if found.is_empty() {
                evidence.without_evidence += 1;
                continue;
            }
            let (text, vector, category) = (question.question, vector.to_vec(), question.category);
            asked.entry(question.conversation).or_default().push(Asked { text, vector, category, evidence: found });
        }
        for (number, (graph, _)) in graphs {
            let asked = asked.remove(&number).unwrap_or_default();
            evidence.conversations.push(Conversation { number, graph, asked });
        }
        Ok(evidence)
    }

    /// How many conversations, turns and questions there are.
    pub fn counts(&self) -> (usize, usize, usize) {
        let turns = self.conversations.iter().map(|conversation| conversation.graph.len()).sum();
        let questions = self.conversations.iter().map(|conversation| conversation.asked.len()).sum();
        (self.conversations.len(), turns, questions)
    }
}
