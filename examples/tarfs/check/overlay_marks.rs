//! What layers say to overlayfs by attributes and markers: whiteouts, and opaque directories.

use erofs_tarfs::tree::{Content, InodeId, NodeKind, Tree};

/// Whether a directory of a layer hides what is below it in lower ones.
pub(crate) fn is_opaque(tree: &Tree, dir: InodeId) -> bool {
    tree.is_opaque(dir)
        || has(tree, dir, b"overlay.opaque", Some(b"y"))
        || tree.child(dir, b".wh..wh..opq").is_some()
}

/// Whether an inode of a layer is a whiteout, in a directory that `holds` some as files.
pub(crate) fn is_whiteout(tree: &Tree, id: InodeId, holds: bool) -> bool {
    match (tree.kind(id), tree.content(id)) {
        (NodeKind::Whiteout, _) => true,
        (NodeKind::CharDevice, Content::Device(number)) => (number.major, number.minor) == (0, 0),
        (_, Content::Regular { size: 0, .. }) => holds && has(tree, id, b"overlay.whiteout", None),
        _ => false,
    }
}

/// Whether an inode has an attribute for overlayfs, as root's or a user's.
pub(crate) fn has(tree: &Tree, id: InodeId, name: &[u8], value: Option<&[u8]>) -> bool {
    tree.xattrs(id).any(|(full, found)| {
        let full = full.strip_prefix(b"trusted.").or_else(|| full.strip_prefix(b"user."));
        full == Some(name) && value.is_none_or(|value| value == found)
    })
}
