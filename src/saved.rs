use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::checksum::Xxh64;
use crate::replace::replace;
use crate::{Error, Graph};

const MAGIC: [u8; 8] = *b"ECPGRAPH";
const VERSION: u32 = 1;
/// Bit of the flags: relations follow the weights.
const RELATIONS: u32 = 1;
/// Bytes of the header, without its checksum.
const HEADER: usize = 32;
/// Bytes read or written at a time.
const STEP: usize = 1 << 16;

/// What is stored as so many little-endian bytes.
trait Stored<const N: usize>: Copy {
    fn put(self) -> [u8; N];
    fn get(bytes: [u8; N]) -> Self;
}

impl Stored<4> for u32 {
    fn put(self) -> [u8; 4] {
        self.to_le_bytes()
    }

    fn get(bytes: [u8; 4]) -> Self {
        Self::from_le_bytes(bytes)
    }
}

impl Stored<4> for f32 {
    fn put(self) -> [u8; 4] {
        self.to_le_bytes()
    }

    fn get(bytes: [u8; 4]) -> Self {
        Self::from_le_bytes(bytes)
    }
}

impl Stored<1> for u8 {
    fn put(self) -> [u8; 1] {
        [self]
    }

    fn get([byte]: [u8; 1]) -> Self {
        byte
    }
}

impl Graph {
    /// Writes the graph to `file`. All numbers are little-endian:
    ///
    /// | from byte | bytes | what |
    /// |---|---|---|
    /// | 0 | 8 | `ECPGRAPH` |
    /// | 8 | 4 | version of this layout: 1 |
    /// | 12 | 4 | flags: 1 where edges have relations, else 0 |
    /// | 16 | 8 | nodes, `n` |
    /// | 24 | 8 | edges, `m` |
    /// | 32 | 8 | XXH64, seed 0, of the 32 bytes before |
    /// | 40 | 4 (`n` + 1) | where the edges of each node begin, and the end: u32 |
    /// | then | 4 `m` | targets: u32, ascending within a node's edges |
    /// | then | 4 `m` | weights: f32 |
    /// | then | `m` | relations, if the flags say so: u8, ascending within a target |
    /// | then | 8 | XXH64, seed 0, of all bytes before |
    ///
    /// ```
    /// use ecphory::{Edge, Graph};
    ///
    /// let graph = Graph::from_edges(2, [Edge::new(0, 1, 0.5)])?;
    /// let mut bytes = Vec::new();
    /// graph.write_to(&mut bytes)?;
    /// assert_eq!(bytes.len(), 40 + 4 * 3 + 4 + 4 + 8);
    /// assert_eq!(Graph::read_from(&bytes[..])?, graph);
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write_to(&self, file: impl Write) -> Result<(), Error> {
        let mut out = Output { file, bytes: Vec::with_capacity(STEP), hash: Xxh64::new() };
        let flags = if self.relations.is_some() { RELATIONS } else { 0 };
        let header = [VERSION.to_le_bytes(), flags.to_le_bytes()].concat();
        let lengths = [self.node_count() as u64, self.edge_count() as u64].map(u64::to_le_bytes).concat();
        for part in [&MAGIC[..], &header, &lengths] {
            out.bytes.extend(part);
        }
        out.flush()?;
        let sum = out.hash.value();
        out.bytes.extend(sum.to_le_bytes());
        out.all(&self.offsets)?;
        out.all(&self.targets)?;
        out.all(&self.weights)?;
        out.all(self.relations.as_deref().unwrap_or_default())?;
        out.flush()?;
        let sum = out.hash.value();
        out.bytes.extend(sum.to_le_bytes());
        out.flush()?;
        out.file.flush().map_err(|error| failed("write", &error))
    }

    /// Reads a graph that [`Graph::write_to`] has written, and nothing after it. It is held in memory and checked like
    /// edges from anywhere: what is not a graph is refused, even where its checksum is right. Memory is taken as bytes
    /// come: at most twice as much as has been read, and no more because of what the header says.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Magic`] for what is no graph; [`Error::FormatVersion`]; [`Error::Truncated`];
    /// [`Error::Checksum`]; and for contents that are not those of a graph [`Error::Range`], [`Error::Order`],
    /// [`Error::Length`], [`Error::Index`] and [`Error::Value`]; [`Error::OutOfMemory`].
    pub fn read_from(file: impl Read) -> Result<Self, Error> {
        let mut input = Input { file, hash: Xxh64::new(), read: 0, known: HEADER + 8 };
        let mut header = [0; HEADER];
        input.fill(&mut header[..MAGIC.len()])?;
        if header[..MAGIC.len()] != MAGIC {
            return Err(Error::Magic { found: header[..MAGIC.len()].escape_ascii().to_string() });
        }
        input.fill(&mut header[MAGIC.len()..])?;
        let word = |at: usize| header[at..at + 4].iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        // Before the checksum: another version may have its own elsewhere.
        if word(8) != u64::from(VERSION) {
            return Err(Error::FormatVersion { expected: VERSION, found: word(8) as u32 });
        }
        input.checksum("header")?;
        Error::check_range("flags of the graph", 0, RELATIONS as usize, word(12) as usize)?;
        let length = |at| usize::try_from(word(at) | word(at + 4) << 32).unwrap_or(usize::MAX);
        let (nodes, edges, typed) = (length(16), length(24), word(12) == u64::from(RELATIONS));
        Error::check_range("node count", 1, u32::MAX as usize, nodes)?;
        Error::check_range("distinct edges", 0, u32::MAX as usize, edges)?;
        let needed = 4 * (nodes as u64 + 1) + (if typed { 9 } else { 8 }) * edges as u64;
        input.known = usize::try_from(HEADER as u64 + 16 + needed).unwrap_or(usize::MAX);
        let offsets = input.all(nodes + 1)?;
        let targets = input.all(edges)?;
        let weights = input.all(edges)?;
        let relations = if typed { Some(input.all(edges)?) } else { None };
        input.checksum("graph")?;
        Self::from_csr(offsets, targets, weights, relations)
    }

    /// Writes the graph to a file at `path`, in place of what is there: whatever happens meanwhile, `path` is what it
    /// was, or all of the new file. That is written beside it under a name of its own, `.ecphory-*.tmp`, given the
    /// permissions of what is there, synced to the disk and renamed; then, on Unix, its directory is synced. Where
    /// `path` is a symbolic link, what it leads to is replaced, and
    /// one that leads nowhere itself. What is no file, as a pipe, is written to as it is. If
    /// the process or the system dies, the file beside it may be left behind.
    ///
    /// # Errors
    /// [`Error::Io`], with nothing left beside `path`; the graph may be there all the same if it was its directory that
    /// could not be synced.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        replace(path.as_ref(), |file| self.write_to(file)).map_err(|error| error.of_file(path.as_ref()))
    }

    /// Reads the graph in the file at `path`.
    ///
    /// # Errors
    /// As [`Graph::read_from`]; [`Error::Length`] for a file that goes on after its graph.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let load = || {
            let mut file = File::open(path.as_ref()).map_err(|error| failed("open", &error))?;
            let graph = Self::read_from(&file)?;
            let more = Input { file: &mut file, hash: Xxh64::new(), read: 0, known: 0 }.some(&mut [0; STEP])?;
            Error::check_length("bytes after the graph", 0, more)?;
            Ok(graph)
        };
        load().map_err(|error: Error| error.of_file(path.as_ref()))
    }
}

pub(crate) fn failed(what: &'static str, error: &io::Error) -> Error {
    Error::Io { what, path: None, kind: error.kind(), message: error.to_string() }
}

struct Output<W> {
    file: W,
    bytes: Vec<u8>,
    hash: Xxh64,
}

impl<W: Write> Output<W> {
    fn all<const N: usize, T: Stored<N>>(&mut self, all: &[T]) -> Result<(), Error> {
        for step in all.chunks(STEP / N) {
            self.flush()?;
            self.bytes.resize(step.len() * N, 0);
            self.bytes.as_chunks_mut().0.iter_mut().zip(step).for_each(|(bytes, value)| *bytes = value.put());
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.hash.write(&self.bytes);
        self.file.write_all(&self.bytes).map_err(|error| failed("write", &error))?;
        self.bytes.clear();
        Ok(())
    }
}

struct Input<R> {
    file: R,
    hash: Xxh64,
    /// Bytes read.
    read: usize,
    /// Bytes that there are to be, as far as the header has said.
    known: usize,
}

impl<R: Read> Input<R> {
    /// As many bytes as there are, up to `bytes.len()`.
    fn some(&mut self, bytes: &mut [u8]) -> Result<usize, Error> {
        let mut count = 0;
        while count < bytes.len() {
            match self.file.read(&mut bytes[count..]) {
                Ok(0) => break,
                // A reader that says more than it was asked for is wrong, and is not believed.
                Ok(read) => count = bytes.len().min(count.saturating_add(read)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed("read", &error)),
            }
        }
        Ok(count)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        let count = self.some(bytes)?;
        self.read += count;
        if count < bytes.len() {
            return Err(Error::Truncated { expected: self.known, found: self.read });
        }
        self.hash.write(bytes);
        Ok(())
    }

    fn all<const N: usize, T: Stored<N>>(&mut self, len: usize) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        let mut bytes = [0; STEP];
        while all.len() < len {
            let missing = len - all.len();
            let count = missing.min(STEP / N);
            if all.capacity() - all.len() < count {
                let needed = len.saturating_mul(N);
                let more = missing.min(all.len().max(count));
                all.try_reserve_exact(more).map_err(|_| Error::OutOfMemory { needed, capacity: 0 })?;
            }
            let bytes = &mut bytes[..count * N];
            self.fill(bytes)?;
            all.extend(bytes.as_chunks().0.iter().map(|&bytes| T::get(bytes)));
        }
        Ok(all)
    }

    /// Compares the checksum of all bytes so far with the one that follows.
    fn checksum(&mut self, what: &'static str) -> Result<(), Error> {
        let expected = self.hash.value();
        let mut bytes = [0; 8];
        self.fill(&mut bytes)?;
        let found = u64::from_le_bytes(bytes);
        if expected == found { Ok(()) } else { Err(Error::Checksum { what, expected, found }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Edge;

    /// Bytes of a graph of three nodes whose checksums are right, whatever else is not.
    fn bytes(
        flags: u32,
        lengths: [u64; 2],
        offsets: &[u32],
        targets: &[u32],
        weights: &[f32],
        kinds: &[u8],
    ) -> Vec<u8> {
        let mut all = MAGIC.to_vec();
        all.extend([VERSION, flags].map(u32::to_le_bytes).concat());
        all.extend(lengths.map(u64::to_le_bytes).concat());
        sum(&mut all);
        [offsets, targets].concat().into_iter().for_each(|value| all.extend(value.put()));
        weights.iter().for_each(|value| all.extend(value.put()));
        all.extend(kinds);
        sum(&mut all);
        all
    }

    fn sum(all: &mut Vec<u8>) {
        let mut hash = Xxh64::new();
        hash.write(all);
        all.extend(hash.value().to_le_bytes());
    }

    fn refused(offsets: &[u32], targets: &[u32], weights: &[f32], kinds: &[u8]) -> String {
        let lengths = [offsets.len() as u64 - 1, targets.len() as u64];
        let all = bytes(u32::from(!kinds.is_empty()), lengths, offsets, targets, weights, kinds);
        Graph::read_from(&all[..]).unwrap_err().to_string()
    }

    #[test]
    fn the_layout_is_the_one_described() {
        let edges = [(Edge::new(0, 2, 0.5), 1), (Edge::new(0, 2, 1.0), 4), (Edge::new(2, 0, 2.0), 0)];
        let graph = Graph::builder(3).related(edges).unwrap().build().unwrap();
        let mut written = Vec::new();
        graph.write_to(&mut written).unwrap();
        assert_eq!(written, bytes(1, [3, 3], &[0, 2, 2, 3], &[2, 2, 0], &[0.5, 1.0, 2.0], &[1, 4, 0]));
    }

    #[test]
    fn contents_that_are_no_graph_are_refused_though_the_checksum_is_right() {
        let weights = [1.0, 1.0];
        let cases = [
            (refused(&[1, 1, 2, 2], &[0, 1], &weights, &[]), "first offset: expected 0 to 0, found 1"),
            (refused(&[0, 2, 1, 2], &[0, 1], &weights, &[]), "offset at position 2: expected 2 or more, found 1"),
            (refused(&[0, 1, 1, 1], &[0, 1], &weights, &[]), "edges, by the last offset: expected 2 elements, found 1"),
            (refused(&[0, 1, 2, 9], &[0, 1], &weights, &[]), "edges, by the last offset: expected 2 elements, found 9"),
            (
                refused(&[0, 2, 2, 2], &[0, 3], &weights, &[]),
                "edge target at position 1: expected an index below 3, found 3",
            ),
            (refused(&[0, 2, 2, 2], &[1, 1], &weights, &[]), "edge target at position 1: expected 2 or more, found 1"),
            (
                refused(&[0, 2, 2, 2], &[2, 1], &weights, &[0, 1]),
                "edge target at position 1: expected 2 or more, found 1",
            ),
            (refused(&[0, 2, 2, 2], &[1, 1], &weights, &[4, 4]), "relation at position 1: expected 5 or more, found 4"),
            (refused(&[0, 1, 1, 2], &[1, 1], &[1.0, -1.0], &[]), "edge weight at position 1: expected a finite"),
            (refused(&[0, 1, 1, 2], &[1, 1], &[f32::NAN, 1.0], &[]), "edge weight at position 0: expected a finite"),
            (refused(&[0, 2, 2, 2], &[0, 1], &[f32::MAX; 2], &[]), "out-strength of the node at position 0"),
        ];
        for (found, expected) in cases {
            assert!(found.starts_with(expected), "expected {expected}, found {found}");
        }
    }

    #[test]
    fn headers_that_promise_what_cannot_be_are_refused_before_any_memory_is_taken() {
        let read = |flags, lengths| Graph::read_from(&bytes(flags, lengths, &[], &[], &[], &[])[..]).unwrap_err();
        assert_eq!(read(2, [1, 0]), Error::Range { what: "flags of the graph", min: 0, max: 1, found: 2 });
        let most = u32::MAX as usize;
        assert_eq!(read(0, [0, 0]), Error::Range { what: "node count", min: 1, max: most, found: 0 });
        assert!(matches!(read(0, [1, 1 << 40]), Error::Range { what: "distinct edges", .. }));
        assert!(matches!(read(1, [u64::MAX, u64::MAX]), Error::Range { what: "node count", .. }));
        // 16 GiB of offsets alone, of which eight bytes are there.
        let all = HEADER + 16 + 4 * (most + 1) + 9 * most;
        assert_eq!(read(1, [most as u64; 2]), Error::Truncated { expected: all, found: HEADER + 16 });
    }
}
