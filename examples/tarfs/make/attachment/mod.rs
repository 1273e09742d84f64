//! What is attached to an image, so that a node neither indexes nor hashes its layers.
//!
//! | file | duty |
//! |---|---|
//! | `parts` | the image's metadata, and the hash tree of its disk |
//! | `documents` | the manifest that refers to the image, and what it says of both |

pub(crate) mod documents;
pub(crate) mod parts;
