//! `ecphory arena plan`: what scopes need, and how large arenas should be for it.

mod calls;
mod claims;
pub mod distribution;
mod recorded;
mod text;
mod workload;

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use ecphory::planner::{Advice, Size};
use ecphory::{ArenaConfig, Error, NeedHistogram, arena, bench, planner};
use ecphory_measure::{Bar, Clock};
use serde::Serialize;

use crate::failure::Failure;
use calls::Calls;
use claims::Claims;
pub use claims::RATES;
use workload::Workload;

/// From 64 KiB to 64 MiB.
pub const SIZES: RangeInclusive<u32> = 16..=26;

/// What is run, and how large arenas are.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    workload: Workload,
    /// Gather as many candidates as a known distribution draws, instead.
    #[arg(long, value_enum, conflicts_with_all = ["dim", "candidates", "nodes", "memories", "nesting"])]
    distribution: Option<Distribution>,
    /// Take what a program recorded instead: its ArenaReport as JSON.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["distribution", "scopes"])]
    #[arg(conflicts_with_all = ["dim", "candidates", "nodes", "memories", "nesting"])]
    report: Option<PathBuf>,
    /// How often each call runs: 1,000 times, or 100,000 for a distribution.
    #[arg(long, value_name = "N")]
    scopes: Option<usize>,
    /// The arena to judge, in bytes: that of the report, or the default.
    #[arg(long, value_name = "BYTES")]
    capacity: Option<usize>,
    /// Print one JSON object instead.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Distribution {
    /// Behind the overflow rates that the default arena was chosen by.
    Seed,
}

/// All that the command says.
#[derive(Debug, Serialize)]
struct Plan {
    source: Source,
    capacity_bytes: usize,
    calls: Vec<Calls>,
    sizes: Vec<Row>,
    advice: Advice,
    /// The largest need as a share of the capacity, which no advice rests on: it never falls.
    peak_utilisation: f64,
    claims: Claims,
}

/// Where needs come from.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Source {
    Workload(Workload),
    Distribution(distribution::Facts),
    Report(recorded::Facts),
}

/// Arenas of one size.
#[derive(Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    size: Size,
    /// None beyond 64 MiB, for pages are really touched.
    #[serde(flatten)]
    birth: Option<Birth>,
    /// The overflow rate that was claimed, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed_percent: Option<f64>,
}

/// What an arena costs before it is of use.
#[derive(Debug, Clone, Copy, Serialize)]
struct Birth {
    /// Pages mapped, and given back.
    birth_us: f64,
    /// Each page written to for the first time.
    first_touch_us: f64,
}

/// Scopes to plan for.
struct Input {
    source: Source,
    calls: Vec<Calls>,
    /// Of the arenas that were in use.
    capacity: usize,
    bar: Bar,
}

/// Runs or reads what is to be planned for, and returns what is to be printed.
pub fn run(options: &Options) -> Result<String, Failure> {
    if let Some(capacity) = options.capacity {
        within("--capacity", arena::ALIGNMENT, planner::LARGEST, capacity)?;
    }
    let input = match &options.report {
        Some(file) => Input::read(file)?,
        None => Input::run(options)?,
    };
    // As `ArenaConfig` makes of it.
    let capacity = options.capacity.unwrap_or(input.capacity).next_multiple_of(arena::ALIGNMENT);
    let plan = Plan::new(input, capacity)?;
    if options.json { Ok(serde_json::to_string(&plan)? + "\n") } else { Ok(text::text(&plan)) }
}

impl Input {
    fn read(file: &Path) -> Result<Self, Failure> {
        let report = recorded::read(file)?;
        let source = Source::Report(recorded::Facts::new(file, &report));
        let capacity = report.total.capacity_per_thread;
        within("--report: total.capacity_per_thread", arena::ALIGNMENT, planner::LARGEST, capacity)?;
        Ok(Self { source, calls: recorded::calls(report), capacity, bar: Bar::new(SIZES.count()) })
    }

    fn run(options: &Options) -> Result<Self, Failure> {
        let scopes = options.scopes.unwrap_or(if options.distribution.is_some() { 100_000 } else { 1000 });
        within("--scopes", 1, 10_000_000, scopes)?;
        let (source, calls, bar) = match options.distribution {
            Some(Distribution::Seed) => {
                let bar = Bar::new(scopes + SIZES.count());
                (Source::Distribution(distribution::Facts::new(scopes)), vec![distribution::run(scopes, &bar)?], bar)
            }
            None => {
                options.workload.check()?;
                let bar = Bar::new(workload::CALLS * scopes + SIZES.count());
                (Source::Workload(options.workload), options.workload.run(scopes, &bar)?, bar)
            }
        };
        Ok(Self { source, calls, capacity: ArenaConfig::default().capacity_bytes(), bar })
    }
}

impl Plan {
    fn new(input: Input, capacity: usize) -> Result<Self, Failure> {
        let Input { source, mut calls, bar, .. } = input;
        let mut needs = NeedHistogram::new();
        for calls in &mut calls {
            needs.merge(&calls.needs);
            calls.overflows = calls.needs.above(capacity);
        }
        let mut capacities: Vec<usize> = SIZES.map(|power| 1 << power).collect();
        if let Err(place) = capacities.binary_search(&capacity) {
            capacities.insert(place, capacity);
        }
        let claimed = |capacity| match source {
            Source::Distribution(_) => claims::rate(capacity),
            Source::Workload(_) | Source::Report(_) => None,
        };
        bar.now("births");
        let row = |capacity: usize| {
            let row = Row {
                size: Size::of(&needs, capacity),
                birth: Birth::measure(capacity)?,
                claimed_percent: claimed(capacity),
            };
            bar.step(1);
            Ok(row)
        };
        let sizes = capacities.into_iter().map(row).collect::<Result<Vec<_>, Failure>>()?;
        Ok(Self {
            capacity_bytes: capacity,
            advice: Advice::on(&needs, capacity),
            peak_utilisation: needs.largest().unwrap_or(0) as f64 / capacity.max(1) as f64,
            claims: Claims::check(&sizes)?,
            source,
            calls,
            sizes,
        })
    }
}

impl Birth {
    fn measure(capacity: usize) -> Result<Option<Self>, Error> {
        if capacity > 1 << SIZES.end() {
            return Ok(None);
        }
        let birth_us = median_us(&|| bench::arena_birth(capacity, false))?;
        let touched_us = median_us(&|| bench::arena_birth(capacity, true))?;
        Ok(Some(Self { birth_us, first_touch_us: (touched_us - birth_us).max(0.0) }))
    }
}

/// Median of a few runs after the first, which may be cold.
fn median_us(run: &dyn Fn() -> Result<(), Error>) -> Result<f64, Error> {
    run()?;
    let timed = || {
        let start = Clock::Thread.now();
        run().map(|()| (Clock::Thread.now() - start).as_secs_f64() * 1e6)
    };
    let mut times = [timed()?, timed()?, timed()?, timed()?, timed()?];
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

fn within(option: &str, min: usize, max: usize, found: usize) -> Result<(), Failure> {
    if (min..=max).contains(&found) {
        return Ok(());
    }
    Err(Failure::Input(format!("{option}: expected a number from {min} to {max}, found {found}")))
}
