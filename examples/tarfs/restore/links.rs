//! Files with several names: the second name is a link to where the first is.
//!
//! A file that is far down is linked from nearby too, until all is done: who looks for it there would go the whole
//! way for each further name, and to remember its path would take more memory than the image has bytes of it.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::process;

use erofs_tarfs::tree::InodeId;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, mkdirat, openat, unlinkat};
use rustix::io::Errno;

use super::directory::{anew, open_directory};
use super::way::Way;

/// The longest path that is gone anew for each further name.
const NEAR: usize = 256;

/// Where the first name of a file is.
enum First {
    /// A path below the root.
    Path(Vec<u8>),
    /// A number in the directory aside.
    Aside(u64),
}

/// What was made of files with several names.
pub(crate) struct Links<'a> {
    root: BorrowedFd<'a>,
    known: HashMap<InodeId, First>,
    /// The directory of names nearby, what it is called, and how many it has had.
    aside: Option<(OwnedFd, String)>,
    count: u64,
}

impl<'a> Links<'a> {
    /// Of nothing yet, below a directory.
    pub(crate) fn below(root: BorrowedFd<'a>) -> Self {
        Self { root, known: HashMap::new(), aside: None, count: 0 }
    }

    /// Whether a file has a name already.
    pub(crate) fn knows(&self, id: InodeId) -> bool {
        self.known.contains_key(&id)
    }

    /// Remembers the first name that a file was given, `name` in `parent` and `path` below the root.
    pub(crate) fn remember(
        &mut self,
        id: InodeId,
        path: &[u8],
        parent: BorrowedFd<'_>,
        name: &[u8],
    ) -> Result<(), Errno> {
        let first = match path.len() {
            near if near <= NEAR => First::Path(path.to_vec()),
            _ => {
                let number = self.count;
                let aside = self.aside()?;
                linkat(parent, name, aside, number.to_string(), AtFlags::empty())?;
                self.count += 1;
                First::Aside(number)
            }
        };
        self.known.insert(id, first);
        Ok(())
    }

    /// Gives a file that has a name already another one.
    pub(crate) fn link(
        &self,
        id: InodeId,
        parent: BorrowedFd<'_>,
        name: &[u8],
    ) -> Result<(), Errno> {
        let file = match (self.known.get(&id), &self.aside) {
            (Some(First::Path(path)), _) => self.by_path(path)?,
            (Some(First::Aside(number)), Some((aside, _))) => {
                open(aside, number.to_string().as_bytes())?
            }
            _ => return Err(Errno::NOENT),
        };
        // The way to link what a descriptor is of without rights of root; a link is linked, not followed.
        let by_number = format!("/proc/self/fd/{}", file.as_raw_fd());
        anew(parent, name, || linkat(CWD, &by_number, parent, name, AtFlags::SYMLINK_FOLLOW))
    }

    /// What is at a path, to which no link leads.
    fn by_path(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        let (above, last) = match path.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (&path[..slash], &path[slash + 1..]),
            None => (&b""[..], path),
        };
        open(Way::from(self.root).lowest(above)?, last)
    }

    /// The directory aside, which is made when it is first needed.
    fn aside(&mut self) -> Result<BorrowedFd<'_>, Errno> {
        if self.aside.is_none() {
            let made = (0u32..).map(|number| format!(".tarfs-{}-{number}", process::id()));
            for name in made.take(1000) {
                match mkdirat(self.root, &name, Mode::RWXU) {
                    Err(Errno::EXIST) => {}
                    done => {
                        done?;
                        self.aside = Some((open_directory(self.root, name.as_bytes())?, name));
                        break;
                    }
                }
            }
        }
        self.aside.as_ref().map(|(aside, _)| aside.as_fd()).ok_or(Errno::EXIST)
    }

    /// Takes the names nearby away. That changes the root's time, which is to be set later.
    pub(crate) fn done(&mut self) {
        let Some((aside, name)) = self.aside.take() else { return };
        for number in 0..self.count {
            // What is left is told by the directory, which stays then.
            let _ = unlinkat(&aside, number.to_string(), AtFlags::empty());
        }
        let _ = unlinkat(self.root, &name, AtFlags::REMOVEDIR);
    }
}

/// A file of whatever kind, to be linked.
fn open(parent: impl AsFd, name: &[u8]) -> Result<OwnedFd, Errno> {
    openat(parent, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

impl Drop for Links<'_> {
    fn drop(&mut self) {
        self.done();
    }
}
