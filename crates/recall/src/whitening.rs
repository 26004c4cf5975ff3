//! Cosines that count a difference by how seldom vectors have it (Mahalanobis, 1936).
//!
//! Vectors of one encoder, of texts of one kind, point much the same way, and what they all have says nothing:
//!
//! ```text
//! likeness(q, v) = (q - m) P (v - m) / (|q - m|_P |v - m|_P),   P = (C + r t I)^-1
//! ```
//!
//! with the mean m and covariance C of the vectors, t the mean of its diagonal, and r = 3 (1 + dim / count): of few
//! vectors little is known of how they differ, and the cosine stays nearly what it was. A query costs what a dot
//! product costs: P (q - m) is taken once.

use ecphory::{Companion, Metric, Rows, Search};

use crate::Error;
use crate::copies::Off;

/// Vectors of which the covariance is taken at most, evenly from all.
const SAMPLE_MOST: usize = 4096;
/// Rows whose norms are taken at once.
const BLOCK: usize = 1024;
const SHRINKAGE: f64 = 3.0;

pub(crate) struct Whitening {
    mean: Vec<f32>,
    /// P, by rows.
    inverse: Vec<f32>,
    /// |v - m|_P of each vector.
    norms: Vec<f32>,
    /// How far dot products with copies may be off, in what they stand for.
    off: Option<Off>,
}

/// What a query's dot products have to be taken with.
pub(crate) struct Toward {
    pub vector: Vec<f32>,
    /// What is then to be taken from them.
    of_mean: f32,
    pub length: f32,
}

impl Whitening {
    /// Of `vectors`, rows of as many elements as `mean` has; at least one.
    pub fn new(vectors: &[f32], mean: &[f32], copies: Option<&Companion>) -> Result<Self, Error> {
        let dim = mean.len();
        let mut covariance = covariance(vectors, mean);
        let spread = (0..dim).map(|at| covariance[at * dim + at]).sum::<f64>() / dim as f64;
        let shrinkage = SHRINKAGE * (1.0 + dim as f64 / (vectors.len() / dim) as f64);
        // However long vectors are, P is near 1: likeness has no scale. Where all are one, any P does.
        let scale = if spread > 0.0 { 1.0 / spread } else { 1.0 };
        covariance.iter_mut().for_each(|element| *element *= scale);
        (0..dim).for_each(|at| covariance[at * dim + at] += shrinkage);
        // W with P = W^T W, lower triangular.
        let root = inverse(&cholesky(covariance, dim), dim);
        let inverse = squared(&root, dim);
        let root: Vec<f32> = root.into_iter().map(|element| element as f32).collect();
        let of_mean = whitened(&root, mean);
        let mut norms = Vec::with_capacity(vectors.len() / dim);
        let rows = Rows::new(&root, dim)?;
        for block in vectors.chunks(BLOCK * dim) {
            // Each vector meets every row of W.
            let all = Search::new(Metric::Dot).matrix(&Rows::new(block, dim)?, &rows)?;
            norms.extend(all.chunks_exact(dim).map(|one| length(one.iter().zip(&of_mean).map(|(&x, &mean)| x - mean))));
        }
        let off = copies.map(|copies| Off::new(copies, &norms, 0.0));
        Ok(Self { mean: mean.to_vec(), inverse, norms, off })
    }

    /// What a query's dot products have to be taken with, and what is then to be taken from them.
    ///
    /// # Errors
    /// What a kernel says.
    pub fn toward(&self, query: &[f32]) -> Result<Toward, Error> {
        let apart: Vec<f32> = query.iter().zip(&self.mean).map(|(&q, &mean)| q - mean).collect();
        let mut vector = Search::new(Metric::Dot).scores(&apart, &Rows::new(&self.inverse, apart.len())?)?;
        let size = dot(&vector, &apart).max(0.0).sqrt();
        let unit = |x: f32| if size > 0.0 { (f64::from(x) / size) as f32 } else { 0.0 };
        vector.iter_mut().for_each(|x| *x = unit(*x));
        let of_mean = dot(&vector, &self.mean) as f32;
        Ok(Toward { of_mean, length: length(vector.iter().copied()), vector })
    }

    /// Of the dot products of all vectors, what they stand for.
    pub fn likenesses(&self, toward: &Toward, dots: &mut [f32]) {
        let of_mean = toward.of_mean;
        dots.iter_mut().zip(&self.norms).for_each(|(dot, &norm)| *dot = like(*dot, of_mean, norm));
    }

    /// What the dot product of the vector with this number stands for.
    pub fn likeness(&self, number: usize, toward: &Toward, dot: f32) -> f32 {
        like(dot, toward.of_mean, self.norms[number])
    }

    /// How far likenesses of copies may be off, where there are such.
    pub fn off(&self) -> Option<&Off> {
        self.off.as_ref()
    }
}

/// NaN stays NaN.
fn like(dot: f32, of_mean: f32, norm: f32) -> f32 {
    if norm > 0.0 || dot.is_nan() { (dot - of_mean) / norm } else { 0.0 }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// W^T W of a lower triangular W.
fn squared(root: &[f64], dim: usize) -> Vec<f32> {
    let mut sums = vec![0.0f64; dim * dim];
    for row in root.chunks_exact(dim) {
        for (sums, &its) in sums.chunks_exact_mut(dim).zip(row) {
            if its != 0.0 {
                sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += its * x);
            }
        }
    }
    sums.into_iter().map(|sum| sum as f32).collect()
}

fn length(elements: impl Iterator<Item = f32>) -> f32 {
    elements.map(|x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt() as f32
}

/// W x.
fn whitened(root: &[f32], x: &[f32]) -> Vec<f32> {
    let dot = |row: &[f32]| row.iter().zip(x).map(|(&w, &x)| f64::from(w) * f64::from(x)).sum::<f64>() as f32;
    root.chunks_exact(x.len()).map(dot).collect()
}

/// Of a sample, both triangles.
fn covariance(vectors: &[f32], mean: &[f32]) -> Vec<f64> {
    let dim = mean.len();
    let count = vectors.len() / dim;
    let step = count.div_ceil(SAMPLE_MOST);
    let mut sums = vec![0.0f64; dim * dim];
    let mut taken = 0.0;
    let mut apart = vec![0.0f64; dim];
    for row in vectors.chunks_exact(dim).step_by(step) {
        let differences = row.iter().zip(mean).map(|(&x, &mean)| f64::from(x) - f64::from(mean));
        apart.iter_mut().zip(differences).for_each(|(to, difference)| *to = difference);
        for (at, sums) in sums.chunks_exact_mut(dim).enumerate() {
            let its = apart[at];
            sums[..=at].iter_mut().zip(&apart).for_each(|(sum, x)| *sum += its * x);
        }
        taken += 1.0;
    }
    for row in 0..dim {
        for column in 0..=row {
            let of_both = sums[row * dim + column] / taken;
            (sums[row * dim + column], sums[column * dim + row]) = (of_both, of_both);
        }
    }
    sums
}

/// L with L L^T the matrix, which is positive definite; 0 above the diagonal.
fn cholesky(mut matrix: Vec<f64>, dim: usize) -> Vec<f64> {
    for row in 0..dim {
        for column in 0..=row {
            let (above, below) = matrix.split_at(row * dim);
            let its = &below[..column];
            let others = if column < row { &above[column * dim..][..column] } else { its };
            let sum: f64 = its.iter().zip(others).map(|(a, b)| a * b).sum();
            let left = matrix[row * dim + column] - sum;
            // The diagonal has had more added than rounding takes.
            matrix[row * dim + column] =
                if column == row { left.max(f64::MIN_POSITIVE).sqrt() } else { left / matrix[column * dim + column] };
        }
        matrix[row * dim + row + 1..(row + 1) * dim].fill(0.0);
    }
    matrix
}

/// The inverse of a lower triangular matrix.
fn inverse(lower: &[f64], dim: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; dim * dim];
    for row in 0..dim {
        let (above, below) = inverse.split_at_mut(row * dim);
        for (column, factor) in lower[row * dim..][..row].iter().enumerate() {
            let others = &above[column * dim..][..=column];
            below.iter_mut().zip(others).for_each(|(to, other)| *to -= factor * other);
        }
        let diagonal = lower[row * dim + row];
        below[..row].iter_mut().for_each(|x| *x /= diagonal);
        below[row] = 1.0 / diagonal;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Solves by Gaussian elimination, in f64.
    fn solved(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
        let dim = right.len();
        for pivot in 0..dim {
            for row in 0..dim {
                if row != pivot {
                    let above = matrix[pivot].clone();
                    let factor = matrix[row][pivot] / above[pivot];
                    matrix[row].iter_mut().zip(above).for_each(|(its, above)| *its -= factor * above);
                    right[row] -= factor * right[pivot];
                }
            }
        }
        (0..dim).map(|row| right[row] / matrix[row][row]).collect()
    }

    #[test]
    fn likeness_is_that_of_the_formula() {
        let (dim, count) = (5, 40);
        let mut state = 3u32;
        let mut draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32 - 0.3
        };
        let vectors: Vec<f32> = (0..dim * count).map(|at| draw() * (1 + at % dim) as f32).collect();
        let query: Vec<f32> = (0..dim).map(|_| draw()).collect();
        let mean: Vec<f32> = (0..dim).map(|at| vectors[at..].iter().step_by(dim).sum::<f32>() / count as f32).collect();
        let apart =
            |x: &[f32]| -> Vec<f64> { x.iter().zip(&mean).map(|(&x, &m)| f64::from(x) - f64::from(m)).collect() };
        let all: Vec<Vec<f64>> = vectors.chunks_exact(dim).map(apart).collect();
        let of = |a: usize, b: usize| all.iter().map(|x| x[a] * x[b]).sum::<f64>() / count as f64;
        let spread = (0..dim).map(|at| of(at, at)).sum::<f64>() / dim as f64;
        let added = |a, b| if a == b { 3.0 * (1.0 + dim as f64 / count as f64) * spread } else { 0.0 };
        let matrix: Vec<Vec<f64>> = (0..dim).map(|a| (0..dim).map(|b| of(a, b) + added(a, b)).collect()).collect();
        let product =
            |x: &[f64], y: &[f64]| x.iter().zip(solved(matrix.clone(), y.to_vec())).map(|(x, y)| x * y).sum::<f64>();
        let whitening = Whitening::new(&vectors, &mean, None).unwrap();
        let toward = whitening.toward(&query).unwrap();
        let q = apart(&query);
        for (number, (row, v)) in vectors.chunks_exact(dim).zip(&all).enumerate() {
            let dot = row.iter().zip(&toward.vector).map(|(x, y)| x * y).sum();
            let found = f64::from(whitening.likeness(number, &toward, dot));
            let expected = product(&q, v) / (product(&q, &q) * product(v, v)).sqrt();
            assert!((found - expected).abs() < 1e-5, "{number}: {found} for {expected}");
        }
    }

    #[test]
    fn vectors_that_are_all_one_are_alike_in_nothing() {
        let whitening = Whitening::new(&[1.0, 2.0, 1.0, 2.0], &[1.0, 2.0], None).unwrap();
        let toward = whitening.toward(&[3.0, 1.0]).unwrap();
        let mut dots = [toward.vector[0] + 2.0 * toward.vector[1], f32::NAN];
        whitening.likenesses(&toward, &mut dots);
        assert!(dots[0] == 0.0 && dots[1].is_nan());
        assert_eq!(whitening.toward(&[1.0, 2.0]).unwrap().vector, [0.0, 0.0]);
    }
}
