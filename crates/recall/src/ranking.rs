//! Standard scores and order, over scores of which NaN means: not in play.

/// Mean and standard deviation of the scores in play.
pub struct Standard {
    mean: f64,
    deviation: f64,
}

impl Standard {
    pub fn of(scores: &[f32]) -> Self {
        let in_play = || scores.iter().filter(|score| !score.is_nan()).map(|&score| f64::from(score));
        let count = in_play().count().max(1) as f64;
        let mean = in_play().sum::<f64>() / count;
        let deviation = (in_play().map(|score| (score - mean) * (score - mean)).sum::<f64>() / count).sqrt();
        Self { mean, deviation }
    }

    /// 0 where all are alike.
    pub fn of_one(&self, score: f32) -> f32 {
        // What rounding alone makes of scores that are alike is none.
        if self.deviation <= 1e-12 + 1e-7 * self.mean.abs() {
            return 0.0;
        }
        ((f64::from(score) - self.mean) / self.deviation) as f32
    }
}

/// What a standard score counts at most: what a few of very many memories have must not drown all else.
const BOUND: f32 = 10.0;

/// Adds `weight` times the standard score of each, cut at 0 and at [`BOUND`], to what it has. Where that is NaN the
/// score is not in play.
pub fn standardised(scores: &[f32], to: &mut [f32], weight: f32) {
    let in_play: Vec<f32> =
        scores.iter().zip(&*to).map(|(&score, to)| if to.is_nan() { f32::NAN } else { score }).collect();
    let standard = Standard::of(&in_play);
    let above =
        in_play.iter().map(|&score| if score.is_nan() { 0.0 } else { standard.of_one(score).clamp(0.0, BOUND) });
    to.iter_mut().zip(above).for_each(|(to, above)| *to += weight * above);
}

/// The `most` best in play, the best first, ties by lower id.
pub fn best(scores: &[f32], most: usize) -> Vec<u32> {
    let mut ids: Vec<u32> = (0..scores.len() as u32).filter(|&id| !scores[id as usize].is_nan()).collect();
    let order = |a: &u32, b: &u32| scores[*b as usize].total_cmp(&scores[*a as usize]).then(a.cmp(b));
    if most < ids.len() {
        ids.select_nth_unstable_by(most, order);
        ids.truncate(most);
    }
    ids.sort_unstable_by(order);
    ids
}

/// The rank of one in play, from 1. Counts that a register holds many of: a hit is told among very many.
pub fn rank(scores: &[f32], at: usize) -> usize {
    let its = scores[at];
    let above: u32 = scores.iter().map(|&score| u32::from(score > its)).sum();
    let before: u32 = scores[..at].iter().map(|&score| u32::from(score == its)).sum();
    1 + above as usize + before as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_play_has_no_part_in_means_or_ranks() {
        let scores = [1.0, f32::NAN, 3.0, 3.0];
        assert_eq!(best(&scores, 2), [2, 3]);
        assert_eq!(best(&scores, 9), [2, 3, 0]);
        assert_eq!([rank(&scores, 0), rank(&scores, 2), rank(&scores, 3)], [3, 1, 2]);
        let mut to = [0.0, f32::NAN, 1.0, 0.0];
        standardised(&[0.0, 100.0, 2.0, 1.0], &mut to, 2.0);
        let high = 2.0 * (1.5f32).sqrt();
        assert!(to[0] == 0.0 && to[1].is_nan() && (to[2] - 1.0 - high).abs() < 1e-6 && to[3] == 0.0, "{to:?}");
    }

    #[test]
    fn one_of_very_many_counts_no_more_than_the_bound() {
        let mut scores = vec![0.0; 10_000];
        scores[7] = 1.0;
        let mut to = vec![0.0; 10_000];
        standardised(&scores, &mut to, 0.5);
        assert_eq!((to[7], to[8]), (0.5 * BOUND, 0.0));
    }

    #[test]
    fn scores_that_are_alike_say_nothing() {
        let mut to = [0.0; 3];
        standardised(&[0.1, 0.1, 0.1], &mut to, 1.0);
        assert_eq!(to, [0.0; 3]);
        assert_eq!(Standard::of(&[]).of_one(1.0), 0.0);
    }
}
