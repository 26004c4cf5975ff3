//! Spreading activation over a CSR graph, in synchronous hops (Collins and Loftus 1975; constraints as in Crestani
//! 1997):
//!
//!     a'_v = retain * a_v + transmission * sum over u of f(a_u) * s_uv,   f(a) = a where a >= threshold, else 0
//!
//! or, with `max`, a'_v = max(retain * a_v, transmission * max over u of f(a_u) * s_uv). s_uv is, times the factor of
//! the edge's relation, w_uv; with `by_out_strength` w_uv divided by the sum of u's weights, where a source whose
//! weights sum to 0 passes nothing on; with `by_fan` S - ln(out-degree of u + 1), no less than 0, whatever w_uv is
//! (ACT-R). With `fire = once` a node's f is 0 after the first hop in which it fired. Activation saturates at the
//! largest f32.
//!
//! With `fire = best_first` there are no hops in step: of the nodes that have not fired and reach the threshold the
//! most active fires, ties by lower node, and what it passes on is there at once. A node's distance from a seed over
//! nodes that fired is its hop.
//!
//! Only reached nodes are looked at, in the order in which they were reached, so every sum is taken in one fixed order.
//! What a node receives in a hop is one chain of f32: of n edges, none of which passes on less than 0, the sum is off
//! by no more than n * 2^-24 of it, beside the rounding of what each passes on.

const std = @import("std");
const arena_zig = @import("arena.zig");
const fan_out = @import("fan_out.zig");
const hops_zig = @import("hops.zig");
const inhibition_zig = @import("inhibition.zig");
const queue_zig = @import("queue.zig");
const reach_zig = @import("reach.zig");
const simd = @import("simd.zig");
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
    out_strengths: []const f32 = &.{},
    /// [offsets[nodes]], or none: all edges are of relation 0.
    relations: []const u8 = &.{},

    pub fn nodes(graph: Graph) usize {
        return graph.offsets.len - 1;
    }

    pub inline fn degree(graph: Graph, node: u32) u32 {
        return graph.offsets[node + 1] - graph.offsets[node];
    }
};

/// ecp_seed of ecphory.h.
pub const Seed = extern struct { node: u32, activation: f32 };

pub const Fire = enum(u32) { once = 0, every_hop = 1, best_first = 2 };
pub const Weighting = enum(u32) { as_given = 0, by_out_strength = 1, by_fan = 2 };
pub const Aggregate = enum(u32) { sum = 0, max = 1 };
pub const Stopped = enum(u32) { no = 0, work = 1, budget = 2, paused = 3 };

/// ecp_spread_options of ecphory.h.
pub const Options = extern struct {
    hops: u32,
    fire: Fire,
    weighting: Weighting,
    aggregate: Aggregate,
    budget: u32,
    fan_out_most: u32,
    threshold: f32,
    retain: f32,
    transmission: f32,
    fan_strength: f32,
    competitors: u32,
    inhibition: f32,
    steepness: f32,
    midpoint: f32,
    edges_most: u64,
    pause_after: u64,
    relation_factors: ?*const [256]f32,

    pub fn inhibits(options: *const Options) inhibition_zig.Inhibition {
        return .{
            .competitors = options.competitors,
            .strength = options.inhibition,
            .steepness = options.steepness,
            .midpoint = options.midpoint,
        };
    }
};

/// ecp_spread_result of ecphory.h.
pub const Result = extern struct {
    reached_count: usize = 0,
    edges: u64 = 0,
    fired: u64 = 0,
    stopped: Stopped = .no,
    reserved: u32 = 0,
};

/// How many nodes a call can reach: its seeds, and no more than the edges that it may pass activation over.
pub fn shapeOf(graph: Graph, seeds: []const Seed, options: *const Options) reach_zig.Shape {
    const edges = @min(options.edges_most, edgesOf(graph, seeds, options));
    return .{ .nodes = graph.nodes(), .most = @min(graph.nodes(), seeds.len +| edges) };
}

/// So many edges lie within the hops, the cap on each node's and the budget of nodes that fire.
fn edgesOf(graph: Graph, seeds: []const Seed, options: *const Options) u64 {
    if (options.hops == 0) return 0;
    var near: u64 = 0;
    for (seeds) |seed| near +|= @min(graph.degree(seed.node), options.fan_out_most);
    if (options.hops == 1) return near;
    const of_each: u64 = options.fan_out_most;
    if (options.fire == .best_first) return options.budget *| of_each;
    var edges = near;
    var of_hop = near;
    for (1..options.hops) |_| {
        of_hop *|= of_each;
        edges +|= of_hop;
        // Hops may be many; those of no edges, or of more than there are, tell no more.
        if (of_hop == 0 or edges >= graph.targets.len) break;
    }
    return edges;
}

/// How many nodes `spread` writes at most.
pub fn spreadMost(graph: Graph, seeds: []const Seed, options: *const Options) usize {
    return shapeOf(graph, seeds, options).most;
}

pub fn spreadNeed(graph: Graph, seeds: []const Seed, options: *const Options) usize {
    return needOf(shapeOf(graph, seeds, options), options.fire);
}

fn needOf(shape: reach_zig.Shape, fire: Fire) usize {
    return shape.needApart() +| switch (fire) {
        .once, .every_hop => hops_zig.need(shape.most),
        .best_first => queue_zig.need(shape.most) +| arena_zig.sizeOf(u16, shape.most),
    };
}

pub fn firedWords(nodes: usize) usize {
    return nodes / 32 + @intFromBool(nodes % 32 != 0);
}

/// What has become of each seed, and then of each node reached, so that a spread goes on where another one ended.
pub const Past = struct {
    /// One bit for each: whether it has fired.
    fired: []u32,
    /// By how many edges it is from a seed that was; read and written with `best_first` alone.
    distances: []u16 = &.{},

    fn hasFired(past: *const Past, place: usize) bool {
        return past.fired[place / 32] >> @intCast(place % 32) & 1 != 0;
    }
};

/// Every node reached, in the order reached, and its activation. `reached` and `activations` hold [spreadMost], and so
/// many nodes holds `past`: what is found is worked out in there. OutOfMemory leaves them as they were.
pub fn spread(
    arena: *Arena,
    graph: Graph,
    seeds: []const Seed,
    options: *const Options,
    past: ?Past,
    reached: []u32,
    activations: []f32,
) error{OutOfMemory}!Result {
    const shape = shapeOf(graph, seeds, options);
    var frame = try arena.frame(needOf(shape, options.fire));
    defer frame.close();
    return switch (shape.kind()) {
        inline else => |kind| if (options.fire == .best_first)
            BestFirst(kind).spread(&frame, shape, graph, seeds, options, past, reached, activations)
        else
            hops_zig.Hops(kind).spread(&frame, shape, graph, seeds, options, past, reached, activations),
    };
}

/// What one source passes to each of its targets: `scale` times a weight, over `edges`.
pub const Firing = struct {
    scale: f64,
    first: u32,
    end: u32,

    /// None where it passes nothing on.
    pub inline fn of(graph: Graph, node: u32, activation: f32, options: *const Options) ?Firing {
        const share: f64 = switch (options.weighting) {
            .as_given => 1,
            .by_out_strength => if (graph.out_strengths[node] == 0) return null else graph.out_strengths[node],
            .by_fan => blk: {
                const factor = fanFactor(options.fan_strength, graph.degree(node));
                break :blk if (factor <= 0) return null else 1 / factor;
            },
        };
        const scale = @as(f64, options.transmission) * activation / share;
        return .{ .scale = scale, .first = graph.offsets[node], .end = graph.offsets[node + 1] };
    }

    /// Gives each target its amount, in the order of edges.
    pub inline fn pass(firing: Firing, graph: Graph, options: *const Options, sink: anytype) void {
        const len = firing.end - firing.first;
        const some = options.fan_out_most < len or options.relation_factors != null;
        if (some or options.weighting == .by_fan) return firing.passSome(graph, options, sink);
        const scale: f32 = @floatCast(firing.scale);
        if (std.math.isNormal(scale)) {
            firing.passAll(f32, scale, graph, sink);
        } else {
            // Beyond f32, or below where it has all its digits; the products with the weights need not be.
            firing.passAll(f64, firing.scale, graph, sink);
        }
    }

    inline fn passAll(firing: Firing, comptime T: type, scale: T, graph: Graph, sink: anytype) void {
        sink.giveAll(T, scale, graph.targets[firing.first..firing.end], graph.weights[firing.first..firing.end]);
    }

    noinline fn passSome(firing: Firing, graph: Graph, options: *const Options, sink: anytype) void {
        const edges: fan_out.Edges = .of(graph, firing.first, firing.end, options.relation_factors);
        var cut: fan_out.Cut = .of(edges, options.fan_out_most);
        for (edges.targets, 0..) |target, i| {
            const factor = edges.factor(i);
            const strength = edges.strength(i);
            if (factor == 0 or !cut.admits(strength)) continue; // A relation that carries nothing reaches nobody.
            const carried = if (options.weighting == .by_fan) factor else strength;
            sink.give(target, @floatCast(firing.scale * carried));
        }
    }
};

/// S - ln fan of ACT-R (Anderson 2007): a node's own chunk counts, so its fan is its out-degree and one.
pub fn fanFactor(strength: f32, degree: u32) f64 {
    const fan = @as(f64, degree) + 1;
    return strength - simd.log2(simd.splat(fan))[0] * std.math.ln2;
}

pub fn saturated(activation: f32) f32 {
    return @min(activation, std.math.floatMax(f32));
}

pub inline fn joined(comptime aggregate: Aggregate, a: f32, b: f32) f32 {
    return if (aggregate == .sum) a + b else @max(a, b);
}

/// Whether one more source may be walked.
pub inline fn fits(result: *Result, options: *const Options, firing: Firing) bool {
    const edges = result.edges + (firing.end - firing.first);
    if (edges > options.edges_most) return false;
    result.edges = edges;
    return true;
}

/// No hops in step: the most active fires, and its neighbours have it at once.
fn BestFirst(comptime kind: reach_zig.Kind) type {
    return struct {
        reach: reach_zig.Reach(kind, u32),
        activation: []f32,
        /// By how many edges from a seed.
        hop: []u16,
        queue: queue_zig.Queue,
        options: *const Options,

        const Self = @This();

        fn spread(
            frame: *arena_zig.Frame,
            shape: reach_zig.Shape,
            graph: Graph,
            seeds: []const Seed,
            options: *const Options,
            past: ?Past,
            reached: []u32,
            activations: []f32,
        ) error{OutOfMemory}!Result {
            var front: Self = .{
                .reach = try .over(frame, shape, reached[0..shape.most]),
                .activation = activations[0..shape.most],
                .hop = try frame.alloc(u16, shape.most),
                .queue = try .init(frame, shape.most),
                .options = options,
            };
            if (past) |before| front.recall(seeds, &before) else {
                for (seeds) |seed| front.receive(.sum, seed.node, seed.activation, 0);
            }
            var result: Result = .{};
            switch (options.aggregate) {
                inline else => |aggregate| front.run(aggregate, graph, &result),
            }
            if (result.stopped != .paused) options.inhibits().apply(front.activation[0..front.reach.count]);
            result.reached_count = front.reach.count;
            if (past) |after| front.tell(&after);
            return result;
        }

        /// Takes seeds for what was reached before. Which of them wait follows from that.
        fn recall(front: *Self, seeds: []const Seed, before: *const Past) void {
            for (seeds, 0..) |seed, i| {
                if (!before.hasFired(i)) {
                    front.receive(.sum, seed.node, seed.activation, before.distances[i]);
                    continue;
                }
                const place = front.reach.put(seed.node).place;
                front.activation[place] = seed.activation;
                front.hop[place] = before.distances[i];
                front.queue.exclude(place);
            }
        }

        fn tell(front: *const Self, after: *const Past) void {
            const count = front.reach.count;
            @memcpy(after.distances[0..count], front.hop[0..count]);
            @memset(after.fired[0..firedWords(count)], 0);
            for (0..count) |place| {
                if (front.queue.isGone(place)) after.fired[place / 32] |= @as(u32, 1) << @intCast(place % 32);
            }
        }

        fn run(front: *Self, comptime aggregate: Aggregate, graph: Graph, result: *Result) void {
            const options = front.options;
            while (front.queue.first()) |place| {
                if (options.pause_after != 0 and result.edges + result.fired >= options.pause_after) {
                    result.stopped = .paused;
                    return;
                }
                if (result.fired == options.budget) {
                    result.stopped = .budget;
                    return;
                }
                const activation = front.activation[place];
                const firing = Firing.of(graph, front.reach.member[place], activation, options);
                if (firing) |some| if (!fits(result, options, some)) {
                    result.stopped = .work;
                    return;
                };
                front.queue.take(front.activation, front.reach.member);
                result.fired += 1;
                front.activation[place] = saturated(options.retain * activation);
                const sink: Sink(aggregate) = .{ .front = front, .hop = front.hop[place] + 1 };
                if (firing) |some| some.pass(graph, options, sink);
            }
        }

        fn Sink(comptime aggregate: Aggregate) type {
            return struct {
                front: *Self,
                hop: u16,

                inline fn give(sink: @This(), target: u32, amount: f32) void {
                    sink.front.receive(aggregate, target, amount, sink.hop);
                }

                fn giveAll(
                    sink: @This(),
                    comptime T: type,
                    scale: T,
                    targets: []const u32,
                    weights: []const f32,
                ) void {
                    for (targets, weights) |target, weight| sink.give(target, @floatCast(scale * weight));
                }
            };
        }

        fn receive(front: *Self, comptime aggregate: Aggregate, node: u32, amount: f32, hop: u16) void {
            const put = front.reach.put(node);
            const place = put.place;
            if (put.new) {
                front.activation[place] = 0;
                front.hop[place] = hop;
                front.queue.welcome(place);
            }
            const activation = saturated(joined(aggregate, front.activation[place], amount));
            front.activation[place] = activation;
            if (front.queue.isGone(place)) return;
            front.hop[place] = @min(front.hop[place], hop);
            const fires = activation > 0 and activation >= front.options.threshold;
            if (fires and front.hop[place] < front.options.hops)
                front.queue.rise(@intCast(place), front.activation, front.reach.member);
        }
    };
}
