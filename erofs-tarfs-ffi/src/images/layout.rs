//! Layouts: where everything goes.
#![allow(unsafe_code, reason = "exports symbols")]

use alloc::borrow::Cow;
use alloc::sync::Arc;

use erofs_tarfs::image::{self, DiskPlan};
use erofs_tarfs::units::BlockSize;
use erofs_tarfs::{layout, tree};
use self_cell::self_cell;

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized::{self, Sized};
use crate::images::layout_options::{TARFS_LAYOUT_COPY_BODIES, TarfsLayoutOptions};
use crate::trees::device::{self, TarfsDevice};
use crate::trees::tree::Tree;

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

// SAFETY: integers, the size first.
unsafe impl Sized for TarfsLayoutInfo {}

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
            let options = given.read()?;
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
            sized::write(device, TarfsDevice::planned(found), "device")
        })
    }
}

/// Where a disk of TARFS_DISK_DATA_FIRST begins with its devices, in bytes: so a tar of unknown length can be
/// written where it belongs while it streams in, and laid out afterwards.
///
/// @param devices How many devices the disk will have, at most 65535.
/// @param block_size As in tarfs_layout_options; 0 for 512.
/// @param offset Receives the first byte of the first device.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_data_first_offset(
    devices: usize,
    block_size: u32,
    offset: *mut u64,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(offset, "offset")?;
            let block = if block_size == 0 { 512 } else { block_size };
            let unknown =
                || Error::argument(format!("block_size {block}: not a power of two in range"));
            let block = BlockSize::new(block).ok_or_else(unknown)?;
            if devices > usize::from(u16::MAX) {
                return Err(Error::argument(format!("devices {devices}: over 65535")));
            }
            pointer::put(offset, layout::data_first_offset(devices, block));
            Ok(())
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
