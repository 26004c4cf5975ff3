use std::sync::atomic::{AtomicU32, Ordering};

use crate::similarity::{fit, spare};
use crate::{Error, Metric, Seed};

/// A row found, and its score.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// Index of the row.
    pub row: usize,
    /// Its score under the metric of the search.
    pub score: f32,
}

/// The best rows of a search. Two are equal where hits and the number of rows that scored NaN are, which do not depend
/// on threads: [`TopK::rescored_rows`] may, and is not compared.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct TopK {
    /// Nearest first, ties by lower row.
    pub hits: Vec<Hit>,
    /// Rows that scored NaN: left out of `hits`.
    pub nan_rows: usize,
    /// Rows that were scored where a [`Companion`](crate::Companion) excluded others; 0 where none was looked at: where
    /// there is none, with [`Precision::Precise`](crate::Precision::Precise), and of many queries, by
    /// [`Search::top_k_each`](crate::Search::top_k_each). Of many rows on several threads it may differ from call to
    /// call: tasks tell each other what they have found.
    pub rescored_rows: usize,
    /// Where it is known.
    pub(crate) scored_by: Option<Metric>,
}

/// The metric follows from the search, so hits that are the same are equal.
impl PartialEq for TopK {
    fn eq(&self, other: &Self) -> bool {
        self.hits == other.hits && self.nan_rows == other.nan_rows
    }
}

impl TopK {
    /// The hits as seeds of a spread, node `i` standing for row `i`, activated by its score. For a cosine, a dot
    /// product or Jaccard's similarity; hits of a score of 0 or less are left out, for activation is never negative.
    ///
    /// ```
    /// use ecphory::{Metric, Rows, Search, Seed};
    ///
    /// let rows = Rows::new(&[1.0, 0.0, 0.6, 0.8, -1.0, 0.0], 2)?;
    /// let best = Search::new(Metric::Cosine).top_k(&[1.0, 0.0], &rows, 3)?;
    /// assert_eq!(best.seeds()?, [Seed::new(0, 1.0), Seed::new(1, 0.6)]);
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Distances`] for the hits of a search by distance, which is no activation: the farthest would wake most;
    /// [`Error::OutOfMemory`].
    pub fn seeds(&self) -> Result<Vec<Seed>, Error> {
        if let Some(metric) = self.scored_by
            && metric.is_distance()
        {
            return Err(Error::Distances { metric: metric.name() });
        }
        let mut seeds = spare(self.hits.len())?;
        let awake = self.hits.iter().filter(|hit| hit.score > 0.0);
        // A row beyond u32 is no node of any graph: the spread will say so.
        seeds.extend(awake.map(|hit| Seed::new(hit.row.try_into().unwrap_or(u32::MAX), hit.score)));
        Ok(seeds)
    }

    /// The best `k` of all of `parts`.
    pub(crate) fn merged<'p>(
        metric: Metric,
        parts: impl Iterator<Item = &'p Self> + Clone,
        k: usize,
    ) -> Result<Self, Error> {
        let nan_rows = parts.clone().map(|part| part.nan_rows).sum();
        let rescored_rows = parts.clone().map(|part| part.rescored_rows).sum();
        let mut hits = spare(parts.clone().map(|part| part.hits.len()).sum())?;
        parts.for_each(|part| hits.extend_from_slice(&part.hits));
        hits.sort_unstable_by(|a, b| metric.order(a, b));
        hits.truncate(k);
        fit(&mut hits);
        Ok(Self { hits, nan_rows, rescored_rows, scored_by: Some(metric) })
    }
}

/// What a score must be as good as to be among the best `k` of one query, as far as its tasks know: one that has found
/// `k` hits spares the others what is worse than all of them. Hits do not depend on who knows it when.
pub(crate) struct Bar {
    metric: Metric,
    bits: AtomicU32,
}

impl Bar {
    pub fn new(metric: Metric, score: f32) -> Self {
        Self { metric, bits: AtomicU32::new(score.to_bits()) }
    }

    pub fn score(&self) -> f32 {
        f32::from_bits(self.bits.load(Ordering::Relaxed))
    }

    /// To the last of `k` hits, where there are so many.
    pub fn raise(&self, hits: &[Hit], k: usize) {
        let Some(last) = hits.last().filter(|_| hits.len() == k) else { return };
        let nearer = |bits| self.metric.nearer(last.score, f32::from_bits(bits)).then(|| last.score.to_bits());
        // Where it is no nearer, the bar stays as it is.
        let _ = self.bits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, nearer);
    }
}
