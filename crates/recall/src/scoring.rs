use std::collections::BTreeMap;
use std::time::Instant;

use ecphory::Graph;

use crate::association::Associated;
use crate::comparison::{Comparison, Side};
use crate::few::Few;
use crate::index::Index;
use crate::ranking::Standard;
use crate::room::{Room, Rooms};
use crate::{Cue, Error, MemoryGraph, Options, Seeds, Similarity, Spreading, Timings, Weights};

/// Every memory's part in a recall. What few of them have is kept of those alone.
pub(crate) struct Scored<'s, 'a, 'i> {
    pub comparison: Option<Comparison<'s, 'a, 'i>>,
    /// What BM25 gives each, and of these what is standard.
    pub keywords: Option<(Room<'s>, Standard)>,
    /// The caller's scores, in the same way.
    pub given: (BTreeMap<u32, f32>, Standard),
    pub seed: Room<'s>,
    /// All of it; NaN where a filter keeps it out.
    pub score: Room<'s>,
    /// How many no filter keeps out.
    pub in_play: usize,
    /// The edges between those alone, where activation takes more than one step and there are others.
    pub in_play_graph: Option<Graph>,
    /// Activation of memories, sequences and contexts before they passed it on.
    pub woken: Few,
    /// What each of them had in the end, where that is more than one step.
    pub reached: Option<Few>,
    /// Where that is a rank, its standard score is what counts, so much.
    pub ranked: Option<(Standard, f32)>,
    pub days: Option<Vec<f32>>,
    /// What those lost that only ask.
    pub question: f32,
    pub associated: Associated,
    pub timings: Timings,
    pub stopped_early: bool,
}

impl MemoryGraph {
    pub(crate) fn score<'s, 'a, 'i>(
        &'i self,
        index: &'i Index,
        cue: &Cue<'a>,
        options: &'a Options<'a>,
        allowed: Option<&'a [u64]>,
        rooms: &Rooms<'_, 's>,
    ) -> Result<Scored<'s, 'a, 'i>, Error> {
        let (weights, start) = (&options.weights, Instant::now());
        let passed = || options.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        let associates = weights.likeness + weights.rare_words > 0.0;
        let wakes = weights.wakes() || matches!(options.spreading, Spreading::PageRank { .. });
        let mut scored = self.seeds(index, cue, options, allowed, rooms)?;
        scored.stopped_early = (wakes || associates) && passed();
        if wakes && !scored.stopped_early {
            scored.settle_seeds(options.seeds_most)?;
        }
        scored.score.copy_from_slice(&scored.seed);
        scored.timings.seeds = start.elapsed();
        if wakes && !scored.stopped_early {
            let start = Instant::now();
            self.wake(index, cue, options, &mut scored)?;
            scored.timings.spreading = start.elapsed();
            // Only where something is left to do.
            scored.stopped_early = associates && passed();
        }
        if associates && !scored.stopped_early {
            let start = Instant::now();
            self.associate(index, weights, &mut scored)?;
            scored.timings.association = start.elapsed();
        }
        Ok(scored)
    }

    /// What a cue's vector is compared by.
    pub(crate) fn similarity_of(&self, cue: &Cue<'_>, options: &Options<'_>) -> Similarity {
        let has_words = || crate::english::words(cue.text).next().is_some();
        match options.similarity {
            Similarity::ByCue if cue.vector.is_some() && !has_words() => Similarity::Whitened,
            Similarity::ByCue => Similarity::Cosine,
            by => by,
        }
    }

    /// What each begins with.
    fn seeds<'s, 'a, 'i>(
        &'i self,
        index: &'i Index,
        cue: &Cue<'a>,
        options: &'a Options<'a>,
        allowed: Option<&'a [u64]>,
        rooms: &Rooms<'_, 's>,
    ) -> Result<Scored<'s, 'a, 'i>, Error> {
        let (len, weights) = (self.len(), &options.weights);
        let mut seed = rooms.take(len)?;
        let score = rooms.take(len)?;
        let in_play = allowed.map_or(len, |bits| bits.iter().map(|word| word.count_ones() as usize).sum());
        if let Some(bits) = allowed {
            keep_out(bits, &mut seed);
        }
        let mut comparison = None;
        if let Some(vector) = cue.vector {
            let by = self.similarity_of(cue, options);
            let side = Side { graph: self, index, vector, allowed, options };
            let made = side.compare(by, rooms.take(len)?)?;
            let counts = made.counts();
            seed.iter_mut().zip(&*made.similarity).for_each(|(seed, &similarity)| *seed = counts(similarity));
            comparison = Some(made);
        }
        let mut keywords = None;
        if !cue.text.is_empty() {
            let mut scores = rooms.take(len)?;
            index.keywords.add_scores(&self.schema.language.terms(cue.text, &index.kept), &mut scores);
            if let Some(bits) = allowed {
                keep_out(bits, &mut scores);
            }
            let standard = Standard::of(&scores);
            let counts = standard.above(weights.keywords);
            seed.iter_mut().zip(&*scores).for_each(|(seed, &score)| *seed += counts(score));
            keywords = Some((scores, standard));
        }
        let given = given(cue, &seed);
        let scores: Vec<f32> = given.values().copied().collect();
        let given = (given, Standard::of_few(&scores, in_play));
        let counts = given.1.above(weights.given);
        given.0.iter().for_each(|(&id, &score)| seed[id as usize] += counts(score));
        Ok(Scored {
            comparison,
            keywords,
            given,
            seed,
            score,
            in_play,
            in_play_graph: None,
            woken: Few::default(),
            reached: None,
            ranked: None,
            days: None,
            question: 0.0,
            associated: Associated::default(),
            timings: Timings::default(),
            stopped_early: false,
        })
    }
}

/// NaN for each whose bit is 0.
fn keep_out(bits: &[u64], scores: &mut [f32]) {
    for (scores, &word) in scores.chunks_mut(64).zip(bits).filter(|(_, word)| **word != u64::MAX) {
        let out = scores.iter_mut().enumerate().filter(|(bit, _)| word >> bit & 1 == 0);
        out.for_each(|(_, score)| *score = f32::NAN);
    }
}

/// The caller's scores of memories that are in play, those of one memory together.
fn given(cue: &Cue<'_>, seed: &[f32]) -> BTreeMap<u32, f32> {
    let mut given = BTreeMap::new();
    for score in cue.scores.iter().filter(|score| !seed[score.node as usize].is_nan()) {
        *given.entry(score.node).or_insert(0.0) += f64::from(score.activation);
    }
    given.into_iter().map(|(id, sum)| (id, sum.min(f64::from(f32::MAX)) as f32)).collect()
}

impl Scored<'_, '_, '_> {
    /// What the seed of a memory is the sum of.
    pub fn seeds_of(&self, id: u32, weights: &Weights) -> Seeds {
        let (at, given) = (id as usize, self.given.0.get(&id).copied());
        let (of_words, of_given) = (weights.keywords, self.given.1.above(weights.given));
        Seeds {
            similarity: self.comparison.as_ref().map_or(0.0, |made| made.counts()(made.similarity[at])),
            keywords: self.keywords.as_ref().map_or(0.0, |(scores, standard)| standard.above(of_words)(scores[at])),
            given: given.map_or(0.0, of_given),
        }
    }

    /// Has those that may be among the `most` best seeds by vectors themselves, where copies were compared.
    fn settle_seeds(&mut self, most: usize) -> Result<(), Error> {
        let Some(comparison) = &mut self.comparison else { return Ok(()) };
        let more = comparison.settle(&self.seed, most)?;
        more.into_iter().for_each(|(id, more)| self.seed[id as usize] += more);
        Ok(())
    }

    /// Has those that may be among the `most` best by vectors themselves, where copies were compared; of scores,
    /// `retained` have not faded.
    pub fn settle(&mut self, most: usize, retained: Option<&[f32]>) -> Result<(), Error> {
        let Some(comparison) = &mut self.comparison else { return Ok(()) };
        for (id, more) in comparison.settle(&self.score, most)? {
            let (score, kept) = (&mut self.score[id as usize], retained.map_or(1.0, |retained| retained[id as usize]));
            let unfaded = more + if *score > 0.0 { *score / kept } else { *score };
            *score = unfaded * if unfaded > 0.0 { kept } else { 1.0 };
            self.seed[id as usize] += more;
        }
        Ok(())
    }
}
