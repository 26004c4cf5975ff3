//! How similar all vectors are to a cue's: by themselves, or by their copies and then, for what may be among the best,
//! by themselves.

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
    /// How far the cue's copy is from it.
    residual: f32,
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
        let (copied, mut residual) = (self.index.copies.as_ref(), 0.0);
        match (copied, &way) {
            (None, Way::Cosine) => {
                self.search(Metric::Cosine).scores_into(self.vector, &self.rows()?, &mut similarity)?;
            }
            (None, Way::Whitened(_, toward)) => {
                self.search(Metric::Dot).scores_into(&toward.vector[..], &self.rows()?, &mut similarity)?;
            }
            (Some((copied, _)), way) => {
                let vector = if let Way::Whitened(_, toward) = way { &toward.vector } else { self.vector };
                residual = copies::dots(copied, vector, self.allowed, self.search(Metric::Dot), &mut similarity)?;
            }
        }
        match &way {
            Way::Whitened(whitening, toward) => whitening.likenesses(toward, &mut similarity),
            Way::Cosine if copied.is_some() => self.cosines(&mut similarity),
            Way::Cosine => {}
        }
        Ok(Comparison { side: self, standard: Standard::of(&similarity), similarity, way, residual })
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

    /// How much more or less each similarity of a copy may count than that of the vector; none where all are of
    /// vectors.
    fn off(&self) -> Option<impl Fn(&f32) -> f32 + use<'_>> {
        let of_one = self.side.options.weights.similarity / self.standard.deviation()?;
        let (_, of_cosines) = self.side.index.copies.as_ref()?;
        let (off, length) = match &self.way {
            Way::Cosine => (of_cosines, 1.0),
            Way::Whitened(whitening, toward) => (whitening.off()?, toward.length),
        };
        let share = if let Way::Cosine = self.way { self.side.length().recip() } else { 1.0 };
        let (times, more) = off.times(length, self.residual * share);
        // A cue without length is alike to nothing, by copies too.
        (times + more).is_finite().then_some(move |each: &f32| of_one * (each * times + more))
    }

    fn off_each(&self) -> &[f32] {
        let of_cosines = self.side.index.copies.as_ref().map(|(_, off)| off);
        let off = if let Way::Whitened(whitening, _) = &self.way { whitening.off() } else { of_cosines };
        off.map_or(&[], |off| &off.each)
    }

    /// Those that may be among the `most` best, were their similarities of vectors.
    fn may_be_best(&self, scores: &[f32], most: usize) -> Vec<u32> {
        let Some(off) = self.off().filter(|_| most > 0) else { return Vec::new() };
        let (best, each) = (best(scores, most), self.off_each());
        // So many have this at least, so who cannot have it is not among them.
        let least = best.iter().map(|&id| scores[id as usize] - off(&each[id as usize])).fold(f32::INFINITY, f32::min);
        let least = if best.len() < most { f32::NEG_INFINITY } else { least };
        let mut may_be = Vec::new();
        for (block, (scores, each)) in scores.chunks(64).zip(each.chunks(64)).enumerate() {
            let above = |(&score, each): (&f32, &f32)| u32::from(score + off(each) >= least);
            if scores.iter().zip(each).map(above).sum::<u32>() > 0 {
                let both = (block * 64..).zip(scores.iter().zip(each));
                may_be.extend(both.filter(|(_, both)| above(*both) > 0).map(|(id, _)| id as u32));
            }
        }
        may_be
    }

    /// Takes the similarities of those that may be among the `most` best by `scores`, in which they count once, of
    /// vectors where they are of copies; returns what each counts more by that.
    pub fn settle(&mut self, scores: &[f32], most: usize) -> Result<Vec<(u32, f32)>, Error> {
        let may_be = self.may_be_best(scores, most);
        if may_be.is_empty() {
            return Ok(Vec::new());
        }
        let (counts, rows) = (self.counts(), self.side.rows()?);
        let settled = match &self.way {
            Way::Cosine => self.side.search(Metric::Cosine).gather(self.side.vector, &rows, &may_be)?,
            Way::Whitened(whitening, toward) => {
                let mut dots = self.side.search(Metric::Dot).gather(&toward.vector[..], &rows, &may_be)?;
                dots.iter_mut()
                    .zip(&may_be)
                    .for_each(|(dot, &id)| *dot = whitening.likeness(id as usize, toward, *dot));
                dots
            }
        };
        let mut more = Vec::with_capacity(may_be.len());
        for (id, similarity) in may_be.into_iter().zip(settled) {
            let at = id as usize;
            more.push((id, counts(similarity) - counts(self.similarity[at])));
            self.similarity[at] = similarity;
        }
        Ok(more)
    }
}
