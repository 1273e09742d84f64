//! Digests that sealed layers bring along in their hash trees.

use std::rc::Rc;

use erofs_tarfs::io::verity::{Options, read_leaves};
use erofs_tarfs::verity::{self, Fault, Params, Placement};

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::cli::sealed_layer::SealedLayer;
use crate::hash_tree::sought::{self, Sought};
use crate::layers::loaded::{Backing, Loaded};

/// Reads the leaves of those layers that are sealed, and verifies them.
pub(crate) fn read(
    layers: &mut [Loaded],
    all: &[SealedLayer],
    params: &Params,
    hashing: &Options,
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
            let text = format!("--sealed {}: is none of the layers", quote::name(disk));
            return Err(Fail::Usage(text));
        }
    }
    Ok(())
}
