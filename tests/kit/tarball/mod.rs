//! A tar writer that can also write what no tar writer should.
//!
//! Entries are added in order; the attribute methods act on the entry added last:
//!
//! ```
//! use testkit::tarball::TarBuilder;
//! let tar = TarBuilder::new()
//!     .dir("a", 0o755)
//!     .file("a/b", b"hello")
//!     .mtime(-1, 999_999_999)
//!     .xattr("user.k", b"v")
//!     .whiteout("a/c")
//!     .finish();
//! assert_eq!(tar.len() % 512, 0);
//! ```

mod attributes;
mod header;
mod pax;
mod sink;
mod sparse;

use std::fs::File;
use std::io;
use std::path::Path;

use header::Entry;
pub use header::{Checksum, Format, RECORD};
use sink::Sink;
pub use sparse::SparseForm;

use crate::layer::join;

/// What stands behind the last entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// No zero block at all.
    Nothing,
    /// One zero block, as some writers leave it.
    OneBlock,
    /// Two zero blocks, as POSIX has it.
    TwoBlocks,
    /// Two zero blocks and more up to a multiple of 10,240 bytes, as GNU tar writes it.
    Blocking,
}

/// Writes a tar into memory or into a sparse file.
#[derive(Debug)]
pub struct TarBuilder {
    sink: Sink,
    format: Format,
    checksum: Checksum,
    end: End,
    pending: Option<Entry>,
}

impl Default for TarBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl TarBuilder {
    /// A tar in memory, to be taken with [`finish`](Self::finish).
    #[must_use]
    pub fn new() -> Self {
        Self::with_sink(Sink::memory())
    }

    /// A tar in a new file, whose [`hole`](Self::hole) bodies take no space on disk. Ended by
    /// [`finish_file`](Self::finish_file).
    ///
    /// # Errors
    /// Those of creating the file.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self::with_sink(Sink::file(File::create(path)?)))
    }

    fn with_sink(sink: Sink) -> Self {
        Self {
            sink,
            format: Format::Pax,
            checksum: Checksum::Unsigned,
            end: End::TwoBlocks,
            pending: None,
        }
    }

    // What holds for the entries that follow.

    /// The header format of the entries that follow.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.flush();
        self.format = format;
        self
    }

    /// How the headers of the entries that follow are summed.
    #[must_use]
    pub fn checksum(mut self, checksum: Checksum) -> Self {
        self.flush();
        self.checksum = checksum;
        self
    }

    /// What stands behind the last entry.
    #[must_use]
    pub fn end(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    // Entries.

    /// An entry of any type flag and no body.
    #[must_use]
    pub fn entry(mut self, flag: u8, path: impl AsRef<[u8]>, mode: u32) -> Self {
        self.flush();
        let mut entry = Entry::new(self.format, flag, path.as_ref(), mode);
        entry.checksum = self.checksum;
        self.pending = Some(entry);
        self
    }

    /// A regular file, 0644.
    #[must_use]
    pub fn file(self, path: impl AsRef<[u8]>, body: impl AsRef<[u8]>) -> Self {
        self.entry(b'0', path, 0o644).body(body)
    }

    /// A regular file of zeros, which a file-backed builder leaves as a hole.
    #[must_use]
    pub fn hole(self, path: impl AsRef<[u8]>, len: u64) -> Self {
        let mut this = self.entry(b'0', path, 0o644);
        this.last().hole = len;
        this
    }

    /// A directory; the slash that tars end them with is added.
    #[must_use]
    pub fn dir(self, path: impl AsRef<[u8]>, mode: u32) -> Self {
        let mut path = path.as_ref().to_vec();
        if path.last() != Some(&b'/') {
            path.push(b'/');
        }
        self.entry(b'5', path, mode)
    }

    /// A symbolic link.
    #[must_use]
    pub fn symlink(self, path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        self.entry(b'2', path, 0o777).link(target)
    }

    /// A hard link to a path of the tar.
    #[must_use]
    pub fn hardlink(self, path: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        self.entry(b'1', path, 0o644).link(target)
    }

    /// A character device.
    #[must_use]
    pub fn chr(self, path: impl AsRef<[u8]>, major: u32, minor: u32) -> Self {
        self.entry(b'3', path, 0o644).device(major, minor)
    }

    /// A block device.
    #[must_use]
    pub fn blk(self, path: impl AsRef<[u8]>, major: u32, minor: u32) -> Self {
        self.entry(b'4', path, 0o644).device(major, minor)
    }

    /// A FIFO.
    #[must_use]
    pub fn fifo(self, path: impl AsRef<[u8]>) -> Self {
        self.entry(b'6', path, 0o644)
    }

    /// The OCI whiteout that hides `path` of lower layers: an empty file named `.wh.` and its name.
    #[must_use]
    pub fn whiteout(self, path: impl AsRef<[u8]>) -> Self {
        self.file(marker(path.as_ref()), b"").mode(0)
    }

    /// The OCI marker that hides all lower children of the directory `path`.
    #[must_use]
    pub fn opaque(self, path: impl AsRef<[u8]>) -> Self {
        self.file(join(path.as_ref(), b".wh..wh..opq"), b"").mode(0)
    }

    /// A sparse file of `size` bytes, whose data lies at the given offsets.
    ///
    /// The data of all extents is written without gaps. GNU tar starts each extent at a record, so
    /// it agrees with others only where all extents but the last are multiples of 512.
    ///
    /// # Panics
    /// When the extents are not in order.
    #[must_use]
    pub fn sparse(
        mut self,
        form: SparseForm,
        path: impl AsRef<[u8]>,
        size: u64,
        extents: &[(u64, &[u8])],
    ) -> Self {
        self.flush();
        let mut entry = sparse::entry(form, path.as_ref(), size, extents);
        entry.checksum = self.checksum;
        self.pending = Some(entry);
        self
    }

    /// A pax global header.
    #[must_use]
    pub fn global(self, records: &[(&[u8], &[u8])]) -> Self {
        let body: Vec<u8> = records.iter().flat_map(|(k, v)| pax::record(k, v)).collect();
        self.entry(b'g', "pax_global_header", 0o644).body(body)
    }

    /// A pax extended header of its own, for the entry that follows.
    #[must_use]
    pub fn extended(self, records: &[(&[u8], &[u8])]) -> Self {
        let body: Vec<u8> = records.iter().flat_map(|(k, v)| pax::record(k, v)).collect();
        self.entry(b'x', "PaxHeaders/x", 0o644).body(body)
    }

    /// A GNU long name (`L`) for the entry that follows.
    #[must_use]
    pub fn long_name(self, name: impl AsRef<[u8]>) -> Self {
        self.entry(b'L', "././@LongLink", 0o644).body([name.as_ref(), b"\0"].concat())
    }

    /// A GNU long link target (`K`) for the entry that follows.
    #[must_use]
    pub fn long_link(self, name: impl AsRef<[u8]>) -> Self {
        self.entry(b'K', "././@LongLink", 0o644).body([name.as_ref(), b"\0"].concat())
    }

    /// Any bytes, as they are.
    #[must_use]
    pub fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.flush();
        self.sink.write(bytes.as_ref());
        self
    }

    // The end.

    /// Where the next entry will start.
    ///
    /// The entry added last is closed by this: its attributes are final.
    pub fn position(&mut self) -> u64 {
        self.flush();
        self.sink.len()
    }

    /// The tar's bytes.
    ///
    /// # Panics
    /// When the builder writes to a file.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.finish_entries();
        self.sink.into_bytes()
    }

    /// Ends a file-backed tar and says how long it is.
    ///
    /// # Errors
    /// The first error that writing met.
    ///
    /// # Panics
    /// When the builder is in memory.
    pub fn finish_file(mut self) -> io::Result<u64> {
        self.finish_entries();
        self.sink.close()
    }

    fn finish_entries(&mut self) {
        self.flush();
        let zeros = match self.end {
            End::Nothing => 0,
            End::OneBlock => RECORD as u64,
            End::TwoBlocks => 2 * RECORD as u64,
            End::Blocking => {
                (self.sink.len() + 2 * RECORD as u64).next_multiple_of(10_240) - self.sink.len()
            }
        };
        self.sink.hole(zeros);
    }

    fn flush(&mut self) {
        if let Some(entry) = self.pending.take() {
            entry.write(&mut self.sink);
        }
    }

    fn last(&mut self) -> &mut Entry {
        self.pending.as_mut().expect("attributes come after the entry they belong to")
    }
}

fn marker(path: &[u8]) -> Vec<u8> {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => join(&path[..slash], &[b".wh.", &path[slash + 1..]].concat()),
        None => [b".wh.", path].concat(),
    }
}
