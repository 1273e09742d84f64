//! The whole way of a small layer: from a tar, pushed in pieces, to an image, back, and under a hash tree.
//! `./check miri` runs it where undefined behaviour is seen, and each step takes a thousand times as long.
#![allow(clippy::std_instead_of_alloc, clippy::std_instead_of_core)]

use erofs_tarfs::read::{Image, ReadFault, ReadImage, TreeOptions};
use erofs_tarfs::tree::{LayerBuilder, LayerOptions, Tree};
use erofs_tarfs::verity::{Backend, BlockHasher, VerityBlockSize};
use erofs_tarfs::{image, layout};
use sha2::{Digest as _, Sha256};

#[allow(dead_code, reason = "examples use all of it")]
mod doc {
    include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs"));
}

const FILES: [(&str, &str); 5] = [
    ("etc/", ""),
    ("etc/motd", "hello\n"),
    ("etc/.wh.old", ""),
    ("link@", "etc/motd"),
    ("a/b/c", "!"),
];

/// Headers that lie whole in what is pushed, and those that do not, go different ways.
fn tree_in_pieces(tar: &[u8], piece: usize) -> Tree {
    let mut builder = LayerBuilder::new(LayerOptions::default());
    for bytes in tar.chunks(piece) {
        builder.push(bytes).unwrap();
    }
    builder.finish().unwrap().tree
}

fn image_of(tree: &Tree) -> Vec<u8> {
    image::bootstrap(&layout::plan(tree, &layout::LayoutOptions::default()).unwrap())
}

/// An image that is read, not in memory.
struct Pieces(Vec<u8>);

impl ReadImage for Pieces {
    fn len(&self) -> Result<u64, ReadFault> {
        Ok(self.0.len() as u64)
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<(), ReadFault> {
        buf.copy_from_slice(&self.0[offset as usize..][..buf.len()]);
        Ok(())
    }
}

#[test]
fn a_layer_comes_back() {
    let tar = doc::tar_of(&FILES);
    let bytes = image_of(&tree_in_pieces(&tar, tar.len()));
    assert_eq!(image_of(&tree_in_pieces(&tar, 700)), bytes);
    let pieces = Pieces(bytes.clone());
    for image in [Image::new(&bytes).unwrap(), Image::over(&pieces).unwrap()] {
        let motd = image.lookup(b"etc/motd").unwrap().unwrap();
        let mut buf = [0; 9];
        let read = image.read_at(motd, 1, &mut buf, &mut |_, offset, buf: &mut [u8]| {
            buf.copy_from_slice(&tar[offset as usize..][..buf.len()]);
            Ok::<(), erofs_tarfs::read::Error>(())
        });
        assert_eq!(&buf[..read.unwrap()], b"ello\n");
        let link = image.lookup(b"link").unwrap().unwrap();
        assert_eq!(&image.read_link(link).unwrap()[..], b"etc/motd");
        assert_eq!(image_of(&image.tree(&TreeOptions::default()).unwrap()), bytes);
    }
}

#[test]
fn blocks_hash_by_all_backends() {
    let data = doc::tar_of(&FILES[..2]);
    let size = VerityBlockSize::new(512).unwrap();
    let expected: Vec<u8> = data.chunks(512).flat_map(Sha256::digest).collect();
    for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
        let mut digests = vec![0; expected.len()];
        let hasher = BlockHasher::new(&[]).unwrap().with_backend(backend);
        hasher.hash_blocks(size, &data, &mut digests).unwrap();
        assert_eq!(digests, expected, "{backend}");
    }
}
