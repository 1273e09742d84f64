//! The layout as a whole: which area lies where.

use super::areas::{Areas, areas};
use super::devices::{self, PlannedDevice, check_blocks, string_up};
use super::scene::Scene;
use super::sharing::sharing;
use super::{Artifact, DiskOrder, Error, LayoutOptions, uuid};
use crate::format::{DEVICE_TABLE_OFFSET, DeviceSlot, SLOT_SIZE};
use crate::limits::Limit;
use crate::tree::{InodeId, Tree};
use crate::units::{BlockSize, Timestamp};
use alloc::vec::Vec;

/// A page. Metadata in front are filled up to a multiple of it; with the data first, devices start on
/// multiples of it.
const PAGE: u64 = 4096;
/// The longest volume label in bytes.
const MAX_LABEL: usize = 15;
/// Chunk tables may take one of so many bytes of the devices in any case.
const BYTES_PER_TABLE_BYTE: u64 = 8;

/// Every offset of an image. Made by [`plan`], written by [`image`](crate::image).
///
/// ```
/// use erofs_tarfs::layout::{LayoutOptions, plan};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let layout = plan(&tree, &LayoutOptions::default())?;
/// // Superblock and one device slot end at byte 1280; the root's inode follows, in slots of 32 bytes.
/// assert_eq!((layout.head_bytes(), layout.root_nid()), (1280, 40));
/// assert_eq!(layout.head_bytes() + layout.body_bytes(), layout.metadata_bytes());
/// assert_eq!(layout.inode_count(), 3); // the root, etc, etc/motd
/// # Ok::<(), erofs_tarfs::layout::Error>(())
/// ```
#[derive(Debug)]
pub struct Layout<'t> {
    pub(crate) scene: Scene<'t>,
    pub(crate) uuid: [u8; 16],
    pub(crate) label: [u8; 16],
    /// Whether the superblock has a checksum.
    pub(crate) checksum: bool,
    /// Whether a file has a chunk table.
    pub(crate) chunked: bool,
    devices: Vec<PlannedDevice>,
    /// Items by place.
    pub(crate) order: Vec<u32>,
    /// For each inode the directory in which the walk from the root met it first.
    pub(crate) parents: Vec<u32>,
    slots: Vec<u32>,
    /// The byte from which nids count, in slots of 32 bytes.
    base: u64,
    head_bytes: u64,
    body_offset: u64,
    /// First byte of the shared xattrs, behind the inodes.
    shared_area: u64,
    /// First byte of the block area.
    pub(crate) block_area: u64,
    /// End of the metadata, filled up.
    end: u64,
    primary_blocks: u64,
    disk_bytes: u64,
    is_disk: bool,
}

/// Decides every offset of a tree's image.
///
/// ```
/// use erofs_tarfs::layout::{LayoutOptions, plan};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let options = LayoutOptions::disk();
/// let layout = plan(&tree, &options)?;
/// // A page of metadata, then the tar of 2048 bytes at the next multiple of 4096.
/// assert_eq!(layout.devices()[0].disk_offset, Some(4096));
/// assert_eq!(layout.disk_bytes(), 4096 + 2048);
/// # Ok::<(), erofs_tarfs::layout::Error>(())
/// ```
///
/// # Errors
/// What of the options does not fit: [`Error::VolumeName`], [`Error::Alignment`],
/// [`Error::PackedBootstrap`]. What of the devices: [`Error::Tag`], [`Error::BaseOffset`]. What of a file,
/// with its path: all the others but [`Error::TooLarge`] and [`Error::Limit`] of the metadata, which are about all of the
/// image.
pub fn plan<'t>(tree: &'t Tree, options: &LayoutOptions) -> Result<Layout<'t>, Error> {
    let block = options.block_size;
    let bytes = u64::from(block.bytes());
    let label = label(&options.volume_name)?;
    if !tree.packing().is_empty() && options.artifact == Artifact::Bootstrap {
        return Err(Error::PackedBootstrap);
    }
    let in_disk = matches!(options.artifact, Artifact::Disk(_));
    let mut devices = devices::devices(tree, block, !in_disk)?;
    // In a packed tree only the last device, which holds the copies, gets a place in the disk:
    // those before it, whose bodies were copied, are not in it.
    let copied = if tree.packing().is_empty() { 0 } else { devices.len() - 1 };
    let bases = tree.devices().iter().map(|d| if in_disk { 0 } else { d.base_offset }).collect();
    let mut scene = Scene::new(tree, options, bases);
    scene.shared = sharing(&scene);
    let data = tree.devices().iter().fold(0u64, |sum, device| sum.saturating_add(device.bytes));
    let free_tables = data / BYTES_PER_TABLE_BYTE;

    let page = PAGE.max(bytes);
    let table_end = DEVICE_TABLE_OFFSET + (devices.len() * size_of::<DeviceSlot>()) as u64;
    let align = match options.artifact {
        // Whoever puts bootstrap and tars into one file, each filled up to a block, gets a disk
        // whose addresses are right: so devices follow one another without gaps.
        Artifact::Bootstrap => Some(bytes),
        Artifact::Disk(DiskOrder::MetadataFirst { align }) => Some(grid(align, block)?),
        Artifact::Disk(DiskOrder::DataFirst) => None,
    };
    // A nid is a place in slots of 32 bytes, counted from byte `base`, and the root's has 16 bits
    // in the superblock. The root lies right behind the device table: where that is short, nids
    // count from byte 0; where it is long, from its end, and the root is number 1.
    let (head_bytes, body_offset, base, skip, devices_end) = if align.is_some() {
        let near = table_end.next_multiple_of(bytes) <= u64::from(u16::MAX) * SLOT_SIZE;
        let base = if near { 0 } else { table_end.next_multiple_of(bytes) };
        let skip = if near { table_end } else { SLOT_SIZE };
        (table_end, table_end, base, skip, 0)
    } else {
        let head = data_first_offset(devices.len(), block);
        let end = string_up(&mut devices[copied..], block, head, page, true)?;
        let base = end.next_multiple_of(page);
        (head, base, base, SLOT_SIZE, end)
    };
    let areas = areas(&mut scene, base, skip, free_tables)?;
    let used = areas.end(bytes);
    let Areas { order, parents, inodes, shared_area, shared_bytes } = areas;
    let block_area = (shared_area + shared_bytes).next_multiple_of(bytes);
    check_blocks("blocks of the image", used)?;
    let end = used << block.bits();
    let end = if align.is_some() { end.next_multiple_of(page) } else { end };
    let within = options.limits.check(Limit::MetadataBytes, head_bytes + end - body_offset);
    within.map_err(|over| Error::Limit { path: None, over })?;
    let disk_bytes = match align {
        None => end,
        Some(align) => string_up(&mut devices[copied..], block, end, align, in_disk)?,
    };
    let primary_blocks = if in_disk { disk_bytes } else { end } >> block.bits();
    check_blocks("blocks of the image", primary_blocks)?;
    debug_assert!(devices_end <= end);
    let uuid = options.uuid.unwrap_or_else(|| uuid::of_content(tree, options));
    Ok(Layout {
        scene,
        uuid,
        checksum: options.checksum.unwrap_or(block.bytes() >= 2048),
        label,
        chunked: inodes.tables > 0,
        devices,
        order,
        parents,
        slots: inodes.slots,
        base,
        head_bytes,
        body_offset,
        shared_area,
        block_area,
        end,
        primary_blocks,
        disk_bytes,
        is_disk: in_disk,
    })
}

/// Where the first device starts in a disk with its data first, in bytes: a program that gets the
/// tars one after the other can write them to their places before the layout is planned, each at
/// the next multiple of the larger of a block and 4096 bytes.
///
/// ```
/// use erofs_tarfs::layout::data_first_offset;
/// use erofs_tarfs::units::BlockSize;
///
/// // Slots of 23 devices fit in the first page, behind the superblock.
/// assert_eq!(data_first_offset(23, BlockSize::B512), 4096);
/// assert_eq!(data_first_offset(24, BlockSize::B512), 8192);
/// ```
pub fn data_first_offset(devices: usize, block: BlockSize) -> u64 {
    let table_end = DEVICE_TABLE_OFFSET + (devices * size_of::<DeviceSlot>()) as u64;
    table_end.next_multiple_of(PAGE.max(u64::from(block.bytes())))
}

/// The larger of `align` and a block, in bytes; one of the two must be a multiple of the other.
fn grid(align: u64, block: BlockSize) -> Result<u64, Error> {
    let bytes = u64::from(block.bytes());
    match align {
        0 => Err(Error::Alignment { align, block: block.bytes() }),
        _ if block.divides(align) => Ok(align),
        _ if bytes.is_multiple_of(align) => Ok(bytes),
        _ => Err(Error::Alignment { align, block: block.bytes() }),
    }
}

fn label(name: &[u8]) -> Result<[u8; 16], Error> {
    if name.len() > MAX_LABEL || name.contains(&0) {
        return Err(Error::VolumeName { name: name.to_vec(), limit: MAX_LABEL as u64 });
    }
    let mut label = [0; 16];
    label[..name.len()].copy_from_slice(name);
    Ok(label)
}

impl Layout<'_> {
    /// Block size of the filesystem.
    pub fn block_size(&self) -> BlockSize {
        self.scene.block
    }

    /// The device table, in the order in which a mount must name the devices.
    pub fn devices(&self) -> &[PlannedDevice] {
        &self.devices
    }

    /// How many of the [devices](Self::devices), the first ones, have a file that bytes come from: all,
    /// but for the last of a tree that was [packed](crate::tree::pack), which holds the copies.
    pub fn sources(&self) -> usize {
        self.devices.len() - usize::from(!self.scene.tree.packing().is_empty())
    }

    /// How many bytes of a disk are copies of bodies, on the grid of its blocks.
    pub fn copied_bytes(&self) -> u64 {
        self.scene.tree.packing().iter().map(|run| run.len).sum()
    }

    /// Bytes of metadata, head included, filled up.
    pub fn metadata_bytes(&self) -> u64 {
        self.head_bytes + self.body_bytes()
    }

    /// Blocks of the primary device as the superblock tells them: those of the metadata, or of
    /// the whole disk where the metadata comes last.
    pub fn primary_blocks(&self) -> u64 {
        self.primary_blocks
    }

    /// nid of the root directory.
    pub fn root_nid(&self) -> u64 {
        self.nid(InodeId::ROOT.0)
    }

    /// Bytes of boot area, superblock and device table.
    pub fn head_bytes(&self) -> u64 {
        self.head_bytes
    }

    /// Byte at which the rest of the metadata starts.
    pub fn body_offset(&self) -> u64 {
        self.body_offset
    }

    /// Bytes of the rest of the metadata.
    pub fn body_bytes(&self) -> u64 {
        self.end - self.body_offset
    }

    /// Bytes of the disk, devices included; of a bootstrap, what a disk of it would take.
    pub fn disk_bytes(&self) -> u64 {
        self.disk_bytes
    }

    /// Whether this is the layout of a disk, which has its devices in its own file.
    pub fn is_disk(&self) -> bool {
        self.is_disk
    }

    /// Number of inodes that are written.
    pub fn inode_count(&self) -> u64 {
        self.order.len() as u64
    }

    /// The time that compact inodes share, or with [`LayoutOptions::compact`] count from.
    pub fn epoch(&self) -> Timestamp {
        self.scene.epoch.base
    }

    pub(crate) fn nid(&self, item: u32) -> u64 {
        self.slots[item as usize].into()
    }

    /// Byte of an item's inode.
    pub(crate) fn inode_offset(&self, item: u32) -> u64 {
        self.base + self.nid(item) * SLOT_SIZE
    }

    /// Block from which on shared xattrs are counted, in units of 4 bytes; 0 if there are none.
    pub(crate) fn xattr_block(&self) -> u64 {
        if self.scene.shared.is_empty() { 0 } else { self.shared_area >> self.scene.block.bits() }
    }

    /// Block that nids count from.
    pub(crate) fn meta_block(&self) -> u64 {
        self.base >> self.scene.block.bits()
    }
}
