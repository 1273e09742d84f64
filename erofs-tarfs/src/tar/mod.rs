//! tar bytes to entries: a push parser without I/O.

mod entry;

pub use entry::{Entry, Kind, Segment, Xattr, Xattrs};
