//! The devices of a merged tree, and which of its layers' they are.

use super::MergeOptions;
use crate::tree::device::{Device, Identity, Origin};
use crate::tree::{Builder, Error, Tree};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// The devices seen so far.
#[derive(Debug, Default)]
pub(super) struct Devices {
    /// Numbers of devices with a known identity, by what two devices have in common if they are
    /// one.
    known: BTreeMap<(Identity, u64, u64), u16>,
    /// Numbers of the devices of each layer.
    layers: Vec<Vec<u16>>,
}

impl Devices {
    /// The numbers in the result of the devices of a layer, the `layer`th, which may be an earlier one `again`.
    pub(super) fn of(
        &mut self,
        out: &mut Builder,
        tree: &Tree,
        layer: usize,
        again: Option<usize>,
        options: &MergeOptions,
    ) -> Result<Vec<u16>, Error> {
        let joined = !options.device_per_layer;
        let same = again.filter(|_| joined).and_then(|again| self.layers.get(again));
        if let Some(same) = same.cloned() {
            self.layers.push(same.clone());
            return Ok(same);
        }
        let mut numbers = Vec::with_capacity(tree.devices().len());
        for (device, found) in tree.devices().iter().enumerate() {
            let mut found: Device = found.clone();
            if options.trust_tags && found.identity == Identity::Unknown {
                found.identity = Identity::of_checked_tag(&found.tag);
            }
            let key = found.key().filter(|_| joined);
            let number = match key.and_then(|key| self.known.get(&key).copied()) {
                Some(number) => number,
                None => {
                    out.tree.origins.push(Origin { layer, device });
                    out.add_device(found)?
                }
            };
            if let Some(key) = key {
                self.known.insert(key, number);
            }
            numbers.push(number);
        }
        self.layers.push(numbers.clone());
        Ok(numbers)
    }
}
