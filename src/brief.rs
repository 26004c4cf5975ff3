//! What `Debug` says of things that hold much: how much, and not all of it.

use std::fmt;

/// The first eight of many, and how many there are.
pub(crate) struct Few<'a, T>(pub &'a [T]);

impl<T: fmt::Debug> fmt::Debug for Few<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (all, mut list) = (self.0, f.debug_list());
        match all.get(..8) {
            Some(first) if all.len() > 8 => list.entries(first).entry(&format_args!("{} in all", all.len())).finish(),
            _ => list.entries(all).finish(),
        }
    }
}
