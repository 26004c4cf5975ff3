//! Scores that are whole numbers before anything is rounded: i8 against i8, and bits.
//!
//! Sums of up to `part` bytes are exact in the words of a register, those of parts in 64 bits. Where the CPU multiplies
//! bytes it takes one side without a sign: the row's bytes plus 128, which adds 128 times the sum of the query, known
//! beforehand, to each product; to the squares of a row 128 times its own sum, which is taken beside them.

const std = @import("std");
const dots_zig = @import("dots.zig");
const lines_zig = @import("lines.zig");
const rows_zig = @import("rows.zig");
const score_zig = @import("score.zig");
const simd = @import("simd.zig");
const Groups = rows_zig.Groups;
const Lines = lines_zig.Lines;
const Metric = score_zig.Metric;
const Precision = score_zig.Precision;
const Rows = rows_zig.Rows;
const Type = rows_zig.Type;
const Where = rows_zig.Where;
const Words = simd.Words;
const lanes = simd.lanes;
const width = simd.width;

const group = rows_zig.group;
const Wholes = @Vector(group, i64);
const Ints = @Vector(group, i32);
const F64s = @Vector(group, f64);

/// 255 * 128 times as many is below 2^31.
pub const part = 1 << 16;

/// How rows are read.
const Order = enum {
    /// One after the other, and by whole cache lines.
    far,
    far_by_lines,
    /// Four side by side: only the nearer caches are as fast that way.
    near,
    /// One after the other, in parts that words hold the sums of.
    in_parts,

    fn of(rows: *const Rows) Order {
        if (rows.len > part) return .in_parts;
        if (rows.count *| rows.pitch <= score_zig.near_bytes) return .near;
        return if (score_zig.byLinesPays(rows)) .far_by_lines else .far;
    }
};

const Wanted = enum {
    products,
    squares,
    products_and_squares,
    /// Bits that differ.
    differing,
    /// Bits in both, and those in either.
    shared,

    fn isOfBits(wanted: Wanted) bool {
        return wanted == .differing or wanted == .shared;
    }

    fn hasSecond(wanted: Wanted) bool {
        return wanted != .products and wanted != .differing;
    }

    /// Whether products are of bytes plus 128.
    fn ofPlain(wanted: Wanted) bool {
        return dots_zig.has_bytes and (wanted == .products or wanted == .products_and_squares);
    }
};

/// A query of i8 or bits, ready to meet rows of the same.
pub const Query = struct {
    metric: Metric,
    precision: Precision,
    /// The bytes as they meet those of a row, zeros behind the last.
    block: []align(64) const u8,
    tail: simd.Tail,
    scale: f64,
    /// Of the elements and of their squares; of i8.
    sum: i64 = 0,
    squares: i64 = 0,

    /// Query `q` of `queries`, in a block of whole lines.
    pub fn over(metric: Metric, precision: Precision, queries: *const Rows, q: usize, block: []align(64) u8) Query {
        const row = queries.at(q);
        const tail: simd.Tail = .of(row.len);
        var i: usize = 0;
        while (i + width <= row.len) : (i += width) simd.store(block, i, simd.load(row, i));
        if (i < row.len) {
            simd.store(block, i, tail.read(row));
            i += width;
        }
        var query: Query = .{
            .metric = metric,
            .precision = precision,
            .block = block[0..i],
            .tail = tail,
            .scale = queries.scale(q),
        };
        if (queries.type == .bits) return query;
        query.squares = squaresOf(&@splat(row))[0];
        query.sum = sumOf(row);
        return query;
    }

    /// out[i] = the score of row `where.at(i)`, of a group at least.
    pub fn scoreEach(query: *const Query, rows: *const Rows, where: Where, out: []f32) void {
        switch (Order.of(rows)) {
            inline else => |order| {
                if (comptime order == .far_by_lines and !lines_zig.whole) unreachable;
                query.scoreGroups(order, rows, where, out);
            },
        }
    }

    fn scoreGroups(query: *const Query, comptime order: Order, rows: *const Rows, where: Where, out: []f32) void {
        const normed = rows.norms.len > 0 and query.precision == .fast;
        switch (query.metric) {
            .cosine => if (normed)
                query.scoreGroupsBy(.cosine, true, order, rows.*, where, out)
            else
                query.scoreGroupsBy(.cosine, false, order, rows.*, where, out),
            inline else => |metric| query.scoreGroupsBy(metric, false, order, rows.*, where, out),
        }
    }

    noinline fn scoreGroupsBy(
        query: *const Query,
        comptime metric: Metric,
        comptime normed: bool,
        comptime order: Order,
        rows: Rows,
        where: Where,
        out: []f32,
    ) void {
        const scaled = metric == .dot or metric == .squared_euclidean;
        var groups: Groups = .{ .rows = &rows, .where = &where, .count = out.len };
        while (groups.next(.{ .scales = scaled, .norms = normed })) |four| {
            out[four.first..][0..group].* = query.score(metric, normed, order, &four.rows, four.scales, four.norms);
        }
    }

    inline fn score(
        query: *const Query,
        comptime metric: Metric,
        comptime normed: bool,
        comptime order: Order,
        rows: *const [group][]const u8,
        scales: @Vector(group, f32),
        known_lengths: @Vector(group, f32),
    ) @Vector(group, f32) {
        const wanted: Wanted = switch (metric) {
            .dot => .products,
            .cosine => if (normed) .products else .products_and_squares,
            .squared_euclidean => .products_and_squares,
            .hamming => .differing,
            .jaccard => .shared,
        };
        const firsts, const seconds = sums(wanted, order, query, rows);
        const first: F64s = @floatFromInt(firsts);
        const second: F64s = @floatFromInt(seconds);
        switch (metric) {
            .hamming => return @floatCast(first),
            .jaccard => return @floatCast(@select(f64, second == splat(0), splat(1), first / second)),
            else => {
                const own: Facts(group) = .{
                    .scales = @splat(query.scale),
                    .squares = @splat(@floatFromInt(query.squares)),
                };
                const of_rows: Facts(group) = .{
                    .scales = scales,
                    .squares = second,
                    .lengths = if (normed or metric != .cosine) known_lengths else query.lengthsOf(second),
                };
                return scoresOf(metric, group, first, own, of_rows);
            },
        }
    }

    inline fn lengthsOf(query: *const Query, squares: F64s) F64s {
        const lengths = @sqrt(squares);
        return if (query.precision == .fast) @as(F64s, @as(@Vector(group, f32), @floatCast(lengths))) else lengths;
    }
};

/// As f32 where scores are fast: the bits of rows that bring their norms.
pub fn lengthOf(precision: Precision, squares: i64) f64 {
    const length = @sqrt(@as(f64, @floatFromInt(squares)));
    return if (precision == .fast) @as(f32, @floatCast(length)) else length;
}

/// What is known of so many vectors of i8, beside their elements.
pub fn Facts(comptime n: usize) type {
    return struct {
        scales: @Vector(n, f64),
        squares: @Vector(n, f64),
        lengths: @Vector(n, f64) = @splat(0),
    };
}

/// Scores from sums of products, all of them whole numbers, and what is known of queries and rows.
pub inline fn scoresOf(
    comptime metric: Metric,
    comptime n: usize,
    products: @Vector(n, f64),
    queries: Facts(n),
    rows: Facts(n),
) @Vector(n, f32) {
    const zero: @Vector(n, f64) = @splat(0);
    switch (metric) {
        .dot => return @floatCast(queries.scales * rows.scales * products),
        .cosine => {
            const both = @sqrt(queries.squares) * rows.lengths;
            return @floatCast(@select(f64, both == zero, zero, products / both));
        },
        .squared_euclidean => {
            // Of one scale a whole number times its square.
            const own, const other = .{ queries.scales, rows.scales };
            const alike = own * own * (queries.squares + rows.squares - products - products);
            const crossed = own * other * products;
            const apart = own * own * queries.squares + other * other * rows.squares - (crossed + crossed);
            return @floatCast(@select(f64, own == other, alike, @max(apart, zero)));
        },
        .hamming, .jaccard => comptime unreachable,
    }
}

inline fn splat(x: f64) F64s {
    return @splat(x);
}

inline fn added(sum: Words, elements: Words) Words {
    const ones_each: Words = @splat(0x0101_0101);
    return if (dots_zig.has_bytes) dots_zig.bytes(sum, ones_each, elements) else signed(sum, ones_each, elements);
}

/// The sum of a row's elements.
pub fn sumOf(row: []const u8) i64 {
    const tail: simd.Tail = .of(row.len);
    var total: i64 = 0;
    var first: usize = 0;
    while (first < row.len) : (first += part) {
        const end = @min(first + part, row.len);
        var chains: [4]Words = @splat(@splat(0));
        var i = first;
        while (i + 4 * width <= end) : (i += 4 * width) inline for (&chains, 0..) |*sum, c| {
            sum.* = added(sum.*, simd.load(row, i + c * width));
        };
        while (i < end) : (i += width) {
            chains[0] = added(chains[0], if (i + width <= end) simd.load(row, i) else tail.read(row));
        }
        const sum = (chains[0] +% chains[1]) +% (chains[2] +% chains[3]);
        total += @as(i32, @bitCast(@reduce(.Add, sum)));
    }
    return total;
}

/// The norms of four rows of i8, without their scales.
pub noinline fn norms(rows: *const [group][]const u8) [group]f32 {
    const squares: F64s = @floatFromInt(squaresOf(rows));
    return @as(@Vector(group, f32), @floatCast(@sqrt(squares)));
}

pub noinline fn squaresOf(rows: *const [group][]const u8) Wholes {
    const none: Query = .{
        .metric = .cosine,
        .precision = .fast,
        .block = &.{},
        .tail = .of(rows[0].len),
        .scale = 1,
    };
    return sums(.squares, .in_parts, &none, rows)[1];
}

/// out[i] = the norm of row `where.at(i)` of i8, of a whole group at least.
pub fn normsOf(rows: *const Rows, where: Where, out: []f32) void {
    var groups: Groups = .{ .rows = rows, .where = &where, .count = out.len };
    while (groups.next(.{})) |four| out[four.first..][0..group].* = norms(&four.rows);
}

/// What is wanted of each row, 0 where it is not.
inline fn sums(
    comptime wanted: Wanted,
    comptime order: Order,
    query: *const Query,
    rows: *const [group][]const u8,
) [2]if (order == .in_parts) Wholes else Ints {
    const len = rows[0].len;
    if (order != .in_parts) return sumsOfPart(wanted, order, query, rows, 0, len, query.sum);
    var totals: [2]Wholes = @splat(@splat(0));
    var first: usize = 0;
    while (first < len) : (first += part) {
        const end = @min(first + part, len);
        const some = sumsOfPart(wanted, order, query, rows, first, end, 0);
        inline for (&totals, some) |*total, sum| total.* += sum;
    }
    if (wanted.ofPlain()) totals[0] -= @splat(128 * query.sum);
    return totals;
}

/// `sum` is the query's.
inline fn sumsOfPart(
    comptime wanted: Wanted,
    comptime order: Order,
    query: *const Query,
    rows: *const [group][]const u8,
    first: usize,
    end: usize,
    sum: i64,
) [2]Ints {
    var firsts: [group]Words = undefined;
    var seconds: [group]Words = undefined;
    const near: [group]Sums(wanted) = if (order == .near) Sums(wanted).ofEach(query, rows) else undefined;
    inline for (&firsts, &seconds, rows, near) |*a, *b, row, beside| {
        const found: Sums(wanted) = switch (order) {
            .near => beside,
            .far_by_lines => .ofLines(query, row),
            .far, .in_parts => .of(query, row, first, end),
        };
        a.* = found.first;
        b.* = found.second;
    }
    const registers: u32 = @intCast((end - first + width - 1) / width);
    const lacking: @Vector(group, u32) = @splat(Sums(wanted).lacking *% registers);
    const products: Ints = @bitCast(simd.sumEach(u32, firsts));
    return .{
        if (wanted.ofPlain()) products -% @as(Ints, @splat(@truncate(128 * sum))) else products,
        if (wanted.hasSecond()) @bitCast(simd.sumEach(u32, seconds) +% lacking) else @splat(0),
    };
}

/// Partial sums of one row, by words that go around.
fn Sums(comptime wanted: Wanted) type {
    return struct {
        first: Words = @splat(0),
        second: Words = @splat(0),
        /// Of the row's bytes plus 128.
        third: Words = @splat(0),

        const Self = @This();
        const squared = wanted == .squares or wanted == .products_and_squares;
        /// What a register of squares lacks: 128^2 for each byte, those behind the row's end too.
        const lacking: u32 = if (squared and dots_zig.has_bytes) width * 128 * 128 else 0;

        /// Of bytes from `begin`, of a whole register, to `end`, another or the last.
        inline fn of(query: *const Query, row: []const u8, begin: usize, end: usize) Self {
            var two: [2]Self = @splat(.{});
            var i = begin;
            while (i + 2 * width <= end) : (i += 2 * width) inline for (&two, 0..) |*one, c| {
                one.add(queried(query, i + c * width), simd.load(row, i + c * width));
            };
            if (i + width <= end) {
                two[0].add(queried(query, i), simd.load(row, i));
                i += width;
            }
            if (i < end) two[1].add(queried(query, i), query.tail.read(row));
            return together(two);
        }

        /// Of all bytes of four rows.
        inline fn ofEach(query: *const Query, rows: *const [group][]const u8) [group]Self {
            var all: [group]Self = @splat(.{});
            const len = rows[0].len;
            var i: usize = 0;
            while (i + width <= len) : (i += width) {
                const q = queried(query, i);
                inline for (&all, rows) |*one, row| one.add(q, simd.load(row, i));
            }
            if (i < len) {
                const q = queried(query, i);
                inline for (&all, rows) |*one, row| one.add(q, query.tail.read(row));
            }
            inline for (&all) |*one| one.* = .together(.{ one.*, .{} });
            return all;
        }

        /// Of all bytes.
        inline fn ofLines(query: *const Query, row: []const u8) Self {
            var two: [2]Self = @splat(.{});
            var lines: Lines = .of(row);
            var i: usize = 0;
            while (i + 3 * width <= row.len) : (i += 2 * width) inline for (&two, 0..) |*one, c| {
                one.add(queried(query, i + c * width), lines.next());
            };
            while (i < row.len) : (i += width) two[0].add(queried(query, i), lines.nextOfFew());
            return together(two);
        }

        inline fn queried(query: *const Query, i: usize) Words {
            return if (wanted == .squares) @splat(0) else simd.load(query.block, i);
        }

        inline fn add(total: *Self, q: Words, x: Words) void {
            if (wanted.isOfBits()) {
                total.first +%= ones(if (wanted == .differing) q ^ x else q & x);
                if (wanted == .shared) total.second +%= ones(q | x);
                return;
            }
            if (dots_zig.has_bytes) {
                const plain = x ^ @as(Words, @splat(0x8080_8080));
                if (wanted != .squares) total.first = dots_zig.bytes(total.first, plain, q);
                if (squared) total.second = dots_zig.bytes(total.second, plain, x);
                if (squared) total.third = dots_zig.sumBytes(total.third, plain);
            } else {
                if (wanted != .squares) total.first = signed(total.first, q, x);
                if (squared) total.second = signed(total.second, x, x);
            }
        }

        inline fn together(two: [2]Self) Self {
            const third = two[0].third +% two[1].third;
            return .{
                .first = two[0].first +% two[1].first,
                .second = two[0].second +% two[1].second -% (third << @splat(7)),
            };
        }
    };
}

inline fn signed(total: Words, a: Words, b: Words) Words {
    if (dots_zig.has_signed_bytes) return dots_zig.signedBytes(total, a, b);
    var sum = total;
    inline for (0..2) |half| sum = dots_zig.shorts(sum, shortsOf(a, half), shortsOf(b, half));
    return sum;
}

inline fn shortsOf(words: Words, comptime half: usize) Words {
    const all: @Vector(4 * lanes, i8) = @bitCast(words);
    return @bitCast(@as(@Vector(2 * lanes, i16), simd.cut(all, half * 2 * lanes, 2 * lanes)));
}

/// Ones among the bits of every two words, in one of them.
inline fn ones(words: Words) Words {
    const twos: @Vector(lanes / 2, u64) = @bitCast(words);
    return @bitCast(@as(@Vector(lanes / 2, u64), @popCount(twos)));
}
