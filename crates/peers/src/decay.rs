//! Strengths wearing off: other vector maths.

use ecphory_measure::cases::decay::{Law, ages, decay, work};
use ecphory_measure::cases::one_and_all;
use ecphory_measure::suite::Plan;

pub fn plans() -> Vec<Plan> {
    let mut plans = Vec::new();
    for law in Law::ALL {
        for n in [10_000, 1_000_000, 100_000_000] {
            for threads in one_and_all() {
                plans.push(Plan::new(work(law, n), threads, move |limits| decay(limits, law, &ages(n), threads)));
            }
        }
    }
    plans
}
