//! How a tree becomes an image.
#![allow(unsafe_code, reason = "exports symbols")]

use core::ffi::c_char;

use erofs_tarfs::layout::{Artifact, BodyForm, DiskOrder, LayoutOptions, WhiteoutForm};
use erofs_tarfs::limits::Limits;
use erofs_tarfs::units::BlockSize;
use erofs_tarfs::verity::Uuid;

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized::Sized;
use crate::trees::limits::TarfsLimits;

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
    /// How much the image may cost, of chunk tables and of all metadata; NULL for defaults.
    pub limits: *const TarfsLimits,
}

// SAFETY: integers and pointers, the size first.
unsafe impl Sized for TarfsLayoutOptions {}

impl TarfsLayoutOptions {
    /// The library's options; that bodies are copied is not among them.
    ///
    /// # Safety
    ///
    /// The pointers in it are as the header says.
    pub(crate) unsafe fn read(&self) -> Result<LayoutOptions, Error> {
        let block = if self.block_size == 0 { 512 } else { self.block_size };
        let unknown =
            || Error::argument(format!("block_size {block}: not a power of two in range"));
        let block_size = BlockSize::new(block).ok_or_else(unknown)?;
        let align = if self.align == 0 { u64::from(block.max(4096)) } else { self.align };
        let artifact = match self.artifact {
            TARFS_BOOTSTRAP => Artifact::Bootstrap,
            TARFS_DISK_METADATA_FIRST => Artifact::Disk(DiskOrder::MetadataFirst { align }),
            TARFS_DISK_DATA_FIRST => Artifact::Disk(DiskOrder::DataFirst),
            other => return Err(Error::argument(format!("artifact {other}: not known"))),
        };
        if self.flags & !(2 * TARFS_LAYOUT_COPY_BODIES - 1) != 0 || self.reserved != 0 {
            return Err(Error::argument(format!("flags {:#x}: not known", self.flags)));
        }
        let has = |flag| self.flags & flag != 0;
        let whiteouts = match has(TARFS_LAYOUT_AUFS_WHITEOUTS) {
            true => WhiteoutForm::Aufs,
            false => WhiteoutForm::Overlayfs,
        };
        let bodies = match (has(TARFS_LAYOUT_CHUNK_INDEXES), has(TARFS_LAYOUT_PLAIN_BODIES)) {
            (false, false) => BodyForm::Auto,
            (true, false) => BodyForm::Chunks,
            (false, true) => BodyForm::Plain,
            (true, true) => return Err(Error::argument("flags: chunk indexes and plain bodies")),
        };
        let checksum = match (has(TARFS_LAYOUT_CHECKSUM), has(TARFS_LAYOUT_NO_CHECKSUM)) {
            (false, false) => None,
            (true, false) => Some(true),
            (false, true) => Some(false),
            (true, true) => return Err(Error::argument("flags: a checksum and none")),
        };
        // SAFETY: as the header says.
        let name =
            unsafe { pointer::bytes(self.volume_name, self.volume_name_len, "volume_name")? };
        // SAFETY: as the header says.
        let limits = unsafe { TarfsLimits::read(self.limits, Limits::new())? };
        Ok(LayoutOptions::new()
            .limits(limits)
            .artifact(artifact)
            .block_size(block_size)
            .uuid((self.uuid != [0; 16]).then_some(self.uuid))
            .volume_name(name)
            .whiteouts(whiteouts)
            .bodies(bodies)
            .compact(has(TARFS_LAYOUT_COMPACT))
            .checksum(checksum))
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
