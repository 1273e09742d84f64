//! Loop devices that end with their last user, by two ioctls.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;

use erofs_tarfs::io::NamedFile;
use linux_raw_sys::loop_device as sys;
use rustix::io::Errno;
use rustix::ioctl::{self, Ioctl, IoctlOutput, Opcode, Setter};

use crate::cli::fail::{Done, Fail};

/// How often another process may take the free device that was just found.
const TRIES: usize = 64;

/// A read-only device. When this is dropped, the device is detached, or, if it is mounted or otherwise in
/// use, with its last user: the kernel does it, so that a process that is killed leaves none.
#[derive(Debug)]
pub(crate) struct LoopDevice {
    path: PathBuf,
    /// Its first user.
    _open: File,
}

impl LoopDevice {
    /// A device over a file, or over a range of one.
    pub(crate) fn over(file: &NamedFile) -> Done<Self> {
        let control = Path::new("/dev/loop-control");
        let failed = |path: &Path, error: io::Error| {
            let hint = match error.kind() {
                io::ErrorKind::NotFound if path == control => {
                    ": the kernel has no loop devices, or /dev is not the kernel's (modprobe loop)"
                }
                io::ErrorKind::NotFound => {
                    ": the kernel has that device, and this /dev no node of it, as in containers (mknod, or a mount \
                     of devtmpfs)"
                }
                io::ErrorKind::PermissionDenied => ": loop devices need root",
                _ => "",
            };
            Fail::of(path, format_args!("no loop device over {:?}: {error}{hint}", file.path()))
        };
        let opened = File::open(control).map_err(|error| failed(control, error))?;
        let mut last = Errno::BUSY;
        for _ in 0..TRIES {
            let number = free(&opened).map_err(|error| failed(control, error.into()))?;
            let path = PathBuf::from(format!("/dev/loop{number}"));
            let device = File::open(&path).map_err(|error| failed(&path, error))?;
            match configure(&device, file, file.bytes()?) {
                Ok(()) => return Ok(Self { path, _open: device }),
                // Somebody else took it meanwhile.
                Err(Errno::BUSY) => last = Errno::BUSY,
                Err(error) => return Err(failed(&path, error.into())),
            }
        }
        Err(failed(control, last.into()))
    }

    /// Its node.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// LOOP_CTL_GET_FREE, whose answer is what the call returns.
struct GetFree;

// SAFETY: the call takes no argument, so that nothing is read or written in this process, and its result
// is a number.
unsafe impl Ioctl for GetFree {
    type Output = u32;
    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        sys::LOOP_CTL_GET_FREE
    }

    fn as_ptr(&mut self) -> *mut core::ffi::c_void {
        ptr::null_mut()
    }

    // SAFETY: the pointer is not used.
    unsafe fn output_from_ptr(
        out: IoctlOutput,
        _: *mut core::ffi::c_void,
    ) -> rustix::io::Result<u32> {
        u32::try_from(out).map_err(|_| Errno::RANGE)
    }
}

/// The number of a device that nobody uses.
fn free(control: &File) -> Result<u32, Errno> {
    // SAFETY: `GetFree` is as LOOP_CTL_GET_FREE takes and gives it.
    unsafe { ioctl::ioctl(control, GetFree) }
}

/// LOOP_CONFIGURE, since Linux 5.8: file, range and flags in one call, so that no state between is seen.
fn configure(device: &File, file: &NamedFile, bytes: u64) -> Result<(), Errno> {
    let name = file.path().as_os_str().as_bytes();
    // It is for people alone, and ends with a zero.
    let shown = name.len().min(63);
    let mut lo_file_name = [0; 64];
    lo_file_name[..shown].copy_from_slice(&name[..shown]);
    let flags = sys::LO_FLAGS_READ_ONLY as u32 | sys::LO_FLAGS_AUTOCLEAR as u32;
    let info = sys::loop_info64 {
        lo_device: 0,
        lo_inode: 0,
        lo_rdevice: 0,
        lo_offset: file.start(),
        lo_sizelimit: if file.is_range() { bytes } else { 0 },
        lo_number: 0,
        lo_encrypt_type: 0,
        lo_encrypt_key_size: 0,
        lo_flags: flags,
        lo_file_name,
        lo_crypt_name: [0; 64],
        lo_encrypt_key: [0; 32],
        lo_init: [0; 2],
    };
    let fd = u32::try_from(file.file().as_raw_fd()).map_err(|_| Errno::BADF)?;
    let config = sys::loop_config { fd, block_size: 512, info, __reserved: [0; 8] };
    // SAFETY: the opcode is LOOP_CONFIGURE's, which reads one `struct loop_config`, as `linux-raw-sys` has it of
    // the kernel's headers.
    let set = unsafe { Setter::<{ sys::LOOP_CONFIGURE }, sys::loop_config>::new(config) };
    // SAFETY: the ioctl only reads the struct, and both files stay open during the call.
    unsafe { ioctl::ioctl(device, set) }
}
