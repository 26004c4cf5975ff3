use ecphory::planner::{Advice, Rate};

use super::{Plan, Row, Source};
use crate::text::{INDENT, count, duration, grouped, paragraph, size};

/// The plan for a terminal of 80 columns.
pub fn text(plan: &Plan) -> String {
    [source(plan), "\n".into(), calls(plan), "\n".into(), sizes(plan), "\n".into(), advice(plan), claims(plan)].concat()
}

fn source(plan: &Plan) -> String {
    match &plan.source {
        Source::Workload(workload) => {
            let nested = match workload.nesting {
                1 => String::new(),
                nesting => format!("; {nesting} calls hold scratch on one thread at once"),
            };
            let described = format!(
                "{} of {} elements, {}, {}{nested}",
                count(workload.candidates, "row", "rows"),
                grouped(workload.dim),
                count(workload.nodes, "node", "nodes"),
                count(workload.memories, "memory", "memories"),
            );
            paragraph("workload", &described)
        }
        Source::Distribution(facts) => {
            let described = format!(
                "{} of Weibull-distributed many rows (shape {}, scale {}) of {} elements, packed",
                count(facts.scopes, "gather", "gathers"),
                facts.shape,
                facts.scale,
                facts.dim,
            );
            paragraph("workload", &described)
        }
        Source::Report(facts) => {
            let recorded = format!(
                "{}, {}, {}, {}; most ever in use {}",
                count(facts.arenas as usize, "arena", "arenas"),
                count(facts.rewinds as usize, "scope ended", "scopes ended"),
                count(facts.overflows as usize, "overflow", "overflows"),
                count(facts.heap_loans as usize, "heap loan", "heap loans"),
                size(facts.high_water_bytes),
            );
            paragraph("recorded", &recorded)
        }
    }
}

fn calls(plan: &Plan) -> String {
    let line = |label: &str, [scopes, median, most, largest, over, time, claim]: [&str; 7]| {
        let text = format!("{label:<11}{scopes:>9}{median:>11}{most:>11}{largest:>11}{over:>10}{time:>9}{claim:>8}");
        text.trim_end().to_owned() + "\n"
    };
    let timed = plan.calls.iter().any(|calls| calls.median_us.is_some());
    let [time, claimed] = if timed { ["time", "claimed"] } else { [""; 2] };
    let mut text = line("need of", ["scopes", "median", "99.9 %", "largest", "overflow", time, claimed]);
    for calls in &plan.calls {
        let scopes = calls.needs.count();
        let [median, most, largest] = match &calls.need {
            Some(need) => [need.median, need.p999, need.largest].map(size),
            None => ["none", "", ""].map(String::from),
        };
        let over = if scopes > 0 { percent(Rate::of(calls.overflows, scopes).share) } else { String::new() };
        let time = calls.median_us.map_or_else(String::new, |us| duration(us / 1e3));
        let holds = match calls.median_us {
            Some(us) if us < plan.claims.kernel_us => "yes",
            Some(_) => "no",
            None => "",
        };
        text += &line(calls.call, [&grouped(scopes as usize), &median, &most, &largest, &over, &time, holds]);
    }
    let rounded = "needs are rounded up to a step of the histogram, by less than 64 bytes or a sixteenth";
    let of = format!("{rounded}; overflow of {}", size(plan.capacity_bytes));
    let bound = plan.claims.kernel_us;
    let claim = format!(
        "; time: median; claimed: whether that is under {bound:.0} us, as the estimate behind the default arena claims \
         of every kernel"
    );
    text + &paragraph("", &(of + if timed { &claim } else { "" }))
}

fn percent(share: f64) -> String {
    format!("{:.3} %", share * 100.0)
}

fn sizes(plan: &Plan) -> String {
    let claimed = plan.claims.rates_hold.is_some();
    let line = |label: &str, [rate, interval, used, birth, touch, claim]: [&str; 6]| {
        let text = format!("{label:<INDENT$}{rate:>10}{interval:>17}{used:>13}{birth:>8}{touch:>10}{claim:>9}");
        text.trim_end().to_owned() + "\n"
    };
    let heading = if claimed { "claimed" } else { "" };
    let mut text = line("arena", ["overflow", "95 % interval", "utilisation", "birth", "touch", heading]);
    for Row { size: row, birth, claimed_percent } in &plan.sizes {
        let judged = if row.capacity == plan.capacity_bytes { " *" } else { "" };
        let cells = [
            percent(row.rate.share),
            format!("{:.3} to {:.3}", row.rate.low * 100.0, row.rate.high * 100.0),
            format!("{:.1} %", row.utilisation * 100.0),
            birth.map_or_else(String::new, |birth| duration(birth.birth_us / 1e3)),
            birth.map_or_else(String::new, |birth| duration(birth.first_touch_us / 1e3)),
            claimed_percent.map_or_else(String::new, |percent| format!("{percent:.1} %")),
        ];
        text += &line(&(size(row.capacity) + judged), cells.each_ref().map(String::as_str));
    }
    let used = "utilisation: what 99.9 % of scopes stay within, as a share of the arena; above 100 % they do not fit";
    let birth = "birth: pages mapped and given back; touch: what it costs more to write to each once";
    let judged = "*: the arena that the advice is for";
    text + &paragraph("", &[used, birth, judged].join("; "))
}

fn advice(plan: &Plan) -> String {
    let judged = size(plan.capacity_bytes);
    let used = plan.sizes.iter().find(|row| row.size.capacity == plan.capacity_bytes);
    let used = used.map_or(0.0, |row| row.size.utilisation * 100.0);
    let text = match plan.advice {
        Advice::InsufficientData { found, needed } => {
            let more = if matches!(plan.source, Source::Report(_)) { "" } else { "; --scopes says how many run" };
            format!("none for {judged}: it takes {needed} scopes, and there are {found}{more}")
        }
        Advice::Grow { to } => format!("more than 1 % of scopes overflow {judged}; {}", install(to)),
        Advice::NoSizeFits => {
            format!("more than 1 % of scopes overflow {judged}, and too many even 4 GiB: split the work")
        }
        Advice::Shrink { to } => format!("of {judged} {used:.1} % is used; {}", install(to)),
        Advice::OverProvisioned => format!("of {judged} {used:.1} % is used: more than enough, keep it"),
        Advice::WellSized => format!("of {judged} {used:.1} % is used: well sized, keep it"),
        Advice::AtRisk => format!("of {judged} {used:.1} % is used: at risk, watch it"),
        other => format!("{other:?}"),
    };
    let peak = format!(
        "{:.1} %, by the largest need ever; shown only: one outlier would keep it high for ever",
        plan.peak_utilisation * 100.0
    );
    paragraph("advice", &text) + &paragraph("peak", &peak)
}

fn install(to: usize) -> String {
    format!("for {} install ArenaConfig::new().capacity({to})", size(to))
}

fn claims(plan: &Plan) -> String {
    let claims = &plan.claims;
    let rates = claims.rates_hold.map(|hold| {
        let found = if hold { "all are" } else { "not all are" };
        let tolerance = claims.tolerance_points;
        format!(
            "overflow rates of 512 KiB to 4 MiB: {found} within {tolerance} points of what the estimate behind the \
             default arena says"
        )
    });
    let workload = &claims.workload;
    let contradiction = format!(
        "for comparison, whatever yours is, the workload that the default of {} was estimated for: a query with {} \
         rows of {} elements was to take {:.2} MB, which does not fit. Packed it takes {} bytes here; read in place \
         {}, and the caller's {} for scores; by Packing::Tiled what fits",
        size(workload.default_capacity_bytes),
        grouped(workload.candidates),
        workload.dim,
        workload.claimed_bytes as f64 / 1e6,
        grouped(workload.gathered_bytes),
        grouped(workload.in_place_bytes),
        grouped(workload.candidates * size_of::<f32>()),
    );
    let labels = ["claimed"].into_iter().chain(std::iter::repeat(""));
    let all = labels.zip(rates.into_iter().chain([contradiction]));
    "\n".to_owned() + &all.map(|(label, claim)| paragraph(label, &claim)).collect::<String>()
}
