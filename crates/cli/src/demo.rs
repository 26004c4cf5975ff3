use std::time::Instant;

use ecphory::{Activation, Ages, Decay, Metric, Search, Seed, Spread};
use serde::Serialize;

use crate::arenas::Arenas;
use crate::cue::Cue;
use crate::failure::Failure;
use crate::relations::{GROUPS, Group};
use crate::wordnet::{DIM, WordNet};

/// So many of the memories most like the cue wake at first.
const SEEDS: usize = 10;
const HOPS: u32 = 3;
const TRANSMISSION: f32 = 0.8;
/// What is woken fades a little with each hop: a cue that stayed as strong would hide most of what it wakes.
const RETAIN: f32 = 0.8;
const THRESHOLD: f32 = 0.01;
const HALF_LIFE_DAYS: u32 = 30;
const DAY_SECONDS: f32 = 86_400.0;
const AGE_STEP_DAYS: u64 = 37;
const AGE_SPAN_DAYS: u64 = 61;
/// Each step runs so often again: its first run also maps arenas and starts threads.
const LATER_RUNS: usize = 10;

/// Days since memory `id` was last strengthened. WordNet does not say, so a rule has to.
fn age_days(id: u32) -> u64 {
    AGE_STEP_DAYS * u64::from(id) % AGE_SPAN_DAYS
}

fn age_rule() -> String {
    format!("age in days = {AGE_STEP_DAYS} * id mod {AGE_SPAN_DAYS}")
}

/// All that the demo found.
#[derive(Debug, Serialize)]
pub struct Outcome<'a> {
    pub cue: Cue,
    pub graph: GraphFacts,
    pub similarity: Similarity<'a>,
    pub spreading: Spreading<'a>,
    pub decay: Fading<'a>,
    pub arena: Arenas,
    pub later_runs: usize,
}

#[derive(Debug, Serialize)]
pub struct GraphFacts {
    pub nodes: usize,
    pub dim: usize,
    pub typed_edges: usize,
    pub edges: usize,
    pub load_ms: f64,
    pub weights: &'static [Group],
}

#[derive(Debug, Serialize)]
pub struct Similarity<'a> {
    pub metric: &'static str,
    pub time: Timing,
    pub ranking: Vec<Entry<'a>>,
}

#[derive(Debug, Serialize)]
pub struct Spreading<'a> {
    pub seeds: Vec<u32>,
    pub hops: u32,
    pub transmission: f32,
    pub retain: f32,
    pub threshold: f32,
    pub reached: usize,
    #[serde(flatten)]
    pub changes: Changes,
    pub time: Timing,
    pub ranking: Vec<Entry<'a>>,
}

#[derive(Debug, Serialize)]
pub struct Fading<'a> {
    pub half_life_days: u32,
    pub age_rule: String,
    #[serde(flatten)]
    pub changes: Changes,
    pub time: Timing,
    pub ranking: Vec<Entry<'a>>,
}

/// A place in a ranking.
#[derive(Debug, Serialize)]
pub struct Entry<'a> {
    pub rank: usize,
    pub id: u32,
    pub synset: &'static str,
    pub lemmas: &'a [&'static str],
    pub score: f32,
    /// The rank before this step; none for a memory that was not in the ranking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_rank: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_days: Option<u64>,
}

/// What a step did to the ranking before it.
#[derive(Debug, Serialize, PartialEq)]
pub struct Changes {
    pub new: usize,
    pub moved: usize,
    pub unchanged: usize,
}

#[derive(Debug, Serialize)]
pub struct Timing {
    pub first_ms: f64,
    pub median_ms: f64,
}

/// Asks `wordnet` with `asked` and keeps the `top` best of each step.
pub fn run<'a>(wordnet: &'a WordNet, load_ms: f64, asked: &str, top: usize) -> Result<Outcome<'a>, Failure> {
    if !(1..=wordnet.synsets.len()).contains(&top) {
        let nodes = wordnet.synsets.len();
        return Err(Failure::Input(format!("--top: expected a number from 1 to {nodes}, found {top}")));
    }
    let cue = Cue::find(asked, wordnet)?;
    let (similarity, seeds) = compare(wordnet, &cue, top)?;
    let (spreading, woken) = wake(wordnet, &seeds, &similarity.ranking, top)?;
    let decay = fade(wordnet, &woken, &spreading.ranking, top)?;
    let graph = GraphFacts {
        nodes: wordnet.graph.node_count(),
        dim: DIM,
        typed_edges: wordnet.links.len(),
        edges: wordnet.graph.edge_count(),
        load_ms,
        weights: &GROUPS,
    };
    Ok(Outcome { cue, graph, similarity, spreading, decay, arena: Arenas::read(), later_runs: LATER_RUNS })
}

fn compare<'a>(wordnet: &'a WordNet, cue: &Cue, top: usize) -> Result<(Similarity<'a>, Vec<Seed>), Failure> {
    let (query, rows) = (cue.vector(wordnet)?, wordnet.vectors()?);
    let search = Search::new(Metric::Cosine);
    let (found, time) = timed(|| Ok(search.top_k(query, &rows, top.max(SEEDS))?))?;
    let hits: Vec<_> = found.hits.iter().map(|hit| Seed::new(hit.row as u32, hit.score)).collect();
    // A negative cosine is no reason to wake, and activation cannot be less than none.
    let seeds = hits.iter().take(SEEDS).map(|hit| Seed::new(hit.node, hit.activation.max(0.0))).collect();
    let ranking = entries(wordnet, &hits[..top.min(hits.len())], &[])?;
    Ok((Similarity { metric: "cosine", time, ranking }, seeds))
}

fn wake<'a>(
    wordnet: &'a WordNet,
    seeds: &[Seed],
    before: &[Entry<'_>],
    top: usize,
) -> Result<(Spreading<'a>, Activation), Failure> {
    let spread = Spread::default().hops(HOPS).transmission(TRANSMISSION).retain(RETAIN).threshold(THRESHOLD);
    let (woken, time) = timed(|| Ok(wordnet.graph.spread(seeds, &spread)?))?;
    let ranking = entries(wordnet, &woken.top_k(top)?, before)?;
    let spreading = Spreading {
        seeds: seeds.iter().map(|seed| seed.node).collect(),
        hops: HOPS,
        transmission: TRANSMISSION,
        retain: RETAIN,
        threshold: THRESHOLD,
        reached: woken.len(),
        changes: Changes::count(&ranking),
        time,
        ranking,
    };
    Ok((spreading, woken))
}

fn fade<'a>(wordnet: &'a WordNet, woken: &Activation, before: &[Entry<'_>], top: usize) -> Result<Fading<'a>, Failure> {
    let ages: Vec<_> = woken.nodes.iter().map(|&id| age_days(id) as f32 * DAY_SECONDS).collect();
    let law = Decay::half_life_seconds(HALF_LIFE_DAYS as f32 * DAY_SECONDS)?;
    let (faded, time) = timed(|| {
        let mut faded = woken.clone();
        law.apply(&mut faded.activations, Ages::Seconds(&ages))?;
        Ok(faded)
    })?;
    let mut ranking = entries(wordnet, &faded.top_k(top)?, before)?;
    for entry in &mut ranking {
        entry.age_days = Some(age_days(entry.id));
    }
    let changes = Changes::count(&ranking);
    Ok(Fading { half_life_days: HALF_LIFE_DAYS, age_rule: age_rule(), changes, time, ranking })
}

fn entries<'a>(wordnet: &'a WordNet, best: &[Seed], before: &[Entry<'_>]) -> Result<Vec<Entry<'a>>, Failure> {
    let entry = |(rank, found): (usize, &Seed)| {
        let synset = wordnet.synset(found.node)?;
        Ok(Entry {
            rank,
            id: found.node,
            synset: synset.key,
            lemmas: &synset.lemmas,
            score: found.activation,
            previous_rank: before.iter().find(|entry| entry.id == found.node).map(|entry| entry.rank),
            age_days: None,
        })
    };
    (1..).zip(best).map(entry).collect()
}

impl Changes {
    fn count(ranking: &[Entry<'_>]) -> Self {
        let new = ranking.iter().filter(|entry| entry.previous_rank.is_none()).count();
        let unchanged = ranking.iter().filter(|entry| entry.previous_rank == Some(entry.rank)).count();
        Self { new, moved: ranking.len() - new - unchanged, unchanged }
    }
}

/// The result of the first run, and what the runs took.
fn timed<T>(mut step: impl FnMut() -> Result<T, Failure>) -> Result<(T, Timing), Failure> {
    let mut run = || {
        let start = Instant::now();
        step().map(|result| (result, start.elapsed().as_secs_f64() * 1e3))
    };
    let (result, first_ms) = run()?;
    let mut later = (0..LATER_RUNS).map(|_| run().map(|(_, ms)| ms)).collect::<Result<Vec<_>, _>>()?;
    later.sort_unstable_by(f64::total_cmp);
    Ok((result, Timing { first_ms, median_ms: later[later.len() / 2] }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cue_sentence_gives_three_full_rankings() {
        let wordnet = WordNet::load().unwrap();
        for number in 0..wordnet.cues.len() {
            let outcome = run(&wordnet, 0.0, &number.to_string(), 10).unwrap();
            for ranking in [&outcome.similarity.ranking, &outcome.spreading.ranking, &outcome.decay.ranking] {
                assert_eq!(ranking.iter().map(|entry| entry.rank).collect::<Vec<_>>(), Vec::from_iter(1..=10));
                assert!(ranking.is_sorted_by(|a, b| a.score >= b.score));
            }
            assert!(outcome.spreading.reached > SEEDS);
        }
    }

    #[test]
    fn the_ranking_by_similarity_is_the_one_that_plain_arithmetic_gives() {
        let wordnet = WordNet::load().unwrap();
        let rows = wordnet.vectors().unwrap();
        let cosine = |a: &[f32], b: &[f32]| {
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
            dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
        };
        let query = wordnet.cue_vectors().unwrap().row(0).unwrap();
        let mut expected: Vec<_> =
            (0..rows.len()).map(|id| (cosine(query, rows.row(id).unwrap()), id as u32)).collect();
        expected.sort_by(|a, b| b.0.total_cmp(&a.0));
        let outcome = run(&wordnet, 0.0, "0", 10).unwrap();
        for (entry, (score, id)) in outcome.similarity.ranking.iter().zip(expected) {
            assert_eq!(entry.id, id);
            assert!((f64::from(entry.score) - score).abs() < 1e-4);
        }
    }

    /// The documented step, taken by every node in f64.
    fn spread_plainly(wordnet: &WordNet, seeds: &[Seed]) -> Vec<f64> {
        let nodes = wordnet.graph.node_count();
        let (mut active, mut fired) = (vec![0.0; nodes], vec![false; nodes]);
        for seed in seeds {
            active[seed.node as usize] += f64::from(seed.activation);
        }
        for _ in 0..HOPS {
            let mut next: Vec<_> = active.iter().map(|activation| activation * f64::from(RETAIN)).collect();
            for node in 0..nodes {
                if fired[node] || active[node] < f64::from(THRESHOLD) {
                    continue;
                }
                fired[node] = true;
                let passed = f64::from(TRANSMISSION) * active[node];
                let sum: f64 = wordnet.graph.edges_of(node as u32).map(|edge| f64::from(edge.weight)).sum();
                for ecphory::Edge { target, weight, .. } in wordnet.graph.edges_of(node as u32) {
                    next[target as usize] += passed * f64::from(weight) / sum;
                }
            }
            active = next;
        }
        active
    }

    #[test]
    fn spreading_reaches_what_plain_arithmetic_reaches() {
        let wordnet = WordNet::load().unwrap();
        for number in 0..wordnet.cues.len() {
            let cue = Cue::find(&number.to_string(), &wordnet).unwrap();
            let (similarity, seeds) = compare(&wordnet, &cue, 10).unwrap();
            let (_, woken) = wake(&wordnet, &seeds, &similarity.ranking, 10).unwrap();
            let expected = spread_plainly(&wordnet, &seeds);
            assert_eq!(woken.len(), expected.iter().filter(|&&activation| activation > 0.0).count());
            for found in woken.iter() {
                let expected = expected[found.node as usize];
                assert!((f64::from(found.activation) - expected).abs() <= expected * 1e-5);
            }
        }
    }

    #[test]
    fn a_synset_as_cue_is_most_like_itself() {
        let wordnet = WordNet::load().unwrap();
        let outcome = run(&wordnet, 0.0, "musical instrument", 3).unwrap();
        let best = &outcome.similarity.ranking[0];
        assert!(best.lemmas.contains(&"musical instrument") && (best.score - 1.0).abs() < 1e-5);
    }

    #[test]
    fn decay_takes_each_activation_by_its_age() {
        let wordnet = WordNet::load().unwrap();
        let nodes = wordnet.synsets.len();
        let outcome = run(&wordnet, 0.0, "3", nodes).unwrap();
        assert_eq!(outcome.decay.ranking.len(), outcome.spreading.reached);
        for entry in &outcome.decay.ranking {
            let before = outcome.spreading.ranking.iter().find(|before| before.id == entry.id).unwrap().score;
            let expected = before * (-(age_days(entry.id) as f32) / HALF_LIFE_DAYS as f32).exp2();
            assert!((entry.score - expected).abs() <= expected * 1e-5);
        }
    }

    #[test]
    fn changes_count_new_moved_and_unchanged_places() {
        let entry = |rank, previous_rank| Entry {
            rank,
            id: 0,
            synset: "",
            lemmas: &[],
            score: 0.0,
            previous_rank,
            age_days: None,
        };
        let ranking = [entry(1, Some(1)), entry(2, Some(3)), entry(3, None), entry(4, Some(2))];
        assert_eq!(Changes::count(&ranking), Changes { new: 1, moved: 2, unchanged: 1 });
    }

    #[test]
    fn a_top_out_of_range_names_the_range() {
        let wordnet = WordNet::load().unwrap();
        for top in [0, 5001] {
            let message = format!("--top: expected a number from 1 to 5000, found {top}");
            assert_eq!(run(&wordnet, 0.0, "0", top).unwrap_err(), Failure::Input(message));
        }
    }
}
