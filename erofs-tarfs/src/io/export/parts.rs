//! Files that disks are over: those of the layers, and one for all that is in none of them.

use sha2::{Digest, Sha256};

use super::watch::{Behind, Watch, Watched};
use super::{Backing, Step};
use crate::export;
use crate::image;
use crate::io::verity::{HashingOptions, seal};
use crate::io::{Error, Mapped, NamedFile, write_metadata_at};
use crate::layout::Layout;
use crate::outputs::{FileExtents, Held};
use crate::verity::{Geometry, HashPlacement, Params, Sealed};

/// Each thing in the file of metadata starts at a multiple of so many bytes: only whole blocks can be
/// shared by reflinks.
const ALIGN: u64 = 4096;

/// The files, that of metadata first.
pub(super) struct Parts<'e> {
    files: Vec<NamedFile>,
    /// End of what is in the file of metadata.
    end: u64,
    watch: &'e Watch<'e>,
}

/// How a disk is sealed.
#[derive(Clone, Copy)]
pub(super) struct Sealing<'e> {
    pub(super) params: &'e Params,
    pub(super) hashing: &'e HashingOptions,
    /// Whether the tree is kept apart from the data.
    pub(super) apart: bool,
}

/// A disk over the files, which it calls by their index.
pub(super) struct Disk {
    pub(super) extents: FileExtents<usize>,
    /// Length of the filesystem in bytes.
    pub(super) filesystem_bytes: u64,
    pub(super) sealed: Option<Sealed>,
    /// The hash tree, if it is not behind the data.
    pub(super) tree: Option<FileExtents<usize>>,
    /// What tells it from others: its root hash, or the SHA-256 of its metadata.
    pub(super) identity: Vec<u8>,
}

impl<'e> Parts<'e> {
    /// No files yet but an empty one for metadata.
    pub(super) fn new(metadata: NamedFile, watch: &'e Watch<'e>) -> Self {
        Self { files: vec![metadata], end: 0, watch }
    }

    /// All files, that of metadata first.
    pub(super) fn files(&self) -> &[NamedFile] {
        &self.files
    }

    /// All files, that of metadata first.
    pub(super) fn into_files(self) -> Vec<NamedFile> {
        self.files
    }

    /// Takes room in the file of metadata; what is not written there reads as zeros.
    fn room(&mut self, bytes: u64) -> Result<u64, Error> {
        let at = self.end.next_multiple_of(ALIGN);
        self.end = at + bytes;
        self.files[0].set_bytes(self.end)?;
        Ok(at)
    }

    /// Puts bytes into the file of metadata; answers where.
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<u64, Error> {
        let at = self.room(bytes.len() as u64)?;
        self.files[0].write_all_at(bytes, at)?;
        Ok(at)
    }

    /// The error of a disk that cannot be made of these files.
    fn failed(&self, error: impl Into<export::Error>) -> Error {
        Error::Export { file: self.files[0].path().to_owned(), error: error.into() }
    }

    /// Adds a disk: its metadata, and its hash tree if it is to be sealed.
    pub(super) fn add(
        &mut self,
        layout: &Layout<'_>,
        sources: &[&Backing<'_>],
        sealing: Option<Sealing<'_>>,
    ) -> Result<Disk, Error> {
        let metadata_at = self.room(layout.metadata_bytes())?;
        write_metadata_at(layout, &self.files[0], metadata_at)?;
        let first = self.files.len();
        let mut starts = Vec::with_capacity(sources.len());
        for source in sources {
            let missing = || Error::NoFile { name: source.name().to_owned() };
            let file = source.file().ok_or_else(missing)?.try_clone()?;
            // Forms name whole files: a partition becomes a place in its disk.
            starts.push(file.start());
            self.files.push(file.whole());
        }
        let plan = image::disk(layout);
        let extents = FileExtents::of_disk(&plan, layout, |held| match held {
            Held::Metadata => (0, metadata_at),
            Held::Device(index) => (first + index, starts[index]),
        });
        let mut disk = Disk {
            extents: extents.map_err(|error| self.failed(error))?,
            filesystem_bytes: plan.bytes,
            sealed: None,
            tree: None,
            identity: Vec::new(),
        };
        match sealing {
            Some(sealing) => self.seal(&mut disk, sealing)?,
            None => disk.identity = digest(layout),
        }
        Mapped::new(&disk.extents, &self.files)?;
        Ok(disk)
    }

    /// Hashes a disk; the tree goes into the file of metadata.
    fn seal(&mut self, disk: &mut Disk, sealing: Sealing<'_>) -> Result<(), Error> {
        let Sealing { params, hashing, apart } = sealing;
        let padding = params.data_padding(disk.filesystem_bytes);
        let bytes = disk.filesystem_bytes + padding;
        disk.extents.push_zeros(padding).map_err(|error| self.failed(error))?;
        let alone = Geometry::new(params, bytes, HashPlacement::OwnFile);
        let behind = Geometry::new(params, bytes, HashPlacement::BehindData);
        let alone = alone.map_err(|error| self.failed(error))?;
        let behind = behind.map_err(|error| self.failed(error))?;
        let at = self.room(alone.end())?;
        let mapped = Mapped::new(&disk.extents, &self.files)?;
        let data = Watched { bytes: &mapped, step: Step::Hashing, watch: self.watch };
        let sealed = seal(&data, &Behind(&self.files[0], at), alone, hashing);
        let sealed = sealed.map_err(|error| {
            let file = self.files[0].path().to_owned();
            self.watch.why(Error::Write { file, offset: at, error })
        })?;
        disk.identity = sealed.root().as_bytes().to_vec();
        if apart {
            let mut tree = FileExtents::default();
            let end = sealed.geometry().end();
            tree.push(end, 0, at).map_err(|error| self.failed(error))?;
            disk.tree = Some(tree);
            disk.sealed = Some(sealed);
        } else {
            let pushed = disk.extents.push_tree(&behind, 0, at);
            pushed.map_err(|error| self.failed(error))?;
            disk.sealed = Some(Sealed::new(behind, sealed.root()));
        }
        Ok(())
    }

    /// Puts the zeros of a disk into the file of metadata, for forms that want a file for every range.
    pub(super) fn back_zeros(
        &mut self,
        extents: FileExtents<usize>,
    ) -> Result<FileExtents<usize>, Error> {
        let bytes = extents.longest_zeros();
        let at = self.room(bytes)?;
        extents.back_zeros(0, at, bytes).map_err(|error| self.failed(error))
    }
}

/// The SHA-256 of metadata, which has the tags of the tars in it.
fn digest(layout: &Layout<'_>) -> Vec<u8> {
    let mut hash = Sha256::new_with_prefix(image::head(layout));
    let Ok(()) = image::body(layout, &mut |bytes: &[u8]| {
        hash.update(bytes);
        Ok::<(), core::convert::Infallible>(())
    });
    hash.finalize().to_vec()
}
