//! The best `k`.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::hint::black_box;

use ecphory_measure::cases::similarity::{Vectors, piece, top_k, work_of};
use ecphory_measure::suite::Plan;
use ecphory_measure::{Case, Clock, Contender, Metric};
use rayon::prelude::*;

use super::peered::Peered;
use super::{loops, normalised, note};

/// Rows found, the nearest first.
pub type Found = Vec<usize>;

/// What is searched for, and where.
#[derive(Clone, Copy)]
pub struct Wanted<'a, T> {
    pub vectors: &'a Vectors<T>,
    /// Of every row.
    pub scores: &'a [f64],
    pub metric: Metric,
    pub k: usize,
    pub threads: usize,
}

pub fn plan<T: Peered>(n: usize, dim: usize, metric: Metric, k: usize, threads: usize) -> Plan {
    Plan::new(work_of::<T>("topk", [1, n, dim], metric, Some(k)), threads, move |limits| {
        let vectors = Vectors::<T>::drawn([1, n, dim]);
        let mut case = top_k(limits, &vectors, metric, k, threads)?;
        let scores = vectors.expected(metric);
        let wanted = Wanted { vectors: &vectors, scores: &scores, metric, k, threads };
        T::join_searches(&mut case, &wanted);
        // Which searches for one query on one thread.
        #[cfg(feature = "usearch")]
        if threads == 1 {
            let (of_it, made) = T::exact(&wanted);
            case.try_add("usearch", Some(of_it.into()), || wanted.checked("usearch", made?));
        }
        Ok(case)
    })
}

impl<T: Peered> Wanted<'_, T> {
    /// A contender that finds the best rows, or is not let in.
    fn checked(&self, name: &str, mut find: impl FnMut() -> Found + 'static) -> Result<Contender<'static>, String> {
        let rows: Vec<u32> = find().iter().map(|&row| row as u32).collect();
        self.vectors.check_best(name, &rows, self.scores, self.metric, self.k)?;
        Ok(Contender::new(name, Clock::for_threads(self.threads), move || _ = black_box(find())))
    }
}

/// `c-hnswlib`.
pub fn join_heap(case: &mut Case<'static>, wanted: &Wanted<'_, f32>) {
    let shared = (wanted.threads > 1).then_some("pieces shared out by rayon");
    let unit = wanted.metric == Metric::Cosine;
    let beforehand = unit.then_some("rows normalised beforehand");
    case.try_add("c-hnswlib", note(&[beforehand, shared]), || {
        wanted.checked("c-hnswlib", hnswlib(wanted.vectors, unit, wanted.k, wanted.threads))
    });
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
