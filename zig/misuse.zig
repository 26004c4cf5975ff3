//! Scratch used wrongly on purpose, one way for each run: what tools that look at scratch must see.
//!
//!     zig build misuse -Dvalgrind      valgrind ends with an error for every way but `nothing`
//!     zig build misuse -Dpoison        a panic for every way that writes

const std = @import("std");
const Arena = @import("arena.zig").Arena;

const Way = enum {
    nothing,
    @"read-after-rewind",
    @"write-after-rewind",
    @"write-past-the-end",
    @"write-past-a-frames-block",
};

const ways = blk: {
    var names: []const u8 = "";
    for (std.meta.fieldNames(Way)) |name| names = names ++ " " ++ name;
    break :blk names;
};

/// Not a multiple of a line, and the line's rest is nobody's either.
const size = 100;

var bytes: [4096]u8 align(64) = undefined;

pub fn main(init: std.process.Init) !void {
    var arguments = try init.minimal.args.iterateAllocator(init.gpa);
    defer arguments.deinit();
    _ = arguments.skip();
    const name = arguments.next() orelse "";
    const way = std.meta.stringToEnum(Way, name) orelse
        std.process.fatal("expected one of" ++ ways ++ ", found '{s}'", .{name});
    var arena: Arena = .over(&bytes);
    switch (way) {
        .nothing => {},
        .@"read-after-rewind" => if (read(gone(&arena)) == 0) std.debug.print("a zero\n", .{}),
        .@"write-after-rewind" => write(gone(&arena), size),
        .@"write-past-the-end" => write(try arena.allocBytes(size), size + 64),
        .@"write-past-a-frames-block" => {
            var frame = try arena.frame(1024);
            write(try frame.allocBytes(size), size + 64);
            _ = try frame.allocBytes(size);
            frame.close();
        },
    }
    try rightly(&arena);
}

/// As scratch is meant to be used.
fn rightly(arena: *Arena) !void {
    for (0..3) |_| {
        const start = arena.mark();
        const block = try arena.allocBytes(size);
        write(block, size);
        var frame = try arena.frame(1024);
        for (0..3) |_| write(try frame.allocBytes(size), size);
        frame.close();
        if (read(block) != 1) return error.Overwritten;
        arena.rewind(start);
    }
}

/// A block that is nobody's any more.
fn gone(arena: *Arena) []u8 {
    const start = arena.mark();
    const block = arena.allocBytes(size) catch unreachable;
    write(block, size);
    arena.rewind(start);
    return block;
}

/// `count` bytes from where the block begins on, which need not be its own.
fn write(block: []u8, count: usize) void {
    const first: [*]volatile u8 = block.ptr;
    for (first[0..count]) |*byte| byte.* = 1;
}

fn read(block: []const u8) u8 {
    const first: [*]const volatile u8 = block.ptr;
    return first[size / 2];
}
