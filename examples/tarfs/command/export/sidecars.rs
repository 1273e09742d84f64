//! Sidecars of the disks that an export makes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use erofs_tarfs::export::Product;
use erofs_tarfs::io::{self as tarfs_io, Exported};
use erofs_tarfs::verity::{Params, Sealed};

use super::Export;
use crate::cli::fail::{Done, Fail};
use crate::files::output::Output;
use crate::files::place;
use crate::files::target::Target;
use crate::hash_tree::sidecar;

/// Refuses sidecars of what containerd does not open by one.
pub(super) fn check(args: &Export, product: Product, params: &Params, several: bool) -> Done {
    let Some(named) = &args.sealing.sidecar else { return Ok(()) };
    let usage = |why: &str| Err(Fail::Usage(format!("--sidecar{why}")));
    match product {
        Product::SealedDisk if !args.forms.are_plain() => {
            usage(" is of a disk in one file: no --form and no --gpt")
        }
        Product::SealedDisk if several && named.is_some() => {
            usage("=FILE is of one disk, and several layers make several: --sidecar")
        }
        Product::SealedDisk => sidecar::check(params),
        _ => usage(" is of a disk with its hash tree behind it: a mode *_block_with_verity"),
    }
}

/// The disks that are sealed, by the names that the user knows. A layer that is there twice has one disk.
pub(super) fn sealed(target: &Target, made: &[Exported]) -> BTreeMap<PathBuf, Sealed> {
    let sealed = |disk: &Exported| {
        let name = target.name(&disk.path).to_owned();
        Some((name, disk.sealed()?.clone()))
    };
    made.iter().filter_map(sealed).collect()
}

/// The sidecars of disks, none of which has its name yet, where they are asked for. A directory of several
/// disks may have no name yet either: sidecars get theirs where the disks do.
pub(super) fn of(
    args: &Export,
    sealed: &BTreeMap<PathBuf, Sealed>,
    disks: &[tarfs_io::Output],
) -> Done<Vec<Output>> {
    let mut all = Vec::new();
    for (name, sealed) in sealed {
        let Some(path) = sidecar::path(&args.sealing, sealed.params(), name)? else { continue };
        let is_beside = place::directory(&path) == place::directory(name);
        let sidecar = match disks.iter().find(|disk| is_beside && disk.path() == name) {
            Some(disk) => Output::of(disk.sibling(&path)?, &path)?,
            // It goes elsewhere, perhaps to another file system, or the disk is called otherwise, by a link.
            None => Output::new(&path)?,
        };
        sidecar::write(&sidecar, sealed)?;
        all.push(sidecar);
    }
    Ok(all)
}
