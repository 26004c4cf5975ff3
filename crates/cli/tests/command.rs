//! The command as its users meet it.

use std::io::Read;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn ecphory(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecphory"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    ecphory(arguments).output().unwrap()
}

/// Standard output of a run that succeeds and complains of nothing.
fn good(arguments: &[&str]) -> String {
    let output = run(arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && errors.is_empty(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of a run that ends with `code` and prints nothing else.
fn bad(arguments: &[&str], code: i32) -> String {
    let output = run(arguments);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn assert_80_columns(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&good(arguments)).unwrap()
}

#[test]
fn the_demo_runs_for_every_sentence_and_keeps_to_80_columns() {
    for number in 0..8 {
        let text = good(&["demo", "--cue", &number.to_string()]);
        for heading in ["similarity", "spreading", "decay", "weights", "ages", "time", "arenas", "utilisation"] {
            assert!(text.contains(heading), "sentence {number}: no {heading}");
        }
        assert!(text.contains(&format!("(sentence {number})")));
        assert_80_columns(&text);
    }
}

#[test]
fn lemmas_keys_and_any_number_of_places_keep_to_80_columns() {
    for cue in ["play", "break", "musical instrument", "American_Civil_War", "v01730049"] {
        for top in ["1", "3", "10", "100", "5000"] {
            assert_80_columns(&good(&["demo", "--cue", cue, "--top", top]));
        }
    }
}

#[test]
fn help_and_version_keep_to_80_columns() {
    for command in [&[][..], &["demo"], &["info"], &["arena"], &["arena", "plan"]] {
        assert_80_columns(&good(&[command, &["--help"]].concat()));
    }
    assert_80_columns(&good(&["--version"]));
    assert!(good(&["demo", "--help"]).contains("7  the part of the body you hear with"));
}

#[test]
fn the_json_has_the_promised_objects_and_nothing_beside_it() {
    for cue in ["0", "7", "play"] {
        let outcome = json(&["demo", "--json", "--cue", cue, "--top", "7"]);
        for name in ["cue", "graph", "similarity", "spreading", "decay", "arena"] {
            assert!(outcome[name].is_object(), "no object {name}");
        }
        for step in ["similarity", "spreading", "decay"] {
            let ranking = outcome[step]["ranking"].as_array().unwrap();
            assert_eq!(ranking.len(), 7);
            for (place, entry) in ranking.iter().enumerate() {
                assert_eq!(entry["rank"], place + 1);
                assert!(entry["id"].is_u64() && entry["synset"].is_string() && entry["score"].is_f64());
                assert!(entry["lemmas"][0].is_string());
            }
            assert!(outcome[step]["time"]["median_ms"].as_f64().unwrap() >= 0.0);
        }
        assert_eq!(outcome["graph"]["nodes"], 5000);
        assert_eq!(outcome["graph"]["typed_edges"], 15_406);
        assert_eq!(outcome["graph"]["edges"], 15_195);
    }
}

#[test]
fn rankings_are_the_same_for_any_number_of_threads() {
    let rankings = |threads: &str| {
        let output = ecphory(&["demo", "--json"]).env("RAYON_NUM_THREADS", threads).output().unwrap();
        let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
        ["similarity", "spreading", "decay"].map(|step| outcome[step]["ranking"].clone())
    };
    assert_eq!(rankings("1"), rankings("5"));
}

#[test]
fn the_arenas_of_the_demo_are_told_for_each_thread_and_do_not_overflow() {
    let output = ecphory(&["demo", "--json"]).env("RAYON_NUM_THREADS", "3").output().unwrap();
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    let arena = &outcome["arena"];
    let threads = arena["threads"].as_array().unwrap();
    assert_eq!(threads.len(), 4);
    assert_eq!(threads[0]["thread"], "main");
    assert!(threads[0]["high_water_bytes"].as_u64().unwrap() > 0);
    assert_eq!(arena["all"]["overflows"], 0);
    let highest = threads.iter().map(|thread| thread["high_water_bytes"].as_u64().unwrap()).max();
    assert_eq!(arena["all"]["high_water_bytes"].as_u64(), highest);
}

#[test]
fn an_unknown_lemma_is_refused_with_near_ones() {
    let message = bad(&["demo", "--cue", "instrumnet"], 2);
    assert!(message.starts_with("error: ") && message.contains("instrumnet"), "{message}");
    assert!(message.contains("instrument"), "{message}");
    assert!(bad(&["demo", "--cue", "", "--json"], 2).starts_with("error: "));
}

#[test]
fn numbers_out_of_range_are_refused_with_the_range() {
    assert!(bad(&["demo", "--cue", "8"], 2).contains("from 0 to 7"));
    assert!(bad(&["demo", "--cue", "-1"], 2).contains("from 0 to 7"));
    assert!(bad(&["demo", "--top", "0"], 2).contains("from 1 to 5000"));
    assert!(bad(&["demo", "--top", "5001"], 2).contains("from 1 to 5000"));
    assert!(bad(&["demo", "--top", "many"], 2).starts_with("error: "));
    assert!(bad(&["dream"], 2).starts_with("error: "));
}

#[test]
fn an_ambiguous_lemma_lists_its_senses_and_takes_the_first() {
    let text = good(&["demo", "--cue", "play"]);
    assert!(text.contains("14 senses") && text.contains("n00431125") && text.contains("v01730049"), "{text}");
    let outcome = json(&["demo", "--cue", "play", "--json"]);
    assert_eq!(outcome["cue"]["senses"].as_array().unwrap().len(), 14);
    assert_eq!(outcome["cue"]["id"], outcome["similarity"]["ranking"][0]["id"]);
    assert!(!good(&["demo", "--cue", "v01730049"]).contains("senses"));
}

#[test]
fn info_says_what_is_in_use() {
    let info = json(&["info", "--json"]);
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    let tiers = info["tiers"].as_array().unwrap();
    let in_use = tiers.iter().find(|tier| tier["name"] == info["tier"]).unwrap();
    assert_eq!(in_use["supported"], true);
    assert!(info["arena"]["capacity_bytes"].as_u64().unwrap() >= 64);
    assert!(info["rayon_threads"].as_u64().unwrap() >= 1);
    let text = good(&["info"]);
    assert!(text.contains(info["zig"].as_str().unwrap()) && text.contains("tier in use"));
    assert_80_columns(&text);
}

#[test]
fn an_unknown_tier_is_an_error_that_names_those_there_are_and_nothing_else_is_printed() {
    let forced = |arguments: &[&str]| ecphory(arguments).env("ECPHORY_TIER", "nonsense").output().unwrap();
    for arguments in [&["info"][..], &["info", "--json"], &["demo"], &["demo", "--json"]] {
        let output = forced(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.starts_with("error: ") && message.contains("nonsense"), "{message}");
        assert!(message.contains("v1") || message.contains("neon"), "{message}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_reader_that_stops_early_is_no_error() {
    let mut child = ecphory(&["demo", "--top", "5000"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!(errors, "");
    assert!(child.wait().unwrap().success());
}

#[test]
fn eval_compares_recall_with_controls_and_prints_one_object_a_line() {
    let folder = std::env::temp_dir().join(format!("ecphory-eval-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(folder.join(name), bytes).unwrap();
    let turn = |number: usize| {
        format!(
            "{{\"conversation\": 0, \"session\": 1, \"date_time\": \"1:56 pm on 8 May, 2023\", \
             \"dia_id\": \"D{number}\", \"speaker\": \"Ann\", \"text\": \"Ann: word{number}\"}}\n"
        )
    };
    write("turns.jsonl", (0..30).map(turn).collect::<String>().into_bytes());
    let question = r#"{"conversation": 0, "question": "Is there word7?", "category": 4, "evidence": ["D7"]}"#;
    write("questions.jsonl", question.into());
    let vectors = |count: usize| (0..count * 8).flat_map(|at| ((at % 11) as f32 - 5.0).to_le_bytes()).collect();
    write("turns.f32", vectors(30));
    write("questions.f32", vectors(1));
    let path = folder.to_str().unwrap();
    let text = good(&["eval", path]);
    assert_80_columns(&text);
    for part in ["cosine", "hybrid+smooth", "hybrid.6+smooth", "recall:pagerank", "5 best", "10 best", "20 best"] {
        assert!(text.contains(part), "{text}");
    }
    let heads: Vec<&str> = text.lines().filter(|line| line.contains(" best  ")).collect();
    assert!(heads.len() == 3 && heads.iter().all(|line| line.ends_with("all  not 5      4")), "{heads:?}");
    assert_eq!(good(&["eval", path, "--k", "20"]).matches(" best  ").count(), 1);
    let lines: Vec<Value> =
        good(&["eval", path, "--json"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of =
        |method: &str| lines.iter().find(|line| line["method"] == method && line["category"] == "4" && line["k"] == 10);
    let found = of("recall").unwrap();
    assert_eq!((found["recall"].as_f64(), found["questions"].as_u64()), (Some(1.0), Some(1)));
    assert!(found["low"].is_number() && found["high"].is_number());
    assert!(of("hybrid+smooth").is_some() && of("hybrid.6+smooth").is_none());
    assert!(lines.iter().all(|line| line["category"] != "5" && line["questions"] == 1));
    assert!(good(&["eval", path, "--json", "--strongest"]).contains("hybrid.6+smooth"));
    let refused = bad(&["eval", path, "--tune"], 2);
    assert!(
        refused.contains("--tune: tuning: expected two conversations or more with questions, found 1"),
        "{refused}"
    );
    assert!(bad(&["eval", path, "--k", "7"], 2).contains("--k: expected 5, 10 or 20, found 7"));
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(bad(&["eval", path], 2).contains("turns.jsonl"));
}
