//! Where the bytes of layers are.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::io::copy::{Tell, copy_telling};
use crate::io::{Buffer, Copied, Error, NamedFile};

/// How many bytes are copied at a time from a reader, which is no file.
const PIECE: u64 = 1 << 20;

/// Fills a buffer with the bytes from an offset on.
pub type ReadBytes<'a> = dyn Fn(u64, &mut [u8]) -> io::Result<()> + 'a;

/// Where the bytes of a device are.
///
/// ```
/// use erofs_tarfs::export::Mode;
/// use erofs_tarfs::io::{Backing, Export};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::{layer_of, tar_of};
/// # let dir = tempfile::tempdir()?;
/// # let disk = dir.path().join("base.disk");
///
/// // A tar in memory; it could be behind a network as well.
/// let (tree, tar) = (layer_of(&[("etc/motd", "hello\n")]), tar_of(&[("etc/motd", "hello\n")]));
/// let bytes = Backing::reader("base.tar", |offset, buf| {
///     buf.copy_from_slice(&tar[offset as usize..][..buf.len()]);
///     Ok(())
/// });
/// Export::new(Mode::LayerBlock).layer(tree, vec![bytes], vec![]).write(&disk)?;
/// assert_eq!(std::fs::read(disk)?[4096..], tar[..]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[non_exhaustive]
pub enum Backing<'a> {
    /// A file. Disks share its bytes where the filesystem can, and several threads read it.
    File(NamedFile),
    /// Anything that can be read at offsets, and what errors call it. The thread that makes the export
    /// calls it, and no other.
    Reader(PathBuf, Box<ReadBytes<'a>>),
}

impl<'a> Backing<'a> {
    /// Makes a backing of a function that reads at offsets. Errors call it `name`.
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
        let mut buf = Buffer::new(bytes.min(PIECE) as usize);
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
