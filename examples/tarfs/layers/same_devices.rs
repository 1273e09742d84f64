//! Bootstraps that are merged may be over the same tar. Then their devices become one.
//!
//! Equal tags do not show that, as anybody can write one. Two devices are one if the file that is found
//! by the tag has the digest that the tag says, or if both tags lead to the same file.

use std::collections::{BTreeMap, BTreeSet};

use erofs_tarfs::tree::Identity;

use crate::layers::loaded::{Backing, Loaded};

/// Looks for the tars of bootstraps that are merged, where two devices may turn out to be one. What
/// is not found, or is not what it should be, stays unknown: whoever needs it will say so.
pub(crate) fn identify(layers: &mut [Loaded]) {
    let mut seen = BTreeSet::new();
    let mut twice = BTreeSet::new();
    for layer in &*layers {
        twice.extend(identities(layer).into_keys().filter(|identity| !seen.insert(*identity)));
    }
    layers.iter_mut().for_each(|layer| of_one(layer, &twice));
}

/// The same of layers that come one after the other.
#[derive(Default)]
pub(crate) struct Identified(BTreeMap<Identity, bool>);

impl Identified {
    /// False if a tar of this layer, or of one before it, must be looked at because of the other: then all layers
    /// want [`identify`].
    pub(crate) fn identify(&mut self, layer: &mut Loaded) -> bool {
        for (identity, is_shown) in identities(layer) {
            match self.0.get(&identity) {
                Some(before) if !(is_shown && *before) => return false,
                _ => drop(self.0.insert(identity, is_shown)),
            }
        }
        of_one(layer, &BTreeSet::new());
        true
    }
}

/// What the devices of a layer are, or are by their tags, and whether it is shown.
fn identities(layer: &Loaded) -> BTreeMap<Identity, bool> {
    let mut all = BTreeMap::new();
    for device in layer.tree.devices() {
        let (identity, is_shown) = match device.identity {
            Identity::Unknown => (Identity::of_checked_tag(&device.tag), false),
            known => (known, true),
        };
        if identity != Identity::Unknown {
            *all.entry(identity).or_insert(true) &= is_shown;
        }
    }
    all
}

/// Identifies what of a layer is one with something else if its tag is one of these, or if its file is.
fn of_one(layer: &mut Loaded, twice: &BTreeSet<Identity>) {
    let Backing::Tars { slots, tars, .. } = &layer.backing else { return };
    let (slots, tars) = (*slots, tars.clone());
    for index in 0..slots {
        let tag = &layer.tree.devices()[index].tag;
        let is_digest = tars.is_digest(&String::from_utf8_lossy(tag));
        let digest = Identity::of_checked_tag(tag);
        // To check a digest all of the tar is read. That is of no use if no other layer has this tag.
        if is_digest && !twice.contains(&digest) {
            continue;
        }
        if let Ok(Some(tar)) = layer.tar(index) {
            let identity = if is_digest { Ok(digest) } else { tar.identity() };
            layer.tree.identify(index, identity.unwrap_or_default());
        }
    }
}
