//! 2^t and log2 in f32, for numbers that are sums of two: what an f32 alone would lose of t moves 2^t by t ulp. The
//! same bits on every tier that multiplies and adds in one rounding.

const std = @import("std");
const builtin = @import("builtin");
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

    /// As near as two f32 come.
    pub inline fn ofWide(x: @Vector(lanes, f64)) Twofold {
        const high: F32s = @floatCast(x);
        return .{ .high = high, .low = @floatCast(x - @as(@Vector(lanes, f64), high)) };
    }
};

/// The smallest exponent for `timesExp2`: what is below 2^100 is then none of f32.
pub const lowest = -252;
/// Numbers from it on are not for `timesExp2`.
pub const largest = 0x1p100;

const magic = 0x1.8p23;
const magic_bits: u32 = @bitCast(@as(f32, magic));
const one_bits: u32 = @bitCast(@as(f32, 1));

/// x * 2^t for |x| < `largest` and t from `lowest` to 1: within 0.83 ulp.
///
/// 2^t = 2^n (1 + m), n the whole number next to t, m = f ln 2 + f^2 q(f) and |f| <= 1/2. Half an ulp is the last
/// rounding; x + x m is a sum of two before it, and so is m, which is wrong by 3.7 2^-28 at most where 1 + m is 0.71,
/// and by 6.3 2^-28 where it is 1.41: f^2 once, q twice, their product, its sum with what f lost, and the low part of m
/// once, and 1e-9 of the series. Where the result is no normal number, its own rounding counts, and less of the rest.
pub inline fn timesExp2(x: F32s, t: Twofold) F32s {
    const shifted = t.high + splat(magic);
    const exact = t.high - (shifted - splat(magic));
    const f = exact + t.low;
    const f_low = (exact - f) + t.low;
    const square = f * f;
    const of_high = mulAdd(F32s, square, pair(&of_exp2, 4, f), pair(&of_exp2, 2, f));
    const q = mulAdd(F32s, square, of_high, pair(&of_exp2, 0, f));
    const slope = mulAdd(F32s, f, splat(2 * of_exp2[0]), splat(std.math.ln2));
    const bend = mulAdd(F32s, f_low, slope, square * q);
    const rise = mulAdd(F32s, f, splat(std.math.ln2), bend);
    const rise_low = mulAdd(F32s, f, splat(std.math.ln2), -rise) + bend;
    const near = mulAdd(F32s, x, rise, x);
    const nearest = near + mulAdd(F32s, x, rise_low, mulAdd(F32s, x, rise, x - near));
    // n in two parts, so that each has a number of its own: the second, 0 but for small results, may round.
    const bits: Signed = @bitCast(shifted);
    const first: Signed = @max(bits, @as(Signed, @splat(@as(i32, @bitCast(magic_bits)) - 126)));
    return nearest * powerOfTwo(@bitCast(first)) * powerOfTwo(@bitCast(bits -% first));
}

/// 2^n of the lowest bits of a word, n from -127, which gives 0, to 127.
inline fn powerOfTwo(n: Words) F32s {
    return @bitCast((n << @splat(23)) +% @as(Words, @splat(one_bits)));
}

/// log2(1 + x) for x from 0 to 2^100: within 6.9e-9.
///
/// With 1 + x = 2^e m, m next to 1, and r = m - 1, it is e + (r - r^2/2) log2(e) + r^3 P(r). All but the last is a sum
/// of two, and so wrong by nothing of note; the last, at most 0.027, is wrong by 4.8e-9 from its factors, 0.3e-9 of
/// the series, and 1.9e-9 from being added.
pub inline fn log2OfOnePlus(x: Twofold) Twofold {
    const y = splat(1) + x.high;
    // What that sum lost, whichever of the two is the larger.
    const back = y - splat(1);
    const lost = (splat(1) - (y - back)) + (x.high - back) + x.low;

    const half_root: Words = @splat(@as(u32, @bitCast(@as(f32, std.math.sqrt1_2))));
    const bits: Words = @bitCast(y);
    const exponent = (bits -% half_root) & @as(Words, @splat(0xFF80_0000));
    const mantissa: F32s = @bitCast(bits -% exponent);
    const e: F32s = @floatFromInt(@as(Signed, @bitCast(exponent)) >> @splat(23));

    const given = mantissa - splat(1);
    const rest = lost * @as(F32s, @bitCast(@as(Words, @splat(one_bits)) -% exponent));
    const r = given + rest;
    // 1 / (1 + r), which is the slope of the logarithm, near enough for what r lost.
    const slope = mulAdd(F32s, r, mulAdd(F32s, r, splat(0.75), splat(-1)), splat(1));
    const r_low = (given - r) + rest;

    const square = r * r;
    const half = square * splat(-0.5);
    const half_low = mulAdd(F32s, r * splat(-0.5), r, -half);
    const bent = r + half;
    const bent_low = ((r - bent) + half) + mulAdd(F32s, r_low, slope, half_low);
    const line: Twofold = .product(bent, splat(log2_of_e), splat(log2_of_e_low));

    const first = mulAdd(F32s, square, pair(&of_log2, 2, r), pair(&of_log2, 0, r));
    const second = mulAdd(F32s, square, pair(&of_log2, 6, r), pair(&of_log2, 4, r));
    const fourth = square * square;
    const series = mulAdd(F32s, fourth, mulAdd(F32s, fourth, splat(of_log2[8]), second), first);
    const small = mulAdd(F32s, r * square, series, mulAdd(F32s, bent_low, splat(log2_of_e), line.low));

    const high = e + line.high;
    const low = ((e - high) + line.high) + small;
    const sum = high + low;
    return .{ .high = sum, .low = (high - sum) + low };
}

/// Two terms of a series, from the power `i` on and over it.
inline fn pair(series: []const f32, comptime i: usize, x: F32s) F32s {
    return mulAdd(F32s, x, splat(series[i + 1]), splat(series[i]));
}

inline fn splat(x: f32) F32s {
    return @splat(x);
}

/// (2^f - 1 - f ln 2) / f^2 for |f| <= 1/2, by Remez.
const of_exp2 = [_]f32{
    0.2402265107,
    0.0555041093111,
    0.00961803754509,
    0.00133334477594,
    0.000154669498253,
    0.0000153120221726,
};

/// (log2(1 + r) - (r - r^2/2) log2(e)) / r^3 for 1 + r from sqrt(1/2) to sqrt(2), by Remez.
const of_log2 = [_]f32{
    0.480897853571,
    -0.360673890867,
    0.288580328582,
    -0.240476206424,
    0.204962466408,
    -0.178741300684,
    0.172489593904,
    -0.170121900687,
    0.0973145855138,
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

test "a number times a power of two is within 0.83 ulp of it in f64" {
    if (!simd.has_fma) return error.SkipZigTest;
    var random = std.Random.DefaultPrng.init(1);
    for (0..draws) |i| {
        // Every second one is near where 2^t is furthest from a power of two.
        const near: f64 = if (i % 2 == 0) 1 else 0x1p-6;
        const t = @round(-random.random().float(f64) * 240) - 0.5 + (random.random().float(f64) - 0.5) * near;
        const x = std.math.ldexp(1 + random.random().float(f32), @intCast(i % 97));
        try testing.expect(away(x * std.math.exp2(t), timesExp2(splat(x), of(t))[0]) < 0.83);
    }
}

test "the ends of what powers of two are for give numbers and nothing" {
    if (!simd.has_fma) return error.SkipZigTest;
    const below: f32 = @bitCast(@as(u32, @bitCast(@as(f32, largest))) - 1);
    try testing.expectEqual(below, timesExp2(splat(below), of(0))[0]);
    try testing.expectEqual(0, timesExp2(splat(below), of(lowest))[0]);
    try testing.expectEqual(0x1p-149, timesExp2(splat(0x1p99), of(-248))[0]);
    try testing.expectEqual(-0x1p-126, timesExp2(splat(-1), of(-126))[0]);
    try testing.expectEqual(0, timesExp2(splat(0), of(-3.3))[0]);
}

test "the logarithm of one and more is within 6.9e-9 of it in f64" {
    if (!simd.has_fma) return error.SkipZigTest;
    var random = std.Random.DefaultPrng.init(1);
    for (0..draws) |i| {
        const spread: f64 = if (i % 2 == 0) 160 else 4;
        const x = std.math.exp2((random.random().float(f64) - 0.4) * spread);
        const given = of(x);
        const exact = std.math.log1p(whole(given)) * std.math.log2e;
        const found = whole(log2OfOnePlus(given));
        try testing.expectApproxEqAbs(exact, found, 6.9e-9);
    }
    try testing.expectEqual(0, whole(log2OfOnePlus(of(0))));
    try testing.expectEqual(1, whole(log2OfOnePlus(of(1))));
    try testing.expectEqual(100, whole(log2OfOnePlus(of(0x1p100))));
}
