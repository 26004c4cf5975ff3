//! Activation by association as ACT-R has it (Anderson 2007; unit 5 of its tutorial), over one link:
//!
//!     A_i = sum over sources j linked to i of W_j * (S - ln fan_j),   fan_j = links of j + 1
//!
//! What a weak S makes of a large fan is below 0 and stays so: such a source tells against what it is linked to. The
//! weights of edges play no part. Nothing is linked to itself but by an edge.

const std = @import("std");
const arena_zig = @import("arena.zig");
const reach_zig = @import("reach.zig");
const spreading = @import("spreading.zig");
const Arena = arena_zig.Arena;
const Graph = spreading.Graph;
const Seed = spreading.Seed;

fn shapeOf(graph: Graph, sources: []const Seed) reach_zig.Shape {
    var links: u64 = 0;
    for (sources) |source| links +|= graph.degree(source.node);
    return .{ .nodes = graph.nodes(), .most = @min(graph.nodes(), links) };
}

fn needOf(shape: reach_zig.Shape) usize {
    return shape.need() +| arena_zig.sizeOf(f32, shape.most);
}

/// How many nodes `fanActivation` writes at most.
pub fn fanMost(graph: Graph, sources: []const Seed) usize {
    return shapeOf(graph, sources).most;
}

pub fn fanNeed(graph: Graph, sources: []const Seed) usize {
    return needOf(shapeOf(graph, sources));
}

/// Every node that a source is linked to, in the order reached, and its activation; the return value counts them.
/// `reached` and `activations` hold [fanMost]. OutOfMemory leaves them as they were.
pub fn fanActivation(
    arena: *Arena,
    graph: Graph,
    sources: []const Seed,
    strength: f32,
    reached: []u32,
    activations: []f32,
) error{OutOfMemory}!usize {
    const shape = shapeOf(graph, sources);
    var frame = try arena.frame(needOf(shape));
    defer frame.close();
    switch (shape.kind()) {
        inline else => |kind| {
            var reach: reach_zig.Reach(kind, u32) = try .init(&frame, shape);
            const activation = try frame.alloc(f32, shape.most);
            for (sources) |source| {
                const factor = spreading.fanFactor(strength, graph.degree(source.node));
                const share: f32 = @floatCast(std.math.clamp(source.activation * factor, -largest, largest));
                for (graph.targets[graph.offsets[source.node]..graph.offsets[source.node + 1]]) |target| {
                    const put = reach.put(target);
                    const before = if (put.new) 0 else activation[put.place];
                    activation[put.place] = std.math.clamp(before + share, -largest, largest);
                }
            }
            @memcpy(reached[0..reach.count], reach.member[0..reach.count]);
            @memcpy(activations[0..reach.count], activation[0..reach.count]);
            return reach.count;
        },
    }
}

const largest = std.math.floatMax(f32);

const testing = std.testing;

/// 0 and 1 are cues of 2 and 3; 0 of 4 too.
const facts: Graph = .{
    .offsets = &.{ 0, 3, 5, 5, 5, 5 },
    .targets = &.{ 2, 3, 4, 2, 3 },
    .weights = &.{ 9, 0, 1, 1, 1 },
};

test "a cue counts less for each thing it is linked to, and against them where S is small" {
    var bytes: [1024]u8 align(64) = @splat(0xFF);
    var arena: Arena = .over(&bytes);
    defer arena.dissolve();
    var reached: [5]u32 = undefined;
    var activations: [5]f32 = undefined;
    const cues = [_]Seed{ .{ .node = 0, .activation = 0.5 }, .{ .node = 1, .activation = 0.5 } };
    const four, const three = .{ @log(@as(f32, 4)), @log(@as(f32, 3)) };
    for ([_]f32{ 1.6, 0 }) |s| {
        const count = try fanActivation(&arena, facts, &cues, s, &reached, &activations);
        try testing.expectEqualSlices(u32, &.{ 2, 3, 4 }, reached[0..count]);
        const both = 0.5 * (s - four) + 0.5 * (s - three);
        for ([_]f32{ both, both, 0.5 * (s - four) }, activations[0..count]) |expected, found|
            try testing.expectApproxEqAbs(expected, found, 2e-7);
        try testing.expectEqual(fanNeed(facts, &cues), arena.highWater());
    }
    try testing.expectEqual(0, try fanActivation(&arena, facts, &.{}, 1, &reached, &activations));
}

test "activation stays finite" {
    var bytes: [1024]u8 align(64) = undefined;
    var arena: Arena = .over(&bytes);
    defer arena.dissolve();
    var reached: [5]u32 = undefined;
    var activations: [5]f32 = undefined;
    const cues: [2]Seed = @splat(.{ .node = 1, .activation = largest });
    for ([_]f32{ largest, 0 }) |s| {
        _ = try fanActivation(&arena, facts, &cues, s, &reached, &activations);
        try testing.expectEqual(if (s > 0) largest else -largest, activations[0]);
    }
}

test "out of memory touches nothing" {
    var bytes: [64]u8 align(64) = undefined;
    var arena: Arena = .over(&bytes);
    var reached: [5]u32 = @splat(77);
    var activations: [5]f32 = @splat(77);
    const cues = [_]Seed{.{ .node = 0, .activation = 1 }};
    try testing.expectError(error.OutOfMemory, fanActivation(&arena, facts, &cues, 1, &reached, &activations));
    try testing.expectEqual(fanNeed(facts, &cues), arena.wanted);
    try testing.expectEqual(77, reached[0]);
    try testing.expectEqual(77, activations[0]);
}
