//! What is compared: fixed controls, recall as it is by default, its parts and its other ways.

use std::collections::HashSet;

use ecphory::{PageRank, Seed};
use rayon::prelude::*;

use crate::english::terms;
use crate::eval::{Asked, Conversation, Evidence, Found, KS};
use crate::ranking::{Standard, best};
use crate::{Cue, Error, MemoryGraph, Options, Similarity, Spreading, Weights};

/// What a neighbouring turn's score counts in controls that smooth.
const SMOOTHING: f32 = 0.3;
/// What is added to a rank before its reciprocal is taken (Cormack and others, "Reciprocal Rank Fusion outperforms
/// Condorcet and individual Rank Learning Methods", 2009).
const RANK_MORE: f32 = 60.0;

/// A way to order the turns of a conversation for a question.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Method {
    /// By cosines, by keywords, or by both, as standard scores; each perhaps smoothed over neighbouring turns.
    Control {
        /// What cosines count.
        similarity: f32,
        /// What BM25 counts.
        keywords: f32,
        /// What the score of each neighbour counts.
        smoothing: f32,
    },
    /// By [`MemoryGraph::recall`].
    Recall {
        /// Of the vector alone, or of the words too.
        text: bool,
        /// Whether both are given as reciprocal ranks, `1 / (60 + rank)`, in place of standard scores.
        ranks: bool,
        /// To how many of its nearest each memory is linked.
        nearest: usize,
        /// What vectors are compared by.
        similarity: Similarity,
        /// How activation spreads.
        spreading: Spreading,
        /// What counts how much.
        weights: Weights,
    },
}

impl Method {
    /// Recall as it is by default, with other weights.
    pub fn recall(weights: Weights) -> Self {
        let (similarity, spreading) = (Similarity::ByCue, Spreading::Once);
        Self::Recall { text: true, ranks: false, nearest: 0, similarity, spreading, weights }
    }
}

/// The control that any use of a graph has to beat: `hybrid+smooth`.
pub const CONTROL: &str = "hybrid+smooth";
/// The strongest control found: the same with less of BM25. It was looked for on the conversations of the page of this
/// crate, among all with BM25 counting 0.3, 0.4, 0.5, 0.6, 0.7, 0.8 and 1 beside cosines, and neighbours 0.1, 0.2, 0.3,
/// 0.4 and 0.5.
pub const STRONGEST: &str = "hybrid.6+smooth";

/// What is compared, by name: the controls, recall as it is by default, parts of it, and other ways to spread and fuse.
pub fn methods() -> Vec<(String, Method)> {
    let control = |similarity, keywords, smoothing| Method::Control { similarity, keywords, smoothing };
    let mut methods = Vec::new();
    for (name, similarity, keywords) in [("cosine", 1.0, 0.0), ("bm25", 0.0, 1.0), ("hybrid", 1.0, 1.0)] {
        methods.push((name.to_owned(), control(similarity, keywords, 0.0)));
        methods.push((format!("{name}+smooth"), control(similarity, keywords, SMOOTHING)));
    }
    methods.push((STRONGEST.to_owned(), control(1.0, 0.6, SMOOTHING)));
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
        methods.push((name.to_owned(), Method::recall(weights)));
    }
    let (by_cue, once) = (Similarity::ByCue, Spreading::Once);
    let way = |text, ranks, nearest, similarity, spreading, weights| Method::Recall {
        text,
        ranks,
        nearest,
        similarity,
        spreading,
        weights,
    };
    let hops = Spreading::Hops { hops: 2, transmission: 0.5, threshold: 0.0 };
    let pagerank = Spreading::PageRank { ranks: PageRank::default(), epsilon: 1e-6, weight: 1.0 };
    // As much as both together.
    let given = all.similarity + all.keywords;
    for (name, way) in [
        ("hops", way(true, false, 0, by_cue, hops, all)),
        ("pagerank", way(true, false, 0, by_cue, pagerank, all)),
        ("knn", way(true, false, 8, by_cue, once, all)),
        ("rrf", way(true, true, 0, by_cue, once, all.keywords(0.0).given(given))),
        ("vector", way(false, false, 0, by_cue, once, all)),
        ("vector-cosine", way(false, false, 0, Similarity::Cosine, once, all)),
    ] {
        methods.push((format!("recall:{name}"), way));
    }
    methods
}

impl Conversation {
    /// The best turns for a question; `graph` has perhaps more links.
    fn best(&self, graph: &MemoryGraph, asked: &Asked, method: &Method) -> Result<Vec<u32>, Error> {
        let most = KS[KS.len() - 1];
        match method {
            Method::Control { similarity, keywords, smoothing } => {
                let mut scores = vec![0.0f32; self.graph.len()];
                let mut add = |weight: f32, more: Vec<f32>| {
                    let standard = Standard::of(&more);
                    scores.iter_mut().zip(more).for_each(|(score, more)| *score += weight * standard.of_one(more));
                };
                if *similarity > 0.0 {
                    add(*similarity, self.cosines(asked)?);
                }
                if *keywords > 0.0 {
                    add(*keywords, self.keywords(asked)?);
                }
                Ok(best(&smoothed(&scores, *smoothing), most))
            }
            Method::Recall { text, ranks, similarity, spreading, weights, .. } => {
                let given = if *ranks { self.reciprocal_ranks(asked)? } else { Vec::new() };
                let cue = Cue::new().text(if *text { &asked.text } else { "" }).scores(&given);
                let cue = if *ranks { cue } else { cue.vector(&asked.vector) };
                let options = Options::default().top_k(most).similarity(*similarity).spreading(*spreading);
                let found = graph.recall(&cue, &options.weights(*weights))?;
                Ok(found.hits.iter().map(|hit| hit.memory).collect())
            }
        }
    }

    fn cosines(&self, asked: &Asked) -> Result<Vec<f32>, Error> {
        let rows = ecphory::Rows::new(&self.graph.vectors, self.graph.dim)?;
        Ok(ecphory::Search::new(ecphory::Metric::Cosine).scores(&asked.vector, &rows)?)
    }

    fn keywords(&self, asked: &Asked) -> Result<Vec<f32>, Error> {
        Ok(self.graph.index()?.keywords.scores(&terms(&asked.text, &HashSet::new())))
    }

    /// By cosines and, of turns that have a word of the question, by keywords.
    fn reciprocal_ranks(&self, asked: &Asked) -> Result<Vec<Seed>, Error> {
        let keywords = self.keywords(asked)?;
        let mut sums = vec![0.0; self.graph.len()];
        let having = keywords.iter().filter(|score| **score > 0.0).count();
        for (scores, most) in [(&self.cosines(asked)?, self.graph.len()), (&keywords, having)] {
            for (rank, id) in (1..).zip(best(scores, most)) {
                sums[id as usize] += 1.0 / (RANK_MORE + rank as f32);
            }
        }
        Ok((0..).zip(sums).map(|(id, sum)| Seed::new(id, sum)).collect())
    }
}

/// Each score, and a share of both neighbours'.
fn smoothed(scores: &[f32], share: f32) -> Vec<f32> {
    let at = |place: Option<usize>| place.and_then(|place| scores.get(place)).copied().unwrap_or(0.0);
    let of = |place: usize| scores[place] + share * (at(place.checked_sub(1)) + at(Some(place + 1)));
    (0..scores.len()).map(of).collect()
}

impl Evidence {
    /// Asks every question, on the threads of the current rayon pool.
    ///
    /// # Errors
    /// What recall says.
    pub fn ask(&self, method: &Method) -> Result<Found, Error> {
        let mut linked = Vec::new();
        if let Method::Recall { nearest, .. } = method
            && *nearest > 0
        {
            for conversation in &self.conversations {
                let mut graph = conversation.graph.clone();
                graph.link_nearest(*nearest, 0.0, "near")?;
                linked.push(graph);
            }
        }
        let one = &|number: usize, conversation: &Conversation, asked: &Asked| {
            let graph = linked.get(number).unwrap_or(&conversation.graph);
            let best = conversation.best(graph, asked, method)?;
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
