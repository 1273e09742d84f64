//! The main job with files: layers in, disks and hash trees out.

mod job;
mod output;
mod write;

pub use job::{Export, Exported};
pub use write::{Step, Written, write_plan};
