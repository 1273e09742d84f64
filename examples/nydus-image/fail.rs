//! Why the program ends with another exit code than 0, and what it says on standard error.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;
use std::{fmt, io};

use erofs_tarfs::{io as tarfs_io, layout};

/// The exit code of a wrong command line.
pub(crate) const USAGE: u8 = 2;

/// The exit code of most failures.
const FAILED: u8 = 1;

/// The exit code for a bootstrap of another kind: Nydus's program has it where such are to be merged.
const MIXED: u8 = 2;

/// What ends the program early: words, and the exit code.
#[derive(Debug)]
pub(crate) struct Fail {
    text: String,
    code: u8,
}

pub(crate) type Done<T = ()> = Result<T, Fail>;

impl Fail {
    /// The command line asks for something that this program does not do.
    pub(crate) fn refused(why: impl Display) -> Self {
        Self { text: why.to_string(), code: FAILED }
    }

    /// The command line makes no sense.
    pub(crate) fn usage(why: impl Display) -> Self {
        Self { text: why.to_string(), code: USAGE }
    }

    /// A failure about a file.
    pub(crate) fn of(file: &Path, why: impl Display) -> Self {
        Self { text: format!("{}: {why}", file.display()), code: FAILED }
    }

    /// A bootstrap that is of another kind than a tarfs.
    pub(crate) fn other_kind(file: &Path, why: impl Display) -> Self {
        Self { code: MIXED, ..Self::of(file, why) }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<tarfs_io::Error> for Fail {
    fn from(error: tarfs_io::Error) -> Self {
        Self::refused(error)
    }
}

impl From<layout::Error> for Fail {
    fn from(error: layout::Error) -> Self {
        Self::refused(error)
    }
}

/// Says something about an input that the output still comes of.
pub(crate) fn warn(file: &Path, what: impl Display) {
    line(&format!("nydus-image: warning: {}: {what}", file.display()));
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

/// Prints the answer of a command to standard output. Whoever called for it must get it.
pub(crate) fn answer(text: &str) -> Done {
    let mut out = io::stdout().lock();
    let done = writeln!(out, "{text}").and_then(|()| out.flush());
    done.map_err(|error| Fail::of("standard output".as_ref(), error))
}
