//! i8 against i8, and bits: every score is that of whole numbers, one element at a time, to the bit.

const std = @import("std");
const arena_zig = @import("arena.zig");
const integers = @import("integers.zig");
const query_test = @import("query_test.zig");
const query_zig = @import("query.zig");
const rows_zig = @import("rows.zig");
const score_zig = @import("score.zig");
const score_test = @import("score_test.zig");
const similarity = @import("similarity.zig");
const Oracle = @import("oracle.zig");
const Arena = arena_zig.Arena;
const Ends = query_test.Ends;
const Given = query_test.Given;
const Metric = score_zig.Metric;
const Room = query_test.Room;
const Rows = rows_zig.Rows;
const Search = similarity.Search;
const expectBits = score_test.expectBits;
const precisions = query_test.precisions;
const scatter = query_test.scatter;
const scatterScales = query_test.scatterScales;
const searching = score_test.searching;
const testing = std.testing;

/// Types, and the metrics of each.
const kinds = .{ .{ i8, score_test.metrics }, .{ u8, [_]Metric{ .hamming, .jaccard } } };

fn expectExact(comptime T: type, given: *const Given(T, T), room: *const Room, search: *const Search) !void {
    const own = if (given.query_scale.len == 0) 1 else given.query_scale[0];
    const precise = search.precision == .precise;
    for (room.alone[0..given.count()], 0..) |score, i| {
        const scales = [_]f32{ own, given.scale(i) };
        try expectBits(&.{Oracle.whole(search.metric, precise, given.query, given.row(i), scales)}, &.{score});
    }
}

test "scores of bytes and of bits are exact for every length, and the same wherever and however rows are met" {
    if (score_test.watched) return error.SkipZigTest;
    const most = 10;
    const room: Room = try .of(most, 4096);
    defer room.free();
    var scales: [most]f32 = undefined;
    inline for (kinds) |kind| {
        const T = kind[0];
        var query: [4096]T = undefined;
        var elements: [most * 4096]T = undefined;
        var i: usize = 0;
        while (score_test.dimAt(i)) |dim| : (i += 1) for (kind[1], 0..) |metric, m| for (precisions) |precision| {
            const count = if (dim > 512) 1 + i % 3 else (i + m) % (most + 1);
            scatter(T, query[0..dim], i);
            scatter(T, elements[0 .. count * dim], i + 1);
            scatterScales(&scales, i);
            // One row has the scale of the query, and is the query where there are two.
            scales[count -| 1] = 0.3;
            if (count > 1) @memcpy(elements[(count - 1) * dim ..][0..dim], query[0..dim]);
            var given: Given(T, T) = .{ .query = query[0..dim], .elements = elements[0 .. count * dim] };
            if (T == i8 and i % 3 > 0) given.query_scale = &.{0.3};
            if (T == i8 and i % 3 < 2) given.scales = scales[0..count];
            const search = searching(metric, precision);
            try given.expectEverywhere(&room, &search, i + m);
            try expectExact(T, &given, &room, &search);
        };
    }
}

test "rows of bytes or bits that no near cache holds score the same, from wherever in a line they begin" {
    const most = 5;
    const gap = 1 << 18;
    const room: Room = try .of(most, gap + 2048);
    defer room.free();
    inline for (kinds) |kind| {
        const T = kind[0];
        var query: [1536]T = undefined;
        var elements: [most * 1536]T = undefined;
        scatter(T, &query, 1);
        scatter(T, &elements, 2);
        scatterScales(room.scales, 3);
        const dims = [_]usize{ 3, 64, 383, 384, 388, 396, 444, 448, 452, 508, 512, 516, 576, 640, 772, 1020, 1536 };
        for (dims, 0..) |dim, d| for (kind[1]) |metric| for ([_]usize{ 0, 4, 20, 25, 36 }) |start| {
            const given: Given(T, T) = .{
                .query = query[0..dim],
                .elements = elements[0 .. most * dim],
                .scales = if (T == i8) room.scales[0..most] else &.{},
                // Strides of whole words but where rows begin at an odd byte.
                .gap = gap - dim % 4 - start % 5 * (1 + start % 3),
            };
            const search = searching(metric, precisions[d % 2]);
            try given.expectEverywhere(&room, &search, start);
            try expectExact(T, &given, &room, &search);
        };
    }
}

test "among many rows of bytes or bits each has its own norm, its own scale and its own bit of the filter" {
    const most = 600;
    const dim = 40;
    const room: Room = try .of(most, dim);
    defer room.free();
    inline for (kinds) |kind| {
        var query: [dim]kind[0] = undefined;
        var elements: [most * dim]kind[0] = undefined;
        scatter(kind[0], &query, 1);
        scatter(kind[0], &elements, 2);
        scatterScales(room.scales, 3);
        for ([_]usize{ 63, 257, 600 }, 0..) |count, variant| for (kind[1]) |metric| for (precisions) |precision| {
            const search = searching(metric, precision);
            const given: Given(kind[0], kind[0]) = .{
                .query = &query,
                .elements = elements[0 .. count * dim],
                .query_scale = if (kind[0] == i8) &.{1.7} else &.{},
                .scales = if (kind[0] == i8) room.scales[0..count] else &.{},
            };
            try given.expectEverywhere(&room, &search, variant);
            try expectExact(kind[0], &given, &room, &search);
        };
    }
}

const edges = [_]i8{ -128, -127, -1, 0, 1, 127 };

test "bytes at the ends of their range, in all lanes or in one, lose nothing" {
    const most = 1024;
    const room: Room = try .of(edges.len, most);
    defer room.free();
    for ([_]usize{ 1, 5, 63, 64, 65, 200, 1024 }) |dim| for (edges) |own| for ([_]bool{ false, true }) |alone| {
        var query: [most]i8 = @splat(own);
        var elements: [edges.len * most]i8 = undefined;
        for (edges, 0..) |edge, i| {
            const row = elements[i * dim ..][0..dim];
            @memset(row, if (alone) 0 else edge);
            row[dim / 2] = edge;
        }
        const given: Given(i8, i8) = .{ .query = query[0..dim], .elements = elements[0 .. edges.len * dim] };
        for (score_test.metrics) |metric| for (precisions) |precision| {
            const search = searching(metric, precision);
            try given.expectEverywhere(&room, &search, dim);
            try expectExact(i8, &given, &room, &search);
        };
    };
}

/// Around the length whose sums are exact in 32 bits, and its multiples.
const long_dims = [_]usize{ 65_535, 65_536, 65_537, 65_600, 131_071, 131_072, 131_073, 196_709 };

/// The scores of some rows that begin at a byte of a line, of which most tests take the first of all four or more.
fn scored(comptime T: type, room: *const Room, search: *const Search, query: []const T, rows: *const Rows) !void {
    var arena: Arena = .over(room.arena);
    defer arena.dissolve();
    try similarity.scores(&arena, search, &.dense(T, query, query.len), rows, room.found[0..rows.count]);
}

test "long rows of the least and the greatest bytes and bits are exact beyond 32 bits" {
    const most = long_dims[long_dims.len - 1];
    const count = 4;
    const room: Room = try .of(count, most);
    defer room.free();
    inline for (kinds) |kind| {
        const T = kind[0];
        const fills: [2]T = if (T == i8) .{ -128, 127 } else .{ 0, 0xFF };
        const query = try testing.allocator.alloc(T, most);
        defer testing.allocator.free(query);
        for (long_dims, 0..) |dim, d| for (fills) |own| for (kind[1]) |metric| {
            @memset(query, own);
            const rows: Rows = .dense(T, @as([]T, @ptrCast(room.apart[d % 5 ..][0 .. count * dim])), dim);
            const elements: []T = @ptrCast(@constCast(rows.bytes));
            @memset(elements[0..dim], fills[0]);
            @memset(elements[dim..][0..dim], fills[1]);
            scatter(T, elements[2 * dim ..][0..dim], d);
            @memset(elements[3 * dim ..], fills[d % 2]);
            elements[4 * dim - 1] = fills[1 - d % 2];
            const search = searching(metric, precisions[d % 2]);
            try scored(T, &room, &search, query[0..dim], &rows);
            for (room.found[0..count], 0..) |score, i| {
                const expected = Oracle.whole(metric, d % 2 == 1, query[0..dim], rows.as(T, i), .{ 1, 1 });
                try expectBits(&.{expected}, &.{score});
            }
        };
    }
}

test "norms of bytes are the roots of exact sums, rounded once, scaled or not" {
    const count = 7;
    var elements: [count * 65_537]i8 = undefined;
    scatter(i8, &elements, 5);
    @memset(elements[0 .. 65_537 * 2], -128);
    for ([_]usize{ 1, 3, 64, 100, 65_536, 65_537 }) |dim| {
        var rows: Rows = .spaced(i8, &elements, count, dim, dim);
        rows.scales = &@as([count]f32, @splat(0.5));
        var found: [count]f32 = undefined;
        query_zig.normsOf(&rows, .{ .run = 0 }, &found);
        for (found, 0..) |norm, i| {
            var squares: i64 = 0;
            for (rows.as(i8, i)) |x| squares += @as(i64, x) * x;
            const exact: f32 = @floatCast(@sqrt(@as(f64, @floatFromInt(squares))));
            try testing.expectEqual(exact, norm);
        }
    }
}

test "two empty sets of bits are alike, an empty and another not at all" {
    const room: Room = try .of(5, 200);
    defer room.free();
    for ([_]usize{ 1, 7, 8, 63, 64, 65, 200 }) |dim| {
        var query: [200]u8 = @splat(0);
        var elements: [5 * 200]u8 = @splat(0);
        elements[2 * dim - 1] = 0x80;
        @memset(elements[2 * dim ..][0..dim], 0xFF);
        const given: Given(u8, u8) = .{ .query = query[0..dim], .elements = elements[0 .. 5 * dim] };
        try given.expectEverywhere(&room, &.by(.jaccard), dim);
        try expectBits(&.{ 1, 0, 0, 1, 1 }, room.alone);
        try given.expectEverywhere(&room, &.by(.hamming), dim);
        try expectBits(&.{ 0, 1, @floatFromInt(8 * dim), 0, 0 }, room.alone);
        query[dim - 1] = 0x81;
        try given.expectEverywhere(&room, &.by(.jaccard), dim);
        try expectBits(&.{ 0, 0.5, @floatCast(2 / @as(f64, @floatFromInt(8 * dim))), 0, 0 }, room.alone);
    }
}

test "zero vectors of bytes have the cosine 0, with norms and without" {
    const room: Room = try .of(4, 70);
    defer room.free();
    for ([_]usize{ 1, 64, 70 }) |dim| for ([_]i8{ 0, 3 }) |own| for (precisions) |precision| {
        const query: [70]i8 = @splat(own);
        const elements: [4 * 70]i8 = @splat(0);
        const given: Given(i8, i8) = .{ .query = query[0..dim], .elements = elements[0 .. 4 * dim] };
        try given.expectEverywhere(&room, &searching(.cosine, precision), dim);
        try expectBits(&@as([4]f32, @splat(0)), room.alone);
    };
}

test "a row of bytes is at no distance from itself, and at none below 0, whatever the scales" {
    const dim = 61;
    const room: Room = try .of(4, dim);
    defer room.free();
    var query: [dim]i8 = undefined;
    for (0..200) |round| {
        scatter(i8, &query, round);
        var elements: [4 * dim]i8 = undefined;
        for (0..4) |i| @memcpy(elements[i * dim ..][0..dim], &query);
        var scales: [4]f32 = undefined;
        scatterScales(&scales, round);
        const own = scales[2];
        scales[3] = @bitCast(@as(u32, @bitCast(own)) + 1);
        const given: Given(i8, i8) = .{
            .query = &query,
            .elements = &elements,
            .query_scale = &.{own},
            .scales = &scales,
        };
        try given.expectEverywhere(&room, &.by(.squared_euclidean), round);
        try expectExact(i8, &given, &room, &.by(.squared_euclidean));
        try testing.expectEqual(0, room.alone[2]);
        try testing.expect(room.alone[3] >= 0);
    }
}

test "nothing is read behind the last byte of a query or row of bytes or bits, or what comes with them" {
    const ends: Ends = try .map();
    defer ends.unmap();
    const room: Room = try .of(10, 4096);
    defer room.free();
    inline for (kinds, 0..) |kind, p| {
        var searches: [kind[1].len]Search = undefined;
        for (&searches, kind[1]) |*search, metric| search.* = .by(metric);
        var i: usize = 0;
        while (score_test.dimAt(i)) |dim| : (i += 1) for ([_]usize{ (i + p) % 10, 1 + (i + p) % 4 }) |count| {
            try query_test.expectWithin(kind[0], kind[0], &ends, &room, &searches, dim, count);
        };
        const long_room: Room = try .of(1, 70_001);
        defer long_room.free();
        for ([_]usize{ 65_536, 65_537, 70_001 }) |dim| {
            try query_test.expectWithin(kind[0], kind[0], &ends, &long_room, &searches, dim, 1);
        }
    }
}
