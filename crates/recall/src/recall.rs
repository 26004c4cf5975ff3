use std::time::Instant;

use rayon::prelude::*;

use crate::index::Index;
use crate::ranking::{best, rank};
use crate::scoring::Scored;
use crate::{
    Cue, Error, HeldBack, HeldBy, Hit, MemoryGraph, Options, Recall, Received, Source, Spreading, Timings, relation,
};

impl MemoryGraph {
    /// What a cue brings back. Nothing is changed by it: no memory counts as used.
    ///
    /// ```
    /// use ecphory_recall::{Cue, Memory, MemoryGraph, Options, Schema};
    ///
    /// let mut graph = MemoryGraph::new(2, Schema::new().sequence("day"))?;
    /// let mut heard = |vector: [f32; 2], text, day| {
    ///     graph.insert(Memory::new(vector.into()).text(text).with("day", day))
    /// };
    /// let asked = heard([1.0, 0.0], "Where did you leave the keys?", "Monday")?;
    /// let told = heard([0.0, 1.0], "On the shelf.", "Monday")?;
    /// heard([0.6, -0.8], "Nice weather.", "Tuesday")?;
    ///
    /// let found = graph.recall(&Cue::new().vector(&[1.0, 0.1]).text("the keys"), &Options::default().top_k(2))?;
    /// assert_eq!(found.hits[0].memory, told); // By what was said before it.
    /// assert_eq!(found.hits[0].received[0].relation, "answer");
    /// assert_eq!(found.hits[1].memory, asked);
    /// # Ok::<(), ecphory_recall::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::EmptyCue`]; [`Error::Dim`] and [`Error::Value`] for vectors, scores, weights; [`Error::NoMemory`] for
    /// ids of scores and filters; [`Error::Kernel`] with what a kernel said, out of memory among it.
    pub fn recall(&self, cue: &Cue<'_>, options: &Options<'_>) -> Result<Recall, Error> {
        options.check(self)?;
        self.check_cue(cue)?;
        if self.is_empty() {
            return Ok(Recall::default());
        }
        let index = self.index()?;
        let allowed = options.filter.map(|filter| filter.bits(&self.memories));
        let mut scored = self.score(index, cue, options, allowed.as_deref())?;
        let start = Instant::now();
        let unfaded = scored.score.clone();
        let retained = self.fade(cue, options, &mut scored.score)?;
        let top = best(&scored.score, options.top_k);
        let mut held_back = Vec::new();
        if options.held_back_most > 0 {
            held_back = held(&best(&unfaded, options.top_k), &top, HeldBy::Retention, |_| true);
            if let Some(bits) = &allowed {
                let mut all = self.score(index, cue, options, None)?;
                self.fade(cue, options, &mut all.score)?;
                let out = |id: u32| bits[id as usize / 64] >> (id % 64) & 1 == 0;
                held_back.extend(held(&best(&all.score, options.top_k), &top, HeldBy::Filter, out));
            }
            held_back.sort_by_key(|held| held.rank);
            held_back.truncate(options.held_back_most);
        }
        let hits = top.iter().map(|&id| self.explain(index, options, &scored, retained.as_deref(), id)).collect();
        let timings = Timings { telling: start.elapsed(), ..scored.timings };
        Ok(Recall { hits, held_back, timings, stopped_early: scored.stopped_early })
    }

    /// [`MemoryGraph::recall`] of each cue, on the threads of the current rayon pool.
    ///
    /// # Errors
    /// As [`MemoryGraph::recall`], of the first cue that has one.
    pub fn recall_each(&self, cues: &[Cue<'_>], options: &Options<'_>) -> Result<Vec<Recall>, Error> {
        self.index()?;
        cues.par_iter().map(|cue| self.recall(cue, options)).collect()
    }

    /// What of each score has not faded, if anything may.
    fn fade(&self, cue: &Cue<'_>, options: &Options<'_>, scores: &mut [f32]) -> Result<Option<Vec<f32>>, Error> {
        let (Some((law, weight)), Some(now_ms)) = (&options.retention, cue.now_ms) else { return Ok(None) };
        let age = |memory: &crate::Memory| match memory.pinned {
            true => 0.0,
            false => now_ms.saturating_sub(memory.used_ms).max(0) as f32 / 1e3,
        };
        let ages: Vec<f32> = self.memories.iter().map(age).collect();
        let mut retained = vec![1.0; self.len()];
        law.apply(&mut retained, ecphory::Ages::Seconds(&ages))?;
        for (retained, score) in retained.iter_mut().zip(scores) {
            *retained = 1.0 - weight * (1.0 - *retained);
            // What tells against a memory does not fade.
            *score *= if *score > 0.0 { *retained } else { 1.0 };
        }
        Ok(Some(retained))
    }

    fn explain(&self, index: &Index, options: &Options<'_>, scored: &Scored, retained: Option<&[f32]>, id: u32) -> Hit {
        let at = id as usize;
        let mut received = self.received(index, options, scored, at);
        if let Some(&activation) = scored.days.as_ref().map(|days| &days[at]).filter(|day| **day > 0.0) {
            let (from, relation) = (Source::Context("date".into()), "context".into());
            received.push(Received { from, before: Vec::new(), relation, activation });
        }
        received.sort_by(|a, b| b.activation.total_cmp(&a.activation));
        Hit {
            memory: id,
            score: scored.score[at],
            similarity: scored.similarity.as_ref().map(|similarity| similarity[at]),
            keywords: scored.keywords[at],
            seed: scored.seed[at],
            received,
            question: scored.question[at],
            associated: scored.associated[at],
            retained: retained.map_or(1.0, |retained| retained[at]),
            similarity_rank: scored.similarity.as_ref().map(|similarity| rank(similarity, at)),
            seed_rank: rank(&scored.seed, at),
        }
    }

    /// What a memory received, each source's share as what that passed on has it.
    fn received(&self, index: &Index, options: &Options<'_>, scored: &Scored, id: usize) -> Vec<Received> {
        let factors = options.weights.factors();
        let of_relations = !matches!(options.spreading, Spreading::PageRank { .. });
        let passed = |node: usize| -> Vec<(usize, u8, f32)> {
            let relations = index.reversed.relations_of(node as u32).unwrap_or_default();
            let edges = index.reversed.edges_of(node as u32).zip(relations).map(|(edge, &of)| {
                // A rank is shared by weight among all edges of a node.
                let strength = || index.graph.out_strength(edge.target).unwrap_or(1.0);
                let factor = if of_relations { factors[of as usize] } else { 1.0 / strength() };
                let passing = scored.passing.get(edge.target as usize).copied().unwrap_or(0.0);
                (edge.target as usize, of, passing * edge.weight * factor)
            });
            edges.filter(|(_, _, activation)| *activation > 0.0).collect()
        };
        let parts = passed(id);
        let sum: f32 = parts.iter().map(|part| part.2).sum();
        let share = |activation: f32| if sum > 0.0 { activation / sum * scored.received[id] } else { 0.0 };
        // By the strongest at each step, to what the cue itself has woken.
        let before = |mut node: usize| {
            let mut nodes = vec![id, node];
            while scored.woken[node] == 0.0 {
                let strongest = passed(node).into_iter().max_by(|a, b| a.2.total_cmp(&b.2).then(b.0.cmp(&a.0)));
                match strongest {
                    Some((next, _, _)) if !nodes.contains(&next) => node = next,
                    _ => break,
                }
                nodes.push(node);
            }
            nodes[2..].iter().map(|&node| self.source(index, node)).collect()
        };
        let told = |(node, of, activation): (usize, u8, f32)| Received {
            from: self.source(index, node),
            before: before(node),
            relation: relation::name(of, &self.relations).to_owned(),
            activation: share(activation),
        };
        parts.into_iter().map(told).collect()
    }

    fn source(&self, index: &Index, node: usize) -> Source {
        let sequence = node.checked_sub(self.len());
        match sequence.map(|at| (index.sequence_names.get(at), at)) {
            None => Source::Memory(node as u32),
            Some((Some(name), _)) => Source::Sequence(name.clone()),
            Some((None, at)) => Source::Context(index.contexts[at - index.sequences.len()].name.clone()),
        }
    }
}

/// Those of the first that are not in the second, with their rank in the first.
fn held(would: &[u32], did: &[u32], by: HeldBy, counts: impl Fn(u32) -> bool) -> Vec<HeldBack> {
    let missing = (1..).zip(would).filter(|(_, id)| !did.contains(id) && counts(**id));
    missing.map(|(rank, &memory)| HeldBack { memory, by, rank }).collect()
}
