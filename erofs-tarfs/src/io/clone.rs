//! FICLONERANGE: bytes of one file made bytes of another by sharing them.
#![allow(unsafe_code)]

use std::fs::File;
use std::os::fd::AsRawFd;

use rustix::io::Errno;
use rustix::ioctl::{self, Opcode, Setter};

/// `struct file_clone_range`.
#[repr(C)]
struct Range {
    src_fd: i64,
    src_offset: u64,
    src_length: u64,
    dest_offset: u64,
}

/// `_IOW(0x94, 13, struct file_clone_range)`.
const FICLONERANGE: Opcode = ioctl::opcode::write::<Range>(0x94, 13);

/// Shares `bytes` bytes at `from` with `to`: all of them, or the kernel says why not.
///
/// Filesystems that can (XFS, Btrfs, and others) want whole blocks. 0 bytes would mean "up to the
/// end of the source", so they are refused.
///
/// # References
/// ioctl_ficlonerange(2)
pub(super) fn clone_range(from: (&File, u64), to: (&File, u64), bytes: u64) -> Result<(), Errno> {
    if bytes == 0 {
        return Err(Errno::INVAL);
    }
    let src_fd = i64::from(from.0.as_raw_fd());
    let range = Range { src_fd, src_offset: from.1, src_length: bytes, dest_offset: to.1 };
    // SAFETY: the opcode is FICLONERANGE's, which reads one `struct file_clone_range`, of which
    // `Range` has the fields, their order and their sizes, without padding.
    let set = unsafe { Setter::<FICLONERANGE, Range>::new(range) };
    // SAFETY: the ioctl only reads the struct, and both files stay open during the call.
    unsafe { ioctl::ioctl(to.0, set) }
}
