//! Whether ranks are those of other libraries, on random graphs with weights. Nothing is timed here.

use std::fmt;
use std::io::{self, Write};

use ecphory::{PageRank, Seed, Workspace};
use ecphory_measure::cases::spreading::graph;
use ecphory_measure::data::{Csr, Random};
use ecphory_measure::suite::Missing;
use serde_json::json;

use crate::python;

/// How far any node may be from the same node of another library.
const BOUND: f64 = 1e-8;
/// Half the distance from 1 to the next f32.
const ROUNDING: f64 = f32::EPSILON as f64 / 2.0;

/// Where walks go on from nodes without edges.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Dangling {
    ToSeeds,
    Anywhere,
}

/// A graph and a walk over it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Case {
    nodes: usize,
    edges: usize,
    damping: f64,
    dangling: Dangling,
}

/// Every case, small graphs first.
pub fn cases() -> Vec<Case> {
    let shapes = [(10, 20), (100, 300), (1000, 8000), (20_000, 200_000)];
    let walk = |(nodes, edges)| {
        let of = move |damping| {
            [Dangling::ToSeeds, Dangling::Anywhere].map(move |dangling| Case { nodes, edges, damping, dangling })
        };
        [0.5, 0.85].into_iter().flat_map(of)
    };
    shapes.into_iter().flat_map(walk).collect()
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = if self.dangling == Dangling::ToSeeds { "seeds" } else { "anywhere" };
        write!(f, "agreement {}/{} damping {} dangling to {to}", self.nodes, self.edges, self.damping)
    }
}

/// What everyone is given.
struct Problem {
    csr: Csr,
    /// 1 in all.
    seeds: Vec<(u32, f64)>,
    damping: f64,
    dangling: Dangling,
}

impl Case {
    /// What filters look at.
    pub fn label(&self) -> String {
        self.to_string()
    }

    /// Any edges, but none out of one node in eight.
    fn problem(self) -> Problem {
        let mut random = Random::new(self.nodes as u64);
        let mut edges = std::collections::BTreeMap::new();
        while edges.len() < self.edges {
            let [source, target] = [(); 2].map(|()| random.below(self.nodes) as u32);
            if source % 8 != 1 {
                edges.insert((source, target), 0.1 + 0.9 * random.unit() as f32);
            }
        }
        let edges = edges.into_iter().map(|((source, target), weight)| (source, target, weight)).collect();
        let seeds = [(0.1, 0.5), (0.35, 0.3), (0.8, 0.2)].map(|(at, mass)| ((at * self.nodes as f64) as u32, mass));
        let csr = Csr::from_edges(self.nodes, edges);
        Problem { csr, seeds: seeds.into(), damping: self.damping, dangling: self.dangling }
    }

    fn figures(self) -> Result<Vec<Figure>, String> {
        let problem = self.problem();
        let exact = plain(&problem);
        let request = json!({
            "load": "agreement", "seeds": problem.seeds, "damping": problem.damping,
            "anywhere": problem.dangling == Dangling::Anywhere,
        });
        let mut figures = ours(&problem, &exact)?;
        for (who, ranks) in python::ranks(request, &problem.csr)? {
            figures.push(Figure::of(who, &ranks, &exact, |_| BOUND));
        }
        Ok(figures)
    }
}

/// How far one of them is from the plain loop.
struct Figure {
    who: String,
    /// Of any node.
    largest: f64,
    /// The same as a part of what the node may be off.
    of_bound: f64,
}

impl Figure {
    fn of(who: String, ranks: &[f64], exact: &[f64], bound: impl Fn(usize) -> f64) -> Self {
        if ranks.len() != exact.len() {
            return Self { who, largest: f64::INFINITY, of_bound: f64::INFINITY };
        }
        let off = |node: usize| (ranks[node] - exact[node]).abs();
        // NaN is the largest.
        let most = |all: f64, one: f64| if all.is_nan() || all > one { all } else { one };
        let largest = (0..ranks.len()).map(off).fold(0.0, most);
        let of_bound = (0..ranks.len()).map(|node| off(node) / bound(node)).fold(0.0, most);
        Self { who, largest, of_bound }
    }
}

/// The library's: swept alone, swept among other cues, and pushed, each within what its documentation says that a node
/// may be off: [`BOUND`], and of its rank 40 roundings by alpha; pushed, what the residual tells and one rounding by
/// alpha, and after sweeps 28 more of its rank.
fn ours(problem: &Problem, exact: &[f64]) -> Result<Vec<Figure>, String> {
    let dangling = match problem.dangling {
        Dangling::ToSeeds => ecphory::Dangling::ToSeeds,
        Dangling::Anywhere => ecphory::Dangling::Evenly,
    };
    let failed = |error| format!("ecphory: {error}");
    let wide = |ranks: &[f32]| ranks.iter().map(|&rank| f64::from(rank)).collect::<Vec<_>>();
    let seeds: Vec<_> = problem.seeds.iter().map(|&(node, mass)| Seed::new(node, mass as f32)).collect();
    let alpha = 1.0 - problem.damping;
    let rank = PageRank::default().alpha(alpha).dangling(dangling);
    let (graph, mut workspace) = (graph(&problem.csr), Workspace::new());
    let swept = |node: usize| BOUND + 40.0 * ROUNDING / alpha * exact[node];
    let power = wide(rank.power(&graph, &seeds, 1e-10, &mut workspace).map_err(failed)?.ranks);
    let cues = [&[Seed::new(0, 1.0)], &seeds[..], &[]];
    let among = rank.power_each(&graph, &cues, 1e-10, &mut workspace).map_err(failed)?;
    let among = wide(among.of(1));
    let near = rank.push(&graph, &seeds, 1e-10).map_err(failed)?;
    let mut pushed = vec![0.0; exact.len()];
    near.iter().for_each(|seed| pushed[seed.node as usize] = f64::from(seed.activation));
    let of_rank = if near.swept { 68.0 * ROUNDING / alpha } else { 0.0 };
    let lacking = near.residual + ROUNDING / alpha;
    Ok(vec![
        Figure::of("ecphory".into(), &power, exact, swept),
        Figure::of("ecphory, among cues".into(), &among, exact, swept),
        Figure::of("ecphory, pushed".into(), &pushed, exact, |node| lacking + of_rank * exact[node]),
    ])
}

/// The plain loop in f64, by the definition, until nothing changes.
fn plain(problem: &Problem) -> Vec<f64> {
    let nodes = problem.csr.nodes();
    let mut now = vec![0.0; nodes];
    let strengths: Vec<f64> =
        (0..nodes as u32).map(|node| problem.csr.neighbours(node).map(|edge| f64::from(edge.1)).sum()).collect();
    // What is off after so many iterations is that part of what was.
    for _ in 0..(1e-15f64.log(problem.damping).ceil() as usize) {
        let mut next = vec![0.0; nodes];
        for (source, target, weight) in problem.csr.edges() {
            let source = source as usize;
            next[target as usize] += problem.damping * now[source] * f64::from(weight) / strengths[source];
        }
        let missing = 1.0 - next.iter().sum::<f64>();
        let lost: f64 = (0..nodes).filter(|&node| strengths[node] == 0.0).map(|node| problem.damping * now[node]).sum();
        let anywhere = if problem.dangling == Dangling::Anywhere { lost } else { 0.0 };
        next.iter_mut().for_each(|rank| *rank += anywhere / nodes as f64);
        problem.seeds.iter().for_each(|&(node, mass)| next[node as usize] += (missing - anywhere) * mass);
        now = next;
    }
    now
}

/// Prints by how much the node that is furthest off is off, and returns who is by more than may be.
pub fn run(cases: &[Case], json: bool, out: &mut impl Write) -> Result<Missing, Box<dyn std::error::Error>> {
    let mut missing = Missing::default();
    for case in cases {
        let figures = match case.figures() {
            Ok(figures) => figures,
            Err(why) => {
                missing.cases.push(format!("{case}: {why}"));
                continue;
            }
        };
        for Figure { who, largest, of_bound } in figures {
            if json {
                let line = json!({
                    "suite": "agreement", "nodes": case.nodes, "edges": case.edges, "damping": case.damping,
                    "dangling": format!("{:?}", case.dangling), "impl": who, "largest": largest, "of_bound": of_bound,
                });
                writeln!(out, "{line}")?;
            } else {
                writeln!(out, "{case}: {who} {largest:.1e} off at most, {:.0} % of what may be", of_bound * 100.0)?;
            }
            // NaN is not within.
            if of_bound.is_nan() || of_bound > 1.0 {
                let line = format!("{case}: {who}: expected no node off by more than may be, found {largest}");
                _ = writeln!(io::stderr(), "{line}");
                missing.contenders.push(line);
            }
        }
        out.flush()?;
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_without_a_number_is_further_off_than_any() {
        let off = |ranks: &[f64]| Figure::of("who".into(), ranks, &[0.5, 0.25, 0.25], |_| 0.125).of_bound;
        assert_eq!(off(&[0.5, 0.25, 0.5]), 2.0);
        assert_eq!(off(&[0.5, 0.25]), f64::INFINITY);
        assert!([[f64::NAN, 0.25, 0.25], [0.5, f64::NAN, 0.25]].iter().all(|ranks| off(ranks).is_nan()));
    }

    fn ranks(edges: &[(u32, u32)], seeds: &[(u32, f64)], damping: f64, dangling: Dangling) -> Vec<f64> {
        let nodes = edges.iter().map(|edge| edge.0.max(edge.1)).max().unwrap() as usize + 1;
        let csr = Csr::from_edges(nodes, edges.iter().map(|&(source, target)| (source, target, 1.0)).collect());
        plain(&Problem { csr, seeds: seeds.into(), damping, dangling })
    }

    /// The six nodes of Langville and Meyer, of which one has no edge, personalised at the first.
    #[test]
    fn the_plain_loop_finds_what_networkx_and_igraph_find_for_six_published_nodes() {
        let edges = [(0, 1), (0, 2), (2, 0), (2, 1), (2, 4), (3, 4), (3, 5), (4, 3), (4, 5), (5, 3)];
        let to_seeds = [0.3605949817, 0.1966745129, 0.1532528672, 0.1120846010, 0.0910576012, 0.0863354359];
        let anywhere = [0.1977874398, 0.1318471017, 0.1027380013, 0.2368000080, 0.1484274432, 0.1824000062];
        for (dangling, expected) in [(Dangling::ToSeeds, to_seeds), (Dangling::Anywhere, anywhere)] {
            let found = ranks(&edges, &[(0, 1.0)], 0.85, dangling);
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{dangling:?}: {found:?}");
        }
        let spread: Vec<_> = (0..6).map(|node| (node, 1.0 / 6.0)).collect();
        let published = [0.0372119651, 0.0539573494, 0.0415056534, 0.3750808151, 0.2059983319, 0.2862458852];
        let found = ranks(&edges, &spread, 0.9, Dangling::ToSeeds);
        assert!(found.iter().zip(published).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
    }
}
