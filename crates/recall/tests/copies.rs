//! Recall by small copies of vectors brings back what recall by the vectors does.

use ecphory::Decay;
use ecphory_recall::{Cue, Filter, Memory, MemoryGraph, Options, Recall, Schema, Similarity, Weights};

const DIM: usize = 24;
const COUNT: usize = 20_000;

/// xorshift64* (Vigna 2016), -1 to 1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 40) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// With vectors of very different lengths, some of them 0, and links.
fn graph(schema: Schema) -> MemoryGraph {
    let (mut graph, mut random) = (MemoryGraph::new(DIM, schema).unwrap(), Random(5));
    for id in 0..COUNT {
        let length = if id.is_multiple_of(1000) { 0.0 } else { 1.0 + (id % 7) as f32 * 3.0 };
        let vector = (0..DIM).map(|at| length * (random.next() + if at == 0 { 0.5 } else { 0.0 })).collect();
        graph.insert(Memory::new(vector).created_ms(id as i64 * 3_600_000).with("part", (id % 3) as f64)).unwrap();
    }
    for source in 0..COUNT as u32 {
        graph.link(source, (source * 13 + 5) % COUNT as u32, "link", 0.5).unwrap();
    }
    graph
}

/// Hits, each with its score and its similarity.
fn told(recall: &Recall) -> Vec<(u32, f32, f32)> {
    recall.hits.iter().map(|hit| (hit.memory, hit.score, hit.similarity.unwrap())).collect()
}

#[test]
fn hits_by_copies_are_those_by_vectors_and_so_are_their_similarities() {
    let (graph, copied) = (graph(Schema::new()), graph(Schema::new().copies()));
    let mut random = Random(77);
    let filter = Filter::Range { key: "part".into(), least: Some(1.0), most: None };
    let law = || Decay::half_life_seconds(86_400.0 * 100.0).unwrap();
    for similarity in [Similarity::Cosine, Similarity::Whitened] {
        let all = Options::default().similarity(similarity);
        let seeds = all.clone().weights(Weights::seeds_only());
        let ways = [all.clone(), seeds.clone(), seeds.filter(&filter), all.retention(law(), 0.5).held_back(3)];
        for (way, options) in ways.iter().enumerate() {
            let spreads = way == 0 || way == 3;
            let vector: Vec<f32> = (0..DIM).map(|_| random.next()).collect();
            let cue = Cue::new().vector(&vector).now_ms(COUNT as i64 * 3_600_000);
            let [expected, found] = [&graph, &copied].map(|graph| graph.recall(&cue, options).unwrap());
            let (expected_hits, hits) = (told(&expected), told(&found));
            for ((_, score, _), (_, by_copies, _)) in expected_hits.iter().zip(&hits) {
                // Standard scores are by copies' mean and deviation.
                assert!(
                    (score - by_copies).abs() < if spreads { 0.04 } else { 0.01 },
                    "{similarity:?} {way}: {score} {by_copies}"
                );
            }
            let both = |hit: &&(u32, f32, f32)| hits.iter().any(|other| (other.0, other.2) == (hit.0, hit.2));
            let same = expected_hits.iter().filter(both).count();
            // What is passed on by copies lets those change places that have nearly the same.
            assert!(same == 10 || spreads && same >= 8, "{similarity:?} {way}: {expected_hits:?} {hits:?}");
            if spreads {
                continue;
            }
            assert_eq!(expected.held_back, found.held_back);
        }
    }
}

#[test]
fn a_cue_of_zeros_and_a_recall_of_all_are_fine_by_copies() {
    let copied = graph(Schema::new().copies());
    let zeros = [0.0; DIM];
    let found = copied.recall(&Cue::new().vector(&zeros), &Options::default().similarity(Similarity::Cosine)).unwrap();
    assert!(found.hits.iter().all(|hit| hit.similarity == Some(0.0) && hit.score == 0.0));
    let vector = [1.0; DIM];
    let options = Options::default().top_k(COUNT + 5).similarity(Similarity::Cosine).weights(Weights::seeds_only());
    let found = copied.recall(&Cue::new().vector(&vector), &options).unwrap();
    assert_eq!(found.hits.len(), COUNT);
    assert!(found.hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
    for hit in found.hits.iter().step_by(997) {
        let row = copied.vector(hit.memory).unwrap();
        let dot: f64 = row.iter().map(|&x| f64::from(x)).sum();
        let length = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        let cosine = if length > 0.0 { dot / length / (DIM as f64).sqrt() } else { 0.0 };
        assert!((f64::from(hit.similarity.unwrap()) - cosine).abs() < 1e-5);
    }
}
