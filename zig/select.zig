//! Decay that also tells which memories it left below or above a threshold.

const std = @import("std");
const decay_zig = @import("decay.zig");
const simd = @import("simd.zig");
const lanes = simd.lanes;

pub const Which = struct {
    threshold: f32,
    /// Those at or above the threshold, or those below it. NaN is neither.
    above: bool,
    /// Of the first memory.
    first_id: u32,
};

/// So many memories are looked at while they are still in the nearest cache.
const block = 4096;

/// As `decay` of decay.zig; ids [n], of which the first are written, ascending: how many `count` says. The others may
/// be overwritten.
pub fn decayAndSelect(
    law: decay_zig.Law,
    ages: decay_zig.Ages,
    before: []const f32,
    after: []f32,
    which: Which,
    ids: []u32,
    count: *usize,
) decay_zig.Report {
    var report: decay_zig.Report = .{};
    count.* = 0;
    var at: usize = 0;
    while (at < before.len) : (at += block) {
        const len = @min(block, before.len - at);
        var some = law;
        if (law.first.len == before.len) {
            some.first = law.first[at..][0..len];
            if (law.second.len > 0) some.second = law.second[at..][0..len];
        }
        const those: decay_zig.Ages = switch (ages) {
            .seconds => |seconds| .{ .seconds = seconds[at..][0..len] },
            .unix_milliseconds => |stamps| .{
                .unix_milliseconds = .{ .now = stamps.now, .times = stamps.times[at..][0..len] },
            },
            .uniform => ages,
        };
        const found = decay_zig.decay(some, those, before[at..][0..len], after[at..][0..len]);
        report.negative_ages += found.negative_ages;
        report.nan_ages += found.nan_ages;
        const first_id = which.first_id + @as(u32, @intCast(at));
        count.* += if (which.above)
            select(true, after[at..][0..len], which.threshold, first_id, ids[count.*..])
        else
            select(false, after[at..][0..len], which.threshold, first_id, ids[count.*..]);
    }
    return report;
}

/// As many ids as there is room for are never more than the strengths before.
fn select(comptime above: bool, strengths: []const f32, threshold: f32, first_id: u32, ids: []u32) usize {
    var count: usize = 0;
    var at: usize = 0;
    while (at + lanes <= strengths.len) : (at += lanes) {
        const some: simd.F32s = strengths[at..][0..lanes].*;
        const limits: simd.F32s = @splat(threshold);
        const those = if (above) some >= limits else some < limits;
        if (!@reduce(.Or, those)) continue;
        const bits: @Int(.unsigned, lanes) = @bitCast(those);
        inline for (0..lanes) |lane| {
            // Written in any case, and kept where it counts: no branch that half of all memories would mislead.
            ids[count] = first_id + @as(u32, @intCast(at + lane));
            count += bits >> lane & 1;
        }
    }
    for (strengths[at..], at..) |strength, i| {
        if (!(if (above) strength >= threshold else strength < threshold)) continue;
        ids[count] = first_id + @as(u32, @intCast(i));
        count += 1;
    }
    return count;
}

const testing = std.testing;

test "ids are those of the strengths below or above, ascending, and strengths those of decay alone" {
    var random = std.Random.DefaultPrng.init(3);
    var ages: [3 * block + 5]f32 = undefined;
    var before: [ages.len]f32 = undefined;
    for (&ages, &before) |*age, *strength| {
        age.* = random.random().float(f32) * 300;
        strength.* = random.random().float(f32);
    }
    before[17] = std.math.nan(f32);
    before[block] = std.math.nan(f32);
    var halves: [ages.len]f32 = @splat(100);
    halves[block + 1] = 1;
    const lengths = [_]usize{ 0, 1, 7, 16, 100, block - 1, block, block + 1, ages.len };
    for (lengths) |len| for ([_]bool{ false, true }) |above| for ([_]usize{ 1, len }) |parameters| {
        const first = halves[0..parameters];
        const law: decay_zig.Law = .{ .kind = .exponential, .first = first, .second = &.{}, .floor = 0 };
        for ([_]f32{ -1, 0, 0.001, 0.3, 2 }) |threshold| {
            var alone: [ages.len]f32 = undefined;
            const told = decay_zig.decay(law, .{ .seconds = ages[0..len] }, before[0..len], alone[0..len]);
            var after: [ages.len]f32 = undefined;
            var ids: [ages.len + 1]u32 = @splat(77);
            var count: usize = undefined;
            const which: Which = .{ .threshold = threshold, .above = above, .first_id = 1000 };
            const report = decayAndSelect(
                law,
                .{ .seconds = ages[0..len] },
                before[0..len],
                after[0..len],
                which,
                ids[0..len],
                &count,
            );
            try testing.expectEqual(told, report);
            try testing.expectEqualSlices(u8, std.mem.sliceAsBytes(alone[0..len]), std.mem.sliceAsBytes(after[0..len]));
            var expected: usize = 0;
            for (alone[0..len], 1000..) |strength, id| {
                if (!(if (above) strength >= threshold else strength < threshold)) continue;
                try testing.expectEqual(id, ids[expected]);
                expected += 1;
            }
            try testing.expectEqual(expected, count);
            try testing.expectEqual(77, ids[len]);
        }
    };
}
