//! Trees for blocks that their bodies do not lie on.

use alloc::borrow::Cow;

use super::{Artifact, Error, LayoutOptions, plan};
use crate::tree::{self, Tree};
use crate::units::BlockSize;

/// The tree as a disk of these options can have it: with its bodies [packed](tree::pack), if they do
/// not lie on multiples of the block size. Bodies of tars lie on multiples of 512 bytes.
///
/// Bootstraps refer to files as they lie, so nothing of them is copied, and [`plan`] refuses what does
/// not fit.
///
/// # Examples
/// ```
/// use erofs_tarfs::layout::{self, LayoutOptions};
/// use erofs_tarfs::tree::{Attributes, Builder, Device, InodeId, Node, Place, What, XattrSet};
/// use erofs_tarfs::units::BlockSize;
///
/// // A file of 6 bytes behind the first header of a tar.
/// let mut builder = Builder::new();
/// builder.add_device(Device { bytes: 2048, ..Device::default() })?;
/// let what = What::Regular { size: 6, place: Place::Device { device: 0, offset: 512 } };
/// let attributes = Attributes::default();
/// let file = builder.add(Node { attributes, xattrs: XattrSet::NONE, what })?;
/// builder.link(InodeId::ROOT, b"file", file)?;
/// let tree = builder.finish()?;
///
/// let options = LayoutOptions::disk().block_size(BlockSize::B4096);
/// assert!(layout::plan(&tree, &options).is_err());
/// let tree = layout::fitted(&tree, &options)?;
/// assert_eq!(layout::plan(&tree, &options)?.copied_bytes(), 6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::TooLarge`] for more devices than a tree numbers.
pub fn fitted<'t>(tree: &'t Tree, options: &LayoutOptions) -> Result<Cow<'t, Tree>, Error> {
    let small = options.block_size == BlockSize::B512 || options.artifact == Artifact::Bootstrap;
    if small || !matches!(plan(tree, options), Err(Error::NotAligned { .. })) {
        return Ok(Cow::Borrowed(tree));
    }
    let packed = tree::pack(tree, options.block_size);
    let too_large = |_| {
        let (value, limit) = (tree.devices().len() as u64 + 1, u64::from(u16::MAX));
        Error::TooLarge { what: "devices", value, limit }
    };
    packed.map(Cow::Owned).map_err(too_large)
}
