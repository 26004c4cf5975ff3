//! Relations of edges: those that a graph makes by itself, and then one's own.

/// From a memory to the one after it in its sequence.
pub const NEXT: u8 = 0;
/// To the one before it.
pub const PREVIOUS: u8 = 1;
/// To the one after the next.
pub const AFTER_NEXT: u8 = 2;
/// From a memory that asks to the one after it.
pub const ANSWER: u8 = 3;
/// From a sequence to each of its memories.
pub const PART: u8 = 4;
/// From a context to each of its memories.
pub const CONTEXT: u8 = 5;

const NAMES: [&str; 6] = ["next", "previous", "after next", "answer", "part", "context"];

/// How many relations of one's own there may be.
pub const OWN_MOST: usize = 256 - NAMES.len();

/// The number of one's own relation.
pub fn own(index: usize) -> u8 {
    (NAMES.len() + index) as u8
}

/// The name of a relation, one's own being those given.
pub fn name(relation: u8, own: &[String]) -> &str {
    match NAMES.get(relation as usize) {
        Some(name) => name,
        None => &own[relation as usize - NAMES.len()],
    }
}
