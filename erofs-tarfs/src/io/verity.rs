//! Files sealed and verified with dm-verity, on several threads.
//!
//! # Examples
//! ```
//! use erofs_tarfs::io::verity::{self, Options};
//! use erofs_tarfs::verity::{Geometry, HashBytes, Params, Placement};
//! use std::sync::Mutex;
//!
//! let data = vec![7; 1 << 20];
//! let geometry = Geometry::new(&Params::nydus(), data.len() as u64, Placement::OwnFile)?;
//! let tree = Mutex::new(vec![0; geometry.end() as usize]);
//! let sealed = verity::seal(&data[..], &tree, geometry, &Options::default())?;
//! verity::verify(&data[..], &tree.into_inner().unwrap()[..], &sealed, &Options::default())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::num::NonZero;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::verity::{
    Backend, BlockHasher, Digest, Fault, Geometry, Hasher, Sealed, Upper, Verifier,
};

/// Bytes of data read at a time: they still are in the cache when they are hashed.
const READ: usize = 256 << 10;

/// Bytes of data that a worker takes at a time, at least.
const PIECE: u64 = 1 << 20;

/// Bytes at offsets, read from several threads at once.
pub trait ReadAt: Sync {
    /// Fills `buf` with the bytes at byte `offset`.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if there are fewer; any other that reading gives.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;
}

/// Bytes at offsets, written from several threads at once.
pub trait WriteAt: Sync {
    /// Writes `bytes` at byte `offset`.
    ///
    /// # Errors
    /// Any that writing gives.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
}

#[cfg(unix)]
impl ReadAt for std::fs::File {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, buf, offset)
    }
}

#[cfg(unix)]
impl WriteAt for std::fs::File {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(self, bytes, offset)
    }
}

impl ReadAt for [u8] {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let at = usize::try_from(offset).ok();
        let from = at.and_then(|at| self.get(at..)).and_then(|rest| rest.get(..buf.len()));
        buf.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// Memory of a fixed length: what does not fit is [`io::ErrorKind::WriteZero`].
impl WriteAt for Mutex<Vec<u8>> {
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut memory = lock(self);
        let at = usize::try_from(offset).ok();
        let rest = at.and_then(|at| memory.get_mut(at..));
        let to = rest.and_then(|rest| rest.get_mut(..bytes.len()));
        to.ok_or(io::ErrorKind::WriteZero)?.copy_from_slice(bytes);
        Ok(())
    }
}

/// How to go about it. Nothing here changes a byte.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// How many threads hash; `None` for as many as the machine has.
    pub threads: Option<NonZero<usize>>,
    /// How blocks are hashed; `None` for the best that the CPU has.
    pub backend: Option<Backend>,
}

impl Options {
    /// Options with this many threads.
    pub fn threads(threads: NonZero<usize>) -> Self {
        Self { threads: Some(threads), ..Self::default() }
    }
}

/// Hashes the data that `geometry` describes from the beginning of `data`, and writes the hash
/// area, superblock included, to `hashes`; both may be the same file.
///
/// Memory: about a mebibyte a thread, and 32 bytes for each hash block of the lowest level.
///
/// # Errors
/// What reading `data` or writing `hashes` gives.
pub fn seal<D: ReadAt + ?Sized, H: WriteAt + ?Sized>(
    data: &D,
    hashes: &H,
    geometry: Geometry,
    options: &Options,
) -> io::Result<Sealed> {
    let backend = options.backend.unwrap_or_else(Backend::best);
    let mut sink = |offset, blocks: &[u8]| hashes.write_all_at(blocks, offset);
    let Some(lowest) = geometry.levels().first().copied() else {
        let mut block = vec![0; geometry.data_bytes() as usize];
        data.read_exact_at(&mut block, 0)?;
        let mut hasher = Hasher::new(geometry).with_backend(backend);
        hasher.push(&block, &mut sink).map_err(caller)?;
        return hasher.finish(&mut sink).map_err(caller);
    };

    let hasher = BlockHasher::of(geometry.params()).with_backend(backend);
    let fanout = u64::from(geometry.params().digests_per_block());
    let per_block = fanout << geometry.data_block().bits();
    let blocks_per_piece = PIECE.div_ceil(per_block);
    let work = Work {
        data,
        hashes,
        geometry: &geometry,
        hasher,
        offset: lowest.offset,
        data_per_piece: blocks_per_piece * per_block,
    };

    let too_many = |_| io::Error::from(io::ErrorKind::OutOfMemory);
    let count = usize::try_from(lowest.blocks).map_err(too_many)?;
    let mut digests = vec![0; count.checked_mul(Digest::LEN).ok_or(io::ErrorKind::OutOfMemory)?];
    let pieces = digests.chunks_mut(blocks_per_piece as usize * Digest::LEN).enumerate();
    let count = pieces.len() as u64;
    let queue = Mutex::new(pieces);
    let results = on_threads(options, count, &|| work.run(&queue));
    results.into_iter().collect::<io::Result<()>>()?;

    let mut upper = Upper::new(geometry).map_err(io::Error::other)?.with_backend(backend);
    upper.push(&digests, &mut sink).map_err(caller)?;
    upper.finish(&mut sink).map_err(caller)
}

/// Verifies all data and the whole tree, as `veritysetup verify` does.
///
/// # Errors
/// [`Fault::Verity`] with the first data block that does not verify, whatever the number of
/// threads; [`Fault::Caller`] for what reading gives.
pub fn verify<D: ReadAt + ?Sized, H: ReadAt + ?Sized>(
    data: &D,
    hashes: &H,
    sealed: &Sealed,
    options: &Options,
) -> Result<(), Fault<io::Error>> {
    let geometry = sealed.geometry();
    let (bits, bytes) = (geometry.data_block().bits(), geometry.data_bytes());
    let verifier = Verifier::new(geometry.clone(), sealed.root());
    let verifier = options.backend.iter().fold(verifier, |v, &backend| v.with_backend(backend));
    let read = READ.max(1 << bits);
    // Each worker asks for the upper hash blocks anew, so it takes a longer stretch at a time.
    let piece = (4 * PIECE).max(read as u64);
    let queue = Mutex::new((0..bytes.div_ceil(piece)).map(|index| index * piece));
    let worker = || {
        let (mut verifier, mut buf) = (verifier.clone(), vec![0; read]);
        loop {
            let Some(start) = lock(&queue).next() else { return Ok(()) };
            for at in (start..bytes.min(start + piece)).step_by(read) {
                let part = &mut buf[..(bytes - at).min(read as u64) as usize];
                let done = (data.read_exact_at(part, at).map_err(Fault::Caller)).and_then(|()| {
                    verifier.verify(at >> bits, part, &mut |offset, buf: &mut [u8]| {
                        hashes.read_exact_at(buf, offset)
                    })
                });
                if let Err(fault) = done {
                    // Pieces are handed out in order: whoever has an earlier one finishes it.
                    lock(&queue).by_ref().for_each(drop);
                    return Err((at, fault));
                }
            }
        }
    };
    let results = on_threads(options, bytes.div_ceil(piece), &worker);
    let first = results.into_iter().filter_map(Result::err).min_by_key(|&(at, _)| at);
    first.map_or(Ok(()), |(_, fault)| Err(fault))
}

/// Runs `worker` on as many threads as `options` say, at most `most`, this one among them.
fn on_threads<R: Send>(options: &Options, most: u64, worker: &(impl Fn() -> R + Sync)) -> Vec<R> {
    let threads = options.threads.or_else(|| std::thread::available_parallelism().ok());
    let threads = (threads.map_or(1, NonZero::get) as u64).min(most);
    std::thread::scope(|scope| {
        let helpers: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
        let mut results = vec![worker()];
        results.extend(helpers.into_iter().map(|helper| match helper.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }));
        results
    })
}

/// What all workers share.
struct Work<'a, D: ?Sized, H: ?Sized> {
    data: &'a D,
    hashes: &'a H,
    geometry: &'a Geometry,
    hasher: BlockHasher,
    /// Byte offset of level 0 in the hash file.
    offset: u64,
    data_per_piece: u64,
}

impl<D: ReadAt + ?Sized, H: WriteAt + ?Sized> Work<'_, D, H> {
    /// Takes pieces until there are none: room for the digests of their hash blocks.
    fn run<'d>(
        &self,
        queue: &Mutex<impl Iterator<Item = (usize, &'d mut [u8])>>,
    ) -> io::Result<()> {
        let data_block = self.geometry.data_block();
        let read = READ.max(data_block.bytes() as usize);
        let mut data = vec![0; read];
        let mut leaves = vec![0; (self.data_per_piece >> data_block.bits()) as usize * Digest::LEN];
        loop {
            let Some((index, digests)) = lock(queue).next() else { return Ok(()) };
            let done = self.piece(index as u64, &mut data, &mut leaves, digests);
            if done.is_err() {
                // The others need not go on.
                lock(queue).by_ref().for_each(drop);
                return done;
            }
        }
    }

    fn piece(
        &self,
        index: u64,
        data: &mut [u8],
        leaves: &mut [u8],
        digests: &mut [u8],
    ) -> io::Result<()> {
        let (data_block, hash_block) = (self.geometry.data_block(), self.geometry.hash_block());
        let start = index * self.data_per_piece;
        let end = self.geometry.data_bytes().min(start + self.data_per_piece);
        let (mut at, mut filled) = (start, 0);
        while at < end {
            let part = &mut data[..READ.max(data_block.bytes() as usize).min((end - at) as usize)];
            self.data.read_exact_at(part, at)?;
            at += part.len() as u64;
            let room = &mut leaves[filled..][..(part.len() >> data_block.bits()) * Digest::LEN];
            self.hasher.hash_blocks(data_block, part, room).map_err(io::Error::other)?;
            filled += room.len();
        }
        let level = &mut leaves[..filled.next_multiple_of(hash_block.bytes() as usize)];
        level[filled..].fill(0);
        self.hasher.hash_blocks(hash_block, level, digests).map_err(io::Error::other)?;
        let first_leaf = start >> data_block.bits();
        self.hashes.write_all_at(level, self.offset + first_leaf * Digest::LEN as u64)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The caller's error as it is; one of verity's, which a checked geometry does not give, wrapped.
fn caller(fault: Fault<io::Error>) -> io::Error {
    match fault {
        Fault::Caller(error) => error,
        Fault::Verity(error) => io::Error::other(error),
    }
}
