//! Allocators for everything, asked for blocks of the same size and alignment.

use std::alloc::{GlobalAlloc, System};
use std::ptr;

use super::work::{Allocator, Entry, layout, no_room};
use crate::absent::{not_here, without_feature};

/// Whether the C library is glibc.
pub const GLIBC: bool = cfg!(all(target_os = "linux", target_env = "gnu"));

pub fn enter(entry: &mut Entry<'_>) {
    if GLIBC {
        let note = "posix_memalign, which passes by the thread's cache that malloc uses";
        entry.allocator("glibc", Some(note.into()), || Global(System));
    }
    entry.allocator("mimalloc", None, || Global(mimalloc::MiMalloc));
    #[cfg(feature = "jemalloc")]
    entry.allocator("jemalloc", None, || Global(tikv_jemallocator::Jemalloc));
    #[cfg(feature = "snmalloc")]
    entry.allocator("snmalloc", None, || Global(snmalloc_rs::SnMalloc));
}

pub fn say_who_is_absent() {
    without_feature(&[("jemalloc", cfg!(feature = "jemalloc")), ("snmalloc", cfg!(feature = "snmalloc"))]);
    if !GLIBC {
        not_here("glibc", "another C library");
    }
}

struct Global<G>(G);

impl<G: GlobalAlloc> Allocator for Global<G> {
    type Handle = *mut u8;
    const NONE: *mut u8 = ptr::null_mut();

    #[inline(always)]
    fn take(&mut self, size: usize) -> *mut u8 {
        // SAFETY: no case asks for 0 bytes.
        let block = unsafe { self.0.alloc(layout(size)) };
        if block.is_null() {
            no_room();
        }
        block
    }

    #[inline(always)]
    fn at(&self, block: *mut u8) -> *mut u8 {
        block
    }

    #[inline(always)]
    fn give(&mut self, block: *mut u8, size: usize) {
        // SAFETY: taken from here with the same size, and given back once.
        unsafe { self.0.dealloc(block, layout(size)) }
    }
}
