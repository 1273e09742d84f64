//! What `docker save` writes: a tar with a list of images, their configurations and layers.

use serde::Deserialize;

use crate::cli::fail::{Done, Fail};
use crate::cli::reading_options::ReadingOptions;
use crate::layers::images::blobs::{Packed, Source};
use crate::layers::images::config::Config;
use crate::layers::images::image_name::{self, ImageName};
use crate::layers::images::store::Store;
use crate::layers::images::{blobs, json, manifest, old_docker, words};
use crate::layers::loaded::Loaded;
use crate::layers::spool::Spool;

/// The list of images.
const MANIFEST: &str = "manifest.json";

/// An image of the list.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    #[serde(default, deserialize_with = "json::lenient")]
    repo_tags: Vec<String>,
    #[serde(default, deserialize_with = "json::lenient")]
    layers: Vec<String>,
}

/// Loads the layers of an image, lowest first.
pub(crate) fn load(
    store: &Store,
    pick: &ImageName,
    how: &ReadingOptions<'_>,
    spool: &mut Spool,
) -> Done<Vec<Loaded>> {
    if pick.digest.is_some() {
        let why = "names images, not their digests: docker-archive:FILE:NAME:TAG or FILE:@N";
        return Err(Fail::of(store.name(), why));
    }
    if !store.has(MANIFEST) {
        return old_docker::load(store, pick, how, spool);
    }
    let path = store.path(MANIFEST);
    let all: Vec<Entry> = json::parse(&path, &store.bytes(MANIFEST)?, "a list of images")?;
    let image = choose(store, all, pick)?;
    let config_path = store.path(&image.config);
    let config: Config =
        json::parse(&config_path, &store.bytes(&image.config)?, "a configuration")?;
    let platform = manifest::fits(&config_path, &config, how.platform)?;
    let diff_ids = blobs::as_many(store.name(), image.layers.len(), &config)?;
    let layers = image.layers.iter().zip(diff_ids);
    let layers = layers.filter(|(_, diff_id)| !how.passes_over(diff_id));
    let layers: Vec<(&String, &String)> = layers.collect();
    let bytes = blobs::total(layers.iter().map(|(name, _)| Some(store.open(name).ok()?.bytes)));
    let layers = blobs::each(
        layers.into_iter(),
        bytes,
        how,
        spool,
        |(name, diff_id)| {
            let (path, reader) = (store.path(name), store.open(name)?.reader);
            let diff_id = Some(diff_id.clone());
            Ok(Source::Blob(Packed { path, reader, tag: None, diff_id, bytes: None, again: None }))
        },
        &|| {},
    )?;
    Ok(layers.into_iter().map(|layer| Loaded { platform: platform.clone(), ..layer }).collect())
}

/// The image that is meant. Entries of one configuration and the same layers are one image.
fn choose(store: &Store, all: Vec<Entry>, pick: &ImageName) -> Done<Entry> {
    let path = store.path(MANIFEST);
    let choices: Vec<String> = all.iter().enumerate().map(|(n, image)| called(n, image)).collect();
    let count = all.len();
    let mut fitting: Vec<Entry> = Vec::new();
    for (number, image) in all.into_iter().enumerate() {
        let fits = match (pick.number, &pick.name) {
            (Some(wanted), _) => wanted == number,
            (None, Some(name)) => {
                image.repo_tags.iter().any(|tag| image_name::same_name(tag, name))
            }
            (None, None) => true,
        };
        let same = |other: &Entry| other.config == image.config && other.layers == image.layers;
        if fits && !fitting.iter().any(same) {
            fitting.push(image);
        }
    }
    let asked = match (pick.number, &pick.name) {
        (Some(number), _) => format!("@{number}"),
        (None, Some(name)) => words::quoted(name),
        (None, None) => String::new(),
    };
    let listed = words::listed(choices);
    match fitting.len() {
        1 => Ok(fitting.remove(0)),
        0 if count == 0 => Err(Fail::of(path, "has no image")),
        0 => Err(Fail::of(path, format_args!("has no image {asked}, only {listed}"))),
        _ => Err(Fail::of(path, format_args!("has several images; say which: {listed}"))),
    }
}

/// How an image of the list can be asked for.
fn called(number: usize, image: &Entry) -> String {
    match image.repo_tags.is_empty() {
        true => format!("@{number}"),
        false => image
            .repo_tags
            .iter()
            .take(4)
            .map(|tag| words::quoted(tag))
            .collect::<Vec<_>>()
            .join(" or "),
    }
}
