//! The best rows of a query, looked for among copies of them in i8: rows whose true score cannot reach what was found
//! so far are never read.
//!
//! x' and q' are the copies, D their product; |x - x'| and |x'| are known of each row, of the query |q| and |q - q'|.
//! By Cauchy and Schwarz q.x <= D + |q - q'| |x'| + |q| |x - x'|, and |q - x| >= |q - x'| - |x - x'|. What the score in
//! f32 may err by, and what bounds lose to rounding here, is added. Rows that the bound admits are scored as they would
//! be without copies, in their order: hits are the same bits. Where it admits too many, the rest is scored right away.

const std = @import("std");
const arena_zig = @import("arena.zig");
const prepare_zig = @import("prepare.zig");
const query_zig = @import("query.zig");
const rows_zig = @import("rows.zig");
const score_zig = @import("score.zig");
const similarity = @import("similarity.zig");
const simd = @import("simd.zig");
const top_k = @import("top_k.zig");
const Arena = arena_zig.Arena;
const F32s = simd.F32s;
const Hit = top_k.Hit;
const Metric = score_zig.Metric;
const Picked = rows_zig.Picked;
const Query = query_zig.Query;
const Rows = rows_zig.Rows;
const Search = similarity.Search;
const Shape = similarity.Shape;
const Where = rows_zig.Where;
const lanes = simd.lanes;
const block_rows = Picked.most;

/// Copies of rows of f32.
pub const Companion = struct {
    /// Of i8 with scales, as many; of dim elements and zeros up to a multiple of 64.
    rows: Rows,
    /// No less than |x - x'| and |x'|.
    residuals: []const f32,
    lengths: []const f32,
};

pub fn topKNeed(dim: usize, rows: usize, k: usize) usize {
    const copies = 2 *| (dim +| 63 & ~@as(usize, 63));
    return similarity.topKNeed(.{ .dim = dim }, rows, k) +| copies +| arena_zig.sizeOf(f32, block_rows);
}

/// As `topK` of similarity.zig, of rows of f32 and a fast search, to the bit.
pub fn topK(
    arena: *Arena,
    search: *const Search,
    query: *const Rows,
    rows: *const Rows,
    companion: *const Companion,
    k: usize,
    hits: []Hit,
) error{OutOfMemory}!top_k.TopK {
    var frame = try arena.frame(topKNeed(rows.dim, rows.count, k));
    defer frame.close();
    const exact: Query = try .prepare(&frame, .f32, search.metric, .fast, query, 0);
    const block = try frame.alloc(f32, block_rows);
    var best = search.best(try frame.alloc(Hit, @min(k, rows.count)));
    const copy = try frame.alloc(u8, companion.rows.dim);
    const small: Small = .of(search.metric, query.as(f32, 0), copy, try frame.alloc(u8, companion.rows.dim));
    const products = try frame.alloc(f32, block_rows);
    var offsets: [2][Picked.most]u8 = undefined;
    var met: Met = undefined;
    var prunes = true;
    var rescored: usize = 0;
    var first: usize = 0;
    while (first < rows.count) {
        // The first rows are all scored: few, until there is something to exclude by.
        const most: usize = if (best.len < best.heap.len and std.math.isInf(best.bar())) 64 else block_rows;
        const count = @min(most, rows.count - first);
        defer first += count;
        const where: Where = if (rows.filter.len == 0)
            .{ .run = first }
        else
            .{ .picked = .of(rows, first, count, &offsets[0]) };
        const count_in = where.most(count);
        var left = where;
        if (prunes) {
            small.query.scoreEach(&companion.rows, where, products[0..count_in]);
            met.of(companion, rows, &where, products[0..count_in]);
            left = .{ .picked = small.admitted(search.metric, &best, &met, where, &offsets[1]) };
        }
        const scored = block[0..left.most(count_in)];
        exact.scoreEach(rows, left, scored);
        best.offerEach(left, scored);
        rescored += scored.len;
        prunes = prunes and rescored <= 1024 + (first + count) / 4;
    }
    var found = best.finish(hits);
    found.rescored_rows = rescored;
    return found;
}

/// What is known of some rows: the products of their copies with the query's, and facts, 0 where there are no norms.
const Met = struct {
    products: []const f32,
    residuals: []const f32,
    lengths: []const f32,
    norms: []const f32,
    /// Where rows do not follow each other.
    room: [3][block_rows]f32,

    fn of(met: *Met, companion: *const Companion, rows: *const Rows, where: *const Where, products: []const f32) void {
        const count = products.len;
        met.products = products;
        const all = [_][]const f32{ companion.residuals, companion.lengths, rows.norms };
        const to = [_]*[]const f32{ &met.residuals, &met.lengths, &met.norms };
        for (all, to, &met.room) |facts, taken, *room| {
            if (where.* == .run and facts.len > 0) {
                taken.* = facts[where.run..][0..count];
                continue;
            }
            for (room[0..count], 0..) |*fact, i| fact.* = if (facts.len == 0) 0 else facts[where.at(i)];
            taken.* = room[0..count];
        }
    }
};

/// A query and its copy.
const Small = struct {
    query: Query,
    dim: f32,
    /// No less than |q| and |q - q'|.
    length: f32,
    residual: f32,

    /// A cosine is free of the query's size, which brings it where f32 is exact.
    fn of(metric: Metric, elements: []const f32, copy: []align(64) u8, block: []align(64) u8) Small {
        const size = if (metric == .cosine) prepare_zig.unitScale(elements) else 1;
        const bytes: []i8 = @ptrCast(copy);
        const scale = quantize(elements, size, bytes[0..elements.len]);
        @memset(bytes[elements.len..], 0);
        var given: Rows = .dense(i8, bytes, bytes.len);
        given.scales = &.{scale};
        var squares: f64 = 0;
        var left: f64 = 0;
        for (elements, bytes[0..elements.len]) |element, byte| {
            const x = element * size;
            const rest = x - @as(f64, scale) * @as(f64, @floatFromInt(byte));
            squares += x * x;
            left += rest * rest;
        }
        return .{
            .query = .over(.i8, .dot, .fast, &given, 0, block),
            .dim = @floatFromInt(elements.len),
            .length = above(@sqrt(squares)),
            .residual = above(@sqrt(left)),
        };
    }

    /// Offsets of those rows that the bound does not exclude: that may score no worse than what would be a hit.
    fn admitted(
        small: *const Small,
        metric: Metric,
        best: *const top_k.Best,
        met: *const Met,
        where: Where,
        offsets: *[Picked.most]u8,
    ) Picked {
        const first = where.first();
        var len: usize = 0;
        switch (metric) {
            inline .cosine, .dot, .squared_euclidean => |known| {
                var i: usize = 0;
                while (i < met.products.len) : (i += lanes) {
                    var left = small.mayHit(known, best.bar(), met, i);
                    while (left != 0) : (left &= left - 1) {
                        offsets[len] = @intCast(where.at(i + @ctz(left)) - first);
                        len += 1;
                    }
                }
            },
            .hamming, .jaccard => unreachable,
        }
        return .{ .first = first, .offsets = offsets[0..len] };
    }

    /// Of so many rows from `i` on, the first in the lowest bit.
    fn mayHit(small: *const Small, comptime metric: Metric, bar: f32, met: *const Met, i: usize) u32 {
        const products = some(met.products, i);
        const nearest = small.bound(metric, products, some(met.residuals, i), some(met.lengths, i), some(met.norms, i));
        const limit: F32s = @splat(bar);
        const excluded = if (metric == .squared_euclidean) nearest > limit else nearest < limit;
        // What overflowed tells nothing, nor does the copy of a row that is not finite.
        const largest = splat(std.math.floatMax(f32));
        const sure = excluded & (@abs(products) <= largest) & (some(met.residuals, i) <= largest);
        const bits: u32 = @as(@Int(.unsigned, lanes), @bitCast(~sure));
        const count = @min(met.products.len - i, lanes);
        return bits & @as(u32, @truncate((@as(u64, 1) << @intCast(count)) - 1));
    }

    /// The best score that a row can have. NaN, which no comparison excludes, where that is not known.
    inline fn bound(
        small: *const Small,
        comptime metric: Metric,
        products: F32s,
        residuals: F32s,
        lengths: F32s,
        norms: F32s,
    ) F32s {
        const u = 0x1p-24;
        const by_query = splat(small.residual * (1 + 0x1p-20)) * lengths;
        const by_row = splat(small.length * (1 + 0x1p-20)) * residuals;
        const rounding = @abs(products) * splat(0x1p-20) + splat(small.dim * 0x1p-140);
        switch (metric) {
            // A score of f32 errs by (dim + 4) u |q| |x|, and |x| is at most |x'| + |x - x'|.
            .dot => {
                const largest = splat(small.length * (small.dim + 8) * u) * (lengths + residuals);
                return products + (by_query + by_row + largest + rounding);
            },
            // It errs by (2 dim + 8) u, and the norms that this divides by by dim u of about 1.
            .cosine => {
                const cosines = (products + (by_query + by_row + rounding)) / (splat(small.length) * norms);
                const nearest = cosines * splat(1 + 0x1p-19) + splat((4 * small.dim + 64) * u);
                // Of a norm that f32 does not measure nothing is known.
                return @select(f32, norms > splat(0), nearest, splat(std.math.nan(f32)));
            },
            .squared_euclidean => {
                const both = splat(small.length * small.length) + lengths * lengths;
                const doubled = products + by_query;
                // Three sums, each rounded, of numbers that may cancel.
                const square = both - (doubled + doubled) - (both + @abs(doubled)) * splat(0x1p-18);
                const apart = @max(@sqrt(@max(square, splat(0))) - residuals * splat(1 + 0x1p-20), splat(0));
                // Squares below f32 are lost to the score.
                const lost = splat(small.dim * 0x1p-140);
                const nearest = apart * apart * splat(1 - (2 * small.dim + 64) * u) - lost;
                const known = square <= splat(std.math.floatMax(f32));
                return @select(f32, known, nearest, splat(std.math.nan(f32)));
            },
            .hamming, .jaccard => comptime unreachable,
        }
    }
};

inline fn splat(x: f32) F32s {
    return @splat(x);
}

/// So many numbers from `i` on, zeros behind the last.
inline fn some(all: []const f32, i: usize) F32s {
    if (i + lanes <= all.len) return all[i..][0..lanes].*;
    var rest: [lanes]f32 = @splat(0);
    for (rest[0 .. all.len - i], all[i..]) |*to, from| to.* = from;
    return rest;
}

/// No less, by what f64 may have lost too.
fn above(norm: f64) f32 {
    const nearest: f32 = @floatCast(norm * (1 + 0x1p-24));
    return std.math.nextAfter(f32, nearest, std.math.inf(f32));
}

/// Added to a small number, it leaves the nearest integer in the lowest bits.
const integers: f64 = 0x1.8p52;

/// The scale of a copy of `size` times a query, whose elements are written: zeros where it is not finite.
fn quantize(elements: []const f32, size: f64, copy: []i8) f32 {
    var largest: f32 = 0;
    var finite = true;
    for (elements) |x| {
        largest = @max(largest, @abs(x));
        finite = finite and std.math.isFinite(x);
    }
    const scale: f32 = @floatCast(largest * size / 127);
    if (!finite or scale == 0) {
        @memset(copy, 0);
        return 1;
    }
    const inverse = size / @as(f64, scale);
    for (elements, copy) |x, *to| {
        const bits: u64 = @bitCast(std.math.clamp(x * inverse, -127, 127) + integers);
        to.* = @bitCast(@as(u8, @truncate(bits)));
    }
    return scale;
}
