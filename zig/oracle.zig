//! What the kernels' tests compare with: f64, one element at a time, sharing nothing with a kernel.

const std = @import("std");
const Metric = @import("score.zig").Metric;

/// Elements in [-1, 1] with the period 251, so that blocks put in each other's place do not cancel.
pub fn paint(elements: []f32, seed: usize) void {
    for (elements, 0..) |*element, i| {
        const step: f32 = @floatFromInt(((i + seed) * 97 + (i + seed) * (i + seed) % 13) % 251);
        element.* = step / 125 - 1;
    }
}

pub fn dot(a: []const f32, b: []const f32) f64 {
    var total: f64 = 0;
    for (a, b) |x, y| total += @as(f64, x) * @as(f64, y);
    return total;
}

pub fn cosine(a: []const f32, b: []const f32) f64 {
    const norms = @sqrt(dot(a, a)) * @sqrt(dot(b, b));
    return if (norms == 0) 0 else dot(a, b) / norms;
}

/// A sum of n products errs by at most n u / (1 - n u) times the sum of their magnitudes, in any order (Higham 2002,
/// section 3.1), u = 2^-24. Cosine: three such sums, halved by the roots, and the rounding of roots and quotient.
/// Squared distance: each difference adds a relative u, its square two.
pub fn expectScore(metric: Metric, query: []const f32, row: []const f32, score: f32) !void {
    const n: f64 = @floatFromInt(query.len);
    const u = 0x1p-24;
    const gamma = n * u / (1 - n * u);
    var magnitude: f64 = 0;
    var distance: f64 = 0;
    for (query, row) |q, x| {
        magnitude += @abs(@as(f64, q) * @as(f64, x));
        distance += (@as(f64, q) - @as(f64, x)) * (@as(f64, q) - @as(f64, x));
    }
    const exact, const bound = switch (metric) {
        .dot => .{ dot(query, row), gamma * magnitude + u * @abs(dot(query, row)) },
        .cosine => .{ cosine(query, row), 2 * gamma + 8 * u },
        .squared_euclidean => .{ distance, (gamma + 4 * u) * distance },
        .hamming, .jaccard => unreachable,
    };
    try std.testing.expectApproxEqAbs(exact, @as(f64, score), bound);
}
