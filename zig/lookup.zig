//! Which of eight numbers each lane of a register asks for: what vectors of Zig do not reach.

const std = @import("std");
const builtin = @import("builtin");
const simd = @import("simd.zig");
const F32s = simd.F32s;
const lanes = simd.lanes;

const permutes = builtin.cpu.arch == .x86_64 and builtin.cpu.has(.x86, .avx2);

/// By the three lowest bits of each place.
pub inline fn ofEight(comptime numbers: [8]f32, places: simd.Words) F32s {
    if (!permutes) {
        var found: [lanes]f32 = undefined;
        inline for (&found, 0..) |*number, lane| number.* = numbers[places[lane] & 7];
        return found;
    }
    const register: F32s = comptime @shuffle(f32, @as(@Vector(8, f32), numbers), undefined, repeated);
    return asm ("vpermps %[register], %[places], %[out]"
        : [out] "=v" (-> F32s),
        : [register] "v" (register),
          [places] "v" (places),
    );
}

const repeated = blk: {
    var from: [lanes]i32 = undefined;
    for (&from, 0..) |*place, lane| place.* = lane % 8;
    break :blk from;
};

const testing = std.testing;

test "each lane finds the number that its three lowest bits name" {
    const numbers = [_]f32{ 3, 1, 4, 1.5, 9, 2.6, 5, 3.5 };
    for (0..24) |from| {
        const first: simd.Words = @splat(@intCast(from));
        const places = std.simd.iota(u32, lanes) * @as(simd.Words, @splat(5)) + first;
        const found: [lanes]f32 = ofEight(numbers, places);
        for (found, @as([lanes]u32, places)) |number, place| try testing.expectEqual(numbers[place % 8], number);
    }
}
