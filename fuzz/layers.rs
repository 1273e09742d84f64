//! Tars to layers, layers to images, and back.

use erofs_tarfs::image;
use erofs_tarfs::layout::{self, LayoutOptions};
use erofs_tarfs::read::{DevicesAt, Image, TreeOptions};
use erofs_tarfs::tree::{LayerBuilder, LayerOptions, MergeOptions, Tree, merge};

use crate::strict;

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

/// A tree's image has the length that was planned, is as images have to be, reads back, and comes out of
/// what was read with the same bytes.
///
/// The UUID is given: one that follows from a tree follows from its tags too, as it was made.
pub fn there_and_back(tree: &Tree, options: &LayoutOptions) {
    let options = &options.clone().uuid([1; 16]);
    let Ok(layout) = layout::plan(tree, options) else { return };
    let bytes = image::bootstrap(&layout);
    assert_eq!(bytes.len() as u64, layout.metadata_bytes());
    let image = Image::new(&bytes).expect("our own image");
    strict::check(&image, bytes.len() as u64);
    let how = TreeOptions::new().devices(DevicesAt::Separate).carry_own_data(true);
    let again = image.tree(&how).expect("our own image");
    assert_eq!(again.inode_count(), tree.inode_count());
    let Ok(layout) = layout::plan(&again, options) else { panic!("what was read does not fit") };
    assert_eq!(layout.inode_count(), tree.inode_count() as u64);
    let again = image::bootstrap(&layout);
    let at = again.iter().zip(&bytes).position(|(a, b)| a != b);
    let lengths = [bytes.len(), again.len()];
    assert!(
        again == bytes,
        "an image of what was read differs: bytes {lengths:?}, first at {at:?}"
    );
}

/// The layers merged, if they can be.
pub fn merged(layers: &[&Tree]) -> Option<Tree> {
    merge(layers, &MergeOptions::default()).ok()
}
