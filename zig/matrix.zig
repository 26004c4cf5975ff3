//! Many queries against rows: all scores, and the best rows of each query.
//!
//! Queries go by blocks of 64, rows by blocks of 64. Unless they are few, a block of them is turned over: element `e`
//! of each stands side by side, a lane for each, and one element of a row meets them all. A score is then a sum along
//! one lane, taken by parts of `part` elements, so that its error grows as a part does and not as the row. It may
//! differ from the score of the query alone, within the bound of both, and does not depend on rows, nor on the other
//! queries but for their number. A block of rows of a reduced type is widened first. Small numbers against their like
//! go by words of several of them, where the tier has an instruction for it (pairs.zig). Fewer queries, bits, and
//! numbers where scores are precise meet each block of rows one after the other while it is in the cache: those are the
//! bits of each query alone, as are those of i8 against i8 whichever way they go.

const std = @import("std");
const arena_zig = @import("arena.zig");
const pairs_zig = @import("pairs.zig");
const panels_zig = @import("panels.zig");
const query_zig = @import("query.zig");
const rows_zig = @import("rows.zig");
const similarity = @import("similarity.zig");
const tiles = @import("tiles.zig");
const top_k = @import("top_k.zig");
const Arena = arena_zig.Arena;
const Best = top_k.Best;
const Block = tiles.Block;
const Frame = arena_zig.Frame;
const Hit = top_k.Hit;
const Pairs = pairs_zig.Pairs;
const Panels = panels_zig.Panels;
const Picked = rows_zig.Picked;
const Query = query_zig.Query;
const Rows = rows_zig.Rows;
const Search = similarity.Search;
const Shape = similarity.Shape;
const TopK = top_k.TopK;
const Where = rows_zig.Where;

const block_queries = tiles.block_queries;
const block_rows = tiles.block_rows;

/// So many queries meet rows sooner one by one than turned over, where sixteen take as long as one. Measured where v4x
/// is; the same for all tiers, for needs and ways of splitting calls do not depend on them.
pub fn isFew(shape: Shape, count: usize) bool {
    if (shape.rows == .f32) return count < 7;
    if (shape.queries == shape.rows and shape.rows != .f16) return count < 10;
    // Widening rows is paid for by some queries, and the next sixteen again.
    return count < 11 or (count > 16 and count < 20);
}

comptime {
    std.debug.assert(@sizeOf(Query) <= @sizeOf(Room));
}

/// How a block of queries meets rows.
const Way = enum {
    turned_over,
    /// Of i8 against i8, where the tier multiplies bytes or shorts, else one by one; of the same need.
    pairs,
    one_by_one,

    fn of(search: *const Search, shape: Shape, query_count: usize) Way {
        if (isFew(shape, query_count)) return .one_by_one;
        if (shape.queries == .i8) return if (shape.dim <= pairs_zig.most) .pairs else .one_by_one;
        return if (search.precision == .fast and shape.rows != .bits) .turned_over else .one_by_one;
    }
};

fn blockNeed(search: *const Search, shape: Shape, query_count: usize) usize {
    const count = @min(query_count, block_queries);
    const queries = switch (Way.of(search, shape, query_count)) {
        .turned_over => Panels.needOf(shape, count),
        .pairs => severalNeed(shape, inPairs(count)),
        .one_by_one => severalNeed(shape, count),
    };
    return queries +| arena_zig.sizeOf(Block, 1);
}

/// Blocks of a query that pairs take: whole panels, and one beside them.
fn inPairs(count: usize) usize {
    return tiles.padded(count) + 1;
}

fn severalNeed(shape: Shape, count: usize) usize {
    return arena_zig.sizeOf(Room, count) +| count *| shape.queryNeed();
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
                for (0..count) |q| copy(block[q][0..width], to[q * out_stride ..]);
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
    pairs: Pairs,
    one_by_one: Several,

    fn reserve(frame: *Frame, search: *const Search, shape: Shape, query_count: usize) error{OutOfMemory}!Queries {
        const count = @min(query_count, block_queries);
        const way: Way = .of(search, shape, query_count);
        if (way == .one_by_one) return .{ .one_by_one = try .reserve(frame, search, shape, count) };
        if (way == .pairs and !pairs_zig.of_bytes) {
            return .{ .one_by_one = try .reserve(frame, search, shape, inPairs(count)) };
        }
        const need = if (way == .pairs) severalNeed(shape, inPairs(count)) else Panels.needOf(shape, count);
        const block = try frame.alloc(u8, need);
        const in_pairs = way == .pairs or pairs_zig.ofHalves(search, shape);
        if (in_pairs) return .{ .pairs = .over(search, shape, block) };
        return .{ .turned_over = .over(search, shape, count, block) };
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

inline fn copy(from: []const f32, to: []f32) void {
    // Most blocks are whole: no call for so few bytes.
    if (from.len == block_rows) @memcpy(to[0..block_rows], from[0..block_rows]) else @memcpy(to[0..from.len], from);
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
