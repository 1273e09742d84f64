//! The devices of a merged tree, and which of its layers' they are.

use super::MergeOptions;
use crate::tree::device::{Device, Identity, Origin};
use crate::tree::{Builder, Error, Tree};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// The devices seen so far.
#[derive(Default)]
pub(super) struct Devices {
    /// Numbers of devices with a known identity, by what two devices have in common if they are
    /// one.
    known: BTreeMap<(Identity, u64, u64), u16>,
    /// Numbers of the devices of each tree, by its address in memory: it may be given more than
    /// once.
    trees: BTreeMap<usize, Vec<u16>>,
}

impl Devices {
    /// The numbers in the result of the devices of a layer, the `layer`th.
    pub(super) fn of(
        &mut self,
        out: &mut Builder,
        tree: &Tree,
        layer: usize,
        options: &MergeOptions,
    ) -> Result<Vec<u16>, Error> {
        let address = core::ptr::from_ref(tree) as usize;
        let joined = !options.device_per_layer;
        if let Some(same) = self.trees.get(&address).filter(|_| joined) {
            return Ok(same.clone());
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
        self.trees.insert(address, numbers.clone());
        Ok(numbers)
    }
}
