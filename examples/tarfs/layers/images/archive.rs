//! The tar around an image.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use erofs_tarfs::tree::{InodeId, LayerOptions, NodeKind};
use erofs_tarfs::{ingest, io as tarfs_io};

use crate::cli::fail::{Done, Fail};
use crate::cli::progress::{Progress, Stage};
use crate::cli::quote;
use crate::cli::reading_options::ReadingOptions;
use crate::files::open;
use crate::files::stream::{self, STDIN};
use crate::layers::loaded::{Backing, Loaded};
use crate::layers::noted::Noted;
use crate::layers::paths;
use crate::layers::spool::Spool;

/// Symbolic links that are followed in an archive, one to the next.
const MAX_LINKS: usize = 8;

/// How the tar around an image is read. Only the data of its files matters, not their attributes.
fn options(how: &ReadingOptions<'_>) -> LayerOptions {
    // Limits are the user's.
    let layer = how.layer.clone();
    let tar = layer.tar.clone().skip_unknown_types(true);
    layer
        .tag(b"archive")
        .keep_pending(true)
        .resolve_dot_dot(true)
        .drop_unknown_xattrs(true)
        .tar(tar)
}

/// The archive as a tree: its files are then looked up, wherever they stand.
pub(crate) fn open(path: &Path, dir: &Path, how: &ReadingOptions<'_>) -> Done<Loaded> {
    if path == Path::new(STDIN) {
        let name = PathBuf::from("standard input");
        let failed = |error: io::Error| Fail::of(&name, error);
        let (reader, kind) = stream::with_kind(stream::stdin().map_err(failed)?).map_err(failed)?;
        let mut reader = stream::uncompressed(kind, reader, how.limits, 1).map_err(failed)?;
        return unpacked(&name, &mut *reader, dir, how);
    }
    let (file, kind) = open::input(path)?;
    if kind.is_compressed() {
        let reader = stream::uncompressed(kind, stream::reader(&file)?, how.limits, 1);
        let mut reader = reader.map_err(|error| Fail::of(path, error))?;
        return unpacked(path, &mut *reader, dir, how);
    }
    let progress = Progress::new(Stage::Reading, Some(file.bytes()?));
    let layer = tarfs_io::index_file(&file, options(how), &mut progress.observer())?;
    Ok(Loaded {
        name: path.to_owned(),
        diff_id: None,
        tree: layer.tree,
        backing: Backing::File(file),
        leaves: None,
        platform: None,
        // Warnings are about layers, not about the archive that they are in.
        end: None,
        noted: Noted::default(),
    })
}

fn unpacked(
    name: &Path,
    reader: &mut dyn Read,
    dir: &Path,
    how: &ReadingOptions<'_>,
) -> Done<Loaded> {
    let mut spool = Spool::Temporary(dir.to_owned());
    let ingest = ingest::IngestOptions::new().layer(options(how));
    let (archive, _) = spool.take_with(name, reader, ingest, None)?;
    Ok(Loaded { end: None, noted: Noted::default(), ..archive })
}

/// A file of the archive. Old archives have symbolic links for layers that they have already.
pub(crate) fn find(archive: &Loaded, name: &str) -> Done<InodeId> {
    let mut at = PathBuf::from(name);
    for _ in 0..MAX_LINKS {
        let missing = || Fail::of(&archive.name, format_args!("has no {}", quote::name(&at)));
        let id = paths::lookup(&archive.tree, &at).ok_or_else(missing)?;
        match paths::link_target(&archive.tree, id) {
            Some(target) => at = resolve(&at, target),
            None if archive.tree.kind(id) == NodeKind::Regular => return Ok(id),
            None => {
                let at = quote::name(&at);
                return Err(Fail::of(&archive.name, format_args!("{at} is no file")));
            }
        }
    }
    Err(Fail::of(&archive.name, format_args!("{} leads from link to link", quote::name(name))))
}

/// A link's target, relative to the directory of the link.
fn resolve(link: &Path, target: &Path) -> PathBuf {
    let mut path = link.parent().map(Path::to_owned).unwrap_or_default();
    for part in target {
        match part.to_str() {
            Some("..") => _ = path.pop(),
            Some(".") => {}
            _ => path.push(part),
        }
    }
    path
}
