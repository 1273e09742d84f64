//! EROFS image bytes to checked views, and to a tree.
//!
//! An [`Image`] borrows the bytes of an image: a bootstrap, or a whole disk of metadata and tars.
//! Nothing in it is trusted: every access is checked, and [`Image::tree`] takes time and memory
//! linear in the length of the image (times a logarithm), whatever the image says.
//!
//! Read are uncompressed images of any writer: flat, inline and chunk-based inodes, with or
//! without extra devices and 48-bit addresses. Compressed inodes are refused where they are met.
//!
//! # References
//! - Linux, `Documentation/filesystems/erofs.rst` and `fs/erofs/`.
//!
//! ```
//! use erofs_tarfs::read::{Error, Image};
//!
//! assert_eq!(Image::new(&[0; 4096]).unwrap_err(), Error::Magic(0));
//! ```

mod addresses;
mod budget;
mod devices;
mod directory;
mod error;
mod extents;
mod flat;
mod image;
mod inode;
mod marks;
mod options;
mod prefixes;
mod tree;
mod xattrs;

pub use devices::DeviceInfo;
pub use directory::Entry;
pub use error::{Error, Rule};
pub use extents::{Extent, Source};
pub use image::Image;
pub use inode::Inode;
pub use options::{DevicesAt, TreeOptions};
pub use xattrs::Xattr;
