//! Needs and the advice drawn from them, against counts of the needs themselves.

mod common;

use std::time::Duration;

use common::numbers;
use ecphory::planner::{self, Advice, Plan, Planner, Rate, Size};
use ecphory::{Kernel, NeedHistogram};
use proptest::prelude::*;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

fn histogram(needs: impl IntoIterator<Item = usize>) -> NeedHistogram {
    let mut histogram = NeedHistogram::new();
    needs.into_iter().for_each(|need| histogram.record(need));
    histogram
}

/// So many scopes of each need.
fn scopes(groups: &[(usize, u64)]) -> NeedHistogram {
    histogram(groups.iter().flat_map(|&(need, count)| (0..count).map(move |_| need)))
}

/// Needs of every magnitude.
fn need() -> impl Strategy<Value = usize> {
    (0u32..40, any::<usize>()).prop_map(|(bits, any)| any & ((1 << bits) - 1))
}

#[test]
fn kernels_have_names() {
    let names: Vec<_> = Kernel::ALL.iter().map(|kernel| kernel.name()).collect();
    assert_eq!(names, ["similarity", "spreading", "decay", "caller"]);
}

#[test]
fn every_power_of_two_from_64_bytes_to_4_gib_is_an_edge() {
    let histogram = NeedHistogram::new();
    let edges: Vec<_> = histogram.buckets().map(|(edge, _)| edge).collect();
    assert_eq!((edges.len(), edges[0], edges[368]), (369, 64, usize::MAX));
    assert!(edges.is_sorted_by(|a, b| a < b));
    for power in 6..=32 {
        assert!(edges.contains(&(1 << power)), "2^{power}");
    }
}

#[test]
fn an_empty_histogram_has_neither_largest_nor_quantiles() {
    let empty = NeedHistogram::default();
    assert!(empty.is_empty() && empty.count() == 0 && empty.above(0) == 0);
    assert_eq!((empty.largest(), empty.quantile(0.5)), (None, None));
    assert_eq!(format!("{empty:?}"), "{}");
}

#[test]
fn quantiles_of_no_share_are_none_and_those_at_the_ends_are_the_smallest_and_the_largest() {
    let needs = scopes(&[(64, 999), (MIB, 1)]);
    let shares = [0.0, 0.5, 0.999, 0.9991, 1.0].map(|share| needs.quantile(share));
    assert_eq!(shares, [64, 64, 64, MIB, MIB].map(Some));
    assert_eq!([-0.1, 1.1, f64::NAN].map(|share| needs.quantile(share)), [None; 3]);
    assert_eq!(format!("{needs:?}"), "{64: 999, 1048576: 1}");
}

#[test]
fn a_need_beyond_4_gib_fits_nothing() {
    let needs = scopes(&[(usize::MAX, 1), ((4 << 30) + 1, 1), (4 << 30, 1)]);
    assert_eq!((needs.above(4 << 30), needs.above(1 << 40)), (2, 2));
    assert_eq!(needs.largest(), Some(usize::MAX));
}

proptest! {
    #[test]
    fn needs_above_a_power_of_two_are_counted_exactly_and_above_others_never_too_low(
        needs in prop::collection::vec(need(), 0..300),
        other in need(),
    ) {
        let histogram = histogram(needs.iter().copied());
        let exact = |capacity| needs.iter().filter(|&&need| need > capacity).count() as u64;
        prop_assert_eq!(histogram.count(), needs.len() as u64);
        for power in 6..=32 {
            prop_assert_eq!(histogram.above(1 << power), exact(1 << power), "2^{}", power);
        }
        let straddling = histogram.buckets().find(|&(edge, _)| edge > other).map_or(0, |(_, count)| count);
        prop_assert!((exact(other)..=exact(other) + straddling).contains(&histogram.above(other)));
    }

    #[test]
    fn quantiles_are_the_sorted_need_rounded_up_within_a_bucket(
        mut needs in prop::collection::vec(need(), 1..300),
        share in 0.0f64..=1.0,
    ) {
        let histogram = histogram(needs.iter().copied());
        needs.sort_unstable();
        let exact = needs[((share * needs.len() as f64).ceil() as usize).max(1) - 1];
        let found = histogram.quantile(share).unwrap();
        prop_assert!(found >= exact, "expected at least {}, found {}", exact, found);
        let reach = if exact > 4 << 30 { usize::MAX } else { exact + (exact / 16).max(64) };
        prop_assert!(found <= reach, "expected at most {}, found {}", reach, found);
        prop_assert_eq!(histogram.largest(), histogram.quantile(1.0));
    }

    #[test]
    fn what_is_merged_is_recorded_together_and_since_takes_it_away_again(
        early in prop::collection::vec(need(), 0..100),
        late in prop::collection::vec(need(), 0..100),
    ) {
        let (before, window) = (histogram(early.iter().copied()), histogram(late.iter().copied()));
        let mut both = before.clone();
        both.merge(&window);
        prop_assert_eq!(&both, &histogram(early.into_iter().chain(late)));
        prop_assert_eq!(both.since(&before), window);
        prop_assert!(before.since(&both).is_empty());
    }

    #[test]
    fn no_figures_make_a_plan_that_is_not_finite_or_advice_out_of_range(
        needs in prop::collection::vec((need(), 0u64..2000), 0..8),
        capacity in need(),
        rewinds in any::<u64>(),
        seconds in any::<u64>(),
    ) {
        let needs = scopes(&needs);
        let plan = Planner::new(capacity).observe(&needs, rewinds, Duration::from_secs(seconds));
        let Size { rate, utilisation, .. } = plan.window;
        prop_assert!(utilisation.is_finite() && plan.peak_utilisation.is_finite());
        prop_assert!(0.0 <= rate.low && rate.low <= rate.share && rate.share <= rate.high && rate.high <= 1.0);
        match plan.latest {
            Advice::Grow { to } => {
                prop_assert!(to > capacity && to.is_power_of_two() && to >= planner::SMALLEST);
                prop_assert!(needs.above(to) * 1000 < needs.count());
                prop_assert!(to == planner::SMALLEST || needs.above(to / 2) * 1000 >= needs.count());
            }
            Advice::Shrink { to } => {
                prop_assert!(to < capacity && to.is_power_of_two() && to >= planner::SMALLEST);
                let size = Size::of(&needs, to);
                prop_assert!(size.rate.share < planner::ADVISED_BELOW && size.utilisation <= planner::AT_RISK_ABOVE);
            }
            _ => {}
        }
    }
}

#[test]
fn intervals_are_those_of_newcombe_1998_table_i() {
    for (hits, all, low, high) in
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
    {
        let rate = Rate::of(hits, all);
        assert_eq!(rate.share, hits as f64 / all as f64);
        assert!((rate.low - low).abs() < 5e-5 && (rate.high - high).abs() < 5e-5, "{hits}/{all}: {rate:?}");
    }
    let all = Rate::of(20, 20);
    assert!((all.low - 0.8389).abs() < 5e-5 && all.high == 1.0, "{all:?}");
    let none = Rate::of(0, 0);
    assert_eq!((none.share, none.low, none.high), (0.0, 0.0, 1.0));
}

#[test]
fn a_table_has_a_row_for_each_capacity() {
    let needs = scopes(&[(MIB, 9980), (MIB + 1, 15), (3 * MIB, 5)]);
    let rows = planner::table(&needs, [3 * MIB, MIB, 2 * MIB]);
    let figures: Vec<_> = rows.iter().map(|row| (row.capacity, row.scopes, row.overflows, row.utilisation)).collect();
    let held = (MIB + MIB / 16) as f64; // The bucket above 1 MiB, which holds the 9,990th.
    let share = |capacity: usize| held / capacity as f64;
    let expected = [(3 * MIB, 0), (MIB, 20), (2 * MIB, 5)];
    assert_eq!(figures, expected.map(|(capacity, overflows)| (capacity, 10_000, overflows, share(capacity))));
    assert_eq!((rows[1].rate.share, Size::of(&needs, 0).utilisation), (0.002, held));
}

#[test]
fn more_than_1_percent_of_overflows_and_not_1_percent_is_a_reason_to_grow() {
    let of_300 = |overflows| Advice::on(&scopes(&[(600 * KIB, 300 - overflows), (3 * MIB, overflows)]), MIB);
    assert_eq!(of_300(4), Advice::Grow { to: 4 * MIB });
    assert_eq!(of_300(3), Advice::InsufficientData { found: 300, needed: 3000 });
    let of_3000 = |overflows| Advice::on(&scopes(&[(600 * KIB, 3000 - overflows), (3 * MIB, overflows)]), MIB);
    assert_eq!(of_3000(31), Advice::Grow { to: 4 * MIB });
    assert_eq!(of_3000(30), Advice::AtRisk);
}

#[test]
fn growth_takes_300_scopes_and_everything_else_3000() {
    assert_eq!(Advice::on(&NeedHistogram::new(), MIB), Advice::InsufficientData { found: 0, needed: 300 });
    assert_eq!(Advice::on(&scopes(&[(2 * MIB, 299)]), MIB), Advice::InsufficientData { found: 299, needed: 300 });
    assert_eq!(Advice::on(&scopes(&[(2 * MIB, 300)]), MIB), Advice::Grow { to: 2 * MIB });
    let small = |count| Advice::on(&scopes(&[(64, count)]), MIB);
    assert_eq!(small(2999), Advice::InsufficientData { found: 2999, needed: 3000 });
    assert_eq!(small(3000), Advice::Shrink { to: 64 * KIB });
}

#[test]
fn a_size_to_grow_to_lets_less_than_one_in_a_thousand_overflow() {
    let advice = |largest| Advice::on(&scopes(&[(2 * MIB, 10_000 - largest), (5 * MIB, largest)]), MIB);
    assert_eq!(advice(9), Advice::Grow { to: 2 * MIB });
    assert_eq!(advice(10), Advice::Grow { to: 8 * MIB });
    assert_eq!(Advice::on(&scopes(&[(4 << 30, 300)]), MIB), Advice::Grow { to: planner::LARGEST });
    assert_eq!(Advice::on(&scopes(&[(100, 300)]), 64), Advice::Grow { to: planner::SMALLEST });
}

#[test]
fn needs_beyond_4_gib_fit_no_size() {
    let beyond = (4 << 30) + 1;
    assert_eq!(Advice::on(&scopes(&[(64, 980), (beyond, 20)]), MIB), Advice::NoSizeFits);
    assert_eq!(Advice::on(&scopes(&[(beyond, 300)]), 1 << 40), Advice::NoSizeFits);
    // Few enough of them count for nothing, but the arena then overflows for others.
    assert_eq!(Advice::on(&scopes(&[(2 * MIB, 9991), (beyond, 9)]), MIB), Advice::Grow { to: 2 * MIB });
}

#[test]
fn utilisation_at_each_threshold_belongs_where_the_table_says() {
    // A capacity of ten steps of 64 KiB, so that 30 %, 50 % and 80 % are edges of buckets.
    let advice = |need| Advice::on(&scopes(&[(need, 3000)]), 640 * KIB);
    let (three, five, eight) = (192 * KIB, 320 * KIB, 512 * KIB);
    assert_eq!(advice(three - 1024 * 8), Advice::Shrink { to: 256 * KIB });
    assert_eq!([three, five - 1024 * 16].map(advice), [Advice::OverProvisioned; 2]);
    assert_eq!([five, eight].map(advice), [Advice::WellSized; 2]);
    assert_eq!([eight + 1, 640 * KIB].map(advice), [Advice::AtRisk; 2]);
}

#[test]
fn utilisation_is_that_of_all_but_one_scope_in_a_thousand() {
    let advice = |large| Advice::on(&scopes(&[(100 * KIB, 10_000 - large), (900 * KIB, large)]), MIB);
    assert_eq!(advice(9), Advice::Shrink { to: 128 * KIB }, "outliers do not count");
    assert_eq!(advice(11), Advice::AtRisk);
}

#[test]
fn what_shrinks_keeps_a_fifth_free_and_stays_at_64_kib() {
    let advice = |need, capacity| Advice::on(&scopes(&[(need, 3000)]), capacity);
    // 104 KiB of 128 KiB are 81 %.
    assert_eq!(advice(100 * KIB, MIB), Advice::Shrink { to: 128 * KIB });
    assert_eq!(advice(104 * KIB, MIB), Advice::Shrink { to: 256 * KIB });
    assert_eq!(advice(64, 64 * KIB + 64), Advice::Shrink { to: 64 * KIB });
    assert_eq!([64 * KIB, 640].map(|capacity| advice(64, capacity)), [Advice::OverProvisioned; 2]);
    // One in a thousand overflows all smaller sizes: not below the rate that is advised.
    assert_eq!(Advice::on(&scopes(&[(64, 2997), (MIB, 3)]), MIB), Advice::OverProvisioned);
}

/// A service that observes once a minute.
struct Service {
    planner: Planner,
    needs: NeedHistogram,
    rewinds: u64,
    elapsed: Duration,
}

impl Service {
    fn new(capacity: usize) -> Self {
        let (needs, elapsed) = (NeedHistogram::new(), Duration::ZERO);
        Self { planner: Planner::new(capacity), needs, rewinds: 0, elapsed }
    }

    fn window(&mut self, groups: &[(usize, u64)], rewinds: u64, window: Duration) -> Plan {
        self.needs.merge(&scopes(groups));
        self.rewinds += rewinds;
        self.elapsed += window;
        self.planner.observe(&self.needs, self.rewinds, self.elapsed)
    }

    fn minute(&mut self, groups: &[(usize, u64)]) -> Option<Advice> {
        self.window(groups, 4000, Duration::from_secs(60)).advice
    }
}

#[test]
fn advice_changes_when_two_windows_running_agree() {
    let mut service = Service::new(MIB);
    let (well, risk) = ([(600 * KIB, 4000)], [(900 * KIB, 4000)]);
    assert_eq!(service.minute(&well), None);
    assert_eq!(service.minute(&risk), None);
    assert_eq!(service.minute(&well), None);
    assert_eq!(service.minute(&well), Some(Advice::WellSized));
    for _ in 0..3 {
        assert_eq!(service.minute(&risk), Some(Advice::WellSized), "one odd window");
        assert_eq!(service.minute(&well), Some(Advice::WellSized));
    }
    service.minute(&risk);
    assert_eq!(service.minute(&risk), Some(Advice::AtRisk));
}

#[test]
fn windows_that_agree_on_growth_alone_are_given_the_larger_size() {
    let mut service = Service::new(MIB);
    service.minute(&[(3 * MIB, 4000)]);
    assert_eq!(service.minute(&[(2 * MIB, 4000)]), Some(Advice::Grow { to: 4 * MIB }));
    assert_eq!(service.minute(&[(2 * MIB, 4000)]), Some(Advice::Grow { to: 2 * MIB }));
    service.minute(&[(200 * KIB, 4000)]);
    assert_eq!(service.minute(&[(64, 4000)]), Some(Advice::Shrink { to: 256 * KIB }));
    assert_eq!(service.minute(&[(64, 4000)]), Some(Advice::Shrink { to: 64 * KIB }));
}

#[test]
fn windows_of_too_few_scopes_are_passed_over() {
    let mut service = Service::new(MIB);
    service.minute(&[(2 * MIB, 300)]);
    let quiet = service.window(&[(64, 10)], 10, Duration::from_secs(60));
    assert_eq!((quiet.advice, quiet.latest), (None, Advice::InsufficientData { found: 10, needed: 300 }));
    assert_eq!(service.minute(&[(2 * MIB, 300)]), Some(Advice::Grow { to: 2 * MIB }));
    assert_eq!([(); 3].map(|()| service.minute(&[])), [Some(Advice::Grow { to: 2 * MIB }); 3]);
}

#[test]
fn a_window_has_its_own_figures_and_the_peak_is_of_all() {
    let mut service = Service::new(MIB);
    let minute = Duration::from_secs(60);
    let first = service.window(&[(64, 100), (3 * MIB, 1)], 1000, minute);
    assert_eq!((first.window.scopes, first.window.overflows, first.peak_utilisation), (101, 1, 3.0));
    let second = service.window(&[(512 * KIB, 50)], 1000, minute);
    assert_eq!((second.window.scopes, second.window.overflows, second.window.utilisation), (50, 0, 0.5));
    assert_eq!(second.peak_utilisation, 3.0, "a peak never falls");
    let none = Planner::new(MIB).observe(&NeedHistogram::new(), 0, Duration::ZERO);
    assert_eq!((none.window.scopes, none.window.utilisation, none.peak_utilisation), (0, 0.0, 0.0));
}

#[test]
fn fewer_rewinds_than_seconds_in_two_minutes_running_are_a_reason_to_review() {
    let reviewed = |windows: [(u64, u64); 2], scopes: u64| {
        let mut service = Service::new(MIB);
        windows.map(|(rewinds, seconds)| service.window(&[(64, scopes)], rewinds, Duration::from_secs(seconds)).review)
    };
    assert_eq!(reviewed([(59, 60), (59, 60)], 1), [false, true]);
    assert_eq!(reviewed([(0, 600), (0, 600)], 1), [false, true]);
    assert_eq!(reviewed([(60, 60), (59, 60)], 1), [false, false], "one per second is not fewer");
    assert_eq!(reviewed([(59, 60), (60, 60)], 1), [false, false]);
    assert_eq!(reviewed([(1, 59), (1, 59)], 1), [false, false], "shorter than a minute");
    assert_eq!(reviewed([(0, 60), (0, 60)], 0), [false, false], "no scope at all");
    let mut service = Service::new(MIB);
    for expected in [false, true, true] {
        assert_eq!(service.window(&[(64, 1)], 61, Duration::from_secs_f64(61.5)).review, expected);
    }
}

#[test]
fn figures_that_fall_count_as_none() {
    let mut planner = Planner::new(MIB);
    planner.observe(&scopes(&[(600 * KIB, 4000)]), 4000, Duration::from_secs(600));
    let plan = planner.observe(&scopes(&[(600 * KIB, 10)]), 10, Duration::from_secs(6));
    assert_eq!((plan.window.scopes, plan.review), (0, false));
    assert_eq!(plan.latest, Advice::InsufficientData { found: 0, needed: 300 });
}

/// Candidates of a cue: a Weibull distribution of shape 0.858 and scale 71.1, one at least.
fn candidates(draws: usize) -> impl Iterator<Item = usize> {
    let weibull = |unit: f64| 71.1 * (-(1.0 - unit).ln()).powf(1.0 / 0.858);
    numbers(7, draws).into_iter().map(move |x| weibull(f64::midpoint(f64::from(x), 1.0)).round().max(1.0) as usize)
}

#[test]
fn gathers_of_weibull_many_candidates_overflow_at_the_rates_of_their_distribution() {
    let (row, draws) = (4 * 768, 400_000);
    let needs: Vec<_> = candidates(draws).map(|count| row + row * count).collect();
    let histogram = histogram(needs.iter().copied());
    let sizes = planner::table(&histogram, [512 * KIB, MIB, 2 * MIB, 4 * MIB]);
    for (size, percent) in sizes.iter().zip([12.3, 2.1, 0.1, 0.0]) {
        let found = size.rate.share * 100.0;
        assert!((found - percent).abs() <= 0.25, "{}: expected {percent} %, found {found} %", size.capacity);
        assert_eq!(size.overflows, needs.iter().filter(|&&need| need > size.capacity).count() as u64);
        assert!(size.rate.low <= size.rate.share && size.rate.share <= size.rate.high);
    }
    let advice = [512 * KIB, MIB, 2 * MIB, 8 * MIB].map(|capacity| Advice::on(&histogram, capacity));
    let grow = Advice::Grow { to: 2 * MIB };
    assert_eq!(advice, [grow, grow, Advice::AtRisk, Advice::Shrink { to: 4 * MIB }]);
}
