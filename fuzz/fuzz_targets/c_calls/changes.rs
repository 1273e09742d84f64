//! Trees changed: owners, times, what is left out, labels, by fields and by callbacks.

use core::ffi::{CStr, c_char, c_void};
use core::ptr;
use core::slice;

use tarfs::trees::change::{TarfsChanges, tarfs_tree_change};

use crate::machine::Machine;
use crate::sized::sized;
use crate::streams::{REFUSED, Stream};

/// Changes a tree, and keeps what is made of it.
pub(crate) fn change(machine: &mut Machine<'_>) {
    let Some(tree) = machine.trees.one(&mut machine.tape) else { return };
    let mut changes = sized::<TarfsChanges>();
    let tape = &mut machine.tape;
    // Flags that are not known too.
    changes.flags = tape.below(10) as u32;
    (changes.force_uid, changes.force_gid) = (tape.word(), tape.number() as u32);
    (changes.latest, changes.latest_nsec) = (tape.number() as i64, tape.number() as u32);
    (changes.uid_offset, changes.gid_offset) = (tape.number() as i64, tape.number() as i64);
    let paths: [&CStr; 7] = [c"", c"a", c"a/b", c"/", c"..", c"a//b/", c"d/./e"];
    let exclude: Vec<*const c_char> =
        (0..tape.below(4)).map(|_| tape.one(&paths).as_ptr()).collect();
    (changes.exclude, changes.exclude_count) = (exclude.as_ptr(), exclude.len());
    if machine.tape.chance(2) {
        changes.exclude_if = Some(leave_out);
        changes.exclude_ctx = answers(machine);
    }
    if machine.tape.chance(2) {
        changes.label = Some(label);
        changes.label_ctx = answers(machine);
    }
    let changes = if machine.tape.chance(8) { ptr::null() } else { &raw const changes };
    let mut changed = ptr::null_mut();
    // SAFETY: the tree is not freed; paths and streams live.
    if machine.call(|error| unsafe { tarfs_tree_change(tree, changes, &raw mut changed, error) }) {
        machine.trees.put(changed);
    }
}

/// What a callback answers from.
fn answers(machine: &mut Machine<'_>) -> *mut c_void {
    ptr::from_mut::<Stream>(&mut **machine.full()).cast()
}

/// A number that follows from a path alone.
unsafe fn number(path: *const u8, len: usize) -> usize {
    // SAFETY: the library lends so many bytes for the time of the call.
    let path = unsafe { slice::from_raw_parts(path, len) };
    path.iter().fold(0, |sum, byte| sum * 31 % 65_521 + usize::from(*byte))
}

unsafe extern "C" fn leave_out(
    ctx: *mut c_void,
    path: *const u8,
    path_len: usize,
    _mode: u32,
    _flags: u32,
    excluded: *mut u32,
) -> i32 {
    // SAFETY: the context is a stream of the machine's, which nobody else uses meanwhile.
    let stream = unsafe { &mut *ctx.cast::<Stream>() };
    if stream.refuses() {
        return REFUSED;
    }
    // SAFETY: as the header has it.
    unsafe { *excluded = u32::from(number(path, path_len).is_multiple_of(5)) };
    0
}

unsafe extern "C" fn label(
    ctx: *mut c_void,
    path: *const u8,
    path_len: usize,
    _mode: u32,
    label: *mut *const u8,
    label_len: *mut usize,
) -> i32 {
    // SAFETY: as of `leave_out`.
    let stream = unsafe { &mut *ctx.cast::<Stream>() };
    if stream.refuses() {
        return REFUSED;
    }
    // SAFETY: as the header has it.
    let number = unsafe { number(path, path_len) };
    let len = number % 70 % (stream.bytes.len() + 1);
    if !number.is_multiple_of(3) {
        // SAFETY: as the header has it.
        unsafe { (*label, *label_len) = (stream.bytes.as_ptr(), len) };
    }
    0
}
