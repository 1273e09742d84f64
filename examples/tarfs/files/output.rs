//! Outputs that are whole or not there.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use erofs_tarfs::io::{self as tarfs_io, NamedFile};

use crate::cli::fail::{Done, Fail};
use crate::cli::progress::{Progress, Stage};
use crate::cli::{quote, warn};
use crate::files::place::{self, Place};
use crate::files::{durable, protected, unchanged};

/// A file that gets its name when it is finished, and goes away if it is not.
#[derive(Debug)]
pub(crate) struct Output {
    file: tarfs_io::Output,
    /// The directory that it was created in.
    created_in: PathBuf,
    /// What it is called.
    path: PathBuf,
    place: Place,
}

impl Output {
    /// A file that is not seen yet, where `path` leads.
    pub(crate) fn new(path: &Path) -> Done<Self> {
        let place = place::place(path)?;
        let created_in = match &place {
            Place::File(file) => {
                protected::check(path, file)?;
                place::directory(file).to_owned()
            }
            Place::Stdout => std::env::temp_dir(),
        };
        let file = created(&created_in, path)?;
        Ok(Self { file, created_in, path: path.to_owned(), place })
    }

    /// A file that the library has made, which is to be called `path`.
    pub(crate) fn of(file: tarfs_io::Output, path: &Path) -> Done<Self> {
        let created_in = place::directory(file.path()).to_owned();
        let output = Self { file, created_in, path: path.to_owned(), place: place::place(path)? };
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
        Some((real(place::directory(file)), file.file_name()?.to_owned()))
    }

    /// Gives it its name, in place of what has it.
    pub(crate) fn finish(self) -> Done {
        finish(vec![self])
    }

    /// Its bytes, from the first on.
    fn rewound(&self) -> Done<&File> {
        let mut file = self.file.file().file();
        io::Seek::rewind(&mut file).map_err(|error| Fail::of(&self.path, error))?;
        Ok(file)
    }

    /// Copies it to standard output.
    fn show(&self) -> Done {
        let (mut file, mut out) = (self.rewound()?, io::stdout().lock());
        io::copy(&mut file, &mut out).and_then(|_| out.flush()).map_err(Fail::stdout)
    }

    /// The file that will have the name `to`. It is a copy if a link leads out of the directory that
    /// the file was created in: no file can get a name on another filesystem.
    fn placed(mut self, to: &Path) -> Done<tarfs_io::Output> {
        let directory = place::directory(to);
        if directory == self.created_in || real(directory) == real(&self.created_in) {
            self.file.rename(to).map_err(|error| Fail::called(error, &self.path))?;
            return Ok(self.file);
        }
        let copy = created(directory, to);
        let copy = copy.map_err(|error| Fail::called(error, &self.path))?;
        let (mut from, mut into) = (self.rewound()?, copy.file().file());
        io::copy(&mut from, &mut into).map_err(|error| Fail::of(&self.path, error))?;
        Ok(copy)
    }
}

/// The library's file, in a directory.
fn created(directory: &Path, path: &Path) -> Result<tarfs_io::Output, tarfs_io::Error> {
    Ok(tarfs_io::Output::within(directory, path)?.synced(durable::is_wanted()))
}

/// A directory without links on the way to it.
fn real(directory: &Path) -> PathBuf {
    fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned())
}

/// Gives files their names, if none of them takes the place of what is read, and that is as it was.
pub(crate) fn finish(outputs: Vec<Output>) -> Done {
    finish_in_order(Vec::new(), outputs)
}

/// The same of files that belong together: `first` have their names, on the disk, before `last` get theirs.
/// If those can't get them, names that `first` got are gone again, if nothing had them before.
pub(crate) fn finish_in_order(first: Vec<Output>, last: Vec<Output>) -> Done {
    check_all(first.iter().chain(&last))?;
    let _stage = durable::is_wanted().then(|| Progress::new(Stage::Syncing, None));
    // What would fail then fails before the first has its name.
    for output in last.iter().filter(|_| !first.is_empty()) {
        durable::sync(&output.path, output.file.file().file())?;
    }
    let files = |output: &Output| match &output.place {
        Place::File(file) if file.symlink_metadata().is_err() => Some(file.clone()),
        _ => None,
    };
    let new: Vec<PathBuf> = first.iter().filter_map(files).collect();
    let named = Named::of(last.iter().map(|output| &output.file));
    put(first)?;
    put(last).inspect_err(|_| named.undo(&new))
}

/// Files that are to get their names behind others, by which it is seen whether they have.
pub(crate) struct Named(Vec<(PathBuf, Option<(u64, u64)>)>);

impl Named {
    pub(crate) fn of<'o>(outputs: impl Iterator<Item = &'o tarfs_io::Output>) -> Self {
        let file = |output: &tarfs_io::Output| {
            let found = output.file().file().metadata();
            (output.path().to_owned(), found.ok().map(|found| (found.dev(), found.ino())))
        };
        Self(outputs.map(file).collect())
    }

    /// Takes away the names that others got, if none of these got its own. If one did, what failed was to bring
    /// names to the disk: it may lead to the others.
    pub(crate) fn undo(&self, others: &[PathBuf]) {
        let is_named = |(path, file): &(PathBuf, Option<(u64, u64)>)| {
            let found = fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
            found.is_some() && found == *file
        };
        if !self.0.iter().any(is_named) {
            others.iter().for_each(|file| drop(fs::remove_file(file)));
        }
    }
}

/// Whether files can have their names, and all that was read is as it was.
fn check_all<'o>(outputs: impl Iterator<Item = &'o Output> + Clone) -> Done {
    outputs.clone().try_for_each(Output::check)?;
    let mut names = BTreeSet::new();
    for output in outputs {
        if !names.insert(output.name()) {
            let why =
                "would be the name of two outputs: the second would take the first one's place";
            return Err(Fail::Usage(format!("{}: {why}", quote::name(&output.path))));
        }
    }
    unchanged::check()
}

/// Gives files their names.
fn put(outputs: Vec<Output>) -> Done {
    let (mut files, mut names) = (Vec::new(), BTreeMap::new());
    for output in outputs {
        match output.place.clone() {
            Place::File(file) => {
                warn::detail(format_args!("makes {}", quote::name(&file)));
                names.insert(file.clone(), output.path.clone());
                files.push(output.placed(&file)?);
            }
            Place::Stdout => output.show()?,
        }
    }
    tarfs_io::Output::finish(files).map_err(|error| {
        match error.file().and_then(|file| names.get(file)) {
            Some(name) => Fail::called(error, name),
            None => error.into(),
        }
    })
}
