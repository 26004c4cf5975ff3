//! What spreading and fading are for, shown where the truth is planted: cosines alone must fail there.

use ecphory::Decay;
use ecphory_recall::{Cue, Memory, MemoryGraph, Options, Schema, Similarity, Weights};

const DIM: usize = 64;
const DAY_MS: i64 = 86_400_000;
const QUESTIONS: usize = 40;

/// xorshift64* (Vigna 2016).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1 << 23) as f32 - 1.0
    }

    fn vector(&mut self) -> Vec<f32> {
        (0..DIM).map(|_| self.next()).collect()
    }
}

/// `vector` with a share of noise.
fn near(vector: &[f32], noise: f32, random: &mut Random) -> Vec<f32> {
    vector.iter().map(|x| x + noise * random.next()).collect()
}

/// The share of questions whose truth is among the `top_k` best.
fn found(graph: &MemoryGraph, cues: &[(Vec<f32>, u32)], options: &Options<'_>) -> f64 {
    let there = |(vector, truth): &&(Vec<f32>, u32)| {
        let cue = Cue::new().vector(vector).now_ms(400 * DAY_MS);
        let found = graph.recall(&cue, options).unwrap();
        found.hits.iter().any(|hit| hit.memory == *truth)
    };
    cues.iter().filter(there).count() as f64 / cues.len() as f64
}

#[test]
fn evidence_that_only_a_link_leads_to_is_found_by_spreading_alone() {
    let (mut graph, mut random) = (MemoryGraph::new(DIM, Schema::new()).unwrap(), Random(7));
    for _ in 0..400 {
        graph.insert(Memory::new(random.vector())).unwrap();
    }
    // The cue is like one memory, which leads to the truth, which is like nothing that was asked.
    let mut cues = Vec::new();
    for question in 0..QUESTIONS as u32 {
        let (like, truth) = (question * 5, question * 7 + 100);
        let vector = graph.vector(like).unwrap().to_vec();
        graph.link(like, truth, "because of", 1.0).unwrap();
        cues.push((near(&vector, 0.2, &mut random), truth));
    }
    let options = Options::default().top_k(5).similarity(Similarity::Cosine);
    let by_cosine = found(&graph, &cues, &options.clone().weights(Weights::seeds_only()));
    let by_spreading = found(&graph, &cues, &options);
    assert!(by_cosine <= 0.1 && by_spreading >= 0.9, "by cosine {by_cosine}, by spreading {by_spreading}");
}

#[test]
fn facts_that_a_newer_one_has_superseded_fade_behind_it() {
    let (mut graph, mut random) = (MemoryGraph::new(DIM, Schema::new()).unwrap(), Random(9));
    let mut cues = Vec::new();
    for question in 0..QUESTIONS {
        let fact = random.vector();
        // The old one is the more like what is asked.
        let old = Memory::new(near(&fact, 0.2, &mut random)).created_ms(question as i64 * DAY_MS);
        graph.insert(old).unwrap();
        let new = Memory::new(near(&fact, 0.6, &mut random)).created_ms((350 + question as i64) * DAY_MS);
        cues.push((fact, graph.insert(new).unwrap()));
    }
    let options = Options::default().top_k(1).similarity(Similarity::Cosine).weights(Weights::seeds_only());
    let by_cosine = found(&graph, &cues, &options);
    let law = Decay::half_life_seconds(30.0 * 86_400.0).unwrap();
    let faded = found(&graph, &cues, &options.retention(law, 0.5));
    assert!(by_cosine <= 0.1 && faded >= 0.9, "by cosine {by_cosine}, faded {faded}");
}
