//! A block of queries of small numbers turned over by words: two bf16 or four i8 of each query stand side by side, and
//! one word of a row meets them all, by an instruction that multiplies and adds what the words hold; where there is
//! none for bytes, they are widened on the way. See matrix.zig.
//!
//! Scores of i8 are whole numbers before they are rounded: the bits of a query alone.

const std = @import("std");
const arena_zig = @import("arena.zig");
const dots_zig = @import("dots.zig");
const integers = @import("integers.zig");
const panels_zig = @import("panels.zig");
const rows_zig = @import("rows.zig");
const score_zig = @import("score.zig");
const similarity = @import("similarity.zig");
const simd = @import("simd.zig");
const tiles = @import("tiles.zig");
const Ahead = tiles.Ahead;
const Block = tiles.Block;
const F32s = simd.F32s;
const F64s = simd.F64s;
const Given = panels_zig.Given;
const Metric = score_zig.Metric;
const Rows = rows_zig.Rows;
const Search = similarity.Search;
const Shape = similarity.Shape;
const TurnedOver = tiles.TurnedOver;
const Where = rows_zig.Where;
const Words = simd.Words;
const block_queries = tiles.block_queries;
const block_rows = tiles.block_rows;
const lanes = simd.lanes;
const wide_lanes = simd.wide_lanes;

/// Elements of i8 whose products a word holds the sum of.
pub const most = integers.part;

/// Whether i8 meet so, and not one by one.
pub const of_bytes = dots_zig.has_bytes or dots_zig.has_signed_bytes or dots_zig.has_shorts;
/// Whether queries are of bytes plus 128.
const plain = dots_zig.has_bytes;
const flipped: u32 = if (plain) 0x8080_8080 else 0;
const widens = !plain and !dots_zig.has_signed_bytes;

/// Whether there is one for bf16, and what is wanted of them.
pub fn ofHalves(search: *const Search, shape: Shape) bool {
    const halves = shape.queries == .bf16 and shape.rows == .bf16;
    return dots_zig.has_bf16 and halves and search.metric != .squared_euclidean;
}

const Kind = enum { bf16, i8 };

/// Words of bf16 whose products are added up before they join one of two totals, in turn.
const part = panels_zig.part / 2;

pub const Pairs = struct {
    search: *const Search,
    shape: Shape,
    /// By words.
    turned: TurnedOver(u32),
    spare: []align(arena_zig.alignment) u8,
    given: Rows = undefined,
    /// Of bf16 queries as they are in panels, for cosines; 1 for lanes without a query.
    norms: [block_queries]f32 = @splat(1),
    /// Of i8 queries.
    scales: [block_queries]f64 = @splat(1),
    squares: [block_queries]f64 = @splat(0),

    /// In a block that has room for the panels and one query more.
    pub fn over(search: *const Search, shape: Shape, block: []align(arena_zig.alignment) u8) Pairs {
        const need = shape.queryNeed();
        return .{
            .search = search,
            .shape = shape,
            .turned = .{
                .numbers = @ptrCast(@as([]align(arena_zig.alignment) u8, @alignCast(block[need..]))),
                .dim = (shape.dim * shape.rows.size() + 3) / 4,
            },
            .spare = block[0..need],
        };
    }

    pub fn prepare(pairs: *Pairs, queries: *const Rows) void {
        pairs.given = queries.*;
        pairs.norms = @splat(1);
        pairs.turned.open(queries.count);
        for (0..queries.count) |q| {
            const lane = pairs.turned.laneOf(q);
            if (pairs.shape.rows == .i8) {
                const row = queries.at(q);
                pairs.scales[q] = queries.scale(q);
                pairs.squares[q] = @floatFromInt(integers.squaresOf(&@splat(row))[0]);
                for (0..pairs.turned.dim) |w| lane.to[w * lane.stride] = wordOf(row, w) ^ flipped;
            } else for (pairs.halvesOf(q), 0..) |word, w| lane.to[w * lane.stride] = word;
        }
    }

    /// Of query `q`, in scratch.
    fn halvesOf(pairs: *Pairs, q: usize) []const u32 {
        const metric = pairs.search.metric;
        const query: score_zig.Query = .over(.bf16, metric, .fast, &pairs.given, q, pairs.spare);
        pairs.norms[q] = if (metric == .cosine) @floatCast(query.norm) else 1;
        return @ptrCast(query.block[0 .. pairs.turned.dim * 4]);
    }

    pub fn score(pairs: *const Pairs, rows: *const Rows, where: Where, count: usize, to: *Block) void {
        switch (pairs.search.metric) {
            inline .cosine, .dot, .squared_euclidean => |metric| if (rows.type == .i8) {
                if (of_bytes) pairs.scoreBy(.i8, metric, rows, where, count, to) else unreachable;
            } else {
                const there = dots_zig.has_bf16 and metric != .squared_euclidean;
                if (there) pairs.scoreBy(.bf16, metric, rows, where, count, to) else unreachable;
            },
            .hamming, .jaccard => unreachable,
        }
    }

    noinline fn scoreBy(
        pairs: *const Pairs,
        comptime kind: Kind,
        comptime metric: Metric,
        rows: *const Rows,
        where: Where,
        count: usize,
        to: *Block,
    ) void {
        var lines: [block_rows][]const u8 = undefined;
        for (lines[0..count], 0..) |*line, i| line.* = rows.at(where.at(i));
        tiles.pad([]const u8, &lines, count);
        var norms: [block_rows]f32 = @splat(1);
        if (metric == .cosine and kind == .bf16) panels_zig.normsOf(rows, where, norms[0..count]);
        var facts: Facts = .{};
        if (kind == .i8) facts.take(pairs.search, metric, rows, where, &lines, count);
        const kernel: Kernel(kind, metric) = .{ .pairs = pairs, .norms = &norms, .facts = &facts };
        // All of a block of i8 has been read, for its sums.
        const ahead: ?Ahead = if (kind == .bf16) .{ .rows = rows, .where = &where } else null;
        pairs.turned.score(kernel, ahead, &lines, count, to);
        if (kind == .i8) return;
        const given: Given = .{ .queries = &pairs.given, .norms = &pairs.norms, .spare = pairs.spare };
        given.scoreWide(metric, rows, where, norms[0..count], to);
    }

    inline fn normsFrom(pairs: *const Pairs, q: usize) F32s {
        return pairs.norms[q..][0..lanes].*;
    }

    /// The scores of as many queries of i8 as there are lanes, from their sums with row `i`.
    inline fn scoresOf(
        pairs: *const Pairs,
        comptime metric: Metric,
        q: usize,
        sums: Words,
        facts: *const Facts,
        i: usize,
    ) F32s {
        const products = @as(@Vector(lanes, i32), @bitCast(sums)) -% @as(@Vector(lanes, i32), @splat(facts.biases[i]));
        var halves: [2]@Vector(wide_lanes, f32) = undefined;
        inline for (&halves, 0..) |*half, h| {
            const at = q + h * wide_lanes;
            const product: F64s = @floatFromInt(simd.cut(products, h * wide_lanes, wide_lanes));
            const query: integers.Facts(wide_lanes) = .{
                .scales = pairs.scales[at..][0..wide_lanes].*,
                .squares = pairs.squares[at..][0..wide_lanes].*,
            };
            const row: integers.Facts(wide_lanes) = .{
                .scales = @splat(facts.scales[i]),
                .squares = @splat(facts.squares[i]),
                .lengths = @splat(facts.lengths[i]),
            };
            half.* = integers.scoresOf(metric, wide_lanes, product, query, row);
        }
        return std.simd.join(halves[0], halves[1]);
    }
};

/// How rows meet words of queries.
fn Kernel(comptime kind: Kind, comptime metric: Metric) type {
    return struct {
        pairs: *const Pairs,
        /// Of rows of bf16, and what is known of those of i8.
        norms: *const [block_rows]f32,
        facts: *const Facts,

        const Self = @This();

        pub const Row = []const u8;

        pub inline fn sum(
            _: Self,
            comptime registers: usize,
            comptime n: usize,
            panel: []const u32,
            rows: *const [n]Row,
            out: *[n][registers]F32s,
        ) void {
            // Widened bytes leave registers for fewer rows.
            const some = if (kind == .i8 and widens and n % 3 == 0) 3 else n;
            inline for (0..n / some) |i| {
                tile(kind, registers, some, panel, rows[i * some ..][0..some], @ptrCast(out[i * some ..][0..some]));
            }
        }

        /// The scores of queries from `q` on and of row `i`, from their sums.
        pub inline fn scoreOf(kernel: Self, sums: F32s, q: usize, i: usize) F32s {
            return switch (kind) {
                .i8 => kernel.pairs.scoresOf(metric, q, @bitCast(sums), kernel.facts, i),
                .bf16 => if (metric == .cosine)
                    sums / (kernel.pairs.normsFrom(q) * @as(F32s, @splat(kernel.norms[i])))
                else
                    sums,
            };
        }
    };
}

/// What is known of rows of i8.
const Facts = struct {
    /// 128 times the sum of a row's elements, where queries are of bytes plus 128.
    biases: [block_rows]i32 = @splat(0),
    scales: [block_rows]f64 = @splat(1),
    squares: [block_rows]f64 = @splat(0),
    lengths: [block_rows]f64 = @splat(0),

    fn take(
        facts: *Facts,
        search: *const Search,
        comptime metric: Metric,
        rows: *const Rows,
        where: Where,
        lines: *const [block_rows][]const u8,
        count: usize,
    ) void {
        const normed = rows.norms.len > 0 and search.precision == .fast;
        for (lines[0..count], 0..) |line, i| {
            if (plain) facts.biases[i] = @intCast(128 * integers.sumOf(line));
            facts.scales[i] = rows.scale(where.at(i));
            if (metric == .cosine and normed) facts.lengths[i] = rows.norms[where.at(i)];
        }
        if (metric == .dot or (metric == .cosine and normed)) return;
        var i: usize = 0;
        while (i < count) : (i += rows_zig.group) {
            const all: [rows_zig.group]i64 = integers.squaresOf(lines[i..][0..rows_zig.group]);
            for (all, i..) |squares, at| {
                facts.squares[at] = @floatFromInt(squares);
                facts.lengths[at] = integers.lengthOf(search.precision, squares);
            }
        }
    }
};

/// out[r] = the sums of row `r` and of each query of a panel.
noinline fn tile(
    comptime kind: Kind,
    comptime registers: usize,
    comptime n: usize,
    panel: []const u32,
    lines: *const [n][]const u8,
    out: *[n][registers]Words,
) void {
    const len = lines[0].len;
    const whole = len / 4;
    var sums: [n][registers]Words = @splat(@splat(@splat(0)));
    var totals: [2][n][registers]F32s = if (kind == .bf16) @splat(@splat(@splat(@splat(0)))) else undefined;
    const each = if (kind == .bf16) part else std.math.maxInt(usize);
    var first: usize = 0;
    while (first < whole) : (first +|= each) {
        for (first..@min(first +| each, whole)) |w| {
            var words: [n]u32 = undefined;
            inline for (&words, lines) |*word, line| word.* = std.mem.readInt(u32, line[4 * w ..][0..4], .little);
            addWords(kind, registers, n, panel, w, &words, &sums);
        }
        if (kind == .bf16) {
            for (&totals[first / part % 2], &sums) |*of_row, *some| inline for (of_row, some) |*total, *sum| {
                total.* += @as(F32s, @bitCast(sum.*));
                sum.* = @splat(0);
            };
        }
    }
    if (whole * 4 < len) {
        var words: [n]u32 = undefined;
        for (&words, lines) |*word, line| word.* = wordOf(line, whole);
        addWords(kind, registers, n, panel, whole, &words, &sums);
    }
    if (kind == .i8) {
        out.* = sums;
    } else for (out, totals[0], totals[1], sums) |*of_row, one, other, some| {
        inline for (of_row, one, other, some) |*sum, a, b, c| sum.* = @bitCast(a + b + @as(F32s, @bitCast(c)));
    }
}

/// Word `w` of a row, zeros behind its end.
fn wordOf(row: []const u8, w: usize) u32 {
    const rest = row[4 * w ..];
    if (rest.len >= 4) return std.mem.readInt(u32, rest[0..4], .little);
    var word: u32 = 0;
    for (rest, 0..) |byte, b| word |= @as(u32, byte) << @intCast(8 * b);
    return word;
}

inline fn addWords(
    comptime kind: Kind,
    comptime registers: usize,
    comptime n: usize,
    panel: []const u32,
    w: usize,
    words: *const [n]u32,
    sums: *[n][registers]Words,
) void {
    var queries: [registers]Words = undefined;
    inline for (&queries, 0..) |*some, r| some.* = panel[(w * registers + r) * lanes ..][0..lanes].*;
    if (kind == .i8 and widens) return addWidened(registers, n, &queries, words, sums);
    inline for (sums, words) |*of_row, word| {
        const row: Words = @splat(word);
        inline for (of_row, queries) |*sum, query| sum.* = switch (kind) {
            .i8 => if (plain) dots_zig.bytes(sum.*, query, row) else dots_zig.signedBytes(sum.*, query, row),
            .bf16 => @bitCast(dots_zig.pairs(@bitCast(sum.*), query, row)),
        };
    }
}

inline fn addWidened(
    comptime registers: usize,
    comptime n: usize,
    queries: *const [registers]Words,
    words: *const [n]u32,
    sums: *[n][registers]Words,
) void {
    var widened: [registers][2]Words = undefined;
    inline for (&widened, queries) |*both, query| both.* = dots_zig.shortsOf(query);
    inline for (sums, words) |*of_row, word| {
        const even, const odd = dots_zig.shortsOf(@splat(word));
        inline for (of_row, widened) |*sum, both| {
            sum.* = dots_zig.shorts(dots_zig.shorts(sum.*, both[0], even), both[1], odd);
        }
    }
}
