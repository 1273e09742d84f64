//! The hash tree of a disk whose devices were hashed while they streamed into their places.

use super::{Error, NamedFile};
use crate::layout::Layout;
use crate::verity::{Fault, Geometry, HashPlacement, HashSink, Hasher, Leaves, Params, Sealed};
use crate::{disk, image};

/// Puts a hash tree behind a disk that is in `out`, whole: the end of a layer's one pass, after
/// [`ingest`](super::ingest()) and [`write_metadata`](super::write_metadata).
///
/// `leaves` are the digests that were kept, none or one for each device. What they have is not read
/// again: the tree costs the hashing of the metadata, and of the tree. `out` then ends where the
/// tree does.
///
/// # Errors
/// [`Error::Verity`], [`Error::Read`], [`Error::Write`].
///
/// # Examples
/// ```
/// use erofs_tarfs::layout::{self, Artifact, LayoutOptions, DiskOrder};
/// use erofs_tarfs::tree::LayerOptions;
/// use erofs_tarfs::verity::Params;
/// use erofs_tarfs::{ingest, io};
///
/// let (out, params) = (io::NamedFile::new("layer.disk", tempfile::tempfile()?), Params::nydus());
/// let options = ingest::IngestOptions::new()
///     .tag_diff_id(true)
///     .leaves(params.clone())
///     .layer(LayerOptions::new().keep_empty_device(true));
/// let how = LayoutOptions::new().artifact(Artifact::Disk(DiskOrder::DataFirst));
///
/// let at = layout::data_first_offset(1, how.block_size);
/// let tar = [0; 1024]; // anything that reads
/// let done = io::ingest("a tar".as_ref(), &tar[..], options, Some((&out, at)), &mut |_| {})?;
/// let layout = layout::plan(&done.layer.tree, &how)?;
/// io::write_metadata(&layout, &out)?;
/// let sealed = io::seal_in_place(&layout, &[done.leaves.as_ref()], &params, &out)?;
/// println!("{}", sealed.nydus_label());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn seal_in_place(
    layout: &Layout<'_>,
    leaves: &[Option<&Leaves>],
    params: &Params,
    out: &NamedFile,
) -> Result<Sealed, Error> {
    let verity = |error| Error::Verity { file: out.path().to_owned(), error };
    let plan = image::disk(layout);
    let data_bytes = plan.bytes.saturating_add(params.data_padding(plan.bytes));
    let geometry = Geometry::new(params, data_bytes, HashPlacement::BehindData).map_err(verity)?;
    out.set_bytes(geometry.end())?;
    let mut hasher = Hasher::new(geometry);
    let mut sink = Tree(out);
    let mut read = |index: usize, offset: u64, buf: &mut [u8]| {
        let device = &layout.devices()[index];
        let start = device.uniaddr << layout.block_size().bits();
        out.read_exact_at(buf, start + (offset - device.base_offset))
    };
    disk::hash(&plan, layout, leaves, &mut read, &mut hasher, &mut sink)
        .and_then(|()| hasher.finish(&mut sink))
        .map_err(|fault| match fault {
            Fault::Caller(error) => error,
            Fault::Verity(error) => verity(error),
        })
}

/// A file that takes hash blocks.
struct Tree<'a>(&'a NamedFile);

impl HashSink for Tree<'_> {
    type Error = Error;

    fn put(&mut self, offset: u64, blocks: &[u8]) -> Result<(), Error> {
        self.0.write_all_at(blocks, offset)
    }
}
