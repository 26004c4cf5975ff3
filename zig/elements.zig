//! Elements of reduced types as f32, a register of a row at a time.
//!
//! A register of f16 is two of f32, in the order of its elements. One of bf16 is the elements at even places and then
//! those at odd ones, one of i8 every fourth from the first, the second and so on: a shift and a mask of its words.
//! What meets them is arranged that way.

const std = @import("std");
const builtin = @import("builtin");
const rows = @import("rows.zig");
const simd = @import("simd.zig");
const F32s = simd.F32s;
const Type = rows.Type;
const Words = simd.Words;
const lanes = simd.lanes;

/// Elements of a register of rows.
pub fn perRegister(comptime of: Type) usize {
    return simd.width / of.size();
}

/// Registers of f32 that a register of rows is.
pub fn parts(comptime of: Type) usize {
    return 4 / of.size();
}

/// A register of a row.
pub inline fn widen(comptime of: Type, words: Words) [parts(of)]F32s {
    return switch (of) {
        .f32 => .{@bitCast(words)},
        .bf16 => .{ @bitCast(words << @splat(16)), @bitCast(words & @as(Words, @splat(0xFFFF_0000))) },
        .f16 => blk: {
            const halves: @Vector(2 * lanes, u16) = @bitCast(words);
            break :blk .{ fromHalves(simd.cut(halves, 0, lanes)), fromHalves(simd.cut(halves, lanes, lanes)) };
        },
        .i8 => blk: {
            var all = raised(words);
            inline for (&all) |*some| some.* *= @as(F32s, @splat(1.0 / raise));
            break :blk all;
        },
        .bits => unreachable,
    };
}

/// How much larger than they are `raised` gives elements.
pub const raise = 0x1p24;

/// A register of a row of i8, each element times `raise`: a byte at the upper end of its word.
pub inline fn raised(words: Words) [4]F32s {
    var all: [4]F32s = undefined;
    inline for (&all, 0..) |*some, place| {
        const upper = (words << @splat(24 - 8 * place)) & @as(Words, @splat(0xFF00_0000));
        some.* = @floatFromInt(@as(@Vector(lanes, i32), @bitCast(upper)));
    }
    return all;
}

/// Elements in the order in which `widen` gives those of a register.
pub inline fn arranged(comptime of: Type, elements: [parts(of)]F32s) [parts(of)]F32s {
    switch (of) {
        .f32, .f16 => return elements,
        .bf16 => return apart(elements),
        .i8 => {
            const first = apart(elements[0..2].*);
            const last = apart(elements[2..4].*);
            const even = apart(.{ first[0], last[0] });
            const odd = apart(.{ first[1], last[1] });
            return .{ even[0], odd[0], even[1], odd[1] };
        },
        .bits => comptime unreachable,
    }
}

/// Those at even places, and those at odd ones.
inline fn apart(elements: [2]F32s) [2]F32s {
    return .{
        @shuffle(f32, elements[0], elements[1], simd.everySecond(0)),
        @shuffle(f32, elements[0], elements[1], simd.everySecond(1)),
    };
}

/// A whole row, and zeros to the end of its last register.
pub fn widenRow(comptime of: Type, row: []const u8, to: []f32) void {
    const tail: simd.Tail = .of(row.len);
    var i: usize = 0;
    while (i < row.len) : (i += simd.width) {
        const words = if (i + simd.width <= row.len) simd.load(row, i) else tail.read(row);
        inline for (widen(of, words), 0..) |register, p| to[i / of.size() + p * lanes ..][0..lanes].* = register;
    }
}

/// Without the instruction, `@floatCast` becomes one library call per lane.
const converts_halves = builtin.cpu.arch != .x86_64 or builtin.cpu.has(.x86, .f16c) or builtin.cpu.has(.x86, .avx512f);

inline fn fromHalves(halves: @Vector(lanes, u16)) F32s {
    if (converts_halves) return @as(@Vector(lanes, f16), @bitCast(halves));
    const words: Words = halves;
    const magnitude = (words & @as(Words, @splat(0x7FFF))) << @splat(13);
    const finite = @as(F32s, @bitCast(magnitude)) * @as(F32s, @splat(0x1p112));
    const is_finite = magnitude < @as(Words, @splat(0x0F80_0000));
    const bits = @select(u32, is_finite, @as(Words, @bitCast(finite)), magnitude | @as(Words, @splat(0x7F80_0000)));
    return @bitCast(bits | (words & @as(Words, @splat(0x8000))) << @splat(16));
}

const testing = std.testing;

fn expectWidened(comptime of: Type, bytes: [simd.width]u8) !void {
    const each = comptime perRegister(of);
    var natural: [each]f32 = undefined;
    const Bits = if (of == .f32) u32 else if (of == .i8) i8 else u16;
    for (&natural, @as([each]Bits, @bitCast(bytes))) |*element, bits| element.* = switch (of) {
        .f32 => @bitCast(bits),
        .f16 => @as(f16, @bitCast(bits)),
        .bf16 => @bitCast(@as(u32, bits) << 16),
        .i8 => @floatFromInt(bits),
        .bits => unreachable,
    };
    const found: [each]u32 = @bitCast(widen(of, @bitCast(bytes)));
    const expected: [each]u32 = @bitCast(arranged(of, @bitCast(natural)));
    for (expected, found) |a, b| {
        // A NaN of f16 may be quieted.
        if (std.math.isNan(@as(f32, @bitCast(a)))) {
            try testing.expect(std.math.isNan(@as(f32, @bitCast(b))));
        } else try testing.expectEqual(a, b);
    }
}

test "every f16, bf16 and i8 is widened to the number it is" {
    var next: u16 = 0;
    while (true) {
        var bytes: [simd.width]u8 = undefined;
        for (std.mem.bytesAsSlice(u16, &bytes)) |*bits| {
            bits.* = next;
            next +%= 1;
        }
        inline for (.{ Type.f32, .f16, .bf16, .i8 }) |of| try expectWidened(of, bytes);
        if (next == 0) break;
    }
}

test "a half is what IEEE says it is" {
    const inf = std.math.inf(f32);
    const cases = [_]struct { u16, f32 }{
        .{ 0x0000, 0 },       .{ 0x8000, -0.0 },           .{ 0x3C00, 1 },          .{ 0xC000, -2 },
        .{ 0x0001, 0x1p-24 }, .{ 0x03FF, 1023 * 0x1p-24 }, .{ 0x7BFF, 65504 },      .{ 0x7C00, inf },
        .{ 0xFC00, -inf },    .{ 0x0400, 0x1p-14 },        .{ 0x3555, 0x1.554p-2 }, .{ 0x8001, -0x1p-24 },
    };
    for (cases) |case| {
        const found: [lanes]f32 = fromHalves(@splat(case[0]));
        for (found) |value| try testing.expectEqual(@as(u32, @bitCast(case[1])), @as(u32, @bitCast(value)));
    }
}
