//! OCI images of EROFS metadata over tars, by the draft of the EROFS image specification.
//!
//! | file | duty |
//! |---|---|
//! | `documents` | configuration, manifest and descriptors |
//! | `layout` | the files of an image layout, whole or not there |

pub(crate) mod documents;
pub(crate) mod layout;
