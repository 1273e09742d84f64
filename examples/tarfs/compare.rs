//! Two trees compared: names, attributes, links and every byte.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::tree::{Content, InodeId, Tree};

use crate::quote;
use crate::view::Body;

/// More differences than this are not of interest.
const ENOUGH: usize = 100;

/// A tree and the files of its devices.
type Side<'a> = (&'a Tree, &'a [NamedFile]);

/// What differs.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    left: Side<'a>,
    right: Side<'a>,
    /// Which inode of the right is which of the left.
    pairs: HashMap<InodeId, InodeId>,
    pub(crate) problems: Vec<String>,
}

impl<'a> Comparison<'a> {
    /// Compares an image with what it should be.
    pub(crate) fn of(
        image: &'a Tree,
        sources: &'a [NamedFile],
        expected: &'a Tree,
        expected_sources: &'a [NamedFile],
    ) -> Self {
        let mut this = Self {
            left: (image, sources),
            right: (expected, expected_sources),
            pairs: HashMap::new(),
            problems: Vec::new(),
        };
        let mut todo = vec![(InodeId::ROOT, InodeId::ROOT, Vec::new())];
        while let Some((left, right, path)) = todo.pop() {
            if this.problems.len() >= ENOUGH {
                break;
            }
            this.pair(left, right, &path);
            this.names(left, right, &path, &mut todo);
        }
        this
    }

    fn differs(&mut self, path: &[u8], what: impl std::fmt::Display) {
        let path = if path.is_empty() { b"/" } else { path };
        self.problems.push(format!("{}: {what}", quote::name(OsStr::from_bytes(path))));
    }

    /// Compares the names of two directories; what both have is to be compared.
    fn names(
        &mut self,
        left: InodeId,
        right: InodeId,
        path: &[u8],
        todo: &mut Vec<(InodeId, InodeId, Vec<u8>)>,
    ) {
        let child = |name: &[u8]| [path, b"/", name].concat();
        for (name, id) in self.left.0.children(left) {
            match self.right.0.child(right, name) {
                Some(other) => todo.push((id, other, child(name))),
                None => self.differs(&child(name), "is in the image, but not in the layers"),
            }
        }
        for (name, _) in self.right.0.children(right) {
            if self.left.0.child(left, name).is_none() {
                self.differs(&child(name), "is in the layers, but not in the image");
            }
        }
    }

    /// Compares two inodes, once.
    fn pair(&mut self, left: InodeId, right: InodeId, path: &[u8]) {
        if let Some(known) = self.pairs.get(&left) {
            if *known != right {
                self.differs(path, "is linked otherwise");
            }
            return;
        }
        self.pairs.insert(left, right);
        let ((one, _), (two, _)) = (self.left, self.right);
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
        if !one.xattrs(left).eq(two.xattrs(right)) {
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

    fn bytes(&self, left: InodeId, right: InodeId) -> Result<bool, String> {
        let open = |side: Side<'a>, id| {
            let body = Body::new(side.0, id, side.1, Path::new("image"));
            body.map_err(|fail| fail.to_string())
        };
        let (mut one, mut two) = (open(self.left, left)?, open(self.right, right)?);
        let (mut some, mut other) = (vec![0; 64 << 10], vec![0; 64 << 10]);
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
