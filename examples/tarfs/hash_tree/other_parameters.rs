//! Why a root hash does not match: often the tree is there, and has other parameters than those that
//! were looked for. Then errors say which.

use erofs_tarfs::io::NamedFile;
use erofs_tarfs::verity::{
    Algorithm, Geometry, HashFormat, HashPlacement, Params, Sealed, SuperblockMode, TreeDigest,
};

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
fn said(is: &Params, wanted: &Params, root: TreeDigest) -> String {
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
    let algorithm = match params.algorithm() {
        Algorithm::Sha256 => String::new(),
        other => format!(" --hash-algorithm {other}"),
    };
    let format = match params.format() {
        HashFormat::Normal => String::new(),
        other => format!(" --hash-format {}", other.number()),
    };
    let more = format!("{superblock}{algorithm}{format}");
    format!("--data-block-size {data} --hash-block-size {hash} --salt {salt}{more}")
}

fn described(params: &Params) -> String {
    let (data, hash) = (params.data_block().bytes(), params.hash_block().bytes());
    let salt = match params.salt() {
        [] => "no salt".to_owned(),
        salt if salt.iter().all(|byte| *byte == 0) => format!("a salt of {} zeros", salt.len()),
        salt => format!("a salt of {} bytes", salt.len()),
    };
    let superblock = if has_superblock(params) { "a superblock" } else { "no superblock" };
    let unusual = match (params.algorithm(), params.format()) {
        (Algorithm::Sha256, HashFormat::Normal) => String::new(),
        (algorithm, format) => format!(", {algorithm} in format {}", format.number()),
    };
    format!("blocks of {data}/{hash}, {salt}, {superblock}{unusual}")
}

/// Whether they are the same but for the UUID of a superblock.
fn is_equal(a: &Params, b: &Params) -> bool {
    let sizes =
        |params: &Params| (params.data_block(), params.hash_block(), has_superblock(params));
    let hashes = |params: &Params| (params.algorithm(), params.format());
    sizes(a) == sizes(b) && hashes(a) == hashes(b) && a.salt() == b.salt()
}

fn has_superblock(params: &Params) -> bool {
    params.superblock() != SuperblockMode::None
}
