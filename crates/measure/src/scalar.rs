//! The plain loops: what a careful programmer writes in an afternoon, in f32 or in integers, one element at a time.

use std::collections::VecDeque;
use std::iter::Sum;
use std::ops::Mul;

use crate::data::Csr;

fn widened<T: Copy + Into<f32>>(a: &[T], b: &[T]) -> impl Iterator<Item = (f32, f32)> {
    a.iter().zip(b).map(|(&x, &y)| (x.into(), y.into()))
}

/// Dot product.
#[must_use]
pub fn dot<T: Copy + Into<f32>>(a: &[T], b: &[T]) -> f32 {
    widened(a, b).map(|(x, y)| x * y).sum()
}

/// Cosine of the angle.
#[must_use]
pub fn cosine<T: Copy + Into<f32>>(a: &[T], b: &[T]) -> f32 {
    let (mut dot, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in widened(a, b) {
        dot += x * y;
        aa += x * x;
        bb += y * y;
    }
    dot / (f32::sqrt(aa) * f32::sqrt(bb))
}

/// Squared Euclidean distance.
#[must_use]
pub fn squared_euclidean<T: Copy + Into<f32>>(a: &[T], b: &[T]) -> f32 {
    widened(a, b).map(|(x, y)| (x - y) * (x - y)).sum()
}

fn integers(a: &[i8], b: &[i8]) -> impl Iterator<Item = (i32, i32)> {
    a.iter().zip(b).map(|(&x, &y)| (x.into(), y.into()))
}

/// [`dot`] of integers.
#[must_use]
pub fn dot_i8(a: &[i8], b: &[i8]) -> f32 {
    integers(a, b).map(|(x, y)| x * y).sum::<i32>() as f32
}

/// [`cosine`] of integers.
#[must_use]
pub fn cosine_i8(a: &[i8], b: &[i8]) -> f32 {
    let (mut dot, mut aa, mut bb) = (0, 0, 0);
    for (x, y) in integers(a, b) {
        dot += x * y;
        aa += x * x;
        bb += y * y;
    }
    dot as f32 / ((aa as f32).sqrt() * (bb as f32).sqrt())
}

/// [`squared_euclidean`] of integers.
#[must_use]
pub fn squared_euclidean_i8(a: &[i8], b: &[i8]) -> f32 {
    integers(a, b).map(|(x, y)| (x - y) * (x - y)).sum::<i32>() as f32
}

fn count(a: &[u8], b: &[u8], of: impl Fn(u8, u8) -> u8) -> f32 {
    a.iter().zip(b).map(|(&x, &y)| of(x, y).count_ones()).sum::<u32>() as f32
}

/// Bits that differ.
#[must_use]
pub fn hamming(a: &[u8], b: &[u8]) -> f32 {
    count(a, b, |x, y| x ^ y)
}

/// Bits that are set in both, of those that are in either; 1 where there are none.
#[must_use]
pub fn jaccard(a: &[u8], b: &[u8]) -> f32 {
    let either = count(a, b, |x, y| x | y);
    if either == 0.0 { 1.0 } else { count(a, b, |x, y| x & y) / either }
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

/// What flows into each node: of what is at the sources of the edges into it, their shares. The edges into node `v` are
/// `offsets[v]..offsets[v + 1]`.
pub fn inflow<T: Copy + Mul<Output = T> + Sum>(
    offsets: &[u32],
    sources: &[u32],
    shares: &[T],
    now: &[T],
    next: &mut [T],
) {
    for (sum, ends) in next.iter_mut().zip(offsets.windows(2)) {
        let edges = ends[0] as usize..ends[1] as usize;
        *sum = sources[edges.clone()].iter().zip(&shares[edges]).map(|(&u, &share)| share * now[u as usize]).sum();
    }
}

fn at_seeds(nodes: usize, seeds: &[(u32, f64)]) -> Vec<f64> {
    let mut now = vec![0.0; nodes];
    seeds.iter().for_each(|&(node, mass)| now[node as usize] += mass);
    now
}

/// `ppr_power`: iterations from the seeds on, until the last one changed less than `tolerance` in all. `inflow` says
/// what of it flows into each node; what does not restarts.
#[must_use]
pub fn ppr_power(nodes: usize, inflow: impl Fn(&[f64], &mut [f64]), seeds: &[(u32, f64)], tolerance: f64) -> Vec<f64> {
    let mut now = at_seeds(nodes, seeds);
    let mut next = now.clone();
    loop {
        inflow(&now, &mut next);
        let missing = 1.0 - next.iter().sum::<f64>();
        seeds.iter().for_each(|&(node, mass)| next[node as usize] += missing * mass);
        let change: f64 = next.iter().zip(&now).map(|(after, before)| (after - before).abs()).sum();
        std::mem::swap(&mut now, &mut next);
        if change < tolerance {
            return now;
        }
    }
}

/// `heat`: `e^-time` times the sum of `time^k / k!` times where walks are after `k` steps from the seeds, until the
/// rest of it is at most `tolerance`. `inflow` as for [`ppr_power`].
#[must_use]
pub fn heat(
    nodes: usize,
    inflow: impl Fn(&[f64], &mut [f64]),
    seeds: &[(u32, f64)],
    time: f64,
    tolerance: f64,
) -> Vec<f64> {
    let (mut now, mut weight) = (at_seeds(nodes, seeds), (-time).exp());
    let mut next = now.clone();
    let mut ranks: Vec<f64> = now.iter().map(|mass| weight * mass).collect();
    let (mut rest, mut steps) = (1.0 - weight, 0.0);
    while rest > tolerance {
        inflow(&now, &mut next);
        let missing = 1.0 - next.iter().sum::<f64>();
        seeds.iter().for_each(|&(node, mass)| next[node as usize] += missing * mass);
        std::mem::swap(&mut now, &mut next);
        steps += 1.0;
        weight *= time / steps;
        rest -= weight;
        ranks.iter_mut().zip(&now).for_each(|(rank, mass)| *rank += weight * mass);
    }
    ranks
}

/// `ppr_push`: while a node holds more than `epsilon` for each of its edges, it keeps `alpha` of that and passes on the
/// rest by weight, first come first served; a node without edges passes it to the seed. `strengths` are the sums of
/// weights. Over dense arrays. Returns what is kept, and the edges walked.
#[must_use]
pub fn push(graph: &Csr, strengths: &[f32], seed: u32, alpha: f32, epsilon: f32) -> (Vec<f32>, u64) {
    let (mut kept, mut held) = (vec![0.0; graph.nodes()], vec![0.0; graph.nodes()]);
    let mut waits = vec![false; graph.nodes()];
    let mut queue = VecDeque::from([seed]);
    held[seed as usize] = 1.0;
    waits[seed as usize] = true;
    let mut walked = 0;
    while let Some(node) = queue.pop_front() {
        let at = node as usize;
        waits[at] = false;
        kept[at] += alpha * held[at];
        let rest = (1.0 - alpha) * held[at];
        held[at] = 0.0;
        let mut give = |target: u32, amount: f32| {
            let at = target as usize;
            held[at] += amount;
            let edges = graph.offsets[at + 1] - graph.offsets[at];
            if !waits[at] && held[at] > epsilon * edges.max(1) as f32 {
                waits[at] = true;
                queue.push_back(target);
            }
        };
        if strengths[at] == 0.0 {
            give(seed, rest);
            continue;
        }
        let scale = rest / strengths[at];
        for (target, weight) in graph.neighbours(node) {
            give(target, scale * weight);
            walked += 1;
        }
    }
    (kept, walked)
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
