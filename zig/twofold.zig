//! 2^t and log2 in f32, for numbers that are sums of two: what an f32 alone would lose of t moves 2^t by t ulp. The
//! same bits on every tier that multiplies and adds in one rounding.

const std = @import("std");
const simd = @import("simd.zig");
const F32s = simd.F32s;
const Words = simd.Words;
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

    /// a / b.
    pub inline fn quotient(a: F32s, b: F32s) Twofold {
        const rounded = a / b;
        return .{ .high = rounded, .low = mulAdd(F32s, -rounded, b, a) / b };
    }
};

/// Below it `timesExp2` takes it for this: what is below 2^100 is then none of f32.
pub const lowest = -253;
/// Numbers from it on are not for `timesExp2`.
pub const largest = 0x1p100;

const magic = 0x1.8p23;
const magic_bits: u32 = @bitCast(@as(f32, magic));
const one_bits: u32 = @bitCast(@as(f32, 1));

/// x * 2^t for |x| < `largest` and t from `lowest` to 1: within 0.85 ulp, where the result is a normal number.
///
/// 2^t = 2^n (1 + m), n the whole number next to t, m = f ln 2 + f^2 q(f) and |f| <= 1/2; the error of q leaves 3.2e-9.
/// What is rounded last is x + x m, half an ulp, and before it m, which is from -0.3 to 0.42.
pub inline fn timesExp2(x: F32s, t: Twofold) F32s {
    const shifted = t.high + splat(magic);
    const exact = t.high - (shifted - splat(magic));
    const f = exact + t.low;
    const f_low = (exact - f) + t.low;
    var q = splat(of_exp2[of_exp2.len - 1]);
    inline for (1..of_exp2.len) |i| q = mulAdd(F32s, q, f, splat(of_exp2[of_exp2.len - 1 - i]));
    const slope = mulAdd(F32s, f, splat(2 * of_exp2[0]), splat(std.math.ln2));
    const rise = mulAdd(F32s, f, splat(std.math.ln2), mulAdd(F32s, f_low, slope, f * f * q));
    const near = mulAdd(F32s, x, rise, x);
    // n in two parts, so that each has a number of its own: the second, 0 but for small results, may round.
    const bits: @Vector(lanes, i32) = @bitCast(shifted);
    const first: @Vector(lanes, i32) = @max(bits, @as(@Vector(lanes, i32), @splat(@as(i32, @bitCast(magic_bits)) - 126)));
    return near * powerOfTwo(@bitCast(first)) * powerOfTwo(@bitCast(bits -% first));
}

/// 2^n of the lowest bits of a word, n from -127, which gives 0, to 127.
inline fn powerOfTwo(n: Words) F32s {
    return @bitCast((n << @splat(23)) +% @as(Words, @splat(one_bits)));
}

/// log2(1 + x) for x from 0 to 2^100: within 2^-28, and 2^-30 of itself.
///
/// With 1 + x = 2^e m, m next to 1, and r = m - 1, it is e + r log2(e) + r^2 Q(r); the error of Q leaves 1.2e-9.
pub inline fn log2OfOnePlus(x: Twofold) Twofold {
    const y = splat(1) + x.high;
    // What that sum lost, whichever of the two is the larger.
    const back = y - splat(1);
    const lost = (splat(1) - (y - back)) + (x.high - back) + x.low;

    const half_root: Words = @splat(@as(u32, @bitCast(@as(f32, std.math.sqrt1_2))));
    const bits: Words = @bitCast(y);
    const exponent = (bits -% half_root) & @as(Words, @splat(0xFF80_0000));
    const mantissa: F32s = @bitCast(bits -% exponent);
    const e: F32s = @floatFromInt(@as(@Vector(lanes, i32), @bitCast(exponent)) >> @splat(23));

    const given = mantissa - splat(1);
    const rest = lost * @as(F32s, @bitCast(@as(Words, @splat(one_bits)) -% exponent));
    const r = given + rest;
    const r_low = (given - r) + rest;
    var q = splat(of_log2[of_log2.len - 1]);
    inline for (1..of_log2.len) |i| q = mulAdd(F32s, q, r, splat(of_log2[of_log2.len - 1 - i]));
    const line: Twofold = .product(r, splat(log2_of_e), splat(log2_of_e_low));
    const high = e + line.high;
    const low = ((e - high) + line.high) + mulAdd(F32s, r_low, mulAdd(F32s, -r, splat(log2_of_e), splat(log2_of_e)), line.low);
    return .{ .high = high, .low = mulAdd(F32s, r * r, q, low) };
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

/// (log2(1 + r) - r log2(e)) / r^2 for 1 + r from sqrt(1/2) to sqrt(2), by Remez.
const of_log2 = [_]f32{
    -0.721347160462,
    0.480898142705,
    -0.360708795708,
    0.288579228662,
    -0.23939325111,
    0.204289084013,
    -0.192350573168,
    0.188390592907,
    -0.109755627178,
};

const log2_of_e: f32 = std.math.log2e;
const log2_of_e_low: f32 = std.math.log2e - @as(comptime_float, log2_of_e);

const testing = std.testing;

fn one(x: f64) Twofold {
    const high: f32 = @floatCast(x);
    return .{ .high = @splat(high), .low = @splat(@floatCast(x - high)) };
}

test "x 2^t is within its bound of the product in f64" {
    var random = std.Random.DefaultPrng.init(1);
    var worst: f64 = 0;
    for (0..2_000_000) |_| {
        const t = -random.random().float(f64) * 100;
        const x = random.random().float(f32) + 0.5;
        const exact = x * std.math.exp2(t);
        const found: f64 = timesExp2(splat(x), one(t))[0];
        const ulp = std.math.ldexp(@as(f64, 1), std.math.ilogb(exact) - 23);
        worst = @max(worst, @abs(found - exact) / ulp);
    }
    std.debug.print("exp2 {d:.4} ulp\n", .{worst});
}

test "log2 of one and more is within its bound" {
    var random = std.Random.DefaultPrng.init(1);
    var worst: f64 = 0;
    var relative: f64 = 0;
    for (0..2_000_000) |_| {
        const x = std.math.exp2((random.random().float(f64) - 0.4) * 60);
        const exact = std.math.log1p(x) * std.math.log2e;
        const pair = log2OfOnePlus(one(x));
        const found = @as(f64, pair.high[0]) + pair.low[0];
        worst = @max(worst, @abs(found - exact));
        relative = @max(relative, @abs(found - exact) / exact);
    }
    std.debug.print("log2 2^{d:.2} absolute, 2^{d:.2} relative\n", .{ @log2(worst), @log2(relative) });
}
