//! Marks of layers: what overlayfs keeps in attributes, as properties of a tree.

use super::Xattr;
use alloc::vec::Vec;

const OPAQUE: &[u8] = b"trusted.overlay.opaque";
const ORIGIN: &[u8] = b"trusted.overlay.origin";

/// Takes overlayfs's marks out of a directory's xattrs; returns whether it's opaque.
///
/// Overlayfs takes no value but `y` for opaque. An empty origin is what writers put on directories
/// with whiteouts, so that a mount of the layer alone hides these; another origin is a user's.
pub(super) fn take(xattrs: &mut Vec<Xattr<'_>>, has_whiteout: bool) -> bool {
    let count = xattrs.len();
    xattrs.retain(|xattr| !(xattr.name == OPAQUE && *xattr.value == *b"y"));
    let opaque = xattrs.len() != count;
    if has_whiteout {
        xattrs.retain(|xattr| !(xattr.name == ORIGIN && xattr.value.is_empty()));
    }
    opaque
}
