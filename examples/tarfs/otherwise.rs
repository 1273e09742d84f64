//! Trees of other parameters than those that were looked for: a root hash alone does not say why
//! nothing matches.

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::verity::{
    BlockHasher, Digest, Geometry, Params, Placement, Sealed, SuperblockMode,
};

use crate::behind;
use crate::fail::Done;

/// The trees of all presets over data of which the parameters say how long it is.
pub(crate) fn presets(
    bytes: impl Fn(&Params) -> Option<u64>,
    place: Placement,
) -> impl Iterator<Item = Geometry> {
    let presets = Params::NAMES.into_iter().filter_map(Params::named);
    presets.filter_map(move |params| Geometry::new(&params, bytes(&params)?, place).ok())
}

/// What to say where one of `candidates` has the root hash, and not the tree that was looked for.
pub(crate) fn found(
    data: &NamedFile,
    hashes: &NamedFile,
    candidates: impl Iterator<Item = Geometry>,
    wanted: &Sealed,
) -> Done<Option<String>> {
    for geometry in candidates.filter(|geometry| geometry != wanted.geometry()) {
        if has_root(data, hashes, &geometry, wanted.root())? {
            return Ok(Some(said(geometry.params(), wanted.params(), wanted.root())));
        }
    }
    Ok(None)
}

/// The same for a tree behind the first `end` bytes of a file.
pub(crate) fn behind(file: &NamedFile, end: u64, wanted: &Sealed) -> Done<Option<String>> {
    let candidates = behind::candidates(file, end, wanted.params())?;
    found(file, file, candidates.into_iter(), wanted)
}

/// Whether a tree of this geometry has this root: by its highest block, which the root is of.
pub(crate) fn has_root(
    data: &NamedFile,
    hashes: &NamedFile,
    geometry: &Geometry,
    root: Digest,
) -> Done<bool> {
    let (file, at, size) = match geometry.levels().last() {
        Some(level) => (hashes, level.offset, geometry.hash_block().bytes()),
        None => (data, 0, geometry.data_block().bytes()),
    };
    if at.checked_add(size.into()).is_none_or(|end| file.bytes().is_ok_and(|len| end > len)) {
        return Ok(false);
    }
    let mut block = vec![0; size as usize];
    file.read_exact_at(&mut block, at)?;
    Ok(BlockHasher::of(geometry.params()).hash(&block) == root)
}

/// In which way a tree is not of the parameters that were looked for.
fn said(is: &Params, wanted: &Params, root: Digest) -> String {
    let equal = |preset: &Params| is_equal(preset, is);
    let name =
        Params::NAMES.into_iter().find(|name| Params::named(name).is_some_and(|p| equal(&p)));
    let way = match name {
        Some(name) => format!("--preset {name}"),
        None => "no --preset, no sizes and no --salt: its superblock is read then".to_owned(),
    };
    let (is, wanted) = (described(is), described(wanted));
    format!("the tree with the root hash {root} has other parameters: {is}; not {wanted} ({way})")
}

fn described(params: &Params) -> String {
    let (data, hash) = (params.data_block().bytes(), params.hash_block().bytes());
    let salt = match params.salt() {
        [] => "no salt".to_owned(),
        salt if salt.iter().all(|byte| *byte == 0) => format!("a salt of {} zeros", salt.len()),
        salt => format!("a salt of {} bytes", salt.len()),
    };
    let superblock = if has_superblock(params) { "a superblock" } else { "no superblock" };
    format!("blocks of {data}/{hash}, {salt}, {superblock}")
}

/// Whether they are the same but for the UUID of a superblock.
fn is_equal(a: &Params, b: &Params) -> bool {
    let sizes =
        |params: &Params| (params.data_block(), params.hash_block(), has_superblock(params));
    sizes(a) == sizes(b) && a.salt() == b.salt()
}

fn has_superblock(params: &Params) -> bool {
    params.superblock() != SuperblockMode::None
}
