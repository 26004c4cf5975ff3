//! The score of a query of numbers and one row in f64, where products of f32 are exact and none under- or overflows,
//! rounded once.

const std = @import("std");
const elements_zig = @import("elements.zig");
const score_zig = @import("score.zig");
const simd = @import("simd.zig");
const F32s = simd.F32s;
const F64s = simd.F64s;
const Kind = score_zig.Kind;
const Metric = score_zig.Metric;
const Query = score_zig.Query;
const Words = simd.Words;
const wide_lanes = simd.wide_lanes;
const width = simd.width;

pub noinline fn score(
    comptime kind: Kind,
    comptime metric: Metric,
    query: *const Query,
    row: []const u8,
    scale: f32,
) f32 {
    const first, const squares = sums(kind, metric, query, row, scale);
    switch (metric) {
        .dot => return @floatCast(if (kind == .i8) first * scale else first),
        .squared_euclidean => return @floatCast(first),
        .cosine => {
            if (std.math.isNan(first)) return @floatCast(first);
            const lengths = query.norm * @sqrt(squares);
            return if (lengths == 0) 0 else @floatCast(first / lengths);
        },
        .hamming, .jaccard => comptime unreachable,
    }
}

const chains = 4;

const Sums = struct { firsts: [chains]F64s = @splat(@splat(0)), seconds: [chains]F64s = @splat(@splat(0)) };

/// Products with the query or squared differences, and for a cosine squares.
inline fn sums(comptime kind: Kind, comptime metric: Metric, query: *const Query, row: []const u8, scale: f32) [2]f64 {
    const parts = comptime elements_zig.parts(kind.ofRows());
    const per: usize = if (parts == 1) 2 else 1;
    var all: Sums = .{};
    var i: usize = 0;
    while (i + per * width <= row.len) : (i += per * width) inline for (0..per) |c| {
        add(kind, metric, &all, 2 * c, query, i + c * width, simd.load(row, i + c * width), scale);
    };
    if (per > 1) while (i + width <= row.len) : (i += width) {
        add(kind, metric, &all, 0, query, i, simd.load(row, i), scale);
    };
    if (i < row.len) add(kind, metric, &all, 0, query, i, query.tail.read(row), scale);
    const first = (all.firsts[0] + all.firsts[1]) + (all.firsts[2] + all.firsts[3]);
    const second = (all.seconds[0] + all.seconds[1]) + (all.seconds[2] + all.seconds[3]);
    return .{ simd.sum(first), simd.sum(second) };
}

/// The register of a row at byte `i`.
inline fn add(
    comptime kind: Kind,
    comptime metric: Metric,
    all: *Sums,
    comptime chain: usize,
    query: *const Query,
    i: usize,
    words: Words,
    scale: f32,
) void {
    const of = comptime kind.ofRows();
    const parts = comptime elements_zig.parts(of);
    const queried: [parts]F32s = if (kind == .bf16_pairs)
        elements_zig.widen(.bf16, simd.load(query.block, i))
    else blk: {
        var some: [parts]F32s = undefined;
        inline for (&some, 0..) |*register, p| register.* = @bitCast(simd.load(query.block, i * parts + p * width));
        break :blk some;
    };
    inline for (queried, elements_zig.widen(of, words), 0..) |narrow_x, narrow_y, p| inline for (0..2) |half| {
        const at = (chain + 2 * p + half) % chains;
        const x: F64s = simd.cut(narrow_x, half * wide_lanes, wide_lanes);
        const plain: F64s = simd.cut(narrow_y, half * wide_lanes, wide_lanes);
        const y = if (kind == .i8 and metric == .squared_euclidean) plain * simd.splat(scale) else plain;
        const a, const b = if (metric == .squared_euclidean) .{ x - y, x - y } else .{ x, y };
        all.firsts[at] = simd.mulAdd(F64s, a, b, all.firsts[at]);
        if (metric == .cosine) all.seconds[at] = simd.mulAdd(F64s, y, y, all.seconds[at]);
    };
}
