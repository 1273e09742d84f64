//! What is in a tree: inodes, names, attributes.
#![allow(unsafe_code, reason = "exports symbols")]

use core::ptr;

use erofs_tarfs::tree::{self, Body, Content, InodeId, NodeKind};

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized::{self, Sized};
use crate::trees::tree::Tree;

/// An inode of a kind that no mode can say: a name that hides one of the lower layers.
pub const TARFS_WHITEOUT: u32 = 1;
/// A directory that hides what lower layers have in it.
pub const TARFS_OPAQUE: u32 = 2;
/// A directory that its tar never lists: it gives way to the attributes of a lower layer's.
pub const TARFS_IMPLIED: u32 = 4;
/// A hard link that waits for its target, a path in a lower layer, in link.
pub const TARFS_PENDING: u32 = 8;

/// An inode.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsStat {
    /// sizeof(tarfs_stat).
    pub size: usize,
    /// Type and permissions, as in struct stat: S_IFDIR and so on. A whiteout is a character
    /// device, a pending hard link has type 0.
    pub mode: u32,
    /// TARFS_WHITEOUT, TARFS_OPAQUE, TARFS_IMPLIED, TARFS_PENDING.
    pub flags: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Number of links.
    pub nlink: u32,
    /// Nanoseconds of mtime.
    pub mtime_nsec: u32,
    /// Seconds of mtime since 1970.
    pub mtime: i64,
    /// Length in bytes of a regular file or of a symbolic link's target, else 0.
    pub bytes: u64,
    /// Major number of a device file.
    pub rdev_major: u32,
    /// Minor number of a device file.
    pub rdev_minor: u32,
    /// Names in a directory.
    pub children: u64,
    /// Extended attributes.
    pub xattrs: u64,
    /// Extents of a regular file.
    pub extents: u64,
    /// Target of a symbolic or pending hard link, not NUL-terminated; lives as long as the tree.
    pub link: *const u8,
    /// Length of link.
    pub link_len: usize,
}

// SAFETY: integers and pointers, the size first.
unsafe impl Sized for TarfsStat {}

/// The type in a mode, and the flag of what no mode can say.
pub(crate) fn format(kind: NodeKind) -> (u32, u32) {
    match kind {
        NodeKind::Directory => (0o040_000, 0),
        NodeKind::Regular => (0o100_000, 0),
        NodeKind::Symlink => (0o120_000, 0),
        NodeKind::CharDevice => (0o020_000, 0),
        NodeKind::BlockDevice => (0o060_000, 0),
        NodeKind::Fifo => (0o010_000, 0),
        NodeKind::Socket => (0o140_000, 0),
        NodeKind::Whiteout => (0o020_000, TARFS_WHITEOUT),
        NodeKind::PendingLink => (0, TARFS_PENDING),
    }
}

fn stat(tree: &tree::Tree, id: InodeId) -> TarfsStat {
    let attributes = tree.attributes(id);
    let (format, mut flags) = format(tree.kind(id));
    if tree.is_opaque(id) {
        flags |= TARFS_OPAQUE;
    }
    if tree.is_implied(id) {
        flags |= TARFS_IMPLIED;
    }
    let mut stat = TarfsStat {
        size: 0,
        mode: format | u32::from(attributes.mode),
        flags,
        uid: attributes.uid,
        gid: attributes.gid,
        nlink: tree.nlink(id),
        mtime_nsec: attributes.mtime.nanos,
        mtime: attributes.mtime.secs,
        bytes: 0,
        rdev_major: 0,
        rdev_minor: 0,
        children: tree.children(id).len() as u64,
        xattrs: tree.xattrs(id).count() as u64,
        extents: 0,
        link: ptr::null(),
        link_len: 0,
    };
    match tree.content(id) {
        Content::Regular { size, body } => {
            stat.bytes = size;
            stat.extents = match body {
                Body::Contiguous(_) => (size > 0).into(),
                Body::Extents(extents) => extents.len() as u64,
            };
        }
        Content::Target(target) => {
            if tree.kind(id) == NodeKind::Symlink {
                stat.bytes = target.len() as u64;
            }
            (stat.link, stat.link_len) = (target.as_ptr(), target.len());
        }
        Content::Device(number) => {
            (stat.rdev_major, stat.rdev_minor) = (number.major, number.minor);
        }
        _ => {}
    }
    stat
}

/// Finds an inode by its path below the root: names with "/" between them. Symbolic links are not
/// followed.
///
/// @param path Not NUL-terminated; may be NULL if path_len is 0, which is the root.
/// @param inode Receives its number.
/// @return TARFS_STATUS_NOT_FOUND if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_tree_lookup(
    tree: *const Tree,
    path: *const u8,
    path_len: usize,
    inode: *mut u32,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let tree = &pointer::borrow(tree, "tree")?.0;
            let path = pointer::bytes(path, path_len, "path")?;
            let id = tree.lookup(path).ok_or_else(|| {
                Error::not_found(format!("{:?}: not in the tree", String::from_utf8_lossy(path)))
            })?;
            pointer::put(inode, id.index() as u32);
            Ok(())
        })
    }
}

/// Describes an inode.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_tree_get_stat(
    tree: *const Tree,
    inode: u32,
    stat: *mut TarfsStat,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let tree = pointer::borrow(tree, "tree")?;
            let id = tree.inode(inode)?;
            sized::write(stat, self::stat(&tree.0, id), "stat")
        })
    }
}

/// A name in a directory.
///
/// @param index From 0 on, in ascending byte order of the names; TARFS_STATUS_NOT_FOUND behind the
///        last.
/// @param name Receives the name, not NUL-terminated, which lives as long as the tree.
/// @param name_len Receives its length.
/// @param child Receives the number of its inode.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_tree_get_child(
    tree: *const Tree,
    directory: u32,
    index: usize,
    name: *mut *const u8,
    name_len: *mut usize,
    child: *mut u32,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let tree = pointer::borrow(tree, "tree")?;
            let found = tree.0.nth_child(tree.inode(directory)?, index);
            let (text, id) = found.ok_or_else(|| Error::not_found(format!("child {index}")))?;
            pointer::put(name, text.as_ptr());
            pointer::put(name_len, text.len());
            pointer::put(child, id.index() as u32);
            Ok(())
        })
    }
}

/// An extended attribute.
///
/// @param index From 0 on, in ascending byte order of the names; TARFS_STATUS_NOT_FOUND behind the
///        last.
/// @param name Receives the full name, such as "security.capability", not NUL-terminated; it and
///        the value live as long as the tree.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_tree_get_xattr(
    tree: *const Tree,
    inode: u32,
    index: usize,
    name: *mut *const u8,
    name_len: *mut usize,
    value: *mut *const u8,
    value_len: *mut usize,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let tree = pointer::borrow(tree, "tree")?;
            let found = tree.0.xattrs(tree.inode(inode)?).nth(index);
            let (key, bytes) = found.ok_or_else(|| Error::not_found(format!("xattr {index}")))?;
            pointer::put(name, key.as_ptr());
            pointer::put(name_len, key.len());
            pointer::put(value, bytes.as_ptr());
            pointer::put(value_len, bytes.len());
            Ok(())
        })
    }
}
