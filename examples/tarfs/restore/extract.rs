//! The files of an image in a directory, with all that EROFS has of them.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use erofs_tarfs::io::{Buffer, NamedFile};
use erofs_tarfs::tree::{Content, InodeId, NodeKind, Tree};
use rustix::fs::{FileType, Mode, ftruncate, makedev};
use rustix::io::{Errno, pwrite};

use super::attributes::{Named, Restoring};
use super::directory;
use super::links::Links;
use super::missing::{Missing, Of};
use super::stored;
use super::visit::{Step, Visit};
use super::wanted::Wanted;
use super::way::Way;
use crate::cli::fail::{Done, Fail};

/// Bytes that are copied at a time.
const BUFFER: usize = 1 << 20;

/// What was extracted.
#[derive(Debug)]
pub(crate) struct Extracted {
    /// Names that were made, the root not counted.
    pub(crate) names: u64,
    /// Bytes that were written.
    pub(crate) bytes: u64,
    pub(crate) missing: Missing,
}

/// An extraction on its way.
struct Extraction<'a> {
    tree: &'a Tree,
    sources: &'a [NamedFile],
    root: BorrowedFd<'a>,
    restoring: Restoring,
    links: Links<'a>,
    buffer: Buffer,
    bytes: u64,
}

/// Puts the wanted part of a tree into a directory. `told` hears of each path.
pub(crate) fn all(
    (tree, sources): (&Tree, &[NamedFile]),
    wanted: &Wanted,
    (root, place): (BorrowedFd<'_>, &Path),
    owners: bool,
    mut told: impl FnMut(&[u8]),
) -> Done<Extracted> {
    let restoring = Restoring { owners, missing: Missing::default() };
    let mut it = Extraction {
        tree,
        sources,
        root,
        restoring,
        links: Links::below(root),
        buffer: Buffer::new(BUFFER),
        bytes: 0,
    };
    let (mut names, mut visit) = (0, Visit::new(tree, wanted));
    let mut way = Way::from(root);
    while let Some(step) = visit.next() {
        let path = visit.path();
        let done = match step {
            Step::Name { name, id } => {
                if !path.is_empty() {
                    names += 1;
                    told(path);
                }
                it.name(&mut way, name, path, id)
            }
            // What is in a directory changes its time: so it is set last.
            Step::End { id } => {
                if path.is_empty() {
                    it.links.done();
                }
                // Parts of an image may go to a directory that is somebody's: it keeps its own mode and owner.
                let kept = path.is_empty() && !wanted.is_all();
                let set = |fd| match kept {
                    true => Ok(()),
                    false => it.restoring.open(&fd, tree, id, path),
                };
                way.pop(path).and_then(set).map_err(io::Error::from)
            }
        };
        done.map_err(|error| {
            let shown = place.join(OsStr::from_bytes(path));
            Fail::of(shown, format_args!("cannot be extracted: {error}"))
        })?;
    }
    Ok(Extracted { names, bytes: it.bytes, missing: it.restoring.missing })
}

impl Extraction<'_> {
    fn name(&mut self, way: &mut Way<'_>, name: &[u8], path: &[u8], id: InodeId) -> io::Result<()> {
        if way.is_empty() {
            way.push(directory::open_directory(self.root, b".")?);
            return Ok(());
        }
        let above = path.len().saturating_sub(name.len());
        let parent = way.lowest(&path[..above])?;
        let tree = self.tree;
        if tree.kind(id) == NodeKind::Directory {
            let fd = directory::directory(parent, name)?;
            way.push(fd);
            return Ok(());
        }
        let parent = parent.as_fd();
        if self.links.knows(id) {
            return Ok(self.links.link(id, parent, name)?);
        }
        let made = match tree.kind(id) {
            NodeKind::Regular => self.regular(parent, name, path, id).map(|()| true)?,
            _ => self.other(&Named { parent, name }, path, id)?,
        };
        if made && tree.nlink(id) > 1 {
            self.links.remember(id, path, parent, name)?;
        }
        Ok(())
    }

    /// A regular file, its holes left as such.
    fn regular(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &[u8],
        path: &[u8],
        id: InodeId,
    ) -> io::Result<()> {
        let Some(file) = self.tree.file(id) else { return Ok(()) };
        let out = directory::file(parent, name)?;
        for (mut offset, mut left) in stored::runs(&file) {
            while left > 0 {
                let most = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
                let done = stored::read(&file, self.sources, offset, &mut self.buffer[..most])?;
                if done == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                let done = pwrite(&out, &self.buffer[..done], offset)?;
                (offset, left) = (offset + done as u64, left - done as u64);
                self.bytes += done as u64;
            }
        }
        ftruncate(&out, file.size())?;
        Ok(self.restoring.open(&out, self.tree, id, path)?)
    }

    /// All but directories and regular files. Answers whether it was made.
    fn other(&mut self, at: &Named<'_>, path: &[u8], id: InodeId) -> io::Result<bool> {
        let tree = self.tree;
        let mut mode = Mode::from_raw_mode(tree.attributes(id).mode.into());
        if !self.restoring.owners {
            mode -= Mode::SUID | Mode::SGID;
        }
        let number = match tree.content(id) {
            Content::Device(number) => makedev(number.major, number.minor),
            _ => 0,
        };
        let kind = match tree.kind(id) {
            NodeKind::CharDevice | NodeKind::Whiteout => FileType::CharacterDevice,
            NodeKind::BlockDevice => FileType::BlockDevice,
            NodeKind::Fifo => FileType::Fifo,
            NodeKind::Socket => FileType::Socket,
            NodeKind::PendingLink => {
                self.restoring.missing.count(Of::Link, path);
                return Ok(false);
            }
            _ => {
                let Content::Target(target) = tree.content(id) else { return Ok(false) };
                directory::symlink(at.parent, at.name, target)?;
                self.restoring.named(at, tree, id, path)?;
                return Ok(true);
            }
        };
        match directory::node(at.parent, at.name, kind, mode, number) {
            Err(Errno::PERM) => {
                self.restoring.missing.count(Of::Device, path);
                Ok(false)
            }
            done => {
                done?;
                self.restoring.named(at, tree, id, path)?;
                Ok(true)
            }
        }
    }
}
