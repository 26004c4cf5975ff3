//! One query: what its scores do not depend on, how exact they are, and what they read.

const std = @import("std");
const builtin = @import("builtin");
const arena_zig = @import("arena.zig");
const prepare_zig = @import("prepare.zig");
const rows_zig = @import("rows.zig");
const query_zig = @import("query.zig");
const score_zig = @import("score.zig");
const similarity = @import("similarity.zig");
const Oracle = @import("oracle.zig");
const Arena = arena_zig.Arena;
const Metric = score_zig.Metric;
const Rows = rows_zig.Rows;
const Search = similarity.Search;
const testing = std.testing;

pub const metrics = [_]Metric{ .cosine, .dot, .squared_euclidean };
pub const nan = std.math.nan(f32);
pub const inf = std.math.inf(f32);

/// Numbers in [-1, 1).
pub fn scatter(elements: []f32, seed: u64) void {
    var random = std.Random.DefaultPrng.init(seed);
    for (elements) |*element| element.* = random.random().float(f32) * 2 - 1;
}

pub fn searching(metric: Metric, precision: score_zig.Precision) Search {
    var search: Search = .by(metric);
    search.precision = precision;
    return search;
}

/// Bits compare where `==` would let -0 pass for 0 and no NaN for itself.
pub fn expectBits(expected: []const f32, found: []const f32) !void {
    for (expected, found) |a, b| {
        if (std.math.isNan(a) and std.math.isNan(b)) continue;
        try testing.expectEqual(@as(u32, @bitCast(a)), @as(u32, @bitCast(b)));
    }
}

/// The f64 score rounded once: half a unit in the last place of the result, and what f64 loses of `dim` exact products,
/// by the bound of oracle.zig with u = 2^-53, twice for a cosine.
pub fn expectPrecise(metric: Metric, query: []const f32, row: []const f32, score: f32) !void {
    const n: f64 = @floatFromInt(query.len);
    var magnitude: f64 = 0;
    for (query, row) |q, x| magnitude += @abs(@as(f64, q) * @as(f64, x));
    var distance: f64 = 0;
    for (query, row) |q, x| distance += (@as(f64, q) - @as(f64, x)) * (@as(f64, q) - @as(f64, x));
    const exact, const scale = switch (metric) {
        .cosine => .{ Oracle.cosine(query, row), 2 },
        .dot => .{ Oracle.dot(query, row), magnitude },
        .squared_euclidean => .{ distance, distance },
        .hamming, .jaccard => unreachable,
    };
    const bound = @abs(exact) * 0x1p-24 + 2 * (n + 4) * 0x1p-53 * scale;
    try testing.expectApproxEqAbs(exact, @as(f64, score), bound);
}

const long_dims = [_]usize{ 100, 127, 128, 129, 255, 256, 257, 384, 768, 771, 1536, 4096 };

/// Whether a tool looks at every access, which makes each far slower: the longest tests are left out then.
pub const watched = builtin.valgrind_support;

/// Lengths below four registers and a tail of the widest tier, and those around powers of two and in use; a third of
/// them where they are watched.
pub fn dimAt(i: usize) ?usize {
    const at = if (watched) 3 * i else i;
    if (at < 67) return at + 1;
    return if (at - 67 < long_dims.len) long_dims[at - 67] else null;
}

test "scores of rows apart and prepared are the bits of rows that follow each other, and within their bounds" {
    const most = 7;
    var bytes: [1 << 15]u8 align(64) = undefined;
    var query: [4096]f32 = undefined;
    const dense = try testing.allocator.alloc(f32, most * 4096);
    defer testing.allocator.free(dense);
    const spaced = try testing.allocator.alloc(f32, 3 + most * (4096 + 5));
    defer testing.allocator.free(spaced);
    scatter(&query, 1);
    scatter(dense, 2);
    var i: usize = 0;
    while (dimAt(i)) |dim| : (i += 1) for (metrics) |metric| {
        const count = if (dim > 300) 3 else i % (most + 1);
        const stride = dim + i % 6;
        const offset = i % 4;
        @memset(spaced, nan);
        for (0..count) |row| @memcpy(spaced[offset + row * stride ..][0..dim], dense[row * dim ..][0..dim]);
        var norms: [most]f32 = @splat(nan);
        var apart: Rows = .spaced(f32, spaced[offset..], count, dim, stride);
        query_zig.normsOf(&apart, .{ .run = 0 }, norms[0..count]);
        for ([_]score_zig.Precision{ .fast, .precise }) |precision| {
            const search = searching(metric, precision);
            var arena: Arena = .over(&bytes);
            var found: [3][most]f32 = @splat(@splat(9));
            const rows: Rows = .dense(f32, dense[0 .. count * dim], dim);
            apart.norms = &.{};
            try similarity.scores(&arena, &search, &.dense(f32, query[0..dim], dim), &rows, found[0][0..count]);
            try similarity.scores(&arena, &search, &.dense(f32, query[0..dim], dim), &apart, found[1][0..count]);
            apart.norms = norms[0..count];
            try similarity.scores(&arena, &search, &.dense(f32, query[0..dim], dim), &apart, found[2][0..count]);
            try expectBits(&found[0], &found[1]);
            try expectBits(&found[0], &found[2]);
            for (found[0][0..count], 0..) |score, row| {
                const line = rows.as(f32, row);
                if (precision == .precise) try expectPrecise(metric, query[0..dim], line, score);
                try Oracle.expectScore(metric, query[0..dim], line, score);
            }
        }
    };
}

test "a score is the same bits among few rows and among more than the nearer caches hold" {
    const dim = 37;
    const count = (5 << 18) / dim;
    var bytes: [1 << 12]u8 align(64) = undefined;
    const elements = try testing.allocator.alloc(f32, count * dim);
    defer testing.allocator.free(elements);
    const all = try testing.allocator.alloc(f32, count);
    defer testing.allocator.free(all);
    scatter(elements, 1);
    for (metrics) |metric| {
        var arena: Arena = .over(&bytes);
        const query: Rows = .dense(f32, elements[0..dim], dim);
        try similarity.scores(&arena, &.by(metric), &query, &.dense(f32, elements, dim), all);
        var first: usize = 0;
        while (first < count) : (first += 997) {
            var few: [7]f32 = undefined;
            const some = few[0..@min(few.len, count - first)];
            const part = elements[first * dim ..][0 .. some.len * dim];
            try similarity.scores(&arena, &.by(metric), &query, &.dense(f32, part, dim), some);
            try expectBits(all[first..][0..some.len], some);
        }
    }
}

test "filtered rows score NaN where they are kept out, and their bits elsewhere, to the last bit of a partial word" {
    const dim = 5;
    const most = 600;
    var bytes: [1 << 12]u8 align(64) = undefined;
    var elements: [most * dim]f32 = undefined;
    scatter(&elements, 1);
    elements[dim * 77] = nan;
    var random = std.Random.DefaultPrng.init(3);
    for ([_]usize{ 0, 1, 63, 64, 65, 255, 256, 257, 300, 511, 513, 600 }) |count| for (0..5) |kind| {
        var words: [(most + 63) / 64]u64 = undefined;
        for (&words) |*word| word.* = switch (kind) {
            0 => 0,
            1 => std.math.maxInt(u64),
            2 => 1 << 63,
            3 => random.random().int(u64) & random.random().int(u64) & random.random().int(u64),
            else => random.random().int(u64),
        };
        var rows: Rows = .dense(f32, elements[0 .. count * dim], dim);
        for (metrics) |metric| {
            var arena: Arena = .over(&bytes);
            var all: [most]f32 = undefined;
            var some: [most]f32 = @splat(9);
            rows.filter = &.{};
            try similarity.scores(&arena, &.by(metric), &.dense(f32, elements[0..dim], dim), &rows, all[0..count]);
            rows.filter = words[0 .. (count + 63) / 64];
            try similarity.scores(&arena, &.by(metric), &.dense(f32, elements[0..dim], dim), &rows, some[0..count]);
            for (all[0..count], some[0..count], 0..) |expected, found, row| {
                const is_in = words[row / 64] >> @intCast(row % 64) & 1 == 1;
                try expectBits(&.{if (is_in) expected else nan}, &.{found});
            }
            for (some[count..]) |found| try testing.expectEqual(9, found);
        }
    };
}

test "cosines of unit vectors are within 2^-24 where they are precise" {
    const dim = 4096;
    var bytes: [1 << 15]u8 align(64) = undefined;
    var vectors: [2][dim]f32 = undefined;
    for (0..40) |round| {
        const len = dim - round * 97;
        for (&vectors, 0..) |*vector, i| {
            scatter(vector, 2 * round + i);
            // The second near the first, so that their cosine is near 1, where f32 has fewest digits.
            if (i == 1) for (vector, vectors[0]) |*x, y| {
                x.* = y + x.* * 0x1p-6;
            };
            const norm: f32 = @floatCast(prepare_zig.norm(vector[0..len]));
            for (vector) |*x| x.* /= norm;
        }
        var arena: Arena = .over(&bytes);
        var found: [1]f32 = undefined;
        const search = searching(.cosine, .precise);
        const query: Rows = .dense(f32, vectors[0][0..len], len);
        try similarity.scores(&arena, &search, &query, &.dense(f32, vectors[1][0..len], len), &found);
        try testing.expectApproxEqAbs(Oracle.cosine(vectors[0][0..len], vectors[1][0..len]), @as(f64, found[0]), 6e-8);
    }
}

/// Elements that end where memory does.
pub const Guarded = struct {
    pages: []align(std.heap.page_size_min) u8,

    pub fn map() !Guarded {
        if (builtin.os.tag != .linux) return error.SkipZigTest;
        const page = std.heap.pageSize();
        const size = 40 * page;
        const pages = try std.posix.mmap(
            null,
            size + page,
            .{ .READ = true, .WRITE = true },
            .{ .TYPE = .PRIVATE, .ANONYMOUS = true },
            -1,
            0,
        );
        if (std.os.linux.mprotect(pages.ptr + size, page, .{}) != 0) return error.SkipZigTest;
        return .{ .pages = pages };
    }

    pub fn unmap(guarded: Guarded) void {
        std.posix.munmap(guarded.pages);
    }

    /// The last `len` that there are.
    pub fn last(guarded: Guarded, len: usize) []f32 {
        return guarded.lastOf(f32, len);
    }

    pub fn lastOf(guarded: Guarded, comptime T: type, len: usize) []T {
        const end = guarded.pages.len - std.heap.pageSize();
        return @ptrCast(@alignCast(guarded.pages[end - len * @sizeOf(T) .. end]));
    }
};

test "nothing is read behind the last element of a query or of the last row" {
    const queries: Guarded = try .map();
    defer queries.unmap();
    const elements: Guarded = try .map();
    defer elements.unmap();
    const words: Guarded = try .map();
    defer words.unmap();
    const norms: Guarded = try .map();
    defer norms.unmap();
    var bytes: [1 << 15]u8 align(64) = undefined;
    var i: usize = 0;
    while (dimAt(i)) |dim| : (i += 1) for (0..10) |count| {
        const stride = dim + i % 3;
        const reach = if (count == 0) 0 else (count - 1) * stride + dim;
        const query = queries.last(dim);
        const filter: []u64 = @ptrCast(@alignCast(words.last(2 * ((count + 63) / 64))));
        var rows: Rows = .spaced(f32, elements.last(reach), count, dim, stride);
        scatter(query, dim);
        scatter(elements.last(reach), dim + 1);
        @memset(filter, std.math.maxInt(u64) - 2);
        query_zig.normsOf(&rows, .{ .run = 0 }, norms.last(count));
        for (metrics) |metric| for ([_]score_zig.Precision{ .fast, .precise }) |precision| {
            const search = searching(metric, precision);
            var arena: Arena = .over(&bytes);
            var out: [2][10]f32 = undefined;
            rows.norms = &.{};
            rows.filter = &.{};
            try similarity.scores(&arena, &search, &.dense(f32, query, dim), &rows, out[0][0..count]);
            rows.norms = norms.last(count);
            rows.filter = filter;
            try similarity.scores(&arena, &search, &.dense(f32, query, dim), &rows, out[1][0..count]);
            if (count > 0) try expectBits(out[0][0..1], out[1][0..1]);
        };
    };
}
