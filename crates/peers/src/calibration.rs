//! What FSRS-6 predicts of the reviews in a log, by us and by the crate fsrs: nothing is timed.
//!
//! A log is CSV behind a header: `card_id,review_rating,review_time,review_duration`, times as
//! `2024-10-06T17:12:51.227000+00:00`, as py-fsrs has one among its tests (`tests/review_logs_josh_*.csv`). Each review
//! a whole day or more after the card's last one is predicted by what came before it, with the published parameters.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use ecphory::Fsrs;
use fsrs::{FSRS, FSRSItem, FSRSReview, current_retrievability};

/// Of one card: its grade, and whole days since the one before.
type Reviews = Vec<(u8, u32)>;

/// One review that was predicted.
struct Prediction {
    ours: f64,
    theirs: f64,
    recalled: bool,
    bin: (u32, u32, u32),
}

/// What the log's reviews say of either.
///
/// # Errors
/// Of a line that is none of such a log, and of a log in which nothing can be predicted.
pub fn report(log: &str) -> Result<String, Box<dyn std::error::Error>> {
    let cards = cards(log)?;
    let mut predictions = Vec::new();
    for reviews in cards.values() {
        predictions.extend(predict(reviews)?);
    }
    if predictions.is_empty() {
        return Err("no review comes a day or more after another of its card".into());
    }
    let count = predictions.len();
    let reviews: usize = cards.values().map(Vec::len).sum();
    let mut text = format!("{} cards, {reviews} reviews, of which {count} are predicted\n", cards.len());
    let ways: [(&str, fn(&Prediction) -> f64); 2] = [("ecphory", |p| p.ours), ("fsrs", |p| p.theirs)];
    for (name, of) in ways {
        let (loss, rmse) = (log_loss(&predictions, of), rmse_by_bins(&predictions, of));
        writeln!(text, "{name:<8} log-loss {loss:.6}, RMSE (bins) {rmse:.6}")?;
    }
    let apart = predictions.iter().map(|p| (p.ours - p.theirs).abs()).fold(0.0, f64::max);
    writeln!(text, "predictions are {apart:.1e} apart at most")?;
    Ok(text)
}

/// In the order of time, which the log has of each card.
fn cards(log: &str) -> Result<BTreeMap<&str, Reviews>, Box<dyn std::error::Error>> {
    let mut cards: BTreeMap<&str, (i64, Reviews)> = BTreeMap::new();
    for (number, line) in log.lines().enumerate().skip(1) {
        let fields: Vec<_> = line.split(',').collect();
        let [card, grade, time, _] = fields[..] else {
            return Err(format!("line {}: expected 4 fields, found {}", number + 1, fields.len()).into());
        };
        let grade = grade.parse().ok().filter(|grade| (1..=4).contains(grade));
        let (Some(grade), Some(second)) = (grade, unix_seconds(time)) else {
            return Err(format!("line {}: expected a rating and a time in UTC, found '{line}'", number + 1).into());
        };
        let (last, reviews) = cards.entry(card).or_insert((second, Vec::new()));
        let days =
            u32::try_from((second - *last) / 86_400).map_err(|_| format!("line {}: out of order", number + 1))?;
        reviews.push((grade, days));
        *last = second;
    }
    Ok(cards.into_iter().map(|(card, (_, reviews))| (card, reviews)).collect())
}

/// Fractions of a second are cut off.
fn unix_seconds(time: &str) -> Option<i64> {
    let utc = time.strip_suffix("+00:00").or_else(|| time.strip_suffix('Z'))?;
    let (date, clock) = utc.split_once('T')?;
    let numbers = |text: &str, by: char| -> Option<[i64; 3]> {
        let all: Vec<i64> = text.split(by).map(str::parse).collect::<Result<_, _>>().ok()?;
        all.try_into().ok()
    };
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(clock.split('.').next()?, ':')?;
    // Years begin in March, so that the odd day is their last (Hinnant, "chrono-compatible low-level date algorithms").
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

fn predict(reviews: &Reviews) -> Result<Vec<Prediction>, Box<dyn std::error::Error>> {
    let history = reviews.iter().map(|&(grade, delta_t)| FSRSReview { rating: grade.into(), delta_t }).collect();
    let states = FSRS::new(&[])?.historical_memory_states(FSRSItem { reviews: history }, None)?;
    let (ours, mut stability, mut difficulty) = (Fsrs::default(), [0.0], [0.0]);
    let mut predictions = Vec::new();
    for (at, &(grade, days)) in reviews.iter().enumerate() {
        let elapsed = [days as f32];
        if at > 0 && days > 0 {
            let mut left = [0.0];
            ours.retrievability(&stability, &elapsed, &mut left)?;
            let theirs = current_retrievability(states[at - 1], elapsed[0], Fsrs::PARAMETERS[20] as f32);
            predictions.push(Prediction {
                ours: left[0].into(),
                theirs: theirs.into(),
                recalled: grade > 1,
                bin: bin(&reviews[..=at]),
            });
        }
        ours.review(&mut stability, &mut difficulty, &elapsed, &[grade])?;
    }
    Ok(predictions)
}

/// By days, by reviews a day or more apart, and by lapses among these, as in the crate fsrs 6.6.2, src/dataset.rs.
fn bin(reviews: &[(u8, u32)]) -> (u32, u32, u32) {
    let step = |x: f64, base: f64, scale: f64| scale * base.powf(x.log(base).floor());
    let (&(_, days), history) = reviews.split_last().expect("at least one");
    let apart = reviews.iter().filter(|review| review.1 > 0).count();
    let lapses = history.iter().filter(|review| review.0 == 1 && review.1 > 0).count();
    (
        (step(days.into(), 3.62, 2.48) * 100.0).round() as u32,
        step(apart as f64 + 1.0, 1.89, 1.99).round() as u32,
        if lapses == 0 { 0 } else { step(lapses as f64, 1.73, 1.65).round() as u32 },
    )
}

fn log_loss(predictions: &[Prediction], of: fn(&Prediction) -> f64) -> f64 {
    let each = |p: &Prediction| if p.recalled { -of(p).ln() } else { -(1.0 - of(p)).ln() };
    predictions.iter().map(each).sum::<f64>() / predictions.len() as f64
}

fn rmse_by_bins(predictions: &[Prediction], of: fn(&Prediction) -> f64) -> f64 {
    let mut bins: HashMap<_, (f64, f64, f64)> = HashMap::new();
    for p in predictions {
        let bin = bins.entry(p.bin).or_default();
        *bin = (bin.0 + of(p), bin.1 + f64::from(u8::from(p.recalled)), bin.2 + 1.0);
    }
    let squares: f64 = bins.values().map(|(predicted, actual, n)| ((predicted - actual) / n).powi(2) * n).sum();
    (squares / predictions.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "card_id,review_rating,review_time,review_duration
7,3,2024-02-28T10:00:00.144000+00:00,7315
8,1,2024-02-28T11:00:00+00:00,7315
7,3,2024-03-01T10:00:00.200000+00:00,7315
8,3,2024-02-28T11:05:00+00:00,7315
7,1,2024-03-12T09:59:59Z,7315
8,4,2024-03-05T23:05:00+00:00,7315
";

    #[test]
    fn days_are_whole_and_of_each_card() {
        let cards = cards(LOG).unwrap();
        assert_eq!(cards["7"], [(3, 0), (3, 2), (1, 10)]);
        assert_eq!(cards["8"], [(1, 0), (3, 0), (4, 6)]);
        assert_eq!(unix_seconds("2024-10-06T17:13:00.857000+00:00"), Some(1_728_234_780));
        assert!(super::cards("header\n7,5,2024-02-28T10:00:00+00:00,1").is_err());
    }

    #[test]
    fn both_predict_the_same_and_what_they_lose_is_by_the_definition() {
        let text = report(LOG).unwrap();
        assert!(text.starts_with("2 cards, 6 reviews, of which 3 are predicted\n"), "{text}");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1].replace("ecphory ", ""), lines[2].replace("fsrs    ", ""));
        let of = |p: &Prediction| p.ours;
        let p = |ours, recalled, bin| Prediction { ours, theirs: 0.0, recalled, bin };
        let some = [p(0.9, true, (1, 1, 0)), p(0.8, false, (1, 1, 0)), p(0.5, true, (2, 1, 0))];
        let loss = -(0.9f64.ln() + 0.2f64.ln() + 0.5f64.ln()) / 3.0;
        assert!((log_loss(&some, of) - loss).abs() < 1e-12);
        // 1.7 of 2 were expected of the first bin, 1 came; half of 1 of the second.
        let rmse = (((0.7f64 / 2.0).powi(2) * 2.0 + 0.25) / 3.0).sqrt();
        assert!((rmse_by_bins(&some, of) - rmse).abs() < 1e-12);
        assert!(report("header\n").is_err());
    }
}
