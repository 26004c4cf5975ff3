use std::collections::BTreeSet;

use serde::Serialize;

use crate::failure::Failure;
use crate::wordnet::WordNet;

/// Longer words get no suggestions: hardly any lemma is as long.
const LONGEST_SUGGESTED: usize = 64;
const SUGGESTIONS: usize = 5;

/// What memory is asked with.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Cue {
    /// One of the sentences that have a vector.
    Sentence { number: usize, text: &'static str },
    /// A synset of the graph, by its vector: the first of the `senses` of what was asked for.
    Synset { asked: String, id: u32, senses: Vec<Sense> },
}

/// One synset that a lemma may mean.
#[derive(Debug, Serialize)]
pub struct Sense {
    pub id: u32,
    pub synset: &'static str,
    pub lemmas: Vec<&'static str>,
    pub gloss: &'static str,
}

impl Cue {
    /// A sentence's number, or the synsets with this key or lemma; no lemma of the graph is a number.
    pub fn find(asked: &str, wordnet: &WordNet) -> Result<Self, Failure> {
        let digits = asked.strip_prefix(['-', '+']).unwrap_or(asked);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::sentence(asked, wordnet);
        }
        let wanted = normal(asked);
        if let Some(number) = wordnet.cues.iter().position(|text| normal(text) == wanted) {
            return Ok(Self::Sentence { number, text: wordnet.cues[number] });
        }
        let meant = |lemmas: &[&str], key: &str| key == wanted || lemmas.iter().any(|lemma| normal(lemma) == wanted);
        let senses: Vec<_> = (0..)
            .zip(&wordnet.synsets)
            .filter(|(_, synset)| meant(&synset.lemmas, synset.key))
            .map(|(id, synset)| Sense { id, synset: synset.key, lemmas: synset.lemmas.clone(), gloss: synset.gloss })
            .collect();
        match senses.first() {
            Some(first) => Ok(Self::Synset { asked: asked.to_owned(), id: first.id, senses }),
            None => Err(unknown(asked, wordnet)),
        }
    }

    fn sentence(asked: &str, wordnet: &WordNet) -> Result<Self, Failure> {
        let found = asked.parse::<usize>().ok().and_then(|number| Some((number, *wordnet.cues.get(number)?)));
        let last = wordnet.cues.len().saturating_sub(1);
        let (number, text) = found.ok_or_else(|| {
            Failure::Input(format!("--cue: expected a sentence's number from 0 to {last}, or a lemma, found {asked}"))
        })?;
        Ok(Self::Sentence { number, text })
    }

    /// The vector to search with.
    pub fn vector<'a>(&self, wordnet: &'a WordNet) -> Result<&'a [f32], Failure> {
        let row = match *self {
            Self::Sentence { number, .. } => wordnet.cue_vectors()?.row(number),
            Self::Synset { id, .. } => wordnet.vectors()?.row(id as usize),
        };
        row.ok_or_else(|| Failure::Other("the cue has no vector".to_owned()))
    }
}

fn normal(lemma: &str) -> String {
    lemma.trim().to_lowercase().replace('_', " ")
}

fn unknown(asked: &str, wordnet: &WordNet) -> Failure {
    let near = suggestions(&normal(asked), wordnet);
    let hint = match near.as_slice() {
        [] => "none is spelled like it, and only the sentences that `demo --help` lists have a vector".to_owned(),
        near => format!("near it: {}", near.join(", ")),
    };
    Failure::Input(format!("--cue: no synset of the graph has the lemma {asked:?}\n  {hint}"))
}

/// Lemmas that are spelled almost like `wanted`, the nearest first.
fn suggestions(wanted: &str, wordnet: &WordNet) -> Vec<&'static str> {
    let length = wanted.chars().count();
    if !(2..=LONGEST_SUGGESTED).contains(&length) {
        return Vec::new();
    }
    let lemmas: BTreeSet<_> = wordnet.synsets.iter().flat_map(|synset| &synset.lemmas).copied().collect();
    let farthest = (length / 3).clamp(1, 3);
    let mut near: Vec<_> = lemmas
        .into_iter()
        .map(|lemma| (distance(wanted, &normal(lemma)), lemma))
        .filter(|&(distance, _)| distance <= farthest)
        .collect();
    near.sort_unstable();
    near.into_iter().take(SUGGESTIONS).map(|(_, lemma)| lemma).collect()
}

/// How many letters must be put in, left out or exchanged to make one word of the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<_> = b.chars().collect();
    let mut row: Vec<_> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, &other) in b.iter().enumerate() {
            let exchanged = diagonal + usize::from(letter != other);
            diagonal = row[j + 1];
            row[j + 1] = exchanged.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(asked: &str) -> String {
        match Cue::find(asked, &WordNet::load().unwrap()) {
            Err(Failure::Input(message)) => message,
            other => panic!("{asked:?}: {other:?}"),
        }
    }

    fn senses(asked: &str) -> Vec<&'static str> {
        match Cue::find(asked, &WordNet::load().unwrap()) {
            Ok(Cue::Synset { senses, .. }) => senses.iter().map(|sense| sense.synset).collect(),
            other => panic!("{asked:?}: {other:?}"),
        }
    }

    #[test]
    fn a_number_out_of_range_names_the_range() {
        for asked in ["8", "-1", "99999999999999999999999"] {
            let message = format!("--cue: expected a sentence's number from 0 to 7, or a lemma, found {asked}");
            assert_eq!(refusal(asked), message);
        }
    }

    #[test]
    fn an_unknown_lemma_is_named_with_near_ones() {
        let message = refusal("instrumnet");
        assert!(message.contains("\"instrumnet\"") && message.contains("instrument"), "{message}");
        assert!(refusal("").contains("\"\""));
        assert!(refusal("").contains("none is spelled like it"));
        assert!(refusal("qqqqqqqqqq").contains("none is spelled like it"));
        assert!(refusal(&"x".repeat(100_000)).contains("none is spelled like it"));
    }

    #[test]
    fn an_ambiguous_lemma_has_all_its_senses_and_each_key_has_one() {
        let all = senses("play");
        assert_eq!(all.len(), 14);
        for key in all {
            assert_eq!(senses(key), [key]);
        }
    }

    #[test]
    fn lemmas_are_found_in_any_case_and_with_underscores() {
        assert_eq!(senses("american_FOOTBALL"), senses("American football"));
    }

    #[test]
    fn no_lemma_or_key_of_the_graph_is_taken_for_a_number() {
        let wordnet = WordNet::load().unwrap();
        let names = wordnet.synsets.iter().flat_map(|synset| synset.lemmas.iter().chain([&synset.key]));
        assert!(names.into_iter().all(|name| !name.bytes().all(|byte| byte.is_ascii_digit())));
    }

    #[test]
    fn distance_counts_single_letter_edits() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
