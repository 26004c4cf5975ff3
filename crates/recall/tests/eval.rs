//! Evaluation over a folder whose truth is known.

use std::fs;
use std::path::{Path, PathBuf};

use ecphory_recall::eval::{Category, EvalError, Evidence, Method, methods};

/// A folder of the test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ecphory-eval-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.0.join(name), bytes).unwrap();
    }

    fn read(&self) -> Result<Evidence, EvalError> {
        Evidence::read(Path::new(&self.0))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn floats(elements: &[f32]) -> Vec<u8> {
    elements.iter().flat_map(|element| element.to_le_bytes()).collect()
}

fn question(category: u8, conversation: usize, evidence: &str) -> String {
    let known = format!(r#""conversation": {conversation}, "question": "words", "category": {category}"#);
    format!(r#"{{{known}, "evidence": [{evidence}]}}"#)
}

/// Thirty turns, each in a direction of its own; questions that point at a turn, and one that has no evidence.
fn written(name: &str) -> Folder {
    let folder = Folder::new(name);
    let turn = |number: usize| {
        let turn = serde_json::json!({
            "conversation": number / 15, "session": 1, "date_time": "1:56 pm on 8 May, 2023",
            "dia_id": format!("D{number}"), "speaker": "Ann", "text": format!("word{number}"),
        });
        turn.to_string()
    };
    folder.write("turns.jsonl", (0..30).map(turn).collect::<Vec<_>>().join("\n"));
    let questions = [question(1, 0, r#""D3""#), question(5, 1, r#""D20; D21 D99""#), question(2, 0, r#""nowhere""#)];
    folder.write("questions.jsonl", questions.join("\n"));
    let towards = |number: usize| (0..32).map(move |at| if at == number { 1.0 } else { 0.01 * (at % 5) as f32 });
    folder.write("turns.f32", floats(&(0..30).flat_map(towards).collect::<Vec<_>>()));
    folder.write("questions.f32", floats(&[3, 20, 0].into_iter().flat_map(towards).collect::<Vec<_>>()));
    folder
}

#[test]
fn recall_is_the_share_of_evidence_among_the_best_and_intervals_hold_their_mean() {
    let folder = written("share");
    let evidence = folder.read().unwrap();
    assert_eq!((evidence.counts(), evidence.unresolved, evidence.without_evidence), ((2, 30, 2), 2, 1));
    let cosine = Method::Control { similarity: 1.0, keywords: 0.0, smoothing: 0.0 };
    let found = evidence.ask(&cosine).unwrap();
    let of = |category| found.recall(category, 5).unwrap().mean;
    assert_eq!((of(Category::Of(1)), of(Category::Without5)), (1.0, 1.0));
    // The turn that the vector does not point at is one of fourteen others.
    assert!([0.5, 1.0].contains(&of(Category::Of(5))));
    for category in Category::REPORTED {
        let interval = found.recall(category, 10);
        assert!(interval.is_none_or(|interval| interval.low <= interval.mean && interval.mean <= interval.high));
    }
    assert_eq!(found.beyond(&found, Category::All, 10).unwrap().high, 0.0);
    // What there is not to be told is none: of no question, of so many as nobody looked at, beside other questions.
    assert_eq!((found.recall(Category::Of(3), 10), found.recall(Category::All, 7)), (None, None));
    let others = written("others");
    others.write(
        "questions.jsonl",
        [question(1, 0, r#""D3""#), question(1, 0, r#""D4""#), question(2, 1, "")].join("\n"),
    );
    let others = others.read().unwrap().ask(&cosine).unwrap();
    assert_eq!((found.beyond(&others, Category::All, 10), found.beyond(&found, Category::All, 1)), (None, None));
}

#[test]
fn every_method_reports_every_category_and_k() {
    let folder = written("every");
    let evidence = folder.read().unwrap();
    for (name, method) in methods() {
        let lines = evidence.ask(&method).unwrap().lines(&name);
        // All, without 5, 1 and 5.
        assert_eq!(lines.len(), 12);
        assert!(lines.iter().all(|line| line.method == name && (0.0..=1.0).contains(&line.recall)));
        let at = |k: usize| lines.iter().find(|line| line.category == "all" && line.k == k).unwrap().recall;
        assert!(at(5) <= at(10) && at(10) <= at(20));
    }
}

#[test]
fn tuning_asks_each_conversation_once_by_weights_of_the_others() {
    let folder = written("tuned");
    let evidence = folder.read().unwrap();
    let mut steps = 0;
    let tuned = evidence.tuned(|| steps += 1).unwrap();
    assert_eq!((steps, tuned.found.recall(Category::All, 10).unwrap().questions), (evidence.tuning_steps(), 2));
    assert_eq!(tuned.folds.iter().map(|fold| fold.conversation).collect::<Vec<_>>(), [0, 1]);
    // From where all weights are 1 nothing better was found here, whatever the default is.
    assert_eq!(tuned.folds[0].weights.next, 1.0);
    folder.write(
        "questions.jsonl",
        [question(1, 0, r#""D3""#), question(1, 0, r#""D4""#), question(2, 1, "")].join("\n"),
    );
    let refused = folder.read().unwrap().tuned(|| ()).err().unwrap();
    assert!(matches!(refused, EvalError::OneConversation { found: 1 }), "{refused}");
}

#[test]
fn files_that_are_not_what_they_should_be_are_named() {
    let folder = written("files");
    folder.write("questions.f32", [0; 12]);
    let refused = folder.read().err().unwrap().to_string();
    assert!(refused.contains("questions.f32") && refused.contains("found 1"), "{refused}");
    folder.write("turns.f32", [0; 13]);
    let refused = folder.read().err().unwrap().to_string();
    assert!(refused.contains("turns.f32: expected 30 vectors of f32, found 13 bytes"), "{refused}");
    folder.write("questions.jsonl", "{}");
    let refused = folder.read().err().unwrap().to_string();
    assert!(refused.contains("questions.jsonl: line 1"), "{refused}");
    fs::remove_file(folder.0.join("turns.jsonl")).unwrap();
    assert!(matches!(folder.read(), Err(EvalError::File { .. })));
}

#[test]
fn one_conversation_without_adversarial_questions_and_optional_fields_is_enough() {
    let folder = written("least");
    let turn = |number: usize| format!(r#"{{"dia_id": "D{number}", "text": "word{number}"}}"#);
    folder.write("turns.jsonl", (0..30).map(turn).collect::<Vec<_>>().join("\n"));
    let question = |evidence: &str| format!(r#"{{"question": "word3"{evidence}}}"#);
    let questions = [question(r#", "evidence": ["D3"]"#), question(r#", "evidence": ["D20"]"#), question("")];
    folder.write("questions.jsonl", questions.join("\n"));
    let evidence = folder.read().unwrap();
    assert_eq!((evidence.counts(), evidence.without_evidence), ((1, 30, 2), 1));
    for (name, method) in methods() {
        let found = evidence.ask(&method).unwrap();
        let all = found.recall(Category::All, 20).unwrap();
        assert_eq!((all.questions, found.recall(Category::Of(5), 20)), (2, None), "{name}");
        // Over its questions, of which there are two.
        assert!(all.low <= all.mean && all.mean <= all.high);
    }
    let bm25 = Method::Control { similarity: 0.0, keywords: 1.0, smoothing: 0.0 };
    let found = evidence.ask(&bm25).unwrap().recall(Category::All, 5).unwrap();
    assert_eq!((found.low, found.mean, found.high), (0.0, 0.5, 1.0));
}

#[test]
fn a_number_that_is_none_is_named_by_its_file_and_place() {
    let folder = written("none");
    let mut bytes = floats(&[0.5; 96]);
    bytes[4 * 40..][..4].copy_from_slice(&f32::NAN.to_le_bytes());
    folder.write("questions.f32", bytes);
    let refused = folder.read().err().unwrap().to_string();
    assert!(refused.contains("questions.f32: vector 2, element 8: expected a finite number, found NaN"), "{refused}");
    folder.write("questions.jsonl", "\n{\"question\": 3}");
    let refused = folder.read().err().unwrap().to_string();
    assert!(refused.contains("questions.jsonl: line 2"), "{refused}");
}
