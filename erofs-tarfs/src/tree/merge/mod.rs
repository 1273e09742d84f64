//! Layers on top of one another.

mod devices;
mod follow;
mod layers;
mod merger;
mod notes;
mod options;
mod pending;

pub use merger::{Merger, merge, merge_noting};
pub use notes::Note;
pub use options::MergeOptions;
