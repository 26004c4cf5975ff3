//! Small copies of vectors, dot products with these, and how far they are off.

use ecphory::{Companion, Search, quantize_i8};

use crate::Error;

/// How far the products of copies may be off those of vectors, each divided by a norm of its vector.
pub(crate) struct Off {
    /// Of what is as long as 1 and no copy: the residual, by Cauchy and Schwarz, and what both products may round,
    /// which is `(dim + 4) 2^-24` of the lengths each.
    pub each: Vec<f32>,
    /// The longest copy, for what the other side's copy is off.
    longest: f32,
}

impl Off {
    /// `unmeasured` where a norm is 0.
    pub fn new(copies: &Companion, norms: &[f32], unmeasured: f32) -> Self {
        let rounding = (2 * copies.dim() + 16) as f32 * 2f32.powi(-24);
        let residuals = copies.residuals().iter().zip(copies.lengths());
        let off = residuals.zip(norms).map(|((&residual, &length), &norm)| {
            if norm > 0.0 { (residual + rounding * (length + residual)) / norm } else { unmeasured }
        });
        let lengths = copies.lengths().iter().zip(norms).filter(|(_, norm)| **norm > 0.0);
        let longest = lengths.map(|(&length, &norm)| length / norm).fold(0.0, f32::max);
        Self { each: off.collect(), longest }
    }

    /// How much of `each`, and how much more, products with a vector of this length and residual may be off.
    pub fn times(&self, length: f32, residual: f32) -> (f32, f32) {
        (length, residual * self.longest)
    }
}

/// The dot product of every copy with that of a vector; how far the vector's copy is from it.
///
/// # Errors
/// What a kernel says.
pub(crate) fn dots(
    copies: &Companion,
    vector: &[f32],
    allowed: Option<&[u64]>,
    search: Search,
    to: &mut [f32],
) -> Result<f32, Error> {
    let mut rows = copies.rows();
    if let Some(bits) = allowed {
        rows = rows.filtered(bits)?;
    }
    let copy = quantize_i8(vector, vector.len())?;
    search.scores_into(&copy, &rows, to)?;
    let scale = f64::from(copy.scales()[0]);
    let left = vector.iter().zip(copy.elements()).map(|(&x, &element)| f64::from(x) - scale * f64::from(element));
    Ok(left.map(|left| left * left).sum::<f64>().sqrt() as f32)
}
