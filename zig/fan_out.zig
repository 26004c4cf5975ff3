//! Which of a node's edges take part: all, or the strongest so many, where the relation of an edge counts.

const std = @import("std");
const spreading = @import("spreading.zig");

/// The edges out of one node.
pub const Edges = struct {
    targets: []const u32,
    weights: []const f32,
    /// Of as many edges, or none.
    relations: []const u8,
    factors: ?*const [256]f32,

    pub fn of(graph: spreading.Graph, first: usize, end: usize, factors: ?*const [256]f32) Edges {
        return .{
            .targets = graph.targets[first..end],
            .weights = graph.weights[first..end],
            .relations = if (graph.relations.len == 0) &.{} else graph.relations[first..end],
            .factors = factors,
        };
    }

    /// Of the edge's relation.
    pub inline fn factor(edges: Edges, i: usize) f32 {
        const factors = edges.factors orelse return 1;
        return factors[if (edges.relations.len == 0) 0 else edges.relations[i]];
    }

    /// Its weight times that.
    pub inline fn strength(edges: Edges, i: usize) f32 {
        return @min(edges.weights[i] * edges.factor(i), std.math.floatMax(f32));
    }
};

/// The strength that the last of the strongest has, and how many of that strength are among them. Ties are by lower
/// target: those that come first.
pub const Cut = struct {
    least: f32,
    ties: u32,

    pub fn of(edges: Edges, most: u32) Cut {
        if (most >= edges.targets.len) return .{ .least = 0, .ties = std.math.maxInt(u32) };
        // Floats that are not negative are ordered as their bits are. Byte by byte, what the last of them begins with.
        var least: u32 = 0;
        var known: u32 = 0;
        var left = most;
        inline for ([_]u5{ 24, 16, 8, 0 }) |shift| {
            var counts: [256]u32 = @splat(0);
            for (0..edges.targets.len) |i| {
                const bits: u32 = @bitCast(edges.strength(i) + 0.0); // Never of a negative zero.
                if (bits & known == least) counts[bits >> shift & 0xFF] += 1;
            }
            var byte: u32 = 0xFF;
            while (byte > 0 and counts[byte] < left) : (byte -= 1) left -= counts[byte];
            least |= byte << shift;
            known |= @as(u32, 0xFF) << shift;
        }
        return .{ .least = @bitCast(least), .ties = left };
    }

    /// To be asked of each edge once, in order.
    pub inline fn admits(cut: *Cut, strength: f32) bool {
        if (strength != cut.least) return strength > cut.least;
        if (cut.ties == 0) return false;
        cut.ties -= 1;
        return true;
    }
};

const testing = std.testing;

test "the strongest edges take part, ties by lower target" {
    const weights = [_]f32{ 3, 1, 3, -0.0, 2, 3, 0x1p-149, std.math.floatMax(f32) };
    const targets = [_]u32{ 0, 1, 2, 3, 4, 5, 6, 7 };
    var edges: Edges = .{ .targets = &targets, .weights = &weights, .relations = &.{}, .factors = null };
    try expectAdmitted(edges, 0, &.{});
    try expectAdmitted(edges, 1, &.{7});
    try expectAdmitted(edges, 3, &.{ 0, 2, 7 });
    try expectAdmitted(edges, 5, &.{ 0, 2, 4, 5, 7 });
    try expectAdmitted(edges, 7, &.{ 0, 1, 2, 4, 5, 6, 7 });
    try expectAdmitted(edges, 9, &targets);
    var factors: [256]f32 = @splat(1);
    factors[0] = 0;
    factors[2] = 10;
    edges.factors = &factors;
    edges.relations = &.{ 1, 2, 1, 2, 1, 1, 1, 0 };
    try expectAdmitted(edges, 2, &.{ 0, 1 });
}

fn expectAdmitted(edges: Edges, most: u32, expected: []const u32) !void {
    var cut: Cut = .of(edges, most);
    var found: [8]u32 = undefined;
    var len: usize = 0;
    for (edges.targets, 0..) |target, i| if (cut.admits(edges.strength(i))) {
        found[len] = target;
        len += 1;
    };
    try testing.expectEqualSlices(u32, expected, found[0..len]);
}
