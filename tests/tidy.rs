//! The rules of the house that a program can check.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder` that ends in `.ending`, with its text; none where there is no such folder, as in the
/// published package.
fn texts(folder: &str, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if name.ends_with(&format!(".{ending}")) {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

fn sources() -> Vec<(PathBuf, String)> {
    let folders = ["src", "tests", "benches", "examples", "crates", "fuzz"];
    let mut all: Vec<_> = folders.iter().flat_map(|folder| texts(folder, "rs")).collect();
    all.extend(texts("zig", "zig"));
    for file in ["build.rs", "build.zig"] {
        all.push((root().join(file), fs::read_to_string(root().join(file)).unwrap()));
    }
    assert!(all.len() > 15, "found only {} sources", all.len());
    all
}

/// Lines of each function: from `fn` to the closing brace at the same indentation, as both formatters leave it.
fn function_lengths(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<_> = text.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let starts = |line: &str| {
        let line = line.trim_start();
        let words = ["fn ", "inline fn ", "noinline fn ", "export fn ", "unsafe fn ", "async fn ", "const fn "];
        let line = line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub ")).unwrap_or(line);
        words.iter().any(|word| line.starts_with(word)) || line.starts_with("test \"")
    };
    (0..lines.len())
        .filter(|&i| starts(lines[i]))
        .filter_map(|i| {
            let closing = format!("{}}}", " ".repeat(indent(lines[i])));
            // What makes a type is as long as that: its functions are measured.
            if lines[i].ends_with('}') || lines[i].ends_with(") type {") {
                return None;
            }
            Some((i + 1, lines[i..].iter().position(|line| *line == closing)? + 1))
        })
        .collect()
}

#[test]
fn functions_fit_a_screen_files_hold_one_subject_and_lines_a_page() {
    for (path, text) in sources().iter().filter(|(path, _)| !path.ends_with("src/ffi.rs")) {
        for (line, length) in function_lengths(text) {
            assert!(length <= 70, "{}:{line}: expected a function of at most 70 lines, found {length}", path.display());
        }
        let lines = text.lines().count();
        assert!(lines <= 600, "{}: expected at most 600 lines, found {lines}", path.display());
        for (number, line) in text.lines().enumerate() {
            let width = line.chars().count();
            assert!(width <= 120, "{}:{}: expected at most 120 columns, found {width}", path.display(), number + 1);
        }
    }
}

#[test]
fn the_length_of_functions_is_measured() {
    let text = "fn one() {\n    a\n}\n\n    pub fn two() {\n    }\nconst x = 1;\ntest \"three\" {\n    b;\n    c;\n}\n\
        fn Four(T: type) type {\n    fn five() {\n        d;\n    }\n}\n";
    assert_eq!(function_lengths(text), [(1, 3), (5, 2), (8, 4), (13, 3)]);
}

#[test]
fn kernels_export_nothing_touch_no_thread_and_ask_no_machine() {
    let banned = "export |@export|@extern|extern fn|extern \"|[*]|[*c]|threadlocal|asm |cpuid|std.posix|std.os|std.fs|\
        std.Io|std.c.|std.time|std.log|std.debug.print|std.Thread|std.atomic|@atomic|Mutex|std.heap";
    let similarity = ["rows.zig", "query.zig", "top_k.zig", "similarity.zig", "matrix.zig", "companion.zig"];
    let scores = ["score.zig", "wide.zig", "integers.zig", "elements.zig"];
    // Tested through those that call them.
    let inner = ["prepare.zig", "tiles.zig", "panels.zig", "pairs.zig"];
    let spreading = [
        "spreading.zig",
        "hops.zig",
        "reach.zig",
        "queue.zig",
        "fan_out.zig",
        "inhibition.zig",
        "fan.zig",
        "push.zig",
        "sweep.zig",
        "columns.zig",
    ];
    let kernels = [
        &similarity[..],
        &scores,
        &inner,
        &spreading,
        &["decay.zig", "laws.zig", "select.zig", "base_level.zig", "fsrs.zig", "twofold.zig", "simd.zig"],
    ]
    .concat();
    let imports =
        [&["std", "builtin", "arena.zig", "lines.zig", "dots.zig", "lookup.zig", "oracle.zig"], &kernels[..]].concat();
    for kernel in kernels {
        let text = fs::read_to_string(root().join("zig").join(kernel)).unwrap();
        let code = text.split("\nconst testing = ").next().unwrap();
        let apart = root().join("zig").join(kernel.replace(".zig", "_test.zig")).exists();
        assert!(
            apart || inner.contains(&kernel) || code.len() < text.len(),
            "{kernel}: expected tests behind `const testing`, or in a file apart"
        );
        assert!(!code.contains("\ntest \""), "{kernel}: found a test before `const testing`");
        for word in banned.split('|') {
            assert!(!code.contains(word), "zig/{kernel}: found `{word}`, which no kernel contains");
        }
        for import in code.split("@import(\"").skip(1) {
            let name = import.split('"').next().unwrap();
            assert!(imports.contains(&name), "zig/{kernel}: found an import of {name}, which no kernel needs");
        }
    }
}

#[test]
fn arenas_know_no_threads_and_no_system() {
    let text = fs::read_to_string(root().join("zig/arena.zig")).unwrap();
    for word in ["threadlocal", "std.posix", "std.os", "std.Thread", "std.Io", "thread.zig", "backing.zig", "Mutex"] {
        assert!(!text.contains(word), "zig/arena.zig: found `{word}`");
    }
}

#[test]
fn every_zig_file_with_tests_is_imported_by_the_test_root() {
    let list = fs::read_to_string(root().join("zig/tests.zig")).unwrap();
    for (path, text) in texts("zig", "zig") {
        let name = path.file_name().unwrap().to_string_lossy();
        if text.contains("\ntest \"") && name != "tests.zig" {
            assert!(list.contains(&format!("_ = @import(\"{name}\");")), "zig/tests.zig does not import {name}");
        }
    }
}

#[test]
fn unsafe_stands_only_where_the_architecture_says() {
    let allowed = [
        "ffi.rs",
        "arena.rs",
        "bench.rs",
        "similarity.rs",
        "spreading.rs",
        "pagerank.rs",
        "sweeps.rs",
        "decay.rs",
        "base_level.rs",
        "fsrs.rs",
        "tier.rs",
    ];
    for (path, text) in texts("src", "rs").into_iter().chain(texts("crates", "rs")).chain(texts("examples", "rs")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let ours = path.parent() == Some(&root().join("src"));
        // Peers are other people's libraries, some of them C.
        let peers = path.starts_with(root().join("crates/peers"));
        if peers || ours && allowed.contains(&name.as_str()) {
            continue;
        }
        for kind in ["{", "fn", "impl", "extern"] {
            let code = format!("unsafe {kind}");
            assert!(!text.contains(&code), "{}: found `{code}`", path.display());
        }
    }
}

#[test]
fn nothing_is_unfinished_and_no_machine_is_named() {
    let words = [
        ["todo", "!("].concat(),
        ["unimplemented", "!("].concat(),
        ["FIX", "ME"].concat(),
        ["X", "XX"].concat(),
        ["/ro", "ot/"].concat(),
        ["/wo", "rk/"].concat(),
        ["/ho", "me/"].concat(),
    ];
    let mut all = sources();
    for ending in ["md", "toml", "h", "c", "txt", "py"] {
        all.extend(texts(".", ending));
    }
    for folder in [".ci", ".ci/faults", ".cargo"] {
        let entries = fs::read_dir(root().join(folder)).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()).filter(|path| path.is_file()) {
            all.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
    for (path, text) in all {
        for word in &words {
            assert!(!text.contains(word.as_str()), "{}: found `{word}`", path.display());
        }
    }
}

/// A figure of time or rate belongs to `benches/RECORD.md`, and to the table of README.md that cites it.
#[test]
fn figures_of_speed_stand_only_in_the_record() {
    let units = ["ns", "us", "µs", "GB/s", "GFLOP/s", "Medges/s"];
    let mut all: Vec<_> = texts("src", "rs").into_iter().chain(texts("zig", "zig")).collect();
    for file in ["ARCHITECTURE.md", "CHANGELOG.md", "build.rs", "build.zig"] {
        all.push((file.into(), fs::read_to_string(root().join(file)).unwrap()));
    }
    for (path, text) in all {
        let words: Vec<_> = text.split_whitespace().collect();
        for pair in words.windows(2) {
            let number = pair[0].chars().next().is_some_and(|c| c.is_ascii_digit());
            let unit = pair[1].trim_end_matches(|c: char| ".,;:)".contains(c));
            assert!(!(number && units.contains(&unit)), "{}: found `{} {}`", path.display(), pair[0], pair[1]);
        }
    }
}

#[test]
fn published_files_do_not_reach_outside_the_package() {
    for (path, text) in texts("src", "rs").into_iter().chain(texts("zig", "zig")) {
        let text = text.replace(r#"include_str!("../README.md")"#, ""); // The package's own.
        assert!(!text.contains("../"), "{}: found a path that leads upwards", path.display());
    }
    for (path, text) in texts("crates", "rs") {
        let may = ["bindings", "peers"].iter().any(|name| path.starts_with(root().join("crates").join(name)));
        assert!(may || !text.contains("../../zig"), "{}: found a path into zig/", path.display());
    }
}
