//! Weights chosen on some conversations and judged on another.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::eval::{Evidence, Found, Method};
use crate::weights::COUNT;
use crate::{Error, Similarity, Weights};

/// What a weight is multiplied by.
const FACTORS: [f32; 4] = [0.0, 0.5, 1.5, 2.5];

type Asked = HashMap<[u32; COUNT], Found>;

impl Evidence {
    /// For each conversation, the weights that find most in the others, asked of that one alone: each weight in turn is
    /// multiplied by 0, 0.5, 1.5 and 2.5, and what finds more among the ten best is kept. `step` is called after each.
    ///
    /// # Errors
    /// What recall says.
    pub fn tuned(&self, mut step: impl FnMut()) -> Result<Found, Error> {
        let (mut asked, mut found) = (Asked::new(), Vec::new());
        for conversation in 0..self.counts().0 {
            let mut best = Weights::default().all();
            let mut most = self.ask_once(&mut asked, best)?.without(conversation);
            for weight in 0..best.len() {
                let its = best[weight];
                for factor in FACTORS {
                    let tried = {
                        let mut tried = best;
                        tried[weight] = its * factor;
                        tried
                    };
                    let share = self.ask_once(&mut asked, tried)?.without(conversation);
                    if share > most {
                        (most, best) = (share, tried);
                    }
                }
                step();
            }
            found.push(self.ask_once(&mut asked, best)?.of(conversation));
        }
        Ok(Found::joined(found))
    }

    /// How often `step` is called.
    pub fn tuning_steps(&self) -> usize {
        self.counts().0 * Weights::default().all().len()
    }

    fn ask_once<'a>(&self, asked: &'a mut Asked, weights: [f32; COUNT]) -> Result<&'a Found, Error> {
        match asked.entry(weights.map(f32::to_bits)) {
            Entry::Occupied(found) => Ok(found.into_mut()),
            Entry::Vacant(place) => {
                let weights = Weights::of(weights);
                let method = Method::Recall { text: true, similarity: Similarity::ByCue, weights };
                Ok(place.insert(self.ask(&method)?))
            }
        }
    }
}
