//! What an export is made of.

use alloc::borrow::Cow;
use std::path::{Path, PathBuf};

use super::watch::{Watch, Watched};
use super::{Backing, Step};
use crate::ingest::IngestOptions;
use crate::io::{Error, NamedFile, ingest};
use crate::tree::{Identity, Tree};
use crate::verity::{Leaves, Params};

/// A layer that was given: a tar to be read, or what was made of one.
pub(super) enum Input<'a> {
    Tar(PathBuf),
    Layer(Layer<'a>),
    /// Layers that are merged already.
    Image(Layer<'a>),
}

/// A layer, where the bytes of its devices are, and the digests kept of them.
pub(super) struct Layer<'a> {
    pub(super) tree: Cow<'a, Tree>,
    pub(super) backings: Vec<Backing<'a>>,
    pub(super) leaves: Vec<Option<Cow<'a, Leaves>>>,
}

impl<'a> Input<'a> {
    /// The layer. A tar is read once, for its entries and its SHA-256, which is the tag of its device,
    /// and with `leaves` for the digests of its data blocks. With `keep_pending` a hard link to a file
    /// of a lower layer waits for the merge.
    pub(super) fn read(
        self,
        keep_pending: bool,
        leaves: Option<&Params>,
        watch: &Watch<'_>,
    ) -> Result<Layer<'a>, Error> {
        let path = match self {
            Self::Layer(layer) | Self::Image(layer) => return Ok(layer),
            Self::Tar(path) => path,
        };
        let file = NamedFile::open(path)?;
        let mut options = IngestOptions::default();
        options.layer.keep_pending = keep_pending;
        (options.diff_id, options.tag_diff_id) = (true, true);
        options.leaves = leaves.cloned();
        let reader = Watched { bytes: file.file(), step: Step::Reading, watch };
        let done = ingest(file.path(), reader, options, None, &mut |_| {});
        let done = done.map_err(|error| watch.why(error))?;
        let backings = match done.layer.tree.devices() {
            [] => Vec::new(),
            _ => vec![Backing::File(file)],
        };
        let leaves = backings.iter().map(|_| done.leaves.clone().map(Cow::Owned)).collect();
        Ok(Layer { tree: Cow::Owned(done.layer.tree), backings, leaves })
    }
}

impl<'a> Layer<'a> {
    /// Where the bytes of the device at an index are.
    pub(super) fn backing(&self, device: usize) -> Result<&Backing<'a>, Error> {
        let missing = Error::MissingSource { device, sources: self.backings.len() };
        self.backings.get(device).ok_or(missing)
    }

    /// Whether its devices are shown to be those of another layer.
    pub(super) fn is_same(&self, other: &Self) -> Result<bool, Error> {
        let (one, two) = (self.tree.devices(), other.tree.devices());
        if one.len() != two.len() {
            return Ok(false);
        }
        for (index, (one, two)) in one.iter().zip(two).enumerate() {
            let (a, b) = (self.backing(index)?.file(), other.backing(index)?.file());
            let one_file = match (a, b) {
                (Some(a), Some(b)) => is_same_range(a, b)?,
                _ => false,
            };
            let shown = one.is_same(two) || one_file && one == two;
            if !shown {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Refuses to take the place of a file that is read.
    pub(super) fn spare(&self, path: &Path, there: Identity) -> Result<(), Error> {
        for file in self.backings.iter().filter_map(Backing::file) {
            if file.identity()? == there {
                return Err(Error::IsInput { file: path.to_owned() });
            }
        }
        Ok(())
    }
}

/// Whether two files are one, or the same range of one.
fn is_same_range(a: &NamedFile, b: &NamedFile) -> Result<bool, Error> {
    let whole = |file: &NamedFile| file.try_clone()?.whole().identity();
    Ok((a.start(), a.bytes()?) == (b.start(), b.bytes()?) && whole(a)? == whole(b)?)
}
