//! Who there is for each type of elements.

use ecphory_measure::cases::ours::Ours;
use ecphory_measure::cases::similarity::Vectors;
use ecphory_measure::{Case, Metric};
use half::{bf16, f16};

#[cfg(feature = "lance")]
use super::lance;
#[cfg(feature = "usearch")]
use super::usearch;
use super::{Peer, best, loops, matrix, pairs, python};

/// A type of elements, and who else knows it.
pub trait Peered: Ours {
    /// Those who take one query and rows.
    fn peers(metric: Metric) -> Vec<Peer<Self>>;

    /// Those who take matrices.
    fn join_matrices(
        case: &mut Case<'static>,
        vectors: &Vectors<Self>,
        expected: &[f64],
        metric: Metric,
        threads: usize,
    );

    /// Those who find the best rows, but for `usearch`.
    fn join_searches(_case: &mut Case<'static>, _wanted: &best::Wanted<'_, Self>) {}

    /// `usearch`, and what a reader must know of it.
    #[cfg(feature = "usearch")]
    fn exact(wanted: &best::Wanted<'_, Self>) -> (&'static str, Result<usearch::Exact, String>);

    /// Those who are called from Python, on one thread.
    fn join_python(
        _case: &mut Case<'static>,
        _what: &str,
        _vectors: &Vectors<Self>,
        _expected: &[f64],
        _metric: Metric,
        _threads: usize,
    ) {
    }
}

impl Peered for f32 {
    fn peers(metric: Metric) -> Vec<Peer> {
        let mut all =
            vec![pairs::numkong::<Self, Self>(metric).noted("sums in f64"), pairs::simsimd::<Self, Self>(metric)];
        all.extend(loops::peers(metric));
        #[cfg(feature = "lance")]
        all.push(lance::of_f32(metric));
        all
    }

    fn join_matrices(case: &mut Case<'static>, v: &Vectors, expected: &[f64], metric: Metric, threads: usize) {
        if metric == Metric::Dot {
            matrix::join_products(case, v, expected, threads);
            matrix::join_packed::<Self, Self>(case, v, expected, threads, "sums in f64; ");
        }
    }

    fn join_searches(case: &mut Case<'static>, wanted: &best::Wanted<'_, Self>) {
        best::join_heap(case, wanted);
        if wanted.threads == 1 {
            let best::Wanted { vectors, scores, metric, k, .. } = *wanted;
            python::similarity(case, "topk", vectors, scores, metric, Some(k));
        }
    }

    #[cfg(feature = "usearch")]
    fn exact(wanted: &best::Wanted<'_, Self>) -> (&'static str, Result<usearch::Exact, String>) {
        ("sums in f64, its own copy of the rows", usearch::of_f32(wanted))
    }

    fn join_python(
        case: &mut Case<'static>,
        what: &str,
        vectors: &Vectors,
        expected: &[f64],
        metric: Metric,
        threads: usize,
    ) {
        if threads == 1 {
            python::similarity(case, what, vectors, expected, metric, None);
        }
    }
}

#[cfg(feature = "usearch")]
const OWN_COPY: &str = "its own copy of the rows";

impl Peered for f16 {
    fn peers(metric: Metric) -> Vec<Peer<Self>> {
        let pairs = [pairs::numkong::<_, numkong::f16>(metric), pairs::simsimd::<_, simsimd::f16>(metric)];
        #[cfg(feature = "lance")]
        let pairs = pairs.into_iter().chain([lance::of_half(metric)]);
        pairs.into_iter().collect()
    }

    fn join_matrices(case: &mut Case<'static>, v: &Vectors<Self>, expected: &[f64], _: Metric, threads: usize) {
        matrix::join_packed::<_, numkong::f16>(case, v, expected, threads, "");
    }

    #[cfg(feature = "usearch")]
    fn exact(wanted: &best::Wanted<'_, Self>) -> (&'static str, Result<usearch::Exact, String>) {
        (OWN_COPY, usearch::of_f16(wanted))
    }
}

impl Peered for bf16 {
    fn peers(metric: Metric) -> Vec<Peer<Self>> {
        let pairs = [pairs::numkong::<_, numkong::bf16>(metric), pairs::simsimd::<_, simsimd::bf16>(metric)];
        #[cfg(feature = "lance")]
        let pairs = pairs.into_iter().chain([lance::of_half(metric)]);
        pairs.into_iter().collect()
    }

    fn join_matrices(case: &mut Case<'static>, v: &Vectors<Self>, expected: &[f64], _: Metric, threads: usize) {
        matrix::join_packed::<_, numkong::bf16>(case, v, expected, threads, "");
    }

    #[cfg(feature = "usearch")]
    fn exact(wanted: &best::Wanted<'_, Self>) -> (&'static str, Result<usearch::Exact, String>) {
        ("its own copy of the rows; narrows a query in f32", usearch::of_bf16(wanted))
    }
}

impl Peered for i8 {
    fn peers(metric: Metric) -> Vec<Peer<Self>> {
        vec![pairs::numkong::<Self, Self>(metric), pairs::simsimd::<Self, Self>(metric)]
    }

    fn join_matrices(case: &mut Case<'static>, v: &Vectors<Self>, expected: &[f64], _: Metric, threads: usize) {
        matrix::join_packed::<Self, Self>(case, v, expected, threads, "");
    }

    #[cfg(feature = "usearch")]
    fn exact(wanted: &best::Wanted<'_, Self>) -> (&'static str, Result<usearch::Exact, String>) {
        (OWN_COPY, usearch::of_i8(wanted))
    }
}

/// Eight bits.
impl Peered for u8 {
    fn peers(metric: Metric) -> Vec<Peer<Self>> {
        let pairs = pairs::of_bits(metric);
        #[cfg(feature = "lance")]
        let pairs = pairs.into_iter().chain(lance::of_bits(metric));
        pairs.into_iter().collect()
    }

    fn join_matrices(_: &mut Case<'static>, _: &Vectors<Self>, _: &[f64], _: Metric, _: usize) {}

    #[cfg(feature = "usearch")]
    fn exact(wanted: &best::Wanted<'_, Self>) -> (&'static str, Result<usearch::Exact, String>) {
        (OWN_COPY, usearch::of_bits(wanted))
    }
}
