//! Why a root hash does not match: often the tree is there, and has other parameters than those that
//! were looked for. Then errors say which.

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::verity::{Digest, Geometry, HashPlacement, Params, Sealed, SuperblockMode};

use crate::cli::fail::Done;
use crate::cli::numbers;
use crate::hash_tree::search;

/// The trees of all presets over data of which the parameters say how long it is.
pub(crate) fn presets(
    bytes: impl Fn(&Params) -> Option<u64>,
    place: HashPlacement,
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
    // A tree of these parameters is the one that was looked for, and something else is wrong.
    for geometry in candidates.filter(|other| !is_equal(other.params(), wanted.params())) {
        if search::root(data, hashes, &geometry)? == Some(wanted.root()) {
            return Ok(Some(said(geometry.params(), wanted.params(), wanted.root())));
        }
    }
    Ok(None)
}

/// In which way a tree is not of the parameters that were looked for.
fn said(is: &Params, wanted: &Params, root: Digest) -> String {
    let names_it = |name: &&str| Params::named(name).is_some_and(|preset| is_equal(&preset, is));
    let name = Params::NAMES.into_iter().find(names_it);
    let way = match name {
        Some(name) => format!("--preset {name}"),
        None => options(is),
    };
    let (is, wanted) = (described(is), described(wanted));
    format!("the tree with the root hash {root} has other parameters: {is}; not {wanted} ({way})")
}

/// The options that say all parameters.
fn options(params: &Params) -> String {
    let (data, hash) = (params.data_block().bytes(), params.hash_block().bytes());
    let salt = match params.salt() {
        [] => "-".to_owned(),
        salt => numbers::to_hex(salt),
    };
    let superblock = if has_superblock(params) { " --superblock" } else { "" };
    format!("--data-block-size {data} --hash-block-size {hash} --salt {salt}{superblock}")
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
