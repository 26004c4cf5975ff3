//! What recall knows of English: words and their stems, and how sentences ask and name times.

use std::collections::HashSet;
use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};

/// Words that every text has.
const STOP: &str = "a about above after again against all am an and any are as at be because been before being below \
    between both but by can could d did do does doing don down during each few for from further had has have having he \
    her here hers herself him himself his how i if in into is it its itself just ll m me more most my myself no nor \
    not now of off on once only or other our ours ourselves out over own re s same she should so some such t than that \
    the their theirs them themselves then there these they this those through to too under until up ve very was we \
    were what when where which while who whom why will with would you your yours yourself yourselves";

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Words that say when something was, seen from when it is told; months and years do so too.
const TIMES: &str = "yesterday today tonight tomorrow ago last next weekend week weeks month months year years \
    recently just morning evening since monday tuesday wednesday thursday friday saturday sunday";

/// In lower case, split where neither letter nor digit is.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// Snowball's English stem of a word in lower case.
pub fn stem(word: &str) -> String {
    Stemmer::create(Algorithm::English).stem(word).into_owned()
}

pub fn is_stop(word: &str) -> bool {
    static STOPS: LazyLock<HashSet<&str>> = LazyLock::new(|| STOP.split_ascii_whitespace().collect());
    STOPS.contains(word)
}

/// The stems of all words but those that every text has and nobody is called.
pub fn terms(text: &str, called: &HashSet<String>) -> Vec<String> {
    words(text).filter(|word| !is_stop(word) || called.contains(word)).map(|word| stem(&word)).collect()
}

/// Whether a text ends with a question, whatever stands in brackets after it.
pub fn asks(text: &str) -> bool {
    let text = text.trim_end();
    let sentence = match text.strip_suffix(']').and_then(|text| text.rfind('[')) {
        Some(bracket) => &text[..bracket],
        None => text,
    };
    sentence.trim_end().ends_with(['?', '？', '؟'])
}

fn year(word: &str) -> Option<i32> {
    let year = (word.len() == 4).then(|| word.parse().ok()).flatten()?;
    (1900..2100).contains(&year).then_some(year)
}

/// Whether a text says when something was.
pub fn tells_time(text: &str) -> bool {
    words(text).any(|word| {
        TIMES.split_ascii_whitespace().any(|time| time == word) || MONTHS.contains(&&*word) || year(&word).is_some()
    })
}

/// Whether a text asks when something was.
pub fn asks_time(text: &str) -> bool {
    let words: Vec<String> = words(text).collect();
    let pair = |first: &[&str], second: &[&str]| {
        words.windows(2).any(|pair| first.contains(&&*pair[0]) && second.contains(&&*pair[1]))
    };
    words.iter().any(|word| word == "when")
        || pair(&["how"], &["long"])
        || pair(&["which", "what"], &["year", "month", "week", "date", "day"])
}

/// A date as a text names it: what is left out is any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    pub year: Option<i32>,
    /// 1 to 12.
    pub month: Option<u32>,
    /// 1 to 31.
    pub day: Option<u32>,
}

/// Whether "may" or "march" at a place is the month: a number stands beside it, or a preposition of time before it.
fn is_month(words: &[String], at: usize) -> bool {
    let number = |at: usize| words.get(at).is_some_and(|word| day(word).is_some() || year(word).is_some());
    let before = ["in", "on", "of", "by", "since", "during", "from", "until", "before", "after"];
    !["may", "march"].contains(&&*words[at])
        || number(at + 1)
        || at > 0 && (number(at - 1) || before.contains(&&*words[at - 1]))
}

fn day(word: &str) -> Option<u32> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let ending = &word[digits.len()..];
    let day = (digits.len() <= 2 && ["", "st", "nd", "rd", "th"].contains(&ending)).then(|| digits.parse().ok())?;
    day.filter(|day| (1..=31).contains(day))
}

/// The dates that a text names.
pub fn dates(text: &str) -> Vec<Date> {
    let words: Vec<String> = words(text).collect();
    let year = words.iter().find_map(|word| year(word));
    let month = |word: &str| {
        let long = |name: &&str| {
            **name == *word || word == &name[..3] && word != "mar" || word == "sept" && *name == "september"
        };
        MONTHS.iter().position(long).map(|month| month as u32 + 1)
    };
    let mut dates = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let Some(month) = month(word).filter(|_| is_month(&words, at)) else { continue };
        let beside = [at.checked_sub(1), Some(at + 1)].into_iter().flatten();
        let day = beside.filter_map(|at| words.get(at)).find_map(|word| day(word));
        dates.push(Date { year, month: Some(month), day });
    }
    if dates.is_empty() && year.is_some() {
        dates.push(Date { year, month: None, day: None });
    }
    dates
}

/// Days from the Unix epoch to a date of the Gregorian calendar (Hinnant, "chrono-compatible low-level date
/// algorithms").
pub fn day_number(year: i32, month: u32, day: u32) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl Date {
    /// Its first and last day in a year, counted from the epoch.
    pub fn days(&self, year: i32) -> (i64, i64) {
        let first = day_number(year, self.month.unwrap_or(1), self.day.unwrap_or(1));
        let after = match (self.month, self.day) {
            (_, Some(_)) => first + 1,
            (Some(month), None) if month < 12 => day_number(year, month + 1, 1),
            _ => day_number(year + 1, 1, 1),
        };
        (first, after - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_any_order_and_modal_verbs_are_none() {
        let date = |year, month, day| Date { year, month, day };
        for (text, expected) in [
            ("on 7 May 2023", vec![date(Some(2023), Some(5), Some(7))]),
            ("What happened on July 3rd?", vec![date(None, Some(7), Some(3))]),
            ("in March and in sept", vec![date(None, Some(3), None), date(None, Some(9), None)]),
            ("What may she like?", vec![]),
            ("back in 2022", vec![date(Some(2022), None, None)]),
            ("12345 and 3000", vec![]),
        ] {
            assert_eq!(dates(text), expected, "{text}");
        }
    }

    #[test]
    fn days_are_counted_from_the_epoch_through_leap_years() {
        assert_eq!(day_number(1970, 1, 1), 0);
        assert_eq!(day_number(2000, 3, 1) - day_number(2000, 2, 28), 2);
        assert_eq!(day_number(1900, 3, 1) - day_number(1900, 2, 28), 1);
        assert_eq!(Date { year: None, month: Some(12), day: None }.days(1999), (10926, 10956));
    }

    #[test]
    fn a_question_is_told_by_its_end_whatever_stands_in_brackets_after_it() {
        assert!(asks("Did you go? [shares a photo?]") && asks("Why?") && asks(" Why ? "));
        assert!(!asks("Why? I know.") && !asks("") && !asks("[who?]"));
    }

    #[test]
    fn times_are_told_and_asked_for() {
        assert!(tells_time("I went there yesterday") && tells_time("in June") && !tells_time("I went there"));
        assert!(asks_time("When did she go?") && asks_time("In which year was it?") && !asks_time("Who was it?"));
    }

    #[test]
    fn terms_are_stems_without_words_that_every_text_has() {
        let text = "The dogs weren't RUNNING, she said: café-bars!";
        let mut called = HashSet::new();
        assert_eq!(terms(text, &called), ["dog", "weren", "run", "said", "café", "bar"]);
        called.insert("she".to_owned());
        assert_eq!(terms(text, &called), ["dog", "weren", "run", "she", "said", "café", "bar"]);
    }
}
