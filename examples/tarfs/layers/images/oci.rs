//! OCI image layouts, in directories and in tars.

use crate::cli::fail::{Done, Fail};
use crate::cli::reading_options::ReadingOptions;
use crate::layers::images::document::Class;
use crate::layers::images::image_name::ImageName;
use crate::layers::images::manifest::Manifest;
use crate::layers::images::store::Store;
use crate::layers::images::{blobs, choose};
use crate::layers::loaded::Loaded;
use crate::layers::spool::Spool;

/// The outermost index.
const INDEX: &str = "index.json";

/// Loads the layers of an image, lowest first.
pub(crate) fn load(
    store: &Store,
    pick: &ImageName,
    how: &ReadingOptions<'_>,
    spool: &mut Spool,
) -> Done<Vec<Loaded>> {
    blobs::load(store, &manifest(store, pick, how)?, how, spool)
}

/// The manifest of an image.
pub(crate) fn manifest(
    store: &Store,
    pick: &ImageName,
    how: &ReadingOptions<'_>,
) -> Done<Manifest> {
    match &pick.digest {
        Some(digest) => choose::by_digest(store, digest, how.platform),
        None => by_index(store, pick, how),
    }
}

fn by_index(store: &Store, pick: &ImageName, how: &ReadingOptions<'_>) -> Done<Manifest> {
    if !store.has(INDEX) && store.has("manifest.json") {
        let why =
            "has no index.json, but manifest.json: docker-archive:FILE or dir:DIR may be meant";
        return Err(Fail::of(store.name(), why));
    }
    let path = store.path(INDEX);
    let document = store.named_document(INDEX)?;
    // Some writers leave the list out where nothing is in it.
    if document.config.is_some() || document.class(&path).is_ok_and(|class| class != Class::Index) {
        return Err(Fail::of(path, "is no index"));
    }
    choose::choose(store, &path, document.manifests.unwrap_or_default(), pick, how.platform)
}
