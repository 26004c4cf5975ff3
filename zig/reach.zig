//! The nodes that a call has reached: a sparse set (Briggs and Torczon 1993), valid over memory that was never cleared,
//! each node with a place in the order in which they were reached.
//!
//!     direct   slots[node] is a place p; node is in the set where p < count and member[p] == node
//!     hashed   slots[hash of node, and on from there] is a place p; the slot is taken where p < count and
//!              home[p] == slot, and node is in the set where such a slot has member[p] == node
//!
//! A call that can reach few nodes of a large graph takes scratch for those few: hashed. Nothing is ever taken out.

const std = @import("std");
const arena_zig = @import("arena.zig");
const Frame = arena_zig.Frame;

pub const Kind = enum { direct, hashed };

/// How many nodes there are, and how many of them a call reaches at most.
pub const Shape = struct {
    nodes: usize,
    most: usize,

    pub fn kind(shape: Shape) Kind {
        return if (shape.nodes <= slotsOf(shape.most) +| shape.most) .direct else .hashed;
    }

    pub fn need(shape: Shape) usize {
        return shape.needWith(u32);
    }

    pub fn needWith(shape: Shape, comptime Member: type) usize {
        return shape.needApart() +| arena_zig.sizeOf(Member, shape.most);
    }

    /// Where members stand in memory of the caller's.
    pub fn needApart(shape: Shape) usize {
        return switch (shape.kind()) {
            .direct => arena_zig.sizeOf(u32, shape.nodes),
            .hashed => arena_zig.sizeOf(u32, slotsOf(shape.most)) +| arena_zig.sizeOf(u32, shape.most),
        };
    }
};

/// At least twice as many slots as there may be members, so that a search is short and ends.
fn slotsOf(most: usize) usize {
    return std.math.ceilPowerOfTwo(usize, @max(most, 8) *| 2) catch std.math.maxInt(usize);
}

/// Where a node stands, and whether it came in just now.
pub const Put = struct { place: usize, new: bool };

/// A member is a node, or a struct with its `node`, which whoever puts it in fills in.
pub fn Reach(comptime kind: Kind, comptime Member: type) type {
    return struct {
        slots: []u32,
        member: []Member,
        home: if (kind == .hashed) []u32 else void,
        count: usize = 0,

        const Self = @This();

        pub fn init(frame: *Frame, shape: Shape) error{OutOfMemory}!Self {
            return .over(frame, shape, try frame.alloc(Member, shape.most));
        }

        /// Members in memory of the caller's.
        pub fn over(frame: *Frame, shape: Shape, member: []Member) error{OutOfMemory}!Self {
            const slots = try frame.alloc(u32, if (kind == .direct) shape.nodes else slotsOf(shape.most));
            // They are read before they are written, by design; memcheck must not take that for a mistake.
            std.valgrind.memcheck.makeMemDefined(std.mem.sliceAsBytes(slots));
            std.valgrind.memcheck.makeMemDefined(std.mem.sliceAsBytes(member));
            return .{
                .slots = slots,
                .member = member,
                .home = if (kind == .hashed) try frame.alloc(u32, shape.most) else {},
            };
        }

        /// None where it is not there.
        pub inline fn find(reach: *const Self, node: u32) ?usize {
            var slot = reach.firstSlot(node);
            while (reach.at(slot)) |place| : (slot = reach.nextSlot(slot)) {
                if (kind == .direct or reach.nodeAt(place) == node) return place;
            }
            return null;
        }

        pub inline fn put(reach: *Self, node: u32) Put {
            var slot = reach.firstSlot(node);
            while (reach.at(slot)) |place| : (slot = reach.nextSlot(slot)) {
                if (kind == .direct or reach.nodeAt(place) == node) return .{ .place = place, .new = false };
            }
            const place = reach.count;
            reach.count += 1;
            reach.slots[slot] = @intCast(place);
            if (Member == u32) reach.member[place] = node else reach.member[place].node = node;
            if (kind == .hashed) reach.home[place] = @intCast(slot);
            return .{ .place = place, .new = true };
        }

        /// Whose place a slot holds, if it holds one; whatever memory held is none.
        inline fn at(reach: *const Self, slot: usize) ?usize {
            const place = reach.slots[slot];
            if (place >= reach.count) return null;
            const home = if (kind == .direct) reach.nodeAt(place) else reach.home[place];
            return if (home == slot) place else null;
        }

        inline fn nodeAt(reach: *const Self, place: usize) u32 {
            return if (Member == u32) reach.member[place] else reach.member[place].node;
        }

        /// Whether slots are more than the caches near by hold.
        pub inline fn isFar(reach: *const Self) bool {
            return reach.slots.len > 1 << 15;
        }

        /// For a node that is about to be looked for.
        pub inline fn prefetch(reach: *const Self, node: u32) void {
            @prefetch(&reach.slots[reach.firstSlot(node)], .{});
        }

        /// For one whose slot is there by now: what is known of it.
        pub inline fn prefetchMember(reach: *const Self, node: u32) void {
            const held = @min(reach.slots[reach.firstSlot(node)], reach.member.len - 1);
            @prefetch(&reach.member[held], .{});
        }

        inline fn firstSlot(reach: *const Self, node: u32) usize {
            return if (kind == .direct) node else reach.hash(node);
        }

        inline fn nextSlot(reach: *const Self, slot: usize) usize {
            return (slot + 1) & (reach.slots.len - 1);
        }

        /// The product's upper bits (Fibonacci hashing): neighbouring ids, which many graphs have, do not collide.
        inline fn hash(reach: *const Self, node: u32) usize {
            const product = @as(u64, node) *% 0x9E37_79B9_7F4A_7C15;
            return @intCast((product >> 32) * reach.slots.len >> 32);
        }
    };
}

const testing = std.testing;
const Arena = arena_zig.Arena;

fn expectSet(comptime kind: Kind, shape: Shape, dirt: u8) !void {
    var bytes: [32 << 10]u8 align(64) = @splat(dirt);
    var arena: Arena = .over(&bytes);
    defer arena.dissolve();
    try testing.expectEqual(kind, shape.kind());
    var frame = try arena.frame(shape.need());
    defer frame.close();
    var reach: Reach(kind, u32) = try .init(&frame, shape);
    var random = std.Random.DefaultPrng.init(dirt);
    var known: std.AutoArrayHashMapUnmanaged(u32, void) = .empty;
    defer known.deinit(testing.allocator);
    while (known.count() < shape.most) {
        const node = random.random().uintLessThan(u32, @intCast(shape.nodes));
        const entry = try known.getOrPut(testing.allocator, node);
        try testing.expectEqual(Put{ .place = entry.index, .new = !entry.found_existing }, reach.put(node));
    }
    try testing.expectEqualSlices(u32, known.keys(), reach.member[0..reach.count]);
}

test "a node has the place at which it was reached, whatever memory held" {
    for ([_]u8{ 0, 1, 3, 0xFF }) |dirt| {
        for ([_][2]usize{ .{ 1, 1 }, .{ 1000, 1000 }, .{ 1200, 300 } }) |shape|
            try expectSet(.direct, .{ .nodes = shape[0], .most = shape[1] }, dirt);
        for ([_][2]usize{ .{ 1 << 20, 1 }, .{ 3000, 500 }, .{ 0xFFFF_FFFF, 512 } }) |shape|
            try expectSet(.hashed, .{ .nodes = shape[0], .most = shape[1] }, dirt);
    }
}

test "needs saturate, and few nodes of many need little" {
    const all = std.math.maxInt(usize);
    try testing.expectEqual(all, (Shape{ .nodes = all, .most = all }).need());
    try testing.expect((Shape{ .nodes = 1 << 32, .most = 1000 }).need() <= 16 << 10);
}
