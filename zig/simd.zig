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

/// A register as words, and its bytes.
pub const Words = @Vector(lanes, u32);
pub const width = lanes * @sizeOf(u32);

/// f64 lanes of one register.
pub const wide_lanes = lanes / 2;
pub const F64s = @Vector(wide_lanes, f64);

/// So many lanes of a vector, from `first` on.
pub inline fn cut(
    vector: anytype,
    comptime first: usize,
    comptime count: usize,
) @Vector(count, Child(@TypeOf(vector))) {
    return @shuffle(Child(@TypeOf(vector)), vector, undefined, following(first, count));
}

fn Child(comptime V: type) type {
    return @typeInfo(V).vector.child;
}

fn following(comptime first: usize, comptime count: usize) @Vector(count, i32) {
    @setEvalBranchQuota(10_000);
    var mask: [count]i32 = undefined;
    for (&mask, first..) |*lane, from| lane.* = @intCast(from);
    return mask;
}

/// The register of bytes from `at` on.
pub inline fn load(bytes: []const u8, at: usize) Words {
    return @bitCast(@as(@Vector(width, u8), bytes[at..][0..width].*));
}

pub inline fn store(bytes: []u8, at: usize, register: anytype) void {
    bytes[at..][0..width].* = @as(@Vector(width, u8), @bitCast(register));
}

/// Without the instruction, `@mulAdd` becomes one library call per lane.
pub const has_fma = !x86 or has(.fma);

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
    const low = cut(vector, 0, half);
    const high = cut(vector, half, half);
    return sum(@as(@Vector(half, T), low) + @as(@Vector(half, T), high));
}

/// The sums of the lanes of four vectors, each added as `sum` adds.
pub inline fn sumEach(comptime T: type, vectors: [4]@Vector(lanes, T)) @Vector(4, T) {
    @setEvalBranchQuota(10_000);
    const first = addHalves(T, lanes, vectors[0], vectors[1]);
    const last = addHalves(T, lanes, vectors[2], vectors[3]);
    var all = addHalves(T, lanes / 2, first, last);
    comptime var step = lanes / 8;
    inline while (step > 0) : (step /= 2) all = plus(T, all, @shuffle(T, all, undefined, swapped(step)));
    return @shuffle(T, all, undefined, every(lanes / 4));
}

/// Of two vectors made of parts of so many lanes: the halves of each part added, those of `a` first.
inline fn addHalves(
    comptime T: type,
    comptime part: usize,
    a: @Vector(lanes, T),
    b: @Vector(lanes, T),
) @Vector(lanes, T) {
    @setEvalBranchQuota(10_000);
    return plus(T, @shuffle(T, a, b, halves(part, 0)), @shuffle(T, a, b, halves(part, part / 2)));
}

/// Whole numbers go around.
inline fn plus(comptime T: type, a: @Vector(lanes, T), b: @Vector(lanes, T)) @Vector(lanes, T) {
    return if (T == f32) a + b else a +% b;
}

/// The lanes of one half of each part of so many, of one vector and then another.
fn halves(part: usize, offset: usize) @Vector(lanes, i32) {
    @setEvalBranchQuota(10_000);
    var mask: [lanes]i32 = undefined;
    for (&mask, 0..) |*lane, i| {
        const from = i % (lanes / 2);
        const of: i32 = @intCast(from / (part / 2) * part + from % (part / 2) + offset);
        lane.* = if (i < lanes / 2) of else ~of;
    }
    return mask;
}

/// Neighbouring parts of `part` lanes in each other's place.
fn swapped(part: usize) @Vector(lanes, i32) {
    var mask: [lanes]i32 = undefined;
    for (&mask, 0..) |*lane, i| lane.* = @intCast(i ^ part);
    return mask;
}

/// The first of every so many lanes.
fn every(step: usize) @Vector(4, i32) {
    return .{ 0, @intCast(step), @intCast(2 * step), @intCast(3 * step) };
}

/// The last `len % width` bytes of rows of one length, and zeros; no read leaves the row.
pub const Tail = if (lines.whole) MaskedTail else WindowTail;

const MaskedTail = struct {
    first: usize,
    mask: u64,

    pub fn of(len: usize) MaskedTail {
        const mask = (@as(u64, 1) << @intCast(len % width)) - 1;
        return .{ .first = len - len % width, .mask = mask };
    }

    pub inline fn read(tail: MaskedTail, row: []const u8) Words {
        return lines.masked(row.ptr + tail.first, tail.mask);
    }

    /// Which of `dim` elements a tail of so many has in a lane.
    pub fn inLane(dim: usize, each: usize, lane: usize) ?usize {
        const element = dim - dim % each + lane;
        return if (element < dim) element else null;
    }
};

/// A row of at least one register ends in a window of a whole register, of which the bytes already seen are masked.
const WindowTail = struct {
    fresh: @Vector(width, u8),

    pub fn of(len: usize) WindowTail {
        const first: u8 = if (len < width) 0 else @intCast(width - len % width);
        const is_fresh = std.simd.iota(u8, width) >= @as(@Vector(width, u8), @splat(first));
        const all: @Vector(width, u8) = @splat(0xFF);
        return .{ .fresh = @select(u8, is_fresh, all, @as(@Vector(width, u8), @splat(0))) };
    }

    pub inline fn read(tail: WindowTail, row: []const u8) Words {
        if (row.len >= width) {
            const window: @Vector(width, u8) = row[row.len - width ..][0..width].*;
            return @bitCast(window & tail.fresh);
        }
        var short: [width]u8 = @splat(0);
        var at: usize = 0;
        inline for (.{ 16, 8, 4, 2, 1 }) |some| if (some < width and row.len & some != 0) {
            short[at..][0..some].* = row[at..][0..some].*;
            at += some;
        };
        return @bitCast(short);
    }

    /// Which of `dim` elements a tail of so many has in a lane.
    pub fn inLane(dim: usize, each: usize, lane: usize) ?usize {
        if (dim < each) return if (lane < dim) lane else null;
        const element = dim - each + lane;
        return if (element >= dim - dim % each) element else null;
    }
};

/// Of two registers every second lane, from the first or from the second on.
pub fn everySecond(from: usize) @Vector(lanes, i32) {
    var mask: [lanes]i32 = undefined;
    for (&mask, 0..) |*lane, i| {
        const at: i32 = @intCast((2 * i + from) % lanes);
        lane.* = if (i < lanes / 2) at else ~at;
    }
    return mask;
}

pub inline fn splat(x: f64) F64s {
    return @splat(x);
}

/// Whole numbers as the nearest f64. AVX-512 has an instruction; others would take lane by lane.
pub inline fn ofWhole(comptime n: usize, whole: @Vector(n, i64)) @Vector(n, f64) {
    if (!x86 or has(.avx512dq)) return @floatFromInt(whole);
    const V = @Vector(n, u64);
    const bits: V = @bitCast(whole);
    // 2^84 + 2^63 + (whole - its low half), and 2^52 + its low half: the sum is the one rounding.
    const high = (bits >> @splat(32)) ^ @as(V, @splat(0x4530_0000_8000_0000));
    const low = (bits & @as(V, @splat(0xFFFF_FFFF))) | @as(V, @splat(0x4330_0000_0000_0000));
    const extra: @Vector(n, f64) = @splat(0x1p84 + 0x1p63 + 0x1p52);
    return (@as(@Vector(n, f64), @bitCast(high)) - extra) + @as(@Vector(n, f64), @bitCast(low));
}

/// Whole numbers below 2^52.
pub inline fn ofSmall(comptime n: usize, whole: @Vector(n, u64)) @Vector(n, f64) {
    const bits = whole | @as(@Vector(n, u64), @splat(@as(u64, @bitCast(@as(f64, 0x1p52)))));
    return @as(@Vector(n, f64), @bitCast(bits)) - @as(@Vector(n, f64), @splat(0x1p52));
}

/// Adding it leaves a whole number in the low mantissa bits: rounding, and conversion, without an instruction for
/// either.
const round_magic: f64 = 0x1.8p52;
const one_bits: u64 = @bitCast(@as(f64, 1));

/// 2^y for y in [-1022, 1023], a register or several; relative error below 9.5e-12: Taylor's series of e^(f ln 2),
/// |f| <= 1/2, to the 9th power leaves 7e-12 = (ln 2 / 2)^10 / 10! beside a sum of at least 0.707.
pub inline fn exp2(y: anytype) @TypeOf(y) {
    const V = @TypeOf(y);
    const magic: V = @splat(round_magic);
    const shifted = y + magic;
    const fraction = y - (shifted - magic);
    const power = polynomial(V, &taylor, fraction);
    const exponent = (bitsOf(shifted) << @splat(52)) +% @as(Bits(V), @splat(one_bits));
    return power * @as(V, @bitCast(exponent));
}

const taylor = blk: {
    var coefficients: [10]f64 = undefined;
    coefficients[0] = 1;
    for (1..coefficients.len) |k| coefficients[k] = coefficients[k - 1] * std.math.ln2 / @as(f64, k);
    break :blk coefficients;
};

/// log2(y) for finite normal y > 0, a register or several; absolute error below 6.5e-13 beside the rounding of the
/// result: 2/ln 2 * atanh(z), z = (m - 1)/(m + 1), m in [sqrt(1/2), sqrt 2], |z| < 0.1716, to the 13th power: what is
/// left adds up to 6.49e-13.
pub inline fn log2(y: anytype) @TypeOf(y) {
    const V = @TypeOf(y);
    const one: V = @splat(1);
    const sqrt_half_bits: u64 = @bitCast(@as(f64, std.math.sqrt1_2));
    const offset = bitsOf(y) -% @as(Bits(V), @splat(sqrt_half_bits));
    const exponent_bits = offset & @as(Bits(V), @splat(0xFFF << 52));
    const mantissa: V = @bitCast(bitsOf(y) -% exponent_bits);
    // The biased form is never negative, so a logical shift serves, and the magic number converts.
    const biased = (exponent_bits +% @as(Bits(V), @splat(1024 << 52))) >> @splat(52);
    const magic_bits: u64 = @bitCast(@as(f64, 0x1p52));
    const exponent = @as(V, @bitCast(biased | @as(Bits(V), @splat(magic_bits)))) - @as(V, @splat(0x1p52 + 1024));
    const z = (mantissa - one) / (mantissa + one);
    const series = polynomial(V, &of_atanh, z * z);
    return mulAdd(V, z * series, @splat(2.0 / @as(f64, std.math.ln2)), exponent);
}

const of_atanh = [_]f64{ 1, 1.0 / 3.0, 1.0 / 5.0, 1.0 / 7.0, 1.0 / 9.0, 1.0 / 11.0, 1.0 / 13.0 };

fn Bits(comptime V: type) type {
    return @Vector(@typeInfo(V).vector.len, u64);
}

inline fn bitsOf(x: anytype) Bits(@TypeOf(x)) {
    return @bitCast(x);
}

/// Coefficients from the power 0 on, two and two of them at once: few of the steps wait for one another.
inline fn polynomial(comptime V: type, comptime coefficients: []const f64, x: V) V {
    var terms: [coefficients.len]V = undefined;
    inline for (&terms, coefficients) |*term, coefficient| term.* = @splat(coefficient);
    comptime var count = coefficients.len;
    var power = x;
    inline while (count > 1) {
        inline for (0..count / 2) |i| terms[i] = mulAdd(V, terms[2 * i + 1], power, terms[2 * i]);
        if (count % 2 == 1) terms[count / 2] = terms[count - 1];
        count = (count + 1) / 2;
        if (count > 1) power *= power;
    }
    return terms[0];
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
        const sums: [4]f32 = sumEach(f32, vectors);
        for (vectors, sums) |vector, found| try testing.expectEqual(sum(vector), found);
        const whole: [4]u32 = sumEach(u32, @bitCast(vectors));
        for (vectors, whole) |vector, found| {
            try testing.expectEqual(@reduce(.Add, @as(Words, @bitCast(vector))), found);
        }
    }
}

test "a tail holds the bytes behind the last whole register, and zeros, in the lanes it says" {
    var row: [150]u8 = undefined;
    for (&row, 1..) |*byte, i| byte.* = @intCast(i);
    for (1..row.len + 1) |len| {
        if (len % width == 0) continue;
        const tail: [width]u8 = @bitCast(Tail.of(len).read(row[0..len]));
        var seen: usize = 0;
        for (tail, 0..) |byte, lane| {
            const at = Tail.inLane(len, width, lane);
            try testing.expectEqual(if (at) |i| row[i] else 0, byte);
            if (at) |i| try testing.expect(i >= len - len % width);
            seen += @intFromBool(at != null);
        }
        try testing.expectEqual(len % width, seen);
    }
}

test "whole numbers become the nearest f64" {
    var random = std.Random.DefaultPrng.init(5);
    const ends = [_]i64{ 0, 1, -1, std.math.maxInt(i64), std.math.minInt(i64), 1 << 32, -(1 << 32), (1 << 53) + 1 };
    for (0..20_000) |i| {
        const any = random.random().int(i64) >> @intCast(random.random().int(u6));
        const whole = if (i < ends.len) ends[i] else any;
        const found = ofWhole(wide_lanes, @splat(whole))[wide_lanes - 1];
        try testing.expectEqual(@as(f64, @floatFromInt(whole)), found);
        const small: u52 = @truncate(@as(u64, @bitCast(whole)));
        try testing.expectEqual(@as(f64, @floatFromInt(small)), ofSmall(wide_lanes, @splat(small))[wide_lanes - 1]);
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
