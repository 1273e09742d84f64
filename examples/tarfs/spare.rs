//! Files that a command reads, or that what it makes cannot be without: no output takes the place
//! of one, whatever name it is given by.
//!
//! A record of the whole program, as files are opened in many places, and outputs get their names
//! when all are known.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::read::Image;

use crate::fail::{Done, Fail};
use crate::input::STDIN;
use crate::{find, input, load, partition, quote, spool};

/// How deep files of an image in a directory lie: `blobs/sha256/DIGEST`.
const DEPTH: usize = 3;

/// What is known so far.
#[derive(Debug, Default)]
struct Known {
    /// By device and inode, as links have other names; the name it was first seen by.
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

/// A file that is read.
pub(crate) fn opened(path: &Path, file: &File) {
    file.metadata().iter().for_each(|found| remember(path, found));
}

/// A file that may be read.
fn named(path: &Path) {
    fs::metadata(path).iter().for_each(|found| remember(path, found));
}

/// Remembers a file, or the one that a loop device is of.
fn remember(path: &Path, found: &Metadata) {
    let behind = match found.file_type().is_block_device() {
        true => behind_loop(found.rdev()).and_then(|file| fs::metadata(file).ok()),
        false => Some(found.clone()),
    };
    if let Some(found) = behind.filter(Metadata::is_file) {
        known().files.entry(identity(&found)).or_insert_with(|| path.to_owned());
    }
}

/// The file behind a loop device, or behind the one that a partition is of.
fn behind_loop(device: u64) -> Option<PathBuf> {
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let device = PathBuf::from(format!("/sys/dev/block/{major}:{minor}"));
    let names = ["loop/backing_file", "../loop/backing_file"];
    let name = names.iter().find_map(|name| fs::read_to_string(device.join(name)).ok())?;
    Some(PathBuf::from(name.strip_suffix('\n').unwrap_or(&name)))
}

/// Arguments that will be read: files, and images as `FORM:PATH[:TAG]`, all that is in them.
pub(crate) fn arguments<P: AsRef<Path>>(args: &[P]) {
    for arg in args {
        let arg = arg.as_ref();
        if arg == Path::new(STDIN) {
            stdin();
            continue;
        }
        let (file, _) = partition::split(arg);
        if file.exists() {
            named(&file);
            continue;
        }
        let Some((_, mut image)) = arg.to_str().and_then(|arg| arg.split_once(':')) else {
            continue;
        };
        // What names an image in it may have colons too.
        loop {
            within(Path::new(image), 0);
            match image.rfind([':', '@']) {
                Some(at) => image = &image[..at],
                None => break,
            }
        }
    }
}

/// What is read from standard input, which may be a file: `tarfs layer -o FILE - <FILE`.
fn stdin() {
    let stdin = io::stdin().as_fd().try_clone_to_owned().map(File::from);
    stdin.iter().for_each(|file| opened(Path::new("standard input"), file));
}

fn within(path: &Path, depth: usize) {
    if path == Path::new(STDIN) {
        return stdin();
    }
    if !path.is_dir() {
        return named(path);
    }
    if depth < DEPTH {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.for_each(|entry| within(&entry.path(), depth + 1));
    }
}

/// The devices of a bootstrap, by tag and length in blocks, and where they are looked for.
pub(crate) fn tars<'d>(
    image: &Path,
    place: &find::Tars,
    block: u64,
    devices: impl Iterator<Item = (&'d [u8], u64)>,
) {
    for (tag, blocks) in devices {
        let tag = String::from_utf8_lossy(tag).into_owned();
        place.names(&tag).iter().for_each(|path| named(path));
        if find::is_digest(&tag) {
            known().tars.push((tag, blocks, block));
            continue;
        }
        let fits = |file: &Metadata| file.len().div_ceil(block) == blocks;
        let beside = find::names_from(image);
        let fitting = beside.iter().filter(|path| fs::metadata(path).is_ok_and(|file| fits(&file)));
        fitting.for_each(|path| named(path));
    }
}

/// The tars of a file, if it is a bootstrap that lies beside them.
pub(crate) fn bootstrap(path: &Path) -> Done {
    let (file, kind) = input::glance(path)?;
    if kind != input::Kind::Erofs {
        return Ok(());
    }
    let bytes = load::metadata(&file)?;
    let Ok(image) = Image::new(&bytes) else { return Ok(()) };
    if !image.holds_devices(bytes.len() as u64) {
        let (devices, block) = (image.devices(), image.block_size().bytes().into());
        let devices = devices.iter().map(|device| (&device.tag[..], device.blocks));
        tars(path, &find::Tars::of(path, None), block, devices);
    }
    Ok(())
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
        let digest = spool::digest(&NamedFile::open(place)?, &mut |_| {})?;
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
