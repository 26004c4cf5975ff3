//! Bump arena over a borrowed range of bytes. It knows no threads and no operating system.
//!
//!     base                cursor                    base + capacity
//!     | held by scopes    | free                    |
//!
//! `mark` notes the cursor, `rewind` puts it back. The cursor and the capacity are always whole
//! blocks of 64 bytes, so an allocation rounds its size and never its address, and the one
//! comparison `size > capacity - cursor` cannot wrap, however hostile the size.
//!
//! One thread owns an arena. What another thread may read (cursor, high water, counters) is written
//! with relaxed stores, which cost what plain stores cost.

const std = @import("std");
const assert = std.debug.assert;

/// Every block starts on a cache line.
pub const alignment = 64;

/// `size` in whole blocks; saturates, so that a sum of needs stays an honest "too much".
pub fn rounded(size: usize) usize {
    return if (size > std.math.maxInt(usize) - (alignment - 1))
        std.math.maxInt(usize)
    else
        (size + (alignment - 1)) & ~@as(usize, alignment - 1);
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
    /// Highest cursor that a rewind has left behind; `highWater` adds the present one.
    high_water: usize = 0,
    /// Bytes that the last refused request would have brought the arena to.
    wanted: usize = 0,
    overflow_count: u64 = 0,
    rewind_count: u64 = 0,

    /// An arena over `bytes`. Bytes before the first cache line and after the last are left out.
    pub fn over(bytes: []u8) Arena {
        const address = @intFromPtr(bytes.ptr);
        const skipped = rounded(address) - address;
        if (bytes.len < skipped +| alignment) return .{ .base = &nothing, .capacity = 0 };
        return .{
            .base = @alignCast(bytes.ptr + skipped),
            .capacity = (bytes.len - skipped) & ~@as(usize, alignment - 1),
        };
    }

    pub fn mark(arena: *const Arena) Mark {
        return @fromBackingInt(arena.cursor);
    }

    /// Gives back everything allocated since `to`. Nothing is cleared.
    pub fn rewind(arena: *Arena, to: Mark) void {
        arena.rewindWith(to, true);
    }

    /// As `rewind`; benchmarks ask what its counters cost.
    pub inline fn rewindWith(arena: *Arena, to: Mark, comptime counted: bool) void {
        const cursor: usize = @backingInt(to);
        assert(cursor <= arena.cursor);
        // Between rewinds the cursor only grows: looking here sees every peak, at no cost per allocation.
        if (counted and arena.cursor > arena.high_water) store(usize, &arena.high_water, arena.cursor);
        store(usize, &arena.cursor, cursor);
        if (counted) store(u64, &arena.rewind_count, arena.rewind_count + 1);
    }

    /// Fails unless `size` bytes are free. A kernel calls it once with its whole need, before its
    /// first allocation: the refusal then names the need, and nothing has been written.
    pub fn require(arena: *Arena, size: usize) error{OutOfMemory}!void {
        if (size > arena.capacity - arena.cursor) return arena.refuse(size);
    }

    /// `count` uncleared items.
    pub fn alloc(arena: *Arena, comptime T: type, count: usize) error{OutOfMemory}![]align(alignment) T {
        comptime assert(@alignOf(T) <= alignment);
        const block = try arena.allocBytes(count *| @sizeOf(T));
        return @as([*]align(alignment) T, @ptrCast(block.ptr))[0..count];
    }

    /// `size` uncleared bytes.
    pub inline fn allocBytes(arena: *Arena, size: usize) error{OutOfMemory}![]align(alignment) u8 {
        const cursor = arena.cursor;
        if (size > arena.capacity - cursor) return arena.refuse(size);
        // What is free is whole blocks of an address space's part: rounding up neither leaves it nor wraps.
        store(usize, &arena.cursor, cursor + ((size + (alignment - 1)) & ~@as(usize, alignment - 1)));
        return @alignCast(arena.base[cursor..][0..size]);
    }

    pub fn highWater(arena: *const Arena) usize {
        return @max(load(usize, &arena.high_water), load(usize, &arena.cursor));
    }

    fn refuse(arena: *Arena, size: usize) error{OutOfMemory} {
        @branchHint(.cold);
        arena.wanted = arena.cursor +| rounded(size);
        store(u64, &arena.overflow_count, arena.overflow_count + 1);
        return error.OutOfMemory;
    }
};

/// What an arena of no bytes points at; it is never read or written.
var nothing: [0]u8 align(alignment) = .{};

/// Reads a figure that its owner may be writing.
pub fn load(comptime T: type, figure: *const T) T {
    return @atomicLoad(T, figure, .monotonic);
}

/// Writes a figure that others may be reading. One writer: no read-modify-write is needed.
pub fn store(comptime T: type, figure: *T, value: T) void {
    @atomicStore(T, figure, value, .monotonic);
}

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
        try testing.expectError(error.OutOfMemory, arena.require(std.math.maxInt(usize) - less));
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
