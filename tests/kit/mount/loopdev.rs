//! Loop devices.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::context;

/// A read-only or writable loop device over a file; dropping it detaches it.
#[derive(Debug)]
pub struct LoopDevice {
    path: PathBuf,
}

impl LoopDevice {
    /// A read-only device with sectors of 512 bytes.
    ///
    /// # Errors
    /// What `losetup` says.
    pub fn new(file: impl AsRef<Path>) -> io::Result<Self> {
        Self::with(file, &["--read-only"])
    }

    /// A device with further options of `losetup`, such as `--sector-size 4096`.
    ///
    /// # Errors
    /// What `losetup` says.
    pub fn with(file: impl AsRef<Path>, options: &[&str]) -> io::Result<Self> {
        let mut command = Command::new("losetup");
        command.args(["--find", "--show"]).args(options).arg(file.as_ref());
        let output = command.output().map_err(|error| context(error, "losetup"))?;
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!("{command:?}: {}", stderr.trim())));
        }
        let path = String::from_utf8_lossy(&output.stdout).trim().into();
        Ok(Self { path })
    }

    /// The device node.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for LoopDevice {
    fn drop(&mut self) {
        // A device still in use is marked by this to vanish with its last user.
        match Command::new("losetup").arg("--detach").arg(&self.path).status() {
            Ok(status) if status.success() => {}
            result => eprintln!("cannot detach {:?}: {result:?}", self.path),
        }
    }
}
