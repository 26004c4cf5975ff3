//! The best `k`.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::hint::black_box;

use ecphory_measure::cases::similarity::{Vectors, piece, top_k, work};
use ecphory_measure::suite::Plan;
use ecphory_measure::{Clock, Contender, Metric};
use rayon::prelude::*;

use super::{loops, normalised, note};
use crate::python;

/// Rows found, the nearest first.
pub type Found = Vec<usize>;

pub fn plan(n: usize, dim: usize, metric: Metric, k: usize, threads: usize) -> Plan {
    Plan::new(work("topk", [1, n, dim], metric, Some(k)), threads, move |limits| {
        let vectors = Vectors::new(1, n, dim);
        let mut case = top_k(limits, &vectors, metric, k, threads)?;
        let scores = vectors.expected(metric);
        let right = |who: &str, found: &Found| {
            let rows: Vec<u32> = found.iter().map(|&row| row as u32).collect();
            vectors.check_best(who, &rows, &scores, metric, k)
        };
        let shared = (threads > 1).then_some("pieces shared out by rayon");
        let unit = metric == Metric::Cosine;
        let beforehand = unit.then_some("rows normalised beforehand");
        case.try_add("c-hnswlib", note(&[beforehand, shared]), || {
            checked("c-hnswlib", threads, right, hnswlib(&vectors, unit, k, threads))
        });
        #[cfg(feature = "usearch")]
        if threads == 1 {
            case.try_add("usearch", Some("sums in f64, its own copy of the rows".into()), || {
                checked("usearch", threads, right, super::usearch::exact(&vectors, metric, k)?)
            });
        }
        if threads == 1 {
            python::similarity(&mut case, "topk", &vectors, &scores, metric, Some(k));
        }
        Ok(case)
    })
}

/// A contender that finds the best rows, or is not let in.
fn checked(
    name: &str,
    threads: usize,
    right: impl Fn(&str, &Found) -> Result<(), String>,
    mut find: impl FnMut() -> Found + 'static,
) -> Result<Contender<'static>, String> {
    right(name, &find())?;
    Ok(Contender::new(name, Clock::for_threads(threads), move || _ = black_box(find())))
}

/// A row and how far away it is.
#[derive(PartialEq)]
struct Hit(f32, usize);

impl Eq for Hit {}

impl Ord for Hit {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Hit {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Brute force as hnswlib has it: one distance after the other, and a heap of the `k` least. On many threads a heap for
/// each piece.
fn hnswlib(v: &Vectors, unit: bool, k: usize, threads: usize) -> impl FnMut() -> Found + use<> {
    let (queries, dim, n) = (v.queries.clone(), v.dim, v.n);
    let rows = if unit { normalised(&v.rows, dim) } else { v.rows.clone() };
    move || {
        let query = if unit { loops::unit(&queries) } else { queries.to_vec() };
        let mut hits = if threads == 1 {
            nearest(&query, &rows, 0, k).into_sorted_vec()
        } else {
            let size = piece(n, threads);
            let pieces = rows.par_chunks(size * dim).enumerate();
            pieces.flat_map_iter(|(at, rows)| nearest(&query, rows, at * size, k)).collect()
        };
        hits.sort();
        hits.truncate(k);
        hits.into_iter().map(|hit| hit.1).collect()
    }
}

fn nearest(query: &[f32], rows: &[f32], first: usize, k: usize) -> BinaryHeap<Hit> {
    let mut heap = BinaryHeap::with_capacity(k + 1);
    for (at, row) in rows.chunks_exact(query.len()).enumerate() {
        let distance = loops::hnswlib_ip(query, row);
        if heap.len() < k || heap.peek().is_some_and(|worst: &Hit| distance < worst.0) {
            heap.push(Hit(distance, first + at));
            if heap.len() > k {
                heap.pop();
            }
        }
    }
    heap
}
