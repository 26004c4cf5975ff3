use std::collections::BTreeMap;

use crate::arenas::Arenas;
use crate::cue::{Cue, Sense};
use crate::demo::{Changes, Entry, Outcome};
use crate::failure::Failure;
use crate::text::{INDENT, WIDTH, count, duration, fit, grouped, paragraph, size};
use crate::wordnet::WordNet;

/// The demo's outcome for a terminal of 80 columns.
pub fn text(wordnet: &WordNet, outcome: &Outcome<'_>) -> Result<String, Failure> {
    let parts = [
        cue(&outcome.cue),
        table(outcome),
        "\n".to_owned(),
        paragraph("marks", "places since the column to the left: +2 won, -1 lost, = kept, new"),
        steps(wordnet, outcome)?,
        "\n".to_owned(),
        premises(outcome),
        "\n".to_owned(),
        times(outcome),
        "\n".to_owned(),
        arenas(&outcome.arena),
    ];
    Ok(parts.concat())
}

fn cue(cue: &Cue) -> String {
    match cue {
        Cue::Sentence { number, text } => paragraph("cue", &format!("\"{text}\" (sentence {number})")) + "\n",
        Cue::Synset { asked, senses, .. } => synset_cue(asked, senses) + "\n",
    }
}

fn synset_cue(asked: &str, senses: &[Sense]) -> String {
    let [first, others @ ..] = senses else { return String::new() };
    // Examples of use follow the definition.
    let definition = first.gloss.split_once("; \"").map_or(first.gloss, |(definition, _)| definition);
    let mut text = paragraph("cue", &format!("\"{}\": {definition}", first.lemmas.join(", ")));
    if !others.is_empty() {
        let number = senses.len();
        text +=
            &paragraph("", &format!("\"{asked}\" has {number} senses; the first is taken. --cue KEY takes another:"));
        for sense in senses {
            let line = format!("{}  {}: {}", sense.synset, sense.lemmas.join(", "), sense.gloss);
            text += &format!("{:INDENT$}{}\n", "", fit(&line, WIDTH - INDENT));
        }
    }
    text
}

/// Widths of the ranking table; what the lemmas get depends on how long ranks are.
struct Columns {
    rank: usize,
    mark: usize,
    lemma: usize,
}

const SCORE: usize = 4;
const AGE: usize = 3;

impl Columns {
    fn new(places: usize) -> Self {
        let rank = places.to_string().len().max(2);
        let mark = (rank + 1).max(3);
        // Three lemmas with their scores, gaps of two before each column and of one inside, two marks, one age.
        let fixed = rank + 3 * (2 + 1 + SCORE) + 2 * (mark + 1) + (1 + AGE);
        Self { rank, mark, lemma: (WIDTH - fixed) / 3 }
    }

    fn heading(&self) -> String {
        let (plain, marked) = (2 + self.lemma + 1 + SCORE, 2 + self.mark + 1 + self.lemma + 1 + SCORE);
        let (rank, gap) = (self.rank, self.mark + 1);
        let column = |name: &str, gap: usize| format!("  {:gap$}{name}", "");
        let line = format!(
            "{:>rank$}{:<plain$}{:<marked$}{:<marked$} age",
            "#",
            column("similarity", 0),
            column("spreading", gap),
            column("decay", gap),
        );
        line + "\n"
    }

    fn plain(&self, entry: Option<&Entry<'_>>) -> String {
        let width = self.lemma;
        match entry {
            Some(entry) => format!("  {:<width$} {:>SCORE$.2}", fit(&entry.lemmas.join(", "), width), entry.score),
            None => " ".repeat(2 + width + 1 + SCORE),
        }
    }

    fn marked(&self, entry: Option<&Entry<'_>>) -> String {
        let width = self.mark;
        let mark = entry.map(mark).unwrap_or_default();
        let plain = self.plain(entry);
        format!("  {mark:>width$} {}", plain.strip_prefix("  ").unwrap_or(&plain))
    }
}

fn table(outcome: &Outcome<'_>) -> String {
    let rankings = [&outcome.similarity.ranking, &outcome.spreading.ranking, &outcome.decay.ranking];
    let places = rankings.iter().map(|ranking| ranking.len()).max().unwrap_or_default();
    let columns = Columns::new(places);
    let mut text = columns.heading();
    for place in 0..places {
        let [similarity, spreading, decay] = rankings.map(|ranking| ranking.get(place));
        let age = decay.and_then(|entry| entry.age_days).map(|days| format!("{days}d")).unwrap_or_default();
        let line = format!(
            "{:>rank$}{}{}{} {age:>AGE$}",
            place + 1,
            columns.plain(similarity),
            columns.marked(spreading),
            columns.marked(decay),
            rank = columns.rank,
        );
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// Places won (`+`) or lost (`-`) by the step.
fn mark(entry: &Entry<'_>) -> String {
    match entry.previous_rank {
        None => "new".to_owned(),
        Some(before) if before > entry.rank => format!("+{}", before - entry.rank),
        Some(before) if before < entry.rank => format!("-{}", entry.rank - before),
        Some(_) => "=".to_owned(),
    }
}

/// So many newcomers are explained, so many links of each, so many that have gone are named.
const EXPLAINED: usize = 5;

fn steps(wordnet: &WordNet, outcome: &Outcome<'_>) -> Result<String, Failure> {
    let (spreading, decay) = (&outcome.spreading, &outcome.decay);
    let similarity = format!("compared the cue with all {} synsets by cosine", grouped(outcome.graph.nodes));
    let reached = format!(
        "reached {} from {} in {}, passing on {} and keeping {} of what each held; {}",
        count(spreading.reached, "node", "nodes"),
        count(spreading.seeds.len(), "seed", "seeds"),
        count(spreading.hops as usize, "hop", "hops"),
        spreading.transmission,
        spreading.retain,
        changed(&spreading.changes, spreading.ranking.len()),
    );
    let faded = format!(
        "halved strengths with every {} days of age; {}",
        decay.half_life_days,
        changed(&decay.changes, decay.ranking.len())
    );
    let mut text = paragraph("similarity", &similarity) + &paragraph("spreading", &reached);
    for entry in spreading.ranking.iter().filter(|entry| entry.previous_rank.is_none()).take(EXPLAINED) {
        text += &paragraph("", &format!("new: {}, {}", first_lemma(entry), origin(wordnet, &spreading.seeds, entry)?));
    }
    text += &paragraph("decay", &faded);
    let stays = |before: &Entry<'_>| decay.ranking.iter().any(|entry| entry.id == before.id);
    let gone: Vec<_> = spreading.ranking.iter().filter(|before| !stays(before)).map(first_lemma).collect();
    if !gone.is_empty() {
        text += &paragraph("", &format!("gone: {}", shortened(&gone)));
    }
    Ok(text)
}

fn changed(changes: &Changes, places: usize) -> String {
    format!("top {places}: {} new, {} moved", changes.new, changes.moved)
}

fn first_lemma(entry: &Entry<'_>) -> &'static str {
    entry.lemmas.first().copied().unwrap_or_default()
}

/// `names` with commas, the last ones only counted where they are many.
fn shortened(names: &[&str]) -> String {
    let shown = names[..names.len().min(EXPLAINED)].join(", ");
    match names.len().saturating_sub(EXPLAINED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// How the seeds woke a newcomer.
fn origin(wordnet: &WordNet, seeds: &[u32], entry: &Entry<'_>) -> Result<String, Failure> {
    let mut sources = BTreeMap::<_, Vec<_>>::new();
    for link in wordnet.links.iter().filter(|link| link.target == entry.id && seeds.contains(&link.source)) {
        let source = wordnet.synset(link.source)?.lemmas.first().copied().unwrap_or_default();
        sources.entry(link.relation).or_default().push(source);
    }
    let by_relation = |(relation, sources): (&&str, &Vec<&str>)| {
        format!("by {} from {}", relation.replace('_', " "), shortened(sources))
    };
    Ok(match (sources.is_empty(), seeds.contains(&entry.id)) {
        (false, _) => sources.iter().map(by_relation).collect::<Vec<_>>().join("; "),
        (true, true) => "a seed from below the places shown".to_owned(),
        (true, false) => "over more than one hop".to_owned(),
    })
}

fn premises(outcome: &Outcome<'_>) -> String {
    let graph = &outcome.graph;
    let sizes = format!(
        "{} synsets, {} typed links in {} pairs, {} dimensions",
        grouped(graph.nodes),
        grouped(graph.typed_edges),
        grouped(graph.edges),
        graph.dim,
    );
    let mut text = paragraph("graph", &sizes);
    for (position, group) in graph.weights.iter().enumerate() {
        let label = if position == 0 { "weights" } else { "" };
        text += &paragraph(label, &format!("{:.1} {}: {}", group.weight, group.because, group.relations.join(" ")));
    }
    text + &paragraph("ages", &format!("{}; WordNet records none", outcome.decay.age_rule))
}

fn times(outcome: &Outcome<'_>) -> String {
    let line = |label: &str, name: &str, first: &str, median: &str| {
        format!("{label:<INDENT$}{name:<12}{first:>10}{median:>20}").trim_end().to_owned() + "\n"
    };
    let mut text = line("time", "", "first run", &format!("median of {} more", outcome.later_runs));
    text += &line("", "loading", &duration(outcome.graph.load_ms), "");
    let (similarity, spreading, decay) = (&outcome.similarity.time, &outcome.spreading.time, &outcome.decay.time);
    for (name, time) in [("similarity", similarity), ("spreading", spreading), ("decay", decay)] {
        text += &line("", name, &duration(time.first_ms), &duration(time.median_ms));
    }
    text
}

fn arenas(arenas: &Arenas) -> String {
    let line = |label: &str, [thread, high, used, overflows, loans]: [&str; 5]| {
        format!("{label:<INDENT$}{thread:<12}{high:>11}{used:>13}{overflows:>11}{loans:>12}\n")
    };
    let mut text = line("arenas", ["", "high water", "utilisation", "overflows", "heap loans"]);
    let (used, idle): (Vec<_>, Vec<_>) = arenas.threads.iter().partition(|figures| figures.live_arenas > 0);
    for figures in used.into_iter().chain([&arenas.all]) {
        let share = format!("{:.1} %", figures.utilisation * 100.0);
        let (overflows, loans) = (figures.overflows.to_string(), figures.heap_loans.to_string());
        text += &line("", [&figures.thread, &size(figures.high_water_bytes), &share, &overflows, &loans]);
    }
    if !idle.is_empty() {
        text += &paragraph(
            "",
            &format!("{} more: no kernel ran there, so no arena was made", count(idle.len(), "thread", "threads")),
        );
    }
    text + &paragraph("", &format!("of {} for each thread", size(arenas.capacity_bytes)))
}
