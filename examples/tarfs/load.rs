//! Layers as they are given on the command line: trees, and the files of their devices.

use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::read::{DevicesAt, Image, TreeOptions};
use erofs_tarfs::tar::End;
use erofs_tarfs::tree::{LayerOptions, MergeOptions, Tree};
use erofs_tarfs::verity::Leaves;

use crate::fail::{Done, Fail};
use crate::find::{self, Tars, Verify};
use crate::images::{self, Platform, Reference};
use crate::input::{self, Kind, STDIN};
use crate::merge;
use crate::notes::Noted;
use crate::progress::Progress;
use crate::spool::{self, Spool};
use crate::{spare, whole};

/// One layer.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What it is called in errors.
    pub(crate) name: PathBuf,
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
        tars: Tars,
        /// How many devices have slots in the image.
        slots: usize,
        /// Block size of the image in bytes.
        block: u64,
        /// Where the last byte of a file ends in each device.
        reach: Vec<u64>,
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
            Backing::File(file) => again(file),
            Backing::Tars { slots, image, .. } if index >= *slots => again(image),
            Backing::Tars { tars, slots, block, reach, .. } => {
                let device = &self.tree.devices()[index];
                let tar = tars.find(&self.name, device, *slots == 1, *block)?;
                whole::reaches(&tar, device.base_offset, reach[index])?;
                Ok(tar)
            }
            Backing::Layers(layers) => {
                let (layer, index) = merge::origins(&self.tree, layers)[index];
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
        let Backing::Tars { tars, slots, block, reach, .. } = &self.backing else {
            return Ok(None);
        };
        let device = &self.tree.devices()[index];
        let tar = tars.maybe(&self.name, device, *slots == 1, *block)?;
        tar.iter().try_for_each(|tar| whole::reaches(tar, device.base_offset, reach[index]))?;
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

/// A second handle on a file.
pub(crate) fn again(file: &NamedFile) -> Done<NamedFile> {
    Ok(file.try_clone()?)
}

/// How layers are to be found and read.
#[derive(Clone, Debug, Default)]
pub(crate) struct How<'a> {
    /// Where the tars of bootstraps are, if the user said it.
    pub(crate) tars: Option<&'a Path>,
    /// Which image of several is meant, if the user said it.
    pub(crate) platform: Option<&'a Platform>,
    /// How tars are read.
    pub(crate) layer: LayerOptions,
    /// How layers become one.
    pub(crate) merge: MergeOptions,
    /// Tag a device that has no tag with the digest of its file, for a bootstrap, over which the
    /// file is found by that. In a disk, which has the tar alone, it would be a wrong one.
    pub(crate) tag_files: bool,
}

/// Loads what an argument names: a layer, or all layers of an image.
pub(crate) fn load(arg: &Path, how: &How<'_>, spool: &mut Spool) -> Done<Vec<Loaded>> {
    if let Some(image) = Reference::parse(arg) {
        return images::load(&image, how, spool);
    }
    if arg == Path::new(STDIN) {
        return Ok(vec![stdin(how, spool)?]);
    }
    let (file, kind) = input::open(arg)?;
    let loaded = match kind {
        Kind::Erofs => return Ok(vec![read_image(arg, file, how, true)?]),
        // Whoever opened it chose a partition.
        Kind::Tar | Kind::Gpt => {
            // Its tag is its SHA-256, so all of it is read.
            let progress = Progress::new("reading", Some(file.bytes()?));
            let options = spool::ingest_options(how.layer.clone(), None);
            let reader = input::reader(&file)?;
            let observer = &mut progress.observer();
            let done = tarfs_io::ingest(arg, reader, options, None, observer)?;
            spool::loaded(file, done).0
        }
        Kind::Gzip | Kind::Zstd => {
            let progress = Progress::new("unpacking", Some(file.bytes()?));
            let reader = progress.reader(input::reader(&file)?);
            let reader = input::uncompressed(kind, reader);
            let mut reader = reader.map_err(|error| Fail::of(arg, error))?;
            spool.take(arg, &mut *reader, how.layer.clone(), None)?.0
        }
    };
    images::warn(arg, &loaded.tree);
    Ok(vec![loaded])
}

/// A layer on standard input: it goes to a file, since devices are files.
fn stdin(how: &How<'_>, spool: &mut Spool) -> Done<Loaded> {
    let name = Path::new("standard input");
    let failed = |error| Fail::of(name, error);
    let progress = Progress::new("reading", None);
    let reader = progress.reader(input::stdin().map_err(failed)?);
    let (mut reader, kind) = input::stream(reader).map_err(failed)?;
    if kind == Kind::Erofs {
        let mut file = tempfile::tempfile_in(spool.dir()).map_err(failed)?;
        io::copy(&mut reader, &mut file).map_err(failed)?;
        return read_image(name, NamedFile::new(name, file), how, true);
    }
    let mut reader = input::uncompressed(kind, reader).map_err(failed)?;
    let loaded = spool.take(name, &mut *reader, how.layer.clone(), None)?.0;
    images::warn(Path::new(STDIN), &loaded.tree);
    Ok(loaded)
}

/// Loads all that the arguments name, lowest first.
pub(crate) fn all(args: &[PathBuf], how: &How<'_>, spool: &mut Spool) -> Done<Vec<Loaded>> {
    if args.iter().filter(|arg| names_stdin(arg)).count() > 1 {
        return Err(Fail::Usage("standard input can be one layer only".to_owned()));
    }
    let mut layers = Vec::new();
    for arg in args {
        layers.extend(load(arg, how, spool)?);
    }
    Ok(layers)
}

/// The layers of one argument as one.
pub(crate) fn one(arg: &Path, mut layers: Vec<Loaded>, how: &How<'_>) -> Done<Loaded> {
    if layers.len() == 1 {
        return Ok(layers.remove(0));
    }
    let (tree, noted) = merge::merged(&layers, &how.merge)?;
    Ok(Loaded {
        name: arg.to_owned(),
        tree,
        backing: Backing::Layers(layers),
        leaves: None,
        platform: None,
        end: None,
        noted,
    })
}

/// Whether an argument is read from standard input.
fn names_stdin(arg: &Path) -> bool {
    let stdin = Path::new(STDIN);
    arg == stdin || Reference::parse(arg).is_some_and(|image| image.path == stdin)
}

/// Indexes a tar; a link to a file of a lower layer waits for the merge, or is an error.
pub(crate) fn layer(tar: NamedFile, options: LayerOptions) -> Done<Loaded> {
    let progress = Progress::new("indexing", Some(tar.bytes()?));
    let layer = tarfs_io::index_file(&tar, options, &mut progress.observer())?;
    let name = tar.path().to_owned();
    let (backing, noted, end) = (Backing::File(tar), Noted::of(&layer), Some(layer.end));
    Ok(Loaded { name, tree: layer.tree, backing, leaves: None, end, noted, platform: None })
}

/// Reads an image back, its devices where they are; without `layer_marks` whiteouts and their like stay what they are in it.
pub(crate) fn read_image(
    arg: &Path,
    file: NamedFile,
    how: &How<'_>,
    layer_marks: bool,
) -> Done<Loaded> {
    let bytes = metadata(&file)?;
    let why = |error: erofs_tarfs::read::Error| Fail::of(arg, error);
    let image = Image::new(&bytes).map_err(why)?;
    whole::check(&file, &image, &bytes)?;
    let mut options = TreeOptions::default();
    options.keep_layer_marks = layer_marks;
    options.identity = file.identity()?;
    let (tree, backing) = if image.holds_devices(bytes.len() as u64) {
        options.devices = DevicesAt::InFile { tag: Vec::new() };
        let mut tree = image.tree(&options).map_err(why)?;
        if how.tag_files && tree.devices().iter().any(|device| device.tag.is_empty()) {
            let tag = find::digest(&file)?.into_bytes();
            options.devices = DevicesAt::InFile { tag };
            tree = image.tree(&options).map_err(why)?;
        }
        for (device, reach) in tree.devices().iter().zip(whole::reach(&tree)) {
            whole::reaches(&file, device.base_offset, reach)?;
        }
        (tree, Backing::File(file))
    } else {
        options.devices = DevicesAt::Separate;
        let tars = Tars::of(arg, how.tars);
        let (devices, block) = (image.devices(), image.block_size().bytes().into());
        let devices = devices.iter().map(|device| (&device.tag[..], device.blocks));
        spare::tars(arg, &tars, block, devices);
        let tree = image.tree(&options).map_err(why)?;
        let backing = Backing::Tars {
            reach: whole::reach(&tree),
            tars,
            slots: image.devices().len(),
            block: image.block_size().bytes().into(),
            image: file,
        };
        (tree, backing)
    };
    Ok(Loaded {
        name: arg.to_owned(),
        tree,
        backing,
        leaves: None,
        platform: None,
        end: None,
        noted: Noted::default(),
    })
}

/// The bytes of an image, zeros for what is in its devices.
pub(crate) fn metadata(file: &NamedFile) -> Done<Vec<u8>> {
    Ok(tarfs_io::read_metadata(file)?)
}
