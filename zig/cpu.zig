//! What the running CPU and its system offer, by the feature names of tiers.txt, and which tiers that makes runnable.

const std = @import("std");
const builtin = @import("builtin");

const machine = switch (builtin.cpu.arch) {
    .x86_64 => x86,
    .aarch64 => arm,
    else => @compileError("tiers.txt has no tier for " ++ @tagName(builtin.cpu.arch)),
};

const Features = std.EnumSet(machine.Feature);

pub const Tier = struct { name: [:0]const u8, needs: Features };

/// The tiers of this architecture, the best last.
pub const tiers = blk: {
    @setEvalBranchQuota(50_000);
    var list: []const Tier = &.{};
    var lines = std.mem.tokenizeScalar(u8, @embedFile("tiers.txt"), '\n');
    while (lines.next()) |line| {
        if (line[0] == '#') continue;
        var words = std.mem.tokenizeScalar(u8, line, ' ');
        if (!std.mem.eql(u8, words.next().?, @tagName(builtin.cpu.arch))) continue;
        const name = words.next().?;
        _ = words.next().?;
        list = list ++ .{Tier{ .name = name ++ "", .needs = needsOf(words.next().?, list) }};
    }
    break :blk list[0..list.len].*;
};

/// The features named, and those of the tiers named.
fn needsOf(comptime names: []const u8, comptime below: []const Tier) Features {
    var needs: Features = .empty;
    var each = std.mem.tokenizeScalar(u8, names, ',');
    while (each.next()) |name| {
        if (std.mem.eql(u8, name, "-")) continue;
        const feature = std.meta.stringToEnum(machine.Feature, name);
        if (feature) |known| needs.insert(known);
        const tier: ?Tier = for (below) |tier| {
            if (std.mem.eql(u8, name, tier.name)) break tier;
        } else null;
        if (tier) |known| needs.setUnion(known.needs);
        if (feature == null and tier == null) @compileError("tiers.txt: neither a feature nor a tier below: " ++ name);
    }
    return needs;
}

/// Whether this machine can run `tiers[index]`.
pub fn supports(index: usize) bool {
    if (index >= tiers.len) return false;
    var offered: Features = .empty;
    inline for (comptime std.enums.values(machine.Feature)) |feature| {
        if (machine.has(feature)) offered.insert(feature);
    }
    inline for (tiers, 0..) |tier, i| {
        if (i == index) return tier.needs.subsetOf(offered);
    }
    return false;
}

/// Intel SDM vol. 2A, CPUID; vol. 1, 13.3 (XCR0: what the system saves at a task switch).
const x86 = struct {
    const Register = enum { eax, ebx, ecx, edx };
    const Saved = enum(u32) { general = 0, ymm = 0x6, zmm = 0xE6 };
    const Feature = enum {
        avx2,
        fma,
        f16c,
        bmi,
        bmi2,
        lzcnt,
        movbe,
        popcnt,
        avx512f,
        avx512bw,
        avx512cd,
        avx512dq,
        avx512vl,
        avx512vnni,
        avx512bf16,
        avx512vpopcntdq,
    };
    const Place = struct { u32, u32, Register, u5, Saved };

    fn place(feature: Feature) Place {
        return switch (feature) {
            .fma => .{ 1, 0, .ecx, 12, .ymm },
            .movbe => .{ 1, 0, .ecx, 22, .general },
            .popcnt => .{ 1, 0, .ecx, 23, .general },
            .f16c => .{ 1, 0, .ecx, 29, .ymm },
            .bmi => .{ 7, 0, .ebx, 3, .general },
            .avx2 => .{ 7, 0, .ebx, 5, .ymm },
            .bmi2 => .{ 7, 0, .ebx, 8, .general },
            .avx512f => .{ 7, 0, .ebx, 16, .zmm },
            .avx512dq => .{ 7, 0, .ebx, 17, .zmm },
            .avx512cd => .{ 7, 0, .ebx, 28, .zmm },
            .avx512bw => .{ 7, 0, .ebx, 30, .zmm },
            .avx512vl => .{ 7, 0, .ebx, 31, .zmm },
            .avx512vnni => .{ 7, 0, .ecx, 11, .zmm },
            .avx512vpopcntdq => .{ 7, 0, .ecx, 14, .zmm },
            .avx512bf16 => .{ 7, 1, .eax, 5, .zmm },
            .lzcnt => .{ 0x8000_0001, 0, .ecx, 5, .general },
        };
    }

    fn has(feature: Feature) bool {
        const leaf, const subleaf, const register, const bit, const saved = place(feature);
        if (leaf > cpuid(leaf & 0x8000_0000, 0)[0]) return false;
        if (subleaf > 0 and subleaf > cpuid(leaf, 0)[0]) return false;
        if (cpuid(leaf, subleaf)[@backingInt(register)] >> bit & 1 == 0) return false;
        if (saved == .general) return true;
        const osxsave = cpuid(1, 0)[2] >> 27 & 1 == 1;
        return osxsave and xcr0() & @backingInt(saved) == @backingInt(saved);
    }

    fn cpuid(leaf: u32, subleaf: u32) [4]u32 {
        var eax: u32 = undefined;
        var ebx: u32 = undefined;
        var ecx: u32 = undefined;
        var edx: u32 = undefined;
        asm volatile ("cpuid"
            : [_] "={eax}" (eax),
              [_] "={ebx}" (ebx),
              [_] "={ecx}" (ecx),
              [_] "={edx}" (edx),
            : [_] "{eax}" (leaf),
              [_] "{ecx}" (subleaf),
        );
        return .{ eax, ebx, ecx, edx };
    }

    fn xcr0() u32 {
        return asm volatile ("xgetbv"
            : [_] "={eax}" (-> u32),
            : [_] "{ecx}" (@as(u32, 0)),
            : .{ .edx = true });
    }
};

/// Linux: include/uapi/linux/auxvec.h and arch/arm64/include/uapi/asm/hwcap.h. Elsewhere only the baseline is assumed.
const arm = struct {
    const Feature = enum { dotprod, i8mm };
    const at_hwcap = 16;
    const at_hwcap2 = 26;

    fn has(feature: Feature) bool {
        if (builtin.os.tag != .linux) return false;
        return switch (feature) {
            .dotprod => auxiliary(at_hwcap) >> 20 & 1 == 1,
            .i8mm => auxiliary(at_hwcap2) >> 13 & 1 == 1,
        };
    }

    /// `std.os.linux.getauxval` needs Zig's own start code, which a library does not have; every Linux libc has this
    /// one.
    fn auxiliary(entry: usize) usize {
        if (!builtin.link_libc and builtin.output_mode == .Exe) return std.os.linux.getauxval(entry);
        return libc.getauxval(entry);
    }

    const libc = struct {
        extern fn getauxval(entry: c_ulong) c_ulong;
    };
};

const testing = std.testing;

test "every tier but the lowest needs something, and more than the one below" {
    try testing.expectEqual(0, tiers[0].needs.count());
    for (tiers[1..], tiers[0 .. tiers.len - 1]) |tier, below| {
        try testing.expect(tier.needs.count() > below.needs.count() and below.needs.subsetOf(tier.needs));
    }
}

test "the lowest tier runs anywhere, and a tier that needs another needs it too" {
    try testing.expect(supports(0));
    try testing.expect(!supports(tiers.len));
    for (1..tiers.len) |i| try testing.expect(!supports(i) or supports(i - 1));
}
