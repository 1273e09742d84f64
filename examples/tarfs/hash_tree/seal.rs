//! Hash trees made of data.

use erofs_tarfs::io::verity::{self, HashingOptions};
use erofs_tarfs::io::{Map, NamedFile};
use erofs_tarfs::verity::{Geometry, Sealed};

use crate::cli::fail::{Done, Fail};
use crate::cli::progress::{Progress, Stage};

/// Seals data; errors name its file.
pub(crate) fn seal(
    data: &NamedFile,
    hashes: &NamedFile,
    geometry: Geometry,
    options: &HashingOptions,
    map: bool,
) -> Done<Sealed> {
    let progress = Progress::new(Stage::Hashing, Some(geometry.data_bytes()));
    let sealed = if map {
        let map = mapped(data, geometry.data_bytes())?;
        verity::seal(&progress.file(&map), hashes, geometry, options)
    } else {
        verity::seal(&progress.file(data), hashes, geometry, options)
    };
    sealed.map_err(|error| Fail::of(hashes.path(), format_args!("cannot seal it: {error}")))
}

/// Maps data into memory.
#[allow(unsafe_code, reason = "--map is the user's word")]
fn mapped(data: &NamedFile, bytes: u64) -> Done<Map> {
    // SAFETY: nothing here writes to the data while it is mapped, and that nobody else does is what
    // the help of --map asks for.
    let map = unsafe { Map::new(data.file(), bytes) };
    map.map_err(|error| Fail::of(data.path(), format_args!("cannot map it: {error}")))
}
