//! Options of what is made otherwise than the layers say, by the names that `mkfs.erofs` and GNU tar have for them.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args as Group;
use erofs_tarfs::tree::Changes;
use erofs_tarfs::units::Timestamp;

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;

/// The variable that says what is the latest time of anything, in seconds since 1970.
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// What is made otherwise than the layers say: when they are merged, and of each layer where each is made.
#[derive(Debug, Group)]
pub(crate) struct Changing {
    /// Owner and group of all files are root.
    #[arg(long, conflicts_with_all = ["force_uid", "force_gid"])]
    all_root: bool,
    /// The owner of all files.
    #[arg(long, value_name = "UID")]
    force_uid: Option<u32>,
    /// The group of all files.
    #[arg(long, value_name = "GID")]
    force_gid: Option<u32>,
    /// Added to the owner of every file.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    #[arg(allow_negative_numbers = true)]
    uid_offset: i64,
    /// Added to the group of every file.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    #[arg(allow_negative_numbers = true)]
    gid_offset: i64,
    /// Modification times later than this, in seconds since 1970, become it; without a value it is what
    /// SOURCE_DATE_EPOCH says.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true)]
    #[arg(allow_negative_numbers = true)]
    clamp_mtime: Option<Option<i64>>,
    /// Leave out this path and all that is below it. Other names of the same file stay, and its bytes stay in the
    /// tar, which the image is made over: nothing is hidden by this. May be given again.
    #[arg(long, value_name = "PATH")]
    pub(crate) exclude_path: Vec<OsString>,
    /// Leave out what this regular expression finds in the path from the root on, without a slash in front. May
    /// be given again.
    #[arg(long, value_name = "REGEX")]
    pub(crate) exclude_regex: Vec<String>,
    /// SELinux labels, as this file of a policy has them: in place of those in the layers. What it has none for
    /// keeps its own.
    #[arg(long, value_name = "FILE")]
    pub(crate) file_contexts: Option<PathBuf>,
}

impl Changing {
    /// Those of the library.
    pub(crate) fn changes(&self) -> Done<Changes> {
        let changes = Changes::new()
            .force_uid(self.force_uid)
            .force_gid(self.force_gid)
            .uid_offset(self.uid_offset)
            .gid_offset(self.gid_offset)
            .clamp_mtime(self.latest()?);
        let changes = if self.all_root { changes.all_root() } else { changes };
        self.exclude_path.iter().try_fold(changes, |changes, path| {
            let bytes = path.as_encoded_bytes();
            let mut names = bytes.split(|b| *b == b'/').filter(|name| !name.is_empty());
            match (names.clone().any(|name| name == b".."), names.any(|name| name != b".")) {
                (false, true) => Ok(changes.exclude(bytes)),
                (true, _) => Err(refused(path, "a path from the root on, without ..")),
                (false, false) => Err(refused(path, "the root can't be left out")),
            }
        })
    }

    /// The latest time, if there is one.
    fn latest(&self) -> Done<Option<Timestamp>> {
        let secs = match self.clamp_mtime {
            None => return Ok(None),
            Some(Some(secs)) => secs,
            Some(None) => {
                let said = env::var_os(EPOCH).ok_or_else(|| {
                    let way = "--clamp-mtime=SECONDS, or set it";
                    Fail::Usage(format!("--clamp-mtime: {EPOCH} is not set: {way}"))
                })?;
                let secs = said.to_str().and_then(|text| text.parse().ok());
                secs.ok_or_else(|| {
                    let said = quote::name(&said);
                    Fail::Usage(format!("{EPOCH}={said}: not a number of seconds since 1970"))
                })?
            }
        };
        Ok(Some(Timestamp { secs, nanos: 0 }))
    }
}

fn refused(path: &OsString, why: &str) -> Fail {
    Fail::Usage(format!("--exclude-path {}: {why}", quote::name(path)))
}
