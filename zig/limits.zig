//! What a machine can do at most: loops that only read, only multiply and add, only take dots of small integers. A
//! kernel is held against them. Compiled for every tier, and only into archives built with the option `bench`.

const std = @import("std");
const builtin = @import("builtin");
const simd = @import("simd.zig");

const F32s = simd.F32s;
const lanes = simd.lanes;

/// Independent chains of work: above latency times throughput of any instruction here, and within 16 registers.
const chains = 12;

pub const Table = extern struct {
    read: *const @TypeOf(read),
    multiply_adds: *const @TypeOf(multiplyAdds),
    i8_dots: *const @TypeOf(i8Dots),
    bf16_dots: *const @TypeOf(bf16Dots),
};

pub const table: Table = .{
    .read = &read,
    .multiply_adds = &multiplyAdds,
    .i8_dots = &i8Dots,
    .bf16_dots = &bf16Dots,
};

const Words = @Vector(lanes / 2, u64);
const words_per_block = 8 * @typeInfo(Words).vector.len;

/// All words or-ed together: loads in whole registers, and nothing that waits for them. A remainder of less than one
/// block is left out.
pub fn read(words: [*]const u64, count: usize, prefetched: bool) callconv(.c) u64 {
    return if (prefetched) readAhead(words[0..count], 2048) else readAhead(words[0..count], 0);
}

fn readAhead(words: []const u64, comptime ahead_bytes: usize) u64 {
    var seen: [8]Words = @splat(@splat(0));
    var at: usize = 0;
    while (at + words_per_block <= words.len) : (at += words_per_block) {
        const block = words[at..][0..words_per_block];
        inline for (&seen, 0..) |*register, i| {
            const len = @typeInfo(Words).vector.len;
            register.* |= @as(Words, block[i * len ..][0..len].*);
            if (ahead_bytes > 0 and i * len % 8 == 0) @prefetch(
                @as([*]const u8, @ptrCast(block.ptr)) + i * len * 8 + ahead_bytes,
                .{ .rw = .read, .locality = 3, .cache = .data },
            );
        }
    }
    var all: Words = @splat(0);
    for (seen) |register| all |= register;
    return @reduce(.Or, all);
}

/// Multiplies and adds f32, `rounds` times in every lane of every chain. Returns the floating-point operations.
pub fn multiplyAdds(rounds: usize) callconv(.c) u64 {
    var sums: [chains]F32s = undefined;
    for (&sums, 0..) |*sum, i| sum.* = @splat(@floatFromInt(i));
    var half: f32 = 0.5;
    keep(&half);
    const factor: F32s = @splat(half);
    // Stays near 2, whatever it began with.
    for (0..rounds) |_| inline for (&sums) |*sum| {
        sum.* = simd.mulAdd(F32s, sum.*, factor, @as(F32s, @splat(1)));
    };
    keep(&sums);
    return @as(u64, rounds) * chains * lanes * 2;
}

const x86 = builtin.cpu.arch == .x86_64;
const has_vnni = x86 and builtin.cpu.has(.x86, .avx512vnni);
const has_bf16 = x86 and builtin.cpu.has(.x86, .avx512bf16);
const has_dotprod = builtin.cpu.arch == .aarch64 and builtin.cpu.has(.aarch64, .dotprod);

/// Bytes of the registers that dots of small numbers are taken in.
const dot_bytes = if (x86) 64 else 16;
const Sums = @Vector(dot_bytes / 4, i32);
const Bytes = @Vector(dot_bytes, u8);

/// Dots of four i8 products into i32, as `multiplyAdds`. 0 where this tier has no instruction for it.
pub fn i8Dots(rounds: usize) callconv(.c) u64 {
    if (has_vnni) return dots(rounds, "vpdpbusd %[b], %[a], %[sum]", dot_bytes);
    if (has_dotprod) return dots(rounds, "sdot %[sum].4s, %[a].16b, %[b].16b", dot_bytes);
    return 0;
}

/// Dots of two bf16 products into f32, as `multiplyAdds`. 0 where this tier has no instruction for it.
pub fn bf16Dots(rounds: usize) callconv(.c) u64 {
    return if (has_bf16) dots(rounds, "vdpbf16ps %[b], %[a], %[sum]", dot_bytes / 2) else 0;
}

fn dots(rounds: usize, comptime instruction: []const u8, comptime products: usize) u64 {
    var ones: Bytes = @splat(1);
    keep(&ones);
    const a = ones;
    var sums: [chains]Sums = @splat(@splat(0));
    for (0..rounds) |_| inline for (&sums) |*sum| {
        sum.* = dot(instruction, sum.*, a, a);
    };
    // A copy, for what others may see stays in memory.
    var all = sums;
    keep(&all);
    return @as(u64, rounds) * chains * products * 2;
}

inline fn dot(comptime instruction: []const u8, sum: Sums, a: Bytes, b: Bytes) Sums {
    // Read and written in place: tied operands would be copied before every instruction.
    var result = sum;
    if (x86) {
        asm (instruction
            : [sum] "+v" (result),
            : [a] "v" (a),
              [b] "v" (b),
        );
    } else {
        asm (instruction
            : [sum] "+w" (result),
            : [a] "w" (a),
              [b] "w" (b),
        );
    }
    return result;
}

/// The compiler must take what is behind the pointer for read and written.
inline fn keep(pointer: anytype) void {
    asm volatile (""
        :
        : [pointer] "r" (pointer),
        : .{ .memory = true });
}

const testing = std.testing;

test "every word of whole blocks is read" {
    var words: [4 * words_per_block]u64 = @splat(0);
    for (0..words.len) |i| {
        words[i] = 5;
        try testing.expectEqual(5, read(&words, words.len, i % 2 == 0));
        words[i] = 0;
    }
    try testing.expectEqual(0, read(&words, words_per_block - 1, true));
}

test "work grows with its rounds" {
    try testing.expectEqual(3 * chains * lanes * 2, multiplyAdds(3));
    for ([_]*const fn (usize) callconv(.c) u64{ i8Dots, bf16Dots }) |loop| {
        try testing.expectEqual(2 * loop(5), loop(10));
    }
}
