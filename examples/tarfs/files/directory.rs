//! Directories that are made for outputs, and are gone again if nothing comes of those.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::cli::fail::{Done, Fail};
use crate::files::place;

/// Directories that were made. Those that are empty go again, unless they are kept.
#[derive(Debug, Default)]
pub(crate) struct NewDirectories(Vec<PathBuf>);

impl NewDirectories {
    /// Makes a directory, and those above it, where they are not there.
    pub(crate) fn make(&mut self, path: &Path) -> Done {
        if path.is_dir() {
            return Ok(());
        }
        let above = place::directory(path);
        if above != path {
            self.make(above)?;
        }
        match fs::create_dir(path) {
            Ok(()) => {
                self.0.push(path.to_owned());
                // Readable by all, as what is in it, whatever the umask.
                let readable = fs::set_permissions(path, fs::Permissions::from_mode(0o755));
                readable.map_err(|error| Fail::of(path, error))?;
            }
            // Somebody else has made it meanwhile.
            Err(_) if path.is_dir() => {}
            Err(error) => return Err(Fail::of(path, format_args!("cannot make it: {error}"))),
        }
        Ok(())
    }

    /// They stay, also after a power cut.
    pub(crate) fn keep(mut self) -> Done {
        for path in std::mem::take(&mut self.0) {
            sync(place::directory(&path))?;
        }
        Ok(())
    }
}

impl Drop for NewDirectories {
    fn drop(&mut self) {
        // One with somebody's files in it cannot be removed, and stays.
        self.0.iter().rev().for_each(|path| drop(fs::remove_dir(path)));
    }
}

/// Brings the names in a directory to the disk.
pub(crate) fn sync(path: &Path) -> Done {
    let synced = File::open(path).and_then(|directory| directory.sync_all());
    synced.map_err(|error| Fail::of(path, error))
}
