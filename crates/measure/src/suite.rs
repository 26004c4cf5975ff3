//! Cases by name: which there are, which are wanted, and their runs on pinned threads.

use std::fmt;
use std::io::{self, Write};

use crate::threads::in_pool;
use crate::{Bar, Case, Effort, LeftOut, Limits, Line, Work, caught, runs};

type Build = dyn Fn(&Limits) -> Result<Case<'static>, String> + Send + Sync;

/// A case that can be built when its turn comes.
pub struct Plan {
    work: Work,
    threads: usize,
    /// What else lines of ours are called than by the work.
    names: &'static [&'static str],
    build: Box<Build>,
}

impl Plan {
    /// `build` makes the data, checks everyone's answer, leaves out who is wrong, and says so where there is no case
    /// then: where we are wrong ourselves.
    pub fn new(
        work: Work,
        threads: usize,
        build: impl Fn(&Limits) -> Result<Case<'static>, String> + Send + Sync + 'static,
    ) -> Self {
        Self { work, threads, names: &[], build: Box::new(build) }
    }

    /// The same, where some of our lines have `names` beside that of the work.
    #[must_use]
    pub fn named(self, names: &'static [&'static str]) -> Self {
        Self { names, ..self }
    }

    /// What it is called, and what filters look at first.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} t{}", self.work, self.threads)
    }

    /// What filters look at: the label, and names of lines.
    #[must_use]
    pub fn words(&self) -> String {
        format!("{} {}", self.label(), self.names.join(" "))
    }

    /// Everything made anew, and measured, on a pool of as many pinned threads as it asks for.
    fn run(&self, limits: &Limits, effort: Effort) -> Result<(Vec<Line>, Vec<LeftOut>), String> {
        let work = || caught("the case", || (self.build)(limits).map(|case| case.run(effort)));
        in_pool(self.threads, work)?.map_err(|panicked| panicked.why)?
    }
}

/// No case has all words of a filter in its label or in the names of its lines.
#[derive(Debug, PartialEq)]
pub struct UnknownFilter {
    /// What was asked for.
    pub filter: String,
    /// What there is.
    pub labels: Vec<String>,
}

impl fmt::Display for UnknownFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--filter: expected part of one of these, found {:?}\n  {}", self.filter, self.labels.join("\n  "))
    }
}

impl std::error::Error for UnknownFilter {}

/// The cases whose words contain every one of `filter`.
///
/// # Errors
/// [`UnknownFilter`] where there is none.
pub fn select<T>(cases: Vec<T>, words: impl Fn(&T) -> String, filter: Option<&str>) -> Result<Vec<T>, UnknownFilter> {
    let Some(filter) = filter else { return Ok(cases) };
    let labels: Vec<_> = cases.iter().map(|case| words(case).trim_end().to_owned()).collect();
    let wanted = |words: &str| filter.split_whitespace().all(|word| words.contains(word));
    let selected: Vec<_> = cases.into_iter().filter(|case| wanted(&words(case))).collect();
    if selected.is_empty() { Err(UnknownFilter { filter: filter.into(), labels }) } else { Ok(selected) }
}

/// What did not take part in a suite.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Missing {
    /// Each with its case and what is wrong.
    pub contenders: Vec<String>,
    /// Cases that we could not do ourselves, and why.
    pub cases: Vec<String>,
}

impl Missing {
    /// Whether everyone took part in everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contenders.is_empty() && self.cases.is_empty()
    }
}

/// How many of each, and one line for each.
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |n: usize, one: &str, many: &str| match n {
            0 => None,
            1 => Some(format!("1 {one}")),
            n => Some(format!("{n} {many}")),
        };
        let cases = count(self.cases.len(), "case failed", "cases failed");
        let contenders = count(self.contenders.len(), "contender was left out", "contenders were left out");
        let counts: Vec<_> = cases.into_iter().chain(contenders).collect();
        write!(f, "{}:", counts.join(", "))?;
        self.cases.iter().chain(&self.contenders).try_for_each(|line| write!(f, "\n  {line}"))
    }
}

/// Runs every plan `times` times, one plan after the other, and hands out its lines as soon as they are final: medians
/// over the runs. Who is left out is said on standard error at once and has no line, even where it took part in another
/// run; a case that fails is said there, too, and the next one is run.
///
/// # Errors
/// What `hear` returns: nothing is run after that.
pub fn run<E>(
    plans: &[Plan],
    limits: &Limits,
    (effort, times): (Effort, usize),
    bar: &Bar,
    mut hear: impl FnMut(&[Line]) -> Result<(), E>,
) -> Result<Missing, E> {
    let mut missing = Missing::default();
    for plan in plans {
        bar.now(&plan.label());
        let lines = run_plan(plan, limits, (effort, times), bar, &mut missing);
        if !lines.is_empty() {
            bar.aside(|| hear(&lines))?;
        }
    }
    Ok(missing)
}

/// The lines of one plan; none where it fails.
fn run_plan(
    plan: &Plan,
    limits: &Limits,
    (effort, times): (Effort, usize),
    bar: &Bar,
    missing: &mut Missing,
) -> Vec<Line> {
    let say = |what: &str, why: &str| {
        let line = format!("{}: {why}", plan.label());
        // Where standard error is closed, there is nobody to tell.
        bar.aside(|| _ = writeln!(io::stderr(), "{what}: {line}"));
        line
    };
    let (mut all, mut absent) = (Vec::new(), Vec::new());
    for done in 0..times {
        match plan.run(limits, effort) {
            Ok((lines, left_out)) => {
                all.push(lines);
                for LeftOut { who, why } in left_out {
                    // What is wrong in one run is wrong in the next.
                    if !absent.contains(&who) {
                        missing.contenders.push(say("left out", &why));
                        absent.push(who);
                    }
                }
                bar.step(1);
            }
            Err(why) => {
                missing.cases.push(say("failed", &why));
                bar.step(times - done);
                return Vec::new();
            }
        }
    }
    all.iter_mut().for_each(|lines: &mut Vec<Line>| lines.retain(|line| !absent.contains(&line.who)));
    runs::over(all)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::{Contender, Unit};

    fn plan(case: &str, n: usize) -> Plan {
        Plan::new(Work::Decay { case: case.into(), n }, 1, |_| Err("not built".into()))
    }

    #[test]
    fn a_filter_selects_by_all_its_words_and_an_unknown_one_lists_what_exists() {
        let named = plan("exponential", 1000).named(&["prepared", "companion"]);
        let plans = || vec![plan("power", 10), plan("power", 1000), plan("exponential", 1000)];
        for filter in ["companion", "exponential prepared", "1000 prep"] {
            assert_eq!(select(vec![&named], |plan| plan.words(), Some(filter)).unwrap().len(), 1);
        }
        assert!(select(vec![&named], |plan| plan.words(), Some("grown")).is_err());
        assert_eq!(select(plans(), Plan::label, None).unwrap().len(), 3);
        assert_eq!(select(plans(), Plan::label, Some("power")).unwrap().len(), 2);
        assert_eq!(select(plans(), Plan::label, Some("1000 power")).unwrap()[0].label(), "decay power 1000 t1");
        let Err(refusal) = select(plans(), Plan::label, Some("powder")) else { panic!("expected a refusal") };
        assert_eq!(refusal.to_string().lines().count(), 4);
        assert!(refusal.to_string().contains("decay exponential 1000 t1"));
    }

    /// One who takes a millisecond, and one who is right in its first run alone.
    fn flaky() -> Plan {
        let (runs, work) = (AtomicUsize::new(0), Work::Decay { case: "power".into(), n: 1 });
        Plan::new(work.clone(), 1, move |_| {
            let contender = |name: &str| Contender::timing_itself(name, Duration::from_millis);
            let right = runs.fetch_add(1, Ordering::Relaxed) == 0;
            let mut case = Case::new(work.clone(), 1, Unit::NsPer("memory"), 1.0);
            case.add(contender("ecphory"));
            case.try_add("peer", None, || right.then(|| contender("peer")).ok_or("peer: off".into()));
            Ok(case)
        })
    }

    #[test]
    fn a_case_that_fails_or_one_that_is_left_out_ends_nothing_and_both_are_told() {
        let panics = Plan::new(Work::Decay { case: "power".into(), n: 2 }, 1, |_| panic!("no data"));
        let plans = [plan("power", 0), flaky(), panics, flaky()];
        let (limits, bar) = (Limits::of_nothing(), Bar::new(0));
        let mut heard = Vec::new();
        let missing = run(&plans, &limits, (Effort::QUICK, 3), &bar, |lines| {
            heard.push(lines.iter().map(|line| (line.who.clone(), line.median_ns)).collect::<Vec<_>>());
            Ok::<_, String>(())
        });
        assert_eq!(heard, [[("ecphory".into(), 1e6)], [("ecphory".into(), 1e6)]]);
        let [wrong, left_out] = ["decay power 0 t1: not built", "decay power 1 t1: peer: off"];
        let panicked = "decay power 2 t1: the case: panicked: no data";
        let text =
            format!("2 cases failed, 2 contenders were left out:\n  {wrong}\n  {panicked}\n  {left_out}\n  {left_out}");
        assert_eq!(missing.unwrap().to_string(), text);
    }

    #[test]
    fn nothing_is_run_once_nobody_hears() {
        let (limits, bar) = (Limits::of_nothing(), Bar::new(0));
        let mut heard = 0;
        let refused = run(&[flaky(), flaky()], &limits, (Effort::QUICK, 1), &bar, |_| {
            heard += 1;
            Err("gone")
        });
        assert_eq!((refused, heard), (Err("gone"), 1));
    }
}
