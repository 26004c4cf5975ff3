//! Decay of strengths in place: s' = max(s * R(age), min(s, floor)).
//!
//!     exponential   R = 2^(-age / half_life)        halves with every half-life
//!     power         R = (1 + age / scale)^-exponent   Wickelgren 1974, without its exponential factor
//!
//! f32 in two parts where their bounds hold, on tiers that multiply and add in one rounding: the exponential law is
//! then within 0.67 ulp of the law taken in exact arithmetic, the power law within 0.67 + 0.0163 exponent; half
//! an ulp and half of that where a result is no normal number. For other memories everything between the f32 loaded and
//! the f32 stored is f64, within 0.501 ulp. Which of the two a memory is given depends on its own numbers alone, so its
//! bits do not depend on where it stands.
//!
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
const twofold = @import("twofold.zig");
const Twofold = twofold.Twofold;
const F32s = simd.F32s;
const F64s = simd.F64s;
const lanes = simd.lanes;
const wide_lanes = simd.wide_lanes;
const Wide = @Vector(lanes, f64);
const Mask = @Vector(lanes, bool);

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
                inline else => |known_each| switch (law.floor > 0) {
                    inline else => |floored| {
                        return Pass(kind, age_kind, known_each, floored).run(&law, &ages, strengths);
                    },
                },
            },
        },
    }
}

/// Half-lives and scales that f32 in two parts are for: their inverses, and these times the low part of a number, are
/// normal numbers.
const smallest_first = 0x1p-60;
const largest_first = 0x1p60;
/// Of the power law, for which the error of a logarithm counts so many times, and scales in an age.
const largest_exponent = 16;
const largest_quotient = 0x1p100;
/// Milliseconds that f64 has exactly, and moments whose differences with any other are such a number or look like none.
const largest_elapsed = 1 << 52;
const largest_now = 1 << 62;

fn Pass(comptime kind: Kind, comptime age_kind: std.meta.Tag(Ages), comptime each: bool, comptime floored: bool) type {
    return struct {
        /// What the law's parameters give once for all memories, or for each register of them.
        const Known = struct {
            inverse: Twofold,
            exponent: F32s,
            /// Ages after which nothing is left.
            end: F32s,
            able: Mask,

            inline fn of(law: *const Law, at: usize) Known {
                const first = parameter(f32, law.first, at, lanes);
                const exponent = if (kind == .power) parameter(f32, law.second, at, lanes) else splat(1);
                var able = both(atMost(splat(smallest_first), first), atMost(first, splat(largest_first)));
                if (kind == .power) able = both(able, atMost(exponent, splat(largest_exponent)));
                return .{
                    .inverse = .inverse(first),
                    .exponent = exponent,
                    .end = first * splat(-twofold.lowest),
                    .able = able,
                };
            }
        };

        /// A register of memories, and for which of them it holds.
        const Decayed = struct { strengths: F32s, able: Mask };

        fn run(law: *const Law, ages: *const Ages, strengths: []f32) Report {
            var report: Report = .{};
            const shared: Known = if (each) undefined else .of(law, 0);
            const fast = isNear(ages) and (each or shared.able[0]);
            const end = strengths.len - strengths.len % lanes;
            var at: usize = 0;
            while (true) : (at += lanes) {
                // No call is within this loop, which may keep in registers what it needs.
                if (fast) while (at < end) : (at += lanes) {
                    const decayed = inTwoParts(law, ages, &shared, at, strengths[at..][0..lanes].*);
                    if (!@reduce(.And, decayed.able)) break;
                    strengths[at..][0..lanes].* = decayed.strengths;
                };
                if (at == end) break;
                either(law, ages, &shared, at, strengths[at..][0..lanes], &report);
            }
            if (at < strengths.len) last(law, ages, &shared, strengths, at, &report);
            return report;
        }

        /// The memories behind the last whole register, in one that harmless ones fill up.
        noinline fn last(
            law: *const Law,
            ages: *const Ages,
            shared: *const Known,
            strengths: []f32,
            at: usize,
            report: *Report,
        ) void {
            var first: [lanes]f32 = undefined;
            var second: [lanes]f32 = undefined;
            var some = law.*;
            if (each) {
                some.first = filled(f32, &first, law.first[at..], 1);
                if (kind == .power) some.second = filled(f32, &second, law.second[at..], 1);
            }
            var moments: [lanes](if (age_kind == .seconds) f32 else i64) = undefined;
            const those: Ages = switch (age_kind) {
                .seconds => .{ .seconds = filled(f32, &moments, ages.seconds[at..], 0) },
                .unix_milliseconds => .{ .unix_milliseconds = .{
                    .now = ages.unix_milliseconds.now,
                    .times = filled(i64, &moments, ages.unix_milliseconds.times[at..], ages.unix_milliseconds.now),
                } },
            };
            var register: [lanes]f32 = undefined;
            _ = filled(f32, &register, strengths[at..], 1);
            either(&some, &those, shared, 0, &register, report);
            for (strengths[at..], register[0 .. strengths.len - at]) |*strength, decayed| strength.* = decayed;
        }

        /// In two parts, or in f64 for the memories that need it.
        noinline fn either(
            law: *const Law,
            ages: *const Ages,
            shared: *const Known,
            at: usize,
            strengths: *[lanes]f32,
            report: *Report,
        ) void {
            const before = strengths.*;
            if (!isNear(ages) or !(each or shared.able[0])) {
                strengths.* = inWide(law, ages, at, before, report);
                return;
            }
            const decayed = inTwoParts(law, ages, shared, at, before);
            strengths.* = decayed.strengths;
            if (@reduce(.And, decayed.able)) return;
            strengths.* = @select(f32, decayed.able, decayed.strengths, inWide(law, ages, at, before, report));
        }

        inline fn inTwoParts(
            law: *const Law,
            ages: *const Ages,
            shared: *const Known,
            at: usize,
            before: F32s,
        ) Decayed {
            const known = if (each) Known.of(law, at) else shared.*;
            var able = @abs(before) < splat(twofold.largest);
            if (each) able = both(able, known.able);
            const exponent = exponentOf(ages, &known, at, &able);
            const after = twofold.timesExp2(before, exponent);
            return .{ .strengths = if (floored) larger(after, smaller(before, splat(law.floor))) else after, .able = able };
        }

        inline fn exponentOf(ages: *const Ages, known: *const Known, at: usize, able: *Mask) twofold.Exponent {
            const inverse = known.inverse;
            if (age_kind == .seconds) {
                const given: F32s = ages.seconds[at..][0..lanes].*;
                able.* = both(able.*, atMost(splat(0), given));
                if (kind == .power) return ofPower(known, .product(given, inverse.high, inverse.low), able);
                return .ofProduct(smaller(given, known.end), -inverse.high, -inverse.low);
            }
            const since = difference(lanes, ages, at);
            able.* = both(able.*, since < @as(@Vector(lanes, u64), @splat(largest_elapsed)));
            const per_millisecond = (@as(Wide, inverse.high) + @as(Wide, inverse.low)) * @as(Wide, @splat(0.001));
            const quotient = simd.ofSmall(lanes, since) * per_millisecond;
            if (kind == .power) return ofPower(known, .ofWide(quotient), able);
            const lowest: Wide = @splat(twofold.lowest);
            return .of(.ofWide(larger(-quotient, lowest)));
        }

        inline fn ofPower(known: *const Known, quotient: Twofold, able: *Mask) twofold.Exponent {
            able.* = both(able.*, atMost(quotient.high, splat(largest_quotient)));
            const log2 = twofold.log2OfOnePlus(quotient);
            const exponent: Twofold = .product(-known.exponent, log2.high, log2.low);
            return .of(.{ .high = larger(exponent.high, splat(twofold.lowest)), .low = exponent.low });
        }

        fn inWide(law: *const Law, ages: *const Ages, at: usize, before: [lanes]f32, report: *Report) [lanes]f32 {
            var after: [lanes]f32 = undefined;
            inline for (.{ 0, wide_lanes }) |half| {
                const strengths: @Vector(wide_lanes, f32) = before[half..][0..wide_lanes].*;
                after[half..][0..wide_lanes].* = halfInWide(law, ages, at + half, strengths, report);
            }
            return after;
        }

        inline fn halfInWide(
            law: *const Law,
            ages: *const Ages,
            at: usize,
            strengths: @Vector(wide_lanes, f32),
            report: *Report,
        ) @Vector(wide_lanes, f32) {
            const zero: F64s = @splat(0);
            const given_age: F64s = switch (age_kind) {
                .seconds => @as(@Vector(wide_lanes, f32), ages.seconds[at..][0..wide_lanes].*),
                .unix_milliseconds => elapsed(wide_lanes, ages, at) / simd.splat(1000),
            };
            const negative = given_age < zero;
            const no_age = given_age != given_age;
            report.negative_ages += @reduce(.Add, @as(@Vector(wide_lanes, usize), @intFromBool(negative)));
            report.nan_ages += @reduce(.Add, @as(@Vector(wide_lanes, usize), @intFromBool(no_age)));
            const age = @select(f64, negative, zero, given_age);
            const first = parameter(f64, law.first, at, wide_lanes);
            const exponent = switch (kind) {
                .exponential => -age / first,
                .power => -parameter(f64, law.second, at, wide_lanes) * log2OfOnePlus(age / first),
            };
            const before: F64s = strengths;
            const after = before * exp2(exponent);
            const held = @max(after, @min(before, simd.splat(law.floor)));
            // `@max` and `@min` prefer a number to NaN.
            const undefined_lanes = @select(bool, no_age, no_age, before != before);
            return @floatCast(@select(f64, undefined_lanes, simd.splat(std.math.nan(f64)), held));
        }

        inline fn parameter(comptime T: type, values: []const f32, at: usize, comptime n: usize) @Vector(n, T) {
            return if (each) @as(@Vector(n, f32), values[at..][0..n].*) else @splat(values[0]);
        }
    };
}

/// Whether f32 in two parts may be for these ages: where now is near an end of i64, differences go around it.
inline fn isNear(ages: *const Ages) bool {
    return simd.has_fma and switch (ages.*) {
        .seconds => true,
        .unix_milliseconds => |stamps| -largest_now <= stamps.now and stamps.now <= largest_now,
    };
}

/// Milliseconds since each moment; as large numbers where they are none, or too many.
inline fn difference(comptime n: usize, ages: *const Ages, at: usize) @Vector(n, u64) {
    const stamps = ages.unix_milliseconds;
    const now: @Vector(n, i64) = @splat(stamps.now);
    return @bitCast(now -% @as(@Vector(n, i64), stamps.times[at..][0..n].*));
}

/// Milliseconds since each moment.
inline fn elapsed(comptime n: usize, ages: *const Ages, at: usize) @Vector(n, f64) {
    const stamps = ages.unix_milliseconds;
    const now: @Vector(n, i64) = @splat(stamps.now);
    return simd.ofWhole(n, now -| @as(@Vector(n, i64), stamps.times[at..][0..n].*));
}

/// `from` in the first elements of `to`, `other` in the rest.
fn filled(comptime T: type, to: *[lanes]T, from: []const T, other: T) []const T {
    to.* = @splat(other);
    for (to[0..from.len], from) |*element, given| element.* = given;
    return to;
}

inline fn splat(x: f32) F32s {
    return @splat(x);
}

/// One instruction, for numbers alone: `@min` and `@max` look for NaN.
inline fn smaller(a: anytype, b: @TypeOf(a)) @TypeOf(a) {
    return @select(@typeInfo(@TypeOf(a)).vector.child, a < b, a, b);
}

inline fn larger(a: anytype, b: @TypeOf(a)) @TypeOf(a) {
    return @select(@typeInfo(@TypeOf(a)).vector.child, a > b, a, b);
}

/// False where one is NaN.
inline fn atMost(a: F32s, b: F32s) Mask {
    return a <= b;
}

inline fn both(a: Mask, b: Mask) Mask {
    return @select(bool, a, b, a);
}

/// Below -300 the product with any f32 rounds to 0 all the same.
inline fn exp2(exponent: F64s) F64s {
    return simd.exp2(@max(exponent, simd.splat(-300)));
}

/// Infinite for an infinite age, whose retention is 0 under the smallest exponent too.
inline fn log2OfOnePlus(x: F64s) F64s {
    const infinite = simd.splat(std.math.inf(f64));
    const log2 = simd.log2(@min(simd.splat(1) + x, simd.splat(0x1p1000)));
    return @select(f64, x == infinite, infinite, log2);
}

const testing = std.testing;

fn retention(kind: Kind, age: f64, a: f64, b: f64) f64 {
    return switch (kind) {
        .exponential => std.math.pow(f64, 2, -@max(age, 0) / a),
        .power => std.math.pow(f64, 1 + @max(age, 0) / a, -b),
    };
}

/// What src/decay.rs promises. In f64 half an ulp for the rounding to f32, a thousandth for what comes before it, for
/// exponents up to 100: an ulp is at least 2^-24 of its number, so the thousandth is 5.9e-11; 9.5e-12 of exp2 and
/// 100 ln 2 6.5e-13 of log2 together are 5.5e-11. In two parts as twofold.zig says: 1.4e-9 ln 2 are 0.0163 of 2^-24.
fn bound(exponent: ?f32) f64 {
    const of_power = exponent orelse return 0.67;
    return if (of_power <= largest_exponent) 0.67 + 0.0163 * of_power else 0.501;
}

fn expectDecayed(exact: f64, found: f32, exponent: ?f32) !void {
    const binade = @max(std.math.frexp(exact).exponent - 1, std.math.floatExponentMin(f32));
    const ulp = std.math.ldexp(@as(f64, 1), binade - std.math.floatMantissaBits(f32));
    const normal = bound(exponent);
    const allowed = if (@abs(exact) < std.math.floatMin(f32)) 0.5 + normal / 2 else normal;
    try testing.expectApproxEqAbs(exact, @as(f64, found), allowed * ulp);
}

test "every law, kind of age and length is within its bound of the definition" {
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
            try expectDecayed(exact, strengths[i], if (kind == .power) exponents[p] else null);
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

test "every tier that multiplies and adds in one rounding gives the same bits" {
    if (!simd.has_fma) return error.SkipZigTest;
    const before = [_]f32{ 1, 0.7, -1.3, 2.9, 3e-5, 1e20, 0.25, 1.7 };
    const ages = [_]f32{ 1, 1234.5, 98_765.4, 604_800, 2_592_000, 3e6, 8_640_000, 0.015625 };
    const expected = [_][8]u32{
        .{ 0x3F7FFF79, 0x3F316F1A, 0xBF16AF67, 0x3CB9999A, 0x28FBA882, 0x4F524E18, 0x0C800000, 0x3FD99998 },
        .{ 0x3F7FFF0D, 0x3F300CD4, 0xBF005813, 0x3E5CB783, 0x34DC2F86, 0x5D7E40ED, 0x3A4CAE6B, 0x3FD99997 },
    };
    for ([_]Kind{ .exponential, .power }, expected) |kind, bits| {
        const law: Law = .{ .kind = kind, .first = &.{86_400}, .second = &.{1.25}, .floor = 0 };
        var strengths = before;
        _ = decay(law, .{ .seconds = &ages }, &strengths);
        try testing.expectEqual(bits, @as([8]u32, @bitCast(strengths)));
    }
}
