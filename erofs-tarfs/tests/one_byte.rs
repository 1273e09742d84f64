//! "One byte followed" in ARCHITECTURE.md: each of its numbers.

#[path = "../doc/tar.rs"]
mod doc;

use doc::{layer_of, tar_of};
use erofs_tarfs::format::DataLayout;
use erofs_tarfs::image::{self, Piece};
use erofs_tarfs::layout::{self, Layout};
use erofs_tarfs::read::{Image, StoredPlace};
use erofs_tarfs::tar::{Event, ParseOptions, Parser};
use erofs_tarfs::tree::{Body, Content, MergeOptions, Place, merge};
use erofs_tarfs::verity::{
    Error, Fault, Geometry, HashBytes, HashPlacement, Hasher, Params, Verifier,
};

/// The bytes of a disk whose one device is `tar`.
fn written(layout: &Layout<'_>, tar: &[u8]) -> Vec<u8> {
    let mut disk = Vec::new();
    image::pieces(&image::disk(layout), layout, &mut |_, piece: Piece<'_>| {
        match piece {
            Piece::Bytes(bytes) => disk.extend_from_slice(bytes),
            Piece::Zeros(bytes) => disk.resize(disk.len() + bytes as usize, 0),
            Piece::Device { offset, bytes, .. } => {
                disk.extend_from_slice(&tar[offset as usize..][..bytes as usize]);
            }
            _ => unreachable!("there are no other pieces"),
        }
        Ok::<(), ()>(())
    })
    .unwrap();
    disk
}

#[test]
fn the_first_byte_of_a_file_is_where_architecture_md_says_at_every_stage() {
    let files = [("etc/motd", "hello\n")];
    let tar = tar_of(&files);
    assert_eq!((tar.len(), tar[512]), (2048, b'h'));

    let mut parser = Parser::new(ParseOptions::default());
    let Event::Entry(entry) = parser.push(&tar).unwrap().event else { panic!("no entry") };
    assert_eq!((entry.offset, entry.data_offset, entry.size), (0, 512, 6));

    let tree = merge(&[&layer_of(&files)], &MergeOptions::default()).unwrap();
    let motd = tree.lookup(b"etc/motd").unwrap();
    let Content::Regular { size: 6, body: Body::Contiguous(place) } = tree.content(motd) else {
        panic!("{:?}", tree.content(motd));
    };
    assert_eq!(place, Place::Device { device: 0, offset: 512 });

    let options = layout::LayoutOptions::disk();
    let layout = layout::plan(&tree, &options).unwrap();
    assert_eq!((layout.metadata_bytes(), layout.devices()[0].disk_offset), (4096, Some(4096)));

    let mut disk = written(&layout, &tar);
    let image = Image::new(&disk).unwrap();
    let nid = image.lookup(b"etc/motd").unwrap().unwrap();
    let inode = image.inode(nid).unwrap();
    assert_eq!((nid, inode.offset(), inode.layout()), (46, 1472, DataLayout::FlatPlain));
    assert_eq!(disk[1472 + 16..][..4], 9_u32.to_le_bytes());
    assert_eq!(image.extents(nid).unwrap()[0].source, StoredPlace::Device { slot: 0, offset: 512 });
    assert_eq!((disk.len(), disk[4608]), (6144, b'h'));

    let geometry = Geometry::new(&Params::nydus(), 6144, HashPlacement::BehindData).unwrap();
    assert_eq!((geometry.data_blocks(), geometry.hash_offset(), geometry.end()), (12, 8192, 12288));
    let mut tree = HashBytes { start: 8192, ..HashBytes::default() };
    let mut hasher = Hasher::new(geometry.clone());
    hasher.push(&disk, &mut tree).unwrap();
    let sealed = hasher.finish(&mut tree).unwrap();
    let block = erofs_tarfs::verity::BlockHasher::of(&Params::nydus());
    assert_eq!(tree.bytes[8480 - 8192..][..32], *block.hash(&disk[4608..5120]).as_bytes());
    assert_eq!(sealed.root(), block.hash(&tree.bytes));

    disk[4608] = b'j';
    let found = Verifier::new(geometry, sealed.root()).verify_all(&mut &disk[..], &mut &tree);
    assert_eq!(found, Err(Fault::Verity(Error::DataMismatch { block: 9, offset: 4608 })));
}
