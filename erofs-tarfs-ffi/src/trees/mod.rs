//! Tars become layers, layers one tree, and what is in a tree.

mod apart;
pub mod change;
pub mod choose;
pub mod contents;
pub mod device;
pub mod layer;
pub mod layer_info;
pub mod layer_options;
pub mod limits;
pub mod merge;
mod pieces;
pub mod stat;
pub mod tree;
pub mod unpack;
