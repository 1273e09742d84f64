//! What the targets share.

use erofs_tarfs::image;
use erofs_tarfs::layout::{self, LayoutOptions};
use erofs_tarfs::read::{DevicesAt, Image, TreeOptions};
use erofs_tarfs::tree::{LayerBuilder, LayerOptions, MergeOptions, Tree, merge};

/// Gives each header of a tar its right checksum: a wrong one would end most inputs at once.
pub fn sum_headers(tar: &mut [u8]) {
    for block in tar.chunks_exact_mut(512).filter(|block| block[257..262] == *b"ustar") {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
}

/// The checksum of partition tables: IEEE 802.3's.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    })
}

/// A layer of a tar, the tolerant way.
pub fn layer(tar: &[u8]) -> Option<Tree> {
    let options = LayerOptions::new()
        .keep_pending(true)
        .resolve_dot_dot(true)
        .drop_unknown_xattrs(true)
        .tag(b"tar");
    let mut builder = LayerBuilder::new(options);
    builder.push(tar).ok()?;
    Some(builder.finish().ok()?.tree)
}

/// A tree's image has the length that was planned, reads back, and comes out of what was read with
/// the same bytes.
pub fn there_and_back(tree: &Tree, options: &LayoutOptions) {
    let Ok(layout) = layout::plan(tree, options) else { return };
    let bytes = image::bootstrap(&layout);
    assert_eq!(bytes.len() as u64, layout.metadata_bytes());
    let image = Image::new(&bytes).expect("our own image");
    let how = TreeOptions::new().devices(DevicesAt::Separate);
    let again = image.tree(&how).expect("our own image");
    assert_eq!(again.inode_count(), tree.inode_count());
    let Ok(layout) = layout::plan(&again, options) else { panic!("what was read does not fit") };
    assert_eq!(layout.inode_count(), tree.inode_count() as u64);
}

/// The layers merged, if they can be.
pub fn merged(layers: &[&Tree]) -> Option<Tree> {
    merge(layers, &MergeOptions::default()).ok()
}
