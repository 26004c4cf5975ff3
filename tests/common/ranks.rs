//! Graphs with ranks and heat in f64, by the definitions, and what is promised of ranks beside them.

#![allow(dead_code)]

use ecphory::{Dangling, Edge, Graph, NearRanks, Seed};

use crate::common::numbers;

/// 2^-24: what one rounding to f32 takes of a number, at most.
pub const ROUNDING: f64 = 1.0 / 16_777_216.0;

/// How far rounding may take a rank of `PageRank::power`, and one of a push or of sweeps after it, as a part of it.
pub fn power_rounding(alpha: f64) -> f64 {
    40.0 * ROUNDING / alpha
}

/// The same of a heat kernel.
pub fn heat_rounding(t: f64, sweeps: u32) -> f64 {
    (40.0 * (t + 1.0) + f64::from(sweeps)) * ROUNDING
}

/// How far rounding may take all ranks of a push together: shares, and, after sweeps for 1e-12 at most, one of 2^-24
/// for each of them, which are no more than 28 / alpha.
pub fn push_rounding(near: &NearRanks, alpha: f64) -> f64 {
    ROUNDING / alpha + if near.swept { power_rounding(alpha) + 28.0 * ROUNDING / alpha } else { ROUNDING }
}

/// What `NearRanks` promises of ranks and residual, beside ranks in f64.
pub fn assert_certified(near: &NearRanks, exact: &[f64], alpha: f64) {
    // Shares, of all ranks together; and of one rank, sweep after sweep: for 1e-12 no more than 28 / alpha.
    let shares = ROUNDING / alpha;
    let swept = if near.swept { (40.0 + 28.0) * ROUNDING / alpha } else { 0.0 };
    let found = dense(near, exact.len());
    for (node, (found, exact)) in found.iter().zip(exact).enumerate() {
        assert!(*found <= exact * (1.0 + swept) + shares, "node {node}: {found} of {exact}");
        let above = found + near.residual + exact * swept + shares;
        assert!(*exact <= above, "node {node}: {exact} of {found} and {}", near.residual);
    }
    assert!(found.iter().sum::<f64>() + near.residual >= 1.0 - 1e-12, "{}", near.residual);
}

pub fn dense(near: &NearRanks, nodes: usize) -> Vec<f64> {
    let mut all = vec![0.0; nodes];
    near.nodes.iter().zip(&near.ranks).for_each(|(&node, &rank)| all[node as usize] = f64::from(rank));
    all
}

/// Some edges with weights; every ninth node leads nowhere.
#[derive(Debug, Clone)]
pub struct Sample {
    pub nodes: usize,
    pub edges: Vec<Edge>,
}

impl Sample {
    pub fn random(seed: u64, nodes: usize, degree: usize) -> Self {
        let any = numbers(seed, 3 * nodes * degree);
        let node = |x: f32| (((x + 1.0) * 0.5 * nodes as f32) as usize).min(nodes - 1) as u32;
        let edges = any.chunks_exact(3).map(|x| Edge::new(node(x[0]), node(x[1] * x[1].abs()), x[2].abs() + 0.01));
        Self { nodes, edges: edges.filter(|edge| edge.source % 9 != 4).collect() }
    }

    pub fn graph(&self) -> Graph {
        Graph::from_edges(self.nodes, self.edges.iter().copied()).unwrap()
    }

    /// `P^T p`, with what dangling nodes have.
    fn passed(&self, p: &[f64], start: &[f64], dangling: Dangling) -> Vec<f64> {
        let mut strengths = vec![0.0; self.nodes];
        self.edges.iter().for_each(|edge| strengths[edge.source as usize] += f64::from(edge.weight));
        let lost: f64 = p.iter().zip(&strengths).filter(|(_, strength)| **strength == 0.0).map(|(p, _)| p).sum();
        let back = |start: &f64| if dangling == Dangling::ToSeeds { lost * start } else { lost / self.nodes as f64 };
        let mut next: Vec<_> = start.iter().map(back).collect();
        for edge in &self.edges {
            let source = edge.source as usize;
            next[edge.target as usize] += p[source] * f64::from(edge.weight) / strengths[source];
        }
        next
    }

    fn start(&self, seeds: &[Seed]) -> Vec<f64> {
        let sum: f64 = seeds.iter().map(|seed| f64::from(seed.activation)).sum();
        let mut start = vec![0.0; self.nodes];
        seeds.iter().for_each(|seed| start[seed.node as usize] += f64::from(seed.activation) / sum);
        start
    }

    pub fn ranks(&self, seeds: &[Seed], alpha: f64, dangling: Dangling) -> Vec<f64> {
        let start = self.start(seeds);
        let mut p = start.clone();
        for _ in 0..(40.0 / alpha) as usize {
            let passed = self.passed(&p, &start, dangling);
            p = start.iter().zip(passed).map(|(start, passed)| alpha * start + (1.0 - alpha) * passed).collect();
        }
        p
    }

    pub fn heat(&self, seeds: &[Seed], t: f64, dangling: Dangling) -> Vec<f64> {
        let start = self.start(seeds);
        let mut term: Vec<_> = start.iter().map(|start| (-t).exp() * start).collect();
        let mut sum = term.clone();
        for k in 1..300 {
            // What dangling nodes pass on is a share of the term, of which the start is a share of 1.
            term = self.passed(&term, &start, dangling).into_iter().map(|term| term * t / f64::from(k)).collect();
            sum.iter_mut().zip(&term).for_each(|(sum, term)| *sum += term);
        }
        sum
    }
}

pub const SEEDS: [Seed; 3] =
    [Seed { node: 3, activation: 2.0 }, Seed { node: 4, activation: 1.0 }, Seed { node: 3, activation: 0.5 }];

pub fn distance(found: &[f32], exact: &[f64]) -> f64 {
    assert_eq!(found.len(), exact.len());
    found.iter().zip(exact).map(|(&found, exact)| (f64::from(found) - exact).abs()).sum()
}
