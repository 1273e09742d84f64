//! A bootstrap, ours or one of Nydus's program, is read.

use std::path::{Path, PathBuf};

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::read::{Image, TreeOptions};
use erofs_tarfs::tree::Tree;

use crate::fail::{Done, Fail};
use crate::rafs;

/// A bootstrap over tars.
pub(crate) struct Bootstrap {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Bootstrap {
    /// Reads a file, and refuses one that is no bootstrap over tars.
    pub(crate) fn read(path: &Path) -> Done<Self> {
        let bytes = tarfs_io::read_metadata(&NamedFile::open(path)?)?;
        let bootstrap = Self { path: path.to_owned(), bytes };
        let image = bootstrap.image()?;
        if rafs::is_other(&bootstrap.bytes, image.superblock()) {
            let why =
                "is a bootstrap of RAFS over blobs, not over tars: nydus-image of Nydus reads it";
            return Err(Fail::other_kind(path, why));
        }
        if !image.devices().is_empty() && image.holds_devices(bootstrap.bytes.len() as u64) {
            return Err(Fail::other_kind(path, "is a disk with its tars in it, not a bootstrap"));
        }
        Ok(bootstrap)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it, as it is stored.
    pub(crate) fn image(&self) -> Done<Image<'_>> {
        Image::new(&self.bytes).map_err(|error| Fail::of(&self.path, error))
    }

    /// Its files, and the tars that they are in. Whiteouts in the form of overlayfs are whiteouts.
    pub(crate) fn tree(&self) -> Done<Tree> {
        let tree = self.image()?.tree(&TreeOptions::new().carry_own_data(true));
        tree.map_err(|error| Fail::of(&self.path, error))
    }
}
