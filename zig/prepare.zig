//! Queries of numbers made ready for rows of a type: widened, arranged, scaled.

const std = @import("std");
const elements_zig = @import("elements.zig");
const rows_zig = @import("rows.zig");
const simd = @import("simd.zig");
const F32s = simd.F32s;
const F64s = simd.F64s;
const Rows = rows_zig.Rows;
const Type = rows_zig.Type;
const Words = simd.Words;
const lanes = simd.lanes;
const wide_lanes = simd.wide_lanes;
const width = simd.width;

/// The elements of query `q` as those of rows of a type are widened; those of f32 where they are.
pub fn widened(rows: Type, queries: *const Rows, q: usize, block: []align(64) u8) []const f32 {
    return switch (rows) {
        .f32 => queries.as(f32, q),
        .bits => unreachable,
        inline else => |of| fill(of, queries, q, block),
    };
}

/// The elements of query `q` as f32 in the order in which those of a row of the type `of` meet them.
pub fn fill(comptime of: Type, queries: *const Rows, q: usize, block: []align(64) u8) []align(64) f32 {
    const each = comptime elements_zig.perRegister(of);
    const count = (queries.dim + each - 1) / each * each;
    const to: []align(64) f32 = @ptrCast(block[0 .. count * @sizeOf(f32)]);
    if (queries.type == of) {
        elements_zig.widenRow(of, queries.at(q), to);
        return to;
    }
    const parts = comptime elements_zig.parts(of);
    const from = queries.at(q);
    var i: usize = 0;
    while (i < count * @sizeOf(f32)) : (i += parts * width) {
        var last: [parts * width]u8 = @splat(0);
        if (i + last.len > from.len) for (0..each) |lane| {
            const at = simd.Tail.inLane(queries.dim, each, lane) orelse continue;
            last[lane * 4 ..][0..4].* = from[at * 4 ..][0..4].*;
        };
        var some: [parts]F32s = undefined;
        inline for (&some, 0..) |*register, p| {
            const at = p * width;
            register.* = @bitCast(if (i + last.len > from.len) simd.load(&last, at) else simd.load(from, i + at));
        }
        inline for (elements_zig.arranged(of, some), 0..) |register, p| simd.store(block, i + p * width, register);
    }
    return to;
}

/// bf16 again, register for register, in the lower half of their block.
pub fn paired(block: []align(64) u8) []align(64) const u8 {
    var i: usize = 0;
    while (i < block.len) : (i += 2 * width) {
        const even = simd.load(block, i) >> @splat(16);
        const odd = simd.load(block, i + width) & @as(Words, @splat(0xFFFF_0000));
        simd.store(block, i / 2, even | odd);
    }
    return block[0 .. block.len / 2];
}

/// In f64.
pub fn norm(elements: []const f32) f64 {
    const each = 4 * wide_lanes;
    var chains: [4]F64s = @splat(@splat(0));
    var i: usize = 0;
    while (i + each <= elements.len) : (i += each) inline for (&chains, 0..) |*sum, c| {
        const x: F64s = @as(@Vector(wide_lanes, f32), elements[i + c * wide_lanes ..][0..wide_lanes].*);
        sum.* = simd.mulAdd(F64s, x, x, sum.*);
    };
    while (i + wide_lanes <= elements.len) : (i += wide_lanes) {
        const x: F64s = @as(@Vector(wide_lanes, f32), elements[i..][0..wide_lanes].*);
        chains[0] = simd.mulAdd(F64s, x, x, chains[0]);
    }
    var total = simd.sum((chains[0] + chains[1]) + (chains[2] + chains[3]));
    for (elements[i..]) |x| total += @as(f64, x) * x;
    return @sqrt(total);
}

/// `elements` are whole registers.
pub fn scale(elements: []f32, by: f64) void {
    const plain: f32 = @floatCast(by);
    if (!std.math.isNormal(plain)) return scaleWide(elements, by);
    var i: usize = 0;
    while (i < elements.len) : (i += lanes) {
        const some: F32s = elements[i..][0..lanes].*;
        elements[i..][0..lanes].* = some * @as(F32s, @splat(plain));
    }
}

/// By a power of two beyond f32.
noinline fn scaleWide(elements: []f32, by: f64) void {
    @branchHint(.cold);
    for (elements) |*element| element.* = @floatCast(element.* * by);
}

/// The power of two that brings the largest magnitude into [1, 2); 1 where there is none to bring.
pub fn unitScale(elements: []const f32) f64 {
    const magnitude: Words = @splat(std.math.maxInt(i32));
    // Magnitudes order as their bits do, with infinity and NaN above all others.
    var largest: Words = @splat(0);
    var i: usize = 0;
    while (i + lanes <= elements.len) : (i += lanes) {
        const bits: Words = @bitCast(@as(F32s, elements[i..][0..lanes].*));
        largest = @max(largest, bits & magnitude);
    }
    var bits = @reduce(.Max, largest);
    for (elements[i..]) |element| bits = @max(bits, @as(u32, @bitCast(@abs(element))));
    const found: f32 = @bitCast(bits);
    if (found == 0 or !std.math.isFinite(found)) return 1;
    return std.math.ldexp(@as(f64, 1), -std.math.ilogb(@as(f64, found)));
}
