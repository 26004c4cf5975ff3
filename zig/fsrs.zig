//! FSRS-6, the scheduler's model of memory: what is left of memories, and what a review makes of them.
//!
//! Retrievability R(t, S) = (1 + F t / S)^-w20 with F = 0.9^(-1/w20) - 1, so that R(S, S) = 0.9; times in days.
//! Parameters w are those of FSRS-6; G is the grade: 1 again, 2 hard, 3 good, 4 easy. A review after t days makes
//!
//!     of S     recalled     S (1 + e^w8 (11 - D) S^-w9 (e^(w10 (1 - R)) - 1) h), h = w15 if hard, w16 if easy
//!              forgotten    min(w11 D^-w12 ((S + 1)^w13 - 1) e^(w14 (1 - R)), S / e^(w17 w18))
//!              t below 1    S max(e^(w17 (G - 3 + w18)) S^-w19, 1 unless forgotten)
//!              the first    w(G - 1)
//!     of D     by any       w7 D0(4) + (1 - w7) (D - w6 (G - 3) (10 - D) / 9)
//!              the first    D0(G) = w4 - e^(w5 (G - 1)) + 1
//!
//! with S held to 0.001..36500 and D to 1..10, before and after. All of it is in f64 between the f32 loaded and the f32
//! stored: S and D are within 0.51 ulp for the parameters that `Fsrs` lets pass. Retrievability is in f32 in two parts
//! where twofold.zig's bounds hold, on tiers that multiply and add in one rounding, within 0.69 ulp, and in f64
//! otherwise. No scratch.
//!
//! | memory | retrievability | reviewed |
//! |---|---|---|
//! | stability 0: never reviewed | 0 | S and D of a first review, whatever D and t |
//! | grade 0, or above 4 | | as it was |
//! | t below 0 | 1 | as t = 0 |
//! | t infinite | 0 | as R = 0 |
//! | one of its numbers NaN | NaN | S and D NaN |

const std = @import("std");
const decay = @import("decay.zig");
const laws = @import("laws.zig");
const simd = @import("simd.zig");
const twofold = @import("twofold.zig");
const Twofold = twofold.Twofold;
const F32s = simd.F32s;
const F64s = simd.F64s;
const splat = simd.splat;
const lanes = simd.lanes;
const wide_lanes = simd.wide_lanes;
const Narrow = @Vector(wide_lanes, f32);
const Mask = @Vector(wide_lanes, bool);

pub const parameter_count = 21;
pub const Parameters = [parameter_count]f64;

/// Arrays [n].
pub const Memories = struct {
    stabilities: []f32,
    difficulties: []f32,
    elapsed_days: []const f32,
    grades: []const u8,
};

const least_stability = 0.001;
const most_stability = 36_500;
const least_difficulty = 1;
const most_difficulty = 10;
/// Days that are as good as infinite.
const most_days = 0x1p900;

/// What the parameters give once.
const Known = struct {
    w: Parameters,
    factor: f64,
    /// e^w8, by grade.
    gain: [5]f64,
    /// S / e^(w17 w18).
    spared: f64,
    /// Of D0(4), so much of it.
    reversion: f64,
    first_stabilities: [5]f32,
    first_difficulties: [5]f32,

    fn of(w: *const Parameters) Known {
        var known: Known = .{
            .w = w.*,
            .factor = factorOf(w),
            .gain = @splat(exp(w[8])),
            .spared = exp(-w[17] * w[18]),
            .reversion = w[7] * (w[4] - exp(w[5] * 3) + 1),
            .first_stabilities = undefined,
            .first_difficulties = undefined,
        };
        known.gain[2] *= w[15];
        known.gain[4] *= w[16];
        for (1..5) |grade| {
            const steps: f64 = @floatFromInt(grade - 1);
            known.first_stabilities[grade] = @floatCast(clampOne(w[grade - 1], least_stability, most_stability));
            const difficulty = w[4] - exp(w[5] * steps) + 1;
            known.first_difficulties[grade] = @floatCast(clampOne(difficulty, least_difficulty, most_difficulty));
        }
        return known;
    }
};

fn clampOne(x: f64, least: f64, most: f64) f64 {
    return @min(@max(x, least), most);
}

fn exp(x: f64) f64 {
    return simd.exp2(splat(x * std.math.log2e))[0];
}

fn factorOf(w: *const Parameters) f64 {
    return simd.exp2(splat(laws.ninety / w[20]))[0] - 1;
}

/// So many memories are looked at before those for which a register's way is not.
const block = 1024;

/// Stabilities and difficulties in place.
pub fn review(w: *const Parameters, memories: *const Memories) void {
    const known: Known = .of(w);
    var others: [block + wide_lanes]u32 = undefined;
    var from: usize = 0;
    while (from < memories.stabilities.len) : (from += block) {
        const to = @min(from + block, memories.stabilities.len);
        const count = recalled(&known, memories, from, to, &others);
        apart(&known, memories, others[0..count]);
    }
}

/// A register of numbers of memories.
const Register = struct {
    stability: F64s,
    difficulty: F64s,
    days: F64s,
    /// Which of the three, as they came, are no numbers.
    none: Mask,

    inline fn of(stability: Narrow, difficulty: Narrow, days: Narrow) Register {
        const s: F64s, const d: F64s, const t: F64s = .{ stability, difficulty, days };
        const unknown = @select(bool, s == s, d != d, s != s);
        return .{
            .stability = clamp(s, least_stability, most_stability),
            .difficulty = clamp(d, least_difficulty, most_difficulty),
            .days = clamp(t, 0, most_days),
            .none = @select(bool, t == t, unknown, t != t),
        };
    }

    /// 1 - R.
    inline fn lost(register: Register, known: *const Known, log_stability: F64s) F64s {
        const sum = simd.mulAdd(F64s, splat(known.factor), register.days, register.stability);
        return splat(1) - simd.exp2(splat(known.w[20]) * (log_stability - simd.log2(sum)));
    }

    /// Of a stability that is a number or none.
    inline fn stored(register: Register, stability: F64s) Narrow {
        const held = clamp(stability, least_stability, most_stability);
        return @floatCast(@select(f64, register.none, splat(std.math.nan(f64)), held));
    }

    inline fn harder(register: Register, known: *const Known, steps: F64s) Narrow {
        const damped = steps * splat(known.w[6] / 9) * (splat(10) - register.difficulty);
        const keep = splat(1 - known.w[7]);
        const difficulty = simd.mulAdd(F64s, keep, register.difficulty - damped, splat(known.reversion));
        const held = clamp(difficulty, least_difficulty, most_difficulty);
        return @floatCast(@select(f64, register.none, splat(std.math.nan(f64)), held));
    }
};

/// For numbers alone: NaN becomes one.
inline fn clamp(x: F64s, least: f64, most: f64) F64s {
    return decay.smaller(decay.larger(x, splat(least)), splat(most));
}

/// Memories that were recalled, or forgotten on the day of another review; ids of those that are left, and how many.
noinline fn recalled(known: *const Known, memories: *const Memories, from: usize, to: usize, others: []u32) usize {
    var count: usize = 0;
    var at = from;
    while (at + wide_lanes <= to) : (at += wide_lanes) {
        const s = memories.stabilities[at..][0..wide_lanes];
        const d = memories.difficulties[at..][0..wide_lanes];
        const after = step(known, s.*, d.*, memories.elapsed_days[at..][0..wide_lanes].*, memories.grades[at..][0..wide_lanes].*);
        s.* = after.stability;
        d.* = after.difficulty;
        if (!@reduce(.Or, after.left)) continue;
        const bits: @Int(.unsigned, wide_lanes) = @bitCast(after.left);
        inline for (0..wide_lanes) |lane| {
            others[count] = @intCast(at + lane);
            count += bits >> lane & 1;
        }
    }
    if (at == to) return count;
    var stabilities: [wide_lanes]f32 = @splat(1);
    var difficulties: [wide_lanes]f32 = @splat(1);
    var days: [wide_lanes]f32 = @splat(1);
    var grades: [wide_lanes]u8 = @splat(3);
    const end = to - at;
    @memcpy(stabilities[0..end], memories.stabilities[at..to]);
    @memcpy(difficulties[0..end], memories.difficulties[at..to]);
    @memcpy(days[0..end], memories.elapsed_days[at..to]);
    @memcpy(grades[0..end], memories.grades[at..to]);
    const after = step(known, stabilities, difficulties, days, grades);
    stabilities = after.stability;
    difficulties = after.difficulty;
    @memcpy(memories.stabilities[at..to], stabilities[0..end]);
    @memcpy(memories.difficulties[at..to], difficulties[0..end]);
    const left: [wide_lanes]bool = after.left;
    for (left[0..end], at..) |is_left, i| {
        others[count] = @intCast(i);
        count += @intFromBool(is_left);
    }
    return count;
}

/// Those that are left are as they were.
const After = struct { stability: Narrow, difficulty: Narrow, left: Mask };

inline fn step(known: *const Known, s: Narrow, d: Narrow, t: Narrow, grades: @Vector(wide_lanes, u8)) After {
    const w = &known.w;
    const register: Register = .of(s, d, t);
    const grade: F64s = @floatFromInt(@as(@Vector(wide_lanes, i32), grades));
    const again = grade == splat(1);
    const same_day = register.days < splat(1);
    const log_stability = simd.log2(register.stability);
    const lost = register.lost(known, log_stability);

    const steps = grade - splat(3);
    const per_octave = @select(f64, same_day, splat(-w[19]), splat(-w[9]));
    const power = simd.exp2(per_octave * log_stability);
    const shortly = simd.mulAdd(F64s, steps, splat(w[17] * std.math.log2e), splat(w[17] * w[18] * std.math.log2e));
    const rise = simd.exp2(@select(f64, same_day, shortly, lost * splat(w[10] * std.math.log2e)));
    const easy = @select(f64, grade == splat(4), splat(known.gain[4]), splat(known.gain[3]));
    const gain = @select(f64, grade == splat(2), splat(known.gain[2]), easy);
    const more = gain * (splat(11) - register.difficulty) * power * (rise - splat(1));
    const least = @select(f64, again, splat(0), splat(1));
    const factor = @select(f64, same_day, decay.larger(rise * power, least), more + splat(1));

    const is_graded = @select(bool, grade >= splat(1), grade <= splat(4), grade >= splat(1));
    const forgotten = @select(bool, again, register.days >= splat(1), again);
    const is_new: Mask = s == @as(Narrow, @splat(0));
    const is_apart = @select(bool, is_new, is_new, forgotten);
    const left = @select(bool, is_graded, is_apart, is_graded);
    const is_done = @select(bool, is_apart, !is_apart, is_graded);
    return .{
        .stability = @select(f32, is_done, register.stored(register.stability * factor), s),
        .difficulty = @select(f32, is_done, register.harder(known, steps), d),
        .left = left,
    };
}

/// Memories that were forgotten after a day or more, and new ones.
noinline fn apart(known: *const Known, memories: *const Memories, ids: []u32) void {
    var count: usize = 0;
    for (ids) |id| {
        if (memories.stabilities[id] != 0) {
            ids[count] = id;
            count += 1;
            continue;
        }
        memories.stabilities[id] = known.first_stabilities[memories.grades[id]];
        memories.difficulties[id] = known.first_difficulties[memories.grades[id]];
    }
    var at: usize = 0;
    while (at < count) : (at += wide_lanes) {
        const some = ids[at..@min(at + wide_lanes, count)];
        var stabilities: [wide_lanes]f32 = @splat(1);
        var difficulties: [wide_lanes]f32 = @splat(1);
        var days: [wide_lanes]f32 = @splat(1);
        for (some, 0..) |id, lane| {
            stabilities[lane] = memories.stabilities[id];
            difficulties[lane] = memories.difficulties[id];
            days[lane] = memories.elapsed_days[id];
        }
        const register: Register = .of(stabilities, difficulties, days);
        stabilities = register.stored(forgetting(known, register));
        difficulties = register.harder(known, splat(-2));
        for (some, 0..) |id, lane| {
            memories.stabilities[id] = stabilities[lane];
            memories.difficulties[id] = difficulties[lane];
        }
    }
}

inline fn forgetting(known: *const Known, register: Register) F64s {
    const w = &known.w;
    const lost = register.lost(known, simd.log2(register.stability));
    const by_difficulty = splat(-w[12]) * simd.log2(register.difficulty);
    // One power for the two.
    const both = simd.exp2(simd.mulAdd(F64s, lost, splat(w[14] * std.math.log2e), by_difficulty));
    const growth = simd.exp2(splat(w[13]) * simd.log2(register.stability + splat(1))) - splat(1);
    return decay.smaller(splat(w[11]) * both * growth, register.stability * splat(known.spared));
}

/// Stabilities, elapsed days and retrievabilities [n].
pub fn retrievability(w: *const Parameters, stabilities: []const f32, elapsed_days: []const f32, to: []f32) void {
    const factor = factorOf(w);
    const end = to.len - to.len % lanes;
    var at: usize = 0;
    while (true) : (at += lanes) {
        // No call is within this loop.
        if (simd.has_fma) while (at < end) : (at += lanes) {
            const left = inTwoParts(w, factor, stabilities[at..][0..lanes].*, elapsed_days[at..][0..lanes].*);
            if (!@reduce(.And, left.able)) break;
            to[at..][0..lanes].* = left.found;
        };
        if (at == to.len) return;
        const count = @min(lanes, to.len - at);
        var s: [lanes]f32 = @splat(1);
        var t: [lanes]f32 = @splat(1);
        @memcpy(s[0..count], stabilities[at..][0..count]);
        @memcpy(t[0..count], elapsed_days[at..][0..count]);
        const found: [lanes]f32 = either(w, factor, s, t);
        @memcpy(to[at..][0..count], found[0..count]);
        if (count < lanes) return;
    }
}

/// In two parts, or in f64 for the memories that need it.
noinline fn either(w: *const Parameters, factor: f64, s: [lanes]f32, t: [lanes]f32) [lanes]f32 {
    var wide: [lanes]f32 = undefined;
    inline for (.{ 0, wide_lanes }) |half| {
        wide[half..][0..wide_lanes].* = inWide(w, factor, s[half..][0..wide_lanes].*, t[half..][0..wide_lanes].*);
    }
    if (!simd.has_fma) return wide;
    const left = inTwoParts(w, factor, s, t);
    return @select(f32, left.able, left.found, @as(F32s, wide));
}

const Left = struct { found: F32s, able: @Vector(lanes, bool) };

/// Stabilities whose inverses, and these times the low part of a number, are normal.
const smallest = 0x1p-60;
const largest = 0x1p60;
/// Stabilities in an age.
const largest_quotient = 0x1p100;

inline fn inTwoParts(w: *const Parameters, factor: f64, s: F32s, t: F32s) Left {
    const per_day = Twofold.inverse(s).times(factor);
    const quotient: Twofold = .product(t, per_day.high, per_day.low);
    const log2 = twofold.log2OfOnePlus(quotient);
    const power: f32 = @floatCast(-w[20]);
    const rest: f32 = @floatCast(-w[20] - power);
    const exponent: Twofold = .product(@splat(power), log2.high, log2.low);
    const low = simd.mulAdd(F32s, log2.high, @splat(rest), exponent.low);
    const usual = decay.both(decay.atMost(@splat(smallest), s), decay.atMost(s, @splat(largest)));
    const near = decay.both(decay.atMost(@splat(0), t), decay.atMost(quotient.high, @splat(largest_quotient)));
    return .{
        .found = twofold.timesExp2(@splat(1), .of(.{ .high = exponent.high, .low = low })),
        .able = decay.both(usual, near),
    };
}

inline fn inWide(w: *const Parameters, factor: f64, given: Narrow, elapsed: Narrow) Narrow {
    const s: F64s, const t: F64s = .{ given, elapsed };
    const quotient = clamp(t, 0, most_days) * splat(factor) / clamp(s, 0x1p-149, most_days);
    const power = simd.exp2(splat(-w[20]) * simd.log2(splat(1) + quotient));
    const of_infinite = @select(f64, t == splat(std.math.inf(f64)), splat(0), power);
    const of_new = @select(f64, s <= splat(0), splat(0), of_infinite);
    const none = @select(bool, s == s, t != t, s != s);
    return @floatCast(@select(f64, none, splat(std.math.nan(f64)), of_new));
}

const testing = std.testing;

const published: Parameters = .{
    0.212,  1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194, 0.001,  1.8722, 0.1666, 0.796,
    1.4835, 0.0614, 0.2629, 1.6483, 0.6014, 1.8729, 0.5425, 0.0912, 0.0658, 0.1542,
};
const lowest: Parameters = .{
    0.001, 0.001, 0.001, 0.001, 1, 0.001, 0.001, 0.001, 0, 0, 0.001, 0.001, 0.001, 0.001, 0, 0, 1, 0, 0, 0, 0.1,
};
const highest: Parameters = .{
    100, 100, 100, 100, 10, 4, 4, 0.75, 4.5, 0.8, 3.5, 5, 0.25, 0.9, 4, 1, 6, 2, 2, 0.8, 0.8,
};

/// One memory, in f64, as the definition has it.
const Exact = struct {
    stability: f64,
    difficulty: f64,

    fn left(w: Parameters, t: f64, s: f64) f64 {
        const factor = std.math.pow(f64, 0.9, -1 / w[20]) - 1;
        return std.math.exp(-w[20] * std.math.log1p(factor * t / s));
    }

    fn of(w: Parameters, s: f64, d: f64, t: f64, grade: u8) Exact {
        const g: f64 = @floatFromInt(grade);
        if (s == 0) return .{
            .stability = w[grade - 1],
            .difficulty = clampOne(w[4] - @exp(w[5] * (g - 1)) + 1, 1, 10),
        };
        // What is lost, without its digits.
        const factor = std.math.pow(f64, 0.9, -1 / w[20]) - 1;
        const lost = -std.math.expm1(-w[20] * std.math.log1p(factor * t / s));
        const recall = 1 + @exp(w[8]) * (11 - d) * std.math.pow(f64, s, -w[9]) * std.math.expm1(lost * w[10]) *
            @as(f64, if (grade == 2) w[15] else if (grade == 4) w[16] else 1);
        const growth = std.math.expm1(w[13] * std.math.log1p(s));
        const lapse = w[11] * std.math.pow(f64, d, -w[12]) * growth * @exp(lost * w[14]);
        const short = @exp(w[17] * (g - 3 + w[18])) * std.math.pow(f64, s, -w[19]);
        const next = if (t < 1)
            s * @max(short, if (grade == 1) @as(f64, 0) else 1)
        else if (grade == 1)
            @min(lapse, s / @exp(w[17] * w[18]))
        else
            s * recall;
        const easiest = w[4] - @exp(w[5] * 3) + 1;
        const difficulty = w[7] * easiest + (1 - w[7]) * (d - w[6] * (g - 3) * (10 - d) / 9);
        return .{
            .stability = clampOne(next, least_stability, most_stability),
            .difficulty = clampOne(difficulty, least_difficulty, most_difficulty),
        };
    }
};

fn expectNear(wanted: f64, found: f32, allowed: f64) !void {
    const exponent = @max(std.math.frexp(wanted).exponent, std.math.floatExponentMin(f32) + 1);
    try testing.expectApproxEqAbs(wanted, @as(f64, found), allowed * std.math.ldexp(@as(f64, 1), exponent - 24));
}

const Some = struct {
    stabilities: [most]f32,
    difficulties: [most]f32,
    days: [most]f32,
    grades: [most]u8,

    const most = block + 37;

    fn of(seed: u64) Some {
        var random = std.Random.DefaultPrng.init(seed);
        const numbers = random.random();
        var some: Some = undefined;
        for (0..most) |i| {
            some.stabilities[i] = @floatCast(@max(least_stability, std.math.exp2(numbers.float(f64) * 25 - 10)));
            if (numbers.uintLessThan(u8, 9) == 0) some.stabilities[i] = 0;
            some.stabilities[i] = @min(some.stabilities[i], most_stability);
            some.difficulties[i] = 1 + 9 * numbers.float(f32);
            some.days[i] = if (numbers.boolean()) @floatCast(std.math.exp2(numbers.float(f64) * 14)) else numbers.float(f32);
            some.grades[i] = numbers.uintLessThan(u8, 5);
        }
        return some;
    }

    fn memories(some: *Some, from: usize, to: usize) Memories {
        return .{
            .stabilities = some.stabilities[from..to],
            .difficulties = some.difficulties[from..to],
            .elapsed_days = some.days[from..to],
            .grades = some.grades[from..to],
        };
    }

    fn expectReviewed(before: *const Some, w: Parameters, from: usize, to: usize) !void {
        var after = before.*;
        review(&w, &after.memories(from, to));
        for (0..most) |i| {
            const s, const d = .{ before.stabilities[i], before.difficulties[i] };
            if (i < from or i >= to or before.grades[i] == 0) {
                try testing.expectEqual(s, after.stabilities[i]);
                try testing.expectEqual(d, after.difficulties[i]);
                continue;
            }
            const exact: Exact = .of(w, s, d, before.days[i], before.grades[i]);
            try expectNear(exact.stability, after.stabilities[i], 0.51);
            try expectNear(exact.difficulty, after.difficulties[i], 0.51);
        }
    }
};

test "every grade, interval and length makes stabilities and difficulties within 0.51 ulp of the definition" {
    for ([_]Parameters{ published, lowest, highest }) |w| {
        for (0..70) |len| try Some.of(len).expectReviewed(w, 3, 3 + len);
        for (0..20) |seed| try Some.of(seed).expectReviewed(w, 0, Some.most);
    }
}

test "parameters from end to end of their ranges keep the bound" {
    var random = std.Random.DefaultPrng.init(11);
    for (0..100) |seed| {
        var w: Parameters = undefined;
        for (&w, lowest, highest) |*parameter, low, high| parameter.* = low + (high - low) * random.random().float(f64);
        try Some.of(seed).expectReviewed(w, 0, Some.most);
    }
}

test "what is no number makes none, in every place, and ends are held" {
    const nan, const inf = .{ std.math.nan(f32), std.math.inf(f32) };
    for (1..40) |len| for (0..len) |at| for (1..5) |grade| {
        var some: Some = .of(1);
        @memset(&some.stabilities, 5);
        @memset(&some.grades, @intCast(grade));
        for (0..3) |which| {
            var other = some;
            const arrays = [_][]f32{ &other.stabilities, &other.difficulties, &other.days };
            arrays[which][at] = nan;
            review(&published, &other.memories(0, len));
            for (other.stabilities[0..len], other.difficulties[0..len], 0..) |s, d, i| {
                try testing.expectEqual(i == at, std.math.isNan(s));
                try testing.expectEqual(i == at, std.math.isNan(d));
            }
        }
    };
    const given = [_][3]f32{ .{ 1e9, 0, 1 }, .{ -5, 50, 1 }, .{ 5, 5, inf }, .{ 5, 5, -7 }, .{ inf, 5, 3 }, .{ 0, nan, nan } };
    const known = [_][3]f64{ .{ 36_500, 1, 1 }, .{ 0.001, 10, 1 }, .{ 5, 5, 1e300 }, .{ 5, 5, 0 }, .{ 36_500, 5, 3 }, .{ 0, 1, 1 } };
    for (given, known) |numbers, as| for (1..5) |grade| {
        var s, var d = .{ numbers[0..1].*, numbers[1..2].* };
        review(&published, &.{ .stabilities = &s, .difficulties = &d, .elapsed_days = numbers[2..3], .grades = &.{@intCast(grade)} });
        const exact: Exact = .of(published, as[0], as[1], as[2], @intCast(grade));
        try expectNear(exact.stability, s[0], 0.51);
        try expectNear(exact.difficulty, d[0], 0.51);
    };
}

test "retrievability is within its bound of the definition at every length and in every place" {
    const inf, const nan = .{ std.math.inf(f32), std.math.nan(f32) };
    const ends = [_][2]f32{ .{ 0, 3 }, .{ -1, 3 }, .{ 5, -2 }, .{ 5, inf }, .{ inf, 5 }, .{ inf, inf }, .{ 0x1p-149, 3e38 }, .{ 3e38, 1e-40 }, .{ nan, 1 }, .{ 1, nan } };
    for ([_]Parameters{ published, lowest, highest }) |w| for (0..70) |len| {
        var some: Some = .of(len);
        for (ends, 0..) |end, i| if (len > 20) {
            some.stabilities[(len + i * 3) % len] = end[0];
            some.days[(len + i * 3) % len] = end[1];
        };
        var found: [70]f32 = @splat(77);
        retrievability(&w, some.stabilities[0..len], some.days[0..len], found[0..len]);
        for (found[0..len], some.stabilities[0..len], some.days[0..len]) |left, s, t| {
            if (std.math.isNan(s) or std.math.isNan(t)) {
                try testing.expect(std.math.isNan(left));
                continue;
            }
            const exact = if (s <= 0 or t == inf) 0 else Exact.left(w, @max(t, 0), s);
            try expectNear(exact, left, 0.69);
        }
        for (found[len..]) |beside| try testing.expectEqual(77, beside);
    };
}
