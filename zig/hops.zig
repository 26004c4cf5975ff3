//! Hops in step: what is received in one is there in the next. See spreading.zig.
//!
//! While few edges are walked, what a node has received in a hop stands at its place, which a sparse set knows
//! (reach.zig). From the first hop whose edges are many beside the nodes of the graph it stands at the node: one read
//! of memory for an edge, where a place takes two more before it. Either way a sum is taken in the order of edges, so
//! its bits are the same.

const std = @import("std");
const arena_zig = @import("arena.zig");
const reach_zig = @import("reach.zig");
const simd = @import("simd.zig");
const spreading = @import("spreading.zig");
const Aggregate = spreading.Aggregate;
const Firing = spreading.Firing;
const Graph = spreading.Graph;
const Options = spreading.Options;
const Past = spreading.Past;
const Result = spreading.Result;
const Seed = spreading.Seed;
const firedWords = spreading.firedWords;
const joined = spreading.joined;
const saturated = spreading.saturated;

pub fn need(most: usize) usize {
    return arena_zig.sizeOf(f32, most) +| arena_zig.sizeOf(u32, firedWords(most));
}

/// What a node holds that is not reached. What is received is never below 0.
const unreached: f32 = -1;

pub fn Hops(comptime kind: reach_zig.Kind) type {
    return struct {
        reach: reach_zig.Reach(kind, u32),
        activation: []f32,
        /// By place, until `by_node` is there.
        received: []f32,
        /// [nodes], what each has received in this hop, in the memory of slots, which are needed no longer.
        by_node: if (kind == .direct) ?[]f32 else void = if (kind == .direct) null else {},
        /// One bit a place, of the word in which its first place comes in.
        fired: []u32,

        const Self = @This();

        pub fn spread(
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
                .received = try frame.alloc(f32, shape.most),
                .fired = try frame.alloc(u32, firedWords(shape.most)),
            };
            front.begin(seeds);
            if (past) |before| front.recall(before.fired);
            var result: Result = .{};
            for (0..options.hops) |_| {
                front.widen(graph, options);
                const gone_on = switch (options.aggregate) {
                    inline else => |aggregate| front.hop(aggregate, graph, options, &result),
                };
                if (!gone_on) break;
            }
            result.reached_count = front.reach.count;
            const words = firedWords(front.reach.count);
            if (past) |after| @memcpy(after.fired[0..words], front.fired[0..words]);
            return result;
        }

        /// Seeds, repeated ones summed.
        fn begin(front: *Self, seeds: []const Seed) void {
            for (seeds) |seed| {
                const put = front.reach.put(seed.node);
                const before = if (put.new) 0 else front.activation[put.place];
                front.activation[put.place] = saturated(before + seed.activation);
            }
            @memset(front.received[0..front.reach.count], 0);
            @memset(front.fired[0..firedWords(front.reach.count)], 0);
        }

        /// Which of the seeds have fired before.
        fn recall(front: *Self, before: []const u32) void {
            const count = front.reach.count;
            const whole = count / 32;
            @memcpy(front.fired[0..whole], before[0..whole]);
            if (count % 32 != 0) front.fired[whole] = before[whole] & ((@as(u32, 1) << @intCast(count % 32)) - 1);
        }

        /// From places to nodes, before a hop over so many edges that clearing a number for each node is little beside.
        fn widen(front: *Self, graph: Graph, options: *const Options) void {
            if (kind == .hashed) return;
            const nodes = graph.nodes();
            // A look at the edges would take longer than they do.
            if (front.by_node != null or front.reach.count *| 512 < nodes) return;
            var edges: u64 = 0;
            for (front.reach.member[0..front.reach.count], 0..) |node, place| {
                if (front.fires(place, options)) edges += graph.degree(node);
            }
            if (edges *| 4 < nodes) return;
            const by_node: []f32 = @ptrCast(front.reach.slots);
            @memset(by_node, unreached);
            for (front.reach.member[0..front.reach.count]) |node| by_node[node] = 0;
            front.by_node = by_node;
        }

        inline fn atNodes(front: *const Self) ?[]f32 {
            return if (kind == .direct) front.by_node else null;
        }

        /// False where it is the last: nothing fired, or no more may.
        fn hop(
            front: *Self,
            comptime aggregate: Aggregate,
            graph: Graph,
            options: *const Options,
            result: *Result,
        ) bool {
            const fired = result.fired;
            const before = front.reach.count;
            for (0..before) |place| {
                if (!front.fires(place, options)) continue;
                const activation = front.activation[place];
                if (Firing.of(graph, front.reach.member[place], activation, options)) |firing| {
                    if (!spreading.fits(result, options, firing)) {
                        result.stopped = .work;
                        break;
                    }
                    firing.pass(graph, options, Sink(aggregate){ .front = front });
                }
                front.noteFired(place);
                result.fired += 1;
            }
            front.welcome(before);
            if (front.atNodes()) |by_node| {
                front.settleByNode(by_node, aggregate, options.retain);
            } else front.settle(aggregate, options.retain);
            options.inhibits().apply(front.activation[0..front.reach.count]);
            const at_rest = result.fired == fired and options.retain == 1 and !options.inhibits().isAny();
            return result.stopped == .no and !at_rest;
        }

        fn Sink(comptime aggregate: Aggregate) type {
            return struct {
                front: *Self,

                pub inline fn give(sink: @This(), target: u32, amount: f32) void {
                    const front = sink.front;
                    if (front.atNodes()) |by_node| {
                        var wide: Wide = .of(front, by_node);
                        wide.give(aggregate, false, target, amount);
                        front.reach.count = wide.count;
                        return;
                    }
                    giveAtPlace(&front.reach, front.received, target, amount);
                }

                inline fn giveAtPlace(
                    reach: *reach_zig.Reach(kind, u32),
                    received: []f32,
                    target: u32,
                    amount: f32,
                ) void {
                    const put = reach.put(target);
                    const before = if (put.new) 0 else received[put.place];
                    received[put.place] = joined(aggregate, before, amount);
                }

                /// Apart, so that all it needs stays in registers.
                pub noinline fn giveAll(
                    sink: @This(),
                    comptime T: type,
                    scale: T,
                    targets: []const u32,
                    weights: []const f32,
                ) void {
                    const front = sink.front;
                    if (front.atNodes()) |by_node| {
                        var wide: Wide = .of(front, by_node);
                        switch (by_node.len > 1 << 15) {
                            inline else => |far| for (targets, weights, 0..) |target, weight, i| {
                                if (far and i + ahead < targets.len) wide.prefetch(targets[i + ahead]);
                                wide.give(aggregate, far, target, @floatCast(scale * weight));
                            },
                        }
                        front.reach.count = wide.count;
                        return;
                    }
                    const received = front.received;
                    var reach = front.reach;
                    for (targets, weights) |target, weight| {
                        giveAtPlace(&reach, received, target, @floatCast(scale * weight));
                    }
                    front.reach.count = reach.count;
                }

                const ahead = 16;
            };
        }

        /// What giving by node needs, in registers.
        const Wide = struct {
            received: []f32,
            member: []u32,
            count: usize,
            last: u32,

            inline fn of(front: *const Self, by_node: []f32) Wide {
                const member = front.reach.member;
                const count = front.reach.count;
                return .{ .received = by_node, .member = member, .count = count, .last = member[count - 1] };
            }

            inline fn give(
                wide: *Wide,
                comptime aggregate: Aggregate,
                comptime far: bool,
                node: u32,
                amount: f32,
            ) void {
                const there = wide.received[node];
                const new = there < 0;
                if (far) {
                    // Half of all edges of a large graph reach a new node: no branch on that. Where it is not, the last
                    // new one is written again.
                    wide.received[node] = joined(aggregate, @max(there, 0), amount);
                    wide.last = if (new) node else wide.last;
                    wide.count += @intFromBool(new);
                    wide.member[wide.count - 1] = wide.last;
                } else if (new) {
                    @branchHint(.unlikely);
                    wide.received[node] = amount;
                    wide.member[wide.count] = node;
                    wide.count += 1;
                } else {
                    wide.received[node] = joined(aggregate, there, amount);
                }
            }

            inline fn prefetch(wide: *const Wide, node: u32) void {
                @prefetch(&wide.received[node], .{ .rw = .write });
            }
        };

        /// Those who came in since there were `before`, and hold what they received alone.
        fn welcome(front: *Self, before: usize) void {
            @memset(front.activation[before..front.reach.count], 0);
            @memset(front.fired[firedWords(before)..firedWords(front.reach.count)], 0);
        }

        fn settle(front: *Self, comptime aggregate: Aggregate, retain: f32) void {
            const count = front.reach.count;
            var place: usize = 0;
            while (place + simd.lanes <= count) : (place += simd.lanes)
                front.settleSome(aggregate, simd.lanes, place, retain);
            while (place < count) : (place += 1) front.settleSome(aggregate, 1, place, retain);
        }

        inline fn settleSome(
            front: *Self,
            comptime aggregate: Aggregate,
            comptime n: usize,
            place: usize,
            retain: f32,
        ) void {
            const received: @Vector(n, f32) = front.received[place..][0..n].*;
            const activation = front.activation[place..][0..n];
            activation.* = settled(aggregate, n, activation.*, received, retain);
            front.received[place..][0..n].* = @splat(0);
        }

        fn settleByNode(front: *Self, by_node: []f32, comptime aggregate: Aggregate, retain: f32) void {
            const count = front.reach.count;
            for (front.reach.member[0..count], front.activation[0..count]) |node, *activation| {
                activation.* = settled(aggregate, 1, .{activation.*}, .{by_node[node]}, retain)[0];
                by_node[node] = 0;
            }
        }

        inline fn settled(
            comptime aggregate: Aggregate,
            comptime n: usize,
            activation: @Vector(n, f32),
            received: @Vector(n, f32),
            retain: f32,
        ) @Vector(n, f32) {
            const kept = @as(@Vector(n, f32), @splat(retain)) * activation;
            const sum = if (aggregate == .sum) kept + received else @max(kept, received);
            return @min(sum, @as(@Vector(n, f32), @splat(std.math.floatMax(f32))));
        }

        inline fn fires(front: *const Self, place: usize, options: *const Options) bool {
            const activation = front.activation[place];
            // Zero passes nothing on, so it has not fired.
            if (activation == 0 or activation < options.threshold) return false;
            return options.fire != .once or !front.hasFired(place);
        }

        fn hasFired(front: *const Self, place: usize) bool {
            return front.fired[place / 32] >> @intCast(place % 32) & 1 != 0;
        }

        fn noteFired(front: *Self, place: usize) void {
            front.fired[place / 32] |= @as(u32, 1) << @intCast(place % 32);
        }
    };
}
