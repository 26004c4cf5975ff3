//! Activation over graphs: other graph libraries.

pub mod agreement;
mod frontier;
mod ranks;
pub mod wordnet;

use std::sync::{Arc, OnceLock};

use ecphory_measure::Work;
use ecphory_measure::cases::one_and_all;
use ecphory_measure::cases::pushes::ppr_push;
use ecphory_measure::cases::ranks::{self as walks, Walk};
use ecphory_measure::cases::spreading::{self as cases, Known};
use ecphory_measure::data::{self, Csr};
use ecphory_measure::suite::Plan;

use crate::python;

/// A graph's name and how it is made, and what was made of it for several cases.
struct Source {
    name: &'static str,
    make: fn() -> Result<Csr, String>,
    csr: OnceLock<Arc<Csr>>,
    walk: OnceLock<Walk>,
}

impl Source {
    fn new(name: &'static str, make: fn() -> Result<Csr, String>) -> Arc<Self> {
        Arc::new(Self { name, make, csr: OnceLock::new(), walk: OnceLock::new() })
    }

    fn csr(&self) -> Result<&Arc<Csr>, String> {
        if self.csr.get().is_none() {
            _ = self.csr.set((self.make)()?.into());
        }
        self.csr.get().ok_or_else(|| self.name.into())
    }

    fn walk(&self) -> Result<&Walk, String> {
        let csr = self.csr()?;
        Ok(self.walk.get_or_init(|| Walk::new(self.name, csr.clone())))
    }
}

pub fn plans() -> Vec<Plan> {
    let mut sources = vec![
        Source::new("pl1k", || Ok(data::pl1k())),
        Source::new("pl100k", || Ok(data::pl100k())),
        Source::new("rmat20", || Ok(data::rmat20())),
    ];
    if wordnet::is_there() {
        sources.push(Source::new("wordnet", wordnet::full));
    } else {
        eprintln!("wordnet: left out; `cargo run --release -p ecphory-peers -- --fetch-wordnet` fetches it from npm");
    }
    let mut plans = Vec::new();
    for source in &sources {
        plans.extend(one_and_all().into_iter().map(|threads| match threads {
            1 => iteration(source.clone()),
            _ => iteration_on(threads, source.clone()),
        }));
        plans.extend(one_and_all().into_iter().map(|threads| power(threads, source.clone())));
    }
    plans.extend(sources[1..3].iter().cloned().map(push));
    plans.extend([batch, heat].map(|plan| plan(sources[1].clone())));
    sources.push(Source::new("wordnet5k", wordnet::demo));
    plans.extend(sources.into_iter().map(spread3));
    plans
}

fn work(case: &str, source: &Source) -> Work {
    Work::Spreading { case: case.into(), graph: source.name.into() }
}

fn spread3(source: Arc<Source>) -> Plan {
    Plan::new(work("spread3", &source), 1, move |limits| {
        let known = Known::new(source.name, source.csr()?.clone());
        let mut case = cases::spread3(limits, &known)?;
        frontier::join(&mut case, &known);
        Ok(case)
    })
}

fn iteration(source: Arc<Source>) -> Plan {
    Plan::new(work("ppr_iteration", &source), 1, move |limits| {
        let (csr, walk) = (source.csr()?, source.walk()?);
        let mut case = walks::ppr_iteration(limits, walk, 1)?;
        ranks::join_sprs(&mut case, walk);
        ranks::join_graph(&mut case, csr, 1);
        if walk.nodes() <= 1000 {
            // By the square of the nodes.
            ranks::join_petgraph(&mut case, csr);
        }
        let anywhere = ranks::parts(ranks::anywhere(csr, 64));
        python::spreading(&mut case, "ppr_iteration", walk, &anywhere);
        Ok(case)
    })
}

/// The same on all threads, beside those who have threads of their own.
fn iteration_on(threads: usize, source: Arc<Source>) -> Plan {
    Plan::new(work("ppr_iteration", &source), threads, move |limits| {
        let mut case = walks::ppr_iteration(limits, source.walk()?, threads)?;
        ranks::join_graph(&mut case, source.csr()?, threads);
        Ok(case)
    })
}

fn power(threads: usize, source: Arc<Source>) -> Plan {
    Plan::new(work("ppr_power", &source), threads, move |_| {
        let walk = source.walk()?;
        let mut case = walks::ppr_power(walk, threads)?;
        if threads == 1 {
            python::spreading(&mut case, "ppr_power", walk, &[]);
        }
        Ok(case)
    })
}

fn push(source: Arc<Source>) -> Plan {
    Plan::new(work("ppr_push", &source), 1, move |limits| ppr_push(limits, source.name, source.csr()?))
}

fn batch(source: Arc<Source>) -> Plan {
    Plan::new(work("ppr_batch16", &source), 1, move |_| walks::ppr_batch(source.walk()?))
}

fn heat(source: Arc<Source>) -> Plan {
    Plan::new(work("heat", &source), 1, move |_| {
        let walk = source.walk()?;
        let exact = walks::heated(walk);
        let mut case = walks::heat(walk, &exact)?;
        python::spreading(&mut case, "heat", walk, &exact);
        Ok(case)
    })
}
