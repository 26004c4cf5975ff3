//! Bytes to hand blocks out of.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

use super::work::ALIGN;

/// Uninitialised, 64-byte aligned, untouched until a block is written.
pub struct Memory {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: nothing but an address of bytes that belong to whoever holds this.
unsafe impl Send for Memory {}
// SAFETY: `&self` gives addresses only; who writes there answers for it.
unsafe impl Sync for Memory {}

impl Memory {
    pub fn new(bytes: usize) -> Self {
        let layout = Layout::from_size_align(bytes, ALIGN).expect("less than isize::MAX bytes");
        assert!(bytes > 0);
        // SAFETY: of more than 0 bytes.
        let start = NonNull::new(unsafe { alloc(layout) }).unwrap_or_else(|| handle_alloc_error(layout));
        Self { start, layout }
    }

    /// With every page there already, for those who go through all of it.
    pub fn touched(bytes: usize) -> Self {
        let memory = Self::new(bytes);
        // SAFETY: so many bytes, which nobody else has.
        unsafe { memory.start.write_bytes(0, bytes) };
        memory
    }

    pub fn bytes(&self) -> usize {
        self.layout.size()
    }

    /// The block that begins `offset` bytes after the start.
    #[inline(always)]
    pub fn at(&self, offset: usize) -> *mut u8 {
        self.start.as_ptr().wrapping_add(offset)
    }

    /// Where a block from here begins.
    #[inline(always)]
    pub fn offset(&self, block: *mut u8) -> usize {
        block.addr() - self.start.addr().get()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: as allocated.
        unsafe { dealloc(self.start.as_ptr(), self.layout) }
    }
}
