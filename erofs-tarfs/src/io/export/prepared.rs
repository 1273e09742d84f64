//! An export whose layers are read, and a filesystem that is to be made of them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::layer::{Input, Layer};
use super::{Backing, Export, Exported};
use crate::export::{self, Form, Partitioning, Product};
use crate::io::{Error, NamedFile, Output};
use crate::tree::{LayerOptions, Tree};
use crate::verity::{Leaves, SuperblockMode};

/// An export whose layers are read.
pub(super) struct Job<'a> {
    /// What is wanted; its layers are taken out.
    pub(super) export: Export<'a>,
    pub(super) layers: Vec<Layer<'a>>,
    /// Whether the only layer is the image.
    pub(super) is_merged: bool,
}

/// A filesystem to be made.
pub(super) struct Wanted<'w> {
    /// What its file or its partition is called.
    pub(super) name: String,
    pub(super) tree: &'w Tree,
    /// The layer, and the device of it, that each of the tree's devices is.
    pub(super) origins: Vec<(usize, usize)>,
}

/// What was made of an output's filesystems: files without names, what is known of it, and the files of
/// layers that it names.
pub(super) type One = (Vec<Output>, Exported, Vec<NamedFile>);

impl<'a> Job<'a> {
    /// Reads the layers. Errors that are about no layer name `path`, the output.
    pub(super) fn new(mut export: Export<'a>, path: &Path) -> Result<Self, Error> {
        let (mode, layers) = (export.mode, core::mem::take(&mut export.layers));
        if let Some(limits) = export.limits {
            export.merge.limits = limits;
            export.options.layout.limits = limits;
        }
        let options = &mut export.options;
        let failed = |error| Error::Export { file: path.to_owned(), error };
        let product = mode.product();
        options.check(product).map_err(failed)?;
        if layers.is_empty() {
            return Err(failed(export::Error::NoLayer));
        }
        let is_plain = export.form == Form::Raw && export.partitioning.is_none();
        if product == Product::HashTree && !is_plain {
            return Err(failed(export::Error::NoDisk));
        }
        if let Some(Partitioning::Volume(..)) = export.partitioning {
            if mode.is_by_layer() && layers.len() > 1 {
                return Err(failed(export::Error::Volume { count: layers.len() }));
            }
            if options.verity.superblock() == SuperblockMode::None {
                let with = options.verity.clone().with_superblock(SuperblockMode::Derived);
                options.verity = with.map_err(|error| failed(error.into()))?;
            }
        }
        let is_merged = matches!(layers[..], [Input::Image(_)]);
        // Of other forms the disk is hashed as it is read through its files, without kept digests.
        let keeps = product != Product::Disk && is_plain;
        let leaves = keeps.then_some(&options.verity);
        let pending = !mode.is_by_layer();
        let limits = export.limits.unwrap_or_default();
        let how = LayerOptions::new().limits(limits).keep_pending(pending);
        let read = layers.into_iter().enumerate();
        let read = read.map(|(number, layer)| layer.read(number, &how, leaves, &export.watch));
        let layers = read.collect::<Result<_, _>>()?;
        Ok(Self { export, layers, is_merged })
    }

    /// Where the bytes of the devices are.
    pub(super) fn sources(&self, wanted: &Wanted<'_>) -> Result<Vec<&Backing<'a>>, Error> {
        let of = |&(layer, at): &(usize, usize)| self.layers[layer].backing(at);
        wanted.origins.iter().map(of).collect()
    }

    /// The digests kept of the devices.
    pub(super) fn leaves(&self, wanted: &Wanted<'_>) -> Vec<Option<&Leaves>> {
        let of = |&(layer, at): &(usize, usize)| {
            self.layers[layer].leaves.get(at).and_then(|leaves| leaves.as_deref())
        };
        wanted.origins.iter().map(of).collect()
    }

    /// An empty file that will be called `path`.
    pub(super) fn output(&self, path: &Path) -> Result<Output, Error> {
        let output = match &self.export.beside {
            Some(directory) => Output::within(directory, path),
            None => Output::new(path),
        };
        Ok(output?.synced(self.export.synced))
    }

    /// The error of an output that cannot be planned.
    pub(super) fn failed(&self, path: &Path, error: impl Into<export::Error>) -> Error {
        Error::Export { file: path.to_owned(), error: error.into() }
    }

    /// Refuses to take the place of a file that is read, or of what is no file.
    pub(super) fn spare(&self, path: &Path) -> Result<(), Error> {
        let Ok(found) = fs::metadata(path) else { return Ok(()) };
        if !found.is_file() {
            return Err(Error::NotRegular { file: path.to_owned() });
        }
        let there = (found.dev(), found.ino());
        self.layers.iter().try_for_each(|layer| layer.spare(path, there))
    }
}
