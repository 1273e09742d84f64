//! `--sealed`: digests of data blocks that are taken from the hash trees of layers' disks.

use std::path::PathBuf;
use std::rc::Rc;

use erofs_tarfs::io::verity::{HashingOptions, read_leaves};
use erofs_tarfs::verity::{self, Fault, HashPlacement, Params, TreeDigest};

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::hash_tree::sought::{self, Sought};
use crate::layers::loaded::{Backing, Loaded};

/// A layer's disk and the root hash of the tree behind it.
#[derive(Clone, Debug)]
pub(crate) struct SealedLayer {
    pub(crate) disk: PathBuf,
    pub(crate) root: TreeDigest,
}

/// Reads `DISK=ROOT`.
pub(crate) fn parse(text: &str) -> Result<SealedLayer, String> {
    let (disk, root) = text.rsplit_once('=').ok_or("DISK=ROOT is wanted")?;
    let root = root.strip_prefix("sha256:").unwrap_or(root);
    let root = root.parse().map_err(|error: verity::Error| error.to_string())?;
    Ok(SealedLayer { disk: disk.into(), root })
}

/// Reads the lowest level of the hash tree of each layer that is sealed, and verifies it by the root
/// hash.
pub(crate) fn read(
    layers: &mut [Loaded],
    all: &[SealedLayer],
    params: &Params,
    hashing: &HashingOptions,
) -> Done {
    for SealedLayer { disk, root } in all {
        let mut leaves = None;
        for layer in layers.iter_mut().filter(|layer| layer.name == *disk) {
            let Backing::File(file) = &layer.backing else {
                return Err(Fail::of(disk, "is no disk that could be sealed"));
            };
            if leaves.is_none() {
                let end = sought::filesystem(file)?;
                let (data, hashes) = (file.try_clone()?, file.try_clone()?);
                let sought = Sought::of_filesystem(data, end, hashes, HashPlacement::BehindData);
                let sealed = verity::Sealed::new(sought.of_params(params)?, *root);
                sought.is_whole(&sealed)?;
                let read = match read_leaves(file, &sealed, hashing) {
                    Ok(read) => read,
                    Err(fault) => {
                        let error = match fault {
                            Fault::Verity(error) => error.to_string(),
                            Fault::Caller(error) => error.to_string(),
                        };
                        let why = sought.other(&sealed)?.unwrap_or(error);
                        return Err(Fail::of(disk, format_args!("its tree: {why}")));
                    }
                };
                leaves = Some(Rc::new(read));
            }
            layer.leaves.clone_from(&leaves);
        }
        if leaves.is_none() {
            let text = format!("--sealed {}: is none of the layers", quote::name(disk));
            return Err(Fail::Usage(text));
        }
    }
    Ok(())
}
