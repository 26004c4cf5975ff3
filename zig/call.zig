//! What callers of similarity pass as ecphory.h has it, and what of that can be seen to be wrong.

const std = @import("std");
const absent = @import("cue.zig").absent;
const rows_zig = @import("rows.zig");
const score = @import("score.zig");
const similarity = @import("similarity.zig");
const tier = @import("tier.zig");

/// What calls of similarity have in common.
pub const Call = struct {
    search: *const similarity.Search,
    queries: *const tier.Rows,
    rows: *const tier.Rows,

    /// None where it has no meaning; where elements are is not looked at.
    pub fn of(search: ?*const RawSearch, queries: ?*const RawRows, rows: ?*const RawRows) ?Call {
        const call: Call = .{
            .search = (search orelse return null).checked() orelse return null,
            .queries = (queries orelse return null).checked() orelse return null,
            .rows = (rows orelse return null).checked() orelse return null,
        };
        const meet = call.queries.type.meets(call.rows.type) and call.queries.dim == call.rows.dim;
        return if (meet and call.search.metric.fits(call.rows.type)) call else null;
    }

    pub fn isThere(call: *const Call) bool {
        return areThere(call.queries) and areThere(call.rows);
    }

    pub fn shape(call: *const Call) similarity.Shape {
        return .{ .queries = call.queries.type, .rows = call.rows.type, .dim = call.rows.dim };
    }
};

/// ecp_rows of ecphory.h as it comes.
pub const RawRows = extern struct {
    elements: ?*const anyopaque,
    type: u32,
    beyond: u32,
    row_count: usize,
    dim: usize,
    stride: usize,
    scales: ?[*]const f32,
    norms: ?[*]const f32,
    filter: ?[*]const u64,
    companion: ?*const tier.Companion,

    pub fn checked(raw: *const RawRows) ?*const tier.Rows {
        if (raw.type > @backingInt(rows_zig.Type.bits) or raw.beyond > 1) return null;
        if (raw.scales != null and raw.type != @backingInt(rows_zig.Type.i8)) return null;
        return if (raw.dim == 0 or raw.stride < raw.dim) null else @ptrCast(raw);
    }
};

pub fn areThere(rows: *const tier.Rows) bool {
    return !absent(rows.elements, rows.row_count) and areAddressable(rows.stride, rows.row_count, rows.type.size());
}

/// ecp_search of ecphory.h as it comes.
pub const RawSearch = extern struct {
    metric: u32,
    precision: u32,
    packing: u32,
    threshold: f32,

    fn checked(raw: *const RawSearch) ?*const similarity.Search {
        if (raw.metric > @backingInt(score.Metric.jaccard)) return null;
        if (raw.precision > @backingInt(score.Precision.precise)) return null;
        if (raw.packing > @backingInt(similarity.Packing.tiled) or std.math.isNan(raw.threshold)) return null;
        return @ptrCast(raw);
    }
};

/// Whether rows have no companion, or one of theirs.
pub fn copiesAreThere(rows: *const tier.Rows) bool {
    const copies = rows.companion orelse return true;
    if (rows.type != .f32 or !areAddressable((rows.dim +| 63) / 64 * 64, rows.row_count, 1)) return false;
    const some = copies.elements != null and copies.scales != null;
    return rows.row_count == 0 or (some and copies.residuals != null and copies.lengths != null);
}

/// Whether `count` times `each` elements can exist.
pub fn areAddressable(count: usize, each: usize, size: usize) bool {
    const elements = std.math.mul(usize, count, each) catch return false;
    return elements <= std.math.maxInt(isize) / size;
}

/// Two structs with the same fields in the same places.
pub fn expectAlike(comptime Raw: type, comptime Checked: type) void {
    const names = @typeInfo(Raw).@"struct".field_names;
    const same_fields = names.len == @typeInfo(Checked).@"struct".field_names.len;
    if (@sizeOf(Raw) != @sizeOf(Checked) or !same_fields) @compileError("layouts differ");
    for (names) |name| if (@offsetOf(Raw, name) != @offsetOf(Checked, name)) @compileError(
        "layouts differ at " ++ name,
    );
}
