//! The Zig side's own build: `zig build` makes the archive, `zig build test` runs the tests.
//! Cargo does not come through here: a first `zig build` compiles Zig's build runner, where build.rs asks
//! `zig build-obj` for the same objects at once (benches/RECORD.md has both times). Both read zig/tiers.txt.

const std = @import("std");

const Tier = struct { name: []const u8, mcpu: []const u8 };

/// What every object of one archive is compiled with.
const Options = struct { tier: []const u8 = "", bench: bool, poison: bool };

pub fn build(b: *std.Build) void {
    const target = b.standardTargetOptions(.{});
    const test_optimize = b.standardOptimizeOption(.{});
    const only = b.option([]const u8, "tier", "the CPU tier to test (default: the lowest)");
    const valgrind = b.option(bool, "valgrind", "tell valgrind what scratch holds") orelse false;
    const bench = b.option(bool, "bench", "put into the archive what benchmarks need from inside") orelse false;
    const poison = b.option(bool, "poison", "look at scratch that nobody holds (default: in debug tests)");
    const file = b.option([]const u8, "file", "test a file of zig/ and what it imports, as push_test; else all");
    const filters = b.option([]const []const u8, "test-filter", "tests to run") orelse &.{};
    const tiers = tiersOf(b, @tagName(target.result.cpu.arch));

    const in_archive: Options = .{ .bench = bench, .poison = poison orelse false };
    const archive = b.addLibrary(.{
        .name = "ecphory",
        .linkage = .static,
        .root_module = module(b, "zig/abi.zig", tierTarget(b, target, tiers[0]), .fast, in_archive),
        .use_llvm = true,
    });
    addTiers(b, archive.root_module, target, tiers, in_archive);
    b.installArtifact(archive);

    const tested = for (tiers) |tier| {
        if (only == null or std.mem.eql(u8, tier.name, only.?)) break tier;
    } else std.process.fatal("no tier '{s}' for this architecture in zig/tiers.txt", .{only.?});
    const in_tests: Options = .{ .bench = true, .poison = poison orelse (test_optimize == .debug and !valgrind) };
    const root = b.fmt("zig/{s}.zig", .{file orelse "tests"});
    const test_module = module(b, root, tierTarget(b, target, tested), test_optimize, in_tests);
    test_module.valgrind = valgrind;
    // A file alone takes seconds: it calls its kernels by no table of tiers, and sees no header.
    if (file == null) {
        addTiers(b, test_module, target, tiers, in_tests);
        addHeaders(b, test_module, target);
    }
    const tests = b.addTest(.{ .root_module = test_module, .filters = filters, .use_llvm = true });
    const step = b.step("test", "run the tests");
    step.dependOn(&b.addRunArtifact(tests).step);
    b.step("test-binary", "build the tests and run nothing").dependOn(&b.addInstallArtifact(tests, .{}).step);
    addProofs(b, tierTarget(b, target, tiers[0]), .{ .bench = false, .poison = poison orelse false }, valgrind);
    const accuracy = module(b, "zig/accuracy.zig", tierTarget(b, target, tested), .fast, in_archive);
    const run_accuracy = b.addRunArtifact(program(b, "accuracy", accuracy));
    run_accuracy.addPassthruArgs();
    b.step("accuracy", "compare decay with its laws at every age: -- [STRIDE]").dependOn(&run_accuracy.step);
}

fn addHeaders(b: *std.Build, to: *std.Build.Module, target: std.Build.ResolvedTarget) void {
    // The system headers that Zig brings along for musl: the machine's own are there for its own architecture alone.
    const musl = b.resolveTargetQuery(.{ .cpu_arch = target.result.cpu.arch, .os_tag = .linux, .abi = .musl });
    for ([_][2][]const u8{ .{ "header", "ecphory.h" }, .{ "bench_header", "ecphory_bench.h" } }) |header| {
        const translated = b.addTranslateC(.{
            .root_source_file = b.path(b.pathJoin(&.{ "zig/include", header[1] })),
            .target = musl,
            .optimize = .debug,
            .link_libc = true,
        });
        to.addImport(header[0], translated.createModule());
    }
}

/// Programs that show of arenas what tests do not: at length, used wrongly, from many threads.
fn addProofs(b: *std.Build, target: std.Build.ResolvedTarget, options: Options, valgrind: bool) void {
    const run_soak = b.addRunArtifact(program(b, "soak", module(b, "zig/soak.zig", target, .safe, options)));
    run_soak.addPassthruArgs();
    b.step("soak", "compare the arena with a model: -- OPERATIONS [SEED]").dependOn(&run_soak.step);

    const misuse = module(b, "zig/misuse.zig", target, .safe, options);
    misuse.valgrind = valgrind;
    const install_misuse = b.addInstallArtifact(program(b, "misuse", misuse), .{});
    b.step("misuse", "build what uses scratch wrongly").dependOn(&install_misuse.step);

    const race = module(b, "zig/race.zig", target, .safe, options);
    race.sanitize_thread = true;
    race.link_libc = true; // ThreadSanitizer lives in it.
    const install_race = b.addInstallArtifact(program(b, "race", race), .{});
    b.step("race", "build what ThreadSanitizer looks at").dependOn(&install_race.step);
}

fn program(b: *std.Build, name: []const u8, root: *std.Build.Module) *std.Build.Step.Compile {
    return b.addExecutable(.{ .name = name, .root_module = root, .use_llvm = true });
}

fn addTiers(
    b: *std.Build,
    to: *std.Build.Module,
    target: std.Build.ResolvedTarget,
    tiers: []const Tier,
    options: Options,
) void {
    for (tiers) |tier| to.addObject(b.addObject(.{
        .name = b.fmt("ecphory_{s}", .{tier.name}),
        .root_module = module(
            b,
            "zig/tier.zig",
            tierTarget(b, target, tier),
            .fast,
            .{ .tier = tier.name, .bench = options.bench, .poison = options.poison },
        ),
        .use_llvm = true,
    }));
}

fn module(
    b: *std.Build,
    root: []const u8,
    target: std.Build.ResolvedTarget,
    optimize: std.lang.Optimize,
    chosen: Options,
) *std.Build.Module {
    const options = b.addOptions();
    options.addOption([]const u8, "tier", chosen.tier);
    options.addOption(bool, "bench", chosen.bench);
    options.addOption(bool, "poison", chosen.poison);
    const made = b.createModule(
        .{ .root_source_file = b.path(root), .target = target, .optimize = optimize, .pic = true },
    );
    made.addOptions("options", options);
    return made;
}

fn tierTarget(b: *std.Build, target: std.Build.ResolvedTarget, tier: Tier) std.Build.ResolvedTarget {
    const triple = target.query.zigTriple(b.allocator) catch @panic("out of memory");
    const query = std.Target.Query.parse(.{ .arch_os_abi = triple, .cpu_features = tier.mcpu }) catch
        std.process.fatal("zig/tiers.txt: '{s}' is not a CPU", .{tier.mcpu});
    return b.resolveTargetQuery(query);
}

fn tiersOf(b: *std.Build, arch: []const u8) []const Tier {
    var tiers: std.ArrayList(Tier) = .empty;
    var lines = std.mem.tokenizeScalar(u8, @embedFile("zig/tiers.txt"), '\n');
    while (lines.next()) |line| {
        var words = std.mem.tokenizeScalar(u8, line, ' ');
        if (line[0] == '#' or !std.mem.eql(u8, words.next().?, arch)) continue;
        tiers.append(b.allocator, .{ .name = words.next().?, .mcpu = words.next().? }) catch @panic("out of memory");
    }
    if (tiers.items.len == 0) std.process.fatal("zig/tiers.txt has no tier for {s}", .{arch});
    return tiers.items;
}
