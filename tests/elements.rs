//! Rows of every type against queries of every type that meets them: each call, each metric, any shape and layout.

mod common;
#[path = "common/oracle.rs"]
mod oracle;
#[path = "common/samples.rs"]
mod samples;

use std::any::type_name;

use common::{bits, numbers, on_threads};
use ecphory::{Meets, Metric, Packing, Precision, Rows, Search};
#[cfg(feature = "half")]
use half::{bf16, f16};
use oracle::{as_pairs, sorted};
use samples::{Sample, exact, scale_of, scales};

const PACKINGS: [Packing; 3] = [Packing::InPlace, Packing::Whole, Packing::Tiled];
const PRECISIONS: [Precision; 2] = [Precision::Fast, Precision::Precise];

/// As many queries as are turned over, and one more than a power of two.
const QUERIES: usize = 12;

/// Runs a generic function for every pair of types that meet.
macro_rules! for_all_pairs {
    ($check:ident($($argument:expr),*)) => {{
        $check::<f32, f32>($($argument),*);
        $check::<f32, i8>($($argument),*);
        $check::<i8, i8>($($argument),*);
        $check::<u8, u8>($($argument),*);
        #[cfg(feature = "half")]
        {
            $check::<f32, f16>($($argument),*);
            $check::<f16, f16>($($argument),*);
            $check::<f32, bf16>($($argument),*);
            $check::<bf16, bf16>($($argument),*);
        }
    }};
}

/// Elements, and scales for each row, where such rows have them.
struct Drawn<T> {
    elements: Vec<T>,
    scales: Vec<f32>,
    dim: usize,
}

impl<T: Sample> Drawn<T> {
    fn new(seed: u64, dim: usize, count: usize) -> Self {
        Self { elements: T::drawn(seed, dim * count), scales: scales(seed ^ 77, count), dim }
    }

    fn rows(&self) -> Rows<'_, T> {
        T::scaled(Rows::new(&self.elements, self.dim).unwrap(), &self.scales)
    }

    /// The first of them.
    fn first(&self, count: usize) -> Rows<'_, T> {
        T::scaled(Rows::new(&self.elements[..count * self.dim], self.dim).unwrap(), &self.scales[..count])
    }

    /// The same rows from element `offset` of a vector on, `stride` apart, with other elements between them.
    fn apart(&self, offset: usize, stride: usize) -> Vec<T> {
        let mut all = T::drawn(99, offset + self.scales.len() * stride);
        for (row, elements) in self.elements.chunks(self.dim).enumerate() {
            all[offset + row * stride..][..self.dim].copy_from_slice(elements);
        }
        all.truncate(offset + (self.scales.len() * stride).saturating_sub(stride - self.dim));
        all
    }
}

/// Every call's answer as bits: of one query, of two, and of all.
struct Answers {
    alone: Vec<f32>,
    together: Vec<f32>,
    all: Vec<Vec<u32>>,
}

fn answers<Q: Sample + Meets<T>, T: Sample>(
    search: Search,
    queries: [&Rows<'_, Q>; 3],
    rows: &Rows<'_, T>,
    ids: &[u32],
) -> Answers {
    let [one, two, many] = queries;
    let (alone, together) = (search.scores(one, rows).unwrap(), search.matrix(many, rows).unwrap());
    let mut all = vec![bits(&alone), bits(&search.matrix(two, rows).unwrap()), bits(&together)];
    for packing in PACKINGS {
        all.push(bits(&search.packing(packing).gather(one, rows, ids).unwrap()));
    }
    let best = search.top_k_each(many, rows, 9).unwrap();
    for top in best.iter().chain([&search.top_k(one, rows, 9).unwrap()]) {
        let (hits, nan_rows) = as_pairs(top);
        all.push(hits.iter().flat_map(|&(row, score)| [row as u32, score]).chain([nan_rows as u32]).collect());
    }
    Answers { alone, together, all }
}

fn assert_scores<Q: Sample, T: Sample>(
    (metric, precision): (Metric, Precision),
    queries: &Rows<'_, Q>,
    rows: &Rows<'_, T>,
    scores: &[f32],
) {
    assert_eq!(scores.len(), queries.len() * rows.len());
    for (i, &score) in scores.iter().enumerate() {
        let (q, r) = (i / rows.len(), i % rows.len());
        let query = (queries.row(q).unwrap(), scale_of(queries, q));
        let row = (rows.row(r).unwrap(), scale_of(rows, r));
        let (expected, bound) = exact(metric, precision, query, row);
        assert!(
            (expected - f64::from(score)).abs() <= bound,
            "{} against {}, {metric:?}, {precision:?}, dim {}: expected {expected} +- {bound}, found {score}",
            type_name::<Q>(),
            type_name::<T>(),
            rows.dim()
        );
    }
}

/// Dims, with numbers of rows that are all of 0 to 70 where rows are short.
fn shapes() -> impl Iterator<Item = (usize, usize)> {
    let short = (0..=70).map(|i| (1 + i * 29 % 67, i));
    let rest = (1..=67).map(|dim| (dim, 5));
    let long = [100, 127, 128, 129, 255, 256, 257, 384, 768, 771, 1536, 4096];
    short.chain(rest).chain(long.into_iter().zip([9, 4, 6, 7, 5, 13, 1, 11, 5, 10, 4, 2]))
}

fn every_call_is_right<Q: Sample + Meets<T>, T: Sample>() {
    for (dim, count) in shapes() {
        let (queries, drawn) =
            (Drawn::<Q>::new(dim as u64, dim, QUERIES), Drawn::<T>::new(1000 + dim as u64, dim, count));
        let (one, two, many, rows) = (queries.first(1), queries.first(2), queries.rows(), drawn.rows());
        let ids: Vec<u32> = (0..2 * count as u32).map(|i| i * 7 % count as u32).collect();
        let name = format!("{} against {}, dim {dim}, {count} rows", type_name::<Q>(), type_name::<T>());
        for (&metric, precision) in T::METRICS.iter().flat_map(|metric| PRECISIONS.map(|precision| (metric, precision)))
        {
            let search = Search::new(metric).precision(precision);
            let found = answers(search, [&one, &two, &many], &rows, &ids);
            assert_scores((metric, precision), &many, &rows, &found.together);
            assert_scores((metric, precision), &one, &rows, &found.alone);
            let all_alone: Vec<_> = (0..QUERIES)
                .flat_map(|q| {
                    let query = Rows::new(many.row(q).unwrap(), dim).unwrap();
                    search.scores(&Q::scaled(query, &queries.scales[q..=q]), &rows).unwrap()
                })
                .collect();
            assert_eq!(found.all[1], bits(&all_alone[..2 * count]), "{name}: two queries are as each alone");
            let integers = type_name::<Q>() == type_name::<T>() && type_name::<T>().ends_with('8');
            if integers || precision == Precision::Precise {
                assert_eq!(bits(&found.together), bits(&all_alone), "{name}: {metric:?}, {precision:?}");
            }
            let gathered: Vec<_> = ids.iter().map(|&id| found.alone[id as usize].to_bits()).collect();
            assert!(found.all[3..6].iter().all(|scores| *scores == gathered), "{name}: {metric:?}, {precision:?}");
            for (top, scores) in
                found.all[6..].iter().zip(found.together.chunks(count.max(1)).chain([&found.alone[..]]))
            {
                let (hits, nan_rows) = sorted(metric, scores, 9);
                let hits = hits.iter().flat_map(|&(row, score)| [row as u32, score]);
                assert!(hits.chain([nan_rows as u32]).eq(top.iter().copied()), "{name}: {metric:?}, {precision:?}");
            }
        }
    }
}

#[test]
fn every_call_answers_within_its_bound_and_as_each_other() {
    for_all_pairs!(every_call_is_right());
}

fn layouts_do_not_matter<Q: Sample + Meets<T>, T: Sample>() {
    let shapes =
        [(1, 70), (3, 5), (15, 64), (16, 65), (17, 1), (31, 9), (64, 20), (67, 66), (257, 9), (768, 20), (5, 0)];
    for (dim, count) in shapes {
        let (queries, drawn) = (Drawn::<Q>::new(1, dim, QUERIES), Drawn::<T>::new(2, dim, count));
        let (one, two, many, rows) = (queries.first(1), queries.first(2), queries.rows(), drawn.rows());
        let ids: Vec<u32> = (0..count as u32).rev().step_by(2).collect();
        for (&metric, precision) in T::METRICS.iter().flat_map(|metric| PRECISIONS.map(|precision| (metric, precision)))
        {
            let search = Search::new(metric).precision(precision);
            let expected = answers(search, [&one, &two, &many], &rows, &ids).all;
            for (offset, gap) in
                [(0, 0), (1, 0), (0, 1), (3, 2), (0, 64 - dim % 64), (1, dim + 3), (2, 4096 - dim % 4096)]
            {
                let (near, far) = (drawn.apart(offset, dim + gap), queries.apart(offset, dim + gap));
                let rows = T::scaled(Rows::with_stride(&near[offset..], dim, dim + gap).unwrap(), &drawn.scales);
                let many = Q::scaled(Rows::with_stride(&far[offset..], dim, dim + gap).unwrap(), &queries.scales);
                let name = format!("{} against {}, {metric:?}, {dim}", type_name::<Q>(), type_name::<T>());
                let found = answers(search, [&one, &two, &many], &rows, &ids).all;
                assert!(found == expected, "{name} from {offset}, {gap} between");
                T::prepared(rows, |rows| {
                    let found = answers(search, [&one, &two, &many], &rows, &ids).all;
                    assert!(found == expected, "{name} from {offset}, {gap} between, prepared");
                });
            }
        }
    }
}

#[test]
fn rows_and_queries_apart_unaligned_or_prepared_answer_with_the_bits_of_dense_ones() {
    for_all_pairs!(layouts_do_not_matter());
}

fn filters_and_thresholds_choose<Q: Sample + Meets<T>, T: Sample>() {
    for count in [1usize, 63, 64, 65, 257, 700] {
        let words = count.div_ceil(64);
        filter_chooses::<Q, T>("all rows kept out", count, &vec![0; words]);
        filter_chooses::<Q, T>("all rows admitted", count, &vec![u64::MAX; words]);
        let drawn: Vec<u64> = numbers(5, words).iter().map(|x| u64::from(x.to_bits()) * 0x10_0401).collect();
        filter_chooses::<Q, T>("some rows admitted", count, &drawn);
    }
}

fn filter_chooses<Q: Sample + Meets<T>, T: Sample>(name: &str, count: usize, words: &[u64]) {
    let dim = 21;
    let (queries, drawn) = (Drawn::<Q>::new(3, dim, QUERIES), Drawn::<T>::new(4, dim, count));
    let admits = |row: usize| words[row / 64] >> (row % 64) & 1 == 1;
    let (one, many) = (queries.first(1), queries.rows());
    let some = drawn.rows().filtered(words).unwrap();
    let kept = |scores: &[f32]| -> Vec<f32> {
        scores.iter().enumerate().map(|(i, &s)| if admits(i % count) { s } else { f32::NAN }).collect()
    };
    let same = |a: &[f32], b: &[f32]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan())
    };
    for &metric in T::METRICS {
        let search = Search::new(metric);
        let name = format!("{} against {}, {metric}, {count} rows, {name}", type_name::<Q>(), type_name::<T>());
        let alone = kept(&search.scores(&one, &drawn.rows()).unwrap());
        let together = kept(&search.matrix(&many, &drawn.rows()).unwrap());
        assert!(same(&search.scores(&one, &some).unwrap(), &alone), "{name}");
        assert!(same(&search.matrix(&many, &some).unwrap(), &together), "{name}");
        let ids: Vec<u32> = (0..count as u32).rev().collect();
        let gathered: Vec<_> = alone.iter().rev().copied().collect();
        for packing in PACKINGS {
            assert!(same(&search.packing(packing).gather(&one, &some, &ids).unwrap(), &gathered), "{name}");
        }
        let (by_score, _) = sorted(metric, &alone, count);
        let threshold = by_score.get(by_score.len() / 2).map_or(0.0, |&(_, score)| f32::from_bits(score));
        let lowest_first = matches!(metric, Metric::SquaredEuclidean | Metric::Hamming);
        let good = |score: f32| if lowest_first { score <= threshold } else { score >= threshold };
        let near = |scores: &[f32]| {
            let (mut hits, _) = sorted(metric, scores, count);
            hits.retain(|&(_, score)| good(f32::from_bits(score)));
            (hits, 0)
        };
        let search = search.threshold(threshold);
        assert_eq!(as_pairs(&search.top_k(&one, &some, usize::MAX).unwrap()), near(&alone), "{name}");
        let each = search.top_k_each(&many, &some, count).unwrap();
        assert!(each.iter().map(as_pairs).eq(together.chunks(count).map(near)), "{name}");
    }
}

#[test]
fn filters_and_thresholds_choose_among_the_scores_there_are() {
    for_all_pairs!(filters_and_thresholds_choose());
}

fn threads_do_not_matter<Q: Sample + Meets<T>, T: Sample>() {
    // Some 9 MB of rows, in tasks of 4, or of 1,024 rows with many queries.
    let dim = 250;
    let count = (9 << 20) / (dim * size_of::<T>());
    let (queries, drawn) = (Drawn::<Q>::new(1, dim, 9), Drawn::<T>::new(2, dim, count));
    let (one, rows) = (queries.first(1), drawn.rows());
    let ids: Vec<u32> = (0..count as u32).map(|i| i.wrapping_mul(7919) % count as u32).collect();
    for &metric in T::METRICS {
        let search = Search::new(metric);
        let run = || {
            let scores = search.scores(&one, &rows).unwrap();
            let gathered = search.packing(Packing::Whole).gather(&one, &rows, &ids).unwrap();
            let best = search.top_k(&one, &rows, 300).unwrap();
            assert_eq!(as_pairs(&best), sorted(metric, &scores, 300), "{metric:?}");
            let best: Vec<_> = search.top_k_each(&queries.rows(), &rows, 3).unwrap().iter().map(as_pairs).collect();
            (bits(&scores), bits(&gathered), best)
        };
        let seven = on_threads(7, run);
        assert!(on_threads(1, run) == seven, "{} against {}, {metric:?}", type_name::<Q>(), type_name::<T>());
        assert!(seven.1.iter().zip(&ids).all(|(&score, &id)| score == seven.0[id as usize]), "{metric:?}");
        let last = count - 100;
        let few = T::scaled(Rows::new(&drawn.elements[last * dim..], dim).unwrap(), &drawn.scales[last..]);
        assert_eq!(bits(&search.scores(&one, &few).unwrap()), seven.0[last..], "{metric:?}");
        let prepared = T::prepared(rows, |rows| on_threads(7, || search.scores(&one, &rows).unwrap()));
        assert_eq!(bits(&prepared), seven.0, "{metric:?}");
    }
}

#[test]
fn one_thread_and_seven_give_the_same_bits_of_every_type() {
    for_all_pairs!(threads_do_not_matter());
}
