//! Activation over graphs: other graph libraries.

use ecphory_measure::Work;
use ecphory_measure::cases::spreading::{Known, spread3};
use ecphory_measure::data::{self, Csr};
use ecphory_measure::suite::Plan;

/// A graph's name and how it is made.
type Graph = (&'static str, fn() -> Csr);

pub fn plans() -> Vec<Plan> {
    let graphs: [Graph; 3] = [("pl1k", data::pl1k), ("pl100k", data::pl100k), ("rmat20", data::rmat20)];
    graphs.map(|(name, make)| plan(name, make)).into()
}

fn plan(name: &'static str, make: fn() -> Csr) -> Plan {
    let work = Work::Spreading { case: "spread3".into(), graph: name.into() };
    Plan::new(work, 1, move |limits| spread3(limits, &Known::new(name, make())))
}
