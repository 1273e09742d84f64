//! Layers and their files, as the library's export takes them.

use std::borrow::Cow;

use erofs_tarfs::io::{Backing, Export};
use erofs_tarfs::tree::Tree;
use erofs_tarfs::verity::Leaves;

use crate::cli::fail::Done;
use crate::layers::loaded::{self, Loaded, Origin};

/// The files of devices, and the digests kept of them.
type Devices<'l> = (Vec<Backing<'l>>, Vec<Option<Cow<'l, Leaves>>>);

/// Gives an export its layers: as the tree that they were merged into, or each on its own.
pub(crate) fn given<'l>(
    mut export: Export<'l>,
    merged: Option<&'l Tree>,
    layers: &'l [Loaded],
) -> Done<Export<'l>> {
    if let Some(tree) = merged {
        let (backings, leaves) = of(loaded::origins(tree, layers))?;
        return Ok(export.image(tree, backings, leaves));
    }
    for layer in layers {
        let (backings, leaves) = of(layer.origins())?;
        export = export.layer(&layer.tree, backings, leaves);
    }
    Ok(export)
}

/// Opens the files of devices.
fn of(origins: Vec<Origin<'_>>) -> Done<Devices<'_>> {
    let leaves = origins.iter().map(|(layer, _)| layer.leaves.as_deref().map(Cow::Borrowed));
    let leaves = leaves.collect();
    let files = origins.iter().map(|(layer, index)| layer.source(*index).map(Backing::from));
    Ok((files.collect::<Done<_>>()?, leaves))
}
