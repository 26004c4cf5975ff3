//! Numbers for each memory while a recall lasts: from the thread's arena, and by the caller's policy from the heap.

use std::ops::{Deref, DerefMut};

use ecphory::OverflowPolicy;
use ecphory::arena::Scratch;

use crate::Error;

/// One number for each memory.
pub(crate) enum Room<'s> {
    Arena(&'s mut [f32]),
    Heap(Vec<f32>),
}

impl Deref for Room<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        match self {
            Self::Arena(numbers) => numbers,
            Self::Heap(numbers) => numbers,
        }
    }
}

impl DerefMut for Room<'_> {
    fn deref_mut(&mut self) -> &mut [f32] {
        match self {
            Self::Arena(numbers) => numbers,
            Self::Heap(numbers) => numbers,
        }
    }
}

/// Where rooms come from.
pub(crate) struct Rooms<'a, 's> {
    pub scratch: &'a Scratch<'s>,
    pub overflow: OverflowPolicy,
}

impl<'s> Rooms<'_, 's> {
    /// So many zeros.
    pub fn take(&self, len: usize) -> Result<Room<'s>, Error> {
        let refused = match self.scratch.fill(len, 0.0) {
            Ok(numbers) => return Ok(Room::Arena(numbers)),
            Err(refused) => refused,
        };
        let bytes = len.saturating_mul(size_of::<f32>());
        match self.overflow {
            OverflowPolicy::Heap => {}
            // A scope is open: the arena stays as it is.
            OverflowPolicy::Grow { max } if bytes <= max => {}
            OverflowPolicy::Panic => panic!("{refused} (OverflowPolicy::Panic)"),
            _ => return Err(refused.into()),
        }
        let mut numbers = Vec::new();
        numbers.try_reserve_exact(len).map_err(|_| refused)?;
        numbers.resize(len, 0.0);
        Ok(Room::Heap(numbers))
    }
}
