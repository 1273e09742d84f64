//! All outputs of a mode.

use alloc::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::output::Output;
use super::{Step, Written, write_plan};
use crate::export::{self, Mode, Options, Plan, Product};
use crate::ingest;
use crate::io::verity::Options as Hashing;
use crate::io::{Copied, Error, NamedFile, ingest as read_tar};
use crate::layout::{self, PlannedDevice};
use crate::tree::{MergeOptions, Tree, merge};
use crate::verity::{Leaves, Params, Sealed};

/// Makes disks and hash trees of layers in one of the six [modes](Mode).
///
/// # Examples
/// Three tars, lowest first, become one sealed disk:
/// ```no_run
/// use erofs_tarfs::export::Mode;
/// use erofs_tarfs::io::Export;
///
/// let mut export = Export::new(Mode::ImageBlockWithVerity);
/// for tar in ["base.tar", "app.tar", "fix.tar"] {
///     export = export.tar(tar)?;
/// }
/// for made in export.write("image.disk")? {
///     let sealed = made.sealed.expect("the mode has a hash tree");
///     println!("{}", sealed.root());
///     println!("{}", sealed.open_command("image.disk", "image", "image.disk"));
///     println!("mount -t erofs /dev/mapper/image /mnt");
/// }
/// # Ok::<(), erofs_tarfs::io::Error>(())
/// ```
pub struct Export<'a> {
    mode: Mode,
    options: Options,
    merge: MergeOptions,
    hashing: Hashing,
    layers: Vec<Layer>,
    observer: Box<dyn Fn(Step, u64) + Sync + 'a>,
}

/// A layer, the files of its devices, and the digests kept of them.
struct Layer {
    tree: Tree,
    sources: Vec<NamedFile>,
    leaves: Vec<Option<Leaves>>,
}

/// An output.
#[derive(Debug)]
#[non_exhaustive]
pub struct Exported {
    /// The file.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// Length of the filesystem in bytes.
    pub disk_bytes: u64,
    /// The devices in it, in their order.
    pub devices: Vec<PlannedDevice>,
    /// Geometry and root hash, if the mode has a hash tree.
    pub sealed: Option<Sealed>,
    /// How the bytes of the tars got into the disk, if the mode has one.
    pub copied: Option<Copied>,
}

impl core::fmt::Debug for Export<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { mode, options, merge, hashing, layers, .. } = self;
        f.debug_struct("Export")
            .field("mode", mode)
            .field("options", options)
            .field("merge", merge)
            .field("hashing", hashing)
            .field("layers", &layers.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Export<'a> {
    /// No layer yet; options of [`Options::default`].
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            options: Options::default(),
            merge: MergeOptions::default(),
            hashing: Hashing::default(),
            layers: Vec::new(),
            observer: Box::new(|_, _| {}),
        }
    }

    /// How disks are laid out and hashed.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// How layers become one.
    #[must_use]
    pub fn merging(mut self, merge: MergeOptions) -> Self {
        self.merge = merge;
        self
    }

    /// How hashing goes about it: no byte depends on it.
    #[must_use]
    pub fn hashing(mut self, hashing: Hashing) -> Self {
        self.hashing = hashing;
        self
    }

    /// Is told how many bytes each step dealt with, by any thread.
    #[must_use]
    pub fn observer(mut self, observer: impl Fn(Step, u64) + Sync + 'a) -> Self {
        self.observer = Box::new(observer);
        self
    }

    /// Adds the layer of a tar above those that are there. It is read once, for its entries and its
    /// SHA-256, which is the tag of its device; in a mode with a hash tree also for the digests of its
    /// data blocks, 1/16 of its size in memory at 512 bytes a block.
    ///
    /// # Errors
    /// [`Error::Open`], [`Error::Read`], [`Error::Layer`].
    pub fn tar(self, path: impl Into<PathBuf>) -> Result<Self, Error> {
        let file = NamedFile::open(path)?;
        let mut options = ingest::Options::default();
        // A hard link to a file of a lower layer waits for the merge.
        options.layer.keep_pending = !self.mode.is_by_layer();
        (options.diff_id, options.tag_diff_id) = (true, true);
        options.leaves = self.keeps_leaves().cloned();
        let reader = file
            .file()
            .try_clone()
            .map_err(|error| Error::Open { file: file.path().to_owned(), error })?;
        let done = read_tar(file.path(), reader, options, None, &mut |_| {})?;
        let devices = done.layer.tree.devices().len();
        let sources = if devices == 0 { Vec::new() } else { vec![file] };
        let leaves = sources.iter().map(|_| done.leaves.clone()).collect();
        Ok(self.layer(done.layer.tree, sources, leaves))
    }

    /// Adds a layer above those that are there: its tree, the files of its devices in their order, and
    /// the digests kept of them, none or one for each.
    #[must_use]
    pub fn layer(
        mut self,
        tree: Tree,
        sources: Vec<NamedFile>,
        leaves: Vec<Option<Leaves>>,
    ) -> Self {
        self.layers.push(Layer { tree, sources, leaves });
        self
    }

    fn keeps_leaves(&self) -> Option<&Params> {
        let has_tree = self.mode.product() != Product::Disk;
        has_tree.then_some(&self.options.verity)
    }

    /// Makes all outputs, one after the other; answers them in the order of the layers.
    ///
    /// `path` is the file, in place of what has that name. A mode by layer with several layers, or if
    /// `path` is a directory, writes a file for each into that directory, which is made if it is not
    /// there, named by the layer's tag: `TAG.disk`, or `TAG.verity` for the tree alone.
    ///
    /// Files have no name until all are whole and on the disk: an error leaves nothing.
    ///
    /// # Errors
    /// [`Error::Export`] for what cannot be planned, [`Error::Merge`], [`Error::IsInput`],
    /// [`Error::SameName`]; those of [`write_plan`].
    pub fn write(self, path: impl AsRef<Path>) -> Result<Vec<Exported>, Error> {
        let path = path.as_ref();
        let plans = |error| Error::Export { file: path.to_owned(), error };
        self.options.check(self.mode.product()).map_err(plans)?;
        if self.mode.is_by_layer() && (self.layers.len() > 1 || path.is_dir()) {
            return self.each(path);
        }
        let trees: Vec<&Tree> = self.layers.iter().map(|layer| &layer.tree).collect();
        let merged;
        let (tree, origins): (&Tree, Vec<_>) = match (self.mode.is_by_layer(), &trees[..]) {
            (true, [tree]) => (*tree, (0..tree.devices().len()).map(|at| (0, at)).collect()),
            _ => {
                merged = merge(&trees, &self.merge)
                    .map_err(|error| Error::Merge { file: path.to_owned(), error })?;
                let origins = merged.origins().iter();
                (&merged, origins.map(|origin| (origin.layer, origin.device)).collect())
            }
        };
        let (output, exported) = self.one(tree, &origins, path)?;
        Output::finish(vec![output])?;
        Ok(vec![exported])
    }

    /// A file for each layer, in a directory.
    fn each(&self, directory: &Path) -> Result<Vec<Exported>, Error> {
        let made = Directory::new(directory)?;
        let mut names = BTreeMap::new();
        let (mut outputs, mut all) = (Vec::new(), Vec::new());
        for (index, layer) in self.layers.iter().enumerate() {
            let extension = self.mode.product().extension();
            let stem = export::stem(&layer.tree, index);
            let path = directory.join(format!("{stem}.{extension}"));
            let origins: Vec<_> = (0..layer.tree.devices().len()).map(|at| (index, at)).collect();
            let (output, exported) = self.one(&layer.tree, &origins, &path)?;
            all.push(exported);
            // The same layer again has the same name and the same bytes.
            match names.insert(path.clone(), layer) {
                None => outputs.push(output),
                Some(other) if other.tree.devices() == layer.tree.devices() => {}
                Some(_) => return Err(Error::SameName { file: path }),
            }
        }
        Output::finish(outputs)?;
        made.keep();
        Ok(all)
    }

    /// Makes the output of one tree; each of its devices is one of a layer's.
    fn one(
        &self,
        tree: &Tree,
        origins: &[(usize, usize)],
        path: &Path,
    ) -> Result<(Output, Exported), Error> {
        let plans = |error| Error::Export { file: path.to_owned(), error };
        let (mut sources, mut leaves) = (Vec::new(), Vec::new());
        for &(layer, at) in origins {
            let layer = &self.layers[layer];
            let missing = Error::MissingSource { device: at, sources: layer.sources.len() };
            sources.push(layer.sources.get(at).ok_or(missing)?.try_clone()?);
            leaves.push(layer.leaves.get(at).and_then(Option::as_ref));
        }
        self.spare(path)?;
        let fitted = layout::fitted(tree, &self.options.layout);
        let tree = fitted.map_err(|error| plans(error.into()))?;
        let plan = Plan::new(&tree, self.mode.product(), &self.options).map_err(plans)?;
        let output = Output::new(path)?;
        let Written { sealed, copied } =
            write_plan(&plan, &sources, &leaves, output.file(), &self.hashing, &*self.observer)?;
        let exported = Exported {
            path: path.to_owned(),
            bytes: plan.bytes(),
            disk_bytes: plan.disk().bytes,
            devices: plan.layout().devices()[..plan.layout().sources()].to_vec(),
            sealed,
            copied,
        };
        Ok((output, exported))
    }

    /// Refuses to take the place of a file that is read.
    fn spare(&self, path: &Path) -> Result<(), Error> {
        if !path.exists() {
            return Ok(());
        }
        let there = NamedFile::open(path)?.identity()?;
        for source in self.layers.iter().flat_map(|layer| &layer.sources) {
            if source.identity()? == there {
                return Err(Error::IsInput { file: path.to_owned() });
            }
        }
        Ok(())
    }
}

/// A directory that is gone again when nothing came of it.
struct Directory(Option<PathBuf>);

impl Directory {
    fn new(path: &Path) -> Result<Self, Error> {
        if path.is_dir() {
            return Ok(Self(None));
        }
        match fs::create_dir(path) {
            Ok(()) => Ok(Self(Some(path.to_owned()))),
            Err(error) => Err(Error::Write { file: path.to_owned(), offset: 0, error }),
        }
    }

    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // Not if it has something in it, whosever that is.
            let _ = fs::remove_dir(path);
        }
    }
}
