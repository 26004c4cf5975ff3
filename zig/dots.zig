//! Products of small numbers that an instruction adds up by itself, which vectors of Zig do not reach.

const std = @import("std");
const builtin = @import("builtin");
const simd = @import("simd.zig");
const F32s = simd.F32s;
const Words = simd.Words;
const lanes = simd.lanes;
const width = simd.width;

const x86 = builtin.cpu.arch == .x86_64;
const wide = x86 and builtin.cpu.has(.x86, .avx512bw);
/// Known before a tier is compiled: debug builds would assemble what a branch at run time leaves out.
const has_avx2 = x86 and builtin.cpu.has(.x86, .avx2);

/// Whether an instruction multiplies four bytes and adds them to a word, one of them without a sign.
pub const has_bytes = wide and builtin.cpu.has(.x86, .avx512vnni);
/// Both of them with a sign.
pub const has_signed_bytes = builtin.cpu.arch == .aarch64 and builtin.cpu.has(.aarch64, .dotprod);
/// Whether an instruction multiplies two i16 and adds their products.
pub const has_shorts = x86;
/// Whether an instruction multiplies two bf16 and adds them to an f32.
pub const has_bf16 = wide and builtin.cpu.has(.x86, .avx512bf16);

/// To each word of `total` the products of four bytes of `plain`, 0 to 255, and of `signed`.
pub inline fn bytes(total: Words, plain: Words, signed: Words) Words {
    return asm ("vpdpbusd %[signed], %[plain], %[out]"
        : [out] "=v" (-> Words),
        : [total] "0" (total),
          [plain] "v" (plain),
          [signed] "v" (signed),
    );
}

/// To each word of `total` the products of four bytes, all with a sign.
pub inline fn signedBytes(total: Words, a: Words, b: Words) Words {
    return asm ("sdot %[out].4s, %[a].16b, %[b].16b"
        : [out] "=w" (-> Words),
        : [total] "0" (total),
          [a] "w" (a),
          [b] "w" (b),
    );
}

/// To each lane of `total` the products of two pairs of bf16; numbers and products below 2^-126 count as 0.
pub inline fn pairs(total: F32s, a: Words, b: Words) F32s {
    return asm ("vdpbf16ps %[b], %[a], %[out]"
        : [out] "=v" (-> F32s),
        : [total] "0" (total),
          [a] "v" (a),
          [b] "v" (b),
    );
}

/// To each word of `total` the sum of bytes, 0 to 255: of eight, in every second word.
pub inline fn sumBytes(total: Words, plain: Words) Words {
    const zero: Words = @splat(0);
    return total +% asm ("vpsadbw %[zero], %[plain], %[out]"
        : [out] "=v" (-> Words),
        : [plain] "v" (plain),
          [zero] "v" (zero),
    );
}

/// To each word of `total` the products of two pairs of i16.
pub inline fn shorts(total: Words, a: Words, b: Words) Words {
    const product = if (wide)
        asm ("vpmaddwd %[b], %[a], %[out]"
            : [out] "=v" (-> Words),
            : [a] "v" (a),
              [b] "v" (b),
        )
    else if (has_avx2)
        asm ("vpmaddwd %[b], %[a], %[out]"
            : [out] "=x" (-> Words),
            : [a] "x" (a),
              [b] "x" (b),
        )
    else if (x86)
        asm ("pmaddwd %[b], %[out]"
            : [out] "=x" (-> Words),
            : [a] "0" (a),
              [b] "x" (b),
        )
    else
        plainly(a, b);
    return total +% product;
}

/// The first and third byte of each word, and the others, as i16.
pub inline fn shortsOf(signed: Words) [2]Words {
    const I16s = @Vector(2 * lanes, i16);
    const eight: @Vector(2 * lanes, u4) = @splat(8);
    const shorts_of: I16s = @bitCast(signed);
    return .{ @bitCast((shorts_of << eight) >> eight), @bitCast(shorts_of >> eight) };
}

fn plainly(a: Words, b: Words) Words {
    const I16s = @Vector(2 * lanes, i16);
    const I32s = @Vector(2 * lanes, i32);
    const products = @as(I32s, @as(I16s, @bitCast(a))) * @as(I32s, @as(I16s, @bitCast(b)));
    const low = simd.cut(products, 0, lanes);
    const high = simd.cut(products, lanes, lanes);
    const even = @shuffle(i32, low, high, simd.everySecond(0));
    const odd = @shuffle(i32, low, high, simd.everySecond(1));
    return @bitCast(even +% odd);
}

const testing = std.testing;

fn painted(seed: u64) [width]u8 {
    var random = std.Random.DefaultPrng.init(seed);
    var all: [width]u8 = undefined;
    random.random().bytes(&all);
    all[0..4].* = .{ 0x80, 0x80, 0x7F, 0xFF };
    return all;
}

test "products of bytes and of shorts are added to the word they stand in" {
    for (0..50) |round| {
        const a = painted(2 * round);
        const b = painted(2 * round + 1);
        var expected: [3][lanes]i32 = @splat(@splat(7));
        for (a, b, 0..) |x, y, i| {
            const signed: i32 = @as(i8, @bitCast(y));
            expected[0][i / 4] += x * signed;
            expected[1][i / 4] += @as(i32, @as(i8, @bitCast(x))) * signed;
        }
        const a_shorts: [2 * lanes]i16 = @bitCast(a);
        const b_shorts: [2 * lanes]i16 = @bitCast(b);
        for (a_shorts, b_shorts, 0..) |x, y, i| expected[2][i / 2] +%= @as(i32, x) * y;
        const sevens: Words = @splat(7);
        if (has_bytes) {
            const found = bytes(sevens, @bitCast(a), @bitCast(b));
            try testing.expectEqual(expected[0], @as([lanes]i32, @bitCast(found)));
        }
        if (has_signed_bytes) {
            const found = signedBytes(sevens, @bitCast(a), @bitCast(b));
            try testing.expectEqual(expected[1], @as([lanes]i32, @bitCast(found)));
        }
        try testing.expectEqual(expected[2], @as([lanes]i32, @bitCast(shorts(sevens, @bitCast(a), @bitCast(b)))));
    }
}

test "bytes become shorts with their signs" {
    const all = painted(4);
    const even, const odd = shortsOf(@bitCast(all));
    const evens: [2 * lanes]i16 = @bitCast(even);
    const odds: [2 * lanes]i16 = @bitCast(odd);
    for (evens, odds, 0..) |first, second, i| {
        try testing.expectEqual(@as(i8, @bitCast(all[2 * i])), first);
        try testing.expectEqual(@as(i8, @bitCast(all[2 * i + 1])), second);
    }
}

test "sums of bytes are the sums of all of them" {
    if (!wide) return error.SkipZigTest;
    const all = painted(3);
    var expected: u32 = 7 * lanes;
    for (all) |byte| expected += byte;
    try testing.expectEqual(expected, @reduce(.Add, sumBytes(@splat(7), @bitCast(all))));
}

test "pairs of bf16 are multiplied and added, and what is below f32's normal numbers is lost" {
    if (!has_bf16) return error.SkipZigTest;
    // 1.5, -2 and 3, 0.5 in every word.
    const a: Words = @splat(0xC000_3FC0);
    const b: Words = @splat(0x3F00_4040);
    try testing.expectEqual(@as([lanes]f32, @splat(7.5)), @as([lanes]f32, pairs(@splat(4), a, b)));
    const small: Words = @splat(0x0001);
    try testing.expectEqual(@as([lanes]f32, @splat(0)), @as([lanes]f32, pairs(@splat(0), small, @splat(0x7F00))));
}
