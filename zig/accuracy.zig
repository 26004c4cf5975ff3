//! How far decay is from its laws at every age there is.
//!
//!     zig build accuracy -Dtier=v3 -- [STRIDE]
//!
//! Every stride-th f32 from 0 to infinity, at first every one, which takes minutes; in ulp of the result.

const std = @import("std");
const builtin = @import("builtin");
const decay_zig = @import("decay.zig");

const Case = struct {
    strength: f32,
    first: f32,
    /// Of the power law.
    exponent: ?f32 = null,
    /// What decay.zig states of normal numbers, on tiers that multiply and add in one rounding.
    bound: f64,

    fn exact(case: Case, age: f64) f64 {
        const exponent = case.exponent orelse return case.strength * std.math.exp2(-age / case.first);
        return case.strength * std.math.exp(-@as(f64, exponent) * std.math.log1p(age / case.first));
    }

    fn holds(case: Case, found: [2]f64) bool {
        return found[0] <= 0.5 + case.bound / 2 and found[1] <= case.bound;
    }
};

const cases = [_]Case{
    .{ .strength = 1, .first = 1, .bound = 0.67 },
    .{ .strength = 0.7853982, .first = 86_400, .bound = 0.67 },
    .{ .strength = 1, .first = 86_400, .exponent = 0.5, .bound = 0.6782 },
    .{ .strength = 1.3, .first = 1, .exponent = 1, .bound = 0.6863 },
    .{ .strength = 1, .first = 2_592_000, .exponent = 2, .bound = 0.7026 },
    .{ .strength = 0.9, .first = 86_400, .exponent = 16, .bound = 0.9308 },
};

const infinity: u32 = @bitCast(std.math.inf(f32));

/// Among results that are no normal numbers, and among those that are.
fn worst(case: Case, stride: u32) [2]f64 {
    var ages: [1024]f32 = undefined;
    const before: [1024]f32 = @splat(case.strength);
    var strengths: [1024]f32 = undefined;
    var most: [2]f64 = @splat(0);
    var from: u64 = 0;
    while (from <= infinity) : (from += ages.len * @as(u64, stride)) {
        for (&ages, 0..) |*age, i| age.* = @bitCast(@as(u32, @intCast(@min(from + i * @as(u64, stride), infinity))));
        const first, const second = .{ [1]f32{case.first}, [1]f32{case.exponent orelse 0} };
        const law: decay_zig.Law = .{
            .kind = if (case.exponent == null) .exponential else .power,
            .first = &first,
            .second = if (case.exponent == null) &.{} else &second,
            .floor = 0,
        };
        _ = decay_zig.decay(law, .{ .seconds = &ages }, &before, &strengths);
        for (ages, strengths) |age, found| {
            const exact = case.exact(age);
            const normal = exact >= std.math.floatMin(f32);
            most[@intFromBool(normal)] = @max(most[@intFromBool(normal)], away(exact, found));
        }
    }
    return most;
}

/// In ulp of f32; infinite for what is no number.
fn away(exact: f64, found: f32) f64 {
    if (std.math.isNan(found)) return std.math.inf(f64);
    const binade = @max(std.math.frexp(exact).exponent - 1, std.math.floatExponentMin(f32));
    return @abs(found - exact) * std.math.ldexp(@as(f64, 1), std.math.floatMantissaBits(f32) - binade);
}

pub fn main(init: std.process.Init) !void {
    var arguments = try init.minimal.args.iterateAllocator(init.gpa);
    defer arguments.deinit();
    _ = arguments.skip();
    const stride = if (arguments.next()) |text|
        std.fmt.parseInt(u32, text, 10) catch std.process.fatal("expected a number, found '{s}'", .{text})
    else
        1;
    if (stride == 0) std.process.fatal("expected a stride above 0", .{});
    for (cases) |case| {
        const small, const normal = worst(case, stride);
        std.debug.print("{d} after half-life or scale {d}, exponent {?d}: {d:.4} ulp, {d:.4} below 2^-126\n", .{
            case.strength, case.first, case.exponent, normal, small,
        });
        if (!case.holds(.{ small, normal })) std.process.fatal("expected at most {d}", .{case.bound});
    }
}

test "decay is within its bound of the laws at ages of every magnitude" {
    const stride = if (builtin.mode == .debug) 99_991 else 4999;
    for (cases) |case| try std.testing.expect(case.holds(worst(case, stride)));
}
