//! Rows as kernels meet them, and which of them.

const std = @import("std");

/// ECP_TYPE_* of ecphory.h.
pub const Type = enum(u32) {
    f32 = 0,
    f16 = 1,
    bf16 = 2,
    i8 = 3,
    /// Eight to an element.
    bits = 4,

    pub fn size(of: Type) usize {
        return switch (of) {
            .f32 => 4,
            .f16, .bf16 => 2,
            .i8, .bits => 1,
        };
    }

    /// Bits of a bf16 are a u16.
    pub fn named(comptime T: type) Type {
        return switch (T) {
            f32 => .f32,
            f16 => .f16,
            u16 => .bf16,
            i8 => .i8,
            u8 => .bits,
            else => unreachable,
        };
    }

    /// Whether a query of this type and rows of that one have scores.
    pub fn meets(query: Type, rows: Type) bool {
        return query == rows or (query == .f32 and rows != .bits);
    }
};

/// Rows of `dim` elements, row `i` from element `i * stride` on.
pub const Rows = struct {
    /// Of the elements.
    bytes: []const u8,
    type: Type = .f32,
    count: usize,
    dim: usize,
    /// Bytes of a row, and from the beginning of one to that of the next.
    len: usize,
    pitch: usize,
    /// One for each row of i8, or none, and all are 1.
    scales: []const f32 = &.{},
    /// One for each row, as `normsOf` of query.zig gives them, or none.
    norms: []const f32 = &.{},
    /// Bit `i % 64` of word `i / 64` says whether row `i` takes part; or no words, and all do.
    filter: []const u64 = &.{},
    /// Whether these are some of more rows than caches hold.
    beyond: bool = false,

    pub fn of(element: Type, bytes: []const u8, count: usize, dim: usize, stride: usize) Rows {
        const size = element.size();
        return .{
            .bytes = bytes,
            .type = element,
            .count = count,
            .dim = dim,
            .len = dim * size,
            .pitch = stride * size,
        };
    }

    /// Rows that follow each other without a gap.
    pub fn dense(comptime T: type, elements: []const T, dim: usize) Rows {
        return .spaced(T, elements, elements.len / dim, dim, dim);
    }

    pub fn spaced(comptime T: type, elements: []const T, count: usize, dim: usize, stride: usize) Rows {
        return .of(.named(T), std.mem.sliceAsBytes(elements), count, dim, stride);
    }

    /// `count` rows from `first` on, as queries: without norms and filter.
    pub fn part(rows: *const Rows, first: usize, count: usize) Rows {
        var some = rows.*;
        some.bytes = if (count == 0) &.{} else rows.bytes[first * rows.pitch ..];
        some.count = count;
        some.scales = if (rows.scales.len == 0) &.{} else rows.scales[first..][0..count];
        some.norms = &.{};
        some.filter = &.{};
        return some;
    }

    pub inline fn at(rows: *const Rows, row: usize) []const u8 {
        return rows.bytes[row * rows.pitch ..][0..rows.len];
    }

    pub inline fn as(rows: *const Rows, comptime T: type, row: usize) []const T {
        return @ptrCast(@alignCast(rows.at(row)));
    }

    pub inline fn scale(rows: *const Rows, row: usize) f32 {
        return if (rows.scales.len == 0) 1 else rows.scales[row];
    }

    pub inline fn admits(rows: *const Rows, row: usize) bool {
        return rows.filter.len == 0 or rows.filter[row / 64] >> @intCast(row % 64) & 1 == 1;
    }

    /// The rows of 64 that take part, the first of them in the lowest bit.
    pub inline fn admitted(rows: *const Rows, word: usize) u64 {
        return if (rows.filter.len == 0) std.math.maxInt(u64) else rows.filter[word];
    }
};

/// Rows that are scored at once.
pub const group = 4;

/// Which rows.
pub const Where = union(enum) {
    /// Those from this one on.
    run: usize,
    ids: []const u32,
    picked: Picked,

    pub inline fn at(where: *const Where, i: usize) usize {
        return switch (where.*) {
            .run => |start| start + i,
            .ids => |ids| ids[i],
            .picked => |picked| picked.at(i),
        };
    }

    pub inline fn four(where: *const Where, i: usize) [group]usize {
        var all: [group]usize = undefined;
        inline for (&all, 0..) |*row, j| row.* = where.at(i + j);
        return all;
    }

    /// Where offsets of those picked begin.
    pub fn first(where: *const Where) usize {
        return switch (where.*) {
            .run => |start| start,
            .picked => |picked| picked.first,
            .ids => unreachable,
        };
    }

    /// How many there are of at most `count`.
    pub fn most(where: *const Where, count: usize) usize {
        return if (where.* == .picked) where.picked.offsets.len else count;
    }

    /// Fewer than a group, and the last of them again.
    pub fn padded(where: *const Where, count: usize, ids: *[group]u32, offsets: *[group]u8) Where {
        for (ids, offsets, 0..) |*id, *offset, i| {
            const from = @min(i, count - 1);
            switch (where.*) {
                .run => offset.* = @intCast(from),
                .ids => |all| id.* = all[from],
                .picked => |picked| offset.* = picked.offsets[from],
            }
        }
        return switch (where.*) {
            .run => |start| .{ .picked = .{ .first = start, .offsets = offsets } },
            .ids => .{ .ids = ids },
            .picked => |picked| .{ .picked = .{ .first = picked.first, .offsets = offsets } },
        };
    }
};

/// So many rows.
pub const Group = struct {
    /// How many stand before them.
    first: usize,
    rows: [group][]const u8,
    /// 1 and 0 where they are not asked for.
    scales: [group]f32 = @splat(1),
    norms: [group]f32 = @splat(0),
};

/// The groups of `count` rows, of a whole group at least. The last may begin within the one before.
pub const Groups = struct {
    rows: *const Rows,
    where: *const Where,
    count: usize,
    done: usize = 0,

    pub inline fn next(groups: *Groups, comptime asked: struct { scales: bool = false, norms: bool = false }) ?Group {
        if (groups.done == groups.count) return null;
        const first = @min(groups.done, groups.count - group);
        groups.done = first + group;
        var some: Group = .{ .first = first, .rows = undefined };
        inline for (&some.rows, &some.scales, &some.norms, groups.where.four(first)) |*row, *scale, *norm, position| {
            row.* = groups.rows.at(position);
            if (asked.scales) scale.* = groups.rows.scale(position);
            if (asked.norms) norm.* = groups.rows.norms[position];
        }
        return some;
    }
};

/// At most `Picked.most` rows out of as many that follow each other.
pub const Picked = struct {
    first: usize,
    offsets: []const u8,

    pub const most = 256;

    /// Those of `count` rows from `first`, a multiple of 64, that take part.
    pub fn of(rows: *const Rows, first: usize, count: usize, offsets: *[most]u8) Picked {
        var len: usize = 0;
        var base: usize = 0;
        while (base < count) : (base += 64) {
            var word = rows.admitted((first + base) / 64);
            while (word != 0) : (word &= word - 1) {
                const offset = base + @ctz(word);
                if (offset >= count) break;
                offsets[len] = @intCast(offset);
                len += 1;
            }
        }
        return .{ .first = first, .offsets = offsets[0..len] };
    }

    pub inline fn at(picked: Picked, i: usize) usize {
        return picked.first + picked.offsets[i];
    }
};

const testing = std.testing;

test "what a filter admits is picked, in order, and nothing behind the last row" {
    const filter = [_]u64{ 0, std.math.maxInt(u64), 1 << 63 | 1, std.math.maxInt(u64) };
    var rows: Rows = .of(.f32, &.{}, 200, 1, 0);
    rows.filter = &filter;
    var offsets: [Picked.most]u8 = undefined;
    const picked: Picked = .of(&rows, 0, rows.count, &offsets);
    var found: usize = 0;
    for (0..rows.count) |row| {
        if (!rows.admits(row)) continue;
        try testing.expectEqual(row, picked.at(found));
        found += 1;
    }
    try testing.expectEqual(found, picked.offsets.len);
    try testing.expectEqual(64 + 2 + 8, found);
    try testing.expectEqual(128, Picked.of(&rows, 128, 72, &offsets).at(0));
}
