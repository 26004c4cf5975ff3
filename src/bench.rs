//! What benchmarks need from inside: the limits of this machine, and arenas used without a call per block. Only with
//! the feature `bench`; no promise of stability.
//!
//! Every loop runs on the calling thread, in the tier in use.

#![allow(unsafe_code)]

use crate::arena::enter;
use crate::{Error, ffi};

/// Reads `words` once, in whole registers, and returns all of them or-ed. With `prefetched`, fetches 2 KiB ahead. Less
/// than one block of eight registers at the end is left out.
#[must_use]
pub fn read(words: &[u64], prefetched: bool) -> u64 {
    // SAFETY: ecphory_bench.h asks for words[count].
    unsafe { ffi::ecp_bench_read(words.as_ptr(), words.len(), prefetched) }
}

/// f32 products and sums in registers; returns how many there were.
pub fn multiply_adds(rounds: usize) -> u64 {
    // SAFETY: takes any number and only computes.
    unsafe { ffi::ecp_bench_multiply_adds(rounds) }
}

/// Products of i8 and their sums in registers; returns how many there were: 0 where the tier has no instruction for
/// them.
pub fn i8_dots(rounds: usize) -> u64 {
    // SAFETY: takes any number and only computes.
    unsafe { ffi::ecp_bench_i8_dots(rounds) }
}

/// Products of bf16 and their sums in registers; returns how many there were: 0 where the tier has no instruction for
/// them.
pub fn bf16_dots(rounds: usize) -> u64 {
    // SAFETY: takes any number and only computes.
    unsafe { ffi::ecp_bench_bf16_dots(rounds) }
}

/// Additions that each wait for the one before: `count` of them, rounded down to a multiple of 16 and returned.
pub fn dependent_adds(count: usize) -> u64 {
    // SAFETY: takes any number and only computes.
    unsafe { ffi::ecp_bench_dependent_adds(count) }
}

/// One call across the border, and nothing else.
#[inline]
pub fn empty_call() {
    // SAFETY: takes nothing and does nothing.
    unsafe { ffi::ecp_bench_empty() }
}

/// `count` blocks of `size` bytes from the thread's arena inside one call, rewound after every 64; `counted` keeps the
/// high-water mark and counts rewinds, as every kernel does.
///
/// # Errors
/// [`Error::OutOfMemory`] when 64 blocks do not fit.
pub fn arena_allocs(size: usize, count: usize, counted: bool) -> Result<(), Error> {
    enter()?;
    // SAFETY: takes any numbers; the arena is as before when it returns.
    answer(unsafe { ffi::ecp_bench_arena_allocs(size, count, counted) })
}

/// As [`arena_allocs`], with a call for each block and each rewind, as a program in C would.
///
/// # Errors
/// [`Error::OutOfMemory`] when 64 blocks do not fit.
pub fn arena_calls(size: usize, count: usize) -> Result<(), Error> {
    enter()?;
    let mut left = count;
    while left > 0 {
        let now = left.min(64);
        let (mut mark, mut block) = (0, std::ptr::null_mut());
        // SAFETY: ecphory.h asks for a number to write, and takes NULL for the arena.
        answer(unsafe { ffi::ecp_arena_mark(&mut mark, std::ptr::null_mut()) })?;
        // SAFETY: ecphory.h asks for a pointer to write; no refusal is asked for; the blocks are not looked at.
        let mut alloc = |_| answer(unsafe { ffi::ecp_arena_alloc(size, &mut block, std::ptr::null_mut()) });
        let outcome = (0..now).try_for_each(&mut alloc);
        // SAFETY: the mark is this thread's, and nothing was marked since that is not rewound.
        unsafe { ffi::ecp_arena_rewind(mark) };
        outcome?;
        left -= now;
    }
    Ok(())
}

/// As [`arena_allocs`], the blocks carved out of one need for each 64, as kernels do.
///
/// # Errors
/// [`Error::OutOfMemory`] when 64 blocks do not fit.
pub fn arena_carves(size: usize, count: usize) -> Result<(), Error> {
    enter()?;
    // SAFETY: takes any numbers; the arena is as before when it returns.
    answer(unsafe { ffi::ecp_bench_arena_carves(size, count) })
}

/// `count` times inside one call: blocks of 3, 4 and 8 KiB, carved out of one need as kernels do, 8 bytes written in
/// each, given back; `counted` as in [`arena_allocs`].
///
/// # Errors
/// [`Error::OutOfMemory`] when the three do not fit.
pub fn arena_kernel3(count: usize, counted: bool) -> Result<(), Error> {
    enter()?;
    // SAFETY: takes any numbers; the arena is as before when it returns.
    answer(unsafe { ffi::ecp_bench_arena_kernel3(count, counted) })
}

/// As [`arena_kernel3`], the three blocks taken one by one, counted.
///
/// # Errors
/// [`Error::OutOfMemory`] when the three do not fit.
pub fn arena_blocks3(count: usize) -> Result<(), Error> {
    enter()?;
    // SAFETY: takes any number; the arena is as before when it returns.
    answer(unsafe { ffi::ecp_bench_arena_blocks3(count) })
}

/// [`arena_kernel3`] once, in a call that does nothing else.
///
/// Looks at nothing else, for a call is what is measured: an arena that is born here is not released when its thread
/// ends. Call [`arena_allocs`] on the thread first.
///
/// # Errors
/// [`Error::OutOfMemory`] when the three do not fit.
#[inline]
pub fn arena_kernel3_once() -> Result<(), Error> {
    // SAFETY: takes nothing; the arena is as before when it returns.
    answer(unsafe { ffi::ecp_bench_arena_kernel3_once() })
}

/// [`arena_kernel3_once`] without counters.
///
/// # Errors
/// [`Error::OutOfMemory`] when the three do not fit.
#[inline]
pub fn arena_kernel3_once_uncounted() -> Result<(), Error> {
    // SAFETY: takes nothing; the arena is as before when it returns.
    answer(unsafe { ffi::ecp_bench_arena_kernel3_once_uncounted() })
}

/// Maps the pages of an arena of `capacity` bytes, with `touched` writes one byte in each, and gives them back.
///
/// # Errors
/// [`Error::OutOfMemory`] when the system has no pages.
pub fn arena_birth(capacity: usize, touched: bool) -> Result<(), Error> {
    // SAFETY: takes any number; what it maps it unmaps.
    answer(unsafe { ffi::ecp_bench_arena_birth(capacity, touched) })
}

fn answer(status: ffi::ecp_status) -> Result<(), Error> {
    if status == ffi::ECP_OK as ffi::ecp_status { Ok(()) } else { Err(Error::OutOfMemory { needed: 0, capacity: 0 }) }
}
