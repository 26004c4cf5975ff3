//! Personalised PageRank by forward push (Andersen, Chung and Lang 2006), without their lazy half step: while a node u
//! holds a residual r_u above epsilon times the number of its edges (1, where it has none), first come first served,
//!
//!     p_u += alpha * r_u,   r_v += (1 - alpha) * r_u * w_uv / (sum of u's weights),   r_u = 0
//!
//! A node whose weights sum to 0 leads nowhere: its share goes back to the seeds, or evenly to all nodes. What is
//! shared evenly is kept as one sum, until it would make a node push; then pushing is no longer the way, and stops.
//!
//! The sum of all p, all r and what is shared evenly is 1 at any time, and the exact rank of v is p_v and what all
//! residuals would still bring it: never less than p_v, and no more than the sum of residuals above it, for one node
//! as for all together. Sums are f64; estimates are told in f32, rounded down.

const std = @import("std");
const arena_zig = @import("arena.zig");
const reach_zig = @import("reach.zig");
const simd = @import("simd.zig");
const spreading = @import("spreading.zig");
const Arena = arena_zig.Arena;
const Graph = spreading.Graph;
const Seed = spreading.Seed;

pub const Dangling = enum(u32) { to_seeds = 0, evenly = 1 };

/// ecp_push_options of ecphory.h.
pub const Options = extern struct {
    alpha: f64,
    epsilon: f64,
    edges_most: u64,
    dangling: Dangling,
    reserved: u32 = 0,
};

/// ecp_push_result of ecphory.h.
pub const Result = extern struct {
    reached_count: usize = 0,
    edges: u64 = 0,
    /// What any rank, and all together, may have beyond the estimates as they are told, but for what is shared evenly.
    residual: f64 = 0,
    evenly: f64 = 0,
    stopped: spreading.Stopped = .no,
    reserved: u32 = 0,
};

/// What every edge into a node asks for, on one line of the cache.
const Node = extern struct {
    residual: f64,
    node: u32,
    /// Above which it pushes; infinite while it waits for its turn.
    limit: f32,
};

/// In exact arithmetic no more than 1 / (alpha * epsilon) edges are walked: each of those of a node takes alpha *
/// epsilon from the residuals, whose sum begins at 1. A hundredth more is for rounding; where that comes to more still,
/// pushing stops, for there is scratch for no more.
fn edgesMost(options: *const Options) u64 {
    const bound = 1.01 / (options.alpha * options.epsilon) + 1;
    const walked: u64 = if (bound < 0x1p53) @trunc(bound) else std.math.maxInt(u64);
    return @min(options.edges_most, walked);
}

pub fn shapeOf(graph: Graph, seeds: []const Seed, options: *const Options) reach_zig.Shape {
    return .{ .nodes = graph.nodes(), .most = @min(graph.nodes(), seeds.len +| edgesMost(options)) };
}

fn needOf(shape: reach_zig.Shape) usize {
    return shape.needWith(Node) +| arena_zig.sizeOf(f64, shape.most) +| arena_zig.sizeOf(u32, shape.most);
}

pub fn pushNeed(graph: Graph, seeds: []const Seed, options: *const Options) usize {
    return needOf(shapeOf(graph, seeds, options));
}

/// Every node reached, in the order reached, its estimate p and its residual r. The three hold [nodes]. OutOfMemory
/// leaves them as they were.
pub fn push(
    arena: *Arena,
    graph: Graph,
    seeds: []const Seed,
    options: *const Options,
    reached: []u32,
    estimates: []f32,
    residuals: []f32,
) error{OutOfMemory}!Result {
    const shape = shapeOf(graph, seeds, options);
    var frame = try arena.frame(needOf(shape));
    defer frame.close();
    return switch (shape.kind()) {
        inline else => |kind| {
            var run: Run(kind) = .{
                .reach = try .init(&frame, shape),
                .estimate = try frame.alloc(f64, shape.most),
                .queue = try frame.alloc(u32, shape.most),
                .graph = graph,
                .options = options,
                .epsilon = below(1, .{options.epsilon * (1 - 0x1p-22)})[0],
            };
            run.all(seeds);
            run.tell(reached, estimates, residuals);
            return run.result;
        },
    };
}

/// The largest f32 that is not above each value, which is no less than 0. Without a branch, which would be taken by
/// chance.
inline fn below(comptime n: usize, values: @Vector(n, f64)) @Vector(n, f32) {
    const nearest: @Vector(n, f32) = @floatCast(values);
    const next: @Vector(n, f32) = @bitCast(@as(@Vector(n, u32), @bitCast(nearest)) -% @as(@Vector(n, u32), @splat(1)));
    return @select(f32, @as(@Vector(n, f64), nearest) > values, next, nearest);
}

fn Run(comptime kind: reach_zig.Kind) type {
    return struct {
        reach: reach_zig.Reach(kind, Node),
        /// By place, apart from what edges ask for.
        estimate: []f64,
        /// A ring of places: each waits once at most.
        queue: []u32,
        first: usize = 0,
        waiting: usize = 0,
        graph: Graph,
        options: *const Options,
        /// So much less than it is that no limit is above it times edges: f32 rounds that, and those.
        epsilon: f32,
        result: Result = .{},

        const Self = @This();

        fn all(run: *Self, seeds: []const Seed) void {
            var sum: f64 = 0;
            for (seeds) |seed| sum += seed.activation;
            const options = run.options;
            for (seeds) |seed| run.give(seed.node, seed.activation / sum);
            const edges_most = edgesMost(options);
            // Those that lead on: none of the others, back to the seeds, leads to a node that is new.
            var edges: u64 = 0;
            const even_most = options.epsilon * @as(f64, @floatFromInt(run.graph.nodes()));
            while (run.waiting > 0) {
                const place = run.queue[run.first];
                const node = &run.reach.member[place];
                const first, const end = .{ run.graph.offsets[node.node], run.graph.offsets[node.node + 1] };
                const strength = run.graph.out_strengths[node.node];
                const dangling = strength == 0;
                const walked: u64, const back: u64 = if (dangling) .{ 0, seeds.len } else .{ end - first, 0 };
                const all_walked = run.result.edges + walked + back;
                if (all_walked > options.edges_most or edges + walked > edges_most or run.result.evenly > even_most) {
                    run.result.stopped = .work;
                    return;
                }
                run.result.edges = all_walked;
                edges += walked;
                run.first = if (run.first + 1 == run.queue.len) 0 else run.first + 1;
                run.waiting -= 1;
                if (run.reach.isFar()) run.prefetchSoon();
                node.limit = run.limitOf(end - first);
                const held = node.residual;
                node.residual = 0;
                run.estimate[place] += options.alpha * held;
                const rest = (1 - options.alpha) * held;
                if (!dangling) {
                    run.giveAll(rest / strength, first, end);
                } else if (options.dangling == .to_seeds) {
                    for (seeds) |seed| run.give(seed.node, rest * (seed.activation / sum));
                } else {
                    run.result.evenly += rest;
                }
            }
            if (run.result.evenly > even_most) run.result.stopped = .work;
        }

        /// No estimate is told to be more than it is: what that leaves out counts as residual.
        fn tell(run: *Self, reached: []u32, estimates: []f32, residuals: []f32) void {
            const count = run.reach.count;
            var left: f64 = 0;
            for (run.reach.member[0..count], reached[0..count], residuals[0..count]) |node, *its, *residual| {
                its.* = node.node;
                residual.* = @floatCast(node.residual);
                left += node.residual;
            }
            const n = simd.lanes;
            var told: [2]@Vector(n, f64) = @splat(@splat(0));
            var place: usize = 0;
            while (place < count) : (place += n) {
                const end = @min(count, place + n);
                var some: [n]f64 = @splat(0);
                if (end == place + n) some = run.estimate[place..][0..n].* else for (place..end, 0..) |from, lane| {
                    some[lane] = run.estimate[from];
                }
                const down: [n]f32 = below(n, some);
                if (end == place + n) estimates[place..][0..n].* = down else for (place..end, 0..) |to, lane| {
                    estimates[to] = down[lane];
                }
                told[0] += @as(@Vector(n, f32), down);
                told[1] += @as(@Vector(n, f64), some) - @as(@Vector(n, f32), down);
            }
            run.result.reached_count = count;
            // Of ranks that add up to 1 none has more beyond its estimate than all estimates lack.
            run.result.residual = @max(left + simd.sum(told[1]), 1 - simd.sum(told[0]) - run.result.evenly);
        }

        /// Apart, so that all it needs stays in registers.
        noinline fn giveAll(run: *Self, scale: f64, first: usize, end: usize) void {
            const targets = run.graph.targets[first..end];
            const weights = run.graph.weights[first..end];
            var reach = run.reach;
            const far = reach.isFar();
            if (far) for (targets[0..@min(targets.len, ahead / 2)]) |target| reach.prefetchMember(target);
            for (targets, weights, 0..) |target, weight, i| {
                if (far and i + ahead < targets.len) {
                    reach.prefetch(targets[i + ahead]);
                    @prefetch(&run.graph.offsets[targets[i + ahead]], .{});
                    reach.prefetchMember(targets[i + ahead / 2]);
                }
                const amount = scale * weight;
                if (reach.find(target)) |place| {
                    const node = &reach.member[place];
                    node.residual += amount;
                    if (node.residual > node.limit) run.wait(place);
                } else {
                    run.give(target, amount);
                    reach.count = run.reach.count;
                }
            }
        }

        const ahead = 16;

        /// Asks for what the nodes whose turn comes soon need: of the third where its edges are, of the second those,
        /// of the next where they lead.
        inline fn prefetchSoon(run: *const Self) void {
            if (run.nodeAfter(2)) |node| {
                @prefetch(&run.graph.offsets[node], .{});
                @prefetch(&run.graph.out_strengths[node], .{});
            }
            if (run.nodeAfter(1)) |node| {
                const edge = run.graph.offsets[node];
                @prefetch(run.graph.targets.ptr + edge, .{});
                @prefetch(run.graph.weights.ptr + edge, .{});
            }
            const node = run.nodeAfter(0) orelse return;
            const first, const end = .{ run.graph.offsets[node], run.graph.offsets[node + 1] };
            for (run.graph.targets[first..@min(end, first + ahead)]) |target| {
                run.reach.prefetch(target);
                @prefetch(&run.graph.offsets[target], .{});
            }
        }

        /// The one whose turn comes after so many others.
        inline fn nodeAfter(run: *const Self, others: usize) ?u32 {
            if (others >= run.waiting) return null;
            const at = run.first + others;
            return run.reach.member[run.queue[if (at >= run.queue.len) at - run.queue.len else at]].node;
        }

        noinline fn give(run: *Self, target: u32, amount: f64) void {
            const put = run.reach.put(target);
            const node = &run.reach.member[put.place];
            if (put.new) {
                const limit = run.limitOf(run.graph.degree(target));
                node.* = .{ .residual = amount, .node = target, .limit = limit };
                run.estimate[put.place] = 0;
                if (amount > limit) run.wait(put.place);
            } else {
                node.residual += amount;
                if (node.residual > node.limit) run.wait(put.place);
            }
        }

        inline fn wait(run: *Self, place: usize) void {
            const last = run.first + run.waiting;
            run.queue[if (last >= run.queue.len) last - run.queue.len else last] = @intCast(place);
            run.waiting += 1;
            run.reach.member[place].limit = std.math.inf(f32);
        }

        fn limitOf(run: *const Self, degree: u32) f32 {
            return run.epsilon * @as(f32, @floatFromInt(@max(degree, 1)));
        }
    };
}
