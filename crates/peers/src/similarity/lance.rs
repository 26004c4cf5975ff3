//! lance-linalg, which takes a batch of rows at once and picks its kernel when it runs.

use ecphory_measure::{Kind, Metric};
use lance_linalg::distance::hamming::hamming_distance_batch;
use lance_linalg::distance::{Cosine, Dot, L2, cosine_distance_batch, norm_l2};

use super::Peer;

const NAME: &str = "lance";

pub fn of_f32(metric: Metric) -> Peer {
    Peer::new(NAME, move |query, part, scores| match (metric, part.ids) {
        (Metric::Cosine, None) => {
            let distances = cosine_distance_batch(query, part.rows, part.dim);
            scores.iter_mut().zip(distances).for_each(|(score, distance)| *score = 1.0 - distance);
        }
        (Metric::Cosine, Some(_)) => {
            let norm = norm_l2(query);
            part.each(scores, |row| 1.0 - f32::cosine_fast(query, norm, row));
        }
        (Metric::Sql2, None) => f32::l2_batch_into(query, part.rows, part.dim, scores),
        (Metric::Sql2, Some(_)) => part.each(scores, |row| f32::l2(query, row)),
        (_, None) => f32::dot_batch_into(query, part.rows, part.dim, scores),
        (_, Some(_)) => part.each(scores, |row| f32::dot(query, row)),
    })
}

/// f16 or bf16.
pub fn of_half<T: Kind + Cosine + Dot>(metric: Metric) -> Peer<T> {
    Peer::new(NAME, move |query, part, scores| match metric {
        Metric::Cosine => {
            let distances = cosine_distance_batch(query, part.rows, part.dim);
            scores.iter_mut().zip(distances).for_each(|(score, distance)| *score = 1.0 - distance);
        }
        _ => T::dot_batch_into(query, part.rows, part.dim, scores),
    })
}

/// Of Hamming alone: it has no Jaccard.
pub fn of_bits(metric: Metric) -> Option<Peer<u8>> {
    let peer = Peer::new(NAME, |query, part, scores| {
        let distances = hamming_distance_batch(query, part.rows, part.dim);
        scores.iter_mut().zip(distances).for_each(|(score, distance)| *score = distance);
    });
    (metric == Metric::Hamming).then_some(peer)
}
