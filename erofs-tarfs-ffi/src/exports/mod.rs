//! The main job in one call: layers in, disks and hash trees out, and what is known of them.

pub mod export_layer;

pub mod export_options;

pub mod exported;

pub mod export;
