//! Layers as they are given on the command line: trees, and the files of their devices.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::read::{DevicesAt, Image, TreeOptions};
use erofs_tarfs::tar::End;
use erofs_tarfs::tree::{LayerOptions, Tree};
use erofs_tarfs::verity::Leaves;

use crate::fail::{Done, Fail};
use crate::input::{self, Kind};
use crate::progress::Progress;
use crate::spool::{self, Spool};
use crate::{docker, find, oci, whole};

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
    /// How its tar ended, if it is one.
    pub(crate) end: Option<End>,
}

/// The layer that has a device, and its index there.
pub(crate) type Origin<'l> = (&'l Loaded, usize);

/// Where the devices of a tree are.
#[derive(Debug)]
pub(crate) enum Backing {
    /// All in this file.
    File(NamedFile),
    /// Those of the first `slots` each in its own, to be found in `dir`; what follows in `image`.
    Tars {
        /// Where to look.
        dir: PathBuf,
        /// How many devices have slots in the image.
        slots: usize,
        /// Block size of the image in bytes.
        block: u64,
        /// Where the last byte of a file ends in each device.
        reach: Vec<u64>,
        /// The image itself, which has file data too.
        image: NamedFile,
    },
}

impl Loaded {
    /// Opens the file of the device at `index`.
    pub(crate) fn source(&self, index: usize) -> Done<NamedFile> {
        match &self.backing {
            Backing::File(file) => again(file),
            Backing::Tars { slots, image, .. } if index >= *slots => again(image),
            Backing::Tars { dir, slots, block, reach, .. } => {
                let device = &self.tree.devices()[index];
                let tar = find::tar(&self.name, dir, device, *block, *slots == 1)?;
                whole::reaches(&tar, device.base_offset, reach[index])?;
                Ok(tar)
            }
        }
    }

    /// Opens the tar of the device at `index`, if it is a bootstrap's and is found.
    pub(crate) fn tar(&self, index: usize) -> Done<Option<NamedFile>> {
        let Backing::Tars { dir, slots, block, reach, .. } = &self.backing else { return Ok(None) };
        let device = &self.tree.devices()[index];
        let tar = find::maybe(&self.name, dir, device, *block, *slots == 1)?;
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
    let clone: Result<File, _> = file.file().try_clone();
    Ok(NamedFile::new(file.path(), clone.map_err(|error| Fail::of(file.path(), error))?))
}

/// Loads what an argument names: a layer, or all layers of an image.
pub(crate) fn load(arg: &Path, tars: Option<&Path>, spool: &mut Spool) -> Done<Vec<Loaded>> {
    if let Some(image) = arg.to_str().and_then(|arg| arg.strip_prefix("oci:")) {
        return oci::load(image, spool);
    }
    if let Some(file) = arg.to_str().and_then(|arg| arg.strip_prefix("docker-archive:")) {
        return docker::load(Path::new(file), spool);
    }
    let (file, kind) = input::open(arg)?;
    let loaded = match kind {
        Kind::Erofs => image(arg, file, tars)?,
        Kind::Tar => {
            // Its tag is its SHA-256, so all of it is read.
            let progress = Progress::new("reading", Some(file.bytes()?));
            let options = spool::ingest_options(None, true);
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
            spool.take(arg, &mut *reader, None, true)?.0
        }
    };
    Ok(vec![loaded])
}

/// Loads all that the arguments name, lowest first.
pub(crate) fn all(args: &[PathBuf], tars: Option<&Path>, spool: &mut Spool) -> Done<Vec<Loaded>> {
    let mut layers = Vec::new();
    for arg in args {
        layers.extend(load(arg, tars, spool)?);
    }
    Ok(layers)
}

/// Indexes a tar; a link to a file of a lower layer waits for the merge, or is an error.
pub(crate) fn layer(tar: NamedFile, tag: &str, keep_pending: bool) -> Done<Loaded> {
    let mut options = LayerOptions::default();
    options.tag = tag.as_bytes().to_vec();
    options.keep_pending = keep_pending;
    let progress = Progress::new("indexing", Some(tar.bytes()?));
    let layer = tarfs_io::index_file(&tar, options, &mut progress.observer())?;
    let name = tar.path().to_owned();
    let (backing, end) = (Backing::File(tar), Some(layer.end));
    Ok(Loaded { name, tree: layer.tree, backing, leaves: None, end })
}

/// Reads an image back, its devices where they are.
fn image(arg: &Path, file: NamedFile, tars: Option<&Path>) -> Done<Loaded> {
    read_image(arg, file, tars, true)
}

/// Reads an image back; without `layer_marks` whiteouts and their like stay what they are in it.
pub(crate) fn read_image(
    arg: &Path,
    file: NamedFile,
    tars: Option<&Path>,
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
        if tree.devices().iter().any(|device| device.tag.is_empty()) {
            // For what has no tag of its own: that of the whole file.
            let tag = spool::digest(&file, &mut |_| {})?.into_bytes();
            options.devices = DevicesAt::InFile { tag };
            tree = image.tree(&options).map_err(why)?;
        }
        for (device, reach) in tree.devices().iter().zip(whole::reach(&tree)) {
            whole::reaches(&file, device.base_offset, reach)?;
        }
        (tree, Backing::File(file))
    } else {
        options.devices = DevicesAt::Separate;
        let dir = tars.unwrap_or_else(|| crate::output::directory(arg));
        let (devices, block) = (image.devices(), image.block_size().bytes().into());
        let devices = devices.iter().map(|device| (&device.tag[..], device.blocks));
        crate::spare::tars(arg, dir, block, devices);
        let tree = image.tree(&options).map_err(why)?;
        let backing = Backing::Tars {
            reach: whole::reach(&tree),
            dir: dir.to_owned(),
            slots: image.devices().len(),
            block: image.block_size().bytes().into(),
            image: file,
        };
        (tree, backing)
    };
    Ok(Loaded { name: arg.to_owned(), tree, backing, leaves: None, end: None })
}

/// The bytes of an image, zeros for what is in its devices.
pub(crate) fn metadata(file: &NamedFile) -> Done<Vec<u8>> {
    Ok(tarfs_io::read_metadata(file)?)
}

/// All bytes of a small file.
pub(crate) fn contents(file: &NamedFile) -> Done<Vec<u8>> {
    let bytes = file.bytes()?;
    if bytes > 64 << 20 {
        return Err(Fail::of(file.path(), format_args!("{bytes} bytes are too many for JSON")));
    }
    let mut contents = vec![0; bytes as usize];
    file.read_exact_at(&mut contents, 0)?;
    Ok(contents)
}
