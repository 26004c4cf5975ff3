//! i8 and bits: whole numbers until they are rounded once, for any number of elements, and what scales make of them.

mod common;
#[path = "common/oracle.rs"]
mod oracle;
#[path = "common/samples.rs"]
mod samples;

use common::{bits, numbers};
use ecphory::{
    ArenaStats, AsRows, Error, Metric, OverflowPolicy, Packing, Precision, Prepared, Quantized, Rows, Search,
};
use ecphory::{arena, quantize_i8, similarity_batch, similarity_batch_into};
use oracle::{METRICS, U};
use samples::{OF_BITS, Sample};

/// Lengths around registers and cache lines, and beyond those at which sums in 32 bits would overflow.
const DIMS: [usize; 18] =
    [1, 3, 15, 16, 17, 31, 32, 63, 64, 65, 127, 129, 1000, 65_535, 65_536, 65_537, 131_073, 200_000];

/// The sum of products, exactly.
fn products(a: &[i8], b: &[i8]) -> i64 {
    a.iter().zip(b).map(|(&a, &b)| i64::from(a) * i64::from(b)).sum()
}

/// The score of elements without scales: an integer, or a quotient of two, rounded once.
fn rounded(metric: Metric, query: &[i8], row: &[i8]) -> f32 {
    let (both, own, other) = (products(query, row), products(query, query), products(row, row));
    match metric {
        Metric::Dot => both as f32,
        Metric::SquaredEuclidean => (own - 2 * both + other) as f32,
        _ => panic!("a cosine is no integer"),
    }
}

fn cosine(query: &[i8], row: &[i8]) -> f64 {
    let norms = (products(query, query) as f64).sqrt() * (products(row, row) as f64).sqrt();
    if norms == 0.0 { 0.0 } else { products(query, row) as f64 / norms }
}

/// Rows of the largest and smallest elements, alone, in turn, and with one other; of drawn ones; of zeros.
fn extremes(dim: usize) -> Vec<i8> {
    let turns = |a: i8, b: i8| (0..dim).map(move |i| if i % 2 == 0 { a } else { b });
    let mut last = vec![0; dim];
    last[dim - 1] = -128;
    let mut rows: Vec<i8> = [(127, 127), (-128, -128), (-128, 127), (127, -1), (0, 0), (1, 1)]
        .into_iter()
        .flat_map(|(a, b)| turns(a, b))
        .collect();
    rows.extend(last);
    rows.extend(i8::drawn(dim as u64, 3 * dim));
    rows
}

#[test]
fn dot_products_and_distances_of_i8_are_exact_for_any_elements_and_any_length() {
    for dim in DIMS {
        let data = extremes(dim);
        let rows = Rows::new(&data, dim).unwrap();
        for metric in [Metric::Dot, Metric::SquaredEuclidean] {
            for precision in [Precision::Fast, Precision::Precise] {
                let search = Search::new(metric).precision(precision);
                let scores = search.matrix(&data, &rows).unwrap();
                let pairs = data.chunks(dim).flat_map(|query| data.chunks(dim).map(move |row| (query, row)));
                for ((query, row), &score) in pairs.zip(&scores) {
                    assert_eq!(score, rounded(metric, query, row), "{metric:?}, dim {dim}, {precision:?}");
                }
                let alone = search.scores(&data[dim..2 * dim], &rows).unwrap();
                assert_eq!(bits(&alone), bits(&scores[rows.len()..2 * rows.len()]), "{metric:?}, dim {dim}");
            }
        }
    }
}

#[test]
fn cosines_of_i8_err_by_a_rounding_or_two_and_those_of_zeros_are_zero() {
    for dim in DIMS {
        let data = extremes(dim);
        let rows = Rows::new(&data, dim).unwrap();
        let prepared = Prepared::new(rows).unwrap();
        for (precision, bound) in [(Precision::Fast, 2.0 * U), (Precision::Precise, U * (1.0 + 1e-6))] {
            let search = Search::new(Metric::Cosine).precision(precision);
            let scores = search.matrix(&data, &rows).unwrap();
            assert_eq!(bits(&search.matrix(&data, &prepared).unwrap()), bits(&scores), "dim {dim}, prepared");
            let pairs = data.chunks(dim).flat_map(|query| data.chunks(dim).map(move |row| (query, row)));
            for ((query, row), &score) in pairs.zip(&scores) {
                let exact = cosine(query, row);
                let near = (f64::from(score) - exact).abs() <= bound;
                assert!(near, "dim {dim}, {precision:?}: expected {exact}, found {score}");
                assert!(exact != 0.0 || score == 0.0, "dim {dim}: expected 0, found {score}");
            }
        }
    }
}

#[test]
fn bits_are_counted_for_any_length_and_have_jaccard_1_where_there_are_none() {
    for dim in DIMS {
        let mut data = u8::drawn(1, 3 * dim);
        data.extend((0..3 * dim).map(|i| [0, 255, 0x80][i / dim]));
        let rows = Rows::new(&data, dim).unwrap();
        let count = |of: fn(u8, u8) -> u8, q: &[u8], x: &[u8]| -> u64 {
            q.iter().zip(x).map(|(&q, &x)| u64::from(of(q, x).count_ones())).sum()
        };
        for precision in [Precision::Fast, Precision::Precise] {
            let [hamming, jaccard] = OF_BITS.map(|metric| {
                let search = Search::new(metric).precision(precision);
                let scores = search.matrix(&data, &rows).unwrap();
                assert_eq!(bits(&search.scores(&data[..dim], &rows).unwrap()), bits(&scores[..rows.len()]));
                scores
            });
            let pairs = data.chunks(dim).flat_map(|query| data.chunks(dim).map(move |row| (query, row)));
            for ((q, x), (&distance, &likeness)) in pairs.zip(hamming.iter().zip(&jaccard)) {
                assert_eq!(distance, count(|q, x| q ^ x, q, x) as f32, "dim {dim}");
                let (both, either) = (count(|q, x| q & x, q, x), count(|q, x| q | x, q, x));
                let expected = if either == 0 { 1.0 } else { (both as f64 / either as f64) as f32 };
                assert_eq!(likeness, expected, "dim {dim}");
            }
        }
    }
}

#[test]
fn every_byte_of_every_length_counts_once() {
    for dim in (1..=67).chain([127, 128, 129, 255, 256, 257]) {
        let ones = vec![1i8; dim];
        let data: Vec<_> = (0..dim).flat_map(|lane| (0..dim).map(move |i| if i == lane { -2i8 } else { 0 })).collect();
        let rows = Rows::new(&data, dim).unwrap();
        assert_eq!(Search::new(Metric::Dot).scores(&ones, &rows).unwrap(), vec![-2.0; dim]);
        assert_eq!(Search::new(Metric::SquaredEuclidean).scores(&ones, &rows).unwrap(), vec![dim as f32 + 8.0; dim]);
        assert_eq!(Search::new(Metric::Dot).scores(&vec![1.5; dim], &rows).unwrap(), vec![-3.0; dim]);
        let data: Vec<_> = data.iter().map(|&x| if x == 0 { 0 } else { 0x81u8 }).collect();
        let rows = Rows::new(&data, dim).unwrap();
        assert_eq!(Search::new(Metric::Hamming).scores(&vec![1u8; dim], &rows).unwrap(), vec![dim as f32; dim]);
        let likeness = (1.0 / (dim + 1) as f64) as f32;
        assert_eq!(Search::new(Metric::Jaccard).scores(&vec![1u8; dim], &rows).unwrap(), vec![likeness; dim]);
    }
}

/// Queries and rows with scales far apart in size.
fn scaled(dim: usize, scales: &[f32]) -> Vec<i8> {
    let mut data = i8::drawn(9, dim * scales.len());
    data[..dim].fill(-128);
    data
}

#[test]
fn scales_multiply_dot_products_and_distances_within_a_rounding_and_leave_cosines_as_they_are() {
    let scales = [1.0, 0.1, 1e-3, 127.3, 1e-20, 1e20, 1e-30, 3e38, f32::MIN_POSITIVE, 1e-45];
    for dim in [1, 17, 64, 771] {
        let data = scaled(dim, &scales);
        let plain = Rows::new(&data, dim).unwrap();
        let rows = plain.scaled(&scales).unwrap();
        assert_eq!((rows.scales(), plain.scales()), (Some(&scales[..]), None));
        for metric in [Metric::Dot, Metric::SquaredEuclidean] {
            let scores = Search::new(metric).matrix(&rows, &rows).unwrap();
            assert_eq!(
                bits(&Search::new(metric).precision(Precision::Precise).matrix(&rows, &rows).unwrap()),
                bits(&scores)
            );
            for (i, &score) in scores.iter().enumerate() {
                let (q, r) = (i / scales.len(), i % scales.len());
                let [s, t] = [q, r].map(|row| f64::from(scales[row]));
                let [query, row] = [q, r].map(|row| &data[row * dim..][..dim]);
                let stand = query.iter().zip(row).map(|(&q, &x)| (s * f64::from(q), t * f64::from(x)));
                let (exact, magnitude): (f64, f64) = match metric {
                    Metric::Dot => (s * t * products(query, row) as f64, 0.0),
                    _ => stand.fold((0.0, 0.0), |(sum, all), (q, x)| (sum + (q - x).powi(2), all + q * q + x * x)),
                };
                let beyond = exact.abs() > f64::from(f32::MAX) && score.is_infinite();
                let bound = exact.abs() * U * (1.0 + 1e-6) + f64::powi(2.0, -49) * magnitude + f64::powi(2.0, -150);
                let near = beyond || (f64::from(score) - exact).abs() <= bound;
                assert!(near, "{metric:?}, dim {dim}, {s} and {t}: expected {exact}, found {score}");
                assert!(metric == Metric::Dot || score >= 0.0, "dim {dim}, {s} and {t}: found {score}");
            }
        }
        for precision in [Precision::Fast, Precision::Precise] {
            let search = Search::new(Metric::Cosine).precision(precision);
            let (with, without) = (search.matrix(&rows, &rows).unwrap(), search.matrix(&plain, &plain).unwrap());
            assert_eq!(bits(&with), bits(&without));
            let (with, without) =
                (search.matrix(&numbers(1, 12 * dim), &rows), search.matrix(&numbers(1, 12 * dim), &plain));
            assert_eq!(bits(&with.unwrap()), bits(&without.unwrap()));
        }
        let norms = Prepared::new(rows).unwrap().norms().to_vec();
        assert_eq!(bits(&norms), bits(Prepared::new(plain).unwrap().norms()));
    }
}

#[test]
fn rows_of_equal_scales_have_distances_that_are_exact_but_for_the_scale() {
    let (dim, scale) = (300, 0.3);
    let data = i8::drawn(5, 20 * dim);
    let scales = [scale; 20];
    let rows = Rows::new(&data, dim).unwrap().scaled(&scales).unwrap();
    let distances = Search::new(Metric::SquaredEuclidean).matrix(&rows, &rows).unwrap();
    for (i, &found) in distances.iter().enumerate() {
        let [q, x] = [i / 20, i % 20].map(|row| &data[row * dim..][..dim]);
        let whole = (products(q, q) - 2 * products(q, x) + products(x, x)) as f64;
        assert_eq!(found, (f64::from(scale) * f64::from(scale) * whole) as f32);
    }
}

#[test]
fn oddities_of_an_f32_query_follow_ieee_against_i8() {
    let data = [1i8, -2, 0, 3, 0, 0];
    let rows = Rows::new(&data, 2).unwrap().scaled(&[2.0, 0.5, 1.0]).unwrap();
    let inf = f32::INFINITY;
    for count in [1, 12] {
        let all = |metric, query: [f32; 2]| {
            let scores = Search::new(metric).matrix(&query.repeat(count), &rows).unwrap();
            assert!(scores.chunks(3).all(|some| format!("{some:?}") == format!("{:?}", &scores[..3])));
            format!("{:?}", &scores[..3])
        };
        assert_eq!(all(Metric::Dot, [inf, 1.0]), "[inf, NaN, NaN]");
        assert_eq!(all(Metric::Dot, [f32::MAX, 0.0]), "[inf, 0.0, 0.0]");
        assert_eq!(all(Metric::Dot, [1e-45, 0.0]), "[3e-45, 0.0, 0.0]");
        assert_eq!(all(Metric::SquaredEuclidean, [inf, 1.0]), "[inf, inf, inf]");
        assert_eq!(all(Metric::Cosine, [inf, 1.0]), "[NaN, NaN, NaN]");
        assert_eq!(all(Metric::Cosine, [0.0, 0.0]), "[0.0, 0.0, 0.0]");
        for metric in METRICS {
            assert_eq!(all(metric, [1.0, f32::NAN]), "[NaN, NaN, NaN]");
        }
        for size in [1e-45, 1e-30, 1.0, 1e30, 3e38] {
            let scores = Search::new(Metric::Cosine).matrix(&[0.0, size].repeat(count), &rows).unwrap();
            let exact = [-2.0 / 5f64.sqrt(), 1.0, 0.0];
            assert!(
                scores.iter().zip(exact.iter().cycle()).all(|(s, x)| (f64::from(*s) - x).abs() < 12.0 * U),
                "{scores:?}"
            );
        }
    }
}

#[test]
fn a_metric_that_is_not_of_the_elements_is_refused_by_name_and_nothing_is_written() {
    let numbers = Rows::new(&[1.0f32, 2.0], 2).unwrap();
    let bytes = Rows::new(&[1u8, 2], 2).unwrap();
    let mut scores = [7.0];
    for metric in OF_BITS {
        let refused =
            Error::Metric { metric: if metric == Metric::Hamming { "Hamming" } else { "Jaccard" }, elements: "f32" };
        let search = Search::new(metric);
        assert_eq!(search.scores_into(&[1.0, 2.0], &numbers, &mut scores), Err(refused.clone()));
        assert_eq!(search.matrix_into(&[1.0, 2.0], &numbers, &mut scores), Err(refused.clone()));
        assert_eq!(search.gather_into(&[1.0, 2.0], &numbers, &[0], &mut scores), Err(refused.clone()));
        assert_eq!(search.top_k(&[1.0, 2.0], &numbers, 1), Err(refused.clone()));
        assert_eq!(search.top_k_each(&[1.0, 2.0], &numbers, 1), Err(refused));
    }
    let refused = Error::Metric { metric: "Cosine", elements: "bits" };
    assert_eq!(similarity_batch(&[1u8, 2], &bytes), Err(refused.clone()));
    assert_eq!(similarity_batch_into(&[1u8, 2], &bytes, &mut scores), Err(refused.clone()));
    assert_eq!(refused.to_string(), "Cosine: expected numbers, found bits");
    let refused = Search::new(Metric::Hamming).scores(&[1i8, 2], &Rows::new(&[1i8, 2], 2).unwrap()).unwrap_err();
    assert_eq!(refused.to_string(), "Hamming: expected bits, found i8");
    assert_eq!(scores, [7.0]);
}

#[test]
fn scales_that_are_none_are_refused_by_name() {
    let rows = Rows::new(&[1i8, 2, 3, 4], 2).unwrap();
    let few = rows.scaled(&[1.0]).unwrap_err();
    assert_eq!(few, Error::Length { what: "scales", expected: 2, found: 1 });
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let refused = rows.scaled(&[1.0, scale]).unwrap_err().to_string();
        assert_eq!(refused, format!("scale at position 1: expected a finite number above 0, found {scale}"));
    }
}

#[test]
fn queries_come_as_slices_arrays_vectors_boxes_and_rows_of_any_kind() {
    let rows: Quantized = quantize_i8(&[3.0, 4.0, -4.0, 3.0], 2).unwrap();
    let (search, expected) = (Search::new(Metric::Dot), [25.0, 0.0]);
    let near = |scores: Vec<f32>| scores.iter().zip(expected).all(|(s, e)| (s - e).abs() < 0.3);
    let query = [3.0f32, 4.0];
    assert!(near(search.scores(&query, &rows).unwrap()));
    assert!(near(search.scores(&query[..], &rows).unwrap()));
    assert!(near(search.scores(&query.to_vec(), &rows).unwrap()));
    assert!(near(search.scores(&&query[..], &rows).unwrap()));
    assert!(near(search.scores(&Box::<[f32]>::from(query), &rows).unwrap()));
    assert!(near(search.scores(&std::sync::Arc::<[f32]>::from(query), &rows).unwrap()));
    assert!(near(search.scores(&Rows::new(&query, 2).unwrap(), &rows).unwrap()));
    assert!(near(search.scores(&Prepared::new(Rows::new(&query, 2).unwrap()).unwrap(), &rows).unwrap()));
    assert!(near(search.scores(&quantize_i8(&query, 2).unwrap(), &rows).unwrap()));
    let own = search.matrix(&rows, &rows).unwrap();
    assert_eq!(bits(&own), bits(&search.matrix(&rows.as_rows(), &rows.as_rows()).unwrap()));
    // What queries have of norms and a filter means nothing.
    let filtered = rows.as_rows().filtered(&[0]).unwrap();
    assert_eq!(bits(&search.matrix(&filtered, &rows).unwrap()), bits(&own));
    let wide = [3.0, 4.0, 9.0, -4.0, 3.0];
    let apart = Rows::with_stride(&wide, 2, 3).unwrap();
    assert_eq!(search.matrix(&apart, &rows).unwrap(), search.matrix(&[3.0, 4.0, -4.0, 3.0], &rows).unwrap());
}

#[test]
fn rows_that_are_no_queries_of_the_rows_are_refused_by_name() {
    let (data, search) = ([1i8, 2, 3, 4, 5, 6], Search::new(Metric::Dot));
    let (two, three) = (Rows::new(&data, 2).unwrap(), Rows::new(&data, 3).unwrap());
    let of_query = Error::Length { what: "query", expected: 2, found: 3 };
    let of_queries = Error::Length { what: "queries", expected: 2, found: 3 };
    let not_one = Error::Length { what: "queries", expected: 1, found: 3 };
    assert_eq!(search.scores(&three, &two), Err(of_query.clone()));
    assert_eq!(search.gather(&three, &two, &[0]), Err(of_query.clone()));
    assert_eq!(search.top_k(&three, &two, 1), Err(of_query));
    assert_eq!(search.matrix(&three, &two), Err(of_queries.clone()));
    assert_eq!(search.top_k_each(&three, &two, 1), Err(of_queries));
    assert_eq!(search.scores(&two, &two), Err(not_one.clone()));
    assert_eq!(search.gather(&two, &two, &[0]), Err(not_one.clone()));
    assert_eq!(search.top_k(&two, &two, 1), Err(not_one));
    let none = Rows::new(&data[..0], 2).unwrap();
    assert_eq!((search.matrix(&none, &two), search.top_k_each(&none, &two, 1)), (Ok(vec![]), Ok(vec![])));
    assert_eq!(search.scores(&data[..2], &none), Ok(vec![]));
}

/// What is documented of scratch, as a refusal names it.
#[test]
fn scratch_of_reduced_rows_is_what_the_documentation_says() {
    let dim = 100;
    let (data, whole) = (i8::drawn(1, 300 * dim), dim.next_multiple_of(64));
    let rows = Rows::new(&data, dim).unwrap();
    let search = Search::new(Metric::Dot).on_overflow(OverflowPolicy::Error).packing(Packing::Whole);
    let capacity = 2 << 20;
    let refusal = |needed: usize| Error::OutOfMemory { needed: capacity + needed, capacity };
    search.scores(&data[..dim], &rows).unwrap();
    arena::scope(|scratch| {
        let held = ArenaStats::of_thread().current_usage;
        scratch.alloc::<u8>(capacity - held).unwrap();
        let ids: Vec<u32> = (0..300).collect();
        assert_eq!(search.scores(&data[..dim], &rows).unwrap_err(), refusal(whole));
        assert_eq!(search.scores(&numbers(1, dim), &rows).unwrap_err(), refusal(4 * whole));
        let packed = (300 * dim).next_multiple_of(64);
        assert_eq!(search.gather(&data[..dim], &rows, &ids).unwrap_err(), refusal(whole + packed));
        assert_eq!(search.top_k(&data[..dim], &rows, 8).unwrap_err(), refusal(whole + 1024 + 128));
        assert_eq!(search.matrix(&data[..64 * dim], &rows).unwrap_err(), refusal(65 * (whole + 128) + (16 << 10)));
        let turned = (64 + 1 + 64) * 4 * whole;
        assert_eq!(search.matrix(&numbers(1, 64 * dim), &rows).unwrap_err(), refusal(turned + (16 << 10)));
    })
    .unwrap();
}
