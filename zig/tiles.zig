//! Queries turned over, and how a block of rows meets them: panel by panel, and within a panel tile by tile. What a
//! tile sums up, and what becomes of the sums, say panels.zig and pairs.zig.

const std = @import("std");
const builtin = @import("builtin");
const arena_zig = @import("arena.zig");
const rows_zig = @import("rows.zig");
const simd = @import("simd.zig");
const F32s = simd.F32s;
const Rows = rows_zig.Rows;
const Where = rows_zig.Where;
const group = rows_zig.group;
const lanes = simd.lanes;

pub const block_queries = 64;
pub const block_rows = 64;

/// Scores of a block, by query.
pub const Block = [block_queries][block_rows]f32;

/// Rows of a tile: as many as registers hold the sums of, for two registers of queries. Fewer are a group.
const tile_rows = if (lanes == 16 or builtin.cpu.arch == .aarch64) 12 else 6;

const wide = 2 * lanes;

/// Queries that whole registers of any tier hold.
pub fn padded(count: usize) usize {
    return std.mem.alignForward(usize, count, 16);
}

/// Queries of `dim` numbers each: panels of two registers' width, and one of one register where that is enough for the
/// last.
pub fn TurnedOver(comptime T: type) type {
    return struct {
        numbers: []align(arena_zig.alignment) T,
        dim: usize,
        /// Whether all panels are of one register.
        narrow: bool = false,
        count: usize = 0,

        const Self = @This();

        /// Room for so many; lanes without a query are zeros.
        pub fn open(turned: *Self, count: usize) void {
            turned.count = count;
            for (count..std.mem.alignForward(usize, count, lanes)) |q| {
                const lane = turned.laneOf(q);
                for (0..turned.dim) |e| lane.to[e * lane.stride] = 0;
            }
        }

        /// Where query `q` belongs: element `e` at `e * stride`.
        pub fn laneOf(turned: *const Self, q: usize) struct { to: []T, stride: usize } {
            const most: usize = if (turned.narrow) lanes else wide;
            const first = q / most * most;
            return .{
                .to = turned.numbers[first * turned.dim + q - first ..],
                .stride = if (turned.isWide(first)) wide else lanes,
            };
        }

        inline fn isWide(turned: *const Self, first: usize) bool {
            return !turned.narrow and turned.count - first > lanes;
        }

        /// to[q][i] = the score of query `q` and of row `i`, of `count`, as `kernel` has it. Rows are padded.
        pub inline fn score(
            turned: *const Self,
            kernel: anytype,
            ahead: ?Ahead,
            rows: *const [block_rows]@TypeOf(kernel).Row,
            count: usize,
            to: *Block,
        ) void {
            var first: usize = 0;
            while (first < turned.count) {
                const panel = turned.numbers[first * turned.dim ..];
                if (turned.isWide(first)) {
                    scorePanel(T, 2, kernel, ahead, panel, first, rows, count, to);
                    first += wide;
                } else {
                    scorePanel(T, 1, kernel, ahead, panel, first, rows, count, to);
                    first += lanes;
                }
            }
        }
    };
}

/// Rows that tiles read from memory, to ask for before: those of few lines end before a cache sees a stream.
pub const Ahead = struct {
    rows: *const Rows,
    where: *const Where,

    /// The tile from row `first` of a block of `count` on, or of the next block.
    inline fn fetch(ahead: Ahead, first: usize, count: usize) void {
        const rows, const where = .{ ahead.rows, ahead.where };
        for (first..first + tile_rows) |i| {
            if (i >= count and (where.* != .run or where.at(i) >= rows.count)) return;
            const line = rows.at(where.at(i));
            var at: usize = 0;
            while (at < @min(line.len, 2048)) : (at += 64) {
                @prefetch(line.ptr + at, .{ .rw = .read, .locality = 2, .cache = .data });
            }
        }
    }
};

/// The last of `count` rows again, for a group that begins with it, as it may where a tile is no multiple of a group.
pub fn pad(comptime Row: type, rows: *[block_rows]Row, count: usize) void {
    if (count == 0) return;
    for (rows[count..@min(count + group - 1, block_rows)]) |*row| row.* = rows[count - 1];
}

inline fn scorePanel(
    comptime T: type,
    comptime registers: usize,
    kernel: anytype,
    ahead: ?Ahead,
    panel: []const T,
    first: usize,
    rows: *const [block_rows]@TypeOf(kernel).Row,
    count: usize,
    to: *Block,
) void {
    var scored: [block_rows][registers]F32s = undefined;
    var row: usize = 0;
    while (row < count) {
        if (first == 0) if (ahead) |next| next.fetch(row + tile_rows, count);
        if (row + tile_rows <= count) {
            kernel.sum(registers, tile_rows, panel, rows[row..][0..tile_rows], scored[row..][0..tile_rows]);
            row += tile_rows;
        } else {
            kernel.sum(registers, group, panel, rows[row..][0..group], scored[row..][0..group]);
            row += group;
        }
    }
    // Squares are turned over whole.
    for (scored[row..std.mem.alignForward(usize, row, lanes)]) |*of_row| of_row.* = @splat(@splat(0));
    for (scored[0..count], 0..) |*of_row, i| {
        inline for (of_row, 0..) |*one, register| one.* = kernel.scoreOf(one.*, first + register * lanes, i);
    }
    byQuery(registers, &scored, count, first, to);
}

/// Scores by row in the place of scores by query, from query `first` on.
inline fn byQuery(
    comptime registers: usize,
    scored: *const [block_rows][registers]F32s,
    count: usize,
    first: usize,
    to: *Block,
) void {
    inline for (0..registers) |register| {
        var base: usize = 0;
        while (base < count) : (base += lanes) {
            var square: [lanes]F32s = undefined;
            for (&square, scored[base..][0..lanes]) |*line, of_row| line.* = of_row[register];
            turnOver(&square);
            for (to[first + register * lanes ..][0..lanes], square) |*out, line| out[base..][0..lanes].* = line;
        }
    }
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
