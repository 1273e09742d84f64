//! What the fuzz targets share.
//!
//! | module | duty |
//! |---|---|
//! | [`sums`] | checksums made right, so that not every changed byte ends an input at once |
//! | [`tars`] | tars, changed header by header and not byte by byte |
//! | [`layers`] | tars to layers, layers to images and back |
//! | [`strict`] | what must hold of every image that we wrote |
//! | [`entries`] | what our parser reads in a tar, in lines that compare |
//! | [`verity_twin`] | hash trees and superblocks once more, in the shortest way |

pub mod entries;
pub mod layers;
pub mod strict;
pub mod sums;
pub mod tars;
pub mod verity_twin;
