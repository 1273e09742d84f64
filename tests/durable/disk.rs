//! File systems on disks that are files.

use std::ffi::CString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use tempfile::TempDir;
use testkit::mount::LoopDevice;
use testkit::oracle::{self, Verdict};

/// A kind of file system.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    package: &'static str,
    bytes: u64,
    /// It shall not write by itself what nobody syncs, for as long as a test takes.
    options: &'static str,
}

pub(crate) const EXT4: Kind =
    Kind { name: "ext4", package: "e2fsprogs", bytes: 128 << 20, options: "commit=300" };
pub(crate) const XFS: Kind =
    Kind { name: "xfs", package: "xfsprogs", bytes: 320 << 20, options: "" };
pub(crate) const BTRFS: Kind =
    Kind { name: "btrfs", package: "btrfs-progs", bytes: 256 << 20, options: "commit=300" };

/// A place to mount disks of one kind at, and their files.
#[derive(Debug)]
pub(crate) struct Place {
    kind: Kind,
    /// On tmpfs: the disks are written often.
    dir: TempDir,
    pub(crate) point: PathBuf,
}

impl Place {
    /// An empty disk is its file `empty`; `None` where there is no `mkfs` for it.
    pub(crate) fn new(kind: Kind) -> Option<Self> {
        let hint = format!("apt-get install {}", kind.package);
        let mkfs = oracle::tool(&format!("mkfs.{}", kind.name), &hint)?;
        let dir = tempfile::Builder::new().prefix("tarfs-durable-").tempdir_in("/dev/shm").unwrap();
        let (point, empty) = (dir.path().join("mnt"), dir.path().join("empty"));
        fs::create_dir(&point).unwrap();
        File::create(&empty).unwrap().set_len(kind.bytes).unwrap();
        Verdict::of(Command::new(mkfs).arg("-q").arg(&empty)).expect_ok("mkfs");
        Some(Self { kind, dir, point })
    }

    /// The path of a file of this name.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Mounts a disk. A mount of the same filesystem may live on for a moment in a namespace that somebody made meanwhile,
    /// and of XFS and Btrfs there can be one only: their UUID is what tells them apart.
    pub(crate) fn mount(&self, file: &Path) -> Mount<'_> {
        let device = LoopDevice::with(file, &[]).unwrap();
        let options = CString::new(self.kind.options).unwrap();
        let name = self.kind.name;
        let mut tries = 0;
        while let Err(error) =
            mount(device.path(), &self.point, name, MountFlags::empty(), &*options)
        {
            tries += 1;
            assert!(tries < 100, "mount of {name} {file:?}: {error}");
            thread::sleep(Duration::from_millis(100));
        }
        Mount { point: &self.point, _device: device }
    }
}

/// A disk that is mounted, while it lives.
#[derive(Debug)]
pub(crate) struct Mount<'a> {
    point: &'a Path,
    _device: LoopDevice,
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        // A process that was killed may have a file open for a moment more.
        for _ in 0..100 {
            if unmount(self.point, UnmountFlags::empty()).is_ok() {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = unmount(self.point, UnmountFlags::DETACH);
    }
}
