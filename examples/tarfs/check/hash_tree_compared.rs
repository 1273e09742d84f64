//! The hash tree that data should have, compared with the one that is there.

use std::io;
use std::sync::{Mutex, PoisonError};

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::io::verity::{self, HashingOptions, ReadAt, WriteAt};
use erofs_tarfs::verity::{Geometry, TreeDigest};

use crate::cli::fail::{Done, Fail};
use crate::cli::progress::{Progress, Stage};

/// The tree that data should have, compared with the one that is there.
pub(crate) struct Compared {
    pub(crate) geometry: Geometry,
    /// The root of the data as it is.
    pub(crate) root: TreeDigest,
    /// Digests in the tree that are what they should be.
    pub(crate) right: u64,
    /// The first that are not, and whether they are missing.
    pub(crate) wrong: Option<(u64, bool)>,
}

/// Hashes all data, and compares the tree with what is there.
pub(crate) fn compare(
    data: &NamedFile,
    file: &NamedFile,
    geometry: Geometry,
    hashing: &HashingOptions,
) -> Done<Compared> {
    let progress = Progress::new(Stage::Verifying, Some(geometry.data_bytes()));
    let tree = TreeInFile { file, len: file.bytes()?, state: Mutex::new((0, None)) };
    let sealed = verity::seal(&progress.file(data), &tree, geometry.clone(), hashing);
    let sealed = sealed.map_err(|error| Fail::of(file.path(), error))?;
    let (right, wrong) = tree.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Compared { geometry, root: sealed.root(), right, wrong })
}

/// The tree in the file. It takes the place of a file that a tree is written to, and compares what is
/// written with what is there.
struct TreeInFile<'a> {
    file: &'a NamedFile,
    len: u64,
    state: Mutex<(u64, Option<(u64, bool)>)>,
}

impl WriteAt for TreeInFile<'_> {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let there = self.len.saturating_sub(offset).min(bytes.len() as u64) as usize;
        let mut found = vec![0; there];
        ReadAt::read_exact_at(self.file, &mut found, offset)?;
        let differs = found.iter().zip(bytes).position(|(found, byte)| found != byte);
        let wrong = match differs {
            Some(at) => Some((offset + at as u64, false)),
            None => (there < bytes.len()).then_some((self.len, true)),
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let digests = found.chunks(32).zip(bytes.chunks(32));
        let right = digests
            .filter(|(found, digest)| found == digest && found.iter().any(|byte| *byte != 0));
        state.0 += right.count() as u64;
        // Bytes that are there and wrong say more than those that are missing.
        let rank = |(at, missing): (u64, bool)| (missing, at);
        state.1 = [state.1, wrong].into_iter().flatten().min_by_key(|wrong| rank(*wrong));
        Ok(())
    }
}

/// Whether a file has nothing but zeros from one byte to another.
pub(crate) fn are_zeros(file: &NamedFile, from: u64, to: u64) -> Done<bool> {
    let mut buf = vec![0; 64 << 10];
    let mut at = from;
    while at < to {
        let part = &mut buf[..(to - at).min(64 << 10) as usize];
        file.read_exact_at(part, at)?;
        if part.iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
        at += part.len() as u64;
    }
    Ok(true)
}
