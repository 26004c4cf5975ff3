//! Decay of strengths: s' = max(s * R(age), min(s, floor)), where R is one of the laws of laws.zig.
//!
//! Exponential, of stability, and power: f32 in two parts where their bounds hold, on tiers that multiply and add in
//! one rounding: the first two are then within 0.67 ulp of the law taken in exact arithmetic, the power law within
//! 0.67 + 0.0163 exponent; half an ulp and half of that where a result is no normal number. For other memories and laws
//! everything between the f32 loaded and the f32 stored is f64, within what laws.zig says. Which of the two a memory is
//! given depends on its own numbers alone, so its bits do not depend on where it stands.
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
const laws = @import("laws.zig");
const simd = @import("simd.zig");
const twofold = @import("twofold.zig");
const Twofold = twofold.Twofold;
const F32s = simd.F32s;
const F64s = simd.F64s;
const lanes = simd.lanes;
const wide_lanes = simd.wide_lanes;
const Wide = @Vector(lanes, f64);
const Mask = @Vector(lanes, bool);

pub const Kind = laws.Kind;

/// `first` and `second` hold one value for all memories, or one each. Positive and finite; checked by whoever built it.
pub const Law = struct {
    kind: Kind,
    first: []const f32,
    /// Empty for laws of one parameter.
    second: []const f32,
    floor: f32,
};

pub const Ages = union(enum) {
    seconds: []const f32,
    unix_milliseconds: struct { now: i64, times: []const i64 },
    /// Of every memory.
    uniform: f32,
};

/// ecp_decay_report of ecphory.h.
pub const Report = extern struct { negative_ages: usize = 0, nan_ages: usize = 0 };

/// before [n], ages [n], law parameters [1] or [n]. `after` may be `before`.
pub fn decay(law: Law, ages: Ages, before: []const f32, after: []f32) Report {
    switch (law.kind) {
        inline else => |kind| switch (ages) {
            .uniform => |age| {
                if (law.first.len == 1) return Scale.of(kind, &law, age).run(before, after);
                return Pass(kind, .uniform, true, true).run(&law, &ages, before, after);
            },
            inline else => |_, age_kind| switch (law.first.len != 1 or before.len == 1) {
                inline else => |each| {
                    // A floor costs next to nothing but beside the fastest laws.
                    if ((kind == .exponential or kind == .power) and law.floor == 0) {
                        return Pass(kind, age_kind, each, false).run(&law, &ages, before, after);
                    }
                    return Pass(kind, age_kind, each, true).run(&law, &ages, before, after);
                },
            },
        },
    }
}

/// One age and one law for all memories: a factor. The bits are those of the same age for each.
const Scale = struct {
    factor: f64,
    floor: f64,
    age: f32,

    fn of(comptime kind: Kind, law: *const Law, age: f32) Scale {
        const second = if (comptime kind.hasSecond()) simd.splat(law.second[0]) else undefined;
        const counted = if (age < 0) 0 else age;
        const factor = laws.left(kind, simd.splat(1), simd.splat(counted), simd.splat(law.first[0]), second)[0];
        return .{ .factor = if (age == age) factor else age, .floor = law.floor, .age = age };
    }

    fn run(scale: Scale, before: []const f32, after: []f32) Report {
        var at: usize = 0;
        while (at + lanes <= before.len) : (at += lanes) after[at..][0..lanes].* = scale.left(before[at..][0..lanes].*);
        var register: [lanes]f32 = undefined;
        _ = filled(f32, &register, before[at..], 1);
        register = scale.left(register);
        for (after[at..], register[0 .. after.len - at]) |*strength, decayed| strength.* = decayed;
        return .{
            .negative_ages = if (scale.age < 0) before.len else 0,
            .nan_ages = if (scale.age == scale.age) 0 else before.len,
        };
    }

    inline fn left(scale: Scale, given: F32s) F32s {
        const before: Wide = given;
        const product = before * @as(Wide, @splat(scale.factor));
        // NaN stays that in this order.
        return @floatCast(larger(smaller(@as(Wide, @splat(scale.floor)), before), product));
    }
};

/// Whether a law is one of f32 in two parts.
fn inTwo(comptime kind: Kind, comptime age_kind: std.meta.Tag(Ages)) bool {
    return simd.has_fma and age_kind != .uniform and switch (kind) {
        .exponential, .power, .stability => true,
        .hyperbolic, .stretched, .savings => false,
    };
}

/// Half-lives and scales that f32 in two parts are for: their inverses, and these times the low part of a number, are
/// normal numbers.
const smallest_first = 0x1p-60;
const largest_first = 0x1p60;
/// Of the power law, for which the error of a logarithm counts so many times, and scales in an age.
const largest_exponent = 16;
const largest_quotient = 0x1p100;
/// Milliseconds that f64 has exactly, of which laws here take up to 2^48, and moments whose differences with any other
/// are such a number or look like none.
pub const largest_elapsed = 1 << 52;
const largest_now = 1 << 62;

fn Pass(comptime kind: Kind, comptime age_kind: std.meta.Tag(Ages), comptime each: bool, comptime floored: bool) type {
    return struct {
        const twofold_law = inTwo(kind, age_kind);

        /// What the law's parameters give once for all memories, or for each register of them.
        const Known = struct {
            inverse: Twofold,
            /// Of moments: the same by a thousand.
            per_millisecond: if (age_kind == .unix_milliseconds) Twofold else void,
            exponent: F32s,
            /// Ages after which nothing is left.
            end: F32s,
            able: Mask,

            const lowest: f32 = -twofold.lowest;

            inline fn of(law: *const Law, at: usize) Known {
                const first = parameter(f32, law.first, at, lanes);
                const exponent = if (kind == .power) parameter(f32, law.second, at, lanes) else splat(1);
                var able = both(atMost(splat(smallest_first), first), atMost(first, splat(largest_first)));
                if (kind == .power) able = both(able, atMost(exponent, splat(largest_exponent)));
                const alone: Twofold = .inverse(first);
                const inverse = if (kind == .stability) alone.times(laws.ninety) else alone;
                return .{
                    .inverse = inverse,
                    .per_millisecond = if (age_kind == .unix_milliseconds) inverse.times(0.001) else {},
                    .exponent = exponent,
                    .end = first * splat(if (kind == .stability) lowest / laws.ninety else lowest),
                    .able = able,
                };
            }
        };

        /// A register of memories, and for which of them it holds.
        const Decayed = struct { strengths: F32s, able: Mask };

        fn run(law: *const Law, ages: *const Ages, before: []const f32, after: []f32) Report {
            var report: Report = .{};
            const shared: Known = if (each or !twofold_law) undefined else .of(law, 0);
            const fast = twofold_law and isNear(ages) and (each or shared.able[0]);
            const end = before.len - before.len % lanes;
            var at: usize = 0;
            while (true) : (at += lanes) {
                // No call is within this loop, which may keep in registers what it needs.
                if (fast) while (at < end) : (at += lanes) {
                    const decayed = inTwoParts(law, ages, &shared, at, before[at..][0..lanes].*);
                    if (!@reduce(.And, decayed.able)) break;
                    after[at..][0..lanes].* = decayed.strengths;
                };
                if (at == end) break;
                either(law, ages, &shared, at, before[at..][0..lanes], after[at..][0..lanes], &report);
            }
            if (at < before.len) last(law, ages, &shared, before, after, at, &report);
            return report;
        }

        /// The memories behind the last whole register, in one that harmless ones fill up.
        noinline fn last(
            law: *const Law,
            ages: *const Ages,
            shared: *const Known,
            before: []const f32,
            after: []f32,
            at: usize,
            report: *Report,
        ) void {
            const count = before.len - at;
            var first: [lanes]f32 = undefined;
            var second: [lanes]f32 = undefined;
            var some = law.*;
            if (each) {
                some.first = filled(f32, &first, law.first[at..], 1);
                if (comptime kind.hasSecond()) some.second = filled(f32, &second, law.second[at..], 1);
            }
            var moments: [lanes](if (age_kind == .unix_milliseconds) i64 else f32) = undefined;
            const those: Ages = switch (age_kind) {
                .seconds => .{ .seconds = filled(f32, &moments, ages.seconds[at..], 0) },
                .unix_milliseconds => .{ .unix_milliseconds = .{
                    .now = ages.unix_milliseconds.now,
                    .times = filled(i64, &moments, ages.unix_milliseconds.times[at..], ages.unix_milliseconds.now),
                } },
                .uniform => ages.*,
            };
            var register: [lanes]f32 = undefined;
            _ = filled(f32, &register, before[at..], 1);
            var found: Report = .{};
            either(&some, &those, shared, 0, &register, &register, &found);
            for (after[at..], register[0..count]) |*strength, decayed| strength.* = decayed;
            // The age of all is also that of what fills the register up.
            const counted: usize = if (age_kind == .uniform) count else lanes;
            report.negative_ages += @min(found.negative_ages, counted);
            report.nan_ages += @min(found.nan_ages, counted);
        }

        /// In two parts, or in f64 for the memories that need it.
        noinline fn either(
            law: *const Law,
            ages: *const Ages,
            shared: *const Known,
            at: usize,
            before: *const [lanes]f32,
            after: *[lanes]f32,
            report: *Report,
        ) void {
            const given = before.*;
            if (!twofold_law or !isNear(ages) or !(each or shared.able[0])) {
                after.* = inWide(law, ages, at, given, report);
                return;
            }
            const decayed = inTwoParts(law, ages, shared, at, given);
            after.* = decayed.strengths;
            if (@reduce(.And, decayed.able)) return;
            after.* = @select(f32, decayed.able, decayed.strengths, inWide(law, ages, at, given, report));
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
            const held = if (floored) larger(after, smaller(before, splat(law.floor))) else after;
            return .{ .strengths = held, .able = able };
        }

        inline fn exponentOf(ages: *const Ages, known: *const Known, at: usize, able: *Mask) twofold.Exponent {
            const inverse = known.inverse;
            if (age_kind == .seconds) {
                const given: F32s = ages.seconds[at..][0..lanes].*;
                able.* = both(able.*, atMost(splat(0), given));
                if (kind == .power) return ofPower(known, .product(given, inverse.high, inverse.low), able);
                return .ofProduct(smaller(given, known.end), -inverse.high, -inverse.low);
            }
            // Two numbers that f32 has exactly, of which the first is 0 or above the other.
            const since: Halves = .of(difference(lanes, ages, at));
            able.* = both(able.*, since.isNear());
            const quotient = known.per_millisecond.of(since.high()).plus(known.per_millisecond.of(since.low()));
            if (kind == .power) return ofPower(known, quotient, able);
            const none_left = atMost(splat(-twofold.lowest), quotient.high);
            return .of(.{
                .high = @select(f32, none_left, splat(twofold.lowest), -quotient.high),
                .low = @select(f32, none_left, splat(0), -quotient.low),
            });
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
                .uniform => simd.splat(ages.uniform),
            };
            const negative = given_age < zero;
            const no_age = given_age != given_age;
            report.negative_ages += @reduce(.Add, @as(@Vector(wide_lanes, usize), @intFromBool(negative)));
            report.nan_ages += @reduce(.Add, @as(@Vector(wide_lanes, usize), @intFromBool(no_age)));
            const age = @select(f64, negative, zero, given_age);
            const first = parameter(f64, law.first, at, wide_lanes);
            const second = if (comptime kind.hasSecond()) parameter(f64, law.second, at, wide_lanes) else undefined;
            const before: F64s = strengths;
            const held = @max(laws.left(kind, before, age, first, second), @min(before, simd.splat(law.floor)));
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
pub inline fn isNear(ages: *const Ages) bool {
    return simd.has_fma and switch (ages.*) {
        .seconds, .uniform => true,
        .unix_milliseconds => |stamps| -largest_now <= stamps.now and stamps.now <= largest_now,
    };
}

/// Milliseconds by their lower 24 bits and the rest.
const Halves = struct {
    lower: simd.Words,
    upper: simd.Words,

    inline fn of(milliseconds: @Vector(lanes, u64)) Halves {
        const words: @Vector(2 * lanes, u32) = @bitCast(milliseconds);
        return .{
            .lower = @shuffle(u32, words, undefined, everyOther(0)),
            .upper = @shuffle(u32, words, undefined, everyOther(1)),
        };
    }

    /// Less than 2^48, which is some thousand years.
    inline fn isNear(halves: Halves) Mask {
        return halves.upper < @as(simd.Words, @splat(1 << 16));
    }

    inline fn low(halves: Halves) F32s {
        const bits = halves.lower & @as(simd.Words, @splat(0xFF_FFFF));
        return @floatFromInt(@as(@Vector(lanes, i32), @bitCast(bits)));
    }

    inline fn high(halves: Halves) F32s {
        const bits = (halves.upper << @splat(8)) | (halves.lower >> @splat(24));
        return @as(F32s, @floatFromInt(@as(@Vector(lanes, i32), @bitCast(bits)))) * splat(0x1p24);
    }
};

fn everyOther(comptime first: i32) @Vector(lanes, i32) {
    return std.simd.iota(i32, lanes) * @as(@Vector(lanes, i32), @splat(2)) + @as(@Vector(lanes, i32), @splat(first));
}

/// Milliseconds since each moment; as large numbers where they are none, or too many.
pub inline fn difference(comptime n: usize, ages: *const Ages, at: usize) @Vector(n, u64) {
    const stamps = ages.unix_milliseconds;
    const now: @Vector(n, i64) = @splat(stamps.now);
    return @bitCast(now -% @as(@Vector(n, i64), stamps.times[at..][0..n].*));
}

/// Milliseconds since each moment.
pub inline fn elapsed(comptime n: usize, ages: *const Ages, at: usize) @Vector(n, f64) {
    const stamps = ages.unix_milliseconds;
    const now: @Vector(n, i64) = @splat(stamps.now);
    return simd.ofWhole(n, now -| @as(@Vector(n, i64), stamps.times[at..][0..n].*));
}

/// `from` in the first elements of `to`, `other` in the rest.
pub fn filled(comptime T: type, to: *[lanes]T, from: []const T, other: T) []const T {
    to.* = @splat(other);
    for (to[0..from.len], from) |*element, given| element.* = given;
    return to;
}

inline fn splat(x: f32) F32s {
    return @splat(x);
}

/// One instruction, for numbers alone: `@min` and `@max` look for NaN.
pub inline fn smaller(a: anytype, b: @TypeOf(a)) @TypeOf(a) {
    return @select(@typeInfo(@TypeOf(a)).vector.child, a < b, a, b);
}

pub inline fn larger(a: anytype, b: @TypeOf(a)) @TypeOf(a) {
    return @select(@typeInfo(@TypeOf(a)).vector.child, a > b, a, b);
}

/// False where one is NaN.
pub inline fn atMost(a: F32s, b: F32s) Mask {
    return a <= b;
}

pub inline fn both(a: Mask, b: Mask) Mask {
    return @select(bool, a, b, a);
}
