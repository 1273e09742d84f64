//! What the caller chooses.

use crate::limits::Limits;
use crate::units::BlockSize;
use alloc::vec::Vec;

/// How an image is laid out. The default is a bootstrap with blocks of 512 bytes.
///
/// ```
/// use erofs_tarfs::layout::{Artifact, LayoutOptions, DiskOrder};
///
/// let options = LayoutOptions::new()
///     .artifact(Artifact::Disk(DiskOrder::DataFirst))
///     .volume_name(b"nginx");
/// assert_eq!(options.block_size.bytes(), 512);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayoutOptions {
    /// What is made.
    pub artifact: Artifact,
    /// Block size of the filesystem; each extent of a device must start on a multiple of it.
    pub block_size: BlockSize,
    /// UUID of the filesystem. `None`, the default, makes it of what is in the image: overlayfs tells
    /// lower layers apart by it. See also [`set_uuid`](crate::image::set_uuid).
    pub uuid: Option<[u8; 16]>,
    /// Volume label: at most 15 bytes, none of them NUL.
    pub volume_name: Vec<u8>,
    /// How whiteouts are written.
    pub whiteouts: WhiteoutForm,
    /// How regular files refer to their bytes.
    pub bodies: BodyForm,
    /// Whether short inodes tell times of their own, in seconds from an epoch: many more inodes
    /// are short then, and none loses anything. Only kernels read it right, from Linux 6.15 on: it
    /// takes the 48-bit layout, and [`BodyForm::Plain`]. Off by default.
    pub compact: bool,
    /// Whether the superblock has a checksum. `None`, the default, gives one to images whose blocks
    /// are of 2048 bytes and more: libblkid 2.41 and 2.42, and so `mount` without `-t`, udev and
    /// systemd, do not recognise smaller ones that have one. Every reader takes images without.
    pub checksum: Option<bool>,
    /// How much the image may cost: asked for chunk tables and metadata.
    pub limits: Limits,
}

impl Default for LayoutOptions {
    fn default() -> Self {
        Self {
            artifact: Artifact::default(),
            block_size: BlockSize::B512,
            uuid: None,
            volume_name: Vec::new(),
            whiteouts: WhiteoutForm::default(),
            bodies: BodyForm::default(),
            compact: false,
            checksum: None,
            limits: Limits::default(),
        }
    }
}

impl LayoutOptions {
    /// The default: a bootstrap with blocks of 512 bytes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same for a disk, metadata first.
    pub fn disk() -> Self {
        Self::new().artifact(Artifact::Disk(DiskOrder::default()))
    }

    /// Sets what is made; a bootstrap by default.
    #[must_use]
    pub fn artifact(self, artifact: Artifact) -> Self {
        Self { artifact, ..self }
    }

    /// Sets the block size of the filesystem; 512 bytes by default.
    #[must_use]
    pub fn block_size(self, block_size: BlockSize) -> Self {
        Self { block_size, ..self }
    }

    /// Sets the UUID of the filesystem; by default it follows from what is in the image.
    #[must_use]
    pub fn uuid(self, uuid: impl Into<Option<[u8; 16]>>) -> Self {
        Self { uuid: uuid.into(), ..self }
    }

    /// Sets the volume label, at most 15 bytes; none by default.
    #[must_use]
    pub fn volume_name(self, volume_name: impl Into<Vec<u8>>) -> Self {
        Self { volume_name: volume_name.into(), ..self }
    }

    /// Sets how whiteouts are written; as overlayfs has them by default.
    #[must_use]
    pub fn whiteouts(self, whiteouts: WhiteoutForm) -> Self {
        Self { whiteouts, ..self }
    }

    /// Sets how regular files refer to their bytes; as most readers take it by default.
    #[must_use]
    pub fn bodies(self, bodies: BodyForm) -> Self {
        Self { bodies, ..self }
    }

    /// Sets whether short inodes tell times of their own, for Linux 6.15 and later alone; off by
    /// default.
    #[must_use]
    pub fn compact(self, compact: bool) -> Self {
        Self { compact, ..self }
    }

    /// Sets whether the superblock has a checksum; by default from blocks of 2048 bytes on.
    #[must_use]
    pub fn checksum(self, checksum: impl Into<Option<bool>>) -> Self {
        Self { checksum: checksum.into(), ..self }
    }

    /// Sets how much the image may cost; for layers of strangers by default.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}

/// What is made of a tree.
///
/// ```
/// use erofs_tarfs::layout::{Artifact, LayoutOptions, DiskOrder, plan};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let bootstrap = plan(&tree, &LayoutOptions::new().artifact(Artifact::Bootstrap))?;
/// let disk = plan(&tree, &LayoutOptions::new().artifact(Artifact::Disk(DiskOrder::default())))?;
/// assert!(!bootstrap.is_disk() && bootstrap.devices()[0].disk_offset.is_none());
/// assert!(disk.is_disk() && disk.devices()[0].disk_offset.is_some());
/// # Ok::<(), erofs_tarfs::layout::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Artifact {
    /// Metadata alone, mounted with one `device=` for each device. Addresses count from byte 0 of the
    /// device's file, also where the device begins later in it.
    #[default]
    Bootstrap,
    /// One file with metadata and the devices' bytes in it, mounted as it is.
    Disk(DiskOrder),
}

/// Where the metadata of a disk lies.
///
/// ```
/// use erofs_tarfs::layout::{Artifact, LayoutOptions, DiskOrder, plan};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let options = LayoutOptions::new().artifact(Artifact::Disk(DiskOrder::DataFirst));
/// let layout = plan(&tree, &options)?;
/// assert_eq!(layout.devices()[0].disk_offset, Some(4096)); // as soon as the head is over
/// assert_eq!(layout.body_offset(), 8192); // inodes and directories behind the tar
/// # Ok::<(), erofs_tarfs::layout::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiskOrder {
    /// Metadata, then each device at the next multiple of `align`.
    MetadataFirst {
        /// In bytes: a multiple of the block size. A smaller divisor of it counts as one block. 4096 by
        /// default.
        align: u64,
    },
    /// A head of fixed size, the devices at multiples of 4096 bytes, then the metadata.
    DataFirst,
}

impl Default for DiskOrder {
    fn default() -> Self {
        Self::MetadataFirst { align: 4096 }
    }
}

/// How whiteouts are written.
///
/// ```
/// use erofs_tarfs::layout::{LayoutOptions, WhiteoutForm, plan};
/// use erofs_tarfs::{image, read::Image};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let layer = layer_of(&[("etc/.wh.old", "")]);
/// let options = LayoutOptions::new().whiteouts(WhiteoutForm::Aufs);
/// let bytes = image::bootstrap(&plan(&layer, &options)?);
/// assert!(Image::new(&bytes)?.lookup(b"etc/.wh.old")?.is_some());
/// let options = LayoutOptions::new().whiteouts(WhiteoutForm::Overlayfs);
/// let bytes = image::bootstrap(&plan(&layer, &options)?);
/// assert!(Image::new(&bytes)?.lookup(b"etc/old")?.is_some()); // a character device 0:0
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhiteoutForm {
    /// For overlayfs: character devices 0:0; `trusted.overlay.opaque=y` on opaque directories,
    /// an empty `trusted.overlay.origin` on directories that hold whiteouts.
    #[default]
    Overlayfs,
    /// As in layer tars: empty regular files `.wh.<name>`, and `.wh..wh..opq` in opaque directories.
    Aufs,
}

/// How regular files refer to their bytes.
///
/// ```
/// use erofs_tarfs::layout::{BodyForm, LayoutOptions, plan};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let names: Vec<_> = (0..1000).map(|file| format!("file-{file}")).collect();
/// let entries: Vec<_> = names.iter().map(|name| (&name[..], "x")).collect();
/// let tree = layer_of(&entries);
/// let with_indexes = plan(&tree, &LayoutOptions::new())?.metadata_bytes();
/// let without = plan(&tree, &LayoutOptions::new().bodies(BodyForm::Plain))?.metadata_bytes();
/// assert_eq!(with_indexes - without, 28_672); // 32 bytes a file, in whole pages
/// # Ok::<(), erofs_tarfs::layout::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyForm {
    /// As most readers take it: chunk indexes in a bootstrap, unless
    /// [`compact`](LayoutOptions::compact), plain in a disk.
    #[default]
    Auto,
    /// By a block of the unified address space where the file is contiguous, else by chunk indexes,
    /// or in a disk by block numbers.
    /// In a bootstrap only kernels read it right: erofs-utils 1.9.4 and go-erofs 0.3.1 show other
    /// bytes, without an error.
    Plain,
    /// By chunk indexes: device and block in it; a single one where the file is contiguous. They
    /// take 8 bytes and fill up the slot, 32 bytes together, but name the device: a kernel looks
    /// through all slots of the device table for a block of the unified address space.
    Chunks,
}
