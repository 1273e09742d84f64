//! No image makes the reader panic, and none costs more than its length allows.

mod read_kit;

use core::time::Duration;
use erofs_tarfs::format::{DataLayout, HOLE, seal};
use erofs_tarfs::read::{DevicesAt, Error, Image, Rule, TreeOptions};
use read_kit::{B, CHAR, DIR, FILE, LINK, Pieces, Raw, index, nid, xattr};
use std::time::Instant;

/// One of each kind in few bytes.
fn sample() -> Vec<u8> {
    let mut raw = Raw::new(16, &[(40, 16), (8, 56)]);
    raw.superblock().xattr_blkaddr.set(13);
    raw.superblock().xattr_prefix_start.set(14 * 512 / 4);
    raw.superblock().xattr_prefix_count = 1;
    raw.put(14 * B, b"\x06\0\x01long.");
    raw.put(13 * B + 40, &xattr(6, "shared", b"s"));
    raw.chunks(5, 3 * 512 + 7, 0x20, &[index(0, 1, 3), index(0, 0, HOLE), index(0, 2, 3)].concat());
    raw.chunks(6, 1000, 0, &[5u32, HOLE].map(u32::to_le_bytes).concat());
    raw.extended(7, FILE, DataLayout::FlatInline, 515, 12);
    let mut body = vec![0; 16];
    body[4] = 1;
    body[12] = 10;
    body.extend(xattr(1, "k", b"v"));
    body.extend(xattr(0x80, "k", b"v"));
    raw.xattr_body(7, &body);
    raw.extended(8, FILE, DataLayout::FlatPlain, 600, 20);
    raw.compact(9, LINK, DataLayout::FlatInline, 3, HOLE);
    raw.put(9 * B + 32, b"d/f");
    raw.compact(10, CHAR, DataLayout::FlatPlain, 0, 0);
    raw.dir(11, 4, &[("h", 5)]);
    raw.dir(4, 4, &[("a", 5), ("b", 6), ("c", 7), ("d", 11), ("e", 8), ("l", 9), ("w", 10)]);
    raw.sealed()
}

/// Reads all there is, from memory and piece by piece, which must come to the same; whether a tree came
/// of it.
fn read(bytes: &[u8]) -> bool {
    let pieces = Pieces(bytes);
    let (image, over) = match (Image::new(bytes), Image::over(&pieces)) {
        (Ok(image), Ok(over)) => (image, over),
        (image, over) => {
            assert_eq!(image.unwrap_err(), over.unwrap_err());
            return false;
        }
    };
    same(&image, &over);
    let listed = image.lookup(b"d/h");
    for block in 4..12 {
        let nid = nid(block);
        let _ = (image.entries(nid), image.extents(nid), image.xattrs(nid), image.read_link(nid));
    }
    let in_file = TreeOptions::new().devices(DevicesAt::InFile { tag: Vec::new() });
    let flat = image.tree(&in_file);
    assert_eq!(flat.is_ok(), over.tree(&in_file).is_ok());
    match image.tree(&TreeOptions::new().keep_layer_marks(false).carry_own_data(true)) {
        Ok(tree) => {
            assert!(listed.is_ok());
            tree.inode_count() > 1 && flat.is_ok()
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

/// Compares all that can be asked of an image. Files on devices have zeros here.
fn same(image: &Image<'_>, over: &Image<'_>) {
    assert_eq!((image.devices(), image.checksum()), (over.devices(), over.checksum()));
    for nid in (4..12).map(nid) {
        assert_eq!(image.inode(nid), over.inode(nid));
        assert_eq!(image.entries(nid), over.entries(nid));
        assert_eq!(image.extents(nid), over.extents(nid));
        assert_eq!(image.xattrs(nid), over.xattrs(nid));
        assert_eq!(image.read_link(nid), over.read_link(nid));
        let body = |image: &Image<'_>| {
            let mut buf = [0; 700];
            let mut device = |_, _, _: &mut [u8]| Ok::<_, Error>(());
            (image.read_at(nid, 500, &mut buf, &mut device), buf)
        };
        assert!(body(image) == body(over));
    }
    let (mut walk, mut read) = (image.walk(), over.walk());
    // The root, and no more than there is room for in a table of entries.
    for _ in 0..2000 {
        let step = walk.next();
        assert_eq!((&step, walk.path()), (&read.next(), read.path()));
        if step.is_none() {
            return;
        }
    }
    panic!("a walk without an end");
}

#[test]
fn every_byte_changed() {
    let sample = sample();
    assert!(read(&sample));
    for at in 1024..sample.len() {
        for change in [0x01, 0x80, 0xff, 0x10, sample[at], !sample[at]] {
            let mut bytes = sample.clone();
            bytes[at] ^= change;
            read(&bytes);
            seal(&mut bytes);
            read(&bytes);
        }
    }
}

#[test]
fn every_two_bytes_maxed() {
    let sample = sample();
    for at in 1024..sample.len() - 8 {
        for len in [2, 4, 8] {
            let mut bytes = sample.clone();
            bytes[at..at + len].fill(0xff);
            seal(&mut bytes);
            read(&bytes);
        }
    }
}

#[test]
fn every_truncation() {
    let sample = sample();
    for len in 0..sample.len() {
        let whole = read(&sample[..len]);
        assert!(!whole || len > 12 * B, "{len}: a tree without its inodes");
    }
}

#[track_caller]
fn overlap(raw: Raw) {
    let start = Instant::now();
    let bytes = raw.sealed();
    let error = Image::new(&bytes).unwrap().tree(&TreeOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Inode { rule: Rule::Overlap, .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

/// A root with as many names as a block has room for, and further blocks of that kind.
fn crowd(blocks: usize, children: usize) -> Raw {
    // Whatever bytes a chunk index is made of, there is data where it leads.
    let mut raw = Raw::new(blocks, &[(0xffff_0000, blocks as u32)]);
    let names: Vec<String> = (0..children).map(|n| format!("{n:06}")).collect();
    let mut dirs = vec![vec![(".", 4), ("..", 4)]];
    for (n, name) in names.iter().enumerate() {
        if dirs.last().unwrap().len() == 28 {
            dirs.push(Vec::new());
        }
        dirs.last_mut().unwrap().push((name, 100 + n));
    }
    raw.compact(4, DIR, DataLayout::FlatPlain, (dirs.len() * B) as u32, 5);
    for (n, dir) in dirs.iter().enumerate() {
        raw.put((5 + n) * B, &read_kit::dirents(dir));
    }
    raw
}

#[test]
fn metadata_that_overlaps() {
    let (blocks, children) = (2000, 1500);
    // Many inodes that share one long chunk table, which goes over all the image.
    let mut raw = crowd(blocks, children);
    for n in 0..children {
        raw.extended(100 + n, FILE, DataLayout::ChunkBased, 400_000 * 64, 0x20);
    }
    overlap(raw);
    // Directories that share their blocks.
    let mut raw = crowd(blocks, children);
    let data = read_kit::dirents(&[(".", 4), ("..", 4)]);
    raw.put(90 * B, &data);
    for n in 0..children {
        raw.compact(100 + n, DIR, DataLayout::FlatPlain, 1 << 19, 90);
    }
    let error = Image::new(&raw.sealed()).unwrap().tree(&TreeOptions::default()).unwrap_err();
    assert!(matches!(error, Error::Inode { rule: Rule::EntryTable, .. }), "{error}");
    // Links that share their target.
    let mut raw = crowd(blocks, children);
    for block in 80..88 {
        raw.put(block * B, &[b'x'; B]);
    }
    for n in 0..children {
        raw.compact(100 + n, LINK, DataLayout::FlatPlain, 4000, 80);
    }
    overlap(raw);
    // Shared xattrs, 255 times each.
    let mut raw = crowd(blocks, children);
    raw.superblock().xattr_blkaddr.set(80);
    raw.put(80 * B, &xattr(1, "k", &[b'v'; 5000]));
    let mut body = vec![0; 12 + 4 * 100];
    body[4] = 100;
    for n in 0..children {
        raw.compact(100 + n, FILE, DataLayout::FlatPlain, 0, 0);
        raw.xattr_body(100 + n, &body);
    }
    overlap(raw);
}
