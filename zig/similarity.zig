//! One query against rows: all scores, those of some rows, the best rows. What a score is, says score.zig.

const std = @import("std");
const arena_zig = @import("arena.zig");
const query_zig = @import("query.zig");
const rows_zig = @import("rows.zig");
const score_zig = @import("score.zig");
const top_k = @import("top_k.zig");
const Arena = arena_zig.Arena;
const Best = top_k.Best;
const Hit = top_k.Hit;
const Metric = score_zig.Metric;
const Picked = rows_zig.Picked;
const Query = query_zig.Query;
const Rows = rows_zig.Rows;
const Type = rows_zig.Type;
const Where = rows_zig.Where;

/// ECP_PACKING_* of ecphory.h.
pub const Packing = enum(u32) { in_place = 0, whole = 1, tiled = 2 };

/// ecp_search of ecphory.h.
pub const Search = extern struct {
    metric: Metric,
    precision: score_zig.Precision = .fast,
    packing: Packing = .in_place,
    /// Scores worse than it are no hits. Not NaN.
    threshold: f32,

    /// Every score is a hit.
    pub fn by(metric: Metric) Search {
        const inf = std.math.inf(f32);
        return .{ .metric = metric, .threshold = if (metric.isDistance()) inf else -inf };
    }

    pub fn best(search: *const Search, heap: []Hit) Best {
        return .{
            .heap = heap,
            .lowest_first = search.metric.isDistance(),
            .threshold = search.threshold,
        };
    }
};

/// Rows that are scored before the scores are looked at.
const block_rows = Picked.most;

/// What scratch depends on: not the tier, for who states a need runs on the lowest.
pub const Shape = struct {
    queries: Type = .f32,
    rows: Type = .f32,
    dim: usize,

    pub fn of(queries: *const Rows, rows: *const Rows) Shape {
        return .{ .queries = queries.type, .rows = rows.type, .dim = rows.dim };
    }

    pub fn queryNeed(shape: Shape) usize {
        return query_zig.need(shape.queries, shape.rows, shape.dim);
    }

    fn rowBytes(shape: Shape) usize {
        return shape.dim *| shape.rows.size();
    }
};

pub fn scoresNeed(shape: Shape) usize {
    return shape.queryNeed();
}

pub fn gatherNeed(packing: Packing, shape: Shape, ids: usize) usize {
    const packed_rows = if (packing == .in_place) 0 else arena_zig.sizeOf(u8, shape.rowBytes() *| ids);
    return scoresNeed(shape) +| packed_rows;
}

pub fn topKNeed(shape: Shape, rows: usize, k: usize) usize {
    return scoresNeed(shape) +| arena_zig.sizeOf(f32, block_rows) +| arena_zig.sizeOf(Hit, @min(k, rows));
}

/// out[i] = score(query, rows[i]), NaN where a filter keeps the row out; query of one row, out [rows.count].
/// OutOfMemory leaves `out` as it was.
pub fn scores(
    arena: *Arena,
    search: *const Search,
    query: *const Rows,
    rows: *const Rows,
    out: []f32,
) error{OutOfMemory}!void {
    var frame = try arena.frame(scoresNeed(.of(query, rows)));
    defer frame.close();
    const prepared: Query = try .prepare(&frame, rows.type, search.metric, search.precision, query, 0);
    if (rows.filter.len == 0) return prepared.scoreEach(rows, .{ .run = 0 }, out);
    var offsets: [Picked.most]u8 = undefined;
    var some: [Picked.most]f32 = undefined;
    var first: usize = 0;
    while (first < rows.count) : (first += block_rows) {
        const block = out[first..@min(first + block_rows, rows.count)];
        const picked: Picked = .of(rows, first, block.len, &offsets);
        if (picked.offsets.len == block.len) {
            prepared.scoreEach(rows, .{ .run = first }, block);
            continue;
        }
        prepared.scoreEach(rows, .{ .picked = picked }, some[0..picked.offsets.len]);
        @memset(block, std.math.nan(f32));
        for (picked.offsets, some[0..picked.offsets.len]) |offset, score| block[offset] = score;
    }
}

/// out[i] = score(query, rows[ids[i]]), NaN where a filter keeps the row out; every id the number of a row. The rows
/// are read in place, or packed into scratch first: all of them, or with `tiled` as many at a time as fit, one at
/// least. The bits are the same. OutOfMemory leaves `out` as it was.
pub fn gather(
    arena: *Arena,
    search: *const Search,
    query: *const Rows,
    rows: *const Rows,
    ids: []const u32,
    out: []f32,
) error{OutOfMemory}!void {
    const shape: Shape = .of(query, rows);
    const tile = switch (search.packing) {
        .in_place => 0,
        .whole => ids.len,
        .tiled => tiledRows(arena, shape, ids.len),
    };
    var frame = try arena.frame(gatherNeed(search.packing, shape, tile));
    defer frame.close();
    const prepared: Query = try .prepare(&frame, rows.type, search.metric, search.precision, query, 0);
    if (search.packing == .in_place) {
        prepared.scoreEach(rows, .{ .ids = ids }, out);
    } else {
        const packed_rows = try frame.alloc(u8, shape.rowBytes() *| tile);
        var first: usize = 0;
        while (first < ids.len) : (first += tile) {
            const count = @min(tile, ids.len - first);
            scorePacked(&prepared, rows, ids[first..][0..count], packed_rows, out[first..][0..count]);
        }
    }
    if (rows.filter.len > 0) for (out, ids) |*to, id| {
        if (!rows.admits(id)) to.* = std.math.nan(f32);
    };
}

fn scorePacked(query: *const Query, rows: *const Rows, ids: []const u32, to: []u8, out: []f32) void {
    const len = rows.len;
    for (ids, 0..) |id, i| @memcpy(to[i * len ..][0..len], rows.at(id));
    var norms: [block_rows]f32 = undefined;
    var scales: [block_rows]f32 = undefined;
    var first: usize = 0;
    while (first < ids.len) : (first += block_rows) {
        const some = ids[first..@min(first + block_rows, ids.len)];
        var packed_rows: Rows = .of(rows.type, to[first * len ..][0 .. some.len * len], some.len, rows.dim, rows.dim);
        packed_rows.scales = ofIds(rows.scales, some, &scales);
        packed_rows.norms = ofIds(rows.norms, some, &norms);
        query.scoreEach(&packed_rows, .{ .run = 0 }, out[first..][0..some.len]);
    }
}

/// Those of `ids`, where there are any.
fn ofIds(all: []const f32, ids: []const u32, to: *[block_rows]f32) []const f32 {
    if (all.len == 0) return &.{};
    for (to[0..ids.len], ids) |*one, id| one.* = all[id];
    return to[0..ids.len];
}

/// Rows that fit beside the query, of so many that are wanted; one where none does, to name the least need.
fn tiledRows(arena: *const Arena, shape: Shape, wanted: usize) usize {
    const room = arena.capacity - arena.cursor -| scoresNeed(shape);
    return @min(@max(room / shape.rowBytes(), 1), wanted);
}

/// The min(k, rows) best rows that a filter admits and that are as good as the threshold into `hits`, best first, ties
/// by lower row: highest cosine, dot product or Jaccard, lowest distance. Rows that score NaN are left out and counted.
/// OutOfMemory leaves `hits` as it was.
pub fn topK(
    arena: *Arena,
    search: *const Search,
    query: *const Rows,
    rows: *const Rows,
    k: usize,
    hits: []Hit,
) error{OutOfMemory}!top_k.TopK {
    var frame = try arena.frame(topKNeed(.of(query, rows), rows.count, k));
    defer frame.close();
    const prepared: Query = try .prepare(&frame, rows.type, search.metric, search.precision, query, 0);
    const block = try frame.alloc(f32, block_rows);
    var best = search.best(try frame.alloc(Hit, @min(k, rows.count)));
    var offsets: [Picked.most]u8 = undefined;
    var first: usize = 0;
    while (first < rows.count) : (first += block_rows) {
        const count = @min(block_rows, rows.count - first);
        const where: Where = if (rows.filter.len == 0)
            .{ .run = first }
        else
            .{ .picked = .of(rows, first, count, &offsets) };
        const some = block[0..where.most(count)];
        prepared.scoreEach(rows, where, some);
        best.offerEach(where, some);
    }
    return best.finish(hits);
}

const testing = std.testing;
const Oracle = @import("oracle.zig");

fn scoresOf(arena: *Arena, metric: Metric, query: []const f32, elements: []const f32, out: []f32) !void {
    return scores(arena, &.by(metric), &.dense(f32, query, query.len), &.dense(f32, elements, query.len), out);
}

fn gatherOf(
    arena: *Arena,
    metric: Metric,
    packing: Packing,
    query: []const f32,
    elements: []const f32,
    ids: []const u32,
    out: []f32,
) !void {
    var search: Search = .by(metric);
    search.packing = packing;
    return gather(arena, &search, &.dense(f32, query, query.len), &.dense(f32, elements, query.len), ids, out);
}

fn bestOf(
    arena: *Arena,
    metric: Metric,
    query: []const f32,
    elements: []const f32,
    k: usize,
    hits: []Hit,
) !top_k.TopK {
    return topK(arena, &.by(metric), &.dense(f32, query, query.len), &.dense(f32, elements, query.len), k, hits);
}

test "every metric is within its bound of the oracle for every length and layout" {
    var bytes: [1 << 17]u8 align(64) = undefined;
    var data: [200 * 5 + 1]f32 = undefined;
    var query: [200]f32 = undefined;
    var out: [5]f32 = undefined;
    for ([_]Metric{ .cosine, .dot, .squared_euclidean }) |metric| for (1..200) |dim| {
        Oracle.paint(&data, dim);
        Oracle.paint(&query, dim + 7);
        for (0..2) |offset| {
            var arena: Arena = .over(&bytes);
            const rows = data[offset..][0 .. 5 * dim];
            try scoresOf(&arena, metric, query[0..dim], rows, &out);
            try testing.expectEqual(scoresNeed(.{ .dim = dim }), arena.highWater());
            try testing.expectEqual(0, arena.cursor);
            for (out, 0..) |score, i| try Oracle.expectScore(metric, query[0..dim], rows[i * dim ..][0..dim], score);
        }
    };
}

test "gathered rows score the bits of the same rows in place" {
    var bytes: [1 << 17]u8 align(64) = undefined;
    const dim = 71;
    var rows: [40 * dim]f32 = undefined;
    Oracle.paint(&rows, 1);
    var all: [40]f32 = undefined;
    var some: [5]f32 = undefined;
    const ids = [_]u32{ 39, 0, 7, 7, 20 };
    for ([_]Metric{ .cosine, .dot, .squared_euclidean }) |metric| {
        var arena: Arena = .over(&bytes);
        try scoresOf(&arena, metric, rows[0..dim], &rows, &all);
        try gatherOf(&arena, metric, .whole, rows[0..dim], &rows, &ids, &some);
        try testing.expectEqual(gatherNeed(.whole, .{ .dim = dim }, ids.len), arena.highWater());
        for (ids, some) |id, score| try testing.expectEqual(@as(u32, @bitCast(all[id])), @as(u32, @bitCast(score)));
    }
}

test "a tiled gather scores the same bits in as little as one row's room, and names that where it is missing" {
    var bytes: [1 << 14]u8 align(64) = undefined;
    const dim = 71;
    var rows: [40 * dim]f32 = undefined;
    Oracle.paint(&rows, 1);
    var ids: [37]u32 = undefined;
    for (&ids, 0..) |*id, i| id.* = @intCast(i * 11 % 40);
    var whole: [ids.len]f32 = undefined;
    for ([_]Metric{ .cosine, .dot, .squared_euclidean }) |metric| {
        var large: Arena = .over(&bytes);
        try gatherOf(&large, metric, .tiled, rows[0..dim], &rows, &ids, &whole);
        try testing.expectEqual(gatherNeed(.whole, .{ .dim = dim }, ids.len), large.highWater());
        for (1..ids.len + 1) |fitting| {
            var arena: Arena = .over(bytes[0..gatherNeed(.whole, .{ .dim = dim }, fitting)]);
            var tiled: [ids.len]f32 = @splat(7);
            try gatherOf(&arena, metric, .tiled, rows[0..dim], &rows, &ids, &tiled);
            try testing.expectEqualSlices(u32, @ptrCast(&whole), @ptrCast(&tiled));
            try testing.expectEqual(0, arena.overflow_count);
        }
        var short: Arena = .over(bytes[0 .. gatherNeed(.whole, .{ .dim = dim }, 1) - 64]);
        var tiled: [ids.len]f32 = @splat(7);
        const refused = gatherOf(&short, metric, .tiled, rows[0..dim], &rows, &ids, &tiled);
        try testing.expectError(error.OutOfMemory, refused);
        try testing.expectEqual(gatherNeed(.whole, .{ .dim = dim }, 1), short.wanted);
        try testing.expectEqualSlices(f32, &@as([ids.len]f32, @splat(7)), &tiled);
        try gatherOf(&short, metric, .tiled, rows[0..dim], &rows, &.{}, &.{});
    }
}

test "the best k are the sorted scores, with ties by row and NaN counted" {
    var bytes: [1 << 16]u8 align(64) = undefined;
    var rows: [700]f32 = undefined;
    for (&rows, 0..) |*row, i| row.* = @floatFromInt((i * 37) % 50);
    rows[13] = std.math.nan(f32);
    rows[14] = std.math.inf(f32);
    rows[15] = -std.math.inf(f32);
    var hits: [800]Hit = undefined;
    for ([_]usize{ 0, 1, 2, 10, 255, 256, 257, 699, 700, 800 }) |k| {
        var arena: Arena = .over(&bytes);
        const found = try bestOf(&arena, .dot, &.{1}, &rows, k, &hits);
        try testing.expectEqual(topKNeed(.{ .dim = 1 }, rows.len, k), arena.highWater());
        try testing.expectEqual(@min(k, 699), found.hit_count);
        try testing.expectEqual(1, found.nan_rows);
        for (hits[0..found.hit_count], 0..) |hit, rank| {
            try testing.expectEqual(rows[hit.row], hit.score);
            if (rank > 0) {
                const before = hits[rank - 1];
                try testing.expect(before.score > hit.score or (before.score == hit.score and before.row < hit.row));
            }
        }
        if (k > 0) try testing.expectEqual(14, hits[0].row);
        const near = try bestOf(&arena, .squared_euclidean, &.{49}, &rows, k, &hits);
        if (k > 0) try testing.expectEqual(0, hits[0].score);
        for (1..@max(near.hit_count, 1)) |rank| try testing.expect(hits[rank - 1].score <= hits[rank].score);
    }
}

test "an empty arena is out of memory and touches nothing" {
    var arena: Arena = .over(&.{});
    var out = [_]f32{ 7, 8 };
    var hits = [_]Hit{.{ .row = 9, .score = 9 }};
    const rows = [_]f32{ 1, 2, 3, 4 };
    try testing.expectError(error.OutOfMemory, scoresOf(&arena, .cosine, rows[0..2], &rows, &out));
    try testing.expectEqual(scoresNeed(.{ .dim = 2 }), arena.wanted);
    try testing.expectError(error.OutOfMemory, gatherOf(&arena, .cosine, .whole, rows[0..2], &rows, &.{ 0, 1 }, &out));
    try testing.expectEqual(gatherNeed(.whole, .{ .dim = 2 }, 2), arena.wanted);
    try testing.expectError(error.OutOfMemory, bestOf(&arena, .cosine, rows[0..2], &rows, 1, &hits));
    try testing.expectEqual(topKNeed(.{ .dim = 2 }, 2, 1), arena.wanted);
    try testing.expectEqualSlices(f32, &.{ 7, 8 }, &out);
    try testing.expectEqual(9, hits[0].row);
    try testing.expectEqual(3, arena.overflow_count);
}

test "an arena one block short refuses before the first write" {
    var bytes: [1 << 16]u8 align(64) = undefined;
    const dim = 33;
    var rows: [4 * dim]f32 = undefined;
    Oracle.paint(&rows, 5);
    var out = [_]f32{ 7, 7, 7, 7 };
    var arena: Arena = .over(bytes[0 .. gatherNeed(.whole, .{ .dim = dim }, 4) - 64]);
    const refused = gatherOf(&arena, .dot, .whole, rows[0..dim], &rows, &.{ 0, 1, 2, 3 }, &out);
    try testing.expectError(error.OutOfMemory, refused);
    try testing.expectEqualSlices(f32, &.{ 7, 7, 7, 7 }, &out);
    try testing.expectEqual(0, arena.cursor);
}

test "norms at the ends of f32 neither under- nor overflow" {
    var bytes: [1 << 12]u8 align(64) = undefined;
    const base = [_]f32{ 1, -2, 3, 0.5, 2, -1.25, 1, 1, 3, -3, 2, 1, 0.25, 1, -1, 2, 1.5, 1, 2 };
    const other = [_]f32{ 2, 1, 1, -0.5, 1, 1.25, -1, 1, 1, -3, -2, 1, 0.75, 1, 1, 2, 0.5, -1, 1 };
    const exact = Oracle.cosine(&base, &other);
    const scales = [_]f32{ 1e-40, 1e-30, 1e-25, 1, 1e19, 1e20, 1e37 };
    for (scales) |q| for (scales) |r| {
        var query: [base.len]f32 = undefined;
        var row: [base.len]f32 = undefined;
        var out: [1]f32 = undefined;
        for (&query, base) |*to, from| to.* = from * q;
        for (&row, other) |*to, from| to.* = from * r;
        var arena: Arena = .over(&bytes);
        try scoresOf(&arena, .cosine, &query, &row, &out);
        // Denormal elements carry few digits of their own.
        const bound: f64 = if (@min(q, r) < 1e-38) 1e-4 else 4e-6;
        try testing.expectApproxEqAbs(exact, out[0], bound);
    };
}

test "zero scores 0, NaN is NaN, infinities follow IEEE, in every lane" {
    var bytes: [1 << 12]u8 align(64) = undefined;
    const nan = std.math.nan(f32);
    const inf = std.math.inf(f32);
    for ([_]usize{ 1, 3, 16, 37, 64, 67 }) |dim| for (0..dim) |lane| {
        var arena: Arena = .over(&bytes);
        var ones: [67]f32 = @splat(1);
        var row: [67]f32 = @splat(0);
        var out: [1]f32 = undefined;
        try scoresOf(&arena, .cosine, ones[0..dim], row[0..dim], &out);
        try testing.expectEqual(0, out[0]);
        try scoresOf(&arena, .cosine, row[0..dim], ones[0..dim], &out);
        try testing.expectEqual(0, out[0]);
        row[lane] = nan;
        for ([_]Metric{ .cosine, .dot, .squared_euclidean }) |metric| {
            try scoresOf(&arena, metric, ones[0..dim], row[0..dim], &out);
            try testing.expect(std.math.isNan(out[0]));
            try scoresOf(&arena, metric, row[0..dim], ones[0..dim], &out);
            try testing.expect(std.math.isNan(out[0]));
        }
        row[lane] = -inf;
        try scoresOf(&arena, .cosine, ones[0..dim], row[0..dim], &out);
        try testing.expect(std.math.isNan(out[0]));
        try scoresOf(&arena, .dot, ones[0..dim], row[0..dim], &out);
        try testing.expectEqual(-inf, out[0]);
        try scoresOf(&arena, .squared_euclidean, ones[0..dim], row[0..dim], &out);
        try testing.expectEqual(inf, out[0]);
    };
}

test "a dot product whose partial sums overflow is its finite total" {
    var bytes: [1 << 12]u8 align(64) = undefined;
    var arena: Arena = .over(&bytes);
    var query: [48]f32 = @splat(1e20);
    var row: [48]f32 = @splat(1e20);
    for (row[24..]) |*element| element.* = -1e20;
    row[5] = 1.5e20;
    var out: [1]f32 = undefined;
    try scoresOf(&arena, .dot, &query, &row, &out);
    try testing.expectEqual(std.math.inf(f32), out[0]);
    row[5] = 1e20;
    try scoresOf(&arena, .dot, &query, &row, &out);
    try testing.expectEqual(0, out[0]);
}
