//! Files that no output may replace: those that a command reads, and those that its outputs need.
//!
//! There is one record for the whole program, because files are opened in many places. It is asked
//! whenever an output gets its name.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use erofs_tarfs::io::NamedFile;

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::files::digest;

/// What is known so far.
#[derive(Debug, Default)]
struct Known {
    /// The name that each was first seen by. The keys are device and inode, as one file may have several
    /// names.
    files: BTreeMap<(u64, u64), PathBuf>,
    /// Tars that bootstraps need, wherever they are: SHA-256 and length in blocks, block size.
    tars: Vec<(String, u64, u64)>,
}

static KNOWN: Mutex<Known> = Mutex::new(Known { files: BTreeMap::new(), tars: Vec::new() });

fn known() -> MutexGuard<'static, Known> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn identity(file: &Metadata) -> (u64, u64) {
    (file.dev(), file.ino())
}

/// Protects a file that is read.
pub(crate) fn opened(path: &Path, file: &File) {
    file.metadata().iter().for_each(|found| remember(path, found));
}

/// Protects the file of this name, if there is one.
pub(crate) fn named(path: &Path) {
    fs::metadata(path).iter().for_each(|found| remember(path, found));
}

/// Remembers a file, or if it is a loop device the file behind it.
fn remember(path: &Path, found: &Metadata) {
    let behind = match found.file_type().is_block_device() {
        true => behind_loop(found.rdev()).and_then(|file| fs::metadata(file).ok()),
        false => Some(found.clone()),
    };
    if let Some(found) = behind.filter(Metadata::is_file) {
        known().files.entry(identity(&found)).or_insert_with(|| path.to_owned());
    }
}

/// The file behind a loop device, or behind a partition of one.
fn behind_loop(device: u64) -> Option<PathBuf> {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let device = PathBuf::from(format!("/sys/dev/block/{major}:{minor}"));
    let names = ["loop/backing_file", "../loop/backing_file"];
    let name = names.iter().find_map(|name| fs::read_to_string(device.join(name)).ok())?;
    Some(PathBuf::from(name.strip_suffix('\n').unwrap_or(&name)))
}

/// Protects a tar that a bootstrap needs, wherever it is: by its SHA-256 and its length in blocks.
pub(crate) fn needs_tar(sha256: String, blocks: u64, block_size: u64) {
    known().tars.push((sha256, blocks, block_size));
}

/// Refuses to write over what is read, or needed. `out` is what the output is called, `place` the
/// file that would be replaced.
pub(crate) fn check(out: &Path, place: &Path) -> Done {
    let found = fs::metadata(place).ok().filter(Metadata::is_file);
    let Some(found) = found else { return Ok(()) };
    refuse(out, &found)?;
    let block = |block: u64| found.len().div_ceil(block.max(1));
    let tars = known().tars.clone();
    let mut fitting = tars.iter().filter(|(_, blocks, size)| block(*size) == *blocks).peekable();
    if fitting.peek().is_some() {
        let digest = digest::sha256(&NamedFile::open(place)?, &mut |_| {})?;
        if fitting.any(|(tag, ..)| *tag == digest) {
            let out = quote::name(out);
            return Err(Fail::Usage(format!(
                "{out}: is a tar that an input needs, and the output"
            )));
        }
    }
    Ok(())
}

/// Refuses to write to an open file that is read.
pub(crate) fn refuse(out: &Path, file: &Metadata) -> Done {
    let known = known();
    let Some(input) = known.files.get(&identity(file)) else { return Ok(()) };
    let why = match input == out {
        true => "is an input and the output".to_owned(),
        false => format!("is the input {}, and the output", quote::name(input)),
    };
    Err(Fail::Usage(format!("{}: {why}", quote::name(out))))
}
