//! Trees: layers, and layers merged.
#![allow(unsafe_code, reason = "exports symbols")]

use alloc::ffi::CString;
use alloc::sync::Arc;
use core::ffi::{c_char, c_void};

use erofs_tarfs::tree::{self, InodeId, MergeOptions, Note};

use crate::device::{self, TarfsDevice};
use crate::error::Error;
use crate::panic::boundary;
use crate::pointer;
use crate::sized::{self, Sized};

/// A filesystem tree: one layer, or layers merged. It does not change: any number of threads may
/// use it.
#[derive(Debug)]
pub struct Tree(pub(crate) Arc<tree::Tree>);

impl Tree {
    pub(crate) fn new(tree: tree::Tree) -> Self {
        Self(Arc::new(tree))
    }

    /// The inode at an index from C.
    pub(crate) fn inode(&self, index: u32) -> Result<InodeId, Error> {
        self.0.inode(index).ok_or_else(|| {
            Error::not_found(format!("inode {index}: there are {}", self.0.inode_count()))
        })
    }
}

/// How layers are merged.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsMergeOptions {
    /// sizeof(tarfs_merge_options).
    pub size: usize,
    /// Not 0: keep devices that no file refers to any more, whatever layer has them.
    pub keep_devices: u32,
    /// TARFS_MERGE_ flags.
    pub flags: u32,
    /// Told where the merge decides what not every reader of layers does; NULL for nobody.
    pub note: NoteFn,
    /// Passed to note.
    pub note_ctx: *mut c_void,
}

/// Take devices for one whose tags are the same SHA-256, as 64 hex digits, and whose lengths are the
/// same: the caller has checked that the files have these digests. Without it only digests that the
/// library has computed, or TARFS_LAYER_TAG_CHECKED, or one tree given twice, make two devices one.
pub const TARFS_MERGE_TRUST_TAGS: u32 = 1;
/// Where a layer has something below a path that a lower layer has as a symbolic link, follow the
/// link, as what extracts layers one over the other does. Without it a directory takes the link's
/// place, as overlayfs shows it.
pub const TARFS_MERGE_FOLLOW_LOWER_LINKS: u32 = 2;

/// A directory takes the place of a lower layer's symbolic link.
pub const TARFS_NOTE_LINK_REPLACED: u32 = 1;
/// A directory that a layer does not list takes the place of a lower layer's file.
pub const TARFS_NOTE_FILE_REPLACED: u32 = 2;
/// A layer lists one directory by two paths, with other attributes.
pub const TARFS_NOTE_LISTED_TWICE: u32 = 3;

/// Told of a note: its kind, TARFS_NOTE_; the layer's number from 0; the path, which is not
/// NUL-terminated; and the whole as a sentence, which is. All end with the call.
pub type NoteFn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        kind: u32,
        layer: usize,
        path: *const u8,
        path_len: usize,
        text: *const c_char,
    ),
>;

/// Totals of a tree.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsTreeInfo {
    /// sizeof(tarfs_tree_info).
    pub size: usize,
    /// Inodes; their numbers count from 0, which is the root.
    pub inodes: u64,
    /// Names in all directories.
    pub names: u64,
    /// Devices: the files that hold bodies.
    pub devices: u64,
}

// SAFETY: integers and pointers, the size first; a callback that is NULL is None.
unsafe impl Sized for TarfsMergeOptions {}
// SAFETY: as above.
unsafe impl Sized for TarfsTreeInfo {}

/// Merges layers under the OCI whiteout rules.
///
/// @param layers Trees, the lowest first; they may be freed afterwards.
/// @param count How many: at least 1.
/// @param options NULL for defaults.
/// @param merged Receives the tree, ended with tarfs_tree_free. Its devices are those of the layers
///        that still have data in it, in layer order; those that are shown to have the same bytes are
///        one. Which file each is, tarfs_device.origin_layer tells, not its tag.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_tree_merge(
    layers: *const *const Tree,
    count: usize,
    options: *const TarfsMergeOptions,
    merged: *mut *mut Tree,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(merged, "merged")?;
            let layers = pointer::array(layers, count, "layers")?;
            if layers.is_empty() {
                return Err(Error::argument("layers: none"));
            }
            let layers: Result<Vec<&tree::Tree>, Error> =
                layers.iter().map(|&layer| Ok(&*pointer::borrow(layer, "a layer")?.0)).collect();
            let given = sized::read(options, "options")?;
            let mut options = MergeOptions::default();
            options.keep_devices = given.keep_devices != 0;
            if given.flags & !(TARFS_MERGE_TRUST_TAGS | TARFS_MERGE_FOLLOW_LOWER_LINKS) != 0 {
                return Err(Error::argument(format!("flags {:#x}: not known", given.flags)));
            }
            options.trust_tags = given.flags & TARFS_MERGE_TRUST_TAGS != 0;
            options.follow_lower_links = given.flags & TARFS_MERGE_FOLLOW_LOWER_LINKS != 0;
            // SAFETY: the caller says what the callback may be called with.
            let mut note = |note: Note| tell(&given, &note);
            let tree = tree::merge_noting(&layers?, &options, &mut note)?;
            pointer::put(merged, pointer::give(Tree::new(tree)));
            Ok(())
        })
    }
}

/// Tells the caller of a note.
///
/// # Safety
///
/// The callback is as the header says.
unsafe fn tell(options: &TarfsMergeOptions, note: &Note) {
    let Some(callback) = options.note else { return };
    let (kind, layer, path) = match note {
        Note::LinkReplaced { layer, path, .. } => (TARFS_NOTE_LINK_REPLACED, *layer, path),
        Note::FileReplaced { layer, path } => (TARFS_NOTE_FILE_REPLACED, *layer, path),
        Note::ListedTwice { layer, path } => (TARFS_NOTE_LISTED_TWICE, *layer, path),
        // One that this header does not know yet.
        _ => return,
    };
    let text = CString::new(note.to_string()).unwrap_or_default();
    // SAFETY: the path and the text live through the call.
    unsafe { callback(options.note_ctx, kind, layer, path.as_ptr(), path.len(), text.as_ptr()) }
}

/// Totals of a tree.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_tree_get_info(
    tree: *const Tree,
    info: *mut TarfsTreeInfo,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let tree = &pointer::borrow(tree, "tree")?.0;
            let answer = TarfsTreeInfo {
                size: 0,
                inodes: tree.inode_count() as u64,
                names: tree.name_count() as u64,
                devices: tree.devices().len() as u64,
            };
            sized::write(info, answer, "info")
        })
    }
}

/// A device of a tree: a file that holds bodies.
///
/// @param index From 0 on, in layer order.
/// @param device Receives it; its tag lives as long as the tree. Addresses in images are not known
///        yet and 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_tree_get_device(
    tree: *const Tree,
    index: usize,
    device: *mut TarfsDevice,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let tree = &pointer::borrow(tree, "tree")?.0;
            let found = tree.devices().get(index);
            let found = found.ok_or_else(|| device::none(index, tree.devices().len()))?;
            let origin = tree.origins().get(index);
            let answer = TarfsDevice {
                origin_layer: origin.map_or(0, |origin| origin.layer as u64),
                origin_device: origin.map_or(0, |origin| origin.device as u64),
                tag: found.tag.as_ptr(),
                tag_len: found.tag.len(),
                bytes: found.bytes,
                base_offset: found.base_offset,
                ..TarfsDevice::EMPTY
            };
            sized::write(device, answer, "device")
        })
    }
}

/// Frees a tree. Layouts made of it live on.
///
/// @param tree A tree that is not used afterwards, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_tree_free(tree: *mut Tree) {
    // SAFETY: the caller passes NULL or a tree of this library, once.
    unsafe { pointer::free(tree) }
}
