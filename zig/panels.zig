//! A block of queries turned over: element `e` of each stands side by side, a lane for each, and one element of a row
//! meets them all, of a row of a reduced type once it is widened. See matrix.zig.

const std = @import("std");
const arena_zig = @import("arena.zig");
const elements_zig = @import("elements.zig");
const query_zig = @import("query.zig");
const prepare_zig = @import("prepare.zig");
const rows_zig = @import("rows.zig");
const score_zig = @import("score.zig");
const similarity = @import("similarity.zig");
const simd = @import("simd.zig");
const tiles = @import("tiles.zig");
const Ahead = tiles.Ahead;
const Block = tiles.Block;
const F32s = simd.F32s;
const Metric = score_zig.Metric;
const Rows = rows_zig.Rows;
const Search = similarity.Search;
const Shape = similarity.Shape;
const TurnedOver = tiles.TurnedOver;
const Type = rows_zig.Type;
const Where = rows_zig.Where;
const block_queries = tiles.block_queries;
const block_rows = tiles.block_rows;
const lanes = simd.lanes;

/// Elements whose products are added up before they join one of two totals, in turn: sums of fewer numbers, which err
/// less.
pub const part = 64;

pub const Panels = struct {
    metric: Metric,
    rows: Type,
    /// Of elements as rows have them once they are widened: in the order of elements.zig, and of whole registers, but
    /// for f32.
    turned: TurnedOver(f32),
    /// Room for one query, and for a block of rows that are not f32.
    spare: []align(arena_zig.alignment) u8,
    widened: []align(arena_zig.alignment) f32,
    /// As they were given.
    given: Rows = undefined,
    /// Of the queries as they are in panels, for cosines; 1 for lanes without a query.
    norms: [block_queries]f32 = @splat(1),

    /// Elements of a row that any tier has in a panel, at most.
    fn most(shape: Shape) usize {
        return if (shape.rows == .f32) shape.dim else shape.queryNeed() / @sizeOf(f32);
    }

    fn widenedLen(shape: Shape) usize {
        return if (shape.rows == .f32) 0 else most(shape) *| block_rows;
    }

    pub fn needOf(shape: Shape, count: usize) usize {
        const panels = arena_zig.sizeOf(f32, most(shape) *| tiles.padded(count));
        return panels +| shape.queryNeed() +| arena_zig.sizeOf(f32, widenedLen(shape));
    }

    /// In a block as large as its need.
    pub fn over(search: *const Search, shape: Shape, count: usize, block: []align(arena_zig.alignment) u8) Panels {
        const panels = arena_zig.sizeOf(f32, most(shape) * tiles.padded(count));
        const spare = panels + shape.queryNeed();
        return .{
            .metric = search.metric,
            .rows = shape.rows,
            .turned = .{
                .numbers = @ptrCast(block[0..panels]),
                .dim = dimOf(shape),
                // Differences of as wide registers, two at a time, take longer together than one after the other.
                .narrow = search.metric == .squared_euclidean and lanes == 16,
            },
            .spare = @alignCast(block[panels..spare]),
            .widened = @ptrCast(@as([]align(arena_zig.alignment) u8, @alignCast(block[spare..]))),
        };
    }

    fn dimOf(shape: Shape) usize {
        switch (shape.rows) {
            .f32 => return shape.dim,
            .bits => unreachable,
            inline else => |of| {
                const each = comptime elements_zig.perRegister(of);
                return (shape.dim + each - 1) / each * each;
            },
        }
    }

    pub fn prepare(panels: *Panels, queries: *const Rows) void {
        panels.given = queries.*;
        panels.norms = @splat(1);
        panels.turned.open(queries.count);
        for (0..queries.count) |q| panels.lay(q);
    }

    fn lay(panels: *Panels, q: usize) void {
        const lane = panels.turned.laneOf(q);
        const query = prepare_zig.widened(panels.rows, &panels.given, q, panels.spare);
        const scale = if (panels.metric == .cosine) prepare_zig.unitScale(query) else 1;
        for (query, 0..) |element, e| lane.to[e * lane.stride] = @floatCast(element * scale);
        if (panels.metric == .cosine) panels.norms[q] = @floatCast(prepare_zig.norm(query) * scale);
    }

    pub fn score(panels: *const Panels, rows: *const Rows, where: Where, count: usize, to: *Block) void {
        switch (panels.metric) {
            inline .cosine, .dot, .squared_euclidean => |known| panels.scoreBy(known, rows, where, count, to),
            .hamming, .jaccard => unreachable,
        }
    }

    noinline fn scoreBy(
        panels: *const Panels,
        comptime metric: Metric,
        rows: *const Rows,
        where: Where,
        count: usize,
        to: *Block,
    ) void {
        var factors: [block_rows]f32 = @splat(1);
        if (metric == .cosine) normsOf(rows, where, factors[0..count]);
        if (metric == .dot) for (factors[0..count], 0..) |*factor, i| {
            factor.* = rows.scale(where.at(i));
        };
        var lines: [block_rows][]const f32 = undefined;
        panels.widen(metric, rows, where, lines[0..count]);
        tiles.pad([]const f32, &lines, count);
        const kernel: Kernel(metric) = .{ .norms = &panels.norms, .factors = &factors };
        const ahead: ?Ahead = if (rows.type == .f32) .{ .rows = rows, .where = &where } else null;
        panels.turned.score(kernel, ahead, &lines, count, to);
        const given: Given = .{ .queries = &panels.given, .norms = &panels.norms, .spare = panels.spare };
        given.scoreWide(metric, rows, where, factors[0..count], to);
    }

    /// Rows as f32: where they are, or in scratch.
    fn widen(
        panels: *const Panels,
        comptime metric: Metric,
        rows: *const Rows,
        where: Where,
        lines: [][]const f32,
    ) void {
        const dim = panels.turned.dim;
        switch (rows.type) {
            .f32 => for (lines, 0..) |*line, i| {
                line.* = rows.as(f32, where.at(i));
            },
            inline .f16, .bf16, .i8 => |of| for (lines, 0..) |*line, i| {
                const to = panels.widened[i * dim ..][0..dim];
                elements_zig.widenRow(of, rows.at(where.at(i)), to);
                if (metric == .squared_euclidean and of == .i8) {
                    const scale = rows.scale(where.at(i));
                    for (to) |*element| element.* *= scale;
                }
                line.* = to;
            },
            .bits => unreachable,
        }
    }
};

/// How rows meet elements of queries.
fn Kernel(comptime metric: Metric) type {
    return struct {
        norms: *const [block_queries]f32,
        factors: *const [block_rows]f32,

        const Self = @This();

        pub const Row = []const f32;

        pub inline fn sum(
            _: Self,
            comptime registers: usize,
            comptime n: usize,
            panel: []const f32,
            rows: *const [n]Row,
            out: *[n][registers]F32s,
        ) void {
            tile(metric, registers, n, panel, rows, out);
        }

        /// The scores of queries from `q` on and of row `i`, from their sums.
        pub inline fn scoreOf(kernel: Self, sums: F32s, q: usize, i: usize) F32s {
            const factor: F32s = @splat(kernel.factors[i]);
            return switch (metric) {
                .cosine => sums / (@as(F32s, kernel.norms[q..][0..lanes].*) * factor),
                .dot => sums * factor,
                else => sums,
            };
        }
    };
}

/// Queries as they were given, to be scored again where f32 does not hold it.
pub const Given = struct {
    queries: *const Rows,
    /// Of each as it was scored; used by cosine alone.
    norms: *const [block_queries]f32,
    /// Room for one.
    spare: []align(arena_zig.alignment) u8,

    /// Takes in f64 what f32 does not hold. `norms` are those of rows, where scores are cosines.
    pub fn scoreWide(
        given: *const Given,
        comptime metric: Metric,
        rows: *const Rows,
        where: Where,
        norms: []const f32,
        to: *Block,
    ) void {
        if (metric == .squared_euclidean) return;
        const rows_sound = for (norms) |norm| {
            if (!(norm > 0)) break false;
        } else true;
        const count = given.queries.count;
        for (to[0..count], given.norms[0..count], 0..) |*scored, norm, q| {
            const sound = if (metric == .dot) allFinite(scored, norms.len) else norm >= 1 and rows_sound;
            if (sound) continue;
            const query: score_zig.Query = .over(rows.type, metric, .precise, given.queries, q, given.spare);
            for (scored[0..norms.len], norms, 0..) |*score, row_norm, i| {
                const holds = if (metric == .dot) std.math.isFinite(score.*) else norm >= 1 and row_norm > 0;
                if (!holds) score.* = query.scoreWide(rows, where.at(i));
            }
        }
    }
};

/// Whether all are finite, of `some` and of what follows them in their last register.
fn allFinite(some: *const [block_rows]f32, count: usize) bool {
    const largest: F32s = @splat(std.math.floatMax(f32));
    var finite: @Vector(lanes, bool) = @splat(true);
    var i: usize = 0;
    while (i < count) : (i += lanes) finite = finite & (@abs(@as(F32s, some[i..][0..lanes].*)) <= largest);
    return @reduce(.And, finite);
}

/// The norms of so many rows: those that came with them, or taken here.
pub fn normsOf(rows: *const Rows, where: Where, out: []f32) void {
    if (rows.norms.len == 0) return query_zig.normsOf(rows, where, out);
    for (out, 0..) |*norm, i| norm.* = rows.norms[where.at(i)];
}

/// out[r] = the scores of row `r` and of each query of a panel.
noinline fn tile(
    comptime metric: Metric,
    comptime registers: usize,
    comptime n: usize,
    panel: []const f32,
    lines: *const [n][]const f32,
    out: *[n][registers]F32s,
) void {
    const dim = lines[0].len;
    var totals: [2][n][registers]F32s = @splat(@splat(@splat(@splat(0))));
    var first: usize = 0;
    while (first < dim) : (first += part) {
        var sums: [n][registers]F32s = @splat(@splat(@splat(0)));
        for (first..@min(first + part, dim)) |e| {
            var queries: [registers]F32s = undefined;
            inline for (&queries, 0..) |*some, r| some.* = panel[(e * registers + r) * lanes ..][0..lanes].*;
            inline for (&sums, lines) |*of_row, line| {
                const element: F32s = @splat(line[e]);
                inline for (of_row, queries) |*sum, query| sum.* = switch (metric) {
                    .dot, .cosine => simd.mulAdd(F32s, query, element, sum.*),
                    .squared_euclidean => simd.mulAdd(F32s, query - element, query - element, sum.*),
                    .hamming, .jaccard => comptime unreachable,
                };
            }
        }
        for (&totals[first / part % 2], sums) |*of_row, some| inline for (of_row, some) |*total, sum| {
            total.* += sum;
        };
    }
    for (out, totals[0], totals[1]) |*of_row, one, other| inline for (of_row, one, other) |*sum, a, b| {
        sum.* = a + b;
    };
}
