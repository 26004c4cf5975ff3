use ecphory::planner::{self, Rate};
use ecphory_measure::cases::similarity::amounts;
use ecphory_measure::{Level, Limits, Line, Metric, Work};
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;

use crate::failure::Failure;
use crate::plan::{self, distribution};

const SIZE: (u32, u32) = (860, 460);

/// Blue, orange, green, pink, grey: told apart by those who see fewer colours, too (Okabe and Ito 2008).
const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(110, 110, 110),
];

/// Points that belong together.
struct Series {
    name: String,
    points: Vec<(f64, f64)>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Nothing was measured at the points themselves.
    Line,
    Dots,
    DotsOnALine,
}

/// A plot of series over two axes.
struct Chart {
    axes: [String; 2],
    series: Vec<Series>,
    /// Where nothing is drawn.
    legend: SeriesLabelPosition,
}

/// What binds each similarity case: operations for each byte read, and operations per second, under the roofs of memory
/// and arithmetic (Williams, Waterman and Patterson 2009).
pub fn roofline(lines: &[Line], limits: &Limits) -> Result<String, Failure> {
    let intensities = [0.2, 100.0];
    let roof = |level: Level| {
        let bandwidth = limits.bandwidth(level, 1);
        let knee = limits.flops(1) / bandwidth;
        let at = |x: f64| (x, (x * bandwidth).min(limits.flops(1)));
        let points = [intensities[0], knee, intensities[1]].map(at).into();
        Series { name: format!("roof of {}", level.name()), points, kind: Kind::Line }
    };
    let points = |who: &str| {
        let of = lines.iter().filter(|line| line.threads == 1 && line.who == who);
        of.filter_map(|line| amounts(&line.work).map(|(bytes, flops)| (flops / bytes, flops / line.median_ns)))
            .collect()
    };
    let mut series = vec![roof(Level::L2), roof(Level::L3), roof(Level::Dram)];
    for (who, name) in [("ecphory", "ecphory, one thread"), ("scalar", "plain loop")] {
        series.push(Series { name: name.into(), points: points(who), kind: Kind::Dots });
    }
    Chart {
        axes: ["operations per byte of rows".into(), "GFLOP/s".into()],
        series,
        legend: SeriesLabelPosition::LowerRight,
    }
    .log_log()
}

/// How the time of a query over 1,000 rows grows with their dimension.
pub fn by_dimension(lines: &[Line]) -> Result<String, Failure> {
    let series = |metric: Metric, who: &str| {
        let points =
            lines.iter().filter(|line| line.threads == 1 && line.who == who).filter_map(|line| match &line.work {
                Work::Similarity { case, n: 1000, dim, metric: m, .. } if case == "1xN" && *m == metric => {
                    Some((*dim as f64, line.median_ns / 1e3))
                }
                _ => None,
            });
        let name = if who == "scalar" { format!("{metric}, plain loop") } else { metric.to_string() };
        Series { name, points: points.collect(), kind: Kind::DotsOnALine }
    };
    let ours = [Metric::Cosine, Metric::Dot, Metric::Sql2].map(|metric| series(metric, "ecphory"));
    let series = ours.into_iter().chain([series(Metric::Cosine, "scalar")]).collect();
    Chart {
        axes: ["dimension".into(), "microseconds for 1,000 rows".into()],
        series,
        legend: SeriesLabelPosition::UpperLeft,
    }
    .log_log()
}

/// What it costs to make an arena, by its size.
pub fn by_arena_size(lines: &[Line]) -> Result<String, Failure> {
    let points = lines.iter().filter_map(|line| match &line.work {
        Work::Arena { case, size: Some(size), .. } if case == "birth" => {
            Some((*size as f64 / 1024.0, line.median_ns / 1e3))
        }
        _ => None,
    });
    let birth = Series {
        name: "pages mapped, touched and given back".into(),
        points: points.collect(),
        kind: Kind::DotsOnALine,
    };
    Chart {
        axes: ["KiB of the arena".into(), "microseconds".into()],
        series: vec![birth],
        legend: SeriesLabelPosition::UpperLeft,
    }
    .log_log()
}

/// How often gathers overflow arenas, by their size: of as many candidates as `arena plan --distribution seed` draws.
pub fn overflows() -> Result<String, Failure> {
    let needs = distribution::needs(100_000)?;
    let sizes = planner::table(&needs, plan::SIZES.map(|power| 1 << power));
    let series = |name: &str, kind, rates: Vec<(usize, f64)>| {
        // A logarithmic axis has no place for none.
        let points = rates.into_iter().filter(|rate| rate.1 > 0.0);
        Series { name: name.into(), points: points.map(|rate| (rate.0 as f64 / 1024.0, rate.1)).collect(), kind }
    };
    let rates = |of: fn(&Rate) -> f64| sizes.iter().map(|size| (size.capacity, of(&size.rate) * 100.0)).collect();
    Chart {
        axes: ["KiB of the arena".into(), "% of gathers that overflow it".into()],
        series: vec![
            series("what gathers ask for", Kind::DotsOnALine, rates(|rate| rate.share)),
            series("claimed, and the default arena chosen by it", Kind::Dots, plan::RATES.into()),
            series("upper end of the 95 % interval", Kind::Line, rates(|rate| rate.high)),
        ],
        legend: SeriesLabelPosition::LowerLeft,
    }
    .log_log()
}

impl Chart {
    /// Both axes logarithmic, over what the points span. Empty where there are none.
    fn log_log(self) -> Result<String, Failure> {
        let all = || self.series.iter().flat_map(|series| &series.points);
        let span = |of: fn(&(f64, f64)) -> f64| {
            let (low, high) = all().map(of).fold((f64::INFINITY, 0.0f64), |(l, h), x| (l.min(x), h.max(x)));
            (low / 1.25)..(high * 1.25)
        };
        if all().next().is_none() {
            return Ok(String::new());
        }
        self.draw(span(|point| point.0).log_scale(), span(|point| point.1).log_scale())
    }

    fn draw<X, Y>(&self, x: X, y: Y) -> Result<String, Failure>
    where
        X: AsRangedCoord<Value = f64>,
        Y: AsRangedCoord<Value = f64>,
        X::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
        Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        let mut svg = String::new();
        self.draw_on(SVGBackend::with_string(&mut svg, SIZE).into_drawing_area(), x, y)
            .map_err(|error| Failure::Other(format!("a plot: {error}")))?;
        Ok(svg)
    }

    fn draw_on<'a, X, Y>(
        &self,
        area: DrawingArea<SVGBackend<'a>, plotters::coord::Shift>,
        x: X,
        y: Y,
    ) -> Result<(), Box<dyn std::error::Error + 'a>>
    where
        X: AsRangedCoord<Value = f64>,
        Y: AsRangedCoord<Value = f64>,
        X::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
        Y::CoordDescType: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        area.fill(&WHITE)?;
        let mut chart =
            ChartBuilder::on(&area).margin(12).x_label_area_size(46).y_label_area_size(64).build_cartesian_2d(x, y)?;
        let number = |value: &f64| if *value < 1.0 { format!("{value:.2}") } else { format!("{value:.0}") };
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(RGBColor(225, 225, 225))
            .x_desc(&self.axes[0])
            .y_desc(&self.axes[1])
            .x_label_formatter(&number)
            .y_label_formatter(&number)
            .draw()?;
        for (series, colour) in self.series.iter().zip(COLOURS.into_iter().cycle()) {
            let points = || series.points.iter().copied();
            if series.kind != Kind::Dots {
                chart.draw_series(LineSeries::new(points(), colour.stroke_width(2)))?;
            }
            let dot = if series.kind == Kind::Line { 0 } else { 4 };
            chart
                .draw_series(points().map(|point| Circle::new(point, dot, colour.filled())))?
                .label(&series.name)
                .legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
        }
        let frame = RGBColor(200, 200, 200);
        chart
            .configure_series_labels()
            .position(self.legend.clone())
            .background_style(WHITE.mix(0.9))
            .border_style(frame)
            .draw()?;
        area.present()?;
        Ok(())
    }
}
