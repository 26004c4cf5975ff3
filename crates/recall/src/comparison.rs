//! How similar all vectors are to a cue's: by themselves, or by their copies and then, for what may be among the best, by
//! themselves.

use ecphory::{Metric, Prepared, Rows, Search};

use crate::index::Index;
use crate::ranking::{Standard, best};
use crate::room::Room;
use crate::whitening::{Toward, Whitening};
use crate::{Error, MemoryGraph, Options, Similarity, copies};

/// A graph's vectors and a cue's.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a, 'i> {
    pub graph: &'i MemoryGraph,
    pub index: &'i Index,
    pub vector: &'a [f32],
    pub allowed: Option<&'a [u64]>,
    pub options: &'a Options<'a>,
}

/// Every memory's similarity to a cue, and what it counts.
pub(crate) struct Comparison<'s, 'a, 'i> {
    side: Side<'a, 'i>,
    /// NaN where a filter keeps a memory out.
    pub similarity: Room<'s>,
    standard: Standard,
    way: Way<'i>,
    /// A bit for each that is of the vector; none where all are.
    settled: Vec<u64>,
}

enum Way<'i> {
    Cosine,
    Whitened(&'i Whitening, Toward),
}

impl<'a, 'i> Side<'a, 'i> {
    /// Of every vector with the cue's, in `similarity`.
    pub fn compare<'s>(self, by: Similarity, mut similarity: Room<'s>) -> Result<Comparison<'s, 'a, 'i>, Error> {
        let way = match by {
            Similarity::Whitened => {
                let whitening = self.index.whitening(&self.graph.vectors)?;
                Way::Whitened(whitening, whitening.toward(self.vector)?)
            }
            _ => Way::Cosine,
        };
        let copied = self.index.copies.as_ref();
        match (copied, &way) {
            (None, Way::Cosine) => {
                self.search(Metric::Cosine).scores_into(self.vector, &self.rows()?, &mut similarity)?;
            }
            (None, Way::Whitened(_, toward)) => {
                self.search(Metric::Dot).scores_into(&toward.vector[..], &self.rows()?, &mut similarity)?;
            }
            (Some((copied, _)), way) => {
                let vector = if let Way::Whitened(_, toward) = way { &toward.vector } else { self.vector };
                copies::dots(copied, vector, self.allowed, self.search(Metric::Dot), &mut similarity)?;
            }
        }
        match &way {
            Way::Whitened(whitening, toward) => whitening.likenesses(toward, &mut similarity),
            Way::Cosine if copied.is_some() => self.cosines(&mut similarity),
            Way::Cosine => {}
        }
        let settled = if copied.is_some() { vec![0; self.graph.len().div_ceil(64)] } else { Vec::new() };
        Ok(Comparison { side: self, standard: Standard::of(&similarity), similarity, way, settled })
    }

    fn search(&self, metric: Metric) -> Search {
        Search::new(metric).on_overflow(self.options.overflow)
    }

    fn rows(&self) -> Result<Prepared<'_>, Error> {
        let rows = Prepared::from_parts(Rows::new(&self.graph.vectors, self.graph.dim)?, &self.index.norms)?;
        Ok(match self.allowed {
            Some(bits) => rows.filtered(bits)?,
            None => rows,
        })
    }

    fn length(&self) -> f32 {
        self.vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt() as f32
    }

    /// Of the dot products of all copies; 0 where a vector has no norm.
    fn cosines(&self, dots: &mut [f32]) {
        let length = self.length();
        for (dot, &norm) in dots.iter_mut().zip(&self.index.norms) {
            let of_both = norm * length;
            *dot = if of_both > 0.0 || dot.is_nan() { *dot / of_both } else { 0.0 };
        }
    }
}

impl Comparison<'_, '_, '_> {
    /// What each similarity counts.
    pub fn counts(&self) -> impl Fn(f32) -> f32 + use<> {
        self.standard.above(self.side.options.weights.similarity)
    }

    /// What a similarity of copies may be off, times so much for each of `off_by`; none where all are of the vectors.
    fn off(&self) -> Option<(&[f32], f32)> {
        let of_one = self.side.options.weights.similarity / self.standard.deviation()?;
        let (_, off) = self.side.index.copies.as_ref()?;
        match &self.way {
            Way::Cosine => Some((off, of_one)),
            Way::Whitened(whitening, toward) => Some((whitening.off(), of_one * toward.length)),
        }
    }

    /// Those that are not yet of the vectors and may be among the `most` best by `scores`, in which their similarity
    /// counts once; and, of the vectors, what it counts more for each than was in the scores.
    pub fn settle(&mut self, scores: &[f32], most: usize) -> Result<Vec<(u32, f32)>, Error> {
        let Some((off, times)) = self.off().filter(|_| most > 0) else { return Ok(Vec::new()) };
        let open = |id: usize| self.settled[id / 64] >> (id % 64) & 1 == 0;
        let may_be_off = |id: usize| if open(id) { off[id] * times } else { 0.0 };
        let best = best(scores, most);
        // So many have this at least, so who cannot have it is not among them.
        let least = best.iter().map(|&id| scores[id as usize] - may_be_off(id as usize)).fold(f32::INFINITY, f32::min);
        let least = if best.len() < most { f32::NEG_INFINITY } else { least };
        let mut may_be = Vec::new();
        for (block, (scores, off)) in scores.chunks(64).zip(off.chunks(64)).enumerate() {
            let above = |(&score, &off): (&f32, &f32)| u32::from(score + off * times >= least);
            if scores.iter().zip(off).map(above).sum::<u32>() > 0 {
                let both = (block * 64..).zip(scores.iter().zip(off));
                may_be.extend(both.filter(|(id, both)| open(*id) && above(*both) > 0).map(|(id, _)| id as u32));
            }
        }
        let (counts, rows) = (self.counts(), self.side.rows()?);
        let settled = match &self.way {
            Way::Cosine => self.side.search(Metric::Cosine).gather(self.side.vector, &rows, &may_be)?,
            Way::Whitened(whitening, toward) => {
                let mut dots = self.side.search(Metric::Dot).gather(&toward.vector[..], &rows, &may_be)?;
                dots.iter_mut().zip(&may_be).for_each(|(dot, &id)| *dot = whitening.likeness(id as usize, toward, *dot));
                dots
            }
        };
        let mut more = Vec::with_capacity(may_be.len());
        for (id, similarity) in may_be.into_iter().zip(settled) {
            let at = id as usize;
            more.push((id, counts(similarity) - counts(self.similarity[at])));
            self.similarity[at] = similarity;
            self.settled[at / 64] |= 1 << (at % 64);
        }
        Ok(more)
    }
}
