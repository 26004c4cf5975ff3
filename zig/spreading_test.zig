//! Tests of spreading.zig.

const std = @import("std");
const Arena = @import("arena.zig").Arena;
const spreading = @import("spreading.zig");
const Graph = spreading.Graph;
const Options = spreading.Options;
const Past = spreading.Past;
const Result = spreading.Result;
const Seed = spreading.Seed;
const testing = std.testing;

const none = std.math.maxInt(u32);

const defaults: Options = .{
    .hops = 1,
    .fire = .every_hop,
    .weighting = .as_given,
    .aggregate = .sum,
    .budget = none,
    .fan_out_most = none,
    .threshold = 0,
    .retain = 0,
    .transmission = 1,
    .fan_strength = 0,
    .competitors = 0,
    .inhibition = 0,
    .steepness = 0,
    .midpoint = 0,
    .edges_most = std.math.maxInt(u64),
    .pause_after = 0,
    .relation_factors = null,
};

/// 0 -> 1, 2, 3 and 3 -> 0.
const star: Graph = .{
    .offsets = &.{ 0, 3, 3, 3, 4 },
    .targets = &.{ 1, 2, 3, 0 },
    .weights = &.{ 0.5, 0.25, 0.25, 2 },
    .out_strengths = &.{ 1, 0, 0, 2 },
};

fn expectActivation(options: Options, seeds: []const Seed, expected: [4]f32) !void {
    _ = try expectResult(options, seeds, expected);
}

fn expectResult(options: Options, seeds: []const Seed, expected: [4]f32) !Result {
    var result: Result = undefined;
    // Uncleared scratch may hold anything: all ones and small numbers are the dangerous kinds.
    for ([_]u8{ 0, 1, 3, 0xFF }) |dirt| {
        var bytes: [1024]u8 align(64) = @splat(dirt);
        var arena: Arena = .over(&bytes);
        defer arena.dissolve();
        var reached: [4]u32 = undefined;
        var activations: [4]f32 = undefined;
        result = try spreading.spread(&arena, star, seeds, &options, null, &reached, &activations);
        const count = result.reached_count;
        var dense: [4]f32 = @splat(0);
        for (reached[0..count], activations[0..count]) |node, activation| dense[node] = activation;
        try testing.expectEqualSlices(f32, &expected, &dense);
        try testing.expectEqual(spreading.spreadNeed(star, seeds, &options), arena.highWater());
        try testing.expectEqual(0, arena.cursor);
    }
    return result;
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
    const result = try spreading.spread(&arena, graph, &seeds, &options, null, &reached, &activations);
    try testing.expectEqual(4, result.reached_count);
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

test "the largest share counts alone, where that is how they are joined" {
    var options = defaults;
    options.aggregate = .max;
    options.hops = 2;
    options.retain = 0.5;
    // Hop 1: 0 keeps 1, or has 3's 2 * 1; 3 keeps 0.5, or has 0's 0.5. Hop 2: 0 keeps 1, or has 2 * 0.5.
    const seeds = [_]Seed{ .{ .node = 0, .activation = 2 }, .{ .node = 3, .activation = 1 } };
    try expectActivation(options, &seeds, .{ 1, 1, 0.5, 0.5 });
}

test "fan divides what a node has among one more than it has links, however heavy they are" {
    var options = defaults;
    options.weighting = .by_fan;
    options.fan_strength = 2;
    // 2 - ln 4 each.
    const shared: f32 = 2 - std.math.ln2 * 2;
    try expectActivation(options, &.{.{ .node = 0, .activation = 1 }}, .{ 0, shared, shared, shared });
    options.fan_strength = 1; // Below ln 4.
    try expectActivation(options, &.{.{ .node = 0, .activation = 1 }}, .{ 0, 0, 0, 0 });
}

test "the strongest edges alone are walked, ties by lower target, and shares are of all" {
    var options = defaults;
    options.fan_out_most = 2;
    options.weighting = .by_out_strength;
    try expectActivation(options, &.{.{ .node = 0, .activation = 8 }}, .{ 0, 4, 2, 0 });
    options.fan_out_most = 0;
    try expectActivation(options, &.{.{ .node = 0, .activation = 8 }}, .{ 0, 0, 0, 0 });
}

test "a relation's factor is on what its edges pass on, and a factor of 0 reaches nobody" {
    var factors: [256]f32 = @splat(1);
    factors[0] = 0;
    factors[7] = 0.5;
    var options = defaults;
    options.relation_factors = &factors;
    var typed = star;
    typed.relations = &.{ 0, 7, 255, 0 };
    var bytes: [1024]u8 align(64) = undefined;
    var arena: Arena = .over(&bytes);
    var reached: [4]u32 = undefined;
    var activations: [4]f32 = undefined;
    const seeds = [_]Seed{.{ .node = 0, .activation = 8 }};
    const result = try spreading.spread(&arena, typed, &seeds, &options, null, &reached, &activations);
    try testing.expectEqualSlices(u32, &.{ 0, 2, 3 }, reached[0..result.reached_count]);
    try testing.expectEqualSlices(f32, &.{ 0, 1, 2 }, activations[0..result.reached_count]);
    // Edges without relations are of relation 0.
    try expectActivation(options, &seeds, .{ 0, 0, 0, 0 });
}

test "the most active fires first, and what it passes on counts at once" {
    var options = defaults;
    options.fire = .best_first;
    options.retain = 1;
    options.hops = 9;
    const seeds = [_]Seed{ .{ .node = 0, .activation = 1 }, .{ .node = 3, .activation = 1.5 } };
    // 3 fires: 0 has 4. 0 fires: 1 has 2, 2 and 3 have one more. Then 1 and 2 fire, into nothing.
    var result = try expectResult(options, &seeds, .{ 4, 2, 1, 2.5 });
    try testing.expectEqual(Result{ .reached_count = 4, .edges = 4, .fired = 4 }, result);
    options.budget = 1;
    result = try expectResult(options, &seeds, .{ 4, 0, 0, 1.5 });
    try testing.expectEqual(Result{ .reached_count = 2, .edges = 1, .fired = 1, .stopped = .budget }, result);
    options.budget = 4; // As many as there are: nothing was left to fire.
    result = try expectResult(options, &seeds, .{ 4, 2, 1, 2.5 });
    try testing.expectEqual(.no, result.stopped);
    options.hops = 0;
    result = try expectResult(options, &seeds, .{ 1, 0, 0, 1.5 });
    try testing.expectEqual(0, result.fired);
}

test "of two that are as active the lower node fires first" {
    var options = defaults;
    options.fire = .best_first;
    options.budget = 1;
    const seeds = [_]Seed{ .{ .node = 3, .activation = 1 }, .{ .node = 0, .activation = 1 } };
    try expectActivation(options, &seeds, .{ 0, 0.5, 0.25, 1.25 });
}

test "no source is walked whose edges are more than the work that is left" {
    var options = defaults;
    options.hops = 3;
    options.retain = 1;
    const seeds = [_]Seed{ .{ .node = 3, .activation = 1 }, .{ .node = 0, .activation = 1 } };
    for ([_]spreading.Fire{ .every_hop, .once, .best_first }) |fire| {
        options.fire = fire;
        options.edges_most = 3;
        const expected: [4]f32 = if (fire == .best_first) .{ 1, 0.5, 0.25, 1.25 } else .{ 3, 0, 0, 1 };
        const result = try expectResult(options, &seeds, expected);
        try testing.expectEqual(.work, result.stopped);
        try testing.expect(result.edges <= 3);
        options.edges_most = 0;
        _ = try expectResult(options, &seeds, .{ 1, 0, 0, 1 });
    }
}

test "a spread goes on where it was left, by hops, with the bits of one that was not" {
    var options = defaults;
    options.fire = .once;
    options.retain = 1;
    options.hops = 3;
    var bytes: [1024]u8 align(64) = undefined;
    var arena: Arena = .over(&bytes);
    var reached: [4]u32 = .{ 0, undefined, undefined, undefined };
    var activations: [4]f32 = .{ 1, undefined, undefined, undefined };
    var count: usize = 1;
    var fired = [_]u32{0xFFFF_FFFE};
    options.hops = 1;
    for (0..3) |_| {
        var seeds: [4]Seed = undefined;
        for (seeds[0..count], reached[0..count], activations[0..count]) |*seed, node, activation|
            seed.* = .{ .node = node, .activation = activation };
        const past: Past = .{ .fired = &fired };
        const result = try spreading.spread(&arena, star, seeds[0..count], &options, past, &reached, &activations);
        count = result.reached_count;
    }
    try testing.expectEqualSlices(u32, &.{ 0, 1, 2, 3 }, &reached);
    try testing.expectEqualSlices(f32, &.{ 1.5, 0.5, 0.25, 0.25 }, &activations);
    try testing.expectEqual(0b1111, fired[0]);
}

test "an arena one block short is out of memory and touches nothing" {
    var bytes: [1024]u8 align(64) = undefined;
    const seeds = [_]Seed{.{ .node = 0, .activation = 1 }};
    for ([_]spreading.Fire{ .once, .every_hop, .best_first }) |fire| for ([_]usize{ 0, 64 }) |size| {
        var options = defaults;
        options.fire = fire;
        const need = spreading.spreadNeed(star, &seeds, &options);
        var arena: Arena = .over(bytes[0..if (size == 0) 0 else need - size]);
        var reached: [4]u32 = @splat(77);
        var activations: [4]f32 = @splat(77);
        var fired = [_]u32{77};
        var distances: [4]u16 = @splat(77);
        const past: Past = .{ .fired = &fired, .distances = &distances };
        const refusal = spreading.spread(&arena, star, &seeds, &options, past, &reached, &activations);
        try testing.expectError(error.OutOfMemory, refusal);
        try testing.expectEqual(need, arena.wanted);
        try testing.expectEqualSlices(u32, &.{ 77, 77, 77, 77 }, &reached);
        try testing.expectEqualSlices(f32, &.{ 77, 77, 77, 77 }, &activations);
        try testing.expectEqual(77, fired[0]);
        try testing.expectEqualSlices(u16, &.{ 77, 77, 77, 77 }, &distances);
    };
}

/// A ring in which each node is linked with the next three.
fn ring(comptime nodes: u32) struct { [nodes + 1]u32, [3 * nodes]u32, [3 * nodes]f32 } {
    var offsets: [nodes + 1]u32 = undefined;
    var targets: [3 * nodes]u32 = undefined;
    var weights: [3 * nodes]f32 = undefined;
    for (&offsets, 0..) |*offset, i| offset.* = @intCast(3 * i);
    for (&targets, &weights, 0..) |*target, *weight, i| {
        target.* = @intCast((i / 3 + i % 3 + 1) % nodes);
        weight.* = 1 / @as(f32, @floatFromInt(1 + i % 7));
    }
    return .{ offsets, targets, weights };
}

test "few nodes of many need scratch for those few, and have the same bits" {
    const nodes = 6000;
    const offsets, const targets, const weights = ring(nodes);
    const graph: Graph = .{ .offsets = &offsets, .targets = &targets, .weights = &weights };
    const bytes = try testing.allocator.alignedAlloc(u8, .@"64", 256 << 10);
    defer testing.allocator.free(bytes);
    const seeds = [_]Seed{ .{ .node = 5999, .activation = 1 }, .{ .node = 77, .activation = 2 } };
    for ([_]spreading.Fire{ .once, .every_hop, .best_first }) |fire| {
        var options = defaults;
        options.hops = 4;
        options.retain = 1;
        options.fire = fire;
        var found: [2][nodes]u32 = undefined;
        var active: [2][nodes]f32 = undefined;
        var counts: [2]usize = undefined;
        for ([_]u64{ std.math.maxInt(u64), 200 }, 0..) |edges_most, i| {
            options.edges_most = edges_most;
            @memset(bytes, 3);
            var arena: Arena = .over(bytes);
            const result = try spreading.spread(&arena, graph, &seeds, &options, null, &found[i], &active[i]);
            counts[i] = result.reached_count;
            try testing.expectEqual(.no, result.stopped);
            try testing.expectEqual(spreading.spreadNeed(graph, &seeds, &options), arena.highWater());
            if (i == 1) try testing.expect(arena.highWater() <= 8 << 10);
            arena.dissolve();
        }
        try testing.expectEqualSlices(u32, found[0][0..counts[0]], found[1][0..counts[1]]);
        try testing.expectEqualSlices(f32, active[0][0..counts[0]], active[1][0..counts[1]]);
    }
}

const Whole = struct {
    reached: [nodes]u32 = undefined,
    activations: [nodes]f32 = undefined,
    result: Result = .{},

    const nodes = 600;

    fn count(whole: *const Whole) usize {
        return whole.result.reached_count;
    }
};

/// Part by part, each in an arena full of `dirt`, until one does not pause.
fn inParts(graph: Graph, seeds: []const Seed, options: Options, dirt: u8) !Whole {
    var whole: Whole = .{};
    var fired: [spreading.firedWords(Whole.nodes)]u32 = @splat(0);
    var distances: [Whole.nodes]u16 = @splat(0);
    var given: [Whole.nodes]Seed = undefined;
    @memcpy(given[0..seeds.len], seeds);
    var left = options;
    var parts: usize = 0;
    whole.result.reached_count = seeds.len;
    while (true) : (parts += 1) {
        var bytes: [32 << 10]u8 align(64) = @splat(dirt);
        var arena: Arena = .over(&bytes);
        defer arena.dissolve();
        const past: Past = .{ .fired = &fired, .distances = &distances };
        const from = given[0..whole.count()];
        const part = try spreading.spread(&arena, graph, from, &left, past, &whole.reached, &whole.activations);
        whole.result = .{
            .reached_count = part.reached_count,
            .edges = whole.result.edges + part.edges,
            .fired = whole.result.fired + part.fired,
            .stopped = part.stopped,
        };
        var bits: u64 = 0;
        for (fired[0..spreading.firedWords(part.reached_count)]) |word| bits += @popCount(word);
        try testing.expectEqual(whole.result.fired, bits);
        if (part.stopped != .paused) break;
        try testing.expect(part.edges + part.fired >= options.pause_after);
        left.budget = @intCast(options.budget - whole.result.fired);
        left.edges_most = options.edges_most - whole.result.edges;
        const count = whole.count();
        for (given[0..count], whole.reached[0..count], whole.activations[0..count]) |*seed, node, activation|
            seed.* = .{ .node = node, .activation = activation };
    }
    // It pauses where more would fire.
    const last = @intFromBool(whole.result.stopped == .no);
    if (options.pause_after == 1) try testing.expectEqual(whole.result.fired -| last, parts);
    return whole;
}

test "the most active first goes on where it paused, in parts of any size, with the bits of one" {
    const offsets, const targets, const weights = ring(Whole.nodes);
    const graph: Graph = .{ .offsets = &offsets, .targets = &targets, .weights = &weights };
    const seeds = [_]Seed{ .{ .node = 599, .activation = 1 }, .{ .node = 77, .activation = 2 } };
    var options = defaults;
    options.fire = .best_first;
    options.retain = 0.75;
    options.competitors = 3;
    options.inhibition = 0.125;
    for ([_]spreading.Aggregate{ .sum, .max }) |aggregate| for ([_]u32{ 0, 3, 90 }) |hops| {
        options.aggregate = aggregate;
        options.hops = hops;
        for ([_]u32{ 37, none }) |budget| for ([_]u64{ 50, 700, std.math.maxInt(u64) }) |edges_most| {
            options.budget = budget;
            options.edges_most = edges_most;
            try expectPartsAlike(graph, &seeds, options);
        };
    };
}

fn expectPartsAlike(graph: Graph, seeds: []const Seed, given: Options) !void {
    const whole = try inParts(graph, seeds, given, 0);
    const count = whole.count();
    const bits: []const u32 = @ptrCast(whole.activations[0..count]);
    for ([_]u64{ 1, 2, 3, 7, 64, 1000 }) |pause_after| {
        var options = given;
        options.pause_after = pause_after;
        const found = try inParts(graph, seeds, options, @truncate(pause_after));
        try testing.expectEqual(whole.result, found.result);
        try testing.expectEqualSlices(u32, whole.reached[0..count], found.reached[0..count]);
        try testing.expectEqualSlices(u32, bits, @ptrCast(found.activations[0..count]));
    }
}

test "the need of a thousand nodes is 17 KB or less, with what they are told in" {
    const offsets, const targets, const weights = ring(1000);
    const graph: Graph = .{ .offsets = &offsets, .targets = &targets, .weights = &weights };
    var options = defaults;
    options.hops = 3;
    const told = 1000 * (@sizeOf(u32) + @sizeOf(f32));
    const seeds = [_]Seed{.{ .node = 0, .activation = 1 }};
    try testing.expectEqual(1000, spreading.spreadMost(graph, &seeds, &options));
    try testing.expect(spreading.spreadNeed(graph, &seeds, &options) + told <= 17 * 1024);
    options.fire = .best_first;
    try testing.expectEqual(1000, spreading.spreadMost(graph, &seeds, &options));
    try testing.expect(spreading.spreadNeed(graph, &seeds, &options) <= 14 * 1024 + 512);
}
