//! Whole files sealed and verified, on several threads.
#![allow(unsafe_code, reason = "exports symbols")]

use core::ffi::c_void;
use std::io;

use erofs_tarfs::io::verity::{self as files, ReadAt};
use erofs_tarfs::verity::{Fault, Hasher, Verifier};

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized;
use crate::streams::file::Shifted;
use crate::streams::progress::{Progress, ProgressFn};
use crate::streams::sink::Sink;
use crate::streams::source::{Reader, Source};
use crate::streams::watch::Watch;
use crate::verity::hashes::Hashes;
use crate::verity::params::VerityParams;
use crate::verity::sealed::Sealed;
use crate::verity::threads::options;

/// Bytes read at a time where a callback reads.
const PIECE: usize = 256 << 10;

/// Seals data: hashes its first data_bytes bytes, and writes the hash area. Where both source and
/// sink are files it uses threads; else the calling thread alone.
///
/// @param params NULL for those of the preset "nydus". With TARFS_HASH_BEHIND_DATA or
///        TARFS_HASH_AT the sink is the file of the data.
/// @param data_bytes Whole data blocks: see tarfs_verity_padding.
/// @param sink NULL if the root hash is enough.
/// @param thread_count How many threads hash; 0 for as many as the machine has.
/// @param progress Is told of bytes of data hashed by the calling thread, or by all threads. May be
///        NULL.
/// @param sealed Receives geometry and root hash, ended with tarfs_sealed_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_verity_seal(
    source: *const Source,
    data_bytes: u64,
    params: *const VerityParams,
    sink: *const Sink,
    thread_count: u32,
    progress: ProgressFn,
    progress_ctx: *mut c_void,
    sealed: *mut *mut Sealed,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(sealed, "sealed")?;
            let data = Reader::new(sized::required(source, "source")?)?;
            let geometry = VerityParams::geometry(params, data_bytes)?;
            let mut progress = Progress::new(progress, progress_ctx);
            let mut out = Hashes::new(sink)?;
            let done = match (data.file(), out.file()) {
                (Some(file), Some(Some(to))) => {
                    let data = Watched { file, watch: Watch::new(&mut progress) };
                    let done = files::seal(&data, &to, geometry, &options(thread_count));
                    done.map_err(|error| Error::io("seal", error))?
                }
                _ => stream(&data, &mut out, Hasher::new(geometry), &mut progress)?,
            };
            pointer::put(sealed, pointer::give(Sealed(done)));
            Ok(())
        })
    }
}

/// Verifies data and the whole hash tree. Where both are files it uses threads; else the calling
/// thread alone.
///
/// @param hashes Where the hash area is: the file of the data, or its own.
/// @param thread_count How many threads hash; 0 for as many as the machine has.
/// @param progress May be NULL.
/// @return TARFS_STATUS_MISMATCH if data or tree is not what the root hash says; the error tells
///         where.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_verity_verify(
    source: *const Source,
    hashes: *const Source,
    sealed: *const Sealed,
    thread_count: u32,
    progress: ProgressFn,
    progress_ctx: *mut c_void,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let data = Reader::new(sized::required(source, "source")?)?;
            let hashes = Reader::new(sized::required(hashes, "hashes")?)?;
            let sealed = &pointer::borrow(sealed, "sealed")?.0;
            let mut progress = Progress::new(progress, progress_ctx);
            if let (Some(file), Some(hashes)) = (data.file(), hashes.file()) {
                let data = Watched { file, watch: Watch::new(&mut progress) };
                let done = files::verify(&data, &hashes, sealed, &options(thread_count));
                return done.map_err(Error::from);
            }
            let mut verifier = Verifier::new(sealed.geometry().clone(), sealed.root());
            let mut read = |offset: u64, buf: &mut [u8]| {
                data.read(offset, buf)?;
                progress.add(buf.len() as u64)
            };
            let mut tree = |offset: u64, buf: &mut [u8]| hashes.read(offset, buf);
            Ok(verifier.verify_all(&mut read, &mut tree)?)
        })
    }
}

/// Hashes what a callback gives.
fn stream(
    data: &Reader,
    sink: &mut Hashes,
    mut hasher: Hasher,
    progress: &mut Progress,
) -> Result<erofs_tarfs::verity::Sealed, Fault<Error>> {
    let mut buf = vec![0; PIECE];
    let end = hasher.geometry().data_bytes();
    while hasher.position() < end {
        let at = hasher.position();
        let part = &mut buf[..(end - at).min(PIECE as u64) as usize];
        data.read(at, part).map_err(Fault::Caller)?;
        hasher.push(part, sink)?;
        progress.add(part.len() as u64).map_err(Fault::Caller)?;
    }
    hasher.finish(sink)
}

/// A file whose reads are watched.
struct Watched<'a> {
    file: Shifted<'a>,
    watch: Watch<'a>,
}

impl ReadAt for Watched<'_> {
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buf, offset)?;
        self.watch.add(buf.len() as u64).map_err(io::Error::other)
    }
}
