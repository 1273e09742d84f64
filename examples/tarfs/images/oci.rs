//! OCI image layouts, in directories and in tars.

use super::choice::{self, Manifest};
use super::json::Class;
use super::layers;
use super::pick::Pick;
use super::store::Store;
use crate::fail::{Done, Fail};
use crate::load::{How, Loaded};
use crate::spool::Spool;

/// The outermost index.
const INDEX: &str = "index.json";

/// Loads the layers of an image, lowest first.
pub(crate) fn load(
    store: &Store,
    pick: &Pick,
    how: &How<'_>,
    spool: &mut Spool,
) -> Done<Vec<Loaded>> {
    let manifest = match &pick.digest {
        Some(digest) => choice::by_digest(store, digest, how.platform)?,
        None => by_index(store, pick, how)?,
    };
    layers::load(store, &manifest, how, spool)
}

fn by_index(store: &Store, pick: &Pick, how: &How<'_>) -> Done<Manifest> {
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
    choice::choose(store, &path, document.manifests.unwrap_or_default(), pick, how.platform)
}
