//! What `docker save` wrote before Docker 1.10: a directory for each layer, which names its parent,
//! and a file of names. Nothing has a digest that could be checked.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::cli::fail::{Done, Fail};
use crate::cli::reading_options::ReadingOptions;
use crate::layers::images::blobs::{Packed, Source};
use crate::layers::images::config::Config;
use crate::layers::images::image_name::{self, ImageName};
use crate::layers::images::store::Store;
use crate::layers::images::{blobs, json, manifest, words};
use crate::layers::loaded::Loaded;
use crate::layers::spool::Spool;

/// Names, their tags, and the uppermost layer of each.
const REPOSITORIES: &str = "repositories";

/// More layers than any image has; a chain of parents that is longer is not followed.
const MAX_LAYERS: usize = 4096;

/// What the file `json` of a layer should be.
const LAYER: &str = "a layer's description";

/// What a layer says of itself, besides its platform.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Layer {
    #[serde(deserialize_with = "json::lenient")]
    parent: String,
}

/// Loads the layers of an image, lowest first.
pub(crate) fn load(
    store: &Store,
    pick: &ImageName,
    how: &ReadingOptions<'_>,
    spool: &mut Spool,
) -> Done<Vec<Loaded>> {
    let (mut chain, mut platform) = (Vec::new(), None);
    let mut next = top(store, pick)?;
    while !next.is_empty() {
        let (id, parent) = parent(store, &next)?;
        if chain.is_empty() {
            let name = format!("{id}/json");
            let config: Config = json::parse(&store.path(&name), &store.bytes(&name)?, LAYER)?;
            platform = manifest::fits(&store.path(&name), &config, how.platform)?;
        }
        chain.push(id);
        if chain.len() > MAX_LAYERS {
            return Err(Fail::of(store.name(), "has layers that are each other's parents"));
        }
        next = parent;
    }
    chain.reverse();
    let tar = |id: &String| format!("{id}/layer.tar");
    let bytes: Vec<u64> =
        chain.iter().map(|id| Ok(store.open(&tar(id))?.bytes)).collect::<Done<_>>()?;
    let all = blobs::total(bytes.iter().copied().map(Some));
    let mut layers = blobs::each(
        chain.iter(),
        all,
        how,
        spool,
        |id| {
            let (path, reader) = (store.path(&tar(id)), store.open(&tar(id))?.reader);
            Ok(Source::Blob(Packed {
                path,
                reader,
                tag: None,
                diff_id: None,
                bytes: None,
                again: None,
            }))
        },
        &|| {},
    )?;
    for (layer, bytes) in layers.iter_mut().zip(bytes) {
        // A file of nothing in the archive is a layer with nothing in it.
        layer.end = layer.end.take().filter(|_| bytes > 0);
        layer.platform.clone_from(&platform);
    }
    Ok(layers)
}

/// The name of a layer's directory, and its parent, if it has one.
fn parent(store: &Store, id: &str) -> Done<(String, String)> {
    // Later versions put the kind of digest before it.
    let id = id.strip_prefix("sha256:").unwrap_or(id);
    let name = format!("{id}/json");
    let layer: Layer = json::parse(&store.path(&name), &store.bytes(&name)?, LAYER)?;
    Ok((id.to_owned(), layer.parent))
}

/// The uppermost layer of the image that is meant.
fn top(store: &Store, pick: &ImageName) -> Done<String> {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    if store.has(REPOSITORIES) {
        let path = store.path(REPOSITORIES);
        let read: BTreeMap<String, BTreeMap<String, String>> =
            json::parse(&path, &store.bytes(REPOSITORIES)?, "a list of names")?;
        for (name, tags) in read {
            names.extend(tags.into_iter().map(|(tag, id)| (format!("{name}:{tag}"), id)));
        }
    }
    let asked =
        |found: &str| pick.name.as_ref().is_none_or(|name| image_name::same_name(found, name));
    let named = names.iter().filter(|(name, _)| asked(name)).map(|(_, id)| id.clone());
    let mut tops: BTreeSet<String> = named.collect();
    if names.is_empty() && pick.name.is_none() {
        tops = untagged(store)?;
    }
    if tops.is_empty() && names.is_empty() {
        let hint = match store.has("index.json") {
            true => " (index.json is there: oci-archive:FILE may be meant)",
            false => "",
        };
        let why = format_args!("has neither manifest.json nor {REPOSITORIES}{hint}");
        return Err(Fail::of(store.name(), why));
    }
    if pick.number.is_some() {
        let why = "is of before Docker 1.10: its images have names, but no numbers";
        return Err(Fail::of(store.name(), why));
    }
    let listed = || match names.is_empty() {
        true => words::listed(tops.iter().map(|id| words::quoted(id))),
        false => words::listed(names.keys().map(|name| words::quoted(name))),
    };
    match tops.len() {
        1 => Ok(tops.into_iter().next().unwrap_or_default()),
        0 => {
            let asked = words::quoted(pick.name.as_deref().unwrap_or_default());
            Err(Fail::of(store.name(), format_args!("has no image {asked}, only {}", listed())))
        }
        _ => {
            Err(Fail::of(store.name(), format_args!("has several images; say which: {}", listed())))
        }
    }
}

/// Layers that are nobody's parents: images that were saved by their ID have no name.
fn untagged(store: &Store) -> Done<BTreeSet<String>> {
    let (mut all, mut parents) = (BTreeSet::new(), BTreeSet::new());
    for name in store.archive_names() {
        if store.has(&format!("{name}/json")) && store.has(&format!("{name}/layer.tar")) {
            let (id, parent) = parent(store, &name)?;
            parents.insert(parent);
            all.insert(id);
        }
    }
    Ok(all.difference(&parents).cloned().collect())
}
