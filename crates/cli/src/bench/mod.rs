//! `ecphory bench`: what this machine can do at most, and how near every kernel comes.

mod cases;
mod charts;
mod compare;
mod page;
mod table;

use std::path::PathBuf;
use std::{fs, io};

use clap::Args;
use ecphory_measure::suite::{self, Missing, Plan, UnknownFilter};
use ecphory_measure::{Bar, Effort, Limits, Line};
use serde::Serialize;

use crate::emit;
use crate::failure::Failure;
use compare::{Change, Compared};
use table::Table;

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

/// Measures, prints each case as soon as it is measured, keeps what is to be kept, and returns what is to be printed at
/// the end.
pub fn run(options: &Options) -> Result<String, Failure> {
    // What cannot be done is said before minutes are spent.
    let before = options.compare.as_deref().map(compare::load).transpose()?;
    let plans = suite::select(cases::plans(options.quick), Plan::words, options.filter.as_deref())?;
    for file in [&options.save, &options.report].into_iter().flatten() {
        let folder = if Some(file) == options.report.as_ref() { Some(file.as_path()) } else { file.parent() };
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        folder.map_or(Ok(()), fs::create_dir_all).map_err(|error| at(file, &error))?;
    }
    let effort = if options.quick { Effort::QUICK } else { Effort::FULL };
    let bar = Bar::new(plans.len());
    let limits = Limits::measure(effort, |what| bar.now(what));
    let (mut lines, mut table) = (limits.lines(), Table::default());
    let mut compared = before.as_deref().map(Compared::new);
    bar.aside(|| emit(&if options.json { json(&lines, None)? } else { limits.text() }))?;
    let missing = suite::run(&plans, &limits, (effort, 1), &bar, |more| {
        lines.extend_from_slice(more);
        if let Some(compared) = &mut compared {
            compared.see(more);
        }
        emit(&if options.json { json(more, compared.as_ref())? } else { table.rows(more) })
    })?;
    drop(bar);
    keep(options, &lines, &limits)?;
    let end = if options.json { String::new() } else { end(options, &table, &missing, compared.as_ref()) };
    if missing.is_empty() {
        return Ok(end);
    }
    emit(&end)?;
    Err(Failure::Other(missing.to_string()))
}

fn keep(options: &Options, lines: &[Line], limits: &Limits) -> Result<(), Failure> {
    if let Some(file) = &options.save {
        fs::write(file, json(lines, None)?).map_err(|error| at(file, &error))?;
    }
    if let Some(folder) = &options.report {
        let file = folder.join("index.html");
        fs::write(&file, page::html(lines, limits)?).map_err(|error| at(&file, &error))?;
    }
    Ok(())
}

/// What stands below all figures.
fn end(options: &Options, table: &Table, missing: &Missing, compared: Option<&Compared<'_>>) -> String {
    let mut text = table.legend();
    if !missing.is_empty() {
        text += &format!("{missing}\n");
    }
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

fn json(lines: &[Line], compared: Option<&Compared<'_>>) -> Result<String, Failure> {
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

impl From<UnknownFilter> for Failure {
    fn from(error: UnknownFilter) -> Self {
        Self::Input(error.to_string())
    }
}
