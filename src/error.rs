use std::path::PathBuf;

use crate::ffi;

/// Why a call was refused, with what was expected and what was found.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A slice has another length than its companions ask for.
    #[error("{what}: expected {expected} elements, found {found}")]
    Length {
        /// The slice.
        what: &'static str,
        /// The length that its companions ask for.
        expected: usize,
        /// The length it has.
        found: usize,
    },
    /// A matrix is not a whole number of rows.
    #[error("{what}: expected a whole number of rows of {dim} elements{}, found {found} elements", apart(dim, stride))]
    PartialRow {
        /// The matrix.
        what: &'static str,
        /// Elements in a row.
        dim: usize,
        /// Elements from the beginning of a row to that of the next.
        stride: usize,
        /// Elements given.
        found: usize,
    },
    /// A count or size lies outside its range.
    #[error("{what}: expected {min} to {}, found {found}", legible(*max))]
    Range {
        /// The count or size.
        what: &'static str,
        /// The smallest allowed.
        min: usize,
        /// The largest allowed.
        max: usize,
        /// The value given.
        found: usize,
    },
    /// An index points past the end.
    #[error("{what} at position {position}: expected an index below {len}, found {found}")]
    Index {
        /// What the index names.
        what: &'static str,
        /// Where it stands among those given.
        position: usize,
        /// How many there are to point at.
        len: usize,
        /// The index given.
        found: usize,
    },
    /// A number is not of the kind its place asks for.
    #[error("{what}{}: expected {expected}, found {found}", at(*position))]
    Value {
        /// The number's place.
        what: &'static str,
        /// Where it stands among those given; none for a single one.
        position: Option<usize>,
        /// The kind asked for.
        expected: &'static str,
        /// The number given.
        found: f32,
    },
    /// A metric is not one of the elements: of bits where they are numbers, or of numbers where they are bits.
    #[error("{metric}: expected {}, found {elements}", if *elements == "bits" { "numbers" } else { "bits" })]
    Metric {
        /// The metric.
        metric: &'static str,
        /// What rows are made of.
        elements: &'static str,
    },
    /// A text is no metric's name.
    #[error("metric: expected Cosine, Dot, SquaredEuclidean, Hamming or Jaccard, found `{found}`")]
    UnknownMetric {
        /// The text.
        found: String,
    },
    /// The arena is too small for the call, and no policy helped: there is none for a caller's own scratch. Or the
    /// system did not give the memory that an arena, a result, a graph or a workspace takes.
    #[error("out of memory: {}", short(*needed, *capacity))]
    OutOfMemory {
        /// Bytes held by outer scopes of the thread, and the need of the call.
        needed: usize,
        /// Bytes of the arena; 0 where the system did not give them.
        capacity: usize,
    },
    /// `ECPHORY_TIER` names no tier that this machine can run. Every call returns it.
    #[error("ECPHORY_TIER: expected one of {available}, found {requested}")]
    UnknownTier {
        /// What `ECPHORY_TIER` holds.
        requested: String,
        /// The tiers of this machine, the best last, separated by commas.
        available: String,
    },
    /// What the request would change is in use.
    #[error("already in use: {what} of {bytes} bytes; {remedy}")]
    AlreadyInUse {
        /// What is in use.
        what: &'static str,
        /// Its size; of an arena, that which arenas are made with.
        bytes: usize,
        /// When the request will do.
        remedy: &'static str,
    },
    /// Scratch was asked of an outer scope while an inner one is open on the same thread.
    #[error("scratch: expected the innermost scope of the thread (depth {innermost}), found the one at depth {found}")]
    NotInnermost {
        /// Depth of the innermost open scope.
        innermost: usize,
        /// Depth of the scope that was asked.
        found: usize,
    },
    /// A value is smaller than what stands before it allows.
    #[error("{what} at position {position}: expected {least} or more, found {found}")]
    Order {
        /// The value's place.
        what: &'static str,
        /// Where it stands.
        position: usize,
        /// The smallest allowed there.
        least: u64,
        /// The value given.
        found: u64,
    },
    /// Distances were taken for activations: the farthest would wake most.
    #[error("seeds: expected hits by a metric that is higher where rows are nearer, found distances by {metric}")]
    Distances {
        /// The metric that they are of.
        metric: &'static str,
    },
    /// What was to be read is not a graph.
    #[error("graph: expected `ECPGRAPH` as the first bytes, found `{found}`")]
    Magic {
        /// The first bytes, those that are no text escaped.
        found: String,
    },
    /// A graph was written in another layout than is read here.
    #[error("graph: expected version {expected} of its layout, found {found}")]
    FormatVersion {
        /// The version that is read.
        expected: u32,
        /// The version found.
        found: u32,
    },
    /// A graph ends before its end.
    #[error("graph: expected {expected} bytes, found {found}")]
    Truncated {
        /// How many there are to be; where the header is not complete, how many that takes.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// Bytes are not those that were written.
    #[error("damaged {what}: expected the checksum {expected:016x} of its bytes, found {found:016x}")]
    Checksum {
        /// What was read.
        what: &'static str,
        /// The checksum of the bytes read.
        expected: u64,
        /// The one that stands behind them.
        found: u64,
    },
    /// A file could not be created, opened, read or written.
    #[error("expected to {what} {}, found: {message}", file(path.as_ref()))]
    Io {
        /// `create`, `open`, `read` or `write`.
        what: &'static str,
        /// Where it is, or was to be; none where the caller opened it.
        path: Option<PathBuf>,
        /// The system's kind of reason.
        kind: std::io::ErrorKind,
        /// The system's words.
        message: String,
    },
    /// The thread is ending and its arena is gone.
    #[error("the thread is ending: its arena has been released")]
    ThreadEnding,
    /// The archive that was linked is not the one this crate was written for.
    #[error("the linked archive: expected ABI version {expected}, found {found}")]
    AbiVersion {
        /// The version of this crate.
        expected: u32,
        /// The version of the archive.
        found: u32,
    },
    /// The kernels answered with a status that this crate does not know or that its own checks exclude.
    #[error("the kernels answered with the unexpected status {0}")]
    Status(i32),
}

fn at(position: Option<usize>) -> String {
    position.map_or_else(String::new, |position| format!(" at position {position}"))
}

fn short(needed: usize, capacity: usize) -> String {
    if capacity == 0 {
        return format!("{needed} bytes needed, the system did not give them");
    }
    format!(
        "{needed} bytes of scratch needed, the thread's arena has {capacity} \
         (ArenaConfig makes arenas larger; a kernel's OverflowPolicy may lend a block or grow the arena)"
    )
}

fn file(path: Option<&PathBuf>) -> String {
    path.map_or_else(|| "a graph's file".to_string(), |path| format!("the graph's file {}", path.display()))
}

/// A limit that is far away as what it is: one less than a power of two.
fn legible(max: usize) -> String {
    let is_power = max.checked_add(1).is_some_and(usize::is_power_of_two);
    if max >= u32::MAX as usize && is_power { format!("2^{} - 1", max.count_ones()) } else { max.to_string() }
}

fn apart(dim: &usize, stride: &usize) -> String {
    if stride == dim { String::new() } else { format!(", {stride} apart") }
}

impl Error {
    /// What a status without figures of its own means.
    pub(crate) fn check(status: ffi::ecp_status) -> Result<(), Self> {
        if status == ffi::ECP_OK as ffi::ecp_status { Ok(()) } else { Err(Self::Status(status)) }
    }

    pub(crate) fn check_length(what: &'static str, expected: usize, found: usize) -> Result<(), Self> {
        if expected == found { Ok(()) } else { Err(Self::Length { what, expected, found }) }
    }

    pub(crate) fn check_range(what: &'static str, min: usize, max: usize, found: usize) -> Result<(), Self> {
        if (min..=max).contains(&found) { Ok(()) } else { Err(Self::Range { what, min, max, found }) }
    }

    /// The same, with the place of the file.
    pub(crate) fn of_file(mut self, of: &std::path::Path) -> Self {
        if let Self::Io { path, .. } = &mut self {
            *path = Some(of.to_owned());
        }
        self
    }

    /// Finite and not negative.
    pub(crate) fn check_magnitude(what: &'static str, position: Option<usize>, found: f32) -> Result<(), Self> {
        if found >= 0.0 && found.is_finite() {
            return Ok(());
        }
        Err(Self::Value { what, position, expected: "a finite number of 0 or more", found })
    }

    /// From `min` to `max`, which `expected` says.
    pub(crate) fn check_within(
        what: &'static str,
        (min, max): (f64, f64),
        expected: &'static str,
        found: f64,
    ) -> Result<(), Self> {
        if (min..=max).contains(&found) {
            return Ok(());
        }
        Err(Self::Value { what, position: None, expected, found: found as f32 })
    }

    /// Finite and above zero.
    pub(crate) fn check_positive(what: &'static str, position: Option<usize>, found: f32) -> Result<(), Self> {
        if found > 0.0 && found.is_finite() {
            return Ok(());
        }
        Err(Self::Value { what, position, expected: "a finite number above 0", found })
    }
}
