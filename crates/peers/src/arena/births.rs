//! Pages for an arena, from elsewhere.

use std::ffi::c_int;

use ecphory_measure::cases::arena::contender;
use ecphory_measure::{Case, cases::arena};

unsafe extern "C" {
    fn peers_pages_mmap(bytes: usize) -> c_int;
    fn peers_pages_malloc(bytes: usize) -> c_int;
    fn peers_pages_calloc(bytes: usize) -> c_int;
}

/// Ours, and those who get as many pages, write a byte in each and give them back.
pub fn contest(size: usize) -> Case<'static> {
    let mut case = arena::birth(size);
    enter(&mut case, size, "mmap", None, peers_pages_mmap);
    if cfg!(target_env = "gnu") {
        let kept = "malloc and free: pages that free keeps are there already";
        enter(&mut case, size, "glibc", Some(kept), peers_pages_malloc);
        let cleared = "calloc and free: pages that free keeps are there already, and cleared";
        enter(&mut case, size, "glibc-calloc", Some(cleared), peers_pages_calloc);
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
