//! Similarity against an oracle in f64 that takes one element at a time and shares nothing with the kernels.

mod common;
#[path = "common/oracle.rs"]
mod oracle;

use std::collections::HashSet;

use common::{bits, numbers, on_threads};
use ecphory::{ArenaStats, Error, Metric, OverflowPolicy, Packing, Rows, Search, TopK};
use ecphory::{similarity_batch, similarity_batch_into};
use oracle::{METRICS, U, as_pairs, assert_near, sorted};
use proptest::prelude::*;

/// The library splits a batch into tasks of this many elements.
const TASK_ELEMENTS: usize = 1 << 20;

/// All lengths below four registers and a tail of the widest tier, and those around powers of two and in use.
fn dims() -> impl Iterator<Item = usize> {
    (1..=67).chain([100, 127, 128, 129, 255, 256, 257, 384, 768, 771, 1536, 4096])
}

fn assert_top_k_sorts(metric: Metric, query: &[f32], rows: &Rows<'_>, k: usize) {
    let search = Search::new(metric);
    let scores = search.scores(query, rows).unwrap();
    let found = as_pairs(&search.top_k(query, rows, k).unwrap());
    assert!(found == sorted(metric, &scores, k), "{metric:?}, dim {}, {} rows, k {k}", rows.dim(), rows.len());
}

/// Few distinct rows, so that most scores have ties.
fn rows_with_ties(dim: usize, count: usize) -> Vec<f32> {
    let distinct = numbers(3, 7 * dim);
    (0..count).flat_map(|row| distinct[row * row % 7 * dim..][..dim].to_vec()).collect()
}

/// One row.
fn one(row: &[f32]) -> Rows<'_> {
    Rows::new(row, row.len()).unwrap()
}

#[test]
fn every_score_is_within_its_bound_for_every_dim_row_count_and_alignment() {
    for dim in dims() {
        let (queries, data) = (numbers(dim as u64, dim + 3), numbers(dim as u64 + 1000, 5 * dim + 3));
        for (count, offset) in (0..=5).flat_map(|count| [0, 1, 3].map(|offset| (count, offset))) {
            let query = &queries[3 - offset..][..dim];
            let rows = Rows::new(&data[offset..][..count * dim], dim).unwrap();
            for metric in METRICS {
                let scores = Search::new(metric).scores(query, &rows).unwrap();
                assert_eq!(scores.len(), count);
                for (row, &score) in scores.iter().enumerate() {
                    assert_near(metric, query, rows.row(row).unwrap(), score);
                }
            }
        }
    }
}

#[test]
fn every_lane_of_every_length_counts_once() {
    for dim in dims() {
        let ones = vec![1.0; dim];
        let data: Vec<_> = (0..dim).flat_map(|lane| (0..dim).map(move |i| if i == lane { 2.0 } else { 0.0 })).collect();
        let rows = Rows::new(&data, dim).unwrap();
        assert!(Search::new(Metric::Dot).scores(&ones, &rows).unwrap().iter().all(|&score| score == 2.0));
        let distances = Search::new(Metric::SquaredEuclidean).scores(&ones, &rows).unwrap();
        assert!(distances.iter().all(|&score| score == dim as f32));
        let cosines = Search::new(Metric::Cosine).scores(&ones, &rows).unwrap();
        let exact = 1.0 / (dim as f64).sqrt();
        assert!(cosines.iter().all(|&score| (exact - f64::from(score)).abs() <= 8.0 * U), "dim {dim}");
    }
}

#[test]
fn a_gathered_row_scores_the_bits_it_scores_in_place() {
    for dim in dims() {
        let (query, data) = (numbers(1, dim), numbers(2, 9 * dim + 1));
        let rows = Rows::new(&data[1..], dim).unwrap();
        for ids in [&[][..], &[8], &[0, 8, 3, 3, 7, 1, 8, 0, 5, 2, 4, 6]] {
            for metric in METRICS {
                let all = Search::new(metric).scores(&query, &rows).unwrap();
                let expected: Vec<_> = ids.iter().map(|&id| all[id as usize]).collect();
                let found = Search::new(metric).gather(&query, &rows, ids).unwrap();
                assert_eq!(bits(&found), bits(&expected), "{metric:?}, dim {dim}");
            }
        }
    }
}

#[test]
fn a_row_scores_the_same_bits_wherever_it_stands() {
    let (dim, query) = (37, numbers(1, 37));
    let row = numbers(2, dim);
    for metric in METRICS {
        let mut found = std::collections::HashSet::new();
        for (before, offset) in (0..20).zip((0..4).cycle()) {
            let data = [vec![0.5; offset + before * dim], row.clone(), vec![0.25; dim]].concat();
            let rows = Rows::new(&data[offset..], dim).unwrap();
            found.insert(Search::new(metric).scores(&query, &rows).unwrap()[before].to_bits());
        }
        assert_eq!(found.len(), 1, "{metric:?}");
    }
}

#[test]
fn top_k_is_what_sorting_every_score_finds_for_counts_around_its_block() {
    for (dim, distinct) in [(1, false), (3, true), (17, false)] {
        for count in [0, 1, 2, 3, 4, 5, 255, 256, 257, 511, 512, 513] {
            let data = if distinct { numbers(9, dim * count) } else { rows_with_ties(dim, count) };
            let (query, rows) = (numbers(4, dim), Rows::new(&data, dim).unwrap());
            for metric in METRICS {
                for k in [0, 1, 2, 10, count.saturating_sub(1), count, count + 1, usize::MAX] {
                    assert_top_k_sorts(metric, &query, &rows, k);
                }
            }
        }
    }
}

#[test]
fn batches_around_the_split_into_tasks_are_scored_and_sorted_whole() {
    let dim = 64;
    let per_task = TASK_ELEMENTS / dim;
    let mut data = numbers(6, (2 * per_task + 1) * dim);
    // Ties across tasks, and NaN in each.
    data.copy_within(5 * dim..6 * dim, (per_task + 3) * dim);
    data[9 * dim + 63] = f32::NAN;
    data[(per_task + 1) * dim] = f32::NAN;
    let query = data[5 * dim..6 * dim].to_vec();
    for count in [per_task - 1, per_task, per_task + 1, 2 * per_task, 2 * per_task + 1] {
        let rows = Rows::new(&data[..count * dim], dim).unwrap();
        for metric in METRICS {
            let scores = Search::new(metric).scores(&query, &rows).unwrap();
            for row in (0..count).step_by(997).chain([per_task - 2, count - 1]) {
                assert_near(metric, &query, rows.row(row).unwrap(), scores[row]);
            }
            let nan_rows = scores.iter().filter(|score| score.is_nan()).count();
            assert_eq!(nan_rows, if count > per_task + 1 { 2 } else { 1 });
            for k in [0, 1, 50, per_task + 2, count + 1] {
                let found = as_pairs(&Search::new(metric).top_k(&query, &rows, k).unwrap());
                assert!(found == sorted(metric, &scores, k), "{metric:?}, {count} rows, k {k}");
            }
            let ids: Vec<u32> = (0..count as u32).rev().collect();
            let gathered = Search::new(metric).gather(&query, &rows, &ids).unwrap();
            assert!(gathered.iter().rev().map(|s| s.to_bits()).eq(scores.iter().map(|s| s.to_bits())));
        }
    }
}

#[test]
fn rows_longer_than_a_task_are_scored_whole() {
    let dim = TASK_ELEMENTS + 3;
    let (query, data) = (numbers(1, dim), numbers(2, 2 * dim));
    let rows = Rows::new(&data, dim).unwrap();
    for metric in METRICS {
        let scores = Search::new(metric).scores(&query, &rows).unwrap();
        for (row, &score) in scores.iter().enumerate() {
            assert_near(metric, &query, rows.row(row).unwrap(), score);
        }
        assert_eq!(bits(&Search::new(metric).gather(&query, &rows, &[1, 0]).unwrap()), bits(&[scores[1], scores[0]]));
        assert_top_k_sorts(metric, &query, &rows, 1);
    }
}

#[test]
fn one_thread_and_seven_give_the_same_bits() {
    let dim = 48;
    let count = 4 * TASK_ELEMENTS / dim + 5;
    let (query, data) = (numbers(1, dim), numbers(2, dim * count));
    let rows = Rows::new(&data, dim).unwrap();
    let ids: Vec<u32> = (0..count as u32).map(|i| i.wrapping_mul(7919) % count as u32).collect();
    for metric in METRICS {
        let search = Search::new(metric);
        let run = || {
            let scores = search.scores(&query, &rows).unwrap();
            let gathered = search.gather(&query, &rows, &ids).unwrap();
            (bits(&scores), bits(&gathered), as_pairs(&search.top_k(&query, &rows, 300).unwrap()))
        };
        assert!(on_threads(1, run) == on_threads(7, run), "{metric:?}");
    }
}

#[test]
fn infinite_scores_order_as_numbers_and_nan_rows_are_left_out() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    let data = [1.0, nan, -inf, inf, 0.0, -inf, nan, 5.0, inf, -0.0];
    let rows = Rows::new(&data, 1).unwrap();
    let dot = Search::new(Metric::Dot).top_k(&[1.0], &rows, 99).unwrap();
    assert_eq!(dot.hits.iter().map(|hit| hit.row).collect::<Vec<_>>(), [3, 8, 7, 0, 4, 9, 2, 5]);
    assert_eq!(dot.nan_rows, 2);
    let distance = Search::new(Metric::SquaredEuclidean).top_k(&[1.0], &rows, 99).unwrap();
    assert_eq!(distance.hits.iter().map(|hit| hit.row).collect::<Vec<_>>(), [0, 4, 9, 7, 2, 3, 5, 8]);
    assert_eq!(distance.nan_rows, 2);
    let cosine = Search::new(Metric::Cosine).top_k(&[1.0], &rows, 99).unwrap();
    assert_eq!(cosine.hits.iter().map(|hit| hit.row).collect::<Vec<_>>(), [0, 7, 4, 9]);
    assert_eq!(cosine.nan_rows, 6);
    let none = Search::new(Metric::Dot).top_k(&[1.0], &rows, 0).unwrap();
    assert_eq!((none.hits.len(), none.nan_rows), (0, 2));
}

#[test]
fn a_zero_vector_has_cosine_0_with_every_finite_one() {
    for dim in dims() {
        let (some, zeros) = (numbers(1, dim), vec![0.0; dim]);
        assert_eq!(similarity_batch(&some, &one(&zeros)).unwrap(), [0.0]);
        assert_eq!(similarity_batch(&zeros, &one(&some)).unwrap(), [0.0]);
        assert_eq!(similarity_batch(&zeros, &one(&zeros)).unwrap(), [0.0]);
        assert_eq!(similarity_batch(&zeros, &one(&vec![f32::MAX; dim])).unwrap(), [0.0]);
    }
}

#[test]
fn nan_in_any_lane_of_query_or_row_makes_the_score_nan() {
    for dim in [1, 3, 7, 8, 15, 16, 17, 37, 64, 67] {
        for lane in 0..dim {
            let (clean, mut bad) = (numbers(1, dim), numbers(2, dim));
            bad[lane] = f32::NAN;
            for metric in METRICS {
                let search = Search::new(metric);
                for other in [&clean, &vec![0.0; dim]] {
                    assert!(search.scores(other, &Rows::new(&bad, dim).unwrap()).unwrap()[0].is_nan());
                    assert!(search.scores(&bad, &Rows::new(other, dim).unwrap()).unwrap()[0].is_nan());
                }
            }
        }
    }
}

#[test]
fn an_infinity_makes_cosine_nan_and_follows_ieee_elsewhere() {
    let inf = f32::INFINITY;
    for dim in [1, 5, 16, 33, 67] {
        for lane in 0..dim {
            let (ones, mut far) = (vec![1.0; dim], vec![0.5; dim]);
            far[lane] = -inf;
            for other in [&ones, &vec![0.0; dim], &far] {
                assert!(similarity_batch(other, &one(&far)).unwrap()[0].is_nan());
                assert!(similarity_batch(&far, &one(other)).unwrap()[0].is_nan());
            }
            let rows = Rows::new(&far, dim).unwrap();
            assert_eq!(Search::new(Metric::Dot).scores(&ones, &rows).unwrap(), [-inf]);
            assert!(Search::new(Metric::Dot).scores(&vec![0.0; dim], &rows).unwrap()[0].is_nan());
            assert_eq!(Search::new(Metric::SquaredEuclidean).scores(&ones, &rows).unwrap(), [inf]);
            assert!(Search::new(Metric::SquaredEuclidean).scores(&far, &rows).unwrap()[0].is_nan());
        }
    }
}

#[test]
fn cosine_does_not_depend_on_the_size_of_norms() {
    for dim in [1, 4, 19, 64, 257] {
        let (base, other) = (numbers(1, dim), numbers(2, dim));
        // At 1e-22 squares are denormal, at 1e-25 they are zero, at 1e19 their sums overflow.
        let scales = [1e-40f32, 1e-37, 1e-25, 1e-22, 1e-19, 1.0, 1e18, 1e19, 1e37, 3e38];
        for query_scale in scales {
            for row_scale in scales {
                let query: Vec<_> = base.iter().map(|x| x * query_scale).collect();
                let row: Vec<_> = other.iter().map(|x| x * row_scale).collect();
                // Scaling into denormal numbers rounds the elements themselves: the oracle takes them as they then are.
                assert_near(Metric::Cosine, &query, &row, similarity_batch(&query, &one(&row)).unwrap()[0]);
            }
        }
    }
}

#[test]
fn a_dot_product_overflows_only_where_its_total_does() {
    for dim in [2, 16, 48, 67] {
        let mut query = vec![1e20; dim];
        let row = vec![1e20; dim];
        let rows = Rows::new(&row, dim).unwrap();
        let dot = |query: &[f32]| Search::new(Metric::Dot).scores(query, &rows).unwrap()[0];
        assert_eq!(dot(&query), f32::INFINITY);
        query.iter_mut().skip(1).step_by(2).for_each(|element| *element = -1e20);
        query[dim - 1] = if dim % 2 == 0 { -1e20 } else { 0.0 };
        assert_eq!(dot(&query), 0.0);
        query[0] = -1e20;
        assert_eq!(dot(&query), f32::NEG_INFINITY);
        let distance = Search::new(Metric::SquaredEuclidean).scores(&query, &rows).unwrap()[0];
        assert_eq!(distance, f32::INFINITY);
    }
}

#[test]
fn no_rows_give_no_scores() {
    let rows = Rows::<f32>::new(&[], 3).unwrap();
    assert_eq!((rows.is_empty(), rows.row(0)), (true, None));
    let query = [1.0, 2.0, 3.0];
    for metric in METRICS {
        let search = Search::new(metric);
        assert!(search.scores(&query, &rows).unwrap().is_empty());
        assert!(search.gather(&query, &rows, &[]).unwrap().is_empty());
        assert_eq!(search.top_k(&query, &rows, 5).unwrap(), TopK::default());
    }
    assert!(similarity_batch(&query, &Rows::<f32>::new(&[], query.len()).unwrap()).unwrap().is_empty());
}

#[test]
fn rows_tell_their_shape_and_hand_out_each_row() {
    let data = numbers(1, 12);
    let rows = Rows::new(&data, 4).unwrap();
    assert_eq!((rows.len(), rows.dim(), rows.is_empty(), rows.as_slice()), (3, 4, false, &data[..]));
    assert_eq!(rows.row(2), Some(&data[8..]));
    assert_eq!(rows.row(3), None);
    assert_eq!(rows.row(usize::MAX), None);
}

#[test]
fn rows_of_nothing_a_partial_row_and_a_query_of_another_length_are_refused_by_name() {
    let max = isize::MAX as usize / 4;
    assert_eq!(Rows::new(&[1.0], 0).unwrap_err(), Error::Range { what: "dim", min: 1, max, found: 0 });
    assert_eq!(
        Rows::<f32>::new(&[], usize::MAX).unwrap_err(),
        Error::Range { what: "dim", min: 1, max, found: usize::MAX }
    );
    let partial = Rows::new(&[1.0, 2.0, 3.0], 2).unwrap_err();
    assert_eq!(partial, Error::PartialRow { what: "rows", dim: 2, stride: 2, found: 3 });
    assert_eq!(partial.to_string(), "rows: expected a whole number of rows of 2 elements, found 3 elements");
    let mut scores = [7.0];
    let rows = one(&[1.0, 2.0]);
    for query in [&[][..], &[1.0], &[1.0; 3]] {
        let short = Error::Length { what: "query", expected: 2, found: query.len() };
        assert_eq!(similarity_batch(query, &rows), Err(short.clone()));
        assert_eq!(similarity_batch_into(query, &rows, &mut scores), Err(short));
    }
    assert_eq!(scores, [7.0]);
}

#[test]
fn wrong_lengths_and_ids_past_the_end_are_refused_and_nothing_is_written() {
    let rows = Rows::new(&[1.0, 2.0, 3.0, 4.0], 2).unwrap();
    for metric in METRICS {
        let search = Search::new(metric);
        let mut scores = [7.0; 3];
        let query = Error::Length { what: "query", expected: 2, found: 1 };
        assert_eq!(search.scores_into(&[1.0], &rows, &mut scores[..2]), Err(query.clone()));
        assert_eq!(search.gather_into(&[1.0], &rows, &[0], &mut scores[..1]), Err(query.clone()));
        assert_eq!(search.top_k(&[1.0], &rows, 1), Err(query.clone()));
        assert_eq!(query.to_string(), "query: expected 2 elements, found 1");
        let long = Error::Length { what: "scores", expected: 2, found: 3 };
        assert_eq!(search.scores_into(&[1.0, 1.0], &rows, &mut scores), Err(long.clone()));
        assert_eq!(search.gather_into(&[1.0, 1.0], &rows, &[0, 1], &mut scores), Err(long));
        let index = Error::Index { what: "row id", position: 2, len: 2, found: 2 };
        assert_eq!(search.gather_into(&[1.0, 1.0], &rows, &[0, 1, 2], &mut scores), Err(index.clone()));
        assert_eq!(index.to_string(), "row id at position 2: expected an index below 2, found 2");
        assert!(search.gather(&[1.0, 1.0], &rows, &[u32::MAX]).is_err());
        assert_eq!(scores, [7.0; 3]);
    }
    let mut scores = [7.0; 2];
    similarity_batch_into(&[1.0, 2.0], &rows, &mut scores[..1]).unwrap_err();
    assert_eq!(scores, [7.0; 2]);
    similarity_batch_into(&[1.0, 2.0], &rows, &mut scores).unwrap();
    assert_eq!(scores.to_vec(), similarity_batch(&[1.0, 2.0], &rows).unwrap());
}

#[test]
fn a_first_gather_that_packs_1000_rows_of_768_works_and_shows_its_overflow() {
    let (dim, count) = (768, 1000);
    let data = numbers(1, dim * count);
    let (rows, ids) = (Rows::new(&data, dim).unwrap(), Vec::from_iter(0..count as u32));
    let search = Search::new(Metric::Cosine).packing(Packing::Whole);
    let before = ArenaStats::of_thread();
    let scores = search.gather(&data[..dim], &rows, &ids).unwrap();
    let after = ArenaStats::of_thread();
    assert_eq!((after.overflow_count, after.heap_loan_count), (before.overflow_count + 1, before.heap_loan_count + 1));
    assert_eq!(bits(&scores), bits(&search.scores(&data[..dim], &rows).unwrap()));
    let refused = search.on_overflow(OverflowPolicy::Error).gather(&data[..dim], &rows, &ids);
    assert_eq!(refused, Err(Error::OutOfMemory { needed: 3_075_072, capacity: 2 << 20 }));
}

/// Magnitudes whose products are normal numbers of f32: below them the documented bound leaves out what underflows.
fn element() -> impl Strategy<Value = f32> {
    prop_oneof![4 => -1000.0f32..1000.0, 1 => Just(0.0), 1 => -1e-6f32..1e-6, 1 => -1e15f32..1e15]
        .prop_map(|x| if x.abs() < 1e-12 { 0.0 } else { x })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_rows_score_within_the_bound_and_top_k_sorts_them(
        (query, data) in (1usize..70, 0usize..6).prop_flat_map(|(dim, count)| {
            (prop::collection::vec(element(), dim), prop::collection::vec(element(), dim * count))
        }),
        k in 0usize..8,
    ) {
        let rows = Rows::new(&data, query.len()).unwrap();
        for metric in METRICS {
            let scores = Search::new(metric).scores(&query, &rows).unwrap();
            for (row, &score) in scores.iter().enumerate() {
                assert_near(metric, &query, rows.row(row).unwrap(), score);
            }
            assert_top_k_sorts(metric, &query, &rows, k);
        }
    }

    #[test]
    fn random_choices_of_scores_with_ties_nan_and_infinities_are_sorted(
        data in prop::collection::vec(prop_oneof![
            12 => (-4i8..5).prop_map(f32::from),
            1 => Just(f32::NAN),
            1 => Just(f32::INFINITY),
            1 => Just(f32::NEG_INFINITY),
        ], 0..700),
        query in -2i8..3,
        k in 0usize..720,
    ) {
        let rows = Rows::new(&data, 1).unwrap();
        for metric in METRICS {
            assert_top_k_sorts(metric, &[f32::from(query)], &rows, k);
        }
    }

    #[test]
    fn random_ids_gather_the_bits_of_their_rows(
        dim in 1usize..50,
        count in 1usize..40,
        seed in any::<u64>(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..80),
    ) {
        let (query, data) = (numbers(seed, dim), numbers(seed ^ 1, dim * count));
        let rows = Rows::new(&data, dim).unwrap();
        let ids: Vec<u32> = picks.iter().map(|pick| pick.index(count) as u32).collect();
        for metric in METRICS {
            let all = Search::new(metric).scores(&query, &rows).unwrap();
            let expected: Vec<_> = ids.iter().map(|&id| all[id as usize]).collect();
            prop_assert_eq!(bits(&Search::new(metric).gather(&query, &rows, &ids).unwrap()), bits(&expected));
        }
    }
}

#[test]
fn metrics_are_read_and_kept_by_the_names_that_errors_give_them() {
    let names = ["Cosine", "Dot", "SquaredEuclidean", "Hamming", "Jaccard"];
    assert_eq!(Metric::ALL.iter().map(ToString::to_string).collect::<Vec<_>>(), names);
    assert_eq!(names.map(|name| name.parse::<Metric>().unwrap()), Metric::ALL);
    assert_eq!(HashSet::<&Metric>::from_iter(Metric::ALL).len(), names.len());
    assert_eq!(format!("{:>8}", Metric::Dot), "     Dot");
    let refused = "cosine".parse::<Metric>().unwrap_err();
    assert_eq!(refused, Error::UnknownMetric { found: "cosine".to_string() });
    assert!(
        refused.to_string().ends_with("found `cosine`") && names.iter().all(|name| refused.to_string().contains(name))
    );
    #[cfg(feature = "serde")]
    for &metric in Metric::ALL {
        let text = serde_json::to_string(&metric).unwrap();
        assert_eq!(text, format!("\"{metric}\""));
        assert_eq!(serde_json::from_str::<Metric>(&text).unwrap(), metric);
    }
    let (bits, numbers) = ([1u8], [1.0]);
    let wrong = Search::new(Metric::Cosine).scores(&bits, &Rows::new(&bits, 1).unwrap()).unwrap_err();
    assert!(wrong.to_string().starts_with("Cosine: "), "{wrong}");
    assert_eq!(similarity_batch(&bits, &Rows::new(&bits, 1).unwrap()), Err(wrong));
    assert!(Search::new(Metric::Jaccard).scores(&numbers, &Rows::new(&numbers, 1).unwrap()).is_err());
}

#[test]
fn distances_are_no_seeds() {
    let rows = Rows::new(&[1.0, 0.0, 0.5, -1.0], 1).unwrap();
    let best = |metric| Search::new(metric).top_k(&[1.0], &rows, 4).unwrap();
    let refusal = best(Metric::SquaredEuclidean).seeds().unwrap_err();
    assert_eq!(refusal, Error::Distances { metric: "SquaredEuclidean" });
    assert!(refusal.to_string().ends_with("found distances by SquaredEuclidean"), "{refusal}");
    let each = Search::new(Metric::SquaredEuclidean).top_k_each(&[1.0, 2.0], &rows, 2).unwrap();
    assert!(each.iter().all(|best| best.seeds().is_err()));
    for metric in [Metric::Dot, Metric::Cosine] {
        let seeds = best(metric).seeds().unwrap();
        assert_eq!(seeds.iter().map(|seed| seed.node).collect::<Vec<_>>(), [0, 2], "{metric:?}");
    }
    let (bits, query) = ([0b0111u8, 0b1000], [0b0011u8]);
    let rows = Rows::new(&bits, 1).unwrap();
    let hamming = Search::new(Metric::Hamming).top_k(&query, &rows, 2).unwrap();
    assert_eq!(hamming.seeds(), Err(Error::Distances { metric: "Hamming" }));
    let jaccard = Search::new(Metric::Jaccard).top_k(&query, &rows, 2).unwrap();
    assert_eq!(jaccard.seeds().unwrap().len(), 1);
    assert_eq!(TopK::default().seeds(), Ok(Vec::new()));
    let far = Rows::new(&bits, 0).unwrap_err().to_string();
    assert!(far == "dim: expected 1 to 2^63 - 1, found 0" || usize::BITS < 64, "{far}");
}
