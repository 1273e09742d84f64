//! A manifest, and the configuration of the image that it is of.

use std::path::{Path, PathBuf};

use crate::cli::fail::{Done, Fail};
use crate::cli::platform::Platform;
use crate::layers::images::config::Config;
use crate::layers::images::document::{Class, Document};
use crate::layers::images::store::Store;
use crate::layers::images::{json, words};

/// A manifest, and where it stands.
pub(crate) struct Manifest {
    pub(crate) path: PathBuf,
    pub(crate) document: Document,
}

/// Refuses an image of another platform than the one that was asked for; answers which it is of.
pub(crate) fn fits(
    file: &Path,
    config: &Config,
    wanted: Option<&Platform>,
) -> Done<Option<Platform>> {
    let Some(wanted) = wanted else { return Ok(config.platform()) };
    match config.platform() {
        Some(has) if has.distance(wanted).is_some() => Ok(Some(has)),
        Some(has) => Err(Fail::of(file, format_args!("is an image for {has}, not for {wanted}"))),
        None => Err(Fail::of(file, "does not say for which platform the image is")),
    }
}

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
pub(crate) fn is_tar(media_type: &str) -> bool {
    let plain = media_type.split('+').next().unwrap_or_default();
    let plain = plain.strip_suffix(".gzip").or(plain.strip_suffix(".zstd")).unwrap_or(plain);
    media_type.is_empty() || [".tar", "/tar", "/x-tar"].iter().any(|end| plain.ends_with(end))
}

/// Whether a media type is that of a layer that is not compressed, as far as it says.
pub(crate) fn is_plain(media_type: &str) -> bool {
    !media_type.contains('+') && !media_type.ends_with(".gzip") && !media_type.ends_with(".zstd")
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
    let (path, bytes) = config_bytes(store, path, document)?;
    let config = json::parse(&path, &bytes, "a configuration")?;
    Ok((path, config))
}

/// The bytes of the configuration, checked, and its path.
pub(crate) fn config_bytes(
    store: &Store,
    path: &Path,
    document: &Document,
) -> Done<(PathBuf, Vec<u8>)> {
    if document.class(path)? == Class::Index {
        return Err(Fail::of(path, "is listed as a manifest, and is an index"));
    }
    if let Some(other) = other_than_image(document) {
        let why =
            format_args!("is not a container image, but of media type {}", words::quoted(other));
        return Err(Fail::of(path, why));
    }
    let Some(descriptor) = &document.config else {
        return Err(Fail::of(path, "has no configuration"));
    };
    let name = store.blob_name(descriptor, path)?;
    let bytes = store.checked(&name, descriptor, path)?;
    Ok((store.path(&name), bytes))
}
