//! Where the bytes of layers are.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::io::copy::{Tell, copy_telling};
use crate::io::{Copied, Error, NamedFile};

/// Bytes copied at a time from what is no file.
const PIECE: u64 = 1 << 20;

/// Fills a buffer with the bytes from an offset on.
pub type ReadBytes<'a> = dyn Fn(u64, &mut [u8]) -> io::Result<()> + 'a;

/// Where the bytes of a device are.
#[non_exhaustive]
pub enum Backing<'a> {
    /// A file. Disks share its bytes where the filesystem can, and several threads read it.
    File(NamedFile),
    /// Anything that can be read at offsets, and what errors call it. The thread that makes the export
    /// calls it, and no other.
    Reader(PathBuf, Box<ReadBytes<'a>>),
}

impl<'a> Backing<'a> {
    /// Something that is read at offsets; errors call it `name`.
    pub fn reader(
        name: impl Into<PathBuf>,
        read: impl Fn(u64, &mut [u8]) -> io::Result<()> + 'a,
    ) -> Self {
        Self::Reader(name.into(), Box::new(read))
    }

    /// What errors call it.
    pub fn name(&self) -> &Path {
        match self {
            Self::File(file) => file.path(),
            Self::Reader(name, _) => name,
        }
    }

    /// The file, if it is one.
    pub fn file(&self) -> Option<&NamedFile> {
        match self {
            Self::File(file) => Some(file),
            Self::Reader(..) => None,
        }
    }

    /// Fills a buffer with the bytes from an offset on.
    pub(super) fn read(&self, offset: u64, buf: &mut [u8]) -> Result<(), Error> {
        match self {
            Self::File(file) => file.read_exact_at(buf, offset),
            Self::Reader(name, read) => {
                read(offset, buf).map_err(|error| Error::Read { file: name.clone(), offset, error })
            }
        }
    }

    /// Copies bytes of it to a file.
    pub(super) fn copy(
        &self,
        from: u64,
        to: (&NamedFile, u64),
        bytes: u64,
        tell: &mut Tell<'_>,
    ) -> Result<Copied, Error> {
        if let Self::File(file) = self {
            return copy_telling((file, from), to, bytes, tell);
        }
        let mut buf = vec![0; bytes.min(PIECE) as usize];
        let mut at = 0;
        while at < bytes {
            let part = &mut buf[..(bytes - at).min(PIECE) as usize];
            self.read(from + at, part)?;
            to.0.write_all_at(part, to.1 + at)?;
            at += part.len() as u64;
            tell(part.len() as u64)?;
        }
        Ok(Copied { by_hand: bytes, ..Copied::default() })
    }
}

impl From<NamedFile> for Backing<'_> {
    fn from(file: NamedFile) -> Self {
        Self::File(file)
    }
}

impl fmt::Debug for Backing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Backing").field(&self.name()).finish()
    }
}
