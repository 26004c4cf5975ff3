//! Hits among copies are those of the whole scan, to the bit, and few rows are scored.

const std = @import("std");
const arena_zig = @import("arena.zig");
const companion_zig = @import("companion.zig");
const query_zig = @import("query.zig");
const rows_zig = @import("rows.zig");
const score_test = @import("score_test.zig");
const score_zig = @import("score.zig");
const similarity = @import("similarity.zig");
const top_k = @import("top_k.zig");
const Arena = arena_zig.Arena;
const Companion = companion_zig.Companion;
const Hit = top_k.Hit;
const Rows = rows_zig.Rows;
const inf = score_test.inf;
const metrics = score_test.metrics;
const nan = score_test.nan;
const testing = std.testing;

const most_rows = 1500;
const most_dim = 130;
const padded = 192;

/// Copies as their contract has them, made without the kernels.
pub const Copies = struct {
    elements: [most_rows * padded]i8 = @splat(0),
    scales: [most_rows]f32 = @splat(1),
    residuals: [most_rows]f32 = @splat(inf),
    lengths: [most_rows]f32 = @splat(0),

    pub fn fill(copies: *Copies, rows: *const Rows) Companion {
        const each = std.mem.alignForward(usize, rows.dim, 64);
        const count = rows.count;
        copies.* = .{};
        for (0..count) |r| {
            const row = rows.as(f32, r);
            var largest: f32 = 0;
            for (row) |x| largest = if (std.math.isFinite(x)) @max(largest, @abs(x)) else inf;
            if (largest == 0 or !std.math.isFinite(largest)) {
                if (largest == 0) copies.residuals[r] = 0;
                continue;
            }
            const scale = largest / 127;
            var left: f64 = 0;
            var squares: f64 = 0;
            for (row, copies.elements[r * each ..][0..row.len]) |x, *to| {
                to.* = @round(std.math.clamp(@as(f64, x) / scale, -127, 127));
                const near = @as(f64, scale) * @as(f64, @floatFromInt(to.*));
                left += (x - near) * (x - near);
                squares += near * near;
            }
            copies.scales[r] = scale;
            copies.residuals[r] = @floatCast(@sqrt(left) * (1 + 0x1p-20));
            copies.lengths[r] = @floatCast(@sqrt(squares) * (1 + 0x1p-20));
        }
        var small: Rows = .dense(i8, copies.elements[0 .. count * each], each);
        small.scales = copies.scales[0..count];
        return .{ .rows = small, .residuals = copies.residuals[0..count], .lengths = copies.lengths[0..count] };
    }
};

fn expectSame(
    bytes: []align(64) u8,
    search: *const similarity.Search,
    query: *const Rows,
    rows: *const Rows,
    companion: *const Companion,
    k: usize,
) !usize {
    var hits: [2][most_rows]Hit = undefined;
    var arena: Arena = .over(bytes);
    defer arena.dissolve();
    const whole = try similarity.topK(&arena, search, query, rows, k, &hits[0]);
    const need = companion_zig.topKNeed(rows.dim, rows.count, k);
    var own: Arena = .over(bytes[0..need]);
    defer own.dissolve();
    const found = try companion_zig.topK(&own, search, query, rows, companion, k, &hits[1]);
    try testing.expectEqual(need, own.highWater());
    try testing.expectEqual(0, own.cursor);
    try testing.expectEqual(whole.hit_count, found.hit_count);
    try testing.expectEqual(whole.nan_rows, found.nan_rows);
    for (hits[0][0..whole.hit_count], hits[1][0..whole.hit_count]) |a, b| {
        try testing.expectEqual(a.row, b.row);
        try score_test.expectBits(&.{a.score}, &.{b.score});
    }
    return found.rescored_rows;
}

test "hits among copies are those of the whole scan to the bit, and few rows are scored" {
    const bytes = try testing.allocator.alignedAlloc(u8, .@"64", 1 << 17);
    defer testing.allocator.free(bytes);
    const elements = try testing.allocator.alloc(f32, most_rows * most_dim);
    defer testing.allocator.free(elements);
    const copies = try testing.allocator.create(Copies);
    defer testing.allocator.destroy(copies);
    var query: [most_dim]f32 = undefined;
    const words: [(most_rows + 63) / 64]u64 = @splat(0x5A5A_FFFF_0000_1234);
    var norms: [most_rows]f32 = undefined;
    for ([_]usize{ 1, 33, 64, 130 }, 0..) |dim, i| for (0..4) |kind| {
        const count = if (kind == 0) most_rows else 400 + i;
        score_test.scatter(&query, dim);
        score_test.scatter(elements, kind);
        for (elements[0 .. count * dim], 0..) |*x, at| switch (kind) {
            0 => {},
            1 => x.* = @round(x.* * 2) / 3, // Ties.
            2 => if (at % 97 == 0) {
                x.* = ([_]f32{ nan, inf, -inf, 0, 3e38, 1e-42 })[at / 97 % 6];
            },
            else => x.* = query[at % dim] * (1 + x.* * 0x1p-14),
        };
        var rows: Rows = .dense(f32, elements[0 .. count * dim], dim);
        const companion = copies.fill(&rows);
        query_zig.normsOf(&rows, .{ .run = 0 }, norms[0..count]);
        rows.norms = norms[0..count];
        for ([_][]const u64{ &.{}, words[0 .. (count + 63) / 64] }) |filter| for (metrics) |metric| {
            rows.filter = filter;
            for ([_]usize{ 0, 1, 10, count }) |k| {
                const given: Rows = .dense(f32, query[0..dim], dim);
                const scored = try expectSame(bytes, &.by(metric), &given, &rows, &companion, k);
                if (kind == 0 and dim > 32 and k == 1) try testing.expect(scored < count / 2);
            }
        };
    };
}

test "an arena one block short refuses a search among copies before the first write" {
    var bytes: [1 << 13]u8 align(64) = undefined;
    const elements: [4 * 5]f32 = @splat(1);
    const copies = try testing.allocator.create(Copies);
    defer testing.allocator.destroy(copies);
    const rows: Rows = .dense(f32, &elements, 5);
    const companion = copies.fill(&rows);
    const need = companion_zig.topKNeed(5, 4, 2);
    var arena: Arena = .over(bytes[0 .. need - 64]);
    defer arena.dissolve();
    var hits: [2]Hit = @splat(.{ .row = 9, .score = 9 });
    const query: Rows = .dense(f32, elements[0..5], 5);
    const refused = companion_zig.topK(&arena, &.by(.dot), &query, &rows, &companion, 2, &hits);
    try testing.expectError(error.OutOfMemory, refused);
    try testing.expectEqual(need, arena.wanted);
    for (hits) |hit| try testing.expectEqual(9, hit.row);
}
