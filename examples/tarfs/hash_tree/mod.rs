//! dm-verity hash trees: made, and found again where their parameters are not known.

pub(crate) mod other_parameters;
pub(crate) mod seal;
pub(crate) mod search;
pub(crate) mod sidecar;
pub(crate) mod sought;
pub(crate) mod unfinished;
