//! Figures of several runs as one.

use crate::Line;

/// The same figures of several runs as one: the best of all, the median of medians, and as noise how far the medians
/// lie apart, as a share of theirs. Of one run, as they are.
pub(crate) fn over(runs: Vec<Vec<Line>>) -> Vec<Line> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Work;

    #[test]
    fn a_figure_over_runs_is_the_middle_one_with_the_best_of_all_and_how_far_they_lie_apart() {
        let line = |who: &str, best_ns, median_ns| Line {
            work: Work::Decay { case: "power".into(), n: 1 },
            threads: 1,
            who: who.into(),
            best_ns,
            median_ns,
            noise: 0.5,
            rate: 1.0 / median_ns,
            unit: "1/ns".into(),
            limit: None,
            of_limit: None,
            note: None,
        };
        let runs = [[30.0, 4.0], [20.0, 8.0], [25.0, 5.0]];
        let runs = runs.map(|[a, b]| vec![line("a", a - 1.0, a), line("b", b - 1.0, b)]);
        let over = over(runs.to_vec());
        let found: Vec<_> = over.iter().map(|line| (line.best_ns, line.median_ns, line.rate, line.noise)).collect();
        assert_eq!(found, [(19.0, 25.0, 0.04, 0.4), (3.0, 5.0, 0.2, 0.8)]);
        assert_eq!(super::over(runs[..1].to_vec()), runs[0]);
    }
}
