//! A UUID that follows from what is in an image.
//!
//! It tells images apart, as overlayfs wants it of its lower layers, and is the same wherever the
//! same image is made. It proves nothing: a fast hash is enough for it, SipHash-1-3 of 128 bits with a
//! key of zeros, over what follows in little-endian order. Changing any of it changes the format version.

use super::{Artifact, BodyForm, Options, Placement, WhiteoutForm};
use crate::tree::{Body, Content, InodeId, Place, Tree};
use alloc::vec::Vec;
use core::hash::Hasher;
use siphasher::sip128::{Hasher128, SipHasher13};

/// Bytes that are gathered before they are hashed.
const PIECE: usize = 4096;

/// The UUID of a tree's image: version 8 of RFC 9562, whose bits are what its maker wants.
pub(super) fn of_content(tree: &Tree, options: &Options) -> [u8; 16] {
    let mut hash = Hash { state: SipHasher13::new(), piece: Vec::with_capacity(2 * PIECE) };
    hash.options(options);
    for device in tree.devices() {
        hash.bytes(&device.tag);
        hash.number(device.bytes);
        hash.number(device.base_offset);
    }
    for id in (0..tree.inode_count() as u32).map(InodeId) {
        hash.inode(tree, id);
    }
    hash.state.write(&hash.piece);
    let mut uuid = hash.state.finish128().as_bytes();
    uuid[6] = uuid[6] & 0x0f | 0x80;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    uuid
}

struct Hash {
    state: SipHasher13,
    piece: Vec<u8>,
}

impl Hash {
    fn number(&mut self, number: u64) {
        self.piece.extend_from_slice(&number.to_le_bytes());
    }

    /// Bytes with their length before them, so that two texts are not one.
    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.piece.extend_from_slice(bytes);
        self.flush();
    }

    /// Hashes what was gathered, once it is enough.
    fn flush(&mut self) {
        if self.piece.len() >= PIECE {
            self.state.write(&self.piece);
            self.piece.clear();
        }
    }

    fn options(&mut self, options: &Options) {
        let artifact = match options.artifact {
            Artifact::Bootstrap => 0,
            Artifact::Disk(Placement::DataFirst) => 1,
            Artifact::Disk(Placement::MetadataFirst { align }) => 2 | align << 2,
        };
        let bodies = match options.bodies {
            BodyForm::Auto => 0,
            BodyForm::Plain => 1,
            BodyForm::Chunks => 2,
        };
        let aufs = options.whiteouts == WhiteoutForm::Aufs;
        self.number(artifact);
        self.number(u64::from(options.block_size.bytes()));
        self.number(bodies | u64::from(aufs) << 8 | u64::from(options.compact) << 16);
        self.bytes(&options.volume_name);
    }

    fn inode(&mut self, tree: &Tree, id: InodeId) {
        self.flush();
        let attributes = tree.attributes(id);
        self.number(
            tree.kind(id) as u64
                | u64::from(attributes.mode) << 8
                | u64::from(tree.is_implied(id)) << 24
                | u64::from(tree.is_opaque(id)) << 25
                | u64::from(attributes.mtime.nanos) << 32,
        );
        self.number(u64::from(attributes.uid) | u64::from(attributes.gid) << 32);
        self.number(attributes.mtime.secs as u64);
        for (name, value) in tree.xattrs(id) {
            self.bytes(name);
            self.bytes(value);
        }
        match tree.content(id) {
            Content::Regular { size, body } => {
                self.number(size);
                match body {
                    Body::Contiguous(place) if size > 0 => self.place(tree, place, size),
                    Body::Contiguous(_) => {}
                    Body::Extents(extents) => {
                        for extent in extents {
                            self.flush();
                            self.number(extent.logical);
                            self.number(extent.len);
                            self.place(tree, extent.place, extent.len);
                        }
                    }
                }
            }
            Content::Directory => {
                for (name, child) in tree.children(id) {
                    self.bytes(name);
                    self.number(u64::from(child.0));
                }
            }
            Content::Target(target) => self.bytes(target),
            Content::Device(number) => self.number(number.encode().into()),
            Content::Nothing => {}
        }
    }

    fn place(&mut self, tree: &Tree, place: Place, len: u64) {
        match place {
            Place::Device { device, offset } => {
                self.number(device.into());
                self.number(offset);
            }
            Place::Carried(at) => self.bytes(tree.carried(at, len)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Attributes, Builder, Device, Node, What, XattrSet};

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
        let options = Options::default();
        let of = |tree: &Tree| of_content(tree, &options);
        let one = tree(b"a", 0o644, b"t");
        assert_eq!(of(&one), of(&tree(b"a", 0o644, b"t")));
        for other in [tree(b"b", 0o644, b"t"), tree(b"a", 0o600, b"t"), tree(b"a", 0o644, b"u")] {
            assert_ne!(of(&one), of(&other));
        }
        let compact = Options { compact: true, ..Options::default() };
        assert_ne!(of(&one), of_content(&one, &compact));
        let uuid = of(&one);
        assert_eq!((uuid[6] >> 4, uuid[8] >> 6), (8, 2));
    }
}
