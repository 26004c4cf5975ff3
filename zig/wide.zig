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

const testing = std.testing;
const Rows = @import("rows.zig").Rows;

/// Of the first, every middle and the last element of a query and of a row: one more for each in the middle.
fn expectKept(comptime kind: Kind, comptime Q: type, comptime R: type, dim: usize, q: [3]Q, x: [3]R) !void {
    const most = 150;
    var query: [most]Q = @splat(q[1]);
    var row: [most]R = @splat(x[1]);
    query[0] = q[0];
    row[0] = x[0];
    query[dim - 1] = q[2];
    row[dim - 1] = x[2];
    var block: [4 * most + 256]u8 align(64) = undefined;
    const precision: score_zig.Precision = if (kind == .bf16_pairs) .fast else .precise;
    const made: Query = .over(kind.ofRows(), .dot, precision, &.dense(Q, query[0..dim], dim), 0, &block);
    const found = score(kind, .dot, &made, std.mem.sliceAsBytes(row[0..dim]), 1);
    try testing.expectEqual(@as(f32, @floatFromInt(dim - 2)), found);
}

test "what f32 would lose beside products that cancel is kept, of every type, for every length" {
    for (2..150) |dim| {
        try expectKept(.f32, f32, f32, dim, .{ 0x1p45, 4, 0x1p45 }, .{ 1, 0.25, -1 });
        try expectKept(.f16, f16, f16, dim, .{ 0x1p15, 4, -0x1p15 }, .{ 0x1p15, 0.25, 0x1p15 });
        try expectKept(.f16, f32, f16, dim, .{ 0x1p45, 2, -0x1p45 }, .{ 1, 0.5, 1 });
        // 2^45, 2, -2^45 and 1, 1/2, 1.
        try expectKept(.bf16, u16, u16, dim, .{ 0x5600, 0x4000, 0xD600 }, .{ 0x3F80, 0x3F00, 0x3F80 });
        try expectKept(.bf16, f32, u16, dim, .{ 0x1p45, 2, 0x1p45 }, .{ 0x3F80, 0x3F00, 0xBF80 });
        try expectKept(.i8, f32, i8, dim, .{ 0x1p40, 0.25, 0x1p40 }, .{ 127, 4, -127 });
        if (comptime Kind.isThere(.bf16_pairs)) {
            try expectKept(.bf16_pairs, u16, u16, dim, .{ 0x5600, 0x4000, 0xD600 }, .{ 0x3F80, 0x3F00, 0x3F80 });
        }
    }
}
