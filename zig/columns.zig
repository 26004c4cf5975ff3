//! Eight short rows of a sweep side by side, a lane for each, where they hold their edges by columns: the first edge of
//! each, then the second of each that has two, and so on (jagged diagonals: Saad 1989; in slices of sorted rows:
//! Kreutzer et al. 2014). Every read of eight edges then has work for each lane, and no row ends in a sum of lanes.
//!
//! Rows 8 g to 8 g + 7 are such a group where none has more edges than the one before, and the first `most` or fewer.
//! A row's sum is one chain of f32 over its edges, in order, whichever way it is taken.

const std = @import("std");
const simd = @import("simd.zig");

pub const rows = 8;

/// Edges of a row of a group: the longest chain of f32 that a sweep allows.
pub const most = 32;

const F32s = @Vector(rows, f32);
const Degrees = @Vector(rows, u32);

/// Eight rows, from where the first begins to where the last ends.
pub const Group = struct {
    degrees: Degrees,
    begin: usize,

    /// None where they are no group.
    pub inline fn of(offsets: *const [rows + 1]u32) ?Group {
        const begins: Degrees = offsets[0..rows].*;
        const degrees = @as(Degrees, offsets[1..][0..rows].*) - begins;
        const following = @shuffle(u32, degrees, undefined, [rows]i32{ 1, 2, 3, 4, 5, 6, 7, 7 });
        if (degrees[0] > most or !@reduce(.And, degrees >= following)) return null;
        return .{ .degrees = degrees, .begin = offsets[0] };
    }

    /// The group that a row is of.
    pub inline fn at(offsets: []const u32, row: usize) ?Group {
        const first = row / rows * rows;
        return if (first + rows < offsets.len) of(offsets[first..][0 .. rows + 1]) else null;
    }

    /// Edges in column `column`: as many rows have one.
    inline fn width(group: Group, column: u32) usize {
        return @popCount(@as(u8, @bitCast(group.degrees > @as(Degrees, @splat(column)))));
    }

    /// Where each column begins; a row's edges are as far from there as it is from the group's first.
    pub inline fn columns(group: Group, starts: *[most]u32) []const u32 {
        var at_edge: usize = group.begin;
        for (starts[0..group.degrees[0]], 0..) |*start, column| {
            start.* = @intCast(at_edge);
            at_edge += group.width(@intCast(column));
        }
        return starts[0..group.degrees[0]];
    }

    /// The sum of shares times x of each row.
    pub inline fn sums(
        group: Group,
        comptime far: bool,
        sources: []const u32,
        shares: []const f32,
        x: []const f32,
    ) F32s {
        var all: F32s = @splat(0);
        var edge = group.begin;
        const full = group.degrees[rows - 1];
        for (0..full) |_| {
            if (far) ahead(sources, edge, x);
            all = simd.mulAdd(F32s, shares[edge..][0..rows].*, gather(sources[edge..][0..rows], x), all);
            edge += rows;
        }
        for (full..group.degrees[0]) |column| {
            const width_here = group.width(@intCast(column));
            if (edge + rows <= sources.len) {
                // What stands behind the column counts as 0, be it infinite.
                const its = group.degrees > @as(Degrees, @splat(@intCast(column)));
                const values = @select(f32, its, gather(sources[edge..][0..rows], x), @as(F32s, @splat(0)));
                all = simd.mulAdd(F32s, shares[edge..][0..rows].*, values, all);
            } else inline for (0..rows) |lane| {
                if (lane < width_here)
                    all[lane] = simd.mulAdd(f32, shares[edge + lane], x[sources[edge + lane]], all[lane]);
            }
            edge += width_here;
        }
        return all;
    }

    /// The sum of one row of it.
    pub fn sumOf(group: Group, row: usize, sources: []const u32, shares: []const f32, x: []const f32) f32 {
        const lane = row % rows;
        var starts: [most]u32 = undefined;
        var sum: f32 = 0;
        const its = @as([rows]u32, group.degrees)[lane];
        for (group.columns(&starts)[0..its]) |start| {
            const edge = start + lane;
            sum = simd.mulAdd(f32, shares[edge], x[sources[edge]], sum);
        }
        return sum;
    }
};

/// What the sources of eight edges have.
pub inline fn gather(sources: *const [rows]u32, x: []const f32) F32s {
    var values: F32s = undefined;
    inline for (0..rows) |lane| values[lane] = x[sources[lane]];
    return values;
}

/// Asks for what is gathered some edges later.
pub inline fn ahead(sources: []const u32, edge: usize, x: []const f32) void {
    const distance = 64;
    if (edge + distance + rows > sources.len) return;
    inline for (0..rows) |lane| @prefetch(&x[sources[edge + distance + lane]], .{});
}

const testing = std.testing;

test "rows of falling length are a group, and no others" {
    const offsets = [_]u32{ 7, 39, 60, 70, 75, 75, 75, 75, 75 };
    const group = Group.of(&offsets).?;
    try testing.expectEqual(7, group.begin);
    try testing.expectEqual([_]u32{ 32, 21, 10, 5, 0, 0, 0, 0 }, @as([rows]u32, group.degrees));
    try testing.expectEqual(null, Group.of(&.{ 7, 40, 60, 70, 75, 75, 75, 75, 75 }));
    try testing.expectEqual(null, Group.of(&.{ 0, 1, 3, 4, 5, 6, 7, 8, 9 }));
    try testing.expectEqual(null, Group.of(&.{ 0, 1, 1, 1, 1, 1, 1, 1, 2 }));
    try testing.expectEqual(null, Group.at(&.{ 0, 1, 2, 3, 4, 5, 6, 7 }, 3));
}

test "a group's rows sum what stands a column apart, together and one by one" {
    const offsets = [_]u32{ 0, 3, 5, 6, 6, 6, 6, 6, 6 };
    const group = Group.of(&offsets).?;
    var starts: [most]u32 = undefined;
    try testing.expectEqualSlices(u32, &.{ 0, 3, 5 }, group.columns(&starts));
    // Rows of three, two and one: a b c, a b, a.
    const sources = [_]u32{ 0, 1, 2, 3, 4, 5 };
    const shares = [_]f32{ 1, 2, 4, 8, 16, 32 };
    const x = [_]f32{ 1, 1, 1, 1, 1, 1 };
    const expected = [_]f32{ 1 + 8 + 32, 2 + 16, 4, 0, 0, 0, 0, 0 };
    inline for (.{ false, true }) |far| {
        try testing.expectEqual(expected, @as([rows]f32, group.sums(far, &sources, &shares, &x)));
    }
    for (expected, 0..) |sum, row| try testing.expectEqual(sum, group.sumOf(row, &sources, &shares, &x));
}
