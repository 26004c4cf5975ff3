use std::collections::{HashMap, HashSet};

/// How soon a term that a text has again and again counts no more, and how much longer texts count less.
const K1: f64 = 0.9;
const B: f64 = 0.4;

/// Terms and the texts that hold them, scored by BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework:
/// BM25 and Beyond", 2009) with k1 0.9 and b 0.4, and the inverse document frequency `ln(1 + (N - n + 0.5) / (n +
/// 0.5))`, which is never below 0.
///
/// Not by the crate `bm25` (2.3.2), which finds as much (`benches/RECORD.md`): what it keeps of a text is weighted by a
/// mean length that is set once, so texts that come later change no score of those before; terms are hashes of 32 bits;
/// it looks for hits alone, sorted, where recall asks for the score of every text; and a search takes far longer.
#[derive(Default)]
pub struct Keywords {
    ids: HashMap<String, u32>,
    /// For each term, the texts that hold it, ascending, and how often.
    postings: Vec<Vec<(u32, u32)>>,
    /// `k1 * (1 - b + b * length / mean length)` of each text.
    saturations: Vec<f32>,
}

impl Keywords {
    /// Of texts by their terms.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a [String]>) -> Self {
        let mut made = Self::default();
        let mut lengths = Vec::new();
        for (text, terms) in (0..).zip(texts) {
            lengths.push(terms.len() as f64);
            for term in terms {
                let next = made.ids.len() as u32;
                let id = *made.ids.entry(term.clone()).or_insert(next) as usize;
                if id == made.postings.len() {
                    made.postings.push(Vec::new());
                }
                match made.postings[id].last_mut() {
                    Some((last, count)) if *last == text => *count += 1,
                    _ => made.postings[id].push((text, 1)),
                }
            }
        }
        let mean = lengths.iter().sum::<f64>() / lengths.len().max(1) as f64;
        let share = |length: f64| if mean > 0.0 { length / mean } else { 1.0 };
        made.saturations = lengths.iter().map(|&length| (K1 * (1.0 - B + B * share(length))) as f32).collect();
        made
    }

    /// The texts that hold a term.
    pub fn holding(&self, term: &str) -> &[(u32, u32)] {
        self.ids.get(term).map_or(&[], |&id| &self.postings[id as usize])
    }

    /// The score of every text. Each term counts once, however often it is asked for.
    pub fn scores(&self, terms: &[String]) -> Vec<f32> {
        let mut scores = vec![0.0; self.saturations.len()];
        self.add_scores(terms, &mut scores);
        scores
    }

    /// Adds the score of every text: one place for each, those of texts that hold none of the terms untouched.
    pub fn add_scores(&self, terms: &[String], scores: &mut [f32]) {
        self.add(terms, |term| self.holding(term), scores);
    }

    /// The score of every text by those of its words alone that `counted` says: for each term, texts and how often.
    /// What is rare, and how long texts are, stays as it is.
    pub fn scores_of_some(&self, terms: &[String], counted: impl Fn(&str) -> Vec<(u32, u32)>) -> Vec<f32> {
        let mut scores = vec![0.0; self.saturations.len()];
        self.add(terms, counted, &mut scores);
        scores
    }

    fn add<H: AsRef<[(u32, u32)]>>(&self, terms: &[String], counted: impl Fn(&str) -> H, scores: &mut [f32]) {
        let mut seen = HashSet::with_capacity(terms.len());
        for term in terms.iter().filter(|term| seen.insert(term.as_str())) {
            let (all, holding) = (scores.len() as f64, self.holding(term).len() as f64);
            let rarity = (1.0 + (all - holding + 0.5) / (holding + 0.5)).ln();
            for &(text, count) in counted(term).as_ref() {
                let (count, saturation) = (f64::from(count), f64::from(self.saturations[text as usize]));
                scores[text as usize] += (rarity * count * (K1 + 1.0) / (count + saturation)) as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_the_formula_one_text_at_a_time() {
        let texts = [vec!["a", "b", "a"], vec!["b"], vec![], vec!["c", "a", "d", "e"]];
        let texts = texts.map(|terms| terms.into_iter().map(String::from).collect::<Vec<_>>());
        let keywords = Keywords::new(texts.iter().map(Vec::as_slice));
        let asked = ["a", "b", "a", "nowhere"].map(String::from);
        let scores = keywords.scores(&asked);
        for (text, score) in texts.iter().zip(scores) {
            let of = |term: &str| {
                let holding = texts.iter().filter(|text| text.iter().any(|held| held == term)).count() as f64;
                let count = text.iter().filter(|held| *held == term).count() as f64;
                let rarity = (1.0 + (4.0 - holding + 0.5) / (holding + 0.5)).ln();
                rarity * count * 1.9 / (count + 0.9 * (0.6 + 0.4 * text.len() as f64 / 2.0))
            };
            assert!((f64::from(score) - of("a") - of("b")).abs() < 1e-6, "{text:?}");
        }
    }

    #[test]
    fn without_texts_or_terms_nothing_scores() {
        assert!(Keywords::new([]).scores(&["a".into()]).is_empty());
        assert_eq!(Keywords::new([&[][..], &[]]).scores(&["a".into()]), [0.0, 0.0]);
    }
}
