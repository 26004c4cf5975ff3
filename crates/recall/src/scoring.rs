use std::time::Instant;

use ecphory::{Metric, Prepared, Rows, Search};

use crate::english::terms;
use crate::index::Index;
use crate::ranking::standardised;
use crate::{Cue, Error, MemoryGraph, Options, Similarity, Timings};

/// Every memory's part in a recall.
pub(crate) struct Scored {
    pub similarity: Option<Vec<f32>>,
    pub keywords: Vec<f32>,
    pub seed: Vec<f32>,
    /// Activation of memories, sequences and contexts before they passed it on.
    pub woken: Vec<f32>,
    /// What each of them passed on, in any proportion.
    pub passing: Vec<f32>,
    /// What each memory received from others.
    pub received: Vec<f32>,
    pub days: Option<Vec<f32>>,
    pub question: Vec<f32>,
    pub associated: Vec<f32>,
    /// All of it; NaN where a filter keeps it out.
    pub score: Vec<f32>,
    pub timings: Timings,
    pub stopped_early: bool,
}

impl MemoryGraph {
    pub(crate) fn score(
        &self,
        index: &Index,
        cue: &Cue<'_>,
        options: &Options<'_>,
        allowed: Option<&[u64]>,
    ) -> Result<Scored, Error> {
        let (weights, start) = (&options.weights, Instant::now());
        let passed = || options.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        let associates = weights.likeness + weights.rare_words > 0.0;
        let mut scored = self.seeds(index, cue, options, allowed)?;
        scored.timings.seeds = start.elapsed();
        scored.stopped_early = passed();
        if !scored.stopped_early {
            let start = Instant::now();
            self.wake(index, cue, options, &mut scored)?;
            scored.timings.spreading = start.elapsed();
            // Only where something is left to do.
            scored.stopped_early = associates && passed();
        }
        if !scored.stopped_early && associates {
            let start = Instant::now();
            self.associate(index, weights, &mut scored)?;
            scored.timings.association = start.elapsed();
        }
        Ok(scored)
    }

    fn seeds(
        &self,
        index: &Index,
        cue: &Cue<'_>,
        options: &Options<'_>,
        allowed: Option<&[u64]>,
    ) -> Result<Scored, Error> {
        let (len, weights) = (self.len(), &options.weights);
        let in_play = |id: usize| allowed.is_none_or(|bits| bits[id / 64] >> (id % 64) & 1 == 1);
        let mut seed: Vec<f32> = (0..len).map(|id| if in_play(id) { 0.0 } else { f32::NAN }).collect();
        let similarity = cue.vector.map(|vector| self.similarities(index, cue, vector, options.similarity, allowed));
        let similarity = similarity.transpose()?;
        if let Some(similarity) = &similarity {
            standardised(similarity, &mut seed, weights.similarity);
        }
        let keywords = if cue.text.is_empty() { vec![0.0; len] } else { index.keywords.scores(&terms(cue.text)) };
        standardised(&keywords, &mut seed, weights.keywords);
        let mut given = vec![0.0; len];
        cue.scores.iter().for_each(|score| given[score.node as usize] += score.activation);
        standardised(&given, &mut seed, weights.given);
        let (score, none) = (seed.clone(), vec![0.0; len]);
        Ok(Scored {
            similarity,
            keywords,
            seed,
            woken: Vec::new(),
            passing: Vec::new(),
            received: none.clone(),
            days: None,
            question: none.clone(),
            associated: none,
            score,
            timings: Timings::default(),
            stopped_early: false,
        })
    }

    /// Of every vector with the cue's; NaN where a filter keeps it out.
    fn similarities(
        &self,
        index: &Index,
        cue: &Cue<'_>,
        vector: &[f32],
        similarity: Similarity,
        allowed: Option<&[u64]>,
    ) -> Result<Vec<f32>, Error> {
        let whitened = match similarity {
            Similarity::Cosine => false,
            Similarity::Whitened => true,
            Similarity::ByCue => cue.text.is_empty(),
        };
        let mut rows = Prepared::from_parts(Rows::new(&self.vectors, self.dim)?, &index.norms)?;
        if let Some(bits) = allowed {
            rows = rows.filtered(bits)?;
        }
        if !whitened {
            return Ok(Search::new(Metric::Cosine).scores(vector, &rows)?);
        }
        let whitening = index.whitening(&self.vectors)?;
        let (toward, of_mean) = whitening.toward(vector);
        let mut scores = Search::new(Metric::Dot).scores(&toward, &rows)?;
        scores.iter_mut().enumerate().for_each(|(id, score)| *score = whitening.likeness(id, *score, of_mean));
        Ok(scores)
    }
}
