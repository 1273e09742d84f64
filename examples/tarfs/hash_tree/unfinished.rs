//! Hash trees that are put behind data, in the data's own file: after a kill it can be told that such a
//! tree is not whole.
//!
//! A rename can't put the finished tree in place, as tree and data are one file. So first of all a mark
//! is written behind where the tree will end, in one write; it says how long the data was. When the tree
//! is whole, the file is cut before the mark. Whoever finds a mark knows that there is no whole tree
//! before it, and gives the file its old length.

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::verity::Geometry;
use sha2::{Digest, Sha256};

use crate::cli::fail::{Done, Fail};
use crate::files::durable;

/// What a mark begins with.
const MAGIC: &[u8; 32] = b"tarfs: unfinished dm-verity tree";

/// Magic, length of the data, byte of the mark itself, SHA-256 of these.
const LEN: usize = 32 + 8 + 8 + 32;

/// A mark starts a page, so that one write of it can't be half done when the program is killed.
const PAGE: u64 = 4096;

fn mark(before: u64, at: u64) -> Vec<u8> {
    let mut mark = [&MAGIC[..], &before.to_le_bytes(), &at.to_le_bytes()].concat();
    mark.extend(Sha256::digest(&mark));
    mark
}

/// How long the data of a file was before a run that was ended, if one was.
pub(crate) fn found(file: &NamedFile) -> Done<Option<u64>> {
    let Some(at) = file.bytes()?.checked_sub(LEN as u64) else { return Ok(None) };
    let mut read = [0; LEN];
    file.read_exact_at(&mut read, at)?;
    let mut before = [0; 8];
    before.copy_from_slice(&read[MAGIC.len()..][..8]);
    let before = u64::from_le_bytes(before);
    Ok((before <= at && read[..] == mark(before, at)).then_some(before))
}

/// Refuses a file with a part of a tree behind its data.
pub(crate) fn refuse(file: &NamedFile) -> Done {
    match found(file)? {
        Some(_) => Err(Fail::of(file.path(), UNFINISHED)),
        None => Ok(()),
    }
}

/// What is wrong with it.
pub(crate) const UNFINISHED: &str =
    "has a part of a hash tree behind it, of a run that was ended: `tarfs verity format` again";

/// Data that grows by a tree, and has its old length again when nothing comes of it.
pub(crate) struct Growing<'a> {
    file: &'a NamedFile,
    before: u64,
    done: bool,
}

impl<'a> Growing<'a> {
    /// Makes room for a tree behind the first `before` bytes of a file, and marks it.
    pub(crate) fn new(file: &'a NamedFile, before: u64, geometry: &Geometry) -> Done<Self> {
        let growing = Self { file, before, done: false };
        let at = geometry.end().max(before).next_multiple_of(PAGE);
        file.write_all_at(&mark(before, at), at)?;
        // In any case: the data is not ours to be made anew, and this is what tells it from a part of a tree.
        file.file().sync_all().map_err(|error| Fail::of(file.path(), error))?;
        Ok(growing)
    }

    /// The tree is whole.
    pub(crate) fn finish(mut self, geometry: &Geometry) -> Done {
        // What it says must be on the disk before the mark is gone.
        self.sync()?;
        self.file.set_bytes(geometry.end())?;
        self.sync()?;
        self.done = true;
        Ok(())
    }

    fn sync(&self) -> Done {
        durable::sync(self.file.path(), self.file.file())
    }
}

impl Drop for Growing<'_> {
    fn drop(&mut self) {
        if !self.done {
            // Where this fails, the mark stays and says the same.
            let _ = self.file.set_bytes(self.before);
        }
    }
}
