//! Recall from a memory graph, beside the scan of its vectors and the reading of as many bytes.

use std::hint::black_box;
use std::sync::Arc;

use ecphory::{Metric, Prepared, Rows, Search};
use ecphory_recall::{Cue, Memory, MemoryGraph, Options, Schema, Similarity, Spreading, Weights};

use crate::{Case, Clock, Contender, Limits, Unit, Work, data};

const K: usize = 10;
const GOOD: &str = "a good graph and cue";

/// Vectors, what links them, and what is asked.
pub struct Known {
    /// As lines name it.
    pub name: &'static str,
    /// `[memories][dim]`.
    pub vectors: Vec<f32>,
    /// Elements of each.
    pub dim: usize,
    /// Source, target, weight.
    pub edges: Vec<(u32, u32, f32)>,
    /// `[dim]`.
    pub cue: Vec<f32>,
}

impl Known {
    /// 100,000 drawn vectors of 384, linked as `pl100k` is.
    #[must_use]
    pub fn drawn() -> Self {
        let (dim, csr) = (384, data::pl100k());
        let (vectors, edges) = (data::elements(1, csr.nodes() * dim), csr.edges().collect());
        Self { name: "pl100k", vectors, dim, edges, cue: data::elements(2, dim) }
    }

    /// How many memories there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.vectors.len() / self.dim
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.vectors.is_empty()
    }

    fn graph(&self, schema: Schema) -> Result<MemoryGraph, ecphory_recall::Error> {
        let mut graph = MemoryGraph::new(self.dim, schema)?;
        for vector in self.vectors.chunks_exact(self.dim) {
            graph.insert(Memory::new(vector.to_vec()))?;
        }
        self.edges.iter().try_for_each(|&(source, target, weight)| graph.link(source, target, "link", weight))?;
        Ok(graph)
    }
}

/// What it is called.
#[must_use]
pub fn work(case: &str, name: &str) -> Work {
    Work::Recall { case: case.into(), graph: name.into() }
}

/// The first recall after a change, which makes what recall needs of all memories together: by default, by a vector,
/// and by cosines alone.
///
/// # Errors
/// Who is wrong.
pub fn first10(known: &Known, threads: usize) -> Result<Case<'static>, String> {
    let mut case = Case::new(work("first10", known.name), threads, Unit::NsPer("memory"), known.len() as f64);
    let clock = Clock::for_threads(threads);
    let default = Options::default().top_k(K);
    for (name, options) in
        [("ecphory", default.clone()), ("ecphory-similarity", default.similarity(Similarity::Cosine))]
    {
        let mut graph = known.graph(Schema::new()).map_err(|error| error.to_string())?;
        let cue = known.cue.clone();
        let mut first = move || {
            // Nothing passes by it.
            graph.link(0, 0, "link", 0.0)?;
            graph.recall(&Cue::new().vector(&cue), &options)
        };
        if first().map_err(|error| error.to_string())?.hits.len() != K {
            return Err(format!("{name}: expected {K} hits, found others"));
        }
        case.add(Contender::new(name, clock, move || _ = black_box(first().expect(GOOD))));
    }
    Ok(case)
}

/// Memories with texts of 12 words, in sessions of 20, by 50 speakers: the words of one of them, and its speaker.
fn told(known: &Known, schema: Schema) -> Result<(MemoryGraph, String), ecphory_recall::Error> {
    let mut graph = MemoryGraph::new(known.dim, schema.sequence("session").context("speaker"))?;
    let mut random = data::Random::new(5);
    let mut asked = String::new();
    for (number, vector) in known.vectors.chunks_exact(known.dim).enumerate() {
        // Some words are in many texts, most in few.
        let words: Vec<String> = (0..12).map(|_| format!("word{}", (random.unit().powi(3) * 20e3) as u32)).collect();
        let speaker = format!("speaker{}", random.below(50));
        if number == known.len() / 2 {
            asked = format!("{speaker} {}", words[..6].join(" "));
        }
        let memory = Memory::new(vector.to_vec()).text(words.join(" ")).with("session", number / 20);
        graph.insert(memory.with("speaker", speaker))?;
    }
    Ok((graph, asked))
}

/// Recall of the best ten by a vector and words: by default, by words alone, and by copies of vectors.
///
/// # Errors
/// Who is wrong.
pub fn text10(known: &Known, threads: usize) -> Result<Case<'static>, String> {
    let mut case = Case::new(work("text10", known.name), threads, Unit::NsPer("memory"), known.len() as f64);
    let clock = Clock::for_threads(threads);
    for (name, schema, by_vector) in [
        ("ecphory", Schema::new(), true),
        ("ecphory-keywords", Schema::new(), false),
        ("ecphory-copies", Schema::new().copies(), true),
    ] {
        let (graph, text) = told(known, schema).map_err(|error| error.to_string())?;
        let (cue, options) = (known.cue.clone(), Options::default().top_k(K));
        let recall = move || {
            let words = Cue::new().text(&text);
            graph.recall(&if by_vector { words.vector(&cue) } else { words }, &options)
        };
        let hits = recall().map_err(|error| error.to_string())?.hits;
        if !hits.iter().any(|hit| hit.memory as usize == known.len() / 2 && hit.keywords > 0.0) {
            return Err(format!("{name}: expected the text that was asked for, found others"));
        }
        case.add(Contender::new(name, clock, move || _ = black_box(recall().expect(GOOD))));
    }
    Ok(case)
}

/// Recall of the best ten by a vector on so many threads: by default, by cosines alone, by cosines with two hops from
/// ten seeds, and all of it by copies.
///
/// # Errors
/// Who is wrong.
pub fn top10(limits: &Limits, known: &Known, threads: usize) -> Result<Case<'static>, String> {
    let told = |error: ecphory_recall::Error| error.to_string();
    let bytes = known.vectors.len() * size_of::<f32>();
    let least = limits.least_ns(limits.level(bytes, threads), bytes as f64, threads);
    let mut case = Case::new(work("top10", known.name), threads, Unit::Bytes, bytes as f64).at_least(least);
    let clock = Clock::for_threads(threads);
    let default = Options::default().top_k(K);
    let cosine = default.clone().similarity(Similarity::Cosine);
    let hops = Spreading::Hops { hops: 2, transmission: 0.5, threshold: 0.0 };
    let ways = [
        ("", default.clone()),
        ("-similarity", cosine.clone().weights(Weights::seeds_only())),
        ("-hops", cosine.seeds_most(10).spreading(hops).weights(Weights::seeds_only().link(0.5))),
    ];
    let schemas = [("ecphory", Schema::new()), ("ecphory-copies", Schema::new().copies())];
    let (mut found, mut graphs) = (Vec::new(), Vec::new());
    for (name, schema) in schemas {
        let graph = Arc::new(known.graph(schema).map_err(told)?);
        graphs.push(graph.clone());
        for (way, options) in &ways {
            let (graph, options, cue) = (graph.clone(), options.clone(), known.cue.clone());
            let recall = move || graph.recall(&Cue::new().vector(&cue), &options);
            let hits = recall().map_err(told)?.hits.iter().map(|hit| hit.memory).collect::<Vec<_>>();
            match found.iter().find(|(known, _)| known == way) {
                None => found.push((*way, hits)),
                // What seeds pass on is by copies, so hits that have nearly as much as each other may change places.
                Some((_, expected)) if expected.iter().filter(|hit| hits.contains(hit)).count() >= K - 2 => {}
                Some(_) => return Err(format!("{name}{way}: expected the hits without copies, found others")),
            }
            case.add(Contender::new(format!("{name}{way}"), clock, move || _ = black_box(recall().expect(GOOD))));
        }
    }
    let by_similarity = found.iter().find(|(way, _)| *way == "-similarity").map(|(_, hits)| hits.clone());
    scan(&mut case, &graphs[0], &known.cue, &by_similarity.unwrap_or_default(), clock)?;
    Ok(case)
}

/// Every cosine and nothing else, of a graph's own rows, and as many bytes read, which is less still; the best rows
/// have to be `expected`.
fn scan(
    case: &mut Case<'static>,
    graph: &Arc<MemoryGraph>,
    cue: &[f32],
    expected: &[u32],
    clock: Clock,
) -> Result<(), String> {
    let (graph, cue) = (graph.clone(), cue.to_vec());
    let rows = Rows::new(graph.vectors(), graph.dim()).map_err(|error| error.to_string())?;
    let norms = Prepared::new(rows).map_err(|error| error.to_string())?.norms().to_vec();
    let best = Search::new(Metric::Cosine).top_k(&cue[..], &rows, K).map_err(|error| error.to_string())?;
    if !best.hits.iter().map(|hit| hit.row).eq(expected.iter().map(|&id| id as usize)) {
        return Err("ecphory-similarity: expected the best rows, found others".into());
    }
    let words = vec![1u64; graph.vectors().len() / 2];
    let mut scores = vec![0.0; graph.len()];
    let by_us = move || {
        let rows = Rows::new(graph.vectors(), graph.dim()).expect(GOOD);
        let rows = Prepared::from_parts(rows, &norms).expect(GOOD);
        Search::new(Metric::Cosine).scores_into(&cue[..], &rows, &mut scores).expect(GOOD);
        black_box(&scores);
    };
    case.add_noted(Contender::new("ecphory-scan", clock, by_us), "every cosine and nothing else");
    for (name, prefetched) in [("ecphory-read", false), ("ecphory-read-ahead", true)] {
        let words = words.clone();
        let read = move || _ = black_box(ecphory::bench::read(black_box(&words), prefetched));
        case.add_noted(Contender::new(name, clock, read), "as many bytes read and nothing else");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Effort;

    #[test]
    fn first_recalls_and_those_by_words_find_what_they_should() {
        let known = ring();
        for (case, others) in [
            (first10(&known, 1), &["ecphory-similarity"][..]),
            (text10(&known, 1), &["ecphory-keywords", "ecphory-copies"]),
        ] {
            let (lines, left_out) = case.unwrap().run(Effort { rounds: 1, sample: Duration::ZERO });
            let names: Vec<_> = lines.iter().map(|line| line.who.as_str()).collect();
            assert!(names[0] == "ecphory" && names[1..] == *others && left_out.is_empty());
        }
    }

    fn ring() -> Known {
        let edges = (0..2000).map(|node| (node, (node * 7 + 1) % 2000, 0.5)).collect();
        let (vectors, cue) = (data::elements(3, 2000 * 24), data::elements(4, 24));
        Known { name: "ring", vectors, dim: 24, edges, cue }
    }

    #[test]
    fn every_way_to_recall_finds_what_it_should_beside_the_scan() {
        let known = ring();
        let case = top10(&Limits::of_nothing(), &known, 1).unwrap();
        let (lines, left_out) = case.run(Effort { rounds: 1, sample: Duration::ZERO });
        let names: Vec<_> = lines.iter().map(|line| line.who.as_str()).collect();
        let ours = ["ecphory", "ecphory-similarity", "ecphory-hops"];
        let copies = ["ecphory-copies", "ecphory-copies-similarity", "ecphory-copies-hops"];
        let others = ["ecphory-scan", "ecphory-read", "ecphory-read-ahead"];
        assert_eq!(names, [ours, copies, others].concat());
        assert!(left_out.is_empty() && lines[0].work.to_string() == "recall top10 ring");
    }
}
