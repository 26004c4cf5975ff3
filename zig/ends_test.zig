//! That nothing is read or written behind the last of many rows, or of anything that comes with them: more than fill a
//! word of a filter, a block of many queries or one of those picked.

const std = @import("std");
const arena_zig = @import("arena.zig");
const companion_test = @import("companion_test.zig");
const companion_zig = @import("companion.zig");
const matrix = @import("matrix.zig");
const query_test = @import("query_test.zig");
const query_zig = @import("query.zig");
const rows_zig = @import("rows.zig");
const score_test = @import("score_test.zig");
const score_zig = @import("score.zig");
const similarity = @import("similarity.zig");
const top_k = @import("top_k.zig");
const Arena = arena_zig.Arena;
const Companion = companion_zig.Companion;
const Guarded = score_test.Guarded;
const Hit = top_k.Hit;
const Metric = score_zig.Metric;
const Rows = rows_zig.Rows;
const Search = similarity.Search;
const expectBits = score_test.expectBits;
const metrics = score_test.metrics;
const nan = score_test.nan;
const testing = std.testing;

const most_rows = 300;
const most_queries = 20;
const k = 5;
const of_bits = [_]Metric{ .hamming, .jaccard };

/// Types of queries and rows, and their metrics.
const kinds = .{
    .{ f32, f32, metrics }, .{ f16, f16, metrics }, .{ u16, u16, metrics }, .{ f32, f16, metrics },
    .{ f32, u16, metrics }, .{ f32, i8, metrics },  .{ i8, i8, metrics },   .{ u8, u8, of_bits },
};

/// Memory that ends with all that a call reads and writes.
const Ends = struct {
    queries: Guarded,
    query_scales: Guarded,
    rows: Guarded,
    scales: Guarded,
    norms: Guarded,
    filter: Guarded,
    ids: Guarded,
    copies: Guarded,
    copy_scales: Guarded,
    residuals: Guarded,
    lengths: Guarded,
    out: Guarded,
    hits: Guarded,
    results: Guarded,

    fn map() !Ends {
        var ends: Ends = undefined;
        inline for (@typeInfo(Ends).@"struct".field_names) |name| @field(ends, name) = try .map();
        return ends;
    }

    fn unmap(ends: *const Ends) void {
        inline for (@typeInfo(Ends).@"struct".field_names) |name| @field(ends, name).unmap();
    }

    fn queriesOf(ends: *const Ends, comptime Q: type, count: usize, dim: usize) Rows {
        const elements = ends.queries.lastOf(Q, count * dim);
        query_test.scatter(Q, elements, dim);
        var queries: Rows = .dense(Q, elements, dim);
        if (Q == i8) {
            queries.scales = ends.query_scales.last(count);
            query_test.scatterScales(ends.query_scales.last(count), dim);
        }
        return queries;
    }

    fn rowsOf(ends: *const Ends, comptime R: type, count: usize, dim: usize, gap: usize) Rows {
        const stride = dim + gap;
        const elements = ends.rows.lastOf(R, (count - 1) * stride + dim);
        query_test.scatter(R, elements, dim + 1);
        var rows: Rows = .spaced(R, elements, count, dim, stride);
        if (R == i8) {
            rows.scales = ends.scales.last(count);
            query_test.scatterScales(ends.scales.last(count), dim);
        }
        return rows;
    }

    /// All rows but the second of each word.
    fn filterOf(ends: *const Ends, count: usize) []const u64 {
        const filter = ends.filter.lastOf(u64, (count + 63) / 64);
        @memset(filter, std.math.maxInt(u64) - 2);
        return filter;
    }

    fn companionOf(ends: *const Ends, made: *const Companion) Companion {
        const count = made.rows.count;
        const elements = ends.copies.lastOf(i8, count * made.rows.dim);
        @memcpy(std.mem.sliceAsBytes(elements), made.rows.bytes[0..elements.len]);
        const facts = [_][]f32{ ends.copy_scales.last(count), ends.residuals.last(count), ends.lengths.last(count) };
        for (facts, [_][]const f32{ made.rows.scales, made.residuals, made.lengths }) |to, from| @memcpy(to, from);
        var rows: Rows = .dense(i8, elements, made.rows.dim);
        rows.scales = facts[0];
        return .{ .rows = rows, .residuals = facts[1], .lengths = facts[2] };
    }
};

fn isIn(rows: *const Rows, i: usize) bool {
    return rows.filter.len == 0 or rows.filter[i / 64] >> @intCast(i % 64) & 1 == 1;
}

/// A search for which everything lies at the end of memory.
const Call = struct {
    ends: *const Ends,
    bytes: []align(64) u8,
    search: *const Search,
    queries: *const Rows,
    rows: *const Rows,

    /// `alone` has the scores of all rows without a filter.
    fn expectScores(call: *const Call, alone: []const f32) !void {
        const rows = call.rows;
        var arena: Arena = .over(call.bytes);
        defer arena.dissolve();
        const out = call.ends.out.last(rows.count);
        try similarity.scores(&arena, call.search, call.queries, rows, out);
        for (alone, out, 0..) |expected, found, i| try expectBits(&.{if (isIn(rows, i)) expected else nan}, &.{found});
        const ids = call.ends.ids.lastOf(u32, rows.count);
        for (ids, 0..) |*id, i| id.* = @intCast(rows.count - 1 - i);
        for (std.enums.values(similarity.Packing)) |packing| {
            var gathering = call.search.*;
            gathering.packing = packing;
            try similarity.gather(&arena, &gathering, call.queries, rows, ids, out);
            for (ids, out) |id, found| try expectBits(&.{if (isIn(rows, id)) alone[id] else nan}, &.{found});
        }
    }

    fn expectBest(call: *const Call, alone: []const f32, companion: ?*const Companion) !void {
        var arena: Arena = .over(call.bytes);
        defer arena.dissolve();
        const hits = call.ends.hits.lastOf(Hit, k);
        const found = if (companion) |copies|
            try companion_zig.topK(&arena, call.search, call.queries, call.rows, copies, k, hits)
        else
            try similarity.topK(&arena, call.search, call.queries, call.rows, k, hits);
        try testing.expectEqual(k, found.hit_count);
        for (hits) |hit| {
            try testing.expect(isIn(call.rows, hit.row));
            try expectBits(&.{alone[hit.row]}, &.{hit.score});
        }
    }

    /// Every score once more among many, and the best of each query by those scores.
    fn expectMany(call: *const Call) !void {
        const rows = call.rows;
        const count = call.queries.count;
        var arena: Arena = .over(call.bytes);
        defer arena.dissolve();
        const out = call.ends.out.last(count * rows.count);
        try matrix.scores(&arena, call.search, call.queries, rows, out, rows.count);
        const hits = call.ends.hits.lastOf(Hit, count * k);
        const results = call.ends.results.lastOf(top_k.TopK, count);
        try matrix.topK(&arena, call.search, call.queries, rows, k, hits, results);
        for (results, 0..) |result, q| {
            const scores = out[q * rows.count ..][0..rows.count];
            for (scores, 0..) |score, i| try testing.expect(isIn(rows, i) != std.math.isNan(score));
            try testing.expectEqual(k, result.hit_count);
            for (hits[q * k ..][0..k]) |hit| try expectBits(&.{scores[hit.row]}, &.{hit.score});
        }
    }
};

/// Every call of one shape, with norms and without, with a filter and without.
fn expectShape(
    comptime Q: type,
    comptime R: type,
    ends: *const Ends,
    room: *Room,
    search: *const Search,
    dim: usize,
    count: usize,
) !void {
    var rows = ends.rowsOf(R, count, dim, count % 2);
    const norms = ends.norms.last(count);
    if (R != u8) query_zig.normsOf(&rows, .{ .run = 0 }, norms);
    const copied = R == f32 and search.precision == .fast;
    const companion: ?Companion = if (copied) ends.companionOf(&room.copies.fill(&rows)) else null;
    const words = ends.filterOf(count);
    const alone = room.alone[0..count];
    for ([_]usize{ 1, 2, 11, most_queries }) |query_count| {
        const queries = ends.queriesOf(Q, query_count, dim);
        const call: Call = .{ .ends = ends, .bytes = room.bytes, .search = search, .queries = &queries, .rows = &rows };
        for ([_][]const u64{ &.{}, words }) |filter| {
            rows.filter = filter;
            rows.norms = if (R != u8 and (filter.len > 0 or query_count == 2)) norms else &.{};
            if (query_count > 1) {
                try call.expectMany();
                continue;
            }
            if (filter.len == 0) {
                var arena: Arena = .over(room.bytes);
                try similarity.scores(&arena, search, &queries, &rows, alone);
            }
            try call.expectScores(alone);
            try call.expectBest(alone, null);
            rows.norms = if (R != u8) norms else &.{};
            if (companion) |*copies| try call.expectBest(alone, copies);
        }
    }
}

const Room = struct {
    bytes: []align(64) u8,
    copies: *companion_test.Copies,
    alone: [most_rows]f32 = undefined,
};

test "nothing is read or written behind the last of many rows, or of anything that comes with them" {
    if (score_test.watched) return error.SkipZigTest;
    const ends: Ends = try .map();
    defer ends.unmap();
    const bytes = try testing.allocator.alignedAlloc(u8, .@"64", 1 << 20);
    defer testing.allocator.free(bytes);
    const copies = try testing.allocator.create(companion_test.Copies);
    defer testing.allocator.destroy(copies);
    var room: Room = .{ .bytes = bytes, .copies = copies };
    const dims = [_]usize{ 1, 3, 16, 17, 31, 48, 65, 100, 129 };
    inline for (kinds, 0..) |kind, n| for (dims, 0..) |dim, d| {
        for ([_]usize{ 65, 130, 257, most_rows }, 0..) |count, c| {
            // Each precision and each metric meets each length.
            const metric = kind[2][(n + d + c) % kind[2].len];
            const precise = (n + c) % 4 == 3;
            const search = score_test.searching(metric, if (precise) .precise else .fast);
            try expectShape(kind[0], kind[1], &ends, &room, &search, dim, count);
        }
    };
}
