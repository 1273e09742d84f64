//! Digests that sealed layers bring along in their hash trees.

use std::path::PathBuf;
use std::rc::Rc;

use erofs_tarfs::io::verity::{Options, read_leaves};
use erofs_tarfs::verity::{self, Digest, Fault, Params, Placement};

use crate::fail::{Done, Fail};
use crate::load::{Backing, Loaded};
use crate::verity::sought::{Sought, filesystem};

/// A layer's disk and the root hash of the tree behind it.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub(crate) disk: PathBuf,
    root: Digest,
}

/// Reads `DISK=ROOT`.
pub(crate) fn sealed(text: &str) -> Result<Sealed, String> {
    let (disk, root) = text.rsplit_once('=').ok_or("DISK=ROOT is wanted")?;
    let root = root.strip_prefix("sha256:").unwrap_or(root);
    let root = root.parse().map_err(|error: verity::Error| error.to_string())?;
    Ok(Sealed { disk: disk.into(), root })
}

/// Reads the leaves of those layers that are sealed, and verifies them.
pub(crate) fn read(
    layers: &mut [Loaded],
    all: &[Sealed],
    params: &Params,
    hashing: &Options,
) -> Done {
    for Sealed { disk, root } in all {
        let mut leaves = None;
        for layer in layers.iter_mut().filter(|layer| layer.name == *disk) {
            let Backing::File(file) = &layer.backing else {
                return Err(Fail::of(disk, "is no disk that could be sealed"));
            };
            if leaves.is_none() {
                let end = filesystem(file)?;
                let (data, hashes) = (file.try_clone()?, file.try_clone()?);
                let sought = Sought::of_filesystem(data, end, hashes, Placement::BehindData);
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
            let text = format!("--sealed {}: is none of the layers", crate::quote::name(disk));
            return Err(Fail::Usage(text));
        }
    }
    Ok(())
}
