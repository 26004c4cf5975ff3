/// Why a call was refused; nothing was changed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A vector of another dimension than the graph's.
    #[error("{what}: expected {expected} elements, found {found}")]
    Dim {
        /// Whose vector it is.
        what: &'static str,
        /// The graph's dimension.
        expected: usize,
        /// The vector's.
        found: usize,
    },
    /// A number that is NaN or infinite, or not within what it may be.
    #[error("{what} at position {position}: expected {expected}, found {found}")]
    Value {
        /// The number's place.
        what: &'static str,
        /// Where it stands among those given.
        position: usize,
        /// The kind asked for.
        expected: &'static str,
        /// The number given.
        found: f32,
    },
    /// A number among options that is not what it may be.
    #[error("{what}: expected {expected}, found {found}")]
    Option {
        /// What it is of.
        what: &'static str,
        /// What it may be.
        expected: &'static str,
        /// The number given.
        found: f64,
    },
    /// An id that no memory has.
    #[error("memory {found}: expected an id below {len}")]
    NoMemory {
        /// The id given.
        found: u32,
        /// How many memories there are.
        len: usize,
    },
    /// A number that no link has.
    #[error("link {found}: expected a number below {len}")]
    NoLink {
        /// The number given.
        found: usize,
        /// How many links there are.
        len: usize,
    },
    /// As many memories as there can be.
    #[error("expected at most {most} memories, found one more")]
    Full {
        /// How many that is.
        most: usize,
    },
    /// A cue with neither a vector, nor words, nor scores.
    #[error("cue: expected a vector, a text or scores, found none")]
    EmptyCue,
    /// More relations than edges can tell apart.
    #[error("relation \"{name}\": expected at most {most} of one's own, found one more")]
    Relations {
        /// The one that does not fit.
        name: String,
        /// How many do.
        most: usize,
    },
    /// What a kernel said.
    #[error(transparent)]
    Kernel(#[from] ecphory::Error),
}
