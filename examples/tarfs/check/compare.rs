//! Two filesystems compared: names, attributes, links and every byte.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

use erofs_tarfs::io::Buffer;
use erofs_tarfs::tree::Content;

use crate::check::filesystem::{Filesystem, OfTree};
use crate::cli::quote;

/// More differences than this are not of interest.
const ENOUGH: usize = 100;

/// What tells a file from others in one of the two: see [`Filesystem::key`].
type Key = (usize, usize);

/// What differs between an image and what it should be.
pub(crate) struct Comparison<'a, R> {
    left: &'a OfTree<'a>,
    right: &'a R,
    /// Which file of the right is which of the left.
    pairs: HashMap<Key, Key>,
    problems: Vec<String>,
}

type Id<S> = <S as Filesystem>::Id;

/// Compares an image with what it should be.
pub(crate) fn problems<R: Filesystem>(image: &OfTree<'_>, expected: &R) -> Vec<String> {
    let mut this =
        Comparison { left: image, right: expected, pairs: HashMap::new(), problems: Vec::new() };
    let mut todo = vec![(image.root(), expected.root(), Vec::new())];
    while let Some((left, right, path)) = todo.pop() {
        if this.problems.len() >= ENOUGH {
            break;
        }
        this.pair(left, right, &path);
        this.names(left, right, &path, &mut todo);
    }
    this.problems
}

impl<R: Filesystem> Comparison<'_, R> {
    fn differs(&mut self, path: &[u8], what: impl std::fmt::Display) {
        let path = if path.is_empty() { b"/" } else { path };
        self.problems.push(format!("{}: {what}", quote::name(OsStr::from_bytes(path))));
    }

    /// Compares the names of two directories; what both have is to be compared.
    fn names(
        &mut self,
        left: Id<OfTree<'_>>,
        right: R::Id,
        path: &[u8],
        todo: &mut Vec<(Id<OfTree<'_>>, R::Id, Vec<u8>)>,
    ) {
        let child = |name: &[u8]| [path, b"/", name].concat();
        for (name, id) in self.left.names(left) {
            match self.right.child(right, name) {
                Some(other) => todo.push((id, other, child(name))),
                None => self.differs(&child(name), "is in the image, but not in the layers"),
            }
        }
        for (name, _) in self.right.names(right) {
            if self.left.child(left, name).is_none() {
                self.differs(&child(name), "is in the layers, but not in the image");
            }
        }
    }

    /// Compares two inodes, once.
    fn pair(&mut self, left: Id<OfTree<'_>>, right: R::Id, path: &[u8]) {
        let (one, two) = (self.left, self.right);
        let (key, other) = (one.key(left), two.key(right));
        if let Some(known) = self.pairs.get(&key) {
            if *known != other {
                self.differs(path, "is linked otherwise");
            }
            return;
        }
        self.pairs.insert(key, other);
        if one.kind(left) != two.kind(right) {
            let text = format!("is {:?}, not {:?}", one.kind(left), two.kind(right));
            return self.differs(path, text);
        }
        if one.attributes(left) != two.attributes(right) {
            let text = format!("has {:?}, not {:?}", one.attributes(left), two.attributes(right));
            self.differs(path, text);
        }
        if one.nlink(left) != two.nlink(right) {
            let text = format!("has {} links, not {}", one.nlink(left), two.nlink(right));
            self.differs(path, text);
        }
        if one.is_opaque(left) != two.is_opaque(right) {
            self.differs(path, "is opaque in one only");
        }
        if one.xattrs(left) != two.xattrs(right) {
            self.differs(path, "has other extended attributes");
        }
        let same = match (one.content(left), two.content(right)) {
            (Content::Regular { size, .. }, Content::Regular { size: other, .. }) => {
                if size == other { self.bytes(left, right) } else { Ok(false) }
            }
            (Content::Target(target), Content::Target(other)) => Ok(target == other),
            (Content::Device(number), Content::Device(other)) => Ok(number == other),
            _ => Ok(true),
        };
        match same {
            Ok(true) => {}
            Ok(false) => self.differs(path, "has other content"),
            Err(error) => self.differs(path, error),
        }
    }

    fn bytes(&self, left: Id<OfTree<'_>>, right: R::Id) -> Result<bool, String> {
        let mut one = self.left.body(left).map_err(|fail| fail.to_string())?;
        let mut two = self.right.body(right).map_err(|fail| fail.to_string())?;
        let (mut some, mut other) = (Buffer::new(64 << 10), Buffer::new(64 << 10));
        loop {
            let n = one.read(&mut some).map_err(|error| error.to_string())?;
            if n == 0 {
                return Ok(true);
            }
            two.read_exact(&mut other[..n]).map_err(|error| error.to_string())?;
            if some[..n] != other[..n] {
                return Ok(false);
            }
        }
    }
}
