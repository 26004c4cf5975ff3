//! Matrix products: queries times rows turned over.

use ecphory_measure::cases::similarity::{Vectors, scoring};
use ecphory_measure::{Case, Kind, Metric};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use gemm::Parallelism;
use ndarray::linalg::{general_mat_mul, general_mat_vec_mul};
use ndarray::{ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2};
use numkong::{Dots, PackedMatrix, Tensor};

use super::pairs::{NUMKONG, SameBits, theirs};

type Multiply = fn(&Vectors, usize, &mut [f32]);

/// Those who multiply matrices, on many threads those of them who can.
pub fn join_products(case: &mut Case<'static>, vectors: &Vectors, expected: &[f64], threads: usize) {
    let all: [(&str, Multiply, bool); 4] = [
        ("gemm", by_gemm, true),
        ("faer", by_faer, true),
        ("matrixmultiply", by_matrixmultiply, false),
        ("ndarray", by_ndarray, false),
    ];
    for (name, multiply, _) in all.into_iter().filter(|peer| threads == 1 || peer.2) {
        let v = vectors.clone();
        let by_peer = move |scores: &mut [f32]| multiply(&v, threads, scores);
        case.try_add(name, None, || scoring(name, threads, vectors, expected, Metric::Dot, by_peer));
    }
}

/// numkong, whose type of these elements is `N`, on one thread.
pub fn join_packed<T: Kind + SameBits<N>, N: Dots<Accumulator: Copy + Into<f64>> + Clone + 'static>(
    case: &mut Case<'static>,
    vectors: &Vectors<T>,
    expected: &[f64],
    threads: usize,
    of_it: &str,
) {
    if vectors.m == 1 || threads > 1 {
        return;
    }
    let note = format!("{of_it}rows packed beforehand, out of the time; answers made f32 within it");
    case.try_add(NUMKONG, Some(note), || {
        scoring(NUMKONG, threads, vectors, expected, Metric::Dot, numkong::<T, N>(vectors))
    });
}

fn by_gemm(v: &Vectors, threads: usize, scores: &mut [f32]) {
    let [m, n, dim] = v.shape();
    assert_eq!([v.queries.len(), v.rows.len(), scores.len()], [m * dim, n * dim, m * n]);
    let (along, down) = (dim as isize, n as isize);
    let parallelism = if threads == 1 { Parallelism::None } else { Parallelism::Rayon(threads) };
    // SAFETY: with these strides of columns and rows, an `m` by `n` result, an `m` by `dim` and a `dim` by `n` factor
    // lie within slices of the lengths just seen. The result is only written.
    unsafe {
        gemm::gemm(
            m,
            n,
            dim,
            scores.as_mut_ptr(),
            1,
            down,
            false,
            v.queries.as_ptr(),
            1,
            along,
            v.rows.as_ptr(),
            along,
            1,
            0.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

fn by_faer(v: &Vectors, threads: usize, scores: &mut [f32]) {
    let [m, n, dim] = v.shape();
    let par = if threads == 1 { Par::Seq } else { Par::rayon(threads) };
    let queries = MatRef::from_row_major_slice(&v.queries, m, dim);
    let rows = MatRef::from_row_major_slice(&v.rows, n, dim);
    matmul(MatMut::from_row_major_slice_mut(scores, m, n), Accum::Replace, queries, rows.transpose(), 1.0, par);
}

fn by_matrixmultiply(v: &Vectors, _: usize, scores: &mut [f32]) {
    let [m, n, dim] = v.shape();
    assert_eq!([v.queries.len(), v.rows.len(), scores.len()], [m * dim, n * dim, m * n]);
    let (along, down) = (dim as isize, n as isize);
    let (queries, rows) = (v.queries.as_ptr(), v.rows.as_ptr());
    // SAFETY: as for `by_gemm`.
    unsafe {
        matrixmultiply::sgemm(m, dim, n, 1.0, queries, along, 1, rows, 1, along, 0.0, scores.as_mut_ptr(), down, 1);
    }
}

fn by_ndarray(v: &Vectors, _: usize, scores: &mut [f32]) {
    const WHOLE: &str = "slices of the sizes named";
    let [m, n, dim] = v.shape();
    let rows = ArrayView2::from_shape((n, dim), &v.rows[..]).expect(WHOLE);
    if m == 1 {
        let (query, mut scores) = (ArrayView1::from(&v.queries[..]), ArrayViewMut1::from(scores));
        general_mat_vec_mul(1.0, &rows, &query, 0.0, &mut scores);
    } else {
        let queries = ArrayView2::from_shape((m, dim), &v.queries[..]).expect(WHOLE);
        let mut scores = ArrayViewMut2::from_shape((m, n), scores).expect(WHOLE);
        general_mat_mul(1.0, &queries, &rows.t(), 0.0, &mut scores);
    }
}

/// Rows are packed once, as for an index.
fn numkong<T: SameBits<N>, N: Dots<Accumulator: Copy + Into<f64>> + Clone + 'static>(
    v: &Vectors<T>,
) -> impl FnMut(&mut [f32]) + use<T, N> {
    const WHOLE: &str = "slices of the sizes named";
    let Vectors { m, n, dim, .. } = *v;
    let queries = Tensor::<N>::try_from_slice(theirs(&v.queries), &[m, dim]).expect(WHOLE);
    let rows = Tensor::<N>::try_from_slice(theirs(&v.rows), &[n, dim]).expect(WHOLE);
    let packed = PackedMatrix::try_pack(&rows).expect("room");
    let mut answers = Tensor::<N::Accumulator>::try_full(&[m, n], Default::default()).expect("room");
    move |scores| {
        queries.try_dots_packed_into(&packed, &mut answers).expect("matrices that fit");
        scores.iter_mut().zip(answers.as_slice()).for_each(|(score, &answer)| *score = answer.into() as f32);
    }
}
