//! Rows that begin anywhere in a cache line, read by whole lines that are put in place in registers: a register of 64
//! bytes that lies across two lines costs two loads, and most data begins 16 bytes into one. For tiers whose registers
//! are as wide as a line; what they read is the row and nothing beside it.

const std = @import("std");
const builtin = @import("builtin");

pub const lanes = 16;
pub const F32s = @Vector(lanes, f32);

/// Whether registers of this tier hold a line.
pub const whole = builtin.cpu.arch == .x86_64 and builtin.cpu.has(.x86, .avx512f);

/// Elements at `start`, and zeros where the mask has none, which is not read.
pub inline fn masked(start: [*]const f32, mask: u16) F32s {
    return asm ("vmovups (%[start]), %[out] {%[mask]} {z}"
        : [out] "=v" (-> F32s),
        : [start] "r" (start),
          [mask] "^Yk" (mask),
        : .{ .memory = true });
}

/// The `count` lowest lanes, none where it is negative.
inline fn lowest(count: isize) u16 {
    const some: u5 = @intCast(std.math.clamp(count, 0, lanes));
    return @truncate((@as(u32, 1) << some) - 1);
}

/// A row, register after register.
pub const Lines = struct {
    /// The line after the one that was read last.
    line: [*]const f32,
    /// Elements of the row from there on.
    left: isize,
    last: F32s,
    /// Which lanes of the last line and the one after it are the next elements.
    places: @Vector(lanes, i32),

    pub inline fn of(row: []const f32) Lines {
        const offset: usize = @intFromPtr(row.ptr) / @sizeOf(f32) % lanes;
        const first = row.ptr - offset;
        const end: isize = @intCast(offset + row.len);
        const head = @as(u32, 0xFFFF) << @intCast(offset);
        return .{
            .line = first + lanes,
            .left = end - lanes,
            .last = masked(first, @as(u16, @truncate(head)) & lowest(end)),
            .places = std.simd.iota(i32, lanes) + @as(@Vector(lanes, i32), @splat(@intCast(offset))),
        };
    }

    /// The next elements, where as many registers follow that the line is all of the row.
    pub inline fn next(lines: *Lines) F32s {
        return lines.placed(lines.line[0..lanes].*);
    }

    /// The next elements, and zeros behind the row's end.
    pub inline fn nextOfFew(lines: *Lines) F32s {
        return lines.placed(masked(lines.line, lowest(lines.left)));
    }

    inline fn placed(lines: *Lines, line: F32s) F32s {
        const elements = asm ("vpermt2ps %[line], %[places], %[out]"
            : [out] "=v" (-> F32s),
            : [last] "0" (lines.last),
              [places] "v" (lines.places),
              [line] "v" (line),
        );
        lines.last = line;
        lines.line += lanes;
        lines.left -= lanes;
        return elements;
    }
};

const testing = std.testing;

test "a row read by lines is its elements, wherever it begins and ends" {
    if (!whole) return error.SkipZigTest;
    var elements: [128]f32 align(64) = undefined;
    for (&elements, 0..) |*element, i| element.* = @floatFromInt(i + 1);
    for (0..lanes) |start| for (1..80) |len| {
        const row = elements[start..][0..len];
        var lines: Lines = .of(row);
        var i: usize = 0;
        while (i < len) : (i += lanes) {
            const found: [lanes]f32 = if (i + 2 * lanes <= len) lines.next() else lines.nextOfFew();
            for (found, i..) |element, at| try testing.expectEqual(if (at < len) row[at] else 0, element);
        }
    };
}
