//! Who cannot take part here: said, not hidden.

/// Says on standard error that `name` takes no part, and what it takes.
pub fn not_here(name: &str, remedy: &str) {
    eprintln!("not here: {name} ({remedy})");
}

/// Says that of those who are not built, each a cargo feature of its own name.
pub fn without_feature(features: &[(&str, bool)]) {
    for (name, _) in features.iter().filter(|(_, built)| !built) {
        not_here(name, &format!("--features {name}"));
    }
}
