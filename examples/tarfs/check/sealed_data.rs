//! All data of a disk held against the hash tree behind it.

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::io::verity::{self, HashingOptions};
use erofs_tarfs::verity::{Fault, Geometry, HashPlacement, Params, Sealed, Superblock, TreeDigest};

use crate::check::hash_tree_compared::{self, Compared};
use crate::check::verdict::Root;
use crate::cli::fail::{Done, Fail};
use crate::hash_tree::{search, unfinished};

/// What is looked for behind a filesystem.
pub(crate) struct Wanted<'a> {
    /// Where the filesystem ends.
    pub(crate) end: u64,
    pub(crate) params: &'a Params,
    pub(crate) root: Option<TreeDigest>,
    pub(crate) hashing: &'a HashingOptions,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) root: Option<Root>,
    pub(crate) problems: Vec<String>,
    pub(crate) unread: Vec<String>,
}

/// The geometry that a superblock at the beginning of a file of hashes says.
fn geometry_of(hashes: &NamedFile) -> Done<Geometry> {
    let mut bytes = [0; Superblock::LEN];
    hashes.read_exact_at(&mut bytes, 0)?;
    let read = Superblock::parse(&bytes).and_then(|read| read.geometry(HashPlacement::OwnFile));
    read.map_err(|error| Fail::of(hashes.path(), error))
}

/// Checks a filesystem against a hash tree in a file of its own, which has a superblock.
pub(crate) fn apart(data: &NamedFile, hashes: &NamedFile, wanted: &Wanted<'_>) -> Done<Found> {
    let (mut found, len) = (Found::default(), data.bytes()?);
    let geometry = match geometry_of(hashes) {
        Ok(geometry) => geometry,
        Err(fail) => {
            found.problems.push(format!("its hash tree: {fail}"));
            return Ok(found);
        }
    };
    let covered = geometry.data_bytes();
    if covered > len || covered < wanted.end {
        let end = wanted.end;
        let text =
            format!("its hash tree is of {covered} bytes, the filesystem has {end} of {len}");
        found.problems.push(text);
        return Ok(found);
    }
    let (end, has) = (geometry.end(), hashes.bytes()?);
    if end > has {
        let text = format!("its hash tree was cut short: it ends at {end}, the partition at {has}");
        found.problems.push(text);
        return Ok(found);
    }
    let compared = hash_tree_compared::compare(data, hashes, geometry, wanted.hashing)?;
    judge((data, hashes), hashes.bytes()?, wanted, &compared, &mut found)?;
    if !hash_tree_compared::are_zeros(data, covered, len)? {
        found.unread.push(format!("{} bytes behind what the hash tree is of", len - covered));
    }
    Ok(found)
}

/// Checks what lies behind the filesystem in `file`.
pub(crate) fn check(file: &NamedFile, wanted: &Wanted<'_>) -> Done<Found> {
    let (mut found, len) = (Found::default(), file.bytes()?);
    if unfinished::found(file)?.is_some() {
        found.problems.push(unfinished::UNFINISHED.to_owned());
        return Ok(found);
    }
    if !hash_tree_compared::are_zeros(file, wanted.end, len)? {
        if let Some(compared) = best(file, len, wanted)? {
            judge((file, file), len, wanted, &compared, &mut found)?;
            return Ok(found);
        }
        let rest = len - wanted.end;
        if wanted.root.is_some() {
            let text = "are no hash tree of the parameters that were tried: which salt and block sizes \
                        belong to the root hash, say --salt, --preset and the like";
            found.problems.push(format!("{rest} bytes behind the filesystem {text}"));
            return Ok(found);
        }
        let text = "behind the filesystem that are no hash tree of the parameters of the options, \
                    of a preset, or of a superblock";
        found.unread.push(format!("{rest} bytes {text}"));
    }
    if wanted.root.is_some() {
        found.problems.push("there is no hash tree behind it, and a root hash is given".to_owned());
    }
    Ok(found)
}

/// The tree that is there: of all that may be, the one of which the most digests are right.
fn best(file: &NamedFile, len: u64, wanted: &Wanted<'_>) -> Done<Option<Compared>> {
    let mut candidates = search::candidates(file, wanted.end, wanted.params)?;
    candidates.retain(|geometry| geometry.data_bytes() <= len);
    candidates.sort_by_key(|geometry| geometry.end() != len);
    let mut best: Option<Compared> = None;
    for geometry in candidates {
        let is_known = |best: &Compared| best.geometry == geometry;
        if best.as_ref().is_some_and(is_known) {
            continue;
        }
        let compared = hash_tree_compared::compare(file, file, geometry, wanted.hashing)?;
        if compared.wrong.is_none() {
            return Ok(Some(compared));
        }
        // If no digest is right, it may as well be a tree of another salt: it is not reported as damaged.
        if compared.right > best.as_ref().map_or(0, |best| best.right) {
            best = Some(compared);
        }
    }
    Ok(best)
}

fn judge(
    (data, file): (&NamedFile, &NamedFile),
    len: u64,
    wanted: &Wanted<'_>,
    compared: &Compared,
    found: &mut Found,
) -> Done {
    let (geometry, root) = (&compared.geometry, compared.root);
    match (compared.wrong, wanted.root) {
        (Some((at, true)), _) => {
            let end = geometry.end();
            let text = format!("its hash tree was cut short: it ends at {end}, the file at {at}");
            found.problems.push(text);
        }
        // With the root hash it can be told which block is wrong.
        (Some((at, false)), Some(given)) => {
            let sealed = Sealed::new(geometry.clone(), given);
            let text = match verity::verify(data, file, &sealed, wanted.hashing) {
                Ok(()) => format!("its hash tree has other bytes than that of its data at {at}"),
                Err(Fault::Verity(error)) => error.to_string(),
                Err(Fault::Caller(error)) => format!("its hash tree cannot be read: {error}"),
            };
            found.problems.push(text);
        }
        (Some((at, false)), None) => {
            let text =
                "its data and its hash tree do not belong together: the tree has other bytes";
            found.problems.push(format!("{text} than that of the data at {at}"));
        }
        (None, given) => {
            if let Some(given) = given.filter(|given| *given != root) {
                found.problems.push(format!("its root hash is {root}, not {given}"));
            }
            let given = given.is_some();
            found.root = Some(Root { root_hash: root.to_string(), given, by_guids: false });
            if !given {
                let text = "the root hash, as none is given: data and hash tree belong together";
                found.unread.push(text.to_owned());
            }
        }
    }
    let mut gaps = Vec::new();
    if geometry.same_file() {
        gaps.push((geometry.data_bytes(), geometry.hash_offset()));
    }
    if let (Some(at), Some(tree)) = (geometry.superblock_offset(), geometry.levels().last()) {
        let first =
            geometry.levels().iter().fold(tree.offset, |first, level| first.min(level.offset));
        gaps.push((at + Superblock::LEN as u64, first));
    }
    for (from, to) in gaps {
        if !hash_tree_compared::are_zeros(file, from, to.min(len))? {
            found.problems.push(format!("between {from} and {to} it is not all zeros"));
        }
    }
    if !hash_tree_compared::are_zeros(file, geometry.end(), len)? {
        found.unread.push(format!("{} bytes behind the hash tree", len - geometry.end()));
    }
    Ok(())
}
