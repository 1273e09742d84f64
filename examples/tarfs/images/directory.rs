//! Directories as `skopeo copy` writes them to `dir:`: a manifest, and blobs named by their digests.

use super::choice::{self, Manifest};
use super::json::Class;
use super::layers;
use super::pick::Pick;
use super::store::Store;
use crate::fail::{Done, Fail};
use crate::load::{How, Loaded};
use crate::spool::Spool;

/// The manifest, or the index of all platforms.
const MANIFEST: &str = "manifest.json";

/// Loads the layers of the image, lowest first.
pub(crate) fn load(store: &Store, how: &How<'_>, spool: &mut Spool) -> Done<Vec<Loaded>> {
    if !store.has(MANIFEST) && store.has("index.json") {
        return Err(Fail::of(
            store.name(),
            "has no manifest.json, but index.json: oci:DIR may be meant",
        ));
    }
    let path = store.path(MANIFEST);
    let document = store.named_document(MANIFEST)?;
    let manifest = match document.class(&path)? {
        Class::Index => {
            let manifests = document.manifests.unwrap_or_default();
            choice::choose(store, &path, manifests, &Pick::default(), how.platform)?
        }
        _ => Manifest { path, document },
    };
    layers::load(store, &manifest, how, spool)
}
