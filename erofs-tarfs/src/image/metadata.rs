//! The metadata front to back.

use super::head::head;
use super::stream::Stream;
use super::{blocks, inodes};
use crate::layout::Layout;
use alloc::vec::Vec;
use core::convert::Infallible;

/// Writes the metadata behind the head, front to back, in pieces of about 64 KiB: exactly
/// [`Layout::body_bytes`] of them. The sink's error ends it.
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
