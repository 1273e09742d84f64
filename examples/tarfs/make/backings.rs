//! The files of layers, as the library's export takes them.

use std::borrow::Cow;

use erofs_tarfs::io::Backing;
use erofs_tarfs::verity::Leaves;

use crate::cli::fail::Done;
use crate::layers::loaded::Origin;

/// The files of devices, and the digests kept of them.
type Devices<'l> = (Vec<Backing<'l>>, Vec<Option<Cow<'l, Leaves>>>);

/// Opens the files of devices.
pub(crate) fn of(origins: Vec<Origin<'_>>) -> Done<Devices<'_>> {
    let leaves = origins.iter().map(|(layer, _)| layer.leaves.as_deref().map(Cow::Borrowed));
    let leaves = leaves.collect();
    let files = origins.iter().map(|(layer, index)| layer.source(*index).map(Backing::from));
    Ok((files.collect::<Done<_>>()?, leaves))
}
