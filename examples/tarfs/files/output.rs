//! Outputs that are whole or not there.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::{self as tarfs_io, NamedFile};

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::files::place::{self, Place};
use crate::files::{protected, unchanged};

/// A file that gets its name when it is finished, and goes away if it is not.
#[derive(Debug)]
pub(crate) struct Output {
    file: tarfs_io::Output,
    /// What it is called.
    path: PathBuf,
    place: Place,
}

impl Output {
    /// A file that is not seen yet, where `path` leads.
    pub(crate) fn new(path: &Path) -> Done<Self> {
        let place = place::place(path)?;
        let directory = match &place {
            Place::File(file) => {
                protected::check(path, file)?;
                place::directory(file).to_owned()
            }
            Place::Stdout => std::env::temp_dir(),
        };
        let file = tarfs_io::Output::within(&directory, path)?;
        Ok(Self { file, path: path.to_owned(), place })
    }

    /// One that the library has made.
    pub(crate) fn of(file: tarfs_io::Output) -> Done<Self> {
        let path = file.path().to_owned();
        let output = Self { place: place::place(&path)?, file, path };
        output.check()?;
        Ok(output)
    }

    /// The name that it will have.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The open file, under the name that it will have.
    pub(crate) fn file(&self) -> Done<NamedFile> {
        Ok(NamedFile::try_clone(self.file.file())?)
    }

    /// Another name that it will have, in the same directory.
    pub(crate) fn rename(&mut self, path: &Path) -> Done {
        self.place = place::place(path)?;
        self.path = path.to_owned();
        self.check()
    }

    /// Refuses to take the place of what is read.
    fn check(&self) -> Done {
        match &self.place {
            Place::File(file) => protected::check(&self.path, file),
            Place::Stdout => {
                let found = io::stdout().as_fd().try_clone_to_owned().map(File::from);
                let found = found.and_then(|file| file.metadata()).map_err(Fail::stdout)?;
                protected::refuse(&self.path, &found)
            }
        }
    }

    /// What is the same of two outputs that would be one file; `None` of standard output.
    fn name(&self) -> Option<(PathBuf, OsString)> {
        let Place::File(file) = &self.place else { return None };
        let dir = fs::canonicalize(place::directory(file))
            .unwrap_or_else(|_| place::directory(file).to_owned());
        Some((dir, file.file_name()?.to_owned()))
    }

    /// Gives it its name, in place of what has it.
    pub(crate) fn finish(self) -> Done {
        finish(vec![self])
    }

    /// Copies it to standard output.
    fn show(&self) -> Done {
        let mut file = self.file.file().file();
        io::Seek::rewind(&mut file).map_err(|error| Fail::of(&self.path, error))?;
        let mut out = io::stdout().lock();
        io::copy(&mut file, &mut out).and_then(|_| out.flush()).map_err(Fail::stdout)
    }
}

/// Gives files their names, if none of them takes the place of what is read, and that is as it was.
pub(crate) fn finish(outputs: Vec<Output>) -> Done {
    outputs.iter().try_for_each(Output::check)?;
    let mut names = BTreeSet::new();
    for output in &outputs {
        if !names.insert(output.name()) {
            let why =
                "would be the name of two outputs: the second would take the first one's place";
            return Err(Fail::Usage(format!("{}: {why}", quote::name(&output.path))));
        }
    }
    unchanged::check()?;
    let mut files = Vec::new();
    for mut output in outputs {
        match &output.place {
            Place::File(file) => {
                output.file.rename(file)?;
                files.push(output.file);
            }
            Place::Stdout => output.show()?,
        }
    }
    Ok(tarfs_io::Output::finish(files)?)
}
