//! Root of one tier's object: the kernels compiled for one CPU, behind one hidden table of C functions.
//! Arguments were checked in abi.zig; here pointers become slices and OutOfMemory becomes false.

const options = @import("options");
const Arena = @import("arena.zig").Arena;
const companion_zig = @import("companion.zig");
const matrix = @import("matrix.zig");
const query_zig = @import("query.zig");
const rows_zig = @import("rows.zig");
const similarity = @import("similarity.zig");
const top_k = @import("top_k.zig");
const Search = similarity.Search;
const spreading = @import("spreading.zig");
const fan = @import("fan.zig");
const push_zig = @import("push.zig");
const sweep = @import("sweep.zig");
const base_level = @import("base_level.zig");
const decay = @import("decay.zig");
const fsrs = @import("fsrs.zig");
const select = @import("select.zig");

/// ecp_graph of ecphory.h.
pub const Graph = extern struct {
    offsets: [*]const u32,
    targets: ?[*]const u32,
    weights: ?[*]const f32,
    out_strengths: ?[*]const f32,
    relations: ?[*]const u8,
    node_count: usize,

    pub fn sliced(graph: *const Graph) spreading.Graph {
        const edges = graph.offsets[graph.node_count];
        return .{
            .offsets = graph.offsets[0 .. graph.node_count + 1],
            .targets = slice(u32, graph.targets, edges),
            .weights = slice(f32, graph.weights, edges),
            .out_strengths = slice(f32, graph.out_strengths, graph.node_count),
            .relations = slice(u8, graph.relations, edges),
        };
    }
};

/// ecp_incoming of ecphory.h.
pub const Incoming = extern struct {
    offsets: [*]const u32,
    sources: ?[*]const u32,
    shares: ?[*]const f32,
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
    uniform: ?*const f32,

    /// So many ages, or one for all.
    fn sliced(ages: *const Ages, count: usize) decay.Ages {
        if (ages.seconds) |seconds| return .{ .seconds = seconds[0..count] };
        if (ages.unix_milliseconds) |times| {
            return .{ .unix_milliseconds = .{ .now = ages.now, .times = times[0..count] } };
        }
        return if (ages.uniform) |age| .{ .uniform = age.* } else .{ .seconds = &.{} };
    }
};

/// ecp_base_level of ecphory.h.
pub const BaseLevel = extern struct {
    d: f32,
    least_age: f32,
    offsets: ?[*]const u32,
    ages: ?*const Ages,
    counts: ?[*]const u32,
    lifetimes: ?*const Ages,
    memory_count: usize,

    fn sliced(level: *const BaseLevel) base_level.Memories {
        const offsets = if (level.offsets) |some| some[0 .. level.memory_count + 1] else &.{};
        const listed = if (offsets.len == 0) 0 else offsets[level.memory_count];
        const none: decay.Ages = .{ .seconds = &.{} };
        return .{
            .offsets = offsets,
            .ages = if (listed == 0) none else if (level.ages) |ages| ages.sliced(listed) else none,
            .counts = slice(u32, level.counts, if (level.counts == null) 0 else level.memory_count),
            .lifetimes = if (level.lifetimes) |ages| ages.sliced(level.memory_count) else none,
        };
    }
};

/// ecp_fsrs of ecphory.h.
pub const Fsrs = extern struct {
    parameters: *const fsrs.Parameters,
    stabilities: ?[*]f32,
    difficulties: ?[*]f32,
    elapsed_days: ?[*]const f32,
    grades: ?[*]const u8,
    count: usize,
};

/// ecp_selection of ecphory.h.
pub const Selection = extern struct {
    threshold: f32,
    above: u32,
    first_id: u32,
    ids: ?[*]u32,
    id_count: usize,
};

/// ecp_companion of ecphory.h.
pub const Companion = extern struct {
    elements: ?[*]const i8,
    scales: ?[*]const f32,
    residuals: ?[*]const f32,
    lengths: ?[*]const f32,

    fn sliced(companion: *const Companion, rows: *const Rows) companion_zig.Companion {
        const count = rows.row_count;
        const dim = (rows.dim +| 63) / 64 * 64;
        var copies: rows_zig.Rows = .dense(i8, slice(i8, companion.elements, count * dim), dim);
        copies.count = count;
        copies.scales = slice(f32, companion.scales, count);
        return .{
            .rows = copies,
            .residuals = slice(f32, companion.residuals, count),
            .lengths = slice(f32, companion.lengths, count),
        };
    }
};

/// ecp_rows of ecphory.h.
pub const Rows = extern struct {
    elements: ?*const anyopaque,
    type: rows_zig.Type,
    beyond: u32 = 0,
    row_count: usize,
    dim: usize,
    stride: usize,
    scales: ?[*]const f32,
    norms: ?[*]const f32,
    filter: ?[*]const u64,
    companion: ?*const Companion,

    fn sliced(rows: *const Rows) rows_zig.Rows {
        const reach = if (rows.row_count == 0) 0 else (rows.row_count - 1) * rows.stride + rows.dim;
        const bytes = slice(u8, @ptrCast(rows.elements), reach * rows.type.size());
        var all: rows_zig.Rows = .of(rows.type, bytes, rows.row_count, rows.dim, rows.stride);
        all.scales = slice(f32, rows.scales, rows.row_count);
        all.norms = slice(f32, rows.norms, rows.row_count);
        all.beyond = rows.beyond == 1;
        all.filter = slice(u64, rows.filter, (rows.row_count + 63) / 64);
        return all;
    }
};

pub const Table = extern struct {
    scores: *const @TypeOf(scores),
    gather: *const @TypeOf(gather),
    top_k: *const @TypeOf(topK),
    norms: *const @TypeOf(norms),
    spread: *const @TypeOf(spread),
    fan_activation: *const @TypeOf(fanActivation),
    push: *const @TypeOf(push),
    pull: *const @TypeOf(pull),
    settle: *const @TypeOf(settle),
    decay: *const @TypeOf(applyDecay),
    base_levels: *const @TypeOf(baseLevels),
    review: *const @TypeOf(review),
    retrievability: *const @TypeOf(retrievability),
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
    search: *const Search,
    queries: *const Rows,
    rows: *const Rows,
    out: ?[*]f32,
    out_stride: usize,
) callconv(.c) bool {
    const given = queries.sliced();
    const known = rows.sliced();
    if (given.count == 1) {
        similarity.scores(arena, search, &given, &known, sliceMut(f32, out, rows.row_count)) catch return false;
        return true;
    }
    const len = if (given.count == 0) 0 else (given.count - 1) * out_stride + rows.row_count;
    matrix.scores(arena, search, &given, &known, sliceMut(f32, out, len), out_stride) catch return false;
    return true;
}

fn gather(
    arena: *Arena,
    search: *const Search,
    query: *const Rows,
    rows: *const Rows,
    ids: ?[*]const u32,
    id_count: usize,
    out: ?[*]f32,
) callconv(.c) bool {
    const known = rows.sliced();
    const wanted = slice(u32, ids, id_count);
    similarity.gather(arena, search, &query.sliced(), &known, wanted, sliceMut(f32, out, id_count)) catch return false;
    return true;
}

fn topK(
    arena: *Arena,
    search: *const Search,
    queries: *const Rows,
    rows: *const Rows,
    k: usize,
    hits: ?[*]top_k.Hit,
    results: [*]top_k.TopK,
) callconv(.c) bool {
    const given = queries.sliced();
    const known = rows.sliced();
    const kept = sliceMut(top_k.Hit, hits, given.count * @min(k, rows.row_count));
    if (given.count == 1 and search.precision == .fast) if (rows.companion) |companion| {
        const copies = companion.sliced(rows);
        results[0] = companion_zig.topK(arena, search, &given, &known, &copies, k, kept) catch return false;
        return true;
    };
    if (given.count == 1) {
        results[0] = similarity.topK(arena, search, &given, &known, k, kept) catch return false;
        return true;
    }
    matrix.topK(arena, search, &given, &known, k, kept, results[0..given.count]) catch return false;
    return true;
}

fn norms(rows: *const Rows, out: ?[*]f32) callconv(.c) void {
    query_zig.normsOf(&rows.sliced(), .{ .run = 0 }, sliceMut(f32, out, rows.row_count));
}

/// What ecp_spread goes on from, as it comes: either may be NULL.
pub const Past = extern struct {
    fired: ?[*]u32,
    distances: ?[*]u16,

    fn sliced(past: *const Past, most: usize) ?spreading.Past {
        const fired = past.fired orelse return null;
        return .{ .fired = fired[0..spreading.firedWords(most)], .distances = sliceMut(u16, past.distances, most) };
    }
};

fn spread(
    arena: *Arena,
    graph: *const Graph,
    seeds: ?[*]const spreading.Seed,
    seed_count: usize,
    settings: *const spreading.Options,
    past: *const Past,
    reached: [*]u32,
    activations: [*]f32,
    result: *spreading.Result,
) callconv(.c) bool {
    const given = slice(spreading.Seed, seeds, seed_count);
    const most = spreading.spreadMost(graph.sliced(), given, settings);
    result.* = spreading.spread(
        arena,
        graph.sliced(),
        given,
        settings,
        past.sliced(most),
        reached[0..most],
        activations[0..most],
    ) catch return false;
    return true;
}

fn fanActivation(
    arena: *Arena,
    graph: *const Graph,
    sources: ?[*]const spreading.Seed,
    source_count: usize,
    strength: f32,
    reached: [*]u32,
    activations: [*]f32,
    reached_count: *usize,
) callconv(.c) bool {
    const given = slice(spreading.Seed, sources, source_count);
    const most = fan.fanMost(graph.sliced(), given);
    reached_count.* = fan.fanActivation(
        arena,
        graph.sliced(),
        given,
        strength,
        reached[0..most],
        activations[0..most],
    ) catch return false;
    return true;
}

/// ecp_push_past of ecphory.h.
pub const PushPast = extern struct {
    estimates: ?[*]f64,
    residuals: ?[*]f64,
    waiting: ?[*]u32,
    reached_count: usize,
    waiting_count: usize,
    edges: u64,
    leading: u64,
    evenly: f64,

    fn sliced(past: *const PushPast, most: usize) push_zig.Past {
        return .{
            .estimates = sliceMut(f64, past.estimates, most),
            .residuals = sliceMut(f64, past.residuals, most),
            .waiting = sliceMut(u32, past.waiting, most),
            .progress = .{
                .reached_count = past.reached_count,
                .waiting_count = past.waiting_count,
                .edges = past.edges,
                .leading = past.leading,
                .evenly = past.evenly,
            },
        };
    }

    fn note(past: *PushPast, progress: push_zig.Progress) void {
        past.reached_count = progress.reached_count;
        past.waiting_count = progress.waiting_count;
        past.edges = progress.edges;
        past.leading = progress.leading;
        past.evenly = progress.evenly;
    }
};

fn push(
    arena: *Arena,
    graph: *const Graph,
    seeds: [*]const spreading.Seed,
    seed_count: usize,
    settings: *const push_zig.Options,
    past: ?*PushPast,
    reached: [*]u32,
    estimates: [*]f32,
    residuals: [*]f32,
    result: *push_zig.Result,
) callconv(.c) bool {
    const most = push_zig.shapeOf(graph.sliced(), seeds[0..seed_count], settings).most;
    var sliced: push_zig.Past = if (past) |before| before.sliced(most) else undefined;
    result.* = push_zig.push(
        arena,
        graph.sliced(),
        seeds[0..seed_count],
        settings,
        if (past == null) null else &sliced,
        reached[0..most],
        estimates[0..most],
        residuals[0..most],
    ) catch return false;
    if (past) |after| after.note(sliced.progress);
    return true;
}

fn pull(
    incoming: *const Incoming,
    first: usize,
    end: usize,
    lanes: usize,
    scale: f32,
    evenly: [*]const f32,
    x: [*]const f32,
    sums: [*]f32,
) callconv(.c) void {
    const edges = incoming.offsets[incoming.node_count];
    const given: sweep.Incoming = .{
        .offsets = incoming.offsets[0 .. incoming.node_count + 1],
        .sources = slice(u32, incoming.sources, edges),
        .shares = slice(f32, incoming.shares, edges),
    };
    switch (lanes) {
        inline 1, sweep.cues => |known| {
            const all, const some = .{ x[0 .. incoming.node_count * known], sums[0 .. (end - first) * known] };
            sweep.pull(known, given, first, end, scale, evenly[0..known], all, some);
        },
        else => {}, // abi.zig lets no other pass.
    }
}

fn settle(
    rows: usize,
    lanes: usize,
    out_strengths: [*]const f32,
    keep: f32,
    gain: f32,
    sums: [*]const f32,
    ranks: [*]f32,
    totals: [*]f64,
) callconv(.c) void {
    switch (lanes) {
        inline 1, sweep.cues => |known| {
            const len = rows * known;
            const total = sweep.settle(known, out_strengths[0..rows], keep, gain, sums[0..len], ranks[0..len]);
            totals[0 .. 3 * known].* = total.change ++ total.lost ++ total.peak;
        },
        else => {},
    }
}

fn applyDecay(
    law: *const Law,
    ages: *const Ages,
    strengths: ?[*]const f32,
    decayed: ?[*]f32,
    count: usize,
    selection: ?*Selection,
    report: *decay.Report,
) callconv(.c) void {
    const known: decay.Law = .{
        .kind = law.kind,
        .first = slice(f32, law.first, law.parameter_count),
        .second = if (law.kind.hasSecond()) slice(f32, law.second, law.parameter_count) else &.{},
        .floor = law.floor,
    };
    const known_ages = ages.sliced(count);
    const before, const after = .{ slice(f32, strengths, count), sliceMut(f32, decayed, count) };
    const wanted = selection orelse {
        report.* = decay.decay(known, known_ages, before, after);
        return;
    };
    const which: select.Which = .{
        .threshold = wanted.threshold,
        .above = wanted.above != 0,
        .first_id = wanted.first_id,
    };
    const ids = sliceMut(u32, wanted.ids, count);
    report.* = select.decayAndSelect(known, known_ages, before, after, which, ids, &wanted.id_count);
}

fn baseLevels(level: *const BaseLevel, activations: ?[*]f32, report: *decay.Report) callconv(.c) void {
    const law: base_level.Law = .{ .d = level.d, .least_age = level.least_age };
    report.* = base_level.activate(law, &level.sliced(), sliceMut(f32, activations, level.memory_count));
}

fn review(memories: *const Fsrs) callconv(.c) void {
    fsrs.review(memories.parameters, &.{
        .stabilities = sliceMut(f32, memories.stabilities, memories.count),
        .difficulties = sliceMut(f32, memories.difficulties, memories.count),
        .elapsed_days = slice(f32, memories.elapsed_days, memories.count),
        .grades = slice(u8, memories.grades, memories.count),
    });
}

fn retrievability(memories: *const Fsrs, retrievabilities: ?[*]f32) callconv(.c) void {
    const count = memories.count;
    const stabilities = sliceMut(f32, memories.stabilities, count);
    const days = slice(f32, memories.elapsed_days, count);
    fsrs.retrievability(memories.parameters, stabilities, days, sliceMut(f32, retrievabilities, count));
}

const table: Table = .{
    .scores = &scores,
    .gather = &gather,
    .top_k = &topK,
    .norms = &norms,
    .spread = &spread,
    .fan_activation = &fanActivation,
    .push = &push,
    .pull = &pull,
    .settle = &settle,
    .decay = &applyDecay,
    .base_levels = &baseLevels,
    .review = &review,
    .retrievability = &retrievability,
};

comptime {
    if (options.tier.len > 0) {
        @export(&table, .{ .name = "ecp_tier_" ++ options.tier, .visibility = .hidden });
        if (options.bench) {
            const limits = &@import("limits.zig").table;
            @export(limits, .{ .name = "ecp_limits_" ++ options.tier, .visibility = .hidden });
        }
    }
}
