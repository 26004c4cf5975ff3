//! What brought each hit back.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::HashMap;

use crate::index::Index;
use crate::ranking::ranks;
use crate::recall::age_seconds;
use crate::scoring::Scored;
use crate::{Cue, Fading, Hit, MemoryGraph, Options, Received, Source, Spreading, relation};

/// A recall, of which something is to be told.
pub(crate) struct Telling<'t> {
    pub graph: &'t MemoryGraph,
    pub index: &'t Index,
    pub cue: &'t Cue<'t>,
    pub options: &'t Options<'t>,
    pub scored: &'t Scored<'t, 't, 't>,
    pub retained: Option<&'t [f32]>,
}

/// What a node passed on to another.
#[derive(Clone, Copy)]
struct Passed {
    from: u32,
    relation: u8,
    activation: f32,
}

impl Passed {
    /// The most first, ties by lower node and relation.
    fn order(&self, other: &Self) -> Ordering {
        let most = other.activation.total_cmp(&self.activation);
        most.then(self.from.cmp(&other.from)).then(self.relation.cmp(&other.relation))
    }
}

impl Telling<'_> {
    pub fn hits(&self, top: &[u32]) -> Vec<Hit> {
        let seed_ranks = ranks(&self.scored.seed, top);
        let similarity_ranks = self.scored.comparison.as_ref().map(|comparison| ranks(&comparison.similarity, top));
        let (factors, strongest) = (self.options.weights.factors(), RefCell::default());
        let mut hits = Vec::with_capacity(top.len());
        for (place, &id) in top.iter().enumerate() {
            let at = id as usize;
            let (mut received, mut received_otherwise) = self.received(&factors, &strongest, id);
            if let Some(&activation) = self.scored.days.as_ref().map(|days| &days[at]).filter(|day| **day > 0.0) {
                let (from, relation) = (Source::Context("date".into()), "context".into());
                received.push(Received { from, before: Vec::new(), relation, activation });
            }
            received.sort_by(|a, b| b.activation.total_cmp(&a.activation));
            let more = received.split_off(received.len().min(self.options.told_most));
            received_otherwise += more.iter().map(|one| one.activation).sum::<f32>();
            hits.push(Hit {
                memory: id,
                score: self.scored.score[at],
                similarity: self.scored.comparison.as_ref().map(|comparison| comparison.similarity[at]),
                keywords: self.scored.keywords.as_ref().map_or(0.0, |(keywords, _)| keywords[at]),
                given: self.scored.given.0.get(&id).copied(),
                seed: self.scored.seed[at],
                seeds: self.scored.seeds_of(id, &self.options.weights),
                received,
                received_otherwise,
                question: if self.index.asks[at] { self.scored.question } else { 0.0 },
                associated: self.scored.associated.of(id),
                retained: self.retained.map_or(1.0, |retained| retained[at]),
                fading: self.fading(id),
                similarity_rank: similarity_ranks.as_ref().map(|ranks| ranks[place]),
                seed_rank: seed_ranks[place],
            });
        }
        hits
    }

    fn fading(&self, id: u32) -> Option<Fading> {
        let ((law, weight), now_ms) = (self.options.retention.as_ref()?, self.cue.now_ms?);
        let age_seconds = age_seconds(now_ms, self.graph.used_ms[id as usize]);
        Some(Fading { age_seconds, law: format!("{law:?}"), weight: *weight })
    }

    /// What others passed on to a node, in any proportion.
    fn passed(&self, factors: &[f32; 256], node: u32) -> Vec<Passed> {
        let of_relations = !matches!(self.options.spreading, Spreading::PageRank { .. });
        let graph = self.scored.in_play_graph.as_ref().unwrap_or(&self.index.graph);
        let passing = self.scored.reached.as_ref().unwrap_or(&self.scored.woken);
        let relations = self.index.reversed.relations_of(node).unwrap_or_default();
        let mut parts = Vec::new();
        for (edge, &relation) in self.index.reversed.edges_of(node).zip(relations) {
            let activation = passing.of(edge.target);
            if activation > 0.0 {
                // A rank is shared by weight among all edges of a node.
                let strength = || graph.out_strength(edge.target).unwrap_or(1.0);
                let factor = if of_relations { factors[relation as usize] } else { 1.0 / strength() };
                let activation = f64::from(activation) * f64::from(edge.weight) * f64::from(factor);
                let activation = activation.min(f64::from(f32::MAX)) as f32;
                parts.push(Passed { from: edge.target, relation, activation });
            }
        }
        parts.retain(|part| part.activation > 0.0);
        parts
    }

    /// What a memory received from others, all together.
    fn sum(&self, id: u32) -> Option<f32> {
        let reached = self.scored.reached.as_ref()?.of(id);
        Some(match self.scored.ranked {
            Some((standard, weight)) => standard.above(weight)(reached),
            None => reached - self.scored.woken.of(id),
        })
    }

    /// What a memory received, each source's share as what that passed on has it.
    fn received(
        &self,
        factors: &[f32; 256],
        strongest: &RefCell<HashMap<u32, Option<u32>>>,
        id: u32,
    ) -> (Vec<Received>, f32) {
        let mut parts = self.passed(factors, id);
        let sum: f64 = parts.iter().map(|part| f64::from(part.activation)).sum();
        let all = self.sum(id);
        if sum == 0.0 {
            return (Vec::new(), all.unwrap_or(0.0));
        }
        let of = |part: &Passed| match all {
            Some(all) => (f64::from(part.activation) / sum * f64::from(all)) as f32,
            None => part.activation,
        };
        // By the strongest at each step, to what the cue itself has woken.
        let before = |mut node: u32| {
            let mut nodes = vec![id, node];
            while self.scored.woken.of(node) == 0.0 {
                let known = strongest.borrow().get(&node).copied();
                let next = known.unwrap_or_else(|| {
                    let most = self.passed(factors, node).into_iter().min_by(Passed::order);
                    *strongest.borrow_mut().entry(node).or_insert(most.map(|most| most.from))
                });
                match next {
                    Some(next) if !nodes.contains(&next) => node = next,
                    _ => break,
                }
                nodes.push(node);
            }
            nodes[2..].iter().map(|&node| self.source(node)).collect()
        };
        let told = |part: Passed| Received {
            from: self.source(part.from),
            before: before(part.from),
            relation: relation::name(part.relation, &self.graph.relations).to_owned(),
            activation: of(&part),
        };
        let most = self.options.told_most;
        if most < parts.len() {
            parts.select_nth_unstable_by(most, Passed::order);
        }
        let otherwise = parts.iter().skip(most).map(of).fold(0.0, |sum, part| sum + part);
        parts.truncate(most);
        parts.sort_unstable_by(Passed::order);
        (parts.into_iter().map(told).collect(), otherwise)
    }

    fn source(&self, node: u32) -> Source {
        let sequence = (node as usize).checked_sub(self.graph.len());
        match sequence.map(|at| (self.index.sequence_names.get(at), at)) {
            None => Source::Memory(node),
            Some((Some(name), _)) => Source::Sequence(name.clone()),
            Some((None, at)) => Source::Context(self.index.contexts[at - self.index.sequences.len()].name.clone()),
        }
    }
}
