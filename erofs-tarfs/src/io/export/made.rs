//! What was made: files without names yet, and what is known of them.

use alloc::sync::Arc;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::io::output::sync_directory;
use crate::io::{Copied, Error, NamedFile, Output, spare};
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

    /// Gives the files their names, in place of what has them, when all are on the disk; a directory of
    /// them too.
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
    /// A directory of several files that is not there yet gets its name when `name` is done, with all files
    /// in it: what is to lie beside one of them is made by [`Output::sibling`].
    ///
    /// # Errors
    /// Those of `name`.
    pub fn finish_with<E: From<Error>>(
        self,
        name: impl FnOnce(Vec<Output>) -> Result<(), E>,
    ) -> Result<Vec<Exported>, E> {
        let mut outputs = self.outputs;
        let Some(directory) = self.directory else {
            name(outputs)?;
            return Ok(self.exported);
        };
        let making = directory.make().map_err(E::from)?;
        if let Some(making) = &making {
            outputs.iter_mut().for_each(|output| output.put_into(making.path.clone()));
        }
        name(outputs)?;
        directory.keep(making).map_err(E::from)?;
        Ok(self.exported)
    }
}

/// A directory of outputs.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// Whether its name is brought to the disk.
    synced: bool,
}

impl Directory {
    /// Refuses what cannot be one.
    pub(super) fn new(path: &Path, synced: bool) -> Result<Self, Error> {
        match fs::metadata(path) {
            Ok(found) if !found.is_dir() => Err(cannot(path, io::ErrorKind::NotADirectory)),
            _ => Ok(Self { path: path.to_owned(), synced }),
        }
    }

    /// Where it is not there, it is made under another name, so that a kill leaves no empty one, and
    /// none with a part of the files.
    fn make(&self) -> Result<Option<Making>, Error> {
        if self.path.is_dir() {
            return Ok(None);
        }
        let made = spare::make_directory(Output::directory(&self.path));
        let (path, lock) = made.map_err(|error| cannot(&self.path, error))?;
        Ok(Some(Making { path: path.into(), _lock: lock }))
    }

    /// Its files have their names: now it gets its own. It stays, also after a power cut.
    fn keep(self, making: Option<Making>) -> Result<(), Error> {
        let is_new = making.is_some();
        if let Some(making) = making {
            match fs::rename(&making.path, &self.path) {
                Ok(()) => {}
                // Somebody has made it meanwhile, with files in it.
                Err(_) if self.path.is_dir() => making.join(&self.path, self.synced)?,
                Err(error) => return Err(cannot(&self.path, error)),
            }
        }
        // One that is there may be of a run that was ended before this.
        match self.synced {
            true => match sync_directory(Output::directory(&self.path), &self.path) {
                // It was there, in a directory that only others read: that is for them to sync.
                Err(Error::Create { error, .. })
                    if !is_new && error.kind() == io::ErrorKind::PermissionDenied =>
                {
                    Ok(())
                }
                done => done,
            },
            false => Ok(()),
        }
    }
}

/// A directory under the name that it has until its files have theirs. When it is dropped before, it is
/// gone.
#[derive(Debug)]
struct Making {
    path: Arc<Path>,
    _lock: File,
}

impl Making {
    /// Puts the files into a directory that is there.
    fn join(&self, to: &Path, synced: bool) -> Result<(), Error> {
        let entries = fs::read_dir(&self.path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = entries.map_err(|error| cannot(to, error))?;
        let files = entries.iter().map(|entry| (entry.path(), to.join(entry.file_name())));
        let files: Vec<(PathBuf, PathBuf)> = files.collect();
        if let Some((_, file)) = files.iter().find(|(_, file)| file.is_dir()) {
            return Err(Error::NotRegular { file: file.clone() });
        }
        for (from, file) in files {
            fs::rename(from, &file).map_err(|error| cannot(&file, error))?;
        }
        if synced { sync_directory(to, to) } else { Ok(()) }
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        spare::remove_directory(&self.path);
    }
}

fn cannot(path: &Path, error: impl Into<io::Error>) -> Error {
    Error::Create { file: path.to_owned(), error: error.into() }
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
