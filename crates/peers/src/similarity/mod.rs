//! Queries against rows: other vector libraries, matrix products, and the loops of vector stores.

pub mod accuracy;
mod best;
#[cfg(feature = "lance")]
mod lance;
mod loops;
mod matrix;
mod pairs;
mod peered;
#[cfg(feature = "usearch")]
mod usearch;

use std::sync::Arc;

use ecphory_measure::cases::one_and_all;
use ecphory_measure::cases::similarity::{
    DIMS, IDS, METRICS, Vectors, add_empty_call, add_singles, gather, gather_work, piece, scores, scoring, work_of,
};
use ecphory_measure::suite::Plan;
use ecphory_measure::{Case, Dtype, Kind, Metric, data};
use half::{bf16, f16};
use peered::Peered;
use rayon::prelude::*;

use crate::absent::without_feature;
use crate::python;

/// Rows in the second or third level of cache, and in memory.
const SIZES: [usize; 2] = [1000, 100_000];

/// How many rows of bits it takes to be in memory.
const BIT_ROWS: usize = 1_000_000;

/// How many are kept of the best.
const K: usize = 10;

/// Fewer queries than make a matrix worth its while for everyone.
const FEW: [usize; 6] = [2, 4, 6, 8, 16, 31];

const PRODUCTS: [Metric; 2] = [Metric::Cosine, Metric::Dot];

pub fn plans() -> Vec<Plan> {
    without_feature(&[("usearch", cfg!(feature = "usearch")), ("lance", cfg!(feature = "lance"))]);
    let mut plans: Vec<Plan> = PRODUCTS.map(|metric| small(16, 384, metric)).into();
    for dim in DIMS {
        for metric in METRICS {
            plans.push(one_by_n::<f32>(SIZES[0], dim, metric, 1));
        }
    }
    for dim in [128, 768] {
        for metric in PRODUCTS {
            plans.extend(one_and_all().into_iter().map(|threads| one_by_n::<f32>(SIZES[1], dim, metric, threads)));
        }
    }
    for dim in [128, 384, 768, 1536] {
        plans.extend(one_and_all().into_iter().map(|threads| m_by_n::<f32>([64, 10_000, dim], threads)));
    }
    plans.extend(one_and_all().into_iter().map(|threads| m_by_n::<f32>([256, SIZES[1], 768], threads)));
    plans.extend([128, 768].iter().flat_map(|&dim| FEW.map(|m| few(m, SIZES[0], dim))));
    for n in SIZES {
        for dim in [128, 768] {
            for metric in PRODUCTS {
                // So few rows stay on one thread.
                let threads = if n == SIZES[0] { vec![1] } else { one_and_all() };
                plans.extend(threads.into_iter().map(|threads| best::plan::<f32>(n, dim, metric, K, threads)));
            }
        }
    }
    plans.extend(PRODUCTS.map(|metric| gathered(1000, SIZES[1], 768, metric)));
    reduced::<f16>(&mut plans, SIZES, PRODUCTS);
    reduced::<bf16>(&mut plans, SIZES, PRODUCTS);
    reduced::<i8>(&mut plans, SIZES, PRODUCTS);
    reduced::<u8>(&mut plans, [SIZES[0], BIT_ROWS], [Metric::Hamming, Metric::Jaccard]);
    plans
}

/// Elements smaller than f32.
fn reduced<T: Peered>(plans: &mut Vec<Plan>, sizes: [usize; 2], metrics: [Metric; 2]) {
    const DIM: usize = 768;
    for n in sizes {
        let threads = if n == sizes[0] { vec![1] } else { one_and_all() };
        for metric in metrics {
            plans.extend(threads.iter().map(|&threads| one_by_n::<T>(n, DIM, metric, threads)));
        }
    }
    if T::DTYPE != Dtype::B1 {
        plans.extend(one_and_all().into_iter().map(|threads| m_by_n::<T>([64, 10_000, DIM], threads)));
    }
    for metric in metrics {
        plans.extend(one_and_all().into_iter().map(|threads| best::plan::<T>(SIZES[1], DIM, metric, K, threads)));
    }
}

/// Some rows, or those of them that have an id in `ids`.
#[derive(Clone, Copy)]
pub struct Part<'a, T = f32> {
    rows: &'a [T],
    ids: Option<&'a [u32]>,
    dim: usize,
}

impl<T> Part<'_, T> {
    /// One row after the other.
    fn each(self, scores: &mut [f32], score: impl Fn(&[T]) -> f32) {
        match self.ids {
            None => scores.iter_mut().zip(self.rows.chunks_exact(self.dim)).for_each(|(to, row)| *to = score(row)),
            Some(ids) => scores.iter_mut().zip(ids).for_each(|(to, &id)| {
                *to = score(&self.rows[id as usize * self.dim..][..self.dim]);
            }),
        }
    }
}

/// Scores of a query against a part of the rows, the larger the nearer but for distances of squares and of bits.
type Fill<T> = Box<dyn Fn(&[T], Part<'_, T>, &mut [f32]) + Send + Sync>;

/// What is made of rows beforehand, given how many elements each has.
type Made<T> = fn(&[T], usize) -> Arc<[T]>;

/// One who scores a query against rows.
pub struct Peer<T = f32> {
    name: &'static str,
    note: Option<&'static str>,
    /// Wants other rows than there are.
    made: Option<Made<T>>,
    fill: Fill<T>,
}

impl<T: Kind> Peer<T> {
    fn new(name: &'static str, fill: impl Fn(&[T], Part<'_, T>, &mut [f32]) + Send + Sync + 'static) -> Self {
        Self { name, note: None, made: None, fill: Box::new(fill) }
    }

    fn noted(self, note: &'static str) -> Self {
        Self { note: Some(note), ..self }
    }

    /// The rows as it wants them.
    fn rows(&self, vectors: &Vectors<T>) -> Arc<[T]> {
        self.made.map_or_else(|| vectors.rows.clone(), |made| made(&vectors.rows, vectors.dim))
    }

    /// Every query against every row, one query after the other.
    fn score(&self, v: &Vectors<T>, rows: &[T], threads: usize, scores: &mut [f32]) {
        let dim = v.dim;
        for (query, scores) in v.queries.chunks(dim).zip(scores.chunks_mut(v.n)) {
            if threads == 1 {
                (self.fill)(query, Part { rows, ids: None, dim }, scores);
                continue;
            }
            let size = piece(v.n, threads);
            scores.par_chunks_mut(size).zip(rows.par_chunks(size * dim)).for_each(|(scores, rows)| {
                (self.fill)(query, Part { rows, ids: None, dim }, scores);
            });
        }
    }
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

/// Those who take one query at a time.
fn join_peers<T: Peered>(
    case: &mut Case<'static>,
    vectors: &Vectors<T>,
    expected: &[f64],
    metric: Metric,
    threads: usize,
) {
    let shared = (threads > 1).then_some("pieces shared out by rayon");
    let in_turn = (vectors.m > 1).then_some("one query after the other");
    for peer in T::peers(metric) {
        let name = if vectors.m > 1 && peer.name == pairs::NUMKONG { "numkong-pairs" } else { peer.name };
        case.try_add(name, note(&[peer.note, in_turn, shared]), || {
            let (v, rows) = (vectors.clone(), peer.rows(vectors));
            let by_peer = move |scores: &mut [f32]| peer.score(&v, &rows, threads, scores);
            scoring(name, threads, vectors, expected, metric, by_peer)
        });
    }
}

fn one_by_n<T: Peered>(n: usize, dim: usize, metric: Metric, threads: usize) -> Plan {
    Plan::new(work_of::<T>("1xN", [1, n, dim], metric, None), threads, move |limits| {
        let vectors = Vectors::<T>::drawn([1, n, dim]);
        let expected = vectors.expected(metric);
        let mut case = scores(limits, &vectors, &expected, metric, threads)?;
        join_peers(&mut case, &vectors, &expected, metric, threads);
        T::join_matrices(&mut case, &vectors, &expected, metric, threads);
        T::join_python(&mut case, "1xN", &vectors, &expected, metric, threads);
        Ok(case)
    })
}

/// So few rows that what a call costs is felt.
fn small(n: usize, dim: usize, metric: Metric) -> Plan {
    Plan::new(work_of::<f32>("1xN", [1, n, dim], metric, None), 1, move |limits| {
        let vectors = Vectors::new(1, n, dim);
        let expected = vectors.expected(metric);
        let mut case = scores(limits, &vectors, &expected, metric, 1)?;
        add_empty_call(&mut case);
        join_peers(&mut case, &vectors, &expected, metric, 1);
        f32::join_matrices(&mut case, &vectors, &expected, metric, 1);
        Ok(case)
    })
}

fn m_by_n<T: Peered>(shape: [usize; 3], threads: usize) -> Plan {
    Plan::new(work_of::<T>("MxN", shape, Metric::Dot, None), threads, move |limits| {
        let vectors = Vectors::<T>::drawn(shape);
        let expected = vectors.expected(Metric::Dot);
        let mut case = scores(limits, &vectors, &expected, Metric::Dot, threads)?;
        if T::DTYPE != Dtype::F32 {
            join_peers(&mut case, &vectors, &expected, Metric::Dot, threads);
        }
        T::join_matrices(&mut case, &vectors, &expected, Metric::Dot, threads);
        T::join_python(&mut case, "MxN", &vectors, &expected, Metric::Dot, threads);
        Ok(case)
    })
}

/// So few queries that it may be better to ask one after the other.
fn few(m: usize, n: usize, dim: usize) -> Plan {
    Plan::new(work_of::<f32>("MxN", [m, n, dim], Metric::Dot, None), 1, move |limits| {
        let vectors = Vectors::new(m, n, dim);
        let expected = vectors.expected(Metric::Dot);
        let mut case = scores(limits, &vectors, &expected, Metric::Dot, 1)?;
        add_singles(&mut case, &vectors, &expected, Metric::Dot, 1)?;
        join_peers(&mut case, &vectors, &expected, Metric::Dot, 1);
        f32::join_matrices(&mut case, &vectors, &expected, Metric::Dot, 1);
        f32::join_python(&mut case, "MxN", &vectors, &expected, Metric::Dot, 1);
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
        for peer in f32::peers(metric) {
            let name = peer.name;
            case.try_add(name, note(&[peer.note]), || {
                let (v, rows, ids) = (vectors.clone(), peer.rows(&vectors), ids.clone());
                let by_peer = move |scores: &mut [f32]| {
                    (peer.fill)(&v.queries, Part { rows: &rows, ids: Some(&ids), dim }, scores);
                };
                scoring(name, 1, &vectors, &expected, metric, by_peer)
            });
        }
        Ok(case)
    })
}
