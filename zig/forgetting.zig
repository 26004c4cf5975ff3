//! What callers of decay pass as ecphory.h has it, and what of that can be seen to be wrong.

const std = @import("std");
const decay = @import("decay.zig");
const raw_cue = @import("cue.zig");
const tier = @import("tier.zig");
const absent = raw_cue.absent;
const isMagnitude = raw_cue.isMagnitude;

/// Whether there is an age for each memory, or one for all.
pub fn areThere(ages: *const tier.Ages, count: usize) bool {
    if (ages.seconds != null or ages.unix_milliseconds != null) return true;
    return ages.uniform != null or count == 0;
}

/// ecp_selection of ecphory.h as it comes.
pub const RawSelection = extern struct {
    threshold: f32,
    above: u32,
    first_id: u32,
    ids: ?[*]u32,
    id_count: usize,

    pub fn checked(raw: *RawSelection, count: usize) ?*tier.Selection {
        if (std.math.isNan(raw.threshold) or raw.above > 1 or absent(raw.ids, count)) return null;
        if (count > (1 << 32) - @as(u64, raw.first_id)) return null;
        return @ptrCast(raw);
    }
};

/// ecp_law of ecphory.h as it comes.
pub const RawLaw = extern struct {
    kind: u32,
    floor: f32,
    first: ?[*]const f32,
    second: ?[*]const f32,
    parameter_count: usize,

    pub fn checked(raw: *const RawLaw, count: usize) ?*const tier.Law {
        const kind = std.enums.fromInt(decay.Kind, raw.kind) orelse return null;
        if (!isMagnitude(raw.floor)) return null;
        if (raw.parameter_count != 1 and raw.parameter_count != count) return null;
        if (absent(raw.first, raw.parameter_count)) return null;
        if (kind.hasSecond() and absent(raw.second, raw.parameter_count)) return null;
        return @ptrCast(raw);
    }
};
