//! The one manifest of an index that is meant.
//!
//! What an index has besides images (attestations, signatures, charts) is passed over, and so are
//! images of other platforms, whose blobs may be absent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::cli::fail::{Done, Fail};
use crate::cli::platform::Platform;
use crate::layers::images::descriptor::Descriptor;
use crate::layers::images::document::Class;
use crate::layers::images::image_name::{self, ImageName};
use crate::layers::images::index::{Found, Leaf};
use crate::layers::images::manifest::{self, Manifest};
use crate::layers::images::store::Store;
use crate::layers::images::words;

/// Chooses from the outermost index.
pub(crate) fn choose(
    store: &Store,
    index: &Path,
    manifests: Vec<Descriptor>,
    pick: &ImageName,
    platform: Option<&Platform>,
) -> Done<Manifest> {
    let mut asked = asked(index, &manifests, pick)?;
    // Some writers list the manifests of an index beside it: they are its own.
    asked.sort_by_key(|descriptor| Class::of(&descriptor.media_type) != Some(Class::Index));
    let mut found = Found::default();
    for descriptor in asked {
        found.add(store, index, descriptor, descriptor.digest.clone(), 0)?;
    }
    if found.leaves.len() > 1 {
        found.look(store)?;
    }
    let Found { mut leaves, others, .. } = found;
    if leaves.is_empty() {
        let why = match others.is_empty() {
            true => "has no image".to_owned(),
            false => format!("has no container image, only {}", words::listed(others)),
        };
        return Err(Fail::of(index, why));
    }
    if pick.is_any() {
        one_image(index, &manifests, &leaves)?;
    }
    let leaf = match (leaves.len(), platform) {
        (1, None) => leaves.remove(0),
        (_, wanted) => best(store, index, leaves, wanted)?,
    };
    if !store.has_document(&leaf.descriptor, &leaf.listed)? {
        let of = leaf.platform.map(|platform| format!(" of {platform}")).unwrap_or_default();
        let digest = &leaf.descriptor.digest;
        let why = format_args!("lists the image{of}, but its manifest {digest} is not there");
        return Err(Fail::of(leaf.listed, why));
    }
    let (path, document) = store.document(&leaf.descriptor, &leaf.listed)?;
    Ok(Manifest { path, document })
}

/// The manifests of an index that the user's words fit.
fn asked<'a>(index: &Path, all: &'a [Descriptor], pick: &ImageName) -> Done<Vec<&'a Descriptor>> {
    if let Some(number) = pick.number {
        let why = || Fail::of(index, format_args!("has {} images, and no @{number}", all.len()));
        return Ok(vec![all.get(number).ok_or_else(why)?]);
    }
    let Some(name) = &pick.name else { return Ok(all.iter().collect()) };
    let named = |same: &dyn Fn(&str) -> bool| -> Vec<&Descriptor> {
        all.iter().filter(|descriptor| descriptor.names().any(same)).collect()
    };
    let mut fitting = named(&|found| found == name);
    if fitting.is_empty() {
        fitting = named(&|found| image_name::same_name(found, name));
    }
    if fitting.is_empty() {
        let names: BTreeSet<_> =
            all.iter().flat_map(Descriptor::names).map(words::quoted).collect();
        let why = match names.is_empty() {
            true => format!("has no image {}: none has a name", words::quoted(name)),
            false => format!("has no image {}, only {}", words::quoted(name), words::listed(names)),
        };
        return Err(Fail::of(index, why));
    }
    Ok(fitting)
}

/// Refuses images of several names where none was asked for. One image may have several names, and
/// several platforms one name.
fn one_image(index: &Path, manifests: &[Descriptor], leaves: &[Leaf]) -> Done {
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for leaf in leaves {
        names.entry(&leaf.top).or_default();
    }
    for descriptor in manifests {
        if let Some(names) = names.get_mut(descriptor.digest.as_str()) {
            names.extend(descriptor.names());
        }
    }
    let mut sets = names.values();
    let first = sets.next();
    if sets.all(|set| Some(set) == first) {
        return Ok(());
    }
    let choices = names.iter().map(|(digest, names)| match names.is_empty() {
        true => format!("@{digest}"),
        false => {
            names.iter().take(4).map(|name| words::quoted(name)).collect::<Vec<_>>().join(" or ")
        }
    });
    let why = format_args!("has several images; say which: {}", words::listed(choices));
    Err(Fail::of(index, why))
}

/// The manifest that serves the wanted platform, or this machine, best.
fn best(
    store: &Store,
    index: &Path,
    mut leaves: Vec<Leaf>,
    wanted: Option<&Platform>,
) -> Done<Leaf> {
    if let [only] = &mut leaves[..]
        && only.platform.is_none()
    {
        let (path, document) = store.document(&only.descriptor, &only.listed)?;
        only.platform = manifest::config(store, &path, &document)?.1.platform();
    }
    let here = Platform::here();
    let target = wanted.unwrap_or(&here);
    let choices = || {
        let all = leaves.iter().map(|leaf| match &leaf.platform {
            Some(platform) => platform.to_string(),
            None => format!("@{}, which names no platform", leaf.descriptor.digest),
        });
        words::listed(all.collect::<BTreeSet<String>>())
    };
    let distance = |leaf: &Leaf| leaf.platform.as_ref()?.distance(target);
    let Some(nearest) = leaves.iter().filter_map(distance).min() else {
        let hint = if wanted.is_none() { " (--platform)" } else { "" };
        let why = format_args!("has no image for {target}, only {}{hint}", choices());
        return Err(Fail::of(index, why));
    };
    let mut fitting: Vec<_> =
        leaves.iter().filter(|leaf| distance(leaf) == Some(nearest)).cloned().collect();
    if fitting.iter().any(|leaf| !leaf.descriptor.is_zstd_twin()) {
        fitting.retain(|leaf| !leaf.descriptor.is_zstd_twin());
    }
    match fitting.len() {
        1 => Ok(fitting.remove(0)),
        _ => {
            let digests = fitting.iter().map(|leaf| format!("@{}", leaf.descriptor.digest));
            let why = format_args!("has several images for {target}: {}", words::listed(digests));
            Err(Fail::of(index, why))
        }
    }
}

/// The manifest of a digest that the user gave, wherever the image keeps it.
pub(crate) fn by_digest(
    store: &Store,
    digest: &str,
    platform: Option<&Platform>,
) -> Done<Manifest> {
    let descriptor = Descriptor::of(digest);
    if !store.has_document(&descriptor, store.name())? {
        return Err(Fail::of(store.name(), format_args!("has no {digest}")));
    }
    let (path, document) = store.document(&descriptor, store.name())?;
    match document.class(&path)? {
        Class::Index => {
            let manifests = document.manifests.unwrap_or_default();
            choose(store, &path, manifests, &ImageName::default(), platform)
        }
        _ => Ok(Manifest { path, document }),
    }
}
