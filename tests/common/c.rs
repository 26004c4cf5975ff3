//! Programs in C that are linked with the archive alone.

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

/// Compiles tests/`name`.c against the header into a program.
fn compile(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}{}", consts::EXE_SUFFIX));
    let compiler = cc::Build::new().cargo_metadata(false).opt_level(1).host(&target()).target(&target()).get_compiler();
    let mut command = compiler.to_command();
    command.current_dir(env!("CARGO_TARGET_TMPDIR"));
    if compiler.is_like_msvc() {
        command.args(["/std:c11", "/W4", "/WX"]).arg(format!("/Fe:{}", program.display()));
    } else {
        command.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-o"]).arg(&program);
    }
    let source = root.join("tests").join(name).with_extension("c");
    command.arg("-I").arg(root.join("zig/include")).arg(source).arg(env!("ECPHORY_ARCHIVE"));
    if cfg!(unix) {
        command.args(["-lm", "-lpthread"]);
    }
    let output = command.output().expect("a C compiler");
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    program
}

/// Runs tests/`name`.c, which prints a line for each check that fails.
pub fn finds_nothing_amiss(name: &str) {
    let output = Command::new(compile(name)).output().expect("the program runs");
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "ended with {}\n{said}{complained}", output.status);
    assert_eq!(said, "");
}
