//! Spreads and pushes that look at the clock, in parts: each is a call that goes on where the one before ended, with
//! the bits that one call would have. Kernels have no clock. Sweeps look at it before each.

use std::time::Instant;

use crate::similarity::spare;
use crate::{Activation, Error, Graph, OverflowPolicy, Seed, Stopped, ffi};

/// Edges and firings in a part of best first or of a push, where no more nodes have been reached: a part begins with a
/// look at each of those.
pub(crate) const PART: u64 = 4096;

/// What ends work before it has come to its own end.
pub(crate) struct Limits<'a> {
    pub edges_most: u64,
    pub late: &'a (dyn Fn() -> bool + Sync),
}

impl Limits<'_> {
    /// What forbids to walk `more` edges after those that have been walked.
    pub fn stop(&self, walked: u64, more: u64) -> Option<Stopped> {
        if walked.saturating_add(more) > self.edges_most {
            return Some(Stopped::Work);
        }
        (self.late)().then_some(Stopped::Deadline)
    }
}

/// A look at the clock, if there is a deadline.
pub(crate) fn passed(deadline: Option<Instant>) -> impl Fn() -> bool + Sync {
    move || deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

/// What has become of the nodes that a call found, for the one that goes on from there.
#[derive(Default)]
pub(crate) struct Past {
    pub fired: Vec<u32>,
    pub distances: Vec<u16>,
}

impl Past {
    /// So many nodes at least.
    pub fn hold(&mut self, nodes: usize, measured: bool) -> Result<(), Error> {
        lengthen(&mut self.fired, nodes.div_ceil(32))?;
        if measured { lengthen(&mut self.distances, nodes) } else { Ok(()) }
    }
}

fn lengthen<T: Clone + Default>(all: &mut Vec<T>, len: usize) -> Result<(), Error> {
    let more = len.saturating_sub(all.len());
    let needed = len.saturating_mul(size_of::<T>());
    all.try_reserve_exact(more).map_err(|_| Error::OutOfMemory { needed, capacity: 0 })?;
    all.resize(all.len() + more, T::default());
    Ok(())
}

impl Graph {
    pub(crate) fn spread_until(
        &self,
        deadline: Instant,
        seeds: &[Seed],
        options: &ffi::ecp_spread_options,
        overflow: OverflowPolicy,
    ) -> Result<Activation, Error> {
        self.spread_in_parts(PART, || Instant::now() >= deadline, seeds, options, overflow)
    }

    fn spread_in_parts(
        &self,
        part: u64,
        late: impl FnMut() -> bool,
        seeds: &[Seed],
        options: &ffi::ecp_spread_options,
        overflow: OverflowPolicy,
    ) -> Result<Activation, Error> {
        // Each seed once, and nothing fired or inhibited.
        let start = ffi::ecp_spread_options { hops: 0, fire: ffi::ECP_FIRE_ONCE, ..*options };
        let (start, _) = self.call_spread(seeds, &start, None, overflow)?;
        if options.fire == ffi::ECP_FIRE_BEST_FIRST {
            self.best_first_in_parts(part, late, start, options, overflow)
        } else {
            self.hop_by_hop(late, start, options, overflow)
        }
    }

    fn hop_by_hop(
        &self,
        mut late: impl FnMut() -> bool,
        mut found: Activation,
        options: &ffi::ecp_spread_options,
        overflow: OverflowPolicy,
    ) -> Result<Activation, Error> {
        let (mut past, mut before) = (Past::default(), Vec::new());
        let inhibits = options.competitors > 0 || options.steepness > 0.0;
        for _ in 0..options.hops {
            if late() {
                found.stopped = Some(Stopped::Deadline);
                break;
            }
            let edges_most = options.edges_most - found.edges;
            let hop = ffi::ecp_spread_options { hops: 1, edges_most, ..*options };
            list(&found, &mut before)?;
            let (after, result) = self.call_spread(&before, &hop, Some(&mut past), overflow)?;
            found = Activation { edges: found.edges + after.edges, ..after };
            let at_rest = result.fired == 0 && options.retain == 1.0 && !inhibits;
            if found.stopped.is_some() || at_rest {
                break;
            }
        }
        Ok(found)
    }

    fn best_first_in_parts(
        &self,
        part: u64,
        mut late: impl FnMut() -> bool,
        mut found: Activation,
        options: &ffi::ecp_spread_options,
        overflow: OverflowPolicy,
    ) -> Result<Activation, Error> {
        let (mut past, mut before) = (Past::default(), Vec::new());
        let mut left = *options;
        if options.hops == 1 {
            // Seeds alone fire. Said so, no part needs more scratch than all of them in one.
            let near = found.nodes.iter().map(|&node| self.row(node).len() as u64).sum();
            left.edges_most = left.edges_most.min(near);
        }
        loop {
            // Where nothing may fire, there is nothing to be late for.
            let late = options.hops > 0 && late();
            if late {
                left.hops = 0; // Nothing fires, and inhibition comes.
            }
            left.pause_after = part.max(found.len() as u64);
            list(&found, &mut before)?;
            let (after, result) = self.call_spread(&before, &left, Some(&mut past), overflow)?;
            left.edges_most -= result.edges;
            left.budget -= result.fired as u32;
            found = Activation { edges: found.edges + after.edges, ..after };
            if late {
                found.stopped = Some(Stopped::Deadline);
            }
            if late || result.stopped != ffi::ECP_STOPPED_PAUSED {
                return Ok(found);
            }
        }
    }
}

/// What was found, for seeds.
fn list(found: &Activation, seeds: &mut Vec<Seed>) -> Result<(), Error> {
    if seeds.capacity() < found.len() {
        *seeds = spare(found.len().saturating_mul(2))?;
    }
    seeds.clear();
    seeds.extend(found.iter());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Aggregate, Edge, Fire, Inhibition, Spread};

    /// 800 nodes, five edges out of each.
    fn graph() -> Graph {
        let edge = |i: u32| {
            let target = i.wrapping_mul(2_654_435_761) >> 7;
            Edge::new(i / 5, target % 800, 1.0 / (1 + target % 13) as f32)
        };
        Graph::from_edges(800, (0..4000).map(edge)).unwrap()
    }

    fn kinds() -> Vec<Spread<'static>> {
        let all = Spread::default().hops(9).threshold(1e-4);
        let each = |fire| [all.fire(fire), all.fire(fire).aggregate(Aggregate::Max).retain(0.5).work_most(900)];
        let kinds = [Fire::Once, Fire::EveryHop, Fire::BestFirst { nodes: 300 }, Fire::BestFirst { nodes: u32::MAX }];
        let inhibited = all.fire(Fire::BestFirst { nodes: 250 }).inhibition(Inhibition::new(3, 0.1));
        kinds.into_iter().flat_map(each).chain([inhibited, inhibited.hops(1), inhibited.hops(0)]).collect()
    }

    const SEEDS: [Seed; 3] =
        [Seed { node: 3, activation: 1.0 }, Seed { node: 77, activation: 0.7 }, Seed { node: 3, activation: 0.5 }];

    fn bits(found: &Activation) -> Vec<(u32, u32)> {
        found.iter().map(|seed| (seed.node, seed.activation.to_bits())).collect()
    }

    #[test]
    fn parts_of_any_size_find_what_one_finds_to_the_bit() {
        let graph = graph();
        for spread in kinds() {
            let options = spread.raw().unwrap();
            let whole = graph.spread(&SEEDS, &spread).unwrap();
            for part in [1, 2, 7, 100, 5000] {
                let mut looks = 0;
                let late = || {
                    looks += 1;
                    false
                };
                let found = graph.spread_in_parts(part, late, &SEEDS, &options, OverflowPolicy::Heap).unwrap();
                assert_eq!((bits(&found), found.edges, found.stopped), (bits(&whole), whole.edges, whole.stopped));
                let best_first = options.fire == ffi::ECP_FIRE_BEST_FIRST && options.hops == 9;
                assert!(!best_first || part > 7 || looks > 3, "{looks} looks, {spread:?}");
            }
        }
    }

    #[test]
    fn a_deadline_that_passes_at_any_look_leaves_what_fewer_hops_or_firings_find() {
        let graph = graph();
        for spread in kinds() {
            let options = spread.raw().unwrap();
            for last in 0.. {
                let mut looks = 0;
                let late = || {
                    looks += 1;
                    looks > last
                };
                let found = graph.spread_in_parts(1, late, &SEEDS, &options, OverflowPolicy::Heap).unwrap();
                if found.stopped != Some(Stopped::Deadline) {
                    assert!(last > 2 || options.hops < 2, "{spread:?}");
                    break;
                }
                let shorter = if options.fire == ffi::ECP_FIRE_BEST_FIRST {
                    // Of its five edges or none, each node that fires has as many in either run.
                    let firings = (0..=options.budget).find(|&nodes| {
                        let one = graph.spread(&SEEDS, &spread.fire(Fire::BestFirst { nodes })).unwrap();
                        bits(&one) == bits(&found) && one.edges == found.edges
                    });
                    assert!(firings.is_some_and(|nodes| nodes >= last), "after {last} parts: {firings:?}");
                    continue;
                } else {
                    graph.spread(&SEEDS, &spread.hops(last)).unwrap()
                };
                assert_eq!((bits(&found), found.edges), (bits(&shorter), shorter.edges), "{spread:?}");
            }
        }
    }
}
