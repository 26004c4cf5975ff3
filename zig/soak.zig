//! Random programs and hostile sizes on arenas, each compared with a model at every step.
//!
//!     zig build soak -- OPERATIONS [SEED]
//!
//! As many operations of random programs, and after them a tenth as many of each kind of request with sizes that are
//! wrong in every way known. On a terminal it tells how far it is.

const std = @import("std");
const arena_zig = @import("arena.zig");
const model_zig = @import("model.zig");
const Model = model_zig.Model;
const alignment = arena_zig.alignment;

const Random = struct {
    state: std.Random.DefaultPrng,

    fn below(random: *Random, limit: usize) usize {
        return @intCast((@as(u128, random.state.next()) * limit) >> 64);
    }

    /// Most are small, some are more than there is.
    fn size(random: *Random) usize {
        if (random.below(64) == 0) return random.hostile(1, model_zig.bytes_max);
        const bits: u6 = @intCast(random.below(12));
        return random.below(@as(usize, 1) << bits);
    }

    /// Sizes around nothing, around `room`, around the largest number, around what wraps when multiplied, and any.
    fn hostile(random: *Random, item: usize, room: usize) usize {
        const near = random.below(4096);
        return switch (random.below(7)) {
            0 => near % 130,
            1 => std.math.maxInt(usize) - near,
            2 => room / item -% 2048 +% near,
            3 => room / item -% 64 +% near % 128,
            // Times the size of an item about a multiple of 2^64: what wraps is near 0 or near the largest number.
            4 => @as(usize, @truncate((@as(u128, 1 + random.below(item)) << 64) / item)) -% 2048 +% near,
            5 => random.state.next(),
            else => random.state.next() >> @intCast(random.below(64)),
        };
    }
};

/// Of every alignment, and of sizes that no line is a multiple of.
const item_types = .{
    u8,
    [3]u8,
    u16,
    extern struct { a: u32, b: u32, c: u32 },
    f64,
    u128,
    extern struct { a: u64 align(32) },
    extern struct { a: u8 align(64), b: u64 },
};

comptime {
    var log2 = 0;
    for (item_types) |T| {
        if (@alignOf(T) == 1 << log2) log2 += 1;
    }
    if (1 << (log2 - 1) != alignment) @compileError("an alignment is missing");
}

/// What a run keeps; too large for a stack.
const Run = struct {
    model: Model = undefined,
    random: Random,
    bytes: [model_zig.bytes_max + 2 * alignment]u8 align(alignment) = undefined,

    fn start(run: *Run, seed: u64) void {
        run.random = .{ .state = .init(seed) };
        run.model.init(seed);
    }

    /// The program of a number: an arena of some size at some misalignment, and scopes in it.
    fn program(run: *Run, nth: usize, operations: usize) void {
        const model = &run.model;
        const random = &run.random;
        const most: usize = if (nth % 15 == 0) 2 * alignment else model_zig.bytes_max;
        model.over(run.bytes[nth % alignment ..][0..random.below(most)], nth % 7 != 0);
        for (0..operations) |_| {
            model.operation += 1;
            run.step();
        }
        while (model.depth > 0) model.end();
        model.lookAtNeeds();
    }

    fn step(run: *Run) void {
        const model = &run.model;
        const random = &run.random;
        if (model.depth == 0 and model.caller != null) model.call(random.below(model_zig.callers));
        const full = model.depth == model_zig.depth_max or model.block_count == model_zig.blocks_max;
        const in_frame = model.depth > 0 and model.scopes[model.depth - 1].kind == .frame;
        switch (random.below(16)) {
            0, 1 => if (full) model.end() else model.begin(if (random.below(2) == 0) .plain else .caller),
            2, 3 => if (full) model.end() else {
                _ = model.beginFrame(random.size());
            },
            4, 5, 6 => if (model.depth > 0) model.end(),
            7 => if (random.below(64) == 0) model.lookAtAll(),
            else => if (full) model.end() else if (in_frame) run.carve(random.size()) else run.alloc(random.size()),
        }
    }

    fn alloc(run: *Run, size: usize) void {
        // Outside of a scope nothing would give it back.
        if (run.model.depth == 0) run.model.begin(.plain);
        const which = run.random.below(item_types.len + 1);
        inline for (item_types, 0..) |T, i| if (which == i) {
            _ = run.model.alloc(T, size / @sizeOf(T));
            return;
        };
        _ = run.model.allocBytes(size);
    }

    fn carve(run: *Run, size: usize) void {
        const which = run.random.below(item_types.len + 1);
        inline for (item_types, 0..) |T, i| if (which == i) {
            _ = run.model.carve(T, size / @sizeOf(T));
            return;
        };
        _ = run.model.carveBytes(size);
    }

    /// Every kind of request once, with sizes that no caller means, in an arena that is partly held.
    fn hostileRound(run: *Run, nth: usize) void {
        const model = &run.model;
        const random = &run.random;
        if (nth % 64 == 0) model.over(run.bytes[nth / 64 % alignment ..][0..random.below(4096)], true);
        model.operation += 1;
        model.begin(.plain);
        _ = model.allocBytes(random.below(1024));
        const room = model.capacity - model.cursor;
        model.begin(.plain);
        _ = model.allocBytes(random.hostile(1, room));
        model.end();
        const which = random.below(item_types.len);
        inline for (item_types, 0..) |Item, i| if (which == i) {
            model.begin(.plain);
            _ = model.alloc(Item, random.hostile(@sizeOf(Item), room));
            model.end();
        };
        if (model.beginFrame(random.hostile(1, room))) model.end();
        if (model.beginFrame(random.below(room + 1))) {
            const left = model.scopes[model.depth - 1].end - model.cursor;
            _ = model.carveBytes(random.hostile(1, left));
            inline for (item_types, 0..) |Item, i| if (which == i) {
                _ = model.carve(Item, random.hostile(@sizeOf(Item), left));
            };
            model.end();
        }
        model.end();
        if (nth % 64 == 63) model.lookAtNeeds();
    }
};

var whole: Run = undefined;

const program_operations = 1000;

pub fn main(init: std.process.Init) !void {
    var arguments = try init.minimal.args.iterateAllocator(init.gpa);
    defer arguments.deinit();
    _ = arguments.skip();
    const operations = number(arguments.next() orelse std.process.fatal("expected OPERATIONS, found nothing", .{}));
    const seed = if (arguments.next()) |text| number(text) else 1;
    const progress = std.Progress.start(init.io, .{});
    defer progress.end();

    const programs = std.math.divCeil(usize, operations, program_operations) catch unreachable;
    const in_programs = progress.start("programs", programs);
    whole.start(seed);
    for (0..programs) |i| {
        whole.program(i, program_operations);
        in_programs.completeOne();
    }
    in_programs.end();

    const in_rounds = progress.start("hostile sizes", operations / 10);
    whole.start(seed);
    for (0..operations / 10) |i| {
        whole.hostileRound(i);
        if (i % 1024 == 0) in_rounds.setCompletedItems(i);
    }
    in_rounds.end();
}

fn number(text: []const u8) usize {
    return std.fmt.parseInt(usize, text, 10) catch std.process.fatal("expected a number, found '{s}'", .{text});
}

test "random programs and hostile sizes do what the model does" {
    whole.start(7);
    for (0..100) |i| whole.program(i, 500);
    whole.start(7);
    for (0..20_000) |i| whole.hostileRound(i);
}
