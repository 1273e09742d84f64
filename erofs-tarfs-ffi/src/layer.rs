//! A tar, streamed in.
#![allow(unsafe_code, reason = "exports symbols")]

use core::ffi::c_void;

use erofs_tarfs::ingest::{Ingest, Options};
use erofs_tarfs::tar::EndMarker;
use erofs_tarfs::tree::LayerOptions;

use crate::error::Error;
use crate::leaves::Leaves;
use crate::panic::{Guarded, boundary};
use crate::pointer;
use crate::sized::{self, Sized};
use crate::stream::{Progress, ProgressFn, Reader, Sink, Source, Writer, duplicate};
use crate::tree::Tree;
use crate::verity_params::VerityParams;

/// Keep a hard link whose target is no earlier entry of its tar, for tarfs_tree_merge to find in a
/// lower layer; without it that is an error.
pub const TARFS_LAYER_KEEP_PENDING: u32 = 1;
/// Resolve ".." in paths inside the root; without it that is an error.
pub const TARFS_LAYER_RESOLVE_DOT_DOT: u32 = 2;
/// Drop extended attributes of namespaces that EROFS has no index for, and count them; without it
/// they are an error.
pub const TARFS_LAYER_DROP_UNKNOWN_XATTRS: u32 = 4;
/// Keep the device of a layer in which no file has any data.
pub const TARFS_LAYER_KEEP_EMPTY_DEVICE: u32 = 8;
/// Refuse what readers of tars disagree about, where it is otherwise read as GNU tar does.
pub const TARFS_LAYER_STRICT: u32 = 16;
/// Pass over entries of unknown type, and count them; without it they are an error.
pub const TARFS_LAYER_SKIP_UNKNOWN_TYPES: u32 = 32;
/// Compute the SHA-256 of all bytes pushed: the diffID of an uncompressed layer.
pub const TARFS_LAYER_DIFF_ID: u32 = 64;
/// Compute it, and tag the device with it, as 64 hex digits, instead of with tag.
pub const TARFS_LAYER_TAG_DIFF_ID: u32 = 128;

/// How a tar becomes a layer.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsLayerOptions {
    /// sizeof(tarfs_layer_options).
    pub size: usize,
    /// Tag of the device that the tar is: up to 64 bytes, usually the hex digits of the blob's
    /// digest. It is how an image says which tar it wants where.
    pub tag: *const u8,
    /// Length of tag.
    pub tag_len: usize,
    /// TARFS_LAYER_ flags.
    pub flags: u32,
    /// The most bytes of a path, and of a link's target.
    pub max_path_bytes: u32,
    /// The most bytes of pax records and long names of one entry.
    pub max_extension_bytes: u64,
    /// The most bytes of extended attributes of one entry.
    pub max_xattr_bytes: u64,
    /// The most segments of a sparse file.
    pub max_sparse_segments: u64,
    /// The most bytes that the tree may carry itself: attributes, link targets, odd pieces of
    /// sparse files.
    pub max_carried: u64,
    /// Where all bytes pushed are written to, unchanged and in order; nowhere if NULL.
    pub tee: *const Sink,
    /// Parameters of hash trees that the tar's data blocks are hashed for on the way; none if NULL.
    pub leaves: *const VerityParams,
}

/// What was met in a tar.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TarfsLayerInfo {
    /// sizeof(tarfs_layer_info).
    pub size: usize,
    /// Entries.
    pub entries: u64,
    /// Length of the tar in bytes, everything behind its end marker too.
    pub bytes: u64,
    /// Bytes behind the end marker.
    pub trailing: u64,
    /// How many zero blocks end the tar: 2 as POSIX has it, or 1, or 0.
    pub end_blocks: u32,
    /// 1 if diff_id is set.
    pub has_diff_id: u32,
    /// SHA-256 of all bytes.
    pub diff_id: [u8; 32],
    /// Entries of unknown type that were passed over.
    pub skipped_unknown: u64,
    /// Volume labels that were passed over.
    pub skipped_labels: u64,
    /// Entries without a body that state a size all the same.
    pub sizes_ignored: u64,
    /// Extended attributes that were dropped.
    pub dropped_xattrs: u64,
}

// SAFETY: integers and pointers, the size first.
unsafe impl Sized for TarfsLayerOptions {}
// SAFETY: as above.
unsafe impl Sized for TarfsLayerInfo {}

/// A tar that streams in and becomes a layer.
#[derive(Debug)]
pub struct Layer(Guarded<State>);

#[derive(Debug)]
enum State {
    Open(Box<Ingest>, Option<Writer>),
    Failed,
    Finished,
}

impl State {
    /// Works on a layer that is open; an error ends it.
    fn work<R>(
        &mut self,
        work: impl FnOnce(&mut Ingest, Option<&Writer>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let Self::Open(ingest, tee) = self else { return Err(self.closed()) };
        let done = work(ingest, tee.as_ref());
        if done.is_err() {
            *self = Self::Failed;
        }
        done
    }

    fn closed(&self) -> Error {
        Error::order(match self {
            Self::Finished => "the layer is finished",
            _ => "an earlier call on this layer failed",
        })
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.work(|ingest, tee| push(ingest, tee, bytes))
    }
}

fn push(ingest: &mut Ingest, tee: Option<&Writer>, bytes: &[u8]) -> Result<(), Error> {
    if let Some(tee) = tee.filter(|_| !bytes.is_empty()) {
        tee.write(ingest.position(), bytes)?;
    }
    Ok(ingest.push(bytes)?)
}

/// The library's options of the caller's.
///
/// # Safety
///
/// The pointers in `options` are as the header says.
unsafe fn options(given: &TarfsLayerOptions) -> Result<Options, Error> {
    let known = 2 * TARFS_LAYER_TAG_DIFF_ID - 1;
    if given.flags & !known != 0 {
        return Err(Error::argument(format!("flags {:#x}: not known", given.flags)));
    }
    let has = |flag| given.flags & flag != 0;
    let mut options = Options::default();
    let LayerOptions { tar, .. } = &mut options.layer;
    let size = |given: u64| usize::try_from(given).unwrap_or(usize::MAX);
    if given.max_path_bytes > 0 {
        tar.max_path_bytes = given.max_path_bytes as usize;
    }
    if given.max_extension_bytes > 0 {
        tar.max_extension_bytes = given.max_extension_bytes;
    }
    if given.max_xattr_bytes > 0 {
        tar.max_xattr_bytes = size(given.max_xattr_bytes);
    }
    if given.max_sparse_segments > 0 {
        tar.max_sparse_segments = size(given.max_sparse_segments);
    }
    tar.strict = has(TARFS_LAYER_STRICT);
    tar.skip_unknown_types = has(TARFS_LAYER_SKIP_UNKNOWN_TYPES);
    if given.max_carried > 0 {
        options.layer.max_carried = given.max_carried;
    }
    options.layer.keep_pending = has(TARFS_LAYER_KEEP_PENDING);
    options.layer.resolve_dot_dot = has(TARFS_LAYER_RESOLVE_DOT_DOT);
    options.layer.drop_unknown_xattrs = has(TARFS_LAYER_DROP_UNKNOWN_XATTRS);
    options.layer.keep_empty_device = has(TARFS_LAYER_KEEP_EMPTY_DEVICE);
    options.diff_id = has(TARFS_LAYER_DIFF_ID);
    options.tag_diff_id = has(TARFS_LAYER_TAG_DIFF_ID);
    // SAFETY: as the header says.
    let tag = unsafe { pointer::bytes(given.tag, given.tag_len, "tag")? };
    if tag.len() > 64 {
        return Err(Error::argument(format!("tag: {} bytes, at most 64 fit", tag.len())));
    }
    options.layer.tag = tag.to_vec();
    if !given.leaves.is_null() {
        // SAFETY: as the header says.
        options.leaves = Some(unsafe { VerityParams::read(given.leaves)? });
    }
    Ok(options)
}

/// Starts a layer.
///
/// @param options NULL for defaults. Its pointers are borrowed for the call; the callback of tee is
///        kept until tarfs_layer_free.
/// @param layer Receives the layer, ended with tarfs_layer_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_layer_new(
    options: *const TarfsLayerOptions,
    layer: *mut *mut Layer,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            pointer::output(layer, "layer")?;
            let given = sized::read(options, "options")?;
            let ingest = Box::new(Ingest::new(self::options(&given)?));
            let tee = match given.tee.is_null() {
                true => None,
                false => Some(Writer::new(sized::read(given.tee, "tee")?)?),
            };
            pointer::put(layer, pointer::give(Layer(Guarded::new(State::Open(ingest, tee)))));
            Ok(())
        })
    }
}

/// Takes the next bytes of the tar, in pieces of any size; 64 KiB or more at a time are fastest.
/// After an error the layer accepts nothing but tarfs_layer_free. The offset of an error is that of
/// the entry in the tar.
///
/// @param data May be NULL if len is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_layer_push(
    layer: *mut Layer,
    data: *const u8,
    len: usize,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let layer = pointer::borrow_mut(layer, "layer")?;
            let data = pointer::bytes(data, len, "data")?;
            layer.0.with(|state| state.push(data))
        })
    }
}

/// Bytes read at a time.
const PIECE: usize = 256 << 10;
/// A body is passed over rather than read from this many bytes on: less costs more than reading.
const FAR: u64 = 64 << 10;

/// Takes the next bytes of the tar from a source: those from byte offset on, as many as bytes says.
/// If the layer has neither tee nor leaves nor diffID, the bodies of files are passed over rather
/// than read.
///
/// @param progress May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_layer_push_source(
    layer: *mut Layer,
    source: *const Source,
    offset: u64,
    bytes: u64,
    progress: ProgressFn,
    progress_ctx: *mut c_void,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let layer = pointer::borrow_mut(layer, "layer")?;
            let reader = Reader::new(sized::required(source, "source")?)?;
            let end = offset.checked_add(bytes);
            let end = end.ok_or_else(|| Error::argument("offset and bytes: no file is so long"))?;
            let mut progress = Progress::new(progress, progress_ctx);
            let mut buf = Vec::new();
            layer.0.with(|state| {
                state.work(|ingest, tee| {
                    let mut at = offset;
                    while at < end {
                        let far = if tee.is_none() { ingest.skippable() } else { 0 };
                        let done = if far > FAR {
                            let far = far.min(end - at);
                            ingest.skip(far)?;
                            far
                        } else {
                            buf.resize(PIECE, 0);
                            let piece = &mut buf[..(end - at).min(PIECE as u64) as usize];
                            reader.read(at, piece)?;
                            push(ingest, tee, piece)?;
                            piece.len() as u64
                        };
                        at += done;
                        progress.add(done)?;
                    }
                    Ok(())
                })
            })
        })
    }
}

/// Takes the next bytes of the tar from a pipe, socket or file, from where it stands up to its end.
///
/// @param fd Stays the caller's.
/// @param progress May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_layer_push_fd(
    layer: *mut Layer,
    fd: i32,
    progress: ProgressFn,
    progress_ctx: *mut c_void,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let layer = pointer::borrow_mut(layer, "layer")?;
            let file = duplicate(fd, "the tar")?;
            let mut progress = Progress::new(progress, progress_ctx);
            let mut buf = vec![0; PIECE];
            layer.0.with(|state| {
                state.work(|ingest, tee| {
                    loop {
                        let n = Reader::read_next(&file, ingest.position(), &mut buf)?;
                        if n == 0 {
                            return Ok(());
                        }
                        push(ingest, tee, &buf[..n])?;
                        progress.add(n as u64)?;
                    }
                })
            })
        })
    }
}

/// Ends a layer: the tar is complete. One that is cut short is an error.
///
/// @param info NULL if it is not wanted.
/// @param tree Receives the layer's tree, ended with tarfs_tree_free.
/// @param leaves Receives the digests of the tar's data blocks if the options asked for them, else
///        NULL; ended with tarfs_leaves_free. NULL if they are not wanted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_layer_finish(
    layer: *mut Layer,
    info: *mut TarfsLayerInfo,
    tree: *mut *mut Tree,
    leaves: *mut *mut Leaves,
    error: *mut *mut Error,
) -> i32 {
    // SAFETY: the pointers are as the header says.
    unsafe {
        boundary(error, || {
            let layer = pointer::borrow_mut(layer, "layer")?;
            pointer::output(tree, "tree")?;
            if !info.is_null() {
                sized::check(info, "info")?;
            }
            let done = layer.0.with(|state| {
                if !matches!(state, State::Open(..)) {
                    return Err(state.closed());
                }
                match core::mem::replace(state, State::Finished) {
                    State::Open(ingest, _) => Ok(ingest.finish().inspect_err(|_| {
                        *state = State::Failed;
                    })?),
                    closed => Err(closed.closed()),
                }
            })?;
            if !info.is_null() {
                let end = done.layer.end;
                let answer = TarfsLayerInfo {
                    size: 0,
                    entries: end.entries,
                    bytes: end.bytes,
                    trailing: end.trailing,
                    end_blocks: match end.marker {
                        EndMarker::TwoBlocks => 2,
                        EndMarker::OneBlock => 1,
                        EndMarker::None => 0,
                    },
                    has_diff_id: done.diff_id.is_some().into(),
                    diff_id: done.diff_id.map_or([0; 32], |digest| digest.0),
                    skipped_unknown: end.skipped_unknown,
                    skipped_labels: end.skipped_labels,
                    sizes_ignored: end.sizes_ignored,
                    dropped_xattrs: done.layer.dropped_xattrs,
                };
                sized::write(info, answer, "info")?;
            }
            if !leaves.is_null() {
                let kept = done.leaves.map(Leaves::new);
                pointer::put(leaves, kept.map_or(core::ptr::null_mut(), pointer::give));
            }
            pointer::put(tree, pointer::give(Tree::new(done.layer.tree)));
            Ok(())
        })
    }
}

/// Ends a layer, finished or not. What its tee wrote stays.
///
/// @param layer A layer that is not used afterwards, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tarfs_layer_free(layer: *mut Layer) {
    // SAFETY: the caller passes NULL or a layer of this library, once.
    unsafe { pointer::free(layer) }
}
