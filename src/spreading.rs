#![allow(unsafe_code)]

use rayon::prelude::*;

use crate::{Error, Graph, Kernel, OverflowPolicy, arena, ffi};

/// Nodes and edges, times cues, up to which a batch stays on the calling thread.
const SMALL_BATCH: usize = 1 << 15;

/// A node that a cue has woken, and how much.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub struct Seed {
    /// Index of the node.
    pub node: u32,
    /// Finite, 0 or more.
    pub activation: f32,
}

const _: () = assert!(size_of::<Seed>() == size_of::<ffi::ecp_seed>());
const _: () = assert!(std::mem::offset_of!(Seed, node) == std::mem::offset_of!(ffi::ecp_seed, node));

impl Seed {
    /// `node` with `activation`.
    pub fn new(node: u32, activation: f32) -> Self {
        Self { node, activation }
    }
}

/// How often a node may pass its activation on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fire {
    /// In the first hop in which its activation is above zero and reaches the threshold, and never again.
    Once,
    /// In every such hop.
    EveryHop,
}

/// What an edge passes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Weighting {
    /// Its weight's share.
    AsGiven,
    /// Its weight divided by the sum of its source's weights; a source whose weights sum to 0 passes nothing on.
    ByOutStrength,
}

/// How activation spreads: `hops` synchronous steps of
///
/// `a'_v = retain * a_v + transmission * sum over u of f(a_u) * w_uv`, with `f(a) = a` where `a >= threshold`, else 0.
///
/// A node below the threshold passes nothing on and keeps `retain * a`. Activation saturates at `f32::MAX`. What each
/// option is at first, and why, says [`Spread::default`].
///
/// After Collins and Loftus, "A spreading-activation theory of semantic processing", Psychological Review 82 (1975);
/// threshold, hops and firing as in Crestani, "Application of spreading activation techniques in information
/// retrieval", Artificial Intelligence Review 11 (1997).
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct Spread {
    hops: u32,
    threshold: f32,
    retain: f32,
    transmission: f32,
    fire: Fire,
    weighting: Weighting,
    overflow: OverflowPolicy,
}

impl Default for Spread {
    /// | option | default | because |
    /// |---|---|---|
    /// | hops | 3 | associations beyond three links are hardly felt, and are most of the work |
    /// | weighting | by out-strength | no node passes on more than it holds, however many links it has |
    /// | transmission | 0.8 | each hop loses a fifth, so nearer counts for more |
    /// | retain | 1 | a cue stays as active as it was |
    /// | threshold | 0.01 | a hundredth of a full cue: what is below it is hardly felt, and most of the work |
    /// | fire | once | activation does not echo between two linked nodes, and spreading ends by itself |
    fn default() -> Self {
        Self {
            hops: 3,
            threshold: 0.01,
            retain: 1.0,
            transmission: 0.8,
            fire: Fire::Once,
            weighting: Weighting::ByOutStrength,
            overflow: OverflowPolicy::default(),
        }
    }
}

impl Spread {
    /// Hops to take, 0 to 1024; 0 gives the seeds back.
    pub fn hops(self, hops: u32) -> Self {
        Self { hops, ..self }
    }

    /// The least activation that is passed on; finite, 0 or more.
    pub fn threshold(self, threshold: f32) -> Self {
        Self { threshold, ..self }
    }

    /// The share of its activation that a node keeps at each hop; finite, 0 or more.
    pub fn retain(self, retain: f32) -> Self {
        Self { retain, ..self }
    }

    /// The factor on everything received; finite, 0 or more.
    pub fn transmission(self, transmission: f32) -> Self {
        Self { transmission, ..self }
    }

    /// How often a node may fire.
    pub fn fire(self, fire: Fire) -> Self {
        Self { fire, ..self }
    }

    /// What an edge passes on.
    pub fn weighting(self, weighting: Weighting) -> Self {
        Self { weighting, ..self }
    }

    /// What to do when scratch does not fit the arena.
    pub fn on_overflow(self, overflow: OverflowPolicy) -> Self {
        Self { overflow, ..self }
    }

    fn raw(&self) -> Result<ffi::ecp_spread_options, Error> {
        Error::check_range("hops", 0, ffi::ECP_HOPS_MAX as usize, self.hops as usize)?;
        Error::check_magnitude("threshold", None, self.threshold)?;
        Error::check_magnitude("retain", None, self.retain)?;
        Error::check_magnitude("transmission", None, self.transmission)?;
        Ok(ffi::ecp_spread_options {
            hops: self.hops,
            fire: match self.fire {
                Fire::Once => ffi::ECP_FIRE_ONCE,
                Fire::EveryHop => ffi::ECP_FIRE_EVERY_HOP,
            },
            weighting: match self.weighting {
                Weighting::AsGiven => ffi::ECP_WEIGHTING_AS_GIVEN,
                Weighting::ByOutStrength => ffi::ECP_WEIGHTING_BY_OUT_STRENGTH,
            },
            threshold: self.threshold,
            retain: self.retain,
            transmission: self.transmission,
        })
    }
}

/// Every node reached, in the order in which it was reached (seeds first), and its activation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Activation {
    /// Indices of the nodes.
    pub nodes: Vec<u32>,
    /// The activation of each.
    pub activations: Vec<f32>,
}

impl Activation {
    /// How many nodes were reached.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether none was: there were no seeds.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Nodes with their activation.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Seed> + '_ {
        self.nodes.iter().zip(&self.activations).map(|(&node, &activation)| Seed { node, activation })
    }

    /// The `k` most active nodes, most active first, ties by lower node; NaN, if you put one there, comes last.
    pub fn top_k(&self, k: usize) -> Vec<Seed> {
        let key = |seed: &Seed| if seed.activation.is_nan() { f32::NEG_INFINITY } else { seed.activation };
        let mut seeds: Vec<_> = self.iter().collect();
        seeds.sort_unstable_by(|a, b| key(b).total_cmp(&key(a)).then(a.node.cmp(&b.node)));
        seeds.truncate(k);
        seeds
    }
}

impl Graph {
    /// Spreads the activation of `seeds` over the graph; a repeated seed's activations are summed. On the calling
    /// thread. Scratch: 16 bytes and one bit for each node of the graph, of which only what is reached is touched.
    ///
    /// ```
    /// use ecphory::{Edge, Graph, Seed, Spread};
    ///
    /// let graph = Graph::from_edges(3, [Edge::new(0, 1, 3.0), Edge::new(0, 2, 1.0)])?;
    /// let woken = graph.spread(&[Seed::new(0, 1.0)], &Spread::default())?;
    /// assert_eq!(woken.nodes, [0, 1, 2]);
    /// assert_eq!(woken.activations, [1.0, 0.8 * 0.75, 0.8 * 0.25]);
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Index`] and [`Error::Value`] for a seed that is not a node or not a finite activation of 0 or more;
    /// [`Error::Range`] and [`Error::Value`] for options outside their range; [`Error::OutOfMemory`] by the policy;
    /// [`Error::ThreadEnding`]; [`Error::UnknownTier`].
    pub fn spread(&self, seeds: &[Seed], spread: &Spread) -> Result<Activation, Error> {
        let options = spread.raw()?;
        self.check_seeds(seeds)?;
        self.call_spread(seeds, &options, spread.overflow)
    }

    /// [`Graph::spread`] of several cues, each by itself, on the threads of the current rayon pool; few cues over a
    /// small graph stay on the calling thread.
    ///
    /// # Errors
    /// As [`Graph::spread`]; every cue is checked before the first one is spread.
    pub fn spread_batch<S: AsRef<[Seed]> + Sync>(&self, cues: &[S], spread: &Spread) -> Result<Vec<Activation>, Error> {
        let options = spread.raw()?;
        cues.iter().try_for_each(|seeds| self.check_seeds(seeds.as_ref()))?;
        // SAFETY: takes any number and only computes.
        arena::admit(Kernel::Spreading, spread.overflow, unsafe { ffi::ecp_spread_need(self.node_count()) })?;
        let run = |seeds: &S| self.call_spread(seeds.as_ref(), &options, spread.overflow);
        let most_work = cues.len().saturating_mul(self.node_count() + self.edge_count());
        if most_work <= SMALL_BATCH { cues.iter().map(run).collect() } else { cues.par_iter().map(run).collect() }
    }

    fn check_seeds(&self, seeds: &[Seed]) -> Result<(), Error> {
        let len = self.node_count();
        seeds.iter().enumerate().try_for_each(|(position, seed)| {
            if seed.node as usize >= len {
                return Err(Error::Index { what: "seed", position, len, found: seed.node as usize });
            }
            Error::check_magnitude("seed activation", Some(position), seed.activation)
        })
    }

    fn call_spread(
        &self,
        seeds: &[Seed],
        options: &ffi::ecp_spread_options,
        overflow: OverflowPolicy,
    ) -> Result<Activation, Error> {
        let graph = self.raw();
        // Capacity that is not reached is not touched either.
        let mut nodes = Vec::with_capacity(self.node_count());
        let mut activations = Vec::with_capacity(self.node_count());
        let mut count = 0;
        arena::with_scratch(overflow, |scratch| {
            // SAFETY: ecphory.h asks for
            // - a graph as it describes: `Graph` is one by construction and cannot be changed;
            // - seeds[seed_count], nodes below node_count and magnitudes: `check_seeds`; the layout: asserted above;
            // - options in their ranges: `Spread::raw`;
            // - reached and activations [node_count]: the capacities above;
            // - nothing written that overlaps anything else: all are locals.
            unsafe {
                let seeds_start = seeds.as_ptr().cast();
                let (nodes, activations): (*mut u32, *mut f32) = (nodes.as_mut_ptr(), activations.as_mut_ptr());
                ffi::ecp_spread(&graph, seeds_start, seeds.len(), options, nodes, activations, &mut count, scratch)
            }
        })?;
        // SAFETY: the kernel has written the first `count` elements of each, at most `node_count`.
        unsafe {
            nodes.set_len(count);
            activations.set_len(count);
        }
        nodes.shrink_to_fit();
        activations.shrink_to_fit();
        Ok(Activation { nodes, activations })
    }
}
