//! Layers as they are given on the command line: trees, and the files of their devices.

use std::fs::File;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::read::{DevicesAt, Image, TreeOptions};
use erofs_tarfs::tree::{Device, LayerOptions, Tree};

use crate::fail::{Done, Fail};
use crate::input::{self, Kind};
use crate::progress::Progress;
use crate::spool::{self, Spool};
use crate::{docker, find, oci};

/// One layer.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What it is called in errors.
    pub(crate) name: PathBuf,
    /// What is in it.
    pub(crate) tree: Tree,
    /// Where all devices of the tree are.
    pub(crate) backing: Backing,
}

/// Where the devices of a tree are.
#[derive(Debug)]
pub(crate) enum Backing {
    /// All in this file.
    File(NamedFile),
    /// Each in its own, to be found in a directory.
    Tars(PathBuf),
}

impl Loaded {
    /// Opens the file of a device.
    pub(crate) fn source(&self, device: &Device) -> Done<NamedFile> {
        match &self.backing {
            Backing::File(file) => again(file),
            Backing::Tars(dir) => find::tar(&self.name, dir, device),
        }
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
            let progress = Progress::new("hashing", Some(file.bytes()?));
            let tag = spool::digest(&file, &mut progress.observer())?;
            layer(file, &tag)?
        }
        Kind::Gzip | Kind::Zstd => {
            let progress = Progress::new("unpacking", Some(file.bytes()?));
            let reader = progress.reader(input::reader(&file)?);
            let reader = input::uncompressed(kind, reader);
            let mut reader = reader.map_err(|error| Fail::of(arg, error))?;
            let (tar, tag) = spool.take(arg, &mut *reader, None)?;
            layer(tar, &tag)?
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

/// Indexes a tar.
pub(crate) fn layer(tar: NamedFile, tag: &str) -> Done<Loaded> {
    let mut options = LayerOptions::default();
    options.tag = tag.as_bytes().to_vec();
    // A link to a file of a lower layer waits for the merge.
    options.keep_pending = true;
    let progress = Progress::new("indexing", Some(tar.bytes()?));
    let layer = tarfs_io::index_file(&tar, options, &mut progress.observer())?;
    Ok(Loaded { name: tar.path().to_owned(), tree: layer.tree, backing: Backing::File(tar) })
}

/// Reads an image back, its devices where they are.
fn image(arg: &Path, file: NamedFile, tars: Option<&Path>) -> Done<Loaded> {
    let bytes = contents(&file)?;
    let why = |error: erofs_tarfs::read::Error| Fail::of(arg, error);
    let image = Image::new(&bytes).map_err(why)?;
    let mut options = TreeOptions::default();
    let backing = if holds_devices(&image, bytes.len() as u64) {
        // The tag is of the whole file: that is what a mount needs as device.
        let tag = spool::digest(&file, &mut |_| {})?.into_bytes();
        options.devices = DevicesAt::InFile { tag };
        Backing::File(file)
    } else {
        options.devices = DevicesAt::Separate;
        let beside = crate::output::directory(arg).to_owned();
        Backing::Tars(tars.map_or(beside, Path::to_owned))
    };
    let tree = image.tree(&options).map_err(why)?;
    Ok(Loaded { name: arg.to_owned(), tree, backing })
}

/// Whether the file has its devices inside: a disk, or an index with its tar behind it.
pub(crate) fn holds_devices(image: &Image<'_>, bytes: u64) -> bool {
    let block = u64::from(image.block_size().bytes());
    let devices = image.devices();
    let end = devices.iter().map(|device| (device.uniaddr + device.blocks).saturating_mul(block));
    // The last block of the last device may be short.
    end.max().unwrap_or(0) < bytes + block
}

/// All bytes of an image.
pub(crate) fn contents(file: &NamedFile) -> Done<Vec<u8>> {
    let bytes = usize::try_from(file.bytes()?).map_err(|error| Fail::of(file.path(), error))?;
    let mut contents = Vec::new();
    let room = contents.try_reserve_exact(bytes);
    room.map_err(|error| Fail::of(file.path(), error))?;
    contents.resize(bytes, 0);
    file.read_exact_at(&mut contents, 0)?;
    Ok(contents)
}
