//! How large arenas should be, read from what scopes needed.
//!
//! An arena that is too small refuses or borrows; one that is too large may keep memory that nothing uses. A
//! [`NeedHistogram`], such as [`ArenaReport::needs`](crate::ArenaReport::needs), says which: [`table`] gives the
//! figures for sizes of your choice, [`Advice::on`] what to do about one capacity, and a [`Planner`] the same at run
//! time, window by window. Capacities count per thread.
//!
//! Utilisation is the need that 99.9 % of a window's scopes stay within, as a share of the capacity. The high-water
//! mark would be simpler, but it never falls: one outlier in the life of a process, and no arena could be called too
//! large again. A plan gives that figure too, as [`Plan::peak_utilisation`].
//!
//! | in the window | scopes it takes | advice |
//! |---|---|---|
//! | overflow rate above 1 % | 300 | [`Advice::Grow`], [`Advice::NoSizeFits`] |
//! | utilisation below 30 % | 3,000 | [`Advice::Shrink`], where a smaller size will do |
//! | 30 % to below 50 % | 3,000 | [`Advice::OverProvisioned`] |
//! | 50 % to 80 %, both included | 3,000 | [`Advice::WellSized`] |
//! | above 80 % | 3,000 | [`Advice::AtRisk`] |
//! | too few scopes | | [`Advice::InsufficientData`] |
//!
//! Nothing here looks at a clock or at the arenas: the same figures give the same advice.

use std::time::Duration;

use crate::NeedHistogram;

/// Above this overflow rate an arena should grow.
pub const GROW_ABOVE: f64 = 0.01;

/// Sizes are advised whose predicted overflow rate is below this.
pub const ADVISED_BELOW: f64 = 0.001;

/// Below this utilisation an arena should shrink.
pub const SHRINK_BELOW: f64 = 0.3;

/// From this utilisation on an arena is well sized.
pub const WELL_SIZED_FROM: f64 = 0.5;

/// Above this utilisation an arena is at risk.
pub const AT_RISK_ABOVE: f64 = 0.8;

/// Scopes that it takes to see a rate of 1 %, three times its inverse: where none of so many overflows, the rate is
/// below it with 95 % confidence (the rule of three; Hanley and Lippman-Hand 1983).
pub const SCOPES_TO_GROW: u64 = 300;

/// Scopes that it takes to see a rate of 0.1 %, by the same rule.
pub const SCOPES_TO_SIZE: u64 = 3000;

/// No smaller arena is advised: there is little left to save.
pub const SMALLEST: usize = 64 << 10;

/// No larger arena is advised: 4 GiB, beyond which a histogram does not tell needs apart, or half of the addresses
/// where they have 32 bits.
pub const LARGEST: usize = 1 << if usize::BITS > 32 { 32 } else { 31 };

/// A window shorter than this does not say that rewinds are rare.
pub const REVIEW_WINDOW: Duration = Duration::from_secs(60);

/// A rate that was counted, and what it may be in truth.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Rate {
    /// The share counted, 0 to 1; 0 where nothing was.
    pub share: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
}

impl Rate {
    /// `hits` of `all`, with the score interval (Wilson 1927): it stays within 0 and 1 and holds for rates near them,
    /// where overflow rates lie. More hits than all count as all. Without any at all, the truth may be anything.
    #[must_use]
    pub fn of(hits: u64, all: u64) -> Self {
        let hits = hits.min(all);
        if all == 0 {
            return Self { share: 0.0, low: 0.0, high: 1.0 };
        }
        // Of the normal distribution, 95 % lie within so many standard deviations.
        let z = 1.959_963_984_540_054_f64;
        let (n, share) = (all as f64, hits as f64 / all as f64);
        let scale = 1.0 + z * z / n;
        let middle = (share + z * z / (2.0 * n)) / scale;
        let reach = z / scale * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
        Self {
            share,
            low: if hits == 0 { 0.0 } else { (middle - reach).max(0.0) },
            high: if hits == all { 1.0 } else { (middle + reach).min(1.0) },
        }
    }
}

/// What arenas of one size would have done with the scopes of a histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Size {
    /// Bytes of each arena.
    pub capacity: usize,
    /// Scopes in the histogram.
    pub scopes: u64,
    /// Scopes that need more. Exact where the capacity is a power of two up to 4 GiB, otherwise never below the truth:
    /// [`NeedHistogram::above`].
    pub overflows: u64,
    /// Overflows as a share of scopes.
    pub rate: Rate,
    /// The need that 99.9 % of scopes do not exceed, rounded up as [`NeedHistogram::quantile`] does, as a share of the
    /// capacity; above 1 where it does not fit, 0 where there is no scope. A capacity of 0 counts as one byte.
    pub utilisation: f64,
}

impl Size {
    /// The figures for arenas of `capacity` bytes.
    #[must_use]
    pub fn of(needs: &NeedHistogram, capacity: usize) -> Self {
        let (scopes, overflows) = (needs.count(), needs.above(capacity));
        let rate = Rate::of(overflows, scopes);
        Self { capacity, scopes, overflows, rate, utilisation: share(needs.quantile(0.999), capacity) }
    }
}

fn share(need: Option<usize>, capacity: usize) -> f64 {
    need.unwrap_or(0) as f64 / capacity.max(1) as f64
}

/// [`Size::of`] each of `capacities`, in their order.
///
/// ```
/// use ecphory::{NeedHistogram, planner};
///
/// let mut needs = NeedHistogram::new();
/// for rows in 0..1000 {
///     needs.record(3072 * (1 + rows));
/// }
/// let sizes = planner::table(&needs, [1 << 20, 2 << 20, 4 << 20]);
/// assert_eq!(sizes.iter().map(|size| size.overflows).collect::<Vec<_>>(), [659, 318, 0]);
/// ```
pub fn table(needs: &NeedHistogram, capacities: impl IntoIterator<Item = usize>) -> Vec<Size> {
    capacities.into_iter().map(|capacity| Size::of(needs, capacity)).collect()
}

/// What to do about the capacity of arenas: the module's table says when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(tag = "kind", rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Advice {
    /// Too few scopes to tell.
    InsufficientData {
        /// Scopes there were.
        found: u64,
        /// Scopes that it takes for the next thing to be told.
        needed: u64,
    },
    /// Too many scopes overflow.
    Grow {
        /// The smallest power of two, from [`SMALLEST`] to [`LARGEST`], whose predicted overflow rate is below
        /// [`ADVISED_BELOW`]. It may be at risk when it comes to be judged itself, and where there were fewer than
        /// [`SCOPES_TO_SIZE`] scopes it is the best guess.
        to: usize,
    },
    /// Too many scopes overflow, and no size up to [`LARGEST`] brings the predicted rate below [`ADVISED_BELOW`]: the
    /// work should be split.
    NoSizeFits,
    /// Most of the arena is never used.
    Shrink {
        /// The smallest power of two, from [`SMALLEST`], whose predicted overflow rate is below [`ADVISED_BELOW`] and
        /// whose utilisation is at most [`AT_RISK_ABOVE`].
        to: usize,
    },
    /// Larger than needed, and not by so much that a change would pay; or by more, but no smaller size will do.
    OverProvisioned,
    /// Neither too large nor too small.
    WellSized,
    /// A little more need, and scopes overflow.
    AtRisk,
}

impl Advice {
    /// What `needs` say about arenas of `capacity` bytes.
    ///
    /// ```
    /// use ecphory::{NeedHistogram, planner::Advice};
    ///
    /// let mut needs = NeedHistogram::new();
    /// for scope in 0..3000 {
    ///     needs.record(if scope % 50 == 0 { 3 << 20 } else { 1 << 20 });
    /// }
    /// assert_eq!(Advice::on(&needs, 2 << 20), Advice::Grow { to: 4 << 20 });
    /// assert_eq!(Advice::on(&needs, 4 << 20), Advice::WellSized);
    /// ```
    #[must_use]
    pub fn on(needs: &NeedHistogram, capacity: usize) -> Self {
        let now = Size::of(needs, capacity);
        let too_few = |needed| Self::InsufficientData { found: now.scopes, needed };
        let smallest = |fits: fn(&Size) -> bool| sizes().find(|&capacity| fits(&Size::of(needs, capacity)));
        if now.scopes < SCOPES_TO_GROW {
            return too_few(SCOPES_TO_GROW);
        }
        if now.rate.share > GROW_ABOVE {
            let to = smallest(|size| size.rate.share < ADVISED_BELOW);
            return to.map_or(Self::NoSizeFits, |to| Self::Grow { to });
        }
        if now.scopes < SCOPES_TO_SIZE {
            return too_few(SCOPES_TO_SIZE);
        }
        if now.utilisation > AT_RISK_ABOVE {
            Self::AtRisk
        } else if now.utilisation >= WELL_SIZED_FROM {
            Self::WellSized
        } else if now.utilisation >= SHRINK_BELOW {
            Self::OverProvisioned
        } else {
            let to = smallest(|size| size.rate.share < ADVISED_BELOW && size.utilisation <= AT_RISK_ABOVE);
            to.filter(|&to| to < capacity).map_or(Self::OverProvisioned, |to| Self::Shrink { to })
        }
    }

    /// What two windows say together, none where they do not agree: of two sizes the larger.
    fn agreed(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Grow { to: a }, Self::Grow { to: b }) => Some(Self::Grow { to: a.max(b) }),
            (Self::Shrink { to: a }, Self::Shrink { to: b }) => Some(Self::Shrink { to: a.max(b) }),
            _ => (self == other).then_some(self),
        }
    }
}

/// The sizes that are advised.
fn sizes() -> impl Iterator<Item = usize> {
    (SMALLEST.ilog2()..=LARGEST.ilog2()).map(|power| 1 << power)
}

/// What a [`Planner`] makes of a window and those before it.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Plan {
    /// What to do: the last that two windows running agreed on, where windows of too few scopes are passed over. None
    /// until two have agreed, and never [`Advice::InsufficientData`].
    pub advice: Option<Advice>,
    /// What this window alone says.
    pub latest: Advice,
    /// Whether this window and the one before, each [`REVIEW_WINDOW`] or longer and with a scope at least, saw fewer
    /// than one rewind per second: an arena may not be what fits, for each thread keeps one that it rarely uses.
    pub review: bool,
    /// This window's figures for the present capacity.
    pub window: Size,
    /// The largest need of all windows, as a share of the capacity: what a high-water mark shows, but above 1 where
    /// scopes overflowed. It never falls, so no advice rests on it.
    pub peak_utilisation: f64,
}

/// Advice at run time, from figures that are read now and then.
///
/// One window reaches from an observation to the next, the first from the beginning. Advice changes when two windows
/// running agree, so that an odd hour changes nothing. A window of fewer than [`SCOPES_TO_SIZE`] scopes may say
/// nothing: observe every few minutes, not every second. A capacity is installed before the first arena, so advice is
/// for the next start of the process.
///
/// ```
/// use std::time::Instant;
/// use ecphory::planner::{Advice, Planner};
/// use ecphory::{ArenaConfig, ArenaReport};
///
/// let (start, mut planner) = (Instant::now(), Planner::new(ArenaConfig::current().capacity_bytes()));
/// // And every few minutes:
/// let report = ArenaReport::now();
/// let plan = planner.observe(&report.needs(), report.total.rewind_count, start.elapsed());
/// if let Some(Advice::Grow { to }) = plan.advice {
///     println!("{} scopes overflowed: start with arenas of {to} bytes", plan.window.overflows);
/// }
/// assert_eq!(plan.latest, Advice::InsufficientData { found: 0, needed: 300 });
/// ```
#[derive(Debug, Clone)]
pub struct Planner {
    capacity: usize,
    /// All that the last observation gave.
    needs: NeedHistogram,
    rewinds: u64,
    elapsed: Duration,
    /// Whether its window saw few rewinds.
    rare: bool,
    /// What the last window said that had scopes enough.
    latest: Option<Advice>,
    advice: Option<Advice>,
}

impl Planner {
    /// For arenas of `capacity_bytes` each; any number.
    #[must_use]
    pub fn new(capacity_bytes: usize) -> Self {
        Self {
            capacity: capacity_bytes,
            needs: NeedHistogram::new(),
            rewinds: 0,
            elapsed: Duration::ZERO,
            rare: false,
            latest: None,
            advice: None,
        }
    }

    /// Ends a window. `needs`, `rewinds` and `elapsed` are all there have been since the beginning, usually that of the
    /// process; what has fallen since the last observation counts as 0 in the window.
    pub fn observe(&mut self, needs: &NeedHistogram, rewinds: u64, elapsed: Duration) -> Plan {
        let window = needs.since(&self.needs);
        let rewound = rewinds.saturating_sub(self.rewinds);
        let rare = !window.is_empty() && is_rare(rewound, elapsed.saturating_sub(self.elapsed));
        let review = rare && self.rare;
        self.needs.clone_from(needs);
        (self.rewinds, self.elapsed, self.rare) = (rewinds, elapsed, rare);

        let latest = Advice::on(&window, self.capacity);
        if !matches!(latest, Advice::InsufficientData { .. }) {
            self.advice = self.latest.and_then(|before| before.agreed(latest)).or(self.advice);
            self.latest = Some(latest);
        }
        Plan {
            advice: self.advice,
            latest,
            review,
            window: Size::of(&window, self.capacity),
            peak_utilisation: share(needs.largest(), self.capacity),
        }
    }
}

/// Fewer than one per second, over long enough to say so.
fn is_rare(rewinds: u64, window: Duration) -> bool {
    window >= REVIEW_WINDOW && Duration::from_secs(rewinds) < window
}
