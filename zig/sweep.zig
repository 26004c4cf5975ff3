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
    const sources, const shares = .{ incoming.sources, incoming.shares };
    // Up to here, eight edges from any on are there to be read.
    const whole = sources.len -| (wide - 1);
    var edge: usize = incoming.offsets[first];
    for (incoming.offsets[first + 1 .. end + 1], sums) |next, *sum| {
        if (next - edge >= long) {
            sum.* = @floatCast(@as(f64, scale) * longOne(far, incoming, edge, next, x) + evenly);
            edge = next;
            continue;
        }
        var parts: Wide = @splat(0);
        while (edge + wide <= next) : (edge += wide) {
            if (far) ahead(sources, edge, x);
            parts = simd.mulAdd(Wide, shares[edge..][0..wide].*, gather(sources[edge..][0..wide], x), parts);
        }
        if (edge == next) {
            // Nothing is left of the row, or it has nothing.
        } else if (edge < whole) {
            // What the edges behind the row have counts as 0, be it infinite: no branch on how many are left.
            const left: @Vector(wide, u32) = @splat(next - @as(u32, @intCast(edge)));
            const its = std.simd.iota(u32, wide) < left;
            const values = @select(f32, its, gather(sources[edge..][0..wide], x), @as(Wide, @splat(0)));
            parts = simd.mulAdd(Wide, shares[edge..][0..wide].*, values, parts);
        } else inline for (0..wide) |lane| {
            if (edge + lane < next)
                parts[lane] = simd.mulAdd(f32, shares[edge + lane], x[sources[edge + lane]], parts[lane]);
        }
        edge = next;
        sum.* = simd.mulAdd(f32, scale, simd.sum(parts), evenly);
    }
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
    const same: V = evenly[0..cues].*;
    var edge: usize = incoming.offsets[first];
    for (incoming.offsets[first + 1 .. end + 1], 0..) |next, row| {
        const to = sums[row * cues ..][0..cues];
        if (next - edge >= long_cues) {
            longCues(incoming, edge, next, scale, evenly, x, to);
        } else {
            to.* = simd.mulAdd(V, @splat(scale), sumCues(incoming, edge, next, x), same);
        }
        edge = next;
    }
}

/// The edges from `first` to `end`, of one row, for each cue.
inline fn sumCues(incoming: Incoming, first: usize, end: usize, x: []const f32) @Vector(cues, f32) {
    const V = @Vector(cues, f32);
    const sources, const shares = .{ incoming.sources, incoming.shares };
    var parts: [2]V = @splat(@splat(0));
    var edge = first;
    while (edge + 2 <= end) : (edge += 2) inline for (&parts, 0..) |*part, i| {
        const distance = 16;
        if (edge + i + distance < sources.len)
            @prefetch(&x[@as(usize, sources[edge + i + distance]) * cues], .{});
        const values: V = x[@as(usize, sources[edge + i]) * cues ..][0..cues].*;
        part.* = simd.mulAdd(V, @splat(shares[edge + i]), values, part.*);
    };
    if (edge < end) {
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
    while (edge < end) : (edge = @min(end, edge + 2 * chain))
        totals += @as(V, sumCues(incoming, edge, @min(end, edge + 2 * chain), x));
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

const nodes = 50;

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
        for (0..nodes) |node| {
            const degree = if (node + 1 == nodes) last else any.uintLessThan(u32, 40);
            sample.offsets[node + 1] = sample.offsets[node] + degree;
        }
        for (&sample.sources, &sample.shares) |*source, *share| {
            source.* = any.uintLessThan(u32, nodes);
            share.* = any.float(f32);
        }
        return sample;
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
                for (sample.offsets[row]..sample.offsets[row + 1]) |edge|
                    exact += @as(f64, sample.shares[edge]) * own[sample.sources[edge] * lanes + lane];
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
                const first, const end = .{ sample.offsets[row], sample.offsets[row + 1] };
                if (std.mem.findScalar(u32, sample.sources[first..end], 7) == null) {
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
