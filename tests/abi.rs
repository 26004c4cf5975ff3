//! The C ABI from C: abi.c is compiled against the header, linked with the archive alone, and run.

use std::collections::BTreeSet;
use std::env::consts;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The triple that this test was compiled for; cargo tells it to build scripts only.
fn target() -> String {
    let arch = consts::ARCH;
    match consts::OS {
        "macos" => format!("{arch}-apple-darwin"),
        "windows" => format!("{arch}-pc-windows-{}", if cfg!(target_env = "msvc") { "msvc" } else { "gnu" }),
        os => format!("{arch}-unknown-{os}-{}", if cfg!(target_env = "musl") { "musl" } else { "gnu" }),
    }
}

/// Compiles tests/abi.c into a program.
fn compile() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("abi{}", consts::EXE_SUFFIX));
    let compiler = cc::Build::new().cargo_metadata(false).opt_level(1).host(&target()).target(&target()).get_compiler();
    let mut command = compiler.to_command();
    command.current_dir(env!("CARGO_TARGET_TMPDIR"));
    if compiler.is_like_msvc() {
        command.args(["/std:c11", "/W4", "/WX"]).arg(format!("/Fe:{}", program.display()));
    } else {
        command.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&program);
    }
    command.arg("-I").arg(root.join("zig/include")).arg(root.join("tests/abi.c")).arg(env!("ECPHORY_ARCHIVE"));
    if cfg!(unix) {
        command.args(["-lm", "-lpthread"]);
    }
    let output = command.output().expect("a C compiler");
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    program
}

#[test]
fn a_c_program_that_calls_every_function_well_and_badly_finds_nothing_amiss() {
    let output = Command::new(compile()).output().expect("the program runs");
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "ended with {}\n{said}{complained}", output.status);
    assert_eq!(said, "");
}

/// Names beginning with `ecp_` that stand right before a parenthesis, outside comments.
fn called(source: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for code in source.split("/*").map(|part| part.split_once("*/").map_or(part, |(_, code)| code)) {
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        for (end, _) in code.match_indices('(') {
            let name = code[..end].rsplit(|letter| !is_name(letter)).next().unwrap_or_default();
            if name.starts_with("ecp_") {
                names.insert(name);
            }
        }
    }
    names
}

#[test]
fn the_c_program_calls_every_function_of_the_header() {
    let declared = called(include_str!("../zig/include/ecphory.h"));
    let used = called(include_str!("abi.c"));
    assert!(declared.contains("ecp_scores") && declared.len() > 20, "found too few declarations: {declared:?}");
    assert_eq!(declared.difference(&used).collect::<Vec<_>>(), Vec::<&&str>::new());
}
