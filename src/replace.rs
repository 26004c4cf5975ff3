//! Files that are replaced as a whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::Error;
use crate::saved::failed;

/// Has `write` write what comes in place of the file at `path`.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&File) -> Result<(), Error>) -> Result<(), Error> {
    let create = |error| failed("create", &error);
    let before = fs::metadata(path).ok();
    if before.as_ref().is_some_and(|before| !before.is_file()) {
        return write(&File::create(path).map_err(create)?);
    }
    // Where it is a link, what it leads to.
    let path = if before.is_some() { fs::canonicalize(path).map_err(create)? } else { path.to_owned() };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut beside = Beside::new(directory).map_err(create)?;
    if let Some(before) = before {
        beside.file.set_permissions(before.permissions()).map_err(create)?;
    }
    write(&beside.file)?;
    let mut put = || {
        beside.file.sync_all()?;
        fs::rename(&beside.path, &path)?;
        beside.renamed = true;
        sync(directory)
    };
    put().map_err(|error| failed("write", &error))
}

/// Names of directories reach the disk when these are synced; elsewhere the system sees to it.
fn sync(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

/// A new file, which goes when it has not been renamed.
struct Beside {
    path: PathBuf,
    file: File,
    renamed: bool,
}

impl Beside {
    fn new(directory: &Path) -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = directory.join(format!(".ecphory-{}-{number}.tmp", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok(Self { path, file, renamed: false }),
                // Left behind by a process that had this number.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// An empty directory of its own.
    fn directory(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("ecphory-replace-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        path
    }

    fn names(directory: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        fs::read_dir(directory).unwrap().map(name).collect()
    }

    #[test]
    fn a_write_that_fails_or_panics_midway_leaves_the_old_file_alone() {
        let directory = directory("midway");
        let path = directory.join("file");
        fs::write(&path, "old").unwrap();
        let midway = |mut file: &File, end: fn() -> Result<(), Error>| {
            file.write_all(b"half of what is ne").unwrap();
            assert_eq!(names(&directory).len(), 2);
            end()
        };
        let refusal = replace(&path, |file| midway(file, || Err(Error::ThreadEnding)));
        assert_eq!(refusal, Err(Error::ThreadEnding));
        let panics = std::panic::AssertUnwindSafe(|| replace(&path, |file| midway(file, || panic!("midway"))));
        assert!(std::panic::catch_unwind(panics).is_err());
        assert_eq!((names(&directory), fs::read(&path).unwrap()), (vec!["file".to_string()], b"old".to_vec()));
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn what_was_left_behind_under_the_next_name_is_in_nobodys_way() {
        let directory = directory("left");
        let beside = Beside::new(&directory).unwrap();
        let number: u64 = beside.path.to_str().unwrap().rsplit(['-', '.']).nth(1).unwrap().parse().unwrap();
        for ahead in 1..40 {
            let name = format!(".ecphory-{}-{}.tmp", std::process::id(), number + ahead);
            fs::write(directory.join(name), "left").unwrap();
        }
        drop(beside);
        let path = directory.join("file");
        replace(&path, |mut file| file.write_all(b"new").map_err(|error| failed("write", &error))).unwrap();
        assert_eq!((names(&directory).len(), fs::read(&path).unwrap()), (40, b"new".to_vec()));
        fs::remove_dir_all(&directory).unwrap();
    }
}
