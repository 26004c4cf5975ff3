//! One sweep over all edges of a graph, for one cue or for 16 side by side: what every node receives, summed over the
//! edges into it, and what becomes of that.
//!
//!     pull     sums_v = scale * sum over u of s_uv * x_u + evenly,   s_uv the share of what u has that goes to v
//!     settle   p_v = keep * p_v + gain * sums_v
//!
//! The sums are the x of the next sweep. PageRank keeps nothing and gains all; the heat kernel and what is left of a
//! push keep all. Each row is summed in one fixed order, whoever sums it, and no chain of f32 is longer than 32
//! additions: rows of more edges come to sums of f64, every 16 additions.

const std = @import("std");
const columns = @import("columns.zig");
const simd = @import("simd.zig");

/// Edges by the node they lead to. Checked once, by whoever built it.
pub const Incoming = struct {
    /// [nodes + 1], ascending from 0.
    offsets: []const u32,
    /// [offsets[nodes]], each below nodes.
    sources: []const u32,
    /// [offsets[nodes]], finite, not negative: of the source's weights, divided by their sum.
    shares: []const f32,
};

/// Cues that are swept side by side.
pub const cues = 16;

const Group = columns.Group;
const gather = columns.gather;
const ahead = columns.ahead;

const wide = 8;
const Wide = @Vector(wide, f32);

/// Additions of f32 after which a long row goes on in f64.
const chain = 16;

/// Edges of a row that is long: for one cue, for `cues`.
const long = 2 * chain * wide + 1;
const long_cues = 2 * 2 * chain + 1;

/// Values beyond which x is not expected in the caches near by.
const near = 1 << 17;

/// Rows `first` to `end`: `sums` [end - first][lanes], `evenly` [lanes], `x` [nodes][lanes].
pub fn pull(
    comptime lanes: usize,
    incoming: Incoming,
    first: usize,
    end: usize,
    scale: f32,
    evenly: []const f32,
    x: []const f32,
    sums: []f32,
) void {
    if (lanes == cues) return pullCues(incoming, first, end, scale, evenly, x, sums);
    switch (x.len > near) {
        inline else => |far| pullOne(far, incoming, first, end, scale, evenly[0], x, sums),
    }
}

fn pullOne(
    comptime far: bool,
    incoming: Incoming,
    first: usize,
    end: usize,
    scale: f32,
    evenly: f32,
    x: []const f32,
    sums: []f32,
) void {
    const offsets, const sources, const shares = .{ incoming.offsets, incoming.sources, incoming.shares };
    var row = first;
    while (row < end) {
        const begin = row / columns.rows * columns.rows;
        const stop = @min(begin + columns.rows, end);
        const to = sums[row - first .. stop - first];
        if (Group.at(offsets, row)) |group| {
            if (to.len == columns.rows) {
                const all = group.sums(far, sources, shares, x);
                to[0..columns.rows].* = simd.mulAdd(Wide, @splat(scale), all, @splat(evenly));
            } else for (row..stop, to) |one, *sum| {
                sum.* = simd.mulAdd(f32, scale, group.sumOf(one, sources, shares, x), evenly);
            }
        } else for (row..stop, to) |one, *sum| {
            sum.* = pullRow(far, incoming, offsets[one], offsets[one + 1], scale, evenly, x);
        }
        row = stop;
    }
}

inline fn pullRow(
    comptime far: bool,
    incoming: Incoming,
    first: usize,
    end: usize,
    scale: f32,
    evenly: f32,
    x: []const f32,
) f32 {
    const sources, const shares = .{ incoming.sources, incoming.shares };
    if (end - first >= long) return @floatCast(@as(f64, scale) * longOne(far, incoming, first, end, x) + evenly);
    var edge = first;
    var parts: Wide = @splat(0);
    while (edge + wide <= end) : (edge += wide) {
        if (far) ahead(sources, edge, x);
        parts = simd.mulAdd(Wide, shares[edge..][0..wide].*, gather(sources[edge..][0..wide], x), parts);
    }
    if (edge == end) {
        // Nothing is left of the row, or it has nothing.
    } else if (edge + wide <= sources.len) {
        // What the edges behind the row have counts as 0, be it infinite: no branch on how many are left.
        const left: @Vector(wide, u32) = @splat(@intCast(end - edge));
        const its = std.simd.iota(u32, wide) < left;
        const values = @select(f32, its, gather(sources[edge..][0..wide], x), @as(Wide, @splat(0)));
        parts = simd.mulAdd(Wide, shares[edge..][0..wide].*, values, parts);
    } else inline for (0..wide) |lane| {
        if (edge + lane < end)
            parts[lane] = simd.mulAdd(f32, shares[edge + lane], x[sources[edge + lane]], parts[lane]);
    }
    return simd.mulAdd(f32, scale, simd.sum(parts), evenly);
}

/// The sum of one long row. Apart, so that short ones keep the registers to themselves.
noinline fn longOne(comptime far: bool, incoming: Incoming, first: usize, end: usize, x: []const f32) f64 {
    const sources, const shares = .{ incoming.sources, incoming.shares };
    var totals: @Vector(wide, f64) = @splat(0);
    var edge = first;
    while (edge + wide <= end) {
        const stop = @min(end, edge + chain * wide);
        var parts: Wide = @splat(0);
        while (edge + wide <= stop) : (edge += wide) {
            if (far) ahead(sources, edge, x);
            parts = simd.mulAdd(Wide, shares[edge..][0..wide].*, gather(sources[edge..][0..wide], x), parts);
        }
        totals += @as(@Vector(wide, f64), parts);
    }
    var rest: f64 = 0;
    for (sources[edge..end], shares[edge..end]) |source, share| rest += @as(f64, share) * x[source];
    return simd.sum(totals) + rest;
}

fn pullCues(
    incoming: Incoming,
    first: usize,
    end: usize,
    scale: f32,
    evenly: []const f32,
    x: []const f32,
    sums: []f32,
) void {
    const V = @Vector(cues, f32);
    const same: V = evenly[0..cues].*;
    const offsets = incoming.offsets;
    var row = first;
    while (row < end) {
        const begin = row / columns.rows * columns.rows;
        const stop = @min(begin + columns.rows, end);
        if (Group.at(offsets, row)) |group| {
            var starts: [columns.most]u32 = undefined;
            const all = group.columns(&starts);
            for (row..stop) |one| {
                const edges: ByColumn = .{ .starts = all, .lane = @intCast(one - begin) };
                const count = @as([columns.rows]u32, group.degrees)[one - begin];
                sums[(one - first) * cues ..][0..cues].* =
                    simd.mulAdd(V, @splat(scale), sumCues(incoming, edges, count, x), same);
            }
        } else for (row..stop) |one| {
            const to = sums[(one - first) * cues ..][0..cues];
            const edges: ByRow = .{ .first = offsets[one] };
            const count = offsets[one + 1] - offsets[one];
            if (count >= long_cues) {
                longCues(incoming, offsets[one], offsets[one + 1], scale, evenly, x, to);
            } else to.* = simd.mulAdd(V, @splat(scale), sumCues(incoming, edges, count, x), same);
        }
        row = stop;
    }
}

/// Where the edges of a row stand, one behind the other.
const ByRow = struct {
    first: usize,

    inline fn at(edges: ByRow, i: usize) usize {
        return edges.first + i;
    }
};

/// Or one to a column.
const ByColumn = struct {
    starts: []const u32,
    lane: u32,

    inline fn at(edges: ByColumn, i: usize) usize {
        return edges.starts[i] + edges.lane;
    }
};

/// So many edges, of one row, for each cue.
inline fn sumCues(incoming: Incoming, edges: anytype, count: usize, x: []const f32) @Vector(cues, f32) {
    const V = @Vector(cues, f32);
    const sources, const shares = .{ incoming.sources, incoming.shares };
    var parts: [2]V = @splat(@splat(0));
    var i: usize = 0;
    while (i + 2 <= count) : (i += 2) inline for (&parts, 0..) |*part, half| {
        const edge = edges.at(i + half);
        const distance = if (@TypeOf(edges) == ByRow) 32 else 128;
        if (edge + distance < sources.len) @prefetch(&x[@as(usize, sources[edge + distance]) * cues], .{});
        const values: V = x[@as(usize, sources[edge]) * cues ..][0..cues].*;
        part.* = simd.mulAdd(V, @splat(shares[edge]), values, part.*);
    };
    if (i < count) {
        const edge = edges.at(i);
        const values: V = x[@as(usize, sources[edge]) * cues ..][0..cues].*;
        parts[0] = simd.mulAdd(V, @splat(shares[edge]), values, parts[0]);
    }
    return parts[0] + parts[1];
}

/// One long row. Apart, so that short ones keep the registers to themselves.
noinline fn longCues(
    incoming: Incoming,
    first: usize,
    end: usize,
    scale: f32,
    evenly: []const f32,
    x: []const f32,
    sums: *[cues]f32,
) void {
    const V = @Vector(cues, f64);
    var totals: V = @splat(0);
    var edge = first;
    while (edge < end) : (edge = @min(end, edge + 2 * chain)) {
        const count = @min(2 * chain, end - edge);
        totals += @as(V, sumCues(incoming, ByRow{ .first = edge }, count, x));
    }
    const same: @Vector(cues, f32) = evenly[0..cues].*;
    const all: @Vector(cues, f32) = @floatCast(@as(V, @splat(scale)) * totals + @as(V, same));
    sums.* = all;
}

/// What a sweep came to, for each cue, over some rows.
pub fn Totals(comptime lanes: usize) type {
    return extern struct {
        /// How far ranks moved, summed.
        change: [lanes]f64,
        /// What stands at nodes that lead nowhere.
        lost: [lanes]f64,
        /// The largest sum of any node.
        peak: [lanes]f64,
    };
}

/// Some rows: `sums` and `ranks` [rows][lanes], `out_strengths` [rows].
pub fn settle(
    comptime lanes: usize,
    out_strengths: []const f32,
    keep: f32,
    gain: f32,
    sums: []const f32,
    ranks: []f32,
) Totals(lanes) {
    // One cue goes by several rows at a time, several cues by one row.
    const n = if (lanes == 1) simd.lanes else lanes;
    var total: Sums(n) = .{};
    var at: usize = 0;
    while (at + n <= sums.len) : (at += n) settleSome(n, lanes, out_strengths, keep, gain, sums, ranks, at, &total);
    if (lanes > 1) return .{ .change = total.change, .lost = total.lost, .peak = total.peak };
    var rest: Sums(1) = .{};
    while (at < sums.len) : (at += 1) settleSome(1, 1, out_strengths, keep, gain, sums, ranks, at, &rest);
    return .{
        .change = .{together(total.change) + rest.change[0]},
        .lost = .{together(total.lost) + rest.lost[0]},
        .peak = .{@max(@reduce(.Max, total.peak), rest.peak[0])},
    };
}

fn together(vector: anytype) f64 {
    var sum: f64 = 0;
    inline for (0..@typeInfo(@TypeOf(vector)).vector.len) |lane| sum += vector[lane];
    return sum;
}

fn Sums(comptime n: usize) type {
    return struct {
        change: @Vector(n, f64) = @splat(0),
        lost: @Vector(n, f64) = @splat(0),
        peak: @Vector(n, f64) = @splat(0),
    };
}

inline fn settleSome(
    comptime n: usize,
    comptime lanes: usize,
    out_strengths: []const f32,
    keep: f32,
    gain: f32,
    sums: []const f32,
    ranks: []f32,
    at: usize,
    total: *Sums(n),
) void {
    const V = @Vector(n, f32);
    const zero: V = @splat(0);
    const sum: V = sums[at..][0..n].*;
    const before: V = ranks[at..][0..n].*;
    const strength: V = if (lanes == 1) out_strengths[at..][0..n].* else @splat(out_strengths[at / lanes]);
    const after = @as(V, @splat(keep)) * before + @as(V, @splat(gain)) * sum;
    ranks[at..][0..n].* = after;
    total.change += @as(@Vector(n, f64), @abs(after - before));
    total.lost += @as(@Vector(n, f64), @select(f32, strength > zero, zero, sum));
    total.peak = @max(total.peak, @as(@Vector(n, f64), sum));
}

const testing = std.testing;

const nodes = 56;

const Sample = struct {
    offsets: [nodes + 1]u32,
    sources: [nodes * 40]u32,
    shares: [nodes * 40]f32,

    /// Rows of all lengths up to 39, the last of which end the arrays.
    fn random(seed: u64, last: u32) Sample {
        var bits = std.Random.DefaultPrng.init(seed);
        const any = bits.random();
        var sample: Sample = undefined;
        sample.offsets[0] = 0;
        var degrees: [nodes]u32 = undefined;
        for (&degrees) |*degree| degree.* = any.uintLessThan(u32, 40);
        degrees[nodes - 1] = last;
        // Groups of columns, some of them with rows of no edges, and eight rows that are too long for one by one edge.
        for ([_]usize{ 8, 24, 40 }, [_]u32{ 33, 5, 34 }) |begin, below| {
            for (degrees[begin..][0..8]) |*degree| degree.* %= below;
            std.mem.sort(u32, degrees[begin..][0..8], {}, std.sort.desc(u32));
        }
        degrees[40] = columns.most + 1;
        // The last of them is one, or is none.
        if (seed % 2 == 0) {
            for (degrees[48..]) |*degree| degree.* = @max(degree.* % 33, last);
            std.mem.sort(u32, degrees[48..], {}, std.sort.desc(u32));
        }
        for (degrees, 0..) |degree, node| sample.offsets[node + 1] = sample.offsets[node] + degree;
        for (&sample.sources, &sample.shares) |*source, *share| {
            source.* = any.uintLessThan(u32, nodes);
            share.* = any.float(f32);
        }
        return sample;
    }

    /// Where edge `i` of a row stands.
    fn edgeOf(sample: *const Sample, row: usize, i: usize) usize {
        const begin = row / 8 * 8;
        const whole = begin + 8 <= nodes;
        const offsets = sample.offsets[begin..@min(begin + 9, nodes + 1)];
        const grouped = whole and for (1..8) |lane| {
            if (offsets[lane + 1] - offsets[lane] > offsets[lane] - offsets[lane - 1]) break false;
        } else offsets[1] - offsets[0] <= 32;
        if (!grouped) return sample.offsets[row] + i;
        var edge: usize = offsets[0] + row - begin;
        for (0..i) |column| for (0..8) |lane| {
            edge += @intFromBool(offsets[lane + 1] - offsets[lane] > column);
        };
        return edge;
    }

    fn incoming(sample: *const Sample) Incoming {
        const edges = sample.offsets[nodes];
        const sources, const shares = .{ sample.sources[0..edges], sample.shares[0..edges] };
        return .{ .offsets = &sample.offsets, .sources = sources, .shares = shares };
    }
};

test "each row is what its edges say, for one cue and for sixteen, in parts or as a whole" {
    var bits = std.Random.DefaultPrng.init(1);
    var x: [nodes * cues]f32 = undefined;
    for (&x) |*value| value.* = bits.random().float(f32);
    for (0..12) |last| {
        const sample: Sample = .random(last, @intCast(last));
        var sums: [nodes * cues]f32 = undefined;
        const evenly: [cues]f32 = @splat(0.25);
        inline for (.{ 1, cues }) |lanes| {
            const own = x[0 .. nodes * lanes];
            pull(lanes, sample.incoming(), 0, nodes, 0.5, &evenly, own, sums[0 .. nodes * lanes]);
            for (0..nodes) |row| for (0..lanes) |lane| {
                var exact: f64 = 0;
                for (0..sample.offsets[row + 1] - sample.offsets[row]) |i| {
                    const edge = sample.edgeOf(row, i);
                    exact += @as(f64, sample.shares[edge]) * own[sample.sources[edge] * lanes + lane];
                }
                try testing.expectApproxEqAbs(0.5 * exact + 0.25, sums[row * lanes + lane], 20 * 0x1p-22);
            };
            var parts: [nodes * cues]f32 = undefined;
            pull(lanes, sample.incoming(), 0, 13, 0.5, &evenly, own, parts[0 .. 13 * lanes]);
            pull(lanes, sample.incoming(), 13, nodes, 0.5, &evenly, own, parts[13 * lanes .. nodes * lanes]);
            try testing.expectEqualSlices(f32, sums[0 .. nodes * lanes], parts[0 .. nodes * lanes]);
            var far: [nodes]f32 = undefined;
            if (lanes == 1) {
                pullOne(true, sample.incoming(), 0, nodes, 0.5, 0.25, own, &far);
                try testing.expectEqualSlices(f32, sums[0..nodes], &far);
            }
        }
    }
}

test "what is infinite or no number beside a row stays out of it" {
    for (0..12) |last| {
        const sample: Sample = .random(last, @intCast(last));
        for ([_]f32{ std.math.inf(f32), std.math.nan(f32) }) |value| inline for (.{ 1, cues }) |lanes| {
            var bits = std.Random.DefaultPrng.init(3);
            var x: [nodes * lanes]f32 = undefined;
            for (&x) |*number| number.* = bits.random().float(f32);
            var before: [nodes * lanes]f32 = undefined;
            var after: [nodes * lanes]f32 = undefined;
            const evenly: [cues]f32 = @splat(0);
            pull(lanes, sample.incoming(), 0, nodes, 1, &evenly, &x, &before);
            @memset(x[7 * lanes ..][0..lanes], value);
            pull(lanes, sample.incoming(), 0, nodes, 1, &evenly, &x, &after);
            for (0..nodes) |row| {
                const reads = for (0..sample.offsets[row + 1] - sample.offsets[row]) |i| {
                    if (sample.sources[sample.edgeOf(row, i)] == 7) break true;
                } else false;
                if (!reads) {
                    const its = row * lanes;
                    try testing.expectEqualSlices(f32, before[its..][0..lanes], after[its..][0..lanes]);
                } else try testing.expect(!std.math.isFinite(after[row * lanes]));
            }
        };
    }
}

test "a row of any length keeps its digits" {
    const lengths = [_]u32{ 1, 63, 64, 65, 66, 127, 128, 255, 256, 257, 258, 263, 264, 265, 1000, 100_003, 5 };
    var offsets: [lengths.len + 1]u32 = undefined;
    offsets[0] = 0;
    for (lengths, 0..) |length, row| offsets[row + 1] = offsets[row] + length;
    const edges = offsets[lengths.len];
    const sources = try testing.allocator.alloc(u32, edges);
    defer testing.allocator.free(sources);
    const shares = try testing.allocator.alloc(f32, edges);
    defer testing.allocator.free(shares);
    var bits = std.Random.DefaultPrng.init(4);
    for (sources, shares, 0..) |*source, *share, i| {
        source.* = bits.random().uintLessThan(u32, lengths.len);
        share.* = if (i % 3 == 0) 0.1 else bits.random().float(f32);
    }
    var x: [lengths.len * cues]f32 = undefined;
    for (&x) |*value| value.* = 0.9 + 0.1 * bits.random().float(f32);
    const incoming: Incoming = .{ .offsets = &offsets, .sources = sources, .shares = shares };
    const evenly: [cues]f32 = @splat(0.25);
    inline for (.{ 1, cues }) |lanes| {
        const own = x[0 .. lengths.len * lanes];
        var sums: [lengths.len * lanes]f32 = undefined;
        pull(lanes, incoming, 0, lengths.len, 0.7, &evenly, own, &sums);
        for (0..lengths.len) |row| for (0..lanes) |lane| {
            var exact: f64 = 0;
            for (sources[offsets[row]..offsets[row + 1]], shares[offsets[row]..offsets[row + 1]]) |source, share|
                exact += @as(f64, share) * own[source * lanes + lane];
            exact = @as(f64, @as(f32, 0.7)) * exact + 0.25;
            // A product and a block of 16 additions, what is left of one, and the end; of short rows twice as many.
            const roundings: f64 = if (lengths[row] > 256) 19 else 40;
            try testing.expectApproxEqRel(exact, sums[row * lanes + lane], roundings * 0x1p-24);
        };
        var few: [2 * lanes]f32 = undefined;
        pull(lanes, incoming, lengths.len - 2, lengths.len, 0.7, &evenly, own, &few);
        try testing.expectEqualSlices(f32, sums[(lengths.len - 2) * lanes ..], &few);
        if (lanes == 1) {
            var far: [lengths.len]f32 = undefined;
            pullOne(true, incoming, 0, lengths.len, 0.7, 0.25, own, &far);
            try testing.expectEqualSlices(f32, &sums, &far);
        }
    }
}

test "sums settle into ranks, and are told" {
    inline for (.{ 1, cues }) |lanes| for ([_]f32{ 0, 1 }) |keep| {
        var bits = std.Random.DefaultPrng.init(2);
        var sums: [nodes * lanes]f32 = undefined;
        var ranks: [nodes * lanes]f32 = undefined;
        var strengths: [nodes]f32 = undefined;
        for (&sums, &ranks) |*sum, *rank| {
            sum.* = bits.random().float(f32);
            rank.* = bits.random().float(f32);
        }
        for (&strengths, 0..) |*strength, i| strength.* = switch (i % 5) {
            2 => 0,
            3 => 0x1p-149,
            else => bits.random().float(f32) + 0.1,
        };
        const before = ranks;
        const total = settle(lanes, &strengths, keep, 0.5, &sums, &ranks);
        var change: [lanes]f64 = @splat(0);
        var lost: [lanes]f64 = @splat(0);
        var peak: [lanes]f64 = @splat(0);
        for (0..nodes * lanes) |i| {
            const strength = strengths[i / lanes];
            try testing.expectApproxEqRel(keep * before[i] + 0.5 * sums[i], ranks[i], 1e-6);
            change[i % lanes] += @abs(@as(f64, ranks[i]) - before[i]);
            if (strength == 0) lost[i % lanes] += sums[i];
            peak[i % lanes] = @max(peak[i % lanes], sums[i]);
        }
        for (0..lanes) |lane| {
            try testing.expectApproxEqRel(change[lane], total.change[lane], 1e-6);
            try testing.expectApproxEqRel(lost[lane], total.lost[lane], 1e-6);
            try testing.expectEqual(peak[lane], total.peak[lane]);
        }
    };
}
