//! Which files an export makes, and of which layers each.

use alloc::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::layer::{Input, Layer};
use super::made::Directory;
use super::settings::Settings;
use super::watch::Watch;
use super::write::{Written, hash_plan, write_plan};
use super::{Backing, Exported, ExportedDisk, Made};
use crate::export::{self, Form, Mode, Options, Partitioning, Plan, Product};
use crate::io::verity::Options as Hashing;
use crate::io::{Error, Output};
use crate::layout::{self, Layout};
use crate::tree::{self, Identity, MergeOptions, Note, Tree};
use crate::verity::{Leaves, Sealed, SuperblockMode};

/// What the partition of merged layers is called.
const IMAGE: &str = "image";

/// An export whose layers are read.
pub(super) struct Job<'a> {
    mode: Mode,
    pub(super) product: Product,
    pub(super) options: Options,
    merge: MergeOptions,
    pub(super) hashing: Hashing,
    pub(super) form: Form,
    pub(super) partitioning: Option<Partitioning>,
    pub(super) layers: Vec<Layer<'a>>,
    pub(super) watch: Watch<'a>,
    notes: Box<dyn FnMut(Note) + 'a>,
    beside: Option<PathBuf>,
    /// Whether the only layer is the image.
    is_merged: bool,
}

/// A filesystem to be made.
pub(super) struct Wanted<'w> {
    /// What its file or its partition is called.
    pub(super) name: String,
    pub(super) tree: &'w Tree,
    /// The layer, and the device of it, that each of the tree's devices is.
    origins: Vec<(usize, usize)>,
}

/// What was made of an output's filesystems: files without names, and what is known of it.
pub(super) type One = (Vec<Output>, Exported);

impl<'a> Job<'a> {
    /// Reads the layers. Errors of the whole name `path`.
    pub(super) fn new(settings: Settings<'a>, path: &Path) -> Result<Self, Error> {
        let Settings { mode, mut options, merge, hashing, form, partitioning, .. } = settings;
        let Settings { layers, watch, notes, beside, .. } = settings;
        let failed = |error| Error::Export { file: path.to_owned(), error };
        let product = mode.product();
        options.check(product).map_err(failed)?;
        let is_plain = form == Form::Raw && partitioning.is_none();
        if product == Product::HashTree && !is_plain {
            return Err(failed(export::Error::NoDisk));
        }
        if let Some(Partitioning::Volume(..)) = partitioning {
            if mode.is_by_layer() && layers.len() > 1 {
                return Err(failed(export::Error::Volume { count: layers.len() }));
            }
            if options.verity.superblock() == SuperblockMode::None {
                let with = options.verity.with_superblock(SuperblockMode::Derived);
                options.verity = with.map_err(|error| failed(error.into()))?;
            }
        }
        let is_merged = matches!(layers[..], [Input::Image(_)]);
        // Forms over files hash the disk as it is.
        let keeps = product != Product::Disk && is_plain;
        let leaves = keeps.then_some(&options.verity);
        let read = layers.into_iter().map(|layer| layer.read(!mode.is_by_layer(), leaves, &watch));
        let layers = read.collect::<Result<_, _>>()?;
        Ok(Self {
            mode,
            product,
            options,
            merge,
            hashing,
            form,
            partitioning,
            layers,
            watch,
            notes,
            beside,
            is_merged,
        })
    }

    /// Makes all files.
    pub(super) fn run(mut self, path: &Path) -> Result<Made, Error> {
        let merged = self.merged(path)?;
        let wanted = self.wanted(merged.as_ref());
        let by_layer = self.mode.is_by_layer() && self.partitioning.is_none();
        if by_layer && (wanted.len() > 1 || path.is_dir()) {
            return self.each(path, &wanted);
        }
        Ok(Made::of(self.one(path, &wanted)?))
    }

    /// Hashes all that would be made. Errors of the whole name `path`.
    pub(super) fn hash(mut self, path: &Path) -> Result<Vec<Sealed>, Error> {
        let merged = self.merged(path)?;
        let wanted = self.wanted(merged.as_ref());
        let hash = |only: &Wanted<'_>| {
            let tree = layout::fitted(only.tree, &self.options.layout);
            let tree = tree.map_err(|error| self.failed(path, error))?;
            let plan = Plan::new(&tree, self.product, &self.options);
            let plan = plan.map_err(|error| self.failed(path, error))?;
            let none = || self.failed(path, export::Error::NoTree);
            let geometry = plan.geometry().ok_or_else(none)?;
            let (sources, leaves) = (self.sources(only)?, self.leaves(only));
            let put = &|_: u64, _: &[u8]| Ok(());
            let (hashing, watch) = (&self.hashing, &self.watch);
            hash_plan(&plan, geometry, &sources, &leaves, (path, put), hashing, watch)
        };
        wanted.iter().map(hash).collect()
    }

    /// The layers as one, if the mode wants that and they are not yet.
    fn merged(&mut self, path: &Path) -> Result<Option<Tree>, Error> {
        if self.mode.is_by_layer() || self.is_merged {
            return Ok(None);
        }
        let trees: Vec<&Tree> = self.layers.iter().map(|layer| &*layer.tree).collect();
        let merged = tree::merge_noting(&trees, &self.merge, &mut *self.notes);
        merged.map(Some).map_err(|error| Error::Merge { file: path.to_owned(), error })
    }

    /// The filesystems that are to be made: one, or one of each layer.
    fn wanted<'w>(&'w self, merged: Option<&'w Tree>) -> Vec<Wanted<'w>> {
        if let Some(tree) = merged {
            let origins = tree.origins().iter();
            let origins = origins.map(|origin| (origin.layer, origin.device)).collect();
            return vec![Wanted { name: IMAGE.to_owned(), tree, origins }];
        }
        let layers = self.layers.iter().enumerate();
        let wanted = layers.map(|(index, layer)| Wanted {
            name: match self.is_merged {
                true => IMAGE.to_owned(),
                false => export::stem(&layer.tree, index),
            },
            tree: &layer.tree,
            origins: (0..layer.tree.devices().len()).map(|at| (index, at)).collect(),
        });
        wanted.collect()
    }

    /// A file for each layer, in a directory.
    fn each(&self, directory: &Path, wanted: &[Wanted<'_>]) -> Result<Made, Error> {
        let kept = Directory::new(directory)?;
        let mut made = Made { outputs: Vec::new(), exported: Vec::new(), directory: Some(kept) };
        let mut names = BTreeMap::new();
        let extension = self.form.extension(self.product);
        for (index, one) in wanted.iter().enumerate() {
            let path = directory.join(format!("{}.{extension}", one.name));
            let (outputs, exported) = self.one(&path, core::slice::from_ref(one))?;
            made.exported.push(exported);
            // The same layer again has the same name and the same bytes.
            match names.get(&path).copied() {
                None => made.outputs.extend(outputs),
                Some(other) if self.layers[index].is_same(&self.layers[other])? => {}
                Some(other) => {
                    return Err(Error::SameName { file: path, layers: (other, index) });
                }
            }
            names.insert(path, index);
        }
        Ok(made)
    }

    /// Makes one output.
    fn one(&self, path: &Path, wanted: &[Wanted<'_>]) -> Result<One, Error> {
        self.spare(path)?;
        let only = match (wanted, self.form, self.partitioning) {
            ([only], Form::Raw, None) => only,
            ([], ..) => return Err(self.failed(path, export::Error::NoLayer)),
            _ => return self.over(path, wanted),
        };
        let fitted = layout::fitted(only.tree, &self.options.layout);
        let tree = fitted.map_err(|error| self.failed(path, error))?;
        let plan = Plan::new(&tree, self.product, &self.options);
        let plan = plan.map_err(|error| self.failed(path, error))?;
        let (sources, leaves) = (self.sources(only)?, self.leaves(only));
        let output = self.output(path)?;
        let (out, hashing) = (output.file(), &self.hashing);
        let written = write_plan(&plan, &sources, &leaves, out, hashing, &self.watch);
        let Written { sealed, copied } = written?;
        let disk = disk(plan.layout(), plan.bytes(), plan.disk().bytes, sealed);
        let exported = Exported {
            path: path.to_owned(),
            bytes: plan.bytes(),
            disks: vec![disk],
            gpt: None,
            files: Vec::new(),
            copied,
        };
        Ok((vec![output], exported))
    }

    /// Where the bytes of the devices are.
    pub(super) fn sources(&self, wanted: &Wanted<'_>) -> Result<Vec<&Backing<'a>>, Error> {
        let of = |&(layer, at): &(usize, usize)| self.layers[layer].backing(at);
        wanted.origins.iter().map(of).collect()
    }

    /// The digests kept of the devices.
    fn leaves(&self, wanted: &Wanted<'_>) -> Vec<Option<&Leaves>> {
        let of = |&(layer, at): &(usize, usize)| {
            self.layers[layer].leaves.get(at).and_then(|leaves| leaves.as_deref())
        };
        wanted.origins.iter().map(of).collect()
    }

    /// An empty file that will be called `path`.
    pub(super) fn output(&self, path: &Path) -> Result<Output, Error> {
        match &self.beside {
            Some(directory) => Output::within(directory, path),
            None => Output::new(path),
        }
    }

    /// The error of an output that cannot be planned.
    pub(super) fn failed(&self, path: &Path, error: impl Into<export::Error>) -> Error {
        Error::Export { file: path.to_owned(), error: error.into() }
    }

    /// Refuses to take the place of a file that is read, or of what is no file.
    fn spare(&self, path: &Path) -> Result<(), Error> {
        let Ok(found) = fs::metadata(path) else { return Ok(()) };
        if !found.is_file() {
            return Err(Error::NotRegular { file: path.to_owned() });
        }
        let there = Identity::File { volume: found.dev(), number: found.ino() };
        self.layers.iter().try_for_each(|layer| layer.spare(path, there))
    }
}

/// What is known of a filesystem that was made.
pub(super) fn disk(
    layout: &Layout<'_>,
    bytes: u64,
    filesystem_bytes: u64,
    sealed: Option<Sealed>,
) -> ExportedDisk {
    let (block_size, devices) = (layout.block_size(), layout.devices().to_vec());
    let sources = layout.sources();
    ExportedDisk { bytes, filesystem_bytes, block_size, devices, sources, sealed }
}
