use ecphory::{Metric, Rows, Search};

use crate::index::Index;
use crate::ranking::{Standard, best, best_by_id};
use crate::scoring::Scored;
use crate::{Error, MemoryGraph, Weights};

/// Memories among which likeness to the best is told.
const POOL: usize = 1024;
/// The standard score above which a memory is one of the strongest.
const SHARP: f32 = 1.5;
/// How many of them count.
const STRONGEST_MOST: usize = 32;

/// What likeness to the strongest, and rare words of theirs, brought.
#[derive(Default)]
pub(crate) struct Associated {
    /// By ascending id.
    brought: Vec<(u32, f32)>,
    /// To all others.
    least: f32,
}

impl Associated {
    pub fn of(&self, id: u32) -> f32 {
        let place = self.brought.binary_search_by_key(&id, |(id, _)| *id);
        place.map_or(self.least, |place| self.brought[place].1)
    }
}

/// The strongest of the best memories, these by ascending id, each with its share of 1: the square of what its standard
/// score has above [`SHARP`].
fn strongest(scores: &[f32], pool: &[u32]) -> Vec<(u32, f32)> {
    let standard = Standard::of(scores);
    let of_pool: Vec<f32> = pool.iter().map(|&id| scores[id as usize]).collect();
    let over = |at: u32| (standard.of_one(of_pool[at as usize]) - SHARP).max(0.0).powi(2);
    let all = best(&of_pool, STRONGEST_MOST).into_iter().map(|at| (pool[at as usize], over(at)));
    let all: Vec<(u32, f32)> = all.filter(|(_, over)| *over > 0.0).collect();
    let sum: f32 = all.iter().map(|(_, over)| over).sum();
    all.into_iter().map(|(id, over)| (id, over / sum)).collect()
}

impl MemoryGraph {
    /// What those that have most bring to what is like them, and to what has rare words of theirs.
    pub(crate) fn associate(
        &self,
        index: &Index,
        weights: &Weights,
        scored: &mut Scored<'_, '_, '_>,
    ) -> Result<(), Error> {
        let mut pool = best_by_id(&scored.score, POOL);
        let strongest = strongest(&scored.score, &pool);
        if strongest.is_empty() {
            return Ok(());
        }
        let rare = if weights.rare_words > 0.0 { index.rare_words_of(&strongest) } else { Default::default() };
        let more = rare.keys().filter(|id| !scored.score[**id as usize].is_nan() && pool.binary_search(id).is_err());
        let more: Vec<u32> = more.copied().collect();
        if !more.is_empty() {
            pool.extend(more);
            pool.sort_unstable();
        }
        let shared: Vec<f32> = pool.iter().map(|id| rare.get(id).copied().unwrap_or(0.0)).collect();
        let likeness = self.likeness(index, &strongest, &pool)?;
        let (of_shared, of_likeness) = (Standard::of(&shared), Standard::of(&likeness));
        let brought = shared.into_iter().zip(likeness).map(|(shared, likeness)| {
            weights.rare_words * of_shared.of_one(shared) + weights.likeness * of_likeness.of_one(likeness)
        });
        let brought: Vec<(u32, f32)> = pool.iter().copied().zip(brought).collect();
        // Nobody outside the pool may pass those in it by having had no part in this.
        let least = brought.iter().fold(0.0f32, |least, (_, brought)| least.min(*brought));
        let before: Vec<f32> = pool.iter().map(|&id| scored.score[id as usize]).collect();
        scored.score.iter_mut().for_each(|score| *score += least);
        for (&(id, brought), before) in brought.iter().zip(before) {
            scored.score[id as usize] = before + brought;
        }
        scored.associated = Associated { brought, least };
        Ok(())
    }

    /// The cosine of each of some memories with the strongest together, all taken from the mean of all vectors.
    fn likeness(&self, index: &Index, strongest: &[(u32, f32)], of: &[u32]) -> Result<Vec<f32>, Error> {
        let mut toward = vec![0.0f64; self.dim];
        for &(id, share) in strongest {
            let row = &self.vectors[id as usize * self.dim..][..self.dim];
            let apart = f64::from(index.apart[id as usize]);
            let share = if apart > 0.0 { f64::from(share) / apart } else { 0.0 };
            let centred = row.iter().zip(&index.mean).map(|(&x, &mean)| f64::from(x) - f64::from(mean));
            toward.iter_mut().zip(centred).for_each(|(sum, x)| *sum += share * x);
        }
        let length = toward.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length == 0.0 {
            return Ok(vec![0.0; of.len()]);
        }
        let toward: Vec<f32> = toward.iter().map(|x| (x / length) as f32).collect();
        let of_mean: f64 = toward.iter().zip(&index.mean).map(|(&t, &m)| f64::from(t) * f64::from(m)).sum();
        let search = Search::new(Metric::Dot);
        let dots = match &index.copies {
            Some((copies, _)) => search.gather(&toward, &copies.rows(), of)?,
            None => search.gather(&toward, &Rows::new(&self.vectors, self.dim)?, of)?,
        };
        let like = |(&id, dot): (&u32, f32)| match index.apart[id as usize] {
            apart if apart > 0.0 => (dot - of_mean as f32) / apart,
            _ => 0.0,
        };
        Ok(of.iter().zip(dots).map(like).collect())
    }
}
