//! What people read: one block for each case, the fastest first.

use ecphory_measure::suite::Missing;
use ecphory_measure::{Line, thread_count};

/// What a reader must know to compare, each once: numbered where it is first met.
#[derive(Default)]
pub struct Notes(Vec<String>);

impl Notes {
    pub fn number(&mut self, note: &str) -> usize {
        let known = self.0.iter().position(|known| known == note);
        1 + known.unwrap_or_else(|| {
            self.0.push(note.to_owned());
            self.0.len() - 1
        })
    }

    /// One line for each.
    pub fn text(&self) -> String {
        self.0.iter().enumerate().map(|(number, note)| format!("[{}] {note}\n", number + 1)).collect()
    }
}

/// Blocks in the order of the cases; notes stand at the end.
#[derive(Default)]
pub struct Table {
    notes: Notes,
}

impl Table {
    /// The figures of one case.
    pub fn block(&mut self, lines: &[Line]) -> String {
        let Some(first) = lines.first() else { return String::new() };
        let threads = match first.threads {
            1 => "1 thread".to_owned(),
            many if many > thread_count() => format!("{many} threads, CPU time"),
            many => format!("{many} threads"),
        };
        let mut text = format!("\n{}, {threads}\n", first.work);
        let mut order: Vec<&Line> = lines.iter().collect();
        order.sort_by(|a, b| a.median_ns.total_cmp(&b.median_ns));
        let ours = lines.iter().find(|line| line.who.starts_with("ecphory")).map(|line| line.median_ns);
        for line in order {
            let against = ours.map_or_else(String::new, |ours| format!("{:.2}x", line.median_ns / ours));
            let of_limit = line.of_limit.map_or_else(String::new, |share| format!("{:.0} %", share * 100.0));
            let note = line.note.as_deref().map_or_else(String::new, |note| format!(" [{}]", self.notes.number(note)));
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

    /// What stands below all blocks.
    pub fn end(&self, missing: &Missing) -> String {
        let mut text = "\n1.00x: ours; above it slower than ours. %: share of the limit that binds. \
            +-: how far the runs lie apart\n"
            .to_owned();
        text += &self.notes.text();
        if !missing.is_empty() {
            text += &format!("{missing}\n");
        }
        text
    }
}

fn duration(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns:.2} ns"),
        ns if ns < 1e6 => format!("{:.2} us", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use ecphory_measure::Work;

    use super::*;

    fn line(who: &str, median_ns: f64, note: Option<&str>) -> Line {
        Line {
            work: Work::Decay { case: "power".into(), n: 10 },
            threads: 1,
            who: who.into(),
            best_ns: median_ns,
            median_ns,
            noise: 0.02,
            rate: median_ns / 10.0,
            unit: "ns/memory".into(),
            limit: None,
            of_limit: None,
            note: note.map(Into::into),
        }
    }

    #[test]
    fn a_block_has_the_fastest_first_and_notes_are_numbered_as_they_are_met() {
        let mut table = Table::default();
        let first =
            table.block(&[line("ecphory", 20.0, None), line("slow", 40.0, Some("b")), line("fast", 10.0, Some("a"))]);
        let shown: Vec<Vec<&str>> = first.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
        let expected = [
            "fast 10.00 ns 1.00 ns/memory 0.50x +-2 % [1]",
            "ecphory 20.00 ns 2.00 ns/memory 1.00x +-2 %",
            "slow 40.00 ns 4.00 ns/memory 2.00x +-2 % [2]",
        ];
        assert_eq!(shown.iter().map(|words| words.join(" ")).collect::<Vec<_>>(), expected);
        assert!(table.block(&[line("third", 1.0, Some("c")), line("fourth", 2.0, Some("a"))]).contains("[3]"));
        let missing = Missing { contenders: vec!["decay power 10 t1: x: off".into()], cases: Vec::new() };
        let end = table.end(&missing);
        let wanted = "[1] a\n[2] b\n[3] c\n1 contender was left out:\n  decay power 10 t1: x: off\n";
        assert!(end.ends_with(wanted), "{end}");
        assert!(table.end(&Missing::default()).ends_with("[3] c\n"));
    }
}
