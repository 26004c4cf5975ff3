//! Many queries at once: against the oracle, against each query alone, and on any number of threads.

mod common;
#[path = "common/oracle.rs"]
mod oracle;

use common::{bits, numbers, on_threads};
use ecphory::{Error, Metric, Precision, Prepared, Rows, Search};
use oracle::{METRICS, as_pairs, assert_near, sorted};
use proptest::prelude::*;

const COUNTS: [usize; 14] = [1, 2, 3, 5, 6, 7, 16, 17, 31, 32, 33, 64, 65, 130];

fn assert_all_near(metric: Metric, queries: &[f32], rows: &Rows<'_>, scores: &[f32]) {
    for (query, scores) in queries.chunks(rows.dim()).zip(scores.chunks(rows.len().max(1))) {
        for (row, &score) in scores.iter().enumerate() {
            assert_near(metric, query, rows.row(row).unwrap(), score);
        }
    }
}

#[test]
fn every_score_is_within_its_bound_for_every_number_of_queries() {
    for (i, dim) in (1..=67).chain([100, 127, 128, 129, 255, 256, 257, 384, 768, 771, 1536, 4096]).enumerate() {
        let (all_queries, data) = (numbers(dim as u64, 130 * dim + 1), numbers(1000 + dim as u64, 70 * dim + 3));
        for (j, count) in COUNTS.into_iter().enumerate() {
            let rows = (i * 29 + j * 11) % if dim > 67 { 9 } else { 71 };
            let (queries, offset) = (&all_queries[1..][..count * dim], i % 4);
            let rows = Rows::new(&data[offset..][..rows * dim], dim).unwrap();
            for precision in [Precision::Fast, Precision::Precise] {
                let metric = METRICS[(i + j) % 3];
                let scores = Search::new(metric).precision(precision).matrix(queries, &rows).unwrap();
                assert_eq!(scores.len(), count * rows.len());
                assert_all_near(metric, queries, &rows, &scores);
            }
        }
    }
}

#[test]
fn few_queries_and_precise_ones_score_the_bits_of_each_alone() {
    for dim in [1, 7, 33, 256, 771] {
        let (queries, data) = (numbers(1, 70 * dim), numbers(2, 67 * dim));
        let rows = Rows::new(&data, dim).unwrap();
        for metric in METRICS {
            for (count, precision) in
                [(2, Precision::Fast), (6, Precision::Fast), (7, Precision::Precise), (70, Precision::Precise)]
            {
                let search = Search::new(metric).precision(precision);
                let queries = &queries[..count * dim];
                let alone: Vec<_> =
                    queries.chunks(dim).flat_map(|query| search.scores(query, &rows).unwrap()).collect();
                assert_eq!(bits(&search.matrix(queries, &rows).unwrap()), bits(&alone), "{metric:?}, dim {dim}");
                let best = search.top_k_each(queries, &rows, 5).unwrap();
                assert!(queries.chunks(dim).zip(&best).all(|(q, top)| *top == search.top_k(q, &rows, 5).unwrap()));
            }
        }
    }
}

#[test]
fn a_score_among_many_is_the_same_bits_whoever_stands_beside_it() {
    let dim = 700;
    let (queries, data) = (numbers(1, 80 * dim), numbers(2, 150 * dim));
    let rows = Rows::new(&data, dim).unwrap();
    for metric in METRICS {
        let search = Search::new(metric);
        let all = search.matrix(&queries, &rows).unwrap();
        for (first_query, first_row) in [(0, 1), (3, 77), (60, 5), (73, 149)] {
            let some = Rows::new(&data[first_row * dim..], dim).unwrap();
            let found = search.matrix(&queries[first_query * dim..][..7 * dim], &some).unwrap();
            for (q, scores) in found.chunks(some.len()).enumerate() {
                let expected = &all[(first_query + q) * rows.len() + first_row..][..some.len()];
                assert_eq!(bits(scores), bits(expected), "{metric:?}");
            }
        }
    }
}

#[test]
fn one_thread_and_seven_give_the_same_bits_of_many_queries() {
    // In tasks of so many rows as there are elements for, and with many queries of 1024 rows.
    for (dim, count, rows) in [(300, 3, 8000), (20, 40, 5000)] {
        let (queries, data) = (numbers(1, count * dim), numbers(2, rows * dim));
        let filter: Vec<u64> =
            numbers(3, rows.div_ceil(64)).iter().map(|x| u64::from(x.to_bits()) * 0x1_0000_0801).collect();
        let plain = Rows::new(&data, dim).unwrap();
        for metric in METRICS {
            let search = Search::new(metric);
            let scores = search.matrix(&queries, &plain).unwrap();
            assert_near(metric, &queries[..dim], plain.row(rows - 1).unwrap(), scores[rows - 1]);
            let expected: Vec<_> = scores.chunks(rows).map(|scores| sorted(metric, scores, 1500)).collect();
            let run = || {
                let best = search.top_k_each(&queries, &plain, 1500).unwrap();
                assert!(best.iter().map(as_pairs).eq(expected.iter().cloned()), "{metric:?}");
                let some = Prepared::new(plain).unwrap().filtered(&filter).unwrap();
                let best: Vec<_> = search.top_k_each(&queries, &some, 9).unwrap().iter().map(as_pairs).collect();
                (bits(&search.matrix(&queries, &plain).unwrap()), bits(&search.matrix(&queries, &some).unwrap()), best)
            };
            let (one, seven) = (on_threads(1, run), on_threads(7, run));
            assert!(one == seven && one.0 == bits(&scores), "{metric:?}");
        }
    }
}

#[test]
fn hits_are_those_scores_that_are_as_good_as_the_threshold_and_it_is_among_them() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let data = [1.0, nan, -inf, inf, 0.0, 2.0, 1.0, 5.0, inf, -0.0];
    let rows = Rows::new(&data, 1).unwrap();
    let hits = |metric, threshold, count| -> Vec<Vec<usize>> {
        let search = Search::new(metric).threshold(threshold);
        let all = search.top_k_each(&[1.0].repeat(count), &rows, usize::MAX).unwrap();
        assert!(all.iter().all(|top| top.nan_rows == 1));
        assert_eq!(all[0], search.top_k(&[1.0], &rows, 99).unwrap());
        all.iter().map(|top| top.hits.iter().map(|hit| hit.row).collect()).collect()
    };
    for count in [1, 2, 7] {
        let all = |metric, threshold| {
            let found = hits(metric, threshold, count);
            assert!(found.iter().all(|one| *one == found[0]));
            found[0].clone()
        };
        assert_eq!(all(Metric::Dot, 1.0), [3, 8, 7, 5, 0, 6]);
        assert_eq!(all(Metric::Dot, 1.0f32.next_up()), [3, 8, 7, 5]);
        assert_eq!(all(Metric::Dot, inf), [3, 8]);
        assert_eq!(all(Metric::Dot, 0.0), [3, 8, 7, 5, 0, 6, 4, 9]);
        assert_eq!(all(Metric::Dot, -inf), [3, 8, 7, 5, 0, 6, 4, 9, 2]);
        assert_eq!(all(Metric::SquaredEuclidean, 1.0), [0, 6, 4, 5, 9]);
        assert_eq!(all(Metric::SquaredEuclidean, 1.0f32.next_down()), [0, 6]);
        assert_eq!(all(Metric::SquaredEuclidean, -1.0), [0usize; 0]);
        assert_eq!(all(Metric::SquaredEuclidean, inf), [0, 6, 4, 5, 9, 7, 2, 3, 8]);
    }
    let none = Search::new(Metric::Dot).threshold(nan).top_k(&[1.0], &rows, 1).unwrap_err();
    assert!(matches!(none, Error::Value { what: "threshold", position: None, .. }), "{none:?}");
}

#[test]
fn wrong_shapes_of_queries_are_refused_and_no_queries_are_none() {
    let data = numbers(1, 12);
    let rows = Rows::new(&data, 3).unwrap();
    let search = Search::new(Metric::Cosine);
    let partial = Error::PartialRow { what: "queries", dim: 3, stride: 3, found: 4 };
    let mut scores = [7.0; 8];
    assert_eq!(search.matrix(&data[..4], &rows), Err(partial.clone()));
    assert_eq!(search.matrix_into(&data[..4], &rows, &mut scores[..4]), Err(partial.clone()));
    assert_eq!(search.top_k_each(&data[..4], &rows, 1), Err(partial));
    let long = Error::Length { what: "scores", expected: 8, found: 7 };
    assert_eq!(search.matrix_into(&data[..6], &rows, &mut scores[..7]), Err(long));
    assert_eq!(scores, [7.0; 8]);
    assert_eq!((search.matrix(&[0.0; 0], &rows), search.top_k_each(&[0.0; 0], &rows, 1)), (Ok(vec![]), Ok(vec![])));
    let none = Rows::<f32>::new(&[], 3).unwrap();
    assert_eq!(search.matrix(&data, &none), Ok(vec![]));
    assert_eq!(search.top_k_each(&data, &none, 1).unwrap().len(), 4);
}

/// Numbers of queries, of elements, of rows and of elements between rows, and a seed.
fn shape() -> impl Strategy<Value = (usize, usize, usize, usize, u64)> {
    (0usize..70, 1usize..40, 0usize..80, 0usize..4, any::<u64>())
}

fn odd() -> impl Strategy<Value = f32> {
    prop_oneof![
        Just(0.0f32),
        Just(f32::NAN),
        Just(f32::INFINITY),
        Just(f32::NEG_INFINITY),
        Just(f32::MAX),
        Just(f32::MIN_POSITIVE),
        Just(1e-45),
        any::<f32>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_shapes_strides_and_filters_score_within_the_bound_and_sort(
        (count, dim, len, gap, seed) in shape(),
        filter in prop::collection::vec(any::<u64>(), 2),
        k in 0usize..90,
        precise in any::<bool>(),
    ) {
        let stride = dim + gap;
        let (queries, data) = (numbers(seed, count * dim), numbers(seed ^ 9, len * stride));
        let words = &filter[..len.div_ceil(64)];
        let plain = Rows::with_stride(&data, dim, stride).unwrap();
        let rows = plain.filtered(words).unwrap();
        let prepared = Prepared::new(rows).unwrap();
        for metric in METRICS {
            let precision = if precise { Precision::Precise } else { Precision::Fast };
            let search = Search::new(metric).precision(precision);
            let scores = search.matrix(&queries, &rows).unwrap();
            assert_eq!(bits(&search.matrix(&queries, &prepared).unwrap()), bits(&scores));
            let best = search.top_k_each(&queries, &prepared, k).unwrap();
            for (q, query) in queries.chunks(dim).enumerate() {
                let scores = &scores[q * len..][..len];
                for (row, &score) in scores.iter().enumerate() {
                    if words[row / 64] >> (row % 64) & 1 == 0 {
                        assert!(score.is_nan());
                    } else {
                        assert_near(metric, query, plain.row(row).unwrap(), score);
                    }
                }
                assert_eq!(as_pairs(&best[q]), (sorted(metric, scores, k).0, 0));
            }
        }
    }

    #[test]
    fn random_oddities_never_panic_and_are_finite_nan_or_infinite_as_the_precise_score_is(
        queries in prop::collection::vec(odd(), 7 * 5),
        data in prop::collection::vec(odd(), 5 * 9),
    ) {
        let rows = Rows::new(&data, 5).unwrap();
        for metric in [Metric::Cosine, Metric::Dot] {
            let fast = Search::new(metric).matrix(&queries, &rows).unwrap();
            let precise = Search::new(metric).precision(Precision::Precise).matrix(&queries, &rows).unwrap();
            for (found, expected) in fast.iter().zip(&precise) {
                // Rounding in f32 may reach infinity where rounding once does not.
                let near_the_end = expected.abs() > 3e38 || found.abs() > 3e38;
                let ends_alike = near_the_end || found.is_finite() == expected.is_finite();
                let alike = found.is_nan() == expected.is_nan() && ends_alike;
                assert!(alike, "{metric:?}: expected {expected}, found {found}");
            }
            for (q, query) in queries.chunks(5).enumerate() {
                let alone = Search::new(metric).scores(query, &rows).unwrap();
                let together = &fast[q * 9..][..9];
                assert!(alone.iter().zip(together).all(|(a, b)| a.is_nan() == b.is_nan()), "{metric:?}");
            }
        }
    }
}
