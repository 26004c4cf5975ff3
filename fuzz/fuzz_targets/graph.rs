//! Graphs as bytes: those that are no graph are refused by name, and those that are one are written as they were read,
//! and can be walked. Checksums are made right, so that what is behind them is met, but where bytes are damaged after.

#![no_main]

#[allow(dead_code)]
#[path = "../../src/checksum.rs"]
mod checksum;

use arbitrary::Arbitrary;
use checksum::Xxh64;
use ecphory::{Edge, Error, Graph, PageRank, Seed, Spread, Workspace};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
enum Case {
    Noise(Vec<u8>),
    /// A graph of edges, damaged.
    Edges {
        nodes: u8,
        edges: Vec<(u8, u8, f32, u8)>,
        typed: bool,
        damage: Damage,
    },
    /// Whatever the arrays hold.
    Arrays {
        lengths: Option<(u64, u64)>,
        rows: Vec<u8>,
        edges: Vec<(u8, f32, u8)>,
        flags: u8,
        damage: Damage,
    },
}

#[derive(Debug, Arbitrary)]
struct Damage {
    changed: Option<(u16, u8)>,
    /// Bytes that are left.
    cut: Option<u16>,
    behind: Vec<u8>,
}

fuzz_target!(|case: Case| {
    let (bytes, whole) = match case {
        Case::Noise(bytes) => (bytes, None),
        Case::Edges { nodes, edges, typed, damage } => {
            let nodes = usize::from(nodes).max(1);
            let node = |any: u8| usize::from(any) as u32 % nodes as u32;
            let edge = |&(from, to, weight, kind): &(u8, u8, f32, u8)| {
                (Edge::new(node(from), node(to), weight.abs().min(1e9)), kind)
            };
            let builder = Graph::builder(nodes);
            let edges = edges.iter().filter(|edge| !edge.2.is_nan()).map(edge);
            let builder =
                if typed { builder.related(edges) } else { builder.edges(edges.map(|(edge, _)| edge)) }.unwrap();
            let graph = builder.build().unwrap();
            let bytes = written(&graph);
            let same = damage.changed.is_none() && damage.cut.is_none();
            (damage.of(bytes), same.then_some(graph))
        }
        Case::Arrays { lengths, rows, edges, flags, damage } => {
            (damage.of(arrays(lengths, &rows, &edges, flags)), None)
        }
    };
    match Graph::read_from(&bytes[..]) {
        Ok(graph) => {
            assert!(whole.is_none_or(|whole| whole == graph));
            walked(&graph, &bytes);
        }
        Err(error) => {
            assert!(whole.is_none(), "{error}");
            assert!(!matches!(error, Error::Io { .. } | Error::Status(_)), "{error}");
            assert!(!error.to_string().is_empty());
        }
    }
});

impl Damage {
    fn of(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        if let Some((place, change)) = self.changed {
            let place = usize::from(place) % bytes.len();
            bytes[place] ^= change;
        }
        if let Some(left) = self.cut {
            bytes.truncate(usize::from(left));
        }
        bytes.extend(&self.behind);
        bytes
    }
}

fn written(graph: &Graph) -> Vec<u8> {
    let mut bytes = Vec::new();
    graph.write_to(&mut bytes).unwrap();
    bytes
}

fn sum(bytes: &mut Vec<u8>) {
    let mut hash = Xxh64::new();
    hash.write(bytes);
    bytes.extend(hash.value().to_le_bytes());
}

/// The layout that `Graph::write_to` describes, of rows of so many edges each.
fn arrays(lengths: Option<(u64, u64)>, rows: &[u8], edges: &[(u8, f32, u8)], flags: u8) -> Vec<u8> {
    let typed = flags & 1 == 1;
    let mut bytes = b"ECPGRAPH".to_vec();
    // Mostly a version and flags that there are.
    let flags = if flags < 250 { u32::from(typed) } else { u32::from(flags) };
    bytes.extend([1, flags].map(u32::to_le_bytes).concat());
    let (nodes, count) = lengths.unwrap_or((rows.len() as u64, edges.len() as u64));
    bytes.extend([nodes, count].map(u64::to_le_bytes).concat());
    sum(&mut bytes);
    let mut end = 0u32;
    bytes.extend(end.to_le_bytes());
    for (row, &len) in rows.iter().enumerate() {
        // Mostly all edges are in rows, and sometimes a row ends before it begins.
        end =
            if row + 1 == rows.len() && len < 200 { edges.len() as u32 } else { end.wrapping_add(u32::from(len % 8)) };
        let told = if len == 255 { end.wrapping_sub(3) } else { end };
        bytes.extend(told.to_le_bytes());
    }
    edges.iter().for_each(|edge| bytes.extend(u32::from(edge.0).to_le_bytes()));
    edges.iter().for_each(|edge| bytes.extend(edge.1.to_le_bytes()));
    if typed {
        bytes.extend(edges.iter().map(|edge| edge.2));
    }
    sum(&mut bytes);
    bytes
}

fn walked(graph: &Graph, bytes: &[u8]) {
    let again = written(graph);
    assert!(bytes.starts_with(&again), "a graph is not written as it was read");
    let relations = graph.relations().map(<[u8]>::to_vec);
    let (offsets, targets) = (graph.offsets().to_vec(), graph.targets().to_vec());
    assert!(Graph::from_csr(offsets, targets, graph.weights().to_vec(), relations).unwrap() == *graph);
    let nodes = graph.node_count() as u32;
    let edges: usize = (0..nodes).map(|node| graph.edges_of(node).len()).sum();
    assert_eq!(edges, graph.edge_count());
    assert!((0..nodes).flat_map(|node| graph.edges_of(node)).all(|edge| edge.target < nodes && edge.weight >= 0.0));
    let seeds = [Seed::new(0, 1.0), Seed::new(nodes - 1, 0.5)];
    let woken = graph.spread(&seeds, &Spread::default()).unwrap();
    assert!(woken.activations.iter().all(|activation| activation.is_finite()));
    let near = PageRank::default().push(graph, &seeds, 1e-3).unwrap();
    let mut workspace = Workspace::new();
    let all = PageRank::default().power(graph, &seeds, 1e-3, &mut workspace).unwrap();
    for seed in near.iter() {
        assert!(seed.activation <= all.ranks[seed.node as usize] + 2e-3);
    }
}
