use ecphory_measure::cases::spreading::CUES;
use ecphory_measure::{Line, Work};

/// One block for each suite, one line for each figure of ours, the plain loop's beside it.
#[derive(Default)]
pub struct Table {
    /// The suite of the block that is being printed.
    suite: &'static str,
    /// Whether cues were spread side by side.
    cues: bool,
}

impl Table {
    /// What stands below all blocks.
    pub fn legend(&self) -> String {
        let mut text = "\nlimit: share of the most this machine could do; scalar: the plain loop, slower\n".to_owned();
        if self.cues {
            text += &format!("spread3 on more than one thread: {CUES} cues side by side\n");
        }
        text
    }

    /// The next case.
    pub fn rows(&mut self, lines: &[Line]) -> String {
        let mut text = String::new();
        for line in lines.iter().filter(|line| line.who.starts_with("ecphory")) {
            let suite = suite(&line.work);
            if suite != self.suite {
                let [median, best, rate, limit, scalar] = ["median", "best", "rate", "limit", "scalar"];
                text += &format!("\n{suite:<30}{median:>10}{best:>10}  {rate:<15}{limit:>5}{scalar:>7}\n");
                self.suite = suite;
            }
            self.cues |= suite == "spreading" && line.threads > 1;
            text += &row(line, plain(lines, line));
        }
        text
    }
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
