//! A UUID that follows from what is in an image.
//!
//! It tells images apart, as overlayfs wants it of its lower layers, and is the same wherever the
//! same image is made. It proves nothing: a fast hash is enough for it, SipHash-1-3 of 128 bits with a
//! key of zeros, over what follows in little-endian order. Changing any of it changes the format version.

use super::{Artifact, BodyForm, DiskOrder, LayoutOptions, WhiteoutForm};
use crate::tree::{Body, Content, Device, Extent, InodeId, Place, Tree};
use alloc::vec::Vec;
use core::hash::Hasher;
use siphasher::sip128::{Hasher128, SipHasher13};
use zerocopy::IntoBytes;
use zerocopy::little_endian::U64;

/// Bytes that are gathered before they are hashed.
const PIECE: usize = 4096;

/// The UUID of a tree's image: version 8 of RFC 9562, whose bits are what its maker wants.
pub(super) fn of_content(tree: &Tree, options: &LayoutOptions) -> [u8; 16] {
    let mut hash = Hash { state: SipHasher13::new(), piece: Vec::with_capacity(2 * PIECE) };
    hash.options(options);
    // Where a tar begins in the file that was read is of no account in a disk, which has the tar itself: so
    // it has the same UUID whether it is made of tars, or of disks with these tars in them.
    let is_disk = options.artifact != Artifact::Bootstrap;
    for device in tree.devices() {
        hash.device(device, if is_disk { 0 } else { device.base_offset });
    }
    for id in (0..tree.inode_count() as u32).map(InodeId) {
        hash.inode(tree, id);
    }
    hash.state.write(&hash.piece);
    let bytes = hash.state.finish128().as_bytes();
    uuid::Builder::from_custom_bytes(bytes).into_uuid().into_bytes()
}

struct Hash {
    state: SipHasher13,
    piece: Vec<u8>,
}

impl Hash {
    /// Several numbers at once: one at a time takes several times as long.
    #[inline]
    fn numbers<const N: usize>(&mut self, numbers: [u64; N]) {
        self.piece.extend_from_slice(numbers.map(U64::new).as_bytes());
    }

    /// Bytes with a number before them that holds their length, so that two texts are not one.
    #[inline]
    fn bytes(&mut self, number: u64, bytes: &[u8]) {
        self.numbers([number]);
        self.piece.extend_from_slice(bytes);
    }

    /// Hashes what was gathered, once it is enough.
    #[inline]
    fn flush(&mut self) {
        if self.piece.len() >= PIECE {
            self.state.write(&self.piece);
            self.piece.clear();
        }
    }

    fn options(&mut self, options: &LayoutOptions) {
        let artifact = match options.artifact {
            Artifact::Bootstrap => 0,
            Artifact::Disk(DiskOrder::DataFirst) => 1,
            Artifact::Disk(DiskOrder::MetadataFirst { align }) => 2 | align << 2,
        };
        let bodies = match options.bodies {
            BodyForm::Auto => 0,
            BodyForm::Plain => 1,
            BodyForm::Chunks => 2,
        };
        let aufs = u64::from(options.whiteouts == WhiteoutForm::Aufs);
        let forms = bodies | aufs << 8 | u64::from(options.compact) << 16;
        self.numbers([artifact, u64::from(options.block_size.bytes()), forms]);
        self.bytes(options.volume_name.len() as u64, &options.volume_name);
    }

    fn device(&mut self, device: &Device, base_offset: u64) {
        self.numbers([device.bytes, base_offset]);
        self.bytes(device.tag.len() as u64, &device.tag);
    }

    fn inode(&mut self, tree: &Tree, id: InodeId) {
        self.flush();
        let attributes = tree.attributes(id);
        let kind = tree.kind(id) as u64
            | u64::from(attributes.mode) << 8
            | u64::from(tree.is_implied(id)) << 24
            | u64::from(tree.is_opaque(id)) << 25
            | u64::from(attributes.mtime.nanos) << 32;
        let owner = u64::from(attributes.uid) | u64::from(attributes.gid) << 32;
        let fixed = [kind, owner, attributes.mtime.secs as u64];
        match tree.content(id) {
            Content::Regular { size, body: Body::Contiguous(Place::Device { device, offset }) } => {
                // An empty file is the same wherever its body would be.
                let (device, offset) = if size > 0 { (device, offset) } else { (0, 0) };
                let [kind, owner, secs] = fixed;
                self.numbers([kind, owner, secs, size, device.into(), offset]);
            }
            Content::Regular { size, body } => {
                self.numbers(fixed);
                self.numbers([size]);
                self.pieces(tree, size, body);
            }
            Content::Directory => {
                self.numbers(fixed);
                for (name, child) in tree.children(id) {
                    self.bytes(name.len() as u64 | u64::from(child.0) << 32, name);
                    self.flush();
                }
            }
            Content::Target(target) => {
                self.numbers(fixed);
                self.bytes(target.len() as u64, target);
            }
            Content::Device(number) => {
                self.numbers(fixed);
                self.numbers([number.encode().into()]);
            }
            Content::Nothing => self.numbers(fixed),
        }
        for (name, value) in tree.xattrs(id) {
            self.bytes(name.len() as u64, name);
            self.bytes(value.len() as u64, value);
        }
    }

    /// A body that is not in one piece of a device.
    fn pieces(&mut self, tree: &Tree, size: u64, body: Body<'_>) {
        let whole;
        let extents = match body {
            Body::Contiguous(place) => {
                whole = [Extent { logical: 0, len: size, place }];
                &whole[..]
            }
            Body::Extents(extents) => extents,
        };
        for Extent { logical, len, place } in extents {
            self.flush();
            match *place {
                Place::Device { device, offset } => {
                    self.numbers([*logical, *len, u64::from(device) + 1, offset]);
                }
                Place::Carried(at) => {
                    self.numbers([*logical, *len, 0]);
                    self.piece.extend_from_slice(tree.carried(at, *len));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Attributes, Builder, Node, What, XattrSet};

    fn tree(name: &[u8], mode: u16, tag: &[u8]) -> Tree {
        let mut builder = Builder::new();
        builder.keep_devices(true);
        let device = Device { tag: tag.to_vec(), bytes: 4096, ..Device::default() };
        builder.add_device(device).unwrap();
        let place = Place::Device { device: 0, offset: 512 };
        let node = Node {
            attributes: Attributes { mode, ..Attributes::default() },
            xattrs: XattrSet::NONE,
            what: What::Regular { size: 5, place },
        };
        let id = builder.add(node).unwrap();
        builder.link(InodeId::ROOT, name, id).unwrap();
        builder.finish().unwrap()
    }

    #[test]
    fn every_part_counts_and_nothing_else() {
        let options = LayoutOptions::default();
        let of = |tree: &Tree| of_content(tree, &options);
        let one = tree(b"a", 0o644, b"t");
        assert_eq!(of(&one), of(&tree(b"a", 0o644, b"t")));
        for other in [tree(b"b", 0o644, b"t"), tree(b"a", 0o600, b"t"), tree(b"a", 0o644, b"u")] {
            assert_ne!(of(&one), of(&other));
        }
        let compact = LayoutOptions { compact: true, ..LayoutOptions::default() };
        assert_ne!(of(&one), of_content(&one, &compact));
        let uuid = of(&one);
        assert_eq!((uuid[6] >> 4, uuid[8] >> 6), (8, 2));
    }
}
