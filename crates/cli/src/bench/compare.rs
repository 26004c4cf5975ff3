use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ecphory_measure::{Line, Work};
use serde::Serialize;

use crate::failure::Failure;

/// A change below this share is none, however quiet the machine: code moves in memory from build to build.
const LEAST: f64 = 0.05;

/// How a figure changed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The median that was saved.
    pub median_ns: f64,
    /// Now through then: above 1 is slower.
    pub ratio: f64,
    /// What the ratio may be off by: both noises together.
    pub noise: f64,
    /// Whether the change is larger than thrice its noise and larger than a twentieth.
    pub significant: bool,
}

/// Figures by what tells them apart.
#[derive(Debug)]
pub struct Compared<'a> {
    /// Those that were saved and not measured again yet.
    then: BTreeMap<String, &'a Line>,
    changes: BTreeMap<String, Change>,
    new: usize,
}

/// Lines that `--save` wrote.
pub fn load(file: &Path) -> Result<Vec<Line>, Failure> {
    let wrong = |why: String| Failure::Input(format!("--compare {}: {why}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let parsed = text.lines().enumerate().map(|(number, line)| {
        serde_json::from_str(line).map_err(|error| {
            wrong(format!("line {}: expected a figure as --save writes it, found {error}", number + 1))
        })
    });
    parsed.collect()
}

impl<'a> Compared<'a> {
    /// Nothing was measured yet since `before` was saved.
    pub fn new(before: &'a [Line]) -> Self {
        // Limits are the best that was seen, of one run: they have no noise to be judged by.
        let figures = before.iter().filter(|line| !matches!(line.work, Work::Limits { .. }));
        Self { then: figures.map(|line| (line.label(), line)).collect(), changes: BTreeMap::new(), new: 0 }
    }

    /// And these were.
    pub fn see(&mut self, now: &[Line]) {
        for line in now {
            match self.then.remove(&line.label()) {
                Some(then) => _ = self.changes.insert(line.label(), Change::between(then, line)),
                None => self.new += 1,
            }
        }
    }

    pub fn of(&self, line: &Line) -> Option<&Change> {
        self.changes.get(&line.label())
    }

    /// Every ratio, the largest change first; a word where it is beyond its noise.
    pub fn text(&self) -> String {
        let mut all: Vec<_> = self.changes.iter().collect();
        all.sort_by(|a, b| b.1.size().total_cmp(&a.1.size()));
        let changed = all.iter().filter(|(_, change)| change.significant).count();
        let same = all.len() - changed;
        let mut text = format!("\ncompared: {changed} changed, {same} the same within their noise\n");
        for (label, change) in all {
            let word = match (change.significant, change.ratio > 1.0) {
                (true, true) => "  slower",
                (true, false) => "  faster",
                (false, _) => "",
            };
            let (ratio, noise) = (change.ratio, change.noise * 100.0);
            text += &format!("  {label:<48}{ratio:>7.2}x  +-{noise:.0} %{word}\n");
        }
        for (count, word) in [(self.new, "not in the file"), (self.then.len(), "only in the file")] {
            if count > 0 {
                text += &format!("  {word}: {count}\n");
            }
        }
        text
    }
}

impl Change {
    fn between(then: &Line, now: &Line) -> Self {
        let (ratio, noise) = (now.median_ns / then.median_ns, then.noise.hypot(now.noise));
        let mut change = Self { median_ns: then.median_ns, ratio, noise, significant: false };
        change.significant = change.size() > LEAST.max(3.0 * noise);
        change
    }

    /// How far the ratio is from 1, the same for twice and for half.
    fn size(&self) -> f64 {
        self.ratio.max(1.0 / self.ratio) - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: usize, median_ns: f64, noise: f64) -> Line {
        Line {
            work: Work::Decay { case: "power".into(), n },
            threads: 1,
            who: "ecphory".into(),
            best_ns: median_ns,
            median_ns,
            noise,
            rate: 1.0,
            unit: "ns/memory".into(),
            limit: None,
            of_limit: None,
            note: None,
        }
    }

    #[test]
    fn a_change_counts_beyond_its_noise_and_beyond_a_twentieth() {
        let before = [line(1, 100.0, 0.0), line(2, 100.0, 0.1), line(3, 100.0, 0.01), line(4, 100.0, 0.0)];
        let now = [line(1, 104.0, 0.0), line(2, 130.0, 0.1), line(3, 50.0, 0.01), line(5, 1.0, 0.0)];
        let mut compared = Compared::new(&before);
        now.chunks(2).for_each(|lines| compared.see(lines));
        let significant = |at: usize| compared.of(&now[at]).map(|change| change.significant);
        assert_eq!([0, 1, 2, 3].map(significant), [Some(false), Some(false), Some(true), None]);
        assert_eq!(compared.of(&now[2]).unwrap().ratio, 0.5);
        let text = compared.text();
        assert!(text.contains("1 changed, 2 the same") && text.contains("faster"), "{text}");
        assert!(text.contains("not in the file: 1") && text.contains("only in the file: 1"), "{text}");
    }
}
