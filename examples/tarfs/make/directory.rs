//! A directory of outputs, one for each layer.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::fail::{Done, Fail};
use crate::cli::quote;
use crate::files::place;
use crate::layers::loaded::Loaded;

/// The names of outputs, and the layer that each is of.
#[derive(Default)]
pub(crate) struct Names<'l>(BTreeMap<PathBuf, &'l Loaded>);

impl<'l> Names<'l> {
    /// Whether no layer has this name yet. A layer that is there twice makes the same bytes under the same
    /// name, so that is no error. Another layer with the same tag is one: the first output would be lost.
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

/// A directory that is removed again if the command fails.
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

    /// The command succeeded: the directory stays.
    pub(crate) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // This fails if something is in the directory, whoever put it there: then it stays.
            let _ = fs::remove_dir(path);
        }
    }
}
