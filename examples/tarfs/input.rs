//! What a file is, by its first bytes, and its bytes uncompressed.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::fd::AsFd;
use std::path::Path;

use erofs_tarfs::io::{NamedFile, Pipe};
use flate2::bufread::MultiGzDecoder;

use crate::fail::{Done, Fail};
use crate::spare;

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tar,
    Gzip,
    Zstd,
    Erofs,
}

/// Bytes that decide: the superblock of EROFS starts at 1024.
const HEAD: usize = 1028;

impl Kind {
    fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ if head.get(1024..HEAD) == Some(&0xe0f5_e1e2_u32.to_le_bytes()) => Self::Erofs,
            // Or nothing that we know, as the parser will say.
            _ => Self::Tar,
        }
    }

    pub(crate) fn is_compressed(self) -> bool {
        matches!(self, Self::Gzip | Self::Zstd)
    }
}

/// Opens a file and looks at its beginning.
pub(crate) fn open(path: &Path) -> Done<(NamedFile, Kind)> {
    let file = spare::open(path)?;
    let metadata = file.file().metadata().map_err(|error| Fail::of(path, error))?;
    if !metadata.is_file() {
        return Err(Fail::of(path, "is not a regular file (a stream is read as -)"));
    }
    let mut head = vec![0; HEAD.min(metadata.len() as usize)];
    file.read_exact_at(&mut head, 0)?;
    Ok((file, Kind::of(&head)))
}

/// A stream that tells what it is, from its beginning.
pub(crate) fn stream<'a>(mut reader: impl Read + 'a) -> io::Result<(Box<dyn Read + 'a>, Kind)> {
    let mut head = Vec::new();
    reader.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let kind = Kind::of(&head);
    Ok((Box::new(io::Cursor::new(head).chain(reader)), kind))
}

/// Standard input, which nobody has read from before.
pub(crate) fn stdin() -> io::Result<impl Read> {
    Ok(Pipe::new(io::stdin().as_fd().try_clone_to_owned()?))
}

/// The uncompressed bytes of a reader.
pub(crate) fn uncompressed<'a>(
    kind: Kind,
    reader: impl Read + 'a,
) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match kind {
        // As gzip does, all members of the file, one after the other.
        Kind::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(256 << 10, reader))),
        Kind::Zstd => Box::new(zstd::Decoder::new(reader)?),
        Kind::Tar | Kind::Erofs => Box::new(reader),
    })
}

/// A second handle on a file, from its beginning.
pub(crate) fn reader(file: &NamedFile) -> Done<File> {
    let again = file.file().try_clone().and_then(|mut file| {
        io::Seek::rewind(&mut file)?;
        Ok(file)
    });
    again.map_err(|error| Fail::of(file.path(), error))
}
