//! Adapters to files and threads, for programs with `std`.
//!
//! ```text
//! base.tar ─ index_file, ingest ─→ Layer ─ merge, plan ─→ Layout ─┬─ write_metadata ─→ base.erofs
//!     │                                                           ├─ write_disk ─→ image.disk
//!     └──────────── its bytes, shared or copied ──────────────────┘      │
//!                                        verity::seal, hash_disk ────────┴─→ hash tree, root hash
//! ```
//!
//! Most programs want all of it at once: [`Export`] makes disks and hash trees of tars in one call, as
//! [`export`](crate::export) plans them. Its files are each an [`Output`], which has no name until it is
//! whole; [`Backing`] says where the bytes of a layer are, [`Exported`] what came of it.
//!
//! What it is made of can be used alone. [`index_file`] and [`index_reader`] make layers of tars,
//! [`ingest`](fn@ingest) hashes and writes them too as they stream by; [`write_metadata`],
//! [`write_disk`] and [`hash_disk`] carry out the plan of a disk, sharing bytes with the tars where the
//! filesystem can ([`copy_range`]); [`seal_in_place`] ends the one pass of a layer. [`Mapped`] reads a
//! disk through the files that it is made of, [`verity`] seals and verifies files on several threads. A
//! [`NamedFile`] is an open file with its name, so that an [`Error`] says where it happened. What comes
//! compressed goes through [`Uncompressed`], or a [`Decompressor`] where there is no reader, with the
//! features `gzip` and `zstd`.
//!
//! ```
//! use erofs_tarfs::{io, layout, tree::LayerOptions};
//! # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
//! # use doc::tar_of;
//!
//! let tar = io::NamedFile::new("base.tar", tempfile::tempfile()?); // or `NamedFile::open`
//! tar.write_all_at(&tar_of(&[("etc/motd", "hello\n")]), 0)?;
//! let layer = io::index_file(&tar, LayerOptions::default(), &mut |_| {})?;
//! let layout = layout::plan(&layer.tree, &layout::LayoutOptions::default())?;
//! let bootstrap = io::NamedFile::new("base.erofs", tempfile::tempfile()?);
//! io::write_metadata(&layout, &bootstrap)?; // mount -t erofs -o device=base.tar base.erofs /mnt
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ahead;
mod buffer;
#[cfg(target_os = "linux")]
mod clone;
mod compressed;
mod copy;
mod device_files;
mod disk;
mod error;
mod export;
mod file;
mod gpt;
mod hash_disk;
mod in_place;
mod index;
mod ingest;
mod joined;
#[cfg(target_os = "linux")]
mod map;
mod mapped;
mod metadata;
mod output;
#[cfg(target_os = "linux")]
mod pipe;
mod spare;
pub mod verity;

pub use buffer::Buffer;
pub use compressed::{
    BrokenStream, Compression, Decompressed, Decompressor, Ratio, StreamFault, Uncompressed,
};
pub use copy::{Copied, copy_range};
pub use device_files::DeviceFiles;
pub use disk::{write_disk, write_metadata, write_metadata_at};
pub use error::Error;
pub use export::{Backing, Export, Exported, ExportedDisk, Made, ReadBytes, Step};
pub use file::NamedFile;
pub use gpt::{Partitions, read_partitions};
pub use hash_disk::{PutBlocks, ReadDevice, hash_disk, hash_disk_with};
pub use in_place::seal_in_place;
pub use index::{index_file, index_reader};
pub use ingest::ingest;
#[cfg(target_os = "linux")]
pub use map::Map;
pub use mapped::Mapped;
pub use metadata::read_metadata;
pub use output::Output;
#[cfg(target_os = "linux")]
pub use pipe::Pipe;
