//! An archive of a whole image that is taken for a layer, because no prefix says what it is.

use std::path::Path;

use erofs_tarfs::tree::{InodeId, NodeKind, Tree};

use crate::cli::{quote, warn};

/// What a tar looks like, by the names in it.
fn prefix_of(tree: &Tree) -> Option<&'static str> {
    let of_kind = |name: &str, kind: NodeKind| {
        let found = tree.child(InodeId::ROOT, name.as_bytes());
        found.is_some_and(|id| tree.kind(id) == kind)
    };
    let file = |name: &str| of_kind(name, NodeKind::Regular);
    if file("manifest.json") && (file("repositories") || has_layers(tree)) {
        return Some("docker-archive:");
    }
    if file("oci-layout") && file("index.json") && of_kind("blobs", NodeKind::Directory) {
        return Some("oci-archive:");
    }
    (file("repositories") && has_layers(tree)).then_some("docker-archive:")
}

/// Whether there are files that writers of archives name so: `ID/layer.tar`, or digests.
fn has_layers(tree: &Tree) -> bool {
    tree.children(InodeId::ROOT).any(|(name, id)| match tree.kind(id) {
        NodeKind::Directory => {
            let file = |name: &str| tree.child(id, name.as_bytes()).is_some();
            file("layer.tar") || name == b"blobs" && file("sha256")
        }
        _ => {
            let name = name.strip_prefix(b"sha256:").unwrap_or(name);
            name.len() >= 64 && name[..64].iter().all(u8::is_ascii_hexdigit)
        }
    })
}

/// Says how the image in a file is named, if a layer looks like one.
pub(crate) fn warn(file: &Path, tree: &Tree) {
    if let Some(prefix) = prefix_of(tree) {
        let named = quote::name(file);
        let what =
            format_args!("read as a layer, but it looks like an image: {prefix}{named} names that");
        warn::say(file, what);
    }
}
