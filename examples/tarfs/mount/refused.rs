//! What the kernel says when it refuses a mount, and what to do about it.

use std::os::fd::AsFd;
use std::path::Path;

use rustix::io::Errno;

use crate::cli::fail::Fail;

/// A mount that the kernel refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) errno: Errno,
    /// What the kernel wrote about it, a line each.
    log: Vec<String>,
}

impl Refusal {
    /// Without a word of the kernel.
    pub(crate) fn bare(errno: Errno) -> Self {
        Self { errno, log: Vec::new() }
    }

    /// With what the kernel has written to the filesystem's descriptor.
    pub(crate) fn new(errno: Errno, fs: impl AsFd) -> Self {
        let mut log = Vec::new();
        let mut buffer = [0; 4096];
        // The kernel keeps eight lines.
        while let Ok(len @ 1..) = rustix::io::read(&fs, &mut buffer) {
            let line = String::from_utf8_lossy(&buffer[..len]);
            // A letter says how bad it is.
            log.push(line.get(2..).unwrap_or(&line).trim().to_owned());
        }
        Self { errno, log }
    }

    /// As an error about a file.
    pub(crate) fn fail(&self, name: &Path) -> Fail {
        self.fail_hinted(name, self.hint())
    }

    /// The same, with other words on what to do about it.
    pub(crate) fn fail_hinted(&self, name: &Path, hint: &str) -> Fail {
        let said = self.log.iter().map(|line| format!("; the kernel says: {line}"));
        let (errno, said) = (std::io::Error::from(self.errno), said.collect::<String>());
        Fail::of(name, format_args!("Linux refuses the mount: {errno}{said}{hint}"))
    }

    /// What to do about it.
    fn hint(&self) -> &'static str {
        match self.errno {
            Errno::PERM | Errno::ACCESS => " (mounts need root; `tarfs extract` does not)",
            Errno::NODEV => " (this kernel does not have that filesystem: modprobe erofs overlay)",
            Errno::INVAL => {
                " (`dmesg` may say why; blocks of 512 bytes need Linux 6.4, --compact needs 6.15)"
            }
            _ => " (`dmesg` may say why)",
        }
    }
}
