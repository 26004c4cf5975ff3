//! Graphs written and read again, and what is refused.

use std::io::{self, Read, Write};

use ecphory::{Edge, Error, Graph};
use proptest::prelude::*;

fn edges(nodes: u32, count: u32) -> impl Iterator<Item = (Edge, u8)> {
    let edge =
        move |i: u32| Edge::new(i.wrapping_mul(2_654_435_761) % nodes, i.wrapping_mul(97) % nodes, i as f32 / 64.0);
    (0..count).map(move |i| (edge(i), (i % 5) as u8))
}

fn plain(nodes: u32, count: u32) -> Graph {
    Graph::from_edges(nodes as usize, edges(nodes, count).map(|(edge, _)| edge)).unwrap()
}

fn related(nodes: u32, count: u32) -> Graph {
    Graph::builder(nodes as usize).related(edges(nodes, count)).unwrap().build().unwrap()
}

fn bytes(graph: &Graph) -> Vec<u8> {
    let mut bytes = Vec::new();
    graph.write_to(&mut bytes).unwrap();
    bytes
}

/// Gives a few bytes at a time, and is interrupted in between.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.1 += 1;
        if self.1.is_multiple_of(3) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let count = into.len().min(1000 + self.1 % 7);
        self.0.read(&mut into[..count])
    }
}

#[test]
fn a_graph_that_was_written_is_read_as_it_was() {
    for (nodes, count) in [(1, 0), (1, 3), (3, 8), (1000, 5000), (20_000, 100_000)] {
        for graph in [plain(nodes, count), related(nodes, count)] {
            let bytes = bytes(&graph);
            let read = Graph::read_from(&bytes[..]).unwrap();
            assert!(read == graph, "{nodes} nodes, {count} edges");
            assert_eq!(read.relations_of(0), graph.relations_of(0));
            assert!((0..nodes).all(|node| read.out_strength(node) == graph.out_strength(node)));
            assert!(Graph::read_from(Slow(&bytes, 0)).unwrap() == graph, "{nodes} nodes, {count} edges");
        }
    }
}

#[test]
fn a_reader_is_left_behind_the_graph_and_a_file_must_end_there() {
    let (one, two) = (plain(5, 9), related(4, 20));
    let both = [bytes(&one), bytes(&two)].concat();
    let mut rest = &both[..];
    assert_eq!(Graph::read_from(&mut rest).unwrap(), one);
    assert_eq!(Graph::read_from(&mut rest).unwrap(), two);
    assert!(rest.is_empty());

    let path = std::env::temp_dir().join(format!("ecphory-saved-{}", std::process::id()));
    two.save(&path).unwrap();
    assert_eq!(Graph::load(&path).unwrap(), two);
    one.save(&path).unwrap();
    assert_eq!(Graph::load(&path).unwrap(), one);
    std::fs::write(&path, &both).unwrap();
    let more = both.len() - bytes(&one).len();
    let refusal = Error::Length { what: "bytes after the graph", expected: 0, found: more };
    assert_eq!(Graph::load(&path), Err(refusal));
    std::fs::remove_file(&path).unwrap();
    let gone = Graph::load(&path).unwrap_err();
    assert!(matches!(gone, Error::Io { what: "open", kind: io::ErrorKind::NotFound, .. }), "{gone}");
    assert!(gone.to_string().starts_with("expected to open a graph's file, found: "), "{gone}");
}

#[cfg(unix)]
mod unix {
    use std::fs;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use super::*;

    /// An empty directory of its own.
    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("ecphory-saved-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        path
    }

    fn names(directory: &Path) -> Vec<String> {
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    const LARGER: &str = "ECPHORY_TEST_SAVES_A_LARGER_GRAPH_TO";

    /// Of the test below, in a process whose files may not be so large.
    #[test]
    fn a_larger_graph_is_saved_where_the_environment_says() {
        let Some(path) = std::env::var_os(LARGER) else { return };
        let refusal = plain(20_000, 100_000).save(path).unwrap_err();
        assert!(matches!(refusal, Error::Io { what: "write", .. }), "{refusal}");
    }

    #[test]
    fn a_save_that_fails_midway_leaves_the_old_graph_whole_and_nothing_beside_it() {
        let directory = directory("midway");
        let (path, old) = (directory.join("graph"), plain(5, 9));
        old.save(&path).unwrap();
        let this = std::env::current_exe().unwrap();
        let limited = "trap '' XFSZ; ulimit -f 100; exec \"$0\" --exact \"$1\"";
        let name = "unix::a_larger_graph_is_saved_where_the_environment_says";
        let mut run = Command::new("sh");
        let output = run.args(["-c", limited]).arg(this).arg(name).env(LARGER, &path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert_eq!((names(&directory), Graph::load(&path)), (vec!["graph".to_string()], Ok(old)));
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn a_save_replaces_what_a_link_leads_to_and_keeps_its_permissions() {
        let directory = directory("link");
        let (path, link, nowhere) = (directory.join("graph"), directory.join("link"), directory.join("nowhere"));
        plain(5, 9).save(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("graph", &link).unwrap();
        symlink("gone", &nowhere).unwrap();
        let new = plain(7, 12);
        new.save(&link).unwrap();
        assert_eq!((Graph::load(&path), fs::read_link(&link).unwrap()), (Ok(new.clone()), PathBuf::from("graph")));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        new.save(&nowhere).unwrap();
        assert!(nowhere.symlink_metadata().unwrap().is_file() && names(&directory).len() == 3);
        assert!(matches!(new.save(directory.join("no/such")), Err(Error::Io { what: "create", .. })));
        assert!(matches!(new.save(&directory), Err(Error::Io { what: "create", .. })));
        assert_eq!(names(&directory).len(), 3);
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn a_save_to_a_pipe_goes_through_it() {
        let directory = directory("pipe");
        let (pipe, graph) = (directory.join("pipe"), plain(5, 9));
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        // Of both ends, so that a save that does not open the pipe leaves nobody waiting.
        let mut both = fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
        graph.save(&pipe).unwrap();
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo() && names(&directory).len() == 1);
        assert_eq!(Graph::read_from(&mut both).unwrap(), graph);
        fs::remove_dir_all(&directory).unwrap();
    }
}

#[test]
fn a_graph_that_ends_early_is_refused_at_every_length() {
    for graph in [plain(3, 8), related(3, 8)] {
        let bytes = bytes(&graph);
        for found in 0..bytes.len() {
            let error = Graph::read_from(&bytes[..found]).unwrap_err();
            let expected = if found < 40 { 40 } else { bytes.len() };
            assert_eq!(error, Error::Truncated { expected, found });
        }
    }
}

#[test]
fn a_graph_with_any_byte_changed_is_refused() {
    for graph in [plain(3, 8), related(3, 8)] {
        let bytes = bytes(&graph);
        for place in 0..bytes.len() {
            for change in [1, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[place] ^= change;
                let error = Graph::read_from(&damaged[..]).unwrap_err();
                match place {
                    0..8 => assert!(matches!(error, Error::Magic { .. }), "{place}: {error}"),
                    8..12 => assert!(matches!(error, Error::FormatVersion { expected: 1, .. }), "{place}: {error}"),
                    12..40 => assert!(matches!(error, Error::Checksum { what: "header", .. }), "{place}: {error}"),
                    _ => assert!(matches!(error, Error::Checksum { what: "graph", .. }), "{place}: {error}"),
                }
            }
        }
    }
}

#[test]
fn refusals_say_what_was_expected_and_what_was_found() {
    let said = |bytes: &[u8]| Graph::read_from(bytes).unwrap_err().to_string();
    let mut bytes = bytes(&plain(3, 8));
    assert_eq!(said(b"PK\x03\x04 and so on"), r"graph: expected `ECPGRAPH` as the first bytes, found `PK\x03\x04 and`");
    assert_eq!(said(&bytes[..39]), "graph: expected 40 bytes, found 39");
    bytes[8] = 7;
    assert_eq!(said(&bytes), "graph: expected version 1 of its layout, found 7");
    bytes[8] = 1;
    bytes[50] ^= 1;
    let damaged = said(&bytes);
    assert!(damaged.starts_with("graph: expected the checksum "), "{damaged}");
    assert!(damaged.ends_with(": it is damaged"), "{damaged}");
}

#[test]
fn what_reading_and_writing_fail_of_is_told() {
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }

    let write = plain(3, 8).write_to(Full).unwrap_err();
    assert!(matches!(write, Error::Io { what: "write", kind: io::ErrorKind::StorageFull, .. }), "{write}");
    let read = Graph::read_from(Broken).unwrap_err();
    assert!(matches!(read, Error::Io { what: "read", kind: io::ErrorKind::ConnectionReset, .. }), "{read}");
}

proptest! {
    #[test]
    fn no_bytes_make_reading_panic(mut noise in proptest::collection::vec(any::<u8>(), 0..300), keep in 0usize..60) {
        let good = bytes(&related(3, 8));
        prop_assert!(Graph::read_from(&noise[..]).is_err());
        let keep = keep.min(noise.len());
        noise[..keep].copy_from_slice(&good[..keep]);
        prop_assert!(Graph::read_from(&noise[..]).is_err());
    }

    #[test]
    fn random_graphs_are_read_as_they_were_written(
        all in proptest::collection::vec((0u32..9, 0u32..9, 0f32..4.0, any::<u8>()), 0..60),
    ) {
        let edges = all.into_iter().map(|(source, target, weight, kind)| (Edge::new(source, target, weight), kind));
        let graph = Graph::builder(9).related(edges).unwrap().build().unwrap();
        prop_assert_eq!(Graph::read_from(&bytes(&graph)[..]).unwrap(), graph);
    }
}
