//! Level 0 of a tree in pieces, on several threads; the levels above it on one.

use std::sync::Mutex;

use super::HashingOptions;
use super::threads::{lock, on_threads};
use crate::io::Buffer;
use crate::verity::{
    Backend, BlockHasher, Error, Fault, Geometry, HashSink, Hasher, Sealed, TreeDigest, Upper,
};

/// Bytes of data that a worker takes at a time, at least: its leaves are written at once, and few
/// large writes are cheaper than many.
const PIECE: u64 = 4 << 20;

/// Makes a tree. `leaves` fills in the digests of the data blocks from a byte of the data on, with
/// a buffer that is the worker's own, or says where they are already; `put` takes hash blocks at
/// offsets of the hash file.
///
/// Memory: a digest for each hash block of level 0, and for each thread the leaves of a piece, and
/// what `leaves` uses.
pub(in crate::io) fn build<'a, E: Send>(
    geometry: Geometry,
    options: &HashingOptions,
    leaves: &(impl Fn(u64, &mut [u8], &mut Buffer) -> Result<Option<&'a [u8]>, Fault<E>> + Sync),
    put: &(impl Fn(u64, &[u8]) -> Result<(), E> + Sync),
) -> Result<Sealed, Fault<E>> {
    let backend = options.backend.unwrap_or_else(Backend::best);
    let sink = &mut |offset, blocks: &[u8]| put(offset, blocks);
    let Some(level) = geometry.levels().first().copied() else {
        let digest = &mut [0; TreeDigest::MAX][..geometry.params().digest_len()];
        if let Some(kept) = leaves(0, digest, &mut Buffer::default())? {
            digest.copy_from_slice(kept);
        }
        return single(geometry, digest, sink);
    };
    let fanout = u64::from(geometry.params().digests_per_block());
    let (data_block, hash_block) = (geometry.data_block(), geometry.hash_block());
    let blocks_per_piece = PIECE.div_ceil(fanout << data_block.bits());
    let data_per_piece = (blocks_per_piece * fanout) << data_block.bits();
    let hasher = BlockHasher::of(geometry.params()).with_backend(backend);

    let digest_len = hasher.digest_len();
    let mut upper = room(&geometry, level.blocks)?;
    let pieces = upper.chunks_mut(blocks_per_piece as usize * digest_len).enumerate();
    let count = pieces.len() as u64;
    let queue = Mutex::new(pieces);
    let worker = || {
        let (mut run, mut buf) = (Vec::new(), Buffer::default());
        loop {
            let Some((index, digests)) = lock(&queue).next() else { return Ok(()) };
            let start = index as u64 * data_per_piece;
            let bytes = data_per_piece.min(geometry.data_bytes() - start);
            let len = (bytes >> data_block.bits()) as usize * digest_len;
            run.resize(len.next_multiple_of(hash_block.bytes() as usize), 0);
            run[len..].fill(0);
            let done = leaves(start, &mut run[..len], &mut buf).and_then(|kept| {
                let run = match kept {
                    Some(kept) if len == run.len() => kept,
                    Some(kept) => {
                        run[..len].copy_from_slice(kept);
                        &run[..]
                    }
                    None => &run[..],
                };
                hasher.hash_blocks(hash_block, run, digests)?;
                let at = (start >> data_block.bits()) * digest_len as u64;
                put(level.offset + at, run).map_err(Fault::Caller)
            });
            if done.is_err() {
                // Empties the queue, so that the other threads stop too.
                lock(&queue).by_ref().for_each(drop);
                return done;
            }
        }
    };
    on_threads(options, count, &worker).into_iter().collect::<Result<(), _>>()?;

    let mut rest = Upper::new(geometry)?.with_backend(backend);
    rest.push(&upper, sink)?;
    rest.finish(sink)
}

/// A tree without levels: one data block.
fn single<S: HashSink>(
    geometry: Geometry,
    digest: &[u8],
    sink: &mut S,
) -> Result<Sealed, Fault<S::Error>> {
    let mut hasher = Hasher::new(geometry);
    hasher.push_digests(digest, sink)?;
    hasher.finish(sink)
}

/// Room for this many digests, if there is memory.
pub(super) fn room(geometry: &Geometry, digests: u64) -> Result<Vec<u8>, Error> {
    let too_large = Error::TooLarge { data_blocks: geometry.data_blocks() };
    let bytes = usize::try_from(digests).ok();
    let bytes = bytes.and_then(|count| count.checked_mul(geometry.params().digest_len()));
    let bytes = bytes.ok_or(too_large)?;
    // Asks whether there is memory, and gives it back: `vec!` then gets pages that the system has
    // zeroed, which costs less than writing zeros to those we had.
    Vec::<u8>::new().try_reserve_exact(bytes).map_err(|_| too_large)?;
    Ok(vec![0; bytes])
}
