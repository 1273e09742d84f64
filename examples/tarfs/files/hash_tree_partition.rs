//! Volumes whose hash tree is in another partition of the same disk, as systemd finds them.

use std::path::Path;

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::outputs::{FoundPartition, Role};
use erofs_tarfs::verity::{Digest, TreeDigest};

use crate::cli::fail::{Done, Fail};
use crate::files::open;
use crate::files::partition::{self, List};

/// The partition with the hash tree of a volume, if there is one volume and one tree of that type.
pub(crate) fn tree_of<'p>(
    volume: &FoundPartition,
    partitions: &'p [FoundPartition],
) -> Option<&'p FoundPartition> {
    let Some(Role::Volume(kind, architecture)) = volume.role() else { return None };
    let of_type = |role: Role| partitions.iter().filter(move |found| found.role() == Some(role));
    let one = of_type(Role::Volume(kind, architecture)).count() == 1;
    let mut trees = of_type(Role::Tree(kind, architecture)).filter(|_| one);
    trees.next().filter(|_| trees.next().is_none())
}

/// The root hash whose halves are the GUIDs of a volume and of its tree.
pub(crate) fn root_of(volume: &FoundPartition, tree: &FoundPartition) -> TreeDigest {
    let (first, last) = (volume.guid.0, tree.guid.0);
    Digest(core::array::from_fn(|at| if at < 16 { first[at] } else { last[at - 16] })).into()
}

/// The volume of a disk that has a hash tree in another partition, and that tree: the only one, or of
/// several the one whose GUIDs are of this root hash.
pub(crate) fn pair(
    disk: &Path,
    file: &NamedFile,
    root: TreeDigest,
) -> Done<(NamedFile, NamedFile)> {
    let all = partition::read(disk, file)?.table.partitions;
    let pairs = all.iter().filter_map(|volume| Some((volume, tree_of(volume, &all)?)));
    let mut pairs: Vec<_> = pairs.collect();
    if pairs.len() > 1 {
        pairs.retain(|(volume, tree)| root_of(volume, tree) == root);
    }
    match pairs[..] {
        [(volume, tree)] => Ok((partition::open(file, volume)?, partition::open(file, tree)?)),
        _ => {
            let all = List(disk, &all);
            let why = "has no partition with a hash tree of this root hash in another: it has";
            Err(Fail::of(disk, format_args!("{why} {all}")))
        }
    }
}

/// Of a partition as it is named on a command line, `DISK:2`: its hash tree in another partition, and
/// the root hash that their GUIDs say.
pub(crate) fn tree_beside(arg: &Path) -> Done<Option<(NamedFile, TreeDigest)>> {
    let (path, Some(number)) = partition::split(arg) else { return Ok(None) };
    let disk = open::candidate(&path)?;
    // What is wrong with the tables was said when the partition was opened.
    let all = tarfs_io::read_partitions(&disk)?.table.partitions;
    let Some(volume) = all.iter().find(|one| one.number == number) else { return Ok(None) };
    match tree_of(volume, &all) {
        Some(tree) => Ok(Some((partition::open(&disk, tree)?, root_of(volume, tree)))),
        None => Ok(None),
    }
}
