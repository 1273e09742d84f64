//! Which files an export makes, and of which layers each.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use std::path::Path;

use super::begun;
use super::made::Directory;
use super::prepared::{Job, One, Wanted};
use super::state::State;
use super::watch::is_set;
use super::write::{Written, check_sources, hash_plan, write_plan};
use super::{Export, Exported, ExportedDisk, Made};
use crate::export::{self, Form, Plan, Product};
use crate::io::{Error, Output};
use crate::layout;
use crate::tree::{self, Tree};
use crate::verity::Sealed;

/// What the partition of merged layers is called.
const IMAGE: &str = "image";

impl Export<'_> {
    /// Makes all outputs, one after the other, and returns them in the order of the layers.
    ///
    /// `path` is the file, in place of what has that name. A mode by layer with several layers, or if
    /// `path` is a directory, writes a file for each into that directory, which is made if it is not
    /// there, named by the layer's tag: `TAG.disk`, or as the [form](Form::extension) says. With
    /// [partitions](Self::partitions) it is one file in any case.
    ///
    /// Files have no name until all are whole and on the disk: an error leaves nothing. When this returns,
    /// they are there after a power cut too, unless [`synced`](Self::synced) says otherwise. A directory
    /// that is made has its name when all files are in it.
    ///
    /// # Errors
    /// [`Error::Export`] for what cannot be planned, [`Error::Layer`], [`Error::Empty`],
    /// [`Error::Merge`]; [`Error::Count`] and [`Error::Kept`] for layers whose parts do not fit
    /// together; [`Error::IsInput`], [`Error::NotRegular`] and [`Error::SameName`] for names of outputs;
    /// [`Error::NoFile`] and [`Error::Name`] for forms over files; [`Error::Changed`] for a file that was
    /// written to meanwhile, as far as its times tell; [`Error::Cancelled`]; those of reading and
    /// writing.
    pub fn write(self, path: impl AsRef<Path>) -> Result<Vec<Exported>, Error> {
        let cancel = self.watch.cancel;
        let made = self.make(path)?;
        Output::sync(&made.outputs)?;
        // Bringing bytes to the disk may take long.
        if is_set(cancel) {
            return Err(Error::Cancelled);
        }
        made.named()
    }

    /// Hashes what would be made, in a mode with a hash tree, and writes nothing: geometry and root hash
    /// of each filesystem, in the order of the layers. They are those of the raw disk, whatever the
    /// form.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    ///
    /// # Examples
    /// ```no_run
    /// use erofs_tarfs::export::Mode;
    /// use erofs_tarfs::io::Export;
    ///
    /// let tars = ["base.tar", "app.tar"];
    /// let sealed = Export::new(Mode::ImageBlockWithVerity).tars(tars).hash()?;
    /// println!("{}", sealed[0].root());
    /// # Ok::<(), erofs_tarfs::io::Error>(())
    /// ```
    pub fn hash(self) -> Result<Vec<Sealed>, Error> {
        let name = Path::new(self.mode.name());
        Job::new(self, name)?.hash(name)
    }

    /// Makes all outputs, and lets the caller give them their names, or copy them to elsewhere.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn make(self, path: impl AsRef<Path>) -> Result<Made, Error> {
        Job::new(self, path.as_ref())?.run(path.as_ref())
    }
}

impl Job<'_> {
    /// Makes all files.
    pub(super) fn run(mut self, path: &Path) -> Result<Made, Error> {
        let (merged, begun) = (self.merged(path)?, self.export.begun.take());
        // A directory of outputs is made when they get their names.
        if self.export.beside.is_none() && !path.exists() {
            let parent = Output::directory(path);
            self.export.beside = Some(parent.to_owned());
        }
        let wanted = self.wanted(merged.as_ref());
        let by_layer = self.export.mode.is_by_layer() && self.export.partitioning.is_none();
        let made = match by_layer && (wanted.len() > 1 || path.is_dir()) {
            true => self.each(path, &wanted)?,
            false => Made::of(self.one(path, &wanted, begun)?),
        };
        self.end(&made.outputs)?;
        Ok(made)
    }

    /// The last look at what was read, but for what these outputs were made of where it was, and whether it is still
    /// wanted.
    fn end(&self, outputs: &[Output]) -> Result<(), Error> {
        let outputs = outputs.iter().map(|output| State::of(output.file()));
        let outputs = outputs.collect::<Result<Vec<_>, _>>()?;
        self.layers.iter().try_for_each(|layer| layer.unchanged(&outputs))?;
        self.export.watch.check()
    }

    /// Hashes all that would be made. Errors of the whole name `path`.
    pub(super) fn hash(mut self, path: &Path) -> Result<Vec<Sealed>, Error> {
        let merged = self.merged(path)?;
        let wanted = self.wanted(merged.as_ref());
        let hash = |only: &Wanted<'_>| {
            let tree = layout::fitted(only.tree, &self.export.options.layout);
            let tree = tree.map_err(|error| self.failed(path, error))?;
            let plan = Plan::new(&tree, self.export.mode.product(), &self.export.options);
            let plan = plan.map_err(|error| self.failed(path, error))?;
            let none = || self.failed(path, export::Error::NoTree);
            let geometry = plan.geometry().ok_or_else(none)?;
            let (sources, leaves) = (self.sources(only)?, self.leaves(only));
            check_sources(&plan, &sources)?;
            let put = &|_: u64, _: &[u8]| Ok(());
            let (hashing, watch) = (&self.export.hashing, &self.export.watch);
            hash_plan(&plan, geometry, &sources, &leaves, (path, put), hashing, watch)
        };
        let hashed = wanted.iter().map(hash).collect::<Result<_, _>>()?;
        self.end(&[])?;
        Ok(hashed)
    }

    /// The layers as one, if the mode wants that and they are not yet, with what is changed of them; else each
    /// is changed where it is.
    fn merged(&mut self, path: &Path) -> Result<Option<Tree>, Error> {
        let failed = |error| Error::Merge { file: path.to_owned(), error };
        if self.export.mode.is_by_layer() || self.is_merged {
            let Export { changes, choices, .. } = &mut self.export;
            for layer in &mut self.layers {
                if let Cow::Owned(changed) = choices.change(&layer.tree, changes).map_err(failed)? {
                    layer.tree = Cow::Owned(changed);
                }
            }
            return Ok(None);
        }
        let trees: Vec<&Tree> = self.layers.iter().map(|layer| &*layer.tree).collect();
        let merged = tree::merge_noting(&trees, &self.export.merge, &mut *self.export.notes);
        let merged = merged.map_err(failed)?;
        let Export { changes, choices, .. } = &mut self.export;
        Ok(Some(match choices.change(&merged, changes).map_err(failed)? {
            Cow::Borrowed(_) => merged,
            Cow::Owned(changed) => changed,
        }))
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
        let kept = Directory::new(directory, self.export.synced)?;
        let mut made = Made { directory: Some(kept), ..Made::default() };
        let mut names = BTreeMap::new();
        let extension = self.export.form.extension(self.export.mode.product());
        for (index, one) in wanted.iter().enumerate() {
            let path = directory.join(format!("{}.{extension}", one.name));
            let (outputs, exported, over) = self.one(&path, core::slice::from_ref(one), None)?;
            made.exported.push(exported);
            made.over.extend(over);
            // A layer that is there twice has one output: the name and the bytes are the same.
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

    /// Makes one output, in a file that was begun if that has all devices at their places.
    fn one(&self, path: &Path, wanted: &[Wanted<'_>], begun: Option<Output>) -> Result<One, Error> {
        self.spare(path)?;
        let only = match (wanted, self.export.form, self.export.partitioning) {
            ([only], Form::Raw, None) => only,
            ([], ..) => return Err(self.failed(path, export::Error::NoLayer)),
            _ => return self.over(path, wanted),
        };
        let fitted = layout::fitted(only.tree, &self.export.options.layout);
        let tree = fitted.map_err(|error| self.failed(path, error))?;
        let plan = Plan::new(&tree, self.export.mode.product(), &self.export.options);
        let plan = plan.map_err(|error| self.failed(path, error))?;
        let (sources, leaves) = (self.sources(only)?, self.leaves(only));
        let begun = match begun.filter(|_| plan.product() != Product::HashTree) {
            Some(begun) if begun::is_whole(plan.disk(), &sources, begun.file())? => Some(begun),
            _ => None,
        };
        let is_begun = begun.is_some();
        let output = match begun {
            Some(mut begun) => {
                begun.rename(path)?;
                begun.synced(self.export.synced)
            }
            None => self.output(path)?,
        };
        let (out, hashing) = ((output.file(), is_begun), &self.export.hashing);
        let written = write_plan(&plan, &sources, &leaves, out, hashing, &self.export.watch);
        let Written { sealed, copied } = written?;
        let disk = ExportedDisk::of(plan.layout(), plan.bytes(), plan.disk().bytes, sealed);
        let exported = Exported {
            path: path.to_owned(),
            bytes: plan.bytes(),
            disks: vec![disk],
            gpt: None,
            files: Vec::new(),
            copied,
        };
        Ok((vec![output], exported, Vec::new()))
    }
}
