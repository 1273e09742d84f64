//! The metadata front to back.

use super::head::head;
use super::stream::Stream;
use super::{blocks, inodes};
use crate::layout::Layout;
use alloc::vec::Vec;
use core::convert::Infallible;

/// Writes the metadata behind the head, front to back, in pieces of about 64 KiB: exactly
/// [`Layout::body_bytes`] of them. The sink's error ends it.
///
/// ```
/// use erofs_tarfs::{image, layout};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let layout = layout::plan(&tree, &layout::LayoutOptions::default())?;
/// let mut file = image::head(&layout);
/// image::body(&layout, &mut |piece: &[u8]| {
///     file.extend_from_slice(piece); // or write it, and return what writing gives
///     Ok::<(), std::io::Error>(())
/// })?;
/// assert_eq!(file, image::bootstrap(&layout));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Those of `sink`, and no other.
pub fn body<E>(
    layout: &Layout<'_>,
    sink: &mut impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    inode_area(layout, sink)?;
    block_area(layout, sink)
}

/// The first part of [`body`]: the inodes, up to the block area.
pub(crate) fn inode_area<E>(
    layout: &Layout<'_>,
    sink: &mut impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut out = Stream::new(layout.body_offset(), sink);
    inodes::write(layout, &mut out)?;
    out.end()
}

/// The rest of [`body`]: directories, and all else that takes blocks.
pub(crate) fn block_area<E>(
    layout: &Layout<'_>,
    sink: &mut impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut out = Stream::new(layout.block_area, sink);
    blocks::write(layout, &mut out)?;
    out.pad(layout.body_offset() + layout.body_bytes())?;
    out.end()
}

/// The whole metadata: the bytes of a bootstrap.
///
/// ```
/// use erofs_tarfs::{image, layout};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let layout = layout::plan(&tree, &layout::LayoutOptions::default())?;
/// let bootstrap = image::bootstrap(&layout);
/// assert_eq!(bootstrap[1024..1028], 0xE0F5_E1E2_u32.to_le_bytes()); // EROFS's magic number
/// // mount -t erofs -o device=layer.tar bootstrap /mnt
/// # Ok::<(), layout::Error>(())
/// ```
pub fn bootstrap(layout: &Layout<'_>) -> Vec<u8> {
    let mut bytes = head(layout);
    let done: Result<(), Infallible> = body(layout, &mut |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    });
    match done {
        Ok(()) => bytes,
        Err(never) => match never {},
    }
}
