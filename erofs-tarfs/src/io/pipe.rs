//! Pipes read without holding up who writes to them.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;

use rustix::io::{Errno, read, retry_on_intr};
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};

/// What Linux allows anybody to have in a pipe.
const ROOM: usize = 1 << 20;

/// The reading end of a pipe. Any other file does as well, and is read as ever.
///
/// Who reads from a pipe locks it while the bytes are copied, and who wants to write waits. Here
/// they are moved to a pipe of our own first, which costs no copy, and copied from there. Both pipes
/// are given room for 1 MiB if they may, so that the two ends wait for each other less often.
///
/// When this is dropped before the end, up to 1 MiB that was moved is lost.
///
/// # References
/// splice(2), pipe(7), fcntl(2) under `F_SETPIPE_SZ`.
///
/// # Examples
/// ```
/// use erofs_tarfs::io::Pipe;
/// use std::io::{Read, Write};
///
/// let (reader, mut writer) = std::io::pipe()?;
/// writer.write_all(b"a tar")?;
/// drop(writer);
/// let mut bytes = Vec::new();
/// Pipe::new(std::os::fd::OwnedFd::from(reader)).read_to_end(&mut bytes)?;
/// assert_eq!(bytes, b"a tar");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Pipe {
    from: File,
    /// `None` if nothing can be moved.
    own: Option<Own>,
}

/// A pipe that nobody else has.
#[derive(Debug)]
struct Own {
    reader: OwnedFd,
    writer: OwnedFd,
    /// Bytes in it.
    held: usize,
}

impl Pipe {
    /// Reads from where the file stands.
    pub fn new(from: impl Into<OwnedFd>) -> Self {
        let from = File::from(from.into());
        let own = match fcntl_setpipe_size(&from, ROOM) {
            // The file is no pipe: it is read directly.
            Err(Errno::BADF) => None,
            _ => Own::new().ok(),
        };
        Self { from, own }
    }
}

impl Own {
    fn new() -> Result<Self, Errno> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
        // If it may not have that much it keeps what pipes have, 64 KiB, and all works as well.
        let _ = fcntl_setpipe_size(&writer, ROOM);
        Ok(Self { reader, writer, held: 0 })
    }

    fn read(&mut self, from: &File, buf: &mut [u8]) -> Result<usize, Errno> {
        if self.held == 0 {
            self.held = retry_on_intr(|| {
                splice(from, None, &self.writer, None, ROOM, SpliceFlags::empty())
            })?;
        }
        if self.held == 0 {
            return Ok(0);
        }
        let most = buf.len().min(self.held);
        let n = retry_on_intr(|| read(&self.reader, &mut buf[..most]))?;
        self.held -= n;
        Ok(n)
    }
}

impl Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let Some(own) = &mut self.own {
            match own.read(&self.from, buf) {
                // It can't be moved after all, or a sandbox forbids it; none was.
                Err(Errno::INVAL | Errno::NOSYS | Errno::PERM) if own.held == 0 => self.own = None,
                done => return Ok(done?),
            }
        }
        self.from.read(buf)
    }
}
