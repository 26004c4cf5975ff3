use ecphory::{PageRank, Seed, Spread, Weighting};

use crate::english::{Date, asks_time, dates, stem, terms, words};
use crate::index::Index;
use crate::ranking::{best, standardised};
use crate::scoring::Scored;
use crate::{Cue, Error, MemoryGraph, Options, Spreading};

const DAY_MS: i64 = 86_400_000;
/// Days after a date that a cue names, to which it still points; before it, half as many.
const DAYS_AFTER: f32 = 8.0;
/// Memories that pass on what they begin with, the best.
const SEEDS_MOST: usize = 1024;

impl MemoryGraph {
    /// What the cue names, and what each memory passes on.
    pub(crate) fn wake(
        &self,
        index: &Index,
        cue: &Cue<'_>,
        options: &Options<'_>,
        scored: &mut Scored,
    ) -> Result<(), Error> {
        let weights = &options.weights;
        let named = named(index, cue.text);
        let mut seeds: Vec<Seed> = best(&scored.seed, SEEDS_MOST)
            .into_iter()
            .map(|id| Seed::new(id, scored.seed[id as usize]))
            .filter(|seed| seed.activation > 0.0)
            .collect();
        let first = self.len();
        seeds.extend(self.sequences_woken(index, cue.text, &named, weights.part));
        let contexts = first + index.sequences.len();
        seeds.extend(self.contexts_woken(index, cue.text, &named, weights.context, contexts as u32));
        scored.woken = vec![0.0; contexts + index.contexts.len()];
        seeds.iter().for_each(|seed| scored.woken[seed.node as usize] = seed.activation);
        if !seeds.is_empty() {
            self.spread(index, &seeds, options, scored)?;
        }
        scored.days = self.days(cue.text, weights.context);
        if let Some(days) = &scored.days {
            scored.score.iter_mut().zip(days).for_each(|(score, day)| *score += day);
        }
        for ((score, question), _) in
            scored.score.iter_mut().zip(&mut scored.question).zip(&index.asks).filter(|both| *both.1)
        {
            *question = weights.question;
            *score -= weights.question;
        }
        Ok(())
    }

    /// What each memory receives, by the way that was chosen.
    fn spread(&self, index: &Index, seeds: &[Seed], options: &Options<'_>, scored: &mut Scored) -> Result<(), Error> {
        let factors = options.weights.factors();
        let spread = |hops, transmission, threshold| {
            let spread = Spread::default().weighting(Weighting::AsGiven).relations(&factors);
            index.graph.spread(seeds, &spread.hops(hops).transmission(transmission).threshold(threshold))
        };
        let found = match options.spreading {
            Spreading::Once => spread(1, 1.0, 0.0)?,
            Spreading::Hops { hops, transmission, threshold } => spread(hops, transmission, threshold)?,
            Spreading::PageRank { ranks, epsilon, weight } => {
                return self.rank_near(index, seeds, (ranks, epsilon, weight), scored);
            }
        };
        scored.passing = vec![0.0; scored.woken.len()];
        for (&node, &activation) in found.nodes.iter().zip(&found.activations) {
            let node = node as usize;
            let received = activation - scored.woken[node];
            // In one step nobody passes on what it receives.
            scored.passing[node] = if options.spreading == Spreading::Once { scored.woken[node] } else { activation };
            if node < self.len() {
                scored.received[node] = received;
                scored.score[node] += received;
            }
        }
        Ok(())
    }

    /// Ranks near the seeds, as standard scores.
    fn rank_near(
        &self,
        index: &Index,
        seeds: &[Seed],
        (ranks, epsilon, weight): (PageRank, f64, f32),
        scored: &mut Scored,
    ) -> Result<(), Error> {
        let near = ranks.push(&index.graph, seeds, epsilon)?;
        scored.passing = vec![0.0; scored.woken.len()];
        near.nodes.iter().zip(&near.ranks).for_each(|(&node, &rank)| scored.passing[node as usize] = rank);
        let of_memories = scored.passing[..self.len()].to_vec();
        let mut received: Vec<f32> =
            scored.seed.iter().map(|seed| if seed.is_nan() { f32::NAN } else { 0.0 }).collect();
        standardised(&of_memories, &mut received, weight);
        scored.score.iter_mut().zip(&received).for_each(|(score, received)| *score += received);
        scored.received = received;
        Ok(())
    }

    /// Sequences, by the standard scores of their words; names, which many of them have, left out.
    fn sequences_woken(&self, index: &Index, text: &str, named: &[usize], weight: f32) -> Vec<Seed> {
        if weight == 0.0 || text.is_empty() || index.sequences.is_empty() {
            return Vec::new();
        }
        let is_name = |term: &String| named.iter().any(|&context| index.contexts[context].stems.contains(term));
        let asked: Vec<String> = terms(text).into_iter().filter(|term| !is_name(term)).collect();
        let mut woken = vec![0.0; index.sequences.len()];
        standardised(&index.sequence_keywords.scores(&asked), &mut woken, weight);
        let node = self.len() as u32;
        (node..).zip(woken).filter(|(_, woken)| *woken > 0.0).map(|(node, woken)| Seed::new(node, woken)).collect()
    }

    /// Contexts that a text names or asks for, those of one key together as one.
    fn contexts_woken(&self, index: &Index, text: &str, named: &[usize], weight: f32, node: u32) -> Vec<Seed> {
        let mut woken = Vec::new();
        if weight == 0.0 {
            return woken;
        }
        let timed = index.contexts.len() - 1;
        let groups = named.chunk_by(|&a, &b| index.contexts[a].key == index.contexts[b].key).map(<[usize]>::to_vec);
        for group in groups.chain(asks_time(text).then(|| vec![timed])) {
            let mut members: Vec<u32> =
                group.iter().flat_map(|&context| &index.contexts[context].members).copied().collect();
            members.sort_unstable();
            members.dedup();
            let strength = strength(self.len(), members.len() as f32);
            if strength > 0.0 {
                woken.extend(group.iter().map(|&context| Seed::new(node + context as u32, weight * strength)));
            }
        }
        woken
    }

    /// What the dates that a text names bring each memory, by the day on which it was made.
    fn days(&self, text: &str, weight: f32) -> Option<Vec<f32>> {
        let dates = if weight > 0.0 { dates(text) } else { Vec::new() };
        let made: Vec<i64> = match dates.is_empty() {
            true => return None,
            false => self.memories.iter().map(|memory| memory.created_ms.div_euclid(DAY_MS)).collect(),
        };
        let mut all = vec![0.0f32; self.len()];
        for date in dates {
            let nearness: Vec<f32> = made.iter().map(|&made| near(&date, made)).collect();
            let strength = strength(self.len(), nearness.iter().sum());
            all.iter_mut().zip(nearness).for_each(|(most, near)| *most = most.max(weight * strength * near));
        }
        Some(all)
    }
}

/// How much a context with so many of the memories says: nothing where it has all of them, or none.
fn strength(memories: usize, members: f32) -> f32 {
    if members > 0.0 { (memories as f32 / members).ln().max(0.0) } else { 0.0 }
}

/// The contexts that a text names, in order.
fn named(index: &Index, text: &str) -> Vec<usize> {
    let asked: Vec<String> = words(text).map(|word| stem(&word)).collect();
    let is_named = |stems: &[String]| !stems.is_empty() && stems.iter().all(|stem| asked.contains(stem));
    let contexts = index.contexts.iter().enumerate();
    contexts.filter(|(_, context)| is_named(&context.stems)).map(|(number, _)| number).collect()
}

/// 1 on the days of a date, falling to 0 in the days after it, and twice as fast before.
fn near(date: &Date, made: i64) -> f32 {
    let of_year = |year: i32| {
        let (first, last) = date.days(year);
        let gap = (made - last).max(0) + 2 * (first - made).max(0);
        (1.0 - gap as f32 / DAYS_AFTER).max(0.0)
    };
    match date.year {
        Some(year) => of_year(year),
        // Of any year: that of the memory, and those beside it.
        None => {
            let year = 1970 + made.div_euclid(365) as i32;
            (year - 2..=year + 1).map(of_year).fold(0.0, f32::max)
        }
    }
}
