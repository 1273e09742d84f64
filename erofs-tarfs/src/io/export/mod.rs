//! The main job with files: layers in, disks and hash trees out.

mod backing;
mod begun;
mod choices;
mod choose;
mod job;
mod layer;
mod made;
mod over;
mod parts;
mod prepared;
mod run;
mod state;
mod watch;
mod write;

pub use backing::{Backing, ReadBytes};
pub use job::Export;
pub use made::{Exported, ExportedDisk, Made};

/// The step of an export that is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// A tar is read.
    Reading,
    /// A disk is written.
    Writing,
    /// A hash tree is made.
    Hashing,
}
