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
    var sums_of: [2]F64s = @splat(@splat(0));
    var i: usize = 0;
    while (i + lanes <= elements.len) : (i += lanes) inline for (&sums_of, 0..) |*sum, half| {
        const x: F64s = @as(@Vector(wide_lanes, f32), elements[i + half * wide_lanes ..][0..wide_lanes].*);
        sum.* = simd.mulAdd(F64s, x, x, sum.*);
    };
    var total = simd.sum(sums_of[0] + sums_of[1]);
    for (elements[i..]) |x| total += @as(f64, x) * x;
    return @sqrt(total);
}

/// In f64 on the way, for a power of two may lie beyond f32. `elements` are whole registers.
pub fn scale(elements: []f32, by: f64) void {
    var i: usize = 0;
    while (i < elements.len) : (i += wide_lanes) {
        const some: F64s = @as(@Vector(wide_lanes, f32), elements[i..][0..wide_lanes].*);
        elements[i..][0..wide_lanes].* = @as(@Vector(wide_lanes, f32), @floatCast(some * simd.splat(by)));
    }
}

/// The power of two that brings the largest magnitude into [1, 2); 1 where there is none to bring.
pub fn unitScale(elements: []const f32) f64 {
    var some: F32s = @splat(0);
    var i: usize = 0;
    while (i + lanes <= elements.len) : (i += lanes) some = @max(some, @abs(@as(F32s, elements[i..][0..lanes].*)));
    var largest = @reduce(.Max, some);
    for (elements[i..]) |element| largest = @max(largest, @abs(element));
    if (largest == 0 or !std.math.isFinite(largest)) return 1;
    return std.math.ldexp(@as(f64, 1), -std.math.ilogb(@as(f64, largest)));
}
