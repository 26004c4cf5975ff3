//! Queries against rows: other vector libraries, matrix products, and the loops of vector stores.

pub mod accuracy;
mod best;
#[cfg(feature = "lance")]
mod lance;
mod loops;
mod matrix;
mod pairs;
#[cfg(feature = "usearch")]
mod usearch;

use std::sync::Arc;

use ecphory_measure::cases::one_and_all;
use ecphory_measure::cases::similarity::{
    DIMS, IDS, METRICS, Vectors, gather, gather_work, piece, scores, scoring, work,
};
use ecphory_measure::suite::Plan;
use ecphory_measure::{Metric, data};
use rayon::prelude::*;

use crate::absent::without_feature;
use crate::python;

/// Rows in the second or third level of cache, and in memory.
const SIZES: [usize; 2] = [1000, 100_000];

/// How many are kept of the best.
const K: usize = 10;

pub fn plans() -> Vec<Plan> {
    without_feature(&[("usearch", cfg!(feature = "usearch")), ("lance", cfg!(feature = "lance"))]);
    let mut plans = Vec::new();
    for dim in DIMS {
        for metric in METRICS {
            plans.push(one_by_n(SIZES[0], dim, metric, 1));
        }
    }
    for dim in [128, 768] {
        for metric in [Metric::Cosine, Metric::Dot] {
            plans.extend(one_and_all().into_iter().map(|threads| one_by_n(SIZES[1], dim, metric, threads)));
        }
    }
    for dim in [128, 384, 768, 1536] {
        plans.extend(one_and_all().into_iter().map(|threads| m_by_n(64, 10_000, dim, threads)));
    }
    for n in SIZES {
        for dim in [128, 768] {
            for metric in [Metric::Cosine, Metric::Dot] {
                // So few rows stay on one thread.
                let threads = if n == SIZES[0] { vec![1] } else { one_and_all() };
                plans.extend(threads.into_iter().map(|threads| best::plan(n, dim, metric, K, threads)));
            }
        }
    }
    plans.extend([Metric::Cosine, Metric::Dot].map(|metric| gathered(1000, SIZES[1], 768, metric)));
    plans
}

/// Some rows, or those of them that have an id in `ids`.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    rows: &'a [f32],
    ids: Option<&'a [u32]>,
    dim: usize,
}

impl Part<'_> {
    /// One row after the other.
    fn each(self, scores: &mut [f32], score: impl Fn(&[f32]) -> f32) {
        match self.ids {
            None => scores.iter_mut().zip(self.rows.chunks_exact(self.dim)).for_each(|(to, row)| *to = score(row)),
            Some(ids) => scores.iter_mut().zip(ids).for_each(|(to, &id)| {
                *to = score(&self.rows[id as usize * self.dim..][..self.dim]);
            }),
        }
    }
}

/// Scores of a query against a part of the rows, the larger the nearer but for squared distances.
type Fill = Box<dyn Fn(&[f32], Part<'_>, &mut [f32]) + Send + Sync>;

/// One who scores a query against rows.
pub struct Peer {
    name: &'static str,
    note: Option<&'static str>,
    /// Wants rows of length 1.
    normalised: bool,
    fill: Fill,
}

impl Peer {
    fn new(name: &'static str, fill: impl Fn(&[f32], Part<'_>, &mut [f32]) + Send + Sync + 'static) -> Self {
        Self { name, note: None, normalised: false, fill: Box::new(fill) }
    }

    fn noted(self, note: &'static str) -> Self {
        Self { note: Some(note), ..self }
    }
}

fn peers(metric: Metric) -> Vec<Peer> {
    let mut all = pairs::peers(metric);
    all.extend(loops::peers(metric));
    #[cfg(feature = "lance")]
    all.push(lance::peer(metric));
    all
}

/// Rows of length 1 in the same directions.
fn normalised(rows: &[f32], dim: usize) -> Arc<[f32]> {
    let each = rows.chunks(dim).flat_map(|row| {
        let length = row.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
        row.iter().map(move |&x| (f64::from(x) / length) as f32)
    });
    each.collect()
}

/// What there is to know, as one note.
fn note(parts: &[Option<&str>]) -> Option<String> {
    let parts: Vec<_> = parts.iter().flatten().copied().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn one_by_n(n: usize, dim: usize, metric: Metric, threads: usize) -> Plan {
    Plan::new(work("1xN", [1, n, dim], metric, None), threads, move |limits| {
        let vectors = Vectors::new(1, n, dim);
        let expected = vectors.expected(metric);
        let mut case = scores(limits, &vectors, &expected, metric, threads)?;
        for peer in peers(metric) {
            let (name, shared) = (peer.name, (threads > 1).then_some("pieces shared out by rayon"));
            case.try_add(name, note(&[peer.note, shared]), || {
                let (v, rows) = (vectors.clone(), rows_for(&peer, &vectors));
                let by_peer = move |scores: &mut [f32]| {
                    if threads == 1 {
                        return (peer.fill)(&v.queries, Part { rows: &rows, ids: None, dim }, scores);
                    }
                    let size = piece(n, threads);
                    scores.par_chunks_mut(size).zip(rows.par_chunks(size * dim)).for_each(|(scores, rows)| {
                        (peer.fill)(&v.queries, Part { rows, ids: None, dim }, scores);
                    });
                };
                scoring(name, threads, &vectors, &expected, metric, by_peer)
            });
        }
        if metric == Metric::Dot {
            matrix::join_products(&mut case, &vectors, &expected, threads);
        }
        if threads == 1 {
            python::similarity(&mut case, "1xN", &vectors, &expected, metric, None);
        }
        Ok(case)
    })
}

fn m_by_n(m: usize, n: usize, dim: usize, threads: usize) -> Plan {
    Plan::new(work("MxN", [m, n, dim], Metric::Dot, None), threads, move |limits| {
        let vectors = Vectors::new(m, n, dim);
        let expected = vectors.expected(Metric::Dot);
        let mut case = scores(limits, &vectors, &expected, Metric::Dot, threads)?;
        matrix::join_products(&mut case, &vectors, &expected, threads);
        if threads == 1 {
            python::similarity(&mut case, "MxN", &vectors, &expected, Metric::Dot, None);
        }
        Ok(case)
    })
}

fn gathered(count: usize, n: usize, dim: usize, metric: Metric) -> Plan {
    Plan::new(gather_work(count, n, dim, metric), 1, move |limits| {
        let vectors = Vectors::new(1, n, dim);
        let mut case = gather(limits, &vectors, metric, count, 1)?;
        let ids: Arc<[u32]> = data::ids(IDS, count, n).into();
        let all = vectors.expected(metric);
        let expected: Vec<_> = ids.iter().map(|&id| all[id as usize]).collect();
        for peer in peers(metric) {
            let name = peer.name;
            case.try_add(name, note(&[peer.note]), || {
                let (v, rows, ids) = (vectors.clone(), rows_for(&peer, &vectors), ids.clone());
                let by_peer = move |scores: &mut [f32]| {
                    (peer.fill)(&v.queries, Part { rows: &rows, ids: Some(&ids), dim }, scores);
                };
                scoring(name, 1, &vectors, &expected, metric, by_peer)
            });
        }
        Ok(case)
    })
}

/// The rows as `peer` wants them.
fn rows_for(peer: &Peer, vectors: &Vectors) -> Arc<[f32]> {
    if peer.normalised { normalised(&vectors.rows, vectors.dim) } else { vectors.rows.clone() }
}
