//! Rows with a stride, under a filter, with norms taken beforehand: the bits of the same rows without.

mod common;
#[path = "common/oracle.rs"]
mod oracle;

use common::{bits, numbers, on_threads};
use ecphory::{AsRows, Error, Metric, Packing, Precision, Prepared, Rows, Search};
use oracle::{METRICS, as_pairs, sorted};

/// Rows of `dim` that begin `stride` apart, NaN between them, and none after the last.
fn apart(dense: &[f32], dim: usize, stride: usize) -> Vec<f32> {
    let gap = vec![f32::NAN; stride - dim];
    let mut data: Vec<_> = dense.chunks(dim).flat_map(|row| [row, &gap].concat()).collect();
    data.truncate(data.len().saturating_sub(gap.len()));
    data
}

/// As many words as rows need, every bit drawn, those behind the last row too.
fn words(seed: u64, rows: usize) -> Vec<u64> {
    let halves = numbers(seed, 2 * rows.div_ceil(64));
    halves.chunks(2).map(|pair| u64::from(pair[0].to_bits()) << 37 ^ u64::from(pair[1].to_bits()) << 9).collect()
}

fn admits(words: &[u64], row: usize) -> bool {
    words[row / 64] >> (row % 64) & 1 == 1
}

/// Scores as they are under a filter.
fn filtered(scores: &[f32], words: &[u64]) -> Vec<f32> {
    scores.iter().enumerate().map(|(row, &score)| if admits(words, row) { score } else { f32::NAN }).collect()
}

/// Every call's answer as bits, of one query, of seven, and of ids.
fn answers(search: Search, queries: &[f32], rows: &impl AsRows<Element = f32>, ids: &[u32]) -> Vec<Vec<u32>> {
    let dim = rows.as_rows().dim();
    let mut all = vec![
        bits(&search.scores(&queries[..dim], rows).unwrap()),
        bits(&search.matrix(&queries[..2 * dim], rows).unwrap()),
        bits(&search.matrix(queries, rows).unwrap()),
    ];
    for packing in [Packing::InPlace, Packing::Whole, Packing::Tiled] {
        all.push(bits(&search.packing(packing).gather(&queries[..dim], rows, ids).unwrap()));
    }
    let best = search.top_k_each(queries, rows, 9).unwrap();
    for top in best.iter().chain([&search.top_k(&queries[..dim], rows, 9).unwrap()]) {
        let (hits, nan_rows) = as_pairs(top);
        all.push(hits.iter().flat_map(|&(row, score)| [row as u32, score]).chain([nan_rows as u32]).collect());
    }
    all
}

#[test]
fn rows_apart_and_prepared_answer_every_call_with_the_bits_of_dense_ones() {
    for (dim, count) in [(1, 70), (3, 5), (15, 64), (16, 65), (17, 1), (67, 130), (257, 9), (768, 20), (5, 0)] {
        let (dense, queries) = (numbers(1, dim * count), numbers(2, 7 * dim));
        let ids: Vec<u32> = (0..count as u32).rev().step_by(2).collect();
        let rows = Rows::new(&dense, dim).unwrap();
        for stride in [dim, dim + 1, 2 * dim + 3] {
            let data = apart(&dense, dim, stride);
            let spaced = Rows::with_stride(&data, dim, stride).unwrap();
            let prepared = Prepared::new(spaced).unwrap();
            assert_eq!((spaced.len(), spaced.stride(), spaced.dim()), (count, stride, dim));
            for metric in METRICS {
                for precision in [Precision::Fast, Precision::Precise] {
                    let search = Search::new(metric).precision(precision);
                    let expected = answers(search, &queries, &rows, &ids);
                    assert!(answers(search, &queries, &spaced, &ids) == expected, "{metric:?}, {dim}, {stride}");
                    assert!(answers(search, &queries, &prepared, &ids) == expected, "{metric:?}, {dim}, {stride}");
                }
            }
        }
    }
}

#[test]
fn a_filter_leaves_scores_as_they_are_and_hits_as_those_scores_sort() {
    for count in [1, 63, 64, 65, 255, 256, 257, 1000] {
        let dim = 6;
        let (data, query) = (numbers(3, dim * count), numbers(4, dim));
        let plain = Rows::new(&data, dim).unwrap();
        let none = vec![0; count.div_ceil(64)];
        let all = vec![u64::MAX; count.div_ceil(64)];
        for filter in [none, all, words(5, count)] {
            let rows = plain.filtered(&filter).unwrap();
            assert_eq!((rows.len(), rows.filter()), (count, Some(&filter[..])));
            let ids: Vec<u32> = (0..count as u32).chain([0]).collect();
            for metric in METRICS {
                let search = Search::new(metric);
                let expected = filtered(&search.scores(&query, &plain).unwrap(), &filter);
                let found = search.scores(&query, &rows).unwrap();
                assert!(
                    found.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan())
                );
                let gathered = search.gather(&query, &rows, &ids).unwrap();
                assert!(gathered.iter().zip(&ids).all(|(score, &id)| score.is_nan() != admits(&filter, id as usize)));
                for k in [0, 1, 10, count, usize::MAX] {
                    let (hits, nan_rows) = as_pairs(&search.top_k(&query, &rows, k).unwrap());
                    assert_eq!(
                        (hits, nan_rows),
                        (sorted(metric, &expected, k).0, 0),
                        "{metric:?}, {count} rows, k {k}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_row_that_a_filter_admits_and_that_scores_nan_is_counted_and_others_are_not() {
    let mut data = numbers(1, 130);
    data[5] = f32::NAN;
    data[129] = f32::NAN;
    let rows = Rows::new(&data, 1).unwrap();
    let without = [!(1 << 5), u64::MAX, u64::MAX];
    for (filter, expected) in [(&[u64::MAX; 3], 2), (&without, 1), (&[0; 3], 0)] {
        let rows = rows.filtered(filter).unwrap();
        assert_eq!(Search::new(Metric::Dot).top_k(&[1.0], &rows, 3).unwrap().nan_rows, expected);
        let each = Search::new(Metric::Dot).top_k_each(&[1.0; 7], &rows, 3).unwrap();
        assert!(each.iter().all(|top| top.nan_rows == expected));
    }
}

#[test]
fn rows_in_several_tasks_are_filtered_and_prepared_as_in_one() {
    let (dim, stride) = (100, 103);
    let count = (2 << 20) / dim + 77;
    let (dense, query) = (numbers(6, dim * count), numbers(7, dim));
    let data = apart(&dense, dim, stride);
    let filter = words(8, count);
    let (plain, spaced) = (Rows::new(&dense, dim).unwrap(), Rows::with_stride(&data, dim, stride).unwrap());
    let prepared = Prepared::new(spaced).unwrap().filtered(&filter).unwrap();
    for (first, norms) in prepared.norms().chunks(1000).enumerate() {
        let some = Rows::new(&dense[first * 1000 * dim..][..norms.len() * dim], dim).unwrap();
        assert_eq!(bits(Prepared::new(some).unwrap().norms()), bits(norms));
    }
    for metric in METRICS {
        let search = Search::new(metric);
        let expected = filtered(&search.scores(&query, &plain).unwrap(), &filter);
        for threads in [1, 7] {
            on_threads(threads, || {
                let found = search.scores(&query, &prepared).unwrap();
                let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
                assert!(found.iter().zip(&expected).all(same), "{metric:?} on {threads} threads");
                let top = as_pairs(&search.top_k(&query, &prepared, 100).unwrap());
                assert_eq!(top, (sorted(metric, &expected, 100).0, 0), "{metric:?} on {threads} threads");
            });
        }
    }
}

#[test]
fn norms_that_f32_does_not_measure_are_zero_and_their_cosines_are_as_without() {
    let odd = [0.0, f32::NAN, f32::INFINITY, 1e-40, 1e-12, 1e-9, 1.0, 1e15, 1e16, 3e38];
    let data: Vec<_> = odd.iter().flat_map(|&x| [x, -x, x, x * 0.5, x]).collect();
    let rows = Rows::new(&data, 5).unwrap();
    let prepared = Prepared::new(rows).unwrap();
    let measured: Vec<_> = prepared.norms().iter().map(|&norm| norm > 0.0).collect();
    assert_eq!(measured, [false, false, false, false, false, true, true, false, false, false]);
    let search = Search::new(Metric::Cosine);
    for queries in [numbers(1, 5), numbers(2, 35), vec![0.0; 35], vec![1e-40; 35], vec![3e38; 35]] {
        let (plain, with) = (search.matrix(&queries, &rows).unwrap(), search.matrix(&queries, &prepared).unwrap());
        assert!(plain.iter().zip(&with).all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()));
    }
}

#[test]
fn shapes_that_do_not_fit_are_refused_by_name() {
    let max = isize::MAX as usize / 4;
    let data = [0.0; 8];
    let short = Rows::with_stride(&data, 3, 2).unwrap_err();
    assert_eq!(short, Error::Range { what: "stride", min: 3, max, found: 2 });
    assert_eq!(
        Rows::with_stride(&data, 3, usize::MAX).unwrap_err(),
        Error::Range { what: "stride", min: 3, max, found: usize::MAX }
    );
    assert_eq!(
        Rows::with_stride(&data[..7], 2, 3).unwrap_err(),
        Error::PartialRow { what: "rows", dim: 2, stride: 3, found: 7 }
    );
    assert_eq!([0, 2, 3, 5, 6].map(|len| Rows::with_stride(&data[..len], 2, 3).unwrap().len()), [0, 1, 1, 2, 2]);
    let rows = Rows::new(&data, 2).unwrap();
    let wrong = Error::Length { what: "filter", expected: 1, found: 2 };
    assert_eq!(rows.filtered(&[0, 0]).unwrap_err(), wrong);
    assert_eq!(Prepared::new(rows).unwrap().filtered(&[0, 0]).unwrap_err(), wrong);
    let few = Prepared::from_parts(rows, &[1.0, 2.0][..]).unwrap_err();
    assert_eq!(few, Error::Length { what: "norms", expected: 4, found: 2 });
    assert_eq!(rows.filtered(&[1]).unwrap().row(3), Some(&data[6..]));
}

#[test]
fn prepared_rows_go_by_the_norms_they_were_given() {
    let rows = Rows::new(&[3.0, 4.0, 0.0, 2.0], 2).unwrap();
    let twice = Prepared::from_parts(rows, vec![10.0, 4.0]).unwrap();
    let search = Search::new(Metric::Cosine);
    assert_eq!(search.scores(&[0.0, 1.0], &twice).unwrap(), [0.4, 0.5]);
    assert_eq!(search.matrix(&[0.0, 1.0].repeat(7), &twice).unwrap(), [0.4, 0.5].repeat(7));
    assert_eq!(Search::new(Metric::Dot).scores(&[0.0, 1.0], &twice).unwrap(), [4.0, 2.0]);
}

/// The orders in which rows are read differ by length, by whether they begin a cache line, and by how many bytes there
/// are of them all.
#[test]
fn rows_score_the_same_bits_wherever_they_begin_and_however_far_apart() {
    let count = 66;
    for dim in (1..40).chain([63, 64, 100, 128, 240, 255, 256, 257, 300, 511, 771, 1040]) {
        let (dense, query) = (numbers(dim as u64, dim * count), numbers(7, dim));
        for search in METRICS.map(Search::new) {
            let rows = Rows::new(&dense, dim).unwrap();
            let expected = bits(&search.scores(&query, &rows).unwrap());
            for stride in [dim.next_multiple_of(16), 4096, 4099] {
                let data = apart(&dense, dim, stride);
                let mut room = vec![0.0; data.len() + 32];
                let line = room.as_ptr().align_offset(64) % 16;
                for offset in [line, line + 1, line + 4, line + 15] {
                    room[offset..][..data.len()].copy_from_slice(&data);
                    let rows = Rows::with_stride(&room[offset..][..data.len()], dim, stride).unwrap();
                    assert_eq!(bits(&search.scores(&query, &rows).unwrap()), expected, "{dim}, {stride}, {offset}");
                    let prepared = Prepared::new(rows).unwrap();
                    assert_eq!(bits(&search.scores(&query, &prepared).unwrap()), expected, "{dim}, {stride}, {offset}");
                }
            }
        }
    }
}
