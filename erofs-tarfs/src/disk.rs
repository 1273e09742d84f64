//! Disks hashed from their plans, with the digests that are kept already.
//!
//! ```text
//! disk       │ metadata │ base.tar          │ app.tar      │
//! digests    │ computed │ kept in Leaves    │ kept, or the │
//!            │          │ of the layer      │ tar is read  │
//!            └────┬─────┴─────────┬─────────┴──────┬───────┘
//!                 └──────── Hasher: level 0 ───────┘ ─→ upper levels ─→ root hash
//! ```
//!
//! A disk need not be written to be hashed: [`image::disk`] says which bytes are where. And what was
//! hashed for a layer is not hashed again for an image, as the digest of a block does not depend on
//! where the block lies. See [`hash`] for an example.
//!
//! # References
//! Linux `Documentation/admin-guide/device-mapper/verity.rst`.

use crate::image::{self, DiskPlan, Piece};
use crate::layout::Layout;
use crate::verity::{Fault, HashSink, Hasher, Leaves};
use alloc::vec::Vec;

/// Bytes read at a time: they still are in the cache when they are hashed.
const PIECE: usize = 256 << 10;

/// Feeds a disk to a hasher, with zeros behind its end up to the end of the hasher's data; the
/// caller then finishes it.
///
/// `leaves` are the digests kept of devices, none or one for each: where they
/// [serve](Leaves::serve) the hasher's parameters and the device starts on a data block of the
/// disk, its bytes are not asked for again, but for the end of a device that no block ends with.
/// `read` gives bytes of a device's file.
///
/// # Errors
/// As [`Hasher::push`]; `read`'s own.
///
/// # Examples
/// ```
/// use erofs_tarfs::verity::{Geometry, Hasher, Params, HashPlacement, RootOnly};
/// use erofs_tarfs::{disk, image, layout, tree::Builder};
///
/// let tree = Builder::new().finish()?;
/// let layout = layout::plan(&tree, &layout::LayoutOptions::default())?;
/// let plan = image::disk(&layout);
/// let mut hasher = Hasher::new(Geometry::new(&Params::nydus(), plan.bytes, HashPlacement::OwnFile)?);
/// let read = &mut |_, _, _: &mut [u8]| unreachable!("no device");
/// disk::hash(&plan, &layout, &[], read, &mut hasher, &mut RootOnly)?;
/// let sealed = hasher.finish(&mut RootOnly)?;
/// assert_eq!(sealed.root(), Hasher::root(&Params::nydus(), &image::bootstrap(&layout))?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn hash<S: HashSink>(
    plan: &DiskPlan,
    layout: &Layout<'_>,
    leaves: &[Option<&Leaves>],
    read: &mut impl FnMut(usize, u64, &mut [u8]) -> Result<(), S::Error>,
    hasher: &mut Hasher,
    sink: &mut S,
) -> Result<(), Fault<S::Error>> {
    let mut buf = Vec::new();
    let block = hasher.geometry().data_block();
    image::pieces(plan, layout, &mut |_, piece| {
        let (index, mut from, bytes) = match piece {
            Piece::Bytes(bytes) => return hasher.push(bytes, sink),
            Piece::Zeros(bytes) => return hasher.push_zeros(bytes, sink),
            Piece::Device { index, offset, bytes } => (index, offset, bytes),
        };
        let end = from + bytes;
        let kept = leaves.get(index).copied().flatten();
        if let Some(kept) = kept.filter(|kept| kept.serve(hasher.geometry().params()))
            && block.divides(hasher.position())
            && block.divides(from)
        {
            // As many whole blocks as are kept.
            let one = kept.digest_len();
            let first = usize::try_from(from >> block.bits()).unwrap_or(usize::MAX);
            let count = usize::try_from(bytes >> block.bits()).unwrap_or(usize::MAX);
            let digests = kept.digests().get(first.saturating_mul(one)..);
            let digests = digests.unwrap_or_default();
            let len = digests.len().min(count.saturating_mul(one));
            hasher.push_digests(&digests[..len], sink)?;
            from += ((len / one) as u64) << block.bits();
        }
        while from < end {
            buf.resize(PIECE, 0);
            let part = &mut buf[..(end - from).min(PIECE as u64) as usize];
            read(index, from, part).map_err(Fault::Caller)?;
            hasher.push(part, sink)?;
            from += part.len() as u64;
        }
        Ok(())
    })?;
    let rest = hasher.geometry().data_bytes().saturating_sub(hasher.position());
    hasher.push_zeros(rest, sink)
}
