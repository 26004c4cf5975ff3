//! Many queries against rows: all scores, and the best rows of each query.
//!
//! Queries go by blocks of 64, rows by blocks of 64. From `few` queries on, a block of them is turned over: element `e`
//! of each stands side by side, a lane for each, and one element of a row meets them all. A score is then a sum along
//! one lane, taken by parts of `part` elements, so that its error grows as a part does and not as the row. It may
//! differ from the score of the query alone, within the bound of both, and does not depend on the other queries or
//! rows. A block of rows of a reduced type is widened first. Fewer queries, and all where scores are precise or whole
//! numbers, meet each block of rows one after the other while it is in the cache: those are the bits of each query alone.

const std = @import("std");
const builtin = @import("builtin");
const arena_zig = @import("arena.zig");
const elements_zig = @import("elements.zig");
const query_zig = @import("query.zig");
const rows_zig = @import("rows.zig");
const score_zig = @import("score.zig");
const similarity = @import("similarity.zig");
const simd = @import("simd.zig");
const top_k = @import("top_k.zig");
const Arena = arena_zig.Arena;
const Best = top_k.Best;
const F32s = simd.F32s;
const Frame = arena_zig.Frame;
const Hit = top_k.Hit;
const Metric = score_zig.Metric;
const Picked = rows_zig.Picked;
const Query = query_zig.Query;
const Rows = rows_zig.Rows;
const Search = similarity.Search;
const Shape = similarity.Shape;
const TopK = top_k.TopK;
const Type = rows_zig.Type;
const Where = rows_zig.Where;
const lanes = simd.lanes;

const block_queries = 64;
const block_rows = 64;

/// Queries from which on turning them over pays.
const few = 6;

comptime {
    std.debug.assert(@sizeOf(Query) <= @sizeOf(Room) and lanes <= 16);
}

/// Rows of a tile: as many as registers hold the sums of, for two registers of queries.
const tile_rows = if (lanes == 16 or builtin.cpu.arch == .aarch64) 12 else 6;

/// Elements whose products are added up before they join one of two totals, in turn: sums of fewer numbers, which err
/// less.
const part = 64;

/// Scores of a block, by query.
const Block = [block_queries][block_rows]f32;

fn turnsOver(search: *const Search, shape: Shape, query_count: usize) bool {
    const integers = query_zig.areIntegers(shape.queries, shape.rows);
    return search.precision == .fast and query_count >= few and !integers;
}

fn blockNeed(search: *const Search, shape: Shape, query_count: usize) usize {
    const count = @min(query_count, block_queries);
    const queries = if (turnsOver(search, shape, query_count))
        Panels.needOf(shape, count)
    else
        arena_zig.sizeOf(Room, count) +| count *| shape.queryNeed();
    return queries +| arena_zig.sizeOf(Block, 1);
}

pub fn scoresNeed(search: *const Search, shape: Shape, query_count: usize) usize {
    return blockNeed(search, shape, query_count);
}

pub fn topKNeed(search: *const Search, shape: Shape, query_count: usize, row_count: usize, k: usize) usize {
    const count = @min(query_count, block_queries);
    const heaps = arena_zig.sizeOf(Hit, count *| @min(k, row_count));
    return blockNeed(search, shape, query_count) +| heaps +| arena_zig.sizeOf(Best, count);
}

/// Room for a `Query` of any tier: needs do not depend on the tier, for who states them runs on the lowest.
const Room = [128]u8;

/// Queries that whole registers of any tier hold.
fn padded(count: usize) usize {
    return std.mem.alignForward(usize, count, 16);
}

/// out[q * out_stride + i] = score(queries[q], rows[i]), NaN where a filter keeps the row out.
/// OutOfMemory leaves `out` as it was.
pub fn scores(
    arena: *Arena,
    search: *const Search,
    queries: *const Rows,
    rows: *const Rows,
    out: []f32,
    out_stride: usize,
) error{OutOfMemory}!void {
    const shape: Shape = .of(queries, rows);
    var frame = try arena.frame(scoresNeed(search, shape, queries.count));
    defer frame.close();
    var at: Queries = try .reserve(&frame, search, shape, queries.count);
    const block: *Block = &(try frame.alloc(Block, 1))[0];
    var first_query: usize = 0;
    while (first_query < queries.count) : (first_query += block_queries) {
        const count = @min(block_queries, queries.count - first_query);
        at.prepare(&queries.part(first_query, count));
        var first: usize = 0;
        while (first < rows.count) : (first += block_rows) {
            const width = @min(block_rows, rows.count - first);
            const to = out[first_query * out_stride + first ..];
            if (rows.filter.len == 0) {
                fetchForWriting(to, out_stride, count, width);
                at.score(rows, .{ .run = first }, width, block);
                for (0..count) |q| @memcpy(to[q * out_stride ..][0..width], block[q][0..width]);
                continue;
            }
            var offsets: [Picked.most]u8 = undefined;
            const picked: Picked = .of(rows, first, width, &offsets);
            at.score(rows, .{ .picked = picked }, picked.offsets.len, block);
            for (0..count) |q| {
                @memset(to[q * out_stride ..][0..width], std.math.nan(f32));
                for (picked.offsets, 0..) |offset, i| to[q * out_stride + offset] = block[q][i];
            }
        }
    }
}

/// The best rows of each query, as those of one: hits [queries][min(k, rows)], results [queries].
/// OutOfMemory leaves both as they were.
pub fn topK(
    arena: *Arena,
    search: *const Search,
    queries: *const Rows,
    rows: *const Rows,
    k: usize,
    hits: []Hit,
    results: []TopK,
) error{OutOfMemory}!void {
    const kept = @min(k, rows.count);
    const shape: Shape = .of(queries, rows);
    var frame = try arena.frame(topKNeed(search, shape, results.len, rows.count, k));
    defer frame.close();
    var at: Queries = try .reserve(&frame, search, shape, results.len);
    const block: *Block = &(try frame.alloc(Block, 1))[0];
    const all_best = try frame.alloc(Best, @min(results.len, block_queries));
    const heaps = try frame.alloc(Hit, all_best.len *| kept);
    var first_query: usize = 0;
    while (first_query < results.len) : (first_query += block_queries) {
        const count = @min(block_queries, results.len - first_query);
        at.prepare(&queries.part(first_query, count));
        const bests = all_best[0..count];
        for (bests, 0..) |*best, q| best.* = search.best(heaps[q * kept ..][0..kept]);
        var offsets: [Picked.most]u8 = undefined;
        var first: usize = 0;
        while (first < rows.count) : (first += block_rows) {
            const width = @min(block_rows, rows.count - first);
            const where: Where = if (rows.filter.len == 0)
                .{ .run = first }
            else
                .{ .picked = .of(rows, first, width, &offsets) };
            const some = where.most(width);
            at.score(rows, where, some, block);
            for (bests, block[0..count]) |*best, *scored| best.offerEach(where, scored[0..some]);
        }
        for (bests, results[first_query..][0..count], first_query..) |*best, *result, q| {
            result.* = best.finish(hits[q * kept ..][0..kept]);
        }
    }
}

/// A block of queries, ready to meet rows.
const Queries = union(enum) {
    turned_over: Panels,
    one_by_one: Several,

    fn reserve(frame: *Frame, search: *const Search, shape: Shape, query_count: usize) error{OutOfMemory}!Queries {
        const count = @min(query_count, block_queries);
        return if (turnsOver(search, shape, query_count))
            .{ .turned_over = try .reserve(frame, search, shape, count) }
        else
            .{ .one_by_one = try .reserve(frame, search, shape, count) };
    }

    fn prepare(queries: *Queries, given: *const Rows) void {
        switch (queries.*) {
            inline else => |*some| some.prepare(given),
        }
    }

    /// to[q][i] = the score of query `q` and row `where.at(i)`.
    fn score(queries: *const Queries, rows: *const Rows, where: Where, count: usize, to: *Block) void {
        switch (queries.*) {
            inline else => |*some| some.score(rows, where, count, to),
        }
    }
};

/// Queries that meet rows one after the other.
const Several = struct {
    search: *const Search,
    shape: Shape,
    all: []Query,
    blocks: []align(arena_zig.alignment) u8,
    count: usize = 0,

    fn reserve(frame: *Frame, search: *const Search, shape: Shape, count: usize) error{OutOfMemory}!Several {
        const room = try frame.alloc(Room, count);
        const all = std.mem.bytesAsSlice(Query, std.mem.sliceAsBytes(room)[0 .. count * @sizeOf(Query)]);
        const blocks = try frame.alloc(u8, count *| shape.queryNeed());
        return .{ .search = search, .shape = shape, .all = @alignCast(all), .blocks = blocks };
    }

    fn prepare(several: *Several, queries: *const Rows) void {
        const size = several.shape.queryNeed();
        const search = several.search;
        several.count = queries.count;
        for (several.all[0..several.count], 0..) |*query, q| {
            const block: []align(arena_zig.alignment) u8 = @alignCast(several.blocks[q * size ..][0..size]);
            query.* = .over(several.shape.rows, search.metric, search.precision, queries, q, block);
        }
    }

    fn score(several: *const Several, rows: *const Rows, where: Where, count: usize, to: *Block) void {
        for (several.all[0..several.count], to[0..several.count]) |*query, *out| {
            query.scoreEach(rows, where, out[0..count]);
        }
    }
};

/// Queries turned over: panels of two registers' width, and one of one register where that is enough for the last.
const Panels = struct {
    metric: Metric,
    rows: Type,
    /// Elements of a row as a panel has them: in the order of elements.zig, and of whole registers, but for f32.
    dim: usize,
    elements: []align(arena_zig.alignment) f32,
    /// Room for one query, and for a block of rows that are not f32.
    spare: []align(arena_zig.alignment) u8,
    widened: []align(arena_zig.alignment) f32,
    /// As they were given.
    given: Rows = undefined,
    /// Of the queries as they are in panels, for cosines; 1 for lanes without a query.
    norms: [block_queries]f32 = @splat(1),

    const wide = 2 * lanes;

    /// Elements of a row that any tier has in a panel, at most.
    fn most(shape: Shape) usize {
        return if (shape.rows == .f32) shape.dim else shape.queryNeed() / @sizeOf(f32);
    }

    fn widenedLen(shape: Shape) usize {
        return if (shape.rows == .f32) 0 else most(shape) *| block_rows;
    }

    fn needOf(shape: Shape, count: usize) usize {
        const panels = arena_zig.sizeOf(f32, most(shape) *| padded(count));
        return panels +| shape.queryNeed() +| arena_zig.sizeOf(f32, widenedLen(shape));
    }

    fn reserve(frame: *Frame, search: *const Search, shape: Shape, count: usize) error{OutOfMemory}!Panels {
        const registers = switch (shape.rows) {
            .f32, .bits => 0,
            inline else => |of| (shape.dim + elements_zig.perRegister(of) - 1) / elements_zig.perRegister(of) *
                elements_zig.parts(of),
        };
        return .{
            .metric = search.metric,
            .rows = shape.rows,
            .dim = if (shape.rows == .f32) shape.dim else registers * lanes,
            .elements = try frame.alloc(f32, most(shape) *| padded(count)),
            .spare = try frame.alloc(u8, shape.queryNeed()),
            .widened = try frame.alloc(f32, widenedLen(shape)),
        };
    }

    fn prepare(panels: *Panels, queries: *const Rows) void {
        panels.given = queries.*;
        panels.norms = @splat(1);
        var first: usize = 0;
        while (first < queries.count) : (first += wide) {
            const width = panels.widthFrom(first);
            const panel = panels.elements[first * panels.dim ..][0 .. width * panels.dim];
            for (0..width) |lane| panels.lay(first + lane, panel[lane..], width);
        }
    }

    /// Query `q` into every so many elements; zeros where there is none.
    fn lay(panels: *Panels, q: usize, to: []f32, width: usize) void {
        if (q >= panels.given.count) {
            for (0..panels.dim) |e| to[e * width] = 0;
            return;
        }
        const query = score_zig.widened(panels.rows, &panels.given, q, panels.spare);
        const scale = if (panels.metric == .cosine) score_zig.unitScale(query) else 1;
        for (query, 0..) |element, e| to[e * width] = @floatCast(element * scale);
        if (panels.metric == .cosine) panels.norms[q] = @floatCast(score_zig.normWide(query) * scale);
    }

    fn widthFrom(panels: *const Panels, first: usize) usize {
        return if (panels.given.count - first <= lanes) lanes else wide;
    }

    fn score(panels: *const Panels, rows: *const Rows, where: Where, count: usize, to: *Block) void {
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
        var first: usize = 0;
        while (first < panels.given.count) : (first += wide) {
            const panel = panels.elements[first * panels.dim ..];
            const ahead: ?Ahead = if (first == 0 and rows.type == .f32) .{ .rows = rows, .where = &where } else null;
            if (panels.widthFrom(first) == wide) {
                panels.scorePanel(metric, 2, panel, first, lines[0..count], &factors, ahead, to);
            } else {
                panels.scorePanel(metric, 1, panel, first, lines[0..count], &factors, ahead, to);
            }
        }
        panels.scoreWide(metric, rows, where, factors[0..count], to);
    }

    /// Rows as f32: where they are, or in scratch.
    fn widen(
        panels: *const Panels,
        comptime metric: Metric,
        rows: *const Rows,
        where: Where,
        lines: [][]const f32,
    ) void {
        switch (rows.type) {
            .f32 => for (lines, 0..) |*line, i| {
                line.* = rows.as(f32, where.at(i));
            },
            inline .f16, .bf16, .i8 => |of| for (lines, 0..) |*line, i| {
                const to = panels.widened[i * panels.dim ..][0..panels.dim];
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

    inline fn scorePanel(
        panels: *const Panels,
        comptime metric: Metric,
        comptime registers: usize,
        panel: []const f32,
        first: usize,
        lines: []const []const f32,
        factors: *const [block_rows]f32,
        ahead: ?Ahead,
        to: *Block,
    ) void {
        var scored: [block_rows][registers]F32s = undefined;
        var row: usize = 0;
        while (row < lines.len) {
            const whole = row + tile_rows <= lines.len;
            if (ahead) |next| fetch(next.rows, next.where, row + tile_rows, lines.len);
            var some: [tile_rows][]const f32 = undefined;
            for (&some, row..) |*line, i| line.* = lines[@min(i, lines.len - 1)];
            if (whole) {
                tile(metric, registers, tile_rows, panel, &some, scored[row..][0..tile_rows]);
            } else {
                tile(metric, registers, 4, panel, some[0..4], scored[row..][0..4]);
            }
            row += if (whole) tile_rows else 4;
        }
        // Squares are turned over whole.
        for (scored[row..std.mem.alignForward(usize, row, lanes)]) |*of_row| of_row.* = @splat(@splat(0));
        const lengths: [registers]F32s = @bitCast(panels.norms[first..][0 .. registers * lanes].*);
        for (scored[0..lines.len], factors[0..lines.len]) |*of_row, factor| inline for (of_row, lengths) |*one, length| {
            switch (metric) {
                .cosine => one.* /= length * @as(F32s, @splat(factor)),
                .dot => one.* *= @as(F32s, @splat(factor)),
                else => {},
            }
        };
        inline for (0..registers) |register| {
            var base: usize = 0;
            while (base < lines.len) : (base += lanes) {
                var square: [lanes]F32s = undefined;
                for (&square, scored[base..][0..lanes]) |*line, of_row| line.* = of_row[register];
                turnOver(&square);
                for (to[first + register * lanes ..][0..lanes], square) |*out, line| out[base..][0..lanes].* = line;
            }
        }
    }

    /// Takes in f64 what f32 does not hold. `norms` are those of rows, where scores are cosines.
    fn scoreWide(
        panels: *const Panels,
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
        const count = panels.given.count;
        for (to[0..count], panels.norms[0..count], 0..) |*scored, norm, q| {
            const sound = if (metric == .dot) allFinite(scored, norms.len) else norm >= 1 and rows_sound;
            if (sound) continue;
            const query: score_zig.Query = .over(rows.type, metric, .precise, &panels.given, q, panels.spare);
            for (scored[0..norms.len], norms, 0..) |*score_of_row, row_norm, i| {
                const holds = if (metric == .dot) std.math.isFinite(score_of_row.*) else norm >= 1 and row_norm > 0;
                if (!holds) score_of_row.* = query.scoreWide(rows, where.at(i));
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
fn normsOf(rows: *const Rows, where: Where, out: []f32) void {
    if (rows.norms.len == 0) return query_zig.normsOf(rows, where, out);
    for (out, 0..) |*norm, i| norm.* = rows.norms[where.at(i)];
}

/// Whose rows to ask for before they are met.
const Ahead = struct { rows: *const Rows, where: *const Where };

/// Asks for the next tile of rows of f32, of this block or the next: rows of few lines end before a cache sees a stream.
inline fn fetch(rows: *const Rows, where: *const Where, from: usize, count: usize) void {
    for (from..from + tile_rows) |i| {
        if (i >= count and (where.* != .run or where.at(i) >= rows.count)) return;
        const line = rows.as(f32, where.at(i));
        var at: usize = 0;
        while (at < @min(line.len, 512)) : (at += 16) {
            @prefetch(line.ptr + at, .{ .rw = .read, .locality = 2, .cache = .data });
        }
    }
}

/// Asks for the lines that scores will be written to, which lie too far apart for a cache to see a stream.
fn fetchForWriting(out: []f32, stride: usize, count: usize, width: usize) void {
    for (0..count) |q| {
        var i: usize = 0;
        while (i < width) : (i += 16) {
            @prefetch(out[q * stride ..].ptr + i, .{ .rw = .write, .locality = 2, .cache = .data });
        }
    }
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

/// Rows of a square in the place of its columns.
inline fn turnOver(square: *[lanes]F32s) void {
    @setEvalBranchQuota(10_000);
    comptime var step = lanes / 2;
    inline while (step > 0) : (step /= 2) {
        inline for (0..lanes) |i| if (i & step == 0) {
            const a = square[i];
            const b = square[i + step];
            square[i] = @shuffle(f32, a, b, crossed(step, false));
            square[i + step] = @shuffle(f32, a, b, crossed(step, true));
        };
    }
}

/// Of two lines `step` apart: what the first keeps and takes from the second, or the other way round.
fn crossed(step: usize, second: bool) @Vector(lanes, i32) {
    var mask: [lanes]i32 = undefined;
    for (&mask, 0..) |*lane, i| {
        const from_second = i & step != 0;
        const at: i32 = @intCast(if (second) i | step else i & ~step);
        lane.* = if (from_second) ~at else at;
    }
    return mask;
}
