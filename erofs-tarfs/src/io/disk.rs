//! Plans of disks carried out: written to a file.

use super::copy::{Tell, copy_telling};
use super::joined::Joined;
use super::{Copied, Error, NamedFile};
use crate::image::{self, DiskPlan, Piece, SegmentSource, metadata};
use crate::layout::Layout;
use std::thread;

/// Metadata of at least so many bytes is made by two threads.
const APART: u64 = 4 << 20;

/// How many zeros are written at a time.
const ZEROS: [u8; 4096] = [0; 4096];

/// Writes a disk to an empty file, front to back. Zeros become holes, and what comes from devices
/// is shared with their files where the filesystem can: see [`copy_range`](super::copy_range). Answers how it was.
///
/// `sources` are the files of the layout's devices, in their order. `observer` is told how many
/// bytes were dealt with. A hash tree is [`verity::seal`](super::verity::seal)'s to put behind it.
///
/// ```
/// use erofs_tarfs::layout::{LayoutOptions, plan};
/// use erofs_tarfs::{image, io, tree::LayerOptions};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::tar_of;
///
/// let tar = io::NamedFile::new("base.tar", tempfile::tempfile()?);
/// tar.write_all_at(&tar_of(&[("etc/motd", "hello\n")]), 0)?;
/// let layer = io::index_file(&tar, LayerOptions::default(), &mut |_| {})?;
///
/// let options = LayoutOptions::disk();
/// let layout = plan(&layer.tree, &options)?;
/// let disk = io::NamedFile::new("base.disk", tempfile::tempfile()?);
/// let copied = io::write_disk(&image::disk(&layout), &layout, &[tar], &disk, &mut |_| {})?;
/// assert_eq!(copied.bytes(), 2048); // the tar, shared or copied
/// assert_eq!(disk.bytes()?, layout.disk_bytes()); // mount -t erofs base.disk /mnt
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
) -> Result<Copied, Error> {
    check(plan, sources)?;
    let tell = &mut |bytes| {
        observer(bytes);
        Ok(())
    };
    write_disk_with(plan, layout, (out, true), tell, &mut |index, from, to, bytes, tell| {
        copy_telling((&sources[index], from), (out, to), bytes, tell)
    })
}

/// Copies so many bytes of the device at an index, from a byte of its file on, to a byte of the disk.
pub(super) type CopyDevice<'a> =
    dyn FnMut(usize, u64, u64, u64, &mut Tell<'_>) -> Result<Copied, Error> + 'a;

/// [`write_disk`] with devices that are copied in any way, also to a file that is not empty: what it has between
/// them is gone then.
pub(super) fn write_disk_with(
    plan: &DiskPlan,
    layout: &Layout<'_>,
    (out, is_empty): (&NamedFile, bool),
    tell: &mut Tell<'_>,
    copy: &mut CopyDevice<'_>,
) -> Result<Copied, Error> {
    out.set_bytes(plan.bytes)?;
    let mut copied = Copied::default();
    image::pieces(plan, layout, &mut |offset, piece| {
        match piece {
            Piece::Bytes(bytes) => out.write_all_at(bytes, offset)?,
            Piece::Zeros(bytes) if !is_empty => zeros(out, offset, bytes)?,
            Piece::Zeros(_) => {}
            Piece::Device { index, offset: from, bytes } => {
                copied += copy(index, from, offset, bytes, tell)?;
                return Ok(());
            }
        }
        tell(piece.len())
    })?;
    Ok(copied)
}

/// Writes so many zeros.
fn zeros(out: &NamedFile, mut offset: u64, mut bytes: u64) -> Result<(), Error> {
    while bytes > 0 {
        let some = bytes.min(ZEROS.len() as u64);
        out.write_all_at(&ZEROS[..some as usize], offset)?;
        (offset, bytes) = (offset + some, bytes - some);
    }
    Ok(())
}

/// Writes the metadata to its places, the head at byte 0: all of a bootstrap; of a disk, what is
/// missing where the devices are in their places already. The file then has the length of the
/// bootstrap or disk at least.
///
/// ```
/// use erofs_tarfs::{io, layout};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let layout = layout::plan(&tree, &layout::LayoutOptions::default())?;
/// let bootstrap = io::NamedFile::new("base.erofs", tempfile::tempfile()?);
/// io::write_metadata(&layout, &bootstrap)?;
/// assert_eq!(bootstrap.bytes()?, 4096); // mount -t erofs -o device=base.tar base.erofs /mnt
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Write`].
pub fn write_metadata(layout: &Layout<'_>, out: &NamedFile) -> Result<(), Error> {
    out.write_all_at(&image::head(layout), 0)?;
    let at = layout.body_offset();
    body(layout, out, at)?;
    let end = at + layout.body_bytes();
    if out.bytes()? < end { out.set_bytes(end) } else { Ok(()) }
}

/// Writes the metadata in one piece, as a file of its own would have it, at byte `at` of a file:
/// the head and, right behind it, the body. Answers how many bytes that is. With `at` 0 the bytes
/// are [`image::bootstrap`]'s.
///
/// It is what [`Extents::of_disk`](crate::outputs::FileExtents::of_disk) refers to as
/// [`Metadata`](crate::outputs::Held::Metadata).
///
/// ```
/// use erofs_tarfs::{image, io, layout};
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/tar.rs")); }
/// # use doc::layer_of;
///
/// let tree = layer_of(&[("etc/motd", "hello\n")]);
/// let layout = layout::plan(&tree, &layout::LayoutOptions::default())?;
/// let file = io::NamedFile::new("rest", tempfile::tempfile()?);
/// let bytes = io::write_metadata_at(&layout, &file, 512)?;
/// let mut written = vec![0; bytes as usize];
/// file.read_exact_at(&mut written, 512)?;
/// assert_eq!(written, image::bootstrap(&layout));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::Write`].
pub fn write_metadata_at(layout: &Layout<'_>, out: &NamedFile, at: u64) -> Result<u64, Error> {
    let head = image::head(layout);
    out.write_all_at(&head, at)?;
    body(layout, out, at + head.len() as u64)?;
    Ok(layout.metadata_bytes())
}

/// Writes the metadata behind the head, from byte `at` of a file on. Where it is much, inodes and
/// blocks are made at the same time.
fn body(layout: &Layout<'_>, out: &NamedFile, at: u64) -> Result<(), Error> {
    let writer = |mut at: u64| {
        move |bytes: &[u8]| {
            out.write_all_at(bytes, at)?;
            at += bytes.len() as u64;
            Ok::<(), Error>(())
        }
    };
    let behind = at + (layout.block_area - layout.body_offset());
    let inodes = || metadata::inode_area(layout, &mut writer(at));
    let blocks = || metadata::block_area(layout, &mut writer(behind));
    if layout.body_bytes() < APART {
        inodes()?;
        return blocks();
    }
    thread::scope(|scope| {
        let helper = thread::Builder::new().spawn_scoped(scope, blocks).map(Joined::new);
        inodes()?;
        match helper {
            Ok(helper) => helper.join(),
            // The system has no thread for it.
            Err(_) => blocks(),
        }
    })
}

/// Every source is there, and as long as the plan needs it.
pub(super) fn check(plan: &DiskPlan, sources: &[NamedFile]) -> Result<(), Error> {
    check_with(plan, sources.len(), |index| sources.get(index))
}

/// [`check`] of `count` sources of which some may be no files: how long those are, reading tells.
pub(super) fn check_with<'s>(
    plan: &DiskPlan,
    count: usize,
    file: impl Fn(usize) -> Option<&'s NamedFile>,
) -> Result<(), Error> {
    for segment in &plan.segments {
        let SegmentSource::Device { index, offset } = segment.source else { continue };
        if index >= count {
            return Err(Error::MissingSource { device: index, sources: count });
        }
        let Some(source) = file(index) else { continue };
        let (bytes, needed) = (source.bytes()?, offset.saturating_add(segment.bytes));
        if bytes < needed {
            return Err(Error::Short { file: source.path().to_owned(), bytes, needed });
        }
    }
    Ok(())
}
