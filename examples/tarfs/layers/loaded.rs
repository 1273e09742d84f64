//! A layer that was read: its tree, and the files of its devices.

use std::path::PathBuf;
use std::rc::Rc;

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::tar::End;
use erofs_tarfs::tree::Tree;
use erofs_tarfs::verity::Leaves;

use crate::cli::fail::Done;
use crate::cli::platform::Platform;
use crate::layers::cut_short;
use crate::layers::noted::Noted;
use crate::layers::tar_search::{TarSearch, Verify};

/// One layer.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What it is called in errors.
    pub(crate) name: PathBuf,
    /// The SHA-256 of its tar in hex, if it was computed or checked.
    pub(crate) diff_id: Option<String>,
    /// What is in it.
    pub(crate) tree: Tree,
    /// Where all devices of the tree are.
    pub(crate) backing: Backing,
    /// Digests of the data blocks of the file that is the backing, if they are known.
    pub(crate) leaves: Option<Rc<Leaves>>,
    /// What the image that it is of runs on, if that says it.
    pub(crate) platform: Option<Platform>,
    /// How its tar ended, if it is one, and if nothing else shows that it is whole.
    pub(crate) end: Option<End>,
    /// What of its tar was not taken as it stands.
    pub(crate) noted: Noted,
}

/// The layer that has a device, and its index there.
pub(crate) type Origin<'l> = (&'l Loaded, usize);

/// Where the devices of a tree are.
#[derive(Debug)]
pub(crate) enum Backing {
    /// All in this file.
    File(NamedFile),
    /// Those of the first `slots` each in its own, to be found; what follows in `image`.
    Tars {
        /// Where to look.
        tars: TarSearch,
        /// How many devices have slots in the image.
        slots: usize,
        /// Block size of the image in bytes.
        block: u64,
        /// Where the last byte of a file ends in each device.
        data_ends: Vec<u64>,
        /// The image itself, which has file data too.
        image: NamedFile,
    },
    /// In those of these layers, of which the tree is the merge.
    Layers(Vec<Loaded>),
}

impl Loaded {
    /// Opens the file of the device at `index`.
    pub(crate) fn source(&self, index: usize) -> Done<NamedFile> {
        match &self.backing {
            Backing::File(file) => Ok(file.try_clone()?),
            Backing::Tars { slots, image, .. } if index >= *slots => Ok(image.try_clone()?),
            Backing::Tars { tars, slots, block, data_ends, .. } => {
                let device = &self.tree.devices()[index];
                let tar = tars.find(&self.name, device, *slots == 1, *block)?;
                cut_short::refuse_short_file(&tar, device.base_offset, data_ends[index])?;
                Ok(tar)
            }
            Backing::Layers(layers) => {
                let (layer, index) = origins(&self.tree, layers)[index];
                layer.source(index)
            }
        }
    }

    /// From now on only these tars must have their digests.
    pub(crate) fn verify(&mut self, which: Verify) {
        match &mut self.backing {
            Backing::File(_) => {}
            Backing::Tars { tars, .. } => tars.verify = which,
            Backing::Layers(layers) => layers.iter_mut().for_each(|layer| layer.verify(which)),
        }
    }

    /// Opens the tar of the device at `index`, if it is a bootstrap's and is found.
    pub(crate) fn tar(&self, index: usize) -> Done<Option<NamedFile>> {
        let Backing::Tars { tars, slots, block, data_ends, .. } = &self.backing else {
            return Ok(None);
        };
        let device = &self.tree.devices()[index];
        let tar = tars.find_if_there(&self.name, device, *slots == 1, *block)?;
        tar.iter().try_for_each(|tar| {
            cut_short::refuse_short_file(tar, device.base_offset, data_ends[index])
        })?;
        Ok(tar)
    }

    /// All its devices.
    pub(crate) fn origins(&self) -> Vec<Origin<'_>> {
        (0..self.tree.devices().len()).map(|index| (self, index)).collect()
    }

    /// Opens the files of all devices.
    pub(crate) fn sources(&self) -> Done<Vec<NamedFile>> {
        (0..self.tree.devices().len()).map(|index| self.source(index)).collect()
    }
}

/// Where the devices of a merged tree are.
pub(crate) fn origins<'l>(tree: &Tree, layers: &'l [Loaded]) -> Vec<Origin<'l>> {
    tree.origins().iter().map(|origin| (&layers[origin.layer], origin.device)).collect()
}

/// The files of the devices of a merged tree.
pub(crate) fn sources(tree: &Tree, layers: &[Loaded]) -> Done<Vec<NamedFile>> {
    origins(tree, layers).into_iter().map(|(layer, index)| layer.source(index)).collect()
}
