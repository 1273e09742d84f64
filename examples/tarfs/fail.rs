//! Why the program ends with something else than 0.

use std::fmt;
use std::io;
use std::path::Path;

use erofs_tarfs::io as tarfs_io;

use crate::quote;

/// What ends a command early.
#[derive(Debug)]
pub(crate) enum Fail {
    /// Bad input, or a file that cannot be read or written: exit code 1.
    Failed(String),
    /// What was asked for makes no sense: exit code 2.
    Usage(String),
    /// Nobody reads our output any more.
    Pipe,
}

pub(crate) type Done<T = ()> = Result<T, Fail>;

impl Fail {
    /// A failure about a file.
    pub(crate) fn of(file: impl AsRef<Path>, why: impl fmt::Display) -> Self {
        Self::Failed(format!("{}: {why}", quote::name(file.as_ref())))
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        if matches!(self, Self::Usage(_)) { 2 } else { 1 }
    }

    /// A failure to write to standard output.
    pub(crate) fn stdout(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Pipe,
            _ => Self::of("standard output", error),
        }
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(text) | Self::Usage(text) => quote::Line(text).fmt(f),
            Self::Pipe => f.write_str("standard output is closed"),
        }
    }
}

impl From<tarfs_io::Error> for Fail {
    fn from(error: tarfs_io::Error) -> Self {
        let text = error.to_string();
        let Some(file) = error.file() else { return Self::Failed(text) };
        // What it says begins with the name as it is.
        match text.strip_prefix(&format!("{}: ", file.display())) {
            Some(why) => Self::of(file, why),
            None => Self::Failed(text),
        }
    }
}
