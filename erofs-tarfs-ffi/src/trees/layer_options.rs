//! How a tar becomes a layer.
#![allow(unsafe_code, reason = "reads the callers' pointers")]

use erofs_tarfs::ingest::IngestOptions;
use erofs_tarfs::limits::{Limit, Limits};
use erofs_tarfs::tar::ParseOptions;
use erofs_tarfs::tree::{Identity, LayerOptions};

use crate::abi::error::Error;
use crate::abi::pointer;
use crate::abi::sized::Sized;
use crate::streams::sink::Sink;
use crate::trees::apart::Apart;
use crate::trees::limits::TarfsLimits;
use crate::trees::unpack::Unpack;
use crate::verity::params::VerityParams;

/// Keep a hard link whose target is no earlier entry of its tar, for tarfs_tree_merge to find in a
/// lower layer; without it that is an error.
pub const TARFS_LAYER_KEEP_PENDING: u32 = 1;
/// Resolve ".." in paths inside the root; without it that is an error.
pub const TARFS_LAYER_RESOLVE_DOT_DOT: u32 = 2;
/// Drop extended attributes of namespaces that EROFS has no index for, and count them; without it
/// they are an error.
pub const TARFS_LAYER_DROP_UNKNOWN_XATTRS: u32 = 4;
/// Keep the device of a layer in which no file has any data.
pub const TARFS_LAYER_KEEP_EMPTY_DEVICE: u32 = 8;
/// Refuse what readers of tars disagree about, where it is otherwise read as GNU tar does.
pub const TARFS_LAYER_STRICT: u32 = 16;
/// Pass over entries of unknown type, and count them; without it they are an error.
pub const TARFS_LAYER_SKIP_UNKNOWN_TYPES: u32 = 32;
/// Compute the SHA-256 of all bytes pushed: the diffID of an uncompressed layer.
pub const TARFS_LAYER_DIFF_ID: u32 = 64;
/// Compute it, and tag the device with it, as 64 hex digits, instead of with tag.
pub const TARFS_LAYER_TAG_DIFF_ID: u32 = 128;
/// Compute it, and the leaves if they are wanted, on a thread of its own, if the machine has two
/// cores and the tar is not short. It has ended when tarfs_layer_finish or tarfs_layer_free returns.
pub const TARFS_LAYER_THREAD: u32 = 256;
/// The tag is the SHA-256 of all bytes of the tar, as 64 hex digits, and the caller has computed or
/// checked it: layers with one such tag are one device of an image. It is known without this where
/// the library computes it (TARFS_LAYER_DIFF_ID).
pub const TARFS_LAYER_TAG_CHECKED: u32 = 512;

/// How a tar becomes a layer.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsLayerOptions {
    /// sizeof(tarfs_layer_options).
    pub size: usize,
    /// Tag of the device that the tar is: up to 64 bytes, usually the hex digits of the blob's
    /// digest. It is a name: it never shows that two tars are one, see TARFS_LAYER_TAG_CHECKED.
    pub tag: *const u8,
    /// Length of tag.
    pub tag_len: usize,
    /// TARFS_LAYER_ flags.
    pub flags: u32,
    /// The most bytes of a path, and of a link's target.
    pub max_path_bytes: u32,
    /// The most bytes of pax records and long names of one entry.
    pub max_extension_bytes: u64,
    /// The most bytes of extended attributes of one entry.
    pub max_xattr_bytes: u64,
    /// The most segments of a sparse file.
    pub max_sparse_segments: u64,
    /// The most bytes that the tree may carry itself: attributes, link targets, odd pieces of
    /// sparse files.
    pub max_carried: u64,
    /// Where all bytes pushed are written to, unchanged and in order; nowhere if NULL.
    pub tee: *const Sink,
    /// Parameters of hash trees that the tar's data blocks are hashed for on the way; none if NULL.
    pub leaves: *const VerityParams,
    /// The most directories that no entry is about but which paths imply, beyond 4 for each entry.
    pub max_implied: u64,
    /// The most bytes of a path, and of a link's target, that a global pax header gives to all entries.
    pub max_global_path_bytes: u64,
    /// The most bytes of extended attributes that global pax headers give to all entries.
    pub max_global_xattr_bytes: u64,
    /// The most entries of the tar; no limit by default.
    pub max_entries: u64,
    /// The most bytes of the tar, uncompressed, all that follows its end counted; no limit by default. To be set for
    /// tars that are decompressed, as a few bytes become any number.
    pub max_bytes: u64,
    /// How what is pushed is compressed: a TARFS_COMPRESSION_ constant. All else here is about the tar in it: flags,
    /// limits, leaves, and tee, which gets the tar uncompressed. What is wrong with the stream is
    /// TARFS_STATUS_COMPRESSED, with the offset in the compressed bytes.
    pub compression: u32,
    /// How many times as long as what was pushed the tar may become, from 256 MiB on; 200 by default.
    pub max_ratio: u32,
    /// How much the tar and its layer may cost; NULL for defaults. Of a limit that is set here and above this counts:
    /// the fields above are of before there was this struct.
    pub limits: *const TarfsLimits,
}

// SAFETY: integers and pointers, the size first.
unsafe impl Sized for TarfsLayerOptions {}

impl TarfsLayerOptions {
    /// The library's options; the tee is not among them.
    ///
    /// # Safety
    ///
    /// The pointers in it are as the header says.
    pub(crate) unsafe fn read(&self) -> Result<IngestOptions, Error> {
        let given = self;
        let known = 2 * TARFS_LAYER_TAG_CHECKED - 1;
        if given.flags & !known != 0 {
            return Err(Error::argument(format!("flags {:#x}: not known", given.flags)));
        }
        let has = |flag| given.flags & flag != 0;
        let tar = ParseOptions::new()
            .strict(has(TARFS_LAYER_STRICT))
            .skip_unknown_types(has(TARFS_LAYER_SKIP_UNKNOWN_TYPES));
        // SAFETY: as the header says.
        let tag = unsafe { pointer::bytes(given.tag, given.tag_len, "tag")? };
        if tag.len() > 64 {
            return Err(Error::argument(format!("tag: {} bytes, at most 64 fit", tag.len())));
        }
        let mut layer = LayerOptions::new()
            .tar(tar)
            // SAFETY: as the header says.
            .limits(unsafe { self.limits()? })
            .tag(tag)
            .keep_pending(has(TARFS_LAYER_KEEP_PENDING))
            .resolve_dot_dot(has(TARFS_LAYER_RESOLVE_DOT_DOT))
            .drop_unknown_xattrs(has(TARFS_LAYER_DROP_UNKNOWN_XATTRS))
            .keep_empty_device(has(TARFS_LAYER_KEEP_EMPTY_DEVICE));
        if has(TARFS_LAYER_TAG_CHECKED) {
            layer = layer.identity(Identity::of_checked_tag(tag));
            if layer.identity == Identity::Unknown {
                return Err(Error::argument("tag: not a SHA-256 of 64 hex digits in lower case"));
            }
        }
        let leaves = match given.leaves.is_null() {
            true => None,
            // SAFETY: as the header says.
            false => Some(unsafe { VerityParams::read(given.leaves)? }),
        };
        Ok(IngestOptions::new()
            .layer(layer)
            .diff_id(has(TARFS_LAYER_DIFF_ID))
            .tag_diff_id(has(TARFS_LAYER_TAG_DIFF_ID))
            .leaves(leaves))
    }

    /// How much the layer may cost.
    ///
    /// # Safety
    ///
    /// As [`TarfsLayerOptions::read`].
    unsafe fn limits(&self) -> Result<Limits, Error> {
        let single = [
            (Limit::PathBytes, self.max_path_bytes.into()),
            (Limit::ExtensionBytes, self.max_extension_bytes),
            (Limit::XattrBytes, self.max_xattr_bytes),
            (Limit::SparseSegments, self.max_sparse_segments),
            (Limit::Carried, self.max_carried),
            (Limit::Implied, self.max_implied),
            (Limit::GlobalPathBytes, self.max_global_path_bytes),
            (Limit::GlobalXattrBytes, self.max_global_xattr_bytes),
            (Limit::Entries, self.max_entries),
            (Limit::Bytes, self.max_bytes),
            (Limit::Ratio, self.max_ratio.into()),
        ];
        // Zero is the default.
        let set = single.into_iter().filter(|(_, most)| *most > 0);
        let limits = set.fold(Limits::new(), |limits, (limit, most)| limits.with(limit, most));
        // SAFETY: by the contract.
        unsafe { TarfsLimits::read(self.limits, limits) }
    }

    /// What the bytes that are pushed go through first.
    ///
    /// # Safety
    ///
    /// As [`TarfsLayerOptions::read`].
    pub(crate) unsafe fn unpack(&self) -> Result<Unpack, Error> {
        // SAFETY: by the contract.
        Unpack::new(self.compression, unsafe { self.limits()? })
    }

    /// Whether a thread of its own is to hash.
    pub(crate) fn is_apart(&self) -> bool {
        self.flags & TARFS_LAYER_THREAD != 0 && Apart::helps()
    }
}
