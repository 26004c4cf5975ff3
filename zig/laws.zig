//! What is left of strengths by each law, in f64, one register at a time.
//!
//!     exponential   2^(-age / first)            first: half-life
//!     power         (1 + age / first)^-second   scale, exponent: Wickelgren 1974, without its exponential factor
//!     hyperbolic    1 / (1 + age / first)       scale
//!     stretched     e^-((age / first)^second)   scale, shape
//!     savings       first / (first + log10(age / 60)^second), 1 up to a minute: Ebbinghaus 1885
//!     stability     0.9^(age / first)           after which nine tenths are left: the two-component model
//!
//! Half an ulp is the rounding to f32. What comes before it is, for exponents and shapes up to 100, at most 0.001 ulp
//! of the first three and of stability; 0.15 of stretched, where an error of (age / first)^second counts 226 times
//! before nothing is left; and 0.2 of savings just above a minute, where log10 is as wrong as age / 60.
//!
//! Times are in seconds, age is 0 or more.

const std = @import("std");
const simd = @import("simd.zig");
const F64s = simd.F64s;
const splat = simd.splat;

pub const Kind = enum(u32) {
    exponential = 0,
    power = 1,
    hyperbolic = 2,
    stretched = 3,
    savings = 4,
    stability = 5,

    pub fn hasSecond(kind: Kind) bool {
        return switch (kind) {
            .exponential, .hyperbolic, .stability => false,
            .power, .stretched, .savings => true,
        };
    }
};

/// 0.9 = 2^-ninety.
pub const ninety = 0.15200309344504995;

/// Parameters are positive and finite; the second is looked at where the law has one.
pub inline fn left(comptime kind: Kind, strengths: F64s, age: F64s, first: F64s, second: F64s) F64s {
    switch (kind) {
        .exponential => return strengths * exp2(-age / first),
        .stability => return strengths * exp2(-age * splat(ninety) / first),
        .power => return strengths * exp2(-second * log2(splat(1) + age / first)),
        // Infinite strengths stay that, after any age.
        .hyperbolic => return strengths * (splat(1) / @min(splat(1) + age / first, splat(largest))),
        .stretched => {
            const x = age / first;
            const power = exp2(@min(second * log2(x), splat(9)));
            // No shape is so small that at the ends the law did not hold.
            const all = @select(f64, x == splat(infinite), splat(infinite), power);
            return strengths * exp2(@select(f64, x == splat(0), splat(0), all * splat(-std.math.log2e)));
        },
        .savings => {
            const decades = log2(@max(age / splat(60), splat(1))) * splat(decades_per_octave);
            const power = simd.exp2(@max(@min(second * log2(decades), splat(1000)), splat(-1000)));
            const lost = @select(f64, age == splat(infinite), splat(largest), power);
            const share = @max(first / (first + lost), splat(0x1p-300));
            return @select(f64, age <= splat(60), strengths, strengths * share);
        },
    }
}

const infinite = std.math.inf(f64);
const largest = 0x1p1000;
const decades_per_octave = 0.30102999566398120;

/// Below -300 the product with any f32 rounds to 0 all the same.
inline fn exp2(exponent: F64s) F64s {
    return simd.exp2(@max(exponent, splat(-300)));
}

/// Of 0 the least there is, of infinity that, so that the smallest exponent makes nothing of it.
inline fn log2(x: F64s) F64s {
    const some = simd.log2(@max(@min(x, splat(largest)), splat(1.0 / @as(f64, largest))));
    return @select(f64, x == splat(infinite), x, some);
}

const testing = std.testing;

/// One memory at a time.
pub fn exact(kind: Kind, age: f64, first: f64, second: f64) f64 {
    return switch (kind) {
        .exponential => std.math.pow(f64, 2, -age / first),
        .power => std.math.exp(-second * std.math.log1p(age / first)),
        .hyperbolic => 1 / (1 + age / first),
        .stretched => std.math.exp(-std.math.pow(f64, age / first, second)),
        .savings => if (age <= 60) 1 else first / (first + std.math.pow(f64, std.math.log10(age / 60), second)),
        .stability => std.math.exp(-ninety * std.math.ln2 * age / first),
    };
}

/// Of a result in f32, in ulp, for exponents and shapes up to 100.
pub fn bound(kind: Kind) f64 {
    return switch (kind) {
        .exponential, .power, .hyperbolic, .stability => 0.501,
        .stretched => 0.65,
        .savings => 0.7,
    };
}

fn leftOf(comptime kind: Kind, strength: f64, age: f64, first: f64, second: f64) f64 {
    return left(kind, splat(strength), splat(age), splat(first), splat(second))[simd.wide_lanes - 1];
}

test "every law is as near its definition as its bound says" {
    var random = std.Random.DefaultPrng.init(7);
    const numbers = random.random();
    inline for (comptime std.enums.values(Kind)) |kind| for (0..200_000) |_| {
        const first = std.math.exp2(numbers.float(f64) * 40 - 10);
        const second = std.math.exp2(numbers.float(f64) * 14 - 8);
        // Ages around the first parameter, and just above a minute.
        const age = if (kind == .savings and numbers.boolean())
            60 + std.math.exp2(numbers.float(f64) * 30 - 18)
        else
            first * std.math.exp2(numbers.float(f64) * 16 - 8);
        const age_given: f32 = @floatCast(age);
        const found = leftOf(kind, 1, age_given, first, second);
        const wanted = exact(kind, age_given, first, second);
        if (wanted < 0x1p-126) continue;
        try testing.expectApproxEqAbs(wanted, found, (bound(kind) - 0.5) * ulp(wanted));
    };
}

fn ulp(x: f64) f64 {
    const binade = @max(std.math.frexp(x).exponent - 1, std.math.floatExponentMin(f32));
    return std.math.ldexp(@as(f64, 1), binade - std.math.floatMantissaBits(f32));
}

test "all is left at once, and nothing for ever" {
    inline for (comptime std.enums.values(Kind)) |kind| for ([_]f64{ 0x1p-149, 0.01, 1, 100, 3e38 }) |second| {
        for ([_]f64{ 0x1p-149, 1, 3e38 }) |first| {
            try testing.expectEqual(1, leftOf(kind, 1, 0, first, second));
            const nothing = leftOf(kind, 1, infinite, first, second);
            try testing.expectEqual(0, @as(f32, @floatCast(nothing)));
            try testing.expectEqual(infinite, leftOf(kind, infinite, infinite, first, second));
        }
    };
}

test "Ebbinghaus' own formula gives his own figures" {
    const minutes = [_]f64{ 20, 64, 526, 1440, 2 * 1440, 6 * 1440, 31 * 1440 };
    const per_cent = [_]f64{ 57.0, 46.8, 34.5, 30.4, 28.1, 24.9, 21.2 };
    for (minutes, per_cent) |after, savings| {
        const found = leftOf(.savings, 100, after * 60, 1.84, 1.25);
        try testing.expectApproxEqAbs(savings, found, 0.05);
    }
}
