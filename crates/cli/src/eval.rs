//! `ecphory eval`: whether recall finds what answers a question.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use ecphory_measure::Bar;
use ecphory_recall::eval::{CONTROL, Category, EvalError, Evidence, Found, Interval, KS, STRONGEST, methods};

use crate::failure::Failure;
use crate::intervals;
use crate::text::{count, fit};

/// The control of recall by vectors alone.
const VECTORS: &str = "cosine+smooth";

#[derive(Debug, Args)]
pub struct Options {
    /// Folder with turns.jsonl, turns.f32, questions.jsonl, questions.f32.
    folder: PathBuf,
    /// How many of the best turns count: 5, 10 or 20.
    #[arg(long, default_value_t = 10)]
    k: usize,
    /// Also tune weights on all conversations but the one asked.
    #[arg(long)]
    tune: bool,
    /// Also write a plot of every method and its interval, as SVG.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Print one JSON object a line instead, for every K.
    #[arg(long)]
    json: bool,
}

impl From<EvalError> for Failure {
    fn from(error: EvalError) -> Self {
        match error {
            EvalError::File { .. } => Self::Input(error.to_string()),
            error => Self::Other(error.to_string()),
        }
    }
}

pub fn run(options: &Options) -> Result<String, Failure> {
    let k = options.k;
    if !KS.contains(&k) {
        return Err(Failure::Input(format!("--k: expected 5, 10 or 20, found {k}")));
    }
    let evidence = Evidence::read(&options.folder)?;
    let methods = methods();
    let progress = Bar::new(methods.len() + if options.tune { evidence.tuning_steps() } else { 0 });
    let mut found = Vec::new();
    for (name, method) in methods {
        progress.now(&name);
        found.push((name, evidence.ask(&method).map_err(EvalError::Recall)?));
        progress.step(1);
    }
    if options.tune {
        progress.now("recall:tuned");
        let tuned = evidence.tuned(|| progress.step(1)).map_err(EvalError::Recall)?;
        found.push(("recall:tuned".to_owned(), tuned));
    }
    drop(progress);
    if let Some(path) = &options.plot {
        let of_all = found.iter().filter_map(|(name, found)| Some((&**name, found.recall(Category::All, k)?)));
        let of_all: Vec<_> = of_all.collect();
        let title = format!("share of evidence among the {} best, and its interval of 95 %", k);
        let svg = intervals::svg(&title, &of_all, CONTROL)?;
        fs::write(path, svg).map_err(|error| Failure::Input(format!("--plot {}: {error}", path.display())))?;
    }
    if options.json {
        let lines = found.iter().flat_map(|(name, found)| found.lines(name));
        return lines.map(|line| Ok(serde_json::to_string(&line)? + "\n")).collect();
    }
    Ok(table(&evidence, &found, k))
}

fn table(evidence: &Evidence, found: &[(String, Found)], k: usize) -> String {
    let (conversations, turns, questions) = evidence.counts();
    let mut text = format!(
        "{}, {}, {}.\nThe share of a question's evidence among its {} best turns.\n",
        count(conversations, "conversation", "conversations"),
        count(turns, "turn", "turns"),
        count(questions, "question", "questions"),
        k,
    );
    if evidence.unresolved + evidence.without_evidence > 0 {
        let (names, left_out) = (evidence.unresolved, evidence.without_evidence);
        let _ = writeln!(
            text,
            "{} of no turn; {} without evidence left out.",
            count(names, "name", "names"),
            count(left_out, "question", "questions"),
        );
    }
    let _ = write!(text, "\n{:27}", "");
    Category::REPORTED.iter().for_each(|category| _ = write!(text, "{:>7}", fit(&short(*category), 6)));
    text.push('\n');
    for (name, found) in found {
        let _ = write!(text, "{:27}", fit(name, 27));
        for category in Category::REPORTED {
            let _ = match found.recall(category, k) {
                Some(found) => write!(text, "{:7.3}", found.mean),
                None => write!(text, "{:7}", ""),
            };
        }
        text.push('\n');
    }
    for by in [CONTROL, STRONGEST, VECTORS] {
        let Some((_, control)) = found.iter().find(|(name, _)| name == by) else { continue };
        let over = if conversations > 1 { "conversations" } else { "its questions" };
        let _ = writeln!(text, "\nBeyond {by}, and the interval of 95 % over {over}:");
        let _ = writeln!(text, "{:27}{:>25}{:>25}", "", "all", "without 5");
        let of_vectors = |name: &str| name.starts_with("recall:vector");
        let shown = |name: &str| if by == VECTORS { of_vectors(name) } else { name.starts_with("recall") };
        for (name, found) in found.iter().filter(|(name, _)| shown(name)) {
            let of = |category| interval(found.beyond(control, category, k));
            let _ = writeln!(text, "{:27}{:>25}{:>25}", fit(name, 27), of(Category::All), of(Category::Without5));
        }
    }
    text + "1 multi-hop, 2 temporal, 3 open-domain, 4 single-hop, 5 adversarial.\n"
}

fn short(category: Category) -> String {
    if category == Category::Without5 { "not 5".into() } else { category.name() }
}

fn interval(of: Option<Interval>) -> String {
    of.map_or_else(String::new, |of| format!("{:+.3} [{:+.3}, {:+.3}]", of.mean, of.low, of.high))
}
