//! Rows as kernels meet them, and which of them.

const std = @import("std");

/// Rows of `dim` elements, row `i` from element `i * stride` on.
pub const Rows = struct {
    elements: []const f32,
    count: usize,
    dim: usize,
    stride: usize,
    /// One for each row, as `norms` of similarity.zig gives them, or none.
    norms: []const f32 = &.{},
    /// Bit `i % 64` of word `i / 64` says whether row `i` takes part; or no words, and all do.
    filter: []const u64 = &.{},

    /// Rows that follow each other without a gap.
    pub fn dense(elements: []const f32, dim: usize) Rows {
        return .{ .elements = elements, .count = elements.len / dim, .dim = dim, .stride = dim };
    }

    pub inline fn at(rows: *const Rows, row: usize) []const f32 {
        return rows.elements[row * rows.stride ..][0..rows.dim];
    }

    pub inline fn admits(rows: *const Rows, row: usize) bool {
        return rows.filter.len == 0 or rows.filter[row / 64] >> @intCast(row % 64) & 1 == 1;
    }

    /// The rows of 64 that take part, the first of them in the lowest bit.
    pub inline fn admitted(rows: *const Rows, word: usize) u64 {
        return if (rows.filter.len == 0) std.math.maxInt(u64) else rows.filter[word];
    }
};

/// Rows one after the other.
pub const Run = struct {
    first: usize,

    pub inline fn at(run: Run, i: usize) usize {
        return run.first + i;
    }

    pub const Padding = [4]u8;

    /// The first `count`, and the last of them again up to `whole`.
    pub fn padded(run: Run, count: usize, comptime whole: usize, padding: *[whole]u8) Picked {
        for (padding, 0..) |*offset, i| offset.* = @intCast(@min(i, count - 1));
        return .{ .first = run.first, .offsets = padding };
    }
};

/// Rows by their ids.
pub const Ids = struct {
    ids: []const u32,

    pub inline fn at(ids: Ids, i: usize) usize {
        return ids.ids[i];
    }

    pub const Padding = [4]u32;

    /// As for a `Run`.
    pub fn padded(ids: Ids, count: usize, comptime whole: usize, padding: *[whole]u32) Ids {
        for (padding, 0..) |*id, i| id.* = ids.ids[@min(i, count - 1)];
        return .{ .ids = padding };
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

    pub const Padding = [4]u8;

    /// As for a `Run`.
    pub fn padded(picked: Picked, count: usize, comptime whole: usize, padding: *[whole]u8) Picked {
        for (padding, 0..) |*offset, i| offset.* = picked.offsets[@min(i, count - 1)];
        return .{ .first = picked.first, .offsets = padding };
    }
};

const testing = std.testing;

test "what a filter admits is picked, in order, and nothing behind the last row" {
    const filter = [_]u64{ 0, std.math.maxInt(u64), 1 << 63 | 1, std.math.maxInt(u64) };
    const rows: Rows = .{ .elements = &.{}, .count = 200, .dim = 1, .stride = 0, .filter = &filter };
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
