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
            let text = format!("is a {}, not a {}", one.kind(left), two.kind(right));
            return self.differs(path, text);
        }
        let (is, meant) = (one.attributes(left), two.attributes(right));
        if is.mode != meant.mode {
            self.differs(path, format_args!("has mode {:04o}, not {:04o}", is.mode, meant.mode));
        }
        if (is.uid, is.gid) != (meant.uid, meant.gid) {
            let text = format!("has owner {}:{}, not {}:{}", is.uid, is.gid, meant.uid, meant.gid);
            self.differs(path, text);
        }
        if is.mtime != meant.mtime {
            self.differs(path, format_args!("has mtime {}, not {}", is.mtime, meant.mtime));
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
        match (one.content(left), two.content(right)) {
            (Content::Regular { size, .. }, Content::Regular { size: other, .. }) => {
                if size != other {
                    return self.differs(path, format_args!("has {size} bytes, not {other}"));
                }
                match self.first_byte(left, right) {
                    Ok(None) => {}
                    Ok(Some(at)) => {
                        self.differs(path, format_args!("has other bytes from {at} on"))
                    }
                    Err(error) => self.differs(path, error),
                }
            }
            (Content::Target(target), Content::Target(other)) if target != other => {
                let [is, meant] = [target, other].map(|to| quote::name(OsStr::from_bytes(to)));
                self.differs(path, format_args!("leads to {is}, not {meant}"));
            }
            (Content::Device(number), Content::Device(other)) if number != other => {
                let text = format!(
                    "is device {},{}, not {},{}",
                    number.major, number.minor, other.major, other.minor
                );
                self.differs(path, text);
            }
            _ => {}
        }
    }

    /// The first byte in which two files of one length differ.
    fn first_byte(&self, left: Id<OfTree<'_>>, right: R::Id) -> Result<Option<u64>, String> {
        let mut one = self.left.body(left).map_err(|fail| fail.to_string())?;
        let mut two = self.right.body(right).map_err(|fail| fail.to_string())?;
        let (mut some, mut other) = (Buffer::new(64 << 10), Buffer::new(64 << 10));
        let mut at = 0;
        loop {
            let n = one.read(&mut some).map_err(|error| error.to_string())?;
            if n == 0 {
                return Ok(None);
            }
            two.read_exact(&mut other[..n]).map_err(|error| error.to_string())?;
            let differs = some[..n].iter().zip(&other[..n]).position(|(some, other)| some != other);
            if let Some(differs) = differs {
                return Ok(Some(at + differs as u64));
            }
            at += n as u64;
        }
    }
}
