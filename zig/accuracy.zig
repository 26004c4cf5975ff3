//! How far decay, retrievability and base levels are from their laws at every age there is.
//!
//!     zig build accuracy -Dtier=v3 -- [STRIDE]
//!
//! Every stride-th f32 from 0 to infinity, by every law, as seconds and as whole milliseconds; without a stride every
//! one, which takes an hour or two, while 101 takes a minute. In ulp of the result, and for base levels what is wrong
//! beside half an ulp.

const std = @import("std");
const builtin = @import("builtin");
const base_level = @import("base_level.zig");
const decay_zig = @import("decay.zig");
const fsrs = @import("fsrs.zig");
const laws = @import("laws.zig");

const at_once = 1024;

const Case = struct {
    kind: laws.Kind,
    strength: f32 = 1,
    first: f32,
    second: f32 = 0,
    /// Ages as moments, in whole milliseconds.
    moments: bool = false,
    /// What src/decay.rs states of normal numbers, on tiers that multiply and add in one rounding.
    bound: f64,

    fn exact(case: Case, age: f64) f64 {
        const given = if (case.moments) @as(f64, @floatFromInt(milliseconds(age))) / 1000 else age;
        return case.strength * laws.exact(case.kind, given, case.first, case.second);
    }

    fn milliseconds(age: f64) i64 {
        return @intFromFloat(@min(age * 1000, 0x1p61));
    }

    fn apply(case: Case, ages: *const [at_once]f32, strengths: *[at_once]f32) void {
        const before: [at_once]f32 = @splat(case.strength);
        const first, const second = .{ [1]f32{case.first}, [1]f32{case.second} };
        const law: decay_zig.Law = .{
            .kind = case.kind,
            .first = &first,
            .second = if (case.kind.hasSecond()) &second else &.{},
            .floor = 0,
        };
        var times: [at_once]i64 = undefined;
        for (&times, ages) |*time, age| time.* = now - milliseconds(age);
        const given: decay_zig.Ages = if (case.moments)
            .{ .unix_milliseconds = .{ .now = now, .times = &times } }
        else
            .{ .seconds = ages };
        _ = decay_zig.decay(law, given, &before, strengths);
    }
};

const now: i64 = 1_700_000_000_123;

fn holds(bound: f64, found: [2]f64) bool {
    return found[0] <= 0.5 + bound / 2 and found[1] <= bound;
}

/// Of FSRS-6, with the parameter w20.
const Retrievability = struct {
    stability: f32,
    w20: f64,

    const bound = 0.69;
    const cases = [_]Retrievability{
        .{ .stability = 1, .w20 = 0.1542 },
        .{ .stability = 53.6269, .w20 = 0.1542 },
        .{ .stability = 0.001, .w20 = 0.8 },
        .{ .stability = 36_500, .w20 = 0.1 },
    };

    fn exact(case: Retrievability, days: f64) f64 {
        const factor = std.math.pow(f64, 0.9, -1 / case.w20) - 1;
        return std.math.exp(-case.w20 * std.math.log1p(factor * days / case.stability));
    }

    fn apply(case: Retrievability, days: *const [at_once]f32, to: *[at_once]f32) void {
        const stabilities: [at_once]f32 = @splat(case.stability);
        var parameters: fsrs.Parameters = @splat(1);
        parameters[parameters.len - 1] = case.w20;
        fsrs.retrievability(&parameters, &stabilities, days, to);
    }
};

/// Of a memory presented once: how far it is from -d ln(age) beside half an ulp.
fn worstBaseLevel(d: f32, stride: u32) f64 {
    var offsets: [at_once + 1]u32 = undefined;
    for (&offsets, 0..) |*offset, i| offset.* = @intCast(i);
    var ages: [at_once]f32 = undefined;
    var found: [at_once]f32 = undefined;
    var most: f64 = 0;
    var from: u64 = 1;
    while (from < infinity) : (from += at_once * @as(u64, stride)) {
        for (&ages, 0..) |*age, i| {
            age.* = @bitCast(@as(u32, @intCast(@min(from + i * @as(u64, stride), infinity - 1))));
        }
        const memories: base_level.Memories = .{
            .offsets = &offsets,
            .ages = .{ .seconds = &ages },
            .counts = &.{},
            .lifetimes = .{ .seconds = &.{} },
        };
        _ = base_level.activate(.{ .d = d, .least_age = 0 }, &memories, &found);
        for (ages, found) |age, level| {
            const exact = -@as(f64, d) * @log(@as(f64, age));
            const ulp = std.math.ldexp(@as(f64, 1), std.math.frexp(exact).exponent - 24);
            const off = @abs(level - exact) - ulp / 2;
            most = if (off > most or std.math.isNan(level)) off else most;
        }
    }
    return most;
}

const base_level_bound = 8.3e-8;

const cases = [_]Case{
    .{ .kind = .exponential, .first = 1, .bound = 0.67 },
    .{ .kind = .exponential, .strength = 0.7853982, .first = 86_400, .bound = 0.67 },
    .{ .kind = .exponential, .first = 86_400, .moments = true, .bound = 0.67 },
    .{ .kind = .power, .first = 86_400, .second = 0.5, .bound = 0.6782 },
    .{ .kind = .power, .strength = 1.3, .first = 1, .second = 1, .bound = 0.6863 },
    .{ .kind = .power, .first = 2_592_000, .second = 2, .bound = 0.7026 },
    .{ .kind = .power, .strength = 0.9, .first = 86_400, .second = 16, .bound = 0.9308 },
    .{ .kind = .power, .first = 3600, .second = 0.5, .moments = true, .bound = 0.6782 },
    .{ .kind = .stability, .strength = 1.1, .first = 86_400, .bound = 0.67 },
    .{ .kind = .stability, .first = 600, .moments = true, .bound = 0.67 },
    .{ .kind = .hyperbolic, .first = 86_400, .bound = 0.501 },
    .{ .kind = .hyperbolic, .first = 1e-3, .moments = true, .bound = 0.501 },
    .{ .kind = .stretched, .first = 86_400, .second = 0.5, .bound = 0.65 },
    .{ .kind = .stretched, .strength = 0.3, .first = 1000, .second = 100, .bound = 0.65 },
    .{ .kind = .stretched, .first = 7200, .second = 1.3, .moments = true, .bound = 0.65 },
    .{ .kind = .savings, .first = 1.84, .second = 1.25, .bound = 0.7 },
    .{ .kind = .savings, .strength = 2.3, .first = 0.02, .second = 100, .bound = 0.7 },
    .{ .kind = .savings, .first = 1.84, .second = 1.25, .moments = true, .bound = 0.7 },
};

const infinity: u32 = @bitCast(std.math.inf(f32));

/// Among results that are no normal numbers, and among those that are.
fn worst(case: anytype, stride: u32) [2]f64 {
    var ages: [at_once]f32 = undefined;
    var strengths: [at_once]f32 = undefined;
    var most: [2]f64 = @splat(0);
    var from: u64 = 0;
    while (from <= infinity) : (from += at_once * @as(u64, stride)) {
        for (&ages, 0..) |*age, i| age.* = @bitCast(@as(u32, @intCast(@min(from + i * @as(u64, stride), infinity))));
        case.apply(&ages, &strengths);
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
        const ages = if (case.moments) "moments" else "seconds";
        std.debug.print("{t}, {s}, {d} by {d} and {d}: {d:.4} ulp, {d:.4} below 2^-126\n", .{
            case.kind, ages, case.strength, case.first, case.second, normal, small,
        });
        if (!holds(case.bound, .{ small, normal })) std.process.fatal("expected at most {d}", .{case.bound});
    }
    for (Retrievability.cases) |case| {
        const found = worst(case, stride);
        std.debug.print("retrievability, stability {d}, w20 {d}: {d:.4} ulp\n", .{
            case.stability, case.w20, found[1],
        });
        if (!holds(Retrievability.bound, found)) std.process.fatal("expected at most {d}", .{Retrievability.bound});
    }
    for ([_]f32{ 0.5, 0.99 }) |d| {
        const off = worstBaseLevel(d, stride);
        std.debug.print("base level, d {d}: half an ulp and {e:.3}\n", .{ d, off });
        if (!(off <= base_level_bound)) std.process.fatal("expected at most {e}", .{base_level_bound});
    }
}

test "decay is within its bound of the laws at ages of every magnitude" {
    const stride = if (builtin.mode == .debug) 99_991 else 4999;
    for (cases) |case| try std.testing.expect(holds(case.bound, worst(case, stride)));
}

test "retrievability and base levels are within their bounds at ages of every magnitude" {
    const stride = if (builtin.mode == .debug) 99_991 else 4999;
    for (Retrievability.cases) |case| try std.testing.expect(holds(Retrievability.bound, worst(case, stride)));
    for ([_]f32{ 0.5, 0.99 }) |d| try std.testing.expect(worstBaseLevel(d, stride) <= base_level_bound);
}
