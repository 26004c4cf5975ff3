//! Threads that are born, work, grow their arenas and end while others add all figures up, for ThreadSanitizer.
//!
//!     zig build race && zig-out/bin/race nothing      ends well
//!     zig-out/bin/race seeded                         one plain write of a counter: must be reported

const std = @import("std");
const needs = @import("needs.zig");
const registry = @import("registry.zig");
const thread = @import("thread.zig");

const workers = 6;
const lives = 400;
const rounds = 40;

var seeded = false;
var working: std.atomic.Value(u32) = .init(workers);
var failures: std.atomic.Value(u32) = .init(0);

pub fn main(init: std.process.Init) !void {
    var arguments = try init.minimal.args.iterateAllocator(init.gpa);
    defer arguments.deinit();
    _ = arguments.skip();
    const what = arguments.next() orelse "";
    seeded = std.mem.eql(u8, what, "seeded");
    if (!seeded and !std.mem.eql(u8, what, "nothing"))
        std.process.fatal("expected nothing or seeded, found '{s}'", .{what});

    var threads: [workers + 2]std.Thread = undefined;
    for (threads[0..2]) |*to| to.* = try .spawn(.{}, scrape, .{});
    for (threads[2..], 0..) |*to, i| to.* = try .spawn(.{}, work, .{i});
    for (threads) |one| one.join();

    const totals = registry.totals();
    if (failures.raw > 0) std.process.fatal("expected no failure, found {d}", .{failures.raw});
    if (totals.live_arenas != 0) std.process.fatal("expected no arena, found {d}", .{totals.live_arenas});
    // A frame and a scope with a kernel in it for each round; a refusal is a scope that ended, too.
    const expected = workers * lives * (rounds * 3 + 1);
    if (!seeded and totals.rewind_count != expected)
        std.process.fatal("expected {d} rewinds, found {d}", .{ expected, totals.rewind_count });
}

/// Each life is a thread of its own, with a slot that others had before.
fn work(which: usize) void {
    defer _ = working.fetchSub(1, .release);
    for (0..lives) |i| {
        const one = std.Thread.spawn(.{}, live, .{which * lives + i}) catch return fail();
        one.join();
    }
}

fn live(nth: usize) void {
    defer thread.release();
    liveOrFail(nth) catch fail();
}

fn liveOrFail(nth: usize) !void {
    for (0..rounds) |round| {
        const size = 64 + (nth * 31 + round * 17) % 5000;
        const kernel: registry.Kernel = if (round % 2 == 0) .similarity else .spreading;
        var alone = try (try thread.lendTo(kernel)).frame(size);
        @memset(try alone.allocBytes(size), 1);
        alone.close();
        const mark = (try thread.open()).mark();
        var inside = try (try thread.lendTo(kernel)).frame(size);
        @memset(try inside.allocBytes(size), 2);
        inside.close();
        try thread.close(mark);
    }
    const arena = try thread.lendTo(.decay);
    if (seeded) arena.rewind_count +%= 1; // What every reader reads atomically.
    if (arena.frame(registry.capacity_max)) |_| return error.Given else |_| {}
    thread.noteOverflow(.decay, .heap, registry.capacity_max);
    thread.noteHeapLoan(.decay, 640);
    try thread.grow(registry.capacity() * 2);
    _ = try thread.trim();
}

/// Until nobody works, and no figure may go down.
fn scrape() void {
    var last: registry.Stats = .{};
    var last_needs: u64 = 0;
    while (working.load(.acquire) > 0) {
        const now = registry.totals();
        const down = now.rewind_count < last.rewind_count or now.overflow_count < last.overflow_count or
            now.heap_loan_bytes < last.heap_loan_bytes or now.high_water_mark < last.high_water_mark;
        last = now;
        var sum: u64 = 0;
        for (std.enums.values(registry.Kernel)) |kernel| {
            for (registry.ofKernel(kernel).need_counts) |count| sum += count;
        }
        var each: [2 * workers]registry.Stats = undefined;
        const count = registry.each(&each);
        if (down or sum < last_needs or count > workers) fail();
        last_needs = sum;
    }
}

fn fail() void {
    _ = failures.fetchAdd(1, .monotonic);
}
