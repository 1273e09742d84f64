//! The block area: directories, symbolic links and what trees carry.

use super::directory::Directory;
use super::shape::shape;
use super::stream::Stream;
use crate::layout::{Data, Face, Layout, Pieces};
use crate::tree::{Body, Place};

/// Writes the blocks of all items in the order of their inodes.
pub(super) fn write<E, S: FnMut(&[u8]) -> Result<(), E>>(
    layout: &Layout<'_>,
    out: &mut Stream<'_, S>,
) -> Result<(), E> {
    let block = u64::from(layout.block_size().bytes());
    for item in &layout.order {
        // Most items need nothing in the block area. For these that is told by their type alone,
        // which costs less than their shape.
        match layout.scene.face(*item) {
            Face::Special(_) | Face::Regular { size: 0, .. } => continue,
            Face::Regular { body: Body::Contiguous(Place::Device { .. }), .. } => continue,
            _ => {}
        }
        let shape = shape(layout, *item);
        if shape.blocks == 0 {
            continue;
        }
        let end = out.position() + shape.blocks * block;
        match layout.scene.face(*item) {
            Face::Directory => {
                let whole = if shape.data == Data::Inline { shape.blocks } else { u64::MAX };
                Directory::new(layout, *item).blocks(whole, out)?;
            }
            Face::Symlink(target) => {
                let len = (shape.blocks * block).min(target.len() as u64);
                out.put(&target[..len as usize])?;
            }
            Face::Regular { size, body } => {
                for piece in Pieces::new(size, body) {
                    if let Place::Carried(at) = piece.place {
                        out.put(layout.scene.tree.carried(at, piece.len))?;
                        out.pad(out.position().next_multiple_of(block))?;
                    }
                }
            }
            Face::Special(_) => {}
        }
        out.pad(end)?;
    }
    Ok(())
}
