//! Hops against the definition, over dense arrays, one edge at a time in the order of the kernel: the same bits,
//! whether what is received stands at places or at nodes.

const std = @import("std");
const Arena = @import("arena.zig").Arena;
const spreading = @import("spreading.zig");
const Graph = spreading.Graph;
const Options = spreading.Options;
const Seed = spreading.Seed;
const testing = std.testing;

/// Each node's edges lead to neighbours and to nodes anywhere, some of them twice.
const Drawn = struct {
    offsets: []u32,
    targets: []u32,
    weights: []f32,

    fn of(nodes: u32, seed: u64) !Drawn {
        var draw = std.Random.DefaultPrng.init(seed);
        const random = draw.random();
        const most: u32 = 13;
        const offsets = try testing.allocator.alloc(u32, nodes + 1);
        const targets = try testing.allocator.alloc(u32, nodes * most);
        const weights = try testing.allocator.alloc(f32, nodes * most);
        offsets[0] = 0;
        for (0..nodes) |node| {
            const degree = random.uintAtMost(u32, most);
            offsets[node + 1] = offsets[node] + degree;
            for (offsets[node]..offsets[node + 1]) |edge| {
                const near: u32 = @intCast((node + edge % 5) % nodes);
                targets[edge] = if (random.boolean()) near else random.uintLessThan(u32, nodes);
                weights[edge] = random.float(f32);
            }
        }
        return .{ .offsets = offsets, .targets = targets, .weights = weights };
    }

    fn graph(drawn: Drawn) Graph {
        const edges = drawn.offsets[drawn.offsets.len - 1];
        return .{ .offsets = drawn.offsets, .targets = drawn.targets[0..edges], .weights = drawn.weights[0..edges] };
    }

    fn deinit(drawn: Drawn) void {
        testing.allocator.free(drawn.offsets);
        testing.allocator.free(drawn.targets);
        testing.allocator.free(drawn.weights);
    }
};

/// Nodes in the order reached, and what each holds.
const Dense = struct {
    order: std.ArrayList(u32) = .empty,
    reached: []bool,
    activation: []f32,
    received: []f32,
    fired: []bool,

    fn of(graph: Graph, seeds: []const Seed, options: Options) !Dense {
        const nodes = graph.nodes();
        var dense: Dense = .{
            .reached = try testing.allocator.alloc(bool, nodes),
            .activation = try testing.allocator.alloc(f32, nodes),
            .received = try testing.allocator.alloc(f32, nodes),
            .fired = try testing.allocator.alloc(bool, nodes),
        };
        @memset(dense.reached, false);
        @memset(dense.activation, 0);
        @memset(dense.received, 0);
        @memset(dense.fired, false);
        for (seeds) |seed| {
            try dense.reach(seed.node);
            dense.activation[seed.node] += seed.activation;
        }
        for (0..options.hops) |_| try dense.hop(graph, options);
        return dense;
    }

    fn reach(dense: *Dense, node: u32) !void {
        if (!dense.reached[node]) try dense.order.append(testing.allocator, node);
        dense.reached[node] = true;
    }

    fn hop(dense: *Dense, graph: Graph, options: Options) !void {
        const count = dense.order.items.len;
        for (0..count) |place| {
            const node = dense.order.items[place];
            const activation = dense.activation[node];
            if (activation == 0 or activation < options.threshold) continue;
            if (options.fire == .once and dense.fired[node]) continue;
            dense.fired[node] = true;
            for (graph.offsets[node]..graph.offsets[node + 1]) |edge| {
                const target = graph.targets[edge];
                try dense.reach(target);
                const amount = options.transmission * activation * graph.weights[edge];
                const before = dense.received[target];
                dense.received[target] = if (options.aggregate == .sum) before + amount else @max(before, amount);
            }
        }
        for (dense.order.items) |node| {
            const kept = options.retain * dense.activation[node];
            const received = dense.received[node];
            dense.activation[node] = if (options.aggregate == .sum) kept + received else @max(kept, received);
            dense.received[node] = 0;
        }
    }

    fn deinit(dense: *Dense) void {
        dense.order.deinit(testing.allocator);
        testing.allocator.free(dense.reached);
        testing.allocator.free(dense.activation);
        testing.allocator.free(dense.received);
        testing.allocator.free(dense.fired);
    }
};

fn expectSame(graph: Graph, seeds: []const Seed, options: Options, dirt: u8) !void {
    var expected: Dense = try .of(graph, seeds, options);
    defer expected.deinit();
    const bytes = try testing.allocator.alignedAlloc(u8, .@"64", spreading.spreadNeed(graph, seeds, &options));
    defer testing.allocator.free(bytes);
    @memset(bytes, dirt);
    var arena: Arena = .over(bytes);
    defer arena.dissolve();
    const most = spreading.spreadMost(graph, seeds, &options);
    // A word behind each that stays as it is.
    const reached = try testing.allocator.alloc(u32, most + 1);
    defer testing.allocator.free(reached);
    const activations = try testing.allocator.alloc(f32, most + 1);
    defer testing.allocator.free(activations);
    reached[most] = 77;
    activations[most] = 77;
    const result = try spreading.spread(
        &arena,
        graph,
        seeds,
        &options,
        null,
        reached[0..most],
        activations[0..most],
    );
    try testing.expectEqualSlices(u32, expected.order.items, reached[0..result.reached_count]);
    for (reached[0..result.reached_count], activations[0..result.reached_count]) |node, activation| {
        try testing.expectEqual(@as(u32, @bitCast(expected.activation[node])), @as(u32, @bitCast(activation)));
    }
    try testing.expect(reached[most] == 77 and activations[most] == 77);
}

test "hops have the bits of the definition, over graphs of any size and whatever memory held" {
    var options: Options = .{
        .hops = 0,
        .fire = .every_hop,
        .weighting = .as_given,
        .aggregate = .sum,
        .budget = std.math.maxInt(u32),
        .fan_out_most = std.math.maxInt(u32),
        .threshold = 0,
        .retain = 0.5,
        .transmission = 0.5,
        .fan_strength = 0,
        .competitors = 0,
        .inhibition = 0,
        .steepness = 0,
        .midpoint = 0,
        .edges_most = std.math.maxInt(u64),
        .pause_after = 0,
        .relation_factors = null,
    };
    // Few nodes, which hops stand at from the first; many, whose first hops are at places; and more than are near.
    for ([_]u32{ 1, 40, 3_000, 40_000 }, 0..) |nodes, i| {
        const drawn: Drawn = try .of(nodes, nodes);
        defer drawn.deinit();
        // So that a large one is reached far enough.
        options.threshold = if (nodes < 10_000) 0.01 else 0;
        const seeds = [_]Seed{
            .{ .node = 0, .activation = 1 },
            .{ .node = nodes / 2, .activation = 0.5 },
            .{ .node = 0, .activation = 2 },
        };
        for ([_]spreading.Aggregate{ .sum, .max }) |aggregate| for ([_]spreading.Fire{ .once, .every_hop }) |fire| {
            options.aggregate = aggregate;
            options.fire = fire;
            for ([_]u32{ 1, 2, 3, 4, 6 }) |hops| {
                options.hops = hops;
                try expectSame(drawn.graph(), &seeds, options, ([_]u8{ 0, 0xFF, 1, 0xBF })[(i + hops) % 4]);
            }
        };
    }
}

test "scratch is for as many nodes as cap, hops and budget let it reach" {
    const drawn: Drawn = try .of(40_000, 5);
    defer drawn.deinit();
    const seeds = [_]Seed{.{ .node = 3, .activation = 1 }};
    var options = std.mem.zeroes(Options);
    options.hops = 3;
    options.fan_out_most = 2;
    options.budget = std.math.maxInt(u32);
    options.edges_most = std.math.maxInt(u64);
    const graph = drawn.graph();
    const near: usize = @min(2, graph.degree(3));
    try testing.expectEqual(1 + near * 7, spreading.spreadMost(graph, &seeds, &options));
    options.hops = 1;
    try testing.expectEqual(1 + near, spreading.spreadMost(graph, &seeds, &options));
    options.hops = 1000;
    try testing.expectEqual(40_000, spreading.spreadMost(graph, &seeds, &options));
    options.fire = .best_first;
    options.budget = 9;
    try testing.expectEqual(1 + 9 * 2, spreading.spreadMost(graph, &seeds, &options));
    options.edges_most = 5;
    try testing.expectEqual(6, spreading.spreadMost(graph, &seeds, &options));
    options.fan_out_most = 0;
    options.fire = .once;
    try testing.expectEqual(1, spreading.spreadMost(graph, &seeds, &options));
}
