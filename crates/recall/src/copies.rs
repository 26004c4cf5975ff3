//! Dot products with small copies of vectors, and how far they are off.

use ecphory::{Companion, Rows, Search};

use crate::Error;

/// How far dot products with copies may be off those with the vectors, of what is as long as 1, divided by the norm of
/// each: its residual, by Cauchy and Schwarz, and what both products may round (`(dim + 4) 2^-24` of the lengths each).
/// Where a norm is 0, `unmeasured`.
pub(crate) fn off_by(copies: &Companion, norms: &[f32], unmeasured: f32) -> Vec<f32> {
    let rounding = (2 * copies.dim() + 16) as f32 * 2f32.powi(-24);
    let residuals = copies.residuals().iter().zip(copies.lengths());
    let off = residuals.zip(norms).map(|((&residual, &length), &norm)| {
        if norm > 0.0 { (residual + rounding * (length + residual)) / norm } else { unmeasured }
    });
    off.collect()
}

/// The dot product of every copy with a vector.
///
/// # Errors
/// What a kernel says.
pub(crate) fn dots(
    copies: &Companion,
    vector: &[f32],
    allowed: Option<&[u64]>,
    search: Search,
    to: &mut [f32],
) -> Result<(), Error> {
    let padded = copies.elements().len() / copies.len().max(1);
    let mut rows = Rows::with_stride(copies.elements(), copies.dim(), padded)?.scaled(copies.scales())?;
    if let Some(bits) = allowed {
        rows = rows.filtered(bits)?;
    }
    Ok(search.scores_into(vector, &rows, to)?)
}
