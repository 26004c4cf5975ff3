//! Libraries that compare two vectors at a time.

use std::slice;

use ecphory_measure::{Kind, Metric};
use half::{bf16, f16};
use numkong::{Angular, Dot, Euclidean, Hamming, Jaccard, u1x8};
use simsimd::{BinarySimilarity, SpatialSimilarity};

use super::Peer;

pub const NUMKONG: &str = "numkong";

const SAME: &str = "vectors of the same length";

/// A type of elements that another library has a type of its own for.
///
/// # Safety
/// `Theirs` has the size, the alignment and the bits of this one, and any of its bits are a value of `Theirs`.
pub unsafe trait SameBits<Theirs>: Sized {}

// SAFETY: it is the same type.
unsafe impl<T> SameBits<T> for T {}
// SAFETY: all of these are a u16 under `repr(transparent)`, with the bits of IEEE 754.
unsafe impl SameBits<numkong::f16> for f16 {}
// SAFETY: as above.
unsafe impl SameBits<simsimd::f16> for f16 {}
// SAFETY: all of these are a u16 under `repr(transparent)`, the upper half of an f32.
unsafe impl SameBits<numkong::bf16> for bf16 {}
// SAFETY: as above.
unsafe impl SameBits<simsimd::bf16> for bf16 {}
// SAFETY: it is a u8 under `repr(transparent)`.
unsafe impl SameBits<u1x8> for u8 {}

/// The same elements as theirs.
pub fn theirs<T: SameBits<N>, N>(ours: &[T]) -> &[N] {
    // SAFETY: as many elements of the same size, alignment and bits, borrowed as `ours` are.
    unsafe { slice::from_raw_parts(ours.as_ptr().cast(), ours.len()) }
}

/// numkong, whose type of these elements is `N`.
pub fn numkong<T: Kind + SameBits<N>, N>(metric: Metric) -> Peer<T>
where
    N: Angular<Output: Into<f64>> + Dot<Output: Into<f64>> + Euclidean<SqEuclideanOutput: Into<f64>>,
{
    match metric {
        Metric::Cosine => by_pair(NUMKONG, |a, b| {
            let distance: f64 = <N as Angular>::angular(theirs(a), theirs(b)).expect(SAME).into();
            (1.0 - distance) as f32
        }),
        Metric::Sql2 => by_pair(NUMKONG, |a, b| {
            let distance: f64 = <N as Euclidean>::sqeuclidean(theirs(a), theirs(b)).expect(SAME).into();
            distance as f32
        }),
        _ => by_pair(NUMKONG, |a, b| {
            let product: f64 = <N as Dot>::dot(theirs(a), theirs(b)).expect(SAME).into();
            product as f32
        }),
    }
}

/// simsimd, whose type of these elements is `S`.
pub fn simsimd<T: Kind + SameBits<S>, S: SpatialSimilarity>(metric: Metric) -> Peer<T> {
    match metric {
        Metric::Cosine => by_pair("simsimd", |a, b| {
            (1.0 - <S as SpatialSimilarity>::cosine(theirs(a), theirs(b)).expect(SAME)) as f32
        }),
        Metric::Sql2 => {
            by_pair("simsimd", |a, b| <S as SpatialSimilarity>::sqeuclidean(theirs(a), theirs(b)).expect(SAME) as f32)
        }
        _ => by_pair("simsimd", |a, b| <S as SpatialSimilarity>::dot(theirs(a), theirs(b)).expect(SAME) as f32),
    }
}

/// Both, of bits.
pub fn of_bits(metric: Metric) -> Vec<Peer<u8>> {
    if metric == Metric::Jaccard {
        return vec![
            by_pair(NUMKONG, |a, b| 1.0 - <u1x8 as Jaccard>::jaccard(theirs(a), theirs(b)).expect(SAME)),
            by_pair("simsimd", |a, b| (1.0 - <u8 as BinarySimilarity>::jaccard(a, b).expect(SAME)) as f32),
        ];
    }
    vec![
        by_pair(NUMKONG, |a, b| <u1x8 as Hamming>::hamming(theirs(a), theirs(b)).expect(SAME) as f32),
        by_pair("simsimd", |a, b| <u8 as BinarySimilarity>::hamming(a, b).expect(SAME) as f32),
    ]
}

/// The query against one row after the other.
fn by_pair<T: Kind>(name: &'static str, pair: impl Fn(&[T], &[T]) -> f32 + Send + Sync + 'static) -> Peer<T> {
    Peer::new(name, move |query, part, scores| part.each(scores, |row| pair(query, row)))
}

#[cfg(test)]
mod tests {
    use ecphory_measure::cases::similarity::Vectors;

    use super::super::peered::Peered;
    use super::*;

    /// Dimensions that no register divides, but for whole bytes.
    fn everyone_is_right<T: Peered>(metrics: [Metric; 2]) {
        let vectors = Vectors::<T>::drawn([2, 30, 776]);
        for metric in metrics {
            let (expected, peers) = (vectors.expected(metric), T::peers(metric));
            assert!(peers.len() >= 2);
            for peer in peers {
                let mut scores = vec![f32::NAN; expected.len()];
                peer.score(&vectors, &peer.rows(&vectors), 1, &mut scores);
                assert_eq!(vectors.check(peer.name, &scores, &expected, metric), Ok(()), "{} {metric}", T::DTYPE);
            }
        }
    }

    #[test]
    fn everyone_is_right_about_every_type_that_it_knows() {
        everyone_is_right::<f32>([Metric::Cosine, Metric::Dot]);
        everyone_is_right::<f16>([Metric::Cosine, Metric::Dot]);
        everyone_is_right::<bf16>([Metric::Cosine, Metric::Dot]);
        everyone_is_right::<i8>([Metric::Cosine, Metric::Dot]);
        everyone_is_right::<u8>([Metric::Hamming, Metric::Jaccard]);
    }
}
