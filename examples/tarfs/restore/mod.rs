//! An image back to what it was made of: files in a directory, or a tar.

pub(crate) mod attributes;
pub(crate) mod directory;
pub(crate) mod extract;
mod links;
pub(crate) mod missing;
mod pax;
pub(crate) mod stored;
pub(crate) mod tar;
pub(crate) mod visit;
pub(crate) mod wanted;
mod way;
