use std::time::Instant;

use ecphory::{Decay, Graph, OverflowPolicy, PageRank};

use crate::filter::Filter;
use crate::weights::{self, Weights};
use crate::{Error, MemoryGraph};

/// What [`Spreading::Hops`] has at most.
const HOPS_MOST: u32 = 1024;

/// What counts how much. The sum of it all orders the memories:
///
/// ```text
/// seed     = similarity * z+(cosine) + keywords * z+(BM25) + given * z+(score)
/// received = sum over what leads to the memory: its factor * the seed of the memory, sequence or context it comes from
/// sum      = seed + received - question + associated
/// score    = sum * retained where the sum is above 0, and the sum where it is not
/// ```
///
/// where z+ is the standard score over the memories that may be recalled, cut at 0 and at 10. A context that the cue
/// names has `context * ln(memories / its members)`: what names few says much, as the fan of ACT-R has it.
///
/// A sum is below 0 where a memory only asks (`question`), or is less like the best than others are (`associated`), and
/// has less than that from the cue. It still comes back if nothing better is left, last; and it does not fade, for that
/// would lift it.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Options<'a> {
    pub(crate) top_k: usize,
    pub(crate) seeds_most: usize,
    pub(crate) told_most: usize,
    pub(crate) held_back_most: usize,
    pub(crate) filter: Option<&'a Filter>,
    pub(crate) weights: Weights,
    pub(crate) similarity: Similarity,
    pub(crate) spreading: Spreading,
    pub(crate) retention: Option<(Decay<'static>, f32)>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) overflow: OverflowPolicy,
}

/// How activation spreads from the memories, sequences and contexts that a cue has woken.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Spreading {
    /// One step: each passes on its activation times the factor of the relation and the weight of the edge.
    Once,
    /// So many steps of that kind, in each of which a node that has not yet done so, and has `threshold` or more,
    /// passes on `transmission` of what one step would. What a memory has in the end beyond its seed is what it
    /// received; hits tell it in the proportion of what those before them have in the end.
    Hops {
        /// 1 to 1024.
        hops: u32,
        /// 0 to 1,000,000.
        transmission: f32,
        /// Finite, 0 or more.
        threshold: f32,
    },
    /// Personalised PageRank near what is woken, down to `epsilon`; a memory receives `weight` times the standard score
    /// of its rank, cut as those of seeds are. Relations all count alike.
    PageRank {
        /// Its alpha, and what becomes of the share of nodes that lead nowhere.
        ranks: PageRank,
        /// As in [`PageRank::push`]: 1e-12 to 1.
        epsilon: f64,
        /// How much it counts: 0 to 1,000,000.
        weight: f32,
    },
}

/// What the cue's vector and a memory's are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Similarity {
    /// The cosine.
    Cosine,
    /// The cosine of what sets both apart from the mean of all vectors, a difference counting the more the fewer
    /// vectors have it: Mahalanobis' inner product, by the covariance of the vectors (of 4,096 of them at most) and as
    /// much of the identity as keeps it near the cosine where vectors are few. The first cue that asks for it after a
    /// change takes the time of that many dot products for each element.
    Whitened,
    /// `Whitened` where the cue has no words, for it finds more there; the cosine beside words, where it does not.
    ByCue,
}

impl Default for Options<'_> {
    /// The ten best; 256 seeds; 32 of the ways by which a hit received something; none of what is held back; the
    /// weights of [`Weights::default`]; nothing fades; no deadline; [`OverflowPolicy::Heap`].
    fn default() -> Self {
        Self {
            top_k: 10,
            seeds_most: 256,
            told_most: 32,
            held_back_most: 0,
            filter: None,
            weights: Weights::default(),
            similarity: Similarity::ByCue,
            spreading: Spreading::Once,
            retention: None,
            deadline: None,
            overflow: OverflowPolicy::Heap,
        }
    }
}

impl<'a> Options<'a> {
    /// How many memories to recall at most.
    pub fn top_k(self, top_k: usize) -> Self {
        Self { top_k, ..self }
    }

    /// How many memories pass on what they begin with at most: the best of those that have more than 0.
    pub fn seeds_most(self, seeds_most: usize) -> Self {
        Self { seeds_most, ..self }
    }

    /// By how many ways a hit's activation came, the strongest, is told of each at most; the rest is
    /// [`Hit::received_otherwise`](crate::Hit).
    pub fn told_most(self, told_most: usize) -> Self {
        Self { told_most, ..self }
    }

    /// How many of those to tell that a filter or time keeps out of them. What a filter keeps out costs a second recall
    /// without it.
    pub fn held_back(self, most: usize) -> Self {
        Self { held_back_most: most, ..self }
    }

    /// Which memories may be recalled. The others are as if they were not there: they wake nothing, nothing reaches
    /// others through them, in whichever [`Spreading`], and standard scores are without them. What words and sequences
    /// they have still counts in how rare those are. [`Spreading::Hops`] and [`Spreading::PageRank`] first copy the
    /// edges between what it lets pass: a look at every edge, and 9 bytes for each of those.
    pub fn filter(self, filter: &'a Filter) -> Self {
        Self { filter: Some(filter), ..self }
    }

    /// What counts how much.
    pub fn weights(self, weights: Weights) -> Self {
        Self { weights, ..self }
    }

    /// What vectors are compared by.
    pub fn similarity(self, similarity: Similarity) -> Self {
        Self { similarity, ..self }
    }

    /// How activation spreads from what the cue has woken.
    pub fn spreading(self, spreading: Spreading) -> Self {
        Self { spreading, ..self }
    }

    /// What fades, by a law, from the last use on: of a score `weight` (0 to 1) fades and the rest stays, a hundredth
    /// at least, so nothing is ever lost. Pinned memories do not fade, those of the future have age 0, and a cue
    /// without its moment fades none.
    pub fn retention(self, law: Decay<'static>, weight: f32) -> Self {
        Self { retention: Some((law, weight)), ..self }
    }

    /// The moment after which no step begins: what seeds wake, and what is like the best of those. The clock is looked
    /// at before each, and a step that has begun is taken to its end. Seeds are always there, however late it is, and
    /// so hits come back that are ordered by what was done till then; the order is by all that the formula has where
    /// [`Recall::stopped_early`](crate::Recall) is false. No deadline ends what the first recall after a change makes
    /// ([`MemoryGraph`]). In [`MemoryGraph::recall_each`], cues whose turn comes too late bring nothing back.
    pub fn deadline(self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// What to do where scratch does not fit the thread's arena, of kernels and of recall itself: 4 bytes for each
    /// memory and each of a vector, words, the seed, the score, and 8 where something may fade. The arena does not grow
    /// for that of recall itself, which under [`OverflowPolicy::Grow`] is lent from the heap.
    pub fn on_overflow(self, overflow: OverflowPolicy) -> Self {
        Self { overflow, ..self }
    }

    pub(crate) fn check(&self, graph: &MemoryGraph) -> Result<(), Error> {
        self.weights.check()?;
        self.spreading.check()?;
        if let Some((_, weight)) = self.retention
            && !(0.0..=1.0).contains(&weight)
        {
            let (what, expected) = ("weight of retention", "a number from 0 to 1");
            return Err(Error::Option { what, expected, found: weight.into() });
        }
        self.filter.map_or(Ok(()), |filter| filter.check(graph.len()))
    }
}

impl Spreading {
    fn check(&self) -> Result<(), Error> {
        match *self {
            Self::Once => Ok(()),
            Self::Hops { hops, transmission, threshold } => {
                if !(1..=HOPS_MOST).contains(&hops) {
                    return Err(Error::Option { what: "hops", expected: "1 to 1024", found: hops.into() });
                }
                weights::check("transmission", transmission)?;
                if !(threshold.is_finite() && threshold >= 0.0) {
                    let (what, expected) = ("threshold", "a finite number, 0 or more");
                    return Err(Error::Option { what, expected, found: threshold.into() });
                }
                Ok(())
            }
            Self::PageRank { ranks, epsilon, weight } => {
                weights::check("weight of ranks", weight)?;
                // What it says itself of the rest.
                ranks.push(&Graph::from_edges(1, [])?, &[], epsilon)?;
                Ok(())
            }
        }
    }
}
