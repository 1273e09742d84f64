//! The program as a process, and a directory for its files.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;
use testkit::program::{self, Ran};

/// The example program.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| program::example("nydus-image"))
}

/// Runs our program.
pub fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Ran {
    program::run_with(program(), b"", args)
}

/// Runs our program, which must succeed without a word on standard error; what it prints.
#[track_caller]
pub fn ok<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> String {
    let ran = run(args);
    assert_eq!((ran.code, &*ran.stderr), (0, ""), "{ran:?}");
    ran.stdout
}

/// Runs our program, which must fail with this code, print nothing, and say all of these words.
#[track_caller]
pub fn fails<S: AsRef<OsStr>>(code: i32, said: &[&str], args: impl IntoIterator<Item = S>) {
    let ran = run(args);
    assert_eq!((ran.code, &*ran.stdout), (code, ""), "{ran:?}");
    for word in said {
        assert!(ran.stderr.contains(word), "no {word:?} in {}", ran.stderr);
    }
}

/// A directory of a test's own.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(TempDir::with_prefix("nydus-image-").unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The same as a word of a command line.
    pub fn word(&self, name: &str) -> String {
        self.path(name).into_os_string().into_string().unwrap()
    }

    pub fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    /// The names of all that is in it.
    pub fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }
}
