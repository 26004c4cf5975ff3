//! The `ecphory` command: a demo on a real memory graph, benchmarks, and what this machine runs on.

mod arenas;
mod bench;
mod cue;
mod demo;
mod eval;
mod failure;
mod info;
mod intervals;
mod plan;
mod relations;
mod report;
mod text;
mod wordnet;

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::wordnet::WordNet;

/// Memory-graph kernels: cue similarity, spreading activation, decay.
#[derive(Debug, Parser)]
#[command(name = "ecphory", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask 5,000 WordNet memories: what is like a cue, woken by it, faded.
    #[command(after_help = sentences())]
    Demo {
        /// A sentence's number, a lemma or a synset's key.
        #[arg(long, default_value = "0", allow_negative_numbers = true)]
        cue: String,
        /// How many places of each ranking to show.
        #[arg(long, default_value_t = 10, value_name = "K")]
        top: usize,
        /// Print one JSON object instead.
        #[arg(long)]
        json: bool,
    },
    /// Say how large the arenas of threads should be.
    #[command(subcommand)]
    Arena(Arena),
    /// Measure every kernel against this machine's limits and plain loops.
    Bench(bench::Options),
    /// Ask questions of conversations; say what recall finds.
    Eval(eval::Options),
    /// Say which CPU tier, Zig, arena and threads are in use here.
    Info {
        /// Print one JSON object instead.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum Arena {
    /// Run a workload; say what it needs and how arenas of each size fare.
    Plan(plan::Options),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Where standard error is closed too, there is nobody left to tell.
            let _ = writeln!(io::stderr(), "error: {failure}");
            failure.exit_code()
        }
    }
}

fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Demo { cue, top, json } => {
            let start = Instant::now();
            let wordnet = WordNet::load()?;
            let load_ms = start.elapsed().as_secs_f64() * 1e3;
            let outcome = demo::run(&wordnet, load_ms, &cue, top)?;
            emit(&if json { serde_json::to_string(&outcome)? + "\n" } else { report::text(&wordnet, &outcome)? })
        }
        Command::Arena(Arena::Plan(options)) => emit(&plan::run(&options)?),
        Command::Bench(options) => emit(&bench::run(&options)?),
        Command::Eval(options) => emit(&eval::run(&options)?),
        Command::Info { json } => emit(&info::run(json)?),
    }
}

fn emit(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read us has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::Other(format!("standard output: {error}"))),
        Ok(()) => Ok(()),
    }
}

fn sentences() -> String {
    let cues = wordnet::cue_sentences().unwrap_or_default();
    let lines = cues.iter().enumerate().map(|(number, cue)| format!("\n  {number}  {cue}"));
    "Sentences:".to_owned() + &lines.collect::<String>()
}
