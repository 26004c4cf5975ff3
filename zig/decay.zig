//! Decay of strengths in place: s' = max(s * R(age), min(s, floor)).
//!
//!     exponential   R = 2^(-age / half_life)        halves with every half-life
//!     power         R = (1 + age / scale)^-exponent   Wickelgren 1974, without its exponential factor
//!
//! Everything between the f32 loaded and the f32 stored is f64, so a result errs by little more than its one rounding.
//! A strength already below the floor stays as it is: decay never raises. No scratch, so nothing here can run out of
//! memory.
//!
//! | age | result | | strength | result |
//! |---|---|---|---|---|
//! | below 0 | as age 0; counted | | negative | decays towards 0 from below |
//! | NaN | NaN; counted | | NaN | NaN |
//! | +inf | 0, or the floor | | +-inf | +-inf |

const std = @import("std");
const simd = @import("simd.zig");
const F64s = simd.F64s;
const lanes = simd.wide_lanes;

pub const Kind = enum(u32) { exponential = 0, power = 1 };

/// `first` and `second` hold one value for all memories, or one each. Positive and finite; checked by whoever built it.
pub const Law = struct {
    kind: Kind,
    /// Half-lives, or scales, in seconds.
    first: []const f32,
    /// Exponents; empty for the exponential law.
    second: []const f32,
    floor: f32,
};

pub const Ages = union(enum) {
    seconds: []const f32,
    unix_milliseconds: struct { now: i64, times: []const i64 },
};

/// ecp_decay_report of ecphory.h.
pub const Report = extern struct { negative_ages: usize = 0, nan_ages: usize = 0 };

/// strengths [n], ages [n], law parameters [1] or [n].
pub fn decay(law: Law, ages: Ages, strengths: []f32) Report {
    const each = law.first.len != 1 or strengths.len == 1;
    switch (law.kind) {
        inline else => |kind| switch (ages) {
            inline else => |_, age_kind| switch (each) {
                inline else => |known_each| return Pass(kind, age_kind, known_each).run(law, ages, strengths),
            },
        },
    }
}

fn Pass(comptime kind: Kind, comptime age_kind: std.meta.Tag(Ages), comptime each: bool) type {
    return struct {
        fn run(law: Law, ages: Ages, strengths: []f32) Report {
            var report: Report = .{};
            var i: usize = 0;
            while (i + lanes <= strengths.len) : (i += lanes) {
                strengths[i..][0..lanes].* = step(
                    law,
                    i,
                    lanes,
                    ageAt(ages, i, lanes),
                    strengths[i..][0..lanes].*,
                    &report,
                );
            }
            while (i < strengths.len) : (i += 1) {
                strengths[i..][0..1].* = step(law, i, 1, ageAt(ages, i, 1), strengths[i..][0..1].*, &report);
            }
            return report;
        }

        inline fn step(
            law: Law,
            i: usize,
            comptime n: usize,
            given_age: @Vector(n, f64),
            strength: @Vector(n, f32),
            report: *Report,
        ) @Vector(n, f32) {
            const V = @Vector(n, f64);
            const zero: V = @splat(0);
            const negative = given_age < zero;
            const no_age = given_age != given_age;
            report.negative_ages += @reduce(.Add, @as(@Vector(n, usize), @intFromBool(negative)));
            report.nan_ages += @reduce(.Add, @as(@Vector(n, usize), @intFromBool(no_age)));
            const age = @select(f64, negative, zero, given_age);
            const exponent = switch (kind) {
                .exponential => -age / parameter(law.first, i, n),
                .power => -parameter(law.second, i, n) * log2OfOnePlus(n, age / parameter(law.first, i, n)),
            };
            const before: V = strength;
            const after = before * exp2(n, exponent);
            const floored = @max(after, @min(before, @as(V, @splat(law.floor))));
            // `@max` and `@min` prefer a number to NaN.
            const undefined_lanes = @select(bool, no_age, no_age, before != before);
            return @floatCast(@select(f64, undefined_lanes, @as(V, @splat(std.math.nan(f64))), floored));
        }

        inline fn parameter(values: []const f32, i: usize, comptime n: usize) @Vector(n, f64) {
            return if (each) @as(@Vector(n, f32), values[i..][0..n].*) else @splat(values[0]);
        }

        inline fn ageAt(ages: Ages, i: usize, comptime n: usize) @Vector(n, f64) {
            switch (age_kind) {
                .seconds => return @as(@Vector(n, f32), ages.seconds[i..][0..n].*),
                .unix_milliseconds => {
                    const stamps = ages.unix_milliseconds;
                    const now: @Vector(n, i64) = @splat(stamps.now);
                    const elapsed = now -| @as(@Vector(n, i64), stamps.times[i..][0..n].*);
                    return @as(@Vector(n, f64), @floatFromInt(elapsed)) / @as(@Vector(n, f64), @splat(1000));
                },
            }
        }
    };
}

/// Below -300 the product with any f32 rounds to 0 all the same.
inline fn exp2(comptime n: usize, exponent: @Vector(n, f64)) @Vector(n, f64) {
    const low: @Vector(n, f64) = @splat(-300);
    const bounded = @max(exponent, low);
    return if (n == lanes) simd.exp2(bounded) else first(n, simd.exp2(@splat(bounded[0])));
}

/// Infinite for an infinite age, whose retention is 0 under the smallest exponent too.
inline fn log2OfOnePlus(comptime n: usize, x: @Vector(n, f64)) @Vector(n, f64) {
    const one: @Vector(n, f64) = @splat(1);
    const infinite: @Vector(n, f64) = @splat(std.math.inf(f64));
    const y = @min(one + x, @as(@Vector(n, f64), @splat(0x1p1000)));
    const log2 = if (n == lanes) simd.log2(y) else first(n, simd.log2(@splat(y[0])));
    return @select(f64, x == infinite, infinite, log2);
}

inline fn first(comptime n: usize, vector: F64s) @Vector(n, f64) {
    return std.simd.extract(vector, 0, n);
}

const testing = std.testing;

fn retention(kind: Kind, age: f64, a: f64, b: f64) f64 {
    return switch (kind) {
        .exponential => std.math.pow(f64, 2, -@max(age, 0) / a),
        .power => std.math.pow(f64, 1 + @max(age, 0) / a, -b),
    };
}

/// What src/decay.rs promises, for exponents up to 100: half an ulp for the rounding to f32, a thousandth for what
/// comes before it. An ulp is at least 2^-24 of its number, so the thousandth is 5.9e-11; 9.5e-12 of exp2 and
/// 100 ln 2 6.5e-13 of log2 together are 5.5e-11.
fn expectDecayed(exact: f64, found: f32) !void {
    const exponent = @max(std.math.frexp(exact).exponent - 1, std.math.floatExponentMin(f32));
    const ulp = std.math.ldexp(@as(f64, 1), exponent - std.math.floatMantissaBits(f32));
    try testing.expectApproxEqAbs(exact, @as(f64, found), 0.501 * ulp);
}

test "every law, kind of age and length is within one rounding of the definition" {
    var strengths: [67]f32 = undefined;
    var before: [67]f32 = undefined;
    var seconds: [67]f32 = undefined;
    var times: [67]i64 = undefined;
    var scales: [67]f32 = undefined;
    var exponents: [67]f32 = undefined;
    const now: i64 = 1_700_000_000_123;
    for (&before, &seconds, &times, &scales, &exponents, 0..) |*s, *age, *time, *scale, *exponent, i| {
        const x: f32 = @floatFromInt(i);
        s.* = if (i % 5 == 4) -x / 7 else x / 13;
        age.* = x * x * 1000 - 3000;
        time.* = now - @as(i64, @intCast(i * i * 999_983)) + 2500;
        scale.* = 1 + x * 333;
        exponent.* = 0.1 + x * x / 67 / 67 * 100;
    }
    for (1..68) |len| for (0..8) |variant| {
        const kind: Kind = if (variant & 1 == 0) .exponential else .power;
        const each = variant & 2 != 0;
        const stamps = variant & 4 != 0;
        const law: Law = .{
            .kind = kind,
            .first = scales[0..if (each) len else 1],
            .second = if (kind == .power) exponents[0..if (each) len else 1] else &.{},
            .floor = 0,
        };
        const ages: Ages = if (stamps)
            .{ .unix_milliseconds = .{ .now = now, .times = times[0..len] } }
        else
            .{ .seconds = seconds[0..len] };
        @memcpy(&strengths, &before);
        const report = decay(law, ages, strengths[0..len]);
        var negative: usize = 0;
        for (0..len) |i| {
            const age: f64 = if (stamps) @as(f64, @floatFromInt(now - times[i])) / 1000 else seconds[i];
            negative += @intFromBool(age < 0);
            const p = if (each) i else 0;
            const exact = @as(f64, before[i]) * retention(kind, age, scales[p], exponents[p]);
            try expectDecayed(exact, strengths[i]);
        }
        try testing.expectEqual(negative, report.negative_ages);
        try testing.expectEqual(0, report.nan_ages);
        for (strengths[len..], before[len..]) |after, s| try testing.expectEqual(s, after);
    };
}

test "a half-life halves, exactly" {
    var strengths = [_]f32{ 1, 1, 0.5, 8, 1 };
    const ages = [_]f32{ 0, 86_400, 172_800, 3 * 86_400, 10 * 86_400 };
    _ = decay(
        .{ .kind = .exponential, .first = &.{86_400}, .second = &.{}, .floor = 0 },
        .{ .seconds = &ages },
        &strengths,
    );
    try testing.expectEqualSlices(f32, &.{ 1, 0.5, 0.125, 1, 0x1p-10 }, &strengths);
}

test "the floor holds what falls and raises nothing" {
    for ([_]Kind{ .exponential, .power }) |kind| {
        var strengths = [_]f32{ 1, 0.05, -1, 0.2, 0 };
        const ages = [_]f32{ 1e9, 1e9, 0, std.math.inf(f32), 5 };
        _ = decay(.{ .kind = kind, .first = &.{10}, .second = &.{2}, .floor = 0.1 }, .{ .seconds = &ages }, &strengths);
        try testing.expectEqualSlices(f32, &.{ 0.1, 0.05, -1, 0.1, 0 }, &strengths);
    }
}

test "NaN and infinities give their stated results in every lane, and are counted" {
    const nan = std.math.nan(f32);
    const inf = std.math.inf(f32);
    for ([_]Kind{ .exponential, .power }) |kind| for (1..40) |len| for (0..len) |at| {
        const law: Law = .{ .kind = kind, .first = &.{10}, .second = &.{0.01}, .floor = 0 };
        var ages: [40]f32 = @splat(10);
        var strengths: [40]f32 = @splat(1);
        ages[at] = nan;
        try testing.expectEqual(1, decay(law, .{ .seconds = ages[0..len] }, strengths[0..len]).nan_ages);
        for (strengths[0..len], 0..) |s, i| try testing.expectEqual(i == at, std.math.isNan(s));
        strengths = @splat(1);
        ages[at] = -5;
        try testing.expectEqual(1, decay(law, .{ .seconds = ages[0..len] }, strengths[0..len]).negative_ages);
        try testing.expectEqual(1, strengths[at]);
        ages[at] = inf;
        strengths[at] = 1;
        _ = decay(law, .{ .seconds = ages[0..len] }, strengths[0..len]);
        try testing.expectEqual(0, strengths[at]);
        ages[at] = 10;
        strengths[at] = nan;
        try testing.expectEqual(0, decay(law, .{ .seconds = ages[0..len] }, strengths[0..len]).nan_ages);
        try testing.expect(std.math.isNan(strengths[at]));
        strengths[at] = -inf;
        _ = decay(law, .{ .seconds = ages[0..len] }, strengths[0..len]);
        try testing.expectEqual(-inf, strengths[at]);
    };
}

test "timestamps at the ends of i64 do not wrap" {
    var strengths = [_]f32{ 1, 1, 1 };
    const times = [_]i64{ std.math.minInt(i64), std.math.maxInt(i64), 5 };
    const law: Law = .{ .kind = .exponential, .first = &.{1}, .second = &.{}, .floor = 0 };
    const report = decay(law, .{ .unix_milliseconds = .{ .now = std.math.maxInt(i64), .times = &times } }, &strengths);
    try testing.expectEqualSlices(f32, &.{ 0, 1, 0 }, &strengths);
    try testing.expectEqual(0, report.negative_ages);
    const early = decay(law, .{ .unix_milliseconds = .{ .now = std.math.minInt(i64), .times = &times } }, &strengths);
    try testing.expectEqual(2, early.negative_ages);
}

test "denormal and huge strengths and parameters keep their digits" {
    var strengths = [_]f32{ 0x1p-126, 0x1p-140, 3e38, 1, 1 };
    const ages = [_]f32{ 1, 1, 1, 1e-40, 3e38 };
    _ = decay(.{ .kind = .exponential, .first = &.{1}, .second = &.{}, .floor = 0 }, .{ .seconds = &ages }, &strengths);
    try testing.expectEqualSlices(f32, &.{ 0x1p-127, 0x1p-141, 1.5e38, 1, 0 }, &strengths);
    strengths = @splat(1);
    _ = decay(
        .{ .kind = .power, .first = &.{1e-45}, .second = &.{1e-45}, .floor = 0 },
        .{ .seconds = &ages },
        &strengths,
    );
    try testing.expectEqualSlices(f32, &.{ 1, 1, 1, 1, 1 }, &strengths);
}
