//! What is given to recall at its edges: other kinds of values, nothing known, nothing found, the most there may be.

use ecphory::{Decay, OverflowPolicy, PageRank, Seed};
use ecphory_recall::{
    Cue, Error, Filter, Language, Link, Memory, MemoryGraph, Options, Schema, Similarity, Source, Spreading, Value,
    Weights,
};

mod talk;
use talk::{DAY_MS, MAY_MS, all, hit, ids, talk};

#[test]
fn every_number_among_options_is_checked_and_named_with_what_was_expected() {
    let (graph, cue) = (talk(), Cue::new().text("red sails"));
    let hops = |hops, transmission, threshold| Spreading::Hops { hops, transmission, threshold };
    let ranks =
        |alpha, epsilon, weight| Spreading::PageRank { ranks: PageRank::default().alpha(alpha), epsilon, weight };
    for (spreading, expected) in [
        (hops(0, 1.0, 0.0), "hops: expected 1 to 1024, found 0"),
        (hops(1025, 1.0, 0.0), "hops: expected 1 to 1024, found 1025"),
        (hops(2, f32::NAN, 0.0), "transmission: expected a finite number from 0 to 1,000,000, found NaN"),
        (hops(2, 1.5e6, 0.0), "transmission: expected a finite number from 0 to 1,000,000, found 1500000"),
        (hops(2, 1.0, -1.0), "threshold: expected a finite number, 0 or more, found -1"),
        (hops(2, 1.0, f32::INFINITY), "threshold: expected a finite number, 0 or more, found inf"),
        (ranks(0.15, 1e-6, f32::NAN), "weight of ranks: expected a finite number from 0 to 1,000,000, found NaN"),
        (ranks(0.15, 0.0, 1.0), "epsilon: expected 1e-12 to 1, found 0"),
        (ranks(0.15, f64::NAN, 1.0), "epsilon: expected 1e-12 to 1, found NaN"),
        (ranks(1.5, 1e-6, 1.0), "alpha: expected 0.001 to 1, found 1.5"),
    ] {
        let refused = graph.recall(&cue, &all().spreading(spreading)).unwrap_err();
        assert_eq!(refused.to_string(), expected);
        let of_many = graph.recall_each(&[cue], &all().spreading(spreading)).unwrap_err();
        assert_eq!(of_many.to_string(), expected);
    }
    for (weights, name) in [
        (Weights::default().similarity(-1.0), "similarity"),
        (Weights::default().given(f32::INFINITY), "given"),
        (Weights::default().rare_words(2e6), "rare_words"),
    ] {
        let refused = graph.recall(&cue, &all().weights(weights)).unwrap_err().to_string();
        assert!(refused.starts_with(&format!("weight of {name}: expected a finite number from 0 to 1,000,000, found")));
    }
    let law = Decay::half_life_seconds(1.0).unwrap();
    let refused = graph.recall(&cue, &all().retention(law, f32::NAN)).unwrap_err().to_string();
    assert_eq!(refused, "weight of retention: expected a number from 0 to 1, found NaN");
}

#[test]
fn the_largest_numbers_there_may_be_leave_every_score_a_number() {
    let mut graph = talk();
    for _ in 0..20 {
        (0..6).for_each(|id| graph.link(id, id + 1, "like", 1e6).unwrap());
    }
    let all_most = Weights::default().similarity(1e6).keywords(1e6).given(1e6).next(1e6).previous(1e6).after_next(1e6);
    let all_most = all_most.answer(1e6).part(1e6).context(1e6).link(1e6).question(1e6).likeness(1e6).rare_words(1e6);
    let scores: Vec<Seed> = [0, 0, 0, 4, 6].map(|id| Seed::new(id, f32::MAX)).into();
    for spreading in [
        Spreading::Once,
        Spreading::Hops { hops: 1024, transmission: 1e6, threshold: 0.0 },
        Spreading::PageRank { ranks: PageRank::default(), epsilon: 1e-9, weight: 1e6 },
    ] {
        for length in [1e-20, 1.0, 1e15] {
            let vector = [1.0, 0.1, 0.5, 0.1, -0.5, 0.1, -1.0, 0.1].map(|element| element * length);
            let cue = Cue::new().vector(&vector).text("When did Ann see red sails, 1 May 2023?").scores(&scores);
            let options = all().weights(all_most).spreading(spreading);
            let found = graph.recall(&cue, &options.similarity(Similarity::Whitened)).unwrap();
            assert_eq!(found.hits.len(), 7);
            for hit in &found.hits {
                let parts = [hit.score, hit.seed, hit.received_otherwise, hit.associated, hit.similarity.unwrap()];
                assert!(parts.iter().all(|part| part.is_finite()), "{hit:?}");
                assert!(hit.received.iter().all(|received| received.activation.is_finite()), "{hit:?}");
            }
        }
    }
}

#[test]
fn likeness_does_not_turn_on_how_long_vectors_are() {
    let similarities = |length: f32| {
        let mut graph = MemoryGraph::new(3, Schema::new()).unwrap();
        for at in 0..200 {
            let of = |step: usize| (at * step % 17) as f32 / 17.0 * length;
            graph.insert(Memory::new(vec![5.0 * length, 2.0 * of(5), 0.2 * of(7)])).unwrap();
        }
        let vector = [5.0, 1.0, 0.2].map(|element| element * length);
        let found = graph.recall(&Cue::new().vector(&vector), &all().top_k(200)).unwrap();
        (0..200).map(|id| hit(&found, id).similarity.unwrap()).collect::<Vec<_>>()
    };
    let expected = similarities(1.0);
    assert!(expected.iter().any(|similarity| *similarity > 0.5));
    for length in [1e-20, 1e-6, 1e9, 1e14] {
        let apart = similarities(length).into_iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart < 1e-4, "{length}: {apart}");
    }
    let mut graph = MemoryGraph::new(1, Schema::new()).unwrap();
    let refused = graph.insert(Memory::new(vec![-2e15])).unwrap_err().to_string();
    assert_eq!(refused, "memory at position 0: expected a number from -1e15 to 1e15, found -2000000000000000");
}

#[test]
fn numbers_and_flags_name_sequences_and_contexts_as_they_are_written() {
    let mut graph = MemoryGraph::new(1, Schema::new().sequence("session").context("room").context("open")).unwrap();
    let mut insert = |session: Value, room: Value| {
        let memory = Memory::new(vec![1.0]).text("words").with("session", session).with("room", room);
        graph.insert(memory.with("open", false)).unwrap()
    };
    let first = insert(1.into(), 12u32.into());
    insert("2".into(), "hall".into());
    let second = insert("1".into(), 12.5.into());
    insert(f64::NAN.into(), (-0.0).into());
    insert(f64::NAN.into(), [String::from("attic")].to_vec().into());
    let scores = [Seed::new(first, 1.0)];
    let found = graph.recall(&Cue::new().text("what is in room 12").scores(&scores), &all()).unwrap();
    let relations = |id: u32| hit(&found, id).received.iter().map(|one| one.relation.clone()).collect::<Vec<_>>();
    assert_eq!((relations(second), relations(1), relations(4)), (vec!["next".to_owned()], vec![], vec![]));
    assert_eq!(hit(&found, first).received[0].from, Source::Context("12".into()));
    let found = graph.recall(&Cue::new().text("room 0, and the attic"), &all()).unwrap();
    assert_eq!(hit(&found, 3).received[0].from, Source::Context("0".into()));
    assert_eq!(hit(&found, 4).received[0].from, Source::Context("attic".into()));
    for (value, expected) in [
        (Value::from(vec!["a", "b"]), Value::Texts(vec!["a".into(), "b".into()])),
        (["a", "b"].into(), Value::Texts(vec!["a".into(), "b".into()])),
        (String::from("a").into(), Value::Text("a".into())),
        (7usize.into(), Value::Number(7.0)),
        ((-3i64).into(), Value::Number(-3.0)),
        (true.into(), Value::Flag(true)),
    ] {
        assert_eq!(value, expected);
    }
}

#[test]
fn names_that_every_text_has_as_words_are_found_as_names_and_in_texts() {
    let mut graph = MemoryGraph::new(1, Schema::new().context("speaker")).unwrap();
    for (speaker, text) in [
        ("Will", "I collect stamps"),
        ("Ann", "So does my brother"),
        ("The Who", "we play tonight"),
        ("Ann", "Will likes stamps too"),
        ("Ben", "rain"),
    ] {
        graph.insert(Memory::new(vec![1.0]).text(text).with("speaker", speaker)).unwrap();
    }
    let found = graph.recall(&Cue::new().text("What does will do?"), &all()).unwrap();
    assert_eq!(hit(&found, 0).received[0].from, Source::Context("Will".into()));
    assert!(hit(&found, 3).keywords > 0.0 && hit(&found, 0).keywords == 0.0);
    let found = graph.recall(&Cue::new().text("who is the drummer?"), &all()).unwrap();
    assert_eq!(hit(&found, 2).received[0].from, Source::Context("The Who".into()));
    // Words that nobody is called by say nothing, as ever.
    assert!(found.hits.iter().all(|hit| hit.keywords == 0.0));
}

#[test]
fn what_was_made_nobody_knows_when_is_of_no_date_and_does_not_fade() {
    let mut graph = MemoryGraph::new(1, Schema::new()).unwrap();
    let known = |days: i64| Memory::new(vec![1.0]).text("rain").created_ms(MAY_MS + days * DAY_MS);
    let unknown = || Memory::new(vec![1.0]).text("rain");
    for memory in [known(0), unknown(), unknown().used_ms(MAY_MS), known(0).created_ms(None)] {
        graph.insert(memory).unwrap();
    }
    let law = || Decay::half_life_seconds(86_400.0).unwrap();
    let cue = Cue::new().text("rain on 1 May 2023").now_ms(MAY_MS + DAY_MS);
    let retained = |graph: &MemoryGraph| {
        let found = graph.recall(&cue, &all().retention(law(), 1.0)).unwrap();
        [0, 1, 2, 3].map(|id| hit(&found, id).retained)
    };
    assert_eq!(retained(&graph), [0.5, 1.0, 0.5, 1.0]);
    let found = graph.recall(&cue, &all()).unwrap();
    assert_eq!([0, 1, 2, 3].map(|id| hit(&found, id).received.len()), [1, 0, 0, 0]);
    let created = |from_ms, until_ms| {
        let filter = Filter::Created { from_ms, until_ms };
        graph.recall(&cue, &all().filter(&filter)).unwrap().hits.len()
    };
    assert_eq!((created(Some(i64::MIN), None), created(None, Some(i64::MAX)), created(None, None)), (1, 1, 4));
    assert_eq!((graph.get(2).unwrap().made_at_ms(), graph.get(2).unwrap().last_used_ms()), (None, Some(MAY_MS)));
    // Once it is used, somebody knows.
    graph.used(1, MAY_MS).unwrap();
    assert_eq!(retained(&graph), [0.5, 0.5, 0.5, 1.0]);
}

#[test]
fn a_seed_is_the_sum_of_what_similarity_words_and_given_scores_bring() {
    let graph = talk();
    let scores = [Seed::new(3, 2.0), Seed::new(3, 1.0), Seed::new(5, 1.0)];
    let vector = [0.1, 0.1, 0.9, 0.1, 0.5, 0.1, 0.1, 0.1];
    let cue = Cue::new().vector(&vector).text("red sails").scores(&scores);
    let found = graph.recall(&cue, &all()).unwrap();
    for hit in &found.hits {
        let seeds = hit.seeds;
        assert!((hit.seed - seeds.similarity - seeds.keywords - seeds.given).abs() < 1e-6, "{hit:?}");
    }
    assert_eq!([3, 5, 2].map(|id| hit(&found, id).given), [Some(3.0), Some(1.0), None]);
    assert!(hit(&found, 3).seeds.given > hit(&found, 5).seeds.given && hit(&found, 2).seeds.given == 0.0);
    assert!(hit(&found, 2).seeds.keywords > 0.0 && hit(&found, 2).seeds.similarity > 0.0);
    // Each part by its own weight.
    let double = graph.recall(&cue, &all().weights(Weights::default().given(2.0))).unwrap();
    assert_eq!(hit(&double, 3).seeds.given, 2.0 * hit(&found, 3).seeds.given);
    assert_eq!(hit(&double, 3).seeds.keywords, hit(&found, 3).seeds.keywords);
}

#[test]
fn a_cue_that_nothing_matches_brings_back_the_first_by_id_and_what_asks_last() {
    let graph = talk();
    for text in ["zebra", "the of and", "?"] {
        let found = graph.recall(&Cue::new().text(text), &all()).unwrap();
        assert_eq!(ids(&found), [0, 2, 3, 4, 5, 6, 1], "{text}");
        for hit in &found.hits {
            assert!(hit.seed == 0.0 && hit.received.is_empty() && hit.associated == 0.0);
            assert_eq!(hit.score, if hit.memory == 1 { -1.0 } else { 0.0 });
        }
    }
    let zeros = graph.recall(&Cue::new().scores(&[Seed::new(3, 0.0)]), &all().top_k(2)).unwrap();
    assert_eq!(ids(&zeros), [0, 2]);
}

#[test]
fn links_are_listed_as_they_were_made_with_their_times() {
    let mut graph = talk();
    graph.link(0, 1, "like", 0.5).unwrap();
    graph.link_at(2, 3, "before", 1.5, 1000).unwrap();
    graph.link(0, 1, "like", 0.25).unwrap();
    graph.link_used(0, 70).unwrap();
    graph.link_used(0, 30).unwrap();
    graph.link_used(1, 2000).unwrap();
    let told = |link: Link<'_>| {
        (link.source, link.target, link.relation.to_owned(), link.weight, link.created_ms, link.used_ms)
    };
    let listed: Vec<_> = graph.links().map(told).collect();
    let expected = [
        (0, 1, "like".to_owned(), 0.5, None, Some(70)),
        (2, 3, "before".to_owned(), 1.5, Some(1000), Some(2000)),
        (0, 1, "like".to_owned(), 0.25, None, None),
    ];
    assert_eq!(listed, expected);
    assert_eq!(graph.link_used(3, 0), Err(Error::NoLink { found: 3, len: 3 }));
    assert!(graph.link_at(0, 9, "like", 1.0, 5).is_err() && graph.links().len() == 3);
}

#[test]
fn scratch_that_does_not_fit_follows_the_policy() {
    let mut graph = MemoryGraph::new(1, Schema::new()).unwrap();
    // More than an arena of 2 MiB holds.
    for id in 0..300_000 {
        graph.insert(Memory::new(vec![(id % 10) as f32])).unwrap();
    }
    let (vector, scores) = ([1.0], [Seed::new(7, 1.0)]);
    let cue = Cue::new().vector(&vector).scores(&scores);
    let by = |policy| graph.recall(&cue, &Options::default().similarity(Similarity::Cosine).on_overflow(policy));
    let expected = by(OverflowPolicy::Heap).unwrap();
    assert_eq!(expected.hits[0].memory, 7);
    assert!(matches!(by(OverflowPolicy::Error), Err(Error::Kernel(ecphory::Error::OutOfMemory { .. }))));
    assert_eq!(by(OverflowPolicy::Grow { max: 64 << 20 }).unwrap().hits, expected.hits);
    assert!(matches!(
        by(OverflowPolicy::Grow { max: 1 << 20 }),
        Err(Error::Kernel(ecphory::Error::OutOfMemory { .. }))
    ));
}

#[test]
fn words_of_other_languages_are_taken_as_they_are() {
    let mut graph = MemoryGraph::new(1, Schema::new().context("who").language(Language::Plain)).unwrap();
    for (text, who) in [("der Hund bellt", "Änne"), ("die Hunde bellen", "Bert"), ("the dog barks", "Ann"), ("?", "Bo")]
    {
        graph.insert(Memory::new(vec![1.0]).text(text).with("who", who)).unwrap();
    }
    let keywords = |text: &str| {
        let found = graph.recall(&Cue::new().text(text), &all()).unwrap();
        found.hits.iter().filter(|hit| hit.keywords > 0.0).map(|hit| hit.memory).collect::<Vec<_>>()
    };
    assert_eq!((keywords("hund"), keywords("HUNDE"), keywords("the")), (vec![0], vec![1], vec![2]));
    let named = graph.recall(&Cue::new().text("was sagt Änne"), &all()).unwrap();
    assert_eq!(hit(&named, 0).received[0].from, Source::Context("Änne".into()));
}
