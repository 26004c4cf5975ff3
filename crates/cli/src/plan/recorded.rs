use std::fs;
use std::path::{Path, PathBuf};

use ecphory::ArenaReport;
use serde::Serialize;

use super::calls::Calls;
use crate::failure::Failure;

/// What a report says beside needs.
#[derive(Debug, Serialize)]
pub struct Facts {
    file: PathBuf,
    pub arenas: u64,
    pub rewinds: u64,
    pub overflows: u64,
    pub heap_loans: u64,
    pub high_water_bytes: usize,
}

/// A report that a program made of its arenas, as JSON.
pub fn read(file: &Path) -> Result<ArenaReport, Failure> {
    let at = |error: String| Failure::Input(format!("--report {}: {error}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| at(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| at(format!("expected an ArenaReport as JSON, found {error}")))
}

impl Facts {
    pub fn new(file: &Path, report: &ArenaReport) -> Self {
        let total = &report.total;
        Self {
            file: file.to_owned(),
            arenas: total.live_arenas,
            rewinds: total.rewind_count,
            overflows: total.overflow_count,
            heap_loans: total.heap_loan_count,
            high_water_bytes: total.high_water_mark,
        }
    }
}

/// The scopes of each kernel.
pub fn calls(report: ArenaReport) -> Vec<Calls> {
    let kernels = report.kernels.into_iter();
    kernels.map(|kernel| Calls::new(kernel.kernel.name(), kernel.kernel, kernel.needs, None)).collect()
}
