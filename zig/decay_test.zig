//! Decay against the laws in f64, one memory at a time.

const std = @import("std");
const decay_zig = @import("decay.zig");
const laws = @import("laws.zig");
const simd = @import("simd.zig");
const testing = std.testing;
const Ages = decay_zig.Ages;
const Kind = decay_zig.Kind;
const Law = decay_zig.Law;

/// In place.
fn decay(law: Law, ages: Ages, strengths: []f32) decay_zig.Report {
    return decay_zig.decay(law, ages, strengths, strengths);
}

/// What src/decay.rs promises of normal numbers: in two parts as twofold.zig says, where 1.4e-9 ln 2 are 0.0163 of
/// 2^-24; otherwise as laws.zig does.
fn bound(kind: Kind, exponent: f32) f64 {
    return switch (kind) {
        .exponential, .stability => 0.67,
        .power => if (exponent <= 16) 0.67 + 0.0163 * exponent else laws.bound(kind),
        .hyperbolic, .stretched, .savings => laws.bound(kind),
    };
}

fn expectDecayed(exact: f64, found: f32, normal: f64) !void {
    const binade = @max(std.math.frexp(exact).exponent - 1, std.math.floatExponentMin(f32));
    const ulp = std.math.ldexp(@as(f64, 1), binade - std.math.floatMantissaBits(f32));
    const allowed = if (@abs(exact) < std.math.floatMin(f32)) 0.5 + normal / 2 else normal;
    try testing.expectApproxEqAbs(exact, @as(f64, found), allowed * ulp);
}

const now: i64 = 1_700_000_000_123;

/// Memories with all that any law asks for.
const Memories = struct {
    strengths: [67]f32,
    seconds: [67]f32,
    times: [67]i64,
    firsts: [67]f32,
    exponents: [67]f32,

    fn some() Memories {
        var memories: Memories = undefined;
        for (0..67) |i| {
            const x: f32 = @floatFromInt(i);
            memories.strengths[i] = if (i % 5 == 4) -x / 7 else x / 13;
            memories.seconds[i] = x * x * 1000 - 3000;
            memories.times[i] = now - @as(i64, @intCast(i * i * 999_983)) + 2500;
            memories.firsts[i] = 1 + x * 333;
            memories.exponents[i] = 0.1 + x * x / 67 / 67 * 100;
        }
        return memories;
    }

    fn law(memories: *const Memories, kind: Kind, parameters: usize) Law {
        const seconds = if (kind.hasSecond()) memories.exponents[0..parameters] else &.{};
        return .{ .kind = kind, .first = memories.firsts[0..parameters], .second = seconds, .floor = 0 };
    }

    fn ages(memories: *const Memories, kind: std.meta.Tag(Ages), len: usize) Ages {
        return switch (kind) {
            .seconds => .{ .seconds = memories.seconds[0..len] },
            .unix_milliseconds => .{ .unix_milliseconds = .{ .now = now, .times = memories.times[0..len] } },
            .uniform => .{ .uniform = 12_345.6 },
        };
    }

    fn age(memories: *const Memories, kind: std.meta.Tag(Ages), at: usize) f64 {
        return switch (kind) {
            .seconds => memories.seconds[at],
            .unix_milliseconds => @as(f64, @floatFromInt(now - memories.times[at])) / 1000,
            .uniform => @as(f32, 12_345.6),
        };
    }
};

test "every law, kind of age and length is within its bound of the definition" {
    const memories: Memories = .some();
    for (std.enums.values(Kind)) |kind| for (std.enums.values(std.meta.Tag(Ages))) |age_kind| {
        for (1..68) |len| for ([_]usize{ 1, len }) |parameters| {
            var strengths = memories.strengths;
            const report = decay(memories.law(kind, parameters), memories.ages(age_kind, len), strengths[0..len]);
            var negative: usize = 0;
            for (strengths[0..len], memories.strengths[0..len], 0..) |found, before, i| {
                const age = memories.age(age_kind, i);
                negative += @intFromBool(age < 0);
                const p = if (parameters == 1) 0 else i;
                const first, const exponent = .{ memories.firsts[p], memories.exponents[p] };
                const exact = @as(f64, before) * laws.exact(kind, @max(age, 0), first, exponent);
                try expectDecayed(exact, found, bound(kind, exponent));
            }
            try testing.expectEqual(negative, report.negative_ages);
            try testing.expectEqual(0, report.nan_ages);
            for (strengths[len..], memories.strengths[len..]) |after, before| try testing.expectEqual(before, after);
        };
    };
}

test "what is written apart has the bits of what is written in place, and what is read stays" {
    const memories: Memories = .some();
    for (std.enums.values(Kind)) |kind| for (std.enums.values(std.meta.Tag(Ages))) |age_kind| for (1..68) |len| {
        const law, const ages = .{ memories.law(kind, len), memories.ages(age_kind, len) };
        var in_place = memories.strengths;
        const report = decay(law, ages, in_place[0..len]);
        var apart: [67]f32 = @splat(77);
        try testing.expectEqual(report, decay_zig.decay(law, ages, memories.strengths[0..len], apart[0..len]));
        try testing.expectEqualSlices(u8, std.mem.sliceAsBytes(in_place[0..len]), std.mem.sliceAsBytes(apart[0..len]));
        for (apart[len..]) |beside| try testing.expectEqual(77, beside);
    };
}

test "bits of a memory do not depend on those beside it that are decayed in f64" {
    var ages: [8192]f32 = undefined;
    for (&ages, 0..) |*age, i| age.* = @as(f32, @floatFromInt(i)) * 12.34567 + 0.1;
    const firsts: [ages.len]f32 = @splat(86_400);
    const exponents: [ages.len]f32 = @splat(7.7);
    var beside = firsts;
    for (0..ages.len / 8) |i| beside[i * 8 + 3] = 0x1p100;
    for ([_]Kind{ .exponential, .power, .stability }) |kind| {
        var alike: [ages.len]f32 = @splat(0.7);
        var mixed = alike;
        _ = decay(.{ .kind = kind, .first = &firsts, .second = &exponents, .floor = 0 }, .{ .seconds = &ages }, &alike);
        _ = decay(.{ .kind = kind, .first = &beside, .second = &exponents, .floor = 0 }, .{ .seconds = &ages }, &mixed);
        for (alike, mixed, 0..) |a, b, i| if (i % 8 != 3) try testing.expectEqual(a, b);
    }
}

test "one age for all has the bits of that age for each" {
    const nan, const inf = .{ std.math.nan(f32), std.math.inf(f32) };
    const special = [_]f32{ nan, inf, -inf, 0x1p-149, -3e38, 0.3, 1e-39 };
    const memories: Memories = .some();
    for (std.enums.values(Kind)) |kind| for ([_]f32{ 0, -5, 1, 86_400, 3e38, inf, nan }) |age| {
        for (1..68) |len| for ([_]f32{ 0, 0.1 }) |floor| {
            var scaled = memories.strengths;
            @memcpy(scaled[60..67], &special);
            var each = scaled;
            var law = memories.law(kind, 1);
            law.floor = floor;
            const firsts: [67]f32 = @splat(law.first[0]);
            const seconds: [67]f32 = @splat(memories.exponents[0]);
            const same: Law = .{ .kind = kind, .first = firsts[0..len], .second = seconds[0..len], .floor = floor };
            const report = decay(law, .{ .uniform = age }, scaled[67 - len ..]);
            try testing.expectEqual(decay(same, .{ .uniform = age }, each[67 - len ..]), report);
            for (scaled, each) |a, b| {
                const both_nan = std.math.isNan(a) and std.math.isNan(b);
                try testing.expect(both_nan or @as(u32, @bitCast(a)) == @as(u32, @bitCast(b)));
            }
            try testing.expectEqual(if (age < 0) len else 0, report.negative_ages);
            try testing.expectEqual(if (std.math.isNan(age)) len else 0, report.nan_ages);
        };
    };
}

test "a half-life halves, exactly" {
    var strengths = [_]f32{ 1, 1, 0.5, 8, 1 };
    const ages = [_]f32{ 0, 86_400, 172_800, 3 * 86_400, 10 * 86_400 };
    _ = decay(
        .{ .kind = .exponential, .first = &.{86_400}, .second = &.{}, .floor = 0 },
        .{ .seconds = &ages },
        &strengths,
    );
    try testing.expectEqualSlices(f32, &.{ 1, 0.5, 0.125, 1, 0x1p-10 }, &strengths);
}

test "the floor holds what falls and raises nothing" {
    for (std.enums.values(Kind)) |kind| {
        var strengths = [_]f32{ 1, 0.05, -1, 0.2, 0 };
        const ages = [_]f32{ 1e9, 1e9, 0, std.math.inf(f32), 5 };
        _ = decay(.{ .kind = kind, .first = &.{1}, .second = &.{2}, .floor = 0.1 }, .{ .seconds = &ages }, &strengths);
        try testing.expectEqualSlices(f32, &.{ 0.1, 0.05, -1, 0.1, 0 }, &strengths);
    }
}

test "NaN and infinities give their stated results in every lane, and are counted" {
    const nan = std.math.nan(f32);
    const inf = std.math.inf(f32);
    for (std.enums.values(Kind)) |kind| for (1..40) |len| for (0..len) |at| {
        const law: Law = .{ .kind = kind, .first = &.{10}, .second = &.{0.01}, .floor = 0 };
        var ages: [40]f32 = @splat(10);
        var strengths: [40]f32 = @splat(1);
        ages[at] = nan;
        try testing.expectEqual(1, decay(law, .{ .seconds = ages[0..len] }, strengths[0..len]).nan_ages);
        for (strengths[0..len], 0..) |s, i| try testing.expectEqual(i == at, std.math.isNan(s));
        strengths = @splat(1);
        ages[at] = -5;
        try testing.expectEqual(1, decay(law, .{ .seconds = ages[0..len] }, strengths[0..len]).negative_ages);
        try testing.expectEqual(1, strengths[at]);
        ages[at] = inf;
        strengths[at] = 1;
        _ = decay(law, .{ .seconds = ages[0..len] }, strengths[0..len]);
        try testing.expectEqual(0, strengths[at]);
        ages[at] = 10;
        strengths[at] = nan;
        try testing.expectEqual(0, decay(law, .{ .seconds = ages[0..len] }, strengths[0..len]).nan_ages);
        try testing.expect(std.math.isNan(strengths[at]));
        strengths[at] = -inf;
        _ = decay(law, .{ .seconds = ages[0..len] }, strengths[0..len]);
        try testing.expectEqual(-inf, strengths[at]);
    };
}

test "timestamps at the ends of i64 do not wrap" {
    var strengths = [_]f32{ 1, 1, 1 };
    const times = [_]i64{ std.math.minInt(i64), std.math.maxInt(i64), 5 };
    const law: Law = .{ .kind = .exponential, .first = &.{1}, .second = &.{}, .floor = 0 };
    const report = decay(law, .{ .unix_milliseconds = .{ .now = std.math.maxInt(i64), .times = &times } }, &strengths);
    try testing.expectEqualSlices(f32, &.{ 0, 1, 0 }, &strengths);
    try testing.expectEqual(0, report.negative_ages);
    const early = decay(law, .{ .unix_milliseconds = .{ .now = std.math.minInt(i64), .times = &times } }, &strengths);
    try testing.expectEqual(2, early.negative_ages);
}

test "denormal and huge strengths and parameters keep their digits" {
    var strengths = [_]f32{ 0x1p-126, 0x1p-140, 3e38, 1, 1 };
    const ages = [_]f32{ 1, 1, 1, 1e-40, 3e38 };
    _ = decay(.{ .kind = .exponential, .first = &.{1}, .second = &.{}, .floor = 0 }, .{ .seconds = &ages }, &strengths);
    try testing.expectEqualSlices(f32, &.{ 0x1p-127, 0x1p-141, 1.5e38, 1, 0 }, &strengths);
    strengths = @splat(1);
    _ = decay(
        .{ .kind = .power, .first = &.{1e-45}, .second = &.{1e-45}, .floor = 0 },
        .{ .seconds = &ages },
        &strengths,
    );
    try testing.expectEqualSlices(f32, &.{ 1, 1, 1, 1, 1 }, &strengths);
}

test "every tier that multiplies and adds in one rounding gives the same bits" {
    if (!simd.has_fma) return error.SkipZigTest;
    const before = [_]f32{ 1, 0.7, -1.3, 2.9, 3e-5, 1e20, 0.25, 1.7 };
    const ages = [_]f32{ 1, 1234.5, 98_765.4, 604_800, 2_592_000, 3e6, 8_640_000, 0.015625 };
    const expected = [_][8]u32{
        .{ 0x3F7FFF79, 0x3F316F1A, 0xBF16AF67, 0x3CB9999A, 0x28FBA882, 0x4F524E18, 0x0C800000, 0x3FD99998 },
        .{ 0x3F7FFF0D, 0x3F300CD4, 0xBF005813, 0x3E5CB783, 0x34DC2F86, 0x5D7E40ED, 0x3A4CAE6B, 0x3FD99997 },
    };
    for ([_]Kind{ .exponential, .power }, expected) |kind, bits| {
        const law: Law = .{ .kind = kind, .first = &.{86_400}, .second = &.{1.25}, .floor = 0 };
        var strengths = before;
        _ = decay(law, .{ .seconds = &ages }, &strengths);
        try testing.expectEqual(bits, @as([8]u32, @bitCast(strengths)));
    }
}

test "67 memories have the same bits by every law, kind of age and of parameter on such a tier, alone and together" {
    if (!simd.has_fma) return error.SkipZigTest;
    const memories: Memories = .some();
    const kinds = [_]Ages{
        .{ .seconds = &memories.seconds },
        .{ .unix_milliseconds = .{ .now = now, .times = &memories.times } },
        .{ .uniform = 40_000.5 },
    };
    // CRC-32 of the bits, by law; of each kind of age with shared parameters and with each memory's own.
    const expected = [_][3][2]u32{
        .{ .{ 0xFF3163B4, 0x3A46C470 }, .{ 0xFF253D84, 0x216FD2BA }, .{ 0x7493211B, 0x4908FC87 } },
        .{ .{ 0x8FA27E7E, 0xB0F5CE74 }, .{ 0x7D3C8DCC, 0x3F5E1478 }, .{ 0xC2B8B8C6, 0xCB1C5F3F } },
        .{ .{ 0x42C9FC50, 0x71BC8614 }, .{ 0x38CB8277, 0xF71EB01A }, .{ 0x52B63981, 0xEA08DB87 } },
        .{ .{ 0xF2626A02, 0x2A164E61 }, .{ 0xC908BFCC, 0x5AC3F7A2 }, .{ 0xD2923469, 0x41B612B1 } },
        .{ .{ 0xBCFFDA65, 0x84BACB98 }, .{ 0x6668B92C, 0x9D8F6FF1 }, .{ 0xD0BF6447, 0x45354154 } },
        .{ .{ 0x8A5BC695, 0xE00F8CE3 }, .{ 0x7FB8D353, 0x22615677 }, .{ 0x3BE1BD7B, 0x7F99367A } },
    };
    for (std.enums.values(Kind), expected) |kind, sums| for (kinds, sums) |ages, pair| {
        for ([_]usize{ 1, 67 }, pair) |own, sum| {
            var law = memories.law(kind, own);
            if (own == 1) law.first = &.{3000};
            if (own == 1 and kind.hasSecond()) law.second = &.{1.5};
            var together = memories.strengths;
            _ = decay(law, ages, &together);
            try testing.expectEqual(sum, std.hash.Crc32.hash(std.mem.asBytes(&together)));
            for (0..67) |at| {
                const alone: Law = if (own == 1) law else .{
                    .kind = kind,
                    .first = law.first[at..][0..1],
                    .second = if (kind.hasSecond()) law.second[at..][0..1] else &.{},
                    .floor = 0,
                };
                const age: Ages = switch (ages) {
                    .seconds => |all| .{ .seconds = all[at..][0..1] },
                    .unix_milliseconds => |all| .{
                        .unix_milliseconds = .{ .now = now, .times = all.times[at..][0..1] },
                    },
                    .uniform => ages,
                };
                var strength = memories.strengths[at..][0..1].*;
                _ = decay(alone, age, &strength);
                try testing.expectEqual(@as(u32, @bitCast(strength[0])), @as(u32, @bitCast(together[at])));
            }
        }
    };
}
