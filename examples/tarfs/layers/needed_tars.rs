//! The tars that bootstraps need: no output takes the place of one, found or not.

use std::fs::{self, Metadata};
use std::path::Path;

use erofs_tarfs::io as tarfs_io;
use erofs_tarfs::read::Image;

use crate::cli::fail::Done;
use crate::files::kind::Kind;
use crate::files::{open, protected};
use crate::layers::tar_search::{self, TarSearch};

/// Protects the tars of a bootstrap, whose devices are given by tag and length in blocks. They are
/// looked for in `place`.
pub(crate) fn tars<'d>(
    image: &Path,
    place: &TarSearch,
    block: u64,
    devices: impl Iterator<Item = (&'d [u8], u64)>,
) {
    for (tag, blocks) in devices {
        let tag = String::from_utf8_lossy(tag).into_owned();
        place.names(&tag).iter().for_each(|path| protected::named(path));
        if place.is_digest(&tag) {
            protected::needs_tar(tag, blocks, block);
            continue;
        }
        let fits = |file: &Metadata| file.len().div_ceil(block) == blocks;
        let beside = tar_search::names_from(image);
        let fitting = beside.iter().filter(|path| fs::metadata(path).is_ok_and(|file| fits(&file)));
        fitting.for_each(|path| protected::named(path));
    }
}

/// Protects the tars of a file, if it is a bootstrap. They are looked for beside it.
pub(crate) fn bootstrap(path: &Path) -> Done {
    let (file, kind) = open::unwatched(path)?;
    if kind != Kind::Erofs {
        return Ok(());
    }
    let bytes = tarfs_io::read_metadata(&file)?;
    let Ok(image) = Image::new(&bytes) else { return Ok(()) };
    if !image.holds_devices(bytes.len() as u64) {
        let (devices, block) = (image.devices(), image.block_size().bytes().into());
        let devices = devices.iter().map(|device| (&device.tag[..], device.blocks));
        tars(path, &TarSearch::of(path, None), block, devices);
    }
    Ok(())
}
