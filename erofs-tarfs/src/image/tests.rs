//! Bytes of images, field by field.

use super::{bootstrap, head};
use crate::format::{CompactInode, ExtendedInode, Incompat, Superblock, verify};
use crate::layout::{Artifact, BodyForm, DiskOrder, Layout, LayoutOptions, plan};
use crate::tree::{Attributes, Builder, Device, InodeId, Node, Place, Tree, What, XattrSet};
use crate::units::{BlockSize, Timestamp};
use alloc::vec;
use alloc::vec::Vec;
use zerocopy::FromBytes;

const LATER: Timestamp = Timestamp { secs: 5_000_000_123, nanos: 0 };

/// One file, `f`, of 700 bytes at block 2 of the tar in the second of two devices.
fn tree() -> Tree {
    let mut builder = Builder::new();
    builder.keep_devices(true);
    for (tag, bytes) in [(b"a", 5000), (b"b", 3000)] {
        builder
            .add_device(Device { tag: tag.to_vec(), bytes, base_offset: 512, ..Device::default() })
            .unwrap();
    }
    let what = What::Regular { size: 700, place: Place::Device { device: 1, offset: 1024 } };
    let attributes = Attributes { mode: 0o640, uid: 7, gid: 65_535, mtime: LATER };
    let id = builder.add(Node { attributes, xattrs: XattrSet::NONE, what }).unwrap();
    builder.link(InodeId::ROOT, b"f", id).unwrap();
    let mtime = Timestamp { secs: 5_000_000_000, nanos: 0 };
    let root = Attributes { mtime, ..Attributes::default() };
    builder.set(InodeId::ROOT, root, XattrSet::NONE);
    builder.finish().unwrap()
}

fn bytes_at<'b>(layout: &Layout<'_>, tree: &Tree, image: &'b [u8]) -> &'b [u8] {
    let item = tree.child(InodeId::ROOT, b"f").unwrap().0;
    &image[layout.inode_offset(item) as usize..]
}

fn superblock(image: &[u8]) -> Superblock {
    Superblock::read_from_prefix(&image[1024..]).unwrap().0
}

#[test]
fn a_plain_inode_has_the_unified_address() {
    let tree = tree();
    let options = LayoutOptions { bodies: BodyForm::Plain, ..LayoutOptions::default() };
    let layout = plan(&tree, &options).unwrap();
    let image = bootstrap(&layout);
    let inode = ExtendedInode::read_from_prefix(bytes_at(&layout, &tree, &image)).unwrap().0;
    // 4096 bytes of metadata, 11 blocks of the first device; then its base.
    let uniaddr = layout.devices()[1].uniaddr;
    assert_eq!((uniaddr, layout.devices()[1].base_offset), (19, 512));
    assert_eq!(inode.u.get(), 19 + 1 + 2);
    assert_eq!((inode.format.get(), inode.mode.get(), inode.nlink.get()), (1, 0o100_640, 1));
    assert_eq!((inode.size_lo.get(), inode.size_hi.get(), inode.nb.get()), (700, 0, 0));
    assert_eq!((inode.mtime.get(), inode.mtime_nsec.get()), (LATER.secs, 0));
    assert_eq!(superblock(&image).incompat(), Incompat::DEVICE_TABLE);
}

#[test]
fn chunk_indexes_have_the_device() {
    let tree = tree();
    // As bootstraps have them by default.
    let layout = plan(&tree, &LayoutOptions::default()).unwrap();
    let image = bootstrap(&layout);
    let inode = bytes_at(&layout, &tree, &image);
    // Layout 4 of a long inode, indexes, chunks of 1024 bytes; device 2, block 1 + 2 of its file.
    assert_eq!((inode[0], &inode[16..20]), (9, &[0x21, 0, 0, 0][..]));
    assert_eq!(inode[64..72], [0, 0, 2, 0, 3, 0, 0, 0]);
    assert_eq!(superblock(&image).incompat(), Incompat::DEVICE_TABLE | Incompat::CHUNKED_FILE);
}

/// A disk is one device: no table that a reader sees, and addresses from its start.
#[test]
fn a_disk_has_no_device_table() {
    let tree = tree();
    for (bodies, chunked) in [(BodyForm::Auto, false), (BodyForm::Chunks, true)] {
        let artifact = Artifact::Disk(DiskOrder::default());
        let options = LayoutOptions { artifact, bodies, ..LayoutOptions::default() };
        let layout = plan(&tree, &options).unwrap();
        let image = bootstrap(&layout);
        let inode = bytes_at(&layout, &tree, &image);
        let start = layout.devices()[1].uniaddr + 2;
        let word = |at: usize| u32::from_le_bytes(inode[at..at + 4].try_into().unwrap());
        let sb = superblock(&image);
        if chunked {
            assert_eq!((inode[64..68].to_vec(), u64::from(word(68))), (vec![0; 4], start));
            assert_eq!(sb.incompat(), Incompat::CHUNKED_FILE);
        } else {
            assert_eq!(u64::from(word(16)), start);
            assert_eq!(sb.incompat(), Incompat::empty());
        }
        assert_eq!((sb.extra_devices.get(), sb.devt_slotoff.get()), (0, 0));
        assert_eq!(sb.blocks() * 512, layout.disk_bytes());
        let read = crate::read::Image::new(&image).unwrap();
        assert_eq!(read.disk_bytes(), Some(layout.disk_bytes()));
        let tags: Vec<_> = read.devices().into_iter().map(|device| device.tag).collect();
        assert_eq!(tags, tree.devices().iter().map(|d| d.tag.clone()).collect::<Vec<_>>());
    }
}

#[test]
fn a_compact_inode_counts_from_the_epoch() {
    let tree = tree();
    let options = LayoutOptions { compact: true, ..LayoutOptions::default() };
    let layout = plan(&tree, &options).unwrap();
    let image = bootstrap(&layout);
    let inode = CompactInode::read_from_prefix(bytes_at(&layout, &tree, &image)).unwrap().0;
    assert_eq!((inode.format.get(), inode.mtime.get(), inode.nb.get()), (0, 123, 1));
    assert_eq!((inode.size.get(), inode.uid.get(), inode.gid.get()), (700, 7, 65_535));
    let superblock = superblock(&image);
    assert_eq!((superblock.epoch.get(), superblock.fixed_nsec.get()), (5_000_000_000, 0));
    assert_eq!(superblock.incompat(), Incompat::DEVICE_TABLE | Incompat::BIT48);
    assert_eq!((superblock.root_nid(), superblock.rootnid_8b.get()), (layout.root_nid(), 0));
}

/// The head alone is sealed as the whole is, whatever the block that the checksum covers.
#[test]
fn a_head_is_the_start_of_the_image() {
    let tree = tree();
    for bits in 9..=16 {
        let block_size = BlockSize::from_bits(bits).unwrap();
        let mut builder = Builder::new();
        builder.carry(&[7; 100]);
        let what = What::Regular { size: 100, place: Place::Carried(0) };
        let node = Node { attributes: Attributes::default(), xattrs: XattrSet::NONE, what };
        let id = builder.add(node).unwrap();
        builder.link(InodeId::ROOT, b"f", id).unwrap();
        let carried = builder.finish().unwrap();
        let trees: Vec<&Tree> =
            if bits == 9 { Vec::from([&tree, &carried]) } else { Vec::from([&carried]) };
        for tree in trees {
            for checksum in [None, Some(true), Some(false)] {
                let options = LayoutOptions { block_size, checksum, ..LayoutOptions::default() };
                let layout = plan(tree, &options).unwrap();
                let image = bootstrap(&layout);
                assert_eq!(image.len() as u64, layout.metadata_bytes());
                let sealed = checksum.unwrap_or(bits >= 11).then_some(true);
                assert_eq!(verify(&image), sealed, "{block_size}");
                assert!(image.starts_with(&head(&layout)), "{block_size}");
            }
        }
    }
}
