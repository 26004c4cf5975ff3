//! A plot of means and their intervals, one method under another.

use ecphory_recall::eval::Interval;
use plotters::prelude::*;

use crate::failure::Failure;

const WIDTH: u32 = 860;
const OF_ONE: u32 = 28;
const AROUND: u32 = 90;

const RECALL: RGBColor = RGBColor(0, 114, 178);
const CONTROL: RGBColor = RGBColor(110, 110, 110);

/// As SVG, controls in grey; `control` is the one that all are to be compared with.
pub fn svg(title: &str, found: &[(&str, Interval)], control: &str) -> Result<String, Failure> {
    let mut svg = String::new();
    let size = (WIDTH, AROUND + OF_ONE * found.len() as u32);
    draw(SVGBackend::with_string(&mut svg, size), title, found, control)
        .map_err(|error| Failure::Other(format!("a plot: {error}")))?;
    Ok(svg)
}

fn draw<'a>(
    backend: SVGBackend<'a>,
    title: &str,
    found: &[(&str, Interval)],
    control: &str,
) -> Result<(), Box<dyn std::error::Error + 'a>> {
    let area = backend.into_drawing_area();
    area.fill(&WHITE)?;
    let lows = found.iter().map(|(_, interval)| interval.low);
    let highs = found.iter().map(|(_, interval)| interval.high);
    let x = (lows.fold(1.0, f64::min) - 0.02).max(0.0)..(highs.fold(0.0, f64::max) + 0.02).min(1.0);
    // The first on top.
    let row = |at: usize| (found.len() - at) as f64 - 0.5;
    let mut chart = ChartBuilder::on(&area)
        .margin(12)
        .x_label_area_size(46)
        .y_label_area_size(190)
        .build_cartesian_2d(x.clone(), 0.0..found.len() as f64)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(RGBColor(225, 225, 225))
        .disable_y_mesh()
        .disable_y_axis()
        .y_labels(0)
        .x_desc(title)
        .x_label_formatter(&|value| format!("{value:.2}"))
        .draw()?;
    if let Some((_, interval)) = found.iter().find(|(name, _)| *name == control) {
        let ends = [(interval.mean, 0.0), (interval.mean, found.len() as f64)];
        chart.draw_series([PathElement::new(ends, CONTROL.stroke_width(1))])?;
    }
    for (at, (method, interval)) in found.iter().enumerate() {
        let colour = if method.starts_with("recall") { RECALL } else { CONTROL };
        let ends = [(interval.low, row(at)), (interval.high, row(at))];
        chart.draw_series([PathElement::new(ends, colour.stroke_width(2))])?;
        chart.draw_series([Circle::new((interval.mean, row(at)), 5, colour.filled())])?;
        let style = ("sans-serif", 14).into_font().color(&BLACK);
        let place = chart.backend_coord(&(x.start, row(at)));
        area.draw_text(method, &style, (16, place.1 - 7))?;
    }
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_its_name_and_its_dot() {
        let interval = |mean: f64| Interval { mean, low: mean - 0.1, high: mean + 0.1, questions: 9 };
        let found = [("cosine", interval(0.4)), ("hybrid+smooth", interval(0.6)), ("recall", interval(0.8))];
        let svg = svg("recall among the 10 best", &found, "hybrid+smooth").unwrap();
        assert_eq!(svg.matches("<circle").count(), 3);
        assert!(found.iter().all(|(name, _)| svg.contains(name)) && svg.contains("recall among the 10 best"));
    }
}
