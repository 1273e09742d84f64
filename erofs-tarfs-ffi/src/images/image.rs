//! Images read back.
#![allow(unsafe_code, reason = "exports symbols")]

use std::fs::File;

use erofs_tarfs::io::{NamedFile, read_metadata};
use erofs_tarfs::limits::Limits;
use erofs_tarfs::read::{self, DevicesAt, TreeOptions};
use self_cell::self_cell;

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized::{self, Sized};
use crate::streams::file::Shifted;
use crate::streams::source::{Reader, Source};
use crate::trees::device::{self, TarfsDevice};
use crate::trees::limits::TarfsLimits;
use crate::trees::tree::Tree;

/// Leave whiteouts, opaque and implied directories what they are in the image, as for a listing,
/// instead of making them properties of the tree, as for a merge.
pub const TARFS_IMAGE_AS_MOUNTED: u32 = 1;
/// Of a disk, or an index with its tar behind it: its file is one device, from its first byte to its
/// last. For an image that is merged over files of layers, with TARFS_MERGE_DEVICE_PER_LAYER:
/// containerd's fsmeta.erofs.
pub const TARFS_IMAGE_WHOLE_FILE: u32 = 2;

/// How a tree is made of an image.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsImageOptions {
    /// sizeof(tarfs_image_options).
    pub size: usize,
    /// TARFS_IMAGE_ flags.
    pub flags: u32,
    /// Not used; 0.
    pub reserved: u32,
    /// Tag for devices in a disk whose slot has none, and for the disk itself: up to 64 bytes.
    pub tag: *const u8,
    /// Length of tag.
    pub tag_len: usize,
    /// How much the image may cost, of inodes and of depth; NULL for defaults.
    pub limits: *const TarfsLimits,
}

/// What the superblock of an image says.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsImageInfo {
    /// sizeof(tarfs_image_info).
    pub size: usize,
    /// Block size of the filesystem in bytes.
    pub block_size: u32,
    /// Device slots.
    pub devices: u32,
    /// 1 if the devices are inside the image's file: it is a disk, mounted as it is. 0 if each is a
    /// file of its own, named by a device= option.
    pub holds_devices: u32,
    /// 1 if the superblock has a checksum, which then was right.
    pub has_checksum: u32,
    /// End in bytes of the filesystem in its file: padding and a hash tree may follow.
    pub end: u64,
    /// Inodes.
    pub inodes: u64,
    /// Number of the root's inode.
    pub root_nid: u64,
    /// feature_compat of the superblock.
    pub feature_compat: u32,
    /// feature_incompat of the superblock.
    pub feature_incompat: u32,
    /// Seconds since 1970 that the superblock has.
    pub epoch: i64,
    /// UUID of the filesystem.
    pub uuid: [u8; 16],
    /// Volume label, filled up with NULs.
    pub volume_name: [u8; 16],
}

// SAFETY: integers and pointers, the size first.
unsafe impl Sized for TarfsImageOptions {}
// SAFETY: as above.
unsafe impl Sized for TarfsImageInfo {}

type View<'b> = read::Image<'b>;

self_cell!(
    struct Viewed {
        owner: Vec<u8>,
        #[covariant]
        dependent: View,
    }

    impl {Debug}
);

/// An image that was read: superblock, device table, metadata. It does not change: any number of
/// threads may use it.
#[derive(Debug)]
pub struct Image {
    viewed: Viewed,
    tags: Vec<read::DeviceInfo>,
}

impl Image {
    fn view(&self) -> &read::Image<'_> {
        self.viewed.borrow_dependent()
    }

    fn bytes(&self) -> u64 {
        self.viewed.borrow_owner().len() as u64
    }
}

/// Opens an image, a bootstrap or a disk: reads its metadata, and checks superblock, checksum and
/// device table. Of a disk, what lies in devices is not read.
///
/// @param source A callback is asked for all bytes; a file may be a disk of any size.
/// @param bytes Length of the image in bytes; 0 for the length of the file, if the source is one
///        without an offset.
/// @param image Receives the image, ended with tarfs_image_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_image_open(
    source: *const Source,
    bytes: u64,
    image: *mut *mut Image,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(image, "image")?;
            let reader = Reader::new(sized::required(source, "source")?)?;
            let bytes = match reader.file() {
                Some(Shifted { file, offset: 0 }) if bytes == 0 => read_metadata(&named(file)?)?,
                _ => all(&reader, bytes)?,
            };
            let viewed = Viewed::try_new(bytes, |bytes| read::Image::new(bytes))?;
            let tags = viewed.borrow_dependent().devices();
            pointer::put(image, pointer::give(Image { viewed, tags }));
            Ok(())
        })
    }
}

fn named(file: &File) -> Result<NamedFile, Error> {
    let file = file.try_clone().map_err(|error| Error::io("use the image", error))?;
    Ok(NamedFile::new("the image", file))
}

/// All bytes of a source. Memory follows what was read.
fn all(reader: &Reader, bytes: u64) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < bytes {
        let len = (bytes - at).min(1 << 20) as usize;
        let from = all.len();
        all.try_reserve(len).map_err(|_| Error::argument(format!("bytes: {bytes}")))?;
        all.resize(from + len, 0);
        reader.read(at, &mut all[from..])?;
        at += len as u64;
    }
    Ok(all)
}

/// What the superblock says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_image_get_info(
    image: *const Image,
    info: *mut TarfsImageInfo,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let image = pointer::borrow(image, "image")?;
            let (view, len) = (image.view(), image.bytes());
            let superblock = view.superblock();
            let answer = TarfsImageInfo {
                size: 0,
                block_size: view.block_size().bytes(),
                devices: image.tags.len() as u32,
                holds_devices: view.holds_devices(len).into(),
                has_checksum: view.checksum().is_some().into(),
                end: view.end(len),
                inodes: superblock.inos.get(),
                root_nid: view.root(),
                feature_compat: superblock.feature_compat.get(),
                feature_incompat: superblock.feature_incompat.get(),
                epoch: superblock.epoch.get(),
                uuid: superblock.uuid,
                volume_name: superblock.volume_name,
            };
            sized::write(info, answer, "info")
        })
    }
}

/// A device slot of an image.
///
/// @param index From 0 on, in the order of the device table, which is that of device= options.
/// @param device Receives it; its tag lives as long as the image.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_image_get_device(
    image: *const Image,
    index: usize,
    device: *mut TarfsDevice,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let image = pointer::borrow(image, "image")?;
            let found = image.tags.get(index);
            let found = found.ok_or_else(|| device::none(index, image.tags.len()))?;
            let block = u64::from(image.view().block_size().bytes());
            let inside = image.view().holds_devices(image.bytes());
            let offset = if inside { found.uniaddr.saturating_mul(block) } else { 0 };
            let answer = TarfsDevice {
                size: 0,
                tag: found.tag.as_ptr(),
                tag_len: found.tag.len(),
                bytes: found.blocks.saturating_mul(block),
                base_offset: 0,
                blocks: found.blocks,
                uniaddr: found.uniaddr,
                disk_offset: offset,
                ..TarfsDevice::EMPTY
            };
            sized::write(device, answer, "device")
        })
    }
}

/// Makes a tree of an image, to be listed, read or merged. Its devices are those of the image, in
/// the order of the device table; those of a disk, and the image's own if it has file data itself,
/// lie in the file of the image, from their base_offset on.
///
/// @param options NULL for defaults.
/// @param tree Receives the tree, ended with tarfs_tree_free; it outlives the image.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_image_get_tree(
    image: *const Image,
    options: *const TarfsImageOptions,
    tree: *mut *mut Tree,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(tree, "tree")?;
            let image = pointer::borrow(image, "image")?;
            let given = sized::read(options, "options")?;
            let known = TARFS_IMAGE_AS_MOUNTED | TARFS_IMAGE_WHOLE_FILE;
            if given.flags & !known != 0 || given.reserved != 0 {
                return Err(Error::argument(format!("flags {:#x}: not known", given.flags)));
            }
            let tag = pointer::bytes(given.tag, given.tag_len, "tag")?;
            if tag.len() > 64 {
                return Err(Error::argument(format!("tag: {} bytes, at most 64 fit", tag.len())));
            }
            let (tag, bytes) = (tag.to_vec(), image.bytes());
            let whole = given.flags & TARFS_IMAGE_WHOLE_FILE != 0;
            let devices = match (image.view().holds_devices(bytes), whole) {
                (true, true) => DevicesAt::WholeFile { tag, bytes },
                (true, false) => DevicesAt::InFile { tag },
                (false, false) => DevicesAt::Separate,
                (false, true) => {
                    let why = "a bootstrap, whose file data is in other files, as one device";
                    return Err(Error::argument(why.to_owned()));
                }
            };
            let options = TreeOptions::new()
                .keep_layer_marks(given.flags & TARFS_IMAGE_AS_MOUNTED == 0)
                .limits(TarfsLimits::read(given.limits, Limits::new())?)
                .devices(devices);
            pointer::put(tree, pointer::give(Tree::new(image.view().tree(&options)?)));
            Ok(())
        })
    }
}

/// Frees an image. Trees made of it live on.
///
/// @param image An image that is not used afterwards, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_image_free(image: *mut Image) {
    // SAFETY: the caller passes NULL or an image of this library, once.
    unsafe { pointer::free(image) }
}
