//! What must hold of every image that we wrote, as `fsck` would ask it: names in order, links counted,
//! metadata of inodes side by side, bodies inside of their devices.

use std::collections::BTreeMap;

use erofs_tarfs::read::{Image, StoredPlace};
use erofs_tarfs::tree::NodeKind;

/// Panics where an image of `bytes` bytes breaks a rule.
pub fn check(image: &Image<'_>, bytes: u64) {
    assert_ne!(image.checksum(), Some(false), "the checksum");
    let devices = image.devices();
    let block = u64::from(image.block_size().bytes());
    let (mut names, mut directories) = (BTreeMap::new(), BTreeMap::new());
    let mut walk = image.walk();
    let mut last: Option<Vec<u8>> = None;
    while let Some(found) = walk.next() {
        let inode = found.expect("our own image").inode;
        // In this order a directory is in front of what is in it, and that in front of its neighbours.
        let place = Some(walk.path().split(|byte| *byte == b'/').collect::<Vec<_>>().join(&0));
        assert!(last < place, "the order of names");
        last = place;
        *names.entry(inode.nid()).or_insert(0_u32) += 1;
        if inode.kind() == NodeKind::Directory {
            let entries = image.entries(inode.nid()).expect("a directory");
            assert!(entries.is_sorted_by(|a, b| a.name < b.name), "names are in order, each once");
            let is_directory =
                |nid| image.inode(nid).expect("an inode").kind() == NodeKind::Directory;
            let below = entries.iter().filter(|entry| is_directory(entry.nid)).count();
            directories.insert(inode.nid(), 2 + below as u32);
        }
    }
    // Where an inode's own bytes end, attributes and what else is behind it left out.
    let mut end = 0;
    for (&nid, &count) in &names {
        let inode = image.inode(nid).expect("an inode");
        assert!(inode.offset() >= end, "inode {nid} lies over the one before");
        end = inode.offset() + if inode.is_extended() { 64 } else { 32 };
        assert!(end <= bytes, "inode {nid} is outside");
        let links = directories.get(&nid).copied().unwrap_or(count);
        assert_eq!(inode.nlink(), links, "links of inode {nid}");
        image.xattrs(nid).expect("attributes");
        if inode.kind() == NodeKind::Symlink {
            assert_eq!(image.read_link(nid).expect("a target").len() as u64, inode.size());
        }
        if inode.kind() == NodeKind::Regular {
            let mut at = 0;
            for extent in image.extents(nid).expect("a body") {
                assert!(extent.logical >= at && extent.len > 0, "extents in order");
                at = extent.logical + extent.len;
                match extent.source {
                    StoredPlace::Primary { offset } | StoredPlace::Inline { offset } => {
                        assert!(offset + extent.len <= bytes, "a body outside of the image");
                    }
                    StoredPlace::Device { slot, offset } => {
                        let device = devices[usize::from(slot)].blocks * block;
                        assert!(offset + extent.len <= device, "a body outside of its device");
                    }
                }
            }
            assert!(at <= inode.size(), "a body longer than its file");
        }
    }
}
