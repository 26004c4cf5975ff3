//! Pages for an arena, from elsewhere.

use std::ffi::c_int;

use ecphory_measure::cases::arena::contender;
use ecphory_measure::{Case, cases::arena};

use super::allocators::GLIBC;

unsafe extern "C" {
    fn peers_pages_mmap(bytes: usize) -> c_int;
    fn peers_pages_malloc(bytes: usize) -> c_int;
    fn peers_pages_calloc(bytes: usize) -> c_int;
}

/// Below so many bytes glibc's free may keep pages, which the next to ask finds there already: other work.
const KEPT: usize = (4 << 20) * size_of::<std::ffi::c_long>();

/// Ours, and those who get as many pages, write a byte in each and give them back.
pub fn contest(size: usize) -> Case<'static> {
    let mut case = arena::birth(size);
    enter(&mut case, size, "mmap", None, peers_pages_mmap);
    if GLIBC && size > KEPT {
        enter(&mut case, size, "glibc", Some("malloc and free"), peers_pages_malloc);
        enter(&mut case, size, "glibc-calloc", Some("calloc and free: pages that come as zeros"), peers_pages_calloc);
    }
    case
}

fn enter(
    case: &mut Case<'static>,
    size: usize,
    name: &'static str,
    note: Option<&str>,
    pages: unsafe extern "C" fn(usize) -> c_int,
) {
    let once = move || {
        // SAFETY: takes any number; what it gets it gives back.
        let got = unsafe { pages(std::hint::black_box(size)) };
        if got == 0 { Err(format!("{name}: expected {size} bytes, found none")) } else { Ok(()) }
    };
    case.try_add(name, note.map(Into::into), || {
        once()?;
        Ok(contender(name, 1, move |times| (0..times).for_each(|_| once().expect("pages"))))
    });
}
