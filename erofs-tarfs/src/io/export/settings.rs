//! All that is said of an export before it is made.

use core::fmt;
use std::path::PathBuf;

use super::layer::Input;
use super::watch::Watch;
use crate::export::{Form, Mode, Options, Partitioning};
use crate::io::verity::Options as Hashing;
use crate::tree::{MergeOptions, Note};

/// What is wanted, and of what.
pub(super) struct Settings<'a> {
    pub(super) mode: Mode,
    pub(super) options: Options,
    pub(super) merge: MergeOptions,
    pub(super) hashing: Hashing,
    pub(super) form: Form,
    pub(super) partitioning: Option<Partitioning>,
    pub(super) layers: Vec<Input<'a>>,
    pub(super) watch: Watch<'a>,
    pub(super) notes: Box<dyn FnMut(Note) + 'a>,
    /// Where files are until they have names.
    pub(super) beside: Option<PathBuf>,
}

impl Settings<'_> {
    /// No layer yet, and defaults.
    pub(super) fn new(mode: Mode) -> Self {
        Self {
            mode,
            options: Options::default(),
            merge: MergeOptions::default(),
            hashing: Hashing::default(),
            form: Form::default(),
            partitioning: None,
            layers: Vec::new(),
            watch: Watch { observer: Box::new(|_, _| {}), cancel: None },
            notes: Box::new(|_| {}),
            beside: None,
        }
    }
}

impl fmt::Debug for Settings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export")
            .field("mode", &self.mode)
            .field("options", &self.options)
            .field("merge", &self.merge)
            .field("hashing", &self.hashing)
            .field("form", &self.form)
            .field("partitioning", &self.partitioning)
            .field("layers", &self.layers.len())
            .finish_non_exhaustive()
    }
}
