use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::OnceLock;

use ecphory::{Companion, Edge, Graph, Prepared, Rows};

use crate::copies::Off;
use crate::english::asks;
use crate::keywords::Keywords;
use crate::whitening::Whitening;
use crate::{Error, MemoryGraph, relation};

/// A node that stands for what some memories have in common.
pub(crate) struct Context {
    /// The payload's key, `None` for times, which texts tell.
    pub key: Option<usize>,
    pub name: String,
    /// Stems of the name's words, all of which a cue must have.
    pub stems: Vec<String>,
    /// Ascending.
    pub members: Vec<u32>,
}

/// Of fewer memories vectors are no slower to read than what copies leave to be read of them.
const COPIED_LEAST: usize = 1024;
/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// What recall needs of all memories together.
pub(crate) struct Index {
    pub norms: Vec<f32>,
    /// Small copies of all vectors, and how far cosines of these may be off.
    pub copies: Option<(Companion<'static>, Off)>,
    /// The mean of all vectors.
    pub mean: Vec<f32>,
    /// How far each is from it.
    pub apart: Vec<f32>,
    pub keywords: Keywords,
    /// Words that keywords are made of though every text has them, for contexts are called so.
    pub kept: HashSet<String>,
    /// The memories of each sequence, ascending.
    pub sequences: Vec<Vec<u32>>,
    pub sequence_names: Vec<String>,
    pub sequence_keywords: Keywords,
    pub contexts: Vec<Context>,
    /// Contexts by the first stem of their names.
    named: HashMap<String, Vec<usize>>,
    /// The day, from the epoch, on which each memory was made, where that is known.
    pub made: Vec<Option<i64>>,
    pub asks: Vec<bool>,
    /// Those that do.
    pub asking: Vec<u32>,
    /// Memories that share a word which few have; for each memory, which of these.
    rare: Vec<Vec<u32>>,
    rare_of: Vec<Vec<u32>>,
    whitening: OnceLock<Whitening>,
    /// Memories, then sequences, then contexts.
    pub graph: Graph,
    /// The same edges the other way round.
    pub reversed: Graph,
}

impl Index {
    pub fn new(graph: &MemoryGraph) -> Result<Self, Error> {
        let (memories, language) = (&graph.memories, graph.schema.language);
        let rows = Rows::new(&graph.vectors, graph.dim)?;
        let norms = if rows.is_empty() { Vec::new() } else { Prepared::new(rows)?.norms().to_vec() };
        let copied = graph.schema.copies && rows.len() >= COPIED_LEAST;
        let copies = if copied { Some(Companion::new(&rows)?) } else { None };
        let contexts = contexts(graph);
        let of_names = contexts.iter().filter(|context| context.key.is_some());
        let kept: HashSet<String> = of_names.flat_map(|context| language.left_out(&context.name)).collect();
        let texts: Vec<Vec<String>> = memories.iter().map(|memory| language.terms(&memory.text, &kept)).collect();
        let (sequence_names, sequences) = sequences(graph);
        let joined =
            sequences.iter().map(|members| members.iter().flat_map(|&id| texts[id as usize].clone()).collect());
        let joined: Vec<Vec<String>> = joined.collect();
        let asks: Vec<bool> = memories.iter().map(|memory| asks(&memory.text)).collect();
        let mut edges = graph.links.clone();
        succession(&sequences, &asks, &mut edges);
        let mut node = memories.len() as u32;
        for (of, members) in [
            (relation::PART, sequences.iter().collect::<Vec<_>>()),
            (relation::CONTEXT, contexts.iter().map(|context| &context.members).collect()),
        ] {
            for members in members {
                edges.extend(members.iter().map(|&member| (Edge::new(node, member, 1.0), of)));
                node += 1;
            }
        }
        let nodes = node as usize;
        let back = edges.iter().map(|(edge, of)| (Edge::new(edge.target, edge.source, edge.weight), *of));
        let mean = mean(graph);
        let keywords = Keywords::new(texts.iter().map(Vec::as_slice));
        let (rare, rare_of) = rare_words(&texts, &keywords, &contexts);
        let mut named: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, context) in contexts.iter().enumerate() {
            if let Some(first) = context.stems.first() {
                named.entry(first.clone()).or_default().push(number);
            }
        }
        Ok(Self {
            copies: copies.map(|copies| {
                // Cosines of what has no norm here are taken from the vector.
                let off = Off::new(&copies, &norms, f32::INFINITY);
                (copies, off)
            }),
            norms,
            rare,
            rare_of,
            whitening: OnceLock::new(),
            apart: graph.vectors.chunks_exact(graph.dim).map(|row| apart(row, &mean)).collect(),
            mean,
            keywords,
            kept,
            sequence_keywords: Keywords::new(joined.iter().map(Vec::as_slice)),
            sequences,
            sequence_names,
            contexts,
            named,
            made: memories.iter().map(|memory| Some(memory.created_ms?.div_euclid(DAY_MS))).collect(),
            asking: (0..).zip(&asks).filter(|(_, asks)| **asks).map(|(id, _)| id).collect(),
            asks,
            reversed: Graph::builder(nodes).related(back)?.build()?,
            graph: Graph::builder(nodes).related(edges)?.build()?,
        })
    }
}

fn mean(graph: &MemoryGraph) -> Vec<f32> {
    let mut sums = vec![0.0; graph.dim];
    for row in graph.vectors.chunks_exact(graph.dim) {
        sums.iter_mut().zip(row).for_each(|(sum, &element)| *sum += f64::from(element));
    }
    sums.into_iter().map(|sum| (sum / graph.memories.len().max(1) as f64) as f32).collect()
}

/// Words of so many memories are rare: fewer link nothing, more link what has little in common.
const RARE: std::ops::RangeInclusive<usize> = 2..=6;

/// The memories that hold each rare word, no name of a context, and the rare words of each memory.
fn rare_words(texts: &[Vec<String>], keywords: &Keywords, contexts: &[Context]) -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
    let names: HashSet<&String> = contexts.iter().flat_map(|context| &context.stems).collect();
    let (mut rare, mut rare_of, mut known) = (Vec::new(), vec![Vec::new(); texts.len()], HashSet::new());
    for term in texts.iter().flatten().filter(|term| !names.contains(term)) {
        let holding = keywords.holding(term);
        if RARE.contains(&holding.len()) && known.insert(term) {
            let holding: Vec<u32> = holding.iter().map(|posting| posting.0).collect();
            holding.iter().for_each(|&id| rare_of[id as usize].push(rare.len() as u32));
            rare.push(holding);
        }
    }
    (rare, rare_of)
}

impl Index {
    /// Made at the first cue that asks for it, and by each of those that ask meanwhile; one is kept.
    pub fn whitening(&self, vectors: &[f32]) -> Result<&Whitening, Error> {
        if let Some(made) = self.whitening.get() {
            return Ok(made);
        }
        let copies = self.copies.as_ref().map(|(copies, _)| copies);
        let made = Whitening::new(vectors, &self.mean, copies)?;
        Ok(self.whitening.get_or_init(|| made))
    }

    /// The score of every sequence by the words of some of its memories.
    pub fn sequence_scores_of(&self, terms: &[String], counts: impl Fn(u32) -> bool) -> Vec<f32> {
        let mut of: HashMap<u32, Vec<u32>> = HashMap::new();
        for (sequence, members) in (0..).zip(&self.sequences) {
            members.iter().filter(|&&id| counts(id)).for_each(|&id| of.entry(id).or_default().push(sequence));
        }
        self.sequence_keywords.scores_of_some(terms, |term| {
            let mut counted: BTreeMap<u32, u32> = BTreeMap::new();
            for &(id, count) in self.keywords.holding(term) {
                of.get(&id).into_iter().flatten().for_each(|&sequence| *counted.entry(sequence).or_default() += count);
            }
            counted.into_iter().collect()
        })
    }

    /// How many memories some contexts have together.
    pub fn members(&self, contexts: &[usize]) -> usize {
        if let [one] = contexts {
            return self.contexts[*one].members.len();
        }
        let mut members: Vec<u32> =
            contexts.iter().flat_map(|&context| &self.contexts[context].members).copied().collect();
        members.sort_unstable();
        members.dedup();
        members.len()
    }

    /// The contexts of whose names all stems are among those of a text, in order.
    pub fn named_by(&self, stems: &[String]) -> Vec<usize> {
        let has_all = |number: &usize| self.contexts[*number].stems.iter().all(|stem| stems.contains(stem));
        let mut named: Vec<usize> =
            stems.iter().filter_map(|stem| self.named.get(stem)).flatten().copied().filter(has_all).collect();
        named.sort_unstable();
        named.dedup();
        named
    }

    /// What memories with shares pass on through rare words: each all of its share, the more through a word the fewer
    /// have it, evenly to those.
    pub fn rare_words_of(&self, shares: &[(u32, f32)]) -> BTreeMap<u32, f32> {
        let mut passed = BTreeMap::new();
        for &(id, share) in shares {
            let words = || self.rare_of[id as usize].iter().map(|&word| &self.rare[word as usize]);
            let each = |holding: &[u32]| {
                let count = holding.len() as f32;
                (self.asks.len() as f32 / count).ln() / count
            };
            let all: f32 = words().map(|holding| each(holding) * (holding.len() - 1) as f32).sum();
            if all > 0.0 {
                for holding in words() {
                    for &other in holding.iter().filter(|&&other| other != id) {
                        *passed.entry(other).or_insert(0.0) += share * each(holding) / all;
                    }
                }
            }
        }
        passed
    }
}

fn apart(row: &[f32], mean: &[f32]) -> f32 {
    let squares = row.iter().zip(mean).map(|(&x, &mean)| (f64::from(x) - f64::from(mean)).powi(2));
    squares.sum::<f64>().sqrt() as f32
}

/// Groups of memories by the names they hold under a key, in the order in which the names came first.
fn by_name(graph: &MemoryGraph, key: &str) -> (Vec<String>, Vec<Vec<u32>>) {
    let mut known: HashMap<Cow<'_, str>, usize> = HashMap::new();
    let (mut names, mut groups) = (Vec::new(), Vec::<Vec<u32>>::new());
    for (id, memory) in (0..).zip(&graph.memories) {
        for name in memory.payload.get(key).into_iter().flat_map(|value| value.names()) {
            let group = *known.entry(name).or_insert_with_key(|name| {
                names.push(name.to_string());
                groups.push(Vec::new());
                groups.len() - 1
            });
            if groups[group].last() != Some(&id) {
                groups[group].push(id);
            }
        }
    }
    (names, groups)
}

fn sequences(graph: &MemoryGraph) -> (Vec<String>, Vec<Vec<u32>>) {
    graph.schema.sequence.as_deref().map(|key| by_name(graph, key)).unwrap_or_default()
}

fn contexts(graph: &MemoryGraph) -> Vec<Context> {
    let mut contexts = Vec::new();
    for (number, key) in graph.schema.contexts.iter().enumerate() {
        let (names, groups) = by_name(graph, key);
        contexts.extend(names.into_iter().zip(groups).map(|(name, members)| {
            let stems = graph.schema.language.stems(&name);
            Context { key: Some(number), name, stems, members }
        }));
    }
    let timed = (0..).zip(&graph.memories).filter(|(_, memory)| graph.schema.language.tells_time(&memory.text));
    let members: Vec<u32> = timed.map(|(id, _)| id).collect();
    contexts.push(Context { key: None, name: "tells a time".into(), stems: Vec::new(), members });
    contexts
}

fn succession(sequences: &[Vec<u32>], asks: &[bool], edges: &mut Vec<(Edge, u8)>) {
    for members in sequences {
        for pair in members.windows(2) {
            edges.push((Edge::new(pair[0], pair[1], 1.0), relation::NEXT));
            edges.push((Edge::new(pair[1], pair[0], 1.0), relation::PREVIOUS));
            if asks[pair[0] as usize] {
                edges.push((Edge::new(pair[0], pair[1], 1.0), relation::ANSWER));
            }
        }
        let skips = members.windows(3).map(|three| (Edge::new(three[0], three[2], 1.0), relation::AFTER_NEXT));
        edges.extend(skips);
    }
}
