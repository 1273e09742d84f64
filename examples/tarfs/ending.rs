//! How tars end: what is taken, what is said, what is refused.
//!
//! A tar that was cut between two entries, as by a connection that broke, looks like one whose
//! writer made no end. Nobody can tell; so it is said, and refused if that is asked for.

use std::path::Path;

use erofs_tarfs::tar::{End, EndMarker};

use crate::fail::{Done, Fail};
use crate::warn;

/// Judges how the tar of this name ended.
pub(crate) fn judge(name: &Path, end: &End, strict: bool) -> Done {
    if end.bytes == 0 {
        return Err(Fail::of(name, "is empty: a tar has at least two zero blocks"));
    }
    let what = match end.marker {
        EndMarker::TwoBlocks => return Ok(()),
        EndMarker::OneBlock => "ends with one zero block instead of two",
        EndMarker::None => {
            "ends without zero blocks, and may have been cut short between two entries"
        }
    };
    match strict {
        true => Err(Fail::of(name, format_args!("{what} (--strict)"))),
        false => {
            warn::say(name, what);
            Ok(())
        }
    }
}
