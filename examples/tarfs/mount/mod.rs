//! What it takes to mount an image: the plan, which `tarfs mount-args` prints and `tarfs mount` carries
//! out, and the means for that (loop devices, the mount API, veritysetup, overlayfs).
//!
//! What is made here is gone again when its value is dropped, unless it was kept.

mod attached;
mod devices;
pub(crate) mod erofs;
mod loop_device;
pub(crate) mod overlay;
pub(crate) mod placed;
pub(crate) mod plan;
pub(crate) mod planning;
mod refused;
mod sealed;
pub(crate) mod source;
mod subject;
pub(crate) mod table;
pub(crate) mod verity_device;
