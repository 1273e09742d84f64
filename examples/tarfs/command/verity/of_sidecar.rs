//! What containerd's sidecar says of a sealed file, to be held against the file.

use std::path::Path;

use erofs_tarfs::verity::{HashPlacement, Params, Sealed, SuperblockMode, TreeDigest};

use crate::cli::fail::{Done, Fail};
use crate::cli::hash_tree_options::Preset;
use crate::cli::quote;
use crate::files::kind::Kind;
use crate::files::open;
use crate::hash_tree::sidecar;
use crate::hash_tree::sought::{self, Extent, Sought};

/// The file that `arg` names, and what the sidecar at `path` says that it is sealed by. A root hash that the
/// user gives must be that of the sidecar.
pub(super) fn sought(
    arg: &Path,
    preset: &Preset,
    path: &Path,
    root: Option<TreeDigest>,
) -> Done<(Sought, Sealed)> {
    let wrong = |why: std::fmt::Arguments<'_>| Fail::of(path, why);
    let stated = sidecar::read(path)?;
    if let Some(given) = root.filter(|given| *given != stated.root) {
        return Err(wrong(format_args!("says the root hash {}, not {given}", stated.root)));
    }
    let (data, kind) = open::input_or_disk(arg)?;
    let offset = stated.hash_offset;
    let least = if kind == Kind::Erofs { sought::filesystem(&data)? } else { 0 };
    if least > offset {
        let why = "says that the hash area starts at byte";
        return Err(wrong(format_args!("{why} {offset}: the filesystem ends at {least}")));
    }
    let (hashes, place) = (data.try_clone()?, HashPlacement::At(offset));
    let sought = Sought { data, extent: Extent::Bytes(offset), least, hashes, place };
    // So Kata takes a tree without a superblock.
    let of_kata = |salt: &Option<Vec<u8>>| {
        let salt = salt.as_deref().unwrap_or(&[0; 32]);
        Params::new(4096, 4096, salt, SuperblockMode::None).map_err(|error| Fail::of(path, error))
    };
    let geometry = sought.geometry_or(preset, |_| of_kata(&stated.salt))?;
    let params = geometry.params();
    if stated.salt.as_ref().is_some_and(|salt| salt != params.salt()) {
        return Err(wrong(format_args!("says another salt than the hash tree has")));
    }
    // What lies between data and hash area would not be verified.
    let (data_bytes, block) = (geometry.data_bytes(), params.hash_block().bytes());
    if data_bytes.next_multiple_of(block.into()) < offset {
        let why = "says that the hash area starts at byte";
        return Err(wrong(format_args!("{why} {offset}, and its tree is over {data_bytes} bytes")));
    }
    Ok((sought, Sealed::new(geometry, stated.root)))
}

/// What to say where neither a root hash nor a sidecar is named.
pub(super) fn no_root(data: &Path) -> Fail {
    let beside = sidecar::beside(data);
    Fail::Usage(match beside.is_file() {
        true => {
            let why = "is there, but who can write the one may write the other too";
            format!("a root hash is wanted, or --sidecar: {} {why}", quote::name(&beside))
        }
        false => "a root hash is wanted, or --sidecar=FILE with one".to_owned(),
    })
}
