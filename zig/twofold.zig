//! 2^t and log2 in f32, for numbers that are sums of two: what an f32 alone would lose of t moves 2^t by t ulp. The
//! same bits on every tier that multiplies and adds in one rounding.

const std = @import("std");
const builtin = @import("builtin");
const lookup = @import("lookup.zig");
const simd = @import("simd.zig");
const F32s = simd.F32s;
const Words = simd.Words;
const Signed = @Vector(lanes, i32);
const lanes = simd.lanes;
const mulAdd = simd.mulAdd;

/// A number as a sum, of which `low` is no more than some roundings of `high`.
pub const Twofold = struct {
    high: F32s,
    low: F32s,

    /// a * b, where b is a sum.
    pub inline fn product(a: F32s, high: F32s, low: F32s) Twofold {
        const rounded = a * high;
        return .{ .high = rounded, .low = mulAdd(F32s, a, low, mulAdd(F32s, a, high, -rounded)) };
    }

    /// 1 / a.
    pub inline fn inverse(a: F32s) Twofold {
        const rounded = splat(1) / a;
        return .{ .high = rounded, .low = mulAdd(F32s, -rounded, a, splat(1)) * rounded };
    }

    /// By a number that is the same for all.
    pub inline fn times(a: Twofold, b: f64) Twofold {
        const b_high: f32 = @floatCast(b);
        const b_low: f32 = @floatCast(b - @as(f64, b_high));
        const rounded = a.high * splat(b_high);
        const low = mulAdd(F32s, a.high, splat(b_low), mulAdd(F32s, a.high, splat(b_high), -rounded));
        return .{ .high = rounded, .low = mulAdd(F32s, a.low, splat(b_high), low) };
    }

    /// a * b.
    pub inline fn of(b: Twofold, a: F32s) Twofold {
        return .product(a, b.high, b.low);
    }

    /// Of two, of which the first is 0 or not less than the other.
    pub inline fn plus(a: Twofold, b: Twofold) Twofold {
        const rounded = a.high + b.high;
        return .{ .high = rounded, .low = (b.high - (rounded - a.high)) + a.low + b.low };
    }

    /// As near as two f32 come.
    pub inline fn ofWide(x: @Vector(lanes, f64)) Twofold {
        const high: F32s = @floatCast(x);
        return .{ .high = high, .low = @floatCast(x - @as(@Vector(lanes, f64), high)) };
    }
};

/// The smallest exponent for `timesExp2`: what is below 2^76 is then none of f32.
pub const lowest = -228;
/// Numbers from it on are not for `timesExp2`.
pub const largest = 0x1p76;

/// Adding it leaves eighths in the lowest bits.
const magic = 0x1.8p20;
const magic_bits: u32 = @bitCast(@as(f32, magic));
const one_bits: u32 = @bitCast(@as(f32, 1));

/// An exponent in eighths, and what is left of it.
pub const Exponent = struct {
    /// Above `magic`.
    eighths: F32s,
    /// No more than 1/16, and a rounding.
    rest: F32s,

    pub inline fn of(t: Twofold) Exponent {
        const eighths = t.high + splat(magic);
        return .{ .eighths = eighths, .rest = (t.high - (eighths - splat(magic))) + t.low };
    }

    /// Of a * b, where b is a sum.
    pub inline fn ofProduct(a: F32s, high: F32s, low: F32s) Exponent {
        const eighths = mulAdd(F32s, a, high, splat(magic));
        return .{ .eighths = eighths, .rest = mulAdd(F32s, a, low, mulAdd(F32s, a, high, splat(magic) - eighths)) };
    }
};

/// x * 2^t for |x| < `largest` and t from `lowest` to 1, or for x of 1 to 126: within 0.67 ulp; where that is no normal
/// number, within half an ulp and half of that.
///
/// 2^t = 2^n 2^(k/8) (1 + c) (1 + m), where 2^(k/8) is the nearest f32 to one of eight numbers, wrong by c, and m + 1
/// the power of what is left of t. Half an ulp is the last rounding but where a result is no normal number, which is
/// rounded again. The product with x is a sum of two; 2^-29 are at most, relative: the roundings of what is left, 3
/// ln 2; the series and its product and sum, 1 each; and the part of the result that m is, 1. That is 0.16 ulp.
pub inline fn timesExp2(x: F32s, t: Exponent) F32s {
    const square = t.rest * t.rest;
    const series = mulAdd(F32s, square, pair(&of_exp2, 2, t.rest), pair(&of_exp2, 0, t.rest));
    const bits: Words = @bitCast(t.eighths);
    const rise = mulAdd(F32s, t.rest, series, lookup.ofEight(roots_low, bits));
    const root = lookup.ofEight(roots, bits);
    const product = x * root;
    const nearest = product + mulAdd(F32s, product, rise, mulAdd(F32s, x, root, -product));
    // n in two parts, so that each has a number of its own: the second is 0 but for small results. Where its product is
    // rounded, nothing is left by the first.
    const n = bits >> @splat(3);
    const first = @max(n, @as(Words, @splat(magic_bits / 8 - 102)));
    return nearest * powerOfTwo(n -% first, 0) * powerOfTwo(first, -raised);
}

/// 2^(n + more) of the lowest bits of a word, from -127, which gives 0, to 127.
inline fn powerOfTwo(n: Words, comptime more: i32) F32s {
    return @bitCast((n << @splat(23)) +% @as(Words, @splat(one_bits +% @as(u32, @bitCast(more << 23)))));
}

/// log2(1 + x) for x from 0 to 2^100: within 1.4e-9.
pub inline fn log2OfOnePlus(x: Twofold) Twofold {
    const y = splat(1) + x.high;
    // What that sum lost, whichever of the two is the larger.
    const back = y - splat(1);
    return log2(y, (splat(1) - (y - back)) + (x.high - back) + x.low);
}

/// log2(y + lost) for normal y above 0, of which `lost`, where there is any, is some roundings: within 1.4e-9.
///
/// y = 2^e m, m next to one of eight numbers, whose inverse is next to 1/m by five bits: r = m inverse - 1 is then
/// exact. It is e - log2(inverse) + r log2(e) + r^2 P(r). All but the last is a sum of two; the last, at most 0.0036,
/// is wrong by 5e-10 from its roundings, 4e-11 of the series; what r lost counts by a slope that is wrong by 5e-10,
/// and the sums lose 3e-10.
pub inline fn log2(y: F32s, lost: ?F32s) Twofold {
    const bits: Words = @bitCast(y);
    const rounded = bits +% @as(Words, @splat(1 << 19));
    const places = rounded >> @splat(20);
    const exponent = (rounded & @as(Words, @splat(0xFF80_0000))) -% @as(Words, @splat(one_bits));
    const e: F32s = @floatFromInt(@as(Signed, @bitCast(exponent)) >> @splat(23));
    const inverse = lookup.ofEight(inverses, places);
    const r = mulAdd(F32s, @as(F32s, @bitCast(bits -% exponent)), inverse, splat(-1));

    const line = r * splat(log2_of_e);
    const line_low = mulAdd(F32s, r, splat(log2_of_e), -line);
    const square = r * r;
    const last = mulAdd(F32s, square, splat(of_log2[4]), pair(&of_log2, 2, r));
    const series = mulAdd(F32s, square, last, pair(&of_log2, 0, r));
    const known_low = mulAdd(F32s, r, splat(log2_of_e_low), lookup.ofEight(logarithms_low, places));
    var lows = line_low + known_low;
    if (lost) |some| {
        const r_low = some * @as(F32s, @bitCast(@as(Words, @splat(one_bits)) -% exponent)) * inverse;
        // 1 / (1 + r), which is the slope of the logarithm, near enough for what r lost.
        const slope = mulAdd(F32s, r, splat(-log2_of_e), splat(log2_of_e));
        lows = mulAdd(F32s, r_low, slope, lows);
    }
    const small = mulAdd(F32s, square, series, lows);

    const near = e + lookup.ofEight(logarithms, places);
    const high = near + line;
    return .{ .high = high, .low = ((near - high) + line) + small };
}

/// Two terms of a series, from the power `i` on and over it.
inline fn pair(series: []const f32, comptime i: usize, x: F32s) F32s {
    return mulAdd(F32s, x, splat(series[i + 1]), splat(series[i]));
}

inline fn splat(x: f32) F32s {
    return @splat(x);
}

/// (2^f - 1) / f for |f| <= 1/16, by Remez.
const of_exp2 = [4]f32{ 0.693147174225, 0.240226505422, 0.0555106127257, 0.00961912438789 };

/// So many powers of two are in each of `roots`, so that products with the smallest numbers keep all digits.
const raised = 24;
/// 2^(k/8) as f32, and by which part of itself each is too small.
const roots = [8]f32{
    0x1p24 * 1.0,
    0x1p24 * 1.0905077457427979,
    0x1p24 * 1.1892070770263672,
    0x1p24 * 1.2968395948410034,
    0x1p24 * 1.4142135381698608,
    0x1p24 * 1.5422108173370361,
    0x1p24 * 1.6817928552627563,
    0x1p24 * 1.8340080976486206,
};
const roots_low = [8]f32{
    0.0,
    -1.19921570877e-8,
    3.19341808612e-8,
    -3.09907207583e-8,
    1.71142713287e-8,
    5.23333424981e-9,
    -1.47196054402e-8,
    -6.12825982415e-9,
};

/// (log2(1 + r) - r log2(e)) / r^2 for r from -0.0704 to 0.0665, by Remez.
const of_log2 = [_]f32{ -0.721347538369, 0.480896048138, -0.360654444723, 0.289966461638, -0.245061745316 };

/// Of 1 + k/8, by so few bits that products with what lies next to it are exact; and -log2 of each, as a number that
/// whole ones can be added to, and what that is wrong by.
const inverses = [8]f32{ 1, 0.875, 0.8125, 0.71875, 0.65625, 0.625, 0.5625, 0.53125 };
const logarithms = [8]f32{
    0.0,
    0.1926422119140625,
    0.299560546875,
    0.4764404296875,
    0.6076812744140625,
    0.678070068359375,
    0.830078125,
    0.91253662109375,
};
const logarithms_low = [8]f32{
    0.0,
    2.86602833339e-6,
    -2.6501609216e-7,
    -2.38574451287e-6,
    1.30280717721e-6,
    1.83675326265e-6,
    -3.12644231236e-6,
    5.37655910592e-7,
};
const log2_of_e: f32 = std.math.log2e;
const log2_of_e_low: f32 = std.math.log2e - @as(comptime_float, log2_of_e);

const testing = std.testing;

fn of(x: f64) Twofold {
    const high: f32 = @floatCast(x);
    return .{ .high = @splat(high), .low = @splat(@floatCast(x - high)) };
}

fn whole(number: Twofold) f64 {
    return @as(f64, number.high[lanes - 1]) + number.low[lanes - 1];
}

/// In ulp of the nearest f32.
fn away(exact: f64, found: f32) f64 {
    const exponent = @max(std.math.frexp(exact).exponent - 1, std.math.floatExponentMin(f32));
    return @abs(found - exact) / std.math.ldexp(@as(f64, 1), exponent - std.math.floatMantissaBits(f32));
}

/// In debug builds fewer.
const draws = if (builtin.mode == .debug) 20_000 else 1_000_000;

test "a number times a power of two is within its bound of it in f64" {
    if (!simd.has_fma) return error.SkipZigTest;
    var random = std.Random.DefaultPrng.init(1);
    for (0..draws) |i| {
        // Every second one is near where 2^t is furthest from one of the eight.
        const near: f64 = if (i % 2 == 0) 1 else 0x1p-9;
        const t = (@round(-random.random().float(f64) * 1800) - 0.5 + (random.random().float(f64) - 0.5) * near) / 8;
        const x = std.math.ldexp(1 + random.random().float(f32), @as(i32, @intCast(i % 202)) - 126);
        const exact = x * std.math.exp2(t);
        const bound: f64 = if (exact < std.math.floatMin(f32)) 0.5 + 0.67 / 2.0 else 0.67;
        try testing.expect(away(exact, timesExp2(splat(x), .of(of(t)))[0]) < bound);
    }
}

test "the ends of what powers of two are for give numbers and nothing" {
    if (!simd.has_fma) return error.SkipZigTest;
    const below: f32 = @bitCast(@as(u32, @bitCast(@as(f32, largest))) - 1);
    try testing.expectEqual(below, timesExp2(splat(below), .of(of(0)))[0]);
    try testing.expectEqual(0, timesExp2(splat(below), .of(of(lowest)))[0]);
    try testing.expectEqual(0x1p-149, timesExp2(splat(0x1p75), .of(of(-224)))[0]);
    try testing.expectEqual(-0x1p-126, timesExp2(splat(-1), .of(of(-126)))[0]);
    try testing.expectEqual(0, timesExp2(splat(0), .of(of(-3.3)))[0]);
}

test "logarithms, of one and more among them, are within 1.4e-9 of those in f64" {
    if (!simd.has_fma) return error.SkipZigTest;
    var random = std.Random.DefaultPrng.init(1);
    for (0..draws) |i| {
        const spread: f64 = if (i % 2 == 0) 160 else 4;
        const x = std.math.exp2((random.random().float(f64) - 0.4) * spread);
        const given = of(x);
        const exact = std.math.log1p(whole(given)) * std.math.log2e;
        const found = whole(log2OfOnePlus(given));
        try testing.expectApproxEqAbs(exact, found, 1.4e-9);
        const y = of(std.math.ldexp(x, @as(i32, @intCast(i % 61)) - 30));
        const alone: Twofold = .{ .high = y.high, .low = splat(0) };
        try testing.expectApproxEqAbs(std.math.log2(whole(y)), whole(log2(y.high, y.low)), 1.4e-9);
        try testing.expectApproxEqAbs(std.math.log2(whole(alone)), whole(log2(y.high, null)), 1.4e-9);
    }
    try testing.expectEqual(0, whole(log2OfOnePlus(of(0))));
    try testing.expectEqual(0, whole(log2(splat(1), null)));
    try testing.expectEqual(1, whole(log2OfOnePlus(of(1))));
    try testing.expectEqual(100, whole(log2OfOnePlus(of(0x1p100))));
}
