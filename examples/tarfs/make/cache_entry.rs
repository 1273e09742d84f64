//! Entries of containerd's layer content caches: a layer's disk, in a file named by its diffID.
//!
//! containerd mounts an entry by its path, through dm-verity if its sidecar is there. It does not look into
//! it before.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use erofs_tarfs::format::Incompat;
use erofs_tarfs::io::NamedFile;
use erofs_tarfs::io::verity::HashingOptions;
use erofs_tarfs::layout::LayoutOptions;
use erofs_tarfs::limits::Limits;
use erofs_tarfs::read::Image;
use erofs_tarfs::units::BlockSize;
use erofs_tarfs::verity::{HashPlacement, Params, Uuid};

use crate::cli::fail::{Done, Fail};
use crate::files::output::Output;
use crate::hash_tree::{search, sidecar};
use crate::layers::loaded::Loaded;
use crate::make::{image, sealed_image};
use crate::show::report::Report;

/// As many first bytes of an image as have its superblock and its device table.
const HEAD: u64 = 64 << 10;

/// What the entries of a cache are to be.
pub(crate) struct Wanted {
    pub(crate) block_size: BlockSize,
    /// Parameters of the hash trees, if there are to be some.
    pub(crate) params: Option<Params>,
    pub(crate) hashing: HashingOptions,
    pub(crate) limits: Limits,
}

/// An entry that is made, and has no name yet.
pub(crate) struct Made {
    pub(crate) blob: Output,
    pub(crate) sidecar: Option<Output>,
}

/// Where the entry of a layer is, by its SHA-256 in hex.
pub(crate) fn path(cache: &Path, diff_id: &str) -> PathBuf {
    cache.join("sha256").join(&diff_id[..2]).join(format!("{diff_id}.erofs"))
}

/// The UUID of an entry: as containerd gives it, where blocks have the size that containerd asks for.
///
/// With blocks of another size inodes have other places. An upper directory of overlayfs knows files by UUID and
/// place: over such an entry with the same UUID it would take some for others.
fn uuid(diff_id: &str, block_size: BlockSize) -> [u8; 16] {
    let digest = format!("sha256:{diff_id}");
    match block_size {
        BlockSize::B4096 => Uuid::of_blob(&digest).0,
        other => Uuid::of_blob(&format!("{digest} -b{}", other.bytes())).0,
    }
}

/// Makes the entry of a layer, which will be called `path`.
pub(crate) fn make(
    layer: &Loaded,
    diff_id: &str,
    path: &Path,
    wanted: &Wanted,
) -> Done<(Made, Report)> {
    let options = LayoutOptions::disk()
        .block_size(wanted.block_size)
        .uuid(uuid(diff_id, wanted.block_size))
        .limits(wanted.limits);
    let blob = Output::new(path)?;
    let report = image::write(path, &layer.tree, &options, &blob, || layer.sources());
    let mut report = report.map_err(|fail| of_layer(layer, fail))?;
    let mut beside = None;
    if let Some(params) = &wanted.params {
        report = sealed_image::seal(report, params, &wanted.hashing, &blob)?;
        if let Some(verity) = &mut report.verity {
            let sidecar = Output::new(&sidecar::beside(path))?;
            sidecar::write(&sidecar, &verity.sealed)?;
            verity.sidecar = Some(sidecar.path().display().to_string());
            beside = Some(sidecar);
        }
    }
    for output in beside.iter().chain([&blob]) {
        readable(output)?;
    }
    report.noted = layer.noted;
    Ok((Made { blob, sidecar: beside }, report))
}

/// An entry is named by its layer's digest: which layer it is, is said too.
fn of_layer(layer: &Loaded, fail: Fail) -> Fail {
    match fail {
        Fail::Failed(text) => Fail::of(&layer.name, text),
        fail => fail,
    }
}

/// Lets everybody read a file: a cache is shared, also with those who have no rights.
fn readable(output: &Output) -> Done {
    let set = output.file()?.file().set_permissions(fs::Permissions::from_mode(0o644));
    set.map_err(|error| Fail::of(output.path(), error))
}

/// Why an entry that is there is not what is wanted; nothing if it is.
///
/// Its data is not read: an entry has its name when it is whole.
pub(crate) fn fault(path: &Path, diff_id: &str, wanted: &Wanted) -> Done<Option<String>> {
    let said = |why: &str| Ok(Some(why.to_owned()));
    let file = NamedFile::open(path)?;
    let found = file.file().metadata().map_err(|error| Fail::of(path, error))?;
    if found.permissions().mode() & 0o444 != 0o444 {
        return said("not everybody may read it");
    }
    let len = file.bytes()?;
    let mut head = vec![0; len.min(HEAD) as usize];
    file.read_exact_at(&mut head, 0)?;
    let image = match Image::new(&head) {
        Ok(image) => image,
        Err(error) => return Ok(Some(format!("it is no image: {error}"))),
    };
    let (superblock, end) = (image.superblock(), image.end(len));
    if superblock.uuid != uuid(diff_id, image.block_size()) {
        return said("its UUID is not that of its layer");
    }
    if superblock.incompat().contains(Incompat::DEVICE_TABLE) {
        return said("it has a device table, which containerd refuses");
    }
    if image.block_size() != wanted.block_size {
        return Ok(Some(format!("its blocks have {} bytes", image.block_size().bytes())));
    }
    let beside = sidecar::beside(path);
    match (&wanted.params, beside.symlink_metadata().is_ok()) {
        (Some(_), false) => said("it has no sidecar"),
        (None, false) if len != end => {
            Ok(Some(format!("it has {len} bytes, its filesystem {end}")))
        }
        (None, false) => Ok(None),
        (params, true) => sealed_fault(&file, &beside, end, params.as_ref()),
    }
}

/// Why an entry with a sidecar, whose filesystem ends at a byte, is not sealed as it is to be.
fn sealed_fault(
    file: &NamedFile,
    beside: &Path,
    end: u64,
    params: Option<&Params>,
) -> Done<Option<String>> {
    let stated = match NamedFile::open(beside)
        .map_err(Fail::from)
        .and_then(|file| sidecar::parse(beside, &file))
    {
        Ok(stated) => stated,
        Err(fail) => return Ok(Some(format!("its sidecar: {fail}"))),
    };
    let place = HashPlacement::At(stated.hash_offset);
    let superblock = search::superblocks(file, None, place)?.into_iter().next();
    let superblock = superblock.and_then(|(read, _)| read.ok());
    let Some(geometry) = superblock.and_then(|found| found.geometry(place).ok()) else {
        return Ok(Some("there is no hash tree where its sidecar says".to_owned()));
    };
    let sizes = |params: &Params| (params.data_block(), params.hash_block());
    let is_other = |wanted: &Params| {
        (sizes(wanted), wanted.salt()) != (sizes(geometry.params()), geometry.params().salt())
    };
    let (data, len) = (geometry.data_bytes(), file.bytes()?);
    Ok(if params.is_some_and(is_other) {
        let (data, hash) = sizes(geometry.params());
        Some(format!("its hash tree is of {data}/{hash}, or of another salt"))
    } else if data < end || geometry.end() != len {
        Some("its hash tree does not fit it".to_owned())
    } else if search::root(file, file, &geometry)? != Some(stated.root) {
        Some("its hash tree has not the root hash of its sidecar".to_owned())
    } else {
        None
    })
}
