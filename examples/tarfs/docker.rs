//! Images in files that `docker save` writes: a tar with a manifest, a configuration and layers.

use std::io::Read;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::NamedFile;
use oci_spec::image::ImageConfiguration;
use serde::Deserialize;

use crate::fail::{Done, Fail};
use crate::input;
use crate::load::{self, Backing, Loaded};
use crate::oci;
use crate::spool::Spool;
use crate::view::Body;

/// An image in `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    layers: Vec<String>,
}

/// Loads the layers of the image, lowest first.
pub(crate) fn load(path: &Path, spool: &mut Spool) -> Done<Vec<Loaded>> {
    let archive = open(path, &spool.dir())?;
    let inside = |name: &str| path.join(name);
    let manifest = bytes(&archive, "manifest.json")?;
    let manifest: Vec<Entry> = serde_json::from_slice(&manifest)
        .map_err(|error| Fail::of(inside("manifest.json"), error))?;
    let [image] = &manifest[..] else {
        let why = format_args!("has {} images instead of one", manifest.len());
        return Err(Fail::of(inside("manifest.json"), why));
    };
    let config = ImageConfiguration::from_reader(&bytes(&archive, &image.config)?[..]);
    let config = config.map_err(|error| Fail::of(inside(&image.config), error))?;
    let diff_ids = config.rootfs().diff_ids();
    if diff_ids.len() != image.layers.len() {
        let (layers, ids) = (image.layers.len(), diff_ids.len());
        return Err(Fail::of(path, format_args!("has {layers} layers, but {ids} diffIDs")));
    }
    let mut layers = Vec::new();
    for (name, diff_id) in image.layers.iter().zip(diff_ids) {
        let reader = file(&archive, name)?;
        let failed = |error| Fail::of(inside(name), error);
        let (reader, kind) = input::stream(reader).map_err(failed)?;
        let mut reader = input::uncompressed(kind, reader).map_err(failed)?;
        let (layer, digest) = spool.take(&inside(name), &mut *reader, None, true)?;
        oci::check_diff_id(&inside(name), &digest, diff_id)?;
        layers.push(layer);
    }
    Ok(layers)
}

/// The archive as a tree: its files are then looked up, wherever they stand.
fn open(path: &Path, dir: &Path) -> Done<Loaded> {
    let (file, kind) = input::open(path)?;
    if !kind.is_compressed() {
        return load::layer(file, "archive", true);
    }
    let reader = input::uncompressed(kind, input::reader(&file)?);
    let mut reader = reader.map_err(|error| Fail::of(path, error))?;
    let mut spool = Spool::Temporary(dir.to_owned());
    Ok(spool.take(path, &mut *reader, Some("archive"), true)?.0)
}

/// A file of the archive, as a stream.
fn file<'a>(archive: &'a Loaded, name: &str) -> Done<Body<'a, Vec<NamedFile>>> {
    let Backing::File(source) = &archive.backing else { unreachable!("a tar is a file") };
    let sources = vec![load::again(source)?];
    // Old archives have symbolic links for layers that they have already.
    let (mut at, mut hops) = (PathBuf::from(name), 0);
    loop {
        let id = crate::view::lookup(&archive.tree, &at).ok_or_else(|| {
            Fail::of(&archive.name, format_args!("has no {}", crate::quote::name(&at)))
        })?;
        match crate::view::link_target(&archive.tree, id) {
            Some(target) if hops < 8 => {
                at = resolve(&at, target);
                hops += 1;
            }
            _ => return Body::new(&archive.tree, id, sources, &archive.name),
        }
    }
}

/// A link's target, relative to the directory of the link.
fn resolve(link: &Path, target: &Path) -> PathBuf {
    let mut path = link.parent().map(Path::to_owned).unwrap_or_default();
    for part in target {
        match part.to_str() {
            Some("..") => _ = path.pop(),
            Some(".") => {}
            _ => path.push(part),
        }
    }
    path
}

/// A small file of the archive.
fn bytes(archive: &Loaded, name: &str) -> Done<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = file(archive, name)?.read_to_end(&mut bytes);
    read.map_err(|error| Fail::of(archive.name.join(name), error))?;
    Ok(bytes)
}
