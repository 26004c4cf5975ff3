//! Scratch: other allocators, other ways to share a bump arena, and the alternatives to one.

use ecphory_measure::cases::{arena, one_and_all};
use ecphory_measure::suite::Plan;

pub fn plans() -> Vec<Plan> {
    let mut plans = Vec::new();
    for threads in one_and_all() {
        for size in [16, 256, 4096] {
            let work = arena::work("alloc", Some(size), Some(64));
            plans.push(Plan::new(work, threads, move |limits| Ok(arena::alloc(limits, size, threads))));
        }
        let work = arena::work("kernel3", None, Some(64));
        plans.push(Plan::new(work, threads, move |limits| Ok(arena::kernel3(limits, threads))));
    }
    for size in [64 << 10, 2 << 20, 4 << 20, 64 << 20] {
        plans.push(Plan::new(arena::work("birth", Some(size), None), 1, move |_| Ok(arena::birth(size))));
    }
    plans
}
