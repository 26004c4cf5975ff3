//! The exports of ecphory_bench.h: the limits of this machine, and arenas used from inside Zig, for benchmarks. Only in
//! archives built with the option `bench`.

const std = @import("std");
const builtin = @import("builtin");
const abi = @import("abi.zig");
const cpu = @import("cpu.zig");
const limits = @import("limits.zig");
const thread = @import("thread.zig");
const arena_zig = @import("arena.zig");
const backing = @import("backing.zig").native;
const Arena = arena_zig.Arena;
const Status = abi.Status;

const tables = blk: {
    var list: [cpu.tiers.len]*const limits.Table = undefined;
    for (&list, cpu.tiers) |*table, known| {
        table.* = @extern(*const limits.Table, .{ .name = "ecp_limits_" ++ known.name, .visibility = .hidden });
    }
    break :blk list;
};

pub export fn ecp_bench_read(words: ?[*]const u64, count: usize, prefetched: bool) u64 {
    return tables[abi.tierInUse()].read(words orelse return 0, count, prefetched);
}

pub export fn ecp_bench_multiply_adds(rounds: usize) u64 {
    return tables[abi.tierInUse()].multiply_adds(rounds);
}

pub export fn ecp_bench_i8_dots(rounds: usize) u64 {
    return tables[abi.tierInUse()].i8_dots(rounds);
}

pub export fn ecp_bench_bf16_dots(rounds: usize) u64 {
    return tables[abi.tierInUse()].bf16_dots(rounds);
}

/// Each addition waits for the one before it.
pub export fn ecp_bench_dependent_adds(count: usize) u64 {
    const add = if (builtin.cpu.arch == .x86_64) "addq %[step], %[sum]" else "add %[sum], %[sum], %[step]";
    var sum: u64 = 0;
    const step: u64 = 1;
    for (0..count / 16) |_| inline for (0..16) |_| {
        sum = asm volatile (add
            : [sum] "=r" (-> u64),
            : [step] "r" (step),
              [_] "0" (sum),
        );
    };
    return sum;
}

pub export fn ecp_bench_empty() void {}

/// Blocks between two rewinds, as in the peers that this is held against.
const batch = 64;

pub export fn ecp_bench_arena_allocs(size: usize, count: usize, counted: bool) Status {
    const arena = thread.lend() catch return .out_of_memory;
    const held = if (counted) allocs(arena, size, count, true) else allocs(arena, size, count, false);
    held catch return .out_of_memory;
    return .ok;
}

fn allocs(arena: *Arena, size: usize, count: usize, comptime counted: bool) error{OutOfMemory}!void {
    const mark = arena.mark();
    defer arena.rewindWith(mark, counted);
    var left = count;
    while (left > 0) {
        const now = @min(left, batch);
        for (0..now) |_| use((try arena.allocBytes(opaqueSize(size))).ptr);
        arena.rewindWith(mark, counted);
        left -= now;
    }
}

/// As `ecp_bench_arena_allocs`, the blocks carved out of frames of 64, as kernels do.
pub export fn ecp_bench_arena_carves(size: usize, count: usize) Status {
    const arena = thread.lend() catch return .out_of_memory;
    var left = count;
    while (left > 0) {
        const now = @min(left, batch);
        var frame = arena.frame(arena_zig.rounded(size) *| now) catch return .out_of_memory;
        defer frame.close();
        for (0..now) |_| use((frame.allocBytes(opaqueSize(size)) catch return .out_of_memory).ptr);
        left -= now;
    }
    return .ok;
}

pub export fn ecp_bench_arena_kernel3(count: usize, counted: bool) Status {
    const arena = thread.lendTo(.caller) catch return .out_of_memory;
    for (0..count) |_| {
        const held = if (counted) kernel3(arena, true) else kernel3(arena, false);
        held catch return .out_of_memory;
    }
    return .ok;
}

pub export fn ecp_bench_arena_blocks3(count: usize) Status {
    const arena = thread.lendTo(.caller) catch return .out_of_memory;
    for (0..count) |_| blocks3(arena) catch return .out_of_memory;
    return .ok;
}

/// As `kernel3`, each block asked for by itself.
inline fn blocks3(arena: *Arena) error{OutOfMemory}!void {
    const mark = arena.mark();
    defer arena.rewind(mark);
    inline for (.{ 3 << 10, 4 << 10, 8 << 10 }) |size| {
        const block = try arena.allocBytes(opaqueSize(size));
        std.mem.writeInt(u64, block[0..8], 1, .native);
        use(block.ptr);
    }
}

pub export fn ecp_bench_arena_kernel3_once() Status {
    const arena = thread.lendTo(.caller) catch return .out_of_memory;
    kernel3(arena, true) catch return .out_of_memory;
    return .ok;
}

pub export fn ecp_bench_arena_kernel3_once_uncounted() Status {
    const arena = thread.lend() catch return .out_of_memory;
    kernel3(arena, false) catch return .out_of_memory;
    return .ok;
}

/// The scratch of a small kernel: three blocks, a word written in each.
inline fn kernel3(arena: *Arena, comptime counted: bool) error{OutOfMemory}!void {
    var sizes: [3]usize = undefined;
    inline for (&sizes, .{ 3 << 10, 4 << 10, 8 << 10 }) |*size, known| size.* = opaqueSize(known);
    // As kernels do whose arguments were looked at: none of these is near the end of an address space, or carving
    // fails.
    var need: usize = 0;
    inline for (sizes) |size| need +%= arena_zig.wholeBlocks(size);
    var frame = try arena.frame(need);
    defer frame.closeWith(counted);
    inline for (sizes) |size| {
        const block = try frame.allocBytes(size);
        std.mem.writeInt(u64, block[0..8], 1, .native);
        use(block.ptr);
    }
}

pub export fn ecp_bench_arena_birth(capacity: usize, touched: bool) Status {
    const pages = backing.map(capacity) catch return .out_of_memory;
    defer backing.unmap(pages);
    var at: usize = 0;
    while (touched and at < pages.len) : (at += std.heap.pageSize()) pages[at] = 1;
    use(pages.ptr);
    return .ok;
}

/// A size that the compiler cannot know, as one that came from outside.
inline fn opaqueSize(size: usize) usize {
    return asm volatile (""
        : [out] "=r" (-> usize),
        : [in] "0" (size),
    );
}

/// The compiler must have made the pointer.
inline fn use(pointer: anytype) void {
    asm volatile (""
        :
        : [pointer] "r" (pointer),
    );
}

const testing = std.testing;

test "arena loops leave the arena as it was, and say when it is too small" {
    const arena = try thread.lend();
    defer thread.release();
    for ([_]bool{ true, false }) |counted| {
        try testing.expectEqual(Status.ok, ecp_bench_arena_allocs(1000, 200, counted));
        try testing.expectEqual(Status.ok, ecp_bench_arena_kernel3(7, counted));
        try testing.expectEqual(Status.ok, if (counted)
            ecp_bench_arena_kernel3_once()
        else
            ecp_bench_arena_kernel3_once_uncounted());
        try testing.expectEqual(Status.out_of_memory, ecp_bench_arena_allocs(arena.capacity, 2, counted));
        try testing.expectEqual(0, arena.cursor);
    }
    try testing.expectEqual(Status.ok, ecp_bench_arena_blocks3(7));
    try testing.expectEqual(Status.ok, ecp_bench_arena_carves(1000, 200));
    try testing.expectEqual(Status.out_of_memory, ecp_bench_arena_carves(arena.capacity, 2));
    try testing.expect(arena.highWater() >= batch * arena_zig.rounded(1000));
    for ([_]bool{ true, false }) |touched| try testing.expectEqual(Status.ok, ecp_bench_arena_birth(1 << 20, touched));
    try testing.expectEqual(32, ecp_bench_dependent_adds(40));
}
