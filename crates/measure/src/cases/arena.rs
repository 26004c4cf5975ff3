//! Scratch.

use std::hint::black_box;
use std::time::Duration;

use ecphory::{arena, bench};

use crate::threads::together;
use crate::{Case, Clock, Contender, Limits, Unit, Work, thread_count};

/// Blocks between two rewinds or resets, for everyone.
pub const BATCH: u64 = 64;

/// Bytes of the three blocks of `kernel3`; a word is written in each, which makes one cache line dirty.
pub const KERNEL3: [usize; 3] = [3 << 10, 4 << 10, 8 << 10];

/// Of those who ask once for `kernel3`, where others ask for one block after the other.
pub const ONE_NEED: &str = "one need for all three, carved, as kernels take it";

/// Of everyone's time on so many threads, where [`together`] does not tell the time that passed.
fn cpu_time(threads: usize) -> Option<&'static str> {
    (threads > thread_count()).then_some("CPU time of each thread, on average: there are more threads than CPUs")
}

/// Does `work` the given number of times on each of `threads` threads: thread time on one, on more the time that
/// [`together`] tells.
pub fn contender<'a>(name: &str, threads: usize, work: impl Fn(u64) + Sync + 'a) -> Contender<'a> {
    if threads == 1 {
        return Contender::of_loop(name, Clock::Thread, work);
    }
    Contender::timing_itself(name, move |times| -> Duration { together(&mut vec![(); threads], |()| work(times)) })
}

/// The work of one case.
#[must_use]
pub fn work(case: &str, size: Option<usize>, align: Option<usize>) -> Work {
    Work::Arena { case: case.into(), size, align }
}

/// `alloc`: blocks of `size` bytes, 64-byte aligned, given back after every 64. Ours from inside a kernel, by a call
/// for each block, and by the safe API. What binds is one addition that waits for the one before.
#[must_use]
pub fn alloc(limits: &Limits, size: usize, threads: usize) -> Case<'static> {
    let unit = Unit::NsPer("alloc");
    let mut case = Case::new(work("alloc", Some(size), Some(64)), threads, unit, 1.0).noted(cpu_time(threads));
    case = case.at_least(limits.add_ns);
    let inline =
        move |counted| move |times| bench::arena_allocs(black_box(size), times as usize, counted).expect("room");
    case.add(contender("ecphory-inline", threads, inline(true)));
    case.add_noted(contender("ecphory-inline-uncounted", threads, inline(false)), "counters compiled out");
    let carves = move |times| bench::arena_carves(black_box(size), times as usize).expect("room");
    case.add_noted(contender("ecphory-frame", threads, carves), "carved out of one need for each 64, as kernels do");
    let calls = move |times| bench::arena_calls(black_box(size), times as usize).expect("room");
    case.add_noted(contender("ecphory-ffi", threads, calls), "a call for each block and each reset");
    case.add(contender("ecphory-scope", threads, move |times| {
        for first in (0..times).step_by(BATCH as usize) {
            let batch = |scratch: &arena::Scratch<'_>| {
                for _ in first..times.min(first + BATCH) {
                    black_box(scratch.alloc::<u8>(black_box(size)).expect("room").as_mut_ptr());
                }
            };
            arena::scope(batch).expect("an arena");
        }
    }));
    case
}

/// `kernel3`: mark, three blocks with a word written in each, rewind. Some make a call for that and some make none, so
/// there is no limit that binds them all.
#[must_use]
pub fn kernel3(threads: usize) -> Case<'static> {
    let mut case = Case::new(work("kernel3", None, Some(64)), threads, Unit::NsPer("kernel"), 1.0);
    case = case.noted(cpu_time(threads));
    // The thread's arena is made in a way that has it released when the thread ends.
    let born = || bench::arena_allocs(64, 1, true).expect("room");
    let blocks = move |times| bench::arena_blocks3(times as usize).expect("room");
    case.add_noted(contender("ecphory-inline", threads, blocks), "no call");
    let frame = |counted| {
        move |times| {
            born();
            bench::arena_kernel3(times as usize, counted).expect("room");
        }
    };
    case.add_noted(contender("ecphory-frame", threads, frame(true)), ONE_NEED);
    let uncounted = format!("counters compiled out; {ONE_NEED}");
    case.add_noted(contender("ecphory-frame-uncounted", threads, frame(false)), uncounted);
    let ffi = move |times| {
        born();
        (0..times).for_each(|_| bench::arena_kernel3_once().expect("room"));
    };
    let uncounted = move |times| {
        born();
        (0..times).for_each(|_| bench::arena_kernel3_once_uncounted().expect("room"));
    };
    case.add_noted(contender("ecphory-ffi", threads, ffi), format!("one call for all of it; {ONE_NEED}"));
    let note = format!("one call for all of it, counters compiled out; {ONE_NEED}");
    case.add_noted(contender("ecphory-ffi-uncounted", threads, uncounted), note);
    case.add(contender("ecphory-scope", threads, |times| {
        for _ in 0..times {
            let three = |scratch: &arena::Scratch<'_>| {
                for size in KERNEL3 {
                    let block = scratch.alloc::<u64>(black_box(size) / 8).expect("room");
                    block[0].write(1);
                    black_box(block.as_mut_ptr());
                }
            };
            arena::scope(three).expect("an arena");
        }
    }));
    case
}

/// `birth`: pages mapped, each touched, and given back.
#[must_use]
pub fn birth(size: usize) -> Case<'static> {
    let mut case = Case::new(work("birth", Some(size), None), 1, Unit::NsPer("page"), (size / 4096) as f64);
    let born = move |times| (0..times).for_each(|_| bench::arena_birth(black_box(size), true).expect("pages"));
    case.add(contender("ecphory", 1, born));
    case
}
