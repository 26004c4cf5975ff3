//! The threadlocal arena of the calling thread: born at its first kernel, lent to every kernel, ended by `release`.
//!
//! Zig's `threadlocal` has no destructor: whoever starts threads calls `release` before one ends.

const std = @import("std");
const arena_zig = @import("arena.zig");
const backing = @import("backing.zig").native;
const needs_zig = @import("needs.zig");
const registry_zig = @import("registry.zig");
const Arena = arena_zig.Arena;
const Kernel = registry_zig.Kernel;
const Slot = registry_zig.Slot;
const Stats = registry_zig.Stats;
const bump = needs_zig.bump;
const registry = &registry_zig.registry;
const store = needs_zig.store;

threadlocal var current: ?*Slot = null;
/// Above 0 while this thread may ask the system for nothing.
threadlocal var frozen: u32 = 0;

/// The arena of the calling thread, born if need be.
pub inline fn lend() error{OutOfMemory}!*Arena {
    const slot = current orelse birth() orelse return error.OutOfMemory;
    return &slot.arena;
}

/// `lend` for a kernel: what it needs is counted as its own, unless it runs inside a caller's scope.
pub inline fn lendTo(kernel: Kernel) error{OutOfMemory}!*Arena {
    const slot = current orelse birth() orelse return error.OutOfMemory;
    const arena = &slot.arena;
    // Whoever interrupts a kernel at work leaves it its count.
    if (arena.open | arena.cursor == 0) {
        arena.needs = &slot.needs[@backingInt(kernel)];
    } else if (arena.open >= slot.nesting_max) {
        store(usize, &slot.nesting_max, arena.open + 1);
    }
    return arena;
}

/// A caller's scope begins.
pub fn open() error{OutOfMemory}!*Arena {
    const arena = try lendTo(.caller);
    arena.enter();
    return arena;
}

/// A caller's scope ends: the innermost.
pub fn close(mark: arena_zig.Mark) error{NotHeld}!void {
    const slot = current orelse return error.NotHeld;
    if (slot.arena.open == 0) return error.NotHeld;
    const cursor: usize = @backingInt(mark);
    if (cursor > slot.arena.cursor or cursor % arena_zig.alignment != 0) return error.NotHeld;
    slot.arena.leave(mark);
}

/// Null where there is no memory: an optional pointer comes back in a register, and costs callers no stack.
noinline fn birth() ?*Slot {
    @branchHint(.cold);
    if (frozen > 0) return null;
    const size = registry.claim();
    const pages = backing.map(size) catch return registry.giveUp();
    const slot = registry.takeSlot() catch {
        backing.unmap(pages);
        return registry.giveUp();
    };
    slot.bear(pages, size);
    current = slot;
    return slot;
}

/// Ends the calling thread's arena: its memory goes back, its counters stay in the totals.
pub fn release() void {
    const slot = current orelse return;
    current = null;
    slot.end();
    backing.unmap(slot.pages);
    registry.giveBack(slot);
}

/// Gives the memory behind the calling thread's arena back and keeps the arena. Returns the bytes of
/// address space whose memory was given back: 0 where there is no arena or the system has no such call.
pub fn trim() error{InUse}!usize {
    const slot = current orelse return 0;
    if (slot.arena.cursor != 0) return error.InUse;
    if (!backing.discard(slot.pages)) return 0;
    slot.arena.forget();
    return slot.pages.len;
}

/// A larger arena for the calling thread, while it holds nothing and no scope is open. On failure it keeps its own.
pub fn grow(size: usize) error{ InUse, OutOfRange, OutOfMemory }!void {
    if (size > registry_zig.capacity_max) return error.OutOfRange;
    const slot = current orelse birth() orelse return error.OutOfMemory;
    if (slot.arena.open | slot.arena.cursor != 0) return error.InUse;
    if (size <= slot.arena.capacity) return;
    if (frozen > 0) return error.OutOfMemory;
    const whole = arena_zig.rounded(size);
    const pages = try backing.map(whole);
    const before = slot.pages;
    slot.place(pages, whole);
    backing.unmap(before);
    // The call that was refused last is who asks for more, and has been counted.
    slot.arena.retried = slot.arena.wanted;
    slot.arena.eventful = 1;
}

/// From here to as many calls of `thaw`, this thread's arena is neither born nor replaced.
pub fn freeze() void {
    frozen += 1;
}

pub fn thaw() void {
    frozen -|= 1;
}

/// A block of so many bytes was lent to a call of `kernel`.
pub fn noteHeapLoan(kernel: Kernel, size: usize) void {
    const slot = current orelse return registry_zig.noteHeapLoan(kernel, size);
    const needs = &slot.needs[@backingInt(kernel)];
    bump(&slot.heap_loan_count);
    bump(&needs.heap_loan_count);
    store(u64, &slot.heap_loan_bytes, slot.heap_loan_bytes + size);
    store(u64, &needs.heap_loan_bytes, needs.heap_loan_bytes + size);
}

/// A request of `kernel` for so many bytes was refused. What a thread's arena has counted already is not counted again.
pub fn noteOverflow(kernel: Kernel, outcome: needs_zig.OnOverflow, wanted: ?usize) void {
    const slot = current orelse return registry_zig.noteOverflow(kernel, outcome, wanted);
    bump(&slot.needs[@backingInt(kernel)].overflow_counts[@backingInt(outcome)]);
}

/// The calling thread's figures; all zero where it has no arena.
pub fn stats() Stats {
    return if (current) |slot| slot.own() else .{};
}

const testing = std.testing;
const KernelStats = registry_zig.KernelStats;
const capacity = registry_zig.capacity;
const capacity_max = registry_zig.capacity_max;
const capacity_min = registry_zig.capacity_min;
const configure = registry_zig.configure;
const default_capacity = registry_zig.default_capacity;
const each = registry_zig.each;
const ofKernel = registry_zig.ofKernel;
const totals = registry_zig.totals;

test "each thread has an arena of its own, released memory is gone and its counters stay" {
    const before = totals();
    const work = struct {
        fn run(failures: *std.atomic.Value(u32)) void {
            defer release();
            const arena = lend() catch return fail(failures);
            const mark = arena.mark();
            const block = arena.allocBytes(1000) catch return fail(failures);
            @memset(block, 1);
            arena.rewind(mark);
            if (stats().rewind_count != 1 or stats().high_water_mark != 1024) fail(failures);
            if (stats().live_arenas != 1 or stats().current_usage != 0) fail(failures);
        }
        fn fail(failures: *std.atomic.Value(u32)) void {
            _ = failures.fetchAdd(1, .monotonic);
        }
    };
    var failures: std.atomic.Value(u32) = .init(0);
    var threads: [16]std.Thread = undefined;
    for (&threads) |*thread| thread.* = try .spawn(.{}, work.run, .{&failures});
    for (threads) |thread| thread.join();
    const after = totals();
    try testing.expectEqual(0, failures.raw);
    try testing.expectEqual(before.live_arenas, after.live_arenas);
    try testing.expectEqual(before.capacity, after.capacity);
    try testing.expectEqual(before.rewind_count + 16, after.rewind_count);
    try testing.expect(after.high_water_mark >= 1024);
}

test "the capacity is refused once an arena is born, and outside its range always" {
    try testing.expectError(error.OutOfRange, configure(capacity_min - 1));
    try testing.expectError(error.OutOfRange, configure(capacity_max + 1));
    _ = try lend();
    defer release();
    try testing.expectError(error.AlreadyInUse, configure(1 << 20));
    try testing.expectEqual(default_capacity, capacity());
}

test "trim refuses while scratch is held and gives the memory back after" {
    const arena = try lend();
    defer release();
    const mark = arena.mark();
    const block = try arena.allocBytes(5000);
    @memset(block, 0xAA);
    try testing.expectError(error.InUse, trim());
    arena.rewind(mark);
    if (try trim() == 0 or arena_zig.poison or std.valgrind.runningOnValgrind() > 0) return;
    try testing.expect(std.mem.allEqual(u8, try arena.allocBytes(5000), 0));
}

test "a larger arena takes the place of one that holds nothing, and what was counted stays" {
    try testing.expectError(error.OutOfRange, grow(capacity_max + 1));
    const arena = try lendTo(.similarity);
    defer release();
    const found = ofKernel(.similarity);
    (try arena.frame(1 << 20)).close();
    const mark = (try open()).mark();
    try testing.expectError(error.InUse, grow(default_capacity * 2));
    try close(mark);
    try grow(default_capacity);
    try testing.expectEqual(default_capacity, arena.capacity);
    try grow(default_capacity * 2 + 1);
    try testing.expectEqual(default_capacity * 2 + 64, arena.capacity);
    try testing.expectEqual(default_capacity * 2 + 64, stats().capacity);
    freeze();
    try testing.expectError(error.OutOfMemory, grow(default_capacity * 3));
    thaw();
    try testing.expectError(error.OutOfMemory, grow(capacity_max));
    const block = try arena.allocBytes(default_capacity * 2);
    @memset(block, 1);
    arena.rewind(@fromBackingInt(0));
    const bucket = needs_zig.bucketOf(1 << 20);
    try testing.expectEqual(found.need_counts[bucket] + 1, ofKernel(.similarity).need_counts[bucket]);
}

test "a frozen thread has no arena born, and what is refused is counted all the same" {
    freeze();
    freeze();
    thaw();
    try testing.expectError(error.OutOfMemory, lend());
    const before = ofKernel(.spreading);
    noteOverflow(.spreading, .err, 640);
    noteHeapLoan(.spreading, 640);
    const after = ofKernel(.spreading);
    const bucket = needs_zig.bucketOf(640);
    try testing.expectEqual(before.overflow_counts[0] + 1, after.overflow_counts[0]);
    try testing.expectEqual(before.need_counts[bucket] + 1, after.need_counts[bucket]);
    try testing.expectEqual(before.heap_loan_bytes + 640, after.heap_loan_bytes);
    thaw();
    try testing.expectEqual(0, stats().live_arenas);
    _ = try lend();
    release();
}

test "a scope of the caller's is one need, named after the caller, whatever runs inside" {
    _ = try lend();
    defer release();
    const found = [_]KernelStats{ ofKernel(.caller), ofKernel(.similarity) };
    const outer = (try open()).mark();
    (try (try lendTo(.similarity)).frame(6400)).close();
    const inner = (try open()).mark();
    (try (try lendTo(.similarity)).frame(640)).close();
    try close(inner);
    try testing.expectEqual(3, stats().nesting_max);
    try close(outer);
    const now = [_]KernelStats{ ofKernel(.caller), ofKernel(.similarity) };
    const bucket = needs_zig.bucketOf(6400);
    try testing.expectEqual(found[0].need_counts[bucket] + 1, now[0].need_counts[bucket]);
    try testing.expect(now[0].high_water_mark >= 6400);
    try testing.expectEqualSlices(u64, &found[1].need_counts, &now[1].need_counts);
    try testing.expectError(error.NotHeld, close(@fromBackingInt(64)));
}

test "figures of threads are their own, though a slot was others' before" {
    const work = struct {
        fn add(wrong: *std.atomic.Value(u32)) void {
            _ = wrong.fetchAdd(1, .monotonic);
        }

        fn run(wrong: *std.atomic.Value(u32)) void {
            defer release();
            const arena = lendTo(.caller) catch return add(wrong);
            (arena.frame(64) catch return add(wrong)).close();
            if (arena.frame(capacity_max)) |_| return add(wrong) else |_| {}
            var own: [64]Stats = undefined;
            const count = each(&own);
            const fresh = stats();
            if (fresh.rewind_count != 2 or fresh.overflow_count != 1 or fresh.high_water_mark != 64) {
                _ = wrong.fetchAdd(1, .monotonic);
            }
            if (count != 1 or own[0].rewind_count != 2) _ = wrong.fetchAdd(1, .monotonic);
        }
    };
    var wrong: std.atomic.Value(u32) = .init(0);
    const before = totals();
    for (0..50) |_| (try std.Thread.spawn(.{}, work.run, .{&wrong})).join();
    const after = totals();
    try testing.expectEqual(0, wrong.raw);
    try testing.expectEqual(before.rewind_count + 100, after.rewind_count);
    try testing.expectEqual(before.overflow_count + 50, after.overflow_count);
    try testing.expectEqual(0, each(&.{}));
}
