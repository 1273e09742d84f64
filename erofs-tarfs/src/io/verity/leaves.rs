//! Leaves read back out of trees.

use std::io;
use std::sync::Mutex;

use super::level::room;
use super::threads::{lock, on_threads};
use super::{HashingOptions, ReadAt};
use crate::verity::{self, Backend, BlockHasher, Fault, Leaves, RootOnly, Sealed, Upper};

/// Bytes of level 0 that a worker takes at a time, at least.
const PIECE: usize = 256 << 10;

/// As [`Leaves::read`], on several threads: the digests of all data blocks, out of level 0 of the
/// tree, verified against the root hash.
///
/// # Errors
/// [`verity::Error::HashMismatch`]; what reading gives.
///
/// # Examples
/// ```
/// use erofs_tarfs::io::verity::{self, HashingOptions};
/// use erofs_tarfs::verity::{Geometry, Params, HashPlacement};
/// use std::sync::Mutex;
///
/// let layer = vec![7; 1 << 20];
/// let geometry = Geometry::new(&Params::nydus(), layer.len() as u64, HashPlacement::OwnFile)?;
/// let tree = Mutex::new(vec![0; geometry.end() as usize]);
/// let sealed = verity::seal(&layer[..], &tree, geometry, &HashingOptions::default())?;
/// let tree = tree.into_inner().unwrap();
/// let leaves = verity::read_leaves(&tree[..], &sealed, &HashingOptions::default())?;
/// assert_eq!(leaves.digests().len(), 32 * layer.len() / 512);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_leaves<H: ReadAt + ?Sized>(
    hashes: &H,
    sealed: &Sealed,
    options: &HashingOptions,
) -> Result<Leaves, Fault<io::Error>> {
    let mut source = |offset, buf: &mut [u8]| hashes.read_exact_at(buf, offset);
    let geometry = sealed.geometry();
    let Some(level) = geometry.levels().first() else {
        return Leaves::read(sealed, &mut source);
    };
    // Reads the last byte first: a file that is too short is an error before memory is taken for
    // it.
    let block = geometry.hash_block();
    let end = level.offset + (level.blocks << block.bits());
    source(end - 1, &mut [0]).map_err(Fault::Caller)?;
    let fanout = u64::from(geometry.params().digests_per_block());
    let mut bytes = room(geometry, level.blocks.saturating_mul(fanout))?;
    let mut digests = room(geometry, level.blocks)?;

    let backend = options.backend.unwrap_or_else(Backend::best);
    let hasher = BlockHasher::of(sealed.params()).with_backend(backend);
    let piece = PIECE.max(block.bytes() as usize);
    let per_piece = (piece >> block.bits()) * hasher.digest_len();
    let pieces = bytes.chunks_mut(piece).zip(digests.chunks_mut(per_piece)).enumerate();
    let count = pieces.len() as u64;
    let queue = Mutex::new(pieces);
    let worker = || {
        loop {
            let Some((index, (run, digests))) = lock(&queue).next() else { return Ok(()) };
            let at = level.offset + (index * piece) as u64;
            let done = hashes.read_exact_at(run, at).map_err(Fault::Caller);
            let done = done.and_then(|()| Ok(hasher.hash_blocks(block, run, digests)?));
            if done.is_err() {
                lock(&queue).by_ref().for_each(drop);
                return done;
            }
        }
    };
    on_threads(options, count, &worker).into_iter().collect::<Result<(), Fault<_>>>()?;

    let mut upper = Upper::new(geometry.clone())?.with_backend(backend);
    upper.push(&digests, &mut RootOnly).map_err(Fault::into_error)?;
    let root = upper.finish(&mut RootOnly).map_err(Fault::into_error)?.root();
    match root == sealed.root() {
        true => Ok(Leaves::of_level(sealed, bytes)),
        false => Err(verity::first_mismatch(sealed, &mut source)),
    }
}
