//! The blobs of a manifest, checked against their digests and diffIDs, as layers.

use std::io::Read;
use std::path::{Path, PathBuf};

use erofs_tarfs::tree::Identity;

use super::choice::{self, Manifest};
use super::json::{self, Class, Config, Descriptor, Document, quoted};
use super::store::{Blob, Store};
use crate::fail::{Done, Fail};
use crate::input::{self, Kind};
use crate::load::{self, How, Loaded};
use crate::progress::Progress;
use crate::spool::Spool;

/// Whether a media type is that of a container image's configuration. Docker takes those for one
/// too that some registries answered before they knew better.
pub(crate) fn is_image_config(media_type: &str) -> bool {
    matches!(
        media_type,
        "" | "application/vnd.oci.image.config.v1+json"
            | "application/vnd.docker.container.image.v1+json"
            | "application/octet-stream"
            | "application/json"
            | "text/html"
    )
}

/// Whether a media type is that of a layer, in whatever compression.
fn is_tar(media_type: &str) -> bool {
    let plain = media_type.split('+').next().unwrap_or_default();
    let plain = plain.strip_suffix(".gzip").or(plain.strip_suffix(".zstd")).unwrap_or(plain);
    media_type.is_empty() || [".tar", "/tar", "/x-tar"].iter().any(|end| plain.ends_with(end))
}

/// What a manifest describes, if that is no container image. Signatures may have the configuration
/// of an image, but no layer.
pub(crate) fn other_than_image(document: &Document) -> Option<&str> {
    let config = document.config.as_ref()?;
    let layers = document.layers.as_deref().unwrap_or_default();
    let has_tar = layers.is_empty() || layers.iter().any(|layer| is_tar(&layer.media_type));
    match (is_image_config(&config.media_type), document.artifact_type.as_str()) {
        (true, _) if has_tar => None,
        (true, _) => layers.first().map(|layer| layer.media_type.as_str()),
        (false, "") => Some(&config.media_type),
        (false, artifact) => Some(artifact),
    }
}

/// The configuration of a manifest, and its path.
pub(crate) fn config(store: &Store, path: &Path, document: &Document) -> Done<(PathBuf, Config)> {
    if document.class(path)? == Class::Index {
        return Err(Fail::of(path, "is listed as a manifest, and is an index"));
    }
    if let Some(other) = other_than_image(document) {
        let why = format_args!("is not a container image, but of media type {}", quoted(other));
        return Err(Fail::of(path, why));
    }
    let Some(descriptor) = &document.config else {
        return Err(Fail::of(path, "has no configuration"));
    };
    let name = store.blob_name(descriptor, path)?;
    let bytes = store.checked(&name, descriptor, path)?;
    let path = store.path(&name);
    let config = json::parse(&path, &bytes, "a configuration")?;
    Ok((path, config))
}

/// The layers of an image, lowest first.
pub(crate) fn load(
    store: &Store,
    manifest: &Manifest,
    how: &How<'_>,
    spool: &mut Spool,
) -> Done<Vec<Loaded>> {
    let Manifest { path, document } = manifest;
    let (config_path, config) = config(store, path, document)?;
    let platform = choice::fits(&config_path, &config, how.platform)?;
    let layers = document.layers.as_deref().unwrap_or_default();
    for (index, layer) in layers.iter().enumerate() {
        is_usable(store, path, index, layer)?;
    }
    let diff_ids = as_many(path, layers.len(), &config)?;
    let layers = layers.iter().zip(diff_ids);
    layers
        .map(|(descriptor, diff_id)| {
            let layer = layer(store, path, descriptor, diff_id, how, spool)?;
            Ok(Loaded { platform: platform.clone(), ..layer })
        })
        .collect()
}

/// The diffIDs of layers, one for each.
pub(crate) fn as_many<'a>(path: &Path, layers: usize, config: &'a Config) -> Done<&'a [String]> {
    let diff_ids = config.diff_ids();
    match diff_ids.len() {
        ids if ids == layers => Ok(diff_ids),
        ids => Err(Fail::of(path, format_args!("has {layers} layers, but {ids} diffIDs"))),
    }
}

/// Refuses what is no layer, or not there, and says by its media type what it is.
fn is_usable(store: &Store, manifest: &Path, index: usize, layer: &Descriptor) -> Done {
    let media_type = layer.media_type.as_str();
    let named = |what: &str| {
        let number = index + 1;
        Fail::of(
            manifest,
            format_args!("layer {number} {what} (media type {})", quoted(media_type)),
        )
    };
    if media_type.contains("+encrypted") {
        return Err(named("is encrypted"));
    }
    if !is_tar(media_type) {
        return Err(named("is no tar"));
    }
    let foreign = media_type.contains("nondistributable") || media_type.contains(".foreign.");
    if foreign && !store.has(&store.blob_name(layer, manifest)?) {
        let from = layer.urls.first().map(|url| format!(", but at {}", quoted(url)));
        let from = from.unwrap_or_default();
        return Err(named(&format!("is foreign: it is not with the image{from}")));
    }
    Ok(())
}

fn layer(
    store: &Store,
    manifest: &Path,
    descriptor: &Descriptor,
    diff_id: &str,
    how: &How<'_>,
    spool: &mut Spool,
) -> Done<Loaded> {
    let (path, blob) = store.verified(descriptor, manifest)?;
    if let Some(file) = blob.file {
        let (_, kind) =
            input::stream(input::reader(&file)?).map_err(|error| Fail::of(&path, error))?;
        if kind == Kind::Tar {
            // The blob is the device, and its digest, just checked, is of its bytes.
            let tag = descriptor.hex(manifest)?;
            let mut options = how.layer.clone();
            options.tag = tag.as_bytes().to_vec();
            options.identity = Identity::of_checked_tag(&options.tag);
            let layer = load::layer(file, options)?;
            return checked(&path, layer, tag, diff_id);
        }
        let reader = Box::new(input::reader(&file)?);
        return unpack(&path, Blob { reader, file: None, ..blob }, diff_id, how, spool);
    }
    unpack(&path, blob, diff_id, how, spool)
}

/// Makes a layer of a blob as a stream.
pub(crate) fn unpack(
    path: &Path,
    blob: Blob<'_>,
    diff_id: &str,
    how: &How<'_>,
    spool: &mut Spool,
) -> Done<Loaded> {
    let (layer, digest) = unpack_unchecked(path, blob, how, spool)?;
    checked(path, layer, &digest, diff_id)
}

/// The same where nothing says which digest is expected; answers which it is.
pub(crate) fn unpack_unchecked(
    path: &Path,
    blob: Blob<'_>,
    how: &How<'_>,
    spool: &mut Spool,
) -> Done<(Loaded, String)> {
    let failed = |error| Fail::of(path, error);
    let progress = Progress::new("unpacking", Some(blob.bytes));
    let (reader, kind) = input::stream(progress.reader(blob.reader)).map_err(failed)?;
    if kind == Kind::Erofs {
        return Err(Fail::of(path, "is an EROFS image, not a tar"));
    }
    let mut reader: Box<dyn Read> = input::uncompressed(kind, reader).map_err(failed)?;
    spool.take(path, &mut *reader, how.layer.clone(), None)
}

/// A layer whose SHA-256, uncompressed, is what the configuration says. So it was not cut short,
/// however it ends.
fn checked(path: &Path, layer: Loaded, digest: &str, diff_id: &str) -> Done<Loaded> {
    match diff_id.strip_prefix("sha256:") {
        Some(expected) if expected == digest => Ok(Loaded { end: None, ..layer }),
        _ => {
            let diff_id = quoted(diff_id);
            let why = format_args!("uncompressed it has the digest {digest}, not {diff_id}");
            Err(Fail::of(path, why))
        }
    }
}
