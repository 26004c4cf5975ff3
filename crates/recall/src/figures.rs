//! Shares of evidence that were found, and how far they may be off.

use std::collections::BTreeMap;

use serde::Serialize;

/// How many of the best turns are looked at.
pub const KS: [usize; 3] = [5, 10, 20];
const RESAMPLES: usize = 4000;

/// What a method found for each question: its conversation, its category, and the share of its evidence among the best
/// of each of [`KS`].
pub struct Found(pub(crate) Vec<(usize, u8, [f64; KS.len()])>);

/// Which questions count together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Category {
    /// All of them.
    All,
    /// All but the adversarial ones, category 5.
    Without5,
    /// Those of one category.
    Of(u8),
}

impl Category {
    /// All that a report has.
    pub const REPORTED: [Self; 7] =
        [Self::All, Self::Without5, Self::Of(1), Self::Of(2), Self::Of(3), Self::Of(4), Self::Of(5)];

    /// Its name in reports.
    pub fn name(self) -> String {
        match self {
            Self::All => "all".into(),
            Self::Without5 => "without-5".into(),
            Self::Of(category) => category.to_string(),
        }
    }

    fn has(self, category: u8) -> bool {
        match self {
            Self::All => true,
            Self::Without5 => category != 5,
            Self::Of(of) => category == of,
        }
    }
}

/// A mean over questions, with the interval of 95 % by bootstrap over conversations: these are drawn, with all their
/// questions, for questions of one conversation fail together. Where only one conversation has such questions, it is
/// over its questions, and says nothing of other conversations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// How many questions.
    pub questions: usize,
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Line {
    /// The method's name.
    pub method: String,
    /// The questions' category.
    pub category: String,
    /// How many of the best are looked at.
    pub k: usize,
    /// The mean share of a question's evidence among them.
    pub recall: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How many questions.
    pub questions: usize,
}

impl Found {
    /// Of all conversations but one, among the ten best.
    pub(crate) fn without(&self, conversation: usize) -> f64 {
        let others = || self.0.iter().filter(|found| found.0 != conversation);
        others().map(|found| found.2[1]).sum::<f64>() / others().count().max(1) as f64
    }

    /// Of one conversation.
    pub(crate) fn of(&self, conversation: usize) -> Self {
        Self(self.0.iter().filter(|found| found.0 == conversation).copied().collect())
    }

    /// Of conversations in their order.
    pub(crate) fn joined(parts: Vec<Self>) -> Self {
        Self(parts.into_iter().flat_map(|part| part.0).collect())
    }

    /// Recall among the `k` best; none for a `k` that is not of [`KS`], and where no question is of the category.
    pub fn recall(&self, category: Category, k: usize) -> Option<Interval> {
        let at = KS.iter().position(|known| *known == k)?;
        self.interval(category, |question| self.0[question].2[at])
    }

    /// Recall less another's, question by question; none where [`Found::recall`] has none, and where the other's
    /// questions are not the same.
    pub fn beyond(&self, other: &Found, category: Category, k: usize) -> Option<Interval> {
        let at = KS.iter().position(|known| *known == k)?;
        let questions = |found: &Found| found.0.iter().map(|found| (found.0, found.1)).collect::<Vec<_>>();
        if questions(self) != questions(other) {
            return None;
        }
        self.interval(category, |question| self.0[question].2[at] - other.0[question].2[at])
    }

    fn interval(&self, category: Category, value: impl Fn(usize) -> f64) -> Option<Interval> {
        let mut by_conversation: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for (at, (conversation, _, _)) in self.0.iter().enumerate().filter(|(_, found)| category.has(found.1)) {
            by_conversation.entry(*conversation).or_default().push(value(at));
        }
        if by_conversation.is_empty() {
            return None;
        }
        let of_one = by_conversation.len() == 1;
        let values = by_conversation.into_values();
        let sums: Vec<(f64, f64)> = match of_one {
            true => values.flatten().map(|value| (value, 1.0)).collect(),
            false => values.map(|values| (values.iter().sum(), values.len() as f64)).collect(),
        };
        let mean = |sums: &mut dyn Iterator<Item = (f64, f64)>| {
            let (sum, count) = sums.fold((0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1));
            sum / count
        };
        // SplitMix64 (Steele, Lea and Flood 2014), always from the same seed.
        let mut state = 0u64;
        let mut draw = || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((mixed ^ mixed >> 31) % sums.len() as u64) as usize
        };
        let mut means = [0.0; RESAMPLES];
        means.iter_mut().for_each(|to| *to = mean(&mut (0..sums.len()).map(|_| sums[draw()])));
        means.sort_by(f64::total_cmp);
        let at = |share: f64| means[(share * RESAMPLES as f64) as usize];
        let questions = sums.iter().map(|sum| sum.1).sum::<f64>() as usize;
        Some(Interval { mean: mean(&mut sums.iter().copied()), low: at(0.025), high: at(0.975), questions })
    }

    /// Every line of a report; none of a category without questions.
    pub fn lines(&self, method: &str) -> Vec<Line> {
        let mut lines = Vec::new();
        for category in Category::REPORTED {
            for k in KS {
                let Some(Interval { mean, low, high, questions }) = self.recall(category, k) else { continue };
                let (method, category) = (method.to_owned(), category.name());
                lines.push(Line { method, category, k, recall: mean, low, high, questions });
            }
        }
        lines
    }
}
