//! The two tasks, written once for each of the three ways to get scratch.

use std::alloc::Layout;
use std::arch::asm;
use std::iter;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use ecphory_measure::Case;
use ecphory_measure::cases::arena::{BATCH, KERNEL3, contender};

/// Of every block, and what cursors move by.
pub const ALIGN: usize = 64;

/// Bytes of every bump: 64 of the largest blocks that are asked for.
pub const ROOM: usize = 4 << 20;

/// One of the two, with its size.
#[derive(Clone, Copy)]
pub enum Task {
    Alloc(usize),
    Kernel3,
}

impl Task {
    /// Sizes of the blocks that are held at once.
    pub fn sizes(self) -> Vec<usize> {
        match self {
            Self::Alloc(size) => vec![size; BATCH as usize],
            Self::Kernel3 => KERNEL3.into(),
        }
    }

    /// Bytes of the largest.
    pub fn largest(self) -> usize {
        self.sizes().into_iter().max().unwrap_or_default()
    }
}

/// Blocks that are given back all at once.
pub trait Bump {
    fn take(&mut self, size: usize) -> *mut u8;
    fn reset(&mut self);
}

/// Blocks that are given back one by one.
pub trait Allocator {
    /// What names a block.
    type Handle: Copy;
    /// Names none.
    const NONE: Self::Handle;
    fn take(&mut self, size: usize) -> Self::Handle;
    fn at(&self, handle: Self::Handle) -> *mut u8;
    fn give(&mut self, handle: Self::Handle, size: usize);
}

/// A bump of all threads, which nobody gives blocks back to: it starts over when it is full.
pub trait Shared {
    fn take(&self, size: usize) -> *mut u8;
}

/// Unchecked, for the check would be work that ours does not do.
#[inline(always)]
pub fn layout(size: usize) -> Layout {
    debug_assert!(Layout::from_size_align(size, ALIGN).is_ok());
    // SAFETY: the cases ask for sizes far below isize::MAX, and the alignment is a power of two.
    unsafe { Layout::from_size_align_unchecked(size, ALIGN) }
}

/// For those who find no room: that no one measured should.
#[cold]
#[inline(never)]
pub fn no_room() -> ! {
    panic!("expected room for a block of the cases, found none")
}

/// A case that contenders enter.
pub struct Entry<'c> {
    pub case: &'c mut Case<'static>,
    pub task: Task,
    pub threads: usize,
}

impl Entry<'_> {
    /// With a bump of its own for each thread, which `make` makes.
    pub fn bump<B: Bump + Send + 'static>(&mut self, name: &str, note: Option<String>, make: impl Fn() -> B) {
        let (task, threads) = (self.task, self.threads);
        self.enter(name, note, || {
            let mut one = make();
            check(name, task.sizes().into_iter().map(|size| (one.take(size), size)).collect())?;
            let own = PerThread::new(threads, make);
            Ok(move |times| own.with(|bump| run_bump(bump, task, times)))
        });
    }

    /// With a bump that lives with the thread that uses it: `make` reaches the one of the calling thread.
    pub fn bump_of_thread<B: Bump + 'static>(
        &mut self,
        name: &str,
        note: Option<String>,
        make: impl Fn() -> B + Sync + 'static,
    ) {
        let task = self.task;
        self.enter(name, note, || {
            let mut one = make();
            check(name, task.sizes().into_iter().map(|size| (one.take(size), size)).collect())?;
            one.reset();
            Ok(move |times| run_bump(&mut make(), task, times))
        });
    }

    /// With an allocator of its own for each thread, which `make` makes.
    pub fn allocator<A: Allocator + Send + 'static>(&mut self, name: &str, note: Option<String>, make: impl Fn() -> A) {
        let (task, threads) = (self.task, self.threads);
        self.enter(name, note, || {
            let mut one = make();
            let held: Vec<_> = task.sizes().into_iter().map(|size| (one.take(size), size)).collect();
            check(name, held.iter().map(|&(handle, size)| (one.at(handle), size)).collect())?;
            held.into_iter().rev().for_each(|(handle, size)| one.give(handle, size));
            let own = PerThread::new(threads, make);
            let work = move |allocator: &mut A, times| match task {
                Task::Alloc(size) => allocator_allocs(allocator, size, times),
                Task::Kernel3 => allocator_kernel3(allocator, times),
            };
            Ok(move |times| own.with(|allocator| work(allocator, times)))
        });
    }

    /// With one bump for all threads, which `make` makes.
    pub fn shared<S: Shared + Sync + 'static>(&mut self, name: &str, make: impl FnOnce() -> S) {
        let task = self.task;
        let note = "one for all threads; a ring, so that nobody resets it, even where others still use what it reuses";
        self.enter(name, Some(note.into()), || {
            let bump = Apart(make());
            check(name, task.sizes().into_iter().map(|size| (bump.0.take(size), size)).collect())?;
            Ok(move |times| match task {
                Task::Alloc(size) => shared_allocs(&bump.0, size, times),
                Task::Kernel3 => shared_kernel3(&bump.0, times),
            })
        });
    }

    /// With the work that `make` makes, unless what it finds is wrong.
    pub fn enter<W: Fn(u64) + Sync + 'static>(
        &mut self,
        name: &str,
        note: Option<String>,
        make: impl FnOnce() -> Result<W, String>,
    ) {
        let threads = self.threads;
        self.case.try_add(name, note, || Ok(contender(name, threads, make()?)));
    }
}

/// Whether blocks that are held at once are aligned and apart.
pub fn check(name: &str, mut blocks: Vec<(*mut u8, usize)>) -> Result<(), String> {
    if let Some((block, _)) = blocks.iter().find(|(block, _)| block.is_null() || block.addr() % ALIGN != 0) {
        return Err(format!("{name}: expected a block at a multiple of {ALIGN}, found {block:?}"));
    }
    blocks.sort_unstable();
    match blocks.windows(2).find(|pair| pair[0].0.addr() + pair[0].1 > pair[1].0.addr()) {
        None => Ok(()),
        Some(pair) => Err(format!("{name}: expected blocks apart from each other, found {pair:?}")),
    }
}

/// On cache lines of its own: wherever it lies, nothing else is on them, and it has no more of them than it needs.
#[repr(align(128))]
pub struct Apart<S>(pub S);

/// What each thread has of its own.
pub struct PerThread<S>(Vec<Apart<Mutex<S>>>);

impl<S> PerThread<S> {
    pub fn new(threads: usize, make: impl Fn() -> S) -> Self {
        Self(iter::repeat_with(|| Apart(Mutex::new(make()))).take(threads).collect())
    }

    /// With one that no other thread has.
    pub fn with(&self, work: impl FnOnce(&mut S)) {
        let own = self.0.iter().find_map(|own| own.0.try_lock().ok());
        work(&mut own.expect("one for each thread"));
    }
}

/// `size` as one that came from outside. Not `black_box`, which would send it through memory where our own loops, in
/// Zig, keep it in a register.
#[inline(always)]
pub fn opaque(mut size: usize) -> usize {
    // SAFETY: no instruction.
    unsafe { asm!("/* {0} */", inout(reg) size, options(nostack, preserves_flags)) };
    size
}

/// The compiler must have made the pointer, and written what was to be written.
#[inline(always)]
pub fn used(block: *mut u8) {
    // SAFETY: no instruction.
    unsafe { asm!("/* {0} */", in(reg) block, options(nostack, preserves_flags)) };
}

/// Writes a word in a block that only this thread has.
#[inline(always)]
pub fn touch(block: *mut u8) {
    // SAFETY: blocks of `kernel3` are aligned to a line and larger (`check`).
    unsafe { block.cast::<u64>().write(1) };
    used(block);
}

/// Writes a word in a block that other threads may have too.
#[inline(always)]
fn touch_shared(block: *mut u8) {
    // SAFETY: blocks of `kernel3` are aligned to a line and larger (`check`); nobody reads or writes them otherwise.
    unsafe { &*block.cast::<AtomicU64>() }.store(1, Ordering::Relaxed);
    used(block);
}

fn batches(times: u64) -> impl Iterator<Item = u64> {
    (0..times).step_by(BATCH as usize).map(move |first| (times - first).min(BATCH))
}

fn run_bump(bump: &mut impl Bump, task: Task, times: u64) {
    match task {
        Task::Alloc(size) => bump_allocs(bump, size, times),
        Task::Kernel3 => bump_kernel3(bump, times),
    }
}

#[inline(never)]
fn bump_allocs(bump: &mut impl Bump, size: usize, times: u64) {
    for now in batches(times) {
        for _ in 0..now {
            used(bump.take(opaque(size)));
        }
        bump.reset();
    }
}

#[inline(never)]
fn bump_kernel3(bump: &mut impl Bump, times: u64) {
    for _ in 0..times {
        for &size in &KERNEL3 {
            touch(bump.take(opaque(size)));
        }
        bump.reset();
    }
}

#[inline(never)]
fn allocator_allocs<A: Allocator>(allocator: &mut A, size: usize, times: u64) {
    let mut held = [A::NONE; BATCH as usize];
    for now in batches(times) {
        let held = &mut held[..now as usize];
        for handle in &mut *held {
            *handle = allocator.take(opaque(size));
            used(allocator.at(*handle));
        }
        for handle in held.iter().rev() {
            allocator.give(*handle, size);
        }
    }
}

#[inline(always)]
fn touched<A: Allocator>(allocator: &mut A, size: usize) -> A::Handle {
    let handle = allocator.take(opaque(size));
    touch(allocator.at(handle));
    handle
}

#[inline(never)]
fn allocator_kernel3<A: Allocator>(allocator: &mut A, times: u64) {
    for _ in 0..times {
        // Not by `map` and `zip`, which compile to calls.
        let first = touched(allocator, KERNEL3[0]);
        let second = touched(allocator, KERNEL3[1]);
        let third = touched(allocator, KERNEL3[2]);
        allocator.give(third, KERNEL3[2]);
        allocator.give(second, KERNEL3[1]);
        allocator.give(first, KERNEL3[0]);
    }
}

#[inline(never)]
fn shared_allocs(bump: &impl Shared, size: usize, times: u64) {
    for _ in 0..times {
        used(bump.take(opaque(size)));
    }
}

#[inline(never)]
fn shared_kernel3(bump: &impl Shared, times: u64) {
    for _ in 0..times {
        for &size in &KERNEL3 {
            touch_shared(bump.take(opaque(size)));
        }
    }
}
