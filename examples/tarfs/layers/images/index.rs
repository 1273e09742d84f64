//! What an index lists, and the indexes in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::cli::fail::{Done, Fail};
use crate::cli::platform::Platform;
use crate::layers::images::descriptor::Descriptor;
use crate::layers::images::document::Class;
use crate::layers::images::store::Store;
use crate::layers::images::{manifest, words};

/// How deep indexes may be nested.
const MAX_DEPTH: usize = 4;

/// A manifest that an index lists.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(super) descriptor: Descriptor,
    /// Where it is listed.
    pub(super) listed: PathBuf,
    /// Digest of what lists it in the outermost index, or its own.
    pub(super) top: String,
    pub(super) platform: Option<Platform>,
}

/// What was found on the way down.
#[derive(Default)]
pub(crate) struct Found {
    pub(super) leaves: Vec<Leaf>,
    /// What is listed and is no image.
    pub(super) others: BTreeSet<String>,
    /// What was looked into.
    seen: BTreeSet<String>,
}

impl Found {
    /// Adds the manifests that a descriptor leads to.
    pub(super) fn add(
        &mut self,
        store: &Store,
        listed: &Path,
        descriptor: &Descriptor,
        top: String,
        depth: usize,
    ) -> Done {
        if descriptor.is_attestation() {
            self.others.insert("attestations".to_owned());
            return Ok(());
        }
        let artifact = &descriptor.artifact_type;
        if !artifact.is_empty() && !manifest::is_image_config(artifact) {
            self.others.insert(words::quoted(artifact));
            return Ok(());
        }
        if !self.seen.insert(descriptor.digest.clone()) {
            return Ok(());
        }
        let class = match Class::of(&descriptor.media_type) {
            Some(class) => class,
            None => store.document(descriptor, listed)?.1.class(listed)?,
        };
        match class {
            Class::Other => _ = self.others.insert(words::quoted(&descriptor.media_type)),
            Class::Manifest => self.leaves.push(Leaf {
                descriptor: descriptor.clone(),
                listed: listed.to_owned(),
                top,
                platform: descriptor.platform(),
            }),
            Class::Index => {
                if depth == MAX_DEPTH {
                    let why = format_args!("has indexes nested deeper than {MAX_DEPTH}");
                    return Err(Fail::of(listed, why));
                }
                let (path, document) = store.document(descriptor, listed)?;
                if document.class(&path)? != Class::Index {
                    return Err(Fail::of(path, "is listed as an index, and is a manifest"));
                }
                for inner in document.manifests.unwrap_or_default() {
                    self.add(store, &path, &inner, top.clone(), depth + 1)?;
                }
            }
        }
        Ok(())
    }

    /// Looks into those manifests of which the index does not say what they are.
    pub(super) fn look(&mut self, store: &Store) -> Done {
        for mut leaf in std::mem::take(&mut self.leaves) {
            // A manifest that is not there, or whose digest is of an unknown kind, is kept as it is: it may
            // be that of another platform.
            let unknown = leaf.platform.is_none() && leaf.descriptor.hex(&leaf.listed).is_ok();
            if unknown && store.has_document(&leaf.descriptor, &leaf.listed)? {
                let (path, document) = store.document(&leaf.descriptor, &leaf.listed)?;
                if let Some(other) = manifest::other_than_image(&document) {
                    self.others.insert(words::quoted(other));
                    continue;
                }
                leaf.platform = manifest::config(store, &path, &document)?.1.platform();
            }
            self.leaves.push(leaf);
        }
        Ok(())
    }
}
