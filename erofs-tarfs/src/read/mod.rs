//! EROFS image bytes to checked views, and to a tree.
//!
//! ```text
//! &[u8] ─ Image::new ─→ Image ─ lookup ─→ nid ─ inode ─→ Inode: type, attributes, size
//!                         │                └── entries, extents, xattrs, of that nid
//!                         └──── tree ─→ Tree, to be merged with others
//! ```
//!
//! An [`Image`] borrows the bytes of an image, a bootstrap or a whole disk of metadata and tars
//! ([`Image::new`]), or reads them when they are needed ([`Image::over`]). [`Image::walk`] lists it,
//! [`Image::read_at`] reads its files. Nothing in it is trusted: every access is checked, and [`Image::tree`] takes time and memory
//! linear in the length of the image (times a logarithm), whatever the image says.
//!
//! Read are uncompressed images of any writer: flat, inline and chunk-based inodes, with or
//! without extra devices and 48-bit addresses. Compressed inodes are refused where they are met.
//!
//! # References
//! - Linux, `Documentation/filesystems/erofs.rst` and `fs/erofs/`.
//!
//! ```
//! use erofs_tarfs::read::Image;
//! use erofs_tarfs::{image, layout};
//! # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
//! # use doc::layer_of;
//!
//! let tree = layer_of(&[("etc/motd", "hello\n"), ("srv/", "")]);
//! let bytes = image::bootstrap(&layout::plan(&tree, &layout::LayoutOptions::default())?);
//! let image = Image::new(&bytes)?;
//! for entry in image.entries(image.root())? {
//!     println!("{} {} bytes", entry.name.escape_ascii(), image.inode(entry.nid)?.size());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
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

mod addresses;
mod budget;
mod devices;
mod directory;
mod error;
mod extents;
mod fault;
mod file_bytes;
mod flat;
mod image;
mod inode;
mod marks;
mod options;
mod prefixes;
mod seen;
mod source;
mod tree;
mod walk;
mod xattrs;

pub use devices::DeviceInfo;
pub use directory::Entry;
pub use error::{Error, Rule};
pub use extents::{StoredExtent, StoredPlace};
pub use fault::ReadFault;
pub use image::Image;
pub use inode::Inode;
pub use options::{DevicesAt, TreeOptions};
pub use source::ReadImage;
pub use walk::{FoundName, ImageWalk};
pub use xattrs::Xattr;
