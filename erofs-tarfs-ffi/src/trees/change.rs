//! Trees made otherwise than their layers say.
#![allow(unsafe_code, reason = "exports symbols")]

use alloc::borrow::Cow;
use core::ffi::{CStr, c_char, c_void};

use erofs_tarfs::tree::{self, Changes};
use erofs_tarfs::units::Timestamp;

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized::{self, Sized};
use crate::trees::choose::{Chooser, ExcludeFn, LabelFn};
use crate::trees::tree::Tree;

/// force_uid is the owner of all files, before uid_offset is added.
pub const TARFS_CHANGE_FORCE_UID: u32 = 1;
/// force_gid is the group of all files, before gid_offset is added.
pub const TARFS_CHANGE_FORCE_GID: u32 = 2;
/// Modification times later than latest and latest_nsec become it.
pub const TARFS_CHANGE_CLAMP_MTIME: u32 = 4;

/// What of a tree is made otherwise than its layers say; zeros for nothing.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsChanges {
    /// sizeof(tarfs_changes).
    pub size: usize,
    /// TARFS_CHANGE_ flags: which of the next are looked at.
    pub flags: u32,
    /// The owner of all files, with TARFS_CHANGE_FORCE_UID.
    pub force_uid: u32,
    /// The group of all files, with TARFS_CHANGE_FORCE_GID.
    pub force_gid: u32,
    /// Nanoseconds of the latest time, below 1000000000, with TARFS_CHANGE_CLAMP_MTIME.
    pub latest_nsec: u32,
    /// Seconds of the latest time since 1970, with TARFS_CHANGE_CLAMP_MTIME.
    pub latest: i64,
    /// Added to the owner of every file. What is no owner then, 0 to 4294967294, is TARFS_E_TREE.
    pub uid_offset: i64,
    /// Added to the group of every file.
    pub gid_offset: i64,
    /// Paths that are left out, with all that is below them: from the root on, '/' between names. Other
    /// names of the same file stay, and the tar keeps its bytes: nothing is hidden by this. A path that is
    /// not there changes nothing. NULL where exclude_count is 0.
    pub exclude: *const *const c_char,
    /// How many paths are left out.
    pub exclude_count: usize,
    /// Asked of every name whether it is left out too, before anything else is changed; NULL for no name.
    pub exclude_if: ExcludeFn,
    /// Passed to exclude_if.
    pub exclude_ctx: *mut c_void,
    /// Asked of every file for its SELinux label, when all else is changed; NULL for none.
    pub label: LabelFn,
    /// Passed to label.
    pub label_ctx: *mut c_void,
}

// SAFETY: integers and pointers, the size first; a callback that is NULL is None.
unsafe impl Sized for TarfsChanges {}

impl TarfsChanges {
    /// What the caller's callbacks choose.
    pub(crate) fn chooser(&self) -> Chooser {
        Chooser::new((self.exclude_if, self.exclude_ctx), (self.label, self.label_ctx))
    }

    /// Those of the library.
    ///
    /// # Safety
    ///
    /// The pointers in it are as the header says.
    pub(crate) unsafe fn read(&self) -> Result<Changes, Error> {
        let known = TARFS_CHANGE_FORCE_UID | TARFS_CHANGE_FORCE_GID | TARFS_CHANGE_CLAMP_MTIME;
        if self.flags & !known != 0 {
            return Err(Error::argument(format!("changes: flags {:#x}: not known", self.flags)));
        }
        let has = |flag| self.flags & flag != 0;
        let (secs, nanos) = (self.latest, self.latest_nsec);
        if nanos >= 1_000_000_000 {
            return Err(Error::argument(format!("latest_nsec {nanos}: not below 1000000000")));
        }
        let latest = Timestamp { secs, nanos };
        let changes = Changes::new()
            .force_uid(has(TARFS_CHANGE_FORCE_UID).then_some(self.force_uid))
            .force_gid(has(TARFS_CHANGE_FORCE_GID).then_some(self.force_gid))
            .uid_offset(self.uid_offset)
            .gid_offset(self.gid_offset)
            .clamp_mtime(has(TARFS_CHANGE_CLAMP_MTIME).then_some(latest));
        // SAFETY: by the contract.
        let paths = unsafe { pointer::array(self.exclude, self.exclude_count, "exclude")? };
        paths.iter().try_fold(changes, |changes, path| match path.is_null() {
            true => Err(Error::null("a path of exclude")),
            // SAFETY: not NULL, and NUL-terminated by the contract.
            false => Ok(changes.exclude(unsafe { CStr::from_ptr(*path) }.to_bytes())),
        })
    }
}

/// Makes a tree otherwise than its layers say: owners, times, what is left out, labels of SELinux. Layers are
/// merged before.
///
/// @param changes NULL for none.
/// @param changed Receives the tree, ended with tarfs_tree_free. It has the devices of the first, in their
///        order, in use or not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_tree_change(
    tree: *const Tree,
    changes: *const TarfsChanges,
    changed: *mut *mut Tree,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(changed, "changed")?;
            let tree = &pointer::borrow(tree, "tree")?.0;
            let given = sized::read(changes, "changes")?;
            let (changes, chooser) = (given.read()?, given.chooser());
            let mut made = match chooser.excludes() {
                true => tree::without(tree, &mut |path, kind| chooser.is_excluded(path, kind))?,
                false => tree::Tree::clone(tree),
            };
            if let Cow::Owned(changed) = tree::change(&made, &changes)? {
                made = changed;
            }
            if chooser.labels() {
                // What the callback said comes before what the library says of its answer.
                let done = tree::label(&mut made, &mut |path, kind| chooser.label(path, kind));
                chooser.end()?;
                done?;
            }
            chooser.end()?;
            pointer::put(changed, pointer::give(Tree::new(made)));
            Ok(())
        })
    }
}
