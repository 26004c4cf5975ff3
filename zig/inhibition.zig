//! Lateral inhibition and squashing, as Jiang and others, "Synapse: Empowering LLM Agents with Episodic-Semantic Memory
//! via Spreading Activation", arXiv 2601.02744 (2026), have them between two hops: with T the most active nodes,
//!
//!     v_i = max(0, u_i - strength * sum over k in T with u_k > u_i of (u_k - u_i))
//!     a_i = 1 / (1 + exp(-steepness * (v_i - midpoint)))
//!
//! in f64, rounded once. Without steepness a_i is v_i.

const std = @import("std");
const simd = @import("simd.zig");

pub const competitors_max = 64;

pub const Inhibition = struct {
    /// How many nodes inhibit: T. 0 to `competitors_max`.
    competitors: u32,
    strength: f64,
    /// 0 for no squashing.
    steepness: f64,
    midpoint: f64,

    pub fn isAny(inhibition: Inhibition) bool {
        return inhibition.competitors > 0 or inhibition.steepness > 0;
    }

    pub fn apply(inhibition: Inhibition, values: []f32) void {
        if (!inhibition.isAny()) return;
        const top: Top = .of(values, inhibition.competitors);
        for (values) |*value| {
            const inhibited = @max(0, value.* - inhibition.strength * top.above(value.*));
            value.* = @floatCast(if (inhibition.steepness > 0) inhibition.squashed(inhibited) else inhibited);
        }
    }

    fn squashed(inhibition: Inhibition, value: f64) f64 {
        const exponent = -inhibition.steepness * (value - inhibition.midpoint) * std.math.log2e;
        return 1 / (1 + simd.exp2(simd.splat(std.math.clamp(exponent, -300, 300)))[0]);
    }
};

/// The largest of some values, largest first.
const Top = struct {
    values: [competitors_max]f32 = undefined,
    len: usize = 0,

    fn of(values: []const f32, competitors: u32) Top {
        var top: Top = .{};
        if (competitors == 0) return top;
        for (values) |value| {
            if (top.len == competitors and value <= top.values[top.len - 1]) continue;
            var at = if (top.len == competitors) top.len - 1 else top.len;
            while (at > 0 and top.values[at - 1] < value) : (at -= 1) top.values[at] = top.values[at - 1];
            top.values[at] = value;
            top.len = @min(top.len + 1, competitors);
        }
        return top;
    }

    /// How far they stand above `value`, all together.
    inline fn above(top: *const Top, value: f32) f64 {
        var sum: f64 = 0;
        for (top.values[0..top.len]) |larger| {
            if (larger <= value) break;
            sum += @as(f64, larger) - value;
        }
        return sum;
    }
};

const testing = std.testing;

test "the most active stay, and lose others what they stand above them" {
    var values = [_]f32{ 0.5, 1, 0.1, 0.9 };
    (Inhibition{ .competitors = 2, .strength = 0.5, .steepness = 0, .midpoint = 0 }).apply(&values);
    // 0.5 - 0.5 (0.5 + 0.4), 1, 0.1 - 0.5 (0.9 + 0.8) < 0, 0.9 - 0.5 0.1
    for ([_]f32{ 0.05, 1, 0, 0.85 }, values) |expected, found| try testing.expectApproxEqAbs(expected, found, 1e-7);
}

test "squashing is the logistic function, 1/2 in its middle" {
    var values = [_]f32{ 0.5, 0, 1, std.math.floatMax(f32) };
    (Inhibition{ .competitors = 0, .strength = 9, .steepness = 5, .midpoint = 0.5 }).apply(&values);
    for ([_]f32{ 0.5, 0.07585818, 0.92414182, 1 }, values) |expected, found|
        try testing.expectApproxEqAbs(expected, found, 1e-7);
}

test "as many compete as there are, the largest of any number" {
    var random = std.Random.DefaultPrng.init(9);
    var values: [500]f32 = undefined;
    for (&values) |*value| value.* = @floatFromInt(random.random().uintLessThan(u32, 300));
    var sorted = values;
    std.mem.sort(f32, &sorted, {}, std.sort.desc(f32));
    for ([_]u32{ 1, 2, 7, 63, competitors_max }) |competitors| {
        const top: Top = .of(&values, competitors);
        try testing.expectEqualSlices(f32, sorted[0..competitors], top.values[0..top.len]);
    }
    try testing.expectEqual(3, Top.of(values[0..3], 64).len);
}
