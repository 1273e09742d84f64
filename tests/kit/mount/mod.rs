//! Mounts that end with their guard, also when a test panics.
//!
//! Each mount has a mount point of its own, with a fresh name, below the system's directory for
//! temporary files. Needs root.

mod erofs;
mod error;
mod loopdev;
mod mounted;
mod overlay;
mod scratch;

pub use erofs::Erofs;
pub use loopdev::LoopDevice;
pub use mounted::Mounted;
pub use overlay::overlay;
pub use scratch::{DiskFs, scratch_disk, small_tmpfs, tmpfs};
