//! ACT-R's base level of memories: B = ln(sum of t^-d), t the age of each presentation of a memory.
//!
//! Of a memory with more presentations than are listed, the others lie between its oldest listed one, t_k, and its
//! first one, t_n, as if evenly: (n - k) (t_n^(1-d) - t_k^(1-d)) / ((1-d) (t_n - t_k)), after Petrov 2006. Where none
//! is listed this is n t_n^-d / (1-d), the optimised form of Anderson and Lebiere 1998.
//!
//! t^-d is in f32 in two parts, as decay.zig has powers, on tiers that multiply and add in one rounding, where t is
//! from 2^-126 to 2^126; in f64 otherwise. It is then within 0.67 + 0.0163 d ulp, no more than 8.3e-8 of it. All else
//! is f64: sums, in the order of presentations, and logarithms. B is within half an ulp and 8.3e-8 of what exact
//! arithmetic gives, and where no presentation is listed, within half an ulp and 1e-10.
//!
//! | presentations | B | | age | counts as |
//! |---|---|---|---|---|
//! | none | -inf | | below 0 | 0; counted |
//! | all infinitely old | -inf | | 0, with no least age | infinitely much |
//! | one of age NaN | NaN; counted | | below the least age | the least age |

const std = @import("std");
const decay = @import("decay.zig");
const simd = @import("simd.zig");
const twofold = @import("twofold.zig");
const F32s = simd.F32s;
const lanes = simd.lanes;
/// Two registers: what the one waits for, the other does.
const Wide = @Vector(lanes, f64);
const Ages = decay.Ages;
const Report = decay.Report;

pub const Law = struct {
    /// Above 0 and below 1.
    d: f32,
    /// Finite, 0 or more.
    least_age: f32,
};

/// Memories [n], and when they were presented.
pub const Memories = struct {
    /// [n + 1], never falling: where the presentations of each are in `ages`. Empty where none are listed.
    offsets: []const u32,
    ages: Ages,
    /// [n] presentations of each, with those that are not listed; empty where there are no such.
    counts: []const u32,
    /// [n], where there are counts: of the first presentation of each.
    lifetimes: Ages,
};

/// So many presentations are taken at a time, while they are in the nearest cache.
const block = 512;
/// Memories whose logarithms are taken at a time.
const group = lanes;

pub fn activate(law: Law, memories: *const Memories, activations: []f32) Report {
    return switch (memories.ages) {
        inline else => |_, kind| if (memories.counts.len > 0)
            Pass(kind, true).run(law, memories, activations)
        else
            Pass(kind, false).run(law, memories, activations),
    };
}

fn Pass(comptime kind: std.meta.Tag(Ages), comptime has_others: bool) type {
    return struct {
        const Terms = struct {
            /// The presentations that are here.
            from: usize,
            to: usize,
            powers: [block]f64,
            /// Seconds, where others lie behind the oldest.
            ages: [if (has_others) block else 0]f64,
        };

        fn run(law: Law, memories: *const Memories, activations: []f32) Report {
            var report: Report = .{};
            var terms: Terms = undefined;
            const listed = memories.offsets.len > 0;
            terms.to = if (listed) memories.offsets[0] else 0;
            const end = if (listed) memories.offsets[activations.len] else 0;
            var first: usize = 0;
            while (first < activations.len) : (first += group) {
                const count = @min(group, activations.len - first);
                var sums: [group]f64 = @splat(0);
                var oldest: [group]f64 = @splat(0);
                if (listed) for (sums[0..count], oldest[0..count], first..) |*sum, *old, memory| {
                    var at: usize = memories.offsets[memory];
                    const behind: usize = memories.offsets[memory + 1];
                    while (at < behind) {
                        if (at >= terms.to) fill(law, &memories.ages, end, &terms, &report);
                        const some = @min(behind, terms.to);
                        for (terms.powers[at - terms.from .. some - terms.from]) |power| sum.* += power;
                        if (has_others) for (terms.ages[at - terms.from .. some - terms.from]) |age| {
                            old.* = @max(old.*, age);
                        };
                        at = some;
                    }
                };
                if (has_others) addOthers(law, memories, first, count, &sums, &oldest, &report);
                const logarithms = lnEach(sums);
                @memcpy(activations[first..][0..count], logarithms[0..count]);
            }
            return report;
        }

        /// The next presentations.
        noinline fn fill(law: Law, ages: *const Ages, end: usize, terms: *Terms, report: *Report) void {
            terms.from = terms.to;
            terms.to = @min(terms.from + block, end);
            const count = terms.to - terms.from;
            const fast = simd.has_fma and decay.isNear(ages) and law.least_age <= largest;
            var at: usize = 0;
            while (true) : (at += lanes) {
                // No call is within this loop.
                if (fast) while (at + lanes <= count) : (at += lanes) {
                    const given = register(ages, terms.from + at);
                    if (!@reduce(.And, isUsual(given))) break;
                    const age, terms.powers[at..][0..lanes].* = inTwoParts(law, given);
                    if (has_others) terms.ages[at..][0..lanes].* = age;
                };
                if (at >= count) return;
                inWide(law, ages, fast, terms, at, report);
            }
        }

        /// Ages as they are given, or milliseconds since moments.
        const Given = @Vector(lanes, if (kind == .unix_milliseconds) u64 else f32);

        inline fn register(ages: *const Ages, at: usize) Given {
            return switch (kind) {
                .seconds => ages.seconds[at..][0..lanes].*,
                .uniform => @splat(ages.uniform),
                .unix_milliseconds => decay.difference(lanes, ages, at),
            };
        }

        /// Whether f32 in two parts has its power. None of them is 0.
        inline fn isUsual(given: Given) @Vector(lanes, bool) {
            if (kind == .unix_milliseconds) {
                return given -% @as(Given, @splat(1)) < @as(Given, @splat(decay.largest_elapsed - 1));
            }
            return decay.both(decay.atMost(@splat(smallest), given), decay.atMost(given, @splat(largest)));
        }

        /// Ages, no less than the least, and their powers: of a register of usual ones.
        inline fn inTwoParts(law: Law, given: Given) [2]Wide {
            const age, const log2 = if (kind == .unix_milliseconds) blk: {
                const all = simd.ofSmall(lanes, given) * @as(Wide, @splat(0.001));
                const age = decay.larger(all, @as(Wide, @splat(law.least_age)));
                const both: twofold.Twofold = .ofWide(age);
                break :blk .{ age, twofold.log2(both.high, both.low) };
            } else blk: {
                const age = decay.larger(given, @as(F32s, @splat(law.least_age)));
                break :blk .{ @as(Wide, age), twofold.log2(age, null) };
            };
            const d: F32s = @splat(-law.d);
            const powers = twofold.timesExp2(@splat(1), .of(.product(d, log2.high, log2.low)));
            return .{ age, @as(Wide, powers) };
        }

        /// A register of presentations, or as many as there are: those that are usual as in a register of such,
        /// whatever stands beside them.
        noinline fn inWide(law: Law, ages: *const Ages, fast: bool, terms: *Terms, at: usize, report: *Report) void {
            const count = @min(lanes, terms.to - terms.from - at);
            var wide: [lanes]f64 = @splat(1);
            seconds(kind, ages, terms.from + at, wide[0..count], report);
            var age = atLeast(wide, law.least_age);
            var powers = powerOf(age, law.d);
            if (fast) {
                const other: Given = @splat(if (kind == .unix_milliseconds) 1000 else 1);
                var some: [lanes]@typeInfo(Given).vector.child = other;
                for (some[0..count], terms.from + at..) |*given, i| given.* = switch (kind) {
                    .seconds => ages.seconds[i],
                    .uniform => ages.uniform,
                    .unix_milliseconds => decay.difference(1, ages, i)[0],
                };
                const usual = isUsual(some);
                const near = @select(@typeInfo(Given).vector.child, usual, some, other);
                const near_age, const near_powers = inTwoParts(law, near);
                age = @select(f64, usual, near_age, age);
                powers = @select(f64, usual, near_powers, powers);
            }
            terms.powers[at..][0..lanes].* = powers;
            if (has_others) terms.ages[at..][0..lanes].* = age;
        }

        /// What the presentations add that are not listed.
        noinline fn addOthers(
            law: Law,
            memories: *const Memories,
            first: usize,
            count: usize,
            sums: *[group]f64,
            oldest: *const [group]f64,
            report: *Report,
        ) void {
            var others: [group]f64 = @splat(0);
            var anew: [group]f64 = @splat(0);
            var lifetimes: [group]f64 = @splat(1);
            for (others[0..count], anew[0..count], first..) |*other, *is_anew, memory| {
                const listed = if (memories.offsets.len > 0)
                    memories.offsets[memory + 1] - memories.offsets[memory]
                else
                    0;
                other.* = @floatFromInt(memories.counts[memory] -| listed);
                is_anew.* = @floatFromInt(@intFromBool(listed == 0));
            }
            switch (memories.lifetimes) {
                inline else => |_, of| seconds(of, &memories.lifetimes, first, lifetimes[0..count], report),
            }
            const lifetime = atLeast(lifetimes, law.least_age);
            const from_now = powerOf(lifetime, law.d) / splat(1 - @as(f64, law.d));
            const none_listed = @as(Wide, anew) == splat(1);
            const mean = if (memories.offsets.len == 0)
                from_now
            else
                @select(f64, none_listed, from_now, meanBetween(oldest.*, lifetime, law.d));
            const rest: Wide = others;
            // Infinitely much of none is none.
            sums.* = @as(Wide, sums.*) + @select(f64, rest == splat(0), splat(0), rest * mean);
        }
    };
}

/// Of f32 in two parts: in seconds.
const smallest = 0x1p-126;
const largest = 0x1p126;

/// Ages from `at` on, in f64: none below 0.
inline fn seconds(
    comptime kind: std.meta.Tag(Ages),
    ages: *const Ages,
    at: usize,
    to: []f64,
    report: *Report,
) void {
    for (to, at..) |*second, i| {
        const given: f64 = switch (kind) {
            .seconds => ages.seconds[i],
            .unix_milliseconds => decay.elapsed(1, ages, i)[0] / 1000,
            .uniform => ages.uniform,
        };
        report.negative_ages += @intFromBool(given < 0);
        report.nan_ages += @intFromBool(given != given);
        second.* = if (given < 0) 0 else given;
    }
}

/// NaN stays that.
inline fn atLeast(age: Wide, least: f32) Wide {
    return @select(f64, age < splat(least), splat(least), age);
}

/// age^-d, infinite at 0, and NaN of NaN.
inline fn powerOf(age: Wide, d: f32) Wide {
    const usual = @min(@max(age, splat(0x1p-1000)), splat(0x1p1000));
    const power = simd.exp2(splat(-@as(f64, d)) * simd.log2(usual));
    const of_infinite = @select(f64, age == splat(infinite), splat(0), power);
    const of_zero = @select(f64, age == splat(0), splat(infinite), of_infinite);
    return @select(f64, age == age, of_zero, age);
}

/// The mean of t^-d for t from `old` to `lifetime`, or at `old` where that is not before it:
/// old^-d (e^x - 1)/x ln(1 + z)/z, z = lifetime / old - 1, x = (1 - d) ln(1 + z): no part of it loses digits where
/// the two are near each other.
inline fn meanBetween(old: Wide, lifetime: Wide, d: f32) Wide {
    const one: Wide = @splat(1);
    const z = @min(@max((lifetime - old) / old, splat(0)), splat(0x1p1000));
    const y = z + one;
    // What the sum lost of z is lost of its logarithm in the same share.
    const share = @select(f64, y == one, one, z / @select(f64, y == one, one, y - one));
    const ln = @select(f64, y == one, z, simd.log2(y) * splat(std.math.ln2) * share);
    const x = ln * splat(1 - @as(f64, d));
    var series = splat(1);
    inline for (0..12) |i| series = simd.mulAdd(Wide, series * x, splat(1.0 / @as(f64, 13 - i)), one);
    const whole = (simd.exp2(@min(x * splat(std.math.log2e), splat(1000))) - one) / x;
    const rise = @select(f64, x < splat(0.5), series, whole);
    const slope = @select(f64, z == splat(0), one, ln / z);
    const mean = powerOf(old, d) * rise * slope;
    const of_infinite = @select(f64, lifetime == splat(infinite), splat(0), mean);
    return @select(f64, lifetime == lifetime, of_infinite, lifetime);
}

/// Of sums that are normal, 0, infinite or NaN.
noinline fn lnEach(sums: [group]f64) [group]f32 {
    const sum: Wide = sums;
    const usual = @select(f64, sum > splat(0), @min(sum, splat(0x1p1000)), splat(1));
    const ln = simd.log2(usual) * splat(std.math.ln2);
    const of_infinite = @select(f64, sum == splat(infinite), splat(infinite), ln);
    const of_zero = @select(f64, sum == splat(0), splat(-infinite), of_infinite);
    const found: F32s = @floatCast(@select(f64, sum == sum, of_zero, sum));
    return found;
}

inline fn splat(x: f64) Wide {
    return @splat(x);
}

const infinite = std.math.inf(f64);

const testing = std.testing;

/// One memory, in f64: `others` lie between the oldest of `ages` and `lifetime`.
fn exact(ages: []const f64, others: f64, lifetime: f64, d: f64) f64 {
    var sum: f64 = 0;
    var old: f64 = 0;
    for (ages) |age| {
        sum += std.math.pow(f64, age, -d);
        old = @max(old, age);
    }
    if (others > 0) {
        const end = @max(old, lifetime);
        const near = end - old < 1e-4 * end;
        // The mean of t^-d, by its middle where digits would cancel.
        const mean = if (near)
            std.math.pow(f64, (end + old) / 2, -d)
        else
            (std.math.pow(f64, end, 1 - d) - std.math.pow(f64, old, 1 - d)) / ((1 - d) * (end - old));
        sum += others * mean;
    }
    return @log(sum);
}

/// Half an ulp, and `more`.
fn expectNear(wanted: f64, found: f32, more: f64) !void {
    if (std.math.isNan(wanted)) return testing.expect(std.math.isNan(found));
    if (std.math.isInf(wanted)) return testing.expectEqual(wanted, @as(f64, found));
    const ulp = std.math.ldexp(@as(f64, 1), std.math.frexp(wanted).exponent - 24);
    try testing.expectApproxEqAbs(wanted, @as(f64, found), ulp / 2 + more);
}

const bound = 8.3e-8;
const now: i64 = 1_700_000_000_123;
const long_ago = [_]f32{ 10, 50, 200, 1000, 5000, 20_000, 86_400, 2e5, 4e5, 6e5 };

test "published formulas give their values for ten presentations" {
    // By the formulas of Anderson and Lebiere 1998 and of Petrov 2006, in f64, d = 0.5.
    var found: [1]f32 = undefined;
    const law: Law = .{ .d = 0.5, .least_age = 0 };
    const none: Ages = .{ .seconds = &.{} };
    const every: Ages = .{ .seconds = &long_ago };
    const all: Memories = .{ .offsets = &.{ 0, 10 }, .ages = every, .counts = &.{}, .lifetimes = none };
    _ = activate(law, &all, &found);
    try expectNear(-0.5281310853, found[0], bound);
    const lifetime: Ages = .{ .seconds = &.{6e5} };
    const optimised: Memories = .{ .offsets = &.{}, .ages = none, .counts = &.{10}, .lifetimes = lifetime };
    _ = activate(law, &optimised, &found);
    try expectNear(-3.6566101935, found[0], 1e-10);
    const newest = [_]f64{ -1.0806608341, -0.7378973440, -0.6049354880, -0.5345127462, -0.5281310853 };
    for ([_]u32{ 1, 2, 3, 5, 10 }, newest) |k, wanted| {
        const ages: Ages = .{ .seconds = long_ago[0..k] };
        const some: Memories = .{ .offsets = &.{ 0, k }, .ages = ages, .counts = &.{10}, .lifetimes = lifetime };
        _ = activate(law, &some, &found);
        try expectNear(wanted, found[0], bound);
    }
}

/// Memories of every length, whose presentations meet the ends of blocks and of registers.
const Histories = struct {
    offsets: [memories + 1]u32,
    seconds: [presentations]f32,
    times: [presentations]i64,
    counts: [memories]u32,
    lifetimes: [memories]f32,
    first_times: [memories]i64,

    const memories = 61;
    const presentations = 3000;

    fn some(seed: u64) Histories {
        var random = std.Random.DefaultPrng.init(seed);
        const numbers = random.random();
        var histories: Histories = undefined;
        for (&histories.seconds, &histories.times) |*second, *time| {
            second.* = @floatCast(std.math.exp2(numbers.float(f64) * 40 - 8));
            time.* = now - @as(i64, @intFromFloat(std.math.exp2(numbers.float(f64) * 40)));
        }
        var at: u32 = 5;
        for (&histories.offsets, 0..) |*offset, i| {
            offset.* = at;
            const most: u32 = if (i % 20 == 7) 700 else 12;
            at = @min(at + if (i % 9 == 0) 0 else numbers.uintLessThan(u32, most), presentations);
        }
        for (0..memories) |i| {
            const listed = histories.offsets[i + 1] - histories.offsets[i];
            histories.counts[i] = listed + numbers.uintLessThan(u32, 5) * numbers.uintLessThan(u32, 1000);
            // Some before the oldest listed.
            histories.lifetimes[i] = @floatCast(std.math.exp2(numbers.float(f64) * 30 + 4));
            histories.first_times[i] = now - @as(i64, @intFromFloat(std.math.exp2(numbers.float(f64) * 22 + 20)));
        }
        return histories;
    }

    fn age(histories: *const Histories, kind: std.meta.Tag(Ages), i: usize) f64 {
        return switch (kind) {
            .seconds => histories.seconds[i],
            .unix_milliseconds => @as(f64, @floatFromInt(now - histories.times[i])) / 1000,
            .uniform => 77.5,
        };
    }

    fn of(histories: *const Histories, kind: std.meta.Tag(Ages), counts: bool) Memories {
        const stamps = histories.first_times[0..];
        return .{
            .offsets = &histories.offsets,
            .ages = switch (kind) {
                .seconds => .{ .seconds = &histories.seconds },
                .unix_milliseconds => .{ .unix_milliseconds = .{ .now = now, .times = &histories.times } },
                .uniform => .{ .uniform = 77.5 },
            },
            .counts = if (counts) &histories.counts else &.{},
            .lifetimes = if (kind == .unix_milliseconds)
                .{ .unix_milliseconds = .{ .now = now, .times = stamps } }
            else
                .{ .seconds = &histories.lifetimes },
        };
    }

    fn expectEach(histories: *const Histories, kind: std.meta.Tag(Ages), counts: bool, law: Law) !void {
        var found: [memories]f32 = undefined;
        const report = activate(law, &histories.of(kind, counts), &found);
        try testing.expectEqual(Report{}, report);
        for (found, 0..) |level, i| {
            var ages: [presentations]f64 = undefined;
            const from, const to = .{ histories.offsets[i], histories.offsets[i + 1] };
            for (from..to, ages[0 .. to - from]) |j, *age_of| age_of.* = @max(histories.age(kind, j), law.least_age);
            const lifetime = if (kind == .unix_milliseconds)
                @as(f64, @floatFromInt(now - histories.first_times[i])) / 1000
            else
                histories.lifetimes[i];
            const others: f64 = if (counts) @floatFromInt(histories.counts[i] - (to - from)) else 0;
            const wanted = exact(ages[0 .. to - from], others, @max(lifetime, law.least_age), law.d);
            try expectNear(wanted, level, bound);
        }
    }
};

test "every memory's base level is within its bound of the definition, whatever stands beside it" {
    for (0..8) |seed| {
        const histories: Histories = .some(seed);
        for (std.enums.values(std.meta.Tag(Ages))) |kind| for ([_]bool{ false, true }) |counts| {
            for ([_]f32{ 0.5, 0.01, 0.2, 0.99 }) |d| for ([_]f32{ 0, 50 }) |least| {
                try histories.expectEach(kind, counts, .{ .d = d, .least_age = least });
            };
        };
    }
}

test "ages at their ends give what the table says, in every place, and are counted" {
    const nan, const inf = .{ std.math.nan(f32), std.math.inf(f32) };
    const law: Law = .{ .d = 0.5, .least_age = 0 };
    const third = 1.0 / 3.0;
    const given = [_]f32{ -3, 0, nan, inf, 0x1p-149, 3e38, 0x1p-130 };
    const sums = [_]f64{ inf, inf, nan, third, third + 0x1p74 * @sqrt(2.0), third, 0x1p65 };
    for (given, sums) |age, sum| for (1..40) |len| for (0..len) |at| {
        var ages: [40]f32 = @splat(inf);
        ages[at] = age;
        ages[len] = 9;
        const offsets = [_]u32{ 0, @intCast(len + 1), @intCast(len + 1) };
        const memories: Memories = .{
            .offsets = &offsets,
            .ages = .{ .seconds = ages[0 .. len + 1] },
            .counts = &.{},
            .lifetimes = .{ .seconds = &.{} },
        };
        var found: [2]f32 = undefined;
        const report = activate(law, &memories, &found);
        try expectNear(@log(sum), found[0], bound);
        try testing.expectEqual(-inf, found[1]);
        const told: Report = .{ .negative_ages = @intFromBool(age < 0), .nan_ages = @intFromBool(age != age) };
        try testing.expectEqual(told, report);
        const held: Law = .{ .d = 0.5, .least_age = 4 };
        if (age < 4) {
            _ = activate(held, &memories, &found);
            try expectNear(@log(1.0 / 3.0 + 0.5), found[0], bound);
        }
    };
}

test "what is not listed has its limits: none, all of one age, for ever" {
    const inf = std.math.inf(f32);
    const law: Law = .{ .d = 0.5, .least_age = 0 };
    const lifetimes = [_]f32{ 100, 100, 50, inf, 0, 100, std.math.nan(f32), 100.00001 };
    const counts = [_]u32{ 1, 3, 3, 3, 3, 0, 3, 3 };
    const offsets = [_]u32{ 0, 1, 2, 3, 4, 4, 4, 5, 6 };
    const ages: [6]f32 = @splat(100);
    const memories: Memories = .{
        .offsets = &offsets,
        .ages = .{ .seconds = &ages },
        .counts = &counts,
        .lifetimes = .{ .seconds = &lifetimes },
    };
    var found: [8]f32 = undefined;
    const report = activate(law, &memories, &found);
    try testing.expectEqual(Report{ .nan_ages = 1 }, report);
    for ([_]f64{ 0.1, 0.3, 0.3, 0.1, inf, 0 }, found[0..6]) |sum, level| try expectNear(@log(sum), level, bound);
    try testing.expect(std.math.isNan(found[6]));
    try expectNear(@log(0.3), found[7], 1.2e-7);
}

test "moments at the ends of i64 do not wrap" {
    const times = [_]i64{ std.math.minInt(i64), std.math.maxInt(i64), 5 };
    const law: Law = .{ .d = 0.5, .least_age = 1 };
    for ([_]i64{ std.math.maxInt(i64), std.math.minInt(i64) }, [_]usize{ 0, 2 }) |moment, negative| {
        const memories: Memories = .{
            .offsets = &.{ 0, 1, 2, 3 },
            .ages = .{ .unix_milliseconds = .{ .now = moment, .times = &times } },
            .counts = &.{},
            .lifetimes = .{ .seconds = &.{} },
        };
        var found: [3]f32 = undefined;
        const report = activate(law, &memories, &found);
        try testing.expectEqual(Report{ .negative_ages = negative }, report);
        const old: f64 = @floatFromInt(moment -| times[2]);
        try expectNear(if (negative == 0) -0.5 * @log(old / 1000) else 0, found[2], bound);
        try testing.expectEqual(0, found[1]);
    }
}

test "a memory has the same bits alone and beside any others, of usual ages or not" {
    var ages: [90]f32 = undefined;
    for (&ages, 0..) |*age, i| age.* = switch (i % 13) {
        3 => 0,
        7 => 0x1p-140,
        10 => std.math.inf(f32),
        else => 0.9 + 0.1 * @as(f32, @floatFromInt(i)),
    };
    var offsets: [ages.len + 1]u32 = undefined;
    for (&offsets, 0..) |*offset, i| offset.* = @intCast(i);
    const law: Law = .{ .d = 0.5, .least_age = 0 };
    for (0..lanes + 1) |first| {
        const some = ages[first..];
        var found: [ages.len]f32 = undefined;
        _ = activate(law, &oneEach(&offsets, some), found[0..some.len]);
        for (some, found[0..some.len]) |*age, level| {
            var alone: [1]f32 = undefined;
            _ = activate(law, &oneEach(&offsets, age[0..1]), &alone);
            try testing.expectEqual(@as(u32, @bitCast(alone[0])), @as(u32, @bitCast(level)));
        }
    }
}

/// Memories of one presentation each.
fn oneEach(offsets: []const u32, ages: []const f32) Memories {
    return .{
        .offsets = offsets[0 .. ages.len + 1],
        .ages = .{ .seconds = ages },
        .counts = &.{},
        .lifetimes = .{ .seconds = &.{} },
    };
}

test "61 memories have the same bits on every tier that multiplies and adds in one rounding" {
    if (!simd.has_fma) return error.SkipZigTest;
    const histories: Histories = .some(3);
    const law: Law = .{ .d = 0.4, .least_age = 2 };
    // CRC-32 of the bits, by the kind of age, without counts and with them.
    const expected = [_][2]u32{
        .{ 0xF69859BE, 0x25C90E0C },
        .{ 0x1AC5F4EA, 0x01F815F2 },
        .{ 0x7C1C2C0B, 0x987FF0DB },
    };
    for (std.enums.values(std.meta.Tag(Ages)), expected) |kind, sums| for ([_]bool{ false, true }, sums) |counts, sum| {
        var found: [Histories.memories]f32 = undefined;
        _ = activate(law, &histories.of(kind, counts), &found);
        try testing.expectEqual(sum, std.hash.Crc32.hash(std.mem.asBytes(&found)));
    };
}
