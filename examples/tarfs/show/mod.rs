//! What is printed: reports, listings, pictures, scripts. Nothing here reads a layer or makes a disk.

pub(crate) mod attached_report;
pub(crate) mod cache_report;
pub(crate) mod details;
pub(crate) mod extracted_report;
pub(crate) mod file_json;
pub(crate) mod folded;
pub(crate) mod hash_tree_report;
pub(crate) mod image_picture;
pub(crate) mod image_report;
pub(crate) mod listing;
pub(crate) mod marked;
pub(crate) mod mode;
pub(crate) mod mount_report;
pub(crate) mod oci_report;
pub(crate) mod partition_table;
pub(crate) mod partitioned;
pub(crate) mod picture;
pub(crate) mod print;
pub(crate) mod report;
pub(crate) mod root_report;
pub(crate) mod segments;
pub(crate) mod svg;
