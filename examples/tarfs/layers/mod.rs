//! What a LAYER argument is, whatever kind it is of, and where the tars of bootstraps are.

pub(crate) mod as_mounted;
pub(crate) mod begun;
pub(crate) mod changed;
pub(crate) mod chosen;
pub(crate) mod cut_short;
pub(crate) mod ending;
pub(crate) mod file_contexts;
pub(crate) mod file_data;
pub(crate) mod from_image;
pub(crate) mod from_images;
pub(crate) mod from_tar;
pub(crate) mod images;
pub(crate) mod load;
pub(crate) mod loaded;
pub(crate) mod merged;
pub(crate) mod needed_tars;
pub(crate) mod noted;
pub(crate) mod paths;
pub(crate) mod same_devices;
pub(crate) mod spool;
pub(crate) mod tar_search;
pub(crate) mod warnings;
