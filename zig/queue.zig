//! Places in order of their activation, the most active first, ties by lower node: a heap of four children, whose
//! members may rise while they are in it.

const std = @import("std");
const arena_zig = @import("arena.zig");
const Frame = arena_zig.Frame;

pub fn need(most: usize) usize {
    return 2 *| arena_zig.sizeOf(u32, most);
}

pub const Queue = struct {
    /// Places, by their order.
    heap: []u32,
    /// Where in `heap` a place stands, `outside` where it does not, `gone` where it has been taken.
    position: []u32,
    len: usize = 0,

    pub const outside: u32 = std.math.maxInt(u32);
    pub const gone: u32 = outside - 1;
    const children = 4;

    pub fn init(frame: *Frame, most: usize) error{OutOfMemory}!Queue {
        return .{ .heap = try frame.alloc(u32, most), .position = try frame.alloc(u32, most) };
    }

    /// A place that was reached just now.
    pub inline fn welcome(queue: *Queue, place: usize) void {
        queue.position[place] = outside;
    }

    pub inline fn isGone(queue: *const Queue, place: usize) bool {
        return queue.position[place] == gone;
    }

    /// `place` has risen, or is new to the queue.
    pub fn rise(queue: *Queue, place: u32, activation: []const f32, member: []const u32) void {
        var at: usize = queue.position[place];
        if (at == outside) {
            at = queue.len;
            queue.len += 1;
        }
        while (at > 0) {
            const parent = (at - 1) / children;
            if (!before(place, queue.heap[parent], activation, member)) break;
            queue.set(at, queue.heap[parent]);
            at = parent;
        }
        queue.set(at, place);
    }

    /// The most active place, which stays.
    pub inline fn first(queue: *const Queue) ?u32 {
        return if (queue.len == 0) null else queue.heap[0];
    }

    /// `place` is not in the queue and never will be.
    pub inline fn exclude(queue: *Queue, place: usize) void {
        queue.position[place] = gone;
    }

    /// The most active place, of which there is one, is gone from now on.
    pub fn take(queue: *Queue, activation: []const f32, member: []const u32) void {
        queue.exclude(queue.heap[0]);
        queue.len -= 1;
        if (queue.len > 0) queue.sink(queue.heap[queue.len], activation, member);
    }

    /// Puts `place` in at the top and lets it sink.
    fn sink(queue: *Queue, place: u32, activation: []const f32, member: []const u32) void {
        var at: usize = 0;
        while (at * children + 1 < queue.len) {
            const eldest = at * children + 1;
            var best = eldest;
            for (eldest + 1..@min(eldest + children, queue.len)) |child| {
                if (before(queue.heap[child], queue.heap[best], activation, member)) best = child;
            }
            if (!before(queue.heap[best], place, activation, member)) break;
            queue.set(at, queue.heap[best]);
            at = best;
        }
        queue.set(at, place);
    }

    inline fn set(queue: *Queue, at: usize, place: u32) void {
        queue.heap[at] = place;
        queue.position[place] = @intCast(at);
    }

    inline fn before(a: u32, b: u32, activation: []const f32, member: []const u32) bool {
        if (activation[a] != activation[b]) return activation[a] > activation[b];
        return member[a] < member[b];
    }
};

const testing = std.testing;

test "places leave in order of activation and then of node, though they rise meanwhile" {
    const most = 200;
    var bytes: [need(most)]u8 align(64) = @splat(0xFF);
    var arena: arena_zig.Arena = .over(&bytes);
    defer arena.dissolve();
    var frame = try arena.frame(need(most));
    defer frame.close();
    var queue: Queue = try .init(&frame, most);
    var random = std.Random.DefaultPrng.init(5);
    const any = random.random();
    var activation: [most]f32 = undefined;
    var member: [most]u32 = undefined;
    for (&member, 0..) |*node, i| node.* = @intCast(i);
    any.shuffle(u32, &member);
    for (0..most) |place| {
        queue.welcome(place);
        activation[place] = @floatFromInt(any.uintLessThan(u32, 20));
        queue.rise(@intCast(place), &activation, &member);
        const lucky: u32 = any.uintLessThan(u32, @intCast(place + 1));
        activation[lucky] += 3;
        queue.rise(lucky, &activation, &member);
    }
    var last: ?u32 = null;
    while (queue.first()) |place| {
        queue.take(&activation, &member);
        if (last) |earlier| try testing.expect(Queue.before(earlier, place, &activation, &member));
        try testing.expect(queue.isGone(place));
        last = place;
    }
    try testing.expectEqual(0, queue.len);
}
