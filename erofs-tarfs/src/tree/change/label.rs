//! Labels of SELinux, by path.

#![expect(
    clippy::indexing_slicing,
    reason = "an inode, a link or a range of them is an index of the arena that made it, where nothing is taken away"
)]

use crate::tree::access::Access;
use crate::tree::error::Error;
use crate::tree::inode::NodeKind;
use crate::tree::model::{Tree, XattrIter};
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

/// The attribute that holds them.
const SELINUX: &[u8] = b"security.selinux";
/// The longest value of an attribute, and the most that the attributes of an inode take.
const VALUE: usize = 65535;

/// The label of a path and a type.
type Chosen<'c> = dyn FnMut(&[u8], NodeKind) -> Option<Vec<u8>> + 'c;

/// Gives files the labels that `chosen` says, in place of those that they have: the value of
/// `security.selinux`, as `mkfs.erofs --file-contexts` writes it, without a NUL behind it. What it says nothing
/// of keeps the label that it has.
///
/// It is asked of every inode once, by its path, from the root on with `/` between names (the root's is empty),
/// and its type. A file with several names is asked of by the first of them: in byte order of names, a directory
/// before what is in it. Whiteouts and hard links that wait for a lower layer are not asked of, as they are no files.
///
/// ```
/// use erofs_tarfs::tree::label;
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let mut tree = layer_of(&[("etc/motd", "hello\n")]);
/// let etc = b"system_u:object_r:etc_t:s0";
/// label(&mut tree, &mut |path, _| path.starts_with(b"etc").then(|| etc.to_vec()))?;
/// let motd = tree.lookup(b"etc/motd").expect("it is there");
/// assert_eq!(tree.xattrs(motd).next(), Some((&b"security.selinux"[..], &etc[..])));
/// # Ok::<(), erofs_tarfs::tree::Error>(())
/// ```
///
/// # Errors
/// [`Error::Label`] for a label that is empty or over 65535 bytes long, [`Error::TooMany`] past 2^32 different sets
/// of attributes.
pub fn label(tree: &mut Tree, chosen: &mut Chosen<'_>) -> Result<(), Error> {
    let mut labels: Vec<(u32, Vec<u8>)> = Vec::new();
    let mut seen = vec![false; tree.inodes.len()];
    let mut walk = tree.walk();
    while let Some(found) = walk.next() {
        let seen = &mut seen[found.id.index()];
        let kind = tree.kind(found.id);
        let is_file = !matches!(kind, NodeKind::Whiteout | NodeKind::PendingLink);
        if core::mem::replace(seen, true) || !is_file {
            continue;
        }
        let Some(label) = chosen(walk.path(), kind) else { continue };
        if label.is_empty() || label.len() > VALUE {
            return Err(Error::Label { path: walk.path().to_vec(), bytes: label.len() });
        }
        labels.push((found.id.0, label));
    }
    // Inodes of one label that were alike are alike afterwards.
    let mut made: BTreeMap<(u32, Vec<u8>), u32> = BTreeMap::new();
    for (inode, label) in labels {
        let old = tree.inodes[inode as usize].access;
        let key = (old, label);
        let new = match made.get(&key) {
            Some(new) => *new,
            None => {
                let access = tree.access[old as usize];
                let xattrs = with_label(tree, access.xattrs, &key.1)?;
                let new = u32::try_from(tree.access.len());
                let new = new.map_err(|_| Error::TooMany("sets of attributes"))?;
                tree.access.push(Access { xattrs, ..access });
                made.insert(key, new);
                new
            }
        };
        tree.inodes[inode as usize].access = new;
    }
    Ok(())
}

/// Adds a set of attributes: those of another, or none if that is 0, and a label.
fn with_label(tree: &mut Tree, old: u32, label: &[u8]) -> Result<u32, Error> {
    let others = match old.checked_sub(1) {
        Some(old) => tree.xattr_set(old),
        None => &[],
    };
    let mut list: Vec<(&[u8], &[u8])> =
        XattrIter::over(others).filter(|(name, _)| *name != SELINUX).collect();
    list.push((SELINUX, label));
    list.sort_unstable();
    let mut set = Vec::new();
    for (name, value) in list {
        // Both are below 2^32: they are parts of a set, or the label.
        set.extend_from_slice(&(name.len() as u32).to_le_bytes());
        set.extend_from_slice(&(value.len() as u32).to_le_bytes());
        set.extend_from_slice(name);
        set.extend_from_slice(value);
    }
    let count = u32::try_from(tree.xattr_sets.len()).ok().filter(|count| *count < u32::MAX - 1);
    let (Some(count), Ok(len)) = (count, u32::try_from(set.len())) else {
        return Err(Error::TooMany("xattr sets"));
    };
    tree.xattr_sets.push((tree.bytes.len() as u64, len));
    tree.bytes.extend_from_slice(&set);
    Ok(count.saturating_add(1))
}
