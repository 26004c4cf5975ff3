//! Cases by name: which there are, which are wanted, and their run on pinned threads.

use std::fmt;

use crate::threads::in_pool;
use crate::{Bar, Case, Effort, Limits, Line, Work};

type Build = dyn Fn(&Limits) -> Result<Case<'static>, String> + Send + Sync;

/// A case that can be built when its turn comes.
pub struct Plan {
    work: Work,
    threads: usize,
    build: Box<Build>,
}

impl Plan {
    /// `build` makes the data, checks everyone's answer and says who is wrong.
    pub fn new(
        work: Work,
        threads: usize,
        build: impl Fn(&Limits) -> Result<Case<'static>, String> + Send + Sync + 'static,
    ) -> Self {
        Self { work, threads, build: Box::new(build) }
    }

    /// What filters look at.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} t{}", self.work, self.threads)
    }
}

/// Why a suite did not run to its end.
#[derive(Debug, PartialEq)]
pub enum SuiteError {
    /// No case has this in its label.
    UnknownFilter {
        /// What was asked for.
        filter: String,
        /// What there is.
        labels: Vec<String>,
    },
    /// An answer was wrong, or a thread could not be had.
    Failed {
        /// The case.
        label: String,
        /// What is wrong.
        why: String,
    },
}

impl fmt::Display for SuiteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFilter { filter, labels } => {
                write!(f, "--filter: expected part of one of these, found {filter:?}\n  {}", labels.join("\n  "))
            }
            Self::Failed { label, why } => write!(f, "{label}: {why}"),
        }
    }
}

impl std::error::Error for SuiteError {}

/// The plans whose labels contain every word of `filter`.
///
/// # Errors
/// [`SuiteError::UnknownFilter`] where there is none.
pub fn select(plans: Vec<Plan>, filter: Option<&str>) -> Result<Vec<Plan>, SuiteError> {
    let Some(filter) = filter else { return Ok(plans) };
    let labels: Vec<_> = plans.iter().map(Plan::label).collect();
    let wanted = |label: &str| filter.split_whitespace().all(|word| label.contains(word));
    let selected: Vec<_> = plans.into_iter().filter(|plan| wanted(&plan.label())).collect();
    if selected.is_empty() { Err(SuiteError::UnknownFilter { filter: filter.into(), labels }) } else { Ok(selected) }
}

/// Runs every plan once, each on a pool of as many pinned threads as it asks for, and hands out its lines.
///
/// # Errors
/// [`SuiteError::Failed`].
pub fn run(
    plans: &[Plan],
    limits: &Limits,
    effort: Effort,
    bar: &Bar,
    mut hear: impl FnMut(Vec<Line>),
) -> Result<(), SuiteError> {
    for plan in plans {
        bar.now(&plan.label());
        let outcome = in_pool(plan.threads, || (plan.build)(limits).map(|case| case.run(effort)));
        let lines = outcome.and_then(|lines| lines);
        hear(lines.map_err(|why| SuiteError::Failed { label: plan.label(), why })?);
        bar.step();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(case: &str, n: usize) -> Plan {
        Plan::new(Work::Decay { case: case.into(), n }, 1, |_| Err("not built".into()))
    }

    #[test]
    fn a_filter_selects_by_all_its_words_and_an_unknown_one_lists_what_exists() {
        let plans = || vec![plan("power", 10), plan("power", 1000), plan("exponential", 1000)];
        assert_eq!(select(plans(), None).unwrap().len(), 3);
        assert_eq!(select(plans(), Some("power")).unwrap().len(), 2);
        assert_eq!(select(plans(), Some("1000 power")).unwrap()[0].label(), "decay power 1000 t1");
        let Err(refusal) = select(plans(), Some("powder")) else { panic!("expected a refusal") };
        assert_eq!(refusal.to_string().lines().count(), 4);
        assert!(refusal.to_string().contains("decay exponential 1000 t1"));
    }
}
