//! What one links by oneself: memory to memory, by a relation.

use std::sync::OnceLock;

use ecphory::{Edge, Metric, Prepared, Rows, Search};

use crate::{Error, MemoryGraph, relation, weights};

/// Memories whose nearest are looked for at once.
const NEAREST_AT_ONCE: usize = 1024;

/// What leads from one memory to another.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Link<'a> {
    /// Where it begins.
    pub source: u32,
    /// Where it leads.
    pub target: u32,
    /// What it is called.
    pub relation: &'a str,
    /// How much it passes on.
    pub weight: f32,
    /// When it was made, in milliseconds since the Unix epoch, if anybody has said so.
    pub created_ms: Option<i64>,
    /// When it was last used, in the same way.
    pub used_ms: Option<i64>,
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

impl MemoryGraph {
    /// Links one memory to another: what the first has is passed on to the second, by `weight`, 0 to 1,000,000. Links
    /// between the same two of one relation add up in recall, and are listed one by one.
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

    /// [`MemoryGraph::link`], made at a moment, in milliseconds since the Unix epoch. Times of links are kept and told;
    /// recall does not go by them.
    ///
    /// # Errors
    /// As [`MemoryGraph::link`].
    pub fn link_at(
        &mut self,
        source: u32,
        target: u32,
        relation: &str,
        weight: f32,
        created_ms: i64,
    ) -> Result<(), Error> {
        self.link(source, target, relation, weight)?;
        self.times_of(self.links.len() - 1)[0] = Some(created_ms);
        Ok(())
    }

    /// Lets a link count as used at a moment, in milliseconds since the epoch, if that is after its last use. Links
    /// are counted from 0, as [`MemoryGraph::links`] lists them.
    ///
    /// # Errors
    /// [`Error::NoLink`].
    pub fn link_used(&mut self, number: usize, now_ms: i64) -> Result<(), Error> {
        if number >= self.links.len() {
            return Err(Error::NoLink { found: number, len: self.links.len() });
        }
        let used = &mut self.times_of(number)[1];
        *used = (*used).max(Some(now_ms));
        Ok(())
    }

    fn times_of(&mut self, number: usize) -> &mut [Option<i64>; 2] {
        if self.link_times.len() <= number {
            self.link_times.resize(number + 1, [None; 2]);
        }
        &mut self.link_times[number]
    }

    /// All links that one has made, those by [`MemoryGraph::link_nearest`] among them, in the order in which they were
    /// made. Memories that follow each other in a sequence, sequences and contexts are linked by recall itself.
    ///
    /// ```
    /// use ecphory_recall::{Memory, MemoryGraph, Schema};
    ///
    /// let mut graph = MemoryGraph::new(1, Schema::new())?;
    /// for vector in [1.0, 2.0] {
    ///     graph.insert(Memory::new(vec![vector]))?;
    /// }
    /// graph.link_at(0, 1, "because of", 0.5, 1_700_000_000_000)?;
    /// let link = graph.links().next().unwrap();
    /// assert_eq!((link.source, link.target, link.relation, link.weight), (0, 1, "because of", 0.5));
    /// assert_eq!((link.created_ms, link.used_ms), (Some(1_700_000_000_000), None));
    /// # Ok::<(), ecphory_recall::Error>(())
    /// ```
    pub fn links(&self) -> impl ExactSizeIterator<Item = Link<'_>> {
        self.links.iter().enumerate().map(|(number, (edge, relation))| {
            let [created_ms, used_ms] = self.link_times.get(number).copied().unwrap_or_default();
            let Edge { source, target, weight, .. } = *edge;
            Link { source, target, relation: relation::name(*relation, &self.relations), weight, created_ms, used_ms }
        })
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
}
