//! Memory whose end is the end of what may be read.

use std::marker::PhantomData;
use std::ptr;

const PAGE: usize = 4096;

/// What a call is given, each at the end of its own.
pub struct Pages {
    pub query: Guarded,
    pub rows: Guarded,
    pub norms: Guarded,
    pub scales: Guarded,
    pub query_scales: Guarded,
    pub filter: Guarded,
    pub ids: Guarded,
}

impl Pages {
    pub fn map() -> Self {
        let small = || Guarded::map(64 * PAGE);
        let [norms, scales, query_scales, filter] = std::array::from_fn(|_| small());
        Self {
            query: Guarded::map(2 << 20),
            rows: Guarded::map(8 << 20),
            norms,
            scales,
            query_scales,
            filter,
            ids: small(),
        }
    }
}

pub struct Guarded {
    start: *mut u8,
    bytes: usize,
    one: PhantomData<u8>,
}

impl Guarded {
    fn map(bytes: usize) -> Self {
        // SAFETY: new pages anywhere, of which the last is taken back; nobody else knows them.
        let start = unsafe {
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let start = libc::mmap(ptr::null_mut(), bytes + PAGE, access, kind, -1, 0);
            assert!(start != libc::MAP_FAILED && libc::mprotect(start.byte_add(bytes), PAGE, libc::PROT_NONE) == 0);
            start
        };
        Self { start: start.cast(), bytes, one: PhantomData }
    }

    /// `items` where they are the last that there are.
    pub fn last<T: Copy>(&mut self, items: &[T]) -> &[T] {
        let len = size_of_val(items);
        assert!(len <= self.bytes && self.bytes.is_multiple_of(align_of::<T>()));
        // SAFETY: the `len` bytes before the guard page are there, mapped, nobody else's while `self` is borrowed, and
        // aligned for `T`, for they end at a multiple of a page and are a multiple of its size; they are all written.
        unsafe {
            let to = self.start.add(self.bytes - len).cast::<T>();
            ptr::copy_nonoverlapping(items.as_ptr(), to, items.len());
            std::slice::from_raw_parts(to, items.len())
        }
    }
}
