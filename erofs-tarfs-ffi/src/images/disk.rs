//! Layouts written: bootstraps, disks, and the hash trees of disks.
#![allow(unsafe_code, reason = "exports symbols")]

use core::ffi::c_void;

use erofs_tarfs::image::{self, Piece};
use erofs_tarfs::io::hash_disk_with;
use erofs_tarfs::io::verity::HashingOptions;
use erofs_tarfs::verity::{self, Geometry, Hasher};

use crate::abi::error::Error;
use crate::abi::panic::boundary;
use crate::abi::pointer;
use crate::abi::sized;
use crate::images::layout::Layout;
use crate::streams::file::Shifted;
use crate::streams::progress::{Progress, ProgressFn};
use crate::streams::sink::{Sink, Writer};
use crate::streams::source::{Reader, Source};
use crate::streams::watch::Watch;
use crate::verity::hashes::Hashes;
use crate::verity::leaves::Leaves;
use crate::verity::params::VerityParams;
use crate::verity::sealed::Sealed;

/// Bytes copied at a time.
const PIECE: usize = 1 << 20;

/// Writes the metadata: the head at byte 0, the rest at body_offset, in ascending order. Of a
/// bootstrap that is all there is. Of a disk whose devices are in place already, such as one that a
/// tar was streamed into at disk_offset, it is what is missing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_layout_write_metadata(
    layout: *const Layout,
    sink: *const Sink,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let plan = pointer::borrow(layout, "layout")?.plan();
            let out = Writer::new(sized::required(sink, "sink")?)?;
            out.write(0, &image::head(plan))?;
            let mut at = plan.body_offset();
            image::body(plan, &mut |bytes: &[u8]| {
                out.write(at, bytes)?;
                at += bytes.len() as u64;
                Ok::<(), Error>(())
            })?;
            // What follows in a file is zeros.
            out.zeros(at, plan.body_offset() + plan.body_bytes() - at)
        })
    }
}

/// Writes a disk: all of it, in ascending order.
///
/// @param sources The files of the layout's devices, in its order; may be NULL if count is 0.
/// @param sink A file should be empty behind the sink's offset: zeros are left out as holes.
/// @param progress May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_layout_write_disk(
    layout: *const Layout,
    sources: *const Source,
    count: usize,
    sink: *const Sink,
    progress: ProgressFn,
    progress_ctx: *mut c_void,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let layout = pointer::borrow(layout, "layout")?;
            let sources = self::sources(layout, sources, count)?;
            let out = Writer::new(sized::required(sink, "sink")?)?;
            let mut progress = Progress::new(progress, progress_ctx);
            let mut buf = Vec::new();
            image::pieces(layout.disk(), layout.plan(), &mut |offset, piece| {
                match piece {
                    Piece::Bytes(bytes) => out.write(offset, bytes)?,
                    Piece::Device { index, offset: from, bytes } => {
                        buf.resize(PIECE, 0);
                        let mut at = 0;
                        while at < bytes {
                            let part = &mut buf[..(bytes - at).min(PIECE as u64) as usize];
                            sources[index].read(from + at, part)?;
                            out.write(offset + at, part)?;
                            at += part.len() as u64;
                            progress.add(part.len() as u64)?;
                        }
                        return Ok(());
                    }
                    piece => out.zeros(offset, piece.len())?,
                }
                progress.add(piece.len())
            })
        })
    }
}

/// Hashes the disk that the layout describes, written or not, with zeros behind its end up to whole
/// data blocks; hash blocks go to a sink. Where sources and sink are all files it uses as many
/// threads as the machine has; else the calling thread alone.
///
/// @param sources The files of the layout's devices, in its order; may be NULL if count is 0.
/// @param leaves NULL, or for each of the sources NULL or the digests kept of its data blocks: its
///        bytes are then not read again, if the device starts on a data block of the disk and the
///        leaves have the block size and salt of params.
/// @param params NULL for those of the preset "nydus". With TARFS_HASH_BEHIND_DATA the tree's
///        offsets are those of a file in which the disk comes first. A data block larger than the
///        layout's block size is refused, unless TARFS_VERITY_ANY_DATA_BLOCK is given.
/// @param sink Where hash blocks go; NULL if the root hash is enough. Their offsets do not ascend,
///        so a pipe will not do.
/// @param progress Is told of bytes of devices that were read. May be NULL.
/// @param sealed Receives geometry and root hash, ended with tarfs_sealed_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_layout_hash_disk(
    layout: *const Layout,
    sources: *const Source,
    count: usize,
    leaves: *const *const Leaves,
    params: *const VerityParams,
    sink: *const Sink,
    progress: ProgressFn,
    progress_ctx: *mut c_void,
    sealed: *mut *mut Sealed,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(sealed, "sealed")?;
            let layout = pointer::borrow(layout, "layout")?;
            let sources = self::sources(layout, sources, count)?;
            let kept: &[*const Leaves] = match leaves.is_null() {
                true => &[],
                false => pointer::array(leaves, count, "leaves")?,
            };
            let kept: Vec<_> = kept.iter().map(|&one| pointer::maybe(one).map(|o| &o.0)).collect();
            VerityParams::mountable(params, layout.plan().block_size())?;
            let bytes = layout.disk().bytes;
            let bytes = bytes + VerityParams::read(params)?.data_padding(bytes);
            let geometry = VerityParams::geometry(params, bytes)?;
            let mut out = Hashes::new(sink)?;
            let mut progress = Progress::new(progress, progress_ctx);
            if let (Some(files), Some(to)) = (files(&sources), out.file()) {
                let done = on_threads(layout, &files, &kept, geometry, to, &mut progress)?;
                pointer::put(sealed, pointer::give(Sealed(done)));
                return Ok(());
            }
            let mut hasher = Hasher::new(geometry);
            let mut read = |index: usize, offset: u64, buf: &mut [u8]| {
                sources[index].read(offset, buf)?;
                progress.add(buf.len() as u64)
            };
            let (disk, plan) = (layout.disk(), layout.plan());
            erofs_tarfs::disk::hash(disk, plan, &kept, &mut read, &mut hasher, &mut out)?;
            let done = hasher.finish(&mut out)?;
            pointer::put(sealed, pointer::give(Sealed(done)));
            Ok(())
        })
    }
}

/// The sources, if all are files.
fn files(sources: &[Reader]) -> Option<Vec<Shifted<'_>>> {
    sources.iter().map(Reader::file).collect()
}

/// Hashes a disk whose devices are files; its tree goes to one too, or nowhere.
fn on_threads(
    layout: &Layout,
    sources: &[Shifted<'_>],
    leaves: &[Option<&verity::Leaves>],
    geometry: Geometry,
    to: Option<Shifted<'_>>,
    progress: &mut Progress,
) -> Result<verity::Sealed, Error> {
    let watch = Watch::new(progress);
    let read = |index: usize, offset: u64, buf: &mut [u8]| {
        sources[index].read(offset, buf)?;
        watch.add(buf.len() as u64)
    };
    let put =
        |offset: u64, blocks: &[u8]| to.as_ref().map_or(Ok(()), |to| to.write(offset, blocks));
    let (plan, options) = (layout.plan(), HashingOptions::default());
    Ok(hash_disk_with(layout.disk(), plan, &read, leaves, geometry, &put, &options, &|_| {})?)
}

/// A source for each device.
///
/// # Safety
///
/// `sources` is as the header says.
unsafe fn sources(
    layout: &Layout,
    sources: *const Source,
    count: usize,
) -> Result<Vec<Reader>, Error> {
    let devices = layout.plan().sources();
    if count != devices {
        return Err(Error::argument(format!("sources: {count}, but there are {devices} devices")));
    }
    // SAFETY: by the contract.
    Reader::all(unsafe { sized::array(sources, count, "sources")? })
}
