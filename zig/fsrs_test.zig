//! FSRS-6 against its definition in f64, one memory at a time.

const std = @import("std");
const fsrs = @import("fsrs.zig");
const simd = @import("simd.zig");
const testing = std.testing;
const Memories = fsrs.Memories;
const Parameters = fsrs.Parameters;
const retrievability = fsrs.retrievability;
const review = fsrs.review;

const least_stability = 0.001;
const most_stability = 36_500;

const published: Parameters = .{
    0.212,  1.2931, 2.3065, 8.2956, 6.4133, 0.8334, 3.0194, 0.001,  1.8722, 0.1666, 0.796,
    1.4835, 0.0614, 0.2629, 1.6483, 0.6014, 1.8729, 0.5425, 0.0912, 0.0658, 0.1542,
};
const lowest: Parameters = .{
    0.001, 0.001, 0.001, 0.001, 1, 0.001, 0.001, 0.001, 0, 0, 0.001, 0.001, 0.001, 0.001, 0, 0, 1, 0, 0, 0, 0.1,
};
const highest: Parameters = .{
    100, 100, 100, 100, 10, 4, 4, 0.75, 4.5, 0.8, 3.5, 5, 0.25, 0.9, 4, 1, 6, 2, 2, 0.8, 0.8,
};

/// One memory, in f64, as the definition has it.
const Exact = struct {
    stability: f64,
    difficulty: f64,

    fn left(w: Parameters, t: f64, s: f64) f64 {
        const factor = std.math.pow(f64, 0.9, -1 / w[20]) - 1;
        return std.math.exp(-w[20] * std.math.log1p(factor * t / s));
    }

    fn of(w: Parameters, s: f64, d: f64, t: f64, grade: u8) Exact {
        const g: f64 = @floatFromInt(grade);
        if (s == 0) return .{
            .stability = w[grade - 1],
            .difficulty = std.math.clamp(w[4] - @exp(w[5] * (g - 1)) + 1, 1, 10),
        };
        // What is lost, without its digits.
        const factor = std.math.pow(f64, 0.9, -1 / w[20]) - 1;
        const lost = -std.math.expm1(-w[20] * std.math.log1p(factor * t / s));
        const penalty = if (grade == 2) w[15] else if (grade == 4) w[16] else 1;
        const power = std.math.pow(f64, s, -w[9]);
        const growth_by_recall = 1 + @exp(w[8]) * (11 - d) * power * std.math.expm1(lost * w[10]) * penalty;
        const growth = std.math.expm1(w[13] * std.math.log1p(s));
        const lapse = w[11] * std.math.pow(f64, d, -w[12]) * growth * @exp(lost * w[14]);
        const short = @exp(w[17] * (g - 3 + w[18])) * std.math.pow(f64, s, -w[19]);
        const next = if (t < 1)
            s * @max(short, if (grade == 1) @as(f64, 0) else 1)
        else if (grade == 1)
            @min(lapse, s / @exp(w[17] * w[18]))
        else
            s * growth_by_recall;
        const easiest = w[4] - @exp(w[5] * 3) + 1;
        const difficulty = w[7] * easiest + (1 - w[7]) * (d - w[6] * (g - 3) * (10 - d) / 9);
        return .{
            .stability = std.math.clamp(next, least_stability, most_stability),
            .difficulty = std.math.clamp(difficulty, 1, 10),
        };
    }
};

fn expectNear(wanted: f64, found: f32, allowed: f64) !void {
    const exponent = @max(std.math.frexp(wanted).exponent, std.math.floatExponentMin(f32) + 1);
    try testing.expectApproxEqAbs(wanted, @as(f64, found), allowed * std.math.ldexp(@as(f64, 1), exponent - 24));
}

const Some = struct {
    stabilities: [most]f32,
    difficulties: [most]f32,
    days: [most]f32,
    grades: [most]u8,

    /// More than are looked at in turn.
    const most = 1061;

    fn of(seed: u64) Some {
        var random = std.Random.DefaultPrng.init(seed);
        const numbers = random.random();
        var some: Some = undefined;
        for (0..most) |i| {
            some.stabilities[i] = @floatCast(@max(least_stability, std.math.exp2(numbers.float(f64) * 25 - 10)));
            if (numbers.uintLessThan(u8, 9) == 0) some.stabilities[i] = 0;
            some.stabilities[i] = @min(some.stabilities[i], most_stability);
            some.difficulties[i] = 1 + 9 * numbers.float(f32);
            const days = if (numbers.boolean()) std.math.exp2(numbers.float(f64) * 14) else numbers.float(f32);
            some.days[i] = @floatCast(days);
            some.grades[i] = numbers.uintLessThan(u8, 5);
        }
        return some;
    }

    fn memories(some: *Some, from: usize, to: usize) Memories {
        return .{
            .stabilities = some.stabilities[from..to],
            .difficulties = some.difficulties[from..to],
            .elapsed_days = some.days[from..to],
            .grades = some.grades[from..to],
        };
    }

    fn expectReviewed(before: *const Some, w: Parameters, from: usize, to: usize) !void {
        var after = before.*;
        review(&w, &after.memories(from, to));
        for (0..most) |i| {
            const s, const d = .{ before.stabilities[i], before.difficulties[i] };
            if (i < from or i >= to or before.grades[i] == 0) {
                try testing.expectEqual(s, after.stabilities[i]);
                try testing.expectEqual(d, after.difficulties[i]);
                continue;
            }
            const exact: Exact = .of(w, s, d, before.days[i], before.grades[i]);
            try expectNear(exact.stability, after.stabilities[i], 0.51);
            try expectNear(exact.difficulty, after.difficulties[i], 0.51);
        }
    }
};

test "every grade, interval and length makes stabilities and difficulties within 0.51 ulp of the definition" {
    for ([_]Parameters{ published, lowest, highest }) |w| {
        for (0..70) |len| try Some.of(len).expectReviewed(w, 3, 3 + len);
        for (0..20) |seed| try Some.of(seed).expectReviewed(w, 0, Some.most);
    }
}

test "parameters from end to end of their ranges keep the bound" {
    var random = std.Random.DefaultPrng.init(11);
    for (0..100) |seed| {
        var w: Parameters = undefined;
        for (&w, lowest, highest) |*parameter, low, high| parameter.* = low + (high - low) * random.random().float(f64);
        try Some.of(seed).expectReviewed(w, 0, Some.most);
    }
}

test "what little is lost of a strong memory counts in full, also where a logarithm begins anew" {
    var w = published;
    w[8], w[9], w[10], w[16], w[20] = .{ 4.5, 0, 3.5, 6, 0.8 };
    var random = std.Random.DefaultPrng.init(23);
    for (0..20_000) |i| {
        // Around powers of two and half of one more; the first is the worst that one search found.
        const around = std.math.exp2(@as(f64, @floatFromInt(i % 29)) / 2);
        const drawn: f32 = @floatCast(around * (1 + (random.random().float(f64) - 0.5) * 0x1p-13));
        const t: f32 = if (i == 0) 1.5 else 1 + random.random().float(f32);
        const s: f32 = if (i == 0) 23170.3984375 else drawn;
        var stability, var difficulty = .{ [1]f32{s}, [1]f32{1} };
        const days = [1]f32{t};
        review(&w, &.{
            .stabilities = &stability,
            .difficulties = &difficulty,
            .elapsed_days = &days,
            .grades = &.{4},
        });
        try expectNear(Exact.of(w, s, 1, t, 4).stability, stability[0], 0.51);
    }
}

test "what is no number makes none, in every place, and ends are held" {
    const nan, const inf = .{ std.math.nan(f32), std.math.inf(f32) };
    for (1..40) |len| for (0..len) |at| for (1..5) |grade| {
        var some: Some = .of(1);
        @memset(&some.stabilities, 5);
        @memset(&some.grades, @intCast(grade));
        for (0..3) |which| {
            var other = some;
            const arrays = [_][]f32{ &other.stabilities, &other.difficulties, &other.days };
            arrays[which][at] = nan;
            review(&published, &other.memories(0, len));
            for (other.stabilities[0..len], other.difficulties[0..len], 0..) |s, d, i| {
                try testing.expectEqual(i == at, std.math.isNan(s));
                try testing.expectEqual(i == at, std.math.isNan(d));
            }
        }
    };
    const least: f32 = least_stability;
    const held_as = [_][2][3]f32{
        .{ .{ 1e9, 0, 1 }, .{ most_stability, 1, 1 } },
        .{ .{ -5, 50, 1 }, .{ least, 10, 1 } },
        .{ .{ 5, 5, inf }, .{ 5, 5, 3e38 } },
        .{ .{ 5, 5, -7 }, .{ 5, 5, 0 } },
        .{ .{ inf, 5, 3 }, .{ most_stability, 5, 3 } },
        .{ .{ 0, nan, nan }, .{ 0, 1, 1 } },
    };
    for (held_as) |pair| for (1..5) |grade| {
        var s, var d = .{ pair[0][0..1].*, pair[0][1..2].* };
        const grades = [1]u8{@intCast(grade)};
        const days = pair[0][2..3];
        review(&published, &.{ .stabilities = &s, .difficulties = &d, .elapsed_days = days, .grades = &grades });
        const as = pair[1];
        const exact: Exact = .of(published, as[0], as[1], if (days[0] == inf) 1e300 else as[2], grades[0]);
        try expectNear(exact.stability, s[0], 0.51);
        try expectNear(exact.difficulty, d[0], 0.51);
    };
}

test "retrievability is within its bound of the definition at every length and in every place" {
    const inf, const nan = .{ std.math.inf(f32), std.math.nan(f32) };
    const ends = [_][2]f32{
        .{ 0, 3 },     .{ -1, 3 },          .{ 5, -2 },       .{ 5, inf }, .{ inf, 5 },
        .{ inf, inf }, .{ 0x1p-149, 3e38 }, .{ 3e38, 1e-40 }, .{ nan, 1 }, .{ 1, nan },
    };
    for ([_]Parameters{ published, lowest, highest }) |w| for (0..70) |len| {
        var some: Some = .of(len);
        for (ends, 0..) |end, i| if (len > 20) {
            some.stabilities[(len + i * 3) % len] = end[0];
            some.days[(len + i * 3) % len] = end[1];
        };
        var found: [70]f32 = @splat(77);
        retrievability(&w, some.stabilities[0..len], some.days[0..len], found[0..len]);
        for (found[0..len], some.stabilities[0..len], some.days[0..len]) |left, s, t| {
            if (std.math.isNan(s) or std.math.isNan(t)) {
                try testing.expect(std.math.isNan(left));
                continue;
            }
            const exact = if (s <= 0 or t == inf) 0 else Exact.left(w, @max(t, 0), s);
            try expectNear(exact, left, 0.69);
        }
        for (found[len..]) |beside| try testing.expectEqual(77, beside);
    };
}

test "1061 memories have the same bits on every tier that multiplies and adds in one rounding" {
    if (!simd.has_fma) return error.SkipZigTest;
    // CRC-32 of the bits of retrievabilities, stabilities and difficulties.
    const expected = [_][3]u32{
        .{ 0xAFF62731, 0xF7493459, 0x0DA08C90 },
        .{ 0x042CCDE4, 0xCA58AD93, 0x5B7EA332 },
        .{ 0x3E28210E, 0xC6241926, 0xE6A21C5D },
    };
    for ([_]Parameters{ published, lowest, highest }, expected) |w, sums| {
        var some: Some = .of(5);
        var left: [Some.most]f32 = undefined;
        retrievability(&w, &some.stabilities, &some.days, &left);
        review(&w, &some.memories(0, Some.most));
        const found = [_][]const u8{
            std.mem.asBytes(&left), std.mem.asBytes(&some.stabilities), std.mem.asBytes(&some.difficulties),
        };
        for (sums, found) |sum, bytes| try testing.expectEqual(sum, std.hash.Crc32.hash(bytes));
    }
}
