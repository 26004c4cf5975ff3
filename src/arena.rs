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
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering, compiler_fence};

use crate::ffi::ecp_arena;
use crate::needs::Kernel;
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
    /// Lend the call one heap block of the size it needs, for this call only. Counted as a heap loan. One of 4 MiB or
    /// more begins and ends with huge pages of 2 MiB where Linux grants them (`transparent_hugepage` is `always` or
    /// `madvise`): faults are fewer, and what the call touches is resident in larger pieces until it ends.
    #[default]
    Heap,
    /// Panic, to find arenas that are too small while developing.
    Panic,
    /// Replace the thread's arena by a larger one, of the next power of two that holds the need but never more than
    /// `max` bytes, and go on in it. While a [`scope`] of the thread is open its arena stays where it is: the call runs
    /// on a heap loan, and the arena is replaced when the outermost scope ends. A need beyond `max` is
    /// [`Error::OutOfMemory`]. Arenas do not shrink: one large call makes its thread's arena large for good.
    Grow {
        /// Bytes that the arena may have at most.
        max: usize,
    },
}

impl OverflowPolicy {
    fn code(self) -> u32 {
        match self {
            Self::Panic => ffi::ECP_ON_OVERFLOW_PANIC,
            _ if FROZEN.get() > 0 => ffi::ECP_ON_OVERFLOW_ERROR,
            Self::Error => ffi::ECP_ON_OVERFLOW_ERROR,
            Self::Heap => ffi::ECP_ON_OVERFLOW_HEAP,
            Self::Grow { .. } => ffi::ECP_ON_OVERFLOW_GROW,
        }
    }

    fn scratch(self) -> ffi::ecp_scratch {
        ffi::ecp_scratch { on_overflow: self.code(), ..Default::default() }
    }
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
                what: "an arena",
                bytes: Self::current().capacity,
                remedy: "install before the first call",
            }),
            status => Error::check(status),
        }
    }
}

/// Figures of the calling thread, or of all.
pub(crate) fn stats(of_all: bool) -> ffi::ecp_arena_stats {
    let read = if of_all { ffi::ecp_arena_total_stats } else { ffi::ecp_arena_thread_stats };
    let mut stats = ffi::ecp_arena_stats::default();
    // SAFETY: ecphory.h asks for a struct to write.
    unsafe { read(&mut stats) };
    stats
}

/// Figures of each thread that has an arena.
pub(crate) fn stats_of_each() -> Vec<ffi::ecp_arena_stats> {
    let mut all = Vec::new();
    loop {
        // SAFETY: ecphory.h asks for stats[count].
        let count = unsafe { ffi::ecp_arena_each_stats(all.as_mut_ptr(), all.len()) };
        if count <= all.len() {
            all.truncate(count);
            return all;
        }
        // Some more, for threads that begin meanwhile.
        all.resize(count + count / 8, ffi::ecp_arena_stats::default());
    }
}

/// What the scratch of one kernel was, over all threads.
pub(crate) fn stats_of_kernel(kernel: Kernel) -> ffi::ecp_kernel_stats {
    let mut stats = ffi::ecp_kernel_stats::default();
    // SAFETY: ecphory.h asks for one of its kernels and a struct to write.
    unsafe { ffi::ecp_arena_kernel_stats(code(kernel), &mut stats) };
    stats
}

fn code(kernel: Kernel) -> u32 {
    match kernel {
        Kernel::Similarity => ffi::ECP_KERNEL_SIMILARITY,
        Kernel::Spreading => ffi::ECP_KERNEL_SPREADING,
        Kernel::Decay => ffi::ECP_KERNEL_DECAY,
        Kernel::Caller => ffi::ECP_KERNEL_CALLER,
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
            let remedy = "trim where this thread's scopes hold none";
            Err(Error::AlreadyInUse { what: "scratch", bytes: stats(false).current_usage, remedy })
        }
        status => Error::check(status).map(|()| bytes),
    }
}

/// Runs `f`, in which kernels and scopes of this thread ask the system for no memory: an arena is neither born nor
/// grown, and no heap block is lent. What would need that is [`Error::OutOfMemory`], whatever the policy but `Panic`.
///
/// For signal handlers and for threads that must not wait for the system. A handler may call kernels and open scopes on
/// the arena of the thread that it interrupts: its memory stays sound, for the handler rewinds to where it found it.
/// What the thread was counting at that moment may be missing from its figures. Functions that return vectors allocate
/// them: a handler calls those that fill slices, such as
/// [`Search::scores_into`](crate::Search::scores_into), with few enough rows for one thread.
///
/// ```
/// use ecphory::{Error, arena};
///
/// std::thread::spawn(|| {
///     assert!(matches!(arena::frozen(|| arena::scope(|_| ())), Err(Error::OutOfMemory { .. })));
///     arena::scope(|_| ())?;
///     arena::frozen(|| arena::scope(|_| ()))
/// })
/// .join()
/// .unwrap()?;
/// # Ok::<(), Error>(())
/// ```
pub fn frozen<R>(f: impl FnOnce() -> R) -> R {
    struct Thaw;
    impl Drop for Thaw {
        fn drop(&mut self) {
            FROZEN.set(FROZEN.get() - 1);
            // SAFETY: takes nothing; this thread froze once more than it thawed.
            unsafe { ffi::ecp_arena_thaw() }
        }
    }
    FROZEN.set(FROZEN.get() + 1);
    // SAFETY: takes nothing.
    unsafe { ffi::ecp_arena_freeze() }
    let _thaw = Thaw;
    f()
}

/// Releases the thread's arena when the thread ends, whoever started it: Zig's `threadlocal` has no destructor.
struct Guard {
    /// Scopes open on this thread.
    depth: Cell<usize>,
    /// Bytes that the arena is to grow to when the outermost scope ends; 0 for none.
    grow_to: Cell<usize>,
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
    static GUARD: Guard = const { Guard { depth: Cell::new(0), grow_to: Cell::new(0) } };
    /// How many calls of [`frozen`] this thread is in. Apart from the guard, whose first use asks for memory.
    static FROZEN: Cell<usize> = const { Cell::new(0) };
}

fn with_guard<R>(f: impl FnOnce(&Guard) -> R) -> Result<R, Error> {
    GUARD.try_with(f).map_err(|_| Error::ThreadEnding)
}

/// To be called before the kernels are: the library is ready, and the thread's arena will be released.
pub(crate) fn enter() -> Result<(), Error> {
    // Where none is and none may be born, there is nothing to release, and what makes ready may wait for others.
    if FROZEN.get() > 0 && stats(false).live_arenas == 0 {
        return Ok(());
    }
    tier::ready()?;
    with_guard(|_| ())
}

/// Runs `call`, of a kernel, with the scratch it wants, under `policy`. It may be run twice, the second time on a lent
/// block or in a larger arena.
pub(crate) fn with_scratch(
    policy: OverflowPolicy,
    mut call: impl FnMut(*mut ffi::ecp_scratch) -> ffi::ecp_status,
) -> Result<(), Error> {
    enter()?;
    let mut scratch = policy.scratch();
    let status = call(&mut scratch);
    if status != OUT_OF_MEMORY {
        return Error::check(status);
    }
    let refusal = refuse(policy, &scratch);
    match policy {
        _ if FROZEN.get() > 0 => return Err(refusal),
        OverflowPolicy::Error | OverflowPolicy::Panic => return Err(refusal),
        OverflowPolicy::Heap => {}
        OverflowPolicy::Grow { max } if scratch.needed > max => return Err(refusal),
        OverflowPolicy::Grow { max } => match grow(scratch.needed, max)? {
            Growth::Done => return Error::check(call(&mut policy.scratch())),
            Growth::Later => {}
            Growth::Refused => return Err(refusal),
        },
    }
    let Some(block) = HeapBlock::new(scratch.need) else { return Err(refusal) };
    (scratch.lent, scratch.lent_size) = (block.start.as_ptr().cast(), scratch.need.max(ALIGNMENT));
    Error::check(call(&mut scratch))
}

enum Growth {
    Done,
    /// A scope is open: when the outermost one ends.
    Later,
    /// The system has no pages.
    Refused,
}

/// Makes room for `needed` bytes, at most `max`, in this thread's arena.
fn grow(needed: usize, max: usize) -> Result<Growth, Error> {
    grow_to(needed.checked_next_power_of_two().unwrap_or(needed).min(max))
}

/// Replaces this thread's arena by one of so many bytes.
fn grow_to(capacity: usize) -> Result<Growth, Error> {
    // SAFETY: ecphory.h takes any number and refuses by status; blocks that are held are never moved.
    match unsafe { ffi::ecp_arena_grow(capacity) } {
        OUT_OF_MEMORY => Ok(Growth::Refused),
        status if status == ffi::ECP_ALREADY_IN_USE as ffi::ecp_status => {
            with_guard(|guard| guard.grow_to.set(capacity.max(guard.grow_to.get())))?;
            Ok(Growth::Later)
        }
        // No address space holds so much.
        status if status == ffi::ECP_INVALID_ARGUMENT as ffi::ecp_status => Ok(Growth::Refused),
        status => Error::check(status).map(|()| Growth::Done),
    }
}

/// Refuses a call of `kernel` whose parts need `need` bytes each before any part has run, where `policy` would refuse a
/// part.
pub(crate) fn admit(kernel: Kernel, policy: OverflowPolicy, need: usize) -> Result<(), Error> {
    enter()?;
    match policy {
        OverflowPolicy::Heap => return Ok(()),
        OverflowPolicy::Grow { max } if need <= max => return Ok(()),
        _ => {}
    }
    let mut scratch = policy.scratch();
    // SAFETY: ecphory.h asks for one of its kernels and a struct to write.
    match unsafe { ffi::ecp_arena_admit(code(kernel), need, &mut scratch) } {
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

/// Of x86-64 and of most kernels for aarch64. Where they are larger, asking for them does nothing.
const HUGE_PAGE: usize = 2 << 20;

/// Bytes from which a block is worth them.
const LARGE: usize = 2 * HUGE_PAGE;

/// Asks for huge pages behind a large block: a page of the usual size costs a fault when it is first touched, and takes
/// one of the few places that a core remembers whenever it is read at random.
pub(crate) fn prefer_huge_pages(start: *mut u8, size: usize) {
    if size >= LARGE {
        // SAFETY: ecphory.h takes any block and changes nothing in it.
        unsafe { ffi::ecp_prefer_huge_pages(start.cast(), size) };
    }
}

impl HeapBlock {
    fn new(size: usize) -> Option<Self> {
        // Of whole huge pages.
        let layout = if cfg!(target_os = "linux") && size >= LARGE {
            Layout::from_size_align(size.checked_next_multiple_of(HUGE_PAGE)?, HUGE_PAGE)
        } else {
            Layout::from_size_align(size.max(ALIGNMENT), ALIGNMENT)
        };
        let layout = layout.ok()?;
        // SAFETY: the layout's size is at least 64.
        let start = NonNull::new(unsafe { std::alloc::alloc(layout) })?;
        prefer_huge_pages(start.as_ptr(), layout.size());
        Some(Self { start, layout })
    }
}

impl Drop for HeapBlock {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout, and freed once.
        unsafe { std::alloc::dealloc(self.start.as_ptr(), self.layout) };
    }
}

/// Scratch of one [`scope`]; what it hands out lives as long as the scope. It follows no [`OverflowPolicy`]: what does
/// not fit is [`Error::OutOfMemory`].
#[derive(Debug)]
pub struct Scratch<'s> {
    depth: usize,
    /// The thread's arena; none where every block is to be handed out by a call.
    head: Option<NonNull<ecp_arena>>,
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
/// Unlike a kernel's, this scratch follows no [`OverflowPolicy`]: what does not fit is [`Error::OutOfMemory`], which
/// `f` gets. Of the `??` below, the first is for the scope's own errors, the second for those of `f`.
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
    let (mut mark, mut head) = (0, std::ptr::null_mut());
    // SAFETY: ecphory.h asks for a number and a pointer to write.
    match unsafe { ffi::ecp_arena_mark(&mut mark, &mut head) } {
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
    Ok(f(&Scratch { depth, head: NonNull::new(head), scope: PhantomData, thread: PhantomData }))
}

struct Rewind {
    mark: usize,
    depth: usize,
}

impl Drop for Rewind {
    fn drop(&mut self) {
        let wanted = with_guard(|guard| {
            guard.depth.set(self.depth - 1);
            if self.depth == 1 { guard.grow_to.take() } else { 0 }
        });
        // SAFETY: ecphory.h asks for a mark of this thread that is not rewound yet, in nested order: this value is not
        // `Send`, is dropped once, and drops in the reverse order of its making.
        unsafe { ffi::ecp_arena_rewind(self.mark) };
        if let Ok(capacity @ 1..) = wanted {
            // Where the system has no pages the arena stays, and the next call that overflows asks again.
            let _ = grow_to(capacity);
        }
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
        let block = self.take(len.saturating_mul(size_of::<T>()))?;
        // SAFETY: the block is 64-byte aligned, holds `len` items (a saturated size is always refused), is nobody
        // else's until the scope rewinds, and `'s` ends before that. Uninitialised items are what `MaybeUninit` says.
        Ok(unsafe { std::slice::from_raw_parts_mut(block.cast(), len) })
    }

    #[inline]
    fn take(&self, size: usize) -> Result<*mut u8, Error> {
        let Some(head) = self.head else { return self.take_by_call(size) };
        // SAFETY: ecphory.h says of ecp_arena that it is good until its thread's arena is released, which is not while
        // a scope is open, and this value does not leave its thread, which alone writes what is read here.
        let ecp_arena { base, capacity, cursor, open, allocation_count } = unsafe { head.read() };
        if open != self.depth || size > capacity - cursor {
            return self.take_by_call(size);
        }
        let end = cursor + size.next_multiple_of(ALIGNMENT);
        // SAFETY: ecphory.h has the caller raise both, by atomic writes, inside a scope and where the size fits: the
        // innermost scope is this one. The block begins inside the arena.
        unsafe {
            AtomicUsize::from_ptr(&raw mut (*head.as_ptr()).cursor).store(end, Ordering::Relaxed);
            AtomicU64::from_ptr(&raw mut (*head.as_ptr()).allocation_count)
                .store(allocation_count.wrapping_add(1), Ordering::Relaxed);
            // No access to the block comes before it is taken: a signal handler takes its own from there.
            compiler_fence(Ordering::SeqCst);
            Ok(base.add(cursor))
        }
    }

    #[cold]
    fn take_by_call(&self, size: usize) -> Result<*mut u8, Error> {
        let innermost = with_guard(|guard| guard.depth.get())?;
        if innermost != self.depth {
            return Err(Error::NotInnermost { innermost, found: self.depth });
        }
        let (mut block, mut scratch) = (std::ptr::null_mut(), OverflowPolicy::Error.scratch());
        // SAFETY: ecphory.h asks for a pointer and a struct to write.
        match unsafe { ffi::ecp_arena_alloc(size, &mut block, &mut scratch) } {
            OUT_OF_MEMORY => Err(refuse(OverflowPolicy::Error, &scratch)),
            status => Error::check(status).map(|()| block.cast()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NeedHistogram;

    #[test]
    fn both_sides_count_needs_in_the_same_buckets() {
        let edges: Vec<_> = NeedHistogram::new().buckets().map(|bucket| bucket.0 as u64).collect();
        assert_eq!(edges.len(), ffi::ECP_NEED_BUCKETS as usize);
        for (bucket, &edge) in edges.iter().enumerate() {
            // SAFETY: takes any number and only computes.
            assert_eq!(edge, unsafe { ffi::ecp_need_edge(bucket) }, "bucket {bucket}");
        }
    }
}
