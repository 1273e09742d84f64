//! Trees made by hand: which form an item gets, where devices come to lie, what is refused.

use super::scene::Scene;
use super::{Artifact, BodyForm, Data, DiskOrder, Error, LayoutOptions, plan};
use crate::layout::body::Chunks;
use crate::tree::{
    Attributes, Body, Builder, Content, Device, Extent, InodeId, Node, Place, Tree, What, XattrSet,
};
use crate::units::{BlockSize, Timestamp};
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

const DEVICE: u64 = 1 << 33;

fn device(offset: u64) -> Place {
    Place::Device { device: 0, offset }
}

fn node(what: What<'_>) -> Node<'_> {
    Node { attributes: Attributes::default(), xattrs: XattrSet::NONE, what }
}

/// A tree with one file `f`, over one device of 8 GiB, with bytes carried.
fn file(node: Node<'_>, carried: &[u8]) -> (Tree, u32) {
    let mut builder = Builder::new();
    builder.keep_devices(true);
    builder
        .add_device(Device { tag: vec![b't'], bytes: DEVICE, base_offset: 0, ..Device::default() })
        .unwrap();
    builder.carry(carried);
    let id = builder.add(node).unwrap();
    builder.link(InodeId::ROOT, b"f", id).unwrap();
    let tree = builder.finish().unwrap();
    let id = tree.child(InodeId::ROOT, b"f").unwrap().0;
    (tree, id)
}

fn options(block: u32, bodies: BodyForm) -> LayoutOptions {
    let block_size = BlockSize::new(block).unwrap();
    LayoutOptions { block_size, bodies, ..LayoutOptions::default() }
}

#[test]
fn the_form_of_a_body() {
    let run = |logical, len, place| Extent { logical, len, place };
    let whole = |size, place| What::Regular { size, place };
    let apart = [run(0, 512, device(0)), run(512, 512, device(4096))];
    let joined = [run(0, 512, device(0)), run(512, 100, device(512))];
    let hole_first = [run(512, 512, device(0))];
    let mixed = [run(0, 512, device(0)), run(512, 9, Place::Carried(0))];
    let table = |shift, count| Data::Chunks(Chunks { shift, count, indexes: true });
    let unified = |offset| Data::Unified { device: 0, offset };
    // Content; data and blocks of it when plain, and the same with chunk indexes.
    let rows = [
        (whole(0, device(0)), (Data::None, 0), (Data::None, 0)),
        (whole(1, device(512)), (unified(512), 0), (table(0, 1), 0)),
        (whole(5000, device(0)), (unified(0), 0), (table(4, 1), 0)),
        (What::Pieces { size: 612, extents: &joined }, (unified(0), 0), (table(1, 1), 0)),
        (What::Pieces { size: 1024, extents: &apart }, (table(0, 2), 0), (table(0, 2), 0)),
        (What::Pieces { size: 1024, extents: &hole_first }, (table(0, 2), 0), (table(0, 2), 0)),
        (What::Pieces { size: 9000, extents: &[] }, (table(5, 1), 0), (table(5, 1), 0)),
        (What::Pieces { size: 521, extents: &mixed }, (table(0, 2), 1), (table(0, 2), 1)),
        (whole(1, Place::Carried(0)), (Data::Inline, 0), (table(0, 1), 1)),
        (whole(511, Place::Carried(0)), (Data::Inline, 0), (table(0, 1), 1)),
        (whole(512, Place::Carried(0)), (Data::Blocks, 1), (table(0, 1), 1)),
        (whole(513, Place::Carried(0)), (Data::Blocks, 2), (table(1, 1), 2)),
    ];
    for (what, plain, chunks) in rows {
        let (tree, id) = file(node(what), &[7; 600]);
        for (bodies, expected) in [(BodyForm::Plain, plain), (BodyForm::Chunks, chunks)] {
            let scene = Scene::new(&tree, &options(512, bodies), vec![0]);
            let shape = scene.shape(id).unwrap();
            assert_eq!((shape.data, shape.blocks), expected, "{what:?} {bodies:?}");
        }
    }
}

/// A disk is one device, which no entry of a table needs to name.
#[test]
fn tables_of_disks_are_block_numbers() {
    let (tree, id) = file(node(What::Pieces { size: 9000, extents: &[] }), &[]);
    for (artifact, bodies, indexes) in [
        (Artifact::Bootstrap, BodyForm::Auto, true),
        (Artifact::Disk(DiskOrder::DataFirst), BodyForm::Auto, false),
        (Artifact::Disk(DiskOrder::DataFirst), BodyForm::Chunks, true),
    ] {
        let scene = Scene::new(&tree, &LayoutOptions { artifact, ..options(512, bodies) }, vec![0]);
        let shape = scene.shape(id).unwrap();
        assert_eq!(
            shape.data,
            Data::Chunks(Chunks { shift: 5, count: 1, indexes }),
            "{artifact:?}"
        );
        assert_eq!(shape.bytes(512) - shape.lead(), if indexes { 8 } else { 4 });
    }
}

/// Attributes may leave no room for a tail in any slot: then it takes a block.
#[test]
fn a_tail_that_fits_in_no_slot_takes_a_block() {
    let mut builder = Builder::new();
    builder.carry(&[7; 511]);
    // An xattr body of 12 + 12 bytes: the tail begins 24 bytes behind a slot at best.
    let xattrs = builder.xattrs(&mut vec![(b"user.name", b"1234")]).unwrap();
    for size in [488, 489] {
        let what = What::Regular { size, place: Place::Carried(0) };
        let id = builder.add(Node { xattrs, ..node(what) }).unwrap();
        builder.link(InodeId::ROOT, format!("{size}").as_bytes(), id).unwrap();
    }
    let tree = builder.finish().unwrap();
    let scene = Scene::new(&tree, &options(512, BodyForm::Plain), vec![]);
    for (name, data, blocks) in [(b"488", Data::Inline, 0), (b"489", Data::Blocks, 1)] {
        let shape = scene.shape(tree.child(InodeId::ROOT, name).unwrap().0).unwrap();
        assert_eq!((shape.xattr_bytes, shape.data, shape.blocks), (24, data, blocks));
    }
}

#[test]
fn a_size_of_32_bits_is_the_most_of_a_short_inode() {
    for (size, extended) in [(0, false), ((1 << 32) - 1, false), (1 << 32, true)] {
        let (tree, id) = file(node(What::Regular { size, place: device(0) }), &[]);
        for compact in [false, true] {
            let options = LayoutOptions { compact, ..LayoutOptions::default() };
            let shape = Scene::new(&tree, &options, vec![0]).shape(id).unwrap();
            assert_eq!((shape.extended, shape.size), (extended, size), "{compact}");
        }
    }
}

#[test]
fn compact_leaves_a_long_inode_to_what_it_cannot_tell() {
    for (secs, nanos, default, compact) in
        [(0, 0, false, false), (1, 0, true, false), (-1, 0, true, false), (0, 1, true, true)]
    {
        let mut long = node(What::Fifo);
        long.attributes.mtime = Timestamp { secs, nanos };
        // A second file of time 0, as the root is, so that this is the most common.
        let mut builder = Builder::new();
        for (name, node) in [(b"f", long), (b"g", node(What::Fifo))] {
            let id = builder.add(node).unwrap();
            builder.link(InodeId::ROOT, name, id).unwrap();
        }
        let tree = builder.finish().unwrap();
        let id = tree.child(InodeId::ROOT, b"f").unwrap().0;
        for (option, extended) in [(false, default), (true, compact)] {
            let options = LayoutOptions { compact: option, ..LayoutOptions::default() };
            let shape = Scene::new(&tree, &options, vec![]).shape(id).unwrap();
            assert_eq!(shape.extended, extended, "{secs}.{nanos} {option}");
        }
    }
}

#[test]
fn bodies_off_the_grid_and_outside_are_refused() {
    let path = b"/f".to_vec();
    let off = |offset, block| Err(Error::NotAligned { path: path.clone(), offset, block });
    let outside = |end| Err(Error::Outside { path: path.clone(), end, limit: DEVICE });
    let rows = [
        (512, 1, 512, Ok(())),
        (512, 1, 1024, off(512, 1024)),
        (1536, 1, 1024, off(1536, 1024)),
        (1536, 1, 4096, off(1536, 4096)),
        (4096, 1, 4096, Ok(())),
        (100, 1, 512, off(100, 512)),
        (DEVICE - 512, 512, 512, Ok(())),
        (DEVICE - 512, 513, 512, outside(DEVICE + 1)),
        (DEVICE, 1, 512, outside(DEVICE + 1)),
        (u64::MAX - 511, 4096, 512, outside(u64::MAX)),
    ];
    for (offset, size, block, expected) in rows {
        let (tree, _) = file(node(What::Regular { size, place: device(offset) }), &[]);
        for bodies in [BodyForm::Plain, BodyForm::Chunks] {
            let planned = plan(&tree, &options(block, bodies)).map(|_| ());
            assert_eq!(planned, expected, "{size} at {offset} in blocks of {block}, {bodies:?}");
        }
    }
}

/// Three devices of odd lengths; the second lies at an offset in its file.
fn three_devices() -> Tree {
    let mut builder = Builder::new();
    builder.keep_devices(true);
    for (tag, bytes, base_offset) in [(b'a', 10_000, 0), (b'b', 513, 65_536), (b'c', 4096, 0)] {
        builder
            .add_device(Device { tag: vec![tag], bytes, base_offset, ..Device::default() })
            .unwrap();
    }
    builder.finish().unwrap()
}

#[test]
fn devices_follow_one_another_in_the_unified_space() {
    let tree = three_devices();
    let end_of = |layout: &super::Layout<'_>| layout.metadata_bytes();
    for bits in 9..=16 {
        let block_size = BlockSize::from_bits(bits).unwrap();
        let block = u64::from(block_size.bytes());
        let page = block.max(4096);
        for (artifact, align) in [
            (Artifact::Bootstrap, block),
            (Artifact::Disk(DiskOrder::default()), page),
            (Artifact::Disk(DiskOrder::MetadataFirst { align: 512 }), block),
            (Artifact::Disk(DiskOrder::MetadataFirst { align: 524_288 }), 524_288),
            (Artifact::Disk(DiskOrder::DataFirst), page),
        ] {
            let options = LayoutOptions { artifact, block_size, ..LayoutOptions::default() };
            let layout = plan(&tree, &options).unwrap();
            let in_disk = artifact != Artifact::Bootstrap;
            let mut at = match artifact {
                Artifact::Disk(DiskOrder::DataFirst) => page,
                _ => end_of(&layout),
            };
            for (device, (bytes, base)) in
                layout.devices().iter().zip([(10_000, 0), (513, 65_536), (4096, 0)])
            {
                at = at.next_multiple_of(align);
                assert_eq!(device.uniaddr * block, at, "{artifact:?} {block}");
                assert_eq!(device.disk_offset, in_disk.then_some(at), "{artifact:?} {block}");
                // A bootstrap's addresses count from byte 0 of the file.
                let reach: u64 = if in_disk { bytes } else { base + bytes };
                assert_eq!(device.blocks, reach.div_ceil(block), "{artifact:?} {block}");
                at += device.blocks * block;
            }
            assert!(layout.disk_bytes() >= at && layout.disk_bytes().is_multiple_of(block));
        }
    }
}

#[test]
fn alignments_that_are_no_blocks_and_no_part_of_one_are_refused() {
    let tree = three_devices();
    for (align, block, fits) in [
        (0, 512, false),
        (100, 512, false),
        (768, 512, false),
        (1536, 512, true),
        (1536, 1024, false),
        (512, 4096, true),
        (1, 512, true),
        (4096, 65_536, true),
        (65_537, 65_536, false),
    ] {
        let artifact = Artifact::Disk(DiskOrder::MetadataFirst { align });
        let planned = plan(&tree, &LayoutOptions { artifact, ..options(block, BodyForm::Plain) });
        let expected = if fits { Ok(()) } else { Err(Error::Alignment { align, block }) };
        assert_eq!(planned.map(|_| ()), expected, "{align} {block}");
    }
}

#[test]
fn a_base_off_the_grid_matters_where_addresses_count_from_it() {
    let mut builder = Builder::new();
    builder.keep_devices(true);
    let device = Device { tag: vec![b't'], bytes: 4096, base_offset: 1536, ..Device::default() };
    builder.add_device(device).unwrap();
    let tree = builder.finish().unwrap();
    let refused = Err(Error::BaseOffset { tag: vec![b't'], offset: 1536, block: 1024 });
    let bootstrap = options(1024, BodyForm::Plain);
    assert_eq!(plan(&tree, &bootstrap).map(|_| ()), refused);
    assert_eq!(plan(&tree, &options(512, BodyForm::Plain)).map(|_| ()), Ok(()));
    let artifact = Artifact::Disk(DiskOrder::default());
    assert_eq!(plan(&tree, &LayoutOptions { artifact, ..bootstrap }).map(|_| ()), Ok(()));
}

/// What is contiguous in the tree is one piece, whichever way it was put in.
#[test]
fn neighbours_join_and_others_do_not() {
    let run = |logical, len, place| Extent { logical, len, place };
    let carried = Place::Carried;
    let rows: [(&[Extent], usize); 5] = [
        (&[run(0, 512, device(0)), run(512, 512, device(512)), run(1024, 9, device(1024))], 1),
        (&[run(0, 512, device(0)), run(512, 512, device(1024))], 2),
        (&[run(0, 512, device(0)), run(1024, 512, device(512))], 2),
        (&[run(0, 512, carried(0)), run(512, 88, carried(512))], 1),
        (&[run(0, 512, device(0)), run(512, 88, carried(512))], 2),
    ];
    for (extents, pieces) in rows {
        let (tree, id) = file(node(What::Pieces { size: 2000, extents }), &[7; 600]);
        let Content::Regular { size, body } = tree.content(InodeId(id)) else { panic!("a file") };
        let joined: Vec<Extent> = super::Pieces::new(size, body).collect();
        assert_eq!(joined.len(), pieces, "{extents:?}");
        let bytes = |list: &[Extent]| list.iter().map(|piece| piece.len).sum::<u64>();
        assert_eq!(bytes(&joined), bytes(extents));
    }
    assert_eq!(super::Pieces::new(0, Body::Contiguous(device(0))).count(), 0);
}
