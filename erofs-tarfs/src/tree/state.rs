//! A layer that is being made.

use super::builder::Builder;
use super::device::Device;
use super::error::Rule;
use super::inode::InodeId;
use super::layer_options::{LayerNotes, LayerOptions};
use super::sparse::Carrier;
use crate::limits::Limit;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// How many directories that no entry is about come with each entry, and are not limited.
pub(super) const IMPLIED_PER_ENTRY: u64 = 4;

/// A layer that is being made.
#[derive(Debug)]
pub(super) struct State {
    pub(super) builder: Builder,
    pub(super) options: LayerOptions,
    pub(super) entries: u64,
    pub(super) notes: LayerNotes,
    pub(super) carrier: Option<(Carrier, InodeId, u64, Vec<u8>)>,
    /// How many directories were made that no entry was about then.
    pub(super) implied: u64,
    /// Bytes that the chunk tables of sparse files take so far.
    pub(super) tables: u64,
    /// The last entry's directory: its path, raw, and its id.
    pub(super) last: (Vec<u8>, InodeId),
    /// Files that aufs keeps out of sight, by the names that hard links have for them.
    pub(super) hidden: BTreeMap<Vec<u8>, InodeId>,
}

impl State {
    pub(super) fn new(options: LayerOptions) -> Self {
        let mut builder = Builder::new();
        builder.limit_inodes(&options.tar.limits);
        let (tag, identity) = (options.tag.clone(), options.identity);
        let device = Device { tag, bytes: u64::MAX, base_offset: 0, identity };
        builder.tree.devices.push(device);
        builder.keep_devices(options.keep_empty_device);
        Self {
            builder,
            options,
            entries: 0,
            notes: LayerNotes::default(),
            carrier: None,
            implied: 0,
            tables: 0,
            last: (Vec::new(), InodeId::ROOT),
            hidden: BTreeMap::new(),
        }
    }

    /// The device that the tar is.
    pub(super) fn device(&mut self) -> &mut Device {
        #[expect(clippy::indexing_slicing, reason = "a layer is made with its one device")]
        &mut self.builder.tree.devices[0]
    }

    /// Refuses to carry more than may be.
    pub(super) fn within_limit(&self) -> Result<(), Rule> {
        let carried = self.builder.tree.bytes.len() as u64;
        Ok(self.options.tar.limits.check(Limit::Carried, carried)?)
    }
}
