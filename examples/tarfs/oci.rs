//! Images in OCI image layouts, as skopeo and umoci write them.

use std::path::{Path, PathBuf};

use erofs_tarfs::io::NamedFile;
use oci_spec::image::{Descriptor, ImageConfiguration, ImageIndex, ImageManifest, MediaType};

use crate::fail::{Done, Fail};
use crate::input;
use crate::load::{self, Loaded};
use crate::progress::Progress;
use crate::spool::{self, Spool};

/// The annotation of a tag.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// Loads the layers of `DIR[:TAG]`, lowest first.
pub(crate) fn load(image: &str, spool: &mut Spool) -> Done<Vec<Loaded>> {
    let (dir, tag) = match image.rsplit_once(':') {
        // A colon of the directory's name.
        Some((dir, tag)) if !tag.contains('/') && !Path::new(image).is_dir() => (dir, Some(tag)),
        _ => (image, None),
    };
    let dir = Path::new(dir);
    let path = dir.join("index.json");
    let index = ImageIndex::from_file(&path).map_err(|error| Fail::of(&path, error))?;
    let mut descriptor = choose(&path, index.manifests(), tag)?.clone();
    if *descriptor.media_type() == MediaType::ImageIndex {
        let nested = ImageIndex::from_reader(&json(dir, &descriptor)?[..]);
        let nested = nested.map_err(|error| Fail::of(blob(dir, &descriptor), error))?;
        descriptor = choose(&blob(dir, &descriptor), nested.manifests(), None)?.clone();
    }
    let path = blob(dir, &descriptor);
    let manifest = ImageManifest::from_reader(&json(dir, &descriptor)?[..]);
    let manifest = manifest.map_err(|error| Fail::of(&path, error))?;
    let config = ImageConfiguration::from_reader(&json(dir, manifest.config())?[..]);
    let config = config.map_err(|error| Fail::of(blob(dir, manifest.config()), error))?;
    let diff_ids = config.rootfs().diff_ids();
    if diff_ids.len() != manifest.layers().len() {
        let (layers, ids) = (manifest.layers().len(), diff_ids.len());
        return Err(Fail::of(&path, format_args!("has {layers} layers, but {ids} diffIDs")));
    }
    let layers = manifest.layers().iter().zip(diff_ids);
    layers.map(|(descriptor, diff_id)| layer(dir, descriptor, diff_id, spool)).collect()
}

/// The only manifest, or the one with the tag.
fn choose<'a>(file: &Path, all: &'a [Descriptor], tag: Option<&str>) -> Done<&'a Descriptor> {
    let tag_of = |descriptor: &'a Descriptor| {
        descriptor.annotations().as_ref().and_then(|all| all.get(REF_NAME)).map(String::as_str)
    };
    let mut fitting = all.iter().filter(|found| tag.is_none() || tag_of(found) == tag);
    match (fitting.next(), fitting.next(), tag) {
        (Some(only), None, _) => Ok(only),
        (None, _, Some(tag)) => {
            let tags: Vec<_> = all.iter().filter_map(tag_of).collect();
            Err(Fail::of(file, format_args!("has no tag {tag:?}, only {tags:?}")))
        }
        (None, _, None) => Err(Fail::of(file, "has no image")),
        (Some(_), Some(_), _) => {
            let tags: Vec<_> = all.iter().filter_map(tag_of).collect();
            Err(Fail::of(file, format_args!("has several images; say which by tag: {tags:?}")))
        }
    }
}

fn blob(dir: &Path, descriptor: &Descriptor) -> PathBuf {
    let digest = descriptor.digest();
    dir.join("blobs").join(digest.algorithm().as_ref()).join(digest.digest())
}

/// A small blob, checked.
fn json(dir: &Path, descriptor: &Descriptor) -> Done<Vec<u8>> {
    let file = verified(dir, descriptor)?;
    load::contents(&file)
}

/// Opens a blob and checks its length and its digest.
fn verified(dir: &Path, descriptor: &Descriptor) -> Done<NamedFile> {
    let path = blob(dir, descriptor);
    if descriptor.digest().algorithm().as_ref() != "sha256" {
        return Err(Fail::of(&path, "only SHA-256 digests can be checked"));
    }
    let (file, _) = input::open(&path)?;
    let (bytes, expected) = (file.bytes()?, descriptor.size());
    if bytes != expected {
        return Err(Fail::of(&path, format_args!("has {bytes} bytes instead of {expected}")));
    }
    let progress = Progress::new("checking", Some(bytes));
    let digest = spool::digest(&file, &mut progress.observer())?;
    if digest != descriptor.digest().digest() {
        return Err(Fail::of(&path, format_args!("does not have its digest, but {digest}")));
    }
    Ok(file)
}

fn layer(dir: &Path, descriptor: &Descriptor, diff_id: &str, spool: &mut Spool) -> Done<Loaded> {
    let path = blob(dir, descriptor);
    let file = verified(dir, descriptor)?;
    let (_, kind) = input::open(&path)?;
    if kind == input::Kind::Erofs {
        return Err(Fail::of(&path, "is an EROFS image, not a tar"));
    }
    let (layer, tag) = if kind.is_compressed() {
        let progress = Progress::new("unpacking", Some(descriptor.size()));
        let reader = progress.reader(input::reader(&file)?);
        let mut reader =
            input::uncompressed(kind, reader).map_err(|error| Fail::of(&path, error))?;
        spool.take(&path, &mut *reader, None, true)?
    } else {
        // The blob is the device, and its digest, just checked, is of its bytes.
        let tag = descriptor.digest().digest().to_owned();
        (load::layer(file, &tag, true)?, tag)
    };
    check_diff_id(&path, &tag, diff_id)?;
    Ok(layer)
}

/// Compares the SHA-256 of an uncompressed layer with what the configuration says.
pub(crate) fn check_diff_id(layer: &Path, digest: &str, diff_id: &str) -> Done {
    match diff_id.strip_prefix("sha256:") {
        Some(expected) if expected == digest => Ok(()),
        _ => {
            let why = format_args!("uncompressed it has the digest {digest}, not {diff_id}");
            Err(Fail::of(layer, why))
        }
    }
}
