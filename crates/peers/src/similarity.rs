//! Queries against rows: other vector libraries, matrix products, and the loops of vector stores.

use ecphory_measure::Metric;
use ecphory_measure::cases::similarity::{DIMS, METRICS, Vectors, scores, work};
use ecphory_measure::suite::Plan;

pub fn plans() -> Vec<Plan> {
    let mut plans = Vec::new();
    for dim in DIMS {
        for metric in METRICS {
            plans.push(one_by_n(1000, dim, metric));
        }
    }
    plans
}

fn one_by_n(n: usize, dim: usize, metric: Metric) -> Plan {
    Plan::new(work("1xN", [1, n, dim], metric, None), 1, move |limits| {
        let vectors = Vectors::new(1, n, dim);
        let expected = vectors.expected(metric);
        scores(limits, &vectors, &expected, metric, 1)
    })
}
