//! Scores of one query against rows: cosine, dot product, squared Euclidean distance.
//!
//! Per row: four registers of partial sums, then one, then a masked tail, then the lanes by halves. A row's score
//! depends on nothing but the query and the row, so neither the place of a row nor the split of a batch changes its
//! bits.
//!
//! Cosine is free of scale. The query is multiplied by a power of two that brings its largest element into [1, 2), its
//! norm is taken in f64; a row whose sum of squares leaves [2^-60, 2^100] is scored again in f64, where no norm of f32
//! elements under- or overflows. A dot product that is not finite is summed again in f64 too: partial sums may overflow
//! with both signs where their total does not.
//!
//! | | finite | a zero vector | NaN in query or row | infinity in query or row |
//! |---|---|---|---|---|
//! | cosine | in [-1, 1] up to rounding | 0 | NaN | NaN |
//! | dot, squared Euclidean | IEEE, +-inf beyond f32 | IEEE | NaN | IEEE |

const std = @import("std");
const arena_zig = @import("arena.zig");
const simd = @import("simd.zig");
const Arena = arena_zig.Arena;
const Frame = arena_zig.Frame;
const F32s = simd.F32s;
const lanes = simd.lanes;

/// ECP_METRIC_* of ecphory.h.
pub const Metric = enum(u32) { cosine = 0, dot = 1, squared_euclidean = 2 };

/// ECP_PACKING_* of ecphory.h.
pub const Packing = enum(u32) { whole = 0, tiled = 1 };

/// ecp_hit of ecphory.h.
pub const Hit = extern struct { row: u64, score: f32, reserved: u32 = 0 };

/// ecp_top_k_result of ecphory.h.
pub const TopK = extern struct { hit_count: usize, nan_rows: usize };

/// Rows that `topK` scores before it looks at them.
const block_rows = 256;

pub fn scoresNeed(dim: usize) usize {
    return arena_zig.sizeOf(f32, dim);
}

pub fn gatherNeed(dim: usize, ids: usize) usize {
    return scoresNeed(dim) +| arena_zig.sizeOf(f32, dim *| ids);
}

pub fn topKNeed(dim: usize, rows: usize, k: usize) usize {
    return scoresNeed(dim) +| arena_zig.sizeOf(f32, block_rows) +| arena_zig.sizeOf(Hit, @min(k, rows));
}

/// scores[i] = metric(query, rows[i]); query [dim], rows [scores.len][dim].
/// OutOfMemory leaves `scores` as it was.
pub fn scores(
    arena: *Arena,
    metric: Metric,
    query: []const f32,
    rows: []const f32,
    out: []f32,
) error{OutOfMemory}!void {
    var frame = try arena.frame(scoresNeed(query.len));
    defer frame.close();
    const prepared: Query = try .prepare(&frame, metric, query);
    prepared.scoreAll(metric, rows, out);
}

/// scores[i] = metric(query, rows[ids[i]]); rows [any][dim], every id the number of a row. The rows are packed into
/// scratch first: all of them, or with `tiled` as many at a time as fit, one at least. The bits are the same.
/// OutOfMemory leaves `scores` as it was.
pub fn gather(
    arena: *Arena,
    metric: Metric,
    query: []const f32,
    rows: []const f32,
    ids: []const u32,
    out: []f32,
    packing: Packing,
) error{OutOfMemory}!void {
    const dim = query.len;
    const tile = switch (packing) {
        .whole => ids.len,
        .tiled => tiledRows(arena, dim, ids.len),
    };
    var frame = try arena.frame(gatherNeed(dim, tile));
    defer frame.close();
    const prepared: Query = try .prepare(&frame, metric, query);
    const packed_rows = try frame.alloc(f32, dim *| tile);
    var first: usize = 0;
    while (first < ids.len) : (first += tile) {
        const count = @min(tile, ids.len - first);
        for (ids[first..][0..count], 0..) |id, i| {
            @memcpy(packed_rows[i * dim ..][0..dim], rows[@as(usize, id) * dim ..][0..dim]);
        }
        prepared.scoreAll(metric, packed_rows[0 .. count * dim], out[first..][0..count]);
    }
}

/// Rows that fit beside the query, of so many that are wanted; one where none does, to name the least need.
fn tiledRows(arena: *const Arena, dim: usize, wanted: usize) usize {
    const room = arena.capacity - arena.cursor -| scoresNeed(dim);
    return @min(@max(room / (dim *| @sizeOf(f32)), 1), wanted);
}

/// The min(k, rows) best rows into `hits`, best first, ties by lower row: highest cosine or dot product, lowest
/// distance. Rows that score NaN are left out and counted. OutOfMemory leaves `hits` as it was.
pub fn topK(
    arena: *Arena,
    metric: Metric,
    query: []const f32,
    rows: []const f32,
    k: usize,
    hits: []Hit,
) error{OutOfMemory}!TopK {
    const dim = query.len;
    const row_count = rows.len / dim;
    var frame = try arena.frame(topKNeed(dim, row_count, k));
    defer frame.close();
    const prepared: Query = try .prepare(&frame, metric, query);
    const block = try frame.alloc(f32, block_rows);
    const heap = try frame.alloc(Hit, @min(k, row_count));
    var best: Best = .{ .heap = heap, .lowest_first = metric == .squared_euclidean };

    var first: usize = 0;
    while (first < row_count) : (first += block_rows) {
        const count = @min(block_rows, row_count - first);
        prepared.scoreAll(metric, rows[first * dim ..][0 .. count * dim], block[0..count]);
        for (block[0..count], first..) |score, row| best.offer(.{ .row = row, .score = score });
    }
    const nan_rows = best.nan_rows;
    const sorted = best.sort();
    @memcpy(hits[0..sorted.len], sorted);
    return .{ .hit_count = sorted.len, .nan_rows = nan_rows };
}

/// The best hits so far, the worst of them at the root of a binary heap.
const Best = struct {
    heap: []Hit,
    len: usize = 0,
    nan_rows: usize = 0,
    lowest_first: bool,

    fn better(best: *const Best, a: Hit, b: Hit) bool {
        if (a.score != b.score) return (a.score < b.score) == best.lowest_first;
        return a.row < b.row;
    }

    fn offer(best: *Best, hit: Hit) void {
        if (std.math.isNan(hit.score)) {
            best.nan_rows += 1;
        } else if (best.len < best.heap.len) {
            best.heap[best.len] = hit;
            best.len += 1;
            best.rise(best.len - 1);
        } else if (best.len > 0 and best.better(hit, best.heap[0])) {
            best.heap[0] = hit;
            best.sink(best.len);
        }
    }

    fn rise(best: *Best, from: usize) void {
        var child = from;
        while (child > 0) {
            const parent = (child - 1) / 2;
            if (!best.better(best.heap[parent], best.heap[child])) return;
            std.mem.swap(Hit, &best.heap[parent], &best.heap[child]);
            child = parent;
        }
    }

    fn sink(best: *Best, len: usize) void {
        var parent: usize = 0;
        while (2 * parent + 1 < len) {
            var child = 2 * parent + 1;
            if (child + 1 < len and best.better(best.heap[child], best.heap[child + 1])) child += 1;
            if (!best.better(best.heap[parent], best.heap[child])) return;
            std.mem.swap(Hit, &best.heap[parent], &best.heap[child]);
            parent = child;
        }
    }

    /// Best first: the root, the worst, moves to the end, again and again.
    fn sort(best: *Best) []Hit {
        var len = best.len;
        while (len > 1) {
            len -= 1;
            std.mem.swap(Hit, &best.heap[0], &best.heap[len]);
            best.sink(len);
        }
        return best.heap[0..best.len];
    }
};

/// A query ready to meet rows: copied to an aligned block, for cosine scaled, with its norm.
const Query = struct {
    elements: []align(arena_zig.alignment) const f32,
    tail: simd.Tail,
    /// Of the scaled elements; used by cosine alone.
    norm: f64,

    fn prepare(frame: *Frame, metric: Metric, query: []const f32) error{OutOfMemory}!Query {
        const elements = try frame.alloc(f32, query.len);
        const scale = if (metric == .cosine) unitScale(query) else 1;
        for (elements, query) |*element, given| element.* = @floatCast(given * scale);
        const norm = if (metric == .cosine) @sqrt(sumWide(.squares, elements, elements)) else 0;
        return .{ .elements = elements, .tail = .of(query.len), .norm = norm };
    }

    fn scoreAll(query: *const Query, metric: Metric, rows: []const f32, out: []f32) void {
        switch (metric) {
            inline else => |known| for (out, 0..) |*to, i| {
                to.* = query.score(known, rows[i * query.elements.len ..][0..query.elements.len]);
            },
        }
    }

    inline fn score(query: *const Query, comptime metric: Metric, row: []const f32) f32 {
        const sums: Sums(metric) = .of(query, row);
        switch (metric) {
            .squared_euclidean => return simd.sum(sums.first),
            .dot => {
                const dot = simd.sum(sums.first);
                return if (std.math.isFinite(dot)) dot else dotWide(query, row);
            },
            .cosine => {
                const squares = simd.sum(sums.second);
                // Also false for NaN. A zero query has the norm 0 and is left to the slow path as well.
                if (!(squares >= 0x1p-60 and squares <= 0x1p100 and query.norm >= 1)) return cosineWide(query, row);
                return simd.sum(sums.first) / (@as(f32, @floatCast(query.norm)) * @sqrt(squares));
            },
        }
    }

    noinline fn dotWide(query: *const Query, row: []const f32) f32 {
        return @floatCast(sumWide(.products, query.elements, row));
    }

    noinline fn cosineWide(query: *const Query, row: []const f32) f32 {
        const dot = sumWide(.products, query.elements, row);
        const norms = query.norm * @sqrt(sumWide(.squares, row, row));
        if (std.math.isNan(dot)) return @floatCast(dot);
        return if (norms == 0) 0 else @floatCast(dot / norms);
    }
};

/// Partial sums of one row: of products or squared differences, and for cosine of the row's squares.
fn Sums(comptime metric: Metric) type {
    return struct {
        first: F32s = @splat(0),
        second: F32s = @splat(0),

        const Self = @This();

        inline fn of(query: *const Query, row: []const f32) Self {
            var parts: [4]Self = @splat(.{});
            var i: usize = 0;
            while (i + 4 * lanes <= row.len) : (i += 4 * lanes) {
                inline for (&parts, 0..) |*part, p| part.add(
                    query.elements[i + p * lanes ..][0..lanes].*,
                    row[i + p * lanes ..][0..lanes].*,
                );
            }
            while (i + lanes <= row.len) : (i += lanes) {
                parts[0].add(query.elements[i..][0..lanes].*, row[i..][0..lanes].*);
            }
            if (i < row.len) parts[1].add(query.tail.read(query.elements), query.tail.read(row));
            return .{
                .first = (parts[0].first + parts[1].first) + (parts[2].first + parts[3].first),
                .second = (parts[0].second + parts[1].second) + (parts[2].second + parts[3].second),
            };
        }

        inline fn add(sums: *Self, query: F32s, row: F32s) void {
            switch (metric) {
                .dot, .cosine => sums.first = simd.mulAdd(F32s, query, row, sums.first),
                .squared_euclidean => sums.first = simd.mulAdd(F32s, query - row, query - row, sums.first),
            }
            if (metric == .cosine) sums.second = simd.mulAdd(F32s, row, row, sums.second);
        }
    };
}

/// The power of two that brings the largest magnitude into [1, 2); 1 where there is none to bring.
fn unitScale(elements: []const f32) f64 {
    var largest: f32 = 0;
    for (elements) |element| largest = @max(largest, @abs(element));
    if (largest == 0 or !std.math.isFinite(largest)) return 1;
    return std.math.ldexp(@as(f64, 1), -std.math.ilogb(@as(f64, largest)));
}

/// Sum of the products, or of the squares of `a`, in f64: exact products, and no f32 under- or overflows there.
fn sumWide(comptime what: enum { products, squares }, a: []const f32, b: []const f32) f64 {
    const wide = 8;
    var parts: @Vector(wide, f64) = @splat(0);
    var i: usize = 0;
    while (i + wide <= a.len) : (i += wide) {
        const x: @Vector(wide, f64) = @as(@Vector(wide, f32), a[i..][0..wide].*);
        const y = if (what == .squares) x else @as(@Vector(wide, f64), @as(@Vector(wide, f32), b[i..][0..wide].*));
        parts += x * y;
    }
    var total = simd.sum(parts);
    for (a[i..], b[i..]) |x, y| total += @as(f64, x) * (if (what == .squares) x else y);
    return total;
}

const testing = std.testing;
const Oracle = @import("oracle.zig");

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
            try scores(&arena, metric, query[0..dim], rows, &out);
            try testing.expectEqual(scoresNeed(dim), arena.highWater());
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
        try scores(&arena, metric, rows[0..dim], &rows, &all);
        try gather(&arena, metric, rows[0..dim], &rows, &ids, &some, .whole);
        try testing.expectEqual(gatherNeed(dim, ids.len), arena.highWater());
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
        try gather(&large, metric, rows[0..dim], &rows, &ids, &whole, .tiled);
        try testing.expectEqual(gatherNeed(dim, ids.len), large.highWater());
        for (1..ids.len + 1) |fitting| {
            var arena: Arena = .over(bytes[0..gatherNeed(dim, fitting)]);
            var tiled: [ids.len]f32 = @splat(7);
            try gather(&arena, metric, rows[0..dim], &rows, &ids, &tiled, .tiled);
            try testing.expectEqualSlices(u32, @ptrCast(&whole), @ptrCast(&tiled));
            try testing.expectEqual(0, arena.overflow_count);
        }
        var short: Arena = .over(bytes[0 .. gatherNeed(dim, 1) - 64]);
        var tiled: [ids.len]f32 = @splat(7);
        const refused = gather(&short, metric, rows[0..dim], &rows, &ids, &tiled, .tiled);
        try testing.expectError(error.OutOfMemory, refused);
        try testing.expectEqual(gatherNeed(dim, 1), short.wanted);
        try testing.expectEqualSlices(f32, &@as([ids.len]f32, @splat(7)), &tiled);
        try gather(&short, metric, rows[0..dim], &rows, &.{}, &.{}, .tiled);
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
        const found = try topK(&arena, .dot, &.{1}, &rows, k, &hits);
        try testing.expectEqual(topKNeed(1, rows.len, k), arena.highWater());
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
        const near = try topK(&arena, .squared_euclidean, &.{49}, &rows, k, &hits);
        if (k > 0) try testing.expectEqual(0, hits[0].score);
        for (1..@max(near.hit_count, 1)) |rank| try testing.expect(hits[rank - 1].score <= hits[rank].score);
    }
}

test "an empty arena is out of memory and touches nothing" {
    var arena: Arena = .over(&.{});
    var out = [_]f32{ 7, 8 };
    var hits = [_]Hit{.{ .row = 9, .score = 9 }};
    const rows = [_]f32{ 1, 2, 3, 4 };
    try testing.expectError(error.OutOfMemory, scores(&arena, .cosine, rows[0..2], &rows, &out));
    try testing.expectEqual(scoresNeed(2), arena.wanted);
    try testing.expectError(error.OutOfMemory, gather(&arena, .cosine, rows[0..2], &rows, &.{ 0, 1 }, &out, .whole));
    try testing.expectEqual(gatherNeed(2, 2), arena.wanted);
    try testing.expectError(error.OutOfMemory, topK(&arena, .cosine, rows[0..2], &rows, 1, &hits));
    try testing.expectEqual(topKNeed(2, 2, 1), arena.wanted);
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
    var arena: Arena = .over(bytes[0 .. gatherNeed(dim, 4) - 64]);
    const refused = gather(&arena, .dot, rows[0..dim], &rows, &.{ 0, 1, 2, 3 }, &out, .whole);
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
        try scores(&arena, .cosine, &query, &row, &out);
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
        try scores(&arena, .cosine, ones[0..dim], row[0..dim], &out);
        try testing.expectEqual(0, out[0]);
        try scores(&arena, .cosine, row[0..dim], ones[0..dim], &out);
        try testing.expectEqual(0, out[0]);
        row[lane] = nan;
        for ([_]Metric{ .cosine, .dot, .squared_euclidean }) |metric| {
            try scores(&arena, metric, ones[0..dim], row[0..dim], &out);
            try testing.expect(std.math.isNan(out[0]));
            try scores(&arena, metric, row[0..dim], ones[0..dim], &out);
            try testing.expect(std.math.isNan(out[0]));
        }
        row[lane] = -inf;
        try scores(&arena, .cosine, ones[0..dim], row[0..dim], &out);
        try testing.expect(std.math.isNan(out[0]));
        try scores(&arena, .dot, ones[0..dim], row[0..dim], &out);
        try testing.expectEqual(-inf, out[0]);
        try scores(&arena, .squared_euclidean, ones[0..dim], row[0..dim], &out);
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
    try scores(&arena, .dot, &query, &row, &out);
    try testing.expectEqual(std.math.inf(f32), out[0]);
    row[5] = 1e20;
    try scores(&arena, .dot, &query, &row, &out);
    try testing.expectEqual(0, out[0]);
}
