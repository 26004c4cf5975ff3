//! Filters of any shape keep what one that looks at each memory by itself keeps.

use ecphory_recall::{Cue, Filter, Memory, MemoryGraph, Options, Schema, Value};
use proptest::prelude::*;

const COUNT: usize = 150;

/// What is known of a memory, as the oracle sees it.
#[derive(Debug, Clone)]
struct Known {
    place: Option<&'static str>,
    number: Option<f64>,
    tags: Vec<&'static str>,
    flag: Option<bool>,
    created_ms: i64,
    pinned: bool,
}

fn known(id: usize) -> Known {
    let places = ["sea", "hill", "town"];
    Known {
        place: (!id.is_multiple_of(4)).then(|| places[id % 3]),
        number: (!id.is_multiple_of(5)).then_some((id % 11) as f64 - 5.0),
        tags: places[..id % 4].to_vec(),
        flag: (id % 7 > 2).then_some(id.is_multiple_of(2)),
        created_ms: (id as i64 % 20 - 10) * 1000,
        pinned: id.is_multiple_of(6),
    }
}

fn graph() -> MemoryGraph {
    let mut graph = MemoryGraph::new(1, Schema::new()).unwrap();
    for id in 0..COUNT {
        let known = known(id);
        let mut memory = Memory::new(vec![1.0]).created_ms(known.created_ms);
        memory = if known.pinned { memory.pinned() } else { memory };
        memory = known.place.into_iter().fold(memory, |memory, place| memory.with("place", place));
        memory = known.number.into_iter().fold(memory, |memory, number| memory.with("number", number));
        memory = known.flag.into_iter().fold(memory, |memory, flag| memory.with("flag", flag));
        if !known.tags.is_empty() {
            memory = memory.with("tags", Value::Texts(known.tags.iter().map(|tag| (*tag).to_owned()).collect()));
        }
        graph.insert(memory).unwrap();
    }
    graph
}

/// One memory at a time.
fn passes(filter: &Filter, id: usize) -> bool {
    let known = known(id);
    let equals = |key: &str, value: &Value| match (key, value) {
        ("place", Value::Text(text)) => known.place == Some(text),
        ("number", Value::Number(number)) => known.number == Some(*number),
        ("tags", Value::Text(text)) => known.tags.contains(&&**text),
        ("flag", Value::Flag(flag)) => known.flag == Some(*flag),
        _ => false,
    };
    match filter {
        Filter::Eq { key, value } => equals(key, value),
        Filter::In { key, values } => values.iter().any(|value| equals(key, value)),
        Filter::Range { key, least, most } => {
            let number = known.number.filter(|_| key == "number");
            number.is_some_and(|number| least.is_none_or(|x| number >= x) && most.is_none_or(|x| number <= x))
        }
        Filter::Exists { key } => match &**key {
            "place" => known.place.is_some(),
            "number" => known.number.is_some(),
            "tags" => !known.tags.is_empty(),
            "flag" => known.flag.is_some(),
            _ => false,
        },
        Filter::Created { from_ms, until_ms } => {
            let made = known.created_ms;
            from_ms.is_none_or(|from| made >= from) && until_ms.is_none_or(|until| made < until)
        }
        Filter::Pinned => known.pinned,
        Filter::Ids(ids) => ids.contains(&(id as u32)),
        Filter::And(filters) => filters.iter().all(|filter| passes(filter, id)),
        Filter::Or(filters) => filters.iter().any(|filter| passes(filter, id)),
        Filter::Not(filter) => !passes(filter, id),
        _ => unreachable!("a filter that is not made here"),
    }
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(vec!["sea", "hill", "town", "moon"]).prop_map(Value::from),
        (-6..6).prop_map(|number| Value::from(f64::from(number))),
        any::<bool>().prop_map(Value::from),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    let key = || prop::sample::select(vec!["place", "number", "tags", "flag", "nothing"]).prop_map(String::from);
    let bound = || prop::option::of((-6..6).prop_map(f64::from));
    let moment = || prop::option::of(-11_000i64..11_000);
    let one = prop_oneof![
        (key(), value()).prop_map(|(key, value)| Filter::Eq { key, value }),
        (key(), prop::collection::vec(value(), 0..4)).prop_map(|(key, values)| Filter::In { key, values }),
        (key(), bound(), bound()).prop_map(|(key, least, most)| Filter::Range { key, least, most }),
        key().prop_map(|key| Filter::Exists { key }),
        (moment(), moment()).prop_map(|(from_ms, until_ms)| Filter::Created { from_ms, until_ms }),
        Just(Filter::Pinned),
        prop::collection::vec(0..COUNT as u32, 0..20).prop_map(Filter::Ids),
    ];
    one.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::Or),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

proptest! {
    #[test]
    fn filters_keep_what_passes_one_memory_at_a_time(filter in filter()) {
        let (graph, options) = (graph(), Options::default().top_k(COUNT));
        let found = graph.recall(&Cue::new().vector(&[1.0]), &options.filter(&filter)).unwrap();
        let mut found: Vec<usize> = found.hits.iter().map(|hit| hit.memory as usize).collect();
        found.sort_unstable();
        prop_assert_eq!(found, (0..COUNT).filter(|&id| passes(&filter, id)).collect::<Vec<_>>());
        let json = serde_json::to_string(&filter).unwrap();
        prop_assert_eq!(serde_json::from_str::<Filter>(&json).unwrap(), filter);
    }
}
