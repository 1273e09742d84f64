//! The blobs of a manifest, checked against their digests and diffIDs, as layers.

use std::io::Read;
use std::path::Path;

use erofs_tarfs::tree::Identity;

use crate::cli::fail::{Done, Fail};
use crate::cli::progress::Progress;
use crate::cli::reading_options::ReadingOptions;
use crate::files::kind::Kind;
use crate::files::stream;
use crate::layers::from_tar;
use crate::layers::images::config::Config;
use crate::layers::images::descriptor::Descriptor;
use crate::layers::images::manifest::{self, Manifest};
use crate::layers::images::store::{Blob, Store};
use crate::layers::images::words;
use crate::layers::loaded::Loaded;
use crate::layers::spool::Spool;

/// The layers of an image, lowest first.
pub(crate) fn load(
    store: &Store,
    manifest: &Manifest,
    how: &ReadingOptions<'_>,
    spool: &mut Spool,
) -> Done<Vec<Loaded>> {
    let Manifest { path, document } = manifest;
    let (config_path, config) = manifest::config(store, path, document)?;
    let platform = manifest::fits(&config_path, &config, how.platform)?;
    let layers = document.layers.as_deref().unwrap_or_default();
    for (index, layer) in layers.iter().enumerate() {
        is_usable(store, path, index, layer)?;
    }
    let diff_ids = as_many(path, layers.len(), &config)?;
    let layers = layers.iter().zip(diff_ids).filter(|(_, diff_id)| !how.passes_over(diff_id));
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
            format_args!("layer {number} {what} (media type {})", words::quoted(media_type)),
        )
    };
    if media_type.contains("+encrypted") {
        return Err(named("is encrypted"));
    }
    if !manifest::is_tar(media_type) {
        return Err(named("is no tar"));
    }
    let foreign = media_type.contains("nondistributable") || media_type.contains(".foreign.");
    if foreign && !store.has(&store.blob_name(layer, manifest)?) {
        let from = layer.urls.first().map(|url| format!(", but at {}", words::quoted(url)));
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
    how: &ReadingOptions<'_>,
    spool: &mut Spool,
) -> Done<Loaded> {
    let (path, blob) = store.verified(descriptor, manifest)?;
    let tag = if how.tag_blobs { Some(descriptor.hex(manifest)?) } else { None };
    if let Some(file) = blob.file {
        let (_, kind) =
            stream::with_kind(stream::reader(&file)?).map_err(|error| Fail::of(&path, error))?;
        if kind == Kind::Tar {
            // The blob is the device, and its digest, just checked, is of its bytes.
            let tag = descriptor.hex(manifest)?;
            let identity = Identity::of_checked_tag(tag.as_bytes());
            let layer = from_tar::indexed(file, how.layer.clone().tag(tag).identity(identity))?;
            return checked(&path, layer, tag, diff_id);
        }
        let reader = Box::new(stream::reader(&file)?);
        let blob = Blob { reader, file: None, ..blob };
        return tagged(&path, blob, tag, diff_id, how, spool);
    }
    tagged(&path, blob, tag, diff_id, how, spool)
}

/// Makes a layer of a blob as a stream.
pub(crate) fn unpack(
    path: &Path,
    blob: Blob<'_>,
    diff_id: &str,
    how: &ReadingOptions<'_>,
    spool: &mut Spool,
) -> Done<Loaded> {
    tagged(path, blob, None, diff_id, how, spool)
}

/// The same with a tag for the device, if it is not to be the digest of the tar.
fn tagged(
    path: &Path,
    blob: Blob<'_>,
    tag: Option<&str>,
    diff_id: &str,
    how: &ReadingOptions<'_>,
    spool: &mut Spool,
) -> Done<Loaded> {
    let (layer, digest) = unpack_unchecked(path, blob, tag, how, spool)?;
    checked(path, layer, &digest, diff_id)
}

/// The same where nothing says which digest is expected; answers which it is.
pub(crate) fn unpack_unchecked(
    path: &Path,
    blob: Blob<'_>,
    tag: Option<&str>,
    how: &ReadingOptions<'_>,
    spool: &mut Spool,
) -> Done<(Loaded, String)> {
    let failed = |error| Fail::of(path, error);
    let progress = Progress::new("unpacking", Some(blob.bytes));
    let (reader, kind) = stream::with_kind(progress.reader(blob.reader)).map_err(failed)?;
    if kind == Kind::Erofs {
        return Err(Fail::of(path, "is an EROFS image, not a tar"));
    }
    let mut reader: Box<dyn Read> =
        stream::uncompressed(kind, reader, how.ratio).map_err(failed)?;
    spool.take_with(path, &mut *reader, from_tar::reading(how, tag), tag)
}

/// A layer whose SHA-256, uncompressed, is what the configuration says. So it was not cut short,
/// however it ends.
fn checked(path: &Path, layer: Loaded, digest: &str, diff_id: &str) -> Done<Loaded> {
    match diff_id.strip_prefix("sha256:") {
        Some(expected) if expected == digest => {
            Ok(Loaded { end: None, diff_id: Some(digest.to_owned()), ..layer })
        }
        _ => {
            let diff_id = words::quoted(diff_id);
            let why = format_args!("uncompressed it has the digest {digest}, not {diff_id}");
            Err(Fail::of(path, why))
        }
    }
}
