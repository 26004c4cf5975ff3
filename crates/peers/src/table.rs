//! What people read: one block for each case, the fastest first.

use ecphory_measure::{Limits, Line};

/// The same figures of several runs as one: the best of all, the median of medians, and as noise how far the medians
/// lie apart, as a share of theirs.
pub fn over_runs(runs: Vec<Vec<Line>>) -> Vec<Line> {
    let mut runs = runs.into_iter();
    let Some(first) = runs.next() else { return Vec::new() };
    let rest: Vec<Vec<Line>> = runs.collect();
    first
        .into_iter()
        .map(|line| {
            let label = line.label();
            let of = |run: &Vec<Line>| run.iter().find(|other| other.label() == label).cloned();
            let mut same: Vec<Line> = rest.iter().filter_map(of).collect();
            same.push(line);
            same.sort_by(|a, b| a.median_ns.total_cmp(&b.median_ns));
            let best_ns = same.iter().map(|line| line.best_ns).fold(f64::INFINITY, f64::min);
            let (low, high) = (same[0].median_ns, same[same.len() - 1].median_ns);
            let mut middle = same.swap_remove((same.len() - 1) / 2);
            middle.best_ns = best_ns;
            if !rest.is_empty() {
                middle.noise = (high - low) / middle.median_ns;
            }
            middle
        })
        .collect()
}

/// Blocks of lines of the same case and threads; notes stand once, at the end.
pub fn text(lines: &[Line], limits: &Limits) -> String {
    let mut notes: Vec<&str> = Vec::new();
    for note in lines.iter().filter_map(|line| line.note.as_deref()) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    let mut text = limits.text();
    let mut rest = lines;
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|line| line.work == first.work && line.threads == first.threads).count();
        let (block, others) = rest.split_at(same);
        text += &block_text(block, &notes);
        rest = others;
    }
    text +=
        "\n1.00x: ours; above it slower than ours. %: share of the limit that binds. +-: how far the runs lie apart\n";
    for (number, note) in notes.iter().enumerate() {
        text += &format!("[{}] {note}\n", number + 1);
    }
    text
}

fn block_text(block: &[Line], notes: &[&str]) -> String {
    let first = &block[0];
    let threads = if first.threads == 1 { "1 thread".to_owned() } else { format!("{} threads", first.threads) };
    let mut text = format!("\n{}, {threads}\n", first.work);
    let mut order: Vec<&Line> = block.iter().collect();
    order.sort_by(|a, b| a.median_ns.total_cmp(&b.median_ns));
    let ours = block.iter().find(|line| line.who.starts_with("ecphory")).map(|line| line.median_ns);
    for line in order {
        let against = ours.map_or_else(String::new, |ours| format!("{:.2}x", line.median_ns / ours));
        let of_limit = line.of_limit.map_or_else(String::new, |share| format!("{:.0} %", share * 100.0));
        let note = line.note.as_deref().and_then(|note| notes.iter().position(|known| *known == note));
        let note = note.map_or_else(String::new, |number| format!(" [{}]", number + 1));
        text += &format!(
            "  {:<24}{:>10}{:>9.*} {:<9}{of_limit:>6}{against:>8} +-{:.0} %{note}\n",
            line.who,
            duration(line.median_ns),
            if line.rate < 100.0 { 2 } else { 0 },
            line.rate,
            line.unit,
            line.noise * 100.0,
        );
    }
    text
}

fn duration(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns:.2} ns"),
        ns if ns < 1e6 => format!("{:.2} us", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}
