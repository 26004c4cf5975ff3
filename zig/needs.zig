//! How much scratch outermost scopes needed, counted by size: exact for every capacity that is a power of two.
//!
//! Buckets are 64 bytes wide up to 2 KiB, then a sixteenth of an octave up to 4 GiB, and one for all beyond. Upper
//! edges are inclusive and hold every power of two from 64 on, so the needs that an arena of 2^k bytes refuses are
//! whole buckets. What one thread writes others may read: relaxed loads and stores, one writer.

const std = @import("std");

/// A step of the first buckets, 2^6 bytes: what arenas hand out is whole lines of it.
const step_log2 = 6;
/// 2^4 buckets for an octave.
const parts_log2 = 4;
/// 2^32 bytes: the last edge.
const last_log2 = 32;

pub const bucket_count = (last_log2 - step_log2 - parts_log2) * 16 + 16 + 1;

/// The bucket of a need.
pub fn bucketOf(need: usize) usize {
    const below = need -| 1;
    const octave: u6 = @intCast(63 - @clz(@as(u64, below) | 1 << (step_log2 + parts_log2)));
    const shift = octave - parts_log2;
    return @min((@as(usize, shift) - step_log2) * 16 + (below >> shift), bucket_count - 1);
}

/// The largest need of a bucket; of the last one the largest number.
pub fn edgeOf(bucket: usize) u64 {
    if (bucket >= bucket_count - 1) return std.math.maxInt(u64);
    const shift: u6 = @intCast(step_log2 + if (bucket < 16) 0 else bucket / 16 - 1);
    const part = bucket - (@as(usize, shift) - step_log2) * 16;
    return (@as(u64, part) + 1) << shift;
}

/// What became of requests that did not fit, by what the caller said it would do.
pub const OnOverflow = enum(u32) { err = 0, heap = 1, panic = 2, grow = 3 };
pub const outcomes = @typeInfo(OnOverflow).@"enum".field_names.len;

/// Buckets that one bit stands for: two lines of counts.
const group = 16;

/// How many needs fell into each bucket.
pub const Counts = [bucket_count]u64;

/// Of one kernel on one thread.
pub const Needs = extern struct {
    /// The last need that was counted, and where.
    last: usize = 0,
    last_count: *u64,
    counts: *Counts,
    /// A bit for each group of buckets that something fell into.
    touched: u64 = 0,
    /// Most bytes in use at once, refused ones left out.
    high_water: usize = 0,
    /// The same of threads that had this record before.
    high_water_ended: usize = 0,
    overflow_counts: [outcomes]u64 = @splat(0),
    heap_loan_count: u64 = 0,
    heap_loan_bytes: u64 = 0,

    pub fn over(counts: *Counts) Needs {
        return .{ .last_count = &counts[0], .counts = counts };
    }

    /// An outermost scope that held `used` bytes at most, and wanted `need`. Where both are what they last were, it is
    /// enough to count.
    pub fn note(needs: *Needs, used: usize, need: usize) void {
        needs.noteUsed(used);
        const bucket = bucketOf(need);
        const count = &needs.counts[bucket];
        store(u64, &needs.touched, needs.touched | @as(u64, 1) << @intCast(bucket / group));
        // Whoever interrupts here counts another need: the two that go together must not be of both.
        needs.forget();
        store(*u64, &needs.last_count, count);
        if (used == need) store(usize, &needs.last, used); // What was refused is not what the next scope needs.
        if (load(*u64, &needs.last_count) != count) needs.forget();
        bump(count);
    }

    /// As many bytes were in use; that is not counted.
    pub fn noteUsed(needs: *Needs, used: usize) void {
        if (used > needs.high_water) store(usize, &needs.high_water, used);
    }

    /// As `note`, where several threads do.
    pub fn noteShared(needs: *Needs, need: usize) void {
        const bucket = bucketOf(need);
        _ = @atomicRmw(u64, &needs.touched, .Or, @as(u64, 1) << @intCast(bucket / group), .monotonic);
        _ = @atomicRmw(u64, &needs.counts[bucket], .Add, 1, .monotonic);
    }

    /// Adds what was counted to `total`. Reads no group of buckets that nothing fell into.
    pub fn addTo(needs: *const Needs, total: *Counts) void {
        var groups = load(u64, &needs.touched);
        while (groups != 0) : (groups &= groups - 1) {
            const first = @as(usize, @ctz(groups)) * group;
            const end = @min(first + group, bucket_count);
            for (total[first..end], needs.counts[first..end]) |*sum, *count| sum.* += load(u64, count);
        }
    }

    /// The next scope is looked at whatever it needs.
    pub fn forget(needs: *Needs) void {
        store(usize, &needs.last, std.math.maxInt(usize));
    }
};

/// Reads a figure that its owner may be writing.
pub inline fn load(comptime T: type, figure: *const T) T {
    return @atomicLoad(T, figure, .monotonic);
}

/// Writes a figure that others may be reading. One writer: no read-modify-write is needed.
pub inline fn store(comptime T: type, figure: *T, value: T) void {
    @atomicStore(T, figure, value, .monotonic);
}

/// What was written before is seen by whoever takes this figure in.
pub inline fn giveOut(figure: anytype, value: Pointee(@TypeOf(figure))) void {
    @atomicStore(@TypeOf(value), figure, value, .release);
}

/// What is read after this is no older than it.
pub inline fn takeIn(figure: anytype) Pointee(@TypeOf(figure)) {
    return @atomicLoad(Pointee(@TypeOf(figure)), figure, .acquire);
}

fn Pointee(comptime Pointer: type) type {
    return @typeInfo(Pointer).pointer.child;
}

/// One more, by the one who writes it.
pub inline fn bump(figure: *u64) void {
    store(u64, figure, figure.* + 1);
}

const testing = std.testing;

test "a need lies at or below the edge of its bucket and above the edge before" {
    var random = std.Random.DefaultPrng.init(11);
    for (0..200_000) |i| {
        const bits: u6 = @intCast(i % 34);
        const need: usize = @intCast(random.random().int(u64) >> (63 - bits));
        const bucket = bucketOf(need);
        try testing.expect(need <= edgeOf(bucket));
        if (bucket > 0) try testing.expect(need > edgeOf(bucket - 1));
    }
    try testing.expectEqual(0, bucketOf(0));
    try testing.expectEqual(bucket_count - 1, bucketOf(std.math.maxInt(usize)));
}

test "edges ascend, hold every power of two and are a sixteenth apart at most" {
    for (1..bucket_count - 1) |bucket| {
        const width = edgeOf(bucket) - edgeOf(bucket - 1);
        try testing.expect(width >= 64);
        if (bucket >= 32) try testing.expect(width * 16 <= edgeOf(bucket - 1));
    }
    for (step_log2..last_log2 + 1) |log2| {
        const power = @as(u64, 1) << @intCast(log2);
        try testing.expectEqual(power, edgeOf(bucketOf(power)));
        if (log2 < last_log2) try testing.expectEqual(bucketOf(power) + 1, bucketOf(power + 1));
    }
    try testing.expectEqual(bucket_count - 1, bucketOf((1 << last_log2) + 1));
}
