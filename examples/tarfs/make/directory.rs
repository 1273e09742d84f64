//! A directory of outputs, one for each layer.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::files::place;
use crate::layers::loaded::Loaded;

/// Which layer has which name.
#[derive(Default)]
pub(crate) struct Names<'l>(BTreeMap<PathBuf, &'l Loaded>);

impl<'l> Names<'l> {
    /// Whether no layer has this name yet. The same layer again has the same name and the same
    /// bytes; of another one, whose tag is the same, nothing would be left.
    pub(crate) fn is_new(&mut self, path: &Path, layer: &'l Loaded) -> Done<bool> {
        let Some(other) = self.0.insert(path.to_owned(), layer) else { return Ok(true) };
        let devices = || layer.tree.devices().iter().zip(other.tree.devices());
        let same = other.tree.devices().len() == layer.tree.devices().len()
            && devices().all(|(one, two)| one.is_same(two));
        match same || other.name == layer.name {
            true => Ok(false),
            false => {
                let why = format_args!("would be the name of {} too", quote::name(&other.name));
                Err(Fail::of(&layer.name, format_args!("{}, its output, {why}", quote::name(path))))
            }
        }
    }
}

/// A directory that is gone again when nothing came of it.
pub(crate) struct Directory(Option<PathBuf>);

impl Directory {
    /// Makes the directory, if it is not there.
    pub(crate) fn new(path: &Path) -> Done<Self> {
        if place::is_stdout(path) {
            let why = "several layers make several files: -o DIR, not standard output";
            return Err(Fail::Usage(why.to_owned()));
        }
        if path.is_dir() {
            return Ok(Self(None));
        }
        fs::create_dir(path).map_err(|error| Fail::of(path, error))?;
        Ok(Self(Some(path.to_owned())))
    }

    /// What was to be made in it is there: it stays.
    pub(crate) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // Not if it has something in it, whosever that is.
            let _ = fs::remove_dir(path);
        }
    }
}
