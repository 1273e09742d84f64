//! Disks hashed from their plans, on several threads, without being written.

use super::verity::{HashingOptions, READ, build};
use super::{Buffer, Error, NamedFile, disk};
use crate::image::{self, DiskPlan, Segment, SegmentSource};
use crate::layout::Layout;
use crate::tree::Tree;
use crate::verity::{
    Backend, BlockHasher, Fault, Geometry, Leaves, Sealed, TreeDigest, VerityBlockSize,
};

/// Hashes a disk that need not be written. `geometry` is of its length, with zeros behind its end
/// up to whole data blocks; hash blocks go to `tree`.
///
/// `leaves` are the digests kept of the devices' files, from byte 0 of each, none or one for each
/// device. Where they [serve](Leaves::serve), and disk and file have their data blocks at the same
/// places of the device, its bytes are not read again, but for the end of a device that no block
/// ends with. Zeros that the plan has are hashed once. `observer` is told how many bytes were dealt
/// with, by any thread.
///
/// Memory: the metadata, about a quarter of a mebibyte a thread, and 32 bytes for each hash block of the
/// lowest level.
///
/// ```
/// use erofs_tarfs::layout::{LayoutOptions, plan};
/// use erofs_tarfs::verity::{Geometry, Params, HashPlacement as At};
/// use erofs_tarfs::{image, ingest, io};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// // A tar that was read once, and hashed as it came.
/// let bytes = tar_of(&[("etc/motd", "hello\n")]);
/// let tar = io::NamedFile::new("base.tar", tempfile::tempfile()?);
/// let params = Params::nydus();
/// let options = ingest::IngestOptions::new().leaves(params.clone());
/// let done = io::ingest("base.tar".as_ref(), &bytes[..], options, Some((&tar, 0)), &mut |_| {})?;
///
/// // The hash tree of its disk, which is not written: nothing of the tar is read again.
/// let layout = plan(&done.layer.tree, &LayoutOptions::disk())?;
/// let (disk, tree) = (image::disk(&layout), io::NamedFile::new("tree", tempfile::tempfile()?));
/// let (geometry, kept) = (Geometry::new(&params, disk.bytes, At::OwnFile)?, [done.leaves.as_ref()]);
/// let how = Default::default();
/// let sealed = io::hash_disk(&disk, &layout, &[tar], &kept, geometry, &tree, &how, &|_| {})?;
/// println!("{}", sealed.root());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`write_disk`](super::write_disk); [`Error::Write`] for the tree, [`Error::Verity`].
#[allow(clippy::too_many_arguments, reason = "a plan, its parts, and where they go")]
pub fn hash_disk(
    plan: &DiskPlan,
    layout: &Layout<'_>,
    sources: &[NamedFile],
    leaves: &[Option<&Leaves>],
    geometry: Geometry,
    tree: &NamedFile,
    options: &HashingOptions,
    observer: &(dyn Fn(u64) + Sync),
) -> Result<Sealed, Error> {
    disk::check(plan, sources)?;
    let read = |index: usize, at: u64, buf: &mut [u8]| sources[index].read_exact_at(buf, at);
    let put = |offset: u64, blocks: &[u8]| tree.write_all_at(blocks, offset);
    let done = hash_disk_with(plan, layout, &read, leaves, geometry, &put, options, observer);
    done.map_err(|fault| match fault {
        Fault::Caller(error) => error,
        Fault::Verity(error) => Error::Verity { file: tree.path().to_owned(), error },
    })
}

/// Fills a buffer with the bytes of the device at an index, from a byte of its file on; any thread
/// calls it.
pub type ReadDevice<'a, E> = dyn Fn(usize, u64, &mut [u8]) -> Result<(), E> + Sync + 'a;

/// Takes hash blocks at an offset of the hash file; any thread calls it.
pub type PutBlocks<'a, E> = dyn Fn(u64, &[u8]) -> Result<(), E> + Sync + 'a;

/// [`hash_disk`] with devices and a tree that are read and written in any way.
///
/// ```
/// use erofs_tarfs::layout::{LayoutOptions, plan};
/// use erofs_tarfs::verity::{Geometry, HashPlacement, Params};
/// use erofs_tarfs::{image, io};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::{layer_of, tar_of};
///
/// let (tree, tar) = (layer_of(&[("etc/motd", "hello\n")]), tar_of(&[("etc/motd", "hello\n")]));
/// let layout = plan(&tree, &LayoutOptions::disk())?;
/// let disk = image::disk(&layout);
/// let geometry = Geometry::new(&Params::nydus(), disk.bytes, HashPlacement::OwnFile)?;
/// // The only device is in memory, and of the tree the root hash alone is wanted.
/// let read = |_index: usize, at: u64, buf: &mut [u8]| {
///     buf.copy_from_slice(&tar[at as usize..][..buf.len()]);
///     Ok::<(), std::io::Error>(())
/// };
/// let put = |_offset: u64, _blocks: &[u8]| Ok(());
/// let how = Default::default();
/// let sealed = io::hash_disk_with(&disk, &layout, &read, &[], geometry, &put, &how, &|_| {})?;
/// assert_eq!(sealed.geometry().data_bytes(), 6144);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// What `read` and `put` give, as [`Fault::Caller`].
#[allow(clippy::too_many_arguments, reason = "a plan, its parts, and where they go")]
pub fn hash_disk_with<E: Send>(
    plan: &DiskPlan,
    layout: &Layout<'_>,
    read: &ReadDevice<'_, E>,
    leaves: &[Option<&Leaves>],
    geometry: Geometry,
    put: &PutBlocks<'_, E>,
    options: &HashingOptions,
    observer: &(dyn Fn(u64) + Sync),
) -> Result<Sealed, Fault<E>> {
    let (params, block) = (geometry.params(), geometry.data_block());
    let hasher = BlockHasher::of(params);
    let hasher = hasher.with_backend(options.backend.unwrap_or_else(Backend::best));
    let serving = |index: usize| leaves.get(index).copied().flatten().filter(|l| l.serve(params));
    let digest_len = hasher.digest_len();
    let disk = Unwritten {
        plan,
        read,
        leaves: (0..layout.devices().len()).map(serving).collect(),
        metadata: Metadata::new(layout),
        tree: layout.scene.tree,
        block,
        zero: hasher.hash_zeros(block),
        hasher,
        data_bytes: geometry.data_bytes(),
    };
    let leaves = |start: u64, digests: &mut [u8], buf: &mut Buffer| {
        let kept = disk.kept(start, digests.len());
        if kept.is_none() {
            disk.digests(start, digests, buf)?;
        }
        observer(((digests.len() / digest_len) as u64) << block.bits());
        Ok(kept)
    };
    build(geometry, options, &leaves, &put)
}

/// A disk, to be asked for any of its blocks.
struct Unwritten<'a, E> {
    plan: &'a DiskPlan,
    read: &'a ReadDevice<'a, E>,
    leaves: Vec<Option<&'a Leaves>>,
    metadata: Metadata,
    /// What carried bodies are copied from.
    tree: &'a Tree,
    block: VerityBlockSize,
    zero: TreeDigest,
    hasher: BlockHasher,
    data_bytes: u64,
}

/// How the digests of some blocks come about.
#[derive(Clone, Copy)]
enum Run<'a> {
    /// They are kept.
    Kept(&'a [u8]),
    /// So many blocks are zeros.
    Zeros(u64),
    /// So many blocks have to be read, as far as is known.
    Read(u64),
}

impl<'a, E> Unwritten<'a, E> {
    /// `len` bytes of digests of the blocks from byte `at` on, if all are kept in one place.
    fn kept(&self, at: u64, len: usize) -> Option<&'a [u8]> {
        match self.run(at) {
            Run::Kept(kept) => kept.get(..len),
            _ => None,
        }
    }

    /// Fills in the digests of the blocks from byte `at` on.
    fn digests(
        &self,
        mut at: u64,
        mut digests: &mut [u8],
        buf: &mut Buffer,
    ) -> Result<(), Fault<E>> {
        let (bits, len) = (self.block.bits(), self.hasher.digest_len());
        let most = (READ >> bits).max(1);
        while !digests.is_empty() {
            let left = digests.len() / len;
            let clip = |blocks: u64| usize::try_from(blocks).unwrap_or(usize::MAX).min(left);
            let run = self.run(at);
            let count = match run {
                Run::Kept(kept) => clip((kept.len() / len) as u64),
                Run::Zeros(blocks) => clip(blocks),
                Run::Read(blocks) => self.together(at, blocks, most.min(left)),
            };
            let (now, rest) = digests.split_at_mut(count * len);
            match run {
                Run::Kept(kept) => now.copy_from_slice(&kept[..now.len()]),
                Run::Zeros(_) => {
                    let zero = self.zero.as_bytes();
                    now.chunks_exact_mut(len).for_each(|digest| digest.copy_from_slice(zero));
                }
                Run::Read(_) => {
                    buf.set_len(most << bits);
                    let part = &mut buf[..count << bits];
                    self.read(at, part).map_err(Fault::Caller)?;
                    self.hasher.hash_blocks(self.block, part, now)?;
                }
            }
            digests = rest;
            at += (count as u64) << bits;
        }
        Ok(())
    }

    /// How many blocks from byte `at` on, of which the first `blocks` have to be read, are best
    /// read together: `most` at the most.
    fn together(&self, at: u64, mut blocks: u64, most: usize) -> usize {
        while blocks < most as u64
            && let Run::Read(more) = self.run(at + (blocks << self.block.bits()))
        {
            blocks += more;
        }
        blocks.min(most as u64) as usize
    }

    /// What is known of the blocks from byte `at` on, which is below the end of the data.
    fn run(&self, at: u64) -> Run<'a> {
        let Some(segment) = self.segment(at) else {
            let blocks = (self.data_bytes - at) >> self.block.bits();
            return Run::Zeros(blocks);
        };
        let left = segment.offset + segment.bytes - at;
        let whole = left >> self.block.bits();
        match segment.source {
            SegmentSource::Zeros if whole > 0 => return Run::Zeros(whole),
            SegmentSource::Device { index, offset } => {
                let from = offset + (at - segment.offset);
                let kept = self.leaves.get(index).copied().flatten();
                if let Some(kept) = kept.filter(|_| self.block.divides(from)) {
                    let len = self.hasher.digest_len();
                    let digest =
                        |block| usize::try_from(block).unwrap_or(usize::MAX).saturating_mul(len);
                    let kept = kept.digests().get(digest(from >> self.block.bits())..);
                    let kept = kept.unwrap_or_default();
                    let kept = &kept[..kept.len().min(digest(whole))];
                    if !kept.is_empty() {
                        return Run::Kept(kept);
                    }
                }
            }
            _ => {}
        }
        // One block at least, also where it reaches into the next segment.
        Run::Read(whole.max(1))
    }

    /// The segment that holds byte `at`; `None` behind the end of the disk.
    fn segment(&self, at: u64) -> Option<&Segment> {
        let index = self.plan.segments.partition_point(|segment| segment.offset <= at);
        let segment = self.plan.segments.get(index.checked_sub(1)?)?;
        (at < segment.offset + segment.bytes).then_some(segment)
    }

    /// Reads bytes of the disk, whatever they come from.
    fn read(&self, mut at: u64, mut buf: &mut [u8]) -> Result<(), E> {
        while !buf.is_empty() {
            let Some(segment) = self.segment(at) else {
                buf.fill(0);
                return Ok(());
            };
            let (from, left) = (at - segment.offset, segment.offset + segment.bytes - at);
            let len = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
            let (part, rest) = buf.split_at_mut(len);
            match segment.source {
                SegmentSource::Head => copy(&self.metadata.head, from, part),
                SegmentSource::Body => copy(&self.metadata.body, from, part),
                SegmentSource::Device { index, offset } => {
                    (self.read)(index, offset + from, part)?;
                }
                SegmentSource::Carried(arena) => {
                    part.copy_from_slice(self.tree.carried(arena + from, part.len() as u64));
                }
                SegmentSource::Zeros => part.fill(0),
            }
            buf = rest;
            at += len as u64;
        }
        Ok(())
    }
}

/// Copies bytes from `at` on; what is not there is zeros.
fn copy(bytes: &[u8], at: u64, to: &mut [u8]) {
    let from = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).unwrap_or_default();
    let (now, rest) = to.split_at_mut(from.len().min(to.len()));
    now.copy_from_slice(&from[..now.len()]);
    rest.fill(0);
}

/// The metadata of a disk.
struct Metadata {
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Metadata {
    fn new(layout: &Layout<'_>) -> Self {
        let mut body = Vec::new();
        let take = &mut |bytes: &[u8]| {
            body.extend_from_slice(bytes);
            Ok::<(), core::convert::Infallible>(())
        };
        let Ok(()) = image::body(layout, take);
        Self { head: image::head(layout), body }
    }
}
