//! What a file is, by its first bytes, and its bytes uncompressed.

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use erofs_tarfs::io::verity::ReadAt;
use erofs_tarfs::io::{NamedFile, Pipe};

use crate::decompress::Uncompressed;
use crate::fail::{Done, Fail};
use crate::{partition, quote, spare, unmoved};

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tar,
    Gzip,
    Zstd,
    Erofs,
    /// A disk with a partition table.
    Gpt,
}

/// Bytes that decide: the superblock of EROFS starts at 1024.
const HEAD: usize = 1028;

impl Kind {
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ if head.get(1024..HEAD) == Some(&0xe0f5_e1e2_u32.to_le_bytes()) => Self::Erofs,
            _ if is_partitioned(head) => Self::Gpt,
            // Or nothing that we know, as the parser will say.
            _ => Self::Tar,
        }
    }

    /// Whether it is a disk with partitions.
    pub(crate) fn is_disk(self) -> bool {
        self == Self::Gpt
    }

    pub(crate) fn is_compressed(self) -> bool {
        matches!(self, Self::Gzip | Self::Zstd)
    }
}

/// Whether an MBR says that all of the disk is a GPT's: the header itself may be damaged.
fn is_partitioned(head: &[u8]) -> bool {
    let types = (0..4).map(|entry| head.get(446 + 16 * entry + 4));
    head.get(510..512) == Some(&[0x55, 0xaa]) && types.into_iter().any(|byte| byte == Some(&0xee))
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tar => "tar",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Erofs => "EROFS",
            Self::Gpt => "GPT",
        })
    }
}

/// Opens a file that may turn out not to be the one: then it is to be forgotten by `unmoved`, or else
/// told to `spare`.
pub(crate) fn candidate(path: &Path) -> Done<NamedFile> {
    let file = NamedFile::open(path)?;
    let metadata = unmoved::watch(path, &file).map_err(|error| Fail::of(path, error))?;
    if metadata.is_dir() {
        return Err(Fail::of(path, format_args!("is a directory{}", directory_hint(path))));
    }
    Ok(file)
}

/// Opens a file, or a partition of a disk, and looks at its beginning. No output gets its name if the
/// file changes from then on.
pub(crate) fn open(arg: &Path) -> Done<(NamedFile, Kind)> {
    let (file, kind) = whole(arg)?;
    if kind != Kind::Gpt {
        return Ok((file, kind));
    }
    let file = partition::only(arg, &file)?;
    Ok((file, Kind::Erofs))
}

/// The same, but of a disk with partitions all of them, if none was named.
pub(crate) fn whole(arg: &Path) -> Done<(NamedFile, Kind)> {
    named(arg, candidate)
}

/// The same of a file that may change afterwards, as it is to be sealed.
pub(crate) fn glance(arg: &Path) -> Done<(NamedFile, Kind)> {
    named(arg, |path| Ok(NamedFile::open(path)?))
}

/// What an argument names, opened in this way.
fn named(arg: &Path, open: fn(&Path) -> Done<NamedFile>) -> Done<(NamedFile, Kind)> {
    let (path, number) = partition::split(arg);
    let file = open(&path)?;
    spare::opened(&path, file.file());
    let metadata = file.file().metadata().map_err(|error| Fail::of(&path, error))?;
    if !metadata.is_file() && !metadata.file_type().is_block_device() {
        let why = "is neither a regular file nor a block device (a stream is read as -)";
        return Err(Fail::of(path, why));
    }
    let file = match number {
        Some(number) => partition::numbered(arg, &path, &file, number)?,
        None => file,
    };
    match (kind(&file)?, number) {
        (Kind::Gpt, Some(_)) => Err(Fail::of(arg, "is a disk with partitions in a partition")),
        (kind, _) => Ok((file, kind)),
    }
}

/// Whether there is a regular file or a block device at a path.
pub(crate) fn is_readable(path: &Path) -> bool {
    let kind = fs::metadata(path).map(|found| found.file_type());
    kind.is_ok_and(|kind| kind.is_file() || kind.is_block_device())
}

/// What an open file is.
pub(crate) fn kind(file: &NamedFile) -> Done<Kind> {
    let mut head = vec![0; HEAD.min(file.bytes()? as usize)];
    file.read_exact_at(&mut head, 0)?;
    Ok(Kind::of(&head))
}

/// A stream that tells what it is, from its beginning.
pub(crate) fn stream<'a>(mut reader: impl Read + 'a) -> io::Result<(Box<dyn Read + 'a>, Kind)> {
    let mut head = Vec::new();
    reader.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let kind = Kind::of(&head);
    if kind.is_disk() {
        let why =
            "is a disk with partitions: one of a file can be named, as FILE:1, none of a stream";
        return Err(io::Error::other(why));
    }
    Ok((Box::new(io::Cursor::new(head).chain(reader)), kind))
}

/// How an image is named that this directory looks like.
fn directory_hint(path: &Path) -> String {
    let has = |name: &str| path.join(name).is_file();
    let named = quote::name(path);
    if has("oci-layout") || has("index.json") {
        format!("; the image in it is oci:{named}")
    } else if has("manifest.json") {
        format!("; the image in it is dir:{named}")
    } else {
        String::new()
    }
}

/// What standard input is called where it is a layer.
pub(crate) const STDIN: &str = "-";

/// Standard input, which is there once.
pub(crate) fn stdin() -> io::Result<impl Read> {
    static READ: AtomicBool = AtomicBool::new(false);
    if READ.swap(true, Ordering::Relaxed) {
        return Err(io::Error::other("can be read only once"));
    }
    Ok(Pipe::new(io::stdin().as_fd().try_clone_to_owned()?))
}

/// The uncompressed bytes of a reader.
pub(crate) fn uncompressed<'a>(
    kind: Kind,
    reader: impl Read + 'a,
) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match kind {
        Kind::Gzip | Kind::Zstd => Box::new(Uncompressed::new(kind, reader)),
        Kind::Tar | Kind::Erofs | Kind::Gpt => Box::new(reader),
    })
}

/// The bytes of a file, from its beginning to the end that it has now.
pub(crate) fn reader(file: &NamedFile) -> Done<impl Read + use<>> {
    Ok(Reader { file: file.try_clone()?, at: 0, end: file.bytes()? })
}

/// A file read by offsets.
struct Reader {
    file: NamedFile,
    at: u64,
    end: u64,
}

impl Read for Reader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = (self.end - self.at).min(buf.len() as u64) as usize;
        ReadAt::read_exact_at(&self.file, &mut buf[..n], self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}
