#![allow(unsafe_code)]

use std::fmt;
use std::time::Instant;

use rayon::prelude::*;

use crate::brief::Few;
use crate::deadlines::Past;
use crate::similarity::{fit, room, spare};
use crate::{Activation, Error, Fan, Graph, Kernel, OverflowPolicy, arena, ffi};

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

/// How often a node may pass its activation on, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fire {
    /// In the first hop in which its activation is above zero and reaches the threshold, and never again.
    Once,
    /// In every such hop.
    EveryHop,
    /// No hops in step: of the nodes that have not fired and reach the threshold, the most active fires, ties by lower
    /// node, and its neighbours have what it passes on at once; until none is left or `nodes` have fired. A node as
    /// many edges from a seed as there are hops does not fire. A node that fires keeps `retain` of what it had; nothing
    /// else is lost.
    BestFirst {
        /// Nodes that may fire.
        nodes: u32,
    },
}

/// What an edge passes on.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Weighting {
    /// Its weight's share.
    AsGiven,
    /// Its weight divided by the sum of its source's weights; a source whose weights sum to 0 passes nothing on.
    ByOutStrength,
    /// `strength - ln(fan)`, where the fan of its source is how many edges leave it and one more: the associative
    /// strength of ACT-R, whatever its weight is. Below 0 it counts as 0; [`Graph::fan_activation`] lets it tell
    /// against.
    ByFan {
        /// ACT-R's S: finite, 0 or more. Edges of sources with `e^strength - 1` edges and more pass nothing on.
        strength: f32,
    },
}

/// What becomes of all that a node receives in a hop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Aggregate {
    /// It is summed, and added to what the node retains.
    Sum,
    /// The largest counts alone, or what the node retains where that is more: with weights and transmission of 1 or
    /// less, a node then has the strength of the best path to it.
    Max,
}

/// What ended a spread before its hops did, or a push or sweeps before ranks were as near as they were to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stopped {
    /// The next node to fire or to push, or a sweep, had more edges than [`Spread::work_most`],
    /// [`PageRank::work_most`](crate::PageRank::work_most) or [`HeatKernel::work_most`](crate::HeatKernel::work_most)
    /// left: neither it nor those after it did.
    Work,
    /// As many nodes as [`Fire::BestFirst`] allows have fired, and more would have.
    Budget,
    /// [`Spread::deadline`] had passed before a hop or, with [`Fire::BestFirst`], before a node fired; or
    /// [`PageRank::deadline`](crate::PageRank::deadline) or [`HeatKernel::deadline`](crate::HeatKernel::deadline)
    /// before a node pushed, or a sweep.
    Deadline,
}

/// Lateral inhibition and squashing after each hop: with T the `competitors` most active nodes,
///
/// `v_i = max(0, u_i - strength * sum over k in T with u_k > u_i of (u_k - u_i))`, and then
/// `a_i = 1 / (1 + e^(-steepness * (v_i - midpoint)))`.
///
/// As in Jiang and others, "Synapse: Empowering LLM Agents with Episodic-Semantic Memory via Spreading Activation",
/// arXiv 2601.02744 (2026), whose values are the default. Squashing lifts a node that has nothing to
/// `1 / (1 + e^(steepness * midpoint))`: 0.0759 there, which is above the default threshold of 0.01. So a node that was
/// reached and has next to nothing, or a seed of 0, fires, and after it its neighbours. A threshold above 0.0759 keeps
/// it from that:
///
/// ```
/// use ecphory::{Edge, Graph, Inhibition, Seed, Spread};
///
/// // The second seed has nothing, and nothing leads to it.
/// let graph = Graph::from_edges(4, [Edge::new(0, 3, 1.0), Edge::new(1, 2, 1.0)])?;
/// let seeds = [Seed::new(0, 1.0), Seed::new(1, 0.0)];
/// let spread = Spread::default().hops(2).inhibition(Inhibition::default());
/// let (low, high) = (spread, spread.threshold(0.08));
/// assert!(graph.spread(&seeds, &low)?.nodes.contains(&2));
/// assert!(!graph.spread(&seeds, &high)?.nodes.contains(&2));
/// # Ok::<(), ecphory::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct Inhibition {
    competitors: u32,
    strength: f32,
    steepness: f32,
    midpoint: f32,
}

impl Default for Inhibition {
    /// 7 competitors of strength 0.15; steepness 5, midpoint 0.5.
    fn default() -> Self {
        Self::new(7, 0.15).squashed(5.0, 0.5)
    }
}

impl Inhibition {
    /// `competitors` (0 to 64; 0 for none) inhibit by `strength` (finite, 0 or more); nothing is squashed.
    pub fn new(competitors: u32, strength: f32) -> Self {
        Self { competitors, strength, steepness: 0.0, midpoint: 0.0 }
    }

    /// Squashes by the logistic function; both finite, 0 or more. A steepness of 0 is for none.
    pub fn squashed(self, steepness: f32, midpoint: f32) -> Self {
        Self { steepness, midpoint, ..self }
    }
}

/// How activation spreads: `hops` synchronous steps of
///
/// `a'_v = retain * a_v + transmission * sum over u of f(a_u) * s_uv`, with `f(a) = a` where `a >= threshold`, else 0,
///
/// and `s_uv` what [`Weighting`] makes of the edge, times the factor of its relation. [`Aggregate`] and [`Fire`] change
/// what the sum is and when it is taken.
///
/// A node below the threshold passes nothing on and keeps `retain * a`. Activation saturates at `f32::MAX`: options by
/// which it grows without end (`EveryHop` with weights that gain) end there, after at most 1024 hops. A threshold that
/// nothing reaches leaves the seeds. What each option is at first, and why, says [`Spread::default`].
///
/// A node that keeps all it has, as one without links does in spreadr (Siew, "spreadr", Behavior Research Methods 51,
/// 2019), is one with an edge to itself.
///
/// After Collins and Loftus, "A spreading-activation theory of semantic processing", Psychological Review 82 (1975);
/// threshold, hops, fan-out, relations and firing as in Crestani, "Application of spreading activation techniques in
/// information retrieval", Artificial Intelligence Review 11 (1997).
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct Spread<'a> {
    hops: u32,
    threshold: f32,
    retain: f32,
    transmission: f32,
    fire: Fire,
    weighting: Weighting,
    aggregate: Aggregate,
    fan_out_most: u32,
    relations: Option<Factors<'a>>,
    inhibition: Inhibition,
    work_most: u64,
    deadline: Option<Instant>,
    overflow: OverflowPolicy,
}

/// Of each relation.
#[derive(Clone, Copy, PartialEq)]
struct Factors<'a>(&'a [f32; 256]);

impl fmt::Debug for Factors<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Few(self.0).fmt(f)
    }
}

impl Default for Spread<'_> {
    /// | option | default | because |
    /// |---|---|---|
    /// | hops | 3 | associations beyond three links are hardly felt, and are most of the work |
    /// | weighting | by out-strength | no node passes on more than it holds, however many links it has |
    /// | transmission | 0.8 | each hop loses a fifth, so nearer counts for more |
    /// | retain | 1 | a cue stays as active as it was |
    /// | threshold | 0.01 | a hundredth of a full cue: what is below it is hardly felt, and most of the work |
    /// | fire | once | activation does not echo between two linked nodes, and spreading ends by itself |
    /// | aggregate | sum | what several cues point at counts for more |
    /// | fan-out, relations, inhibition, work, deadline | none | all edges count alike, and the graph bounds the work |
    fn default() -> Self {
        Self {
            hops: 3,
            threshold: 0.01,
            retain: 1.0,
            transmission: 0.8,
            fire: Fire::Once,
            weighting: Weighting::ByOutStrength,
            aggregate: Aggregate::Sum,
            fan_out_most: u32::MAX,
            relations: None,
            inhibition: Inhibition::new(0, 0.0),
            work_most: u64::MAX,
            deadline: None,
            overflow: OverflowPolicy::default(),
        }
    }
}

impl<'a> Spread<'a> {
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

    /// How often a node may fire, and when.
    pub fn fire(self, fire: Fire) -> Self {
        Self { fire, ..self }
    }

    /// What an edge passes on.
    pub fn weighting(self, weighting: Weighting) -> Self {
        Self { weighting, ..self }
    }

    /// What becomes of all that a node receives.
    pub fn aggregate(self, aggregate: Aggregate) -> Self {
        Self { aggregate, ..self }
    }

    /// The edges of a node that pass something on: its `edges` strongest, ties by lower target, where relations count.
    /// Shares are of all its weights: what the others would have carried is lost. 0 lets nothing pass.
    pub fn fan_out_most(self, edges: u32) -> Self {
        Self { fan_out_most: edges, ..self }
    }

    /// A factor for each relation, on what its edges pass on: finite, 0 or more; an edge whose factor is 0 is not
    /// there. Shares are of weights without factors. All edges of a graph without relations are of relation 0.
    pub fn relations(self, factors: &'a [f32; 256]) -> Self {
        Self { relations: Some(Factors(factors)), ..self }
    }

    /// Inhibition and squashing after each hop; with [`Fire::BestFirst`] once, in the end.
    pub fn inhibition(self, inhibition: Inhibition) -> Self {
        Self { inhibition, ..self }
    }

    /// Edges that may be walked; no limit at first. Scratch then follows this number, where it is less than the graph's
    /// nodes: what can be reached is the seeds and one node for each edge. All edges of a node that fires are walked,
    /// and count, those too that [`Spread::fan_out_most`] or a factor of 0 leaves out: its strongest are found among
    /// all.
    pub fn work_most(self, edges: u64) -> Self {
        Self { work_most: edges, ..self }
    }

    /// The moment after which no hop begins: the clock is looked at before each, and a hop that has begun is taken to
    /// its end, which [`Spread::work_most`] bounds. With [`Fire::BestFirst`] it is looked at before the first node
    /// fires, and then after every 4,096 edges and firings, or as many as nodes have been reached where those are more;
    /// what is found has the bits of a spread whose [`Fire::BestFirst`] allows as many nodes as have fired.
    ///
    /// A spread with a deadline takes more memory from the heap: up to 16 bytes for each node found, which are the
    /// seeds of the next hop or part, and one bit, with [`Fire::BestFirst`] 2 bytes more, for each node that can be
    /// reached; and for each hop or part anew 8 bytes for each node that it can reach.
    pub fn deadline(self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// What to do when scratch does not fit the arena.
    pub fn on_overflow(self, overflow: OverflowPolicy) -> Self {
        Self { overflow, ..self }
    }

    fn check(&self) -> Result<(), Error> {
        Error::check_range("hops", 0, ffi::ECP_HOPS_MAX as usize, self.hops as usize)?;
        Error::check_magnitude("threshold", None, self.threshold)?;
        Error::check_magnitude("retain", None, self.retain)?;
        Error::check_magnitude("transmission", None, self.transmission)?;
        if let Weighting::ByFan { strength } = self.weighting {
            Error::check_magnitude("fan strength", None, strength)?;
        }
        let Inhibition { competitors, strength, steepness, midpoint } = self.inhibition;
        Error::check_range("competitors", 0, ffi::ECP_COMPETITORS_MAX as usize, competitors as usize)?;
        Error::check_magnitude("inhibition", None, strength)?;
        Error::check_magnitude("steepness", None, steepness)?;
        Error::check_magnitude("midpoint", None, midpoint)?;
        let mut factors = self.relations.into_iter().flat_map(|Factors(factors)| factors).enumerate();
        factors.try_for_each(|(relation, &factor)| Error::check_magnitude("relation factor", Some(relation), factor))
    }

    pub(crate) fn raw(&self) -> Result<ffi::ecp_spread_options, Error> {
        self.check()?;
        let (fire, budget) = match self.fire {
            Fire::Once => (ffi::ECP_FIRE_ONCE, u32::MAX),
            Fire::EveryHop => (ffi::ECP_FIRE_EVERY_HOP, u32::MAX),
            Fire::BestFirst { nodes } => (ffi::ECP_FIRE_BEST_FIRST, nodes),
        };
        let (weighting, fan_strength) = match self.weighting {
            Weighting::AsGiven => (ffi::ECP_WEIGHTING_AS_GIVEN, 0.0),
            Weighting::ByOutStrength => (ffi::ECP_WEIGHTING_BY_OUT_STRENGTH, 0.0),
            Weighting::ByFan { strength } => (ffi::ECP_WEIGHTING_BY_FAN, strength),
        };
        Ok(ffi::ecp_spread_options {
            hops: self.hops,
            fire,
            weighting,
            aggregate: match self.aggregate {
                Aggregate::Sum => ffi::ECP_AGGREGATE_SUM,
                Aggregate::Max => ffi::ECP_AGGREGATE_MAX,
            },
            budget,
            fan_out_most: self.fan_out_most,
            threshold: self.threshold,
            retain: self.retain,
            transmission: self.transmission,
            fan_strength,
            competitors: self.inhibition.competitors,
            inhibition: self.inhibition.strength,
            steepness: self.inhibition.steepness,
            midpoint: self.inhibition.midpoint,
            edges_most: self.work_most,
            pause_after: 0,
            relation_factors: self.relations.map_or(std::ptr::null(), |Factors(factors)| factors.as_ptr()),
        })
    }
}

impl Graph {
    /// Spreads the activation of `seeds` over the graph; a repeated seed's activations are summed, and without seeds
    /// nothing is reached. On the calling thread. Scratch: 8 bytes and one bit for each node of the graph
    /// ([`Fire::BestFirst`]: 14 bytes), of which only what is reached is touched; or up to 30 bytes for each node that
    /// can be reached, where [`Spread::work_most`] or a single hop makes those few; and 8 for each in what is found.
    ///
    /// What a node receives is summed in f32, in one fixed order. A hop in which `d` sources pass something on to it
    /// adds at most `(d + 4) * 2^-24` to the relative error of its activation, with [`Aggregate::Max`] `4 * 2^-24`,
    /// and products of such errors, while nothing saturates or is below 2^-126; which nodes reach the threshold may
    /// turn on it. With [`Fire::BestFirst`] each firing on the way does that, `d` being all that pass something on to
    /// the node.
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
    pub fn spread(&self, seeds: &[Seed], spread: &Spread<'_>) -> Result<Activation, Error> {
        let options = spread.raw()?;
        self.check_seeds(seeds)?;
        self.run_spread(seeds, &options, spread)
    }

    /// [`Graph::spread`] of several cues, each by itself, on the threads of the current rayon pool; few cues over a
    /// small graph stay on the calling thread. One deadline is for all.
    ///
    /// # Errors
    /// As [`Graph::spread`]; every cue is checked before the first one is spread.
    pub fn spread_batch<S: AsRef<[Seed]> + Sync>(
        &self,
        cues: &[S],
        spread: &Spread<'_>,
    ) -> Result<Vec<Activation>, Error> {
        let options = spread.raw()?;
        cues.iter().try_for_each(|seeds| self.check_seeds(seeds.as_ref()))?;
        let need = cues.iter().map(|seeds| self.spread_need(seeds.as_ref(), &options)).max();
        arena::admit(Kernel::Spreading, spread.overflow, need.unwrap_or(0))?;
        // `raw` holds pointers, which threads do not share.
        let run = |(found, seeds): (&mut Activation, &S)| {
            *found = self.run_spread(seeds.as_ref(), &spread.raw()?, spread)?;
            Ok(())
        };
        let mut all = room(Activation::default(), cues.len())?;
        if cues.len().saturating_mul(self.node_count() + self.edge_count()) <= SMALL_BATCH {
            all.iter_mut().zip(cues).try_for_each(run)?;
        } else {
            all.par_iter_mut().zip(cues).try_for_each(run)?;
        }
        Ok(all)
    }

    /// Activation by association as ACT-R has it, over one link: of each node `i` that a source is linked to, in the
    /// order reached, `A_i` = the sum over the sources `j` linked to it of `W_j * (strength - ln(fan_j))`, where `W_j`
    /// is the source's activation (ACT-R shares 1 among the sources) and `fan_j` how many edges leave it, and one more.
    /// Each link counts: edges between the same nodes, of several relations, are as many terms and as much of the fan;
    /// and so does each source: what a repeated one passes on is added. Weights of edges play no part, nothing is
    /// linked to itself but by an edge, and what is below 0 stays so. Base levels are the caller's to add. The time
    /// that ACT-R's model takes to retrieve `i` is then `F * (-A_i).exp()` seconds.
    ///
    /// Source: Anderson, "How Can the Human Mind Occur in the Physical Universe?" (2007), and unit 5 of ACT-R's
    /// tutorial. Each result errs by at most (links + 2) times 2^-24 of the sum of its terms' magnitudes.
    ///
    /// ```
    /// use ecphory::{Edge, Graph, Seed};
    ///
    /// // A fact about a lawyer in a store; each is in no other fact.
    /// let graph = Graph::from_edges(3, [Edge::new(0, 2, 1.0), Edge::new(1, 2, 1.0)])?;
    /// let fact = graph.fan_activation(&[Seed::new(0, 0.5), Seed::new(1, 0.5)], 1.6)?;
    /// assert_eq!(fact.nodes, [2]);
    /// assert!((fact.activations[0] - 0.9069).abs() < 1e-4);
    /// assert!((0.63 * (-fact.activations[0]).exp() - 0.2544).abs() < 1e-4);
    /// # Ok::<(), ecphory::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Index`] and [`Error::Value`] for a source that is not a node or not a finite activation of 0 or more,
    /// and for a `strength` that is not finite and 0 or more; [`Error::OutOfMemory`] by the policy,
    /// of up to 28 bytes of scratch for each link of a source; [`Error::ThreadEnding`]; [`Error::UnknownTier`].
    pub fn fan_activation(&self, sources: &[Seed], fan: impl Into<Fan>) -> Result<Activation, Error> {
        let Fan { strength, overflow } = fan.into();
        Error::check_magnitude("fan strength", None, strength)?;
        self.check_seeds(sources)?;
        let graph = self.raw();
        let links = sources.iter().map(|source| self.edges_of(source.node).len()).sum::<usize>();
        let mut count = 0;
        // SAFETY: as ecp_fan_activation below, of which this asks for a part and writes nothing.
        let most = unsafe { ffi::ecp_fan_activation_most(&graph, sources.as_ptr().cast(), sources.len()) };
        let mut found = Reached::with_capacity(most)?;
        arena::with_scratch(overflow, |scratch| {
            // SAFETY: ecphory.h asks for
            // - a graph as it describes: `Graph` is one by construction and cannot be changed;
            // - sources[source_count], nodes below node_count and magnitudes: `check_seeds`; the layout: asserted
            //   above;
            // - a strength that is a magnitude: checked above;
            // - reached and activations [ecp_fan_activation_most]: the capacities of `found`;
            // - nothing written that overlaps anything else: all are locals.
            unsafe {
                let (start, (nodes, activations)) = (sources.as_ptr().cast(), found.pointers());
                let len = sources.len();
                ffi::ecp_fan_activation(&graph, start, len, strength, nodes, activations, &mut count, scratch)
            }
        })?;
        // SAFETY: the kernel has written the first `count` elements of each, at most `most`.
        unsafe { found.set_len(count) };
        Ok(Activation { nodes: found.nodes, activations: found.activations, edges: links as u64, stopped: None })
    }

    pub(crate) fn check_seeds(&self, seeds: &[Seed]) -> Result<(), Error> {
        let len = self.node_count();
        seeds.iter().enumerate().try_for_each(|(position, seed)| {
            if seed.node as usize >= len {
                return Err(Error::Index { what: "seed", position, len, found: seed.node as usize });
            }
            Error::check_magnitude("seed activation", Some(position), seed.activation)
        })
    }

    fn spread_need(&self, seeds: &[Seed], options: &ffi::ecp_spread_options) -> usize {
        // SAFETY: as ecp_spread below, of which this asks for a part and writes nothing.
        unsafe { ffi::ecp_spread_need(&self.raw(), seeds.as_ptr().cast(), seeds.len(), options) }
    }

    /// Where there is a deadline, in parts.
    fn run_spread(
        &self,
        seeds: &[Seed],
        options: &ffi::ecp_spread_options,
        spread: &Spread<'_>,
    ) -> Result<Activation, Error> {
        match spread.deadline {
            None => Ok(self.call_spread(seeds, options, None, spread.overflow)?.0),
            Some(deadline) => self.spread_until(deadline, seeds, options, spread.overflow),
        }
    }

    /// What was found, and what ended the call. Goes on from `past`, where it is given, and takes it further.
    pub(crate) fn call_spread(
        &self,
        seeds: &[Seed],
        options: &ffi::ecp_spread_options,
        mut past: Option<&mut Past>,
        overflow: OverflowPolicy,
    ) -> Result<(Activation, ffi::ecp_spread_result), Error> {
        let graph = self.raw();
        // SAFETY: as ecp_spread below, of which this asks for a part and writes nothing.
        let most = unsafe { ffi::ecp_spread_most(&graph, seeds.as_ptr().cast(), seeds.len(), options) };
        let mut found = Reached::with_capacity(most)?;
        let measured = options.fire == ffi::ECP_FIRE_BEST_FIRST;
        if let Some(past) = &mut past {
            past.hold(most, measured)?;
        }
        let mut result = ffi::ecp_spread_result::default();
        arena::with_scratch(overflow, |scratch| {
            let (mut fired, mut distances) = (std::ptr::null_mut(), std::ptr::null_mut());
            if let Some(past) = &mut past {
                fired = past.fired.as_mut_ptr();
                distances = if measured { past.distances.as_mut_ptr() } else { distances };
            }
            // SAFETY: ecphory.h asks for
            // - a graph as it describes: `Graph` is one by construction and cannot be changed;
            // - seeds[seed_count], nodes below node_count and magnitudes: `check_seeds`, or found by the call before;
            //   the layout: asserted above;
            // - options in their ranges, relation_factors NULL or [256]: `Spread::raw`, whose borrow the caller holds;
            // - fired NULL or [most / 32, rounded up], distances NULL or, with it and BEST_FIRST alone, [most]: `hold`;
            //   no node twice among the seeds then: they are what a call found;
            // - reached and activations [most]: the capacities of `found`;
            // - nothing written that overlaps anything else: all are locals, `past` a `&mut`.
            unsafe {
                let (start, len) = (seeds.as_ptr().cast(), seeds.len());
                let (nodes, active) = found.pointers();
                ffi::ecp_spread(&graph, start, len, options, fired, distances, nodes, active, &mut result, scratch)
            }
        })?;
        // SAFETY: the kernel has written the first `reached_count` elements of each, at most `most`.
        unsafe { found.set_len(result.reached_count) };
        let stopped = match result.stopped {
            ffi::ECP_STOPPED_NO | ffi::ECP_STOPPED_PAUSED => None,
            ffi::ECP_STOPPED_WORK => Some(Stopped::Work),
            _ => Some(Stopped::Budget),
        };
        let Reached { nodes, activations } = found;
        Ok((Activation { nodes, activations, edges: result.edges, stopped }, result))
    }
}

/// What a kernel writes, before it is known how much.
pub(crate) struct Reached {
    pub nodes: Vec<u32>,
    pub activations: Vec<f32>,
}

impl Reached {
    /// Capacity that is not reached is not touched either.
    pub fn with_capacity(nodes: usize) -> Result<Self, Error> {
        Ok(Self { nodes: spare(nodes)?, activations: spare(nodes)? })
    }

    pub fn pointers(&mut self) -> (*mut u32, *mut f32) {
        (self.nodes.as_mut_ptr(), self.activations.as_mut_ptr())
    }

    /// # Safety
    /// The first `count` elements of both have been written, at most as many as the capacity.
    pub unsafe fn set_len(&mut self, count: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            self.nodes.set_len(count);
            self.activations.set_len(count);
        }
        fit(&mut self.nodes);
        fit(&mut self.activations);
    }
}
