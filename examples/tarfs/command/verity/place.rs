//! Which file is sealed, and where its hash tree is.

use std::path::{Path, PathBuf};

use clap::Args as Group;
use erofs_tarfs::io::NamedFile;
use erofs_tarfs::verity::{HashPlacement, Params, Sealed, TreeDigest};

use crate::cli::fail::{Done, Fail};
use crate::cli::hash_tree_options::Preset;
use crate::files::kind::Kind;
use crate::files::{hash_tree_partition, open};
use crate::hash_tree::sought::{self, Extent, Sought};

/// A sealed file, the parameters of its tree, and where that is.
#[derive(Debug, Group)]
pub(crate) struct Place {
    #[command(flatten)]
    pub(super) params: Preset,
    /// Where the tree is, from byte 0 on; behind the data if not given.
    #[arg(long, value_name = "FILE")]
    pub(super) hash: Option<PathBuf>,
    /// How many data blocks there are; without it all of DATA is data, or with the tree behind
    /// the data what the filesystem in DATA says.
    #[arg(long, value_name = "N")]
    pub(super) data_blocks: Option<u64>,
    /// Byte offset of the hash area, where it is not right behind the data.
    #[arg(long, value_name = "N")]
    pub(super) hash_offset: Option<u64>,
    /// The sealed file.
    #[arg(value_name = "DATA")]
    pub(super) data: PathBuf,
}

impl Place {
    /// The files, and what they are sealed by, if this is the root hash.
    pub(super) fn sealed(&self, root: TreeDigest) -> Done<(Sought, Sealed)> {
        let sought = self.sought(root)?;
        let geometry = sought.geometry(&self.params)?;
        refuse_other_length(&self.data, root, geometry.params())?;
        Ok((sought, Sealed::new(geometry, root)))
    }

    fn sought(&self, root: TreeDigest) -> Done<Sought> {
        let (data, kind) = open::input_or_disk(&self.data)?;
        let elsewhere =
            self.hash.is_some() || self.data_blocks.is_some() || self.hash_offset.is_some();
        if kind == Kind::Gpt && !elsewhere {
            let (data, hashes) = hash_tree_partition::pair(&self.data, &data, root)?;
            return apart(data, hashes);
        }
        if !elsewhere && let Some((tree, _)) = hash_tree_partition::tree_beside(&self.data)? {
            return apart(data, tree);
        }
        let place = match (self.hash_offset, &self.hash) {
            (Some(offset), None) => HashPlacement::At(offset),
            (None, None) => HashPlacement::BehindData,
            (None | Some(0), Some(_)) => HashPlacement::OwnFile,
            (Some(_), Some(_)) => {
                return Err(Fail::Usage("--hash-offset is for a tree behind the data".to_owned()));
            }
        };
        let hashes = open::input_or_disk(self.hash.as_ref().unwrap_or(&self.data))?.0;
        let end = sought::filesystem(&data);
        let (extent, least) = match (self.data_blocks, &self.hash) {
            (Some(blocks), _) => (Extent::Blocks(blocks), 0),
            (None, Some(_)) => {
                let bytes = data.bytes()?;
                (Extent::Bytes(bytes), end.unwrap_or(bytes))
            }
            (None, None) => match end {
                Ok(end) => (Extent::Bytes(end), end),
                Err(_) if self.hash_offset.is_some() && !self.params.is_set() => {
                    (Extent::Unknown, 0)
                }
                Err(fail) => return Err(fail),
            },
        };
        Ok(Sought { data, extent, least, hashes, place })
    }
}

/// A volume, and its hash tree in another partition.
fn apart(data: NamedFile, hashes: NamedFile) -> Done<Sought> {
    let end = sought::filesystem(&data)?;
    Ok(Sought::of_filesystem(data, end, hashes, HashPlacement::OwnFile))
}

/// Refuses a root hash that is of another algorithm than the tree, by its length.
fn refuse_other_length(data: &Path, root: TreeDigest, params: &Params) -> Done {
    let (given, wanted) = (root.algorithm(), params.algorithm());
    if given == wanted {
        return Ok(());
    }
    let way = "the superblock says it, or --hash-algorithm";
    let why = format_args!("ROOT is of {given}, and the tree of {wanted} ({way})");
    Err(Fail::of(data, why))
}
