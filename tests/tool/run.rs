//! The tool as a process.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use testkit::dump::{Ignore, Tree, diff, dump};
use testkit::mount::{self, Erofs};
use testkit::oci::small_image;
use testkit::program;
pub(crate) use testkit::program::Ran;
use testkit::stacks::Stack;

/// The example program.
pub(crate) fn tool() -> &'static Path {
    static TOOL: OnceLock<PathBuf> = OnceLock::new();
    TOOL.get_or_init(|| program::example("tarfs"))
}

/// Runs the tool.
pub(crate) fn run<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Ran {
    Command::new(tool()).args(args).output().unwrap().into()
}

/// Runs the tool, which must succeed; its standard output.
#[track_caller]
pub(crate) fn ok<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> String {
    let ran = run(args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout
}

/// Runs the tool with these bytes on its standard input.
pub(crate) fn of_stdin<S: AsRef<OsStr>>(bytes: &[u8], args: impl IntoIterator<Item = S>) -> Ran {
    program::run_with(tool(), bytes, args)
}

/// Runs the tool with these bytes on its standard input, which must succeed; its standard output.
#[track_caller]
pub(crate) fn ok_of<S: AsRef<OsStr>>(bytes: &[u8], args: impl IntoIterator<Item = S>) -> String {
    let ran = of_stdin(bytes, args);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran.stdout
}

/// One JSON object a line.
pub(crate) fn json(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The four small layers as tars in a directory.
pub(crate) struct Image {
    pub(crate) dir: TempDir,
    pub(crate) stack: Stack,
    pub(crate) tars: Vec<PathBuf>,
}

impl Image {
    pub(crate) fn new() -> Self {
        let dir = TempDir::with_prefix("tarfs-tool-").unwrap();
        let stack = Stack { seed: 0, layers: small_image() };
        let tars = stack.layers.iter().enumerate().map(|(index, layer)| {
            let path = dir.path().join(format!("{index}.tar"));
            fs::write(&path, &layer.tar).unwrap();
            path
        });
        let tars = tars.collect();
        Self { dir, stack, tars }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A command line with the tars at its end.
    pub(crate) fn over_tars<'a>(&'a self, args: &'a [&'a str]) -> Vec<&'a OsStr> {
        let tars = self.tars.iter().map(|tar| tar.as_os_str());
        args.iter().map(OsStr::new).chain(tars).collect()
    }

    /// Compares what is mounted with what overlayfs makes of the layers.
    #[track_caller]
    pub(crate) fn expect_merged(&self, mounted: &mount::Mounted) {
        self.expect_shown(&dump(mounted.path()).unwrap());
    }

    /// Compares what was seen with what overlayfs makes of the layers.
    #[track_caller]
    pub(crate) fn expect_shown(&self, shown: &Tree) {
        let scratch = mount::tmpfs().unwrap();
        let overlay = self.stack.overlay_dump(scratch.path()).unwrap();
        let ignore = Ignore::nothing().dir_nlink().attributes_of(overlay.unknowable);
        let lines = diff(shown, &overlay.tree, &ignore);
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }

    /// Compares what is mounted with one layer as an overlay's lower.
    #[track_caller]
    pub(crate) fn expect_layer(&self, index: usize, mounted: &mount::Mounted) {
        let scratch = mount::tmpfs().unwrap();
        let (_dir, lower) = self.stack.extract(index, scratch.path()).unwrap();
        let expected: Tree = dump(&lower.dir).unwrap();
        let ignore = Ignore::nothing().dir_nlink().xattrs("trusted.overlay.origin");
        let lines = diff(&dump(mounted.path()).unwrap(), &expected, &ignore);
        assert!(lines.is_empty(), "layer {index}:\n{}", lines.join("\n"));
    }
}

/// Mounts a disk.
#[track_caller]
pub(crate) fn mounted(disk: &Path) -> mount::Mounted {
    Erofs::new(disk).mount().unwrap()
}

/// The SHA-256 of bytes, in hex.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A directory of a test's own.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(TempDir::with_prefix("tarfs-tool-").unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> String {
        fs::write(self.path(name), bytes).unwrap();
        self.text(name)
    }
}
