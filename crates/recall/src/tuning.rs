//! Weights chosen on some conversations and judged on another.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::eval::{EvalError, Evidence, Found, Method};
use crate::weights::COUNT;
use crate::{Error, Weights};

/// What a weight may be.
const VALUES: [f32; 6] = [0.0, 0.2, 0.5, 1.0, 2.5, 5.0];
/// How often each weight is looked at.
const PASSES: usize = 2;

type Asked = HashMap<[u32; COUNT], Found>;

/// What weights found that were chosen without the conversation they were asked of.
#[non_exhaustive]
pub struct Tuned {
    /// Of each conversation by its own weights.
    pub found: Found,
    /// These, by conversation.
    pub folds: Vec<Fold>,
}

/// Weights chosen without a conversation.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Fold {
    /// The one left out.
    pub conversation: u64,
    /// What finds most in the others.
    pub weights: Weights,
}

impl Evidence {
    /// For each conversation, the weights that find most in the others, asked of that one alone. They begin with 1
    /// each, whatever the default is; each in turn, twice, may become 0, 0.2, 0.5, 1, 2.5 or 5, and what finds more
    /// among the ten best is kept. Similarity stays at 1, which all else is beside; of links and given scores there are
    /// none. `step` is called after each.
    ///
    /// # Errors
    /// [`EvalError::OneConversation`] where there are fewer than two with questions; what recall says.
    pub fn tuned(&self, mut step: impl FnMut()) -> Result<Tuned, EvalError> {
        let conversations: Vec<usize> = self.with_questions().collect();
        if conversations.len() < 2 {
            return Err(EvalError::OneConversation { found: conversations.len() });
        }
        let (mut asked, mut found, mut folds) = (Asked::new(), Vec::new(), Vec::new());
        for conversation in conversations {
            let mut best = [1.0; COUNT];
            let mut most = self.ask_once(&mut asked, best)?.without(conversation);
            for weight in (0..PASSES).flat_map(|_| tunable()) {
                for value in VALUES {
                    let tried = {
                        let mut tried = best;
                        tried[weight] = value;
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
            folds.push(Fold { conversation: self.conversations[conversation].number, weights: Weights::of(best) });
        }
        Ok(Tuned { found: Found::joined(found), folds })
    }

    /// How often `step` is called.
    pub fn tuning_steps(&self) -> usize {
        self.with_questions().count() * PASSES * tunable().count()
    }

    fn with_questions(&self) -> impl Iterator<Item = usize> {
        let all = self.conversations.iter().enumerate();
        all.filter(|(_, conversation)| !conversation.asked.is_empty()).map(|(place, _)| place)
    }

    fn ask_once<'a>(&self, asked: &'a mut Asked, weights: [f32; COUNT]) -> Result<&'a Found, Error> {
        match asked.entry(weights.map(f32::to_bits)) {
            Entry::Occupied(found) => Ok(found.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(self.ask(&Method::recall(Weights::of(weights)))?)),
        }
    }
}

/// The places of weights that say something here.
fn tunable() -> impl Iterator<Item = usize> {
    let named = Weights::default().named();
    (0..COUNT).filter(move |&place| !["similarity", "given", "link"].contains(&named[place].0))
}
