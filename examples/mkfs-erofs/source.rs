//! Where the tar of a layer comes from.

use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::{self, Builder};

use erofs_tarfs::io::{NamedFile, Pipe};

use crate::fail::{Done, Fail};
use crate::upper;
use crate::wanted::{Source, Wanted};

/// A tar that is there.
pub(crate) enum Tar {
    /// It streams by, under this name in errors.
    Stream(PathBuf, Box<dyn Read>),
    /// It lies in a file.
    File(NamedFile),
}

/// Opens the tar and hands it to `take`.
pub(crate) fn open<T>(wanted: &Wanted, take: impl FnOnce(Tar) -> Done<T>) -> Done<T> {
    match &wanted.source {
        Source::Stdin => {
            let stdin = Pipe::new(io::stdin().as_fd().try_clone_to_owned()?);
            take(Tar::Stream("standard input".into(), Box::new(stdin)))
        }
        Source::Tar(path) => {
            let failed = |error| Fail::of(path, error);
            match path.metadata().map_err(failed)?.is_file() {
                true => take(Tar::File(NamedFile::open(path)?)),
                // A pipe that has a name, as /dev/stdin.
                false => {
                    let pipe = Pipe::new(File::open(path).map_err(failed)?);
                    take(Tar::Stream(path.clone(), Box::new(pipe)))
                }
            }
        }
        Source::Directory(path, time) => directory(path, *time, take),
    }
}

/// A tar of a directory, which another thread writes while `take` reads it.
fn directory<T>(path: &Path, time: Option<i64>, take: impl FnOnce(Tar) -> Done<T>) -> Done<T> {
    let (reader, writer): (PipeReader, _) = io::pipe()?;
    thread::scope(|scope| {
        let writing = Builder::new();
        let writing = writing.spawn_scoped(scope, move || upper::write(path, time, writer))?;
        let reader = Pipe::new(OwnedFd::from(reader));
        let taken = take(Tar::Stream(path.to_owned(), Box::new(reader)));
        // The reader is closed here: who still writes gets an error, and does not wait for ever.
        match writing.join() {
            Ok(Ok(())) => taken,
            // What is wrong with the directory is the reason why the tar was cut short. But a pipe that
            // nobody reads any more follows from an error of the reader.
            Ok(Err(upper::Error::Closed)) => taken,
            Ok(Err(upper::Error::Failed(fail))) => Err(fail),
            Err(panic) => resume_unwind(panic),
        }
    })
}
