//! What differs between two files of the same path.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use clap::ValueEnum;
use erofs_tarfs::io::Buffer;
use erofs_tarfs::tree::{Content, InodeId, NodeKind};

use super::compared::Compared;
use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::restore::stored;

/// A name in a sentence.
fn shown(name: &[u8]) -> String {
    quote::name(OsStr::from_bytes(name))
}

/// Bytes that are compared at a time.
const BUFFER: usize = 256 << 10;

/// What may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// The bytes of files, and the targets of links.
    Content,
    /// Permissions.
    Mode,
    /// User and group.
    Owner,
    /// The time of the last change.
    Mtime,
    /// Extended attributes.
    Xattrs,
    /// Which names are of one file.
    Links,
}

/// In which ways two files differ, a phrase each; `links` has which file of the first is which of the second.
pub(crate) fn differences(
    (left, one): (&Compared<'_>, InodeId),
    (right, other): (&Compared<'_>, InodeId),
    ignore: &[What],
    links: &mut HashMap<InodeId, InodeId>,
) -> Done<Vec<String>> {
    let (first, second) = (left.tree, right.tree);
    let (kind, now) = (first.kind(one), second.kind(other));
    if kind != now {
        return Ok(vec![format!("{kind} -> {now}")]);
    }
    let counts = |what: What| !ignore.contains(&what);
    let mut found = Vec::new();
    let (was, is) = (first.attributes(one), second.attributes(other));
    if counts(What::Mode) && was.mode != is.mode {
        found.push(format!("mode {:04o} -> {:04o}", was.mode, is.mode));
    }
    if counts(What::Owner) && (was.uid, was.gid) != (is.uid, is.gid) {
        found.push(format!("owner {}:{} -> {}:{}", was.uid, was.gid, is.uid, is.gid));
    }
    if counts(What::Mtime) && was.mtime != is.mtime {
        found.push(format!("mtime {} -> {}", was.mtime, is.mtime));
    }
    if counts(What::Xattrs) {
        let before: BTreeMap<&[u8], &[u8]> = first.xattrs(one).collect();
        let after: BTreeMap<&[u8], &[u8]> = second.xattrs(other).collect();
        let gone = before.keys().filter(|name| !after.contains_key(*name));
        found.extend(gone.map(|name| format!("xattr {} removed", shown(name))));
        for (name, value) in &after {
            match before.get(name) {
                None => found.push(format!("xattr {} added", shown(name))),
                Some(was) if was != value => found.push(format!("xattr {}", shown(name))),
                Some(_) => {}
            }
        }
        if first.is_opaque(one) != second.is_opaque(other) {
            found.push("opaque".to_owned());
        }
    }
    if counts(What::Links) && kind != NodeKind::Directory {
        let pair = *links.entry(one).or_insert(other);
        if pair != other || first.nlink(one) != second.nlink(other) {
            found.push(format!("links {} -> {}", first.nlink(one), second.nlink(other)));
        }
    }
    match (first.content(one), second.content(other)) {
        (Content::Device(was), Content::Device(is)) if was != is => {
            found.push(format!("device {},{} -> {},{}", was.major, was.minor, is.major, is.minor));
        }
        _ if !counts(What::Content) => {}
        (Content::Target(was), Content::Target(is)) if was != is => {
            found.push(format!("target {} -> {}", shown(was), shown(is)));
        }
        (Content::Regular { size: was, .. }, Content::Regular { size: is, .. }) if was != is => {
            found.push(format!("size {was} -> {is}"));
        }
        (Content::Regular { .. }, _) => {
            if let Some(at) = first_byte((left, one), (right, other))? {
                found.push(format!("content from byte {at}"));
            }
        }
        _ => {}
    }
    Ok(found)
}

/// The first byte in which two files of one length differ.
fn first_byte(
    (left, one): (&Compared<'_>, InodeId),
    (right, other): (&Compared<'_>, InodeId),
) -> Done<Option<u64>> {
    let (Some(first), Some(second)) = (left.tree.file(one), right.tree.file(other)) else {
        return Ok(None);
    };
    let (mut was, mut is) = (Buffer::new(BUFFER), Buffer::new(BUFFER));
    let mut at = 0;
    loop {
        let failed = |of: &Compared<'_>, id: InodeId, error: std::io::Error| {
            Fail::of(of.name, format_args!("{}: {error}", shown(&of.tree.path_of(id))))
        };
        let n = stored::read(&first, left.sources, at, &mut was)
            .map_err(|error| failed(left, one, error))?;
        stored::read(&second, right.sources, at, &mut is)
            .map_err(|error| failed(right, other, error))?;
        if n == 0 {
            return Ok(None);
        }
        let differs = was[..n].iter().zip(&is[..n]).position(|(was, is)| was != is);
        if let Some(differs) = differs {
            return Ok(Some(at + differs as u64));
        }
        at += n as u64;
    }
}
