//! A disk with partitions checked: its tables, and what is in each partition.

use std::path::{Path, PathBuf};

use erofs_tarfs::io::{self as tarfs_io, NamedFile};
use erofs_tarfs::outputs::PartitionTable;

use crate::check::hash_tree_compared;
use crate::check::image::{self, TreePartition};
use crate::check::options::Options;
use crate::check::verdict::Verdict;
use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::files::{hash_tree_partition, partition};

/// What tables count in, in bytes.
const SECTOR: u64 = 512;

/// Where there is something between partitions.
fn between(disk: &NamedFile, table: &PartitionTable) -> Done<Vec<String>> {
    let mut taken: Vec<_> = table.partitions.iter().map(|one| (one.offset, one.bytes)).collect();
    taken.sort_unstable();
    // The usable range ends within the disk, or the table would not have been read.
    taken.push(((table.usable.1 + 1) * SECTOR, 0));
    let (mut at, mut found) = (table.usable.0 * SECTOR, Vec::new());
    for (offset, bytes) in taken {
        if !hash_tree_compared::are_zeros(disk, at, offset)? {
            found.push(format!("bytes {at} to {offset}, which are in no partition, and no zeros"));
        }
        at = offset + bytes;
    }
    Ok(found)
}

/// The verdict on a disk, with one for each partition with EROFS in it.
pub(crate) fn verdict(
    path: &Path,
    disk: &NamedFile,
    layers: &[PathBuf],
    options: &Options,
) -> Done<Verdict> {
    let mut verdict =
        Verdict { path: path.display().to_string(), is_disk: true, ..Verdict::default() };
    let found = match tarfs_io::read_partitions(disk) {
        Ok(found) => found,
        Err(tarfs_io::Error::Table { error, .. }) => {
            verdict.problems.push(format!("its partition table: {error}"));
            return Ok(verdict);
        }
        Err(error) => return Err(error.into()),
    };
    verdict.problems.extend(partition::problems(&found));
    let all = &found.table.partitions;
    let with = partition::with_erofs(disk, all)?;
    if with.len() > 1 && (options.root.is_some() || !layers.is_empty()) {
        let names = with.iter().map(|one| partition::name(path, one));
        let names: Vec<_> = names.map(|name| quote::name(&name).to_string()).collect();
        let why = "--root and --against are of one filesystem: say which of";
        return Err(Fail::Usage(format!("{why} {}", names.join(", "))));
    }
    if with.is_empty() && (options.root.is_some() || !layers.is_empty()) {
        let what = if options.root.is_some() { "a root hash is" } else { "layers are" };
        verdict.problems.push(format!("no partition has EROFS in it, and {what} given"));
    }
    let mut trees = Vec::new();
    for volume in with.iter().copied() {
        let tree = match hash_tree_partition::tree_of(volume, all) {
            Some(tree) => {
                trees.push(tree.number);
                let root = hash_tree_partition::root_of(volume, tree);
                Some(TreePartition { file: partition::open(disk, tree)?, root })
            }
            None => None,
        };
        let (name, file) = (partition::name(path, volume), partition::open(disk, volume)?);
        verdict.partitions.push(image::verdict(&name, file, tree.as_ref(), layers, options)?);
    }
    if options.quick {
        verdict.unread.extend(trees.iter().map(|tree| format!("partition {tree} (--quick)")));
    }
    let is_known = |number| with.iter().any(|one| one.number == number) || trees.contains(&number);
    for other in all.iter().filter(|other| !is_known(other.number)) {
        let (number, kind) = (other.number, partition::kind(other));
        verdict.unread.push(format!("partition {number} has no EROFS in it ({kind})"));
    }
    match options.quick {
        true => verdict.unread.push("what lies between the partitions (--quick)".to_owned()),
        false => verdict.unread.extend(between(disk, &found.table)?),
    }
    let good = verdict.partitions.iter().all(|partition| partition.ok);
    verdict.ok = verdict.problems.is_empty() && good;
    Ok(verdict)
}
