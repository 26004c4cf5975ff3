use ecphory::{Graph, Seed, Spread, Weighting};

use crate::english::Date;
use crate::few::Few;
use crate::index::Index;
use crate::ranking::{Standard, best_by_id};
use crate::scoring::Scored;
use crate::{Cue, Error, MemoryGraph, Options, Spreading};

/// Days after a date that a cue names, to which it still points; before it, half as many.
const DAYS_AFTER: f32 = 8.0;

impl MemoryGraph {
    /// What the cue names, and what each memory passes on.
    pub(crate) fn wake(
        &self,
        index: &Index,
        cue: &Cue<'_>,
        options: &Options<'_>,
        scored: &mut Scored<'_, '_, '_>,
    ) -> Result<(), Error> {
        let weights = &options.weights;
        let named =
            if cue.text.is_empty() { Vec::new() } else { index.named_by(&self.schema.language.stems(cue.text)) };
        let mut seeds: Vec<Seed> = best_by_id(&scored.seed, options.seeds_most)
            .into_iter()
            .map(|id| Seed::new(id, scored.seed[id as usize]))
            .filter(|seed| seed.activation > 0.0)
            .collect();
        let first = self.len();
        seeds.extend(self.sequences_woken(index, cue.text, &named, weights.part, scored));
        let contexts = first + index.sequences.len();
        seeds.extend(self.contexts_woken(index, cue.text, &named, weights.context, contexts as u32));
        if !seeds.is_empty() && index.graph.edge_count() > 0 {
            self.spread(index, seeds, options, scored)?;
        }
        scored.days = self.days(index, cue.text, weights.context);
        if let Some(days) = &scored.days {
            scored.score.iter_mut().zip(days).for_each(|(score, day)| *score += day);
        }
        if weights.question > 0.0 {
            scored.question = weights.question;
            index.asking.iter().for_each(|&id| scored.score[id as usize] -= weights.question);
        }
        Ok(())
    }

    /// What each memory receives, by the way that was chosen.
    fn spread(
        &self,
        index: &Index,
        seeds: Vec<Seed>,
        options: &Options<'_>,
        scored: &mut Scored<'_, '_, '_>,
    ) -> Result<(), Error> {
        let (nodes, factors) = (index.graph.node_count(), options.weights.factors());
        // In one step what a filter keeps out has nothing to pass on, and what it receives counts for nothing.
        if options.spreading != Spreading::Once && scored.in_play < self.len() {
            scored.in_play_graph = Some(between(&index.graph, &scored.seed)?);
        }
        let graph = scored.in_play_graph.as_ref().unwrap_or(&index.graph);
        let spread = |hops, transmission, threshold| {
            let spread =
                Spread::default().weighting(Weighting::AsGiven).relations(&factors).on_overflow(options.overflow);
            graph.spread(&seeds, &spread.hops(hops).transmission(transmission).threshold(threshold))
        };
        let found = match options.spreading {
            Spreading::Once => spread(1, 1.0, 0.0)?,
            Spreading::Hops { hops, transmission, threshold } => spread(hops, transmission, threshold)?,
            Spreading::PageRank { ranks, epsilon, weight } => {
                let near = ranks.push(graph, &seeds, epsilon)?;
                scored.woken = Few::new(nodes, seeds);
                let ranks = near.nodes.into_iter().zip(near.ranks).map(|(node, rank)| Seed::new(node, rank));
                self.rank(ranks.collect(), nodes, weight, scored);
                return Ok(());
            }
        };
        scored.woken = Few::new(nodes, seeds);
        for reached in found.iter().filter(|reached| (reached.node as usize) < self.len()) {
            scored.score[reached.node as usize] += reached.activation - scored.woken.of(reached.node);
        }
        // In one step nobody passes on what it receives.
        if options.spreading != Spreading::Once {
            scored.reached = Some(Few::new(nodes, found.iter().collect()));
        }
        Ok(())
    }

    /// Ranks near the seeds, as standard scores.
    fn rank(&self, ranks: Vec<Seed>, nodes: usize, weight: f32, scored: &mut Scored<'_, '_, '_>) {
        let in_play = |rank: &&Seed| scored.seed.get(rank.node as usize).is_some_and(|seed| !seed.is_nan());
        let of_memories: Vec<f32> = ranks.iter().filter(in_play).map(|rank| rank.activation).collect();
        let standard = Standard::of_few(&of_memories, scored.in_play);
        let counts = standard.above(weight);
        for rank in ranks.iter().filter(|rank| (rank.node as usize) < self.len()) {
            scored.score[rank.node as usize] += counts(rank.activation);
        }
        scored.ranked = Some((standard, weight));
        scored.reached = Some(Few::new(nodes, ranks));
    }

    /// Sequences, by the standard scores of the words of those of their memories that are in play; names, which many of
    /// them have, left out.
    fn sequences_woken(
        &self,
        index: &Index,
        text: &str,
        named: &[usize],
        weight: f32,
        scored: &Scored<'_, '_, '_>,
    ) -> Vec<Seed> {
        if weight == 0.0 || text.is_empty() || index.sequences.is_empty() {
            return Vec::new();
        }
        let is_name = |term: &String| named.iter().any(|&context| index.contexts[context].stems.contains(term));
        let mut asked = self.schema.language.terms(text, &index.kept);
        asked.retain(|term| !is_name(term));
        let scores = if scored.in_play == self.len() {
            index.sequence_keywords.scores(&asked)
        } else {
            index.sequence_scores_of(&asked, |id| !scored.seed[id as usize].is_nan())
        };
        let woken = scores.iter().copied().map(Standard::of(&scores).above(weight));
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
        let asks_time = self.schema.language.asks_time(text);
        for group in groups.chain(asks_time.then(|| vec![timed])) {
            let strength = strength(self.len(), index.members(&group) as f32);
            if strength > 0.0 {
                woken.extend(group.iter().map(|&context| Seed::new(node + context as u32, weight * strength)));
            }
        }
        woken
    }

    /// What the dates that a text names bring each memory, by the day on which it was made.
    fn days(&self, index: &Index, text: &str, weight: f32) -> Option<Vec<f32>> {
        let dates = if weight > 0.0 { self.schema.language.dates(text) } else { Vec::new() };
        if dates.is_empty() {
            return None;
        }
        let mut all = vec![0.0f32; self.len()];
        for date in dates {
            let nearness: Vec<f32> = index.made.iter().map(|made| made.map_or(0.0, |made| near(&date, made))).collect();
            let strength = strength(self.len(), nearness.iter().sum());
            all.iter_mut().zip(nearness).for_each(|(most, near)| *most = most.max(weight * strength * near));
        }
        Some(all)
    }
}

/// A graph's edges between nodes that are in play: memories whose score is not NaN, and all that is no memory.
fn between(graph: &Graph, scores: &[f32]) -> Result<Graph, Error> {
    let in_play = |node: u32| scores.get(node as usize).is_none_or(|score| !score.is_nan());
    let (mut offsets, mut targets, mut weights, mut relations) = (vec![0], Vec::new(), Vec::new(), Vec::new());
    for node in 0..graph.node_count() as u32 {
        if in_play(node) {
            let of_edges = graph.relations_of(node).unwrap_or_default();
            for (edge, &relation) in graph.edges_of(node).zip(of_edges).filter(|(edge, _)| in_play(edge.target)) {
                targets.push(edge.target);
                weights.push(edge.weight);
                relations.push(relation);
            }
        }
        offsets.push(targets.len() as u32);
    }
    Ok(Graph::from_csr(offsets, targets, weights, Some(relations))?)
}

/// How much a context with so many of the memories says: nothing where it has all of them, or none.
fn strength(memories: usize, members: f32) -> f32 {
    if members > 0.0 { (memories as f32 / members).ln().max(0.0) } else { 0.0 }
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
