use std::sync::OnceLock;

use ecphory::{Edge, Metric, Prepared, Rows, Search};

use crate::index::Index;
use crate::language::Language;
use crate::memory::Memory;
use crate::{Error, relation, weights};

/// With the nodes of sequences and contexts beside them, their ids stay within u32.
const MEMORIES_MOST: usize = 1 << 30;
/// Elements of vectors, so that products of two norms stay within f32.
const ELEMENT_MOST: f32 = 1e15;
/// Memories whose nearest are looked for at once.
const NEAREST_AT_ONCE: usize = 1024;

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

    /// Memories whose payload holds the same text under this key, a session's say, follow each other as they were
    /// inserted, and are parts of one whole.
    pub fn sequence(self, key: impl Into<String>) -> Self {
        Self { sequence: Some(key.into()), ..self }
    }

    /// Each text held under this key, a speaker's or a place's name say, is a node of its own, which a cue that names
    /// it wakes.
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

/// How far a long call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Steps done, which never go back.
    pub done: usize,
    /// Steps in all: the same in every report, and never 0.
    pub total: usize,
}

/// Memories, what is known of them, and what links them, all in memory.
///
/// What recall needs of all memories together (norms, keywords, edges) is made at the first recall after a change.
pub struct MemoryGraph {
    pub(crate) dim: usize,
    pub(crate) schema: Schema,
    pub(crate) memories: Vec<Memory>,
    pub(crate) vectors: Vec<f32>,
    /// When each was last used; of those pinned the last moment there is, from which on their age is 0.
    pub(crate) used_ms: Vec<i64>,
    pub(crate) links: Vec<(Edge, u8)>,
    pub(crate) relations: Vec<String>,
    index: OnceLock<Index>,
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
        let (memories, vectors, used_ms, links, relations) = Default::default();
        Ok(Self { dim, schema, memories, vectors, used_ms, links, relations, index: OnceLock::new() })
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
    /// [`Error::Dim`] for a vector of another dimension, [`Error::Value`] for an element that is not -1e15 to 1e15, [`Error::Full`]
    /// where there are 2^30; the graph is then as it was.
    pub fn insert(&mut self, mut memory: Memory) -> Result<u32, Error> {
        check_vector("memory", self.dim, &memory.vector)?;
        if self.memories.len() >= MEMORIES_MOST {
            return Err(Error::Full { most: MEMORIES_MOST });
        }
        let id = self.memories.len() as u32;
        self.vectors.extend_from_slice(&std::mem::take(&mut memory.vector));
        self.used_ms.push(if memory.pinned { i64::MAX } else { memory.used_ms });
        self.memories.push(memory);
        self.index = OnceLock::new();
        Ok(id)
    }

    /// Links one memory to another: what the first has is passed on to the second, by `weight`, 0 to 1,000,000. Links between the same two of one relation add up.
    ///
    /// # Errors
    /// [`Error::NoMemory`], [`Error::Option`] for the weight, and [`Error::Relations`] where the name is one too many.
    pub fn link(&mut self, source: u32, target: u32, relation: &str, weight: f32) -> Result<(), Error> {
        let len = self.memories.len();
        if let Some(&found) = [source, target].iter().find(|&&id| id as usize >= len) {
            return Err(Error::NoMemory { found, len });
        }
        weights::check("weight of a link", weight)?;
        let known = self.relations.iter().position(|name| name == relation);
        let own = match known {
            Some(own) => own,
            None if self.relations.len() == relation::OWN_MOST => {
                return Err(Error::Relations { name: relation.into(), most: relation::OWN_MOST });
            }
            None => {
                self.relations.push(relation.into());
                self.relations.len() - 1
            }
        };
        self.links.push((Edge::new(source, target, weight), relation::own(own)));
        self.index = OnceLock::new();
        Ok(())
    }

    /// Lets a memory count as used at a moment, in milliseconds since the epoch, if that is after its last use. Recall
    /// never does this by itself.
    ///
    /// # Errors
    /// [`Error::NoMemory`].
    pub fn used(&mut self, id: u32, now_ms: i64) -> Result<(), Error> {
        let len = self.memories.len();
        let memory = self.memories.get_mut(id as usize).ok_or(Error::NoMemory { found: id, len })?;
        memory.used_ms = memory.used_ms.max(now_ms);
        let last = &mut self.used_ms[id as usize];
        *last = now_ms.max(*last);
        Ok(())
    }

    /// Links each memory to the `k` that are nearest to it by cosine, itself left out, where that is `least` or more,
    /// by the cosine. Returns how many links were made. It compares all with all: `memories^2 * dim` multiplications
    /// and as many additions, on the threads of the current rayon pool; on the way, 24 bytes for each link, and for
    /// 1,024 memories at a time what they found.
    ///
    /// Links of memories inserted later are not made: it is for a graph as it is.
    ///
    /// # Errors
    /// As [`MemoryGraph::link`]; [`Error::Option`] for a `least` outside 0 to 1; [`Error::Kernel`]. No link is then
    /// made.
    pub fn link_nearest(&mut self, k: usize, least: f32, relation: &str) -> Result<usize, Error> {
        self.link_nearest_telling(k, least, relation, |_| {})
    }

    /// [`MemoryGraph::link_nearest`], telling `progress` from this thread how far it has come: after each 1,024
    /// memories, last of all that it is done.
    ///
    /// ```
    /// use ecphory_recall::{Memory, MemoryGraph, Schema};
    ///
    /// let mut graph = MemoryGraph::new(2, Schema::new())?;
    /// for vector in [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]] {
    ///     graph.insert(Memory::new(vector.into()))?;
    /// }
    /// let mut shown = 0;
    /// let links = graph.link_nearest_telling(1, 0.7, "near", |now| shown = now.done * 100 / now.total)?;
    /// assert_eq!((links, shown), (2, 100));
    /// # Ok::<(), ecphory_recall::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`MemoryGraph::link_nearest`].
    pub fn link_nearest_telling(
        &mut self,
        k: usize,
        least: f32,
        relation: &str,
        mut progress: impl FnMut(Progress),
    ) -> Result<usize, Error> {
        if !(0.0..=1.0).contains(&least) {
            return Err(Error::Option { what: "least", expected: "a cosine from 0 to 1", found: least.into() });
        }
        if self.is_empty() || k == 0 {
            return Ok(0);
        }
        let rows = Prepared::new(Rows::new(&self.vectors, self.dim)?)?;
        let search = Search::new(Metric::Cosine).threshold(least);
        let mut near = Vec::new();
        for (block, queries) in self.vectors.chunks(NEAREST_AT_ONCE * self.dim).enumerate() {
            let first = (block * NEAREST_AT_ONCE) as u32;
            let found = search.top_k_each(&Rows::new(queries, self.dim)?, &rows, k.saturating_add(1))?;
            for (source, found) in (first..).zip(found) {
                let others = found.hits.iter().filter(|hit| hit.row != source as usize).take(k);
                near.extend(others.map(|hit| (source, hit.row as u32, hit.score.min(1.0))));
            }
            let done = self.len().min((block + 1) * NEAREST_AT_ONCE);
            progress(Progress { done, total: self.len() });
        }
        for &(source, target, cosine) in &near {
            self.link(source, target, relation, cosine)?;
        }
        Ok(near.len())
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
