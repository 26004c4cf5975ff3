//! Bump arenas: other libraries' own, and other ways to reach one or to share one.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::marker::PhantomData;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bump_scope::traits::BumpAllocatorTyped;
use ecphory_measure::cases::arena::{BATCH, KERNEL3, ONE_NEED};

use super::memory::Memory;
use super::work::{
    ALIGN, Apart, Bump, Entry, PerThread, ROOM, Shared, Task, check, layout, no_room, opaque, touch, used,
};

pub fn enter(entry: &mut Entry<'_>) {
    // Some bytes more than the blocks need, for what lies before the first.
    let room = ROOM + 4096;
    entry.bump("bumpalo", None, || bumpalo::Bump::with_capacity(room));
    enter_bumpalo_once(entry, room);
    enter_bump_scope(entry, room);
    entry.shared("mutex", || Mutex::new(Ring::new()));
    entry.shared("parking_lot", || parking_lot::Mutex::new(Ring::new()));
    entry.shared("atomic", || {
        let cursor = Apart(AtomicUsize::new(0));
        AtomicRing { memory: Memory::touched(ROOM + LARGEST), cursor }
    });
    entry.bump("tls-refcell", None, || ThreadLocal);
    entry.bump_of_thread("c-thread", Some("a call for each block and each reset".into()), CThread::new);
}

impl Bump for bumpalo::Bump {
    #[inline(always)]
    fn take(&mut self, size: usize) -> *mut u8 {
        self.alloc_layout(layout(size)).as_ptr()
    }

    #[inline(always)]
    fn reset(&mut self) {
        bumpalo::Bump::reset(self);
    }
}

/// `kernel3` as our kernels do it: asked once, for the three blocks together.
fn enter_bumpalo_once(entry: &mut Entry<'_>, room: usize) {
    let (Task::Kernel3, threads) = (entry.task, entry.threads) else { return };
    entry.enter("bumpalo-once", Some(ONE_NEED.into()), || {
        let make = || bumpalo::Bump::with_capacity(room);
        check("bumpalo-once", carved(&make(), KERNEL3).into_iter().zip(KERNEL3).collect())?;
        let own = PerThread::new(threads, make);
        Ok(move |times| own.with(|bump| carved_kernel3(bump, times)))
    });
}

#[inline(never)]
fn carved_kernel3(bump: &mut bumpalo::Bump, times: u64) {
    for _ in 0..times {
        // Known to nobody before, and the same when they are summed and when they are carved.
        let sizes = [opaque(KERNEL3[0]), opaque(KERNEL3[1]), opaque(KERNEL3[2])];
        for block in carved(bump, sizes) {
            touch(block);
        }
        bump.reset();
    }
}

/// Blocks of `sizes` out of one.
#[inline(always)]
fn carved(bump: &bumpalo::Bump, sizes: [usize; 3]) -> [*mut u8; 3] {
    let whole = |size: usize| size.next_multiple_of(ALIGN);
    let mut left = whole(sizes[0]) + whole(sizes[1]) + whole(sizes[2]);
    let mut next = bump.alloc_layout(layout(left)).as_ptr();
    let mut carve = |size| {
        if size > left {
            no_room();
        }
        let block = next;
        next = next.wrapping_add(whole(size));
        left -= whole(size);
        block
    };
    [carve(sizes[0]), carve(sizes[1]), carve(sizes[2])]
}

/// By its scopes, which end as ours do.
fn enter_bump_scope(entry: &mut Entry<'_>, room: usize) {
    let (task, threads) = (entry.task, entry.threads);
    entry.enter("bump-scope", None, || {
        let make = || bump_scope::Bump::<bump_scope::alloc::Global>::with_capacity(layout(room));
        let one = make();
        let blocks = task.sizes().into_iter().map(|size| (one.allocate_layout(layout(size)).as_ptr(), size));
        check("bump-scope", blocks.collect())?;
        let own = PerThread::new(threads, make);
        let work = move |bump: &mut bump_scope::Bump, times| match task {
            Task::Alloc(size) => scoped_allocs(bump, size, times),
            Task::Kernel3 => scoped_kernel3(bump, times),
        };
        Ok(move |times| own.with(|bump| work(bump, times)))
    });
}

#[inline(never)]
fn scoped_allocs(bump: &mut bump_scope::Bump, size: usize, times: u64) {
    for first in (0..times).step_by(BATCH as usize) {
        bump.scoped(|scope| {
            for _ in first..times.min(first + BATCH) {
                used(scope.allocate_layout(layout(opaque(size))).as_ptr());
            }
        });
    }
}

#[inline(never)]
fn scoped_kernel3(bump: &mut bump_scope::Bump, times: u64) {
    for _ in 0..times {
        bump.scoped(|scope| {
            for &size in &KERNEL3 {
                touch(scope.allocate_layout(layout(opaque(size))).as_ptr());
            }
        });
    }
}

/// What a careful programmer writes: a cursor that moves by whole lines, so that it is always aligned.
struct Plain {
    memory: Memory,
    cursor: usize,
}

impl Plain {
    fn new() -> Self {
        Self { memory: Memory::new(ROOM), cursor: 0 }
    }
}

impl Bump for Plain {
    #[inline(always)]
    fn take(&mut self, size: usize) -> *mut u8 {
        if size > ROOM - self.cursor {
            no_room();
        }
        let block = self.memory.at(self.cursor);
        self.cursor += size.next_multiple_of(ALIGN);
        block
    }

    #[inline(always)]
    fn reset(&mut self) {
        self.cursor = 0;
    }
}

/// The bump of the thread that asks.
struct ThreadLocal;

thread_local! {
    static BUMP: RefCell<Plain> = RefCell::new(Plain::new());
}

impl Bump for ThreadLocal {
    #[inline(always)]
    fn take(&mut self, size: usize) -> *mut u8 {
        BUMP.with_borrow_mut(|bump| bump.take(size))
    }

    #[inline(always)]
    fn reset(&mut self) {
        BUMP.with_borrow_mut(Plain::reset);
    }
}

struct Ring(Plain);

impl Ring {
    fn new() -> Self {
        Self(Plain { memory: Memory::touched(ROOM), cursor: 0 })
    }

    #[inline(always)]
    fn take(&mut self, size: usize) -> *mut u8 {
        if size > ROOM - self.0.cursor {
            self.0.reset();
        }
        self.0.take(size)
    }
}

impl Shared for Mutex<Ring> {
    #[inline(always)]
    fn take(&self, size: usize) -> *mut u8 {
        self.lock().unwrap_or_else(|_| no_room()).take(size)
    }
}

impl Shared for parking_lot::Mutex<Ring> {
    #[inline(always)]
    fn take(&self, size: usize) -> *mut u8 {
        self.lock().take(size)
    }
}

/// Bytes of the largest block that the cases ask for.
const LARGEST: usize = ROOM / BATCH as usize;

/// One addition decides. The cursor counts on for ever; behind the ring lies room for a block that begins at its end.
struct AtomicRing {
    memory: Memory,
    /// Not on a line with what everyone reads.
    cursor: Apart<AtomicUsize>,
}

impl Shared for AtomicRing {
    #[inline(always)]
    fn take(&self, size: usize) -> *mut u8 {
        if size > LARGEST {
            no_room();
        }
        let before = self.cursor.0.fetch_add(size.next_multiple_of(ALIGN), Ordering::Relaxed);
        self.memory.at(before % ROOM)
    }
}

unsafe extern "C" {
    fn peers_thread_open(room: usize) -> c_int;
    fn peers_thread_take(size: usize) -> *mut c_void;
    fn peers_thread_reset();
    fn peers_thread_close();
}

/// The bump that C has for this thread, while this lives.
struct CThread(PhantomData<*const ()>);

impl CThread {
    fn new() -> Self {
        // SAFETY: a multiple of 64; `drop` closes it.
        if unsafe { peers_thread_open(ROOM) } == 0 {
            no_room();
        }
        Self(PhantomData)
    }
}

impl Drop for CThread {
    fn drop(&mut self) {
        // SAFETY: opened by this thread, which a `CThread` does not leave.
        unsafe { peers_thread_close() }
    }
}

impl Bump for CThread {
    #[inline(always)]
    fn take(&mut self, size: usize) -> *mut u8 {
        // SAFETY: takes any number.
        let block = unsafe { peers_thread_take(size) };
        if block.is_null() {
            no_room();
        }
        block.cast()
    }

    #[inline(always)]
    fn reset(&mut self) {
        // SAFETY: nobody uses the blocks any more.
        unsafe { peers_thread_reset() }
    }
}
