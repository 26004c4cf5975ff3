use std::collections::HashSet;
use std::time::Instant;

use ecphory::arena;
use rayon::prelude::*;

use crate::index::Index;
use crate::ranking::best;
use crate::room::{Room, Rooms};
use crate::telling::Telling;
use crate::{Cue, Error, HeldBack, HeldBy, MemoryGraph, Options, Recall, Similarity, Timings};

/// What stays of a score at least, whatever its age.
const FLOOR: f32 = 0.01;

impl MemoryGraph {
    /// What a cue brings back. Nothing is changed by it: no memory counts as used.
    ///
    /// As many come back as [`Options::top_k`] says, where so many may be recalled, also if they have nothing to do
    /// with the cue: such a hit has a [`Hit::seed`](crate::Hit) of 0 and has received nothing. Where a cue is like
    /// none, has no word of any and names nothing, all are like that: the first by id come back, with a score of 0,
    /// those that only ask after all others.
    ///
    /// ```
    /// use ecphory_recall::{Cue, Memory, MemoryGraph, Options, Schema};
    ///
    /// let mut graph = MemoryGraph::new(2, Schema::new().sequence("day"))?;
    /// let mut heard = |vector: [f32; 2], text, day| {
    ///     graph.insert(Memory::new(vector.into()).text(text).with("day", day))
    /// };
    /// let asked = heard([1.0, 0.0], "Where did you leave the keys?", "Monday")?;
    /// let told = heard([0.0, 1.0], "On the shelf.", "Monday")?;
    /// heard([0.6, -0.8], "Nice weather.", "Tuesday")?;
    ///
    /// let found = graph.recall(&Cue::new().vector(&[1.0, 0.1]).text("the keys"), &Options::default().top_k(2))?;
    /// assert_eq!(found.hits[0].memory, told); // By what was said before it.
    /// assert_eq!(found.hits[0].received[0].relation, "answer");
    /// assert_eq!(found.hits[1].memory, asked);
    /// # Ok::<(), ecphory_recall::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::EmptyCue`]; [`Error::Dim`] and [`Error::Value`] for vectors and scores; [`Error::Option`] for weights
    /// and ways of spreading; [`Error::NoMemory`] for ids of scores and filters; [`Error::Kernel`] with what a kernel
    /// said, or the arena: out of memory by [`Options::on_overflow`].
    pub fn recall(&self, cue: &Cue<'_>, options: &Options<'_>) -> Result<Recall, Error> {
        options.check(self)?;
        self.check_cue(cue)?;
        if self.is_empty() {
            return Ok(Recall::default());
        }
        let index = self.index()?;
        let allowed = options.filter.map(|filter| filter.bits(&self.memories));
        arena::scope(|scratch| {
            let rooms = Rooms { scratch, overflow: options.overflow };
            self.recall_in(index, cue, options, allowed.as_deref(), &rooms)
        })?
    }

    fn recall_in(
        &self,
        index: &Index,
        cue: &Cue<'_>,
        options: &Options<'_>,
        allowed: Option<&[u64]>,
        rooms: &Rooms<'_, '_>,
    ) -> Result<Recall, Error> {
        let mut scored = self.score(index, cue, options, allowed, rooms)?;
        let start = Instant::now();
        let tells_faded = options.held_back_most > 0 && options.retention.is_some();
        let mut unfaded = Vec::new();
        if tells_faded {
            scored.settle(options.top_k, None)?;
            unfaded = best(&scored.score, options.top_k);
        }
        let retained = self.fade(cue, options, &mut scored.score, rooms)?;
        scored.settle(options.top_k, retained.as_deref())?;
        let top = best(&scored.score, options.top_k);
        let mut held_back = held(&unfaded, &top, HeldBy::Retention, |_| true);
        if let Some(bits) = allowed.filter(|_| options.held_back_most > 0) {
            let mut all = self.score(index, cue, options, None, rooms)?;
            scored.stopped_early |= all.stopped_early;
            let retained = self.fade(cue, options, &mut all.score, rooms)?;
            all.settle(options.top_k, retained.as_deref())?;
            let out = |id: u32| bits[id as usize / 64] >> (id % 64) & 1 == 0;
            held_back.extend(held(&best(&all.score, options.top_k), &top, HeldBy::Filter, out));
        }
        held_back.sort_by_key(|held| held.rank);
        held_back.truncate(options.held_back_most);
        let telling = Telling { graph: self, index, cue, options, scored: &scored, retained: retained.as_deref() };
        let hits = telling.hits(&top);
        let timings = Timings { telling: start.elapsed(), ..scored.timings };
        Ok(Recall { hits, held_back, timings, stopped_early: scored.stopped_early })
    }

    /// [`MemoryGraph::recall`] of each cue, on the threads of the current rayon pool. [`Options::deadline`] is one for
    /// all: cues whose turn comes after it bring nothing back, and tell so by [`Recall::stopped_early`].
    ///
    /// # Errors
    /// As [`MemoryGraph::recall`], of the first cue that has one; all are checked before the first is asked.
    pub fn recall_each(&self, cues: &[Cue<'_>], options: &Options<'_>) -> Result<Vec<Recall>, Error> {
        options.check(self)?;
        cues.iter().try_for_each(|cue| self.check_cue(cue))?;
        let index = self.index()?;
        let whitened = |cue: &Cue<'_>| cue.vector.is_some() && self.similarity_of(cue, options) == Similarity::Whitened;
        if cues.iter().any(whitened) {
            // Before cues would each make it.
            index.whitening(&self.vectors)?;
        }
        let late = || options.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        let none = || Recall { stopped_early: true, ..Recall::default() };
        cues.par_iter().map(|cue| if late() { Ok(none()) } else { self.recall(cue, options) }).collect()
    }

    /// What of each score has not faded, if anything may.
    fn fade<'s>(
        &self,
        cue: &Cue<'_>,
        options: &Options<'_>,
        scores: &mut [f32],
        rooms: &Rooms<'_, 's>,
    ) -> Result<Option<Room<'s>>, Error> {
        let (Some((law, weight)), Some(now_ms)) = (&options.retention, cue.now_ms) else { return Ok(None) };
        let (mut ages, mut retained) = (rooms.take(self.len())?, rooms.take(self.len())?);
        ages.iter_mut().zip(&self.used_ms).for_each(|(age, &used_ms)| *age = age_seconds(now_ms, used_ms));
        retained.fill(1.0);
        law.apply(&mut retained, ecphory::Ages::Seconds(&ages))?;
        for (retained, score) in retained.iter_mut().zip(scores) {
            *retained = (1.0 - weight * (1.0 - *retained)).max(FLOOR);
            // What tells against a memory does not fade.
            *score *= if *score > 0.0 { *retained } else { 1.0 };
        }
        Ok(Some(retained))
    }
}

/// 0 in the future.
pub(crate) fn age_seconds(now_ms: i64, used_ms: i64) -> f32 {
    now_ms.saturating_sub(used_ms).max(0) as f32 / 1e3
}

/// Those of the first that are not in the second, with their rank in the first.
fn held(would: &[u32], did: &[u32], by: HeldBy, counts: impl Fn(u32) -> bool) -> Vec<HeldBack> {
    let did: HashSet<&u32> = did.iter().collect();
    let missing = (1..).zip(would).filter(|(_, id)| !did.contains(*id) && counts(**id));
    missing.map(|(rank, &memory)| HeldBack { memory, by, rank }).collect()
}
