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

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::english::{dates, day_number, terms};
use crate::ranking::{Standard, best};
use crate::{Cue, Error, Memory, MemoryGraph, Options, Schema, Similarity, Weights};

/// How many of the best turns are looked at.
pub const KS: [usize; 3] = [5, 10, 20];
/// What a neighbouring turn's score counts in controls that smooth.
const SMOOTHING: f32 = 0.3;
const RESAMPLES: usize = 4000;

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
struct Asked {
    text: String,
    vector: Vec<f32>,
    category: u8,
    /// Distinct turns of its conversation.
    evidence: Vec<u32>,
}

struct Conversation {
    graph: MemoryGraph,
    asked: Vec<Asked>,
}

/// Conversations and what is asked about them.
pub struct Evidence {
    conversations: Vec<Conversation>,
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

/// "1:56 pm on 8 May, 2023"; the epoch where no date is named.
fn moment(text: &str) -> i64 {
    let Some(date) = dates(text).into_iter().next() else { return 0 };
    let day = day_number(date.year.unwrap_or(1970), date.month.unwrap_or(1), date.day.unwrap_or(1));
    let clock = text.split_once(':').map(|(hour, rest)| (hour.trim().parse::<i64>(), rest));
    let minutes = match clock {
        Some((Ok(hour), rest)) => {
            let minute: i64 = rest.get(..2).and_then(|minute| minute.parse().ok()).unwrap_or(0);
            (hour % 12 + if rest.to_lowercase().contains("pm") { 12 } else { 0 }) * 60 + minute
        }
        _ => 0,
    };
    (day * 1440 + minutes) * 60_000
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
            evidence.conversations.push(Conversation { graph, asked });
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

/// A way to order the turns of a conversation for a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Method {
    /// By cosines, by keywords, or by both, as standard scores; each perhaps smoothed over neighbouring turns.
    Control {
        /// What cosines count.
        similarity: f32,
        /// What BM25 counts.
        keywords: f32,
        /// Whether neighbours count.
        smooth: bool,
    },
    /// By [`MemoryGraph::recall`].
    Recall {
        /// Of the vector alone, or of the words too.
        text: bool,
        /// What vectors are compared by.
        similarity: Similarity,
        /// What counts how much.
        weights: Weights,
    },
}

/// The control that any use of a graph has to beat: `hybrid+smooth`.
pub const CONTROL: &str = "hybrid+smooth";
/// The strongest control found on conversations that were looked at: the same with less of BM25.
pub const STRONGEST: &str = "hybrid.6+smooth";

/// What is compared, by name: the controls, recall as it is by default, and parts of it.
pub fn methods() -> Vec<(String, Method)> {
    let control = |similarity, keywords, smooth| Method::Control { similarity, keywords, smooth };
    let mut methods = Vec::new();
    for (name, similarity, keywords) in [("cosine", 1.0, 0.0), ("bm25", 0.0, 1.0), ("hybrid", 1.0, 1.0)] {
        methods.push((name.to_owned(), control(similarity, keywords, false)));
        methods.push((format!("{name}+smooth"), control(similarity, keywords, true)));
    }
    methods.push((STRONGEST.to_owned(), control(1.0, 0.6, true)));
    let all = Weights::default();
    let seeds = Weights::seeds_only();
    let succession = seeds.next(all.next).previous(all.previous).after_next(all.after_next).answer(all.answer);
    for (name, weights) in [
        ("recall", all),
        ("recall:seeds", seeds),
        ("recall:succession", succession),
        ("recall:without-sequence", all.part(0.0)),
        ("recall:without-contexts", all.context(0.0)),
        ("recall:without-association", all.likeness(0.0).rare_words(0.0)),
        ("recall:without-questions", all.question(0.0).answer(0.0)),
    ] {
        methods.push((name.to_owned(), Method::Recall { text: true, similarity: Similarity::ByCue, weights }));
    }
    for (name, similarity) in [("recall:vector", Similarity::ByCue), ("recall:vector-cosine", Similarity::Cosine)] {
        methods.push((name.to_owned(), Method::Recall { text: false, similarity, weights: all }));
    }
    methods
}

impl Conversation {
    /// The best turns for a question.
    fn best(&self, asked: &Asked, method: &Method) -> Result<Vec<u32>, Error> {
        let most = KS[KS.len() - 1];
        match method {
            Method::Control { similarity, keywords, smooth } => {
                let mut scores = vec![0.0f32; self.graph.len()];
                let mut add = |weight: f32, more: Vec<f32>| {
                    let standard = Standard::of(&more);
                    scores.iter_mut().zip(more).for_each(|(score, more)| *score += weight * standard.of_one(more));
                };
                if *similarity > 0.0 {
                    add(*similarity, self.cosines(&asked.vector)?);
                }
                if *keywords > 0.0 {
                    add(*keywords, self.graph.index()?.keywords.scores(&terms(&asked.text)));
                }
                if *smooth {
                    scores = smoothed(&scores);
                }
                Ok(best(&scores, most))
            }
            Method::Recall { text, similarity, weights } => {
                let cue = Cue::new().vector(&asked.vector).text(if *text { &asked.text } else { "" });
                let options = Options::default().top_k(most).similarity(*similarity).weights(*weights);
                let found = self.graph.recall(&cue, &options)?;
                Ok(found.hits.iter().map(|hit| hit.memory).collect())
            }
        }
    }

    fn cosines(&self, vector: &[f32]) -> Result<Vec<f32>, Error> {
        let rows = ecphory::Rows::new(&self.graph.vectors, self.graph.dim)?;
        Ok(ecphory::Search::new(ecphory::Metric::Cosine).scores(vector, &rows)?)
    }
}

/// Each score, and a share of both neighbours'.
fn smoothed(scores: &[f32]) -> Vec<f32> {
    let at = |place: Option<usize>| place.and_then(|place| scores.get(place)).copied().unwrap_or(0.0);
    let of = |place: usize| scores[place] + SMOOTHING * (at(place.checked_sub(1)) + at(Some(place + 1)));
    (0..scores.len()).map(of).collect()
}

/// What a method found for each question: its conversation, its category, and the share of its evidence among the best
/// of each of [`KS`].
pub struct Found(Vec<(usize, u8, [f64; 3])>);

impl Evidence {
    /// Asks every question, on the threads of the current rayon pool.
    ///
    /// # Errors
    /// What recall says.
    pub fn ask(&self, method: &Method) -> Result<Found, Error> {
        let one = |number: usize, conversation: &Conversation, asked: &Asked| {
            let best = conversation.best(asked, method)?;
            let share = |k: usize| {
                let there = best.iter().take(k).filter(|turn| asked.evidence.contains(turn)).count();
                there as f64 / asked.evidence.len() as f64
            };
            Ok((number, asked.category, KS.map(share)))
        };
        let all = self.conversations.par_iter().enumerate();
        let found = all.flat_map(|(number, conversation)| {
            conversation.asked.par_iter().map(move |asked| one(number, conversation, asked))
        });
        Ok(Found(found.collect::<Result<_, Error>>()?))
    }
}

/// Which questions count together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// All of them.
    All,
    /// All but the adversarial ones, category 5.
    Without5,
    /// Those of one category.
    Of(u8),
}

impl Category {
    /// All that a report has.
    pub const REPORTED: [Self; 7] =
        [Self::All, Self::Without5, Self::Of(1), Self::Of(2), Self::Of(3), Self::Of(4), Self::Of(5)];

    /// Its name in reports.
    pub fn name(self) -> String {
        match self {
            Self::All => "all".into(),
            Self::Without5 => "without-5".into(),
            Self::Of(category) => category.to_string(),
        }
    }

    fn has(self, category: u8) -> bool {
        match self {
            Self::All => true,
            Self::Without5 => category != 5,
            Self::Of(of) => category == of,
        }
    }
}

/// A mean over questions, with the interval of 95 % by bootstrap over conversations: these are drawn, with all their
/// questions, for questions of one conversation fail together. Where only one conversation has such questions, it is
/// over its questions, and says nothing of other conversations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// How many questions.
    pub questions: usize,
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The method's name.
    pub method: String,
    /// The questions' category.
    pub category: String,
    /// How many of the best are looked at.
    pub k: usize,
    /// The mean share of a question's evidence among them.
    pub recall: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How many questions.
    pub questions: usize,
}

impl Found {
    /// Of all conversations but one, among the ten best.
    pub(crate) fn without(&self, conversation: usize) -> f64 {
        let others = || self.0.iter().filter(|found| found.0 != conversation);
        others().map(|found| found.2[1]).sum::<f64>() / others().count().max(1) as f64
    }

    /// Of one conversation.
    pub(crate) fn of(&self, conversation: usize) -> Self {
        Self(self.0.iter().filter(|found| found.0 == conversation).copied().collect())
    }

    /// Of conversations in their order.
    pub(crate) fn joined(parts: Vec<Self>) -> Self {
        Self(parts.into_iter().flat_map(|part| part.0).collect())
    }

    /// Recall among the `k` best; none for a `k` that is not of [`KS`], and where no question is of the category.
    pub fn recall(&self, category: Category, k: usize) -> Option<Interval> {
        let at = KS.iter().position(|known| *known == k)?;
        self.interval(category, |question| self.0[question].2[at])
    }

    /// Recall less another's, question by question; none where [`Found::recall`] has none, and where the other's
    /// questions are not the same.
    pub fn beyond(&self, other: &Found, category: Category, k: usize) -> Option<Interval> {
        let at = KS.iter().position(|known| *known == k)?;
        let questions = |found: &Found| found.0.iter().map(|found| (found.0, found.1)).collect::<Vec<_>>();
        if questions(self) != questions(other) {
            return None;
        }
        self.interval(category, |question| self.0[question].2[at] - other.0[question].2[at])
    }

    fn interval(&self, category: Category, value: impl Fn(usize) -> f64) -> Option<Interval> {
        let mut by_conversation: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for (at, (conversation, _, _)) in self.0.iter().enumerate().filter(|(_, found)| category.has(found.1)) {
            by_conversation.entry(*conversation).or_default().push(value(at));
        }
        if by_conversation.is_empty() {
            return None;
        }
        let of_one = by_conversation.len() == 1;
        let values = by_conversation.into_values();
        let sums: Vec<(f64, f64)> = match of_one {
            true => values.flatten().map(|value| (value, 1.0)).collect(),
            false => values.map(|values| (values.iter().sum(), values.len() as f64)).collect(),
        };
        let mean = |sums: &mut dyn Iterator<Item = (f64, f64)>| {
            let (sum, count) = sums.fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
            sum / count
        };
        // SplitMix64 (Steele, Lea and Flood 2014), always from the same seed.
        let mut state = 0u64;
        let mut draw = || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((mixed ^ mixed >> 31) % sums.len() as u64) as usize
        };
        let mut means = [0.0; RESAMPLES];
        means.iter_mut().for_each(|to| *to = mean(&mut (0..sums.len()).map(|_| sums[draw()])));
        means.sort_by(f64::total_cmp);
        let at = |share: f64| means[(share * RESAMPLES as f64) as usize];
        let questions = sums.iter().map(|sum| sum.1).sum::<f64>() as usize;
        Some(Interval { mean: mean(&mut sums.iter().copied()), low: at(0.025), high: at(0.975), questions })
    }

    /// Every line of a report; none of a category without questions.
    pub fn lines(&self, method: &str) -> Vec<Line> {
        let mut lines = Vec::new();
        for category in Category::REPORTED {
            for k in KS {
                let Some(Interval { mean, low, high, questions }) = self.recall(category, k) else { continue };
                let (method, category) = (method.to_owned(), category.name());
                lines.push(Line { method, category, k, recall: mean, low, high, questions });
            }
        }
        lines
    }
}
