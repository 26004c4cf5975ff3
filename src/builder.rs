use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::bands::Bands;
use crate::{Edge, Error, Graph};

type Told<'p> = Box<dyn FnMut(Progress) + Send + 'p>;

/// How far the building of a graph has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Steps done, which never go back.
    pub done: usize,
    /// Steps in all: the same in every report, and never 0.
    pub total: usize,
}

/// Makes a [`Graph`] of edges in any order; by [`Graph::builder`].
///
/// Edges are sorted on the threads of the current rayon pool, few of them on the calling one. The graph depends neither
/// on the threads nor on the order of the edges. Memory: 12 bytes for each edge given, one more where edges have
/// relations; what the graph takes ([`Graph::bytes`]), as if no edge were a repeated one; and what each thread sorts at
/// a time, 8 bytes, 16 with relations, for each edge out of a band of nodes: some 8,000 edges, or a 1024th of all where
/// that is more, if many nodes have some; where one node has most of them, as many as it has.
#[must_use]
pub struct GraphBuilder<'p> {
    node_count: usize,
    edges: Vec<Edge>,
    /// As many as `edges` once one has a relation; none before.
    relations: Vec<u8>,
    progress: Option<Told<'p>>,
}

impl std::fmt::Debug for GraphBuilder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (nodes, edges) = (self.node_count, self.edges.len());
        f.debug_struct("GraphBuilder").field("node_count", &nodes).field("edges", &edges).finish_non_exhaustive()
    }
}

impl<'p> GraphBuilder<'p> {
    pub(crate) fn new(node_count: usize) -> Self {
        Self { node_count, edges: Vec::new(), relations: Vec::new(), progress: None }
    }

    /// Adds edges. Where others have a relation, that of these is 0.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn edges(mut self, edges: impl IntoIterator<Item = Edge>) -> Result<Self, Error> {
        let typed = !self.relations.is_empty();
        append(&mut self.edges, edges)?;
        if typed {
            let missing = self.edges.len() - self.relations.len();
            append(&mut self.relations, std::iter::repeat_n(0, missing))?;
        }
        Ok(self)
    }

    /// Adds edges with their relation, a number of the caller's meaning. Edges between the same nodes are one if their
    /// relation is the same, and several if it is not.
    ///
    /// ```
    /// use ecphory::{Edge, Graph};
    ///
    /// let edges = [(0, 0.5), (1, 0.25), (0, 0.5)].map(|(relation, weight)| (Edge::new(0, 1, weight), relation));
    /// let graph = Graph::builder(2).related(edges)?.build()?;
    /// assert_eq!(graph.edges_of(0).collect::<Vec<_>>(), [Edge::new(0, 1, 1.0), Edge::new(0, 1, 0.25)]);
    /// assert_eq!(graph.relations_of(0), Some(&[0, 1][..]));
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn related(mut self, edges: impl IntoIterator<Item = (Edge, u8)>) -> Result<Self, Error> {
        let edges = edges.into_iter();
        if self.relations.is_empty() {
            append(&mut self.relations, std::iter::repeat_n(0, self.edges.len()))?;
        }
        let promised = edges.size_hint().0;
        reserve(&mut self.edges, promised)?;
        reserve(&mut self.relations, promised)?;
        for (edge, relation) in edges {
            append(&mut self.edges, [edge])?;
            append(&mut self.relations, [relation])?;
        }
        Ok(self)
    }

    /// Tells `progress` now and then how far [`GraphBuilder::build`] has come, from whichever thread that is at work,
    /// never from two at once; last of all that it is done.
    pub fn on_progress(self, progress: impl FnMut(Progress) + Send + 'p) -> Self {
        Self { progress: Some(Box::new(progress)), ..self }
    }

    /// The graph.
    ///
    /// # Errors
    /// [`Error::Range`] for a node count that is not 1 to 2^32 - 1, or more than 2^32 - 1 distinct edges;
    /// [`Error::Index`] for a source or target that is not a node and [`Error::Value`] for a weight that is negative or
    /// not finite, by position among all edges in the order in which they were added, the first one if there are
    /// several; [`Error::Value`] for a node whose weights do not sum to a finite f32; [`Error::OutOfMemory`].
    pub fn build(self) -> Result<Graph, Error> {
        Error::check_range("node count", 1, u32::MAX as usize, self.node_count)?;
        let report = Report::new(self.edges.len(), self.progress);
        let bands = Bands::of(self.node_count, self.edges, self.relations, &report)?;
        let graph = bands.graph(&report)?;
        report.end();
        Ok(graph)
    }
}

/// Tells of progress, on no thread's time but that of who has something to tell.
pub(crate) struct Report<'p> {
    done: AtomicUsize,
    total: usize,
    told: Mutex<Option<Told<'p>>>,
}

impl<'p> Report<'p> {
    /// Every edge is a step when it is put with its band, and another one when it is in its row; the last one is the
    /// graph.
    fn new(edges: usize, told: Option<Told<'p>>) -> Self {
        Self { done: AtomicUsize::new(0), total: edges.saturating_mul(2).saturating_add(1), told: Mutex::new(told) }
    }

    /// So many steps more. Who finds another one telling does not wait for it.
    pub(crate) fn step(&self, steps: usize) {
        self.done.fetch_add(steps, Ordering::Relaxed);
        if let Ok(mut told) = self.told.try_lock()
            && let Some(told) = told.as_mut()
        {
            // Read while nobody else tells, so that it never goes back.
            let done = self.done.load(Ordering::Relaxed);
            if done < self.total {
                told(Progress { done, total: self.total });
            }
        }
    }

    fn end(self) {
        if let Ok(Some(mut told)) = self.told.into_inner() {
            told(Progress { done: self.total, total: self.total });
        }
    }
}

fn reserve<T>(all: &mut Vec<T>, more: usize) -> Result<(), Error> {
    let needed = all.len().saturating_add(more).saturating_mul(size_of::<T>());
    all.try_reserve(more).map_err(|_| Error::OutOfMemory { needed, capacity: 0 })
}

fn append<T>(all: &mut Vec<T>, more: impl IntoIterator<Item = T>) -> Result<(), Error> {
    let mut more = more.into_iter();
    let (least, most) = more.size_hint();
    if most == Some(least) {
        reserve(all, least)?;
        all.extend(more);
        return Ok(());
    }
    while let Some(next) = more.next() {
        if all.len() == all.capacity() {
            reserve(all, more.size_hint().0.saturating_add(1))?;
        }
        all.push(next);
    }
    Ok(())
}
