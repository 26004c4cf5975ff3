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
//! | stability 0: never reviewed | 0, unless t is NaN | S and D of a first review, whatever D and t |
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
const lanes = simd.lanes;
/// Two registers: what the one waits for, the other does.
const Wide = @Vector(lanes, f64);
const Mask = @Vector(lanes, bool);

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
    factor: f64,
    /// Of log2(1 + F t / S), what R is.
    forgetting: f64,
    /// Of log2(S), what a review finds, and one on the same day.
    by_stability: f64,
    same_day_by_stability: f64,
    /// Of 1 - R, in octaves.
    by_lost: f64,
    /// e^w8 h, by G - 3, its square and alone.
    gain: [3]f64,
    /// Of G - 3, in octaves, and alone.
    same_day: [2]f64,
    /// Of what is forgotten.
    lapse: f64,
    lapse_by_difficulty: f64,
    lapse_by_stability: f64,
    lapse_by_lost: f64,
    /// S / e^(w17 w18).
    spared: f64,
    /// Of D, of G - 3 and of D0(4), what D becomes.
    keep: f64,
    step: f64,
    reversion: f64,
    first_stabilities: [5]f32,
    first_difficulties: [5]f32,

    fn of(w: *const Parameters) Known {
        const octaves = std.math.log2e;
        const gain = exp(w[8]);
        const hard, const easy = .{ gain * w[15], gain * w[16] };
        const keep = 1 - w[7];
        var known: Known = .{
            .factor = factorOf(w),
            .forgetting = -w[20],
            .by_stability = -w[9],
            .same_day_by_stability = -w[19],
            .by_lost = w[10] * octaves,
            .gain = .{ gain, (easy - hard) / 2, (easy + hard) / 2 - gain },
            .same_day = .{ w[17] * w[18] * octaves, w[17] * octaves },
            .lapse = w[11],
            .lapse_by_difficulty = -w[12],
            .lapse_by_stability = w[13],
            .lapse_by_lost = w[14] * octaves,
            .spared = exp(-w[17] * w[18]),
            .keep = keep,
            .step = keep * w[6] / 9,
            .reversion = w[7] * (w[4] - exp(w[5] * 3) + 1),
            .first_stabilities = undefined,
            .first_difficulties = undefined,
        };
        for (1..5) |grade| {
            const steps: f64 = @floatFromInt(grade - 1);
            known.first_stabilities[grade] = @floatCast(w[grade - 1]);
            const difficulty: f32 = @floatCast(w[4] - exp(w[5] * steps) + 1);
            known.first_difficulties[grade] = @min(@max(difficulty, least_difficulty), most_difficulty);
        }
        return known;
    }
};

fn exp(x: f64) f64 {
    return simd.exp2(splat(x * std.math.log2e))[0];
}

fn factorOf(w: *const Parameters) f64 {
    return simd.exp2(splat(laws.ninety / w[20]))[0] - 1;
}

/// So many memories are looked at in turn for one power or logarithm after the other, and last for those of them for
/// which a review makes something else. In one turn, all would wait for what was last found of a memory.
const block = 256;

/// Stabilities and difficulties in place.
pub fn review(w: *const Parameters, memories: *const Memories) void {
    const known: Known = .of(w);
    var turn: Turn = undefined;
    var others: [block + lanes + 8]u32 = undefined;
    var from: usize = 0;
    while (from < memories.stabilities.len) : (from += block) {
        const to = @min(from + block, memories.stabilities.len);
        const some: Memories = .{
            .stabilities = memories.stabilities[from..to],
            .difficulties = memories.difficulties[from..to],
            .elapsed_days = memories.elapsed_days[from..to],
            .grades = memories.grades[from..to],
        };
        takeLogarithms(&some, &turn);
        takeSince(&known, &some, &turn);
        takeRises(&known, to - from, &turn);
        const count = recall(&known, &some, &turn, &others);
        reviewOthers(&known, &some, others[0..count]);
    }
}

/// Of the memories of a block, and as many more as a register has.
const Turn = struct {
    /// In octaves.
    log_stability: [block]f64,
    /// e^(w10 (1 - R)) - 1.
    rise: [block]f64,
};

noinline fn takeLogarithms(memories: *const Memories, turn: *Turn) void {
    const len = memories.stabilities.len;
    var at: usize = 0;
    while (at < len) : (at += lanes) {
        const s = if (at + lanes <= len)
            memories.stabilities[at..][0..lanes].*
        else
            filled(memories.stabilities[at..]);
        turn.log_stability[at..][0..lanes].* = simd.log2(heldStability(s));
    }
}

/// Leaves log2(1 + F t / S) where the rise is to be.
noinline fn takeSince(known: *const Known, memories: *const Memories, turn: *Turn) void {
    const len = memories.stabilities.len;
    var at: usize = 0;
    while (at < len) : (at += lanes) {
        const whole = at + lanes <= len;
        const s = if (whole) memories.stabilities[at..][0..lanes].* else filled(memories.stabilities[at..]);
        const t = if (whole) memories.elapsed_days[at..][0..lanes].* else filled(memories.elapsed_days[at..]);
        turn.rise[at..][0..lanes].* = logSince(known, heldStability(s), heldDays(t));
    }
}

noinline fn takeRises(known: *const Known, count: usize, turn: *Turn) void {
    var at: usize = 0;
    while (at < count) : (at += lanes) {
        const lost = lostOf(known, turn.rise[at..][0..lanes].*);
        turn.rise[at..][0..lanes].* = simd.exp2(lost * splat(known.by_lost)) - splat(1);
    }
}

/// Behind them, ones.
noinline fn filled(some: []const f32) [lanes]f32 {
    var register: [lanes]f32 = @splat(1);
    @memcpy(register[0..some.len], some);
    return register;
}

inline fn heldStability(s: F32s) Wide {
    return held(s, least_stability, most_stability);
}

inline fn heldDifficulty(d: F32s) Wide {
    return held(d, least_difficulty, most_difficulty);
}

inline fn heldDays(t: F32s) Wide {
    const days: Wide = held(t, 0, std.math.inf(f32));
    return @select(f64, splat(most_days) < days, splat(most_days), days);
}

/// NaN stays that.
inline fn held(x: F32s, least: f32, most: f32) F32s {
    const low: F32s, const high: F32s = .{ @splat(least), @splat(most) };
    const above = @select(f32, low > x, low, x);
    return @select(f32, high < above, high, above);
}

/// log2(1 + F t / S). A difference of logarithms would be wrong by as much where it is small.
inline fn logSince(known: *const Known, stability: Wide, days: Wide) Wide {
    const quotient = splat(known.factor) * days / stability;
    const sum = quotient + splat(1);
    const lost = quotient - (sum - splat(1));
    const counted = @select(f64, quotient < splat(1), lost, splat(0));
    return simd.mulAdd(Wide, counted, splat(std.math.log2e), simd.log2(sum));
}

/// 1 - R.
inline fn lostOf(known: *const Known, since: Wide) Wide {
    return splat(1) - simd.exp2(splat(known.forgetting) * since);
}

/// What numbers lack to be some: 0, or NaN.
inline fn lack(a: Wide, b: Wide) Wide {
    return simd.mulAdd(Wide, a, splat(0), b * splat(0));
}

inline fn harder(known: *const Known, difficulty: Wide, steps: Wide, lacking: Wide) F32s {
    const kept = simd.mulAdd(Wide, splat(known.keep), difficulty, splat(known.reversion) + lacking);
    const next = simd.mulAdd(Wide, steps * splat(known.step), difficulty - splat(10), kept);
    return held(@floatCast(next), least_difficulty, most_difficulty);
}

/// Memories that are recalled after a day or more; places of the others that are graded, and how many.
noinline fn recall(known: *const Known, memories: *const Memories, turn: *const Turn, others: []u32) usize {
    var count: usize = 0;
    var at: usize = 0;
    while (at + lanes <= memories.stabilities.len) : (at += lanes) {
        const s = memories.stabilities[at..][0..lanes];
        const d = memories.difficulties[at..][0..lanes];
        const t: F32s = memories.elapsed_days[at..][0..lanes].*;
        const after = recalled(known, s.*, d.*, t, memories.grades[at..][0..lanes].*, turn, at);
        s.* = after.stability;
        d.* = after.difficulty;
        count = list(after.left, at, others, count);
    }
    return if (at == memories.stabilities.len) count else last(known, memories, turn, at, others, count);
}

/// The memories behind the last whole register.
noinline fn last(
    known: *const Known,
    memories: *const Memories,
    turn: *const Turn,
    at: usize,
    others: []u32,
    count: usize,
) usize {
    const len = memories.stabilities.len - at;
    var grades: [lanes]u8 = @splat(0);
    @memcpy(grades[0..len], memories.grades[at..]);
    const s = filled(memories.stabilities[at..]);
    const d = filled(memories.difficulties[at..]);
    const after = recalled(known, s, d, filled(memories.elapsed_days[at..]), grades, turn, at);
    const stabilities: [lanes]f32, const difficulties: [lanes]f32 = .{ after.stability, after.difficulty };
    @memcpy(memories.stabilities[at..], stabilities[0..len]);
    @memcpy(memories.difficulties[at..], difficulties[0..len]);
    return list(after.left, at, others, count);
}

/// The places of ones in a byte, and others.
const places = blk: {
    @setEvalBranchQuota(10_000);
    var all: [256]@Vector(8, u8) = @splat(@splat(0));
    for (&all, 0..) |*some, byte| {
        var count = 0;
        for (0..8) |bit| if (byte >> bit & 1 == 1) {
            some[count] = bit;
            count += 1;
        };
    }
    break :blk all;
};

/// Places of those of a register's memories; behind them `others` may be overwritten.
inline fn list(those: Mask, first: usize, others: []u32, before: usize) usize {
    const bits: @Int(.unsigned, lanes) = @bitCast(those);
    var count = before;
    inline for (0..(lanes + 7) / 8) |part| {
        const byte: u8 = @truncate(bits >> 8 * part);
        const id: u32 = @intCast(first + 8 * part);
        others[count..][0..8].* = @as(@Vector(8, u32), places[byte]) + @as(@Vector(8, u32), @splat(id));
        count += @popCount(byte);
    }
    return count;
}

/// Those that are left are as they were.
const After = struct { stability: F32s, difficulty: F32s, left: Mask };

inline fn recalled(
    known: *const Known,
    s: F32s,
    d: F32s,
    t: F32s,
    grades: @Vector(lanes, u8),
    turn: *const Turn,
    at: usize,
) After {
    const steps = @as(Wide, @floatFromInt(@as(Grades, grades))) - splat(3);
    const stability, const difficulty = .{ heldStability(s), heldDifficulty(d) };
    const power = simd.exp2(splat(known.by_stability) * @as(Wide, turn.log_stability[at..][0..lanes].*));
    const rise: Wide = turn.rise[at..][0..lanes].*;
    const slope = simd.mulAdd(Wide, steps, splat(known.gain[2]), splat(known.gain[1]));
    const gain = simd.mulAdd(Wide, steps, slope, splat(known.gain[0]));
    const more = gain * (splat(11) - difficulty) * (power * rise);
    const lacking = lack(stability, heldDays(t));
    const next: F32s = @floatCast(simd.mulAdd(Wide, stability, more, stability + lacking));
    const others = areOthers(s, t, grades);
    const done = @select(bool, others.left, !others.left, others.graded);
    return .{
        .stability = @select(f32, done, held(next, least_stability, most_stability), s),
        .difficulty = @select(f32, done, harder(known, difficulty, steps, lacking), d),
        .left = @select(bool, others.graded, others.left, others.graded),
    };
}

const Grades = @Vector(lanes, i32);

/// Which memories are graded, and which are new, reviewed on the same day or forgotten.
inline fn areOthers(s: F32s, t: F32s, grades: @Vector(lanes, u8)) struct { graded: Mask, left: Mask } {
    const each: Grades = grades;
    const one: Grades = @splat(1);
    const new: Mask = s == @as(F32s, @splat(0));
    // A time that is no number is left to what a recall makes of it.
    const same_day: Mask = t < @as(F32s, @splat(1));
    const forgotten: Mask = each == one;
    const graded: Mask = @as(simd.Words, @bitCast(each - one)) < @as(simd.Words, @splat(4));
    return .{ .graded = graded, .left = @select(bool, new, new, @select(bool, same_day, same_day, forgotten)) };
}

/// Memories that are new, reviewed on the same day or forgotten.
noinline fn reviewOthers(known: *const Known, memories: *const Memories, ids: []u32) void {
    var same_day: [block + lanes]u32 = undefined;
    var forgotten: usize = 0;
    var shortly: usize = 0;
    for (ids) |id| {
        if (memories.stabilities[id] == 0) {
            memories.stabilities[id] = known.first_stabilities[memories.grades[id]];
            memories.difficulties[id] = known.first_difficulties[memories.grades[id]];
            continue;
        }
        const is_same_day = !(memories.elapsed_days[id] >= 1);
        ids[forgotten] = id;
        same_day[shortly] = id;
        forgotten += @intFromBool(!is_same_day);
        shortly += @intFromBool(is_same_day);
    }
    inEach(forgotAfterDays, known, memories, ids[0..forgotten]);
    inEach(onTheSameDay, known, memories, same_day[0..shortly]);
}

/// A register of memories as they are.
const Register = struct {
    stability: Wide,
    difficulty: Wide,
    days: Wide,
    /// G - 3.
    steps: Wide,
};

/// `next` of stabilities, and what becomes of difficulties.
inline fn inEach(
    comptime next: fn (*const Known, *const Register) callconv(.@"inline") Wide,
    known: *const Known,
    memories: *const Memories,
    ids: []const u32,
) void {
    var at: usize = 0;
    while (at < ids.len) : (at += lanes) {
        const some = ids[at..@min(at + lanes, ids.len)];
        var stabilities: [lanes]f32 = @splat(1);
        var difficulties: [lanes]f32 = @splat(1);
        var days: [lanes]f32 = @splat(1);
        var grades: [lanes]f32 = @splat(1);
        for (some, 0..) |id, lane| {
            stabilities[lane] = memories.stabilities[id];
            difficulties[lane] = memories.difficulties[id];
            days[lane] = memories.elapsed_days[id];
            grades[lane] = @floatFromInt(memories.grades[id]);
        }
        const register: Register = .{
            .stability = heldStability(stabilities),
            .difficulty = heldDifficulty(difficulties),
            .days = heldDays(days),
            .steps = @as(Wide, @as(F32s, grades)) - splat(3),
        };
        const lacking = lack(register.stability, register.days);
        const stability = next(known, &register) + lack(lacking, register.difficulty);
        stabilities = held(@floatCast(stability), least_stability, most_stability);
        difficulties = harder(known, register.difficulty, register.steps, lacking);
        for (some, 0..) |id, lane| {
            memories.stabilities[id] = stabilities[lane];
            memories.difficulties[id] = difficulties[lane];
        }
    }
}

inline fn forgotAfterDays(known: *const Known, register: *const Register) Wide {
    const lost = lostOf(known, logSince(known, register.stability, register.days));
    const by_difficulty = splat(known.lapse_by_difficulty) * simd.log2(register.difficulty);
    // One power for the two.
    const both = simd.exp2(simd.mulAdd(Wide, lost, splat(known.lapse_by_lost), by_difficulty));
    const log_growth = splat(known.lapse_by_stability) * simd.log2(register.stability + splat(1));
    const growth = simd.exp2(log_growth) - splat(1);
    const spared = register.stability * splat(known.spared);
    return decay.smaller(splat(known.lapse) * both * growth, spared);
}

inline fn onTheSameDay(known: *const Known, register: *const Register) Wide {
    const by_grade = simd.mulAdd(Wide, register.steps, splat(known.same_day[1]), splat(known.same_day[0]));
    const log_stability = simd.log2(register.stability);
    const factor = simd.exp2(simd.mulAdd(Wide, log_stability, splat(known.same_day_by_stability), by_grade));
    const least = @select(f64, register.steps == splat(-2), splat(0), splat(1));
    return register.stability * decay.larger(factor, least);
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
    const wide = inWide(w, factor, s, t);
    if (!simd.has_fma) return wide;
    const left = inTwoParts(w, factor, s, t);
    return @select(f32, left.able, left.found, wide);
}

inline fn splat(x: f64) Wide {
    return @splat(x);
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

inline fn inWide(w: *const Parameters, factor: f64, given: F32s, elapsed: F32s) F32s {
    const s: Wide, const t: Wide = .{ given, elapsed };
    const stability = held(given, 0x1p-149, std.math.inf(f32));
    const quotient = heldDays(elapsed) * splat(factor) / @min(@as(Wide, stability), splat(most_days));
    const power = simd.exp2(splat(-w[20]) * simd.log2(splat(1) + quotient));
    const of_infinite = @select(f64, t == splat(std.math.inf(f64)), splat(0), power);
    const of_new = @select(f64, s <= splat(0), splat(0), of_infinite);
    const none = @select(bool, s == s, t != t, s != s);
    return @floatCast(@select(f64, none, splat(std.math.nan(f64)), of_new));
}
