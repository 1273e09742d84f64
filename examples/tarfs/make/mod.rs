//! What commands make of layers: bootstraps, and disks in all their forms.

pub(crate) mod attachment;
pub(crate) mod backings;
pub(crate) mod cache_entry;
pub(crate) mod disk_form;
pub(crate) mod image;
pub(crate) mod known_digests;
pub(crate) mod oci;
pub(crate) mod sealed_image;
pub(crate) mod volume;
pub(crate) mod work;
