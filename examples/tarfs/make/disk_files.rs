//! A disk over files as they lie: the tars, and a file with all that is in no tar.

use std::io;
use std::path::Path;

use erofs_tarfs::image;
use erofs_tarfs::io::verity::{Options, WriteAt, seal};
use erofs_tarfs::io::{self as tarfs_io, Mapped, NamedFile};
use erofs_tarfs::layout::Layout;
use erofs_tarfs::outputs::{self, Extents, Held};
use erofs_tarfs::verity::{Geometry, Params, Placement, Sealed};
use sha2::{Digest, Sha256};

use crate::cli::fail::{Done, Fail};
use crate::cli::progress::Progress;

/// Everything in the file of metadata starts at a multiple of this, because reflinks want whole blocks.
const ALIGN: u64 = 4096;

/// The files, that of metadata first.
pub(crate) struct DiskFiles {
    files: Vec<NamedFile>,
    /// End of what is in the file of metadata.
    end: u64,
}

/// How a disk is sealed.
#[derive(Clone, Copy)]
pub(crate) struct Sealing<'a> {
    pub(crate) params: &'a Params,
    pub(crate) options: &'a Options,
    /// Whether the tree is kept apart from the data.
    pub(crate) apart: bool,
}

/// A disk over the files, which it calls by their index.
pub(crate) struct Disk {
    pub(crate) extents: Extents<usize>,
    /// Length of the filesystem in bytes.
    pub(crate) data_bytes: u64,
    pub(crate) sealed: Option<Sealed>,
    /// The hash tree, if it is not behind the data.
    pub(crate) tree: Option<Extents<usize>>,
    /// Bytes that no other disk has, for the GUID of its partition.
    pub(crate) identity: Vec<u8>,
}

impl DiskFiles {
    /// Over an empty file for metadata.
    pub(crate) fn new(metadata: NamedFile) -> Self {
        Self { files: vec![metadata], end: 0 }
    }

    /// All files, that of metadata first.
    pub(crate) fn files(&self) -> &[NamedFile] {
        &self.files
    }

    /// Takes room in the file of metadata; what is not written there reads as zeros.
    fn room(&mut self, bytes: u64) -> Done<u64> {
        let at = self.end.next_multiple_of(ALIGN);
        self.end = at + bytes;
        self.files[0].set_bytes(self.end)?;
        Ok(at)
    }

    /// Puts bytes into the file of metadata; answers where.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Done<u64> {
        let at = self.room(bytes.len() as u64)?;
        self.files[0].write_all_at(bytes, at)?;
        Ok(at)
    }

    /// Adds a disk: its metadata, and its hash tree if it is to be sealed. Errors name `out`.
    pub(crate) fn add(
        &mut self,
        out: &Path,
        layout: &Layout<'_>,
        sources: Vec<NamedFile>,
        sealing: Option<Sealing<'_>>,
    ) -> Done<Disk> {
        let metadata_at = self.room(layout.metadata_bytes())?;
        tarfs_io::write_metadata_at(layout, &self.files[0], metadata_at)?;
        let first = self.files.len();
        // Disks are made of whole files: of a partition the whole disk is taken, from its start on.
        let starts: Vec<u64> = sources.iter().map(NamedFile::start).collect();
        self.files.extend(sources.into_iter().map(NamedFile::whole));
        let plan = image::disk(layout);
        let extents = Extents::of_disk(&plan, layout, |held| match held {
            Held::Metadata => (0, metadata_at),
            Held::Device(index) => (first + index, starts[index]),
        });
        let mut disk = Disk {
            extents: extents.map_err(|error| Fail::of(out, error))?,
            data_bytes: plan.bytes,
            sealed: None,
            tree: None,
            identity: Vec::new(),
        };
        match sealing {
            Some(sealing) => self.seal(out, &mut disk, sealing)?,
            None => disk.identity = digest(layout)?,
        }
        Mapped::new(&disk.extents, &self.files)?;
        Ok(disk)
    }

    /// Hashes a disk; the tree goes into the file of metadata.
    fn seal(&mut self, out: &Path, disk: &mut Disk, sealing: Sealing<'_>) -> Done {
        let Sealing { params, options, apart } = sealing;
        let failed = |error: outputs::Error| Fail::of(out, error);
        let padding = params.data_padding(disk.data_bytes);
        let bytes = disk.data_bytes + padding;
        disk.extents.push_zeros(padding).map_err(failed)?;
        let geometry =
            |place| Geometry::new(params, bytes, place).map_err(|error| Fail::of(out, error));
        let (alone, behind) = (geometry(Placement::OwnFile)?, geometry(Placement::BehindData)?);
        let at = self.room(alone.end())?;
        let _progress = Progress::new("hashing", None);
        let data = Mapped::new(&disk.extents, &self.files)?;
        let sealed = seal(&data, &Behind(&self.files[0], at), alone, options);
        let sealed = sealed.map_err(|error| Fail::of(out, error))?;
        disk.identity = sealed.root().0.to_vec();
        if apart {
            let mut tree = Extents::default();
            tree.push(sealed.geometry().end(), 0, at).map_err(failed)?;
            disk.tree = Some(tree);
            disk.sealed = Some(sealed);
        } else {
            disk.extents.push_tree(&behind, 0, at).map_err(failed)?;
            disk.sealed = Some(Sealed::new(behind, sealed.root()));
        }
        Ok(())
    }

    /// Lets the file of metadata have the zeros of a disk, for forms that want a file for all.
    pub(crate) fn back_zeros(&mut self, extents: Extents<usize>) -> Done<Extents<usize>> {
        let bytes = extents.longest_zeros();
        let at = self.room(bytes)?;
        let backed = extents.back_zeros(0, at, bytes);
        backed.map_err(|error| Fail::of(self.files[0].path(), error))
    }
}

/// The SHA-256 of metadata, which has the tags of the tars in it.
fn digest(layout: &Layout<'_>) -> Done<Vec<u8>> {
    let mut hash = Sha256::new_with_prefix(image::head(layout));
    image::body(layout, &mut |bytes: &[u8]| {
        hash.update(bytes);
        Ok::<(), Fail>(())
    })?;
    Ok(hash.finalize().to_vec())
}

/// A file, in which writing begins at this byte.
struct Behind<'a>(&'a NamedFile, u64);

impl WriteAt for Behind<'_> {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        WriteAt::write_all_at(self.0, bytes, self.1 + offset)
    }
}
