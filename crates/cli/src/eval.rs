//! `ecphory eval`: whether recall finds what answers a question.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use ecphory_measure::Bar;
use ecphory_recall::eval::{CONTROL, Category, EvalError, Evidence, Fold, Found, Interval, KS, STRONGEST, methods};

use crate::failure::Failure;
use crate::intervals;
use crate::text::{count, fit};

/// The control of recall by vectors alone.
const VECTORS: &str = "cosine+smooth";
/// Folds whose weights stand side by side.
const SIDE_BY_SIDE: usize = 8;

#[derive(Debug, Args)]
pub struct Options {
    /// Folder with turns.jsonl, turns.f32, questions.jsonl, questions.f32.
    folder: PathBuf,
    /// How many of the best turns count: 5, 10 or 20; else all three, and 10 for what is beyond controls.
    #[arg(long)]
    k: Option<usize>,
    /// Also tune weights on all conversations but the one asked, beginning with 1 each.
    #[arg(long)]
    tune: bool,
    /// Also write a plot of every method and its interval, as SVG.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Print one JSON object a line instead, for every K.
    #[arg(long)]
    json: bool,
    /// With --json, also the strongest control found, which the text always has.
    #[arg(long)]
    strongest: bool,
}

impl From<EvalError> for Failure {
    fn from(error: EvalError) -> Self {
        match error {
            EvalError::File { .. } => Self::Input(error.to_string()),
            EvalError::OneConversation { .. } => Self::Input(format!("--tune: {error}")),
            error => Self::Other(error.to_string()),
        }
    }
}

pub fn run(options: &Options) -> Result<String, Failure> {
    if let Some(k) = options.k.filter(|k| !KS.contains(k)) {
        return Err(Failure::Input(format!("--k: expected 5, 10 or 20, found {k}")));
    }
    let beyond = options.k.unwrap_or(10);
    let evidence = Evidence::read(&options.folder)?;
    let mut methods = methods();
    methods.retain(|(name, _)| !options.json || options.strongest || name != STRONGEST);
    let progress = Bar::new(methods.len() + if options.tune { evidence.tuning_steps() } else { 0 });
    let (mut found, mut folds) = (Vec::new(), Vec::new());
    if options.tune {
        progress.now("recall:tuned");
        let tuned = evidence.tuned(|| progress.step(1))?;
        folds = tuned.folds;
        found.push(("recall:tuned".to_owned(), tuned.found));
    }
    for (place, (name, method)) in methods.into_iter().enumerate() {
        progress.now(&name);
        found.insert(place, (name, evidence.ask(&method).map_err(EvalError::Recall)?));
        progress.step(1);
    }
    drop(progress);
    if let Some(path) = &options.plot {
        let of_all = found.iter().filter_map(|(name, found)| Some((&**name, found.recall(Category::All, beyond)?)));
        let of_all: Vec<_> = of_all.collect();
        let title = format!("share of evidence among the {beyond} best, and its interval of 95 %");
        let svg = intervals::svg(&title, &of_all, CONTROL)?;
        fs::write(path, svg).map_err(|error| Failure::Input(format!("--plot {}: {error}", path.display())))?;
    }
    if options.json {
        let lines = found.iter().flat_map(|(name, found)| found.lines(name));
        return lines.map(|line| Ok(serde_json::to_string(&line)? + "\n")).collect();
    }
    let ks = options.k.map_or(KS.to_vec(), |k| vec![k]);
    let mut text = head(&evidence);
    ks.into_iter().for_each(|k| text += &shares(&found, k));
    text += &beyond_controls(&found, beyond);
    text += &intervals_of(&evidence, &found, beyond);
    text += &weights(&folds);
    Ok(text + "\n1 multi-hop, 2 temporal, 3 open-domain, 4 single-hop, 5 adversarial.\n")
}

fn head(evidence: &Evidence) -> String {
    let (conversations, turns, questions) = evidence.counts();
    let mut text = format!(
        "{}, {}, {}.\nThe share of a question's evidence among its best turns.\n",
        count(conversations, "conversation", "conversations"),
        count(turns, "turn", "turns"),
        count(questions, "question", "questions"),
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
    text
}

type OfMethods = [(String, Found)];

fn by_name<'f>(found: &'f OfMethods, name: &str) -> Option<&'f Found> {
    found.iter().find(|(known, _)| known == name).map(|(_, found)| found)
}

/// Those that there are questions of.
fn categories(found: &OfMethods) -> Vec<Category> {
    let has = |category: &Category| found.iter().any(|(_, found)| found.recall(*category, KS[0]).is_some());
    Category::REPORTED.into_iter().filter(has).collect()
}

/// A table of methods and categories.
fn table<'f>(
    title: &str,
    found: impl Iterator<Item = &'f (String, Found)>,
    categories: &[Category],
    cell: impl Fn(&Found, Category) -> String,
) -> String {
    let mut text = format!("\n{:27}", fit(title, 27));
    categories.iter().for_each(|category| _ = write!(text, "{:>7}", fit(&short(*category), 6)));
    text.push('\n');
    for (name, found) in found {
        let _ = write!(text, "{:27}", fit(name, 27));
        categories.iter().for_each(|&category| _ = write!(text, "{:>7}", cell(found, category)));
        text.push('\n');
    }
    text
}

fn shares(found: &OfMethods, k: usize) -> String {
    table(&format!("{k} best"), found.iter(), &categories(found), |found, category| {
        found.recall(category, k).map_or_else(String::new, |found| format!("{:.3}", found.mean))
    })
}

fn is_of_vectors(name: &str) -> bool {
    name.starts_with("recall:vector")
}

fn beyond_controls(found: &OfMethods, k: usize) -> String {
    let mut text = format!(
        "\nBeyond controls among the {k} best; by the interval of 95 %, > is wholly above\nand < is wholly below.\n"
    );
    for by in [CONTROL, STRONGEST, VECTORS] {
        let Some(control) = by_name(found, by) else { continue };
        let shown = |(name, _): &&(String, Found)| name.starts_with("recall") && is_of_vectors(name) == (by == VECTORS);
        text += &table(by, found.iter().filter(shown), &categories(found), |found, category| {
            found.beyond(control, category, k).map_or_else(String::new, |of| format!("{:+.3}{}", of.mean, mark(of)))
        });
    }
    text
}

fn mark(of: Interval) -> char {
    match of {
        _ if of.low > 0.0 => '>',
        _ if of.high < 0.0 => '<',
        _ => ' ',
    }
}

/// Of recall by default, and what was tuned, beyond its controls.
fn intervals_of(evidence: &Evidence, found: &OfMethods, k: usize) -> String {
    let over = if evidence.counts().0 > 1 { "conversations" } else { "its questions" };
    let mut text = format!("\nIntervals of 95 % over {over}, {k} best:\n");
    let pairs: [&[[&'static str; 2]]; 2] = [
        &[["recall", CONTROL], ["recall", STRONGEST], ["recall:vector", VECTORS]],
        &[["recall:tuned", CONTROL], ["recall:tuned", STRONGEST]],
    ];
    for pairs in pairs {
        let both = |pair: &[&'static str; 2]| Some((*pair, by_name(found, pair[0])?, by_name(found, pair[1])?));
        let pairs: Vec<_> = pairs.iter().filter_map(both).collect();
        if pairs.is_empty() {
            continue;
        }
        let line = |text: &mut String, first: &str, cells: Vec<String>| {
            let cells: String = cells.into_iter().map(|cell| format!("{cell:>24}")).collect();
            let _ = writeln!(text, "{first:7}{cells}");
        };
        text.push('\n');
        line(&mut text, "", pairs.iter().map(|(pair, ..)| pair[0].to_owned()).collect());
        line(&mut text, "", pairs.iter().map(|(pair, ..)| format!("beyond {}", pair[1])).collect());
        for category in categories(found) {
            let cells = pairs.iter().map(|(_, its, control)| interval(its.beyond(control, category, k))).collect();
            line(&mut text, &short(category), cells);
        }
    }
    text
}

/// Those that were chosen, by the conversation that they were asked of.
fn weights(folds: &[Fold]) -> String {
    let mut text = String::new();
    for folds in folds.chunks(SIDE_BY_SIDE) {
        let _ = write!(text, "\n{:16}", "recall:tuned of");
        folds.iter().for_each(|fold| _ = write!(text, "{:>8}", fold.conversation));
        text.push('\n');
        let of: Vec<_> = folds.iter().map(|fold| fold.weights.named()).collect();
        for (place, (name, _)) in of[0].iter().enumerate() {
            let _ = write!(text, "{name:16}");
            of.iter().for_each(|weights| _ = write!(text, "{:>8}", weights[place].1));
            text.push('\n');
        }
    }
    text
}

fn short(category: Category) -> String {
    if category == Category::Without5 { "not 5".into() } else { category.name() }
}

fn interval(of: Option<Interval>) -> String {
    of.map_or_else(String::new, |of| format!("{:+.3} [{:+.3}, {:+.3}]", of.mean, of.low, of.high))
}
