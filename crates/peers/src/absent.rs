//! Who cannot take part here: said, not hidden.

/// Says on standard error that `name` takes no part, and what it takes.
pub fn not_here(name: &str, remedy: &str) {
    eprintln!("not here: {name} ({remedy})");
}
