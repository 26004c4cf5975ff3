//! What one may take instead of a bump arena, each small and as it is usually built, each with the bytes that the three
//! blocks of `kernel3` cost beyond what was asked for: inside the blocks, and beside them for keeping book.

use std::mem::size_of;
use std::ptr;

use ecphory_measure::cases::arena::{BATCH, KERNEL3};

use super::memory::Memory;
use super::work::{ALIGN, Allocator, Entry, ROOM, no_room};

pub fn enter(entry: &mut Entry<'_>) {
    let slot = entry.task.largest();
    let [pool, slab, stack, generational] =
        wasted().map(|(_, bytes)| Some(format!("kernel3 wastes {bytes} B on {} B", KERNEL3.iter().sum::<usize>())));
    entry.allocator("pool", pool, || Pool::new(slot));
    entry.allocator("slab", slab, Slab::new);
    entry.allocator("stack", stack, Stack::new);
    entry.allocator("generational", generational, || Generational::new(slot));
}

/// What `kernel3` costs with each of them beyond the bytes it asks for.
pub fn wasted() -> [(&'static str, usize); 4] {
    let largest = KERNEL3.into_iter().max().unwrap_or_default();
    let beyond = |cost: &dyn Fn(usize) -> usize| KERNEL3.into_iter().map(|size| cost(size) - size).sum();
    [
        ("pool", beyond(&|_| Pool::cost(largest))),
        ("slab", beyond(&Slab::cost)),
        ("stack", beyond(&Stack::cost)),
        ("generational", beyond(&|_| Generational::cost(largest))),
    ]
}

/// Slots of one size, the largest that is asked for; those that are free on a stack beside them, which touches less
/// memory than a list through them.
struct Pool {
    memory: Memory,
    slot: usize,
    free: Vec<usize>,
}

impl Pool {
    fn new(largest: usize) -> Self {
        let slot = largest.next_multiple_of(ALIGN);
        let memory = Memory::new(slot * BATCH as usize);
        Self { free: (0..memory.bytes()).step_by(slot).rev().collect(), slot, memory }
    }

    fn cost(largest: usize) -> usize {
        largest.next_multiple_of(ALIGN) + size_of::<usize>()
    }
}

impl Allocator for Pool {
    type Handle = *mut u8;
    const NONE: *mut u8 = ptr::null_mut();

    #[inline(always)]
    fn take(&mut self, size: usize) -> *mut u8 {
        match self.free.pop() {
            Some(offset) if size <= self.slot => self.memory.at(offset),
            _ => no_room(),
        }
    }

    #[inline(always)]
    fn at(&self, block: *mut u8) -> *mut u8 {
        block
    }

    #[inline(always)]
    fn give(&mut self, block: *mut u8, _size: usize) {
        self.free.push(self.memory.offset(block));
    }
}

/// A pool for each power of two from one line to the largest block.
struct Slab([Pool; CLASSES]);

/// From one line to 64 KiB.
const CLASSES: usize = 11;

impl Slab {
    fn new() -> Self {
        Self(std::array::from_fn(|class| Pool::new(ALIGN << class)))
    }

    /// The smallest that holds so many bytes.
    #[inline(always)]
    fn class(size: usize) -> usize {
        (size.saturating_sub(1) | (ALIGN - 1)).ilog2() as usize - (ALIGN.ilog2() as usize - 1)
    }

    fn cost(size: usize) -> usize {
        Pool::cost(ALIGN << Self::class(size))
    }
}

impl Allocator for Slab {
    type Handle = *mut u8;
    const NONE: *mut u8 = ptr::null_mut();

    #[inline(always)]
    fn take(&mut self, size: usize) -> *mut u8 {
        match self.0.get_mut(Self::class(size)) {
            Some(pool) => pool.take(size),
            None => no_room(),
        }
    }

    #[inline(always)]
    fn at(&self, block: *mut u8) -> *mut u8 {
        block
    }

    #[inline(always)]
    fn give(&mut self, block: *mut u8, size: usize) {
        self.0[Self::class(size)].give(block, size);
    }
}

/// Blocks one after the other, each behind a header that says where the one before began; the last is given back first.
/// The header takes a line, for the block is to be aligned.
struct Stack {
    memory: Memory,
    cursor: usize,
}

impl Stack {
    fn new() -> Self {
        Self { memory: Memory::new(ROOM + ALIGN * BATCH as usize), cursor: 0 }
    }

    fn cost(size: usize) -> usize {
        ALIGN + size.next_multiple_of(ALIGN)
    }

    /// Of the block at `offset`.
    #[inline(always)]
    fn header(&self, offset: usize) -> *mut usize {
        self.memory.at(offset - ALIGN).cast()
    }
}

impl Allocator for Stack {
    type Handle = *mut u8;
    const NONE: *mut u8 = ptr::null_mut();

    #[inline(always)]
    fn take(&mut self, size: usize) -> *mut u8 {
        let offset = self.cursor + ALIGN;
        if offset > self.memory.bytes() || size > self.memory.bytes() - offset {
            no_room();
        }
        // SAFETY: a line before a block that has room, aligned to a line.
        unsafe { self.header(offset).write(self.cursor) };
        self.cursor = offset + size.next_multiple_of(ALIGN);
        self.memory.at(offset)
    }

    #[inline(always)]
    fn at(&self, block: *mut u8) -> *mut u8 {
        block
    }

    #[inline(always)]
    fn give(&mut self, block: *mut u8, _size: usize) {
        let offset = self.memory.offset(block);
        // SAFETY: `take` wrote it when it handed the block out.
        self.cursor = unsafe { self.header(offset).read() };
    }
}

/// Slots of one size behind handles that go stale when the slot is given back.
struct Generational {
    memory: Memory,
    slot: usize,
    generations: Vec<u32>,
    free: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Handle {
    index: u32,
    generation: u32,
}

impl Generational {
    fn new(largest: usize) -> Self {
        let (slot, slots) = (largest.next_multiple_of(ALIGN), BATCH as u32);
        let memory = Memory::new(slot * slots as usize);
        Self { memory, slot, generations: vec![0; slots as usize], free: (0..slots).rev().collect() }
    }

    fn cost(largest: usize) -> usize {
        largest.next_multiple_of(ALIGN) + 2 * size_of::<u32>()
    }

    /// The index of a slot whose handle is not stale.
    #[inline(always)]
    fn index(&self, handle: Handle) -> usize {
        match self.generations.get(handle.index as usize) {
            Some(&generation) if generation == handle.generation => handle.index as usize,
            _ => no_room(),
        }
    }
}

impl Allocator for Generational {
    type Handle = Handle;
    const NONE: Handle = Handle { index: u32::MAX, generation: 0 };

    #[inline(always)]
    fn take(&mut self, size: usize) -> Handle {
        match self.free.pop() {
            Some(index) if size <= self.slot => Handle { index, generation: self.generations[index as usize] },
            _ => no_room(),
        }
    }

    #[inline(always)]
    fn at(&self, handle: Handle) -> *mut u8 {
        self.memory.at(self.index(handle) * self.slot)
    }

    #[inline(always)]
    fn give(&mut self, handle: Handle, _size: usize) {
        let index = self.index(handle);
        self.generations[index] = self.generations[index].wrapping_add(1);
        self.free.push(handle.index);
    }
}
