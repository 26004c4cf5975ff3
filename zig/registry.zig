//! What is told of every thread's arena, and the registry that adds it up.
//!
//! A thread's figures are a `Slot`, on cache lines of its own that the thread alone writes. Slots lie in chunks that
//! are never given back, so whoever adds figures up walks them without a lock and stops nobody. A slot outlives its
//! thread and goes to the next one with its counters as they are: the sum over all slots is the sum over all threads
//! there are and were, and never goes down. A thread's own figures count from what it found. The lock is taken when a
//! thread's arena is born and when it ends.

const std = @import("std");
const arena_zig = @import("arena.zig");
const backing = @import("backing.zig").native;
const needs_zig = @import("needs.zig");
const Pages = @import("backing.zig").Pages;
const Arena = arena_zig.Arena;
const Needs = needs_zig.Needs;
const OnOverflow = needs_zig.OnOverflow;
const load = needs_zig.load;
const store = needs_zig.store;
const giveOut = needs_zig.giveOut;
const takeIn = needs_zig.takeIn;

pub const default_capacity = 2 << 20;
pub const capacity_min = arena_zig.alignment;
/// More than any address space of today; keeps sums of capacities far from wrapping.
pub const capacity_max = 1 << 46;

/// ECP_KERNEL_* of ecphory.h: who opened a thread's outermost scope.
pub const Kernel = enum(u32) { similarity = 0, spreading = 1, decay = 2, caller = 3 };
pub const kernels = @typeInfo(Kernel).@"enum".field_names.len;

/// ecp_arena_stats of ecphory.h.
pub const Stats = extern struct {
    capacity: usize = 0,
    current_usage: usize = 0,
    high_water_mark: usize = 0,
    capacity_per_thread: usize = 0,
    overflow_count: u64 = 0,
    rewind_count: u64 = 0,
    allocation_count: u64 = 0,
    heap_loan_count: u64 = 0,
    heap_loan_bytes: u64 = 0,
    live_arenas: u64 = 0,
    nesting_max: usize = 0,
};

/// ecp_kernel_stats of ecphory.h.
pub const KernelStats = extern struct {
    high_water_mark: usize = 0,
    overflow_counts: [needs_zig.outcomes]u64 = @splat(0),
    heap_loan_count: u64 = 0,
    heap_loan_bytes: u64 = 0,
    need_counts: [needs_zig.bucket_count]u64 = @splat(0),

    fn add(total: *KernelStats, needs: *const Needs) void {
        total.high_water_mark = @max(total.high_water_mark, takeIn(&needs.high_water), takeIn(&needs.high_water_ended));
        for (&total.overflow_counts, &needs.overflow_counts) |*sum, *count| sum.* += load(u64, count);
        total.heap_loan_count += load(u64, &needs.heap_loan_count);
        total.heap_loan_bytes += load(u64, &needs.heap_loan_bytes);
        needs.addTo(&total.need_counts);
    }
};

/// What there is of one thread at a time. Zeroed memory is one that no thread has had.
pub const Slot = struct {
    arena: Arena align(std.atomic.cache_line),
    heap_loan_count: u64,
    heap_loan_bytes: u64,
    /// Highest water of threads that had this slot before.
    high_water_ended: usize,
    /// Odd while a thread has it; 0 before the first.
    generation: u64,
    /// Scopes open at once, at most, and the same of threads that had this slot before.
    nesting_max: usize,
    nesting_max_ended: usize,
    /// Counters as this thread found them.
    found: Counters,
    pages: Pages,
    needs: *[kernels]Needs,
    next_free: ?*Slot,

    pub fn bear(slot: *Slot, pages: Pages, capacity_wanted: usize) void {
        const counted = slot.counters();
        inline for (@typeInfo(Counters).@"struct".field_names) |name| {
            giveOut(&@field(slot.found, name), @field(counted, name));
        }
        slot.arena.needs = &slot.needs[@backingInt(Kernel.caller)];
        slot.arena.eventful = 0;
        store(usize, &slot.nesting_max, 1);
        slot.place(pages, capacity_wanted);
        giveOut(&slot.generation, slot.generation + 1);
    }

    /// The arena over `pages` from now on; nothing is held.
    pub fn place(slot: *Slot, pages: Pages, capacity_wanted: usize) void {
        slot.pages = pages;
        const arena: Arena = .over(pages[0..capacity_wanted]);
        slot.arena.base = arena.base;
        store(usize, &slot.arena.capacity, arena.capacity);
    }

    /// The peaks move to where the next thread will not count them as its own. Readers look there last.
    pub fn end(slot: *Slot) void {
        giveOut(&slot.generation, slot.generation + 1);
        giveOut(&slot.high_water_ended, @max(slot.high_water_ended, slot.arena.highWater()));
        giveOut(&slot.nesting_max_ended, @max(slot.nesting_max_ended, slot.nesting_max));
        for (slot.needs) |*needs| {
            giveOut(&needs.high_water_ended, @max(needs.high_water_ended, needs.high_water));
            giveOut(&needs.high_water, 0);
            needs.forget();
        }
        const arena = &slot.arena;
        for ([_]*usize{ &arena.high_water, &arena.peak, &arena.cursor, &slot.nesting_max }) |peak| giveOut(peak, 0);
        arena.open = 0;
        arena.asked = 0;
        arena.retried = 0;
    }

    fn counters(slot: *const Slot) Counters {
        return .{
            .overflow_count = takeIn(&slot.arena.overflow_count),
            .rewind_count = takeIn(&slot.arena.rewind_count),
            .allocation_count = takeIn(&slot.arena.allocation_count),
            .heap_loan_count = takeIn(&slot.heap_loan_count),
            .heap_loan_bytes = takeIn(&slot.heap_loan_bytes),
        };
    }

    /// What the first thread that had it began and this one goes on with; what is held only while one has it.
    fn addTo(slot: *const Slot, into: *Stats) void {
        const arena = &slot.arena;
        for ([_]*const usize{ &arena.cursor, &arena.peak, &arena.high_water, &slot.high_water_ended }) |peak| {
            into.high_water_mark = @max(into.high_water_mark, takeIn(peak));
        }
        into.nesting_max = @max(into.nesting_max, takeIn(&slot.nesting_max), takeIn(&slot.nesting_max_ended));
        const counted = slot.counters();
        inline for (@typeInfo(Counters).@"struct".field_names) |name| @field(into, name) += @field(counted, name);
        if (takeIn(&slot.generation) % 2 == 0) return;
        into.capacity += load(usize, &arena.capacity);
        into.current_usage += load(usize, &arena.cursor);
        into.live_arenas += 1;
    }

    /// Of the thread that has it; whoever else reads looks at the generation before and after.
    pub fn own(slot: *const Slot) Stats {
        const size = takeIn(&slot.arena.capacity);
        var result: Stats = .{
            .capacity = size,
            .current_usage = takeIn(&slot.arena.cursor),
            .high_water_mark = slot.arena.highWater(),
            .capacity_per_thread = size,
            .live_arenas = 1,
            .nesting_max = takeIn(&slot.nesting_max),
        };
        const counted = slot.counters();
        inline for (@typeInfo(Counters).@"struct".field_names) |name| {
            @field(result, name) = @field(counted, name) -| takeIn(&@field(slot.found, name));
        }
        return result;
    }
};

/// What never goes down.
const Counters = struct {
    overflow_count: u64,
    rewind_count: u64,
    allocation_count: u64,
    heap_loan_count: u64,
    heap_loan_bytes: u64,
};

/// Slots that are mapped together, the next ones when they are all taken. Of what counts needs, pages that no kernel
/// writes take no memory.
const Chunk = struct {
    next: ?*Chunk align(std.atomic.cache_line),
    /// None where a page begins: there lies the first block of every arena, and reads wait for writes whose address
    /// differs in the page alone.
    slots: [64]Slot,
    told: [64]Told,

    /// Of one thread, on lines of its own as its slot is.
    const Told = struct {
        needs: [kernels]Needs align(std.atomic.cache_line),
        counts: [kernels]needs_zig.Counts align(std.atomic.cache_line),
    };

    fn map() error{OutOfMemory}!*Chunk {
        const pages = try backing.map(@sizeOf(Chunk));
        const chunk: *Chunk = @ptrCast(@alignCast(pages.ptr));
        for (&chunk.slots, &chunk.told) |*slot, *told| {
            slot.needs = &told.needs;
            for (&told.needs, &told.counts) |*of_kernel, *buckets| of_kernel.* = .over(buckets);
        }
        return chunk;
    }
};

pub const Registry = struct {
    mutex: std.atomic.Mutex = .unlocked,
    /// Every chunk there is; readers follow it without the lock.
    chunks: std.atomic.Value(?*Chunk) = .init(null),
    free: ?*Slot = null,
    /// Of threads that have no arena, because there were no pages for one.
    unborn: [kernels]Needs = blk: {
        var needs: [kernels]Needs = undefined;
        for (&needs, &unborn_counts) |*of_kernel, *buckets| of_kernel.* = .over(buckets);
        break :blk needs;
    },
    capacity: usize = default_capacity,
    /// Births so far: while there is none, the capacity may change.
    births: u64 = 0,

    fn lock(r: *Registry) void {
        while (!r.mutex.tryLock()) std.atomic.spinLoopHint();
    }

    /// The capacity, which no one may change from now on. The system is asked for pages without the lock.
    pub fn claim(r: *Registry) usize {
        r.lock();
        defer r.mutex.unlock();
        r.births += 1;
        return r.capacity;
    }

    /// There were no pages: no birth.
    pub fn giveUp(r: *Registry) ?*Slot {
        r.lock();
        defer r.mutex.unlock();
        r.births -= 1;
        return null;
    }

    pub fn takeSlot(r: *Registry) error{OutOfMemory}!*Slot {
        if (r.takeFree()) |slot| return slot;
        const chunk = try Chunk.map();
        r.lock();
        defer r.mutex.unlock();
        chunk.next = r.chunks.load(.monotonic);
        r.chunks.store(chunk, .release);
        for (chunk.slots[1..]) |*slot| {
            slot.next_free = r.free;
            r.free = slot;
        }
        return &chunk.slots[0];
    }

    fn takeFree(r: *Registry) ?*Slot {
        r.lock();
        defer r.mutex.unlock();
        const slot = r.free orelse return null;
        r.free = slot.next_free;
        return slot;
    }

    pub fn giveBack(r: *Registry, slot: *Slot) void {
        r.lock();
        defer r.mutex.unlock();
        slot.next_free = r.free;
        r.free = slot;
    }
};

pub var registry: Registry = .{};
var unborn_counts: [kernels]needs_zig.Counts = @splat(@splat(0));

/// Every slot that a thread has or had.
const Slots = struct {
    chunk: ?*Chunk,
    index: usize = 0,

    fn all() Slots {
        return .{ .chunk = registry.chunks.load(.acquire) };
    }

    fn next(slots: *Slots) ?*Slot {
        while (slots.chunk) |chunk| {
            if (slots.index == chunk.slots.len) {
                slots.* = .{ .chunk = chunk.next };
                continue;
            }
            slots.index += 1;
            const slot = &chunk.slots[slots.index - 1];
            if (load(u64, &slot.generation) > 0) return slot;
        }
        return null;
    }
};

/// The capacity of every arena born from now on, in bytes; only before the first one is born.
pub fn configure(size: usize) error{ AlreadyInUse, OutOfRange }!void {
    if (size < capacity_min or size > capacity_max) return error.OutOfRange;
    registry.lock();
    defer registry.mutex.unlock();
    if (registry.births > 0) return error.AlreadyInUse;
    store(usize, &registry.capacity, arena_zig.rounded(size));
}

pub fn capacity() usize {
    return load(usize, &registry.capacity);
}

/// A thread without an arena was lent a block of so many bytes for a call of `kernel`.
pub fn noteHeapLoan(kernel: Kernel, size: usize) void {
    const needs = &registry.unborn[@backingInt(kernel)];
    addShared(&needs.heap_loan_count, 1);
    addShared(&needs.heap_loan_bytes, size);
}

/// A thread without an arena was refused so many bytes for a call of `kernel`, or an arena, of which it said no size.
pub fn noteOverflow(kernel: Kernel, outcome: OnOverflow, wanted: ?usize) void {
    const needs = &registry.unborn[@backingInt(kernel)];
    addShared(&needs.overflow_counts[@backingInt(outcome)], 1);
    if (wanted) |need| needs.noteShared(need);
}

/// For what several threads count.
fn addShared(figure: *u64, amount: u64) void {
    _ = @atomicRmw(u64, figure, .Add, amount, .monotonic);
}

/// Capacity and usage summed over live arenas, counters over all there ever were, and the highest
/// high water of any.
pub fn totals() Stats {
    var result: Stats = .{ .capacity_per_thread = capacity() };
    var slots: Slots = .all();
    while (slots.next()) |slot| slot.addTo(&result);
    for (&registry.unborn) |*needs| {
        for (&needs.overflow_counts) |*count| result.overflow_count += load(u64, count);
        result.heap_loan_count += load(u64, &needs.heap_loan_count);
        result.heap_loan_bytes += load(u64, &needs.heap_loan_bytes);
    }
    return result;
}

/// Figures of threads that have an arena, as many as there is room for; how many there are.
pub fn each(into: []Stats) usize {
    var count: usize = 0;
    var slots: Slots = .all();
    while (slots.next()) |slot| {
        const generation = takeIn(&slot.generation);
        const figures = slot.own();
        // Only what one thread wrote: neither of none, nor of two.
        if (generation % 2 == 0 or takeIn(&slot.generation) != generation) continue;
        if (count < into.len) into[count] = figures;
        count += 1;
    }
    return count;
}

/// What one kernel's scratch was, over all threads there are and were.
pub fn ofKernel(kernel: Kernel) KernelStats {
    var result: KernelStats = .{};
    result.add(&registry.unborn[@backingInt(kernel)]);
    var slots: Slots = .all();
    while (slots.next()) |slot| result.add(&slot.needs[@backingInt(kernel)]);
    return result;
}
