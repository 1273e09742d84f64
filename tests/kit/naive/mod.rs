//! What a stack of layers means, in memory: slow, short, and written from the rules alone.
//!
//! It exists to disagree with the others: overlayfs, containerd and the library, whose code it does
//! not share. The rules are those of the OCI specification, and where it leaves them open the order
//! of events in containerd. Paths are strings here, and a layer is a few maps of them:
//!
//! | module | duty |
//! |---|---|
//! | `illegal` | why a stack has no meaning |
//! | `way` | where a path leads, symbolic links followed inside the root |
//! | `layer` | one layer by itself: what it has, what it hides |
//! | `apply` | a layer over those below |
//! | `tree` | the result in the shape of a dump |
//!
//! Two things only it and the library can know: an implied directory leaves the attributes of a
//! lower directory alone, also where its children are hidden by an opaque marker; a directory that
//! the layer whites out and then implies again is a new one.

mod apply;
mod illegal;
mod layer;
mod tree;
mod way;

pub use apply::Merged;
pub use illegal::Illegal;
pub use layer::Layer;
pub(crate) use tree::{bare, fill};

use crate::dump::Tree;
use crate::layer::Op;

/// Merges layers, the lowest first. With `follow`, what a layer has below a lower layer's symbolic
/// link goes where the link leads; without, a directory takes the link's place.
///
/// # Errors
/// As [`Illegal`] has it, for the first operation or layer of which it holds.
pub fn naive_merge<'a>(
    layers: impl IntoIterator<Item = &'a [Op]>,
    follow: bool,
) -> Result<Tree, Illegal> {
    let mut merged = Merged::new();
    for ops in layers {
        merged.apply(&Layer::read(ops)?, follow)?;
    }
    Ok(merged.tree())
}
