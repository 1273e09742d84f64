//! Rules of the format, each with the image that keeps it and the one that breaks it.

mod read_kit;

use erofs_tarfs::format::{DataLayout, HOLE, IMPLIED_MARK, Incompat};
use erofs_tarfs::read::{DevicesAt, Error, Image, Rule, StoredExtent, StoredPlace, TreeOptions};
use erofs_tarfs::tree::{Body, Content, InodeId, NodeKind, Place, Tree};
use read_kit::{B, CHAR, DIR, FILE, LINK, Raw, dirents, index, nid, xattr};

fn tree(image: &[u8]) -> Result<Tree, Error> {
    Image::new(image)?.tree(&TreeOptions::default())
}

#[track_caller]
fn refused(raw: Raw) -> Rule {
    match tree(&raw.sealed()).unwrap_err() {
        Error::Inode { rule, .. } | Error::Device { rule, .. } => rule,
        other => panic!("{other}"),
    }
}

fn extents(raw: Raw, block: usize) -> Vec<StoredExtent> {
    Image::new(&raw.sealed()).unwrap().extents(nid(block)).unwrap()
}

fn device(slot: u16, offset: u64) -> StoredPlace {
    StoredPlace::Device { slot, offset }
}

#[test]
fn superblocks() {
    let good = Raw::new(8, &[(9, 8)]).sealed();
    let image = Image::new(&good).unwrap();
    assert_eq!((image.root(), image.checksum()), (nid(4), Some(true)));
    assert_eq!(image.block_size().bytes(), 512);
    let devices = image.devices();
    assert_eq!((&devices[0].tag[..], devices[0].blocks, devices[0].uniaddr), (&b"blob0"[..], 9, 8));
    assert_eq!(Image::new(&Raw::new(8, &[]).0).unwrap().checksum(), None);

    let broken = |change: &dyn Fn(&mut Raw)| {
        let mut raw = Raw::new(8, &[]);
        change(&mut raw);
        Image::new(&raw.sealed()).unwrap_err()
    };
    assert_eq!(broken(&|raw| raw.superblock().magic.set(5)), Error::Magic(5));
    assert_eq!(broken(&|raw| raw.superblock().blkszbits = 8), Error::BlockBits(8));
    assert_eq!(broken(&|raw| raw.superblock().blkszbits = 17), Error::BlockBits(17));
    assert_eq!(broken(&|raw| raw.superblock().dirblkbits = 1), Error::DirectoryBlockBits(1));
    let features = broken(&|raw| raw.superblock().feature_incompat.set(0x8000_0004));
    assert_eq!(features, Error::Features(0x8000_0000));
    let short = broken(&|raw| raw.superblock().extra_devices.set(60_000));
    assert_eq!(short, Error::Short { needed: 1152 + 60_000 * 128 });

    let mut flipped = good.clone();
    flipped[1300] ^= 1;
    assert_eq!(Image::new(&flipped).unwrap_err(), Error::Checksum);
    assert_eq!(Image::new(&good[..1500]).unwrap_err(), Error::Short { needed: 1536 });
}

#[test]
fn chunk_tables() {
    // Holes, neighbours that are joined, the size that clips, chunks in any order.
    let mut raw = Raw::new(8, &[(100, 8), (100, 108)]);
    let table = [
        index(7, 1, 10),
        index(0, 1, 11),
        index(0, 9, HOLE),
        index(0, 2, 5),
        index(0, 0, 110),
        index(0, 0, 3),
    ];
    raw.chunks(5, 5 * 512 + 7, 0x20, &table.concat());
    assert_eq!(
        extents(raw, 5),
        [
            StoredExtent { logical: 0, len: 1024, source: device(0, 5120) },
            StoredExtent { logical: 1536, len: 512, source: device(1, 2560) },
            // Block 110 of the unified space is block 2 of slot 1.
            StoredExtent { logical: 2048, len: 512, source: device(1, 1024) },
            StoredExtent { logical: 2560, len: 7, source: StoredPlace::Primary { offset: 1536 } },
        ]
    );

    // Bits of the device id above the mask count for nothing; within it they must name a slot.
    let mut raw = Raw::new(8, &[(100, 8), (100, 108)]);
    raw.chunks(5, 1, 0x20, &index(0, 0xfffd, 4));
    assert_eq!(extents(raw, 5)[0].source, device(0, 2048));
    let mut raw = Raw::new(8, &[(100, 8), (100, 108)]);
    raw.chunks(5, 1, 0x20, &index(0, 3, 4));
    raw.dir(4, 4, &[("f", 5)]);
    assert_eq!(refused(raw), Rule::DeviceId);

    // Tables of 32-bit blocks.
    let mut raw = Raw::new(8, &[]);
    let table = [4u32, 5, HOLE, 0].map(u32::to_le_bytes).concat();
    raw.chunks(5, 8 * 512, 1, &table);
    let at = |logical, len, offset| StoredExtent {
        logical,
        len,
        source: StoredPlace::Primary { offset },
    };
    assert_eq!(
        extents(raw, 5),
        [at(0, 1024, 2048), at(1024, 1024, 2560), at(3072, 1024, 0)],
        "chunks of 1024 bytes"
    );

    // 48 bits.
    let mut raw = Raw::new(8, &[(HOLE, 8)]);
    let bits = raw.superblock().incompat() | Incompat::BIT48;
    raw.superblock().feature_incompat.set(bits.bits());
    raw.put(1152 + 72, &7u16.to_le_bytes());
    raw.chunks(
        5,
        1536,
        0x60,
        &[index(3, 1, 5), index(0xffff, 1, HOLE), index(2, 1, HOLE)].concat(),
    );
    assert_eq!(
        extents(raw, 5).iter().map(|extent| extent.source).collect::<Vec<_>>(),
        [device(0, (3 << 32 | 5) * 512), device(0, (2 << 32 | 0xffff_ffff) * 512)]
    );
}

#[test]
fn places_beyond_4_gib_and_outside_of_devices() {
    let mut raw = Raw::new(8, &[(1 << 30, 8)]);
    let size = 6u64 << 30;
    raw.chunks(5, size, 0x20 | 24, &index(0, 1, 1 << 24));
    raw.dir(4, 4, &[("f", 5)]);
    let tree = tree(&raw.sealed()).unwrap();
    let Content::Regular { size: found, body } = tree.content(tree.lookup(b"f").unwrap()) else {
        panic!()
    };
    assert_eq!(found, size);
    let Body::Contiguous(place) = body else { panic!("{body:?}") };
    assert_eq!(place, Place::Device { device: 0, offset: 8 << 30 });

    let mut raw = Raw::new(8, &[(100, 8)]);
    raw.chunks(5, 1025, 0x20 | 5, &index(0, 1, 98));
    raw.dir(4, 4, &[("f", 5)]);
    assert_eq!(refused(raw), Rule::WithinDevice);
    let mut raw = Raw::new(8, &[(100, 8)]);
    raw.chunks(5, 513, 0x20 | 5, &index(0, 0, 7));
    raw.dir(4, 4, &[("f", 5)]);
    assert_eq!(refused(raw), Rule::WithinImage);
    let mut raw = Raw::new(8, &[(100, 8)]);
    raw.chunks(5, 1 << 62, 0x20, &[]);
    raw.dir(4, 4, &[("f", 5)]);
    assert_eq!(refused(raw), Rule::Overlap);
    let mut raw = Raw::new(8, &[(100, 8), (5, 20)]);
    raw.chunks(5, 1, 0x20, &index(0, 0, 9));
    raw.dir(4, 4, &[("f", 5)]);
    assert_eq!(refused(raw), Rule::DisjointDevices);
}

#[test]
fn flat_files() {
    let mut raw = Raw::new(12, &[(100, 12)]);
    raw.extended(5, FILE, DataLayout::FlatPlain, 700, 20);
    raw.extended(6, FILE, DataLayout::FlatInline, 1030, 9);
    raw.put(6 * B + 64, b"inline");
    raw.extended(7, FILE, DataLayout::FlatPlain, 700, HOLE);
    raw.extended_mut(7).nb.set(u16::MAX);
    raw.compact(8, FILE, DataLayout::FlatPlain, 700, HOLE);
    raw.dir(4, 4, &[("a", 5), ("b", 6), ("c", 7), ("d", 8)]);
    let image = raw.sealed();
    let tree = tree(&image).unwrap();
    let body = |name: &str| match tree.content(tree.lookup(name.as_bytes()).unwrap()) {
        Content::Regular { body, .. } => body,
        other => panic!("{other:?}"),
    };
    // Block 20 of the unified space is block 8 of the slot.
    let Body::Contiguous(place) = body("a") else { panic!() };
    assert_eq!(place, Place::Device { device: 0, offset: 8 * 512 });
    let Body::Extents([blocks, tail]) = body("b") else { panic!() };
    assert_eq!((blocks.len, blocks.place), (1024, Place::Device { device: 1, offset: 9 * 512 }));
    let Place::Carried(at) = tail.place else { panic!() };
    assert_eq!((tail.logical, tree.carried(at, tail.len)), (1024, &b"inline"[..]));
    for hole in ["c", "d"] {
        assert!(matches!(body(hole), Body::Extents([])), "{hole}");
    }
    assert_eq!(tree.devices().len(), 2);
    assert_eq!((tree.devices()[1].bytes, &tree.devices()[1].tag[..]), (12 * 512, &b""[..]));

    let options = TreeOptions::new().devices(DevicesAt::InFile { tag: b"disk".to_vec() });
    let tree = Image::new(&image).unwrap().tree(&options).unwrap();
    let devices: Vec<_> = tree.devices().iter().map(|d| (&d.tag[..], d.base_offset)).collect();
    assert_eq!(devices, [(&b"blob0"[..], 12 * 512), (b"disk", 0)]);

    let mut raw = Raw::new(8, &[]);
    raw.extended(5, FILE, DataLayout::FlatInline, 449, HOLE);
    raw.dir(4, 4, &[("f", 5)]);
    assert_eq!(refused(raw), Rule::TailInBlock);
    let mut raw = Raw::new(8, &[]);
    raw.extended(5, FILE, DataLayout::CompressedFull, 449, 0);
    raw.dir(4, 4, &[("f", 5)]);
    assert_eq!(refused(raw), Rule::Uncompressed);
}

#[test]
fn inodes() {
    let mut raw = Raw::new(8, &[]);
    raw.compact(5, FILE, DataLayout::FlatPlain, 0, 0);
    raw.compact_mut(5).mtime.set(34);
    raw.compact_mut(5).nb.set(0x1234);
    let bits = raw.compact_mut(5).format.get() | 0x10;
    raw.compact_mut(5).format.set(bits);
    raw.superblock().fixed_nsec.set(9);
    let image = raw.sealed();
    let inode = Image::new(&image).unwrap().inode(nid(5)).unwrap();
    let mtime = inode.attributes().mtime;
    assert_eq!((inode.nlink(), mtime.secs, mtime.nanos), (1, 1034, 9));

    let broken = |change: &dyn Fn(&mut Raw)| {
        let mut raw = Raw::new(8, &[]);
        raw.extended(5, FILE, DataLayout::FlatPlain, 0, 0);
        raw.dir(4, 4, &[("f", 5)]);
        change(&mut raw);
        refused(raw)
    };
    assert_eq!(broken(&|raw| raw.extended_mut(5).format.set(0x21)), Rule::KnownFormat);
    assert_eq!(broken(&|raw| raw.extended_mut(5).format.set(0x0b)), Rule::KnownFormat);
    assert_eq!(broken(&|raw| raw.extended_mut(5).mode.set(0)), Rule::FileType);
    assert_eq!(broken(&|raw| raw.extended_mut(5).size_hi.set(1 << 31)), Rule::Size);
    assert_eq!(broken(&|raw| raw.extended_mut(5).mtime_nsec.set(u32::MAX)), Rule::Nanoseconds);
    assert_eq!(broken(&|raw| raw.dir(4, 4, &[("f", 9)])), Rule::WithinImage);
}

#[test]
fn directories() {
    let raw_dir = |names: &[(&str, usize)]| {
        let mut raw = Raw::new(8, &[]);
        raw.extended(5, FILE, DataLayout::FlatPlain, 0, 0);
        raw.raw_dir(4, names);
        raw
    };
    assert_eq!(refused(raw_dir(&[(".", 4)])), Rule::Dots);
    assert_eq!(refused(raw_dir(&[("..", 4)])), Rule::Dots);
    let mut omitted = raw_dir(&[("-", 5), ("..", 4), ("f", 5)]);
    let bits = omitted.compact_mut(4).format.get() | 0x10;
    omitted.compact_mut(4).format.set(bits);
    let omitted = tree(&omitted.sealed()).unwrap();
    assert_eq!(omitted.nlink(omitted.lookup(b"f").unwrap()), 2);
    for names in [["b", "a"], ["a", "a"]] {
        let raw = raw_dir(&[(".", 4), ("..", 4), (names[0], 5), (names[1], 5)]);
        assert_eq!(refused(raw), Rule::NameOrder);
    }
    for name in ["a/b", "", "a\0b"] {
        let raw = raw_dir(&[(".", 4), ("..", 4), (name, 5), ("z", 5)]);
        assert_eq!(refused(raw), Rule::Name, "{name:?}");
    }
    for nameoff in [0u16, 35, 37, 500, u16::MAX] {
        let mut raw = Raw::new(8, &[]);
        raw.dir(4, 4, &[("a", 4)]);
        raw.put(4 * B + 32 + 8, &nameoff.to_le_bytes());
        assert_eq!(refused(raw), Rule::EntryTable, "{nameoff}");
    }
    // Cycles and directories with two names.
    let mut raw = Raw::new(8, &[]);
    raw.dir(5, 4, &[("up", 4)]);
    raw.dir(4, 4, &[("a", 5)]);
    assert_eq!(refused(raw), Rule::DirectoryOnce);
    let mut raw = Raw::new(8, &[]);
    raw.dir(5, 4, &[]);
    raw.dir(4, 4, &[("a", 5), ("b", 5)]);
    assert_eq!(refused(raw), Rule::DirectoryOnce);
    // Two blocks, and the first one's names end with a NUL.
    let mut raw = Raw::new(10, &[]);
    raw.compact(5, DIR, DataLayout::FlatPlain, 512 + 13, 6);
    raw.put(6 * B, &dirents(&[(".", 5), ("..", 4), ("a", 9)]));
    raw.put(7 * B, &dirents(&[("b", 9)]));
    raw.extended(9, FILE, DataLayout::FlatPlain, 0, 0);
    raw.dir(4, 4, &[("d", 5)]);
    let tree = tree(&raw.sealed()).unwrap();
    let dir = tree.lookup(b"d").unwrap();
    assert_eq!(tree.children(dir).map(|(name, _)| name).collect::<Vec<_>>(), [b"a", b"b"]);
    assert_eq!(tree.nlink(tree.lookup(b"d/a").unwrap()), 2);
    for layout in [DataLayout::ChunkBased, DataLayout::FlatPlain] {
        let mut raw = Raw::new(8, &[]);
        raw.compact(5, DIR, layout, 40, HOLE);
        raw.dir(4, 4, &[("d", 5)]);
        assert_eq!(refused(raw), Rule::PlainMetadata);
    }
}

#[test]
fn links_and_marks() {
    let mut raw = Raw::new(10, &[]);
    raw.compact(5, LINK, DataLayout::FlatInline, 3, HOLE);
    raw.put(5 * B + 32, b"d/f");
    raw.compact(6, CHAR, DataLayout::FlatPlain, 0, 0);
    raw.dir(7, 4, &[]);
    raw.compact_mut(7).reserved.set(IMPLIED_MARK);
    raw.dir(4, 4, &[("d", 7), ("l", 5), ("w", 6)]);
    let tree = tree(&raw.sealed()).unwrap();
    let id = |name: &str| tree.lookup(name.as_bytes()).unwrap();
    assert!(matches!(tree.content(id("l")), Content::Target(b"d/f")));
    assert_eq!(tree.kind(id("w")), NodeKind::Whiteout);
    assert!(tree.is_implied(id("d")) && !tree.is_implied(InodeId::ROOT));

    for target in [&b"a\0b"[..], b""] {
        let mut raw = Raw::new(10, &[]);
        raw.compact(5, LINK, DataLayout::FlatInline, target.len() as u32, HOLE);
        raw.put(5 * B + 32, target);
        raw.dir(4, 4, &[("l", 5)]);
        assert_eq!(refused(raw), Rule::LinkTarget);
    }
}

#[test]
fn xattrs() {
    let mut raw = Raw::new(10, &[]);
    raw.superblock().xattr_blkaddr.set(6);
    raw.superblock().xattr_prefix_start.set(8 * 512 / 4);
    raw.superblock().xattr_prefix_count = 2;
    raw.put(8 * B, b"\x02\0\x04a\x06\0\x01long.");
    raw.put(6 * B + 40, &xattr(6, "shared", b"s"));
    raw.put(6 * B + 80, &xattr(1, "k", b"later"));
    let mut body = vec![0; 12];
    body[4] = 2;
    body.extend_from_slice(&10u32.to_le_bytes());
    body.extend_from_slice(&20u32.to_le_bytes());
    for (prefix, name, value) in
        [(1, "k", "v"), (2, "", "acl"), (0x81, "x", "y"), (0, "hidden", "")]
    {
        body.extend(xattr(prefix, name, value.as_bytes()));
    }
    raw.extended(5, FILE, DataLayout::FlatPlain, 0, 0);
    raw.xattr_body(5, &body);
    let image = raw.sealed();
    let found = Image::new(&image).unwrap().xattrs(nid(5)).unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|xattr| (core::str::from_utf8(&xattr.name).unwrap(), &xattr.value[..]))
        .collect();
    assert_eq!(
        found,
        [
            ("security.shared", &b"s"[..]),
            ("system.posix_acl_access", b"acl"),
            ("user.k", b"v"),
            ("user.long.x", b"y"),
        ]
    );
}

#[test]
fn damaged_xattrs() {
    let with = |body: &[u8]| {
        let mut raw = Raw::new(10, &[]);
        raw.extended(5, FILE, DataLayout::FlatPlain, 0, 0);
        raw.xattr_body(5, body);
        raw.dir(4, 4, &[("f", 5)]);
        raw
    };
    assert!(tree(&with(&[0; 12]).sealed()).is_ok(), "a body without attributes");
    let mut shared = [0; 16];
    shared[4] = 2;
    assert_eq!(refused(with(&shared)), Rule::XattrBody);
    shared[4] = 1;
    shared[12..].copy_from_slice(&[0xff; 4]);
    assert_eq!(refused(with(&shared)), Rule::WithinImage);
    let entry = |entry: Vec<u8>| with(&[&[0; 12][..], &entry].concat());
    assert_eq!(refused(entry(vec![200, 1, 0, 0])), Rule::XattrBody);
    assert_eq!(refused(entry(vec![0, 1, 255, 255])), Rule::XattrBody);
    assert_eq!(refused(entry(xattr(1, "", b"v"))), Rule::XattrName);
    assert_eq!(refused(entry(xattr(2, "x", b"v"))), Rule::XattrName);
    assert_eq!(refused(entry(xattr(1, "a\0", b"v"))), Rule::XattrName);
    assert_eq!(refused(entry(xattr(0x80, "x", b"v"))), Rule::XattrPrefix);
}

#[test]
fn devices_within_the_file_have_an_address() {
    let within = TreeOptions::new().devices(DevicesAt::InFile { tag: Vec::new() });
    let raw = Raw::new(8, &[(4, 8), (4, 0)]).sealed();
    let error = Image::new(&raw).unwrap().tree(&within).unwrap_err();
    assert_eq!(error, Error::Device { slot: 1, rule: Rule::DeviceAddress });
    let separate = TreeOptions::new().devices(DevicesAt::Separate);
    let tree = Image::new(&raw).unwrap().tree(&separate).unwrap();
    assert!(tree.devices().iter().all(|device| (device.bytes, device.base_offset) == (2048, 0)));
}
