//! Why the program ends with something else than 0.

use std::borrow::Cow;
use std::path::Path;
use std::{fmt, io};

use erofs_tarfs::io::{self as tarfs_io, BrokenStream, StreamFault};
use erofs_tarfs::limits::OverLimit;
use erofs_tarfs::read;
use erofs_tarfs::tar::ErrorKind;
use erofs_tarfs::tree::{self, Rule};

use crate::cli::quote;

/// What ends a command early.
#[derive(Debug)]
pub(crate) enum Fail {
    /// Bad input, or a file that cannot be read or written: exit code 1.
    Failed(String),
    /// A stream is longer than the place that it said to need: who can read it again finds another place for it.
    Longer(String),
    /// What was asked for makes no sense: exit code 2.
    Usage(String),
    /// Nobody reads our output any more.
    Pipe,
    /// Two things that were compared are not the same, which was said: exit code 1.
    Differs,
}

pub(crate) type Done<T = ()> = Result<T, Fail>;

impl Fail {
    /// A failure about a file.
    pub(crate) fn of(file: impl AsRef<Path>, why: impl fmt::Display) -> Self {
        Self::Failed(format!("{}: {why}", quote::name(file.as_ref())))
    }

    /// An error of the library about a file that the user calls otherwise.
    pub(crate) fn called(error: tarfs_io::Error, name: &Path) -> Self {
        let text = error.to_string();
        // The text begins with the name, not quoted: the user's is put in its place.
        let file = error.file().map(|file| format!("{}: ", file.display())).unwrap_or_default();
        match text.strip_prefix(&file) {
            Some(why) => Self::of(name, why),
            None => Self::Failed(text),
        }
    }

    /// A failure about a file that is not broken, but becomes too long: an option takes it.
    pub(crate) fn over_ratio(file: impl AsRef<Path>, over: &StreamFault) -> Self {
        Self::of(file, format_args!("{over} (--limit max_ratio=N sets it)"))
    }

    /// A failure about a file that has more of something than a limit allows.
    pub(crate) fn over_limit(file: impl AsRef<Path>, over: &OverLimit) -> Self {
        Self::of(file, self::over(over))
    }

    /// A failure about an image that is read, with the option that takes it if there is one.
    pub(crate) fn of_image(file: impl AsRef<Path>, error: &read::Error) -> Self {
        let option = match error {
            read::Error::Inode { rule: read::Rule::Limit(over), .. } => limit(over),
            _ => String::new(),
        };
        Self::of(file, format_args!("{error}{option}"))
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
            Self::Failed(text) | Self::Longer(text) | Self::Usage(text) => quote::Line(text).fmt(f),
            Self::Pipe => f.write_str("standard output is closed"),
            Self::Differs => f.write_str("they differ"),
        }
    }
}

impl From<tarfs_io::Error> for Fail {
    fn from(error: tarfs_io::Error) -> Self {
        // Its own offset is one of the compressed file. That of the library is one of the uncompressed
        // bytes, which tells nobody anything.
        if let tarfs_io::Error::Read { file, error, .. } = &error
            && let Some(broken) =
                error.get_ref().and_then(|inner| inner.downcast_ref::<BrokenStream>())
        {
            return match &broken.fault {
                over @ StreamFault::Ratio { .. } => Self::over_ratio(file, over),
                _ => Self::of(file, broken),
            };
        }
        let mut text = error.to_string();
        if let tarfs_io::Error::Layer { error, .. } = &error {
            text.push_str(&switch(error));
        }
        let Some(file) = error.file() else { return Self::Failed(text) };
        // The text begins with the name, not quoted: the quoted one is put in its place.
        match text.strip_prefix(&format!("{}: ", file.display())) {
            Some(why) => Self::of(file, why),
            None => Self::Failed(text),
        }
    }
}

/// The option that takes what is wrong with a tar, in parentheses, if there is one.
pub(crate) fn switch(error: &tree::Error) -> Cow<'static, str> {
    match error {
        tree::Error::Limit { over, .. } => return limit(over).into(),
        tree::Error::Tar(error) => match error.kind() {
            ErrorKind::UnknownType(_) => " (--skip-unknown-types passes it over)",
            ErrorKind::Checksum { .. } if error.offset() == 0 => {
                " (it is no tar, neither plain nor compressed once by gzip, zstd, xz or bzip2, no EROFS image and no disk)"
            }
            ErrorKind::Limit(over) => return limit(over).into(),
            _ => "",
        },
        tree::Error::Entry(error) => match &error.rule {
            Rule::DotDot => " (--resolve-dot-dot resolves it inside the root)",
            Rule::XattrNamespace(_) => " (without --strict it is dropped)",
            Rule::Limit(over) => return limit(over).into(),
            _ => "",
        },
        _ => "",
    }
    .into()
}

/// What is over a limit, and the option that raises it.
pub(crate) fn over(over: &OverLimit) -> String {
    format!("{over}{}", limit(over))
}

/// The option that raises a limit, in parentheses.
pub(crate) fn limit(over: &OverLimit) -> String {
    format!(" (--limit {}=N sets it)", over.limit.name())
}
