use ecphory_measure::cases::pushes::{ALPHA, EPSILON};
use ecphory_measure::cases::ranks::{RESTART, TIME, TOLERANCE};
use ecphory_measure::cases::spreading::{CUES, HOPS, THRESHOLD};
use ecphory_measure::{Line, Work};

use crate::text::paragraph;

/// One block for each suite, one line for each figure of ours, the plain loop's beside it.
#[derive(Default)]
pub struct Table {
    /// The suites of the blocks so far.
    suites: Vec<&'static str>,
}

impl Table {
    /// What stands below all blocks: how to read them, and the names in those that there are.
    pub fn legend(&self) -> String {
        let columns = [
            ("rate", "by the median: rows read, operations or edges in a second, or ns for each of what is named"),
            ("limit", "the rate as a share of the one limit above that binds the case"),
            ("scalar", "how many times as long the plain Rust loop takes"),
            ("t2", "on 2 threads; without, on one"),
        ];
        let columns = columns.iter().map(|(label, text)| paragraph(label, text));
        let suites = self.suites.iter().map(|suite| paragraph(suite, &names(suite)));
        "\n".to_owned() + &columns.chain(suites).collect::<String>()
    }

    /// The next case.
    pub fn rows(&mut self, lines: &[Line]) -> String {
        let mut text = String::new();
        for line in lines.iter().filter(|line| line.who.starts_with("ecphory")) {
            let suite = suite(&line.work);
            if self.suites.last() != Some(&suite) {
                let [median, best, rate, limit, scalar] = ["median", "best", "rate", "limit", "scalar"];
                text += &format!("\n{suite:<30}{median:>10}{best:>10}  {rate:<15}{limit:>5}{scalar:>7}\n");
                self.suites.push(suite);
            }
            text += &row(line, plain(lines, line));
        }
        text
    }
}

/// What the cases of a suite do, and what binds them.
fn names(suite: &str) -> String {
    let text = match suite {
        "similarity" => {
            "1xN: a query with N rows, 1000x768 being 1,000 of 768 elements; MxN: M queries, one after the other; \
             gather a/b: a rows by id, of b; topk: the best 10; sql2: squared Euclidean distance; limit: reading the \
             rows, or multiply-adds where they take longer"
        }
        "spreading" => {
            return format!(
                "spread3: {HOPS} hops from 3 seeds, weights as given, threshold {THRESHOLD}, on more than one thread \
                 {CUES} cues side by side; ppr_power: PageRank of 3 seeds, restart {RESTART}, to {TOLERANCE:e}; \
                 ppr_push: of one seed, restart {ALPHA}, to {EPSILON:e} an edge, and grown: in an arena with room for \
                 it; ppr_batch16: 16 cues side by side, and singles: one by one; heat: until time {TIME}; plain loops \
                 of ppr_power, ppr_batch16 and heat are in f64; pl1k, pl100k: power-law graphs of 1,000 and 100,000 \
                 nodes; rmat20: an R-MAT graph of 2^20; limit: reading the edges walked"
            );
        }
        "recall" => {
            "top10: the ten best of a memory graph by a vector, as recall is by default; similarity: by cosines alone; \
             hops: by cosines, and two hops from ten seeds; copies: the same by small copies of vectors; scan: every \
             cosine and nothing else; read: as many bytes and nothing else, ahead by prefetching; limit: reading the \
             vectors; first10: the first recall after a change, and by cosines alone; text10: by a vector and seven \
             words, keywords: by those alone"
        }
        "decay" => "the number is that of memories; limit: reading strengths and ages, writing strengths",
        "arena" => {
            "alloc: a block of so many bytes, inline one by one, frame carved out of one need as kernels do, ffi by a \
             call, scope by the Rust API; kernel3: a scope with three blocks; birth: pages mapped, touched, given \
             back; limit: a dependent add, of alloc alone"
        }
        _ => "",
    };
    text.to_owned()
}

fn row(line: &Line, plain: Option<&Line>) -> String {
    let share = line.of_limit.map_or_else(String::new, |share| format!("{:.0}%", share * 100.0));
    let longer = plain.map_or_else(String::new, |plain| format!("{:.1}x", plain.median_ns / line.median_ns));
    let rate = format!("{:.*} {}", if line.rate < 100.0 { 2 } else { 0 }, line.rate, line.unit);
    let text = format!(
        "{:<30}{:>10}{:>10}  {rate:<15}{share:>5}{longer:>7}",
        name(line),
        duration(line.median_ns),
        duration(line.best_ns),
    );
    text.trim_end().to_owned() + "\n"
}

fn plain<'a>(lines: &'a [Line], of: &Line) -> Option<&'a Line> {
    lines.iter().find(|line| line.who == "scalar" && line.work == of.work && line.threads == of.threads)
}

pub fn suite(work: &Work) -> &'static str {
    match work {
        Work::Limits { .. } => "limits",
        Work::Arena { .. } => "arena",
        Work::Similarity { .. } => "similarity",
        Work::Spreading { .. } => "spreading",
        Work::Recall { .. } => "recall",
        Work::Decay { .. } => "decay",
    }
}

/// The label without its suite, and without what every line of ours has.
fn name(line: &Line) -> String {
    let label = line.label();
    let label = label.strip_prefix(suite(&line.work)).unwrap_or(&label).trim_start();
    let label = label.replace(" f32", "").replace(" t1", "").replace("ecphory-", "");
    label.trim_end_matches(" ecphory").to_owned()
}

pub fn duration(ns: f64) -> String {
    match ns {
        ..1e3 => format!("{ns:.2} ns"),
        ..1e6 => format!("{:.2} us", ns / 1e3),
        _ => format!("{:.2} ms", ns / 1e6),
    }
}
