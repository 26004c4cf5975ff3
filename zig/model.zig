//! An arena beside a model that knows every byte: who holds it and what its holder wrote there.
//!
//! Each operation goes to both, and the first difference between them is a panic that names the seed and the operation.
//! A block is filled when it is handed out, with bytes that differ by owner and place; it is compared whole when its
//! scope ends. Owners are noted by lines of 64 bytes, which no two blocks share: a line that somebody holds is never
//! handed out. The model computes in wider numbers than the arena, from what ecphory.h promises and not from how it is
//! kept.

const std = @import("std");
const arena_zig = @import("arena.zig");
const needs_zig = @import("needs.zig");
const Arena = arena_zig.Arena;
const alignment = arena_zig.alignment;

/// Bytes of the largest arena that a model stands beside.
pub const bytes_max = 16 << 10;
pub const depth_max = 12;
pub const blocks_max = 200;
/// Whose needs are told apart.
pub const callers = 3;

pub const Kind = enum { plain, caller, frame };

const Scope = struct {
    kind: Kind,
    start: usize,
    mark: arena_zig.Mark,
    /// Of a frame: itself, its owner number, where the next of its blocks begins and all of them end, and their number.
    frame: arena_zig.Frame = undefined,
    owner: u32 = nobody,
    next: usize = 0,
    end: usize = 0,
    blocks: u64 = 0,
};

const Block = struct { bytes: []align(alignment) u8, start: usize, owner: u32 };

const nobody = 0;
const largest = std.math.maxInt(usize);

/// Bytes that blocks are filled with, from a place of their own on.
const pattern: [bytes_max + 256]u8 = blk: {
    @setEvalBranchQuota(1_000_000);
    var state: u32 = 1;
    var bytes: [bytes_max + 256]u8 = undefined;
    for (&bytes) |*byte| {
        state = state *% 1664525 +% 1013904223;
        byte.* = state >> 24;
    }
    break :blk bytes;
};

/// The largest need of each bucket but the last, counted up from the first.
const edges: [needs_zig.bucket_count - 1]u64 = blk: {
    var all: [needs_zig.bucket_count - 1]u64 = undefined;
    var edge: u64 = 0;
    var octave: u64 = 1024;
    for (&all) |*to| {
        edge += octave / 16;
        if (edge == 2 * octave) octave *= 2;
        to.* = edge;
    }
    break :blk all;
};

/// Pinned: the arena points into it.
pub const Model = struct {
    arena: Arena,
    base: usize,
    capacity: usize,
    seed: u64,
    operation: u64 = 0,

    scopes: [depth_max]Scope,
    depth: usize,
    blocks: [blocks_max]Block,
    block_count: usize,
    /// By line: who holds it.
    owners: [bytes_max / alignment]u32,
    last_owner: u32 = nobody,
    written: [bytes_max]u8,

    cursor: usize,
    peak: usize,
    asked: usize,
    high_water: usize,
    rewinds: u64,
    overflows: u64,
    /// Blocks of frames that have closed.
    allocations: u64,
    wanted: usize,
    /// Scopes of callers that are open.
    open: usize,
    caller: ?usize,
    counts: [callers]needs_zig.Counts,
    high_waters: [callers]usize,
    needs: [callers]needs_zig.Needs,
    needs_counts: [callers]needs_zig.Counts,

    pub fn init(model: *Model, seed: u64) void {
        model.seed = seed;
        model.operation = 0;
        model.last_owner = nobody;
        model.owners = @splat(nobody);
        model.counts = @splat(@splat(0));
        model.needs_counts = @splat(@splat(0));
        model.high_waters = @splat(0);
        for (&model.needs, &model.needs_counts) |*needs, *counts| needs.* = .over(counts);
    }

    /// A new arena over `bytes`, which counts needs or does not.
    pub fn over(model: *Model, bytes: []u8, counted: bool) void {
        const first = std.mem.alignForward(usize, @intFromPtr(bytes.ptr), alignment);
        const last = std.mem.alignBackward(usize, @intFromPtr(bytes.ptr) + bytes.len, alignment);
        model.arena = .over(bytes);
        model.capacity = last -| first;
        model.base = if (model.capacity > 0) first else @intFromPtr(model.arena.base);
        model.depth = 0;
        model.block_count = 0;
        for ([_]*usize{ &model.cursor, &model.peak, &model.asked, &model.high_water, &model.wanted }) |to| to.* = 0;
        for ([_]*u64{ &model.rewinds, &model.overflows, &model.allocations }) |to| to.* = 0;
        model.open = 0;
        model.caller = null;
        for (&model.needs) |*needs| needs.forget(); // As when a thread's record goes to the next.
        model.expect("the first byte at", model.base, @intFromPtr(model.arena.base));
        if (counted) model.call(0);
        model.agree();
    }

    /// From here on scopes are `caller`'s. Only while none is open and nothing is held.
    pub fn call(model: *Model, caller: usize) void {
        model.caller = caller;
        model.arena.needs = &model.needs[caller];
    }

    pub fn begin(model: *Model, kind: Kind) void {
        const mark = model.arena.mark();
        if (kind == .caller) {
            model.arena.enter();
            model.open += 1;
        }
        model.push(.{ .kind = kind, .start = model.cursor, .mark = mark });
        model.agree();
    }

    /// Returns whether the frame was given.
    pub fn beginFrame(model: *Model, need: usize) bool {
        const mark = model.arena.mark();
        const frame = model.arena.frame(need) catch {
            model.refused(need);
            model.rewound(model.cursor);
            model.agree();
            return false;
        };
        model.fits(need, model.capacity - model.cursor);
        const start = model.cursor;
        model.taken(need);
        model.last_owner += 1;
        for (model.lines(start, need)) |*owner| model.claim(owner, nobody, model.last_owner);
        model.push(.{
            .kind = .frame,
            .start = start,
            .mark = mark,
            .frame = frame,
            .owner = model.last_owner,
            .next = start,
            .end = model.cursor,
        });
        model.agree();
        return true;
    }

    /// The innermost scope ends.
    pub fn end(model: *Model) void {
        const scope = &model.scopes[model.depth - 1];
        while (model.block_count > 0 and model.blocks[model.block_count - 1].start >= scope.start) {
            model.block_count -= 1;
            model.look(&model.blocks[model.block_count]);
        }
        @memset(model.owners[scope.start / alignment .. model.cursor / alignment], nobody);
        switch (scope.kind) {
            .plain => model.arena.rewind(scope.mark),
            .caller => {
                model.arena.leave(scope.mark);
                model.open -= 1;
            },
            .frame => scope.frame.close(),
        }
        model.allocations += scope.blocks;
        model.depth -= 1;
        model.rewound(scope.start);
        model.agree();
    }

    pub fn allocBytes(model: *Model, size: usize) bool {
        return model.given(size, model.arena.allocBytes(size));
    }

    pub fn alloc(model: *Model, comptime T: type, count: usize) bool {
        return model.given(sizeOf(T, count), if (model.arena.alloc(T, count)) |items| blk: {
            model.expect("items", count, items.len);
            break :blk bytesOf(T, items);
        } else |refusal| refusal);
    }

    /// A block of the innermost scope, which is a frame.
    pub fn carveBytes(model: *Model, size: usize) bool {
        return model.carved(size, model.scopes[model.depth - 1].frame.allocBytes(size));
    }

    pub fn carve(model: *Model, comptime T: type, count: usize) bool {
        const frame = &model.scopes[model.depth - 1].frame;
        return model.carved(sizeOf(T, count), if (frame.alloc(T, count)) |items| blk: {
            model.expect("items", count, items.len);
            break :blk bytesOf(T, items);
        } else |refusal| refusal);
    }

    /// Looks at every byte that is held.
    pub fn lookAtAll(model: *Model) void {
        for (model.blocks[0..model.block_count]) |*block| model.look(block);
    }

    /// Looks at what was counted of every caller's needs.
    pub fn lookAtNeeds(model: *Model) void {
        for (&model.needs, &model.counts, &model.high_waters) |*needs, *counts, high_water| {
            model.expect("a caller's high water of", high_water, needs.high_water);
            for (counts, needs.counts, 0..) |expected, found, bucket| {
                if (expected != found) std.debug.print("bucket {d}: ", .{bucket});
                model.expect("needs", expected, found);
            }
        }
    }

    fn given(model: *Model, size: usize, answer: error{OutOfMemory}![]align(alignment) u8) bool {
        defer model.agree();
        const bytes = answer catch {
            model.refused(size);
            return false;
        };
        model.fits(size, model.capacity - model.cursor);
        const start = model.cursor;
        model.taken(size);
        model.hold(bytes, start, size, nobody);
        return true;
    }

    fn carved(model: *Model, size: usize, answer: error{OutOfMemory}![]align(alignment) u8) bool {
        defer model.agree();
        const scope = &model.scopes[model.depth - 1];
        const bytes = answer catch {
            if (size <= scope.end - scope.next) model.fail("a block of {d} bytes, found a refusal", .{size});
            return false;
        };
        model.fits(size, scope.end - scope.next);
        model.hold(bytes, scope.next, size, scope.owner);
        scope.next = std.mem.alignForward(usize, scope.next + size, alignment);
        scope.blocks += 1;
        return true;
    }

    fn hold(model: *Model, bytes: []align(alignment) u8, start: usize, size: usize, from: u32) void {
        model.expect("a block at", model.base + start, @intFromPtr(bytes.ptr));
        model.expect("bytes in it", size, bytes.len);
        model.last_owner += 1;
        for (model.lines(start, size)) |*owner| model.claim(owner, from, model.last_owner);
        const fill = pattern[model.last_owner % 256 ..][0..size];
        @memcpy(bytes, fill);
        @memcpy(model.written[start..][0..size], fill);
        if (size == 0) return;
        if (model.block_count == blocks_max) model.fail("room for a block of {d} bytes, found none", .{size});
        model.blocks[model.block_count] = .{
            .bytes = bytes,
            .start = start,
            .owner = model.last_owner,
        };
        model.block_count += 1;
    }

    /// A block holds what its owner wrote, and nobody else has it.
    fn look(model: *Model, block: *const Block) void {
        for (model.lines(block.start, block.bytes.len)) |*owner| model.claim(owner, block.owner, block.owner);
        const expected = model.written[block.start..][0..block.bytes.len];
        const at = std.mem.findDiff(u8, expected, block.bytes) orelse return;
        const len = block.bytes.len;
        model.fail("{d} at byte {d} of a block of {d}, found {d}", .{ expected[at], at, len, block.bytes[at] });
    }

    fn claim(model: *Model, owner: *u32, from: u32, to: u32) void {
        model.expect("a line's owner", from, owner.*);
        owner.* = to;
    }

    fn lines(model: *Model, start: usize, size: usize) []u32 {
        return model.owners[start / alignment ..][0 .. std.mem.alignForward(usize, size, alignment) / alignment];
    }

    fn push(model: *Model, scope: Scope) void {
        model.scopes[model.depth] = scope;
        model.depth += 1;
    }

    fn fits(model: *Model, size: usize, room: usize) void {
        if (size > room) model.fail("a refusal of {d} bytes, found a block: there are {d}", .{ size, room });
    }

    fn taken(model: *Model, size: usize) void {
        model.cursor += std.mem.alignForward(usize, size, alignment);
        model.peak = @max(model.peak, model.cursor);
        model.high_water = @max(model.high_water, model.cursor);
    }

    fn refused(model: *Model, size: usize) void {
        const room = model.capacity - model.cursor;
        if (size <= room) model.fail("a block of {d} bytes, found a refusal: there are {d}", .{ size, room });
        // The need in whole lines, and what is held: neither is more than the largest number.
        const whole: usize = @intCast(@min(std.mem.alignForward(u128, size, alignment), largest));
        model.wanted = @intCast(@min(@as(u128, model.cursor) + whole, largest));
        model.asked = @max(model.asked, model.wanted);
        model.overflows += 1;
    }

    /// The cursor is back at `to`. Where nothing is held and no caller's scope is open, a need is complete.
    fn rewound(model: *Model, to: usize) void {
        model.cursor = to;
        model.rewinds += 1;
        if (to != 0 or model.open != 0) return;
        if (model.caller) |caller| {
            const need = @max(model.peak, model.asked);
            const bucket = std.sort.lowerBound(u64, &edges, @as(u64, need), order);
            model.counts[caller][bucket] += 1;
            model.high_waters[caller] = @max(model.high_waters[caller], model.peak);
        }
        model.peak = 0;
        model.asked = 0;
    }

    fn agree(model: *const Model) void {
        const arena = &model.arena;
        model.expect("a capacity of", model.capacity, arena.capacity);
        model.expect("a cursor at", model.cursor, arena.cursor);
        model.expect("a high water of", model.high_water, arena.highWater());
        model.expect("rewinds", model.rewinds, arena.rewind_count);
        model.expect("overflows", model.overflows, arena.overflow_count);
        model.expect("allocations", model.allocations, arena.allocation_count);
        model.expect("bytes wanted", model.wanted, arena.wanted);
        model.expect("open scopes", model.open, arena.open);
    }

    inline fn expect(model: *const Model, comptime what: []const u8, expected: usize, found: usize) void {
        if (expected != found) model.fail(what ++ " {d}, found {d}", .{ expected, found });
    }

    noinline fn fail(model: *const Model, comptime format: []const u8, values: anytype) noreturn {
        @branchHint(.cold);
        std.debug.panic("seed {d}, operation {d}: expected " ++ format, .{ model.seed, model.operation } ++ values);
    }
};

/// Where std's own would put no bytes anywhere.
fn bytesOf(comptime T: type, items: []align(alignment) T) []align(alignment) u8 {
    return @as([*]align(alignment) u8, @ptrCast(items.ptr))[0 .. items.len * @sizeOf(T)];
}

fn order(need: u64, edge: u64) std.math.Order {
    return std.math.order(need, edge);
}

fn sizeOf(comptime T: type, count: usize) usize {
    return @intCast(@min(@as(u128, count) * @sizeOf(T), largest));
}
