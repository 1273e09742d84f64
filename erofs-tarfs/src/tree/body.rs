//! Where the bytes of files are.

/// A run of a file's bytes. What lies between extents reads as zeros.
///
/// ```
/// use erofs_tarfs::tree::{Extent, Place};
///
/// // A sparse file of 1 MiB: 4096 bytes of data in its middle, and holes around them.
/// let data = Place::Device { device: 0, offset: 1536 };
/// let extents = [Extent { logical: 512 << 10, len: 4096, place: data }];
/// assert!(extents[0].logical + extents[0].len <= 1 << 20);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Extent {
    /// Where the run starts in the file, in bytes.
    pub logical: u64,
    /// Its length in bytes.
    pub len: u64,
    /// Where its bytes are.
    pub place: Place,
}

/// Where bytes of a file are.
///
/// ```
/// use erofs_tarfs::tree::{Attributes, Builder, InodeId, Node, Place, What, XattrSet};
///
/// // Six bytes that are in no file: the tree carries them.
/// let mut builder = Builder::new();
/// let place = Place::Carried(builder.carry(b"hello\n"));
/// let (attributes, xattrs) = (Attributes::default(), XattrSet::NONE);
/// let motd = builder.add(Node { attributes, xattrs, what: What::Regular { size: 6, place } })?;
/// builder.link(InodeId::ROOT, b"motd", motd)?;
/// let tree = builder.finish()?;
/// assert_eq!(tree.carried(0, 6), b"hello\n");
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In device `device` of [`Tree::devices`](super::Tree::devices), from byte `offset` (base offset
    /// not counted).
    Device {
        /// Index of the device.
        device: u16,
        /// Byte offset in it.
        offset: u64,
    },
    /// In the tree, from this byte of its arena: see [`Tree::carried`](super::Tree::carried).
    Carried(u64),
}

/// Where the bytes of a regular file are.
///
/// ```
/// use erofs_tarfs::tree::{Body, Content, Place};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let motd = tree.lookup(b"etc/motd").expect("it is there");
/// match tree.content(motd) {
///     Content::Regular { size: 6, body: Body::Contiguous(place) } => {
///         assert_eq!(place, Place::Device { device: 0, offset: 512 }); // byte of the tar
///     }
///     other => panic!("{other:?}"),
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Body<'a> {
    /// All in one piece of a device, or none at all where the size is 0.
    Contiguous(Place),
    /// In pieces: ascending, disjoint, within the size, none empty.
    Extents(&'a [Extent]),
}

/// A run of bytes in the packed device of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Where it starts in the packed device, in bytes.
    pub offset: u64,
    /// Its length in bytes.
    pub len: u64,
    /// Where its bytes are copied from: a device of the tree, or the tree itself.
    pub place: Place,
}
