//! The peers that are C, compiled for the CPU that compiles them: elsewhere they may not run.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    similarity();
}

/// Loops of the shapes that vector stores use. Sums of pgvector's may be reordered, as it is built; the others say
/// their order.
fn similarity() {
    println!("cargo:rerun-if-changed=c/similarity.h");
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

/// `c/NAME.c`, optimised whatever the profile.
fn for_this_cpu(name: &str) -> cc::Build {
    let path = format!("c/{name}.c");
    println!("cargo:rerun-if-changed={path}");
    let mut build = cc::Build::new();
    build.file(path).opt_level(3).flag_if_supported("-mprefer-vector-width=512");
    if env::var("HOST") == env::var("TARGET") {
        build.flag_if_supported("-march=native");
    }
    build
}
