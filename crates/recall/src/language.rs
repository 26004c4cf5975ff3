//! What recall knows of the language of texts.

use std::collections::HashSet;

use crate::english::{self, Date};

/// The language of texts and cues, by which their words are told, and what they ask and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Language {
    /// English: words in lower case, split where neither letter nor digit is, by their Snowball stems, without some 130
    /// that every text has; texts that tell a time ("yesterday", "in May"), cues that ask for one ("when") or name a
    /// date ("7 May 2023").
    #[default]
    English,
    /// Any: words in lower case, split in the same way, all of them and as they are; no times and no dates. Where words
    /// do not stand apart, give texts whose words do. A text that ends with a question mark asks, in either language.
    Plain,
}

impl Language {
    /// What keywords are made of; words in `kept` are, though every text has them.
    pub(crate) fn terms(self, text: &str, kept: &HashSet<String>) -> Vec<String> {
        match self {
            Self::English => english::terms(text, kept),
            Self::Plain => self.stems(text),
        }
    }

    /// The words of a name that keywords are not made of.
    pub(crate) fn left_out(self, name: &str) -> Vec<String> {
        match self {
            Self::English => english::words(name).filter(|word| english::is_stop(word)).collect(),
            Self::Plain => Vec::new(),
        }
    }

    /// Of every word, in order.
    pub(crate) fn stems(self, text: &str) -> Vec<String> {
        match self {
            Self::English => english::words(text).map(|word| english::stem(&word)).collect(),
            Self::Plain => english::words(text).collect(),
        }
    }

    pub(crate) fn tells_time(self, text: &str) -> bool {
        self == Self::English && english::tells_time(text)
    }

    pub(crate) fn asks_time(self, text: &str) -> bool {
        self == Self::English && english::asks_time(text)
    }

    pub(crate) fn dates(self, text: &str) -> Vec<Date> {
        if self == Self::English { english::dates(text) } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_words_are_kept_as_they_are_and_name_no_times() {
        let text = "When were the Dogs in MAY 2023?";
        assert_eq!(Language::Plain.terms(text, &HashSet::new()), ["when", "were", "the", "dogs", "in", "may", "2023"]);
        assert_eq!(Language::Plain.stems("Dogs"), ["dogs"]);
        assert_eq!(Language::English.stems("Dogs"), ["dog"]);
        let of = |language: Language| (language.tells_time(text), language.asks_time(text), language.dates(text).len());
        assert_eq!([of(Language::Plain), of(Language::English)], [(false, false, 0), (true, true, 1)]);
    }
}
