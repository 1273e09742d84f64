//! What the caller's callbacks choose of a tree: names that are left out, labels of SELinux.
#![allow(unsafe_code, reason = "calls the callers' callbacks")]

use core::cell::RefCell;
use core::ffi::c_void;
use core::sync::atomic::{AtomicBool, Ordering};

use erofs_tarfs::io::Export;
use erofs_tarfs::tree::NodeKind;

use crate::abi::error::Error;
use crate::abi::pointer;
use crate::trees::stat;

/// Says whether a name is left out, with all that is below it: a number other than 0 in excluded, which is 0
/// before. It is asked of every name but the root's and those below a name that is left out; of a directory
/// before what is in it, in ascending byte order of the names. Other names of the same file stay, and the tar
/// keeps its bytes: nothing is hidden by this. Path is from the root on, '/' between names and none in front,
/// and not NUL-terminated. Mode has the type of what has the name alone, S_IFDIR and so on; flags is 0, or
/// TARFS_WHITEOUT or TARFS_PENDING in a layer that is not merged.
///
/// It returns 0, or another number, which ends the call and is its result; it is not called again then. It
/// runs on the thread that made the call; path is borrowed for its time.
pub type ExcludeFn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        path: *const u8,
        path_len: usize,
        mode: u32,
        flags: u32,
        excluded: *mut u32,
    ) -> i32,
>;

/// Says the SELinux label of a file, 1 to 65535 bytes: it becomes the value of security.selinux, in place of the
/// one that is there; without a NUL behind it, as mkfs.erofs writes it. Label and label_len are NULL and 0
/// before; left so, the file stays as it is. A label of another length is TARFS_STATUS_TREE.
///
/// It is asked of every inode once, by its path, from the root on, whose path is empty; of a file with several
/// names by the first of them, in byte order of the names, a directory before what is in it. Whiteouts and
/// pending hard links are no files: it is not asked of them. Path and mode are as tarfs_exclude_fn has them.
///
/// The bytes of the label stay the callback's: they are copied before it is called again, and before the call
/// returns; it may use the same buffer each time. What it returns is as tarfs_exclude_fn has it.
pub type LabelFn = Option<
    unsafe extern "C" fn(
        ctx: *mut c_void,
        path: *const u8,
        path_len: usize,
        mode: u32,
        label: *mut *const u8,
        label_len: *mut usize,
    ) -> i32,
>;

/// The callbacks in use.
#[derive(Debug)]
pub(crate) struct Chooser {
    exclude: (ExcludeFn, *mut c_void),
    label: (LabelFn, *mut c_void),
    /// What one of them said to end the call.
    stopped: RefCell<Option<Error>>,
}

/// The address of a path; one that C may look at also if it is empty.
fn start(path: &[u8]) -> *const u8 {
    if path.is_empty() { c"".as_ptr().cast() } else { path.as_ptr() }
}

impl Chooser {
    pub(crate) fn new(exclude: (ExcludeFn, *mut c_void), label: (LabelFn, *mut c_void)) -> Self {
        Self { exclude, label, stopped: RefCell::new(None) }
    }

    /// Whether there is a callback for names that are left out.
    pub(crate) fn excludes(&self) -> bool {
        self.exclude.0.is_some()
    }

    /// Whether there is a callback for labels.
    pub(crate) fn labels(&self) -> bool {
        self.label.0.is_some()
    }

    /// What a callback said to end the call, if one did.
    pub(crate) fn end(&self) -> Result<(), Error> {
        self.stopped.take().map_or(Ok(()), Err)
    }

    /// Whether a callback ended the call.
    fn is_stopped(&self) -> bool {
        self.stopped.borrow().is_some()
    }

    /// Whether a name is left out; nobody is asked any more when the call is at its end.
    ///
    /// # Safety
    ///
    /// The callback is as the header says.
    pub(crate) unsafe fn is_excluded(&self, path: &[u8], kind: NodeKind) -> bool {
        let (Some(exclude), false) = (self.exclude.0, self.is_stopped()) else { return false };
        let ((mode, flags), mut excluded) = (stat::format(kind), 0);
        let (ctx, at) = (self.exclude.1, start(path));
        // SAFETY: the path and the answer live through the call, and the caller says what the callback may be
        // called with.
        let status = unsafe { exclude(ctx, at, path.len(), mode, flags, &raw mut excluded) };
        if status != 0 {
            self.stopped.replace(Some(Error::callback(status)));
        }
        excluded != 0
    }

    /// The label of a file, if it gets one.
    ///
    /// # Safety
    ///
    /// The callback is as the header says.
    pub(crate) unsafe fn label(&self, path: &[u8], kind: NodeKind) -> Option<Vec<u8>> {
        let (Some(label), false) = (self.label.0, self.is_stopped()) else { return None };
        let ((mode, _), mut bytes, mut len) = (stat::format(kind), core::ptr::null(), 0);
        let (ctx, at) = (self.label.1, start(path));
        // SAFETY: the path and the answers live through the call, and the caller says what the callback may be
        // called with.
        let status = unsafe { label(ctx, at, path.len(), mode, &raw mut bytes, &raw mut len) };
        let answer = match status {
            0 if bytes.is_null() && len == 0 => return None,
            // SAFETY: what the callback answered is there until it is called again.
            0 => unsafe { pointer::bytes(bytes, len, "label") },
            status => Err(Error::callback(status)),
        };
        match answer {
            Ok(label) => Some(label.to_vec()),
            Err(error) => {
                self.stopped.replace(Some(error));
                None
            }
        }
    }

    /// Has an export ask the callbacks. One that ends the call sets `cancel`.
    ///
    /// # Safety
    ///
    /// The callbacks are as the header says.
    pub(crate) unsafe fn choose<'a>(
        &'a self,
        mut export: Export<'a>,
        cancel: &'a AtomicBool,
    ) -> Export<'a> {
        if self.excludes() {
            export = export.exclude_if(|path, kind| {
                // SAFETY: by the contract.
                let excluded = unsafe { self.is_excluded(path, kind) };
                cancel.fetch_or(self.is_stopped(), Ordering::Relaxed);
                excluded
            });
        }
        if self.labels() {
            export = export.label(|path, kind| {
                // SAFETY: by the contract.
                let label = unsafe { self.label(path, kind) };
                cancel.fetch_or(self.is_stopped(), Ordering::Relaxed);
                label
            });
        }
        export
    }
}
