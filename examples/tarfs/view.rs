//! Trees looked into: paths, listings, and files as streams.

use std::borrow::Borrow;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::io::verity::ReadAt;
use erofs_tarfs::tree::{self, Content, Extent, InodeId, NodeKind, Place, Tree};

use crate::fail::{Done, Fail};
use crate::quote;

/// The inode at a path; symbolic links are not followed.
pub(crate) fn lookup(tree: &Tree, path: &Path) -> Option<InodeId> {
    tree.lookup(path.as_os_str().as_bytes())
}

/// The inode at a path of the command line.
pub(crate) fn find(tree: &Tree, image: &Path, path: &OsStr) -> Done<InodeId> {
    let missing = || Fail::of(image, format_args!("has no {}", quote::name(path)));
    lookup(tree, Path::new(path)).ok_or_else(missing)
}

/// The target of a symbolic link.
pub(crate) fn link_target(tree: &Tree, id: InodeId) -> Option<&Path> {
    match (tree.kind(id), tree.content(id)) {
        (NodeKind::Symlink, Content::Target(target)) => Some(Path::new(OsStr::from_bytes(target))),
        _ => None,
    }
}

/// Type and permissions as `ls -l` has them; `W` for a whiteout, `L` for a pending hard link.
pub(crate) fn mode(kind: NodeKind, mode: u16) -> String {
    let mut text = String::from(match kind {
        NodeKind::Regular => '-',
        NodeKind::Directory => 'd',
        NodeKind::Symlink => 'l',
        NodeKind::CharDevice => 'c',
        NodeKind::BlockDevice => 'b',
        NodeKind::Fifo => 'p',
        NodeKind::Socket => 's',
        NodeKind::Whiteout => 'W',
        NodeKind::PendingLink => 'L',
    });
    for (shift, special, set, unset) in
        [(6, 0o4000, 's', 'S'), (3, 0o2000, 's', 'S'), (0, 0o1000, 't', 'T')]
    {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => set,
            (true, false) => unset,
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// A time as `YYYY-MM-DD HH:MM:SS.NNNNNNNNN`, in UTC.
pub(crate) fn time(secs: i64, nanos: u32) -> String {
    let (day, second) = (secs.div_euclid(86_400), secs.rem_euclid(86_400));
    // Days since 0000-03-01, in eras of 400 years (Howard Hinnant's civil_from_days).
    let days = i128::from(day) + 719_468;
    let (era, doe) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let date = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i128::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{date:02} {hour:02}:{minute:02}:{second:02}.{nanos:09}")
}

/// A regular file as a stream.
#[derive(Debug)]
pub(crate) struct Body<'a, S> {
    tree: &'a Tree,
    extents: Vec<Extent>,
    sources: S,
    next: usize,
    at: u64,
    size: u64,
}

impl<'a, S: Borrow<[NamedFile]>> Body<'a, S> {
    /// A file of a tree, whose devices are `sources`.
    pub(crate) fn new(tree: &'a Tree, id: InodeId, sources: S, image: &Path) -> Done<Self> {
        let Content::Regular { size, body } = tree.content(id) else {
            let path = tree.path_of(id);
            let path = quote::name(OsStr::from_bytes(&path));
            return Err(Fail::of(image, format_args!("{path} is not a file")));
        };
        let extents = match body {
            tree::Body::Contiguous(_) if size == 0 => Vec::new(),
            tree::Body::Contiguous(place) => vec![Extent { logical: 0, len: size, place }],
            tree::Body::Extents(extents) => extents.to_vec(),
        };
        Ok(Self { tree, extents, sources, next: 0, at: 0, size })
    }
}

impl<S: Borrow<[NamedFile]>> Read for Body<'_, S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let room =
            |until: u64| usize::try_from(until - self.at).unwrap_or(usize::MAX).min(buf.len());
        let extent = self.extents.get(self.next).filter(|extent| extent.logical <= self.at);
        let Some(extent) = extent else {
            let hole = self.extents.get(self.next).map_or(self.size, |extent| extent.logical);
            let n = room(hole);
            buf[..n].fill(0);
            self.at += n as u64;
            return Ok(n);
        };
        let n = room(extent.logical + extent.len);
        let within = self.at - extent.logical;
        match extent.place {
            Place::Device { device, offset } => {
                let base = self.tree.devices()[usize::from(device)].base_offset;
                let (file, from) =
                    (&self.sources.borrow()[usize::from(device)], base + offset + within);
                let read = ReadAt::read_exact_at(file, &mut buf[..n], from);
                read.map_err(|error| {
                    let name = quote::name(file.path());
                    let what = format!("{name} at offset {from}: {error}");
                    io::Error::new(error.kind(), what)
                })?;
            }
            Place::Carried(offset) => {
                buf[..n].copy_from_slice(self.tree.carried(offset + within, n as u64));
            }
        }
        self.at += n as u64;
        if self.at == extent.logical + extent.len {
            self.next += 1;
        }
        Ok(n)
    }
}
