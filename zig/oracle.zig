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

/// The number that an element is; the bits of a bf16 are a u16.
pub fn number(element: anytype) f64 {
    return switch (@TypeOf(element)) {
        f32, f16 => element,
        u16 => @as(f32, @bitCast(@as(u32, element) << 16)),
        i8 => @floatFromInt(element),
        else => comptime unreachable,
    };
}

/// How a score was taken.
pub const Way = struct {
    metric: Metric,
    /// In f64, and rounded once.
    precise: bool = false,
    /// The row's, where it is of i8 and the query is not.
    scale: ?f32 = null,
    /// Whether numbers and products below 2^-126 count as 0.
    flushes: bool = false,
};

/// What bounds are made of. Products and differences of f32 are exact in f64, or nearly.
const Terms = struct {
    products: f64 = 0,
    magnitude: f64 = 0,
    distance: f64 = 0,
    /// Differences by what rounding an element may move them, in units.
    moved: f64 = 0,
    query_squares: f64 = 0,
    row_squares: f64 = 0,
    largest: [2]f64 = .{ 0, 0 },

    fn of(query: anytype, row: anytype, scale: f64) Terms {
        var terms: Terms = .{};
        for (query, row) |q, x| {
            const a = number(q);
            const b = number(x) * scale;
            terms.products += a * b;
            terms.magnitude += @abs(a * b);
            terms.distance += (a - b) * (a - b);
            terms.moved += @abs(a - b) * @abs(b);
            terms.query_squares += a * a;
            terms.row_squares += b * b;
            terms.largest = .{ @max(terms.largest[0], @abs(a)), @max(terms.largest[1], @abs(number(x))) };
        }
        return terms;
    }

    fn exact(terms: *const Terms, metric: Metric) f64 {
        const norms = @sqrt(terms.query_squares) * @sqrt(terms.row_squares);
        return switch (metric) {
            .dot => terms.products,
            .cosine => if (norms == 0) 0 else terms.products / norms,
            .squared_euclidean => terms.distance,
            .hamming, .jaccard => unreachable,
        };
    }

    /// Rounded once, with half a unit of the result, and what f64 loses here and there.
    fn preciseBound(terms: *const Terms, metric: Metric, n: f64) f64 {
        const size = switch (metric) {
            .dot => terms.magnitude,
            .cosine => 2,
            .squared_euclidean => terms.distance,
            .hamming, .jaccard => unreachable,
        };
        return @abs(terms.exact(metric)) * 0x1p-24 + 0x1p-150 + 2 * (n + 4) * 0x1p-53 * size;
    }

    /// As in `expectScore`. A scale rounds a dot product once more; it rounds each element before a difference, which
    /// moves a square by twice the difference and more, and adds its own square. Each operation whose result is below
    /// 2^-126 loses up to 2^-150 beside it.
    fn fastBound(terms: *const Terms, way: *const Way, n: f64) f64 {
        const u = 0x1p-24;
        const gamma = n * u / (1 - n * u);
        const scale: f64 = way.scale orelse 0;
        const scaled: f64 = if (way.scale == null) 0 else 1;
        const lost = 2 * n * 0x1p-150 * @max(scale, 1) + 0x1p-150;
        const flushed = if (way.flushes) n * 0x1p-126 * (1 + terms.largest[0] + terms.largest[1]) else 0;
        return lost + switch (way.metric) {
            .dot => (gamma + scaled * u) * terms.magnitude + u * @abs(terms.products) + flushed,
            .cosine => 2 * gamma + 8 * u + flushed,
            .squared_euclidean => (gamma + 4 * u) * terms.distance +
                scaled * (1 + gamma) * (2 * u * terms.moved + 4 * u * u * terms.row_squares),
            .hamming, .jaccard => unreachable,
        };
    }
};

fn allFinite(elements: anytype) bool {
    for (elements) |element| if (!std.math.isFinite(number(element))) return false;
    return true;
}

/// Of numbers of any type. Infinities and NaN are those of IEEE, but for cosines, which are NaN then.
pub fn expectNumber(way: Way, query: anytype, row: anytype, score: f32) !void {
    const terms: Terms = .of(query, row, way.scale orelse 1);
    const n: f64 = @floatFromInt(query.len);
    const finite = allFinite(query) and allFinite(row);
    const exact = if (way.metric == .cosine and !finite) std.math.nan(f64) else terms.exact(way.metric);
    if (std.math.isNan(exact)) return std.testing.expect(std.math.isNan(score));
    if (std.math.isInf(exact)) return std.testing.expectEqual(exact, @as(f64, score));
    const bound = if (way.precise) terms.preciseBound(way.metric, n) else terms.fastBound(&way, n);
    if (std.math.isInf(score)) {
        // What rounds to infinity: half a unit above the largest f32, and more.
        try std.testing.expect(@abs(exact) + bound >= 0x1.ffffffp127);
        return std.testing.expectEqual(exact > 0, score > 0);
    }
    try std.testing.expectApproxEqAbs(exact, @as(f64, score), bound);
}

/// The score of whole numbers: exact until it is rounded, by way of f64, in the order that is written here. Scales are
/// of query and row.
pub fn whole(metric: Metric, precise: bool, query: anytype, row: anytype, scales: [2]f32) f32 {
    return if (@TypeOf(query[0]) == u8) ofBits(metric, query, row) else ofBytes(metric, precise, query, row, scales);
}

fn ofBits(metric: Metric, query: []const u8, row: []const u8) f32 {
    var differing: i64 = 0;
    var both: i64 = 0;
    var either: i64 = 0;
    for (query, row) |q, x| for (0..8) |bit| {
        const a = q >> @intCast(bit) & 1;
        const b = x >> @intCast(bit) & 1;
        differing += @intFromBool(a != b);
        both += @intFromBool(a == 1 and b == 1);
        either += @intFromBool(a == 1 or b == 1);
    };
    if (metric == .hamming) return @floatFromInt(differing);
    if (either == 0) return 1;
    return @floatCast(@as(f64, @floatFromInt(both)) / @as(f64, @floatFromInt(either)));
}

fn ofBytes(metric: Metric, precise: bool, query: []const i8, row: []const i8, scales: [2]f32) f32 {
    var sums: [3]i64 = @splat(0);
    for (query, row) |q, x| {
        sums[0] += @as(i64, q) * x;
        sums[1] += @as(i64, q) * q;
        sums[2] += @as(i64, x) * x;
    }
    const a: f64 = scales[0];
    const b: f64 = scales[1];
    const products: f64 = @floatFromInt(sums[0]);
    const query_squares: f64 = @floatFromInt(sums[1]);
    const row_squares: f64 = @floatFromInt(sums[2]);
    switch (metric) {
        .dot => return @floatCast(a * b * products),
        .cosine => {
            const length = @sqrt(row_squares);
            const norms = @sqrt(query_squares) * if (precise) length else @as(f64, @as(f32, @floatCast(length)));
            return if (norms == 0) 0 else @floatCast(products / norms);
        },
        .squared_euclidean => {
            if (a == b) return @floatCast(a * a * @as(f64, @floatFromInt(sums[1] + sums[2] - 2 * sums[0])));
            return @floatCast(@max(a * a * query_squares + b * b * row_squares - 2 * (a * b * products), 0));
        },
        .hamming, .jaccard => unreachable,
    }
}
