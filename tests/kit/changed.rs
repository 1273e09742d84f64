//! A directory with what is easily changed wrong (owners, times, hard links, links), and its tar: for what of a
//! tree is made otherwise than its layers say. `mkfs.erofs` makes an image of the same directory.

use std::fs;
use std::io;
use std::os::unix::fs::{chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::dump::{Tree, dump};
use crate::mount::Erofs;
use crate::oracle::{Verdict, erofs_tool};

/// The directory, and the tar of it.
#[derive(Debug)]
pub struct Source {
    /// The directory.
    pub root: PathBuf,
    /// GNU tar's of it, in pax form.
    pub tar: PathBuf,
}

impl Source {
    /// Makes both in `dir`, as root.
    ///
    /// # Errors
    /// Of the file system.
    ///
    /// # Panics
    /// Where touch or tar fail.
    pub fn new(dir: &Path) -> io::Result<Self> {
        let (root, tar) = (dir.join("root"), dir.join("root.tar"));
        for path in ["etc/sub", "usr/bin", "var/cache/deep/er"] {
            fs::create_dir_all(root.join(path))?;
        }
        for (path, uid, gid) in [
            ("etc/a", 0, 0),
            ("etc/b", 7, 8),
            ("usr/bin/sh", 0, 5),
            ("var/cache/x.pyc", 1, 1),
            ("var/cache/deep/er/y", 2, 100),
        ] {
            fs::write(root.join(path), path)?;
            chown(root.join(path), Some(uid), Some(gid))?;
        }
        fs::hard_link(root.join("etc/a"), root.join("etc/sub/hard"))?;
        symlink("b", root.join("etc/l"))?;
        for (path, at) in
            [("etc/a", "@1000"), ("etc/b", "@2000000000.25"), ("var", "@1500000000.5")]
        {
            run(Command::new("touch").args(["-h", "-d", at]).arg(root.join(path)));
        }
        let mut made = Command::new("tar");
        run(made.arg("-C").arg(&root).args(["--format=posix", "-cf"]).arg(&tar).arg("."));
        Ok(Self { root, tar })
    }

    /// What `mkfs.erofs` makes of the directory with these options, as Linux shows it; nothing without the program.
    ///
    /// # Panics
    /// Where it fails.
    #[must_use]
    pub fn by_mkfs(&self, options: &[&str]) -> Option<Tree> {
        let image = self.tar.with_extension("mkfs.erofs");
        let mut mkfs = Command::new(erofs_tool("mkfs.erofs")?);
        run(mkfs.arg("--quiet").args(options).arg(&image).arg(&self.root));
        let mounted = Erofs::new(&image).mount().expect("mkfs.erofs made it");
        Some(dump(mounted.path()).expect("it is mounted"))
    }
}

fn run(command: &mut Command) {
    Verdict::of(command).expect_ok(&format!("{command:?}"));
}
