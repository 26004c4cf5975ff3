//! lance-linalg, which takes a batch of rows at once and picks its kernel when it runs.

use ecphory_measure::Metric;
use lance_linalg::distance::{Cosine, Dot, L2, cosine_distance_batch, norm_l2};

use super::Peer;

pub fn peer(metric: Metric) -> Peer {
    Peer::new("lance", move |query, part, scores| match (metric, part.ids) {
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
