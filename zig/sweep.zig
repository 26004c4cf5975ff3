//! One sweep over all edges of a graph, for one cue or for 16 side by side: what every node receives, summed over the
//! edges into it, and what becomes of that.
//!
//!     pull     sums_v = scale * sum over u of w_uv * x_u + evenly,   x_u what u has, divided by the sum of its weights
//!     settle   p_v = keep * p_v + gain * sums_v,   x_v = sums_v / (sum of v's weights), 0 where v leads nowhere
//!
//! PageRank keeps nothing and gains all; the heat kernel and what is left of a push keep all. Each row is summed in one
//! fixed order, whoever sums it.

const std = @import("std");
const simd = @import("simd.zig");

/// Edges by the node they lead to. Checked once, by whoever built it.
pub const Incoming = struct {
    /// [nodes + 1], ascending from 0.
    offsets: []const u32,
    /// [offsets[nodes]], each below nodes.
    sources: []const u32,
    /// [offsets[nodes]], finite, not negative.
    weights: []const f32,
};

/// Cues that are swept side by side.
pub const cues = 16;

const wide = 8;
const Wide = @Vector(wide, f32);

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
    const sources, const weights = .{ incoming.sources, incoming.weights };
    // Up to here, eight edges from any on are there to be read.
    const whole = sources.len -| (wide - 1);
    var edge: usize = incoming.offsets[first];
    for (incoming.offsets[first + 1 .. end + 1], sums) |next, *sum| {
        var parts: Wide = @splat(0);
        while (edge + wide <= next) : (edge += wide) {
            if (far) ahead(sources, edge, x);
            parts = simd.mulAdd(Wide, weights[edge..][0..wide].*, gather(sources[edge..][0..wide], x), parts);
        }
        if (edge == next) {
            // Nothing is left of the row, or it has nothing.
        } else if (edge < whole) {
            // The edges behind the row are read with a weight of 0: no branch on how many are left.
            const left: @Vector(wide, u32) = @splat(next - @as(u32, @intCast(edge)));
            const its = std.simd.iota(u32, wide) < left;
            const weight = @select(f32, its, @as(Wide, weights[edge..][0..wide].*), @as(Wide, @splat(0)));
            parts = simd.mulAdd(Wide, weight, gather(sources[edge..][0..wide], x), parts);
        } else inline for (0..wide) |lane| {
            if (edge + lane < next)
                parts[lane] = simd.mulAdd(f32, weights[edge + lane], x[sources[edge + lane]], parts[lane]);
        }
        edge = next;
        sum.* = simd.mulAdd(f32, scale, simd.sum(parts), evenly);
    }
}

inline fn gather(sources: *const [wide]u32, x: []const f32) Wide {
    var values: Wide = undefined;
    inline for (0..wide) |lane| values[lane] = x[sources[lane]];
    return values;
}

/// Asks for what is read some rows later.
inline fn ahead(sources: []const u32, edge: usize, x: []const f32) void {
    const distance = 64;
    if (edge + distance + wide > sources.len) return;
    inline for (0..wide) |lane| @prefetch(&x[sources[edge + distance + lane]], .{});
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
    const sources, const weights = .{ incoming.sources, incoming.weights };
    const same: V = evenly[0..cues].*;
    var edge: usize = incoming.offsets[first];
    for (incoming.offsets[first + 1 .. end + 1], 0..) |next, row| {
        var parts: [2]V = @splat(@splat(0));
        while (edge + 2 <= next) : (edge += 2) inline for (&parts, 0..) |*part, i| {
            const distance = 16;
            if (edge + i + distance < sources.len)
                @prefetch(&x[@as(usize, sources[edge + i + distance]) * cues], .{});
            const values: V = x[@as(usize, sources[edge + i]) * cues ..][0..cues].*;
            part.* = simd.mulAdd(V, @splat(weights[edge + i]), values, part.*);
        };
        if (edge < next) {
            const values: V = x[@as(usize, sources[edge]) * cues ..][0..cues].*;
            parts[0] = simd.mulAdd(V, @splat(weights[edge]), values, parts[0]);
        }
        edge = next;
        sums[row * cues ..][0..cues].* = simd.mulAdd(V, @splat(scale), parts[0] + parts[1], same);
    }
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

/// Some rows: `sums` [rows][lanes] become x, `ranks` [rows][lanes], `out_strengths` [rows].
pub fn settle(
    comptime lanes: usize,
    out_strengths: []const f32,
    keep: f32,
    gain: f32,
    sums: []f32,
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
    sums: []f32,
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
    const leads = strength >= @as(V, @splat(std.math.floatMin(f32)));
    ranks[at..][0..n].* = after;
    sums[at..][0..n].* = @select(f32, leads, sum / strength, zero);
    total.change += @as(@Vector(n, f64), @abs(after - before));
    total.lost += @as(@Vector(n, f64), @select(f32, leads, zero, sum));
    total.peak = @max(total.peak, @as(@Vector(n, f64), sum));
}

const testing = std.testing;

const nodes = 50;

const Sample = struct {
    offsets: [nodes + 1]u32,
    sources: [nodes * 40]u32,
    weights: [nodes * 40]f32,

    /// Rows of all lengths up to 39, the last of which end the arrays.
    fn random(seed: u64, last: u32) Sample {
        var bits = std.Random.DefaultPrng.init(seed);
        const any = bits.random();
        var sample: Sample = undefined;
        sample.offsets[0] = 0;
        for (0..nodes) |node| {
            const degree = if (node + 1 == nodes) last else any.uintLessThan(u32, 40);
            sample.offsets[node + 1] = sample.offsets[node] + degree;
        }
        for (&sample.sources, &sample.weights) |*source, *weight| {
            source.* = any.uintLessThan(u32, nodes);
            weight.* = any.float(f32);
        }
        return sample;
    }

    fn incoming(sample: *const Sample) Incoming {
        const edges = sample.offsets[nodes];
        const sources, const weights = .{ sample.sources[0..edges], sample.weights[0..edges] };
        return .{ .offsets = &sample.offsets, .sources = sources, .weights = weights };
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
                for (sample.offsets[row]..sample.offsets[row + 1]) |edge|
                    exact += @as(f64, sample.weights[edge]) * own[sample.sources[edge] * lanes + lane];
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

test "sums settle into ranks and into what is passed on, and are told" {
    inline for (.{ 1, cues }) |lanes| for ([_]f32{ 0, 1 }) |keep| {
        var bits = std.Random.DefaultPrng.init(2);
        var sums: [nodes * lanes]f32 = undefined;
        var ranks: [nodes * lanes]f32 = undefined;
        var strengths: [nodes]f32 = undefined;
        for (&sums, &ranks) |*sum, *rank| {
            sum.* = bits.random().float(f32);
            rank.* = bits.random().float(f32);
        }
        for (&strengths, 0..) |*strength, i| strength.* = if (i % 5 == 2) 0 else bits.random().float(f32) + 0.1;
        const before, const given = .{ ranks, sums };
        const total = settle(lanes, &strengths, keep, 0.5, &sums, &ranks);
        var change: [lanes]f64 = @splat(0);
        var lost: [lanes]f64 = @splat(0);
        var peak: [lanes]f64 = @splat(0);
        for (0..nodes * lanes) |i| {
            const strength = strengths[i / lanes];
            try testing.expectApproxEqRel(keep * before[i] + 0.5 * given[i], ranks[i], 1e-6);
            try testing.expectApproxEqRel(if (strength == 0) 0 else given[i] / strength, sums[i], 1e-6);
            change[i % lanes] += @abs(@as(f64, ranks[i]) - before[i]);
            if (strength == 0) lost[i % lanes] += given[i];
            peak[i % lanes] = @max(peak[i % lanes], given[i]);
        }
        for (0..lanes) |lane| {
            try testing.expectApproxEqRel(change[lane], total.change[lane], 1e-6);
            try testing.expectApproxEqRel(lost[lane], total.lost[lane], 1e-6);
            try testing.expectEqual(peak[lane], total.peak[lane]);
        }
    };
}
