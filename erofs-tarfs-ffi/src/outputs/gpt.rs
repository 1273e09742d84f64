//! Disks in the partitions of one.
#![allow(unsafe_code, reason = "exports symbols")]

use core::ffi::c_char;

use erofs_tarfs::outputs::{self, Architecture, Role, Volume};

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized::{self, Sized};
use crate::outputs::ranges::Ranges;

/// tarfs_partition.role: "Linux filesystem data".
pub const TARFS_PARTITION_LINUX: u32 = 0;
/// tarfs_partition.role: a root file system, as the Discoverable Partitions Specification has it.
pub const TARFS_PARTITION_ROOT: u32 = 1;
/// tarfs_partition.role: the hash tree of a root file system, from its superblock on.
pub const TARFS_PARTITION_ROOT_VERITY: u32 = 2;
/// tarfs_partition.role: what is mounted at /usr.
pub const TARFS_PARTITION_USR: u32 = 3;
/// tarfs_partition.role: the hash tree of what is mounted at /usr.
pub const TARFS_PARTITION_USR_VERITY: u32 = 4;

/// A GUID Partition Table. It does not change: any number of threads may use it.
#[derive(Debug)]
pub struct Gpt(outputs::Gpt);

/// A disk that is to be a partition.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsPartition {
    /// sizeof(tarfs_partition).
    pub size: usize,
    /// Its name, in UTF-8: at most 36 UTF-16 units.
    pub name: *const u8,
    /// Length of name.
    pub name_len: usize,
    /// What tells its content from others: a root hash, or a digest. Its GUID follows from it.
    pub identity: *const u8,
    /// Length of identity.
    pub identity_len: usize,
    /// Length in bytes: whole sectors of 512.
    pub bytes: u64,
    /// What it is for, which its type and attributes tell: TARFS_PARTITION_*. The identity of a hash
    /// tree and of its file system is the root hash, of 32 bytes: its halves are their GUIDs.
    pub role: u32,
    /// For which processors, if its role is not TARFS_PARTITION_LINUX: a name of the Discoverable
    /// Partitions Specification (x86-64), of OCI images (amd64) or of uname (x86_64).
    pub architecture: *const c_char,
}

/// Where a partition is.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsPlaced {
    /// sizeof(tarfs_placed).
    pub size: usize,
    /// Byte of the disk at which it starts.
    pub offset: u64,
    /// Its length in bytes.
    pub bytes: u64,
    /// Its GUID, in the byte order in which it is written.
    pub guid: [u8; 16],
    /// The GUID of its type, in the same byte order.
    pub partition_type: [u8; 16],
}

/// What a partitioned disk is.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsGptInfo {
    /// sizeof(tarfs_gpt_info).
    pub size: usize,
    /// Length of the disk in bytes.
    pub bytes: u64,
    /// Partitions.
    pub partitions: u64,
    /// Bytes of the table at the disk's beginning.
    pub head_bytes: u64,
    /// Bytes of the table at its end.
    pub tail_bytes: u64,
    /// The disk's GUID, in the byte order in which it is written.
    pub guid: [u8; 16],
}

// SAFETY: integers and pointers, the size first.
unsafe impl Sized for TarfsPartition {}
// SAFETY: as above.
unsafe impl Sized for TarfsPlaced {}
// SAFETY: as above.
unsafe impl Sized for TarfsGptInfo {}

/// Puts partitions one behind the other. Same partitions, same bytes: GUIDs follow from content.
///
/// @param partitions 1 to 255.
/// @param align What they start at multiples of, in bytes: a power of two from 512 to 1 GiB; 0 for
///        1 MiB.
/// @param gpt Receives the table, ended with tarfs_gpt_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_gpt_new(
    partitions: *const TarfsPartition,
    count: usize,
    align: u64,
    gpt: *mut *mut Gpt,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(gpt, "gpt")?;
            let mut all = Vec::new();
            for given in sized::array(partitions, count, "partitions")? {
                let name = pointer::utf8(given.name, given.name_len, "a partition's name")?;
                let identity = pointer::bytes(given.identity, given.identity_len, "identity")?;
                let (name, identity) = (name.to_owned(), identity.to_vec());
                let role = role(&given)?;
                all.push(outputs::Partition { name, identity, bytes: given.bytes, role });
            }
            let align = if align == 0 { outputs::Gpt::ALIGN } else { align };
            pointer::put(gpt, pointer::give(Gpt(outputs::Gpt::new(all, align)?)));
            Ok(())
        })
    }
}

/// What a partition is for.
///
/// # Safety
///
/// Its architecture is NULL or the start of a string.
unsafe fn role(given: &TarfsPartition) -> Result<Role, Error> {
    let make: fn(Volume, Architecture) -> Role = match given.role {
        TARFS_PARTITION_LINUX => return Ok(Role::Data),
        TARFS_PARTITION_ROOT | TARFS_PARTITION_USR => Role::Volume,
        TARFS_PARTITION_ROOT_VERITY | TARFS_PARTITION_USR_VERITY => Role::Tree,
        other => return Err(Error::argument(format!("role {other} is not in the header"))),
    };
    let volume = match given.role {
        TARFS_PARTITION_ROOT | TARFS_PARTITION_ROOT_VERITY => Volume::Root,
        _ => Volume::Usr,
    };
    // SAFETY: by the contract.
    let name = unsafe { pointer::text(given.architecture, "architecture")? };
    let found = Architecture::named(name);
    let found =
        found.ok_or_else(|| Error::argument(format!("architecture {name:?}: not known")))?;
    Ok(make(volume, found))
}

/// What a partitioned disk is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_gpt_get_info(
    gpt: *const Gpt,
    info: *mut TarfsGptInfo,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let gpt = &pointer::borrow(gpt, "gpt")?.0;
            let answer = TarfsGptInfo {
                size: 0,
                bytes: gpt.bytes(),
                partitions: gpt.partitions().len() as u64,
                head_bytes: gpt.head().len() as u64,
                tail_bytes: gpt.tail().len() as u64,
                guid: gpt.guid().0,
            };
            sized::write(info, answer, "info")
        })
    }
}

/// Where a partition is.
///
/// @param index From 0 on; TARFS_STATUS_NOT_FOUND behind the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_gpt_get_partition(
    gpt: *const Gpt,
    index: usize,
    placed: *mut TarfsPlaced,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let found = pointer::borrow(gpt, "gpt")?.0.partitions().get(index);
            let found = found.ok_or_else(|| Error::not_found(format!("partition {index}")))?;
            let (offset, bytes, guid) = (found.offset, found.bytes, found.guid.0);
            let partition_type = found.role.partition_type().0;
            let answer = TarfsPlaced { size: 0, offset, bytes, guid, partition_type };
            sized::write(placed, answer, "placed")
        })
    }
}

/// The bytes of the table: those of the disk's beginning, and right behind them those of its end.
///
/// @param buf Receives them.
/// @param len As many as head_bytes and tail_bytes are together.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_gpt_get_table(
    gpt: *const Gpt,
    buf: *mut u8,
    len: usize,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let gpt = &pointer::borrow(gpt, "gpt")?.0;
            let table = [gpt.head(), gpt.tail()].concat();
            if len != table.len() {
                let wanted = table.len();
                return Err(Error::argument(format!("len {len}: the table has {wanted} bytes")));
            }
            pointer::bytes_mut(buf, len, "buf")?.copy_from_slice(&table);
            Ok(())
        })
    }
}

/// The partitioned disk as ranges of files.
///
/// @param disks What is in the partitions, in their order; they may be freed afterwards.
/// @param count How many: as many as there are partitions.
/// @param table Name of the file that the table is in, as tarfs_gpt_get_table gives it.
/// @param table_offset Byte of it at which the table starts.
/// @param ranges Receives the disk, ended with tarfs_ranges_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_gpt_get_ranges(
    gpt: *const Gpt,
    disks: *const *const Ranges,
    count: usize,
    table: *const c_char,
    table_offset: u64,
    ranges: *mut *mut Ranges,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(ranges, "ranges")?;
            let gpt = &pointer::borrow(gpt, "gpt")?.0;
            let table = pointer::text(table, "table")?.to_owned();
            let disks = pointer::array(disks, count, "disks")?.iter();
            let disks = disks.map(|disk| Ok(pointer::borrow(*disk, "a disk in disks")?.0.clone()));
            let disks = disks.collect::<Result<_, Error>>()?;
            let whole = gpt.extents(disks, table, table_offset)?;
            pointer::put(ranges, pointer::give(Ranges(whole)));
            Ok(())
        })
    }
}

/// Frees a partition table.
///
/// @param gpt What is not used afterwards, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_gpt_free(gpt: *mut Gpt) {
    // SAFETY: the caller passes NULL or what this library made, once.
    unsafe { pointer::free(gpt) }
}
