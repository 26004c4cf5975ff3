//! Many queries against rows of every type: beside oracles, and beside each query alone.

const std = @import("std");
const arena_zig = @import("arena.zig");
const matrix = @import("matrix.zig");
const query_test = @import("query_test.zig");
const query_zig = @import("query.zig");
const rows_zig = @import("rows.zig");
const score_zig = @import("score.zig");
const score_test = @import("score_test.zig");
const similarity = @import("similarity.zig");
const top_k = @import("top_k.zig");
const Oracle = @import("oracle.zig");
const Arena = arena_zig.Arena;
const Metric = score_zig.Metric;
const Rows = rows_zig.Rows;
const Search = similarity.Search;
const expectBits = score_test.expectBits;
const metrics = score_test.metrics;
const nan = score_test.nan;
const precisions = query_test.precisions;
const scatter = query_test.scatter;
const scatterScales = query_test.scatterScales;
const searching = score_test.searching;
const testing = std.testing;

const dims = [_]usize{
    1, 2, 3, 5, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 66, 100, 127, 128, 129, 130, 131, 255, 256, 257,
};
const of_bits = [_]Metric{ .hamming, .jaccard };

/// Types of queries and rows, and their metrics.
const kinds = .{
    .{ f16, f16, metrics }, .{ u16, u16, metrics }, .{ f32, f16, metrics }, .{ f32, u16, metrics },
    .{ f32, i8, metrics },  .{ i8, i8, metrics },   .{ u8, u8, of_bits },
};

/// Queries and rows of one type, as many as the largest shape of a test has, and room for their scores.
fn Room(comptime Q: type, comptime R: type) type {
    return struct {
        bytes: []align(64) u8,
        queries: []Q,
        elements: []R,
        query_scales: []f32,
        scales: []f32,
        norms: []f32,
        out: []f32,
        /// Of other rows, or without a filter.
        other: []f32,

        const Self = @This();

        fn of(queries: usize, rows: usize, dim: usize) !Self {
            const a = testing.allocator;
            const room: Self = .{
                .bytes = try a.alignedAlloc(u8, .@"64", 2 << 20),
                .queries = try a.alloc(Q, queries * (dim + 8)),
                .elements = try a.alloc(R, rows * (dim + 8)),
                .query_scales = try a.alloc(f32, queries),
                .scales = try a.alloc(f32, rows),
                .norms = try a.alloc(f32, rows),
                .out = try a.alloc(f32, queries * (rows + 3)),
                .other = try a.alloc(f32, queries * (rows + 3)),
            };
            scatter(Q, room.queries, 1);
            scatter(R, room.elements, 2);
            scatterScales(room.query_scales, 3);
            scatterScales(room.scales, 4);
            return room;
        }

        fn free(room: Self) void {
            inline for (@typeInfo(Self).@"struct".field_names) |name| testing.allocator.free(@field(room, name));
        }

        /// So many, apart, from an element on that is no multiple of anything.
        fn queriesOf(room: *const Self, count: usize, dim: usize, variant: usize) Rows {
            const stride = dim + variant % 3;
            const reach = (count - 1) * stride + dim;
            var queries: Rows = .spaced(Q, room.queries[variant % 5 ..][0..reach], count, dim, stride);
            if (Q == i8 and variant % 2 == 0) queries.scales = room.query_scales[0..count];
            return queries;
        }

        fn rowsOf(room: *const Self, count: usize, dim: usize, variant: usize) Rows {
            const stride = dim + variant % 4;
            const reach = if (count == 0) 0 else (count - 1) * stride + dim;
            var rows: Rows = .spaced(R, room.elements[variant % 7 ..][0..reach], count, dim, stride);
            if (R == i8 and variant % 5 > 0) rows.scales = room.scales[0..count];
            return rows;
        }

        /// Scores, taking no more scratch than is said.
        fn score(room: *const Self, search: *const Search, queries: *const Rows, rows: *const Rows, out: []f32) !void {
            const need = matrix.scoresNeed(search, .of(queries, rows), queries.count);
            var arena: Arena = .over(room.bytes[0..need]);
            defer arena.dissolve();
            try matrix.scores(&arena, search, queries, rows, out, rows.count);
            try testing.expectEqual(need, arena.highWater());
            try testing.expectEqual(0, arena.cursor);
        }

        /// One pair beside the oracle, and beside its score alone where bits are the same.
        fn expectPair(
            room: *const Self,
            search: *const Search,
            queries: *const Rows,
            rows: *const Rows,
            q: usize,
            i: usize,
        ) !void {
            const found = room.out[q * rows.count + i];
            const query = queries.as(Q, q);
            const row = rows.as(R, i);
            const precise = search.precision == .precise;
            const whole = comptime Q == R and (Q == i8 or Q == u8);
            if (whole or precise or matrix.isFew(.of(queries, rows), queries.count)) {
                const one = rows.part(i, 1);
                var alone: [1]f32 = undefined;
                var arena: Arena = .over(room.bytes);
                defer arena.dissolve();
                try similarity.scores(&arena, search, &queries.part(q, 1), &one, &alone);
                try expectBits(&alone, &.{found});
            }
            if (whole) {
                const scales = [_]f32{ queries.scale(q), rows.scale(i) };
                return expectBits(&.{Oracle.whole(search.metric, precise, query, row, scales)}, &.{found});
            }
            try Oracle.expectNumber(query_test.way(Q, R, search, rows.scale(i)), query, row, found);
        }

        /// One shape, of whose pairs a few are compared, the corners among them.
        fn expectShape(room: *const Self, search: *const Search, dim: usize, counts: [2]usize, variant: usize) !void {
            const queries = room.queriesOf(counts[0], dim, variant);
            const rows = room.rowsOf(counts[1], dim, variant);
            const all = counts[0] * counts[1];
            @memset(room.out[0 .. all + 1], 9);
            try room.score(search, &queries, &rows, room.out[0..all]);
            try testing.expectEqual(9, room.out[all]);
            const step = @max(all / 20, 1) | 1;
            var pair: usize = 0;
            while (pair < all) : (pair += if (pair == all - 1) 1 else @min(step, all - 1 - pair)) {
                try room.expectPair(search, &queries, &rows, pair / counts[1], pair % counts[1]);
            }
        }
    };
}

test "many queries and rows of every type are within the bounds of the oracle, in every number of them" {
    if (score_test.watched) return error.SkipZigTest;
    const most = 71;
    const long = 4096;
    inline for (kinds, 0..) |kind, k| {
        const room: Room(kind[0], kind[1]) = try .of(130, most, 260);
        defer room.free();
        const query_counts = [_]usize{ 2, 6, 7, 9, 10, 11, 16, 17, 31, 33, 64, 65, 130 };
        for (dims, 0..) |dim, d| for (query_counts, 0..) |count, c| {
            const variant = d * query_counts.len + c + k;
            const row_count = variant * 29 % if (dim > 64) @as(usize, 17) else most;
            const metric = kind[2][variant % kind[2].len];
            const precision = precisions[@intFromBool(variant % 7 == 0)];
            try room.expectShape(&searching(metric, precision), dim, .{ count, row_count }, variant);
        };
        const long_room: Room(kind[0], kind[1]) = try .of(12, 7, long);
        defer long_room.free();
        for ([_]usize{ 384, 768, 771, 1536, long }, 0..) |dim, d| for ([_]usize{ 4, 12 }) |count| {
            for (kind[2]) |metric| try long_room.expectShape(&.by(metric), dim, .{ count, 3 + d }, d + count);
        };
    }
}

test "among many queries a row has the bits of its score wherever it stands, filtered, with its own norm and scale" {
    const most = 200;
    const dim = 41;
    inline for (kinds) |kind| {
        const room: Room(kind[0], kind[1]) = try .of(67, most, dim);
        defer room.free();
        for ([_]usize{ 3, 12, 67 }, 0..) |count, variant| for (kind[2]) |metric| {
            const search: Search = .by(metric);
            const queries = room.queriesOf(count, dim, variant);
            var rows = room.rowsOf(most, dim, variant + 1);
            if (kind[1] != u8) query_zig.normsOf(&rows, .{ .run = 0 }, room.norms);
            try room.score(&search, &queries, &rows, room.other);
            var random = std.Random.DefaultPrng.init(variant);
            for ([_]usize{ 0, 1, 64, 131 }) |first| {
                var some = rows.part(first, most - first);
                if (kind[1] != u8) some.norms = room.norms[first..];
                var words: [4]u64 = undefined;
                for (&words) |*word| word.* = if (first == 0) std.math.maxInt(u64) else random.random().int(u64);
                some.filter = words[0 .. (some.count + 63) / 64];
                try room.score(&search, &queries, &some, room.out);
                for (0..count) |q| for (0..some.count) |i| {
                    const is_in = words[i / 64] >> @intCast(i % 64) & 1 == 1;
                    const expected = if (is_in) room.other[q * most + first + i] else nan;
                    try expectBits(&.{expected}, &.{room.out[q * some.count + i]});
                };
            }
        };
    }
}

test "oddities of every type, of queries and of rows, score among many what they do in f64" {
    const oddities = comptime std.enums.values(query_test.Oddity);
    const n = oddities.len;
    inline for (query_test.pairs) |pair| {
        const room: Room(pair[0], pair[1]) = try .of(2 * n, n, 67);
        defer room.free();
        for ([_]usize{ 1, 16, 37, 67 }) |dim| for (0..6) |i| {
            const lane = ([_]usize{ 0, dim / 3, dim - 1 })[i % 3];
            const count = ([_]usize{ 5, 2 * n })[i / 3];
            const queries: Rows = .dense(pair[0], room.queries[0 .. count * dim], dim);
            var rows: Rows = .dense(pair[1], room.elements[0 .. n * dim], dim);
            if (pair[1] == i8) rows.scales = room.scales;
            for (0..count) |q| {
                query_test.paintOdd(pair[0], room.queries[q * dim ..][0..dim], oddities[(q + lane) % n], lane);
            }
            for (oddities, 0..) |oddity, row| {
                query_test.paintOdd(pair[1], room.elements[row * dim ..][0..dim], oddity, lane);
            }
            for (metrics) |metric| for (precisions) |precision| {
                const search = searching(metric, precision);
                try room.score(&search, &queries, &rows, room.out[0 .. count * n]);
                for (0..count * n) |at| try room.expectPair(&search, &queries, &rows, at / n, at % n);
            };
        };
    }
}

test "the best rows of many queries, of every type, are their scores sorted, filtered and as good as the threshold" {
    if (score_test.watched) return error.SkipZigTest;
    const most = 150;
    const dim = 11;
    const words = [_]u64{ 0x5555_5555_5555_5555, std.math.maxInt(u64), 0xFF00FF };
    inline for (kinds) |kind| {
        const room: Room(kind[0], kind[1]) = try .of(67, most, dim);
        defer room.free();
        for ([_]usize{ 4, 67 }) |count| for (kind[2]) |metric| for ([_][]const u64{ &.{}, &words }) |filter| {
            const queries = room.queriesOf(count, dim, count);
            var rows = room.rowsOf(most, dim, count);
            rows.filter = filter;
            var search: Search = .by(metric);
            try room.score(&search, &queries, &rows, room.out);
            // What one of the rows scores.
            for (room.out[0..most]) |score| if (!std.math.isNan(score)) {
                search.threshold = score;
                break;
            };
            for ([_]usize{ 1, 5, most }) |k| {
                const need = matrix.topKNeed(&search, .of(&queries, &rows), count, most, k);
                var arena: Arena = .over(room.bytes[0..need]);
                defer arena.dissolve();
                var hits: [67 * most]top_k.Hit = undefined;
                var results: [67]top_k.TopK = undefined;
                try matrix.topK(&arena, &search, &queries, &rows, k, &hits, results[0..count]);
                try testing.expectEqual(need, arena.highWater());
                for (results[0..count], 0..) |result, q| {
                    try expectRanked(&search, room.out[q * most ..][0..most], hits[q * k ..][0..result.hit_count], k);
                }
            }
        };
    }
}

/// Scores of rows that a filter keeps out are NaN.
fn expectRanked(search: *const Search, scores: []const f32, hits: []const top_k.Hit, k: usize) !void {
    var worth: usize = 0;
    for (scores) |score| {
        const good = if (search.metric.isDistance()) score <= search.threshold else score >= search.threshold;
        worth += @intFromBool(good);
    }
    try testing.expectEqual(@min(k, worth), hits.len);
    for (hits, 0..) |hit, rank| {
        try expectBits(scores[hit.row..][0..1], &.{hit.score});
        var before: usize = 0;
        for (scores, 0..) |score, i| {
            const nearer = if (search.metric.isDistance()) score < hit.score else score > hit.score;
            before += @intFromBool(nearer or (score == hit.score and i < hit.row));
        }
        try testing.expectEqual(rank, before);
    }
}

test "many queries of the least and the greatest bytes are exact, up to 65536 of them in 32 bits and beyond" {
    const fills = [_]i8{ -128, 127, 1, -128, 127, 0, -1, 2, 100, -100, 127, -128 };
    const most = 65_537;
    const room: Room(i8, i8) = try .of(fills.len, fills.len, most);
    defer room.free();
    for ([_]usize{ 1, 1023, 65_535, 65_536, most }) |dim| {
        const queries: Rows = .dense(i8, room.queries[0 .. fills.len * dim], dim);
        const rows: Rows = .dense(i8, room.elements[0 .. fills.len * dim], dim);
        for (fills, 0..) |fill, i| {
            @memset(room.queries[i * dim ..][0..dim], fill);
            @memset(room.elements[i * dim ..][0..dim], fill);
            if (i > 2) room.elements[(i + 1) * dim - 1] = 5;
        }
        for (metrics) |metric| {
            const search: Search = .by(metric);
            try room.score(&search, &queries, &rows, room.out[0 .. fills.len * fills.len]);
            for (room.out[0 .. fills.len * fills.len], 0..) |score, at| {
                const query = queries.as(i8, at / fills.len);
                const expected = Oracle.whole(metric, false, query, rows.as(i8, at % fills.len), .{ 1, 1 });
                try expectBits(&.{expected}, &.{score});
            }
        }
    }
}

test "among many nothing is read behind the last query or row of any type, or what comes with them" {
    const ends: query_test.Ends = try .map();
    defer ends.unmap();
    inline for (kinds) |kind| {
        const room: Room(kind[0], kind[1]) = try .of(33, 17, 8);
        defer room.free();
        for ([_]usize{ 1, 2, 3, 7, 16, 17, 31, 33, 63, 65, 100, 129, 257, 513 }, 0..) |dim, d| {
            for ([_]usize{ 2, 12, 33 }) |count| for ([_]usize{ 0, 1, 4, 13, 17 }) |row_count| {
                const stride = dim + row_count % 2;
                const elements = ends.rows.lastOf(kind[1], if (row_count == 0) 0 else (row_count - 1) * stride + dim);
                const given = ends.query.lastOf(kind[0], count * dim);
                scatter(kind[0], given, d);
                scatter(kind[1], elements, d + 1);
                var queries: Rows = .dense(kind[0], given, dim);
                var rows: Rows = .spaced(kind[1], elements, row_count, dim, stride);
                if (kind[1] == i8) rows.scales = ends.scales.last(row_count);
                if (kind[0] == i8) queries.scales = ends.ids.last(count);
                scatterScales(ends.scales.last(row_count), d);
                scatterScales(ends.ids.last(count), d);
                if (kind[1] != u8) {
                    query_zig.normsOf(&rows, .{ .run = 0 }, ends.norms.last(row_count));
                    rows.norms = ends.norms.last(row_count);
                }
                const metric = kind[2][(d + row_count) % kind[2].len];
                try room.score(&.by(metric), &queries, &rows, room.out[0 .. count * row_count]);
            };
        }
    }
}

test "few queries are so many as their types say" {
    const Case = struct { queries: rows_zig.Type, rows: rows_zig.Type, few: []const usize, many: []const usize };
    for ([_]Case{
        .{ .queries = .f32, .rows = .f32, .few = &.{ 2, 6 }, .many = &.{ 7, 17, 64 } },
        .{ .queries = .i8, .rows = .i8, .few = &.{ 2, 9 }, .many = &.{ 10, 17, 64 } },
        .{ .queries = .bf16, .rows = .bf16, .few = &.{ 2, 9 }, .many = &.{ 10, 17, 64 } },
        .{ .queries = .f16, .rows = .f16, .few = &.{ 2, 10, 17, 19 }, .many = &.{ 11, 16, 20, 64 } },
        .{ .queries = .f32, .rows = .i8, .few = &.{ 2, 10, 17, 19 }, .many = &.{ 11, 16, 20, 64 } },
    }) |case| {
        const shape: similarity.Shape = .{ .queries = case.queries, .rows = case.rows, .dim = 64 };
        for (case.few) |count| try testing.expect(matrix.isFew(shape, count));
        for (case.many) |count| try testing.expect(!matrix.isFew(shape, count));
    }
}
