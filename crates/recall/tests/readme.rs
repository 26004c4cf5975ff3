//! The front page shows what is tested here.

use std::fs;
use std::path::Path;

#[test]
fn both_front_pages_have_the_same_example() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
    let (own, front) = (read("README.md"), read("../../README.md"));
    let block = |text: &str, fence: &str| Some(text.split_once(fence)?.1.split_once("```")?.0.to_owned());
    let own = block(&own, "```rust\n").unwrap();
    assert!(own.contains("graph.recall("));
    assert_eq!(block(&front, "```rust,ignore\n").unwrap(), own);
}
