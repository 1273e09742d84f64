//! Parameters of a hash tree.
#![allow(unsafe_code, reason = "exports symbols")]

use core::ffi::{CStr, c_char};
use core::ptr;

use erofs_tarfs::export::{ExportOptions, Product};
use erofs_tarfs::layout::LayoutOptions;
use erofs_tarfs::units::BlockSize;
use erofs_tarfs::verity::{
    Algorithm, Geometry, HashFormat, HashPlacement, Params, SuperblockMode, Uuid,
};

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized::{self, Sized};

/// No superblock.
pub const TARFS_SUPERBLOCK_NONE: u32 = 0;
/// A superblock whose UUID follows from the root hash, so that the bytes are reproducible.
pub const TARFS_SUPERBLOCK_DERIVED: u32 = 1;
/// A superblock with the UUID given.
pub const TARFS_SUPERBLOCK_UUID: u32 = 2;

/// The hash area is in a file of its own, from byte 0.
pub const TARFS_HASH_OWN_FILE: u32 = 0;
/// The hash area is in the file of the data, at the first multiple of both block sizes behind it.
pub const TARFS_HASH_BEHIND_DATA: u32 = 1;
/// The hash area is in the file of the data, at the byte offset given.
pub const TARFS_HASH_AT: u32 = 2;

/// A data block may be larger than the filesystem's block: the disk is not for a mount by Linux, which
/// opens the device and refuses the mount.
pub const TARFS_VERITY_ANY_DATA_BLOCK: u32 = 1;

/// The salt is hashed behind each block, as Chrome OS has it: format 0 of veritysetup. Without it the salt is in
/// front, which is format 1.
pub const TARFS_VERITY_CHROME_OS: u32 = 2;

/// SHA-256: what everybody takes.
pub const TARFS_ALGORITHM_SHA256: u32 = 0;
/// SHA-512: digests of 64 bytes, wherever others have 32.
pub const TARFS_ALGORITHM_SHA512: u32 = 1;

/// An algorithm as a number.
pub(crate) fn algorithm_number(algorithm: Algorithm) -> u32 {
    match algorithm {
        Algorithm::Sha512 => TARFS_ALGORITHM_SHA512,
        _ => TARFS_ALGORITHM_SHA256,
    }
}

/// Parameters of a dm-verity hash tree: SHA-256 in format 1 where nothing else is said.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct VerityParams {
    /// sizeof(tarfs_verity_params).
    pub size: usize,
    /// Data block size in bytes: a power of two from 512 to 524288; 0 for 512.
    pub data_block: u32,
    /// Hash block size in bytes: likewise; 0 for 4096.
    pub hash_block: u32,
    /// Hashed with every block, in front of it; NULL for none.
    pub salt: *const u8,
    /// Length of salt: up to 256.
    pub salt_len: usize,
    /// One of TARFS_SUPERBLOCK_.
    pub superblock: u32,
    /// One of TARFS_HASH_: where the hash area goes.
    pub placement: u32,
    /// Byte offset of the hash area, with TARFS_HASH_AT.
    pub hash_offset: u64,
    /// UUID of the superblock, with TARFS_SUPERBLOCK_UUID.
    pub uuid: [u8; 16],
    /// TARFS_VERITY_ flags.
    pub flags: u32,
    /// Not used; 0.
    pub reserved: u32,
    /// One of TARFS_ALGORITHM_.
    pub algorithm: u32,
    /// Not used; 0.
    pub reserved2: u32,
}

// SAFETY: integers and pointers, the size first.
unsafe impl Sized for VerityParams {}

/// containerd's salt.
static ZEROS: [u8; 32] = [0; 32];

impl VerityParams {
    /// What the caller means; NULL is the preset "nydus".
    ///
    /// # Safety
    ///
    /// `params` is NULL, or as the header says.
    pub(crate) unsafe fn read(params: *const Self) -> Result<Params, Error> {
        // SAFETY: by the contract.
        unsafe { Self::read_placed(params) }.map(|(params, _)| params)
    }

    /// The same, with the place of the hash area.
    ///
    /// # Safety
    ///
    /// As [`VerityParams::read`].
    pub(crate) unsafe fn read_placed(
        params: *const Self,
    ) -> Result<(Params, HashPlacement), Error> {
        // SAFETY: by the contract.
        let given = unsafe { sized::read(params, "params")? };
        // SAFETY: by the contract.
        let salt = unsafe { pointer::bytes(given.salt, given.salt_len, "salt")? };
        let superblock = match given.superblock {
            TARFS_SUPERBLOCK_NONE => SuperblockMode::None,
            TARFS_SUPERBLOCK_DERIVED => SuperblockMode::Derived,
            TARFS_SUPERBLOCK_UUID => SuperblockMode::Uuid(Uuid(given.uuid)),
            other => return Err(Error::argument(format!("superblock {other}: not known"))),
        };
        let flags = TARFS_VERITY_ANY_DATA_BLOCK | TARFS_VERITY_CHROME_OS;
        if given.flags & !flags != 0 || given.reserved != 0 || given.reserved2 != 0 {
            return Err(Error::argument(format!("flags {:#x}: not known", given.flags)));
        }
        let placement = Self::placement(given.placement, given.hash_offset)?;
        let or = |given: u32, default: u32| if given == 0 { default } else { given };
        let (data, hash) = (or(given.data_block, 512), or(given.hash_block, 4096));
        let algorithm = match given.algorithm {
            TARFS_ALGORITHM_SHA256 => Algorithm::Sha256,
            TARFS_ALGORITHM_SHA512 => Algorithm::Sha512,
            other => return Err(Error::argument(format!("algorithm {other}: not known"))),
        };
        let format = match given.flags & TARFS_VERITY_CHROME_OS != 0 {
            true => HashFormat::ChromeOs,
            false => HashFormat::Normal,
        };
        let params = Params::new(data, hash, salt, superblock)?;
        Ok((params.with_algorithm(algorithm).with_format(format), placement))
    }

    /// Refuses data blocks that Linux does not mount a filesystem of such blocks over.
    ///
    /// # Safety
    ///
    /// As [`VerityParams::read`].
    pub(crate) unsafe fn mountable(params: *const Self, block: BlockSize) -> Result<(), Error> {
        let options = ExportOptions::new().layout(LayoutOptions::disk().block_size(block));
        // SAFETY: by the contract.
        let options = unsafe { Self::export(params, options)? };
        Ok(options.check(Product::SealedDisk)?)
    }

    /// The options with what an export takes of the parameters.
    ///
    /// # Safety
    ///
    /// As [`VerityParams::read`].
    pub(crate) unsafe fn export(
        params: *const Self,
        options: ExportOptions,
    ) -> Result<ExportOptions, Error> {
        // SAFETY: by the contract.
        let given = unsafe { sized::read(params, "params")? };
        // SAFETY: by the contract.
        let options = options.verity(unsafe { Self::read(params)? });
        Ok(options.any_data_block(given.flags & TARFS_VERITY_ANY_DATA_BLOCK != 0))
    }

    /// A placement by its number.
    pub(crate) fn placement(number: u32, hash_offset: u64) -> Result<HashPlacement, Error> {
        match number {
            TARFS_HASH_OWN_FILE => Ok(HashPlacement::OwnFile),
            TARFS_HASH_BEHIND_DATA => Ok(HashPlacement::BehindData),
            TARFS_HASH_AT => Ok(HashPlacement::At(hash_offset)),
            other => Err(Error::argument(format!("placement {other}: not known"))),
        }
    }

    /// The geometry over `data_bytes` bytes.
    ///
    /// # Safety
    ///
    /// As [`VerityParams::read`].
    pub(crate) unsafe fn geometry(params: *const Self, bytes: u64) -> Result<Geometry, Error> {
        // SAFETY: by the contract.
        let (params, placement) = unsafe { Self::read_placed(params)? };
        Ok(Geometry::new(&params, bytes, placement)?)
    }
}

/// Sets parameters to those of a preset; placement stays TARFS_HASH_OWN_FILE.
///
/// @param name "nydus" (512/4096, no salt, no superblock), "containerd" (512/512, salt of 32 zero
///        bytes, superblock), "containerd-4k" (the same with 4096/4096) or "veritysetup"
///        (4096/4096, superblock, no salt: the caller sets one).
/// @param params Receives them; its salt points into the library and lives as long as that.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_verity_preset(
    name: *const c_char,
    params: *mut VerityParams,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            if name.is_null() {
                return Err(Error::null("name"));
            }
            let name = CStr::from_ptr(name).to_string_lossy();
            let preset = Params::named(&name);
            let preset = preset.ok_or_else(|| Error::argument(format!("preset {name:?}: none")))?;
            let salted = !preset.salt().is_empty();
            let answer = VerityParams {
                size: 0,
                data_block: preset.data_block().bytes(),
                hash_block: preset.hash_block().bytes(),
                salt: if salted { ZEROS.as_ptr() } else { ptr::null() },
                salt_len: preset.salt().len(),
                superblock: match preset.superblock() {
                    SuperblockMode::None => TARFS_SUPERBLOCK_NONE,
                    _ => TARFS_SUPERBLOCK_DERIVED,
                },
                placement: TARFS_HASH_OWN_FILE,
                hash_offset: 0,
                uuid: [0; 16],
                flags: 0,
                reserved: 0,
                algorithm: TARFS_ALGORITHM_SHA256,
                reserved2: 0,
            };
            debug_assert!(ZEROS.starts_with(preset.salt()));
            sized::write(params, answer, "params")
        })
    }
}

/// How many zero bytes to append to data before it is hashed, so that it is whole data blocks: a
/// tail that does not fill a block would not be protected.
///
/// @param params NULL for those of the preset "nydus".
/// @param data_bytes Length of the data in bytes.
/// @param padding Receives it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_verity_padding(
    params: *const VerityParams,
    data_bytes: u64,
    padding: *mut u64,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let params = VerityParams::read(params)?;
            pointer::put(padding, params.data_padding(data_bytes));
            Ok(())
        })
    }
}
