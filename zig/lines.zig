//! Rows that begin anywhere in a cache line, read by whole lines that are put in place in registers: a register of 64
//! bytes that lies across two lines costs two loads, and most data begins 16 bytes into one. For tiers whose registers
//! are as wide as a line; what they read is the row and nothing beside it.

const std = @import("std");
const builtin = @import("builtin");

pub const lanes = 16;
pub const Words = @Vector(lanes, u32);

/// Whether registers of this tier hold a line.
pub const whole = builtin.cpu.arch == .x86_64 and builtin.cpu.has(.x86, .avx512bw);

/// Bytes at `start`, and zeros where the mask has none, which is not read.
pub inline fn masked(start: [*]const u8, mask: u64) Words {
    return asm ("vmovdqu8 (%[start]), %[out] {%[mask]} {z}"
        : [out] "=v" (-> Words),
        : [start] "r" (start),
          [mask] "^Yk" (mask),
        : .{ .memory = true });
}

inline fn maskedWords(start: [*]const u32, mask: u16) Words {
    return asm ("vmovdqu32 (%[start]), %[out] {%[mask]} {z}"
        : [out] "=v" (-> Words),
        : [start] "r" (start),
          [mask] "^Yk" (mask),
        : .{ .memory = true });
}

/// The `count` lowest lanes, none where it is negative.
inline fn lowest(count: isize) u16 {
    const some: u5 = @intCast(std.math.clamp(count, 0, lanes));
    return @truncate((@as(u32, 1) << some) - 1);
}

/// A row of whole words, register after register.
pub const Lines = struct {
    /// The line after the one that was read last.
    line: [*]const u32,
    /// Words of the row from there on.
    left: isize,
    last: Words,
    /// Which lanes of the last line and the one after it are the next words.
    places: Words,

    pub inline fn of(row: []const u8) Lines {
        const offset: usize = @intFromPtr(row.ptr) / @sizeOf(u32) % lanes;
        const first = @as([*]const u32, @ptrCast(@alignCast(row.ptr))) - offset;
        const end: isize = @intCast(offset + row.len / @sizeOf(u32));
        const head = @as(u32, 0xFFFF) << @intCast(offset);
        return .{
            .line = first + lanes,
            .left = end - lanes,
            .last = maskedWords(first, @as(u16, @truncate(head)) & lowest(end)),
            .places = std.simd.iota(u32, lanes) + @as(Words, @splat(@intCast(offset))),
        };
    }

    /// The next words, where as many registers follow that the line is all of the row.
    pub inline fn next(lines: *Lines) Words {
        return lines.placed(lines.line[0..lanes].*);
    }

    /// The next words, and zeros behind the row's end.
    pub inline fn nextOfFew(lines: *Lines) Words {
        return lines.placed(maskedWords(lines.line, lowest(lines.left)));
    }

    inline fn placed(lines: *Lines, line: Words) Words {
        const words = asm ("vpermt2d %[line], %[places], %[out]"
            : [out] "=v" (-> Words),
            : [last] "0" (lines.last),
              [places] "v" (lines.places),
              [line] "v" (line),
        );
        lines.last = line;
        lines.line += lanes;
        lines.left -= lanes;
        return words;
    }
};

/// What is read before is not read after. Memory answers sooner, by a tenth, where reads of a row alternate with those
/// of the query than where compilers put the former together; caches lose up to a thirtieth. Registers of half a line
/// lose a twentieth everywhere, and are left to compilers.
pub inline fn inTurn() void {
    if (whole) asm volatile ("" ::: .{ .memory = true });
}

const testing = std.testing;

test "a row read by lines is its words, wherever it begins and ends" {
    if (!whole) return error.SkipZigTest;
    var words: [128]u32 align(64) = undefined;
    for (&words, 1..) |*word, i| word.* = @intCast(i);
    for (0..lanes) |start| for (1..80) |len| {
        const row = words[start..][0..len];
        var lines: Lines = .of(std.mem.sliceAsBytes(row));
        var i: usize = 0;
        while (i < len) : (i += lanes) {
            const found: [lanes]u32 = if (i + 2 * lanes <= len) lines.next() else lines.nextOfFew();
            for (found, i..) |word, at| try testing.expectEqual(if (at < len) row[at] else 0, word);
        }
    };
}
