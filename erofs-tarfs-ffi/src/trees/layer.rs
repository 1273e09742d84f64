//! A tar, streamed in.
#![allow(unsafe_code, reason = "exports symbols")]

use core::ffi::c_void;

use erofs_tarfs::ingest::{Ingest, Ingested};
use erofs_tarfs::io::{Buffer, Pipe};
use erofs_tarfs::verity::StreamHasher;

use crate::abi::error::Error;
use crate::abi::panic::{Guarded, boundary};
use crate::abi::pointer;
use crate::abi::sized;
use crate::streams::file::{duplicate, read_next};
use crate::streams::progress::{Progress, ProgressFn};
use crate::streams::sink::Writer;
use crate::streams::source::{Reader, Source};
use crate::trees::layer_info::TarfsLayerInfo;
use crate::trees::layer_options::TarfsLayerOptions;
use crate::trees::pieces::Pieces;
use crate::trees::tree::Tree;
use crate::trees::unpack::Unpack;
use crate::verity::leaves::Leaves;

/// A tar that streams in and becomes a layer.
#[derive(Debug)]
pub struct Layer(Guarded<State>);

#[derive(Debug)]
enum State {
    Open(Open),
    Failed,
    Finished,
}

/// A layer at work.
#[derive(Debug)]
struct Open {
    /// Makes a tar of what is pushed.
    unpack: Unpack,
    ingest: Box<Ingest>,
    /// What is written, and what is hashed by another thread.
    pieces: Pieces,
}

/// Takes bytes of the tar.
fn take(ingest: &mut Ingest, pieces: &mut Pieces, tar: &[u8]) -> Result<(), Error> {
    pieces.push(tar)?;
    Ok(ingest.push(tar)?)
}

impl Open {
    fn push(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Self { unpack, ingest, pieces } = self;
        unpack.push(bytes, &mut |tar| take(ingest, pieces, tar))
    }

    /// Bytes that nobody needs to see.
    fn skippable(&self) -> u64 {
        if self.pieces.are_wanted() || !self.unpack.is_plain() {
            0
        } else {
            self.ingest.skippable()
        }
    }

    fn finish(mut self) -> Result<Ingested, Error> {
        let Self { unpack, ingest, pieces } = &mut self;
        unpack.finish(&mut |tar| take(ingest, pieces, tar))?;
        Ok(match self.pieces.finish()? {
            Some(hashed) => self.ingest.finish_with(hashed)?,
            None => self.ingest.finish()?,
        })
    }
}

impl State {
    /// Works on a layer that is open; an error ends it.
    fn work<R>(&mut self, work: impl FnOnce(&mut Open) -> Result<R, Error>) -> Result<R, Error> {
        let Self::Open(open) = self else { return Err(self.closed()) };
        let done = work(open);
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
        self.work(|open| open.push(bytes))
    }
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
            let (options, unpack) = (given.read()?, given.unpack()?);
            let (ingest, apart) = match given.is_apart() {
                true => Ingest::split(options),
                false => (Ingest::new(options), StreamHasher::new(false, None)),
            };
            let tee = match given.tee.is_null() {
                true => None,
                false => Some(Writer::new(sized::read(given.tee, "tee")?)?),
            };
            let (ingest, pieces) = (Box::new(ingest), Pieces::new(tee, apart));
            let open = Open { unpack, ingest, pieces };
            pointer::put(layer, pointer::give(Layer(Guarded::new(State::Open(open)))));
            Ok(())
        })
    }
}

/// Takes the next bytes of the tar, compressed if the options say so, in pieces of any size; 64 KiB or
/// more at a time are fastest.
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
                state.work(|open| {
                    let mut at = offset;
                    while at < end {
                        let far = open.skippable();
                        let done = if far > FAR {
                            let far = far.min(end - at);
                            open.ingest.skip(far)?;
                            far
                        } else {
                            buf.resize(PIECE, 0);
                            let piece = &mut buf[..(end - at).min(PIECE as u64) as usize];
                            reader.read(at, piece)?;
                            open.push(piece)?;
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

/// Takes the next bytes of the tar from a pipe, socket or file, from where it stands up to its end:
/// of a pipe the fastest way, because who writes to it is not held up while bytes are copied.
///
/// @param fd Stays the caller's. A pipe is given room for 1 MiB; if the call fails, up to 1 MiB that
///        it did not look at is gone from it.
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
            let mut tar = Pipe::new(duplicate(fd, "the tar")?);
            let mut progress = Progress::new(progress, progress_ctx);
            let mut buf = Buffer::new(PIECE);
            layer.0.with(|state| {
                state.work(|open| {
                    loop {
                        let n = read_next(&mut tar, open.ingest.position(), &mut buf)?;
                        if n == 0 {
                            return Ok(());
                        }
                        open.push(&buf[..n])?;
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
                    State::Open(open) => open.finish().inspect_err(|_| *state = State::Failed),
                    closed => Err(closed.closed()),
                }
            })?;
            if !info.is_null() {
                sized::write(info, TarfsLayerInfo::of(&done), "info")?;
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
