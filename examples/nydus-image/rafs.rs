//! What Nydus's program writes behind the superblock: a bootstrap of its own says there whether it is of
//! a tarfs.
//!
//! | byte | what |
//! |---|---|
//! | 1032 | compatible features of EROFS; bit 30 says that RAFS is behind the superblock |
//! | 1152 | flags of RAFS, 8 bytes; bit 9 says that the blobs are tars |

use erofs_tarfs::format::Superblock;

/// The bit of the compatible features that is RAFS's own.
const IS_RAFS: u32 = 1 << 30;

/// Where the flags of RAFS are.
const FLAGS: usize = 1152;

/// Files have their bytes in tars, as they lie there.
const TARFS: u64 = 1 << 9;

/// Whether it is a bootstrap of RAFS whose blobs are no tars: Linux would find no file's bytes there.
pub(crate) fn is_other(bytes: &[u8], superblock: &Superblock) -> bool {
    if superblock.feature_compat.get() & IS_RAFS == 0 {
        return false;
    }
    let flags = bytes.get(FLAGS..FLAGS + 8).and_then(|bytes| bytes.try_into().ok());
    flags.is_none_or(|flags| u64::from_le_bytes(flags) & TARFS == 0)
}
