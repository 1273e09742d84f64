//! How tars end: what is taken, what is said, what is refused.
//!
//! A tar that was cut between two entries, as by a connection that broke, looks like one whose
//! writer made no end. Nobody can tell; so it is said, and refused if that is asked for.

use std::path::Path;

use erofs_tarfs::io as tarfs_io;
use erofs_tarfs::tar::End;
use erofs_tarfs::tree::Tree;

use crate::cli::fail::{Done, Fail};
use crate::cli::warn;
use crate::layers::cut_short;

/// Warns, or fails, if Linux could not read all of a tar that is the device of a bootstrap.
pub(crate) fn as_device(name: &Path, tree: &Tree, end: Option<&End>, strict: bool) -> Done {
    let data_end = tree.data_ends().first().copied().unwrap_or(0);
    match end.and_then(|end| cut_short::beyond_whole_sectors(end.bytes, data_end)) {
        Some(why) => say(name, &why, strict),
        None => Ok(()),
    }
}

/// Warns, or fails, if the tar of this name may have been cut short.
pub(crate) fn judge(name: &Path, end: &End, strict: bool) -> Done {
    if end.bytes == 0 {
        return Err(tarfs_io::Error::Empty { file: name.to_owned() }.into());
    }
    match end.warning() {
        Some(what) => say(name, what, strict),
        None => Ok(()),
    }
}

/// Warns, or fails if that is asked for.
fn say(name: &Path, what: &str, strict: bool) -> Done {
    match strict {
        true => Err(Fail::of(name, format_args!("{what} (--strict)"))),
        false => {
            warn::say(name, what);
            Ok(())
        }
    }
}
