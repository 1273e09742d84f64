//! The directories from the root down to the one that is being filled, of which only the lowest are open: a tree may
//! be deeper than a process may have files.

use std::collections::VecDeque;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::io::Errno;

use super::directory::open_directory;

/// How many are open at most. Usual limits are 1024 and more.
const OPEN: usize = 256;

/// The way down.
pub(crate) struct Way<'a> {
    root: BorrowedFd<'a>,
    /// The lowest ones, from above to below.
    open: VecDeque<OwnedFd>,
    /// How many are above those.
    closed: usize,
}

impl<'a> Way<'a> {
    /// Of nothing yet, not even the root.
    pub(crate) fn from(root: BorrowedFd<'a>) -> Self {
        Self { root, open: VecDeque::new(), closed: 0 }
    }

    /// Whether the root was not come to yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty() && self.closed == 0
    }

    /// One more, in what was the lowest.
    pub(crate) fn push(&mut self, directory: OwnedFd) {
        if self.open.len() == OPEN && self.open.pop_front().is_some() {
            self.closed += 1;
        }
        self.open.push_back(directory);
    }

    /// The lowest one, whose path below the root this is.
    pub(crate) fn lowest(&mut self, path: &[u8]) -> Result<&OwnedFd, Errno> {
        if self.open.is_empty() {
            self.reopen(path)?;
        }
        self.open.back().ok_or(Errno::BADF)
    }

    /// The lowest one, which is left.
    pub(crate) fn pop(&mut self, path: &[u8]) -> Result<OwnedFd, Errno> {
        if self.open.is_empty() {
            self.reopen(path)?;
        }
        self.open.pop_back().ok_or(Errno::BADF)
    }

    /// Goes down from the root again, by no link. That is done once for as many steps upwards as directories are kept
    /// open, so that it costs a deep tree a part of the square of its depth, and others nothing.
    fn reopen(&mut self, path: &[u8]) -> Result<(), Errno> {
        self.closed = 0;
        self.push(open_directory(self.root, b".")?);
        for name in path.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
            let above = self.open.back().ok_or(Errno::BADF)?;
            let directory = open_directory(above, name)?;
            self.push(directory);
        }
        Ok(())
    }
}
