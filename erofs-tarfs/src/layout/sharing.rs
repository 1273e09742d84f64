//! Which extended attributes are [shared](super::shared).

use super::scene::Scene;
use super::shared::{Pair, REFERENCE, Shared, entry_bytes};
use crate::tree::XattrIter;
use alloc::vec;
use alloc::vec::Vec;

/// A shorter entry stays with its inode: it saves too little to be looked up elsewhere.
const SHORTEST: u64 = 16;
/// How long the area of shared attributes may get. go-erofs 0.3.1 computes addresses in it in 32 bits.
const MAX_AREA: u64 = 1 << 30;
/// Whoever reads all inodes reads a shared attribute once for each that refers to it. All of this is held
/// to 8 MiB, and 128 bytes for each inode: readers that know no bound take time out of proportion to the
/// image else, and ours refuses images of which it reads over 16 times their length.
const READ: u64 = 8 << 20;
const READ_OF_INODE: u64 = 128;

/// Those of a scene by which its image gets shorter.
pub(super) fn sharing<'t>(scene: &Scene<'t>) -> Shared<'t> {
    Shared::new(chosen(&uses(scene), scene), scene.tree)
}

/// All attributes that could be shared, in ascending order, with the number of inodes that have each.
fn uses<'t>(scene: &Scene<'t>) -> Vec<(Pair<'t>, u64)> {
    let tree = scene.tree;
    let block = u64::from(scene.block.bytes());
    let mut list: Vec<(Pair<'t>, u64)> = Vec::new();
    let mut add = |pair, uses| {
        if (SHORTEST..=block).contains(&entry_bytes(pair)) {
            list.push((pair, uses));
        }
    };
    let mut of_sets = vec![0u64; tree.xattr_set_count() as usize];
    for item in 0..tree.inode_count() as u32 {
        if scene.has_marks(item) {
            scene.xattrs(item).for_each(|xattr| add((xattr.name, xattr.value), 1));
        } else if let Some(set) = tree.xattr_set_of(scene.owner(item)) {
            of_sets[set as usize] += 1;
        }
    }
    for (set, uses) in (0..).zip(of_sets).filter(|(_, uses)| *uses > 0) {
        XattrIter::over(tree.xattr_set(set)).for_each(|pair| add(pair, uses));
    }
    list.sort_unstable();
    list.dedup_by(|later, first| {
        let same = later.0 == first.0;
        first.1 += if same { later.1 } else { 0 };
        same
    });
    list
}

/// Those of which an image gets shorter by more than they take themselves: that pays for the block that the
/// area may need behind it.
fn chosen<'t>(uses: &[(Pair<'t>, u64)], scene: &Scene<'t>) -> Vec<Pair<'t>> {
    let (mut area, mut read) = (0, 0);
    let most = READ + READ_OF_INODE * scene.tree.inode_count() as u64;
    let pays = |(pair, uses): &&(Pair<'t>, u64)| {
        let bytes = entry_bytes(*pair);
        let pays = uses * (bytes - REFERENCE) > 2 * bytes
            && read + uses * bytes <= most
            && area + bytes <= MAX_AREA / 2;
        if pays {
            area += bytes;
            read += uses * bytes;
        }
        pays
    };
    uses.iter().filter(pays).map(|(pair, _)| *pair).collect()
}
