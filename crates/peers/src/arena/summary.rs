//! What the figures of arenas say together, below all of them.

use ecphory_measure::cases::arena::KERNEL3;
use ecphory_measure::{Line, Work, thread_count};

use super::MANY;
use super::alternatives::wasted;

/// What is said of arenas beside what was measured, and what the alternatives cost; nothing of what was not measured.
pub fn text(lines: &[Line]) -> String {
    claim(lines).unwrap_or_default() + &alternatives(lines).unwrap_or_default()
}

/// The time that `who` took on so many threads.
fn time(lines: &[Line], wanted: (&str, Option<usize>), threads: usize, who: &str) -> Option<f64> {
    let of = |line: &&Line| match &line.work {
        Work::Arena { case, size, .. } => (case.as_str(), *size) == wanted,
        _ => false,
    };
    lines.iter().filter(of).find(|line| line.threads == threads && line.who == who).map(|line| line.median_ns)
}

fn claim(lines: &[Line]) -> Option<String> {
    let alloc = |threads, who: &str| time(lines, ("alloc", Some(16)), threads, who);
    let (inline, call) = (alloc(1, "ecphory-inline")?, alloc(1, "ecphory-ffi")?);
    let row = |what: &str, ns: f64| format!("  {what:<48}{ns:>8.2} ns");
    let against = |what: &str, ns: f64| format!("{}{:>7.1}x{:>7.1}x\n", row(what, ns), ns / inline, ns / call);
    let mut text =
        "\nIt is said that a block from a thread's own arena takes about 2 ns and one from an arena that threads\n\
        share behind a mutex about 20 ns, so 10 times as long. Here, for 16 B, aligned to 64:\n"
            .to_owned();
    text += &(row("own, block by block inside one call", inline) + "\n");
    text += &(row("own, a call for each block", call) + "\n");
    if let Some(ns) = alloc(1, "mutex") {
        text += &against("mutex, nobody else wants it", ns);
    }
    let all = thread_count();
    if let Some(ns) = alloc(all, "mutex").filter(|_| all > 1) {
        text += &against(&format!("mutex, {all} threads want it, wall time"), ns);
    }
    if let Some(ns) = alloc(MANY, "ecphory-inline").filter(|_| MANY > all) {
        let what = format!("own, inside one call, {MANY} threads, CPU time");
        text += &format!("{}{:>7.1}x\n", row(&what, ns), ns / inline);
    }
    Some(text + "  x: against the first two\n")
}

fn alternatives(lines: &[Line]) -> Option<String> {
    let kernel = |who: &str| time(lines, ("kernel3", None), 1, who);
    let ours = kernel("ecphory-inline")?;
    let asked: usize = KERNEL3.iter().sum();
    let mut text = format!("\nInstead of a bump arena, for the three blocks of kernel3, {asked} B:\n");
    for (who, bytes) in [("ecphory-inline", 0), ("ecphory-frame", 0)].into_iter().chain(wasted()) {
        let Some(ns) = kernel(who) else { continue };
        text += &format!("  {who:<24}{ns:>8.2} ns{:>8.2}x{bytes:>8} B wasted\n", ns / ours);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(case: &str, size: Option<usize>, threads: usize, who: &str, median_ns: f64) -> Line {
        Line {
            work: Work::Arena { case: case.into(), size, align: Some(64) },
            threads,
            who: who.into(),
            best_ns: median_ns,
            median_ns,
            noise: 0.0,
            rate: median_ns,
            unit: "ns/alloc".into(),
            limit: None,
            of_limit: None,
            note: None,
        }
    }

    #[test]
    fn what_is_said_stands_beside_what_was_measured() {
        let mut lines = vec![
            line("alloc", Some(256), 1, "ecphory-inline", 9.0),
            line("alloc", Some(16), 1, "ecphory-inline", 0.5),
            line("alloc", Some(16), 1, "ecphory-ffi", 2.0),
            line("alloc", Some(16), 1, "mutex", 4.0),
        ];
        let words = |text: &str, of: &str| {
            let line = text.lines().find(|line| line.contains(of)).map(|line| line.split_whitespace());
            line.map(|words| words.collect::<Vec<_>>().join(" "))
        };
        let text = super::text(&lines);
        assert_eq!(words(&text, "nobody else").unwrap(), "mutex, nobody else wants it 4.00 ns 8.0x 2.0x");
        assert!(!text.contains("kernel3"), "{text}");
        lines.extend([
            line("kernel3", None, 1, "ecphory-inline", 2.0),
            line("kernel3", None, 1, "ecphory-frame", 1.0),
            line("kernel3", None, 1, "pool", 5.0),
            line("kernel3", None, 2, "slab", 5.0),
        ]);
        let text = super::text(&lines);
        assert_eq!(words(&text, "ecphory-frame").unwrap(), "ecphory-frame 1.00 ns 0.50x 0 B wasted");
        // 3 and 4 KiB in slots of 8, and a word for each to keep book.
        assert_eq!(words(&text, "pool").unwrap(), "pool 5.00 ns 2.50x 9240 B wasted");
        assert!(!text.contains("slab"), "{text}");
        assert_eq!(super::text(&lines[..1]), "");
    }
}
