//! Scratch: other allocators, other ways to share a bump arena, and the alternatives to one.
//!
//! Everyone hands out 64-byte aligned blocks: 64 of a size, then gives them back (`alloc`), or three, writes a word in
//! each, which makes a line of it dirty, and gives them back (`kernel3`). Who takes blocks back one by one gets the
//! last one first.

mod allocators;
mod alternatives;
mod bumps;
mod memory;
pub mod work;

use ecphory_measure::cases::{arena, one_and_all};
use ecphory_measure::suite::Plan;
use ecphory_measure::{Case, Limits};

use work::{Entry, Task};

pub fn plans() -> Vec<Plan> {
    allocators::say_who_is_absent();
    let mut plans = Vec::new();
    for threads in one_and_all() {
        for size in [16, 256, 4096, 65536] {
            let work = arena::work("alloc", Some(size), Some(64));
            plans.push(Plan::new(work, threads, move |limits| Ok(contest(limits, Task::Alloc(size), threads))));
        }
        let work = arena::work("kernel3", None, Some(64));
        plans.push(Plan::new(work, threads, move |limits| Ok(contest(limits, Task::Kernel3, threads))));
    }
    for size in [64 << 10, 2 << 20, 4 << 20, 64 << 20] {
        plans.push(Plan::new(arena::work("birth", Some(size), None), 1, move |_| Ok(arena::birth(size))));
    }
    plans
}

fn contest(limits: &Limits, task: Task, threads: usize) -> Case<'static> {
    let mut case = match task {
        Task::Alloc(size) => arena::alloc(limits, size, threads),
        Task::Kernel3 => arena::kernel3(limits, threads),
    };
    let mut entry = Entry { case: &mut case, task, threads };
    allocators::enter(&mut entry);
    bumps::enter(&mut entry);
    alternatives::enter(&mut entry);
    case
}
