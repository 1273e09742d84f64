//! Directories that are made for outputs, and are gone again if nothing comes of those.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::cli::fail::{Done, Fail};
use crate::files::{durable, place};

/// Directories that are needed. Those that were made, and are empty, go again, unless they are kept.
#[derive(Debug, Default)]
pub(crate) struct NewDirectories {
    made: Vec<PathBuf>,
    /// Those that were there: a run that was ended may have made them, and not have come as far as to sync.
    there: BTreeSet<PathBuf>,
}

impl NewDirectories {
    /// Makes a directory, and those above it, where they are not there.
    pub(crate) fn make(&mut self, path: &Path) -> Done {
        if path.is_dir() {
            self.there.insert(path.to_owned());
            return Ok(());
        }
        let above = place::directory(path);
        if above != path {
            self.make(above)?;
        }
        match fs::create_dir(path) {
            Ok(()) => {
                self.made.push(path.to_owned());
                // Readable by all, as what is in it, whatever the umask.
                let readable = fs::set_permissions(path, fs::Permissions::from_mode(0o755));
                readable.map_err(|error| Fail::of(path, error))?;
            }
            // Somebody else has made it meanwhile.
            Err(_) if path.is_dir() => {}
            Err(_) if path.symlink_metadata().is_ok() => {
                return Err(Fail::of(path, "is there, and is no directory"));
            }
            Err(error) => return Err(Fail::of(path, format_args!("cannot make it: {error}"))),
        }
        Ok(())
    }

    /// They stay, also after a power cut.
    pub(crate) fn keep(mut self) -> Done {
        let (there, made) = (std::mem::take(&mut self.there), std::mem::take(&mut self.made));
        let above: BTreeSet<_> = made.iter().map(|path| place::directory(path)).collect();
        above.iter().try_for_each(|path| durable::sync_path(path))?;
        let there: BTreeSet<_> = there.iter().map(|path| place::directory(path)).collect();
        there.difference(&above).try_for_each(|path| durable::sync_there(path))
    }
}

impl Drop for NewDirectories {
    fn drop(&mut self) {
        // One with somebody's files in it cannot be removed, and stays.
        self.made.iter().rev().for_each(|path| drop(fs::remove_dir(path)));
    }
}
