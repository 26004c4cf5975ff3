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

    /// Every seventh node leads nowhere.
    fn random(seed: u64) Sample {
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
                sample.weights[edge] = any.float(f32) + 0.01;
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

const cue = [_]Seed{
    .{ .node = 5, .activation = 3 },
    .{ .node = 17, .activation = 1 },
    .{ .node = 5, .activation = 0 },
};

test "estimates are below the ranks by no more than the residuals, and all together are one" {
    for (0..6) |seed| for ([_]push_zig.Dangling{ .to_seeds, .evenly }) |dangling| for ([_]f64{ 0.1, 0.5 }) |alpha| {
        const sample: Sample = .random(seed);
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
            try testing.expectApproxEqAbs(1, sum, 1e-5);
            for (dense, exact) |found, rank| {
                try testing.expect(found <= rank + 1e-6);
                try testing.expect(rank - found <= result.residual + result.evenly + 1e-6);
            }
            if (result.stopped == .no) {
                const edges_most: u64 = @trunc(1.01 / (alpha * epsilon) + 1);
                try testing.expect(result.edges <= edges_most);
                for (reached[0..result.reached_count], residuals[0..result.reached_count]) |node, residual| {
                    const degree: f32 = @floatFromInt(@max(1, graph.degree(node)));
                    try testing.expect(residual <= 1.0001 * epsilon * degree);
                }
            } else try testing.expect(dangling == .evenly);
        }
    };
}

test "work that is too much stops where it stands, and the sum is one all the same" {
    const sample: Sample = .random(1);
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
        try testing.expectApproxEqAbs(1, sum, 1e-6);
    }
}

test "out of memory touches nothing" {
    const sample: Sample = .random(2);
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
