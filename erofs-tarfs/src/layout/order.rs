//! The order in which inodes are met.

use super::scene::Scene;
use crate::tree::InodeId;
use alloc::vec;
use alloc::vec::Vec;

/// No item.
const NONE: u32 = u32::MAX;

/// All items in the order in which a walk from the root, level by level, meets them first; and for
/// each inode the directory in which it was met first.
pub(super) fn order(scene: &Scene<'_>) -> (Vec<u32>, Vec<u32>) {
    let mut parents = vec![NONE; scene.tree.inode_count()];
    let mut order = Vec::with_capacity(scene.item_count());
    if let Some(root) = parents.first_mut() {
        *root = InodeId::ROOT.0;
        order.push(InodeId::ROOT.0);
    }
    let mut next = 0;
    while let Some(&dir) = order.get(next) {
        next += 1;
        if scene.is_marker(dir) {
            continue;
        }
        for (_, child) in scene.tree.children(InodeId(dir)) {
            let parent = &mut parents[child.index()];
            if *parent == NONE {
                *parent = dir;
                order.push(child.0);
            }
        }
        order.extend(scene.marker(dir));
    }
    (order, parents)
}
