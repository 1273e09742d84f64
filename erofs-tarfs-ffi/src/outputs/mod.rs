//! Disks over files as they lie, and partition tables.

pub mod gpt;
pub mod ranges;
