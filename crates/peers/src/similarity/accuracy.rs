//! How far answers for two vectors are from f64. Nothing is timed here.

use std::io::{self, Write};

use ecphory::{Rows, Search, tier};
use ecphory_measure::cases::similarity::{DIMS, METRICS, Vectors, ours};
use ecphory_measure::suite::Missing;
use ecphory_measure::{Kind, Metric, caught};
use serde_json::{Value, json};

use super::peered::Peered;
use super::{Made, Part, Peer, normalised};
use crate::absent::without_feature;
use crate::table::Notes;

/// Queries and rows of each case: every query meets every row.
const SHAPE: [usize; 2] = [8, 1000];

/// A metric and a dimension.
#[derive(Clone, Copy, PartialEq)]
pub struct Case {
    metric: Metric,
    dim: usize,
}

/// Every case, one metric after the other.
pub fn cases() -> Vec<Case> {
    METRICS.into_iter().flat_map(|metric| DIMS.map(|dim| Case { metric, dim })).collect()
}

/// What is said of a query and so many rows.
type Answers = Box<dyn Fn(&[f32], Part<'_>, usize) -> Vec<f64>>;

/// One who compares a query with rows.
struct Answerer {
    name: &'static str,
    note: Option<&'static str>,
    /// Wants other rows than there are.
    made: Option<Made<f32>>,
    answers: Answers,
}

impl From<Peer> for Answerer {
    fn from(Peer { name, note, made, fill }: Peer) -> Self {
        let answers = move |query: &[f32], part: Part<'_>, n| {
            let mut scores = vec![f32::NAN; n];
            fill(query, part, &mut scores);
            scores.into_iter().map(f64::from).collect()
        };
        Self { name, note, made, answers: Box::new(answers) }
    }
}

fn everyone(metric: Metric) -> Vec<Answerer> {
    let (search, plain) = (Search::new(ours(metric)), f32::plain(metric));
    let by_us = move |query: &[f32], part: Part<'_>, scores: &mut [f32]| {
        let rows = Rows::new(part.rows, part.dim).expect("whole rows");
        search.scores_into(query, &rows, scores).expect("scores of good rows");
    };
    let by_loop = move |query: &[f32], part: Part<'_>, scores: &mut [f32]| part.each(scores, |row| plain(query, row));
    let mut all = vec![Peer::new("ecphory", by_us), Peer::new("scalar", by_loop)];
    all.extend(f32::peers(metric));
    let all = all.into_iter().map(Answerer::from);
    #[cfg(feature = "anndists")]
    let all = all.chain([anndists(metric)]);
    all.collect()
}

/// Its answers are distances: what is made of them here is made in f64.
#[cfg(feature = "anndists")]
fn anndists(metric: Metric) -> Answerer {
    use anndists::dist::{DistCosine, DistDot, DistL2, Distance};
    let distance: fn(&[f32], &[f32]) -> f64 = match metric {
        Metric::Cosine => |a, b| 1.0 - f64::from(DistCosine.eval(a, b)),
        Metric::Sql2 => |a, b| f64::from(DistL2.eval(a, b)).powi(2),
        _ => |a, b| 1.0 - f64::from(DistDot.eval(a, b)),
    };
    let note = match metric {
        Metric::Cosine => "sums in f64 of products in f32; answers by 1 - cosine",
        Metric::Sql2 => "answers by the root",
        _ => "answers by 1 - product",
    };
    let answers =
        move |query: &[f32], part: Part<'_>, _| part.rows.chunks(part.dim).map(|row| distance(query, row)).collect();
    Answerer { name: "anndists", note: Some(note), made: None, answers: Box::new(answers) }
}

/// How far off one of them is, in units.
struct Figure {
    case: Case,
    who: &'static str,
    note: Option<&'static str>,
    largest: f64,
    mean: f64,
}

impl Case {
    /// What filters look at.
    pub fn label(&self) -> String {
        format!("accuracy {} {}", self.metric, self.dim)
    }

    /// Half the distance from 1 to the next f32, and of what.
    fn unit(self) -> &'static str {
        match self.metric {
            Metric::Cosine => "2^-24",
            Metric::Sql2 => "2^-24 of the squared distance",
            _ => "2^-24 of the product of the lengths",
        }
    }

    /// Of length 1 for products: some take no others.
    fn vectors(self) -> Vectors {
        let vectors = Vectors::new(SHAPE[0], SHAPE[1], self.dim);
        if self.metric != Metric::Dot {
            return vectors;
        }
        let [queries, rows] = [&vectors.queries, &vectors.rows].map(|all| normalised(all, self.dim));
        Vectors { queries, rows, ..vectors }
    }

    fn figures(self) -> Vec<Result<Figure, String>> {
        let vectors = self.vectors();
        let expected = vectors.expected(self.metric);
        let figure = |one: Answerer| {
            let off = caught(one.name, || self.off(&one, &vectors, &expected)).map_err(|panicked| panicked.why)?;
            let (largest, mean) = off?;
            Ok(Figure { case: self, who: one.name, note: one.note, largest, mean })
        };
        everyone(self.metric).into_iter().map(figure).collect()
    }

    /// The largest and the mean difference from `expected`.
    fn off(self, one: &Answerer, vectors: &Vectors, expected: &[f64]) -> Result<(f64, f64), String> {
        let rows = one.made.map_or_else(|| vectors.rows.clone(), |made| made(&vectors.rows, self.dim));
        let part = Part { rows: &rows, ids: None, dim: self.dim };
        let found: Vec<f64> =
            vectors.queries.chunks(self.dim).flat_map(|query| (one.answers)(query, part, vectors.n)).collect();
        let (name, count) = (one.name, expected.len());
        if found.len() != count {
            return Err(format!("{name}: expected {count} answers, found {}", found.len()));
        }
        if let Some(at) = found.iter().position(|answer| !answer.is_finite()) {
            return Err(format!("{name}: expected {count} finite answers, found {} at position {at}", found[at]));
        }
        let unit = |exact: f64| if self.metric == Metric::Sql2 { exact } else { 1.0 } / f64::from(1 << 24);
        let off = || found.iter().zip(expected).map(|(found, &exact)| (found - exact).abs() / unit(exact));
        Ok((off().fold(0.0, f64::max), off().sum::<f64>() / found.len() as f64))
    }
}

impl Figure {
    fn json(&self) -> Value {
        json!({
            "suite": "accuracy", "metric": self.case.metric, "dim": self.case.dim, "dtype": "f32", "impl": self.who,
            "pairs": SHAPE[0] * SHAPE[1], "largest": self.largest, "mean": self.mean, "unit": self.case.unit(),
            "note": self.note,
        })
    }
}

/// Prints each metric as soon as all are through with it, as a table or as an object for each figure. Returns who is
/// missing.
pub fn run(cases: &[Case], json: bool, out: &mut impl Write) -> Result<Missing, Box<dyn std::error::Error>> {
    without_feature(&[("lance", cfg!(feature = "lance")), ("anndists", cfg!(feature = "anndists"))]);
    let (mut missing, mut notes) = (Missing::default(), Notes::default());
    if !json {
        let pairs = SHAPE[0] * SHAPE[1];
        writeln!(out, "off from f64, the largest and the mean of {pairs} pairs of f32; tier {}", tier::in_use()?)?;
    }
    for of_metric in cases.chunk_by(|a, b| a.metric == b.metric) {
        let mut figures = Vec::new();
        for case in of_metric {
            for figure in case.figures() {
                match figure {
                    Ok(figure) => figures.push(figure),
                    Err(why) => {
                        let line = format!("{}: {why}", case.label());
                        _ = writeln!(io::stderr(), "left out: {line}");
                        missing.contenders.push(line);
                    }
                }
            }
        }
        if json {
            figures.iter().try_for_each(|figure| writeln!(out, "{}", figure.json()))?;
        } else {
            table(of_metric, &figures, &mut notes, out)?;
        }
        out.flush()?;
    }
    if !json {
        write!(out, "\n{}", notes.text())?;
        if !missing.is_empty() {
            writeln!(out, "{missing}")?;
        }
    }
    Ok(missing)
}

/// One metric: a line for each who answers, two columns for each dimension, the least off first.
fn table(cases: &[Case], figures: &[Figure], notes: &mut Notes, out: &mut impl Write) -> io::Result<()> {
    write!(out, "\n{}, in {}\n  {:<12}", cases[0].metric, cases[0].unit(), "dimension")?;
    cases.iter().try_for_each(|case| write!(out, "{:>15}", case.dim))?;
    let mut all: Vec<&'static str> = Vec::new();
    figures.iter().for_each(|figure| {
        if !all.contains(&figure.who) {
            all.push(figure.who)
        }
    });
    let of = |who: &'static str| figures.iter().filter(move |figure| figure.who == who);
    all.sort_by(|a, b| f64::total_cmp(&of(a).map(|f| f.mean).sum(), &of(b).map(|f| f.mean).sum()));
    for who in all {
        write!(out, "\n  {who:<12}")?;
        for case in cases {
            match of(who).find(|figure| figure.case == *case) {
                Some(figure) => write!(out, "{:>8.2}{:>7.3}", figure.largest, figure.mean)?,
                None => write!(out, "{:>15}", "left out")?,
            }
        }
        let note = of(who).find_map(|figure| figure.note);
        note.map_or(Ok(()), |note| write!(out, " [{}]", notes.number(note)))?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answerer(answer: impl Fn(f64) -> f64 + 'static) -> Answerer {
        let answers = move |query: &[f32], part: Part<'_>, _| {
            let exact = |row: &[f32]| query.iter().zip(row).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
            part.rows.chunks(part.dim).map(|row| answer(exact(row))).collect()
        };
        Answerer { name: "one", note: None, made: None, answers: Box::new(answers) }
    }

    #[test]
    fn an_error_is_told_in_units_and_an_answer_that_is_no_number_is_refused() {
        let case = Case { metric: Metric::Dot, dim: 100 };
        let vectors = case.vectors();
        let expected = vectors.expected(Metric::Dot);
        let off = |by: f64| answerer(move |exact| exact + by / f64::from(1 << 24));
        let (largest, mean) = case.off(&off(3.0), &vectors, &expected).unwrap();
        assert!((largest - 3.0).abs() < 1e-6 && (mean - 3.0).abs() < 1e-6, "{largest} {mean}");
        let refused = case.off(&answerer(|_| f64::NAN), &vectors, &expected);
        assert_eq!(refused, Err("one: expected 8000 finite answers, found NaN at position 0".into()));
    }

    #[test]
    fn everyone_is_within_the_bound_of_a_sum_in_f32_and_is_in_the_table_and_in_the_objects() {
        let cases = [Case { metric: Metric::Cosine, dim: 100 }, Case { metric: Metric::Sql2, dim: 100 }];
        let (mut text, mut objects) = (Vec::new(), Vec::new());
        assert!(run(&cases, false, &mut text).unwrap().is_empty());
        assert!(run(&cases, true, &mut objects).unwrap().is_empty());
        let (text, objects) = (String::from_utf8(text).unwrap(), String::from_utf8(objects).unwrap());
        for line in objects.lines() {
            let object: Value = serde_json::from_str(line).unwrap();
            let (largest, mean) = (object["largest"].as_f64().unwrap(), object["mean"].as_f64().unwrap());
            assert!(0.0 < mean && mean < largest && largest < 2.0 * 108.0, "{line}");
            assert!(text.contains(&format!("{largest:.2}")) && text.contains(object["impl"].as_str().unwrap()));
        }
        assert!(objects.lines().filter(|line| line.contains("\"ecphory\"")).count() == 2, "{objects}");
    }
}
