use std::fmt;
use std::str::FromStr;

use crate::element::sealed::Sealed;
use crate::{Element, Error, Hit, ffi};

/// How a query and a row are compared. The first three are of numbers, the others of bits: [`Error::Metric`] elsewhere.
/// Displayed, read and kept by its name, as it is written here.
///
/// ```
/// use ecphory::Metric;
///
/// assert_eq!("SquaredEuclidean".parse::<Metric>()?, Metric::SquaredEuclidean);
/// assert_eq!(Metric::Cosine.to_string(), "Cosine");
/// # Ok::<(), ecphory::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Metric {
    /// Cosine of the angle, in [-1, 1] up to rounding; higher is nearer. A zero vector scores 0 against every finite
    /// one, and an infinity anywhere makes NaN. Norms from f32's smallest to its largest numbers neither under- nor
    /// overflow.
    Cosine,
    /// Dot product; higher is nearer. Beyond f32 it is infinite.
    Dot,
    /// Squared Euclidean distance; lower is nearer. Beyond f32 it is infinite.
    SquaredEuclidean,
    /// The number of bits that differ; lower is nearer. All 8 bits of all `dim` bytes count, those too that fill up the
    /// last byte: they should be the same everywhere, as [`quantize_bits`](crate::quantize_bits) leaves them. Above
    /// 2^24 it is rounded to f32.
    Hamming,
    /// The number of bits set in both by that of bits set in either, in [0, 1]; higher is nearer. 1 where neither has
    /// any. All 8 bits of all `dim` bytes count: those that fill up the last should be 0.
    Jaccard,
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Metric {
    type Err = Error;

    /// [`Error::UnknownMetric`] for what is no metric's name.
    fn from_str(name: &str) -> Result<Self, Error> {
        let known = Self::ALL.iter().copied().find(|metric| metric.name() == name);
        known.ok_or_else(|| Error::UnknownMetric { found: name.to_string() })
    }
}

impl Metric {
    /// All there are, in the order of their definition.
    pub const ALL: &'static [Self] = &[Self::Cosine, Self::Dot, Self::SquaredEuclidean, Self::Hamming, Self::Jaccard];

    pub(crate) fn code(self) -> u32 {
        match self {
            Self::Cosine => ffi::ECP_METRIC_COSINE,
            Self::Dot => ffi::ECP_METRIC_DOT,
            Self::SquaredEuclidean => ffi::ECP_METRIC_SQUARED_EUCLIDEAN,
            Self::Hamming => ffi::ECP_METRIC_HAMMING,
            Self::Jaccard => ffi::ECP_METRIC_JACCARD,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cosine => "Cosine",
            Self::Dot => "Dot",
            Self::SquaredEuclidean => "SquaredEuclidean",
            Self::Hamming => "Hamming",
            Self::Jaccard => "Jaccard",
        }
    }

    pub(crate) fn is_distance(self) -> bool {
        matches!(self, Self::SquaredEuclidean | Self::Hamming)
    }

    /// Whether rows of `T` have it.
    pub(crate) fn check<T: Element>(self) -> Result<(), Error> {
        let of_bits = matches!(self, Self::Hamming | Self::Jaccard);
        if of_bits == (<T as Sealed>::TYPE == ffi::ECP_TYPE_BITS) {
            return Ok(());
        }
        Err(Error::Metric { metric: self.name(), elements: <T as Sealed>::NAME })
    }

    /// The threshold that every score but NaN passes.
    pub(crate) fn farthest(self) -> f32 {
        if self.is_distance() { f32::INFINITY } else { f32::NEG_INFINITY }
    }

    pub(crate) fn nearer(self, score: f32, than: f32) -> bool {
        if self.is_distance() { score < than } else { score > than }
    }

    /// Nearest first, ties by lower row. Neither score is NaN.
    pub(crate) fn order(self, a: &Hit, b: &Hit) -> std::cmp::Ordering {
        let scores = a.score.partial_cmp(&b.score).unwrap_or(std::cmp::Ordering::Equal);
        let nearest = if self.is_distance() { scores } else { scores.reverse() };
        nearest.then(a.row.cmp(&b.row))
    }
}
