//! SHA-256 digests of files, and tags that are such digests.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;

use erofs_tarfs::io::{Buffer, NamedFile};
use sha2::{Digest, Sha256};

use crate::cli::fail::{Done, Fail};
use crate::cli::numbers;
use crate::cli::progress::{Progress, Stage};

/// The SHA-256 of a file, in hex.
pub(crate) fn sha256(file: &NamedFile, observer: &mut dyn FnMut(u64)) -> Done<String> {
    let (mut at, end) = (0, file.bytes()?);
    let mut hasher = Sha256::new();
    let mut buf = Buffer::new(256 << 10);
    while at < end {
        let piece = &mut buf[..(end - at).min(256 << 10) as usize];
        file.read_exact_at(piece, at)?;
        hasher.update(&*piece);
        at += piece.len() as u64;
        observer(piece.len() as u64);
    }
    Ok(numbers::to_hex(&hasher.finalize()))
}

/// What a digest is kept by: device, inode, the range of the file, and its change time.
type State = (u64, u64, (u64, u64), (i64, i64));

thread_local! {
    /// Digests of files. No output comes of any that changes while it is read.
    static DIGESTS: RefCell<BTreeMap<State, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// The SHA-256 of a file that must not change from now on; it takes a while the first time.
pub(crate) fn of(file: &NamedFile) -> Done<String> {
    let found = file.file().metadata().map_err(|error| Fail::of(file.path(), error))?;
    let range = (file.start(), file.bytes()?);
    let key = (found.dev(), found.ino(), range, (found.ctime(), found.ctime_nsec()));
    // A block device's change time is that of its node, and stays when its content changes.
    let lasts = found.is_file();
    if let Some(known) = DIGESTS.with_borrow(|known| known.get(&key).cloned()).filter(|_| lasts) {
        return Ok(known);
    }
    let progress = Progress::new(Stage::Verifying, Some(file.bytes()?));
    let digest = sha256(file, &mut progress.observer())?;
    DIGESTS.with_borrow_mut(|known| known.insert(key, digest.clone()));
    Ok(digest)
}

/// Whether a text is a digest as references and descriptors have them: `sha256:` and hex digits.
pub(crate) fn is_named_digest(text: &str) -> bool {
    text.strip_prefix("sha256:").is_some_and(is_digest)
}

/// Whether a tag is a SHA-256.
pub(crate) fn is_digest(tag: &str) -> bool {
    tag.len() == 64 && tag.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
}
