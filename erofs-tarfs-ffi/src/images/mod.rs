//! Trees become images, written as bootstraps or disks; images are read back.

pub mod disk;
pub mod image;
pub mod layout;
pub mod layout_options;
pub mod segment;
