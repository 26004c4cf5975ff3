use std::ptr;

use crate::element::sealed::Sealed;
use crate::queries::sealed::Given;
use crate::tasks::Task;
use crate::{Element, Error, Meets, Metric, Rows, ffi};

/// Queries and rows that kernels take together: of one dim, of types that meet, and of the metric's kind.
#[derive(Clone, Copy)]
pub struct Meeting<'a, Q: Element, T: Element> {
    queries: Rows<'a, Q>,
    rows: Rows<'a, T>,
}

impl<'a, Q: Meets<T>, T: Element> Meeting<'a, Q, T> {
    pub fn of_one(metric: Metric, query: Given<'a, Q>, rows: Rows<'a, T>) -> Result<Self, Error> {
        metric.check::<T>()?;
        Ok(Self { queries: query.one(rows.dim())?, rows })
    }

    pub fn of_many(metric: Metric, queries: Given<'a, Q>, rows: Rows<'a, T>) -> Result<Self, Error> {
        metric.check::<T>()?;
        Ok(Self { queries: queries.many(rows.dim())?, rows })
    }

    pub fn queries(&self) -> &Rows<'a, Q> {
        &self.queries
    }

    pub fn rows(&self) -> &Rows<'a, T> {
        &self.rows
    }

    /// Its scores, as many as cannot be counted where they cannot.
    pub fn scores(&self) -> usize {
        self.queries.len().saturating_mul(self.rows.len())
    }

    pub fn part(&self, task: &Task) -> Self {
        Self {
            queries: self.queries.part(task.queries.start, task.queries.len()),
            rows: self.rows.part(task.rows.start, task.rows.len()),
        }
    }

    /// Queries and rows, as ecphory.h has both.
    pub fn raw(&self) -> (ffi::ecp_rows, ffi::ecp_rows) {
        (raw_rows(&self.queries), raw_rows(&self.rows))
    }

    /// For what takes no notice of them.
    pub fn without_copies(self) -> Self {
        Self { rows: self.rows.without_copies(), ..self }
    }

    /// The copies of the rows, as ecphory.h has them.
    pub fn raw_copies(&self) -> Option<ffi::ecp_companion> {
        self.rows.copies().map(|copies| ffi::ecp_companion {
            elements: copies.elements.as_ptr(),
            scales: copies.scales.as_ptr(),
            residuals: copies.residuals.as_ptr(),
            lengths: copies.lengths.as_ptr(),
        })
    }

    /// The same for a need, which counts alone make: of other numbers of queries and rows, whose pointers are not those
    /// of so many.
    pub fn raw_of(&self, queries: usize, rows: usize) -> (ffi::ecp_rows, ffi::ecp_rows) {
        let raw = self.raw();
        (ffi::ecp_rows { row_count: queries, ..raw.0 }, ffi::ecp_rows { row_count: rows, ..raw.1 })
    }
}

/// As ecphory.h has them, without copies: what its pointers lead to is as long as it asks for, for as long as `rows` is
/// borrowed.
pub fn raw_rows<T: Element>(rows: &Rows<'_, T>) -> ffi::ecp_rows {
    ffi::ecp_rows {
        elements: rows.as_slice().as_ptr().cast(),
        type_: <T as Sealed>::TYPE,
        beyond: rows.is_beyond_caches().into(),
        row_count: rows.len(),
        dim: rows.dim(),
        stride: rows.stride(),
        scales: rows.scales().map_or(ptr::null(), <[f32]>::as_ptr),
        norms: rows.norms().map_or(ptr::null(), <[f32]>::as_ptr),
        filter: rows.filter().map_or(ptr::null(), <[u64]>::as_ptr),
        companion: ptr::null(),
    }
}
