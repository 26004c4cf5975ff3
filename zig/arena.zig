//! Bump arena over a borrowed range of bytes. It knows no threads and no operating system.
//!
//!     base                cursor                    base + capacity
//!     | held by scopes    | free                    |
//!
//! `mark` notes the cursor, `rewind` puts it back. The cursor and the capacity are always whole
//! blocks of 64 bytes, so an allocation rounds its size and never its address, and the one
//! comparison `size > capacity - cursor` cannot wrap, however hostile the size.
//!
//! A kernel takes its whole need at once, as a `Frame`, and carves its blocks out of that in registers: one comparison
//! and one write of the cursor, however many blocks.
//!
//! One thread owns an arena. What another thread may read (cursor, high water, counters) is written
//! with relaxed stores, which cost what plain stores cost. A signal handler may use the arena of the thread that it
//! interrupts: it rewinds to where it found the cursor before it returns, so no block of the thread's is touched; what
//! the thread was counting at that moment may be lost.
//!
//! With the option `poison`, bytes that nobody holds hold one value, and handing out bytes that do not is a panic: that
//! finds a write after a rewind, and one past the end that leaves the block's last line. Under valgrind such bytes may
//! not be touched at all, to the byte.

const std = @import("std");
const assert = std.debug.assert;
const memcheck = std.valgrind.memcheck;
const needs_zig = @import("needs.zig");
const Needs = needs_zig.Needs;
const load = needs_zig.load;
const store = needs_zig.store;
const bump = needs_zig.bump;
const giveOut = needs_zig.giveOut;

/// Every block starts on a cache line.
pub const alignment = 64;

/// Whether what nobody holds is overwritten and looked at.
pub const poison = @import("options").poison;
const poison_byte = 0xA5;

/// `size` in whole blocks; saturates, so that a sum of needs stays an honest "too much".
pub inline fn rounded(size: usize) usize {
    return if (size > std.math.maxInt(usize) - (alignment - 1))
        std.math.maxInt(usize)
    else
        wholeBlocks(size);
}

/// `rounded` for what is known to fit an address space.
pub inline fn wholeBlocks(size: usize) usize {
    return (size + (alignment - 1)) & ~@as(usize, alignment - 1);
}

/// Bytes that `count` items of `T` take in an arena; saturates.
pub fn sizeOf(comptime T: type, count: usize) usize {
    return rounded(count *| @sizeOf(T));
}

pub const Mark = enum(usize) { _ };

/// `extern`, because objects compiled for different CPUs share one arena.
pub const Arena = extern struct {
    base: [*]align(alignment) u8,
    capacity: usize,
    cursor: usize = 0,
    /// Scopes of callers that are open. A kernel's own is not counted: it is open for one call.
    open: usize = 0,
    /// Blocks that frames and callers were given. Counted where a frame closes or a call hands one out, not by `alloc`.
    allocation_count: u64 = 0,
    /// 0 where an outermost scope that ends is all there was since the one before: none inside it, nothing refused.
    eventful: usize = 1,
    /// Where the outermost scope's need is counted when it ends; none for an arena that no thread lives with, all of
    /// whose scopes are eventful.
    needs: ?*Needs = null,
    rewind_count: u64 = 0,
    /// Highest cursor that an inner scope has left behind since the outermost one began.
    peak: usize = 0,
    /// The most that a refused request would have brought the cursor to since the outermost scope began.
    asked: usize = 0,
    /// Highest cursor of all outermost scopes that have ended; `highWater` adds what is open.
    high_water: usize = 0,
    overflow_count: u64 = 0,
    /// Bytes that the last refused request would have brought the arena to.
    wanted: usize = 0,
    /// The need of a refused scope that runs again in a larger arena: it has been counted. 0 for none.
    retried: usize = 0,

    /// An arena over `bytes`. Bytes before the first cache line and after the last are left out.
    pub fn over(bytes: []u8) Arena {
        const address = @intFromPtr(bytes.ptr);
        const skipped = rounded(address) - address;
        if (bytes.len < skipped +| alignment) return .{ .base = &nothing, .capacity = 0 };
        var arena: Arena = .{
            .base = @alignCast(bytes.ptr + skipped),
            .capacity = (bytes.len - skipped) & ~@as(usize, alignment - 1),
        };
        arena.takeBack(0, arena.capacity);
        return arena;
    }

    pub fn mark(arena: *const Arena) Mark {
        return @fromBackingInt(arena.cursor);
    }

    /// Gives back everything allocated since `to`. Nothing is cleared.
    pub inline fn rewind(arena: *Arena, to: Mark) void {
        arena.rewindWith(to, true);
    }

    /// As `rewind`; benchmarks ask what its counters cost.
    pub inline fn rewindWith(arena: *Arena, to: Mark, comptime counted: bool) void {
        const cursor: usize = @backingInt(to);
        const left = arena.cursor;
        assert(cursor <= left);
        fence();
        arena.takeBack(cursor, left);
        if (!counted) return store(usize, &arena.cursor, cursor);
        bump(&arena.rewind_count);
        if (cursor | arena.open | arena.eventful != 0) return arena.ended(cursor, left);
        // Calls of one shape follow each other: most needs are what the last one was.
        const needs = arena.needs.?;
        if (left != needs.last) return arena.ended(cursor, left);
        store(usize, &arena.cursor, cursor);
        bump(needs.last_count);
    }

    /// The end of a scope that is not all there was, or needed something else than the last one. Peaks are written
    /// before what they replace is: whoever reads cursor, peak and high water in this order misses none.
    noinline fn ended(arena: *Arena, cursor: usize, left: usize) void {
        // Between rewinds the cursor only grows: looking here sees every peak, at no cost per allocation.
        if (left > arena.peak) store(usize, &arena.peak, left);
        arena.eventful = 1;
        if (cursor != 0 or arena.open != 0) return giveOut(&arena.cursor, cursor);
        const used = arena.peak;
        const need = @max(used, arena.asked);
        const again = need != 0 and need == arena.retried;
        if (used > arena.high_water) store(usize, &arena.high_water, used);
        giveOut(&arena.cursor, cursor);
        giveOut(&arena.peak, 0);
        arena.asked = 0;
        arena.retried = 0;
        const needs = arena.needs orelse return;
        arena.eventful = 0;
        if (again) needs.noteUsed(used) else needs.note(used, need);
    }

    /// A caller's scope begins.
    pub fn enter(arena: *Arena) void {
        arena.open += 1;
    }

    /// The innermost of a caller's scopes ends.
    pub fn leave(arena: *Arena, to: Mark) void {
        arena.open -|= 1;
        arena.rewind(to);
    }

    /// The whole need of a kernel, or nothing. A refusal names the need, and nothing has been written.
    pub inline fn frame(arena: *Arena, need: usize) error{OutOfMemory}!Frame {
        const start = arena.mark();
        const bytes = arena.take(need) catch |refusal| {
            arena.rewind(start);
            return refusal;
        };
        return .{ .arena = arena, .start = start, .next = bytes.ptr, .left = wholeBlocks(need) };
    }

    /// `count` uncleared items.
    pub fn alloc(arena: *Arena, comptime T: type, count: usize) error{OutOfMemory}![]align(alignment) T {
        comptime assert(@alignOf(T) <= alignment);
        const block = try arena.allocBytes(count *| @sizeOf(T));
        return @as([*]align(alignment) T, @ptrCast(block.ptr))[0..count];
    }

    pub inline fn noteAllocations(arena: *Arena, blocks: usize) void {
        store(u64, &arena.allocation_count, arena.allocation_count + blocks);
    }

    /// `size` uncleared bytes.
    pub inline fn allocBytes(arena: *Arena, size: usize) error{OutOfMemory}![]align(alignment) u8 {
        const block = try arena.take(size);
        handOut(block);
        return block;
    }

    inline fn take(arena: *Arena, size: usize) error{OutOfMemory}![]align(alignment) u8 {
        const cursor = arena.cursor;
        if (size > arena.capacity - cursor) return arena.refuse(size);
        // What is free is whole blocks of an address space's part: rounding up neither leaves it nor wraps.
        store(usize, &arena.cursor, cursor + wholeBlocks(size));
        fence();
        return @alignCast(arena.base[cursor..][0..size]);
    }

    pub fn highWater(arena: *const Arena) usize {
        return @max(load(usize, &arena.high_water), load(usize, &arena.peak), load(usize, &arena.cursor));
    }

    fn refuse(arena: *Arena, size: usize) error{OutOfMemory} {
        @branchHint(.cold);
        arena.wanted = arena.cursor +| rounded(size);
        arena.asked = @max(arena.asked, arena.wanted);
        arena.eventful = 1;
        bump(&arena.overflow_count);
        return error.OutOfMemory;
    }

    /// Bytes from `start` to `end` are nobody's from now on.
    inline fn takeBack(arena: *Arena, start: usize, end: usize) void {
        const bytes = arena.base[start..end];
        if (poison) {
            memcheck.makeMemUndefined(bytes); // Some of it was nobody's before.
            @memset(bytes, poison_byte);
        }
        memcheck.makeMemNoAccess(bytes);
    }

    /// The bytes are again whose they were before `over`.
    pub fn dissolve(arena: *Arena) void {
        memcheck.makeMemUndefined(arena.base[0..arena.capacity]);
    }

    /// As `takeBack`, of all that is free, for whoever has changed it by other ways.
    pub fn forget(arena: *Arena) void {
        arena.takeBack(arena.cursor, arena.capacity);
    }
};

/// A kernel's scratch: all of it taken, blocks carved out one after the other. To be closed, last opened first.
pub const Frame = struct {
    arena: *Arena,
    start: Mark,
    next: [*]align(alignment) u8,
    left: usize,
    blocks: usize = 0,

    /// `count` uncleared items.
    pub inline fn alloc(frame: *Frame, comptime T: type, count: usize) error{OutOfMemory}![]align(alignment) T {
        comptime assert(@alignOf(T) <= alignment);
        const block = try frame.allocBytes(count *| @sizeOf(T));
        return @as([*]align(alignment) T, @ptrCast(block.ptr))[0..count];
    }

    /// `size` uncleared bytes. Fails where blocks are more than the need that was stated.
    pub inline fn allocBytes(frame: *Frame, size: usize) error{OutOfMemory}![]align(alignment) u8 {
        if (size > frame.left) return error.OutOfMemory;
        const block: []align(alignment) u8 = frame.next[0..size];
        frame.next = @alignCast(frame.next + wholeBlocks(size));
        frame.left -= wholeBlocks(size);
        frame.blocks += 1;
        handOut(block);
        return block;
    }

    pub inline fn close(frame: Frame) void {
        frame.closeWith(true);
    }

    /// As `close`; benchmarks ask what its counters cost.
    pub inline fn closeWith(frame: Frame, comptime counted: bool) void {
        if (counted) frame.arena.noteAllocations(frame.blocks);
        frame.arena.rewindWith(frame.start, counted);
    }
};

/// No access to scratch moves across the cursor that hands it out or takes it back: a signal handler takes its own from
/// there. Costs no instruction.
inline fn fence() void {
    asm volatile ("" ::: .{ .memory = true });
}

/// `block` is somebody's from now on.
inline fn handOut(block: []align(alignment) u8) void {
    if (poison) {
        memcheck.makeMemDefined(block);
        if (damage(block)) |at| std.debug.panic(
            "scratch: expected no write to what nobody holds, found one at byte {d} of a new block of {d}",
            .{ at, block.len },
        );
    }
    memcheck.makeMemUndefined(block);
}

/// Where bytes that nobody held were written.
pub fn damage(bytes: []const u8) ?usize {
    return for (bytes, 0..) |byte, at| {
        if (byte != poison_byte) break at;
    } else null;
}

/// What an arena of no bytes points at; it is never read or written.
var nothing: [0]u8 align(alignment) = .{};

const testing = std.testing;

test "blocks are aligned, disjoint and inside the bytes given" {
    var bytes: [1024]u8 align(alignment) = undefined;
    for (0..alignment) |offset| {
        var arena: Arena = .over(bytes[offset..]);
        var end = @intFromPtr(&bytes) + offset;
        while (arena.allocBytes(1 + (end % 7))) |block| {
            try testing.expectEqual(0, @intFromPtr(block.ptr) % alignment);
            try testing.expect(@intFromPtr(block.ptr) >= end);
            end = @intFromPtr(block.ptr) + block.len;
            try testing.expect(end <= @intFromPtr(&bytes) + bytes.len);
        } else |_| {}
        try testing.expectEqual(1, arena.overflow_count);
    }
}

test "a range smaller than a block is an arena of nothing" {
    var bytes: [alignment + 63]u8 align(alignment) = undefined;
    for (0..bytes.len) |len| {
        var arena: Arena = .over(bytes[1..][0..@min(len, bytes.len - 1)]);
        try testing.expectEqual(0, arena.capacity);
        try testing.expectError(error.OutOfMemory, arena.allocBytes(1));
        _ = try arena.allocBytes(0);
    }
}

test "a hostile size is out of memory and moves nothing" {
    var bytes: [256]u8 align(alignment) = undefined;
    var arena: Arena = .over(&bytes);
    _ = try arena.allocBytes(64);
    for (0..8192) |less| {
        try testing.expectError(error.OutOfMemory, arena.allocBytes(std.math.maxInt(usize) - less));
        try testing.expectError(error.OutOfMemory, arena.frame(std.math.maxInt(usize) - less));
        try testing.expectError(error.OutOfMemory, arena.alloc(f64, std.math.maxInt(usize) / 8 - less));
        try testing.expectError(error.OutOfMemory, arena.alloc(f64, std.math.maxInt(usize) - less));
    }
    try testing.expectEqual(64, arena.cursor);
    try testing.expectEqual(4 * 8192, arena.overflow_count);
    try testing.expectError(error.OutOfMemory, arena.allocBytes(193));
    try testing.expectEqual(64 + 256, arena.wanted);
    _ = try arena.allocBytes(192);
}

test "rewind gives back what came after the mark, and the peak is remembered" {
    var bytes: [1024]u8 align(alignment) = undefined;
    var arena: Arena = .over(&bytes);
    const outer = arena.mark();
    const kept = try arena.allocBytes(100);
    const inner = arena.mark();
    const first = try arena.allocBytes(300);
    arena.rewind(inner);
    const second = try arena.allocBytes(10);
    try testing.expectEqual(first.ptr, second.ptr);
    try testing.expect(@intFromPtr(second.ptr) >= @intFromPtr(kept.ptr) + 100);
    try testing.expectEqual(128 + 320, arena.highWater());
    arena.rewind(outer);
    try testing.expectEqual(0, arena.cursor);
    try testing.expectEqual(128 + 320, arena.highWater());
    try testing.expectEqual(2, arena.rewind_count);
}

test "a frame is the whole need or nothing, and holds its blocks and no more" {
    var bytes: [1024]u8 align(alignment) = undefined;
    var arena: Arena = .over(&bytes);
    try testing.expectError(error.OutOfMemory, arena.frame(1025));
    try testing.expectEqual(1088, arena.wanted);
    try testing.expectEqual(0, arena.cursor);
    var frame = try arena.frame(300);
    try testing.expectEqual(320, arena.cursor);
    const first = try frame.alloc(u32, 50);
    const second = try frame.alloc(u8, 64);
    try testing.expectEqual(@intFromPtr(first.ptr) + 256, @intFromPtr(second.ptr));
    for (0..8192) |less| {
        try testing.expectError(error.OutOfMemory, frame.allocBytes(std.math.maxInt(usize) - less));
        try testing.expectError(error.OutOfMemory, frame.alloc(f64, std.math.maxInt(usize) - less));
    }
    try testing.expectError(error.OutOfMemory, frame.alloc(u8, 1));
    _ = try frame.alloc(u8, 0);
    frame.close();
    try testing.expectEqual(3, arena.allocation_count);
    try testing.expectEqual(0, arena.cursor);
    try testing.expectEqual(320, arena.highWater());
    try testing.expectEqual(1, arena.overflow_count);
}

test "every outermost scope's need is counted once, with what it was refused" {
    var bytes: [4096]u8 align(alignment) = undefined;
    var counts: needs_zig.Counts = @splat(0);
    var counted: Needs = .over(&counts);
    var arena: Arena = .over(&bytes);
    arena.needs = &counted;
    const at = needs_zig.bucketOf;
    (try arena.frame(640)).close();
    (try arena.frame(640)).close();
    try testing.expectEqual(2, counts[at(640)]);
    try testing.expectError(error.OutOfMemory, arena.frame(10_000));
    try testing.expectEqual(1, counts[at(rounded(10_000))]);
    try testing.expectEqual(640, counted.high_water);

    const outer = arena.mark();
    arena.enter();
    _ = try arena.allocBytes(128);
    (try arena.frame(1280)).close();
    try testing.expectError(error.OutOfMemory, arena.frame(4096));
    arena.leave(outer);
    try testing.expectEqual(1, counts[at(128 + 4096)]);
    try testing.expectEqual(128 + 1280, counted.high_water);
    try testing.expectEqual(128 + 1280, arena.highWater());
    (try arena.frame(64)).close();
    try testing.expectEqual(1, counts[at(64)]);
    var all: u64 = 0;
    for (counts) |count| all += count;
    try testing.expectEqual(5, all);
}

test "a write to what nobody holds is seen" {
    if (!poison) return error.SkipZigTest;
    var bytes: [1024]u8 align(alignment) = undefined;
    var arena: Arena = .over(&bytes);
    const start = arena.mark();
    const block = try arena.allocBytes(100);
    @memset(block, 1);
    try testing.expectEqual(100, (damage(arena.base[100..1024]) orelse 0) + 100);
    arena.rewind(start);
    try testing.expectEqual(null, damage(arena.base[0..1024]));
    block.ptr[70] = 2; // After the rewind.
    try testing.expectEqual(70, damage(arena.base[0..1024]));
    block.ptr[70] = poison_byte;
    block.ptr[128] = 2; // Past the end.
    try testing.expectEqual(128, damage(arena.base[0..1024]));
}

test "random programs of marks, rewinds and allocations never overlap" {
    var bytes: [4096]u8 align(alignment) = undefined;
    var random = std.Random.DefaultPrng.init(7);
    const next = random.random();
    for (0..2000) |_| {
        var arena: Arena = .over(bytes[next.uintLessThan(usize, 70)..]);
        var marks: [16]Mark = undefined;
        var cursors: [16]usize = undefined;
        var depth: usize = 0;
        for (0..60) |_| switch (next.uintLessThan(u8, 4)) {
            0 => if (depth < marks.len) {
                marks[depth] = arena.mark();
                cursors[depth] = arena.cursor;
                depth += 1;
            },
            1 => if (depth > 0) {
                depth -= 1;
                arena.rewind(marks[depth]);
                try testing.expectEqual(cursors[depth], arena.cursor);
            },
            else => {
                const before = arena.cursor;
                const size = next.uintLessThan(usize, 400);
                const block = arena.allocBytes(size) catch {
                    try testing.expect(size > arena.capacity - before);
                    continue;
                };
                try testing.expectEqual(before, @intFromPtr(block.ptr) - @intFromPtr(arena.base));
                try testing.expect(arena.cursor >= before + size and arena.cursor <= arena.capacity);
            },
        };
    }
}
