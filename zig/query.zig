//! A query ready to meet rows, whatever their type.

const std = @import("std");
const arena_zig = @import("arena.zig");
const integers = @import("integers.zig");
const rows_zig = @import("rows.zig");
const score_zig = @import("score.zig");
const Frame = arena_zig.Frame;
const Metric = score_zig.Metric;
const Precision = score_zig.Precision;
const Rows = rows_zig.Rows;
const Type = rows_zig.Type;
const Where = rows_zig.Where;
const group = rows_zig.group;

/// Whether scores of them are whole numbers before they are rounded.
pub fn areIntegers(queries: Type, rows: Type) bool {
    return queries == rows and (rows == .i8 or rows == .bits);
}

/// Scratch of a query. That of every tier: who states it runs on the lowest.
pub fn need(queries: Type, rows: Type, dim: usize) usize {
    const each = 64 / rows.size();
    const whole = (dim +| (each - 1)) / each *| each;
    return whole *| if (areIntegers(queries, rows)) @as(usize, 1) else @sizeOf(f32);
}

pub const Query = union(enum) {
    numbers: score_zig.Query,
    integers: integers.Query,

    /// Query `q` of `queries`, for rows of a type that they meet.
    pub fn prepare(
        frame: *Frame,
        rows: Type,
        metric: Metric,
        precision: Precision,
        queries: *const Rows,
        q: usize,
    ) error{OutOfMemory}!Query {
        return .over(rows, metric, precision, queries, q, try frame.alloc(u8, need(queries.type, rows, queries.dim)));
    }

    /// In a block of its own, as large as its need.
    pub fn over(
        rows: Type,
        metric: Metric,
        precision: Precision,
        queries: *const Rows,
        q: usize,
        block: []align(arena_zig.alignment) u8,
    ) Query {
        if (areIntegers(queries.type, rows)) return .{ .integers = .over(metric, precision, queries, q, block) };
        return .{ .numbers = .over(rows, metric, precision, queries, q, block) };
    }

    /// out[i] = the score of row `where.at(i)`.
    pub fn scoreEach(query: *const Query, rows: *const Rows, where: Where, out: []f32) void {
        const one_by_one = query.* == .numbers and query.numbers.precision == .precise;
        if (one_by_one) query.scoreGroups(rows, where, out) else inGroups(query, scoreGroups, rows, where, out);
    }

    fn scoreGroups(query: *const Query, rows: *const Rows, where: Where, out: []f32) void {
        switch (query.*) {
            .numbers => |*numbers| numbers.scoreEach(rows, where, out),
            .integers => |*whole| whole.scoreEach(rows, where, out),
        }
    }
};

/// out[i] = the norm of row `where.at(i)` as a cosine takes it, in the same bits; 0 where that takes f64.
pub fn normsOf(rows: *const Rows, where: Where, out: []f32) void {
    inGroups({}, normsOfGroups, rows, where, out);
}

fn normsOfGroups(_: void, rows: *const Rows, where: Where, out: []f32) void {
    if (rows.type == .i8) integers.normsOf(rows, where, out) else score_zig.normsOf(rows, where, out);
}

/// As `each` has it of a group at least; fewer rows are a group with the last of them again.
inline fn inGroups(of: anytype, comptime each: anytype, rows: *const Rows, where: Where, out: []f32) void {
    if (out.len >= group) return each(of, rows, where, out);
    if (out.len == 0) return;
    var some: [group]f32 = undefined;
    var ids: [group]u32 = undefined;
    var offsets: [group]u8 = undefined;
    each(of, rows, where.padded(out.len, &ids, &offsets), &some);
    @memcpy(out, some[0..out.len]);
}
