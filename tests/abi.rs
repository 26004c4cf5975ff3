//! The C ABI from C: abi.c is compiled against the header, linked with the archive alone, and run.

#[path = "common/c.rs"]
mod c;

use std::collections::BTreeSet;

#[test]
fn a_c_program_that_calls_every_function_well_and_badly_finds_nothing_amiss() {
    c::finds_nothing_amiss("abi");
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
