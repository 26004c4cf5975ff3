//! The best rows of a query.

const std = @import("std");
const simd = @import("simd.zig");
const Where = @import("rows.zig").Where;
const F32s = simd.F32s;
const lanes = simd.lanes;

/// ecp_hit of ecphory.h.
pub const Hit = extern struct { row: u64, score: f32, reserved: u32 = 0 };

/// ecp_top_k_result of ecphory.h.
pub const TopK = extern struct { hit_count: usize, nan_rows: usize, rescored_rows: usize = 0 };

/// The best hits so far, the worst of them at the root of a binary heap.
pub const Best = struct {
    heap: []Hit,
    len: usize = 0,
    nan_rows: usize = 0,
    lowest_first: bool,
    /// Scores worse than it are no hits.
    threshold: f32,

    /// The score that the next hit must be as good as, and better than once the heap is full. Of no hits the best.
    pub fn bar(best: *const Best) f32 {
        if (best.heap.len == 0) return if (best.lowest_first) -std.math.inf(f32) else std.math.inf(f32);
        return if (best.len < best.heap.len) best.threshold else best.heap[0].score;
    }

    /// Offers row `where.at(i)` with the score `scores[i]`, for each: rows that rise, and are above all that were
    /// offered before. So none of them wins a tie.
    pub fn offerEach(best: *Best, where: Where, scores: []const f32) void {
        var i: usize = 0;
        while (i + lanes <= scores.len) : (i += lanes) {
            const some: F32s = scores[i..][0..lanes].*;
            const limit: F32s = @splat(if (best.heap.len == 0) std.math.nan(f32) else best.bar());
            const hopeful = if (best.lowest_first) some <= limit else some >= limit;
            if (!@reduce(.Or, hopeful) and !@reduce(.Or, some != some)) continue;
            for (scores[i..][0..lanes], i..) |score, j| best.offer(.{ .row = where.at(j), .score = score });
        }
        for (scores[i..], i..) |score, j| best.offer(.{ .row = where.at(j), .score = score });
    }

    pub fn offer(best: *Best, hit: Hit) void {
        if (std.math.isNan(hit.score)) {
            best.nan_rows += 1;
        } else if (best.len < best.heap.len) {
            if (best.lowest_first and hit.score > best.threshold) return;
            if (!best.lowest_first and hit.score < best.threshold) return;
            best.heap[best.len] = hit;
            best.len += 1;
            best.rise(best.len - 1);
        } else if (best.len > 0 and best.better(hit, best.heap[0])) {
            best.heap[0] = hit;
            best.sink(best.len);
        }
    }

    fn better(best: *const Best, a: Hit, b: Hit) bool {
        if (a.score != b.score) return (a.score < b.score) == best.lowest_first;
        return a.row < b.row;
    }

    fn rise(best: *Best, from: usize) void {
        var child = from;
        while (child > 0) {
            const parent = (child - 1) / 2;
            if (!best.better(best.heap[parent], best.heap[child])) return;
            std.mem.swap(Hit, &best.heap[parent], &best.heap[child]);
            child = parent;
        }
    }

    fn sink(best: *Best, len: usize) void {
        var parent: usize = 0;
        while (2 * parent + 1 < len) {
            var child = 2 * parent + 1;
            if (child + 1 < len and best.better(best.heap[child], best.heap[child + 1])) child += 1;
            if (!best.better(best.heap[parent], best.heap[child])) return;
            std.mem.swap(Hit, &best.heap[parent], &best.heap[child]);
            parent = child;
        }
    }

    /// Best first: the root, the worst, moves to the end, again and again.
    pub fn sort(best: *Best) []Hit {
        var len = best.len;
        while (len > 1) {
            len -= 1;
            std.mem.swap(Hit, &best.heap[0], &best.heap[len]);
            best.sink(len);
        }
        return best.heap[0..best.len];
    }

    /// Into `hits`, sorted.
    pub fn finish(best: *Best, hits: []Hit) TopK {
        const nan_rows = best.nan_rows;
        const sorted = best.sort();
        @memcpy(hits[0..sorted.len], sorted);
        return .{ .hit_count = sorted.len, .nan_rows = nan_rows };
    }
};

const testing = std.testing;

test "offers in whole registers and one by one find the same, with ties by row and NaN counted" {
    var random = std.Random.DefaultPrng.init(2);
    var scores: [300]f32 = undefined;
    for (0..200) |round| {
        for (&scores) |*score| score.* = @floatFromInt(random.random().uintLessThan(u8, 20));
        scores[random.random().uintLessThan(usize, scores.len)] = std.math.nan(f32);
        const len = random.random().uintLessThan(usize, scores.len);
        const threshold: f32 = @floatFromInt(random.random().uintLessThan(u8, 20));
        for ([_]bool{ true, false }) |lowest_first| {
            var heaps: [2][40]Hit = undefined;
            const k = round % 40;
            var quick: Best = .{ .heap = heaps[0][0..k], .lowest_first = lowest_first, .threshold = threshold };
            var plain: Best = .{ .heap = heaps[1][0..k], .lowest_first = lowest_first, .threshold = threshold };
            quick.offerEach(.{ .run = 7 }, scores[0..len]);
            for (scores[0..len], 7..) |score, row| plain.offer(.{ .row = row, .score = score });
            try testing.expectEqual(plain.nan_rows, quick.nan_rows);
            const expected = plain.sort();
            const found = quick.sort();
            try testing.expectEqual(expected.len, found.len);
            for (expected, found) |a, b| try testing.expectEqual(a, b);
            for (found, 0..) |hit, i| {
                try testing.expect(if (lowest_first) hit.score <= threshold else hit.score >= threshold);
                if (i > 0) try testing.expect(quick.better(found[i - 1], hit));
            }
        }
    }
}
