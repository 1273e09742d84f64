//! How much an input may cost.
#![allow(unsafe_code, reason = "exports symbols")]

use erofs_tarfs::limits::{Limit, Limits};

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::sized::{self, Sized};

/// How much an input may cost: memory, time, room on a disk. Whoever wrote a layer chose its bytes, and few of them
/// can ask for much; the defaults are for layers of strangers. Zero is the default, UINT64_MAX no limit. What is as much
/// as a limit is taken, what is one more is an error of its stage, whose message has the field's name, its value, and
/// how much there is: "3 entries are over the limit max_entries of 2".
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsLimits {
    /// sizeof(tarfs_limits).
    pub size: usize,
    /// The most bytes of a tar, uncompressed, all that follows its end counted; no limit by default. Stops a tar
    /// that fills the disk it is written to, or never ends.
    pub max_bytes: u64,
    /// How many times as long as the compressed bytes that were read a stream may be, from 256 MiB on; 200 by
    /// default. Stops the same, where nobody knows a length.
    pub max_ratio: u64,
    /// The most entries of a tar; no limit by default. Stops a tar of headers alone: 150 bytes of memory each.
    pub max_entries: u64,
    /// The most inodes of a layer, and of layers that are merged, the root counted; 16,777,216 by default. Stops
    /// layers that each are within bounds, and are gigabytes of memory together.
    pub max_inodes: u64,
    /// The most directories that no entry is about but which paths imply, beyond 4 for each entry; 65,536 by
    /// default. Stops tars of few deep paths, each of whose directories is an inode.
    pub max_implied: u64,
    /// The most names in a path, of an entry and of what is merged; 4,096 by default. Stops trees on which
    /// whoever goes down by recursion, or to each directory by its path, spends stack and time.
    pub max_depth: u64,
    /// The most bytes of a path, and of a link's target; 65,536 by default. Stops long names, which are kept.
    pub max_path_bytes: u64,
    /// The most bytes of one name in a path; 255 by default, and more count for nothing. Stops names that what
    /// comes later can't handle.
    pub max_name_bytes: u64,
    /// The most bytes of pax records and long names of one entry; 1 MiB by default. Stops headers that are held
    /// until their entry comes.
    pub max_extension_bytes: u64,
    /// The most bytes of extended attributes of one entry; 1 MiB by default. Stops attributes, which are kept.
    pub max_xattr_bytes: u64,
    /// The most bytes of a path, and of a link's target, that a global pax header gives to all entries; 1,024 by
    /// default. Stops a path that is said once, and counts for each entry.
    pub max_global_path_bytes: u64,
    /// The most bytes of extended attributes that global pax headers give to all entries, with 16 for each; 1,024
    /// by default. Stops attributes that are said once, and stand at each inode.
    pub max_global_xattr_bytes: u64,
    /// The most runs in the map of a sparse file; 1,048,576 by default. Stops maps, of 16 bytes of memory a run.
    pub max_sparse_segments: u64,
    /// The most bytes that a layer carries itself: attributes, link targets, odd pieces of sparse files; 1 GiB by
    /// default. Stops maps of runs of one byte, each of which is carried as a block.
    pub max_carried: u64,
    /// The most bytes of the chunk tables of an image's sparse files, beyond an eighth of the bytes of all
    /// devices; 64 MiB by default. Stops holes: a header may say that a file is 8 EiB long.
    pub max_table_bytes: u64,
    /// The most bytes of an image's metadata; 4 GiB by default. Stops an image that fills the disk, whatever its
    /// layers did to be within each of the others.
    pub max_metadata_bytes: u64,
    /// The most bytes of a document of JSON; 4 MiB by default. This library reads none: it is for programs that
    /// hand the struct around.
    pub max_json_bytes: u64,
}

// SAFETY: integers, the size first.
unsafe impl Sized for TarfsLimits {}

/// A field, and the limit that it is.
type Field = (Limit, fn(&mut TarfsLimits) -> &mut u64);

/// All fields.
const FIELDS: [Field; Limit::ALL.len()] = [
    (Limit::Bytes, |limits| &mut limits.max_bytes),
    (Limit::Ratio, |limits| &mut limits.max_ratio),
    (Limit::Entries, |limits| &mut limits.max_entries),
    (Limit::Inodes, |limits| &mut limits.max_inodes),
    (Limit::Implied, |limits| &mut limits.max_implied),
    (Limit::Depth, |limits| &mut limits.max_depth),
    (Limit::PathBytes, |limits| &mut limits.max_path_bytes),
    (Limit::NameBytes, |limits| &mut limits.max_name_bytes),
    (Limit::ExtensionBytes, |limits| &mut limits.max_extension_bytes),
    (Limit::XattrBytes, |limits| &mut limits.max_xattr_bytes),
    (Limit::GlobalPathBytes, |limits| &mut limits.max_global_path_bytes),
    (Limit::GlobalXattrBytes, |limits| &mut limits.max_global_xattr_bytes),
    (Limit::SparseSegments, |limits| &mut limits.max_sparse_segments),
    (Limit::Carried, |limits| &mut limits.max_carried),
    (Limit::TableBytes, |limits| &mut limits.max_table_bytes),
    (Limit::MetadataBytes, |limits| &mut limits.max_metadata_bytes),
    (Limit::JsonBytes, |limits| &mut limits.max_json_bytes),
];

impl TarfsLimits {
    /// The library's limits: those that are set here, and of the others `rest`.
    ///
    /// # Safety
    ///
    /// `limits` is as the header says.
    pub(crate) unsafe fn read(limits: *const Self, rest: Limits) -> Result<Limits, Error> {
        // SAFETY: by the contract.
        let mut given = unsafe { sized::read(limits, "limits")? };
        let set = |limits: Limits, (limit, field): &Field| match *field(&mut given) {
            0 => limits,
            most => limits.with(*limit, most),
        };
        Ok(FIELDS.iter().fold(rest, set))
    }
}

/// The limits that hold where a field is zero.
///
/// @param limits Its size set. Receives the defaults; UINT64_MAX where there is no limit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_limits_get_default(
    limits: *mut TarfsLimits,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            // SAFETY: zeros are a value of it.
            let mut answer: TarfsLimits = core::mem::zeroed();
            for (limit, field) in FIELDS {
                *field(&mut answer) = Limits::new().get(limit);
            }
            sized::write(limits, answer, "limits")
        })
    }
}
