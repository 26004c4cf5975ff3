//! The plain loops: what a careful programmer writes in an afternoon, in f32, one element at a time.

use crate::data::Csr;

/// Dot product.
#[must_use]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// Cosine of the angle.
#[must_use]
pub fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let (mut dot, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        dot += x * y;
        aa += x * x;
        bb += y * y;
    }
    dot / (f32::sqrt(aa) * f32::sqrt(bb))
}

/// Squared Euclidean distance.
#[must_use]
pub fn squared_euclidean(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

/// `spread3`: every hop, each node at or above the threshold that has not fired yet sends `transmission` times its
/// activation along its edges. Over dense arrays. Returns the activations, and the edges walked.
#[must_use]
pub fn spread(graph: &Csr, seeds: &[(u32, f32)], hops: u32, threshold: f32, transmission: f32) -> (Vec<f32>, u64) {
    let mut activations = vec![0.0; graph.nodes()];
    let mut fired = vec![false; graph.nodes()];
    let mut reached: Vec<u32> = Vec::new();
    for &(node, activation) in seeds {
        activations[node as usize] += activation;
        reached.push(node);
    }
    let mut walked = 0;
    for _ in 0..hops {
        let mut firing = Vec::new();
        for &node in &reached {
            let node = node as usize;
            if !fired[node] && activations[node] >= threshold {
                fired[node] = true;
                firing.push((node as u32, activations[node]));
            }
        }
        for (node, activation) in firing {
            for (target, weight) in graph.neighbours(node) {
                if activations[target as usize] == 0.0 {
                    reached.push(target);
                }
                activations[target as usize] += transmission * activation * weight;
                walked += 1;
            }
        }
    }
    (activations, walked)
}

/// `2^(-age / half_life)`.
pub fn exponential(strengths: &mut [f32], ages: &[f32], half_life: f32) {
    for (strength, age) in strengths.iter_mut().zip(ages) {
        *strength *= (-age / half_life).exp2();
    }
}

/// `(1 + age / scale)^-exponent`.
pub fn power(strengths: &mut [f32], ages: &[f32], scale: f32, exponent: f32) {
    for (strength, age) in strengths.iter_mut().zip(ages) {
        *strength *= (1.0 + age / scale).powf(-exponent);
    }
}
