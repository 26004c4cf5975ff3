//! The Rust side of `zig/include/ecphory.h`, made by bindgen. Needs libclang (`LIBCLANG_PATH`) and a C compiler,
//! whose own headers libclang borrows.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where the checked-in bindings are.
pub fn checked_in() -> PathBuf {
    root().join("src/ffi.rs")
}

/// What bindgen makes of the header now.
pub fn generate() -> Result<String, Box<dyn std::error::Error>> {
    let include = Command::new("cc").arg("-print-file-name=include").output()?;
    let bindings = bindgen::Builder::default()
        .header(root().join("zig/include/ecphory.h").display().to_string())
        .header(root().join("zig/include/ecphory_bench.h").display().to_string())
        .clang_arg(format!("-isystem{}", String::from_utf8(include.stdout)?.trim()))
        .allowlist_function("ecp_.*")
        .allowlist_type("ecp_.*")
        .allowlist_var("ECP_.*")
        .use_core()
        .rust_target(bindgen::RustTarget::stable(89, 0).map_err(|error| error.to_string())?)
        .rust_edition(bindgen::RustEdition::Edition2024)
        .formatter(bindgen::Formatter::Rustfmt)
        .derive_default(true)
        .disable_header_comment()
        .raw_line(
            "// Made by `cargo run -p ecphory-bindings` from zig/include/ecphory.h, which documents it. Do not edit.",
        )
        .raw_line("")
        .raw_line(
            "#![allow(dead_code, missing_docs, non_camel_case_types, unsafe_code, clippy::undocumented_unsafe_blocks)]",
        )
        .generate()?;
    Ok(bindings.to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checked_in_bindings_are_what_the_header_says() {
        let now = super::generate().expect("bindgen, libclang and cc");
        let then = std::fs::read_to_string(super::checked_in()).expect("src/ffi.rs");
        assert!(
            then == now,
            "src/ffi.rs has drifted from zig/include/ecphory.h: run `cargo run -p ecphory-bindings` and commit"
        );
    }
}
