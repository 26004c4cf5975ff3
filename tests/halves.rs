//! f16 and bf16: scores within the bounds of f32, and what NaN, infinities, zeros and the least numbers make of them.
#![cfg(feature = "half")]

mod common;
#[path = "common/oracle.rs"]
mod oracle;

use common::{bits, numbers};
use ecphory::{Element, Meets, Metric, Number, Precision, Prepared, Rows, Search, similarity_batch};
use half::{bf16, f16};
use oracle::{METRICS, Real, U, assert_near, score};

const PRECISIONS: [Precision; 2] = [Precision::Fast, Precision::Precise];

trait Half: Number + Real + Meets<Self> {
    const NAN: Self;
    const MAX: Self;
    /// The least above zero.
    const LEAST: Self;
    fn of(x: f32) -> Self;
}

impl Half for f16 {
    const NAN: Self = f16::NAN;
    const MAX: Self = f16::MAX;
    const LEAST: Self = f16::from_bits(1);
    fn of(x: f32) -> Self {
        f16::from_f32(x)
    }
}

impl Half for bf16 {
    const NAN: Self = bf16::NAN;
    const MAX: Self = bf16::MAX;
    const LEAST: Self = bf16::from_bits(1);
    fn of(x: f32) -> Self {
        bf16::from_f32(x)
    }
}

fn halves<T: Half>(all: &[f32]) -> Vec<T> {
    all.iter().map(|&x| T::of(x)).collect()
}

/// The score of one query and one row, alone and among twelve queries: both must be of a kind.
fn both<Q: Element + Meets<T>, T: Element>(search: Search, query: &[Q], row: &[T]) -> [f32; 2] {
    let rows = Rows::new(row, row.len()).unwrap();
    let alone = search.scores(query, &rows).unwrap()[0];
    let among = search.matrix(&query.repeat(12), &rows).unwrap();
    assert_eq!(bits(&among), bits(&[among[0]; 12]));
    assert_eq!(search.gather(query, &rows, &[0]).unwrap()[0].to_bits(), alone.to_bits());
    [alone, among[0]]
}

/// Both scores are near that of f64.
fn assert_both<Q: Element + Real + Meets<T>, T: Element + Real>(
    (metric, precision): (Metric, Precision),
    query: &[Q],
    row: &[T],
) {
    for found in both(Search::new(metric).precision(precision), query, row) {
        assert_near(metric, query, row, found);
    }
}

fn searches() -> impl Iterator<Item = (Metric, Search)> {
    let all = METRICS.into_iter().flat_map(|metric| PRECISIONS.map(|precision| (metric, precision)));
    all.map(|(metric, precision)| (metric, Search::new(metric).precision(precision)))
}

fn nan_makes_nan<T: Half>()
where
    f32: Meets<T>,
{
    for dim in [1, 3, 8, 15, 16, 17, 31, 32, 33, 64, 67] {
        let (clean, zeros) = (halves::<T>(&numbers(1, dim)), vec![T::of(0.0); dim]);
        let plain = numbers(1, dim);
        for lane in 0..dim {
            let mut bad = clean.clone();
            bad[lane] = T::NAN;
            let mut bad_plain = plain.clone();
            bad_plain[lane] = f32::NAN;
            for (metric, search) in searches() {
                for other in [&clean, &zeros] {
                    assert!(both(search, other, &bad).iter().all(|score| score.is_nan()), "{metric:?}");
                    assert!(both(search, &bad, other).iter().all(|score| score.is_nan()), "{metric:?}");
                    assert!(both(search, &bad_plain, other).iter().all(|score| score.is_nan()), "{metric:?}");
                }
                assert!(both(search, &plain, &bad).iter().all(|score| score.is_nan()), "{metric:?}");
            }
        }
    }
}

#[test]
fn nan_in_any_lane_of_a_half_or_its_query_makes_the_score_nan() {
    nan_makes_nan::<f16>();
    nan_makes_nan::<bf16>();
}

fn infinities_are_ieee<T: Half>()
where
    f32: Meets<T>,
{
    let inf = f32::INFINITY;
    for dim in [1, 5, 16, 33, 67] {
        for lane in 0..dim {
            let (ones, zeros, mut far) = (vec![T::of(1.0); dim], vec![T::of(0.0); dim], vec![T::of(0.5); dim]);
            far[lane] = T::of(-inf);
            for precision in PRECISIONS {
                let by = |metric| Search::new(metric).precision(precision);
                for other in [&ones, &zeros, &far] {
                    assert!(both(by(Metric::Cosine), other, &far).iter().all(|score| score.is_nan()));
                    assert!(both(by(Metric::Cosine), &far, other).iter().all(|score| score.is_nan()));
                }
                assert_eq!(both(by(Metric::Dot), &ones, &far), [-inf; 2]);
                assert_eq!(both(by(Metric::Dot), &vec![1.0f32; dim], &far), [-inf; 2]);
                assert_eq!(both(by(Metric::Dot), &far, &far), [inf; 2]);
                assert!(both(by(Metric::Dot), &zeros, &far).iter().all(|score| score.is_nan()));
                assert_eq!(both(by(Metric::SquaredEuclidean), &ones, &far), [inf; 2]);
                assert!(both(by(Metric::SquaredEuclidean), &far, &far).iter().all(|score| score.is_nan()));
            }
        }
    }
}

#[test]
fn an_infinity_makes_cosine_nan_and_follows_ieee_elsewhere() {
    infinities_are_ieee::<f16>();
    infinities_are_ieee::<bf16>();
}

fn zeros_score_zero<T: Half>()
where
    f32: Meets<T>,
{
    for dim in [1, 16, 31, 67, 257] {
        let zeros = vec![T::of(-0.0); dim];
        for some in [halves::<T>(&numbers(1, dim)), zeros.clone(), vec![T::MAX; dim], vec![T::LEAST; dim]] {
            for precision in PRECISIONS {
                let search = Search::new(Metric::Cosine).precision(precision);
                assert_eq!(both(search, &some, &zeros), [0.0; 2]);
                assert_eq!(both(search, &zeros, &some), [0.0; 2]);
                assert_eq!(both(search, &vec![0.0f32; dim], &some), [0.0; 2]);
            }
        }
    }
}

#[test]
fn a_zero_vector_has_cosine_0_with_every_finite_one() {
    zeros_score_zero::<f16>();
    zeros_score_zero::<bf16>();
}

fn sizes_do_not_matter<T: Half>(sizes: &[f32])
where
    f32: Meets<T>,
{
    for dim in [1, 4, 19, 64, 257] {
        let (base, other) = (numbers(1, dim), numbers(2, dim));
        for &query_size in sizes {
            for &row_size in sizes {
                let query = halves::<T>(&base.iter().map(|x| x * query_size).collect::<Vec<_>>());
                let row = halves::<T>(&other.iter().map(|x| x * row_size).collect::<Vec<_>>());
                let plain: Vec<f32> = base.iter().map(|x| x * 1e-30).collect();
                for precision in PRECISIONS {
                    assert_both((Metric::Cosine, precision), &query, &row);
                    assert_both((Metric::Cosine, precision), &plain, &row);
                }
            }
        }
    }
}

#[test]
fn cosine_does_not_depend_on_the_size_of_norms() {
    sizes_do_not_matter::<f16>(&[6e-8, 1e-6, 1e-4, 1.0, 100.0, 6e4]);
    sizes_do_not_matter::<bf16>(&[1e-40, 1e-37, 1e-25, 1e-22, 1e-19, 1e-9, 1.0, 1e18, 1e19, 3e38]);
}

/// Dot products that overflow on the way and not in the end.
#[test]
fn a_dot_product_of_bf16_overflows_only_where_its_total_does() {
    for dim in [2, 16, 32, 48, 67] {
        let row = vec![bf16::from_f32(1e20); dim];
        let mut query = row.clone();
        assert_eq!(both(Search::new(Metric::Dot), &query, &row), [f32::INFINITY; 2]);
        query.iter_mut().skip(1).step_by(2).for_each(|x| *x = bf16::from_f32(-1e20));
        query[dim - 1] = if dim % 2 == 0 { bf16::from_f32(-1e20) } else { bf16::from_f32(0.0) };
        assert_eq!(both(Search::new(Metric::Dot), &query, &row), [0.0; 2]);
        query[0] = bf16::from_f32(-1e20);
        assert_eq!(both(Search::new(Metric::Dot), &query, &row), [f32::NEG_INFINITY; 2]);
        assert_eq!(both(Search::new(Metric::SquaredEuclidean), &query, &row), [f32::INFINITY; 2]);
    }
}

/// Numbers of every size that bf16 has, the least and the largest among them.
fn of_every_size(seed: u64, len: usize) -> Vec<bf16> {
    let bits = numbers(seed, len).into_iter().map(|x| (x * 8_388_608.0) as i32 as u16);
    // Below 2^60, so that sums of squares stay within f32.
    bits.map(|bits| bf16::from_bits((bits & 0x8000) | ((bits & 0x7FFF) % 0x5D80))).collect()
}

#[test]
fn small_bf16_are_lost_to_fast_scores_by_what_is_stated_and_not_to_precise_ones() {
    for dim in [1, 2, 16, 31, 32, 33, 64, 257, 1000] {
        for seed in 0..20 {
            let (query, row) = (of_every_size(seed, dim), of_every_size(seed + 100, dim));
            let small = |all: &[bf16]| -> Vec<bf16> {
                all.iter()
                    .map(|x| bf16::from_bits((x.to_bits() & 0x8000) | ((x.to_bits() & 0x7FFF) % 0x2100)))
                    .collect()
            };
            for (query, row) in [(&query, &row), (&small(&query), &row), (&small(&query), &small(&row))] {
                let largest = |all: &[bf16]| all.iter().map(|x| x.real().abs()).fold(0.0, f64::max);
                let lost = dim as f64 * f64::powi(2.0, -126) * (1.0 + largest(query) + largest(row));
                let (exact, bound) = score(Metric::Dot, query, row);
                for found in both(Search::new(Metric::Dot), query, row) {
                    assert!((exact - f64::from(found)).abs() <= bound + lost, "dim {dim}: {exact} against {found}");
                }
                let precise = both(Search::new(Metric::Dot).precision(Precision::Precise), query, row);
                let of_f64 = 2.0 * dim as f64 * f64::EPSILON * bound / U / dim as f64 + f64::powi(2.0, -150);
                for found in precise {
                    let near = (exact - f64::from(found)).abs() <= exact.abs() * U + of_f64;
                    assert!(near, "dim {dim}, precise: {exact} against {found}");
                }
                for precision in PRECISIONS {
                    assert_both((Metric::Cosine, precision), query, row);
                    assert_both((Metric::SquaredEuclidean, precision), query, row);
                }
                let plain: Vec<f32> = query.iter().map(|x| x.to_f32()).collect();
                assert_both((Metric::Dot, Precision::Fast), &plain, row);
            }
        }
    }
}

#[test]
fn every_f16_is_scored_as_the_number_it_is() {
    let all: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).filter(|x| x.is_finite()).collect();
    let rows = Rows::new(&all, 1).unwrap();
    for precision in PRECISIONS {
        let search = Search::new(Metric::Dot).precision(precision);
        for scores in [search.scores(&[1.0], &rows).unwrap(), search.scores(&[f16::from_f32(1.0)], &rows).unwrap()] {
            assert!(scores.iter().zip(&all).all(|(&score, x)| score == x.to_f32()));
        }
        let among = search.matrix(&[1.0; 12], &rows).unwrap();
        assert!(among.iter().zip(all.iter().cycle()).all(|(&score, x)| score == x.to_f32()));
    }
}

#[test]
fn every_bf16_is_scored_as_the_number_it_is() {
    let all: Vec<bf16> = (0..=u16::MAX).map(bf16::from_bits).filter(|x| x.is_finite()).collect();
    let rows = Rows::new(&all, 1).unwrap();
    for precision in PRECISIONS {
        let search = Search::new(Metric::Dot).precision(precision);
        let scores = search.scores(&[1.0], &rows).unwrap();
        assert!(scores.iter().zip(&all).all(|(&score, x)| score == x.to_f32()), "{precision:?}");
        for (&score, x) in search.scores(&[bf16::from_f32(1.0)], &rows).unwrap().iter().zip(&all) {
            let lost = precision == Precision::Fast && x.to_f32().abs() < f32::MIN_POSITIVE && score == 0.0;
            assert!(lost || score == x.to_f32(), "{precision:?}: expected {x}, found {score}");
        }
    }
}

#[test]
fn norms_of_halves_are_those_of_their_numbers() {
    fn check<T: Half>(data: &[T], dim: usize) {
        let rows = Rows::new(data, dim).unwrap();
        let prepared = Prepared::new(rows).unwrap();
        for (row, &norm) in data.chunks(dim).zip(prepared.norms()) {
            let exact = row.iter().map(|x| x.real().powi(2)).sum::<f64>().sqrt();
            let measured = norm > 0.0;
            assert!(!measured || (exact - f64::from(norm)).abs() <= (dim + 4) as f64 * U * exact, "{exact}: {norm}");
            assert!(measured || !(1e-8..1e14).contains(&exact), "{exact} was not measured");
        }
        let queries = Rows::new(&data[..dim], dim).unwrap();
        let (with, without) = (similarity_batch(&queries, &prepared), similarity_batch(&queries, &rows));
        assert_eq!(bits(&with.unwrap()), bits(&without.unwrap()));
    }
    for dim in [1, 16, 33, 300] {
        check(&halves::<f16>(&numbers(1, 20 * dim)), dim);
        check(&halves::<bf16>(&numbers(2, 20 * dim)), dim);
        check(&of_every_size(3, 20 * dim), dim);
    }
}
