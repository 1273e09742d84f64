//! Paths of a layer, resolved as an extraction into a fresh root would.

use super::builder::{Builder, IMPLIED_ATTRIBUTES, Node, What, XattrSet};
use super::error::{Error, Rule};
use super::model::{InodeId, NodeKind};
use alloc::vec::Vec;

/// Symbolic links that one path may lead through.
const MAX_SYMLINKS: usize = 255;
/// Components that symbolic links may put into one path: protects time.
const MAX_STEPS: usize = 1 << 14;

/// What a directory is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To put an entry there: missing directories are made, as implied ones.
    Make,
    /// To put a marker there: as `Make`, but symbolic links are not followed. A layer that has a
    /// link where a directory was may hold markers below it, for what the directory had; they must
    /// not hide what the link leads to.
    Mark,
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
/// as containerd does.
pub(super) fn directory(
    builder: &mut Builder,
    parts: &[&[u8]],
    way_of: Way,
) -> Result<InodeId, Stop> {
    let make = way_of != Way::Find;
    // The way from the root, for `..` in symbolic links.
    let mut way = alloc::vec![builder.root()];
    // Components still to go, the next one last. A symbolic link puts its own there.
    let mut todo: Vec<Vec<u8>> = Vec::new();
    let mut plain = parts.iter();
    let mut symlinks = 0;
    let mut steps = 0;
    loop {
        let owned;
        let part: &[u8] = match todo.pop() {
            Some(part) => {
                owned = part;
                &owned
            }
            None => match plain.next() {
                Some(part) => part,
                None => return Ok(way[way.len() - 1]),
            },
        };
        if part == b".." {
            if way.len() > 1 {
                way.pop();
            }
            continue;
        }
        let at = way[way.len() - 1];
        match builder.lookup(at, part).map(|id| (id, builder.kind(id))) {
            Some((id, NodeKind::Directory)) => way.push(id),
            Some((id, NodeKind::Symlink)) if way_of != Way::Mark => {
                symlinks += 1;
                if symlinks > MAX_SYMLINKS || steps > MAX_STEPS {
                    return Err(Rule::TooManySymlinks.into());
                }
                let inode = builder.tree.inodes[id.index()];
                let target = &builder.tree.bytes[inode.body as usize..][..inode.size as usize];
                if target.starts_with(b"/") {
                    way.truncate(1);
                }
                let parts = target.split(|byte| *byte == b'/');
                for step in parts.rev().filter(|step| !step.is_empty() && *step != b".") {
                    if step.len() > 255 {
                        return Err(Rule::NameTooLong(step.len()).into());
                    }
                    steps += 1;
                    todo.push(step.to_vec());
                }
            }
            Some((_, NodeKind::Whiteout)) | None if make => {
                let id = builder.add(Node {
                    attributes: IMPLIED_ATTRIBUTES,
                    xattrs: XattrSet::NONE,
                    what: What::Directory,
                })?;
                builder.mark_implied(id, true);
                builder.link(at, part, id)?;
                way.push(id);
            }
            Some((_, NodeKind::Whiteout)) | None => return Err(Stop::Missing),
            Some(_) => return Err(Rule::BelowNonDirectory.into()),
        }
    }
}
