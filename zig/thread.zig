//! The threadlocal arena of the calling thread, its counters, and the registry that adds them up.
//!
//! An arena is born on its thread's first kernel. Its first page holds its own `Thread` record, so that
//! the record lives exactly as long as the memory it tells of, and nothing in thread-local storage is
//! ever pointed at from outside. Zig's `threadlocal` has no destructor: whoever starts threads
//! calls `release` before one ends. The lock is taken at birth, at the end, for totals and for what a
//! thread without an arena counts; never by a kernel.

const std = @import("std");
const arena_zig = @import("arena.zig");
const backing = @import("backing.zig").native;
const Pages = @import("backing.zig").Pages;
const Arena = arena_zig.Arena;
const load = arena_zig.load;
const store = arena_zig.store;

pub const default_capacity = 2 << 20;
pub const capacity_min = arena_zig.alignment;
/// More than any address space of today; keeps sums of capacities far from wrapping.
pub const capacity_max = 1 << 46;

/// ecp_arena_stats of ecphory.h.
pub const Stats = extern struct {
    capacity: usize = 0,
    current_usage: usize = 0,
    high_water_mark: usize = 0,
    capacity_per_thread: usize = 0,
    overflow_count: u64 = 0,
    rewind_count: u64 = 0,
    heap_loan_count: u64 = 0,
    live_arenas: u64 = 0,
};

const Thread = struct {
    arena: Arena,
    heap_loan_count: u64 = 0,
    pages: Pages,
    previous: ?*Thread = null,
    next: ?*Thread = null,

    fn addTo(thread: *const Thread, into: *Stats) void {
        into.high_water_mark = @max(into.high_water_mark, thread.arena.highWater());
        into.overflow_count += load(u64, &thread.arena.overflow_count);
        into.rewind_count += load(u64, &thread.arena.rewind_count);
        into.heap_loan_count += load(u64, &thread.heap_loan_count);
    }

    fn addLiveTo(thread: *const Thread, into: *Stats) void {
        thread.addTo(into);
        into.capacity += thread.arena.capacity;
        into.current_usage += load(usize, &thread.arena.cursor);
        into.live_arenas += 1;
    }
};

threadlocal var current: ?*Thread = null;

const Registry = struct {
    mutex: std.atomic.Mutex = .unlocked,
    live: ?*Thread = null,
    /// Counters of arenas that have ended, and of threads that never got one.
    ended: Stats = .{},
    capacity: usize = default_capacity,
    /// Births so far: while there is none, the capacity may change.
    births: u64 = 0,

    fn lock(r: *Registry) void {
        while (!r.mutex.tryLock()) std.atomic.spinLoopHint();
    }

    /// The capacity, which no one may change from now on. The system is asked for pages without the lock.
    fn claim(r: *Registry) usize {
        r.lock();
        defer r.mutex.unlock();
        r.births += 1;
        return r.capacity;
    }

    /// There were no pages: an overflow, and no birth.
    fn giveUp(r: *Registry) void {
        r.lock();
        defer r.mutex.unlock();
        r.births -= 1;
        r.ended.overflow_count += 1;
    }

    fn link(r: *Registry, thread: *Thread) void {
        thread.next = r.live;
        if (r.live) |first| first.previous = thread;
        r.live = thread;
    }

    fn unlink(r: *Registry, thread: *Thread) void {
        if (thread.previous) |previous| previous.next = thread.next else r.live = thread.next;
        if (thread.next) |next| next.previous = thread.previous;
    }
};

var registry: Registry = .{};

/// The capacity of every arena born from now on, in bytes; only before the first one is born.
pub fn configure(size: usize) error{ AlreadyInUse, OutOfRange }!void {
    if (size < capacity_min or size > capacity_max) return error.OutOfRange;
    registry.lock();
    defer registry.mutex.unlock();
    if (registry.births > 0) return error.AlreadyInUse;
    registry.capacity = arena_zig.rounded(size);
}

pub fn capacity() usize {
    registry.lock();
    defer registry.mutex.unlock();
    return registry.capacity;
}

/// The arena of the calling thread, born if need be.
pub inline fn lend() error{OutOfMemory}!*Arena {
    return if (current) |thread| &thread.arena else &(try birth()).arena;
}

noinline fn birth() error{OutOfMemory}!*Thread {
    const size = registry.claim();
    const page = std.heap.pageSize();
    const pages = backing.map(page + size) catch {
        registry.giveUp();
        return error.OutOfMemory;
    };
    const thread: *Thread = @ptrCast(@alignCast(pages.ptr));
    thread.* = .{ .arena = .over(pages[page..][0..size]), .pages = pages };
    registry.lock();
    defer registry.mutex.unlock();
    registry.link(thread);
    current = thread;
    return thread;
}

/// Ends the calling thread's arena: its memory goes back, its counters stay in the totals.
pub fn release() void {
    const thread = current orelse return;
    current = null;
    registry.lock();
    registry.unlink(thread);
    thread.addTo(&registry.ended);
    registry.mutex.unlock();
    backing.unmap(thread.pages);
}

/// Gives the memory behind the calling thread's arena back and keeps the arena. Returns the bytes of
/// address space whose memory was given back: 0 where there is no arena or the system has no such call.
pub fn trim() error{InUse}!usize {
    const thread = current orelse return 0;
    if (thread.arena.cursor != 0) return error.InUse;
    const bytes: Pages = @alignCast(thread.pages[std.heap.pageSize()..]);
    return if (backing.discard(bytes)) bytes.len else 0;
}

pub fn noteHeapLoan() void {
    if (current) |thread| {
        store(u64, &thread.heap_loan_count, thread.heap_loan_count + 1);
    } else {
        registry.lock();
        defer registry.mutex.unlock();
        registry.ended.heap_loan_count += 1;
    }
}

/// The calling thread's figures; all zero where it has no arena.
pub fn stats() Stats {
    var result: Stats = .{};
    if (current) |thread| {
        thread.addLiveTo(&result);
        result.capacity_per_thread = thread.arena.capacity;
    }
    return result;
}

/// Capacity and usage summed over live arenas, counters over all there ever were, and the highest
/// high water of any.
pub fn totals() Stats {
    registry.lock();
    defer registry.mutex.unlock();
    var result = registry.ended;
    result.capacity_per_thread = registry.capacity;
    var thread = registry.live;
    while (thread) |live| : (thread = live.next) live.addLiveTo(&result);
    return result;
}

const testing = std.testing;

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
    if (try trim() != 0) try testing.expect(std.mem.allEqual(u8, try arena.allocBytes(5000), 0));
}
