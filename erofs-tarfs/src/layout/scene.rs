//! The tree as it will be written: whiteouts in their form, items instead of inodes.

use super::epoch::Epoch;
use super::shared::Shared;
use super::{Artifact, BodyForm, Error, LayoutOptions, WhiteoutForm};
use crate::limits::Limits;
use crate::tree::{InodeId, NodeKind, Tree};
use crate::units::BlockSize;
use alloc::vec::Vec;

/// What aufs and layer tars call the mark of an opaque directory.
pub(super) const OPAQUE: &[u8] = b".wh..wh..opq";

/// An item is an inode to be written: an inode of the tree by its index or, from
/// `inode_count` on, the `.wh..wh..opq` of a directory in `opaque`.
#[derive(Debug)]
pub(crate) struct Scene<'t> {
    pub(crate) tree: &'t Tree,
    pub(crate) block: BlockSize,
    pub(crate) whiteouts: WhiteoutForm,
    /// Whether a file in one piece is referred to by its first block alone.
    pub(crate) plain: bool,
    /// Whether chunk tables name devices.
    pub(crate) indexes: bool,
    /// The time of compact inodes.
    pub(crate) epoch: Epoch,
    /// Opaque directories in ascending order; none in overlayfs' form.
    pub(crate) opaque: Vec<u32>,
    /// For each inode whether it is a directory that holds whiteouts; empty where none does.
    pub(crate) holding: Vec<bool>,
    /// Bytes added to addresses in each device.
    pub(crate) bases: Vec<u64>,
    /// Extended attributes that are written once for many inodes.
    pub(crate) shared: Shared<'t>,
    /// How much the image may cost.
    pub(super) limits: Limits,
}

impl<'t> Scene<'t> {
    pub(super) fn new(tree: &'t Tree, options: &LayoutOptions, bases: Vec<u64>) -> Self {
        let LayoutOptions {
            block_size: block, whiteouts, bodies, compact, artifact, limits, ..
        } = *options;
        let plain = match bodies {
            BodyForm::Auto => compact || artifact != Artifact::Bootstrap,
            BodyForm::Plain => true,
            BodyForm::Chunks => false,
        };
        // In a disk there is but one device, so that tables of plain block numbers do, unless the
        // caller wants indexes.
        let indexes = artifact == Artifact::Bootstrap || bodies == BodyForm::Chunks;
        let ids = || (0..tree.inode_count() as u32).map(InodeId);
        let opaque = match whiteouts {
            WhiteoutForm::Aufs => ids().filter(|id| tree.is_opaque(*id)).map(|id| id.0).collect(),
            WhiteoutForm::Overlayfs => Vec::new(),
        };
        let mut holding = Vec::new();
        if ids().any(|id| tree.kind(id) == NodeKind::Whiteout) {
            let holds = |id| tree.children(id).any(|(_, c)| tree.kind(c) == NodeKind::Whiteout);
            holding = ids().map(holds).collect();
        }
        let epoch = Epoch::of(tree, compact);
        let shared = Shared::default();
        Self {
            tree,
            block,
            whiteouts,
            plain,
            indexes,
            epoch,
            opaque,
            holding,
            bases,
            shared,
            limits,
        }
    }

    pub(crate) fn item_count(&self) -> usize {
        self.tree.inode_count() + self.opaque.len()
    }

    /// The inode of the tree, or the opaque directory that makes up the item.
    pub(crate) fn owner(&self, item: u32) -> InodeId {
        let count = self.tree.inode_count();
        match (item as usize).checked_sub(count) {
            Some(at) => InodeId(self.opaque[at]),
            None => InodeId(item),
        }
    }

    pub(crate) fn is_marker(&self, item: u32) -> bool {
        item as usize >= self.tree.inode_count()
    }

    /// The item of a directory's `.wh..wh..opq`.
    pub(crate) fn marker(&self, dir: u32) -> Option<u32> {
        let at = self.opaque.binary_search(&dir).ok()?;
        Some((self.tree.inode_count() + at) as u32)
    }

    pub(crate) fn holds_whiteouts(&self, dir: u32) -> bool {
        self.holding.get(dir as usize).copied().unwrap_or(false)
    }

    pub(super) fn path(&self, item: u32) -> Vec<u8> {
        let path = self.tree.path_of(self.owner(item));
        if self.is_marker(item) { join(path, OPAQUE) } else { path }
    }

    pub(super) fn not_aligned(&self, item: u32, offset: u64) -> Error {
        Error::NotAligned { path: self.path(item), offset, block: self.block.bytes() }
    }
}

pub(super) fn join(mut path: Vec<u8>, name: &[u8]) -> Vec<u8> {
    if path.last() != Some(&b'/') {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}
