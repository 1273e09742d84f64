//! A device of dm-verity, by `veritysetup`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::verity::Sealed;

use super::attached::Attached;
use crate::cli::fail::{Done, Fail};
use crate::cli::{quote, warn};
use crate::show::hash_tree_report;

/// How many mounts of one disk find a name.
const NAMES: usize = 1000;

/// A device that is open. It is closed when this is dropped, unless it was handed to its users.
#[derive(Debug)]
pub(crate) struct VerityDevice {
    name: String,
    /// What it is called in errors.
    data: PathBuf,
    closed: bool,
}

impl VerityDevice {
    /// Opens data by its root hash; the hash tree is behind the data if no other file is given.
    pub(crate) fn open(data: &NamedFile, tree: Option<&NamedFile>, sealed: &Sealed) -> Done<Self> {
        let (name, called) = (free_name(sealed), data.path().to_owned());
        open(data, tree, sealed, &name, &[])?;
        Ok(Self { name, data: called, closed: false })
    }

    /// Its node.
    pub(crate) fn path(&self) -> PathBuf {
        path(&self.name)
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// From now on it is closed when nobody uses it any more, so that an umount is all that undoes it.
    /// If that fails, it is closed when this is dropped, which has to be after its users.
    pub(crate) fn close_with_last_user(&mut self) -> Done {
        let mut command = Command::new("veritysetup");
        command.args(["close", "--deferred", &self.name]);
        run(&mut command, &self.data)?;
        self.closed = true;
        Ok(())
    }
}

impl Drop for VerityDevice {
    fn drop(&mut self) {
        if !self.closed {
            let mut command = Command::new("veritysetup");
            command.args(["close", &self.name]);
            let _ = run(&mut command, &self.data);
        }
    }
}

/// The node of a device.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new("/dev/mapper").join(name)
}

/// Opens data under a name, with more options of veritysetup: nobody closes it but who is asked to.
pub(crate) fn open(
    data: &NamedFile,
    tree: Option<&NamedFile>,
    sealed: &Sealed,
    name: &str,
    more: &[OsString],
) -> Done {
    // Of files veritysetup makes loop devices itself.
    let attached = Attached::file(data)?;
    let tree = tree.map(Attached::file).transpose()?;
    let hash = tree.as_ref().unwrap_or(&attached).path();
    let line = sealed.open_command("data", name, "hash");
    let mut command = Command::new("veritysetup");
    // It is `veritysetup open DATA NAME HASH ROOT`, then options.
    for (index, word) in line.words().iter().enumerate().skip(1) {
        match index {
            2 => command.arg(attached.path()),
            4 => command.arg(hash),
            _ => command.arg(word),
        };
    }
    run(command.args(more), data.path()).map(drop)
}

/// Calls veritysetup for a device; what it prints.
pub(crate) fn call(words: &[&str], device: &str) -> Done<String> {
    let mut command = Command::new("veritysetup");
    run(command.args(words).arg("--").arg(device), Path::new(device))
}

/// A name that follows from the root hash, with a number behind it if that is taken.
fn free_name(sealed: &Sealed) -> String {
    let name = hash_tree_report::device_name(sealed);
    let taken = |name: &String| path(name).symlink_metadata().is_ok();
    let numbered = (2..NAMES).map(|number| format!("{name}-{number}"));
    let mut names = [name.clone()].into_iter().chain(numbered);
    names.find(|name| !taken(name)).unwrap_or(name)
}

/// Runs veritysetup, which has to succeed, and gives what it prints; what it says else is the error.
fn run(command: &mut Command, data: &Path) -> Done<String> {
    let words = command.get_args().map(|word| word.display().to_string());
    let words = words.collect::<Vec<_>>().join(" ");
    warn::detail(format_args!("calls veritysetup {}", quote::Line(&words)));
    let done = command.output().map_err(|error| {
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => {
                " (a sealed disk is opened by it; Debian: cryptsetup-bin)"
            }
            _ => "",
        };
        Fail::of(data, format_args!("veritysetup cannot be run: {error}{hint}"))
    })?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    // Of a device that is not there it says so on standard output.
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said).trim().replace('\n', "; ");
    let what = command.get_args().next().unwrap_or_default().display().to_string();
    Err(Fail::of(data, format_args!("veritysetup {what} fails ({}): {said}", done.status)))
}
