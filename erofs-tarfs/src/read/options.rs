//! How a tree is made of an image.

use crate::limits::Limits;
use crate::tree::Identity;
use alloc::vec::Vec;

/// How [`Image::tree`](super::Image::tree) makes a tree of an image.
///
/// ```
/// use erofs_tarfs::layout::{LayoutOptions, plan};
/// use erofs_tarfs::read::{DevicesAt, Image, TreeOptions};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let (tree, options) = (layer_of(&[("etc/motd", "hello\n")]), LayoutOptions::disk());
/// let bytes = erofs_tarfs::image::bootstrap(&plan(&tree, &options)?);
///
/// let how = TreeOptions::new().devices(DevicesAt::InFile { tag: b"layer.disk".to_vec() });
/// let again = Image::new(&bytes)?.tree(&how)?;
/// // The tar is found inside the disk, from byte 4096 on.
/// assert_eq!((again.devices()[0].bytes, again.devices()[0].base_offset), (2048, 4096));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TreeOptions {
    /// Where the bodies lie. Default: [`DevicesAt::Separate`].
    pub devices: DevicesAt,
    /// The file of the image, where all devices lie in it: then those of two readings of it are
    /// one. Of a bootstrap's devices nothing is known, whatever their tags say, until somebody has
    /// found their files: [`Tree::identify`](crate::tree::Tree::identify). Default: unknown.
    pub identity: Identity,
    /// Whether marks of a layer become properties of the tree: whiteouts (character device 0:0),
    /// opaque directories (`trusted.overlay.opaque`), implied directories; xattrs that serve
    /// overlayfs alone go. Else they stay what they are in the image, as for a listing.
    /// Default: `true`.
    pub keep_layer_marks: bool,
    /// Whether file data in whole blocks of the image itself is carried in the tree, as that behind
    /// inodes always is. Then devices are the slots alone, and the image need not be kept: a bootstrap
    /// has such blocks for what is not whole blocks of its tar, as some pieces of sparse files. A tree may
    /// then take as much memory as the image is long, or 256 MiB if it is read. Default: `false`.
    pub carry_own_data: bool,
    /// How much the image may cost: of inodes, and of names in a path, it has no more than a layer may have.
    /// Default: those of [`Limits`].
    pub limits: Limits,
}

impl Default for TreeOptions {
    fn default() -> Self {
        Self {
            devices: DevicesAt::Separate,
            identity: Identity::Unknown,
            keep_layer_marks: true,
            carry_own_data: false,
            limits: Limits::new(),
        }
    }
}

impl TreeOptions {
    /// The default: devices of their own, and marks of layers kept.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets where the bodies lie; [`DevicesAt::Separate`] by default.
    #[must_use]
    pub fn devices(self, devices: DevicesAt) -> Self {
        Self { devices, ..self }
    }

    /// Sets what is known of the file of the image; nothing by default.
    #[must_use]
    pub fn identity(self, identity: Identity) -> Self {
        Self { identity, ..self }
    }

    /// Sets whether marks of a layer become properties of the tree; on by default.
    #[must_use]
    pub fn keep_layer_marks(self, keep_layer_marks: bool) -> Self {
        Self { keep_layer_marks, ..self }
    }

    /// Sets whether file data in whole blocks of the image itself is carried in the tree; off by
    /// default.
    #[must_use]
    pub fn carry_own_data(self, carry_own_data: bool) -> Self {
        Self { carry_own_data, ..self }
    }

    /// Sets how much the image may cost.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}

/// Where the devices of an image lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DevicesAt {
    /// Each device is a file of its own, and its addresses count from byte 0 of that file.
    #[default]
    Separate,
    /// All in the file of the image itself, at the slots' addresses: a disk, or `[index][tar]`.
    InFile {
        /// Tag for devices whose slot has none, and for the image itself.
        tag: Vec<u8>,
    },
    /// As [`InFile`](Self::InFile), but the file is one device, from its first byte to its last, whatever is
    /// in it: for an image that is mounted over files of layers, `device=layer.erofs` each.
    ///
    /// ```
    /// use erofs_tarfs::layout::{Artifact, LayoutOptions, DiskOrder, plan};
    /// use erofs_tarfs::read::{DevicesAt, Image, TreeOptions};
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
    /// # use doc::layer_of;
    ///
    /// let (tree, mut options) = (layer_of(&[("etc/motd", "hello\n")]), LayoutOptions::default());
    /// options.artifact = Artifact::Disk(DiskOrder::default());
    /// let bytes = erofs_tarfs::image::bootstrap(&plan(&tree, &options)?);
    ///
    /// let mut how = TreeOptions::default();
    /// how.devices = DevicesAt::WholeFile { tag: Vec::new(), bytes: 6144 };
    /// let again = Image::new(&bytes)?.tree(&how)?;
    /// assert_eq!((again.devices()[0].bytes, again.devices()[0].base_offset), (6144, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    WholeFile {
        /// Tag of the device.
        tag: Vec<u8>,
        /// Length of the file in bytes, with all that lies behind the filesystem.
        bytes: u64,
    },
}

impl DevicesAt {
    pub(super) fn tag(&self) -> &[u8] {
        match self {
            Self::Separate => &[],
            Self::InFile { tag } | Self::WholeFile { tag, .. } => tag,
        }
    }
}
