//! Two trees side by side, name by name in byte order.

use std::cmp::Ordering;
use std::collections::HashMap;

use erofs_tarfs::tree::{InodeId, NodeKind};
use serde::Serialize;

use super::compared::Compared;
use super::inodes::{self, What};
use crate::cli::fail::Done;

/// What became of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Change {
    Added,
    Removed,
    Changed,
}

impl Change {
    pub(crate) fn letter(self) -> char {
        match self {
            Self::Added => 'A',
            Self::Removed => 'D',
            Self::Changed => 'C',
        }
    }
}

/// Directories that are gone through together; one of them where the other tree has none.
struct Pair {
    left: Option<(InodeId, usize)>,
    right: Option<(InodeId, usize)>,
    /// How long their path is.
    len: usize,
}

/// Tells of each path that differs, a directory before what is in it.
pub(crate) fn all(
    left: &Compared<'_>,
    right: &Compared<'_>,
    ignore: &[What],
    mut tell: impl FnMut(&[u8], Change, Vec<String>) -> Done,
) -> Done {
    let mut links = HashMap::new();
    let mut path = Vec::new();
    let root = InodeId::ROOT;
    let what = inodes::differences((left, root), (right, root), ignore, &mut links)?;
    if !what.is_empty() {
        tell(&path, Change::Changed, what)?;
    }
    let mut open = vec![Pair { left: Some((root, 0)), right: Some((root, 0)), len: 0 }];
    while let Some(pair) = open.last_mut() {
        path.truncate(pair.len);
        let next = |of: &Compared<'_>, at: Option<(InodeId, usize)>| {
            of.tree.nth_child(at?.0, at?.1).map(|(name, id)| (name.to_vec(), id))
        };
        let (one, other) = (next(left, pair.left), next(right, pair.right));
        let order = match (&one, &other) {
            (None, None) => {
                open.pop();
                continue;
            }
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((one, _)), Some((other, _))) => one.cmp(other),
        };
        let one = one.filter(|_| order != Ordering::Greater);
        let other = other.filter(|_| order != Ordering::Less);
        let step = |at: &mut Option<(InodeId, usize)>| at.iter_mut().for_each(|at| at.1 += 1);
        if one.is_some() {
            step(&mut pair.left);
        }
        if other.is_some() {
            step(&mut pair.right);
        }
        let name = one.as_ref().or(other.as_ref()).map_or(&b""[..], |(name, _)| name);
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        let (one, other) = (one.map(|(_, id)| id), other.map(|(_, id)| id));
        match (one, other) {
            (Some(one), Some(other)) => {
                let what = inodes::differences((left, one), (right, other), ignore, &mut links)?;
                if !what.is_empty() {
                    tell(&path, Change::Changed, what)?;
                }
            }
            (Some(_), None) => tell(&path, Change::Removed, Vec::new())?,
            _ => tell(&path, Change::Added, Vec::new())?,
        }
        let into = |of: &Compared<'_>, id: Option<InodeId>| {
            id.filter(|id| of.tree.kind(*id) == NodeKind::Directory).map(|id| (id, 0))
        };
        let below = Pair { left: into(left, one), right: into(right, other), len: path.len() };
        if below.left.is_some() || below.right.is_some() {
            open.push(below);
        }
    }
    Ok(())
}
