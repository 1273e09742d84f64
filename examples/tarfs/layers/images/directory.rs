//! Directories as `skopeo copy` writes them to `dir:`: a manifest, and blobs named by their digests.

use crate::cli::fail::{Done, Fail};
use crate::cli::reading_options::ReadingOptions;
use crate::layers::images::document::Class;
use crate::layers::images::image_name::ImageName;
use crate::layers::images::manifest::Manifest;
use crate::layers::images::store::Store;
use crate::layers::images::{blobs, choose};
use crate::layers::loaded::Loaded;
use crate::layers::spool::Spool;

/// The manifest, or the index of all platforms.
const MANIFEST: &str = "manifest.json";

/// Loads the layers of the image, lowest first.
pub(crate) fn load(
    store: &Store,
    how: &ReadingOptions<'_>,
    spool: &mut Spool,
) -> Done<Vec<Loaded>> {
    blobs::load(store, &manifest(store, how)?, how, spool)
}

/// The manifest of the image.
pub(crate) fn manifest(store: &Store, how: &ReadingOptions<'_>) -> Done<Manifest> {
    if !store.has(MANIFEST) && store.has("index.json") {
        return Err(Fail::of(
            store.name(),
            "has no manifest.json, but index.json: oci:DIR may be meant",
        ));
    }
    let path = store.path(MANIFEST);
    let document = store.named_document(MANIFEST)?;
    match document.class(&path)? {
        Class::Index => {
            let manifests = document.manifests.unwrap_or_default();
            choose::choose(store, &path, manifests, &ImageName::default(), how.platform)
        }
        _ => Ok(Manifest { path, document }),
    }
}
