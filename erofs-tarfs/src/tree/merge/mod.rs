//! Layers on top of one another.

mod devices;
mod follow;
mod layers;
mod notes;
mod options;
mod pending;

pub use layers::{merge, merge_noting};
pub use notes::Note;
pub use options::MergeOptions;
