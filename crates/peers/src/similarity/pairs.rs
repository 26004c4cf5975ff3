//! Libraries that compare two vectors at a time.

use ecphory_measure::Metric;
use numkong::{Angular, Dot, Euclidean};
use simsimd::SpatialSimilarity;

use super::Peer;

pub fn peers(metric: Metric) -> Vec<Peer> {
    const SAME: &str = "vectors of the same length";
    let (numkong, simsimd) = match metric {
        Metric::Cosine => (
            by_pair("numkong", |a, b| (1.0 - <f32 as Angular>::angular(a, b).expect(SAME)) as f32),
            by_pair("simsimd", |a, b| (1.0 - <f32 as SpatialSimilarity>::cosine(a, b).expect(SAME)) as f32),
        ),
        Metric::Sql2 => (
            by_pair("numkong", |a, b| <f32 as Euclidean>::sqeuclidean(a, b).expect(SAME) as f32),
            by_pair("simsimd", |a, b| <f32 as SpatialSimilarity>::sqeuclidean(a, b).expect(SAME) as f32),
        ),
        _ => (
            by_pair("numkong", |a, b| <f32 as Dot>::dot(a, b).expect(SAME) as f32),
            by_pair("simsimd", |a, b| <f32 as SpatialSimilarity>::dot(a, b).expect(SAME) as f32),
        ),
    };
    vec![numkong.noted("sums in f64"), simsimd]
}

/// The query against one row after the other.
fn by_pair(name: &'static str, pair: impl Fn(&[f32], &[f32]) -> f32 + Send + Sync + 'static) -> Peer {
    Peer::new(name, move |query, part, scores| part.each(scores, |row| pair(query, row)))
}
