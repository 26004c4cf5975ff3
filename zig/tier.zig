//! Root of one tier's object: the kernels compiled for one CPU, behind one hidden table of C functions.
//! Arguments were checked in abi.zig; here pointers become slices and OutOfMemory becomes false.

const options = @import("options");
const Arena = @import("arena.zig").Arena;
const similarity = @import("similarity.zig");
const spreading = @import("spreading.zig");
const decay = @import("decay.zig");

/// ecp_graph of ecphory.h.
pub const Graph = extern struct {
    offsets: [*]const u32,
    targets: ?[*]const u32,
    weights: ?[*]const f32,
    out_strengths: ?[*]const f32,
    node_count: usize,
};

/// ecp_law of ecphory.h.
pub const Law = extern struct {
    kind: decay.Kind,
    floor: f32,
    first: ?[*]const f32,
    second: ?[*]const f32,
    parameter_count: usize,
};

/// ecp_ages of ecphory.h.
pub const Ages = extern struct {
    seconds: ?[*]const f32,
    unix_milliseconds: ?[*]const i64,
    now: i64,
};

const Metric = similarity.Metric;

pub const Table = extern struct {
    scores: *const @TypeOf(scores),
    gather: *const @TypeOf(gather),
    top_k: *const @TypeOf(topK),
    spread: *const @TypeOf(spread),
    decay: *const @TypeOf(applyDecay),
};

/// A slice from C, where NULL may stand for no elements.
pub fn slice(comptime T: type, items: ?[*]const T, len: usize) []const T {
    return if (items) |some| some[0..len] else &.{};
}

pub fn sliceMut(comptime T: type, items: ?[*]T, len: usize) []T {
    return if (items) |some| some[0..len] else &.{};
}

fn scores(
    arena: *Arena,
    metric: Metric,
    query: [*]const f32,
    dim: usize,
    rows: ?[*]const f32,
    row_count: usize,
    out: ?[*]f32,
) callconv(.c) bool {
    similarity.scores(
        arena,
        metric,
        query[0..dim],
        slice(f32, rows, row_count * dim),
        sliceMut(f32, out, row_count),
    ) catch return false;
    return true;
}

fn gather(
    arena: *Arena,
    metric: Metric,
    query: [*]const f32,
    dim: usize,
    rows: ?[*]const f32,
    row_count: usize,
    ids: ?[*]const u32,
    id_count: usize,
    out: ?[*]f32,
    packing: similarity.Packing,
) callconv(.c) bool {
    similarity.gather(
        arena,
        metric,
        query[0..dim],
        slice(f32, rows, row_count * dim),
        slice(u32, ids, id_count),
        sliceMut(f32, out, id_count),
        packing,
    ) catch return false;
    return true;
}

fn topK(
    arena: *Arena,
    metric: Metric,
    query: [*]const f32,
    dim: usize,
    rows: ?[*]const f32,
    row_count: usize,
    k: usize,
    hits: ?[*]similarity.Hit,
    result: *similarity.TopK,
) callconv(.c) bool {
    result.* = similarity.topK(
        arena,
        metric,
        query[0..dim],
        slice(f32, rows, row_count * dim),
        k,
        sliceMut(similarity.Hit, hits, @min(k, row_count)),
    ) catch return false;
    return true;
}

fn spread(
    arena: *Arena,
    graph: *const Graph,
    seeds: ?[*]const spreading.Seed,
    seed_count: usize,
    settings: *const spreading.Options,
    reached: [*]u32,
    activations: [*]f32,
    reached_count: *usize,
) callconv(.c) bool {
    const edges = graph.offsets[graph.node_count];
    const csr: spreading.Graph = .{
        .offsets = graph.offsets[0 .. graph.node_count + 1],
        .targets = slice(u32, graph.targets, edges),
        .weights = slice(f32, graph.weights, edges),
        .out_strengths = slice(f32, graph.out_strengths, graph.node_count),
    };
    reached_count.* = spreading.spread(
        arena,
        csr,
        slice(spreading.Seed, seeds, seed_count),
        settings,
        reached[0..graph.node_count],
        activations[0..graph.node_count],
    ) catch return false;
    return true;
}

fn applyDecay(
    law: *const Law,
    ages: *const Ages,
    strengths: ?[*]f32,
    count: usize,
    report: *decay.Report,
) callconv(.c) void {
    const known: decay.Law = .{
        .kind = law.kind,
        .first = slice(f32, law.first, law.parameter_count),
        .second = slice(f32, law.second, law.parameter_count),
        .floor = law.floor,
    };
    report.* = decay.decay(
        known,
        if (ages.seconds) |seconds|
            .{ .seconds = seconds[0..count] }
        else
            .{ .unix_milliseconds = .{ .now = ages.now, .times = slice(i64, ages.unix_milliseconds, count) } },
        sliceMut(f32, strengths, count),
    );
}

const table: Table = .{ .scores = &scores, .gather = &gather, .top_k = &topK, .spread = &spread, .decay = &applyDecay };

comptime {
    if (options.tier.len > 0) {
        @export(&table, .{ .name = "ecp_tier_" ++ options.tier, .visibility = .hidden });
        if (options.bench) {
            const limits = &@import("limits.zig").table;
            @export(limits, .{ .name = "ecp_limits_" ++ options.tier, .visibility = .hidden });
        }
    }
}
