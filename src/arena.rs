//! Thread-local arenas: where kernels take their scratch, what happens when it is too small, and what can be told of
//! it.
//!
//! Every thread that runs a kernel has one arena, mapped at its first use and released when the thread ends. A
//! kernel marks, allocates and rewinds; it never resets, because a rayon worker that waits may run another kernel on
//! top of a frame that still holds scratch. Threads of a pool that never ends keep their memory until [`trim`].

#![allow(unsafe_code)]

use std::alloc::Layout;
use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use crate::{Error, ffi, tier};

/// Every block of scratch starts on a cache line.
pub const ALIGNMENT: usize = 64;

const OUT_OF_MEMORY: ffi::ecp_status = ffi::ECP_OUT_OF_MEMORY as ffi::ecp_status;

/// What to do when a call's scratch does not fit the thread's arena. Overflows are counted under each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OverflowPolicy {
    /// Return [`Error::OutOfMemory`]; nothing has been written.
    Error,
    /// Lend the call one heap block of the size it needs, for this call only. Counted as a heap loan.
    #[default]
    Heap,
    /// Panic, to find arenas that are too small while developing.
    Panic,
}

/// How arenas are made. Process-wide; install it before the first kernel runs.
///
/// ```
/// ecphory::ArenaConfig::new().capacity(4 << 20).install()?;
/// assert_eq!(ecphory::ArenaConfig::current().capacity_bytes(), 4 << 20);
/// # Ok::<(), ecphory::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct ArenaConfig {
    capacity: usize,
}

impl Default for ArenaConfig {
    fn default() -> Self {
        Self { capacity: 2 << 20 }
    }
}

impl ArenaConfig {
    /// The default: 2 MiB.
    pub fn new() -> Self {
        Self::default()
    }

    /// What arenas are made with now.
    pub fn current() -> Self {
        // SAFETY: takes nothing and only reads.
        Self { capacity: unsafe { ffi::ecp_arena_capacity() } }
    }

    /// Capacity of each thread's arena in bytes, 64 to 2^46, rounded up to a multiple of 64. Pages take memory when
    /// first touched.
    pub fn capacity(self, bytes: usize) -> Self {
        Self { capacity: bytes }
    }

    /// The capacity in bytes.
    pub fn capacity_bytes(&self) -> usize {
        self.capacity
    }

    /// Makes this the configuration of every arena of the process.
    ///
    /// # Errors
    /// [`Error::Range`] for a capacity outside its range; [`Error::AlreadyInUse`] once any thread has had an arena;
    /// [`Error::UnknownTier`].
    pub fn install(self) -> Result<(), Error> {
        Error::check_range("arena capacity in bytes", ALIGNMENT, 1 << 46, self.capacity)?;
        tier::ready()?;
        // SAFETY: ecphory.h takes any number and refuses by status.
        match unsafe { ffi::ecp_arena_configure(self.capacity) } {
            status if status == ffi::ECP_ALREADY_IN_USE as ffi::ecp_status => Err(Error::AlreadyInUse {
                what: "an arena exists with the present capacity; install before the first call",
            }),
            status => Error::check(status),
        }
    }
}

/// Figures of one thread's arena, or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ArenaStats {
    /// Bytes of the arena; of all, summed over live arenas.
    pub capacity: usize,
    /// Bytes in use now; of all, summed over live arenas.
    pub current_usage: usize,
    /// Most bytes ever in use; of all, the largest of any thread there is or was.
    pub high_water_mark: usize,
    /// Requests that did not fit; of all, over all threads ever.
    pub overflow_count: u64,
    /// Scopes ended, kernels' own included; of all, over all threads ever.
    pub rewind_count: u64,
    /// Calls that were lent a heap block ([`OverflowPolicy::Heap`]); of all, over all threads ever.
    pub heap_loan_count: u64,
    /// Arenas that exist: of one thread 0 or 1.
    pub live_arenas: u64,
    /// Bytes of one arena; of one thread 0 where it has none.
    pub capacity_per_thread: usize,
}

impl ArenaStats {
    /// Figures of the calling thread; all zero where it has no arena yet.
    pub fn of_thread() -> Self {
        Self::read(ffi::ecp_arena_thread_stats)
    }

    /// Figures of all threads. Others may be working: each figure is one that was true at some moment.
    pub fn of_all_threads() -> Self {
        Self::read(ffi::ecp_arena_total_stats)
    }

    fn read(figures: unsafe extern "C" fn(*mut ffi::ecp_arena_stats)) -> Self {
        let mut stats = ffi::ecp_arena_stats::default();
        // SAFETY: ecphory.h asks for a struct to write.
        unsafe { figures(&mut stats) };
        Self {
            capacity: stats.capacity,
            current_usage: stats.current_usage,
            high_water_mark: stats.high_water_mark,
            overflow_count: stats.overflow_count,
            rewind_count: stats.rewind_count,
            heap_loan_count: stats.heap_loan_count,
            live_arenas: stats.live_arenas,
            capacity_per_thread: stats.capacity_per_thread,
        }
    }

    /// High-water mark as a share of one arena's capacity, 0 to 1; 0 where there is no arena.
    pub fn utilization(&self) -> f64 {
        if self.capacity_per_thread == 0 { 0.0 } else { self.high_water_mark as f64 / self.capacity_per_thread as f64 }
    }
}

/// Gives the memory behind the calling thread's arena back to the system; the arena stays and fills again when used.
/// For pool threads that never end: `rayon::broadcast(|_| ecphory::arena::trim())`. Returns the bytes of address space
/// whose memory went back: 0 where the thread has no arena, or on systems other than Linux.
///
/// # Errors
/// [`Error::AlreadyInUse`] inside a [`scope`] that holds scratch; [`Error::ThreadEnding`]; [`Error::UnknownTier`].
pub fn trim() -> Result<usize, Error> {
    enter()?;
    let mut bytes = 0;
    // SAFETY: ecphory.h asks for a number to write.
    match unsafe { ffi::ecp_arena_trim(&mut bytes) } {
        status if status == ffi::ECP_ALREADY_IN_USE as ffi::ecp_status => {
            Err(Error::AlreadyInUse { what: "scratch of this thread's arena is held" })
        }
        status => Error::check(status).map(|()| bytes),
    }
}

/// Releases the thread's arena when the thread ends, whoever started it: Zig's `threadlocal` has no destructor.
struct Guard {
    /// Scopes open on this thread.
    depth: Cell<usize>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        // `process::exit` inside a scope comes here too, while other threads may be using what the scope handed out.
        if self.depth.get() == 0 {
            // SAFETY: the arena is this thread's, no scope of it is open, and later calls are refused by `enter`.
            unsafe { ffi::ecp_arena_release() };
        }
    }
}

thread_local! {
    static GUARD: Guard = const { Guard { depth: Cell::new(0) } };
}

fn with_guard<R>(f: impl FnOnce(&Guard) -> R) -> Result<R, Error> {
    GUARD.try_with(f).map_err(|_| Error::ThreadEnding)
}

/// To be called before the kernels are: the library is ready, and the thread's arena will be released.
pub(crate) fn enter() -> Result<(), Error> {
    tier::ready()?;
    with_guard(|_| ())
}

/// Runs `kernel` with the scratch it wants, under `policy`. `kernel` may be run twice, the second time on a lent block.
pub(crate) fn with_scratch(
    policy: OverflowPolicy,
    mut kernel: impl FnMut(*mut ffi::ecp_scratch) -> ffi::ecp_status,
) -> Result<(), Error> {
    enter()?;
    let mut scratch = ffi::ecp_scratch::default();
    let status = kernel(&mut scratch);
    if status != OUT_OF_MEMORY {
        return Error::check(status);
    }
    let refusal = refuse(policy, &scratch);
    if policy != OverflowPolicy::Heap {
        return Err(refusal);
    }
    let Some(block) = HeapBlock::new(scratch.need) else { return Err(refusal) };
    (scratch.lent, scratch.lent_size) = (block.start.as_ptr().cast(), block.layout.size());
    Error::check(kernel(&mut scratch))
}

/// Refuses a call whose parts need `need` bytes each before any part has run, where `policy` would refuse a part.
pub(crate) fn admit(policy: OverflowPolicy, need: usize) -> Result<(), Error> {
    enter()?;
    if policy == OverflowPolicy::Heap {
        return Ok(());
    }
    let mut scratch = ffi::ecp_scratch::default();
    // SAFETY: ecphory.h asks for a struct to write.
    match unsafe { ffi::ecp_arena_admit(need, &mut scratch) } {
        OUT_OF_MEMORY => Err(refuse(policy, &scratch)),
        status => Error::check(status),
    }
}

fn refuse(policy: OverflowPolicy, scratch: &ffi::ecp_scratch) -> Error {
    let refusal = Error::OutOfMemory { needed: scratch.needed, capacity: scratch.capacity };
    assert!(policy != OverflowPolicy::Panic, "{refusal} (OverflowPolicy::Panic)");
    refusal
}

struct HeapBlock {
    start: NonNull<u8>,
    layout: Layout,
}

impl HeapBlock {
    fn new(size: usize) -> Option<Self> {
        let layout = Layout::from_size_align(size.max(ALIGNMENT), ALIGNMENT).ok()?;
        // SAFETY: the layout's size is at least 64.
        let start = NonNull::new(unsafe { std::alloc::alloc(layout) })?;
        Some(Self { start, layout })
    }
}

impl Drop for HeapBlock {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout, and freed once.
        unsafe { std::alloc::dealloc(self.start.as_ptr(), self.layout) };
    }
}

/// Scratch of one [`scope`]; what it hands out lives as long as the scope.
#[derive(Debug)]
pub struct Scratch<'s> {
    depth: usize,
    /// Invariant in `'s`.
    scope: PhantomData<fn(&'s ()) -> &'s ()>,
    /// Neither `Send` nor `Sync`: the arena is this thread's.
    thread: PhantomData<*const ()>,
}

/// Runs `f` with scratch from the calling thread's arena, and rewinds the arena when `f` returns or panics.
///
/// Scopes nest. While an inner one is open, an outer one on the same thread hands nothing out. Kernels may be called
/// inside, and so may rayon: the tasks that this thread steals meanwhile put their scratch on top.
///
/// ```
/// let total = ecphory::arena::scope(|scratch| {
///     let squares = scratch.fill(1000, 0.0f32)?;
///     squares.iter_mut().enumerate().for_each(|(i, square)| *square = (i * i) as f32);
///     Ok::<f32, ecphory::Error>(squares.iter().sum())
/// })??;
/// assert!(total > 3.0e8);
/// # Ok::<(), ecphory::Error>(())
/// ```
///
/// What it hands out cannot leave it, nor go to a thread that outlives it:
///
/// ```compile_fail,E0521
/// let mut kept = None;
/// ecphory::arena::scope(|scratch| kept = scratch.fill(4, 0u8).ok());
/// ```
///
/// ```compile_fail,E0277
/// ecphory::arena::scope(|scratch| {
///     std::thread::scope(|threads| threads.spawn(|| scratch.fill(4, 0u8).is_ok()).join())
/// });
/// ```
///
/// # Errors
/// [`Error::OutOfMemory`] where the arena cannot be mapped; [`Error::ThreadEnding`]; [`Error::UnknownTier`].
pub fn scope<R>(f: impl for<'s> FnOnce(&Scratch<'s>) -> R) -> Result<R, Error> {
    enter()?;
    let mut mark = 0;
    // SAFETY: ecphory.h asks for a number to write.
    match unsafe { ffi::ecp_arena_mark(&mut mark) } {
        OUT_OF_MEMORY => {
            return Err(Error::OutOfMemory { needed: ArenaConfig::current().capacity, capacity: 0 });
        }
        status => Error::check(status)?,
    }
    let depth = with_guard(|guard| {
        guard.depth.set(guard.depth.get() + 1);
        guard.depth.get()
    })?;
    let _rewind = Rewind { mark, depth };
    Ok(f(&Scratch { depth, scope: PhantomData, thread: PhantomData }))
}

struct Rewind {
    mark: usize,
    depth: usize,
}

impl Drop for Rewind {
    fn drop(&mut self) {
        let _ = with_guard(|guard| guard.depth.set(self.depth - 1));
        // SAFETY: ecphory.h asks for a mark of this thread that is not rewound yet, in nested order: this value is not
        // `Send`, is dropped once, and drops in the reverse order of its making.
        unsafe { ffi::ecp_arena_rewind(self.mark) };
    }
}

impl<'s> Scratch<'s> {
    /// `len` uninitialised items. `T` aligned to 64 bytes or less.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] when they do not fit; [`Error::NotInnermost`] inside another scope of this thread.
    #[allow(clippy::mut_from_ref)] // Every call hands out a block of its own.
    pub fn alloc<T: Copy>(&self, len: usize) -> Result<&'s mut [MaybeUninit<T>], Error> {
        const { assert!(align_of::<T>() <= ALIGNMENT) };
        let innermost = with_guard(|guard| guard.depth.get())?;
        if innermost != self.depth {
            return Err(Error::NotInnermost { innermost, found: self.depth });
        }
        let (mut block, mut scratch) = (std::ptr::null_mut(), ffi::ecp_scratch::default());
        // SAFETY: ecphory.h asks for a pointer and a struct to write.
        match unsafe { ffi::ecp_arena_alloc(len.saturating_mul(size_of::<T>()), &mut block, &mut scratch) } {
            OUT_OF_MEMORY => return Err(refuse(OverflowPolicy::Error, &scratch)),
            status => Error::check(status)?,
        }
        // SAFETY: the block is 64-byte aligned, holds `len` items (a saturated size is always refused), is nobody
        // else's until the scope rewinds, and `'s` ends before that. Uninitialised items are what `MaybeUninit` says.
        Ok(unsafe { std::slice::from_raw_parts_mut(block.cast(), len) })
    }

    /// `len` items, each `value`.
    ///
    /// # Errors
    /// As [`Scratch::alloc`].
    #[allow(clippy::mut_from_ref)]
    pub fn fill<T: Copy>(&self, len: usize, value: T) -> Result<&'s mut [T], Error> {
        let items = self.alloc(len)?;
        items.fill(MaybeUninit::new(value));
        // SAFETY: every item has just been written.
        Ok(unsafe { items.assume_init_mut() })
    }

    /// A copy of `items`.
    ///
    /// # Errors
    /// As [`Scratch::alloc`].
    #[allow(clippy::mut_from_ref)]
    pub fn copy<T: Copy>(&self, items: &[T]) -> Result<&'s mut [T], Error> {
        Ok(self.alloc(items.len())?.write_copy_of_slice(items))
    }
}
