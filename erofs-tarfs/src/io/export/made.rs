//! What was made: files without names yet, and what is known of them.

use core::cell::Cell;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::io::output::sync_directory;
use crate::io::{Copied, Error, NamedFile, Output};
use crate::layout::{Layout, PlannedDevice};
use crate::outputs::Gpt;
use crate::units::BlockSize;
use crate::verity::Sealed;

/// What is known of an output.
///
/// ```
/// use erofs_tarfs::export::Mode;
/// use erofs_tarfs::io::Export;
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
/// # let dir = tempfile::tempdir()?;
/// # let (tar, disk) = (dir.path().join("base.tar"), dir.path().join("base.disk"));
/// # std::fs::write(&tar, tar_of(&[("etc/motd", "hello\n")]))?;
///
/// let made = Export::new(Mode::LayerBlockWithVerity).tar(tar).write(&disk)?;
/// assert_eq!((&made[0].path, made[0].bytes), (&disk, 8192 + 4096)); // data, then the hash tree
/// assert_eq!(made[0].disks[0].filesystem_bytes, 6144);
/// let root = made[0].sealed().ok_or("a mode without a hash tree")?.root();
/// assert_eq!(root.to_string().len(), 64); // in hex
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Exported {
    /// The file.
    pub path: PathBuf,
    /// Length in bytes of the disk, or of the hash tree alone.
    pub bytes: u64,
    /// The filesystem in it; with partitions those of all layers, in their order.
    pub disks: Vec<ExportedDisk>,
    /// Its partitions: one for each filesystem, or a volume and its hash tree.
    pub gpt: Option<Gpt>,
    /// The files that a form is over, as it names them; the first has all that is in no layer.
    pub files: Vec<String>,
    /// How many bytes of the layers were shared, copied by the kernel, or by us; `None` if none is in it.
    pub copied: Option<Copied>,
}

/// A filesystem in an output.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExportedDisk {
    /// Length in bytes, with the hash tree if it is behind the data.
    pub bytes: u64,
    /// Length of the filesystem in bytes.
    pub filesystem_bytes: u64,
    /// Its block size.
    pub block_size: BlockSize,
    /// Its devices, in the order of the device table. One that has copies of bodies alone is the last.
    pub devices: Vec<PlannedDevice>,
    /// How many of the devices, the first ones, have their bytes in a layer.
    pub sources: usize,
    /// Geometry and root hash, if the mode has a hash tree.
    pub sealed: Option<Sealed>,
}

impl ExportedDisk {
    /// What is known of a filesystem that was made.
    pub(super) fn of(
        layout: &Layout<'_>,
        bytes: u64,
        filesystem_bytes: u64,
        sealed: Option<Sealed>,
    ) -> Self {
        let (block_size, devices) = (layout.block_size(), layout.devices().to_vec());
        let sources = layout.sources();
        Self { bytes, filesystem_bytes, block_size, devices, sources, sealed }
    }
}

impl Exported {
    /// Geometry and root hash of the first filesystem, if the mode has a hash tree.
    pub fn sealed(&self) -> Option<&Sealed> {
        self.disks.first()?.sealed.as_ref()
    }
}

/// All that an export makes: files that are whole, but have no names yet. If it is dropped, nothing
/// is left of them.
///
/// ```
/// use erofs_tarfs::export::Mode;
/// use erofs_tarfs::io::Export;
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
/// # let dir = tempfile::tempdir()?;
/// # let (tar, disk) = (dir.path().join("base.tar"), dir.path().join("base.disk"));
/// # std::fs::write(&tar, tar_of(&[("etc/motd", "hello\n")]))?;
///
/// let made = Export::new(Mode::LayerBlock).tar(tar).make(&disk)?;
/// assert_eq!(made.exported()[0].bytes, 6144);
/// assert!(!disk.exists(), "there is time to check what was made, or to give it up");
/// made.finish()?;
/// assert!(disk.exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct Made {
    pub(super) outputs: Vec<Output>,
    pub(super) exported: Vec<Exported>,
    pub(super) directory: Option<Directory>,
    /// The files of layers that outputs name.
    pub(super) over: Vec<NamedFile>,
}

impl Made {
    pub(super) fn of((outputs, exported, over): (Vec<Output>, Exported, Vec<NamedFile>)) -> Self {
        Self { outputs, exported: vec![exported], directory: None, over }
    }

    /// What is known of it, in the order of the layers.
    pub fn exported(&self) -> &[Exported] {
        &self.exported
    }

    /// Gives the files their names, in place of what has them, when all are on the disk.
    ///
    /// # Errors
    /// As [`Output::finish`].
    pub fn finish(self) -> Result<Vec<Exported>, Error> {
        Output::sync(&self.outputs)?;
        self.named()
    }

    /// The same of files that are on the disk already.
    pub(super) fn named(self) -> Result<Vec<Exported>, Error> {
        self.over.iter().try_for_each(still_there)?;
        self.finish_with(Output::name)
    }

    /// Lets the caller give the files their names, or copy them to elsewhere. Files of layers that a form
    /// names need not have their names before. If it fails, nothing is left.
    ///
    /// # Errors
    /// Those of `name`.
    pub fn finish_with<E: From<Error>>(
        self,
        name: impl FnOnce(Vec<Output>) -> Result<(), E>,
    ) -> Result<Vec<Exported>, E> {
        if let Some(directory) = &self.directory {
            directory.make().map_err(E::from)?;
        }
        name(self.outputs)?;
        if let Some(directory) = self.directory {
            directory.keep().map_err(E::from)?;
        }
        Ok(self.exported)
    }
}

/// A directory of outputs: made when they get their names, and gone again if they do not.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// Whether it is this export's.
    made: Cell<bool>,
}

impl Directory {
    /// Refuses what cannot be one.
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        let file = path.to_owned();
        match fs::metadata(path) {
            Ok(found) if !found.is_dir() => {
                Err(Error::Create { file, error: io::ErrorKind::NotADirectory.into() })
            }
            _ => Ok(Self { path: file, made: Cell::new(false) }),
        }
    }

    fn make(&self) -> Result<(), Error> {
        match fs::create_dir(&self.path) {
            Ok(()) => self.made.set(true),
            Err(_) if self.path.is_dir() => {}
            Err(error) => return Err(Error::Create { file: self.path.clone(), error }),
        }
        Ok(())
    }

    /// Its files have their names: it stays, also after a power cut.
    fn keep(self) -> Result<(), Error> {
        match self.made.take() {
            true => sync_directory(Output::directory(&self.path)),
            false => Ok(()),
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.made.get() {
            // Somebody may have put files into it meanwhile. Then removing it fails, and it stays.
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// Makes sure that a file can be found by its name: one that is open may have none any more.
fn still_there(file: &NamedFile) -> Result<(), Error> {
    let found = fs::metadata(file.path()).ok().map(|found| (found.dev(), found.ino()));
    let open = file.file().metadata().ok().map(|found| (found.dev(), found.ino()));
    match found.is_some() && found == open {
        true => Ok(()),
        false => Err(Error::NoFile { name: file.path().to_owned() }),
    }
}
