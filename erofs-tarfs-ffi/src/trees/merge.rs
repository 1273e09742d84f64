//! Layers merged.
#![allow(unsafe_code, reason = "exports symbols")]

use alloc::ffi::CString;
use core::ffi::{c_char, c_void};

use erofs_tarfs::limits::Limits;
use erofs_tarfs::tree::{self, MergeOptions, Note};

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized::{self, Sized};
use crate::trees::limits::TarfsLimits;
use crate::trees::tree::Tree;

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
    /// How much all layers together may cost, of inodes and of depth; NULL for defaults.
    pub limits: *const TarfsLimits,
}

/// Take devices for one whose tags are the same SHA-256, as 64 hex digits, and whose lengths are the
/// same: the caller has checked that the files have these digests. Without it only digests that the
/// library has computed, or TARFS_LAYER_TAG_CHECKED, or one tree given twice, make two devices one.
pub const TARFS_MERGE_TRUST_TAGS: u32 = 1;
/// Where a layer has something below a path that a lower layer has as a symbolic link, follow the
/// link, as what extracts layers one over the other does. Without it a directory takes the link's
/// place, as overlayfs shows it.
pub const TARFS_MERGE_FOLLOW_LOWER_LINKS: u32 = 2;
/// Each layer's devices have slots of their own, also where two have the same bytes or no file
/// refers to one: for callers who pass a device= for each layer. A layer without data has a device
/// only with TARFS_LAYER_KEEP_EMPTY_DEVICE.
pub const TARFS_MERGE_DEVICE_PER_LAYER: u32 = 4;

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

// SAFETY: integers and pointers, the size first; a callback that is NULL is None.
unsafe impl Sized for TarfsMergeOptions {}

impl TarfsMergeOptions {
    /// The library's options.
    ///
    /// # Safety
    ///
    /// The pointers in it are as the header says.
    pub(crate) unsafe fn options(&self) -> Result<MergeOptions, Error> {
        if self.flags & !(2 * TARFS_MERGE_DEVICE_PER_LAYER - 1) != 0 {
            return Err(Error::argument(format!("flags {:#x}: not known", self.flags)));
        }
        // SAFETY: by the contract.
        let limits = unsafe { TarfsLimits::read(self.limits, Limits::new())? };
        let options = MergeOptions::new()
            .limits(limits)
            .keep_devices(self.keep_devices != 0)
            .trust_tags(self.flags & TARFS_MERGE_TRUST_TAGS != 0)
            .device_per_layer(self.flags & TARFS_MERGE_DEVICE_PER_LAYER != 0)
            .follow_lower_links(self.flags & TARFS_MERGE_FOLLOW_LOWER_LINKS != 0);
        Ok(options)
    }

    /// Tells the caller of a note.
    ///
    /// # Safety
    ///
    /// The callback is as the header says.
    pub(crate) unsafe fn tell(&self, note: &Note) {
        let Some(callback) = self.note else { return };
        let (kind, layer, path) = match note {
            Note::LinkReplaced { layer, path, .. } => (TARFS_NOTE_LINK_REPLACED, *layer, path),
            Note::FileReplaced { layer, path } => (TARFS_NOTE_FILE_REPLACED, *layer, path),
            Note::ListedTwice { layer, path } => (TARFS_NOTE_LISTED_TWICE, *layer, path),
            // One that this header does not know yet.
            _ => return,
        };
        let text = CString::new(note.to_string()).unwrap_or_default();
        // SAFETY: the path and the text live through the call, and the caller says what the callback
        // may be called with.
        unsafe { callback(self.note_ctx, kind, layer, path.as_ptr(), path.len(), text.as_ptr()) }
    }
}

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
            let options = given.options()?;
            let mut note = |note: Note| given.tell(&note);
            let tree = tree::merge_noting(&layers?, &options, &mut note)?;
            pointer::put(merged, pointer::give(Tree::new(tree)));
            Ok(())
        })
    }
}
