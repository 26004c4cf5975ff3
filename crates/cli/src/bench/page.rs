use ecphory::tier;
use ecphory_measure::{Limits, Line, Work};

use super::{charts, table};
use crate::failure::Failure;

const STYLE: &str = "
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff }
body { max-width: 900px; margin: 2em auto; padding: 0 1em }
h1, h2 { line-height: 1.2 }
svg { max-width: 100%; height: auto }
table { border-collapse: collapse; width: 100%; font-size: 14px }
th, td { text-align: right; padding: 2px 8px; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left }
pre { font-size: 13px; overflow-x: auto }
";

/// A page that needs nothing else: plots, the limits, every figure.
pub fn html(lines: &[Line], limits: &Limits) -> Result<String, Failure> {
    let tier = tier::in_use()?;
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>ecphory bench</title>\n<style>{STYLE}</style>\n<h1>ecphory bench</h1>\n\
         <p>ecphory {}, CPU tier {tier}, {} threads.</p>\n",
        env!("CARGO_PKG_VERSION"),
        limits.threads
    );
    let arenas = lines.iter().any(|line| matches!(line.work, Work::Arena { .. }));
    let plots = [
        (
            "Roofline",
            "How near one query and many come to what memory and arithmetic allow.",
            charts::roofline(lines, limits)?,
        ),
        ("Time by dimension", "One query against 1,000 rows, one thread.", charts::by_dimension(lines)?),
        (
            "Time by arena size",
            "The price of an arena's first pages, paid once per thread.",
            charts::by_arena_size(lines)?,
        ),
        (
            "Overflows by arena size",
            "Gathers of rows of 768 elements, Weibull-distributed many (shape 0.858, scale 71.1): counted, not timed.",
            if arenas { charts::overflows()? } else { String::new() },
        ),
    ];
    for (title, text, svg) in plots.iter().filter(|plot| !plot.2.is_empty()) {
        html += &format!("<h2>{title}</h2>\n<p>{text}</p>\n{svg}\n");
    }
    html += &format!("<h2>Limits of this machine</h2>\n<pre>{}</pre>\n", escaped(&limits.text()));
    html += "<h2>Figures</h2>\n<table>\n<tr><th>case<th>threads<th>by<th>median<th>best<th>rate<th>of limit<th>noise\n";
    for line in lines.iter().filter(|line| table::suite(&line.work) != "limits") {
        html += &row(line);
    }
    Ok(html + "</table>\n</html>\n")
}

fn row(line: &Line) -> String {
    let share = line.of_limit.map_or_else(String::new, |share| format!("{:.0} %", share * 100.0));
    format!(
        "<tr><td>{}<td>{}<td>{}<td>{}<td>{}<td>{:.2} {}<td>{share}<td>{:.0} %\n",
        escaped(&line.work.to_string()),
        line.threads,
        escaped(&line.who),
        table::duration(line.median_ns),
        table::duration(line.best_ns),
        line.rate,
        escaped(&line.unit),
        line.noise * 100.0
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
