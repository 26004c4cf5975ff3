//! The exports of ecphory.h: check what can be seen, pick the tier, lend the thread's arena, map errors to statuses.

const std = @import("std");
const builtin = @import("builtin");
const arena_zig = @import("arena.zig");
const backing = @import("backing.zig").native;
const companion = @import("companion.zig");
const cpu = @import("cpu.zig");
const needs = @import("needs.zig");
const raw_cue = @import("cue.zig");
const forgetting = @import("forgetting.zig");
const registry = @import("registry.zig");
const thread = @import("thread.zig");
const matrix = @import("matrix.zig");
const raw_call = @import("call.zig");
const similarity = @import("similarity.zig");
const spreading = @import("spreading.zig");
const decay = @import("decay.zig");
const fan = @import("fan.zig");
const push_zig = @import("push.zig");
const tier = @import("tier.zig");
const top_k = @import("top_k.zig");
const Arena = arena_zig.Arena;
const Call = raw_call.Call;
const Cue = raw_cue.Cue;
const areAddressable = raw_call.areAddressable;
const absent = raw_cue.absent;
const isMagnitude = raw_cue.isMagnitude;
pub const RawRows = raw_call.RawRows;
pub const RawSearch = raw_call.RawSearch;
pub const RawGraph = raw_cue.RawGraph;
pub const RawOptions = raw_cue.RawOptions;
pub const RawPush = raw_cue.RawPush;
pub const RawIncoming = raw_cue.RawIncoming;
pub const RawLaw = forgetting.RawLaw;
pub const RawSelection = forgetting.RawSelection;
const Kernel = registry.Kernel;

comptime {
    if (@import("options").bench) _ = @import("bench.zig");
}

pub const version: u32 = 5;
pub const hops_max = raw_cue.hops_max;

pub const Status = enum(i32) { ok = 0, out_of_memory = 1, invalid_argument = 2, unknown_tier = 3, already_in_use = 4 };

/// ecp_scratch of ecphory.h.
pub const Scratch = extern struct {
    lent: ?*anyopaque,
    lent_size: usize,
    on_overflow: u32,
    need: usize,
    needed: usize,
    capacity: usize,
};

/// ecp_arena of ecphory.h: what an arena begins with.
pub const ArenaHead = extern struct {
    base: ?[*]u8,
    capacity: usize,
    cursor: usize,
    open: usize,
    allocation_count: u64,
};

// The library

pub export fn ecp_abi_version() u32 {
    return version;
}

pub export fn ecp_zig_version() [*:0]const u8 {
    return builtin.zig_version_string;
}

pub export fn ecp_tier_count() usize {
    return cpu.tiers.len;
}

pub export fn ecp_tier_name(index: usize) ?[*:0]const u8 {
    return if (index < cpu.tiers.len) cpu.tiers[index].name else null;
}

pub export fn ecp_tier_supported(index: usize) i32 {
    return @intFromBool(cpu.supports(index));
}

pub export fn ecp_tier_in_use() [*:0]const u8 {
    return cpu.tiers[tierInUse()].name;
}

pub fn tierInUse() usize {
    const table = kernels();
    for (tables, 0..) |candidate, i| {
        if (candidate == table) return i;
    }
    unreachable; // `kernels` answers one of `tables`.
}

pub export fn ecp_tier_force(name: ?[*]const u8, length: usize) Status {
    const wanted = tier.slice(u8, name, length);
    for (cpu.tiers, tables, 0..) |known, table, i| {
        if (!std.mem.eql(u8, wanted, known.name)) continue;
        if (!cpu.supports(i)) return .unknown_tier;
        selected.store(table, .release);
        return .ok;
    }
    return .unknown_tier;
}

const tables = blk: {
    var list: [cpu.tiers.len]*const tier.Table = undefined;
    for (&list, cpu.tiers) |*table, known| {
        table.* = @extern(*const tier.Table, .{ .name = "ecp_tier_" ++ known.name, .visibility = .hidden });
    }
    break :blk list;
};

var selected: std.atomic.Value(?*const tier.Table) = .init(null);

inline fn kernels() *const tier.Table {
    return selected.load(.acquire) orelse detect();
}

noinline fn detect() *const tier.Table {
    var best: usize = 0;
    for (0..tables.len) |i| {
        if (cpu.supports(i)) best = i;
    }
    // A tier that was forced meanwhile stays.
    const other = selected.cmpxchgStrong(null, tables[best], .acq_rel, .acquire) orelse return tables[best];
    return other orelse tables[best];
}

// Arenas

pub export fn ecp_arena_configure(capacity: usize) Status {
    registry.configure(capacity) catch |err| return switch (err) {
        error.AlreadyInUse => .already_in_use,
        error.OutOfRange => .invalid_argument,
    };
    return .ok;
}

pub export fn ecp_arena_capacity() usize {
    return registry.capacity();
}

pub export fn ecp_arena_thread_stats(stats: ?*registry.Stats) void {
    if (stats) |to| to.* = thread.stats();
}

pub export fn ecp_arena_total_stats(stats: ?*registry.Stats) void {
    if (stats) |to| to.* = registry.totals();
}

pub export fn ecp_arena_each_stats(stats: ?[*]registry.Stats, count: usize) usize {
    return registry.each(if (stats) |to| to[0..count] else &.{});
}

pub export fn ecp_arena_kernel_stats(kernel: u32, stats: ?*registry.KernelStats) Status {
    const to = stats orelse return .invalid_argument;
    if (kernel >= registry.kernels) return .invalid_argument;
    to.* = registry.ofKernel(@fromBackingInt(kernel));
    return .ok;
}

pub export fn ecp_need_edge(bucket: usize) u64 {
    return needs.edgeOf(bucket);
}

pub export fn ecp_arena_grow(capacity: usize) Status {
    thread.grow(capacity) catch |err| return switch (err) {
        error.InUse => .already_in_use,
        error.OutOfRange => .invalid_argument,
        error.OutOfMemory => .out_of_memory,
    };
    return .ok;
}

pub export fn ecp_prefer_huge_pages(block: ?*anyopaque, size: usize) void {
    const page = std.heap.pageSize();
    const start = std.mem.alignForward(usize, @intFromPtr(block), page);
    const end = std.mem.alignBackward(usize, @intFromPtr(block) +| size, page);
    if (block == null or end <= start) return;
    backing.preferHuge(@as([*]align(std.heap.page_size_min) u8, @ptrFromInt(start))[0 .. end - start]);
}

pub export fn ecp_arena_freeze() void {
    thread.freeze();
}

pub export fn ecp_arena_thaw() void {
    thread.thaw();
}

pub export fn ecp_arena_release() void {
    thread.release();
}

pub export fn ecp_arena_trim(bytes: ?*usize) Status {
    const to = bytes orelse return .invalid_argument;
    to.* = thread.trim() catch return .already_in_use;
    return .ok;
}

pub export fn ecp_arena_admit(kernel: u32, need: usize, scratch: ?*Scratch) Status {
    if (kernel >= registry.kernels) return .invalid_argument;
    var unborn: Arena = undefined;
    const arena = threads(@fromBackingInt(kernel), &unborn);
    if (need <= arena.capacity - arena.cursor) return .ok;
    if (arena.frame(need)) |frame| frame.close() else |_| {}
    return refused(@fromBackingInt(kernel), arena, scratch);
}

pub export fn ecp_arena_mark(mark: ?*usize, head: ?*?*ArenaHead) Status {
    const to = mark orelse return .invalid_argument;
    const arena = thread.open() catch return unmarked();
    to.* = @backingInt(arena.mark());
    // Where scratch is looked at, every block is handed out by a call that does.
    const looked_at = arena_zig.poison or builtin.valgrind_support;
    if (head) |its| its.* = if (looked_at) null else @ptrCast(arena);
    return .ok;
}

/// There are no pages for an arena. Apart, so that a scope of a thread that has one runs no locked instruction.
noinline fn unmarked() Status {
    @branchHint(.cold);
    thread.noteOverflow(.caller, .err, null);
    return .out_of_memory;
}

pub export fn ecp_arena_alloc(size: usize, block: ?*?*anyopaque, scratch: ?*Scratch) Status {
    const to = block orelse return .invalid_argument;
    var unborn: Arena = undefined;
    const arena = threads(.caller, &unborn);
    const bytes = arena.allocBytes(size) catch return refused(.caller, arena, scratch);
    if (arena != &unborn) arena.noteAllocations(1);
    to.* = bytes.ptr;
    return .ok;
}

pub export fn ecp_arena_rewind(mark: usize) Status {
    thread.close(@fromBackingInt(mark)) catch return .invalid_argument;
    return .ok;
}

/// The thread's arena or, where that cannot be mapped, one of nothing, in which a need is still stated.
inline fn threads(kernel: Kernel, unborn: *Arena) *Arena {
    return thread.lendTo(kernel) catch {
        unborn.* = .over(&.{});
        return unborn;
    };
}

/// The arena a call runs on: the lent block, or the thread's.
inline fn arenaOf(kernel: Kernel, scratch: ?*Scratch, local: *Arena) *Arena {
    if (scratch) |given| if (given.lent) |block| {
        thread.noteHeapLoan(kernel, given.lent_size);
        local.* = .over(@as([*]u8, @ptrCast(block))[0..given.lent_size]);
        return local;
    };
    return threads(kernel, local);
}

fn refused(kernel: Kernel, arena: *const Arena, scratch: ?*Scratch) Status {
    @branchHint(.cold);
    var outcome: needs.OnOverflow = .err;
    var lent = false; // A block of the caller's: no arena of a thread's refused.
    if (scratch) |told| {
        if (told.on_overflow < needs.outcomes) outcome = @fromBackingInt(told.on_overflow);
        lent = told.lent != null and arena.needs == null;
        told.need = arena.wanted - arena.cursor;
        told.needed = arena.wanted;
        told.capacity = arena.capacity;
    }
    if (!lent) thread.noteOverflow(kernel, outcome, arena.wanted);
    return .out_of_memory;
}

// Similarity

pub export fn ecp_scores_need(search: ?*const RawSearch, queries: ?*const RawRows, rows: ?*const RawRows) usize {
    const call = Call.of(search, queries, rows) orelse return 0;
    if (call.queries.row_count == 1) return similarity.scoresNeed(call.shape());
    return matrix.scoresNeed(call.search, call.shape(), call.queries.row_count);
}

pub export fn ecp_gather_need(
    search: ?*const RawSearch,
    query: ?*const RawRows,
    rows: ?*const RawRows,
    id_count: usize,
) usize {
    const call = Call.of(search, query, rows) orelse return 0;
    return similarity.gatherNeed(call.search.packing, call.shape(), id_count);
}

pub export fn ecp_top_k_need(
    search: ?*const RawSearch,
    queries: ?*const RawRows,
    rows: ?*const RawRows,
    k: usize,
) usize {
    const call = Call.of(search, queries, rows) orelse return 0;
    const query_count, const row_count = .{ call.queries.row_count, call.rows.row_count };
    const by_copies = query_count == 1 and call.rows.companion != null and call.search.precision == .fast;
    if (by_copies) return companion.topKNeed(call.rows.dim, row_count, k);
    if (query_count == 1) return similarity.topKNeed(call.shape(), row_count, k);
    return matrix.topKNeed(call.search, call.shape(), query_count, row_count, k);
}

pub export fn ecp_scores(
    search: ?*const RawSearch,
    queries: ?*const RawRows,
    rows: ?*const RawRows,
    scores: ?[*]f32,
    scores_stride: usize,
    scratch: ?*Scratch,
) Status {
    const call = Call.of(search, queries, rows) orelse return .invalid_argument;
    const query_count, const row_count = .{ call.queries.row_count, call.rows.row_count };
    if (!call.isThere() or absent(scores, query_count *| row_count)) return .invalid_argument;
    if (query_count == 0) return .ok;
    const apart = scores_stride >= row_count and areAddressable(query_count, scores_stride, @sizeOf(f32));
    if (query_count > 1 and !apart) return .invalid_argument;
    var local: Arena = undefined;
    const arena = arenaOf(.similarity, scratch, &local);
    defer if (arena == &local) local.dissolve();
    const fits = kernels().scores(arena, call.search, call.queries, call.rows, scores, scores_stride);
    return if (fits) .ok else refused(.similarity, arena, scratch);
}

pub export fn ecp_gather(
    search: ?*const RawSearch,
    query: ?*const RawRows,
    rows: ?*const RawRows,
    ids: ?[*]const u32,
    id_count: usize,
    scores: ?[*]f32,
    scratch: ?*Scratch,
) Status {
    const call = Call.of(search, query, rows) orelse return .invalid_argument;
    if (!call.isThere() or call.queries.row_count != 1) return .invalid_argument;
    if (absent(ids, id_count) or absent(scores, id_count)) return .invalid_argument;
    var local: Arena = undefined;
    const arena = arenaOf(.similarity, scratch, &local);
    defer if (arena == &local) local.dissolve();
    const fits = kernels().gather(arena, call.search, call.queries, call.rows, ids, id_count, scores);
    return if (fits) .ok else refused(.similarity, arena, scratch);
}

pub export fn ecp_top_k(
    search: ?*const RawSearch,
    queries: ?*const RawRows,
    rows: ?*const RawRows,
    k: usize,
    hits: ?[*]top_k.Hit,
    results: ?[*]top_k.TopK,
    scratch: ?*Scratch,
) Status {
    const call = Call.of(search, queries, rows) orelse return .invalid_argument;
    const query_count = call.queries.row_count;
    if (!call.isThere() or !raw_call.copiesAreThere(call.rows) or query_count == 0) return .invalid_argument;
    const to = results orelse return .invalid_argument;
    const kept = @min(k, call.rows.row_count);
    if (absent(hits, kept) or kept > std.math.maxInt(isize) / @sizeOf(top_k.Hit) / query_count)
        return .invalid_argument;
    var local: Arena = undefined;
    const arena = arenaOf(.similarity, scratch, &local);
    defer if (arena == &local) local.dissolve();
    const fits = kernels().top_k(arena, call.search, call.queries, call.rows, k, hits, to);
    return if (fits) .ok else refused(.similarity, arena, scratch);
}

pub export fn ecp_norms(rows: ?*const RawRows, norms: ?[*]f32) Status {
    const given = (rows orelse return .invalid_argument).checked() orelse return .invalid_argument;
    if (given.type == .bits or !raw_call.areThere(given) or absent(norms, given.row_count)) return .invalid_argument;
    kernels().norms(given, norms);
    return .ok;
}

// Spreading

pub export fn ecp_spread_most(
    graph: ?*const RawGraph,
    seeds: ?[*]const spreading.Seed,
    seed_count: usize,
    options: ?*const RawOptions,
) usize {
    const call = raw_cue.Spread.of(graph, seeds, seed_count, options) orelse return 0;
    return spreading.spreadMost(call.cue.graph.sliced(), call.cue.seeds, call.settings);
}

pub export fn ecp_spread_need(
    graph: ?*const RawGraph,
    seeds: ?[*]const spreading.Seed,
    seed_count: usize,
    options: ?*const RawOptions,
) usize {
    const call = raw_cue.Spread.of(graph, seeds, seed_count, options) orelse return 0;
    return spreading.spreadNeed(call.cue.graph.sliced(), call.cue.seeds, call.settings);
}

pub export fn ecp_spread(
    graph: ?*const RawGraph,
    seeds: ?[*]const spreading.Seed,
    seed_count: usize,
    options: ?*const RawOptions,
    fired: ?[*]u32,
    distances: ?[*]u16,
    reached: ?[*]u32,
    activations: ?[*]f32,
    result: ?*spreading.Result,
    scratch: ?*Scratch,
) Status {
    const call = raw_cue.Spread.of(graph, seeds, seed_count, options) orelse return .invalid_argument;
    const csr, const settings = .{ call.cue.graph, call.settings };
    const measured = settings.fire == .best_first and fired != null;
    if (measured != (distances != null)) return .invalid_argument;
    if (reached == null or activations == null) return .invalid_argument;
    const to = result orelse return .invalid_argument;
    var local: Arena = undefined;
    const arena = arenaOf(.spreading, scratch, &local);
    defer if (arena == &local) local.dissolve();
    const past: tier.Past = .{ .fired = fired, .distances = distances };
    const fits = kernels().spread(arena, csr, seeds, seed_count, settings, &past, reached.?, activations.?, to);
    return if (fits) .ok else refused(.spreading, arena, scratch);
}

pub export fn ecp_fan_activation_most(
    graph: ?*const RawGraph,
    sources: ?[*]const spreading.Seed,
    source_count: usize,
) usize {
    const cue = Cue.of(graph, sources, source_count) orelse return 0;
    return fan.fanMost(cue.graph.sliced(), cue.seeds);
}

pub export fn ecp_fan_activation_need(
    graph: ?*const RawGraph,
    sources: ?[*]const spreading.Seed,
    source_count: usize,
) usize {
    const cue = Cue.of(graph, sources, source_count) orelse return 0;
    return fan.fanNeed(cue.graph.sliced(), cue.seeds);
}

pub export fn ecp_fan_activation(
    graph: ?*const RawGraph,
    sources: ?[*]const spreading.Seed,
    source_count: usize,
    strength: f32,
    reached: ?[*]u32,
    activations: ?[*]f32,
    reached_count: ?*usize,
    scratch: ?*Scratch,
) Status {
    const cue = Cue.of(graph, sources, source_count) orelse return .invalid_argument;
    if (!isMagnitude(strength) or reached == null or activations == null) return .invalid_argument;
    const to = reached_count orelse return .invalid_argument;
    var local: Arena = undefined;
    const arena = arenaOf(.spreading, scratch, &local);
    defer if (arena == &local) local.dissolve();
    const table = kernels();
    const fits = table.fan_activation(arena, cue.graph, sources, source_count, strength, reached.?, activations.?, to);
    return if (fits) .ok else refused(.spreading, arena, scratch);
}

pub export fn ecp_push_most(
    graph: ?*const RawGraph,
    seeds: ?[*]const spreading.Seed,
    seed_count: usize,
    options: ?*const RawPush,
) usize {
    const call = raw_cue.Push.of(graph, seeds, seed_count, options) orelse return 0;
    return call.most();
}

pub export fn ecp_push_need(
    graph: ?*const RawGraph,
    seeds: ?[*]const spreading.Seed,
    seed_count: usize,
    options: ?*const RawPush,
) usize {
    const call = raw_cue.Push.of(graph, seeds, seed_count, options) orelse return 0;
    return push_zig.pushNeed(call.cue.graph.sliced(), call.cue.seeds, call.settings);
}

pub export fn ecp_push(
    graph: ?*const RawGraph,
    seeds: ?[*]const spreading.Seed,
    seed_count: usize,
    options: ?*const RawPush,
    past: ?*tier.PushPast,
    reached: ?[*]u32,
    estimates: ?[*]f32,
    residuals: ?[*]f32,
    result: ?*push_zig.Result,
    scratch: ?*Scratch,
) Status {
    const call = raw_cue.Push.of(graph, seeds, seed_count, options) orelse return .invalid_argument;
    if (past) |before| if (!call.goesOnFrom(before)) return .invalid_argument;
    const csr, const start = .{ call.cue.graph, call.cue.seeds.ptr };
    const nodes = reached orelse return .invalid_argument;
    const p, const r = .{ estimates orelse return .invalid_argument, residuals orelse return .invalid_argument };
    const to = result orelse return .invalid_argument;
    var local: Arena = undefined;
    const arena = arenaOf(.spreading, scratch, &local);
    defer if (arena == &local) local.dissolve();
    const fits = kernels().push(arena, csr, start, seed_count, call.settings, past, nodes, p, r, to);
    return if (fits) .ok else refused(.spreading, arena, scratch);
}

pub export fn ecp_pull(
    incoming: ?*const RawIncoming,
    first: usize,
    end: usize,
    lanes: usize,
    scale: f32,
    evenly: ?[*]const f32,
    x: ?[*]const f32,
    sums: ?[*]f32,
) Status {
    const edges = (incoming orelse return .invalid_argument).checked() orelse return .invalid_argument;
    if (first > end or end > edges.node_count or !raw_cue.areLanes(lanes)) return .invalid_argument;
    const same, const given = .{ evenly orelse return .invalid_argument, x orelse return .invalid_argument };
    kernels().pull(edges, first, end, lanes, scale, same, given, sums orelse return .invalid_argument);
    return .ok;
}

pub export fn ecp_settle(
    rows: usize,
    lanes: usize,
    out_strengths: ?[*]const f32,
    keep: f32,
    gain: f32,
    sums: ?[*]const f32,
    ranks: ?[*]f32,
    totals: ?[*]f64,
) Status {
    if (!raw_cue.areLanes(lanes) or !areAddressable(rows, lanes, @sizeOf(f32))) return .invalid_argument;
    const strengths = out_strengths orelse return .invalid_argument;
    const given, const p = .{ sums orelse return .invalid_argument, ranks orelse return .invalid_argument };
    kernels().settle(rows, lanes, strengths, keep, gain, given, p, totals orelse return .invalid_argument);
    return .ok;
}

// Decay

pub export fn ecp_decay(
    law: ?*const RawLaw,
    ages: ?*const tier.Ages,
    strengths: ?[*]const f32,
    decayed: ?[*]f32,
    count: usize,
    selection: ?*RawSelection,
    report: ?*decay.Report,
) Status {
    const known = if (law) |raw| raw.checked(count) orelse return .invalid_argument else return .invalid_argument;
    const stamps = ages orelse return .invalid_argument;
    const to = report orelse return .invalid_argument;
    if (!areAddressable(count, 1, @sizeOf(f32))) return .invalid_argument;
    if (absent(strengths, count) or absent(decayed, count)) return .invalid_argument;
    if (!forgetting.areThere(stamps, count)) return .invalid_argument;
    const wanted = if (selection) |raw| raw.checked(count) orelse return .invalid_argument else null;
    kernels().decay(known, stamps, strengths, decayed, count, wanted, to);
    return .ok;
}

pub export fn ecp_base_levels(
    level: ?*const forgetting.RawBaseLevel,
    activations: ?[*]f32,
    report: ?*decay.Report,
) Status {
    const known = (level orelse return .invalid_argument).checked(activations) orelse return .invalid_argument;
    kernels().base_levels(known, activations, report orelse return .invalid_argument);
    return .ok;
}

pub export fn ecp_fsrs_review(memories: ?*const forgetting.RawFsrs) Status {
    const raw = memories orelse return .invalid_argument;
    kernels().review(raw.checked(null, true) orelse return .invalid_argument);
    return .ok;
}

pub export fn ecp_fsrs_retrievability(memories: ?*const forgetting.RawFsrs, retrievabilities: ?[*]f32) Status {
    const raw = memories orelse return .invalid_argument;
    kernels().retrievability(raw.checked(retrievabilities, false) orelse return .invalid_argument, retrievabilities);
    return .ok;
}

comptime {
    for (@typeInfo(ArenaHead).@"struct".field_names) |name| {
        if (@offsetOf(ArenaHead, name) != @offsetOf(Arena, name)) @compileError("layouts differ at " ++ name);
    }
}
