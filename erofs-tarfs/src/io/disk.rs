//! Plans of disks carried out: written to a file, or hashed without being written.

use super::{Error, NamedFile};
use crate::image::{self, DiskPlan, Source};
use crate::layout::Layout;
use crate::verity::{Fault, Geometry, HashSink, Hasher, Sealed};

/// Bytes copied at a time.
const PIECE: usize = 1 << 20;

/// Writes a disk to an empty file, front to back. Zeros become holes.
///
/// `sources` are the files of the layout's devices, in their order. `observer` is told how many
/// bytes were dealt with. A hash tree is [`verity::seal`](super::verity::seal)'s to put behind it.
///
/// # Errors
/// [`Error::Short`] and [`Error::MissingSource`] before anything is written; [`Error::Read`],
/// [`Error::Write`].
pub fn write_disk(
    plan: &DiskPlan,
    layout: &Layout<'_>,
    sources: &[NamedFile],
    out: &NamedFile,
    observer: &mut dyn FnMut(u64),
) -> Result<(), Error> {
    check(plan, sources)?;
    out.set_bytes(plan.bytes)?;
    stream(plan, layout, sources, &mut |offset, piece| match piece {
        Piece::Bytes(bytes) => {
            out.write_all_at(bytes, offset)?;
            observer(bytes.len() as u64);
            Ok(())
        }
        Piece::Zeros(bytes) => {
            observer(bytes);
            Ok(())
        }
    })
}

/// Hashes a disk that is not written. `geometry` is of its length, with zeros behind its end up
/// to whole data blocks; hash blocks go to `tree`.
///
/// # Errors
/// As [`write_disk`]; [`Error::Write`] for the tree, [`Error::Verity`].
pub fn hash_disk(
    plan: &DiskPlan,
    layout: &Layout<'_>,
    sources: &[NamedFile],
    geometry: Geometry,
    tree: &NamedFile,
    observer: &mut dyn FnMut(u64),
) -> Result<Sealed, Error> {
    check(plan, sources)?;
    let fault = |fault| match fault {
        Fault::Caller(error) => error,
        Fault::Verity(error) => Error::Verity { file: tree.path().to_owned(), error },
    };
    let padding = geometry.data_bytes().saturating_sub(plan.bytes);
    let mut hasher = Hasher::new(geometry);
    let mut sink = Tree(tree);
    stream(plan, layout, sources, &mut |_, piece| {
        let (done, bytes) = match piece {
            Piece::Bytes(bytes) => (hasher.push(bytes, &mut sink), bytes.len() as u64),
            Piece::Zeros(bytes) => (hasher.push_zeros(bytes, &mut sink), bytes),
        };
        observer(bytes);
        done.map_err(fault)
    })?;
    hasher.push_zeros(padding, &mut sink).map_err(fault)?;
    hasher.finish(&mut sink).map_err(fault)
}

struct Tree<'a>(&'a NamedFile);

impl HashSink for Tree<'_> {
    type Error = Error;

    fn put(&mut self, offset: u64, blocks: &[u8]) -> Result<(), Error> {
        self.0.write_all_at(blocks, offset)
    }
}

/// What comes next in a disk.
enum Piece<'a> {
    Bytes(&'a [u8]),
    Zeros(u64),
}

/// Every source is there, and as long as the plan needs it.
fn check(plan: &DiskPlan, sources: &[NamedFile]) -> Result<(), Error> {
    for segment in &plan.segments {
        let Source::Device { index, offset } = segment.source else { continue };
        let missing = Error::MissingSource { device: index, sources: sources.len() };
        let source = sources.get(index).ok_or(missing)?;
        let (bytes, needed) = (source.bytes()?, offset.saturating_add(segment.bytes));
        if bytes < needed {
            return Err(Error::Short { file: source.path().to_owned(), bytes, needed });
        }
    }
    Ok(())
}

/// All of a disk, ascending and without gaps.
fn stream(
    plan: &DiskPlan,
    layout: &Layout<'_>,
    sources: &[NamedFile],
    sink: &mut dyn FnMut(u64, Piece<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut buf = Vec::new();
    let mut at = 0;
    for segment in &plan.segments {
        if segment.offset > at {
            sink(at, Piece::Zeros(segment.offset - at))?;
        }
        at = segment.offset;
        match segment.source {
            Source::Head => {
                let head = image::head(layout);
                sink(at, Piece::Bytes(&head))?;
                at += head.len() as u64;
            }
            Source::Body => image::body(layout, &mut |bytes: &[u8]| {
                sink(at, Piece::Bytes(bytes))?;
                at += bytes.len() as u64;
                Ok::<(), Error>(())
            })?,
            Source::Device { index, offset } => {
                buf.resize(PIECE, 0);
                let end = at + segment.bytes;
                while at < end {
                    let piece = &mut buf[..(end - at).min(PIECE as u64) as usize];
                    sources[index].read_exact_at(piece, offset + (at - segment.offset))?;
                    sink(at, Piece::Bytes(piece))?;
                    at += piece.len() as u64;
                }
            }
            Source::Zeros => {}
        }
        // What the source leaves of its segment is zeros.
        let end = segment.offset + segment.bytes;
        if at < end {
            sink(at, Piece::Zeros(end - at))?;
            at = end;
        }
    }
    if at < plan.bytes {
        sink(at, Piece::Zeros(plan.bytes - at))?;
    }
    Ok(())
}
