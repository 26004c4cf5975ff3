//! `ecphory bench`: what this machine can do at most, and how near every kernel comes.

mod cases;
mod charts;
mod compare;
mod page;
mod table;

use std::path::PathBuf;
use std::{fs, io};

use clap::Args;
use ecphory_measure::suite::{self, SuiteError};
use ecphory_measure::{Bar, Effort, Limits, Line};
use serde::Serialize;

use crate::failure::Failure;
use compare::{Change, Compared};

/// What is measured, and where it goes.
#[derive(Debug, Args)]
pub struct Options {
    /// Only cases whose name contains every word of this, as "topk t1" or "decay power".
    #[arg(long, value_name = "WORDS")]
    filter: Option<String>,
    /// A first look: few short rounds, and nothing that is larger than the caches.
    #[arg(long)]
    quick: bool,
    /// Print one JSON object per line instead of tables.
    #[arg(long)]
    json: bool,
    /// Keep the figures as lines of JSON.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Set each figure against the one that was saved.
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Write a page with plots, index.html, into this folder.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
}

/// Measures, keeps what is to be kept, and returns what is to be printed.
pub fn run(options: &Options) -> Result<String, Failure> {
    // What cannot be done is said before minutes are spent.
    let before = options.compare.as_deref().map(compare::load).transpose()?;
    let plans = suite::select(cases::plans(options.quick), options.filter.as_deref())?;
    for file in [&options.save, &options.report].into_iter().flatten() {
        let folder = if Some(file) == options.report.as_ref() { Some(file.as_path()) } else { file.parent() };
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        folder.map_or(Ok(()), fs::create_dir_all).map_err(|error| at(file, &error))?;
    }
    let effort = if options.quick { Effort::QUICK } else { Effort::FULL };
    let bar = Bar::new(plans.len());
    let limits = Limits::measure(effort, |what| bar.now(what));
    let mut lines = limits.lines();
    suite::run(&plans, &limits, effort, &bar, |more| lines.extend(more))?;
    drop(bar);
    let compared = before.map(|before| Compared::new(&before, &lines));
    if let Some(file) = &options.save {
        fs::write(file, json(&lines, None)?).map_err(|error| at(file, &error))?;
    }
    if let Some(folder) = &options.report {
        let file = folder.join("index.html");
        fs::write(&file, page::html(&lines, &limits)?).map_err(|error| at(&file, &error))?;
    }
    if options.json { json(&lines, compared.as_ref()) } else { Ok(text(options, &lines, &limits, compared.as_ref())) }
}

fn text(options: &Options, lines: &[Line], limits: &Limits, compared: Option<&Compared>) -> String {
    let mut text = limits.text() + &table::text(lines);
    if let Some(compared) = compared {
        text += &compared.text();
    }
    if let Some(file) = &options.save {
        text += &format!("\nkept in {}; --compare it later\n", file.display());
    }
    if let Some(folder) = &options.report {
        text += &format!("\nplots: {}\n", folder.join("index.html").display());
    }
    text
}

fn json(lines: &[Line], compared: Option<&Compared>) -> Result<String, Failure> {
    let mut text = String::new();
    for line in lines {
        let printed = Printed { line, compared: compared.and_then(|compared| compared.of(line)) };
        text += &(serde_json::to_string(&printed)? + "\n");
    }
    Ok(text)
}

/// A figure, and how it changed.
#[derive(Serialize)]
struct Printed<'a> {
    #[serde(flatten)]
    line: &'a Line,
    #[serde(skip_serializing_if = "Option::is_none")]
    compared: Option<&'a Change>,
}

fn at(file: &std::path::Path, error: &io::Error) -> Failure {
    Failure::Other(format!("{}: {error}", file.display()))
}

impl From<SuiteError> for Failure {
    fn from(error: SuiteError) -> Self {
        match error {
            SuiteError::UnknownFilter { .. } => Self::Input(error.to_string()),
            SuiteError::Failed { .. } => Self::Other(error.to_string()),
        }
    }
}
