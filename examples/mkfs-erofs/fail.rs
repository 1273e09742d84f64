//! Why the program ends with exit code 1, and what it says on standard error.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::{fmt, io};

use erofs_tarfs::{io as tarfs_io, layout, tree};

/// What ends the program early, in words.
#[derive(Debug)]
pub(crate) struct Fail(String);

pub(crate) type Done<T = ()> = Result<T, Fail>;

impl Fail {
    /// The command line asks for something that this program does not do.
    pub(crate) fn refused(why: impl Display) -> Self {
        Self(why.to_string())
    }

    /// A failure about a file.
    pub(crate) fn of(file: &Path, why: impl Display) -> Self {
        Self(format!("{}: {why}", file.display()))
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<tarfs_io::Error> for Fail {
    fn from(error: tarfs_io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<layout::Error> for Fail {
    fn from(error: layout::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<tree::Error> for Fail {
    fn from(error: tree::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<io::Error> for Fail {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

/// Says something about an input that the output still comes of.
pub(crate) fn warn(file: &Path, what: impl Display) {
    line(&format!("mkfs.erofs: warning: {}: {what}", file.display()));
}

/// Prints a line to standard error. Names of files come from others: their control characters do not
/// reach a terminal.
pub(crate) fn line(text: &str) {
    let mut shown = String::with_capacity(text.len());
    for char in text.chars() {
        match char.is_control() {
            true => shown.extend(char.escape_default()),
            false => shown.push(char),
        }
    }
    // There is nobody to tell that standard error is closed.
    let _ = writeln!(io::stderr(), "{shown}");
}
