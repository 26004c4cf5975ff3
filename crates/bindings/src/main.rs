//! Writes `src/ffi.rs` anew.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    std::fs::write(ecphory_bindings::checked_in(), ecphory_bindings::generate()?)?;
    println!("wrote {}", ecphory_bindings::checked_in().display());
    Ok(())
}
