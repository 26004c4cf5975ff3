use ecphory::{Edge, Graph, Rows};
use ecphory_measure::cases::recall::Known;
use half::f16;
use half::slice::HalfFloatSliceExt;

use crate::failure::Failure;
use crate::relations;

/// Elements of each sentence vector.
pub const DIM: usize = 384;

const SYNSETS: &str = include_str!("../data/wordnet-5k/synsets.tsv");
const EDGES: &str = include_str!("../data/wordnet-5k/edges.tsv");
const VECTORS: &[u8] = include_bytes!("../data/wordnet-5k/vectors.f16");
const CUES: &str = include_str!("../data/wordnet-5k/cues.tsv");
const CUE_VECTORS: &[u8] = include_bytes!("../data/wordnet-5k/cues.f16");

/// A memory: one meaning, and the words for it.
#[derive(Debug)]
pub struct Synset {
    pub key: &'static str,
    pub lemmas: Vec<&'static str>,
    pub gloss: &'static str,
}

/// A pointer of WordNet: `hypernym` leads from a synset to a wider one.
#[derive(Debug)]
pub struct Link {
    pub source: u32,
    pub target: u32,
    pub relation: &'static str,
}

/// The embedded memory graph.
#[derive(Debug)]
pub struct WordNet {
    pub synsets: Vec<Synset>,
    pub links: Vec<Link>,
    pub graph: Graph,
    pub cues: Vec<&'static str>,
    vectors: Vec<f32>,
    cue_vectors: Vec<f32>,
}

impl WordNet {
    pub fn load() -> Result<Self, Failure> {
        let synsets = parse_synsets(SYNSETS)?;
        let (links, edges) = parse_links(EDGES)?;
        let graph = Graph::from_edges(synsets.len(), edges)?;
        let cues = cue_sentences()?;
        let vectors = widen("vectors.f16", VECTORS, synsets.len())?;
        let cue_vectors = widen("cues.f16", CUE_VECTORS, cues.len())?;
        Ok(Self { synsets, links, graph, cues, vectors, cue_vectors })
    }

    /// The vector of each synset.
    pub fn vectors(&self) -> Result<Rows<'_>, Failure> {
        Ok(Rows::new(&self.vectors, DIM)?)
    }

    /// The vector of each cue sentence.
    pub fn cue_vectors(&self) -> Result<Rows<'_>, Failure> {
        Ok(Rows::new(&self.cue_vectors, DIM)?)
    }

    /// What recall is measured on: its first cue.
    pub fn to_recall(&self) -> Known {
        let edges = (0..self.graph.node_count() as u32).flat_map(|node| self.graph.edges_of(node));
        let edges = edges.map(|edge| (edge.source, edge.target, edge.weight)).collect();
        let cue = self.cue_vectors[..DIM].to_vec();
        Known { name: "wordnet5k", vectors: self.vectors.clone(), dim: DIM, edges, cue }
    }

    /// Synset `id` of a ranking, which the kernels took from this graph.
    pub fn synset(&self, id: u32) -> Result<&Synset, Failure> {
        self.synsets.get(id as usize).ok_or_else(|| {
            Failure::Other(format!("synset {id}: expected an id below {}, found {id}", self.synsets.len()))
        })
    }
}

/// The cue sentences, without loading the graph.
pub fn cue_sentences() -> Result<Vec<&'static str>, Failure> {
    let rows = table("cues.tsv", CUES, ["id", "cue"])?;
    rows.iter().enumerate().map(|(row, &[id, cue])| in_order("cues.tsv", row, id).map(|()| cue)).collect()
}

fn parse_synsets(text: &'static str) -> Result<Vec<Synset>, Failure> {
    let rows = table("synsets.tsv", text, ["id", "synset", "lemmas", "gloss"])?;
    let synset = |(row, &[id, key, lemmas, gloss]): (usize, &[&'static str; 4])| {
        in_order("synsets.tsv", row, id)?;
        Ok(Synset { key, lemmas: lemmas.split('|').collect(), gloss })
    };
    rows.iter().enumerate().map(synset).collect()
}

fn parse_links(text: &'static str) -> Result<(Vec<Link>, Vec<Edge>), Failure> {
    let rows = table("edges.tsv", text, ["source", "target", "relation"])?;
    let both = |(row, &[source, target, relation]): (usize, &[&'static str; 3])| {
        let number = |field: &str| field.parse().map_err(|_| damaged("edges.tsv", row, "a synset's id", field));
        let (source, target) = (number(source)?, number(target)?);
        let weight = relations::weight(relation)
            .ok_or_else(|| damaged("edges.tsv", row, "a relation that has a weight", relation))?;
        Ok((Link { source, target, relation }, Edge::new(source, target, weight)))
    };
    rows.iter().enumerate().map(both).collect()
}

/// The rows below the header of tab-separated `text`.
fn table<const N: usize>(file: &str, text: &'static str, header: [&str; N]) -> Result<Vec<[&'static str; N]>, Failure> {
    let columns = |line: &'static str| <[&str; N]>::try_from(line.split('\t').collect::<Vec<_>>()).ok();
    let mut lines = text.lines();
    let found = lines.next().unwrap_or_default();
    if columns(found) != Some(header) {
        return Err(Failure::Other(format!("{file}: expected the columns {}, found {found:?}", header.join(", "))));
    }
    let read = |(row, line)| columns(line).ok_or_else(|| damaged(file, row, &format!("{N} columns"), line));
    lines.enumerate().map(read).collect()
}

fn in_order(file: &str, row: usize, id: &str) -> Result<(), Failure> {
    if id.parse() == Ok(row) { Ok(()) } else { Err(damaged(file, row, &format!("id {row}"), id)) }
}

fn damaged(file: &str, row: usize, expected: &str, found: &str) -> Failure {
    // Lines count from 1, and the first is the header.
    Failure::Other(format!("{file}, line {}: expected {expected}, found {found:?}", row + 2))
}

/// Half-precision rows as the kernels take them.
fn widen(file: &str, bytes: &[u8], rows: usize) -> Result<Vec<f32>, Failure> {
    let expected = rows * DIM * size_of::<f16>();
    if bytes.len() != expected {
        return Err(Failure::Other(format!("{file}: expected {expected} bytes, found {}", bytes.len())));
    }
    let halves: Vec<_> = bytes.as_chunks().0.iter().map(|&pair| f16::from_le_bytes(pair)).collect();
    let mut wide = vec![0.0; halves.len()];
    halves.convert_to_f32_slice(&mut wide);
    Ok(wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_graph_has_the_published_counts() {
        let wordnet = WordNet::load().unwrap();
        assert_eq!(wordnet.synsets.len(), 5000);
        assert_eq!(wordnet.graph.node_count(), 5000);
        assert_eq!(wordnet.links.len(), 15_406);
        assert_eq!(wordnet.graph.edge_count(), 15_195);
        assert_eq!(wordnet.cues.len(), 8);
        assert_eq!(wordnet.cue_vectors().unwrap().len(), 8);
    }

    #[test]
    fn every_vector_has_unit_length_up_to_half_precision() {
        let wordnet = WordNet::load().unwrap();
        for rows in [wordnet.vectors().unwrap(), wordnet.cue_vectors().unwrap()] {
            for row in 0..rows.len() {
                let length: f32 = rows.row(row).unwrap().iter().map(|x| x * x).sum();
                assert!((length - 1.0).abs() < 2e-3, "row {row}: {length}");
            }
        }
    }

    #[test]
    fn weights_of_repeated_pairs_are_summed() {
        let (links, edges) = parse_links("source\ttarget\trelation\n0\t1\thypernym\n0\t1\tderivation").unwrap();
        let graph = Graph::from_edges(2, edges).unwrap();
        assert_eq!(links.len(), 2);
        assert_eq!(graph.edges_of(0).collect::<Vec<_>>(), [Edge::new(0, 1, 1.5)]);
    }

    #[test]
    fn windows_line_ends_are_fine() {
        assert_eq!(parse_synsets("id\tsynset\tlemmas\tgloss\r\n0\tn1\ta|b\tc\r\n").unwrap()[0].gloss, "c");
    }

    #[test]
    fn damaged_tables_say_where_and_what() {
        let message = |outcome: Result<Vec<Synset>, Failure>| outcome.unwrap_err().to_string();
        assert_eq!(
            message(parse_synsets("id\tlemmas")),
            r#"synsets.tsv: expected the columns id, synset, lemmas, gloss, found "id\tlemmas""#
        );
        let text = "id\tsynset\tlemmas\tgloss\n0\tn1\ta\tb\n5\tn2\tc\td";
        assert_eq!(message(parse_synsets(text)), r#"synsets.tsv, line 3: expected id 1, found "5""#);
        let text = "id\tsynset\tlemmas\tgloss\n0\tn1";
        assert_eq!(message(parse_synsets(text)), r#"synsets.tsv, line 2: expected 4 columns, found "0\tn1""#);
        let error = parse_links("source\ttarget\trelation\n0\t1\tlikes").unwrap_err().to_string();
        assert_eq!(error, r#"edges.tsv, line 2: expected a relation that has a weight, found "likes""#);
        let error = parse_links("source\ttarget\trelation\n0\t-1\tcause").unwrap_err().to_string();
        assert_eq!(error, r#"edges.tsv, line 2: expected a synset's id, found "-1""#);
        assert_eq!(widen("cues.f16", &[0; 3], 1).unwrap_err().to_string(), "cues.f16: expected 768 bytes, found 3");
    }
}
