//! Hits found through copies in i8 are those of the whole scan, to the bit, whatever the data; and few rows are scored.

use ecphory::{Companion, Error, Metric, OverflowPolicy, Precision, Prepared, Rows, Search, TopK};

const METRICS: [Metric; 3] = [Metric::Cosine, Metric::Dot, Metric::SquaredEuclidean];

/// Numbers in [-1, 1), the same for the same seed.
struct Drawn(u64);

impl Drawn {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    fn many(&mut self, count: usize) -> Vec<f32> {
        (0..count).map(|_| self.next()).collect()
    }

    fn below(&mut self, count: usize) -> usize {
        ((self.next() + 1.0) / 2.0 * count as f32) as usize % count
    }
}

fn bits(best: &TopK) -> (Vec<(usize, u32)>, usize) {
    (best.hits.iter().map(|hit| (hit.row, hit.score.to_bits())).collect(), best.nan_rows)
}

/// The hits of the whole scan, by either way; how many rows were scored beside copies.
fn agree(search: &Search, query: &[f32], prepared: &Prepared<'_>, companion: &Companion<'_>, k: usize) -> usize {
    let whole = search.top_k(query, prepared, k).unwrap();
    let beside = prepared.clone().with_companion(companion).unwrap();
    let found = search.top_k(query, &beside, k).unwrap();
    assert_eq!(bits(&found), bits(&whole), "{search:?}, k {k}");
    assert_eq!(whole.rescored_rows, 0);
    found.rescored_rows
}

/// What makes bounds tight, or loose, or wrong where they forget something.
#[derive(Debug, Clone, Copy)]
enum Data {
    Drawn,
    /// Few distinct rows, each many times.
    Ties,
    /// All rows near the query.
    Near,
    /// Some rows far larger and some far smaller than the others.
    Outliers,
    /// One huge coordinate, so that copies hold nothing of the others.
    Huge,
    /// The same numbers in another order, so that all true scores of an even query are one.
    Shuffled,
    /// Zeros, NaN and infinities among the rows.
    Odd,
    /// Beyond what squares of f32 hold, and below it.
    Extreme,
}

const DATA: [Data; 8] =
    [Data::Drawn, Data::Ties, Data::Near, Data::Outliers, Data::Huge, Data::Shuffled, Data::Odd, Data::Extreme];

/// A query and rows of it.
fn painted(data: Data, count: usize, dim: usize, seed: u64) -> (Vec<f32>, Vec<f32>) {
    let mut drawn = Drawn(seed);
    let mut query = drawn.many(dim);
    let mut rows = drawn.many(count * dim);
    let even = drawn.many(dim);
    for (i, row) in rows.chunks_mut(dim).enumerate() {
        let pick = drawn.below(16);
        match data {
            Data::Drawn => {}
            Data::Ties => row.iter_mut().enumerate().for_each(|(e, x)| *x = ((e * 7 + pick) % 5) as f32 / 3.0),
            Data::Near => row.iter_mut().zip(&query).for_each(|(x, q)| *x = q + *x * 1e-4),
            Data::Outliers => {
                let by = [1e-12, 1e12, 1e-3, 1e3][pick % 4];
                row.iter_mut().for_each(|x| *x *= if pick < 8 { by } else { 1.0 });
            }
            Data::Huge => row[i % dim] = 1e6 * (1.0 + pick as f32),
            Data::Shuffled => {
                row.copy_from_slice(&even);
                (1..dim).for_each(|e| row.swap(e, drawn.below(e + 1)));
            }
            Data::Odd => match pick {
                0 => row.fill(0.0),
                1 => row[i % dim] = f32::NAN,
                2 => row[i % dim] = f32::INFINITY,
                3 => row[i % dim] = f32::NEG_INFINITY,
                _ => {}
            },
            Data::Extreme => {
                let by = [1e-42, 1e-30, 1e-20, 1e19, 1e30, 3e38][pick % 6];
                row.iter_mut().for_each(|x| *x *= by);
            }
        }
    }
    if matches!(data, Data::Shuffled) {
        query.fill(1.0 / 3.0);
    }
    (query, rows)
}

#[test]
fn hits_are_those_of_the_whole_scan_to_the_bit_whatever_the_data() {
    for (i, data) in DATA.into_iter().enumerate() {
        for (j, dim) in [1, 3, 17, 64, 65, 100, 384].into_iter().enumerate() {
            let count = [1, 5, 255, 257, 1500, 3000][(i + j) % 6];
            let (query, elements) = painted(data, count, dim, (i * 10 + j) as u64);
            let prepared = Prepared::new(Rows::new(&elements, dim).unwrap()).unwrap();
            let companion = Companion::new(&Rows::new(&elements, dim).unwrap()).unwrap();
            for metric in METRICS {
                for k in [0, 1, 10, count] {
                    agree(&Search::new(metric), &query, &prepared, &companion, k);
                }
            }
        }
    }
}

#[test]
fn a_row_is_found_where_the_threshold_is_its_own_score() {
    let scales = [1.0, 1e-24, 4e-23, 1e-20, 1e-15, 1e-12, 1e12, 1e19];
    for (i, scale) in scales.into_iter().enumerate() {
        for (j, data) in DATA.into_iter().enumerate() {
            let (dim, count) = ([1, 2, 31, 64, 200][(i + j) % 5], 300);
            let (mut query, mut elements) = painted(data, count, dim, (40 + i * 8 + j) as u64);
            elements.iter_mut().for_each(|x| *x *= scale);
            // Against the rows, where scores are negative, as small as they, and of no size at all.
            let sign = [1.0, -1.0, scale, 0.0][(i + j) % 4];
            query.iter_mut().for_each(|x| *x *= sign);
            let rows = Rows::new(&elements, dim).unwrap();
            let (prepared, companion) = (Prepared::new(rows).unwrap(), Companion::new(&rows).unwrap());
            for metric in METRICS {
                let scores = Search::new(metric).scores(&query, &prepared).unwrap();
                for &threshold in scores.iter().step_by(7).filter(|score| !score.is_nan()) {
                    agree(&Search::new(metric).threshold(threshold), &query, &prepared, &companion, count);
                }
                agree(&Search::new(metric), &query, &prepared, &companion, 1);
            }
        }
    }
}

#[test]
fn rows_that_f32_does_not_measure_and_scores_that_it_does_not_hold_are_found() {
    let near = [vec![[-0.8, 0.6]; 300], vec![[-0.6e-12, 0.8e-12]]].concat().concat();
    let mut small = vec![0.0; 301 * 1000];
    small.chunks_mut(1000).for_each(|row| row[0] = 1e-22);
    small[300_000..].fill(1e-23);
    for (query, elements, metric) in
        [(vec![1.0, 0.0], near, Metric::Cosine), (vec![0.0; 1000], small, Metric::SquaredEuclidean)]
    {
        let rows = Rows::new(&elements, query.len()).unwrap();
        let (prepared, companion) = (Prepared::new(rows).unwrap(), Companion::new(&rows).unwrap());
        assert_eq!(Search::new(metric).top_k(&query, &prepared, 1).unwrap().hits[0].row, 300);
        agree(&Search::new(metric), &query, &prepared, &companion, 1);
    }
}

#[test]
fn odd_queries_find_the_hits_of_the_whole_scan() {
    let (query, elements) = painted(Data::Odd, 3000, 40, 1);
    let prepared = Prepared::new(Rows::new(&elements, 40).unwrap()).unwrap();
    let companion = Companion::new(&Rows::new(&elements, 40).unwrap()).unwrap();
    for odd in [0.0, f32::NAN, f32::INFINITY, 3e38, 1e-42, -1e20] {
        for all in [false, true] {
            let mut query = query.clone();
            let at = if all { 0..40 } else { 7..8 };
            query[at].fill(odd);
            for metric in METRICS {
                agree(&Search::new(metric), &query, &prepared, &companion, 10);
            }
        }
    }
}

#[test]
fn a_row_whose_score_rounds_up_is_not_lost() {
    // All true scores are one, and all copies exact: roundings alone tell rows apart.
    for dim in [96, 768, 1536] {
        let mut drawn = Drawn(dim as u64);
        let even: Vec<f32> =
            (0..dim).map(|e| if e % 3 == 0 { 127.0 } else { drawn.below(254) as f32 - 127.0 }).collect();
        let mut elements = Vec::new();
        for _ in 0..4000 {
            let mut row = even.clone();
            (1..dim).for_each(|e| row.swap(e, drawn.below(e + 1)));
            elements.extend(row);
        }
        let query = vec![1.0 / 3.0; dim];
        let prepared = Prepared::new(Rows::new(&elements, dim).unwrap()).unwrap();
        let companion = Companion::new(&Rows::new(&elements, dim).unwrap()).unwrap();
        assert!(companion.residuals().iter().all(|&residual| residual < 1e-30));
        for metric in METRICS {
            agree(&Search::new(metric), &query, &prepared, &companion, 10);
        }
    }
}

#[test]
fn a_row_whose_score_rounds_far_is_not_lost() {
    // Equal elements round the same way at each step: over so many, by hundreds of 2^-24, which way differs by row.
    let (dim, count) = (1 << 16, 100);
    let mut drawn = Drawn(9);
    let mut elements = Vec::new();
    for _ in 0..count {
        elements.extend(std::iter::repeat_n(1.0 + drawn.below(1000) as f32 * 3e-6, dim));
    }
    let prepared = Prepared::new(Rows::new(&elements, dim).unwrap()).unwrap();
    let companion = Companion::new(&Rows::new(&elements, dim).unwrap()).unwrap();
    for each in [1.0 / 3.0, -1.0 / 3.0, 0.7] {
        let query = vec![each; dim];
        for metric in METRICS {
            for threshold in Search::new(metric).scores(&query, &prepared).unwrap().into_iter().step_by(9) {
                agree(&Search::new(metric).threshold(threshold), &query, &prepared, &companion, count);
            }
        }
    }
}

#[test]
fn filters_thresholds_and_strides_find_the_hits_of_the_whole_scan() {
    let (dim, stride, count) = (48, 51, 2000);
    let (query, mut elements) = painted(Data::Drawn, count, stride, 3);
    let query = &query[..dim];
    elements.truncate((count - 1) * stride + dim);
    let mut drawn = Drawn(4);
    let words: Vec<u64> =
        (0..count.div_ceil(64)).map(|i| if i % 5 == 0 { 0 } else { drawn.next().to_bits().into() }).collect();
    let rows = Rows::with_stride(&elements, dim, stride).unwrap();
    let companion = Companion::new(&rows).unwrap();
    for rows in [rows, rows.filtered(&words).unwrap()] {
        let prepared = Prepared::new(rows).unwrap();
        {
            for metric in METRICS {
                let all = Rows::with_stride(&elements, dim, stride).unwrap();
                let scores = Search::new(metric).scores(query, &all).unwrap();
                for threshold in [f32::NEG_INFINITY, scores[1], scores[64], 0.0, f32::INFINITY] {
                    agree(&Search::new(metric).threshold(threshold), query, &prepared, &companion, 20);
                }
            }
        }
    }
}

#[test]
fn few_of_many_drawn_rows_are_scored_and_all_where_the_bound_tells_nothing() {
    let (dim, count) = (128, 40_000);
    let (query, elements) = painted(Data::Drawn, count, dim, 5);
    let rows = Rows::new(&elements, dim).unwrap();
    let (prepared, companion) = (Prepared::new(rows).unwrap(), Companion::new(&rows).unwrap());
    for metric in METRICS {
        let scored = agree(&Search::new(metric), &query, &prepared, &companion, 10);
        assert!((10..count / 20).contains(&scored), "{metric:?}: scored {scored} of {count}");
    }
    let (query, elements) = painted(Data::Ties, count / 4, dim, 6);
    let ties: Vec<f32> = elements.iter().map(|_| 0.5).collect();
    let rows = Rows::new(&ties, dim).unwrap();
    let (prepared, companion) = (Prepared::new(rows).unwrap(), Companion::new(&rows).unwrap());
    let scored = agree(&Search::new(Metric::Dot), &query, &prepared, &companion, 10);
    assert_eq!(scored, rows.len());
}

#[test]
fn precise_scores_and_many_queries_need_no_copies() {
    let (query, elements) = painted(Data::Drawn, 3000, 32, 7);
    let rows = Rows::new(&elements, 32).unwrap();
    let (prepared, companion) = (Prepared::new(rows).unwrap(), Companion::new(&rows).unwrap());
    let beside = prepared.clone().with_companion(&companion).unwrap();
    let precise = Search::new(Metric::Cosine).precision(Precision::Precise);
    assert_eq!(agree(&precise, &query, &prepared, &companion, 5), 0);
    let queries = [&query[..], &elements[..64]].concat();
    let search = Search::new(Metric::Cosine);
    let each = search.top_k_each(&queries, &beside, 5).unwrap();
    assert_eq!(each, search.top_k_each(&queries, &prepared, 5).unwrap());
    assert_eq!(search.scores(&query, &beside).unwrap(), search.scores(&query, &prepared).unwrap());
}

#[test]
fn hits_are_equal_however_many_rows_were_scored_for_them() {
    let (query, elements) = painted(Data::Odd, 3000, 32, 7);
    let rows = Rows::new(&elements, 32).unwrap();
    let (prepared, companion) = (Prepared::new(rows).unwrap(), Companion::new(&rows).unwrap());
    let search = Search::new(Metric::Dot);
    let whole = search.top_k(&query, &prepared, 5).unwrap();
    let beside = search.top_k(&query, &prepared.with_companion(&companion).unwrap(), 5).unwrap();
    assert!(beside.rescored_rows > 0 && whole.rescored_rows == 0 && whole.nan_rows > 0);
    assert_eq!(beside, whole);
    let mut others = [whole.clone(), whole.clone(), whole.clone()];
    others[0].nan_rows += 1;
    others[1].hits.pop();
    others[2].hits[4].row += 1;
    assert!(others.iter().all(|other| *other != whole));
}

fn on_threads<T: Send>(threads: usize, call: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(call)
}

#[test]
fn hits_of_many_tasks_do_not_depend_on_the_number_of_threads() {
    for data in [Data::Drawn, Data::Ties] {
        let (query, elements) = painted(data, 200_000, 100, 8);
        let rows = Rows::new(&elements, 100).unwrap();
        let (prepared, companion) = (Prepared::new(rows).unwrap(), Companion::new(&rows).unwrap());
        let beside = prepared.clone().with_companion(&companion).unwrap();
        for metric in METRICS {
            let search = Search::new(metric);
            let mut sorted: Vec<_> = search.scores(&query, &rows).unwrap().into_iter().enumerate().collect();
            let far = |score: f32| if metric == Metric::SquaredEuclidean { score } else { -score };
            sorted.sort_by(|a, b| far(a.1).total_cmp(&far(b.1)).then(a.0.cmp(&b.0)));
            let sorted: Vec<_> = sorted[..40].iter().map(|(row, score)| (*row, score.to_bits())).collect();
            for threads in [1, 2, 7] {
                let whole = on_threads(threads, || search.top_k(&query, &prepared, 40).unwrap());
                assert_eq!(bits(&whole).0, sorted, "{data:?}, {metric:?}");
                let found = on_threads(threads, || search.top_k(&query, &beside, 40).unwrap());
                assert_eq!(bits(&found).0, sorted, "{data:?}, {metric:?} beside copies");
            }
        }
    }
}

#[test]
fn a_task_spares_the_next_what_is_worse_than_its_hits() {
    let (query, elements) = painted(Data::Drawn, 200_000, 100, 8);
    let scored = |count: usize| {
        let rows = Rows::new(&elements[..count * 100], 100).unwrap();
        let (prepared, companion) = (Prepared::new(rows).unwrap(), Companion::new(&rows).unwrap());
        let beside = prepared.with_companion(&companion).unwrap();
        on_threads(1, || Search::new(Metric::Cosine).top_k(&query, &beside, 10).unwrap().rescored_rows)
    };
    // One task, and seven.
    let (first, all) = (scored(30_000), scored(200_000));
    assert!(all < 2 * first, "{first} rows of one task were scored, {all} of seven");
}

#[test]
fn a_companion_is_kept_by_its_parts_and_refused_where_they_do_not_fit() {
    let (_, elements) = painted(Data::Odd, 100, 70, 9);
    let rows = Rows::new(&elements, 70).unwrap();
    let companion = Companion::new(&rows).unwrap();
    assert_eq!(companion.bytes(), 100 * (128 + 12));
    let parts = || {
        let facts = [companion.scales(), companion.residuals(), companion.lengths()].map(<[f32]>::to_vec);
        (companion.elements().to_vec(), facts)
    };
    let (kept, [scales, residuals, lengths]) = parts();
    assert_eq!(Companion::from_parts(70, kept, scales, residuals, lengths).unwrap(), companion);
    let (kept, [mut scales, residuals, lengths]) = parts();
    scales[3] = 0.0;
    let refused = Companion::from_parts(70, kept, scales, residuals, lengths).unwrap_err();
    assert!(matches!(refused, Error::Value { what: "scale", position: Some(3), .. }), "{refused}");
    let (mut kept, [scales, residuals, lengths]) = parts();
    kept.pop();
    let refused = Companion::from_parts(70, kept, scales, residuals, lengths).unwrap_err();
    assert!(matches!(refused, Error::Length { what: "elements", expected: 12_800, found: 12_799 }), "{refused}");
    let others = Prepared::new(Rows::new(&elements[..7000], 35).unwrap()).unwrap();
    assert!(matches!(others.with_companion(&companion), Err(Error::Length { what: "companion", .. })));
    let fewer = Prepared::new(Rows::new(&elements[..70], 70).unwrap()).unwrap();
    assert!(matches!(fewer.with_companion(&companion), Err(Error::Length { what: "companion's rows", .. })));
}

#[test]
fn residuals_and_lengths_are_no_less_than_they_say() {
    for data in DATA {
        let (_, elements) = painted(data, 300, 37, 10);
        let companion = Companion::new(&Rows::new(&elements, 37).unwrap()).unwrap();
        for (row, x) in elements.chunks(37).enumerate() {
            if x.iter().any(|x| !x.is_finite()) {
                assert_eq!(companion.residuals()[row], f32::INFINITY);
                continue;
            }
            let copy = &companion.elements()[row * 64..][..64];
            assert!(copy[37..].iter().all(|&byte| byte == 0));
            let near = |e: usize| f64::from(companion.scales()[row]) * f64::from(copy[e]);
            let left: f64 = (0..37).map(|e| (f64::from(x[e]) - near(e)).powi(2)).sum();
            let length: f64 = (0..37).map(|e| near(e).powi(2)).sum();
            assert!(left.sqrt() <= companion.residuals()[row].into());
            assert!(length.sqrt() <= companion.lengths()[row].into());
        }
    }
}

#[test]
fn a_search_that_does_not_fit_is_refused_where_the_policy_says_so() {
    let dim = 1 << 20;
    let elements = vec![1.0; 2 * dim];
    let rows = Rows::new(&elements, dim).unwrap();
    let (prepared, companion) = (Prepared::new(rows).unwrap(), Companion::new(&rows).unwrap());
    let beside = prepared.with_companion(&companion).unwrap();
    let search = Search::new(Metric::Dot).on_overflow(OverflowPolicy::Error);
    let refused = search.top_k(&elements[..dim], &beside, 1).unwrap_err();
    // The query, its copy twice, scores and products of 256 rows, and one hit.
    let expected = 4 * dim + 2 * dim + 2 * 1024 + 64;
    assert!(matches!(refused, Error::OutOfMemory { needed, .. } if needed == expected), "{refused}");
}
