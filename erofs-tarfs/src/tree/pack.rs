//! Bodies copied to a coarser grid than that of their tars.

#![expect(
    clippy::indexing_slicing,
    reason = "an inode, a link or a range of them is an index of the arena that made it, where nothing is taken away"
)]

use super::body::{Body, Extent, Packed, Place};
use super::device::Device;
use super::error::Error;
use super::inode::{Content, InodeId, NodeKind};
use super::model::{Inode, PIECES, Tree};
use crate::units::BlockSize;
use alloc::vec::Vec;

/// A tree whose files' bodies lie on multiples of `block` bytes, in a device of their own, which
/// [`Tree::packing`] says how to fill: nothing else of the other devices is in a disk of it.
///
/// The bodies of a tar lie on multiples of 512 bytes, so disks for sectors of 4096 bytes, or for
/// dm-verity with data blocks of 4096, carry copies. What is a hole stays one where it fills blocks.
///
/// ```
/// use erofs_tarfs::tree::{Packed, Place, pack};
/// use erofs_tarfs::units::BlockSize;
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// // The body of 6 bytes lies at byte 512 of the tar, and at byte 0 of the packed device.
/// let tree = pack(&layer_of(&[("etc/motd", "hello\n")]), BlockSize::B4096)?;
/// let place = Place::Device { device: 0, offset: 512 };
/// assert_eq!(tree.packing(), [Packed { offset: 0, len: 6, place }]);
/// assert_eq!(tree.devices()[1].bytes, 4096);
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
///
/// # Errors
/// [`Error::TooMany`].
pub fn pack(tree: &Tree, block: BlockSize) -> Result<Tree, Error> {
    let device = u16::try_from(tree.devices.len()).ok().filter(|device| *device < u16::MAX);
    let device = device.ok_or(Error::TooMany("devices"))?;
    let block = u64::from(block.bytes());
    let mut packer = Packer { block, device, at: 0, packing: Vec::new(), extents: Vec::new() };
    let mut out = tree.clone();
    for id in (0..tree.inode_count() as u32).map(InodeId) {
        if tree.kind(id) == NodeKind::Regular {
            packer.file(tree, id, &mut out.inodes[id.index()])?;
        }
    }
    if !packer.packing.is_empty() {
        out.devices.push(Device { bytes: packer.at, ..Device::default() });
        out.packing = packer.packing;
    }
    out.extents = packer.extents;
    Ok(out)
}

struct Packer {
    block: u64,
    device: u16,
    /// Length of the packed device so far: whole blocks.
    at: u64,
    packing: Vec<Packed>,
    extents: Vec<Extent>,
}

impl Packer {
    /// Gives a file its new body.
    fn file(&mut self, tree: &Tree, id: InodeId, inode: &mut Inode) -> Result<(), Error> {
        let Content::Regular { size, body } = tree.content(id) else { return Ok(()) };
        let whole;
        let pieces = match body {
            Body::Contiguous(_) if size == 0 => return Ok(()),
            Body::Contiguous(place) => {
                whole = [Extent { logical: 0, len: size, place }];
                &whole[..]
            }
            Body::Extents(extents) => extents,
        };
        let start = self.extents.len();
        for piece in pieces {
            self.piece(start, size, piece);
        }
        let count = self.extents.len().saturating_sub(start);
        if self.extents.len() > u32::MAX as usize {
            return Err(Error::TooMany("extents"));
        }
        match (count, self.extents.last()) {
            (1, Some(&Extent { len, place: Place::Device { device, offset }, .. }))
                if len == size =>
            {
                self.extents.pop();
                (inode.body, inode.device) = (offset, device);
                inode.flags &= !PIECES;
            }
            _ => {
                inode.body = super::model::pack(start, count);
                inode.flags |= PIECES;
            }
        }
        Ok(())
    }

    /// Copies a piece of a file, whose extents begin at `first`.
    fn piece(&mut self, first: usize, size: u64, piece: &Extent) {
        let end = piece.logical.saturating_add(piece.len);
        let from = piece.logical.saturating_sub(piece.logical.checked_rem(self.block).unwrap_or(0));
        let to = end.checked_next_multiple_of(self.block).unwrap_or(size).min(size);
        // Where the file's last extent ends in the block that this piece begins in, or right before
        // it, it is made longer: a block is copied once.
        let last = self.extents.get_mut(first..).and_then(<[Extent]>::last_mut);
        let last = last.filter(|last| last.logical.saturating_add(last.len) >= from);
        let (logical, start) = match last {
            Some(last) => {
                let Place::Device { offset, .. } = last.place else { return };
                last.len = to.saturating_sub(last.logical);
                (last.logical, offset)
            }
            None => {
                let place = Place::Device { device: self.device, offset: self.at };
                self.extents.push(Extent { logical: from, len: to.saturating_sub(from), place });
                (from, self.at)
            }
        };
        let offset = start.saturating_add(piece.logical.saturating_sub(logical));
        self.packing.push(Packed { offset, len: piece.len, place: piece.place });
        let len = to.saturating_sub(logical).checked_next_multiple_of(self.block);
        self.at = start.saturating_add(len.unwrap_or(u64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Attributes, Builder, Node, What, XattrSet};
    use alloc::vec;

    #[test]
    fn bodies_go_to_the_grid_and_nothing_is_lost() {
        let tar = |offset| Place::Device { device: 0, offset };
        let extent = |logical, len, place| Extent { logical, len, place };
        let runs = [
            extent(512, 512, tar(8192)),
            extent(1024, 4096, tar(512)),
            extent(20_480, 512, Place::Carried(0)),
            extent(29_000, 1000, tar(20_480)),
        ];
        let mut builder = Builder::new();
        builder.add_device(Device { bytes: 65_536, ..Device::default() }).unwrap();
        builder.carry(&[1; 512]);
        let mut file = |name: &[u8], what| {
            let node = Node { attributes: Attributes::default(), xattrs: XattrSet::NONE, what };
            let id = builder.add(node).unwrap();
            builder.link(InodeId::ROOT, name, id).unwrap();
        };
        file(b"a", What::Regular { size: 5000, place: tar(512) });
        file(b"b", What::Pieces { size: 30_000, extents: &runs });
        file(b"c", What::Regular { size: 0, place: tar(0) });
        file(b"d", What::Pieces { size: 9000, extents: &[] });
        file(b"e", What::Regular { size: 1, place: tar(1024) });
        let tree = pack(&builder.finish().unwrap(), BlockSize::B4096).unwrap();
        let body = |name: &[u8]| match tree.content(tree.lookup(name).unwrap()) {
            Content::Regular { body: Body::Contiguous(place), .. } => vec![extent(0, 0, place)],
            Content::Regular { body: Body::Extents(extents), .. } => extents.to_vec(),
            _ => panic!(),
        };
        let at = |offset| Place::Device { device: 1, offset };
        assert_eq!(body(b"a"), [extent(0, 0, at(0))]);
        assert_eq!(
            body(b"b"),
            [
                extent(0, 8192, at(8192)),
                extent(20_480, 4096, at(16_384)),
                extent(28_672, 1328, at(20_480))
            ]
        );
        assert_eq!(body(b"d"), []);
        assert_eq!(body(b"e"), [extent(0, 0, at(24_576))]);
        let packed = |offset, len, place| Packed { offset, len, place };
        assert_eq!(
            tree.packing(),
            [
                packed(0, 5000, tar(512)),
                packed(8192 + 512, 512, tar(8192)),
                packed(8192 + 1024, 4096, tar(512)),
                packed(16_384, 512, Place::Carried(0)),
                packed(20_480 + 328, 1000, tar(20_480)),
                packed(24_576, 1, tar(1024)),
            ]
        );
        assert_eq!((tree.devices().len(), tree.devices()[1].bytes), (2, 28_672));
    }
}
