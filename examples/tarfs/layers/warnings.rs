//! What is said of layers that came from tars, or refused: how the tars end, and what of them was not
//! taken.

use std::path::Path;

use erofs_tarfs::tree;

use crate::cli::fail::Done;
use crate::layers::ending;
use crate::layers::loaded::Loaded;
use crate::layers::noted::Noted;

/// Warns about a layer that was just made of a tar, or refuses it; gives what was noted.
pub(crate) fn of(name: &Path, layer: &tree::Layer, strict: bool) -> Done<Noted> {
    ending::judge(name, &layer.end, strict)?;
    let noted = Noted::of(layer);
    noted.judge(name, strict)?;
    Ok(noted)
}

/// Warns about all layers that came from tars, or refuses them.
pub(crate) fn all(layers: &[Loaded], strict: bool) -> Done {
    layers.iter().try_for_each(|Loaded { name, end, noted, .. }| {
        end.as_ref().map_or(Ok(()), |end| ending::judge(name, end, strict))?;
        noted.judge(name, strict)
    })
}
