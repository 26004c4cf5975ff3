//! Imports every file with tests, and compares the exports with ecphory.h.

const std = @import("std");
const abi = @import("abi.zig");
const bench = @import("bench.zig");
const forgetting = @import("forgetting.zig");
const needs = @import("needs.zig");
const registry = @import("registry.zig");
const header = @import("header");
const bench_header = @import("bench_header");

test {
    _ = @import("abi.zig");
    _ = @import("accuracy.zig");
    _ = @import("arena.zig");
    _ = @import("backing.zig");
    _ = @import("base_level.zig");
    _ = @import("bench.zig");
    _ = @import("columns.zig");
    _ = @import("companion_test.zig");
    _ = @import("cpu.zig");
    _ = @import("decay.zig");
    _ = @import("decay_test.zig");
    _ = @import("dots.zig");
    _ = @import("elements.zig");
    _ = @import("ends_test.zig");
    _ = @import("fan.zig");
    _ = @import("fan_out.zig");
    _ = @import("fsrs_test.zig");
    _ = @import("hops.zig");
    _ = @import("hops_test.zig");
    _ = @import("inhibition.zig");
    _ = @import("integers_test.zig");
    _ = @import("limits.zig");
    _ = @import("laws.zig");
    _ = @import("lines.zig");
    _ = @import("lookup.zig");
    _ = @import("matrix.zig");
    _ = @import("matrix_test.zig");
    _ = @import("matrix_types_test.zig");
    _ = @import("needs.zig");
    _ = @import("oracle.zig");
    _ = @import("push_test.zig");
    _ = @import("query_test.zig");
    _ = @import("queue.zig");
    _ = @import("reach.zig");
    _ = @import("rows.zig");
    _ = @import("score.zig");
    _ = @import("score_test.zig");
    _ = @import("simd.zig");
    _ = @import("select.zig");
    _ = @import("similarity.zig");
    _ = @import("soak.zig");
    _ = @import("spreading.zig");
    _ = @import("spreading_test.zig");
    _ = @import("sweep.zig");
    _ = @import("thread.zig");
    _ = @import("tier.zig");
    _ = @import("top_k.zig");
    _ = @import("twofold.zig");
    _ = @import("wide.zig");
}

/// The structs of the header and what stands for each on this side.
const structs = .{
    .{ "ecp_scratch", abi.Scratch },
    .{ "ecp_arena_stats", registry.Stats },
    .{ "ecp_arena", abi.ArenaHead },
    .{ "ecp_kernel_stats", registry.KernelStats },
    .{ "ecp_companion", @import("tier.zig").Companion },
    .{ "ecp_rows", abi.RawRows },
    .{ "ecp_rows", @import("tier.zig").Rows },
    .{ "ecp_search", abi.RawSearch },
    .{ "ecp_hit", @import("top_k.zig").Hit },
    .{ "ecp_top_k_result", @import("top_k.zig").TopK },
    .{ "ecp_graph", abi.RawGraph },
    .{ "ecp_seed", @import("spreading.zig").Seed },
    .{ "ecp_spread_options", abi.RawOptions },
    .{ "ecp_spread_result", @import("spreading.zig").Result },
    .{ "ecp_push_options", abi.RawPush },
    .{ "ecp_push_past", @import("tier.zig").PushPast },
    .{ "ecp_push_result", @import("push.zig").Result },
    .{ "ecp_incoming", abi.RawIncoming },
    .{ "ecp_incoming", @import("tier.zig").Incoming },
    .{ "ecp_law", abi.RawLaw },
    .{ "ecp_ages", @import("tier.zig").Ages },
    .{ "ecp_selection", abi.RawSelection },
    .{ "ecp_selection", @import("tier.zig").Selection },
    .{ "ecp_decay_report", @import("decay.zig").Report },
    .{ "ecp_base_level", forgetting.RawBaseLevel },
    .{ "ecp_base_level", @import("tier.zig").BaseLevel },
    .{ "ecp_fsrs", forgetting.RawFsrs },
    .{ "ecp_fsrs", @import("tier.zig").Fsrs },
};

/// The numbers of the header and what stands for each on this side.
const numbers = .{
    .{ "ECP_ABI_VERSION", abi.version },
    .{ "ECP_OK", @backingInt(abi.Status.ok) },
    .{ "ECP_OUT_OF_MEMORY", @backingInt(abi.Status.out_of_memory) },
    .{ "ECP_INVALID_ARGUMENT", @backingInt(abi.Status.invalid_argument) },
    .{ "ECP_UNKNOWN_TIER", @backingInt(abi.Status.unknown_tier) },
    .{ "ECP_ALREADY_IN_USE", @backingInt(abi.Status.already_in_use) },
    .{ "ECP_ON_OVERFLOW_ERROR", @backingInt(needs.OnOverflow.err) },
    .{ "ECP_ON_OVERFLOW_HEAP", @backingInt(needs.OnOverflow.heap) },
    .{ "ECP_ON_OVERFLOW_PANIC", @backingInt(needs.OnOverflow.panic) },
    .{ "ECP_ON_OVERFLOW_GROW", @backingInt(needs.OnOverflow.grow) },
    .{ "ECP_KERNEL_SIMILARITY", @backingInt(registry.Kernel.similarity) },
    .{ "ECP_KERNEL_SPREADING", @backingInt(registry.Kernel.spreading) },
    .{ "ECP_KERNEL_DECAY", @backingInt(registry.Kernel.decay) },
    .{ "ECP_KERNEL_CALLER", @backingInt(registry.Kernel.caller) },
    .{ "ECP_KERNELS", registry.kernels },
    .{ "ECP_NEED_BUCKETS", needs.bucket_count },
    .{ "ECP_PACKING_IN_PLACE", @backingInt(@import("similarity.zig").Packing.in_place) },
    .{ "ECP_PACKING_WHOLE", @backingInt(@import("similarity.zig").Packing.whole) },
    .{ "ECP_PACKING_TILED", @backingInt(@import("similarity.zig").Packing.tiled) },
    .{ "ECP_METRIC_COSINE", @backingInt(@import("score.zig").Metric.cosine) },
    .{ "ECP_METRIC_DOT", @backingInt(@import("score.zig").Metric.dot) },
    .{ "ECP_METRIC_SQUARED_EUCLIDEAN", @backingInt(@import("score.zig").Metric.squared_euclidean) },
    .{ "ECP_METRIC_HAMMING", @backingInt(@import("score.zig").Metric.hamming) },
    .{ "ECP_METRIC_JACCARD", @backingInt(@import("score.zig").Metric.jaccard) },
    .{ "ECP_TYPE_F32", @backingInt(@import("rows.zig").Type.f32) },
    .{ "ECP_TYPE_F16", @backingInt(@import("rows.zig").Type.f16) },
    .{ "ECP_TYPE_BF16", @backingInt(@import("rows.zig").Type.bf16) },
    .{ "ECP_TYPE_I8", @backingInt(@import("rows.zig").Type.i8) },
    .{ "ECP_TYPE_BITS", @backingInt(@import("rows.zig").Type.bits) },
    .{ "ECP_PRECISION_FAST", @backingInt(@import("score.zig").Precision.fast) },
    .{ "ECP_PRECISION_PRECISE", @backingInt(@import("score.zig").Precision.precise) },
    .{ "ECP_FIRE_ONCE", @backingInt(@import("spreading.zig").Fire.once) },
    .{ "ECP_FIRE_EVERY_HOP", @backingInt(@import("spreading.zig").Fire.every_hop) },
    .{ "ECP_WEIGHTING_AS_GIVEN", @backingInt(@import("spreading.zig").Weighting.as_given) },
    .{ "ECP_WEIGHTING_BY_OUT_STRENGTH", @backingInt(@import("spreading.zig").Weighting.by_out_strength) },
    .{ "ECP_FIRE_BEST_FIRST", @backingInt(@import("spreading.zig").Fire.best_first) },
    .{ "ECP_WEIGHTING_BY_FAN", @backingInt(@import("spreading.zig").Weighting.by_fan) },
    .{ "ECP_AGGREGATE_SUM", @backingInt(@import("spreading.zig").Aggregate.sum) },
    .{ "ECP_AGGREGATE_MAX", @backingInt(@import("spreading.zig").Aggregate.max) },
    .{ "ECP_STOPPED_NO", @backingInt(@import("spreading.zig").Stopped.no) },
    .{ "ECP_STOPPED_WORK", @backingInt(@import("spreading.zig").Stopped.work) },
    .{ "ECP_STOPPED_BUDGET", @backingInt(@import("spreading.zig").Stopped.budget) },
    .{ "ECP_STOPPED_PAUSED", @backingInt(@import("spreading.zig").Stopped.paused) },
    .{ "ECP_COMPETITORS_MAX", @import("inhibition.zig").competitors_max },
    .{ "ECP_DANGLING_TO_SEEDS", @backingInt(@import("push.zig").Dangling.to_seeds) },
    .{ "ECP_DANGLING_EVENLY", @backingInt(@import("push.zig").Dangling.evenly) },
    .{ "ECP_SWEEP_CUES", @import("sweep.zig").cues },
    .{ "ECP_HOPS_MAX", abi.hops_max },
    .{ "ECP_LAW_EXPONENTIAL", @backingInt(@import("decay.zig").Kind.exponential) },
    .{ "ECP_LAW_POWER", @backingInt(@import("decay.zig").Kind.power) },
    .{ "ECP_LAW_HYPERBOLIC", @backingInt(@import("decay.zig").Kind.hyperbolic) },
    .{ "ECP_LAW_STRETCHED", @backingInt(@import("decay.zig").Kind.stretched) },
    .{ "ECP_LAW_SAVINGS", @backingInt(@import("decay.zig").Kind.savings) },
    .{ "ECP_LAW_STABILITY", @backingInt(@import("decay.zig").Kind.stability) },
    .{ "ECP_FSRS_PARAMETERS", @import("fsrs.zig").parameter_count },
};

test "every number of the header has its value here, and there is no other" {
    inline for (numbers) |pair| try std.testing.expectEqual(@field(header, pair[0]), pair[1]);
    comptime var found = 0;
    @setEvalBranchQuota(100_000);
    inline for (@typeInfo(header).@"struct".decl_names) |name| {
        if (comptime std.mem.startsWith(u8, name, "ECP_")) found += 1;
    }
    try std.testing.expectEqual(numbers.len, found);
}

test "every struct of the header has the size, offsets and kinds of fields that it has here" {
    inline for (structs) |pair| {
        const C = @field(header, pair[0]);
        const Z = pair[1];
        try std.testing.expectEqual(@sizeOf(C), @sizeOf(Z));
        try std.testing.expectEqual(@alignOf(C), @alignOf(Z));
        const c = @typeInfo(C).@"struct";
        const z = @typeInfo(Z).@"struct";
        try std.testing.expectEqual(c.field_names.len, z.field_names.len);
        inline for (c.field_names, c.field_types, z.field_names, z.field_types) |c_name, c_type, z_name, z_type| {
            try std.testing.expectEqualStrings(c_name, z_name);
            try std.testing.expectEqual(@offsetOf(C, c_name), @offsetOf(Z, z_name));
            try std.testing.expectEqualStrings(shape(c_type), shape(z_type));
        }
    }
}

test "every function of the header is exported with its types, and no other is" {
    try expectExports(header, abi, "ecp_");
}

test "every function of the benchmarks' header is exported with its types, and no other is" {
    try expectExports(bench_header, bench, "ecp_bench_");
}

fn expectExports(comptime declared: type, comptime exports: type, comptime prefix: []const u8) !void {
    @setEvalBranchQuota(100_000);
    comptime var found = 0;
    inline for (@typeInfo(declared).@"struct".decl_names) |name| {
        if (comptime !std.mem.startsWith(u8, name, prefix)) continue;
        const C = @TypeOf(@field(declared, name));
        if (@typeInfo(C) != .@"fn") continue;
        found += 1;
        const c = @typeInfo(C).@"fn";
        const z = @typeInfo(@TypeOf(@field(exports, name))).@"fn";
        try std.testing.expectEqualStrings(shape(c.return_type.?), shape(z.return_type.?));
        try std.testing.expectEqual(c.param_types.len, z.param_types.len);
        inline for (c.param_types, z.param_types) |c_type, z_type| try std.testing.expectEqualStrings(
            shape(c_type.?),
            shape(z_type.?),
        );
    }
    comptime var exported = 0;
    inline for (@typeInfo(exports).@"struct".decl_names) |name| {
        if (comptime std.mem.startsWith(u8, name, prefix)) exported += 1;
    }
    try std.testing.expectEqual(found, exported);
}

/// C's pointer to an array is one to its first element.
fn Pointee(comptime T: type) type {
    return if (@typeInfo(T) == .array) @typeInfo(T).array.child else T;
}

/// What a type is at the border: kind, width, what it points at and whether that may be written.
fn shape(comptime T: type) []const u8 {
    return switch (@typeInfo(T)) {
        .int => |int| std.fmt.comptimePrint("{t} {d}", .{ int.signedness, int.bits }),
        .float => |float| std.fmt.comptimePrint("float {d}", .{float.bits}),
        .@"enum" => shape(@typeInfo(T).@"enum".tag_type),
        .optional => |optional| shape(optional.child),
        .pointer => |pointer| (if (pointer.attrs.@"const") "const " else "") ++ "pointer to " ++
            comptime shape(Pointee(pointer.child)),
        .@"struct" => std.fmt.comptimePrint("struct of {d} bytes", .{@sizeOf(T)}),
        .@"opaque" => "anything",
        .array => |array| std.fmt.comptimePrint("{d} of ", .{array.len}) ++ comptime shape(array.child),
        .void => "nothing",
        .bool => "boolean",
        else => @compileError("not at the border: " ++ @typeName(T)),
    };
}
