//! A disk with a cache that a power cut empties, as a file of FUSE: what is written to it is lost until it is
//! synced, which a loop device does for each flush that its file system asks for.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use testkit::rng::Rng;

/// The bytes of the disk, as its file system sees them, and as they are when the power is cut.
#[derive(Debug)]
struct Bytes {
    seen: File,
    safe: PathBuf,
    /// What was written since the last flush, in order.
    unflushed: Vec<(u64, Vec<u8>)>,
}

/// The disk. Its file is `path()`, while it lives.
#[derive(Debug)]
pub(crate) struct Disk {
    at: PathBuf,
    bytes: Arc<Mutex<Bytes>>,
    serving: Option<JoinHandle<()>>,
}

/// The number of the file; the root's is 1.
const FILE: u64 = 2;

const EIO: i32 = 5;
const ENOSYS: i32 = 38;

impl Disk {
    /// A disk with the bytes of a file, whose other files are in `folder`.
    pub(crate) fn new(from: &Path, folder: &Path) -> Self {
        let (at, seen, safe) = (folder.join("fuse"), folder.join("seen"), folder.join("safe"));
        fs::create_dir(&at).unwrap();
        copy(from, &seen);
        copy(from, &safe);
        let seen = OpenOptions::new().read(true).write(true).open(seen).unwrap();
        let bytes = Arc::new(Mutex::new(Bytes { seen, safe, unflushed: Vec::new() }));
        let device = OpenOptions::new().read(true).write(true).open("/dev/fuse").unwrap();
        let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", device.as_raw_fd());
        let options = std::ffi::CString::new(options).unwrap();
        mount("unflushed", &at, "fuse", MountFlags::empty(), options.as_c_str()).unwrap();
        let served = Arc::clone(&bytes);
        let serving = Some(thread::spawn(move || serve(device, &served)));
        Self { at, bytes, serving }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.at.join("disk")
    }

    /// Cuts the power: what the disk has then goes to a file. Of what was not flushed a disk may have written
    /// some, in any order: `some` of it if that is given. `first` is called when no byte changes any more.
    pub(crate) fn cut<T>(&self, to: &Path, some: Option<&mut Rng>, first: impl FnOnce() -> T) -> T {
        let bytes = self.bytes.lock().unwrap();
        let told = first();
        copy(&bytes.safe, to);
        let to = OpenOptions::new().write(true).open(to).unwrap();
        if let Some(rng) = some {
            for (offset, written) in bytes.unflushed.iter().filter(|_| rng.chance(50)) {
                to.write_all_at(written, *offset).unwrap();
            }
        }
        told
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if unmount(&self.at, UnmountFlags::DETACH).is_err() {
            return;
        }
        // The kernel lets go when the last who has the file does. If that is never, as a test failed and its
        // mount stayed, the thread ends with the process.
        let Some(serving) = self.serving.take() else { return };
        for _ in 0..500 {
            if serving.is_finished() {
                let _ = serving.join();
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Copies a file with its holes.
pub(crate) fn copy(from: &Path, to: &Path) {
    let mut cp = std::process::Command::new("cp");
    assert!(cp.arg("--sparse=always").args([from, to]).status().unwrap().success(), "cp");
}

impl Bytes {
    fn flush(&mut self) -> io::Result<()> {
        let safe = OpenOptions::new().write(true).open(&self.safe)?;
        for (offset, bytes) in self.unflushed.drain(..) {
            safe.write_all_at(&bytes, offset)?;
        }
        Ok(())
    }

    fn read(&self, offset: u64, len: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        let mut at = 0;
        while at < len {
            match self.seen.read_at(&mut bytes[at..], offset + at as u64)? {
                0 => break,
                read => at += read,
            }
        }
        bytes.truncate(at);
        Ok(bytes)
    }
}

/// Answers the kernel until the disk is unmounted.
fn serve(mut device: File, bytes: &Mutex<Bytes>) {
    let mut request = vec![0; (1 << 20) + 4096];
    loop {
        let len = match device.read(&mut request) {
            Ok(len) => len,
            // A request that was taken back.
            Err(error) if matches!(error.raw_os_error(), Some(2 | 4 | 11)) => continue,
            Err(_) => return,
        };
        let (u32_at, u64_at) = (at::<4>(&request[..len]), at::<8>(&request[..len]));
        let unique = u64::from_le_bytes(u64_at(8));
        let answer = answer(u32::from_le_bytes(u32_at(4)), &request[..len], bytes);
        let Some(answer) = answer else { continue };
        let (error, body) = match answer {
            Ok(body) => (0, body),
            Err(number) => (-number, Vec::new()),
        };
        let head = [&(16 + body.len() as u32).to_le_bytes()[..], &error.to_le_bytes()].concat();
        let reply = [&head[..], &unique.to_le_bytes(), &body].concat();
        // A request that was taken back wants no answer.
        let _ = device.write(&reply);
    }
}

/// Reads fields of a request.
fn at<const N: usize>(request: &[u8]) -> impl Fn(usize) -> [u8; N] {
    move |offset| request[offset..offset + N].try_into().unwrap()
}

/// What is answered to a request; `None` if it wants no answer. Behind the head of 40 bytes are its arguments,
/// as `linux/fuse.h` has them.
fn answer(operation: u32, request: &[u8], bytes: &Mutex<Bytes>) -> Option<Result<Vec<u8>, i32>> {
    let field = |offset| u64::from_le_bytes(at::<8>(request)(offset));
    let (node, offset) = (field(16), || field(48));
    let size = || u32::from_le_bytes(at::<4>(request)(56)) as usize;
    let mut bytes = bytes.lock().unwrap();
    let failed = |_| EIO;
    Some(match operation {
        // INIT: version 7.31, writes of up to 128 KiB.
        26 => Ok(words(&[
            7,
            31,
            128 << 10,
            1 << 5,
            64 << 16 | 64,
            128 << 10,
            1,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
        ])),
        // FORGET, INTERRUPT, BATCH_FORGET.
        2 | 36 | 42 => return None,
        // LOOKUP of any name: the file.
        1 => {
            Ok([&words(&[FILE as u32, 0, 0, 0, 60, 0, 60, 0, 0, 0])[..], &attributes(FILE, &bytes)]
                .concat())
        }
        // GETATTR, SETATTR.
        3 | 4 => Ok([&words(&[60, 0, 0, 0])[..], &attributes(node, &bytes)].concat()),
        // OPEN, OPENDIR.
        14 | 27 => Ok(words(&[0, 0, 0, 0])),
        // READ.
        15 => bytes.read(offset(), size()).map_err(failed),
        // WRITE.
        16 => {
            let written = request[80..80 + size()].to_vec();
            let done = bytes.seen.write_all_at(&written, offset()).map_err(failed);
            bytes.unflushed.push((offset(), written));
            done.map(|()| words(&[size() as u32, 0]))
        }
        // FSYNC.
        20 => bytes.flush().map(|()| Vec::new()).map_err(failed),
        // STATFS.
        17 => Ok(vec![0; 80]),
        // RELEASE, FLUSH, RELEASEDIR, DESTROY.
        18 | 25 | 29 | 38 => Ok(Vec::new()),
        _ => Err(ENOSYS),
    })
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The attributes of a file, or of the root.
fn attributes(node: u64, bytes: &Bytes) -> Vec<u8> {
    let len = bytes.seen.metadata().unwrap().len();
    let (mode, len) = if node == FILE { (0o100_600, len) } else { (0o040_700, 0) };
    let longs = [node, len, len / 512, 0, 0, 0].map(u64::to_le_bytes).concat();
    [longs, words(&[0, 0, 0, mode, 1, 0, 0, 0, 4096, 0])].concat()
}
