//! The peers that are written in C, each in a function of its own; and what of the system's libraries is here.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=c");
    arena();
    decay();
    similarity();
}

fn arena() {
    cc::Build::new().file("c/thread.c").compile("peers_thread");
    if env::var_os("CARGO_CFG_UNIX").is_some() {
        cc::Build::new().file("c/pages.c").compile("peers_pages");
    }
}

/// SLEEF where it is installed, and glibc's libmvec where it is the C library; both in the widths of x86-64.
fn decay() {
    println!("cargo:rustc-check-cfg=cfg(sleef)");
    println!("cargo:rustc-check-cfg=cfg(libmvec)");
    let both_widths = env::var("CARGO_CFG_TARGET_ARCH").as_deref() == Ok("x86_64") && cfg!(feature = "avx512");
    if !both_widths {
        return;
    }
    watch_installations();
    if pkg_config::Config::new().atleast_version("3.5").probe("sleef").is_ok() {
        in_both_widths("c/sleef.c", "peers_sleef", &[]);
        println!("cargo:rustc-link-lib=sleef");
        println!("cargo:rustc-cfg=sleef");
    }
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux")
        && env::var("CARGO_CFG_TARGET_ENV").as_deref() == Ok("gnu")
    {
        // clang calls libmvec only when told to; GCC by itself, where errno and the last bit do not matter.
        in_both_widths("c/libmvec.c", "peers_libmvec", &["-O3", "-ffast-math", "-fveclib=libmvec"]);
        println!("cargo:rustc-link-lib=mvec");
        println!("cargo:rustc-cfg=libmvec");
    }
}

/// Compiles `file` for AVX2 and for AVX-512: which one runs is decided where it runs.
fn in_both_widths(file: &str, library: &str, flags: &[&str]) {
    let widths = [("avx2", &["-mavx2", "-mfma"][..]), ("avx512", &["-mavx512f", "-mfma", "-mprefer-vector-width=512"])];
    for (width, options) in widths {
        let mut build = cc::Build::new();
        build.file(file).flags(options);
        for flag in flags {
            build.flag_if_supported(flag);
        }
        build.compile(&format!("{library}_{width}"));
    }
}

/// Runs this again when a library is installed.
fn watch_installations() {
    let told = Command::new("pkg-config").args(["--variable=pc_path", "pkg-config"]).output();
    let paths = told.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    for folder in paths.split(':').filter(|folder| Path::new(folder).is_dir()) {
        println!("cargo:rerun-if-changed={folder}");
    }
}

/// Loops of the shapes that vector stores use. Sums of pgvector's may be reordered, as it is built; the others say
/// their order.
fn similarity() {
    // The last needs the others and warns without them, so it would not pass as supported.
    let reorder = ["-fno-signed-zeros", "-fno-trapping-math", "-fassociative-math"];
    for (store, flags) in [("pgvector", &reorder[..]), ("hnswlib", &[]), ("qdrant", &[])] {
        let name = format!("similarity_{store}");
        let mut build = for_this_cpu(&name);
        if !build.get_compiler().is_like_msvc() {
            build.flags(flags);
        }
        build.compile(&format!("ecphory_peers_{name}"));
    }
}

/// `c/NAME.c`, optimised whatever the profile, for the CPU that compiles it: elsewhere it may not run.
fn for_this_cpu(name: &str) -> cc::Build {
    let path = format!("c/{name}.c");
    let mut build = cc::Build::new();
    build.file(path).opt_level(3).flag_if_supported("-mprefer-vector-width=512");
    if env::var("HOST") == env::var("TARGET") {
        build.flag_if_supported("-march=native");
    }
    build
}
