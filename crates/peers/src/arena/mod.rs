//! Scratch: other allocators, other ways to share a bump arena, the alternatives to one, and where its pages come from.
//!
//! Everyone hands out 64-byte aligned blocks: 64 of a size, then gives them back (`alloc`), or three, writes a word in
//! each, which makes a line of it dirty, and gives them back (`kernel3`). Who takes blocks back one by one gets the
//! last one first.

mod allocators;
mod alternatives;
#[cfg(unix)]
mod births;
mod bumps;
mod memory;
pub mod summary;
pub mod work;

use ecphory_measure::cases::{arena, one_and_all};
use ecphory_measure::suite::Plan;
use ecphory_measure::{Case, Limits};

use work::{Entry, Task};

/// Threads that show whether many cost more than one.
const MANY: usize = 8;

pub fn plans() -> Vec<Plan> {
    allocators::say_who_is_absent();
    let (mut plans, few) = (Vec::new(), one_and_all());
    for &threads in &few {
        plans.extend([16, 256, 4096, 65536].map(|size| plan(Task::Alloc(size), threads)));
        plans.push(plan(Task::Kernel3, threads));
    }
    if !few.contains(&MANY) {
        plans.extend([Task::Alloc(16), Task::Kernel3].map(|task| plan(task, MANY)));
    }
    for size in [64 << 10, 2 << 20, 4 << 20, 64 << 20] {
        plans.push(Plan::new(arena::work("birth", Some(size), None), 1, move |_| Ok(birth(size))));
    }
    plans
}

fn plan(task: Task, threads: usize) -> Plan {
    let work = match task {
        Task::Alloc(size) => arena::work("alloc", Some(size), Some(64)),
        Task::Kernel3 => arena::work("kernel3", None, Some(64)),
    };
    Plan::new(work, threads, move |limits| Ok(contest(limits, task, threads)))
}

#[cfg(unix)]
fn birth(size: usize) -> Case<'static> {
    births::contest(size)
}

#[cfg(not(unix))]
fn birth(size: usize) -> Case<'static> {
    arena::birth(size)
}

fn contest(limits: &Limits, task: Task, threads: usize) -> Case<'static> {
    let mut case = match task {
        Task::Alloc(size) => arena::alloc(limits, size, threads),
        Task::Kernel3 => arena::kernel3(threads),
    };
    let mut entry = Entry { case: &mut case, task, threads };
    allocators::enter(&mut entry);
    bumps::enter(&mut entry);
    alternatives::enter(&mut entry);
    case
}
