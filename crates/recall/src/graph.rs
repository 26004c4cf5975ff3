use std::sync::OnceLock;

use ecphory::Edge;

use crate::Error;
use crate::index::Index;
use crate::language::Language;
use crate::memory::Memory;

/// With the nodes of sequences and contexts beside them, their ids stay within u32.
const MEMORIES_MOST: usize = 1 << 30;
/// Elements of vectors, so that products of two norms stay within f32.
const ELEMENT_MOST: f32 = 1e15;

/// What a graph makes of its memories: of their payloads, their texts, their vectors.
#[derive(Debug, Clone, PartialEq, Default)]
#[must_use]
pub struct Schema {
    pub(crate) sequence: Option<String>,
    pub(crate) contexts: Vec<String>,
    pub(crate) language: Language,
    pub(crate) copies: bool,
}

impl Schema {
    /// Nothing: memories are linked as one links them.
    pub fn new() -> Self {
        Self::default()
    }

    /// Memories whose payload holds the same under this key, a session's name or number say, follow each other as they
    /// were inserted, and are parts of one whole. A number or a flag counts as it is written, so that 1 and "1" are the
    /// same; NaN is nothing.
    pub fn sequence(self, key: impl Into<String>) -> Self {
        Self { sequence: Some(key.into()), ..self }
    }

    /// Each text held under this key, a speaker's or a place's name say, is a node of its own, which a cue that names
    /// it wakes; a number or a flag counts as it is written, NaN is nothing. A cue names it that has all of its words,
    /// by their stems, in any case and order. Names of words that every text has count like others, as contexts and as
    /// keywords: where somebody is called Will, a cue with "will" in it names him.
    pub fn context(mut self, key: impl Into<String>) -> Self {
        self.contexts.push(key.into());
        self
    }

    /// The language of texts and cues.
    pub fn language(self, language: Language) -> Self {
        Self { language, ..self }
    }

    /// Small copies of all vectors beside them, a quarter of their bytes more ([`ecphory::Companion`]): recall scans
    /// those, and reads of the vectors themselves only what may be among the best. Graphs of fewer than 1,024 memories
    /// do without.
    ///
    /// Similarities of hits and of what passes something on are those of vectors, and every memory that may be among
    /// the best by them is looked at. The mean and the deviation of all similarities, and likeness to the best, are by
    /// copies: scores are off by about a hundredth, which is where hits may change places. Ranks by similarity and by
    /// seeds are counted among scores of copies. Where copies tell little, of vectors of which a few elements are much
    /// larger than all others, most vectors are read.
    pub fn copies(self) -> Self {
        Self { copies: true, ..self }
    }
}

/// Memories, what is known of them, and what links them, all in memory.
///
/// What recall needs of all memories together is made at the first recall after a change (an insertion or a link; a use
/// is none), whatever has changed, and kept till the next:
///
/// - norms, the mean and, with [`Schema::copies`], copies of all vectors: a few looks at each;
/// - keywords of all texts: their words, once;
/// - edges, there and back: those of sequences and contexts, and all links, sorted;
/// - and where the cue is without words, or [`Similarity::Whitened`](crate::Similarity) is asked for, what sets vectors
///   apart: `2 * dim^3` multiplications and additions, as many as `min(memories, 4096) * dim^2 / 2` for the covariance,
///   `memories * dim^2` for norms (on the threads of the current rayon pool, all else on one), and up to 40 bytes for
///   each of `dim^2` on the way, of which 4 are kept.
///
/// So insert many and then recall, rather than in turn. `ecphory bench --filter recall` has the time of a first recall
/// (`first10`) beside that of those that follow. No deadline ends it; [`MemoryGraph::prepare`] does it
/// ahead.
pub struct MemoryGraph {
    pub(crate) dim: usize,
    pub(crate) schema: Schema,
    pub(crate) memories: Vec<Memory>,
    pub(crate) vectors: Vec<f32>,
    /// When each was last used; of those pinned, and where nobody knows, the last moment there is, from which on their
    /// age is 0.
    pub(crate) used_ms: Vec<i64>,
    pub(crate) links: Vec<(Edge, u8)>,
    /// When each was made and last used, up to the last of which anybody has said so.
    pub(crate) link_times: Vec<[Option<i64>; 2]>,
    pub(crate) relations: Vec<String>,
    pub(crate) index: OnceLock<Index>,
}

/// Without what recall makes of all memories together, which the copy makes anew.
impl Clone for MemoryGraph {
    fn clone(&self) -> Self {
        Self {
            dim: self.dim,
            schema: self.schema.clone(),
            memories: self.memories.clone(),
            vectors: self.vectors.clone(),
            used_ms: self.used_ms.clone(),
            links: self.links.clone(),
            link_times: self.link_times.clone(),
            relations: self.relations.clone(),
            index: OnceLock::new(),
        }
    }
}

impl std::fmt::Debug for MemoryGraph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (memories, links) = (self.memories.len(), self.links.len());
        f.debug_struct("MemoryGraph")
            .field("dim", &self.dim)
            .field("memories", &memories)
            .field("links", &links)
            .finish()
    }
}

impl MemoryGraph {
    /// Without memories; their vectors will have `dim` elements.
    ///
    /// # Errors
    /// [`Error::Dim`] for 0.
    pub fn new(dim: usize, schema: Schema) -> Result<Self, Error> {
        if dim == 0 {
            return Err(Error::Dim { what: "graph", expected: 1, found: 0 });
        }
        let (memories, vectors, used_ms, links, link_times, relations) = Default::default();
        Ok(Self { dim, schema, memories, vectors, used_ms, links, link_times, relations, index: OnceLock::new() })
    }

    /// How many memories there are.
    pub fn len(&self) -> usize {
        self.memories.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.memories.is_empty()
    }

    /// Elements of each vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Takes a memory in; returns its id, which is how many there were before.
    ///
    /// # Errors
    /// [`Error::Dim`] for a vector of another dimension, [`Error::Value`] for an element that is not -1e15 to 1e15,
    /// [`Error::Full`] where there are 2^30; the graph is then as it was.
    pub fn insert(&mut self, mut memory: Memory) -> Result<u32, Error> {
        check_vector("memory", self.dim, &memory.vector)?;
        if self.memories.len() >= MEMORIES_MOST {
            return Err(Error::Full { most: MEMORIES_MOST });
        }
        let id = self.memories.len() as u32;
        self.vectors.extend_from_slice(&std::mem::take(&mut memory.vector));
        self.used_ms.push(if memory.pinned { i64::MAX } else { memory.last_used_ms().unwrap_or(i64::MAX) });
        self.memories.push(memory);
        self.index = OnceLock::new();
        Ok(id)
    }

    /// Lets a memory count as used at a moment, in milliseconds since the epoch, if that is after its last use. Recall
    /// never does this by itself.
    ///
    /// # Errors
    /// [`Error::NoMemory`].
    pub fn used(&mut self, id: u32, now_ms: i64) -> Result<(), Error> {
        let len = self.memories.len();
        let memory = self.memories.get_mut(id as usize).ok_or(Error::NoMemory { found: id, len })?;
        let last = memory.last_used_ms().map_or(now_ms, |last| last.max(now_ms));
        memory.used_ms = Some(last);
        if !memory.pinned {
            self.used_ms[id as usize] = last;
        }
        Ok(())
    }

    /// The memory with an id.
    pub fn get(&self, id: u32) -> Option<&Memory> {
        self.memories.get(id as usize)
    }

    /// The vector of a memory.
    pub fn vector(&self, id: u32) -> Option<&[f32]> {
        self.vectors.chunks_exact(self.dim).nth(id as usize)
    }

    /// All vectors, one after the other: `[memories][dim]`.
    pub fn vectors(&self) -> &[f32] {
        &self.vectors
    }

    /// Makes ahead what the first recall after a change would, that of a cue without words among it.
    ///
    /// # Errors
    /// [`Error::Kernel`]: out of memory.
    pub fn prepare(&self) -> Result<(), Error> {
        if !self.is_empty() {
            self.index()?.whitening(&self.vectors)?;
        }
        Ok(())
    }

    pub(crate) fn index(&self) -> Result<&Index, Error> {
        // Made outside of the lock: a thread of a pool that makes it may run another cue meanwhile, which asks for it.
        if let Some(made) = self.index.get() {
            return Ok(made);
        }
        let made = Index::new(self)?;
        Ok(self.index.get_or_init(|| made))
    }
}

pub(crate) fn check_vector(what: &'static str, dim: usize, vector: &[f32]) -> Result<(), Error> {
    if vector.len() != dim {
        return Err(Error::Dim { what, expected: dim, found: vector.len() });
    }
    match vector.iter().position(|element| !(-ELEMENT_MOST..=ELEMENT_MOST).contains(element)) {
        Some(position) => {
            let (expected, found) = ("a number from -1e15 to 1e15", vector[position]);
            Err(Error::Value { what, position, expected, found })
        }
        None => Ok(()),
    }
}
