//! Where an arena's pages come from, generic over the operating system, so that a test can make
//! every request of it fail.

const std = @import("std");
const builtin = @import("builtin");

pub const Pages = []align(std.heap.page_size_min) u8;

pub fn Backing(comptime Os: type) type {
    return struct {
        /// At least `size` bytes of zeroed pages that take memory when first touched.
        pub fn map(size: usize) error{OutOfMemory}!Pages {
            // A length that no address space holds may be an invalid argument to the system, which std takes for a bug.
            const most: usize = if (std.valgrind.runningOnValgrind() > 0) 1 << 43 else 1 << 47;
            if (size == 0 or size > most) return error.OutOfMemory;
            return Os.map(std.mem.alignForward(usize, size, std.heap.pageSize())) orelse error.OutOfMemory;
        }

        pub fn unmap(pages: Pages) void {
            Os.unmap(pages);
        }

        /// Gives the memory behind `pages` back and keeps the addresses. Returns whether the system does such a thing.
        pub fn discard(pages: Pages) bool {
            return Os.discard(pages);
        }

        /// Asks for huge pages behind whole ones of `pages`, which are a hint: their contents stay.
        pub fn preferHuge(pages: Pages) void {
            Os.preferHuge(pages);
        }
    };
}

pub const native = Backing(if (builtin.os.tag == .windows) Windows else Posix);

const Posix = struct {
    const posix = std.posix;

    fn map(size: usize) ?Pages {
        return posix.mmap(
            null,
            size,
            .{ .READ = true, .WRITE = true },
            .{ .TYPE = .PRIVATE, .ANONYMOUS = true },
            -1,
            0,
        ) catch null;
    }

    fn unmap(pages: Pages) void {
        posix.munmap(pages);
    }

    fn discard(pages: Pages) bool {
        if (builtin.os.tag != .linux) return false;
        posix.madvise(pages.ptr, pages.len, posix.MADV.DONTNEED) catch return false;
        return true;
    }

    fn preferHuge(pages: Pages) void {
        if (builtin.os.tag != .linux) return;
        // A kernel without them says so, and gives pages of the usual size.
        posix.madvise(pages.ptr, pages.len, posix.MADV.HUGEPAGE) catch {};
    }
};

const Windows = struct {
    fn map(size: usize) ?Pages {
        const start = std.heap.page_allocator.rawAlloc(size, .fromByteUnits(std.heap.page_size_min), @returnAddress());
        return @alignCast((start orelse return null)[0..size]);
    }

    fn unmap(pages: Pages) void {
        std.heap.page_allocator.rawFree(pages, .fromByteUnits(std.heap.page_size_min), @returnAddress());
    }

    fn discard(_: Pages) bool {
        return false;
    }

    fn preferHuge(_: Pages) void {}
};

const testing = std.testing;

test "pages are zeroed, whole and writable to the last byte" {
    const pages = try native.map(100_000);
    defer native.unmap(pages);
    try testing.expect(pages.len >= 100_000 and pages.len % std.heap.pageSize() == 0);
    try testing.expect(std.mem.allEqual(u8, pages, 0));
    @memset(pages, 0xAA);
    if (native.discard(pages)) try testing.expect(std.mem.allEqual(u8, pages, 0));
}

test "pages that may be huge hold what they held" {
    const pages = try native.map(5 << 20);
    defer native.unmap(pages);
    @memset(pages[0..100_000], 0xAA);
    native.preferHuge(pages);
    @memset(pages[100_000..], 0xAA);
    try testing.expect(std.mem.allEqual(u8, pages, 0xAA));
}

test "sizes that no machine has are out of memory" {
    try testing.expectError(error.OutOfMemory, native.map(0));
    for (0..8192) |less| try testing.expectError(error.OutOfMemory, native.map(std.math.maxInt(usize) - less));
    try testing.expectError(error.OutOfMemory, native.map(1 << 60));
}

test "a system that refuses is out of memory" {
    const Refusing = struct {
        fn map(_: usize) ?Pages {
            return null;
        }
        fn unmap(_: Pages) void {}
        fn discard(_: Pages) bool {
            return false;
        }
    };
    try testing.expectError(error.OutOfMemory, Backing(Refusing).map(4096));
}
