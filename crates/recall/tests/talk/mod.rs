//! A talk to be recalled, and what is asked of what comes back.

use ecphory_recall::{Hit, Memory, MemoryGraph, Options, Recall, Schema};

pub const DAY_MS: i64 = 86_400_000;
/// 1 May 2023.
pub const MAY_MS: i64 = 19_478 * DAY_MS;

/// Three days of two people's talk; vectors say nothing but which memory it is.
pub fn talk() -> MemoryGraph {
    let mut graph = MemoryGraph::new(8, Schema::new().sequence("session").context("speaker").context("place")).unwrap();
    let turns = [
        ("Ann", "1", "I went to the harbour yesterday"),
        ("Ben", "1", "What did you see there?"),
        ("Ann", "1", "A tall ship with red sails"),
        ("Ben", "2", "My brother collects stamps"),
        ("Ann", "2", "Mine collects sails of ships"),
        ("Ben", "3", "We had rain all week"),
        ("Ann", "3", "So did we"),
    ];
    for (day, (speaker, session, text)) in turns.into_iter().enumerate() {
        let mut vector = vec![0.1; 8];
        vector[day] = 1.0;
        let memory = Memory::new(vector).text(text).created_ms(MAY_MS + day as i64 * 10 * DAY_MS);
        let memory = memory.with("speaker", speaker).with("session", session).with("number", day as f64);
        graph.insert(if day == 0 { memory.with("place", "old harbour") } else { memory }).unwrap();
    }
    graph
}

pub fn ids(recall: &Recall) -> Vec<u32> {
    recall.hits.iter().map(|hit| hit.memory).collect()
}

pub fn hit(recall: &Recall, id: u32) -> &Hit {
    recall.hits.iter().find(|hit| hit.memory == id).unwrap()
}

pub fn all() -> Options<'static> {
    Options::default().top_k(100)
}
