//! Standard scores and order, over scores of which NaN means: not in play.

use std::cmp::Ordering;

/// Sums of so many at a time do not wait for each other.
const LANES: usize = 8;
/// Scores that are looked at together, and one by one only where one of them is above a bar.
const BLOCK: usize = 16;

/// Scores, of very many, by which it is guessed how good the best are.
const SAMPLED: usize = 2048;
/// Scores among which several ranks are counted while they are near.
const COUNTED: usize = 2048;

/// Mean and standard deviation of the scores in play.
#[derive(Debug, Clone, Copy)]
pub struct Standard {
    mean: f64,
    deviation: f64,
}

/// The sum of `of` over scores, each in its lane.
fn sum(scores: &[f32], of: impl Fn(f64) -> f64) -> f64 {
    let (lanes, rest) = scores.as_chunks::<LANES>();
    let mut sums = [0.0f64; LANES];
    for lane in lanes {
        sums.iter_mut().zip(lane).for_each(|(sum, &score)| *sum += of(f64::from(score)));
    }
    sums.iter_mut().zip(rest).for_each(|(sum, &score)| *sum += of(f64::from(score)));
    sums.iter().sum()
}

impl Standard {
    /// Of scores, NaN left out.
    pub fn of(scores: &[f32]) -> Self {
        let count = scores.iter().map(|score| u32::from(!score.is_nan())).sum::<u32>().max(1);
        let count = f64::from(count);
        let mean = sum(scores, |score| if score.is_nan() { 0.0 } else { score }) / count;
        let square = |score: f64| (score - mean) * (score - mean);
        let squares = sum(scores, |score| if score.is_nan() { 0.0 } else { square(score) });
        Self { mean, deviation: (squares / count).sqrt() }
    }

    /// Of `count` scores, all 0 but these.
    pub fn of_few(scores: &[f32], count: usize) -> Self {
        let all = count.max(1) as f64;
        let mean = sum(scores, |score| score) / all;
        let squares = sum(scores, |score| (score - mean) * (score - mean));
        let others = count.saturating_sub(scores.len()) as f64 * mean * mean;
        Self { mean, deviation: ((squares + others) / all).sqrt() }
    }

    /// What a score is divided by, beyond the mean; none where all are alike.
    pub fn deviation(&self) -> Option<f32> {
        // What rounding alone makes of scores that are alike is none.
        let alike = self.deviation <= 1e-12 + 1e-7 * self.mean.abs();
        (!alike).then_some(self.deviation as f32)
    }

    /// 0 where all are alike.
    pub fn of_one(&self, score: f32) -> f32 {
        match self.deviation() {
            Some(_) => ((f64::from(score) - self.mean) / self.deviation) as f32,
            None => 0.0,
        }
    }

    /// `weight` times the standard score, cut at 0 and at [`BOUND`].
    pub fn above(&self, weight: f32) -> impl Fn(f32) -> f32 + use<> {
        let (mean, of_one) = (self.mean as f32, self.deviation().map_or(0.0, |deviation| 1.0 / deviation));
        move |score| weight * ((score - mean) * of_one).clamp(0.0, BOUND)
    }
}

/// What a standard score counts at most: what a few of very many memories have must not drown all else.
pub const BOUND: f32 = 10.0;

fn order(a: &(f32, u32), b: &(f32, u32)) -> Ordering {
    b.0.partial_cmp(&a.0).unwrap_or(Ordering::Equal).then(a.1.cmp(&b.1))
}

/// A score above which there are a few more than `most`, as a sample of all has it; there may be fewer, or very many.
fn guess(scores: &[f32], most: usize) -> Option<f32> {
    let step = scores.len() / SAMPLED;
    if step < 2 {
        return None;
    }
    let mut sample: Vec<f32> = scores.iter().step_by(step).copied().filter(|score| !score.is_nan()).collect();
    let expected = (most / step) as f64;
    let place = (expected + 4.0 * expected.sqrt() + 4.0) as usize;
    (place < sample.len()).then(|| *sample.select_nth_unstable_by(place, |a, b| b.total_cmp(a)).1)
}

/// Those in play whose score is above a bar, if there is one.
fn above(scores: &[f32], bar: Option<f32>) -> Vec<(f32, u32)> {
    let bar = bar.unwrap_or(f32::NEG_INFINITY);
    let is_above = |score: f32| score > bar || score == f32::NEG_INFINITY && bar == score;
    let mut all = Vec::new();
    for (block, scores) in scores.chunks(BLOCK).enumerate() {
        if scores.iter().map(|&score| u32::from(is_above(score))).sum::<u32>() > 0 {
            let ids = (block * BLOCK) as u32..;
            all.extend(scores.iter().copied().zip(ids).filter(|(score, _)| is_above(*score)));
        }
    }
    all
}

/// The `most` best in play in any order, ties by lower id.
fn selected(scores: &[f32], most: usize) -> Vec<(f32, u32)> {
    if most == 0 {
        return Vec::new();
    }
    let bar = guess(scores, most);
    let mut all = above(scores, bar);
    if all.len() < most && bar.is_some() {
        all = above(scores, None);
    }
    if most < all.len() {
        all.select_nth_unstable_by(most, order);
        all.truncate(most);
    }
    all
}

/// The `most` best in play, the best first, ties by lower id.
pub fn best(scores: &[f32], most: usize) -> Vec<u32> {
    let mut best = selected(scores, most);
    best.sort_unstable_by(order);
    best.into_iter().map(|(_, id)| id).collect()
}

/// The same by ascending id.
pub fn best_by_id(scores: &[f32], most: usize) -> Vec<u32> {
    // By bits, of which there are few words beside what sorting compares.
    let mut bits = vec![0u64; scores.len().div_ceil(64)];
    selected(scores, most).into_iter().for_each(|(_, id)| bits[id as usize / 64] |= 1 << (id % 64));
    let mut ids = Vec::with_capacity(most.min(scores.len()));
    for (first, mut word) in (0..).step_by(64).zip(bits) {
        while word != 0 {
            ids.push(first + word.trailing_zeros());
            word &= word - 1;
        }
    }
    ids
}

/// The rank of each of some in play, from 1, ties by lower id. Counts that a register holds many of: hits are told
/// among very many.
pub fn ranks(scores: &[f32], of: &[u32]) -> Vec<usize> {
    let its: Vec<f32> = of.iter().map(|&id| scores[id as usize]).collect();
    let mut ranks = vec![1; of.len()];
    for (block, scores) in scores.chunks(COUNTED).enumerate() {
        let first = block * COUNTED;
        for ((rank, &its), &id) in ranks.iter_mut().zip(&its).zip(of) {
            let (before, after) = scores.split_at((id as usize).saturating_sub(first).min(scores.len()));
            let before: u32 = before.iter().map(|&score| u32::from(score >= its)).sum();
            let after: u32 = after.iter().map(|&score| u32::from(score > its)).sum();
            *rank += (before + after) as usize;
        }
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_play_has_no_part_in_means_or_ranks() {
        let scores = [1.0, f32::NAN, 3.0, 3.0];
        assert_eq!(best(&scores, 2), [2, 3]);
        assert_eq!(best(&scores, 9), [2, 3, 0]);
        assert_eq!(ranks(&scores, &[0, 2, 3]), [3, 1, 2]);
        let above = Standard::of(&scores).above(2.0);
        let of_all = scores.map(above);
        let high = 2.0 * 0.5f32.sqrt();
        assert!(of_all[0] == 0.0 && of_all[1].is_nan() && (of_all[2] - high).abs() < 1e-6, "{of_all:?}");
    }

    #[test]
    fn the_best_and_their_ranks_are_those_of_sorting_all() {
        let mut state = 9u32;
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 24
        };
        let mut scores: Vec<f32> = (0..9000).map(|_| draw() as f32 - 128.0).collect();
        for place in (0..9000).step_by(7) {
            scores[place] = f32::NAN;
        }
        for way in 0..3 {
            let mut sorted: Vec<u32> = (0..9000).filter(|&id| !scores[id as usize].is_nan()).collect();
            sorted.sort_by(|&a, &b| scores[b as usize].total_cmp(&scores[a as usize]).then(a.cmp(&b)));
            for most in [0, 1, 2, 10, 999, 7714, 9000, 9999] {
                let expected = &sorted[..most.min(sorted.len())];
                assert_eq!(best(&scores, most), expected, "{way} {most}");
                let mut by_id = expected.to_vec();
                by_id.sort_unstable();
                assert_eq!(best_by_id(&scores, most), by_id, "{way} {most}");
            }
            assert_eq!(ranks(&scores, &sorted), (1..=sorted.len()).collect::<Vec<_>>());
            // The worst first, and then the best first.
            scores.sort_by(|a, b| if way == 0 { a.total_cmp(b) } else { b.total_cmp(a) });
        }
    }

    #[test]
    fn scores_that_hide_from_a_sample_are_found_and_infinite_ones_too() {
        let mut scores = vec![0.0; 10_000];
        // None of them at a place that is sampled.
        (0..300).for_each(|at| scores[at * 20 + 1] = 1.0 + at as f32);
        scores[9] = f32::NEG_INFINITY;
        let expected: Vec<u32> = (0..300).rev().map(|at| at * 20 + 1).collect();
        assert_eq!(best(&scores, 300), expected);
        assert_eq!(best(&scores, 10_000).last(), Some(&9));
        assert_eq!(best(&[f32::NEG_INFINITY; 3], 2), [0, 1]);
        // All of them at such places.
        let scores: Vec<f32> = (0..10_000).map(|at| if at % 4 == 0 { 1.0 } else { 0.0 }).collect();
        let found = best(&scores, 2503);
        assert!(found[..2500].iter().enumerate().all(|(at, &id)| id as usize == 4 * at));
        assert_eq!(found[2500..], [1, 2, 3]);
    }

    #[test]
    fn one_of_very_many_counts_no_more_than_the_bound() {
        let mut scores = vec![0.0; 10_000];
        scores[7] = 1.0;
        let above = Standard::of(&scores).above(0.5);
        assert_eq!((above(1.0), above(0.0)), (0.5 * BOUND, 0.0));
        let of_few = Standard::of_few(&[1.0], 10_000);
        assert!((of_few.of_one(1.0) - Standard::of(&scores).of_one(1.0)).abs() < 1e-3);
    }

    #[test]
    fn scores_that_are_alike_say_nothing() {
        assert_eq!(Standard::of(&[0.1, 0.1, 0.1]).above(1.0)(0.1), 0.0);
        assert_eq!(Standard::of(&[]).of_one(1.0), 0.0);
        assert_eq!(Standard::of_few(&[], 3).of_one(0.0), 0.0);
    }
}
