//! Many queries: beside an oracle in f64, beside each query alone, and beside sorting every score.

const std = @import("std");
const arena_zig = @import("arena.zig");
const matrix = @import("matrix.zig");
const rows_zig = @import("rows.zig");
const query_zig = @import("query.zig");
const score_zig = @import("score.zig");
const score_test = @import("score_test.zig");
const similarity = @import("similarity.zig");
const top_k = @import("top_k.zig");
const Oracle = @import("oracle.zig");
const Arena = arena_zig.Arena;
const Hit = top_k.Hit;
const Metric = score_zig.Metric;
const Precision = score_zig.Precision;
const Rows = rows_zig.Rows;
const Search = similarity.Search;
const expectBits = score_test.expectBits;
const inf = score_test.inf;
const metrics = score_test.metrics;
const nan = score_test.nan;
const scatter = score_test.scatter;
const searching = score_test.searching;
const testing = std.testing;

const precisions = [_]Precision{ .fast, .precise };
const query_counts = [_]usize{ 2, 3, 4, 5, 6, 7, 16, 17, 31, 32, 33, 64, 65, 130 };

/// Memory of a test: queries, rows and scores, as many as its largest shape has.
const Room = struct {
    bytes: []align(64) u8,
    queries: []f32,
    elements: []f32,
    out: []f32,

    fn of(queries: usize, elements: usize, out: usize) !Room {
        const room: Room = .{
            .bytes = try testing.allocator.alignedAlloc(u8, .@"64", 4 << 20),
            .queries = try testing.allocator.alloc(f32, queries),
            .elements = try testing.allocator.alloc(f32, elements),
            .out = try testing.allocator.alloc(f32, out),
        };
        scatter(room.queries, 1);
        scatter(room.elements, 2);
        return room;
    }

    fn free(room: Room) void {
        testing.allocator.free(room.bytes);
        testing.allocator.free(room.queries);
        testing.allocator.free(room.elements);
        testing.allocator.free(room.out);
    }

    /// Scores into `out`, taking no more scratch than is said.
    fn score(room: Room, search: *const Search, queries: []const f32, rows: *const Rows, stride: usize) !void {
        const need = matrix.scoresNeed(search, .{ .dim = rows.dim }, queries.len / rows.dim);
        var arena: Arena = .over(room.bytes[0..need]);
        defer arena.dissolve();
        try matrix.scores(&arena, search, &.dense(f32, queries, rows.dim), rows, room.out, stride);
        try testing.expectEqual(need, arena.highWater());
        try testing.expectEqual(0, arena.cursor);
    }

    /// The score of one query alone and one row alone.
    fn alone(room: Room, search: *const Search, query: []const f32, row: []const f32) !f32 {
        var arena: Arena = .over(room.bytes);
        defer arena.dissolve();
        var found: [1]f32 = undefined;
        try similarity.scores(&arena, search, &.dense(f32, query, row.len), &.dense(f32, row, row.len), &found);
        return found[0];
    }
};

/// One shape, its rows apart and NaN between them; a few of its pairs are compared, the corners among them.
fn expectShape(room: Room, search: *const Search, dim: usize, count: usize, row_count: usize, variant: usize) !void {
    const queries = room.queries[variant % 3 ..][0 .. count * dim];
    const stride = dim + variant % 2 * 3;
    const out_stride = row_count + variant % 3;
    const reach = if (row_count == 0) 0 else (row_count - 1) * stride + dim;
    const rows: Rows = .spaced(f32, room.elements[variant % 4 ..][0..reach], row_count, dim, stride);
    var kept: [3 * 71]f32 = undefined;
    for (0..row_count) |row| if (stride > dim and row + 1 < row_count) {
        const between = room.elements[variant % 4 + row * stride + dim ..][0..3];
        kept[3 * row ..][0..3].* = between.*;
        @memset(between, nan);
    };
    const reached = (count - 1) * out_stride + row_count;
    @memset(room.out[0 .. reached + 1], 9);
    try room.score(search, queries, &rows, out_stride);
    const pairs = count * row_count;
    const step = @max(pairs / 24, 1) | 1;
    var pair: usize = 0;
    while (pair < pairs) : (pair += if (pair == pairs - 1) 1 else @min(step, pairs - 1 - pair)) {
        const q, const i = .{ pair / row_count, pair % row_count };
        const query = queries[q * dim ..][0..dim];
        const found = room.out[q * out_stride + i];
        try Oracle.expectScore(search.metric, query, rows.as(f32, i), found);
        if (search.precision == .precise) try score_test.expectPrecise(search.metric, query, rows.as(f32, i), found);
        if (search.precision == .precise or count < 7) {
            try expectBits(&.{try room.alone(search, query, rows.as(f32, i))}, &.{found});
        }
    }
    for (0..count) |q| for (row_count..out_stride) |i| {
        const at = q * out_stride + i;
        if (at <= reached) try testing.expectEqual(9, room.out[at]);
    };
    for (0..row_count) |row| if (stride > dim and row + 1 < row_count) {
        room.elements[variant % 4 + row * stride + dim ..][0..3].* = kept[3 * row ..][0..3].*;
    };
}

test "every metric, precision, number of queries, length and number of rows is within its bound of the oracle" {
    if (score_test.watched) return error.SkipZigTest;
    const room: Room = try .of(64 * 4096 + 3, 71 * 4099 + 4, 130 * 73 + 1);
    defer room.free();
    var i: usize = 0;
    var variant: usize = 0;
    while (score_test.dimAt(i)) |dim| : (i += 1) for (query_counts) |count| {
        if (dim > 300 and (count * dim > 64 * 4096 or (count > 7 and i % 3 != count % 3))) continue;
        variant += 1;
        // Every number of rows meets lengths of every kind as the variants go by.
        const row_count = variant * 29 % if (dim > 300) @as(usize, 15) else 71;
        const metric = metrics[variant % 3];
        for (precisions) |precision| {
            try expectShape(room, &searching(metric, precision), dim, count, row_count, variant);
        }
    };
}

test "every number of rows of every metric meets queries of one register, of two, and of both" {
    if (score_test.watched) return error.SkipZigTest;
    const room: Room = try .of(130 * 33 + 3, 71 * 36 + 4, 130 * 73 + 1);
    defer room.free();
    for (0..71) |row_count| for (metrics) |metric| for ([_]usize{ 7, 33, 65 }, 0..) |count, i| {
        const dim = 1 + (row_count * 5 + i * 11) % 33;
        try expectShape(room, &.by(metric), dim, count, row_count, row_count + i);
    };
}

test "among many a score is the same bits wherever its row stands and whoever stands beside it" {
    const dim = 300;
    const count = 70;
    const row_count = 133;
    const room: Room = try .of(count * dim, row_count * dim, count * row_count);
    defer room.free();
    const few = try testing.allocator.alloc(f32, 7 * row_count);
    defer testing.allocator.free(few);
    var norms: [row_count]f32 = undefined;
    for (metrics) |metric| {
        const search: Search = .by(metric);
        const rows: Rows = .dense(f32, room.elements, dim);
        query_zig.normsOf(&rows, .{ .run = 0 }, &norms);
        try room.score(&search, room.queries, &rows, row_count);
        for ([_]usize{ 0, 1, 5, 58, 63 }) |first| for ([_]usize{ 0, 3, 60, 64, 131 }) |first_row| {
            var some: Rows = .dense(f32, room.elements[first_row * dim ..], dim);
            some.norms = norms[first_row..];
            var arena: Arena = .over(room.bytes);
            defer arena.dissolve();
            const wanted = room.queries[first * dim ..][0 .. 7 * dim];
            try matrix.scores(&arena, &search, &.dense(f32, wanted, dim), &some, few, some.count);
            for (0..7) |q| {
                const expected = room.out[(first + q) * row_count + first_row ..][0..some.count];
                try expectBits(expected, few[q * some.count ..][0..some.count]);
            }
        };
    }
}

test "among many a row that is kept out scores NaN, and the others the bits they score unfiltered" {
    const dim = 9;
    const most = 200;
    const room: Room = try .of(67 * dim, most * dim, 67 * most);
    defer room.free();
    const all = try testing.allocator.alloc(f32, 67 * most);
    defer testing.allocator.free(all);
    room.elements[dim * 66] = nan;
    var random = std.Random.DefaultPrng.init(3);
    for ([_]usize{ 2, 7, 67 }) |count| for ([_]usize{ 1, 63, 64, 65, 128, 200 }) |row_count| for (0..4) |kind| {
        var words: [4]u64 = undefined;
        for (&words) |*word| word.* = switch (kind) {
            0 => 0,
            1 => std.math.maxInt(u64),
            2 => random.random().int(u64) & random.random().int(u64) & random.random().int(u64),
            else => random.random().int(u64),
        };
        var rows: Rows = .dense(f32, room.elements[0 .. row_count * dim], dim);
        for (metrics) |metric| for (precisions) |precision| {
            const search = searching(metric, precision);
            rows.filter = &.{};
            try room.score(&search, room.queries[0 .. count * dim], &rows, row_count);
            @memcpy(all[0 .. count * row_count], room.out[0 .. count * row_count]);
            rows.filter = words[0 .. (row_count + 63) / 64];
            try room.score(&search, room.queries[0 .. count * dim], &rows, row_count);
            for (all[0 .. count * row_count], room.out[0 .. count * row_count], 0..) |expected, found, i| {
                const row = i % row_count;
                const is_in = words[row / 64] >> @intCast(row % 64) & 1 == 1;
                try expectBits(&.{if (is_in) expected else nan}, &.{found});
            }
        };
    };
}

/// Where a vector is odd in one element, or in all of them.
const Oddity = enum { none, zero, nan, inf, minus_inf, denormal, huge };

fn paintOdd(vector: []f32, oddity: Oddity, lane: usize) void {
    for (vector, 0..) |*x, i| x.* = if (i % 2 == 0) 0.5 else 1;
    switch (oddity) {
        .none => {},
        .zero => @memset(vector, 0),
        .nan => vector[lane] = nan,
        .inf => vector[lane] = inf,
        .minus_inf => vector[lane] = -inf,
        .denormal => for (vector) |*x| {
            x.* *= 0x1p-140;
        },
        .huge => for (vector, 0..) |*x, i| {
            x.* *= if (i == lane) -3e38 else 3e38;
        },
    }
}

test "oddities in every lane, of queries and of rows, score among many as they score alone" {
    const oddities = std.enums.values(Oddity);
    const room: Room = try .of(14 * 67, oddities.len * 67, 14 * oddities.len);
    defer room.free();
    for ([_]usize{ 1, 3, 16, 37, 67 }) |dim| for (0..dim) |lane| for (metrics) |metric| {
        const queries = room.queries[0 .. 14 * dim];
        for (0..14) |q| paintOdd(queries[q * dim ..][0..dim], oddities[q % oddities.len], lane);
        for (oddities, 0..) |oddity, i| paintOdd(room.elements[i * dim ..][0..dim], oddity, lane);
        const rows: Rows = .dense(f32, room.elements[0 .. oddities.len * dim], dim);
        try room.score(&.by(metric), queries, &rows, oddities.len);
        for (0..14) |q| for (0..oddities.len) |i| {
            const query = queries[q * dim ..][0..dim];
            const found = room.out[q * oddities.len + i];
            const expected = try room.alone(&searching(metric, .precise), query, rows.as(f32, i));
            // Products that f32 does not hold are lost, each up to half its smallest number.
            const lost = 0x1p-149 * @as(f64, @floatFromInt(dim));
            if (!std.math.isFinite(expected)) {
                try expectBits(&.{expected}, &.{found});
            } else if (metric == .cosine or @abs(@as(f64, expected) - found) > lost) {
                try Oracle.expectScore(metric, query, rows.as(f32, i), found);
            }
        };
    };
}

test "a dot product among many whose partial sums overflow is its finite total" {
    const dim = 600;
    const room: Room = try .of(7 * dim, 5 * dim, 7 * 5);
    defer room.free();
    @memset(room.queries, 1e20);
    for (room.elements, 0..) |*x, i| x.* = if (i % dim < dim / 2) 1e20 else -1e20;
    for (0..dim) |e| room.elements[4 * dim + e] = 1e20;
    try room.score(&.by(.dot), room.queries, &.dense(f32, room.elements, dim), 5);
    for (room.out, 0..) |score, i| try testing.expectEqual(if (i % 5 == 4) inf else @as(f32, 0), score);
}

test "cosines do not depend on the size of norms, of a query alone or among many" {
    const dim = 19;
    const scales = [_]f32{ 1e-40, 1e-37, 1e-25, 1e-22, 1e-19, 1, 1e18, 1e19, 1e37, 3e38 };
    const room: Room = try .of(scales.len * dim, scales.len * dim, scales.len * scales.len);
    defer room.free();
    // What scaling rounds, among denormal numbers, is rounded for the oracle too.
    for (room.queries, room.elements, 0..) |*q, *x, i| {
        q.* *= scales[i / dim];
        x.* *= scales[i / dim];
    }
    const rows: Rows = .dense(f32, room.elements, dim);
    try room.score(&.by(.cosine), room.queries, &rows, scales.len);
    for (0..scales.len) |q| for (0..scales.len) |i| {
        const query = room.queries[q * dim ..][0..dim];
        try Oracle.expectScore(.cosine, query, rows.as(f32, i), room.out[q * scales.len + i]);
        try Oracle.expectScore(.cosine, query, rows.as(f32, i), try room.alone(&.by(.cosine), query, rows.as(f32, i)));
    };
}

test "the best rows of many queries are their scores sorted, filtered and as good as the threshold" {
    if (score_test.watched) return error.SkipZigTest;
    const dim = 3;
    const row_count = 200;
    const room: Room = try .of(67 * dim, row_count * dim, 67 * row_count);
    defer room.free();
    // Few distinct elements, so that most scores have ties.
    for (room.queries) |*x| x.* = @round(x.* * 2);
    for (room.elements) |*x| x.* = @round(x.* * 2);
    room.elements[10 * dim] = nan;
    room.elements[150 * dim + 2] = inf;
    const words = [_]u64{ 0x5555_5555_5555_5555, std.math.maxInt(u64), 0, 0xFF };
    var hits: [67 * row_count]Hit = undefined;
    var results: [67]top_k.TopK = undefined;
    for ([_]usize{ 2, 6, 7, 67 }) |count| for (metrics) |metric| for (precisions) |precision| {
        const queries = room.queries[0 .. count * dim];
        for ([_][]const u64{ &.{}, &words }) |filter| for ([_]usize{ 0, 1, 7, row_count, std.math.maxInt(usize) }) |k| {
            for ([_]f32{ -inf, 0, 1, inf }) |threshold| {
                var search = searching(metric, precision);
                search.threshold = threshold;
                var rows: Rows = .dense(f32, room.elements, dim);
                rows.filter = filter;
                try room.score(&search, queries, &rows, row_count);
                const need = matrix.topKNeed(&search, .{ .dim = dim }, count, row_count, k);
                var arena: Arena = .over(room.bytes[0..need]);
                defer arena.dissolve();
                try matrix.topK(&arena, &search, &.dense(f32, queries, dim), &rows, k, &hits, results[0..count]);
                try testing.expectEqual(need, arena.highWater());
                const kept = @min(k, row_count);
                for (results[0..count], 0..) |result, q| {
                    const all = room.out[q * row_count ..][0..row_count];
                    try expectSorted(&search, &rows, all, kept, hits[q * kept ..][0..result.hit_count], result);
                }
            }
        };
    };
}

/// Sorts by picking the best of what is left, again and again.
fn expectSorted(
    search: *const Search,
    rows: *const Rows,
    scores: []const f32,
    k: usize,
    hits: []const Hit,
    result: top_k.TopK,
) !void {
    var nan_rows: usize = 0;
    var taken: [200]bool = @splat(false);
    for (scores, 0..) |score, row| {
        const is_in = rows.filter.len == 0 or rows.filter[row / 64] >> @intCast(row % 64) & 1 == 1;
        if (is_in and std.math.isNan(score)) nan_rows += 1;
        const sign: f32 = if (search.metric == .squared_euclidean) -1 else 1;
        taken[row] = !is_in or std.math.isNan(score) or score * sign < search.threshold * sign;
    }
    try testing.expectEqual(nan_rows, result.nan_rows);
    for (hits) |hit| {
        var best: ?usize = null;
        for (scores, 0..) |score, row| {
            if (taken[row]) continue;
            const other = scores[best orelse row];
            const before = if (search.metric == .squared_euclidean) score < other else score > other;
            if (best == null or before) best = row;
        }
        try testing.expectEqual(best.?, hit.row);
        try expectBits(&.{scores[best.?]}, &.{hit.score});
        taken[best.?] = true;
    }
    const left = std.mem.findScalar(bool, taken[0..scores.len], false) != null;
    try testing.expect(hits.len == k or !left);
}

test "an arena one block short refuses many queries before the first write, and names their need" {
    const dim = 33;
    const room: Room = try .of(7 * dim, 4 * dim, 7 * 4);
    defer room.free();
    const rows: Rows = .dense(f32, room.elements, dim);
    for (precisions) |precision| for ([_]usize{ 2, 7 }) |count| {
        const search = searching(.cosine, precision);
        const queries = room.queries[0 .. count * dim];
        @memset(room.out, 9);
        const need = matrix.scoresNeed(&search, .{ .dim = dim }, count);
        var arena: Arena = .over(room.bytes[0 .. need - 64]);
        defer arena.dissolve();
        const refused_scores = matrix.scores(&arena, &search, &.dense(f32, queries, dim), &rows, room.out, 4);
        try testing.expectError(error.OutOfMemory, refused_scores);
        try testing.expectEqual(need, arena.wanted);
        var hits: [28]Hit = @splat(.{ .row = 9, .score = 9 });
        var results: [7]top_k.TopK = @splat(.{ .hit_count = 9, .nan_rows = 9 });
        const best_need = matrix.topKNeed(&search, .{ .dim = dim }, count, 4, 4);
        var best_arena: Arena = .over(room.bytes[0 .. best_need - 64]);
        defer best_arena.dissolve();
        const given: Rows = .dense(f32, queries, dim);
        const refused = matrix.topK(&best_arena, &search, &given, &rows, 4, &hits, results[0..count]);
        try testing.expectError(error.OutOfMemory, refused);
        try testing.expectEqual(best_need, best_arena.wanted);
        for (room.out) |score| try testing.expectEqual(9, score);
        for (hits) |hit| try testing.expectEqual(9, hit.row);
        for (results) |result| try testing.expectEqual(9, result.hit_count);
        try testing.expectEqual(0, arena.cursor + best_arena.cursor);
    };
}

test "among many nothing is read behind the last query or the last row" {
    const query_pages: score_test.Guarded = try .map();
    defer query_pages.unmap();
    const row_pages: score_test.Guarded = try .map();
    defer row_pages.unmap();
    const room: Room = try .of(1, 1, 70 * 20);
    defer room.free();
    const dims = [_]usize{ 1, 2, 3, 7, 15, 16, 17, 31, 33, 63, 65, 100, 129, 257, 513 };
    for (dims) |dim| for ([_]usize{ 2, 7, 33, 70 }) |count| {
        for ([_]usize{ 0, 1, 3, 4, 5, 11, 12, 13, 17 }) |row_count| {
            const stride = dim + row_count % 2;
            const reach = if (row_count == 0) 0 else (row_count - 1) * stride + dim;
            const elements = row_pages.last(reach);
            const queries = query_pages.last(count * dim);
            scatter(elements, dim);
            scatter(queries, count);
            const rows: Rows = .spaced(f32, elements, row_count, dim, stride);
            for (metrics) |metric| try room.score(&.by(metric), queries, &rows, row_count);
        }
    };
}
