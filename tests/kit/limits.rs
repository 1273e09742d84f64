//! A tar that has of each limit a number that is known, and the numbers.

use erofs_tarfs::limits::Limit;

use crate::tarball::{SparseForm, TarBuilder};

/// How much of a limit the tar takes, and what of.
pub struct Edge {
    /// The limit.
    pub limit: Limit,
    /// How much.
    pub most: u64,
    /// What the error says behind the number.
    pub says: &'static str,
}

/// The length of the sparse file: a hole with three bytes in it.
const SPARSE: u64 = 64 << 20;

/// Three entries, of which the last implies 20 directories.
pub fn tar_at_the_edges() -> Vec<u8> {
    let long = format!("{}/{}", "n".repeat(150), "n".repeat(149));
    TarBuilder::new()
        .file(&long, b"")
        .xattr("user.name", b"value4321")
        .sparse(SparseForm::Pax10, "s", SPARSE, &[(512, b"x"), (SPARSE - 1024, b"y")])
        .global(&[(b"linkpath", b"0123456789"), (b"SCHILY.xattr.user.a", b"0123456789")])
        .file("1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/f", b"")
        .finish()
}

/// Of a tar of so many bytes, and the bootstrap of it.
pub fn edges(tar: u64, bootstrap: u64) -> Vec<Edge> {
    let edge = |limit, most, says| Edge { limit, most, says };
    vec![
        edge(Limit::Bytes, tar, "bytes of the tar"),
        edge(Limit::Entries, 3, "entries"),
        // The root, two files, the directory of the first one, and 20 directories with a file.
        edge(Limit::Inodes, 1 + 2 + 1 + 21, "inodes"),
        // Four come with each entry.
        edge(
            Limit::Implied,
            21 - 3 * 4,
            "directories that no entry is about, beyond 4 for each entry,",
        ),
        edge(Limit::Depth, 21, "names in its path"),
        edge(Limit::PathBytes, 300, "bytes of a path or link target"),
        edge(Limit::NameBytes, 150, "bytes of a name"),
        // Of the first entry its path, and its attribute: 310 and 36 with keys and lengths.
        edge(Limit::ExtensionBytes, 310 + 36, "bytes of extension headers"),
        edge(Limit::XattrBytes, 9 + 9, "bytes of extended attributes"),
        edge(Limit::GlobalPathBytes, 10, "bytes of a global path or link target"),
        // "user.a", its value, and 16.
        edge(Limit::GlobalXattrBytes, 6 + 10 + 16, "bytes of global extended attributes"),
        // An empty one at the end tells the length.
        edge(Limit::SparseSegments, 3, "runs in a sparse map"),
        // Two attributes, each with 8 bytes for its lengths, and a block for each byte of the sparse file.
        edge(
            Limit::Carried,
            (8 + 9 + 9) + (8 + 6 + 10) + 2 * 512,
            "bytes of attributes, link targets, and sparse pieces off the 512-byte grid",
        ),
        // 8 bytes for each block of the sparse file; nothing of it is in the tar, so there is no device to count.
        edge(
            Limit::TableBytes,
            SPARSE / 512 * 8,
            "bytes of chunk tables, beyond an eighth of the data,",
        ),
        edge(Limit::MetadataBytes, bootstrap, "bytes of metadata"),
    ]
}
