//! Layouts: where everything goes.
#![allow(unsafe_code, reason = "exports symbols")]

use alloc::borrow::Cow;
use alloc::sync::Arc;
use core::ffi::c_char;

use erofs_tarfs::image::{self, DiskPlan, Source};
use erofs_tarfs::layout::{self, Artifact, BodyForm, Options, Placement, WhiteoutForm};
use erofs_tarfs::tree;
use erofs_tarfs::units::BlockSize;
use erofs_tarfs::verity::Uuid;
use self_cell::self_cell;

use crate::device::{self, TarfsDevice};
use crate::error::Error;
use crate::panic::boundary;
use crate::pointer;
use crate::sized::{self, Sized};
use crate::tree::Tree;

/// Metadata alone, mounted with one device= option for each device.
pub const TARFS_BOOTSTRAP: u32 = 0;
/// One file: metadata, then the devices at multiples of align.
pub const TARFS_DISK_METADATA_FIRST: u32 = 1;
/// One file: a head of 4096 bytes or some more, the devices, then the metadata.
pub const TARFS_DISK_DATA_FIRST: u32 = 2;

/// Write whiteouts as files named ".wh.NAME", as in tars, instead of in overlayfs's form.
pub const TARFS_LAYOUT_AUFS_WHITEOUTS: u32 = 1;
/// Regular files refer to their bytes by chunk indexes, also where a plain inode would do. So
/// bootstraps do without it, since every reader takes them, unless TARFS_LAYOUT_COMPACT is given;
/// disks do with it only.
pub const TARFS_LAYOUT_CHUNK_INDEXES: u32 = 2;
/// Small inodes have mtimes of their own: less metadata, but only kernels read it right, from Linux
/// 6.15 on.
pub const TARFS_LAYOUT_COMPACT: u32 = 4;
/// Files in one piece have plain inodes in a bootstrap too: 32 bytes less a file, but only kernels
/// read it right.
pub const TARFS_LAYOUT_PLAIN_BODIES: u32 = 8;
/// The superblock has a checksum, whatever the block size. libblkid 2.41 and 2.42 do not recognise
/// blocks below 2048 bytes with one.
pub const TARFS_LAYOUT_CHECKSUM: u32 = 16;
/// The superblock has no checksum, whatever the block size.
pub const TARFS_LAYOUT_NO_CHECKSUM: u32 = 32;
/// A disk carries copies of the bodies that do not lie on multiples of block_size: those of tars lie
/// on 512. So any tar gives a disk for sectors, or dm-verity data blocks, of 4096 bytes.
pub const TARFS_LAYOUT_COPY_BODIES: u32 = 64;

/// How an image is laid out.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsLayoutOptions {
    /// sizeof(tarfs_layout_options).
    pub size: usize,
    /// TARFS_BOOTSTRAP, TARFS_DISK_METADATA_FIRST or TARFS_DISK_DATA_FIRST.
    pub artifact: u32,
    /// Block size of the filesystem in bytes: a power of two from 512 to 65536; 0 for 512.
    pub block_size: u32,
    /// Metadata first: devices start at multiples of this; 0 for 4096. Nydus has 524288.
    pub align: u64,
    /// TARFS_LAYOUT_ flags.
    pub flags: u32,
    /// Not used; 0.
    pub reserved: u32,
    /// UUID of the filesystem; zeros for one that follows from its content. tarfs_uuid_of_blob has
    /// containerd's.
    pub uuid: [u8; 16],
    /// Volume label: up to 15 bytes.
    pub volume_name: *const u8,
    /// Length of volume_name.
    pub volume_name_len: usize,
}

/// Sizes and offsets of an image.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsLayoutInfo {
    /// sizeof(tarfs_layout_info).
    pub size: usize,
    /// Block size of the filesystem in bytes.
    pub block_size: u32,
    /// Device slots: how many device= options a mount of a bootstrap needs.
    pub devices: u32,
    /// Inodes.
    pub inodes: u64,
    /// Number of the root's inode.
    pub root_nid: u64,
    /// Bytes of metadata, head included: the length of a bootstrap.
    pub metadata_bytes: u64,
    /// Bytes of boot area, superblock and device table, at byte 0.
    pub head_bytes: u64,
    /// Byte at which the rest of the metadata starts.
    pub body_offset: u64,
    /// Bytes of the rest of the metadata.
    pub body_bytes: u64,
    /// Bytes of the disk; of a bootstrap, what a disk of it would take.
    pub disk_bytes: u64,
    /// Segments of the disk.
    pub segments: u64,
    /// Bytes of the disk that are copies of bodies, with TARFS_LAYOUT_COPY_BODIES.
    pub copied_bytes: u64,
}

/// The segment is the head: tarfs_layout_write_metadata writes it.
pub const TARFS_SEGMENT_HEAD: u32 = 0;
/// The segment is the rest of the metadata.
pub const TARFS_SEGMENT_BODY: u32 = 1;
/// The segment is a part of a device's file.
pub const TARFS_SEGMENT_DEVICE: u32 = 2;
/// The segment is zeros; a hole will do.
pub const TARFS_SEGMENT_ZEROS: u32 = 3;
/// The segment is of a file whose bytes the layer has itself: tarfs_layout_write_disk writes it.
pub const TARFS_SEGMENT_CARRIED: u32 = 4;

/// A part of a disk. Segments ascend, each starting where the one before ends.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsSegment {
    /// sizeof(tarfs_segment).
    pub size: usize,
    /// Byte of the disk at which it starts.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// One of TARFS_SEGMENT_.
    pub kind: u32,
    /// Index of the device, if it is one's.
    pub device: u32,
    /// Byte of the device's file at which it starts.
    pub device_offset: u64,
}

// SAFETY: integers and pointers, the size first.
unsafe impl Sized for TarfsLayoutOptions {}
// SAFETY: as above.
unsafe impl Sized for TarfsLayoutInfo {}
// SAFETY: as above.
unsafe impl Sized for TarfsSegment {}

type Plan<'t> = layout::Layout<'t>;

self_cell!(
    struct Planned {
        owner: Arc<tree::Tree>,
        #[covariant]
        dependent: Plan,
    }

    impl {Debug}
);

/// The plan of an image. It does not change: any number of threads may use it.
#[derive(Debug)]
pub struct Layout {
    planned: Planned,
    disk: DiskPlan,
}

impl Layout {
    pub(crate) fn plan(&self) -> &layout::Layout<'_> {
        self.planned.borrow_dependent()
    }

    pub(crate) fn disk(&self) -> &DiskPlan {
        &self.disk
    }
}

/// The library's options of the caller's.
///
/// # Safety
///
/// The pointers in `given` are as the header says.
unsafe fn options(given: &TarfsLayoutOptions) -> Result<Options, Error> {
    let mut options = Options::default();
    let block = if given.block_size == 0 { 512 } else { given.block_size };
    let unknown = || Error::argument(format!("block_size {block}: not a power of two in range"));
    options.block_size = BlockSize::new(block).ok_or_else(unknown)?;
    let align = if given.align == 0 { u64::from(block.max(4096)) } else { given.align };
    options.artifact = match given.artifact {
        TARFS_BOOTSTRAP => Artifact::Bootstrap,
        TARFS_DISK_METADATA_FIRST => Artifact::Disk(Placement::MetadataFirst { align }),
        TARFS_DISK_DATA_FIRST => Artifact::Disk(Placement::DataFirst),
        other => return Err(Error::argument(format!("artifact {other}: not known"))),
    };
    if given.flags & !(2 * TARFS_LAYOUT_COPY_BODIES - 1) != 0 || given.reserved != 0 {
        return Err(Error::argument(format!("flags {:#x}: not known", given.flags)));
    }
    if given.flags & TARFS_LAYOUT_AUFS_WHITEOUTS != 0 {
        options.whiteouts = WhiteoutForm::Aufs;
    }
    let has = |flag| given.flags & flag != 0;
    options.bodies = match (has(TARFS_LAYOUT_CHUNK_INDEXES), has(TARFS_LAYOUT_PLAIN_BODIES)) {
        (false, false) => BodyForm::Auto,
        (true, false) => BodyForm::Chunks,
        (false, true) => BodyForm::Plain,
        (true, true) => return Err(Error::argument("flags: chunk indexes and plain bodies")),
    };
    options.checksum = match (has(TARFS_LAYOUT_CHECKSUM), has(TARFS_LAYOUT_NO_CHECKSUM)) {
        (false, false) => None,
        (true, false) => Some(true),
        (false, true) => Some(false),
        (true, true) => return Err(Error::argument("flags: a checksum and none")),
    };
    options.compact = has(TARFS_LAYOUT_COMPACT);
    options.uuid = (given.uuid != [0; 16]).then_some(given.uuid);
    // SAFETY: as the header says.
    let name = unsafe { pointer::bytes(given.volume_name, given.volume_name_len, "volume_name")? };
    options.volume_name = name.to_vec();
    Ok(options)
}

/// Plans an image: decides every size and offset. Only here "does not fit" exists.
///
/// @param tree May be freed afterwards.
/// @param options NULL for defaults: a bootstrap.
/// @param layout Receives the plan, ended with tarfs_layout_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_layout_new(
    tree: *const Tree,
    options: *const TarfsLayoutOptions,
    layout: *mut *mut Layout,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(layout, "layout")?;
            let tree = Arc::clone(&pointer::borrow(tree, "tree")?.0);
            let given = sized::read(options, "options")?;
            let options = self::options(&given)?;
            let tree = match given.flags & TARFS_LAYOUT_COPY_BODIES {
                0 => tree,
                _ => match layout::fitted(&tree, &options)? {
                    Cow::Borrowed(_) => tree,
                    Cow::Owned(packed) => Arc::new(packed),
                },
            };
            let planned = Planned::try_new(tree, |tree| layout::plan(tree, &options))?;
            let disk = image::disk(planned.borrow_dependent());
            pointer::put(layout, pointer::give(Layout { planned, disk }));
            Ok(())
        })
    }
}

/// The UUID that containerd gives the EROFS image of a layer, for tarfs_layout_options.uuid: SHA-1, in
/// the URL namespace, of "erofs:blobs/" and the digest.
///
/// @param digest As a descriptor has it: an algorithm, a colon and lower-case hex digits, as "sha256:"
///        and 64 of them.
/// @param uuid Receives 16 bytes, in the order in which they are written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_uuid_of_blob(
    digest: *const c_char,
    uuid: *mut u8,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let uuid = pointer::bytes_mut(uuid, 16, "uuid")?;
            let digest = pointer::text(digest, "digest")?;
            let parts = digest.split_once(':').filter(|(algorithm, hex)| {
                let is_hex = |b: u8| b.is_ascii_digit() || matches!(b, b'a'..=b'f');
                !algorithm.is_empty() && hex.len() >= 32 && hex.bytes().all(is_hex)
            });
            if parts.is_none() {
                let why = "not an algorithm, a colon and lower-case hex digits";
                return Err(Error::argument(format!("digest {digest:?}: {why}")));
            }
            uuid.copy_from_slice(&Uuid::of_blob(digest).0);
            Ok(())
        })
    }
}

/// Sizes and offsets of an image.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_layout_get_info(
    layout: *const Layout,
    info: *mut TarfsLayoutInfo,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let layout = pointer::borrow(layout, "layout")?;
            let plan = layout.plan();
            let answer = TarfsLayoutInfo {
                size: 0,
                block_size: plan.block_size().bytes(),
                devices: plan.sources() as u32,
                inodes: plan.inode_count(),
                root_nid: plan.root_nid(),
                metadata_bytes: plan.metadata_bytes(),
                head_bytes: plan.head_bytes(),
                body_offset: plan.body_offset(),
                body_bytes: plan.body_bytes(),
                disk_bytes: plan.disk_bytes(),
                segments: layout.disk.segments.len() as u64,
                copied_bytes: plan.copied_bytes(),
            };
            sized::write(info, answer, "info")
        })
    }
}

/// A device of an image.
///
/// @param index From 0 on, in the order of the device table, which is that of device= options.
/// @param device Receives it; its tag lives as long as the layout.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_layout_get_device(
    layout: *const Layout,
    index: usize,
    device: *mut TarfsDevice,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let plan = pointer::borrow(layout, "layout")?.plan();
            let devices = &plan.devices()[..plan.sources()];
            let found = devices.get(index).ok_or_else(|| device::none(index, devices.len()))?;
            let answer = TarfsDevice {
                size: 0,
                tag: found.tag.as_ptr(),
                tag_len: found.tag.len(),
                bytes: found.bytes,
                base_offset: found.base_offset,
                blocks: found.blocks,
                uniaddr: found.uniaddr,
                disk_offset: found.disk_offset.unwrap_or(0),
                origin_layer: found.origin.map_or(0, |origin| origin.layer as u64),
                origin_device: found.origin.map_or(0, |origin| origin.device as u64),
            };
            sized::write(device, answer, "device")
        })
    }
}

/// A segment of the disk that the layout describes; of a bootstrap, of the disk that its unified
/// addresses describe.
///
/// @param index From 0 on; TARFS_STATUS_NOT_FOUND behind the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_layout_get_segment(
    layout: *const Layout,
    index: usize,
    segment: *mut TarfsSegment,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let segments = &pointer::borrow(layout, "layout")?.disk.segments;
            let found = segments.get(index);
            let found = found.ok_or_else(|| Error::not_found(format!("segment {index}")))?;
            let (kind, device, device_offset) = match found.source {
                Source::Head => (TARFS_SEGMENT_HEAD, 0, 0),
                Source::Body => (TARFS_SEGMENT_BODY, 0, 0),
                Source::Device { index, offset } => (TARFS_SEGMENT_DEVICE, index as u32, offset),
                Source::Carried(_) => (TARFS_SEGMENT_CARRIED, 0, 0),
                _ => (TARFS_SEGMENT_ZEROS, 0, 0),
            };
            let (offset, bytes) = (found.offset, found.bytes);
            let answer = TarfsSegment { size: 0, offset, bytes, kind, device, device_offset };
            sized::write(segment, answer, "segment")
        })
    }
}

/// Frees a layout.
///
/// @param layout A layout that is not used afterwards, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_layout_free(layout: *mut Layout) {
    // SAFETY: the caller passes NULL or a layout of this library, once.
    unsafe { pointer::free(layout) }
}
