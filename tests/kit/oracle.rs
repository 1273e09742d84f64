//! Other people's tools, as judges.
//!
//! A missing tool fails the tests where `CI=true`; elsewhere it is said aloud and the test goes on
//! without it. It is never passed over in silence.

use std::env;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where EROFS utilities lie that are new enough, when those in `PATH` are not.
pub const EROFS_UTILS: &str = "TARFS_EROFS_UTILS";

/// Where kernels for guests lie.
pub const KERNELS: &str = "TARFS_KERNELS";
/// Where oras is.
const ORAS: &str = "TARFS_ORAS";

/// What a tool said.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Whether it ended with 0.
    pub ok: bool,
    /// What it printed, both streams.
    pub output: String,
}

impl Verdict {
    /// Runs a command to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let text = [output.stdout, output.stderr].concat();
        Self { ok: output.status.success(), output: String::from_utf8_lossy(&text).into_owned() }
    }

    /// Panics with what the tool printed unless it was content.
    ///
    /// # Panics
    /// That is its purpose.
    #[track_caller]
    pub fn expect_ok(&self, what: &str) {
        assert!(self.ok, "{what}:\n{}", self.output);
    }
}

/// Whether what is missing fails a test: where `CI=true`.
#[must_use]
pub fn is_ci() -> bool {
    env::var_os("CI").is_some_and(|ci| ci == "true")
}

/// A tool of `PATH`; `hint` says how to install it.
///
/// # Panics
/// When it is missing and `CI=true`.
#[track_caller]
pub fn tool(name: &str, hint: &str) -> Option<PathBuf> {
    found(name, hint, find(name))
}

/// A tool in other versions than that of `PATH`: from each folder that `variable` lists, with colons
/// between. `.ci/debian-beside` brings them.
///
/// # Panics
/// When there are none and `CI=true`.
#[track_caller]
pub fn other_versions(name: &str, variable: &str) -> Vec<PathBuf> {
    let dirs = env::var_os(variable).unwrap_or_default();
    let all: Vec<PathBuf> = env::split_paths(&dirs).map(|dir| dir.join(name)).collect();
    let all: Vec<PathBuf> = all.into_iter().filter(|path| path.is_file()).collect();
    if all.is_empty() {
        let hint = format!("set {variable} to where other versions are");
        let _ = found(&format!("another {name}"), &hint, None);
    }
    all
}

/// The client of registries that referrers are held against; `.ci/oras` brings it.
///
/// # Panics
/// When there is none and `CI=true`.
#[track_caller]
pub fn oras() -> Option<PathBuf> {
    let path = env::var_os(ORAS).map(PathBuf::from).filter(|path| path.is_file());
    found("oras", &format!("set {ORAS} to what .ci/oras prints"), path)
}

/// Where kernels for guests are; `.ci/debian-kernels` brings them.
///
/// # Panics
/// When there are none and `CI=true`.
#[track_caller]
pub fn kernels() -> Option<PathBuf> {
    let dir = env::var_os(KERNELS).map(PathBuf::from).filter(|dir| dir.is_dir());
    found("a folder of kernels", &format!("set {KERNELS} to what .ci/debian-kernels prints"), dir)
}

/// A tool of the EROFS utilities, 1.9 or later.
///
/// # Panics
/// When it is missing or older and `CI=true`.
#[track_caller]
pub fn erofs_tool(name: &str) -> Option<PathBuf> {
    let hint =
        format!("build erofs-utils 1.9 or later and set {EROFS_UTILS} to where its tools are");
    let path = match env::var_os(EROFS_UTILS) {
        Some(dir) => Some(Path::new(&dir).join(name)).filter(|path| path.is_file()),
        None => find(name),
    };
    found(name, &hint, path.filter(|path| erofs_version(path) >= Some((1, 9))))
}

/// GNU tar.
///
/// # Panics
/// As [`tool`].
#[track_caller]
pub fn gnu_tar() -> Option<PathBuf> {
    let is_gnu = |path: &PathBuf| {
        Verdict::of(Command::new(path).arg("--version")).output.contains("GNU tar")
    };
    found("tar", "apt-get install tar (GNU tar)", find("tar").filter(is_gnu))
}

/// `fsck.erofs` over an image: its structure, and that all its data can be read. The devices are
/// in the order of the device table.
///
/// # Panics
/// As [`erofs_tool`].
#[track_caller]
pub fn fsck(image: impl AsRef<Path>, devices: &[impl AsRef<Path>]) -> Option<Verdict> {
    let mut command = Command::new(erofs_tool("fsck.erofs")?);
    command.arg("--extract");
    for device in devices {
        let mut option = std::ffi::OsString::from("--device=");
        option.push(device.as_ref());
        command.arg(option);
    }
    Some(Verdict::of(command.arg(image.as_ref())))
}

/// What `veritysetup verify` is told.
#[derive(Clone, Debug)]
pub struct Verity<'a> {
    /// The data.
    pub data: &'a Path,
    /// The hash tree; the same file as the data where it lies behind it.
    pub hash: &'a Path,
    /// Where the tree starts, in bytes.
    pub hash_offset: u64,
    /// How many blocks of data there are.
    pub data_blocks: u64,
    /// Bytes in a block of data.
    pub data_block_size: u32,
    /// Bytes in a block of hashes.
    pub hash_block_size: u32,
    /// The salt in hex, or `-` for none.
    pub salt: &'a str,
    /// The root hash in hex.
    pub root: &'a str,
}

/// `veritysetup verify`, without a superblock: does the tree hold, from the root to all data?
///
/// # Panics
/// As [`tool`].
#[track_caller]
pub fn veritysetup_verify(verity: &Verity<'_>) -> Option<Verdict> {
    let mut command = Command::new(tool("veritysetup", "apt-get install cryptsetup-bin")?);
    command
        .args(["verify", "--no-superblock", "--format=1", "--hash=sha256"])
        .arg(format!("--data-blocks={}", verity.data_blocks))
        .arg(format!("--data-block-size={}", verity.data_block_size))
        .arg(format!("--hash-block-size={}", verity.hash_block_size))
        .arg(format!("--hash-offset={}", verity.hash_offset))
        .arg(format!("--salt={}", verity.salt))
        .args([verity.data.as_os_str(), verity.hash.as_os_str(), OsStr::new(verity.root)]);
    Some(Verdict::of(&mut command))
}

/// `PATH`, and where administrators' tools are for those who are none.
fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|dir| dir.join(name))
        .find(|path| path.is_file())
}

/// `fsck.erofs (erofs-utils) 1.9.3`, or in older ones `fsck.erofs 1.5`.
fn erofs_version(path: &Path) -> Option<(u32, u32)> {
    let output = Verdict::of(Command::new(path).arg("-V")).output;
    let version =
        output.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let mut numbers =
        version.split(|c: char| !c.is_ascii_digit()).map_while(|part| part.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

#[track_caller]
fn found(name: &str, hint: &str, path: Option<PathBuf>) -> Option<PathBuf> {
    if path.is_none() {
        let message = format!("{name} is missing or too old: {hint}");
        assert!(!is_ci(), "{message}");
        // Not by a macro, whose output the test runner keeps to itself when the test passes.
        let _ = writeln!(io::stderr(), "SKIP: {message}");
    }
    path
}
