//! Plans of disks carried out: written to a file.

use super::{Error, NamedFile};
use crate::image::{self, DiskPlan, Piece, Source};
use crate::layout::Layout;

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
    let mut buf = Vec::new();
    image::pieces(plan, layout, &mut |offset, piece| {
        match piece {
            Piece::Bytes(bytes) => out.write_all_at(bytes, offset)?,
            Piece::Zeros(_) => {}
            Piece::Device { index, offset: from, bytes } => {
                buf.resize(PIECE, 0);
                let mut at = 0;
                while at < bytes {
                    let part = &mut buf[..(bytes - at).min(PIECE as u64) as usize];
                    sources[index].read_exact_at(part, from + at)?;
                    out.write_all_at(part, offset + at)?;
                    at += part.len() as u64;
                    observer(part.len() as u64);
                }
                return Ok(());
            }
        }
        observer(piece.len());
        Ok(())
    })
}

/// Writes the metadata to its places, the head at byte 0: all of a bootstrap; of a disk, what is
/// missing where the devices are in their places already. The file then has the length of the
/// bootstrap or disk at least.
///
/// # Errors
/// [`Error::Write`].
pub fn write_metadata(layout: &Layout<'_>, out: &NamedFile) -> Result<(), Error> {
    out.write_all_at(&image::head(layout), 0)?;
    let mut at = layout.body_offset();
    image::body(layout, &mut |bytes: &[u8]| {
        out.write_all_at(bytes, at)?;
        at += bytes.len() as u64;
        Ok::<(), Error>(())
    })?;
    if out.bytes()? < at { out.set_bytes(at) } else { Ok(()) }
}

/// Every source is there, and as long as the plan needs it.
pub(super) fn check(plan: &DiskPlan, sources: &[NamedFile]) -> Result<(), Error> {
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
