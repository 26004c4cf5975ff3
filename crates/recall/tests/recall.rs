//! What recall brings back, and what it says of it.

use std::time::{Duration, Instant};

use ecphory::{Decay, PageRank, Seed};
use ecphory_recall::{
    Cue, Error, Filter, HeldBy, Hit, Memory, MemoryGraph, Options, Recall, Schema, Similarity, Source, Spreading,
    Weights,
};

mod talk;
use talk::{DAY_MS, MAY_MS, all, hit, ids, talk};

#[test]
fn a_score_is_the_sum_of_what_is_told_of_it() {
    let mut graph = talk();
    graph.link(3, 6, "like", 2.0).unwrap();
    let vector = [0.1, 0.1, 0.9, 0.1, 0.5, 0.1, 0.1, 0.1];
    let cue = Cue::new().vector(&vector).text("When did Ann see ships in May 2023?").now_ms(MAY_MS + 100 * DAY_MS);
    let law = Decay::half_life_seconds(86_400.0 * 30.0).unwrap();
    let found = graph.recall(&cue, &all().retention(law, 0.5)).unwrap();
    assert_eq!(found.hits.len(), 7);
    for hit in &found.hits {
        let received: f32 = hit.received.iter().map(|received| received.activation).sum();
        let sum = hit.seed + received + hit.received_otherwise - hit.question + hit.associated;
        let kept = if sum > 0.0 { hit.retained } else { 1.0 };
        assert!((hit.score - sum * kept).abs() < 1e-5, "{hit:?}");
        assert!(hit.retained > 0.5 && hit.retained < 1.0);
    }
    assert!(found.hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
}

#[test]
fn what_is_woken_wakes_what_follows_it_and_answers_most_of_all() {
    let graph = talk();
    let found = graph.recall(&Cue::new().text("see"), &all()).unwrap();
    let answer = hit(&found, 2);
    assert_eq!(answer.seed, 0.0);
    assert_eq!((&answer.received[0].from, &*answer.received[0].relation), (&Source::Memory(1), "answer"));
    let by = |id: u32, relation: &str| hit(&found, id).received.iter().any(|received| received.relation == relation);
    assert!(by(2, "next") && by(0, "previous") && !by(3, "next"), "a sequence ends with its session");
    let asked = hit(&found, 1);
    assert!(asked.question > 0.0 && asked.received.iter().all(|received| received.relation != "previous"));
}

#[test]
fn a_context_that_the_cue_names_wakes_its_members_the_more_the_fewer_they_are() {
    let graph = talk();
    let found = graph.recall(&Cue::new().text("Was Ben at the OLD harbours?"), &all()).unwrap();
    let of = |id: u32| -> Vec<(Source, f32)> {
        let contexts = hit(&found, id).received.iter().filter(|received| received.relation == "context");
        contexts.map(|received| (received.from.clone(), received.activation)).collect()
    };
    let strength = |members: f32| 2.5 * (7.0 / members).ln();
    for (id, name, members) in [(0, "old harbour", 1.0), (1, "Ben", 3.0), (5, "Ben", 3.0)] {
        let found = of(id);
        assert!(found.len() == 1 && found[0].0 == Source::Context(name.into()), "{found:?}");
        assert!((found[0].1 - strength(members)).abs() < 1e-6);
    }
    assert!(of(2).is_empty());
    // Who names everybody says nothing.
    let found = graph.recall(&Cue::new().text("Ann and Ben"), &all()).unwrap();
    assert!(found.hits.iter().flat_map(|hit| &hit.received).all(|received| received.relation != "context"));
}

#[test]
fn dates_point_at_their_days_and_less_at_those_after() {
    let graph = talk();
    let found = graph.recall(&Cue::new().text("on 1 May 2023"), &all()).unwrap();
    let date = |recall: &Recall, id: u32| {
        let received = &hit(recall, id).received;
        received.iter().find(|one| one.from == Source::Context("date".into())).map_or(0.0, |one| one.activation)
    };
    assert!((date(&found, 0) - 2.5 * 7f32.ln()).abs() < 1e-6 && date(&found, 1) == 0.0);
    // Ten days later is too late, seven are not.
    let found = graph.recall(&Cue::new().text("on May 4"), &all()).unwrap();
    assert!(date(&found, 1) > 0.0 && date(&found, 0) > 0.0 && date(&found, 2) == 0.0, "{found:?}");
    let times = graph.recall(&Cue::new().text("When was it?"), &all()).unwrap();
    let tells = |id: u32| !hit(&times, id).received.is_empty();
    assert!(tells(0) && tells(5) && !tells(3));
}

#[test]
fn a_sequence_wakes_by_the_words_of_what_a_filter_lets_pass() {
    let graph = talk();
    let of_sequences = |found: &Recall| {
        let received = found.hits.iter().flat_map(|hit| &hit.received);
        received.filter(|received| matches!(received.from, Source::Sequence(_))).count()
    };
    // A word that one memory of the first session has alone.
    let cue = Cue::new().text("red");
    let without = Filter::Not(Box::new(Filter::Ids(vec![2])));
    let with = Filter::Not(Box::new(Filter::Ids(vec![1])));
    assert_eq!(of_sequences(&graph.recall(&cue, &all()).unwrap()), 3);
    assert_eq!(of_sequences(&graph.recall(&cue, &all().filter(&with)).unwrap()), 2);
    assert_eq!(of_sequences(&graph.recall(&cue, &all().filter(&without)).unwrap()), 0);
}

#[test]
fn no_more_ways_are_told_than_asked_for_dates_among_them() {
    let found = talk().recall(&Cue::new().text("on 1 May 2023"), &all().told_most(0)).unwrap();
    let first = hit(&found, 0);
    assert!(first.received.is_empty());
    assert!((first.received_otherwise - 2.5 * 7f32.ln()).abs() < 1e-6, "{first:?}");
}

#[test]
fn a_text_without_words_is_no_text_beside_a_vector() {
    let graph = talk();
    let vector = [0.3, 0.1, 0.9, 0.1, 0.5, 0.1, 0.1, 0.1];
    let alone = graph.recall(&Cue::new().vector(&vector), &all()).unwrap();
    for text in [" ", "?", "..."] {
        assert_eq!(graph.recall(&Cue::new().vector(&vector).text(text), &all()).unwrap().hits, alone.hits, "{text:?}");
    }
}

#[test]
fn what_a_filter_keeps_out_is_as_if_it_were_not_there() {
    let graph = talk();
    let cue = Cue::new().vector(&[0.3, 0.1, 0.9, 0.1, 0.5, 0.1, 0.1, 0.1]).text("red sails of ships");
    let filter = Filter::Not(Box::new(Filter::Ids(vec![2])));
    let options = all().filter(&filter);
    let found = graph.recall(&cue, &options.clone().held_back(3)).unwrap();
    assert!(!ids(&found).contains(&2) && found.hits.len() == 6);
    assert!(found.hits.iter().all(|hit| hit.received.iter().all(|received| received.from != Source::Memory(2))));
    assert_eq!(found.held_back.len(), 1);
    let held = &found.held_back[0];
    assert_eq!((held.memory, held.by, held.rank), (2, HeldBy::Filter, 1));
    assert_eq!(ids(&graph.recall(&cue, &all()).unwrap())[0], 2);
    let none = Filter::Or(vec![]);
    assert_eq!(graph.recall(&cue, &all().filter(&none)).unwrap().hits, []);
}

#[test]
fn filters_are_read_from_json_and_combine() {
    let graph = talk();
    for (json, expected) in [
        (r#"{"eq": {"key": "speaker", "value": "Ann"}}"#, vec![0, 2, 4, 6]),
        (r#"{"in": {"key": "session", "values": ["1", "3"]}}"#, vec![0, 1, 2, 5, 6]),
        (r#"{"range": {"key": "number", "least": 2, "most": 4}}"#, vec![2, 3, 4]),
        (r#"{"range": {"key": "speaker"}}"#, vec![]),
        (r#"{"exists": {"key": "place"}}"#, vec![0]),
        (r#"{"created": {"from_ms": 1683763200000}}"#, vec![1, 2, 3, 4, 5, 6]),
        (r#"{"and": [{"eq": {"key": "speaker", "value": "Ben"}}, {"not": {"ids": [1, 5]}}]}"#, vec![3]),
        (r#"{"or": [{"ids": [6]}, {"eq": {"key": "number", "value": 0.0}}, "pinned"]}"#, vec![0, 6]),
        (r#"{"and": []}"#, vec![0, 1, 2, 3, 4, 5, 6]),
    ] {
        let filter: Filter = serde_json::from_str(json).unwrap();
        let mut found = ids(&graph.recall(&Cue::new().text("sails"), &all().filter(&filter)).unwrap());
        found.sort_unstable();
        assert_eq!(found, expected, "{json}");
        assert_eq!(serde_json::from_str::<Filter>(&serde_json::to_string(&filter).unwrap()).unwrap(), filter);
    }
    assert!(serde_json::from_str::<Filter>(r#"{"eq": {"key": "speaker", "valve": "Ann"}}"#).is_err());
    let unknown = Filter::Ids(vec![7]);
    let refused = graph.recall(&Cue::new().text("sails"), &all().filter(&unknown));
    assert_eq!(refused.unwrap_err(), Error::NoMemory { found: 7, len: 7 });
}

#[test]
fn what_has_faded_is_held_back_and_what_is_pinned_or_of_the_future_is_not() {
    let mut graph = MemoryGraph::new(2, Schema::new()).unwrap();
    let at = |days: i64| Memory::new(vec![1.0, 0.0]).text("the same words").created_ms(days * DAY_MS);
    for memory in [at(0), at(0).pinned(), at(1000), at(99)] {
        graph.insert(memory).unwrap();
    }
    let rest = Memory::new(vec![0.0, 1.0]).text("others");
    graph.insert(rest).unwrap();
    let cue = Cue::new().text("the same words").now_ms(100 * DAY_MS);
    let law = || Decay::half_life_seconds(86_400.0).unwrap();
    let options = Options::default().top_k(3).retention(law(), 1.0).held_back(5);
    let found = graph.recall(&cue, &options).unwrap();
    assert_eq!(ids(&found), [1, 2, 3]);
    assert_eq!(found.hits.iter().map(|hit| hit.retained).collect::<Vec<_>>(), [1.0, 1.0, 0.5]);
    assert_eq!(
        found.held_back.iter().map(|held| (held.memory, held.by, held.rank)).collect::<Vec<_>>(),
        [(0, HeldBy::Retention, 1)]
    );
    // Nothing is lost: what a weight leaves stays.
    let some = graph.recall(&cue, &Options::default().retention(law(), 0.25)).unwrap();
    assert_eq!(hit(&some, 0).retained, 0.75);
    // Use renews it; recall alone does not.
    graph.used(0, 100 * DAY_MS).unwrap();
    assert_eq!(ids(&graph.recall(&cue, &options).unwrap()), [0, 1, 2]);
    assert_eq!(graph.used(9, 0), Err(Error::NoMemory { found: 9, len: 5 }));
}

#[test]
fn recall_of_many_cues_is_that_of_each_for_any_number_of_threads() {
    let graph = talk();
    let texts = ["sails", "When did Ben see rain?", "Ann", "stamps and ships in May"];
    let cues: Vec<Cue<'_>> = texts.iter().map(|text| Cue::new().text(text)).collect();
    let one = |cue: &Cue<'_>| graph.recall(cue, &all()).unwrap().hits;
    let expected: Vec<Vec<Hit>> = cues.iter().map(one).collect();
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let found = pool.install(|| graph.recall_each(&cues, &all())).unwrap();
        assert_eq!(found.into_iter().map(|recall| recall.hits).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn many_cues_at_once_find_a_new_graph_that_nothing_is_known_of_yet() {
    let (dim, len) = (64, 1500);
    let mut state = 1u32;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    let vectors: Vec<Vec<f32>> = (0..len).map(|_| (0..dim).map(|_| draw()).collect()).collect();
    let new = || {
        let mut graph = MemoryGraph::new(dim, Schema::new()).unwrap();
        vectors.iter().for_each(|vector| _ = graph.insert(Memory::new(vector.clone())).unwrap());
        graph
    };
    let cues: Vec<Cue<'_>> = vectors[..32].iter().map(|vector| Cue::new().vector(vector)).collect();
    let hits = |graph: &MemoryGraph| {
        let found = graph.recall_each(&cues, &Options::default()).unwrap();
        found.into_iter().map(|recall| recall.hits).collect::<Vec<_>>()
    };
    let expected = hits(&new());
    for threads in [1, 2, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        // Threads that make it do the work of other cues meanwhile, which ask for it too.
        assert!(pool.install(|| hits(&new())) == expected, "{threads} threads");
    }
}

#[test]
fn what_is_refused_changes_nothing() {
    let mut graph = talk();
    let cue = Cue::new().text("red sails");
    let before = graph.recall(&cue, &all()).unwrap().hits;
    assert!(matches!(graph.insert(Memory::new(vec![0.0; 7])), Err(Error::Dim { expected: 8, found: 7, .. })));
    let mut vector = vec![0.0; 8];
    vector[3] = f32::NAN;
    assert!(matches!(graph.insert(Memory::new(vector.clone())), Err(Error::Value { position: 3, .. })));
    assert!(matches!(graph.link(0, 7, "like", 1.0), Err(Error::NoMemory { found: 7, len: 7 })));
    for weight in [-1.0, f32::NAN, f32::INFINITY, 1.1e6] {
        assert!(matches!(graph.link(0, 1, "like", weight), Err(Error::Option { what: "weight of a link", .. })));
    }
    assert_eq!(graph.recall(&Cue::new(), &all()), Err(Error::EmptyCue));
    assert!(matches!(graph.recall(&cue.vector(&vector), &all()), Err(Error::Value { what: "cue", position: 3, .. })));
    assert!(matches!(graph.recall(&cue.vector(&[1.0]), &all()), Err(Error::Dim { what: "cue", .. })));
    assert!(graph.recall(&cue.scores(&[Seed::new(7, 1.0)]), &all()).is_err());
    assert!(graph.recall(&cue.scores(&[Seed::new(0, -1.0)]), &all()).is_err());
    let weights = Weights::default().next(f32::NAN);
    assert!(matches!(graph.recall(&cue, &all().weights(weights)), Err(Error::Option { what: "weight of next", .. })));
    let law = Decay::half_life_seconds(1.0).unwrap();
    assert!(graph.recall(&cue, &all().retention(law, 1.5)).is_err());
    assert_eq!(graph.recall(&cue, &all()).unwrap().hits, before);
}

#[test]
fn relations_of_ones_own_are_told_by_name_and_are_only_so_many() {
    let mut graph = talk();
    graph.link(4, 3, "brothers", 1.0).unwrap();
    let found = graph.recall(&Cue::new().scores(&[Seed::new(4, 1.0)]), &all()).unwrap();
    let brothers = hit(&found, 3).received.iter().find(|received| received.relation == "brothers").unwrap();
    assert!(brothers.from == Source::Memory(4) && (brothers.activation - 0.5 * hit(&found, 4).seed).abs() < 1e-6);
    for number in 1..250 {
        graph.link(0, 1, &number.to_string(), 1.0).unwrap();
    }
    graph.link(0, 2, "brothers", 1.0).unwrap();
    let refused = graph.link(0, 1, "one more", 1.0);
    assert_eq!(refused, Err(Error::Relations { name: "one more".into(), most: 250 }));
}

#[test]
fn many_hops_reach_what_one_does_not_and_say_by_which_way() {
    let mut graph = MemoryGraph::new(1, Schema::new()).unwrap();
    for _ in 0..9 {
        graph.insert(Memory::new(vec![1.0])).unwrap();
    }
    for (source, target) in [(0, 3), (3, 5), (5, 7)] {
        graph.link(source, target, "leads to", 1.0).unwrap();
    }
    let scores = [Seed::new(0, 1.0)];
    let cue = Cue::new().scores(&scores);
    let weights = Weights::seeds_only().link(1.0);
    let options = all().weights(weights);
    let score = |found: &Recall, id: u32| hit(found, id).score;
    let once = graph.recall(&cue, &options).unwrap();
    assert!(score(&once, 3) > 0.0 && score(&once, 5) == 0.0);
    let hops = Spreading::Hops { hops: 3, transmission: 0.5, threshold: 0.0 };
    let found = graph.recall(&cue, &options.clone().spreading(hops)).unwrap();
    let seed = score(&found, 0);
    assert_eq!([3, 5, 7].map(|id| score(&found, id)), [seed / 2.0, seed / 4.0, seed / 8.0]);
    let way = &hit(&found, 7).received[0];
    assert_eq!((&way.from, &*way.before), (&Source::Memory(5), &[Source::Memory(3), Source::Memory(0)][..]));
    assert!((way.activation - seed / 8.0).abs() < 1e-6);
    let ranks = Spreading::PageRank { ranks: PageRank::default(), epsilon: 1e-6, weight: 2.0 };
    let found = graph.recall(&cue, &options.spreading(ranks)).unwrap();
    assert!(score(&found, 7) > 0.0 && score(&found, 8) == 0.0);
    let hit = hit(&found, 5);
    assert!((hit.received[0].activation - hit.score).abs() < 1e-6 && hit.received[0].from == Source::Memory(3));
}

#[test]
fn nothing_spreads_into_what_a_filter_keeps_out_or_through_it_in_any_way() {
    // 0 leads to 5 through 3 and, by a longer way, through 1 and 2; 3 is kept out, and so is 6.
    let linked = |without: &[u32]| {
        let mut graph = MemoryGraph::new(1, Schema::new()).unwrap();
        (0..9).for_each(|_| _ = graph.insert(Memory::new(vec![1.0])).unwrap());
        for (source, target, weight) in
            [(0, 3, 1.0), (3, 5, 1.0), (0, 1, 0.5), (1, 2, 0.5), (2, 5, 0.5), (5, 6, 1.0), (6, 7, 1.0), (5, 8, 0.25)]
        {
            if !without.contains(&source) && !without.contains(&target) {
                graph.link(source, target, "leads to", weight).unwrap();
            }
        }
        graph
    };
    let (graph, never_linked) = (linked(&[]), linked(&[3, 6]));
    let filter = Filter::Not(Box::new(Filter::Ids(vec![3, 6])));
    let scores = [Seed::new(0, 1.0)];
    let cue = Cue::new().scores(&scores);
    let options = all().weights(Weights::seeds_only().link(1.0)).filter(&filter);
    for spreading in [
        Spreading::Once,
        Spreading::Hops { hops: 5, transmission: 0.5, threshold: 0.0 },
        Spreading::PageRank { ranks: PageRank::default(), epsilon: 1e-9, weight: 2.0 },
    ] {
        let options = options.clone().spreading(spreading);
        let found = graph.recall(&cue, &options).unwrap();
        assert_eq!(found.hits, never_linked.recall(&cue, &options).unwrap().hits, "{spreading:?}");
        assert!(hit(&found, 7).received.is_empty() && hit(&found, 1).score > 0.0);
        let told = |hit: &Hit| hit.received.iter().map(|one| one.activation).sum::<f32>() + hit.received_otherwise;
        assert!(found.hits.iter().all(|hit| (hit.score - hit.seed - told(hit)).abs() < 1e-5), "{found:?}");
        assert_eq!(hit(&found, 5).received.is_empty(), spreading == Spreading::Once);
        // With it they are reached.
        let held = graph.recall(&cue, &options.held_back(9).top_k(4)).unwrap().held_back;
        assert!(held.iter().any(|held| held.memory == 3 && held.by == HeldBy::Filter), "{held:?}");
    }
}

#[test]
fn the_nearest_are_linked_by_their_cosine_and_none_to_itself() {
    let mut graph = MemoryGraph::new(2, Schema::new()).unwrap();
    for vector in [[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [-1.0, 0.0]] {
        graph.insert(Memory::new(vector.into())).unwrap();
    }
    assert_eq!(graph.link_nearest(1, 0.7, "near").unwrap(), 2);
    let scores = [Seed::new(1, 1.0)];
    let weights = Weights::seeds_only().link(1.0);
    let found = graph.recall(&Cue::new().scores(&scores), &all().weights(weights)).unwrap();
    let seed = hit(&found, 1).seed;
    // Of the two that are as near to one, the nearer, and to both it is the nearest.
    assert!((hit(&found, 0).score - 0.8 * seed).abs() < 1e-6 && hit(&found, 2).score == 0.0);
    assert_eq!(graph.link_nearest(0, 0.7, "near"), Ok(0));
    assert!(matches!(graph.link_nearest(1, f32::NAN, "near"), Err(Error::Option { what: "least", .. })));
}

#[test]
fn a_cue_without_words_is_compared_by_what_sets_vectors_apart() {
    let mut graph = MemoryGraph::new(3, Schema::new()).unwrap();
    for at in 0..200 {
        let of = |step: usize| (at * step % 17) as f32 / 17.0;
        graph.insert(Memory::new(vec![5.0, 2.0 * of(5), 0.2 * of(7)]).text("words")).unwrap();
    }
    let vector = [5.0, 1.0, 0.2];
    let similarities = |similarity, text| {
        let cue = Cue::new().vector(&vector).text(text);
        let found =
            graph.recall(&cue, &all().top_k(200).similarity(similarity).weights(Weights::seeds_only())).unwrap();
        (0..200).filter_map(|id| found.hits.iter().find(|hit| hit.memory == id)?.similarity).collect::<Vec<f32>>()
    };
    let [cosines, whitened] = [Similarity::Cosine, Similarity::Whitened].map(|similarity| similarities(similarity, ""));
    // All point much the same way, and are on all sides of their mean.
    assert!(cosines.iter().all(|cosine| *cosine > 0.9) && whitened.iter().any(|one| *one < -0.5));
    assert_eq!((cosines.len(), whitened.len()), (200, 200));
    assert!(whitened.iter().any(|one| *one > 0.5) && whitened.iter().all(|one| (-1.001..=1.001).contains(one)));
    assert_eq!(similarities(Similarity::ByCue, ""), whitened);
    assert_eq!(similarities(Similarity::ByCue, "words"), similarities(Similarity::Cosine, "words"));
}

#[test]
fn an_empty_graph_recalls_nothing_and_one_memory_recalls_itself() {
    let mut graph = MemoryGraph::new(3, Schema::new()).unwrap();
    assert_eq!(graph.recall(&Cue::new().text("anything"), &all()).unwrap().hits, []);
    graph.insert(Memory::new(vec![0.0; 3])).unwrap();
    let found = graph.recall(&Cue::new().vector(&[1.0, 0.0, 0.0]).text("anything"), &all()).unwrap();
    assert_eq!((ids(&found), found.hits[0].score), (vec![0], 0.0));
    assert_eq!(graph.recall(&Cue::new().text("anything"), &all().top_k(0)).unwrap().hits, []);
    assert!(MemoryGraph::new(0, Schema::new()).is_err());
}

#[test]
fn a_deadline_that_has_passed_leaves_the_seeds() {
    let graph = talk();
    let cue = Cue::new().text("When did Ann see red sails?");
    let late = graph.recall(&cue, &all().deadline(std::time::Instant::now())).unwrap();
    let seeds = graph.recall(&cue, &all().weights(Weights::seeds_only())).unwrap();
    assert!(late.stopped_early && !seeds.stopped_early);
    assert_eq!(ids(&late), ids(&seeds));
    assert!(late.hits.iter().all(|hit| hit.received.is_empty()));
}

#[test]
fn a_hit_tells_its_ranks_by_similarity_alone_and_by_seeds_alone() {
    let mut graph = talk();
    graph.link(6, 3, "like", 5.0).unwrap();
    let vector = [0.1, 0.1, 0.3, 0.2, 0.5, 0.1, 0.9, 0.1];
    let options = all().similarity(Similarity::Cosine);
    let found = graph.recall(&Cue::new().vector(&vector).text("stamps of my brother"), &options).unwrap();
    let rank = |of: &dyn Fn(&Hit) -> f32, id: u32| {
        let its = (of(hit(&found, id)), -i64::from(id));
        1 + found.hits.iter().filter(|other| (of(other), -i64::from(other.memory)) > its).count()
    };
    for hit in &found.hits {
        assert_eq!(hit.similarity_rank, Some(rank(&|hit| hit.similarity.unwrap(), hit.memory)));
        assert_eq!(hit.seed_rank, rank(&|hit| hit.seed, hit.memory));
    }
    assert_eq!((hit(&found, 6).similarity_rank, hit(&found, 3).seed_rank), (Some(1), 2));
    let without = graph.recall(&Cue::new().text("stamps"), &all()).unwrap();
    assert!(without.hits.iter().all(|hit| hit.similarity.is_none() && hit.similarity_rank.is_none()));
}

#[test]
fn fading_tells_age_and_law_and_leaves_a_hundredth_at_least() {
    let graph = talk();
    let law = Decay::half_life_seconds(1.0).unwrap();
    let cue = Cue::new().text("red sails").now_ms(MAY_MS + 25 * DAY_MS);
    let found = graph.recall(&cue, &all().retention(law, 1.0)).unwrap();
    let fading = |id: u32| hit(&found, id).fading.clone().unwrap();
    assert_eq!((hit(&found, 2).retained, fading(2).age_seconds), (0.01, 5.0 * 86_400.0));
    assert!(hit(&found, 2).score > 0.0 && fading(2).law.contains("Exponential") && fading(2).weight == 1.0);
    // Made after the moment of recall.
    assert_eq!((hit(&found, 4).retained, fading(4).age_seconds), (1.0, 0.0));
    let none = graph.recall(&Cue::new().text("red sails"), &all().retention(law, 1.0)).unwrap();
    assert!(none.hits.iter().all(|hit| hit.fading.is_none() && hit.retained == 1.0));
}

#[test]
fn recall_changes_nothing() {
    let graph = talk();
    let cue = Cue::new().text("red sails").now_ms(MAY_MS + 200 * DAY_MS);
    let law = Decay::half_life_seconds(86_400.0).unwrap();
    let options = all().retention(law, 0.9).held_back(5);
    let first = graph.recall(&cue, &options).unwrap();
    for _ in 0..3 {
        let again = graph.recall(&cue, &options).unwrap();
        assert_eq!((again.hits, again.held_back), (first.hits.clone(), first.held_back.clone()));
    }
}

#[test]
fn ways_beyond_the_most_that_are_told_are_told_together() {
    let mut graph = MemoryGraph::new(1, Schema::new()).unwrap();
    for _ in 0..60 {
        graph.insert(Memory::new(vec![1.0])).unwrap();
    }
    let scores: Vec<Seed> = (0..40).map(|id| Seed::new(id, 1.0 + id as f32)).collect();
    scores.iter().try_for_each(|seed| graph.link(seed.node, 50, "leads to", 1.0)).unwrap();
    let options = all().weights(Weights::seeds_only().link(1.0));
    let told = |most: usize| {
        let found = graph.recall(&Cue::new().scores(&scores), &options.clone().told_most(most)).unwrap();
        hit(&found, 50).clone()
    };
    let (few, whole) = (told(3), told(100));
    assert_eq!((few.received.len(), whole.received_otherwise), (3, 0.0));
    assert_eq!(few.received[..], whole.received[..3]);
    let sum = |hit: &Hit| hit.received.iter().map(|one| one.activation).sum::<f32>() + hit.received_otherwise;
    assert!((sum(&few) - sum(&whole)).abs() < 1e-4 && (sum(&few) - few.score).abs() < 1e-4);
    assert!(few.received_otherwise > 0.0);
    // Only the strongest pass something on.
    let found = graph.recall(&Cue::new().scores(&scores), &options.seeds_most(2)).unwrap();
    let sources: Vec<&Source> = hit(&found, 50).received.iter().map(|one| &one.from).collect();
    assert_eq!(sources, [&Source::Memory(39), &Source::Memory(38)]);
}

#[test]
fn one_deadline_is_for_all_cues_of_a_batch() {
    let graph = talk();
    let cues = ["sails", "rain", "stamps"].map(|text| Cue::new().text(text));
    let late = graph.recall_each(&cues, &all().deadline(Instant::now())).unwrap();
    assert!(late.len() == 3 && late.iter().all(|recall| recall.stopped_early && recall.hits.is_empty()));
    let soon = graph.recall_each(&cues, &all().deadline(Instant::now() + Duration::from_secs(600))).unwrap();
    assert!(soon.iter().all(|recall| !recall.stopped_early && recall.hits.len() == 7));
    let wrong = [Cue::new().text("sails"), Cue::new()];
    assert_eq!(graph.recall_each(&wrong, &all().deadline(Instant::now())), Err(Error::EmptyCue));
}
