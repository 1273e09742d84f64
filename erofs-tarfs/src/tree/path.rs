//! Paths of a layer, resolved as an extraction into a fresh root would.

#![expect(
    clippy::indexing_slicing,
    reason = "an inode, a link or a range of them is an index of the arena that made it, where nothing is taken away"
)]

use super::builder::{Builder, IMPLIED_ATTRIBUTES, Node, What, XattrSet};
use super::error::{Error, Rule};
use super::inode::{InodeId, NodeKind};
use crate::limits::{Limit, Limits, OverLimit};
use alloc::borrow::Cow;
use alloc::vec::Vec;

/// Symbolic links that one path may lead through.
const MAX_SYMLINKS: usize = 255;
/// Components that symbolic links may put into one path: protects time.
const MAX_STEPS: usize = 1 << 14;

/// Why a directory is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way<'a> {
    /// To put an entry there: missing directories are made, as implied ones, within the limits. So many were made
    /// before, of which those that come with entries count for nothing.
    Make { before: u64, with_entries: u64, limits: &'a Limits },
    /// To find what is there.
    Find,
}

/// What stops a path.
#[derive(Debug)]
pub(super) enum Stop {
    Rule(Rule),
    Error(Error),
    /// A directory on the way is missing, and none was to be made.
    Missing,
}

impl From<Rule> for Stop {
    fn from(rule: Rule) -> Self {
        Self::Rule(rule)
    }
}

impl From<OverLimit> for Stop {
    fn from(over: OverLimit) -> Self {
        Self::Rule(over.into())
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// The components of a path: no empty ones, no `.`; `..` refused, or resolved inside the root.
pub(super) fn components(path: &[u8], resolve: bool) -> Result<Vec<&[u8]>, Rule> {
    let mut parts = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." if resolve => {
                parts.pop();
            }
            b".." => return Err(Rule::DotDot),
            _ if part.len() > 255 => return Err(Rule::NameTooLong(part.len())),
            _ => parts.push(part),
        }
    }
    Ok(parts)
}

/// The directory that components lead to, symbolic links of the layer followed inside the root,
/// as containerd does: `..` behind a name that is not there leads back, and the name is not made.
pub(super) fn directory(
    builder: &mut Builder,
    parts: &[&[u8]],
    way_of: Way<'_>,
) -> Result<InodeId, Stop> {
    let mut walk = Walk::new(builder.root(), parts);
    walk.finish(builder)?;
    let missing = walk.way.iter().filter(|(id, _)| id.is_none()).count() as u64;
    match way_of {
        Way::Find if missing > 0 => return Err(Stop::Missing),
        Way::Find => {}
        Way::Make { before, with_entries, limits } => {
            // With the root, which has no name, they are as many as the names with the entry's own.
            limits.check(Limit::Depth, walk.way.len() as u64)?;
            let beyond = before.saturating_add(missing).saturating_sub(with_entries);
            limits.check(Limit::Implied, beyond)?;
        }
    }
    let mut at = builder.root();
    for (id, name) in walk.way.into_iter().skip(1) {
        at = match id {
            Some(id) => id,
            None => {
                let id = builder.add(Node {
                    attributes: IMPLIED_ATTRIBUTES,
                    xattrs: XattrSet::NONE,
                    what: What::Directory,
                })?;
                builder.mark_implied(id, true);
                builder.link(at, &name, id)?;
                id
            }
        };
    }
    Ok(at)
}

/// The path that components lead to once symbolic links on the way are followed inside the root:
/// none of it needs to be there.
pub(super) fn followed(builder: &mut Builder, parts: &[&[u8]]) -> Result<Vec<Vec<u8>>, Stop> {
    let mut walk = Walk::new(builder.root(), parts);
    walk.finish(builder)?;
    Ok(walk.way.into_iter().skip(1).map(|(_, name)| name.into_owned()).collect())
}

/// A walk down a path, from the root.
struct Walk<'p> {
    /// The directories from the root to here, where they are there, and their names: for `..` in
    /// symbolic links.
    way: Vec<(Option<InodeId>, Cow<'p, [u8]>)>,
    /// Components still to go, the next one last, that symbolic links have put there.
    todo: Vec<Vec<u8>>,
    plain: core::slice::Iter<'p, &'p [u8]>,
    symlinks: usize,
    steps: usize,
}

/// What a component leads to.
enum Step {
    /// A symbolic link: its components are to be walked.
    Done,
    Into(InodeId),
    Missing,
}

impl<'p> Walk<'p> {
    fn new(root: InodeId, parts: &'p [&'p [u8]]) -> Self {
        let way = alloc::vec![(Some(root), Cow::Borrowed(&b""[..]))];
        Self { way, todo: Vec::new(), plain: parts.iter(), symlinks: 0, steps: 0 }
    }

    /// Goes all the way.
    fn finish(&mut self, builder: &mut Builder) -> Result<(), Stop> {
        while let Some(part) = self.next() {
            let id = match self.at().map(|at| self.step(builder, at, &part)).transpose()? {
                Some(Step::Done) => continue,
                Some(Step::Into(id)) => Some(id),
                Some(Step::Missing) | None => None,
            };
            self.way.push((id, part));
        }
        Ok(())
    }

    /// Where the walk is; `None` where nothing is.
    fn at(&self) -> Option<InodeId> {
        self.way.last().and_then(|(id, _)| *id)
    }

    /// The next component that is a name.
    fn next(&mut self) -> Option<Cow<'p, [u8]>> {
        loop {
            let part = match self.todo.pop() {
                Some(part) => Cow::Owned(part),
                None => Cow::Borrowed(*self.plain.next()?),
            };
            if *part != b".."[..] {
                return Some(part);
            }
            if self.way.len() > 1 {
                self.way.pop();
            }
        }
    }

    /// Looks a name up in the directory `at`, and follows it where it is a symbolic link.
    fn step(&mut self, builder: &mut Builder, at: InodeId, part: &[u8]) -> Result<Step, Stop> {
        let id = match builder.lookup(at, part).map(|id| (id, builder.kind(id))) {
            Some((id, NodeKind::Directory)) => return Ok(Step::Into(id)),
            Some((id, NodeKind::Symlink)) => id,
            Some((_, NodeKind::Whiteout)) | None => return Ok(Step::Missing),
            Some(_) => return Err(Rule::BelowNonDirectory.into()),
        };
        self.symlinks = self.symlinks.saturating_add(1);
        if self.symlinks > MAX_SYMLINKS || self.steps > MAX_STEPS {
            return Err(Rule::TooManySymlinks.into());
        }
        let inode = builder.tree.inodes[id.index()];
        let target = &builder.tree.bytes[inode.body as usize..][..inode.size as usize];
        if target.starts_with(b"/") {
            self.way.truncate(1);
        }
        let parts = target.split(|byte| *byte == b'/');
        for step in parts.rev().filter(|step| !step.is_empty() && *step != b".") {
            if step.len() > 255 {
                return Err(Rule::NameTooLong(step.len()).into());
            }
            self.steps = self.steps.saturating_add(1);
            self.todo.push(step.to_vec());
        }
        Ok(Step::Done)
    }
}
