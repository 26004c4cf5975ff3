//! Vector math the kernels share: lanes of this tier, tails, horizontal sums, exp2 and log2.

const std = @import("std");
const builtin = @import("builtin");
const lines = @import("lines.zig");

const x86 = builtin.cpu.arch == .x86_64;

fn has(comptime feature: std.Target.x86.Feature) bool {
    return x86 and builtin.cpu.has(.x86, feature);
}

/// f32 lanes of one register of this tier. Not `std.simd.suggestVectorLength`: the v4 model asks for 256 bits.
pub const lanes = if (has(.avx512f)) 16 else if (has(.avx2)) 8 else 4;
pub const F32s = @Vector(lanes, f32);

/// f64 lanes of one register.
pub const wide_lanes = lanes / 2;
pub const F64s = @Vector(wide_lanes, f64);
const U64s = @Vector(wide_lanes, u64);

/// Without the instruction, `@mulAdd` becomes one library call per lane.
const has_fma = !x86 or has(.fma);

/// a * b + c, in one rounding where the tier can.
pub inline fn mulAdd(comptime V: type, a: V, b: V, c: V) V {
    return if (has_fma) @mulAdd(V, a, b, c) else a * b + c;
}

/// Sum of the lanes by halves. (`@reduce` of floats is a serial chain unless NaN may be assumed away.)
pub fn sum(vector: anytype) @typeInfo(@TypeOf(vector)).vector.child {
    const T = @typeInfo(@TypeOf(vector)).vector.child;
    const len = @typeInfo(@TypeOf(vector)).vector.len;
    if (len == 1) return vector[0];
    const half = len / 2;
    const low = std.simd.extract(vector, 0, half);
    const high = std.simd.extract(vector, half, half);
    return sum(@as(@Vector(half, T), low) + @as(@Vector(half, T), high));
}

/// The sums of the lanes of four vectors, each added as `sum` adds.
pub inline fn sumEach(vectors: [4]F32s) @Vector(4, f32) {
    const first = addHalves(lanes, vectors[0], vectors[1]);
    const last = addHalves(lanes, vectors[2], vectors[3]);
    var all = addHalves(lanes / 2, first, last);
    comptime var width = lanes / 8;
    inline while (width > 0) : (width /= 2) all += @shuffle(f32, all, undefined, swapped(width));
    return @shuffle(f32, all, undefined, every(lanes / 4));
}

/// Of two vectors made of parts of so many lanes: the halves of each part added, those of `a` first.
inline fn addHalves(comptime width: usize, a: F32s, b: F32s) F32s {
    return @shuffle(f32, a, b, halves(width, 0)) + @shuffle(f32, a, b, halves(width, width / 2));
}

/// The lanes of one half of each part of `width`, of one vector and then another.
fn halves(width: usize, offset: usize) @Vector(lanes, i32) {
    var mask: [lanes]i32 = undefined;
    for (&mask, 0..) |*lane, i| {
        const from = i % (lanes / 2);
        const of: i32 = @intCast(from / (width / 2) * width + from % (width / 2) + offset);
        lane.* = if (i < lanes / 2) of else ~of;
    }
    return mask;
}

/// Neighbouring parts of `width` lanes in each other's place.
fn swapped(width: usize) @Vector(lanes, i32) {
    var mask: [lanes]i32 = undefined;
    for (&mask, 0..) |*lane, i| lane.* = @intCast(i ^ width);
    return mask;
}

/// The first of every so many lanes.
fn every(step: usize) @Vector(4, i32) {
    return .{ 0, @intCast(step), @intCast(2 * step), @intCast(3 * step) };
}

/// The last `len % lanes` elements of rows of one length, and zeros; no read leaves the row.
pub const Tail = if (lines.whole) MaskedTail else WindowTail;

const MaskedTail = struct {
    first: usize,
    mask: u16,

    pub fn of(len: usize) MaskedTail {
        const mask = (@as(u32, 1) << @intCast(len % lanes)) - 1;
        return .{ .first = len - len % lanes, .mask = @truncate(mask) };
    }

    pub inline fn read(tail: MaskedTail, row: []const f32) F32s {
        return lines.masked(row.ptr + tail.first, tail.mask);
    }
};

/// A row of at least one register ends in a window of a whole register, of which the lanes already seen are masked.
const WindowTail = struct {
    fresh: @Vector(lanes, bool),

    pub fn of(len: usize) WindowTail {
        const remainder = len % lanes;
        const first: u32 = if (len < lanes) 0 else @intCast(lanes - remainder);
        return .{ .fresh = std.simd.iota(u32, lanes) >= @as(@Vector(lanes, u32), @splat(first)) };
    }

    pub inline fn read(tail: WindowTail, row: []const f32) F32s {
        if (row.len >= lanes) {
            const window: F32s = row[row.len - lanes ..][0..lanes].*;
            return @select(f32, tail.fresh, window, @as(F32s, @splat(0)));
        }
        var short: [lanes]f32 = @splat(0);
        for (row, 0..) |element, lane| short[lane] = element;
        return short;
    }
};

pub inline fn splat(x: f64) F64s {
    return @splat(x);
}

/// Adding it leaves a whole number in the low mantissa bits: rounding, and conversion, without an instruction for
/// either.
const round_magic: f64 = 0x1.8p52;
const one_bits: u64 = @bitCast(@as(f64, 1));

/// 2^y for y in [-1022, 1023]; relative error below 9.5e-12: Taylor's series of e^(f ln 2), |f| <= 1/2, to the 9th
/// power leaves 7e-12 = (ln 2 / 2)^10 / 10! beside a sum of at least 0.707.
pub inline fn exp2(y: F64s) F64s {
    const shifted = y + splat(round_magic);
    const fraction = y - (shifted - splat(round_magic));
    var power = splat(taylor[taylor.len - 1]);
    inline for (1..taylor.len) |i| power = mulAdd(F64s, power, fraction, splat(taylor[taylor.len - 1 - i]));
    const exponent = (@as(U64s, @bitCast(shifted)) << @splat(52)) +% @as(U64s, @splat(one_bits));
    return power * @as(F64s, @bitCast(exponent));
}

const taylor = blk: {
    var coefficients: [10]f64 = undefined;
    coefficients[0] = 1;
    for (1..coefficients.len) |k| coefficients[k] = coefficients[k - 1] * std.math.ln2 / @as(f64, k);
    break :blk coefficients;
};

/// log2(y) for finite normal y > 0; absolute error below 6.5e-13 beside the rounding of the result:
/// 2/ln 2 * atanh(z), z = (m - 1)/(m + 1), m in [sqrt(1/2), sqrt 2], |z| < 0.1716, to the 13th power: what is left
/// adds up to 6.49e-13.
pub inline fn log2(y: F64s) F64s {
    const sqrt_half_bits: u64 = @bitCast(@as(f64, std.math.sqrt1_2));
    const offset = @as(U64s, @bitCast(y)) -% @as(U64s, @splat(sqrt_half_bits));
    const exponent_bits = offset & @as(U64s, @splat(0xFFF << 52));
    const mantissa: F64s = @bitCast(@as(U64s, @bitCast(y)) -% exponent_bits);
    // The biased form is never negative, so a logical shift serves, and the magic number converts.
    const biased = (exponent_bits +% @as(U64s, @splat(1024 << 52))) >> @splat(52);
    const magic_bits: u64 = @bitCast(@as(f64, 0x1p52));
    const exponent = @as(F64s, @bitCast(biased | @as(U64s, @splat(magic_bits)))) - splat(0x1p52 + 1024);
    const z = (mantissa - splat(1)) / (mantissa + splat(1));
    const square = z * z;
    var series = splat(1.0 / 13.0);
    inline for (.{ 11, 9, 7, 5, 3, 1 }) |k| series = mulAdd(F64s, series, square, splat(1.0 / @as(f64, k)));
    return mulAdd(F64s, z * series, splat(2.0 / @as(f64, std.math.ln2)), exponent);
}

const testing = std.testing;

test "a sum of lanes is the sum of every lane once" {
    var elements: [lanes]f32 = undefined;
    for (&elements, 0..) |*element, lane| element.* = @floatFromInt(@as(u32, 1) << @intCast(lane));
    try testing.expectEqual(@as(f32, @floatFromInt((@as(u32, 1) << lanes) - 1)), sum(@as(F32s, elements)));
}

test "sums of four vectors are the bits of their sums one by one" {
    var random = std.Random.DefaultPrng.init(1);
    for (0..100) |_| {
        var vectors: [4]F32s = undefined;
        for (&vectors) |*vector| {
            var elements: [lanes]f32 = undefined;
            for (&elements) |*element| element.* = random.random().float(f32) - 0.5;
            vector.* = elements;
        }
        const sums: [4]f32 = sumEach(vectors);
        for (vectors, sums) |vector, found| try testing.expectEqual(sum(vector), found);
    }
}

test "a tail holds the elements behind the last whole register, and zeros" {
    var row: [67]f32 = undefined;
    for (&row, 1..) |*element, i| element.* = @floatFromInt(i);
    for (1..row.len + 1) |len| {
        if (len % lanes == 0) continue;
        const tail: [lanes]f32 = Tail.of(len).read(row[0..len]);
        var seen: f64 = 0;
        for (tail) |element| seen += element;
        var expected: f64 = 0;
        for (row[len - len % lanes .. len]) |element| expected += element;
        try testing.expectEqual(expected, seen);
    }
}

test "exp2 and log2 hold their stated errors" {
    var random = std.Random.DefaultPrng.init(3);
    for (0..20_000) |_| {
        const y = (random.random().float(f64) - 0.5) * 2000;
        const power = exp2(splat(y))[wide_lanes - 1];
        try testing.expectApproxEqRel(std.math.exp2(y), power, 9.5e-12);
        const x = std.math.exp2(y);
        try testing.expectApproxEqAbs(std.math.log2(x), log2(splat(x))[0], 6.5e-13 + 3e-13);
    }
    try testing.expectEqual(1, exp2(splat(0))[0]);
    try testing.expectEqual(0, log2(splat(1))[0]);
}
