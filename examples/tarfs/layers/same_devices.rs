//! Bootstraps that are merged may be over the same tar. Then their devices become one.
//!
//! Equal tags do not show that, as anybody can write one. Two devices are one if the file that is found
//! by the tag has the digest that the tag says, or if both tags lead to the same file.

use std::collections::BTreeSet;

use erofs_tarfs::tree::Identity;

use crate::layers::loaded::{Backing, Loaded};

/// Looks for the tars of bootstraps that are merged, where two devices may turn out to be one. What
/// is not found, or is not what it should be, stays unknown: whoever needs it will say so.
pub(crate) fn identify(layers: &mut [Loaded]) {
    let mut seen = BTreeSet::new();
    let mut twice = BTreeSet::new();
    for layer in &*layers {
        let known = layer.tree.devices().iter().map(|device| match device.identity {
            Identity::Unknown => Identity::of_checked_tag(&device.tag),
            known => known,
        });
        let of_layer: BTreeSet<Identity> = known.collect();
        twice.extend(of_layer.iter().copied().filter(|identity| !seen.insert(*identity)));
    }
    for layer in layers {
        let Backing::Tars { slots, tars, .. } = &layer.backing else { continue };
        let tars = tars.clone();
        for index in 0..*slots {
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
}
