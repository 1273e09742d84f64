//! The program as a process, and a tar for it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;
use testkit::program::example;
pub use testkit::program::{Ran, run_with as run_of};
use testkit::tarball::{SparseForm, TarBuilder};

/// A UUID as containerd makes one of a digest.
pub const UUID: &str = "0c5e2d5b-7a4c-5b0f-9d3e-6f1a2b3c4d5e";

/// The example program.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| example("mkfs-erofs"))
}

/// Runs our program.
pub fn run<S: AsRef<OsStr>>(stdin: &[u8], args: impl IntoIterator<Item = S>) -> Ran {
    run_of(program(), stdin, args)
}

/// Runs our program, which must succeed and say nothing.
#[track_caller]
pub fn quiet<S: AsRef<OsStr>>(stdin: &[u8], args: impl IntoIterator<Item = S>) {
    let ran = run(stdin, args);
    assert_eq!((ran.code, &*ran.stdout, &*ran.stderr), (0, "", ""));
}

/// A directory of a test's own.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(TempDir::with_prefix("mkfs-erofs-").unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }

    /// The names of all that is in it.
    pub fn names(&self) -> Vec<String> {
        let names = fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }
}

/// Words of a command line, and a path behind them.
pub fn words<'a>(words: &'a str, path: &'a Path) -> Vec<&'a OsStr> {
    words.split_whitespace().map(OsStr::new).chain([path.as_os_str()]).collect()
}

/// A layer with something of all kinds that erofs-utils reads, too.
pub fn without_holes() -> TarBuilder {
    TarBuilder::new()
        .dir("./", 0o755)
        .dir("bin", 0o755)
        .file("bin/tool", vec![7; 70_001])
        .mode(0o4755)
        .mtime(1_700_000_000, 123_456_789)
        .hardlink("bin/same", "bin/tool")
        .symlink("bin/sh", "tool")
        .dir("etc", 0o750)
        .uid(1234)
        .gid(77)
        .file("etc/motd", b"hello\n")
        .mtime(-5, 250_000_000)
        .xattr("user.note", "a value")
        .file("etc/empty", b"")
        .file("etc/block", vec![9; 512])
        .file("etc/page", vec![1; 4096])
        .whiteout("etc/gone")
        .dir("srv", 0o1777)
        .opaque("srv")
        .file("srv/fresh", b"fresh\n")
        .dir("dev", 0o755)
        .chr("dev/null", 1, 3)
        .blk("dev/disk", 7, 0)
        .fifo("dev/pipe")
}

/// The same with a sparse file, which mkfs.erofs 1.9.4 takes for one of another name.
pub fn layer() -> Vec<u8> {
    without_holes()
        .sparse(SparseForm::Pax10, "srv/holes", 100_000, &[(0, &[5; 512]), (65_536, b"middle")])
        .finish()
}
