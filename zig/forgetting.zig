//! What callers of decay pass as ecphory.h has it, and what of that can be seen to be wrong.

const std = @import("std");
const decay = @import("decay.zig");
const fsrs = @import("fsrs.zig");
const raw_call = @import("call.zig");
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

/// ecp_base_level of ecphory.h as it comes.
pub const RawBaseLevel = extern struct {
    d: f32,
    least_age: f32,
    offsets: ?[*]const u32,
    ages: ?*const tier.Ages,
    counts: ?[*]const u32,
    lifetimes: ?*const tier.Ages,
    memory_count: usize,

    pub fn checked(raw: *const RawBaseLevel, activations: ?[*]f32) ?*const tier.BaseLevel {
        const count = raw.memory_count;
        if (!(raw.d > 0 and raw.d < 1) or !isMagnitude(raw.least_age)) return null;
        if (absent(activations, count) or !raw_call.areAddressable(count, 1, @sizeOf(f32))) return null;
        if (raw.offsets) |offsets| {
            const ages = raw.ages orelse return null;
            if (offsets[count] < offsets[0] or !areThere(ages, offsets[count] - offsets[0])) return null;
        } else if (absent(raw.counts, count)) return null;
        if (raw.counts != null and !areThere(raw.lifetimes orelse return null, count)) return null;
        return @ptrCast(raw);
    }
};

/// ecp_fsrs of ecphory.h as it comes.
pub const RawFsrs = extern struct {
    parameters: ?*const fsrs.Parameters,
    stabilities: ?[*]f32,
    difficulties: ?[*]f32,
    elapsed_days: ?[*]const f32,
    grades: ?[*]const u8,
    count: usize,

    /// For a review, or for retrievabilities.
    pub fn checked(raw: *const RawFsrs, retrievabilities: ?[*]f32, is_review: bool) ?*const tier.Fsrs {
        const w = raw.parameters orelse return null;
        for (w) |parameter| if (!std.math.isFinite(parameter)) return null;
        if (w[w.len - 1] <= 0 or !raw_call.areAddressable(raw.count, 1, @sizeOf(f32))) return null;
        if (absent(raw.stabilities, raw.count) or absent(raw.elapsed_days, raw.count)) return null;
        if (!is_review) return if (absent(retrievabilities, raw.count)) null else @ptrCast(raw);
        if (absent(raw.difficulties, raw.count) or absent(raw.grades, raw.count)) return null;
        return @ptrCast(raw);
    }
};

// The checked structs are the raw ones with enums and pointers that are known to be sound.
comptime {
    raw_call.expectAlike(RawLaw, tier.Law);
    raw_call.expectAlike(RawSelection, tier.Selection);
    raw_call.expectAlike(RawBaseLevel, tier.BaseLevel);
    raw_call.expectAlike(RawFsrs, tier.Fsrs);
}
