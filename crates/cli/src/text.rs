/// No line of a report is longer.
pub const WIDTH: usize = 80;

/// Where the text of a report starts, right of its labels.
pub const INDENT: usize = 12;

/// `text` in at most `width` columns.
pub fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept.trim_end_matches([' ', ',']).to_owned() + "…"
}

/// `text` after `label`, wrapped at spaces, each line ended.
pub fn paragraph(label: &str, text: &str) -> String {
    let mut lines = Vec::new();
    let mut line = format!("{label:<INDENT$}");
    for word in text.split(' ') {
        let word = fit(word, WIDTH - INDENT);
        let length = line.chars().count();
        let bare = length == INDENT;
        if !bare && length + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, " ".repeat(INDENT)));
        } else if !bare {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.push(line);
    lines.iter().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// `one` or `many`, after its number.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// `number` with a comma at each thousand.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `bytes` in the unit that people read best.
pub fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.1} GiB", bytes as f64 / 1_073_741_824.0),
    }
}

/// A duration in the unit that people read best.
pub fn duration(milliseconds: f64) -> String {
    match milliseconds {
        ..0.01 => format!("{:.1} us", milliseconds * 1e3),
        ..1.0 => format!("{:.0} us", milliseconds * 1e3),
        _ => format!("{milliseconds:.1} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_fits_stays_and_longer_text_ends_in_an_ellipsis() {
        assert_eq!(fit("guitar", 6), "guitar");
        assert_eq!(fit("musical instrument", 9), "musical…");
        assert_eq!(fit("panic, terror", 8), "panic…");
        assert_eq!(fit("guitar", 0), "…");
    }

    #[test]
    fn paragraphs_wrap_within_the_width_and_hang_below_their_label() {
        let text = paragraph("weights", &format!("{} {}", "word ".repeat(40), "x".repeat(200)));
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(text.lines().skip(1).all(|line| line.starts_with(&" ".repeat(INDENT))));
        assert!(text.starts_with("weights     word"));
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn sizes_and_durations_pick_their_unit() {
        assert_eq!([12, 2048, 3 << 20, 4 << 30].map(size), ["12 B", "2.0 KiB", "3.0 MiB", "4.0 GiB"]);
        assert_eq!([0.000_31, 0.0421, 12.34].map(duration), ["0.3 us", "42 us", "12.3 ms"]);
    }
}
