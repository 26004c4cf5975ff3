use std::fmt;

/// Whose scratch a scope holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Kernel {
    /// [`Search`](crate::Search): queries, the rows that a gather packs, blocks of scores, the best hits.
    Similarity,
    /// [`Graph::spread`](crate::Graph::spread): what is active, and what has fired.
    Spreading,
    /// [`Decay`](crate::Decay), which works in place and takes no scratch.
    Decay,
    /// A scope of the caller's own, [`arena::scope`](crate::arena::scope), whatever runs in it.
    Caller,
}

impl Kernel {
    /// All there are, in the order of their definition.
    pub const ALL: &'static [Self] = &[Self::Similarity, Self::Spreading, Self::Decay, Self::Caller];

    /// The name, in lower case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Similarity => "similarity",
            Self::Spreading => "spreading",
            Self::Decay => "decay",
            Self::Caller => "caller",
        }
    }
}

/// Buckets of a histogram.
pub(crate) const BUCKETS: usize = 369;

/// How many scopes needed how much scratch. Arenas record one for each kernel: [`KernelReport`](crate::KernelReport).
///
/// The need of a scope is the most bytes that it held, and where a request was refused, what it would have held: an
/// arena that forgot what it refuses would look large enough. Only outermost scopes count, with all that is nested in
/// them.
///
/// Needs are told apart in steps of 64 bytes up to 2 KiB, then in 16 steps for each doubling up to 4 GiB: above 1 KiB a
/// step is at most a sixteenth of the need. What lies beyond is one bucket. Every power of two from 64 bytes to 4 GiB
/// is the largest need of a bucket, so how many needs exceed an arena of such a size is exact.
///
/// ```
/// use ecphory::NeedHistogram;
///
/// let mut needs = NeedHistogram::new();
/// for rows in [10, 100, 1000] {
///     needs.record(3072 * (1 + rows));
/// }
/// assert_eq!(needs.above(2 << 20), 1);
/// assert_eq!(needs.quantile(0.5), Some(311_296));
/// ```
///
/// With the feature `serde` it is the list of its buckets that are not empty, each as
/// `[largest need in bytes, scopes]`, in ascending order; the bucket beyond 4 GiB has `null` as its need.
#[derive(Clone, PartialEq, Eq)]
pub struct NeedHistogram {
    counts: Box<[u64; BUCKETS]>,
}

/// The bucket of a need; the kernels' side records by the same formula.
fn bucket(need: usize) -> usize {
    let last = need.saturating_sub(1);
    let step = (last | 1024).ilog2() as usize - 4;
    ((step - 6) * 16 + (last >> step)).min(BUCKETS - 1)
}

/// The largest need of a bucket: `usize::MAX` for the last, and where a `usize` does not reach.
fn upper_edge(bucket: usize) -> usize {
    let octave = (bucket / 16).saturating_sub(1);
    let steps = bucket - octave * 16 + 1;
    if bucket == BUCKETS - 1 { usize::MAX } else { steps.saturating_mul(64 << octave) }
}

impl NeedHistogram {
    /// One without scopes.
    #[must_use]
    pub fn new() -> Self {
        Self::from_counts(&[0; BUCKETS])
    }

    /// One that was recorded elsewhere by the formula of [`bucket`].
    pub(crate) fn from_counts(counts: &[u64; BUCKETS]) -> Self {
        Self { counts: Box::new(*counts) }
    }

    /// Adds a scope that needed so many bytes.
    pub fn record(&mut self, need_bytes: usize) {
        self.add(bucket(need_bytes), 1);
    }

    fn add(&mut self, bucket: usize, scopes: u64) {
        self.counts[bucket] = self.counts[bucket].saturating_add(scopes);
    }

    /// How many scopes there are. As all counts here, it stops at `u64::MAX`.
    #[must_use]
    pub fn count(&self) -> u64 {
        sum(self.counts.iter().copied())
    }

    /// Whether there is no scope.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.iter().all(|&count| count == 0)
    }

    /// Every bucket in ascending order, empty ones too: the largest need it holds, in bytes, and its scopes. The last
    /// has no largest need but `usize::MAX`.
    pub fn buckets(&self) -> impl ExactSizeIterator<Item = (usize, u64)> + '_ {
        self.counts.iter().enumerate().map(|(bucket, &count)| (upper_edge(bucket), count))
    }

    /// How many scopes do not fit an arena of so many bytes. Exact for capacities that are the largest need of a
    /// bucket, as all powers of two from 64 bytes to 4 GiB are. Otherwise the bucket that the capacity falls into
    /// counts as not fitting, so that the answer is never below the truth.
    #[must_use]
    pub fn above(&self, capacity_bytes: usize) -> u64 {
        sum(self.buckets().filter(|&(edge, _)| edge > capacity_bytes).map(|(_, count)| count))
    }

    /// The smallest need in bytes that at least `share` of the scopes do not exceed, rounded up to the largest of its
    /// bucket. None without scopes, or for a share outside 0 to 1.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<usize> {
        if !(0.0..=1.0).contains(&share) {
            return None;
        }
        let wanted = ((share * self.count() as f64).ceil() as u64).max(1);
        let mut seen = 0u64;
        let found = self.buckets().find(|&(_, count)| {
            seen = seen.saturating_add(count);
            seen >= wanted
        });
        // Counts that f64 rounds up may ask for more scopes than there are.
        found.map(|(edge, _)| edge).or_else(|| self.largest())
    }

    /// The largest need in bytes, rounded up to the largest of its bucket. None without scopes.
    #[must_use]
    pub fn largest(&self) -> Option<usize> {
        self.counts.iter().rposition(|&count| count > 0).map(upper_edge)
    }

    /// Adds the scopes of another.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, &count) in other.counts.iter().enumerate() {
            self.add(bucket, count);
        }
    }

    /// The scopes that are here and were not there `earlier`, when it was recorded from the same source. Counts that
    /// have fallen since, as after a restart, are 0.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self { counts: Box::new(std::array::from_fn(|i| self.counts[i].saturating_sub(earlier.counts[i]))) }
    }
}

fn sum(counts: impl Iterator<Item = u64>) -> u64 {
    counts.fold(0, u64::saturating_add)
}

impl Default for NeedHistogram {
    fn default() -> Self {
        Self::new()
    }
}

/// The buckets that are not empty, as largest need and scopes.
impl fmt::Debug for NeedHistogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.buckets().filter(|&(_, count)| count > 0)).finish()
    }
}

#[cfg(feature = "serde")]
mod as_pairs {
    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::{Serialize, Serializer};

    use super::{BUCKETS, NeedHistogram, bucket, upper_edge};

    impl Serialize for NeedHistogram {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let filled = self.buckets().filter(|&(_, count)| count > 0);
            serializer.collect_seq(filled.map(|(edge, count)| ((edge != usize::MAX).then_some(edge), count)))
        }
    }

    impl<'de> Deserialize<'de> for NeedHistogram {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let pairs = Vec::<(Option<usize>, u64)>::deserialize(deserializer)?;
            let mut needs = Self::new();
            let mut free = 0;
            for (edge, count) in pairs {
                let bucket = edge.map_or(BUCKETS - 1, bucket);
                let known = edge.unwrap_or(usize::MAX);
                if upper_edge(bucket) != known {
                    let expected = upper_edge(bucket);
                    return Err(D::Error::custom(format!(
                        "needs: expected the largest need of a bucket, here {expected} bytes, found {known}"
                    )));
                }
                if bucket < free {
                    return Err(D::Error::custom(format!(
                        "needs: expected buckets in ascending order, found {known} bytes after {}",
                        upper_edge(free - 1)
                    )));
                }
                needs.add(bucket, count);
                free = bucket + 1;
            }
            Ok(needs)
        }
    }

    #[cfg(test)]
    mod tests {
        use super::NeedHistogram;

        #[test]
        fn json_holds_the_buckets_that_are_not_empty_and_reads_back() {
            let mut needs = NeedHistogram::new();
            assert_eq!(serde_json::to_string(&needs).unwrap(), "[]");
            for need in [0, 1, 65, 3000, 1 << 32, usize::MAX] {
                needs.record(need);
            }
            let json = serde_json::to_string(&needs).unwrap();
            assert_eq!(json, "[[64,2],[128,1],[3072,1],[4294967296,1],[null,1]]");
            assert_eq!(serde_json::from_str::<NeedHistogram>(&json).unwrap(), needs);
        }

        #[test]
        fn json_that_is_no_histogram_is_refused_with_what_was_expected() {
            let refusal = |json| serde_json::from_str::<NeedHistogram>(json).unwrap_err().to_string();
            let unknown = "expected the largest need of a bucket, here 3072 bytes, found 3000";
            assert!(refusal("[[64,1],[3000,1]]").contains(unknown));
            assert!(refusal("[[0,1]]").contains("here 64 bytes, found 0"));
            let twice = "expected buckets in ascending order, found 64 bytes after 64";
            assert!(refusal("[[64,1],[64,1]]").contains(twice));
            assert!(refusal("[[null,1],[64,1]]").contains("ascending order"));
            assert!(refusal("[[64,-1]]").contains("-1"));
            assert!(refusal("{}").contains("sequence"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_edge_is_in_its_bucket_and_the_next_byte_in_the_next() {
        for i in 0..BUCKETS - 1 {
            assert_eq!((bucket(upper_edge(i)), bucket(upper_edge(i) + 1)), (i, i + 1));
        }
        assert_eq!((bucket(0), bucket(1), bucket(usize::MAX)), (0, 0, BUCKETS - 1));
        assert_eq!(upper_edge(BUCKETS - 2), 1 << 32);
    }

    #[test]
    fn steps_are_64_bytes_up_to_2_kib_and_then_at_most_a_sixteenth() {
        for i in 1..BUCKETS - 1 {
            let (below, edge) = (upper_edge(i - 1), upper_edge(i));
            let step = edge - below;
            assert!(if edge <= 2048 { step == 64 } else { step * 16 <= below }, "{below} to {edge}");
        }
    }
}
