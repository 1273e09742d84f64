//! EROFS on disk: structs, constants and the checksum. No decisions are made here.
//!
//! ```text
//! byte 0      512        1024         1152           meta_blkaddr * block + 32 * nid
//! ┌───────────┬──────────┬────────────┬──────────────┬──────────────────────────────────┐
//! │ boot area │ DiskMark │ Superblock │ DeviceSlots  │ CompactInode or ExtendedInode,   │
//! │ free      │ of disks │ 128 bytes  │ 128 bytes    │ XattrHeader and XattrEntries,    │
//! │           │          │            │ each         │ ChunkIndexes or a short body     │
//! └───────────┴──────────┴────────────┴──────────────┴──────────────────────────────────┘
//! a block of a directory: Dirents of 12 bytes, and behind them the names
//! ```
//!
//! Every struct is little-endian and unaligned, so a view of any byte slice is a matter of length
//! alone. Fields hold raw integers; enums are made of them at the edge.
//!
//! The integers are of the crate [`zerocopy`], as are the traits that make views of bytes and bytes of
//! structs. It is passed on here, so that a program that uses them need not name it among its
//! dependencies, in just the version that this crate has. Words of features, such as [`Compat`], have all
//! methods of their own.
//!
//! # References
//! - Linux, `fs/erofs/erofs_fs.h` and `Documentation/filesystems/erofs.rst`.
//!
//! ```
//! use erofs_tarfs::format::{SUPERBLOCK_MAGIC, SUPERBLOCK_OFFSET, Superblock, zerocopy::FromBytes};
//! use erofs_tarfs::{image, layout};
//! # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
//! # use doc::layer_of;
//!
//! let tree = layer_of(&[("etc/motd", "hello\n")]);
//! let bytes = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::new())?);
//! let at = SUPERBLOCK_OFFSET as usize;
//! let (superblock, _) = Superblock::ref_from_prefix(&bytes[at..]).expect("128 bytes are there");
//! assert_eq!((superblock.magic.get(), superblock.blkszbits), (SUPERBLOCK_MAGIC, 9)); // blocks of 2^9
//! # Ok::<(), erofs_tarfs::layout::Error>(())
//! ```

#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

mod checksum;
mod device;
mod dirent;
mod inode;
mod mark;
mod superblock;
mod xattr;

pub use checksum::{checksum, covered, seal, verify};
pub use device::DeviceSlot;
pub use dirent::{Dirent, FileType};
pub use inode::{
    ChunkFormat, ChunkIndex, CompactInode, DataLayout, ExtendedInode, Format, HOLE, IMPLIED_MARK,
    SLOT_SIZE,
};
pub use mark::{DISK_MARK_MAGIC, DISK_MARK_OFFSET, DiskMark};
pub use superblock::{
    Compat, DEVICE_TABLE_OFFSET, Incompat, SUPERBLOCK_MAGIC, SUPERBLOCK_OFFSET, Superblock,
};
pub use xattr::{
    FILTER_SEED, MAX_IBODY, MAX_NAME, MAX_VALUE, XattrEntry, XattrHeader, XattrPrefix, filter_bit,
};
pub use zerocopy;
