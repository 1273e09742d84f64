//! A directory becomes a tar: what containerd hands over when a container is committed.
//!
//! The upper directory of an overlay has whiteouts as devices 0:0 and marks as `trusted.overlay.*`
//! attributes. Both are kept as they are.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io::{self, BufWriter, PipeWriter, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{OFlags, major, minor};
use tar::{Builder, EntryType, Header};

use crate::fail::{Fail, warn};
use crate::pax::{Records, time_of};

/// Names that begin with this are whiteouts in a tar.
const MARK: &[u8] = b".wh.";

/// Bytes that are written to the pipe at a time.
const BUFFER: usize = 256 << 10;

/// Why the tar is not whole.
pub(crate) enum Error {
    /// The reader has closed the pipe.
    Closed,
    /// Something is wrong with the directory.
    Failed(Fail),
}

impl From<Fail> for Error {
    fn from(fail: Fail) -> Self {
        Self::Failed(fail)
    }
}

/// Writes a tar of all that is in `root`. If there is a `time`, all files get it.
pub(crate) fn write(root: &Path, time: Option<i64>, pipe: PipeWriter) -> Result<(), Error> {
    let builder = Builder::new(BufWriter::with_capacity(BUFFER, pipe));
    let mut tar = Upper { root, time, builder, links: HashMap::new() };
    let mut todo = vec![PathBuf::new()];
    while let Some(below) = todo.pop() {
        if tar.entry(&below)? {
            // The last of a stack is taken first.
            let names = names(&root.join(&below))?;
            todo.extend(names.into_iter().rev().map(|name| below.join(name)));
        }
    }
    let done = tar.builder.into_inner().and_then(|buffer| Ok(buffer.into_inner()?));
    done.map(drop).map_err(|error| failed(root, error))
}

/// What a directory has in it, in the order of bytes.
fn names(directory: &Path) -> Result<Vec<OsString>, Error> {
    let read = || -> io::Result<Vec<OsString>> {
        fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name())).collect()
    };
    let mut names = read().map_err(|error| failed(directory, error))?;
    names.sort();
    Ok(names)
}

/// An error of reading a file, or of writing to the pipe.
fn failed(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Error::Closed,
        _ => Error::Failed(Fail::of(path, error)),
    }
}

/// A tar of a directory on its way.
struct Upper<'a> {
    root: &'a Path,
    time: Option<i64>,
    builder: Builder<BufWriter<PipeWriter>>,
    /// The first name of each file that has several, by device and inode.
    links: HashMap<(u64, u64), Vec<u8>>,
}

impl Upper<'_> {
    /// Writes the entry of one file; answers whether it is a directory.
    fn entry(&mut self, below: &Path) -> Result<bool, Error> {
        let is_root = below.as_os_str().is_empty();
        let path = if is_root { self.root.to_owned() } else { self.root.join(below) };
        let metadata = match is_root {
            true => fs::metadata(&path),
            false => fs::symlink_metadata(&path),
        };
        let metadata = metadata.map_err(|error| failed(&path, error))?;
        let kind = metadata.file_type();
        if kind.is_socket() {
            warn(&path, "is a socket: skipped");
            return Ok(false);
        }
        if below.file_name().is_some_and(|name| name.as_bytes().starts_with(MARK)) {
            let why = "a layer can't have this name: in a tar it is a whiteout";
            return Err(Fail::of(&path, why).into());
        }
        let mut records = Records::default();
        let mut header = self.header(&metadata, &mut records);
        let mut name = if is_root { b".".to_vec() } else { below.as_os_str().as_bytes().to_vec() };
        if kind.is_dir() {
            name.push(b'/');
        }
        records.name("path", &name, &mut header.as_old_mut().name);
        let first = self.first_name(&metadata, &name);
        if let Some(first) = first {
            header.set_entry_type(EntryType::Link);
            records.name("linkpath", &first, &mut header.as_old_mut().linkname);
            self.put(&path, header, &records, io::empty())?;
            return Ok(false);
        }
        records.xattrs(&path)?;
        header.set_entry_type(entry_type(kind));
        if kind.is_symlink() {
            let target = fs::read_link(&path).map_err(|error| failed(&path, error))?;
            let target = target.as_os_str().as_bytes();
            records.name("linkpath", target, &mut header.as_old_mut().linkname);
        }
        if kind.is_char_device() || kind.is_block_device() {
            let number = metadata.rdev();
            let set = header.set_device_major(major(number));
            let set = set.and_then(|()| header.set_device_minor(minor(number)));
            set.map_err(|error| failed(&path, error))?;
        }
        if kind.is_file() {
            let body = opened(&path, &metadata).map_err(|error| failed(&path, error))?;
            header.set_size(metadata.len());
            self.put(&path, header, &records, Exactly { file: body, left: metadata.len() })?;
        } else {
            self.put(&path, header, &records, io::empty())?;
        }
        Ok(kind.is_dir())
    }

    /// The fields that all kinds of entries have.
    fn header(&self, metadata: &Metadata, records: &mut Records) -> Header {
        let (secs, nanos) = self.time.map_or_else(|| time_of(metadata), |time| (time, 0));
        let mut header = Header::new_ustar();
        header.set_mode(metadata.mode() & 0o7777);
        header.set_uid(metadata.uid().into());
        header.set_gid(metadata.gid().into());
        header.set_size(0);
        header.set_mtime(records.time(secs, nanos));
        header
    }

    /// Of a file that was met under another name: that name.
    fn first_name(&mut self, metadata: &Metadata, name: &[u8]) -> Option<Vec<u8>> {
        if metadata.is_dir() || metadata.nlink() < 2 {
            return None;
        }
        let key = (metadata.dev(), metadata.ino());
        let first = self.links.get(&key).cloned();
        if first.is_none() {
            self.links.insert(key, name.to_vec());
        }
        first
    }

    /// Writes what belongs to one entry: records, header, body.
    fn put(
        &mut self,
        path: &Path,
        mut header: Header,
        records: &Records,
        body: impl Read,
    ) -> Result<(), Error> {
        header.set_cksum();
        if !records.is_empty() {
            let done = self.builder.append_pax_extensions(records.iter());
            done.map_err(|error| failed(path, error))?;
        }
        self.builder.append(&header, body).map_err(|error| failed(path, error))
    }
}

/// What a tar calls a kind of file.
fn entry_type(kind: FileType) -> EntryType {
    match kind {
        kind if kind.is_dir() => EntryType::Directory,
        kind if kind.is_symlink() => EntryType::Symlink,
        kind if kind.is_char_device() => EntryType::Char,
        kind if kind.is_block_device() => EntryType::Block,
        kind if kind.is_fifo() => EntryType::Fifo,
        _ => EntryType::Regular,
    }
}

/// Opens a regular file, and makes sure that it is still the one that was looked at.
fn opened(path: &Path, metadata: &Metadata) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)?;
    let now = file.metadata()?;
    let same = (now.dev(), now.ino()) == (metadata.dev(), metadata.ino());
    match same && now.len() == metadata.len() {
        true => Ok(file),
        false => Err(io::Error::other("changed while it was read")),
    }
}

/// A file that must have as many bytes as its header says. What is appended meanwhile is left out.
struct Exactly {
    file: File,
    left: u64,
}

impl Read for Exactly {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = self.left.min(buf.len() as u64) as usize;
        let n = self.file.read(&mut buf[..most])?;
        if n == 0 && most > 0 {
            return Err(io::Error::other("became shorter while it was read"));
        }
        self.left -= n as u64;
        Ok(n)
    }
}
