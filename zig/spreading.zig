//! Spreading activation over a CSR graph, in synchronous hops (Collins and Loftus 1975; constraints as in Crestani
//! 1997):
//!
//!     a'_v = retain * a_v + transmission * sum over u of f(a_u) * w_uv,   f(a) = a where a >= threshold, else 0
//!
//! With `fire = once` a node's f is 0 after the first hop in which it fired. With `by_out_strength` w_uv is divided by
//! the sum of u's weights; a source whose weights sum to 0 passes nothing on. Activation saturates at the largest f32.
//!
//! Only reached nodes are looked at. They stand in a sparse set (Briggs and Torczon 1993), which is valid over memory
//! that was never cleared: `member[place[v]] == v` with `place[v] < count` says that v is in it, whatever else `place`
//! holds. Nodes are visited in the order in which they were reached, so every sum is taken in one fixed order.

const std = @import("std");
const arena_zig = @import("arena.zig");
const Arena = arena_zig.Arena;

/// Checked once, by whoever built it.
pub const Graph = struct {
    /// [nodes + 1], ascending from 0.
    offsets: []const u32,
    /// [offsets[nodes]], each below nodes.
    targets: []const u32,
    /// [offsets[nodes]], finite, not negative.
    weights: []const f32,
    /// [nodes], the sum of each node's weights; read only with `by_out_strength`.
    out_strengths: []const f32,

    pub fn nodes(graph: Graph) usize {
        return graph.offsets.len - 1;
    }
};

/// ecp_seed of ecphory.h.
pub const Seed = extern struct { node: u32, activation: f32 };

pub const Fire = enum(u32) { once = 0, every_hop = 1 };
pub const Weighting = enum(u32) { as_given = 0, by_out_strength = 1 };

/// ecp_spread_options of ecphory.h.
pub const Options = extern struct {
    hops: u32,
    fire: Fire,
    weighting: Weighting,
    threshold: f32,
    retain: f32,
    transmission: f32,
};

pub fn spreadNeed(nodes: usize) usize {
    return 4 *| arena_zig.sizeOf(u32, nodes) +| arena_zig.sizeOf(u32, firedWords(nodes));
}

fn firedWords(nodes: usize) usize {
    return nodes / 32 + @intFromBool(nodes % 32 != 0);
}

/// Every node reached, in the order reached, and its activation; the return value counts them.
/// `reached` and `activations` hold [nodes]. OutOfMemory leaves them as they were.
pub fn spread(
    arena: *Arena,
    graph: Graph,
    seeds: []const Seed,
    options: *const Options,
    reached: []u32,
    activations: []f32,
) error{OutOfMemory}!usize {
    var frame = try arena.frame(spreadNeed(graph.nodes()));
    defer frame.close();
    var front: Front = try .init(&frame, graph.nodes());
    for (seeds) |seed| {
        const place = front.placeOf(seed.node);
        front.activation[place] = saturated(front.activation[place] + seed.activation);
    }
    for (0..options.hops) |_| hop(&front, graph, options);
    @memcpy(reached[0..front.count], front.member[0..front.count]);
    @memcpy(activations[0..front.count], front.activation[0..front.count]);
    return front.count;
}

fn hop(front: *Front, graph: Graph, options: *const Options) void {
    const sources = front.count;
    for (0..sources) |place| {
        const activation = front.activation[place];
        if (activation == 0 or activation < options.threshold) continue; // Zero passes nothing on, so it has not fired.
        if (options.fire == .once and !front.fireOnce(place)) continue;
        const node = front.member[place];
        const strength: f32 = if (options.weighting == .as_given) 1 else graph.out_strengths[node];
        if (strength == 0) continue;
        const passed = options.transmission * activation / strength;
        if (std.math.isNormal(passed)) {
            pass(f32, front, graph, node, passed);
        } else {
            // Beyond f32, or below where it has all its digits; the products with the weights need not be.
            pass(f64, front, graph, node, @as(f64, options.transmission) * activation / strength);
        }
    }
    for (front.activation[0..front.count], front.received[0..front.count]) |*activation, *received| {
        activation.* = saturated(options.retain * activation.* + received.*);
        received.* = 0;
    }
}

inline fn pass(comptime T: type, front: *Front, graph: Graph, node: u32, passed: T) void {
    const first = graph.offsets[node];
    const end = graph.offsets[node + 1];
    for (graph.targets[first..end], graph.weights[first..end]) |target, weight| {
        front.received[front.placeOf(target)] += @floatCast(passed * weight);
    }
}

fn saturated(activation: f32) f32 {
    return @min(activation, std.math.floatMax(f32));
}

/// The sparse set of reached nodes with what each holds, by place in the set.
const Front = struct {
    place: []u32,
    member: []u32,
    activation: []f32,
    received: []f32,
    /// One bit a place; a word is cleared when its first place is taken.
    fired: []u32,
    count: usize = 0,

    fn init(frame: *arena_zig.Frame, nodes: usize) error{OutOfMemory}!Front {
        const front: Front = .{
            .place = try frame.alloc(u32, nodes),
            .member = try frame.alloc(u32, nodes),
            .activation = try frame.alloc(f32, nodes),
            .received = try frame.alloc(f32, nodes),
            .fired = try frame.alloc(u32, firedWords(nodes)),
        };
        // `place` is read before it is written, by design; memcheck must not take that for a mistake.
        std.valgrind.memcheck.makeMemDefined(std.mem.sliceAsBytes(front.place));
        return front;
    }

    inline fn placeOf(front: *Front, node: u32) usize {
        const place = front.place[node];
        if (place < front.count and front.member[place] == node) return place;
        return front.insert(node);
    }

    fn insert(front: *Front, node: u32) usize {
        const place = front.count;
        front.count += 1;
        front.place[node] = @intCast(place);
        front.member[place] = node;
        front.activation[place] = 0;
        front.received[place] = 0;
        if (place % 32 == 0) front.fired[place / 32] = 0;
        return place;
    }

    /// Whether this is the first time.
    fn fireOnce(front: *Front, place: usize) bool {
        const bit = @as(u32, 1) << @intCast(place % 32);
        const first = front.fired[place / 32] & bit == 0;
        front.fired[place / 32] |= bit;
        return first;
    }
};

const testing = std.testing;

const defaults: Options = .{
    .hops = 1,
    .fire = .every_hop,
    .weighting = .as_given,
    .threshold = 0,
    .retain = 0,
    .transmission = 1,
};

/// 0 -> 1, 2, 3 and 3 -> 0.
const star: Graph = .{
    .offsets = &.{ 0, 3, 3, 3, 4 },
    .targets = &.{ 1, 2, 3, 0 },
    .weights = &.{ 0.5, 0.25, 0.25, 2 },
    .out_strengths = &.{ 1, 0, 0, 2 },
};

fn expectActivation(options: Options, seeds: []const Seed, expected: [4]f32) !void {
    // Uncleared scratch may hold anything: all ones and small numbers are the dangerous kinds.
    for ([_]u8{ 0, 1, 3, 0xFF }) |dirt| {
        var bytes: [1024]u8 align(64) = @splat(dirt);
        var arena: Arena = .over(&bytes);
        defer arena.dissolve();
        var reached: [4]u32 = undefined;
        var activations: [4]f32 = undefined;
        const count = try spread(&arena, star, seeds, &options, &reached, &activations);
        var dense: [4]f32 = @splat(0);
        for (reached[0..count], activations[0..count]) |node, activation| dense[node] = activation;
        try testing.expectEqualSlices(f32, &expected, &dense);
        try testing.expectEqual(spreadNeed(4), arena.highWater());
        try testing.expectEqual(0, arena.cursor);
    }
}

test "one hop passes each weight's share to its target" {
    try expectActivation(defaults, &.{.{ .node = 0, .activation = 1 }}, .{ 0, 0.5, 0.25, 0.25 });
}

test "repeated seeds are summed, zero hops give the seeds back" {
    var options = defaults;
    options.hops = 0;
    const twice: Seed = .{ .node = 2, .activation = 0.75 };
    const seeds = [_]Seed{ twice, .{ .node = 0, .activation = 3 }, twice };
    try expectActivation(options, &seeds, .{ 3, 0, 1.5, 0 });
    try expectActivation(options, &.{}, .{ 0, 0, 0, 0 });
}

test "a node below the threshold passes nothing on and keeps what it retains" {
    var options = defaults;
    options.threshold = 0.25;
    options.retain = 0.5;
    options.hops = 2;
    // Hop 1: (0.5, 0.5, 0.25, 0.25). Hop 2: 0 and 3 fire, 1 and 2 have no edges.
    try expectActivation(options, &.{.{ .node = 0, .activation = 1 }}, .{ 0.75, 0.5, 0.25, 0.25 });
    options.threshold = 1.5;
    try expectActivation(options, &.{.{ .node = 0, .activation = 1 }}, .{ 0.25, 0, 0, 0 });
}

test "a node fires once, or at every hop" {
    var options = defaults;
    options.hops = 3;
    options.retain = 1;
    try expectActivation(options, &.{.{ .node = 0, .activation = 1 }}, .{ 2.5, 1.75, 0.875, 0.875 });
    options.fire = .once;
    // Hop 1: 0 fires. Hop 2: 3 fires 0.25 * 2 into 0. Hop 3: everyone has fired.
    try expectActivation(options, &.{.{ .node = 0, .activation = 1 }}, .{ 1.5, 0.5, 0.25, 0.25 });
}

test "a node of activation zero has not fired" {
    var options = defaults;
    options.hops = 2;
    options.retain = 1;
    options.fire = .once;
    // 0 is reached with nothing, then with 3's 2 * 1, which it passes on in hop 2.
    const seeds = [_]Seed{ .{ .node = 0, .activation = 0 }, .{ .node = 3, .activation = 1 } };
    try expectActivation(options, &seeds, .{ 2, 1, 0.5, 1.5 });
}

test "out-strength divides the weights, and a strength of zero passes nothing on" {
    var options = defaults;
    options.weighting = .by_out_strength;
    options.hops = 2;
    options.retain = 1;
    options.fire = .once;
    try expectActivation(
        options,
        &.{ .{ .node = 3, .activation = 1 }, .{ .node = 1, .activation = 2 } },
        .{ 1, 2.5, 0.25, 1.25 },
    );
}

test "the smallest and the largest weights share like any others" {
    for ([_]f32{ 0x1p-140, 0x1p126 }) |weight| for ([_]f32{ 8, 0x1p-20 }) |activation| {
        const shared: Graph = .{
            .offsets = &.{ 0, 3, 3, 3, 3 },
            .targets = &.{ 1, 2, 3 },
            .weights = &.{ weight, weight, 0 },
            .out_strengths = &.{ 2 * weight, 0, 0, 0 },
        };
        try expectHalves(shared, activation * 1.1);
    };
}

fn expectHalves(graph: Graph, activation: f32) !void {
    var options = defaults;
    options.weighting = .by_out_strength;
    var bytes: [1024]u8 align(64) = undefined;
    var arena: Arena = .over(&bytes);
    var reached: [4]u32 = undefined;
    var activations: [4]f32 = undefined;
    const seeds = [_]Seed{.{ .node = 0, .activation = activation }};
    try testing.expectEqual(4, try spread(&arena, graph, &seeds, &options, &reached, &activations));
    try testing.expectEqualSlices(f32, &.{ 0, activation / 2, activation / 2, 0 }, &activations);
}

test "activation saturates, and never becomes NaN" {
    var options = defaults;
    options.hops = 40;
    options.retain = 1e30;
    options.transmission = 1e30;
    const max = std.math.floatMax(f32);
    try expectActivation(options, &.{.{ .node = 0, .activation = max }}, .{ max, max, max, max });
    options.hops = 1;
    options.retain = 0;
    options.transmission = 0;
    const full = [_]Seed{.{ .node = 3, .activation = max }};
    try expectActivation(options, &full, .{ 0, 0, 0, 0 });
    // Twice the largest f32, but for the transmission.
    options.transmission = 0x1p-20;
    try expectActivation(options, &full, .{ max * 0x1p-19, 0, 0, 0 });
    options.transmission = 0x1p20;
    try expectActivation(options, &full, .{ max, 0, 0, 0 });
}

test "an arena one block short is out of memory and touches nothing" {
    var bytes: [1024]u8 align(64) = undefined;
    for ([_]usize{ 0, spreadNeed(4) - 64 }) |size| {
        var arena: Arena = .over(bytes[0..size]);
        var reached: [4]u32 = @splat(77);
        var activations: [4]f32 = @splat(77);
        const seeds = [_]Seed{.{ .node = 0, .activation = 1 }};
        try testing.expectError(error.OutOfMemory, spread(&arena, star, &seeds, &defaults, &reached, &activations));
        try testing.expectEqual(spreadNeed(4), arena.wanted);
        try testing.expectEqualSlices(u32, &.{ 77, 77, 77, 77 }, &reached);
        try testing.expectEqualSlices(f32, &.{ 77, 77, 77, 77 }, &activations);
    }
}

test "the need of a thousand nodes is 17 KB or less" {
    try testing.expect(spreadNeed(1000) <= 17 * 1024);
}
