//! The score of a query of numbers and a few rows: cosine, dot product, squared Euclidean distance.
//!
//! Rows are taken four at a time. Each has registers of partial sums of its own, then one, then a masked tail, then
//! the lanes by halves, so a score depends on nothing but the query and the row: neither the place of a row nor what
//! stands beside it changes its bits. Rows of a reduced type are widened in registers; products of f32 are exact there
//! but for an f32 query. bf16 meets bf16 by the CPU's own products where it has them.
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
const builtin = @import("builtin");
const dots_zig = @import("dots.zig");
const elements_zig = @import("elements.zig");
const integers = @import("integers.zig");
const lines_zig = @import("lines.zig");
const prepare_zig = @import("prepare.zig");
const rows_zig = @import("rows.zig");
const simd = @import("simd.zig");
const wide_zig = @import("wide.zig");
const F32s = simd.F32s;
const Groups = rows_zig.Groups;
const Lines = lines_zig.Lines;
const Rows = rows_zig.Rows;
const Type = rows_zig.Type;
const Where = rows_zig.Where;
const Words = simd.Words;
const lanes = simd.lanes;
const width = simd.width;

/// ECP_METRIC_* of ecphory.h.
pub const Metric = enum(u32) {
    cosine = 0,
    dot = 1,
    squared_euclidean = 2,
    hamming = 3,
    jaccard = 4,

    pub fn isDistance(metric: Metric) bool {
        return metric == .squared_euclidean or metric == .hamming;
    }

    /// Whether rows of a type have such a score.
    pub fn fits(metric: Metric, of: Type) bool {
        return (metric == .hamming or metric == .jaccard) == (of == .bits);
    }
};

/// ECP_PRECISION_* of ecphory.h.
pub const Precision = enum(u32) { fast = 0, precise = 1 };

const group = rows_zig.group;
pub const Scores = @Vector(group, f32);

/// How a register of a row meets the query.
pub const Kind = enum {
    f32,
    f16,
    bf16,
    i8,
    /// bf16 on both sides, by an instruction.
    bf16_pairs,

    pub fn ofRows(comptime kind: Kind) Type {
        return switch (kind) {
            .f32 => .f32,
            .f16 => .f16,
            .bf16, .bf16_pairs => .bf16,
            .i8 => .i8,
        };
    }

    pub fn isThere(comptime kind: Kind) bool {
        return kind != .bf16_pairs or dots_zig.has_bf16;
    }

    /// Whether a register of a row is best read in parts, from memory as it is widened.
    fn widensByParts(comptime kind: Kind) bool {
        return kind == .f16;
    }

    /// Registers of the query that meet one of a row.
    pub fn parts(comptime kind: Kind) usize {
        return if (kind == .bf16_pairs) 1 else elements_zig.parts(kind.ofRows());
    }

    fn of(rows: Type, queries: Type, metric: Metric, precision: Precision) Kind {
        const products = metric != .squared_euclidean and precision == .fast;
        const in_pairs = dots_zig.has_bf16 and products and queries == .bf16;
        return switch (rows) {
            .f32 => .f32,
            .f16 => .f16,
            .bf16 => if (in_pairs) .bf16_pairs else .bf16,
            .i8 => .i8,
            .bits => unreachable,
        };
    }
};

/// In which order the registers of a group are read. Bits depend on whether rows are long, and on nothing else of it.
const Order = enum {
    /// One row after the other, in four chains of sums.
    long,
    /// One row after the other, in two. Of f32 alone.
    short,
    /// As `long` and `short`, rows side by side: hides what follows their sums, but only the nearer caches are as fast
    /// that way. Of f32 alone.
    long_near,
    short_near,
    /// As `long` and `short`, each row by whole cache lines.
    long_by_lines,
    short_by_lines,

    fn of(rows: *const Rows, squares: bool) Order {
        // Memory answers sooner to registers that lie across two lines than to lines that are put together.
        const lines = byLinesPays(rows) and rows.type != .f16 and (rows.type == .i8 or !rows.beyond);
        if (rows.type != .f32) return if (lines) .long_by_lines else .long;
        const bytes = if (rows.beyond) std.math.maxInt(usize) else rows.count *| rows.pitch;
        if (rows.dim < long) {
            if (bytes <= near_bytes) return .short_near;
            return if (lines) .short_by_lines else .short;
        }
        // Sums of squares keep a row busy by themselves, where no register of it lies across two lines.
        if (bytes <= near_bytes and (if (lines) squares or bytes <= nearest_bytes else !squares)) return .long_near;
        return if (lines) .long_by_lines else .long;
    }

    fn isOf(comptime order: Order, comptime kind: Kind) bool {
        if (order.byLines() and (!lines_zig.whole or kind.widensByParts())) return false;
        return kind == .f32 or order == .long or order == .long_by_lines;
    }

    fn isNear(order: Order) bool {
        return order == .long_near or order == .short_near;
    }

    fn byLines(order: Order) bool {
        return order == .long_by_lines or order == .short_by_lines;
    }

    fn chains(order: Order) usize {
        return switch (order) {
            .long, .long_near, .long_by_lines => 4,
            .short, .short_near, .short_by_lines => 2,
        };
    }
};

/// Whether rows begin within cache lines, are whole words, and long enough for it.
pub fn byLinesPays(rows: *const Rows) bool {
    const address = @intFromPtr(rows.bytes.ptr);
    const in_words = (address | rows.pitch | rows.len) % @sizeOf(u32) == 0;
    return lines_zig.whole and in_words and (address | rows.pitch) % width != 0 and rows.len >= 6 * width;
}

const long = 256;
/// Of rows that the nearer caches hold.
pub const near_bytes = 1 << 20;
/// Of rows that the nearest holds.
const nearest_bytes = 1 << 15;

/// Rows of so many sums each, as many as half of the registers hold the sums of.
fn abreast(comptime sums_each: usize) usize {
    const registers = if (lanes == 16 or builtin.cpu.arch == .aarch64) 32 else 16;
    return @min(registers / 2 / sums_each, group);
}

/// A query of numbers, ready to meet rows of one type.
pub const Query = struct {
    kind: Kind,
    metric: Metric,
    precision: Precision,
    /// Register after register as they meet those of a row, zeros behind the last element; for cosine scaled.
    block: []align(64) const u8,
    tail: simd.Tail,
    /// Of the scaled elements; used by cosine alone.
    norm: f64,

    /// Query `q` of `queries`, for rows of a type; in a block of four bytes for each element of whole lines of rows.
    pub fn over(
        rows: Type,
        metric: Metric,
        precision: Precision,
        queries: *const Rows,
        q: usize,
        block: []align(64) u8,
    ) Query {
        switch (Kind.of(rows, queries.type, metric, precision)) {
            inline else => |kind| {
                if (comptime !kind.isThere()) unreachable;
                const of = comptime kind.ofRows();
                const elements = prepare_zig.fill(of, queries, q, block);
                var norm: f64 = 0;
                if (metric == .cosine) {
                    prepare_zig.scale(elements, prepare_zig.unitScale(elements));
                    norm = prepare_zig.norm(elements);
                }
                const whole = block[0 .. elements.len * @sizeOf(f32)];
                return .{
                    .kind = kind,
                    .metric = metric,
                    .precision = precision,
                    .block = if (kind == .bf16_pairs) prepare_zig.paired(whole) else whole,
                    .tail = .of(queries.dim * of.size()),
                    .norm = norm,
                };
            },
        }
    }

    /// out[i] = the score of row `where.at(i)`.
    pub fn scoreEach(query: *const Query, rows: *const Rows, where: Where, out: []f32) void {
        switch (query.kind) {
            inline else => |kind| {
                if (comptime !kind.isThere()) unreachable;
                if (query.precision == .precise) return query.scorePrecisely(kind, rows, where, out);
                query.scoreGroups(kind, rows, where, out);
            },
        }
    }

    fn scoreGroups(query: *const Query, comptime kind: Kind, rows: *const Rows, where: Where, out: []f32) void {
        const normed = rows.norms.len > 0;
        switch (Order.of(rows, query.metric == .cosine and !normed)) {
            inline else => |order| {
                if (comptime !order.isOf(kind)) unreachable;
                switch (query.metric) {
                    .cosine => if (normed)
                        query.scoreGroupsBy(kind, .cosine, true, order, rows.*, where, out)
                    else
                        query.scoreGroupsBy(kind, .cosine, false, order, rows.*, where, out),
                    .dot => query.scoreGroupsBy(kind, .dot, false, order, rows.*, where, out),
                    .squared_euclidean => if (comptime kind == .bf16_pairs)
                        unreachable
                    else
                        query.scoreGroupsBy(kind, .squared_euclidean, false, order, rows.*, where, out),
                    .hamming, .jaccard => unreachable,
                }
            },
        }
    }

    /// Of a whole group at least.
    noinline fn scoreGroupsBy(
        query: *const Query,
        comptime kind: Kind,
        comptime metric: Metric,
        comptime normed: bool,
        comptime order: Order,
        rows: Rows,
        where: Where,
        out: []f32,
    ) void {
        @setEvalBranchQuota(4000);
        var groups: Groups = .{ .rows = &rows, .where = &where, .count = out.len };
        while (groups.next(.{ .scales = kind == .i8 and metric != .cosine, .norms = normed })) |four| {
            const counted = kind == .i8 and metric == .cosine and !normed;
            const norms = if (counted) integers.norms(&four.rows) else four.norms;
            const scores = query.score(kind, metric, normed or kind == .i8, order, four.rows, four.scales, norms);
            out[four.first..][0..group].* = scores;
        }
    }

    inline fn score(
        query: *const Query,
        comptime kind: Kind,
        comptime metric: Metric,
        comptime normed: bool,
        comptime order: Order,
        rows: [group][]const u8,
        scales: Scores,
        known_lengths: Scores,
    ) Scores {
        const lowered: Scores = @splat(1.0 / elements_zig.raise);
        switch (metric) {
            .squared_euclidean => return sums(kind, .distances, query, order, rows, scales)[0],
            .dot => {
                const plain = sums(kind, .dots, query, order, rows, scales)[0];
                const dots = if (kind == .i8) plain * lowered * scales else plain;
                const finite = @abs(dots) <= @as(Scores, @splat(std.math.floatMax(f32)));
                return if (@reduce(.And, finite)) dots else query.widened(kind, .dot, &rows, scales, dots, finite);
            },
            .cosine => {
                const wanted: Wanted = if (normed) .dots else .dots_and_squares;
                const dots, const squares = sums(kind, wanted, query, order, rows, scales);
                const lengths: Scores = if (normed) known_lengths else normOf(squares);
                const measured = lengths > @as(Scores, @splat(0));
                const products = if (kind == .i8) dots * lowered else dots;
                const cosines = products / (@as(Scores, @splat(@floatCast(query.norm))) * lengths);
                // A zero query has the norm 0; NaN fails every comparison.
                if (@reduce(.And, measured) and query.norm >= 1) return cosines;
                const sound = if (query.norm >= 1) measured else @as(@Vector(group, bool), @splat(false));
                return query.widened(kind, .cosine, &rows, scales, cosines, sound);
            },
            .hamming, .jaccard => comptime unreachable,
        }
    }

    /// `scores`, with those that are not `sound` taken in f64.
    noinline fn widened(
        query: *const Query,
        comptime kind: Kind,
        comptime metric: Metric,
        rows: *const [group][]const u8,
        scales: Scores,
        scores: Scores,
        sound: @Vector(group, bool),
    ) Scores {
        @branchHint(.cold);
        var all: [group]f32 = scores;
        for (&all, rows, @as([group]f32, scales), @as([group]bool, sound)) |*to, row, row_scale, is_sound| {
            if (!is_sound) to.* = wide_zig.score(kind, metric, query, row, row_scale);
        }
        return all;
    }

    noinline fn scorePrecisely(
        query: *const Query,
        comptime kind: Kind,
        rows: *const Rows,
        where: Where,
        out: []f32,
    ) void {
        switch (query.metric) {
            inline .cosine, .dot, .squared_euclidean => |metric| for (out, 0..) |*to, i| {
                const position = where.at(i);
                to.* = wide_zig.score(kind, metric, query, rows.at(position), rows.scale(position));
            },
            .hamming, .jaccard => unreachable,
        }
    }

    /// The score of one row in f64, rounded once.
    pub fn scoreWide(query: *const Query, rows: *const Rows, row: usize) f32 {
        var one: [1]f32 = undefined;
        switch (query.kind) {
            inline else => |kind| {
                if (comptime !kind.isThere()) unreachable;
                query.scorePrecisely(kind, rows, .{ .run = row }, &one);
            },
        }
        return one[0];
    }
};

/// The norms of rows from their sums of squares; 0 says that f32 does not measure it, and f64 has to.
inline fn normOf(squares: Scores) Scores {
    const zero: Scores = @splat(0);
    const large_enough = @select(f32, squares >= @as(Scores, @splat(0x1p-60)), @sqrt(squares), zero);
    return @select(f32, squares <= @as(Scores, @splat(0x1p100)), large_enough, zero);
}

/// out[i] = the norm of row `where.at(i)` as a cosine takes it, in the same bits; 0 where that takes f64. Of a whole
/// group at least, and not of i8.
pub fn normsOf(rows: *const Rows, where: Where, out: []f32) void {
    switch (rows.type) {
        .f32 => if (rows.dim >= long)
            normsInOrder(.f32, .long, rows.*, where, out)
        else
            normsInOrder(.f32, .short, rows.*, where, out),
        .f16 => normsInOrder(.f16, .long, rows.*, where, out),
        .bf16 => normsInOrder(.bf16, .long, rows.*, where, out),
        .i8, .bits => unreachable,
    }
}

noinline fn normsInOrder(comptime kind: Kind, comptime order: Order, rows: Rows, where: Where, out: []f32) void {
    const none: Query = .{
        .kind = kind,
        .metric = .cosine,
        .precision = .fast,
        .block = &.{},
        .tail = .of(rows.len),
        .norm = 0,
    };
    var groups: Groups = .{ .rows = &rows, .where = &where, .count = out.len };
    while (groups.next(.{})) |four| {
        out[four.first..][0..group].* = normOf(sums(kind, .squares, &none, order, four.rows, four.scales)[1]);
    }
}

const Wanted = enum {
    dots,
    distances,
    squares,
    dots_and_squares,

    fn hasFirst(wanted: Wanted) bool {
        return wanted != .squares;
    }

    fn hasSquares(wanted: Wanted) bool {
        return wanted == .squares or wanted == .dots_and_squares;
    }
};

/// Of each row the sum of its products with the query's elements or of squared differences, and of its squares; 0 where
/// it is not wanted.
inline fn sums(
    comptime kind: Kind,
    comptime wanted: Wanted,
    query: *const Query,
    comptime order: Order,
    rows: [group][]const u8,
    scales: Scores,
) [2]Scores {
    const Part = Sums(kind, wanted, order.chains());
    const kinds: usize = if (wanted == .dots_and_squares) 2 else 1;
    const n = comptime if (order.isNear()) abreast(order.chains() * kinds) else 1;
    var all: [group]Part = undefined;
    inline for (0..group / n) |pass| {
        const some = rows[pass * n ..][0..n].*;
        all[pass * n ..][0..n].* = if (comptime order.byLines())
            .{Part.ofLines(query, some[0], scales[pass])}
        else
            Part.of(n, query, some, scales[pass]);
    }
    var firsts: [group]F32s = undefined;
    var seconds: [group]F32s = undefined;
    inline for (&firsts, &seconds, all) |*first, *second, one| {
        first.* = one.first;
        second.* = one.second;
    }
    return .{
        if (wanted.hasFirst()) simd.sumEach(f32, firsts) else @splat(0),
        if (wanted.hasSquares()) simd.sumEach(f32, seconds) else @splat(0),
    };
}

/// Partial sums of one row, in so many chains that no addition waits for the one before.
fn Sums(comptime kind: Kind, comptime wanted: Wanted, comptime chains: usize) type {
    return struct {
        first: F32s = @splat(0),
        second: F32s = @splat(0),

        const Self = @This();
        const parts = kind.parts();
        /// Registers of a row that are taken at a time. As many of bf16 whatever the query, for the bits of squares.
        const per: usize = if (kind.ofRows() == .bf16) chains else @max(chains / parts, 1);

        /// Of `n` rows at once. All have the scale, where they are of i8.
        inline fn of(comptime n: usize, query: *const Query, rows: [n][]const u8, scale_of_row: f32) [n]Self {
            var all: [n][chains]Self = @splat(@splat(.{}));
            const len = rows[0].len;
            var i: usize = 0;
            while (i + per * width <= len) : (i += per * width) inline for (0..per) |c| {
                const x = queried(query, i + c * width);
                inline for (&all, rows) |*some, row| add(some, c, x, simd.load(row, i + c * width), scale_of_row);
                if (n == 1 and kind == .f32) lines_zig.inTurn();
            };
            if (per > 1) while (i + width <= len) : (i += width) {
                const x = queried(query, i);
                inline for (&all, rows) |*some, row| add(some, 0, x, simd.load(row, i), scale_of_row);
            };
            if (i < len) {
                const x = queried(query, i);
                inline for (&all, rows) |*some, row| add(some, 1, x, query.tail.read(row), scale_of_row);
            }
            var totals: [n]Self = undefined;
            inline for (&totals, all) |*total, some| total.* = together(Self, chains, some);
            return totals;
        }

        /// As `of` of one row.
        inline fn ofLines(query: *const Query, row: []const u8, scale_of_row: f32) Self {
            var all: [chains]Self = @splat(.{});
            var lines: Lines = .of(row);
            const len = row.len;
            var i: usize = 0;
            while (i + (per + 1) * width <= len) : (i += per * width) inline for (0..per) |c| {
                add(&all, c, queried(query, i + c * width), lines.next(), scale_of_row);
                // Squares are work enough.
                if (!wanted.hasSquares() and kind == .f32) lines_zig.inTurn();
            };
            if (i + per * width <= len) {
                inline for (0..per) |c| {
                    add(&all, c, queried(query, i + c * width), lines.nextOfFew(), scale_of_row);
                }
                i += per * width;
            }
            if (per > 1) while (i + width <= len) : (i += width) {
                add(&all, 0, queried(query, i), lines.nextOfFew(), scale_of_row);
            };
            if (i < len) add(&all, 1, queried(query, i), lines.nextOfFew(), scale_of_row);
            return together(Self, chains, all);
        }

        /// What the register of a row at byte `i` meets.
        inline fn queried(query: *const Query, i: usize) [parts]Words {
            var some: [parts]Words = undefined;
            if (!wanted.hasFirst()) return @splat(@splat(0));
            inline for (&some, 0..) |*register, p| register.* = simd.load(query.block, i * parts + p * width);
            return some;
        }

        inline fn add(all: *[chains]Self, comptime nth: usize, x: [parts]Words, words: Words, scale_of_row: f32) void {
            const of_pairs = kind.ofRows() == .bf16 and dots_zig.has_bf16;
            const own = &all[nth % chains];
            if (wanted.hasSquares() and of_pairs) own.second = dots_zig.pairs(own.second, words, words);
            if (kind == .bf16_pairs) {
                if (wanted.hasFirst()) own.first = dots_zig.pairs(own.first, x[0], words);
                return;
            }
            const elements = if (kind == .i8 and wanted == .dots)
                elements_zig.raised(words)
            else
                elements_zig.widen(kind.ofRows(), words);
            inline for (elements, x, 0..) |plain, from, p| {
                const one = &all[(nth * parts + p) % chains];
                const q: F32s = @bitCast(from);
                const y = if (kind == .i8 and wanted == .distances) plain * @as(F32s, @splat(scale_of_row)) else plain;
                switch (wanted) {
                    .dots, .dots_and_squares => one.first = simd.mulAdd(F32s, q, y, one.first),
                    .distances => one.first = simd.mulAdd(F32s, q - y, q - y, one.first),
                    .squares => {},
                }
                if (wanted.hasSquares() and !of_pairs) one.second = simd.mulAdd(F32s, y, y, one.second);
            }
        }
    };
}

inline fn together(comptime Part: type, comptime chains: usize, parts: [chains]Part) Part {
    if (chains == 1) return parts[0];
    const a = together(Part, chains / 2, parts[0 .. chains / 2].*);
    const b = together(Part, chains / 2, parts[chains / 2 ..].*);
    return .{ .first = a.first + b.first, .second = a.second + b.second };
}
