//! Tests of push.zig: its definition in f64 over dense matrices.

const std = @import("std");
const Arena = @import("arena.zig").Arena;
const push_zig = @import("push.zig");
const spreading = @import("spreading.zig");
const Graph = spreading.Graph;
const Seed = spreading.Seed;
const testing = std.testing;

const nodes = 60;

const Sample = struct {
    offsets: [nodes + 1]u32,
    targets: [nodes * 8]u32,
    weights: [nodes * 8]f32,
    out_strengths: [nodes]f32,

    /// Every seventh node leads nowhere; weights are around `size`.
    fn random(seed: u64, size: f32) Sample {
        var random_bits = std.Random.DefaultPrng.init(seed);
        const any = random_bits.random();
        var sample: Sample = undefined;
        sample.offsets[0] = 0;
        for (0..nodes) |node| {
            const degree: u32 = if (node % 7 == 3) 0 else 1 + any.uintLessThan(u32, 8);
            const first = sample.offsets[node];
            sample.offsets[node + 1] = first + degree;
            var sum: f64 = 0;
            for (first..first + degree) |edge| {
                sample.targets[edge] = any.uintLessThan(u32, nodes);
                sample.weights[edge] = (any.float(f32) + 0.01) * size;
                sum += sample.weights[edge];
            }
            sample.out_strengths[node] = @floatCast(sum);
        }
        return sample;
    }

    fn graph(sample: *const Sample) Graph {
        const edges = sample.offsets[nodes];
        return .{
            .offsets = &sample.offsets,
            .targets = sample.targets[0..edges],
            .weights = sample.weights[0..edges],
            .out_strengths = &sample.out_strengths,
        };
    }

    /// Power iteration to its end.
    fn ranks(sample: *const Sample, seeds: []const Seed, options: *const push_zig.Options) [nodes]f64 {
        var start: [nodes]f64 = @splat(0);
        var sum: f64 = 0;
        for (seeds) |seed| sum += seed.activation;
        for (seeds) |seed| start[seed.node] += seed.activation / sum;
        var p = start;
        for (0..600) |_| {
            var next: [nodes]f64 = @splat(0);
            var lost: f64 = 0;
            for (0..nodes) |node| {
                if (sample.out_strengths[node] == 0) lost += p[node];
                for (sample.offsets[node]..sample.offsets[node + 1]) |edge|
                    next[sample.targets[edge]] += p[node] * sample.weights[edge] / sample.out_strengths[node];
            }
            for (&next, start) |*value, own| {
                const back = if (options.dangling == .to_seeds) lost * own else lost / nodes;
                value.* = options.alpha * own + (1 - options.alpha) * (value.* + back);
            }
            p = next;
        }
        return p;
    }
};

/// Sums of weights near the ends of f32, and beyond where it has all its digits.
const sizes = [_]f32{ 1, 1e35, 1e-42, 1, 1e37, 1e-37 };

const cue = [_]Seed{
    .{ .node = 5, .activation = 3 },
    .{ .node = 17, .activation = 1 },
    .{ .node = 5, .activation = 0 },
};

/// Of f64, in a thousand steps.
const rounding = 1e-13;

test "estimates are below the ranks by no more than the residuals, and all together are one" {
    for (0..6) |seed| for ([_]push_zig.Dangling{ .to_seeds, .evenly }) |dangling| for ([_]f64{ 0.1, 0.5 }) |alpha| {
        const sample: Sample = .random(seed, sizes[seed]);
        const graph = sample.graph();
        for ([_]f64{ 0.1, 1e-2, 1e-3, 1e-5 }) |epsilon| {
            const options: push_zig.Options = .{
                .alpha = alpha,
                .epsilon = epsilon,
                .edges_most = 1 << 40,
                .dangling = dangling,
            };
            var bytes: [4096]u8 align(64) = @splat(3);
            var arena: Arena = .over(&bytes);
            defer arena.dissolve();
            var reached: [nodes]u32 = undefined;
            var estimates: [nodes]f32 = undefined;
            var residuals: [nodes]f32 = undefined;
            const result = try push_zig.push(&arena, graph, &cue, &options, &reached, &estimates, &residuals);
            try testing.expectEqual(push_zig.pushNeed(graph, &cue, &options), arena.highWater());
            const exact = sample.ranks(&cue, &options);
            var sum: f64 = result.residual + result.evenly;
            var dense: [nodes]f64 = @splat(0);
            for (reached[0..result.reached_count], estimates[0..result.reached_count]) |node, estimate| {
                dense[node] = estimate;
                sum += estimate;
            }
            // What estimates lose to f32 counts as residual; out-strengths in f32 make up to 2^-24 / alpha of ranks.
            const off = 0x1p-23 + 0x1p-24 / alpha;
            try testing.expect(sum >= 1 - rounding and sum <= 1 + off);
            var left: f64 = 0;
            for (residuals[0..result.reached_count]) |residual| left += residual;
            try testing.expect(result.residual <= left + off);
            for (dense, exact) |found, rank| {
                try testing.expect(found <= rank + rounding);
                try testing.expect(rank - found <= result.residual + result.evenly + rounding);
            }
            if (result.stopped == .no) {
                const edges_most: u64 = @trunc(1.01 / (alpha * epsilon) + 1);
                try testing.expect(result.edges <= edges_most);
                for (reached[0..result.reached_count], residuals[0..result.reached_count]) |node, residual| {
                    const degree: f32 = @floatFromInt(@max(1, graph.degree(node)));
                    try testing.expect(residual <= epsilon * degree);
                }
            } else try testing.expect(dangling == .evenly);
        }
    };
}

test "a node with many links keeps its digits" {
    const leaves = 10_000;
    const allocator = testing.allocator;
    const offsets = try allocator.alloc(u32, leaves + 2);
    defer allocator.free(offsets);
    const targets = try allocator.alloc(u32, 2 * leaves);
    defer allocator.free(targets);
    const weights = try allocator.alloc(f32, 2 * leaves);
    defer allocator.free(weights);
    const strengths = try allocator.alloc(f32, leaves + 1);
    defer allocator.free(strengths);
    const outputs = try allocator.alloc(f32, 2 * (leaves + 1));
    defer allocator.free(outputs);
    const reached = try allocator.alloc(u32, leaves + 1);
    defer allocator.free(reached);
    const third: f32 = 1.0 / 3.0;
    for (0..leaves) |leaf| {
        targets[leaf] = @intCast(leaf + 1);
        targets[leaves + leaf] = 0;
        offsets[leaf + 1] = @intCast(leaves + leaf);
        strengths[leaf + 1] = third;
    }
    offsets[0] = 0;
    offsets[leaves + 1] = 2 * leaves;
    strengths[0] = leaves * third;
    @memset(weights, third);
    const graph: Graph = .{ .offsets = offsets, .targets = targets, .weights = weights, .out_strengths = strengths };
    const options: push_zig.Options = .{
        .alpha = 0.15,
        .epsilon = 1e-12,
        // Some hundred times the graph.
        .edges_most = 1 << 23,
        .dangling = .to_seeds,
    };
    const bytes = try allocator.alignedAlloc(u8, .@"64", push_zig.pushNeed(graph, &cue, &options));
    defer allocator.free(bytes);
    const share = @as(f64, third) / strengths[0];
    for ([_]bool{ true, false }) |from_hub| {
        var arena: Arena = .over(bytes);
        defer arena.dissolve();
        const seeds = [_]Seed{.{ .node = if (from_hub) 0 else 1, .activation = 1 }};
        const p, const r = .{ outputs[0 .. leaves + 1], outputs[leaves + 1 ..] };
        const result = try push_zig.push(&arena, graph, &seeds, &options, reached, p, r);
        try testing.expectEqual(.no, result.stopped);
        // hub = alpha * (own) + rest * (leaves), a leaf = alpha * (own) + rest * share * hub.
        const rest = 1 - options.alpha;
        const own: f64 = if (from_hub) options.alpha else rest * options.alpha;
        const hub = own / (1 - rest * rest * share * leaves);
        try testing.expect(result.residual <= 2 * leaves * options.epsilon + 0x1p-23 + 0x1p-24 / options.alpha);
        var sum: f64 = result.residual;
        for (reached[0..result.reached_count], p[0..result.reached_count]) |node, estimate| {
            const start = if (node == 1 and !from_hub) options.alpha else 0;
            const exact = if (node == 0) hub else start + rest * share * hub;
            try testing.expect(estimate <= exact * (1 + rounding));
            try testing.expect(exact - estimate <= result.residual + rounding);
            // Of what is left a node has its share, and f32 rounds down once.
            try testing.expectApproxEqRel(exact, estimate, 4 * leaves * options.epsilon + 0x1p-23);
            sum += estimate;
        }
        try testing.expect(sum >= 1 - rounding);
    }
}

test "work that is too much stops where it stands, and the sum is one all the same" {
    const sample: Sample = .random(1, 1);
    const graph = sample.graph();
    for ([_]u64{ 0, 1, 10, 100 }) |edges_most| {
        const options: push_zig.Options = .{
            .alpha = 0.1,
            .epsilon = 1e-6,
            .edges_most = edges_most,
            .dangling = .to_seeds,
        };
        var bytes: [4096]u8 align(64) = @splat(0xFF);
        var arena: Arena = .over(&bytes);
        defer arena.dissolve();
        var reached: [nodes]u32 = undefined;
        var estimates: [nodes]f32 = undefined;
        var residuals: [nodes]f32 = undefined;
        const result = try push_zig.push(&arena, graph, &cue, &options, &reached, &estimates, &residuals);
        try testing.expectEqual(.work, result.stopped);
        try testing.expect(result.edges <= edges_most);
        var sum: f64 = result.residual;
        for (estimates[0..result.reached_count]) |estimate| sum += estimate;
        try testing.expect(sum >= 1 - rounding and sum <= 1 + 1e-6);
    }
}

test "out of memory touches nothing" {
    const sample: Sample = .random(2, 1);
    const options: push_zig.Options = .{ .alpha = 0.1, .epsilon = 1e-3, .edges_most = 1000, .dangling = .evenly };
    const need = push_zig.pushNeed(sample.graph(), &cue, &options);
    var bytes: [4096]u8 align(64) = undefined;
    for ([_]usize{ 0, need - 64 }) |size| {
        var arena: Arena = .over(bytes[0..size]);
        var reached: [nodes]u32 = @splat(77);
        var estimates: [nodes]f32 = @splat(77);
        var residuals: [nodes]f32 = @splat(77);
        const refusal = push_zig.push(&arena, sample.graph(), &cue, &options, &reached, &estimates, &residuals);
        try testing.expectError(error.OutOfMemory, refusal);
        try testing.expectEqual(need, arena.wanted);
        try testing.expect(reached[0] == 77 and estimates[0] == 77 and residuals[0] == 77);
    }
}
