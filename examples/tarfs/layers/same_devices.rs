//! Bootstraps over one tar: what shows that their devices are one.
//!
//! A tag shows nothing, as anybody can write one. It takes the file that is found by it: one that
//! has the digest, or the same file.

use std::collections::BTreeSet;

use erofs_tarfs::tree::Identity;

use crate::files::digest;
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
        let Backing::Tars { slots, .. } = layer.backing else { continue };
        for index in 0..slots {
            let tag = &layer.tree.devices()[index].tag;
            let is_digest = digest::is_digest(&String::from_utf8_lossy(tag));
            let digest = Identity::of_checked_tag(tag);
            // All of it is read for that, which nothing comes of if nobody else has it.
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
