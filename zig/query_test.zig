//! One query against rows of every type: beside an oracle in f64, and the same bits however rows are met.

const std = @import("std");
const arena_zig = @import("arena.zig");
const dots_zig = @import("dots.zig");
const query_zig = @import("query.zig");
const rows_zig = @import("rows.zig");
const score_zig = @import("score.zig");
const score_test = @import("score_test.zig");
const similarity = @import("similarity.zig");
const top_k = @import("top_k.zig");
const Oracle = @import("oracle.zig");
const Arena = arena_zig.Arena;
const Guarded = score_test.Guarded;
const Hit = top_k.Hit;
const Metric = score_zig.Metric;
const Precision = score_zig.Precision;
const Rows = rows_zig.Rows;
const Search = similarity.Search;
const expectBits = score_test.expectBits;
const inf = score_test.inf;
const metrics = score_test.metrics;
const nan = score_test.nan;
const searching = score_test.searching;
const testing = std.testing;

pub const precisions = [_]Precision{ .fast, .precise };

/// Types of a query and of rows whose scores are sums of f32; the bits of a bf16 are a u16.
pub const pairs = .{ .{ f16, f16 }, .{ u16, u16 }, .{ f32, f16 }, .{ f32, u16 }, .{ f32, i8 } };

/// Numbers in [-1, 1), bytes of all values.
pub fn scatter(comptime T: type, elements: []T, seed: u64) void {
    var random = std.Random.DefaultPrng.init(seed);
    for (elements) |*element| element.* = switch (T) {
        i8, u8 => random.random().int(T),
        else => narrowed(T, random.random().float(f32) * 2 - 1),
    };
}

/// Cut off, where the type is narrower.
pub fn narrowed(comptime T: type, number: f32) T {
    return switch (T) {
        u16 => @intCast(@as(u32, @bitCast(number)) >> 16),
        f16 => @floatCast(number),
        f32 => number,
        i8 => @intFromFloat(number),
        else => comptime unreachable,
    };
}

/// Scales between 2^-8 and 2, no two of them alike.
pub fn scatterScales(scales: []f32, seed: u64) void {
    var random = std.Random.DefaultPrng.init(seed);
    for (scales) |*scale| scale.* = 0x1p-8 + random.random().float(f32) * 1.9;
}

/// How the oracle is to look at the score of one query.
pub fn way(comptime Q: type, comptime R: type, search: *const Search, scale: f32) Oracle.Way {
    const precise = search.precision == .precise;
    return .{
        .metric = search.metric,
        .precise = precise,
        .scale = if (R == i8) scale else null,
        .flushes = dots_zig.has_bf16 and Q == u16 and R == u16 and !precise and search.metric != .squared_euclidean,
    };
}

/// Memory of a test, for rows apart, one row alone and the scores of up to `most` rows.
pub const Room = struct {
    arena: []align(64) u8,
    apart: []align(64) u8,
    one: []align(64) u8,
    alone: []f32,
    found: []f32,
    norms: []f32,
    scales: []f32,
    filter: []u64,
    ids: []u32,
    hits: []Hit,

    pub fn of(most: usize, row_bytes: usize) !Room {
        const a = testing.allocator;
        return .{
            .arena = try a.alignedAlloc(u8, .@"64", (most + 8) * (row_bytes + 128) + (1 << 14)),
            .apart = try a.alignedAlloc(u8, .@"64", most * (row_bytes + 64) + 256),
            .one = try a.alignedAlloc(u8, .@"64", row_bytes),
            .alone = try a.alloc(f32, most),
            .found = try a.alloc(f32, most),
            .norms = try a.alloc(f32, most),
            .scales = try a.alloc(f32, most),
            .filter = try a.alloc(u64, (most + 63) / 64),
            .ids = try a.alloc(u32, most),
            .hits = try a.alloc(Hit, most),
        };
    }

    pub fn free(room: Room) void {
        inline for (@typeInfo(Room).@"struct".field_names) |name| testing.allocator.free(@field(room, name));
    }
};

/// A query and rows that follow each other.
pub fn Given(comptime Q: type, comptime R: type) type {
    return struct {
        query: []const Q,
        elements: []const R,
        /// Of the query, and of each row; or none.
        query_scale: []const f32 = &.{},
        scales: []const f32 = &.{},
        /// Elements between rows that are met, for rows that no cache holds.
        gap: usize = 0,

        const Self = @This();

        pub fn dim(given: *const Self) usize {
            return given.query.len;
        }

        pub fn count(given: *const Self) usize {
            return given.elements.len / given.dim();
        }

        pub fn row(given: *const Self, i: usize) []const R {
            return given.elements[i * given.dim() ..][0..given.dim()];
        }

        pub fn scale(given: *const Self, i: usize) f32 {
            return if (given.scales.len == 0) 1 else given.scales[i];
        }

        pub fn queries(given: *const Self) Rows {
            var rows: Rows = .dense(Q, given.query, given.dim());
            rows.scales = given.query_scale;
            return rows;
        }

        /// The score of one row, alone and at the beginning of a cache line, as are those that would follow it.
        pub fn alone(given: *const Self, room: *const Room, search: *const Search, i: usize) !f32 {
            const bytes = std.mem.sliceAsBytes(given.row(i));
            @memcpy(room.one[0..bytes.len], bytes);
            const stride = std.mem.alignForward(usize, given.dim(), 64);
            var rows: Rows = .of(.named(R), room.one[0..bytes.len], 1, given.dim(), stride);
            if (given.scales.len > 0) rows.scales = given.scales[i..][0..1];
            var arena: Arena = .over(room.arena);
            defer arena.dissolve();
            var found: [1]f32 = undefined;
            try similarity.scores(&arena, search, &given.queries(), &rows, &found);
            return found[0];
        }

        /// The rows apart, from an element on that may be a multiple of nothing, with bits between that are NaN.
        fn apart(given: *const Self, room: *const Room, variant: usize) Rows {
            const to: []R = @ptrCast(room.apart);
            const stride = given.dim() + given.gap + variant % 5 * (1 + variant % 3);
            const reach = if (given.count() == 0) 0 else (given.count() - 1) * stride + given.dim();
            const some = to[variant % 37 ..][0..reach];
            if (given.gap == 0) @memset(std.mem.sliceAsBytes(some), 0xFF);
            for (0..given.count()) |i| @memcpy(some[i * stride ..][0..given.dim()], given.row(i));
            var rows: Rows = .spaced(R, some, given.count(), given.dim(), stride);
            rows.scales = given.scales;
            return rows;
        }

        /// That rows score the same bits alone, beside others, with norms, filtered, gathered and among the best;
        /// those are left in `room.alone`.
        pub fn expectEverywhere(given: *const Self, room: *const Room, search: *const Search, variant: usize) !void {
            const n = given.count();
            for (room.alone[0..n], 0..) |*score, i| score.* = try given.alone(room, search, i);
            var rows = given.apart(room, variant);
            const normed = search.metric == .cosine and search.precision == .fast;
            for (0..2) |with_norms| {
                // Where norms are not asked for, they are not looked at.
                @memset(room.norms, nan);
                if (with_norms == 1 and normed) query_zig.normsOf(&rows, .{ .run = 0 }, room.norms[0..n]);
                rows.norms = if (with_norms == 1) room.norms[0..n] else &.{};
                rows.beyond = (variant + with_norms) % 2 == 1;
                try expectRows(room, search, &given.queries(), &rows, variant + with_norms);
                if (n < 2) return;
            }
        }
    };
}

fn expectRows(room: *const Room, search: *const Search, query: *const Rows, rows: *const Rows, variant: usize) !void {
    const n = rows.count;
    @memset(room.found, 9);
    var arena: Arena = .over(room.arena[0..similarity.scoresNeed(.of(query, rows))]);
    try similarity.scores(&arena, search, query, rows, room.found[0..n]);
    try expectBits(room.alone[0..n], room.found[0..n]);
    for (room.found[n..]) |untouched| try testing.expectEqual(9, untouched);
    try expectGathered(room, search, query, rows, variant);
    try expectBest(room, search, query, rows, variant);

    var random = std.Random.DefaultPrng.init(variant);
    for (room.filter) |*word| word.* = random.random().int(u64);
    var some = rows.*;
    some.filter = room.filter[0 .. (n + 63) / 64];
    var again: Arena = .over(room.arena[0..similarity.scoresNeed(.of(query, rows))]);
    try similarity.scores(&again, search, query, &some, room.found[0..n]);
    for (room.alone[0..n], room.found[0..n], 0..) |expected, found, i| {
        try expectBits(&.{if (isIn(&some, i)) expected else nan}, &.{found});
    }
    try expectGathered(room, search, query, &some, variant);
    try expectBest(room, search, query, &some, variant);
}

fn isIn(rows: *const Rows, i: usize) bool {
    return rows.filter.len == 0 or rows.filter[i / 64] >> @intCast(i % 64) & 1 == 1;
}

/// By every packing, in tiles of one row, two or three.
fn expectGathered(
    room: *const Room,
    search: *const Search,
    query: *const Rows,
    rows: *const Rows,
    variant: usize,
) !void {
    if (rows.count == 0) return;
    var random = std.Random.DefaultPrng.init(variant);
    const ids = room.ids[0 .. rows.count - variant % rows.count];
    for (ids) |*id| id.* = random.random().uintLessThan(u32, @intCast(rows.count));
    for ([_]similarity.Packing{ .in_place, .whole, .tiled }) |packing| {
        var gathering = search.*;
        gathering.packing = packing;
        const fitting = if (packing == .tiled) @min(1 + variant % 3, ids.len) else ids.len;
        const need = similarity.gatherNeed(packing, .of(query, rows), fitting);
        var arena: Arena = .over(room.arena[0..need]);
        defer arena.dissolve();
        try similarity.gather(&arena, &gathering, query, rows, ids, room.found[0..ids.len]);
        try testing.expectEqual(need, arena.highWater());
        for (ids, room.found[0..ids.len]) |id, found| {
            try expectBits(&.{if (isIn(rows, id)) room.alone[id] else nan}, &.{found});
        }
    }
}

/// Each hit by its rank: as many rows are before it as there are hits.
fn expectBest(room: *const Room, search: *const Search, query: *const Rows, rows: *const Rows, variant: usize) !void {
    const n = rows.count;
    const k = 1 + variant % 4;
    var arena: Arena = .over(room.arena);
    defer arena.dissolve();
    const result = try similarity.topK(&arena, search, query, rows, k, room.hits[0..@min(k, n)]);
    var admitted: usize = 0;
    var nan_rows: usize = 0;
    for (room.alone[0..n], 0..) |score, i| if (isIn(rows, i)) {
        admitted += 1;
        nan_rows += @intFromBool(std.math.isNan(score));
    };
    try testing.expectEqual(nan_rows, result.nan_rows);
    try testing.expectEqual(@min(k, admitted - nan_rows), result.hit_count);
    for (room.hits[0..result.hit_count], 0..) |hit, rank| {
        try testing.expect(isIn(rows, hit.row));
        try expectBits(&.{room.alone[hit.row]}, &.{hit.score});
        var before: usize = 0;
        for (room.alone[0..n], 0..) |score, i| if (isIn(rows, i) and i != hit.row) {
            const nearer = if (search.metric.isDistance()) score < hit.score else score > hit.score;
            before += @intFromBool(nearer or (score == hit.score and i < hit.row));
        };
        try testing.expectEqual(rank, before);
    }
}

fn expectDim(comptime Q: type, comptime R: type, room: *const Room, dim: usize, count: usize, variant: usize) !void {
    var query: [4096]Q = undefined;
    var elements: [2 * 4096]R = undefined;
    var scales: [10]f32 = undefined;
    scatter(Q, query[0..dim], variant);
    scatter(R, elements[0 .. count * dim], variant + 1);
    scatterScales(&scales, variant);
    const given: Given(Q, R) = .{
        .query = query[0..dim],
        .elements = elements[0 .. count * dim],
        .scales = if (R == i8 and variant % 5 != 0) scales[0..count] else &.{},
    };
    for (metrics, 0..) |metric, m| for (precisions) |precision| {
        const search = searching(metric, precision);
        try given.expectEverywhere(room, &search, variant + m);
        for (room.alone[0..count], 0..) |score, i| {
            try Oracle.expectNumber(way(Q, R, &search, given.scale(i)), given.query, given.row(i), score);
        }
    };
}

test "rows of every type are within their bounds, and score the same bits wherever and however they are met" {
    if (score_test.watched) return error.SkipZigTest;
    const room: Room = try .of(10, 2 * 4096);
    defer room.free();
    inline for (pairs, 0..) |pair, p| {
        var i: usize = 0;
        while (score_test.dimAt(i)) |dim| : (i += 1) {
            const variant = i * pairs.len + p;
            // Each number of rows meets each type, and lengths of every kind.
            const count = if (dim > 512) 1 + variant % 2 else variant % 11;
            try expectDim(pair[0], pair[1], &room, dim, count, variant);
        }
    }
}

test "rows of whole words score the same bits from wherever in a cache line they begin" {
    const most = 3;
    const room: Room = try .of(most, 4 * 1024);
    defer room.free();
    inline for (pairs ++ .{.{ f32, f32 }}) |pair| {
        var query: [900]pair[0] = undefined;
        var elements: [most * 900]pair[1] = undefined;
        scatter(pair[0], &query, 1);
        scatter(pair[1], &elements, 2);
        scatterScales(room.scales, 3);
        const dims = [_]usize{ 96, 192, 194, 226, 230, 258, 260, 290, 292, 322, 388, 404, 452, 516, 772, 774, 900 };
        // A multiple of five leaves strides as they are.
        for (dims) |dim| for (metrics) |metric| for ([_]usize{ 0, 10, 20, 30 }) |start| {
            const given: Given(pair[0], pair[1]) = .{
                .query = query[0..dim],
                .elements = elements[0 .. most * dim],
                .scales = if (pair[1] == i8) room.scales[0..most] else &.{},
                .gap = start % 20,
            };
            const search: Search = .by(metric);
            try given.expectEverywhere(&room, &search, start);
            for (room.alone, 0..) |score, i| {
                const how = way(pair[0], pair[1], &search, given.scale(i));
                try Oracle.expectNumber(how, given.query, given.row(i), score);
            }
        };
    }
}

test "among many rows each has its own norm, its own scale and its own bit of the filter" {
    const most = 600;
    const dim = 37;
    const room: Room = try .of(most, 2 * dim);
    defer room.free();
    inline for (pairs) |pair| {
        var query: [dim]pair[0] = undefined;
        var elements: [most * dim]pair[1] = undefined;
        scatter(pair[0], &query, 1);
        scatter(pair[1], &elements, 2);
        scatterScales(room.scales, 3);
        for ([_]usize{ 63, 256, 257, 600 }, 0..) |count, variant| for (metrics) |metric| for (precisions) |precision| {
            if (precision == .precise and count == 600) continue;
            const given: Given(pair[0], pair[1]) = .{
                .query = &query,
                .elements = elements[0 .. count * dim],
                .scales = if (pair[1] == i8) room.scales[0..count] else &.{},
            };
            try given.expectEverywhere(&room, &searching(metric, precision), variant);
        };
    }
}

/// Where a vector is odd in one element, or in all of them.
pub const Oddity = enum { none, zero, nan, inf, minus_inf, denormal, mixed, huge };

/// Bytes have no oddities but zeros.
pub fn paintOdd(comptime T: type, vector: []T, oddity: Oddity, lane: usize) void {
    for (vector, 0..) |*x, i| {
        x.* = if (T == i8) @as(i8, @intCast(i % 128)) - 64 else narrowed(T, if (i % 2 == 0) 0.5 else 1);
    }
    if (oddity == .zero) @memset(vector, narrowed(T, 0));
    if (T == i8) return;
    const least: f32 = if (T == f16) 0x1p-24 else if (T == u16) 0x1p-133 else 0x1p-149;
    const largest: f32 = if (T == f16) 65504 else 0x1.FEp127;
    switch (oddity) {
        .none, .zero => {},
        .nan => vector[lane] = narrowed(T, nan),
        .inf => vector[lane] = narrowed(T, inf),
        .minus_inf => vector[lane] = narrowed(T, -inf),
        .denormal => for (vector, 1..) |*x, i| {
            x.* = narrowed(T, least * @as(f32, @floatFromInt(i % 100)));
        },
        .mixed => vector[lane] = narrowed(T, 3 * least),
        .huge => for (vector, 0..) |*x, i| {
            x.* = narrowed(T, if (i == lane) -largest else largest);
        },
    }
}

test "zeros, NaN, infinities, denormal and huge numbers of every type score what they do in f64, in every lane" {
    const oddities = comptime std.enums.values(Oddity);
    const most = 131;
    const room: Room = try .of(oddities.len, 2 * most);
    defer room.free();
    inline for (pairs) |pair| for ([_]usize{ 1, 3, 16, 37, 64, 131 }) |dim| {
        var lane: usize = 0;
        while (lane < dim) : (lane += if (dim > 37) 11 else 1) for (oddities) |of_query| {
            var query: [most]pair[0] = undefined;
            var elements: [oddities.len * most]pair[1] = undefined;
            paintOdd(pair[0], query[0..dim], of_query, lane);
            for (oddities, 0..) |oddity, i| paintOdd(pair[1], elements[i * dim ..][0..dim], oddity, lane);
            const given: Given(pair[0], pair[1]) = .{
                .query = query[0..dim],
                .elements = elements[0 .. oddities.len * dim],
            };
            for (metrics) |metric| for (precisions) |precision| {
                const search = searching(metric, precision);
                var arena: Arena = .over(room.arena);
                defer arena.dissolve();
                const rows: Rows = .dense(pair[1], given.elements, dim);
                try similarity.scores(&arena, &search, &given.queries(), &rows, room.found[0..oddities.len]);
                for (room.found[0..oddities.len], 0..) |score, i| {
                    try Oracle.expectNumber(way(pair[0], pair[1], &search, 1), given.query, given.row(i), score);
                }
                if (lane == 0) try given.expectEverywhere(&room, &search, dim);
            };
        };
    };
}

test "dot products of i8 by a scale that leaves f32, or comes back to it, are their totals rounded once" {
    const room: Room = try .of(3, 300);
    defer room.free();
    var query: [300]f32 = @splat(0x1p120);
    var elements: [3 * 300]i8 = @splat(127);
    for (elements[300..600], 0..) |*x, i| x.* = if (i % 2 == 0) 127 else -127;
    const scales = [_]f32{ 0x1p-20, 0x1p100, 0x1p20 };
    const given: Given(f32, i8) = .{ .query = &query, .elements = &elements, .scales = &scales };
    for (precisions) |precision| {
        try given.expectEverywhere(&room, &searching(.dot, precision), 1);
        try testing.expectEqual(0x1p100 * 127 * 300, room.alone[0]);
        try testing.expectEqual(0, room.alone[1]);
        try testing.expectEqual(inf, room.alone[2]);
    }
}

/// Bytes that end where memory does, of all that a call is given.
pub const Ends = struct {
    query: Guarded,
    rows: Guarded,
    scales: Guarded,
    norms: Guarded,
    filter: Guarded,
    ids: Guarded,

    pub fn map() !Ends {
        var ends: Ends = undefined;
        inline for (@typeInfo(Ends).@"struct".field_names) |name| @field(ends, name) = try .map();
        return ends;
    }

    pub fn unmap(ends: Ends) void {
        inline for (@typeInfo(Ends).@"struct".field_names) |name| @field(ends, name).unmap();
    }
};

/// One call of each kind, by rows that end at the end of memory and by all that comes with them.
pub fn expectWithin(
    comptime Q: type,
    comptime R: type,
    ends: *const Ends,
    room: *const Room,
    searches: []const Search,
    dim: usize,
    count: usize,
) !void {
    const stride = dim + count % 3;
    const elements = ends.rows.lastOf(R, if (count == 0) 0 else (count - 1) * stride + dim);
    const query = ends.query.lastOf(Q, dim);
    scatter(Q, query, dim);
    scatter(R, elements, dim + 1);
    var queries: Rows = .dense(Q, query, dim);
    var rows: Rows = .spaced(R, elements, count, dim, stride);
    if (R == i8) {
        rows.scales = ends.scales.last(count);
        scatterScales(ends.scales.last(count), dim);
        if (Q == i8) queries.scales = rows.scales[0..@min(count, 1)];
    }
    const filter = ends.filter.lastOf(u64, (count + 63) / 64);
    @memset(filter, std.math.maxInt(u64) - 2);
    const ids = ends.ids.lastOf(u32, count);
    for (ids, 0..) |*id, i| id.* = @intCast(count - 1 - i);
    if (R != u8) query_zig.normsOf(&rows, .{ .run = 0 }, ends.norms.last(count));
    for (searches) |search| {
        const out = room.found[0..count];
        var arena: Arena = .over(room.arena);
        defer arena.dissolve();
        rows.norms = &.{};
        rows.filter = &.{};
        try similarity.scores(&arena, &search, &queries, &rows, room.alone[0..count]);
        rows.norms = if (R == u8) &.{} else ends.norms.last(count);
        for ([_]similarity.Packing{ .in_place, .tiled }) |packing| {
            var gathering = search;
            gathering.packing = packing;
            try similarity.gather(&arena, &gathering, &queries, &rows, ids, out);
            for (ids, out) |id, score| try expectBits(&.{room.alone[id]}, &.{score});
        }
        rows.filter = filter;
        try similarity.scores(&arena, &search, &queries, &rows, out);
        for (out, 0..) |score, i| try expectBits(&.{if (i % 64 == 1) nan else room.alone[i]}, &.{score});
    }
}

test "nothing is read behind the last element of a query or row of any type, or what comes with them" {
    const ends: Ends = try .map();
    defer ends.unmap();
    const room: Room = try .of(10, 2 * 4096);
    defer room.free();
    var searches: [6]Search = undefined;
    for (&searches, 0..) |*search, i| search.* = searching(metrics[i % 3], precisions[i / 3]);
    inline for (pairs, 0..) |pair, p| {
        var i: usize = 0;
        while (score_test.dimAt(i)) |dim| : (i += 1) {
            const counts = [_]usize{ (i + p) % 10, 1 + (i + p) % 4 };
            for (counts) |count| {
                if (dim > 512 and count > 4) continue;
                try expectWithin(pair[0], pair[1], &ends, &room, &searches, dim, count);
            }
        }
    }
}
