//! What differs between two trees, line by line.

use std::collections::BTreeSet;
use std::fmt::Debug;

use super::{Kind, Node, Show, Tree};

/// What a comparison passes over.
#[derive(Clone, Debug, Default)]
pub struct Ignore {
    dir_nlink: bool,
    nlink: bool,
    mtime_nanos: bool,
    content: bool,
    attributes_of: BTreeSet<Vec<u8>>,
    xattrs: Vec<Vec<u8>>,
}

impl Ignore {
    /// Nothing: all must be equal.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// The link counts of directories: overlayfs has 1 for them, other filesystems count.
    #[must_use]
    pub fn dir_nlink(mut self) -> Self {
        self.dir_nlink = true;
        self
    }

    /// All link counts.
    #[must_use]
    pub fn nlink(mut self) -> Self {
        self.nlink = true;
        self
    }

    /// The nanoseconds of modification times.
    #[must_use]
    pub fn mtime_nanos(mut self) -> Self {
        self.mtime_nanos = true;
        self
    }

    /// The hashes of the content, for when one side was dumped without.
    #[must_use]
    pub fn content(mut self) -> Self {
        self.content = true;
        self
    }

    /// Mode, owner, time and xattrs of these paths; that they are there, and their type, must agree.
    #[must_use]
    pub fn attributes_of(mut self, paths: impl IntoIterator<Item = Vec<u8>>) -> Self {
        self.attributes_of.extend(paths);
        self
    }

    /// Extended attributes whose full name starts with this.
    #[must_use]
    pub fn xattrs(mut self, prefix: impl AsRef<[u8]>) -> Self {
        self.xattrs.push(prefix.as_ref().to_vec());
        self
    }
}

/// The differences, one a line; none when the trees are equal but for what is ignored.
#[must_use]
pub fn diff(left: &Tree, right: &Tree, ignore: &Ignore) -> Vec<String> {
    let paths: BTreeSet<_> = left.0.keys().chain(right.0.keys()).collect();
    let mut lines = Vec::new();
    for path in paths {
        match (left.0.get(path), right.0.get(path)) {
            (Some(node), None) => {
                lines.push(format!("- {}: only on the left, {:?}", Show(path), node.kind))
            }
            (None, Some(node)) => {
                lines.push(format!("+ {}: only on the right, {:?}", Show(path), node.kind))
            }
            (Some(a), Some(b)) if a.kind != b.kind => {
                lines.push(format!("~ {}: type {:?} and {:?}", Show(path), a.kind, b.kind));
            }
            (Some(a), Some(b)) => compare(path, a, b, ignore, &mut lines),
            (None, None) => unreachable!("the path is from one of them"),
        }
    }
    lines
}

fn compare(path: &[u8], a: &Node, b: &Node, ignore: &Ignore, lines: &mut Vec<String>) {
    let mut field = |name: &str, a: &dyn Debug, b: &dyn Debug| {
        let (a, b) = (format!("{a:?}"), format!("{b:?}"));
        if a != b {
            lines.push(format!("~ {}: {name} {a} and {b}", Show(path)));
        }
    };
    if !ignore.attributes_of.contains(path) {
        field("mode", &format_args!("{:04o}", a.mode), &format_args!("{:04o}", b.mode));
        field("uid", &a.uid, &b.uid);
        field("gid", &a.gid, &b.gid);
        let nanos = |node: &Node| if ignore.mtime_nanos { 0 } else { node.mtime.1 };
        field(
            "mtime",
            &format_args!("{}.{:09}", a.mtime.0, nanos(a)),
            &format_args!("{}.{:09}", b.mtime.0, nanos(b)),
        );
        let keys: BTreeSet<_> = a.xattrs.keys().chain(b.xattrs.keys()).collect();
        for key in
            keys.into_iter().filter(|key| !ignore.xattrs.iter().any(|skip| key.starts_with(skip)))
        {
            let value =
                |node: &Node| node.xattrs.get(key).map(|value| value.escape_ascii().to_string());
            field(&format!("xattr {}", Show(key)), &value(a), &value(b));
        }
    }
    field("size", &a.size, &b.size);
    field("rdev", &a.rdev, &b.rdev);
    field("target", &a.target.as_deref().map(Show), &b.target.as_deref().map(Show));
    if !ignore.content {
        field("sha256", &a.sha256.map(hex), &b.sha256.map(hex));
    }
    field("hard link of", &Show(&a.link), &Show(&b.link));
    let skip = ignore.nlink || (ignore.dir_nlink && a.kind == Kind::Dir);
    if !skip {
        field("nlink", &a.nlink, &b.nlink);
    }
}

fn hex(digest: [u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
