//! The score of a query and a few rows: cosine, dot product, squared Euclidean distance.
//!
//! Rows are taken four at a time. Each has registers of partial sums of its own, then one, then a masked tail, then
//! the lanes by halves, so a score depends on nothing but the query and the row: neither the place of a row nor what
//! stands beside it changes its bits.
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
const arena_zig = @import("arena.zig");
const lines_zig = @import("lines.zig");
const simd = @import("simd.zig");
const Rows = @import("rows.zig").Rows;
const Frame = arena_zig.Frame;
const F32s = simd.F32s;
const Lines = lines_zig.Lines;
const F64s = simd.F64s;
const lanes = simd.lanes;
const wide_lanes = simd.wide_lanes;

/// ECP_METRIC_* of ecphory.h.
pub const Metric = enum(u32) { cosine = 0, dot = 1, squared_euclidean = 2 };

/// ECP_PRECISION_* of ecphory.h.
pub const Precision = enum(u32) { fast = 0, precise = 1 };

/// Rows that are scored at once.
pub const group = 4;
pub const Scores = @Vector(group, f32);

/// In which order the elements of a group are read. Bits depend on whether rows are long, and on nothing else of it.
const Order = enum {
    /// One row after the other, in four chains of sums.
    long,
    /// One row after the other, in two.
    short,
    /// All rows side by side, in two: hides what follows their sums, but only the nearer caches are as fast that way.
    short_near,
    /// As `long` and `short`, each row by whole cache lines.
    long_by_lines,
    short_by_lines,

    fn of(rows: *const Rows) Order {
        const is_long = rows.dim >= long;
        const aligned = @intFromPtr(rows.elements.ptr) % 64 == 0 and rows.stride % lanes == 0;
        const lines = lines_zig.whole and !aligned;
        if (is_long) return if (lines) .long_by_lines else .long;
        if (rows.count *| rows.stride <= near_bytes / @sizeOf(f32)) return .short_near;
        return if (lines) .short_by_lines else .short;
    }

    fn byLines(order: Order) bool {
        return order == .long_by_lines or order == .short_by_lines;
    }
};

const long = 256;
const near_bytes = 1 << 20;

/// As many as registers hold the sums of.
fn abreast(comptime kinds: usize) usize {
    const registers = if (lanes == 16 or builtin.cpu.arch == .aarch64) 32 else 16;
    return if (registers == 32 or kinds == 1) group else group / 2;
}

pub fn queryNeed(dim: usize) usize {
    return arena_zig.sizeOf(f32, dim);
}

/// A query ready to meet rows: copied to an aligned block, for cosine scaled, with its norm.
pub const Query = struct {
    elements: []align(arena_zig.alignment) const f32,
    tail: simd.Tail,
    metric: Metric,
    precision: Precision,
    /// Of the scaled elements; used by cosine alone.
    norm: f64,

    pub fn prepare(
        frame: *Frame,
        metric: Metric,
        precision: Precision,
        query: []const f32,
    ) error{OutOfMemory}!Query {
        return .over(metric, precision, query, try frame.alloc(f32, query.len));
    }

    /// In a block of its own.
    pub fn over(
        metric: Metric,
        precision: Precision,
        query: []const f32,
        block: []align(arena_zig.alignment) f32,
    ) Query {
        if (metric == .cosine) scaled(query, unitScale(query), block) else @memcpy(block, query);
        return .{
            .elements = block,
            .tail = .of(query.len),
            .metric = metric,
            .precision = precision,
            .norm = if (metric == .cosine) normWide(block) else 0,
        };
    }

    /// out[i] = the score of row `where.at(i)`.
    pub fn scoreEach(query: *const Query, rows: *const Rows, where: anytype, out: []f32) void {
        if (query.precision == .precise) return query.scorePrecisely(rows, where, out);
        if (out.len == 0) return;
        if (out.len < group) {
            var some: [group]f32 = undefined;
            var padding: @TypeOf(where).Padding = undefined;
            query.scoreGroups(rows, where.padded(out.len, group, &padding), &some);
            @memcpy(out, some[0..out.len]);
        } else query.scoreGroups(rows, where, out);
    }

    fn scoreGroups(query: *const Query, rows: *const Rows, where: anytype, out: []f32) void {
        const normed = rows.norms.len > 0;
        switch (Order.of(rows)) {
            inline else => |known| {
                if (comptime known.byLines() and !lines_zig.whole) unreachable;
                switch (query.metric) {
                    .cosine => if (normed)
                        query.scoreGroupsBy(.cosine, true, known, rows.*, where, out)
                    else
                        query.scoreGroupsBy(.cosine, false, known, rows.*, where, out),
                    inline else => |metric| query.scoreGroupsBy(metric, false, known, rows.*, where, out),
                }
            },
        }
    }

    /// A whole group at least; the last may begin within the one before.
    noinline fn scoreGroupsBy(
        query: *const Query,
        comptime metric: Metric,
        comptime normed: bool,
        comptime order: Order,
        rows: Rows,
        where: anytype,
        out: []f32,
    ) void {
        var i: usize = 0;
        while (true) {
            var four: [group][]const f32 = undefined;
            var lengths: [group]f32 = @splat(0);
            inline for (&four, &lengths, 0..) |*row, *length, j| {
                const position = where.at(i + j);
                row.* = rows.at(position);
                if (normed) length.* = rows.norms[position];
            }
            out[i..][0..group].* = query.score(metric, normed, order, four, lengths);
            if (i + group >= out.len) return;
            i = @min(i + group, out.len - group);
        }
    }

    inline fn score(
        query: *const Query,
        comptime metric: Metric,
        comptime normed: bool,
        comptime order: Order,
        rows: [group][]const f32,
        known_lengths: [group]f32,
    ) Scores {
        switch (metric) {
            .squared_euclidean => return sums(.distances, query.elements, query.tail, order, rows)[0],
            .dot => {
                const dots = sums(.dots, query.elements, query.tail, order, rows)[0];
                const finite = @abs(dots) <= @as(Scores, @splat(std.math.floatMax(f32)));
                return if (@reduce(.And, finite)) dots else query.widened(.dot, &rows, dots, finite);
            },
            .cosine => {
                const wanted: Wanted = if (normed) .dots else .dots_and_squares;
                const dots, const squares = sums(wanted, query.elements, query.tail, order, rows);
                const lengths: Scores = if (normed) known_lengths else normOf(squares);
                const measured = lengths > @as(Scores, @splat(0));
                const cosines = dots / (@as(Scores, @splat(@floatCast(query.norm))) * lengths);
                // A zero query has the norm 0; NaN fails every comparison.
                if (@reduce(.And, measured) and query.norm >= 1) return cosines;
                return query.widened(.cosine, &rows, cosines, if (query.norm >= 1) measured else @splat(false));
            },
        }
    }

    /// `scores`, with those that are not `sound` taken in f64.
    noinline fn widened(
        query: *const Query,
        comptime metric: Metric,
        rows: *const [group][]const f32,
        scores: Scores,
        sound: @Vector(group, bool),
    ) Scores {
        @branchHint(.cold);
        var all: [group]f32 = scores;
        for (&all, rows, @as([group]bool, sound)) |*to, row, is_sound| {
            if (!is_sound) to.* = query.scoreWide(metric, row);
        }
        return all;
    }

    noinline fn scorePrecisely(query: *const Query, rows: *const Rows, where: anytype, out: []f32) void {
        switch (query.metric) {
            inline else => |known| for (out, 0..) |*to, i| {
                to.* = query.scoreWide(known, rows.at(where.at(i)));
            },
        }
    }

    fn scoreWide(query: *const Query, comptime metric: Metric, row: []const f32) f32 {
        return wide(metric, query.elements, query.norm, row);
    }
};

/// In f64, where products of f32 are exact and none under- or overflows, rounded once. `norm` is the query's.
pub fn wide(comptime metric: Metric, query: []const f32, norm: f64, row: []const f32) f32 {
    switch (metric) {
        .dot => return @floatCast(sumWide(.dots, query, row)[0]),
        .squared_euclidean => return @floatCast(sumWide(.distances, query, row)[0]),
        .cosine => {
            const dot, const squares = sumWide(.dots_and_squares, query, row);
            if (std.math.isNan(dot)) return @floatCast(dot);
            const lengths = norm * @sqrt(squares);
            return if (lengths == 0) 0 else @floatCast(dot / lengths);
        },
    }
}

pub fn normWide(elements: []const f32) f64 {
    return @sqrt(sumWide(.dots, elements, elements)[0]);
}

/// The norms of rows from their sums of squares; 0 says that f32 does not measure it, and f64 has to.
inline fn normOf(squares: Scores) Scores {
    const zero: Scores = @splat(0);
    const large_enough = @select(f32, squares >= @as(Scores, @splat(0x1p-60)), @sqrt(squares), zero);
    return @select(f32, squares <= @as(Scores, @splat(0x1p100)), large_enough, zero);
}

/// out[i] = the norm of row `where.at(i)` as a cosine takes it, in the same bits; 0 where that takes f64.
pub fn normsOf(rows: *const Rows, where: anytype, out: []f32) void {
    if (rows.dim >= long) normsInOrder(.long, rows.*, where, out) else normsInOrder(.short, rows.*, where, out);
}

noinline fn normsInOrder(comptime order: Order, rows: Rows, where: anytype, out: []f32) void {
    const tail: simd.Tail = .of(rows.dim);
    var i: usize = 0;
    while (i < out.len) : (i += group) {
        var four: [group][]const f32 = undefined;
        inline for (&four, 0..) |*row, j| row.* = rows.at(where.at(@min(i + j, out.len - 1)));
        const all: [group]f32 = normOf(sums(.squares, four[0], tail, order, four)[1]);
        const count = @min(group, out.len - i);
        @memcpy(out[i..][0..count], all[0..count]);
    }
}

const Wanted = enum { dots, distances, squares, dots_and_squares };

/// Of each row the sum of its products with `elements` or of squared differences, and of its squares; 0 where it is
/// not wanted.
inline fn sums(
    comptime wanted: Wanted,
    elements: []const f32,
    tail: simd.Tail,
    comptime order: Order,
    rows: [group][]const f32,
) [2]Scores {
    const chains = if (order == .long or order == .long_by_lines) 4 else 2;
    const n = comptime if (order == .short_near) abreast(if (wanted == .dots_and_squares) 2 else 1) else 1;
    var all: [group]Sums(wanted) = undefined;
    inline for (0..group / n) |pass| {
        all[pass * n ..][0..n].* = if (comptime order.byLines())
            .{Sums(wanted).ofLines(chains, elements, tail, rows[pass])}
        else
            Sums(wanted).of(n, chains, elements, tail, rows[pass * n ..][0..n].*);
    }
    var firsts: [group]F32s = undefined;
    var seconds: [group]F32s = undefined;
    inline for (&firsts, &seconds, all) |*first, *second, one| {
        first.* = one.first;
        second.* = one.second;
    }
    const has_first = wanted != .squares;
    const has_second = wanted == .squares or wanted == .dots_and_squares;
    return .{
        if (has_first) simd.sumEach(firsts) else @splat(0),
        if (has_second) simd.sumEach(seconds) else @splat(0),
    };
}

/// Partial sums of one row.
fn Sums(comptime wanted: Wanted) type {
    return struct {
        first: F32s = @splat(0),
        second: F32s = @splat(0),

        const Self = @This();

        /// Of `n` rows at once, each in so many chains, that no addition waits for the one before.
        inline fn of(
            comptime n: usize,
            comptime chains: usize,
            elements: []const f32,
            tail: simd.Tail,
            rows: [n][]const f32,
        ) [n]Self {
            var parts: [n][chains]Self = @splat(@splat(.{}));
            const dim = elements.len;
            var i: usize = 0;
            while (i + chains * lanes <= dim) : (i += chains * lanes) inline for (0..chains) |c| {
                const x: F32s = elements[i + c * lanes ..][0..lanes].*;
                inline for (&parts, rows) |*part, row| part[c].add(x, row[i + c * lanes ..][0..lanes].*);
            };
            while (i + lanes <= dim) : (i += lanes) {
                const x: F32s = elements[i..][0..lanes].*;
                inline for (&parts, rows) |*part, row| part[0].add(x, row[i..][0..lanes].*);
            }
            if (i < dim) {
                const x = tail.read(elements);
                inline for (&parts, rows) |*part, row| part[1].add(x, tail.read(row));
            }
            var totals: [n]Self = undefined;
            inline for (&totals, parts) |*total, part| total.* = together(Self, chains, part);
            return totals;
        }

        /// As `of` of one row.
        inline fn ofLines(comptime chains: usize, elements: []const f32, tail: simd.Tail, row: []const f32) Self {
            var parts: [chains]Self = @splat(.{});
            var lines: Lines = .of(row);
            const dim = elements.len;
            var i: usize = 0;
            while (i + 2 * chains * lanes <= dim) : (i += chains * lanes) inline for (&parts, 0..) |*part, c| {
                part.add(elements[i + c * lanes ..][0..lanes].*, lines.next());
            };
            if (i + chains * lanes <= dim) {
                inline for (&parts, 0..) |*part, c| part.add(elements[i + c * lanes ..][0..lanes].*, lines.nextOfFew());
                i += chains * lanes;
            }
            while (i + lanes <= dim) : (i += lanes) parts[0].add(elements[i..][0..lanes].*, lines.nextOfFew());
            if (i < dim) parts[1].add(tail.read(elements), lines.nextOfFew());
            return together(Self, chains, parts);
        }

        inline fn add(total: *Self, x: F32s, y: F32s) void {
            switch (wanted) {
                .dots, .dots_and_squares => total.first = simd.mulAdd(F32s, x, y, total.first),
                .distances => total.first = simd.mulAdd(F32s, x - y, x - y, total.first),
                .squares => {},
            }
            switch (wanted) {
                .squares, .dots_and_squares => total.second = simd.mulAdd(F32s, y, y, total.second),
                .dots, .distances => {},
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

/// `sums` of one row in f64: exact products, and no f32 under- or overflows there.
fn sumWide(comptime wanted: Wanted, elements: []const f32, row: []const f32) [2]f64 {
    const chains = 4;
    const step = chains * wide_lanes;
    var firsts: [chains]F64s = @splat(@splat(0));
    var seconds: [chains]F64s = @splat(@splat(0));
    var i: usize = 0;
    while (i + step <= row.len) : (i += step) inline for (&firsts, &seconds, 0..) |*first, *second, c| {
        const x: F64s = @as(@Vector(wide_lanes, f32), elements[i + c * wide_lanes ..][0..wide_lanes].*);
        const y: F64s = @as(@Vector(wide_lanes, f32), row[i + c * wide_lanes ..][0..wide_lanes].*);
        const a, const b = if (wanted == .distances) .{ x - y, x - y } else .{ x, y };
        first.* = simd.mulAdd(F64s, a, b, first.*);
        if (wanted == .dots_and_squares) second.* = simd.mulAdd(F64s, y, y, second.*);
    };
    var first = simd.sum((firsts[0] + firsts[1]) + (firsts[2] + firsts[3]));
    var second = simd.sum((seconds[0] + seconds[1]) + (seconds[2] + seconds[3]));
    for (elements[i..], row[i..]) |narrow_x, narrow_y| {
        const x: f64 = narrow_x;
        const y: f64 = narrow_y;
        first += if (wanted == .distances) (x - y) * (x - y) else x * y;
        if (wanted == .dots_and_squares) second += y * y;
    }
    return .{ first, second };
}

/// In f64 on the way, for a power of two may lie beyond f32.
fn scaled(elements: []const f32, scale: f64, out: []f32) void {
    var i: usize = 0;
    while (i + wide_lanes <= elements.len) : (i += wide_lanes) {
        const some: F64s = @as(@Vector(wide_lanes, f32), elements[i..][0..wide_lanes].*);
        out[i..][0..wide_lanes].* = @as(@Vector(wide_lanes, f32), @floatCast(some * @as(F64s, @splat(scale))));
    }
    for (elements[i..], out[i..]) |element, *to| to.* = @floatCast(element * scale);
}

/// The power of two that brings the largest magnitude into [1, 2); 1 where there is none to bring.
pub fn unitScale(elements: []const f32) f64 {
    var some: F32s = @splat(0);
    var i: usize = 0;
    while (i + lanes <= elements.len) : (i += lanes) some = @max(some, @abs(@as(F32s, elements[i..][0..lanes].*)));
    var largest = @reduce(.Max, some);
    for (elements[i..]) |element| largest = @max(largest, @abs(element));
    if (largest == 0 or !std.math.isFinite(largest)) return 1;
    return std.math.ldexp(@as(f64, 1), -std.math.ilogb(@as(f64, largest)));
}
