//! What callers of spreading pass as ecphory.h has it, and what of that can be seen to be wrong.

const std = @import("std");
const expectAlike = @import("call.zig").expectAlike;
const inhibition = @import("inhibition.zig");
const push_zig = @import("push.zig");
const spreading = @import("spreading.zig");
const sweep = @import("sweep.zig");
const tier = @import("tier.zig");

pub const hops_max = 1024;

pub fn absent(items: anytype, len: usize) bool {
    return items == null and len > 0;
}

pub fn isMagnitude(value: f32) bool {
    return value >= 0 and value <= std.math.floatMax(f32);
}

/// A graph and nodes of it, each with an activation.
pub const Cue = struct {
    graph: *const tier.Graph,
    seeds: []const spreading.Seed,

    pub fn of(graph: ?*const RawGraph, seeds: ?[*]const spreading.Seed, seed_count: usize) ?Cue {
        const raw = graph orelse return null;
        const csr = raw.checked() orelse return null;
        if (absent(seeds, seed_count)) return null;
        const cue: Cue = .{ .graph = csr, .seeds = tier.slice(spreading.Seed, seeds, seed_count) };
        for (cue.seeds) |seed| {
            if (seed.node >= csr.node_count or !isMagnitude(seed.activation)) return null;
        }
        return cue;
    }
};

/// What ecp_spread and ecp_spread_need are asked for, outputs apart.
pub const Spread = struct {
    cue: Cue,
    settings: *const spreading.Options,

    pub fn of(
        graph: ?*const RawGraph,
        seeds: ?[*]const spreading.Seed,
        seed_count: usize,
        options: ?*const RawOptions,
    ) ?Spread {
        const cue = Cue.of(graph, seeds, seed_count) orelse return null;
        const settings = (options orelse return null).checked() orelse return null;
        if (settings.weighting == .by_out_strength and cue.graph.out_strengths == null) return null;
        return .{ .cue = cue, .settings = settings };
    }
};

/// What ecp_push and ecp_push_need are asked for, outputs apart.
pub const Push = struct {
    cue: Cue,
    settings: *const push_zig.Options,

    pub fn of(
        graph: ?*const RawGraph,
        seeds: ?[*]const spreading.Seed,
        seed_count: usize,
        options: ?*const RawPush,
    ) ?Push {
        const cue = Cue.of(graph, seeds, seed_count) orelse return null;
        const settings = (options orelse return null).checked() orelse return null;
        if (cue.graph.out_strengths == null) return null;
        return .{ .cue = cue, .settings = settings };
    }

    pub fn most(call: Push) usize {
        return push_zig.shapeOf(call.cue.graph.sliced(), call.cue.seeds, call.settings).most;
    }

    /// Whether there is room in `past` for all that may be reached, and what has been is no more than that.
    pub fn goesOnFrom(call: Push, past: *const tier.PushPast) bool {
        const len = call.most();
        if (absent(past.estimates, len) or absent(past.residuals, len) or absent(past.waiting, len)) return false;
        return past.reached_count <= len and past.waiting_count <= past.reached_count;
    }
};

/// ecp_graph of ecphory.h as it comes: any pointer may be NULL.
pub const RawGraph = extern struct {
    offsets: ?[*]const u32,
    targets: ?[*]const u32,
    weights: ?[*]const f32,
    out_strengths: ?[*]const f32,
    relations: ?[*]const u8,
    node_count: usize,

    pub fn checked(raw: *const RawGraph) ?*const tier.Graph {
        const offsets = raw.offsets orelse return null;
        if (raw.node_count == 0 or raw.node_count > std.math.maxInt(u32) or offsets[0] != 0) return null;
        const edges = offsets[raw.node_count];
        if (absent(raw.targets, edges) or absent(raw.weights, edges)) return null;
        return @ptrCast(raw);
    }
};

/// ecp_spread_options of ecphory.h as it comes: an enum may hold any number.
pub const RawOptions = extern struct {
    hops: u32,
    fire: u32,
    weighting: u32,
    aggregate: u32,
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

    pub fn checked(raw: *const RawOptions) ?*const spreading.Options {
        if (raw.hops > hops_max or raw.fire > 2 or raw.weighting > 2 or raw.aggregate > 1) return null;
        if (raw.competitors > inhibition.competitors_max) return null;
        const magnitudes = [_]f32{ raw.threshold, raw.retain, raw.transmission, raw.fan_strength };
        const of_inhibition = [_]f32{ raw.inhibition, raw.steepness, raw.midpoint };
        for (magnitudes ++ of_inhibition) |value| if (!isMagnitude(value)) return null;
        if (raw.relation_factors) |factors| for (factors) |factor| if (!isMagnitude(factor)) return null;
        return @ptrCast(raw);
    }
};

/// ecp_push_options of ecphory.h as it comes.
pub const RawPush = extern struct {
    alpha: f64,
    epsilon: f64,
    edges_most: u64,
    pause_after: u64,
    dangling: u32,
    reserved: u32,

    pub fn checked(raw: *const RawPush) ?*const push_zig.Options {
        // With less, walks are so long that the bound on work is none.
        if (!(raw.alpha >= 1e-3 and raw.alpha <= 1) or !(raw.epsilon >= 1e-12 and raw.epsilon <= 1)) return null;
        return if (raw.dangling > 1 or raw.reserved != 0) null else @ptrCast(raw);
    }
};

/// ecp_incoming of ecphory.h as it comes.
pub const RawIncoming = extern struct {
    offsets: ?[*]const u32,
    sources: ?[*]const u32,
    shares: ?[*]const f32,
    node_count: usize,

    pub fn checked(raw: *const RawIncoming) ?*const tier.Incoming {
        const offsets = raw.offsets orelse return null;
        if (raw.node_count == 0 or raw.node_count > std.math.maxInt(u32) or offsets[0] != 0) return null;
        const edges = offsets[raw.node_count];
        return if (absent(raw.sources, edges) or absent(raw.shares, edges)) null else @ptrCast(raw);
    }
};

pub fn areLanes(lanes: usize) bool {
    return lanes == 1 or lanes == sweep.cues;
}

// The checked structs are the raw ones with enums and pointers that are known to be sound.
comptime {
    expectAlike(RawGraph, tier.Graph);
    expectAlike(RawIncoming, tier.Incoming);
    expectAlike(RawOptions, spreading.Options);
    expectAlike(RawPush, push_zig.Options);
}
